//! Shared queues: invitations and claims.

use super::trial::check;

#[test]
fn pages_of_a_shared_queue_are_invited_together_and_the_losers_learn_who_won() {
    check(
        "0s agent Nour:room ready | 0s agent Mia:room ready | 0s page Nour open | 0s page Mia open \
         | 1s call A routine in room | 2s claims Mia | 3s answers Mia",
        "1s invite Nour to A | 1s invite Mia to A | 2s end A at Mia: Taken | 2s end A at Nour: AnsweredElsewhere \
         | 2s offer A to Mia | 3s end A at Mia: Taken",
    );
}

#[test]
fn i11_a_claim_takes_the_most_urgent_call_at_that_instant() {
    check(
        "0s agent Nour:room ready | 0s page Nour open | 1s call A routine in room | 2s call B vital in room \
         | 3s claims Nour",
        "1s invite Nour to A | 2s invite Nour to B | 3s offer B to Nour",
    );
}

#[test]
fn a_claim_takes_a_call_from_a_desk_phone_nobody_has_answered() {
    let ringing = "0s agent Desk:room ready | 0s agent Nour:room ready | 0s page Nour open \
                   | 1s call A routine in room";
    check(
        &format!("{ringing} | 2s rings Desk | 3s claims Nour"),
        "1s offer A to Desk | 1s invite Nour to A | 3s stop A at Desk: AnsweredElsewhere | 3s offer A to Nour",
    );
    check(
        &format!("{ringing} | 2s takes Desk"),
        "1s offer A to Desk | 1s invite Nour to A | 2s end A at Nour: AnsweredElsewhere",
    );
}

#[test]
fn an_invitation_ends_with_its_caller_and_another_follows_while_somebody_waits() {
    check(
        "0s agent Nour:room ready | 0s page Nour open | 1s call A routine in room | 2s call B routine in room \
         | 3s gone A | 40s pass",
        "1s invite Nour to A | 3s end A at Nour: CallerGone | 3s invite Nour to B | 33s end B at Nour: TimedOut \
         | 33s invite Nour to B",
    );
}

#[test]
fn i11_an_invited_agent_is_not_rung_for_something_less_urgent() {
    check(
        "0s agent Nour:room,arm ready | 0s page Nour open | 1s call A routine in room | 2s call B routine \
         | 3s claims Nour | 4s answers Nour | 5s hangs-up Nour",
        "1s invite Nour to A | 3s offer A to Nour | 5s offer B to Nour",
    );
}

#[test]
fn an_invited_agent_is_rung_for_something_more_urgent() {
    check(
        "0s agent Nour:room,arm ready | 0s page Nour open | 1s call A routine in room | 2s call B declared \
         | 3s answers Nour | 4s hangs-up Nour",
        "1s invite Nour to A | 2s end A at Nour: Rescinded | 2s offer B to Nour | 3s end B at Nour: Taken \
         | 4s invite Nour to A",
    );
}

#[test]
fn i12_an_invitation_to_many_keeps_one_of_them_and_the_others_are_rung() {
    let two = "0s agent Nour:room,arm ready | 0s agent Mia:room,arm ready | 0s page Nour open | 0s page Mia open \
               | 1s call A routine in room | 2s call B routine";
    check(two, "1s invite Nour to A | 1s invite Mia to A | 2s offer B to Nour");
    // A second item of the room keeps the other.
    let before = "1s invite Nour to A | 1s invite Mia to A";
    check(&two.replace("| 2s", "| 1s call C routine in room | 2s"), before);
    // As soon as the room can do without, whoever waits elsewhere is rung.
    let gone = format!("{} | 3s gone C", two.replace("| 2s", "| 1s call C routine in room | 2s"));
    check(&gone, &format!("{before} | 3s offer B to Nour"));
}

#[test]
fn i12_a_page_that_opens_for_the_room_leaves_the_others_to_be_rung() {
    check(
        "0s agent Nour:room,arm ready | 0s page Nour open | 1s call A routine in room | 2s call B routine \
         | 3s agent Lea:room ready | 3s page Lea open",
        "1s invite Nour to A | 3s offer A to Lea | 3s end A at Nour: Rescinded | 3s offer B to Nour",
    );
}

#[test]
fn i11_only_a_sound_page_that_could_have_the_call_of_the_room_frees_another_to_ring() {
    let zoe = "3s agent Zoe:room,arm ready | 3s page Zoe open";
    check(
        &format!(
            "0s agent Lea:room ready | 0s page Lea open | {zoe} | 4s call A routine in room bars Lea | 5s call B routine"
        ),
        "4s invite Zoe to A",
    );
    // Lea's phone was lost a moment ago.
    check(
        &format!(
            "0s agent Lea:room ready | 0s page Lea open | 1s call X routine in room | 1s claims Lea | 1s lost Lea | 1s gone X \
             | {zoe} | 4s call A routine in room | 5s call B routine"
        ),
        "1s invite Lea to X | 1s offer X to Lea | 4s invite Lea to A | 4s invite Zoe to A",
    );
}

#[test]
fn an_invitation_nobody_takes_keeps_nobody_who_cannot_have_it() {
    check(
        "0s agent Nour:room,arm ready | 0s page Nour open | 1s call A routine in room bars Nour | 2s call B routine",
        "2s offer B to Nour",
    );
}

#[test]
fn a_page_that_closes_leaves_the_phone_to_ring() {
    check(
        "0s agent Nour:room ready | 0s page Nour open | 1s call A routine in room | 2s page Nour closed",
        "1s invite Nour to A | 2s end A at Nour: Rescinded | 2s offer A to Nour",
    );
}

#[test]
fn i14_busy_consoles_are_told_of_a_vital_call_that_nobody_invited_claims() {
    // Mia went for a coffee and her page is open; Nour talks.
    check(
        "0s agent Nour:room ready | 0s page Nour open | 1s call A routine in room | 1s claims Nour | 1s answers Nour \
         | 2s agent Mia:room ready | 2s page Mia open | 3s call B vital in room | 20s claims Nour",
        "1s invite Nour to A | 1s offer A to Nour | 3s invite Mia to B | 9s alert Nour to B | 20s offer B to Nour",
    );
}
