//! Somebody to be called back, and what happens meanwhile: they call themselves, a carrier fails, a
//! confirmed-vital caller needs whoever dials.

mod kit;

use engine::call::event::{Beside, Closing, Event, Seat, Unreached, WhyCallback};
use engine::id::CallId;
use engine::io::{Refusal, Verb};
use engine::site::Role;
use kit::{Room, agent, centre, desks, page, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Desks nobody is ready at, all signed in, and a caller who has hung up after 20 s.
fn abandoned(count: u32) -> (Room, CallId) {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, count, false))]));
    for index in 0..count {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
    abandons(room)
}

fn abandons(mut room: Room) -> (Room, CallId) {
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    let callback = room.callbacks()[0];
    (room, callback)
}

fn ready(room: &mut Room, index: u32) {
    room.by(index, Verb::Ready { agent: agent(index) }).result.expect("ready");
}

/// Two are ready, and one of them accepts the callback; who.
fn accepted(room: &mut Room) -> u32 {
    ready(room, 0);
    ready(room, 1);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(who);
    who
}

fn pause(room: &mut Room, index: u32) {
    room.by(index, Verb::Pause { agent: agent(index), reason: "meal".to_owned() }).result.expect("paused");
}

fn closed(room: &Room) -> Vec<Closing> {
    let all = room.beside().into_iter().filter_map(|it| match it {
        Beside::CallbackClosed { why, .. } => Some(why.clone()),
        _ => None,
    });
    all.collect()
}

fn failed(room: &Room) -> Vec<Unreached> {
    let all = room.beside().into_iter().filter_map(|it| match it {
        Beside::NotReached { how, .. } => Some(*how),
        _ => None,
    });
    all.collect()
}

#[test]
fn i06_a_person_who_calls_back_and_hangs_up_soon_keeps_the_callback_they_had() {
    for waits in [10, 20] {
        let (mut room, callback) = abandoned(2);
        room.pass(120 * SECOND);
        let mut again = room.dial_and_ack("0612345678", "15");
        let (call, _) = room.arrival(1);
        room.chief(Verb::Qualify { call, class: "declared".to_owned() }).result.expect("qualified");
        room.pass(waits * SECOND);
        room.bye(&mut again);
        assert_eq!((closed(&room), room.callbacks()), (vec![], vec![callback]), "one, and the same");
        assert_eq!(room.class_of(callback), "declared", "no less urgent than their second call");
        let who = accepted(&mut room);
        let rung = room.rings_outside().expect("they are called");
        assert!(rung.uri().starts_with("sip:0612345678@"), "{}", rung.uri());
        room.out_says("200 OK");
        assert_eq!((room.ear(who), closed(&room)), (callback, vec![Closing::Reached]));
        room.by(who, Verb::Release { agent: agent(who), call: callback, disposition: None })
            .result
            .expect("released");
        room.rest();
    }
}

