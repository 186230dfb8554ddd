//! Offers that bind nothing: invitations of shared queues, alerts on busy consoles, joins at pages.
//!
//! An invitation names the item that wanted one more to ask; the claim takes the most urgent at that
//! instant. An alert tells a busy agent that a confirmed-vital item has nobody, or that whoever was
//! invited has not claimed it; its claim sets aside what is in the ear.

use super::Floor;
use super::agent::{Invited, Seat};
use super::audience::{Audience, Manner};
use super::deadline::Due;
use super::work::Rank;
use crate::call::event::{AgentReason, OfferEnd, OfferKind};
use crate::id::{OfferId, Serial};
use crate::time::Instant;

impl Floor {
    /// Invites an agent at a page for an item; an invitation before the fence gives way.
    pub(super) fn invite(&mut self, now: Instant, ix: usize, rank: Rank) {
        self.uninvite(ix, OfferEnd::Rescinded);
        let because = self.because(rank, ix, AgentReason::Invited);
        let Some(offer) = self.show(now, ix, rank, OfferKind::Shared, because) else { return };
        if let Some(item) = self.items.get_mut(&rank.serial) {
            item.invited.insert(ix);
            if !rank.unfenced && !item.unclaimed && item.unclaimed_at.is_none() {
                let ring = self.lines[item.queue].rule.ring;
                self.deadlines.put(Due::Unclaimed(rank.serial), &mut item.unclaimed_at, Some(now + ring));
            }
        }
        let agent = &mut self.agents[ix];
        agent.invitation = Some(offer);
        agent.invited = if rank.unfenced { Invited::Lower } else { Invited::Vital };
        self.restand(rank.serial);
        self.settle(ix);
    }

    /// Ends an agent's invitation.
    pub(super) fn uninvite(&mut self, ix: usize, end: OfferEnd) {
        let Some(id) = self.agents[ix].invitation else { return };
        let Some(offer) = self.close(id, end, false) else { return };
        self.restand(offer.work.serial);
        // It may have nobody left: then others are called upon for it.
        self.dirty.extend(self.items.get(&offer.work.serial).and_then(|item| item.audience));
        self.settle(ix);
    }

    /// Ends every invitation that names an item.
    pub(super) fn uninvite_from(&mut self, serial: Serial, end: &OfferEnd) {
        while let Some(ix) = self.items.get_mut(&serial).and_then(|item| item.invited.pop_first()) {
            self.uninvite(ix, end.clone());
        }
    }

    /// Calls upon an agent at a page.
    pub(super) fn summon(&mut self, now: Instant, ix: usize, rank: Rank, kind: OfferKind) {
        let because = self.because(rank, ix, AgentReason::Invited);
        let Some(offer) = self.show(now, ix, rank, kind, because) else { return };
        if let Some(item) = self.items.get_mut(&rank.serial) {
            item.summoned.insert(ix);
        }
        let agent = &mut self.agents[ix];
        (agent.summons, agent.called) =
            (Some(offer), if rank.unfenced { Invited::Lower } else { Invited::Vital });
        self.settle(ix);
        self.restand(rank.serial);
    }

    /// An agent is no longer called upon.
    pub(super) fn unsummon(&mut self, ix: usize, end: OfferEnd) {
        let Some(id) = self.agents[ix].summons else { return };
        if let Some(offer) = self.close(id, end, false) {
            self.settle(ix);
            self.restand(offer.work.serial);
        }
    }

    /// Nobody is called upon for this item any more.
    pub(super) fn unsummon_from(&mut self, serial: Serial, end: &OfferEnd) {
        while let Some(ix) = self.items.get_mut(&serial).and_then(|item| item.summoned.pop_first()) {
            self.unsummon(ix, end.clone());
        }
    }

    /// What an agent is called upon for and could be called away from for a vital item: others are called
    /// upon for it too, somebody is rung or invited for it, or it is a colleague's question.
    pub(super) fn called_beside(&self, ix: usize) -> Option<Rank> {
        let offer = self.offers.get(&self.agents[ix].summons?.serial)?;
        let item = self.items.get(&offer.work.serial)?;
        let has_somebody = !item.is_shown_to_nobody() || self.is_rung_soundly(item);
        let beside = item.summoned.len() > 1 || (offer.kind == OfferKind::Alert && has_somebody);
        let asks = offer.kind == OfferKind::Join && item.rank.unfenced;
        (beside || asks).then_some(item.rank)
    }

    /// Whoever is called upon for an item may be alone in that, or no longer: of more than two,
    /// nobody's place changes.
    pub(super) fn reseat_summoned(&mut self, serial: Serial) {
        let Some(item) = self.items.get(&serial).filter(|item| item.summoned.len() <= 2) else { return };
        let mut busy = item.summoned.clone();
        busy.retain(|ix| matches!(self.agents[*ix].seat, Seat::Busy { .. }));
        for ix in busy {
            self.settle(ix);
        }
    }

    /// An agent who was alerted while busy is free.
    pub(super) fn end_alert(&mut self, ix: usize) {
        let summons = self.agents[ix].summons.and_then(|id| self.offers.get(&id.serial));
        if summons.is_some_and(|offer| offer.kind == OfferKind::Alert) {
            self.unsummon(ix, OfferEnd::Rescinded);
        }
    }

    /// The most urgent item this agent could claim: what waits in shared queues, and what rings at a
    /// desk phone of theirs that nobody has answered.
    pub(super) fn most_urgent_open(&self, ix: usize) -> Option<Rank> {
        let shared = self.audiences_of(ix).filter(|audience| audience.whom.manner == Manner::Invite);
        shared.filter_map(Audience::first_untaken).min()
    }

    /// An invitation is taken: the most urgent item at this instant, whatever the invitation named.
    pub(super) fn claim(&mut self, now: Instant, ix: usize) {
        if let Some(rank) = self.most_urgent_open(ix) {
            self.bind(now, ix, rank, AgentReason::Claimed);
        }
    }

    /// What a claim of this alert or join would take.
    pub(super) fn called_for(&self, ix: usize, id: OfferId) -> Option<Rank> {
        let offer = self.offers.get(&id.serial)?;
        let named = self.items.get(&offer.work.serial)?;
        if offer.kind == OfferKind::Join {
            return Some(named.rank);
        }
        let calling = |audience: &&Audience| {
            audience.whom.fenced && !matches!(audience.whom.manner, Manner::Join | Manner::List)
        };
        let vital = self.audiences_of(ix).filter(calling).filter_map(Audience::first_without_anybody);
        vital.min().or(Some(named.rank))
    }

    /// An alert or a join is taken: what is in the ear is set aside, and the agent is bound.
    pub(super) fn come(&mut self, now: Instant, ix: usize, id: OfferId) {
        let Some(rank) = self.called_for(ix, id) else { return };
        self.empty_ear(now, ix, std::time::Duration::ZERO);
        self.bind(now, ix, rank, AgentReason::Claimed);
    }

    /// Reserves an agent for the item that person has asked for; whoever it rings at is stopped.
    pub(super) fn bind(&mut self, now: Instant, ix: usize, rank: Rank, reason: AgentReason) {
        self.uninvite(ix, OfferEnd::Taken);
        self.unsummon(ix, OfferEnd::Taken);
        self.show_life(ix);
        self.cut_wrap_up(ix);
        self.agents[ix].present_at = Some(now);
        self.release(now, rank.serial, &OfferEnd::AnsweredElsewhere);
        let because = self.because(rank, ix, reason);
        self.reserve(now, rank.serial, ix, because);
    }
}
