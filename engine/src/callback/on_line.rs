//! The person of a callback is on the line: nobody rings them meanwhile.
//!
//! | their call | the callback |
//! |---|---|
//! | comes | is in no queue; an agent who was ringing them is free |
//! | is answered, by whomever | is closed: `CalledAgain` |
//! | is over before | waits again, where it stood |

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
            if let Some(it) = self.calls.get_mut(&callback).and_then(|it| it.course.callback.as_mut()) {
                (it.state, it.rests) = (CallbackState::OnLine(id), None);
            }
            self.mark(callback);
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
    /// whether there are any.
    pub(super) fn wake_callbacks(&mut self, id: CallId) -> bool {
        let mut any = false;
        for callback in self.callbacks_to_caller(id) {
            if self.line_of(callback) == Some(id) {
                let class = self.calls.get(&id).map(|call| call.class.clone()).unwrap_or_default();
                self.raise_to(callback, &class, Actor::System, Source::Line);
                self.enter_callback(callback);
                any = true;
            }
        }
        any
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
