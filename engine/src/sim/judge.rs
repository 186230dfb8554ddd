//! The order by brute force: who waits, as a list, compared with every distribution and claim.
//!
//! It shares no line with the floor: it reads the plan, hears what the floor is told and what it
//! decides, and looks at everybody who waits each time.

use crate::call::event::{AgentReason, Event, OfferEnd};
use crate::dialplan::{ClassId, Dialplan, OfferPlan, SkillNeed};
use crate::id::{AgentId, OfferId, Serial, WorkId};
use crate::queue::{Arrival, Decision, Floor};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Fence, arrival + target, arrival, number: less is earlier.
type Key = (bool, Instant, Instant, Serial);

/// One who waits.
#[derive(Debug)]
struct Waits {
    queue: u32,
    came: Instant,
    key: Key,
    /// What rings for it, or is being connected.
    held: BTreeSet<OfferId>,
    /// People who may have it beside those of its queue.
    add: Vec<SkillNeed>,
    /// Agents who said no, and until when they are left alone with it.
    barred: BTreeMap<AgentId, Instant>,
}

/// Looks on.
#[derive(Debug)]
pub struct Judge {
    plan: Arc<Dialplan>,
    /// Skills by agent, and whether they answer by a page.
    people: Vec<(Vec<String>, bool)>,
    waits: BTreeMap<Serial, Waits>,
    /// Distributions and claims seen.
    pub judged: u64,
    /// Of them, with somebody more urgent left behind.
    pub broken: u64,
}

impl Judge {
    /// A judge of this plan and these agents.
    pub fn new(plan: Arc<Dialplan>, people: Vec<(Vec<String>, bool)>) -> Judge {
        Judge { plan, people, waits: BTreeMap::new(), judged: 0, broken: 0 }
    }

    fn key(&self, class: ClassId, arrived: Instant, work: WorkId) -> Key {
        let class = self.plan.class(class);
        let (fence, target) = class.map_or((false, Duration::ZERO), |class| (class.fence, class.target));
        (!fence, arrived + if fence { Duration::ZERO } else { target }, arrived, work.serial)
    }

    /// Somebody waits.
    pub fn enters(&mut self, arrival: &Arrival) {
        let (work, arrived) = (arrival.work, arrival.arrived);
        let key = self.key(arrival.class, arrived - arrival.credit, work);
        let (queue, add) = (arrival.queue.index, arrival.add.clone());
        self.waits.insert(
            work.serial,
            Waits { queue, came: arrived, key, held: BTreeSet::new(), add, barred: BTreeMap::new() },
        );
    }

    /// Somebody says how urgent it is.
    pub fn reclassed(&mut self, work: WorkId, class: ClassId) {
        if let Some(key) = self.waits.get(&work.serial).map(|waits| self.key(class, waits.key.2, work))
            && let Some(waits) = self.waits.get_mut(&work.serial)
        {
            waits.key = key;
        }
    }

    /// Nobody waits any more under this number.
    pub fn leaves(&mut self, work: WorkId) {
        self.waits.remove(&work.serial);
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// An offer is over.
    pub fn hears(&mut self, now: Instant, event: &Event) {
        if let Event::OfferEnded { offer, agent, work, end } = event
            && let Some(waits) = self.waits.get_mut(&work.serial)
            && waits.held.remove(offer)
            && *end == OfferEnd::Rejected
        {
            waits.barred.insert(*agent, now + Floor::RETRY);
        }
    }

    /// A distribution, or a claim: of all the agent could have, the first.
    pub fn decides(&mut self, now: Instant, decision: &Decision) {
        match decision.because.agent {
            AgentReason::Picked => {}
            reason => self.judge(now, decision.agent, decision.work, reason == AgentReason::Claimed),
        }
        if let Some(waits) = self.waits.get_mut(&decision.work.serial) {
            waits.held.insert(decision.offer);
        }
    }

    /// The key is pressed on what is shown already.
    pub fn takes(&mut self, now: Instant, agent: AgentId, work: WorkId) {
        self.judge(now, agent, work, true);
    }

    fn judge(&mut self, now: Instant, agent: AgentId, work: WorkId, key: bool) {
        self.judged += 1;
        let Some(mine) = self.waits.get(&work.serial).map(|waits| waits.key) else {
            self.broken += 1;
            return;
        };
        let before = |waits: &&Waits| {
            waits.held.is_empty()
                && waits.key < mine
                && waits.barred.get(&agent).is_none_or(|until| *until <= now)
                && self.could_have(now, agent, waits, key)
        };
        self.broken += u64::from(self.waits.values().find(before).is_some());
    }

    /// Whether the plan lets this agent have this item: by the queue's skills, and by those it is relaxed
    /// to, behind the fence at once. What a reserve is kept from may have to wait for it. Beside what rings at
    /// a page stand its invitations, which bind nothing: each keeps some page, and the key decides.
    fn could_have(&self, now: Instant, agent: AgentId, waits: &Waits, key: bool) -> bool {
        let queue = self.plan.queues.get(waits.queue as usize);
        let Some((queue, (skills, page))) = queue.zip(self.people.get(agent.index as usize)) else {
            return false;
        };
        let waited = if waits.key.0 { now.since(waits.came) } else { Duration::MAX };
        let pushed = match &queue.offer {
            OfferPlan::Pick { .. } => !waits.key.0,
            OfferPlan::Shared { .. } => key || !page,
            OfferPlan::Exclusive { .. } => true,
        };
        let added = waits.add.iter().any(|need| need.met_by(skills));
        let kept = self.plan.queues.iter().any(|queue| queue.reserve > 0 && queue.takes(skills));
        pushed && (!waits.key.0 || !kept) && (added || queue.takes_after(waited, skills))
    }
}
