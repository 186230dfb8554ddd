//! Whole conversations between two endpoints over a wire that is slow and loses messages. Each ends
//! with both at rest: no transaction, dialog or timer is left (I23).

mod wire;

use sip::endpoint::{Counter, Credentials, Event};
use sip::transport::Transport;
use std::collections::HashMap;
use std::rc::Rc;
use wire::{A, ANSWER, B, OFFER, Wire, first, short, tag, value};

#[test]
fn a_call_is_offered_rung_answered_confirmed_and_released() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut wire = Wire::new(transport);
        let (a, b) = wire.ring(183, Some(ANSWER));
        wire.run(1000);
        let now = wire.now();
        wire.ends[B].answer(now, b, ANSWER);
        wire.run(1000);
        let now = wire.now();
        wire.ends[A].end(now, a, Some("Q.850;cause=16"));
        wire.run(1000);
        assert_eq!(wire.told(A), "progress 183, answered");
        assert_eq!(wire.told(B), "invited, acknowledged, confirmed, released");
        assert_eq!(wire.sent(A), ["INVITE", "PRACK", "ACK", "BYE"]);
        let said = ["100 INVITE", "183 INVITE", "200 PRACK", "200 INVITE", "200 BYE"];
        assert_eq!(wire.sent(B), said);
        let early = wire.events[A].iter().find_map(|event| match event {
            Event::Progress { sdp, .. } => sdp.clone(),
            _ => None,
        });
        assert_eq!(early.as_deref(), Some(ANSWER));
        let cause = wire.events[B].iter().find_map(|event| match event {
            Event::Released { reason: Some(reason), .. } => reason.cause,
            _ => None,
        });
        assert_eq!(cause, Some(16));
        wire.rests();
    }
}

#[test]
fn the_called_side_sees_what_the_invite_says() {
    let mut wire = Wire::udp();
    let a = wire.invite();
    wire.run(50);
    let Some(Event::Invited { invite, .. }) =
        wire.events[B].iter().find(|e| matches!(e, Event::Invited { .. }))
    else {
        panic!("no call came");
    };
    assert_eq!(invite.uri, "sip:15@192.0.2.2");
    assert_eq!(invite.from.number.as_deref(), Some("+33612345678"));
    assert_eq!(invite.from.display.as_deref(), Some("Caller"));
    assert_eq!(invite.identities[0].number.as_deref(), Some("+33612345678"));
    assert_eq!(invite.sdp.as_deref(), Some(OFFER));
    assert!(!format!("{invite:?}").contains("612345678"), "private facts do not print");
    wire.hangs_up(A, a);
}

#[test]
fn a_repeated_invite_is_one_call_and_gets_the_latest_answer_again() {
    let mut wire = Wire::udp().losing(first(2, B, "100 INVITE"));
    wire.invite();
    wire.run(5_000);
    assert_eq!(wire.sent(A), ["INVITE", "INVITE", "INVITE"]);
    assert_eq!(wire.sent(B), ["100 INVITE", "100 INVITE", "100 INVITE"]);
    assert_eq!(wire.told(B), "invited");
    assert_eq!(wire.counted(A, &Counter::Retransmission), 2);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].refuse(now, b, 503, Some(30));
    wire.run(1_000);
    assert_eq!(wire.told(A), "failed 503");
    assert!(wire.log.iter().any(|(_, _, text)| value(text, "Retry-After") == "30"));
    wire.rests();
}

#[test]
fn a_refusal_is_repeated_until_its_ack_comes() {
    let mut wire = Wire::udp().losing(first(2, A, "ACK"));
    wire.invite();
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].refuse(now, b, 486, None);
    wire.rests();
    assert_eq!(wire.told(A), "failed 486");
    assert_eq!((wire.times(B, "486 INVITE"), wire.times(A, "ACK")), (3, 3));
}

