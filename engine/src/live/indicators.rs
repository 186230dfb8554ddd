//! The figures of a centre as its trade publishes them: a fold of the log and nothing else (I27).
//!
//! Both denominators stand side by side. The public figure divides by the calls that were answered
//! and so hides who was not; the strict one divides by every call but those that hung up at once.
//! Waits are counted from the INVITE.

use crate::call::event::{Beside, Cause, Entry, Event};
use crate::dialplan::is_partner_service;
use crate::id::CallId;
use sip::time::Instant;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// Seconds within which calls are counted as answered.
pub const WITHIN: [u64; 4] = [15, 20, 30, 60];

/// A number that calls again within this is the same caller trying once more.
const SAME_CALLER: Duration = Duration::from_secs(600);

/// Numbers remembered: days of a busy centre. Fewer counts a caller of the morning twice.
const NUMBERS_MAX: usize = 16_384;

/// The figures of all calls, or of one service's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that reached us, tests left out: P.
    pub attempts: u64,
    /// Of these, callers who had not called in the ten minutes before.
    pub callers: u64,
    /// Answered by a human here: A.
    pub answered: u64,
    /// Answered by a human elsewhere, to whom a queue overflowed: R.
    pub overflowed: u64,
    /// Hung up before 15 s: short abandons.
    pub short: u64,
    /// Hung up after 15 s or more: true abandons, B.
    pub abandoned: u64,
    /// Of these, callers who were answered later, or reached by a callback.
    pub recovered: u64,
    /// Broken by a network before anybody answered.
    pub broken: u64,
    /// Answered within each of [`WITHIN`].
    pub within: [u64; 4],
    /// Callbacks that began.
    pub callbacks: u64,
    /// Callbacks that reached the person.
    pub reached: u64,
    /// Entry to the first stage's answer.
    pub t1: Spread,
    /// Hand-over to the second stage's answer.
    pub t2: Spread,
}

/// Lengths of time, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// All of them.
    pub sum: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Spread {
    fn add(&mut self, length: Duration) {
        self.count += 1;
        self.sum += length;
        self.longest = self.longest.max(length);
    }

    /// The mean; `None` of nothing.
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.count).ok().filter(|count| *count > 0)?;
        Some(self.sum / count)
    }
}

impl Figures {
    /// Answered calls of all: A / P.
    pub fn answer_rate(&self) -> Option<f64> {
        share(self.answered, self.attempts)
    }

    /// Answered within the `nth` of [`WITHIN`], of the answered: the public figure.
    pub fn quality(&self, nth: usize) -> Option<f64> {
        share(*self.within.get(nth)?, self.answered)
    }

    /// The same, of every call but short abandons: shows what the public figure hides.
    pub fn strict_quality(&self, nth: usize) -> Option<f64> {
        share(*self.within.get(nth)?, self.attempts.saturating_sub(self.short))
    }

