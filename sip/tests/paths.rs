//! Connections that break under a call (RFC 3261 §17.1.1.2, §18.2.2, RFC 5626 §5.3): the call goes on,
//! over another one.

mod wire;

use sip::endpoint::{DialogId, Endpoint, Event, Outgoing};
use sip::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::net::SocketAddr;
use std::time::Duration;
use wire::{ANSWER, OFFER, config, now, pass, short, tag, value};

const TRUNK: Peer = Peer::Trunk(0);

/// One endpoint and a carrier's border that connects to it.
struct Border {
    endpoint: Endpoint,
    at: Instant,
    /// The connection in use.
    flow: Flow,
    events: Vec<Event>,
}

fn connection(number: u64, port: u16, transport: Transport) -> Flow {
    let local: SocketAddr = ([192, 0, 2, 2], 5060).into();
    Flow { transport, local, remote: ([198, 51, 100, 7], port).into(), connection: number }
}

impl Border {
    fn over(transport: Transport) -> Border {
        let mut border = Border::without_certificate(transport);
        border.endpoint.listens(Transport::Tls, ([192, 0, 2, 2], 5061).into());
        border
    }

    fn without_certificate(transport: Transport) -> Border {
        Border {
            endpoint: Endpoint::new(config(([192, 0, 2, 2], 5060).into()), 3),
            at: Instant::ZERO + Duration::from_secs(1),
            flow: connection(4, 49_152, transport),
            events: Vec::new(),
        }
    }

    fn hear(&mut self, text: &str) -> Vec<(Flow, String)> {
        self.endpoint.handle_message(now(self.at), self.flow, TRUNK, text.as_bytes());
        self.take()
    }

    fn take(&mut self) -> Vec<(Flow, String)> {
        self.events.extend(std::iter::from_fn(|| self.endpoint.poll_event()));
        let sent = std::iter::from_fn(|| self.endpoint.poll_transmit());
        sent.map(|it| (it.flow, String::from_utf8_lossy(&it.bytes).into_owned())).collect()
    }

    /// The connection in use breaks.
    fn cut(&mut self) -> Vec<(Flow, String)> {
        self.endpoint.handle_flow_failed(now(self.at), self.flow);
        self.take()
    }

    fn wait(&mut self, seconds: u64) -> Vec<(Flow, String)> {
        pass(&mut self.endpoint, &mut self.at, seconds);
        self.take()
    }

