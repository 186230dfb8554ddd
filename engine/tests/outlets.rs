//! A queue that cannot serve: another centre, or a number outside, while the caller keeps the place.

mod kit;

use engine::call::event::{Beside, Event};
use engine::id::{AgentId, CentreId};
use engine::io::Verb;
use engine::site::CentreSite;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The plan of the stages, with this way out of its front desk.
fn with_overflow(rule: &str) -> String {
    plan::STAGED.replace("stage  = \"front\"\n", &format!("stage  = \"front\"\noverflow = [{rule}]\n"))
}

/// A centre whose front desk overflows so, nobody signed in.
fn room(rule: &str) -> Room {
    Room::of(site(vec![centre(&with_overflow(rule), desks(0, 1, false))]))
}

fn overflowed(room: &Room) -> bool {
    room.beside().into_iter().any(|it| matches!(it, Beside::Overflowed { .. }))
}

const OUT: &str = r#"{ when = ["waited"], after = "20s", to = "trunk:trunk-1", number = "+33388000099" }"#;

#[test]
fn a_caller_leaves_the_queue_when_a_human_outside_has_answered_and_not_before() {
    let mut room = room(OUT);
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(19 * SECOND);
    assert!(room.rings_outside().is_none());
    room.pass(2 * SECOND);
    let rung = room.rings_outside().expect("rings outside");
    assert!(rung.uri().starts_with("sip:+33388000099@"), "{}", rung.uri());
    room.out_says("180 Ringing");
    assert!(!overflowed(&room), "ringing is not answered");
    room.out_says("200 OK");
    assert!(overflowed(&room));
    let (_, leg) = room.arrival(0);
    assert_eq!(room.hearing(leg), None, "in the conversation");
    room.pass(30 * SECOND);
    room.out_bye(&rung);
    assert!(room.has_bye(&caller), "whoever had the call has ended it");
    let outlet = room.records[0].course.outlets[0].clone();
    assert!(outlet.answered.is_some() && outlet.to == "trunk:trunk-1");
    room.rest();
}

#[test]
fn nobody_outside_answers_and_the_caller_is_at_the_same_place() {
    let mut room = room(OUT);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    room.out_says("486 Busy Here");
    let failed =
        room.beside().into_iter().any(|it| matches!(it, Beside::OverflowFailed { code: Some(486), .. }));
    assert!(failed && !overflowed(&room));
    let entered = room.log.iter().filter(|(_, it)| matches!(it.event, Event::Queued { .. })).count();
    assert_eq!(entered, 1, "it never left");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_caller_who_hangs_up_stops_the_phone_outside_in_the_same_step() {
    let mut room = room(OUT);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    let rung = room.rings_outside().expect("rings outside");
    room.out_says("180 Ringing");
    room.bye(&mut caller);
    let cancel = room.last(&kit::trunk_at(1), rung.call_id(), |it| it.method() == Some("CANCEL"));
    assert!(cancel.is_some());
    room.rest();
}

/// A second centre with a ready desk, and the first overflowing to it when a person says so.
fn two_centres() -> Room {
    let rule = r#"{ when = ["opened"], to = "centre:samu-68", mode = "additive" }"#;
    let home = centre(&with_overflow(rule), desks(0, 1, false));
    let other = CentreSite { name: "samu-68".to_owned(), ..centre(plan::STAGED, desks(5, 1, true)) };
    Room::of(site(vec![home, other]))
}

#[test]
fn another_centre_helps_when_a_person_opens_it_and_the_place_at_home_is_kept() {
    let mut room = two_centres();
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert!(room.ringing(5).is_none());
    let queue = room.queue("front");
    room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
    assert_eq!(room.shows(5).as_deref(), Some("0612345678"), "in the same step");
    assert!(!overflowed(&room), "it waits at home all the same");
    room.answer(5);
    assert!(overflowed(&room));
    let there = AgentId { centre: CentreId(1), index: 0 };
    let answered = room.log.iter().any(|(_, it)| {
        it.centre == CentreId(1) && matches!(it.event, Event::Connected { agent, .. } if agent == there)
    });
    assert!(answered);
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    let gone = room.beside().into_iter().any(|it| matches!(it, Beside::GuestGone { .. }));
    assert!(gone, "no longer the other centre's concern");
    assert_eq!(room.records.len(), 1);
    room.rest();
}

#[test]
fn i02_whoever_is_first_at_home_or_abroad_has_the_call() {
    let mut room = two_centres();
    let mut caller = room.dial_and_ack("0612345678", "15");
    let queue = room.queue("front");
    room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert!(room.ringing(0).is_some() && room.ringing(5).is_some());
    room.phone_says(5, "180 Ringing");
    room.answer(0);
    assert!(room.ringing(5).is_none(), "answered elsewhere");
    assert!(!overflowed(&room));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_caller_handed_over_and_answered_outside_is_nobodys_to_call_again() {
    let overflow = format!("stage  = \"regulation\"\noverflow = [{OUT}]\n");
    let text = plan::STAGED.replace("stage  = \"regulation\"\n", &overflow);
    let mut room = Room::of(site(vec![centre(&text, desks(0, 1, true))]));
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (call, queue) = (room.ear(0), room.queue("regulation"));
    let verb = Verb::HandOver { agent: agent(0), call, queue, class: None, note: None };
    room.by(0, verb).result.expect("handed over");
    room.pass(21 * SECOND);
    room.out_says("200 OK");
    assert!(overflowed(&room));
    room.pass(600 * SECOND);
    let due = room.beside().into_iter().any(|it| matches!(it, Beside::RecontactDue { .. }));
    assert!(!due, "somebody talks with them");
    room.bye(&mut caller);
    assert!(room.callbacks().is_empty(), "no work stays behind");
    room.rest();
}

#[test]
fn somebody_outside_has_the_caller_of_a_lost_agent_and_the_other_phone_stops_ringing() {
    let mut room = Room::of(site(vec![centre(&with_overflow(OUT), kit::page::pages(0, 1))]));
    room.page_ready(0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (_, leg) = room.connected(0)[0];
    room.hears(leg);
    room.pass(20 * SECOND);
    room.page(0, false);
    room.page_down(room.page_id(0));
    room.pass(4 * SECOND);
    room.phone_says(50, "180 Ringing");
    room.pass(2 * SECOND);
    assert!(room.ringing(50).is_some());
    room.pass(20 * SECOND);
    room.out_says("200 OK");
    assert!(overflowed(&room) && room.ringing(50).is_none());
    room.bye(&mut caller);
    room.rest();
}
