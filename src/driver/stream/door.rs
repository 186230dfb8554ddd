//! Connections that come: let in by who stands at the other end.
//!
//! Trunks have room of their own. Everybody else shares a bounded number of places, a bounded number
//! for each address, and a few handshakes at a time.

use super::carry::carry;
use super::{Ground, Group, QUEUE, StreamEvent};
use sip::transport::{Flow, Peer, Transport};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

/// Connections of trunks at once: each carrier opens a handful. Each costs a task and two buffers.
const TRUNKS_MAX: usize = 1024;

/// Connections of one address that is no trunk: a room of phones behind one address translation.
const OF_ONE_MAX: usize = 256;

/// Handshakes of strangers at once: each costs a millisecond of the streams' thread.
const HANDSHAKES_MAX: usize = 16;

/// A handshake that takes longer is a broken network or a flood.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// After an accept that failed (no descriptors left): at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// The places, and who holds them.
pub(super) struct Room {
    trunks: Arc<Semaphore>,
    others: Arc<Semaphore>,
    /// Places of others in all.
    connections: usize,
    handshakes: Semaphore,
    of_one: Mutex<HashMap<IpAddr, usize>>,
    /// Numbers of accepted connections are even, those of connections we open odd.
    next: AtomicU64,
}

impl Room {
    /// With this many places for those who are no trunk.
    pub(super) fn new(connections: usize) -> Room {
        Room {
            trunks: Arc::new(Semaphore::new(TRUNKS_MAX)),
            others: Arc::new(Semaphore::new(connections)),
            connections,
            handshakes: Semaphore::new(HANDSHAKES_MAX),
            of_one: Mutex::new(HashMap::new()),
            next: AtomicU64::new(2),
        }
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> usize {
        let free = self.trunks.available_permits() + self.others.available_permits();
        (TRUNKS_MAX + self.connections).saturating_sub(free)
    }
}

/// Accepts connections for ever.
///
/// # Errors
/// When a listener cannot be handed to its thread.
pub(super) fn open(
    ground: &Arc<Ground>,
    room: &Arc<Room>,
    listeners: &[(Transport, Group)],
) -> anyhow::Result<()> {
    for (transport, group) in listeners {
        for (is_trunks, listener) in group.each()? {
            let lane = ground.lanes.of(is_trunks);
            let _entered = lane.enter();
            let listener = TcpListener::from_std(listener)?;
            lane.spawn(accept(listener, *transport, Arc::clone(ground), Arc::clone(room)));
        }
    }
    Ok(())
}

async fn accept(listener: TcpListener, transport: Transport, ground: Arc<Ground>, room: Arc<Room>) {
    loop {
        let Ok((stream, remote)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let local = stream.local_addr().unwrap_or(remote);
        let connection = room.next.fetch_add(2, Ordering::Relaxed);
        let flow = Flow { transport, local, remote, connection };
        // By address: a certificate is not seen before a place is taken. Whatever listener it came by:
        // the kernel may not know yet what a trunk's name stands for.
        let is_trunk = ground.peers.read().unwrap_or_else(PoisonError::into_inner).is_trunk_address(remote);
        let places = if is_trunk { &room.trunks } else { &room.others };
        let place = Arc::clone(places).try_acquire_owned().ok();
        let (Some(place), Some(one)) = (place, One::of(&room, remote, is_trunk)) else {
            ground.turned_away.fetch_add(1, Ordering::Relaxed);
            continue; // closed at the door
        };
        // Its thread may be the other one, which has to wait for it by itself.
        let Ok(stream) = stream.into_std() else { continue };
        let (lane, ground) = (ground.lanes.of(is_trunk).clone(), Arc::clone(&ground));
        lane.spawn(async move {
            let (_place, one) = (place, one);
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve(stream, flow, &ground, &one, is_trunk).await;
            }
        });
    }
}

async fn serve(stream: TcpStream, flow: Flow, ground: &Ground, one: &One, is_trunk: bool) {
    let _ = stream.set_nodelay(true);
    if flow.transport != Transport::Tls {
        let peer = ground.of_flow(&flow);
        return carry_on(stream, ground, flow, peer).await;
    }
    let Some(secure) = &ground.secure else { return };
    // Never closed: the semaphore is ours.
    let turn = if is_trunk { None } else { one.room.handshakes.acquire().await.ok() };
    let is_asked = ground.peers.read().unwrap_or_else(PoisonError::into_inner).is_asked(flow.remote);
    let secure = secure.current();
    let side = if is_asked { &secure.asking } else { &secure.server };
    let handshake = TlsAcceptor::from(Arc::clone(side)).accept(stream);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await else { return };
    drop(turn);
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
    let peers = ground.peers.read().unwrap_or_else(PoisonError::into_inner).clone();
    let peer = peers.of_certificate(&flow, shown.as_ref());
    carry_on(stream, ground, flow, peer).await;
}

async fn carry_on(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    ground: &Ground,
    flow: Flow,
    peer: Peer,
) {
    let (write, queue) = mpsc::channel(QUEUE);
    if let Peer::Trunk(_) = peer {
        // Known before it speaks: calls of ours may go this way.
        if ground.trunks.send(StreamEvent::Opened(flow, write)).await.is_ok() {
            carry(stream, ground, flow, peer, (None, queue)).await;
        }
    } else {
        carry(stream, ground, flow, peer, (Some(write), queue)).await;
    }
}

/// One connection's share of what one address may have.
struct One {
    room: Arc<Room>,
    ip: Option<IpAddr>,
}

impl One {
    fn of(room: &Arc<Room>, remote: SocketAddr, is_trunk: bool) -> Option<One> {
        if is_trunk {
            return Some(One { room: Arc::clone(room), ip: None });
        }
        let mut of_one = room.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_one.entry(remote.ip()).or_default();
        if *count >= OF_ONE_MAX {
            return None;
        }
        *count += 1;
        Some(One { room: Arc::clone(room), ip: Some(remote.ip()) })
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let Some(ip) = self.ip else { return };
        let mut of_one = self.room.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_one.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                of_one.remove(&ip);
            }
        }
    }
}
