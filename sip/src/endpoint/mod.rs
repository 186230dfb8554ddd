//! One SIP endpoint: transactions, dialogs and the registrar behind three verbs.

mod event;

pub use event::{
    Account, Config, Counter, Credentials, DialogId, Event, Invite, Outgoing, Party, Reason, Registration,
};

use crate::dialog::DialogSnapshot;
use crate::time::{Instant, Now};
use crate::transport::{Flow, Peer, Transmit};
use std::collections::VecDeque;

/// Everything SIP of one process. Owns transactions, dialogs and registrations; knows no call.
pub struct Endpoint {
    config: Config,
    events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
    last_dialog: u64,
}

impl Endpoint {
    /// An endpoint at rest. `seed` makes its tags, branches and nonces: unpredictable in service,
    /// the same again in a replay.
    pub fn new(config: Config, seed: u64) -> Self {
        let _ = seed;
        Endpoint { config, events: VecDeque::new(), transmits: VecDeque::new(), last_dialog: 0 }
    }

    /// Takes one whole message of a peer. Cannot fail: what is wrong with it ends in a response,
    /// or in a counter.
    pub fn handle_message(&mut self, now: Now, flow: Flow, peer: Peer, bytes: &[u8]) {
        let _ = (now, flow, peer, bytes, &self.config);
    }

    /// A stream closed, or a datagram was reported undeliverable.
    pub fn handle_flow_failed(&mut self, now: Now, flow: Flow) {
        let _ = (now, flow);
    }

    /// Does what is due at `now`.
    pub fn handle_due(&mut self, now: Now) {
        let _ = now;
    }

    /// What happened, in order, until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What to send, in order, until `None`.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When to come back if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Sends a provisional response, 180 or 183, with an early answer or without.
    pub fn ring(&mut self, now: Now, dialog: DialogId, code: u16, sdp: Option<&[u8]>) {
        let _ = (now, dialog, code, sdp);
    }

    /// Sends the 200, again and again until its ACK comes (`Confirmed`) or 64*T1 have passed
    /// (`Unconfirmed`).
    pub fn answer(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) {
        let _ = (now, dialog, sdp);
    }

    /// Sends a final response of 300 or more; the dialog is over. `retry_after` in seconds.
    pub fn refuse(&mut self, now: Now, dialog: DialogId, code: u16, retry_after: Option<u32>) {
        let _ = (now, dialog, code, retry_after);
    }

    /// Sends an INVITE.
    pub fn invite(&mut self, now: Now, outgoing: Outgoing) -> DialogId {
        let _ = (now, outgoing);
        self.last_dialog += 1;
        DialogId(self.last_dialog)
    }

    /// Ends a dialog by whatever fits its state: CANCEL, BYE or a refusal. Idempotent. `reason` is
    /// the value of the Reason header (RFC 3326), for instance `Q.850;cause=16`.
    pub fn end(&mut self, now: Now, dialog: DialogId, reason: Option<&str>) {
        let _ = (now, dialog, reason);
    }

    /// Sends a re-INVITE; waits for a transaction in the way, and through glare (491).
    pub fn reoffer(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) {
        let _ = (now, dialog, sdp);
    }

    /// Answers the peer's re-INVITE or UPDATE.
    pub fn accept(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) {
        let _ = (now, dialog, sdp);
    }

    /// Asks within the dialog whether the peer lives (OPTIONS): `Alive` or `Lost` follows.
    pub fn probe(&mut self, now: Now, dialog: DialogId) {
        let _ = (now, dialog);
    }

    /// Where `user` is reached, latest registration first.
    pub fn contacts(&self, user: &str) -> Vec<Registration> {
        let _ = user;
        Vec::new()
    }

    /// The dialog as the journal keeps it.
    pub fn snapshot(&self, dialog: DialogId) -> Option<DialogSnapshot> {
        let _ = dialog;
        None
    }

    /// Whether every map is empty: no transaction, dialog, registration or timer is left.
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && self.transmits.is_empty()
    }
}
