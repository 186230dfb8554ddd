//! From one stage to the next: an agent who has talked with a caller hands the call over, with a
//! note and a class, to the people of another queue. The caller waits there and hears the hold sound.
//!
//! Somebody stays responsible: until a person of the next stage answers, the call is still its
//! agent's to look after. An alarm says when the caller must be talked with again, any agent may take
//! them back, and who answers there may refer them back. A caller who hangs up meanwhile leaves the
//! work behind, at its place.

use crate::alarm::Alarm;
use crate::call::Call;
use crate::call::course::HandOver;
use crate::call::event::{Actor, Beside, Event, WhyCallback};
use crate::dialplan::{ClassId, Dialplan};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, QueueId};
use crate::io::Refusal;
use crate::overflow::class_like;
use crate::queue::{Arrival, Exit, Fact, Owner};
use crate::release::CLEARED;
use std::time::Duration;

/// A caller who waits for a doctor hears a human again after this, unless the queue's plan says
/// otherwise: longer leaves a patient who gets worse alone with the hold sound, shorter keeps the
/// agents from the calls that come in.
const RECONTACT: Duration = Duration::from_secs(300);

/// How long whoever handed a call over is asked alone when it is referred back: they know the file. As
/// long as a plan's direct lines.
const OWNER_ALONE: Duration = Dialplan::ALONE;

/// What a hand-over asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Where the caller waits.
    pub(crate) queue: QueueId,
    /// How urgent from here on; `None`: as it is.
    pub(crate) class: Option<String>,
    /// For whoever answers there.
    pub(crate) note: Option<String>,
    /// To the stage it came from, and whoever handed it over first.
    pub(crate) back_to: Option<AgentId>,
}

impl Engine {
    /// The agent in conversation gives the caller to another stage.
    pub(crate) fn hand_over(
        &mut self,
        agent: AgentId,
        id: CallId,
        wanted: Wanted,
        by: Actor,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let talk = call.connected().filter(|talk| talk.agent == agent).ok_or(Refusal::Unknown)?;
        if call.lost {
            return Err(Refusal::Gone); // it is about to be everybody's
        }
        if call.consult.is_some() || call.other_agent(talk.leg).is_some() || call.outside().is_some() {
            return Err(Refusal::Busy); // others are in it: who wants out leaves
        }
        let at = call.served_at();
        let centre = self.centre(at).ok_or(Refusal::Unknown)?;
        let place = usize::try_from(wanted.queue.index).ok().filter(|_| wanted.queue.centre == at);
        let queue = place.and_then(|place| centre.plan.queues.get(place)).ok_or(Refusal::Unknown)?;
        let (name, recontact) = (queue.name.clone(), queue.recall.unwrap_or(RECONTACT));
        if let Some(class) = &wanted.class {
            self.qualify(id, class, by.clone())?;
        }
        if let Some(note) = wanted.note.as_ref().filter(|note| !note.trim().is_empty()) {
            self.note(id, note, by)?;
        }
        let due = self.now.at + recontact;
        let Some(call) = self.calls.get_mut(&id) else { return Err(Refusal::Unknown) };
        call.talk = None;
        let from = call.served_in().to_owned();
        call.goes_to(name);
        call.course.handover = Some(HandOver { by: agent, from, since: self.now.at, recontact });
        (call.course.owner, call.course.leads) = (wanted.back_to, Vec::new());
        call.course.add.clear(); // whoever is asked there is that queue's
        let (class, program) = (call.class.clone(), Call::hold_program(&call.hold_sound));
        let watching = call.seated().filter(|party| party.agent().is_some_and(|it| it != agent));
        let watching: Vec<LegId> = watching.map(|party| party.leg.id).collect();
        self.log_call(
            id,
            Event::Beside(Beside::HandedOver {
                call: id,
                by: agent,
                queue: wanted.queue,
                class,
                back: wanted.back_to.is_some(),
                recontact: due,
            }),
        );
        // Whoever was called beside the agent would come to nobody: the next stage is asked instead.
        self.stop_joins(id);
        self.caller_out(id, program);
        for leg in watching {
            self.part(id, leg, Actor::System, None);
        }
        self.tell_passed(id);
        self.let_go(id, talk.leg, Some(CLEARED));
        self.alarms.set(Alarm::Recontact(id), due);
        self.mark(id);
        self.enter_stage(id, wanted.queue);
        self.free_ear(id, agent);
        Ok(())
    }

