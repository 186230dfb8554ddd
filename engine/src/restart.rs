//! What an earlier start left behind, killed or out of patience.
//!
//! | left | goes on as |
//! |---|---|
//! | a callback | itself: its place, its time, its owner, its attempts, how long it is kept |
//! | a major event | itself: its calls' words, its queue, its teams, its counters |
//! | a live call | a record, and a callback where the plan calls back whoever was cut off; a caller who calls again comes first in the class |
//!
//! Phones and pages come back by themselves, and everybody signs in anew. Nobody's conversation is
//! taken up again.

use crate::call::course::{Callback, CallbackState};
use crate::call::event::{Actor, Beside, Cause, Event, WhyCallback};
use crate::call::snapshot::{CallSnapshot, CallbackSnapshot, LeftBehind};
use crate::call::{Call, Purpose};
use crate::dialplan::SkillNeed;
use crate::engine::Engine;
use crate::id::CallId;
use crate::outward::not_dialled;
use crate::{alarm::Alarm, io::Output};
use std::collections::BTreeSet;
use std::time::Duration;

impl Engine {
    /// Goes on with what an earlier start left behind.
    pub(crate) fn go_on_with(&mut self, left: LeftBehind) {
        let LeftBehind { calls, majors } = left;
        for major in majors {
            let belongs = |it: &&CallSnapshot| is_open(it) && it.course.major == Some(major.event);
            let goes_on = calls.iter().filter(belongs).count() as u64;
            self.go_on_with_major(major, goes_on);
        }
        let (callbacks, cut_off): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_open);
        // A start that was cut short itself had dealt with those already.
        let broken = callbacks.iter().filter_map(|it| it.course.callback.as_ref());
        let broken = broken.filter(|it| it.why == WhyCallback::Broken);
        let known: BTreeSet<CallId> = broken.filter_map(|it| it.of).collect();
        let on_the_line: BTreeSet<CallId> = cut_off.iter().map(|it| it.call).collect();
        for callback in callbacks {
            self.go_on_with_callback(callback, &on_the_line);
        }
        // Each is put before all others of its class: who waited longest comes last here, and first there.
        for call in cut_off.into_iter().rev() {
            if known.contains(&call.call) {
                self.put(Output::Forget(call.call));
            } else {
                self.cut_off(call);
            }
        }
    }

    /// A callback stands where it stood; one whose person was on the line waits until that call is dealt
    /// with.
    fn go_on_with_callback(&mut self, left: CallSnapshot, on_the_line: &BTreeSet<CallId>) {
        let (id, tags, major) = (left.call, left.course.tags.clone(), left.course.major);
        let Some(callback) = left.course.callback.clone() else { return };
        let Some(mut call) = self.rebuilt(left, Purpose::Callback) else { return };
        let CallbackSnapshot { of, why, since, tried, rests, over, on_line } = callback;
        let on_line = on_line.filter(|call| on_the_line.contains(call));
        let state = on_line.map_or(CallbackState::Waiting, CallbackState::OnLine);
        call.course.callback = Some(Callback { of, why, since, tried, rests, over, state });
        let (record, owner) = (&call.record, call.course.owner);
        let number = record.caller.0.clone();
        let opened = Beside::CallbackOpened {
            call: id,
            of,
            why,
            trunk: record.trunk.clone(),
            called: record.called.clone(),
            service: record.service.clone(),
            caller: record.caller.clone(),
            caller_name: record.caller_name.clone(),
            since,
            due: rests,
            owner,
            by: Actor::System,
        };
        let note = record.notes.last().cloned();
        // Its record knows all that: the boards hear it anew.
        let said = tags.into_iter().map(|tag| Beside::Tagged { call: id, tag, by: Actor::System });
        for beside in [opened, Beside::CallbackKept { call: id, tried }].into_iter().chain(said) {
            self.log_apart(id.centre, Event::Beside(beside));
        }
        if let Some(note) = note {
            self.log_apart(id.centre, Event::Noted { call: id, by: note.by, text: note.text });
        }
        self.calls.insert(id, call);
        if let Some(centre) = self.centre_mut(id.centre) {
            centre.callbacks.add(&number, id);
        }
        self.alarms.set(Alarm::CallbackOver(id), over.max(self.now.at));
        if let Some(event) = major {
            self.join_major(id, event, Actor::System);
        }
        match on_line {
            Some(_) => self.mark(id),
            None => self.enter_callback(id),
        }
    }

    /// A call was cut off by our end.
    fn cut_off(&mut self, left: CallSnapshot) {
        let (id, test) = (left.call, left.test);
        let had_somebody = left.talk.is_some() || left.lost || left.aside.is_some();
        let purpose = if test { Purpose::Test } else { Purpose::Help };
        let Some(mut call) = self.rebuilt(left, purpose) else { return };
        // Whoever had somebody and is not qualified comes back as any caller does whom our side has lost.
        call.course.broken = had_somebody;
        let urgent = if had_somebody && !test { self.class_once_lost(&call) } else { None };
        if let Some(urgent) = urgent {
            (call.class, call.fenced) = urgent;
        }
        // First in the class: it was we who broke it.
        let centre = self.centre(id.centre);
        let first = centre.and_then(|it| it.floor.head_of(it.plan.class_named(&call.class)?));
        let ahead = first
            .map_or(Duration::ZERO, |first| call.record.arrived_at.since(first) + Duration::from_nanos(1));
        call.credit = call.credit.max(ahead);
        self.calls.insert(id, call);
        self.close(id, Actor::System, if test { Cause::Test } else { Cause::Network });
    }

    /// A call without anybody on the line; `None`: its centre is no more.
    fn rebuilt(&mut self, left: CallSnapshot, purpose: Purpose) -> Option<Call> {
        let owner = left.course.owner.as_ref().and_then(|name| self.agent_named(left.call.centre, name));
        let leg = self.centre_mut(left.call.centre)?.leg_id();
        let mut call = Call::new(left.record, not_dialled(leg), purpose);
        (call.class, call.qualified, call.hold_sound) = (left.class, left.qualified, left.hold_sound);
        let course = left.course;
        (call.queue, call.fenced, call.credit) = (course.queue, course.fenced, course.credit);
        (call.course.person, call.course.tags) = (course.person, course.tags);
        (call.course.language, call.course.owner) = (course.language, owner);
        call.course.leads = course.leads.iter().filter_map(|text| SkillNeed::parse(text)).collect();
        Some(call)
    }
}

/// A callback that has reached nobody.
fn is_open(left: &CallSnapshot) -> bool {
    left.course.callback.is_some()
}
