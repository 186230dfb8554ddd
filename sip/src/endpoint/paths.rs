//! Paths that break, and peers that are reached over another one from then on (RFC 3261 §18.2.2,
//! RFC 5626 §5.3). No call ends because a connection did.

use super::{DialogId, Endpoint, Purpose};
use crate::dialog::{Dialog, Usage};
use crate::message::Message;
use crate::time::{Instant, Now};
use crate::transaction::Pending;
use crate::transport::{Flow, Peer};

impl Endpoint {
    /// A stream closed, or a datagram was reported undeliverable.
    pub fn handle_flow_failed(&mut self, now: Now, flow: Flow) {
        self.met.remove(&flow.connection);
        self.transactions.handle_flow_failed(now.at, flow);
        if flow.transport.is_reliable() {
            // A dialog outlives its connection: its next request opens another one.
            for usage in self.usages.values_mut() {
                each_path(usage, |path| path.leave(flow));
            }
            self.registrar.handle_flow_failed(flow);
            self.take_registrations();
        }
        self.take_reports(now.at);
    }

    /// Whether anything here may hang on this connection: somebody has spoken over it who is no
    /// stranger. Of strangers nothing stays, so that their closing costs nothing (I20).
    pub fn has_met(&self, flow: Flow) -> bool {
        self.met.contains(&flow.connection)
    }

    /// Somebody has spoken over this connection.
    pub(super) fn meet(&mut self, flow: Flow, peer: Peer) {
        if flow.connection != 0 && peer != Peer::Stranger {
            self.met.insert(flow.connection);
        }
    }

    /// A request within a dialog has come: over this path its peer hears, when the one of before is gone.
    pub(super) fn hear_over(&mut self, dialog: DialogId, flow: Flow, message: &Message<'_>) {
        let Ok(via) = message.via() else { return };
        if !flow.transport.is_reliable() {
            return;
        }
        self.meet(flow, Peer::Phone);
        match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.dialog.hear_over(flow, &via),
            Some(Usage::Standing(session)) => session.dialog.hear_over(flow, &via),
            _ => {}
        }
    }

    /// A request within a dialog met no connection. True when it is a re-INVITE, and goes out again
    /// to where the peer was heard.
    pub(super) fn meets_nobody(&mut self, now: Instant, purpose: Purpose) -> bool {
        use Purpose::{Bye, Probe, Refer, Refresh, Reoffer};
        let (Bye(id) | Probe(id) | Refer(id) | Refresh(id) | Reoffer(id)) = purpose else { return false };
        let Some(Usage::Standing(session)) = self.usages.get_mut(&id) else { return false };
        let has_another = session.dialog.meets_nobody(&self.local);
        let again = has_another && matches!(purpose, Reoffer(_)) && !session.is_over();
        let Some(ours) = session.ours.take_if(|ours| again && !ours.cancelled) else { return false };
        self.schedule.cancel(ours.deadline);
        session.wanted.get_or_insert(ours.sdp);
        self.reoffer_wanted(now, id);
        true
    }

    /// Phones that are reached over another path from here on.
    pub(super) fn take_moves(&mut self) {
        while let Some((from, to)) = self.registrar.poll_moved() {
            self.transactions.handle_moved(from, to);
            for usage in self.usages.values_mut() {
                each_path(usage, |path| path.follow(from, to));
            }
        }
    }
}

/// Somewhere a path is kept.
enum Path<'u> {
    Dialog(&'u mut Dialog),
    Pending(&'u mut Pending),
    Flow(&'u mut Flow),
}

impl Path<'_> {
    /// Its connection is gone.
    fn leave(self, broken: Flow) {
        match self {
            Path::Dialog(dialog) => dialog.leave(broken),
            Path::Pending(pending) => pending.leave(broken),
            Path::Flow(flow) if *flow == broken => flow.connection = 0,
            Path::Flow(_) => {}
        }
    }

    /// The phone there has moved.
    fn follow(self, from: Flow, to: Flow) {
        let flow = match self {
            Path::Dialog(dialog) => &mut dialog.flow,
            Path::Pending(pending) => &mut pending.flow,
            Path::Flow(flow) => flow,
        };
        if flow.is_path_of(from) {
            *flow = to;
        }
    }
}

/// Shows every path a usage keeps.
fn each_path(usage: &mut Usage, mut each: impl FnMut(Path<'_>)) {
    match usage {
        Usage::Ringing(ringing) => {
            each(Path::Dialog(&mut ringing.dialog));
            each(Path::Pending(&mut ringing.pending));
            ringing.theirs.iter_mut().for_each(|theirs| each(Path::Pending(&mut theirs.pending)));
        }
        Usage::Standing(session) => {
            each(Path::Dialog(&mut session.dialog));
            let waiting = session.unacknowledged.iter_mut().map(|waiting| &mut waiting.pending);
            let theirs = session.theirs.iter_mut().map(|theirs| &mut theirs.pending);
            waiting.chain(theirs).for_each(|pending| each(Path::Pending(pending)));
        }
        Usage::Calling(set) => {
            each(Path::Flow(&mut set.outgoing.flow));
            set.early.iter_mut().for_each(|early| each(Path::Dialog(&mut early.dialog)));
        }
    }
}
