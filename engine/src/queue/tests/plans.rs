//! Counting, alarms, deadlines and a change of plan.

use super::trial::{PLAN, Trial, check};
use crate::call::event::{Actor, Intent};
use crate::dialplan::Dialplan;
use crate::queue::{Fact, Figures};
use crate::time::Instant;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn i06_what_entered_has_left_or_waits() {
    let trial = Trial::run(
        "0s agent Nour ready | 0s call A routine | 0s call B routine | 0s call C routine | 5s call D routine \
         | 5s answers Nour | 7s gone B | 8s move C doctors | 9s pass",
    );
    let front = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    let doctors = trial.floor.figures(trial.now, trial.queue("doctors")).expect("a queue");
    let longest_wait = Duration::from_secs(4);
    let counts = Figures { entered: 4, answered: 1, gone: 1, moved_out: 1, ..Figures::default() };
    assert_eq!(front, Figures { waiting: 1, longest_wait, ..counts });
    let longest_wait = Duration::from_secs(9);
    assert_eq!(doctors, Figures { waiting: 1, longest_wait, moved_in: 1, ..Figures::default() });
}

#[test]
fn i14_a_wait_beyond_the_alarm_is_told_and_so_is_its_end() {
    check(
        "0s call A routine | 10s call B routine | 65s gone A | 75s agent Nour ready | 76s answers Nour",
        "60s alarm 0 true | 65s alarm 0 false | 70s alarm 0 true | 75s offer B to Nour | 76s alarm 0 false",
    );
}

#[test]
fn i22_nothing_is_due_while_nothing_waits_rings_or_wraps_up() {
    let trial = Trial::run("wrap-up 20s | 0s agent Nour ready | 0s agent Mia ready | 1s phone Mia gone");
    assert_eq!(trial.floor.poll_timeout(), None);
    let trial = Trial::run("0s agent Nour absent | 0s call A routine");
    assert_eq!(
        trial.floor.poll_timeout(),
        Some(Instant::ZERO + Duration::from_secs(60)),
        "its alarm, no poll"
    );
}

#[test]
fn i28_the_same_plan_again_changes_nothing() {
    let script = "0s agent Nour ready | 1s call A routine | 2s call B vital | 3s call C routine in doctors";
    let mut trial = Trial::run(script);
    let before = trial.transcript.len();
    trial.tell(Fact::Plan(Arc::new(Dialplan::parse("same.toml", PLAN).expect("the same plan"))));
    assert!(trial.transcript[before..].is_empty(), "{:?}", &trial.transcript[before..]);
}

#[test]
fn i28_another_plan_keeps_waiting_calls_their_queue_by_its_name() {
    let mut trial = Trial::run(
        "0s agent Nour ready | 1s call A vital in doctors | 2s call B routine in room | 3s agent Mia:mr,night absent",
    );
    // Every queue has another place in this plan, and the room is no more.
    let night = "[queue.night]\nskills = [\"night\"]\noffer = { mode = \"exclusive\", ring = \"6s\" }\n";
    let other = PLAN.replace("[queue.front]", &format!("{night}[queue.front]"));
    let other = other.replace("[queue.room]", "[queue.hall]");
    trial.tell(Fact::Plan(Arc::new(Dialplan::parse("other.toml", &other).expect("another plan"))));
    let place = |name: &str| trial.floor.place(trial.work(name)).expect("still waits").queue.index;
    assert_eq!((place("A"), place("B")), (2, 0));
    let mia = trial.agent("Mia");
    trial.tell(Fact::Intent { agent: mia, intent: Intent::Ready, by: Actor::System });
    let offered = |name: &str| trial.floor.place(trial.work(name)).and_then(|place| place.offer).is_some();
    assert!(offered("A"), "Mia speaks for the doctors");
    assert!(!offered("B"));
}
