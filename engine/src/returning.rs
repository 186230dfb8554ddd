//! Who called a short while ago: a caller cut off while waiting keeps the time waited, one who was
//! answered and calls again is worse, one whose call we broke comes first. The dialplan says what
//! follows; this only remembers.

use crate::call::event::Past;
use crate::dialplan::{self, Repeat};
use crate::id::{AgentId, CallId};
use crate::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Numbers remembered for one centre. A busy centre takes some 200 calls an hour, so this is days;
/// more costs about 200 bytes each, fewer forgets callers on the worst night.
const NUMBERS_MAX: usize = 16_384;

/// How long the agent who talked with a number is asked first: a crew on its way reports within a
/// shift. Longer sends callers to people who have long since gone home; shorter to people who do not
/// know the file.
pub(crate) const OWNED: Duration = Duration::from_secs(4 * 3_600);

/// The latest call of each number.
#[derive(Debug, Default)]
pub(crate) struct Returning {
    /// Ordered: a hash table this full that is turned over all day doubles once more, for nothing.
    latest: BTreeMap<String, Earlier>,
    order: VecDeque<(Instant, String)>,
}

/// An earlier call of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// Which.
    pub(crate) call: CallId,
    /// When it was over.
    pub(crate) ended: Instant,
    /// How.
    pub(crate) past: Past,
    /// How long its caller waited.
    pub(crate) waited: Duration,
    /// The class it had, by the plan's name.
    pub(crate) class: String,
    /// A person had said so.
    pub(crate) qualified: bool,
    /// Who talked with the caller last, in this call or one before it.
    pub(crate) agent: Option<AgentId>,
}

impl Earlier {
    /// As the dialplan asks for it. One that was broken counts as abandoned: the caller had to wait
    /// all the same.
    pub(crate) fn for_plan(&self, now: Instant) -> Repeat {
        let outcome = match self.past {
            Past::Answered => dialplan::Earlier::Answered,
            Past::Abandoned | Past::Broken => dialplan::Earlier::Abandoned,
        };
        Repeat { outcome, ago: now.since(self.ended), waited: self.waited }
    }
}

impl Returning {
    /// The latest earlier call of this number; its agent only while the file is theirs.
    pub(crate) fn of(&self, now: Instant, number: &str) -> Option<Earlier> {
        let earlier = self.latest.get(number)?.clone();
        let agent = earlier.agent.filter(|_| now.since(earlier.ended) <= OWNED);
        Some(Earlier { agent, ..earlier })
    }

    /// Remembers a call that is over. Who talked with a number is kept over a call nobody answered.
    pub(crate) fn remember(&mut self, number: &str, mut earlier: Earlier) {
        let at = earlier.ended;
        earlier.agent = earlier.agent.or_else(|| self.of(at, number).and_then(|before| before.agent));
        self.latest.insert(number.to_owned(), earlier);
        // Room is made first: a full ring that grew by one would be twice as large for ever.
        while self.order.len() >= NUMBERS_MAX {
            let Some((ended, number)) = self.order.pop_front() else { break };
            if self.latest.get(&number).is_some_and(|past| past.ended == ended) {
                self.latest.remove(&number);
            }
        }
        self.order.push_back((at, number.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CentreId, Serial};

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn ended(seconds: u64, past: Past, agent: Option<u32>) -> Earlier {
        let centre = CentreId(0);
        Earlier {
            call: CallId { centre, serial: Serial(seconds) },
            ended: at(seconds),
            past,
            waited: Duration::from_secs(9),
            class: "unqualified".to_owned(),
            qualified: false,
            agent: agent.map(|index| AgentId { centre, index }),
        }
    }

    #[test]
    fn the_latest_call_of_a_number_counts_and_old_ones_are_forgotten_first() {
        let mut seen = Returning::default();
        seen.remember("0612345678", ended(1, Past::Abandoned, None));
        seen.remember("0612345678", ended(5, Past::Answered, None));
        let repeat = seen.of(at(8), "0612345678").expect("remembered").for_plan(at(8));
        assert_eq!((repeat.outcome, repeat.ago), (dialplan::Earlier::Answered, Duration::from_secs(3)));
        for other in 0..NUMBERS_MAX {
            seen.remember(&format!("{other}"), ended(10, Past::Answered, None));
        }
        assert_eq!(seen.of(at(11), "0612345678"), None);
        assert_eq!(seen.latest.len(), NUMBERS_MAX);
    }

    #[test]
    fn who_talked_with_a_number_stays_its_owner_over_a_call_nobody_answered_and_not_for_ever() {
        let mut seen = Returning::default();
        seen.remember("0612345678", ended(1, Past::Answered, Some(4)));
        seen.remember("0612345678", ended(60, Past::Abandoned, None));
        let agent = |now| seen.of(now, "0612345678").expect("remembered").agent.map(|agent| agent.index);
        assert_eq!(agent(at(61)), Some(4));
        assert_eq!(agent(at(61) + OWNED), None);
    }
}
