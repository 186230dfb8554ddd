//! What a carrier's message that nobody can read becomes: mended and a call, or refused and an alarm.

mod wire;

use sip::endpoint::{Counter, Event};
use sip::transport::Peer;
use wire::desk::{Desk, TRUNK, request, shorts};
use wire::{ANSWER, OFFER, now, tag, value};

/// What a network has made of a request.
type Change = fn(&str) -> Vec<u8>;

/// What each has made of an INVITE (and of every other request of its call), and how it is marked.
const MENDED: [(&str, Change, &str); 22] = [
    ("no version", |it| changed(it, b" SIP/2.0", b""), "version"),
    ("half a version", |it| changed(it, b" SIP/2.0", b" SIP/2"), "version"),
    ("a word behind the version", |it| changed(it, b" SIP/2.0", b" SIP/2.0 x"), "version"),
    ("another protocol", |it| changed(it, b" SIP/2.0", b" HTTP/1.1"), "version"),
    ("no Request-URI", |it| changed(it, b" sip:15@192.0.2.2 ", b" "), "request_uri"),
    ("a Request-URI in Latin-1", |it| changed(it, b"sip:15@192.0.2.2", b"sip:\xe9@h"), "latin_1"),
    ("a Call-ID in Latin-1", |it| changed(it, b"Call-ID: one", b"Call-ID: on\xe9"), "latin_1"),
    ("a Via of a transport", |it| changed(it, VIA, b"Via: SIP/2.0/UDP"), "via"),
    ("a Via without sender", |it| changed(it, b"UDP 10.0.0.9:5060", b"UDP "), "via"),
    ("a Via of an address", |it| changed(it, b"SIP/2.0/UDP 10", b"10"), "via"),
    ("From nobody", |it| changed(it, FROM, b"<>"), "address"),
    ("From a tag", |it| changed(it, FROM, b""), "address"),
    ("From a name", |it| changed(it, FROM, b"\"Nour\" <>"), "address"),
    ("To nobody", |it| changed(it, b"To: <sip:15@192.0.2.2>", b"To: <>"), "address"),
    ("an empty To", |it| changed(it, b"To: <sip:15@192.0.2.2>", b"To: "), "address"),
    ("a number and a method in one word", |it| changed(it, b"CSeq: 1 ", b"CSeq: 1"), "cseq"),
    ("a word behind the method", |it| changed(it, b"\r\nContact", b" x\r\nContact"), "cseq"),
    ("no method", |it| changed(it, b"CSeq: 1 INVITE", b"CSeq: 1"), "cseq"),
    ("half a number", |it| changed(it, b"CSeq: 1 ", b"CSeq: 1.5 "), "cseq"),
    ("a number below nothing", |it| changed(it, b"CSeq: 1 ", b"CSeq: -1 "), "cseq"),
    ("a number beyond 32 bits", |it| changed(it, b"CSeq: 1 ", b"CSeq: 4294967297 "), "cseq"),
    (
        "all at once",
        |it| changed(&text(&changed(it, b" SIP/2.0", b"")), b"<sip:0612@198.51.100.7>", b"<>"),
        "version",
    ),
];

const VIA: &[u8] = b"Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1;rport";
const FROM: &[u8] = b"<sip:0612@198.51.100.7>";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `text` with the first `from` as `to`.
fn changed(text: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let from = std::str::from_utf8(from).expect("text");
    match text.split_once(from) {
        Some((before, after)) => [before.as_bytes(), to, after.as_bytes()].concat(),
        None => text.as_bytes().to_vec(),
    }
}

#[test]
fn i9_a_trunk_s_call_is_mended_where_it_can_be_and_goes_on_to_its_end() {
    for (what, change, mark) in MENDED {
        let mut desk = Desk::new();
        let hear = |desk: &mut Desk, text: &str| {
            desk.endpoint.handle_message(now(desk.at), desk.flow, TRUNK, &change(text));
            desk.take()
        };
        let sent = hear(&mut desk, &request("INVITE", "1", "", ""));
        assert_eq!(shorts(&sent), ["100 INVITE"], "{what}");
        let called = desk.events.iter().find_map(|it| match it {
            Event::Invited { invite, .. } => Some((invite.uri.clone(), invite.repairs.clone())),
            _ => None,
        });
        let (uri, marks) = called.expect(what);
        assert!(marks.contains(&mark), "{what}: {marks:?}");
        assert!(uri == "sip:15@192.0.2.2" || uri == "sip:\u{e9}@h", "{what}: {uri}");
        assert_eq!(hear(&mut desk, &request("INVITE", "1", "", "")), sent, "{what}: a copy is a copy");
        let (dialog, ours) = (desk.calls()[0], format!(";tag={}", tag(&value(&sent[0], "To"))));
        desk.endpoint.answer(now(desk.at), dialog, ANSWER);
        assert_eq!(shorts(&desk.take()), ["200 INVITE"], "{what}");
        hear(&mut desk, &request("ACK", "2", &ours, ""));
        let confirmed = desk.events.iter().any(|it| matches!(it, Event::Confirmed { .. }));
        assert!(confirmed, "{what}: its ACK is known");
        let bye = request("BYE", "3", &ours, "").replace("CSeq: 1", "CSeq: 2");
        assert_eq!(shorts(&hear(&mut desk, &bye)), ["200 BYE"], "{what}");
        assert_eq!(desk.events.iter().filter(|it| is_refusal(it)).count(), 0, "{what}");
    }
}

