//! SIP datagrams: each trunk on a socket of its own, read in bursts, written at once. The socket of
//! everybody else is read beside their connections ([`super::stream`]): here it only sends.

use super::peers::Peers;
use super::steer::{steer, tell_of_left};
use sip::transport::{Flow, Transmit, Transport};
use std::cell::Cell;
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

/// Sockets of one listener. A group of more would cost a look at each for every datagram; trunks
/// beyond it share the last.
const GROUP_MAX: usize = 64;

/// The datagram listeners.
pub(super) struct Udp {
    listeners: Vec<Listener>,
    /// Whose turn it is first, so that a carrier that sends without end lets others speak.
    turn: Cell<usize>,
}

/// One address, and the sockets that share it: everybody's, and each other one a trunk's or the phones'.
struct Listener {
    local: SocketAddr,
    others: std::net::UdpSocket,
    sockets: Vec<UdpSocket>,
}

impl Listener {
    fn bind(address: SocketAddr, peers: &Peers) -> io::Result<Listener> {
        // Alone first: a group would let a second program in beside us.
        let alone = std::net::UdpSocket::from(fresh(address)?);
        let local = alone.local_addr()?;
        drop(alone);
        let others = grouped(local)?;
        let of_group = peers.sockets().min(GROUP_MAX);
        let known = steered(peers, local);
        let mut sockets = Vec::new();
        match steer(&others, &known) {
            Ok(fit) => {
                tell_of_left(local, known.len(), fit);
                for _ in 0..of_group {
                    sockets.push(UdpSocket::from_std(grouped(local)?)?);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "trunks share a socket with everybody: a flood can fill its buffer");
            }
        }
        Ok(Listener { local, others, sockets })
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
        let listeners = addresses.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Udp { listeners, turn: Cell::new(0) })
    }

    /// Where the listeners really are (port 0 has become a port).
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|listener| listener.local)
    }

    /// The sockets of everybody else, each with its address, to be read somewhere else.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(super) fn of_others(&self) -> io::Result<Vec<(SocketAddr, std::net::UdpSocket)>> {
        self.listeners.iter().map(|it| Ok((it.local, it.others.try_clone()?))).collect()
    }

    /// Trunks have other addresses from here on.
    pub(super) fn steer(&self, peers: &Peers) {
        for listener in self.listeners.iter().filter(|listener| !listener.sockets.is_empty()) {
            let known = steered(peers, listener.local);
            match steer(&listener.others, &known) {
                Ok(fit) => tell_of_left(listener.local, known.len(), fit),
                Err(error) => tracing::error!(%error, "a trunk's address shares the socket of everybody"),
            }
        }
    }

    /// Waits until a socket of a trunk or of phones has something. Never, when there are none.
    pub(super) async fn readable(&self) -> Place {
        poll_fn(|cx| {
            let places = self.listeners.iter().enumerate().flat_map(|(listener, it)| {
                let sockets = it.sockets.iter().enumerate();
                sockets.map(move |(socket, it)| (Place { listener, socket }, it))
            });
            // From the turn on, then those before it.
            let turn = self.turn.get();
            let (mut first, mut next) = (None, None);
            for (index, (place, socket)) in places.enumerate() {
                if socket.poll_recv_ready(cx).is_ready() {
                    let found = if index >= turn { &mut next } else { &mut first };
                    found.get_or_insert((index, place));
                }
            }
            match next.or(first) {
                Some((index, place)) => {
                    self.turn.set(index + 1);
                    Poll::Ready(place)
                }
                None => Poll::Pending,
            }
        })
        .await
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

    /// Sends one message.
    ///
    /// # Errors
    /// What the system says when it refuses it (unreachable, buffer full).
    pub(super) fn send(&self, transmit: &Transmit) -> io::Result<()> {
        let Flow { local, remote, .. } = transmit.flow;
        let exact = self.listeners.iter().find(|listener| listener.local == local);
        let family = || self.listeners.iter().find(|listener| listener.local.is_ipv4() == remote.is_ipv4());
        let listener = exact.or_else(family).ok_or(io::ErrorKind::AddrNotAvailable)?;
        listener.others.send_to(&transmit.bytes, remote).map(|_| ())
    }
}

/// One socket of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    listener: usize,
    socket: usize,
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
