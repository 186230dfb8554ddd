//! What happens to a call beside talking: keys, tags, stages, hand-overs, callbacks, overflow, and
//! the major event it belongs to.

use super::words::{Actor, Private};
use crate::id::{AgentId, CallId, LegId, MajorId, QueueId, WorkId};
use serde::{Deserialize, Serialize};
use sip::time::Instant;
use std::time::Duration;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Beside {
    /// The caller pressed a key of the menu while waiting. What it changes follows.
    KeyPressed {
        /// The call.
        call: CallId,
        /// Which key.
        key: char,
    },
    /// A word stands on the call from here on.
    Tagged {
        /// The call.
        call: CallId,
        /// The word.
        tag: String,
        /// Who put it there.
        by: Actor,
    },
    /// The same number has called before.
    Repeated {
        /// The call.
        call: CallId,
        /// The latest earlier one.
        earlier: CallId,
        /// How that one ended.
        past: Past,
        /// Since it ended.
        ago: Duration,
        /// The class it had.
        class: String,
        /// Who talked with the caller last.
        agent: Option<AgentId>,
    },
    /// The call's next stay in a queue is at this stage.
    Staged {
        /// The call.
        call: CallId,
        /// The plan's word for it.
        stage: String,
    },
    /// An agent has given the call to another stage; the caller waits there.
    HandedOver {
        /// The call.
        call: CallId,
        /// Who stays responsible until somebody there answers.
        by: AgentId,
        /// Where it waits.
        queue: QueueId,
        /// Its class from here on.
        class: String,
        /// Back to the stage it came from.
        back: bool,
        /// When somebody has to talk with the caller again.
        recontact: Instant,
    },
    /// A caller who was handed over has waited for so long that somebody must talk with them again.
    RecontactDue {
        /// The call.
        call: CallId,
        /// Who is responsible.
        agent: AgentId,
    },
    /// A caller who was handed over is taken back.
    TakenBack {
        /// The call.
        call: CallId,
        /// By whom.
        by: AgentId,
    },
    /// Somebody is to be called: work without a live caller begins.
    CallbackOpened {
        /// Its own id: a callback has a record as a call has.
        call: CallId,
        /// The call it comes from.
        of: Option<CallId>,
        /// Why.
        why: WhyCallback,
        /// Over which trunk that call came.
        trunk: String,
        /// What was dialled.
        called: String,
        /// The plan's service for it.
        service: String,
        /// The number to call.
        caller: Private,
        /// The name the network showed.
        caller_name: Option<Private>,
        /// Where its wait is counted from.
        since: Instant,
        /// Not before this.
        due: Option<Instant>,
        /// Whose file it is.
        owner: Option<AgentId>,
        /// Who wanted it.
        by: Actor,
    },
    /// An earlier start had opened this callback, and had tried it so often.
    CallbackKept {
        /// The callback.
        call: CallId,
        /// Attempts that did not reach the person.
        tried: u32,
    },
    /// A callback waits for its time and is offered to nobody until then.
    CallbackRests {
        /// The callback.
        call: CallId,
        /// Until when.
        until: Instant,
    },
    /// An agent has accepted a callback: the person's phone is being rung.
    Dialled {
        /// The callback.
        call: CallId,
        /// The person's leg.
        leg: LegId,
        /// Who will talk.
        agent: AgentId,
    },
    /// The person has answered: both hear each other.
    Reached {
        /// The callback.
        call: CallId,
        /// Who talks.
        agent: AgentId,
    },
    /// The person was not reached.
    NotReached {
        /// The callback.
        call: CallId,
        /// Who had accepted it.
        agent: AgentId,
        /// How.
        how: Unreached,
    },
    /// A callback is over, reached or not. Its call ends.
    CallbackClosed {
        /// The callback.
        call: CallId,
        /// Why.
        why: Closing,
        /// By whom.
        by: Actor,
    },
    /// A way out of a queue is being tried for a call, which keeps its place meanwhile.
    Overflowing {
        /// The call.
        call: CallId,
        /// Its item.
        work: WorkId,
        /// Where to, in the plan's words: `queue:back`, `centre:samu-68`, `trunk:fallback`.
        to: String,
    },
    /// A way out came to nothing.
    OverflowFailed {
        /// The call.
        call: CallId,
        /// Where to.
        to: String,
        /// The final response, for a trunk.
        code: Option<u16>,
    },
    /// Somebody elsewhere has answered the call. Its item leaves the queue after this.
    Overflowed {
        /// The call.
        call: CallId,
        /// Its item.
        work: WorkId,
        /// Where.
        to: String,
    },
    /// A person has opened a queue's way out, or closed it.
    OverflowSet {
        /// The queue.
        queue: QueueId,
        /// Open or not.
        open: bool,
        /// By whom.
        by: Actor,
    },
    /// A call of another centre may be answered here as well.
    Guest {
        /// The call.
        call: CallId,
        /// The service that was dialled.
        service: String,
        /// Best number to call back.
        caller: Private,
        /// The name the network shows.
        caller_name: Option<Private>,
        /// The caller asked for privacy.
        withheld: bool,
    },
    /// A call of another centre is no longer this one's concern.
    GuestGone {
        /// The call.
        call: CallId,
    },
    /// A major event begins.
    MajorOpened {
        /// Which.
        event: MajorId,
        /// Its name.
        name: String,
        /// Calls with one of these tags belong to it.
        tags: Vec<String>,
        /// Calls to one of these numbers belong to it.
        numbers: Vec<String>,
        /// Where its calls wait; `None`: where they would anyway.
        queue: Option<QueueId>,
        /// Who serves it and nothing else.
        team: Vec<AgentId>,
        /// Who is kept for everything else.
        rest: Vec<AgentId>,
        /// By whom.
        by: Actor,
    },
    /// An earlier start had opened this major event, and had counted so much.
    MajorKept {
        /// Which.
        event: MajorId,
        /// What was counted.
        counts: MajorCounts,
    },
    /// A call belongs to a major event.
    MajorCall {
        /// Which.
        event: MajorId,
        /// The call.
        call: CallId,
        /// The event's name.
        name: String,
        /// Who said so: the plan, the caller by a key, or a person.
        by: Actor,
    },
    /// A major event is over. Its calls keep their tag.
    MajorClosed {
        /// Which.
        event: MajorId,
        /// By whom.
        by: Actor,
    },
}

