//! Ways out of a queue that cannot serve: another centre of this process, or a number outside.
//!
//! The floor says when, and goes to other queues of its own centre by itself. Here the caller is
//! offered elsewhere and keeps the place at home until a human there has answered: whoever is first
//! has the call, and a way that comes to nothing costs nobody anything.

use crate::alarm::Alarm;
use crate::call::course::{Outlet, Served, Way};
use crate::call::event::{Actor, Beside, Cause, Event, Private, Seat, Source};
use crate::call::party::{Party, PartyRole};
use crate::dialplan::{ClassId, Destination, Dialplan, Facts, Room};
use crate::engine::Engine;
use crate::id::{CallId, CentreId, LegId, QueueId, WorkId};
use crate::io::Refusal;
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::queue::{Arrival, Exit, Fact, Others, Overflowing};
use crate::release::CLEARED;
use crate::trunks;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// For so long a number outside may ring. Longer keeps a caller from the rule's next try, shorter
/// hangs up on somebody who is on the way to the phone.
const RINGS: Duration = Duration::from_secs(30);

impl Engine {
    /// A rule of its queue says that this call should be offered elsewhere.
    pub(crate) fn overflow(&mut self, step: &Overflowing) {
        let Overflowing { work, call, queue, rule, ref to, additive } = *step;
        let words = self.in_words(work.centre, to);
        let waits = self.calls.get(&call).is_some_and(|it| it.work == Some(work) && it.talk.is_none());
        if let Destination::Queue(_) = to {
            // The floor does that by itself, and says itself when the item has moved.
            if waits && additive {
                self.log(call.centre, Event::Beside(Beside::Overflowing { call, work, to: words }));
            }
            return;
        }
        let trying = |it: &Outlet| it.to == words;
        if !waits || self.calls.get(&call).is_some_and(|it| it.course.outlets.iter().any(trying)) {
            return self.overflow_returned(work, queue, rule);
        }
        self.log(call.centre, Event::Beside(Beside::Overflowing { call, work, to: words.clone() }));
        let (mut number, mut left) = (Private(String::new()), VecDeque::new());
        let way = match to {
            Destination::Centre(name) => self.visit(call, name),
            Destination::Trunk { trunk, number: to } => {
                let called = self.calls.get(&call).map(|call| call.record.called.clone());
                number = Private(to.clone().or(called).unwrap_or_default());
                left = self.ways_out(call.centre, Some(trunk)).into();
                self.ring_outside(call, &number.0, &left)
            }
            Destination::Queue(_) => None,
        };
        match way {
            Some(way) => {
                let plan = self.centre(queue.centre).map(|centre| &centre.plan);
                let queue = plan.and_then(|plan| plan.queues.get(usize::try_from(queue.index).ok()?));
                let queue = queue.map_or_else(String::new, |queue| queue.name.clone());
                let outlet = Outlet { to: words, queue, rule, way, number, left };
                if let Some(call) = self.calls.get_mut(&call) {
                    call.course.outlets.push(outlet);
                }
                self.mark(call);
            }
            None => {
                self.log(call.centre, Event::Beside(Beside::OverflowFailed { call, to: words, code: None }));
                self.overflow_returned(work, queue, rule);
            }
        }
    }

    fn in_words(&self, centre: CentreId, to: &Destination) -> String {
        match to {
            Destination::Queue(place) => {
                let plan = self.centre(centre).map(|centre| &centre.plan);
                let place = usize::try_from(*place).ok();
                let queue = plan.zip(place).and_then(|(plan, place)| plan.queues.get(place));
                format!("queue:{}", queue.map_or("", |queue| queue.name.as_str()))
            }
            Destination::Centre(name) => format!("centre:{name}"),
            Destination::Trunk { trunk, .. } => format!("trunk:{trunk}"),
        }
    }

