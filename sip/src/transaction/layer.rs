//! All transactions that are alive, their timers and what they send.

use super::key::Key;
use super::timer::{Timer, Timers};
use super::wire::{Left, Means, Wire};
use super::{Act, client, invite_client, invite_server, large::Large, server};
use crate::chance::Keying;
use crate::schedule::Schedule;
use crate::time::Instant;
use crate::transport::{Flow, Transmit};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

mod broken;
mod merged;

/// The transactions of one endpoint. `O` is what the opener of a client transaction wants back
/// with its responses.
#[derive(Clone)]
pub struct Transactions<O> {
    timers: Timers,
    /// In boxes: these tables are turned over all day, and one that doubles shall cost little.
    servers: HashMap<Key, Box<Server>, Keying>,
    clients: HashMap<Key, Box<Client<O>>, Keying>,
    /// Requests in progress by Call-ID, From tag and CSeq, to know a merged one (§8.2.2.2).
    merges: HashMap<Key, Key, Keying>,
    /// What is too long for a datagram, and who takes it no other way.
    large: Large,
    schedule: Schedule<(Side, Key, Timer)>,
    transmits: VecDeque<Transmit>,
    reports: VecDeque<Report<O>>,
}

/// What a transaction tells its owner on its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report<O> {
    /// A client transaction ended without a final response.
    Lost {
        /// Whose it was.
        owner: O,
        /// Why.
        loss: Loss,
    },
    /// A message was sent again.
    Retransmitted,
}

/// Why a client transaction got no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// 64*T1 have passed (as 408, RFC 3261 §8.1.3.1).
    TimedOut,
    /// The transport failed (as 503).
    Unreachable,
}

/// What became of a request that bears the key of a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absorbed {
    /// No such transaction: the request is news.
    Unknown,
    /// The transaction has dealt with it.
    Done,
    /// It is the dialog's: an ACK of a 2xx.
    HandedUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

#[derive(Clone)]
struct Server {
    state: ServerState,
    wire: Wire,
    /// Our To tag, for a CANCEL to find the dialog; empty but for INVITE.
    tag: Box<str>,
    merge: Option<Key>,
    /// Its sender has said something that it could only say once it had heard us.
    is_heard: bool,
}

#[derive(Clone, Copy, Debug)]
enum ServerState {
    Invite(invite_server::State),
    Other(server::State),
}

#[derive(Clone)]
struct Client<O> {
    state: ClientState,
    wire: Wire,
    owner: O,
    /// ACKs of 2xx responses by the remote tag, sent again for every copy (§13.2.2.4).
    acknowledged: Vec<(Box<str>, Transmit)>,
}

#[derive(Clone)]
enum ClientState {
    Invite(invite_client::State, Option<Bytes>),
    Other(client::State),
}

impl<O: Clone> Transactions<O> {
    /// No transaction yet. `seed` keys the maps, so that nobody can choose colliding branches.
    pub fn new(timers: Timers, seed: u64) -> Self {
        let keying = Keying::new(seed);
        Transactions {
            timers,
            servers: HashMap::with_hasher(keying),
            clients: HashMap::with_hasher(keying),
            merges: HashMap::with_hasher(keying),
            large: Large::default(),
            schedule: Schedule::default(),
            transmits: VecDeque::new(),
            reports: VecDeque::new(),
        }
    }

    /// A copy of a request, or an ACK: the server transaction with this key deals with it.
    pub fn absorb(&mut self, now: Instant, key: &str, flow: Flow, is_ack: bool) -> Absorbed {
        self.comes_over(key, flow);
        let Some((key, server)) = self.servers.get_key_value(key) else { return Absorbed::Unknown };
        let (key, is_invite) = (key.clone(), matches!(server.state, ServerState::Invite(_)));
        let left = match (is_invite, is_ack) {
            (true, true) => self.step_invite_server(now, &key, invite_server::Event::Ack, None),
            (true, false) => self.step_invite_server(now, &key, invite_server::Event::Invite, None),
            (false, false) => self.step_server(now, &key, server::Event::Request, None),
            (false, true) => Left::default(),
        };
        if left.hand_up { Absorbed::HandedUp } else { Absorbed::Done }
    }

