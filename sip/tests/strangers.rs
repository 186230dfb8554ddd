//! A stranger is a stranger within a call, too (`edges.md`), whatever it has read off the wire.

mod wire;

use sip::auth::{Claim, respond};
use sip::endpoint::{Counter, DialogId, Event, Outgoing};
use sip::message::Message;
use sip::transport::{Flow, Peer, Transport};
use wire::desk::{Desk, TRUNK, request, shorts};
use wire::{ANSWER, OFFER, now, tag, value};

const STRANGER: [u8; 4] = [203, 0, 113, 66];

/// A call of a carrier that rings; our tag in its answers.
fn rings(desk: &mut Desk) -> (DialogId, String) {
    desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let dialog = desk.calls()[0];
    desk.endpoint.ring(now(desk.at), dialog, 180, None);
    let ringing = desk.take();
    (dialog, format!(";tag={}", tag(&value(&ringing[0], "To"))))
}

fn talks(desk: &mut Desk) -> (DialogId, String) {
    let (dialog, ours) = rings(desk);
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
    (dialog, ours)
}

/// What whoever is at this address hears when it says so.
fn from(desk: &mut Desk, remote: ([u8; 4], u16), peer: Peer, text: &str) -> Vec<String> {
    let home = desk.flow;
    desk.flow.remote = remote.into();
    let heard = desk.hear(peer, text);
    desk.flow = home;
    heard
}

fn told(desk: &Desk) -> usize {
    desk.events.iter().filter(|event| event.dialog().is_some()).count()
}

const WITHIN: [&str; 7] = ["BYE", "INVITE", "UPDATE", "INFO", "REFER", "OPTIONS", "PRACK"];

#[test]
fn a_stranger_who_knows_a_carriers_call_moves_asks_and_ends_nothing_of_it() {
    for forbid in [false, true] {
        let mut desk = Desk::with(forbid);
        let (_, ours) = talks(&mut desk);
        let before = told(&desk);
        for method in WITHIN {
            let text = request(method, method, &ours, "Refer-To: <sip:1@203.0.113.66>\r\n")
                .replace("198.51.100.7:40000", "203.0.113.66")
                .replace("CSeq: 1 ", "CSeq: 9 ");
            let heard = shorts(&from(&mut desk, (STRANGER, 5060), Peer::Stranger, &text));
            match (method, forbid) {
                ("OPTIONS", _) => assert_eq!(heard, ["200 OPTIONS"], "as any stranger is, without detail"),
                (_, true) => assert_eq!(heard, [format!("403 {method}")]),
                (_, false) => assert!(heard.is_empty(), "{heard:?}"),
            }
        }
        assert_eq!(told(&desk), before, "nobody is told");
        assert_eq!(desk.counted(&Counter::StrangerRefused(if forbid { 403 } else { 0 })), 6);
        // Its numbers have not been used up either.
        let bye = request("BYE", "2", &ours, "").replace("CSeq: 1 ", "CSeq: 2 ");
        assert_eq!(shorts(&desk.hear(TRUNK, &bye)), ["200 BYE"]);
    }
}

#[test]
fn i5_a_stranger_with_the_branch_of_a_call_that_rings_does_not_cancel_it_nor_stop_its_answers() {
    let mut desk = Desk::with(false);
    let (dialog, ours) = rings(&mut desk);
    let (invite, cancel) = (request("INVITE", "1", "", ""), request("CANCEL", "1", "", ""));
    for text in [&cancel, &invite] {
        assert!(from(&mut desk, (STRANGER, 5060), Peer::Stranger, text).is_empty());
    }
    desk.endpoint.refuse(now(desk.at), dialog, 486, None);
    desk.take();
    from(&mut desk, (STRANGER, 5060), Peer::Stranger, &request("ACK", "1", &ours, ""));
    assert_eq!(shorts(&desk.wait(1)), ["486 INVITE"], "it is repeated until the carrier has it");
    desk.hear(TRUNK, &request("ACK", "1", &ours, ""));
    assert!(desk.wait(6).is_empty());
    let mut desk = Desk::with(false);
    rings(&mut desk);
    assert_eq!(shorts(&desk.hear(TRUNK, &cancel)), ["200 CANCEL", "487 INVITE"]);
}

