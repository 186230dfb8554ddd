//! The rules a phone is held to, and what a carrier may do all the same (`edges.md`).

mod wire;

use sip::transport::Peer;
use wire::desk::{Desk, TRUNK, request, shorts};
use wire::{ANSWER, now, short, tag, value};

/// A request of a call with a body.
fn said(method: &str, number: u32, to: &str, more: &str, body: &str) -> String {
    request(method, &format!("{method}{number}"), to, more)
        .replace("CSeq: 1 ", &format!("CSeq: {number} "))
        .replace("Content-Length: 0\r\n\r\n", &format!("Content-Length: {}\r\n\r\n{body}", body.len()))
}

fn talks(peer: Peer) -> (Desk, String) {
    let mut desk = Desk::new();
    desk.hear(peer, &request("INVITE", "1", "", ""));
    desk.endpoint.answer(now(desk.at), desk.calls()[0], ANSWER);
    let ours = format!(";tag={}", tag(&value(&desk.take()[0], "To")));
    desk.hear(peer, &request("ACK", "ack", &ours, ""));
    (desk, ours)
}

// RFC 3261 §8.2.2.3, §8.2.3; RFC 6086 §4.2.2.
#[test]
fn within_a_call_a_phone_is_told_which_rule_it_breaks_and_a_carrier_is_understood() {
    let gzip = "Content-Type: application/dtmf-relay\r\nContent-Encoding: gzip\r\n";
    let foreign = "Info-Package: foo\r\nContent-Type: application/foo\r\n";
    let keys = "Content-Type: Application/DTMF-Relay; charset=x\r\n";
    let table = [
        ("UPDATE", "Require: foo\r\n", "", 420, ("Unsupported", "foo")),
        ("INVITE", "Require: foo, timer, bar\r\n", "", 420, ("Unsupported", "foo, bar")),
        ("OPTIONS", "Require: foo\r\n", "", 420, ("Unsupported", "foo")),
        ("UPDATE", "Content-Type: text/plain\r\n", "hi", 415, ("Accept", "application/sdp")),
        ("INFO", foreign, "x", 469, ("Recv-Info", "")),
        (
            "INFO",
            "Content-Type: application/foo\r\n",
            "x",
            415,
            ("Accept", "application/dtmf-relay, application/dtmf"),
        ),
        ("INFO", gzip, "x", 415, ("Accept-Encoding", "identity")),
        ("INFO", keys, "Signal=1\r\n", 200, ("", "")),
        ("INFO", "", "", 200, ("", "")),
        ("BYE", "Require: foo\r\n", "", 200, ("", "")), // whoever hangs up has hung up
    ];
    for peer in [Peer::Phone, TRUNK] {
        for (method, more, body, code, (name, said_so)) in table {
            let (mut desk, ours) = talks(peer);
            let sent = desk.hear(peer, &said(method, 2, &ours, more, body));
            let answer = short(&sent[0]);
            if peer == TRUNK {
                assert!(answer.starts_with("200") || answer.starts_with("100"), "{answer} to {more}");
                continue;
            }
            assert_eq!(answer, format!("{code} {method}"), "{more}");
            if !name.is_empty() {
                assert!(sent[0].contains(&format!("\r\n{name}:")), "{}", sent[0]);
                assert_eq!(value(&sent[0], name), said_so);
            }
        }
    }
}

#[test]
fn a_phone_that_calls_with_a_body_nobody_reads_is_415_and_a_carrier_is_called() {
    let sdp = String::from_utf8_lossy(ANSWER).into_owned();
    let table = [
        ("Content-Type: text/plain\r\n", "hello", false),
        ("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "\u{1f}", false),
        ("Content-Type: application/sdp\r\nContent-Encoding: identity\r\n", &sdp, true),
        ("Content-Type: text/plain\r\n", &sdp, true), // SDP by another name
        ("Content-Type: text/plain\r\nContent-Disposition: render; handling = optional\r\n", "hello", true),
    ];
    for (more, body, is_read) in table {
        for peer in [Peer::Phone, TRUNK] {
            let mut desk = Desk::new();
            let sent = desk.hear(peer, &said("INVITE", 1, "", more, body));
            let expected = if is_read || peer == TRUNK { "100 INVITE" } else { "415 INVITE" };
            assert_eq!(shorts(&sent), [expected], "{more}");
        }
    }
}

// RFC 3261 §10.3 step 2; RFC 3327 §5.3: we keep no Path.
#[test]
fn a_phone_that_requires_more_of_the_registrar_than_flows_is_420() {
    for (require, expected) in [
        ("foo", "420 REGISTER"),
        ("gruu", "420 REGISTER"),
        ("path", "420 REGISTER"),
        ("outbound", "401 REGISTER"),
    ] {
        let mut desk = Desk::new();
        let more = format!("Require: {require}\r\nPath: <sip:192.0.2.50;lr>\r\n");
        let sent = desk.hear(Peer::Stranger, &request("REGISTER", "1", "", &more));
        assert_eq!(shorts(&sent), [expected], "{require}");
        if expected == "420 REGISTER" {
            assert_eq!(value(&sent[0], "Unsupported"), require);
        }
    }
}
