//! Calling back: who, when, how often, and when no more.

mod kit;

use engine::call::event::{Beside, Cause, Closing, Event, Unreached, WhyCallback};
use engine::id::CallId;
use engine::io::{Refusal, Verb};
use engine::media::Program;
use kit::{Room, agent, centre, desks, page, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Desks nobody is ready at, all signed in.
fn room(count: u32) -> Room {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, count, false))]));
    for index in 0..count {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
    room
}

/// A caller who waits so long and hangs up; the callback that begins.
fn abandons(room: &mut Room, number: &str, waited: Duration) -> Option<CallId> {
    let before = room.callbacks().len();
    let mut caller = room.dial_and_ack(number, "15");
    room.pass(waited);
    room.bye(&mut caller);
    room.callbacks().get(before).copied()
}

fn ready(room: &mut Room, index: u32) {
    room.by(index, Verb::Ready { agent: agent(index) }).result.expect("ready");
}

fn opened(room: &Room) -> Vec<WhyCallback> {
    let all = room.beside().into_iter().filter_map(|it| match it {
        Beside::CallbackOpened { why, .. } => Some(*why),
        _ => None,
    });
    all.collect()
}

fn closed(room: &Room) -> Vec<Closing> {
    let all = room.beside().into_iter().filter_map(|it| match it {
        Beside::CallbackClosed { why, .. } => Some(why.clone()),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_true_abandon_is_called_back_and_a_short_one_is_not() {
    let mut room = room(1);
    assert_eq!(abandons(&mut room, "0612345678", 14 * SECOND), None);
    assert!(abandons(&mut room, "0687654321", 15 * SECOND).is_some());
    assert_eq!(opened(&room), [WhyCallback::Abandoned]);
    let causes = room.records.iter().map(|record| record.cause).collect::<Vec<_>>();
    assert_eq!(causes, [Some(Cause::ShortAbandon), Some(Cause::Abandon)]);
    room.rest();
}

#[test]
fn what_a_carrier_writes_behind_a_number_is_no_part_of_it_when_it_is_called_back() {
    for from in ["0612345678;phone-context=+33", "0612345678;noa=4;cpc=ordinary", "%30612345678"] {
        let mut room = room(2);
        abandons(&mut room, from, 20 * SECOND).expect("called back");
        ready(&mut room, 0);
        ready(&mut room, 1);
        let who = if room.ringing(0).is_some() { 0 } else { 1 };
        assert_eq!(room.shows(who).as_deref(), Some("0612345678"), "{from}");
        room.answer(who);
        let rung = room.rings_outside().expect("the person's phone rings");
        assert!(rung.uri().starts_with("sip:0612345678@"), "{from}: {}", rung.uri());
    }
}

#[test]
fn the_agent_accepts_then_the_persons_phone_rings_and_both_hear_each_other() {
    let mut room = room(2);
    let callback = abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    assert!(room.rings_outside().is_none(), "nobody is dialled before somebody accepts");
    ready(&mut room, 1);
    ready(&mut room, 0);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    assert_eq!(room.shows(who).as_deref(), Some("0612345678"), "previewed");
    room.answer(who);
    let rung = room.rings_outside().expect("the person's phone rings");
    assert!(rung.uri().starts_with("sip:0612345678@"), "{}", rung.uri());
    assert!(rung.header("from").contains("+33388000015"), "{}", rung.header("from"));
    room.out_says("180 Ringing");
    room.pass(5 * SECOND);
    room.out_says("200 OK");
    assert_eq!(room.ear(who), callback);
    room.pass(30 * SECOND);
    room.out_bye(&rung);
    let record = room.records.iter().find(|record| record.call == callback).expect("a record of its own");
    assert_eq!((record.cause, record.talked), (Some(Cause::Released), 30 * SECOND));
    let about = record.course.callback.clone().expect("it was a callback");
    assert_eq!((about.why, about.closed), (WhyCallback::Abandoned, Some(Closing::Reached)));
    assert_eq!(about.of, Some(room.records[0].call));
    assert_eq!(about.attempts.len(), 1);
    room.rest();
}

#[test]
fn whoever_accepts_at_a_page_hears_the_persons_phone_ring() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, page::pages(0, 2))]));
    abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    room.page_ready(0);
    room.page_ready(1);
    let who = if room.shown(0).is_some() { 0 } else { 1 };
    room.sees(who);
    room.key(who).result.expect("accepted");
    let rung = room.rings_outside().expect("rings");
    let hears = room.media.iter().rev().find_map(|(_, it)| match it {
        engine::media::MediaCommand::Play { program, .. } => Some(program.clone()),
        _ => None,
    });
    assert_eq!(hears, Some(Program::RingBack));
    room.out_says("200 OK");
    assert_eq!(room.connected(who).len(), 1);
    let call = room.ear(who);
    room.by(who, Verb::Release { agent: agent(who), call, disposition: None }).result.expect("released");
    assert!(room.out_hung_up(&rung));
    room.rest();
}

