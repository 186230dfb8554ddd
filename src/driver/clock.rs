//! The only place that reads a clock.

use engine::time::{Instant, Now};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The process's timeline: it starts at the wall clock's nanoseconds, so that instants of earlier
/// starts keep their meaning, and runs on the monotonic clock from there.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: std::time::Instant,
    origin: Instant,
}

impl Clock {
    /// Anchors the timeline to the wall clock, once, and never before `last`: the latest instant
    /// an earlier start has written, in case the wall clock went back since.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start(last: Instant) -> Clock {
        let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let origin = (Instant::ZERO + utc).max(last);
        Clock { anchor: std::time::Instant::now(), origin }
    }

    /// Both clocks, for one input.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Now {
        Now { at: self.origin + self.anchor.elapsed(), utc: SystemTime::now() }
    }

    /// When the runtime's timer should fire for an instant of the timeline.
    pub fn wake(&self, at: Instant) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.anchor + at.since(self.origin))
    }
}

/// A clock of its own for a part of the program that plays against an engine.
pub fn shared() -> std::sync::Arc<dyn Fn() -> Now + Send + Sync> {
    let clock = Clock::start(Instant::ZERO);
    std::sync::Arc::new(move || clock.now())
}
