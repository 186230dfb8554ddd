//! Whatever order callers, phones and the network act in: nobody is dropped by us, nothing is left
//! behind, every call ends in one record. A failure prints its seed; the same seed replays it.

mod kit;

use engine::call::event::{Actor, Event, OfferEnd};
use engine::dialplan::Dialplan;
use engine::id::{AgentId, CallId, CentreId, LegId, QueueId};
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use kit::peer::Caller;
use kit::sip::{Sip, sdp};
use kit::{Room, agent, centre, desks, phone_at, plan, site};
use std::sync::Arc;
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
        match self.dice.roll(30) {
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
            21 => self.with_caller(|room, caller| room.reinvite(caller, Some(&sdp(30_002, "8", "sendonly")))),
            22 => {
                self.with_caller(|room, caller| room.reinvite(caller, Some("v=0\r\nm=image 1 udptl t38\r\n")))
            }
            23 => self.another_plan(),
            24..=25 => self.a_key_is_pressed(),
            26 => self.somebody_steers(),
            _ => {
                let millis = [20, 600, 7_000, 33_000][self.dice.roll(4)];
                self.room.pass(Duration::from_millis(millis));
            }
        }
        self.check();
    }

    /// A plan without the second queue and with another name for vital, or the first one again.
    fn another_plan(&mut self) {
        let text = match self.dice.roll(2) {
            0 => plan::TEXT.to_owned(),
            _ => plan::TEXT.replace("queue.front", "queue.other").replace("\"front\"", "\"other\""),
        };
        let text = if self.dice.roll(2) == 0 { text.replace("vital ", "p0 ") } else { text };
        let named = text.contains("p0 ");
        let text = if named { text.replace("\"vital\"", "\"p0\"") } else { text };
        let plan = Dialplan::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        self.room.input(Input::Plan(CentreId(0), Arc::new(plan)));
    }

    fn a_key_is_pressed(&mut self) {
        let phone = self.dice.roll(PHONES as usize) as u32;
        let key = ["*0", "*1", "*1", "*1", "*2", "*3", "*9"][self.dice.roll(7)];
        self.room.phone_dials(phone, key);
    }

    /// A supervisor qualifies, moves, or releases something that may be over long since.
    fn somebody_steers(&mut self) {
        let Some(last) = self.room.journal.last().cloned() else { return };
        let verb = match (self.dice.roll(3), last.work, last.talk) {
            (0, Some(work), _) => {
                let queue = QueueId { centre: CentreId(0), index: self.dice.roll(3) as u32 };
                Verb::Move { work: work.work, queue }
            }
            (1, _, Some(talk)) => Verb::Release { agent: talk.agent, call: last.call, disposition: None },
            _ => Verb::Qualify {
                call: last.call,
                class: ["vital", "p0", "routine"][self.dice.roll(3)].to_owned(),
            },
        };
        self.room.command(Actor::Plan, verb);
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
            // Every third evening has fewer ports than callers and phones could use.
            room: match seed % 3 {
                0 => Room::with_ports(site(vec![centre(plan::TEXT, desks(0, PHONES, true))]), 6),
                _ => Room::new(PHONES),
            },
            dice: Dice(seed * 0x9E37_79B9),
            callers: Vec::new(),
            talks: Vec::new(),
            number: 0,
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..80 {
                evening.act();
            }
            if seed % 3 != 0 {
                nobody_is_stuck(&mut evening);
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
    assert!(seen.connected > 150, "{seen:?}");
    assert!(seen.again > 10 && seen.lost > 20 && seen.withdrawn > 300, "{seen:?}");
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

/// I12: while somebody waits, every phone that is there and in no conversation is rung again
/// within half a minute, whatever it has done before.
fn nobody_is_stuck(evening: &mut Evening) {
    let room = &mut evening.room;
    room.dead.clear();
    for phone in 0..PHONES {
        room.phone_dials(phone, "*1");
    }
    room.pass(Duration::from_secs(40));
    let before = room.step;
    room.pass(Duration::from_secs(30));
    let gone: Vec<CallId> = room.forgotten.clone();
    let mut live = std::collections::BTreeMap::new();
    for snapshot in room.journal.iter().filter(|it| !gone.contains(&it.call)) {
        live.insert(snapshot.call, snapshot);
    }
    let busy: Vec<_> = live.values().filter_map(|it| it.talk.as_ref()).map(|talk| talk.agent).collect();
    let waits = live.values().any(|it| it.work.is_some() && it.talk.is_none());
    // One in RONA is left alone while the queue has others, however long those talk.
    let left_alone = |phone| {
        let mut told = room.log.iter().rev().filter_map(|(_, entry)| match entry.event {
            Event::Rona { agent, on } if agent == phone => Some(on),
            _ => None,
        });
        told.next() == Some(true)
    };
    let there = |phone: &AgentId| waits && !busy.contains(phone) && !left_alone(*phone);
    for phone in (0..PHONES).map(agent).filter(there) {
        let rung = room
            .events_since(before)
            .iter()
            .any(|event| matches!(event, Event::Offered { agent, .. } if *agent == phone));
        assert!(rung, "{phone} is free, somebody waits, and it does not ring");
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
                Actor::Agent(_) | Actor::Plan => *cause == Cause::Released,
                Actor::System => matches!(cause, Cause::Network | Cause::Refused | Cause::Test),
                _ => false,
            };
            assert!(allowed, "{by:?} {cause:?}");
        }
    }
    let shift = Verb::SignOut { agent: agent(0) };
    assert!(evening.room.command(Actor::Agent(agent(0)), shift).result.is_ok());
}
