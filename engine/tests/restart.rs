//! What a killed start leaves behind, and how the next one goes on with it.

mod kit;

use engine::call::event::{Beside, Cause, Closing, Event, WhyCallback};
use engine::id::{CallId, MajorId, QueueId, WorkId};
use engine::io::{OpenMajor, Verb};
use engine::live::board::Board;
use engine::live::cast::Cast;
use engine::live::row::{CallbackRow, Key, MajorRow, Row};
use engine::site::Site;
use engine::time::Instant;
use kit::{Room, agent, centre, desks, plan, site};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn a_site() -> Site {
    site(vec![centre(plan::STAGED, desks(0, 3, false))])
}

/// Desks signed in, nobody ready.
fn room() -> Room {
    let mut room = Room::of(a_site());
    sign_in(&mut room);
    room
}

fn sign_in(room: &mut Room) {
    for index in 0..3 {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
}

fn ready(room: &mut Room, index: u32) {
    room.by(index, Verb::Ready { agent: agent(index) }).result.expect("ready");
}

/// A caller who hangs up after twenty seconds; the callback that begins.
fn abandons(room: &mut Room, number: &str) -> CallId {
    let mut caller = room.dial_and_ack(number, "15");
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    *room.callbacks().last().expect("called back")
}

/// The last stay of a call in a queue: its item, the queue, its place in the order.
fn stands(room: &Room, call: CallId) -> (WorkId, QueueId, Instant) {
    let mut stay = None;
    for (_, entry) in &room.log {
        match &entry.event {
            Event::Queued { work, call: of, queue, due, .. } if *of == call => {
                stay = Some((*work, *queue, *due));
            }
            Event::Qualified { call: of, due, .. } if *of == call => {
                stay = stay.map(|(work, queue, _)| (work, queue, *due));
            }
            _ => {}
        }
    }
    stay.expect("it waits")
}

/// What a board says of it that has seen this start only.
fn on_board(room: &Room, key: &Key) -> Option<Row> {
    let site = &a_site().centres[0];
    let cast = Cast {
        centre: agent(0).centre,
        name: site.name.clone(),
        queues: site.plan.queues.iter().map(|queue| queue.name.clone()).collect(),
        classes: site.plan.classes.iter().map(|class| class.name.clone()).collect(),
        contacts: Vec::new(),
        agents: site.agents.clone(),
    };
    let mut board = Board::new(cast, 1);
    for (_, entry) in &room.log {
        board.fold(entry);
    }
    board.rows().row(key).cloned()
}

fn callback_row(room: &Room, call: CallId) -> CallbackRow {
    match on_board(room, &Key::Callback(call)) {
        Some(Row::Callback(row)) => row,
        other => panic!("no callback: {other:?}"),
    }
}

fn major_row(room: &Room, event: MajorId) -> MajorRow {
    match on_board(room, &Key::Major(event)) {
        Some(Row::Major(row)) => row,
        other => panic!("no major event: {other:?}"),
    }
}

#[test]
fn i21_a_callback_survives_with_its_place_its_attempts_its_time_and_its_note() {
    let mut before = room();
    let callback = abandons(&mut before, "0612345678");
    before.by(0, Verb::Qualify { call: callback, class: "p1".to_owned() }).result.expect("qualified");
    let text = "douleur".to_owned();
    before.by(0, Verb::Note { call: callback, text }).result.expect("noted");
    ready(&mut before, 0);
    ready(&mut before, 1);
    let who = if before.ringing(0).is_some() { 0 } else { 1 };
    before.answer(who);
    before.out_says("486 Busy Here");
    let (_, _, due) = stands(&before, callback);
    let was = callback_row(&before, callback);
    assert_eq!(was.tried, 1);

    let mut room = before.killed(a_site(), 10 * SECOND);
    let (work, queue, again) = stands(&room, callback);
    assert_eq!(work.serial.0 >> 40, 4, "a new item of the new start, for the same call");
    assert_eq!((queue, again), (room.queue("front"), due), "where it stood");
    let is = callback_row(&room, callback);
    let place = |row: &CallbackRow| {
        let note = row.note.as_ref().map(|note| note.0.clone());
        (row.class.clone(), row.priority, row.since, row.until, row.tried, row.why, note)
    };
    assert_eq!(place(&is), place(&was));
    sign_in(&mut room);
    ready(&mut room, 0);
    ready(&mut room, 1);
    assert!((0..2).all(|desk| room.ringing(desk).is_none()), "it is left alone after an attempt");
    room.pass(50 * SECOND);
    let who = if room.ringing(0).is_some() { 0 } else { 1 };
    room.answer(who);
    let rung = room.rings_outside().expect("the person's phone rings");
    assert!(rung.uri().starts_with("sip:0612345678@"), "{}", rung.uri());
    room.out_says("200 OK");
    room.pass(5 * SECOND);
    room.out_bye(&rung);
    let record = room.records.iter().find(|record| record.call == callback).expect("one record");
    let about = record.course.callback.clone().expect("it was a callback");
    assert_eq!((about.attempts.len(), about.closed), (2, Some(Closing::Reached)), "of both starts");
    room.rest();
}

#[test]
fn i21_a_planned_callback_keeps_its_time_and_its_owner_and_expires_when_it_would_have() {
    let mut before = room();
    ready(&mut before, 0);
    let mut caller = before.dial_and_ack("0612345678", "15");
    before.answer(0);
    let call = before.ear(0);
    let wish = Verb::PlanCallback { call, after: 600 * SECOND, note: None };
    before.by(0, wish).result.expect("planned");
    before.bye(&mut caller);
    let callback = *before.callbacks().last().expect("planned");

    let mut room = before.killed(a_site(), 60 * SECOND);
    sign_in(&mut room);
    for desk in [2, 1, 0] {
        ready(&mut room, desk);
    }
    room.pass(530 * SECOND);
    assert!((0..3).all(|desk| room.ringing(desk).is_none()), "not before its time");
    room.pass(11 * SECOND);
    assert!(room.ringing(0).is_some(), "its owner first, who has been idle no longer than the others");
    for desk in 0..3 {
        room.by(desk, Verb::Pause { agent: agent(desk), reason: "meal".to_owned() }).result.expect("paused");
    }
    room.pass(3_600 * SECOND);
    let record = room.records.iter().find(|record| record.call == callback).expect("over");
    let closed = record.course.callback.as_ref().and_then(|it| it.closed.clone());
    assert_eq!(closed, Some(Closing::Expired));
    room.rest();
}

#[test]
fn i21_a_call_that_was_cut_off_has_its_record_and_is_called_back_first_in_its_class() {
    let mut before = room();
    let waited = abandons(&mut before, "0611111111");
    before.dial_and_ack("0622222222", "15");
    let (cut, _) = before.arrival(1);
    let mut partner = before.dial_and_ack("0388000018", "18");
    let (fire, _) = before.arrival(2);
    let _ = &mut partner;

    let mut room = before.killed(a_site(), 10 * SECOND);
    let causes =
        [cut, fire].map(|call| room.records.iter().find(|it| it.call == call).and_then(|it| it.cause));
    assert_eq!(causes, [Some(Cause::Network); 2], "each has its record");
    let opened = room.beside().into_iter().rev().find_map(|it| match it {
        Beside::CallbackOpened { call, of: Some(of), why: WhyCallback::Broken, .. } => Some((*call, *of)),
        _ => None,
    });
    let (broken, of) = opened.expect("called back");
    assert_eq!(of, cut, "one person's, and not the partner's line");
    assert!(stands(&room, broken).2 < stands(&room, waited).2, "first: it was we who broke it");
    // The person calls before: nobody needs to call them, and they are first as well.
    let mut caller = room.dial_and_ack("0622222222", "15");
    let (call, _) = room.arrival(0);
    let repeated = room.beside().into_iter().any(|it| match it {
        Beside::Repeated { call: of, earlier, past, .. } => {
            (*of, *earlier, *past) == (call, cut, engine::call::event::Past::Broken)
        }
        _ => false,
    });
    assert!(repeated, "known as cut off");
    sign_in(&mut room);
    ready(&mut room, 0);
    room.answer(0);
    assert_eq!(room.ear(0), call);
    let closed = room.records.iter().find(|it| it.call == broken).expect("over").course.callback.clone();
    assert_eq!(closed.and_then(|it| it.closed), Some(Closing::CalledAgain));
    room.bye(&mut caller);
}

#[test]
fn i21_callers_who_were_cut_off_are_called_back_in_the_order_in_which_they_came() {
    let mut before = room();
    let waited = abandons(&mut before, "0611111111");
    for number in ["0622222222", "0633333333", "0644444444"] {
        before.dial_and_ack(number, "15");
        before.pass(5 * SECOND);
    }
    let cut: Vec<CallId> = (1..4).map(|nth| before.arrival(nth).0).collect();

    let room = before.killed(a_site(), 10 * SECOND);
    let mut back: Vec<(Instant, CallId)> = Vec::new();
    for beside in room.beside() {
        if let Beside::CallbackOpened { call, of: Some(of), why: WhyCallback::Broken, .. } = beside {
            back.push((stands(&room, *call).2, *of));
        }
    }
    back.sort();
    assert_eq!(back.iter().map(|(_, of)| *of).collect::<Vec<_>>(), cut);
    assert!(back.iter().all(|(at, _)| *at < stands(&room, waited).2), "and before who gave up by themselves");
}

#[test]
fn i21_whom_another_build_has_left_is_called_back_whatever_keys_its_journal_holds() {
    let mut before = room();
    before.dial_and_ack("0622222222", "15");
    let cut = before.arrival(0).0;
    let room = before.killed_and_read(a_site(), 10 * SECOND, |line| {
        let key = "A".repeat(40);
        for leg in line["legs"].as_array_mut().expect("legs") {
            let session = &mut leg["local"]["session"];
            assert!(session["said"].is_array() && session["cipher"].is_null(), "{session}");
            session["cipher"] = json!({ "keys": { "keys": [key, key] }, "wish": "Enciphered" });
            assert!(leg["stream"]["codec"].is_string() && leg["stream"]["srtp"].is_null());
            leg["stream"]["srtp"] = json!({ "suite": "AesCm128HmacSha1_80", "ours": key, "theirs": 1 });
        }
    });
    let back = room.beside().into_iter().any(|it| match it {
        Beside::CallbackOpened { of, why: WhyCallback::Broken, .. } => *of == Some(cut),
        _ => false,
    });
    assert!(back, "and has a record: {}", room.records.iter().any(|record| record.call == cut));
}

#[test]
fn i34_whoever_was_in_conversation_when_we_died_and_was_not_qualified_is_called_back_as_vital() {
    let mut before = room();
    ready(&mut before, 0);
    before.dial_and_ack("0622222222", "15");
    before.answer(0);
    before.pass(30 * SECOND);
    before.dial_and_ack("0633333333", "15");
    let (talked, waited) = (before.arrival(0).0, before.arrival(1).0);

    let room = before.killed(a_site(), 10 * SECOND);
    let class_of = |cut: CallId| {
        let back = room.beside().into_iter().find_map(|it| match it {
            Beside::CallbackOpened { call, of: Some(of), .. } if *of == cut => Some(*call),
            _ => None,
        });
        room.class_of(back.expect("called back"))
    };
    assert_eq!(class_of(talked), "vital");
    assert_eq!(class_of(waited), "unqualified", "who had nobody is as urgent as before, and first");
}

#[test]
fn i21_a_start_that_is_killed_while_it_goes_on_opens_no_second_callback() {
    let mut before = room();
    before.dial_and_ack("0622222222", "15");
    let (cut, _) = before.arrival(0);
    let alive = before.alive().into_values().next().cloned().expect("it waits");
    let middle = before.killed(a_site(), SECOND);
    let mut left: Vec<_> = middle.alive().into_values().cloned().collect();
    assert_eq!(left.len(), 1, "the callback");
    // The store had not yet struck the call of the first start.
    left.push(alive);
    let mut last = Room::of(Site { epoch: 9, ..a_site() });
    let calls = engine::call::snapshot::LeftBehind { calls: left, majors: Vec::new() };
    last.input(engine::io::Input::LeftBehind(Box::new(calls)));
    assert_eq!(last.callbacks().len(), 1);
    assert!(last.forgotten.contains(&cut));
}

#[test]
fn i21_a_major_event_survives_with_its_queue_its_teams_and_its_counters() {
    let mut before = room();
    let wish = OpenMajor {
        name: "crue de l'Ill".to_owned(),
        tags: vec!["flood".to_owned()],
        numbers: vec!["3900".to_owned()],
        queue: Some(before.queue("crisis")),
        team: vec![agent(1)],
        rest: vec![agent(2)],
    };
    before.chief(Verb::OpenMajor(Box::new(wish))).result.expect("opened");
    let event = *before.majors.keys().next().expect("in the journal");
    let mut first = before.dial_and_ack("0600000001", "3900");
    before.pass(20 * SECOND);
    before.bye(&mut first);
    let callback = *before.callbacks().last().expect("called back");
    ready(&mut before, 1);
    let mut second = before.dial_and_ack("0600000002", "3900");
    before.answer(1);
    let call = before.ear(1);
    before.by(1, Verb::Release { agent: agent(1), call, disposition: None }).result.expect("released");
    before.bye(&mut second);
    let was = major_row(&before, event);
    assert_eq!((was.calls, was.answered, was.abandoned), (3, 1, 1), "two calls, and the callback of one");

    let mut room = before.killed(a_site(), 10 * SECOND);
    let is = major_row(&room, event);
    assert_eq!((is.calls, is.answered, is.abandoned, is.live), (was.calls, was.answered, was.abandoned, 1));
    assert_eq!(
        (is.name, is.team, is.rest, is.queue, is.since),
        (was.name, was.team, was.rest, was.queue, was.since)
    );
    assert_eq!(stands(&room, callback).1, room.queue("crisis"));
    sign_in(&mut room);
    for desk in 0..3 {
        ready(&mut room, desk);
    }
    let mut third = room.dial_and_ack("0600000003", "3900");
    assert_eq!(stands(&room, room.arrival(0).0).1, room.queue("crisis"), "it belongs to the event");
    assert!(room.ringing(1).is_some() && room.ringing(0).is_none() && room.ringing(2).is_none(), "its team");
    assert_eq!(major_row(&room, event).calls, 4);
    room.bye(&mut third);
    room.chief(Verb::CloseMajor { event }).result.expect("closed");
    assert!(room.majors.is_empty(), "and the journal knows");
}
