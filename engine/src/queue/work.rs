//! What waits, and its place in the order.

use super::deadline::Due;
use super::{Arrival, Fact, Floor, WorkKind};
use crate::call::event::{Event, OfferEnd, Trigger};
use crate::dialplan::{Class, ClassId};
use crate::id::{CallId, OfferId, Serial, WorkId};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// The one order, least first: fence, then arrival + target, then arrival, then who was given a
/// number first. Time lifts items among themselves and never across the fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// `false` sorts first: confirmed vital.
    pub(super) unfenced: bool,
    /// Arrival plus target; behind the fence the arrival itself.
    pub(super) due: Instant,
    /// When it came, earlier by what was waited in an earlier call.
    pub(super) arrived: Instant,
    /// The item's own number: names it, and decides the last ties.
    pub(super) serial: Serial,
}

impl Rank {
    /// The place of an item that came at `arrived` and brings `credit` from an earlier call: who
    /// really stayed that long came earlier still, or has the lower number.
    pub(super) fn new(class: Option<&Class>, arrived: Instant, credit: Duration, serial: Serial) -> Rank {
        let arrived = arrived - credit;
        Rank { unfenced: true, due: arrived, arrived, serial }.reclassed(class)
    }

    /// The same item in another class.
    pub(super) fn reclassed(self, class: Option<&Class>) -> Rank {
        let fenced = class.is_some_and(|class| class.fence);
        let target = class.filter(|_| !fenced).map_or(Duration::ZERO, |class| class.target);
        Rank { unfenced: !fenced, due: self.arrived + target, ..self }
    }
}

/// One work item.
#[derive(Debug)]
pub(super) struct Item {
    /// The call behind it.
    pub(super) call: CallId,
    /// What it is.
    pub(super) kind: WorkKind,
    /// How often somebody has tried to reach the person.
    pub(super) attempts: u32,
    /// Its queue's place.
    pub(super) queue: usize,
    /// Its class.
    pub(super) class: ClassId,
    /// Its place in the order.
    pub(super) rank: Rank,
    /// When its INVITE came.
    pub(super) arrived: Instant,
    /// The exclusive offer that holds it: while one does, nobody else is rung for it.
    pub(super) held: Option<OfferId>,
    /// Agents who did not take it, and until when they are left alone with it. Few: one entry per
    /// agent it rang at.
    tried: Vec<(usize, Instant)>,
    /// Where its retry deadline stands.
    pub(super) retry_at: Option<Instant>,
    /// Agents whose invitation names it.
    pub(super) invited: BTreeSet<usize>,
}

impl Item {
    /// An item that has just come.
    pub(super) fn new(
        call: CallId,
        kind: WorkKind,
        queue: usize,
        class: ClassId,
        rank: Rank,
        arrived: Instant,
    ) -> Item {
        let (held, tried, retry_at, invited) = (None, Vec::new(), None, BTreeSet::new());
        let attempts = 0;
        Item { call, kind, attempts, queue, class, rank, arrived, held, tried, retry_at, invited }
    }

    /// Remembers that this agent did not take it.
    pub(super) fn passed_by(&mut self, agent: usize, until: Instant) {
        self.tried.retain(|(who, _)| *who != agent);
        self.tried.push((agent, until));
    }

    /// Whether it rang at this agent before.
    pub(super) fn was_tried(&self, agent: usize) -> bool {
        self.tried.iter().any(|(who, _)| *who == agent)
    }

    /// Since when, or until when, this agent was left alone with it; `None`: never rung.
    pub(super) fn tried_at(&self, agent: usize) -> Option<Instant> {
        self.tried.iter().find(|(who, _)| *who == agent).map(|(_, until)| *until)
    }

    /// Whether this agent is still left alone with it.
    pub(super) fn is_barred(&self, agent: usize, now: Instant) -> bool {
        self.tried.iter().any(|(who, until)| *who == agent && *until > now)
    }

    /// When the next agent who did not take it may be asked again; `None`: no agent is barred.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.tried.iter().map(|(_, until)| *until).filter(|until| *until > now).min()
    }
}

