//! Whatever order callers, pages, keys and the network act in: nobody is dropped by us, nothing is
//! left behind, no agent has two conversations. A failure prints its seed; the same seed replays it.

mod kit;

use engine::call::event::{Actor, Cause, Event};
use engine::id::{AgentId, CallId, LegId};
use engine::io::Verb;
use engine::media::MediaCommand;
use kit::peer::Caller;
use kit::{Room, agent, centre, desks, plan, site};
use std::collections::{BTreeMap, BTreeSet};
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

const PAGES: usize = 3;
/// The desk phone beside them.
const DESK: u32 = 3;

struct Evening {
    room: Room,
    dice: Dice,
    callers: Vec<Caller>,
    number: u32,
}

impl Evening {
    fn new(seed: u64) -> Evening {
        let mut people = kit::page::pages(0, 3);
        people.extend(desks(DESK, 1, true));
        let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
        (0..3).for_each(|index| room.page_ready(index));
        Evening { room, dice: Dice(seed * 0x9E37_79B9), callers: Vec::new(), number: 0 }
    }

    fn somebody(&mut self) -> u32 {
        u32::try_from(self.dice.roll(PAGES)).expect("few")
    }

    fn act(&mut self) {
        let who = self.somebody();
        match self.dice.roll(30) {
            0..=4 => self.somebody_calls(),
            5 => self.with_caller(|room, caller| room.cancel(caller)),
            6 => self.with_caller(|room, caller| room.bye(caller)),
            7 | 8 => {
                if self.room.shown(who).is_some() {
                    self.room.sees(who);
                }
            }
            9..=12 => drop(self.room.key(who)),
            13 | 14 => self.of_a_call(who, |agent, call| Verb::Pick { agent, call }),
            15 => {
                if let Some(&(call, _)) = self.room.connected(who).last() {
                    drop(self.room.by(who, Verb::Hold { agent: agent(who), call }));
                }
            }
            16 => self.of_a_call(who, |agent, call| Verb::Release { agent, call, disposition: None }),
            17 => self.of_a_call(who, |agent, call| Verb::Vital { agent, call }),
            18..=20 => self.a_leg_is_silent(),
            21 => self.a_leg_is_heard(),
            22 => self.room.page(who, false),
            23 | 24 => {
                self.room.page(who, true);
                self.room.page_offers(who);
            }
            25 => self.a_page_is_down(),
            26 => self.a_phone_answers(),
            27 => drop(self.room.by(who, Verb::Ready { agent: agent(who) })),
            _ => {
                let millis = [20, 600, 1_100, 3_000, 7_000, 61_000][self.dice.roll(6)];
                self.room.pass(Duration::from_millis(millis));
            }
        }
        self.check();
    }

    fn somebody_calls(&mut self) {
        self.number += 1;
        let called = ["15", "3115", "18", "1599"][self.dice.roll(4)];
        let mut caller = self.room.dial(&format!("06{:08}", self.number), called);
        if self.dice.roll(4) > 0 {
            self.room.ack(&mut caller);
        }
        self.callers.push(caller);
    }

    fn with_caller(&mut self, act: impl Fn(&mut Room, &mut Caller)) {
        if !self.callers.is_empty() {
            let index = self.dice.roll(self.callers.len());
            act(&mut self.room, &mut self.callers[index]);
        }
    }

    fn of_a_call(&mut self, who: u32, verb: impl Fn(AgentId, CallId) -> Verb) {
        if self.number > 0 {
            let nth = self.dice.roll(self.number as usize);
            let (call, _) = self.room.arrival(nth);
            drop(self.room.by(who, verb(agent(who), call)));
        }
    }

    fn a_leg(&mut self) -> Option<LegId> {
        let legs = self.room.open_legs();
        if legs.is_empty() { None } else { Some(legs[self.dice.roll(legs.len())]) }
    }

    fn a_leg_is_silent(&mut self) {
        if let Some(leg) = self.a_leg() {
            if self.dice.roll(2) == 0 {
                self.room.hears(leg);
            }
            let seconds = [1, 5, 30][self.dice.roll(3)];
            self.room.silent(leg, seconds);
        }
    }