#[test]
fn a_lost_ack_is_sent_again_and_the_answer_is_told_once() {
    let mut wire = Wire::udp().losing(first(1, A, "ACK"));
    let (a, _) = wire.talk();
    wire.run(2_000);
    assert_eq!((wire.told(A).as_str(), wire.told(B).as_str()), ("answered", "invited, confirmed"));
    assert_eq!((wire.times(A, "ACK"), wire.times(B, "200 INVITE")), (2, 2));
    wire.hangs_up(A, a);
}

#[test]
fn an_answer_nobody_acknowledges_is_told_after_64_t1_and_its_owner_hangs_up() {
    let mut wire = Wire::udp().losing(|by, text| by == A && short(text) == "ACK");
    let (_, b) = wire.talk();
    wire.run(31_000);
    assert_eq!(wire.told(B), "invited", "not before 64*T1");
    wire.run(2_000);
    assert_eq!(wire.told(B), "invited, unconfirmed");
    assert_eq!(wire.told(A), "answered", "two people may be talking");
    let now = wire.now();
    wire.ends[B].end(now, b, None);
    wire.run(100);
    assert_eq!(wire.told(A), "answered, released");
    // 0, 0.5, 1.5, 3.5, 7.5, then every 4 s.
    assert_eq!(wire.times(B, "200 INVITE"), 11);
    wire.rests();
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut wire = Wire::udp();
    wire.invite();
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].answer(now, b, ANSWER);
    wire.ends[B].end(now, b, None);
    wire.run(5);
    assert_eq!(wire.times(B, "BYE"), 0);
    wire.run(1_000);
    assert_eq!((wire.told(A).as_str(), wire.told(B).as_str()), ("answered, released", "invited"));
    wire.rests();
}

#[test]
fn a_lost_bye_is_sent_again() {
    let (mut wire, a, _) = Wire::talking();
    wire.lose = Box::new(first(3, A, "BYE"));
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(10_000);
    assert_eq!(wire.told(B), "invited, confirmed, released");
    assert_eq!(wire.times(A, "BYE"), 4);
    wire.rests();
}

#[test]
fn a_bye_that_never_arrives_leaves_nothing_behind() {
    let (mut wire, a, b) = Wire::talking();
    wire.lose = Box::new(|by, _| by == A);
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(33_000);
    let now = wire.now();
    assert!(wire.ends[A].snapshot(a).is_none());
    wire.ends[B].probe(now, b);
    wire.run(33_000);
    assert_eq!(wire.told(B), "invited, confirmed, lost None");
    wire.hangs_up(B, b);
}

#[test]
fn byes_that_cross_end_both_sides() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.ends[B].end(now, b, None);
    wire.rests();
    assert_eq!((wire.told(A).as_str(), wire.told(B).as_str()), ("answered", "invited, confirmed"));
}

#[test]
fn a_cancelled_call_gets_200_and_487() {
    let mut wire = Wire::udp();
    let (a, _) = wire.ring(180, None);
    wire.run(50);
    let now = wire.now();
    wire.ends[A].end(now, a, Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    wire.ends[A].end(now, a, None);
    wire.rests();
    assert_eq!(wire.told(B), "invited, acknowledged, cancelled");
    assert_eq!(wire.sent(A), ["INVITE", "PRACK", "CANCEL", "ACK"]);
    let said = ["100 INVITE", "180 INVITE", "200 PRACK", "200 CANCEL", "487 INVITE"];
    assert_eq!(wire.sent(B), said);
    let cancel = wire.log.iter().find(|(_, _, text)| short(text) == "CANCEL").expect("sent");
    let invite = &wire.log[0];
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(value(&cancel.2, name), value(&invite.2, name), "{name}");
    }
    assert!(value(&cancel.2, "Reason").starts_with("SIP;cause=200"));
}

#[test]
fn a_cancel_waits_until_the_peer_is_known_to_have_the_invite() {
    let mut wire = Wire::udp().losing(first(1, A, "INVITE"));
    let a = wire.invite();
    wire.run(20);
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(400);
    assert_eq!(wire.sent(A), ["INVITE"], "nothing has answered yet");
    wire.rests();
    assert_eq!(wire.sent(A), ["INVITE", "INVITE", "CANCEL", "ACK"]);
    assert_eq!(wire.told(B), "invited, cancelled");
    assert_eq!(wire.told(A), "");
}

