//! What happens to a session that stands: new offers, glare, probes, broken paths.

mod wire;

use sip::endpoint::{Credentials, Outgoing};
use sip::transport::{Flow, Transport};
use std::time::Duration;
use wire::{A, ANSWER, B, OFFER, Wire, first, short, value};

#[test]
fn a_session_is_changed_by_either_side() {
    let (mut wire, a, b) = Wire::talking();
    for (asks, answers, asked, answered) in [(A, B, a, b), (B, A, b, a)] {
        let now = wire.now();
        wire.ends[asks].reoffer(now, asked, OFFER);
        wire.run(50);
        let now = wire.now();
        wire.ends[answers].accept(now, answered, ANSWER);
        wire.run(50);
    }
    assert_eq!(wire.told(A), "answered, reoffer done, reoffered");
    assert_eq!(wire.told(B), "invited, confirmed, reoffered, reoffer done");
    wire.hangs_up(B, b);
}

#[test]
fn offers_that_meet_are_both_made_in_the_end() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.ends[B].reoffer(now, b, OFFER);
    for _ in 0..100 {
        wire.run(100);
        for (side, dialog) in [(A, a), (B, b)] {
            let now = wire.now();
            wire.ends[side].accept(now, dialog, ANSWER);
        }
    }
    assert_eq!((wire.times(A, "491 INVITE"), wire.times(B, "491 INVITE")), (1, 1));
    for side in [A, B] {
        let told = wire.told(side);
        assert_eq!(told.matches("reoffer done").count(), 1, "{told}");
        assert_eq!(told.matches("reoffered").count(), 1, "{told}");
    }
    wire.hangs_up(A, a);
}

#[test]
fn an_offer_that_waits_says_what_was_said_meanwhile() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.ends[B].reoffer(now, b, OFFER);
    let newer = String::from_utf8_lossy(ANSWER).replace(" 2 1 IN", " 2 2 IN");
    for _ in 0..100 {
        wire.run(100);
        for (side, dialog) in [(A, a), (B, b)] {
            let now = wire.now();
            wire.ends[side].accept(now, dialog, newer.as_bytes());
        }
    }
    let invites = wire.log.iter().filter(|(_, _, text)| short(text) == "INVITE").skip(1);
    let offers: Vec<bool> = invites.map(|(_, _, text)| text.contains(" 2 2 IN")).collect();
    assert_eq!(offers, [false, false, false, true], "one of them was accepted before the other's turn");
    wire.hangs_up(A, a);
}

#[test]
fn an_offer_waits_for_the_ack_of_the_answer() {
    let mut wire = Wire::udp();
    let a = wire.invite();
    wire.run(50);
    let (b, now) = (wire.invited(), wire.now());
    wire.ends[B].answer(now, b, ANSWER);
    wire.ends[B].reoffer(now, b, OFFER);
    wire.run(5);
    assert_eq!(wire.times(B, "INVITE"), 0);
    wire.run(50);
    assert_eq!(wire.times(B, "INVITE"), 1);
    let now = wire.now();
    wire.ends[A].accept(now, a, ANSWER);
    wire.run(100);
    assert_eq!(wire.told(B), "invited, confirmed, reoffer done");
    wire.hangs_up(A, a);
}

#[test]
fn a_lost_ack_of_a_reinvite_ends_no_conversation() {
    let (mut wire, a, b) = Wire::talking();
    wire.lose = Box::new(|by, text| by == A && short(text) == "ACK");
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.run(50);
    let now = wire.now();
    wire.ends[B].accept(now, b, ANSWER);
    wire.run(40_000);
    assert_eq!(wire.told(B), "invited, confirmed, reoffered, reoffer failed 408");
    assert_eq!(wire.times(B, "BYE"), 0);
    wire.hangs_up(B, b);
}

#[test]
fn hanging_up_answers_what_the_peer_still_waits_for() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.run(50);
    wire.hangs_up(B, b);
    assert_eq!(wire.times(B, "487 INVITE"), 1);
    assert_eq!(wire.told(A), "answered, reoffer failed 487, released");
}

