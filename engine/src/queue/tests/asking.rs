//! How agents are asked: strategies, several at once, widening, pick queues, alerts, joins, keys.

use super::trial::{Trial, check, check_on, queues};
use crate::io::Refusal;
use crate::queue::{Fact, Floor};

fn front(offer: &str) -> String {
    queues(&format!("[queue.front]\nskills = [\"arm\"]\noffer = {offer}\n"))
}

const THREE: &str = "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready";

#[test]
fn linear_asks_the_first_free_one_of_the_roster() {
    let plan = front("{ mode = \"exclusive\", strategy = \"linear\", ring = \"6s\" }");
    check_on(
        &plan,
        &format!(
            "{THREE} | 1s call A routine | 2s answers Nour | 3s hangs-up Nour | 4s call B routine | 4s call C routine"
        ),
        "1s offer A to Nour | 4s offer B to Nour | 4s offer C to Mia",
    );
}

#[test]
fn least_occupied_asks_who_has_talked_least_and_who_comes_late_starts_level() {
    let plan = front("{ mode = \"exclusive\", strategy = \"least-occupied\", ring = \"6s\" }");
    check_on(
        &plan,
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B routine | 1s answers Nour | 1s answers Mia \
         | 5s hangs-up Nour | 9s hangs-up Mia | 10s agent Lea ready | 11s call C routine | 11s answers Nour | 18s hangs-up Nour \
         | 19s call D routine | 19s call E routine | 19s call F routine",
        "1s offer A to Nour | 1s offer B to Mia | 11s offer C to Nour | 19s offer D to Lea | 19s offer E to Mia | 19s offer F to Nour",
    );
}

const PAIR: &str = "{ mode = \"exclusive\", strategy = \"ring-2\", ring = \"6s\" }";

#[test]
fn two_are_rung_at_once_and_the_first_to_answer_has_the_call() {
    check_on(
        &front(PAIR),
        &format!("{THREE} | 1s call A routine | 2s takes Mia"),
        "1s offer A to Nour | 1s offer A to Mia | 2s stop A at Nour: AnsweredElsewhere",
    );
}

#[test]
fn i02_the_second_to_answer_is_told_that_the_offer_is_over() {
    let trial = Trial::run_on(&front(PAIR), &format!("{THREE} | 1s call A routine | 2s takes Mia"));
    let late = trial.last_offer("Nour");
    assert_eq!(trial.floor.allows(&Fact::Taken { offer: late }), Err(Refusal::Gone));
    let place = trial.floor.place(trial.work("A")).expect("being bridged");
    assert_eq!(place.offer, Some(trial.last_offer("Mia")));
}

#[test]
fn i12_who_let_one_call_go_rings_beside_another_for_the_next() {
    check_on(
        &front(PAIR),
        "0s agent Mia ready | 1s call A routine | 2s rejects Mia | 2s call X routine | 2s answers Mia | 10s agent Lea ready \
         | 11s call B routine | 12s agent Nour ready | 13s hangs-up Mia",
        "1s offer A to Mia | 2s offer X to Mia | 10s offer A to Lea | 12s offer B to Nour | 13s offer B to Mia",
    );
}

#[test]
fn i12_who_rings_beside_another_is_given_to_a_caller_who_has_nobody() {
    check_on(
        &front(PAIR),
        &format!("{THREE} | 1s call A routine | 2s call B routine | 3s call C routine | 4s call D routine"),
        "1s offer A to Nour | 1s offer A to Mia | 2s offer B to Lea | 3s stop A at Mia: Rescinded | 3s offer C to Mia",
    );
    // But not one of a confirmed-vital call, for a lower one.
    check_on(
        &front(PAIR),
        "0s agent Nour ready | 0s agent Mia ready | 1s call A vital | 2s call B routine | 3s call C vital",
        "1s offer A to Nour | 1s offer A to Mia | 3s stop A at Mia: Rescinded | 3s offer C to Mia",
    );
}

