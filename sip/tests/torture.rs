//! The torture messages of RFC 4475, and what no message may do to us.
//!
//! The messages are read from `../shared/data/rfc4475` beside the repository; without them the
//! table says so and passes. The mutilations need none.

use sip::message::{HeaderError, Message, Name, Repair, Repairs, ScanError, StartLine, Uri};
use sip::vocabulary::Method;
use std::path::PathBuf;

fn torture(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/rfc4475");
    if !folder.is_dir() {
        println!("skipped: no torture messages at {}", folder.display());
        return None;
    }
    let path = folder.join(name).with_extension("dat");
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// What a valid message of §3.1.1 must give.
struct Valid {
    name: &'static str,
    /// Method token, or code.
    start: &'static str,
    /// The Request-URI; the reason of a response.
    target: &'static str,
    call_id: &'static str,
    cseq: (u32, &'static str),
    from_tag: Option<&'static str>,
    to_tag: Option<&'static str>,
    /// Transport and branch, hop by hop.
    vias: &'static [(&'static str, &'static str)],
    max_forwards: Option<u8>,
    contacts: usize,
    body: usize,
}

const NO_VALUES: Valid = Valid {
    name: "",
    start: "OPTIONS",
    target: "sip:user@example.com",
    call_id: "",
    cseq: (60, "OPTIONS"),
    from_tag: None,
    to_tag: None,
    vias: &[("UDP", "z9hG4bKkdjuw")],
    max_forwards: Some(70),
    contacts: 0,
    body: 0,
};

const INTERESTING: &str = "!interesting-Method0123456789_*+`.%indeed'~";

const VALID: [Valid; 13] = [
    Valid {
        name: "wsinv",
        start: "INVITE",
        target: "sip:vivekg@chair-dnrc.example.com;unknownparam",
        call_id: "wsinv.ndaksdj@192.0.2.1",
        cseq: (9, "INVITE"),
        from_tag: Some("98asjd8"),
        to_tag: Some("1918181833n"),
        vias: &[("UDP", "390skdjuw"), ("TCP", "z9hG4bK9ikj8"), ("UDP", "z9hG4bK30239")],
        max_forwards: Some(68),
        contacts: 1,
        body: 150,
    },
    Valid {
        name: "intmeth",
        start: INTERESTING,
        target: "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        call_id: "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
        cseq: (139_122_385, INTERESTING),
        from_tag: Some("_token~1'+`*%!-."),
        vias: &[("TCP", "z9hG4bK-.!%66*_+`'~")],
        max_forwards: Some(255),
        ..NO_VALUES
    },
    Valid {
        name: "esc01",
        start: "INVITE",
        target: "sip:sips%3Auser%40example.com@example.net",
        call_id: "esc01.239409asdfakjkn23onasd0-3234",
        cseq: (234_234, "INVITE"),
        from_tag: Some("938"),
        max_forwards: Some(87),
        contacts: 1,
        body: 150,
        ..NO_VALUES
    },
    Valid {
        name: "escnull",
        start: "REGISTER",
        target: "sip:example.com",
        call_id: "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd",
        cseq: (14_398_234, "REGISTER"),
        from_tag: Some("839923423"),
        contacts: 2,
        ..NO_VALUES
    },
    Valid {
        name: "esc02",
        start: "RE%47IST%45R",
        target: "sip:registrar.example.com",
        call_id: "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf",
        cseq: (29_344, "RE%47IST%45R"),
        from_tag: Some("f232jadfj23"),
        vias: &[("TCP", "z9hG4bK209%fzsnel234")],
        contacts: 2,
        ..NO_VALUES
    },
    Valid {
        name: "lwsdisp",
        call_id: "lwsdisp.1234abcd@funky.example.com",
        from_tag: Some("323"),
        ..NO_VALUES
    },
    Valid {
        name: "longreq",
        start: "INVITE",
        call_id: "longreq.onereallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallylongcallid",
        cseq: (3_882_340, "INVITE"),
        from_tag: Some(LONG_TAG),
        vias: &LONG_VIAS,
        max_forwards: Some(70),
        contacts: 1,
        body: 150,
        ..NO_VALUES
    },
    Valid {
        name: "dblreq",
        start: "REGISTER",
        target: "sip:example.com",
        call_id: "dblreq.0ha0isndaksdj99sdfafnl3lk233412",
        cseq: (8, "REGISTER"),
        from_tag: Some("43251j3j324"),
        vias: &[("UDP", "z9hG4bKkdjuw23492")],
        max_forwards: Some(8),
        contacts: 1,
        ..NO_VALUES
    },
    Valid {
        name: "semiuri",
        target: "sip:user;par=u%40example.net@example.com",
        call_id: "semiuri.0ha0isndaksdj",
        cseq: (8, "OPTIONS"),
        from_tag: Some("33242"),
        max_forwards: Some(3),
        ..NO_VALUES
    },
    Valid {
        name: "transports",
        call_id: "transports.kijh4akdnaqjkwendsasfdj",
        from_tag: Some("323"),
        vias: &[
            ("UDP", "z9hG4bKkdjuw"),
            ("SCTP", "z9hG4bKklasjdhf"),
            ("TLS", "z9hG4bK2980unddj"),
            ("UNKNOWN", "z9hG4bKasd0f3en"),
            ("TCP", "z9hG4bK0a9idfnee"),
        ],
        ..NO_VALUES
    },
    Valid {
        name: "mpart01",
        start: "MESSAGE",
        target: "sip:kumiko@example.org",
        call_id: "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..",
        cseq: (1, "MESSAGE"),
        from_tag: Some("2fb0dcc9"),
        vias: &[("UDP", "z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-")],
        contacts: 1,
        body: 553,
        ..NO_VALUES
    },
    Valid {
        name: "unreason",
        start: "200",
        target: "= 2**3 * 5**2 но сто девяносто девять - простое",
        call_id: "unreason.1234ksdfak3j2erwedfsASdf",
        cseq: (35, "INVITE"),
        from_tag: Some("11141343"),
        to_tag: Some("2229"),
        vias: &[("UDP", "z9hG4bK1324923")],
        max_forwards: None,
        contacts: 1,
        body: 154,
    },
    Valid {
        name: "noreason",
        start: "100",
        target: "",
        call_id: "noreason.asndj203insdf99223ndf",
        cseq: (35, "INVITE"),
        from_tag: Some("39ansfi3"),
        to_tag: Some("902jndnke3"),
        vias: &[("UDP", "z9hG4bK2398ndaoe")],
        max_forwards: None,
        contacts: 1,
        ..NO_VALUES
    },
];

const LONG_TAG: &str = "12982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982424";

const LONG_BRANCH: &str = "verylonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglongbranchvalue";

/// Thirty-three hops of before RFC 3261, without a branch, and the caller's own.
const LONG_VIAS: [(&str, &str); 34] = {
    let mut hops = [("TCP", ""); 34];
    hops[33] = ("TCP", LONG_BRANCH);
    hops
};

#[test]
fn the_thirteen_valid_messages_scan_with_the_right_values() {
    for expected in &VALID {
        let name = expected.name;
        let Some(bytes) = torture(name) else { return };
        let message = Message::scan(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (start, target) = match message.start {
            StartLine::Request { token, uri, .. } => (token.to_owned(), uri.as_bytes()),
            StartLine::Response { code, reason } => (code.to_string(), reason),
        };
        assert_eq!((start.as_str(), target), (expected.start, expected.target.as_bytes()), "{name}");
        assert_eq!(message.call_id(), Ok(expected.call_id), "{name}");
        assert_eq!(message.cseq().map(|cseq| (cseq.number, cseq.token)), Ok(expected.cseq), "{name}");
        assert_eq!(message.from().expect(name).tag(), expected.from_tag, "{name}");
        assert_eq!(message.to().expect(name).tag(), expected.to_tag, "{name}");
        let vias: Vec<_> =
            message.vias().map(|via| (via.transport, via.branch().unwrap_or_default())).collect();
        assert_eq!(vias, expected.vias, "{name}");
        assert_eq!(message.max_forwards(), expected.max_forwards, "{name}");
        assert_eq!(message.contacts().count(), expected.contacts, "{name}");
        assert_eq!(message.body().len(), expected.body, "{name}");
        assert_eq!(message.inspect(), Ok(Repairs::default()), "{name}: nothing to repair");
    }
}

#[test]
fn the_finer_points_of_valid_messages_are_understood() {
    let Some(bytes) = torture("wsinv") else { return };
    let message = Message::scan(&bytes).expect("wsinv");
    assert_eq!(message.from().expect("from").display.to_str(), "J Rosenberg \\\"");
    let contact = message.contact().expect("a contact");
    assert_eq!(contact.display.to_str(), "Quoted string \"\"");
    assert_eq!(
        (contact.params.value("newparam"), contact.params.value("q")),
        (Some("newvalue"), Some("0.33"))
    );
    assert_eq!(message.routes().count(), 1);
    assert_eq!(message.named("UnknownHeaderWithUnusualValue").next(), Some(&b";;,,;;,;"[..]));
    assert!(message.sdp().is_some_and(|sdp| sip::sdp::Sdp::read(sdp).is_ok_and(|sdp| sdp.agreed().is_ok())));

    let bytes = torture("intmeth").expect("beside wsinv");
    let message = Message::scan(&bytes).expect("intmeth");
    assert_eq!(message.method(), Some(Method::Other));
    assert_eq!(
        message.request_uri().and_then(|uri| uri.user()),
        Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
    );

    let bytes = torture("esc02").expect("beside wsinv");
    let message = Message::scan(&bytes).expect("esc02");
    assert_eq!(message.method(), Some(Method::Other), "an escaped REGISTER is no REGISTER");

    let bytes = torture("escnull").expect("beside wsinv");
    let message = Message::scan(&bytes).expect("escnull");
    let users: Vec<_> = message.contacts().collect();
    assert_ne!(users[0], users[1], "%00 does not end an address");

    let bytes = torture("semiuri").expect("beside wsinv");
    let message = Message::scan(&bytes).expect("semiuri");
    assert_eq!(message.request_uri().and_then(|uri| uri.user()), Some("user;par=u%40example.net"));
    assert_eq!(message.tokens(Name::Accept).count(), 6);

    let bytes = torture("mpart01").expect("beside wsinv");
    let message = Message::scan(&bytes).expect("mpart01");
    assert_eq!(message.part("text/plain"), Some(&b"Hello"[..]));
    assert!(message.part("application/octet-stream").is_some_and(|part| part.contains(&0)));
}

/// How an invalid message of §3.1.2 is told from a valid one.
enum Told {
    /// There is no message.
    NoMessage(ScanError),
    /// It cannot be answered.
    NoAnswer(HeaderError),
    /// It is understood, and marked.
    Marked(Repair),
}

const INVALID: [(&str, Told); 19] = [
    ("badinv01", Told::Marked(Repair::EmptyParameter)),
    ("clerr", Told::Marked(Repair::ShortBody)),
    ("ncl", Told::Marked(Repair::BadContentLength)),
    ("scalar02", Told::NoAnswer(HeaderError::Malformed(Name::CSeq))),
    ("scalarlg", Told::NoAnswer(HeaderError::Malformed(Name::CSeq))),
    ("quotbal", Told::Marked(Repair::OpenQuote)),
    ("ltgtruri", Told::Marked(Repair::RequestUri)),
    ("lwsruri", Told::Marked(Repair::StartLineSpace)),
    ("lwsstart", Told::Marked(Repair::StartLineSpace)),
    ("trws", Told::Marked(Repair::StartLineSpace)),
    ("escruri", Told::Marked(Repair::RequestUri)),
    ("baddate", Told::Marked(Repair::Date)),
    ("regbadct", Told::Marked(Repair::Address)),
    ("badaspec", Told::Marked(Repair::Address)),
    ("baddn", Told::Marked(Repair::Address)),
    ("badvers", Told::Marked(Repair::Version)),
    ("mismatch01", Told::Marked(Repair::CSeqMethod)),
    ("mismatch02", Told::Marked(Repair::CSeqMethod)),
    ("bigcode", Told::NoMessage(ScanError::StatusCode)),
];

#[test]
fn invalid_messages_are_refused_or_marked_each_for_what_it_is() {
    for (name, told) in INVALID.iter().chain(&FOR_OTHERS) {
        let Some(bytes) = torture(name) else { return };
        let scanned = Message::scan(&bytes).map(|message| message.inspect());
        match (told, scanned) {
            (Told::NoMessage(expected), Err(error)) => assert_eq!(error, *expected, "{name}"),
            (Told::NoAnswer(expected), Ok(Err(error))) => assert_eq!(error, *expected, "{name}"),
            (Told::Marked(expected), Ok(Ok(repairs))) => {
                assert!(repairs.has(*expected), "{name}: {repairs:?}")
            }
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
}

/// §3.2 to §3.4: the form is right or repaired, what is wrong is for the layers above.
const FOR_OTHERS: [(&str, Told); 3] = [
    ("insuf", Told::NoAnswer(HeaderError::Missing(Name::CallId))),
    ("multi01", Told::Marked(Repair::Repeated)),
    ("mcl01", Told::Marked(Repair::BadContentLength)),
];

/// The rest of §3.2 to §3.4, in which there is nothing to repair.
const WELL_FORMED: [&str; 14] = [
    "unksm2",
    "badbranch",
    "unkscm",
    "novelsc",
    "bext01",
    "invut",
    "regaut01",
    "bcast",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
    "inv2543",
];

#[test]
fn what_is_wrong_above_the_form_is_left_to_the_layers_above() {
    for name in WELL_FORMED {
        let Some(bytes) = torture(name) else { return };
        let message = Message::scan(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(message.inspect(), Ok(Repairs::default()), "{name}");
    }
}

#[test]
fn an_invalid_invite_of_a_carrier_still_gives_caller_called_and_audio() {
    for name in
        ["badinv01", "clerr", "ncl", "quotbal", "ltgtruri", "lwsruri", "lwsstart", "escruri", "baddate"]
    {
        let Some(bytes) = torture(name) else { return };
        let message = Message::scan(&bytes).expect(name);
        assert_eq!(message.method(), Some(Method::Invite), "{name}");
        assert_eq!(message.request_uri().and_then(|uri| uri.user()), Some("user"), "{name}");
        assert!(matches!(message.from().expect(name).uri, Uri::Sip { user: Some("caller"), .. }), "{name}");
        let sdp = sip::sdp::Sdp::read(message.sdp().expect(name)).expect(name);
        assert!(sdp.agreed().is_ok(), "{name}");
    }
}

#[test]
fn nothing_of_a_person_is_in_what_a_message_prints_for_debugging() {
    let message = Message::scan(OURS).expect("our message");
    let contacts: Vec<_> = message.contacts().collect();
    let text = format!(
        "{message:?} {:?} {:?} {:?} {contacts:?} {:?} {:?}",
        message.start,
        message.from(),
        message.request_uri(),
        message.authorization(),
        message.identities().collect::<Vec<_>>()
    );
    for secret in ["2315", "33", "ohn", "user=phone", "\"u\"", "[51, "] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Reads everything there is to read; the result is of no interest, that there is one is.
fn read_everything(bytes: &[u8]) {
    let Ok(message) = Message::scan(bytes) else { return };
    let _ = message.inspect();
    let _ = (message.via(), message.from(), message.to(), message.call_id(), message.cseq());
    let lists = message.vias().count() + message.contacts().count() + message.routes().count();
    let people = message.identities().count() + message.diversion().count() + message.history_info().count();
    let _ = (lists, people, message.record_routes().count(), message.reasons().count());
    let _ =
        (message.max_forwards(), message.expires(), message.rack(), message.privacy(), message.retry_after());
    let _ = (message.authorization(), message.www_authenticate().count(), message.content_type());
    let _ = message.from().map(|from| from.display.to_str().len());
    let _ = message.request_uri().map(|uri| (uri.user().map(str::len), uri.address()));
    let _ = message.sdp().map(|sdp| sip::sdp::Sdp::read(sdp).map(|sdp| sdp.agreed()));
    let _ = message.part("application/pidf+xml");
    let source = "192.0.2.1:5060".parse().expect("an address");
    let answer = sip::message::Builder::response_to(&message, 400, Some("t"), source).finish();
    let answer = Message::scan(&answer).expect("what we print is a message");
    assert_eq!(answer.code(), Some(400));
    assert_eq!(answer.body(), b"", "nothing a peer wrote ends our headers early");
    let mut framer = sip::transport::Framer::new();
    framer.push(bytes);
    while framer.next().is_some() {}
}

/// A call as it may come, for where the torture messages are not.
const OURS: &[u8] = b"INVITE sip:%2315@[2001:db8::1]:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP [2001:db8::9]:5060 ; branch=z9hG4bKx;rport, SIP/2.0/TCP h\r\nRoute: <sip:a;lr>,<sip:b?x=y>\r\n\
    From: \"Doe, <J\\\"ohn>\" <tel:+33;phone-context=\"a;b\">;tag=1\r\nTo: <urn:service:sos>\r\ni: c@h\r\nCSeq: 1 INVITE\r\n\
    m: <sip:a@[::1]>;expires=5, *\r\nP-Asserted-Identity: <tel:+331>, \"x\" <sip:+331@h>\r\nDiversion: <sip:a@h>;reason=x\r\n\
    Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"00\", qop=auth, nc=1, cnonce=\"c\"\r\n\
    Reason: Q.850;cause=16;text=\"a,b\"\r\nRAck: 1 2 INVITE\r\nMax-Forwards: 70\r\nPrivacy: id;user\r\n\
    Content-Type: multipart/mixed;boundary=\"b\"\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP6 ::1\r\n\
    c=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n--b--\r\n";

#[test]
fn no_mutilated_message_makes_a_reader_panic() {
    let mut sources = vec![OURS.to_vec()];
    sources.extend(
        VALID.iter().map(|valid| valid.name).chain(INVALID.iter().map(|(name, _)| *name)).map_while(torture),
    );
    let mut state = 0x9e37_79b9_7f4a_7c15_u64; // the same mutilations every time
    let mut chance = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below.max(1)
    };
    for source in &sources {
        (0..source.len()).step_by(7).for_each(|end| read_everything(&source[..end]));
        for _ in 0..200 {
            let mut bytes = source.clone();
            for _ in 0..=chance(4) {
                let at = chance(bytes.len());
                match chance(3) {
                    0 => bytes[at] = b"\r\n \t\"<>;,:=@[]?/\\-\0\xff"[chance(20)],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"\r\n \t\"<>;,:=@[]?/\\-\0\xff"[chance(20)]),
                }
            }
            read_everything(&bytes);
        }
    }
}
