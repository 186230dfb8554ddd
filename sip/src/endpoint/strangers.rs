//! Those who have proved nothing: strict answers at a small rate, or silence, and nothing of theirs stays.

use super::incoming::Heard;
use super::{Counter, Endpoint, strict};
use crate::chance::Keying;
use crate::guesses::half;
use crate::message::{Message, Name, Repair, Repairs, Uri};
use crate::time::Instant;
use crate::transaction::{write_merge_key, write_server_key};
use crate::transport::{Flow, Peer};
use crate::vocabulary::Method;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Answers to one stranger's OPTIONS, or other requests, per second: enough for anybody's monitoring;
/// more would let a forger use us against others.
const STRANGERS_PER_SECOND: u32 = 10;

/// The same to all strangers: as many sources may ask at once as a region has machines. More is answered
/// to nobody but forgers.
const ALL_STRANGERS_PER_SECOND: usize = 500;

/// Challenges to one source per second: more than is read of it (`source_rate`), where a room of phones
/// comes back behind one address after a power cut.
const CHALLENGES_PER_SECOND: u32 = 100;

/// The same to all who are at no home of a phone: more would let a flood of forged REGISTERs eat the
/// time calls need (some ten microseconds each), and fifty sources cannot use them up.
const ALL_CHALLENGES_PER_SECOND: usize = 5_000;

/// What is left of a second's answers to those who have proved nothing: for each source, and for all.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    each: u32,
    all: usize,
    since: Instant,
    used: usize,
    /// What each source has had of this second. Each entry is an answer given: never more than [`Self::all`],
    /// and one for each home.
    had: HashMap<IpAddr, u32, Keying>,
}

impl Allowance {
    fn new(each: u32, all: usize, keying: Keying) -> Self {
        Allowance { each, all, since: Instant::ZERO, used: 0, had: HashMap::with_hasher(keying) }
    }

    pub(super) fn for_strangers(keying: Keying) -> Self {
        Allowance::new(STRANGERS_PER_SECOND, ALL_STRANGERS_PER_SECOND, keying)
    }

    pub(super) fn for_challenges(keying: Keying) -> Self {
        Allowance::new(CHALLENGES_PER_SECOND, ALL_CHALLENGES_PER_SECOND, keying)
    }

    /// Whether this source may have one more answer. What all have together is no matter for a phone's
    /// home, and a source beyond its own part takes nothing of it.
    pub(super) fn take(&mut self, now: Instant, source: IpAddr, is_home: bool) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            (self.since, self.used) = (now, 0);
            self.had.clear();
        }
        if !is_home && self.used >= self.all {
            return false;
        }
        let had = self.had.entry(half(source)).or_default();
        if *had >= self.each {
            return false;
        }
        *had += 1;
        self.used += usize::from(!is_home);
        true
    }
}

impl Endpoint {
    /// A stranger is answered without a transaction: nothing it sends stays in our memory. What breaks
    /// a rule is told which (RFC 4475); what breaks none is not for us.
    pub(super) fn refuse_stranger(&mut self, now: Instant, heard: Heard<'_, '_>, repairs: Repairs) {
        let Heard { flow, message, method, words, .. } = heard;
        if method == Method::Ack {
            return self.count(Counter::StrangerRefused(0)); // never answered (RFC 3261 §17.1.1.3)
        }
        let (code, more) = match strict_refusal(message, method, repairs) {
            Some(refusal) => refusal,
            None if method == Method::Options => (200, None),
            None => (403, None),
        };
        let answers = code == 200 || self.config.strangers_forbid;
        if !answers || !self.strangers.take(now, flow.remote.ip(), false) {
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
        if message.method() == Some(Method::Ack)
            || (message.via().is_err() && !matches!(peer, Peer::Trunk(_)))
        {
            return;
        }
        let may_hear = |of: &mut Self| of.strangers.take(now, flow.remote.ip(), false);
        if peer == Peer::Stranger && !(self.config.strangers_forbid && may_hear(self)) {
            return self.count(Counter::StrangerRefused(0));
        }
        self.tell_unreadable(flow, peer, message, 400);
    }

    /// The answer to what cannot be understood, once; a response or an ACK has none.
    pub(super) fn tell_unreadable(&mut self, flow: Flow, peer: Peer, message: &Message<'_>, code: u16) {
        let Some(method) = message.method().filter(|method| *method != Method::Ack) else { return };
        if method == Method::Invite || peer == Peer::Stranger {
            self.count_refusal(peer, code);
        }
        let mut words = String::new();
        // Without a Via a carrier is answered over its connection, or at the address it sent from, if the
        // answer would say to what.
        let names = [Name::From, Name::To, Name::CallId, Name::CSeq];
        match message.via() {
            Ok(via) => write_server_key(&mut words, message, &via, method),
            Err(_) if names.iter().any(|name| message.header(*name).is_none()) => return,
            Err(_) => write_merge_key(&mut words, message),
        }
        self.answer_once(flow, message, &words, code, &[]);
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
    let lacking = strict::lacking(message)?;
    Some((lacking.code, Some((Name::Unsupported, lacking.header.1)))) // §8.2.2.3
}
