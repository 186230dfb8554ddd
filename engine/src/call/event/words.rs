//! The words of the log: who wants something, on whose word, how things end.

use crate::id::{AgentId, QueueId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number, name or place of a person: for an agent's screen and the record, never for a log.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}

/// How well the network knows its caller, by its own word (RFC 8588 §4): shown, verified by nobody here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Attested {
    /// The caller, who may use the number.
    A,
    /// The caller, not the number.
    B,
    /// Only where the call came in.
    C,
    /// There is a signature, and no such word in it that can be read.
    #[serde(rename = "unreadable")]
    Unreadable,
}

/// What an INVITE says beside who calls whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Signed {
    /// How well the network knows the caller; `None` without a signature.
    pub attested: Option<Attested>,
    /// Who has passed the call on, the latest first.
    pub passed_by: Vec<Private>,
    /// Its Resource-Priority (RFC 4412), `esnet.1` ...
    pub priority: Option<String>,
}

/// Who wants or does something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A person of the roster, at a phone or on a page.
    Agent(AgentId),
    /// A person known to the API by this name.
    User(String),
    /// The caller.
    Caller,
    /// Somebody of the directory, by that name.
    Outside(String),
    /// The dialplan.
    Plan,
    /// The engine itself: a deadline, a loss.
    System,
}

/// Who says how urgent a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The line or the partner it came from.
    Line,
    /// The caller, by a key of the menu.
    Menu,
    /// A regulation assistant.
    Arm,
    /// A doctor.
    Doctor,
    /// A supervisor.
    Supervisor,
}

/// What an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum OfferKind {
    /// A reservation of one agent.
    Exclusive,
    /// An invitation to several; the claim binds the most urgent item.
    Shared,
    /// To a busy agent: hold yours, take this.
    Alert,
    /// Into a conversation.
    Join,
}

/// How an offer ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum OfferEnd {
    /// The agent answered and is being connected.
    Taken,
    /// The agent refused.
    Rejected,
    /// Nobody answered in time.
    TimedOut,
    /// The phone is not there (480, 404, 408, 5xx, no contact).
    Unreachable,
    /// The phone is talking already (486, 600).
    PhoneBusy,
    /// Someone else took the call.
    AnsweredElsewhere,
    /// The caller hung up.
    CallerGone,
    /// Taken back by the engine for a more urgent item.
    Rescinded,
    /// The agent's leg was lost between answer and bridge.
    LostBeforeBridge,
}

/// Why an agent's leg is gone without anybody wanting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// No audio for too long.
    NoAudio,
    /// An in-dialog request went unanswered, or was answered 481 or 408.
    NoAnswer,
    /// The connection closed.
    Closed,
}

/// Who is asked about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// A colleague.
    Agent(AgentId),
    /// Whoever of this queue's team is free first.
    Queue(QueueId),
    /// Somebody of the centre's directory, by that name.
    Outside(String),
}

/// How asking somebody out of the caller's hearing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsultEnd {
    /// All of them talk with the caller.
    Together,
    /// Whoever was asked has the caller, and the agent who asked is gone.
    HandedOver,
    /// The agent has the caller again, and whoever was asked is gone.
    Back,
    /// Nobody answered: the agent has the caller again.
    Unanswered,
    /// The conversation is over.
    Over,
}

/// How a call ended, for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Talked, then somebody hung up on purpose.
    Released,
    /// The caller hung up while waiting, before 15 s.
    ShortAbandon,
    /// The caller hung up while waiting, after 15 s or more.
    Abandon,
    /// The caller's network failed.
    Network,
    /// It could not be served at all (`edges.md`): no codec of ours, no room.
    Refused,
    /// A test call.
    Test,
    /// A callback that reached nobody, or was not needed any more.
    Unreached,
}

/// What an agent wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Not on shift.
    SignedOut,
    /// Wants calls.
    Ready,
    /// Wants none, and why.
    Paused(String),
}

/// What an agent is doing: derived from legs and reservations, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Occupation {
    /// Nothing.
    Free,
    /// Reserved; a phone or page rings.
    Offered,
    /// A call is in the ear.
    Talking,
    /// Finishing the file after a call.
    WrapUp,
}

/// How a trunk stands, as our OPTIONS and its own traffic show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TrunkState {
    /// It answers, or has just called.
    Up,
    /// It has missed an answer, or has not proved anything yet. Calls still go there, last but one.
    Suspect,
    /// It has missed three in a row. Calls go there when nothing else is left.
    Down,
}
