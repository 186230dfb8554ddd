//! A confirmed vital call may be put through without a key: where the queue allows it, to an agent who
//! wants it so and has shown a moment ago that they are there.

mod kit;

use engine::call::event::{Actor, Event, OfferEnd};
use engine::io::{Input, Verb};
use engine::media::{MediaCommand, MediaEvent, Program};
use kit::page::pages;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// One page, whose front queue puts vital calls through by itself.
fn room(allowed: bool) -> Room {
    let vital = format!("[queue.front]\nvital = {{ auto_answer = {allowed} }}\n");
    let text = plan::TEXT.replacen("[queue.front]\n", &vital, 1);
    let mut room = Room::of(site(vec![centre(&text, pages(0, 1))]));
    room.page_ready(0);
    room
}

fn wants(room: &mut Room) {
    room.by(0, Verb::AutoAnswer { agent: agent(0), on: true }).result.expect("their own wish");
}

fn touches(room: &mut Room) {
    room.input(Input::PagePresent { agent: agent(0) });
}

/// Whether the last offer is taken by the page itself.
fn by_itself(room: &Room) -> bool {
    let offered = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Offered { auto_answer, .. } => Some(*auto_answer),
        _ => None,
    });
    offered.expect("an offer")
}

#[test]
fn a_vital_call_comes_without_a_key_to_who_wants_it_so_and_is_there() {
    let mut room = room(true);
    wants(&mut room);
    room.pass(600 * SECOND);
    touches(&mut room);
    room.pass(100 * SECOND);
    let mut caller = room.dial_and_ack("0612345678", "1599");
    assert!(by_itself(&room));
    let (offer, _) = room.shown(0).expect("shown");
    room.sees(0);
    room.by(0, Verb::Claim { agent: agent(0), offer }).result.expect("the page takes it");
    assert_eq!(room.connected(0).len(), 1);
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn nothing_else_comes_without_a_key() {
    let mut not_asked = room(true);
    touches(&mut not_asked);
    not_asked.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&not_asked), "off until the agent wants it");
    let mut lower = room(true);
    wants(&mut lower);
    touches(&mut lower);
    lower.dial_and_ack("0612345678", "15");
    assert!(!by_itself(&lower), "confirmed vital, and nothing lower");
    let mut forbidden = room(false);
    wants(&mut forbidden);
    touches(&mut forbidden);
    forbidden.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&forbidden), "where the plan says so");
}

#[test]
fn i31_without_a_sign_of_presence_it_rings_and_rings_out() {
    let mut room = room(true);
    wants(&mut room);
    room.pass(600 * SECOND);
    room.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&room), "an empty chair takes no call");
    room.sees(0);
    room.pass(7 * SECOND);
    assert_eq!(room.ended(0), Some(OfferEnd::TimedOut));
    let rona = |room: &Room| {
        let told = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
            Event::Rona { on, .. } => Some(*on),
            _ => None,
        });
        told.expect("told")
    };
    assert!(rona(&room));
    touches(&mut room);
    assert!(!rona(&room), "a hand on the page is a proof of life");
    let off = Verb::AutoAnswer { agent: agent(0), on: false };
    assert!(room.command(Actor::Caller, off).result.is_err(), "nobody else's wish");
}

#[test]
fn each_page_says_anew_that_calls_may_come_by_themselves() {
    let mut room = room(true);
    wants(&mut room);
    room.page(0, false);
    room.page_ready(0);
    touches(&mut room);
    room.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&room));
}

/// Two desk phones, whose front queue puts vital calls through by itself, as far as their agents want it.
fn phones(allowed: bool) -> Room {
    let vital = format!("[queue.front]\nvital = {{ auto_answer = {allowed}, alert_busy = false }}\n");
    let text = plan::TEXT.replacen("[queue.front]\n", &vital, 1);
    let mut room = Room::of(site(vec![centre(&text, desks(0, 2, false))]));
    room.phone_dials(0, "*1");
    room.phone_dials(0, "*4");
    room.pass(600 * SECOND);
    room
}

/// The leg of the agent's phone that rings or has answered for the last offer.
fn phones_leg(room: &Room) -> engine::id::LegId {
    let call = room.journal.iter().rev().find(|snapshot| snapshot.legs.len() > 1).expect("a phone rings");
    call.legs[1].leg
}

fn answers_by_itself(room: &Room, desk: u32) -> bool {
    let invite = room.ringing(desk).expect("rings");
    let words =
        [("answer-mode", "Auto"), ("call-info", "answer-after=0"), ("alert-info", "alert-autoanswer")];
    let said = words.map(|(name, word)| invite.all(name).any(|value| value.contains(word)));
    assert!(said == [true; 3] || said == [false; 3], "in every word phones know, or in none: {said:?}");
    said[0]
}

#[test]
fn a_desk_phone_that_answers_by_itself_has_the_caller_when_its_person_presses_a_key() {
    let mut room = phones(true);
    let mut caller = room.dial_and_ack("0612345678", "1599");
    assert!(answers_by_itself(&room, 0));
    room.answer(0);
    assert!(room.connected(0).is_empty(), "a phone that answers shows nobody");
    let leg = phones_leg(&room);
    let said = |wanted: MediaCommand| room.media.iter().position(|(_, command)| *command == wanted);
    let listens = said(MediaCommand::Listen { leg, on: true }).expect("its keys are listened for");
    let tone = said(MediaCommand::Play { leg, program: Program::RingBack }).expect("it plays the tone");
    assert!(listens < tone);
    room.input(Input::Media(MediaEvent::Digit { leg, digit: '5' }));
    assert_eq!(room.connected(0).len(), 1);
    room.bye(&mut caller);
    // The key was one of a person's: they were there a moment ago.
    let mut next = room.dial_and_ack("0687654321", "1599");
    room.answer(0);
    assert_eq!(room.connected(0).len(), 2);
    room.bye(&mut next);
    room.rest();
}

