//! A party's leg: its signalling, its audio, and how far each is.

use serde::{Deserialize, Serialize};

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegState {
    /// Caller: 100 only. Agent: the phone has its INVITE.
    Ringing,
    /// Caller: 183 with audio.
    Early,
    /// Caller: 200 sent, its ACK not yet here.
    Answered,
    /// Both ends have agreed.
    Up,
    /// The signalling is gone while audio may still flow.
    Lost,
}
