//! What a message that is odd, unwanted or unknown is answered (`edges.md`), told by one message at a
//! time.

mod wire;

use sip::endpoint::{Counter, Event};
use sip::transport::Peer;
use std::time::Duration;
use wire::desk::{Desk, RELIABLY, TRUNK, early, prack, request, shorts};
use wire::{ANSWER, OFFER, now, tag, value};

#[test]
fn a_response_goes_back_to_the_address_its_request_came_from() {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("OPTIONS", "1", "", ""));
    assert_eq!(shorts(&sent), ["200 OPTIONS"]);
    let via = value(&sent[0], "Via");
    assert!(via.contains("rport=40000") && via.contains("received=198.51.100.7"), "{via}");
    assert!(value(&sent[0], "Allow").contains("INVITE"));
    assert!(!tag(&value(&sent[0], "To")).is_empty());
}

#[test]
fn a_copy_of_any_request_gets_the_same_answer_from_its_transaction() {
    let mut desk = Desk::new();
    let first = desk.hear(TRUNK, &request("OPTIONS", "1", "", ""));
    assert_eq!(desk.hear(TRUNK, &request("OPTIONS", "1", "", "")), first);
    assert_eq!(desk.counted(&Counter::Retransmission), 1);
    desk.wait(33);
    assert!(desk.endpoint.poll_timeout().is_none());
}

#[test]
fn a_branch_without_the_cookie_names_no_transaction_its_call_id_and_number_do() {
    let mut desk = Desk::new();
    let old = |branch: &str, call: &str| {
        request("INVITE", branch, "", "")
            .replace("z9hG4bK", "")
            .replace("Call-ID: one", &format!("Call-ID: {call}"))
    };
    desk.hear(TRUNK, &old("1", "one"));
    desk.hear(TRUNK, &old("1", "one"));
    assert_eq!(desk.calls().len(), 1, "a copy");
    desk.hear(TRUNK, &old("1", "two"));
    assert_eq!(desk.calls().len(), 2, "the same branch, another call (RFC 2543)");
    desk.endpoint.refuse(now(desk.at), desk.calls()[0], 486, None);
    desk.take();
    let ack = old("1", "one").replacen("INVITE", "ACK", 1).replace("1 INVITE", "1 ACK");
    desk.hear(TRUNK, &ack);
    assert!(desk.wait(2).is_empty(), "the refusal is acknowledged and not repeated");
}

// RFC 4475 §3.2.1: a gateway whose branch is the cookie alone has more than one call.
#[test]
fn a_branch_that_is_only_the_cookie_names_no_transaction() {
    let mut desk = Desk::new();
    for call in ["one", "two", "two"] {
        let invite = request("INVITE", "", "", "").replace("Call-ID: one", &format!("Call-ID: {call}"));
        desk.hear(TRUNK, &invite);
    }
    assert_eq!(desk.calls().len(), 2);
}

#[test]
fn nothing_within_an_unknown_dialog_is_known() {
    let mut desk = Desk::new();
    for method in ["BYE", "INVITE", "UPDATE", "INFO", "OPTIONS", "PRACK"] {
        let sent = desk.hear(TRUNK, &request(method, method, ";tag=gone", ""));
        assert_eq!(shorts(&sent), [format!("481 {method}")]);
    }
    assert_eq!(shorts(&desk.hear(TRUNK, &request("CANCEL", "x", "", ""))), ["481 CANCEL"]);
    assert!(desk.hear(TRUNK, &request("ACK", "y", ";tag=gone", "")).is_empty());
    assert_eq!(desk.counted(&Counter::TrunkRefused(481)), 1, "only the INVITE is a refused call");
}

#[test]
fn a_method_we_lack_is_405_and_one_nobody_knows_501() {
    let mut desk = Desk::new();
    assert_eq!(shorts(&desk.hear(TRUNK, &request("MESSAGE", "1", "", ""))), ["405 MESSAGE"]);
    let sent = desk.hear(TRUNK, &request("DANCE", "2", "", ""));
    assert_eq!(shorts(&sent), ["501 DANCE"]);
    assert!(value(&sent[0], "Allow").contains("BYE"));
}

