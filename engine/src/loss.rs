//! An agent is lost in a conversation (`edges.md`, I34): by page, or at a desk phone that answers no
//! question, or of which nothing is heard for 30 s.
//!
//! | since the loss of the only agent | |
//! |---|---|
//! | at once | the caller hears comfort audio; the agent may come back by the same page or phone at any time |
//! | 3 s | the agent's other phone rings; the room sees the call, and anybody may pick it |
//! | 5 s | it is offered to everyone, as urgent as a human has said, else as confirmed vital |
//!
//! Nobody sends the caller a BYE. With another agent in the conversation nothing changes for the
//! caller: the others are told, and after 5 s the lost one is out of it. With somebody outside in it
//! the caller goes on talking with them, through all of the above.

use crate::alarm::Alarm;
use crate::assign::ELSEWHERE;
use crate::call::Talk;
use crate::call::event::{Actor, ConsultEnd, Event, Loss, Seat};
use crate::call::party::{Party, PartyRole};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, CentreId, LegId, OfferId};
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::queue::Fact;
use crate::time::Instant;
use std::time::Duration;

/// Until the agent's other phone rings: a page that was loaded again is back by then.
const RINGS_AFTER: Duration = Duration::from_secs(3);

/// Until everyone is asked. Longer leaves somebody in distress with nobody; shorter takes calls from
/// agents whose network hiccups.
const OPENS_AFTER: Duration = Duration::from_secs(5);

/// A socket that closed so shortly before its audio went is the beginning of the same loss.
const SAME_LOSS: Duration = Duration::from_secs(2);

