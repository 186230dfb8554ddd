//! Where accounts have been proved from: phones come back to where they were, and whoever guesses comes
//! from elsewhere.

use super::CONTACTS_MAX;
use crate::guesses::half;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

/// The homes of accounts, each by its place among ours: of each the last [`CONTACTS_MAX`].
#[derive(Clone, Default)]
pub(super) struct Homes {
    known: BTreeSet<(IpAddr, usize)>,
    of_each: BTreeMap<usize, VecDeque<IpAddr>>,
}

impl Homes {
    /// This account has been proved from here.
    pub(super) fn note(&mut self, account: usize, source: IpAddr) {
        let source = half(source);
        let homes = self.of_each.entry(account).or_default();
        homes.retain(|home| *home != source);
        if homes.len() == CONTACTS_MAX
            && let Some(oldest) = homes.pop_front()
        {
            self.known.remove(&(oldest, account));
        }
        homes.push_back(source);
        self.known.insert((source, account));
    }

    /// Whether this account has been proved from here.
    pub(super) fn has(&self, account: usize, source: IpAddr) -> bool {
        self.known.contains(&(half(source), account))
    }

    /// Whether any account has.
    pub(super) fn is_anybodys(&self, source: IpAddr) -> bool {
        let source = half(source);
        self.known.range((source, 0)..=(source, usize::MAX)).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_few_homes_and_the_longest_left_is_forgotten() {
        let mut homes = Homes::default();
        let v4 = |last: usize| IpAddr::V4([192, 0, 2, u8::try_from(last).unwrap()].into());
        (0..=CONTACTS_MAX).for_each(|last| homes.note(3, v4(last)));
        homes.note(4, v4(1));
        assert!(!homes.has(3, v4(0)) && !homes.is_anybodys(v4(0)));
        assert!((1..=CONTACTS_MAX).all(|last| homes.has(3, v4(last))));
        assert!(!homes.has(4, v4(2)) && homes.is_anybodys(v4(2)));
    }
}