#[test]
fn an_invite_that_has_been_through_us_is_a_loop() {
    let mut desk = Desk::new();
    // Our own branch is learnt from a call we make.
    let outgoing = sip::endpoint::Outgoing {
        flow: desk.flow,
        uri: "sip:0145@198.51.100.7".to_owned(),
        from: "<sip:samu@192.0.2.2>".to_owned(),
        to: "<sip:0145@198.51.100.7>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: None,
    };
    desk.endpoint.invite(now(desk.at), outgoing);
    let ours = value(&desk.take()[0], "Via");
    let looped = request("INVITE", "proxy", "", &format!("Via: {ours}\r\n"));
    let sent = desk.hear(TRUNK, &looped);
    assert_eq!(shorts(&sent), ["482 INVITE"]);
    assert!(desk.calls().is_empty());
    assert_eq!(desk.counted(&Counter::TrunkRefused(482)), 1);
}

// RFC 3261 §8.2.2.2.
#[test]
fn one_invite_of_a_phone_by_two_ways_is_one_call_and_the_second_way_is_482() {
    let mut desk = Desk::new();
    assert_eq!(shorts(&desk.hear(Peer::Phone, &request("INVITE", "1", "", ""))), ["100 INVITE"]);
    assert_eq!(shorts(&desk.hear(Peer::Phone, &request("INVITE", "2", "", ""))), ["482 INVITE"]);
    assert_eq!(shorts(&desk.hear(Peer::Phone, &request("INVITE", "1", "", ""))), ["100 INVITE"], "a copy");
    desk.endpoint.answer(now(desk.at), desk.calls()[0], ANSWER);
    assert_eq!(shorts(&desk.take()), ["200 INVITE"], "the first goes on");
    assert_eq!(desk.calls().len(), 1);
}

#[test]
fn a_gateway_that_uses_its_call_id_again_makes_another_call() {
    for (one, other) in
        [("CSeq: 1", "CSeq: 2"), ("tag=caller", "tag=other"), ("Call-ID: one", "Call-ID: two")]
    {
        let mut desk = Desk::new();
        desk.hear(TRUNK, &request("INVITE", "1", "", ""));
        desk.hear(TRUNK, &request("INVITE", "2", "", "").replace(one, other));
        assert_eq!(desk.calls().len(), 2, "{other}");
    }
}

#[test]
fn an_invite_that_comes_another_way_once_the_first_is_over_is_a_call() {
    for peer in [Peer::Phone, TRUNK] {
        let mut desk = Desk::new();
        desk.hear(peer, &request("INVITE", "1", "", ""));
        desk.endpoint.refuse(now(desk.at), desk.calls()[0], 503, None);
        desk.take();
        assert_eq!(shorts(&desk.hear(peer, &request("INVITE", "2", "", ""))), ["100 INVITE"]);
        desk.hear(peer, &request("CANCEL", "2", "", ""));
        assert_eq!(shorts(&desk.hear(peer, &request("INVITE", "3", "", ""))), ["100 INVITE"]);
        desk.wait(40);
        assert_eq!(shorts(&desk.hear(peer, &request("INVITE", "4", "", ""))).len(), 1);
    }
}

// The caller of a carrier whose first way carries no answer of ours back is not refused on its second.
#[test]
fn i9_a_carrier_that_tries_another_way_is_a_call_until_it_is_known_to_have_heard_us() {
    let mut desk = Desk::new();
    desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    assert_eq!(shorts(&desk.hear(TRUNK, &request("INVITE", "2", "", ""))), ["100 INVITE"], "at once");
    desk.endpoint.answer(now(desk.at), desk.calls()[0], ANSWER);
    desk.take();
    assert_eq!(shorts(&desk.hear(TRUNK, &request("INVITE", "3", "", ""))), ["100 INVITE"], "no ACK came");
    assert_eq!(shorts(&desk.hear(TRUNK, &request("CANCEL", "3", "", "")))[1], "487 INVITE", "a fork's end");
    assert_eq!(desk.counted(&Counter::TrunkRefused(482)), 0);
    // By its ACK, and before an answer by its PRACK.
    let mut desk = Desk::new();
    desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    desk.endpoint.answer(now(desk.at), desk.calls()[0], ANSWER);
    let ours = format!(";tag={}", tag(&value(&desk.take()[0], "To")));
    desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
    assert_eq!(shorts(&desk.hear(TRUNK, &request("INVITE", "2", "", ""))), ["482 INVITE"]);
    let (mut desk, dialog, ours, rseq) = early(&request("INVITE", "1", "", RELIABLY));
    desk.hear(TRUNK, &prack(&ours, 2, rseq));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    assert_eq!(shorts(&desk.hear(TRUNK, &request("INVITE", "2", "", ""))), ["482 INVITE"]);
    assert_eq!(desk.calls().len(), 1);
}

