//! Requests of the peer within a dialog (RFC 3261 §12.2.2, §14.2, §15.1.2).

use super::incoming::{Heard, reason_of, sdp_of};
use super::refreshing::{in_answer, knows_update};
use super::{DialogId, Endpoint, Event, Purpose, Wake};
use crate::dialog::refresh::{self, LEAST, Verdict};
use crate::dialog::{ALLOW, Ending, Phase, SUPPORTED, Session, Theirs, Usage};
use crate::message::{Message, Name};
use crate::time::Instant;
use crate::transaction::Pending;
use crate::transport::Peer;
use crate::vocabulary::Method;
use bytes::Bytes;

/// What a re-INVITE comes to that the peer has taken and answers no more, nor its CANCEL.
const GIVEN_UP: u16 = 487;

impl Endpoint {
    pub(super) fn receive_within(&mut self, now: Instant, dialog: DialogId, heard: Heard<'_, '_>) {
        let Heard { flow, peer, message, method, words } = heard;
        // Found by this tag just before.
        let tag = message.to_tag().unwrap_or_default();
        let pending = self.take_request(flow, message, words, tag);
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let standing = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.dialog.is_in_order(number).then_some(false),
            Some(Usage::Standing(session)) => session.dialog.is_in_order(number).then_some(true),
            _ => Some(false),
        };
        let Some(standing) = standing else {
            // Nothing overtakes a BYE: a border that counts anew after a failure hangs up all the same.
            if method == Method::Bye {
                return self.receive_bye(now, dialog, message, &pending);
            }
            // §12.2.2: it has been overtaken.
            self.reply(now, &pending, 500, &[]);
            return;
        };
        if peer == Peer::Phone && self.refuse_within(now, message, &pending) {
            return;
        }
        match (method, standing) {
            (Method::Bye, _) => self.receive_bye(now, dialog, message, &pending),
            (_, true) if self.is_hanging_up(dialog) => {
                self.reply(now, &pending, 481, &[]);
            }
            (Method::Invite | Method::Update, true) => {
                let bears_all = matches!(peer, Peer::Trunk(_));
                self.receive_reoffer(now, dialog, message, pending, bears_all);
            }
            // §14.2: the INVITE before it has no final response yet.
            (Method::Invite, false) => self.reply_wait(now, &pending),
            (Method::Options, _) => {
                let headers = [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", SUPPORTED)];
                self.reply(now, &pending, 200, &headers);
            }
            (Method::Update, false) => self.receive_early_update(now, dialog, message, pending),
            // Nobody is told of a call that our side has ended, though its BYE still waits for the ACK.
            (Method::Info | Method::Refer, true) if self.is_ended(dialog) => {
                self.reply(now, &pending, 481, &[]);
            }
            (Method::Info, _) => {
                self.reply(now, &pending, 200, &[]);
                let content_type = message.header(Name::ContentType).map(crate::dialog::text);
                self.events.push_back(Event::Info {
                    dialog,
                    content_type: content_type.unwrap_or_default(),
                    body: Bytes::copy_from_slice(message.body()),
                });
            }
            (Method::Prack, _) => self.receive_prack(now, dialog, message, &pending),
            (Method::Refer, true) => self.receive_refer(now, dialog, message, &pending),
            // A call that does not stand yet is not passed on.
            (Method::Refer, false) => {
                self.reply(now, &pending, 491, &[]);
            }
            (Method::Notify, _) => self.receive_notify(now, dialog, heard, &pending),
            (Method::Other, _) => {
                self.reply(now, &pending, 501, &[("Allow", ALLOW)]);
            }
            _ => {
                self.reply(now, &pending, 405, &[("Allow", ALLOW)]);
            }
        }
    }

    fn is_hanging_up(&self, dialog: DialogId) -> bool {
        let Some(Usage::Standing(session)) = self.usages.get(&dialog) else { return false };
        matches!(session.ending, Ending::ByeSent | Ending::Left)
    }

    fn is_ended(&self, dialog: DialogId) -> bool {
        matches!(self.usages.get(&dialog), Some(Usage::Standing(session)) if session.is_over())
    }