    fn request(&self, method: &str, number: u32, to: &str, via: &str) -> String {
        let transport = self.flow.transport.token();
        format!(
            "{method} sip:15@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/{transport} {via};branch=z9hG4bK{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:0612@198.51.100.7>;tag=caller\r\nTo: <sip:15@192.0.2.2>{to}\r\n\
             Call-ID: one\r\nCSeq: {number} {method}\r\nContact: <sip:198.51.100.7;transport={transport}>\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// A call that rings here, from a border that says where it takes connections.
    fn ringing(&mut self, via: &str) -> (DialogId, String) {
        let invite = self.request("INVITE", 1, "", via);
        self.hear(&invite);
        let dialog = self.events.iter().find_map(Event::dialog).expect("a call");
        self.endpoint.ring(now(self.at), dialog, 183, Some(ANSWER));
        let sent = self.take();
        let ours = sent.iter().find(|it| short(&it.1) == "183 INVITE").expect("early media");
        (dialog, format!(";tag={}", tag(&value(&ours.1, "To"))))
    }

    fn talking(&mut self, via: &str) -> (DialogId, String) {
        let (dialog, ours) = self.ringing(via);
        self.endpoint.answer(now(self.at), dialog, ANSWER);
        self.take();
        let ack = self.request("ACK", 1, &ours, via).replace("bK1", "bKack");
        self.hear(&ack);
        (dialog, ours)
    }

    /// A call of ours through the carrier, that has been answered so far with these codes.
    fn calling(&mut self, codes: &[&str]) -> (DialogId, String) {
        let outgoing = Outgoing {
            flow: Flow { remote: ([198, 51, 100, 7], 5061).into(), connection: 0, ..self.flow },
            uri: "sip:0145@198.51.100.7".to_owned(),
            from: "<sip:samu@192.0.2.2>".to_owned(),
            to: "<sip:0145@198.51.100.7>".to_owned(),
            headers: Vec::new(),
            sdp: OFFER.to_vec(),
            credentials: None,
        };
        // The driver has opened connection 3 for it.
        self.flow = Flow { connection: 3, ..outgoing.flow };
        let dialog = self.endpoint.invite(now(self.at), outgoing);
        let invite = self.take().remove(0).1;
        for code in codes {
            let answer = response(&invite, code, "");
            self.hear(&answer);
        }
        (dialog, invite)
    }

    fn failed(&self) -> Option<u16> {
        self.events.iter().find_map(|event| match event {
            Event::Failed { code, .. } => Some(*code),
            _ => None,
        })
    }
}

/// What the carrier answers to `request`.
fn response(request: &str, code: &str, body: &str) -> String {
    let line = |name: &str, more: &str| format!("{name}: {}{more}\r\n", value(request, name));
    let to = if code.starts_with("100") { "" } else { ";tag=callee" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {code}\r\n{}{}{}{}{}Contact: <sip:198.51.100.7;transport=tls>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        line("Via", ""),
        line("From", ""),
        line("To", to),
        line("Call-ID", ""),
        line("CSeq", ""),
        body.len()
    )
}

fn shorts(sent: &[(Flow, String)]) -> Vec<String> {
    sent.iter().map(|it| short(&it.1)).collect()
}

// RFC 3261 §18.2.2: to the port of sent-by, or the transport's own; never to the port a connection came from.
#[test]
fn an_answer_whose_connection_is_gone_goes_to_where_the_peer_takes_connections() {
    for (transport, via, port) in [
        (Transport::Tls, "198.51.100.7", 5061),
        (Transport::Tcp, "sbc.carrier.example", 5060),
        (Transport::Tcp, "10.1.1.1:5070", 5070),
    ] {
        let mut border = Border::over(transport);
        let (dialog, _) = border.ringing(via);
        border.cut();
        border.endpoint.answer(now(border.at), dialog, ANSWER);
        let sent = border.take();
        assert_eq!(shorts(&sent), ["200 INVITE"]);
        let expected: SocketAddr = ([198, 51, 100, 7], port).into();
        assert_eq!((sent[0].0.remote, sent[0].0.connection), (expected, 0), "{via}");
        let again = border.wait(1);
        assert!(again.iter().all(|it| it.0.remote == expected), "and so do its copies");
    }
}

#[test]
fn a_refusal_whose_connection_is_gone_goes_there_too() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, _) = border.ringing("198.51.100.7");
    border.cut();
    border.endpoint.end(now(border.at), dialog, None);
    let sent = border.take();
    assert_eq!((shorts(&sent), sent[0].0.remote.port()), (vec!["480 INVITE".to_owned()], 5061));
}

// RFC 3261 §12.2.1.1: the Contact of most borders has no port.
#[test]
fn a_bye_whose_connection_is_gone_reaches_the_peer() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, _) = border.talking("198.51.100.7");
    border.cut();
    border.endpoint.end(now(border.at), dialog, None);
    let sent = border.take();
    assert_eq!((shorts(&sent), sent[0].0.remote.port()), (vec!["BYE".to_owned()], 5061));
}

#[test]
fn a_bye_that_meets_a_connection_about_to_break_is_sent_over_another_once() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, _) = border.talking("198.51.100.7");
    border.endpoint.end(now(border.at), dialog, Some("Q.850;cause=16"));
    assert_eq!(border.take()[0].0, border.flow);
    let again = border.cut();
    assert_eq!((shorts(&again), again[0].0.remote.port()), (vec!["BYE".to_owned()], 5061));
    assert_eq!(wire::value(&again[0].1, "Reason"), "Q.850;cause=16", "and says why");
    border.flow = Flow { connection: 5, ..again[0].0 };
    assert!(border.cut().is_empty(), "nobody is there");
    border.wait(70);
    assert!(border.endpoint.is_idle());
}