#[test]
fn one_of_two_fails_and_the_third_is_rung_in_its_place() {
    check_on(
        &front(PAIR),
        &format!("{THREE} | 1s call A routine | 2s busy Nour | 2.5s call B routine"),
        "1s offer A to Nour | 1s offer A to Mia | 2s offer A to Lea | 2.5s stop A at Lea: Rescinded | 2.5s offer B to Lea",
    );
}

const WIDENING: &str = "[queue.front]\nskills = [\"arm\"]\noffer = { mode = \"shared\", ring = [{ at = \"0s\", agents = 1 }, \
                        { at = \"2s\", agents = 2 }, { at = \"4s\", agents = \"all\" }] }\n[queue.side]\nskills = [\"side\"]\n\
                        offer = { mode = \"exclusive\", ring = \"6s\" }\n";

const PAGES: &str = "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea ready | 0s agent Zoe ready | 0s page Nour open \
                     | 0s page Mia open | 0s page Lea open | 0s page Zoe open";

#[test]
fn a_shared_offer_widens_at_its_times_and_behind_the_fence_at_once() {
    let plan = queues(WIDENING);
    check_on(
        &plan,
        &format!("{PAGES} | 1s call A routine | 6s pass"),
        "1s invite Nour to A | 3s invite Mia to A | 5s invite Lea to A | 5s invite Zoe to A",
    );
    check_on(
        &plan,
        &format!("{PAGES} | 1s call A vital"),
        "1s invite Nour to A | 1s invite Mia to A | 1s invite Lea to A | 1s invite Zoe to A",
    );
    // Who was invited and leaves is followed by the next.
    check_on(
        &plan,
        &format!("{PAGES} | 1s call A routine | 2s agent Nour pauses"),
        "1s invite Nour to A | 2s invite Mia to A",
    );
}

#[test]
fn a_second_key_takes_the_next_call() {
    check_on(
        &queues(WIDENING),
        &format!("{PAGES} | 1s call A routine | 2s call B vital | 3s key Mia | 3s key Zoe"),
        "3s offer B to Mia | 3s offer A to Zoe",
    );
}

#[test]
fn i11_who_is_invited_to_a_vital_call_is_given_nothing_lower() {
    let plan = queues(WIDENING);
    let both = "0s agent Nour:arm,side ready | 0s page Nour open";
    check_on(&plan, &format!("{both} | 1s call A vital | 2s call B routine in side"), "1s invite Nour to A");
    check_on(
        &plan,
        &format!("{both} | 1s call A routine | 2s call B routine in side"),
        "1s invite Nour to A",
    );
    check_on(
        &plan,
        &format!("{both} | 1s call A routine | 2s call B declared in side"),
        "1s invite Nour to A | 2s offer B to Nour",
    );
    // Nothing makes room before the fence.
    check_on(
        &plan,
        &format!("{both} | 1s call A routine in side | 2s call B declared"),
        "1s offer A to Nour",
    );
    // Both become possible in one step: the vital one is shown before the lower one rings.
    check_on(
        &plan,
        "0s agent Nour:arm,side absent | 0s page Nour open | 1s call A vital | 1s call B routine in side | 2s agent Nour ready",
        "2s invite Nour to A",
    );
}

#[test]
fn i11_a_lower_call_ringing_at_a_page_makes_room_for_a_vital_one_of_a_shared_queue() {
    check_on(
        &queues(WIDENING),
        "0s agent Nour:arm,side ready | 0s page Nour open | 1s call A routine in side | 2s call B vital",
        "1s offer A to Nour | 2s stop A at Nour: Rescinded | 2s invite Nour to B",
    );
}