#[test]
fn i9_a_trunk_is_refused_for_a_required_extension_only_when_there_would_be_no_audio() {
    for (peer, require, expected) in [
        (TRUNK, "100rel, timer, unheard-of", "100 INVITE"),
        (TRUNK, "sec-agree, unheard-of", "100 INVITE"),
        (TRUNK, "precondition", "420 INVITE"),
        (Peer::Phone, "unheard-of", "420 INVITE"),
    ] {
        let mut desk = Desk::new();
        let sent = desk.hear(peer, &request("INVITE", "1", "", &format!("Require: {require}\r\n")));
        assert_eq!(shorts(&sent), [expected], "{require}");
        if expected == "420 INVITE" {
            assert_eq!(value(&sent[0], "Unsupported"), require);
        } else {
            let Some(Event::Invited { invite, .. }) = desk.events.iter().find(|e| e.dialog().is_some())
            else {
                panic!("no call came");
            };
            let lacking: Vec<&str> =
                require.split(", ").filter(|it| !matches!(*it, "100rel" | "timer")).collect();
            assert_eq!(invite.requires, lacking, "100rel and timer are understood");
        }
    }
}

#[test]
fn a_trunk_calls_with_any_scheme_and_a_phone_with_ours() {
    for (peer, expected) in [(TRUNK, "100 INVITE"), (Peer::Phone, "416 INVITE")] {
        let mut desk = Desk::new();
        let text = request("INVITE", "1", "", "").replacen("sip:15@192.0.2.2", "whatever:15", 1);
        assert_eq!(shorts(&desk.hear(peer, &text)), [expected]);
    }
}

#[test]
fn what_cannot_be_answered_is_counted_and_what_can_gets_400() {
    let mut desk = Desk::new();
    assert!(desk.hear(TRUNK, "GARBAGE\r\n\r\n").is_empty());
    let headless = request("INVITE", "1", "", "").replace("Call-ID: one\r\n", "");
    assert_eq!(shorts(&desk.hear(TRUNK, &headless)), ["400 INVITE"]);
    assert_eq!(shorts(&desk.hear(Peer::Stranger, &headless)), ["400 INVITE"]);
    assert!(Desk::with(false).hear(Peer::Stranger, &headless).is_empty());
    let errors = desk.events.iter().filter(|e| matches!(e, Event::Counted(Counter::ParseError(_)))).count();
    assert_eq!(errors, 3);
    assert!(desk.hear(Peer::Stranger, "\r\n\r\n").is_empty());
    assert_eq!(desk.events.len(), 5, "a keep-alive is nothing: {:?}", desk.events);
}

#[test]
fn a_stranger_gets_403_or_silence_and_leaves_nothing_behind() {
    for (forbid, expected) in [(true, vec!["403 INVITE"]), (false, vec![])] {
        let mut desk = Desk::with(forbid);
        assert_eq!(shorts(&desk.hear(Peer::Stranger, &request("INVITE", "1", "", ""))), expected);
        assert!(desk.calls().is_empty());
        assert!(desk.endpoint.poll_timeout().is_none(), "no transaction, no timer");
        let code = if forbid { 403 } else { 0 };
        assert_eq!(desk.counted(&Counter::StrangerRefused(code)), 1);
    }
}

#[test]
fn strangers_may_ask_for_options_at_a_small_rate() {
    let mut desk = Desk::with(false);
    let ask = |desk: &mut Desk, n: u32| {
        (0..n)
            .filter(|i| !desk.hear(Peer::Stranger, &request("OPTIONS", &i.to_string(), "", "")).is_empty())
            .count()
    };
    assert_eq!(ask(&mut desk, 50), 10);
    desk.flow.remote = ([198, 51, 100, 8], 40_000).into();
    assert_eq!(ask(&mut desk, 50), 10, "another one's monitoring has its own");
    desk.wait(1);
    assert_eq!(ask(&mut desk, 5), 5);
    for source in 0..2_000_u32 {
        desk.flow.remote = (std::net::Ipv4Addr::from(0x0a00_0000 + source), 5060).into();
        ask(&mut desk, 1);
    }
    assert_eq!(ask(&mut desk, 50), 0, "nobody is a megaphone, whatever sources are forged");
}