#[test]
fn an_unwanted_invite_that_nobody_hears_ends_silently() {
    let mut wire = Wire::udp().losing(|_, _| true);
    let a = wire.invite();
    wire.run(20);
    wire.hangs_up(A, a);
    assert_eq!(wire.told(A), "");
}

#[test]
fn a_cancelled_invite_without_a_final_response_is_given_up_after_64_t1() {
    let mut wire = Wire::udp();
    let a = wire.invite();
    wire.run(50);
    wire.lose = Box::new(|by, _| by == B);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[A].end(now, a, None);
    wire.run(70_000);
    assert!(wire.ends[A].is_idle());
    assert_eq!(wire.told(A), "");
    assert_eq!(wire.told(B), "invited, cancelled");
    assert!(wire.ends[B].snapshot(b).is_none());
    let _ = now;
    wire.rests();
}

#[test]
fn i5_a_cancel_and_an_answer_may_cross_at_any_instant() {
    for end_at in 0..40 {
        for answer_at in 0..40 {
            let mut wire = Wire::udp();
            let a = wire.invite();
            wire.run(15);
            let b = wire.invited();
            for ms in 0..40 {
                let now = wire.now();
                if ms == end_at {
                    wire.ends[A].end(now, a, None);
                }
                if ms == answer_at {
                    wire.ends[B].answer(now, b, ANSWER);
                }
                wire.run(1);
            }
            wire.rests();
            let told = wire.told(B);
            let whole = ["invited, cancelled", "invited, confirmed, released"];
            assert!(whole.contains(&told.as_str()), "end {end_at} ms, answer {answer_at} ms: {told}");
            let answered = wire.times(B, "200 INVITE") > 0;
            assert_eq!(wire.times(A, "BYE"), usize::from(answered), "one BYE for an answer taken back");
        }
    }
}

#[test]
fn i2_the_second_fork_that_answers_gets_ack_and_bye() {
    let mut wire = Wire::udp();
    let (a, _) = wire.talk();
    let success =
        wire.log.iter().find(|(_, by, text)| *by == B && short(text) == "200 INVITE").expect("sent");
    let ours = tag(&value(&success.2, "To")).to_owned();
    let fork = success.2.replace(&ours, "otherfork");
    for _ in 0..2 {
        wire.deliver(A, fork.as_bytes());
        wire.run(5);
    }
    let to_fork = |wire: &Wire| -> Vec<String> {
        wire.log
            .iter()
            .filter(|(_, by, text)| *by == A && tag(&value(text, "To")) == "otherfork")
            .map(|(_, _, text)| short(text))
            .collect()
    };
    assert_eq!(to_fork(&wire), ["ACK", "BYE", "ACK"], "a copy is acknowledged again, hung up once");
    assert_eq!(wire.told(A), "answered");
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(1_000);
    // After the call: the fork's copy is acknowledged all the same.
    wire.deliver(A, fork.as_bytes());
    wire.run(1_000);
    assert_eq!(to_fork(&wire).iter().filter(|line| *line == "ACK").count(), 3);
    wire.rests();
}