#[test]
fn a_page_that_rings_beside_another_for_a_vital_call_is_left_to_it() {
    let plan = queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\noffer = {PAIR}\n[queue.room]\nskills = [\"room\"]\n\
         offer = {{ mode = \"shared\", ring = [{{ at = \"0s\", agents = \"all\" }}] }}\n"
    ));
    let two = "0s agent Nour:arm ready | 0s agent Zoe:arm,room ready | 0s page Zoe open";
    let trial = Trial::run_on(&plan, &format!("{two} | 1s call A vital | 2s call B vital in room | 3s pass"));
    let invited = trial.transcript.iter().any(|line| line.contains("invite"));
    assert!(!invited, "{:?}", trial.transcript);
    let rings = trial.floor.offer(trial.last_offer("Zoe")).map(|offer| offer.work);
    assert_eq!(rings, Some(trial.work("A")));
}

#[test]
fn a_vital_call_does_not_come_back_at_once_to_who_rejected_it_and_is_invited_to_another() {
    check(
        "0s agent Nour:arm,room ready | 0s page Nour open | 1s call A vital in room | 2s call B vital credit 5s | 3s rejects Nour \
         | 6s pass",
        "1s invite Nour to A | 2s offer B to Nour | 3s invite Nour to A | 5s offer B to Nour",
    );
}

#[test]
fn i12_a_second_page_for_the_room_leaves_the_first_to_ring_beside_another_phone() {
    let offer = "{ mode = \"shared\", ring = [{ at = \"0s\", agents = \"all\" }] }";
    let plan = queues(&format!(
        "[queue.front]\nskills = [\"arm\"]\noffer = {PAIR}\n[queue.room]\nskills = [\"room\"]\noffer = {offer}\n"
    ));
    check_on(
        &plan,
        "0s agent Nour ready | 0s agent Zoe:arm,room ready | 0s page Zoe open | 0s agent Lea:room absent | 0s page Lea open \
         | 1s call A routine in room | 2s call B routine | 3s agent Lea ready",
        "1s invite Zoe to A | 2s offer B to Nour | 3s invite Lea to A | 3s offer B to Zoe",
    );
    // Nor does it keep one who has let a phone ring out, where there is nobody else.
    check(
        "0s agent Zoe:arm,room ready | 0s page Zoe open | 0s agent Lea:room absent | 0s page Lea open | 1s call X routine \
         | 1s rings Zoe | 7s pass | 8s gone X | 9s call A routine in room | 10s call B routine | 20s agent Lea ready",
        "1s offer X to Zoe | 9s invite Zoe to A | 20s offer B to Zoe | 20s invite Lea to A",
    );
}

const LIST: &str = "[queue.front]\nskills = [\"arm\"]\noffer = { mode = \"pick\", push = [\"vital\", \"declared\"], ring = \"6s\" }\n";

#[test]
fn a_pick_queue_asks_nobody_but_for_what_is_pushed() {
    let plan = queues(LIST);
    check_on(
        &plan,
        "0s agent Nour ready | 1s call A routine | 2s call B declared | 3s answers Nour | 4s hangs-up Nour | 5s class A vital",
        "2s offer B to Nour | 5s offer A to Nour",
    );
    check_on(
        &plan,
        "0s agent Nour ready | 1s call A routine | 2s call B routine | 3s picks Nour B",
        "3s offer B to Nour",
    );
    check_on(
        &plan,
        "0s agent Nour ready | 1s call A partner | 2s call B routine | 3s key Nour",
        "3s offer A to Nour",
    );
}

