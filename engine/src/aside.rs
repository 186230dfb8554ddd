//! Calls the room shares: put on hold for anybody to pick, or lost by an agent's page. What is
//! picked from here, or from those waiting, is a person's will and breaks no rule of order.

use crate::alarm::Alarm;
use crate::call::Call;
use crate::call::event::{Actor, ConsultEnd, Event, Private};
use crate::dialplan::ClassId;
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId};
use crate::io::{NOTE_MAX, Refusal};
use crate::overflow::class_like;
use crate::queue::Fact;
use crate::release::CLEARED;
use crate::supervise::fence_of;
use std::time::Duration;

/// On hold for so long, somebody has to look: longer forgets a caller, shorter rings for every
/// question to a colleague.
const RECALL_AFTER: Duration = Duration::from_secs(60);

impl Engine {
    /// The call in the ear goes on the shared list: its caller hears the hold sound, its agent is free.
    pub(crate) fn hold(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        self.set_aside(agent, id)?;
        self.tell_floor(agent.centre, Fact::Aside { agent, call: id });
        Ok(())
    }

    /// What is in an agent's ear makes room for something more urgent: others who are in it go on,
    /// else it is everybody's. The floor empties the ear by itself.
    pub(crate) fn put_aside(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let leg = call.leg_of_agent(agent).ok_or(Refusal::Unknown)?;
        let speaks = call.party(leg).is_some_and(crate::call::party::Party::is_agent_speaking);
        if !speaks || call.other_agent(leg).is_some() {
            self.part_quietly(id, leg, Actor::Agent(agent), None);
            return Ok(());
        }
        if call.outside().is_some() {
            return Err(Refusal::Busy); // nobody of ours would be with them: first leave, or dismiss them
        }
        self.stop_asking(id);
        self.end_consult(id, ConsultEnd::Back);
        self.set_aside(agent, id)
    }

    fn set_aside(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&id).ok_or(Refusal::Unknown)?;
        let talk = call.connected().filter(|talk| talk.agent == agent).ok_or(Refusal::Unknown)?;
        if call.lost {
            return Err(Refusal::Gone); // it is about to be everybody's
        }
        if call.consult.is_some() || call.other_agent(talk.leg).is_some() || call.outside().is_some() {
            return Err(Refusal::Busy); // others are in it: who wants out leaves
        }
        (call.talk, call.aside) = (None, Some(agent));
        let (class, program) = (call.class.clone(), Call::hold_program(&call.hold_sound));
        let watching = call.seated().filter(|party| party.agent().is_some_and(|it| it != agent));
        let watching: Vec<LegId> = watching.map(|party| party.leg.id).collect();
        let recall = self.now.at + self.recall_after(id);
        self.stop_joins(id);
        self.log_call(id, Event::HeldAside { call: id, agent, class, lost: false, recall });
        self.caller_out(id, program);
        for leg in watching {
            self.part(id, leg, Actor::System, None);
        }
        self.let_go(id, talk.leg, Some(CLEARED));
        self.alarms.set(Alarm::Recall(id), recall);
        self.mark(id);
        Ok(())
    }

    /// How long a caller may be on hold: as the queue's plan says.
    fn recall_after(&self, id: CallId) -> Duration {
        let call = self.calls.get(&id);
        let plan = call.and_then(|call| Some(&self.centre(call.served_at())?.plan));
        let queue = call.map(Call::served_in);
        let found = plan.and_then(|plan| plan.queues.iter().find(|it| Some(it.name.as_str()) == queue));
        found.and_then(|queue| queue.recall).unwrap_or(RECALL_AFTER)
    }

    /// A call has been on the shared list, or its caller on hold for a consultation, for long enough.
    pub(crate) fn recall(&mut self, id: CallId) {
        let asks = |call: &Call| call.consult.map(|consult| consult.by);
        if let Some(agent) = self.calls.get(&id).and_then(|call| call.aside.or_else(|| asks(call))) {
            self.log_call(id, Event::RecallDue { call: id, agent });
            // Nobody may have looked at the list: the alarm goes on until somebody takes the call.
            self.alarms.set(Alarm::Recall(id), self.now.at + self.recall_after(id));
        }
    }

    /// A person takes this call: from those waiting, or from the shared list.
    pub(crate) fn pick(&mut self, agent: AgentId, id: CallId, confirmed: bool) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Gone)?;
        match (call.work, call.talk) {
            (Some(_), _) => {
                // A caller of another centre waits here as its guest.
                let work = call.item_for(agent.centre).ok_or(Refusal::Unknown)?;
                self.ask_floor(agent.centre, Fact::Pick { agent, work, lifted: false, confirmed })
            }
            (None, Some(talk)) if !call.listed => Err(Refusal::TakenBy(talk.agent)),
            (None, None) if call.aside.is_none() => Err(Refusal::Gone),
            _ => self.resume(agent, id, confirmed),
        }
    }

    /// A call of the shared list comes back for the agent who picks it. It enters its queue in the
    /// same step, so that it waits there with its arrival time if the phone fails.
    fn resume(&mut self, agent: AgentId, id: CallId, confirmed: bool) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Gone)?;
        let there = Some(call.served_at()).filter(|at| *at == agent.centre).ok_or(Refusal::Unknown)?;
        let centre = self.centres.get_mut(usize::from(there.0)).ok_or(Refusal::Unknown)?;
        let class = class_like(&centre.plan, &call.class, call.fenced).unwrap_or(ClassId(0));
        let queue = centre.queue_named(call.served_in());
        let work = centre.work_id();
        let arrival = call.arrival(work, queue, class, call.came());
        let fact = Fact::Resume { agent, arrival: Box::new(arrival), confirmed };
        centre.floor.allows(&fact)?;
        centre.works.insert(work, id);
        self.alarms.clear(Alarm::Recall(id));
        if let Some(call) = self.calls.get_mut(&id) {
            (call.work, call.aside, call.passing) = (Some(work), None, None);
        }
        // Whoever outside was to take it over is too late.
        self.stop_asking(id);
        let before = self.clear_ours(id);
        self.mark(id);
        self.tell_floor(there, fact);
        for agent in before {
            self.free_ear(id, agent);
        }
        Ok(())
    }

    /// The vital key: from here on the call is confirmed vital, and stays where it is; a regulator is
    /// called beside its agent.
    pub(crate) fn confirm_vital(&mut self, agent: AgentId, id: CallId, by: Actor) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let talks = call.talk.is_some() && call.leg_of_agent(agent).is_some();
        if !talks && call.aside != Some(agent) {
            return Err(Refusal::Unknown);
        }
        let plan = &self.centre(id.centre).ok_or(Refusal::Unknown)?.plan;
        let class = fence_of(plan).and_then(|class| plan.class(class)).ok_or(Refusal::Invalid)?;
        let class = class.name.clone();
        self.qualify(id, &class, by)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.course.wants_regulator = true;
        }
        self.call_regulator(id);
        Ok(())
    }

    /// A short note on a call, for screens and the record.
    pub(crate) fn note(&mut self, id: CallId, text: &str, by: Actor) -> Result<(), Refusal> {
        let text = text.trim();
        if !self.calls.contains_key(&id) {
            return Err(Refusal::Unknown);
        }
        if text.is_empty() || text.chars().count() > NOTE_MAX {
            return Err(Refusal::Invalid);
        }
        let said = Event::Noted { call: id, by, text: Private(text.to_owned()) };
        self.tell_helpers(id, &said);
        self.log(id.centre, said);
        Ok(())
    }
}
