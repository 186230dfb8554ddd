//! Chance as an argument: a secret that keys the maps, and what nobody may guess.

use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher};

/// Hashes with a secret of this endpoint, and the same way in every replay.
#[derive(Clone, Copy)]
pub struct Keying(u64);

impl Keying {
    /// `seed` is the secret.
    pub fn new(seed: u64) -> Self {
        Keying(seed)
    }
}

impl fmt::Debug for Keying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keying(..)")
    }
}

impl BuildHasher for Keying {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
