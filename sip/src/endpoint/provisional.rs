//! What is said before the answer, to callers who acknowledge it (RFC 3262) and to those who do not.

use super::incoming::sdp_of;
use super::{DialogId, Endpoint, Event, Purpose, Wake};
use crate::dialog::reliable::{Fact, Held, Move, Reliable, Waiting};
use crate::dialog::{ALLOW, Dialog, Early, FORKS_MAX, SUPPORTED, Theirs, Usage, refresh};
use crate::message::Message;
use crate::time::{Instant, Now};
use crate::transaction::{Key, Pending, Timer};
use crate::vocabulary::Method;
use bytes::Bytes;
use std::time::Duration;

/// How often a provisional response is repeated (RFC 3261 §13.3.1.1): proxies give a call up that
/// is silent for three minutes.
const PROVISIONAL_EVERY: Duration = Duration::from_secs(60);

/// How long an answer waits for the PRACK of a description (RFC 3262 §3 would have it wait 32 s):
/// three copies have gone out by then. Less answers callers whose PRACK is on its way twice; more
/// keeps a caller in silence whose network loses PRACKs.
const ANSWER_WAITS: Duration = Duration::from_secs(2);

impl Endpoint {
    /// Sends a provisional response, 180 or 183, with an early answer or without: reliably to a
    /// caller who can acknowledge it ([`Event::Acknowledged`]), one after the other.
    pub fn ring(&mut self, now: Now, dialog: DialogId, code: u16, sdp: Option<&[u8]>) {
        let sdp = sdp.map(Bytes::copy_from_slice);
        self.ring_at(now.at, dialog, code, sdp);
    }

