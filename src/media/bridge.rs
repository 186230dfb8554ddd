//! A conversation: ports that hear each other, all on one thread.
//!
//! With two ports it is a relay. A mixer of more, with small jitter buffers, is deliberately absent:
//! a third port is refused, in words the engine can log, and the two go on undisturbed.

/// Ports of one conversation.
pub const PORTS_MAX: usize = 2;

/// Who is in one conversation. Knows nothing of audio: a port is a place in a list of legs.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    ports: Vec<u32>,
}

/// Why a third port is refused, for the log.
pub const FULL: &str = "the conversation has its two ports; a third needs a mixer, which this version lacks";

/// A conversation has no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{FULL}")]
pub struct Full;

impl Bridge {
    /// Adds a port.
    ///
    /// # Errors
    /// It has [`PORTS_MAX`] already.
    pub fn join(&mut self, port: u32) -> Result<(), Full> {
        if self.ports.len() >= PORTS_MAX {
            return Err(Full);
        }
        self.ports.push(port);
        Ok(())
    }

    /// Takes a port out.
    pub fn leave(&mut self, port: u32) {
        self.ports.retain(|other| *other != port);
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// Who hears what `port` says.
    pub fn hearers(&self, port: u32) -> impl Iterator<Item = u32> {
        self.ports.iter().copied().filter(move |other| *other != port)
    }

    /// Everybody in it.
    pub fn ports(&self) -> &[u32] {
        &self.ports
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hear_each_other_and_a_third_is_refused() {
        let mut bridge = Bridge::default();
        assert_eq!([bridge.join(4), bridge.join(7), bridge.join(9)], [Ok(()), Ok(()), Err(Full)]);
        assert_eq!(bridge.hearers(4).collect::<Vec<_>>(), [7]);
        assert_eq!(bridge.hearers(7).collect::<Vec<_>>(), [4]);
        bridge.leave(4);
        assert_eq!(bridge.hearers(7).count(), 0);
        assert_eq!(bridge.join(9), Ok(()));
    }
}
