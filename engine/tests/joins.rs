//! The vital key moves nobody: a regulator comes beside the agent, who leaves when he says so. A
//! colleague or a team is asked the same way, and a busy agent is alerted for a caller nobody has.

mod kit;

use engine::call::event::{ConsultEnd, Event, Loss, OfferKind, Who, Whom};
use engine::id::{CallId, LegId, QueueId};
use engine::io::{Refusal, Verb};
use engine::media::Program;
use engine::site::{AgentSite, Role};
use kit::peer::Caller;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The regulators: two at pages, one at a desk phone.
const DOCTOR: u32 = 2;
const SECOND_DOCTOR: u32 = 3;
const DESK_DOCTOR: u32 = 4;

const REGULATION: &str = r#"
[queue.regulation]
skills = ["mr-amu"]
stage  = "regulation"
offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }

[[route]]
name = "early"
"#;

fn people() -> Vec<AgentSite> {
    let mut people = kit::page::pages(0, 4);
    people.extend(desks(DESK_DOCTOR, 1, false));
    for doctor in &mut people[2..] {
        doctor.role = Role::Regulator;
        doctor.skills = vec!["mr-amu".to_owned()];
    }
    people
}

fn room() -> Room {
    let text = plan::TEXT.replacen("\n[[route]]\nname = \"early\"\n", REGULATION, 1);
    Room::of(site(vec![centre(&text, people())]))
}

/// Two agents and one doctor are there; a caller talks with the first agent.
fn talking() -> (Room, Caller, CallId, LegId) {
    let mut room = room();
    for index in [0, 1, DOCTOR] {
        room.page_ready(index);
    }
    room.by(1, Verb::Pause { agent: agent(1), reason: "meal".to_owned() });
    let caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    (room, caller, call, leg)
}

fn vital(room: &mut Room, call: CallId) {
    assert!(room.by(0, Verb::Vital { agent: agent(0), call }).result.is_ok());
}

/// Takes what calls upon an agent.
fn comes(room: &mut Room, index: u32, kind: OfferKind) {
    let (offer, _) = room.called_upon(index, kind).expect("called upon");
    let result = room.by(index, Verb::Claim { agent: agent(index), offer }).result;
    assert!(result.is_ok(), "{result:?}");
}

fn joined(room: &Room, index: u32) -> Option<LegId> {
    room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Joined { who, leg, .. } if *who == Who::Agent(agent(index)) => Some(*leg),
        _ => None,
    })
}

fn over(mut room: Room, mut caller: Caller) -> Room {
    room.bye(&mut caller);
    room.rest();
    room
}

fn consult(room: &mut Room, call: CallId, whom: Whom) -> Result<u64, Refusal> {
    room.by(0, Verb::Consult { agent: agent(0), call, whom }).result
}

fn ends(room: &Room) -> Vec<ConsultEnd> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::ConsultEnded { end, .. } => Some(*end),
        _ => None,
    });
    all.collect()
}

#[test]
fn the_vital_key_brings_a_regulator_and_the_agent_leaves_when_he_says_so() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    let before = room.step;
    vital(&mut room, call);
    assert!(room.called_upon(DOCTOR, OfferKind::Join).is_some(), "in the same step");
    assert!(room.called_upon(1, OfferKind::Join).is_none(), "no agent is a regulator");
    assert!(
        room.events_since(before).iter().any(|event| matches!(event, Event::Qualified { fenced: true, .. }))
    );
    assert_eq!((room.hearing(callers), room.hearing(leg)), (None, None), "nobody is moved");
    comes(&mut room, DOCTOR, OfferKind::Join);
    let doctor = joined(&room, DOCTOR).expect("beside the agent");
    assert_eq!(room.hearing(doctor), None);
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    let led = |event: &Event| matches!(event, Event::Led { agent: by, .. } if *by == agent(DOCTOR));
    assert!(room.step_of(led).is_some());
    assert!(!room.has_bye(&caller));
    let release = Verb::Release { agent: agent(DOCTOR), call, disposition: Some("ambulance".to_owned()) };
    assert!(room.by(DOCTOR, release).result.is_ok());
    assert!(room.has_bye(&caller), "the last agent's release ends it");
    let record = &room.records[0];
    assert_eq!(record.conversations.iter().map(|it| it.agent).collect::<Vec<_>>(), [agent(0), agent(DOCTOR)]);
    assert!(record.wanted[0].whom.is_none() && record.wanted[0].until.is_some());
    assert_eq!(record.stages.len(), 1, "the caller has never waited again");
    room.rest();
}

