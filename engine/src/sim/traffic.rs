//! Who calls, when, how badly off they are and how long they stay on the line.
//!
//! The defaults are the traffic model of a SAMU: arrivals without memory along a daily profile,
//! callers who hang up and call again, talks with a long tail. Every number is a parameter, because a
//! centre knows its own.

use super::chance::{Chance, Law};
use std::time::Duration;

/// What comes in.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Calls an hour, redials apart, where the profile is one.
    pub per_hour: f64,
    /// Factor of each hour from the start on, the last one for ever; empty: steady.
    pub profile: Vec<f64>,
    /// What is dialled, and its part of the whole.
    pub lines: Vec<LineShare>,
    /// Share of calls that are vital, whoever knows it.
    pub vital: f64,
    /// Share of the vital calls whose line or apparatus says so on arrival.
    pub known: f64,
    /// Share that presses the key of a menu that raises the class, where there is one.
    pub declared: f64,
    /// From the answer to the end of the talk.
    pub handling: Law,
    /// How long they wait.
    pub patience: Patience,
    /// Who gives up and calls again.
    pub redial: Redial,
    /// Many calls at once about one event.
    pub burst: Option<Burst>,
}

/// One number of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct LineShare {
    /// As the trunk delivers it.
    pub called: String,
    /// Its part; parts are compared with their sum.
    pub share: f64,
    /// Its callers are drawn and do not call: the same evening without them.
    pub muted: bool,
}

/// When a caller hangs up without an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// Share that hangs up at once: errors, pocket calls.
    pub early: f64,
    /// Within this.
    pub early_within: Duration,
    /// The others; `None`: they stay for ever.
    pub then: Option<Law>,
}

/// Who calls again after having given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Redial {
    /// So many of them.
    pub share: f64,
    /// After so long.
    pub after: Law,
}

/// A collective event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// From the start.
    pub at: Duration,
    /// Calls in all.
    pub calls: u32,
    /// Within this.
    pub within: Duration,
}

/// One person on the line, drawn before anything happens to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Counts callers; also their telephone number.
    pub number: u64,
    /// Place in [`Traffic::lines`].
    pub line: usize,
    /// A human who listens will call it vital.
    pub vital: bool,
    /// The line says so already.
    pub known: bool,
    /// Presses the key that raises the class.
    pub declares: bool,
    /// How long somebody talks with them.
    pub handling: Duration,
    /// When they hang up; `None`: never.
    pub patience: Option<Duration>,
    /// After how long they call again when they have hung up.
    pub redial: Option<Duration>,
    /// Calls they have given up so far.
    pub attempts: u8,
}

/// Nobody in the model calls more often; without a bound a closed room would be called for ever.
pub const ATTEMPTS_MAX: u8 = 5;

impl Traffic {
    /// The model of a SAMU with so many calls an hour: 15, 116117, partners' lines, as far as `lines` says.
    pub fn samu(per_hour: f64, lines: Vec<LineShare>) -> Traffic {
        let seconds = Duration::from_secs;
        Traffic {
            per_hour,
            profile: Vec::new(),
            lines,
            vital: 0.03,
            known: 0.1,
            declared: 0.05,
            handling: Law::LogNormal { mean: seconds(180), cv: 0.8 },
            patience: Patience {
                early: 0.1,
                early_within: seconds(15),
                then: Some(Law::Weibull { median: seconds(120), shape: 1.5 }),
            },
            redial: Redial { share: 0.6, after: Law::Between(seconds(20), seconds(60)) },
            burst: None,
        }
    }

    /// Arrivals without memory, handling without memory, endless patience: what queueing theory knows.
    pub fn memoryless(per_hour: f64, handling: Duration, lines: Vec<LineShare>) -> Traffic {
        let forever = Patience { early: 0.0, early_within: Duration::ZERO, then: None };
        Traffic {
            handling: Law::Exponential { mean: handling },
            patience: forever,
            vital: 0.0,
            ..Traffic::samu(per_hour, lines)
        }
    }

    /// Calls an hour at this time from the start.
    pub fn rate(&self, at: Duration) -> f64 {
        let hour = usize::try_from(at.as_secs() / 3600).unwrap_or(usize::MAX);
        let factor = self.profile.get(hour).or(self.profile.last()).copied().unwrap_or(1.0);
        self.per_hour * factor
    }

    /// When the next caller comes after `at`; `None`: no more before `until`.
    pub(super) fn next(&self, at: Duration, until: Duration, chance: &mut Chance) -> Option<Duration> {
        let most = self.profile.iter().copied().fold(f64::NAN, f64::max).max(0.0);
        let most = self.per_hour * if self.profile.is_empty() { 1.0 } else { most };
        if most <= 0.0 {
            return None;
        }
        let mean = Duration::from_secs_f64(3600.0 / most);
        let mut next = at;
        // Thinning: candidates at the highest rate, each kept as often as its hour has it.
        loop {
            next += Law::Exponential { mean }.draw(chance);
            if next >= until {
                return None;
            }
            if chance.happens(self.rate(next) / most) {
                return Some(next);
            }
        }
    }

    /// The caller of this number. Each has a stream of their own: the same person in every variant.
    pub(super) fn caller(&self, number: u64, chance: Chance) -> Caller {
        let mut chance = chance.fork(number);
        let all: f64 = self.lines.iter().map(|line| line.share).sum();
        let mut left = chance.unit() * all;
        let line = self.lines.iter().position(|line| {
            left -= line.share;
            left <= 0.0
        });
        let vital = chance.happens(self.vital);
        let known = chance.happens(self.known) && vital;
        // Who is badly off is believed to press as often as not; many others do as well.
        let declares = chance.happens(if vital { self.declared.max(0.5) } else { self.declared });
        let handling = self.handling.draw(&mut chance);
        let mut caller = Caller {
            number,
            line: line.unwrap_or(0),
            vital,
            known,
            declares,
            handling,
            patience: None,
            redial: None,
            attempts: 0,
        };
        self.dials(&mut caller, chance);
        caller
    }

    /// How long this attempt lasts, and whether another follows.
    fn dials(&self, caller: &mut Caller, mut chance: Chance) {
        let early = chance.happens(self.patience.early);
        let short = Law::Between(Duration::ZERO, self.patience.early_within).draw(&mut chance);
        let long = self.patience.then.map(|law| law.draw(&mut chance));
        caller.patience = if early { Some(short) } else { long };
        let again = chance.happens(self.redial.share);
        let after = self.redial.after.draw(&mut chance);
        caller.redial = Some(after).filter(|_| again && caller.attempts < ATTEMPTS_MAX);
    }

    /// The same person, calling again.
    pub(super) fn redialled(&self, mut caller: Caller, chance: Chance) -> Caller {
        caller.attempts += 1;
        let own = chance.fork(caller.number).fork(1 + u64::from(caller.attempts));
        self.dials(&mut caller, own);
        caller
    }
}
