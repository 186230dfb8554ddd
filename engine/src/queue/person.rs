//! What a person does by a key: answers, picks, says that an offer is seen.
//!
//! The key takes the most urgent item that can be had at this instant; a pick takes one whatever its
//! place. Both end wrap-up, and both are a proof of life.

use super::deadline::Due;
use super::work::Rank;
use super::{Floor, Phase, Refusal};
use crate::call::event::{AgentReason, Intent, OfferEnd, OfferKind};
use crate::dialplan::ClassId;
use crate::id::{AgentId, OfferId, WorkId};

use crate::time::Instant;

impl Floor {
    /// Whether an agent could have a call put into the ear; `lifted`: of another phone than the page.
    pub(super) fn may_take(&self, agent: AgentId, lifted: bool) -> Result<(), Refusal> {
        let agent = &self.agents[self.agent_at(agent).ok_or(Refusal::Unknown)?];
        let bound = agent.reserved.and_then(|(offer, _)| self.offers.get(&offer.serial));
        let bound = bound.is_some_and(|offer| offer.claimed || offer.phase == Phase::Taken);
        match (&agent.intent, agent.ear) {
            (Intent::SignedOut, _) => Err(Refusal::SignedOut),
            (_, Some(_)) => Err(Refusal::Busy),
            _ if bound => Err(Refusal::Busy),
            _ if !lifted && !agent.has_line() => Err(Refusal::NoAudio),
            _ => Ok(()),
        }
    }

    /// Whether the one key would take something.
    pub(super) fn may_answer(&self, agent: AgentId) -> Result<(), Refusal> {
        self.may_take(agent, false)?;
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        match (self.ringing_for(ix), self.most_urgent_there(ix)) {
            (None, None) => Err(Refusal::Gone),
            // A desk phone that rings is answered by lifting it.
            (Some((_, own)), there) if !self.agents[ix].by_page && there.is_none_or(|there| own < there) => {
                Err(Refusal::Busy)
            }
            _ => Ok(()),
        }
    }

    /// Whether a person could have this item.
    pub(super) fn may_pick(
        &self,
        agent: AgentId,
        work: WorkId,
        lifted: bool,
        confirmed: bool,
    ) -> Result<(), Refusal> {
        self.may_take(agent, lifted)?;
        let place = self.place(work).ok_or(Refusal::Gone)?;
        self.may_pass_over(agent, place.class, confirmed)?;
        match place.offer.and_then(|offer| self.offers.get(&offer.serial)) {
            Some(offer) if offer.claimed || offer.phase == Phase::Taken => {
                Err(Refusal::TakenBy(self.agents[offer.agent].id))
            }
            _ => Ok(()),
        }
    }

    /// Whether a person may choose an item of this class before a confirmed-vital one they could take
    /// and nobody is rung for: once they have been told of it.
    pub(super) fn may_pass_over(
        &self,
        agent: AgentId,
        class: ClassId,
        confirmed: bool,
    ) -> Result<(), Refusal> {
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        let fenced = self.rules.class(class).is_some_and(|class| class.fence);
        let first = self.agents[ix].queues.iter().filter_map(|&place| self.lines[place].waiting.first());
        let vital = first.min().is_some_and(|rank| !rank.unfenced);
        if vital && !fenced && !confirmed { Err(Refusal::VitalWaits) } else { Ok(()) }
    }

    /// Whether something rings that this agent could take from a colleague.
    pub(super) fn may_pick_up(&self, agent: AgentId) -> Result<(), Refusal> {
        self.may_take(agent, false)?;
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        self.most_urgent_open(ix).map(|_| ()).ok_or(Refusal::Gone)
    }

    /// The agent takes what rings at a colleague.
    pub(super) fn pick_up(&mut self, now: Instant, ix: usize) {
        if let Some(rank) = self.most_urgent_open(ix) {
            self.bind(now, ix, rank, AgentReason::Picked);
        }
    }

