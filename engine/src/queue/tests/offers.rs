//! What becomes of an offer, and of the caller when it fails.

use super::trial::{Trial, check};
use crate::call::event::{Actor, AgentReason, Event, Intent, ItemReason, Occupation, OfferKind, Trigger};
use crate::io::Refusal;
use crate::queue::{Fact, Step};
use std::time::Duration;

#[test]
fn a_ring_time_out_leads_on_to_the_next_agent_and_the_caller_keeps_the_place() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s rings Nour | 2s agent Mia pauses \
         | 3s call B partner | 4s agent Mia ready | 5s answers Mia | 7s rings Nour | 10s hangs-up Mia",
        "1s offer A to Nour | 4s offer B to Mia | 7s stop A at Nour: TimedOut | 9s offer A to Nour \
         | 10s stop A at Nour: Rescinded | 10s offer A to Mia",
    );
}

#[test]
fn a_phone_that_never_rang_is_unreachable_and_not_its_agents_fault() {
    check(
        "0s agent Nour ready | 1s call A routine | 30s pass",
        "1s offer A to Nour | 7s end A at Nour: Unreachable | 8s offer A to Nour | 14s end A at Nour: Unreachable \
         | 16s offer A to Nour | 22s end A at Nour: Unreachable | 26s offer A to Nour",
    );
}

#[test]
fn a_rejected_call_goes_on_and_comes_back_to_who_is_alone_after_a_moment() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s rejects Nour",
        "1s offer A to Nour | 2s stop A at Nour: Rejected | 2s offer A to Mia",
    );
    check(
        "0s agent Nour ready | 1s call A routine | 2s rejects Nour | 5s pass",
        "1s offer A to Nour | 4s offer A to Nour",
    );
}

#[test]
fn who_rejects_one_call_is_offered_the_next_at_once() {
    check(
        "0s agent Nour ready | 1s call A routine | 1s call B routine | 2s rejects Nour | 3s answers Nour",
        "1s offer A to Nour | 2s offer B to Nour",
    );
}

#[test]
fn an_agent_who_has_not_been_rung_for_it_comes_before_one_who_has() {
    // Nour, who rejected it, has been idle longest; Lea has not been asked yet.
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A routine | 2s rejects Nour \
         | 3s rings Mia | 8s pass",
        "1s offer A to Nour | 2s offer A to Mia | 8s offer A to Lea",
    );
}

#[test]
fn a_pause_gives_the_ringing_caller_to_somebody_else() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s agent Nour pauses",
        "1s offer A to Nour | 2s stop A at Nour: Rejected | 2s offer A to Mia",
    );
}

#[test]
fn a_phone_that_goes_gives_the_ringing_caller_to_somebody_else() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s phone Nour gone | 3s phone Nour back",
        "1s offer A to Nour | 2s stop A at Nour: Unreachable | 2s offer A to Mia",
    );
}

#[test]
fn i01_an_agent_has_one_reservation_or_one_call_whatever_is_said() {
    check(
        "0s agent Nour ready | 1s call A routine | 1s call B routine | 1s call C vital | 2s agent Nour ready \
         | 2s rings Nour | 2s phone Nour back | 3s answers Nour | 4s call D vital | 5s agent Nour ready",
        "1s offer A to Nour | 1s stop A at Nour: Rescinded | 1s offer C to Nour",
    );
}

#[test]
fn i01_an_offer_that_is_over_says_nothing_any_more() {
    let mut trial = Trial::run("0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s pass");
    let (late, nour) = (trial.last_offer("Nour"), trial.agent("Nour"));
    trial.tell(Fact::Reject { agent: nour, offer: late });
    assert!(trial.floor.offer(late).is_none(), "a 200 of this offer gets ACK and BYE");
    for fact in [Fact::Taken { offer: late }, Fact::Connected { offer: late }, Fact::Alerting { offer: late }]
    {
        assert_eq!(trial.floor.allows(&fact), Err(Refusal::Gone));
        trial.tell(fact);
    }
    let nour = trial.floor.agent(nour).expect("on the roster");
    assert_eq!((nour.occupation, nour.call), (Occupation::Free, None));
    let held_by = trial.floor.place(trial.work("A")).expect("waits").offer;
    assert_eq!(held_by, Some(trial.last_offer("Mia")));
}

