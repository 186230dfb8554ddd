//! Calls that take another one's place: REFER (RFC 3515), Referred-By (RFC 3892), Replaces (RFC 3891).

mod wire;

use sip::endpoint::{DialogId, Event, Refer};
use sip::transport::Peer;
use wire::desk::{Desk, TRUNK, request, shorts};
use wire::{A, ANSWER, B, Wire, now, short, tag, value};

fn referred(wire: &Wire, side: usize) -> Box<Refer> {
    let refer = wire.events[side].iter().rev().find_map(|event| match event {
        Event::Referred { refer, .. } => Some(refer.clone()),
        _ => None,
    });
    refer.expect("a REFER was told")
}

fn end_all(mut wire: Wire) {
    for side in [A, B] {
        let dialogs: Vec<DialogId> = (1..=4).map(DialogId).collect();
        for dialog in dialogs {
            let now = wire.now();
            wire.ends[side].end(now, dialog, None);
        }
    }
    wire.rests();
}

// RFC 3515 §2.4.4, §2.4.5.
#[test]
fn a_call_is_passed_on_blindly_and_whoever_asked_is_told_how_it_goes() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].refer(now, a, "sip:17@192.0.2.9", "<sip:nour@192.0.2.1>", None);
    wire.run(100);
    let refer = referred(&wire, B);
    assert_eq!((refer.number.as_deref(), refer.replaces), (Some("17"), None));
    assert_eq!(refer.referred_by.as_deref(), Some("<sip:nour@192.0.2.1>"));
    assert_eq!(wire.told(A), "answered, refer answered 202, refer 100");
    for code in [180, 200] {
        let now = wire.now();
        wire.ends[B].report(now, b, code);
        wire.run(100);
    }
    assert_eq!(wire.told(A), "answered, refer answered 202, refer 100, refer 180, refer 200");
    let last = wire.log.iter().rfind(|(_, by, text)| *by == B && short(text) == "NOTIFY").expect("sent");
    assert_eq!(value(&last.2, "Subscription-State"), "terminated;reason=noresource");
    assert!(value(&last.2, "Event").starts_with("refer"));
    let before = wire.times(B, "NOTIFY");
    let now = wire.now();
    wire.ends[B].report(now, b, 200);
    assert_eq!(wire.times(B, "NOTIFY"), before, "the last word is the last");
    end_all(wire);
}

// RFC 5589 §7: the transferor names the consultation it has with us.
#[test]
fn an_attended_transfer_names_our_other_call() {
    let (mut wire, a, _) = Wire::talking();
    let (consult, consulted) = wire.talk();
    let now = wire.now();
    // A's consultation is with B, too: its REFER names a dialog of B's.
    wire.ends[A].refer(now, a, "sip:15@192.0.2.2", "<sip:nour@192.0.2.1>", Some(consult));
    wire.run(100);
    let refer = referred(&wire, B);
    assert_eq!((refer.replaces, refer.replaces_elsewhere), (Some(consulted), false));
    assert_eq!(refer.uri, "sip:15@192.0.2.2");
    end_all(wire);
}

#[test]
fn a_second_refer_waits_until_the_first_is_decided() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].refer(now, a, "sip:17@h", "<sip:n@h>", None);
    wire.ends[A].refer(now, a, "sip:18@h", "<sip:n@h>", None);
    wire.run(100);
    assert_eq!(wire.times(A, "REFER"), 1);
    let now = wire.now();
    wire.ends[B].report(now, b, 503);
    wire.run(100);
    assert!(wire.told(A).ends_with("refer 503"));
    let now = wire.now();
    wire.ends[A].refer(now, a, "sip:18@h", "<sip:n@h>", None);
    wire.run(100);
    assert_eq!(referred(&wire, B).uri, "sip:18@h");
    end_all(wire);
}

// A trunk that knows no REFER: the owner joins the two calls itself.
#[test]
fn a_refused_refer_is_told_and_the_call_stands() {
    let (mut wire, a, _) = Wire::talking();
    wire.rewrite =
        Box::new(|by, text| if by == B { text.replace("SIP/2.0 202 ", "SIP/2.0 405 ") } else { text });
    let now = wire.now();
    wire.ends[A].refer(now, a, "sip:17@h", "<sip:n@h>", None);
    wire.run(100);
    assert_eq!(wire.told(A), "answered, refer answered 405");
    assert!(wire.ends[A].snapshot(a).is_some());
    end_all(wire);
}

/// A call of the peer that stands: the desk, the dialog and its To tag.
fn standing() -> (Desk, DialogId, String) {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let ours = tag(&value(&sent[0], "To")).to_owned();
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.hear(TRUNK, &request("ACK", "a", &format!(";tag={ours}"), ""));
    (desk, dialog, ours)
}

