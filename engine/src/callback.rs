//! Calling back: work without a live caller. It waits in a queue at the place its caller had, an
//! agent sees whom it is about and accepts, then the person's phone rings; both hear each other when
//! they answer, and from there it is a call like any other.
//!
//! | from | why |
//! |---|---|
//! | a caller who hung up after 15 s or more | `Abandoned` |
//! | a call that a network broke, or whose agent we had lost | `Broken` |
//! | a caller who hung up on hold, or while waiting for the next stage | `Kept` |
//! | an agent's key | `Planned` for a time, or `Dropped` at once |
//!
//! Only a plan that names a trunk to call back through has callbacks, and only one person's number
//! gets one by itself: a partner's line and a withheld number are nobody in particular.

mod list;
mod on_line;

pub(crate) use list::Callbacks;

use crate::alarm::Alarm;
use crate::call::course::{Callback, CallbackState};
use crate::call::event::{Actor, Beside, Cause, Closing, Event, OfferEnd, Seat, Unreached, WhyCallback};
use crate::call::leg::LegState;
use crate::call::record::Record;
use crate::call::{Call, Purpose, Talk};
use crate::dialplan::{Dialplan, SkillNeed};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, OfferId};
use crate::io::Refusal;
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::outward::not_dialled;
use crate::queue::{Arrival, Exit, Fact, Owner, WorkKind};
use crate::time::Instant;
use crate::trunks::{Fault, fault};
use sip::endpoint::DialogId;
use std::time::Duration;

/// Callbacks open in one centre at once. The worst night brings a thousand abandoned calls; more is
/// a list nobody works through, and each costs a call's memory.
const CALLBACKS_MAX: usize = 4_096;

/// The longest an agent may plan ahead.
const PLANNED_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Until an attempt that our side or the carrier failed is made again, by a plan that does not say.
const RETRY_FAILED: Duration = Duration::from_secs(60);

/// The disposition of a call that goes on as a callback.
const GOES_ON: &str = "callback";

/// What is asked for.
struct Wish {
    why: WhyCallback,
    /// Where its wait is counted from.
    since: Instant,
    /// Not before.
    due: Option<Instant>,
    owner: Option<AgentId>,
    by: Actor,
}

impl Engine {
    /// A caller is gone without having been helped to the end: the work goes on, if the plan calls
    /// back.
    pub(crate) fn leave_behind(&mut self, id: CallId, by: &Actor, cause: Cause) {
        let goes_on = self.wake_callbacks(id);
        let Some(call) = self.calls.get(&id).filter(|call| call.purpose != Purpose::Test) else { return };
        let since = call.came();
        // Our side had lost whoever talked with the caller, and nobody of ours has ended it.
        let broken = Engine::is_broken(call) && matches!(by, Actor::Caller | Actor::System);
        let kept = call.course.handover.is_some() || call.aside.is_some();
        match cause {
            _ if call.course.is_unreached() || goes_on => {}
            Cause::Released if kept => self.keep_work(id),
            Cause::Network => self.call_back_later(id, WhyCallback::Broken, since),
            _ if broken => self.call_back_later(id, WhyCallback::Broken, since),
            Cause::Abandon => self.call_back_later(id, WhyCallback::Abandoned, since),
            _ => {}
        }
    }

    /// A callback that comes by itself.
    pub(crate) fn call_back_later(&mut self, id: CallId, why: WhyCallback, since: Instant) {
        let plan = self.centre(id.centre).and_then(|centre| centre.plan.callback.as_ref());
        let wanted = plan.is_some_and(|plan| match why {
            WhyCallback::Abandoned => plan.abandoned,
            WhyCallback::Broken => plan.broken,
            WhyCallback::Planned | WhyCallback::Dropped | WhyCallback::Kept => true,
        });
        if wanted && self.calls.get(&id).is_some_and(|call| call.course.person) {
            let (due, owner, by) = (None, None, Actor::System);
            // Refused only for a plan or a number that is not there; both have been looked at.
            let _ = self.open_callback(id, Wish { why, since, due, owner, by });
        }
    }

