//! What the torture messages of RFC 4475 are answered: the strict answer to a stranger, silence where the
//! site prefers it, and `edges.md`'s to a trunk. The situations of RFC 5118 (IPv6), in words of our own.
//!
//! The messages are read from `../shared/data/rfc4475` beside the repository; without them the table
//! says so and passes.

mod wire;

use sip::endpoint::{DialogId, Event, Invite};
use sip::transport::Peer;
use std::path::PathBuf;
use wire::desk::{Desk, TRUNK};
use wire::{ANSWER, now, short};

fn torture(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/rfc4475");
    if !folder.is_dir() {
        println!("skipped: no torture messages at {}", folder.display());
        return None;
    }
    Some(
        std::fs::read(folder.join(name).with_extension("dat"))
            .unwrap_or_else(|error| panic!("{name}: {error}")),
    )
}

/// The first answer to a message, in short, empty for silence; and the call it made.
fn answer(desk: &mut Desk, peer: Peer, bytes: &[u8]) -> (String, Option<(DialogId, Box<Invite>)>) {
    desk.endpoint.handle_message(now(desk.at), desk.flow, peer, bytes);
    let sent: Vec<String> = std::iter::from_fn(|| desk.endpoint.poll_transmit())
        .map(|transmit| String::from_utf8_lossy(&transmit.bytes).into_owned())
        .collect();
    let mut call = None;
    for event in std::iter::from_fn(|| desk.endpoint.poll_event()).collect::<Vec<_>>() {
        if let Event::Invited { dialog, invite } = event {
            call = Some((dialog, invite));
        }
    }
    (sent.first().map(|text| short(text)).unwrap_or_default(), call)
}

/// A message, its answer to a stranger, and to a trunk: empty for silence.
type Row = (&'static str, &'static str, &'static str);

/// §3.1.2. Where the RFC leaves a choice the stranger's column takes it.
const INVALID: [Row; 19] = [
    ("badinv01", "400 INVITE", "100 INVITE"),
    ("clerr", "400 INVITE", "100 INVITE"),
    ("ncl", "400 INVITE", "100 INVITE"),
    ("scalar02", "400 REGISTER", "400 REGISTER"), // a CSeq that cannot be read cannot be repeated
    ("scalarlg", "", ""),                         // a response: dropped
    ("quotbal", "400 INVITE", "100 INVITE"),
    ("ltgtruri", "400 INVITE", "100 INVITE"),
    ("lwsruri", "400 INVITE", "481 INVITE"), // its To has a tag: of no dialog we know (edges.md)
    ("lwsstart", "400 INVITE", "100 INVITE"),
    ("trws", "400 OPTIONS", "200 OPTIONS"),
    ("escruri", "400 INVITE", "100 INVITE"),
    ("baddate", "400 INVITE", "100 INVITE"),
    ("regbadct", "400 REGISTER", "401 REGISTER"),
    ("badaspec", "400 OPTIONS", "200 OPTIONS"),
    ("baddn", "400 OPTIONS", "200 OPTIONS"),
    ("badvers", "505 OPTIONS", "200 OPTIONS"),
    ("mismatch01", "400 INVITE", "200 INVITE"), // the CSeq line is repeated as it came
    ("mismatch02", "400 INVITE", "501 INVITE"),
    ("bigcode", "", ""), // a response: dropped
];

/// §3.1.2.17 and on, §3.2, §3.3, §3.4: 17 that are wrong, odd or merely rare at another layer.
const OTHERS: [Row; 17] = [
    ("badbranch", "200 OPTIONS", "200 OPTIONS"), // §3.2.1: told by Call-ID and number
    ("insuf", "400 INVITE", "400 INVITE"),       // §3.3.1: no Call-ID to answer with
    ("unkscm", "416 OPTIONS", "200 OPTIONS"),    // §3.3.2
    ("novelsc", "416 OPTIONS", "200 OPTIONS"),   // §3.3.3
    ("unksm2", "401 REGISTER", "401 REGISTER"),  // §3.3.4: whoever asks proves it first
    ("bext01", "420 OPTIONS", "200 OPTIONS"),    // §3.3.5
    ("invut", "403 INVITE", "100 INVITE"),       // §3.3.6: we offer in the answer
    ("regaut01", "401 REGISTER", "401 REGISTER"), // §3.3.7
    ("multi01", "400 INVITE", "100 INVITE"),     // §3.3.8
    ("mcl01", "400 OPTIONS", "200 OPTIONS"),     // §3.3.9
    ("bcast", "", ""),                           // §3.3.10: a response to nothing of ours
    ("zeromf", "200 OPTIONS", "200 OPTIONS"),    // §3.3.11: it has arrived
    ("cparam01", "401 REGISTER", "401 REGISTER"), // §3.3.12
    ("cparam02", "401 REGISTER", "401 REGISTER"), // §3.3.13
    ("regescrt", "401 REGISTER", "401 REGISTER"), // §3.3.14
    ("sdp01", "403 INVITE", "100 INVITE"),       // §3.3.15
    ("inv2543", "403 INVITE", "100 INVITE"),     // §3.4.1
];

#[test]
fn nineteen_of_nineteen_invalid_and_seventeen_of_seventeen_others_are_answered() {
    let (mut counts, mut wrong) = ((0, 0), Vec::new());
    for (rows, count) in [(&INVALID[..], &mut counts.0), (&OTHERS[..], &mut counts.1)] {
        for (name, stranger, trunk) in rows {
            let Some(bytes) = torture(name) else { return };
            for (peer, expected) in [(Peer::Stranger, stranger), (TRUNK, trunk)] {
                let mut desk = Desk::new();
                let (answer, call) = answer(&mut desk, peer, &bytes);
                if answer != *expected {
                    wrong.push(format!("{name} of {peer:?}: {answer}, not {expected}"));
                }
                assert_eq!(call.is_some(), answer == "100 INVITE", "{name} of {peer:?}");
                if peer == Peer::Stranger {
                    assert!(desk.endpoint.is_idle(), "{name}: nothing of a stranger stays");
                }
                if let Some((dialog, invite)) = call {
                    let odd = !invite.repairs.is_empty();
                    assert_eq!(odd, stranger.starts_with("400"), "{name}: what was repaired is marked");
                    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
                }
            }
            // A site that keeps silent keeps silent, but for OPTIONS in order and for REGISTER.
            let (answer, _) = answer(&mut Desk::with(false), Peer::Stranger, &bytes);
            let spoken = answer.is_empty() || answer.starts_with("200") || answer.starts_with("401");
            assert!(spoken, "{name}: {answer}");
            *count += 1;
        }
    }
    println!("RFC 4475: {} of 19 invalid, {} of 17 others answered as they should be", counts.0, counts.1);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts, (19, 17));
}

