//! Somebody of ours is called into a conversation: a regulator by the vital key, a colleague or a
//! queue's team by whoever asks them. The caller is not moved, and the agent stays until he leaves.
//!
//! What is wanted is an item of the floor, which knows who may be asked: free agents at once, busy
//! ones too after ten seconds. It leaves with the first who comes, or with the conversation.

use crate::alarm::Alarm;
use crate::call::Call;
use crate::call::event::{Actor, Event, Seat, Whom};
use crate::call::leg::LegState;
use crate::call::party::Party;
use crate::dialplan::ClassId;
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, OfferId, QueueId, WorkId};
use crate::io::Refusal;
use crate::queue::{Arrival, Exit, Fact, Others, Owner, WorkKind};
use crate::site::Role;
use crate::supervise::fence_of;
use std::time::Duration;

/// The stage of a plan whose queue has the regulators.
const REGULATION: &str = "regulation";

/// Somebody called by name is asked alone for longer than they can ring.
const ALONE: Duration = Duration::from_secs(3_600);

impl Engine {
    /// Calls a regulator beside the agent of a call that the vital key has confirmed, until one has come:
    /// an agent who is lost or holds the call takes nobody away from the next.
    pub(crate) fn call_regulator(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.seated().filter_map(Party::agent).any(|agent| self.is_regulator(agent)) {
            return self.has_regulator(id);
        }
        let wanted = call.course.wants_regulator && call.fenced;
        let talks = call.connected().is_some() && call.vital_call.is_none() && !call.is_full();
        let (true, true, Some(queue)) = (wanted, talks, self.regulation(id)) else { return };
        let Some(class) = self.centre(queue.centre).and_then(|centre| fence_of(&centre.plan)) else { return };
        let work = self.want(id, queue, class, None, None);
        if let Some(call) = self.calls.get_mut(&id) {
            call.vital_call = work;
        }
    }

