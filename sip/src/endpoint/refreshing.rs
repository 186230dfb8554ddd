//! Session timers at work (RFC 4028): refreshes of ours, and sessions that nobody refreshes.

use super::{DialogId, Endpoint, Purpose, Wake};
use crate::dialog::refresh::{self, Agreed, LEAST, Refresh, Verdict};
use crate::dialog::{ALLOW, SUPPORTED, Usage};
use crate::message::Message;
use crate::time::Instant;
use std::time::Duration;

/// When a refresh is tried again that something was in the way of: beyond the glare of two re-INVITEs,
/// far within the half interval that is left.
const AGAIN: Duration = Duration::from_secs(5);

/// The longest interval we let a peer impose by a 422. A day: longer than any call.
const LONGEST: u32 = 86_400;

impl Endpoint {
    /// A timer is in force from here on, or none is.
    pub(super) fn keep_time(&mut self, now: Instant, dialog: DialogId, agreed: Option<Agreed>) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if let Some(mut old) = session.refresh.take() {
            self.schedule.clear(&mut old.due);
            self.schedule.clear(&mut old.expiry);
        }
        if session.is_over() {
            return;
        }
        session.refresh = agreed.map(|agreed| {
            let mut arm = |after, wake| Some(self.schedule.arm(now + after, (dialog, wake)));
            let expiry = arm(agreed.expires_after(), Wake::Expired);
            let due = if agreed.ours { arm(agreed.refresh_after(), Wake::Refresh) } else { None };
            Refresh { agreed, due, expiry }
        });
    }

    /// A 2xx of ours has gone out.
    pub(super) fn keep_time_as_answered(&mut self, now: Instant, dialog: DialogId, timer: Verdict) {
        match timer {
            Verdict::Timer { agreed, .. } => self.keep_time(now, dialog, Some(agreed)),
            Verdict::None | Verdict::TooBrief => self.keep_time(now, dialog, None),
        }
    }

    /// A 2xx has come. A refresher goes on when the peer forgets the header: a refresh more than
    /// needed does no harm.
    pub(super) fn keep_time_as_told(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        session.tries_again = false;
        if message.allow().next().is_some() {
            session.updates = knows_update(message);
        }
        let ours = session.refresh.as_ref().map(|refresh| refresh.agreed).filter(|agreed| agreed.ours);
        self.keep_time(now, dialog, refresh::accepted(message.session_expires()).or(ours));
    }

    /// A 2xx to an UPDATE of ours, which may tell of a new Contact (RFC 3311 §5.1).
    pub(super) fn refreshed(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) {
        if let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) {
            session.dialog.follow(message);
        }
        self.keep_time_as_told(now, dialog, message);
    }

    /// Half the interval is over: an UPDATE, or a re-INVITE to those who know no UPDATE.
    pub(super) fn refresh(&mut self, now: Instant, dialog: DialogId) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if let Some(refresh) = &mut session.refresh {
            refresh.due = None;
        }
        if session.is_over() {
            return;
        }
        // What is under way refreshes, too, or is over soon.
        if !session.may_reoffer() {
            return self.refresh_again(now, dialog);
        }
        let Some(agreed) = session.refresh.as_ref().map(|refresh| refresh.agreed) else { return };
        if !session.updates {
            session.wanted = Some(session.spoken.clone());
            return self.reoffer_wanted(now, dialog);
        }
        let flow = session.dialog.next_hop(&self.local);
        let (contact, asked) = (self.local.contact(flow), agreed.in_request());
        let headers =
            [("Contact", contact), ("Allow", ALLOW), ("Supported", SUPPORTED), ("Session-Expires", &asked)];
        let update = session.dialog.request(&self.local, "UPDATE", &branch, &headers, None);
        self.transactions.open_other_client(now, key, update.flow, update.bytes, Purpose::Refresh(dialog));
    }

    /// Our refresh came to nothing, or a re-INVITE that may have been it: it is tried again in a quarter of the
    /// time that is left, so that a peer that refuses for good is asked ten times and not two hundred.
    pub(super) fn refresh_later(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(refresh) = session.refresh.as_mut().filter(|it| it.agreed.ours && it.due.is_none()) else {
            return;
        };
        let left = refresh.expiry.map_or(Duration::ZERO, |expiry| expiry.at().since(now));
        refresh.due = Some(self.schedule.arm(now + (left / 4).max(AGAIN), (dialog, Wake::Refresh)));
    }

    fn refresh_again(&mut self, now: Instant, dialog: DialogId) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(refresh) = &mut session.refresh else { return };
        self.schedule.clear(&mut refresh.due);
        refresh.due = Some(self.schedule.arm(now + AGAIN, (dialog, Wake::Refresh)));
    }

    /// Our UPDATE was refused, or nothing came back.
    pub(super) fn refresh_failed(&mut self, now: Instant, dialog: DialogId, heard: Option<u16>) {
        match heard {
            // The line may be down for a moment: as long as the session lives, it is said again.
            None | Some(408 | 481) => {
                self.lose(dialog, heard);
                self.refresh_later(now, dialog);
            }
            // Something is in the way there (RFC 3311 §5.2), or the peer is short of breath.
            Some(491 | 500 | 503) => self.refresh_again(now, dialog),
            Some(_) => {
                let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
                session.updates = false;
                self.refresh(now, dialog);
            }
        }
    }

    /// Nobody has refreshed in time (§10 would have us hang up). Whether that ends the call is for its
    /// owner, who may still hear the peer speak (`edges.md`).
    pub(super) fn expired(&mut self, dialog: DialogId) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if let Some(mut refresh) = session.refresh.take() {
            self.schedule.clear(&mut refresh.due);
        }
        self.lose(dialog, None);
    }

    /// A 422 to our INVITE: the peer's side wants a longer interval (§7.3). False when it has had one.
    pub(super) fn ask_longer(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) -> bool {
        let Some(least) = message.min_se().filter(|least| *least <= LONGEST) else { return false };
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return false };
        if !set.is_wanted() || set.tries >= super::responses::TRIES_MAX || set.session.1 >= Some(least) {
            return false;
        }
        set.session = (set.session.0.max(least), Some(least));
        set.phase = crate::dialog::Phase::Calling;
        self.send_invite(now, dialog, None);
        true
    }

    /// A 422 to a re-INVITE of ours (§7.4): the same offer again, with an interval that is long enough.
    pub(super) fn reoffer_longer(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) {
        let least = message.min_se().unwrap_or(LEAST).min(LONGEST);
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let raised = session.refresh.as_mut().filter(|refresh| refresh.agreed.seconds < least);
        let Some(refresh) = raised else {
            return self.request_failed(now, Purpose::Reoffer(dialog), 422, Some(422), None);
        };
        refresh.agreed.seconds = least;
        if let Some(ours) = session.ours.take() {
            self.schedule.cancel(ours.deadline);
            session.wanted.get_or_insert(ours.sdp);
        }
        self.reoffer_wanted(now, dialog);
    }

    /// A 422 to our refresh (§7.4).
    pub(super) fn refresh_longer(&mut self, now: Instant, dialog: DialogId, message: &Message<'_>) {
        let least = message.min_se().unwrap_or(LEAST).min(LONGEST);
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(refresh) = &mut session.refresh else { return };
        if refresh.agreed.seconds < least {
            refresh.agreed.seconds = least;
            self.refresh(now, dialog);
        }
    }
}

/// Whether the sender of a message understands UPDATE.
pub(super) fn knows_update(message: &Message<'_>) -> bool {
    message.allow().any(|method| method == "UPDATE")
}

/// What a timer adds to a 2xx.
pub(super) fn in_answer(timer: Verdict) -> Vec<(&'static str, String)> {
    let Verdict::Timer { agreed, require } = timer else { return Vec::new() };
    let mut headers = vec![("Session-Expires", agreed.in_answer())];
    if require {
        headers.push(("Require", "timer".to_owned()));
    }
    headers
}
