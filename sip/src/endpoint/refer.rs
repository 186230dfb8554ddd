//! Calls that take another one's place: REFER and its NOTIFYs (RFC 3515), Replaces (RFC 3891).
//!
//! The endpoint says what was asked and which of our dialogs is meant; whether and how a call moves is
//! for its owner.

use super::incoming::Heard;
use super::{DialogId, Endpoint, Event, Purpose};
use crate::dialog::Usage;
use crate::header::replaces::Replaces;
use crate::message::{Message, Name, Uri};
use crate::time::{Instant, Now};
use crate::transaction::Pending;
use crate::vocabulary::reason_phrase;
use std::fmt;

/// What a peer asks for within its call.
#[derive(Clone)]
pub struct Refer {
    /// Whom to call, as it stands.
    pub uri: String,
    /// Its user part, or the number of a tel URI.
    pub number: Option<String>,
    /// The call of ours that the peer wants joined with this one: an attended transfer.
    pub replaces: Option<DialogId>,
    /// It names a call to replace that is none of ours.
    pub replaces_elsewhere: bool,
    /// Who asks, by its own word (RFC 3892).
    pub referred_by: Option<String>,
}

impl fmt::Debug for Refer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refer").field("replaces", &self.replaces).finish_non_exhaustive()
    }
}

/// What an INVITE's Replaces comes to (RFC 3891 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    /// This call is to be replaced.
    Of(DialogId),
    /// The INVITE is refused so.
    Refused(u16),
}

impl Endpoint {
    /// A REFER within a call: 202, and the first NOTIFY (§2.4.4); or, for who wants none, the answer once
    /// its owner has decided.
    pub(super) fn receive_refer(
        &mut self,
        now: Instant,
        dialog: DialogId,
        message: &Message<'_>,
        pending: &Pending,
    ) {
        let Some(to) = message.refer_to() else {
            self.reply(now, pending, 400, &[]);
            return;
        };
        let contact = self.local.contact(pending.flow).to_owned();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if session.referred.is_some() || session.undecided.is_some() {
            self.reply(now, pending, 491, &[]);
            return;
        }
        // RFC 4488: a peer may ask not to be told.
        let untold = message.named("Refer-Sub").next().is_some_and(|it| it.eq_ignore_ascii_case(b"false"));
        if untold {
            session.undecided = Some(pending.clone());
        } else {
            session.referred = message.cseq().ok().map(|cseq| cseq.number);
            self.reply(now, pending, 202, &[("Contact", contact.as_str())]);
        }
        let replaces = to.replaces.as_ref().map(|wanted| self.replaced(wanted));
        let refer = Box::new(Refer {
            number: Uri::read(to.uri.as_bytes()).number(),
            uri: to.uri,
            replaces: replaces.flatten(),
            replaces_elsewhere: replaces == Some(None),
            referred_by: message.named("Referred-By").next().map(crate::dialog::text),
        });
        self.report_refer(now, dialog, 100);
        self.events.push_back(Event::Referred { dialog, refer });
    }

    /// Tells the peer how the call goes that it has asked for; from 200 on that is the last word. A peer
    /// that wants to hear no more than whether it is done at all hears the first of these: its owner
    /// says 100 at once, or why not.
    pub fn report(&mut self, now: Now, dialog: DialogId, code: u16) {
        self.decide(now.at, dialog, code);
        // 100 has been told with the 202.
        if code > 100 {
            self.report_refer(now.at, dialog, code);
        }
    }

