//! Connections that come: let in by who stands at the other end.
//!
//! Trunks have room of their own. Everybody else shares a bounded number of places, a bounded number
//! for each address, and pays for each connection out of the budget of its messages. Handshakes are
//! computed one after the other on a thread that is no trunk's.

use super::carry::carry;
use super::{Ground, Group, QUEUE, StreamEvent, pulse};
use crate::driver::crowd::Tally;
use crate::driver::gate::prefix;
use sip::transport::{Flow, Peer, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
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
    of_one: Mutex<HashMap<u128, usize>>,
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
        let is_trunk = ground.crowd.peers().borrow().is_trunk_address(remote);
        let places = if is_trunk { &room.trunks } else { &room.others };
        let has_budget = is_trunk || ground.crowd.lets_in(&flow);
        let place = Arc::clone(places).try_acquire_owned().ok().filter(|_| has_budget);
        let (Some(place), Some(one)) = (place, One::of(&room, remote, is_trunk)) else {
            Tally::count(&ground.crowd.tally.turned_away);
            if is_trunk {
                tracing::error!(%remote, "a trunk was turned away: it holds every place there is for trunks");
            }
            continue; // closed at the door
        };
        // Its thread may be the other one, which has to wait for it by itself.
        let Ok(stream) = stream.into_std() else { continue };
        let (lane, ground) = (ground.lanes.of(is_trunk).clone(), Arc::clone(&ground));
        lane.spawn(async move {
            let _held = (place, one);
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve(stream, flow, &ground, is_trunk).await;
            }
        });
    }
}

async fn serve(stream: TcpStream, flow: Flow, ground: &Ground, is_trunk: bool) {
    pulse::watch(&stream);
    if flow.transport != Transport::Tls {
        let peer = ground.crowd.of_flow(&flow);
        return carry_on(stream, ground, flow, peer).await;
    }
    let Some(secure) = &ground.secure else { return };
    let is_asked = ground.crowd.peers().borrow().is_asked(flow.remote);
    let secure = secure.current();
    let side = if is_asked { &secure.asking } else { &secure.server };
    let handshake = TlsAcceptor::from(Arc::clone(side)).accept(stream);
    let failed = match tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
            let peer = ground.crowd.peers().borrow().of_certificate(&flow, shown.as_ref());
            return carry_on(stream, ground, flow, peer).await;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    if is_trunk {
        // A carrier whose certificate we do not believe loses every call: somebody must act.
        Tally::count(&ground.crowd.tally.handshakes_failed);
        tracing::warn!(remote = %flow.remote.ip(), error = failed, "no TLS with somebody at a trunk's address");
    }
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

/// One connection's share of what one address (one /64 of IPv6) may have.
struct One {
    room: Arc<Room>,
    source: Option<u128>,
}

impl One {
    fn of(room: &Arc<Room>, remote: SocketAddr, is_trunk: bool) -> Option<One> {
        if is_trunk {
            return Some(One { room: Arc::clone(room), source: None });
        }
        let source = prefix(remote.ip());
        let mut of_one = room.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_one.entry(source).or_default();
        if *count >= OF_ONE_MAX {
            return None;
        }
        *count += 1;
        Some(One { room: Arc::clone(room), source: Some(source) })
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let Some(source) = self.source else { return };
        let mut of_one = self.room.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_one.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                of_one.remove(&source);
            }
        }
    }
}
