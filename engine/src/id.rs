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

/// A text that is not an id of the kind asked for, as its `Display` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

/// Reads `centre-LETTERepoch.counter`, as pages and programs hand ids back to us.
fn read_numbered(text: &str, letter: &str) -> Option<(CentreId, Serial)> {
    let (centre, rest) = text.split_once('-')?;
    let (epoch, counter) = rest.strip_prefix(letter)?.split_once('.')?;
    let (epoch, counter) = (epoch.parse::<u64>().ok()?, counter.parse::<u64>().ok()?);
    let fits = counter < 1 << Serial::COUNTER_BITS && epoch < 1 << (u64::BITS - Serial::COUNTER_BITS);
    fits.then_some((CentreId(centre.parse().ok()?), Serial(epoch << Serial::COUNTER_BITS | counter)))
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

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let (centre, serial) = read_numbered(text, $letter).ok_or(NotAnId)?;
                Ok($name { centre, serial })
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
numbered!(
    /// One page's audio: the peer connection an agent's browser keeps for the shift.
    PageId, "p"
);

numbered!(
    /// One major event: a thing with a name, calls and a team of its own.
    MajorId, "e"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_handed_back_is_the_id_that_was_printed_and_no_other_kind() {
        let work = WorkId { centre: CentreId(3), serial: Serial(Serial::first_of(7).0 + 42) };
        assert_eq!(work.to_string(), "3-w7.42");
        assert_eq!("3-w7.42".parse(), Ok(work));
        assert_eq!("3-w7.42".parse::<CallId>(), Err(NotAnId));
        for wrong in
            ["", "3", "3-w", "3-w7", "3-w7.", "99999-w7.1", "3-w7.1099511627776", "3-w99999999.1", "-w7.1"]
        {
            assert_eq!(wrong.parse::<WorkId>(), Err(NotAnId), "{wrong}");
        }
    }
}
