//! The board: the fold of one centre's log.

use crate::id::CentreId;
use crate::site::AgentSite;

/// What a centre's board needs to know before its first event.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Which centre.
    pub centre: CentreId,
    /// Its name.
    pub name: String,
    /// The queues of its plan by name, in plan order.
    pub queues: Vec<String>,
    /// Its roster, in the site's order.
    pub agents: Vec<AgentSite>,
}
