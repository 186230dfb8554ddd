//! Who and what, as types: an id cannot be mistaken for another's, is never reused, and knows its centre.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The unit of ownership: one SAMU centre. Its place in [`crate::site::Site::centres`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CentreId(pub u16);

/// Numbers that are never given twice: the node's epoch (a start, a take-over) above, a counter below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Serial(pub u64);

impl Serial {
    /// Bits of the counter: 2^40 ids per epoch, at 1 000 a second 34 years.
    pub const COUNTER_BITS: u32 = 40;

    /// The first serial of an epoch.
    pub fn first_of(epoch: u32) -> Serial {
        Serial(u64::from(epoch) << Self::COUNTER_BITS)
    }

    /// The epoch it was given in.
    pub fn epoch(self) -> u32 {
        u32::try_from(self.0 >> Self::COUNTER_BITS).unwrap_or(u32::MAX)
    }

    /// Takes the next serial from this source.
    pub fn take(&mut self) -> Serial {
        let taken = *self;
        self.0 += 1;
        taken
    }
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name {
            /// Whose it is.
            pub centre: CentreId,
            /// Which one.
            pub serial: Serial,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let counter = self.serial.0 & ((1 << Serial::COUNTER_BITS) - 1);
                write!(f, concat!("{}-", $letter, "{}.{}"), self.centre.0, self.serial.epoch(), counter)
            }
        }
    };
}

numbered!(
    /// One call, from its first INVITE to its record. Never reused.
    CallId, "c"
);
numbered!(
    /// One party's leg of a call: its signalling and its audio.
    LegId, "l"
);
numbered!(
    /// One work item of a queue.
    WorkId, "w"
);
numbered!(
    /// One offer of one work item to one agent (exclusive), or to several (shared).
    OfferId, "o"
);
numbered!(
    /// One conversation in the media plane.
    BridgeId, "b"
);

macro_rules! placed {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name {
            /// Whose it is.
            pub centre: CentreId,
            /// Its place in the centre's list, fixed while the process runs.
            pub index: u32,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}-", $letter, "{}"), self.centre.0, self.index)
            }
        }
    };
}

placed!(
    /// An agent: a person of the roster. The name is in [`crate::site::AgentSite`].
    AgentId, "a"
);
placed!(
    /// A queue of the centre's dialplan, by its order there.
    QueueId, "q"
);
