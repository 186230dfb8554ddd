//! A confirmed vital call may be put through without a key: where the queue allows it, to an agent who
//! wants it so and has shown a moment ago that they are there.

mod kit;

use engine::call::event::{Actor, Event, OfferEnd};
use engine::io::{Input, Verb};
use kit::page::pages;
use kit::{Room, agent, centre, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// One page, whose front queue puts vital calls through by itself.
fn room(allowed: bool) -> Room {
    let vital = format!("[queue.front]\nvital = {{ auto_answer = {allowed} }}\n");
    let text = plan::TEXT.replacen("[queue.front]\n", &vital, 1);
    let mut room = Room::of(site(vec![centre(&text, pages(0, 1))]));
    room.page_ready(0);
    room
}

fn wants(room: &mut Room) {
    room.by(0, Verb::AutoAnswer { agent: agent(0), on: true }).result.expect("their own wish");
}

fn touches(room: &mut Room) {
    room.input(Input::PagePresent { agent: agent(0) });
}

/// Whether the last offer is taken by the page itself.
fn by_itself(room: &Room) -> bool {
    let offered = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Offered { auto_answer, .. } => Some(*auto_answer),
        _ => None,
    });
    offered.expect("an offer")
}

#[test]
fn a_vital_call_comes_without_a_key_to_who_wants_it_so_and_is_there() {
    let mut room = room(true);
    wants(&mut room);
    room.pass(600 * SECOND);
    touches(&mut room);
    room.pass(100 * SECOND);
    let mut caller = room.dial_and_ack("0612345678", "1599");
    assert!(by_itself(&room));
    let (offer, _) = room.shown(0).expect("shown");
    room.sees(0);
    room.by(0, Verb::Claim { agent: agent(0), offer }).result.expect("the page takes it");
    assert_eq!(room.connected(0).len(), 1);
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn nothing_else_comes_without_a_key() {
    let mut not_asked = room(true);
    touches(&mut not_asked);
    not_asked.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&not_asked), "off until the agent wants it");
    let mut lower = room(true);
    wants(&mut lower);
    touches(&mut lower);
    lower.dial_and_ack("0612345678", "15");
    assert!(!by_itself(&lower), "confirmed vital, and nothing lower");
    let mut forbidden = room(false);
    wants(&mut forbidden);
    touches(&mut forbidden);
    forbidden.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&forbidden), "where the plan says so");
}

#[test]
fn i31_without_a_sign_of_presence_it_rings_and_rings_out() {
    let mut room = room(true);
    wants(&mut room);
    room.pass(600 * SECOND);
    room.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&room), "an empty chair takes no call");
    room.sees(0);
    room.pass(7 * SECOND);
    assert_eq!(room.ended(0), Some(OfferEnd::TimedOut));
    let rona = |room: &Room| {
        let told = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
            Event::Rona { on, .. } => Some(*on),
            _ => None,
        });
        told.expect("told")
    };
    assert!(rona(&room));
    touches(&mut room);
    assert!(!rona(&room), "a hand on the page is a proof of life");
    let off = Verb::AutoAnswer { agent: agent(0), on: false };
    assert!(room.command(Actor::Caller, off).result.is_err(), "nobody else's wish");
}

#[test]
fn each_page_says_anew_that_calls_may_come_by_themselves() {
    let mut room = room(true);
    wants(&mut room);
    room.page(0, false);
    room.page_ready(0);
    touches(&mut room);
    room.dial_and_ack("0612345678", "1599");
    assert!(!by_itself(&room));
}
