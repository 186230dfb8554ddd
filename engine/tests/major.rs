//! A major event: opened in one command, told apart in the room and in every record.

mod kit;

use engine::call::event::{Actor, Beside, Event, OfferKind, Whom};
use engine::dialplan::Dialplan;
use engine::id::{CentreId, MajorId};
use engine::io::{Input, OpenMajor, Refusal, Verb};
use engine::media::MediaEvent;
use engine::site::Role;
use kit::{Room, agent, centre, desks, plan, site};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn room(count: u32) -> Room {
    Room::of(site(vec![centre(plan::STAGED, desks(0, count, false))]))
}

/// A flood: by the menu's tag, in the crisis queue.
fn flood(room: &Room) -> OpenMajor {
    OpenMajor {
        name: "crue de l'Ill".to_owned(),
        tags: vec!["flood".to_owned()],
        queue: Some(room.queue("crisis")),
        ..OpenMajor::default()
    }
}

fn opens(room: &mut Room, wish: OpenMajor) -> MajorId {
    room.chief(Verb::OpenMajor(Box::new(wish))).result.expect("opened");
    let all = room.beside().into_iter().rev();
    let mut opened = all.filter_map(|it| match it {
        Beside::MajorOpened { event, .. } => Some(*event),
        _ => None,
    });
    opened.next().expect("in the log")
}

fn last_queue(room: &Room, nth: usize) -> engine::id::QueueId {
    let (call, _) = room.arrival(nth);
    let work = room.work_of(call);
    let all = room.log.iter().rev();
    let mut seen = all.filter_map(|(_, it)| match &it.event {
        Event::Queued { work: of, queue, .. } | Event::Moved { work: of, queue, .. } if *of == work => {
            Some(*queue)
        }
        _ => None,
    });
    seen.next().expect("queued")
}

