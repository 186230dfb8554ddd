//! Every pitfall of the field (`media.md`, "SIP pitfalls worth a test each") as a carrier's INVITE: the
//! call arrives, and with the right values.

mod wire;

use sip::endpoint::{Event, Invite};
use sip::message::Message;
use sip::transport::Peer;
use wire::desk::{Desk, TRUNK, request, shorts};
use wire::{OFFER, now, short, tag, value};

const VIA: &str = "Via: SIP/2.0/UDP 198.51.100.7:40000;branch=z9hG4bKpit;rport\r\n";
const FROM: &str = "From: <sip:+33612345678@198.51.100.7>;tag=caller\r\n";
const TO: &str = "To: <sip:15@192.0.2.2>\r\n";
const REST: &str =
    "Call-ID: pit\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:198.51.100.7:40000>\r\n";

fn body() -> String {
    let sdp = String::from_utf8_lossy(OFFER);
    format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len())
}

/// The call these bytes make at a trunk, and what was sent.
fn call(bytes: &[u8]) -> (Box<Invite>, Vec<String>) {
    let mut desk = Desk::new();
    desk.endpoint.handle_message(now(desk.at), desk.flow, TRUNK, bytes);
    let sent = desk.take();
    assert_eq!(
        sent.first().map(|text| short(text)).as_deref(),
        Some("100 INVITE"),
        "{}",
        String::from_utf8_lossy(bytes)
    );
    let invite = desk.events.into_iter().find_map(|event| match event {
        Event::Invited { invite, .. } => Some(invite),
        _ => None,
    });
    (invite.expect("the call arrives"), sent)
}

fn whole(head: &str) -> Box<Invite> {
    call(format!("{head}{}", body()).as_bytes()).0
}

const LINE: &str = "INVITE sip:15@192.0.2.2 SIP/2.0\r\n";

#[test]
fn leading_line_ends_are_passed_over_and_a_keep_alive_is_nothing() {
    let invite = whole(&format!("\r\n\r\n{LINE}{VIA}{FROM}{TO}{REST}"));
    assert_eq!(invite.uri, "sip:15@192.0.2.2");
    let mut desk = Desk::new();
    for ping in ["\r\n\r\n", "\r\n", "\0\0\0\0"] {
        assert!(desk.hear(TRUNK, ping).is_empty());
    }
    assert!(desk.events.is_empty());
}

#[test]
fn folded_and_compact_headers_are_read() {
    let invite = whole(&format!(
        "{LINE}v: SIP/2.0/UDP\r\n 198.51.100.7:40000\r\n\t;branch=z9hG4bKpit;rport\r\nf: \"Doe\r\n John\" <sip:+33612345678@h>\r\n ;tag=1\r\n\
         t: <sip:15@192.0.2.2>\r\ni: pit\r\nm: <sip:198.51.100.7:40000>\r\nk: timer\r\nCSeq: 7\r\n INVITE\r\n"
    ));
    assert_eq!(invite.from.display.as_deref(), Some("Doe John"));
    assert_eq!((invite.call_id.as_str(), invite.repairs.len()), ("pit", 0));
}

#[test]
fn space_before_a_colon_and_around_a_semicolon_is_nothing() {
    let invite = whole(&format!(
        "{LINE}Via :SIP/2.0/UDP 198.51.100.7:40000 ; branch = z9hG4bKpit ; rport\r\nFrom \t: <sip:0612@h> ; tag = x\r\n{TO}{REST}"
    ));
    assert_eq!((invite.from.number.as_deref(), invite.repairs.len()), (Some("0612"), 0));
}

#[test]
fn comma_lists_of_via_and_record_route_come_back_in_order() {
    let hops = "Via: SIP/2.0/UDP 198.51.100.7:40000;branch=z9hG4bKpit;rport, SIP/2.0/TCP far.example;branch=z9hG4bKfar\r\n";
    let routes = "Record-Route: <sip:198.51.100.7:40000;lr>, <sip:far.example;lr>\r\nRoute: <sip:192.0.2.2;lr>, <sip:x;lr>\r\n";
    let mut desk = Desk::new();
    desk.hear(TRUNK, &format!("{LINE}{hops}{routes}{FROM}{TO}{REST}{}", body()));
    let dialog = desk.calls()[0];
    desk.endpoint.answer(now(desk.at), dialog, wire::ANSWER);
    let answer = desk.take().remove(0);
    let message = Message::scan(answer.as_bytes()).expect("ours");
    let branches: Vec<_> = message.vias().filter_map(|via| via.branch()).collect();
    assert_eq!(branches, ["z9hG4bKpit", "z9hG4bKfar"]);
    let path: Vec<_> = message.record_routes().map(|hop| hop.raw_uri).collect();
    assert_eq!(path, [&b"sip:198.51.100.7:40000;lr"[..], b"sip:far.example;lr"]);
}

