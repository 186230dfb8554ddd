//! What becomes of transactions whose path is broken or has moved.

use super::{ClientState, Transactions};
use crate::time::Instant;
use crate::transaction::large::retold;
use crate::transaction::{Key, client, invite_client};
use crate::transport::{Flow, Transmit, Transport};

impl<O: Clone> Transactions<O> {
    /// Fails every request that waits for a first word over this path; what has been heard of goes on
    /// over another connection, and so do responses that are to go out (§18.2.2).
    ///
    /// A datagram the system would not send fails an INVITE nobody has heard of (§18.4), which has
    /// another way to go; anything else is as if lost on the way, and is sent again.
    pub fn handle_flow_failed(&mut self, now: Instant, flow: Flow) {
        let reliable = flow.transport.is_reliable();
        let servers = self.servers.values_mut().filter(|_| reliable);
        for server in servers.filter(|server| server.wire.flow.rides_on(flow)) {
            server.wire.flow.connection = 0;
        }
        if reliable {
            self.turn_acks(flow);
        }
        let calls =
            |state: &ClientState| matches!(state, ClientState::Invite(invite_client::State::Calling, _));
        let mut failed: Vec<Key> = self
            .clients
            .iter()
            .filter(|(_, client)| client.wire.flow.rides_on(flow) && (reliable || calls(&client.state)))
            .map(|(key, _)| key.clone())
            .collect();
        failed.sort_unstable(); // replays agree
        for key in failed {
            if self.fall_back(now, &key) {
                continue;
            }
            let Some(client) = self.clients.get_mut(&key) else { continue };
            client.wire.flow.connection = 0;
            match client.state {
                ClientState::Invite(..) => {
                    let event = invite_client::Event::TransportFailed;
                    self.step_invite_client(now, &key, event, |_| None);
                }
                ClientState::Other(_) => {
                    self.step_client(now, &key, client::Event::TransportFailed);
                }
            }
        }
    }

    /// The ACK of a 2xx went where no connection is: it goes the way of the INVITE, which was heard, at once
    /// and for each copy of the 2xx.
    fn turn_acks(&mut self, broken: Flow) {
        for client in self.clients.values_mut() {
            let heard = client.wire.flow;
            for (_, ack) in client.acknowledged.iter_mut().filter(|(_, ack)| ack.flow.rides_on(broken)) {
                if !heard.rides_on(broken)
                    && let Some(bytes) = retold(&ack.bytes, broken.transport, heard.transport)
                {
                    *ack = Transmit { flow: heard, bytes };
                    self.transmits.push_back(ack.clone());
                }
            }
        }
    }

    /// A request of this transaction has come, a copy or a CANCEL: over this path its sender hears,
    /// when the one of before is gone.
    pub fn comes_over(&mut self, key: &str, flow: Flow) {
        if let Some(server) = self.servers.get_mut(key)
            && server.wire.flow.is_cut()
            && server.wire.flow.transport == flow.transport
        {
            server.wire.flow = flow;
        }
    }

    /// A phone is reached over another path from here on (RFC 5626 §5.3).
    pub fn handle_moved(&mut self, from: Flow, to: Flow) {
        let servers = self.servers.values_mut().map(|server| &mut server.wire.flow);
        let clients = self.clients.values_mut().map(|client| &mut client.wire.flow);
        for path in servers.chain(clients).filter(|path| path.is_path_of(from)) {
            *path = to;
        }
    }

    /// Sends a request that follows an INVITE not in force: where its own next hop takes no connection it
    /// goes over the path of that INVITE.
    pub fn open_follower(&mut self, now: Instant, key: Key, request: Transmit, owner: O, invite: Flow) {
        let Transmit { flow, bytes } = request;
        let retold = retold(&bytes, flow.transport, invite.transport);
        self.open_other_client(now, key.clone(), flow, bytes, owner);
        if let Some(client) = self.clients.get_mut(&key)
            && let Some(bytes) = retold.filter(|_| flow != invite)
        {
            client.wire.otherwise = Some(Transmit { flow: invite, bytes });
        }
    }

    /// A request that no stream would carry goes another way where it has one, one too long for a datagram
    /// as a datagram after all (§18.1.1); false when it has none.
    fn fall_back(&mut self, now: Instant, key: &Key) -> bool {
        let Some(client) = self.clients.get_mut(key) else { return false };
        let Some(other) = client.wire.otherwise.take() else { return false };
        let (state, acts) = match client.state {
            ClientState::Invite(invite_client::State::Calling, _) => {
                (ClientState::Invite(invite_client::OPENING.next, None), invite_client::OPENING.acts)
            }
            ClientState::Other(client::State::Trying) => {
                (ClientState::Other(client::OPENING.next), client::OPENING.acts)
            }
            // Heard over the stream before it broke: a datagram would be a second request.
            _ => return false,
        };
        let Some(mut client) = self.clients.remove(key) else { return false };
        client.wire.disarm(&mut self.schedule);
        if other.flow.transport == Transport::Udp && other.flow.remote == client.wire.flow.remote {
            self.large.only_datagrams(now, other.flow);
        }
        self.open_client(now, key.clone(), state, acts, other.flow, other.bytes, client.owner);
        true
    }
}
