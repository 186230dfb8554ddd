//! Ways out of a queue that cannot serve: each rule of the plan is a gate, and an item goes through it
//! once.
//!
//! An item stays in its queue, at its rank. To another queue it is offered as well, at once; to
//! another centre or a trunk the engine is asked ([`Step::Overflow`]), and whoever answers first has
//! it. A rule that is not additive moves the item, or leaves its agents in peace while the attempt
//! lasts; behind the fence every rule is additive, and so is every rule of a queue it is offered in
//! beside its own. One that moves because too many wait takes whom the queue has too many, the least
//! urgent first: those before them would lose their place for nothing.
//!
//! A chain ends because each rule fires once per item, and at another centre because who came from
//! one goes no further than its queues. Only a caller on the line leaves the centre: of a callback
//! nobody elsewhere knows whom to call. Who is wanted in a conversation is wanted from this queue,
//! and goes nowhere.

use super::arrival::WorkKind;
use super::deadline::Due;
use super::step::Overflowing;
use super::work::Rank;
use super::{Floor, Step};
use crate::call::event::{Actor, OfferEnd};
use crate::dialplan::{Destination, OverflowCause};
use crate::id::{QueueId, Serial, WorkId};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// One rule of one queue, as it stands.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Since when one of its causes has stood, waiting apart.
    since: Option<Instant>,
    /// No cause stands but the queue's length.
    only_length: bool,
    /// Items that go through when a cause has stood for long enough, and from when on.
    by_cause: BTreeSet<(Instant, Serial)>,
    /// Those among the queue's own that would be moved, where length is a cause: by their place in the
    /// order, and from when on.
    by_rank: BTreeSet<(Rank, Instant)>,
    /// Items that go through because they have waited, and when.
    by_wait: BTreeSet<(Instant, Serial)>,
    /// Where its deadline stands.
    due: Option<Instant>,
}

/// A rule of a queue: the queue's place, and the rule's.
pub(super) type RuleId = (usize, u32);

/// An item that may go through a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enrolment {
    rule: RuleId,
    ready: Instant,
    waited: Option<Instant>,
    /// Its place among those that would be moved.
    rank: Option<Rank>,
}

impl Gate {
    /// Who goes through next, and when; `excess` have to leave the queue for its length.
    fn next(&self, now: Instant, after: Duration, excess: u64) -> Option<(Instant, Serial)> {
        let opens = self.since.map(|since| since + after);
        let at = |(ready, who): &(Instant, Serial)| Some((opens?.max(*ready), *who));
        let caused = self.by_cause.first().and_then(at);
        let moved = opens.and_then(|opens| {
            let ready = |(rank, ready): &(Rank, Instant)| (opens.max(*ready), rank.serial);
            if !self.only_length {
                return soonest(now, self.by_rank.iter().map(ready));
            }
            // Whoever has come back from an attempt and rests is one of them: nobody goes instead.
            let excess = usize::try_from(excess).unwrap_or(usize::MAX);
            soonest(now, self.by_rank.iter().rev().take(excess).map(ready))
        });
        caused.into_iter().chain(moved).chain(self.by_wait.first().copied()).min()
    }

    /// Where its deadline stands.
    pub(super) fn deadline(&mut self) -> &mut Option<Instant> {
        &mut self.due
    }

    /// Takes over since when the causes of the same rule have stood.
    pub(super) fn go_on(&mut self, before: &Gate) {
        self.since = before.since;
    }

    fn remove(&mut self, serial: Serial, enrolment: &Enrolment) {
        match enrolment.rank {
            Some(rank) => self.by_rank.remove(&(rank, enrolment.ready)),
            None => self.by_cause.remove(&(enrolment.ready, serial)),
        };
        if let Some(waited) = enrolment.waited {
            self.by_wait.remove(&(waited, serial));
        }
    }
}

/// The first that may go at this instant, or whoever may go next. All but those whose attempt came to
/// nothing may: few are looked at.
fn soonest(now: Instant, all: impl Iterator<Item = (Instant, Serial)> + Clone) -> Option<(Instant, Serial)> {
    all.clone().find(|(at, _)| *at <= now).or_else(|| all.min())
}

impl Floor {
    /// Before an overflow that came to nothing is tried once more. Longer leaves a caller with a
    /// queue that cannot serve; shorter knocks on at a door that is shut.
    pub const OVERFLOW_AGAIN: Duration = Duration::from_secs(30);

