//! A call ends, or loses a party. A release is somebody's deliberate act and ends the call; a loss
//! on an agent's side never does: the caller waits again, with the place kept (I7).

use crate::alarm::Alarm;
use crate::call::event::{Actor, Cause, ConsultEnd, Event, Loss, OfferEnd, Seat, Unreached};
use crate::call::leg::LegState;
use crate::call::party::{Party, PartyRole};
use crate::call::{Call, Purpose};
use crate::converse::DOUBTFUL;
use crate::dialplan::ClassId;
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, LegId, OfferId, WorkId};
use crate::io::Output;
use crate::queue::{Arrival, Fact};
use sip::endpoint::DialogId;
use std::time::Duration;

/// A caller who hangs up before this has abandoned briefly: often a wrong number
/// (`product.md`: short under 15 s).
const SHORT: Duration = Duration::from_secs(15);

/// Normal call clearing (ITU-T Q.850).
pub(crate) const CLEARED: &str = "Q.850;cause=16";

impl Engine {
    /// A peer has hung up: CANCEL or BYE, already answered.
    pub(crate) fn hung_up(&mut self, dialog: DialogId) {
        match self.lines.remove(&dialog) {
            Some(Line::Party(id, leg)) if self.is_caller(id, leg) => self.caller_gone(id, false),
            Some(Line::Party(id, leg)) if self.gives_up_by_phone(id, leg) => {}
            Some(Line::Party(id, leg)) => self.party_hung_up(id, leg),
            Some(Line::Tone(leg)) => self.end_tone(leg),
            None => {}
        }
    }

    /// Our 200 was never acknowledged. Its dialog stands until we end it.
    pub(crate) fn unconfirmed(&mut self, dialog: DialogId) {
        match self.lines.get(&dialog).copied() {
            Some(Line::Party(id, leg)) if self.is_caller(id, leg) => self.caller_unconfirmed(id, leg),
            Some(Line::Party(id, leg)) => self.leg_lost(id, leg, Loss::NoAnswer),
            Some(Line::Tone(leg)) => self.end_tone(leg),
            None => {}
        }
    }

    /// A peer does not answer within its dialog, or does not know it any more. The dialog stands
    /// until we end it. `code` is how it said so; `None`: by silence.
    pub(crate) fn lost(&mut self, dialog: DialogId, code: Option<u16>) {
        match self.lines.get(&dialog).copied() {
            Some(Line::Party(id, leg)) if self.is_caller(id, leg) => self.unanswering(id, leg),
            Some(Line::Party(id, leg)) if code.is_none() && self.is_outside(id, leg) => {
                self.unanswering(id, leg);
            }
            Some(Line::Party(id, leg)) => self.leg_lost(id, leg, Loss::NoAnswer),
            Some(Line::Tone(leg)) => self.end_tone(leg),
            None => {}
        }
    }

