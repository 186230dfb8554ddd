//! From one stage to the next: who waits, who is responsible, who may take or give back.

mod kit;

use engine::call::event::{Actor, Beside, Cause, Event};
use engine::id::CallId;
use engine::io::{Refusal, Verb};
use engine::media::Program;
use engine::site::Role;
use kit::peer::Caller;
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Two agents who are ready, and a doctor (2) who is signed in and takes what they choose.
fn room() -> Room {
    let mut people = desks(0, 3, true);
    (people[2].role, people[2].always_ready) = (Role::Regulator, false);
    people[2].skills = vec!["mr-amu".to_owned()];
    let mut room = Room::of(site(vec![centre(plan::STAGED, people)]));
    room.by(2, Verb::SignIn { agent: agent(2), position: None }).result.expect("signed in");
    room
}

/// A caller answered by agent 0 after 3 s, and handed to the doctors after 30 more.
fn handed_over(room: &mut Room) -> (Caller, CallId, Sip) {
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(3 * SECOND);
    let invite = room.answer(0);
    let call = room.ear(0);
    room.pass(30 * SECOND);
    let queue = room.queue("regulation");
    let (class, note) = (Some("P1".to_owned()), Some("douleur thoracique".to_owned()));
    let verb = Verb::HandOver { agent: agent(0), call, queue, class, note };
    room.by(0, verb).result.expect("handed over");
    (caller, call, invite)
}

fn picks(room: &mut Room, who: u32, call: CallId) {
    room.by(who, Verb::Pick { agent: agent(who), call, confirmed: true }).result.expect("picked");
    room.answer(who);
}

#[test]
fn a_caller_handed_over_waits_for_the_doctors_with_hold_audio_and_the_agent_is_free() {
    let mut room = room();
    let (caller, call, invite) = handed_over(&mut room);
    let (_, leg) = room.arrival(0);
    assert!(matches!(room.hearing(leg), Some(Program::Hold { .. })));
    assert!(!room.has_bye(&caller));
    assert!(room.last(&kit::phone_at(0), invite.call_id(), |it| it.method() == Some("BYE")).is_some());
    assert_eq!(room.class_of(call), "p1");
    room.dial_and_ack("0600000001", "15");
    room.answer(1);
    room.dial_and_ack("0600000002", "15");
    assert!(room.ringing(0).is_some(), "the agent takes the next call");
}

#[test]
fn each_stage_has_its_own_times_in_the_record() {
    let mut room = room();
    let (mut caller, call, _) = handed_over(&mut room);
    room.pass(50 * SECOND);
    picks(&mut room, 2, call);
    room.pass(60 * SECOND);
    room.bye(&mut caller);
    let record = &room.records[0];
    let times = record.stage_times();
    let took = times.iter().map(|it| (it.stage.as_str(), it.took(), it.by)).collect::<Vec<_>>();
    assert_eq!(
        took,
        [("front", Some(3 * SECOND), Some(agent(0))), ("regulation", Some(50 * SECOND), Some(agent(2)))],
        "T1 and T2"
    );
    assert_eq!(record.course.handovers.len(), 1);
    assert_eq!(record.cause, Some(Cause::Released));
    assert_eq!(record.talked, 90 * SECOND);
    room.rest();
}

#[test]
fn somebody_must_talk_with_a_waiting_caller_again_and_the_alarm_comes_back() {
    let mut room = room();
    let (_caller, call, _) = handed_over(&mut room);
    let due = |room: &Room| {
        let told = |it: &&Beside| matches!(it, Beside::RecontactDue { call: of, agent: by } if *of == call && *by == agent(0));
        room.beside().into_iter().filter(told).count()
    };
    room.pass(119 * SECOND);
    assert_eq!(due(&room), 0);
    room.pass(SECOND);
    assert_eq!(due(&room), 1, "to whoever is responsible");
    room.pass(120 * SECOND);
    assert_eq!(due(&room), 2);
    picks(&mut room, 2, call);
    room.pass(600 * SECOND);
    assert_eq!(due(&room), 2, "answered");
}

#[test]
fn any_agent_may_take_a_waiting_caller_back() {
    let mut room = room();
    let (mut caller, call, _) = handed_over(&mut room);
    room.pass(20 * SECOND);
    room.by(1, Verb::TakeBack { agent: agent(1), call, confirmed: true }).result.expect("taken back");
    room.answer(1);
    assert_eq!(room.ear(1), call);
    let again = room.by(0, Verb::TakeBack { agent: agent(0), call, confirmed: true }).result;
    assert_eq!(again, Err(Refusal::Gone));
    room.pass(600 * SECOND);
    assert!(room.beside().iter().all(|it| !matches!(it, Beside::RecontactDue { .. })));
    room.bye(&mut caller);
    let over = room.records[0].course.handovers[0].clone();
    assert_eq!(over.taken_back.map(|(by, _)| by), Some(agent(1)));
    room.rest();
}

