//! What becomes of transactions whose path is broken.

use super::{ClientState, Transactions};
use crate::time::Instant;
use crate::transaction::{Key, client, invite_client};
use crate::transport::Flow;

impl<O: Clone> Transactions<O> {
    /// Fails every request that waits for an answer over this path; responses that are to go out
    /// over a broken connection find a new one (§18.2.2).
    pub fn handle_flow_failed(&mut self, now: Instant, flow: Flow) {
        for server in self.servers.values_mut().filter(|server| server.wire.flow.rides_on(flow)) {
            server.wire.flow.connection = 0;
        }
        let mut failed: Vec<Key> = self
            .clients
            .iter()
            .filter(|(_, client)| client.wire.flow.rides_on(flow))
            .map(|(key, _)| key.clone())
            .collect();
        failed.sort_unstable(); // replays agree
        for key in failed {
            if self.fall_back(now, &key) {
                continue;
            }
            match self.clients.get(&key).map(|client| client.state.clone()) {
                Some(ClientState::Invite(..)) => {
                    let event = invite_client::Event::TransportFailed;
                    self.step_invite_client(now, &key, event, |_| None);
                }
                Some(ClientState::Other(_)) => {
                    self.step_client(now, &key, client::Event::TransportFailed);
                }
                None => {}
            }
        }
    }

    /// A request too long for a datagram that no stream would carry goes as a datagram after all
    /// (§18.1.1); false when it was none.
    fn fall_back(&mut self, now: Instant, key: &Key) -> bool {
        let Some(client) = self.clients.get_mut(key) else { return false };
        let Some(datagram) = client.wire.datagram.take() else { return false };
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
        self.large.only_datagrams(now, datagram.flow);
        self.open_client(now, key.clone(), state, acts, datagram.flow, datagram.bytes, client.owner);
        true
    }
}
