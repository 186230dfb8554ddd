//! What carriers, phones and shortages do to a call, and what must come of it all the same.

mod kit;

use engine::call::event::{Actor, Cause, Event, OfferEnd};
use engine::dialplan::Dialplan;
use engine::id::{CentreId, LegId};
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use kit::{Room, agent, centre, desks, phone_at, plan, site};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn callers_leg(room: &Room) -> LegId {
    let leg = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Arrived { leg, .. } => Some(*leg),
        _ => None,
    });
    leg.expect("arrived")
}

fn heard(room: &mut Room, leg: LegId) {
    room.input(Input::Media(MediaEvent::Heard { leg }));
}

#[test]
fn i07_a_carrier_that_answers_no_probe_keeps_the_callers_who_are_heard() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    let talk = room.answer(0);
    let leg = callers_leg(&room);
    heard(&mut room, leg);
    room.dead.insert(caller.at);
    room.pass(400 * SECOND);
    assert!(!room.has_bye(&caller), "two people are talking");
    assert!(room.records.is_empty());
    room.phone_bye(0, &talk);
    assert!(room.has_bye(&caller), "and the agent's release still reaches the carrier");
    assert_eq!(room.records[0].cause, Some(Cause::Released));
    room.rest();
}

#[test]
fn a_caller_whose_signalling_is_in_doubt_hangs_up_like_anybody() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let leg = callers_leg(&room);
    heard(&mut room, leg);
    room.dead.insert(caller.at);
    room.pass(400 * SECOND);
    room.dead.clear();
    room.bye(&mut caller);
    assert_eq!(room.records.first().map(|record| record.ended_by.clone()), Some(Some(Actor::Caller)));
    room.rest();
}

#[test]
fn i07_a_caller_whose_ack_is_lost_for_good_stays_while_heard() {
    let mut room = Room::new(1);
    let caller = room.dial("0612345678", "15");
    let talk = room.answer(0);
    let leg = callers_leg(&room);
    heard(&mut room, leg);
    room.pass(60 * SECOND);
    assert!(!room.has_bye(&caller), "no BYE after 64*T1: two people are talking");
    assert!(room.records.is_empty());
    room.phone_bye(0, &talk);
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn what_a_phone_changes_in_its_200_is_not_believed() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    let invite = room.ringing(0).expect("rings");
    let contact = format!("Contact: <sip:0@{}>\r\n", phone_at(0));
    let ok = invite.response("200 OK", "p", &contact, &kit::sip::sdp(40_000, "8", "sendrecv"));
    let ours = invite.header("from").split_once(";tag=").expect("a tag").1;
    let ok = ok.replace(ours, "other").replace("CSeq: 1 INVITE", "CSeq: 4294967295 INVITE");
    room.send(phone_at(0), &ok);
    let ack = room.last(&phone_at(0), invite.call_id(), |it| it.method() == Some("ACK")).expect("an ACK");
    assert_eq!((ack.header("from"), ack.header("cseq")), (invite.header("from"), "1 ACK"));
    room.bye(&mut caller.clone());
    let bye = room.last(&phone_at(0), invite.call_id(), |it| it.method() == Some("BYE")).expect("a BYE");
    assert_eq!((bye.header("from"), bye.header("cseq")), (invite.header("from"), "2 BYE"));
    room.rest();
    assert!(room.engine.has_no_dialog(), "not even a tag is left");
}

#[test]
fn a_phone_answered_at_the_last_instant_is_answered() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    room.phone_says(0, "180 Ringing");
    room.late(6 * SECOND);
    room.answer(0);
    let connected = room.step_of(|event| matches!(event, Event::Connected { .. }));
    assert!(connected.is_some(), "the answer was there before the clock was looked at");
}

#[test]
fn i12_without_a_port_for_the_phone_the_caller_waits_for_one_and_no_longer() {
    let mut room = Room::with_ports(site(vec![centre(plan::TEXT, desks(0, 2, true))]), 1);
    room.dial_and_ack("0612345678", "15");
    let offered = room.step_of(|event| matches!(event, Event::Offered { .. }));
    let ended = room.step_of(|event| matches!(event, Event::OfferEnded { .. }));
    assert!(offered.is_some() && ended == offered, "known in the step of the offer, not when it lapses");
    let before = room.step;
    room.pass(60 * SECOND);
    assert!(room.step - before < 100, "no hot loop: {} steps", room.step - before);
    assert!(room.records.is_empty(), "the caller keeps the place");
    let fresh = engine::media::MediaPort::as_bound("127.0.0.1:30000".parse().expect("an address"), 0);
    let step = room.step;
    room.input(Input::Media(MediaEvent::Ports(vec![fresh])));
    let rang = [0, 1].into_iter().filter_map(|phone| room.rang_in(phone)).max();
    assert_eq!(rang, Some(step + 1), "rings in the step of the port");
}

