//! What is left of an INVITE's early dialogs when one of its forks answers (RFC 3261 §13.2.2.4, RFC 3262).

mod wire;

use sip::endpoint::{DialogId, Event};
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
fn an_update_in_early_media_is_in_force_when_the_200_describes_nothing() {
    let mut wire = Wire::udp();
    wire.rewrite =
        Box::new(|by, text| if by == B && short(&text) == "200 INVITE" { bare(&text) } else { text });
    let (a, b) = ringing(&mut wire);
    let said = |wire: &Wire, what: &str| {
        wire.log.iter().find(|it| short(&it.2) == what).map(|it| it.2.clone()).expect("said")
    };
    let (invite, rings) = (said(&wire, "INVITE"), said(&wire, "183 INVITE"));
    let offer = String::from_utf8_lossy(OFFER).replace("4000", "5002");
    let update = format!(
        "UPDATE sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKu;rport\r\n\
         Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 UPDATE\r\n\
         Contact: <sip:192.0.2.2:5060>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
        value(&rings, "To"),
        value(&invite, "From"),
        value(&invite, "Call-ID"),
        offer.len()
    );
    wire.deliver(A, update.as_bytes());
    let now = wire.now();
    wire.ends[A].accept(now, a, OFFER);
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(100);
    assert_eq!(answered(&wire).as_deref(), Some(offer.as_bytes()));
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