#[test]
fn i17_whoever_was_reached_and_waits_again_stands_where_the_callback_stood() {
    let mut room = room(2);
    let callback = abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    ready(&mut room, 1);
    ready(&mut room, 0);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(who);
    let rung = room.rings_outside().expect("the person's phone rings");
    room.out_says("200 OK");
    room.by(who, Verb::Hold { agent: agent(who), call: callback }).result.expect("on the shared list");
    room.pass(5 * SECOND);
    let other = 1 - who;
    room.by(other, Verb::Pick { agent: agent(other), call: callback, confirmed: false })
        .result
        .expect("picked");
    let stood: Vec<_> = room
        .log
        .iter()
        .filter_map(|(_, it)| match &it.event {
            Event::Queued { call, arrived, due, .. } if *call == callback => Some((*arrived, *due)),
            _ => None,
        })
        .collect();
    assert_eq!(stood.len(), 2, "as a callback, and from the list");
    assert_eq!(stood[0], stood[1], "since the person first called");
    room.answer(other);
    room.out_bye(&rung);
    room.rest();
}

#[test]
fn whoever_accepted_may_give_up_and_the_callback_stays() {
    let mut room = room(2);
    abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    ready(&mut room, 0);
    ready(&mut room, 1);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    let invite = room.answer(who);
    let rung = room.rings_outside().expect("rings");
    room.out_says("180 Ringing");
    room.phone_bye(who, &invite);
    let cancelled = room.last(&kit::trunk_at(1), rung.call_id(), |it| it.method() == Some("CANCEL"));
    assert!(cancelled.is_some(), "the person's phone stops ringing");
    let given_up = |it: &&Beside| matches!(it, Beside::NotReached { how: Unreached::GivenUp, .. });
    assert_eq!(room.beside().into_iter().filter(given_up).count(), 1);
    assert_eq!(closed(&room), []);
    room.rest();
}

#[test]
fn i17_a_person_who_calls_again_is_not_called_and_keeps_the_class_and_the_time_waited() {
    let mut room = room(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let (call, _) = room.arrival(0);
    room.chief(Verb::Qualify { call, class: "declared".to_owned() }).result.expect("qualified");
    room.pass(40 * SECOND);
    room.bye(&mut caller);
    room.pass(5 * SECOND);
    let mut second = room.dial_and_ack("0612345678", "15");
    let (again, _) = room.arrival(1);
    assert_eq!(room.class_of(again), "declared", "never a lower class");
    let place = room.log.iter().rev().find_map(|(_, it)| match &it.event {
        Event::Queued { call: of, arrived, due, .. } if *of == again => Some((*arrived, *due)),
        _ => None,
    });
    let (arrived, due) = place.expect("queued");
    assert_eq!(due + 40 * SECOND, arrived + 5 * SECOND, "the time actually waited, and no more");
    ready(&mut room, 0);
    room.answer(0);
    assert_eq!((room.ear(0), closed(&room)), (again, vec![Closing::CalledAgain]));
    room.bye(&mut second);
    room.rest();
}

#[test]
fn partners_and_withheld_numbers_are_nobody_in_particular() {
    let mut room = room(1);
    let mut partner = room.dial_and_ack("0388181818", "18");
    room.pass(20 * SECOND);
    room.bye(&mut partner);
    let dial = kit::peer::Dial {
        number: "0612345678",
        uri: format!("sip:15@{}", kit::ENGINE),
        trunk: 0,
        sdp: Some(kit::sip::sdp(30_000, "8", "sendrecv")),
        extra: "Privacy: id\r\n",
    };
    let mut hidden = room.dial_with(&dial);
    room.ack(&mut hidden);
    room.pass(20 * SECOND);
    room.bye(&mut hidden);
    assert_eq!(opened(&room), []);
    room.dial_and_ack("0388181818", "18");
    let repeated = room.beside().into_iter().any(|it| matches!(it, Beside::Repeated { .. }));
    assert!(!repeated, "the line calls all day");
}

#[test]
fn an_agent_drops_a_call_to_a_callback_in_one_gesture() {
    let mut room = room(1);
    let caller = room.dial_and_ack("0612345678", "15");
    ready(&mut room, 0);
    room.answer(0);
    let call = room.ear(0);
    let note = Some("rappeler apres la perfusion".to_owned());
    let verb = Verb::DropToCallback { agent: agent(0), call, note };
    room.by(0, verb).result.expect("dropped");
    assert!(room.has_bye(&caller));
    assert_eq!(room.records[0].disposition.as_deref(), Some("callback"));
    assert_eq!(opened(&room), [WhyCallback::Dropped]);
    room.rest();
}

#[test]
fn a_plan_that_calls_nobody_back_says_so() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.ear(0);
    let verb = Verb::PlanCallback { call, after: SECOND, note: None };
    assert_eq!(room.by(0, verb).result, Err(Refusal::Invalid));
    let verb = Verb::DropToCallback { agent: agent(0), call, note: None };
    assert_eq!(room.by(0, verb).result, Err(Refusal::Invalid));
    assert_eq!(room.ear(0), call);
}

