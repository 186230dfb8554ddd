//! Who is offered a call, and who is left alone.

use super::trial::{CENTRE, Trial, check};
use crate::call::event::Occupation;
use crate::id::{CallId, Serial};
use crate::queue::Fact;
use std::time::Duration;

#[test]
fn a_phone_that_fails_backs_off_longer_each_time_and_is_sound_again_when_it_rings() {
    check(
        "0s agent Nour ready | 0s call A routine | 0s unreachable Nour | 1s unreachable Nour \
         | 3s unreachable Nour | 7s unreachable Nour | 15s rings Nour | 16s busy Nour | 17s pass",
        "0s reachable Nour true fixed-address | 0s offer A to Nour | 0s reachable Nour false unreachable \
         | 1s offer A to Nour | 3s offer A to Nour | 7s offer A to Nour | 15s offer A to Nour \
         | 15s reachable Nour true rings | 16s reachable Nour false busy | 17s offer A to Nour",
    );
}

#[test]
fn a_busy_phone_is_chosen_after_the_sound_ones() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s busy Nour | 2s answers Mia \
         | 3s hangs-up Mia | 10s call B routine",
        "1s offer A to Nour | 1s offer A to Mia | 10s offer B to Mia",
    );
}

#[test]
fn a_registration_ends_the_back_off() {
    check(
        "0s agent Nour ready | 1s call A routine | 1s unreachable Nour | 1.5s phone Nour back",
        "0s reachable Nour true fixed-address | 1s offer A to Nour | 1s reachable Nour false unreachable \
         | 1.5s offer A to Nour | 1.5s reachable Nour true registration",
    );
}

#[test]
fn i04_left_alone_nobody_stays_offered_taken_or_in_wrap_up() {
    for last in ["3s pass", "3s rings Nour", "3s takes Nour", "3s answers Nour | 4s hangs-up Nour"] {
        let script = format!("wrap-up 20s | 0s agent Nour ready | 1s call A routine | {last}");
        let mut trial = Trial::run(&script);
        if trial.floor.place(trial.works["A"]).is_some() {
            trial.tell(Fact::Gone { work: trial.work("A") });
        }
        trial.pass(trial.now + Duration::from_secs(3600));
        let nour = trial.floor.agent(trial.agent("Nour")).expect("on the roster");
        assert_eq!(nour.occupation, Occupation::Free, "after {script}");
        assert!(trial.floor.is_idle(), "after {script}");
        assert_eq!(trial.floor.poll_timeout(), None, "after {script}");
    }
}

#[test]
fn i04_occupation_is_told_when_it_changes_and_only_then() {
    check(
        "wrap-up 20s | 0s agent Nour ready | 0s agent Nour ready | 1s call A routine | 2s rings Nour | 3s answers Nour \
         | 9s hangs-up Nour | 40s pass",
        "1s offer A to Nour | 1s occupation Nour Offered | 3s occupation Nour Talking \
         | 9s occupation Nour WrapUp until 29s | 29s occupation Nour Free",
    );
}

#[test]
fn i15_the_agent_idle_longest_is_chosen_and_ties_go_by_id() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s answers Nour | 3s hangs-up Nour \
         | 4s call B routine | 5s answers Mia | 6s hangs-up Mia | 7s call C routine",
        "1s offer A to Nour | 4s offer B to Mia | 7s offer C to Nour",
    );
}

#[test]
fn i15_a_failed_offer_and_a_pause_leave_idle_time_alone() {
    check(
        "0s agent Nour ready | 1s agent Mia ready | 2s call A routine | 3s gone A | 4s agent Nour pauses \
         | 5s agent Nour ready | 6s call B routine | 7s rejects Nour | 7s answers Mia | 8s call C routine",
        "2s offer A to Nour | 6s offer B to Nour | 7s offer B to Mia | 8s offer C to Nour",
    );
}

#[test]
fn i15_a_shift_is_shared_out_evenly() {
    let mut trial = Trial::run("0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready");
    let mut answered = [0; 3];
    for call in 0..300 {
        trial.pass(trial.now + Duration::from_secs(7));
        let enter = trial.enter(&format!("c{call}"), "routine");
        trial.tell(enter);
        let work = trial.work(&format!("c{call}"));
        let offer = trial.floor.place(work).and_then(|place| place.offer).expect("somebody is free");
        let agent = trial.floor.offer(offer).expect("rings").agent;
        answered[agent.index as usize] += 1;
        trial.tell(Fact::Connected { offer });
        let call = trial.floor.agent(agent).and_then(|agent| agent.call).expect("talks");
        trial.tell(Fact::EarFree { agent, call });
    }
    assert_eq!(answered, [100, 100, 100]);
}

