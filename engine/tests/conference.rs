//! Several in one conversation: somebody outside is asked and comes in, a supervisor listens and takes
//! over, one of several leaves or is lost, and the caller is never alone.

mod kit;

use engine::call::event::{Actor, Cause, ConsultEnd, Event, Loss, Seat, Who, Whom};
use engine::id::{CallId, LegId};
use engine::io::{Input, Refusal, Verb};
use engine::media::{MediaCommand, MediaEvent, Program, Voice};
use engine::site::{AgentSite, Role};
use kit::peer::Caller;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The supervisor of these rooms, at a page; a second one sits at a desk phone.
const CHIEF: u32 = 2;
const DESK_CHIEF: u32 = 3;

fn people() -> Vec<AgentSite> {
    let mut people = kit::page::pages(0, 3);
    people.extend(desks(DESK_CHIEF, 1, false));
    for chief in &mut people[2..] {
        chief.role = Role::Supervisor;
        chief.skills.clear();
    }
    people
}

/// Two agents at pages, two supervisors, and a caller who talks with the first agent.
fn talking() -> (Room, Caller, CallId, LegId) {
    let mut room = Room::of(site(vec![centre(plan::TEXT, people())]));
    for index in [0, 1, CHIEF] {
        room.page_ready(index);
    }
    room.by(1, Verb::Pause { agent: agent(1), reason: "meal".to_owned() });
    let caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    (room, caller, call, leg)
}

fn consult(room: &mut Room, call: CallId, name: &str) -> Result<u64, Refusal> {
    let whom = Whom::Outside(name.to_owned());
    room.by(0, Verb::Consult { agent: agent(0), call, whom }).result
}

fn watch(room: &mut Room, chief: u32, call: CallId, seat: Seat) -> Result<u64, Refusal> {
    room.by(chief, Verb::Watch { agent: agent(chief), call, seat }).result
}

fn ends(room: &Room) -> Vec<ConsultEnd> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::ConsultEnded { end, .. } => Some(*end),
        _ => None,
    });
    all.collect()
}

fn left(room: &Room) -> Vec<(Who, Option<Loss>)> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::Left { who, loss, .. } => Some((who.clone(), *loss)),
        _ => None,
    });
    all.collect()
}

/// The leg of somebody who has joined.
fn joined(room: &Room, of: &Who) -> LegId {
    let found = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Joined { who, leg, .. } if who == of => Some(*leg),
        _ => None,
    });
    found.expect("joined")
}

fn sdis() -> Who {
    Who::Outside("sdis-69".to_owned())
}

/// The caller hangs up, and nothing is left.
fn over(mut room: Room, mut caller: Caller) -> Room {
    room.bye(&mut caller);
    room.rest();
    room
}

#[test]
fn a_caller_is_on_hold_while_the_fire_brigade_is_asked_and_then_all_three_talk() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    consult(&mut room, call, "sdis-69").expect("asked");
    let invite = room.rings_at(kit::trunk_at(1)).expect("it rings outside in the same step");
    assert!(invite.uri().starts_with("sip:0472000018@"), "{}", invite.uri());
    for header in ["from", "p-asserted-identity", "call-info"] {
        assert!(!invite.header(header).contains("0612345678"), "the caller's number stays with us");
    }
    assert!(matches!(room.hearing(callers), Some(Program::Hold { .. })), "on hold meanwhile");
    assert_eq!(room.hearing(leg), None, "the agent stays where the fire brigade will be");
    room.outside_says(1, "200 OK");
    let theirs = joined(&room, &sdis());
    assert_eq!(room.hearing(theirs), None);
    assert!(matches!(room.hearing(callers), Some(Program::Hold { .. })), "still on hold");
    assert!(room.by(0, Verb::Conference { agent: agent(0), call }).result.is_ok());
    assert_eq!(room.hearing(callers), None, "all three in one conversation");
    assert_eq!(ends(&room), [ConsultEnd::Together]);
    let room = over(room, caller);
    let record = &room.records[0];
    assert_eq!(record.others.len(), 1);
    assert_eq!(record.consults[0].end, Some(ConsultEnd::Together));
    assert_eq!(record.cause, Some(Cause::Released));
}