    /// An agent ends the call in the ear and the work goes on: one gesture.
    pub(crate) fn drop_to_callback(
        &mut self,
        agent: AgentId,
        id: CallId,
        note: Option<String>,
        by: Actor,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let talk = call.connected().filter(|talk| talk.agent == agent).ok_or(Refusal::Unknown)?;
        if call.seated().any(|party| party.leg.id != talk.leg && party.is_agent_speaking()) {
            return Err(Refusal::Busy); // the caller goes on talking with them
        }
        let since = call.came();
        if let Some(note) = note.filter(|note| !note.trim().is_empty()) {
            self.note(id, &note, by.clone())?;
        }
        let wish = Wish { why: WhyCallback::Dropped, since, due: None, owner: None, by: by.clone() };
        self.open_callback(id, wish)?;
        self.release_by(agent, id, by, Some(GOES_ON.to_owned()))
    }

    /// An agent wants to talk with this caller again, later. The call goes on as it is.
    pub(crate) fn plan_callback(
        &mut self,
        id: CallId,
        after: Duration,
        note: Option<String>,
        by: Actor,
    ) -> Result<(), Refusal> {
        if after > PLANNED_MAX {
            return Err(Refusal::Invalid);
        }
        if let Some(note) = note.filter(|note| !note.trim().is_empty()) {
            self.note(id, &note, by.clone())?;
        }
        let due = self.now.at + after;
        let owner = if let Actor::Agent(agent) = by { Some(agent) } else { None };
        let wish = Wish { why: WhyCallback::Planned, since: due, due: Some(due), owner, by };
        self.open_callback(id, wish).map(|_| ())
    }

    /// Somebody is to be called: the caller of this call.
    fn open_callback(&mut self, of: CallId, wish: Wish) -> Result<CallId, Refusal> {
        let origin = self.calls.get(&of).ok_or(Refusal::Unknown)?;
        let record = &origin.record;
        let keep = self.centre(of.centre).and_then(|centre| centre.plan.callback.as_ref());
        let keep = keep.ok_or(Refusal::Invalid)?.keep;
        if record.caller.0.is_empty() {
            return Err(Refusal::Invalid);
        }
        let (trunk, called) = (record.trunk.clone(), record.called.clone());
        let (service, caller) = (record.service.clone(), record.caller.clone());
        let (caller_name, number) = (record.caller_name.clone(), record.caller.0.clone());
        let (note, tags) = (record.notes.last().cloned(), origin.course.tags.clone());
        let mut carried = Carried::of(origin);
        if let Some((class, fenced)) =
            Some(origin).filter(|call| Engine::is_broken(call)).and_then(|it| self.class_once_lost(it))
        {
            (carried.class, carried.fenced) = (class, fenced);
        }
        // Two calls of one person, and this one is over: nobody rings them while the other waits.
        let line = if wish.due.is_none() { self.other_line(of) } else { None };
        let centre = self.centre_mut(of.centre).ok_or(Refusal::Unknown)?;
        let (id, leg) = (centre.call_id(), centre.leg_id());
        let (why, since, due, owner) = (wish.why, wish.since, wish.due, wish.owner);
        let opened = Beside::CallbackOpened {
            call: id,
            of: Some(of),
            why,
            trunk,
            called,
            service,
            caller,
            caller_name,
            since,
            due,
            owner,
            by: wish.by,
        };
        let entry = self.log_apart(of.centre, Event::Beside(opened));
        let record = entry.as_ref().and_then(Record::open).ok_or(Refusal::Unknown)?;
        let mut call = Call::new(record, not_dialled(leg), Purpose::Callback);
        carried.into(&mut call);
        call.course.person = true;
        call.course.owner = owner;
        let state = CallbackState::Waiting;
        let over = self.now.at.max(due.unwrap_or(since)) + keep;
        call.course.callback =
            Some(Callback { of: Some(of), why, since, tried: 0, rests: None, over, state });
        self.calls.insert(id, call);
        if let Some(centre) = self.centre_mut(of.centre) {
            centre.callbacks.add(&number, id);
        }
        self.alarms.set(Alarm::CallbackOver(id), over);
        for tag in tags {
            self.tag(id, &tag, Actor::System);
        }
        if let Some(note) = note {
            self.log(of.centre, Event::Noted { call: id, by: note.by, text: note.text });
        }
        match line {
            Some(line) => self.waits_for_line(id, line),
            None => self.enter_callback(id),
        }
        self.make_room_for_callbacks(of.centre);
        Ok(id)
    }