    fn a_leg_is_heard(&mut self) {
        if let Some(leg) = self.a_leg() {
            self.room.hears(leg);
        }
    }

    fn a_page_is_down(&mut self) {
        let nth = self.dice.roll(PAGES);
        let page = self.room.page_id(nth);
        self.room.page_down(page);
    }

    fn a_phone_answers(&mut self) {
        let phone = [50, 51, 52, DESK][self.dice.roll(4)];
        if self.room.ringing(phone).is_some() {
            self.room.answer(phone);
        }
    }

    /// What holds after every step.
    fn check(&self) {
        let gone: BTreeSet<CallId> = self.room.forgotten.iter().copied().collect();
        let mut last = BTreeMap::new();
        for snapshot in self.room.journal.iter().filter(|it| !gone.contains(&it.call)) {
            last.insert(snapshot.call, snapshot);
        }
        let mut ears: BTreeMap<AgentId, CallId> = BTreeMap::new();
        for (call, snapshot) in last {
            let waits = snapshot.work.is_some();
            let talks = snapshot.talk.as_ref().is_some_and(|talk| talk.connected);
            let places = [waits, talks, snapshot.aside.is_some()].iter().filter(|it| **it).count();
            assert_eq!(places, 1, "I6: {call} waits, talks or is held, and nothing twice: {snapshot:?}");
            for leg in &snapshot.legs {
                // The other phone of a lost page rings beside the leg that may come back.
                let Some(agent) = leg.agent.filter(|_| leg.offer.is_some()) else { continue };
                assert_eq!(ears.insert(agent, call), None, "I1: one leg in the whole room");
            }
        }
    }
}

#[test]
fn i01_i06_i07_i23_i34_hold_in_any_order_of_keys_and_losses() {
    let mut seen = Seen::default();
    for seed in 1..=150 {
        let mut evening = Evening::new(seed);
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
    assert!(seen.connected > 300 && seen.lost > 100, "{seen:?}");
    assert!(seen.resumed > 20 && seen.held > 20 && seen.shared > 20, "{seen:?}");
    assert!(seen.again > 40 && seen.by_other_phone > 0, "{seen:?}");
}

/// How often the walk has met what it is about.
#[derive(Debug, Default)]
struct Seen {
    connected: u32,
    lost: u32,
    resumed: u32,
    held: u32,
    shared: u32,
    again: u32,
    by_other_phone: u32,
}

impl Seen {
    fn add(&mut self, room: &Room) {
        for (_, entry) in &room.log {
            match &entry.event {
                Event::Connected { .. } => self.connected += 1,
                Event::Queued { again: true, .. } => self.again += 1,
                Event::AgentLost { .. } => self.lost += 1,
                Event::Resumed { leg, .. } => {
                    self.resumed += 1;
                    let on_page = |it: &MediaCommand| matches!(it, MediaCommand::OpenOnPage { leg: of, .. } if of == leg);
                    self.by_other_phone += u32::from(!room.media.iter().any(|it| on_page(&it.1)));
                }
                Event::HeldAside { lost: false, .. } => self.held += 1,
                Event::HeldAside { lost: true, .. } => self.shared += 1,
                _ => {}
            }
        }
    }
}

/// The callers who are left hang up, and time does the rest.
fn everybody_leaves(evening: &mut Evening) {
    let mut callers = std::mem::take(&mut evening.callers);
    for caller in &mut callers {
        evening.room.cancel(caller);
        evening.room.ack(caller);
        evening.room.bye(caller);
    }
    evening.room.rest();
    // I7, I34: our side ended a call by a person's deliberate act only, or with the caller's network.
    for (_, entry) in &evening.room.log {
        if let Event::Ended { by, cause, .. } = &entry.event {
            let allowed = match by {
                Actor::Caller => true,
                Actor::Agent(_) => *cause == Cause::Released,
                Actor::System => *cause == Cause::Network,
                _ => false,
            };
            assert!(allowed, "{by:?} {cause:?}");
        }
    }
}
