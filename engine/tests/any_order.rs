//! Whatever order callers, phones and the network act in: nobody is dropped by us, nothing is left
//! behind, every call ends in one record. A failure prints its seed; the same seed replays it.

mod kit;

use engine::call::event::{Actor, Event, OfferEnd};
use engine::id::{CallId, LegId};
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use kit::peer::Caller;
use kit::sip::{Sip, sdp};
use kit::{Room, agent, phone_at};
use std::time::Duration;

/// A small generator (xorshift64*): the same seed, the same evening.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits") % sides
    }
}

const PHONES: u32 = 3;

struct Evening {
    room: Room,
    dice: Dice,
    callers: Vec<Caller>,
    talks: Vec<(u32, Sip)>,
    number: u32,
}

impl Evening {
    fn act(&mut self) {
        match self.dice.roll(24) {
            0..=3 => self.somebody_calls(),
            4 => self.with_caller(|room, caller| room.cancel(caller)),
            5 => self.with_caller(|room, caller| room.bye(caller)),
            6..=7 => self.with_caller(Room::ack),
            8 => self.with_phone(|room, phone| room.phone_says(phone, "180 Ringing")),
            9..=11 => self.a_phone_answers(),
            12 => self.with_phone(|room, phone| room.phone_says(phone, "486 Busy Here")),
            13 => self.with_phone(|room, phone| room.phone_says(phone, "480 Away")),
            14 => self.a_phone_hangs_up(),
            15 => self.room.pass(Duration::from_secs(6)),
            16 => self.a_late_200(),
            17 => self.unplug(),
            18..=20 => self.somebody_is_silent(),
            _ => {
                let millis = [20, 600, 7_000, 33_000][self.dice.roll(4)];
                self.room.pass(Duration::from_millis(millis));
            }
        }
        self.check();
    }

    fn somebody_calls(&mut self) {
        self.number += 1;
        let called = ["15", "3115", "18", "urn:service:sos.ecall.automatic", "4711", "urn:service:test.sos"];
        let called = called[self.dice.roll(called.len())];
        let caller = self.room.dial(&format!("06{:08}", self.number), called);
        self.callers.push(caller);
    }

    fn with_caller(&mut self, act: impl Fn(&mut Room, &mut Caller)) {
        if !self.callers.is_empty() {
            let index = self.dice.roll(self.callers.len());
            act(&mut self.room, &mut self.callers[index]);
        }
    }

    fn with_phone(&mut self, act: impl Fn(&mut Room, u32)) {
        let phone = self.dice.roll(PHONES as usize) as u32;
        if self.room.ringing(phone).is_some() {
            act(&mut self.room, phone);
        }
    }

    fn a_phone_answers(&mut self) {
        let phone = self.dice.roll(PHONES as usize) as u32;
        if self.room.ringing(phone).is_some() {
            let invite = self.room.answer(phone);
            self.talks.push((phone, invite));
        }
    }

    fn a_phone_hangs_up(&mut self) {
        if !self.talks.is_empty() {
            let index = self.dice.roll(self.talks.len());
            let (phone, invite) = self.talks.swap_remove(index);
            self.room.phone_bye(phone, &invite);
        }
    }

    /// A 200 to any INVITE a phone ever got: crossing a CANCEL, after a 486, twice.
    fn a_late_200(&mut self) {
        let phone = self.dice.roll(PHONES as usize) as u32;
        let at = phone_at(phone);
        let rung: Vec<Sip> = self
            .room
            .wire
            .iter()
            .filter(|sent| sent.to == at && sent.sip.method() == Some("INVITE"))
            .map(|sent| sent.sip.clone())
            .collect();
        if !rung.is_empty() {
            let invite = &rung[self.dice.roll(rung.len())];
            let contact = format!("Contact: <sip:{phone}@{at}>\r\n");
            let ok = invite.response("200 OK", "late", &contact, &sdp(40_000, "8", "sendrecv"));
            self.room.send(at, &ok);
        }
    }