#[test]
fn a_bye_before_the_answer_is_a_cancel_by_another_name() {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let ours = tag(&value(&sent[0], "To")).to_owned();
    let bye = request("BYE", "2", &format!(";tag={ours}"), "").replace("CSeq: 1", "CSeq: 2");
    assert_eq!(shorts(&desk.hear(TRUNK, &bye)), ["200 BYE", "487 INVITE"]);
    assert!(desk.events.iter().any(|event| matches!(event, Event::Cancelled { .. })));
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let mut desk = Desk::new();
    desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    assert_eq!(shorts(&desk.hear(TRUNK, &request("CANCEL", "1", "", ""))), ["200 CANCEL"]);
    assert!(desk.endpoint.snapshot(dialog).is_some());
}

#[test]
fn requests_within_a_dialog_are_answered_and_an_overtaken_one_is_not_obeyed() {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let ours = format!(";tag={}", tag(&value(&sent[0], "To")));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    let within = |method: &str, number: u32, more: &str| {
        request(method, &format!("{method}{number}"), &ours, more)
            .replace("CSeq: 1", &format!("CSeq: {number}"))
    };
    assert!(desk.hear(TRUNK, &within("ACK", 1, "")).is_empty());
    assert!(matches!(desk.events.last(), Some(Event::Confirmed { .. })));
    assert_eq!(shorts(&desk.hear(TRUNK, &within("OPTIONS", 5, ""))), ["200 OPTIONS"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &within("UPDATE", 6, ""))), ["200 UPDATE"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &within("PRACK", 7, ""))), ["481 PRACK"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &within("NOTIFY", 8, ""))), ["489 NOTIFY"]);
    let info = within("INFO", 9, "Content-Type: application/dtmf-relay\r\n")
        .replace("Content-Length: 0\r\n\r\n", "Content-Length: 8\r\n\r\nSignal=5");
    assert_eq!(shorts(&desk.hear(TRUNK, &info)), ["200 INFO"]);
    let Some(Event::Info { content_type, body, .. }) = desk.events.last() else { panic!("no INFO told") };
    assert_eq!((content_type.as_str(), &body[..]), ("application/dtmf-relay", &b"Signal=5"[..]));
    // Number 4 comes after 9.
    assert_eq!(shorts(&desk.hear(TRUNK, &within("INFO", 4, ""))), ["500 INFO"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &within("BYE", 10, ""))), ["200 BYE"]);
    desk.wait(33);
    desk.events.clear();
    assert!(desk.endpoint.is_idle());
}

#[test]
fn an_update_with_an_offer_is_answered_by_whoever_owns_the_call() {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let ours = format!(";tag={}", tag(&value(&sent[0], "To")));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
    let offer = String::from_utf8_lossy(OFFER);
    let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}", OFFER.len());
    let update = request("UPDATE", "u", &ours, "")
        .replace("CSeq: 1", "CSeq: 2")
        .replace("Content-Length: 0\r\n\r\n", &body);
    assert!(desk.hear(TRUNK, &update).is_empty());
    assert!(matches!(desk.events.last(), Some(Event::Reoffered { sdp: Some(_), .. })));
    desk.endpoint.accept(now(desk.at), dialog, ANSWER);
    let sent = desk.take();
    assert_eq!(shorts(&sent), ["200 UPDATE"]);
    assert!(sent[0].ends_with(&*String::from_utf8_lossy(ANSWER)));
}

#[test]
fn a_route_set_is_followed_in_order() {
    let mut desk = Desk::new();
    let records = "Record-Route: <sip:198.51.100.7:40000;lr>, <sip:far.example;lr>\r\n";
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", records));
    let ours = format!(";tag={}", tag(&value(&sent[0], "To")));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    let sent = desk.take();
    assert!(sent[0].contains("Record-Route: <sip:198.51.100.7:40000;lr>, <sip:far.example;lr>\r\n"));
    desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
    desk.endpoint.end(now(desk.at), dialog, None);
    let bye = &desk.take()[0];
    assert!(bye.starts_with("BYE sip:198.51.100.7:40000 SIP/2.0\r\n"));
    let first = bye.find("Route: <sip:198.51.100.7:40000;lr>").expect("the nearest first");
    assert!(first < bye.find("Route: <sip:far.example;lr>").expect("then the next"));
}

