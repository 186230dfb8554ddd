//! What a step looks at, and what lower calls cost those behind the fence.

use super::trial::{Trial, check};
use crate::call::event::{Actor, Intent};
use crate::queue::Fact;
use std::time::Duration;

/// A floor with so many callers waiting for somebody who is not there, and what the next steps look at.
fn looked_at(waiting: u32) -> u64 {
    let mut trial = Trial::run("0s agent Nour:arm,mr ready | 0s agent Mia:mr absent | 0s agent Nour pauses");
    for caller in 0..waiting {
        let class = ["routine", "partner", "vital", "declared"][caller as usize % 4];
        let enter = trial.enter(&format!("c{caller}"), class);
        trial.tell(enter);
    }
    let before = trial.floor.looked.get();
    for round in 0..10 {
        trial.pass(trial.now + Duration::from_secs(1));
        let agent = trial.agent("Nour");
        trial.tell(Fact::Intent { agent, intent: Intent::Ready, by: Actor::System });
        let offer = trial.last_offer("Nour");
        trial.tell(Fact::Taken { offer });
        trial.tell(Fact::Connected { offer });
        let call = trial.floor.agent(agent).and_then(|agent| agent.call).expect("talks");
        trial.tell(Fact::Intent { agent, intent: Intent::Paused(String::from("file")), by: Actor::System });
        trial.tell(Fact::EarFree { agent, call });
        let enter = trial.enter(&format!("n{round}"), "routine");
        trial.tell(enter);
    }
    trial.floor.looked.get() - before
}

#[test]
fn i20_a_step_looks_at_no_more_when_more_wait() {
    let (few, many) = (looked_at(20), looked_at(2_000));
    assert!(few > 0, "it looks at something");
    assert_eq!(many, few, "items and agents looked at, whoever else waits");
}

#[test]
fn i20_items_that_nobody_may_take_for_the_moment_are_passed_and_no_others_are() {
    let script =
        "0s agent Nour ready | 1s call A routine | 2s rejects Nour | 2s call B routine | 2s call C routine";
    let trial = Trial::run(script);
    assert!(trial.floor.looked.get() < 20, "{}", trial.floor.looked.get());
}

/// When each vital call is first asked for, by an offer or by an alert.
fn vital_times(script: &str) -> Vec<String> {
    let asked = |line: &&String| {
        let of_vital = line.contains(" to V") || line.contains("offer V");
        of_vital && (line.contains(" offer ") || line.contains(" alert ") || line.contains(" invite "))
    };
    let transcript = Trial::run(script).transcript;
    let mut seen = Vec::new();
    for line in transcript.iter().filter(asked) {
        let time = line.split(' ').next().unwrap_or_default();
        let name = line.split(' ').find(|word| word.starts_with('V')).unwrap_or_default();
        if !seen.iter().any(|known: &String| known.ends_with(name)) {
            seen.push(format!("{time} {name}"));
        }
    }
    seen
}

#[test]
fn i14_lower_calls_leave_the_times_of_vital_offers_alone() {
    // Vital calls come at odd seconds; agents answer each offer two seconds later.
    let agents = "0s agent Nour ready | 0s agent Mia ready | 0s page Nour open | 0s page Mia open";
    let vital = ["3s call V1 vital", "13s call V2 vital", "23s call V3 vital", "23s call V4 vital"];
    let alone = format!("{agents} | {}", vital.join(" | "));
    for lower in [
        vec!["2s call L1 routine", "12s call L2 partner", "22s call L3 declared"],
        vec!["2s call L1 routine", "2s call L2 routine", "2.5s rings Nour", "22s call L3 unqualified"],
    ] {
        let mut lines: Vec<&str> = vital.iter().copied().chain(lower).collect();
        let at = |line: &&str| {
            let (time, _) = line.split_once('s').expect("a time");
            (time.parse::<f64>().expect("seconds") * 1000.0) as u64
        };
        lines.sort_by_key(at);
        let both = format!("{agents} | {}", lines.join(" | "));
        assert_eq!(vital_times(&both), vital_times(&alone), "{both}");
    }
}

#[test]
fn i14_while_all_talk_with_lower_calls_the_alert_goes_out_when_the_offer_would_have() {
    let agents = "0s agent Nour ready | 0s agent Mia ready | 0s page Nour open | 0s page Mia open";
    let talking = "1s call L1 routine | 1s answers Nour | 2s call L2 partner | 2s answers Mia";
    let with = vital_times(&format!("{agents} | {talking} | 3s call V1 vital"));
    assert_eq!(with, vital_times(&format!("{agents} | 3s call V1 vital")));
    assert_eq!(with, ["3s V1"]);
}

#[test]
fn i23_at_rest_every_map_is_empty() {
    let mut trial = Trial::run(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine of Mia | 1s call B vital speaks german with mr \
         | 1s call C routine as callback after 60s | 2s answers Mia | 2s answers Nour | 3s hangs-up Mia | 4s hangs-up Nour",
    );
    trial.tell(Fact::Leave { work: trial.work("C"), exit: crate::queue::Exit::Withdrawn });
    assert!(trial.floor.is_idle());
    assert!(
        trial.floor.dirty.is_empty() && trial.floor.constrained.is_empty() && trial.floor.counted.is_empty()
    );
    assert_eq!(trial.floor.poll_timeout(), None);
    assert_eq!(trial.floor.pools.keys().count(), 3, "those of the plan's queues and no other");
}

#[test]
fn the_expected_wait_is_a_distribution_that_follows_work_and_agents() {
    let expected = |script: &str| {
        let trial = Trial::run(script);
        trial.floor.expected_wait(trial.queue("front"))
    };
    assert_eq!(expected("0s agent Nour absent"), None, "nobody works there");
    let free = expected("0s agent Nour ready").expect("somebody works there");
    assert_eq!((free.low, free.median, free.high), (Duration::ZERO, Duration::ZERO, Duration::ZERO));
    let busy = "0s agent Nour ready | 1s call X routine | 1s answers Nour";
    let one = expected(busy).expect("somebody works there");
    assert!(one.low < one.median && one.median < one.high, "{one:?}");
    // Assumed 150 s each: the first to end among one.
    assert!((100.0..=150.0).contains(&one.median.as_secs_f64()), "{one:?}");
    let behind = expected(&format!("{busy} | 2s call A routine")).expect("somebody works there");
    assert!(behind.median > one.median + Duration::from_secs(100), "{behind:?}");
    let two = format!("{busy} | 0s agent Mia ready | 2s call Y routine | 2s answers Mia | 2s call A routine");
    let shared = expected(&two).expect("two work there");
    assert!(shared.median < behind.median / 2 + Duration::from_secs(30), "{shared:?}");
    // Short calls lately: the forecast follows.
    let mut short = String::from("0s agent Nour ready");
    for call in 0..40 {
        let at = call * 10;
        short += &format!(" | {at}s call c{call} routine | {at}s answers Nour | {}s hangs-up Nour", at + 5);
    }
    let quick = expected(&format!("{short} | 401s call Z routine | 401s answers Nour"))
        .expect("somebody works there");
    assert!(quick.median < one.median / 2, "{quick:?}");
}

#[test]
fn a_level_below_what_is_needed_never_rings() {
    check("0s agent Nour:mr ready | 1s call A vital", "");
}
