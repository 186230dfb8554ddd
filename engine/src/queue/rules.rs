//! What of a plan the floor needs: how urgent a class is, who serves a queue, how it is offered.

use super::agent::Seat;
use super::deadline::Due;
use super::line::Line;
use super::{Floor, Phase};
use crate::call::event::{Actor, Event, OfferEnd};
use crate::dialplan::{Class, ClassId, Dialplan, OfferPlan, SkillNeed};
use crate::id::{Serial, WorkId};
use crate::time::Instant;
use std::time::Duration;

/// A plan's classes and queues, in the plan's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// By [`ClassId`].
    pub(super) classes: Vec<Class>,
    /// By the index of a [`crate::id::QueueId`].
    pub(super) queues: Vec<QueueRule>,
}

/// How one queue is served.
#[derive(Clone, Debug)]
pub(super) struct QueueRule {
    /// Its name: what a queue keeps from one plan to the next.
    pub(super) name: String,
    /// Any one of them is enough.
    pub(super) skills: Vec<SkillNeed>,
    /// Agents at a page are invited together; phones ring one by one all the same.
    pub(super) shared: bool,
    /// How long a phone rings.
    pub(super) ring: Duration,
    /// A longest wait beyond this is alarming.
    pub(super) alarm: Option<Duration>,
}

impl From<&Dialplan> for Rules {
    fn from(plan: &Dialplan) -> Rules {
        let queues = plan
            .queues
            .iter()
            .map(|queue| QueueRule {
                name: queue.name.clone(),
                skills: queue.skills.clone(),
                shared: matches!(queue.offer, OfferPlan::Shared { .. }),
                ring: queue.offer.ring(),
                alarm: queue.alarm,
            })
            .collect();
        Rules { classes: plan.classes.clone(), queues }
    }
}

impl Rules {
    /// A class of this plan. Another plan's id reads as the first class: the caller waits all the same.
    pub(super) fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(id.0)).or(self.classes.first())
    }

    /// The same class in this plan: by its name, or else the first on the same side of the fence.
    pub(super) fn class_like(&self, old: &Class) -> Option<ClassId> {
        let like = self.classes.iter().position(|class| class.name == old.name);
        let place = like.or_else(|| self.classes.iter().position(|class| class.fence == old.fence))?;
        u16::try_from(place).ok().map(ClassId)
    }

    /// The queues an agent with these skills serves.
    pub(super) fn served_by(&self, skills: &[String]) -> Vec<usize> {
        let serves = |queue: &QueueRule| queue.skills.iter().any(|need| need.met_by(skills));
        self.queues.iter().enumerate().filter(|(_, queue)| serves(queue)).map(|(place, _)| place).collect()
    }
}

impl Floor {
    /// Another plan serves. Queues and classes go on by their names and items keep their rank;
    /// those of a queue that is no more wait in the plan's first. Offers in flight go on.
    pub(super) fn follow(&mut self, now: Instant, rules: Rules) {
        for ix in 0..self.agents.len() {
            self.uninvite(ix, OfferEnd::Rescinded);
        }
        for (place, line) in self.lines.iter_mut().enumerate() {
            self.deadlines.put(Due::Alarm(place), &mut line.alarm_at, None);
        }
        let old = std::mem::replace(&mut self.rules, rules);
        let fresh = self.rules.queues.iter().cloned().map(Line::new).collect();
        let before = std::mem::replace(&mut self.lines, fresh);
        let mut places = Vec::with_capacity(before.len());
        for line in &before {
            let place = self.rules.queues.iter().position(|rule| rule.name == line.rule.name);
            if let Some(place) = place {
                self.lines[place].counts = line.counts;
            }
            places.push(place);
        }
        let items: Vec<Serial> = self.items.keys().copied().collect();
        for serial in items {
            self.carry_over(now, serial, &old, &places);
        }
        for place in 0..self.lines.len() {
            self.watch(now, place);
            self.dirty.insert(place);
        }
        for ix in 0..self.agents.len() {
            let agent = &mut self.agents[ix];
            agent.queues = self.rules.served_by(&agent.skills);
            (agent.seat, agent.staffing) = (Seat::Away, false);
            self.settle(ix);
        }
    }

    /// Puts one item where the new plan has its queue; `places` says so by the old plan's order.
    fn carry_over(&mut self, now: Instant, serial: Serial, old: &Rules, places: &[Option<usize>]) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        if let Some(class) = old.class(item.class).and_then(|class| self.rules.class_like(class)) {
            item.class = class;
        }
        let (from, rank) = (item.queue, item.rank);
        let offer = item.held.and_then(|offer| self.offers.get(&offer.serial));
        let held = offer.map(|offer| offer.claimed || offer.phase == Phase::Taken);
        let same = places.get(from).copied().flatten();
        let to = same.unwrap_or(0);
        self.join(now, serial, to);
        let line = &mut self.lines[to];
        if let Some(bound) = held {
            line.waiting.remove(&rank);
            if bound {
                line.open.remove(&rank);
            }
        }
        if same.is_none() {
            line.counts.moved_in += 1;
        }
        if from != to || same.is_none() {
            let (work, queue) = (WorkId { centre: self.centre, serial }, self.queue_id(to));
            self.log(Event::Moved { work, queue, by: Actor::Plan });
        }
    }
}