#[test]
fn a_hand_on_the_page_or_a_feature_code_takes_what_the_lifted_phone_waits_for() {
    let page = |room: &mut Room| touches(room);
    let code = |room: &mut Room| {
        room.phone_dials(0, "*1");
    };
    for shows_life in [page as fn(&mut Room), code] {
        let mut room = phones(true);
        let mut caller = room.dial_and_ack("0612345678", "1599");
        room.answer(0);
        assert!(room.connected(0).is_empty(), "a phone that answers shows nobody");
        room.pass(3 * SECOND);
        shows_life(&mut room);
        assert_eq!(room.connected(0).len(), 1, "whoever is there has the caller");
        room.pass(7 * SECOND);
        let rona = |event: &Event| matches!(event, Event::Rona { on: true, .. });
        assert!(room.step_of(rona).is_none(), "and has let nothing ring out");
        room.bye(&mut caller);
        room.rest();
    }
}

#[test]
fn i31_a_desk_phone_that_put_a_call_through_by_itself_waits_for_a_key_at_the_next() {
    let mut room = phones(true);
    room.phone_dials(0, "*1");
    let mut first = room.dial_and_ack("0612345678", "1599");
    room.answer(0);
    assert_eq!(room.connected(0).len(), 1, "a hand was on the phone a moment ago");
    room.pass(40 * SECOND);
    room.bye(&mut first);
    let mut second = room.dial_and_ack("0687654321", "1599");
    room.answer(0);
    assert_eq!(room.connected(0).len(), 1, "that hand has put its one call through");
    let leg = phones_leg(&room);
    room.input(Input::Media(MediaEvent::Digit { leg, digit: '1' }));
    assert_eq!(room.connected(0).len(), 2);
    room.bye(&mut second);
    room.rest();
}

#[test]
fn nobody_at_a_desk_phone_that_answers_by_itself_is_a_rona_and_the_next_one_rings() {
    let mut room = phones(true);
    let mut caller = room.dial_and_ack("0612345678", "1599");
    let invite = room.answer(0);
    room.phone_dials(1, "*1");
    room.pass(7 * SECOND);
    let rona = |event: &Event| matches!(event, Event::Rona { agent: of, on: true } if *of == agent(0));
    assert!(room.step_of(rona).is_some(), "it rang out");
    let bye = room.last(&kit::phone_at(0), invite.call_id(), |sip| sip.method() == Some("BYE"));
    assert!(bye.is_some(), "its phone is put down");
    assert!(room.ringing(1).is_some() && !answers_by_itself(&room, 1), "who has not asked for it is rung");
    room.answer(1);
    assert_eq!(room.connected(1).len(), 1);
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn who_has_just_used_the_desk_phone_needs_no_key() {
    let mut room = phones(true);
    room.phone_dials(0, "*1");
    let mut caller = room.dial_and_ack("0612345678", "1599");
    room.answer(0);
    assert_eq!(room.connected(0).len(), 1);
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_desk_phone_answers_by_itself_for_nothing_else() {
    let mut lower = phones(true);
    let mut caller = lower.dial_and_ack("0612345678", "15");
    assert!(!answers_by_itself(&lower, 0), "before the fence a hand lifts it");
    lower.bye(&mut caller);
    let mut not_allowed = phones(false);
    let mut caller = not_allowed.dial_and_ack("0612345678", "1599");
    assert!(!answers_by_itself(&not_allowed, 0), "the queue does not have it so");
    not_allowed.bye(&mut caller);
    let mut off = phones(true);
    off.phone_dials(0, "*5");
    let mut caller = off.dial_and_ack("0612345678", "1599");
    assert!(!answers_by_itself(&off, 0), "not wanted any more");
    off.bye(&mut caller);
    let mut gone = phones(true);
    gone.phone_dials(0, "*0");
    gone.phone_dials(0, "*1");
    let mut caller = gone.dial_and_ack("0612345678", "1599");
    assert!(!answers_by_itself(&gone, 0), "of the shift before");
    gone.bye(&mut caller);
}

#[test]
fn i31_a_call_put_through_by_itself_proves_nobody_and_the_next_one_rings_at_the_empty_chair() {
    let mut room = room(true);
    wants(&mut room);
    touches(&mut room);
    let put_through = |room: &mut Room, number: &str| {
        let caller = room.dial_and_ack(number, "1599");
        let taken = by_itself(room);
        room.sees(0);
        if taken {
            let (offer, _) = room.shown(0).expect("shown");
            room.by(0, Verb::Claim { agent: agent(0), offer }).result.expect("the page takes it");
        }
        (caller, taken)
    };
    let (mut first, taken) = put_through(&mut room, "0612345678");
    assert!(taken, "a hand was on the page a moment ago");
    room.pass(60 * SECOND);
    room.bye(&mut first);
    let (mut second, taken) = put_through(&mut room, "0687654321");
    assert!(!taken, "nothing a person has done says that somebody sits there");
    room.pass(7 * SECOND);
    assert_eq!(room.ended(0), Some(OfferEnd::TimedOut));
    room.bye(&mut second);
    touches(&mut room);
    let (mut third, taken) = put_through(&mut room, "0600000003");
    assert!(taken);
    room.pass(60 * SECOND);
    touches(&mut room);
    room.bye(&mut third);
    let (mut fourth, taken) = put_through(&mut room, "0600000004");
    assert!(taken, "who has touched the page while talking is there");
    room.bye(&mut fourth);
    room.rest();
}
