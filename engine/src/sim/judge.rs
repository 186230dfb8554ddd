//! The order by brute force: who waits, as a list, compared with every distribution and claim.
//!
//! It shares no line with the floor: it reads the plan, hears what the floor is told and what it
//! decides, and looks at everybody who waits each time.

use crate::call::event::{AgentReason, Event, OfferEnd};
use crate::dialplan::{ClassId, Dialplan, OfferPlan};
use crate::id::{AgentId, OfferId, Serial, WorkId};
use crate::queue::{Decision, Floor};
use crate::time::Instant;
use std::collections::BTreeMap;
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
    /// Rings, or is being connected.
    held: Option<OfferId>,
    /// Agents who said no, and until when they are left alone with it.
    barred: BTreeMap<AgentId, Instant>,
}

/// Looks on.
#[derive(Debug)]
pub struct Judge {
    plan: Arc<Dialplan>,
    /// Skills by agent.
    skills: Vec<Vec<String>>,
    waits: BTreeMap<Serial, Waits>,
    /// Distributions and claims seen.
    pub judged: u64,
    /// Of them, with somebody more urgent left behind.
    pub broken: u64,
}

impl Judge {
    /// A judge of this plan and these agents.
    pub fn new(plan: Arc<Dialplan>, skills: Vec<Vec<String>>) -> Judge {
        Judge { plan, skills, waits: BTreeMap::new(), judged: 0, broken: 0 }
    }

    fn key(&self, class: ClassId, arrived: Instant, work: WorkId) -> Key {
        let class = self.plan.class(class);
        let (fence, target) = class.map_or((false, Duration::ZERO), |class| (class.fence, class.target));
        (!fence, arrived + if fence { Duration::ZERO } else { target }, arrived, work.serial)
    }

    /// Somebody waits.
    pub fn enters(&mut self, work: WorkId, queue: u32, class: ClassId, arrived: Instant, credit: Duration) {
        let key = self.key(class, arrived - credit, work);
        self.waits
            .insert(work.serial, Waits { queue, came: arrived, key, held: None, barred: BTreeMap::new() });
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
            && waits.held == Some(*offer)
        {
            waits.held = None;
            if *end == OfferEnd::Rejected {
                waits.barred.insert(*agent, now + Floor::RETRY);
            }
        }
    }

    /// A distribution, or a claim: of all the agent could have, the first.
    pub fn decides(&mut self, now: Instant, decision: &Decision) {
        if decision.because.agent != AgentReason::Picked {
            self.judge(now, decision.agent, decision.work);
        }
        if let Some(waits) = self.waits.get_mut(&decision.work.serial) {
            waits.held = Some(decision.offer);
        }
    }

    /// The key is pressed on what is shown already.
    pub fn takes(&mut self, now: Instant, agent: AgentId, work: WorkId) {
        self.judge(now, agent, work);
    }

    fn judge(&mut self, now: Instant, agent: AgentId, work: WorkId) {
        self.judged += 1;
        let Some(mine) = self.waits.get(&work.serial).map(|waits| waits.key) else {
            self.broken += 1;
            return;
        };
        let before = |waits: &&Waits| {
            waits.held.is_none()
                && waits.key < mine
                && waits.barred.get(&agent).is_none_or(|until| *until <= now)
                && self.could_have(now, agent, waits)
        };
        self.broken += u64::from(self.waits.values().find(before).is_some());
    }

    /// Whether the plan lets this agent have this item: by the queue's skills, and by those it is relaxed
    /// to, behind the fence at once. What a reserve is kept from may have to wait for it.
    fn could_have(&self, now: Instant, agent: AgentId, waits: &Waits) -> bool {
        let queue = self.plan.queues.get(waits.queue as usize);
        let Some((queue, skills)) = queue.zip(self.skills.get(agent.index as usize)) else { return false };
        let waited = if waits.key.0 { now.since(waits.came) } else { Duration::MAX };
        let pushed = match &queue.offer {
            OfferPlan::Pick { .. } => !waits.key.0,
            OfferPlan::Exclusive { .. } | OfferPlan::Shared { .. } => true,
        };
        pushed && (!waits.key.0 || queue.reserve == 0) && queue.takes_after(waited, skills)
    }
}
