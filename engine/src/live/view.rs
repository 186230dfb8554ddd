//! Who looks, and what they may see and wish for.

use crate::id::AgentId;

/// Somebody connected to the feed or the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name of the account: the actor of a supervisor's commands.
    pub name: String,
    /// What the account allows.
    pub right: Right,
}

/// What an account allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Looks at boards, with callers' numbers masked; commands nothing.
    Observer,
    /// One agent: sees the numbers of own offers and conversations, commands in own name.
    Agent(AgentId),
    /// Sees every number, commands for everybody.
    Supervisor,
}
