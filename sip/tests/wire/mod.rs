//! Two endpoints and a wire between them that can be slow and lose messages. Time is an argument.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

pub mod desk;

use sip::endpoint::{Account, Config, Counter, DialogId, Endpoint, Event, Outgoing};
use sip::time::{Instant, Now};
use sip::transaction::Timers;
use sip::transport::{Flow, Peer, Transport};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

pub const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub const ANSWER: &[u8] =
    b"v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

/// The calling side.
pub const A: usize = 0;
/// The called side.
pub const B: usize = 1;

/// How long a message is under way.
pub const LATENCY: Duration = Duration::from_millis(10);

pub fn config(contact: SocketAddr) -> Config {
    let realm = "samu.example".to_owned();
    let account = |user: &str| Account {
        user: user.to_owned(),
        ha1_md5: sip::auth::ha1(sip::header::auth::Algorithm::Md5, user, &realm, "geheim"),
        ha1_sha256: sip::auth::ha1(sip::header::auth::Algorithm::Sha256, user, &realm, "geheim"),
    };
    Config {
        product: "bandeau".to_owned(),
        contact,
        accounts: vec![account("nour"), account("ines")],
        realm,
        timers: Timers::default(),
        strangers_forbid: true,
    }
}

pub fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, side as u8 + 1], 5060))
}

pub fn now(at: Instant) -> Now {
    Now { at, utc: SystemTime::UNIX_EPOCH }
}

/// Lets seconds pass for an endpoint alone, deadline by deadline.
pub fn pass(endpoint: &mut Endpoint, at: &mut Instant, seconds: u64) {
    let until = *at + Duration::from_secs(seconds);
    while let Some(due) = endpoint.poll_timeout().filter(|due| *due <= until) {
        *at = due.max(*at);
        endpoint.handle_due(now(*at));
    }
    *at = until;
}

/// Messages that shall not arrive.
pub type Lose = Box<dyn FnMut(usize, &str) -> bool>;

pub struct Wire {
    pub at: Instant,
    pub ends: [Endpoint; 2],
    pub transport: Transport,
    pub lose: Lose,
    /// What becomes of a message on its way.
    pub rewrite: Box<dyn FnMut(usize, String) -> String>,
    pub peer: Peer,
    pub events: [Vec<Event>; 2],
    /// Everything sent: when, by whom, and the text.
    pub log: Vec<(Instant, usize, String)>,
    transit: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
}

impl Wire {
    pub fn new(transport: Transport) -> Wire {
        Wire {
            at: Instant::ZERO + Duration::from_secs(1),
            ends: [Endpoint::new(config(address(A)), 1), Endpoint::new(config(address(B)), 2)],
            transport,
            lose: Box::new(|_, _| false),
            rewrite: Box::new(|_, text| text),
            peer: Peer::Trunk(0),
            events: [Vec::new(), Vec::new()],
            log: Vec::new(),
            transit: BTreeMap::new(),
            sent: 0,
        }
    }

    pub fn udp() -> Wire {
        Wire::new(Transport::Udp)
    }

    /// Messages of one side have `from` replaced by `to` on the way.
    pub fn rewriting(mut self, side: usize, from: &'static str, to: &'static str) -> Wire {
        self.rewrite = Box::new(move |by, text| if by == side { text.replace(from, to) } else { text });
        self
    }

    pub fn losing(mut self, lose: impl FnMut(usize, &str) -> bool + 'static) -> Wire {
        self.lose = Box::new(lose);
        self
    }

    pub fn flow(&self, side: usize) -> Flow {
        Flow { transport: self.transport, local: address(side), remote: address(1 - side), connection: 0 }
    }

    pub fn now(&self) -> Now {
        now(self.at)
    }

    pub fn invite(&mut self) -> DialogId {
        let outgoing = Outgoing {
            flow: self.flow(A),
            uri: "sip:15@192.0.2.2".to_owned(),
            from: "\"Caller\" <sip:+33612345678@192.0.2.1>".to_owned(),
            to: "<sip:15@192.0.2.2>".to_owned(),
            headers: vec![("P-Asserted-Identity".to_owned(), "<tel:+33612345678>".to_owned())],
            sdp: OFFER.to_vec(),
            credentials: None,
        };
        let now = self.now();
        self.ends[A].invite(now, outgoing)
    }

    /// A call from A that B has answered and A has confirmed.
    pub fn talking() -> (Wire, DialogId, DialogId) {
        let mut wire = Wire::udp();
        let (a, b) = wire.talk();
        (wire, a, b)
    }

    pub fn talk(&mut self) -> (DialogId, DialogId) {
        let a = self.invite();
        self.run(50);
        let b = self.invited();
        let now = self.now();
        self.ends[B].answer(now, b, ANSWER);
        self.run(50);
        (a, b)
    }

    /// A call from A that rings at B so.
    pub fn ring(&mut self, code: u16, sdp: Option<&[u8]>) -> (DialogId, DialogId) {
        let a = self.invite();
        self.run(50);
        let (b, now) = (self.invited(), self.now());
        self.ends[B].ring(now, b, code, sdp);
        (a, b)
    }

    /// One side hangs up, and nothing is left.
    pub fn hangs_up(&mut self, side: usize, dialog: DialogId) {
        let now = self.now();
        self.ends[side].end(now, dialog, None);
        self.rests();
    }

    /// The latest call B was told of.
    pub fn invited(&self) -> DialogId {
        let found = self.events[B].iter().rev().find_map(|event| match event {
            Event::Invited { dialog, .. } => Some(*dialog),
            _ => None,
        });
        found.expect("B was told of a call")
    }

