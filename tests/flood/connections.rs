//! Connections from addresses that are nobody's, over TCP and TLS: held open in silence, fed a byte
//! now and then, opened and dropped by the dozen, and filled with frames that are too long.

use super::{SOURCES, Shouts};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Connections held in silence, half of them in the middle of a handshake.
const SILENT: u64 = 24;

/// Connections a byte is written to now and then.
const SLOW: usize = 8;

/// Connections that ask and ask, and read no answer.
const DEAF: u64 = 8;

/// Connections opened at once and dropped: more than there are places.
const CROWD: u64 = 96;

/// What they did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Connections opened.
    pub(crate) opened: u64,
    /// Frames that were too long, each on a connection of its own.
    pub(crate) oversized: u64,
    /// How many of those the engine closed.
    pub(crate) closed: u64,
}

/// Until it is stopped.
pub(crate) struct Connections {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Tally>,
}

impl Connections {
    pub(crate) fn start(tcp: SocketAddr, tls: SocketAddr, from: Shouts) -> Connections {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            from.take_place();
            let mut strangers = Strangers { tcp, tls, tally: Tally::default(), turn: 0 };
            let _silent: Vec<_> = (0..SILENT).map(|index| strangers.silent(index % 2 == 0)).collect();
            let mut slow: Vec<_> = (0..SLOW).map(|_| strangers.open(tcp)).collect();
            let mut deaf: Vec<_> = (0..DEAF).map(|_| strangers.open(tcp)).collect();
            let mut slowly = INVITE.iter().copied().cycle();
            while !stopped.load(Ordering::Relaxed) {
                let byte = [slowly.next().unwrap_or_default()];
                slow.iter_mut().flatten().for_each(|stream| drop(stream.write(&byte)));
                deaf.iter_mut().flatten().for_each(|stream| drop(stream.write(&b"\r\n\r\n".repeat(4_096))));
                strangers.too_long();
                strangers.crowd();
                std::thread::sleep(Duration::from_millis(20));
            }
            strangers.tally
        });
        Connections { stop, thread }
    }

    pub(crate) fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

const INVITE: &[u8] = b"INVITE sip:15@127.0.0.1 SIP/2.0\r\nSubject: a letter now and then\r\n";

/// The first bytes of a handshake whose rest never comes.
const HALF_A_HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

struct Strangers {
    tcp: SocketAddr,
    tls: SocketAddr,
    tally: Tally,
    turn: u64,
}

impl Strangers {
    /// A connection from the next address; none while the engine's queue is full.
    fn open(&mut self, engine: SocketAddr) -> Option<TcpStream> {
        self.turn += 1;
        let last = u8::try_from(self.turn % u64::from(SOURCES)).unwrap() + 2;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into()).unwrap();
        // Thousands of them leave nothing behind on this machine.
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        socket.connect_timeout(&engine.into(), Duration::from_millis(200)).ok()?;
        socket.set_write_timeout(Some(Duration::from_millis(5))).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        self.tally.opened += 1;
        Some(socket.into())
    }

    fn silent(&mut self, secure: bool) -> Option<TcpStream> {
        let mut stream = self.open(if secure { self.tls } else { self.tcp })?;
        if secure {
            let _ = stream.write_all(HALF_A_HELLO);
        }
        Some(stream)
    }

    /// A frame whose length says too much, or a head that never ends.
    fn too_long(&mut self) {
        let Some(mut stream) = self.open(self.tcp) else { return };
        self.tally.oversized += 1;
        let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
        if self.tally.oversized.is_multiple_of(2) {
            let _ = stream.write_all(&[INVITE, b"Content-Length: 70000\r\n\r\n"].concat());
        } else {
            let _ = stream.write_all(&[INVITE, b"X: ", &[b'x'; 70_000]].concat());
        }
        // The engine says nothing to a stranger: what comes is the end, or a reset.
        let end = stream.read(&mut [0; 64]);
        let is_over = match end {
            Ok(length) => length == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        self.tally.closed += u64::from(is_over);
    }

    fn crowd(&mut self) {
        let (tcp, tls) = (self.tcp, self.tls);
        let _all: Vec<_> =
            (0..CROWD).map(|index| self.open(if index % 2 == 0 { tcp } else { tls })).collect();
    }
}