#[test]
fn the_agent_of_a_vital_call_cannot_leave_before_a_regulator_is_there() {
    let (mut room, caller, call, _) = talking();
    vital(&mut room, call);
    assert_eq!(room.by(0, Verb::Leave { agent: agent(0), call }).result, Err(Refusal::Alone));
    over(room, caller);
}

#[test]
fn a_regulator_at_a_desk_phone_is_rung_and_comes_by_lifting_it() {
    let (mut room, caller, call, _) = talking();
    room.page(DOCTOR, false);
    room.by(DESK_DOCTOR, Verb::Ready { agent: agent(DESK_DOCTOR) });
    vital(&mut room, call);
    assert!(room.ringing(DESK_DOCTOR).is_some());
    room.answer(DESK_DOCTOR);
    assert!(joined(&room, DESK_DOCTOR).is_some());
    assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none());
    over(room, caller);
}

#[test]
fn nobody_comes_within_ten_seconds_and_a_busy_regulator_is_alerted_and_keeps_his_caller() {
    let (mut room, caller, call, _) = talking();
    room.page_ready(SECOND_DOCTOR);
    room.by(DOCTOR, Verb::Pause { agent: agent(DOCTOR), reason: "meal".to_owned() });
    let first = room.dial_and_ack("0687654321", "15");
    let (other, _) = room.arrival(1);
    // The second doctor has an earlier caller, by a pick.
    assert!(
        room.by(SECOND_DOCTOR, Verb::Pick { agent: agent(SECOND_DOCTOR), call: other, confirmed: true })
            .result
            .is_ok()
    );
    vital(&mut room, call);
    room.pass(9 * SECOND);
    assert!(room.called_upon(SECOND_DOCTOR, OfferKind::Join).is_none());
    room.pass(SECOND);
    comes(&mut room, SECOND_DOCTOR, OfferKind::Join);
    assert!(joined(&room, SECOND_DOCTOR).is_some());
    let held = |event: &Event| matches!(event, Event::HeldAside { call, lost: false, .. } if *call == other);
    assert!(room.step_of(held).is_some(), "his caller is on the shared list");
    assert!(!room.has_bye(&first));
    assert!(room.by(SECOND_DOCTOR, Verb::Leave { agent: agent(SECOND_DOCTOR), call }).result.is_ok());
    let mut first = first;
    room.bye(&mut first);
    over(room, caller);
}

#[test]
fn i34_the_agent_is_lost_and_the_regulator_who_comes_has_the_caller_at_once() {
    let (mut room, caller, call, leg) = talking();
    let (_, callers) = room.arrival(0);
    vital(&mut room, call);
    room.silent(leg, 1);
    assert_eq!(room.hearing(callers), Some(Program::Comfort));
    room.pass(2 * SECOND);
    comes(&mut room, DOCTOR, OfferKind::Join);
    assert_eq!(room.hearing(callers), None, "not at five seconds: now");
    room.pass(20 * SECOND);
    let left = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Left { who, loss, .. } => Some((who.clone(), *loss)),
        _ => None,
    });
    assert_eq!(left, Some((Who::Agent(agent(0)), Some(Loss::NoAudio))));
    assert!(!room.has_bye(&caller));
    over(room, caller);
}

#[test]
fn a_caller_who_hangs_up_or_a_call_that_is_released_calls_nobody_any_more() {
    for released in [true, false] {
        let (mut room, mut caller, call, _) = talking();
        vital(&mut room, call);
        if released {
            let release = Verb::Release { agent: agent(0), call, disposition: None };
            assert!(room.by(0, release).result.is_ok());
        } else {
            room.bye(&mut caller);
        }
        assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none());
        room.rest();
    }
}

#[test]
fn a_colleague_is_asked_while_the_caller_is_on_hold_and_takes_the_caller() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    room.by(1, Verb::Ready { agent: agent(1) });
    consult(&mut room, call, Whom::Agent(agent(1))).expect("asked");
    assert!(matches!(room.hearing(callers), Some(Program::Hold { .. })));
    assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none(), "this person and nobody else");
    comes(&mut room, 1, OfferKind::Join);
    assert!(matches!(room.hearing(callers), Some(Program::Hold { .. })), "the two talk first");
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    assert_eq!(room.hearing(callers), None);
    assert_eq!(ends(&room), [ConsultEnd::HandedOver]);
    over(room, caller);
}

