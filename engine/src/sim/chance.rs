//! Chance as an argument: one seed, the same evening on every machine.

use std::time::Duration;

/// A small generator (splitmix64). Streams forked from it by a number do not depend on each other, so
/// one caller more or less changes nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Chance {
        Chance(scramble(seed))
    }

    /// A stream of its own for the `nth` of something.
    pub fn fork(self, nth: u64) -> Chance {
        Chance(scramble(self.0 ^ scramble(nth.wrapping_add(1))))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// Between zero and one, both excluded.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// True so often.
    pub fn happens(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of `sides`; zero when there is none.
    pub fn roll(&mut self, sides: usize) -> usize {
        let sides = sides as u64;
        // A bias below 2^-50 for any count this is asked for.
        self.bits().checked_rem(sides).and_then(|side| usize::try_from(side).ok()).unwrap_or(0)
    }

    /// Standard normal (Box and Muller; the second value is not kept, so that a stream stays a number).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.unit().ln()).sqrt(), std::f64::consts::TAU * self.unit());
        radius * angle.cos()
    }
}

/// The finaliser of splitmix64: every bit of the input changes about half of the output.
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// How a time is spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Always(Duration),
    /// As likely anywhere between the two.
    Between(Duration, Duration),
    /// Without memory.
    Exponential {
        /// On average.
        mean: Duration,
    },
    /// Many short ones and a long tail: talks and files.
    LogNormal {
        /// On average.
        mean: Duration,
        /// Standard deviation over mean.
        cv: f64,
    },
    /// Patience.
    Weibull {
        /// Half of them are shorter.
        median: Duration,
        /// Above one: the longer it lasts, the nearer its end.
        shape: f64,
    },
}

/// Nothing in a room lasts longer; a draw beyond it is a tail no model of a telephone means.
const LONGEST: f64 = 24.0 * 3600.0;

impl Law {
    /// One time.
    pub fn draw(&self, chance: &mut Chance) -> Duration {
        let seconds = match *self {
            Law::Always(time) => return time,
            Law::Between(least, most) => {
                least.as_secs_f64() + chance.unit() * most.saturating_sub(least).as_secs_f64()
            }
            Law::Exponential { mean } => -mean.as_secs_f64() * chance.unit().ln(),
            Law::LogNormal { mean, cv } => {
                let variance = (1.0 + cv * cv).ln();
                mean.as_secs_f64() * (variance.sqrt() * chance.normal() - variance / 2.0).exp()
            }
            Law::Weibull { median, shape } => {
                let scale = median.as_secs_f64() / std::f64::consts::LN_2.powf(1.0 / shape);
                scale * (-chance.unit().ln()).powf(1.0 / shape)
            }
        };
        Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, Law};
    use std::time::Duration;

    #[test]
    fn every_law_keeps_its_mean_or_median() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let mean = minutes(2);
        for law in [Law::Always(mean), Law::Exponential { mean }, Law::LogNormal { mean, cv: 0.8 }] {
            let mut chance = Chance::new(7);
            let sum: f64 = (0..100_000).map(|_| law.draw(&mut chance).as_secs_f64()).sum();
            assert!((sum / 100_000.0 - 120.0).abs() < 2.0, "{law:?}: {}", sum / 100_000.0);
        }
        let law = Law::Weibull { median: mean, shape: 1.5 };
        let mut chance = Chance::new(7);
        let below = (0..100_000).filter(|_| law.draw(&mut chance) < mean).count();
        assert!((49_000..51_000).contains(&below), "{below}");
        let law = Law::Between(minutes(1), minutes(3));
        assert!((0..1_000).map(|_| law.draw(&mut chance)).all(|it| it >= minutes(1) && it <= minutes(3)));
    }

    #[test]
    fn a_fork_is_a_stream_of_its_own_and_always_the_same() {
        let chance = Chance::new(1);
        assert_eq!(chance.fork(3), chance.fork(3));
        assert_ne!(chance.fork(3).bits(), chance.fork(4).bits());
        assert_ne!(Chance::new(1).bits(), Chance::new(2).bits());
        assert_eq!(Chance::new(1).roll(0), 0);
    }
}
