//! Callbacks, kept work and overflow.

use super::trial::{Trial, check, check_on, queues};
use crate::queue::{Fact, Figures};
use std::time::Duration;

#[test]
fn a_callback_is_ranked_with_the_callers_and_never_takes_the_last_free_agent() {
    check("0s agent Nour ready | 1s call A partner as callback", "");
    check(
        "0s agent Nour ready | 1s call A partner as callback | 2s agent Mia ready | 3s call B routine",
        "2s offer A to Nour | 3s offer B to Mia",
    );
    // Behind the fence it is asked for like any other.
    check("0s agent Nour ready | 1s call A vital as callback", "1s offer A to Nour");
    // A person may take it, whoever else is free.
    check("0s agent Nour ready | 1s call A partner as callback | 2s key Nour", "2s offer A to Nour");
}

#[test]
fn a_callback_asks_nobody_who_is_in_doubt() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call X routine | 1s unreachable Nour \
         | 1s answers Mia | 5s call A partner as callback | 6s hangs-up Mia",
        "1s offer X to Nour | 1s offer X to Mia | 6s offer A to Lea",
    );
}

#[test]
fn a_planned_callback_sleeps_until_its_time() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine as callback after 60s | 62s pass",
        "61s offer A to Nour",
    );
    let trial = Trial::run("0s agent Nour ready | 1s call A routine as callback after 60s");
    let figures = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    assert_eq!((figures.waiting, figures.longest_wait), (1, Duration::ZERO), "it is no caller who waits");
}

#[test]
fn a_callback_that_is_moved_keeps_its_time() {
    // Planned, and left alone after an attempt.
    check(
        "0s agent Doc:mr ready | 0s agent Far:mr ready | 1s call A routine as callback after 60s | 5s move A doctors \
         | 62s pass",
        "61s offer A to Doc",
    );
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Doc:mr ready | 0s agent Far:mr ready \
         | 1s call A routine as callback | 2s takes Nour | 10s not-reached Nour | 12s move A doctors | 41s pass",
        "1s offer A to Nour | 40s offer A to Doc",
    );
}

#[test]
fn a_person_who_was_not_reached_is_tried_again_later_and_the_tries_are_counted() {
    let script = "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A routine as callback \
                  | 2s takes Nour | 40s not-reached Nour | 41s call B routine | 42s answers Mia | 70s pass";
    check(script, "1s offer A to Nour | 41s offer B to Mia | 70s offer A to Lea");
    let trial = Trial::run(script);
    assert_eq!(trial.floor.place(trial.work("A")).map(|place| place.attempts), Some(1));
}

#[test]
fn i15_whoever_tried_to_reach_a_person_has_worked_also_when_it_was_the_last_attempt() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A routine as callback | 2s takes Nour \
         | 3s call X routine | 4s answers Mia | 20s hangs-up Mia | 40s not-reached Nour at-last | 41s call B routine \
         | 42s answers Lea | 43s call C routine | 44s gone A",
        "1s offer A to Nour | 3s offer X to Mia | 41s offer B to Lea | 43s offer C to Mia",
    );
}

#[test]
fn i04_dialling_ends_by_itself() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A routine as callback | 2s takes Nour \
         | 91s pass | 92s pass",
        "1s offer A to Nour | 92s offer A to Mia",
    );
}

#[test]
fn the_work_of_a_caller_who_hangs_up_stays_at_its_place() {
    check(
        "1s call A partner in doctors | 2s call B routine in doctors | 3s keep A | 4s agent Nour:mr ready | 5s agent Mia:mr ready",
        "4s offer B to Nour",
    );
    check(
        "0s agent Nour:mr ready | 0s agent Mia:mr ready | 1s call A partner in doctors | 2s keep A",
        "1s offer A to Nour | 2s stop A at Nour: CallerGone | 2s offer A to Nour",
    );
}

#[test]
fn i06_every_way_out_is_counted() {
    let mut trial =
        Trial::run("1s call A routine | 1s call B routine | 1s call C routine | 2s gone A | 3s leaves B");
    trial.tell(Fact::Leave { work: trial.work("C"), exit: crate::queue::Exit::Transferred });
    let enter = trial.enter("D", "routine");
    trial.tell(enter);
    trial.tell(Fact::Leave { work: trial.work("D"), exit: crate::queue::Exit::Withdrawn });
    let figures = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    let left =
        Figures { entered: 4, gone: 1, overflowed: 1, transferred: 1, withdrawn: 1, ..Figures::default() };
    assert_eq!(figures, left);
    assert!(trial.floor.is_idle());
}

