//! The floor against the model, after every fact of some thousands of random shifts.

use super::model::{Model, Person, SECOND};
use super::trial::{CENTRE, PLAN, agent};
use crate::call::event::{Actor, Event, Intent, OfferEnd, OfferKind};
use crate::dialplan::{ClassId, Dialplan, SkillNeed};
use crate::id::{AgentId, CallId, OfferId, QueueId, Serial, WorkId};
use crate::queue::{Arrival, Duty, Exit, Fact, Floor, Others, Owner, Step, WorkKind};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Every kind of queue, and what belongs to it.
const EVERYTHING: &str = r#"
plan = "everything"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
[class]
vital = { fence = true }
declared = { target = "5s" }
partner = { target = "10s" }
unqualified = { target = "20s" }
routine = { target = "60s" }
[queue.front]
skills = ["arm"]
offer = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
reserve = 1
relax = [{ after = "3s", add = ["back"] }, { after = "8s", add = ["chief"] }]
overflow = [{ when = ["length"], length = 3, to = "queue:side", mode = "additive" },
            { when = ["opened", "nobody-reachable"], after = "2s", to = "queue:pair", mode = "additive" },
            { when = ["waited"], after = "12s", to = "queue:pair", mode = "additive" }]
[queue.room]
skills = ["room"]
offer = { mode = "shared", ring = [{ at = "0s", agents = 1 }, { at = "2s", agents = 2 }, { at = "4s", agents = "all" }] }
[queue.pair]
skills = ["pair:2", "arm:3"]
offer = { mode = "exclusive", strategy = "ring-2", ring = "6s" }
[queue.least]
skills = ["least"]
offer = { mode = "exclusive", strategy = "least-occupied", ring = "6s" }
vital = { alert_busy = false }
[queue.list]
skills = ["mr"]
offer = { mode = "pick", push = ["vital"], ring = "6s" }
[queue.side]
skills = ["side", "room:3"]
offer = { mode = "exclusive", strategy = "linear", ring = "6s" }
[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }
"#;

const PEOPLE: [&str; 8] = [
    "arm:3,room",
    "arm,german:2,mr",
    "room:3,back,german",
    "pair:3,least,arm",
    "mr,arm,chief",
    "chief,side:2,room",
    "least:2,side,german:3",
    "pair:2,room,mr,arm:2",
];

/// A shift of random facts, told to both.
struct Shift {
    floor: Floor,
    model: Model,
    now: Instant,
    dice: u64,
    next: u64,
    everything: bool,
    /// What is shown to whom and reserves nobody: invitations, and what calls upon an agent.
    shown: BTreeMap<(usize, bool), (OfferId, u64)>,
    told: Vec<String>,
}

