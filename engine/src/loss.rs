//! An agent's page is lost in a conversation (`edges.md`, I34).
//!
//! | since the loss | |
//! |---|---|
//! | at once | the caller hears comfort audio; the agent may come back by the same page at any time |
//! | 3 s | the agent's other phone rings; the room sees the call, and anybody may pick it |
//! | 5 s | it is offered to everyone, as urgent as a human has said, else as confirmed vital |
//!
//! Nobody sends the caller a BYE.

use crate::alarm::Alarm;
use crate::assign::ELSEWHERE;
use crate::call::Talk;
use crate::call::event::{Event, Loss};
use crate::call::party::PartyRole;
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, OfferId};
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::queue::Fact;
use std::time::Duration;

/// Until the agent's other phone rings: a page that was loaded again is back by then.
const RINGS_AFTER: Duration = Duration::from_secs(3);

/// Until everyone is asked. Longer leaves somebody in distress with nobody; shorter takes calls from
/// agents whose network hiccups.
const OPENS_AFTER: Duration = Duration::from_secs(5);

/// A socket that closed so shortly before its audio went is the beginning of the same loss.
const SAME_LOSS: Duration = Duration::from_secs(2);

impl Engine {
    /// An agent's page is lost in this conversation: comfort at once, and the clock starts.
    pub(crate) fn page_lost(&mut self, id: CallId, loss: Loss) {
        let now = self.now.at;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(talk), false) = (call.talk, call.lost) else { return };
        if !talk.connected {
            return self.fell_before_bridge(id, talk.leg, talk.offer);
        }
        call.lost = true;
        let caller = call.caller().id;
        let closed = self.pages.closed_at(talk.agent).filter(|at| now.since(*at) <= SAME_LOSS);
        let since = closed.unwrap_or(now);
        self.log(id.centre, Event::AgentLost { call: id, agent: talk.agent, loss });
        self.media(MediaCommand::Leave { leg: caller });
        self.media(MediaCommand::Play { leg: caller, program: Program::Comfort });
        self.alarms.set(Alarm::LossRings(id), since + RINGS_AFTER);
        self.alarms.set(Alarm::LossOpens(id), since + OPENS_AFTER);
        self.mark(id);
    }

    /// A leg of a conversation is heard.
    pub(crate) fn heard_again(&mut self, id: CallId, leg: LegId) {
        let talk = self.calls.get(&id).and_then(|call| call.talk);
        if talk.is_some_and(|talk| talk.leg == leg) {
            self.take_back(id);
        }
    }

    /// The lost agent is back before anybody took the call.
    pub(crate) fn take_back(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk.filter(|_| call.lost) else { return };
        if let Some(leg) = call.leg_mut(talk.leg) {
            leg.silent = 0;
        }
        self.talk_again(id, talk);
    }

    /// Caller and agent hear each other once more.
    fn talk_again(&mut self, id: CallId, talk: Talk) {
        self.stop_loss_clock(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.talk = Some(talk);
        let caller = call.caller().id;
        self.mark(id);
        self.media(MediaCommand::Join { bridge: talk.bridge, leg: caller });
        self.log(id.centre, Event::Resumed { call: id, agent: talk.agent, leg: talk.leg });
        self.end_fallback(id, talk.leg);
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
        self.log(id.centre, Event::HeldAside { call: id, agent, class, lost: true, recall });
        let site = self.centre(agent.centre).and_then(|centre| centre.agent(agent));
        let places = self.places_of(site.and_then(|site| site.fallback.as_ref()));
        // No other phone, or none to be reached: the clock goes on.
        self.invite_phone(id, places, PartyRole::Fallback { agent });
    }

    /// 5 s: everyone is asked. The agent's other phone rings on, and the page may still come back.
    pub(crate) fn offer_lost_to_all(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk.take_if(|_| call.lost) else { return };
        self.stop_loss_clock(id);
        self.let_go(id, talk.leg, None);
        self.pages.of(talk.agent).lost = Some(id);
        self.wait_again(id);
        self.free_ear(id, talk);
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
            self.let_go(id, talk.leg, None);
            self.media(MediaCommand::Join { bridge: talk.bridge, leg });
            self.watch(leg);
            return self.talk_again(id, Talk { leg, ..talk });
        }
        let work = call.work;
        let fact = work.map(|work| Fact::Pick { agent, work, lifted: true, confirmed: true });
        let taken = fact.map(|fact| self.take_elsewhere(id, fact));
        if taken != Some(true) {
            self.let_go(id, leg, Some(ELSEWHERE));
        }
    }

    /// Asks for the waiting call in the name of an agent whose page is gone: the phone is lifted, so
    /// that a page is not needed.
    fn take_elsewhere(&mut self, id: CallId, fact: Fact) -> bool {
        let Some(centre) = self.centre_mut(id.centre) else { return false };
        if centre.floor.allows(&fact).is_err() {
            return false;
        }
        self.tell_floor(id.centre, fact);
        self.calls.get(&id).is_some_and(|call| call.talk.is_some())
    }

    /// The floor has given the waiting call to the agent whose other phone is lifted already.
    pub(crate) fn bridge_fallback(&mut self, id: CallId, leg: LegId, agent: AgentId, offer: OfferId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.cast(leg, PartyRole::Agent { agent, offer });
        }
        self.tell_floor(id.centre, Fact::Taken { offer });
        let bridge = self.next_bridge(id);
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
