//! What a failure does, and does not do: agents' phones that die, callers whose network fails.

mod kit;

use engine::call::event::{Actor, Cause, Event, Loss};
use engine::id::LegId;
use engine::io::Verb;
use engine::media::{MediaCommand, Program};
use kit::{Room, agent, phone_at};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// The agent's and the caller's leg of the last conversation.
fn legs(room: &Room) -> (LegId, LegId) {
    let agents = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Connected { leg, .. } => Some(*leg),
        _ => None,
    });
    let callers = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Arrived { leg, .. } => Some(*leg),
        _ => None,
    });
    (agents.expect("connected"), callers.expect("arrived"))
}

fn losses(room: &Room) -> Vec<Loss> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::AgentLost { loss, .. } => Some(*loss),
        _ => None,
    });
    all.collect()
}

#[test]
fn i07_i34_a_phone_without_audio_for_thirty_seconds_is_lost_and_the_same_clock_runs_as_for_a_page() {
    let mut room = Room::new(2);
    let caller = room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    room.pass(60 * SECOND);
    let (leg, callers) = legs(&room);
    room.silent(leg, 1);
    room.silent(leg, 5);
    assert!(losses(&room).is_empty(), "no audio alone ends nobody at once");
    let before = room.step;
    room.silent(leg, 30);
    assert_eq!(losses(&room), [Loss::NoAudio]);
    assert!(!room.has_bye(&caller), "never a BYE to the caller");
    let comfort = MediaCommand::Play { leg: callers, program: Program::Comfort };
    assert!(room.media.contains(&(before + 1, comfort)), "comfort audio in the same step");
    room.pass(4_900 * MILLI);
    assert!(room.ringing(1 - first).is_none(), "it may come back");
    let shared = |event: &Event| matches!(event, Event::HeldAside { lost: true, .. });
    assert!(room.step_of(shared).is_some_and(|step| step > before), "at 3 s the room sees it");
    room.pass(200 * MILLI);
    assert!(room.rang_in(1 - first).is_some_and(|step| step > before), "at 5 s everyone is asked");
    assert_eq!(
        room.ringing(1 - first).expect("rings").header("x-bandeau-class"),
        "vital",
        "I34: unknown is vital"
    );
    let invite = room.answer(1 - first);
    room.pass(10 * SECOND);
    room.phone_bye(1 - first, &invite);
    let record = &room.records[0];
    assert_eq!((record.conversations.len(), record.conversations[0].loss), (2, Some(Loss::NoAudio)));
    assert_eq!(record.cause, Some(Cause::Released));
    assert!(record.stages[1].again);
    room.rest();
}

#[test]
fn i34_what_a_human_said_of_the_call_is_kept_through_a_loss() {
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    let (leg, _) = legs(&room);
    let call = room.journal.last().expect("a snapshot").call;
    let verb = Verb::Qualify { call, class: "routine".to_owned() };
    assert!(room.command(Actor::Agent(agent(first)), verb).result.is_ok());
    room.silent(leg, 30);
    room.pass(5 * SECOND);
    assert_eq!(room.ringing(1 - first).expect("rings").header("x-bandeau-class"), "routine");
}

#[test]
fn i34_a_phone_heard_again_before_five_seconds_has_its_caller_again() {
    let mut room = Room::new(2);
    let caller = room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    let (leg, callers) = legs(&room);
    room.silent(leg, 30);
    room.pass(4 * SECOND);
    room.input(engine::io::Input::Media(engine::media::MediaEvent::Heard { leg }));
    assert!(matches!(
        room.media.iter().rev().find(|it| leg_of(&it.1) == callers),
        Some((_, MediaCommand::Join { .. }))
    ));
    room.pass(10 * SECOND);
    assert!(room.ringing(1 - first).is_none() && !room.has_bye(&caller));
}

/// The leg a command is for.
fn leg_of(command: &MediaCommand) -> LegId {
    match command {
        MediaCommand::Join { leg, .. } | MediaCommand::Leave { leg } | MediaCommand::Play { leg, .. } => *leg,
        _ => LegId { centre: engine::id::CentreId(9), serial: engine::id::Serial(0) },
    }
}

