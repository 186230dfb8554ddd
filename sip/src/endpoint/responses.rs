//! Responses to our requests (RFC 3261 §13.2.2, §12.2.1.2), and their absence.

use super::commands::derived;
use super::incoming::{reason_of, sdp_of};
use super::{Counter, DialogId, Endpoint, Event, Party, Purpose, Reason, Wake};
use crate::dialog::{Dialog, Fact, Move, Phase, Session, Theirs, Usage};
use crate::message::{Message, Name};
use crate::time::Instant;
use crate::transaction::{Key, write_client_key};
use crate::transport::{Flow, Peer};
use std::time::Duration;

/// INVITEs of one call: without credentials, with them, and once more for a nonce gone stale or a
/// session interval too brief.
pub(super) const TRIES_MAX: u32 = 3;

/// Numbers left out before the BYE of a fork that answers when another one has: more than PRACKs of ours
/// in its early dialog, for one that comes again under a number that was used is refused. Gaps are allowed
/// (RFC 3261 §12.2.2).
const BEYOND_PRACKS: u32 = 1000;

/// The longest a re-INVITE of ours waits for a peer that puts it off (§14.2 has it say ten seconds at most),
/// and how often: one that goes on refusing refuses.
const WAITS_AT_MOST: Duration = Duration::from_secs(10);
const PUT_OFF_MAX: u8 = 3;

/// What a request is told to have got whose connection broke (RFC 3261 §8.1.3.1).
pub(super) const UNREACHABLE: u16 = 503;

impl Endpoint {
    pub(super) fn receive_response(
        &mut self,
        now: Instant,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        code: u16,
    ) {
        let (Ok(via), Ok(cseq)) = (message.via(), message.cseq()) else { return };
        let mut words = std::mem::take(&mut self.words);
        write_client_key(&mut words, via.branch().unwrap_or_default(), cseq.method);
        if self.is_answered_elsewhere(&words, flow, peer, message) {
            self.words = words;
            return self.count(Counter::StrangerRefused(0));
        }
        // As it was said, to be said again with a proof: gone with its transaction, where nothing repeats.
        let said = matches!(code, 401 | 407).then(|| self.transactions.request(&words)).flatten();
        let handed = self.transactions.receive_response(now, &words, code, |invite| {
            derived(invite, "ACK", message.header(Name::To), None)
        });
        self.words = words;
        if let Some((key, purpose)) = handed {
            self.meet(flow, peer);
            if said.is_some_and(|said| self.prove(now, purpose, message, said)) {
                return;
            }
            self.receive_answer(now, flow, &key, purpose, message, code);
        }
    }

    fn receive_answer(
        &mut self,
        now: Instant,
        flow: Flow,
        key: &Key,
        purpose: Purpose,
        message: &Message<'_>,
        code: u16,
    ) {
        match (purpose, code) {
            (Purpose::Invite(dialog), 100..=199) => self.receive_progress(now, key, dialog, message, code),
            (Purpose::Invite(dialog), 200..=299) => self.receive_success(now, flow, key, dialog, message),
            (Purpose::Reoffer(dialog), 200..=299) => self.receive_reoffered(now, key, dialog, message),
            (_, 100..=199) => {}
            (Purpose::Errand(id), code) => self.end_errand(id, code, Some(message)),
            (Purpose::Refresh(dialog), 200..=299) => self.refreshed(now, dialog, message),
            (Purpose::Refer(dialog), 200..=299) => self.refer_answered(dialog, code),
            (Purpose::Reoffer(dialog), 422) => self.reoffer_longer(now, dialog, message),
            (Purpose::Reoffer(dialog), 500 | 503) if self.is_put_off(now, dialog, message) => {}
            (Purpose::Invite(dialog), 422) if self.ask_longer(now, dialog, message) => {}
            (Purpose::Invite(dialog), 300..=399) => {
                let moved = message.contact().map(|contact| Party::of(&contact));
                self.invite_failed(now, dialog, code, reason_of(message), moved);
            }
            (Purpose::Refresh(dialog), 422) => self.refresh_longer(now, dialog, message),
            (_, code) => self.request_failed(now, purpose, code, Some(code), reason_of(message)),
        }
    }

