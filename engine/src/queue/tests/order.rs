//! In which order callers are offered, and that none waits while somebody could answer.

use super::trial::{Trial, check};
use crate::call::event::Event;
use crate::queue::Step;

#[test]
fn a_vital_call_overtakes_an_older_routine_one() {
    check("0s call A routine | 5s call B vital | 6s agent Nour ready", "6s offer B to Nour");
}

#[test]
fn nobody_ready_for_thirty_seconds_then_the_most_urgent_caller_is_offered_in_the_same_step() {
    check(
        "0s call A unqualified | 4s call B routine | 20s call C vital | 21s call D vital | 30s agent Nour ready",
        "30s offer C to Nour",
    );
}

#[test]
fn one_phone_busy_then_vital_then_partner_then_the_five_in_order_of_arrival() {
    check(
        "0s agent Nour ready | 1s call X routine | 1s answers Nour \
         | 2s call A unqualified | 3s call B unqualified | 4s call C unqualified | 5s call D unqualified \
         | 6s call E unqualified | 7s call V vital | 8s call P partner \
         | 10s hangs-up Nour | 11s answers Nour | 12s hangs-up Nour | 13s answers Nour | 14s hangs-up Nour \
         | 15s answers Nour | 16s hangs-up Nour | 17s answers Nour | 18s hangs-up Nour | 19s answers Nour \
         | 20s hangs-up Nour | 21s answers Nour | 22s hangs-up Nour | 23s answers Nour | 24s hangs-up Nour",
        "1s offer X to Nour | 10s offer V to Nour | 12s offer P to Nour | 14s offer A to Nour \
         | 16s offer B to Nour | 18s offer C to Nour | 20s offer D to Nour | 22s offer E to Nour",
    );
}

#[test]
fn a_target_lifts_a_call_by_time_and_never_across_the_fence() {
    // Routine may wait 60 s and declared 5 s, so a routine call is ahead only when 55 s older.
    check("0s call A routine | 56s call B declared | 57s agent Nour ready", "57s offer A to Nour");
    check("0s call A routine | 54s call B declared | 57s agent Nour ready", "57s offer B to Nour");
    check("0s call A routine | 3600s call B vital | 3601s agent Nour ready", "3601s offer B to Nour");
}

#[test]
fn a_call_qualified_while_it_waits_changes_its_place() {
    check("0s call A routine | 1s call B routine | 2s class B vital | 3s agent N ready", "3s offer B to N");
    check("0s call A vital | 1s call B vital | 2s class A routine | 3s agent N ready", "3s offer B to N");
}

#[test]
fn a_call_in_a_queue_without_agents_waits_and_holds_up_nobody() {
    check(
        "0s call A vital in doctors | 1s call B routine | 2s agent Nour ready | 3s agent Mia:mr ready",
        "2s offer B to Nour | 3s offer A to Mia",
    );
}

#[test]
fn an_agent_with_two_skills_takes_the_most_urgent_of_both_queues() {
    check(
        "0s call A unqualified | 1s call B partner in doctors | 2s agent Nour:arm,mr ready | 3s answers Nour \
         | 4s hangs-up Nour",
        "2s offer B to Nour | 4s offer A to Nour",
    );
}

#[test]
fn i11_a_lower_ringing_call_makes_room_for_a_vital_one_when_nobody_else_is_free() {
    check(
        "0s agent Nour ready | 1s call A routine | 2s rings Nour | 3s call B vital | 4s answers Nour \
         | 5s hangs-up Nour",
        "1s offer A to Nour | 3s stop A at Nour: Rescinded | 3s offer B to Nour | 5s offer A to Nour",
    );
}

#[test]
fn i11_the_least_urgent_of_the_ringing_calls_makes_room() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A partner | 1s call B routine \
         | 1s call C unqualified | 2s call D vital",
        "1s offer A to Nour | 1s offer B to Mia | 1s offer C to Lea | 2s stop B at Mia: Rescinded \
         | 2s offer D to Mia",
    );
}

