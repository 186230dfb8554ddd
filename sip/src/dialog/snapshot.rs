//! A dialog as the journal keeps it: everything another process needs to go on with it.

use crate::transport::Flow;
use serde::{Deserialize, Serialize};

/// The shape written by this version of the code.
pub const SNAPSHOT_VERSION: u16 = 1;

/// Version N and N+1 read each other's: fields are only added, with a default.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogSnapshot {
    /// Which shape this is; the reader refuses a higher one.
    pub version: u16,
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag; empty while an outgoing INVITE has none.
    pub remote_tag: String,
    /// The From of our requests, tag included.
    pub local: String,
    /// The To of our requests, tag included.
    pub remote: String,
    /// Where requests go: the peer's Contact.
    pub target: String,
    /// Route headers of our requests, in order.
    pub routes: Vec<String>,
    /// CSeq of our last request.
    pub local_cseq: u32,
    /// CSeq of the peer's last request.
    pub remote_cseq: Option<u32>,
    /// The path.
    pub flow: Flow,
    /// Requests stay on that path whatever the Contact says.
    #[serde(default)]
    pub stays_on_flow: bool,
    /// For an INVITE not answered yet, or whose 2xx has no ACK yet: the Via, From, To, Call-ID and CSeq lines its responses
    /// carry.
    pub pending: Option<String>,
}

impl std::fmt::Debug for DialogSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DialogSnapshot").field("version", &self.version).finish_non_exhaustive()
    }
}
