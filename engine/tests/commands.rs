//! What people ask for: by the API, by a page, by a phone's keys.

mod kit;

use engine::call::event::{Actor, Cause, Event, Intent, Seat};
use engine::id::{CallId, WorkId};
use engine::io::{Refusal, Verb, Whom};
use engine::media::{MediaCommand, Program};
use engine::site::Role;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn intents(room: &Room) -> Vec<Intent> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::IntentChanged { intent, .. } => Some(intent.clone()),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_phone_dials_star_one_is_ready_hears_a_tone_and_gets_the_waiting_caller() {
    let mut room = Room::unready(1);
    room.dial_and_ack("0612345678", "15");
    let code = room.phone_dials(0, "*1");
    assert_eq!(intents(&room).last(), Some(&Intent::Ready));
    assert!(room.last(&kit::phone_at(0), &code, |it| it.code() == Some(200)).is_some());
    assert!(
        room.media.iter().any(|(_, it)| matches!(it, MediaCommand::Play { program: Program::RingBack, .. }))
    );
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "offered in the same step");
    room.pass(Duration::from_millis(1_500));
    assert!(room.last(&kit::phone_at(0), &code, |it| it.method() == Some("BYE")).is_some());
    room.phone_dials(0, "*2");
    assert_eq!(intents(&room).last(), Some(&Intent::Paused("phone".to_owned())));
    room.phone_dials(0, "*0");
    assert_eq!(intents(&room).last(), Some(&Intent::SignedOut));
    let wrong = room.phone_dials(0, "*77");
    assert!(room.last(&kit::phone_at(0), &wrong, |it| it.code() == Some(404)).is_some());
}

#[test]
fn the_same_command_twice_has_the_effect_and_the_answer_of_once() {
    let mut room = Room::unready(1);
    let verb = Verb::Pause { agent: agent(0), reason: "lunch".to_owned() };
    let first = room.command_as("p1".to_owned(), Actor::Agent(agent(0)), verb.clone());
    room.command(Actor::Agent(agent(0)), Verb::Ready { agent: agent(0) });
    let again = room.command_as("p1".to_owned(), Actor::Agent(agent(0)), verb);
    assert_eq!(first.result, again.result);
    assert_eq!(intents(&room).last(), Some(&Intent::Ready), "the repetition pauses nobody");
}

#[test]
fn an_outcome_names_the_log_position_that_holds_the_effect() {
    let mut room = Room::unready(1);
    let outcome = room.command(Actor::Agent(agent(0)), Verb::Ready { agent: agent(0) });
    let seq = outcome.result.expect("done");
    let intent = room
        .log
        .iter()
        .find(|(_, it)| matches!(it.event, Event::IntentChanged { intent: Intent::Ready, .. }));
    assert!(intent.is_some_and(|(_, entry)| entry.seq <= seq));
    assert!(room.log.iter().any(|(_, entry)| entry.seq == seq));
}

#[test]
fn people_act_for_themselves_and_supervisors_for_everyone() {
    let mut people = desks(0, 3, false);
    people[2].role = Role::Supervisor;
    let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
    let others = Verb::Ready { agent: agent(0) };
    let result = room.command(Actor::Agent(agent(1)), others.clone()).result;
    assert_eq!(result, Err(Refusal::Forbidden));
    assert!(intents(&room).iter().all(|intent| *intent != Intent::Ready));
    assert!(room.command(Actor::Agent(agent(2)), others).result.is_ok());
    let nobody = room.command(Actor::User("api".to_owned()), Verb::Ready { agent: agent(9) }).result;
    assert_eq!(nobody, Err(Refusal::Unknown));
    assert_eq!(room.command(Actor::Caller, Verb::Ready { agent: agent(0) }).result, Err(Refusal::Forbidden));
}

#[test]
fn a_release_by_command_has_its_actor_and_disposition() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let call = room.journal.last().expect("a snapshot").call;
    let disposition = Some("advice".to_owned());
    let verb = Verb::Release { agent: agent(0), call, disposition: disposition.clone() };
    assert!(room.command(Actor::Agent(agent(0)), verb).result.is_ok());
    assert!(room.has_bye(&caller));
    let record = room.records[0].clone();
    assert_eq!((record.cause, record.disposition), (Some(Cause::Released), disposition));
    room.rest();
}

