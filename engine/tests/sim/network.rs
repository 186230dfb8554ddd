//! What becomes of each message: lost, late, twice, overtaken. Decided by what the message is and how
//! often it was sent, not by how many were sent before: leaving a caller out leaves the others' fates.

use super::scenario::Network;
use super::sip::Sip;
use engine::sim::Chance;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

pub struct Wire {
    network: Network,
    seed: u64,
    copies: HashMap<u64, u64>,
}

impl Wire {
    pub fn new(network: Network, seed: u64) -> Wire {
        Wire { network, seed, copies: HashMap::new() }
    }

    /// When each copy of this message arrives, from now; none: it is lost.
    pub fn fate(&mut self, to_engine: bool, sip: &Sip) -> Vec<Duration> {
        let mut hasher = DefaultHasher::new();
        (to_engine, sip.call_id(), sip.header("cseq"), &sip.start).hash(&mut hasher);
        let key = hasher.finish();
        let copies = self.copies.entry(key).or_insert(0);
        *copies += 1;
        let mut chance = Chance::new(self.seed).fork(key).fork(*copies);
        let (least, more) = self.network.delay;
        let mut late = || Duration::from_millis(least + chance.roll(more as usize + 1) as u64);
        let (first, second) = (late(), late());
        let lost = chance.happens(self.network.loss);
        let twice = chance.happens(self.network.duplicate);
        [Some(first).filter(|_| !lost), Some(second).filter(|_| twice)].into_iter().flatten().collect()
    }
}