#[test]
fn a_refusal_that_comes_after_the_bye_is_acknowledged_all_the_same() {
    let (mut wire, a, b) = Wire::talking();
    wire.lose = Box::new(first(1, B, "487 INVITE"));
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.run(50);
    let now = wire.now();
    wire.ends[B].end(now, b, None);
    wire.run(5_000);
    assert_eq!(wire.times(B, "487 INVITE"), 2);
    assert_eq!(wire.told(A), "answered, released");
    wire.rests();
}

#[test]
fn a_peer_is_asked_whether_it_lives() {
    let (mut wire, a, b) = Wire::talking();
    let now = wire.now();
    wire.ends[B].probe(now, b);
    wire.run(100);
    assert_eq!(wire.told(B), "invited, confirmed, alive");
    // A forgets the call and cannot say so.
    wire.lose = Box::new(|by, text| by == A && short(text) == "BYE");
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(40_000);
    let now = wire.now();
    wire.ends[B].probe(now, b);
    wire.run(100);
    assert_eq!(wire.told(B), "invited, confirmed, alive, lost Some(481)");
    wire.hangs_up(B, b);
}

#[test]
fn an_invite_nobody_answers_fails_with_408_and_one_that_cannot_be_sent_with_503() {
    let mut wire = Wire::udp().losing(|_, _| true);
    wire.invite();
    wire.run(3_900);
    assert_eq!((wire.times(A, "INVITE"), wire.told(A).as_str()), (4, ""));
    wire.run(28_000);
    assert_eq!(wire.told(A), "unheard", "whoever has another way need not wait any longer");
    wire.run(200);
    assert_eq!(wire.told(A), "unheard, failed 408");
    assert_eq!(wire.times(A, "INVITE"), 7);
    wire.invite();
    let (now, flow) = (wire.now(), wire.flow(A));
    wire.ends[A].handle_flow_failed(now, flow);
    wire.run(10);
    assert_eq!(wire.told(A), "unheard, failed 408, failed 503");
    wire.rests();
}

#[test]
fn a_call_outlives_the_connection_it_came_over() {
    let mut wire = Wire::new(Transport::Tcp);
    let (_, b) = wire.talk();
    let (now, flow) = (wire.now(), wire.flow(B));
    wire.ends[B].handle_flow_failed(now, Flow { connection: 0, ..flow });
    wire.ends[B].end(now, b, None);
    wire.rests();
    assert_eq!(wire.told(A), "answered, released");
}

#[test]
fn a_proxy_does_not_give_up_a_caller_who_is_repeatedly_told_it_rings() {
    let mut wire = Wire::udp();
    let (a, _) = wire.ring(183, Some(ANSWER));
    wire.run(150_000);
    assert_eq!(wire.times(B, "183 INVITE"), 3);
    wire.hangs_up(A, a);
}

// RFC 4028 §10: the session lives until its interval is over, and so does the wish to refresh it.
#[test]
fn a_refresh_lost_while_a_line_is_down_is_said_again_before_the_session_ends() {
    for knows in ["UPDATE, ", ""] {
        let mut wire = Wire::udp().rewriting(B, "UPDATE, ", knows);
        let (a, b) = wire.talk();
        wire.run(890_000);
        wire.lose = Box::new(|_, _| true);
        wire.run(50_000);
        wire.lose = Box::new(|_, _| false);
        for _ in 0..100 {
            wire.run(10_000);
            let now = wire.now();
            wire.ends[B].accept(now, b, ANSWER);
        }
        assert!(wire.told(A).starts_with("answered, lost None"), "{}", wire.told(A));
        assert!(!wire.told(B).contains("lost"), "{}", wire.told(B));
        let now = wire.now();
        wire.ends[A].end(now, a, None);
        wire.rests();
    }
}

