//! A live call as the journal keeps it: everything a restart needs, versioned.

use super::record::Record;
use crate::id::{AgentId, BridgeId, CallId, LegId, QueueId, WorkId};
use crate::media::{MediaPort, Stream};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// The version of [`CallSnapshot`]'s shape. A process reads its own and the one before.
pub const SNAPSHOT_VERSION: u16 = 1;

/// A call's whole state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSnapshot {
    /// [`SNAPSHOT_VERSION`] when it was written.
    pub version: u16,
    /// The call.
    pub call: CallId,
    /// When this was so.
    pub at: Instant,
    /// The version of the plan it entered with.
    pub plan: String,
    /// Its class, by the plan's name.
    pub class: String,
    /// A human has said how urgent it is.
    pub qualified: bool,
    /// Its place, while it waits.
    pub work: Option<WorkSnapshot>,
    /// Its conversation, while it talks.
    pub bridge: Option<BridgeId>,
    /// When an early-media caller is answered at the latest.
    pub answer_by: Option<Instant>,
    /// Its parties: the caller first.
    pub legs: Vec<LegSnapshot>,
    /// Its record so far: arrival, history, numbers.
    pub record: Record,
}

/// A place in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkSnapshot {
    /// The item.
    pub work: WorkId,
    /// The queue.
    pub queue: QueueId,
    /// The queue's name: a plan of the next start may number them differently.
    pub queue_name: String,
    /// Where its wait is counted from.
    pub arrived: Instant,
}

/// One party's leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegSnapshot {
    /// The leg.
    pub leg: LegId,
    /// The agent it reaches; `None`: the caller.
    pub agent: Option<AgentId>,
    /// How far it is.
    pub state: super::leg::LegState,
    /// Origin id and version of our last SDP (RFC 3264 §8: the version rises with each change).
    pub sdp: (u64, u64),
    /// Its sockets.
    pub port: MediaPort,
    /// What was agreed.
    pub stream: Stream,
}