impl Engine {
    /// Somebody's leg is lost: no audio, no answer within its dialog, or its connection closed.
    pub(crate) fn leg_lost(&mut self, id: CallId, leg: LegId, loss: Loss) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(party) = call.party(leg) else { return };
        let speaks = call.connected().is_some() && party.is_agent_speaking();
        match party.role.clone() {
            PartyRole::Agent { agent, .. } | PartyRole::Supervisor { agent, .. } if speaks => {
                self.agent_lost(id, leg, agent, loss);
            }
            PartyRole::Agent { offer, .. } => self.fell_before_bridge(id, leg, offer),
            PartyRole::Outside { .. } => self.outside_lost(id, leg, loss),
            PartyRole::Supervisor { .. } => self.part(id, leg, Actor::System, Some(loss)),
            PartyRole::Fallback { .. } => self.let_go(id, leg, None),
            PartyRole::Outlet => self.outlet_lost(id, leg),
            PartyRole::SecondLine { agent } => self.second_line_hung_up(id, agent),
            PartyRole::Caller => {}
        }
    }

    /// An agent is lost in a conversation. With another agent in it the others go on, told; without
    /// one the clock starts.
    fn agent_lost(&mut self, id: CallId, leg: LegId, agent: AgentId, loss: Loss) {
        let now = self.now.at;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.party_mut(leg).filter(|party| party.lost.is_none()) else { return };
        party.lost = Some(loss);
        let others = call.other_agent(leg).is_some();
        let asks = call.consult.is_some_and(|consult| consult.by == agent);
        self.log_call(id, Event::AgentLost { call: id, agent, loss });
        if others {
            self.alarms.set(Alarm::LossLeaves(leg), now + OPENS_AFTER);
            if asks {
                self.end_consult(id, ConsultEnd::HandedOver);
            }
            return self.mark(id);
        }
        let closed = self.pages.closed_at(agent).filter(|at| now.since(*at) <= SAME_LOSS);
        self.start_loss_clock(id, closed.unwrap_or(now));
    }

    /// Nobody of ours is heard any more: comfort at once, and the clock starts.
    fn start_loss_clock(&mut self, id: CallId, since: Instant) {
        let outside = self.calls.get(&id).is_some_and(|call| call.outside().is_some());
        self.stop_asking(id);
        self.end_consult(id, if outside { ConsultEnd::HandedOver } else { ConsultEnd::Over });
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.lost = true;
        for party in call.parties() {
            // The clock is everybody's.
            self.alarms.clear(Alarm::LossLeaves(party.leg.id));
        }
        self.caller_out(id, Program::Comfort);
        self.alarms.set(Alarm::LossRings(id), since + RINGS_AFTER);
        self.alarms.set(Alarm::LossOpens(id), since + OPENS_AFTER);
        self.mark(id);
    }

    /// Somebody has left, or takes part in another way: when nobody of ours is heard, the clock starts.
    pub(crate) fn keep_watch(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id).filter(|call| call.connected().is_some()) else { return };
        let heard = call.seated().any(|party| party.is_agent_speaking() && party.lost.is_none());
        if !heard && !call.lost {
            self.start_loss_clock(id, self.now.at);
        }
    }

    /// A lost agent has not come back to a conversation that others go on with.
    pub(crate) fn lost_for_good(&mut self, leg: LegId) {
        let Some(&id) = self.legs.get(&leg) else { return };
        let loss = self.calls.get(&id).and_then(|call| call.party(leg)).and_then(|party| party.lost);
        if loss.is_some() {
            self.part(id, leg, Actor::System, loss);
        }
    }

    /// A lost agent is heard again, or the page is there again, before anybody took the call.
    pub(crate) fn back(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let clock = call.lost;
        let Some(party) = call.party_mut(leg).filter(|party| party.lost.is_some()) else { return };
        (party.lost, party.leg.silent) = (None, 0);
        let agent = party.agent();
        self.alarms.clear(Alarm::LossLeaves(leg));
        self.mark(id);
        match agent {
            Some(_) if clock => self.talk_again(id, leg),
            Some(agent) => self.log_call(id, Event::Resumed { call: id, agent, leg }),
            None => {}
        }
    }

    /// Caller and agent hear each other once more, by this leg.
    fn talk_again(&mut self, id: CallId, leg: LegId) {
        self.stop_loss_clock(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((agent, talk)) = call.party(leg).and_then(Party::agent).zip(call.talk) else { return };
        let offer = call.party(leg).and_then(Party::offer).unwrap_or(talk.offer);
        call.talk = Some(Talk { agent, leg, offer, ..talk });
        let others: Vec<LegId> =
            call.seated().filter(|party| party.lost.is_some()).map(|party| party.leg.id).collect();
        self.caller_in(id);
        self.whisper_to(id, leg);
        self.log_call(id, Event::Resumed { call: id, agent, leg });
        for other in others {
            self.alarms.set(Alarm::LossLeaves(other), self.now.at + OPENS_AFTER);
        }
        self.end_fallback(id, leg);
    }

    /// Somebody has come into a conversation whose agent is lost: the caller hears them at once.
    pub(crate) fn heard_instead(&mut self, id: CallId, leg: LegId) {
        if self.calls.get(&id).is_some_and(|call| call.lost) {
            self.talk_again(id, leg);
        }
    }

    pub(crate) fn stop_loss_clock(&mut self, id: CallId) {
        self.alarms.clear(Alarm::LossRings(id));
        self.alarms.clear(Alarm::LossOpens(id));
        if let Some(call) = self.calls.get_mut(&id) {
            (call.lost, call.listed) = (false, false);
        }
    }

    /// 3 s: the agent's other phone rings, and the room sees the call.
    pub(crate) fn ring_elsewhere(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk.filter(|_| call.lost) else { return };
        call.listed = true;
        let (agent, class) = (talk.agent, call.class.clone());
        let recall = self.now.at + (OPENS_AFTER - RINGS_AFTER);
        self.log_call(id, Event::HeldAside { call: id, agent, class, lost: true, recall });
        let site = self.centre(agent.centre).and_then(|centre| centre.agent(agent));
        let places = self.places_of(site.and_then(|site| site.fallback.as_ref()));
        // No other phone, or none to be reached: the clock goes on.
        self.invite_phone(id, places, PartyRole::Fallback { agent }, false);
    }

    /// 5 s: everyone is asked. The agent's other phone rings on, and the page may still come back.
    pub(crate) fn offer_lost_to_all(&mut self, id: CallId) {
        if !self.calls.get(&id).is_some_and(|call| call.lost) {
            return;
        }
        let call = self.calls.get(&id);
        let speaking = call.into_iter().flat_map(|call| call.seated().filter(|it| it.is_agent_speaking()));
        let spoke: Vec<AgentId> = speaking.filter_map(Party::agent).collect();
        let gone = self.clear_ours(id);
        // First the caller, then the ears: whoever else is free must have the caller before those
        // are looked at whose page or phone may be dead.
        let work = self.wait_again(id);
        for agent in spoke {
            if self.speaks_by_page(agent) {
                let theirs = self.calls.get(&id).and_then(|call| call.item_for(agent.centre));
                self.pages.of(agent).lost = theirs.filter(|_| work.is_some()).map(|work| (id, work));
            }
        }
        for agent in gone {
            self.free_ear(id, agent);
        }
    }

    /// Takes everyone of ours out of a call that goes on; answers with whose ears are to be freed.
    pub(crate) fn clear_ours(&mut self, id: CallId) -> Vec<AgentId> {
        self.stop_loss_clock(id);
        self.stop_joins(id);
        let Some(call) = self.calls.get_mut(&id) else { return Vec::new() };
        call.talk = None;
        let ours = call.ears();
        let theirs = |party: &&Party| party.agent().is_some_and(|agent| ours.contains(&agent));
        let kept = |party: &&Party| !matches!(party.role, PartyRole::Fallback { .. });
        let legs = call.parties().iter().filter(theirs).filter(kept);
        let legs: Vec<LegId> = legs.map(|party| party.leg.id).collect();
        for leg in legs {
            self.let_go(id, leg, None);
        }
        ours
    }

    /// The lost agent has lifted the other phone.
    pub(crate) fn fallback_answered(&mut self, id: CallId, leg: LegId, agent: AgentId, sdp: Option<&[u8]>) {
        let Some(agreed) = sdp.and_then(negotiate::read_answer) else {
            return self.let_go(id, leg, Some("Q.850;cause=88"));
        };
        self.agree(id, leg, agreed);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(talk) = call.talk.filter(|talk| call.lost && talk.agent == agent) {
            call.cast(leg, PartyRole::Agent { agent, offer: talk.offer });
            if let Some(party) = call.party_mut(leg) {
                party.seat = Seat::Speaks;
            }
            self.let_go(id, talk.leg, None);
            self.media(MediaCommand::Join { bridge: talk.bridge, leg });
            self.watch(leg);
            return self.talk_again(id, leg);
        }
        let work = call.item_for(agent.centre);
        let fact = work.map(|work| Fact::Pick { agent, work, lifted: true, confirmed: true });
        let taken = fact.map(|fact| self.take_elsewhere(id, agent.centre, fact));
        if taken != Some(true) {
            self.let_go(id, leg, Some(ELSEWHERE));
        }
    }

    /// Asks for the waiting call in the name of an agent whose page is gone: the phone is lifted, so
    /// that a page is not needed.
    pub(crate) fn take_elsewhere(&mut self, id: CallId, centre: CentreId, fact: Fact) -> bool {
        if self.ask_floor(centre, fact).is_err() {
            return false;
        }
        self.calls.get(&id).is_some_and(|call| call.talk.is_some())
    }

    /// The floor has given the waiting call to the agent whose other phone is lifted already.
    pub(crate) fn bridge_fallback(&mut self, id: CallId, leg: LegId, agent: AgentId, offer: OfferId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.cast(leg, PartyRole::Agent { agent, offer });
        }
        self.tell_floor(offer.centre, Fact::Taken { offer });
        let bridge = self.bridge_of(id);
        self.bridge(id, Talk { agent, leg, offer, bridge, connected: false });
    }

    /// Somebody talks with the caller by `leg`: the other phone of a lost agent stops ringing.
    pub(crate) fn end_fallback(&mut self, id: CallId, leg: LegId) {
        let other = self.calls.get(&id).and_then(|call| call.fallback()).map(|party| party.leg.id);
        if let Some(other) = other.filter(|other| *other != leg) {
            self.let_go(id, other, Some(ELSEWHERE));
        }
    }
}