    /// Whether a claim would have its effect: an invitation, or an offer that a page shows.
    pub(super) fn may_claim(&self, agent: AgentId, offer: OfferId) -> Result<(), Refusal> {
        let kind = self.offer(offer).ok_or(Refusal::Gone)?.kind;
        let found = self.live(offer, kind, Some(agent))?;
        match kind {
            OfferKind::Shared => Ok(()),
            _ if !self.agents[found.agent].by_page => Err(Refusal::Unknown),
            _ if found.phase == Phase::Taken || found.claimed => Err(Refusal::Gone),
            _ => self.may_take(agent, false),
        }
    }

    /// The agent's own offer that rings and that nobody has taken, with its item's rank.
    fn ringing_for(&self, ix: usize) -> Option<(OfferId, Rank)> {
        let (id, _) = self.agents[ix].reserved?;
        let offer = self.offers.get(&id.serial).filter(|it| it.phase != Phase::Taken && !it.claimed)?;
        Some((id, self.items.get(&offer.work.serial)?.rank))
    }

    /// The most urgent item nobody is rung for, or that is open to a claim, in this agent's queues.
    fn most_urgent_there(&self, ix: usize) -> Option<Rank> {
        let waiting = self.agents[ix].queues.iter().filter_map(|&place| self.lines[place].waiting.first());
        waiting.min().copied().into_iter().chain(self.most_urgent_open(ix)).min()
    }

    /// The key was pressed.
    pub(super) fn answer(&mut self, now: Instant, ix: usize) {
        match (self.ringing_for(ix), self.most_urgent_there(ix)) {
            (Some((own, rank)), there) if there.is_none_or(|there| rank <= there) => self.take(now, ix, own),
            (own, Some(there)) => {
                if let Some((own, _)) = own {
                    self.fail(now, own, OfferEnd::Rescinded, true);
                }
                self.bind(now, ix, there, AgentReason::Claimed);
            }
            _ => {}
        }
    }

    /// A person has chosen an item.
    pub(super) fn pick(&mut self, now: Instant, ix: usize, work: WorkId) {
        let Some(rank) = self.items.get(&work.serial).map(|item| item.rank) else { return };
        match self.ringing_for(ix) {
            Some((own, theirs)) if theirs.serial == work.serial && self.agents[ix].by_page => {
                return self.take(now, ix, own);
            }
            Some((own, _)) => self.fail(now, own, OfferEnd::Rescinded, true),
            None => {}
        }
        self.bind(now, ix, rank, AgentReason::Picked);
    }

    /// The agent takes what the page shows: nobody else can have it unless the bridge fails.
    pub(super) fn take(&mut self, now: Instant, ix: usize, id: OfferId) {
        self.show_life(ix);
        self.cut_wrap_up(ix);
        let Some(offer) = self.offers.get_mut(&id.serial) else { return };
        offer.claimed = true;
        let work = offer.work.serial;
        self.prolong(id, now + Floor::BRIDGE_WITHIN);
        if let Some(item) = self.items.get(&work) {
            self.lines[item.queue].open.remove(&item.rank);
        }
        self.uninvite_from(work, &OfferEnd::AnsweredElsewhere);
        self.settle(ix);
        self.steps.push_back(super::Step::Take { offer: id });
    }

    /// A page shows an offer. That the page lives says nothing about the person before it: of an
    /// offer that rings, only the clock changes.
    pub(super) fn seen(&mut self, ix: usize, id: OfferId) {
        let kind = self.offers.get(&id.serial).map(|offer| offer.kind);
        match kind {
            Some(OfferKind::Exclusive) if self.agents[ix].by_page => self.alerting(id),
            _ => self.show_life(ix),
        }
    }

    /// Moves an offer's deadline.
    fn prolong(&mut self, id: OfferId, to: Instant) {
        if let Some(offer) = self.offers.get_mut(&id.serial) {
            self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, Some(to));
        }
    }
}
