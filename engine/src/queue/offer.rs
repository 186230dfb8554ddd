//! Offers: exclusive ones reserve an agent and ring a phone; shared ones invite whoever is free at a
//! page, alerts and joins call upon agents at theirs, and these bind nothing until the claim.
//!
//! A failed offer costs the caller nothing: the item is back at its rank before the step ends. An
//! offer that is over is not in the map, so whatever is still said about it has no effect.

use super::agent::Invited;
use super::arrival::WorkKind;
use super::deadline::Due;
use super::rules::Asks;
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
    /// Reserves its agent. The others bind nothing.
    pub(super) reserves: bool,
    pub(super) phase: Phase,
    /// The agent asked for it: by a claim, a pick or the one key.
    pub(super) claimed: bool,
    /// The phone answers by itself.
    pub(super) auto_answer: bool,
    /// By a pick: of somebody who was told that a confirmed-vital call waits, and wants this all the same.
    pub(super) over_vital: bool,
    /// It is taken without a key of a person's.
    pub(super) by_itself: bool,
    /// When it lapses once it is seen.
    deadline: Instant,
    pub(super) lapse_at: Option<Instant>,
}

impl Floor {
    /// From the answer of an agent's phone to the confirmed bridge. Longer keeps a caller with a
    /// phone that answered and went dead; shorter breaks bridges over slow networks.
    pub const BRIDGE_WITHIN: Duration = Duration::from_secs(10);

    /// From the start of a [`WorkKind::Join`] to the moment when busy agents are asked as well:
    /// free ones have had the time to answer, and the caller is being helped meanwhile.
    pub const JOIN_ALERTS_AFTER: Duration = Duration::from_secs(10);

    /// From the acceptance of a callback to the end of dialling: phones ring for a minute before
    /// networks give up.
    pub const DIAL_WITHIN: Duration = Duration::from_secs(90);

    /// Before an agent who rejected an item is rung for the same item again, and one who let it ring
    /// out for any. Longer leaves a caller waiting; shorter rings on at somebody who said no.
    pub const RETRY: Duration = Duration::from_secs(2);

