//! `edges.md`, row by row: what an INVITE from a trunk may be answered, each refusal counted; what
//! strangers are answered; and what silence is followed by. Details of SIP are in `sip/tests/edges.rs`.

mod kit;

use engine::call::event::{Cause, Event};
use engine::io::Counter;
use kit::sip::sdp;
use kit::{ENGINE, Room, centre, desks, plan, site, trunk_at};
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What a network has made of an INVITE.
type Change = fn(String) -> String;

fn room() -> Room {
    Room::of(site(vec![centre(plan::TEXT, desks(0, 0, true))]))
}

/// A trunk's INVITE to 15, and what it has been answered so far.
struct Trial {
    room: Room,
    at: SocketAddr,
}

impl Trial {
    fn new(room: Room) -> Trial {
        Trial { room, at: trunk_at(0) }
    }

    fn text(&self, method: &str, uri: &str, more: &str, body: &str) -> String {
        let at = self.at;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKe\r\nMax-Forwards: 70\r\n\
             From: <sip:0612345678@{at}>;tag=c\r\nTo: <{uri}>\r\nCall-ID: edge\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:0612345678@{at}>\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// An INVITE, changed by hand before it is sent; the codes it gets.
    fn invite(&mut self, more: &str, change: impl FnOnce(String) -> String) -> Vec<u16> {
        let text = self.text("INVITE", &format!("sip:15@{ENGINE}"), more, &sdp(30_000, "8 0", "sendrecv"));
        self.hear(&change(text))
    }

    fn hear(&mut self, text: &str) -> Vec<u16> {
        let before = self.room.wire.len();
        self.room.send(self.at, text);
        let sent = self.room.wire[before..].iter().filter(|sent| sent.to == self.at);
        sent.filter_map(|sent| sent.sip.code()).collect()
    }

    fn counts(&self, counter: &Counter) -> usize {
        self.room.counted.iter().filter(|it| *it == counter).count()
    }

    fn refused(&self) -> Vec<u16> {
        let of_trunks = self.room.counted.iter().filter_map(|it| match it {
            Counter::TrunkRefused(code) => Some(*code),
            _ => None,
        });
        of_trunks.collect()
    }
}

#[test]
fn anything_understood_known_number_or_not_is_100_then_an_answer_by_the_queue_s_mode() {
    for uri in [format!("sip:15@{ENGINE}"), format!("sip:0999@{ENGINE}"), "tel:+33388999999".to_owned()] {
        let mut trial = Trial::new(room());
        let text = trial.text("INVITE", &uri, "", &sdp(30_000, "8 0", "sendrecv"));
        let codes = trial.hear(&text);
        assert!(
            codes[0] == 100 && codes[1..].iter().all(|code| matches!(code, 180 | 183 | 200)),
            "{uri}: {codes:?}"
        );
        assert!(codes.len() > 1 && trial.refused().is_empty(), "{uri}: {codes:?}");
    }
}

#[test]
fn what_is_odd_but_repairable_is_repaired_marked_and_served() {
    let cases: [(&str, &str, Change); 7] = [
        ("a session interval under 90 s", "Session-Expires: 30\r\nSupported: timer\r\n", |text| text),
        ("an unknown extension", "Supported: gruu, teleport\r\n", |text| text),
        ("folding", "Subject: one\r\n two\r\n", |text| text),
        ("a length beyond the datagram", "", |text| text.replace("Content-Length: ", "Content-Length: 9")),
        ("bare line feeds", "", |text| text.replace("\r\n", "\n")),
        ("no Max-Forwards", "", |text| text.replace("Max-Forwards: 70\r\n", "")),
        ("another version", "", |text| text.replacen("SIP/2.0", "SIP/2.1", 1)),
    ];
    for (what, more, change) in cases {
        let mut trial = Trial::new(room());
        let codes = trial.invite(more, change);
        assert_eq!((codes.last(), trial.refused()), (Some(&200), Vec::new()), "{what}: {codes:?}");
    }
    let mut trial = Trial::new(room());
    trial.invite("", |text| text.replace("\r\n", "\n"));
    assert_eq!(trial.counts(&Counter::Repaired("bare_line_feed")), 1);
}

#[test]
fn a_required_extension_we_lack_is_420_only_where_there_would_be_no_audio() {
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("Require: teleport\r\n", |text| text).last(), Some(&200));
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("Require: precondition\r\n", |text| text).last(), Some(&420));
    assert_eq!(trial.refused(), [420]);
}