/// A front that overflows by these rules, and a side and a far queue to go to.
fn overflowing(rules: &str) -> String {
    let offer = "offer = { mode = \"exclusive\", ring = \"6s\" }\n";
    queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\n{offer}overflow = [{rules}]\n[queue.side]\nskills = [\"side\"]\n{offer}\
         overflow = [{{ when = [\"waited\"], after = \"20s\", to = \"queue:far\", mode = \"additive\" }}]\n\
         [queue.far]\nskills = [\"far\"]\n{offer}"
    ))
}

#[test]
fn who_waits_long_enough_is_offered_in_another_queue_as_well_and_keeps_the_place_at_home() {
    let plan =
        overflowing("{ when = [\"waited\"], after = \"10s\", to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &plan,
        "0s agent Side:side ready | 1s call A routine | 20s pass",
        "11s overflow A by rule 0 | 11s offer A to Side | 18s offer A to Side",
    );
    check_on(
        &plan,
        "1s call A routine | 12s agent Nour ready | 13s call B routine | 13s agent Side:side ready | 14s busy Nour | 15s pass",
        "11s overflow A by rule 0 | 12s offer A to Nour | 14s offer A to Side | 15s offer B to Nour",
    );
    // A chain goes on, and ends.
    check_on(
        &plan,
        "0s agent Far:far ready | 1s call A routine | 90s pass | 91s gone A",
        "11s overflow A by rule 0 | 21s overflow A by rule 0 | 21s offer A to Far | 28s offer A to Far | 36s offer A to Far \
         | 46s offer A to Far | 60s offer A to Far | 74s offer A to Far | 88s offer A to Far",
    );
}

#[test]
fn a_person_opens_overflow_and_closes_it_and_what_has_gone_stays() {
    let plan = overflowing("{ when = [\"opened\"], to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &plan,
        "1s call A routine | 2s overflow front open | 3s call B routine | 4s overflow front closed | 5s call C routine \
         | 6s agent Side:side ready | 7s answers Side | 8s hangs-up Side | 9s answers Side | 10s hangs-up Side",
        "2s overflow A by rule 0 | 3s overflow B by rule 0 | 6s offer A to Side | 8s offer B to Side",
    );
}

#[test]
fn a_callback_that_is_given_to_a_queue_before_its_time_goes_by_its_ways_out_from_its_time_on() {
    let plan = overflowing("{ when = [\"opened\"], to = \"queue:far\", mode = \"additive\" }");
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine as callback in side since 60s after 59s | 2s move A front | 61s pass",
        "60s overflow A by rule 0",
    );
}

#[test]
fn a_call_that_rings_at_somebody_goes_nowhere_else_until_that_fails() {
    let plan = overflowing("{ when = [\"opened\"], to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &plan,
        "0s agent Nour ready | 1s overflow front open | 2s call A routine | 3s busy Nour | 4s pass",
        "2s offer A to Nour | 3s overflow A by rule 0 | 4s offer A to Nour",
    );
}

#[test]
fn nobody_signed_in_and_nobody_reachable_open_a_way_out_when_they_have_stood_long_enough() {
    let signed_in = overflowing(
        "{ when = [\"nobody-signed-in\"], after = \"5s\", to = \"queue:side\", mode = \"additive\" }",
    );
    check_on(&signed_in, "0s call X routine in side | 7s call A routine", "7s overflow A by rule 0");
    check_on(
        &signed_in,
        "0s agent Nour signs-in | 1s call A routine | 10s agent Nour out | 12s agent Nour signs-in | 13s agent Nour out | 30s pass",
        "18s overflow A by rule 0 | 21s overflow A by rule 0",
    );
    let reachable = overflowing(
        "{ when = [\"nobody-reachable\"], after = \"5s\", to = \"queue:side\", mode = \"additive\" }",
    );
    check_on(
        &reachable,
        "0s agent Nour ready | 1s agent Nour pauses | 2s call A routine | 20s pass",
        "6s overflow A by rule 0",
    );
    check_on(
        &reachable,
        "0s agent Nour ready | 3s call X routine | 3s answers Nour | 4s call A routine | 20s pass",
        "3s offer X to Nour",
    );
}