    /// The caller waits in the queue of another stage, from here on.
    fn enter_stage(&mut self, id: CallId, queue: QueueId) {
        self.stage(id, queue);
        let Some(centre) = self.centres.get_mut(usize::from(queue.centre.0)) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let class = class_like(&centre.plan, &call.class, call.fenced).unwrap_or(ClassId(0));
        let work = centre.work_id();
        centre.works.insert(work, id);
        call.work = Some(work);
        let owner = call.course.owner.map(|agent| Owner { agent, alone: OWNER_ALONE });
        // What was waited in an earlier call is of the stage before.
        let credit = Duration::ZERO;
        let arrival = Arrival { credit, owner, ..call.arrival(work, queue, class, self.now.at) };
        self.tell_floor(queue.centre, Fact::Enter(Box::new(arrival)));
    }

    /// Whoever answers gives the caller back to the stage they came from: first to the agent who had
    /// handed them over.
    pub(crate) fn refer_back(
        &mut self,
        agent: AgentId,
        id: CallId,
        note: Option<String>,
        by: Actor,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let (first, from) = call.course.came_from.clone().ok_or(Refusal::Invalid)?;
        let queue = self.centre(call.served_at()).map(|centre| centre.queue_named(&from));
        let queue = queue.ok_or(Refusal::Unknown)?;
        self.hand_over(agent, id, Wanted { queue, class: None, note, back_to: Some(first) }, by)
    }

    /// An agent takes back a caller who was handed over and waits: the call is the stage's again it
    /// came from, and the agent has it.
    pub(crate) fn take_back_over(
        &mut self,
        agent: AgentId,
        id: CallId,
        confirmed: bool,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Gone)?;
        let handover = call.course.handover.clone().ok_or(Refusal::Gone)?;
        let work = call.work.ok_or(Refusal::Gone)?;
        // Whoever else may have the call meanwhile, it is of the centre that has handed it over.
        let there = Some(call.served_at()).filter(|at| *at == agent.centre).ok_or(Refusal::Unknown)?;
        let centre = self.centres.get_mut(usize::from(there.0)).ok_or(Refusal::Unknown)?;
        let queue = centre.queue_named(&handover.from);
        let class = class_like(&centre.plan, &call.class, call.fenced).unwrap_or(ClassId(0));
        let again = centre.work_id();
        let arrival = Arrival { again: true, ..call.arrival(again, queue, class, call.came()) };
        let resume = Fact::Resume { agent, arrival: Box::new(arrival), confirmed };
        centre.floor.allows(&resume)?;
        self.log_call(id, Event::Beside(Beside::TakenBack { call: id, by: agent }));
        self.tell_floor(work.centre, Fact::Leave { work, exit: Exit::Withdrawn });
        self.forget_work(work);
        self.end_handover(id);
        self.stage(id, queue);
        if let Some(call) = self.calls.get_mut(&id) {
            call.work = Some(again);
            call.goes_to(handover.from);
        }
        if let Some(centre) = self.centre_mut(there) {
            centre.works.insert(again, id);
        }
        self.mark(id);
        self.tell_floor(there, resume);
        Ok(())
    }

    /// Nobody is between two stages any more: somebody has answered, or has the caller back.
    pub(crate) fn end_handover(&mut self, id: CallId) {
        self.alarms.clear(Alarm::Recontact(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(over) = call.course.handover.take() {
            call.course.came_from = Some((over.by, over.from));
            call.course.owner = None;
        }
    }

    /// A caller who was handed over must be talked with again, and again until somebody answers.
    pub(crate) fn recontact(&mut self, id: CallId) {
        let Some(over) = self.calls.get(&id).and_then(|call| call.course.handover.clone()) else { return };
        self.log_call(id, Event::Beside(Beside::RecontactDue { call: id, agent: over.by }));
        self.alarms.set(Alarm::Recontact(id), self.now.at + over.recontact);
    }

    /// The caller hung up before the next stage answered, or on hold before somebody took the call up
    /// again: its work stays, at its place.
    pub(crate) fn keep_work(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let since = call.course.handover.as_ref().map_or_else(|| call.came(), |over| over.since);
        self.call_back_later(id, WhyCallback::Kept, since);
    }
}
