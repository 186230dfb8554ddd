//! A change of plan: queues and classes go on by their names, and nobody loses their place.

use super::Floor;
use super::arrival::Duty;
use super::audience::Audiences;
use super::deadline::Due;
use super::line::Line;
use super::pool::Pools;
use super::rules::Rules;
use crate::call::event::{Actor, Event, OfferEnd};
use crate::id::{Serial, WorkId};
use crate::time::Instant;

/// Places of an old plan's queues in the one that follows it.
type Places = [Option<usize>];

impl Floor {
    /// Another plan serves. Items keep their rank; those of a queue that is no more wait in the plan's
    /// first. Offers in flight go on.
    pub(super) fn follow(&mut self, now: Instant, rules: Rules) {
        for ix in 0..self.agents.len() {
            self.uninvite(ix, OfferEnd::Rescinded);
            self.unsummon(ix, OfferEnd::Rescinded);
        }
        let items: Vec<Serial> = self.items.keys().copied().collect();
        for serial in &items {
            self.unaddress(*serial);
            self.unenrol(*serial);
        }
        for (place, line) in self.lines.iter_mut().enumerate() {
            self.deadlines.put(Due::Alarm(place), &mut line.alarm_at, None);
            for (rule, gate) in (0..).zip(&mut line.gates) {
                self.deadlines.put(Due::Gate(place, rule), gate.deadline(), None);
            }
        }
        let old = std::mem::replace(&mut self.rules, rules);
        let fresh = self.rules.queues.iter().cloned().map(Line::new).collect();
        let before = std::mem::replace(&mut self.lines, fresh);
        let places = self.inherit(before, &old);
        (self.pools, self.audiences) = (Pools::default(), Audiences::default());
        self.dirty.clear();
        self.constrained.clear();
        self.held_back.clear();
        self.idle = 0;
        for (ix, agent) in self.agents.iter_mut().enumerate() {
            agent.pools.clear();
            agent.unseat();
            if agent.duty == Duty::BySkill {
                self.posted.remove(&ix);
            }
        }
        self.open_pools();
        for ix in 0..self.agents.len() {
            self.serve(ix);
            self.settle(ix);
        }
        for serial in items {
            self.carry_over(now, serial, &old, &places);
        }
        for place in 0..self.lines.len() {
            self.watch(now, place);
            self.counted.insert(place);
        }
    }

    /// What a queue has seen goes on under its name.
    fn inherit(&mut self, before: Vec<Line>, old: &Rules) -> Vec<Option<usize>> {
        let mut places = Vec::with_capacity(before.len());
        for (was, line) in before.into_iter().enumerate() {
            let place = self.rules.queues.iter().position(|rule| rule.name == line.rule.name);
            if let Some((place, heir)) = place.and_then(|place| Some((place, self.lines.get_mut(place)?))) {
                (heir.counts, heir.handling, heir.opened) = (line.counts, line.handling, line.opened);
                if self.rules.same_ways_out(place, old, was) {
                    heir.take_over_gates(line.gates);
                }
            }
            places.push(place);
        }
        for agent in &mut self.agents {
            agent.requeue(&places);
        }
        places
    }

    /// Puts one item where the new plan has its queue; `places` says so by the old plan's order.
    fn carry_over(&mut self, now: Instant, serial: Serial, old: &Rules, places: &Places) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        if let Some(class) = old.class(item.class).and_then(|class| self.rules.class_like(class)) {
            item.class = class;
        }
        let from = item.queue;
        let new = |place: usize| places.get(place).copied().flatten();
        // A rule that has fired stays so only where the queue's rules are the same.
        let same_rules = |was: usize| new(was).filter(|place| self.rules.same_ways_out(*place, old, was));
        item.fired =
            item.fired.iter().filter_map(|(place, rule)| Some((same_rules(*place)?, *rule))).collect();
        item.turned_back.clear();
        item.beyond = item.beyond.iter().filter_map(|place| new(*place)).collect();
        let same = new(from);
        let to = same.unwrap_or(0);
        self.join(now, serial, to);
        let moved = from != to || same.is_none();
        if same.is_none() {
            self.lines[to].counts.moved_in += 1;
        }
        if moved {
            let (work, queue) = (WorkId { centre: self.centre, serial }, self.queue_id(to));
            self.log(Event::Moved { work, queue, by: Actor::Plan });
        }
    }
}
