//! Requests outside any dialog, the listeners peers are told, and requests too long for a datagram.

mod wire;

use sip::endpoint::{Ask, Credentials, Endpoint, Errand, ErrandEnd, Event, Outgoing};
use sip::time::Instant;
use sip::transport::{Flow, Peer, Transmit, Transport};
use std::net::SocketAddr;
use std::time::Duration;
use wire::{A, B, OFFER, address, config, now};

fn flow(transport: Transport) -> Flow {
    Flow { transport, local: address(A), remote: address(B), connection: 0 }
}

fn start() -> (Endpoint, Instant) {
    (Endpoint::new(config(address(A)), 7), Instant::ZERO + Duration::from_secs(1))
}

fn errand(ask: Ask) -> Errand {
    Errand {
        ask,
        flow: flow(Transport::Udp),
        uri: "sip:carrier.example".to_owned(),
        from: "<sip:samu@carrier.example>".to_owned(),
        to: "<sip:samu@carrier.example>".to_owned(),
        user: matches!(ask, Ask::Register { .. }).then(|| "samu".to_owned()),
        call_id: String::new(),
        cseq: 0,
        credentials: Some(Credentials { user: "samu".to_owned(), password: "geheim".to_owned() }),
    }
}

fn sent(endpoint: &mut Endpoint) -> Vec<(Transmit, String)> {
    let text = |it: &Transmit| String::from_utf8(it.bytes.to_vec()).expect("text");
    std::iter::from_fn(|| endpoint.poll_transmit()).map(|it| (it.clone(), text(&it))).collect()
}

fn line<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

/// What a peer answers to `request`.
fn answer(request: &str, code: &str, more: &str) -> String {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
    let copied: String = copied.iter().map(|name| format!("{name}: {}\r\n", line(request, name))).collect();
    format!("SIP/2.0 {code}\r\n{copied}{more}Content-Length: 0\r\n\r\n")
}

fn end(endpoint: &mut Endpoint) -> Option<ErrandEnd> {
    std::iter::from_fn(|| endpoint.poll_event()).find_map(|event| match event {
        Event::ErrandDone { end, .. } => Some(end),
        _ => None,
    })
}

#[test]
fn whatever_a_peer_answers_to_options_it_lives() {
    for code in ["200 OK", "405 Method Not Allowed", "503 Service Unavailable"] {
        let (mut endpoint, at) = start();
        endpoint.run(now(at), errand(Ask::Options));
        let (_, request) = sent(&mut endpoint).remove(0);
        assert!(request.starts_with("OPTIONS sip:carrier.example SIP/2.0\r\n"), "{request}");
        endpoint.handle_message(
            now(at),
            flow(Transport::Udp),
            Peer::Trunk(0),
            answer(&request, code, "").as_bytes(),
        );
        let end = end(&mut endpoint).expect("an end");
        assert_eq!((end.code.to_string().as_str(), end.heard), (&code[..3], true));
    }
}

#[test]
fn silence_ends_an_errand_too_and_nothing_is_left() {
    let (mut endpoint, at) = start();
    endpoint.run(now(at), errand(Ask::Options));
    endpoint.handle_due(now(at + Duration::from_secs(33)));
    let end = end(&mut endpoint).expect("an end");
    assert_eq!((end.code, end.heard), (408, false));
    assert!(sent(&mut endpoint).len() > 1, "it was repeated");
    assert!(endpoint.is_idle());
}

#[test]
fn a_registration_proves_itself_once_and_says_how_long_it_holds() {
    let (mut endpoint, at) = start();
    endpoint.run(now(at), errand(Ask::Register { expires: 600 }));
    let (_, first) = sent(&mut endpoint).remove(0);
    assert_eq!(line(&first, "Contact"), "<sip:samu@192.0.2.1:5060>");
    let challenge = "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n";
    let refusal = answer(&first, "401 Unauthorized", challenge);
    endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), refusal.as_bytes());
    let (_, second) = sent(&mut endpoint).remove(0);
    assert!(line(&second, "Authorization").contains("algorithm=SHA-256"), "{second}");
    assert_eq!((line(&first, "CSeq"), line(&second, "CSeq")), ("1 REGISTER", "2 REGISTER"));
    assert_eq!(line(&first, "Call-ID"), line(&second, "Call-ID"));
    let granted = answer(&second, "200 OK", "Contact: <sip:samu@192.0.2.1:5060>;expires=300\r\n");
    endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), granted.as_bytes());
    let end = end(&mut endpoint).expect("an end");
    assert_eq!((end.code, end.cseq, end.expires), (200, 2, Some(300)));
}