impl Floor {
    /// A fact about work that [`Floor::allows`].
    pub(super) fn move_work(&mut self, now: Instant, fact: Fact) {
        self.after = Trigger::Change;
        match fact {
            Fact::Enter(arrival) => {
                let Arrival { work, call, kind, queue, class, arrived, credit, again, .. } = *arrival;
                self.after = Trigger::Work;
                // An id of an earlier plan waits in the first queue rather than nowhere.
                let queue = self.place_of(queue).unwrap_or(0);
                let rank = Rank::new(self.rules.class(class), arrived, credit, work.serial);
                self.lines[queue].counts.entered += 1;
                self.items.insert(work.serial, Item::new(call, kind, queue, class, rank, arrived));
                self.join(now, work.serial, queue);
                let named = self.rules.class(class).map_or_else(String::new, |class| class.name.clone());
                let (queue, fenced, due) = (self.queue_id(queue), !rank.unfenced, rank.due);
                self.log(Event::Queued { work, call, queue, class: named, fenced, arrived, due, again });
            }
            Fact::Gone { work } => {
                if let Some(offer) = self.items.get(&work.serial).and_then(|item| item.held) {
                    self.fail(now, offer, OfferEnd::CallerGone, true);
                }
                self.withdraw(now, work);
            }
            Fact::Leave { work, exit: _ } => {
                if let Some(offer) = self.items.get(&work.serial).and_then(|item| item.held) {
                    self.fail(now, offer, OfferEnd::AnsweredElsewhere, true);
                }
                self.withdraw(now, work);
            }
            Fact::Keep { work, kind } => {
                if let Some(offer) = self.items.get(&work.serial).and_then(|item| item.held) {
                    self.fail(now, offer, OfferEnd::CallerGone, true);
                }
                if let Some(item) = self.items.get_mut(&work.serial) {
                    item.kind = kind;
                }
            }
            Fact::Class { work, class } => self.reclass(work.serial, class),
            Fact::MoveTo { work, queue, by } => {
                let Some(to) = self.place_of(queue) else { return };
                if let Some(offer) = self.items.get(&work.serial).and_then(|item| item.held) {
                    self.fail(now, offer, OfferEnd::Rescinded, true);
                }
                self.uninvite_from(work.serial, &OfferEnd::Rescinded);
                self.part(now, work.serial);
                if let Some(item) = self.items.get(&work.serial) {
                    self.lines[item.queue].counts.moved_out += 1;
                    self.lines[to].counts.moved_in += 1;
                }
                self.join(now, work.serial, to);
                self.log(Event::Moved { work, queue, by });
            }
            _ => {}
        }
    }

    fn withdraw(&mut self, now: Instant, work: WorkId) {
        let Some(item) = self.leave(now, work.serial, &OfferEnd::CallerGone) else { return };
        let waited = now.since(item.arrived);
        self.log(Event::Withdrawn { work, call: item.call, waited });
    }

    /// A callback was accepted, and the person was not reached.
    pub(super) fn attempted(&mut self, now: Instant, id: OfferId, again: Duration) {
        let Some(offer) = self.offers.get(&id.serial) else { return };
        let (ix, work) = (offer.agent, offer.work.serial);
        self.fail(now, id, OfferEnd::Rescinded, false);
        let Some(item) = self.items.get_mut(&work) else { return };
        item.attempts += 1;
        item.passed_by(ix, now + again);
        self.deadlines.put(Due::Retry(work), &mut item.retry_at, Some(now + again));
    }

    /// Somebody said how urgent it is: the item changes its place and keeps its arrival.
    fn reclass(&mut self, serial: Serial, class: ClassId) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        let was = item.rank;
        item.class = class;
        item.rank = was.reclassed(self.rules.class(class));
        let line = &mut self.lines[item.queue];
        for set in [&mut line.waiting, &mut line.open] {
            if set.remove(&was) {
                set.insert(item.rank);
            }
        }
        self.dirty.insert(item.queue);
        let held = item.held.and_then(|offer| self.offers.get(&offer.serial)).map(|offer| offer.agent);
        if let Some(agent) = held {
            self.settle(agent);
        }
    }

    /// An item leaves for good: into a conversation, or with its caller.
    pub(super) fn leave(&mut self, now: Instant, serial: Serial, end: &OfferEnd) -> Option<Item> {
        self.uninvite_from(serial, end);
        self.part(now, serial);
        let mut item = self.items.remove(&serial)?;
        self.deadlines.put(Due::Retry(serial), &mut item.retry_at, None);
        let counts = &mut self.lines[item.queue].counts;
        match end {
            OfferEnd::CallerGone => counts.gone += 1,
            _ => counts.answered += 1,
        }
        Some(item)
    }

    /// Puts an item nobody is rung for into a queue.
    pub(super) fn join(&mut self, now: Instant, serial: Serial, place: usize) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        item.queue = place;
        let line = &mut self.lines[place];
        line.wait(item.rank);
        line.arrivals.insert((item.arrived, serial));
        self.dirty.insert(place);
        self.watch(now, place);
    }

    /// Takes an item out of its queue's sets.
    fn part(&mut self, now: Instant, serial: Serial) {
        let Some(item) = self.items.get(&serial) else { return };
        let place = item.queue;
        let line = &mut self.lines[place];
        line.waiting.remove(&item.rank);
        line.open.remove(&item.rank);
        line.arrivals.remove(&(item.arrived, serial));
        self.watch(now, place);
    }
}