fn invite(uri: &str, via: &str, contact: &str, sdp: &str) -> Vec<u8> {
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKsix\r\nMax-Forwards: 70\r\n\
         From: <sip:0612@[2001:db8::9:1]>;tag=81x2\r\nTo: <sip:15@[2001:db8::10]>\r\nCall-ID: six@[2001:db8::9:1]\r\n\
         CSeq: 8612 INVITE\r\nContact: {contact}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

const SIX: &str = "v=0\r\no=- 1 1 IN IP6 2001:db8::20\r\ns=-\r\nc=IN IP6 2001:db8::20\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n";
const HERE: &str = "<sip:0612@[2001:db8::9:1]>";

/// The situation, the INVITE, its answer to a stranger and to a trunk.
fn ipv6_forms() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mixed = "v=0\r\no=- 1 1 IN IP6 2001:db8::20\r\ns=-\r\nc=IN IP6 2001:db8::20\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:107 H263-1998/90000\r\n";
    let mapped = "v=0\r\no=- 1 1 IN IP6 ::ffff:192.0.2.10\r\ns=-\r\nc=IN IP6 ::ffff:192.0.2.10\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n";
    vec![
        (
            "§4.1 a reference in brackets",
            invite("sip:15@[2001:db8::10]", "[2001:db8::9:1]", HERE, SIX),
            "403",
        ),
        ("§4.2 without brackets", invite("sip:15@2001:db8::10", "[2001:db8::9:1]", HERE, SIX), "400"),
        (
            "§4.3 what looks like a port is the address",
            invite("sip:15@[2001:db8::10:5070]", "[2001:db8::9:1]", HERE, SIX),
            "403",
        ),
        (
            "§4.4 a port behind the brackets",
            invite("sip:15@[2001:db8::10]:5070", "[2001:db8::9:1]:5060", HERE, SIX),
            "403",
        ),
        (
            "§4.5 received in brackets",
            invite("sip:15@[2001:db8::10]", "[2001:db8::9:1]:6050;received=[2001:db8::9:255]", HERE, SIX),
            "403",
        ),
        (
            "§4.5 received without",
            invite("sip:15@[2001:db8::10]", "[2001:db8::9:1]:6050;received=2001:db8::9:255", HERE, SIX),
            "403",
        ),
        (
            "§4.6 a field of three colons",
            invite("sip:15@[2001:db8:::192.0.2.1]", "[2001:db8::9:1]", HERE, SIX),
            "400",
        ),
        (
            "§4.7 both families in the description",
            invite("sip:15@[2001:db8::10]", "[2001:db8::9:1]", HERE, mixed),
            "403",
        ),
        (
            "§4.8 addresses of both families in one Contact",
            invite("sip:15@192.0.2.2", "192.0.2.7", "<sip:0612@192.0.2.7>, <sip:0612@[2001:db8::9:1]>", SIX),
            "403",
        ),
        (
            "§4.10 an IPv4 address mapped into IPv6",
            invite("sip:15@[::ffff:192.0.2.2]", "[::ffff:192.0.2.10]", HERE, mapped),
            "403",
        ),
    ]
}

#[test]
fn ipv6_in_every_place_is_understood_of_a_trunk_and_its_faults_told_to_a_stranger() {
    for (situation, bytes, stranger) in ipv6_forms() {
        let (strict, _) = answer(&mut Desk::new(), Peer::Stranger, &bytes);
        assert_eq!(strict, format!("{stranger} INVITE"), "{situation}");
        let (taken, call) = answer(&mut Desk::new(), TRUNK, &bytes);
        assert_eq!(taken, "100 INVITE", "{situation}");
        let (_, invite) = call.expect(situation);
        assert_eq!(invite.from.number.as_deref(), Some("0612"), "{situation}");
        assert_eq!(invite.repairs.is_empty(), stranger == "403", "{situation}: {:?}", invite.repairs);
        let sdp = sip::sdp::Sdp::read(invite.sdp.as_deref().expect("an offer")).expect("SDP");
        assert!(sdp.agreed().expect(situation).remote.is_some_and(|remote| remote.is_ipv6()), "{situation}");
    }
}

#[test]
fn a_colon_in_brackets_is_no_port() {
    let host = |bytes: &[u8]| {
        let message = sip::message::Message::scan(bytes).expect("a message");
        message.request_uri().and_then(|uri| uri.address()).expect("an address").to_string()
    };
    let forms = ipv6_forms();
    assert_eq!(host(&forms[2].1), "[2001:db8::10:5070]:5060");
    assert_eq!(host(&forms[3].1), "[2001:db8::10]:5070");
}