fn is_refusal(event: &Event) -> bool {
    matches!(event, Event::Counted(Counter::TrunkRefused(_) | Counter::ParseError(_)))
}

#[test]
fn what_is_mended_for_a_trunk_is_refused_to_a_stranger_as_before() {
    for (what, change, mark) in MENDED {
        let mut desk = Desk::new();
        let bytes = change(&request("INVITE", "1", "", ""));
        desk.endpoint.handle_message(now(desk.at), desk.flow, Peer::Stranger, &bytes);
        let sent: Vec<String> = desk.take().iter().map(|it| it[8..11].to_owned()).collect();
        // Without a start line or a Via there is nothing a stranger could be answered with.
        let is_mute = matches!(mark, "version" | "request_uri" | "via") || what.contains("Request-URI");
        assert_eq!(sent, if is_mute { vec![] } else { vec!["400".to_owned()] }, "{what}");
        assert!(desk.calls().is_empty() && desk.endpoint.poll_timeout().is_none(), "{what}");
    }
}

#[test]
fn a_call_id_in_latin_1_is_given_back_as_it_came() {
    let mut desk = Desk::new();
    let invite = changed(&request("INVITE", "1", "", ""), b"Call-ID: one", b"Call-ID: \xe9\xff1");
    let hear = |desk: &mut Desk, bytes: &[u8]| {
        desk.endpoint.handle_message(now(desk.at), desk.flow, TRUNK, bytes);
        let sent = std::iter::from_fn(|| desk.endpoint.poll_transmit());
        sent.map(|it| it.bytes).collect::<Vec<_>>()
    };
    let is_whole = |bytes: &[u8]| bytes.windows(13).any(|it| it == b"\nCall-ID: \xe9\xff1");
    assert!(hear(&mut desk, &invite).iter().all(|it| is_whole(it)));
    desk.events.extend(std::iter::from_fn(|| desk.endpoint.poll_event()));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, ANSWER);
    desk.endpoint.end(now(desk.at), dialog, None);
    let sent: Vec<_> = std::iter::from_fn(|| desk.endpoint.poll_transmit()).map(|it| it.bytes).collect();
    assert!(!sent.is_empty() && sent.iter().all(|it| is_whole(it)), "in requests of ours, too");
}

#[test]
fn a_trunk_s_invite_that_cannot_be_mended_is_400_and_an_alarm() {
    for lost in
        ["Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1;rport\r\n", "Call-ID: one\r\n", "CSeq: 1 INVITE\r\n"]
    {
        let invite = request("INVITE", "1", "", "").replace(lost, "");
        let mut desk = Desk::new();
        let sent = desk.hear(TRUNK, &invite);
        assert_eq!(sent.len(), 1, "{lost}");
        assert!(sent[0].starts_with("SIP/2.0 400 "), "{lost}: {sent:?}");
        assert_eq!(desk.counted(&Counter::TrunkRefused(400)), 1, "{lost}");
        assert!(desk.hear(TRUNK, &invite.replace("INVITE", "ACK")).is_empty(), "an ACK has no answer");
    }
    let mut desk = Desk::new();
    assert!(
        desk.hear(TRUNK, "INVITE sip:15@h SIP/2.0\r\n\r\n").is_empty(),
        "nobody would know what is refused"
    );
    assert_eq!(desk.counted(&Counter::TrunkRefused(400)), 1, "an alarm all the same");
    let mut desk = Desk::new();
    let headless = request("INVITE", "1", "", "")
        .replace("Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1;rport\r\n", "");
    for peer in [Peer::Stranger, Peer::Phone] {
        assert!(desk.hear(peer, &headless).is_empty(), "only a carrier's address is believed: {peer:?}");
    }
}

/// An INVITE of a trunk with this body, and its description as it is read.
fn described(kind: &str, length: Option<usize>, body: &str) -> Option<sip::sdp::Sdp> {
    let mut desk = Desk::new();
    let length = length.unwrap_or(body.len());
    let tail = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    desk.hear(TRUNK, &request("INVITE", "1", "", "").replace("Content-Length: 0\r\n\r\n", &tail));
    desk.events.iter().find_map(|it| match it {
        Event::Invited { invite, .. } => sip::sdp::Sdp::read(invite.sdp.as_deref()?).ok(),
        _ => None,
    })
}

