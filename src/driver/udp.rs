//! SIP datagrams: each trunk on a socket of its own, read in bursts, written at once.

use super::peers::Peers;
use super::steer::steer;
use sip::transport::{Flow, Transmit, Transport};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use tokio::net::UdpSocket;

/// Bytes the kernel may keep for us per socket: a burst of a thousand INVITEs (1.2 kB each, with
/// the kernel's own overhead) while one step runs. Less loses the burst; more only adds delay.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Datagrams taken from one trunk's socket before others get their turn.
pub(super) const BURST: usize = 64;

/// The same from the socket of everybody else: what a flood may put between two calls of a trunk.
pub(super) const BURST_OF_OTHERS: usize = 16;

/// Sockets of one listener. A group of more would cost a look at each for every datagram; trunks
/// beyond it share the last.
const GROUP_MAX: usize = 64;

/// The datagram listeners.
pub(super) struct Udp {
    listeners: Vec<Listener>,
}

/// One address, and the sockets that share it: the first is everybody's, each other one a trunk's
/// or the phones'.
struct Listener {
    local: SocketAddr,
    sockets: Vec<UdpSocket>,
}

impl Listener {
    fn bind(address: SocketAddr, peers: &Peers) -> io::Result<Listener> {
        // Alone first: a group would let a second program in beside us.
        let alone = std::net::UdpSocket::from(fresh(address)?);
        let local = alone.local_addr()?;
        drop(alone);
        let first = grouped(local)?;
        let of_group = peers.sockets().min(GROUP_MAX);
        let known = steered(peers, local);
        let mut sockets = vec![first];
        match steer(&sockets[0], &known) {
            Ok(()) => {
                for _ in 0..of_group {
                    sockets.push(grouped(local)?);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "trunks share a socket with everybody: a flood can fill its buffer");
            }
        }
        let sockets = sockets.into_iter().map(UdpSocket::from_std).collect::<io::Result<_>>()?;
        Ok(Listener { local, sockets })
    }
}

fn steered(peers: &Peers, local: SocketAddr) -> Vec<(std::net::IpAddr, u32)> {
    let last = u32::try_from(GROUP_MAX).unwrap_or(u32::MAX);
    let mut known = peers.steered(local.is_ipv4());
    known.iter_mut().for_each(|(_, socket)| *socket = (*socket).min(last));
    known
}

/// A socket that is alone at its address.
fn fresh(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = unbound(address)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn unbound(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // IPv4 has listeners of its own: one peer, one address
    }
    Ok(socket)
}

/// A socket of a group at this address.
fn grouped(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = unbound(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER); // the system's limit may be lower
    Ok(socket.into())
}

impl Udp {
    /// Binds every address.
    ///
    /// # Errors
    /// The first address that cannot be bound, with what the system says.
    pub(super) fn bind(addresses: &[SocketAddr], peers: &Peers) -> Result<Udp, (SocketAddr, io::Error)> {
        let bind = |address: &SocketAddr| Listener::bind(*address, peers).map_err(|e| (*address, e));
        Ok(Udp { listeners: addresses.iter().map(bind).collect::<Result<_, _>>()? })
    }

    /// Where the listeners really are (port 0 has become a port).
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|listener| listener.local)
    }

    /// Trunks have other addresses from here on.
    pub(super) fn steer(&self, peers: &Peers) {
        for listener in self.listeners.iter().filter(|listener| listener.sockets.len() > 1) {
            let socket = socket2::SockRef::from(&listener.sockets[0]);
            if let Err(error) = steer(&*socket, &steered(peers, listener.local)) {
                tracing::error!(%error, "a trunk's address shares the socket of everybody");
            }
        }
    }

    /// Waits until a socket has something: a trunk's before everybody's. Never, when there are none.
    pub(super) async fn readable(&self) -> Place {
        poll_fn(|cx| {
            for known in [true, false] {
                for (listener, it) in self.listeners.iter().enumerate() {
                    let sockets = it.sockets.iter().enumerate();
                    for (socket, it) in sockets.filter(|(socket, _)| (*socket > 0) == known) {
                        if it.poll_recv_ready(cx).is_ready() {
                            return Poll::Ready(Place { listener, socket });
                        }
                    }
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The sockets of everybody else.
    pub(super) fn of_others(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.listeners.len()).map(|listener| Place { listener, socket: 0 })
    }

    /// The next datagram of a socket, if one is there.
    pub(super) fn receive(&self, place: Place, buffer: &mut [u8]) -> Received {
        let Some(listener) = self.listeners.get(place.listener) else { return Received::Nothing };
        let Some(socket) = listener.sockets.get(place.socket) else { return Received::Nothing };
        match socket.try_recv_from(buffer) {
            Ok((length, remote)) => Received::Datagram(length, flow(listener.local, remote)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Error, // an ICMP error of an earlier send: the next read goes on
        }
    }

    /// Sends one message; false when the system refuses it (unreachable, buffer full).
    pub(super) fn send(&self, transmit: &Transmit) -> bool {
        let Flow { local, remote, .. } = transmit.flow;
        let exact = self.listeners.iter().find(|listener| listener.local == local);
        let family = || self.listeners.iter().find(|listener| listener.local.is_ipv4() == remote.is_ipv4());
        let Some(listener) = exact.or_else(family) else { return false };
        listener.sockets[0].try_send_to(&transmit.bytes, remote).is_ok()
    }
}

/// One socket of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    listener: usize,
    socket: usize,
}

impl Place {
    /// Whether everybody's datagrams come here.
    pub(super) fn is_of_others(self) -> bool {
        self.socket == 0
    }
}

/// What a read brought.
pub(super) enum Received {
    /// A datagram of this length.
    Datagram(usize, Flow),
    /// Nothing is there.
    Nothing,
    /// The system reports an error of this socket; reading goes on.
    Error,
}

fn flow(local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}
