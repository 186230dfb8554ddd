//! The one record a call ends in: a fold of its events, kept up to date while the call lives, so that
//! a restart goes on with the same record and its size does not grow with the call's length.

use super::event::{Actor, Cause, Loss, OfferEnd, Private, Source};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Attempts, stages, qualifications and conversations kept in full; beyond, the oldest are kept and
/// the later only counted. More costs memory per waiting call, fewer hides how a long wait went.
pub const PARTS_MAX: usize = 128;

/// The version of [`Record`]'s shape.
pub const RECORD_VERSION: u16 = 1;

/// A call's record (CDR). Every duration is counted from the call's arrival unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_VERSION`] when it was written.
    pub version: u16,
    /// The call.
    pub call: CallId,
    /// The trunk's name.
    pub trunk: String,
    /// What was dialled, as delivered.
    pub called: String,
    /// The plan's service for it.
    pub service: String,
    /// Best number to call back.
    pub caller: Private,
    /// The name the network showed.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// The SIP Call-ID, to find the call again at the carrier.
    pub sip_call_id: Private,
    /// When the INVITE came, on the wall clock.
    pub arrived: SystemTime,
    /// When the INVITE came, on the timeline.
    pub arrived_at: Instant,
    /// The route that won.
    pub route: String,
    /// Modifiers that applied, in order.
    pub modifiers: Vec<String>,
    /// The plan's version.
    pub plan: String,
    /// When the caller first heard us (183 or 200).
    pub anchored: Option<Duration>,
    /// When the caller was answered (200).
    pub answered: Option<Duration>,
    /// Every time it stood in a queue.
    pub stages: Vec<Stage>,
    /// How urgent it was, on whose word.
    pub qualifications: Vec<Qualification>,
    /// Every offer to an agent.
    pub attempts: Vec<Attempt>,
    /// How many offers there were, also beyond [`PARTS_MAX`].
    pub attempts_count: u32,
    /// Every conversation with an agent.
    pub conversations: Vec<Conversation>,
    /// From arrival to the first conversation; without one, to the end.
    pub waited: Duration,
    /// Sum of the conversations.
    pub talked: Duration,
    /// When it was over, on the wall clock; `None` while it lives.
    pub ended: Option<SystemTime>,
    /// From arrival to the end.
    pub lasted: Duration,
    /// Who ended it.
    pub ended_by: Option<Actor>,
    /// How it ended.
    pub cause: Option<Cause>,
    /// The disposition of the release, when the agent gave one.
    pub disposition: Option<String>,
}

/// One stay in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The item.
    pub work: WorkId,
    /// Where it waited.
    pub queue: QueueId,
    /// The class it entered with.
    pub class: String,
    /// From when.
    pub entered: Duration,
    /// Until when; `None` while it waits.
    pub left: Option<Duration>,
    /// It came back after a failed connection or a loss.
    pub again: bool,
}

/// One word on how urgent a call is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Qualification {
    /// The class from then on.
    pub class: String,
    /// On whose word.
    pub by: Actor,
    /// From where.
    pub source: Source,
    /// When.
    pub at: Duration,
}

/// One offer to one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The offer.
    pub offer: OfferId,
    /// To whom.
    pub agent: AgentId,
    /// When.
    pub at: Duration,
    /// When it ended; `None` while it stands.
    pub over: Option<Duration>,
    /// How it ended.
    pub end: Option<OfferEnd>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// With whom.
    pub agent: AgentId,
    /// From when.
    pub from: Duration,
    /// Until when; `None` while it lasts.
    pub until: Option<Duration>,
    /// The agent's side failed.
    pub loss: Option<Loss>,
}
