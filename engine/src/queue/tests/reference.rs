//! The floor against a model of it that has no index, no mark and no memory of the last step: lists,
//! scanned whole, after every fact of some thousands of random shifts.

use super::trial::{CENTRE, PLAN, agent};
use crate::call::event::{Actor, Event, Intent, OfferEnd, OfferKind};
use crate::dialplan::{ClassId, Dialplan};
use crate::id::{AgentId, CallId, OfferId, QueueId, Serial, WorkId};
use crate::queue::{Arrival, Fact, Floor, Step};
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The shared queue of the trial's plan.
const ROOM: usize = 2;

/// Fenced first, then due, then arrival, then number.
type Key = (bool, Instant, Instant, u64);

struct Caller {
    queue: usize,
    key: Key,
    /// Who did not take it, and until when they are left alone with it.
    tried: BTreeMap<usize, Instant>,
}

#[derive(Clone, Copy)]
struct Ring {
    work: u64,
    lapse: Instant,
    rang: bool,
    taken: bool,
    claimed: bool,
}

#[derive(Default)]
struct Person {
    queues: Vec<usize>,
    ready: bool,
    signed_in: bool,
    phone: bool,
    page: bool,
    ear: Option<u64>,
    ring: Option<Ring>,
    wrap: Option<Instant>,
    rest: Option<Instant>,
    failures: u32,
    rona: bool,
    idle: Instant,
}

impl Person {
    fn is_free(&self) -> bool {
        let occupied = self.ear.is_some() || self.ring.is_some() || self.wrap.is_some();
        self.ready && self.phone && self.rest.is_none() && !occupied
    }
    fn is_sound(&self) -> bool {
        !self.rona && self.failures == 0
    }
    fn shows_life(&mut self) {
        (self.rest, self.failures, self.rona) = (None, 0, false);
    }
}

struct Model {
    plan: Arc<Dialplan>,
    callers: BTreeMap<u64, Caller>,
    people: Vec<Person>,
    wrap_up: Duration,
}

impl Model {
    fn key(&self, class: ClassId, arrived: Instant, work: u64) -> Key {
        let class = &self.plan.classes[usize::from(class.0)];
        (!class.fence, arrived + class.target, arrived, work)
    }

    /// What a fact says; `of` is whom its offer is to.
    fn tell(&mut self, now: Instant, fact: &Fact, of: usize) {
        self.tell_of_work(fact);
        self.tell_of_agent(now, fact);
        self.tell_of_offer(now, fact, of);
    }

    fn tell_of_work(&mut self, fact: &Fact) {
        match fact {
            Fact::Enter(arrival) => {
                let Arrival { work, queue, class, arrived, credit, .. } = &**arrival;
                let key = self.key(*class, *arrived - *credit, work.serial.0);
                let (queue, tried) = (queue.index as usize, BTreeMap::new());
                self.callers.insert(work.serial.0, Caller { queue, key, tried });
            }
            Fact::Gone { work } => {
                self.release(work.serial.0);
                self.callers.remove(&work.serial.0);
            }
            Fact::Class { work, class } => {
                let arrived = self.callers[&work.serial.0].key.2;
                let key = self.key(*class, arrived, work.serial.0);
                self.callers.get_mut(&work.serial.0).expect("waits").key = key;
            }
            Fact::MoveTo { work, queue, .. } => {
                self.release(work.serial.0);
                self.callers.get_mut(&work.serial.0).expect("waits").queue = queue.index as usize;
            }
            _ => {}
        }
    }

    fn tell_of_agent(&mut self, now: Instant, fact: &Fact) {
        match fact {
            Fact::Intent { agent, intent, .. } => {
                let ix = agent.index as usize;
                let person = &mut self.people[ix];
                person.shows_life();
                let comes = !person.signed_in && *intent != Intent::SignedOut;
                person.signed_in = *intent != Intent::SignedOut;
                person.ready = *intent == Intent::Ready;
                let wrapped_up = person.ready && person.wrap.take().is_some();
                if comes || wrapped_up {
                    person.idle = now;
                }
                if !person.ready && person.ring.is_some_and(|ring| !ring.taken) {
                    self.fail(now, ix, &OfferEnd::Rejected);
                }
            }
            Fact::Reachable { agent, reachable, .. } => {
                let ix = agent.index as usize;
                self.people[ix].phone = *reachable;
                if *reachable {
                    self.people[ix].shows_life();
                } else if self.people[ix].ring.is_some_and(|ring| !ring.taken) {
                    self.fail(now, ix, &OfferEnd::Unreachable);
                }
            }
            Fact::Page { agent, open } => self.people[agent.index as usize].page = *open,
            Fact::EarFree { agent, .. } => {
                let person = &mut self.people[agent.index as usize];
                (person.ear, person.idle) = (None, now);
                if person.signed_in && self.wrap_up > Duration::ZERO {
                    person.wrap = Some(now + self.wrap_up);
                }
            }
            _ => {}
        }
    }