#[test]
fn i11_a_pick_before_a_vital_call_wants_one_confirmation_and_is_counted() {
    let mut trial =
        Trial::run("0s agent Nour ready | 0s agent Nour pauses | 1s call A routine | 2s call B vital");
    let (agent, work) = (trial.agent("Nour"), trial.work("A"));
    let pick = |work, confirmed| Fact::Pick { agent, work, lifted: false, confirmed };
    assert_eq!(trial.floor.allows(&pick(work, false)), Err(Refusal::VitalWaits));
    assert_eq!(trial.floor.allows(&pick(trial.work("B"), false)), Ok(()));
    trial.tell(pick(work, true));
    let figures = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    assert_eq!((figures.picked, figures.picked_over_vital), (1, 1));

    // A vital call that rings at somebody sound does not wait.
    let trial = Trial::run(
        "0s agent Nour ready | 0s agent Mia ready | 1s call B vital | 2s call A partner | 3s call C routine",
    );
    let (agent, work) = (trial.agent("Mia"), trial.work("C"));
    let pick = Fact::Pick { agent, work, lifted: false, confirmed: false };
    assert_eq!(trial.floor.allows(&pick), Ok(()));
}

#[test]
fn who_picks_what_rings_at_the_own_page_takes_it_and_who_picks_another_lets_it_go() {
    let ringing = "0s browser Nour open | 0s browser Nour ready | 1s call A routine | 1s call B routine";
    check(&format!("{ringing} | 1s key Nour"), "1s offer A to Nour | 1s take A by Nour");
    check(&format!("{ringing} | 1s picks Nour A"), "1s offer A to Nour | 1s take A by Nour");
    check(
        &format!("{ringing} | 1s picks Nour B"),
        "1s offer A to Nour | 1s stop A at Nour: Rescinded | 1s offer B to Nour",
    );
}

#[test]
fn a_page_beside_a_desk_phone_does_not_ring_for_it() {
    check(
        "0s browser Nour open | 0s browser Nour ready | 1s call A routine | 1s sees Nour | 7s pass",
        "1s offer A to Nour | 7s rona Nour true",
    );
    check(
        "0s agent Nour ready | 0s page Nour open | 1s call A routine | 2s sees Nour | 8s pass",
        "0s reachable Nour true fixed-address | 1s offer A to Nour | 7s reachable Nour false unreachable | 8s offer A to Nour",
    );
}

#[test]
fn a_pick_is_counted_and_one_that_passes_nobody_over_is_not_counted_twice() {
    let trial =
        Trial::run("0s agent Nour ready | 0s agent Nour pauses | 1s call A routine | 2s picks Nour A");
    let figures = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    assert_eq!((figures.picked, figures.picked_over_vital), (1, 0));
}

#[test]
fn a_call_that_rings_at_a_colleague_is_picked_up_most_urgent_first() {
    check(
        "0s agent Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B partner | 2s agent Lea pauses | 3s picks-up Lea",
        "1s offer A to Nour | 1s offer B to Mia | 3s stop B at Mia: AnsweredElsewhere | 3s offer B to Lea",
    );
    let trial = Trial::run("0s agent Nour ready | 0s agent Doc:mr ready | 1s call A routine");
    assert_eq!(
        trial.floor.allows(&Fact::PickUp { agent: trial.agent("Nour"), confirmed: false }),
        Err(Refusal::Gone),
        "it is hers"
    );
    assert_eq!(
        trial.floor.allows(&Fact::PickUp { agent: trial.agent("Doc"), confirmed: false }),
        Err(Refusal::Gone),
        "another group"
    );
}