    fn has_regulator(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.course.wants_regulator = false;
        }
    }

    fn is_regulator(&self, agent: AgentId) -> bool {
        let site = self.centre(agent.centre).and_then(|centre| centre.agent(agent));
        site.is_some_and(|site| site.role == Role::Regulator)
    }

    /// The queue of the regulators where the call is served: the one of that stage, else the first that a
    /// regulator of the roster serves.
    fn regulation(&self, id: CallId) -> Option<QueueId> {
        let centre = self.centre(self.calls.get(&id)?.served_at())?;
        let staged = centre.plan.queues.iter().position(|it| it.stage.as_deref() == Some(REGULATION));
        let regulators = || centre.roster.iter().filter(|agent| agent.role == Role::Regulator);
        let served =
            || centre.plan.queues.iter().position(|it| regulators().any(|who| it.takes(&who.skills)));
        let place = staged.or_else(served)?;
        Some(QueueId { centre: centre.id, index: u32::try_from(place).ok()? })
    }

    /// Asks whoever of a queue's team is free first.
    pub(crate) fn ask_team(&mut self, id: CallId, queue: QueueId) -> Result<WorkId, Refusal> {
        let place = usize::try_from(queue.index).map_err(|_| Refusal::Unknown)?;
        let here = self.calls.get(&id).is_some_and(|call| call.served_at() == queue.centre);
        let found = self.centre(queue.centre).filter(|_| here);
        found.and_then(|centre| centre.plan.queues.get(place)).ok_or(Refusal::Unknown)?;
        let class = self.class_before_fence(id);
        self.want(id, queue, class, None, Some(Whom::Queue(queue))).ok_or(Refusal::Unknown)
    }

    /// Asks one colleague.
    pub(crate) fn ask_colleague(&mut self, id: CallId, whom: AgentId) -> Result<WorkId, Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let there = self.centre(whom.centre).filter(|_| whom.centre == call.served_at());
        let view = there.and_then(|centre| centre.floor.agent(whom)).ok_or(Refusal::Unknown)?;
        if *view.intent == crate::call::event::Intent::SignedOut {
            return Err(Refusal::SignedOut);
        }
        if view.call == Some(id) || !view.reachable {
            return Err(Refusal::Gone);
        }
        let queue = there.map(|centre| centre.queue_named(call.served_in())).ok_or(Refusal::Unknown)?;
        let owner = Owner { agent: whom, alone: ALONE };
        let class = self.class_before_fence(id);
        self.want(id, queue, class, Some(owner), Some(Whom::Agent(whom))).ok_or(Refusal::Unknown)
    }

    /// The most urgent class before the fence: asking somebody goes before no caller behind it.
    fn class_before_fence(&self, id: CallId) -> ClassId {
        let at = self.calls.get(&id).map_or(id.centre, Call::served_at);
        let plan = self.centre(at).map(|centre| &centre.plan);
        let place = plan.and_then(|plan| plan.classes.iter().position(|class| !class.fence));
        place.and_then(|place| u16::try_from(place).ok()).map_or(ClassId(0), ClassId)
    }

    fn want(
        &mut self,
        id: CallId,
        queue: QueueId,
        class: ClassId,
        owner: Option<Owner>,
        whom: Option<Whom>,
    ) -> Option<WorkId> {
        // Whoever rings for it may yet say no to that, and be asked for this.
        let barred = self.calls.get(&id)?.seated().filter_map(Party::agent).collect();
        let centre = self.centre_mut(queue.centre)?;
        let work = centre.work_id();
        centre.works.insert(work, id);
        self.calls.get_mut(&id)?.joins.push(work);
        self.log(queue.centre, Event::Wanted { call: id, work, whom });
        let live = Arrival::live(work, id, queue, class, self.now.at);
        let others = if owner.is_some() { Others::Nobody } else { Others::Everybody };
        let arrival = Arrival { kind: WorkKind::Join, owner, others, barred, partner: true, ..live };
        self.tell_floor(queue.centre, Fact::Enter(Box::new(arrival)));
        self.mark(id);
        Some(work)
    }

    /// Whoever was called has come: by the page, or with the phone lifted.
    pub(crate) fn come_beside(
        &mut self,
        id: CallId,
        leg: LegId,
        agent: AgentId,
        offer: OfferId,
        work: WorkId,
    ) {
        let talks = self.calls.get(&id).is_some_and(|call| call.connected().is_some());
        if !talks || !self.calls.get(&id).is_some_and(|call| call.joins.contains(&work)) {
            return self.fell_before_bridge(id, leg, offer);
        }
        self.tell_floor(offer.centre, Fact::Taken { offer });
        if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) {
            leg.state = LegState::Up;
        }
        self.seat(id, leg, Seat::Speaks, Actor::Agent(agent));
        let asked = self.calls.get(&id).and_then(|call| call.consult).and_then(|it| it.work) == Some(work);
        if asked {
            self.consult_answered(id, leg);
        }
        self.tell_floor(offer.centre, Fact::Connected { offer });
        self.wanted_no_more(id, work);
        if self.is_regulator(agent) {
            self.has_regulator(id);
        }
        self.heard_instead(id, leg);
        if asked {
            self.passed_on(id);
        }
    }

    /// An item of this kind is over: somebody has come, or nobody is wanted.
    fn wanted_no_more(&mut self, id: CallId, work: WorkId) {
        let standing = self.centre(work.centre).and_then(|centre| centre.floor.place(work));
        match standing {
            Some(_) => self.tell_floor(work.centre, Fact::Leave { work, exit: Exit::Withdrawn }),
            None => self.log(work.centre, Event::Withdrawn { work, call: id, waited: Duration::ZERO }),
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.joins.retain(|other| *other != work);
            call.asks.retain(|(other, _)| *other != work);
            call.vital_call = call.vital_call.filter(|other| *other != work);
        }
        self.alarms.clear(Alarm::AskedUntil(work));
        self.mark(id);
        self.forget_work(work);
    }

    /// Whoever was asked in beside others has not come.
    pub(crate) fn asked_long_enough(&mut self, work: WorkId) {
        let id = self.centre(work.centre).and_then(|centre| centre.works.get(&work)).copied();
        if let Some(id) = id {
            self.stop_join(id, work);
        }
    }

    /// Nobody is called into this conversation any more.
    pub(crate) fn stop_joins(&mut self, id: CallId) {
        for work in self.calls.get(&id).map(|call| call.joins.clone()).unwrap_or_default() {
            self.wanted_no_more(id, work);
        }
    }

    /// One who was asked is called no more.
    pub(crate) fn stop_join(&mut self, id: CallId, work: WorkId) {
        if self.calls.get(&id).is_some_and(|call| call.joins.contains(&work)) {
            self.wanted_no_more(id, work);
        }
    }

    /// A busy agent takes an alert, or comes into another conversation: what is in the ear goes to
    /// the shared list, or to whoever else is in it.
    pub(crate) fn claim(&mut self, agent: AgentId, offer: OfferId) -> Result<(), Refusal> {
        let fact = Fact::Claim { agent, offer };
        let centre = self.centre(agent.centre).ok_or(Refusal::Unknown)?;
        centre.floor.allows(&fact)?;
        let busy = centre.floor.agent(agent).and_then(|view| view.call);
        let busy =
            busy.filter(|id| self.calls.get(id).is_some_and(|call| call.leg_of_agent(agent).is_some()));
        if let Some(id) = busy {
            if centre.floor.offer(offer).is_some_and(|standing| standing.call == id) {
                return Err(Refusal::Busy); // it is the call in the ear: there is nowhere to come to
            }
            self.put_aside(agent, id)?;
            // Making room may have freed others, and one of them has what was claimed.
            let still = self.centre(agent.centre).map(|centre| centre.floor.allows(&fact));
            if let Some(Err(refusal)) = still {
                self.tell_floor(agent.centre, Fact::Aside { agent, call: id });
                return Err(refusal);
            }
        }
        self.tell_floor(agent.centre, fact);
        Ok(())
    }
}
