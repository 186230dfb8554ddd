//! I14, as a comparison of two evenings: the same vital calls with and without everybody else.
//!
//! Adding lower-class calls never delays a confirmed-vital offer, save by agents who are talking.

use engine::call::event::{Event, Occupation, OfferKind};
use engine::dialplan::Dialplan;
use engine::id::{AgentId, CentreId, WorkId};
use engine::queue::Step;
use engine::sim::{Crew, Law, LineShare, Patience, Setup, Traffic, watch};
use engine::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const PLAN: &str = r#"
plan = "lower"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
"116117" = "pdsa"
"1599" = "red"
[class]
vital = { fence = true }
unqualified = { target = "20s" }
routine = { target = "60s" }
[queue.front]
skills = ["arm"]
offer = OFFER
[queue.late]
skills = ["arm", "doctor"]
offer = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
[[route]]
name = "red line"
priority = 20
when = { service = "red" }
then = { queue = "front", class = "vital" }
[[route]]
name = "doctor"
priority = 10
when = { service = "pdsa" }
then = { queue = "late", class = "routine" }
[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }
"#;

const EXCLUSIVE: &str = r#"{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }"#;

/// Agents who may be given a vital call; the doctor behind them serves the other queue.
const ARMS: u32 = 2;

/// One vital call.
#[derive(Debug, PartialEq)]
struct Vital {
    came: Instant,
    offered: Option<Instant>,
    /// When it came, everybody who could have it talked or rang for another vital call.
    all_bound: bool,
}

/// What one evening shows of its vital calls, in the order of arrival.
#[derive(Default)]
struct Seen {
    vital: Vec<Vital>,
    place: BTreeMap<WorkId, usize>,
    talking: BTreeSet<AgentId>,
    reserved: BTreeMap<AgentId, WorkId>,
    /// Offers of lower calls: without any, nothing is compared.
    lower: u32,
}

impl Seen {
    fn look(&mut self, at: Instant, step: &Step) {
        let Step::Event(event) = step else { return };
        match event {
            Event::Queued { work, fenced: true, .. } => {
                let bound = |index: u32| {
                    let agent = AgentId { centre: CentreId(0), index };
                    let vital = self.reserved.get(&agent).is_some_and(|work| self.place.contains_key(work));
                    vital || self.talking.contains(&agent)
                };
                let all_bound = (0..ARMS).all(bound);
                self.place.insert(*work, self.vital.len());
                self.vital.push(Vital { came: at, offered: None, all_bound });
            }
            Event::Offered { work, agent, kind: OfferKind::Exclusive, .. } => {
                self.reserved.insert(*agent, *work);
                match self.place.get(work).map(|nth| &mut self.vital[*nth]) {
                    Some(vital) => vital.offered = vital.offered.or(Some(at)),
                    None => self.lower += 1,
                }
            }
            Event::OfferEnded { agent, work, .. } if self.reserved.get(agent) == Some(work) => {
                self.reserved.remove(agent);
            }
            Event::OccupationChanged { agent, occupation, .. } => match occupation {
                Occupation::Talking => drop(self.talking.insert(*agent)),
                _ => drop(self.talking.remove(agent)),
            },
            _ => {}
        }
    }
}

fn evening(seed: u64, offer: &str, lower: bool, unheard: bool) -> Seen {
    let plan = Dialplan::parse("lower.toml", &PLAN.replace("OFFER", offer)).expect("the plan is right");
    let line = |called: &str, share, muted| LineShare { called: called.to_owned(), share, muted };
    let lines = vec![line("1599", 0.2, false), line("15", 0.6, !lower), line("116117", 0.2, !lower)];
    let mut traffic = Traffic::samu(150.0, lines);
    (traffic.redial.share, traffic.vital) = (0.0, 0.0);
    traffic.handling = Law::LogNormal { mean: Duration::from_secs(60), cv: 0.8 };
    // Unheard: every caller hangs up before anybody could have answered, so nobody ever talks.
    let early = Law::Between(Duration::from_millis(500), Duration::from_millis(4_900));
    let then = if unheard { Some(early) } else { None };
    traffic.patience = Patience { early: 0.0, early_within: Duration::ZERO, then };
    let crew = |skills: &[&str], count| Crew {
        skills: skills.iter().map(|it| (*it).to_owned()).collect(),
        count,
        later: Vec::new(),
        pages: false,
        reaction: Law::Always(Duration::from_secs(5)),
        absent: 0.0,
        wrap_up: Duration::ZERO,
    };
    let mut seen = Seen::default();
    let out = watch(
        &Setup {
            plan: Arc::new(plan),
            traffic,
            crews: vec![crew(&["arm"], ARMS), crew(&["doctor"], 1)],
            second: None,
            from: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_200),
            lasts: Duration::from_secs(3_600),
            warm_up: Duration::ZERO,
            slice: None,
            crisis: false,
            seed,
        },
        &mut |at, step| seen.look(at, step),
    );
    assert!(out.rested && out.order_broken == 0, "seed {seed}");
    seen
}

fn times(seen: &Seen) -> Vec<(Instant, Option<Instant>)> {
    seen.vital.iter().map(|vital| (vital.came, vital.offered)).collect()
}

/// Nobody ever talks with a lower call: then not one vital offer moves by a nanosecond.
#[test]
fn i14_lower_calls_that_only_ring_leave_every_vital_offer_time_unchanged() {
    let (mut vital, mut lower) = (0, 0);
    for seed in 0..200 {
        let (with, without) = (evening(seed, EXCLUSIVE, true, true), evening(seed, EXCLUSIVE, false, true));
        assert_eq!(times(&with), times(&without), "seed {seed}");
        vital += with.vital.len();
        lower += with.lower;
        assert_eq!(without.lower, 0);
    }
    assert!(vital > 4_000 && lower > 10_000, "{vital} vital calls, {lower} lower offers");
}

/// Lower calls are answered: a vital call that has to wait longer for them has found everybody talking.
#[test]
fn i14_a_vital_call_is_later_than_without_lower_calls_only_behind_people_who_talk() {
    let (mut vital, mut later) = (0, 0);
    for seed in 0..200 {
        let (with, without) = (evening(seed, EXCLUSIVE, true, false), evening(seed, EXCLUSIVE, false, false));
        assert_eq!(with.vital.len(), without.vital.len());
        for (with, without) in with.vital.iter().zip(&without.vital) {
            assert_eq!(with.came, without.came, "seed {seed}: the same callers");
            assert!(with.offered.is_some(), "seed {seed}: endless patience ends in an offer");
            let same_step = with.offered == Some(with.came);
            assert_eq!(same_step, !with.all_bound, "seed {seed}: {with:?}");
            vital += 1;
            later += u32::from(with.offered > without.offered);
        }
    }
    assert!(vital > 4_000 && later > 400, "{vital} vital calls, {later} later");
}
