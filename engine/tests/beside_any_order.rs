//! Whatever order keys, hand-overs, callbacks and hang-ups come in: every item leaves in one way,
//! every call and every callback ends in one record, and nothing stays behind.

mod kit;

use engine::call::event::{Beside, Event};
use engine::id::CallId;
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use kit::peer::Caller;
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, site};
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

struct Evening {
    room: Room,
    dice: Dice,
    callers: Vec<Caller>,
    talks: Vec<(u32, Sip)>,
}

impl Evening {
    fn act(&mut self) {
        if self.room.rings_outside().is_some() && self.dice.roll(2) == 0 {
            return self.outside();
        }
        match self.dice.roll(20) {
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
            2 => Verb::TakeBack { agent, call },
            3 => Verb::ReferBack { agent, call, note },
            4 => Verb::DropToCallback { agent, call, note },
            5 => Verb::PlanCallback { call, after: Duration::from_secs(30), note },
            6 => Verb::DismissCallback { call: back.unwrap_or(call), reason: "done".to_owned() },
            _ => Verb::Pick { agent, call: back.unwrap_or(call), confirmed: true },
        };
        self.room.by(who, verb);
    }

    fn outside(&mut self) {
        if self.room.rings_outside().is_some() {
            let status = ["180 Ringing", "200 OK", "200 OK", "486 Busy Here", "503 Out"][self.dice.roll(5)];
            self.room.out_says(status);
        }
    }
}

#[test]
fn i06_i17_i23_hold_for_every_work_item_in_any_order() {
    let (mut handed, mut reached, mut unreached, mut kept) = (0, 0, 0, 0);
    for seed in 1..=80 {
        let mut people = desks(0, PHONES, true);
        people[3].skills = vec!["mr-amu".to_owned()];
        let mut evening = Evening {
            room: Room::of(site(vec![centre(plan::STAGED, people)])),
            dice: Dice(seed * 0x9E37_79B9),
            callers: Vec::new(),
            talks: Vec::new(),
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
                Beside::NotReached { .. } => unreached += 1,
                Beside::CallbackOpened { why: engine::call::event::WhyCallback::Kept, .. } => kept += 1,
                _ => {}
            }
        }
    }
    // A walk that never gets anywhere proves nothing.
    assert!(handed > 50 && reached > 5 && unreached > 5 && kept > 5, "{handed} {reached} {unreached} {kept}");
}