#[test]
fn no_codec_of_ours_is_488() {
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("", |text| text.replace("RTP/AVP 8 0", "RTP/AVP 18 9")), [100, 488]);
    assert_eq!(trial.refused(), [488]);
    assert_eq!(trial.room.records[0].cause, Some(Cause::Refused));
}

#[test]
fn our_own_branch_in_its_via_is_482() {
    let mut trial = Trial::new(Room::new(1));
    trial.room.dial_and_ack("0611111111", "15");
    let ours = trial.room.ringing(0).expect("a phone rings").header("via").to_owned();
    assert_eq!(trial.invite(&format!("Via: {ours}\r\n"), |text| text), [482]);
    assert_eq!(trial.refused(), [482]);
}

#[test]
fn a_cancelled_call_is_487_and_a_request_of_an_unknown_dialog_481() {
    let mut room = room();
    let caller = room.dial("0611111111", "3115");
    room.cancel(&caller);
    assert_eq!(room.codes(&caller).last(), Some(&487));
    let mut trial = Trial::new(room);
    for method in ["BYE", "INVITE"] {
        let text = trial.text(method, &format!("sip:15@{ENGINE}"), "", "");
        let text =
            text.replace(&format!("To: <sip:15@{ENGINE}>"), &format!("To: <sip:15@{ENGINE}>;tag=nobody"));
        assert_eq!(trial.hear(&text.replace("z9hG4bKe", &format!("z9hG4bK{method}"))), [481], "{method}");
    }
}

#[test]
fn what_cannot_be_understood_at_all_is_counted_and_400_where_an_answer_is_possible() {
    for (lost, rule, codes) in [
        ("Call-ID: edge\r\n", "call_id", vec![400]),
        ("CSeq: 1 INVITE\r\n", "cseq", vec![400]),
        ("Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKe\r\n", "via", vec![]),
    ] {
        let mut trial = Trial::new(room());
        assert_eq!(trial.invite("", |text| text.replace(lost, "")), codes, "without {lost}");
        let counted = trial.room.counted.iter().any(|it| matches!(it, Counter::ParseError(_)));
        assert!(counted, "{rule}: {:?}", trial.room.counted);
        assert_eq!(trial.refused(), codes, "each refusal is an alarm");
    }
}

#[test]
fn no_port_left_is_503_with_retry_after() {
    let mut trial = Trial::new(Room::with_ports(site(vec![centre(plan::TEXT, desks(0, 0, true))]), 1));
    trial.room.dial_and_ack("0611111111", "15");
    assert_eq!(trial.invite("", |text| text), [100, 503]);
    let refusal = trial.room.last(&trial.at, "edge", |it| it.code() == Some(503)).expect("503");
    assert!(!refusal.header("retry-after").is_empty());
    assert_eq!(trial.refused(), [503]);
}

#[test]
fn a_test_urn_is_200_and_touches_no_queue() {
    for urn in ["urn:service:test.sos", "urn:service:test.sos.ambulance"] {
        let mut trial = Trial::new(room());
        let text = trial.text("INVITE", urn, "", &sdp(30_000, "8 0", "sendrecv"));
        assert_eq!(trial.hear(&text).last(), Some(&200), "{urn}");
        let queued = trial.room.log.iter().any(|(_, it)| matches!(it.event, Event::Queued { .. }));
        assert!(!queued, "{urn}");
    }
}

#[test]
fn strict_answers_go_to_everyone_who_is_no_trunk() {
    let stranger = SocketAddr::from(([127, 0, 0, 1], 9_000));
    for (method, more, code) in [
        ("OPTIONS", "", 200),
        ("INVITE", "", 403),
        ("INVITE", "Require: teleport\r\n", 420),
        ("DANCE", "", 501),
        ("MESSAGE", "Content-Length: x\r\n", 400),
    ] {
        let mut trial = Trial { at: stranger, ..Trial::new(room()) };
        let text = trial.text(method, &format!("sip:15@{ENGINE}"), more, "");
        assert_eq!(trial.hear(&text), [code], "{method} {more}");
        assert!(trial.refused().is_empty(), "no trunk's");
    }
}

#[test]
fn no_rtp_alone_ends_nobody_and_is_told_within_a_second_of_the_answer() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (call, leg) = room.arrival(0);
    room.silent(leg, 1);
    let told = |it: &Event| matches!(it, Event::NoMedia { call: of, seconds: 1, .. } if *of == call);
    assert!(room.step_of(told).is_some(), "the agent is told that nothing comes from the caller");
    for seconds in [5, 30, 60] {
        room.silent(leg, seconds);
        room.pass(SECOND);
    }
    assert!(!room.has_bye(&caller), "silence alone ends nobody");
    room.bye(&mut caller);
    room.rest();
}