    fn ring_at(&mut self, now: Instant, dialog: DialogId, code: u16, sdp: Option<Bytes>) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        match &mut ringing.reliable {
            Some(reliable) if reliable.held.is_some() => {}
            Some(reliable) if code > 100 => match reliable.state().row(Fact::Say) {
                Move::Send => self.say_reliably(now, dialog, code, sdp),
                _ => reliable.queued = Some((code, sdp)),
            },
            _ => {
                let bytes = provisional(&ringing.pending, &self.local, code, sdp.as_deref(), None);
                let pending = &ringing.pending;
                self.transactions.respond(now, &pending.key, pending.flow, code, bytes);
                self.repeat_later(now, dialog, code, sdp);
            }
        }
    }

    fn repeat_later(&mut self, now: Instant, dialog: DialogId, code: u16, sdp: Option<Bytes>) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        self.schedule.clear(&mut ringing.repeat);
        let wake = (dialog, Wake::RepeatProvisional);
        ringing.repeat = Some(self.schedule.arm(now + PROVISIONAL_EVERY, wake));
        ringing.said = Some((code, sdp));
    }

    fn say_reliably(&mut self, now: Instant, dialog: DialogId, code: u16, sdp: Option<Bytes>) {
        let timers = self.config.timers;
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        let Some(reliable) = &mut ringing.reliable else { return };
        // A description is agreed once (RFC 3264 §4): said again it would be another offer.
        let sdp = sdp.filter(|_| !reliable.agreed);
        reliable.rseq += 1;
        let rseq = reliable.rseq.to_string();
        let bytes = provisional(&ringing.pending, &self.local, code, sdp.as_deref(), Some(&rseq));
        reliable.waiting = Some(Waiting {
            sent: 1,
            bytes: bytes.clone(),
            code,
            described: sdp.is_some(),
            repeat: self.schedule.arm(now + timers.t1, (dialog, Wake::RepeatReliable)),
            deadline: self.schedule.arm(now + timers.patience(), (dialog, Wake::NoPrack)),
        });
        let pending = &ringing.pending;
        self.transactions.respond(now, &pending.key, pending.flow, code, bytes);
        self.repeat_later(now, dialog, code, sdp);
    }

    /// The same response again, each wait twice as long as the one before (RFC 3262 §3).
    pub(super) fn repeat_reliable(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        let Some(waiting) = ringing.reliable.as_mut().and_then(|it| it.waiting.as_mut()) else { return };
        let interval = self.config.timers.interval(Timer::A, waiting.sent, false);
        waiting.sent += 1;
        waiting.repeat = self.schedule.arm(now + interval, (dialog, Wake::RepeatReliable));
        let pending = &ringing.pending;
        self.transactions.respond(now, &pending.key, pending.flow, waiting.code, waiting.bytes.clone());
        self.count(super::Counter::Retransmission);
    }

    /// The minute is over: the same again, so that nobody on the way gives the caller up.
    pub(super) fn repeat_provisional(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        ringing.repeat = None;
        if let Some((code, sdp)) = ringing.said.clone() {
            self.ring_at(now, dialog, code, sdp);
        }
    }

    /// Nobody has acknowledged in 64*T1: the call goes on all the same.
    pub(super) fn give_up_prack(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        let Some(reliable) = &mut ringing.reliable else { return };
        if reliable.state().row(Fact::GaveUp) == Move::GoOn {
            if let Some(waiting) = reliable.waiting.take() {
                self.schedule.cancel(waiting.repeat);
            }
            self.go_on(now, dialog);
        }
    }

    pub(super) fn answer_has_waited(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        let Some(reliable) = &mut ringing.reliable else { return };
        if reliable.state().row(Fact::WaitedEnough) == Move::Answer
            && let Some(held) = reliable.held.take()
        {
            self.answer_now(now, dialog, &held.sdp);
        }
    }

    /// What waited for the PRACK: the answer, else the next response.
    pub(super) fn go_on(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return };
        let Some(reliable) = &mut ringing.reliable else { return };
        if let Some(held) = reliable.held.take() {
            self.schedule.cancel(held.until);
            self.answer_now(now, dialog, &held.sdp);
        } else if let Some((code, sdp)) = reliable.queued.take() {
            self.say_reliably(now, dialog, code, sdp);
        }
    }

    /// True when the answer has to wait for a PRACK; it goes out by itself then.
    pub(super) fn holds_answer(&mut self, now: Instant, dialog: DialogId, sdp: &[u8]) -> bool {
        let Some(Usage::Ringing(ringing)) = self.usages.get_mut(&dialog) else { return false };
        let Some(reliable) = &mut ringing.reliable else { return false };
        reliable.queued = None;
        if reliable.state().row(Fact::Answer) == Move::Answer {
            return false;
        }
        if reliable.held.is_none() {
            let until = self.schedule.arm(now + ANSWER_WAITS, (dialog, Wake::AnswerWaited));
            reliable.held = Some(Held { sdp: Bytes::copy_from_slice(sdp), until });
        }
        true
    }

    /// Disarms what reliable responses have armed; gives the number of one that is still out, and whether
    /// it carries a description.
    pub(super) fn leave_reliable(&mut self, reliable: Option<Box<Reliable>>) -> Option<(u32, bool)> {
        let reliable = reliable?;
        if let Some(held) = reliable.held {
            self.schedule.cancel(held.until);
        }
        let waiting = reliable.waiting?;
        self.schedule.cancel(waiting.repeat);
        self.schedule.cancel(waiting.deadline);
        Some((reliable.rseq, waiting.described))
    }

    /// A PRACK (RFC 3262 §3): of what is under way, or of nothing we know.
    pub(super) fn receive_prack(
        &mut self,
        now: Instant,
        dialog: DialogId,
        message: &Message<'_>,
        pending: &Pending,
    ) {
        let named = message.rack().filter(|rack| rack.method == Method::Invite);
        let named = named.map(|rack| (rack.rseq, rack.cseq));
        let sdp = sdp_of(message);
        let Some(answers) = named.and_then(|named| self.acknowledged(dialog, named, sdp.is_some())) else {
            return self.no_such_response(now, pending);
        };
        if sdp.is_some() && !answers {
            return self.receive_prack_offer(now, dialog, message, pending, sdp);
        }
        let contact = self.local.contact(pending.flow).to_owned();
        self.reply(now, pending, 200, &[("Contact", contact.as_str())]);
        let is_told = match self.usages.get(&dialog) {
            Some(Usage::Standing(session)) => sdp.is_some() && !session.is_over(),
            _ => true,
        };
        if is_told {
            self.events.push_back(Event::Acknowledged { dialog, sdp });
        }
        self.go_on(now, dialog);
    }

    /// What is known of the response a PRACK names: whether a description in the PRACK answers an offer of
    /// ours; `None`: nothing of that name waits for it.
    fn acknowledged(&mut self, dialog: DialogId, named: (u32, u32), describes: bool) -> Option<bool> {
        match self.usages.get_mut(&dialog)? {
            Usage::Ringing(ringing) => {
                let (cseq, reliable) = (ringing.cseq, ringing.reliable.as_mut()?);
                let fact = if named == (reliable.rseq, cseq) { Fact::Prack } else { Fact::Stray };
                if reliable.state().row(fact) != Move::Confirm {
                    return None;
                }
                let waiting = reliable.waiting.take()?;
                self.schedule.cancel(waiting.repeat);
                self.schedule.cancel(waiting.deadline);
                let answers = waiting.described && ringing.awaits_answer;
                reliable.agreed |= waiting.described && (!ringing.awaits_answer || describes);
                if answers && describes {
                    (ringing.awaits_answer, ringing.described) = (false, true);
                }
                Some(answers)
            }
            // §3: the answer did not wait for it; its ACK may have overtaken it.
            Usage::Standing(session) => {
                let unpracked = session.unpracked.take_if(|it| (it.rseq, it.cseq) == named)?;
                Some(unpracked.awaits_answer)
            }
            Usage::Calling(_) => None,
        }
    }

    /// §5: a PRACK may bring the next offer; its answer is the 200, and what waited for the PRACK waits for
    /// that.
    fn receive_prack_offer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        message: &Message<'_>,
        pending: &Pending,
        sdp: Option<Bytes>,
    ) {
        let theirs = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => Some(&mut ringing.theirs),
            Some(Usage::Standing(session)) if !session.is_over() && session.ours.is_none() => {
                Some(&mut session.theirs)
            }
            _ => None,
        };
        let Some(theirs) = theirs.filter(|theirs| theirs.is_none()) else {
            self.reply_wait(now, pending);
            return self.go_on(now, dialog);
        };
        *theirs = Some(Theirs {
            pending: pending.clone(),
            method: Method::Prack,
            cseq: message.cseq().map_or(0, |cseq| cseq.number),
            wants_offer: false,
            timer: refresh::Verdict::None,
        });
        self.events.push_back(Event::Reoffered { dialog, sdp });
    }

    /// An UPDATE before the answer, of a caller or of a fork of ours (RFC 3311 §5.2): with an offer only
    /// once the INVITE's own exchange is complete, which a reliable provisional response does.
    pub(super) fn receive_early_update(
        &mut self,
        now: Instant,
        dialog: DialogId,
        message: &Message<'_>,
        pending: Pending,
    ) {
        let (sdp, fork) = (sdp_of(message), message.from_tag().unwrap_or_default());
        let cseq = message.cseq().map_or(0, |cseq| cseq.number);
        let (early, agreed, theirs, offer) = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => {
                let agreed = ringing.reliable.as_ref().is_some_and(|reliable| reliable.agreed);
                (&mut ringing.dialog, agreed, &mut ringing.theirs, &mut None)
            }
            Some(Usage::Calling(set)) => {
                let wanted = set.is_wanted();
                let Some(early) = set.early.iter_mut().find(|early| early.dialog.remote_tag == fork) else {
                    let code = if sdp.is_some() { 491 } else { 200 };
                    self.reply(now, &pending, code, &[("Allow", ALLOW)]);
                    return;
                };
                if !early.dialog.is_in_order(cseq) {
                    return self.reply_wait(now, &pending);
                }
                (&mut early.dialog, early.agreed && wanted, &mut early.theirs, &mut early.offer)
            }
            _ => return,
        };
        if sdp.is_some() && (theirs.is_some() || !agreed) {
            return self.reply_wait(now, &pending);
        }
        early.follow(message);
        if sdp.is_none() {
            let contact = self.local.contact(pending.flow).to_owned();
            self.reply(now, &pending, 200, &[("Contact", contact.as_str()), ("Allow", ALLOW)]);
            return;
        }
        let timer = refresh::Verdict::None;
        *theirs = Some(Theirs { pending, method: Method::Update, cseq, wants_offer: false, timer });
        offer.clone_from(&sdp);
        self.events.push_back(Event::Reoffered { dialog, sdp });
    }

    /// Forks that come to nothing: what they wait for is over.
    pub(super) fn leave_forks(&mut self, now: Instant, forks: Vec<Early>) {
        for theirs in forks.into_iter().filter_map(|early| early.theirs) {
            self.reply(now, &theirs.pending, 487, &[]);
        }
    }

    fn no_such_response(&mut self, now: Instant, pending: &Pending) {
        self.reply(now, pending, 481, &[]);
    }

    /// A provisional response to our INVITE. Acknowledges a reliable one (RFC 3262 §4); false for a
    /// copy, and for one that has overtaken another.
    pub(super) fn is_next_progress(
        &mut self,
        now: Instant,
        id: DialogId,
        key: &Key,
        message: &Message<'_>,
    ) -> bool {
        let reliable = message.require().any(|tag| tag.eq_ignore_ascii_case("100rel"));
        let tag = message.to_tag();
        let (Some(rseq), Some(tag), true) = (message.rseq(), tag, reliable) else { return true };
        let Some((_, invite)) = self.transactions.request(key.as_str()) else { return true };
        let Ok(invite) = Message::scan(&invite) else { return true }; // our own words
        let (branch, prack_key) = self.new_branch();
        let Some(Usage::Calling(set)) = self.usages.get_mut(&id) else { return true };
        let place = set.early.iter().position(|early| early.dialog.remote_tag == tag);
        let early = match place {
            Some(place) if set.early[place].rseq.checked_add(1) != Some(rseq) => return false,
            Some(place) => &mut set.early[place],
            None if set.early.len() >= FORKS_MAX => return true,
            None => {
                let dialog = Dialog::of_response(&invite, message, set.outgoing.flow, set.stays_on_flow);
                set.early.push(Early {
                    dialog,
                    rseq,
                    agreed: false,
                    theirs: None,
                    offer: None,
                    renewed: false,
                });
                let last = set.early.len() - 1;
                &mut set.early[last]
            }
        };
        early.rseq = rseq;
        early.agreed |= sdp_of(message).is_some();
        let rack = format!("{rseq} {} INVITE", set.cseq);
        let prack = early.dialog.request(&self.local, "PRACK", &branch, &[("RAck", &rack)], None);
        let invite = early.dialog.flow;
        self.transactions.open_follower(now, prack_key, prack, Purpose::Prack(id), invite);
        true
    }
}

/// A provisional response; `rseq` makes it a reliable one.
fn provisional(
    pending: &Pending,
    local: &crate::dialog::Local,
    code: u16,
    sdp: Option<&[u8]>,
    rseq: Option<&str>,
) -> Bytes {
    let contact = local.contact(pending.flow);
    let mut headers = vec![("Contact", contact), ("Allow", ALLOW), ("Server", local.product())];
    match rseq {
        Some(rseq) => headers.extend([("Require", "100rel"), ("RSeq", rseq)]),
        None => headers.push(("Supported", SUPPORTED)),
    }
    pending.response(code, &headers, sdp)
}
