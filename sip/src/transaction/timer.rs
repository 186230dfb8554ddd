//! The timers of transactions, by the letters of RFC 3261 §17 and RFC 6026 §8.

use std::time::Duration;

/// The three intervals all others are made of (RFC 3261 §17.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of a round trip, 500 ms. Less retransmits needlessly over slow paths; more
    /// leaves a lost message unnoticed longer.
    pub t1: Duration,
    /// Longest interval between retransmissions, 4 s.
    pub t2: Duration,
    /// Longest life of a message in the network, 5 s.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Timers { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// One timer of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// INVITE client: retransmit the request.
    A,
    /// INVITE client: no response at all.
    B,
    /// INVITE client: a bound where there is none (named after the proxies' patience, §16.6: more than
    /// three minutes): the peer has the INVITE, and the connection it came over is gone. 64*T1 when
    /// nobody waits for the final response any more.
    C,
    /// INVITE client: absorb retransmitted failures.
    D,
    /// Other client: retransmit the request.
    E,
    /// Other client: no final response.
    F,
    /// INVITE server: retransmit the failure.
    G,
    /// INVITE server: no ACK.
    H,
    /// INVITE server: absorb retransmitted ACKs.
    I,
    /// Other server: absorb retransmitted requests.
    J,
    /// Other client: absorb retransmitted responses.
    K,
    /// INVITE server: absorb retransmitted INVITEs after a 2xx (RFC 6026).
    L,
    /// INVITE client: hand up the 2xx of every fork (RFC 6026).
    M,
}

impl Timers {
    /// How long `timer` runs the `nth` time (0 first); zero: at once.
    pub fn interval(&self, timer: Timer, nth: u32, reliable: bool) -> Duration {
        let doubled = self.t1.saturating_mul(1 << nth.min(16));
        match timer {
            Timer::A => doubled,
            Timer::E | Timer::G => doubled.min(self.t2),
            Timer::C => self.t1 * 384,
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M => self.t1 * 64,
            Timer::D | Timer::J if reliable => Duration::ZERO,
            Timer::I | Timer::K if reliable => Duration::ZERO,
            Timer::D => (self.t1 * 64).max(Duration::from_secs(32)),
            Timer::J => self.t1 * 64,
            Timer::I | Timer::K => self.t4,
        }
    }

    /// The wait before a 2xx that has been sent `sent` times goes out again (§13.3.1.4).
    pub fn repeat_interval(&self, sent: u32) -> Duration {
        self.interval(Timer::G, sent.saturating_sub(1), false)
    }

    /// 64*T1: after that nobody is expected to answer any more.
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_table_in_rfc_3261_appendix_a() {
        let timers = Timers::default();
        let ms = |timer, nth, reliable| timers.interval(timer, nth, reliable).as_millis();
        assert_eq!([0, 1, 2, 3, 4].map(|n| ms(Timer::A, n, false)), [500, 1000, 2000, 4000, 8000]);
        assert_eq!([0, 1, 2, 3, 4].map(|n| ms(Timer::E, n, false)), [500, 1000, 2000, 4000, 4000]);
        assert_eq!((ms(Timer::C, 0, false), ms(Timer::C, 0, true)), (192_000, 192_000));
        for timer in [Timer::B, Timer::F, Timer::H, Timer::L, Timer::M] {
            assert_eq!((ms(timer, 0, false), ms(timer, 0, true)), (32_000, 32_000), "{timer:?}");
        }
        for timer in [Timer::D, Timer::J] {
            assert_eq!((ms(timer, 0, false), ms(timer, 0, true)), (32_000, 0), "{timer:?}");
        }
        for timer in [Timer::I, Timer::K] {
            assert_eq!((ms(timer, 0, false), ms(timer, 0, true)), (5_000, 0), "{timer:?}");
        }
    }
}