    fn tell_of_offer(&mut self, now: Instant, fact: &Fact, of: usize) {
        match fact {
            Fact::Alerting { .. } => {
                let person = &mut self.people[of];
                let ring = person.ring.as_mut().expect("rings");
                if !ring.rang && !ring.taken {
                    ring.rang = true;
                    person.failures = 0;
                }
            }
            Fact::Taken { .. } => {
                let person = &mut self.people[of];
                let ring = person.ring.as_mut().expect("rings");
                if !ring.taken {
                    (ring.taken, ring.lapse) = (true, now + Floor::BRIDGE_WITHIN);
                    person.shows_life();
                }
            }
            Fact::Connected { .. } => {
                let person = &mut self.people[of];
                person.ear = person.ring.take().map(|ring| ring.work);
                person.shows_life();
                self.callers.remove(&self.people[of].ear.expect("rang"));
            }
            Fact::Failed { end, .. } => self.fail(now, of, end),
            Fact::Reject { .. } => self.fail(now, of, &OfferEnd::Rejected),
            Fact::Claim { .. } => {
                let (_, work) = self.open_to(of).min().expect("invited to something");
                self.release(work);
                self.people[of].shows_life();
                let ring = Ring { work, lapse: now + 6 * SECOND, rang: false, taken: false, claimed: true };
                self.people[of].ring = Some(ring);
            }
            _ => {}
        }
    }

    /// Nobody rings for this caller any more, and nobody is to blame.
    fn release(&mut self, work: u64) {
        for person in &mut self.people {
            person.ring.take_if(|ring| ring.work == work);
        }
    }

    fn fail(&mut self, now: Instant, ix: usize, end: &OfferEnd) {
        let person = &mut self.people[ix];
        let ring = person.ring.take().expect("rings");
        let mut until = now;
        match end {
            OfferEnd::Rejected => {
                person.shows_life();
                until = now + Floor::RETRY;
            }
            OfferEnd::TimedOut if ring.rang || ring.taken => {
                (person.rona, person.rest) = (true, Some(now + Floor::RETRY));
            }
            _ => {
                person.failures += 1;
                person.rest = Some(now + SECOND * [1, 2, 4, 8][person.failures.min(4) as usize - 1]);
            }
        }
        self.callers.get_mut(&ring.work).expect("waits").tried.insert(ix, until);
    }

    /// What time alone does.
    fn pass(&mut self, now: Instant) {
        for ix in 0..self.people.len() {
            let person = &mut self.people[ix];
            person.rest.take_if(|until| *until <= now);
            if let Some(until) = person.wrap.take_if(|until| *until <= now) {
                person.idle = until;
            }
            if let Some(ring) = person.ring.filter(|ring| ring.lapse <= now) {
                let end = if ring.taken { OfferEnd::LostBeforeBridge } else { OfferEnd::TimedOut };
                self.fail(now, ix, &end);
            }
        }
    }

    fn rung(&self, work: u64) -> Option<Ring> {
        self.people.iter().filter_map(|person| person.ring).find(|ring| ring.work == work)
    }

    /// What an agent at a page may claim.
    fn open_to(&self, ix: usize) -> impl Iterator<Item = (Key, u64)> {
        let serves = self.people[ix].queues.contains(&ROOM);
        let open = |work: u64| self.rung(work).is_none_or(|ring| !ring.taken && !ring.claimed);
        let here =
            self.callers.iter().filter(move |(work, caller)| serves && caller.queue == ROOM && open(**work));
        here.map(|(work, caller)| (caller.key, *work))
    }