    /// How long an attempt elsewhere may leave an item to nobody here, when nothing is heard of it.
    pub const OVERFLOW_WITHIN: Duration = Duration::from_secs(60);

    /// A person opens a queue's overflow or closes it.
    pub(super) fn open_overflow(&mut self, place: usize, opened: bool) {
        self.lines[place].opened = opened;
        self.counted.insert(place);
    }

    /// Whether nobody sound is rung for an item, and nobody has taken it.
    pub(super) fn may_overflow(&self, serial: Serial) -> bool {
        self.items
            .get(&serial)
            .is_some_and(|item| item.audience.is_some() && (item.stand.waiting || item.stand.weak))
    }

    /// An item may go through the gates of its queue, and of those it is offered in beside: while
    /// nobody sound is rung for it.
    pub(super) fn enrol(&mut self, serial: Serial) {
        let Some(item) = self.items.get(&serial).filter(|item| item.kind != WorkKind::Join) else { return };
        let queues: Vec<usize> = std::iter::once(item.queue).chain(item.beyond.iter().copied()).collect();
        for queue in queues {
            let Some(line) = self.lines.get_mut(queue) else { continue };
            for (place, (terms, gate)) in (0..).zip(line.rule.overflow.iter().zip(&mut line.gates)) {
                let Some(item) = self.items.get_mut(&serial) else { return };
                let rule = (queue, place);
                let far = !matches!(terms.to, Destination::Queue(_));
                let stays = far && (item.visiting || item.kind != WorkKind::Live);
                let enrolled = item.enrolled.iter().any(|enrolment| enrolment.rule == rule);
                if stays || enrolled || item.fired.contains(&rule) {
                    continue;
                }
                let back = item.turned_back.iter().find(|(turned, _)| *turned == rule);
                let ready = back.map_or(item.arrived, |(_, until)| *until);
                let waits = terms.when.contains(&OverflowCause::Waited);
                let waited = waits.then(|| ready.max(item.arrived + terms.after));
                let moves = !terms.additive && item.rank.unfenced && item.queue == queue;
                let rank = (moves && terms.most().is_some()).then_some(item.rank);
                match rank {
                    Some(rank) => gate.by_rank.insert((rank, ready)),
                    None => gate.by_cause.insert((ready, serial)),
                };
                if let Some(waited) = waited {
                    gate.by_wait.insert((waited, serial));
                }
                item.enrolled.push(Enrolment { rule, ready, waited, rank });
                self.counted.insert(queue);
            }
        }
    }

