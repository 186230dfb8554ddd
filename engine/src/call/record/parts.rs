//! What a record tells of one call, part by part.

use crate::call::event::{Actor, ConsultEnd, Loss, OfferEnd, Private, Seat, Source, Who, Whom};
use crate::id::{AgentId, LegId, OfferId, QueueId, WorkId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One stay in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The item.
    pub work: WorkId,
    /// Where it waited.
    pub queue: QueueId,
    /// The stage its queue belongs to, by the plan's name.
    #[serde(default)]
    pub stage: String,
    /// The class it entered with.
    pub class: String,
    /// From when.
    pub entered: Duration,
    /// Until when; `None` while it waits.
    pub left: Option<Duration>,
    /// It came back after a failed connection or a loss.
    pub again: bool,
    /// When somebody answered it there; `None`: it left otherwise, or waits.
    #[serde(default)]
    pub answered: Option<Duration>,
    /// Who answered.
    #[serde(default)]
    pub by: Option<AgentId>,
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

/// One note.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What.
    pub text: Private,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Duration,
}

/// Somebody's part in a conversation that another agent answered for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attendance {
    /// Who.
    pub who: Who,
    /// In which way.
    pub seat: Seat,
    /// By whose wish.
    pub by: Actor,
    /// From when.
    pub from: Duration,
    /// Until when; `None` while it lasts.
    pub until: Option<Duration>,
    /// Their side failed.
    pub loss: Option<Loss>,
}

/// Somebody of ours was called beside the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Want {
    /// The item by which they were called.
    pub work: WorkId,
    /// Who; `None`: a regulator, by the vital key.
    pub whom: Option<Whom>,
    /// From when.
    pub from: Duration,
    /// Until somebody came, or nobody was wanted.
    pub until: Option<Duration>,
}

/// Somebody was asked while the caller was on hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consultation {
    /// Who asked.
    pub by: AgentId,
    /// Whom.
    pub whom: Whom,
    /// From when.
    pub from: Duration,
    /// Until when; `None` while it lasts.
    pub until: Option<Duration>,
    /// How it ended.
    pub end: Option<ConsultEnd>,
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

/// Why a leg ended, in its network's words (RFC 3326).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Whose.
    pub leg: LegId,
    /// `Q.850`, `SIP` ... or `other`.
    pub protocol: String,
    /// The cause in that protocol.
    pub cause: Option<u16>,
    /// When it was said.
    pub at: Duration,
}