    /// Who should take this caller: the least of every agent's claim to be chosen.
    fn taker(&self, now: Instant, caller: &Caller) -> Option<usize> {
        let fenced = !caller.key.0;
        let serving = |person: &&Person| person.queues.contains(&caller.queue);
        let staff = |person: &&Person| person.ready && person.phone && person.is_sound();
        let staffed = self.people.iter().filter(serving).any(|person| staff(&person));
        let choice = |ix: usize, person: &Person| {
            let pushed = !(person.page && caller.queue == ROOM);
            let barred = caller.tried.get(&ix).is_some_and(|until| *until > now);
            if !pushed || barred || !person.queues.contains(&caller.queue) {
                return None;
            }
            let least = Reverse((true, Instant::ZERO, Instant::ZERO, 0));
            let rank = match (person.is_free(), person.is_sound(), person.rona) {
                (true, true, _) => usize::from(caller.tried.contains_key(&ix)),
                (true, _, false) => 3,
                (true, _, true) if fenced || !staffed => 4,
                (true, _, true) => return None,
                (false, sound, _) => {
                    let ring = person.ring.filter(|ring| fenced && !ring.taken && !ring.claimed)?;
                    let lower = self.callers[&ring.work].key;
                    let rank = if sound { 2 } else { 5 };
                    return lower.0.then_some((rank, None, Instant::ZERO, Reverse(lower), ix));
                }
            };
            // Among those who did not answer: whom this caller has not rung for longest.
            let turn = caller.tried.get(&ix).copied().filter(|_| rank >= 3);
            Some((rank, turn, person.idle, least, ix))
        };
        let choices = self.people.iter().enumerate().filter_map(|(ix, person)| choice(ix, person));
        choices.min().map(|(.., ix)| ix)
    }

    /// Offers the most urgent caller somebody can take, until there is none.
    fn distribute(&mut self, now: Instant) {
        loop {
            let waiting = self.callers.iter().filter(|(work, _)| self.rung(**work).is_none());
            let pairs = waiting.filter_map(|(_, caller)| Some((caller.key, self.taker(now, caller)?)));
            let Some(((.., work), ix)) = pairs.min() else { return };
            let ring = Ring { work, lapse: now + 6 * SECOND, rang: false, taken: false, claimed: false };
            self.people[ix].ring = Some(ring);
        }
    }
}

/// A shift of random facts, told to both.
struct Shift {
    floor: Floor,
    model: Model,
    now: Instant,
    dice: u64,
    next: u64,
    invited: BTreeMap<usize, OfferId>,
    told: Vec<String>,
}

impl Shift {
    fn new(seed: u64) -> Shift {
        let plan = Arc::new(Dialplan::parse("trial.toml", PLAN).expect("the trial's plan is right"));
        let dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let skills = ["arm", "room", "arm,mr", "room,mr", "arm,room", "arm,mr,room"];
        let wrap_up = if seed.is_multiple_of(2) { Duration::ZERO } else { 3 * SECOND };
        let roster: Vec<_> =
            (0..2 + seed % 5).map(|ix| agent("x", skills[(ix + seed) as usize % 6], false)).collect();
        let person = |site: &crate::site::AgentSite| Person {
            queues: (0..3).filter(|place| plan.queues[*place].takes(&site.skills)).collect(),
            phone: true,
            ..Person::default()
        };
        let people = roster.iter().map(person).collect();
        let floor = Floor::new(CENTRE, 1, plan.clone(), &roster, wrap_up);
        let model = Model { plan, callers: BTreeMap::new(), people, wrap_up };
        let now = Instant::ZERO + 1000 * SECOND;
        Shift { floor, model, now, dice, next: 1, invited: BTreeMap::new(), told: Vec::new() }
    }