impl Beside {
    /// The call it belongs to; `None` for what concerns the centre.
    pub fn call(&self) -> Option<CallId> {
        use Beside::{
            CallbackClosed, CallbackKept, CallbackOpened, CallbackRests, Dialled, Guest, GuestGone,
            HandedOver, KeyPressed, MajorCall, MajorClosed, MajorKept, MajorOpened, NotReached,
            OverflowFailed, OverflowSet, Overflowed, Overflowing, Reached, RecontactDue, Repeated, Staged,
            Tagged, TakenBack,
        };
        match self {
            KeyPressed { call, .. } | Tagged { call, .. } | Repeated { call, .. } => Some(*call),
            Staged { call, .. } | HandedOver { call, .. } | RecontactDue { call, .. } => Some(*call),
            TakenBack { call, .. } | CallbackOpened { call, .. } | CallbackRests { call, .. } => Some(*call),
            Dialled { call, .. } | Reached { call, .. } | NotReached { call, .. } => Some(*call),
            CallbackClosed { call, .. } | CallbackKept { call, .. } | Overflowing { call, .. } => Some(*call),
            OverflowFailed { call, .. } | Overflowed { call, .. } | MajorCall { call, .. } => Some(*call),
            // Another centre's log tells of it: its record is kept at home.
            Guest { .. } | GuestGone { .. } => None,
            OverflowSet { .. } | MajorOpened { .. } | MajorKept { .. } | MajorClosed { .. } => None,
        }
    }
}

/// What is counted of a major event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MajorCounts {
    /// When it began.
    pub since: Instant,
    /// Calls that belong to it.
    pub calls: u64,
    /// Of those, how often somebody has answered.
    pub answered: u64,
    /// And how many callers have hung up before.
    pub abandoned: u64,
}

/// How an earlier call of the same number ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Past {
    /// Somebody talked with the caller.
    Answered,
    /// The caller left while waiting.
    Abandoned,
    /// We, or the caller's network, cut the call off.
    Broken,
}

/// Why somebody is to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WhyCallback {
    /// The caller hung up while waiting, after 15 s or more.
    Abandoned,
    /// The caller's network, or ours, failed.
    Broken,
    /// An agent wants to talk with them again, at a time.
    Planned,
    /// An agent ended the call to go on later.
    Dropped,
    /// The caller hung up while waiting for the next stage: its work is kept.
    Kept,
}

/// How a callback did not reach the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Unreached {
    /// Nobody answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The network could not, or we had no port or trunk.
    Failed,
    /// The agent gave up before.
    GivenUp,
    /// The agent's page or phone was lost before.
    AgentLost,
}

/// Why a callback is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// They have talked.
    Reached,
    /// The person has called again.
    CalledAgain,
    /// It was tried as often as the plan says.
    Exhausted,
    /// Nobody came to it for as long as the plan keeps it.
    Expired,
    /// There were too many, and this one was the least urgent.
    Crowded,
    /// A person says it is not needed any more.
    Dismissed(String),
}