#[test]
fn i5_a_stranger_confirms_no_answer_of_ours() {
    let mut desk = Desk::with(false);
    let (dialog, ours) = rings(&mut desk);
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    from(&mut desk, (STRANGER, 5060), Peer::Stranger, &request("ACK", "ack", &ours, ""));
    assert_eq!(shorts(&desk.wait(1)), ["200 INVITE"]);
    desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
    assert!(desk.wait(10).is_empty());
}

// A carrier's calls are ended from wherever the carrier is: its other trunks, another port of the same
// host, and the gateway behind its border that Contact names.
#[test]
fn a_carriers_other_hosts_and_ports_speak_for_its_calls() {
    for (remote, peer) in [
        (([192, 0, 2, 77], 5060), Peer::Trunk(1)),
        (([198, 51, 100, 7], 1_024), Peer::Stranger),
        (([198, 51, 100, 9], 5060), Peer::Stranger),
        (([198, 51, 100, 8], 5070), Peer::Stranger),
    ] {
        let mut desk = Desk::with(false);
        let invite = request("INVITE", "1", "", "Record-Route: <sip:198.51.100.8;lr>\r\n");
        desk.hear(TRUNK, &invite.replace("Contact: <sip:198.51.100.7:40000>", "Contact: <sip:198.51.100.9>"));
        let dialog = desk.calls()[0];
        desk.endpoint.ring(now(desk.at), dialog, 180, None);
        let ours = format!(";tag={}", tag(&value(&desk.take()[0], "To")));
        desk.endpoint.answer(now(desk.at), dialog, ANSWER);
        desk.take();
        desk.hear(TRUNK, &request("ACK", "ack", &ours, ""));
        let heard = from(&mut desk, remote, peer, &request("BYE", "2", &ours, ""));
        assert_eq!(shorts(&heard), ["200 BYE"], "{remote:?}");
    }
}

// Its proxy is a peer and is not on the way of what follows; the gateway behind it has a name alone.
#[test]
fn i5_a_carrier_that_names_its_hosts_by_name_alone_is_heard_from_any() {
    let mut desk = Desk::with(false);
    let named = ("<sip:198.51.100.7:40000>", "<sip:gw7.carrier.example>");
    desk.hear(TRUNK, &request("INVITE", "1", "", "").replace(named.0, named.1));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    let ours = format!(";tag={}", tag(&value(&desk.take()[0], "To")));
    let gateway = ([198, 51, 100, 9], 5060);
    from(&mut desk, gateway, Peer::Stranger, &request("ACK", "ack", &ours, ""));
    assert!(desk.events.iter().any(|event| matches!(event, Event::Confirmed { .. })));
    let bye = request("BYE", "2", &ours, "").replace("CSeq: 1", "CSeq: 2");
    let guessed = bye.replace("tag=caller", "tag=guessed");
    assert!(from(&mut desk, gateway, Peer::Stranger, &guessed).is_empty(), "who knows the tags");
    assert_eq!(shorts(&from(&mut desk, gateway, Peer::Stranger, &bye)), ["200 BYE"]);
}

#[test]
fn whoever_knows_a_carriers_call_and_is_not_heard_is_told_of() {
    let mut desk = Desk::with(false);
    let (_, ours) = talks(&mut desk);
    let bye = request("BYE", "2", &ours, "");
    assert!(from(&mut desk, (STRANGER, 5060), Peer::Stranger, &bye).is_empty());
    assert_eq!(desk.counted(&Counter::UnknownHost(STRANGER.into())), 1);
    from(&mut desk, (STRANGER, 5060), Peer::Stranger, &bye.replace("Call-ID: one", "Call-ID: two"));
    assert_eq!(desk.counted(&Counter::UnknownHost(STRANGER.into())), 1, "guesses are nothing to tell");
}

#[test]
fn what_was_enciphered_is_not_ended_in_clear() {
    let mut desk = Desk::with(false);
    let home = Flow { transport: Transport::Tls, connection: 4, ..desk.flow };
    desk.flow = home;
    let (_, ours) = talks(&mut desk);
    let bye = request("BYE", "2", &ours, "");
    desk.flow = Flow { transport: Transport::Udp, connection: 0, ..home };
    assert!(desk.hear(Peer::Stranger, &bye).is_empty());
    desk.flow = Flow { connection: 5, ..home };
    assert_eq!(shorts(&desk.hear(Peer::Stranger, &bye)), ["200 BYE"], "the same host over TLS");
}

