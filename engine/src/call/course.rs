//! The course of a call beside talking: what its caller may press, what stands on it, who answers
//! for it between two stages, and whom it calls back.

use super::event::{Private, WhyCallback};
use crate::dialplan::SkillNeed;
use crate::id::{AgentId, CallId, CentreId, LegId, MajorId, WorkId};
use crate::time::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Keys a caller may press in one menu. A caller who hammers the keys says nothing new by it, and
/// each press is a line of the log; fewer would cut off one who corrects a slip.
pub const KEYS_MAX: u8 = 16;

/// Words that may stand on one call. Plans have a handful.
pub const TAGS_MAX: usize = 16;

/// What a call carries beside its conversation.
#[derive(Debug, Default)]
pub struct Course {
    /// What its caller may press while waiting; `None` once somebody has answered.
    pub menu: Option<Menu>,
    /// What stands on it.
    pub tags: Vec<String>,
    /// What an agent is shown beside it, by the plan's modifiers.
    pub show: Vec<String>,
    /// Whose it is: asked first when it waits.
    pub owner: Option<AgentId>,
    /// Who may be asked beside the owner; empty: whoever serves its queue.
    pub leads: Vec<SkillNeed>,
    /// Who may be asked beside its queue's people.
    pub add: Vec<SkillNeed>,
    /// Who speaks this is preferred.
    pub language: Option<String>,
    /// It came over another organisation's line: it may take what a queue reserves.
    pub partner: bool,
    /// It waits between two stages.
    pub handover: Option<HandOver>,
    /// Who handed it over last, and in which queue it was before: where it may be referred back to.
    pub came_from: Option<(AgentId, String)>,
    /// One person calls, as far as the line tells: not a partner's line, nor a number withheld.
    pub person: bool,
    /// It is no caller's call: somebody is to be called.
    pub callback: Option<Callback>,
    /// The carrier's ways to the person it calls that are left, the present one first.
    pub ways: VecDeque<crate::trunks::Way>,
    /// The ways out of its queue that are being tried.
    pub outlets: Vec<Outlet>,
    /// The leg of whoever outside has answered for us: nobody of ours is in the call.
    pub away: Option<LegId>,
    /// The major event it belongs to.
    pub major: Option<MajorId>,
    /// Another centre has answered it for its own: from there on it is served there.
    pub served: Option<Served>,
    /// Its caller had somebody, whom our side lost, and nobody since.
    pub broken: bool,
    /// The vital key has called a regulator, and none has come yet.
    pub wants_regulator: bool,
}

/// Where a call is served that another centre has answered: on that centre's shared list, by its
/// stages, its regulators and its alarms, until the call is over or waits at home again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Which centre.
    pub at: CentreId,
    /// In which queue of its plan, by that plan's name.
    pub queue: String,
}

/// Keys of a menu, in the plan's names: the plan may be replaced while the caller listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// Each key with the least class it gives, and the tag.
    pub keys: Vec<(char, Option<String>, Option<String>)>,
    /// How many more are listened to.
    pub left: u8,
}

/// A call between two stages: its caller waits for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Who answers for it until somebody of the next stage does.
    pub by: AgentId,
    /// The queue it was in before, by the plan's name.
    pub from: String,
    /// Since when.
    pub since: Instant,
    /// How long the caller waits before somebody must talk with them again.
    pub recontact: Duration,
}

/// Somebody to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The call it comes from.
    pub of: Option<CallId>,
    /// Why.
    pub why: WhyCallback,
    /// Where its wait is counted from: kept over every attempt.
    pub since: Instant,
    /// Attempts that did not reach the person.
    pub tried: u32,
    /// Until when it is left alone: its time, or after an attempt.
    pub rests: Option<Instant>,
    /// Until when it is kept.
    pub over: Instant,
    /// How far it is.
    pub state: CallbackState,
}

/// How far a callback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackState {
    /// In its queue: before its time, waiting, or being offered.
    Waiting,
    /// Accepted: the person's phone is being rung.
    Dialling,
    /// Its person is on the line, by this call: in no queue until that call is over, or answered.
    OnLine(CallId),
    /// They talk; from here on it is a call like any other.
    Reached,
}

/// A way out of its queue that is being tried for a call.
#[derive(Clone, Debug)]
pub struct Outlet {
    /// In the plan's words.
    pub to: String,
    /// The queue whose rule it is, by the plan's name.
    pub queue: String,
    /// The place of the rule in its queue's list.
    pub rule: u32,
    /// How.
    pub way: Way,
    /// The number that is rung outside.
    pub number: Private,
    /// The carrier's ways there that are left, the present one first.
    pub left: VecDeque<crate::trunks::Way>,
}

/// How a way out is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// An item in another centre, which may have the call too.
    Guest(WorkId),
    /// A leg that rings outside.
    Outside(LegId),
}

impl Way {
    /// The item in another centre.
    pub fn guest(self) -> Option<WorkId> {
        match self {
            Way::Guest(work) => Some(work),
            Way::Outside(_) => None,
        }
    }
}

impl Course {
    /// The person of this callback has not been reached yet: there is no live caller.
    pub fn is_unreached(&self) -> bool {
        self.callback.as_ref().is_some_and(|it| it.state != CallbackState::Reached)
    }

    /// An agent has accepted the callback, and the person's phone rings.
    pub fn is_dialling(&self) -> bool {
        self.callback.as_ref().is_some_and(|it| it.state == CallbackState::Dialling)
    }
}