#[test]
fn a_second_challenge_refuses_the_credentials() {
    let (mut endpoint, at) = start();
    endpoint.run(now(at), errand(Ask::Register { expires: 600 }));
    for _ in 0..2 {
        let (_, request) = sent(&mut endpoint).remove(0);
        let challenge = "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\"\r\n";
        let refusal = answer(&request, "401 Unauthorized", challenge);
        endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), refusal.as_bytes());
    }
    assert_eq!(end(&mut endpoint).map(|end| end.code), Some(401));
}

#[test]
fn peers_are_told_the_listener_of_their_transport_and_family() {
    let (mut endpoint, at) = start();
    let tls: SocketAddr = "198.51.100.1:5061".parse().expect("an address");
    let six: SocketAddr = "[2001:db8::1]:5062".parse().expect("an address");
    endpoint.listens(Transport::Tls, tls);
    endpoint.listens(Transport::Udp, six);
    let mut told = |flow: Flow| {
        endpoint.run(now(at), Errand { flow, ..errand(Ask::Options) });
        let (_, request) = sent(&mut endpoint).remove(0);
        let via = line(&request, "Via").split(';').next().unwrap_or_default().to_owned();
        (via, line(&request, "Contact").to_owned())
    };
    let expect = |via: &str, contact: &str| (via.to_owned(), contact.to_owned());
    assert_eq!(
        told(flow(Transport::Tls)),
        expect("SIP/2.0/TLS 198.51.100.1:5061", "<sip:198.51.100.1:5061;transport=tls>")
    );
    assert_eq!(told(flow(Transport::Udp)), expect("SIP/2.0/UDP 192.0.2.1:5060", "<sip:192.0.2.1:5060>"));
    let remote = "[2001:db8::9]:5060".parse().expect("an address");
    let to_six = Flow { remote, ..flow(Transport::Udp) };
    assert_eq!(told(to_six), expect("SIP/2.0/UDP [2001:db8::1]:5062", "<sip:[2001:db8::1]:5062>"));
}

fn long_invite() -> Outgoing {
    Outgoing {
        flow: flow(Transport::Udp),
        uri: "sip:nour@192.0.2.2".to_owned(),
        from: "<sip:15@192.0.2.1>".to_owned(),
        to: "<sip:nour@192.0.2.2>".to_owned(),
        headers: vec![("X-Long".to_owned(), "x".repeat(1_300))],
        sdp: OFFER.to_vec(),
        credentials: None,
    }
}

#[test]
fn a_request_beyond_1300_bytes_goes_by_tcp_and_says_so_in_its_via() {
    let (mut endpoint, at) = start();
    endpoint.invite(now(at), long_invite());
    let (transmit, text) = sent(&mut endpoint).remove(0);
    assert_eq!(transmit.flow, flow(Transport::Tcp));
    assert!(line(&text, "Via").starts_with("SIP/2.0/TCP "), "{text}");
    assert_eq!(line(&text, "Contact"), "<sip:192.0.2.1:5060>", "we are reached as before");
}

#[test]
fn a_peer_without_tcp_gets_it_as_a_datagram_and_is_not_asked_again() {
    let (mut endpoint, at) = start();
    let dialog = endpoint.invite(now(at), long_invite());
    let _ = sent(&mut endpoint);
    // The driver opened connection 3 for it, in vain.
    endpoint.handle_flow_failed(now(at), Flow { connection: 3, ..flow(Transport::Tcp) });
    let (transmit, text) = sent(&mut endpoint).remove(0);
    assert_eq!(transmit.flow, flow(Transport::Udp));
    assert!(line(&text, "Via").starts_with("SIP/2.0/UDP "), "{text}");
    assert!(endpoint.poll_event().is_none(), "the call goes on");
    endpoint.handle_due(now(at + Duration::from_millis(500)));
    assert_eq!(sent(&mut endpoint).len(), 1, "and is repeated as a datagram is");
    let ringing = answer(&text, "180 Ringing", "");
    endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Phone, ringing.as_bytes());
    let mut events = std::iter::from_fn(|| endpoint.poll_event());
    assert!(events.any(|event| matches!(event, Event::Progress { dialog: it, .. } if it == dialog)));

    endpoint.invite(now(at), long_invite());
    assert_eq!(sent(&mut endpoint)[0].0.flow, flow(Transport::Udp));
    endpoint.invite(now(at + Duration::from_secs(601)), long_invite());
    assert_eq!(sent(&mut endpoint)[0].0.flow, flow(Transport::Tcp), "ten minutes later it may have learned");
}