#[test]
fn i16_wrap_up_keeps_calls_away_and_ends_by_itself_or_by_the_key() {
    check(
        "wrap-up 20s | 0s agent Nour ready | 0s call A routine | 1s answers Nour | 5s call B routine | 6s hangs-up Nour \
         | 30s answers Nour | 31s call C routine | 32s hangs-up Nour | 33s agent Nour ready",
        "0s offer A to Nour | 26s offer B to Nour | 33s offer C to Nour",
    );
}

#[test]
fn i16_who_went_home_during_a_call_has_no_wrap_up() {
    check(
        "wrap-up 20s | 0s agent Nour ready | 1s call A routine | 1s answers Nour | 2s agent Nour out | 3s hangs-up Nour | 30s pass",
        "1s offer A to Nour | 1s occupation Nour Offered | 1s occupation Nour Talking | 3s occupation Nour Free",
    );
}

#[test]
fn i16_wrap_up_runs_once_from_the_end_of_the_conversation() {
    check(
        "wrap-up 20s | 0s agent Nour ready | 0s call A routine | 1s answers Nour | 6s hangs-up Nour \
         | 10s call B routine | 12s agent Nour pauses | 26s pass | 27s agent Nour ready",
        "0s offer A to Nour | 0s occupation Nour Offered | 1s occupation Nour Talking \
         | 6s occupation Nour WrapUp until 26s | 26s occupation Nour Free | 27s offer B to Nour \
         | 27s occupation Nour Offered",
    );
}

#[test]
fn i31_who_lets_it_ring_out_comes_after_everybody_else_until_a_proof_of_life() {
    for (life, offered) in [
        ("8s agent Nour ready", "9s offer B to Nour | 9s offer C to Lea"),
        ("8s phone Nour back", "9s offer B to Nour | 9s offer C to Lea"),
        ("8s agent Nour signs-in", "9s offer B to Nour | 9s offer C to Lea"),
        ("8s pass", "9s offer B to Lea | 9s offer C to Nour"),
        ("8s page Nour open", "9s offer B to Lea | 9s offer C to Nour"),
    ] {
        let tried = "0s agent Nour ready | 0s agent Mia ready | 0.5s agent Lea ready | 1s call A routine \
                     | 2s rings Nour | 7s answers Mia";
        check(
            &format!("{tried} | {life} | 9s call B routine | 9s call C routine | 10s pass"),
            &format!("1s offer A to Nour | 7s offer A to Mia | {offered}"),
        );
    }
}

#[test]
fn i31_a_phone_in_rona_rings_while_sound_colleagues_talk_and_the_first_who_is_free_takes_over() {
    let talking =
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s rings Nour | 7s answers Mia";
    let rung = "1s offer A to Nour | 7s stop A at Nour: TimedOut | 7s offer A to Mia | 9s offer B to Nour";
    check(
        &format!("{talking} | 9s call B routine | 10s rings Nour | 11s hangs-up Mia"),
        &format!("{rung} | 11s stop B at Nour: Rescinded | 11s offer B to Mia"),
    );
    check(&format!("{talking} | 9s call B routine | 10s answers Nour | 11s hangs-up Mia"), rung);
    // A more urgent caller does not wait behind it.
    check(
        &format!("{talking} | 9s call B routine | 10s call C partner | 11s hangs-up Mia"),
        &format!("{rung} | 11s offer C to Mia"),
    );
}

#[test]
fn i31_two_empty_chairs_do_not_keep_a_caller_from_the_third() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Zoe ready | 1s call A routine | 2s rings Nour \
         | 8s rings Mia | 14s rings Zoe | 20s rings Nour | 26s rings Mia | 33s answers Zoe",
        "1s offer A to Nour | 7s offer A to Mia | 13s offer A to Zoe | 19s offer A to Nour | 25s offer A to Mia \
         | 31s offer A to Zoe",
    );
}

#[test]
fn i31_rona_never_empties_a_queue_of_its_last_agents() {
    check(
        "0s agent Nour ready | 1s call A routine | 2s rings Nour | 9s rings Nour | 29s answers Nour",
        "1s offer A to Nour | 7s rona Nour true | 9s offer A to Nour | 17s offer A to Nour | 24s offer A to Nour \
         | 29s rona Nour false",
    );
    // Mia leaves, and Nour, in RONA, is all there is.
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s rings Nour | 7s answers Mia \
         | 9s agent Mia out | 10s call B routine",
        "1s offer A to Nour | 7s offer A to Mia | 10s offer B to Nour",
    );
}

