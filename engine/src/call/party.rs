//! Who takes part in a call, each with a leg of its own life.

use super::event::Loss;
use super::leg::Leg;
use crate::id::{AgentId, OfferId};
use crate::trunks::Way;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;

/// What somebody outside is called whom a queue overflowed to: no name of the directory.
const OUTLET: &str = "overflow";

/// One participant.
#[derive(Debug)]
pub struct Party {
    /// In which role.
    pub role: PartyRole,
    /// Its signalling and audio.
    pub leg: Leg,
    /// How it takes part in the conversation.
    pub seat: Seat,
    /// It is not heard any more, and may come back: how it was lost.
    pub lost: Option<Loss>,
}

/// What a participant is to the call.
#[derive(Clone, Debug)]
pub enum PartyRole {
    /// Who called.
    Caller,
    /// An agent, rung for an offer: of the caller's item, or into the conversation.
    Agent {
        /// Who.
        agent: AgentId,
        /// The offer that rings, or rang.
        offer: OfferId,
    },
    /// A number outside that a queue overflows to.
    Outlet,
    /// The other phone of an agent whose page is lost in this conversation.
    Fallback {
        /// Whose.
        agent: AgentId,
    },
    /// The second line of an agent's phone, by which they ask somebody about this call: no
    /// participant of its own, but the ear of one who has put the caller on hold.
    SecondLine {
        /// Whose.
        agent: AgentId,
    },
    /// A supervisor, there by a wish of theirs.
    Supervisor {
        /// Who.
        agent: AgentId,
        /// How they want to take part, once their phone is lifted.
        wish: Seat,
    },
    /// Somebody of the centre's directory, reached through a trunk: fire brigade, another SAMU, a
    /// crew, an interpreter.
    Outside {
        /// The name in the directory.
        name: String,
        /// Who has asked them in.
        by: AgentId,
        /// The ways there that are left, the present one first.
        ways: VecDeque<Way>,
    },
}

/// How a participant takes part in the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Seat {
    /// Not in it: rings, waits or is on hold.
    #[default]
    Out,
    /// Hears everyone and is heard by everyone.
    Speaks,
    /// Hears everyone and is heard by nobody.
    Listens,
    /// Hears everyone and is heard by the agent who answers for the call alone.
    Whispers,
}

/// Who a participant is, for the log and for boards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Who called.
    Caller,
    /// A person of the roster.
    Agent(AgentId),
    /// Somebody of the directory, by that name.
    Outside(String),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Caller => f.write_str("caller"),
            Who::Agent(agent) => write!(f, "{agent}"),
            Who::Outside(name) => f.write_str(name),
        }
    }
}

impl Party {
    /// A participant whose leg is in no conversation yet.
    pub fn new(role: PartyRole, leg: Leg) -> Party {
        Party { role, leg, seat: Seat::Out, lost: None }
    }

    /// The agent whose leg it is.
    pub fn agent(&self) -> Option<AgentId> {
        match self.role {
            PartyRole::Agent { agent, .. }
            | PartyRole::Fallback { agent }
            | PartyRole::Supervisor { agent, .. } => Some(agent),
            PartyRole::Caller | PartyRole::Outlet => None,
            PartyRole::SecondLine { .. } | PartyRole::Outside { .. } => None,
        }
    }

    /// Who it is.
    pub fn who(&self) -> Who {
        match &self.role {
            PartyRole::Caller => Who::Caller,
            PartyRole::Outside { name, .. } => Who::Outside(name.clone()),
            PartyRole::Outlet => Who::Outside(OUTLET.to_owned()),
            PartyRole::Agent { agent, .. }
            | PartyRole::Fallback { agent }
            | PartyRole::SecondLine { agent }
            | PartyRole::Supervisor { agent, .. } => Who::Agent(*agent),
        }
    }

    /// The agent whose phone it is, by whichever line.
    pub fn whose_phone(&self) -> Option<AgentId> {
        match self.role {
            PartyRole::SecondLine { agent } => Some(agent),
            _ => self.agent(),
        }
    }

    /// The offer it was rung for.
    pub fn offer(&self) -> Option<OfferId> {
        match self.role {
            PartyRole::Agent { offer, .. } => Some(offer),
            _ => None,
        }
    }

    /// An agent of ours whom the caller hears, or heard a moment ago.
    pub fn is_agent_speaking(&self) -> bool {
        self.seat == Seat::Speaks && self.agent().is_some()
    }

    /// Somebody of the directory who has answered.
    pub fn is_outside_speaking(&self) -> bool {
        self.seat == Seat::Speaks && matches!(self.role, PartyRole::Outside { .. })
    }
}