#[test]
fn i06_what_a_stage_kept_stays_when_its_caller_calls_and_hangs_up_again() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    let mut caller = room.dial_and_ack("0612345678", "15");
    ready(&mut room, 0);
    room.answer(0);
    let call = room.ear(0);
    let queue = room.queue("regulation");
    let verb = Verb::HandOver { agent: agent(0), call, queue, class: Some("p1".to_owned()), note: None };
    room.by(0, verb).result.expect("handed over");
    pause(&mut room, 0);
    room.bye(&mut caller);
    let [kept] = room.callbacks()[..] else { panic!("kept") };
    let mut again = room.dial_and_ack("0612345678", "15");
    room.pass(10 * SECOND);
    room.bye(&mut again);
    assert_eq!((closed(&room), room.callbacks()), (vec![], vec![kept]));
    let last = room.log.iter().rev().find_map(|(_, it)| match it.event {
        Event::Queued { call, queue, .. } => Some((call, queue)),
        _ => None,
    });
    assert_eq!(last, Some((kept, queue)), "where it stood");
    assert_eq!(room.class_of(kept), "partner", "as urgent as the plan says of who calls again");
    let why = room.beside().into_iter().find_map(|it| match it {
        Beside::CallbackOpened { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(why, Some(WhyCallback::Kept));
    room.rest();
}

#[test]
fn i17_a_person_who_calls_while_they_are_rung_is_put_through_instead() {
    let (mut room, _) = abandoned(2);
    let who = accepted(&mut room);
    room.out_says("180 Ringing");
    let mut again = room.dial_and_ack("0612345678", "15");
    assert!(room.rings_outside().is_none(), "their line is busy with their own call");
    assert_eq!(failed(&room), [Unreached::Busy]);
    let (call, _) = room.arrival(1);
    let answers = (0..2).find(|it| room.ringing(*it).is_some()).expect("an agent is rung");
    room.answer(answers);
    assert_eq!((room.ear(answers), closed(&room)), (call, vec![Closing::CalledAgain]));
    room.pass(600 * SECOND);
    assert!(room.rings_outside().is_none() && room.ringing(who).is_none(), "and nobody calls them");
    room.bye(&mut again);
    room.rest();
}

#[test]
fn i06_a_carrier_that_fails_uses_up_no_attempt() {
    let (mut room, callback) = abandoned(2);
    ready(&mut room, 0);
    ready(&mut room, 1);
    for _ in 0..5 {
        let who = (0..2).find(|it| room.ringing(*it).is_some()).expect("offered again");
        room.answer(who);
        if room.rings_outside().is_some() {
            room.out_says("503 Service Unavailable");
        }
        assert!((0..2).all(|it| room.ringing(it).is_none()), "left alone for a while");
        room.pass(61 * SECOND);
    }
    assert_eq!((failed(&room), closed(&room)), (vec![Unreached::Failed; 5], vec![]));
    let dismissed = Verb::DismissCallback { call: callback, reason: "done".to_owned() };
    room.chief(dismissed).result.expect("still there");
    room.rest();
}

#[test]
fn a_number_that_does_not_exist_is_an_attempt() {
    let (mut room, _) = abandoned(2);
    ready(&mut room, 0);
    ready(&mut room, 1);
    for wait in [61, 121, 0] {
        let who = (0..2).find(|it| room.ringing(*it).is_some()).expect("offered");
        room.answer(who);
        room.out_says("404 Not Found");
        room.pass(wait * SECOND);
    }
    assert_eq!(closed(&room), [Closing::Exhausted]);
    room.rest();
}

#[test]
fn i14_whoever_lets_a_persons_phone_ring_is_given_the_vital_caller_who_has_nobody() {
    let (mut room, _) = abandoned(2);
    let who = accepted(&mut room);
    room.out_says("180 Ringing");
    pause(&mut room, 1 - who);
    let mut vital = room.dial_and_ack("0687654321", "1599");
    assert!(room.rings_outside().is_none(), "the person's phone rings no more");
    assert_eq!(room.shows(who).as_deref(), Some("0687654321"), "in the same step");
    assert_eq!((failed(&room), closed(&room)), (vec![Unreached::AgentLost], vec![]), "it is no attempt");
    room.answer(who);
    assert_eq!(room.ear(who), room.arrival(1).0);
    room.bye(&mut vital);
    room.rest();
}

#[test]
fn i14_a_page_that_lets_a_persons_phone_ring_is_given_the_vital_caller_who_has_nobody() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, page::pages(0, 2))]));
    (0..2).for_each(|index| room.page_ready(index));
    (0..2).for_each(|index| pause(&mut room, index));
    let (mut room, _) = abandons(room);
    (0..2).for_each(|index| ready(&mut room, index));
    let who = if room.shown(0).is_some() { 0 } else { 1 };
    room.key(who).result.expect("accepted");
    room.out_says("180 Ringing");
    pause(&mut room, 1 - who);
    let mut vital = room.dial_and_ack("0687654321", "1599");
    assert!(room.rings_outside().is_none());
    room.key(who).result.expect("takes the vital caller");
    assert_eq!(room.ear(who), room.arrival(1).0);
    room.bye(&mut vital);
    room.rest();
}

#[test]
fn i38_who_is_on_a_break_and_dials_by_choice_dials_on() {
    let (mut room, callback) = abandoned(1);
    room.by(0, Verb::Pick { agent: agent(0), call: callback, confirmed: false }).result.expect("picked");
    room.answer(0);
    room.out_says("180 Ringing");
    let mut vital = room.dial_and_ack("0687654321", "1599");
    assert!(room.rings_outside().is_some());
    room.out_says("200 OK");
    assert_eq!(room.ear(0), callback);
    room.by(0, Verb::Release { agent: agent(0), call: callback, disposition: None }).result.expect("over");
    room.bye(&mut vital);
    room.rest();
}

#[test]
fn i38_who_was_told_of_a_vital_caller_and_calls_back_all_the_same_dials_on() {
    let (mut room, callback) = abandoned(1);
    let mut vital = room.dial_and_ack("0687654321", "1599");
    let pick = |confirmed| Verb::Pick { agent: agent(0), call: callback, confirmed };
    assert_eq!(room.by(0, pick(false)).result, Err(Refusal::VitalWaits));
    room.by(0, pick(true)).result.expect("picked");
    room.answer(0);
    ready(&mut room, 0);
    assert!(room.rings_outside().is_some());
    room.out_says("486 Busy Here");
    assert_eq!(room.shows(0).as_deref(), Some("0687654321"), "and then the vital caller");
    room.bye(&mut vital);
    room.rest();
}