#[test]
fn comma_lists_of_contact_identity_diversion_and_history_are_lists() {
    let lists = "P-Asserted-Identity: \"Doe, J\" <sip:+33145000000@h;user=phone>, <tel:+33145000000>\r\n\
         Diversion: <sip:+33140000001@h>;reason=no-answer, <sip:+33140000002@h>\r\n\
         History-Info: <sip:15@h>;index=1, <sip:samu@h>;index=1.1\r\nContact: <sip:198.51.100.7:40000>, <sip:b@h>\r\n";
    let invite = whole(&format!("{LINE}{VIA}{FROM}{TO}Call-ID: pit\r\nCSeq: 7 INVITE\r\n{lists}"));
    let numbers: Vec<_> = invite.identities.iter().filter_map(|party| party.number.as_deref()).collect();
    assert_eq!(numbers, ["+33145000000", "+33145000000"]);
    assert_eq!(invite.identities[0].display.as_deref(), Some("Doe, J"));
    let names: Vec<_> = invite.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"Diversion") && names.contains(&"History-Info"));
}

#[test]
fn a_comma_and_a_bracket_in_a_quoted_name_are_the_name() {
    let invite = whole(&format!("{LINE}{VIA}From: \"Doe, <John>\" <sip:0612@h>;tag=1\r\n{TO}{REST}"));
    assert_eq!(invite.from.display.as_deref(), Some("Doe, <John>"));
    assert_eq!((invite.from.number.as_deref(), invite.from.uri.as_str()), (Some("0612"), "sip:0612@h"));
}

#[test]
fn a_tel_uri_and_a_service_urn_may_be_called() {
    for uri in ["tel:+33144490015", "urn:service:sos", "urn:service:sos.ambulance", "sips:15@192.0.2.2"] {
        let invite = whole(&format!("INVITE {uri} SIP/2.0\r\n{VIA}{FROM}{TO}{REST}"));
        assert_eq!((invite.uri.as_str(), invite.repairs.len()), (uri, 0));
    }
}

#[test]
fn an_escaped_hash_stays_so_in_a_uri_and_is_a_hash_in_a_number() {
    let invite = whole(&format!(
        "INVITE sip:%2315%23@192.0.2.2 SIP/2.0\r\n{VIA}From: <sip:%230612@h>;tag=1\r\n{TO}{REST}"
    ));
    assert_eq!(
        (invite.uri.as_str(), invite.from.number.as_deref()),
        ("sip:%2315%23@192.0.2.2", Some("#0612"))
    );
}

#[test]
fn a_latin_1_name_is_transcoded_and_never_drops_the_call() {
    let mut bytes = format!("{LINE}{VIA}From: \"H").into_bytes();
    bytes.extend_from_slice(b"\xf4pital\" <sip:0612@h>;tag=1\r\n");
    bytes.extend_from_slice(format!("{TO}{REST}Subject: ").as_bytes());
    bytes.extend_from_slice(b"\xe9\xe8\r\n");
    bytes.extend_from_slice(body().as_bytes());
    let (invite, _) = call(&bytes);
    assert_eq!(invite.from.display.as_deref(), Some("Hôpital"));
}

#[test]
fn a_method_we_lack_gets_405_and_one_nobody_knows_501_with_what_we_allow() {
    let mut desk = Desk::new();
    for (method, code) in [("PUBLISH", "405 PUBLISH"), ("DANCE", "501 DANCE")] {
        let sent = desk.hear(TRUNK, &request(method, method, "", ""));
        assert_eq!(shorts(&sent), [code]);
        assert!(value(&sent[0], "Allow").contains("INVITE"));
    }
}

#[test]
fn without_content_length_the_body_is_the_rest_of_the_datagram() {
    let sdp = String::from_utf8_lossy(OFFER);
    let (invite, _) =
        call(format!("{LINE}{VIA}{FROM}{TO}{REST}Content-Type: application/sdp\r\n\r\n{sdp}").as_bytes());
    assert_eq!(invite.sdp.as_deref(), Some(OFFER));
}

#[test]
fn bytes_behind_content_length_are_ignored_and_one_beyond_the_datagram_is_marked() {
    let (invite, _) = call(format!("{LINE}{VIA}{FROM}{TO}{REST}{}a=sendonly\r\n", body()).as_bytes());
    assert_eq!((invite.sdp.as_deref(), invite.repairs.len()), (Some(OFFER), 0));
    let sdp = String::from_utf8_lossy(OFFER);
    let long = format!(
        "{LINE}{VIA}{FROM}{TO}{REST}Content-Type: application/sdp\r\nContent-Length: 9999\r\n\r\n{sdp}"
    );
    let (invite, _) = call(long.as_bytes());
    assert_eq!((invite.sdp.as_deref(), &invite.repairs[..]), (Some(OFFER), &["short_body"][..]));
}

