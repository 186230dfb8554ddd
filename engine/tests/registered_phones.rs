//! Desk phones that register with digest: reachable while they do, rung at every place they gave.

mod kit;

use engine::call::event::Event;
use engine::site::Phone;
use kit::sip::{Sip, sdp};
use kit::{ENGINE, Room, centre, desks, plan, site};
use sip::auth::{Claim, ha1, respond};
use sip::header::auth::{Algorithm, Challenge};
use std::net::SocketAddr;
use std::time::Duration;

const USER: &str = "nour";
const PASSWORD: &str = "not a secret";

fn room() -> Room {
    let mut people = desks(0, 1, true);
    people[0].phone = Phone::Registered {
        user: USER.to_owned(),
        ha1_md5: ha1(Algorithm::Md5, USER, "test", PASSWORD),
        ha1_sha256: ha1(Algorithm::Sha256, USER, "test", PASSWORD),
    };
    Room::of(site(vec![centre(plan::TEXT, people)]))
}

fn place(index: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8_000 + index))
}

/// REGISTER, the challenge, and REGISTER with the answer to it.
fn register(room: &mut Room, at: SocketAddr, expires: u32) -> u16 {
    // Challenges of one instant are the same, and each is good for one answer.
    room.pass(Duration::from_millis(1));
    room.count += 10;
    let id = format!("reg-{}", at.port());
    let first = room.count;
    let request = |cseq: u32, proof: &str| {
        format!(
            "REGISTER sip:{ENGINE} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{cseq}-{}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{USER}@{ENGINE}>;tag=r\r\nTo: <sip:{USER}@{ENGINE}>\r\n\
             Call-ID: {id}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{USER}@{at}>\r\n\
             Expires: {expires}\r\n{proof}Content-Length: 0\r\n\r\n",
            at.port()
        )
    };
    room.send(at, &request(first, ""));
    let challenge = answer(room, at, &id);
    assert_eq!(challenge.code(), Some(401));
    let uri = format!("sip:{ENGINE}");
    let read = Challenge::read(challenge.header("www-authenticate").as_bytes()).expect("a challenge");
    let claim = Claim { user: USER, password: PASSWORD, method: "REGISTER", uri: &uri, cnonce: "c", nc: 1 };
    let proof = format!("Authorization: {}\r\n", respond(&read, &claim));
    room.send(at, &request(first + 1, &proof));
    answer(room, at, &id).code().expect("a response")
}

fn answer(room: &Room, at: SocketAddr, id: &str) -> Sip {
    room.last(&at, id, |sip| sip.code().is_some()).expect("answered").clone()
}

fn invite_at(room: &Room, at: SocketAddr) -> Option<Sip> {
    let invites = room.wire.iter().rev().filter(|sent| sent.to == at);
    invites.map(|sent| sent.sip.clone()).find(|sip| sip.method() == Some("INVITE"))
}

#[test]
fn a_waiting_caller_rings_a_phone_in_the_step_of_its_registration() {
    let mut room = room();
    room.dial_and_ack("0612345678", "15");
    room.pass(Duration::from_secs(5));
    assert!(invite_at(&room, place(0)).is_none());
    assert_eq!(register(&mut room, place(0), 300), 200);
    let (step, _) = room
        .log
        .iter()
        .rev()
        .find(|(_, it)| matches!(it.event, Event::ReachabilityChanged { reachable: true, .. }))
        .expect("reachable");
    let rang = room.wire.iter().find(|it| it.to == place(0) && it.sip.method() == Some("INVITE"));
    assert_eq!(rang.map(|sent| sent.step), Some(*step));
}

#[test]
fn every_registered_place_rings_and_the_first_to_answer_has_the_caller() {
    let mut room = room();
    assert_eq!(register(&mut room, place(0), 300), 200);
    assert_eq!(register(&mut room, place(1), 300), 200);
    let caller = room.dial_and_ack("0612345678", "15");
    let (here, there) =
        (invite_at(&room, place(0)).expect("rings"), invite_at(&room, place(1)).expect("rings"));
    room.send(place(0), &here.response("180 Ringing", "a", "", ""));
    room.send(place(1), &there.response("180 Ringing", "b", "", ""));
    let contact = format!("Contact: <sip:{USER}@{}>\r\n", place(1));
    let ok = there.response("200 OK", "b", &contact, &sdp(40_000, "8", "sendrecv"));
    room.send(place(1), &ok);
    let cancel = room.last(&place(0), here.call_id(), |sip| sip.method() == Some("CANCEL"));
    let reason = cancel.expect("the other place stops ringing").header("reason").to_owned();
    assert!(reason.contains("cause=200"), "no missed call is shown there: {reason}");
    assert!(room.step_of(|it| matches!(it, Event::Connected { .. })).is_some());
    let mut caller = caller;
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn one_place_refusing_leaves_the_other_ringing_and_both_refusing_lead_on() {
    let mut room = room();
    assert_eq!(register(&mut room, place(0), 300), 200);
    assert_eq!(register(&mut room, place(1), 300), 200);
    room.dial_and_ack("0612345678", "15");
    let (here, there) =
        (invite_at(&room, place(0)).expect("rings"), invite_at(&room, place(1)).expect("rings"));
    room.send(place(0), &here.response("486 Busy Here", "a", "", ""));
    let ended = |room: &Room| room.step_of(|it| matches!(it, Event::OfferEnded { .. }));
    assert_eq!(ended(&room), None);
    room.send(place(1), &there.response("486 Busy Here", "b", "", ""));
    assert!(ended(&room).is_some());
}

#[test]
fn a_phone_whose_registration_ends_is_not_rung() {
    let mut room = room();
    assert_eq!(register(&mut room, place(0), 300), 200);
    assert_eq!(register(&mut room, place(0), 0), 200);
    room.dial_and_ack("0612345678", "15");
    assert!(invite_at(&room, place(0)).is_none());
}

#[test]
fn a_registered_phone_dials_its_feature_codes_over_its_flow() {
    let mut room = room();
    assert_eq!(register(&mut room, place(0), 300), 200);
    let at = place(0);
    let body = sdp(40_000, "8", "sendrecv");
    let invite = format!(
        "INVITE sip:*2@{ENGINE} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-star\r\nMax-Forwards: 70\r\n\
         From: <sip:{USER}@{ENGINE}>;tag=s\r\nTo: <sip:*2@{ENGINE}>\r\nCall-ID: code-star\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{USER}@{at}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    room.send(at, &invite);
    let paused = |it: &Event| {
        matches!(it, Event::IntentChanged { intent: engine::call::event::Intent::Paused(_), .. })
    };
    assert!(room.step_of(paused).is_some());
    let other =
        invite.replace("8000", "8009").replace("code-star", "code-else").replace("z9hG4bK-star", "z9hG4bK-x");
    let before = room.log.len();
    room.send(place(9), &other);
    assert_eq!(room.log.len(), before, "a stranger commands nobody");
}