#[test]
fn qualifying_a_waiting_call_moves_it_and_the_offer_follows_the_word_in_the_log() {
    let mut room = Room::new(1);
    let mut busy = room.dial_and_ack("0600000000", "15");
    room.answer(0);
    room.dial_and_ack("0600000001", "15");
    room.pass(SECOND);
    room.dial_and_ack("0600000002", "15");
    let last = room.log.iter().rev().find_map(|(_, it)| match &it.event {
        Event::Arrived { call, .. } => Some(*call),
        _ => None,
    });
    let call = last.expect("arrived");
    let verb = Verb::Qualify { call, class: "vital".to_owned() };
    assert!(room.command(Actor::Agent(agent(0)), verb).result.is_ok());
    room.bye(&mut busy);
    assert_eq!(room.shows(0).as_deref(), Some("0600000002"));
    let verb = Verb::Qualify { call, class: "no such".to_owned() };
    assert_eq!(room.command(Actor::Agent(agent(0)), verb).result, Err(Refusal::Invalid));
}

#[test]
fn a_supervisor_moves_a_waiting_call_and_it_keeps_its_arrival() {
    let mut room = Room::new(0);
    room.dial_and_ack("0612345678", "15");
    room.pass(5 * SECOND);
    let work = room.journal.last().and_then(|it| it.work.as_ref()).expect("waits").work;
    let queue = engine::id::QueueId { centre: work.centre, index: 1 };
    let outcome = room.command(Actor::User("chief".to_owned()), Verb::Move { work, queue });
    assert!(outcome.result.is_ok());
    assert_eq!(room.journal.last().and_then(|it| it.work.as_ref()).expect("waits").queue, "back");
    let none = engine::id::QueueId { centre: work.centre, index: 9 };
    let outcome = room.command(Actor::User("chief".to_owned()), Verb::Move { work, queue: none });
    assert_eq!(outcome.result, Err(Refusal::Unknown));
}

/// Commands of people of the roster, by their role: `self` is agent 0, about whom every command is.
const ROLES: &str = "
    sign_in          self + agent - regulator - supervisor + administrator +
    sign_out         self + agent - regulator - supervisor + administrator +
    ready            self + agent - regulator - supervisor + administrator +
    pause            self + agent - regulator - supervisor + administrator +
    offer_seen       self + agent - regulator - supervisor + administrator +
    claim            self + agent - regulator - supervisor + administrator +
    reject           self + agent - regulator - supervisor + administrator +
    release          self + agent - regulator - supervisor + administrator +
    answer           self + agent - regulator - supervisor + administrator +
    pick             self + agent - regulator - supervisor + administrator +
    pick_up          self + agent - regulator - supervisor + administrator +
    auto_answer      self + agent - regulator - supervisor + administrator +
    hold             self + agent - regulator - supervisor + administrator +
    vital            self + agent - regulator - supervisor + administrator +
    leave            self + agent - regulator - supervisor + administrator +
    consult          self + agent - regulator - supervisor + administrator +
    conference       self + agent - regulator - supervisor + administrator +
    dismiss          self + agent - regulator - supervisor + administrator +
    watch            self - agent - regulator - supervisor + administrator +
    take_over        self - agent - regulator - supervisor + administrator +
    qualify          self + agent + regulator + supervisor + administrator +
    note             self + agent + regulator + supervisor + administrator +
    raise            self - agent - regulator - supervisor + administrator +
    skills           self - agent - regulator - supervisor + administrator +
    move             self - agent - regulator - supervisor + administrator +
    hand_over        self + agent - regulator - supervisor + administrator +
    take_back        self + agent - regulator - supervisor + administrator +
    refer_back       self + agent - regulator - supervisor + administrator +
    drop_to_callback self + agent - regulator - supervisor + administrator +
    tag              self + agent + regulator + supervisor + administrator +
    plan_callback    self + agent + regulator + supervisor + administrator +
    dismiss_callback self + agent + regulator + supervisor + administrator +
    add_to_major     self + agent + regulator + supervisor + administrator +
    set_overflow     self - agent - regulator - supervisor + administrator +
    open_major       self - agent - regulator - supervisor + administrator +
    close_major      self - agent - regulator - supervisor + administrator +
";

fn wish(name: &str, call: CallId, work: WorkId) -> Verb {
    let agent = agent(0);
    let offer = engine::id::OfferId { centre: call.centre, serial: call.serial };
    match name {
        "sign_in" => Verb::SignIn { agent, position: None },
        "sign_out" => Verb::SignOut { agent },
        "ready" => Verb::Ready { agent },
        "pause" => Verb::Pause { agent, reason: "meal".to_owned() },
        "offer_seen" => Verb::OfferSeen { agent, offer },
        "claim" => Verb::Claim { agent, offer },
        "reject" => Verb::Reject { agent, offer },
        "release" => Verb::Release { agent, call, disposition: None },
        "answer" => Verb::Answer { agent },
        "pick" => Verb::Pick { agent, call, confirmed: true },
        "pick_up" => Verb::PickUp { agent, confirmed: true },
        "auto_answer" => Verb::AutoAnswer { agent, on: true },
        "hold" => Verb::Hold { agent, call },
        "vital" => Verb::Vital { agent, call },
        "leave" => Verb::Leave { agent, call },
        "consult" => Verb::Consult { agent, call, whom: Whom::Outside("sdis".to_owned()) },
        "conference" => Verb::Conference { agent, call },
        "dismiss" => Verb::Dismiss { agent, call },
        "watch" => Verb::Watch { agent, call, seat: Seat::Listens },
        "take_over" => Verb::TakeOver { agent, call },
        "qualify" => Verb::Qualify { call, class: "vital".to_owned() },
        "note" => Verb::Note { call, text: "chute".to_owned() },
        "raise" => Verb::Raise { work, class: "vital".to_owned() },
        "skills" => Verb::Skills { agent, skills: Vec::new() },
        "move" => Verb::Move { work, queue: engine::id::QueueId { centre: call.centre, index: 1 } },
        _ => wish_beside(name, call),
    }
}