    /// Offered in another centre than the one it waits in too, where its own plan says: one hop, and no
    /// further.
    fn visit(&mut self, id: CallId, name: &str) -> Option<Way> {
        let place = self.site.centres.iter().position(|centre| centre.name == name)?;
        let there = CentreId(u16::try_from(place).ok()?);
        let call = self.calls.get(&id)?;
        // A caller whom another centre serves waits there, and may be offered at home.
        if there == call.work.map_or(id.centre, |work| work.centre) {
            return None;
        }
        let record = &call.record;
        let plan = &self.centre(there)?.plan;
        let facts = Facts {
            called: &record.called,
            urn: Some(record.called.as_str()).filter(|called| called.starts_with("urn:")),
            trunk: &record.trunk,
            caller: Some(record.caller.0.as_str()).filter(|number| !number.is_empty()),
            withheld: record.withheld,
            utc: self.now.utc,
            repeat: None,
            headers: &[],
            location: None,
            room: Room::default(),
        };
        let routed = plan.route(&facts);
        let class = class_like(plan, &call.class, call.fenced).unwrap_or(routed.class);
        let queue = QueueId { centre: there, index: routed.queue };
        let guest = Beside::Guest {
            call: id,
            service: record.service.clone(),
            caller: record.caller.clone(),
            caller_name: record.caller_name.clone(),
            withheld: record.withheld,
        };
        let arrived = record.arrived_at;
        let centre = self.centres.get_mut(usize::from(there.0))?;
        let work = centre.work_id();
        centre.works.insert(work, id);
        // Who may be asked, and who leads, are people of the centre it comes from.
        let (others, add) = (Others::Everybody, Vec::new());
        let arrival = Arrival { others, add, visiting: true, ..call.arrival(work, queue, class, arrived) };
        if there != id.centre {
            let signed = record.signed.as_deref().cloned();
            self.log(there, Event::Beside(guest));
            if let Some(signed) = signed {
                self.log_apart(there, Event::Signed { call: id, signed });
            }
        }
        // What follows is done with the other steps of this input: the call must know its guest first.
        let now = self.now.at;
        if let Some(centre) = self.centre_mut(there) {
            centre.floor.handle(now, Fact::Enter(Box::new(arrival)));
        }
        Some(Way::Guest(work))
    }

    /// Rings outside. Whoever answers there hears the caller at once.
    fn ring_outside(&mut self, id: CallId, number: &str, ways: &VecDeque<trunks::Way>) -> Option<Way> {
        let call = self.calls.get(&id)?;
        let record = &call.record;
        // Two centres that overflow into each other would pass it for ever: here it is answered.
        if !call.signs.may_be_passed_on() {
            return None;
        }
        let shown = Some(record.caller.0.clone()).filter(|number| !number.is_empty());
        let leg = self.centre_mut(id.centre)?.leg_id();
        let made = self.dial_out(id, leg, ways, number, shown.as_deref())?;
        self.calls.get_mut(&id)?.add(Party::new(PartyRole::Outlet, made));
        self.alarms.set(Alarm::OutletUnanswered(leg), self.now.at + RINGS);
        Some(Way::Outside(leg))
    }

    /// Whether this leg rings outside for a queue that overflows, or talks there.
    pub(crate) fn is_outlet(&self, id: CallId, leg: LegId) -> bool {
        let party = self.calls.get(&id).and_then(|call| call.party(leg));
        party.is_some_and(|party| matches!(party.role, PartyRole::Outlet))
    }

