//! Where we are, told to a carrier (REGISTER, RFC 3261 §10.2) so that its calls find us.
//!
//! Pure. Of a carrier's addresses the one that has taken the registration is the first to be asked again:
//! it has the binding, and the others may not even know the account. While the binding lasts nothing is
//! waited for longer than its rest allows.

use super::AGAIN;
use crate::call::event::TrunkState;
use crate::time::Instant;
use sip::endpoint::{ErrandEnd, ErrandId};
use sip::transport::Flow;
use std::net::SocketAddr;
use std::time::Duration;

/// How long an address may take to answer, its challenge included. Shorter, and a registrar that asks
/// another machine for the account is given up; longer, and the rest of a short binding is gone before the
/// next address is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Between two tries at one address that refuses or is silent, when no binding hurries us.
const REFUSED: Duration = Duration::from_secs(30);

/// How long after an answer a connection that breaks is made again: some carriers close theirs behind each
/// answer. Shorter, and such a one is registered at without end; longer, and calls find no way to us where
/// one has really broken twice.
const BROKEN: Duration = Duration::from_secs(10);

/// The longest pause a carrier may ask for (Retry-After). An overloaded registrar is spared for two
/// minutes; longer, and a number typed wrong leaves us unreached.
const PAUSE_MAX: Duration = Duration::from_secs(120);

/// The longest registration a carrier may ask for: a day. Longer, and a carrier that has lost it is
/// found out the next day.
const REGISTERED_MAX: Duration = Duration::from_secs(86_400);

/// Requests of one errand, at most: without an answer, its last number is not known.
const NUMBERS_OF_AN_ERRAND: u32 = 3;

/// Where a registration may be made.
pub(super) struct Places<'a> {
    /// The trunk's targets, best first, and how each stands.
    pub(super) targets: Vec<(Flow, TrunkState)>,
    /// Where its calls come from: an address a carrier may send us on to as well.
    pub(super) peers: &'a [SocketAddr],
}

#[derive(Debug)]
pub(crate) struct Registration {
    /// The same for its whole life (RFC 3261 §10.2).
    pub(crate) call_id: String,
    /// The last number used.
    pub(crate) cseq: u32,
    lasts: Duration,
    stands: bool,
    /// When it was last taken.
    stood: Instant,
    /// When it is renewed or tried next, or, while asked, given up.
    pub(super) due: Instant,
    asked: Option<(ErrandId, SocketAddr)>,
    /// Which address has taken it.
    home: Option<SocketAddr>,
    /// When the carrier forgets what `home` has taken.
    until: Instant,
    /// Whom to ask next, where that is not simply the first that may be asked.
    next: Option<SocketAddr>,
    /// An address that is no target, to which a target has sent us on.
    sent_on: Option<SocketAddr>,
    /// Who is left alone, and until when.
    resting: Vec<(SocketAddr, Instant)>,
}

impl Registration {
    /// One that is wanted for `lasts` at a time.
    pub(super) fn new(lasts: Duration) -> Registration {
        Registration {
            call_id: String::new(),
            cseq: 0,
            lasts,
            stands: false,
            stood: Instant::ZERO,
            due: Instant::ZERO,
            asked: None,
            home: None,
            until: Instant::ZERO,
            next: None,
            sent_on: None,
            resting: Vec::new(),
        }
    }

    /// Whether it stood at the last answer.
    pub(super) fn stands(&self) -> bool {
        self.stands
    }

    /// How long we ask for.
    pub(super) fn seconds(&self) -> u32 {
        u32::try_from(self.lasts.as_secs()).unwrap_or(u32::MAX)
    }

    /// Over which path it is asked for.
    pub(super) fn next(&mut self, now: Instant, places: &Places<'_>) -> Option<Flow> {
        let chosen = self.next.take().and_then(|at| self.path(at, places));
        // The transaction is under way as soon as this is answered; this bounds a step nobody took.
        self.due = now + ANSWER_WITHIN;
        chosen.or_else(|| self.first(now, places).map(|(flow, _)| flow))
    }

    /// It is being asked for.
    pub(super) fn asked(&mut self, now: Instant, id: ErrandId, at: SocketAddr) {
        (self.asked, self.due) = (Some((id, at)), now + ANSWER_WITHIN);
    }

    /// The connection it was made by is gone: made again at once, or, where it has hardly outlived the answer, soon.
    pub(super) fn broke(&mut self, now: Instant, remote: SocketAddr) {
        // Only one that stands: where nobody takes a connection, each try would be followed by the next.
        if !self.stands || self.asked.is_some() || self.home != Some(remote) {
            return;
        }
        let soon = self.stood + BROKEN;
        if soon <= now {
            (self.stands, self.due) = (false, now);
        } else {
            self.due = self.due.min(soon);
        }
    }

    /// What it is made at is no address of the carrier any more, or is down and another is better: its calls
    /// find no way to us until we register there. Whether it was so. What has just taken it lives, whatever
    /// else it leaves unanswered.
    pub(super) fn leaves_the_dead(&mut self, now: Instant, places: &Places<'_>) -> bool {
        let Some(home) = self.home.filter(|_| self.stands && self.asked.is_none()) else { return false };
        let is_better =
            |(flow, state): &(Flow, TrunkState)| *state != TrunkState::Down && self.rests(flow.remote) <= now;
        let is_down = places.state(home) == Some(TrunkState::Down) && self.stood + REFUSED <= now;
        let leaves = self.path(home, places).is_none() || (is_down && places.targets.iter().any(is_better));
        if leaves {
            (self.stands, self.due, self.next) = (false, now, None);
        }
        leaves
    }