/// The same, beside talking.
fn wish_beside(name: &str, call: CallId) -> Verb {
    let agent = agent(0);
    let (centre, index) = (call.centre, 1);
    let queue = engine::id::QueueId { centre, index };
    let event = engine::id::MajorId { centre, serial: call.serial };
    match name {
        "hand_over" => Verb::HandOver { agent, call, queue, class: None, note: None },
        "take_back" => Verb::TakeBack { agent, call, confirmed: true },
        "refer_back" => Verb::ReferBack { agent, call, note: None },
        "drop_to_callback" => Verb::DropToCallback { agent, call, note: None },
        "tag" => Verb::Tag { call, tag: "fall".to_owned() },
        "plan_callback" => Verb::PlanCallback { call, after: SECOND, note: None },
        "dismiss_callback" => Verb::DismissCallback { call, reason: "came".to_owned() },
        "add_to_major" => Verb::AddToMajor { event, call },
        "set_overflow" => Verb::SetOverflow { queue, open: true },
        "open_major" => Verb::OpenMajor(Box::default()),
        "close_major" => Verb::CloseMajor { event },
        other => panic!("no command is named `{other}`"),
    }
}

#[test]
fn every_command_is_for_the_roles_the_table_says() {
    for row in ROLES.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()) {
        for pair in row.get(1..).unwrap_or_default().chunks(2) {
            let mut people = desks(0, 5, false);
            people[2].role = Role::Regulator;
            people[3].role = Role::Supervisor;
            people[4].role = Role::Administrator;
            let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
            room.dial_and_ack("0612345678", "15");
            let waiting = room.journal.last().and_then(|it| it.work.clone()).expect("waits").work;
            let call = room.journal.last().expect("a snapshot").call;
            let roles = ["self", "agent", "regulator", "supervisor", "administrator"];
            let who = roles.iter().position(|role| *role == pair[0]).expect("a role");
            let who = Actor::Agent(agent(u32::try_from(who).expect("few")));
            let result = room.command(who, wish(row[0], call, waiting)).result;
            let may = result != Err(Refusal::Forbidden);
            assert_eq!(may, pair[1] == "+", "{} by {}: {result:?}", row[0], pair[0]);
        }
    }
}

#[test]
fn a_supervisor_raises_a_waiting_call_and_it_is_next() {
    let mut room = Room::new(1);
    let mut busy = room.dial_and_ack("0600000000", "15");
    room.answer(0);
    room.dial_and_ack("0600000001", "15");
    room.pass(SECOND);
    room.dial_and_ack("0600000002", "15");
    let work = room.journal.last().and_then(|it| it.work.clone()).expect("waits").work;
    let raise = Verb::Raise { work, class: "vital".to_owned() };
    assert!(room.command(Actor::User("chief".to_owned()), raise).result.is_ok());
    room.bye(&mut busy);
    assert_eq!(room.shows(0).as_deref(), Some("0600000002"));
}

#[test]
fn skills_given_by_a_supervisor_bring_the_waiting_caller_in_the_same_step() {
    let mut people = desks(0, 1, true);
    people[0].skills.clear();
    let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
    room.dial_and_ack("0612345678", "15");
    assert!(room.ringing(0).is_none(), "no queue of theirs");
    let skills = |names: &[&str]| Verb::Skills {
        agent: agent(0),
        skills: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let chief = || Actor::User("chief".to_owned());
    assert_eq!(room.command(chief(), skills(&["no-such-skill"])).result, Err(Refusal::Invalid));
    let before = room.step;
    room.command(chief(), skills(&["arm"])).result.expect("trained");
    assert_eq!(room.rang_in(0), Some(before + 1));
    room.phone_says(0, "486 Busy Here");
    room.command(chief(), skills(&[])).result.expect("taken away");
    room.pass(60 * SECOND);
    assert!(room.ringing(0).is_none(), "nobody is left, and the caller waits");
    assert_eq!(room.engine.live_calls(), 1);
}
