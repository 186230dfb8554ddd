//! What the owner of a call may want of a dialog.

use super::refreshing::in_answer;
use super::{Counter, DialogId, Endpoint, Outgoing, Purpose, Wake};
use crate::dialog::refresh::{ASKED, Verdict};
use crate::dialog::{
    ALLOW, DialogSet, Ending, Fact, Move, Ours, Phase, Request, Ringing, SUPPORTED, Session, Unacknowledged,
    Unpracked, Usage,
};
use crate::message::{Builder, Message, Name, StartLine};
use crate::time::{Instant, Now};
use crate::transaction::{Key, Pending};
use crate::vocabulary::Method;
use bytes::Bytes;

impl Endpoint {
    /// Sends the 200, again and again until its ACK comes (`Confirmed`) or 64*T1 have passed
    /// (`Unconfirmed`).
    pub fn answer(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) {
        if !self.holds_answer(now.at, dialog, sdp) {
            self.answer_now(now.at, dialog, sdp);
        }
    }

    pub(super) fn answer_now(&mut self, now: Instant, dialog: DialogId, sdp: &[u8]) {
        if !matches!(self.usages.get(&dialog), Some(Usage::Ringing(_))) {
            return;
        }
        let Some(Usage::Ringing(ringing)) = self.usages.remove(&dialog) else { return };
        let Ringing { dialog: early, pending, cseq, mut repeat, reliable, theirs, .. } = *ringing;
        let (awaits_answer, described, timer, updates) =
            (ringing.awaits_answer, ringing.described, ringing.timer, ringing.updates);
        self.schedule.clear(&mut repeat);
        let mut session = Session::new(early, false, ringing.credentials);
        session.unpracked = self.leave_reliable(reliable).map(|(rseq, described)| Unpracked {
            rseq,
            cseq,
            awaits_answer: described && awaits_answer,
        });
        (session.updates, session.theirs) = (updates, theirs);
        session.spoken = Bytes::copy_from_slice(sdp);
        let bytes = self.success(&pending, Some(sdp).filter(|_| !described), timer);
        let waiting = self.await_ack(now, dialog, cseq, pending, bytes, true, awaits_answer);
        session.unacknowledged = Some(waiting);
        self.usages.insert(dialog, Usage::Standing(Box::new(session)));
        self.keep_time_as_answered(now, dialog, timer);
    }

    fn success(&self, pending: &Pending, sdp: Option<&[u8]>, timer: Verdict) -> Bytes {
        let contact = self.local.contact(pending.flow);
        let mut headers = vec![("Contact", contact), ("Allow", ALLOW), ("Supported", SUPPORTED)];
        let timed = in_answer(timer);
        headers.extend(timed.iter().map(|(name, value)| (*name, value.as_str())));
        headers.push(("Server", self.local.product()));
        pending.response(200, &headers, sdp)
    }

    #[allow(clippy::too_many_arguments)] // the fields of one value
    fn await_ack(
        &mut self,
        now: Instant,
        dialog: DialogId,
        cseq: u32,
        pending: Pending,
        bytes: Bytes,
        is_first: bool,
        awaits_answer: bool,
    ) -> Unacknowledged {
        self.transactions.respond(now, &pending.key, pending.flow, 200, bytes.clone());
        let timers = self.config.timers;
        let repeat = self.schedule.arm(now + timers.repeat_interval(1), (dialog, Wake::RepeatSuccess));
        let deadline = self.schedule.arm(now + timers.patience(), (dialog, Wake::NoAck));
        Unacknowledged { cseq, pending, bytes, sent: 1, repeat, deadline, is_first, awaits_answer }
    }

    /// Sends a final response of 300 or more; the dialog is over. `retry_after` in seconds.
    pub fn refuse(&mut self, now: Now, dialog: DialogId, code: u16, retry_after: Option<u32>) {
        let wait = retry_after.map(|seconds| seconds.to_string());
        let headers: Vec<(&str, &str)> =
            wait.iter().map(|seconds| ("Retry-After", seconds.as_str())).collect();
        self.refuse_with(now.at, dialog, code, &headers);
    }

    fn refuse_with(&mut self, now: Instant, dialog: DialogId, code: u16, headers: &[(&str, &str)]) {
        let Some(Usage::Ringing(ringing)) = self.usages.get(&dialog) else { return };
        let (pending, from_trunk) = (ringing.pending.clone(), ringing.from_trunk);
        self.reply(now, &pending, code.clamp(300, 699), headers);
        self.forget(now, dialog);
        if from_trunk {
            self.count(Counter::TrunkRefused(code));
        }
    }