    fn somebody_is_silent(&mut self) {
        let legs: Vec<LegId> = self.room.open_legs();
        if !legs.is_empty() {
            let leg = legs[self.dice.roll(legs.len())];
            let seconds = [1, 5, 30][self.dice.roll(3)];
            self.room.silent(leg, seconds);
            if self.dice.roll(2) == 0 {
                self.room.input(Input::Media(MediaEvent::Heard { leg }));
            }
        }
    }

    fn unplug(&mut self) {
        let at = phone_at(self.dice.roll(PHONES as usize) as u32);
        if !self.room.dead.remove(&at) {
            self.room.dead.insert(at);
        }
    }

    /// What holds after every step.
    fn check(&self) {
        let live = self.room.journal.iter().map(|it| it.call).collect::<std::collections::BTreeSet<CallId>>();
        let gone = self.room.forgotten.iter().copied().collect();
        let mut ears = Vec::new();
        for call in live.difference(&gone) {
            let last = self.room.journal.iter().rev().find(|it| it.call == *call).expect("journalled");
            let agents = last.legs.iter().filter_map(|leg| leg.agent);
            ears.extend(agents);
        }
        let count = ears.len();
        ears.sort();
        ears.dedup();
        assert_eq!(count, ears.len(), "I1: an agent has one leg in the whole room");
    }
}

#[test]
fn i05_i06_i07_i23_hold_in_any_order_of_events() {
    let mut seen = Seen::default();
    for seed in 1..=120 {
        let mut evening = Evening {
            room: Room::new(PHONES),
            dice: Dice(seed * 0x9E37_79B9),
            callers: Vec::new(),
            talks: Vec::new(),
            number: 0,
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..80 {
                evening.act();
            }
            everybody_leaves(&mut evening);
        }));
        if let Err(panic) = outcome {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
        seen.add(&evening.room);
    }
    // A walk that never gets anywhere proves nothing.
    assert!(seen.connected > 200, "{seen:?}");
    assert!(seen.again > 20 && seen.lost > 20 && seen.withdrawn > 300, "{seen:?}");
    assert!(seen.before_bridge > 10 && seen.rung_out > 20, "{seen:?}");
}

/// How often the walk has met what it is about.
#[derive(Debug, Default)]
struct Seen {
    connected: u32,
    again: u32,
    lost: u32,
    withdrawn: u32,
    before_bridge: u32,
    rung_out: u32,
}

impl Seen {
    fn add(&mut self, room: &Room) {
        for (_, entry) in &room.log {
            match &entry.event {
                Event::Connected { .. } => self.connected += 1,
                Event::Queued { again: true, .. } => self.again += 1,
                Event::AgentLost { .. } => self.lost += 1,
                Event::Withdrawn { .. } => self.withdrawn += 1,
                Event::OfferEnded { end: OfferEnd::LostBeforeBridge, .. } => self.before_bridge += 1,
                Event::OfferEnded { end: OfferEnd::TimedOut, .. } => self.rung_out += 1,
                _ => {}
            }
        }
    }
}

/// The callers who are left hang up, and time does the rest.
fn everybody_leaves(evening: &mut Evening) {
    evening.room.dead.clear();
    let mut callers = std::mem::take(&mut evening.callers);
    for caller in &mut callers {
        evening.room.cancel(caller);
        evening.room.ack(caller);
        evening.room.bye(caller);
    }
    evening.room.rest();
    // I7: our side ended a call by a person's deliberate act only, or with the caller's network.
    for (_, entry) in &evening.room.log {
        if let Event::Ended { by, cause, .. } = &entry.event {
            use engine::call::event::Cause;
            let allowed = match by {
                Actor::Caller => true,
                Actor::Agent(_) => *cause == Cause::Released,
                Actor::System => matches!(cause, Cause::Network | Cause::Refused | Cause::Test),
                _ => false,
            };
            assert!(allowed, "{by:?} {cause:?}");
        }
    }
    let shift = Verb::SignOut { agent: agent(0) };
    assert!(evening.room.command(Actor::Agent(agent(0)), shift).result.is_ok());
}