#[test]
fn i11_nothing_makes_room_while_somebody_is_free_or_for_a_call_before_the_fence() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s call B vital",
        "1s offer A to Nour | 2s offer B to Mia",
    );
    check("0s agent Nour ready | 1s call A routine | 2s call B declared", "1s offer A to Nour");
}

#[test]
fn i11_a_vital_call_does_not_push_another_nor_one_that_was_answered() {
    check("0s agent Nour ready | 1s call A vital | 2s call B vital", "1s offer A to Nour");
    check("0s agent Nour ready | 1s call A routine | 2s takes Nour | 3s call B vital", "1s offer A to Nour");
}

#[test]
fn i11_a_call_that_becomes_vital_while_it_rings_is_not_taken_back() {
    check(
        "0s agent Nour ready | 1s call A routine | 2s class A vital | 3s call B vital",
        "1s offer A to Nour",
    );
}

#[test]
fn i11_a_call_that_made_room_goes_to_whoever_else_can_take_it() {
    // Nour speaks for both queues, Mia only for the doctors'.
    check(
        "0s agent Nour:arm,mr ready | 1s call A routine in doctors | 2s agent Mia:mr ready | 3s call B vital",
        "1s offer A to Nour | 3s stop A at Nour: Rescinded | 3s offer B to Nour | 3s offer A to Mia",
    );
}

#[test]
fn i12_work_is_conserved_when_agents_come_and_go_in_the_same_moment() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B routine | 1s call C routine \
         | 2s agent Nour pauses | 2s phone Mia gone | 2s phone Mia back | 2s agent Nour ready",
        "1s offer A to Nour | 1s offer B to Mia | 2s offer A to Mia | 2s offer B to Nour",
    );
}

#[test]
fn i12_an_item_nobody_may_take_holds_up_nobody_behind_it() {
    check(
        "0s agent Nour ready | 1s call A vital | 1s call B routine | 2s rejects Nour | 5s pass",
        "1s offer A to Nour | 2s stop A at Nour: Rejected | 2s offer B to Nour | 4s stop B at Nour: Rescinded \
         | 4s offer A to Nour",
    );
}

#[test]
fn i13_the_last_agent_leaves_and_the_next_to_come_is_offered_at_once() {
    check(
        "0s agent Nour ready | 1s call A routine | 2s agent Nour out | 3s phone Nour back | 90s agent Mia ready",
        "1s offer A to Nour | 90s offer A to Mia",
    );
}

#[test]
fn i17_an_inherited_wait_counts_and_never_overtakes_who_stayed_longer() {
    // B waited 30 s in a first call; A has stayed 31 s, C 29 s.
    check(
        "100s call A unqualified | 102s call C unqualified | 131s call B unqualified credit 30s \
         | 131s agent Nour ready | 132s answers Nour | 133s hangs-up Nour | 134s answers Nour | 135s hangs-up Nour",
        "131s offer A to Nour | 133s offer B to Nour | 135s offer C to Nour",
    );
    check(
        "100s call A unqualified | 130s call B unqualified credit 30s | 131s agent Nour ready",
        "131s offer A to Nour",
    );
}

#[test]
fn i17_a_caller_who_comes_back_and_one_who_is_moved_keep_their_arrival() {
    check(
        "50s call B unqualified | 60s again A unqualified since 49s | 61s agent Nour ready",
        "61s offer A to Nour",
    );
    check(
        "50s call A unqualified in doctors | 51s call B unqualified | 60s move A front | 61s agent Nour ready",
        "61s offer A to Nour",
    );
}

#[test]
fn the_log_says_behind_which_side_of_the_fence_a_call_waits() {
    let fenced = |class: &str| {
        let mut trial = Trial::run("0s agent Nour absent");
        let enter = trial.enter("A", class);
        trial.floor.handle(trial.now, enter);
        let steps = std::iter::from_fn(|| trial.floor.poll());
        let mut queued = steps.filter_map(|step| match step {
            Step::Event(Event::Queued { fenced, .. }) => Some(fenced),
            _ => None,
        });
        queued.next()
    };
    assert_eq!((fenced("vital"), fenced("declared")), (Some(true), Some(false)));
}