#[test]
fn a_length_rule_that_moves_takes_the_least_urgent_whom_the_queue_has_too_many() {
    let moves = overflowing("{ when = [\"length\"], length = 3, to = \"queue:side\", mode = \"move\" }");
    // The third of one class, and the first when the third is more urgent.
    check_on(
        &moves,
        "1s call A routine | 2s call B routine | 3s call C routine | 4s call D partner | 4s pass",
        "3s overflow C by rule 0 | 3s moved C to 1 | 4s overflow B by rule 0 | 4s moved B to 1",
    );
    // It keeps its arrival: there it goes before who came later.
    check_on(
        &moves,
        "1s call A routine | 2s call B routine | 3s call C routine | 4s call D routine in side | 5s agent Side:side ready",
        "3s overflow C by rule 0 | 5s offer C to Side",
    );
    // Vital calls are offered there as well and never moved, whoever else could make room.
    check_on(
        &moves,
        "1s call A routine | 2s call B vital | 3s call C vital | 4s call D vital | 4s pass",
        "3s overflow A by rule 0 | 3s moved A to 1 | 3s overflow B by rule 0 | 3s overflow C by rule 0 \
         | 4s overflow D by rule 0",
    );
    // Who is confirmed vital in the meantime stays, and the other goes.
    check_on(
        &moves,
        "1s call A routine | 2s call B routine | 2s class B vital | 3s call C routine | 3s pass",
        "3s overflow B by rule 0 | 3s overflow C by rule 0 | 3s moved C to 1",
    );
    // It has to have been so for as long as the rule says.
    let later = overflowing(
        "{ when = [\"length\"], length = 2, after = \"5s\", to = \"queue:side\", mode = \"move\" }",
    );
    check_on(
        &later,
        "1s call A routine | 2s call B routine | 4s call C routine | 20s pass",
        "7s overflow C by rule 0 | 7s overflow B by rule 0",
    );
    // Another cause takes everybody.
    let both =
        overflowing("{ when = [\"length\", \"opened\"], length = 3, to = \"queue:side\", mode = \"move\" }");
    check_on(
        &both,
        "1s call A routine | 2s call B routine | 3s overflow front open | 3s pass",
        "3s overflow A by rule 0 | 3s overflow B by rule 0",
    );
}

#[test]
fn a_length_rule_that_leads_outside_sends_no_more_than_too_many_at_a_time() {
    let away = overflowing("{ when = [\"length\"], length = 2, to = \"trunk:out\" }");
    check_on(
        &away,
        "1s call A routine | 2s call B routine | 3s call C routine | 5s returned C front 0 | 6s pass",
        "2s overflow B by rule 0 | 3s overflow C by rule 0",
    );
    // Who has come back rests for its time, and nobody goes instead.
    check_on(
        &away,
        "1s call A routine | 2s call B routine | 5s returned B front 0 | 40s pass",
        "2s overflow B by rule 0 | 35s overflow B by rule 0",
    );
}

#[test]
fn a_long_queue_and_a_long_expected_wait_open_a_way_out() {
    let length = overflowing("{ when = [\"length\"], length = 2, to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &length,
        "1s call A routine | 2s call B routine | 3s gone A | 4s call C routine | 4s pass",
        "2s overflow A by rule 0 | 2s overflow B by rule 0 | 4s overflow C by rule 0",
    );
    let expected = overflowing(
        "{ when = [\"expected-wait\"], expected_wait = \"300s\", to = \"queue:side\", mode = \"additive\" }",
    );
    // One agent at 150 s each: a third caller has to expect more than five minutes, a second does not.
    check_on(
        &expected,
        "0s agent Nour ready | 0s call X routine | 0s answers Nour | 1s call A routine | 2s call B routine | 3s pass",
        "0s offer X to Nour | 2s overflow A by rule 0 | 2s overflow B by rule 0",
    );
}

#[test]
fn a_call_sent_out_over_a_trunk_is_asked_for_here_meanwhile_only_when_the_rule_says_so() {
    let away = overflowing("{ when = [\"opened\"], to = \"trunk:out\" }");
    let sent = "0s overflow front open | 1s call A routine | 2s agent Nour ready";
    check_on(
        &away,
        &format!("{sent} | 5s returned A front 0 | 6s pass"),
        "1s overflow A by rule 0 | 5s offer A to Nour",
    );
    // Nothing is heard of the attempt: a minute, and its agents are asked again.
    check_on(
        &away,
        &format!("{sent} | 61s rings Nour | 62s pass"),
        "1s overflow A by rule 0 | 61s offer A to Nour",
    );
    check_on(
        &away,
        "0s overflow front open | 1s call A vital | 2s agent Nour ready",
        "1s overflow A by rule 0 | 2s offer A to Nour",
    );
    let beside = overflowing("{ when = [\"opened\"], to = \"trunk:out\", mode = \"additive\" }");
    check_on(&beside, sent, "1s overflow A by rule 0 | 2s offer A to Nour");
    // What came to nothing is tried again, not at once.
    check_on(
        &beside,
        "0s overflow front open | 1s call A routine | 5s returned A front 0 | 40s pass",
        "1s overflow A by rule 0 | 35s overflow A by rule 0",
    );
}

