//! One endpoint before a peer whose every word the test writes.

use super::{ANSWER, OFFER, config, now, pass, short, tag, value};
use sip::endpoint::{Counter, DialogId, Endpoint, Event};
use sip::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::time::Duration;

/// One endpoint and a peer that says whatever the test writes.
pub struct Desk {
    pub endpoint: Endpoint,
    pub at: Instant,
    pub flow: Flow,
    pub events: Vec<Event>,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with(true)
    }

    pub fn with(strangers_forbid: bool) -> Desk {
        let local = super::address(super::B);
        let mut config = config(local);
        config.strangers_forbid = strangers_forbid;
        Desk {
            endpoint: Endpoint::new(config, 3),
            at: Instant::ZERO + Duration::from_secs(1),
            flow: Flow {
                transport: Transport::Udp,
                local,
                remote: ([198, 51, 100, 7], 40_000).into(),
                connection: 0,
            },
            events: Vec::new(),
        }
    }

    /// What the endpoint sends when it hears this.
    pub fn hear(&mut self, peer: Peer, text: &str) -> Vec<String> {
        self.endpoint.handle_message(now(self.at), self.flow, peer, text.as_bytes());
        self.take()
    }

    pub fn take(&mut self) -> Vec<String> {
        self.events.extend(std::iter::from_fn(|| self.endpoint.poll_event()));
        let sent = std::iter::from_fn(|| self.endpoint.poll_transmit());
        sent.map(|transmit| {
            assert_eq!(transmit.flow.remote, self.flow.remote, "back to where it came from");
            String::from_utf8_lossy(&transmit.bytes).into_owned()
        })
        .collect()
    }

    pub fn wait(&mut self, seconds: u64) -> Vec<String> {
        pass(&mut self.endpoint, &mut self.at, seconds);
        self.take()
    }

    pub fn counted(&self, counter: &Counter) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Counted(c) if c == counter)).count()
    }

    pub fn calls(&self) -> Vec<DialogId> {
        let invited = self.events.iter().filter(|event| matches!(event, Event::Invited { .. }));
        invited.filter_map(Event::dialog).collect()
    }
}

pub fn request(method: &str, branch: &str, to: &str, more: &str) -> String {
    let host = "Via: SIP/2.0/UDP 10.0.0.9:5060";
    format!(
        "{method} sip:15@192.0.2.2 SIP/2.0\r\n{host};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:0612@198.51.100.7>;tag=caller\r\nTo: <sip:15@192.0.2.2>{to}\r\nCall-ID: one\r\n\
         CSeq: 1 {method}\r\nContact: <sip:198.51.100.7:40000>\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

pub fn shorts(sent: &[String]) -> Vec<String> {
    sent.iter().map(|text| short(text)).collect()
}

pub const TRUNK: Peer = Peer::Trunk(0);

/// A request with an offer, or an answer.
pub fn offer_of(method: &str, number: u32, ours: &str, more: &str) -> String {
    let sdp = String::from_utf8_lossy(OFFER);
    request(method, &format!("{method}{number}"), ours, more)
        .replace("CSeq: 1", &format!("CSeq: {number}"))
        .replace(
            "Content-Length: 0\r\n\r\n",
            &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len()),
        )
}

pub const RELIABLY: &str = "Require: 100rel\r\nAllow: INVITE, UPDATE\r\n";

/// An INVITE with `more` has come and early media has been sent: the desk, the dialog, its To tag and RSeq.
pub fn early(invite: &str) -> (Desk, DialogId, String, u32) {
    let mut desk = Desk::new();
    let sent = desk.hear(TRUNK, invite);
    let ours = format!(";tag={}", tag(&value(&sent[0], "To")));
    let dialog = desk.calls()[0];
    desk.endpoint.ring(now(desk.at), dialog, 183, Some(ANSWER));
    let sent = desk.take();
    assert_eq!(
        (shorts(&sent), value(&sent[0], "Require")),
        (vec!["183 INVITE".to_owned()], "100rel".to_owned())
    );
    let number = value(&sent[0], "RSeq").parse().expect("a number");
    (desk, dialog, ours, number)
}

pub fn prack(ours: &str, number: u32, rseq: u32) -> String {
    request("PRACK", &format!("p{number}"), ours, &format!("RAck: {rseq} 1 INVITE\r\n"))
        .replace("CSeq: 1", &format!("CSeq: {number}"))
}