    /// Opens the server transaction of an INVITE. `tag` is our To tag, for a CANCEL to find; with
    /// `merge`, the same INVITE under another branch is known as merged.
    pub fn open_invite_server(&mut self, key: Key, flow: Flow, tag: &str, merge: Option<Key>) {
        if let Some(merge) = &merge {
            self.merges.insert(merge.clone(), key.clone());
        }
        let state = ServerState::Invite(invite_server::State::Proceeding);
        let server = Server { state, wire: Wire::new(flow), tag: tag.into(), merge, is_heard: false };
        self.servers.insert(key, Box::new(server));
    }

    /// Opens the server transaction of any other request.
    pub fn open_other_server(&mut self, key: Key, flow: Flow) {
        let state = ServerState::Other(server::State::Trying);
        let server = Server { state, wire: Wire::new(flow), tag: "".into(), merge: None, is_heard: false };
        self.servers.insert(key, Box::new(server));
    }

    /// Over which path the server transaction with this key answers.
    pub fn served_over(&self, key: &str) -> Option<Flow> {
        self.servers.get(key).map(|server| server.wire.flow)
    }

    /// Whose client transaction has this key.
    pub fn owner_of(&self, key: &str) -> Option<&O> {
        self.clients.get(key).map(|client| &client.owner)
    }

    /// Our To tag in the answers to the INVITE with this key.
    pub fn tag_of(&self, key: &str) -> Option<&str> {
        self.servers.get(key).map(|server| &*server.tag)
    }

    /// Whether the INVITE with this key has had no final response yet.
    pub fn is_proceeding(&self, key: &str) -> bool {
        self.servers.get(key).is_some_and(|server| {
            matches!(server.state, ServerState::Invite(invite_server::State::Proceeding))
        })
    }

    /// Sends a response through its transaction. Without the transaction (it has run out while a
    /// 2xx is still being repeated) it goes out as it is.
    pub fn respond(&mut self, now: Instant, key: &Key, flow: Flow, code: u16, bytes: Bytes) {
        let Some(server) = self.servers.get_mut(key) else {
            self.transmits.push_back(Transmit { flow, bytes });
            return;
        };
        if server.wire.flow.is_cut() {
            server.wire.flow = flow; // the dialog knows where the peer takes connections
        }
        match server.state {
            ServerState::Invite(_) => {
                let event = match code {
                    100..=199 => invite_server::Event::Provisional,
                    200..=299 => invite_server::Event::Success,
                    _ => invite_server::Event::Failure,
                };
                self.step_invite_server(now, key, event, Some(bytes));
            }
            ServerState::Other(_) => {
                let event = if code < 200 { server::Event::Provisional } else { server::Event::Final };
                self.step_server(now, key, event, Some(bytes));
            }
        }
    }

    /// Sends an INVITE and waits for its responses.
    pub fn open_invite_client(&mut self, now: Instant, key: Key, flow: Flow, bytes: Bytes, owner: O) {
        let opening = invite_client::OPENING;
        self.open_client(now, key, ClientState::Invite(opening.next, None), opening.acts, flow, bytes, owner);
    }

    /// Sends any other request and waits for its responses.
    pub fn open_other_client(&mut self, now: Instant, key: Key, flow: Flow, bytes: Bytes, owner: O) {
        let opening = client::OPENING;
        self.open_client(now, key, ClientState::Other(opening.next), opening.acts, flow, bytes, owner);
    }

    #[allow(clippy::too_many_arguments)] // the two functions above are its only callers
    fn open_client(
        &mut self,
        now: Instant,
        key: Key,
        state: ClientState,
        acts: &[Act],
        flow: Flow,
        bytes: Bytes,
        owner: O,
    ) {
        let datagram = Transmit { flow, bytes };
        let stream = self.large.by_stream(now, &datagram);
        let mut wire = Wire::new(stream.as_ref().map_or(flow, |stream| stream.flow));
        let bytes = match stream {
            Some(stream) => {
                wire.otherwise = Some(datagram);
                stream.bytes
            }
            None => datagram.bytes,
        };
        self.means(now).carry_out(&mut wire, Side::Client, &key, acts, Some(bytes));
        self.clients.insert(key, Box::new(Client { state, wire, owner, acknowledged: Vec::new() }));
    }

