//! Wrong passwords, and how long whoever gave them waits: in bounded memory.
//!
//! A wait, never a lock: whoever guesses waits for the account guessed at, and nobody else does. What all
//! of them together have guessed at one account slows only those who come from where its owner never was.
//! Otherwise anybody could silence a regulator's phone by guessing.
//!
//! | counted | free | then | not for |
//! |---|---|---|---|
//! | a source at an account | 4 | 1 s, doubling, up to 5 min | at home: 30 s at most |
//! | a source at all accounts, five of each | 20 | the same | the account is at home there |
//! | an account, by all sources | 20 | one each 5 s | the account is at home there |

use crate::chance::Keying;
use crate::schedule::{Alarm, Schedule};
use crate::time::Instant;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong passwords that cost nothing: a phone set up by hand gets it wrong twice, one with an old
/// password tries a few times before its owner looks.
const FREE: u32 = 4;

/// The same of a whole source: a room of phones may sit behind one address.
const SOURCE_FREE: u32 = 20;

/// The longest wait of a source. Ten guesses take ten minutes, the ten after that an hour.
const WAITS_MAX: Duration = Duration::from_secs(300);

/// The longest where the account is at home. Somebody else at the owner's address may make a phone wait
/// that has lost its registration: half a minute, and two guesses a minute.
const HOME_WAITS_MAX: Duration = Duration::from_secs(30);

/// Between two wrong passwords of strangers for one account, once there have been [`SOURCE_FREE`]. Each
/// source has five before it waits for minutes: to keep an account's owner from registering at a new
/// place somebody needs some sixty addresses. Shorter asks for more of them, and lets more be guessed.
const ACCOUNT_EACH: Duration = Duration::from_secs(5);

/// Wrong passwords are forgotten that long after the last one.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Who guesses, and who is guessed at, remembered. More costs 200 bytes each to whoever is attacked from
/// many addresses; with fewer the oldest is forgiven sooner.
pub const REMEMBERED_MAX: usize = 4096;

/// What is counted together. An account is its place among ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// An address; of IPv6 the half its owner was given.
    Source(IpAddr),
    /// That address at one account.
    At(IpAddr, usize),
    /// Everybody at one account.
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
    last: Instant,
    open_from: Instant,
    alarm: Alarm,
}

impl Guesses {
    /// None yet.
    pub fn new(keying: Keying) -> Guesses {
        Guesses { known: HashMap::with_hasher(keying), schedule: Schedule::default() }
    }

    /// How long a proof from `source` for `account` is not looked at. `at_home`: the account has been
    /// proved from there.
    pub fn wait(&self, now: Instant, source: IpAddr, account: usize, at_home: bool) -> Option<Duration> {
        let source = half(source);
        let left = |who: Who| self.known.get(&who).map(|guess| (guess.open_from.since(now), guess.last));
        let own = left(Who::At(source, account));
        let wait = if at_home {
            own.map(|(wait, last)| wait.min((last + HOME_WAITS_MAX).since(now)))
        } else {
            let others = [left(Who::Source(source)), left(Who::Account(account))];
            own.into_iter().chain(others.into_iter().flatten()).map(|(wait, _)| wait).max()
        };
        wait.filter(|wait| !wait.is_zero())
    }

    /// A proof was wrong.
    pub fn wrong(&mut self, now: Instant, source: IpAddr, account: usize) {
        let source = half(source);
        let tried = self.count(now, Who::At(source, account), |wrong, _| now + doubled(wrong, FREE));
        // One phone with an old password makes no other phone of its room wait, however long it tries.
        if tried <= FREE + 1 {
            self.count(now, Who::Source(source), |wrong, _| now + doubled(wrong, SOURCE_FREE));
        }
        self.count(now, Who::Account(account), |wrong, before| match wrong.checked_sub(SOURCE_FREE) {
            Some(_) => before.max(now) + ACCOUNT_EACH,
            None => now,
        });
    }

    /// A proof was right: its source is no guesser. The account's count stays, others may be at it.
    pub fn right(&mut self, source: IpAddr, account: usize) {
        let source = half(source);
        for who in [Who::Source(source), Who::At(source, account)] {
            if let Some(guess) = self.known.remove(&who) {
                self.schedule.cancel(guess.alarm);
            }
        }
    }

