//! Requests of a caller that cross what we say, or overtake one another, as datagrams may: what the explorer
//! walks through, each rule by its name.

mod wire;

use sip::endpoint::Event;
use wire::desk::{Desk, RELIABLY, TRUNK, early, offer_of, prack, request, shorts};
use wire::{ANSWER, OFFER, now, tag, value};

fn numbered(method: &str, number: u32, ours: &str) -> String {
    request(method, &format!("{method}{number}"), ours, "").replace("CSeq: 1", &format!("CSeq: {number}"))
}

fn prack_offer(ours: &str, rseq: u32) -> String {
    offer_of("PRACK", 2, ours, &format!("RAck: {rseq} 1 INVITE\r\n"))
}

fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
}

fn ours_of(sent: &[String]) -> String {
    format!(";tag={}", tag(&value(&sent[0], "To")))
}

/// A call that stands: the desk and our To tag.
fn standing() -> (Desk, sip::endpoint::DialogId, String) {
    let mut desk = Desk::new();
    let ours = ours_of(&desk.hear(TRUNK, &offer_of("INVITE", 1, "", "")));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    assert_eq!(shorts(&desk.take()), ["200 INVITE"]);
    desk.hear(TRUNK, &numbered("ACK", 1, &ours));
    (desk, dialog, ours)
}

fn rests(mut desk: Desk) {
    desk.wait(80);
    assert!(desk.endpoint.is_idle());
}

// RFC 3262 §5: our offer went out in the 183; datagrams may change places.
#[test]
fn an_ack_that_overtakes_the_prack_costs_no_answer() {
    let (mut desk, dialog, ours, rseq) = early(&request("INVITE", "1", "", RELIABLY));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    assert!(desk.wait(3).iter().any(|text| text.starts_with("SIP/2.0 200")));
    desk.hear(TRUNK, &numbered("ACK", 1, &ours));
    assert!(matches!(desk.events.last(), Some(Event::Confirmed { sdp: None, .. })));
    assert_eq!(shorts(&desk.hear(TRUNK, &prack_offer(&ours, rseq))), ["200 PRACK"]);
    let Some(Event::Acknowledged { sdp: Some(sdp), .. }) = desk.events.last() else {
        panic!("{:?}", desk.events)
    };
    assert_eq!(&sdp[..], OFFER);
    desk.hear(TRUNK, &numbered("BYE", 3, &ours));
    rests(desk);
}