    fn decide(&mut self, now: Instant, dialog: DialogId, code: u16) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(pending) = session.undecided.take() else { return };
        let contact = self.local.contact(pending.flow).to_owned();
        if code < 300 {
            self.reply(now, &pending, 202, &[("Contact", &contact), ("Refer-Sub", "false")]);
        } else {
            self.reply(now, &pending, code, &[]);
        }
    }

    fn report_refer(&mut self, now: Instant, dialog: DialogId, code: u16) {
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        let Some(number) = session.referred.filter(|_| !session.is_over()) else { return };
        let over = code >= 200;
        if over {
            session.referred = None;
        }
        let event = format!("refer;id={number}");
        let state = if over { "terminated;reason=noresource" } else { "active;expires=60" };
        let contact = self.local.contact(session.dialog.next_hop(&self.local));
        let headers = [("Contact", contact), ("Event", event.as_str()), ("Subscription-State", state)];
        let line = format!("SIP/2.0 {code} {}\r\n", reason_phrase(code));
        let body = Some(("message/sipfrag;version=2.0", line.as_bytes()));
        let notify = session.dialog.request_with(&self.local, "NOTIFY", &branch, &headers, body);
        self.transactions.open_other_client(now, key, notify.flow, notify.bytes, Purpose::Nothing);
    }

    /// A NOTIFY within a call: how what we have asked for goes.
    pub(super) fn receive_notify(
        &mut self,
        now: Instant,
        dialog: DialogId,
        heard: Heard<'_, '_>,
        pending: &Pending,
    ) {
        let message = heard.message;
        let event = message.header(Name::Event).unwrap_or_default();
        let is_refer = event.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"refer"));
        let waits = matches!(self.usages.get(&dialog), Some(Usage::Standing(session)) if session.refers);
        if !is_refer {
            self.reply(now, pending, 489, &[("Allow-Events", "refer")]);
            return;
        }
        if !waits {
            self.reply(now, pending, 481, &[]);
            return;
        }
        self.reply(now, pending, 200, &[]);
        let Some(code) = sipfrag_code(message.body()) else { return };
        if code >= 200
            && let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog)
        {
            session.refers = false;
        }
        self.events.push_back(Event::ReferProgress { dialog, code });
    }

    /// Asks the peer to call `uri`, and to take the place there of `replaces`, a call of ours that stands
    /// (an attended transfer). [`Event::ReferAnswered`] follows, then [`Event::ReferProgress`] until it
    /// is decided. The call itself stands until somebody hangs up.
    pub fn refer(
        &mut self,
        now: Now,
        dialog: DialogId,
        uri: &str,
        referred_by: &str,
        replaces: Option<DialogId>,
    ) {
        let replaces = replaces.and_then(|other| match self.usages.get(&other)? {
            Usage::Standing(session) => Some(Replaces {
                call_id: session.dialog.call_id.clone(),
                to_tag: session.dialog.remote_tag.clone(),
                from_tag: session.dialog.local_tag.clone(),
                early_only: false,
            }),
            _ => None,
        });
        let (branch, key) = self.new_branch();
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        if session.is_over() || session.refers {
            return;
        }
        session.refers = true;
        let to = match replaces {
            Some(replaces) => format!("<{uri}?Replaces={}>", replaces.escaped()),
            None => format!("<{uri}>"),
        };
        let contact = self.local.contact(session.dialog.next_hop(&self.local));
        let headers = [("Contact", contact), ("Refer-To", to.as_str()), ("Referred-By", referred_by)];
        let refer = session.dialog.request(&self.local, "REFER", &branch, &headers, None);
        self.transactions.open_other_client(now.at, key, refer.flow, refer.bytes, Purpose::Refer(dialog));
    }

    /// Our REFER is answered, or nobody answers it.
    pub(super) fn refer_answered(&mut self, dialog: DialogId, code: u16) {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return };
        // Another word than 2xx is the last one: the owner joins the two calls itself.
        session.refers &= code < 300;
        if !session.is_over() {
            self.events.push_back(Event::ReferAnswered { dialog, code });
        }
    }

    /// The dialog of ours with these names.
    fn replaced(&self, wanted: &Replaces) -> Option<DialogId> {
        let id = *self.tags.get(wanted.to_tag.as_str())?;
        let same = match self.usages.get(&id)? {
            Usage::Standing(session) => {
                session.dialog.call_id == wanted.call_id && session.dialog.remote_tag == wanted.from_tag
            }
            Usage::Ringing(ringing) => {
                ringing.dialog.call_id == wanted.call_id && ringing.dialog.remote_tag == wanted.from_tag
            }
            Usage::Calling(set) => set.call_id == wanted.call_id,
        };
        same.then_some(id)
    }

    /// What the Replaces of an INVITE comes to, row by row of RFC 3891 §3.
    pub(super) fn replacement(&self, wanted: &Replaces) -> Replacement {
        let Some(id) = self.replaced(wanted) else { return Replacement::Refused(481) };
        match self.usages.get(&id) {
            Some(Usage::Standing(session)) if session.is_over() => Replacement::Refused(603),
            Some(Usage::Standing(_)) if wanted.early_only => Replacement::Refused(486),
            // Ours that rings elsewhere, or a call that stands.
            Some(Usage::Standing(_) | Usage::Calling(_)) => Replacement::Of(id),
            // Nobody can pick up a call by having made it.
            Some(Usage::Ringing(_)) | None => Replacement::Refused(481),
        }
    }
}

/// The status of a message/sipfrag body.
fn sipfrag_code(body: &[u8]) -> Option<u16> {
    let rest = body.strip_prefix(b"SIP/2.0 ")?;
    std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok().filter(|code| (100..700).contains(code))
}