#[test]
fn a_challenged_invite_is_proved_once() {
    for (right, told) in [(true, "answered"), (false, "failed 407")] {
        let mut wire = Wire::udp();
        let gate = sip::auth::Gate::new("carrier", 7);
        let now = wire.now();
        let mut outgoing = sip::endpoint::Outgoing {
            flow: wire.flow(A),
            uri: "sip:0145@192.0.2.2".to_owned(),
            from: "<sip:samu@192.0.2.1>".to_owned(),
            to: "<sip:0145@192.0.2.2>".to_owned(),
            headers: Vec::new(),
            sdp: OFFER.to_vec(),
            credentials: None,
        };
        let password = if right { "right" } else { "wrong" };
        outgoing.credentials = Some(Credentials { user: "samu".to_owned(), password: password.to_owned() });
        let a = wire.ends[A].invite(now, outgoing);
        // The carrier's side by hand: challenge, then verify.
        let mut answered = 0;
        for _ in 0..4 {
            let Some(transmit) = wire.ends[A].poll_transmit() else { continue };
            let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
            if short(&text) != "INVITE" {
                continue;
            }
            answered += 1;
            let message = sip::message::Message::scan(&transmit.bytes).expect("we wrote it");
            let source = transmit.flow.local;
            let key = sip::auth::ha1(sip::header::auth::Algorithm::Sha256, "samu", "carrier", "right");
            let proved = message.proxy_authorization().is_some_and(|proof| {
                gate.verify(now.at, source.ip(), "INVITE", &proof, Some(&key)) == sip::auth::Verdict::Proved
            });
            let code = if proved { 200 } else { 407 };
            let mut response = sip::message::Builder::response_to(&message, code, Some("carrier"), source)
                .header(sip::message::Name::Contact, "<sip:192.0.2.2:5060>");
            for challenge in gate.challenges(now.at, source.ip(), false) {
                response = response.header(sip::message::Name::ProxyAuthenticate, challenge);
            }
            wire.deliver(A, &response.body("application/sdp", ANSWER));
        }
        assert_eq!(answered, 2);
        wire.run(0);
        assert_eq!(wire.told(A), told);
        wire.ends[A].end(now, a, None);
        wire.lose = Box::new(|_, _| true);
        wire.rests();
    }
}

/// A small generator for the lossy wire; its seed is printed on failure.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn i23_whatever_is_lost_and_whenever_anybody_hangs_up_both_sides_come_to_rest() {
    let mut ends: HashMap<String, usize> = HashMap::new();
    for seed in 0..400 {
        let dice = Rc::new(std::cell::RefCell::new(Dice(seed)));
        let lossy = dice.clone();
        let loss = dice.borrow_mut().roll(40);
        let mut wire = Wire::udp().losing(move |_, _| lossy.borrow_mut().roll(100) < loss);
        let a = wire.invite();
        let mut b = None;
        for _ in 0..30 {
            let wait = dice.borrow_mut().roll(900);
            wire.run(wait);
            if b.is_none() && wire.told(B).contains("invited") {
                b = Some(wire.invited());
            }
            let (now, roll) = (wire.now(), dice.borrow_mut().roll(12));
            match (roll, b) {
                (0, _) => wire.ends[A].end(now, a, None),
                (1, Some(b)) => wire.ends[B].end(now, b, None),
                (2 | 3, Some(b)) => wire.ends[B].answer(now, b, ANSWER),
                (4, Some(b)) => wire.ends[B].ring(now, b, 180, None),
                (5, Some(b)) => wire.ends[B].reoffer(now, b, OFFER),
                (6, _) => wire.ends[A].reoffer(now, a, OFFER),
                (7 | 8, Some(b)) => _ = wire.ends[B].accept(now, b, ANSWER),
                (9 | 10, _) => _ = wire.ends[A].accept(now, a, ANSWER),
                (11, Some(b)) => wire.ends[B].probe(now, b),
                _ => {}
            }
        }
        let now = wire.now();
        wire.ends[A].end(now, a, None);
        if let Some(b) = b {
            wire.ends[B].end(now, b, None);
        }
        wire.run(120_000);
        assert!(wire.ends[A].is_idle() && wire.ends[B].is_idle(), "seed {seed}");
        for side in [A, B] {
            let told = wire.told(side);
            assert!(told.matches("answered").count() <= 1, "seed {seed}: {told}");
            assert!(told.matches("confirmed").count() <= 1, "seed {seed}: {told}");
            let over = ["cancelled", "failed", "released"];
            let is_over = |told: &&str| over.iter().any(|word| told.starts_with(word));
            assert!(
                told.split(", ").filter(is_over).count() <= 1,
                "seed {seed}: a dialog is over once: {told}"
            );
            *ends.entry(told.rsplit(", ").next().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    assert!(ends.len() > 5, "the dice reach many ends: {ends:?}");
}
