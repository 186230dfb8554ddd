//! When a process that was told to stop leaves: with its last call, or when its time to drain is over.

use engine::time::Instant;
use std::time::Duration;

/// How long the last call's peer may repeat its BYE: three times (RFC 3261 §17.1.2.2, after 0.5, 1 and 2 s),
/// should our answer be lost. Longer holds every restart up, shorter leaves the carrier with a call that
/// nobody ends.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// Whether it drains, and since when no call is left.
#[derive(Default)]
pub(super) struct Leaving {
    by: Option<Instant>,
    quiet: Option<Instant>,
}

impl Leaving {
    /// Told to stop: at this instant at the latest. False when it was told before.
    pub(super) fn by(&mut self, at: Instant) -> bool {
        let first = self.by.is_none();
        self.by.get_or_insert(at);
        first
    }

    pub(super) fn is_draining(&self) -> bool {
        self.by.is_some()
    }

    /// How many calls live after a step.
    pub(super) fn counts(&mut self, calls: usize, now: Instant) {
        self.quiet = (calls == 0).then(|| self.quiet.unwrap_or(now));
    }

    /// When it leaves, as things stand.
    pub(super) fn at(&self) -> Option<Instant> {
        let by = self.by?;
        Some(self.quiet.map_or(by, |since| by.min(since + LAST_WORDS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(n)
    }

    #[test]
    fn a_process_stays_for_the_last_words_of_its_last_call_and_never_beyond_its_time() {
        let mut leaving = Leaving::default();
        leaving.counts(0, second(1));
        leaving.counts(0, second(9));
        assert_eq!(leaving.at(), None, "nobody has told it to");
        assert!(leaving.by(second(60)) && leaving.is_draining());
        assert_eq!(leaving.at(), Some(second(5)), "long quiet: at once");
        leaving.counts(1, second(10));
        assert_eq!(leaving.at(), Some(second(60)));
        leaving.counts(0, second(30));
        leaving.counts(0, second(31));
        assert_eq!(leaving.at(), Some(second(34)));
        leaving.counts(2, second(32));
        leaving.counts(0, second(58));
        assert_eq!(leaving.at(), Some(second(60)));
        assert!(!leaving.by(second(90)), "told again: at once, by whoever asks");
        assert_eq!(leaving.at(), Some(second(60)));
    }
}
