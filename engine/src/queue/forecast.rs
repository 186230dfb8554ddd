//! How long somebody who comes now has to expect to wait: a distribution, from how long items lately
//! took and how many are ahead.
//!
//! With `s` agents at work a place ahead is gone every `mean / s` on average, and `k` places after a
//! sum of `k` such times. Their sum is close to a gamma distribution with the same mean and
//! variance, whose quantiles Wilson and Hilferty gave in closed form; nothing is scanned or sampled.
//! An agent who serves several queues counts fully in each, so that with all of them busy the
//! forecast is on the short side.

use super::Floor;
use crate::id::QueueId;
use std::collections::VecDeque;
use std::time::Duration;

/// Conversations remembered for a queue: the last hour or two of a busy one. More follows a change of
/// the day too late; fewer follows every long call.
const REMEMBERED: usize = 64;

/// What is assumed before anything is known: words and file of a first call
/// (`load-and-lessons.md`), each counted as one remembered conversation.
const ASSUMED: (u64, Duration) = (8, Duration::from_secs(150));

/// Quantiles of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// One in ten waits less.
    pub low: Duration,
    /// Half wait less.
    pub median: Duration,
    /// One in ten waits longer.
    pub high: Duration,
}

/// How long items of a queue lately kept an agent, wrap-up included.
#[derive(Debug, Default)]
pub(super) struct Handling {
    latest: VecDeque<u64>,
    sum: u64,
    squares: u128,
}

impl Handling {
    /// One more is known.
    pub(super) fn note(&mut self, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).min(Self::LONGEST);
        self.latest.push_back(took);
        self.sum += took;
        self.squares += u128::from(took).pow(2);
        if self.latest.len() > REMEMBERED {
            let oldest = self.latest.pop_front().unwrap_or(0);
            self.sum -= oldest;
            self.squares -= u128::from(oldest).pow(2);
        }
    }

    /// A conversation of four hours is a phone off the hook; longer would be all the mean is made of.
    const LONGEST: u64 = 4 * 3_600_000;

    /// The wait for the `k`th to finish of those `servers` have begun, in milliseconds.
    pub(super) fn until(&self, places: u64, servers: u64) -> Expected {
        let (assumed, each) = ASSUMED;
        let each = u64::try_from(each.as_millis()).unwrap_or(u64::MAX);
        let known = self.latest.len() as u64 + assumed;
        let mean = (self.sum + assumed * each) as f64 / known as f64;
        let squares = (self.squares + u128::from(assumed) * u128::from(each).pow(2)) as f64 / known as f64;
        // At least a little spread: that all lately took the same promises nothing.
        let spread = ((squares - mean * mean) / (mean * mean)).max(0.04);
        let total = places as f64 * mean / servers as f64;
        let shape = places as f64 / spread;
        let quantile = |deviations: f64| {
            let root = 1.0 - 1.0 / (9.0 * shape) + deviations / (9.0 * shape).sqrt();
            Duration::from_secs_f64((total * root.max(0.0).powi(3) / 1000.0).min(1e6))
        };
        const ONE_IN_TEN: f64 = 1.2816;
        Expected { low: quantile(-ONE_IN_TEN), median: quantile(0.0), high: quantile(ONE_IN_TEN) }
    }
}

impl Floor {
    /// What somebody who comes to this queue now has to expect; `None` when nobody works there.
    pub fn expected_wait(&self, queue: QueueId) -> Option<Expected> {
        self.expected_at(self.place_of(queue)?)
    }

    pub(super) fn expected_at(&self, place: usize) -> Option<Expected> {
        let line = self.lines.get(place).filter(|line| line.staff > 0)?;
        let ahead = line.items + 1;
        let places = ahead.saturating_sub(line.idle.len() as u64);
        if places == 0 {
            return Some(Expected { low: Duration::ZERO, median: Duration::ZERO, high: Duration::ZERO });
        }
        Some(line.handling.until(places, line.staff as u64))
    }
}