#[test]
fn nobody_answers_outside_and_the_agent_has_the_caller_again() {
    for refused in [true, false] {
        let (mut room, caller, call, _) = talking();
        let (_, callers) = room.arrival(0);
        consult(&mut room, call, "sdis-69").expect("asked");
        room.outside_says(1, "180 Ringing");
        if refused {
            room.outside_says(1, "486 Busy Here");
        } else {
            room.pass(30 * SECOND);
        }
        assert_eq!(ends(&room), [ConsultEnd::Unanswered]);
        assert_eq!(room.hearing(callers), None, "back with the agent");
        assert!(room.rings_at(kit::trunk_at(1)).is_none(), "and it rings no more");
        over(room, caller);
    }
}

#[test]
fn the_next_trunk_is_tried_when_one_fails_and_none_when_the_other_end_says_no() {
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "interpreter").expect("asked");
    room.outside_says(1, "503 Service Unavailable");
    assert!(room.rings_at(kit::trunk_at(0)).is_some(), "the second way");
    assert_eq!(ends(&room), []);
    room.outside_says(0, "200 OK");
    assert_eq!(room.log.iter().filter(|it| matches!(it.1.event, Event::Joined { .. })).count(), 1);
    over(room, caller);
}

#[test]
fn a_carrier_that_cannot_is_left_for_the_next_and_whoever_says_no_is_not() {
    for (says, next) in [
        ("404 Not Found", true),
        ("410 Gone", true),
        ("484 Address Incomplete", true),
        ("488 Not Acceptable Here", true),
        ("606 Not Acceptable", true),
        ("302 Moved Temporarily", true),
        ("480 Temporarily Unavailable", false),
        ("486 Busy Here", false),
        ("600 Busy Everywhere", false),
        ("603 Decline", false),
    ] {
        let (mut room, caller, call, _) = talking();
        consult(&mut room, call, "interpreter").expect("asked");
        room.outside_says(1, says);
        assert_eq!(room.rings_at(kit::trunk_at(0)).is_some(), next, "{says}");
        if next {
            assert_eq!(ends(&room), [], "{says}");
            room.outside_says(0, says);
        }
        assert_eq!(ends(&room), [ConsultEnd::Unanswered], "once at each carrier: {says}");
        over(room, caller);
    }
}

#[test]
fn a_carrier_that_sends_a_call_on_within_itself_is_followed_once_and_elsewhere_never() {
    let own = kit::trunk_at(1);
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "interpreter").expect("asked");
    room.outside_redirects(1, &format!("sip:+33800000002@{own}"));
    let again = room.rings_at(own).expect("followed");
    assert!(again.uri().starts_with("sip:+33800000002@"), "{}", again.uri());
    room.outside_redirects(1, &format!("sip:+33800000003@{own}"));
    assert!(room.rings_at(own).is_none(), "no second time");
    assert!(room.rings_at(kit::trunk_at(0)).is_some(), "the next carrier");
    room.outside_redirects(0, "sip:+33800000004@203.0.113.9");
    assert!(!room.wire.iter().any(|sent| sent.to.ip().to_string() == "203.0.113.9"), "nobody we know");
    assert_eq!(ends(&room), [ConsultEnd::Unanswered]);
    over(room, caller);
}

#[test]
fn a_trunk_that_says_nothing_is_left_for_the_next_after_four_seconds() {
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "interpreter").expect("asked");
    room.pass(5 * SECOND);
    assert!(room.rings_at(kit::trunk_at(0)).is_some(), "the second way");
    assert_eq!(ends(&room), []);
    room.outside_says(0, "200 OK");
    assert_eq!(room.log.iter().filter(|it| matches!(it.1.event, Event::Joined { .. })).count(), 1);
    over(room, caller);
}

#[test]
fn the_agent_hands_the_caller_over_to_somebody_who_has_answered_and_not_before() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    assert_eq!(room.by(0, Verb::Leave { agent: agent(0), call }).result, Err(Refusal::Alone));
    consult(&mut room, call, "sdis-69").expect("asked");
    let early = room.by(0, Verb::Leave { agent: agent(0), call }).result;
    assert_eq!(early, Err(Refusal::Alone), "our leg stays until a human there has answered");
    let invite = room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    assert_eq!(room.hearing(callers), None, "the caller talks with them");
    assert!(!room.has_bye(&caller));
    let second = room.dial_and_ack("0687654321", "15");
    assert!(room.key(0).result.is_ok(), "and the agent is free");
    room.outside_bye(1, &invite);
    assert!(room.has_bye(&caller), "whoever had the call has ended it");
    let record = &room.records[0];
    assert_eq!(record.ended_by, Some(Actor::Outside("sdis-69".to_owned())));
    over(room, second);
}

