//! What a record tells of a call beside its conversations: a fold of [`Beside`].

use super::{Record, keep};
use crate::call::event::{Actor, Beside, Closing, Past, Unreached, WhyCallback};
use crate::id::{AgentId, CallId, MajorId, QueueId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happened to a call beside talking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// The stage it is at, by the plan's name.
    pub stage: String,
    /// Words that stand on it, in the order they came.
    pub tags: Vec<String>,
    /// The latest earlier call of the same number.
    pub repeat: Option<Repeat>,
    /// Every time it was handed to another stage.
    pub handovers: Vec<HandOver>,
    /// Every way out of its queue that was tried.
    pub outlets: Vec<Outlet>,
    /// What called it into being, for a callback.
    pub callback: Option<Callback>,
    /// The major event it belongs to.
    pub major: Option<Major>,
}

/// A major event, as a call's record names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Major {
    /// Which.
    pub event: MajorId,
    /// Its name.
    pub name: String,
}

/// An earlier call of the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// Which.
    pub earlier: CallId,
    /// How it ended.
    pub past: Past,
    /// How long before.
    pub ago: Duration,
}

/// One hand-over to another stage. Durations count from the call's arrival.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who handed it over.
    pub by: AgentId,
    /// Where to.
    pub queue: QueueId,
    /// Its class from then on.
    pub class: String,
    /// When.
    pub at: Duration,
    /// It went back to the stage it had come from.
    pub back: bool,
    /// How often somebody was reminded to talk with the caller again.
    pub recontacts: u32,
    /// When it was taken back, and by whom.
    pub taken_back: Option<(AgentId, Duration)>,
}

/// One way out of its queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlet {
    /// In the plan's words.
    pub to: String,
    /// When it was tried.
    pub at: Duration,
    /// When somebody there answered.
    pub answered: Option<Duration>,
    /// When it came to nothing.
    pub failed: Option<Duration>,
}

/// A callback: why, and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Callback {
    /// The call it comes from.
    pub of: Option<CallId>,
    /// Why.
    pub why: WhyCallback,
    /// Who wanted it.
    pub by: Actor,
    /// Every time the person was called.
    pub attempts: Vec<Attempt>,
    /// Why it is over.
    pub closed: Option<Closing>,
}

/// One call to the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Who had accepted it.
    pub agent: AgentId,
    /// When their phone was rung.
    pub at: Duration,
    /// When they answered.
    pub reached: Option<Duration>,
    /// How it failed.
    pub failed: Option<Unreached>,
}

impl Course {
    /// Takes one more event into account, `at` from the call's arrival.
    pub(super) fn apply(&mut self, event: &Beside, at: Duration) {
        match event {
            Beside::Tagged { tag, .. } => keep(&mut self.tags, tag.clone()),
            Beside::Repeated { earlier, past, ago, .. } => {
                self.repeat = Some(Repeat { earlier: *earlier, past: *past, ago: *ago });
            }
            Beside::Staged { stage, .. } => self.stage.clone_from(stage),
            Beside::HandedOver { by, queue, class, back, .. } => {
                let (by, queue, class, back) = (*by, *queue, class.clone(), *back);
                let none = HandOver { by, queue, class, at, back, recontacts: 0, taken_back: None };
                keep(&mut self.handovers, none);
            }
            Beside::RecontactDue { .. } => {
                if let Some(last) = self.handovers.last_mut() {
                    last.recontacts += 1;
                }
            }
            Beside::TakenBack { by, .. } => {
                if let Some(last) = self.handovers.last_mut() {
                    last.taken_back = Some((*by, at));
                }
            }
            Beside::Overflowing { to, .. } => {
                keep(&mut self.outlets, Outlet { to: to.clone(), at, answered: None, failed: None });
            }
            Beside::OverflowFailed { to, .. } => self.outlet(to, |it| it.failed = Some(at)),
            Beside::Overflowed { to, .. } => self.outlet(to, |it| it.answered = Some(at)),
            Beside::MajorCall { event, name, .. } => {
                self.major = Some(Major { event: *event, name: name.clone() });
            }
            _ => self.call_back(event, at),
        }
    }

    fn call_back(&mut self, event: &Beside, at: Duration) {
        let Some(callback) = self.callback.as_mut() else { return };
        match event {
            Beside::Dialled { agent, .. } => {
                keep(&mut callback.attempts, Attempt { agent: *agent, at, reached: None, failed: None });
            }
            Beside::Reached { .. } => {
                if let Some(last) = callback.attempts.last_mut() {
                    last.reached = Some(at);
                }
            }
            Beside::NotReached { how, .. } => {
                if let Some(last) = callback.attempts.last_mut() {
                    last.failed = Some(*how);
                }
            }
            Beside::CallbackClosed { why, .. } => callback.closed = Some(why.clone()),
            _ => {}
        }
    }

    fn outlet(&mut self, to: &str, change: impl FnOnce(&mut Outlet)) {
        let mut open = self.outlets.iter_mut().rev();
        if let Some(outlet) = open.find(|it| it.to == to && it.answered.is_none() && it.failed.is_none()) {
            change(outlet);
        }
    }
}

/// How long one stage took: from the call's entry into it to the first answer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTime {
    /// The plan's name for it.
    pub stage: String,
    /// When the call first stood in one of its queues.
    pub entered: Duration,
    /// When somebody of it first answered.
    pub answered: Option<Duration>,
    /// Who.
    pub by: Option<AgentId>,
}

impl StageTime {
    /// T1 of the first stage, T2 of the second: entry to answer.
    pub fn took(&self) -> Option<Duration> {
        Some(self.answered?.saturating_sub(self.entered))
    }
}

impl Record {
    /// One set of times per stage, in the order the call came through them.
    pub fn stage_times(&self) -> Vec<StageTime> {
        let mut times: Vec<StageTime> = Vec::new();
        for stay in &self.stages {
            match times.iter_mut().find(|time| time.stage == stay.stage) {
                Some(time) if time.answered.is_none() => {
                    (time.answered, time.by) = (stay.answered, stay.by);
                }
                Some(_) => {}
                None => times.push(StageTime {
                    stage: stay.stage.clone(),
                    entered: stay.entered,
                    answered: stay.answered,
                    by: stay.by,
                }),
            }
        }
        times
    }
}
