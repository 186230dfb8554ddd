//! Deadlines of calls and legs: each kind of alarm of each thing is set once, moved or cleared, and
//! nothing is ever looked for (I22).

use crate::id::{CallId, LegId, WorkId};
use crate::time::Instant;
use std::collections::{BTreeSet, HashMap};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// An early-media caller is answered at the latest.
    AnswerBy(CallId),
    /// A test call has heard itself long enough.
    TestOver(CallId),
    /// A leg in a dialog is asked whether it is still there.
    Probe(LegId),
    /// A lost page's agent is rung elsewhere, and the room sees the call.
    LossRings(CallId),
    /// A lost page's caller is offered to everyone.
    LossOpens(CallId),
    /// A lost agent is out of a conversation that others go on with.
    LossLeaves(LegId),
    /// A call set aside, or one whose caller hears the hold sound, wants somebody to look at it.
    Recall(CallId),
    /// Whoever is asked has not answered: the agent who asks has the caller again.
    ConsultBy(CallId),
    /// Somebody who was asked into a conversation of several has not come.
    AskedUntil(WorkId),
    /// A leg that rings outside, or for a supervisor, has rung for long enough.
    RingsUntil(LegId),
    /// A caller who was handed over must be talked with again.
    Recontact(CallId),
    /// The person of a callback has not answered.
    CallbackUnanswered(CallId),
    /// A callback has been open for long enough.
    CallbackOver(CallId),
    /// A leg that rings outside for a queue that overflows has rung for long enough.
    OutletUnanswered(LegId),
    /// The tone that confirms a feature code is over.
    ToneOver(LegId),
}

/// Every deadline that stands.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    order: BTreeSet<(Instant, Alarm)>,
    set: HashMap<Alarm, Instant>,
}

impl Alarms {
    /// Sets or moves an alarm.
    pub(crate) fn set(&mut self, alarm: Alarm, at: Instant) {
        self.clear(alarm);
        self.set.insert(alarm, at);
        self.order.insert((at, alarm));
    }

    /// Takes an alarm back, if it stands.
    pub(crate) fn clear(&mut self, alarm: Alarm) {
        if let Some(at) = self.set.remove(&alarm) {
            self.order.remove(&(at, alarm));
        }
    }

    /// Takes out the next alarm that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Alarm> {
        let &(at, alarm) = self.order.first()?;
        if at > now {
            return None;
        }
        self.clear(alarm);
        Some(alarm)
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// True when none stands.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}
