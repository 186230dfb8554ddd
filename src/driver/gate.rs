//! What a source may cost us: a budget of messages for each, in memory that never grows.
//!
//! A message beyond it is dropped before anything reads it. Strangers have a small one, phones of ours a
//! generous one. Trunks do not pass here: no protection ever answers or delays a trunk's call (I9).

use engine::time::Instant;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::time::Duration;

/// Places a source may be remembered at. More costs time for each message, fewer lets two sources
/// push each other out.
const WAYS: usize = 4;

/// A budget in seconds of its rate: what a phone says at once after a power cut.
const DEPTH: u32 = 4;

/// One source's budget.
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// Hash of its address; 0: free. Keyed, so that nobody can choose whose place to take.
    source: u64,
    /// What it has spent, in nanoseconds of its rate, as of `at`.
    spent: u64,
    at: Instant,
}

/// The budgets of all sources.
pub(super) struct Gate {
    key: RandomState,
    buckets: Vec<Bucket>,
    /// What one message costs, in nanoseconds.
    price: u64,
    depth: u64,
}

impl Gate {
    /// `rate` messages a second for each source, `sources` of them remembered.
    pub(super) fn new(rate: u32, sources: usize) -> Gate {
        let sets = (sources / WAYS).max(1).next_power_of_two();
        Gate {
            key: RandomState::new(),
            buckets: vec![Bucket::default(); sets * WAYS],
            price: 1_000_000_000 / u64::from(rate.max(1)),
            depth: u64::from(DEPTH) * 1_000_000_000,
        }
    }

    /// Whether this source may have one more message read.
    pub(super) fn admits(&mut self, now: Instant, source: impl Hash) -> bool {
        let hash = self.key.hash_one(source) | 1;
        let sets = self.buckets.len() / WAYS;
        let first = (hash >> 32) as usize % sets * WAYS;
        let set = &mut self.buckets[first..first + WAYS];
        let place = match set.iter().position(|bucket| bucket.source == hash) {
            Some(place) => place,
            // The one that is owed least: an empty place, or a source that was quiet for long.
            None => {
                let owed = |bucket: &Bucket| bucket.spent.saturating_sub(nanos(now.since(bucket.at)));
                let place = (0..WAYS).min_by_key(|place| owed(&set[*place])).unwrap_or_default();
                // Whoever pushes a busy one out inherits its debt: many sources are no way around.
                let spent = owed(&set[place]);
                set[place] = Bucket { source: hash, spent, at: now };
                place
            }
        };
        let bucket = &mut set[place];
        bucket.spent = bucket.spent.saturating_sub(nanos(now.since(bucket.at)));
        bucket.at = now;
        let admitted = bucket.spent + self.price <= self.depth;
        if admitted {
            bucket.spent += self.price;
        }
        admitted
    }
}

/// The part of an address one party holds: all of IPv4, the network of IPv6.
pub(super) fn prefix(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip) >> 64 | 1 << 127,
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(10) + Duration::from_millis(millis)
    }

    fn v4(last: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + last).to_be_bytes())
    }

    fn admitted(gate: &mut Gate, source: IpAddr, millis: std::ops::Range<u64>) -> usize {
        millis.filter(|milli| gate.admits(at(*milli), prefix(source))).count()
    }

    #[test]
    fn a_source_gets_its_rate_and_a_burst() {
        let mut gate = Gate::new(50, 4096);
        let got = admitted(&mut gate, v4(1), 0..10_000); // a thousand a second, ten seconds
        assert!((690..=710).contains(&got), "{got}");
        assert_eq!(admitted(&mut gate, v4(2), 0..100), 100, "another source is not touched");
    }

    #[test]
    fn one_network_of_ipv6_is_one_source() {
        let mut gate = Gate::new(50, 4096);
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let got = (0..1_000).filter(|last| gate.admits(at(0), prefix(host(*last)))).count();
        assert_eq!(got, 200);
    }

    #[test]
    fn a_hundred_thousand_sources_cost_no_memory_and_are_no_way_around() {
        let mut gate = Gate::new(50, 1024);
        let before = gate.buckets.capacity();
        let got = (0..400_000).filter(|last| gate.admits(at(0), prefix(v4(*last)))).count();
        assert_eq!(gate.buckets.capacity(), before);
        assert!(got <= 1024 * 200, "{got}");
    }
}
