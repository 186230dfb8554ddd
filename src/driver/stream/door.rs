//! Connections that come: let in by who stands at the other end.
//!
//! Whoever is no trunk pays for each connection out of the budget of its messages, and takes one of a
//! bounded number of places ([`super::room`]). Handshakes are computed one after the other on a thread
//! that is no trunk's.

use super::carry::carry;
use super::outbox::outbox;
use super::room::{Guest, Room};
use super::{Ground, Group, StreamEvent, pulse};
use crate::driver::crowd::Tally;
use sip::transport::{Flow, Peer, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A handshake that takes longer is a broken network or a flood.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// After an accept that failed (no descriptors left): at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

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
        let connection = room.number();
        let flow = Flow { transport, local, remote, connection };
        let guest = guest(&ground, remote);
        let is_trunk = guest == Guest::Trunk;
        let has_budget = is_trunk || ground.crowd.lets_in(&flow);
        let Some(place) = has_budget.then(|| room.admit(connection, guest, remote)).flatten() else {
            Tally::count(&ground.crowd.tally.turned_away);
            if is_trunk {
                tracing::error!(%remote, "a trunk was turned away: it holds every place there is for trunks");
            }
            continue; // closed at the door
        };
        // Its thread may be the other one, which has to wait for it by itself.
        let Ok(stream) = stream.into_std() else { continue };
        let (lane, ground) = (ground.lanes.of(is_trunk).clone(), Arc::clone(&ground));
        let room = Arc::clone(&room);
        lane.spawn(async move {
            let _held = place;
            if let Ok(stream) = TcpStream::from_std(stream) {
                serve(stream, flow, &ground, &room).await;
            }
        });
    }
}

/// Who comes, by address: a certificate is not seen before a place is taken. Whatever listener it came
/// by: the kernel may not know yet what a trunk's name stands for.
fn guest(ground: &Ground, remote: SocketAddr) -> Guest {
    let peers = ground.crowd.peers();
    let peers = peers.borrow();
    if peers.is_trunk_address(remote) {
        Guest::Trunk
    } else if peers.is_phone_host(remote.ip()) || ground.crowd.is_known_host(remote.ip()) {
        Guest::Phone
    } else {
        Guest::Stranger
    }
}

async fn serve(stream: TcpStream, flow: Flow, ground: &Ground, room: &Room) {
    pulse::watch(&stream);
    if flow.transport != Transport::Tls {
        let peer = ground.crowd.of_flow(&flow);
        ground.crowd.tell_of_disbelieved(&flow);
        return carry_on(stream, ground, flow, peer).await;
    }
    let Some(secure) = &ground.secure else { return };
    let asked = ground.crowd.peers().borrow().asked(flow.remote);
    let secure = secure.current();
    let handshake = TlsAcceptor::from(Arc::clone(secure.to_ask(asked))).accept(stream);
    let failed = match tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await {
        Ok(Ok(stream)) => {
            let shown = secure.believed(asked, stream.get_ref().1.peer_certificates());
            let peer = ground.crowd.peers().borrow().of_certificate(&flow, shown.as_ref());
            let Peer::Trunk(_) = peer else { return carry_on(stream, ground, flow, peer).await };
            room.learns(flow.connection, Guest::Trunk);
            ground.crowd.has_been_a_trunk(flow.remote.ip());
            carry_on(stream, ground, flow, peer).await;
            // An hour from now on, not from when it came.
            return ground.crowd.has_been_a_trunk(flow.remote.ip());
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    if ground.crowd.peers().borrow().is_trunk_address(flow.remote) {
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
    let is_trunk = matches!(peer, Peer::Trunk(_));
    let (write, queue) = outbox(is_trunk);
    if is_trunk {
        // Known before it speaks: calls of ours may go this way.
        if ground.trunks.send(StreamEvent::Opened(flow, write)).await.is_ok() {
            carry(stream, ground, flow, peer, (None, queue)).await;
        }
    } else {
        carry(stream, ground, flow, peer, (Some(write), queue)).await;
    }
}
