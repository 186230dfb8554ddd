//! What is left of an INVITE's early dialogs when one of its forks answers (RFC 3261 §13.2.2.4, RFC 3262).

mod wire;

use sip::endpoint::{Credentials, DialogId, Event, Outgoing};
use wire::{A, ANSWER, B, OFFER, Wire, short, value};

/// A call from A that rings at B with early media, acknowledged.
fn ringing(wire: &mut Wire) -> (DialogId, DialogId) {
    let a = wire.invite();
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].ring(now, b, 183, Some(ANSWER));
    wire.run(50);
    (a, b)
}

/// A message without its body.
fn bare(text: &str) -> String {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").filter(|line| !line.starts_with("Content-"));
    lines.collect::<Vec<_>>().join("\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

fn said(wire: &Wire, what: &str) -> String {
    wire.log.iter().find(|it| short(&it.2) == what).map(|it| it.2.clone()).expect("said")
}

/// An UPDATE of B before its answer, and what it offers.
fn update(wire: &Wire) -> (String, String) {
    let (invite, rings) = (said(wire, "INVITE"), said(wire, "183 INVITE"));
    let offer = String::from_utf8_lossy(OFFER).replace("4000", "5002");
    let text = format!(
        "UPDATE sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKu;rport\r\n\
         Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 UPDATE\r\n\
         Contact: <sip:192.0.2.2:5060>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
        value(&rings, "To"),
        value(&invite, "From"),
        value(&invite, "Call-ID"),
        offer.len()
    );
    (offer, text)
}

/// What A was told the answer is.
fn answered(wire: &Wire) -> Option<Vec<u8>> {
    let answer = wire.events[A].iter().find_map(|event| match event {
        Event::Answered { sdp, .. } => Some(sdp.as_ref().map(|sdp| sdp.to_vec())),
        _ => None,
    });
    answer.expect("A was told of an answer")
}

fn hang_up(mut wire: Wire, a: DialogId) {
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.rests();
}

// RFC 6337 §2.1: the answer has been given, the 200 need not say it again.
#[test]
fn an_answer_in_early_media_is_in_force_when_the_200_describes_nothing() {
    for reliable in ["100rel, ", ""] {
        let mut wire = Wire::udp();
        wire.rewrite = Box::new(move |by, text| match short(&text).as_str() {
            "INVITE" => text.replace("100rel, ", reliable),
            "200 INVITE" if by == B => bare(&text),
            _ => text,
        });
        let (a, b) = ringing(&mut wire);
        let now = wire.now();
        wire.ends[B].answer(now, b, ANSWER);
        wire.run(100);
        assert_eq!(answered(&wire).as_deref(), Some(ANSWER));
        hang_up(wire, a);
    }
}

// RFC 3311 §5.2: what was offered last and answered is in force.
#[test]
fn an_update_in_early_media_is_in_force_whether_the_200_describes_nothing_or_repeats_the_first_answer() {
    for describes in [false, true] {
        let mut wire = Wire::udp();
        wire.rewrite =
            Box::new(
                move |by, text| {
                    if by == B && !describes && short(&text) == "200 INVITE" { bare(&text) } else { text }
                },
            );
        let (a, b) = ringing(&mut wire);
        let (offer, update) = update(&wire);
        wire.deliver(A, update.as_bytes());
        let now = wire.now();
        assert!(wire.ends[A].accept(now, a, OFFER));
        wire.ends[B].answer(now, b, ANSWER);
        wire.run(100);
        assert_eq!(answered(&wire).as_deref(), Some(offer.as_bytes()));
        hang_up(wire, a);
    }
}

// A border that rings with one tag and answers with another.
#[test]
fn whoever_answers_bare_under_another_tag_is_sent_to_where_it_rang() {
    let mut wire = Wire::udp();
    wire.rewrite =
        Box::new(|by, text| if by == B && short(&text) == "200 INVITE" { bare(&text) } else { text });
    let (a, b) = ringing(&mut wire);
    let rings = said(&wire, "183 INVITE");
    let tag = wire::tag(&value(&rings, "To")).to_owned();
    let answer = bare(&rings).replace("183 Session Progress", "200 OK").replace("Require: 100rel\r\n", "");
    wire.deliver(A, answer.replace(&tag, "another").as_bytes());
    wire.run(0);
    assert_eq!(answered(&wire).as_deref(), Some(ANSWER));
    let now = wire.now();
    wire.ends[B].end(now, b, None);
    hang_up(wire, a);
}

// §12.2.1.1: numbers rise within a dialog, and an early one has had its PRACK.
#[test]
fn i2_a_fork_that_has_spoken_reliably_and_answers_second_is_hung_up_under_a_number_of_its_own() {
    let mut wire = Wire::udp();
    let (a, b) = ringing(&mut wire);
    let rings = wire.log.iter().find(|it| short(&it.2) == "183 INVITE").expect("rings").2.clone();
    let first = rings.replace("183 Session Progress", "200 OK").replace("Require: 100rel\r\n", "");
    let tag = wire::tag(&value(&rings, "To")).to_owned();
    wire.deliver(A, first.replace(&tag, "another").as_bytes());
    wire.run(0);
    assert_eq!(wire.told(A), "progress 183, answered");
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(100);
    let number = |what: &str| -> u32 {
        let to_b = |it: &&(_, usize, String)| it.1 == A && short(&it.2) == what && it.2.contains(&tag);
        let sent = wire.log.iter().find(to_b).unwrap_or_else(|| panic!("no {what}"));
        value(&sent.2, "CSeq").split(' ').next().and_then(|it| it.parse().ok()).expect("a number")
    };
    assert!(number("BYE") > number("PRACK"), "{} {}", number("BYE"), number("PRACK"));
    assert_eq!(wire.told(B), "invited, acknowledged, confirmed, released");
    hang_up(wire, a);
}

/// What a carrier that wants a proof says to the last request of A that reads so.
fn challenged(wire: &mut Wire, what: &str, fork: &str) -> String {
    let last = |wire: &Wire| {
        let found = wire.log.iter().rfind(|it| it.1 == A && short(&it.2) == what && it.2.contains(fork));
        found.unwrap_or_else(|| panic!("no {what}")).2.clone()
    };
    let asked = last(wire);
    assert!(value(&asked, "Proxy-Authorization").is_empty());
    let lines =
        ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", value(&asked, name)));
    let challenge =
        "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n";
    let refusal = format!("SIP/2.0 407 Who\r\n{}{challenge}Content-Length: 0\r\n\r\n", lines.concat());
    wire.deliver(A, refusal.as_bytes());
    wire.run(0);
    let proved = last(wire);
    assert!(!value(&proved, "Proxy-Authorization").is_empty(), "{what} is proved");
    assert_eq!(value(&proved, "To"), value(&asked, "To"), "in its own dialog");
    assert_eq!(proved.lines().next(), asked.lines().next());
    proved
}

fn calls_with_credentials(wire: &mut Wire) -> DialogId {
    let outgoing = Outgoing {
        flow: wire.flow(A),
        uri: "sip:15@192.0.2.2".to_owned(),
        from: "<sip:17@192.0.2.1>".to_owned(),
        to: "<sip:15@192.0.2.2>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: Some(Credentials { user: "samu".to_owned(), password: "geheim".to_owned() }),
    };
    let now = wire.now();
    wire.ends[A].invite(now, outgoing)
}

/// B hears a PRACK and a BYE when they are proved.
fn wants_proofs(_: usize, text: &str) -> bool {
    ["PRACK", "BYE"].contains(&short(text).as_str()) && !text.contains("Proxy-Authorization")
}

// RFC 3261 §22.2.
#[test]
fn i2_a_losing_fork_that_wants_a_proof_gets_it_in_its_own_dialog() {
    let mut wire = Wire::udp().losing(wants_proofs);
    let a = calls_with_credentials(&mut wire);
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].ring(now, b, 183, Some(ANSWER));
    wire.run(20);
    let rings = said(&wire, "183 INVITE");
    let loser = wire::tag(&value(&rings, "To")).to_owned();
    let first = rings.replace("183 Session Progress", "200 OK").replace("Require: 100rel\r\n", "");
    let elsewhere = first
        .replace(&loser, "winner")
        .replace("Contact: <sip:192.0.2.2:5060>", "Contact: <sip:w@192.0.2.2>");
    wire.deliver(A, elsewhere.as_bytes());
    wire.run(0);
    assert_eq!(wire.told(A), "progress 183, answered");
    let prack = challenged(&mut wire, "PRACK", &loser);
    wire.run(20);
    assert_eq!(wire.told(B), "invited, acknowledged");
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(20);
    let bye = challenged(&mut wire, "BYE", &loser);
    let number = |text: &str| value(text, "CSeq").split(' ').next().and_then(|it| it.parse::<u32>().ok());
    assert!(number(&bye) > number(&prack));
    wire.run(100);
    assert_eq!(
        wire.told(B),
        "invited, acknowledged, confirmed, released",
        "nobody is left talking to nobody"
    );
    wire.lose = Box::new(|_, _| false);
    hang_up(wire, a);
}

// RFC 3261 §22.2, RFC 3326.
#[test]
fn i5_an_answer_that_crossed_our_cancel_is_hung_up_with_a_proof_and_its_reason() {
    let mut wire = Wire::udp().losing(wants_proofs);
    let a = calls_with_credentials(&mut wire);
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].answer(now, b, ANSWER);
    wire.ends[A].end(now, a, Some("Q.850;cause=16"));
    wire.run(20);
    let bye = challenged(&mut wire, "BYE", "");
    assert_eq!(value(&bye, "Reason"), "Q.850;cause=16");
    wire.run(100);
    assert_eq!((wire.told(A), wire.told(B)), (String::new(), "invited, confirmed, released".to_owned()));
    wire.rests();
}

// Reliable responses raise the numbers of a call, not how often it has been tried.
#[test]
fn a_challenge_behind_many_reliable_responses_is_answered() {
    let mut wire = Wire::udp();
    let a = calls_with_credentials(&mut wire);
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    for code in [180, 182, 183, 180] {
        wire.ends[B].ring(now, b, code, None);
        wire.run(50);
    }
    assert_eq!(wire.times(A, "PRACK"), 4);
    let proved = challenged(&mut wire, "INVITE", "");
    assert_eq!(value(&proved, "CSeq"), "6 INVITE");
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.ends[B].end(now, b, None);
    wire.rests();
}
