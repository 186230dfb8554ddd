//! Trunk calls while strangers shout: none is refused, none waits, and memory stays where it was.
//!
//! The short run counts; the long one (`cargo test --release --test flood -- --ignored --nocapture`)
//! also compares set-up times with those of a quiet line in the same run.
#![allow(clippy::disallowed_methods, reason = "a peer outside the engine has a clock of its own")]

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod datagrams;

use common::carrier::Carrier;
use common::eventually;
use common::house::House;
use connections::Connections;
use datagrams::Datagrams;
use std::time::{Duration, Instant};

/// From one call of the trunk to the next: short, so that a hundredth of them is more than one or two.
const EVERY: Duration = Duration::from_millis(5);

/// Addresses strangers come from: 127.0.0.2 and on.
const SOURCES: u8 = 32;

/// Connections strangers may hold in the house: half of its `[sip] connections`.
const PLACES: u64 = 64;

/// `[sip] source_rate` of the house: what its first burst brings is soon read, even by a build that
/// is not optimised.
const BUDGET: u32 = 10;

/// What a stranger's connection may hold of memory, in kilobytes: the longest frame, a reader's
/// buffer, both again while they grow, and what TLS keeps.
const PLACE_COSTS: u64 = 256;

/// What a call of the trunk leaves behind for the half minute its transactions stand, in kilobytes:
/// half of it was seen.
const CALL_COSTS: u64 = 16;

/// How the trunk calls.
const ROADS: [&str; 3] = ["udp", "tcp", "tls"];

/// Where those who shout are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shouts {
    /// On this machine: what is lost is counted, however little the engine is left.
    Here,
    /// On other machines: they work only while a core has nothing else to do, so that what strangers cost
    /// the engine is compared, not what a second program on its two cores does.
    Elsewhere,
}

impl Shouts {
    /// For the calling thread.
    fn take_place(self) {
        if self == Shouts::Here {
            return;
        }
        let nobody_waits_for_it = libc::sched_param { sched_priority: 0 };
        // SAFETY: the parameter outlives the call, which reads it. Zero is the calling thread.
        let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const nobody_waits_for_it) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }
}

/// What calls of one phase took to be answered, by road.
#[derive(Default)]
struct Phase {
    answered: [Vec<Duration>; 3],
    unanswered: usize,
}

impl Phase {
    /// Calls one after the other for this long, by each road in turn.
    fn run(carriers: &mut [Carrier; 3], lasts: Duration) -> Phase {
        let (mut phase, until) = (Phase::default(), Instant::now() + lasts);
        while Instant::now() < until {
            for (carrier, answered) in carriers.iter_mut().zip(&mut phase.answered) {
                let began = Instant::now();
                match carrier.call(Duration::from_secs(4)) {
                    Some(call) => {
                        answered.push(began.elapsed());
                        phase.unanswered += usize::from(!carrier.hang_up(&call));
                    }
                    None => phase.unanswered += 1,
                }
                std::thread::sleep(EVERY.saturating_sub(began.elapsed()));
            }
        }
        phase.answered.iter_mut().for_each(|answered| answered.sort_unstable());
        phase
    }

    fn percentile(&self, road: usize, percent: usize) -> Duration {
        let answered = &self.answered[road];
        answered[(answered.len() * percent / 100).min(answered.len() - 1)]
    }
}

/// What a process holds.
#[derive(Debug)]
struct Holds {
    kilobytes: u64,
    descriptors: u64,
}

impl Holds {
    fn of(pid: u32) -> Holds {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        Holds {
            kilobytes: line.trim().trim_end_matches(" kB").parse().unwrap(),
            descriptors: u64::try_from(descriptors).unwrap(),
        }
    }
}

/// A house, its carriers, and what it held before anybody shouted.
struct Scene {
    house: House,
    carriers: [Carrier; 3],
    before: Holds,
    calm: Phase,
}

impl Scene {
    fn quiet(lasts: Duration) -> Scene {
        let limits = format!("connections = {}\nsource_rate = {BUDGET}", 2 * PLACES);
        let house = House::logging("warn", "", &limits);
        let log = house.node.log();
        assert!(!log.contains("share a"), "each trunk has a socket and a listener of its own: {log}");
        let mut carriers = house.carriers();
        let calm = Phase::run(&mut carriers, lasts);
        let before = Holds::of(house.node.pid());
        Scene { house, carriers, before, calm }
    }

