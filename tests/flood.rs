//! Trunk calls while strangers shout: none is refused, none waits, and memory stays where it was.
//!
//! The short run counts; the long one (`cargo test --release --test flood -- --ignored --nocapture`)
//! also compares set-up times with those of a quiet line in the same run.
#![allow(clippy::disallowed_methods, reason = "a peer outside the engine has a clock of its own")]

mod common;

use common::carrier::Carrier;
use common::{Node, PLAN, Phones, local};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two calls of the trunk.
const EVERY: Duration = Duration::from_millis(20);

/// Datagrams of the flood in a second.
const RATE: u64 = 20_000;

/// Addresses it comes from: 127.0.0.2 and on.
const SOURCES: u8 = 32;

/// What calls of one phase took to be answered.
struct Phase {
    answered: Vec<Duration>,
    unanswered: usize,
}

impl Phase {
    /// Calls one after the other for this long.
    fn run(carrier: &mut Carrier, lasts: Duration) -> Phase {
        let (mut phase, until) = (Phase { answered: Vec::new(), unanswered: 0 }, Instant::now() + lasts);
        while Instant::now() < until {
            let began = Instant::now();
            match carrier.call(Duration::from_secs(4)) {
                Some(call) => {
                    phase.answered.push(began.elapsed());
                    if !carrier.hang_up(&call) {
                        phase.unanswered += 1;
                    }
                }
                None => phase.unanswered += 1,
            }
            std::thread::sleep(EVERY.saturating_sub(began.elapsed()));
        }
        phase.answered.sort_unstable();
        phase
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.answered[(self.answered.len() * percent / 100).min(self.answered.len() - 1)]
    }
}

/// Junk, and a scanner's REGISTER, INVITE and OPTIONS, from addresses that are nobody's.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flood {
    fn start(engine: SocketAddr) -> Flood {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let sockets: Vec<UdpSocket> = (0..SOURCES)
            .map(|source| UdpSocket::bind((Ipv4Addr::new(127, 0, 0, source + 2), 0)).unwrap())
            .collect();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let owed = u64::try_from(began.elapsed().as_micros()).unwrap() * RATE / 1_000_000;
                while count.load(Ordering::Relaxed) < owed {
                    let turn = count.fetch_add(1, Ordering::Relaxed);
                    let socket = &sockets[usize::try_from(turn % u64::from(SOURCES)).unwrap()];
                    let _ = socket.send_to(&shout(turn, socket.local_addr().unwrap(), engine), engine);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Flood { stop, sent, thread: Some(thread) }
    }

    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.sent.load(Ordering::Relaxed)
    }
}

fn shout(turn: u64, from: SocketAddr, engine: SocketAddr) -> Vec<u8> {
    let method = match turn % 5 {
        0 | 1 => {
            return turn.to_le_bytes().iter().cycle().take(400).map(|byte| byte.wrapping_mul(31)).collect();
        }
        2 => "REGISTER",
        3 => "INVITE",
        _ => "OPTIONS",
    };
    format!(
        "{method} sip:100@{engine} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{turn}\r\nMax-Forwards: 70\r\n\
         From: <sip:100@{engine}>;tag={turn}\r\nTo: <sip:100@{engine}>\r\nCall-ID: {turn}@scan\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:100@{from}>\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Resident kilobytes of a process.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Calls on a quiet line, then under the flood.
fn run(quiet: Duration, loud: Duration) -> (Phase, Phase) {
    let node = Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace("level = \"info\"", "level = \"warn\"")
    });
    assert!(!node.log().contains("share a socket"), "each trunk has a socket of its own: {}", node.log());
    let mut carrier = Carrier::udp(local(0), node.sip);
    let calm = Phase::run(&mut carrier, quiet);
    let before = resident(node.pid());
    let flood = Flood::start(node.sip);
    let under = Phase::run(&mut carrier, loud);
    let sent = flood.stop();
    let after = resident(node.pid());
    let metric = |name: &str| node.metric(name);
    println!(
        "flood: {sent} datagrams, {:.0}/s; {:.0} dropped unread; memory {before} kB before, {after} kB after",
        sent as f64 / loud.as_secs_f64(),
        metric("bandeau_sip_over_budget_total"),
    );
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
    assert_eq!((calm.unanswered, under.unanswered), (0, 0), "every call is answered and hung up");
    assert!(metric("bandeau_sip_over_budget_total") > 0.0, "the flood went over its budget");
    assert!(after < before + 4_096, "memory is flat: {before} kB, then {after} kB");
    assert!(node.log().lines().count() < 100, "a flood writes no log: {}", node.log());
    (calm, under)
}

#[test]
fn i9_a_flood_refuses_and_loses_no_call_of_a_trunk() {
    let (_, under) = run(Duration::from_millis(500), Duration::from_secs(2));
    assert!(under.answered.len() > 20, "{} calls", under.answered.len());
}

#[test]
#[ignore = "20 seconds, and figures of a quiet machine: make test-all"]
fn i9_set_up_under_a_flood_takes_at_most_twice_as_long_as_on_a_quiet_line() {
    let (calm, under) = run(Duration::from_secs(8), Duration::from_secs(10));
    let (quiet, loud) = (calm.percentile(99), under.percentile(99));
    println!(
        "set-up p99: quiet {quiet:?} ({} calls), under the flood {loud:?} ({} calls), ratio {:.2}",
        calm.answered.len(),
        under.answered.len(),
        loud.as_secs_f64() / quiet.as_secs_f64()
    );
    assert!(loud <= 2 * quiet, "{quiet:?} became {loud:?}");
}