#[test]
fn a_callback_nobody_comes_to_ends_after_as_long_as_the_plan_keeps_it() {
    let mut room = room(1);
    abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    room.pass(Duration::from_secs(3_601));
    assert_eq!(closed(&room), [Closing::Expired]);
    room.rest();
}

#[test]
fn a_person_closes_a_callback_with_a_reason() {
    let mut room = room(1);
    let callback = abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    let blank = Verb::DismissCallback { call: callback, reason: " ".to_owned() };
    assert_eq!(room.by(0, blank).result, Err(Refusal::Invalid));
    let reason = "rappele depuis un mobile".to_owned();
    room.by(0, Verb::DismissCallback { call: callback, reason: reason.clone() }).result.expect("closed");
    assert_eq!(closed(&room), [Closing::Dismissed(reason)]);
    room.rest();
}

#[test]
fn a_call_that_a_network_broke_is_called_back_and_who_calls_first_leads_the_class() {
    let mut room = room(1);
    let broken = room.dial_and_ack("0612345678", "15");
    let (_, leg) = room.arrival(0);
    room.pass(20 * SECOND);
    // Its network is gone: no audio, and no answer within the dialog.
    room.dead.insert(broken.at);
    room.silent(leg, 5);
    room.pass(40 * SECOND);
    room.silent(leg, 30);
    room.dead.clear();
    assert_eq!(opened(&room), [WhyCallback::Broken]);
    let mut other = room.dial_and_ack("0600000001", "15");
    room.pass(30 * SECOND);
    let mut again = room.dial_and_ack("0612345678", "15");
    ready(&mut room, 0);
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "first in the class");
    room.answer(0);
    assert_eq!(closed(&room), [Closing::CalledAgain]);
    room.bye(&mut other);
    room.bye(&mut again);
    room.rest();
}

#[test]
fn a_page_lost_while_the_persons_phone_rings_gives_the_callback_back() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, page::pages(0, 3))]));
    abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    room.page_ready(0);
    room.page_ready(1);
    room.page_ready(2);
    let who = (0..3).find(|who| room.shown(*who).is_some()).expect("somebody is shown it");
    room.sees(who);
    room.key(who).result.expect("accepted");
    let rung = room.rings_outside().expect("rings");
    room.out_says("180 Ringing");
    room.page_down(room.page_id(usize::try_from(who).expect("few")));
    assert!(room.last(&kit::trunk_at(1), rung.call_id(), |it| it.method() == Some("CANCEL")).is_some());
    let lost = |it: &&Beside| matches!(it, Beside::NotReached { how: Unreached::AgentLost, .. });
    assert_eq!(room.beside().into_iter().filter(lost).count(), 1);
    // Not the last free one: the third agent stays for callers.
    let asked = (0..3).filter(|other| *other != who && room.shown(*other).is_some()).count();
    assert_eq!(asked, 1, "the next agent is asked at once");

    room.rest();
}
#[test]
fn who_is_not_reached_is_tried_again_later_as_often_as_the_plan_says() {
    let mut room = room(2);
    let callback = abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    ready(&mut room, 0);
    ready(&mut room, 1);
    let accept = |room: &mut Room| {
        let who = if room.ringing(0).is_some() { 0 } else { 1 };
        room.answer(who);
        who
    };
    accept(&mut room);
    room.out_says("486 Busy Here");
    assert!(room.ringing(0).is_none() && room.ringing(1).is_none(), "left alone for a while");
    room.pass(59 * SECOND);
    assert!(room.ringing(0).is_none() && room.ringing(1).is_none());
    room.pass(2 * SECOND);
    accept(&mut room);
    room.out_says("180 Ringing");
    room.pass(30 * SECOND);
    assert!(room.rings_outside().is_none(), "nobody answered, and it rings no more");
    room.pass(121 * SECOND);
    accept(&mut room);
    room.out_says("480 Temporarily Unavailable");
    assert_eq!(closed(&room), [Closing::Exhausted]);
    let record = room.records.iter().find(|record| record.call == callback).expect("a record");
    let failed = record.course.callback.as_ref().expect("a callback").attempts.iter().map(|it| it.failed);
    let failed = failed.collect::<Vec<_>>();
    let how = [Unreached::Busy, Unreached::NoAnswer, Unreached::NoAnswer];
    assert_eq!(failed, how.map(Some));
    assert_eq!(record.cause, Some(Cause::Unreached));
    room.rest();
}

