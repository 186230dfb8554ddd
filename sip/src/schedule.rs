//! What falls due when: every timer of this crate stands in one of these.

use crate::time::Instant;
use std::collections::BTreeMap;

/// Points in time and what is due then, earliest first. Cancelling removes: nothing stale is left
/// behind.
#[derive(Clone, Debug)]
pub struct Schedule<T> {
    due: BTreeMap<(Instant, u64), T>,
    last: u64,
}

/// A place in a [`Schedule`], for cancelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm(Instant, u64);

impl Alarm {
    /// When it fires.
    pub fn at(self) -> Instant {
        self.0
    }
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        Schedule { due: BTreeMap::new(), last: 0 }
    }
}

impl<T> Schedule<T> {
    /// `what` falls due at `at`; ties in the order of arming.
    pub fn arm(&mut self, at: Instant, what: T) -> Alarm {
        self.last += 1;
        self.due.insert((at, self.last), what);
        Alarm(at, self.last)
    }

    /// Takes an alarm back; one that has fired already is no matter.
    pub fn cancel(&mut self, alarm: Alarm) {
        self.due.remove(&(alarm.0, alarm.1));
    }

    /// Cancels what a slot holds and empties it.
    pub fn clear(&mut self, slot: &mut Option<Alarm>) {
        if let Some(alarm) = slot.take() {
            self.cancel(alarm);
        }
    }

    /// When the earliest falls due.
    pub fn next(&self) -> Option<Instant> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// The earliest that is due at `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        let entry = self.due.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// The earliest, due or not.
    pub fn pop_first(&mut self) -> Option<T> {
        self.due.pop_first().map(|(_, what)| what)
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_falls_due_first_comes_first_and_what_is_cancelled_never() {
        let mut schedule = Schedule::default();
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        schedule.arm(at(30), "late");
        let cancelled = schedule.arm(at(10), "cancelled");
        schedule.arm(at(20), "early");
        schedule.arm(at(20), "early too");
        schedule.cancel(cancelled);
        assert_eq!(schedule.next(), Some(at(20)));
        assert_eq!(schedule.pop_due(at(19)), None);
        assert_eq!(schedule.pop_due(at(40)), Some("early"));
        assert_eq!(schedule.pop_due(at(40)), Some("early too"));
        assert_eq!(schedule.pop_due(at(40)), Some("late"));
        assert!(schedule.is_empty());
    }
}
