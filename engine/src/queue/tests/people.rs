//! Who may be asked: levels, languages, relaxation, reserves, owners, bars, and a major event's team.

use super::trial::{CENTRE, Trial, check, check_on, queues};
use crate::id::{AgentId, CentreId};
use crate::io::Refusal;
use crate::queue::{Fact, Owner};
use std::time::Duration;

const FRONT: &str = "offer = { mode = \"exclusive\", ring = \"6s\" }\n";

fn front(rules: &str) -> String {
    queues(&format!("[queue.front]\n{FRONT}{rules}\n[queue.side]\nskills = [\"side\"]\n{FRONT}"))
}

#[test]
fn a_level_is_needed_and_a_better_one_comes_first_and_idle_longest_within_it() {
    let plan = front("skills = [\"arm:2\"]");
    check_on(
        &plan,
        "0s agent Low:arm ready | 0s agent Old:arm:2 ready | 1s agent Best:arm:3 ready | 2s agent Also:arm:3 ready \
         | 3s call A routine | 3s call B routine | 3s call C routine | 3s call D routine",
        "3s offer A to Best | 3s offer B to Also | 3s offer C to Old",
    );
}

#[test]
fn who_speaks_the_language_comes_first_and_nobody_waits_for_one() {
    let agents = "0s agent Nour ready | 1s agent Mia:arm,german ready | 2s agent Lea:arm,german:3 ready";
    check(
        &format!(
            "{agents} | 3s call A routine speaks german | 3s call B routine speaks german | 3s call C routine speaks german"
        ),
        "3s offer A to Lea | 3s offer B to Mia | 3s offer C to Nour",
    );
    check(&format!("{agents} | 3s call A routine speaks dutch"), "3s offer A to Nour");
    // Among those who speak it as well as each other, whoever is idle longest.
    check(
        "0s agent Nour ready | 1s agent Mia:arm,german ready | 2s agent Lea:arm,german ready | 3s call A routine speaks german",
        "3s offer A to Mia",
    );
}

#[test]
fn relaxation_adds_people_at_its_time_and_behind_the_fence_at_once() {
    let plan = front(
        "skills = [\"arm\"]\nrelax = [{ after = \"15s\", add = [\"back\"] }, { after = \"30s\", add = [\"chief\"] }]",
    );
    let agents = "0s agent Back:back ready | 0s agent Chief:chief ready";
    check_on(
        &plan,
        &format!("{agents} | 1s call A routine | 2s call B routine | 17s answers Back | 33s answers Chief"),
        "16s offer A to Back | 32s offer B to Chief",
    );
    check_on(
        &plan,
        &format!("{agents} | 1s call A vital | 1s call B vital"),
        "1s offer A to Back | 1s offer B to Chief",
    );
    // The queue's own come first all the same.
    check_on(&plan, &format!("{agents} | 5s agent Nour ready | 6s call A vital"), "6s offer A to Nour");
}

#[test]
fn a_call_brings_a_team_that_may_be_asked_from_the_start() {
    let agents = "0s agent Side:side ready";
    check_on(
        &front("skills = [\"arm\"]"),
        &format!("{agents} | 1s call A routine | 1s call B routine with side"),
        "1s offer B to Side",
    );
    check_on(
        &front("skills = [\"arm\"]"),
        &format!(
            "{agents} | 0s agent Nour ready | 1s call A routine with side | 1s call B routine with side"
        ),
        "1s offer A to Nour | 1s offer B to Side",
    );
}

#[test]
fn i12_a_reserve_is_kept_for_the_fence_and_partners_and_nothing_beyond_it() {
    let plan = front("skills = [\"arm\"]\nreserve = 1");
    let three = "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 1s call A routine | 1s call B routine";
    check_on(
        &plan,
        &format!("{three} | 1s call C routine | 2s call P routine from partner | 3s call V vital"),
        "1s offer A to Nour | 1s offer B to Mia | 2s offer P to Lea | 3s stop P at Lea: Rescinded \
         | 3s offer V to Lea",
    );
    check_on(
        &plan,
        &format!("{three} | 1s call C routine | 3s call V vital"),
        "1s offer A to Nour | 1s offer B to Mia | 3s offer V to Lea",
    );
    // Where every queue keeps somebody too.
    let alone = queues(&format!("[queue.front]\nskills = [\"arm\"]\nreserve = 1\n{FRONT}"));
    check_on(
        &alone,
        &format!("{three} | 1s call C routine | 3s call V vital"),
        "1s offer A to Nour | 1s offer B to Mia | 3s offer V to Lea",
    );
    // Somebody else comes: the one kept before is free for everybody.
    check_on(
        &plan,
        &format!("{three} | 1s call C routine | 5s agent Zoe ready"),
        "1s offer A to Nour | 1s offer B to Mia | 5s offer C to Lea",
    );
}

