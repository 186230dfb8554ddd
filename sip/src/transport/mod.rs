//! Where a message came from and where one goes, as values; and the framing of streams.

mod framing;

pub use framing::{Framer, FramingError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// How SIP travels (RFC 3261 §18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// One datagram, one message.
    Udp,
    /// A stream, framed by Content-Length.
    Tcp,
    /// A stream inside TLS.
    Tls,
}

impl Transport {
    /// TCP and TLS deliver or break: no retransmission of ours (RFC 3261 §17).
    pub fn is_reliable(self) -> bool {
        !matches!(self, Transport::Udp)
    }

    /// The port of a peer that names none (RFC 3261 §19.1.2).
    pub fn default_port(self) -> u16 {
        if self == Transport::Tls { 5061 } else { 5060 }
    }

    /// The token of a Via header.
    pub fn token(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }
}

/// A path between one of our sockets and one peer; for streams, one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// How it travels.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// The connection, given by the driver; 0 for datagrams and for a connection not open yet
    /// (the driver opens one, or uses one already open to `remote`).
    pub connection: u64,
}

impl Flow {
    /// Whether it went over a connection that is gone: what follows needs another one.
    pub fn is_cut(self) -> bool {
        self.transport.is_reliable() && self.connection == 0
    }

    /// Whether this is `other`, be its connection gone since.
    pub fn is_path_of(self, other: Flow) -> bool {
        let same = (self.transport, self.remote) == (other.transport, other.remote);
        same && (self.connection == other.connection || self.connection == 0)
    }

    /// Whether what came over `other` was sent by the host at the end of this path, from whatever port:
    /// routers between renumber them. What is enciphered is nobody's who speaks in clear.
    pub fn is_host_of(self, other: Flow) -> bool {
        let as_safe = self.transport != Transport::Tls || other.transport == Transport::Tls;
        as_safe && self.remote.ip() == other.remote.ip()
    }

    /// Whether what goes this way is lost with that connection: it is this one, or the one the
    /// driver opened for it.
    pub fn rides_on(self, broken: Flow) -> bool {
        match self.connection {
            0 => self.transport == broken.transport && self.remote == broken.remote,
            number => self.transport == broken.transport && number == broken.connection,
        }
    }
}

/// Who the peer is, as the site's configuration knows it; decides how forgiving we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// A carrier's trunk, by its index in the site: nothing it sends that can be understood is refused.
    Trunk(u16),
    /// A desk phone of ours, at a configured address or over a registered flow.
    Phone,
    /// Anybody else: strict RFC answers, or silence.
    Stranger,
}

/// One message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where.
    pub flow: Flow,
    /// The whole message.
    pub bytes: Bytes,
}
