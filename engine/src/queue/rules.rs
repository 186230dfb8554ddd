//! What of a plan the floor needs: how urgent a class is, who serves a queue, how it is offered.

use super::pool::Order;
use crate::dialplan::{
    Class, ClassId, Destination, Dialplan, OfferPlan, OverflowRule, Relax, SkillNeed, Strategy, VitalPlan,
    Widen,
};
use std::time::Duration;

/// A plan's classes and queues, in the plan's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// By [`ClassId`].
    pub(super) classes: Vec<Class>,
    /// By the index of a [`crate::id::QueueId`].
    pub(super) queues: Vec<QueueRule>,
    /// Some queue keeps a reserve.
    pub(super) reserves: bool,
}

/// How one queue is served.
#[derive(Clone, Debug)]
pub(super) struct QueueRule {
    /// Its name: what a queue keeps from one plan to the next.
    pub(super) name: String,
    /// Any one of them is enough.
    pub(super) skills: Vec<SkillNeed>,
    /// Who is asked as well, later.
    pub(super) relax: Vec<Relax>,
    /// How agents are asked.
    pub(super) asks: Asks,
    /// In which order.
    pub(super) order: Order,
    /// How long a phone rings.
    pub(super) ring: Duration,
    /// What a confirmed-vital item does beside going first.
    pub(super) vital: VitalPlan,
    /// Free agents kept for the fence and for partners' lines.
    pub(super) reserve: usize,
    /// Where its items may go as well.
    pub(super) overflow: Vec<OverflowRule>,
    /// A longest wait beyond this is alarming.
    pub(super) alarm: Option<Duration>,
}

/// How a queue asks its agents.
#[derive(Clone, Debug)]
pub(super) enum Asks {
    /// So many are rung at once.
    Ring(u32),
    /// Pages are invited together; phones ring one by one all the same.
    Invite(Vec<Widen>),
    /// They choose from the list, but for these classes.
    List(Vec<ClassId>),
}

impl QueueRule {
    /// Agents at a page are invited, and not rung as a phone is.
    pub(super) fn pages_apart(&self) -> bool {
        matches!(self.asks, Asks::Invite(_))
    }

    /// How many pages are invited for an item that could first be offered so long ago.
    pub(super) fn invites_after(&self, offered: Duration) -> usize {
        let Asks::Invite(widen) = &self.asks else { return usize::MAX };
        let stage = widen.iter().rfind(|stage| stage.at <= offered);
        let limit = stage.and_then(|stage| stage.agents).map(|agents| usize::try_from(agents).ok());
        match (stage, limit) {
            (Some(_), Some(limit)) => limit.unwrap_or(usize::MAX),
            // All; and a plan whose first stage lies ahead leaves nobody waiting for it.
            _ => usize::MAX,
        }
    }
}

impl From<&Dialplan> for Rules {
    fn from(plan: &Dialplan) -> Rules {
        let queues: Vec<QueueRule> = plan
            .queues
            .iter()
            .map(|queue| {
                let (asks, order) = match &queue.offer {
                    OfferPlan::Exclusive { strategy: Strategy::LongestIdle, .. } => {
                        (Asks::Ring(1), Order::Idle)
                    }
                    OfferPlan::Exclusive { strategy: Strategy::LeastOccupied, .. } => {
                        (Asks::Ring(1), Order::Occupied)
                    }
                    OfferPlan::Exclusive { strategy: Strategy::Linear, .. } => (Asks::Ring(1), Order::Roster),
                    OfferPlan::Exclusive { strategy: Strategy::RingSome(some), .. } => {
                        (Asks::Ring((*some).max(1)), Order::Idle)
                    }
                    OfferPlan::Shared { widen, .. } => (Asks::Invite(widen.clone()), Order::Idle),
                    OfferPlan::Pick { push, .. } => (Asks::List(push.clone()), Order::Idle),
                };
                QueueRule {
                    name: queue.name.clone(),
                    skills: queue.skills.clone(),
                    relax: queue.relax.clone(),
                    asks,
                    order,
                    ring: queue.offer.ring(),
                    vital: queue.vital,
                    reserve: usize::try_from(queue.reserve).unwrap_or(usize::MAX),
                    overflow: queue.overflow.clone(),
                    alarm: queue.alarm,
                }
            })
            .collect();
        let reserves = queues.iter().any(|queue| queue.reserve > 0);
        Rules { classes: plan.classes.clone(), queues, reserves }
    }
}

impl Rules {
    /// A class of this plan. Another plan's id reads as the first class: the caller waits all the same.
    pub(super) fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(id.0)).or(self.classes.first())
    }

    /// Whether a class stands behind the fence.
    pub(super) fn is_fenced(&self, id: ClassId) -> bool {
        self.class(id).is_some_and(|class| class.fence)
    }

    /// The same class in this plan: by its name, or else the first on the same side of the fence.
    pub(super) fn class_like(&self, old: &Class) -> Option<ClassId> {
        let like = self.classes.iter().position(|class| class.name == old.name);
        let place = like.or_else(|| self.classes.iter().position(|class| class.fence == old.fence))?;
        u16::try_from(place).ok().map(ClassId)
    }

    /// Whether the ways out of a queue of this plan are those of a queue of an earlier one: the same rules
    /// in the same order, other queues known by their names.
    pub(super) fn same_ways_out(&self, place: usize, old: &Rules, was: usize) -> bool {
        let (Some(queue), Some(before)) = (self.queues.get(place), old.queues.get(was)) else { return false };
        let name = |rules: &Rules, at: u32| rules.queues.get(at as usize).map(|queue| queue.name.clone());
        let same = |(is, was): (&OverflowRule, &OverflowRule)| {
            let to = match (&is.to, &was.to) {
                (Destination::Queue(there), Destination::Queue(then)) => {
                    name(self, *there) == name(old, *then)
                }
                (there, then) => there == then,
            };
            to && *is == OverflowRule { to: is.to.clone(), ..was.clone() }
        };
        queue.overflow.len() == before.overflow.len() && queue.overflow.iter().zip(&before.overflow).all(same)
    }

    /// Whether some queue names this skill, at whatever level.
    pub(super) fn name(&self, skill: &str) -> bool {
        let needs = |queue: &QueueRule| {
            let relaxed = queue.relax.iter().flat_map(|relax| &relax.add);
            queue.skills.iter().chain(relaxed).any(|need| need.is_of(skill))
        };
        self.queues.iter().any(needs)
    }
}
