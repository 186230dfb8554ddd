//! How long nothing has come from a peer, and when that is told.

use crate::media::leg::SECOND;

/// After how many seconds without a packet a leg is reported, once each.
const SILENCES: [u16; 3] = [1, 5, 30];

/// How long a peer has not been heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// The last packet, or when packets were first expected; `None` while none are.
    pub(super) since: Option<u64>,
    pub(super) heard: bool,
    /// How many of [`SILENCES`] have been reported.
    pub(super) reported: usize,
}

impl Silence {
    /// A packet came; true when that is news.
    pub(super) fn hear(&mut self, now: u64) -> bool {
        let news = !self.heard || self.reported > 0;
        self.heard = true;
        self.reported = 0;
        if let Some(since) = &mut self.since {
            *since = now;
        }
        news
    }

    pub(super) fn report(&mut self, now: u64) -> Option<u16> {
        let seconds = *SILENCES.get(self.reported)?;
        let silent = now.saturating_sub(self.since?) >= u64::from(seconds) * SECOND;
        silent.then(|| {
            self.reported += 1;
            seconds
        })
    }
}