/// A phone registers from where the desk's flow comes from.
fn registers(desk: &mut Desk, number: u32) {
    let text = |n: u32, more: &str| {
        format!(
            "REGISTER sip:192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKr{n};rport\r\n\
             From: <sip:nour@192.0.2.2>;tag=p\r\nTo: <sip:nour@192.0.2.2>\r\nCall-ID: phone\r\nCSeq: {n} \
             REGISTER\r\nContact: <sip:nour@10.0.0.5>;+sip.instance=\"<urn:uuid:1>\"\r\n{more}\
             Content-Length: 0\r\n\r\n"
        )
    };
    let challenged = desk.hear(Peer::Stranger, &text(number, "")).remove(0);
    let message = Message::scan(challenged.as_bytes()).expect("ours");
    let challenge = message.www_authenticate().next().expect("a challenge");
    let claim = Claim {
        user: "nour",
        password: "geheim",
        method: "REGISTER",
        uri: "sip:192.0.2.2",
        cnonce: "c",
        nc: 1,
    };
    let proof = format!("Authorization: {}\r\n", respond(&challenge, &claim));
    let answer = desk.hear(Peer::Stranger, &text(number + 1, &proof));
    assert_eq!(shorts(&answer), ["200 REGISTER"]);
}

#[test]
fn a_phone_that_registers_from_another_address_goes_on_with_its_call() {
    let mut desk = Desk::with(false);
    registers(&mut desk, 1);
    desk.hear(Peer::Stranger, &request("INVITE", "1", "", ""));
    let dialog = desk.calls()[0];
    desk.endpoint.ring(now(desk.at), dialog, 180, None);
    let ours = format!(";tag={}", tag(&value(&desk.take()[0], "To")));
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.take();
    desk.hear(Peer::Stranger, &request("ACK", "ack", &ours, ""));
    let info = |branch: &str, n: u32| {
        request("OPTIONS", branch, &ours, "").replace("CSeq: 1 ", &format!("CSeq: {n} "))
    };
    // Its network gives it another address: first nobody knows it, then it says who it is.
    desk.flow.remote = ([203, 0, 113, 20], 6000).into();
    let stranger = desk.hear(Peer::Stranger, &info("o1", 2));
    assert!(stranger.iter().all(|it| value(it, "Supported").is_empty()), "no more than a stranger hears");
    registers(&mut desk, 3);
    let known = desk.hear(Peer::Stranger, &info("o2", 3));
    assert!(value(&known[0], "Supported").contains("replaces"), "{known:?}");
    desk.endpoint.end(now(desk.at), dialog, None);
    assert_eq!(shorts(&desk.take()), ["BYE"], "to where it is");
}

#[test]
fn a_call_to_a_phone_is_not_answered_from_elsewhere() {
    let mut desk = Desk::with(false);
    registers(&mut desk, 1);
    let outgoing = Outgoing {
        flow: desk.endpoint.contacts("nour")[0].flow,
        uri: "sip:nour@10.0.0.5".to_owned(),
        from: "<sip:samu@192.0.2.2>".to_owned(),
        to: "<sip:nour@10.0.0.5>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: None,
    };
    desk.endpoint.invite(now(desk.at), outgoing);
    let invite = desk.take().remove(0);
    let answer = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=t\r\nCall-ID: {}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:x@203.0.113.66>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        value(&invite, "Via"),
        value(&invite, "From"),
        value(&invite, "To"),
        value(&invite, "Call-ID"),
        ANSWER.len(),
        String::from_utf8_lossy(ANSWER),
    );
    let answered = |desk: &Desk| desk.events.iter().any(|it| matches!(it, Event::Answered { .. }));
    assert!(from(&mut desk, (STRANGER, 5060), Peer::Stranger, &answer).is_empty());
    assert!(!answered(&desk));
    assert_eq!(shorts(&desk.hear(Peer::Stranger, &answer)), ["ACK"]);
    assert!(answered(&desk));
}