    pub(crate) fn is_caller(&self, id: CallId, leg: LegId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.caller().id == leg)
    }

    /// Whether this leg's peer is somebody over a trunk whom we have rung.
    pub(crate) fn is_outside(&self, id: CallId, leg: LegId) -> bool {
        let party = self.calls.get(&id).and_then(|call| call.party(leg));
        party.is_some_and(|party| matches!(party.role, PartyRole::Outside { .. } | PartyRole::Outlet))
    }

    /// Whether this is somebody outside with whom one of ours talks.
    pub(crate) fn has_partner(&self, id: CallId, leg: LegId) -> bool {
        let Some(call) = self.calls.get(&id).filter(|call| call.connected().is_some()) else { return false };
        let outside =
            |party: &Party| party.seat != Seat::Out && matches!(party.role, PartyRole::Outside { .. });
        let ours = |party: &Party| party.is_agent_speaking() && party.lost.is_none();
        call.party(leg).is_some_and(outside) && call.seated().any(ours)
    }

    /// The signalling of the caller, or of somebody outside, is in doubt. As long as audio may come, they
    /// are there (`edges.md`): asked again later, and hung up on when the call ends.
    fn unanswering(&mut self, id: CallId, leg: LegId) {
        let Some(found) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) else { return };
        found.unanswered = found.unanswered.saturating_add(1);
        let (is_over, doubtful) = (found.is_silent_for_good(), found.silent >= DOUBTFUL);
        // Whoever has the caller alone, and is not heard either, leaves them to everybody.
        if is_over || (doubtful && !self.is_caller(id, leg) && !self.has_partner(id, leg)) {
            return self.silent_for_good(id, leg, Loss::NoAnswer);
        }
        if let Some(found) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) {
            found.state = LegState::Lost;
        }
        self.mark(id);
        self.watch(leg);
    }

    /// Neither signalling nor audio: nobody is there.
    pub(crate) fn silent_for_good(&mut self, id: CallId, leg: LegId, loss: Loss) {
        if self.is_caller(id, leg) { self.caller_lost(id) } else { self.leg_lost(id, leg, loss) }
    }

    /// No ACK in 64*T1. Who was heard meanwhile is there, and is asked at once; who was not, is not.
    fn caller_unconfirmed(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get(&id) else { return };
        if !call.caller().heard || call.caller().is_silent_for_good() {
            return self.caller_lost(id);
        }
        self.caller_confirmed(id, None);
        self.probe(leg);
    }

    /// A peer whose signalling was in doubt answers.
    pub(crate) fn alive(&mut self, dialog: DialogId) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return };
        let found = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg));
        let Some(found) = found else { return };
        found.unanswered = 0;
        if found.state == LegState::Lost {
            found.state = LegState::Up;
            self.mark(id);
            self.back(id, leg);
        }
    }

    /// Neither signalling nor audio: the caller's network has failed.
    pub(crate) fn caller_lost(&mut self, id: CallId) {
        self.caller_gone(id, true);
    }

    /// The caller is gone: in the same step nobody rings or talks for this call any more (I5).
    pub(crate) fn caller_gone(&mut self, id: CallId, network: bool) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.purpose == Purpose::Test {
            return self.finish_test(id, Actor::Caller);
        }
        let (talk, work) = (call.connected(), call.work);
        // Talked, and was on hold, with somebody outside, or waiting for the next stage.
        let beside = call.course.handover.is_some() || call.course.away.is_some();
        let talked = talk.is_some() || call.aside.is_some() || call.handed.is_some() || beside;
        let (ears, was_handed) = (call.ears(), call.handed.is_some());
        let waited = self.now.at.since(call.record.arrived_at);
        self.end_consult(id, ConsultEnd::Over);
        self.stop_joins(id);
        for leg in self.calls.get(&id).map(Call::other_legs).unwrap_or_default() {
            self.let_go(id, leg, Some(CLEARED));
        }
        let cause = match talked {
            _ if network => Cause::Network,
            true => Cause::Released,
            false if waited < SHORT => Cause::ShortAbandon,
            false => Cause::Abandon,
        };
        if let Some(work) = work {
            self.tell_floor(work.centre, Fact::Gone { work });
            self.forget_work(work);
        }
        if (talk.is_some() || was_handed) && !network {
            self.log_call(id, Event::Released { call: id, by: Actor::Caller, disposition: None });
        }
        let by = if network { Actor::System } else { Actor::Caller };
        self.close(id, by, cause);
        self.free_ears(id, ears);
    }

    /// BYE from somebody's phone. In a conversation it is deliberate; before the bridge stands it is
    /// not: the caller has talked with nobody and keeps the place (I3).
    fn party_hung_up(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(party) = call.party(leg) else { return };
        let connected = call.connected().is_some() && party.seat != Seat::Out;
        let role = party.role.clone();
        if self.hangs_up_passing(id, leg) {
            return;
        }
        match role {
            PartyRole::Outside { .. } => self.outside_hung_up(id, leg),
            PartyRole::Outlet => self.outlet_hung_up(id, leg),
            PartyRole::SecondLine { agent } => self.second_line_hung_up(id, agent),
            PartyRole::Agent { agent, .. } | PartyRole::Supervisor { agent, .. } if connected => {
                // It is in the conversation, so this cannot be refused.
                let _ = self.release_by(agent, id, Actor::Agent(agent), None);
            }
            PartyRole::Agent { offer, .. } => self.fell_before_bridge(id, leg, offer),
            PartyRole::Supervisor { .. } => self.part(id, leg, Actor::System, None),
            PartyRole::Caller | PartyRole::Fallback { .. } => self.let_go(id, leg, None),
        }
    }

    /// A deliberate end of a conversation from our side: the caller gets its BYE.
    pub(crate) fn release(&mut self, id: CallId, by: Actor, disposition: Option<String>) {
        self.end_consult(id, ConsultEnd::Over);
        self.stop_joins(id);
        self.log_call(id, Event::Released { call: id, by: by.clone(), disposition });
        self.close(id, by, Cause::Released);
    }

    /// A leg that rang or answered falls away before its bridge stands.
    pub(crate) fn fell_before_bridge(&mut self, id: CallId, leg: LegId, offer: OfferId) {
        if self.calls.get(&id).is_some_and(|call| call.course.is_dialling()) {
            return self.unreached(id, Unreached::AgentLost);
        }
        self.let_go(id, leg, None);
        self.hold_again(id, leg);
        let end = OfferEnd::LostBeforeBridge;
        self.tell_floor(offer.centre, Fact::Failed { offer, end });
    }

    /// A caller who had an agent waits once more, as a new item with the old arrival. What a human
    /// said of the call counts; what nobody has said is taken for vital (I34).
    pub(crate) fn wait_again(&mut self, id: CallId) -> Option<WorkId> {
        let named = self.calls.get(&id).and_then(|call| self.class_once_lost(call));
        let centre = self.centres.get_mut(usize::from(id.centre.0))?;
        let call = self.calls.get_mut(&id)?;
        if let Some((class, fenced)) = named {
            (call.class, call.fenced) = (class, fenced);
        }
        call.course.broken = true;
        let served = call.course.served.take();
        let class = centre.plan.class_named(&call.class).unwrap_or(ClassId(0));
        let queue = centre.queue_named(&call.queue);
        let work = centre.work_id();
        centre.works.insert(work, id);
        call.work = Some(work);
        let arrival = Arrival { again: true, ..call.arrival(work, queue, class, call.came()) };
        self.tell_floor(id.centre, Fact::Enter(Box::new(arrival)));
        if let Some(served) = served {
            self.offer_there_again(id, served.at);
        }
        Some(work)
    }

    /// The class of a caller whom our side has left without an agent, and whether it is behind the fence.
    pub(crate) fn class_once_lost(&self, call: &Call) -> Option<(String, bool)> {
        let plan = &self.centre(call.id.centre)?.plan;
        let first_with = |fence: bool| plan.classes.iter().find(|class| class.fence == fence);
        let named = || plan.class_named(&call.class).and_then(|class| plan.class(class));
        let known = if call.qualified { named() } else { first_with(true) };
        // A plan without that class has been loaded since: the first on the same side of the fence.
        known.or_else(|| first_with(call.fenced)).map(|class| (class.name.clone(), class.fence))
    }

    /// Whether its caller had somebody whom our side has lost, and nobody since.
    pub(crate) fn is_broken(call: &Call) -> bool {
        call.lost || call.course.broken
    }

    /// An item has left its queue, and the floor has said all it has to say of it.
    pub(crate) fn forget_work(&mut self, work: WorkId) {
        if let Some(centre) = self.centre_mut(work.centre) {
            centre.works.remove(&work);
        }
    }

    /// The call is out of an agent's ear, if it was in it.
    pub(crate) fn free_ear(&mut self, id: CallId, agent: AgentId) {
        self.tell_floor(agent.centre, Fact::EarFree { agent, call: id });
    }

    /// A call is over for whoever had it in the ear. Told after its end: what an agent is offered next
    /// follows what is behind them.
    fn free_ears(&mut self, id: CallId, ears: Vec<AgentId>) {
        for agent in ears {
            self.free_ear(id, agent);
        }
    }

    /// A test call is over: nobody but the caller was ever in it.
    pub(crate) fn finish_test(&mut self, id: CallId, by: Actor) {
        self.close(id, by, Cause::Test);
    }

    /// The call is over: its one record, and nothing of it stays anywhere (I6, I23).
    pub(crate) fn close(&mut self, id: CallId, by: Actor, cause: Cause) {
        self.leave_behind(id, &by, cause);
        self.drop_outlets(id);
        self.no_longer_open(id);
        self.stop_joins(id);
        self.serve(id, None);
        self.log(id.centre, Event::Ended { call: id, by, cause });
        let Some(call) = self.calls.remove(&id) else { return };
        self.of_phones.remove(&id);
        for party in call.parties() {
            self.drop_leg(&party.leg, Some(CLEARED));
        }
        self.alarms.clear(Alarm::AnswerBy(id));
        self.alarms.clear(Alarm::TestOver(id));
        self.alarms.clear(Alarm::LossRings(id));
        self.alarms.clear(Alarm::LossOpens(id));
        self.alarms.clear(Alarm::Recall(id));
        self.alarms.clear(Alarm::ConsultBy(id));
        self.alarms.clear(Alarm::Recontact(id));
        self.off_line(&call);
        self.remember_caller(&call, cause);
        let ears = call.ears();
        // In this order: what the journal forgets has been recorded.
        self.put(Output::Record(Box::new(call.record)));
        self.put(Output::Forget(id));
        self.free_ears(id, ears);
    }
}