#[test]
fn a_registrar_is_heard_when_it_asks_for_a_pause_and_when_it_sends_us_on() {
    for (code, more, retry_after, moved) in [
        ("503 Service Unavailable", "Retry-After: 7 (overload);duration=3600\r\n", Some(7), None),
        (
            "301 Moved Permanently",
            "Contact: <sip:other.example>, <sip:192.0.2.7:5070>\r\n",
            None,
            Some("192.0.2.7:5070"),
        ),
        ("403 Forbidden", "Contact: <sip:192.0.2.7:5070>\r\n", None, None),
    ] {
        let (mut endpoint, at) = start();
        endpoint.run(now(at), errand(Ask::Register { expires: 600 }));
        let (_, request) = sent(&mut endpoint).remove(0);
        let refusal = answer(&request, code, more);
        endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), refusal.as_bytes());
        let end = end(&mut endpoint).expect("an end");
        let moved: Vec<SocketAddr> = moved.into_iter().flat_map(str::parse).collect();
        assert_eq!((end.retry_after, end.moved), (retry_after, moved), "{code}");
    }
}

// RFC 3261 §10.2.4.
#[test]
fn a_registration_lasts_as_long_as_our_own_contact_not_another_of_the_account() {
    let ours = "<sip:samu@192.0.2.1:5060;x=1>";
    for (contacts, seconds) in [
        (format!("<sip:samu@203.0.113.5>;expires=3600, {ours};expires=60"), 60),
        (format!("{ours};expires=600, <sip:samu@203.0.113.5>;expires=20"), 600),
        ("<sip:samu@10.0.0.1>;expires=3600, <sip:samu@10.0.0.2>;expires=90".to_owned(), 90),
        (ours.to_owned(), 300),
    ] {
        let (mut endpoint, at) = start();
        endpoint.run(now(at), errand(Ask::Register { expires: 600 }));
        let (_, request) = sent(&mut endpoint).remove(0);
        let granted = answer(&request, "200 OK", &format!("Contact: {contacts}\r\nExpires: 300\r\n"));
        endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), granted.as_bytes());
        assert_eq!(end(&mut endpoint).and_then(|end| end.expires), Some(seconds), "{contacts}");
    }
}

// RFC 3261 §13.2.2.4: a proxy that asked for proof of the INVITE asks for it of the ACK.
#[test]
fn the_ack_of_a_challenged_invite_bears_the_same_proof() {
    let (mut endpoint, at) = start();
    let credentials = errand(Ask::Options).credentials;
    endpoint.invite(now(at), Outgoing { headers: Vec::new(), credentials, ..long_invite() });
    let (_, first) = sent(&mut endpoint).remove(0);
    let challenge = "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n\"\r\n";
    let refusal = answer(&first, "407 Proxy Authentication Required", challenge);
    endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), refusal.as_bytes());
    let (_, second) = sent(&mut endpoint).pop().expect("the INVITE again");
    let proof = line(&second, "Proxy-Authorization").to_owned();
    assert!(!proof.is_empty(), "{second}");
    let success = answer(&second, "200 OK", "Contact: <sip:192.0.2.2>\r\n");
    endpoint.handle_message(now(at), flow(Transport::Udp), Peer::Trunk(0), success.as_bytes());
    let (_, ack) = sent(&mut endpoint).remove(0);
    assert!(ack.starts_with("ACK "), "{ack}");
    assert_eq!(line(&ack, "Proxy-Authorization"), proof);
}