// RFC 3311 §5.1: the 2xx of an UPDATE may tell of another Contact.
#[test]
fn a_peer_that_moves_in_its_answer_to_a_refresh_is_followed() {
    let mut wire = Wire::udp();
    wire.rewrite = Box::new(|by, text| match short(&text).as_str() {
        "200 UPDATE" if by == B => text.replace("<sip:192.0.2.2:5060>", "<sip:moved@192.0.2.2:5060>"),
        _ => text,
    });
    let (a, _) = wire.talk();
    wire.run(901_000);
    assert_eq!(wire.times(A, "UPDATE"), 1);
    let now = wire.now();
    wire.ends[A].end(now, a, None);
    wire.run(10);
    let bye = wire.log.iter().find(|it| short(&it.2) == "BYE").expect("hangs up").2.clone();
    assert!(bye.starts_with("BYE sip:moved@192.0.2.2:5060 SIP/2.0"), "{bye}");
    wire.rests();
}

// §14.2, §20.33.
#[test]
fn an_offer_that_a_busy_peer_puts_off_is_made_again_three_times() {
    for (refusals, told) in [(1, "reoffer done"), (4, "reoffer failed 500")] {
        let (mut wire, a, b) = Wire::talking();
        wire.rewrite = Box::new(|_, text| match short(&text).as_str() {
            "500 INVITE" => text.replace("Content-Length", "Retry-After: 2\r\nContent-Length"),
            _ => text,
        });
        let now = wire.now();
        wire.ends[A].reoffer(now, a, OFFER);
        for round in 0..=refusals {
            wire.run(100);
            let now = wire.now();
            if round < refusals {
                wire.ends[B].decline(now, b, 500);
            } else {
                wire.ends[B].accept(now, b, ANSWER);
            }
            wire.run(100);
            assert!(round >= 3 || round == refusals || wire.told(A) == "answered", "it waits");
            wire.run(2_000);
        }
        assert_eq!(wire.told(A), format!("answered, {told}"));
        wire.hangs_up(B, b);
    }
}

#[test]
fn a_peer_that_asks_for_an_hour_is_asked_again_in_ten_seconds_and_the_next_offer_has_its_own_tries() {
    let (mut wire, a, b) = Wire::talking();
    wire.rewrite = Box::new(|_, text| match short(&text).as_str() {
        "500 INVITE" => text.replace("Content-Length", "Retry-After: 3600\r\nContent-Length"),
        _ => text,
    });
    for offers in 1..=2 {
        let now = wire.now();
        wire.ends[A].reoffer(now, a, OFFER);
        for _ in 0..4 {
            wire.run(100);
            let now = wire.now();
            wire.ends[B].decline(now, b, 500);
            wire.run(10_000);
        }
        assert_eq!(wire.told(A), format!("answered{}", ", reoffer failed 500".repeat(offers)));
        assert_eq!(wire.times(A, "INVITE"), 1 + 4 * offers);
    }
    wire.hangs_up(B, b);
}

#[test]
fn an_offer_that_we_have_cancelled_is_not_made_again() {
    let (mut wire, a, b) = Wire::talking();
    wire.rewrite = Box::new(|_, text| match short(&text).as_str() {
        "487 INVITE" => {
            text.replacen("487", "500", 1).replace("Content-Length", "Retry-After: 2\r\nContent-Length")
        }
        _ => text,
    });
    let now = wire.now();
    wire.ends[A].reoffer(now, a, OFFER);
    wire.run(60_000);
    assert_eq!((wire.times(A, "CANCEL"), wire.times(A, "INVITE")), (1, 2));
    assert_eq!(wire.told(A), "answered, reoffer failed 500");
    wire.hangs_up(B, b);
}