    /// Life of an invitation or an alert; while work waits another follows. It reserves nobody, so a
    /// long life costs nothing but what a page that lost it would show.
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
    pub(super) fn reserve(&mut self, now: Instant, serial: Serial, ix: usize, because: Because) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        let (call, queue, arrived, work_kind) = (item.call, item.queue, item.arrived, item.kind);
        let fenced = !item.rank.unfenced;
        if self.agents[ix].is_sound() {
            self.deadlines.put(Due::Retry(serial), &mut item.retry_at, None);
        }
        let rule = &self.lines[queue].rule;
        let deadline = now + rule.ring;
        let claimed = matches!(because.agent, AgentReason::Claimed | AgentReason::Picked);
        let agent = &self.agents[ix];
        let unseen = agent.by_page && !claimed;
        let lapse = if unseen { deadline.min(now + Floor::SEEN_WITHIN) } else { deadline };
        let allowed = rule.vital.auto_answer && fenced;
        let rings_alone = !matches!(rule.asks, Asks::Ring(some) if some > 1);
        let may_lift = rings_alone && work_kind == WorkKind::Live && !claimed;
        let shown_so = allowed && agent.auto_answer && unseen && agent.is_present(now);
        let auto_answer = shown_so || (allowed && agent.lifts_by_itself() && may_lift);
        let work = WorkId { centre: self.centre, serial };
        let kind = if work_kind == WorkKind::Join { OfferKind::Join } else { OfferKind::Exclusive };
        let (reserves, phase, over_vital, lapse_at) = (true, Phase::Sent, false, None);
        let fresh = Offer {
            agent: ix,
            work,
            call,
            kind,
            reserves,
            phase,
            claimed,
            over_vital,
            auto_answer,
            by_itself: auto_answer && agent.is_present(now),
            deadline,
            lapse_at,
        };
        let offer = self.add_offer(lapse, fresh);
        if let Some(item) = self.items.get_mut(&serial) {
            item.rings.push(offer);
        }
        let agent = &mut self.agents[ix];
        agent.reserved = Some((offer, call));
        agent.epoch += 1;
        let (agent, epoch, waited) = (agent.id, agent.epoch, now.since(arrived));
        self.restand(serial);
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
            auto_answer: shown_so,
        });
        let decision = Decision {
            offer,
            work,
            call,
            agent,
            kind,
            work_kind,
            auto_answer,
            epoch,
            deadline,
            waited,
            because,
        };
        self.steps.push_back(Step::Ring(decision));
    }

    /// The item of a reservation it could do without, and whether it rings at somebody else too. An
    /// item behind the fence, a claim and a phone that was answered cannot; a callback can, while the
    /// person's phone rings.
    pub(super) fn could_do_without(&self, id: OfferId) -> Option<(Rank, bool)> {
        let offer = self.offers.get(&id.serial)?;
        let item = self.items.get(&offer.work.serial)?;
        let taken = offer.phase == Phase::Taken;
        let dials = taken && item.is_previewed() && !offer.over_vital;
        if (taken || offer.claimed) && !dials {
            return None;
        }
        let spare = item.rings.first() != Some(&id);
        (spare || item.rank.unfenced).then_some((item.rank, spare))
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
        let Some(offer) = self.offers.get_mut(&id.serial).filter(|offer| offer.phase != Phase::Taken) else {
            return;
        };
        offer.phase = Phase::Taken;
        let (ix, serial, by_itself) = (offer.agent, offer.work.serial, offer.by_itself);
        let previewed = self.items.get(&serial).is_some_and(super::work::Item::is_previewed);
        let within = if previewed { Floor::DIAL_WITHIN } else { Floor::BRIDGE_WITHIN };
        self.prolong(id, now + within);
        self.bound(now, id, serial);
        if by_itself {
            self.spend_presence(ix);
        } else {
            self.show_life(ix);
        }
    }

    /// Somebody has taken an item: whoever else was asked for it learns so.
    pub(super) fn bound(&mut self, now: Instant, id: OfferId, serial: Serial) {
        let others = self
            .items
            .get(&serial)
            .map_or_else(Vec::new, |item| item.rings.iter().filter(|other| **other != id).copied().collect());
        for other in others {
            self.fail(now, other, OfferEnd::AnsweredElsewhere, true);
        }
        self.uninvite_from(serial, &OfferEnd::AnsweredElsewhere);
        self.unsummon_from(serial, &OfferEnd::AnsweredElsewhere);
        self.restand(serial);
    }

    /// Bridged and confirmed: the caller has left the queue into this agent's ear.
    pub(super) fn connected(&mut self, now: Instant, id: OfferId) {
        if let Some(serial) = self.offers.get(&id.serial).map(|offer| offer.work.serial) {
            self.bound(now, id, serial);
        }
        let Some(offer) = self.close(id, OfferEnd::Taken, false) else { return };
        let queue = self.items.get(&offer.work.serial).map(|item| item.queue);
        self.fill_ear(now, offer.agent, offer.call, queue);
        if offer.by_itself {
            self.agents[offer.agent].unproved = true;
        } else {
            self.agents[offer.agent].present_at = Some(now);
            self.show_life(offer.agent);
        }
        if let Some(item) = self.leave(now, offer.work.serial) {
            self.lines[item.queue].counts.answered += 1;
        }
    }

    /// A reservation is over without a conversation: the item is back at its rank, the agent is free
    /// again as far as the end says so.
    pub(super) fn fail(&mut self, now: Instant, id: OfferId, end: OfferEnd, stop: bool) {
        let Some(phase) = self.offers.get(&id.serial).map(|offer| offer.phase) else { return };
        // A phone that never rang says nothing about the person before it.
        let never_rang = phase == Phase::Sent && end == OfferEnd::TimedOut;
        let end = if never_rang { OfferEnd::Unreachable } else { end };
        let Some(offer) = self.close(id, end.clone(), stop) else { return };
        let (ix, serial) = (offer.agent, offer.work.serial);
        let unseen = if self.agents[ix].by_page { "unseen" } else { "unreachable" };
        match end {
            // A phone that declines before it has rung does so by itself: nobody was asked.
            OfferEnd::Rejected if !stop && phase == Phase::Sent && !self.agents[ix].by_page => {
                self.phone_failed(now, ix, "declines");
            }
            OfferEnd::Rejected => self.rejected(now, ix),
            OfferEnd::TimedOut => self.rang_out(now, ix),
            OfferEnd::Unreachable => self.phone_failed(now, ix, unseen),
            OfferEnd::PhoneBusy => self.phone_failed(now, ix, "busy"),
            OfferEnd::LostBeforeBridge => self.phone_failed(now, ix, "lost"),
            OfferEnd::Taken | OfferEnd::AnsweredElsewhere | OfferEnd::CallerGone | OfferEnd::Rescinded => {}
        }
        let blames_agent =
            !matches!(end, OfferEnd::AnsweredElsewhere | OfferEnd::CallerGone | OfferEnd::Rescinded);
        let next = if let Some(item) = self.items.get_mut(&serial) {
            if blames_agent {
                // After a failure of the phone it is the agent who rests, for every item alike.
                let rejected = end == OfferEnd::Rejected;
                item.passed_by(ix, if rejected { now + Floor::RETRY } else { now });
            }
            let retry = item.next_retry(now);
            self.deadlines.put(Due::Retry(serial), &mut item.retry_at, retry);
            item.rings.first().copied()
        } else {
            None
        };
        self.restand(serial);
        self.settle(ix);
        // The next of its offers is no longer one beside another.
        if let Some(next) = next.and_then(|next| self.offers.get(&next.serial)).map(|offer| offer.agent) {
            self.settle(next);
        }
    }

    /// Takes an offer out of the map and tells the log, and the phone when it still rings.
    pub(super) fn close(&mut self, id: OfferId, end: OfferEnd, stop: bool) -> Option<Offer> {
        let mut offer = self.offers.remove(&id.serial)?;
        self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, None);
        let ix = offer.agent;
        let agent = &mut self.agents[ix];
        let item = self.items.get_mut(&offer.work.serial);
        match (offer.reserves, offer.kind) {
            (true, _) => {
                agent.reserved = None;
                if let Some(item) = item {
                    item.rings.retain(|ring| *ring != id);
                }
            }
            (false, OfferKind::Shared) => {
                (agent.invitation, agent.invited) = (None, Invited::No);
                if let Some(item) = item {
                    item.invited.remove(&ix);
                }
            }
            (false, _) => {
                (agent.summons, agent.called) = (None, Invited::No);
                if let Some(item) = item {
                    item.summoned.remove(&ix);
                }
            }
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
        match (offer.reserves, offer.kind, offer.phase) {
            (false, OfferKind::Shared, _) => self.uninvite(ix, OfferEnd::TimedOut),
            (false, ..) => self.unsummon(ix, OfferEnd::TimedOut),
            (true, _, Phase::Taken) => self.fail(now, id, OfferEnd::LostBeforeBridge, true),
            (true, ..) => self.fail(now, id, OfferEnd::TimedOut, true),
        }
    }

    /// Moves an offer's deadline.
    pub(super) fn prolong(&mut self, id: OfferId, to: Instant) {
        if let Some(offer) = self.offers.get_mut(&id.serial) {
            self.deadlines.put(Due::Offer(id.serial), &mut offer.lapse_at, Some(to));
        }
    }

    /// An offer to an agent's page that reserves nobody.
    pub(super) fn show(
        &mut self,
        now: Instant,
        ix: usize,
        rank: Rank,
        kind: OfferKind,
        because: Because,
    ) -> Option<OfferId> {
        let item = self.items.get(&rank.serial)?;
        let (call, waited) = (item.call, now.since(item.arrived));
        let work = WorkId { centre: self.centre, serial: rank.serial };
        let deadline = now + Floor::INVITATION;
        let fresh = Offer {
            agent: ix,
            work,
            call,
            kind,
            reserves: false,
            phase: Phase::Sent,
            claimed: false,
            over_vital: false,
            auto_answer: false,
            by_itself: false,
            deadline,
            lapse_at: None,
        };
        let offer = self.add_offer(deadline, fresh);
        let (agent, epoch) = (self.agents[ix].id, self.agents[ix].epoch);
        self.log(Event::Offered {
            offer,
            work,
            call,
            agent,
            kind,
            epoch,
            deadline,
            waited,
            because,
            auto_answer: false,
        });
        Some(offer)
    }
}
