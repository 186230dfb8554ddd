//! Whatever order keys, hand-overs, callbacks, ways out of a queue and hang-ups come in: every item leaves in one way,
//! every call and every callback ends in one record, and nothing stays behind.

mod kit;

use engine::call::event::{Beside, Event};
use engine::id::CallId;
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use engine::site::CentreSite;
use kit::peer::Caller;
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, second_address, site};
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

const PHONES: u32 = 4;

/// The way out of the front desk: by time to a number outside, and opened by a person to another centre.
const WAYS: &str = r#"stage  = "front"
overflow = [{ when = ["waited"], after = "20s", to = "trunk:trunk-1", number = "+33388000099", mode = "additive" },
            { when = ["length"], length = 4, to = "trunk:trunk-1", number = "+33388000098", mode = "move" },
            { when = ["opened"], to = "centre:samu-68", mode = "additive" }]
"#;
/// The desk of the other centre.
const ABROAD: u32 = 5;

/// An evening of a room that may overflow, or of one that cannot.
fn room(overflows: bool) -> Room {
    let mut people = desks(0, PHONES, true);
    people[3].skills = vec!["mr-amu".to_owned()];
    if !overflows {
        return Room::of(site(vec![centre(plan::STAGED, people)]));
    }
    let home = centre(&plan::STAGED.replacen("stage  = \"front\"\n", WAYS, 1), people);
    let other = CentreSite { name: "samu-68".to_owned(), ..centre(plan::STAGED, desks(ABROAD, 1, true)) };
    let mut site = site(vec![home, other]);
    site.trunks[1].reach.targets.push(second_address());
    Room::of(site)
}

struct Evening {
    room: Room,
    overflows: bool,
    dice: Dice,
    callers: Vec<Caller>,
    talks: Vec<(u32, Sip)>,
    /// Phones outside that we have rung and that were lifted.
    reached: Vec<Sip>,
}

impl Evening {
    fn act(&mut self) {
        if self.room.rings_outside().is_some() && self.dice.roll(2) == 0 {
            return self.outside();
        }
        match self.dice.roll(if self.overflows { 22 } else { 20 }) {
            20 => self.a_way_out(),
            21 => self.abroad(),
            0..=2 => self.somebody_calls(),
            3 => self.somebody_hangs_up(),
            4..=6 => self.a_phone_answers(),
            7 => self.a_phone_hangs_up(),
            8 => self.a_key(),
            9..=13 => self.a_wish(),
            14..=15 => self.outside(),
            _ => {
                let seconds = [1, 7, 16, 65][self.dice.roll(4)];
                self.room.pass(Duration::from_secs(seconds));
            }
        }
    }

    fn somebody_calls(&mut self) {
        let number = format!("06000000{:02}", self.dice.roll(12));
        let called = ["15", "15", "18", "3900"][self.dice.roll(4)];
        let caller = self.room.dial_and_ack(&number, called);
        self.callers.push(caller);
    }

