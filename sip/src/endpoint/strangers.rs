//! Those who have proved nothing: strict answers at a small rate, or silence, and nothing of theirs stays.

use super::incoming::{Heard, UNDERSTOOD};
use super::{Counter, Endpoint};
use crate::message::{Message, Name, Repair, Repairs, Uri};
use crate::time::Instant;
use crate::transport::{Flow, Peer};
use crate::vocabulary::Method;
use std::time::Duration;

/// OPTIONS of strangers answered per second: enough for anybody's monitoring; more would let a
/// forger use us against others.
const STRANGERS_PER_SECOND: u32 = 10;

/// Challenges per second: a room of 500 phones that comes back after a power cut is through in
/// two seconds; more would let a flood of forged REGISTERs eat the time calls need.
const CHALLENGES_PER_SECOND: u32 = 250;

/// What is left of a second's answers to those who have proved nothing.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    per_second: u32,
    since: Instant,
    used: u32,
}

impl Allowance {
    pub(super) fn for_strangers() -> Self {
        Allowance { per_second: STRANGERS_PER_SECOND, since: Instant::ZERO, used: 0 }
    }

    pub(super) fn for_challenges() -> Self {
        Allowance { per_second: CHALLENGES_PER_SECOND, since: Instant::ZERO, used: 0 }
    }

    pub(super) fn take(&mut self, now: Instant) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            (self.since, self.used) = (now, 0);
        }
        self.used += 1;
        self.used <= self.per_second
    }
}

impl Endpoint {
    /// A stranger is answered without a transaction: nothing it sends stays in our memory. What breaks
    /// a rule is told which (RFC 4475); what breaks none is not for us.
    pub(super) fn refuse_stranger(&mut self, now: Instant, heard: Heard<'_, '_>, repairs: Repairs) {
        let Heard { flow, message, method, words, .. } = heard;
        let (code, more) = match strict_refusal(message, method, repairs) {
            Some(refusal) => refusal,
            None if method == Method::Options => (200, None),
            None => (403, None),
        };
        let answers = code == 200 || self.config.strangers_forbid;
        if !answers || !self.strangers.take(now) {
            return self.count(Counter::StrangerRefused(0));
        }
        if code != 200 {
            self.count(Counter::StrangerRefused(code));
        }
        let headers: Vec<(Name, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.answer_once(flow, message, words, code, &headers);
    }

    /// What cannot be understood at all: 400 where one can be written, a stranger's at its small rate.
    pub(super) fn refuse_unreadable(
        &mut self,
        now: Instant,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        rule: &'static str,
    ) {
        self.count(Counter::ParseError(rule));
        let method = message.method();
        if method == Some(Method::Ack) || message.via().is_err() {
            return;
        }
        if peer == Peer::Stranger && !(self.config.strangers_forbid && self.strangers.take(now)) {
            return self.count(Counter::StrangerRefused(0));
        }
        if method == Some(Method::Invite) || peer == Peer::Stranger {
            self.count_refusal(peer, 400);
        }
        let mut words = String::new();
        if let (Ok(via), Some(method)) = (message.via(), method) {
            crate::transaction::write_server_key(&mut words, message, &via, method);
        }
        self.answer_once(flow, message, &words, 400, &[]);
    }
}

/// Which rule a request breaks for those who are held to them, and what the answer adds.
fn strict_refusal(
    message: &Message<'_>,
    method: Method,
    repairs: Repairs,
) -> Option<(u16, Option<(Name, String)>)> {
    if repairs.has(Repair::Version) {
        return Some((505, None)); // RFC 3261 §21.5.6
    }
    if !repairs.is_empty() {
        return Some((400, None)); // §21.4.1
    }
    if method == Method::Other {
        return Some((501, Some((Name::Allow, crate::dialog::ALLOW.to_owned())))); // §21.5.2
    }
    if matches!(message.request_uri(), Some(Uri::Other(_) | Uri::Unreadable(_))) {
        return Some((416, None)); // §8.2.2.1
    }
    let known = |tag: &&str| UNDERSTOOD.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let lacking: Vec<&str> = message.require().filter(|tag| !known(tag)).collect();
    (!lacking.is_empty()).then(|| (420, Some((Name::Unsupported, lacking.join(", "))))) // §8.2.2.3
}