    /// The callback waits in its queue, where its caller had stood.
    pub(crate) fn enter_callback(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(callback) = call.course.callback.clone() else { return };
        let Some((queue, class)) = self.place_named(id, &call.queue.clone(), &call.class.clone()) else {
            return;
        };
        let times = callback.rests.into_iter().chain([callback.since]);
        let not_before = times.max().filter(|until| *until > self.now.at);
        self.stage(id, queue);
        if let Some(until) = not_before {
            self.log(id.centre, Event::Beside(Beside::CallbackRests { call: id, until }));
        }
        let Some(centre) = self.centres.get_mut(usize::from(id.centre.0)) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let work = centre.work_id();
        centre.works.insert(work, id);
        call.work = Some(work);
        if let Some(callback) = call.course.callback.as_mut() {
            (callback.state, callback.rests) = (CallbackState::Waiting, not_before);
        }
        // Whether it is for leads, and who speaks their language, is as it was for the call; the skills its
        // route added are not kept.
        let kind = if callback.why == WhyCallback::Kept { WorkKind::Kept } else { WorkKind::Callback };
        let owner = call.course.owner.map(|agent| Owner { agent, alone: Dialplan::ALONE });
        let arrival = Arrival { kind, not_before, owner, ..call.arrival(work, queue, class, callback.since) };
        self.mark(id);
        self.tell_floor(id.centre, Fact::Enter(Box::new(arrival)));
    }

    /// Too many: the least urgent goes, and the log says so.
    fn make_room_for_callbacks(&mut self, centre: crate::id::CentreId) {
        let Some(found) = self.centre(centre).filter(|it| it.callbacks.len() > CALLBACKS_MAX) else {
            return;
        };
        let rank = |id: &CallId| {
            let work = self.calls.get(id)?.work?;
            let place = found.floor.place(work)?;
            Some((!place.fenced, place.due, *id))
        };
        let least = found.callbacks.all().filter_map(rank).max();
        if let Some((.., id)) = least {
            self.close_callback(id, Closing::Crowded, Actor::System);
        }
    }