#[test]
fn a_reserve_never_keeps_everybody() {
    let plan = front("skills = [\"arm\"]\nreserve = 2");
    check_on(&plan, "0s agent Nour ready | 1s call A routine", "1s offer A to Nour");
    check_on(
        &plan,
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B routine",
        "1s offer A to Nour",
    );
}

#[test]
fn a_reserve_holds_against_the_calls_of_another_queue() {
    let plan = front("skills = [\"arm\"]\nreserve = 1");
    check_on(
        &plan,
        "0s agent Nour:arm,side ready | 0s agent Mia:arm ready | 1s call A routine in side | 1s call B routine in side \
         | 2s agent Mia pauses",
        "1s offer A to Nour",
    );
    check_on(
        &plan,
        "0s agent Nour:arm,side ready | 0s agent Mia:arm,side ready | 1s call A routine in side | 1s call B routine in side \
         | 2s agent Lea:arm ready",
        "1s offer A to Nour | 2s offer B to Mia",
    );
}

#[test]
fn a_person_who_presses_the_key_is_not_held_back_by_a_reserve() {
    let plan = front("skills = [\"arm\"]\nreserve = 1");
    check_on(
        &plan,
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B routine | 2s key Mia",
        "1s offer A to Nour | 2s offer B to Mia",
    );
}

#[test]
fn an_owner_is_asked_first_and_everybody_after_a_while() {
    let agents = "0s agent Nour ready | 1s agent Mia ready";
    check(&format!("{agents} | 2s call A routine of Mia | 7s pass"), "2s offer A to Mia");
    // The owner talks: four seconds alone, then whoever is free.
    let busy = format!("{agents} | 1s call X routine of Mia | 1s answers Mia");
    check(&format!("{busy} | 2s call A routine of Mia | 7s pass"), "1s offer X to Mia | 6s offer A to Nour");
    check(
        &format!("{busy} | 2s call A routine of Mia | 5s hangs-up Mia"),
        "1s offer X to Mia | 5s offer A to Mia",
    );
    // Nobody is asked alone behind the fence, nor an owner who is not there.
    check(&format!("{busy} | 2s call A vital of Mia"), "1s offer X to Mia | 2s offer A to Nour");
    check("0s agent Nour ready | 0s agent Mia absent | 2s call A routine of Mia", "2s offer A to Nour");
    check(
        &format!("{busy} | 2s call A routine of Mia | 3s agent Mia pauses"),
        "1s offer X to Mia | 3s offer A to Nour",
    );
    check(
        &format!("{busy} | 2s call A routine of Mia | 3s phone Mia gone"),
        "1s offer X to Mia | 3s offer A to Nour",
    );
}

#[test]
fn an_owner_who_is_not_on_the_roster_keeps_nobody_waiting() {
    for (centre, index) in [(CENTRE, 1), (CentreId(1), 0)] {
        let mut trial = Trial::run("0s agent Nour ready | 1s pass");
        let mut enter = trial.enter("A", "routine");
        if let Fact::Enter(arrival) = &mut enter {
            let (agent, alone) = (AgentId { centre, index }, Duration::from_secs(4));
            arrival.owner = Some(Owner { agent, alone });
        }
        trial.tell(enter);
        assert!(trial.transcript.iter().any(|line| line == "1s offer A to Nour"), "{:?}", trial.transcript);
    }
}

#[test]
fn an_owner_sent_to_the_queue_by_a_person_is_asked_first_all_the_same() {
    check(
        "0s agent Nour ready | 1s agent Mia ready | 1s assign Mia only front | 2s call A routine of Mia",
        "2s offer A to Mia",
    );
}