    /// A response with the key of a client transaction. `acknowledge` makes the ACK of a failure
    /// from the request. Gives the owner when the response is news to it.
    pub fn receive_response(
        &mut self,
        now: Instant,
        key: &str,
        code: u16,
        acknowledge: impl FnOnce(&[u8]) -> Option<Bytes>,
    ) -> Option<(Key, O)> {
        let (key, client) = self.clients.get_key_value(key)?;
        let key = key.clone();
        let left = match client.state {
            ClientState::Invite(..) => {
                let event = match code {
                    100..=199 => invite_client::Event::Provisional,
                    200..=299 => invite_client::Event::Success,
                    _ => invite_client::Event::Failure,
                };
                self.step_invite_client(now, &key, event, acknowledge)
            }
            ClientState::Other(_) => {
                let event = if code < 200 { client::Event::Provisional } else { client::Event::Final };
                self.step_client(now, &key, event)
            }
        };
        let (left, owner) = left?;
        left.hand_up.then_some((key, owner))
    }

    /// The request of a client transaction that is still alive, as it was sent.
    pub fn request(&self, key: &str) -> Option<(Flow, Bytes)> {
        self.clients.get(key).map(|client| (client.wire.flow, client.wire.kept.clone()))
    }

    /// Whether an INVITE has had a provisional response and no final one: only then may a CANCEL
    /// go out (§9.1).
    pub fn is_cancellable(&self, key: &str) -> bool {
        self.clients.get(key).is_some_and(|client| {
            matches!(client.state, ClientState::Invite(invite_client::State::Proceeding, _))
        })
    }

    /// Sends the ACK of a 2xx and keeps it for the copies of that 2xx.
    pub fn acknowledge(&mut self, key: &str, remote_tag: &str, ack: Transmit) {
        self.transmits.push_back(ack.clone());
        if let Some(client) = self.clients.get_mut(key) {
            client.acknowledged.push((remote_tag.into(), ack));
        }
    }

    /// Sends the ACK again when the 2xx with this remote tag has been acknowledged before.
    pub fn acknowledge_again(&mut self, key: &str, remote_tag: &str) -> bool {
        let Some(client) = self.clients.get(key) else { return false };
        let Some((_, ack)) = client.acknowledged.iter().find(|(tag, _)| &**tag == remote_tag) else {
            return false;
        };
        self.transmits.push_back(ack.clone());
        self.reports.push_back(Report::Retransmitted);
        true
    }

    /// Gives an INVITE up that was cancelled and never answered finally (§9.1).
    pub fn abandon(&mut self, key: &str) {
        if let Some(mut client) = self.clients.remove(key) {
            client.wire.disarm(&mut self.schedule);
        }
    }

    /// Nobody waits for this INVITE any more: a final response is still acknowledged if it comes in
    /// 64*T1.
    pub fn let_go(&mut self, now: Instant, key: &str) {
        let Some((key, _)) = self.clients.get_key_value(key) else { return };
        let (key, at) = (key.clone(), now + self.timers.patience());
        let Some(client) = self.clients.get_mut(&key) else { return };
        use invite_client::State::{Calling, Proceeding};
        if let ClientState::Invite(Calling | Proceeding, _) = client.state {
            self.schedule.clear(&mut client.wire.deadline);
            client.wire.deadline = Some(self.schedule.arm(at, (Side::Client, key, Timer::C)));
            client.wire.let_go = true;
        }
    }

    /// Sends a message that belongs to no transaction.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// Fires what is due.
    pub fn handle_due(&mut self, now: Instant) {
        while let Some((side, key, timer)) = self.schedule.pop_due(now) {
            self.fire(now, side, &key, timer);
        }
    }

    fn fire(&mut self, now: Instant, side: Side, key: &Key, timer: Timer) {
        match side {
            Side::Server => match self.servers.get(key).map(|server| server.state) {
                Some(ServerState::Invite(_)) => {
                    self.step_invite_server(now, key, invite_server::Event::Fired(timer), None);
                }
                Some(ServerState::Other(_)) => {
                    self.step_server(now, key, server::Event::Fired(timer), None);
                }
                None => {}
            },
            Side::Client => match self.clients.get(key).map(|client| client.state.clone()) {
                Some(ClientState::Invite(..)) => {
                    self.step_invite_client(now, key, invite_client::Event::Fired(timer), |_| None);
                }
                Some(ClientState::Other(_)) => {
                    self.step_client(now, key, client::Event::Fired(timer));
                }
                None => {}
            },
        }
    }

