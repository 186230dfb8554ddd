//! Reliable provisional responses (RFC 3262), UPDATE (RFC 3311) and session timers (RFC 4028).

mod wire;

use sip::endpoint::{Counter, DialogId, Event, Outgoing};
use sip::transport::Peer;
use wire::desk::{Desk, RELIABLY, TRUNK, early, offer_of, prack, request, shorts};
use wire::{A, ANSWER, B, OFFER, Wire, first, now, short, value};

/// A call from A that rings at B with early media.
fn ringing(mut wire: Wire) -> (Wire, DialogId, DialogId) {
    let (a, b) = wire.ring(183, Some(ANSWER));
    (wire, a, b)
}

fn hang_up(mut wire: Wire, a: DialogId) {
    wire.hangs_up(A, a);
}

// RFC 3262 §3.
#[test]
fn a_reliable_response_comes_again_until_its_prack() {
    let (mut wire, a, _) = ringing(Wire::udp().losing(first(2, B, "183 INVITE")));
    wire.run(5_000);
    assert_eq!((wire.times(B, "183 INVITE"), wire.times(A, "PRACK")), (3, 1));
    assert_eq!(wire.told(A), "progress 183");
    assert_eq!(wire.told(B), "invited, acknowledged");
    hang_up(wire, a);
}

// RFC 3262 §4: a copy is acknowledged by the PRACK's own retransmission.
#[test]
fn a_copy_of_a_reliable_response_is_told_once() {
    let (mut wire, a, _) = ringing(Wire::udp().losing(first(2, A, "PRACK")));
    wire.run(5_000);
    assert_eq!(wire.told(A), "progress 183");
    let numbers: Vec<String> = wire
        .log
        .iter()
        .filter(|(_, by, text)| *by == A && short(text) == "PRACK")
        .map(|it| value(&it.2, "RAck"))
        .collect();
    assert_eq!(numbers.len(), 3);
    assert!(numbers.iter().all(|number| *number == numbers[0]), "one PRACK, sent three times");
    hang_up(wire, a);
}

// RFC 3262 §3: no second one before the first is acknowledged; numbers rise by one.
#[test]
fn reliable_responses_go_out_one_after_the_other() {
    let mut wire = Wire::udp();
    let (a, b) = wire.ring(180, None);
    let now = wire.now();
    wire.ends[B].ring(now, b, 182, None);
    wire.ends[B].ring(now, b, 183, Some(ANSWER));
    wire.run(5);
    assert_eq!(wire.sent(B), ["100 INVITE", "180 INVITE"]);
    wire.run(500);
    assert_eq!(wire.told(A), "progress 180, progress 183", "the latest replaces what waits");
    let number = |wire: &Wire, what: &str| -> u32 {
        let said = wire.log.iter().find(|(_, by, text)| *by == B && short(text) == what).expect("said");
        value(&said.2, "RSeq").parse().expect("a number")
    };
    assert_eq!(number(&wire, "180 INVITE") + 1, number(&wire, "183 INVITE"));
    hang_up(wire, a);
}

// RFC 3262 §3, with a bound of ours: a caller is answered whatever becomes of its PRACK.
#[test]
fn an_answer_waits_for_the_prack_of_a_description_two_seconds_at_most() {
    let (mut wire, a, b) = ringing(Wire::udp().losing(|by, text| by == A && short(text) == "PRACK"));
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(1_990);
    assert_eq!(wire.times(B, "200 INVITE"), 0);
    wire.run(100);
    assert_eq!((wire.told(A).as_str(), wire.times(B, "200 INVITE")), ("progress 183, answered", 1));
    hang_up(wire, a);

    let (mut wire, a, b) = ringing(Wire::udp());
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(5);
    assert_eq!(wire.times(B, "200 INVITE"), 0);
    wire.run(50);
    assert_eq!(wire.told(B), "invited, acknowledged, confirmed", "as soon as it is acknowledged");
    hang_up(wire, a);
}