#[test]
fn a_cseq_of_another_method_is_repaired_for_a_trunk_and_400_to_a_phone() {
    let text =
        format!("{LINE}{VIA}{FROM}{TO}Call-ID: pit\r\nCSeq: 7 OPTIONS\r\nContact: <sip:h>\r\n{}", body());
    let mut desk = Desk::new();
    desk.hear(TRUNK, &text);
    let Some(Event::Invited { invite, .. }) = desk.events.iter().find(|event| event.dialog().is_some())
    else {
        panic!("the call arrives");
    };
    assert_eq!(invite.repairs, ["cseq_method"]);
    assert_eq!(desk.endpoint.snapshot(desk.calls()[0]).map(|it| it.remote_cseq), Some(Some(7)));
    let refused = Desk::new().hear(Peer::Phone, &text);
    assert!(refused[0].starts_with("SIP/2.0 400 "));
}

#[test]
fn the_description_in_a_binary_multipart_body_is_found() {
    let sdp = String::from_utf8_lossy(OFFER);
    let head = format!("{LINE}{VIA}{FROM}{TO}{REST}Content-Type: multipart/mixed;boundary=\"x\"\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(
        b"--x\r\nContent-Type: application/EmergencyCallData.eCall.MSD\r\n\r\n\x02\x00\xff\r\n--x\r\n",
    );
    bytes.extend_from_slice(
        format!("Content-Type: application/sdp\r\n\r\n{}\r\n--x--\r\n", sdp.trim_end()).as_bytes(),
    );
    let (invite, _) = call(&bytes);
    assert_eq!(invite.sdp.as_deref(), Some(sdp.trim_end().as_bytes()));
}

#[test]
fn ipv6_and_colons_in_parameters_are_no_ports() {
    let via = "Via: SIP/2.0/UDP [2001:db8::9]:5062;received=2001:db8::9:255;branch=z9hG4bKpit;rport\r\n";
    let (invite, sent) = call(format!("INVITE sip:15@[2001:db8::2]:5060 SIP/2.0\r\n{via}From: <sip:0612@[2001:db8::9]>;tag=a:b:c\r\n{TO}{REST}{}", body()).as_bytes());
    assert_eq!(invite.from.number.as_deref(), Some("0612"));
    assert_eq!(tag(&value(&sent[0], "From")), "a:b:c");
    assert!(
        value(&sent[0], "Via").starts_with("SIP/2.0/UDP [2001:db8::9]:5062"),
        "{}",
        value(&sent[0], "Via")
    );
}

#[test]
fn sixty_four_kilobytes_128_headers_and_8_kilobytes_in_one_are_the_most() {
    let headers = |count: usize| "X-Carrier: 1\r\n".repeat(count);
    // Via, From, To, four of REST and two of the body are nine.
    whole(&format!("{LINE}{VIA}{FROM}{TO}{REST}{}", headers(128 - 9)));
    let many = format!("{LINE}{VIA}{FROM}{TO}{REST}{}", headers(128 - 6));
    assert_eq!(whole(&many).repairs, ["long_header"], "what is beyond is left out, not the call");
    let mut desk = Desk::new();
    let long = format!("{LINE}{VIA}{FROM}{TO}{REST}X: {}\r\n{}", "x".repeat(66_000), body());
    assert!(desk.hear(TRUNK, &long).is_empty() && desk.calls().is_empty());
    let (most, more) = ("x".repeat(8_000), "x".repeat(9_000));
    assert!(whole(&format!("{LINE}{VIA}{FROM}{TO}{REST}X: {most}\r\n")).repairs.is_empty());
    let long = format!("{LINE}{VIA}{FROM}{TO}{REST}Subject: {more}\r\n");
    assert_eq!(whole(&long).repairs, ["long_header"], "a header beyond 8 kB is left out, not the call");
    let from = format!("From: \"{more}\" <sip:0612@h>;tag=1\r\n");
    assert_eq!(
        whole(&format!("{LINE}{VIA}{from}{TO}{REST}")).from.number.as_deref(),
        Some("0612"),
        "but for what it needs"
    );
    assert!(Desk::new().hear(Peer::Phone, &format!("{long}{}", body()))[0].starts_with("SIP/2.0 100"));
}

#[test]
fn a_call_with_more_headers_than_we_keep_is_a_call() {
    let many: String = (0..200).map(|n| format!("History-Info: <sip:{n}@h>;index={n}\r\n")).collect();
    let invite = whole(&format!("{LINE}{many}{VIA}{FROM}{TO}{REST}"));
    assert_eq!((invite.from.number.as_deref(), invite.repairs), (Some("+33612345678"), vec!["long_header"]));
    assert!(invite.sdp.is_some());
}

#[test]
fn an_offer_in_a_body_cut_short_or_of_another_type_is_the_offer() {
    let sdp = String::from_utf8_lossy(OFFER);
    let open = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{sdp}");
    for (kind, body) in [
        ("multipart/mixed;boundary=b", open),
        ("text/plain", sdp.to_string()),
        ("application/sdp", format!("\r\n{sdp}")),
    ] {
        let head = format!(
            "{LINE}{VIA}{FROM}{TO}{REST}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let invite = call(format!("{head}{body}").as_bytes()).0;
        let offer = invite.sdp.expect("the offer");
        assert!(sip::sdp::Sdp::read(&offer).expect("a description").agreed().is_ok(), "{kind}");
    }
}