    /// True abandons, of every call but short ones.
    pub fn abandon_rate(&self) -> Option<f64> {
        share(self.abandoned, self.attempts.saturating_sub(self.short))
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of a centre stay far below 2^52")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A call that is not over, as far as figures ask.
#[derive(Clone, Debug)]
struct Seen {
    service: String,
    /// `None`: withheld, none was given, or another organisation's line.
    number: Option<String>,
    arrived: Instant,
    answered: bool,
    callback: bool,
    /// The stage it is at, and how many there were before.
    stage: String,
    before: usize,
    wait: StageWait,
}

/// How far a call is with the one wait of a stage that counts: the first. Whoever is put on hold, lost by
/// an agent or joined by somebody has been served there.
#[derive(Clone, Copy, Debug)]
enum StageWait {
    /// It is not in a queue yet.
    Ahead,
    /// It waits since then.
    Since(Instant),
    /// Somebody has answered it.
    Over,
}

/// The fold: figures of all calls and of each service.
#[derive(Clone, Debug, Default)]
pub struct Indicators {
    all: Figures,
    services: BTreeMap<String, Figures>,
    live: HashMap<CallId, Seen>,
    /// When each number called last, and its true abandons nobody has made good.
    numbers: BTreeMap<String, (Instant, u64)>,
    order: VecDeque<(Instant, String)>,
}

impl Indicators {
    /// All calls.
    pub fn all(&self) -> &Figures {
        &self.all
    }

    /// Each service by its name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Figures)> {
        self.services.iter().map(|(name, figures)| (name.as_str(), figures))
    }

    /// Whether no call is known any more.
    pub fn is_at_rest(&self) -> bool {
        self.live.is_empty()
    }

    /// Whether this entry is the first answer of a caller's call; asked before it is folded.
    pub fn is_first_answer(&self, entry: &Entry) -> bool {
        let Event::Connected { call, .. } = &entry.event else { return false };
        self.live.get(call).is_some_and(|seen| !seen.answered && !seen.callback)
    }

    /// Whether this call has been answered, here or elsewhere.
    pub fn is_answered(&self, call: CallId) -> bool {
        self.live.get(&call).is_some_and(|seen| seen.answered)
    }

    /// Takes one entry; the service whose figures it changed.
    pub fn fold(&mut self, entry: &Entry) -> Option<String> {
        match &entry.event {
            Event::Arrived { call, service, caller, withheld, .. } => {
                let person = !*withheld && !caller.0.is_empty() && !is_partner_service(service);
                let number = person.then(|| caller.0.clone());
                self.arrive(*call, service, number, entry.at)
            }
            Event::Queued { call, .. } => {
                let wait = &mut self.live.get_mut(call)?.wait;
                if matches!(wait, StageWait::Ahead) {
                    *wait = StageWait::Since(entry.at);
                }
                None
            }
            Event::Connected { call, .. } => self.answer(*call, entry.at),
            Event::Ended { call, cause, .. } => self.end(*call, *cause),
            Event::Beside(beside) => self.beside(beside, entry.at),
            _ => None,
        }
    }

    fn arrive(&mut self, call: CallId, service: &str, number: Option<String>, at: Instant) -> Option<String> {
        if service == "test" {
            return None;
        }
        let fresh = number.as_ref().is_none_or(|number| self.is_new(number, at));
        let seen = Seen {
            service: service.to_owned(),
            number,
            arrived: at,
            answered: false,
            callback: false,
            stage: String::new(),
            before: 0,
            wait: StageWait::Ahead,
        };
        self.live.insert(call, seen);
        self.count(service, |figures| {
            figures.attempts += 1;
            figures.callers += u64::from(fresh);
        })
    }

    /// Whether this number has not called a short while ago; from here on it has.
    fn is_new(&mut self, number: &str, at: Instant) -> bool {
        let known = self.numbers.get(number).copied();
        let lost = known.map_or(0, |(_, lost)| lost);
        self.numbers.insert(number.to_owned(), (at, lost));
        // Room is made first: a full ring that grew by one would be twice as large for ever.
        while self.order.len() >= NUMBERS_MAX {
            let Some((at, oldest)) = self.order.pop_front() else { break };
            if self.numbers.get(&oldest).is_some_and(|(last, _)| *last == at) {
                self.numbers.remove(&oldest);
            }
        }
        self.order.push_back((at, number.to_owned()));
        known.is_none_or(|(last, _)| at.since(last) > SAME_CALLER)
    }

    fn answer(&mut self, call: CallId, at: Instant) -> Option<String> {
        let seen = self.live.get_mut(&call)?;
        let first = !std::mem::replace(&mut seen.answered, true) && !seen.callback;
        let waited = at.since(seen.arrived);
        let stage = match std::mem::replace(&mut seen.wait, StageWait::Over) {
            StageWait::Since(since) => Some((seen.before, at.since(since))),
            StageWait::Ahead | StageWait::Over => None,
        };
        let (service, callback) = (seen.service.clone(), seen.callback);
        let recovered = if first { self.make_good(call) } else { 0 };
        self.count(&service, |figures| {
            if first {
                figures.answered += 1;
                for (count, seconds) in figures.within.iter_mut().zip(WITHIN) {
                    *count += u64::from(waited <= Duration::from_secs(seconds));
                }
            }
            figures.recovered += recovered;
            match stage {
                Some((0, took)) if !callback => figures.t1.add(took),
                Some((1, took)) => figures.t2.add(took),
                _ => {}
            }
        })
    }

    /// True abandons of this caller that are made good.
    fn make_good(&mut self, call: CallId) -> u64 {
        let number = self.live.get(&call).and_then(|seen| seen.number.as_ref());
        let known = number.and_then(|number| self.numbers.get_mut(number));
        known.map_or(0, |(_, lost)| std::mem::take(lost))
    }

    fn end(&mut self, call: CallId, cause: Cause) -> Option<String> {
        let seen = self.live.remove(&call)?;
        if seen.callback {
            return None;
        }
        if cause == Cause::Abandon
            && !seen.answered
            && let Some((_, lost)) = seen.number.as_ref().and_then(|number| self.numbers.get_mut(number))
        {
            *lost += 1;
        }
        self.count(&seen.service, |figures| match cause {
            // Whoever gives up after a talk that we lost was answered all the same: a call counts once.
            _ if seen.answered => {}
            Cause::ShortAbandon => figures.short += 1,
            Cause::Abandon => figures.abandoned += 1,
            Cause::Network => figures.broken += 1,
            _ => {}
        })
    }

    fn beside(&mut self, beside: &Beside, at: Instant) -> Option<String> {
        match beside {
            Beside::Staged { call, stage } => {
                let seen = self.live.get_mut(call)?;
                if !seen.stage.is_empty() && seen.stage != *stage {
                    (seen.before, seen.wait) = (seen.before + 1, StageWait::Ahead);
                }
                seen.stage.clone_from(stage);
                None
            }
            Beside::Overflowed { call, .. } => {
                let seen = self.live.get_mut(call)?;
                let first = !std::mem::replace(&mut seen.answered, true);
                let service = seen.service.clone();
                self.count(&service, |figures| figures.overflowed += u64::from(first))
            }
            Beside::CallbackOpened { call, service, caller, .. } => {
                let seen = Seen {
                    service: service.clone(),
                    number: Some(caller.0.clone()),
                    arrived: at,
                    answered: false,
                    callback: true,
                    stage: String::new(),
                    before: 0,
                    wait: StageWait::Ahead,
                };
                self.live.insert(*call, seen);
                self.count(service, |figures| figures.callbacks += 1)
            }
            Beside::Reached { call, .. } => {
                let service = self.live.get(call)?.service.clone();
                let recovered = self.make_good(*call);
                self.count(&service, |figures| {
                    figures.reached += 1;
                    figures.recovered += recovered;
                })
            }
            _ => None,
        }
    }

    fn count(&mut self, service: &str, change: impl Fn(&mut Figures)) -> Option<String> {
        change(&mut self.all);
        change(self.services.entry(service.to_owned()).or_default());
        Some(service.to_owned())
    }
}
