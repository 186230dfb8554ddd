//! Somebody outside in a conversation of ours: fire brigade, another SAMU, a crew, an interpreter.
//! Reached by a name of the centre's directory, through a trunk. Our agent's leg stays until a
//! human there has answered; unanswered, the agent has the caller again.

use crate::alarm::Alarm;
use crate::call::event::{Actor, Cause, ConsultEnd, Event, Loss, Seat};
use crate::call::leg::{Leg, LocalSdp};
use crate::call::party::{Party, PartyRole};
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, LegId};
use crate::io::{Counter, Refusal};
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::release::CLEARED;
use crate::screen;
use crate::trunks::Way;
use sip::endpoint::Outgoing;
use std::collections::VecDeque;
use std::time::Duration;

/// For so long somebody outside may ring. A carrier gives up after one to three minutes; the agent,
/// and the caller on hold, before that.
const RINGS: Duration = Duration::from_secs(30);

/// Somebody outside of the conversations of one call. More is a mistake, and each is a leg of ours.
const OUTSIDE_MAX: usize = 4;

impl Engine {
    /// Rings somebody of the directory for this call.
    pub(crate) fn invite_outside(&mut self, id: CallId, by: AgentId, name: &str) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let outside = |party: &&Party| matches!(party.role, PartyRole::Outside { .. });
        let there = call.parties().iter().filter(outside);
        if there.clone().count() >= OUTSIDE_MAX {
            return Err(Refusal::Busy);
        }
        if there.into_iter().any(|party| party.who() == crate::call::party::Who::Outside(name.to_owned())) {
            return Err(Refusal::Busy);
        }
        let directory = self.site.centre(by.centre).map(|centre| centre.directory.as_slice());
        let found = directory.unwrap_or_default().iter().find(|contact| contact.name == name);
        let contact = found.ok_or(Refusal::Unknown)?;
        let ways = self.trunks.ways(&contact.trunks).into();
        self.try_way_out(id, by, name, ways)
    }

    /// Rings over the first of these ways.
    fn try_way_out(
        &mut self,
        id: CallId,
        by: AgentId,
        name: &str,
        ways: VecDeque<Way>,
    ) -> Result<(), Refusal> {
        let way = ways.front().ok_or(Refusal::Gone)?.clone();
        let directory = self.site.centre(by.centre).map(|centre| centre.directory.as_slice());
        let found = directory.unwrap_or_default().iter().find(|contact| contact.name == name);
        let number = found.map(|contact| contact.number.as_str()).ok_or(Refusal::Unknown)?;
        let number = way.moved.as_ref().map_or(number, |moved| &moved.0);
        let uri = format!("sip:{}@{};user=phone", screen::user_part(number), way.host);
        let near = self.calls.get(&id).and_then(|call| call.caller().port).map(|port| port.thread);
        let Some(port) = self.stock.take(near) else {
            self.count(Counter::PortsExhausted);
            return Err(Refusal::Busy);
        };
        let leg = self.centre_mut(id.centre).map(|centre| centre.leg_id()).ok_or(Refusal::Unknown)?;
        let keys = self.keys.draw();
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let mut local = LocalSdp::new(leg.serial.0);
        local.cipher(way.srtp, keys);
        let stream = local.offer(port.told_to(way.flow.remote.ip()), call.caller().stream.codec);
        let from = screen::ours(&self.site, call);
        let (to, flow, credentials) = (format!("<{uri}>"), way.flow, way.account);
        let (headers, sdp) = (call.signs.onward(&from), local.body.clone());
        let invite = Outgoing { flow, to, uri, from, headers, sdp, credentials };
        self.media(MediaCommand::Open { leg, port, stream });
        self.legs.insert(leg, id);
        let dialog = self.endpoint.invite(self.now, invite);
        self.lines.insert(dialog, Line::Party(id, leg));
        let made = Leg::ringing(leg, vec![dialog], port, stream, local);
        if let Some(call) = self.calls.get_mut(&id) {
            let role = PartyRole::Outside { name: name.to_owned(), by, ways };
            call.add(Party::new(role, made));
        }
        self.alarms.set(Alarm::RingsUntil(leg), self.now.at + RINGS);
        self.mark(id);
        Ok(())
    }

    /// Somebody outside has answered: in the conversation at once.
    pub(crate) fn outside_answered(&mut self, id: CallId, leg: LegId, by: AgentId, sdp: Option<&[u8]>) {
        let Some(agreed) = sdp.and_then(negotiate::read_answer) else {
            return self.outside_failed(id, leg, 488);
        };
        self.agree(id, leg, agreed);
        let talks = self.calls.get(&id).is_some_and(|call| call.connected().is_some());
        if self.waits_for_outside(id) {
            return self.taken_outside(id, leg, by);
        }
        if !talks {
            return self.part(id, leg, Actor::System, None);
        }
        self.seat(id, leg, Seat::Speaks, Actor::Agent(by));
        self.consult_answered(id, leg);
        self.passed_on(id);
    }

    /// A way there has failed: the next is tried, unless the other end itself has said no.
    pub(crate) fn outside_failed(&mut self, id: CallId, leg: LegId, code: u16) {
        let role = self.calls.get(&id).and_then(|call| call.party(leg)).map(|party| party.role.clone());
        let Some(PartyRole::Outside { name, by, ways }) = role else { return };
        self.part(id, leg, Actor::System, None);
        let left = self.ways_left(ways, code);
        if left.is_none_or(|left| self.try_way_out(id, by, &name, left).is_err()) {
            self.asked_in_vain(id);
        }
    }

    /// Somebody outside has not answered: whoever asks outside, and rings nobody else there, has the
    /// caller again.
    fn asked_in_vain(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let asks = call.consult.is_some_and(|consult| !consult.answered && consult.work.is_none());
        let rings =
            |party: &Party| party.seat == Seat::Out && matches!(party.role, PartyRole::Outside { .. });
        if asks && !call.parties().iter().any(rings) {
            self.end_consult(id, ConsultEnd::Unanswered);
        }
        self.not_passed_on(id);
    }

    /// Somebody outside, or a supervisor's phone, has rung for long enough.
    pub(crate) fn rang_long_enough(&mut self, leg: LegId) {
        let Some(&id) = self.legs.get(&leg) else { return };
        let party = self.calls.get(&id).and_then(|call| call.party(leg));
        let Some(party) = party.filter(|party| party.seat == Seat::Out) else { return };
        let outside = matches!(party.role, PartyRole::Outside { .. });
        self.part(id, leg, Actor::System, None);
        if outside {
            self.asked_in_vain(id);
        }
    }

    /// Somebody outside has hung up. The others go on; where nobody of ours was left, whoever had
    /// the call has ended it.
    pub(crate) fn outside_hung_up(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(party) = call.party(leg) else { return };
        let by = match &party.role {
            PartyRole::Outside { name, .. } => Actor::Outside(name.clone()),
            _ => Actor::System,
        };
        let others = call.seated().any(|it| it.is_outside_speaking() && it.leg.id != leg);
        if call.handed.is_none() || others {
            return self.part(id, leg, by, None);
        }
        self.log_call(id, Event::Released { call: id, by: by.clone(), disposition: None });
        self.close(id, by, Cause::Released);
    }

    /// Somebody outside is lost. The others go on, told; a caller who would be alone waits again.
    pub(crate) fn outside_lost(&mut self, id: CallId, leg: LegId, loss: Loss) {
        self.part(id, leg, Actor::System, Some(loss));
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.handed.is_none() || call.outside().is_some() {
            return;
        }
        call.handed = None;
        self.caller_out(id, Program::Comfort);
        self.wait_again(id);
    }

    /// The agent leaves the caller to whoever outside has answered.
    pub(crate) fn hand_out(&mut self, id: CallId, leg: LegId, agent: AgentId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let to = match call.outside().map(|party| &party.role) {
            Some(PartyRole::Outside { name, .. }) => name.clone(),
            _ => return,
        };
        (call.talk, call.handed) = (None, Some(agent));
        let watching: Vec<LegId> = call
            .seated()
            .filter(|party| party.agent().is_some() && party.leg.id != leg)
            .map(|party| party.leg.id)
            .collect();
        self.end_consult(id, ConsultEnd::HandedOver);
        self.stop_joins(id);
        self.log_call(id, Event::HandedOut { call: id, agent, to });
        for other in watching {
            self.part(id, other, Actor::System, None);
        }
        self.let_go(id, leg, Some(CLEARED));
        self.free_ear(id, agent);
        self.offer_to_carrier(id);
    }
}
