//! What the signalling of one whole call costs: INVITE, 100, 200, ACK, BYE, 200 at both ends, with
//! timers run out behind it.
//!
//! `cargo bench -p sip --bench call`. Prints microseconds and allocations per call and side.

#![allow(clippy::disallowed_methods, reason = "a bench reads a clock")]

use sip::endpoint::{Config, DialogId, Endpoint, Event, Outgoing};
use sip::time::{Instant, Now};
use sip::transaction::Timers;
use sip::transport::{Flow, Peer, Transport};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, SystemTime};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to `System` unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is `System`'s, and `pointer` came from it.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

/// Calls per second on the endpoints' own timeline: what a large centre sees on a bad night.
const RATE: u32 = 200;

struct Pair {
    ends: [Endpoint; 2],
    at: Instant,
}

impl Pair {
    fn new() -> Pair {
        let end = |host: u8| {
            let config = Config {
                product: "bandeau".to_owned(),
                contact: ([192, 0, 2, host], 5060).into(),
                realm: "samu".to_owned(),
                accounts: Vec::new(),
                timers: Timers::default(),
                strangers_forbid: true,
            };
            Endpoint::new(config, u64::from(host))
        };
        Pair { ends: [end(1), end(2)], at: Instant::ZERO }
    }

    fn now(&self) -> Now {
        Now { at: self.at, utc: SystemTime::UNIX_EPOCH }
    }

    fn flow(side: usize) -> Flow {
        let end = |side: usize| ([192, 0, 2, side as u8 + 1], 5060).into();
        Flow { transport: Transport::Udp, local: end(side), remote: end(1 - side), connection: 0 }
    }

    /// Passes messages until nobody has anything to say; gives the call B was told of.
    fn exchange(&mut self) -> Option<DialogId> {
        let (now, mut invited) = (self.now(), None);
        loop {
            let mut said = false;
            for side in [0, 1] {
                while let Some(transmit) = self.ends[side].poll_transmit() {
                    said = true;
                    let to = 1 - side;
                    self.ends[to].handle_message(now, Pair::flow(to), Peer::Trunk(0), &transmit.bytes);
                }
                while let Some(event) = self.ends[side].poll_event() {
                    if let Event::Invited { dialog, .. } = event {
                        invited = Some(dialog);
                    }
                }
            }
            if !said {
                return invited;
            }
        }
    }

    fn call(&mut self) {
        let outgoing = Outgoing {
            flow: Pair::flow(0),
            uri: "sip:15@192.0.2.2".to_owned(),
            from: "<sip:+33612345678@192.0.2.1>".to_owned(),
            to: "<sip:15@192.0.2.2>".to_owned(),
            headers: Vec::new(),
            sdp: SDP.to_vec(),
            credentials: None,
        };
        let now = self.now();
        let dialog = self.ends[0].invite(now, outgoing);
        let invited = self.exchange().expect("the call arrives");
        self.ends[1].answer(now, invited, SDP);
        self.exchange();
        self.ends[0].end(now, dialog, None);
        self.exchange();
        self.at = self.at + Duration::from_secs(1) / RATE;
        let now = self.now();
        self.ends.iter_mut().for_each(|end| end.handle_due(now));
    }
}

fn main() {
    let mut pair = Pair::new();
    // 40 s of calls first, so that as many transactions end as begin.
    (0..RATE * 40).for_each(|_| pair.call());
    let best = (0..7).map(|_| {
        let calls = RATE * 5;
        let (start, before) = (std::time::Instant::now(), ALLOCATIONS.with(Cell::get));
        (0..calls).for_each(|_| pair.call());
        let allocations = (ALLOCATIONS.with(Cell::get) - before) / u64::from(calls) / 2;
        (start.elapsed() / calls / 2, allocations)
    });
    let (time, allocations) = best.min().expect("seven runs");
    println!("one call, one side: {:.1} us, {allocations} allocations", time.as_nanos() as f64 / 1000.0);
}
