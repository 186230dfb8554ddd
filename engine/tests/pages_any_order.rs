//! Whatever order callers, pages, keys and the network act in: nobody is dropped by us, nothing is
//! left behind, no agent has two conversations. A failure prints its seed; the same seed replays it.

mod kit;

use engine::call::event::{Actor, Cause, Event, OfferKind, Seat, Whom};
use engine::call::snapshot::CallSnapshot;
use engine::id::{AgentId, CallId, LegId, QueueId};
use engine::io::Verb;
use engine::media::MediaCommand;
use engine::site::Role;
use kit::peer::Caller;
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, site};
use std::collections::BTreeMap;
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

const PAGES: usize = 4;
/// The regulator among them, and the supervisor beside them.
const DOCTOR: u32 = 3;
const CHIEF: u32 = 4;
/// The desk phone beside them.
const DESK: u32 = 5;

struct Evening {
    room: Room,
    dice: Dice,
    callers: Vec<Caller>,
    number: u32,
    outside: Vec<(u16, Sip)>,
}

impl Evening {
    fn new(seed: u64) -> Evening {
        let mut people = kit::page::pages(0, 5);
        people.extend(desks(DESK, 1, true));
        people[DOCTOR as usize].role = Role::Regulator;
        people[DOCTOR as usize].skills.push("mr-amu".to_owned());
        people[CHIEF as usize].role = Role::Supervisor;
        people[CHIEF as usize].skills.clear();
        let text = plan::TEXT
            .replace("offer  =", "vital  = { alert_busy = true }\noffer  =")
            .replacen("\n[[route]]\n", "\n[queue.regulation]\nskills = [\"mr-amu\"]\nstage = \"regulation\"\noffer = { mode = \"exclusive\", strategy = \"longest-idle\", ring = \"6s\" }\n\n[[route]]\n", 1);
        let mut room = Room::of(site(vec![centre(&text, people)]));
        (0..5).for_each(|index| room.page_ready(index));
        Evening { room, dice: Dice(seed * 0x9E37_79B9), callers: Vec::new(), number: 0, outside: Vec::new() }
    }

    fn somebody(&mut self) -> u32 {
        u32::try_from(self.dice.roll(PAGES)).expect("few")
    }

    fn somebody_or_the_chief(&mut self) -> u32 {
        u32::try_from(self.dice.roll(PAGES + 1)).expect("few")
    }

