//! What a run has shown, in a size that does not grow with the number of calls.

use std::time::Duration;

/// Times, counted in tenths of a second up to an hour; what is longer counts as the
/// longest of all in quantiles, and as itself in the mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    tenths: Vec<u32>,
    count: u64,
    sum: f64,
    longest: Duration,
    /// Longer than nothing at all.
    some: u64,
}

const TENTHS_MAX: usize = 36_000;

impl Spread {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        let tenth = usize::try_from(time.as_millis() / 100).unwrap_or(TENTHS_MAX).min(TENTHS_MAX);
        if self.tenths.len() <= tenth {
            self.tenths.resize(tenth + 1, 0);
        }
        self.tenths[tenth] += 1;
        self.count += 1;
        self.sum += time.as_secs_f64();
        self.longest = self.longest.max(time);
        self.some += u64::from(!time.is_zero());
    }

    /// Those of another evening as well.
    pub fn add_all(&mut self, other: &Spread) {
        if self.tenths.len() < other.tenths.len() {
            self.tenths.resize(other.tenths.len(), 0);
        }
        for (mine, theirs) in self.tenths.iter_mut().zip(&other.tenths) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
        self.some += other.some;
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Seconds on average; zero without any.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// Share that waited at all.
    pub fn waiting(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.some as f64 / self.count as f64 }
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// So many of them were not longer (to a tenth of a second); zero without any.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (share * self.count as f64).ceil() as u64;
        let mut seen = 0;
        for (tenth, times) in self.tenths.iter().enumerate() {
            seen += u64::from(*times);
            if seen >= wanted.max(1) && tenth < TENTHS_MAX {
                return self.longest.min(Duration::from_millis(100 * (tenth as u64 + 1)));
            }
        }
        self.longest
    }

    /// Share that was not longer than this (to a tenth of a second); one without any.
    pub fn within(&self, limit: Duration) -> f64 {
        let tenths = usize::try_from(limit.as_millis() / 100).unwrap_or(TENTHS_MAX);
        let met: u64 = self.tenths.iter().take(tenths).map(|times| u64::from(*times)).sum();
        if self.count == 0 { 1.0 } else { met as f64 / self.count as f64 }
    }
}

/// Averages over equal slices of time: one curve per series.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Length of a slice.
    pub slice: Duration,
    /// Names of the series.
    pub names: Vec<String>,
    /// By slice, then by series: sum of value x seconds.
    areas: Vec<Vec<f64>>,
    /// Evenings in it.
    evenings: u32,
}

/// Slices of one curve: a week of five minutes. Longer runs are for figures, not for curves.
const SLICES_MAX: usize = 2_016;

impl Curve {
    pub(super) fn new(slice: Duration, names: Vec<String>) -> Curve {
        Curve { slice, names, areas: Vec::new(), evenings: 1 }
    }

    /// The values that held from `from` to `to`, both since the start.
    pub(super) fn hold(&mut self, from: Duration, to: Duration, values: &[f64]) {
        let slice = self.slice.as_secs_f64();
        let (mut from, to) = (from.as_secs_f64(), to.as_secs_f64());
        while from < to {
            let at = (from / slice) as usize;
            if at >= SLICES_MAX {
                return;
            }
            let end = to.min((at + 1) as f64 * slice);
            if self.areas.len() <= at {
                self.areas.resize(at + 1, vec![0.0; self.names.len()]);
            }
            for (area, value) in self.areas[at].iter_mut().zip(values) {
                *area += value * (end - from);
            }
            // A step too small for the slice's arithmetic would never end.
            from = end.max(from + 1e-9);
        }
    }

    /// Another evening as well: the curve is their average.
    pub fn add_all(&mut self, other: &Curve) {
        if self.areas.len() < other.areas.len() {
            self.areas.resize(other.areas.len(), vec![0.0; self.names.len()]);
        }
        for (mine, theirs) in self.areas.iter_mut().zip(&other.areas) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.evenings += other.evenings;
    }

    /// One series as averages.
    pub fn series(&self, nth: usize) -> Vec<f64> {
        let slice = self.slice.as_secs_f64() * f64::from(self.evenings);
        self.areas.iter().map(|areas| areas.get(nth).copied().unwrap_or(0.0) / slice).collect()
    }
}