#[test]
fn i07_somebody_outside_who_is_lost_leaves_the_caller_to_the_agent_or_to_the_queue() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    let theirs = joined(&room, &sdis());
    room.silent(theirs, 30);
    assert_eq!(left(&room), [(sdis(), Some(Loss::NoAudio))]);
    assert!(!room.has_bye(&caller));
    assert_eq!(room.hearing(callers), Some(Program::Comfort));
    assert!(room.key(0).result.is_ok(), "the caller waits for an agent again");
    assert_eq!(room.connected(0).len(), 2);
    over(room, caller);
}

#[test]
fn i07_nobody_hands_a_caller_to_somebody_outside_who_has_long_been_silent() {
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Conference { agent: agent(0), call }).result.is_ok());
    let theirs = joined(&room, &sdis());
    room.silent(theirs, 30);
    assert_eq!(left(&room), [], "the agent hears for oneself whether they are there");
    assert_eq!(room.by(0, Verb::Leave { agent: agent(0), call }).result, Err(Refusal::Alone));
    room.hears(theirs);
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok(), "they are there after all");
    over(room, caller);
}

/// A caller with the fire brigade alone, and the leg there.
fn handed_out() -> (Room, Caller, LegId) {
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    let theirs = joined(&room, &sdis());
    room.hears(theirs);
    (room, caller, theirs)
}

#[test]
fn i07_somebody_outside_who_is_heard_is_there_whatever_becomes_of_a_question() {
    let (mut room, caller, theirs) = handed_out();
    room.dead.insert(kit::trunk_at(1));
    room.pass(700 * SECOND);
    let asked = room.wire.iter().filter(|it| it.to == kit::trunk_at(1));
    assert!(asked.filter(|it| it.sip.method() == Some("OPTIONS")).count() > 2, "asked, in vain");
    assert_eq!(left(&room), [], "the voice is there");
    room.silent(theirs, 30);
    assert_eq!(left(&room), [(sdis(), Some(Loss::NoAudio))], "and then it is not");
    over(room, caller);
}

#[test]
fn i34_a_caller_in_a_conference_goes_on_talking_with_the_fire_brigade_while_everyone_is_asked() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Conference { agent: agent(0), call }).result.is_ok());
    room.by(1, Verb::Ready { agent: agent(1) });
    room.silent(leg, 1);
    room.pass(5 * SECOND);
    assert_eq!(room.hearing(callers), None, "not a second of comfort audio");
    assert!(room.key(1).result.is_ok(), "the next agent");
    let theirs = joined(&room, &sdis());
    let bridges: Vec<_> = room
        .media
        .iter()
        .filter_map(|(_, it)| match it {
            MediaCommand::Join { bridge, leg } if [theirs, room.connected(1)[0].1].contains(leg) => {
                Some(bridge)
            }
            _ => None,
        })
        .collect();
    assert!(bridges.windows(2).all(|two| two[0] == two[1]), "comes into the same conversation");
    over(room, caller);
}

#[test]
fn the_agent_dismisses_whoever_was_asked() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "180 Ringing");
    assert!(room.by(0, Verb::Dismiss { agent: agent(0), call }).result.is_ok(), "while it rings");
    assert!(room.rings_at(kit::trunk_at(1)).is_none());
    consult(&mut room, call, "sdis-69").expect("asked again");
    room.outside_says(1, "200 OK");
    assert!(room.by(0, Verb::Dismiss { agent: agent(0), call }).result.is_ok(), "while they talk");
    assert_eq!(room.hearing(callers), None);
    assert_eq!(ends(&room), [ConsultEnd::Back, ConsultEnd::Back]);
    over(room, caller);
}

