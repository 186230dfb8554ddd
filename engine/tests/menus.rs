//! Menus as they run: the item waits meanwhile, a key says more, a human says enough.

mod kit;

use engine::call::event::{Actor, Beside, Event, Source};
use engine::id::LegId;
use engine::io::{Input, Verb};
use engine::media::{MediaCommand, MediaEvent, Program};
use kit::{Room, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A front desk of so many, all busy with nothing.
fn room(desks_ready: u32) -> Room {
    Room::of(site(vec![centre(plan::STAGED, desks(0, desks_ready, true))]))
}

fn press(room: &mut Room, leg: LegId, key: char) {
    room.input(Input::Media(MediaEvent::Digit { leg, digit: key }));
}

#[test]
fn a_menu_is_heard_on_an_answered_line_while_the_item_waits() {
    let mut room = room(0);
    let caller = room.dial_and_ack("0612345678", "15");
    assert_eq!(room.codes(&caller), [100, 200]);
    let (call, leg) = room.arrival(0);
    let step = room.step_of(|event| matches!(event, Event::Queued { .. }));
    assert_eq!(step, room.step_of(|event| matches!(event, Event::Arrived { .. })), "queued at the INVITE");
    let hears = room.hearing(leg).expect("a program");
    assert!(matches!(hears, Program::Hold { announce, .. } if announce == ["welcome"]));
    let listens = |it: &MediaCommand| matches!(it, MediaCommand::Listen { leg: of, on: true } if *of == leg);
    assert!(room.media.iter().any(|(_, it)| listens(it)));
    assert_eq!(room.class_of(call), "unqualified");
}

#[test]
fn a_key_raises_the_class_on_the_callers_word_and_the_item_moves_up() {
    let mut room = room(1);
    let mut busy = room.dial_and_ack("0600000000", "15");
    room.answer(0);
    room.dial_and_ack("0600000001", "15");
    room.pass(SECOND);
    room.dial_and_ack("0600000002", "15");
    let (call, leg) = room.arrival(2);
    press(&mut room, leg, '1');
    let said = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Qualified { call: of, class, by, source, .. } if *of == call => {
            Some((class.clone(), by.clone(), *source))
        }
        _ => None,
    });
    assert_eq!(said, Some(("declared".to_owned(), Actor::Caller, Source::Menu)));
    room.bye(&mut busy);
    assert_eq!(room.shows(0).as_deref(), Some("0600000002"), "who pressed 1 is next");
}

#[test]
fn a_key_as_a_message_means_the_same_as_a_key_in_the_audio() {
    let mut room = room(0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let (call, leg) = room.arrival(0);
    room.info(&mut caller, "application/dtmf-relay", "Signal=1\r\nDuration=160\r\n");
    assert_eq!(room.class_of(call), "declared");
    press(&mut room, leg, '1');
    let words = room.log.iter().filter(|(_, it)| matches!(it.event, Event::Qualified { .. })).count();
    assert_eq!(words, 1, "a line that sends both says it once");
}

#[test]
fn a_key_never_lowers_what_a_person_has_said() {
    let mut room = room(0);
    room.dial_and_ack("0612345678", "15");
    let (call, leg) = room.arrival(0);
    room.chief(Verb::Qualify { call, class: "vital".to_owned() }).result.expect("qualified");
    press(&mut room, leg, '1');
    assert_eq!(room.class_of(call), "vital");
}

#[test]
fn a_key_may_tag_and_the_record_keeps_the_word() {
    let mut room = room(0);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let (call, leg) = room.arrival(0);
    press(&mut room, leg, '2');
    press(&mut room, leg, '2');
    press(&mut room, leg, '9');
    assert_eq!(room.class_of(call), "unqualified");
    room.bye(&mut caller);
    assert_eq!(room.records[0].course.tags, ["flood"], "once, and a key of no meaning says nothing");
    room.rest();
}

#[test]
fn i12_a_free_agent_cuts_announcement_and_menu_and_keys_mean_nothing_from_there() {
    let mut room = room(1);
    let before = room.step;
    room.dial_and_ack("0612345678", "15");
    assert_eq!(room.rang_in(0), Some(before + 1), "nobody waits for a menu to end");
    let (call, leg) = room.arrival(0);
    room.answer(0);
    assert_eq!(room.hearing(leg), None, "in the conversation, from its first packet");
    press(&mut room, leg, '1');
    assert_eq!(room.class_of(call), "unqualified");
    let closed = |it: &MediaCommand| matches!(it, MediaCommand::Listen { leg: of, on: false } if *of == leg);
    assert!(room.media.iter().any(|(_, it)| closed(it)));
}

#[test]
fn hammering_the_keys_is_written_down_so_often_and_no_more() {
    let mut room = room(0);
    room.dial_and_ack("0612345678", "15");
    let (_, leg) = room.arrival(0);
    for _ in 0..200 {
        press(&mut room, leg, '1');
    }
    let pressed = room.beside().into_iter().filter(|it| matches!(it, Beside::KeyPressed { .. })).count();
    assert_eq!(pressed, usize::from(engine::call::course::KEYS_MAX));
}
