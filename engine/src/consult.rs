//! An agent asks somebody, out of the caller's hearing: a colleague, a queue's team, somebody outside. The caller hears the hold sound meanwhile, and has the agent again when nobody answers.
//!
//! | while it lasts | |
//! |---|---|
//! | nobody answers in time, or says no | the agent has the caller again |
//! | the agent: `conference` | all of them talk with each other |
//! | the agent: `leave` | whoever was asked has the caller |
//! | the agent: `dismiss`, or whoever was asked hangs up or is lost | the agent has the caller again |
//! | the agent is lost | whoever was asked has the caller; nobody there: the clock of [`crate::loss`] |
//!
//! With another agent in the conversation nobody is put on hold: who is asked comes in beside them, in
//! the same time or not at all, and `dismiss` calls them off as well.

use crate::alarm::Alarm;
use crate::call::event::{Actor, ConsultEnd, Event};
use crate::call::party::{Party, PartyRole};
use crate::call::{Call, Consult};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, WorkId};
use crate::io::{Refusal, Whom};
use std::time::Duration;

/// For so long whoever is asked may ring. Longer keeps a caller on hold for nobody; shorter gives
/// up on a fire brigade's control room at its busiest.
const RINGS: Duration = Duration::from_secs(30);

/// A caller who has been on hold for so long is looked at: as for the shared list.
const RECALL_AFTER: Duration = Duration::from_secs(60);

impl Engine {
    /// The agent asks somebody about this call.
    pub(crate) fn consult(&mut self, agent: AgentId, id: CallId, whom: &Whom) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let talk = call.connected().ok_or(Refusal::Unknown)?;
        let leg = call.leg_of_agent(agent).ok_or(Refusal::Unknown)?;
        if !call.party(leg).is_some_and(Party::is_agent_speaking) {
            return Err(Refusal::Forbidden); // who only listens asks nobody in
        }
        if call.lost || call.consult.is_some() || call.is_full() {
            return Err(Refusal::Busy);
        }
        let alone = call.other_agent(leg).is_none() && talk.agent == agent;
        let until = self.now.at + RINGS;
        let work = match whom {
            Whom::Outside(name) => self.invite_outside(id, agent, name).map(|()| None)?,
            Whom::Agent(other) => Some(self.ask_colleague(id, *other)?),
            Whom::Queue(queue) => Some(self.ask_team(id, *queue)?),
        };
        if alone {
            self.hold_for_consult(id, (agent, work), whom.clone(), until);
        } else if let Some(work) = work {
            self.alarms.set(Alarm::AskedUntil(work), until);
            if let Some(call) = self.calls.get_mut(&id) {
                call.asks.push((work, agent));
            }
        }
        Ok(())
    }

    fn hold_for_consult(
        &mut self,
        id: CallId,
        (agent, work): (AgentId, Option<WorkId>),
        whom: Whom,
        until: crate::time::Instant,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.consult = Some(Consult { by: agent, work, leg: None, answered: false });
        call.asked = Some(whom.clone());
        let program = Call::hold_program(&call.hold_sound);
        self.log_call(id, Event::Consulting { call: id, agent, whom, deadline: until });
        self.caller_out(id, program);
        self.alarms.set(Alarm::ConsultBy(id), until);
    }

    /// Somebody has come into the conversation while its agent asks.
    pub(crate) fn consult_answered(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(consult) = call.consult.as_mut().filter(|consult| !consult.answered) else { return };
        (consult.leg, consult.answered) = (Some(leg), true);
        self.alarms.clear(Alarm::ConsultBy(id));
        self.alarms.set(Alarm::Recall(id), self.now.at + RECALL_AFTER);
        self.mark(id);
        self.second_line_answers(id);
    }

    /// Whoever is asked has not answered in time.
    pub(crate) fn consult_unanswered(&mut self, id: CallId) {
        let asks = self.calls.get(&id).and_then(|call| call.consult).is_some_and(|it| !it.answered);
        if asks {
            self.stop_asking(id);
            self.end_consult(id, ConsultEnd::Unanswered);
        }
    }

    /// The caller is off hold, or about to be gone.
    pub(crate) fn end_consult(&mut self, id: CallId, end: ConsultEnd) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(consult) = call.consult.take() else { return };
        call.asked = None;
        self.alarms.clear(Alarm::ConsultBy(id));
        self.alarms.clear(Alarm::Recall(id));
        self.log_call(id, Event::ConsultEnded { call: id, agent: consult.by, end });
        if end != ConsultEnd::Over {
            self.caller_in(id);
        }
        if end != ConsultEnd::Together {
            self.not_passed_on(id);
            self.second_line_over(id, consult.by);
        }
    }

    /// Somebody has left a conversation in which one asks another.
    pub(crate) fn consult_lost(&mut self, id: CallId, left: &Party) {
        let Some(consult) = self.calls.get(&id).and_then(|call| call.consult) else { return };
        if consult.leg == Some(left.leg.id) {
            return self.end_consult(id, ConsultEnd::Back);
        }
        if left.agent() == Some(consult.by) {
            self.stop_asking(id);
            self.end_consult(id, ConsultEnd::HandedOver);
        }
    }

    /// All of them talk with each other.
    pub(crate) fn confer(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        let consult = self.calls.get(&id).and_then(|call| call.consult).ok_or(Refusal::Gone)?;
        if consult.by != agent {
            return Err(Refusal::Unknown);
        }
        if !consult.answered {
            return Err(Refusal::Busy); // nobody is there yet
        }
        self.end_consult(id, ConsultEnd::Together);
        Ok(())
    }

    /// The agent lets go of whoever was asked: ringing, asked, or in a conference from outside.
    pub(crate) fn dismiss(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let leg = call.leg_of_agent(agent).ok_or(Refusal::Unknown)?;
        if !call.party(leg).is_some_and(Party::is_agent_speaking) {
            return Err(Refusal::Forbidden);
        }
        let asked = call.consult.filter(|consult| consult.by == agent);
        let theirs = |party: &&Party| {
            let outside = matches!(&party.role, PartyRole::Outside { .. });
            outside || asked.is_some_and(|consult| consult.leg == Some(party.leg.id))
        };
        let gone: Vec<LegId> = call.parties().iter().filter(theirs).map(|it| it.leg.id).collect();
        let theirs = call.asks.iter().filter(|(_, by)| *by == agent);
        let beside: Vec<WorkId> = theirs.map(|(work, _)| *work).collect();
        if gone.is_empty() && beside.is_empty() && asked.is_none() {
            return Err(Refusal::Gone);
        }
        for work in beside {
            self.stop_join(id, work);
        }
        for leg in gone {
            self.part(id, leg, Actor::Agent(agent), None);
        }
        if asked.is_some() {
            self.stop_asking(id);
            self.end_consult(id, ConsultEnd::Back);
        }
        self.not_passed_on(id);
        Ok(())
    }

    /// Nobody is asked any more: whoever rings for this call outside, or beside it, stops.
    pub(crate) fn stop_asking(&mut self, id: CallId) {
        if let Some(work) = self.calls.get(&id).and_then(|call| call.consult).and_then(|it| it.work) {
            self.stop_join(id, work);
        }
        let Some(call) = self.calls.get(&id) else { return };
        let ringing = |party: &&Party| {
            matches!(party.role, PartyRole::Outside { .. }) && party.seat == crate::call::party::Seat::Out
        };
        let ringing: Vec<LegId> = call.parties().iter().filter(ringing).map(|it| it.leg.id).collect();
        for leg in ringing {
            self.part(id, leg, Actor::System, None);
        }
    }
}