    /// Sends an INVITE.
    pub fn invite(&mut self, now: Now, outgoing: Outgoing) -> DialogId {
        let dialog = self.new_dialog_id();
        let set = DialogSet {
            phase: Phase::Calling,
            key: Key::new(""),
            call_id: self.local.call_id(),
            local_tag: self.local.tag(),
            cseq: 0,
            tries: 0,
            tried_credentials: false,
            stays_on_flow: self.registrar.user_at(outgoing.flow).is_some(),
            outgoing,
            reason: None,
            give_up: None,
            unheard: None,
            tries_again: false,
            early: Vec::new(),
            described: Vec::new(),
            session: (ASKED, None),
        };
        self.tags.insert(set.local_tag.as_str().into(), dialog);
        self.usages.insert(dialog, Usage::Calling(Box::new(set)));
        self.send_invite(now.at, dialog, None);
        dialog
    }

    /// The INVITE of a set, the first time or with credentials.
    pub(super) fn send_invite(&mut self, now: Instant, dialog: DialogId, proof: Option<(&str, &str)>) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return };
        // Forks of the attempt before have used numbers of their own.
        let before = std::mem::take(&mut set.early);
        set.described.clear();
        set.cseq = before.iter().map(|early| early.dialog.local_cseq).fold(set.cseq, u32::max) + 1;
        self.leave_forks(now, before);
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return };
        set.tries += 1;
        set.key = key.clone();
        self.schedule.clear(&mut set.unheard);
        set.unheard = Some(self.schedule.arm(now + self.config.timers.t1 * 8, (dialog, Wake::Unheard)));
        let outgoing = &set.outgoing;
        let flow = outgoing.flow;
        let (expires, least) = (set.session.0.to_string(), set.session.1.map(|least| least.to_string()));
        let mut headers = vec![("Contact", self.local.contact(flow)), ("Allow", ALLOW)];
        headers.extend([("Supported", SUPPORTED), ("Session-Expires", &expires)]);
        headers.extend(least.iter().map(|least| ("Min-SE", least.as_str())));
        headers.extend(proof);
        headers.extend(outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let bytes = self.local.write(&Request {
            method: "INVITE",
            uri: &outgoing.uri,
            flow,
            branch: &branch,
            routes: &[],
            from: &format!("{};tag={}", outgoing.from, set.local_tag),
            to: &outgoing.to,
            call_id: &set.call_id,
            cseq: set.cseq,
            headers: &headers,
            body: Some(("application/sdp", &outgoing.sdp)),
        });
        self.transactions.open_invite_client(now, key, flow, bytes, Purpose::Invite(dialog));
    }

    /// Ends a dialog by whatever fits its state: CANCEL, BYE or a refusal. Idempotent. `reason` is
    /// the value of the Reason header (RFC 3326), for instance `Q.850;cause=16`. Events polled
    /// later do not name the dialog any more.
    pub fn end(&mut self, now: Now, dialog: DialogId, reason: Option<&str>) {
        match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(_)) => {
                let headers: Vec<(&str, &str)> = reason.iter().map(|reason| ("Reason", *reason)).collect();
                self.refuse_with(now.at, dialog, 480, &headers);
            }
            Some(Usage::Calling(set)) => {
                if set.reason.is_none() {
                    set.reason = reason.map(str::to_owned);
                }
                let next = set.phase.row(Fact::Unwanted);
                self.move_set(now.at, dialog, next);
            }
            Some(Usage::Standing(session)) if session.is_over() => {}
            Some(Usage::Standing(session)) if session.unacknowledged.as_ref().is_some_and(|u| u.is_first) => {
                session.ending = Ending::AfterAck(reason.map(str::to_owned));
            }
            Some(Usage::Standing(_)) => self.hang_up(now.at, dialog, reason),
            None => {}
        }
        self.hush(dialog);
        self.take_reports(now.at);
    }

    /// What is still to be polled about a dialog that our side has ended is not told any more.
    fn hush(&mut self, dialog: DialogId) {
        self.events.retain(|event| event.dialog() != Some(dialog));
    }

    /// Does what a set's table says when nothing was received.
    pub(super) fn move_set(&mut self, now: Instant, dialog: DialogId, next: Move) {
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return };
        match next {
            Move::Stay(phase) => set.phase = phase,
            Move::Cancel => {
                set.phase = Phase::Cancelling;
                let at = now + self.config.timers.patience();
                set.give_up = Some(self.schedule.arm(at, (dialog, Wake::GiveUp)));
                let (key, reason) = (set.key.clone(), set.reason.clone());
                self.cancel_request(now, &key, reason.as_deref(), Purpose::Cancel(dialog));
            }
            Move::Tell | Move::Stand | Move::AckAndBye | Move::Fail | Move::Vanish => {}
        }
    }

    /// CANCEL of an INVITE that is under way (§9.1): its own words, one method changed.
    pub(super) fn cancel_request(&mut self, now: Instant, key: &Key, reason: Option<&str>, purpose: Purpose) {
        if !self.transactions.is_cancellable(key.as_str()) {
            return;
        }
        let Some((flow, invite)) = self.transactions.request(key.as_str()) else { return };
        let Some(text) = derived(&invite, "CANCEL", None, reason) else { return };
        let mut words = String::new();
        crate::transaction::write_client_key(&mut words, key.as_str(), Method::Cancel);
        self.transactions.open_other_client(now, Key::new(&words), flow, text, purpose);
    }

    pub(super) fn give_up_cancelled(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Calling(set)) = self.usages.get(&dialog) else { return };
        if set.phase.row(Fact::GaveUp) == Move::Vanish {
            let key = set.key.clone();
            self.transactions.abandon(key.as_str());
            self.forget(now, dialog);
        }
    }

    /// The connection a request went over was gone: over another one, once. False when it has failed
    /// there, too, or is of a kind that whoever wants it tries again.
    pub(super) fn try_again(&mut self, now: Instant, purpose: Purpose) -> bool {
        let (Purpose::Bye(id) | Purpose::Probe(id) | Purpose::Refresh(id) | Purpose::Cancel(id)) = purpose
        else {
            return false;
        };
        let tried = match (purpose, self.usages.get_mut(&id)) {
            (Purpose::Cancel(_), Some(Usage::Calling(set))) => &mut set.tries_again,
            // Answered meanwhile: its BYE has a try of its own.
            (Purpose::Cancel(_), _) => return false,
            (_, Some(Usage::Standing(session))) => &mut session.tries_again,
            _ => return false,
        };
        if std::mem::replace(tried, true) {
            return false;
        }
        match (purpose, self.usages.get_mut(&id)) {
            (Purpose::Bye(_), Some(Usage::Standing(session))) => {
                let reason = session.reason.take();
                self.hang_up(now, id, reason.as_deref());
            }
            (Purpose::Refresh(_), Some(Usage::Standing(_))) => self.refresh(now, id),
            (Purpose::Probe(_), Some(Usage::Standing(session))) => {
                session.probing = false;
                self.probe_now(now, id);
            }
            (Purpose::Cancel(_), Some(Usage::Calling(set))) => {
                let (key, reason) = (set.key.clone(), set.reason.clone());
                self.cancel_request(now, &key, reason.as_deref(), Purpose::Nothing);
            }
            _ => {}
        }
        true
    }

    /// Sends the BYE; the dialog is forgotten when it is answered.
    pub(super) fn hang_up(&mut self, now: Instant, dialog: DialogId, reason: Option<&str>) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        session.ending = Ending::ByeSent;
        session.reason = reason.map(str::to_owned);
        session.wanted = None;
        self.schedule.clear(&mut session.glare);
        if let Some(waiting) = session.unacknowledged.take() {
            self.schedule.cancel(waiting.repeat);
            self.schedule.cancel(waiting.deadline);
        }
        let open = session.theirs.take();
        let headers: Vec<(&str, &str)> = reason.iter().map(|reason| ("Reason", *reason)).collect();
        let bye = session.dialog.request(&self.local, "BYE", &branch, &headers, None);
        if let Some(theirs) = open {
            self.reply(now, &theirs.pending, 487, &[]);
        }
        self.transactions.open_other_client(now, key, bye.flow, bye.bytes, Purpose::Bye(dialog));
    }

    /// Sends a re-INVITE; waits for a transaction in the way, and through glare (491).
    pub fn reoffer(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        session.wanted = Some(Bytes::copy_from_slice(sdp));
        self.reoffer_wanted(now.at, dialog);
    }

    /// Sends the offer that waits, when nothing is in the way any more.
    pub(super) fn reoffer_wanted(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if session.may_reoffer()
            && let Some(sdp) = session.wanted.take()
        {
            self.send_reoffer(now, dialog, sdp, None);
        }
    }

    pub(super) fn send_reoffer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        sdp: Bytes,
        proof: Option<(&str, &str)>,
    ) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let flow = session.dialog.next_hop(&self.local);
        let mut headers = vec![("Contact", self.local.contact(flow)), ("Allow", ALLOW)];
        headers.push(("Supported", SUPPORTED));
        // Any re-INVITE refreshes the session (RFC 4028 §7.4).
        let timed = session.refresh.as_ref().map(|refresh| refresh.agreed.in_request());
        headers.extend(timed.iter().map(|value| ("Session-Expires", value.as_str())));
        headers.extend(proof);
        let invite = session.dialog.request(&self.local, "INVITE", &branch, &headers, Some(&sdp));
        let at = now + self.config.timers.patience();
        let deadline = self.schedule.arm(at, (dialog, Wake::ReofferUnanswered));
        session.ours = Some(Ours {
            key: key.clone(),
            sdp,
            tried_credentials: proof.is_some(),
            deadline,
            cancelled: false,
        });
        self.transactions.open_invite_client(now, key, invite.flow, invite.bytes, Purpose::Reoffer(dialog));
    }

    /// Answers the peer's re-INVITE, UPDATE or PRACK. False when the peer has withdrawn its offer (CANCEL,
    /// or a BYE): the session is as it was.
    pub fn accept(&mut self, now: Now, dialog: DialogId, sdp: &[u8]) -> bool {
        let theirs = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.accept(sdp),
            Some(Usage::Calling(set)) => set.accept_update(sdp),
            Some(Usage::Standing(session)) => session.theirs.take().inspect(|_| {
                session.spoken = Bytes::copy_from_slice(sdp);
                // An offer of ours that waits for its turn says the same: an older description would take
                // back what the peer has just been told, under a version it has seen (RFC 3264 §8).
                session.wanted.iter_mut().for_each(|waiting| waiting.clone_from(&session.spoken));
            }),
            None => None,
        };
        let Some(theirs) = theirs else { return false };
        let bytes = self.success(&theirs.pending, Some(sdp), theirs.timer);
        if theirs.method != Method::Prack {
            self.keep_time_as_answered(now.at, dialog, theirs.timer);
        }
        if theirs.method != Method::Invite {
            let pending = theirs.pending;
            self.transactions.respond(now.at, &pending.key, pending.flow, 200, bytes);
            self.decided(now.at, dialog, theirs.method);
            return true;
        }
        let waiting =
            self.await_ack(now.at, dialog, theirs.cseq, theirs.pending, bytes, false, theirs.wants_offer);
        if let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) {
            session.unacknowledged = Some(waiting);
        }
        true
    }

    /// Refuses the peer's re-INVITE, UPDATE or PRACK: the session goes on as it was (§14.2).
    pub fn decline(&mut self, now: Now, dialog: DialogId, code: u16) {
        let theirs = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.theirs.take(),
            Some(Usage::Calling(set)) => set.early.iter_mut().find_map(|early| early.theirs.take()),
            Some(Usage::Standing(session)) => session.theirs.take(),
            None => None,
        };
        let Some(theirs) = theirs else { return };
        self.reply(now.at, &theirs.pending, code.clamp(300, 699), &[]);
        self.decided(now.at, dialog, theirs.method);
    }

    /// An offer of the peer's is accepted or declined: what waited for that goes on.
    fn decided(&mut self, now: Instant, dialog: DialogId, method: Method) {
        if method == Method::Prack {
            self.go_on(now, dialog);
        }
        self.reoffer_wanted(now, dialog);
    }

    /// Asks within the dialog whether the peer lives (OPTIONS): `Alive` or `Lost` follows.
    pub fn probe(&mut self, now: Now, dialog: DialogId) {
        self.probe_now(now.at, dialog);
    }

    fn probe_now(&mut self, now: Instant, dialog: DialogId) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if session.probing || session.is_over() {
            return;
        }
        session.probing = true;
        let options = session.dialog.request(&self.local, "OPTIONS", &branch, &[], None);
        self.transactions.open_other_client(now, key, options.flow, options.bytes, Purpose::Probe(dialog));
    }
}

/// What RFC 3261 derives from an INVITE as it was sent: its CANCEL (§9.1), and the ACK of a
/// failure with the To of that failure (§17.1.1.3). Same Request-URI, top Via, From, Call-ID,
/// number and routes.
pub(super) fn derived(invite: &[u8], method: &str, to: Option<&[u8]>, reason: Option<&str>) -> Option<Bytes> {
    let invite = Message::scan(invite).ok()?;
    let StartLine::Request { uri, .. } = invite.start else { return None };
    let mut text = Builder::request(method, uri)
        .header(Name::Via, invite.items(Name::Via).next()?)
        .header(Name::MaxForwards, "70")
        .copy(&invite, Name::Route)
        .copy(&invite, Name::From)
        .header(Name::To, to.or(invite.header(Name::To))?)
        .copy(&invite, Name::CallId)
        .header(Name::CSeq, format!("{} {method}", invite.cseq().ok()?.number));
    if let Some(reason) = reason {
        text = text.header(Name::Reason, reason);
    }
    Some(text.finish().into())
}