#[test]
fn a_request_over_a_new_connection_makes_it_the_path_of_its_dialog() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, ours) = border.talking("198.51.100.7");
    border.cut();
    border.flow = connection(6, 50_001, Transport::Tls);
    let options = border.request("OPTIONS", 2, &ours, "198.51.100.7");
    assert_eq!(border.hear(&options)[0].0, border.flow);
    border.endpoint.probe(now(border.at), dialog);
    let sent = border.take();
    assert_eq!((shorts(&sent), sent[0].0), (vec!["OPTIONS".to_owned()], border.flow));
}

#[test]
fn a_cancel_over_a_new_connection_brings_the_end_of_its_invite_there() {
    let mut border = Border::over(Transport::Tls);
    border.ringing("198.51.100.7");
    border.cut();
    border.flow = connection(6, 50_001, Transport::Tls);
    let cancel = border.request("CANCEL", 1, "", "198.51.100.7");
    let sent = border.hear(&cancel);
    assert_eq!(shorts(&sent), ["200 CANCEL", "487 INVITE"]);
    assert!(sent.iter().all(|it| it.0 == border.flow));
}

// RFC 3261 §17.1.1.2, figure 5: in Proceeding a broken transport ends nothing.
#[test]
fn i2_i5_a_phone_that_rings_is_not_given_up_with_its_connection() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, invite) = border.calling(&["100 Trying", "180 Ringing"]);
    assert!(border.cut().is_empty());
    assert_eq!(border.failed(), None, "nobody else is called while it rings");
    border.flow = connection(8, 50_002, Transport::Tls);
    let answer = response(&invite, "200 OK", &String::from_utf8_lossy(ANSWER));
    let sent = border.hear(&answer);
    assert_eq!(shorts(&sent), ["ACK"]);
    assert!(border.events.iter().any(|it| matches!(it, Event::Answered { dialog: it, .. } if *it == dialog)));
}

#[test]
fn a_phone_that_rings_without_a_connection_has_three_minutes() {
    let mut border = Border::over(Transport::Tls);
    border.calling(&["180 Ringing"]);
    border.cut();
    border.wait(180);
    assert_eq!(border.failed(), None);
    border.wait(13);
    assert_eq!(border.failed(), Some(408));
    border.wait(70);
    assert!(border.endpoint.is_idle());
    // Before anything was heard the call fails at once, and another carrier is tried.
    let mut border = Border::over(Transport::Tls);
    border.calling(&[]);
    border.cut();
    assert_eq!(border.failed(), Some(503));
}

#[test]
fn i5_a_cancel_that_meets_a_broken_connection_is_sent_over_another_once() {
    let mut border = Border::over(Transport::Tls);
    let (dialog, _) = border.calling(&["180 Ringing"]);
    border.endpoint.end(now(border.at), dialog, None);
    assert_eq!(shorts(&border.take()), ["CANCEL"]);
    assert_eq!(shorts(&border.cut()), ["CANCEL"]);
    border.flow.connection = 5;
    assert!(border.cut().is_empty(), "nobody is there");
    border.wait(70);
    assert!(border.endpoint.is_idle());
}

// RFC 3261 §18.4, §8.1.3.1: a datagram the system refuses to send is no silence of 32 s.
#[test]
fn a_datagram_that_cannot_be_sent_fails_a_call_that_has_another_way_and_nothing_else() {
    let mut border = Border::over(Transport::Udp);
    border.flow = connection(0, 5060, Transport::Udp);
    let (dialog, _) = border.talking("198.51.100.7:5060");
    border.endpoint.probe(now(border.at), dialog);
    border.take();
    let flow = border.flow;
    let (_, invite) = border.calling(&[]);
    border.flow = flow;
    border
        .endpoint
        .handle_flow_failed(now(border.at), Flow { remote: ([198, 51, 100, 7], 5061).into(), ..flow });
    border.take();
    assert_eq!(border.failed(), Some(503), "{invite}");
    border.cut();
    assert!(border.events.iter().all(|it| !matches!(it, Event::Lost { .. })));
    assert_eq!(shorts(&border.wait(1)), ["OPTIONS"], "it is sent again");
}