// RFC 3262 §5.
#[test]
fn a_prack_that_comes_behind_the_answer_may_bring_an_offer_as_well() {
    let (mut desk, dialog, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.wait(3);
    assert!(desk.hear(TRUNK, &prack_offer(&ours, rseq)).is_empty());
    assert!(matches!(desk.events.last(), Some(Event::Reoffered { sdp: Some(_), .. })));
    assert!(desk.endpoint.accept(now(desk.at), dialog, ANSWER));
    let sent = desk.take();
    assert_eq!((shorts(&sent), body(&sent[0]).as_bytes()), (vec!["200 PRACK".to_owned()], ANSWER));
}

// RFC 6337 §3.1: an offer in a PRACK is decided before the 2xx of its INVITE, which repeats that.
#[test]
fn an_answer_waits_for_the_offer_its_prack_brings_two_seconds_at_most() {
    let mended = String::from_utf8_lossy(ANSWER).replace("5000", "5002");
    for is_decided in [true, false] {
        let (mut desk, dialog, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
        desk.endpoint.answer(now(desk.at), dialog, ANSWER);
        assert!(desk.hear(TRUNK, &prack_offer(&ours, rseq)).is_empty());
        if is_decided {
            assert!(desk.endpoint.accept(now(desk.at), dialog, mended.as_bytes()));
            let sent = desk.take();
            assert_eq!(shorts(&sent), ["200 PRACK", "200 INVITE"]);
            assert_eq!((body(&sent[0]), body(&sent[1])), (&*mended, &*mended));
        } else {
            assert_eq!(
                shorts(&desk.wait(2))[0],
                "200 INVITE",
                "a caller is not kept waiting by a slow owner"
            );
        }
    }
}

// RFC 3261 §13.3.1.4, §15: its BYE was on its way when our 200 was lost.
#[test]
fn i5_a_bye_that_crosses_a_lost_answer_leaves_no_invite_without_its_end() {
    let (mut desk, dialog, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
    desk.hear(TRUNK, &prack(&ours, 2, rseq));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    assert_eq!(shorts(&desk.hear(TRUNK, &numbered("BYE", 3, &ours))), ["200 BYE"]);
    assert!(matches!(desk.events.last(), Some(Event::Released { .. })));
    assert_eq!(shorts(&desk.wait(1)), ["200 INVITE"], "until its ACK comes");
    assert!(desk.hear(TRUNK, &numbered("ACK", 1, &ours)).is_empty());
    assert!(matches!(desk.events.last(), Some(Event::Counted(_) | Event::Released { .. })), "told once");
    assert!(desk.wait(20).is_empty());
    rests(desk);
}

// RFC 3261 §9.2, §14: the re-INVITE ends, the call does not.
#[test]
fn a_reinvite_that_is_cancelled_leaves_the_call_as_it_was() {
    let (mut desk, dialog, ours) = standing();
    let reinvite = offer_of("INVITE", 2, &ours, "");
    assert_eq!(shorts(&desk.hear(TRUNK, &reinvite)), ["100 INVITE"]);
    let cancel = numbered("CANCEL", 2, &ours).replace("z9hG4bKCANCEL2", "z9hG4bKINVITE2");
    assert_eq!(shorts(&desk.hear(TRUNK, &cancel)), ["200 CANCEL", "487 INVITE"]);
    assert!(!desk.endpoint.accept(now(desk.at), dialog, ANSWER), "the offer is withdrawn");
    let ack = numbered("ACK", 2, &ours).replace("z9hG4bKACK2", "z9hG4bKINVITE2");
    assert!(desk.hear(TRUNK, &ack).is_empty());
    assert_eq!(
        shorts(&desk.hear(TRUNK, &offer_of("UPDATE", 3, &ours, ""))),
        [""; 0],
        "the next offer is heard"
    );
    assert!(desk.endpoint.accept(now(desk.at), dialog, ANSWER));
    assert_eq!(shorts(&desk.take()), ["200 UPDATE"]);
    desk.endpoint.end(now(desk.at), dialog, None);
    assert_eq!(shorts(&desk.take()), ["BYE"]);
    rests(desk);
}

// A caller whose ACK is late speaks within a call that our side has given up: nobody is told any more.
#[test]
fn a_call_that_is_ended_before_its_ack_tells_no_more() {
    let mut desk = Desk::new();
    let ours = ours_of(&desk.hear(TRUNK, &offer_of("INVITE", 1, "", "")));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.endpoint.end(now(desk.at), dialog, None);
    desk.take();
    let told = desk.events.len();
    let refer =
        numbered("REFER", 3, &ours).replace("Content-Length", "Refer-To: <sip:17@h>\r\nContent-Length");
    let info = desk.hear(TRUNK, &numbered("INFO", 2, &ours));
    assert_eq!(
        (shorts(&info), shorts(&desk.hear(TRUNK, &refer))),
        (vec!["481 INFO".into()], vec!["481 REFER".into()])
    );
    assert!(desk.events[told..].iter().all(|event| event.dialog().is_none()));
    assert_eq!(shorts(&desk.hear(TRUNK, &numbered("ACK", 1, &ours))), ["BYE"]);
    rests(desk);
}

// §12.2.2 would answer 500, and somebody would talk to nobody.
#[test]
fn i5_a_hang_up_counts_whatever_its_number_is() {
    let (mut desk, dialog, ours) = standing();
    assert_eq!(shorts(&desk.hear(TRUNK, &numbered("INFO", 7, &ours))), ["200 INFO"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &numbered("INFO", 3, &ours))), ["500 INFO"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &numbered("BYE", 4, &ours))), ["200 BYE"]);
    assert!(matches!(desk.events.last(), Some(Event::Released { dialog: over, .. }) if *over == dialog));
    rests(desk);
}
