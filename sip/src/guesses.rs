//! Wrong passwords, and how long whoever gave them waits: per source and per account, in bounded memory.
//!
//! A wait, never a lock: an account that others guess at stays open to the places it is registered from,
//! and to everybody else a little later. Otherwise anybody could silence a regulator's phone by guessing.

use crate::chance::Keying;
use crate::schedule::{Alarm, Schedule};
use crate::time::Instant;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong passwords that cost nothing: a phone set up by hand gets it wrong twice, one with an old
/// password tries a few times before its owner looks.
const FREE: u32 = 4;

/// The longest wait of a source. Ten guesses take ten minutes, the ten after that an hour.
const SOURCE_WAITS_MAX: Duration = Duration::from_secs(300);

/// The longest wait of an account. Guessing at one from many sources is two tries a minute; its owner's
/// phone at a new place is back within half a minute.
const ACCOUNT_WAITS_MAX: Duration = Duration::from_secs(30);

/// Wrong passwords are forgotten that long after the last one.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Sources and accounts remembered. More costs 200 bytes each to whoever is attacked from many
/// addresses; with fewer the oldest is forgiven sooner.
pub const REMEMBERED_MAX: usize = 4096;

/// Who guesses, or who is guessed at.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    /// An address; of IPv6 the half its owner was given.
    Source(IpAddr),
    /// An account, by its place among ours.
    Account(usize),
}

/// The wrong passwords of the last minutes.
#[derive(Clone)]
pub struct Guesses {
    known: HashMap<Who, Guess, Keying>,
    schedule: Schedule<Who>,
}

#[derive(Clone)]
struct Guess {
    wrong: u32,
    open_from: Instant,
    alarm: Alarm,
}

impl Guesses {
    /// None yet.
    pub fn new(keying: Keying) -> Guesses {
        Guesses { known: HashMap::with_hasher(keying), schedule: Schedule::default() }
    }

    /// How long a proof from `source` for `account` is not looked at. `at_home`: the account is
    /// registered from there.
    pub fn wait(
        &self,
        now: Instant,
        source: IpAddr,
        account: Option<usize>,
        at_home: bool,
    ) -> Option<Duration> {
        let whose = [Some(Who::Source(half(source))), account.map(Who::Account)];
        let waits = whose.into_iter().flatten().filter(|_| !at_home);
        let longest = waits.filter_map(|who| Some(self.known.get(&who)?.open_from.since(now))).max();
        longest.filter(|wait| !wait.is_zero())
    }

    /// A proof was wrong.
    pub fn wrong(&mut self, now: Instant, source: IpAddr, account: Option<usize>) {
        self.count(now, Who::Source(half(source)), SOURCE_WAITS_MAX);
        if let Some(account) = account {
            self.count(now, Who::Account(account), ACCOUNT_WAITS_MAX);
        }
    }

    /// A proof was right: its source is no guesser. The account's count stays, others may be at it.
    pub fn right(&mut self, source: IpAddr) {
        if let Some(guess) = self.known.remove(&Who::Source(half(source))) {
            self.schedule.cancel(guess.alarm);
        }
    }

    fn count(&mut self, now: Instant, who: Who, most: Duration) {
        let before = self.known.remove(&who);
        if let Some(before) = &before {
            self.schedule.cancel(before.alarm);
        } else if self.known.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.schedule.pop_first()
        {
            self.known.remove(&oldest);
        }
        let wrong = before.map_or(0, |guess| guess.wrong) + 1;
        let doubled = wrong.checked_sub(FREE + 1).map(|beyond| Duration::from_secs(1 << beyond.min(20)));
        let open_from = now + doubled.unwrap_or_default().min(most);
        let alarm = self.schedule.arm(now + FORGOTTEN, who.clone());
        self.known.insert(who, Guess { wrong, open_from, alarm });
    }

    /// Forgets what is old.
    pub fn handle_due(&mut self, now: Instant) {
        while let Some(who) = self.schedule.pop_due(now) {
            self.known.remove(&who);
        }
    }

    /// When the next is forgotten.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.next()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// Whoever is given an IPv6 network has 2^64 addresses of it.
fn half(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn guesses() -> Guesses {
        Guesses::new(Keying::new(1))
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

    #[test]
    fn four_wrong_passwords_are_free_and_each_further_one_waits_twice_as_long() {
        let mut guesses = guesses();
        let mut waits = Vec::new();
        for _ in 0..16 {
            guesses.wrong(at(1), HERE, None);
            waits.push(guesses.wait(at(1), HERE, None, false).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(guesses.wait(at(301), HERE, None, false), None, "the wait is over");
        assert_eq!(guesses.wait(at(1), THERE, None, false), None, "another source has guessed nothing");
    }

    #[test]
    fn an_account_guessed_at_from_everywhere_waits_half_a_minute_and_never_where_it_is_at_home() {
        let mut guesses = guesses();
        for n in 0..40_u8 {
            guesses.wrong(at(1), IpAddr::V4([10, 0, 0, n].into()), Some(3));
        }
        assert_eq!(guesses.wait(at(1), HERE, Some(3), false), Some(Duration::from_secs(30)));
        assert_eq!(guesses.wait(at(1), HERE, Some(3), true), None);
        assert_eq!(guesses.wait(at(1), HERE, Some(4), false), None);
    }

    #[test]
    fn a_right_password_clears_its_source_and_time_clears_the_rest() {
        let mut guesses = guesses();
        (0..9).for_each(|_| guesses.wrong(at(1), HERE, Some(3)));
        guesses.right(HERE);
        assert_eq!(guesses.wait(at(1), HERE, None, false), None);
        guesses.handle_due(at(601));
        assert!(guesses.is_empty() && guesses.poll_timeout().is_none());
    }

    #[test]
    fn a_million_sources_are_remembered_in_4096_places_and_a_network_is_one() {
        let mut guesses = guesses();
        for n in 0..20_000_u32 {
            guesses.wrong(at(u64::from(n)), IpAddr::V4(n.into()), None);
        }
        assert_eq!(guesses.known.len(), REMEMBERED_MAX);
        for n in 0..9_u16 {
            guesses.wrong(at(30_000), Ipv6Addr::new(0x2001, 0xdb8, 0, 1, n, 0, 0, 1).into(), None);
        }
        let neighbour = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into();
        assert!(guesses.wait(at(30_000), neighbour, None, false).is_some());
    }
}
