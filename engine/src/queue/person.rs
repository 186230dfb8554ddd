//! What a person does by a key: answers, picks, says that an offer is seen.
//!
//! The key takes the most urgent item that can be had at this instant; a pick takes one whatever its
//! place. Both end wrap-up, and both are a proof of life.

use super::audience::{Audience, Manner};
use super::work::Rank;
use super::{Floor, Phase, Refusal, Step};
use crate::call::event::{AgentReason, Intent, OfferEnd, OfferKind};
use crate::dialplan::ClassId;
use crate::id::{AgentId, OfferId, WorkId};
use crate::time::Instant;

impl Floor {
    /// Whether an agent could have a call put into the ear; `lifted`: of another phone than the page.
    pub(super) fn may_take(&self, agent: AgentId, lifted: bool) -> Result<(), Refusal> {
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        if self.agents[ix].intent != Intent::SignedOut && self.agents[ix].ear.is_some() {
            return Err(Refusal::Busy);
        }
        self.may_change_to(ix, lifted)
    }

    /// As [`Floor::may_take`], whatever is in the ear: it would be set aside.
    fn may_change_to(&self, ix: usize, lifted: bool) -> Result<(), Refusal> {
        let agent = &self.agents[ix];
        let bound = agent.reserved.and_then(|(offer, _)| self.offers.get(&offer.serial));
        let bound = bound.is_some_and(|offer| offer.claimed || offer.phase == Phase::Taken);
        match &agent.intent {
            Intent::SignedOut => Err(Refusal::SignedOut),
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
            (Some((_, own)), there) if !self.agents[ix].by_page && there.is_none_or(|there| own <= there) => {
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
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        let place = self.place(work).ok_or(Refusal::Gone)?;
        let item = self.items.get(&work.serial).ok_or(Refusal::Gone)?;
        match place.offer.and_then(|offer| self.offers.get(&offer.serial)) {
            Some(offer) if self.is_bound(item) => return Err(Refusal::TakenBy(self.agents[offer.agent].id)),
            _ => {}
        }
        if item.barred.binary_search(&ix).is_ok() {
            return Err(Refusal::Forbidden);
        }
        self.may_pass_over(agent, place.class, confirmed)
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
        let passes = !self.rules.is_fenced(class) && self.vital_waits_for(ix);
        if passes && !confirmed { Err(Refusal::VitalWaits) } else { Ok(()) }
    }

    /// Whether a confirmed-vital item waits that this agent could take and nobody sound is rung for.
    pub(super) fn vital_waits_for(&self, ix: usize) -> bool {
        let vital = |audience: &Audience| audience.whom.fenced && audience.first_without_anybody().is_some();
        self.audiences_of(ix).any(|audience| vital(audience) && audience.whom.manner != Manner::Join)
    }

    /// Whether something rings that this agent could take from a colleague.
    pub(super) fn may_pick_up(&self, agent: AgentId, confirmed: bool) -> Result<(), Refusal> {
        self.may_take(agent, false)?;
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        let rings = self.ringing_elsewhere(ix).ok_or(Refusal::Gone)?;
        let class = self.items.get(&rings.serial).ok_or(Refusal::Gone)?.class;
        self.may_pass_over(agent, class, confirmed)
    }

    /// What a group pick-up of this agent would take.
    pub fn rings_in_the_group_of(&self, agent: AgentId) -> Option<WorkId> {
        let rank = self.ringing_elsewhere(self.agent_at(agent)?)?;
        Some(WorkId { centre: self.centre, serial: rank.serial })
    }

    /// The most urgent item that rings at a colleague, for somebody this agent could stand in for.
    fn ringing_elsewhere(&self, ix: usize) -> Option<Rank> {
        let own = self.ringing_for(ix).map(|(_, rank)| rank);
        let others = self.audiences_of(ix).filter(|audience| audience.whom.manner != Manner::Join);
        others.filter_map(|audience| audience.ringing.iter().find(|rank| Some(**rank) != own)).min().copied()
    }

    /// The agent takes what rings at a colleague.
    pub(super) fn pick_up(&mut self, now: Instant, ix: usize) {
        if let Some(rank) = self.ringing_elsewhere(ix) {
            self.pick(now, ix, WorkId { centre: self.centre, serial: rank.serial });
        }
    }

    /// Whether a claim would have its effect: an invitation, an alert or a join, or an offer that a
    /// page shows.
    pub(super) fn may_claim(&self, agent: AgentId, id: OfferId) -> Result<(), Refusal> {
        let ix = self.agent_at(agent).ok_or(Refusal::Unknown)?;
        let offer = self.offers.get(&id.serial).filter(|_| id.centre == self.centre).ok_or(Refusal::Gone)?;
        if offer.agent != ix {
            return Err(Refusal::Unknown);
        }
        match (offer.reserves, offer.kind) {
            (false, OfferKind::Shared) => Ok(()),
            (false, _) => self.may_change_to(ix, false),
            (true, _) if !self.agents[ix].by_page => Err(Refusal::Unknown),
            (true, _) if offer.phase == Phase::Taken || offer.claimed => Err(Refusal::Gone),
            (true, _) => self.may_take(agent, false),
        }
    }

    /// A claim that would have its effect.
    pub(super) fn claimed(&mut self, now: Instant, ix: usize, id: OfferId) {
        match self.offers.get(&id.serial).map(|offer| (offer.reserves, offer.kind)) {
            Some((true, _)) => self.take(now, ix, id),
            Some((false, OfferKind::Shared)) => self.claim(now, ix),
            Some(_) => self.come(now, ix, id),
            None => {}
        }
    }

    /// The offer that rings at an agent who [`Floor::may_take`] something, with its item's rank.
    fn ringing_for(&self, ix: usize) -> Option<(OfferId, Rank)> {
        let (id, _) = self.agents[ix].reserved?;
        let offer = self.offers.get(&id.serial)?;
        Some((id, self.items.get(&offer.work.serial)?.rank))
    }

    /// The most urgent item nobody sound is rung for, or that is open to a claim, among those this
    /// agent could be asked for.
    fn most_urgent_there(&self, ix: usize) -> Option<Rank> {
        let there = self.audiences_of(ix).filter_map(|audience| match audience.whom.manner {
            Manner::Invite => audience.first_untaken(),
            Manner::Ring(_) | Manner::List => audience.first_without_anybody(),
            Manner::Join => None,
        });
        there.min()
    }

    /// The key was pressed.
    pub(super) fn answer(&mut self, now: Instant, ix: usize) {
        match (self.ringing_for(ix), self.most_urgent_there(ix)) {
            (Some((own, rank)), there) if there.is_none_or(|there| rank <= there) => {
                self.take_by_hand(now, ix, own);
            }
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
        let Some(item) = self.items.get(&work.serial) else { return };
        let (rank, queue) = (item.rank, item.queue);
        let over = rank.unfenced && self.vital_waits_for(ix);
        let counts = &mut self.lines[queue].counts;
        counts.picked += 1;
        counts.picked_over_vital += u64::from(over);
        match self.ringing_for(ix) {
            Some((own, theirs)) if theirs.serial == work.serial && self.agents[ix].by_page => {
                self.take_by_hand(now, ix, own);
            }
            own => {
                if let Some((own, _)) = own {
                    self.fail(now, own, OfferEnd::Rescinded, true);
                }
                self.bind(now, ix, rank, AgentReason::Picked);
            }
        }
        let reserved = self.agents[ix].reserved;
        if let Some(offer) = reserved.and_then(|(offer, _)| self.offers.get_mut(&offer.serial)) {
            offer.over_vital = over;
        }
    }

    /// The person was faster than the page.
    fn take_by_hand(&mut self, now: Instant, ix: usize, id: OfferId) {
        if let Some(offer) = self.offers.get_mut(&id.serial) {
            offer.by_itself = false;
        }
        self.take(now, ix, id);
    }

    /// The agent takes what the page shows: nobody else can have it unless the bridge fails.
    pub(super) fn take(&mut self, now: Instant, ix: usize, id: OfferId) {
        let Some(offer) = self.offers.get(&id.serial) else { return };
        if offer.by_itself {
            self.spend_presence(ix);
        } else {
            self.show_life(ix);
            self.agents[ix].present_at = Some(now);
        }
        self.cut_wrap_up(ix);
        let Some(offer) = self.offers.get_mut(&id.serial) else { return };
        offer.claimed = true;
        let serial = offer.work.serial;
        self.prolong(id, now + Floor::BRIDGE_WITHIN);
        self.bound(now, id, serial);
        self.settle(ix);
        self.steps.push_back(Step::Take { offer: id });
    }

    /// A page shows an offer, and so it lives; of the person before it that says nothing. Of an offer that
    /// rings, only the clock changes.
    pub(super) fn seen(&mut self, ix: usize, id: OfferId) {
        let reserves = self.offers.get(&id.serial).map(|offer| offer.reserves);
        match reserves {
            Some(true) if self.agents[ix].by_page => self.alerting(id),
            _ => self.phone_rings(ix),
        }
    }
}