#[test]
fn a_phone_that_does_not_answer_the_probe_is_lost() {
    let mut room = Room::new(2);
    let caller = room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(first);
    let (leg, _) = legs(&room);
    room.dead.insert(phone_at(first));
    room.silent(leg, 5);
    let asked = room.wire.iter().any(|it| it.to == phone_at(first) && it.sip.method() == Some("OPTIONS"));
    assert!(asked, "asked in its dialog");
    room.pass(33 * SECOND);
    assert_eq!(losses(&room), [Loss::NoAnswer]);
    assert!(!room.has_bye(&caller));
    assert!(room.records.is_empty());
}

#[test]
fn a_caller_is_lost_only_when_neither_signalling_nor_audio_is_left() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (_, callers) = legs(&room);
    room.silent(callers, 5);
    room.silent(callers, 30);
    assert!(room.records.is_empty(), "it answers the probe: it is there");
    room.dead.insert(caller.at);
    room.pass(60 * SECOND);
    assert_eq!(room.records.first().and_then(|record| record.cause), Some(Cause::Network));
    assert_eq!(room.records[0].ended_by, Some(Actor::System));
    room.rest();
}

#[test]
fn a_caller_whose_signalling_is_gone_stays_while_its_audio_comes() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (_, callers) = legs(&room);
    room.dead.insert(caller.at);
    room.silent(callers, 5);
    room.input(engine::io::Input::Media(engine::media::MediaEvent::Heard { leg: callers }));
    room.pass(40 * SECOND);
    assert!(room.records.is_empty(), "the probe failed, the voice is there");
    room.silent(callers, 30);
    assert_eq!(room.records.first().and_then(|record| record.cause), Some(Cause::Network));
    room.rest();
}

#[test]
fn a_caller_who_holds_us_and_answers_nothing_any_more_is_lost_after_three_questions() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let held = kit::sip::sdp(30_000, "8 0", "inactive");
    room.reinvite(&mut caller, Some(&held));
    room.ack(&mut caller);
    room.pass(900 * SECOND);
    assert!(room.records.is_empty(), "it answers: it is there");
    room.dead.insert(caller.at);
    room.pass(400 * SECOND);
    assert!(room.records.is_empty(), "not for one question");
    room.pass(120 * SECOND);
    assert_eq!(room.records.first().and_then(|record| record.cause), Some(Cause::Network));
    room.rest();
}

#[test]
fn a_phone_on_hold_is_silent_and_not_lost() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    let invite = room.answer(0);
    let (leg, _) = legs(&room);
    let body = kit::sip::sdp(40_000, "8", "inactive");
    room.phone_request(0, &invite, "INVITE", 2, Some(&body));
    room.phone_request(0, &invite, "ACK", 2, None);
    room.silent(leg, 30);
    assert!(losses(&room).is_empty());
}

#[test]
fn an_unplugged_phone_does_not_keep_a_caller_from_the_next() {
    let mut room = Room::new(2);
    room.dead.extend([phone_at(0), phone_at(1)]);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.dead.clear();
    room.pass(7 * SECOND);
    assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"));
}

#[test]
fn i01_a_busy_other_phone_frees_no_agent_who_is_still_in_the_call() {
    let mut room = Room::of_pages(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (leg, callers) = legs(&room);
    room.hears(leg);
    room.silent(leg, 1);
    room.pass(3 * SECOND);
    room.phone_says(50, "486 Busy Here");
    room.pass(SECOND);
    room.hears(leg);
    assert_eq!(room.hearing(callers), None, "talks again");
    let before = room.step;
    let mut second = room.dial_and_ack("0687654321", "15");
    room.pass(60 * SECOND);
    let offered = |room: &Room| {
        room.events_since(before)
            .iter()
            .any(|it| matches!(it, Event::Offered { agent: to, .. } if *to == agent(0)))
    };
    assert!(!offered(&room), "the first caller is in the ear");
    room.bye(&mut caller);
    room.pass(60 * SECOND);
    assert!(offered(&room), "and is out of it");
    room.bye(&mut second);
    room.rest();
}

#[test]
fn a_page_that_comes_back_has_no_call_that_another_agent_has_had_since() {
    let mut room = Room::of_pages(2);
    room.by(1, Verb::Pause { agent: agent(1), reason: "meal".to_owned() });
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, _) = room.connected(0)[0];
    let (_, callers) = room.arrival(0);
    room.page(0, false);
    room.page_down(room.page_id(0));
    room.by(0, Verb::Pause { agent: agent(0), reason: "broken".to_owned() });
    room.pass(6 * SECOND);
    let pick = Verb::Pick { agent: agent(1), call, confirmed: true };
    room.by(1, pick).result.expect("picked");
    room.key(1);
    assert_eq!(room.connected(1).len(), 1);
    let queue = room.queue("back");
    let verb = Verb::HandOver { agent: agent(1), call, queue, class: None, note: None };
    room.by(1, verb).result.expect("handed over");
    room.page(0, true);
    room.page_offers(0);
    room.page_fit(0, true);
    assert_eq!(room.connected(0).len(), 1, "nobody sits there who has asked for it");
    assert!(matches!(room.hearing(callers), Some(Program::Hold { .. })));
    room.bye(&mut caller);
}

