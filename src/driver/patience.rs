//! How soon somebody who typed a wrong password may try again.
//!
//! Counted by name and by address, each with its own free tries and its own longest pause: a name's
//! is short, so that nobody in the building can keep an agent from signing in; an address's is long.

use engine::time::Instant;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong tries that cost nothing: fingers slip, more so at the start of a night.
const FREE_NAME: u32 = 4;
/// A room may sit behind one address.
const FREE_SOURCE: u32 = 20;
/// The first pause; each further wrong try doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause of a name: two thousand guesses a night at most.
const LONGEST_NAME: Duration = Duration::from_secs(15);
/// Longest pause of an address.
const LONGEST_SOURCE: Duration = Duration::from_secs(300);
/// A wrong try is forgotten after so long.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
/// Names and addresses remembered. A flood of invented ones pushes the oldest out.
const REMEMBERED: usize = 8192;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Name(String),
    Source(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    wrong: u32,
    last: Instant,
}

/// Everybody who was wrong lately.
#[derive(Debug, Default)]
pub(super) struct Patience {
    tries: HashMap<Who, Tries>,
}

impl Patience {
    /// Takes a try, as a wrong one until [`Patience::was_right`]: many at once are many.
    ///
    /// # Errors
    /// How long to wait; such a try is not counted and makes nobody wait longer.
    pub(super) fn take(&mut self, now: Instant, name: &str, source: IpAddr) -> Result<(), Duration> {
        let both = [Who::Name(name.to_owned()), Who::Source(network(source))];
        let wait = both.iter().map(|who| self.wait(now, who)).max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        for who in both {
            self.make_room(now);
            let tries = self.tries.entry(who).or_insert(Tries { wrong: 0, last: now });
            if now.since(tries.last) > FORGOTTEN {
                tries.wrong = 0;
            }
            tries.wrong = tries.wrong.saturating_add(1);
            tries.last = now;
        }
        Ok(())
    }

    /// The try was right: the name starts afresh, and the address has one wrong try fewer.
    pub(super) fn was_right(&mut self, name: &str, source: IpAddr) {
        self.tries.remove(&Who::Name(name.to_owned()));
        if let Some(tries) = self.tries.get_mut(&Who::Source(network(source))) {
            tries.wrong = tries.wrong.saturating_sub(1);
        }
    }

    fn wait(&self, now: Instant, who: &Who) -> Duration {
        let Some(tries) = self.tries.get(who).filter(|tries| now.since(tries.last) <= FORGOTTEN) else {
            return Duration::ZERO;
        };
        let (free, longest) = match who {
            Who::Name(_) => (FREE_NAME, LONGEST_NAME),
            Who::Source(_) => (FREE_SOURCE, LONGEST_SOURCE),
        };
        let Some(beyond) = tries.wrong.checked_sub(free + 1) else { return Duration::ZERO };
        let pause = FIRST.saturating_mul(1 << beyond.min(16)).min(longest);
        pause.saturating_sub(now.since(tries.last))
    }

    fn make_room(&mut self, now: Instant) {
        if self.tries.len() < REMEMBERED {
            return;
        }
        self.tries.retain(|_, tries| now.since(tries.last) <= FORGOTTEN);
        let oldest = self.tries.iter().min_by_key(|(_, tries)| tries.last).map(|(who, _)| who.clone());
        if let Some(oldest) = oldest.filter(|_| self.tries.len() >= REMEMBERED) {
            self.tries.remove(&oldest);
        }
    }
}

/// An IPv6 customer has a whole /64 of addresses; they count as one.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn from(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn the_fifth_wrong_password_makes_a_name_wait_and_the_pause_doubles_to_its_longest() {
        let mut patience = Patience::default();
        for host in 0..5 {
            assert_eq!(patience.take(at(0), "nour", from(host)), Ok(()), "from anywhere");
        }
        assert_eq!(patience.take(at(0), "nour", from(9)), Err(Duration::from_secs(1)));
        assert_eq!(patience.take(at(1), "nour", from(9)), Ok(()));
        assert_eq!(patience.take(at(1), "nour", from(9)), Err(Duration::from_secs(2)));
        assert_eq!(patience.take(at(1), "alex", from(9)), Ok(()), "somebody else does not wait");
        let mut now = 1;
        for _ in 0..20 {
            now += 15;
            assert_eq!(patience.take(at(now), "nour", from(9)), Ok(()), "15 s at most");
        }
    }

    #[test]
    fn whoever_tries_while_waiting_does_not_wait_longer() {
        let mut patience = Patience::default();
        for _ in 0..5 {
            patience.take(at(0), "nour", from(1)).unwrap();
        }
        for _ in 0..100 {
            patience.take(at(0), "nour", from(1)).unwrap_err();
        }
        assert_eq!(patience.take(at(1), "nour", from(1)), Ok(()));
    }

    #[test]
    fn an_address_that_tries_many_names_waits_for_all_of_them() {
        let mut patience = Patience::default();
        for n in 0..21 {
            assert_eq!(patience.take(at(0), &format!("name-{n}"), from(1)), Ok(()));
        }
        assert!(patience.take(at(0), "nour", from(1)).is_err());
        assert_eq!(patience.take(at(0), "nour", from(2)), Ok(()));
        let (one, same) = ("2001:db8::1".parse().unwrap(), "2001:db8::ffff".parse::<IpAddr>().unwrap());
        for n in 0..21 {
            assert_eq!(patience.take(at(0), &format!("other-{n}"), one), Ok(()));
        }
        assert!(patience.take(at(0), "other", same).is_err(), "the same network");
    }

    #[test]
    fn a_right_password_clears_the_name_and_an_hour_clears_everybody() {
        let mut patience = Patience::default();
        for _ in 0..4 {
            patience.take(at(0), "nour", from(1)).unwrap();
        }
        patience.take(at(0), "nour", from(1)).unwrap();
        patience.was_right("nour", from(1));
        assert_eq!(patience.take(at(0), "nour", from(1)), Ok(()));
        for _ in 0..5 {
            let _ = patience.take(at(0), "alex", from(3));
        }
        assert_eq!(patience.take(at(3600), "alex", from(3)), Ok(()));
        assert_eq!(patience.take(at(3600), "alex", from(3)), Ok(()), "from the start");
    }

    #[test]
    fn a_flood_of_invented_names_is_bounded() {
        let mut patience = Patience::default();
        for n in 0..REMEMBERED + 100 {
            let host = std::net::Ipv4Addr::from_bits(u32::try_from(n).unwrap());
            let _ = patience.take(at(0), &format!("name-{n}"), host.into());
        }
        assert!(patience.tries.len() <= REMEMBERED);
    }
}
