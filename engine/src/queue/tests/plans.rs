//! Counting, alarms, deadlines and a change of plan.

use super::trial::{CENTRE, PLAN, Trial, check, queues};
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
    // The log says so, of a queue that only has another place too.
    let moved = |line: &str| trial.transcript.iter().any(|told| told == line);
    assert!(moved("3s moved A to 2") && moved("3s moved B to 0"), "{:?}", trial.transcript);
    let first = trial.floor.figures(trial.now, crate::id::QueueId { centre: CENTRE, index: 0 });
    let first = first.expect("a queue");
    assert_eq!((first.moved_in, first.waiting), (1, 1), "what it lost its queue for is counted in");
}

/// Another plan serves from here on.
fn follow(trial: &mut Trial, plan: &str) {
    trial.tell(Fact::Plan(Arc::new(Dialplan::parse("next.toml", plan).expect("a plan"))));
}

/// A night queue stands before every other: each has another place.
fn with_night(plan: &str) -> String {
    let night = "[queue.night]\nskills = [\"night\"]\noffer = { mode = \"exclusive\", ring = \"6s\" }\n";
    plan.replace("[queue.front]", &format!("{night}[queue.front]"))
}

#[test]
fn i28_who_is_sent_to_a_queue_serves_it_by_its_name_under_the_next_plan() {
    let offers = |script: &str, plan: &str| {
        let mut trial = Trial::run(script);
        follow(&mut trial, plan);
        for (name, queue) in [("A", "doctors"), ("B", "front")] {
            let Fact::Enter(mut arrival) = trial.enter(name, "routine") else { continue };
            // Its place in the plan that serves; the first when it is no more.
            let serves = Dialplan::parse("next.toml", plan).expect("a plan");
            arrival.queue.index = serves.queue_named(queue).unwrap_or(0);
            trial.tell(Fact::Enter(arrival));
            trial.tell(Fact::Gone { work: trial.work(name) });
        }
        let offers = trial.transcript.into_iter().filter(|line| line.contains("offer"));
        offers.collect::<Vec<String>>().join(" | ")
    };
    // Whatever the skills: a person has said so.
    let only = "0s agent Nour:arm ready | 1s assign Nour only doctors";
    assert_eq!(offers(only, PLAN), "1s offer A to Nour");
    assert_eq!(offers(only, &with_night(PLAN)), "1s offer A to Nour");
    let except = "0s agent Nour:arm,mr ready | 1s assign Nour except doctors";
    assert_eq!(offers(except, &with_night(PLAN)), "1s offer B to Nour");
    // The event is over, and its queue with it: back to what the agent can do.
    let without = PLAN.replace("[queue.doctors]", "[queue.others]").replace("\"mr\"", "\"other\"");
    assert_eq!(offers(only, &without), "1s offer A to Nour | 1s offer B to Nour");
}

#[test]
fn i28_a_class_goes_on_by_its_name_or_else_on_its_side_of_the_fence() {
    let mut trial = Trial::run("1s call A routine | 1s call B vital | 1s call C partner");
    let classes = "[class]\nurgent = { fence = true }\nroutine = { target = \"60s\" }\nfirst = { target = \"1s\" }\n\
                   unqualified = { target = \"20s\" }\n";
    let (head, rest) = PLAN.split_once("[class]").expect("classes");
    let (_, tail) = rest.split_once("[queue.front]").expect("queues");
    let other = format!("{head}{classes}[queue.front]{tail}");
    follow(&mut trial, &other);
    let plan = Dialplan::parse("other.toml", &other).expect("a plan");
    let class = |name: &str| {
        let place = trial.floor.place(trial.work(name)).expect("waits");
        (plan.class(place.class).expect("a class").name.as_str(), place.fenced)
    };
    assert_eq!(class("A"), ("routine", false), "by its name");
    assert_eq!(class("B"), ("urgent", true), "confirmed vital whatever it is called");
    let (name, fenced) = class("C");
    assert!(!fenced && name != "urgent", "{name}: nothing is confirmed by a change of plan");
}

