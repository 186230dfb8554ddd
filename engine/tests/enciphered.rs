//! Audio with a carrier that wants it enciphered, on every leg of ours that goes out to it.

mod kit;

use engine::call::event::Whom;
use engine::io::Verb;
use engine::site::{Site, Srtp};
use kit::sip::Sip;
use kit::{Room, agent, centre, desks, plan, site, trunk_at};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The trunk that rings outside wants SRTP.
fn enciphered(mut site: Site) -> Site {
    site.trunks[1].reach.srtp = Srtp::Required;
    site
}

/// Whoever is rung outside is offered keys and nothing plain.
fn offers_keys_only(room: &Room) -> Sip {
    let invite = room.rings_outside().expect("rings outside");
    let audio = invite.body.lines().find(|line| line.starts_with("m=audio ")).expect("audio");
    assert!(audio.contains(" RTP/SAVP "), "{audio}");
    assert!(invite.body.contains("a=crypto:1 "), "{}", invite.body);
    invite
}

#[test]
fn a_person_is_called_back_with_keys() {
    let mut room = Room::of(enciphered(site(vec![centre(plan::STAGED, desks(0, 2, false))])));
    for index in 0..2 {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    for index in 0..2 {
        room.by(index, Verb::Ready { agent: agent(index) }).result.expect("ready");
    }
    room.answer(if room.ringing(0).is_some() { 0 } else { 1 });
    offers_keys_only(&room);
}

#[test]
fn a_queue_overflows_with_keys() {
    let rule = r#"{ when = ["waited"], after = "20s", to = "trunk:trunk-1", number = "+33388000099" }"#;
    let text =
        plan::STAGED.replace("stage  = \"front\"\n", &format!("stage  = \"front\"\noverflow = [{rule}]\n"));
    let mut room = Room::of(enciphered(site(vec![centre(&text, desks(0, 1, false))])));
    room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    offers_keys_only(&room);
}

#[test]
fn somebody_outside_is_asked_with_keys() {
    let people = kit::page::pages(0, 1);
    let mut room = Room::of(enciphered(site(vec![centre(plan::TEXT, people)])));
    room.page_ready(0);
    room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    let whom = Whom::Outside("sdis-69".to_owned());
    room.by(0, Verb::Consult { agent: agent(0), call, whom }).result.expect("asked");
    let invite = offers_keys_only(&room);
    assert!(room.last(&trunk_at(1), invite.call_id(), |_| true).is_some());
}