#[test]
fn i01_reservations_of_an_agent_are_counted() {
    let mut trial = Trial::run("0s agent Nour ready");
    let mut epochs = Vec::new();
    for name in ["A", "B", "C"] {
        let enter = trial.enter(name, "routine");
        trial.floor.handle(trial.now, enter);
        while let Some(step) = trial.floor.poll() {
            if let Step::Ring(decision) = step {
                epochs.push(decision.epoch);
                trial.floor.handle(trial.now, Fact::Connected { offer: decision.offer });
                trial.floor.handle(trial.now, Fact::EarFree { agent: decision.agent, call: decision.call });
            }
        }
    }
    assert_eq!(epochs, [1, 2, 3]);
}

#[test]
fn i03_a_caller_whose_bridge_fails_is_back_at_the_old_place() {
    check(
        "0s agent Nour ready | 1s call A unqualified | 2s call B unqualified | 3s takes Nour | 4s agent Mia ready \
         | 5s lost Nour | 5.2s answers Mia | 5.5s hangs-up Mia | 6s call C declared | 7s pass",
        "1s offer A to Nour | 4s offer B to Mia | 5.5s offer A to Mia | 6s offer C to Nour",
    );
}

#[test]
fn i03_a_phone_that_answers_and_goes_dead_gives_the_caller_back_by_itself() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s takes Nour | 20s pass",
        "1s offer A to Nour | 12s stop A at Nour: LostBeforeBridge | 12s offer A to Mia \
         | 18s stop A at Mia: Unreachable | 18s offer A to Nour",
    );
}

#[test]
fn i05_a_caller_who_hangs_up_stops_the_phone_in_the_same_step() {
    for state in ["2s pass", "2s rings Nour", "2s takes Nour"] {
        check(
            &format!("0s agent Nour ready | 1s call A routine | {state} | 3s call B routine | 4s gone A"),
            "1s offer A to Nour | 4s stop A at Nour: CallerGone | 4s withdrawn A after 3s | 4s offer B to Nour",
        );
    }
}

#[test]
fn a_call_that_is_moved_while_it_rings_rings_there_no_more() {
    check(
        "0s agent Nour ready | 0s agent Mia:mr ready | 1s call A routine | 2s move A doctors",
        "1s offer A to Nour | 2s stop A at Nour: Rescinded | 2s moved A to 1 | 2s offer A to Mia",
    );
    let trial = Trial::run("0s agent Nour ready | 1s call A routine | 2s takes Nour");
    let (work, queue) = (trial.work("A"), trial.queue("doctors"));
    let moved = Fact::MoveTo { work, queue, by: Actor::System };
    assert_eq!(trial.floor.allows(&moved), Err(Refusal::Busy), "it is being bridged");
}

#[test]
fn i22_an_agent_alone_who_keeps_rejecting_is_asked_by_deadlines_and_never_in_a_loop() {
    let trial = Trial::run(
        "0s agent Nour ready | 0s call A routine | 0s rejects Nour | 2s rejects Nour | 4s rejects Nour | 5s pass",
    );
    let offers = trial.transcript.iter().filter(|line| line.contains("offer")).count();
    assert_eq!(offers, 3);
}

#[test]
fn a_decision_says_why() {
    let mut trial =
        Trial::run("0s call A routine | 1s call B vital | 2s call C routine | 2s agent Nour absent");
    let ready = Fact::Intent { agent: trial.agent("Nour"), intent: Intent::Ready, by: Actor::System };
    trial.floor.handle(trial.now, ready);
    let mut because = None;
    while let Some(step) = trial.floor.poll() {
        if let Step::Event(Event::Offered { because: said, waited, kind, .. }) = step {
            assert_eq!((waited, kind), (Duration::from_secs(1), OfferKind::Exclusive));
            because = Some(said);
        }
    }
    let because = because.expect("an offer in the same step");
    assert_eq!((because.item, because.waiting), (ItemReason::Fence, 3));
    assert_eq!((because.agent, because.free), (AgentReason::Only, 1));
    assert_eq!(because.after, Trigger::Agent);
}