// RFC 3261 §18.1.1 is about one request: what follows a long INVITE goes as the peer asks (RFC 3263).
#[test]
fn what_follows_an_invite_too_long_for_a_datagram_goes_as_datagrams() {
    let mut border = Border::over(Transport::Udp);
    let flow = Flow { remote: ([198, 51, 100, 7], 5060).into(), connection: 0, ..border.flow };
    let outgoing = Outgoing {
        flow,
        uri: "sip:0145@198.51.100.7".to_owned(),
        from: "<sip:samu@192.0.2.2>".to_owned(),
        to: "<sip:0145@198.51.100.7>".to_owned(),
        headers: vec![("X-Long".to_owned(), "x".repeat(1_300))],
        sdp: OFFER.to_vec(),
        credentials: None,
    };
    let dialog = border.endpoint.invite(now(border.at), outgoing);
    let (stream, invite) = border.take().remove(0);
    assert_eq!(stream.transport, Transport::Tcp);
    border.flow = Flow { connection: 3, ..stream };
    let answer = response(&invite, "200 OK", &String::from_utf8_lossy(ANSWER));
    let plain = answer.replace("<sip:198.51.100.7;transport=tls>", "<sip:198.51.100.7:5080>");
    let ack = border.hear(&plain).remove(0);
    assert_eq!((short(&ack.1).as_str(), ack.0.transport, ack.0.remote.port()), ("ACK", Transport::Udp, 5080));
    border.endpoint.end(now(border.at), dialog, None);
    assert_eq!(border.take()[0].0.transport, Transport::Udp);
}

// RFC 3261 §19.1.1: the transport a Contact names.
#[test]
fn a_contact_that_names_its_transport_is_reached_by_it() {
    for (contact, transport, port) in [
        ("<sip:198.51.100.7:5070;transport=tcp>", Transport::Tcp, 5070),
        ("<sip:198.51.100.7;transport=TCP>", Transport::Tcp, 5060),
        ("<sip:198.51.100.7:5070;transport=udp>", Transport::Udp, 5070),
        ("<sip:198.51.100.7;transport=udp>", Transport::Udp, 40_000),
        ("<sip:198.51.100.7:5070;transport=tls>", Transport::Tls, 5070),
        ("<sips:198.51.100.7>", Transport::Tls, 5061),
    ] {
        let mut border = Border::over(Transport::Udp);
        border.flow = connection(0, 40_000, Transport::Udp);
        let invite = border.request("INVITE", 1, "", "198.51.100.7:40000");
        border.hear(&invite.replace("<sip:198.51.100.7;transport=UDP>", contact));
        let dialog = border.events.iter().find_map(Event::dialog).expect("a call");
        border.endpoint.answer(now(border.at), dialog, ANSWER);
        let ours = format!(";tag={}", tag(&value(&border.take()[0].1, "To")));
        let ack = border.request("ACK", 1, &ours, "198.51.100.7:40000").replace("bK1", "bKack");
        border.hear(&ack);
        border.endpoint.end(now(border.at), dialog, None);
        let bye = border.take().remove(0);
        assert_eq!((bye.0.transport, bye.0.remote.port()), (transport, port), "{contact}");
    }
}

impl Border {
    /// A call over datagrams whose INVITE says so where it is reached, and our BYE to it.
    fn hangs_up_on(contact: &str, more: &str) -> (Border, Flow) {
        Border::over(Transport::Udp).hangs_up(contact, more)
    }