#[test]
fn an_answer_behind_a_bare_180_does_not_wait_and_its_prack_is_still_known() {
    let mut wire = Wire::udp();
    let (a, b) = wire.ring(180, None);
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(50);
    assert_eq!((wire.times(B, "200 PRACK"), wire.times(B, "481 PRACK")), (1, 0));
    assert_eq!(wire.told(A), "progress 180, answered");
    hang_up(wire, a);
}

// RFC 3262 §3 would refuse the caller with a 5xx.
#[test]
fn a_caller_who_never_acknowledges_keeps_ringing_and_is_answered() {
    let (mut wire, a, b) = ringing(Wire::udp().losing(|by, text| by == A && short(text) == "PRACK"));
    wire.run(40_000);
    assert_eq!(wire.told(A), "progress 183");
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(100);
    assert_eq!(wire.told(B), "invited, confirmed");
    hang_up(wire, a);
}

#[test]
fn a_caller_who_cannot_acknowledge_is_told_as_ever() {
    let (mut wire, a, _) = ringing(Wire::udp().rewriting(A, "100rel, ", ""));
    wire.run(5_000);
    assert_eq!((wire.times(B, "183 INVITE"), wire.times(A, "PRACK")), (1, 0));
    assert_eq!(wire.told(A), "progress 183");
    hang_up(wire, a);
}

// RFC 3262 §3.
#[test]
fn a_prack_of_nothing_that_was_said_is_481() {
    let (mut desk, _, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
    assert_eq!(shorts(&desk.hear(TRUNK, &prack(&ours, 2, rseq + 1))), ["481 PRACK"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &prack(&ours, 3, rseq))), ["200 PRACK"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &prack(&ours, 4, rseq))), ["481 PRACK"], "it is acknowledged");
}

// RFC 3262 §5: our offer in the first reliable response, the answer in its PRACK.
#[test]
fn a_prack_answers_the_offer_we_made_in_early_media() {
    let (mut desk, dialog, ours, rseq) = early(&request("INVITE", "1", "", RELIABLY));
    let answer = offer_of("PRACK", 2, &ours, &format!("RAck: {rseq} 1 INVITE\r\n"));
    assert_eq!(shorts(&desk.hear(TRUNK, &answer)), ["200 PRACK"]);
    assert!(matches!(desk.events.last(), Some(Event::Acknowledged { sdp: Some(_), .. })));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    let sent = desk.take();
    assert!(
        sent[0].ends_with("Content-Length: 0\r\n\r\n"),
        "all is agreed: another description would be an offer"
    );
}