    /// An item goes through no gate for the moment: it is rung, taken, asleep or gone.
    pub(super) fn unenrol(&mut self, serial: Serial) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        for enrolment in std::mem::take(&mut item.enrolled) {
            let (queue, place) = enrolment.rule;
            let gate = self.lines.get_mut(queue).and_then(|line| line.gates.get_mut(place as usize));
            if let Some(gate) = gate {
                gate.remove(serial, &enrolment);
                self.counted.insert(queue);
            }
        }
    }

    /// Queues whose counts changed: their causes begin or end, and what may go goes.
    pub(super) fn open_gates(&mut self, now: Instant) {
        while let Some(place) = self.counted.pop_first() {
            let rules = self.lines.get(place).map_or(0, |line| line.gates.len());
            for rule in 0..rules {
                let causes = &self.lines[place].rule.overflow[rule].when;
                let length = |cause: &&OverflowCause| matches!(cause, OverflowCause::Length(_));
                let other = causes.iter().filter(|it| !length(it)).any(|it| self.cause_stands(place, it));
                let stands = other || causes.iter().filter(length).any(|it| self.cause_stands(place, it));
                let gate = &mut self.lines[place].gates[rule];
                gate.since = if stands { gate.since.or(Some(now)) } else { None };
                gate.only_length = !other;
                self.pass_gate(now, place, rule);
            }
        }
    }

    /// Whether a cause stands, waiting apart.
    fn cause_stands(&self, place: usize, cause: &OverflowCause) -> bool {
        let line = &self.lines[place];
        match cause {
            OverflowCause::Opened => line.opened,
            OverflowCause::NobodySignedIn => line.present == 0,
            // Nobody signed in is nobody reachable: a plan that names this one alone loses nobody.
            OverflowCause::NobodyReachable => line.reachable == 0,
            OverflowCause::Waited => false,
            OverflowCause::Length(length) => line.items >= u64::from(*length),
            OverflowCause::ExpectedWait(wait) => {
                self.expected_at(place).is_none_or(|expected| expected.median >= *wait)
            }
        }
    }

    /// A gate's deadline came.
    pub(super) fn gate_due(&mut self, now: Instant, place: usize, rule: usize) {
        if let Some(gate) = self.lines.get_mut(place).and_then(|line| line.gates.get_mut(rule)) {
            gate.due = None;
            self.pass_gate(now, place, rule);
        }
    }

    /// Lets through whom a gate lets through at this instant, and sets its deadline.
    fn pass_gate(&mut self, now: Instant, place: usize, rule: usize) {
        loop {
            let line = &mut self.lines[place];
            let terms = &line.rule.overflow[rule];
            // Whoever is being offered outside, and to nobody here, has made room already.
            let here = line.items.saturating_sub(line.away.len() as u64);
            let excess = terms.most().map_or(0, |most| here.saturating_sub(most));
            let gate = &mut line.gates[rule];
            let next = gate.next(now, terms.after, excess);
            let later = next.map(|(at, _)| at).filter(|at| *at > now);
            self.deadlines.put(Due::Gate(place, rule as u32), &mut gate.due, later);
            let Some((_, serial)) = next.filter(|(at, _)| *at <= now) else { return };
            self.overflow(now, serial, place, rule);
        }
    }

    /// An item goes through a gate.
    fn overflow(&mut self, now: Instant, serial: Serial, place: usize, rule: usize) {
        let terms = &self.lines[place].rule.overflow[rule];
        let (to, additive) = (terms.to.clone(), terms.additive);
        let Some(item) = self.items.get_mut(&serial) else { return };
        let mark = (place, rule as u32);
        let call = item.call;
        item.fired.push(mark);
        if let Some(at) = item.enrolled.iter().position(|enrolment| enrolment.rule == mark) {
            let enrolment = item.enrolled.swap_remove(at);
            self.lines[place].gates[rule].remove(serial, &enrolment);
        }
        // Whoever is offered here beside their own queue keeps the place there.
        let additive = additive || !item.rank.unfenced || item.queue != place;
        let (work, queue) = (WorkId { centre: self.centre, serial }, self.queue_id(place));
        let overflowing = Overflowing { work, call, queue, rule: mark.1, to: to.clone(), additive };
        self.steps.push_back(Step::Overflow(overflowing));
        match to {
            Destination::Queue(index) => {
                // A rule and its queues are of one checked plan.
                let there = index as usize;
                if additive {
                    self.offer_beyond(now, serial, there);
                } else {
                    self.move_to(now, serial, there, Actor::Plan);
                }
            }
            Destination::Centre(_) | Destination::Trunk { .. } if additive => {}
            Destination::Centre(_) | Destination::Trunk { .. } => {
                self.release(now, serial, &OfferEnd::Rescinded);
                if let Some(item) = self.items.get_mut(&serial) {
                    item.sleeps_until = Some(now + Floor::OVERFLOW_WITHIN);
                }
                self.address(now, serial);
            }
        }
    }

    /// An item is offered in another queue as well.
    fn offer_beyond(&mut self, now: Instant, serial: Serial, there: usize) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        if !item.beyond.contains(&there) {
            item.beyond.push(there);
            self.address(now, serial);
        }
    }

    /// An attempt elsewhere came to nothing: the item is asked for here, and there again later.
    pub(super) fn returned(&mut self, now: Instant, serial: Serial, queue: QueueId, rule: u32) {
        let place = self.place_of(queue);
        let Some(item) = self.items.get_mut(&serial) else { return };
        let fired = |mark: &RuleId| Some(mark.0) == place && mark.1 == rule;
        if let Some(at) = item.fired.iter().position(fired) {
            let mark = item.fired.swap_remove(at);
            item.turned_back.retain(|(turned, _)| *turned != mark);
            item.turned_back.push((mark, now + Floor::OVERFLOW_AGAIN));
        }
        // Whatever plan serves by then, nobody elsewhere is asked any more.
        if item.kind == WorkKind::Live && item.sleeps_until.take().is_some() {
            self.address(now, serial);
        }
        self.restand(serial);
    }
}