#[test]
fn a_caller_who_goes_on_talking_with_a_colleague_is_not_dropped_to_a_callback() {
    let mut people = desks(0, 1, true);
    people.extend(page::pages(1, 1));
    people[1].role = Role::Supervisor;
    people[1].skills.clear();
    let mut room = Room::of(site(vec![centre(plan::STAGED, people)]));
    room.page_ready(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.ear(0);
    let beside = Verb::Watch { agent: agent(1), call, seat: Seat::Speaks };
    room.by(1, beside).result.expect("speaks");
    let drop = Verb::DropToCallback { agent: agent(0), call, note: None };
    assert_eq!(room.by(0, drop.clone()).result, Err(Refusal::Busy));
    assert!(room.callbacks().is_empty());
    room.by(1, Verb::Leave { agent: agent(1), call }).result.expect("left");
    room.by(0, drop).result.expect("alone");
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn a_person_on_the_line_by_a_second_call_is_not_called_back_for_the_first() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 2, false))]));
    (0..2).for_each(|it| {
        room.by(it, Verb::SignIn { agent: agent(it), position: None }).result.expect("signed in");
    });
    let mut first = room.dial_and_ack("0612345678", "15");
    room.pass(10 * SECOND);
    let mut second = room.dial_and_ack("0612345678", "15");
    room.pass(10 * SECOND);
    room.bye(&mut first);
    let [callback] = room.callbacks()[..] else { panic!("its work stays") };
    (0..2).for_each(|it| ready(&mut room, it));
    let rung: Vec<u32> = (0..2).filter(|it| room.ringing(*it).is_some()).collect();
    assert_eq!(rung.len(), 1, "for the call, and not for the callback beside it");
    room.answer(rung[0]);
    assert_eq!((room.ear(rung[0]), closed(&room)), (room.arrival(1).0, vec![Closing::CalledAgain]));
    assert_ne!(room.ear(rung[0]), callback);
    room.bye(&mut second);
    room.pass(600 * SECOND);
    assert!(room.rings_outside().is_none());
    room.rest();
}

#[test]
fn a_person_who_is_being_helped_is_not_called_back_for_a_call_that_broke_meanwhile() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 2, false))]));
    (0..2).for_each(|it| {
        room.by(it, Verb::SignIn { agent: agent(it), position: None }).result.expect("signed in");
    });
    let mut first = room.dial_and_ack("0612345678", "15");
    let call = room.arrival(0).0;
    room.pass(10 * SECOND);
    let mut second = room.dial_and_ack("0612345678", "15");
    let other = room.arrival(1).0;
    room.by(0, Verb::Pick { agent: agent(0), call: other, confirmed: true }).result.expect("picked");
    room.answer(0);
    room.pass(10 * SECOND);
    room.bye(&mut first);
    assert_eq!(room.records.last().map(|it| it.call), Some(call));
    assert!(room.callbacks().is_empty(), "somebody talks with them");
    room.bye(&mut second);
    assert!(room.callbacks().is_empty());
    room.rest();
}

#[test]
fn i06_what_a_stage_was_handed_stays_for_it_though_its_person_is_helped_by_another_call() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    let mut first = room.dial_and_ack("0612345678", "15");
    ready(&mut room, 0);
    room.answer(0);
    let (call, queue) = (room.ear(0), room.queue("regulation"));
    let verb = Verb::HandOver { agent: agent(0), call, queue, class: Some("p1".to_owned()), note: None };
    room.by(0, verb).result.expect("handed over");
    let again = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let other = room.ear(0);
    assert_ne!(other, call);
    room.bye(&mut first);
    let [kept] = room.callbacks()[..] else { panic!("the stage has it yet to do") };
    room.pass(60 * SECOND);
    let queued = |room: &Room| {
        let entered = room.log.iter().filter_map(|(_, it)| match it.event {
            Event::Queued { call, queue, .. } if call == kept => Some(queue),
            _ => None,
        });
        entered.collect::<Vec<_>>()
    };
    assert_eq!(queued(&room), [], "not while they are on the line");
    room.by(0, Verb::Release { agent: agent(0), call: other, disposition: None }).result.expect("released");
    assert!(room.has_bye(&again));
    assert_eq!((queued(&room), closed(&room)), (vec![queue], vec![]));
    let dismissed = Verb::DismissCallback { call: kept, reason: "done".to_owned() };
    room.chief(dismissed).result.expect("still there");
    room.rest();
}

#[test]
fn i06_two_calls_of_one_person_that_both_break_off_leave_one_callback() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    let mut first = room.dial_and_ack("0612345678", "15");
    let mut second = room.dial_and_ack("0612345678", "15");
    room.pass(20 * SECOND);
    room.bye(&mut first);
    room.bye(&mut second);
    assert_eq!((room.callbacks().len(), closed(&room)), (1, vec![]));
    let waiting = room.log.iter().filter(|(_, it)| matches!(it.event, Event::Queued { .. })).count();
    assert_eq!(waiting, 3, "two calls, and the callback once both are gone");
    let dismissed = Verb::DismissCallback { call: room.callbacks()[0], reason: "done".to_owned() };
    room.chief(dismissed).result.expect("still there");
    room.rest();
}
