//! Who called a short while ago: a caller cut off while waiting keeps the time waited, and one who
//! was answered and calls again is worse. The dialplan says what follows; this only remembers.

use crate::dialplan::{Earlier, Repeat};
use crate::time::Instant;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Numbers remembered for one centre. A busy centre takes some 200 calls an hour, so this is days;
/// more costs about 100 bytes each, fewer forgets callers on the worst night.
const NUMBERS_MAX: usize = 16_384;

/// The latest call of each number.
#[derive(Debug, Default)]
pub(crate) struct Returning {
    latest: HashMap<String, Past>,
    order: VecDeque<(Instant, String)>,
}

#[derive(Clone, Copy, Debug)]
struct Past {
    ended: Instant,
    outcome: Earlier,
    waited: Duration,
}

impl Returning {
    /// The latest earlier call of this number.
    pub(crate) fn of(&self, now: Instant, number: &str) -> Option<Repeat> {
        let past = self.latest.get(number)?;
        Some(Repeat { outcome: past.outcome, ago: now.since(past.ended), waited: past.waited })
    }

    /// Remembers a call that is over.
    pub(crate) fn remember(&mut self, now: Instant, number: &str, outcome: Earlier, waited: Duration) {
        self.latest.insert(number.to_owned(), Past { ended: now, outcome, waited });
        self.order.push_back((now, number.to_owned()));
        while self.order.len() > NUMBERS_MAX {
            let Some((ended, number)) = self.order.pop_front() else { break };
            if self.latest.get(&number).is_some_and(|past| past.ended == ended) {
                self.latest.remove(&number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_call_of_a_number_counts_and_old_ones_are_forgotten_first() {
        let mut seen = Returning::default();
        let at = |seconds: u64| Instant::from_nanos(seconds * 1_000_000_000);
        seen.remember(at(1), "0612345678", Earlier::Abandoned, Duration::from_secs(9));
        seen.remember(at(5), "0612345678", Earlier::Answered, Duration::from_secs(2));
        let repeat = seen.of(at(8), "0612345678").expect("remembered");
        assert_eq!((repeat.outcome, repeat.ago), (Earlier::Answered, Duration::from_secs(3)));
        for other in 0..NUMBERS_MAX {
            seen.remember(at(10), &format!("{other}"), Earlier::Answered, Duration::ZERO);
        }
        assert_eq!(seen.of(at(11), "0612345678"), None);
        assert_eq!(seen.latest.len(), NUMBERS_MAX);
    }
}