    /// What to send, in order.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// What owners must know, in order.
    pub fn poll(&mut self) -> Option<Report<O>> {
        self.reports.pop_front()
    }

    /// When to come back.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.next()
    }

    /// Whether no transaction and no timer is left.
    pub fn is_idle(&self) -> bool {
        self.servers.is_empty()
            && self.clients.is_empty()
            && self.merges.is_empty()
            && self.schedule.is_empty()
            && self.transmits.is_empty()
            && self.reports.is_empty()
    }

    fn step_invite_server(
        &mut self,
        now: Instant,
        key: &Key,
        event: invite_server::Event,
        bytes: Option<Bytes>,
    ) -> Left {
        let Some(mut server) = self.servers.remove(key) else { return Left::default() };
        let mut left = Left::default();
        if let ServerState::Invite(state) = server.state
            && let Some(row) = invite_server::row(state, event)
        {
            server.state = ServerState::Invite(row.next);
            left = self.means(now).carry_out(&mut server.wire, Side::Server, key, row.acts, bytes);
            left.over |= row.next == invite_server::State::Terminated;
        }
        self.put_back_server(key, server, left);
        left
    }

    fn step_server(&mut self, now: Instant, key: &Key, event: server::Event, bytes: Option<Bytes>) -> Left {
        let Some(mut server) = self.servers.remove(key) else { return Left::default() };
        let mut left = Left::default();
        if let ServerState::Other(state) = server.state
            && let Some(row) = server::row(state, event)
        {
            server.state = ServerState::Other(row.next);
            left = self.means(now).carry_out(&mut server.wire, Side::Server, key, row.acts, bytes);
            left.over |= row.next == server::State::Terminated;
        }
        self.put_back_server(key, server, left);
        left
    }

    fn put_back_server(&mut self, key: &Key, mut server: Box<Server>, left: Left) {
        if !left.over {
            self.servers.insert(key.clone(), server);
            return;
        }
        server.wire.disarm(&mut self.schedule);
        if let Some(merge) = server.merge
            && self.merges.get(&merge).is_some_and(|latest| latest == key)
        {
            self.merges.remove(&merge);
        }
    }

    fn step_invite_client(
        &mut self,
        now: Instant,
        key: &Key,
        event: invite_client::Event,
        acknowledge: impl FnOnce(&[u8]) -> Option<Bytes>,
    ) -> Option<(Left, O)> {
        let mut client = self.clients.remove(key)?;
        let mut left = Left::default();
        if let ClientState::Invite(state, ack) = &mut client.state
            && let Some(row) = invite_client::row(*state, event)
        {
            *state = row.next;
            left = self.means(now).carry_out(&mut client.wire, Side::Client, key, row.acts, None);
            if left.ack {
                if ack.is_none() {
                    *ack = acknowledge(&client.wire.kept);
                }
                self.transmits.extend(ack.clone().map(|bytes| Transmit { flow: client.wire.flow, bytes }));
            }
            left.over |= row.next == invite_client::State::Terminated;
        }
        Some(self.put_back_client(key, client, left))
    }

    fn step_client(&mut self, now: Instant, key: &Key, event: client::Event) -> Option<(Left, O)> {
        let mut client = self.clients.remove(key)?;
        let mut left = Left::default();
        if let ClientState::Other(state) = client.state
            && let Some(row) = client::row(state, event)
        {
            client.state = ClientState::Other(row.next);
            left = self.means(now).carry_out(&mut client.wire, Side::Client, key, row.acts, None);
            left.over |= row.next == client::State::Terminated;
        }
        Some(self.put_back_client(key, client, left))
    }

    fn put_back_client(&mut self, key: &Key, mut client: Box<Client<O>>, left: Left) -> (Left, O) {
        let owner = client.owner.clone();
        if let Some(loss) = left.loss {
            self.reports.push_back(Report::Lost { owner: owner.clone(), loss });
        }
        if left.over {
            client.wire.disarm(&mut self.schedule);
        } else {
            self.clients.insert(key.clone(), client);
        }
        (left, owner)
    }

    fn means(&mut self, now: Instant) -> Means<'_, O> {
        Means {
            now,
            timers: &self.timers,
            schedule: &mut self.schedule,
            transmits: &mut self.transmits,
            reports: &mut self.reports,
        }
    }
}