// RFC 4028 §7.4: for a peer that knows no UPDATE the refresh is a re-INVITE.
#[test]
fn a_refresh_that_is_put_off_comes_again_while_the_session_lives() {
    let mut wire = Wire::udp();
    wire.rewrite = Box::new(|_, text| match short(&text).as_str() {
        "200 INVITE" => {
            text.replace(&value(&text, "Session-Expires"), "90;refresher=uac").replace("UPDATE, ", "")
        }
        "500 INVITE" => text.replace("Content-Length", "Retry-After: 10\r\nContent-Length"),
        _ => text,
    });
    let (_, b) = wire.talk();
    let stands = wire.at;
    while wire.at.since(stands) < Duration::from_secs(85) {
        wire.run(500);
        let now = wire.now();
        wire.ends[B].decline(now, b, 500);
    }
    let asked: Vec<u64> = wire
        .log
        .iter()
        .filter(|(at, by, text)| *by == A && short(text) == "INVITE" && *at > stands)
        .map(|(at, ..)| at.since(stands).as_secs())
        .collect();
    assert!(
        asked.len() >= 4 && asked[3] < 75,
        "three tries and one more, a quarter of what is left apart: {asked:?}"
    );
}

/// What a carrier that wants a proof says to a request.
fn challenge(request: &str) -> String {
    let lines =
        ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", value(request, name)));
    let digest = "Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
    format!("SIP/2.0 407 Who\r\n{}Proxy-Authenticate: {digest}\r\nContent-Length: 0\r\n\r\n", lines.concat())
}

// RFC 3261 §22.2: a carrier may challenge whatever we ask within a call, whoever made it.
#[test]
fn whatever_we_ask_within_a_dialog_is_proved_once() {
    let credentials = Credentials { user: "samu".to_owned(), password: "geheim".to_owned() };
    let mut wire = Wire::udp().losing(|_, text| {
        let asks = ["PRACK", "OPTIONS", "BYE"].contains(&short(text).as_str());
        asks && !text.contains("Proxy-Authorization: Digest username=\"samu\"")
    });
    let (flow, now) = (wire.flow(A), wire.now());
    let outgoing = Outgoing {
        flow,
        uri: "sip:15@192.0.2.2".to_owned(),
        from: "<sip:17@192.0.2.1>".to_owned(),
        to: "<sip:15@192.0.2.2>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: Some(credentials.clone()),
    };
    let a = wire.ends[A].invite(now, outgoing);
    wire.run(50);
    let b = wire.invited();
    wire.ends[B].prove_with(b, credentials);
    let now = wire.now();
    wire.ends[B].ring(now, b, 183, Some(ANSWER));
    // The carrier's border stands between the two.
    let challenged = |wire: &mut Wire, side: usize, what: &str| {
        wire.run(20);
        let asked =
            wire.log.iter().rfind(|it| it.1 == side && short(&it.2) == what).expect("asked").2.clone();
        assert!(value(&asked, "Proxy-Authorization").is_empty());
        wire.deliver(side, challenge(&asked).as_bytes());
        wire.run(50);
        let again =
            wire.log.iter().rfind(|it| it.1 == side && short(&it.2) == what).expect("again").2.clone();
        assert!(!value(&again, "Proxy-Authorization").is_empty(), "{what}");
        assert_eq!(value(&again, "RAck"), value(&asked, "RAck"));
        again
    };
    let proved = challenged(&mut wire, A, "PRACK");
    assert_eq!(wire.told(B), "invited, acknowledged");
    wire.deliver(A, challenge(&proved).as_bytes());
    wire.run(50);
    assert_eq!(wire.times(A, "PRACK"), 2, "a proof that is refused is refused");
    let now = wire.now();
    wire.ends[B].answer(now, b, ANSWER);
    wire.run(50);
    let now = wire.now();
    wire.ends[A].probe(now, a);
    challenged(&mut wire, A, "OPTIONS");
    assert_eq!(wire.told(A), "progress 183, answered, alive");
    let now = wire.now();
    wire.ends[B].end(now, b, Some("Q.850;cause=16"));
    let bye = challenged(&mut wire, B, "BYE");
    assert_eq!(value(&bye, "Reason"), "Q.850;cause=16");
    assert_eq!(wire.told(A), "progress 183, answered, alive, released");
    wire.rests();
}
