//! SIP over TCP and TLS: connections accepted and opened, framed into messages, written in order.
//!
//! They live on a thread of their own, handshakes included: what strangers make it compute delays
//! other connections, never the core. What they say reaches the core through two channels of bounded
//! length, so that the one of the trunks is never full of anybody else.

mod carry;
mod connect;
mod door;

use super::kept::Kept;
use super::peers::Peers;
use super::sip_tls::Secure;
use bytes::Bytes;
use sip::transport::{Flow, FramingError, Peer, Transmit, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Messages waiting for one slow peer; beyond it the connection is closed, since a peer that does
/// not read its signalling is gone. Each is at most 64 kB.
const QUEUE: usize = 256;

/// Messages of trunks on their way to the core: a burst while one step runs. Beyond it their
/// connections wait, as TCP lets them.
const TRUNKS_QUEUE: usize = 1024;

/// The same of everybody else.
const OTHERS_QUEUE: usize = 64;

/// What streams report to the core.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// One whole message.
    Message(Flow, Peer, Bytes),
    /// A connection is open: what is sent to its peer can use it.
    Opened(Flow, mpsc::Sender<Bytes>),
    /// A connection is over, or could not be opened.
    Closed(Flow),
    /// What came cannot be cut into messages; the connection is closed.
    Unreadable(FramingError),
}

/// What the core hears of streams.
pub(super) struct StreamEvents {
    /// From trunks.
    pub(super) trunks: mpsc::Receiver<StreamEvent>,
    /// From everybody else.
    pub(super) others: mpsc::Receiver<StreamEvent>,
}

/// What every connection needs.
struct Ground {
    peers: RwLock<Peers>,
    secure: Option<Arc<Kept<Secure>>>,
    trunks: mpsc::Sender<StreamEvent>,
    others: mpsc::Sender<StreamEvent>,
    /// Connections of strangers at once.
    connections: usize,
}

impl Ground {
    fn of_flow(&self, flow: &Flow) -> Peer {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).of_flow(flow)
    }

    /// Where the core hears of this peer.
    fn events(&self, peer: Peer) -> &mpsc::Sender<StreamEvent> {
        match peer {
            Peer::Trunk(_) => &self.trunks,
            Peer::Phone | Peer::Stranger => &self.others,
        }
    }
}

/// Every connection, by number and by peer.
pub(super) struct Streams {
    ground: Arc<Ground>,
    thread: Option<(Handle, oneshot::Sender<()>, JoinHandle<()>)>,
    open: HashMap<u64, (Flow, mpsc::Sender<Bytes>)>,
    by_peer: HashMap<(Transport, SocketAddr), u64>,
    next: u64,
}

impl Streams {
    /// Starts the thread and accepts connections from here on.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(
        listeners: Vec<(Transport, std::net::TcpListener)>,
        peers: Peers,
        secure: Option<Arc<Kept<Secure>>>,
        connections: usize,
    ) -> anyhow::Result<(Streams, StreamEvents)> {
        let (trunks, from_trunks) = mpsc::channel(TRUNKS_QUEUE);
        let (others, from_others) = mpsc::channel(OTHERS_QUEUE);
        let ground = Arc::new(Ground { peers: RwLock::new(peers), secure, trunks, others, connections });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("streams".to_owned()).spawn(move || {
            runtime.block_on(async {
                let _ = stopped.await; // the core is gone: so is everybody who was written to
            });
        })?;
        if let Some(secure) = &ground.secure {
            handle.spawn(Arc::clone(secure).keep_looking());
        }
        door::open(&handle, &ground, listeners)?;
        let streams = Streams {
            ground,
            thread: Some((handle, stop, thread)),
            open: HashMap::new(),
            by_peer: HashMap::new(),
            next: 1,
        };
        Ok((streams, StreamEvents { trunks: from_trunks, others: from_others }))
    }

    /// Trunks have other addresses from here on.
    pub(super) fn peers(&self, peers: Peers) {
        *self.ground.peers.write().unwrap_or_else(PoisonError::into_inner) = peers;
    }

    /// A connection is open.
    pub(super) fn opened(&mut self, flow: Flow, write: mpsc::Sender<Bytes>) {
        self.by_peer.insert((flow.transport, flow.remote), flow.connection);
        self.open.insert(flow.connection, (flow, write));
    }

    /// A connection is over.
    pub(super) fn closed(&mut self, flow: &Flow) {
        self.open.remove(&flow.connection);
        let peer = (flow.transport, flow.remote);
        if self.by_peer.get(&peer) == Some(&flow.connection) {
            self.by_peer.remove(&peer);
        }
    }

    /// Closes a connection whose peer has cost too much.
    pub(super) fn close(&mut self, flow: &Flow) {
        self.closed(flow); // its task ends with the sender of what it writes
    }

    /// How many stand.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Sends one message over its connection, another to the same peer, or one opened for it. Gives
    /// the path that turned out to be broken.
    pub(super) fn send(&mut self, transmit: Transmit) -> Option<Flow> {
        let Flow { transport, remote, connection, .. } = transmit.flow;
        let connection = if self.open.contains_key(&connection) {
            Some(connection)
        } else {
            self.by_peer.get(&(transport, remote)).copied()
        };
        match connection.and_then(|number| self.open.get(&number)) {
            Some((flow, write)) => {
                let flow = *flow;
                let broken = write.try_send(transmit.bytes).is_err();
                broken.then(|| {
                    self.closed(&flow);
                    flow
                })
            }
            None => self.connect(transmit),
        }
    }

    fn connect(&mut self, transmit: Transmit) -> Option<Flow> {
        let number = self.next;
        self.next += 2;
        let flow = Flow { connection: number, ..transmit.flow };
        let (write, queue) = mpsc::channel(QUEUE);
        let _ = write.try_send(transmit.bytes); // the queue is empty
        self.opened(flow, write);
        let Some((handle, ..)) = &self.thread else { return Some(flow) };
        handle.spawn(connect::run(Arc::clone(&self.ground), flow, queue));
        None
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        if let Some((_, stop, thread)) = self.thread.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}
