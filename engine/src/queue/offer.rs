//! Offers: exclusive ones reserve an agent and ring a phone, shared ones invite whoever is free at a
//! page and bind nothing until the claim.
//!
//! A failed offer costs the caller nothing: the item is back at its rank before the step ends. An
//! offer that is over is not in the map, so whatever is still said about it has no effect.

use super::deadline::Due;
use super::work::Rank;
use super::{Decision, Floor, Step};
use crate::call::event::{AgentReason, Because, Event, OfferEnd, OfferKind};
use crate::id::{CallId, OfferId, Serial, WorkId};
use crate::time::Instant;
use std::time::Duration;

/// How far an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not seen by anybody yet: a phone that lapses here was not there.
    Sent,
    /// The phone rings.
    Alerting,
    /// Answered, being bridged.
    Taken,
}

/// An offer that is not over.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) agent: usize,
    pub(super) work: WorkId,
    pub(super) call: CallId,
    pub(super) kind: OfferKind,
    pub(super) phase: Phase,
    /// The agent asked for it: by a claim, a pick or the one key.
    pub(super) claimed: bool,
    /// When it lapses once it is seen.
    deadline: Instant,
    pub(super) lapse_at: Option<Instant>,
}

impl Floor {
    /// From the answer of an agent's phone to the confirmed bridge. Longer keeps a caller with a
    /// phone that answered and went dead; shorter breaks bridges over slow networks.
    pub const BRIDGE_WITHIN: Duration = Duration::from_secs(10);

    /// Before an agent who rejected an item is rung for the same item again, and one who let it ring
    /// out for any, when nobody else is there. Longer leaves a caller waiting; shorter rings on at
    /// somebody who said no.
    pub const RETRY: Duration = Duration::from_secs(2);

    /// From the start of a [`super::WorkKind::Join`] to the moment when busy agents are asked as well:
    /// free ones have had the time to answer, and the caller is being helped meanwhile.
    pub const JOIN_ALERTS_AFTER: Duration = Duration::from_secs(10);

    /// Before an overflow that came to nothing is tried once more. Longer leaves a caller with a
    /// queue that cannot serve; shorter knocks on at a door that is shut.
    pub const OVERFLOW_AGAIN: Duration = Duration::from_secs(30);

    /// Life of an invitation; while work waits another follows. It reserves nobody, so a long life
    /// costs nothing but what a page that lost it would show.
    pub const INVITATION: Duration = Duration::from_secs(30);

    /// From an offer to the word of a page that it shows it. A page that takes longer is frozen or
    /// gone, and its agent would let the caller wait; a slow network takes a third of it.
    pub const SEEN_WITHIN: Duration = Duration::from_secs(1);

    fn add_offer(&mut self, lapse: Instant, offer: Offer) -> OfferId {
        let serial = self.next_offer.take();
        let offer = self.offers.entry(serial).or_insert(offer);
        self.deadlines.put(Due::Offer(serial), &mut offer.lapse_at, Some(lapse));
        OfferId { centre: self.centre, serial }
    }

    /// Reserves an agent for an item and rings the phone.
    pub(super) fn reserve(&mut self, now: Instant, rank: Rank, ix: usize, because: Because) {
        let Some(item) = self.items.get_mut(&rank.serial) else { return };
        let (call, queue, arrived, work_kind) = (item.call, item.queue, item.arrived, item.kind);
        self.deadlines.put(Due::Retry(rank.serial), &mut item.retry_at, None);
        let line = &mut self.lines[queue];
        line.waiting.remove(&rank);
        let deadline = now + line.rule.ring;
        let claimed = matches!(because.agent, AgentReason::Claimed | AgentReason::Picked);
        let unseen = self.agents[ix].by_page && !claimed;
        let lapse = if unseen { deadline.min(now + Floor::SEEN_WITHIN) } else { deadline };
        if claimed {
            // Bound by a person's will: no other claim takes it from under the key.
            line.open.remove(&rank);
        }
        let (work, kind) = (WorkId { centre: self.centre, serial: rank.serial }, OfferKind::Exclusive);
        let fresh =
            Offer { agent: ix, work, call, kind, phase: Phase::Sent, claimed, deadline, lapse_at: None };
        let offer = self.add_offer(lapse, fresh);
        if let Some(item) = self.items.get_mut(&rank.serial) {
            item.held = Some(offer);
        }
        let agent = &mut self.agents[ix];
        agent.reserved = Some((offer, call));
        agent.epoch += 1;
        let (agent, epoch, waited) = (agent.id, agent.epoch, now.since(arrived));
        self.settle(ix);
        self.log(Event::Offered {
            offer,
            work,
            call,
            agent,
            kind,
            epoch,
            deadline,
            waited,
            because: because.clone(),
        });
        let decision = Decision {
            offer,
            work,
            call,
            agent,
            kind,
            work_kind,
            auto_answer: false,
            epoch,
            deadline,
            waited,
            because,
        };
        self.steps.push_back(Step::Ring(decision));
    }