#[test]
fn a_team_is_asked_and_the_first_who_is_free_comes() {
    let (mut room, caller, call, _) = talking();
    let regulation = QueueId { centre: call.centre, index: 2 };
    consult(&mut room, call, Whom::Queue(regulation)).expect("asked");
    comes(&mut room, DOCTOR, OfferKind::Join);
    assert!(room.by(0, Verb::Conference { agent: agent(0), call }).result.is_ok());
    assert_eq!(ends(&room), [ConsultEnd::Together]);
    over(room, caller);
}

#[test]
fn a_colleague_who_does_not_come_leaves_the_caller_to_the_agent() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    room.by(1, Verb::Ready { agent: agent(1) });
    consult(&mut room, call, Whom::Agent(agent(1))).expect("asked");
    room.pass(30 * SECOND);
    assert_eq!(ends(&room), [ConsultEnd::Unanswered]);
    assert_eq!(room.hearing(callers), None);
    assert!(room.called_upon(1, OfferKind::Join).is_none());
    assert_eq!(consult(&mut room, call, Whom::Agent(agent(SECOND_DOCTOR))), Err(Refusal::SignedOut));
    over(room, caller);
}

#[test]
fn i12_a_regulator_who_rings_for_a_question_is_called_for_the_vital_call_all_the_same() {
    let (mut room, caller, call, _) = talking();
    room.by(DOCTOR, Verb::Pause { agent: agent(DOCTOR), reason: "meal".to_owned() });
    room.by(DESK_DOCTOR, Verb::Ready { agent: agent(DESK_DOCTOR) });
    let regulation = room.queue("regulation");
    consult(&mut room, call, Whom::Queue(regulation)).expect("asked");
    assert!(room.ringing(DESK_DOCTOR).is_some());
    vital(&mut room, call);
    let wanted = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Wanted { work, whom: None, .. } => Some(*work),
        _ => None,
    });
    let rung = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Offered { work, agent: who, .. } if *who == agent(DESK_DOCTOR) => Some(*work),
        _ => None,
    });
    assert!(wanted.is_some() && rung == wanted, "not for the question any more: he may yet say no to that");
    room.answer(DESK_DOCTOR);
    assert!(joined(&room, DESK_DOCTOR).is_some());
    over(room, caller);
}

#[test]
fn i14_everyone_talks_and_the_key_on_an_alert_brings_the_vital_caller_at_once() {
    let text = plan::TEXT.replacen("offer  =", "vital  = { alert_busy = true }\noffer  =", 1);
    let mut room = Room::of(site(vec![centre(&text, kit::page::pages(0, 1))]));
    room.page_ready(0);
    let first = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, _) = room.connected(0)[0];
    let second = room.dial_and_ack("0687654321", "1599");
    comes(&mut room, 0, OfferKind::Alert);
    let (vital, leg) = room.connected(0)[1];
    assert_eq!(vital, room.arrival(1).0, "the vital caller, in the same step");
    assert_eq!(room.hearing(leg), None);
    let held = |event: &Event| matches!(event, Event::HeldAside { call: of, lost: false, .. } if *of == call);
    assert!(room.step_of(held).is_some(), "the other one is everybody's");
    assert!(!room.has_bye(&first));
    let mut first = first;
    room.bye(&mut first);
    over(room, second);
}

#[test]
fn i14_whoever_is_asked_a_colleagues_question_hears_of_a_vital_caller_nobody_else_hears_of() {
    let text = plan::TEXT.replacen("offer  =", "vital  = { alert_busy = true }\noffer  =", 1);
    let mut room = Room::of(site(vec![centre(&text, kit::page::pages(0, 2))]));
    room.page_ready(0);
    let mut callers = vec![room.dial_and_ack("0612345678", "15")];
    assert!(room.key(0).result.is_ok());
    let (call, _) = room.connected(0)[0];
    room.page_ready(1);
    callers.push(room.dial_and_ack("0687654321", "15"));
    assert!(room.key(1).result.is_ok());
    consult(&mut room, call, Whom::Agent(agent(1))).expect("asked");
    room.pass(10 * SECOND);
    assert!(room.called_upon(1, OfferKind::Join).is_some(), "and talks with another caller");
    callers.push(room.dial_and_ack("0600000003", "1599"));
    assert!(room.called_upon(0, OfferKind::Alert).is_some());
    assert!(room.called_upon(1, OfferKind::Join).is_some(), "the question is not taken back for that");
    callers.push(room.dial_and_ack("0600000004", "1599"));
    assert!(room.called_upon(1, OfferKind::Join).is_none());
    comes(&mut room, 1, OfferKind::Alert);
    assert_eq!(room.connected(1).len(), 2, "the key on it brings a vital caller");
    callers.iter_mut().for_each(|caller| room.bye(caller));
    room.rest();
}