    /// What must hold after every flood: `places` is how many connections of strangers may stand.
    fn endured(&self, under: &Phase, places: u64) {
        let (node, after) = (&self.house.node, Holds::of(self.house.node.pid()));
        println!("held {:?} before, {after:?} under the flood", self.before);
        assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
        assert_eq!((self.calm.unanswered, under.unanswered), (0, 0), "every call is answered and hung up");
        let calls: usize = under.answered.iter().map(Vec::len).sum();
        let owed = 2_048 + u64::try_from(calls).unwrap() * CALL_COSTS + places * PLACE_COSTS;
        let grown = after.kilobytes.saturating_sub(self.before.kilobytes);
        assert!(grown < owed, "{grown} kB more, {owed} kB at most for {calls} calls and {places} places");
        // Those being closed at the door have one for a moment; a few are the engine's own (its database,
        // whoever reads its figures).
        let most = self.before.descriptors + 2 * places + 8;
        assert!(after.descriptors <= most, "{:?}, {after:?}", self.before);
        assert!(node.log().lines().count() < 100, "a flood writes no log: {}", node.log());
    }

    fn compare(&self, what: &str, under: &Phase) -> f64 {
        let mut worst: f64 = 0.0;
        for (road, name) in ROADS.iter().enumerate() {
            let (quiet, loud) = (self.calm.percentile(road, 99), under.percentile(road, 99));
            let ratio = loud.as_secs_f64() / quiet.as_secs_f64();
            println!(
                "set-up p99 over {name}: quiet {quiet:?} ({} calls), under {what} {loud:?} ({} calls), ratio {ratio:.2}",
                self.calm.answered[road].len(),
                under.answered[road].len(),
            );
            worst = worst.max(ratio);
        }
        worst
    }
}

fn shouted_at(scene: &mut Scene, from: Shouts, lasts: Duration) -> Phase {
    let flood = Datagrams::start(scene.house.node.sip, from);
    let under = Phase::run(&mut scene.carriers, lasts);
    let sent = flood.stop();
    let dropped = || scene.house.node.metric("bandeau_sip_over_budget_total");
    eventually("the flood is known to go over its budget", || dropped() > 0.0);
    println!("{sent} datagrams, {:.0}/s; {:.0} dropped unread", sent as f64 / lasts.as_secs_f64(), dropped());
    scene.endured(&under, 0);
    under
}

fn crowded(scene: &mut Scene, from: Shouts, lasts: Duration) -> Phase {
    let flood = Connections::start(scene.house.tcp, scene.house.tls, from);
    let under = Phase::run(&mut scene.carriers, lasts);
    let node = &scene.house.node;
    let standing = node.metric("bandeau_sip_connections");
    scene.endured(&under, PLACES);
    let tally = flood.stop();
    println!("{tally:?}, {standing} standing");
    let of_trunk = 2.0; // over TCP and over TLS
    let most = PLACES as f64 + of_trunk;
    assert!(standing > of_trunk && standing <= most, "{standing} stand, of {most} at most");
    eventually("there were more than places", || node.metric("bandeau_sip_turned_away_total") > 0.0);
    assert!(tally.oversized > 0 && tally.closed == tally.oversized, "each is closed: {tally:?}");
    assert!(node.metric_of("bandeau_sip_parse_errors_total", "rule=\"too_long\"") > 0.0);
    under
}

#[test]
fn i9_a_flood_of_datagrams_refuses_and_loses_no_call_of_a_trunk() {
    let mut scene = Scene::quiet(Duration::from_millis(500));
    let under = shouted_at(&mut scene, Shouts::Here, Duration::from_secs(2));
    assert!(under.answered.iter().all(|road| road.len() > 5), "calls by every road");
}

#[test]
fn i9_strangers_who_fill_every_connection_keep_no_call_of_a_trunk_out() {
    let mut scene = Scene::quiet(Duration::from_millis(500));
    let under = crowded(&mut scene, Shouts::Here, Duration::from_secs(2));
    assert!(under.answered.iter().all(|road| road.len() > 5), "calls by every road");
    // A carrier that connects only while every place is taken.
    let flood = Connections::start(scene.house.tcp, scene.house.tls, Shouts::Here);
    for mut late in scene.house.carriers() {
        let call = late.call(Duration::from_secs(4)).expect("trunks have places of their own");
        assert!(late.hang_up(&call));
    }
    flood.stop();
}

#[test]
#[ignore = "half a minute, and figures of a quiet machine: make test-all"]
fn i9_set_up_under_a_flood_takes_at_most_twice_as_long_as_on_a_quiet_line() {
    let mut scene = Scene::quiet(Duration::from_secs(8));
    let under = shouted_at(&mut scene, Shouts::Elsewhere, Duration::from_secs(10));
    let by_datagrams = scene.compare("datagrams", &under);
    // Another house: here those who shouted have no budget left to connect with.
    let mut scene = Scene::quiet(Duration::from_secs(8));
    let under = crowded(&mut scene, Shouts::Elsewhere, Duration::from_secs(10));
    let by_connections = scene.compare("connections", &under);
    assert!(by_datagrams <= 2.0 && by_connections <= 2.0, "{by_datagrams:.2} and {by_connections:.2}");
}