#[test]
fn calls_belong_to_it_by_a_key_by_a_number_and_by_hand_and_keep_it_in_their_record() {
    let mut room = room(1);
    let wish = OpenMajor { numbers: vec!["3900".to_owned()], ..flood(&room) };
    let event = opens(&mut room, wish);
    let mut pressed = room.dial_and_ack("0600000001", "15");
    let (_, leg) = room.arrival(0);
    room.input(Input::Media(MediaEvent::Digit { leg, digit: '2' }));
    let mut dialled = room.dial_and_ack("0600000002", "3900");
    let mut by_hand = room.dial_and_ack("0600000003", "15");
    let (call, _) = room.arrival(2);
    room.by(0, Verb::AddToMajor { event, call }).result.expect("an agent says so");
    let mut other = room.dial_and_ack("0600000004", "15");
    let queues = [0, 1, 2, 3].map(|nth| last_queue(&room, nth));
    let (crisis, front) = (room.queue("crisis"), room.queue("front"));
    assert_eq!(queues, [crisis, crisis, crisis, front]);
    let who = room.beside().into_iter().filter_map(|it| match it {
        Beside::MajorCall { by, .. } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(who.collect::<Vec<_>>(), [Actor::Caller, Actor::Plan, Actor::Agent(agent(0))]);
    for caller in [&mut pressed, &mut dialled, &mut by_hand, &mut other] {
        room.bye(caller);
    }
    let kept = room.records.iter().map(|it| it.course.major.as_ref().map(|major| major.name.as_str()));
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [Some("crue de l'Ill"), Some("crue de l'Ill"), Some("crue de l'Ill"), None]
    );
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
    room.rest();
}

#[test]
fn callers_who_wait_when_it_opens_join_it_with_the_time_they_waited() {
    let mut room = room(0);
    let mut caller = room.dial_and_ack("0600000001", "15");
    let (_, leg) = room.arrival(0);
    room.input(Input::Media(MediaEvent::Digit { leg, digit: '2' }));
    room.pass(30 * SECOND);
    let wish = flood(&room);
    opens(&mut room, wish);
    assert_eq!(last_queue(&room, 0), room.queue("crisis"));
    let (call, _) = room.arrival(0);
    let entered =
        room.log.iter().filter(|(_, it)| matches!(&it.event, Event::Queued { call: of, .. } if *of == call));
    assert_eq!(entered.count(), 1, "moved, with its arrival, not queued anew");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn only_supervisors_open_and_close_it_and_nobody_is_in_two_teams() {
    let mut room = room(2);
    let wish = flood(&room);
    let by_agent = room.by(0, Verb::OpenMajor(Box::new(wish.clone()))).result;
    assert_eq!(by_agent, Err(Refusal::Forbidden));
    let event = opens(&mut room, OpenMajor { team: vec![agent(0)], rest: vec![agent(1)], ..wish.clone() });
    assert_eq!(room.by(0, Verb::CloseMajor { event }).result, Err(Refusal::Forbidden));
    let second = OpenMajor { name: "incendie".to_owned(), team: vec![agent(0)], ..wish.clone() };
    assert_eq!(room.chief(Verb::OpenMajor(Box::new(second))).result, Err(Refusal::Busy));
    let both = OpenMajor { team: vec![agent(1)], rest: vec![agent(1)], ..wish.clone() };
    assert_eq!(room.chief(Verb::OpenMajor(Box::new(both))).result, Err(Refusal::Invalid));
    let idle = OpenMajor { queue: None, team: vec![agent(1)], ..wish.clone() };
    assert_eq!(room.chief(Verb::OpenMajor(Box::new(idle))).result, Err(Refusal::Invalid));
    let nameless = OpenMajor { name: " ".to_owned(), ..wish };
    assert_eq!(room.chief(Verb::OpenMajor(Box::new(nameless))).result, Err(Refusal::Invalid));
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
    assert_eq!(room.chief(Verb::CloseMajor { event }).result, Err(Refusal::Gone));
}

#[test]
fn after_its_end_calls_go_where_they_always_went() {
    let mut room = room(0);
    let wish = OpenMajor { numbers: vec!["15".to_owned()], ..flood(&room) };
    let event = opens(&mut room, wish);
    room.dial_and_ack("0600000001", "15");
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
    room.dial_and_ack("0600000002", "15");
    assert_eq!([last_queue(&room, 0), last_queue(&room, 1)], [room.queue("crisis"), room.queue("front")]);
}

#[test]
fn its_team_serves_it_alone_and_who_is_kept_for_the_rest_serves_none_of_it() {
    let mut people = desks(0, 2, true);
    people[1].skills.push("crisis".to_owned());
    let mut room = Room::of(site(vec![centre(plan::STAGED, people)]));
    let wish = OpenMajor { team: vec![agent(0)], rest: vec![agent(1)], ..flood(&room) };
    let event = opens(&mut room, OpenMajor { numbers: vec!["3900".to_owned()], ..wish });
    room.dial_and_ack("0600000001", "3900");
    assert_eq!(room.shows(0).as_deref(), Some("0600000001"), "the team, whatever its skills");
    room.answer(0);
    room.dial_and_ack("0600000002", "3900");
    assert!(room.ringing(1).is_none(), "kept for everything else, though skilled");
    room.dial_and_ack("0600000003", "15");
    assert_eq!(room.shows(1).as_deref(), Some("0600000003"));
    room.phone_says(1, "486 Busy Here");
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
}

#[test]
fn a_plan_that_no_longer_has_its_queue_keeps_nobody_from_another() {
    let mut room = room(2);
    let wish = OpenMajor { team: vec![agent(0)], rest: vec![agent(1)], ..flood(&room) };
    let event = opens(&mut room, wish);
    room.by(1, Verb::Ready { agent: agent(1) }).result.expect("ready");
    let text = plan::STAGED.replace("[queue.crisis]", "[queue.later]");
    let plan = Dialplan::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    room.input(Input::Plan(CentreId(0), Arc::new(plan)));
    let mut caller = room.dial_and_ack("0600000001", "15");
    assert_eq!(room.shows(1).as_deref(), Some("0600000001"), "kept for everything else");
    room.bye(&mut caller);
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
    room.rest();
}

#[test]
fn who_comes_beside_a_colleague_comes_whatever_their_duty_in_an_event() {
    let mut people = kit::page::pages(0, 3);
    (people[1].role, people[1].skills) = (Role::Regulator, vec!["mr-amu".to_owned()]);
    let mut room = Room::of(site(vec![centre(plan::STAGED, people)]));
    (0..3).for_each(|index| room.page_ready(index));
    let wish = OpenMajor { team: vec![agent(0), agent(1)], rest: vec![agent(2)], ..flood(&room) };
    opens(&mut room, OpenMajor { numbers: vec!["3900".to_owned()], ..wish });
    let mut caller = room.dial_and_ack("0600000001", "3900");
    let who = if room.shown(0).is_some() { 0 } else { 1 };
    room.key(who).result.expect("the team, whatever its skills");
    let call = room.ear(who);
    if who == 0 {
        room.by(0, Verb::Vital { agent: agent(0), call }).result.expect("vital");
        assert!(room.called_upon(1, OfferKind::Join).is_some(), "the regulator of the team");
    }
    let whom = Whom::Agent(agent(2));
    room.by(who, Verb::Consult { agent: agent(who), call, whom }).result.expect("asked");
    assert!(room.called_upon(2, OfferKind::Join).is_some(), "kept for everything else, and free to help");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn i12_a_caller_whose_owner_is_posted_elsewhere_is_for_anybody_at_once() {
    for posted_first in [true, false] {
        let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 2, false))]));
        room.by(0, Verb::Ready { agent: agent(0) }).result.expect("ready");
        room.dial_and_ack("0600000001", "3900");
        let invite = room.answer(0);
        room.phone_bye(0, &invite);
        let wish = OpenMajor { team: vec![agent(0)], ..flood(&room) };
        if posted_first {
            opens(&mut room, wish.clone());
        }
        room.by(1, Verb::Ready { agent: agent(1) }).result.expect("ready");
        let mut again = room.dial_and_ack("0600000001", "3900");
        if !posted_first {
            assert!(room.ringing(1).is_none(), "the owner is asked first");
            opens(&mut room, wish);
        }
        assert_eq!(room.shows(1).as_deref(), Some("0600000001"));
        room.bye(&mut again);
    }
}

#[test]
fn a_call_of_an_event_that_is_over_belongs_to_the_next_one_with_its_tag() {
    let mut room = room(1);
    let wish = flood(&room);
    let first = opens(&mut room, wish.clone());
    let mut caller = room.dial_and_ack("0600000001", "15");
    let (call, leg) = room.arrival(0);
    room.input(Input::Media(MediaEvent::Digit { leg, digit: '2' }));
    room.chief(Verb::CloseMajor { event: first }).result.expect("closed");
    let second = opens(&mut room, wish);
    let belongs = room.beside().into_iter().rev().find_map(|it| match it {
        Beside::MajorCall { event, call: of, .. } if *of == call => Some(*event),
        _ => None,
    });
    assert_eq!(belongs, Some(second));
    room.bye(&mut caller);
}
