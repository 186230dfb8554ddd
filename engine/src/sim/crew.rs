//! Who answers: comes, reacts or is not there, talks, wraps up and goes home.

use super::chance::Chance;
use super::setup::Crew;
use super::shift::{CALLERS, CENTRE, Next, Shift, Talk, Waiting};
use crate::call::event::{Actor, AgentReason, Intent, Occupation};
use crate::dialplan::OfferPlan;
use crate::id::{AgentId, CallId, OfferId};
use crate::queue::{Decision, Fact};
use crate::time::Instant;
use std::time::Duration;

/// From an offer to the word of a page that it is on the screen.
const NOTICES: Duration = Duration::from_millis(200);
/// Share of alerts that are answered: some talks cannot be held.
const HEEDS: f64 = 0.8;
/// Who was not there is back after this and says so.
const ABSENT: Duration = Duration::from_secs(60);

impl<'s> Shift<'s> {
    pub(super) fn crew(&self, agent: AgentId) -> &'s Crew {
        &self.setup.crews[self.crew_of[agent.index as usize]]
    }

    /// So many of a crew are on shift from here on.
    pub(super) fn rota(&mut self, crew: usize, count: u32) {
        let first = self.first_of[crew];
        let most = self.crew_of.iter().filter(|of| **of == crew).count();
        for place in 0..u32::try_from(most).unwrap_or(u32::MAX) {
            let agent = AgentId { centre: CENTRE, index: first + place };
            let (here, wanted) = (self.on_shift[agent.index as usize], place < count);
            match (here, wanted) {
                (false, true) => self.comes(agent),
                (true, false) => self.intends(agent, Intent::SignedOut),
                _ => {}
            }
            self.on_shift[agent.index as usize] = wanted;
        }
        self.staff[0] = self.on_shift.iter().filter(|here| **here).count() as f64;
    }

    pub(super) fn comes(&mut self, agent: AgentId) {
        if self.crew(agent).pages {
            self.tell(Fact::Page { agent, open: true });
            self.tell(Fact::PageLine { agent, up: true });
            self.tell(Fact::PageFit { agent, fit: true });
        }
        self.intends(agent, Intent::Ready);
    }

    pub(super) fn intends(&mut self, agent: AgentId, intent: Intent) {
        self.tell(Fact::Intent { agent, intent, by: Actor::Agent(agent) });
    }

    /// A phone rings, or a page shows an offer.
    pub(super) fn rings(&mut self, decision: &Decision) {
        self.judge.decides(self.now, decision);
        self.out.picked += u64::from(decision.because.agent == AgentReason::Picked);
        let (agent, offer, crew) = (decision.agent, decision.offer, self.crew(decision.agent));
        let willed = matches!(decision.because.agent, AgentReason::Claimed | AgentReason::Picked);
        match (crew.pages, willed) {
            (true, true) => return self.connects(offer),
            (true, false) => self.plan_at(self.now + NOTICES, Next::Sees(agent, offer)),
            (false, _) => self.tell(Fact::Alerting { offer }),
        }
        if self.is_there(crew) {
            let after = crew.reaction.draw(&mut self.chance);
            self.plan_at(self.now + after, Next::Reacts(agent, offer));
        } else {
            self.plan_at(self.now + ABSENT, Next::Back(agent));
        }
    }

    pub(super) fn is_there(&mut self, crew: &Crew) -> bool {
        crew.absent <= 0.0 || !self.chance.happens(crew.absent)
    }

    pub(super) fn invited(&mut self, agent: AgentId) {
        let (ix, crew) = (agent.index as usize, self.crew(agent));
        if self.pressing[ix] || !self.is_there(crew) {
            return;
        }
        self.pressing[ix] = true;
        let after = crew.reaction.draw(&mut self.chance);
        self.plan_at(self.now + after, Next::Presses(agent));
    }

    /// Whether a queue is a list its agents choose from.
    pub(super) fn is_pulled(&self, queue: u32) -> bool {
        let queue = self.setup.plan.queues.get(queue as usize);
        queue.is_some_and(|queue| matches!(queue.offer, OfferPlan::Pick { .. }))
    }

    /// Somebody free looks at the list, and takes the first.
    pub(super) fn pulls(&mut self, ix: usize, queue: u32) {
        let agent = AgentId { centre: CENTRE, index: u32::try_from(ix).unwrap_or(u32::MAX) };
        let crew = self.crew(agent);
        let serves = self.setup.plan.queues.get(queue as usize).is_some_and(|it| it.takes(&crew.skills));
        if serves && self.on_shift[ix] && self.occupation[ix] == Occupation::Free {
            self.invited(agent);
        }
    }

    /// The hand is on the key, or on the receiver.
    pub(super) fn reacts(&mut self, agent: AgentId, offer: OfferId) {
        if self.floor.offer(offer).is_none() {
            // Too late: who was there all the same says so.
            if self.floor.agent(agent).is_some_and(|it| it.rona) {
                self.intends(agent, Intent::Ready);
            }
            return;
        }
        if self.crew(agent).pages {
            self.tell(Fact::Answer { agent });
        } else {
            self.connects(offer);
        }
    }

    /// Answered, bridged and confirmed.
    pub(super) fn connects(&mut self, offer: OfferId) {
        let Some(standing) = self.floor.offer(offer) else { return };
        self.tell(Fact::Taken { offer });
        let Some(waiting) = self.leaves(standing.work) else { return };
        self.tell(Fact::Connected { offer });
        self.answered(&waiting);
        let (agent, call) = (standing.agent, standing.call);
        let handling = if let Some(rest) = waiting.rest {
            rest
        } else if waiting.last {
            let mut own = Chance::new(self.setup.seed ^ CALLERS).fork(waiting.caller.number).fork(0);
            self.setup.second.as_ref().map_or(Duration::ZERO, |second| second.handling.draw(&mut own))
        } else {
            waiting.caller.handling
        };
        self.talks.insert(
            (agent, call),
            Talk { caller: waiting.caller, second: waiting.last, until: self.now + handling },
        );
        self.plan_at(self.now + handling, Next::Over(agent, call));
    }

    pub(super) fn answered(&mut self, waiting: &Waiting) {
        if waiting.rest.is_some() {
            return;
        }
        let waited = self.now.since(waiting.arrived);
        if waiting.last {
            return self.out.second.add(waited);
        }
        self.out.answered += 1;
        if !waiting.counts {
            return;
        }
        self.out.all.add(waited);
        let place = usize::from(waiting.class.0);
        if let Some((_, spread)) = self.out.by_class.get_mut(place) {
            spread.add(waited);
        }
        let fenced = self.setup.plan.class(waiting.class).is_some_and(|class| class.fence);
        match (fenced, waiting.caller.vital) {
            (true, _) => self.out.confirmed.add(waited),
            (false, true) => self.out.later_vital.add(waited),
            (false, false) => {}
        }
    }

    pub(super) fn over(&mut self, agent: AgentId, call: CallId) {
        let Some(talk) = self.talks.remove(&(agent, call)) else { return };
        if !self.on_shift[agent.index as usize] {
            self.intends(agent, Intent::SignedOut);
        }
        self.tell(Fact::EarFree { agent, call });
        self.takes_back(agent);
        self.looks_at_lists(agent);
        let Some(second) = &self.setup.second else { return };
        let mut own = Chance::new(self.setup.seed ^ CALLERS).fork(talk.caller.number).fork(u64::MAX);
        if !talk.second && (talk.caller.vital || own.happens(second.share)) {
            let class = if talk.caller.vital { self.setup.plan.vital() } else { second.class };
            let waiting = Waiting {
                caller: talk.caller,
                arrived: self.now,
                class,
                last: true,
                counts: true,
                rest: None,
            };
            let arrival = self.arrival(&waiting, second.queue);
            self.enters(waiting, arrival);
        }
    }

    /// Free again: whoever works from a list looks at it after the wrap-up.
    fn looks_at_lists(&mut self, agent: AgentId) {
        let crew = self.crew(agent);
        let place = (0..)
            .zip(&self.setup.plan.queues)
            .find(|(place, queue)| self.is_pulled(*place) && queue.takes(&crew.skills));
        if place.is_some() && !std::mem::replace(&mut self.pressing[agent.index as usize], true) {
            let after = crew.wrap_up + crew.reaction.draw(&mut self.chance);
            self.plan_at(self.now + after, Next::Presses(agent));
        }
    }

    /// A confirmed-vital call waits and everybody talks: most press the key, a hand later.
    pub(super) fn alerted(&mut self, agent: AgentId, offer: OfferId) {
        self.out.alerts += 1;
        if self.chance.happens(HEEDS) {
            let after = self.crew(agent).reaction.draw(&mut self.chance);
            self.plan_at(self.now + after, Next::Changes(agent, offer));
        }
    }

    /// The caller in the ear is held, the vital one taken.
    pub(super) fn changes(&mut self, agent: AgentId, offer: OfferId) {
        let fact = Fact::Claim { agent, offer };
        if self.floor.allows(&fact).is_err() {
            return;
        }
        let key = self.talks.keys().find(|(of, _)| *of == agent).copied();
        if let Some(mut talk) = key.and_then(|key| self.talks.remove(&key)) {
            talk.until = Instant::ZERO + talk.until.since(self.now);
            self.held.insert(agent, talk);
        }
        self.tell(fact);
    }

    /// The held caller is the agent's again, for what was left of the talk.
    fn takes_back(&mut self, agent: AgentId) {
        let Some(talk) = self.held.remove(&agent) else { return };
        let rest = Some(talk.until.since(Instant::ZERO));
        let class = self.setup.plan.vital();
        let (caller, arrived, last) = (talk.caller, self.now, talk.second);
        let waiting = Waiting { caller, arrived, class, last, counts: false, rest };
        self.resumes(agent, waiting);
    }
}