#[test]
fn a_vital_call_that_is_handed_over_calls_nobody_into_it_and_who_answers_it_keeps_it() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    vital(&mut room, call);
    let queue = room.queue("regulation");
    let verb = Verb::HandOver { agent: agent(0), call, queue, class: None, note: None };
    room.by(0, verb).result.expect("handed over");
    assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none(), "asked by the next stage's queue alone");
    assert!(room.key(DOCTOR).result.is_ok());
    assert_eq!(room.connected(DOCTOR).len(), 1);
    room.pass(30 * SECOND);
    assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none(), "not alerted to the own caller");
    assert_eq!(room.hearing(callers), None);
    over(room, caller);
}

#[test]
fn nobody_is_taken_out_of_a_call_to_come_into_it() {
    let (mut room, caller, call, _) = talking();
    let (_, callers) = room.arrival(0);
    consult(&mut room, call, Whom::Agent(agent(DOCTOR))).expect("asked");
    vital(&mut room, call);
    comes(&mut room, DOCTOR, OfferKind::Join);
    assert!(room.by(0, Verb::Leave { agent: agent(0), call }).result.is_ok());
    room.pass(15 * SECOND);
    let (offer, _) = room.called_upon(DOCTOR, OfferKind::Join).expect("the vital key's call still stands");
    let claim = room.by(DOCTOR, Verb::Claim { agent: agent(DOCTOR), offer }).result;
    assert_eq!(claim, Err(Refusal::Busy));
    assert_eq!(room.hearing(callers), None, "the caller has the doctor");
    let held = |event: &Event| matches!(event, Event::HeldAside { .. });
    assert!(room.step_of(held).is_none());
    let release = Verb::Release { agent: agent(DOCTOR), call, disposition: None };
    assert!(room.by(DOCTOR, release).result.is_ok());
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn i12_a_regulator_is_wanted_until_one_comes_whoever_of_us_is_lost_or_holds_the_call_meanwhile() {
    for holds in [true, false] {
        let (mut room, mut caller, call, _) = talking();
        room.by(DOCTOR, Verb::Pause { agent: agent(DOCTOR), reason: "meal".to_owned() })
            .result
            .expect("away");
        vital(&mut room, call);
        room.by(1, Verb::Ready { agent: agent(1) }).result.expect("ready");
        if holds {
            room.by(0, Verb::Hold { agent: agent(0), call }).result.expect("held");
            room.by(1, Verb::Pick { agent: agent(1), call, confirmed: true }).result.expect("picked");
        } else {
            room.page(0, false);
            room.page_down(room.page_id(0));
            room.pass(6 * SECOND);
            room.key(1).result.expect("the next agent answers");
        }
        assert_eq!(room.ear(1), call);
        let back = room.by(DOCTOR, Verb::Ready { agent: agent(DOCTOR) });
        back.result.expect("ready");
        assert!(room.called_upon(DOCTOR, OfferKind::Join).is_some(), "held: {holds}");
        comes(&mut room, DOCTOR, OfferKind::Join);
        room.by(DOCTOR, Verb::Leave { agent: agent(DOCTOR), call }).result.expect("he has said his word");
        room.by(1, Verb::Hold { agent: agent(1), call }).result.expect("held");
        room.by(1, Verb::Pick { agent: agent(1), call, confirmed: true }).result.expect("picked");
        assert!(room.called_upon(DOCTOR, OfferKind::Join).is_none(), "one has come");
        room.bye(&mut caller);
        room.rest();
    }
}

#[test]
fn i04_who_is_asked_in_beside_others_is_asked_for_half_a_minute_and_can_be_called_off() {
    for called_off in [true, false] {
        let (mut room, caller, call, _) = talking();
        vital(&mut room, call);
        comes(&mut room, DOCTOR, OfferKind::Join);
        room.by(1, Verb::Ready { agent: agent(1) }).result.expect("ready");
        consult(&mut room, call, Whom::Agent(agent(1))).expect("asked in");
        assert!(room.called_upon(1, OfferKind::Join).is_some());
        if called_off {
            room.by(0, Verb::Dismiss { agent: agent(0), call }).result.expect("called off");
        } else {
            room.pass(31 * SECOND);
        }
        assert!(room.called_upon(1, OfferKind::Join).is_none(), "called off: {called_off}");
        assert_eq!(room.by(0, Verb::Dismiss { agent: agent(0), call }).result, Err(Refusal::Gone));
        over(room, caller);
    }
}