    fn hangs_up(self, contact: &str, more: &str) -> (Border, Flow) {
        let mut border = self;
        border.flow = connection(0, 40_000, Transport::Udp);
        let invite = border.request("INVITE", 1, "", "198.51.100.7:40000");
        let says = format!("Contact: {contact}\r\n{more}");
        border.hear(&invite.replace("Contact: <sip:198.51.100.7;transport=UDP>\r\n", &says));
        let dialog = border.events.iter().find_map(Event::dialog).expect("a call");
        border.endpoint.answer(now(border.at), dialog, ANSWER);
        let ours = format!(";tag={}", tag(&value(&border.take()[0].1, "To")));
        let ack = border.request("ACK", 1, &ours, "198.51.100.7:40000").replace("bK1", "bKack");
        border.hear(&ack);
        border.endpoint.end(now(border.at), dialog, None);
        let bye = border.take().remove(0);
        assert_eq!(short(&bye.1), "BYE");
        (border, bye.0)
    }
}

// RFC 3261 §19.1.1.
#[test]
fn maddr_stands_for_the_host_when_it_is_an_address_of_somebody() {
    let source = ([198, 51, 100, 7], 40_000);
    for (contact, more, remote) in [
        ("<sip:gw.carrier.example;maddr=198.51.100.9>", "", ([198, 51, 100, 9], 5060)),
        ("<sip:198.51.100.7:5070;maddr=198.51.100.9>", "", ([198, 51, 100, 9], 5070)),
        (
            "<sip:a@h>",
            "Record-Route: <sip:198.51.100.8:5080;lr;maddr=198.51.100.9>\r\n",
            ([198, 51, 100, 9], 5080),
        ),
        ("<sip:198.51.100.7:5070;maddr=gw.carrier.example>", "", ([198, 51, 100, 7], 5070)),
        ("<sip:198.51.100.7:5070;maddr=224.0.1.75>", "", source),
        ("<sip:gw.carrier.example:5070>", "", source),
        ("<sip:198.51.100.7:5070>", "Record-Route: <sip:edge.carrier.example;lr>\r\n", source),
        ("<sip:[2001:db8::1]:5070>", "", source),
    ] {
        let (_, bye) = Border::hangs_up_on(contact, more);
        assert_eq!(bye.remote, SocketAddr::from(remote), "{contact} {more}");
    }
}

#[test]
fn i5_a_bye_to_a_next_hop_that_takes_no_connection_goes_where_the_peer_was_heard() {
    for route in ["<sip:198.51.100.8:5070;lr;transport=tcp>", "<sips:198.51.100.8:5070;lr>"] {
        let (mut border, hop) =
            Border::hangs_up_on("<sip:198.51.100.7:40000>", &format!("Record-Route: {route}\r\n"));
        assert!(hop.transport.is_reliable() && hop.remote.port() == 5070);
        border.endpoint.handle_flow_failed(now(border.at), hop);
        let bye = border.take().remove(0);
        assert_eq!((short(&bye.1).as_str(), bye.0), ("BYE", border.flow), "{route}");
        assert!(value(&bye.1, "Via").contains("/UDP "));
    }
}

#[test]
fn a_new_offer_to_a_contact_that_takes_no_connection_goes_where_the_peer_was_heard() {
    let mut border = Border::over(Transport::Udp);
    border.flow = connection(0, 5061, Transport::Udp);
    let (dialog, invite) = border.calling(&[]);
    let heard = border.flow;
    let answer = response(&invite, "200 OK", &String::from_utf8_lossy(ANSWER));
    border.hear(&answer);
    border.endpoint.reoffer(now(border.at), dialog, OFFER);
    let hop = border.take().remove(0).0;
    assert_eq!(hop.transport, Transport::Tls, "its Contact says so");
    border.endpoint.handle_flow_failed(now(border.at), hop);
    // The ACK of the call went there, too, and goes again.
    let again = border.take().into_iter().find(|it| short(&it.1) != "ACK").expect("the offer again");
    assert_eq!(
        (short(&again.1).as_str(), again.0.transport, again.0.remote),
        ("INVITE", Transport::Udp, heard.remote)
    );
    assert!(border.events.iter().all(|it| !matches!(it, Event::ReofferFailed { .. })));
    // The same Contact again is no news of a connection taken there.
    let answer = response(&again.1, "200 OK", &String::from_utf8_lossy(ANSWER));
    let ack = border.hear(&answer).remove(0).0;
    assert_eq!((ack.transport, ack.remote), (Transport::Udp, heard.remote));
    border.endpoint.end(now(border.at), dialog, None);
    let bye = border.take().remove(0).0;
    assert_eq!((bye.transport, bye.remote), (Transport::Udp, heard.remote));
}