/// A front whose callers are offered to the side when nobody is signed in for half a minute.
fn emptying(after: &str) -> String {
    let offer = "offer = { mode = \"exclusive\", ring = \"6s\" }\n";
    queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\n{offer}overflow = [{{ when = [\"nobody-signed-in\"], after = \"{after}\", \
         to = \"queue:side\", mode = \"additive\" }}]\n[queue.side]\nskills = [\"side\"]\n{offer}"
    ))
}

#[test]
fn i28_a_cause_goes_on_standing_under_the_same_rules() {
    let mut trial =
        Trial::run_on(&emptying("30s"), "0s agent Side:side ready | 1s call A routine | 20s pass");
    follow(&mut trial, &with_night(&emptying("30s")));
    trial.pass(Instant::ZERO + Duration::from_secs(40));
    let overflows: Vec<&String> = trial.transcript.iter().filter(|line| line.contains("overflow")).collect();
    assert_eq!(overflows, ["30s overflow A by rule 0"], "half a minute from when nobody was there");
    // Once it has fired it does not fire again, until the rules are others.
    follow(&mut trial, &emptying("30s"));
    trial.pass(Instant::ZERO + Duration::from_secs(90));
    assert_eq!(trial.transcript.iter().filter(|line| line.contains("overflow")).count(), 1);
    follow(&mut trial, &emptying("40s"));
    trial.pass(Instant::ZERO + Duration::from_secs(200));
    let last = trial.transcript.iter().rfind(|line| line.contains("overflow"));
    assert_eq!(last.map(String::as_str), Some("130s overflow A by rule 0"), "{:?}", trial.transcript);
}

#[test]
fn i28_a_call_sent_out_over_a_trunk_is_not_sent_again_because_the_plan_was_read_again() {
    let trunk = |name: &str| emptying("1s").replace("queue:side", &format!("trunk:{name}"));
    let mut trial = Trial::run_on(&trunk("out"), "1s call A routine | 5s pass");
    let sent = |trial: &Trial| trial.transcript.iter().filter(|line| line.contains("overflow")).count();
    assert_eq!(sent(&trial), 1);
    follow(&mut trial, &trunk("out"));
    trial.pass(Instant::ZERO + Duration::from_secs(10));
    assert_eq!(sent(&trial), 1);
    follow(&mut trial, &trunk("other"));
    trial.pass(Instant::ZERO + Duration::from_secs(20));
    assert_eq!(sent(&trial), 2, "another way out is another attempt");
}

#[test]
fn i22_nothing_is_due_that_only_an_earlier_plan_wanted() {
    let mut trial = Trial::run_on(&emptying("30s"), "0s agent Side:side ready | 1s call A routine");
    assert_eq!(trial.floor.poll_timeout(), Some(Instant::ZERO + Duration::from_secs(30)));
    let without = emptying("30s").split("overflow").next().unwrap_or_default().to_owned();
    let (_, tail) = PLAN.split_once("[[route]]").expect("a route");
    follow(&mut trial, &format!("{without}[[route]]{tail}"));
    assert_eq!(trial.floor.poll_timeout(), None);
}

#[test]
fn i24_the_head_of_a_class_is_who_came_first_with_what_was_waited_before() {
    let trial = Trial::run(
        "5s call A routine | 6s call B vital | 20s call C routine credit 18s | 21s call D routine",
    );
    let class = |name: &str| trial.floor.place(trial.work(name)).expect("waits").class;
    let at = |seconds| Some(Instant::ZERO + Duration::from_secs(seconds));
    assert_eq!(trial.floor.head_of(class("A")), at(2));
    assert_eq!(trial.floor.head_of(class("B")), at(6));
    let nobody = Trial::run("1s agent Nour ready");
    assert_eq!(nobody.floor.head_of(class("A")), None);
}

#[test]
fn how_the_room_stands_is_told_by_queue_and_as_a_whole() {
    let trial = Trial::run(
        "0s agent Nour:arm,mr ready | 0s agent Mia:mr ready | 0s agent Lea:arm signs-in | 0s agent Zoe:arm ready \
         | 1s agent Zoe out | 1s call A routine in room \
         | 2s call B routine in room | 2s call C routine as callback after 60s | 5s pass",
    );
    let (queues, whole) = trial.floor.stand(trial.now);
    let told = |state: &crate::dialplan::State| {
        (state.waiting, state.longest_wait.as_secs(), state.free, state.signed_in)
    };
    let queues: Vec<_> = queues.iter().map(told).collect();
    assert_eq!(queues, [(0, 0, 1, 2), (0, 0, 2, 2), (2, 4, 0, 0)]);
    assert_eq!(told(&whole), (2, 4, 2, 3), "who serves two queues is one person");
}