#[test]
fn who_came_from_another_centre_goes_to_none() {
    let plan = overflowing("{ when = [\"opened\"], to = \"centre:samu-68\", mode = \"additive\" }");
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine from centre | 2s call B routine",
        "2s overflow B by rule 0",
    );
}

#[test]
fn a_callback_leaves_the_centre_by_no_way_out_and_goes_to_its_other_queues() {
    let away = overflowing("{ when = [\"opened\"], to = \"trunk:out\" }");
    let open = "0s overflow front open | 0s agent Nour ready | 0s agent Mia ready";
    check_on(&away, &format!("{open} | 1s call A routine as callback"), "1s offer A to Nour");
    let centre = overflowing("{ when = [\"opened\"], to = \"centre:samu-68\" }");
    check_on(&centre, &format!("{open} | 1s call A routine as callback"), "1s offer A to Nour");
    let side = overflowing("{ when = [\"opened\"], to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &side,
        "0s overflow front open | 1s call A routine as callback | 2s pass",
        "1s overflow A by rule 0",
    );
    // Whose caller hangs up while waiting has no way out either from then on.
    let later = overflowing("{ when = [\"waited\"], after = \"10s\", to = \"trunk:out\" }");
    check_on(&later, "1s call A routine | 2s keep A | 30s pass", "");
}

#[test]
fn i01_a_call_confirmed_vital_is_asked_for_here_though_it_was_sent_out() {
    let away = overflowing("{ when = [\"opened\"], to = \"trunk:out\" }");
    check_on(
        &away,
        "0s overflow front open | 1s call A routine | 2s agent Nour ready | 5s class A vital",
        "1s overflow A by rule 0 | 5s offer A to Nour",
    );
}

#[test]
fn a_guest_of_another_centre_is_rung_out_by_no_trunk_and_who_is_wanted_beside_an_agent_goes_nowhere() {
    let away = overflowing("{ when = [\"opened\"], to = \"trunk:out\" }");
    check_on(
        &away,
        "0s overflow front open | 1s call A routine from centre | 2s agent Nour ready",
        "2s offer A to Nour",
    );
    for rule in ["to = \"trunk:out\"", "to = \"centre:samu-68\"", "to = \"queue:side\""] {
        let plan = overflowing(&format!("{{ when = [\"opened\"], {rule} }}"));
        check_on(&plan, "0s overflow front open | 1s call A routine as join | 9s pass", "");
    }
}

#[test]
fn an_attempt_that_came_to_nothing_opens_the_rule_of_its_own_queue_again_and_no_other() {
    let plan = overflowing("{ when = [\"opened\"], to = \"queue:side\", mode = \"additive\" }")
        .replace("to = \"queue:far\"", "to = \"trunk:out\"");
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine | 25s returned A side 0 | 30s overflow front closed | 60s pass",
        "1s overflow A by rule 0 | 21s overflow A by rule 0 | 55s overflow A by rule 0",
    );
}

#[test]
fn each_way_out_of_a_queue_opens_by_its_own_cause() {
    let plan = overflowing(
        "{ when = [\"length\"], length = 5, to = \"queue:side\", mode = \"additive\" }, \
         { when = [\"opened\"], to = \"queue:far\", mode = \"additive\" }",
    );
    check_on(&plan, "1s call A routine | 2s overflow front open | 3s pass", "2s overflow A by rule 1");
}

#[test]
fn each_attempt_that_came_to_nothing_rests_for_itself() {
    let plan = overflowing(
        "{ when = [\"opened\"], to = \"trunk:out\", mode = \"additive\" }, \
         { when = [\"opened\"], to = \"trunk:other\", mode = \"additive\" }",
    );
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine | 5s returned A front 0 | 9s returned A front 1 | 41s pass",
        "1s overflow A by rule 0 | 1s overflow A by rule 1 | 35s overflow A by rule 0 | 39s overflow A by rule 1",
    );
    // Also when it has rung in between.
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine | 5s returned A front 0 | 9s returned A front 1 | 10s agent Nour ready \
         | 11s agent Nour out | 41s pass",
        "1s overflow A by rule 0 | 1s overflow A by rule 1 | 10s offer A to Nour | 35s overflow A by rule 0 \
         | 39s overflow A by rule 1",
    );
}

#[test]
fn whom_a_person_moves_finds_the_ways_out_open_again() {
    let plan = overflowing("{ when = [\"opened\"], to = \"queue:side\", mode = \"additive\" }");
    check_on(
        &plan,
        "0s overflow front open | 1s call A routine | 2s move A far | 3s move A front",
        "1s overflow A by rule 0 | 3s overflow A by rule 0",
    );
}