    /// Nothing came in time: the errand that is waited for no more.
    pub(super) fn give_up(&mut self, now: Instant, places: &Places<'_>) -> Option<ErrandId> {
        let (id, at) = self.asked.take()?;
        self.cseq = self.cseq.saturating_add(NUMBERS_OF_AN_ERRAND);
        self.failed(now, at, None, places);
        Some(id)
    }

    /// An answer came, or the transaction has ended without. Who has taken it, where one has.
    pub(super) fn settle(
        &mut self,
        now: Instant,
        end: &ErrandEnd,
        places: &Places<'_>,
    ) -> Option<SocketAddr> {
        self.cseq = end.cseq;
        let (_, at) = self.asked.take()?;
        let least = Duration::from_secs(end.min_expires.unwrap_or(3_600).into()).min(REGISTERED_MAX);
        match end.code {
            200..=299 => {
                // Renewed at half its time: a try that fails leaves room for the next.
                let lasts = end.expires.map_or(self.lasts, |seconds| Duration::from_secs(seconds.into()));
                (self.stands, self.stood) = (true, now);
                self.due = now + (lasts / 2).max(Duration::from_secs(10));
                (self.home, self.until) = (Some(at), now + lasts);
                self.resting.clear();
                return Some(at);
            }
            // Once: a carrier that refuses what it has asked for is one that fails.
            423 if self.lasts < least => {
                self.lasts = least;
                (self.next, self.due) = (Some(at), now + Duration::from_secs(1));
            }
            _ => {
                // At once is not soon: a carrier that says 0 would be asked without end.
                let pause = end
                    .retry_after
                    .map(|seconds| Duration::from_secs(seconds.into()).clamp(AGAIN, PAUSE_MAX));
                self.failed(now, at, pause, places);
                // Only to the carrier's own addresses, and to none that has just refused: carriers that
                // send us round in a circle are left after one turn.
                let is_its = |to: SocketAddr| places.target(to).or_else(|| places.peer(to)).is_some();
                let to = end.moved.iter().copied().find(|to| is_its(*to) && self.rests(*to) <= now);
                if let Some(to) = to {
                    (self.sent_on, self.next, self.due) = (Some(to), Some(to), now);
                }
            }
        }
        None
    }

    /// An address did not take it.
    fn failed(&mut self, now: Instant, at: SocketAddr, pause: Option<Duration>, places: &Places<'_>) {
        self.stands = false;
        let rest = self.until.since(now);
        let hurried = if rest.is_zero() { REFUSED } else { (rest / 2).clamp(AGAIN, REFUSED) };
        let again = now + pause.unwrap_or(hurried);
        self.resting.retain(|(other, until)| *other != at && *until > now);
        self.resting.push((at, again));
        // A pause the binding outlasts is waited for: the carrier has said that it will take us.
        let waits = pause.is_some() && self.home == Some(at) && again + AGAIN <= self.until;
        (self.next, self.due) = match self.first(now, places) {
            Some((_, due)) if !waits => (None, due),
            _ => (Some(at), again),
        };
    }

    /// The first that may be asked, and when: the one that has taken it before the others unless it is
    /// down, then as they stand.
    fn first(&self, now: Instant, places: &Places<'_>) -> Option<(Flow, Instant)> {
        let home = self.home.filter(|home| places.state(*home) != Some(TrunkState::Down));
        let home = home.and_then(|home| self.path(home, places)).map(|flow| (flow, TrunkState::Up));
        let all = home.into_iter().chain(places.targets.iter().copied());
        let all = all.map(|(flow, state)| (flow, self.rests(flow.remote).max(now), state));
        all.min_by_key(|(_, when, state)| (*when, *state)).map(|(flow, when, _)| (flow, when))
    }

    /// The path to an address: of a target, or one of the carrier's to which it has sent us on.
    fn path(&self, at: SocketAddr, places: &Places<'_>) -> Option<Flow> {
        places.target(at).or_else(|| places.peer(at).filter(|_| self.sent_on == Some(at)))
    }

    fn rests(&self, at: SocketAddr) -> Instant {
        let resting = self.resting.iter().find(|(other, _)| *other == at);
        resting.map_or(Instant::ZERO, |(_, until)| *until)
    }
}

impl Places<'_> {
    fn target(&self, at: SocketAddr) -> Option<Flow> {
        self.targets.iter().map(|(flow, _)| *flow).find(|flow| flow.remote == at)
    }

    fn state(&self, at: SocketAddr) -> Option<TrunkState> {
        self.targets.iter().find(|(flow, _)| flow.remote == at).map(|(_, state)| *state)
    }

    /// The path to an address its calls come from, over the socket of a target of the same family.
    fn peer(&self, at: SocketAddr) -> Option<Flow> {
        self.peers.iter().find(|peer| peer.ip() == at.ip())?;
        let like = self.targets.iter().find(|(flow, _)| flow.remote.is_ipv4() == at.is_ipv4())?;
        Some(Flow { remote: at, ..like.0 })
    }
}

#[cfg(test)]
mod tests;