    /// One more wrong password; `opens` says from when the next is looked at, by how many there were and
    /// when this one was. How many there are.
    fn count(&mut self, now: Instant, who: Who, opens: impl Fn(u32, Instant) -> Instant) -> u32 {
        let before = self.known.remove(&who);
        if let Some(before) = &before {
            self.schedule.cancel(before.alarm);
        } else if self.known.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.schedule.pop_first()
        {
            self.known.remove(&oldest);
        }
        let (wrong, open) = before.map_or((0, now), |guess| (guess.wrong, guess.open_from));
        let wrong = wrong.saturating_add(1);
        let alarm = self.schedule.arm(now + FORGOTTEN, who);
        self.known.insert(who, Guess { wrong, last: now, open_from: opens(wrong, open), alarm });
        wrong
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

/// The wait after so many wrong passwords, of which some cost nothing.
fn doubled(wrong: u32, free: u32) -> Duration {
    let beyond = wrong.checked_sub(free + 1);
    beyond.map_or(Duration::ZERO, |beyond| Duration::from_secs(1 << beyond.min(20))).min(WAITS_MAX)
}

/// Whoever is given an IPv6 network has 2^64 addresses of it.
pub fn half(source: IpAddr) -> IpAddr {
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

    fn v4(last: u8) -> IpAddr {
        IpAddr::V4([10, 0, 0, last].into())
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

    #[test]
    fn four_wrong_passwords_are_free_and_each_further_one_waits_twice_as_long() {
        let mut guesses = guesses();
        let mut waits = Vec::new();
        for _ in 0..16 {
            guesses.wrong(at(1), HERE, 3);
            waits.push(guesses.wait(at(1), HERE, 3, false).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(guesses.wait(at(301), HERE, 3, false), None, "the wait is over");
        assert_eq!(guesses.wait(at(1), THERE, 3, false), None, "another source has guessed nothing");
        assert_eq!(guesses.wait(at(1), HERE, 4, false), None, "nor has another phone of the room");
    }

    #[test]
    fn one_phone_with_an_old_password_makes_no_other_of_its_room_wait() {
        let mut guesses = guesses();
        for minute in 0..600 {
            guesses.wrong(at(60 * minute), HERE, 3);
        }
        assert_eq!(guesses.wait(at(60 * 600), HERE, 4, false), None);
    }

    #[test]
    fn a_source_that_tries_many_accounts_waits_for_all_of_them() {
        let mut guesses = guesses();
        (0..21).for_each(|account| guesses.wrong(at(1), HERE, account));
        assert_eq!(guesses.wait(at(1), HERE, 99, false), Some(Duration::from_secs(1)));
        assert_eq!(guesses.wait(at(1), HERE, 99, true), None, "unless it has proved that one");
        assert_eq!(guesses.wait(at(1), THERE, 99, false), None);
    }

    #[test]
    fn one_wrong_password_every_half_minute_keeps_no_owner_out_at_home_or_elsewhere() {
        let mut guesses = guesses();
        for turn in 0..200 {
            let now = at(30 * turn);
            guesses.wrong(now, v4(u8::try_from(turn).unwrap()), 3);
            assert_eq!(guesses.wait(now, HERE, 3, true), None);
            assert_eq!(guesses.wait(now + ACCOUNT_EACH, THERE, 3, false), None, "{turn}");
        }
    }

    #[test]
    fn an_account_guessed_at_from_everywhere_slows_strangers_and_never_those_at_home() {
        let mut guesses = guesses();
        for n in 0..40_u8 {
            guesses.wrong(at(1), v4(n), 3);
        }
        assert_eq!(guesses.wait(at(1), HERE, 3, false), Some(21 * ACCOUNT_EACH));
        assert_eq!(guesses.wait(at(1), HERE, 3, true), None);
        assert_eq!(guesses.wait(at(1), HERE, 4, false), None);
        (0..16).for_each(|_| guesses.wrong(at(1), HERE, 3));
        let at_home = guesses.wait(at(1), HERE, 3, true);
        assert_eq!(at_home, Some(HOME_WAITS_MAX), "guessed at from its own address");
    }

    #[test]
    fn a_right_password_clears_its_source_and_time_clears_the_rest() {
        let mut guesses = guesses();
        (0..9).for_each(|_| guesses.wrong(at(1), HERE, 3));
        guesses.right(HERE, 3);
        assert_eq!(guesses.wait(at(1), HERE, 3, false), None);
        guesses.handle_due(at(601));
        assert!(guesses.is_empty() && guesses.poll_timeout().is_none());
    }

    #[test]
    fn a_million_sources_are_remembered_in_4096_places_and_a_network_is_one() {
        let mut guesses = guesses();
        for n in 0..20_000_u32 {
            guesses.wrong(at(u64::from(n)), IpAddr::V4(n.into()), usize::try_from(n % 7).unwrap());
        }
        assert_eq!(guesses.known.len(), REMEMBERED_MAX);
        for n in 0..9_u16 {
            guesses.wrong(at(30_000), Ipv6Addr::new(0x2001, 0xdb8, 0, 1, n, 0, 0, 1).into(), 9);
        }
        let neighbour = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into();
        assert!(guesses.wait(at(30_000), neighbour, 9, false).is_some());
    }
}