    /// A human outside has answered: the caller leaves the queue into that conversation.
    pub(crate) fn outlet_answered(&mut self, id: CallId, leg: LegId, sdp: Option<&[u8]>) {
        self.quiet_outlet(leg);
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(work), None) = (call.work, call.talk) else {
            self.take_outlet(id, |way| way == Way::Outside(leg));
            return self.let_go(id, leg, Some(crate::assign::ELSEWHERE));
        };
        let Some(agreed) = sdp.and_then(negotiate::read_answer) else {
            return self.outlet_gone(id, leg, Some(488));
        };
        self.agree(id, leg, agreed);
        let to = self.take_outlet(id, |way| way == Way::Outside(leg)).map(|it| it.to).unwrap_or_default();
        self.log(id.centre, Event::Beside(Beside::Overflowed { call: id, work, to }));
        if let Some(call) = self.calls.get_mut(&id) {
            call.work = None;
            (call.course.away, call.course.broken) = (Some(leg), false);
        }
        self.tell_floor(work.centre, Fact::Leave { work, exit: Exit::Overflowed });
        self.forget_work(work);
        self.serve(id, None);
        self.end_handover(id);
        self.end_fallback(id, leg);
        self.drop_outlets(id);
        self.close_callbacks_to(id);
        self.close_menu(id);
        self.answer_caller(id);
        self.join_outside(id, leg);
    }

    /// A leg outside has failed, rung for too long, or hung up before it answered.
    pub(crate) fn outlet_gone(&mut self, id: CallId, leg: LegId, code: Option<u16>) {
        self.quiet_outlet(leg);
        self.let_go(id, leg, Some(CLEARED));
        let outlet = self.take_outlet(id, |way| way == Way::Outside(leg));
        let work = self.calls.get(&id).and_then(|call| call.work);
        if let (Some(outlet), Some(work)) = (outlet, work) {
            let Some(outlet) = self.ring_on(id, outlet, code) else { return };
            self.log(id.centre, Event::Beside(Beside::OverflowFailed { call: id, to: outlet.to, code }));
            let queue = self.centre(work.centre).map(|centre| centre.queue_named(&outlet.queue));
            if let Some(queue) = queue {
                self.overflow_returned(work, queue, outlet.rule);
            }
        }
    }

    /// The carrier failed at one of its addresses, not whoever is called: the next is rung. The outlet
    /// again where there is none.
    fn ring_on(&mut self, id: CallId, mut outlet: Outlet, code: Option<u16>) -> Option<Outlet> {
        let left = std::mem::take(&mut outlet.left);
        let Some(left) = code.and_then(|code| self.ways_left(left, code)) else { return Some(outlet) };
        let Some(way) = self.ring_outside(id, &outlet.number.0, &left) else { return Some(outlet) };
        let call = self.calls.get_mut(&id)?;
        call.course.outlets.push(Outlet { way, left, ..outlet });
        self.mark(id);
        None
    }

    /// A rule that has fired came to nothing: nobody elsewhere is asked, and here they are.
    fn overflow_returned(&mut self, work: WorkId, queue: QueueId, rule: u32) {
        let now = self.now.at;
        // From within the floor's own step: what follows is done by whoever follows it.
        if let Some(centre) = self.centre_mut(work.centre) {
            centre.floor.handle(now, Fact::Returned { work, queue, rule });
        }
    }

    /// Somebody said how urgent a call is: so it is in the other centres that may have it.
    pub(crate) fn reclass_abroad(&mut self, id: CallId, by: &Actor, source: Source) {
        let Some(call) = self.calls.get(&id) else { return };
        let (meant, fenced) = (call.class.clone(), call.fenced);
        let guests: Vec<WorkId> = call.course.outlets.iter().filter_map(|it| it.way.guest()).collect();
        for guest in guests {
            let Some(plan) = self.centre(guest.centre).map(|centre| Arc::clone(&centre.plan)) else {
                continue;
            };
            let Some(class) = class_like(&plan, &meant, fenced) else { continue };
            let now = self.now.at;
            let Some(centre) = self.centre_mut(guest.centre) else { continue };
            // As at home, the offer it allows follows the word in the log.
            centre.floor.handle(now, Fact::Class { work: guest, class });
            let Some(place) = centre.floor.place(guest) else { continue };
            let class = plan.class(class).map_or_else(String::new, |class| class.name.clone());
            let (work, fenced, due, by) = (Some(guest), place.fenced, place.due, by.clone());
            let word = Event::Qualified { call: id, work, class, fenced, due, by, source };
            // The call's record has the word of its own centre, and no second one.
            self.log_apart(guest.centre, word);
            self.tell_floor(guest.centre, Fact::Due);
        }
    }

    /// Nothing is expected of this leg any more.
    fn quiet_outlet(&mut self, leg: LegId) {
        self.alarms.clear(Alarm::OutletUnanswered(leg));
    }

    fn take_outlet(&mut self, id: CallId, is: impl Fn(Way) -> bool) -> Option<Outlet> {
        let outlets = &mut self.calls.get_mut(&id)?.course.outlets;
        let place = outlets.iter().position(|outlet| is(outlet.way))?;
        Some(outlets.remove(place))
    }

    /// A leg outside has rung for long enough.
    pub(crate) fn outlet_unanswered(&mut self, leg: LegId) {
        if let Some(&id) = self.legs.get(&leg) {
            self.outlet_gone(id, leg, None);
        }
    }

    /// Somebody has the call, or its caller is gone: nobody else is asked any more.
    pub(crate) fn drop_outlets(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        for outlet in std::mem::take(&mut call.course.outlets) {
            match outlet.way {
                Way::Outside(leg) => {
                    self.quiet_outlet(leg);
                    self.let_go(id, leg, Some(crate::assign::ELSEWHERE));
                }
                Way::Guest(work) => {
                    self.tell_floor(work.centre, Fact::Leave { work, exit: Exit::Withdrawn });
                    self.forget_work(work);
                    if work.centre != id.centre {
                        self.log(work.centre, Event::Beside(Beside::GuestGone { call: id }));
                    }
                }
            }
        }
    }

    /// An agent of another centre than the one it waits in has the call: it leaves its queue there, and
    /// is served by whoever has answered. The item it is connected by.
    pub(crate) fn answered_abroad(&mut self, id: CallId, there: CentreId) -> Option<WorkId> {
        let outlet = self.take_outlet(id, |way| matches!(way, Way::Guest(work) if work.centre == there))?;
        let Way::Guest(guest) = outlet.way else { return None };
        let waited = self.calls.get_mut(&id)?.work.take()?;
        self.log(id.centre, Event::Beside(Beside::Overflowed { call: id, work: waited, to: outlet.to }));
        self.tell_floor(waited.centre, Fact::Leave { work: waited, exit: Exit::Overflowed });
        self.forget_work(waited);
        let centre = self.centre(there)?;
        let place = centre.floor.place(guest).and_then(|place| usize::try_from(place.queue.index).ok());
        let queue = place.and_then(|place| centre.plan.queues.get(place));
        let queue = queue.map(|queue| queue.name.clone()).unwrap_or_default();
        self.serve(id, (there != id.centre).then_some(Served { at: there, queue }));
        Some(guest)
    }

    /// From here on the call is served there; whoever served it instead of its own centre is told that
    /// it is no longer theirs.
    pub(crate) fn serve(&mut self, id: CallId, served: Option<Served>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let at = served.as_ref().map(|served| served.at);
        let before = std::mem::replace(&mut call.course.served, served).map(|served| served.at);
        if let Some(before) = before.filter(|before| Some(*before) != at) {
            self.log(before, Event::Beside(Beside::GuestGone { call: id }));
        }
    }

    /// A caller whom another centre has lost waits at home again, and there as well.
    pub(crate) fn offer_there_again(&mut self, id: CallId, there: CentreId) {
        let name = self.site.centre(there).map(|centre| centre.name.clone()).unwrap_or_default();
        let to = format!("centre:{name}");
        let call = self.calls.get(&id).filter(|call| call.talk.is_none());
        let Some(work) = call.and_then(|call| call.work) else {
            return self.log(there, Event::Beside(Beside::GuestGone { call: id }));
        };
        // A rule of its queue at home may have been faster.
        if call.is_some_and(|call| call.course.outlets.iter().any(|it| it.to == to)) {
            return;
        }
        self.log(id.centre, Event::Beside(Beside::Overflowing { call: id, work, to: to.clone() }));
        let Some(way) = self.visit(id, &name) else { return };
        let (queue, rule, number, left) = (String::new(), 0, Private::default(), VecDeque::new());
        if let Some(call) = self.calls.get_mut(&id) {
            call.course.outlets.push(Outlet { to, queue, rule, way, number, left });
        }
        self.mark(id);
    }

    /// Caller and whoever outside has answered hear each other.
    fn join_outside(&mut self, id: CallId, leg: LegId) {
        let bridge = self.next_bridge(id);
        let Some(caller) = self.calls.get(&id).map(|call| call.caller().id) else { return };
        for seated in [caller, leg] {
            if let Some(party) = self.calls.get_mut(&id).and_then(|call| call.party_mut(seated)) {
                party.seat = Seat::Speaks;
            }
            self.media(MediaCommand::Join { bridge, leg: seated });
        }
        self.watch(leg);
        self.mark(id);
    }

    /// Whoever outside had the call has hung up, or gave up before answering.
    pub(crate) fn outlet_hung_up(&mut self, id: CallId, leg: LegId) {
        if self.calls.get(&id).and_then(|call| call.course.away) != Some(leg) {
            return self.outlet_gone(id, leg, None);
        }
        self.log(id.centre, Event::Released { call: id, by: Actor::System, disposition: None });
        self.close(id, Actor::System, Cause::Released);
    }

    /// Whoever outside had the call is lost: the caller waits again, at home.
    pub(crate) fn outlet_lost(&mut self, id: CallId, leg: LegId) {
        let away = self.calls.get_mut(&id).and_then(|call| call.course.away.take_if(|it| *it == leg));
        if away.is_none() {
            return self.outlet_gone(id, leg, None);
        }
        self.let_go(id, leg, None);
        self.caller_out(id, Program::Comfort);
        self.wait_again(id);
    }

    /// A person opens a queue's way out, or closes it.
    pub(crate) fn set_overflow(&mut self, queue: QueueId, open: bool, by: Actor) -> Result<(), Refusal> {
        let fact = Fact::Overflow { queue, opened: open };
        self.centre(queue.centre).ok_or(Refusal::Unknown)?.floor.allows(&fact)?;
        self.log(queue.centre, Event::Beside(Beside::OverflowSet { queue, open, by }));
        self.tell_floor(queue.centre, fact);
        Ok(())
    }
}

/// The class of that name in another centre's plan, or else its first on the same side of the fence.
pub(crate) fn class_like(plan: &Dialplan, name: &str, fenced: bool) -> Option<ClassId> {
    let same_side = || {
        let place = plan.classes.iter().position(|class| class.fence == fenced)?;
        u16::try_from(place).ok().map(ClassId)
    };
    plan.class_named(name).or_else(same_side)
}
