//! Connections we open.

use super::carry::carry;
use super::outbox::Outgoing;
use super::{Ground, StreamEvent, pulse};
use sip::transport::{Flow, Peer, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a connection may take to open: one lost SYN sent again. A long request falls back to a
/// datagram after it, and a call of ours tries the next carrier.
const CONNECT: Duration = Duration::from_secs(2);

/// How long its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Opens the connection, and carries it until it ends.
pub(super) async fn run(ground: Arc<Ground>, flow: Flow, queue: Outgoing) {
    let peer = ground.crowd.of_flow(&flow);
    if let Some(queue) = attempt(&ground, flow, queue).await {
        drop(queue);
        let _ = ground.events(peer).send(StreamEvent::Closed(flow)).await;
    }
}

/// Gives the queue back when no connection came about.
async fn attempt(ground: &Ground, flow: Flow, queue: Outgoing) -> Option<Outgoing> {
    let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(flow.remote)).await else {
        return Some(queue);
    };
    pulse::watch(&stream);
    if flow.transport != Transport::Tls {
        let peer = ground.crowd.of_flow(&flow);
        carry(stream, ground, flow, peer, (None, queue)).await;
        return None;
    }
    let Some(secure) = &ground.secure else { return Some(queue) };
    let name = ground.crowd.peers().borrow().server_name(flow.remote);
    let handshake = TlsConnector::from(Arc::clone(&secure.current().client)).connect(name, stream);
    match tokio::time::timeout(HANDSHAKE, handshake).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).cloned();
            let peer: Peer = ground.crowd.peers().borrow().of_certificate(&flow, shown.as_ref());
            carry(stream, ground, flow, peer, (None, queue)).await;
            None
        }
        Ok(Err(error)) => {
            // A carrier's certificate that does not fit keeps our calls away: somebody must act.
            tracing::warn!(remote = %flow.remote, %error, "no TLS with a peer of ours");
            Some(queue)
        }
        Err(_) => Some(queue),
    }
}
