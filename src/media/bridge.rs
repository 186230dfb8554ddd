//! A conversation: ports that hear each other, all on one thread.
//!
//! With two ports it is a relay, and adds nothing to a packet but the look-up. With more it is a mix:
//! each port's packets go into a small buffer, and every 20 ms each port hears the sum of the others.

pub use engine::media::TOGETHER_MAX as PORTS_MAX;

/// Who is in one conversation. Knows nothing of audio: a port is a place in a list of legs.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    ports: Vec<u32>,
    /// It is a mix: its member of the wheel, and the phase.
    pub(super) mixed: Option<(u32, usize)>,
}

/// Why one more port is refused, for the log.
pub const FULL: &str = "the conversation has all the ports it can have";

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
    fn everybody_hears_everybody_else_until_it_is_full() {
        let mut bridge = Bridge::default();
        for port in 0..8 {
            assert_eq!(bridge.join(port), Ok(()));
        }
        assert_eq!(bridge.join(9), Err(Full));
        assert_eq!(bridge.hearers(4).collect::<Vec<_>>(), [0, 1, 2, 3, 5, 6, 7]);
        bridge.leave(4);
        assert!(bridge.hearers(0).all(|port| port != 4));
        assert_eq!(bridge.join(9), Ok(()));
    }
}
