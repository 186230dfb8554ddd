//! Whose word counts within a call (`edges.md`): its peer's, a trunk's, a phone's of ours. Everybody
//! else is a stranger there, too, whatever tags and branches they know.

use super::{DialogId, Endpoint, Purpose};
use crate::dialog::Usage;
use crate::message::Message;
use crate::transport::{Flow, Peer};
use crate::vocabulary::Method;

impl Endpoint {
    /// Who this is: a registered phone is known by its path.
    pub(super) fn known(&self, flow: Flow, peer: Peer) -> Peer {
        match peer {
            Peer::Stranger if self.registrar.user_at(flow).is_some() => Peer::Phone,
            peer => peer,
        }
    }

    /// Whether a request within this dialog is to be heard. Carriers speak from several addresses and
    /// from several trunks; a phone's home has many ports, and its next REGISTER tells of it.
    pub(super) fn may_speak(&self, dialog: DialogId, flow: Flow, peer: Peer) -> bool {
        if self.belongs_to_us(flow, peer) {
            return true;
        }
        match self.usages.get(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.dialog.is_peer_at(flow),
            Some(Usage::Standing(session)) => session.dialog.is_peer_at(flow),
            Some(Usage::Calling(set)) => {
                set.outgoing.flow.is_host_of(flow)
                    || set.early.iter().any(|early| early.dialog.is_peer_at(flow))
            }
            None => false,
        }
    }

    /// Whether this dialog is a carrier's: nothing of it depends on where a phone has registered.
    pub(super) fn is_of_a_carrier(&self, dialog: DialogId) -> bool {
        match self.usages.get(&dialog) {
            Some(Usage::Ringing(ringing)) => !ringing.dialog.stays_on_flow,
            Some(Usage::Standing(session)) => !session.dialog.stays_on_flow,
            Some(Usage::Calling(set)) => !set.stays_on_flow,
            None => false,
        }
    }

    /// Whether a request bears the name of a transaction that is somebody else's: a branch read off
    /// the wire must stop no answer and turn none aside.
    pub(super) fn is_anothers(&self, key: &str, flow: Flow, peer: Peer) -> bool {
        let theirs = self.transactions.served_over(key);
        theirs.is_some_and(|theirs| !theirs.is_host_of(flow)) && !self.belongs_to_us(flow, peer)
    }

    /// Whether a 2xx to a call of ours comes from where nobody of ours is: its audio would go there. Only
    /// for phones, which answer over the path they registered; a carrier may answer from any of its hosts.
    pub(super) fn is_answered_elsewhere(
        &self,
        key: &str,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
    ) -> bool {
        let success = message.code().is_some_and(|code| (200..300).contains(&code));
        if !success || message.cseq().is_ok_and(|cseq| cseq.method != Method::Invite) {
            return false;
        }
        let Some(Purpose::Invite(id)) = self.transactions.owner_of(key) else { return false };
        let rings_phone = match self.usages.get(id) {
            Some(Usage::Calling(set)) => set.stays_on_flow,
            _ => false,
        };
        rings_phone && !self.may_speak(*id, flow, peer)
    }

    fn belongs_to_us(&self, flow: Flow, peer: Peer) -> bool {
        peer != Peer::Stranger || self.registrar.is_a_home(flow.remote.ip())
    }
}