#[test]
fn a_call_for_its_owner_or_a_lead_never_goes_to_any_free_agent() {
    let agents = "0s agent Nour ready | 0s agent Mia absent | 0s agent Zoe:chief signs-in";
    check(
        &format!("{agents} | 1s call A routine of Mia else chief | 60s agent Zoe ready"),
        "60s offer A to Zoe",
    );
    check(
        &format!("{agents} | 1s call A routine of Mia else chief | 60s agent Mia ready"),
        "60s offer A to Mia",
    );
    // Confirmed vital: whoever can.
    check(&format!("{agents} | 1s call A vital of Mia else chief"), "1s offer A to Nour");
    check(
        &format!("{agents} | 1s call A routine of Mia else chief | 9s class A vital"),
        "9s offer A to Nour",
    );
    // A shift without leads: whoever is there, in the step in which the last of them goes.
    check(
        &format!("{agents} | 1s call A routine of Mia else chief | 9s agent Zoe out"),
        "9s offer A to Nour",
    );
    // Nor with one who can be asked for nothing: the page is closed, and nobody has signed out.
    check(
        &format!("{agents} | 1s call A routine of Mia else chief | 9s phone Zoe gone"),
        "9s offer A to Nour",
    );
    check(
        &format!(
            "{agents} | 0s phone Zoe gone | 0s agent Nour pauses | 1s call A routine else chief | 9s phone Zoe back | 10s agent Nour ready | 20s agent Zoe ready"
        ),
        "20s offer A to Zoe",
    );
}

#[test]
fn who_is_barred_is_never_asked_and_cannot_pick() {
    // Not even when there is nobody else and the phone failed a moment ago.
    check(
        "0s agent Nour ready | 1s call X routine | 1s unreachable Nour | 1s gone X | 3s call A vital bars Nour | 9s pass",
        "1s offer X to Nour",
    );
    check(
        "0s agent Nour ready | 1s call A vital bars Nour | 2s call B routine | 3s agent Mia ready",
        "2s offer B to Nour | 3s offer A to Mia",
    );
    let trial = Trial::run("0s agent Nour ready | 1s call A vital bars Nour");
    let (agent, work) = (trial.agent("Nour"), trial.work("A"));
    let pick = Fact::Pick { agent, work, lifted: false, confirmed: true };
    assert_eq!(trial.floor.allows(&pick), Err(Refusal::Forbidden));
    assert_eq!(trial.floor.allows(&Fact::Answer { agent }), Err(Refusal::Gone));
}

#[test]
fn a_major_event_has_a_team_of_its_own_and_a_team_it_cannot_take() {
    // Nour is sent to the event whatever her skills; Mia keeps everything else going.
    let posted = "0s agent Nour ready | 0s agent Mia:arm,side ready | 0s assign Nour only side | 0s assign Mia except side";
    let plan = front("skills = [\"arm\"]");
    check_on(
        &plan,
        &format!(
            "{posted} | 1s call A routine | 1s call B vital in side | 1s call C vital in side | 1s call D vital"
        ),
        "1s offer A to Mia | 1s offer B to Nour | 1s stop A at Mia: Rescinded | 1s offer D to Mia",
    );
    check_on(
        &plan,
        &format!(
            "{posted} | 1s call A routine in side | 2s assign Nour by-skill | 3s assign Mia by-skill | 4s call B routine"
        ),
        "1s offer A to Nour | 2s stop A at Nour: Rescinded | 3s offer A to Mia | 4s offer B to Nour",
    );
}

#[test]
fn the_team_kept_from_an_event_is_kept_from_what_overflows_out_of_it() {
    let plan = queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\n{FRONT}\n[queue.event]\nskills = [\"event\"]\n{FRONT}\
         overflow = [{{ when = [\"opened\"], to = \"queue:front\", mode = \"additive\" }}]\n"
    ));
    check_on(
        &plan,
        "0s agent Nour ready | 0s agent Mia ready | 0s assign Nour except event | 1s overflow event open \
         | 2s call A vital in event | 2s call B vital in event",
        "2s overflow A by rule 0 | 2s offer A to Mia | 2s overflow B by rule 0",
    );
}

#[test]
fn the_team_kept_from_an_event_is_not_counted_among_those_it_could_ask() {
    let plan = queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\n{FRONT}overflow = [{{ when = [\"nobody-reachable\"], to = \"queue:event\", \
         mode = \"additive\" }}]\n[queue.event]\nskills = [\"event\"]\n{FRONT}"
    ));
    check_on(&plan, "0s agent Nour ready | 1s call A routine", "1s offer A to Nour");
    check_on(
        &plan,
        "0s agent Nour ready | 0s assign Nour except front | 1s call A routine",
        "1s overflow A by rule 0",
    );
}

#[test]
fn a_change_of_skills_counts_at_once() {
    let mut trial =
        Trial::run("0s agent Nour:arm ready | 0s agent Mia:mr absent | 1s call A routine in doctors");
    let by = crate::call::event::Actor::System;
    trial.tell(Fact::Skills { agent: trial.agent("Nour"), skills: vec![String::from("mr:2")], by });
    assert!(trial.transcript.iter().any(|line| line == "1s offer A to Nour"), "{:?}", trial.transcript);
}