    fn receive_progress(
        &mut self,
        now: Instant,
        key: &Key,
        dialog: DialogId,
        message: &Message<'_>,
        code: u16,
    ) {
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return };
        self.schedule.clear(&mut set.unheard);
        match set.phase.row(Fact::Provisional) {
            Move::Tell => {
                set.phase = Phase::Proceeding;
                if code > 100 && self.is_next_progress(now, dialog, key, message) {
                    let sdp = sdp_of(message);
                    if let (Some(Usage::Calling(set)), Some(sdp)) = (self.usages.get_mut(&dialog), &sdp) {
                        set.describe(message.to_tag().unwrap_or_default(), sdp.clone());
                    }
                    self.events.push_back(Event::Progress { dialog, code, sdp });
                }
            }
            next => self.move_set(now, dialog, next),
        }
    }

    /// A 2xx to the INVITE of a set: the first one is the session; every other fork, and one that
    /// crossed our CANCEL, is acknowledged and hung up (§13.2.2.4, I2, I5).
    fn receive_success(&mut self, now: Instant, heard: Flow, key: &Key, id: DialogId, message: &Message<'_>) {
        let tag = message.to_tag().unwrap_or_default();
        if self.transactions.acknowledge_again(key.as_str(), tag) {
            return;
        }
        let Some((sent_over, invite)) = self.transactions.request(key.as_str()) else { return };
        let Ok(invite) = Message::scan(&invite) else { return }; // our own words
        // Not the transaction's own path: an INVITE too long for a datagram went by a stream, what
        // follows is short (§18.1.1 is about one request).
        let (flow, stays) = match self.usages.get(&id) {
            Some(Usage::Calling(set)) => (set.outgoing.flow, set.stays_on_flow),
            Some(Usage::Standing(session)) => (session.dialog.flow, session.dialog.stays_on_flow),
            _ => (sent_over, false),
        };
        let comes_again = stays && flow.is_cut() && heard.transport == flow.transport;
        let flow = if comes_again { heard } else { flow };
        if comes_again {
            self.meet(heard, Peer::Phone);
        }
        let mut dialog = Dialog::of_response(&invite, message, flow, stays);
        let branch = self.local.branch();
        let ack = dialog.ack(&self.local, &invite, &branch);
        let theirs = self.goes_on_from_early(id, &mut dialog);
        self.transactions.acknowledge(key.as_str(), tag, ack);
        let next = match self.usages.get(&id) {
            Some(Usage::Calling(set)) => set.phase.row(Fact::Success),
            _ => Move::AckAndBye,
        };
        if next == Move::Stand {
            let Some(Usage::Calling(mut set)) = self.usages.remove(&id) else { return };
            self.schedule.clear(&mut set.unheard);
            let sdp = set.in_force(tag, sdp_of(message));
            self.leave_forks(now, std::mem::take(&mut set.early));
            let mut session = Session::new(dialog, true, set.outgoing.credentials);
            session.spoken = set.outgoing.sdp.into();
            session.theirs = theirs;
            self.usages.insert(id, Usage::Standing(Box::new(session)));
            self.keep_time_as_told(now, id, message);
            self.events.push_back(Event::Answered { dialog: id, sdp });
            return;
        }
        if let Some(Usage::Calling(_)) = self.usages.get(&id) {
            return self.part(now, id, dialog, theirs);
        }
        let (branch, bye_key) = self.new_branch();
        let bye = dialog.request(&self.local, "BYE", &branch, &[], None);
        self.transactions.open_follower(now, bye_key, bye, Purpose::Parting(id), flow);
    }

    /// The answer nobody wants any more is hung up like any other call: proved when its peer asks who we
    /// are, and over another connection when this one is gone.
    fn part(&mut self, now: Instant, id: DialogId, dialog: Dialog, theirs: Option<Theirs>) {
        let Some(Usage::Calling(mut set)) = self.usages.remove(&id) else { return };
        self.schedule.clear(&mut set.give_up);
        self.schedule.clear(&mut set.unheard);
        self.leave_forks(now, std::mem::take(&mut set.early));
        let mut session = Session::new(dialog, true, set.outgoing.credentials);
        session.theirs = theirs;
        self.usages.insert(id, Usage::Standing(Box::new(session)));
        self.hang_up(now, id, set.reason.as_deref());
    }

    /// A 2xx makes a dialog that was early, perhaps: our PRACKs have used numbers in it, and so has its
    /// peer. Gives the UPDATE in it that waits for our answer.
    fn goes_on_from_early(&mut self, id: DialogId, dialog: &mut Dialog) -> Option<Theirs> {
        let tag = &dialog.remote_tag;
        let found = match self.usages.get_mut(&id) {
            Some(Usage::Calling(set)) => set.early.iter_mut().find(|it| it.dialog.remote_tag == *tag),
            // One that lost: what it was told before is not remembered.
            _ => {
                dialog.local_cseq += BEYOND_PRACKS;
                None
            }
        };
        let early = found?;
        dialog.local_cseq = early.dialog.local_cseq;
        dialog.remote_cseq = early.dialog.remote_cseq;
        early.theirs.take()
    }

    /// A 2xx to a re-INVITE of ours.
    fn receive_reoffered(&mut self, now: Instant, key: &Key, id: DialogId, message: &Message<'_>) {
        let tag = message.to_tag().unwrap_or_default();
        if self.transactions.acknowledge_again(key.as_str(), tag) {
            return;
        }
        let Some((flow, invite)) = self.transactions.request(key.as_str()) else { return };
        let Ok(invite) = Message::scan(&invite) else { return }; // our own words
        let branch = self.local.branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&id) else {
            // Hung up in between: without an ACK the peer would go on repeating.
            let dialog = Dialog::of_response(&invite, message, flow, false);
            let ack = dialog.ack(&self.local, &invite, &branch);
            return self.transactions.acknowledge(key.as_str(), tag, ack);
        };
        session.dialog.follow(message);
        let ack = session.dialog.ack(&self.local, &invite, &branch);
        self.transactions.acknowledge(key.as_str(), tag, ack);
        let Some(ours) = session.ours.take_if(|ours| ours.key == *key) else { return };
        self.schedule.cancel(ours.deadline);
        (session.spoken, session.put_off) = (ours.sdp, 0);
        if !session.is_over() {
            self.events.push_back(Event::ReofferDone { dialog: id, sdp: sdp_of(message) });
        }
        self.keep_time_as_told(now, id, message);
        self.reoffer_wanted(now, id);
    }

    /// A request of ours failed: with what was heard, or with nothing (`heard` is `None`).
    pub(super) fn request_failed(
        &mut self,
        now: Instant,
        purpose: Purpose,
        code: u16,
        heard: Option<u16>,
        reason: Option<Reason>,
    ) {
        let met_nobody = heard.is_none() && code == UNREACHABLE;
        if met_nobody && (self.meets_nobody(now, purpose) || self.try_again(now, purpose)) {
            return;
        }
        match purpose {
            Purpose::Invite(dialog) => self.invite_failed(now, dialog, code, reason, None),
            Purpose::Reoffer(dialog) => self.reoffer_failed(now, dialog, code, heard),
            Purpose::Refresh(dialog) => self.refresh_failed(now, dialog, heard),
            Purpose::Refer(dialog) => self.refer_answered(dialog, code),
            Purpose::Bye(dialog) => self.forget(now, dialog),
            Purpose::Probe(dialog) => {
                let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
                session.probing = false;
                session.tries_again &= heard.is_none();
                match heard {
                    None | Some(408 | 481) => self.lose(dialog, heard),
                    // Any other answer is a sign of life, 405 and 501 among them.
                    Some(_) if session.is_over() => {}
                    Some(_) => self.events.push_back(Event::Alive { dialog }),
                }
            }
            Purpose::Errand(id) => self.end_errand(id, code, None),
            Purpose::Cancel(_) | Purpose::Prack(_) | Purpose::Parting(_) | Purpose::Nothing => {}
        }
    }

    fn invite_failed(
        &mut self,
        now: Instant,
        dialog: DialogId,
        code: u16,
        reason: Option<Reason>,
        moved: Option<Party>,
    ) {
        let Some(Usage::Calling(set)) = self.usages.get(&dialog) else { return };
        let next = set.phase.row(Fact::Failure);
        self.forget(now, dialog);
        if next == Move::Fail {
            self.events.push_back(Event::Failed { dialog, code, reason, moved });
        }
    }

    /// The peer is in the middle of something and says when to come again (§14.2, §20.33): a re-INVITE that
    /// asks for audio shall not fail for that. It may be the refresh of the session as well: it waits for a
    /// quarter of what is left of that at most. One that is cancelled is wanted no more.
    fn is_put_off(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) -> bool {
        let Some(asked) = message.retry_after() else { return false };
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return false };
        if session.is_over() || session.put_off >= PUT_OFF_MAX {
            return false;
        }
        let Some(ours) = session.ours.take_if(|ours| !ours.cancelled) else { return false };
        self.schedule.cancel(ours.deadline);
        session.put_off += 1;
        let expiry = session.refresh.as_ref().and_then(|refresh| refresh.expiry);
        let most = expiry.map_or(WAITS_AT_MOST, |expiry| WAITS_AT_MOST.min(expiry.at().since(now) / 4));
        let wait = Duration::from_secs(asked.max(1).into()).min(most);
        session.glare = Some(self.schedule.arm(now + wait, (dialog, Wake::AfterGlare)));
        session.wanted.get_or_insert(ours.sdp);
        true
    }

    pub(super) fn reoffer_failed(&mut self, now: Instant, dialog: DialogId, code: u16, heard: Option<u16>) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(ours) = session.ours.take() else { return };
        self.schedule.cancel(ours.deadline);
        if session.is_over() {
            return;
        }
        if code != 491 {
            session.put_off = 0; // the next offer has its own tries
        }
        match (code, heard) {
            (491, _) => {
                // §14.1: whoever made the call waits longer, so that the two do not meet again.
                let tens = self.local.draw();
                let tens = if session.is_caller { 210 + tens % 191 } else { tens % 201 };
                let at = now + Duration::from_millis(tens * 10);
                session.glare = Some(self.schedule.arm(at, (dialog, Wake::AfterGlare)));
                session.wanted.get_or_insert(ours.sdp);
            }
            (408 | 481, _) => {
                self.lose(dialog, heard);
                self.reoffer_wanted(now, dialog);
                self.refresh_later(now, dialog);
            }
            _ => {
                self.events.push_back(Event::ReofferFailed { dialog, code });
                self.reoffer_wanted(now, dialog);
                self.refresh_later(now, dialog);
            }
        }
    }

    /// The peer does not answer, or does not know the dialog (§12.2.1.2). Whether that ends it is
    /// for its owner to say, who may still hear the peer speak.
    pub(super) fn lose(&mut self, dialog: DialogId, code: Option<u16>) {
        // A BYE under way finds its own end.
        if matches!(self.usages.get(&dialog), Some(Usage::Standing(session)) if !session.is_over()) {
            self.events.push_back(Event::Lost { dialog, code });
        }
    }
}
