//! Junk, and a scanner's REGISTER, INVITE and OPTIONS, in datagrams from addresses that are nobody's.

use super::{SOURCES, Shouts};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Datagrams in a second.
const RATE: u64 = 20_000;

/// Until it is stopped.
pub(crate) struct Datagrams {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Datagrams {
    pub(crate) fn start(engine: SocketAddr, from: Shouts) -> Datagrams {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let sockets: Vec<UdpSocket> = (0..SOURCES)
            .map(|source| UdpSocket::bind((Ipv4Addr::new(127, 0, 0, source + 2), 0)).unwrap())
            .collect();
        let thread = std::thread::spawn(move || {
            from.take_place();
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
        Datagrams { stop, sent, thread }
    }

    /// How many were sent.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
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
