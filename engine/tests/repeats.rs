//! Who calls again: what was said of them counts, what they waited counts, and no more than that.

mod kit;

use engine::call::event::{Beside, Event, Past};
use engine::io::Verb;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn room() -> Room {
    Room::of(site(vec![centre(plan::STAGED, desks(0, 2, true))]))
}

fn repeated(room: &Room) -> Option<(Past, String)> {
    room.beside().into_iter().rev().find_map(|it| match it {
        Beside::Repeated { past, class, .. } => Some((*past, class.clone())),
        _ => None,
    })
}

#[test]
fn a_repeat_after_an_answered_call_is_raised_and_shows_the_earlier_file() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let first = room.ear(0);
    room.bye(&mut caller);
    room.pass(60 * SECOND);
    room.dial_and_ack("0612345678", "15");
    let (again, _) = room.arrival(1);
    let shown = room.beside().into_iter().find_map(|it| match it {
        Beside::Repeated { call, earlier, agent, .. } if *call == again => Some((*earlier, *agent)),
        _ => None,
    });
    assert_eq!(shown, Some((first, Some(agent(0)))));
    assert_eq!(room.class_of(again), "partner", "one class up from unqualified");
}

#[test]
fn a_repeat_never_has_a_lower_class_than_a_person_has_said_nor_takes_over_one() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.ear(0);
    room.by(0, Verb::Qualify { call, class: "p3".to_owned() }).result.expect("qualified");
    room.bye(&mut caller);
    room.pass(60 * SECOND);
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert_eq!(room.class_of(room.arrival(1).0), "partner", "a lower word of before is not taken over");
    room.answer(1);
    let call = room.ear(1);
    room.by(1, Verb::Vital { agent: agent(1), call }).result.expect("confirmed vital");
    room.bye(&mut caller);
    room.pass(60 * SECOND);
    room.dial_and_ack("0612345678", "15");
    assert_eq!(room.class_of(room.arrival(2).0), "vital", "what a person has confirmed stands");
    assert_eq!(repeated(&room), Some((Past::Answered, "vital".to_owned())));
}

#[test]
fn i17_a_redialler_never_overtakes_somebody_of_the_same_class_who_stayed_longer() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    room.by(0, Verb::SignIn { agent: agent(0), position: None }).result.expect("signed in");
    room.dial_and_ack("0600000001", "15");
    room.pass(SECOND);
    let mut impatient = room.dial_and_ack("0600000002", "15");
    room.pass(20 * SECOND);
    room.bye(&mut impatient);
    room.dial_and_ack("0600000002", "15");
    room.pass(SECOND);
    room.dial_and_ack("0600000003", "15");
    let mut shown = Vec::new();
    for _ in 0..3 {
        room.by(0, Verb::Ready { agent: agent(0) });
        shown.push(room.shows(0).expect("rings"));
        let invite = room.answer(0);
        room.phone_bye(0, &invite);
    }
    assert_eq!(shown, ["0600000001", "0600000002", "0600000003"]);
}

#[test]
fn short_and_true_abandons_are_told_apart_everywhere() {
    use engine::call::event::Cause;
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 0, false))]));
    for (number, waited) in [("0600000001", 14), ("0600000002", 15)] {
        let mut caller = room.dial_and_ack(number, "15");
        room.pass(waited * SECOND);
        room.bye(&mut caller);
    }
    let said = room.log.iter().filter_map(|(_, it)| match &it.event {
        Event::Ended { cause, .. } => Some(*cause),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), [Cause::ShortAbandon, Cause::Abandon]);
    let kept = room.records.iter().map(|record| record.cause);
    assert_eq!(kept.collect::<Vec<_>>(), [Some(Cause::ShortAbandon), Some(Cause::Abandon)]);
    room.rest();
}

#[test]
fn a_crew_that_reports_is_put_to_whoever_has_the_file_first() {
    let mut room = room();
    let mut crew = room.dial_and_ack("0388390001", "3900");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    room.bye(&mut crew);
    // The other one has been idle longer from here on, and would be first for anybody else.
    room.pass(60 * SECOND);
    room.dial_and_ack("0388390001", "3900");
    assert_eq!(room.shows(first).as_deref(), Some("0388390001"), "the owner of the file");
    assert!(room.ringing(1 - first).is_none());
    room.pass(11 * SECOND);
    assert!(room.ringing(1 - first).is_some(), "then whoever serves the queue");
}

/// Two pages; the page of the one who talks with the caller dies, and the caller hangs up after this.
fn cut_off(after: Duration) -> Room {
    let mut room = Room::of(site(vec![centre(plan::STAGED, kit::page::pages(0, 2))]));
    room.page_ready(0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.key(0).result.expect("answered");
    let (_, leg) = room.connected(0)[0];
    room.hears(leg);
    room.page(0, false);
    room.page_down(room.page_id(0));
    room.pass(after);
    room.bye(&mut caller);
    room
}

#[test]
fn i34_a_caller_who_redials_after_we_cut_them_off_comes_as_urgent_as_if_they_had_stayed() {
    for after in [3, 20] {
        let mut room = cut_off(after * SECOND);
        let [callback] = room.callbacks()[..] else { panic!("work stays behind, after {after} s") };
        assert_eq!(room.class_of(callback), "vital");
        let why = room.beside().into_iter().find_map(|it| match it {
            Beside::CallbackOpened { why, .. } => Some(*why),
            _ => None,
        });
        assert_eq!(why, Some(engine::call::event::WhyCallback::Broken));
        let mut again = room.dial_and_ack("0612345678", "15");
        assert_eq!(repeated(&room), Some((Past::Broken, "vital".to_owned())), "after {after} s");
        assert_eq!(room.class_of(room.arrival(1).0), "vital");
        room.bye(&mut again);
    }
}

#[test]
fn a_call_that_somebody_took_up_again_after_a_loss_was_answered_and_not_broken() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, kit::page::pages(0, 1))]));
    room.page_ready(0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.key(0).result.expect("answered");
    let (_, leg) = room.connected(0)[0];
    room.hears(leg);
    room.silent(leg, 1);
    room.pass(SECOND);
    room.hears(leg);
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    assert!(room.callbacks().is_empty());
    room.dial_and_ack("0612345678", "15");
    assert_eq!(repeated(&room).map(|(past, _)| past), Some(Past::Answered));
}