#[test]
fn i31_a_port_that_comes_free_is_no_proof_of_life() {
    let mut room = Room::with_ports(site(vec![centre(plan::TEXT, desks(0, 1, true))]), 2);
    room.dial_and_ack("0611111111", "15");
    room.phone_says(0, "180 Ringing");
    room.pass(6 * SECOND);
    let rona = |on| move |event: &Event| matches!(event, Event::Rona { on: it, .. } if *it == on);
    assert!(room.step_of(rona(true)).is_some(), "it rang out");
    // Another caller has the port by the time it would be rung again.
    let mut second = room.dial_and_ack("0622222222", "15");
    room.pass(5 * SECOND);
    room.bye(&mut second);
    assert_eq!(room.step_of(rona(false)), None);
}

#[test]
fn a_number_of_any_length_rings_a_phone() {
    let mut room = Room::new(1);
    room.dial_and_ack(&"é7".repeat(4_000), "15");
    let invite = room.ringing(0).expect("rings");
    assert!(invite.header("from").len() < 400, "fits into a datagram: {}", invite.header("from").len());
    assert!(invite.header("p-asserted-identity").len() < 400);
}

#[test]
fn i34_a_confirmed_vital_call_stays_behind_the_fence_whatever_a_new_plan_calls_it() {
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    let call = room.journal.last().expect("a snapshot").call;
    let verb = Verb::Qualify { call, class: "vital".to_owned() };
    assert!(room.command(Actor::Agent(agent(first)), verb).result.is_ok());
    let text = plan::TEXT
        .replace("vital       = { fence = true }\n", "")
        .replace("routine     =", "p0 = { fence = true }\nroutine     =")
        .replace("class = \"vital\"", "class = \"p0\"");
    let plan = Dialplan::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    room.input(Input::Plan(CentreId(0), Arc::new(plan)));
    let leg = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Connected { leg, .. } => Some(*leg),
        _ => None,
    });
    room.silent(leg.expect("connected"), 30);
    room.pass(Duration::from_secs(5));
    assert_eq!(room.ringing(1 - first).expect("rings").header("x-bandeau-class"), "p0");
}

#[test]
fn i28_the_same_plan_again_is_no_event() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    let same =
        || Arc::new(Dialplan::parse("test.toml", plan::TEXT).unwrap_or_else(|error| panic!("{error}")));
    let events = room.log.len();
    room.input(Input::Plan(CentreId(0), same()));
    assert_eq!(room.log.len(), events, "nothing happened");
    let other = plan::TEXT.replacen("version", "# a comment\nversion", 1);
    let other = Dialplan::parse("test.toml", &other).unwrap_or_else(|error| panic!("{error}"));
    room.input(Input::Plan(CentreId(0), Arc::new(other)));
    assert_eq!(room.log.len(), events, "a comment is nothing either");
}

#[test]
fn a_reinvite_without_audio_of_ours_is_488_and_changes_nothing() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let fax = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=image 30000 udptl t38\r\n";
    let media = room.media.len();
    room.reinvite(&mut caller, Some(fax));
    assert_eq!(room.codes(&caller).last(), Some(&488));
    assert_eq!(room.media.len(), media, "the audio goes on as it was");
    assert!(room.records.is_empty());
    room.reinvite(&mut caller, Some(&kit::sip::sdp(30_000, "8 0", "sendrecv")));
    assert_eq!(room.codes(&caller).last(), Some(&200), "and may be changed again");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_phone_that_redirects_or_challenges_leads_on() {
    for status in ["302 Moved Temporarily", "401 Unauthorized", "407 Proxy Authentication Required"] {
        let mut room = Room::new(2);
        room.dial_and_ack("0612345678", "15");
        let first = if room.ringing(0).is_some() { 0 } else { 1 };
        room.phone_says(first, status);
        assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"), "{status}");
        let ends = room.log.iter().filter_map(|(_, entry)| match &entry.event {
            Event::OfferEnded { end, .. } => Some(end.clone()),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [OfferEnd::Unreachable], "{status}");
    }
}

#[test]
fn the_journal_knows_what_a_waiting_caller_hears_and_how_the_caller_is_held() {
    let mut room = Room::new(0);
    room.dial("0612345678", "15");
    let last = room.journal.last().expect("a snapshot");
    assert!(!last.hold_sound.is_empty());
    let pending = last.legs[0].dialogs[0].pending.as_deref().expect("the 200 may have to be repeated");
    assert!(pending.contains("Via: ") && pending.contains("CSeq: 1 INVITE"), "{pending}");
}
