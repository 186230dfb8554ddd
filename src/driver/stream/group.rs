//! The listeners of one address: one for everybody, and one for trunks.
//!
//! The kernel keeps connections that are not accepted yet in a queue of bounded length. Where it
//! tells trunks apart (see [`steer`]), theirs is another queue: who fills the one of strangers keeps
//! no carrier out.

use crate::driver::peers::Peers;
use crate::driver::steer::{steer, tell_of_left};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Connections the system may finish for us while the thread that accepts them does something else.
const BACKLOG: i32 = 512;

/// The listeners of one address.
pub(in crate::driver) struct Group {
    local: SocketAddr,
    others: TcpListener,
    /// None where the kernel cannot tell trunks apart: they share the other's queue.
    trunks: Option<TcpListener>,
}

impl Group {
    /// Listens at `address`.
    ///
    /// # Errors
    /// What the system says.
    pub(in crate::driver) fn listen(address: SocketAddr, peers: &Peers) -> io::Result<Group> {
        // Alone first: a group would let a second program in beside us.
        let alone = unbound(address)?;
        alone.bind(&address.into())?;
        let local = alone.local_addr()?.as_socket().unwrap_or(address);
        drop(alone);
        let others = grouped(local)?;
        let known = steered(peers, local);
        let trunks = match steer(&others, &known) {
            Ok(fit) => {
                tell_of_left(local, known.len(), fit);
                Some(grouped(local)?)
            }
            Err(error) => {
                tracing::warn!(%error, "trunks share a listener with everybody: a flood can fill its queue");
                None
            }
        };
        Ok(Group { local, others, trunks })
    }

    /// Where it is (port 0 has become a port).
    pub(in crate::driver) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Trunks have other addresses from here on.
    pub(super) fn steer(&self, peers: &Peers) {
        if self.trunks.is_none() {
            return;
        }
        let known = steered(peers, self.local);
        match steer(&self.others, &known) {
            Ok(fit) => tell_of_left(self.local, known.len(), fit),
            Err(error) => tracing::error!(%error, "a trunk's address shares the listener of everybody"),
        }
    }

    /// Each listener, and whether it is that of the trunks.
    pub(super) fn each(&self) -> io::Result<Vec<(bool, TcpListener)>> {
        let mut each = vec![(false, self.others.try_clone()?)];
        if let Some(trunks) = &self.trunks {
            each.push((true, trunks.try_clone()?));
        }
        Ok(each)
    }
}

/// Every trunk's addresses lead to the second listener.
fn steered(peers: &Peers, local: SocketAddr) -> Vec<(std::net::IpAddr, u32)> {
    let hosts = peers.steered(local.is_ipv4()).into_iter().map(|(ip, _)| ip);
    hosts.filter(|ip| peers.is_trunk_address(SocketAddr::new(*ip, 0))).map(|ip| (ip, 1)).collect()
}

fn unbound(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?; // connections of an earlier start may still be closing
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// A listener of the group at this address.
fn grouped(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = unbound(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
