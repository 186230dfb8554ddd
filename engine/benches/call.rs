//! Whole calls through engine and sip without sockets: a carrier's INVITE, the offer to a desk phone, its
//! answer, the conversation, the caller's BYE, and every timer behind it.
//!
//! `cargo bench -p engine --bench call`. Only the engine's own steps are timed: the carrier and the phones
//! are another endpoint. Prints calls a second and microseconds a call, the best of several runs, and
//! fails under [`LEAST`].

#![allow(clippy::disallowed_methods, reason = "a bench reads a clock")]

#[path = "../tests/kit/mod.rs"]
mod kit;

use engine::Engine;
use engine::io::{Input, Output};
use engine::media::{MediaCommand, MediaEvent, MediaPort};
use engine::time::{Instant, Now};
use sip::endpoint::{Config, DialogId, Endpoint, Event, Outgoing};
use sip::transport::{Flow, Peer, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

/// Calls a second on one core.
const LEAST: f64 = 5_000.0;

/// Calls a second on the engine's own timeline: what a large centre sees on a bad night.
const RATE: u32 = 200;

const PHONES: u32 = 60;

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

struct Evening {
    engine: Engine,
    /// The carrier and every desk phone.
    world: Endpoint,
    at: Duration,
    /// Time spent in the engine.
    spent: Duration,
    ports: HashMap<engine::id::LegId, MediaPort>,
    connected: u32,
}

impl Evening {
    fn new() -> Evening {
        let site = kit::site(vec![kit::centre(kit::plan::TEXT, kit::desks(0, PHONES, true))]);
        let port = |index: u16| {
            let rtp = SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * index));
            MediaPort::as_bound(rtp, index % 2)
        };
        let mut evening = Evening {
            engine: Engine::new(site, 7),
            world: Endpoint::new(world(), 9),
            at: Duration::from_secs(1),
            spent: Duration::ZERO,
            ports: HashMap::new(),
            connected: 0,
        };
        evening.step(Input::Media(MediaEvent::Ports((0..400).map(port).collect())));
        evening
    }

    fn now(&self) -> Now {
        let utc = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_200) + self.at;
        Now { at: Instant::ZERO + self.at, utc }
    }

    /// One step of the engine, timed; then the steps its media plane and its peers make of it.
    fn step(&mut self, input: Input<'_>) {
        let now = self.now();
        let start = std::time::Instant::now();
        self.engine.handle_input(now, input);
        let outputs: Vec<Output> = std::iter::from_fn(|| self.engine.poll_output()).collect();
        self.spent += start.elapsed();
        for output in outputs {
            match output {
                Output::Transmit(out) => {
                    let flow = Flow { local: out.flow.remote, remote: out.flow.local, ..out.flow };
                    self.world.handle_message(now, flow, Peer::Trunk(0), &out.bytes);
                }
                Output::Media(MediaCommand::Open { leg, port, .. }) => {
                    self.ports.insert(leg, port);
                }
                Output::Media(MediaCommand::Close { leg }) => {
                    if let Some(port) = self.ports.remove(&leg) {
                        self.step(Input::Media(MediaEvent::Ports(vec![port])));
                    }
                }
                _ => {}
            }
        }
    }

    /// Passes messages until nobody has anything to say. Phones answer at once.
    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(event) = self.world.poll_event() {
                quiet = false;
                match event {
                    Event::Invited { dialog, .. } => self.world.answer(self.now(), dialog, SDP),
                    Event::Answered { .. } => self.connected += 1,
                    _ => {}
                }
            }
            while let Some(out) = self.world.poll_transmit() {
                quiet = false;
                let flow = Flow { local: out.flow.remote, remote: out.flow.local, ..out.flow };
                let trunk = flow.remote == kit::trunk_at(0);
                let peer = if trunk { Peer::Trunk(0) } else { Peer::Phone };
                self.step(Input::Sip { flow, peer, bytes: &out.bytes });
            }
            if quiet {
                return;
            }
        }
    }

    fn call(&mut self) {
        let engine: SocketAddr = kit::ENGINE.parse().expect("an address");
        let flow = Flow { transport: Transport::Udp, local: kit::trunk_at(0), remote: engine, connection: 0 };
        let outgoing = Outgoing {
            flow,
            uri: "sip:15@127.0.0.1".to_owned(),
            from: "<sip:+33612345678@127.0.0.1>".to_owned(),
            to: "<sip:15@127.0.0.1>".to_owned(),
            headers: vec![("P-Asserted-Identity".to_owned(), "<tel:+33612345678>".to_owned())],
            sdp: SDP.to_vec(),
            credentials: None,
        };
        let dialog: DialogId = self.world.invite(self.now(), outgoing);
        self.exchange();
        self.world.end(self.now(), dialog, Some("Q.850;cause=16"));
        self.exchange();
        self.at += Duration::from_secs(1) / RATE;
        self.world.handle_due(self.now());
        while self.engine.poll_timeout().is_some_and(|due| due <= self.now().at) {
            self.step(Input::Due);
        }
        self.exchange();
    }
}

fn world() -> Config {
    Config {
        product: "world".to_owned(),
        contact: kit::trunk_at(0),
        realm: "world".to_owned(),
        accounts: Vec::new(),
        timers: sip::transaction::Timers::default(),
        strangers_forbid: true,
    }
}

fn main() {
    let mut evening = Evening::new();
    // 40 s of calls first, so that as many transactions end as begin.
    (0..RATE * 40).for_each(|_| evening.call());
    let mut best = Duration::MAX;
    for _ in 0..7 {
        let calls = RATE * 5;
        (evening.spent, evening.connected) = (Duration::ZERO, 0);
        (0..calls).for_each(|_| evening.call());
        assert_eq!(evening.connected, calls, "every caller was answered");
        best = best.min(evening.spent / calls);
    }
    let (micros, rate) = (best.as_secs_f64() * 1e6, 1.0 / best.as_secs_f64());
    println!(
        "one call through engine and sip: {micros:.1} us, {rate:.0} calls/s per core (at least {LEAST:.0})"
    );
    evening.at += Duration::from_secs(120);
    while evening.engine.poll_timeout().is_some_and(|due| due <= evening.now().at) {
        evening.step(Input::Due);
        evening.exchange();
    }
    assert!(evening.engine.is_idle() && evening.engine.has_no_dialog(), "nothing is left of them");
    assert!(rate >= LEAST, "{rate:.0} calls/s");
}