    /// The item of a reservation the engine may take back for a more urgent one: it rings, it stands
    /// before the fence, and nobody asked for it by a claim.
    pub(super) fn may_be_taken_back(&self, offer: OfferId) -> Option<Rank> {
        let offer = self.offers.get(&offer.serial)?;
        let item = self.items.get(&offer.work.serial)?;
        let ringing = offer.phase != Phase::Taken && !offer.claimed;
        (ringing && item.rank.unfenced).then_some(item.rank)
    }

    pub(super) fn alerting(&mut self, id: OfferId) {
        let Some(offer) = self.offers.get_mut(&id.serial) else { return };
        if offer.phase != Phase::Sent {
            return;
        }
        offer.phase = Phase::Alerting;
        let deadline = offer.deadline;
        self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, Some(deadline));
        let ix = offer.agent;
        self.phone_rings(ix);
        let agent = self.agents[ix].id;
        self.log(Event::Alerting { offer: id, agent });
    }

    /// The phone was answered: nobody else can have the item unless the bridge fails.
    pub(super) fn taken(&mut self, now: Instant, id: OfferId) {
        let Some(offer) = self.offers.get_mut(&id.serial) else { return };
        if offer.phase == Phase::Taken {
            return;
        }
        offer.phase = Phase::Taken;
        self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, Some(now + Floor::BRIDGE_WITHIN));
        let (ix, work) = (offer.agent, offer.work);
        if let Some(item) = self.items.get(&work.serial) {
            self.lines[item.queue].open.remove(&item.rank);
        }
        self.uninvite_from(work.serial, &OfferEnd::AnsweredElsewhere);
        self.show_life(ix);
    }

    /// Bridged and confirmed: the caller has left the queue into this agent's ear.
    pub(super) fn connected(&mut self, now: Instant, id: OfferId) {
        let Some(offer) = self.close(id, OfferEnd::Taken, false) else { return };
        let agent = &mut self.agents[offer.agent];
        agent.ear = Some(offer.call);
        self.show_life(offer.agent);
        self.leave(now, offer.work.serial, &OfferEnd::AnsweredElsewhere);
    }

    /// A reservation is over without a conversation: the item is back at its rank, the agent is free
    /// again as far as the end says so.
    pub(super) fn fail(&mut self, now: Instant, id: OfferId, end: OfferEnd, stop: bool) {
        let phase = self.offers.get(&id.serial).map(|offer| offer.phase);
        // A phone that never rang says nothing about the person before it.
        let never_rang = phase == Some(Phase::Sent) && end == OfferEnd::TimedOut;
        let end = if never_rang { OfferEnd::Unreachable } else { end };
        let Some(offer) = self.close(id, end.clone(), stop) else { return };
        let ix = offer.agent;
        match end {
            OfferEnd::Rejected => self.show_life(ix),
            OfferEnd::TimedOut => self.rang_out(now, ix),
            OfferEnd::Unreachable => {
                let why = if self.agents[ix].by_page { "unseen" } else { "unreachable" };
                self.phone_failed(now, ix, why);
            }
            OfferEnd::PhoneBusy => self.phone_failed(now, ix, "busy"),
            OfferEnd::LostBeforeBridge => self.phone_failed(now, ix, "lost"),
            OfferEnd::Taken | OfferEnd::AnsweredElsewhere | OfferEnd::CallerGone | OfferEnd::Rescinded => {}
        }
        let blames_agent =
            !matches!(end, OfferEnd::AnsweredElsewhere | OfferEnd::CallerGone | OfferEnd::Rescinded);
        self.settle(ix);
        let Some(item) = self.items.get_mut(&offer.work.serial) else { return };
        item.held = None;
        if blames_agent {
            // After a failure of the phone it is the agent who rests, for every item alike.
            let rejected = end == OfferEnd::Rejected;
            item.passed_by(ix, if rejected { now + Floor::RETRY } else { now });
        }
        let retry = item.next_retry(now);
        self.deadlines.put(Due::Retry(offer.work.serial), &mut item.retry_at, retry);
        self.lines[item.queue].wait(item.rank);
        self.dirty.insert(item.queue);
    }

    /// Takes an offer out of the map and tells the log, and the phone when it still rings.
    fn close(&mut self, id: OfferId, end: OfferEnd, stop: bool) -> Option<Offer> {
        let mut offer = self.offers.remove(&id.serial)?;
        self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, None);
        let agent = &mut self.agents[offer.agent];
        match offer.kind {
            OfferKind::Shared => agent.invitation = None,
            OfferKind::Exclusive | OfferKind::Alert | OfferKind::Join => agent.reserved = None,
        }
        let (agent, work) = (agent.id, offer.work);
        self.log(Event::OfferEnded { offer: id, agent, work, end: end.clone() });
        if stop {
            self.steps.push_back(Step::Stop { offer: id, agent, work, end });
        }
        Some(offer)
    }

    /// Ends an agent's ringing reservation; one that was answered is left to its deadline.
    pub(super) fn stop_ringing(&mut self, now: Instant, ix: usize, end: OfferEnd) {
        let Some((id, _)) = self.agents[ix].reserved else { return };
        if self.offers.get(&id.serial).is_some_and(|offer| offer.phase != Phase::Taken) {
            self.fail(now, id, end, true);
        }
    }

    /// An offer's deadline came.
    pub(super) fn lapsed(&mut self, now: Instant, serial: Serial) {
        let Some(offer) = self.offers.get_mut(&serial) else { return };
        offer.lapse_at = None;
        let (id, ix) = (OfferId { centre: self.centre, serial }, offer.agent);
        match (offer.kind, offer.phase) {
            (OfferKind::Shared, _) => self.uninvite(ix, OfferEnd::TimedOut),
            (_, Phase::Taken) => self.fail(now, id, OfferEnd::LostBeforeBridge, true),
            (_, Phase::Sent | Phase::Alerting) => self.fail(now, id, OfferEnd::TimedOut, true),
        }
    }

    /// Invites an agent at a page to the most urgent item a claim could take.
    pub(super) fn invite(&mut self, now: Instant, ix: usize) {
        let Some(rank) = self.most_urgent_open(ix) else { return };
        let because = self.because(rank, ix, AgentReason::Invited);
        let Some(item) = self.items.get_mut(&rank.serial) else { return };
        item.invited.insert(ix);
        let (call, waited) = (item.call, now.since(item.arrived));
        let (work, kind) = (WorkId { centre: self.centre, serial: rank.serial }, OfferKind::Shared);
        let deadline = now + Floor::INVITATION;
        let (phase, claimed) = (Phase::Sent, false);
        let fresh = Offer { agent: ix, work, call, kind, phase, claimed, deadline, lapse_at: None };
        let offer = self.add_offer(deadline, fresh);
        let agent = &mut self.agents[ix];
        agent.invitation = Some(offer);
        let (agent, epoch) = (agent.id, agent.epoch);
        self.log(Event::Offered { offer, work, call, agent, kind, epoch, deadline, waited, because });
        self.settle(ix);
    }

    /// Ends an agent's invitation.
    pub(super) fn uninvite(&mut self, ix: usize, end: OfferEnd) {
        let Some(id) = self.agents[ix].invitation else { return };
        let Some(offer) = self.close(id, end, false) else { return };
        if let Some(item) = self.items.get_mut(&offer.work.serial) {
            item.invited.remove(&ix);
        }
        self.settle(ix);
    }

    /// Ends every invitation that names an item.
    pub(super) fn uninvite_from(&mut self, serial: Serial, end: &OfferEnd) {
        while let Some(ix) = self.items.get_mut(&serial).and_then(|item| item.invited.pop_first()) {
            self.uninvite(ix, end.clone());
        }
    }

    /// The most urgent item this agent could claim.
    pub(super) fn most_urgent_open(&self, ix: usize) -> Option<Rank> {
        self.agents[ix].queues.iter().filter_map(|&place| self.lines[place].open.first()).min().copied()
    }

    /// An invitation is taken: the most urgent item at this instant, whatever the invitation named, and
    /// also one that rings at a desk phone nobody has answered.
    pub(super) fn claim(&mut self, now: Instant, ix: usize) {
        if let Some(rank) = self.most_urgent_open(ix) {
            self.bind(now, ix, rank, AgentReason::Claimed);
        }
    }

    /// Reserves an agent for the item that person has asked for; whoever it rings at is stopped.
    pub(super) fn bind(&mut self, now: Instant, ix: usize, rank: Rank, reason: AgentReason) {
        self.uninvite(ix, OfferEnd::Taken);
        self.show_life(ix);
        self.cut_wrap_up(ix);
        if let Some(elsewhere) = self.items.get(&rank.serial).and_then(|item| item.held) {
            self.fail(now, elsewhere, OfferEnd::AnsweredElsewhere, true);
        }
        self.uninvite_from(rank.serial, &OfferEnd::AnsweredElsewhere);
        let because = self.because(rank, ix, reason);
        self.reserve(now, rank, ix, because);
    }
}