    fn somebody_hangs_up(&mut self) {
        if !self.callers.is_empty() {
            let index = self.dice.roll(self.callers.len());
            let mut caller = self.callers.swap_remove(index);
            self.room.bye(&mut caller);
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

    fn a_key(&mut self) {
        if let Some(leg) = self.some_arrival().map(|nth| self.room.arrival(nth).1) {
            let digit = ['1', '2', '5'][self.dice.roll(3)];
            self.room.input(Input::Media(MediaEvent::Digit { leg, digit }));
        }
    }

    fn some_arrival(&mut self) -> Option<usize> {
        let count = self.room.log.iter().filter(|(_, it)| matches!(it.event, Event::Arrived { .. })).count();
        (count > 0).then(|| self.dice.roll(count))
    }

    /// A wish of somebody about something that may be over long since.
    fn a_wish(&mut self) {
        let who = self.dice.roll(PHONES as usize) as u32;
        let ear = self.room.connected(who).last().map(|(call, _)| *call);
        let back = self.room.callbacks();
        let back: Option<CallId> = (!back.is_empty()).then(|| back[self.dice.roll(back.len())]);
        let Some(call) = ear.or(back) else { return };
        let (agent, note) = (agent(who), Some("note".to_owned()));
        let queue = self.room.queue(["front", "regulation", "crisis"][self.dice.roll(3)]);
        let class = [None, Some("P1".to_owned()), Some("vital".to_owned())][self.dice.roll(3)].clone();
        let verb = match self.dice.roll(8) {
            0..=1 => Verb::HandOver { agent, call, queue, class, note },
            2 => Verb::TakeBack { agent, call, confirmed: true },
            3 => Verb::ReferBack { agent, call, note },
            4 => Verb::DropToCallback { agent, call, note },
            5 => Verb::PlanCallback { call, after: Duration::from_secs(30), note },
            6 => Verb::DismissCallback { call: back.unwrap_or(call), reason: "done".to_owned() },
            _ => Verb::Pick { agent, call: back.unwrap_or(call), confirmed: true },
        };
        self.room.by(who, verb);
    }

    /// A supervisor opens the way to the other centre, or closes it.
    fn a_way_out(&mut self) {
        let (queue, open) = (self.room.queue("front"), self.dice.roll(2) == 0);
        self.room.chief(Verb::SetOverflow { queue, open });
    }

    /// The desk of the other centre answers, or hangs up.
    fn abroad(&mut self) {
        let talks = self.talks.iter().position(|(phone, _)| *phone == ABROAD);
        if let Some(index) = talks.filter(|_| self.dice.roll(3) > 0) {
            let (phone, invite) = self.talks.swap_remove(index);
            self.room.phone_bye(phone, &invite);
        } else if self.room.ringing(ABROAD).is_some() {
            let invite = self.room.answer(ABROAD);
            self.talks.push((ABROAD, invite));
        }
    }

    fn outside(&mut self) {
        let second = second_address();
        if self.room.rings_out_at(second).is_some() {
            let status = ["180 Ringing", "200 OK", "503 Out"][self.dice.roll(3)];
            self.room.out_says_at(second, status);
        }
        if self.room.rings_outside().is_some() {
            let status = ["180 Ringing", "200 OK", "200 OK", "486 Busy Here", "503 Out"][self.dice.roll(5)];
            let invite = self.room.out_says(status);
            self.reached.extend(Some(invite).filter(|_| status == "200 OK"));
        }
    }
}

#[test]
fn i06_i17_i23_hold_for_every_work_item_in_any_order() {
    let (mut handed, mut reached, mut unreached, mut kept, mut out) = (0, 0, 0, 0, 0);
    for seed in 1..=120 {
        let overflows = seed > 80;
        let mut evening = Evening {
            room: room(overflows),
            overflows,
            dice: Dice(seed * 0x9E37_79B9),
            callers: Vec::new(),
            talks: Vec::new(),
            reached: Vec::new(),
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..120 {
                evening.act();
                evening.room.nobody_is_left_alone();
            }
            for mut caller in std::mem::take(&mut evening.callers) {
                evening.room.bye(&mut caller);
            }
            for (phone, invite) in std::mem::take(&mut evening.talks) {
                evening.room.phone_bye(phone, &invite);
            }
            if evening.room.rings_outside().is_some() {
                evening.room.out_says("486 Busy Here");
            }
            for invite in std::mem::take(&mut evening.reached) {
                evening.room.out_bye(&invite);
            }
            evening.room.rest();
        }));
        if let Err(panic) = outcome {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
        for beside in evening.room.beside() {
            match beside {
                Beside::HandedOver { .. } => handed += 1,
                Beside::Reached { .. } => reached += 1,
                Beside::Overflowed { .. } => out += 1,
                Beside::NotReached { .. } => unreached += 1,
                Beside::CallbackOpened { why: engine::call::event::WhyCallback::Kept, .. } => kept += 1,
                _ => {}
            }
        }
    }
    // A walk that never gets anywhere proves nothing.
    assert!(handed > 50 && reached > 5 && unreached > 3 && kept > 5, "{handed} {reached} {unreached} {kept}");
    assert!(out > 20, "{out} answered elsewhere");
}
