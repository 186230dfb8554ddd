//! A desk phone takes the place of another one (INVITE with Replaces): picks up what rings at a colleague,
//! goes on at another phone, takes over as a supervisor; everything else is refused.

mod kit;

use engine::call::event::Event;
use engine::site::Role;
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, site};

/// Two agents' desks and a supervisor's, all ready but the supervisor.
fn room() -> Room {
    let mut people = desks(0, 2, true);
    people.extend(desks(2, 1, false));
    people[2].role = Role::Supervisor;
    Room::of(site(vec![centre(plan::TEXT, people)]))
}

fn takes_the_place(room: &mut Room, phone: u32, of: &Sip) -> String {
    let replaces = format!("Replaces: {}\r\n", room.taken_as_replaces(of));
    room.phone_dials_with(phone, "pick-up", &replaces)
}

fn last_code(room: &Room, phone: u32, id: &str) -> Option<u16> {
    room.phone_codes(phone, id).last().copied()
}

#[test]
fn a_phone_picks_up_what_rings_at_a_colleague() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0612345678", "15");
    let rings = room.ringing(0).expect("the first desk rings");
    room.phone_says(0, "180 Ringing");
    let id = takes_the_place(&mut room, 1, &rings);
    assert_eq!(last_code(&room, 1, &id), Some(200));
    let connected = |event: &Event| matches!(event, Event::Connected { agent: by, .. } if *by == agent(1));
    assert!(room.step_of(connected).is_some());
    assert!(room.ringing(0).is_none(), "the colleague's phone is quiet");
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    assert!(room.phone_is_free(1, &id));
    room.rest();
}

#[test]
fn a_phone_dials_star_8_and_has_the_most_urgent_call_that_rings_at_its_colleagues() {
    let mut people = desks(0, 3, true);
    people.extend(desks(3, 1, true));
    people[3].skills = vec!["mr".to_owned()];
    let mut room = Room::of(site(vec![centre(plan::TEXT, people)]));
    let mut routine = room.dial_and_ack("0612345678", "15");
    let mut partner = room.dial_and_ack("0388000018", "18");
    assert!(room.ringing(0).is_some() && room.ringing(1).is_some());
    room.phone_says(1, "180 Ringing");
    let stranger = room.phone_dials(3, "*8");
    assert_eq!(last_code(&room, 3, &stranger), Some(404), "nothing rings in that group");
    let id = room.phone_dials(2, "*8");
    assert_eq!(last_code(&room, 2, &id), Some(200));
    let connected = |event: &Event| matches!(event, Event::Connected { agent: by, .. } if *by == agent(2));
    assert!(room.step_of(connected).is_some());
    assert!(room.ringing(0).is_some(), "the less urgent one rings on");
    assert!(room.ringing(1).is_none(), "the colleague's phone is quiet");
    assert!(!room.has_bye(&partner));
    let again = room.phone_dials(2, "*8");
    assert_eq!(last_code(&room, 2, &again), Some(486), "one caller in the ear");
    room.bye(&mut partner);
    room.bye(&mut routine);
    assert!(room.phone_is_free(2, &id));
    room.rest();
}

#[test]
fn i1_an_agent_with_a_caller_in_the_ear_picks_nobody_else_up() {
    let mut room = room();
    let mut first = room.dial_and_ack("0612345678", "15");
    let rings = room.ringing(0).expect("the first desk rings");
    let mut second = room.dial_and_ack("0612345679", "15");
    room.answer(1);
    let refused = takes_the_place(&mut room, 1, &rings);
    assert_eq!(last_code(&room, 1, &refused), Some(486));
    assert!(room.ringing(0).is_some(), "it rings on where it rang");
    room.bye(&mut first);
    room.bye(&mut second);
    room.rest();
}

#[test]
fn an_agent_goes_on_at_another_place_of_the_same_phone() {
    let mut room = room();
    let caller = room.dial_and_ack("0612345678", "15");
    let first = room.answer(0);
    let id = takes_the_place(&mut room, 0, &first);
    assert_eq!(last_code(&room, 0, &id), Some(200));
    assert!(room.phone_is_free(0, first.call_id()), "the one before is hung up on");
    assert!(!room.has_bye(&caller));
    room.dialled_request(0, &id, ("BYE", 2), "");
    assert!(room.has_bye(&caller), "it is the agent's own conversation");
    room.rest();
}

#[test]
fn a_supervisor_takes_a_conversation_over_and_an_agent_may_not() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0612345678", "15");
    let first = room.answer(0);
    let refused = takes_the_place(&mut room, 1, &first);
    assert_eq!(last_code(&room, 1, &refused), Some(403));
    assert!(!room.phone_is_free(0, first.call_id()));
    room.phone_dials(2, "*1");
    let id = takes_the_place(&mut room, 2, &first);
    assert_eq!(last_code(&room, 2, &id), Some(200));
    assert!(room.phone_is_free(0, first.call_id()), "the agent is out of it");
    let led = |event: &Event| matches!(event, Event::Led { agent: by, .. } if *by == agent(2));
    assert!(room.step_of(led).is_some(), "the supervisor answers for it");
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    assert!(room.phone_is_free(2, &id));
    room.rest();
}

#[test]
fn a_call_that_is_none_of_ours_is_replaced_by_nobody() {
    let mut room = room();
    let id = room.phone_dials_with(1, "pick-up", "Replaces: x@y;to-tag=1;from-tag=2\r\n");
    assert_eq!(last_code(&room, 1, &id), Some(481));
    room.rest();
}

#[test]
fn nobody_comes_into_a_call_by_the_callers_own_line() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let ok = room.last(&caller.at, &caller.id, |sip| sip.code() == Some(200)).expect("answered");
    let ours = ok.header("to").split_once(";tag=").expect("our tag").1.to_owned();
    let replaces = format!("Replaces: {};to-tag={ours};from-tag=c\r\n", caller.id);
    let id = room.phone_dials_with(2, "pick-up", &replaces);
    assert_eq!(last_code(&room, 2, &id), Some(403));
    room.bye(&mut caller);
    room.rest();
}