#[test]
fn nobody_is_sought_over_tls_where_we_have_no_certificate() {
    for contact in ["<sips:198.51.100.7>", "<sip:198.51.100.7:5061;transport=tls>"] {
        let (border, bye) = Border::without_certificate(Transport::Udp).hangs_up(contact, "");
        assert_eq!(bye, border.flow, "{contact}");
    }
}

// Else the carrier gives the call up that waits for it (RFC 3262 §3), and a fork that lost stays up.
#[test]
fn i2_a_prack_and_the_bye_of_a_losing_fork_that_meet_no_connection_go_the_way_of_the_invite() {
    let mut border = Border::over(Transport::Udp);
    border.flow = connection(0, 5060, Transport::Udp);
    let (_, invite) = border.calling(&[]);
    let heard = (Transport::Udp, border.flow.remote);
    let refused = |border: &mut Border, hop: Flow| {
        assert_eq!(hop.transport, Transport::Tls, "its Contact says so");
        border.endpoint.handle_flow_failed(now(border.at), hop);
        border.take()
    };
    let reliable = response(&invite, "183 Session Progress", &String::from_utf8_lossy(ANSWER))
        .replace("Contact", "Require: 100rel\r\nRSeq: 7\r\nContact");
    let prack = border.hear(&reliable).remove(0);
    let again = refused(&mut border, prack.0).remove(0);
    assert_eq!((short(&again.1).as_str(), (again.0.transport, again.0.remote)), ("PRACK", heard));
    assert_eq!(value(&again.1, "CSeq"), value(&prack.1, "CSeq"), "the same, not another");
    assert!(value(&again.1, "Via").contains("/UDP "));
    border.hear(&response(&again.1, "200 OK", ""));
    let answer = response(&invite, "200 OK", &String::from_utf8_lossy(ANSWER));
    border.hear(&answer);
    let sent = border.hear(&answer.replace("tag=callee", "tag=voicemail"));
    assert_eq!(shorts(&sent), ["ACK", "BYE"]);
    let mut again = refused(&mut border, sent[1].0);
    let bye = again.remove(again.iter().position(|it| short(&it.1) == "BYE").expect("a BYE"));
    assert_eq!((bye.0.transport, bye.0.remote), heard);
    assert!(value(&bye.1, "To").contains("voicemail"));
}

#[test]
fn i2_an_ack_to_a_contact_that_takes_no_connection_goes_the_way_of_the_invite() {
    let mut border = Border::over(Transport::Udp);
    border.flow = connection(0, 5060, Transport::Udp);
    let (_, invite) = border.calling(&[]);
    let answer = response(&invite, "200 OK", &String::from_utf8_lossy(ANSWER))
        .replace("<sip:198.51.100.7;transport=tls>", "<sip:198.51.100.7:5070;transport=tcp>");
    let heard = border.flow;
    let ack = border.hear(&answer).remove(0);
    assert_eq!((short(&ack.1).as_str(), ack.0.transport), ("ACK", Transport::Tcp));
    border.endpoint.handle_flow_failed(now(border.at), ack.0);
    let at_once = border.take().remove(0);
    assert_eq!((short(&at_once.1).as_str(), at_once.0.transport), ("ACK", Transport::Udp));
    let again = border.hear(&answer).remove(0);
    assert_eq!((short(&again.1).as_str(), again.0.transport), ("ACK", Transport::Udp));
    assert_eq!(again.0.remote, heard.remote);
    assert!(value(&again.1, "Via").contains("/UDP "));
}