#[test]
fn a_gateway_that_sends_from_a_port_nobody_listens_at_is_answered_where_it_listens() {
    let mut desk = Desk::new();
    let text = request("INVITE", "1", "", "").replace(";rport", "").replace(":40000>", ">");
    let hear = |desk: &mut Desk, peer| {
        desk.endpoint.handle_message(now(desk.at), desk.flow, peer, text.as_bytes());
        let sent = std::iter::from_fn(|| desk.endpoint.poll_transmit());
        sent.map(|transmit| transmit.flow.remote.to_string()).collect::<Vec<_>>()
    };
    // RFC 3261 §18.2.2: the source's address, the port of the Via.
    assert_eq!(hear(&mut desk, TRUNK), ["198.51.100.7:5060"]);
    desk.events.extend(std::iter::from_fn(|| desk.endpoint.poll_event()));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.endpoint.end(now(desk.at), dialog, None);
    let to: Vec<_> = std::iter::from_fn(|| desk.endpoint.poll_transmit()).map(|it| it.flow.remote).collect();
    assert!(to.iter().all(|remote| remote.port() == 5060), "{to:?}");
    // A phone behind an address translation hears nothing but what goes back the way it came.
    let mut desk = Desk::new();
    assert_eq!(hear(&mut desk, Peer::Phone), ["198.51.100.7:40000"]);
}

#[test]
fn a_snapshot_is_data_that_reads_back() {
    let mut desk = Desk::new();
    desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let dialog = desk.calls()[0];
    let snapshot = desk.endpoint.snapshot(dialog).expect("it rings");
    assert!(snapshot.pending.as_deref().is_some_and(|lines| lines.contains("z9hG4bK1")));
    assert_eq!((snapshot.remote_tag.as_str(), snapshot.remote_cseq), ("caller", Some(1)));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    let snapshot = desk.endpoint.snapshot(dialog).expect("it stands");
    let lines = snapshot.pending.as_deref().unwrap_or_default();
    assert!(lines.contains("z9hG4bK1"), "until its ACK comes the 200 may have to be repeated");
    assert!(!format!("{snapshot:?}").contains("0612"), "private facts do not print");
}

#[test]
fn no_cut_and_no_flip_of_a_message_panics_the_endpoint() {
    let whole = request("INVITE", "1", "", "Record-Route: <sip:a;lr>\r\nPrivacy: id\r\n");
    let mut desk = Desk::new();
    for peer in [TRUNK, Peer::Phone, Peer::Stranger] {
        for at in 0..whole.len() {
            for byte in [b'\0', b'\r', b':', b';', b'<', b'"', 0xff] {
                let mut bytes = whole.clone().into_bytes();
                bytes[at] = byte;
                desk.endpoint.handle_message(now(desk.at), desk.flow, peer, &bytes);
                desk.endpoint.handle_message(now(desk.at), desk.flow, peer, &bytes[..at]);
            }
        }
    }
    for event in std::iter::from_fn(|| desk.endpoint.poll_event()).collect::<Vec<_>>() {
        if let Event::Invited { dialog, .. } = event {
            desk.endpoint.answer(now(desk.at), dialog, ANSWER);
            desk.endpoint.end(now(desk.at), dialog, Some("SIP;text=\"\r\nInjected: yes\""));
        }
    }
    while let Some(transmit) = desk.endpoint.poll_transmit() {
        assert!(!String::from_utf8_lossy(&transmit.bytes).contains("\nInjected"));
    }
    for _ in 0..400 {
        desk.at = desk.at + Duration::from_millis(500);
        desk.endpoint.handle_due(now(desk.at));
        while desk.endpoint.poll_transmit().is_some() || desk.endpoint.poll_event().is_some() {}
    }
    assert!(desk.endpoint.is_idle(), "at rest after everything");
}

// RFC 3261 §8.2.7: the same tag for a copy, another for another request.
#[test]
fn each_unreadable_request_has_a_tag_of_its_own() {
    let mut desk = Desk::new();
    let mut refused = |branch: &str| {
        let unreadable = request("INVITE", branch, "", "").replace("CSeq: 1 INVITE", "CSeq: x");
        let sent = desk.hear(TRUNK, &unreadable);
        assert!(sent[0].starts_with("SIP/2.0 400"), "{sent:?}");
        tag(&value(&sent[0], "To")).to_owned()
    };
    let tags = [refused("1"), refused("2"), refused("1")];
    assert_eq!((&tags[0], tags[0] == tags[1]), (&tags[2], false));
}