#[test]
fn i04_a_caller_forgotten_on_hold_in_a_consultation_raises_the_recall_alarm() {
    let (mut room, caller, call, _) = talking();
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "200 OK");
    room.pass(60 * SECOND);
    let due = |event: &Event| matches!(event, Event::RecallDue { agent: of, .. } if *of == agent(0));
    assert!(room.step_of(due).is_some());
    over(room, caller);
}

#[test]
fn a_supervisor_listens_unheard_whispers_to_the_agent_and_speaks_with_both() {
    let (mut room, caller, call, leg) = talking();
    watch(&mut room, CHIEF, call, Seat::Listens).expect("listens");
    let chief = joined(&room, &Who::Agent(agent(CHIEF)));
    let voices = |room: &Room| -> Vec<Voice> {
        let of = |it: &(u64, MediaCommand)| match it.1 {
            MediaCommand::Voice { leg, voice } if leg == chief => Some(voice),
            _ => None,
        };
        room.media.iter().filter_map(of).collect()
    };
    assert_eq!(voices(&room), [Voice::Nobody]);
    let order: Vec<&MediaCommand> = room.media.iter().map(|it| &it.1).collect();
    let at = |wanted: &dyn Fn(&MediaCommand) -> bool| order.iter().position(|it| wanted(it));
    let muted = at(&|it| matches!(it, MediaCommand::Voice { leg, .. } if *leg == chief));
    let came = at(&|it| matches!(it, MediaCommand::Join { leg, .. } if *leg == chief));
    assert!(muted < came, "not one packet is heard before");
    watch(&mut room, CHIEF, call, Seat::Whispers).expect("whispers");
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    assert_eq!(voices(&room), [Voice::Nobody, Voice::Only(leg), Voice::Everyone]);
    assert!(room.by(CHIEF, Verb::Leave { agent: agent(CHIEF), call }).result.is_ok());
    assert!(!room.has_bye(&caller));
    let room = over(room, caller);
    let seats: Vec<Seat> = room.records[0].others.iter().map(|part| part.seat).collect();
    assert_eq!(seats, [Seat::Listens, Seat::Whispers, Seat::Speaks], "the record holds it");
}

#[test]
fn nobody_but_a_supervisor_listens() {
    let (mut room, caller, call, _) = talking();
    assert_eq!(watch(&mut room, 1, call, Seat::Listens), Err(Refusal::Forbidden));
    let for_an_agent = Verb::Watch { agent: agent(1), call, seat: Seat::Listens };
    assert_eq!(room.by(CHIEF, for_an_agent).result, Err(Refusal::Forbidden));
    over(room, caller);
}

#[test]
fn a_supervisor_at_a_desk_phone_is_rung_and_listens_once_it_is_lifted() {
    let (mut room, caller, call, _) = talking();
    let chief = Actor::User("chief".to_owned());
    let wish = Verb::Watch { agent: agent(DESK_CHIEF), call, seat: Seat::Listens };
    assert_eq!(room.command(chief.clone(), wish.clone()).result, Err(Refusal::SignedOut));
    room.by(DESK_CHIEF, Verb::SignIn { agent: agent(DESK_CHIEF), position: None });
    assert!(room.command(chief, wish).result.is_ok());
    room.answer(DESK_CHIEF);
    let leg = joined(&room, &Who::Agent(agent(DESK_CHIEF)));
    assert!(room.media.iter().any(|it| it.1 == MediaCommand::Voice { leg, voice: Voice::Nobody }));
    over(room, caller);
}

#[test]
fn a_supervisor_takes_a_call_over_and_its_agent_is_out_of_it() {
    let (mut room, caller, call, _) = talking();
    let take = Verb::TakeOver { agent: agent(CHIEF), call };
    assert_eq!(room.by(CHIEF, take.clone()).result, Err(Refusal::Unknown), "only from within");
    watch(&mut room, CHIEF, call, Seat::Listens).expect("listens");
    assert!(room.by(CHIEF, take).result.is_ok());
    let led = |event: &Event| matches!(event, Event::Led { agent: by, .. } if *by == agent(CHIEF));
    assert!(room.step_of(led).is_some(), "answers for it from here on");
    assert_eq!(left(&room), [(Who::Agent(agent(0)), None)]);
    assert!(!room.has_bye(&caller));
    let release = Verb::Release { agent: agent(CHIEF), call, disposition: Some("advice".to_owned()) };
    assert!(room.by(CHIEF, release).result.is_ok());
    assert!(room.has_bye(&caller), "the last agent's release ends it");
    let record = &room.records[0];
    let answered: Vec<_> = record.conversations.iter().map(|talk| talk.agent).collect();
    assert_eq!(answered, [agent(0), agent(CHIEF)]);
    assert_eq!(record.disposition.as_deref(), Some("advice"));
    room.rest();
}