    fn act(&mut self) {
        let who = self.somebody();
        match self.dice.roll(50) {
            30 | 48 => self.of_the_ear(who, |agent, call| Verb::Leave { agent, call }),
            31 | 32 => self.somebody_is_asked(who),
            33 => self.of_the_ear(who, |agent, call| Verb::Conference { agent, call }),
            34 => self.of_the_ear(who, |agent, call| Verb::Dismiss { agent, call }),
            35 | 46 | 47 => self.the_chief_watches(),
            36 | 37 | 42 => self.somebody_comes(),
            38 | 39 | 43..=45 => self.somebody_outside_says(),
            40 => self.vital_key(who),
            41 => self.with_outside_leg(),
            0..=4 => self.somebody_calls(),
            5 => self.with_caller(|room, caller| room.cancel(caller)),
            6 => self.with_caller(|room, caller| room.bye(caller)),
            7 | 8 => {
                if self.room.shown(who).is_some() {
                    self.room.sees(who);
                }
            }
            9..=12 => drop(self.room.key(who)),
            13 | 14 => self.of_a_call(who, |agent, call| Verb::Pick { agent, call, confirmed: true }),
            15 => {
                if let Some(&(call, _)) = self.room.connected(who).last() {
                    drop(self.room.by(who, Verb::Hold { agent: agent(who), call }));
                }
            }
            16 => self.of_a_call(who, |agent, call| Verb::Release { agent, call, disposition: None }),
            17 => self.of_a_call(who, |agent, call| Verb::Vital { agent, call }),
            18..=20 => self.a_leg_is_silent(),
            21 => self.a_leg_is_heard(),
            22 => {
                let who = self.somebody_or_the_chief();
                self.room.page(who, false);
            }
            23 | 24 => {
                let who = self.somebody_or_the_chief();
                self.room.page(who, true);
                self.room.page_offers(who);
            }
            25 | 49 => self.a_page_is_down(),
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

    /// A colleague, a team or somebody outside is asked about the call in the ear.
    fn somebody_is_asked(&mut self, who: u32) {
        let Some(call) = self.ear_of(who) else { return };
        let whom = match self.dice.roll(5) {
            0 => Whom::Agent(agent(self.somebody())),
            1 => Whom::Queue(QueueId { centre: call.centre, index: self.dice.roll(4) as u32 }),
            2 => Whom::Outside("nobody".to_owned()),
            3 => Whom::Outside("interpreter".to_owned()),
            _ => Whom::Outside("sdis-69".to_owned()),
        };
        drop(self.room.by(who, Verb::Consult { agent: agent(who), call, whom }));
    }

    fn vital_key(&mut self, who: u32) {
        self.of_the_ear(who, |agent, call| Verb::Vital { agent, call });
    }

    /// The call somebody is in.
    fn ear_of(&self, who: u32) -> Option<CallId> {
        let last = self.room.alive();
        let in_it = |it: &&CallSnapshot| {
            it.legs.iter().any(|leg| leg.agent == Some(agent(who)) && leg.seat != Seat::Out)
        };
        last.into_values().find(in_it).map(|it| it.call)
    }

    fn of_the_ear(&mut self, who: u32, verb: impl Fn(AgentId, CallId) -> Verb) {
        if let Some(call) = self.ear_of(who) {
            drop(self.room.by(who, verb(agent(who), call)));
        }
    }

    fn the_chief_watches(&mut self) {
        let seat = [Seat::Listens, Seat::Whispers, Seat::Speaks][self.dice.roll(3)];
        match self.dice.roll(4) {
            0 => self.of_the_ear(CHIEF, |agent, call| Verb::TakeOver { agent, call }),
            1 => self.of_the_ear(CHIEF, |agent, call| Verb::Leave { agent, call }),
            _ => {
                let who = self.somebody();
                if let Some(call) = self.ear_of(who) {
                    drop(self.room.by(CHIEF, Verb::Watch { agent: agent(CHIEF), call, seat }));
                }
            }
        }
    }

    /// Whoever is called upon comes: beside a colleague, or to a vital caller nobody has.
    fn somebody_comes(&mut self) {
        for who in 0..=DOCTOR {
            for kind in [OfferKind::Join, OfferKind::Alert] {
                if let Some((offer, _)) = self.room.called_upon(who, kind) {
                    drop(self.room.by(who, Verb::Claim { agent: agent(who), offer }));
                    return;
                }
            }
        }
    }

    fn somebody_outside_says(&mut self) {
        let trunk = self.dice.roll(2) as u16;
        if let Some(invite) = self.room.rings_at(kit::trunk_at(trunk)) {
            let status = ["180 Ringing", "200 OK", "200 OK", "486 Busy Here", "503 Full"][self.dice.roll(5)];
            self.room.outside_says(trunk, status);
            if status == "200 OK" {
                self.outside.push((trunk, invite));
            }
        }
    }

    /// Somebody outside hangs up.
    fn with_outside_leg(&mut self) {
        if let Some((trunk, invite)) = self.outside.pop() {
            self.room.outside_bye(trunk, &invite);
        }
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
        let nth = self.dice.roll(PAGES + 1);
        let page = self.room.page_id(nth);
        self.room.page_down(page);
    }

    fn a_phone_answers(&mut self) {
        let phone = [50, 51, 52, 53, DESK][self.dice.roll(5)];
        if self.room.ringing(phone).is_some() {
            self.room.answer(phone);
        }
    }

    /// What holds after every step.
    fn check(&self) {
        self.room.nobody_is_left_alone();
        let last = self.room.alive();
        let mut ears: BTreeMap<AgentId, CallId> = BTreeMap::new();
        for (call, snapshot) in last {
            let waits = snapshot.work.is_some();
            let talks = snapshot.talk.as_ref().is_some_and(|talk| talk.connected);
            let elsewhere = [snapshot.aside.is_some(), snapshot.handed.is_some()];
            let places = [waits, talks].iter().chain(&elsewhere).filter(|it| **it).count();
            assert_eq!(places, 1, "I6: {call} waits, talks or is held, and nothing twice: {snapshot:?}");
            for leg in &snapshot.legs {
                // The other phone of a lost page rings beside the leg that may come back.
                let counts = leg.offer.is_some() || leg.seat != Seat::Out;
                let Some(agent) = leg.agent.filter(|_| counts) else { continue };
                assert_eq!(ears.insert(agent, call), None, "I1: one leg in the whole room");
            }
        }
    }
}

#[test]
fn i01_i06_i07_i23_i34_hold_in_any_order_of_keys_and_losses() {
    let mut seen = Seen::default();
    for seed in 1..=200 {
        let mut evening = Evening::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..140 {
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
    assert!(seen.joined > 60 && seen.left > 20 && seen.led > 5, "{seen:?}");
    assert!(seen.asked > 20 && seen.wanted > 20 && seen.handed > 0, "{seen:?}");
    assert!(seen.again > 30 && seen.by_other_phone > 0, "{seen:?}");
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
    joined: u32,
    left: u32,
    led: u32,
    asked: u32,
    wanted: u32,
    handed: u32,
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
                Event::Joined { .. } => self.joined += 1,
                Event::Left { .. } => self.left += 1,
                Event::Led { .. } => self.led += 1,
                Event::Consulting { .. } => self.asked += 1,
                Event::Wanted { .. } => self.wanted += 1,
                Event::HandedOut { .. } => self.handed += 1,
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
                Actor::Agent(_) | Actor::Outside(_) => *cause == Cause::Released,
                Actor::System => *cause == Cause::Network,
                _ => false,
            };
            assert!(allowed, "{by:?} {cause:?}");
        }
    }
}