#[test]
fn a_call_is_over_in_the_log_before_its_agent_is_offered_the_next() {
    let network = |room: &mut Room, caller: kit::peer::Caller, leg| {
        room.silent(leg, 5);
        room.dead.insert(caller.at);
        room.silent(leg, 30);
        room.pass(40 * SECOND);
    };
    let hang_up = |room: &mut Room, mut caller: kit::peer::Caller, _| room.bye(&mut caller);
    type End = dyn Fn(&mut Room, kit::peer::Caller, LegId);
    for end in [&network as &End, &hang_up] {
        let mut room = Room::new(1);
        let caller = room.dial_and_ack("0612345678", "15");
        room.answer(0);
        let (_, leg) = legs(&room);
        let other = room.dial_and_ack("0698765432", "15");
        let before = room.step;
        end(&mut room, caller, leg);
        let told = room.events_since(before);
        let ended = told.iter().position(|event| matches!(event, Event::Ended { .. })).expect("it ended");
        let next = told.iter().position(|event| matches!(event, Event::Offered { .. })).expect("the next");
        assert!(ended < next, "{told:?}");
        drop(other);
    }
}

/// Re-INVITEs of ours within a call, to whoever is at `at`.
fn asked(room: &Room, at: std::net::SocketAddr) -> usize {
    let within = |sip: &kit::sip::Sip| sip.method() == Some("INVITE") && sip.header("to").contains(";tag=");
    room.wire.iter().filter(|sent| sent.to == at && within(&sent.sip)).count()
}

// edges.md: no audio alone ends nobody; it is told, and repaired.
#[test]
fn i33_no_audio_after_the_answer_is_told_and_the_peer_is_asked_once_where_it_is() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (leg, callers) = legs(&room);
    for (silent, at) in [(callers, caller.at), (leg, kit::phone_at(0))] {
        let before = room.step;
        room.silent(silent, 1);
        let told = |event: &&Event| matches!(event, Event::NoMedia { leg, seconds: 1, .. } if *leg == silent);
        assert_eq!(room.events_since(before).into_iter().filter(told).count(), 1, "in the same step");
        assert_eq!(asked(&room, at), 1);
        let moved = |it: &&(u64, MediaCommand)| match &it.1 {
            MediaCommand::Update { leg, stream, .. } => {
                *leg == silent && stream.remote.is_some_and(|remote| remote.port() == 42_000)
            }
            _ => false,
        };
        assert!(room.media.iter().any(|it| moved(&it)), "it has moved, and is heard from there");
        // Heard, and silent again: what a second question would find the first has found.
        room.input(engine::io::Input::Media(engine::media::MediaEvent::Heard { leg: silent }));
        room.silent(silent, 1);
        assert_eq!(asked(&room, at), 1, "once");
    }
    assert!(!room.has_bye(&caller) && losses(&room).is_empty());
}

#[test]
fn i33_a_peer_that_has_said_it_would_be_silent_is_asked_nothing() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (_, callers) = legs(&room);
    room.reinvite(&mut caller, Some(&kit::sip::sdp(30_000, "8", "recvonly")));
    room.silent(callers, 1);
    assert_eq!(asked(&room, caller.at), 0);
    assert!(!room.log.iter().any(|it| matches!(it.1.event, Event::NoMedia { .. })));
}