#[test]
fn group_pick_up_asks_once_while_a_vital_call_has_nobody_and_is_counted_as_a_pick() {
    // Nour was rung for the vital call and said no: she may take it still, and the lower one rings at Mia.
    let mut trial = Trial::run(
        "0s agent Mia ready | 1s call B routine | 2s agent Nour ready | 2s agent Nour pauses | 2s call A vital",
    );
    let agent = trial.agent("Nour");
    let picks_up = |confirmed| Fact::PickUp { agent, confirmed };
    assert_eq!(
        trial.floor.rings_in_the_group_of(agent),
        Some(trial.work("A")),
        "the match rings vital first"
    );
    assert_eq!(trial.floor.allows(&picks_up(false)), Ok(()), "it is the vital one");
    trial.tell(picks_up(false));
    let figures = trial.floor.figures(trial.now, trial.queue("front")).expect("a queue");
    assert_eq!((figures.picked, figures.picked_over_vital), (1, 0));
    let mut trial = Trial::run(
        "0s agent Mia:mr ready | 1s call B routine in doctors | 2s agent Nour:arm,mr ready | 2s agent Nour pauses \
         | 2s call A vital",
    );
    let agent = trial.agent("Nour");
    let picks_up = |confirmed| Fact::PickUp { agent, confirmed };
    assert_eq!(trial.floor.allows(&picks_up(false)), Err(Refusal::VitalWaits));
    assert_eq!(trial.floor.allows(&picks_up(true)), Ok(()));
    trial.tell(picks_up(true));
    let figures = trial.floor.figures(trial.now, trial.queue("doctors")).expect("a queue");
    assert_eq!((figures.picked, figures.picked_over_vital), (1, 1));
}

const TALKING: &str = "0s agent Nour ready | 0s page Nour open | 1s call X routine | 1s answers Nour";

#[test]
fn i14_busy_consoles_are_alerted_in_the_step_in_which_a_vital_call_has_nobody() {
    check(&format!("{TALKING} | 2s call A vital"), "1s offer X to Nour | 2s alert Nour to A");
    check(
        &format!("{TALKING} | 2s call A routine | 3s class A vital"),
        "1s offer X to Nour | 3s alert Nour to A",
    );
    // The last free one is taken by another vital call.
    check(
        &format!("{TALKING} | 2s agent Mia ready | 3s call A vital | 3s call B vital"),
        "1s offer X to Nour | 3s offer A to Mia | 3s alert Nour to B",
    );
    // Nobody is alerted for a lower call, at a desk without a page, or while paused.
    check(&format!("{TALKING} | 2s call A declared"), "1s offer X to Nour");
    check(
        "0s agent Nour ready | 1s call X routine | 1s answers Nour | 2s call A vital | 3s pass",
        "1s offer X to Nour",
    );
}

#[test]
fn i14_a_second_vital_call_is_alerted_in_its_own_step_at_another_busy_console() {
    let two = "0s agent Nour ready | 0s page Nour open | 0s agent Mia ready | 0s page Mia open | 1s call X routine \
               | 1s answers Nour | 1s call Y routine | 1s answers Mia";
    let busy = "1s offer X to Nour | 1s offer Y to Mia";
    // Both consoles show the first; the second takes one of them, and the first keeps the other.
    check(
        &format!("{two} | 2s call A vital | 3s call B vital"),
        &format!("{busy} | 2s alert Nour to A | 2s alert Mia to A | 3s alert Nour to B"),
    );
    // There are as many consoles as calls: the third finds none, and the key takes the most urgent.
    check(
        &format!("{two} | 2s call A vital | 3s call B vital | 4s call C vital credit 9s | 5s claims Mia"),
        &format!("{busy} | 2s alert Nour to A | 2s alert Mia to A | 3s alert Nour to B | 5s offer C to Mia"),
    );
    // Somebody is rung for the first: its console may be had for the second.
    check(
        &format!("{TALKING} | 2s call A vital | 3s agent Mia ready | 4s call B vital"),
        "1s offer X to Nour | 2s alert Nour to A | 3s offer A to Mia | 4s alert Nour to B",
    );
    // The first is taken: whoever was alerted for it hears of the second before the step ends.
    check(
        &format!("{TALKING} | 2s call A vital | 3s call B vital | 4s agent Mia ready | 5s takes Mia"),
        "1s offer X to Nour | 2s alert Nour to A | 4s offer A to Mia | 4s alert Nour to B",
    );
}

