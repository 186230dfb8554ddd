//! SIP datagrams: read in bursts, written at once.

use sip::transport::{Flow, Transmit, Transport};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use tokio::net::UdpSocket;

/// Bytes the kernel may keep for us per socket: a burst of a thousand INVITEs (1.2 kB each, with
/// the kernel's own overhead) while one step runs. Less loses the burst; more only adds delay.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Datagrams taken from one socket before others get their turn.
pub(super) const BURST: usize = 64;

/// The datagram listeners.
pub(super) struct Udp {
    sockets: Vec<(SocketAddr, UdpSocket)>,
}

impl Udp {
    /// Binds every address.
    ///
    /// # Errors
    /// The first address that cannot be bound, with what the system says.
    pub(super) fn bind(addresses: &[SocketAddr]) -> Result<Udp, (SocketAddr, io::Error)> {
        let bind = |address: SocketAddr| -> io::Result<(SocketAddr, UdpSocket)> {
            let socket = std::net::UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER); // the system's limit may be lower
            let socket = UdpSocket::from_std(socket)?;
            Ok((socket.local_addr()?, socket))
        };
        let sockets = addresses.iter().map(|a| bind(*a).map_err(|e| (*a, e))).collect::<Result<_, _>>()?;
        Ok(Udp { sockets })
    }

    /// Where the listeners really are (port 0 has become a port).
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.sockets.iter().map(|(address, _)| *address)
    }

    /// Waits until a socket has something; its index. Never, when there are none.
    pub(super) async fn readable(&self) -> usize {
        poll_fn(|cx| {
            for (i, (_, socket)) in self.sockets.iter().enumerate() {
                if socket.poll_recv_ready(cx).is_ready() {
                    return Poll::Ready(i);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The next datagram of a socket, if one is there.
    pub(super) fn receive(&self, socket: usize, buffer: &mut [u8]) -> Received {
        let Some((local, socket)) = self.sockets.get(socket) else { return Received::Nothing };
        match socket.try_recv_from(buffer) {
            Ok((length, remote)) => Received::Datagram(length, flow(*local, remote)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Error, // an ICMP error of an earlier send: the next read goes on
        }
    }

    /// Sends one message; false when the system refuses it (unreachable, buffer full).
    pub(super) fn send(&self, transmit: &Transmit) -> bool {
        let exact = self.sockets.iter().find(|(local, _)| *local == transmit.flow.local);
        let family =
            || self.sockets.iter().find(|(local, _)| local.is_ipv4() == transmit.flow.remote.is_ipv4());
        let Some((_, socket)) = exact.or_else(family) else { return false };
        socket.try_send_to(&transmit.bytes, transmit.flow.remote).is_ok()
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