#[test]
fn one_of_several_who_releases_is_out_and_the_others_go_on() {
    let (mut room, caller, call, _) = talking();
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    let release = Verb::Release { agent: agent(0), call, disposition: None };
    assert!(room.by(0, release).result.is_ok());
    assert!(!room.has_bye(&caller));
    assert_eq!(left(&room), [(Who::Agent(agent(0)), None)]);
    over(room, caller);
}

#[test]
fn i34_one_of_several_who_is_lost_is_out_after_five_seconds_and_the_caller_hears_the_others() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    room.silent(leg, 1);
    assert_eq!(room.hearing(callers), None, "no comfort audio: somebody is there");
    room.pass(4 * SECOND);
    assert_eq!(left(&room), []);
    room.pass(SECOND);
    assert_eq!(left(&room), [(Who::Agent(agent(0)), Some(Loss::NoAudio))]);
    room.pass(30 * SECOND);
    let asked = |event: &Event| matches!(event, Event::Queued { again: true, .. });
    assert!(room.step_of(asked).is_none(), "nobody else is asked");
    over(room, caller);
}

#[test]
fn i34_one_of_several_is_back_before_five_seconds() {
    let (mut room, caller, call, leg) = talking();
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    room.silent(leg, 1);
    room.pass(2 * SECOND);
    room.input(Input::Media(MediaEvent::Heard { leg }));
    room.pass(20 * SECOND);
    assert_eq!(left(&room), []);
    over(room, caller);
}

#[test]
fn i34_all_of_several_lost_is_the_clock_of_the_only_one() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    room.silent(leg, 1);
    room.pass(2 * SECOND);
    let chief = joined(&room, &Who::Agent(agent(CHIEF)));
    room.hears(chief);
    room.silent(chief, 1);
    assert_eq!(room.hearing(callers), Some(Program::Comfort));
    room.by(1, Verb::Ready { agent: agent(1) });
    room.pass(5 * SECOND);
    assert!(room.key(1).result.is_ok(), "everyone is asked");
    assert!(!room.has_bye(&caller));
    over(room, caller);
}

#[test]
fn a_caller_who_hangs_up_leaves_nobody_ringing_or_talking() {
    for step in 0..4 {
        let (mut room, caller, call, _) = talking();
        if step > 0 {
            watch(&mut room, CHIEF, call, Seat::Whispers).expect("whispers");
        }
        if step > 1 {
            consult(&mut room, call, "sdis-69").expect("asked");
        }
        if step > 2 {
            room.outside_says(1, "200 OK");
        }
        let room = over(room, caller);
        assert_eq!(room.records[0].cause, Some(Cause::Released), "{step}");
    }
}

/// The supervisor at the desk phone comes in, or is about to.
fn desk_chief_watches(room: &mut Room, call: CallId, seat: Seat) {
    room.by(DESK_CHIEF, Verb::SignIn { agent: agent(DESK_CHIEF), position: None });
    let wish = Verb::Watch { agent: agent(DESK_CHIEF), call, seat };
    room.command(Actor::User("chief".to_owned()), wish).result.expect("rings");
}

#[test]
fn i07_i34_a_supervisor_who_is_the_only_one_left_and_is_lost_is_the_clock_of_the_only_one() {
    for chief in [CHIEF, DESK_CHIEF] {
        let (mut room, caller, call, _) = talking();
        let (_, callers) = room.arrival(0);
        if chief == CHIEF {
            watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
        } else {
            desk_chief_watches(&mut room, call, Seat::Speaks);
            room.answer(DESK_CHIEF);
        }
        assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok(), "the supervisor stays");
        let leg = joined(&room, &Who::Agent(agent(chief)));
        room.hears(leg);
        room.silent(leg, 30);
        assert_eq!(room.hearing(callers), Some(Program::Comfort), "at once");
        room.pass(5 * SECOND);
        assert!(room.key(0).result.is_ok(), "everyone is asked");
        assert_eq!(room.hearing(callers), None);
        over(room, caller);
    }
}