#[test]
fn a_description_of_a_trunk_is_whole_whatever_its_length_its_code_or_its_beginning() {
    let plain = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";
    let headless = plain.trim_start_matches("v=0\r\n");
    let coded = "dj0wDQpvPS0gMSAxIElOIElQNCAxOTIuMC4yLjkNCnM9LQ0KYz1JTiBJUDQgMTkyLjAuMi45DQp0\r\n\
        PTAgMA0KbT1hdWRpbyA0MDAwIFJUUC9BVlAgOCAxMDENCmE9cnRwbWFwOjEwMSB0ZWxlcGhvbmUt\r\nZXZlbnQvODAwMA0KYT1zZW5kb25seQ0K\r\n";
    let part = |head: &str, sdp: &str| {
        format!(
            "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n{head}\r\n{sdp}\r\n--b--\r\n"
        )
    };
    let (sdp, mixed) = ("application/sdp", "multipart/mixed;boundary=b");
    let expected = described(sdp, None, plain).expect("a description");
    for (what, kind, length, body) in [
        ("a length of twenty", sdp, Some(20), plain.to_owned()),
        ("a length of nothing", sdp, Some(0), plain.to_owned()),
        ("lines counted with one end", sdp, Some(plain.replace('\r', "").len()), plain.to_owned()),
        ("no v=", sdp, None, headless.to_owned()),
        ("no v= and a short length", sdp, Some(9), headless.to_owned()),
        ("a part", mixed, None, part("", plain)),
        ("a part behind the length", mixed, Some(30), part("", plain)),
        ("a part in base64", mixed, None, part("content-transfer-encoding : BASE64\r\n", coded)),
        ("a part without v=", mixed, None, part("", headless)),
    ] {
        assert_eq!(described(kind, length, &body), Some(expected.clone()), "{what}");
    }
    let mut desk = Desk::new();
    let more = "Content-Transfer-Encoding: base64\r\nContent-Type: application/sdp\r\n";
    let whole = request("INVITE", "1", "", more);
    let whole = whole
        .replace("Content-Length: 0\r\n\r\n", &format!("Content-Length: {}\r\n\r\n{coded}", coded.len()));
    desk.hear(TRUNK, &whole);
    let Some(Event::Invited { invite, .. }) = desk.events.iter().find(|it| it.dialog().is_some()) else {
        panic!("no call")
    };
    assert_eq!(invite.sdp.as_deref(), Some(plain.as_bytes()));
    assert!(invite.repairs.contains(&"sdp"));
}

#[test]
fn what_stands_behind_a_message_is_none_of_it() {
    let mut desk = Desk::new();
    let offer = String::from_utf8_lossy(OFFER);
    let tail = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}", OFFER.len());
    let whole = request("INVITE", "1", "", "").replace("Content-Length: 0\r\n\r\n", &tail);
    for (branch, behind) in
        [("1", "\0\0\0"), ("2", "\r\n"), ("3", "BYE sip:15@h SIP/2.0\r\n\r\n"), ("4", "a=sendonly\r\n")]
    {
        let call = whole
            .replace("z9hG4bK1", &format!("z9hG4bK{branch}"))
            .replace("Call-ID: one", &format!("Call-ID: {branch}"));
        desk.hear(TRUNK, &format!("{call}{behind}"));
    }
    let offers = desk.events.iter().filter_map(|it| match it {
        Event::Invited { invite, .. } => invite.sdp.as_deref(),
        _ => None,
    });
    assert_eq!(offers.collect::<Vec<_>>(), [OFFER; 4]);
}

#[test]
fn behind_what_a_trunk_s_stream_cannot_be_cut_the_trunk_is_told_why() {
    use sip::transport::FramingError::{ContentLength, TooLong};
    let whole = request("INVITE", "1", "", "");
    let long = whole.replace("\r\nContact", &format!("\r\nSubject: {}", "a".repeat(70_000)));
    for (head, error, code) in [(&whole, ContentLength, 400), (&whole, TooLong, 513), (&long, TooLong, 513)] {
        for (peer, counted) in [(TRUNK, 1), (Peer::Phone, 0), (Peer::Stranger, 0)] {
            let mut desk = Desk::new();
            desk.endpoint.handle_unframed(desk.flow, peer, head.as_bytes(), error);
            assert_eq!(shorts(&desk.take()), vec![format!("{code} INVITE"); counted]);
            assert_eq!(desk.counted(&Counter::TrunkRefused(code)), counted);
            assert_eq!(desk.counted(&Counter::ParseError(error.label())), 1);
        }
    }
}
