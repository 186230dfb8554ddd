//! The person of a callback is on the line: nobody rings them meanwhile.
//!
//! | their call | the callback |
//! |---|---|
//! | comes | is in no queue; an agent who was ringing them is free |
//! | is answered, by whomever | is closed: `CalledAgain` |
//! | is over before | waits again, where it stood |
//!
//! One who called twice and is on the line by the other call is on the line all the same: what the one
//! that ends would leave behind is not begun where somebody talks with them, and waits for the other
//! call where nobody does yet. Work that was handed over stays either way: the next stage has it yet to do.

use crate::call::Call;
use crate::call::course::CallbackState;
use crate::call::event::{Actor, Closing, Source, Unreached};
use crate::engine::Engine;
use crate::id::CallId;

impl Engine {
    /// The same number calls again: nobody needs to call it, and the caller has at least the class
    /// the callback had.
    pub(crate) fn called_again(&mut self, id: CallId) {
        for callback in self.callbacks_to_caller(id) {
            let Some(found) = self.calls.get(&callback) else { continue };
            let (class, dialling) = (found.class.clone(), found.course.is_dialling());
            self.raise_to(id, &class, Actor::System, Source::Line);
            if dialling {
                self.end_dialling(callback, Unreached::Busy);
            }
            self.take_out(callback);
            self.waits_for_line(callback, id);
        }
    }

    /// Somebody has answered this caller: nobody needs to call them back.
    pub(crate) fn close_callbacks_to(&mut self, id: CallId) {
        for callback in self.callbacks_to_caller(id) {
            if self.line_of(callback).is_some() {
                self.close_callback(callback, Closing::CalledAgain, Actor::Caller);
            }
        }
    }

    /// This call is over. Callbacks it has kept from their queue wait again, no less urgent than it was;
    /// whether nothing more is to be left behind.
    pub(super) fn wake_callbacks(&mut self, id: CallId) -> bool {
        let (mut any, other) = (false, self.other_line(id));
        for callback in self.callbacks_to_caller(id) {
            any |= other.is_some() && self.line_of(callback) == other;
            if self.line_of(callback) == Some(id) {
                let class = self.calls.get(&id).map(|call| call.class.clone()).unwrap_or_default();
                self.raise_to(callback, &class, Actor::System, Source::Line);
                match other {
                    Some(other) if self.is_helped(other) => {
                        self.close_callback(callback, Closing::CalledAgain, Actor::Caller);
                    }
                    Some(other) => self.waits_for_line(callback, other),
                    None => self.enter_callback(callback),
                }
                any = true;
            }
        }
        // What a stage was handed is not done by whoever talks with them meanwhile.
        let handed = self.calls.get(&id).is_some_and(|call| call.course.handover.is_some());
        any || (!handed && other.is_some_and(|other| self.is_helped(other)))
    }

    /// The callback waits in no queue while its person is on the line by this call.
    pub(super) fn waits_for_line(&mut self, callback: CallId, line: CallId) {
        if let Some(it) = self.calls.get_mut(&callback).and_then(|it| it.course.callback.as_mut()) {
            (it.state, it.rests) = (CallbackState::OnLine(line), None);
        }
        self.mark(callback);
    }

    /// Another call by which the caller of this one is on the line: one that is being helped before one
    /// that waits.
    pub(super) fn other_line(&self, id: CallId) -> Option<CallId> {
        let call = self.calls.get(&id).filter(|call| call.course.person)?;
        let lines = self.centre(id.centre)?.callbacks.lines_of(&call.record.caller.0);
        let others = lines.into_iter().filter(|line| *line != id && self.calls.contains_key(line));
        others.max_by_key(|line| (self.is_helped(*line), *line))
    }

    /// Somebody has answered this caller, and was not lost since.
    fn is_helped(&self, id: CallId) -> bool {
        let call = self.calls.get(&id);
        call.is_some_and(|call| {
            let answered = !call.record.conversations.is_empty() || call.course.away.is_some();
            answered && !Engine::is_broken(call)
        })
    }

    /// A person is on the line by this call.
    pub(crate) fn on_line(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id).filter(|call| call.course.person) else { return };
        let number = call.record.caller.0.clone();
        if let Some(centre) = self.centre_mut(id.centre) {
            centre.callbacks.comes(&number, id);
        }
    }

    /// They are so no longer.
    pub(crate) fn off_line(&mut self, call: &Call) {
        if let Some(centre) = self.centre_mut(call.id.centre).filter(|_| call.course.person) {
            centre.callbacks.goes(&call.record.caller.0, call.id);
        }
    }

    /// The call by which a callback's person is on the line.
    fn line_of(&self, callback: CallId) -> Option<CallId> {
        match self.calls.get(&callback)?.course.callback.as_ref()?.state {
            CallbackState::OnLine(call) => Some(call),
            _ => None,
        }
    }

    /// Open callbacks to the number of a call's caller, where that is one person.
    fn callbacks_to_caller(&self, id: CallId) -> Vec<CallId> {
        let call = self.calls.get(&id).filter(|call| call.course.person && !call.course.is_unreached());
        let to = |number: &str| Some(self.centre(id.centre)?.callbacks.to(number));
        call.and_then(|call| to(&call.record.caller.0)).unwrap_or_default()
    }
}