    /// Lets `ms` milliseconds pass.
    pub fn run(&mut self, ms: u64) {
        let until = self.at + Duration::from_millis(ms);
        loop {
            self.collect();
            let arrives = self.transit.keys().next().map(|(at, _)| *at);
            let due = self.ends.iter().filter_map(Endpoint::poll_timeout).min();
            let Some(next) = arrives.into_iter().chain(due).min().filter(|next| *next <= until) else {
                break;
            };
            self.at = self.at.max(next);
            if arrives == Some(next) {
                let Some((_, (to, bytes))) = self.transit.pop_first() else { continue };
                self.deliver(to, &bytes);
            } else {
                for side in [A, B] {
                    let now = self.now();
                    self.ends[side].handle_due(now);
                }
            }
        }
        self.at = until;
    }

    pub fn deliver(&mut self, to: usize, bytes: &[u8]) {
        let (now, flow, peer) = (self.now(), self.flow(to), self.peer);
        self.ends[to].handle_message(now, flow, peer, bytes);
    }

    fn collect(&mut self) {
        for side in [A, B] {
            while let Some(event) = self.ends[side].poll_event() {
                self.events[side].push(event);
            }
            while let Some(transmit) = self.ends[side].poll_transmit() {
                assert_eq!(transmit.flow.remote, address(1 - side), "sent to the peer");
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                self.log.push((self.at, side, text.clone()));
                if !(self.lose)(side, &text) {
                    self.sent += 1;
                    let bytes = (self.rewrite)(side, text).into_bytes();
                    self.transit.insert((self.at + LATENCY, self.sent), (1 - side, bytes));
                }
            }
        }
    }

    /// What one side was told, in short, without counters.
    pub fn told(&self, side: usize) -> String {
        let words = self.events[side].iter().filter_map(|event| {
            Some(match event {
                Event::Counted(_) => return None,
                Event::Invited { .. } => "invited".to_owned(),
                Event::Cancelled { .. } => "cancelled".to_owned(),
                Event::Confirmed { .. } => "confirmed".to_owned(),
                Event::Unconfirmed { .. } => "unconfirmed".to_owned(),
                Event::Acknowledged { .. } => "acknowledged".to_owned(),
                Event::Unheard { .. } => "unheard".to_owned(),
                Event::Progress { code, .. } => format!("progress {code}"),
                Event::Answered { .. } => "answered".to_owned(),
                Event::Failed { code, .. } => format!("failed {code}"),
                Event::Reoffered { .. } => "reoffered".to_owned(),
                Event::ReofferDone { .. } => "reoffer done".to_owned(),
                Event::ReofferFailed { code, .. } => format!("reoffer failed {code}"),
                Event::Released { .. } => "released".to_owned(),
                Event::Lost { code, .. } => format!("lost {code:?}"),
                Event::Alive { .. } => "alive".to_owned(),
                Event::Info { .. } => "info".to_owned(),
                Event::Referred { refer, .. } => format!("referred {}", refer.uri),
                Event::ReferAnswered { code, .. } => format!("refer answered {code}"),
                Event::ReferProgress { code, .. } => format!("refer {code}"),
                Event::ErrandDone { end, .. } => format!("errand {}", end.code),
                Event::Registered { user, reachable } => format!("registered {user} {reachable}"),
            })
        });
        words.collect::<Vec<_>>().join(", ")
    }

    pub fn counted(&self, side: usize, counter: &Counter) -> usize {
        self.events[side].iter().filter(|event| matches!(event, Event::Counted(c) if c == counter)).count()
    }

    /// What one side sent, start lines in short: `INVITE`, `200 BYE`.
    pub fn sent(&self, side: usize) -> Vec<String> {
        self.log.iter().filter(|(_, by, _)| *by == side).map(|(_, _, text)| short(text)).collect()
    }

    /// How often one side sent this.
    pub fn times(&self, side: usize, what: &str) -> usize {
        self.sent(side).iter().filter(|line| *line == what).count()
    }

    /// Every map is empty after the longest timer.
    pub fn rests(&mut self) {
        self.run(80_000);
        assert!(self.ends[A].is_idle(), "A is at rest");
        assert!(self.ends[B].is_idle(), "B is at rest");
        assert_eq!(self.ends[A].poll_timeout(), None);
        assert_eq!(self.ends[B].poll_timeout(), None);
    }
}

/// `INVITE`, or `200 INVITE` for a response.
pub fn short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let mut words = first.split(' ');
    match (words.next(), words.next()) {
        (Some("SIP/2.0"), Some(code)) => {
            let method = value(text, "CSeq").rsplit(' ').next().unwrap_or_default().to_owned();
            format!("{code} {method}")
        }
        (Some(method), _) => method.to_owned(),
        _ => String::new(),
    }
}

/// The first value of a header.
pub fn value(text: &str, name: &str) -> String {
    let prefix = format!("{name}: ");
    text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
}

/// The tag of a From or To value.
pub fn tag(value: &str) -> &str {
    value.rsplit_once(";tag=").map(|(_, tag)| tag).unwrap_or_default()
}

/// Loses the first `count` messages that read so.
pub fn first(count: usize, side: usize, what: &'static str) -> impl FnMut(usize, &str) -> bool {
    let left = Cell::new(count);
    move |by, text| {
        let lost = by == side && short(text) == what && left.get() > 0;
        left.set(left.get() - usize::from(lost));
        lost
    }
}
