//! How many calls the system's limit of open files leaves room for.
//!
//! A descriptor that is missing in the middle of a night takes the port of an agent's phone, or the
//! record of a call that has ended. So calls are counted against the limit at the start, and one too
//! many is told 503 while everything else has what it needs.

use super::STOCK;
use crate::config::Config;
use crate::media::sys;

/// A caller's pair of sockets, and the pair of whoever answers.
const OF_CALL: u64 = 4;

/// Connections of carriers, at most.
const OF_TRUNKS: u64 = 1024;

/// Pages, listeners, files and what the system's libraries keep open.
const BESIDES: u64 = 1024;

/// Strangers' connections hold one descriptor in so many: a caller comes before all of them.
const OF_STRANGERS: u64 = 8;

/// Fewer strangers, and fewer calls at once, than configured where the system allows no more, said aloud.
pub(super) fn fit(config: &mut Config) {
    let Ok(limit) = sys::raise_descriptors() else { return }; // the media plane says it
    let strangers = usize::try_from(limit / OF_STRANGERS).unwrap_or(usize::MAX).max(1);
    if strangers < config.limits.connections {
        tracing::warn!(
            limit,
            configured = config.limits.connections,
            strangers,
            "the system's limit of open files leaves room for fewer connections than `[sip] connections`"
        );
        config.limits.connections = strangers;
    }
    let (configured, calls) = (config.site.calls_max, within(limit, config.limits.connections));
    if calls < configured {
        tracing::error!(
            limit,
            configured,
            calls,
            "the system's limit of open files leaves room for fewer calls at once than `[node] calls_max` and \
             `[media] ports`: raise it (systemd: LimitNOFILE), or carriers are told 503 beyond"
        );
        config.site.calls_max = calls;
    }
}

/// Calls at once within so many descriptors, when strangers may hold so many connections. Half of all
/// are for calls whatever the rest may come to: carriers and pages seldom hold what they may.
fn within(limit: u64, connections: usize) -> usize {
    let strangers = u64::try_from(connections).unwrap_or(u64::MAX);
    let stock = 2 * u64::try_from(STOCK).unwrap_or(u64::MAX);
    let left = limit.saturating_sub(OF_TRUNKS + BESIDES + stock).saturating_sub(strangers);
    usize::try_from(left.max(limit / 2) / OF_CALL).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_as_many_as_have_their_sockets_beside_everything_else() {
        assert_eq!(within(65_536, 1_024), (65_536 - 4 * 1_024) / 4);
        assert_eq!(within(524_288, 1_024), (524_288 - 4 * 1_024) / 4);
        assert_eq!(within(4_096, 512), 512, "half of them");
        assert_eq!(within(65_536, 65_536), 8_192, "however many strangers are let in");
    }
}