#[test]
fn i31_a_page_that_shows_an_invitation_says_nothing_of_the_person_who_let_it_ring() {
    check(
        "0s browser Nour:room,arm open | 0s browser Nour ready | 1s call A routine | 1s sees Nour | 7.5s gone A \
         | 10s call B routine in room | 10s sees Nour | 11s claims Nour",
        "1s offer A to Nour | 7s rona Nour true | 10s invite Nour to B | 11s rona Nour false | 11s offer B to Nour",
    );
}

#[test]
fn i31_a_vital_call_rings_agents_in_rona_all_the_same() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s rings Nour | 7s answers Mia \
         | 9s call B routine | 10s call C vital",
        "1s offer A to Nour | 7s offer A to Mia | 9s offer B to Nour | 10s offer C to Nour",
    );
}

#[test]
fn a_vital_call_takes_a_sound_ringing_phone_before_one_in_rona() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 2s rings Nour | 7s rings Mia \
         | 9.5s call B vital",
        "1s offer A to Nour | 7s stop A at Nour: TimedOut | 7s offer A to Mia | 9.5s stop A at Mia: Rescinded \
         | 9.5s offer B to Mia | 9.5s offer A to Nour",
    );
}

#[test]
fn i16_the_key_ends_the_wrap_up_whatever_becomes_of_the_call_it_takes() {
    check(
        "wrap-up 20s | 0s agent Nour ready | 1s call A routine | 1s answers Nour | 2s hangs-up Nour | 3s call B routine \
         | 3s key Nour | 4s lost Nour | 6s pass",
        "1s offer A to Nour | 3s offer B to Nour | 5s offer B to Nour",
    );
}

#[test]
fn who_is_in_a_call_nobody_offered_is_rung_for_nothing_else() {
    let mut trial =
        Trial::run("0s agent Nour ready | 0s agent Mia absent | 1s call A routine | 2s agent Mia ready");
    let (agent, call) = (trial.agent("Nour"), CallId { centre: CENTRE, serial: Serial(99) });
    trial.tell(Fact::Beside { agent, call });
    assert_eq!(trial.floor.agent(agent).and_then(|nour| nour.call), Some(call));
    let (_, last) = trial.transcript.split_at(trial.transcript.len().saturating_sub(5));
    assert!(last.iter().any(|line| line == "2s stop A at Nour: Rescinded"), "{last:?}");
    assert!(last.iter().any(|line| line == "2s offer A to Mia"), "{last:?}");
}

#[test]
fn an_always_ready_desk_that_signed_out_is_ready_when_it_signs_in() {
    check(
        "0s always Nour | 1s agent Nour out | 2s call A routine | 3s agent Nour signs-in",
        "3s offer A to Nour",
    );
    check("0s agent Nour ready | 1s agent Nour out | 2s call A routine | 3s agent Nour signs-in", "");
}

#[test]
fn an_always_ready_desk_needs_no_key() {
    check("0s always Desk | 1s call A routine", "1s offer A to Desk");
}

#[test]
fn who_signs_in_is_paused_until_ready_is_said() {
    check("0s agent Nour signs-in | 1s call A routine | 2s agent Nour ready", "2s offer A to Nour");
}

#[test]
fn why_a_page_can_or_cannot_be_rung_is_told() {
    let mut trial = Trial::run("0s browser Nour open | 1s pass");
    let agent = trial.agent("Nour");
    let mut told = |fact: Fact| {
        let before = trial.transcript.len();
        trial.tell(fact);
        let told = trial.transcript[before..].iter().find(|line| line.contains("reachable"));
        told.map_or_else(String::new, |line| line.trim_start_matches("1s reachable Nour ").to_owned())
    };
    assert_eq!(told(Fact::PageFit { agent, fit: false }), "false audio-unfit");
    assert_eq!(told(Fact::PageFit { agent, fit: true }), "true page");
    assert_eq!(told(Fact::PageLine { agent, up: false }), "false no-audio");
    assert_eq!(told(Fact::PageFit { agent, fit: false }), "", "no other answer for one reason more");
    assert_eq!(told(Fact::PageFit { agent, fit: true }), "");
    assert_eq!(told(Fact::PageLine { agent, up: true }), "true page");
    assert_eq!(told(Fact::Page { agent, open: false }), "false no-page");
}
