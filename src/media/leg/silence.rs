//! How long nothing has come from a leg's peer, and when that is told.

use super::{Leg, Line, Place, SECOND};
use engine::id::BridgeId;

/// After how many seconds without a packet a leg is reported, once each.
const SILENCES: [u16; 3] = [1, 5, 30];

/// Without a packet for so long in a conversation, whoever hears only this leg hears comfort noise: a
/// line without any sound is taken for dead, and hung up. Shorter would cut into the bursts of a
/// poor network, longer is a silence people ask into.
const HUSHED_AFTER: u64 = SECOND * 3 / 10;

/// How long a peer has not been heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// The last packet, or when packets were first expected; `None` while none are.
    pub(super) since: Option<u64>,
    /// The last audible packet, or when one could come: comfort noise of a peer, or its hold, says that
    /// somebody is there, and is nothing to hear.
    pub(super) mute_since: u64,
    pub(super) heard: bool,
    /// How many of [`SILENCES`] have been reported.
    pub(super) reported: usize,
}

impl Silence {
    /// A packet came, and may be audible; true when that is news.
    pub(super) fn hear(&mut self, now: u64, audible: bool) -> bool {
        let news = !self.heard || self.reported > 0;
        self.heard = true;
        self.reported = 0;
        if let Some(since) = &mut self.since {
            *since = now;
        }
        if audible {
            self.mute_since = now;
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

impl Leg {
    /// Forgets that the peer was heard: from here on its first packet is news again, and its silence
    /// is counted.
    pub fn expect(&mut self, now: u64) {
        let since = self.expected().then_some(now);
        self.silence = Silence { since, mute_since: now, heard: false, reported: 0 };
        self.looked_at = now;
    }

    pub(super) fn expected(&self) -> bool {
        self.stream.receive && (self.stream.remote.is_some() || matches!(self.line, Line::Page(_)))
    }

    /// Whether the peer has been heard since [`Leg::expect`].
    pub fn is_heard(&self) -> bool {
        self.silence.heard
    }

    /// The conversation in which it has just fallen silent; once per silence.
    pub fn hushes(&mut self, now: u64) -> Option<BridgeId> {
        let Place::Bridge(bridge, _) = self.place else { return None };
        let silent = now.saturating_sub(self.silence.mute_since) >= HUSHED_AFTER;
        (silent && !std::mem::replace(&mut self.hushed, silent)).then_some(bridge)
    }

    /// The silence to be reported at `now`, in seconds; once each.
    pub fn silent(&mut self, now: u64) -> Option<u16> {
        self.silence.report(now)
    }

    /// Whether it is time to look what has come to a leg that is not read packet by packet.
    pub fn is_look_due(&self, now: u64) -> bool {
        now.saturating_sub(self.looked_at) >= SECOND
    }

    /// Notes that it was looked at.
    pub fn looked(&mut self, now: u64) {
        self.looked_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::leg::kit::{leg, packet};
    use engine::media::Stream;

    #[test]
    fn i33_silence_is_reported_at_1_5_and_30_seconds_and_its_end_once() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let silences = |leg: &mut Leg, seconds: std::ops::Range<u64>| {
            seconds.filter_map(|second| leg.silent(second * SECOND)).collect::<Vec<_>>()
        };
        assert_eq!(silences(&mut leg, 0..40), [1, 5, 30]);
        let from = "192.0.2.1:4000".parse().unwrap();
        let firsts = [40, 41].map(|at| leg.hear(&packet(8, 1), from, at * SECOND).unwrap().first);
        assert_eq!(firsts, [true, false]);
        assert_eq!(silences(&mut leg, 41..50), [1, 5]);
    }

    #[test]
    fn no_silence_is_counted_where_nothing_is_expected() {
        let mut leg = leg(None);
        assert_eq!(leg.silent(100 * SECOND), None);
        let agreed = Stream { remote: Some("192.0.2.1:4000".parse().unwrap()), ..leg.stream };
        leg.update(agreed, 100 * SECOND);
        assert_eq!(leg.silent(100 * SECOND), None);
        assert_eq!(leg.silent(101 * SECOND), Some(1));
        leg.update(Stream { receive: false, ..agreed }, 102 * SECOND);
        assert_eq!(leg.silent(200 * SECOND), None);
    }
}