    /// xorshift64*: small, seeded, and the same everywhere.
    fn throw(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        (self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn random_fact(&mut self) -> Option<Fact> {
        let by = Actor::System;
        let ix = self.throw(self.model.people.len() as u64) as usize;
        let agent = AgentId { centre: CENTRE, index: ix as u32 };
        let queue = QueueId { centre: CENTRE, index: self.throw(3) as u32 };
        let class = ClassId(self.throw(5) as u16);
        let pick = self.throw(self.model.callers.len().max(1) as u64) as usize;
        let work =
            self.model.callers.keys().nth(pick).map(|work| WorkId { centre: CENTRE, serial: Serial(*work) });
        let offer = self.floor.agent(agent).and_then(|agent| agent.offer);
        Some(match self.throw(22) {
            0..=4 => {
                let serial = Serial(self.next);
                self.next += 1;
                let (work, call) = (WorkId { centre: CENTRE, serial }, CallId { centre: CENTRE, serial });
                let credit = SECOND * self.throw(3) as u32 * 20;
                let arrival = Arrival { credit, ..Arrival::live(work, call, queue, class, self.now) };
                Fact::Enter(Box::new(arrival))
            }
            5 => Fact::Gone { work: work? },
            6 => Fact::Class { work: work?, class },
            7 => Fact::MoveTo { work: work?, queue, by },
            8..=10 => Fact::Intent { agent, intent: Intent::Ready, by },
            11 => Fact::Intent { agent, intent: Intent::Paused(String::new()), by },
            12 if self.throw(2) == 0 => Fact::Intent { agent, intent: Intent::SignedOut, by },
            12 => Fact::Reachable { agent, reachable: self.throw(3) > 0, why: String::new() },
            13 => Fact::Page { agent, open: self.throw(2) > 0 },
            14..=15 => Fact::Alerting { offer: offer? },
            16 => Fact::Taken { offer: offer? },
            17 => Fact::Connected { offer: offer? },
            18 => {
                let ends =
                    [OfferEnd::Rejected, OfferEnd::Unreachable, OfferEnd::PhoneBusy, OfferEnd::TimedOut];
                Fact::Failed { offer: offer?, end: ends[self.throw(4) as usize].clone() }
            }
            19 => Fact::Reject { agent, offer: offer? },
            20 => Fact::Claim { agent, offer: *self.invited.get(&ix)? },
            _ => Fact::EarFree { agent, call: self.floor.agent(agent)?.call? },
        })
    }

    fn tell(&mut self, fact: Fact) {
        self.told.push(format!("{:?} {fact:?}", self.now.since(Instant::ZERO + 1000 * SECOND)));
        if self.floor.allows(&fact).is_ok() {
            let of = match &fact {
                Fact::Alerting { offer }
                | Fact::Taken { offer }
                | Fact::Connected { offer }
                | Fact::Failed { offer, .. }
                | Fact::Reject { offer, .. }
                | Fact::Claim { offer, .. } => {
                    self.floor.offer(*offer).map_or(0, |offer| offer.agent.index as usize)
                }
                _ => 0,
            };
            self.model.tell(self.now, &fact, of);
        }
        self.model.pass(self.now);
        self.model.distribute(self.now);
        self.floor.handle(self.now, fact);
        while let Some(step) = self.floor.poll() {
            match step {
                Step::Event(Event::Offered { offer, agent, kind: OfferKind::Shared, .. }) => {
                    self.invited.insert(agent.index as usize, offer);
                }
                Step::Event(Event::OfferEnded { offer, agent, .. }) => {
                    self.invited.retain(|ix, known| (*ix, *known) != (agent.index as usize, offer));
                }
                _ => {}
            }
        }
    }

    /// Both say the same: who rings for whom, who waits, who is invited.
    fn agree(&self, seed: u64) {
        let said = || format!("seed {seed}: {:#?}", self.told);
        for (ix, person) in self.model.people.iter().enumerate() {
            let agent = AgentId { centre: CENTRE, index: ix as u32 };
            let view = self.floor.agent(agent).expect("on the roster");
            let rings = view.offer.and_then(|offer| self.floor.offer(offer)).map(|offer| offer.work.serial.0);
            assert_eq!(rings, person.ring.map(|ring| ring.work), "agent {ix} rings for; {}", said());
            assert_eq!(view.rona, person.rona, "agent {ix}'s RONA; {}", said());
            let invited = person.is_free() && person.page && self.model.open_to(ix).next().is_some();
            assert_eq!(self.invited.contains_key(&ix), invited, "agent {ix} is invited; {}", said());
        }
        for (work, caller) in &self.model.callers {
            let place = self.floor.place(WorkId { centre: CENTRE, serial: Serial(*work) });
            let place = place.unwrap_or_else(|| panic!("{work} is lost; {}", said()));
            assert_eq!((place.queue.index as usize, place.due), (caller.queue, caller.key.1), "{}", said());
        }
        let waiting: u64 = (0..3)
            .filter_map(|index| self.floor.figures(self.now, QueueId { centre: CENTRE, index }))
            .map(|figures| {
                let came = figures.entered + figures.moved_in;
                assert_eq!(
                    came,
                    figures.waiting + figures.answered + figures.gone + figures.moved_out,
                    "{}",
                    said()
                );
                figures.waiting
            })
            .sum();
        assert_eq!(waiting, self.model.callers.len() as u64, "{}", said());
    }

    fn run(seed: u64, facts: u32) -> u64 {
        let mut shift = Shift::new(seed);
        for _ in 0..facts {
            let until =
                shift.now + Duration::from_millis([0, 0, 0, 300, 1000, 4000][shift.throw(6) as usize]);
            while let Some(due) = shift.floor.poll_timeout().filter(|due| *due <= until) {
                shift.now = shift.now.max(due);
                shift.tell(Fact::Due);
                shift.agree(seed);
            }
            shift.now = until;
            if let Some(fact) = shift.random_fact() {
                shift.tell(fact);
                shift.agree(seed);
            }
        }
        shift.model.people.iter().filter(|person| person.ear.is_some()).count() as u64
    }
}

#[test]
fn i11_i12_the_floor_decides_as_a_model_that_looks_at_everything() {
    let talking: u64 = (0..2000).map(|seed| Shift::run(seed, 80)).sum();
    assert!(talking > 1000, "shifts in which calls are answered, or the test says little: {talking}");
}