/// What a run has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Calls that came, redials included.
    pub calls: u64,
    /// Of them, second and later attempts.
    pub redials: u64,
    /// Answered by a human.
    pub answered: u64,
    /// Given up before 15 s.
    pub short_abandons: u64,
    /// Given up later.
    pub abandons: u64,
    /// Calls the floor would not take: always zero, and counted all the same.
    pub refused: u64,
    /// Answer times, by class on arrival.
    pub by_class: Vec<(String, Spread)>,
    /// Of all.
    pub all: Spread,
    /// Calls that stood behind the fence on arrival.
    pub confirmed: Spread,
    /// Calls a human has found to be vital after the answer: nobody could put them first.
    pub later_vital: Spread,
    /// Vital calls given up, known or not.
    pub vital_lost: u64,
    /// At the second stage: from the hand-over to the doctor.
    pub second: Spread,
    /// Offers and invitations made.
    pub offers: u64,
    /// Distributions and claims compared with the brute-force order.
    pub judged: u64,
    /// Of them, out of order.
    pub order_broken: u64,
    /// Picks by a person, exempt from the order.
    pub picked: u64,
    /// Alerts to busy agents.
    pub alerts: u64,
    /// Facts told to the floor.
    pub facts: u64,
    /// Agents' seconds with a call in the ear or in wrap-up.
    pub busy: f64,
    /// Agents' seconds on shift.
    pub on_shift: f64,
    /// Waiting by class on arrival.
    pub waiting: Curve,
    /// Agents on shift, and busy.
    pub staff: Curve,
    /// Everything was empty when the last caller had left.
    pub rested: bool,
    /// Most calls in the room at once.
    pub most: usize,
}

impl Outcome {
    /// Another evening of the same plan as well.
    pub fn add_all(&mut self, other: &Outcome) {
        for (mine, theirs) in [
            (&mut self.calls, other.calls),
            (&mut self.redials, other.redials),
            (&mut self.answered, other.answered),
            (&mut self.short_abandons, other.short_abandons),
            (&mut self.abandons, other.abandons),
            (&mut self.refused, other.refused),
            (&mut self.vital_lost, other.vital_lost),
            (&mut self.offers, other.offers),
            (&mut self.judged, other.judged),
            (&mut self.order_broken, other.order_broken),
            (&mut self.picked, other.picked),
            (&mut self.alerts, other.alerts),
            (&mut self.facts, other.facts),
        ] {
            *mine += theirs;
        }
        for ((_, mine), (_, theirs)) in self.by_class.iter_mut().zip(&other.by_class) {
            mine.add_all(theirs);
        }
        self.all.add_all(&other.all);
        self.confirmed.add_all(&other.confirmed);
        self.later_vital.add_all(&other.later_vital);
        self.second.add_all(&other.second);
        self.waiting.add_all(&other.waiting);
        self.staff.add_all(&other.staff);
        self.busy += other.busy;
        self.on_shift += other.on_shift;
        self.rested &= other.rested;
        self.most = self.most.max(other.most);
    }

    /// Share of the time on shift with a call in the ear or in wrap-up.
    pub fn occupancy(&self) -> f64 {
        if self.on_shift > 0.0 { self.busy / self.on_shift } else { 0.0 }
    }

    pub(super) fn nothing() -> Outcome {
        Outcome {
            calls: 0,
            redials: 0,
            answered: 0,
            short_abandons: 0,
            abandons: 0,
            refused: 0,
            by_class: Vec::new(),
            all: Spread::default(),
            confirmed: Spread::default(),
            later_vital: Spread::default(),
            vital_lost: 0,
            second: Spread::default(),
            offers: 0,
            judged: 0,
            order_broken: 0,
            picked: 0,
            alerts: 0,
            facts: 0,
            busy: 0.0,
            on_shift: 0.0,
            waiting: Curve::new(Duration::MAX, Vec::new()),
            staff: Curve::new(Duration::MAX, Vec::new()),
            rested: false,
            most: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, Spread};
    use std::time::Duration;

    #[test]
    fn a_spread_knows_its_quantiles_and_mean() {
        let mut spread = Spread::default();
        (1..=100).for_each(|n| spread.add(Duration::from_secs(n)));
        assert_eq!(spread.quantile(0.9), Duration::from_millis(90_100));
        assert_eq!(spread.quantile(1.0), Duration::from_secs(100));
        assert!((spread.mean() - 50.5).abs() < 1e-9 && (spread.waiting() - 1.0).abs() < 1e-9);
        assert!((spread.within(Duration::from_millis(20_100)) - 0.2).abs() < 1e-9);
        spread.add(Duration::from_secs(90_000));
        assert_eq!(spread.quantile(1.0), Duration::from_secs(90_000));
    }

    #[test]
    fn a_curve_averages_what_held() {
        let mut curve = Curve::new(Duration::from_secs(10), vec!["a".to_owned()]);
        curve.hold(Duration::from_secs(5), Duration::from_secs(25), &[2.0]);
        assert_eq!(curve.series(0), [1.0, 2.0, 1.0]);
    }
}