impl Shift {
    fn new(seed: u64) -> Shift {
        let everything = !seed.is_multiple_of(3);
        let text = if everything { EVERYTHING } else { PLAN };
        let plan = Arc::new(Dialplan::parse("trial.toml", text).expect("the plan is right"));
        let dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let plain = ["arm", "room", "arm,mr", "room,mr", "arm,room", "arm,mr,room"];
        let skills = |ix: u64| match everything {
            true => PEOPLE[(ix * 3 + seed) as usize % PEOPLE.len()],
            false => plain[(ix + seed) as usize % plain.len()],
        };
        let wrap_up = if seed.is_multiple_of(2) { Duration::ZERO } else { 3 * SECOND };
        let roster: Vec<_> = (0..2 + seed % 6).map(|ix| agent("x", skills(ix), false)).collect();
        let person = |site: &crate::site::AgentSite| {
            Person::with(site.skills.iter().filter_map(|text| SkillNeed::parse(text)).collect())
        };
        let people = roster.iter().map(person).collect();
        let floor = Floor::new(CENTRE, 1, plan.clone(), &roster, wrap_up);
        let model = Model::new(plan, people, wrap_up);
        let now = Instant::ZERO + 1000 * SECOND;
        let shown = BTreeMap::new();
        Shift { floor, model, now, dice, next: 1, everything, shown, told: Vec::new() }
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
        let queues = self.model.plan.queues.len() as u64;
        let queue = QueueId { centre: CENTRE, index: self.throw(queues) as u32 };
        let class = ClassId(self.throw(5) as u16);
        let pick = self.throw(self.model.callers.len().max(1) as u64) as usize;
        let work =
            self.model.callers.keys().nth(pick).map(|work| WorkId { centre: CENTRE, serial: Serial(*work) });
        let offer = self.floor.agent(agent).and_then(|agent| agent.offer);
        let shown = |shift: &Shift, calls| shift.shown.get(&(ix, calls)).map(|(offer, _)| *offer);
        Some(match self.throw(if self.everything { 34 } else { 23 }) {
            0..=4 => self.arrival(queue, class),
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
            20 => Fact::Claim { agent, offer: shown(self, false)? },
            21 => Fact::Answer { agent },
            22..=23 => Fact::EarFree { agent, call: self.floor.agent(agent)?.call? },
            24 => Fact::Claim { agent, offer: shown(self, true)? },
            25 => Fact::Pick { agent, work: work?, lifted: false, confirmed: true },
            26 => Fact::PickUp { agent, confirmed: true },
            27 => Fact::Attempted { offer: offer?, again: (self.throw(3) > 0).then_some(3 * SECOND) },
            28 if self.throw(2) == 0 => Fact::Keep { work: work?, kind: WorkKind::Callback },
            28 => Fact::Leave { work: work?, exit: Exit::Withdrawn },
            29 => {
                let duties =
                    [Duty::BySkill, Duty::Only(vec![queue]), Duty::Except(vec![queue]), Duty::BySkill];
                Fact::Assign { agent, duty: duties[self.throw(4) as usize].clone() }
            }
            30 => Fact::Overflow { queue, opened: self.throw(2) == 0 },
            31 => Fact::Aside { agent, call: self.floor.agent(agent)?.call? },
            32 => Fact::Page { agent, open: true },
            _ => Fact::Connected { offer: offer? },
        })
    }

    /// A caller, plain or with everything a caller may bring.
    fn arrival(&mut self, queue: QueueId, class: ClassId) -> Fact {
        let serial = Serial(self.next);
        self.next += 1;
        let (work, call) = (WorkId { centre: CENTRE, serial }, CallId { centre: CENTRE, serial });
        let credit = SECOND * self.throw(3) as u32 * 20;
        let mut arrival = Arrival { credit, ..Arrival::live(work, call, queue, class, self.now) };
        if self.everything {
            let needs =
                |names: &[&str]| names.iter().filter_map(|name| SkillNeed::parse(name)).collect::<Vec<_>>();
            let people = self.model.people.len() as u64;
            let who = AgentId { centre: CENTRE, index: self.throw(people) as u32 };
            match self.throw(14) {
                0 => arrival.kind = WorkKind::Callback,
                1 => (arrival.kind, arrival.class) = (WorkKind::Join, ClassId(0)),
                2 => arrival.language = Some(String::from("german")),
                3 => arrival.add = needs(&["side", "least:2"]),
                4 => arrival.barred = vec![who],
                5 => arrival.partner = true,
                6 => arrival.not_before = Some(self.now + 2 * SECOND),
                7 => arrival.owner = Some(Owner { agent: who, alone: 4 * SECOND }),
                8 => {
                    arrival.owner = Some(Owner { agent: who, alone: 2 * SECOND });
                    arrival.others = Others::Leads(needs(&["chief", "mr"]));
                }
                9 => arrival.others = Others::Leads(needs(&["chief", "back"])),
                10 => {
                    arrival.owner = Some(Owner { agent: who, alone: 2 * SECOND });
                    arrival.others = Others::Nobody;
                }
                _ => {}
            }
        }
        Fact::Enter(Box::new(arrival))
    }

