//! One queue as it stands: its items in order, and the agents who could take one, in order.
//!
//! Sets are kept sorted as facts come in, so that a decision looks at their first elements only.

use super::agent::{Health, Seat};
use super::figures::Figures;
use super::rules::QueueRule;
use super::work::Rank;
use crate::id::Serial;
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A queue.
#[derive(Debug)]
pub(super) struct Line {
    /// What the plan says of it.
    pub(super) rule: QueueRule,
    /// Items nobody is rung for.
    pub(super) waiting: BTreeSet<Rank>,
    /// Items a claim may take: waiting, or ringing at a desk phone. Empty in an exclusive queue.
    pub(super) open: BTreeSet<Rank>,
    /// Everything in it by arrival, whatever is happening to it.
    pub(super) arrivals: BTreeSet<(Instant, Serial)>,
    /// Free agents, idle longest first.
    pub(super) free: BTreeSet<(Instant, usize)>,
    /// Free agents whose phone failed last time.
    pub(super) doubtful: BTreeSet<(Instant, usize)>,
    /// Free agents who let a phone ring out and have shown no life since.
    pub(super) rona: BTreeSet<(Instant, usize)>,
    /// Agents ringing for an item before the fence, which may be taken back: sound ones first, and
    /// among them the least urgent item first.
    pub(super) ringing: BTreeSet<(bool, Reverse<Rank>, usize)>,
    /// Free agents at a page, those without an invitation first.
    pub(super) pages: BTreeSet<(bool, usize)>,
    /// Agents who want calls and could be rung, whatever they do: its last agents when zero.
    pub(super) staff: usize,
    /// What it has seen since the start.
    pub(super) counts: Figures,
    /// Where its alarm's deadline stands.
    pub(super) alarm_at: Option<Instant>,
}

impl Line {
    /// An empty queue.
    pub(super) fn new(rule: QueueRule) -> Line {
        Line {
            rule,
            waiting: BTreeSet::new(),
            open: BTreeSet::new(),
            arrivals: BTreeSet::new(),
            free: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            rona: BTreeSet::new(),
            ringing: BTreeSet::new(),
            pages: BTreeSet::new(),
            staff: 0,
            counts: Figures::default(),
            alarm_at: None,
        }
    }

    /// An agent who serves this queue changes seats.
    pub(super) fn reseat(&mut self, agent: usize, from: Seat, to: Seat) {
        self.seat(agent, from, false);
        self.seat(agent, to, true);
    }

    fn seat(&mut self, agent: usize, seat: Seat, sits: bool) {
        match seat {
            Seat::Away => {}
            Seat::Free { page: true, invited, .. } if self.rule.shared => {
                put(&mut self.pages, (invited, agent), sits);
            }
            Seat::Free { health, since, .. } => {
                let set = match health {
                    Health::Sound => &mut self.free,
                    Health::Doubtful => &mut self.doubtful,
                    Health::Rona => &mut self.rona,
                };
                put(set, (since, agent), sits);
            }
            Seat::Ringing { page: true, .. } if self.rule.shared => {}
            Seat::Ringing { health, rank, .. } => {
                put(&mut self.ringing, (health != Health::Sound, Reverse(rank), agent), sits);
            }
        }
    }

    /// An item may be taken: by the match, and in a shared queue by a claim.
    pub(super) fn wait(&mut self, rank: Rank) {
        self.waiting.insert(rank);
        if self.rule.shared {
            self.open.insert(rank);
        }
    }

    /// Whether anybody could be rung for one of its items at all.
    pub(super) fn has_nobody(&self) -> bool {
        self.free.is_empty() && self.doubtful.is_empty() && self.rona.is_empty() && self.ringing.is_empty()
    }
}

fn put<T: Ord>(set: &mut BTreeSet<T>, element: T, sits: bool) {
    if sits {
        set.insert(element);
    } else {
        set.remove(&element);
    }
}
