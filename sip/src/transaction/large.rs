//! Requests too long for a datagram (RFC 3261 §18.1.1): tried over a stream first, so that no
//! fragment lost on the way loses a call.

use crate::time::Instant;
use crate::transport::{Flow, Transmit, Transport};
use bytes::Bytes;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What RFC 3261 §18.1.1 lets go as a datagram where the path is not known.
pub(super) const DATAGRAM_MAX: usize = 1300;

/// How long a peer that took no connection is spared the next try. Longer would miss one that has
/// learned it, shorter would make its calls wait for a connection again and again.
const SPARED: Duration = Duration::from_secs(600);

/// Peers remembered; the rest cost a connection that fails. Only trunks and phones get requests of ours.
const PEERS_MAX: usize = 1024;

/// Who takes nothing but datagrams.
#[derive(Debug, Default, Clone)]
pub(super) struct Large {
    spared: HashMap<IpAddr, Instant>,
}

impl Large {
    /// The request as a stream carries it, when it is too long for a datagram and its peer may take
    /// a connection. Its Contact stays: it says where we are reached, not how this one went.
    pub(super) fn by_stream(&self, now: Instant, datagram: &Transmit) -> Option<Transmit> {
        let Transmit { flow, bytes } = datagram;
        let is_spared = self.spared.get(&flow.remote.ip()).is_some_and(|until| now < *until);
        if flow.transport != Transport::Udp || bytes.len() <= DATAGRAM_MAX || is_spared {
            return None;
        }
        let bytes = retold(bytes, Transport::Udp, Transport::Tcp)?;
        let flow = Flow { transport: Transport::Tcp, connection: 0, ..*flow };
        Some(Transmit { flow, bytes })
    }

    /// This peer took no connection.
    pub(super) fn only_datagrams(&mut self, now: Instant, flow: Flow) {
        if self.spared.len() >= PEERS_MAX {
            self.spared.retain(|_, until| now < *until);
        }
        if self.spared.len() < PEERS_MAX {
            self.spared.insert(flow.remote.ip(), now + SPARED);
        }
    }
}

/// A request of ours as it goes by another transport: its first Via says which.
pub(super) fn retold(bytes: &Bytes, from: Transport, to: Transport) -> Option<Bytes> {
    let from = format!("SIP/2.0/{}", from.token());
    // The first Via is ours, and ours is the first line after the request line.
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes())?;
    let mut other = bytes.to_vec();
    other[at + from.len() - 3..at + from.len()].copy_from_slice(to.token().as_bytes());
    Some(Bytes::from(other))
}