    /// The peer hangs up. Before our answer that is a CANCEL by another name (§15).
    fn receive_bye(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>, bye: &Pending) {
        let reason = reason_of(message);
        let ended = match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => {
                Some((Some(ringing.pending.clone()), Event::Cancelled { dialog, reason }))
            }
            Some(Usage::Standing(session)) => {
                let theirs = session.theirs.take().map(|theirs| theirs.pending);
                Some((theirs, Event::Released { dialog, reason }))
            }
            // A fork that has not answered has nothing to end.
            _ => None,
        };
        let Some((open, event)) = ended else {
            self.reply(now, bye, 481, &[]);
            return;
        };
        self.reply(now, bye, 200, &[]);
        if let Some(open) = open {
            self.reply(now, &open, 487, &[]);
        }
        let silent = self.is_ended(dialog);
        match self.usages.get_mut(&dialog) {
            Some(Usage::Standing(session))
                if session.unacknowledged.as_ref().is_some_and(|it| it.is_first) =>
            {
                session.ending = Ending::Left;
            }
            _ => self.forget(now, dialog),
        }
        if !silent {
            self.events.push_back(event);
        }
    }

    /// The ACK of a 2xx of ours.
    pub(super) fn receive_ack(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) {
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if session.unacknowledged.as_ref().is_none_or(|waiting| waiting.cseq != number) {
            return;
        }
        self.confirm(now, dialog, sdp_of(message));
    }

    /// Our 2xx has arrived: stops repeating it and does what had to wait for that.
    fn confirm(&mut self, now: Instant, dialog: DialogId, sdp: Option<Bytes>) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(waiting) = session.unacknowledged.take() else { return };
        self.schedule.cancel(waiting.repeat);
        self.schedule.cancel(waiting.deadline);
        match &session.ending {
            Ending::AfterAck(reason) => {
                let reason = reason.clone();
                return self.hang_up(now, dialog, reason.as_deref());
            }
            Ending::Left => return self.forget(now, dialog),
            Ending::ByeSent => return,
            Ending::No => {}
        }
        if waiting.is_first {
            self.events.push_back(Event::Confirmed { dialog, sdp });
        } else if waiting.awaits_answer {
            self.events.push_back(Event::ReofferDone { dialog, sdp });
        }
        self.reoffer_wanted(now, dialog);
    }

    /// 500: come again a little later (§14.2, RFC 3311 §5.2).
    pub(super) fn reply_wait(&mut self, now: Instant, pending: &Pending) {
        let wait = (self.local.draw() % 11).to_string();
        self.reply(now, pending, 500, &[("Retry-After", &wait)]);
    }

    /// A re-INVITE or an UPDATE (§14.2, RFC 3311).
    fn receive_reoffer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        message: &Message<'_>,
        pending: Pending,
        bears_all: bool,
    ) {
        let method = message.method().unwrap_or(Method::Other);
        // A peer that goes on to change the session has had our 2xx: only its ACK was lost.
        if method == Method::Invite {
            self.confirm(now, dialog, None);
        }
        if self.is_hanging_up(dialog) {
            self.reply(now, &pending, 481, &[]);
            return;
        }
        let contact = self.local.contact(pending.flow).to_owned();
        let (sdp, timer) = (sdp_of(message), refresh::answer_to(message, bears_all));
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        match reoffer_refusal(session, method, sdp.is_some()) {
            Some(500) => return self.reply_wait(now, &pending),
            Some(code) => {
                self.reply(now, &pending, code, &[]);
                return;
            }
            None if timer == Verdict::TooBrief => {
                self.reply(now, &pending, 422, &[("Min-SE", &LEAST.to_string())]);
                return;
            }
            None => {}
        }
        session.dialog.follow(message);
        session.updates |= knows_update(message);
        if method == Method::Update && sdp.is_none() {
            let timed = in_answer(timer);
            let mut headers = vec![("Contact", contact.as_str()), ("Allow", ALLOW), ("Supported", SUPPORTED)];
            headers.extend(timed.iter().map(|(name, value)| (*name, value.as_str())));
            self.reply(now, &pending, 200, &headers);
            return self.keep_time_as_answered(now, dialog, timer);
        }
        session.theirs = Some(Theirs {
            pending: pending.clone(),
            method,
            cseq: message.cseq().map_or(0, |cseq| cseq.number),
            wants_offer: sdp.is_none(),
            timer,
        });
        if method == Method::Invite {
            self.reply(now, &pending, 100, &[]);
        }
        self.events.push_back(Event::Reoffered { dialog, sdp });
    }

    pub(super) fn wake(&mut self, now: Instant, dialog: DialogId, wake: Wake) {
        match (wake, self.usages.get_mut(&dialog)) {
            (Wake::RepeatProvisional, _) => self.repeat_provisional(now, dialog),
            (Wake::RepeatReliable, _) => self.repeat_reliable(now, dialog),
            (Wake::NoPrack, _) => self.give_up_prack(now, dialog),
            (Wake::AnswerWaited, _) => self.answer_has_waited(now, dialog),
            (Wake::Refresh, _) => self.refresh(now, dialog),
            (Wake::Expired, _) => self.expired(dialog),
            (Wake::RepeatSuccess, Some(Usage::Standing(session))) => {
                let Some(waiting) = &mut session.unacknowledged else { return };
                waiting.sent += 1;
                let interval = self.config.timers.repeat_interval(waiting.sent);
                waiting.repeat = self.schedule.arm(now + interval, (dialog, Wake::RepeatSuccess));
                let (pending, bytes) = (waiting.pending.clone(), waiting.bytes.clone());
                self.transactions.respond(now, &pending.key, pending.flow, 200, bytes);
                self.count(super::Counter::Retransmission);
            }
            (Wake::NoAck, Some(Usage::Standing(_))) => self.give_up_ack(now, dialog),
            (Wake::Unheard, Some(Usage::Calling(set))) => {
                set.unheard = None;
                if set.phase == Phase::Calling {
                    self.events.push_back(Event::Unheard { dialog });
                }
            }
            (Wake::GiveUp, Some(Usage::Calling(_))) => self.give_up_cancelled(now, dialog),
            (Wake::ReofferUnanswered, Some(Usage::Standing(session))) => {
                let Some(ours) = &mut session.ours else { return };
                let key = ours.key.clone();
                if !std::mem::replace(&mut ours.cancelled, true) {
                    let again = now + self.config.timers.patience();
                    ours.deadline = self.schedule.arm(again, (dialog, Wake::ReofferUnanswered));
                    return self.cancel_request(now, &key, None, Purpose::Nothing);
                }
                // §9.1: as long after the CANCEL nothing comes any more. The session goes on as it was.
                self.transactions.let_go(now, key.as_str());
                self.reoffer_failed(now, dialog, GIVEN_UP, None);
            }
            (Wake::AfterGlare, Some(Usage::Standing(session))) => {
                session.glare = None;
                self.reoffer_wanted(now, dialog);
            }
            _ => {}
        }
    }

    /// 64*T1 without an ACK (§13.3.1.4: the dialog stands all the same). Of a new dialog it is told,
    /// and its owner ends it, or hears the peer speak and does not; a lost ACK of a re-INVITE does
    /// not end people who are talking.
    fn give_up_ack(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(waiting) = session.unacknowledged.take() else { return };
        self.schedule.cancel(waiting.repeat);
        match (&session.ending, waiting.is_first) {
            (Ending::AfterAck(reason), _) => {
                let reason = reason.clone();
                return self.hang_up(now, dialog, reason.as_deref());
            }
            (Ending::Left, _) => return self.forget(now, dialog),
            (Ending::ByeSent, _) => return,
            (Ending::No, true) => self.events.push_back(Event::Unconfirmed { dialog }),
            (Ending::No, false) => self.events.push_back(Event::ReofferFailed { dialog, code: 408 }),
        }
        self.reoffer_wanted(now, dialog);
    }
}

/// Why the peer must wait with its offer (§14.2; RFC 3311 §5.2 for UPDATE).
fn reoffer_refusal(session: &Session, method: Method, has_offer: bool) -> Option<u16> {
    if method == Method::Update && !has_offer {
        return None;
    }
    match (&session.theirs, &session.ours, &session.unacknowledged) {
        (Some(_), _, _) => Some(500),
        (None, Some(_), _) => Some(491),
        // Our 2xx waits for its ACK: an UPDATE may have overtaken it.
        (None, None, Some(_)) => Some(500),
        (None, None, None) => None,
    }
}