#[test]
fn i07_a_supervisor_who_is_the_only_one_heard_does_not_fall_silent() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    watch(&mut room, CHIEF, call, Seat::Speaks).expect("speaks");
    room.silent(leg, 1);
    for seat in [Seat::Listens, Seat::Whispers] {
        assert_eq!(watch(&mut room, CHIEF, call, seat), Err(Refusal::Alone), "the agent is lost");
    }
    room.pass(6 * SECOND);
    assert_eq!(left(&room), [(Who::Agent(agent(0)), Some(Loss::NoAudio))]);
    assert_eq!(watch(&mut room, CHIEF, call, Seat::Listens), Err(Refusal::Alone), "and gone");
    assert_eq!(room.hearing(callers), None, "the caller has the supervisor");
    over(room, caller);
}

#[test]
fn i04_a_supervisor_whose_phone_still_rings_when_the_call_ends_is_free_again() {
    let (mut room, _, call, _) = talking();
    consult(&mut room, call, "sdis-69").expect("asked");
    let invite = room.outside_says(1, "200 OK");
    desk_chief_watches(&mut room, call, Seat::Listens);
    room.phone_says(DESK_CHIEF, "180 Ringing");
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    room.outside_bye(1, &invite);
    assert_eq!(room.records.len(), 1, "over");
    assert!(room.ringing(DESK_CHIEF).is_none());
    let second = room.dial_and_ack("0687654321", "15");
    assert!(room.key(0).result.is_ok());
    let (call, _) = room.connected(0)[1];
    desk_chief_watches(&mut room, call, Seat::Listens);
    over(room, second);
}

#[test]
fn a_supervisors_phone_that_rings_out_ends_nobodys_question() {
    let (mut room, caller, call, _) = talking();
    desk_chief_watches(&mut room, call, Seat::Listens);
    room.phone_says(DESK_CHIEF, "180 Ringing");
    room.pass(5 * SECOND);
    consult(&mut room, call, "sdis-69").expect("asked");
    room.outside_says(1, "180 Ringing");
    room.pass(16 * SECOND);
    assert!(room.ringing(DESK_CHIEF).is_none(), "20 s");
    assert_eq!(ends(&room), []);
    room.pass(15 * SECOND);
    assert_eq!(ends(&room), [ConsultEnd::Unanswered], "30 s, as whoever is asked outside has");
    over(room, caller);
}

#[test]
fn as_many_come_into_one_conversation_as_can_hear_each_other() {
    let mut people = kit::page::pages(0, 8);
    for chief in &mut people[1..] {
        chief.role = Role::Supervisor;
        chief.skills.clear();
    }
    let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
    (0..8).for_each(|index| room.page_ready(index));
    let caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, _) = room.connected(0)[0];
    for chief in 1..=6 {
        watch(&mut room, chief, call, Seat::Listens).expect("eight with the caller");
    }
    assert_eq!(watch(&mut room, 7, call, Seat::Listens), Err(Refusal::Busy));
    assert_eq!(consult(&mut room, call, "sdis-69"), Err(Refusal::Busy));
    assert!(room.by(1, Verb::Leave { agent: agent(1), call }).result.is_ok());
    consult(&mut room, call, "sdis-69").expect("one has left");
    over(room, caller);
}

#[test]
fn whoever_whispers_is_heard_by_the_agent_who_comes_back_by_another_phone() {
    let (mut room, caller, call, leg) = talking();
    watch(&mut room, CHIEF, call, Seat::Whispers).expect("whispers");
    let chief = joined(&room, &Who::Agent(agent(CHIEF)));
    room.silent(leg, 1);
    room.pass(3 * SECOND);
    room.answer(50);
    let back = room.log.iter().rev().find_map(|(_, entry)| match entry.event {
        Event::Resumed { leg, .. } => Some(leg),
        _ => None,
    });
    let voice = room.media.iter().rev().find_map(|(_, it)| match it {
        MediaCommand::Voice { leg, voice } if *leg == chief => Some(*voice),
        _ => None,
    });
    assert_eq!(voice, Some(Voice::Only(back.expect("back"))));
    over(room, caller);
}
