//! The floor's deadlines, earliest first: nothing is ever looked for because time has passed.

use crate::id::Serial;
use crate::time::Instant;
use std::collections::BTreeSet;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// An offer or invitation lapses.
    Offer(Serial),
    /// An agent's wrap-up is over.
    WrapUp(usize),
    /// An agent whose phone failed is tried again.
    Rest(usize),
    /// An item may go again to an agent who did not take it.
    Retry(Serial),
    /// Those invited to an item behind the fence have had the time to press the key.
    Unclaimed(Serial),
    /// More people are asked for an item, or it wakes.
    Stage(Serial),
    /// A queue's way out opens, or an item has waited long enough for it.
    Gate(usize, u32),
    /// A queue's longest wait reaches its alarm.
    Alarm(usize),
}

/// Every pending deadline, once.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Instant, Due)>);

impl Deadlines {
    /// Moves a deadline from where `slot` says it is to `to`; `None` is no deadline.
    pub(super) fn put(&mut self, due: Due, slot: &mut Option<Instant>, to: Option<Instant>) {
        if *slot == to {
            return;
        }
        if let Some(at) = slot.take() {
            self.0.remove(&(at, due));
        }
        if let Some(at) = to {
            self.0.insert((at, due));
        }
        *slot = to;
    }

    /// Takes one deadline that has come.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Instant, Due)> {
        let first = *self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.remove(&first);
        Some(first)
    }

    /// The earliest.
    pub(super) fn first(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }
}
