//! SIP over TCP and TLS: connections accepted and opened, framed into messages, written in order.
//!
//! They live on two threads, handshakes included, one for trunks and one for everybody else, whose
//! datagrams are read there, too: what strangers make theirs compute delays neither a trunk's
//! connection nor the core; where all of them want the same processor, theirs is the one that waits.
//! What they say reaches the core through two channels of bounded length, so
//! that the one of the trunks is never full of anybody else.

mod carry;
mod connect;
mod datagrams;
mod door;
mod group;
mod lane;
mod outbox;
mod pulse;
mod room;

pub(super) use group::Group;

use super::crowd::Crowd;
use super::kept::Kept;
use super::peers::Peers;
use super::sip_tls::Secure;
use bytes::Bytes;
use lane::{Lane, Turn};
use outbox::{Outbox, outbox};
use room::{Guest, Room};
use sip::transport::{Flow, FramingError, Peer, Transmit, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

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
    Opened(Flow, Outbox),
    /// A connection is over, or could not be opened.
    Closed(Flow),
    /// What came cannot be cut into messages; the connection is closed.
    Unreadable(FramingError),
    /// The same of a trunk, with the head it cannot be cut behind: its connection is closed once what
    /// the core has to say to it is written.
    Unframed(Flow, Peer, Bytes, FramingError),
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
    crowd: Arc<Crowd>,
    secure: Option<Arc<Kept<Secure>>>,
    trunks: mpsc::Sender<StreamEvent>,
    others: mpsc::Sender<StreamEvent>,
    lanes: Lanes,
}

/// What is open when they start.
pub(super) struct Open {
    pub(super) listeners: Vec<(Transport, Group)>,
    /// The sockets of everybody who has none of their own.
    pub(super) datagrams: Vec<(SocketAddr, std::net::UdpSocket)>,
    pub(super) secure: Option<Arc<Kept<Secure>>>,
    /// Connections at once of those who are no trunk.
    pub(super) places: usize,
}

/// The threads connections live on.
struct Lanes {
    trunks: Handle,
    others: Handle,
}

impl Lanes {
    fn of(&self, is_trunk: bool) -> &Handle {
        if is_trunk { &self.trunks } else { &self.others }
    }
}

impl Ground {
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
    groups: Vec<Group>,
    room: Arc<Room>,
    _lanes: [Lane; 2],
    open: HashMap<u64, (Flow, Outbox)>,
    by_peer: HashMap<(Transport, SocketAddr), u64>,
    next: u64,
}

impl Streams {
    /// Starts the threads and accepts connections from here on.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(super) fn start(open: Open, crowd: &Arc<Crowd>) -> anyhow::Result<(Streams, StreamEvents)> {
        let Open { listeners, datagrams, secure, places } = open;
        let (trunks, from_trunks) = mpsc::channel(TRUNKS_QUEUE);
        let (others, from_others) = mpsc::channel(OTHERS_QUEUE);
        let (of_trunks, for_trunks) = Lane::start("trunk streams", Turn::Everybody)?;
        let (of_others, for_others) = Lane::start("streams", Turn::Last)?;
        let lanes = Lanes { trunks: for_trunks, others: for_others };
        let ground = Arc::new(Ground { crowd: Arc::clone(crowd), secure, trunks, others, lanes });
        if let Some(secure) = &ground.secure {
            ground.lanes.others.spawn(Arc::clone(secure).keep_looking());
        }
        let room = Arc::new(Room::new(places));
        door::open(&ground, &room, &listeners)?;
        for (local, socket) in datagrams {
            let _entered = ground.lanes.others.enter();
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            ground.lanes.others.spawn(datagrams::read(socket, local, Arc::clone(&ground)));
        }
        let streams = Streams {
            ground,
            groups: listeners.into_iter().map(|(_, group)| group).collect(),
            room,
            _lanes: [of_trunks, of_others],
            open: HashMap::new(),
            by_peer: HashMap::new(),
            next: 1,
        };
        Ok((streams, StreamEvents { trunks: from_trunks, others: from_others }))
    }

    /// Trunks have other addresses from here on.
    pub(super) fn steer(&self, peers: &Peers) {
        for group in &self.groups {
            group.steer(peers);
        }
    }

    /// A connection is open.
    pub(super) fn opened(&mut self, flow: Flow, write: Outbox) {
        self.by_peer.insert((flow.transport, flow.remote), flow.connection);
        self.open.insert(flow.connection, (flow, write));
    }

    /// A phone has registered over this connection: what it holds is a phone's place.
    pub(super) fn is_a_phone(&self, flow: &Flow) {
        self.room.learns(flow.connection, Guest::Phone);
    }

    /// A connection is over, or its peer has cost too much: its task ends with the sender of what it
    /// writes. False when that was known.
    pub(super) fn closed(&mut self, flow: &Flow) -> bool {
        let was_open = self.open.remove(&flow.connection).is_some();
        let peer = (flow.transport, flow.remote);
        if self.by_peer.get(&peer) == Some(&flow.connection) {
            self.by_peer.remove(&peer);
        }
        was_open
    }

    /// How many stand: those let in, and those we opened.
    pub(super) fn standing(&self) -> usize {
        self.room.taken() + self.open.keys().filter(|number| *number % 2 == 1).count()
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
                let broken = !write.put(transmit.bytes);
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
        let is_trunk = self.ground.crowd.peers().borrow().is_trunk_address(flow.remote);
        let (write, queue) = outbox(is_trunk);
        let _ = write.put(transmit.bytes); // it is empty
        self.opened(flow, write);
        let lane = self.ground.lanes.of(is_trunk);
        lane.spawn(connect::run(Arc::clone(&self.ground), flow, queue));
        None
    }
}