// RFC 3311 §5.2.
#[test]
fn an_update_before_the_answer_changes_what_has_been_agreed_and_waits_before_that() {
    let (mut desk, dialog, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
    let sent = desk.hear(TRUNK, &offer_of("UPDATE", 2, &ours, ""));
    assert_eq!(shorts(&sent), ["500 UPDATE"]);
    assert!(!value(&sent[0], "Retry-After").is_empty());
    desk.hear(TRUNK, &prack(&ours, 3, rseq));
    assert!(desk.hear(TRUNK, &offer_of("UPDATE", 4, &ours, "")).is_empty());
    assert!(matches!(desk.events.last(), Some(Event::Reoffered { sdp: Some(_), .. })));
    assert_eq!(shorts(&desk.hear(TRUNK, &offer_of("UPDATE", 5, &ours, ""))), ["500 UPDATE"], "one at a time");
    desk.endpoint.accept(now(desk.at), dialog, ANSWER);
    let sent = desk.take();
    assert_eq!(shorts(&sent), ["200 UPDATE"]);
    assert!(sent[0].ends_with(&*String::from_utf8_lossy(ANSWER)));
    desk.hear(TRUNK, &offer_of("UPDATE", 6, &ours, ""));
    desk.endpoint.end(now(desk.at), dialog, None);
    assert_eq!(shorts(&desk.take()), ["480 INVITE", "487 UPDATE"], "nothing stays unanswered");
}

// RFC 3262 §5.
#[test]
fn a_prack_may_bring_the_next_offer_and_its_200_the_answer() {
    let (mut desk, dialog, ours, rseq) = early(&offer_of("INVITE", 1, "", RELIABLY));
    assert!(desk.hear(TRUNK, &offer_of("PRACK", 2, &ours, &format!("RAck: {rseq} 1 INVITE\r\n"))).is_empty());
    desk.endpoint.accept(now(desk.at), dialog, ANSWER);
    let sent = desk.take();
    assert_eq!(shorts(&sent), ["200 PRACK"]);
    assert!(sent[0].ends_with(&*String::from_utf8_lossy(ANSWER)));
}

// RFC 4028 §9, edges.md.
#[test]
fn i9_a_session_interval_too_brief_is_422_to_a_phone_and_never_to_a_trunk() {
    for (peer, expected) in [(TRUNK, "100 INVITE"), (Peer::Phone, "422 INVITE")] {
        let mut desk = Desk::new();
        let sent =
            desk.hear(peer, &request("INVITE", "1", "", "Session-Expires: 30\r\nSupported: timer\r\n"));
        assert_eq!(shorts(&sent), [expected]);
        if peer == TRUNK {
            let Some(Event::Invited { invite, .. }) = desk.events.iter().find(|it| it.dialog().is_some())
            else {
                panic!("no call came");
            };
            assert_eq!(invite.repairs, ["session_interval"]);
            assert_eq!(desk.counted(&Counter::Repaired("session_interval")), 1);
        } else {
            assert_eq!(value(&sent[0], "Min-SE"), "90");
        }
    }
}

// RFC 4028 §9.
#[test]
fn an_answer_says_who_refreshes() {
    let table = [
        ("", "", ""),
        ("Supported: timer\r\n", "", ""),
        ("Session-Expires: 600\r\n", "600;refresher=uas", ""),
        ("Supported: timer\r\nSession-Expires: 600\r\n", "600;refresher=uac", "timer"),
        ("Supported: timer\r\nx: 600;refresher=uas\r\n", "600;refresher=uas", "timer"),
        ("Require: timer\r\nSession-Expires: 600;refresher=uac\r\n", "600;refresher=uac", "timer"),
    ];
    for (asked, expires, require) in table {
        let mut desk = Desk::new();
        desk.hear(TRUNK, &request("INVITE", "1", "", asked));
        let dialog = desk.calls()[0];
        desk.endpoint.answer(now(desk.at), dialog, ANSWER);
        let sent = desk.take();
        let said = (value(&sent[0], "Session-Expires"), value(&sent[0], "Require"));
        assert_eq!((said.0.as_str(), said.1.as_str()), (expires, require), "{asked}");
    }
}

const HOURS: u64 = 3_600_000;

// RFC 4028 §7.4, §10.
#[test]
fn whoever_is_to_refresh_does_and_the_session_lives() {
    for (side, asked) in [(A, "Session-Expires: 1800\r\n"), (B, "Session-Expires: 1800;refresher=uas\r\n")] {
        let mut wire = Wire::udp().rewriting(A, "Session-Expires: 1800\r\n", asked);
        let (a, _) = wire.talk();
        wire.run(2 * HOURS);
        assert_eq!(
            (wire.times(side, "UPDATE"), wire.times(1 - side, "UPDATE")),
            (7, 0),
            "every quarter of an hour"
        );
        assert_eq!((wire.told(A).as_str(), wire.told(B).as_str()), ("answered", "invited, confirmed"));
        hang_up(wire, a);
    }
}

// RFC 4028 §7.4: a re-INVITE where there is no UPDATE.
#[test]
fn a_peer_that_knows_no_update_is_refreshed_by_a_reinvite_of_what_is_agreed() {
    let mut wire = Wire::udp().rewriting(B, "UPDATE, ", "");
    let (a, b) = wire.talk();
    wire.run(901_000);
    assert_eq!(wire.told(B), "invited, confirmed, reoffered");
    let again = wire.log.iter().rfind(|(_, by, text)| *by == A && short(text) == "INVITE").expect("sent");
    assert!(again.2.ends_with(&*String::from_utf8_lossy(OFFER)), "the same description");
    assert_eq!(value(&again.2, "Session-Expires"), "1800;refresher=uac");
    let now = wire.now();
    wire.ends[B].accept(now, b, ANSWER);
    wire.run(100);
    assert_eq!(wire.told(A), "answered, reoffer done");
    hang_up(wire, a);
}

// RFC 4028 §10, edges.md: told, and nobody is hung up on.
#[test]
fn a_session_nobody_refreshes_is_told_as_lost_and_stands_until_its_owner_ends_it() {
    let (mut wire, a, b) = Wire::talking();
    wire.lose = Box::new(|by, text| by == A && short(text) == "UPDATE");
    wire.run(1_767_000);
    assert_eq!(wire.told(B), "invited, confirmed");
    wire.run(2_000);
    assert_eq!(wire.told(B), "invited, confirmed, lost None");
    assert_eq!(wire.times(B, "BYE"), 0);
    assert!(wire.told(A).starts_with("answered, lost None"), "its refresh was never answered");
    let now = wire.now();
    wire.ends[B].end(now, b, None);
    wire.run(100);
    assert!(wire.ends[A].snapshot(a).is_none());
    wire.rests();
}

// RFC 4028 §7.3.
#[test]
fn an_invite_of_ours_that_is_too_brief_for_the_peer_asks_again_once() {
    let mut desk = Desk::new();
    let outgoing = Outgoing {
        flow: desk.flow,
        uri: "sip:17@198.51.100.7".to_owned(),
        from: "<sip:samu@192.0.2.2>".to_owned(),
        to: "<sip:17@198.51.100.7>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: None,
    };
    desk.endpoint.invite(now(desk.at), outgoing);
    let invite = desk.take().remove(0);
    assert_eq!(value(&invite, "Session-Expires"), "1800");
    let refusal = |invite: &str| {
        let line = |name: &str| format!("{name}: {}\r\n", value(invite, name));
        let to = line("To").replace("\r\n", ";tag=x\r\n");
        format!(
            "SIP/2.0 422 Session Interval Too Small\r\n{}{}{to}{}{}Min-SE: 3600\r\nContent-Length: 0\r\n\r\n",
            line("Via"),
            line("From"),
            line("Call-ID"),
            line("CSeq")
        )
    };
    let sent = desk.hear(TRUNK, &refusal(&invite));
    assert_eq!(shorts(&sent), ["ACK", "INVITE"]);
    assert_eq!(
        (value(&sent[1], "Session-Expires"), value(&sent[1], "Min-SE")),
        ("3600".to_owned(), "3600".to_owned())
    );
    assert_eq!(value(&sent[1], "CSeq"), "2 INVITE");
    assert_eq!(shorts(&desk.hear(TRUNK, &refusal(&sent[1]))), ["ACK"]);
    assert!(matches!(desk.events.last(), Some(Event::Failed { code: 422, .. })));
}

// RFC 4028 §7.4, §10: people who talk are not cut because one refresh was refused.
#[test]
fn a_refresh_by_reinvite_that_is_refused_is_tried_again() {
    for code in [500, 503, 488] {
        let mut wire = Wire::udp().rewriting(B, "UPDATE, ", "");
        let (a, b) = wire.talk();
        wire.run(901_000);
        let now = wire.now();
        wire.ends[B].decline(now, b, code);
        wire.run(230_000);
        assert_eq!(wire.told(A), format!("answered, reoffer failed {code}"));
        assert_eq!(wire.times(A, "INVITE"), 3, "in a quarter of the time that is left");
        let now = wire.now();
        wire.ends[B].accept(now, b, ANSWER);
        wire.run(800_000);
        assert!(!wire.told(A).contains("lost"), "{}", wire.told(A));
        hang_up(wire, a);
    }
}

// RFC 4028 §7.4.
#[test]
fn a_refresh_by_reinvite_that_is_too_brief_asks_for_longer() {
    let mut wire = Wire::udp().rewriting(B, "UPDATE, ", "");
    let (a, b) = wire.talk();
    wire.run(901_000);
    wire.rewrite = Box::new(|by, text| {
        let refused = by == B && short(&text) == "488 INVITE";
        if refused { text.replace("488 Not Acceptable Here\r\n", "422 X\r\nMin-SE: 3600\r\n") } else { text }
    });
    let now = wire.now();
    wire.ends[B].decline(now, b, 488);
    wire.run(1_000);
    let again = wire.log.iter().rfind(|(_, by, text)| *by == A && short(text) == "INVITE").expect("sent");
    assert_eq!(value(&again.2, "Session-Expires"), "3600;refresher=uac");
    let now = wire.now();
    wire.ends[B].accept(now, b, ANSWER);
    wire.run(100);
    assert_eq!(wire.told(A), "answered, reoffer done");
    hang_up(wire, a);
}

// RFC 3261 §9.1: 64*T1 after its CANCEL a re-INVITE is over, whatever the peer keeps to itself.
#[test]
fn a_reinvite_of_ours_that_is_taken_and_never_answered_locks_nothing() {
    let (mut wire, a, b) = Wire::talking();
    wire.lose = Box::new(|by, text| by == B && text.contains("INVITE\r\n") && !text.contains("100 Trying"));
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.run(63_000);
    assert_eq!((wire.times(A, "CANCEL"), wire.told(A).as_str()), (1, "answered"));
    wire.run(2_000);
    assert_eq!(wire.told(A), "answered, reoffer failed 487");
    wire.lose = Box::new(|_, _| false);
    let now = wire.now();
    wire.ends[B].reoffer(now, b, OFFER);
    wire.run(100);
    assert_eq!(wire.told(A), "answered, reoffer failed 487, reoffered", "the peer may change its audio");
    hang_up(wire, a);
}

// RFC 3311 §5.2: once a reliable response has answered our offer, a fork may make its own.
#[test]
fn a_phone_that_rings_may_change_what_it_has_said_before_it_answers() {
    let update = |wire: &Wire, number: u32, offer: bool| {
        let invite = &wire.log.iter().find(|it| short(&it.2) == "INVITE").expect("sent").2;
        let rings = &wire.log.iter().rfind(|it| it.1 == B && short(&it.2) == "183 INVITE").expect("rings").2;
        let body = if offer { String::from_utf8_lossy(OFFER) } else { "".into() };
        let kind = if offer { "Content-Type: application/sdp\r\n" } else { "" };
        format!(
            "UPDATE sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKu{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} UPDATE\r\n\
             Contact: <sip:192.0.2.2:5060>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            value(rings, "To"),
            value(invite, "From"),
            value(invite, "Call-ID"),
            body.len()
        )
    };
    let (mut wire, a, b) = ringing(Wire::udp());
    wire.run(50);
    let early = update(&wire, 1, true);
    wire.deliver(A, early.as_bytes());
    wire.run(0);
    assert_eq!(wire.told(A), "progress 183, reoffered");
    let (again, now) = (update(&wire, 2, true), wire.now());
    wire.deliver(A, again.as_bytes());
    wire.ends[A].accept(now, a, ANSWER);
    let bare = update(&wire, 3, false);
    wire.deliver(A, bare.as_bytes());
    wire.run(0);
    let updates: Vec<&String> =
        wire.log.iter().filter(|it| short(&it.2).ends_with(" UPDATE")).map(|it| &it.2).collect();
    let codes: Vec<String> = updates.iter().map(|text| short(text)).collect();
    assert_eq!(codes, ["500 UPDATE", "200 UPDATE", "200 UPDATE"], "one at a time");
    assert!(updates[1].ends_with(&*String::from_utf8_lossy(ANSWER)));
    assert!(!value(updates[2], "Contact").is_empty(), "RFC 3311, table 1");
    // One that waits when the phone is lifted is answered all the same.
    let late = update(&wire, 4, true);
    wire.deliver(A, late.as_bytes());
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(50);
    let now = wire.now();
    wire.ends[A].accept(now, a, ANSWER);
    wire.run(0);
    assert_eq!(wire.times(A, "200 UPDATE"), 3);
    assert_eq!(wire.told(A), "progress 183, reoffered, reoffered, answered");
    hang_up(wire, a);
}