// RFC 3515 §2.4.2, RFC 4488.
#[test]
fn a_refer_without_one_address_is_400_and_one_that_wants_no_notify_gets_none() {
    let (mut desk, dialog, ours) = standing();
    let within = |number: u32, more: &str| {
        request("REFER", &number.to_string(), &format!(";tag={ours}"), more)
            .replace("CSeq: 1", &format!("CSeq: {number}"))
    };
    assert_eq!(shorts(&desk.hear(TRUNK, &within(2, ""))), ["400 REFER"]);
    assert_eq!(
        shorts(&desk.hear(
            TRUNK,
            &within(2, "Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n").replace("bK2", "bK2b")
        )),
        ["400 REFER"]
    );
    // The answer is all it hears, and says what its owner has decided.
    let untold = |number| within(number, "Refer-To: <sip:a@h>\r\nRefer-Sub: false\r\n");
    assert!(desk.hear(TRUNK, &untold(3)).is_empty());
    desk.endpoint.report(now(desk.at), dialog, 403);
    assert_eq!(shorts(&desk.take()), ["403 REFER"]);
    desk.hear(TRUNK, &untold(4));
    desk.endpoint.report(now(desk.at), dialog, 100);
    let sent = desk.take();
    assert!(sent[0].starts_with("SIP/2.0 202 Accepted\r\n"));
    assert_eq!(
        (shorts(&sent), value(&sent[0], "Refer-Sub")),
        (vec!["202 REFER".to_owned()], "false".to_owned())
    );
    let sent = desk.hear(TRUNK, &within(5, "Refer-To: <sip:a@h>\r\n"));
    assert_eq!(shorts(&sent), ["202 REFER", "NOTIFY"]);
    assert!(sent[1].ends_with("SIP/2.0 100 Trying\r\n"));
    assert_eq!(shorts(&desk.hear(TRUNK, &within(6, "Refer-To: <sip:b@h>\r\n"))), ["491 REFER"]);
}

// RFC 3515 §5.2; RFC 6665 §8.3.2.
#[test]
fn nobody_has_us_call_from_outside_a_call_and_no_notify_comes_unasked() {
    let mut desk = Desk::new();
    for peer in [TRUNK, Peer::Phone, Peer::Stranger] {
        assert_eq!(
            shorts(&desk.hear(peer, &request("REFER", "r", "", "Refer-To: <sip:0899@h>\r\n")))
                .last()
                .map(String::as_str),
            Some("403 REFER")
        );
    }
    let (mut desk, _, ours) = standing();
    let notify = |number: u32, event: &str| {
        request("NOTIFY", &number.to_string(), &format!(";tag={ours}"), &format!("Event: {event}\r\n"))
            .replace("CSeq: 1", &format!("CSeq: {number}"))
    };
    assert_eq!(shorts(&desk.hear(TRUNK, &notify(2, "refer"))), ["481 NOTIFY"]);
    assert_eq!(shorts(&desk.hear(TRUNK, &notify(3, "dialog"))), ["489 NOTIFY"]);
}

// RFC 3891 §3, row by row; edges.md: a carrier's call is a call.
#[test]
fn an_invite_that_replaces_is_answered_by_what_it_names() {
    let (desk, dialog, ours) = standing();
    let named = |call: &str, to: &str, from: &str, more: &str| {
        format!("Replaces: {call};to-tag={to};from-tag={from}{more}\r\n")
    };
    let table = [
        (named("one", &ours, "caller", ""), "100 INVITE", true),
        (named("one", &ours, "other", ""), "481 INVITE", false),
        (named("two", &ours, "caller", ""), "481 INVITE", false),
        (named("one", "gone", "caller", ""), "481 INVITE", false),
        (named("one", &ours, "caller", ";early-only"), "486 INVITE", false),
    ];
    for (at, (header, to_phone, found)) in table.into_iter().enumerate() {
        for (peer, expected) in [(Peer::Phone, to_phone), (TRUNK, "100 INVITE")] {
            let mut desk = Desk { endpoint: desk.endpoint.clone(), events: Vec::new(), ..desk };
            let text =
                request("INVITE", &format!("x{at}"), "", &header).replace("Call-ID: one", "Call-ID: new");
            assert_eq!(shorts(&desk.hear(peer, &text)), [expected], "{header}");
            let told = desk.events.iter().find_map(|event| match event {
                Event::Invited { invite, .. } => Some(invite.replaces),
                _ => None,
            });
            assert_eq!(told.flatten(), found.then_some(dialog), "{header}");
        }
    }
    // A call that rings here cannot be taken by whoever made it.
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, &request("INVITE", "1", "", ""));
    let ours = tag(&value(&sent[0], "To")).to_owned();
    let text = request("INVITE", "2", "", &named("one", &ours, "caller", ""))
        .replace("Call-ID: one", "Call-ID: new");
    assert_eq!(shorts(&desk.hear(Peer::Phone, &text)), ["481 INVITE"]);
}