    /// An agent has accepted: the person's phone is rung, and the agent hears so.
    pub(crate) fn dial_back(&mut self, id: CallId, talk: Talk) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.talk = Some(talk);
        if let Some(party) = call.party_mut(talk.leg) {
            party.seat = Seat::Speaks;
        }
        if let Some(callback) = call.course.callback.as_mut() {
            (callback.state, callback.rests) = (CallbackState::Dialling, None);
        }
        let (leg, agent) = (call.caller().id, talk.agent);
        self.log(id.centre, Event::Beside(Beside::Dialled { call: id, leg, agent }));
        self.media(MediaCommand::Play { leg: talk.leg, program: Program::RingBack });
        self.watch(talk.leg);
        self.mark(id);
        let plan = self.centre(id.centre).and_then(|centre| centre.plan.callback.clone());
        let Some(plan) = plan else { return self.unreached(id, Unreached::Failed) };
        let ways = self.ways_out(id.centre, Some(&plan.trunk)).into();
        if self.dial_person(id, leg, ways, plan.shown.as_deref()) {
            self.alarms.set(Alarm::CallbackUnanswered(id), self.now.at + plan.ring);
        } else {
            self.unreached(id, Unreached::Failed);
        }
    }

    /// Whether this leg is the person's of a callback whose phone is rung.
    pub(crate) fn is_rung_back(&self, id: CallId, leg: LegId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.course.is_dialling() && call.caller().id == leg)
    }

    /// The person has answered: both hear each other.
    pub(crate) fn person_answered(&mut self, id: CallId, dialog: DialogId, sdp: Option<&[u8]>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk else { return };
        let leg = call.caller().id;
        call.caller_mut().dialogs = vec![dialog];
        let Some(agreed) = sdp.and_then(negotiate::read_answer) else {
            return self.unreached(id, Unreached::Failed);
        };
        call.caller_mut().state = LegState::Up;
        if let Some(callback) = call.course.callback.as_mut() {
            callback.state = CallbackState::Reached;
        }
        self.no_longer_open(id);
        self.on_line(id);
        self.agree(id, leg, agreed);
        let agent = talk.agent;
        self.log(id.centre, Event::Beside(Beside::Reached { call: id, agent }));
        self.watch(leg);
        self.bridge(id, talk);
        let (why, by) = (Closing::Reached, Actor::Agent(agent));
        self.log(id.centre, Event::Beside(Beside::CallbackClosed { call: id, why, by }));
    }

    /// The person's phone could not be rung, or was not answered.
    pub(crate) fn person_failed(&mut self, id: CallId, code: u16) {
        if self.dial_person_on(id, code) {
            return;
        }
        let how = match code {
            486 | 600 => Unreached::Busy,
            // Rung and not answered; a number that nobody has, that is too short or too long.
            408 | 404 | 410 | 414 | 416 | 484 | 485 | 604 => Unreached::NoAnswer,
            code if fault(code) == Fault::Person => Unreached::NoAnswer,
            // The carrier's trouble, or a setting of ours that it does not take: nobody's phone has rung.
            _ => Unreached::Failed,
        };
        self.unreached(id, how);
    }

    /// The agent who has accepted a callback does not want to wait for the person any longer.
    pub(crate) fn gives_up(&mut self, agent: AgentId, id: CallId) -> bool {
        let call = self.calls.get(&id).filter(|call| call.course.is_dialling());
        let gives_up = call.and_then(|call| call.talk).is_some_and(|talk| talk.agent == agent);
        if gives_up {
            self.unreached(id, Unreached::GivenUp);
        }
        gives_up
    }

    /// The same, by hanging up the phone.
    pub(crate) fn gives_up_by_phone(&mut self, id: CallId, leg: LegId) -> bool {
        let call = self.calls.get(&id).filter(|call| call.course.is_dialling());
        let gives_up = call.and_then(|call| call.talk).is_some_and(|talk| talk.leg == leg);
        if gives_up {
            self.unreached(id, Unreached::GivenUp);
        }
        gives_up
    }

    /// The floor has taken the offer back while the person's phone rang: the item is at its rank.
    pub(crate) fn stops_dialling(&mut self, id: CallId, offer: OfferId) -> bool {
        let call = self.calls.get(&id).filter(|call| call.course.is_dialling());
        let stops = call.and_then(|call| call.talk).is_some_and(|talk| talk.offer == offer);
        if stops {
            self.unreached(id, Unreached::AgentLost);
        }
        stops
    }

    /// Nobody was reached: the agent is free, and the callback is tried again later, as often as the
    /// plan says. What was our own trouble, or the carrier's, is no attempt.
    pub(crate) fn unreached(&mut self, id: CallId, how: Unreached) {
        let Some(Talk { offer, .. }) = self.end_dialling(id, how) else { return };
        if how == Unreached::AgentLost {
            let end = OfferEnd::LostBeforeBridge;
            return self.tell_floor(id.centre, Fact::Failed { offer, end });
        }
        let plan = self.centre(id.centre).and_then(|centre| centre.plan.callback.as_ref());
        let retry = plan.map(|plan| plan.retry.clone()).unwrap_or_default();
        let call = self.calls.get_mut(&id);
        let Some(callback) = call.and_then(|call| call.course.callback.as_mut()) else { return };
        let next = if how == Unreached::Failed {
            Some(retry.first().copied().unwrap_or(RETRY_FAILED))
        } else {
            callback.tried += 1;
            usize::try_from(callback.tried).ok().and_then(|tried| retry.get(tried - 1)).copied()
        };
        match next {
            Some(again) => {
                let until = self.now.at + again;
                callback.rests = Some(until);
                self.log(id.centre, Event::Beside(Beside::CallbackRests { call: id, until }));
                self.tell_floor(id.centre, Fact::Attempted { offer, again: Some(again) });
            }
            None => {
                self.tell_floor(id.centre, Fact::Attempted { offer, again: None });
                self.close_callback(id, Closing::Exhausted, Actor::System);
            }
        }
    }

    /// The person's phone is rung no more, and the agent hears nothing of it any more: the conversation
    /// that was to be.
    fn end_dialling(&mut self, id: CallId, how: Unreached) -> Option<Talk> {
        self.alarms.clear(Alarm::CallbackUnanswered(id));
        let fresh = self.centre_mut(id.centre)?.leg_id();
        let call = self.calls.get_mut(&id)?;
        let talk = call.talk.take()?;
        call.course.callback.as_mut()?.state = CallbackState::Waiting;
        let old = std::mem::replace(call.caller_mut(), not_dialled(fresh));
        self.drop_leg(&old, None);
        self.log(id.centre, Event::Beside(Beside::NotReached { call: id, agent: talk.agent, how }));
        self.let_go(id, talk.leg, Some(crate::release::CLEARED));
        Some(talk)
    }

    /// The person's phone has rung for long enough.
    pub(crate) fn callback_unanswered(&mut self, id: CallId) {
        if self.calls.get(&id).is_some_and(|call| call.course.is_dialling()) {
            self.unreached(id, Unreached::NoAnswer);
        }
    }

    /// A callback has been open for as long as the plan keeps it.
    pub(crate) fn callback_over(&mut self, id: CallId) {
        match self.calls.get(&id).map(|call| call.course.is_dialling()) {
            Some(true) => self.alarms.set(Alarm::CallbackOver(id), self.now.at + Duration::from_secs(60)),
            Some(false) => self.close_callback(id, Closing::Expired, Actor::System),
            None => {}
        }
    }

    /// A person says that a callback is not needed any more.
    pub(crate) fn dismiss_callback(&mut self, id: CallId, reason: &str, by: Actor) -> Result<(), Refusal> {
        let reason = reason.trim();
        let call = self.calls.get(&id).ok_or(Refusal::Gone)?;
        if !call.course.is_unreached() {
            return Err(Refusal::Invalid);
        }
        if call.course.is_dialling() {
            return Err(Refusal::Busy);
        }
        if reason.is_empty() || reason.chars().count() > crate::io::NOTE_MAX {
            return Err(Refusal::Invalid);
        }
        self.close_callback(id, Closing::Dismissed(reason.to_owned()), by);
        Ok(())
    }

    fn close_callback(&mut self, id: CallId, why: Closing, by: Actor) {
        self.take_out(id);
        self.log(id.centre, Event::Beside(Beside::CallbackClosed { call: id, why, by: by.clone() }));
        self.close(id, by, Cause::Unreached);
    }

    /// The callback waits in no queue.
    fn take_out(&mut self, id: CallId) {
        if let Some(work) = self.calls.get_mut(&id).and_then(|call| call.work.take()) {
            self.tell_floor(id.centre, Fact::Leave { work, exit: Exit::Withdrawn });
            self.forget_work(work);
        }
    }

    /// A callback is reached, or over.
    pub(crate) fn no_longer_open(&mut self, id: CallId) {
        self.alarms.clear(Alarm::CallbackUnanswered(id));
        self.alarms.clear(Alarm::CallbackOver(id));
        let Some(call) = self.calls.get(&id).filter(|call| call.course.callback.is_some()) else { return };
        let number = call.record.caller.0.clone();
        if let Some(centre) = self.centre_mut(id.centre) {
            centre.callbacks.remove(&number, id);
        }
    }

    /// Callbacks nobody talks in: they need no port and wait for nobody's restart.
    pub(crate) fn resting(&self) -> usize {
        self.centres.iter().map(|centre| centre.callbacks.len()).sum()
    }
}

/// What a callback keeps of the call it comes from.
struct Carried {
    class: String,
    fenced: bool,
    qualified: bool,
    queue: String,
    hold_sound: String,
    credit: Duration,
    leads: Vec<SkillNeed>,
    language: Option<String>,
}

impl Carried {
    fn of(call: &Call) -> Carried {
        Carried {
            class: call.class.clone(),
            fenced: call.fenced,
            qualified: call.qualified,
            queue: call.queue.clone(),
            hold_sound: call.hold_sound.clone(),
            credit: call.credit,
            leads: call.course.leads.clone(),
            language: call.course.language.clone(),
        }
    }

    fn into(self, call: &mut Call) {
        call.class = self.class;
        call.fenced = self.fenced;
        call.qualified = self.qualified;
        call.queue = self.queue;
        call.hold_sound = self.hold_sound;
        call.credit = self.credit;
        (call.course.leads, call.course.language) = (self.leads, self.language);
    }
}