    fn tell(&mut self, fact: Fact) {
        self.told.push(format!("{:?} {fact:?}", self.now.since(Instant::ZERO + 1000 * SECOND)));
        if self.floor.allows(&fact).is_ok() {
            let offer = match &fact {
                Fact::Alerting { offer }
                | Fact::Taken { offer }
                | Fact::Connected { offer }
                | Fact::Attempted { offer, .. }
                | Fact::Failed { offer, .. }
                | Fact::Reject { offer, .. }
                | Fact::Claim { offer, .. } => self.floor.offer(*offer),
                _ => None,
            };
            let of = offer.map_or(0, |offer| offer.agent.index as usize);
            let shared = offer.is_some_and(|offer| offer.kind == OfferKind::Shared);
            self.model.tell(self.now, &fact, of, shared);
        }
        self.model.pass(self.now);
        self.model.decide(self.now);
        self.floor.handle(self.now, fact);
        while let Some(step) = self.floor.poll() {
            if let Step::Event(Event::Offered { .. } | Event::OfferEnded { .. }) = step {
                self.told.push(format!("    {step:?}"));
            }
            match step {
                Step::Event(Event::Offered { offer, agent, work, kind, .. })
                    if self.floor.agent(agent).and_then(|agent| agent.offer) != Some(offer) =>
                {
                    let place = (agent.index as usize, kind != OfferKind::Shared);
                    self.shown.insert(place, (offer, work.serial.0));
                }
                Step::Event(Event::OfferEnded { offer, .. }) => {
                    self.shown.retain(|_, (known, _)| *known != offer);
                }
                _ => {}
            }
        }
    }

    /// Both say the same: who rings for whom, who waits, who is invited.
    fn agree(&self, seed: u64) {
        let people = || self.model.people.iter().map(|person| format!("{person:?}")).collect::<Vec<_>>();
        let said = || format!("seed {seed}: {:#?} {:#?}", self.told, people());
        for (ix, person) in self.model.people.iter().enumerate() {
            let agent = AgentId { centre: CENTRE, index: ix as u32 };
            let view = self.floor.agent(agent).expect("on the roster");
            let rings = view.offer.and_then(|offer| self.floor.offer(offer)).map(|offer| offer.work.serial.0);
            assert_eq!(rings, person.ring.map(|ring| ring.work), "agent {ix} rings for; {}", said());
            assert_eq!(view.rona, person.rona, "agent {ix}'s RONA; {}", said());
            let shown = |calls| self.shown.get(&(ix, calls)).map(|(_, work)| *work);
            let invited = person.invite.map(|(work, _)| work);
            assert_eq!(shown(false), invited, "agent {ix} is invited to; {}", said());
            let summoned = person.summons.map(|(work, ..)| work);
            assert_eq!(shown(true), summoned, "agent {ix} is called upon for; {}", said());
        }
        for (work, caller) in &self.model.callers {
            let place = self.floor.place(WorkId { centre: CENTRE, serial: Serial(*work) });
            let place = place.unwrap_or_else(|| panic!("{work} is lost; {}", said()));
            assert_eq!((place.queue.index as usize, place.due), (caller.queue, caller.key.1), "{}", said());
        }
        let queues = self.model.plan.queues.len() as u32;
        let waiting: u64 = (0..queues)
            .filter_map(|index| self.floor.figures(self.now, QueueId { centre: CENTRE, index }))
            .map(|figures| {
                let came = figures.entered + figures.moved_in;
                assert_eq!(
                    came,
                    figures.waiting + figures.answered + figures.gone + figures.moved_out + figures.withdrawn,
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
    // The first look at each of a thousand mutants (`make mutants`) asks for fewer.
    let asked = std::env::var("FLOOR_SHIFTS").ok().and_then(|shifts| shifts.parse().ok());
    let shifts: u64 = asked.unwrap_or(600);
    let talking: u64 = (0..shifts).map(|seed| Shift::run(seed, 80)).sum();
    assert!(talking > shifts / 2, "shifts in which calls are answered, or the test says little: {talking}");
}

#[test]
#[ignore = "minutes: by hand after a change of the match"]
fn i11_i12_the_floor_decides_as_the_model_over_ten_thousand_long_shifts() {
    for seed in 0..10_000 {
        Shift::run(seed, 150);
    }
}
