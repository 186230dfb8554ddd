//! One SIP socket with its endpoint: the callers' side of a trunk, or a desk phone.

use super::Clock;
use super::plan::LoadError;
use sip::endpoint::{Config, Endpoint, Event};
use sip::time::{Instant, Now};
use sip::transport::{Flow, Peer, Transport};
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::UdpSocket;

/// The largest datagram there is.
const DATAGRAM_MAX: usize = 65_535;

/// A socket, the endpoint behind it, and the one peer they talk to.
pub(super) struct Station {
    socket: UdpSocket,
    clock: Clock,
    /// Towards the target.
    pub(super) flow: Flow,
    /// Transactions and dialogs.
    pub(super) sip: Endpoint,
    /// Responses to a REGISTER of ours: the endpoint is a registrar, not a client of one.
    registrations: bool,
    datagram: Vec<u8>,
}

/// What a station reports.
#[derive(Debug)]
pub(super) enum News {
    /// Of the endpoint.
    Event(Event),
    /// A response to our REGISTER.
    Response(Vec<u8>),
    /// The time asked for has come.
    Due,
}

impl Station {
    /// Binds `local`; everything it hears from `target` is believed, everybody else is a stranger.
    pub(super) async fn open(
        local: SocketAddr,
        target: SocketAddr,
        clock: Clock,
    ) -> Result<Station, LoadError> {
        let wrong = |source| LoadError::Io { what: format!("cannot bind {local}"), source };
        let socket = UdpSocket::bind(local).await.map_err(wrong)?;
        let local = socket.local_addr().map_err(wrong)?;
        let flow = Flow { transport: Transport::Udp, local, remote: target, connection: 0 };
        let config = Config {
            product: "bandeau load".to_owned(),
            contact: local,
            realm: "load".to_owned(),
            accounts: Vec::new(),
            timers: sip::transaction::Timers::default(),
            strangers_forbid: false,
        };
        // Tags and branches need only differ between runs and stations, not be secret.
        let nanos = clock().utc.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let seed =
            u64::try_from(nanos & u128::from(u64::MAX)).unwrap_or_default() ^ (u64::from(local.port()) << 48);
        let sip = Endpoint::new(config, seed);
        Ok(Station { socket, clock, flow, sip, registrations: false, datagram: vec![0; DATAGRAM_MAX] })
    }

    /// The clock's reading.
    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// Sends a message that is no business of the endpoint: a REGISTER.
    pub(super) async fn register(&mut self, message: &[u8]) {
        self.registrations = true;
        // Loss on the way is retried by the phone, as any loss would be.
        let _ = self.socket.send_to(message, self.flow.remote).await;
    }

    /// Sends what is to be sent and waits for news, until `due` at the latest. Losing this future
    /// loses nothing.
    pub(super) async fn next(&mut self, due: Option<Instant>) -> News {
        loop {
            while let Some(transmit) = self.sip.poll_transmit() {
                // What cannot be sent is repeated by its transaction, or given up by it.
                let _ = self.socket.send_to(&transmit.bytes, transmit.flow.remote).await;
            }
            if let Some(event) = self.sip.poll_event() {
                return News::Event(event);
            }
            let now = self.now();
            if due.is_some_and(|due| due <= now.at) {
                return News::Due;
            }
            if self.sip.poll_timeout().is_some_and(|at| at <= now.at) {
                self.sip.handle_due(now);
                continue;
            }
            let wake = [due, self.sip.poll_timeout()].into_iter().flatten().min();
            let wait = wake.map_or(Duration::from_secs(3_600), |at| at.since(now.at));
            tokio::select! {
                received = self.socket.recv_from(&mut self.datagram) => {
                    let Ok((length, from)) = received else { continue };
                    if let Some(response) = self.take(length, from) {
                        return News::Response(response);
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Gives a datagram to the endpoint, or answers with it when it ends a REGISTER of ours.
    fn take(&mut self, length: usize, from: SocketAddr) -> Option<Vec<u8>> {
        let now = self.now();
        let bytes = &self.datagram[..length];
        if self.registrations && bytes.starts_with(b"SIP/2.0 ") && is_of_register(bytes) {
            return Some(bytes.to_vec());
        }
        let peer = if from == self.flow.remote { Peer::Trunk(0) } else { Peer::Stranger };
        self.sip.handle_message(now, Flow { remote: from, ..self.flow }, peer, bytes);
        None
    }
}

fn is_of_register(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        line.len() > 5 && line[..5].eq_ignore_ascii_case(b"CSeq:") && line.ends_with(b"REGISTER")
    })
}
