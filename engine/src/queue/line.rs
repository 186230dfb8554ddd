//! One queue as it stands: what waits in it, and how many could serve it.

use super::figures::Figures;
use super::forecast::Handling;
use super::overflow::Gate;
use super::rules::QueueRule;
use crate::id::Serial;
use crate::time::Instant;
use std::collections::BTreeSet;

/// A queue.
#[derive(Debug)]
pub(super) struct Line {
    /// What the plan says of it.
    pub(super) rule: QueueRule,
    /// Live callers by arrival, whatever is happening to them.
    pub(super) arrivals: BTreeSet<(Instant, Serial)>,
    /// Everything in it.
    pub(super) items: u64,
    /// Those of them that an attempt elsewhere leaves to nobody here.
    pub(super) away: BTreeSet<Serial>,
    /// Its own agents who are free, and nothing is against their phone.
    pub(super) idle: BTreeSet<usize>,
    /// Its own agents who want calls and could be rung, whatever they do.
    pub(super) staff: usize,
    /// Agents it could ask, the last relaxation included, who want calls and could be rung.
    pub(super) reachable: usize,
    /// Agents it could ask, the last relaxation included, who are signed in.
    pub(super) present: usize,
    /// A person has opened its overflow.
    pub(super) opened: bool,
    /// Its ways out, by the rules' places.
    pub(super) gates: Vec<Gate>,
    /// How long its items lately took.
    pub(super) handling: Handling,
    /// What it has seen since the start.
    pub(super) counts: Figures,
    /// Where its alarm's deadline stands.
    pub(super) alarm_at: Option<Instant>,
}

impl Line {
    /// An empty queue.
    pub(super) fn new(rule: QueueRule) -> Line {
        let gates = rule.overflow.iter().map(|_| Gate::default()).collect();
        Line {
            rule,
            arrivals: BTreeSet::new(),
            items: 0,
            away: BTreeSet::new(),
            idle: BTreeSet::new(),
            staff: 0,
            reachable: 0,
            present: 0,
            opened: false,
            gates,
            handling: Handling::default(),
            counts: Figures::default(),
            alarm_at: None,
        }
    }

    /// The same rules under another plan: their causes have stood for as long.
    pub(super) fn take_over_gates(&mut self, before: Vec<Gate>) {
        for (gate, before) in self.gates.iter_mut().zip(&before) {
            gate.go_on(before);
        }
    }

    /// How many free agents an item before the fence must leave: never all who work, or a small
    /// shift would serve nobody.
    pub(super) fn kept(&self) -> usize {
        self.rule.reserve.min(self.staff.saturating_sub(1))
    }
}