#[test]
fn an_alert_is_answered_by_setting_aside_what_is_in_the_ear() {
    check(
        &format!("{TALKING} | 2s call A vital | 3s claims Nour | 4s answers Nour"),
        "1s offer X to Nour | 1s end X at Nour: Taken | 2s alert Nour to A | 3s end A at Nour: Taken | 3s offer A to Nour \
         | 4s end A at Nour: Taken",
    );
}

#[test]
fn an_alert_ends_with_its_reason() {
    check(
        &format!("{TALKING} | 2s call A vital | 3s gone A"),
        "1s offer X to Nour | 2s alert Nour to A | 3s withdrawn A after 1s",
    );
    // The agent hangs up and is rung for it instead; somebody else has taken it; it is no longer vital.
    check(
        &format!("{TALKING} | 2s call A vital | 3s hangs-up Nour"),
        "1s offer X to Nour | 2s alert Nour to A | 3s offer A to Nour",
    );
    check(
        &format!("{TALKING} | 2s call A vital | 3s agent Mia ready | 4s takes Mia | 5s lost Mia | 6s pass"),
        "1s offer X to Nour | 2s alert Nour to A | 3s offer A to Mia | 5s alert Nour to A | 6s offer A to Mia",
    );
    check(
        &format!("{TALKING} | 2s call A vital | 3s class A routine | 4s class A vital"),
        "1s offer X to Nour | 2s alert Nour to A | 4s alert Nour to A",
    );
    // It lapses on a page that does not react, and follows anew.
    check(
        &format!("{TALKING} | 2s call A vital | 33s pass"),
        "1s offer X to Nour | 2s alert Nour to A | 32s alert Nour to A",
    );
}

#[test]
fn an_alert_is_over_when_the_agent_is_free_and_asked_like_everybody() {
    check(
        "0s agent Nour:room ready | 0s page Nour open | 1s call X routine in room | 1s claims Nour | 1s answers Nour \
         | 2s call A vital in room | 3s hangs-up Nour",
        "1s invite Nour to X | 1s end X at Nour: Taken | 1s offer X to Nour | 1s end X at Nour: Taken | 2s alert Nour to A \
         | 3s end A at Nour: Rescinded | 3s invite Nour to A",
    );
}

#[test]
fn i11_an_alert_that_is_claimed_takes_the_most_urgent_caller_who_has_nobody() {
    let alerted = format!("{TALKING} | 5s call A vital");
    check(
        &format!("{alerted} | 6s call B vital credit 4s | 7s claims Nour"),
        "1s offer X to Nour | 5s alert Nour to A | 7s offer B to Nour",
    );
    check(
        &format!("{alerted} | 6s call B vital | 6s call C declared | 7s claims Nour"),
        "1s offer X to Nour | 5s alert Nour to A | 7s offer A to Nour",
    );
    // Who is wanted beside a colleague is no caller who has nobody.
    check(
        &format!("{alerted} | 6s call J vital as join credit 4s | 7s claims Nour"),
        "1s offer X to Nour | 5s alert Nour to A | 7s offer A to Nour",
    );
}

#[test]
fn whoever_is_wanted_beside_a_lower_conversation_is_given_the_caller_who_waits() {
    let room = "0s agent Nour:arm ready | 0s page Nour open";
    check(
        &format!("{room} | 1s call A routine as join | 2s call B routine"),
        "1s join Nour to A | 2s offer B to Nour",
    );
    check(&format!("{room} | 1s call A vital as join | 2s call B routine"), "1s join Nour to A");
}