/// Whose phone rings a second later.
fn rung_by_then(room: &mut Room) -> Option<u32> {
    room.pass(SECOND);
    [0, 1].into_iter().find(|index| room.ringing(*index).is_some())
}

#[test]
fn what_a_carrier_cannot_do_is_no_attempt_at_the_person() {
    for (answer, how) in [
        ("488 Not Acceptable Here", Unreached::Failed),
        ("302 Moved Temporarily", Unreached::Failed),
        ("400 Bad Request", Unreached::Failed),
        ("482 Loop Detected", Unreached::Failed),
        ("501 Not Implemented", Unreached::Failed),
        ("503 Service Unavailable", Unreached::Failed),
        ("404 Not Found", Unreached::NoAnswer),
        ("484 Address Incomplete", Unreached::NoAnswer),
        ("603 Decline", Unreached::NoAnswer),
        ("486 Busy Here", Unreached::Busy),
    ] {
        let mut room = room(2);
        abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
        ready(&mut room, 0);
        ready(&mut room, 1);
        for _ in 0..6 {
            let Some(who) = (0..200).find_map(|_| rung_by_then(&mut room)) else { break };
            room.answer(who);
            room.out_says(answer);
        }
        let failed = room.beside().into_iter().filter_map(|it| match it {
            Beside::NotReached { how, .. } => Some(how),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        let given_up = closed(&room) == [Closing::Exhausted];
        assert!(failed.iter().all(|it| **it == how), "{answer}: {failed:?}");
        assert_eq!(
            (failed.len(), given_up),
            if how == Unreached::Failed { (6, false) } else { (3, true) },
            "{answer}"
        );
    }
}

#[test]
fn a_planned_callback_is_offered_at_its_time_and_not_before() {
    let mut room = room(2);
    let mut caller = room.dial_and_ack("0612345678", "15");
    ready(&mut room, 0);
    room.answer(0);
    let call = room.ear(0);
    let verb = Verb::PlanCallback { call, after: 600 * SECOND, note: None };
    room.by(0, verb).result.expect("planned");
    room.bye(&mut caller);
    ready(&mut room, 0);
    ready(&mut room, 1);
    room.pass(595 * SECOND);
    assert!(room.ringing(0).is_none() && room.ringing(1).is_none());
    room.pass(6 * SECOND);
    assert!(room.ringing(0).is_some(), "whoever planned it first");
    room.rest();
}

#[test]
fn a_person_is_called_at_each_address_of_the_carrier_in_one_attempt() {
    called_at_each(|room| {
        room.out_says("503 Service Unavailable");
    });
    // Four copies of an INVITE, and not a word.
    called_at_each(|room| room.pass(5 * SECOND));
}

fn called_at_each(first_fails: fn(&mut Room)) {
    let mut site = site(vec![centre(plan::STAGED, desks(0, 2, false))]);
    site.trunks[1].reach.targets.push(kit::second_address());
    let mut room = Room::of(site);
    for index in 0..2 {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
    abandons(&mut room, "0612345678", 20 * SECOND).expect("called back");
    ready(&mut room, 0);
    ready(&mut room, 1);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(who);
    first_fails(&mut room);
    let failed =
        |room: &Room| room.beside().into_iter().filter(|it| matches!(it, Beside::NotReached { .. })).count();
    assert_eq!(failed(&room), 0, "the carrier failed, not the person");
    let rung = room.out_says_at(kit::second_address(), "200 OK");
    assert!(rung.uri().starts_with("sip:0612345678@"), "{}", rung.uri());
    assert_eq!(closed(&room), [Closing::Reached]);
    assert_eq!(failed(&room), 0);
    let call = room.ear(who);
    room.by(who, Verb::Release { agent: agent(who), call, disposition: None }).result.expect("released");
    room.rest();
}

#[test]
fn a_caller_who_gives_up_on_hold_leaves_the_work_behind() {
    let mut room = room(1);
    ready(&mut room, 0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.ear(0);
    room.by(0, Verb::Hold { agent: agent(0), call }).result.expect("on the shared list");
    room.by(0, Verb::Pause { agent: agent(0), reason: "meal".to_owned() }).result.expect("paused");
    room.pass(360 * SECOND);
    let recalls = room.log.iter().filter(|(_, it)| matches!(it.event, Event::RecallDue { .. })).count();
    assert_eq!(recalls, 6, "and the alarm went on for as long as nobody took it up");
    room.bye(&mut caller);
    assert_eq!((opened(&room), room.callbacks().len()), (vec![WhyCallback::Kept], 1));
    let dismissed = Verb::DismissCallback { call: room.callbacks()[0], reason: "done".to_owned() };
    room.chief(dismissed).result.expect("an agent decides");
    room.rest();
}