#[test]
fn a_doctor_refers_a_caller_back_and_the_agent_who_knows_the_file_is_asked_first() {
    let mut room = room();
    let (mut caller, call, _) = handed_over(&mut room);
    picks(&mut room, 2, call);
    room.pass(10 * SECOND);
    let note = Some("conseil donne, rappeler la famille".to_owned());
    room.by(2, Verb::ReferBack { agent: agent(2), call, note }).result.expect("referred back");
    assert!(room.ringing(2).is_none());
    let handed = room.beside().into_iter().rev().find_map(|it| match it {
        Beside::HandedOver { by, queue, back, .. } => Some((*by, *queue, *back)),
        _ => None,
    });
    assert_eq!(handed, Some((agent(2), room.queue("front"), true)));
    let rung = room.ringing(0).is_some() || room.ringing(1).is_some();
    assert!(rung, "the front desk has the caller");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn what_was_never_handed_over_cannot_be_referred_or_taken_back() {
    let mut room = room();
    room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.ear(0);
    let refer = Verb::ReferBack { agent: agent(0), call, note: None };
    assert_eq!(room.by(0, refer).result, Err(Refusal::Invalid));
    assert_eq!(
        room.by(1, Verb::TakeBack { agent: agent(1), call, confirmed: true }).result,
        Err(Refusal::Gone)
    );
    let queue = room.queue("regulation");
    let other = Verb::HandOver { agent: agent(1), call, queue, class: None, note: None };
    assert_eq!(room.by(1, other).result, Err(Refusal::Unknown), "only whoever talks hands over");
    let none = engine::id::QueueId { index: 99, ..queue };
    let nowhere = Verb::HandOver { agent: agent(0), call, queue: none, class: None, note: None };
    assert_eq!(room.by(0, nowhere).result, Err(Refusal::Unknown));
    let class = Some("no such".to_owned());
    let wrong = Verb::HandOver { agent: agent(0), call, queue, class, note: None };
    assert_eq!(room.by(0, wrong).result, Err(Refusal::Invalid));
    assert_eq!(room.ear(0), call, "and the conversation goes on");
}

#[test]
fn i17_the_work_of_a_caller_who_hangs_up_before_the_doctor_is_kept_at_its_place() {
    let mut room = room();
    let (mut caller, call, _) = handed_over(&mut room);
    let entered = room.log.iter().rev().find_map(|(_, it)| match &it.event {
        Event::Queued { call: of, queue, class, due, .. } if *of == call => {
            Some((*queue, class.clone(), *due))
        }
        _ => None,
    });
    room.pass(40 * SECOND);
    room.bye(&mut caller);
    let kept = *room.callbacks().last().expect("the work is kept");
    let kept_at = room.log.iter().rev().find_map(|(_, it)| match &it.event {
        Event::Queued { call: of, queue, class, due, .. } if *of == kept => {
            Some((*queue, class.clone(), *due))
        }
        _ => None,
    });
    assert_eq!(kept_at, entered, "same queue, same class, same place in the order");
    let record = &room.records[0];
    assert_eq!((record.cause, record.ended_by.clone()), (Some(Cause::Released), Some(Actor::Caller)));
    let noted =
        room.log.iter().any(|(_, it)| matches!(&it.event, Event::Noted { call: of, .. } if *of == kept));
    assert!(noted, "whoever takes it reads the note first");
    room.rest();
}

#[test]
fn i11_who_takes_a_caller_back_over_a_vital_one_who_waits_is_told_so_first() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, true))]));
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (call, queue) = (room.ear(0), room.queue("regulation"));
    let hand = Verb::HandOver { agent: agent(0), call, queue, class: None, note: None };
    room.by(0, hand).result.expect("handed over");
    room.by(0, Verb::Pause { agent: agent(0), reason: "meal".to_owned() }).result.expect("paused");
    let mut vital = room.dial_and_ack("0687654321", "1599");
    let back = |confirmed| Verb::TakeBack { agent: agent(0), call, confirmed };
    assert_eq!(room.by(0, back(false)).result, Err(Refusal::VitalWaits));
    room.by(0, back(true)).result.expect("told, and chooses this one all the same");
    room.bye(&mut caller);
    room.bye(&mut vital);
    room.rest();
}