#[test]
fn a_join_asks_free_pages_together_phones_one_by_one_and_busy_pages_after_a_while() {
    let doctors = "0s agent Nour:mr ready | 0s page Nour open | 0s agent Mia:mr ready | 0s page Mia open | 0s agent Desk:mr ready \
                   | 1s call X routine in doctors | 1s answers Nour";
    let asked = "1s offer X to Nour | 2s join Mia to A | 2s offer A to Desk";
    check(&format!("{doctors} | 2s call A vital in doctors as join | 3s takes Desk"), asked);
    check(
        &format!("{doctors} | 2s call A vital in doctors as join | 3s rings Desk | 12s pass"),
        &format!("{asked} | 10s offer A to Desk | 12s join Nour to A"),
    );
    assert_eq!(Floor::JOIN_ALERTS_AFTER.as_secs(), 10);
    // Whoever comes is bound to that conversation, even while a vital caller waits.
    check(
        &format!(
            "{doctors} | 2s call A vital in doctors as join | 3s call B vital in doctors | 4s claims Mia"
        ),
        "1s offer X to Nour | 2s join Mia to A | 2s offer A to Desk | 3s offer B to Mia",
    );
}

#[test]
fn a_vital_call_is_put_through_only_to_who_wants_it_and_has_shown_to_be_there() {
    let plan = queues(
        "[queue.front]\nskills = [\"arm\"]\noffer = { mode = \"exclusive\", ring = \"6s\" }\nvital = { auto_answer = true }\n",
    );
    let there = "0s browser Nour open | 0s browser Nour ready";
    check_on(
        &plan,
        &format!("{there} | 0s auto-answer Nour | 1s call A vital"),
        "1s offer A to Nour at once",
    );
    check_on(&plan, &format!("{there} | 0s auto-answer Nour | 1s call A routine"), "1s offer A to Nour");
    check_on(&plan, &format!("{there} | 1s call A vital"), "1s offer A to Nour");
    check(&format!("{there} | 0s auto-answer Nour | 1s call A vital"), "1s offer A to Nour");
    // Two minutes without a key or a conversation prove nothing any more.
    check_on(
        &plan,
        &format!("{there} | 0s auto-answer Nour | 120s call A vital"),
        "120s offer A to Nour at once",
    );
    check_on(
        &plan,
        &format!("{there} | 0s auto-answer Nour | 120.1s call A vital"),
        "120.1s offer A to Nour",
    );
}

#[test]
fn a_phone_that_declines_before_it_rings_is_at_fault_and_not_its_agent() {
    let two = "0s agent Nour ready | 0s agent Mia ready | 1s call A routine";
    // By itself: the phone backs off and the next caller goes to somebody else.
    let trial = Trial::run(&format!("{two} | 1s pass"));
    let mut by_itself = trial;
    by_itself.tell(Fact::Failed {
        offer: by_itself.last_offer("Nour"),
        end: crate::call::event::OfferEnd::Rejected,
    });
    assert!(!by_itself.floor.agent(by_itself.agent("Nour")).expect("on the roster").reachable);
    // A person's no, twice in a row: left alone for a moment, not asked once per waiting caller.
    check(
        "0s agent Nour ready | 1s call A routine | 1s call B routine | 1s call C routine | 1s rings Nour | 2s rejects Nour \
         | 3s rejects Nour | 5s answers Nour | 6s hangs-up Nour | 7s rejects Nour",
        "1s offer A to Nour | 2s offer B to Nour | 5s offer A to Nour | 6s offer B to Nour | 7s offer C to Nour",
    );
}

#[test]
fn a_phone_that_comes_back_while_it_is_rung_is_rung_where_it_is() {
    check(
        "0s agent Nour ready | 1s call A routine | 2s phone Nour back",
        "1s offer A to Nour | 2s stop A at Nour: Rescinded | 2s offer A to Nour",
    );
    check(
        "0s agent Nour ready | 1s call A routine | 1s rings Nour | 2s phone Nour back",
        "1s offer A to Nour",
    );
}

#[test]
fn a_conversation_that_has_asked_for_ten_seconds_calls_busy_agents_whoever_else_has_just_come() {
    check(
        "0s agent Nour ready | 0s page Nour open | 0s call X routine | 0s answers Nour | 1s call A vital as join \
         | 5s call B vital as join credit 60s | 16s pass",
        "0s offer X to Nour | 11s join Nour to A",
    );
}
