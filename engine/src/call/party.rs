//! Who takes part in a call, each with a leg of its own life.

use super::leg::Leg;
use crate::id::{AgentId, OfferId};

/// One participant.
#[derive(Debug)]
pub struct Party {
    /// In which role.
    pub role: PartyRole,
    /// Its signalling and audio.
    pub leg: Leg,
}

/// What a participant is to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyRole {
    /// Who called.
    Caller,
    /// An agent, rung for an offer.
    Agent {
        /// Who.
        agent: AgentId,
        /// The offer that rings, or rang.
        offer: OfferId,
    },
    /// The other phone of an agent whose page is lost in this conversation.
    Fallback {
        /// Whose.
        agent: AgentId,
    },
}

impl Party {
    /// The agent, unless it is the caller.
    pub fn agent(&self) -> Option<AgentId> {
        match self.role {
            PartyRole::Caller => None,
            PartyRole::Agent { agent, .. } | PartyRole::Fallback { agent } => Some(agent),
        }
    }

    /// The offer it was rung for.
    pub fn offer(&self) -> Option<OfferId> {
        match self.role {
            PartyRole::Caller | PartyRole::Fallback { .. } => None,
            PartyRole::Agent { offer, .. } => Some(offer),
        }
    }
}
