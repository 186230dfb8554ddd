//! Who may be asked, in order: the agents who meet one list of needs in one queue, sorted by what
//! they do at the moment.
//!
//! Sets are kept sorted as facts come in, so that a decision looks at their first elements only. A
//! better level comes first, then whoever the queue's strategy puts first, then the roster's order.

use super::agent::{Health, Invited, Seat, Summoned};
use super::audience::AudienceId;
use super::work::Rank;
use crate::dialplan::SkillNeed;
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// A pool of this floor; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PoolId(u64);

/// What makes two pools the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PoolKey {
    /// Whose duty the agents must have.
    pub(super) queue: usize,
    /// Or need not: coming beside a colleague keeps them from no other call.
    pub(super) whatever_duty: bool,
    /// Who.
    pub(super) who: Who,
    /// In which order.
    pub(super) order: Order,
    /// Agents at a page are invited, and are not rung as a phone is.
    pub(super) pages_apart: bool,
}

/// Who is in a pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Whoever meets one of these.
    Needs(Vec<SkillNeed>),
    /// This agent.
    Person(usize),
}

/// Who comes first among equal levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Order {
    /// Idle longest.
    Idle,
    /// Least time with calls in this shift.
    Occupied,
    /// The roster's.
    Roster,
}

/// An agent's place among those who could be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    level: Reverse<u8>,
    by: u128,
    /// Who.
    pub(super) agent: usize,
}

/// An agent in a pool, and how well they meet its needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    /// Which.
    pub(super) pool: PoolId,
    /// The best level among the needs met.
    pub(super) level: u8,
}

/// Agents ringing, least urgent item first among the sound ones, then the others.
pub(super) type Ringing = BTreeSet<(bool, Reverse<Rank>, usize)>;

/// A pool.
#[derive(Debug)]
pub(super) struct Pool {
    key: PoolKey,
    /// Stands also while nothing waits for it.
    pub(super) kept: bool,
    /// Everyone in it, whatever they do.
    pub(super) members: BTreeSet<usize>,
    /// Free, and nothing against their phone.
    pub(super) free: BTreeSet<Turn>,
    /// Of those, who speaks a language: the better speaker first.
    speaking: BTreeMap<String, BTreeSet<Turn>>,
    /// Free, and their phone failed last time.
    pub(super) doubtful: BTreeSet<Turn>,
    /// Free, and they let a phone ring out and have shown no life since.
    pub(super) rona: BTreeSet<Turn>,
    /// Free and sound, and asked for something behind the fence: for nothing else.
    pub(super) promised: BTreeSet<Turn>,
    /// Free at a page, by what they are invited to.
    pub(super) pages: BTreeSet<(Invited, Turn)>,
    /// Ringing for an item that rings at somebody else too; those behind the fence last.
    pub(super) spare: Ringing,
    /// Ringing alone for an item before the fence: may be taken back; the sound ones first.
    pub(super) ringing: Ringing,
    /// The same, at a page that would be invited for this queue.
    pub(super) ringing_pages: Ringing,
    /// At a page, and not called upon: `false` when free, `true` when busy.
    pub(super) callable: BTreeSet<(bool, usize)>,
    /// Busy, and called upon for an item that has others too or is a colleague's question; the least urgent
    /// item first.
    pub(super) recallable: BTreeSet<(Reverse<Rank>, usize)>,
    /// Those who wait for it.
    pub(super) audiences: BTreeSet<AudienceId>,
}

impl Pool {
    fn new(key: PoolKey) -> Pool {
        Pool {
            key,
            kept: false,
            members: BTreeSet::new(),
            free: BTreeSet::new(),
            speaking: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            rona: BTreeSet::new(),
            promised: BTreeSet::new(),
            pages: BTreeSet::new(),
            spare: BTreeSet::new(),
            ringing: BTreeSet::new(),
            ringing_pages: BTreeSet::new(),
            callable: BTreeSet::new(),
            recallable: BTreeSet::new(),
            audiences: BTreeSet::new(),
        }
    }

    /// Free sound agents who speak this language, the better speaker first.
    pub(super) fn speakers(&self, language: &str) -> impl Iterator<Item = &Turn> + Clone {
        self.speaking.get(language).into_iter().flatten()
    }

    /// Whether a sound agent could be had at all, by whatever means.
    pub(super) fn has_sound(&self) -> bool {
        let free = !self.free.is_empty() || !self.promised.is_empty() || !self.spare.is_empty();
        free || !self.ringing.is_empty() || !self.ringing_pages.is_empty()
    }

    /// Whether somebody is free, sound or not.
    pub(super) fn has_anybody(&self) -> bool {
        let sound = !self.free.is_empty() || !self.promised.is_empty();
        sound || !self.doubtful.is_empty() || !self.rona.is_empty()
    }

    /// Whether somebody could be had whose phone or presence is in doubt.
    pub(super) fn has_unsound(&self) -> bool {
        !self.doubtful.is_empty() || !self.rona.is_empty() || !self.ringing.is_empty()
    }

    fn turn(&self, agent: usize, level: u8, idle: Instant, occupied: Duration) -> Turn {
        let by = match self.key.order {
            Order::Idle => u128::from(idle.as_nanos()),
            Order::Occupied => occupied.as_nanos(),
            Order::Roster => 0,
        };
        Turn { level: Reverse(level), by, agent }
    }

    /// Puts an agent where a seat has them, or takes them from there.
    pub(super) fn sit(&mut self, agent: usize, level: u8, tongues: &[(String, u8)], seat: Seat, sits: bool) {
        match seat {
            Seat::Away => {}
            Seat::Free { health, idle, occupied, page, invited, called } => {
                let turn = self.turn(agent, level, idle, occupied);
                // Who is wanted beside a lower conversation is not kept from whoever waits.
                let promised = invited == Invited::Vital || called == Invited::Vital;
                match health {
                    _ if page && self.key.pages_apart => put(&mut self.pages, (invited, turn), sits),
                    Health::Sound if promised => put(&mut self.promised, turn, sits),
                    Health::Sound => {
                        put(&mut self.free, turn, sits);
                        for (tongue, level) in tongues {
                            let speaker = Turn { level: Reverse(*level), ..turn };
                            put(self.speaking.entry(tongue.clone()).or_default(), speaker, sits);
                        }
                    }
                    _ if promised => {}
                    Health::Doubtful => put(&mut self.doubtful, turn, sits),
                    Health::Rona => put(&mut self.rona, turn, sits),
                }
                if page && called == Invited::No {
                    put(&mut self.callable, (false, agent), sits);
                }
            }
            Seat::Ringing { health, rank, spare, page } => {
                let apart = page && self.key.pages_apart;
                let place = (health != Health::Sound, Reverse(rank), agent);
                match (apart, spare) {
                    (true, _) if rank.unfenced => put(&mut self.ringing_pages, place, sits),
                    (true, _) => {}
                    (false, true) => put(&mut self.spare, (!rank.unfenced, Reverse(rank), agent), sits),
                    (false, false) => put(&mut self.ringing, place, sits),
                }
            }
            Seat::Busy { summoned: Summoned::No } => put(&mut self.callable, (true, agent), sits),
            Seat::Busy { summoned: Summoned::Beside(rank) } => {
                put(&mut self.recallable, (Reverse(rank), agent), sits);
            }
            Seat::Busy { summoned: Summoned::Alone } => {}
        }
    }
}

fn put<T: Ord>(set: &mut BTreeSet<T>, element: T, sits: bool) {
    if sits {
        set.insert(element);
    } else {
        set.remove(&element);
    }
}

/// Every pool somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Pools {
    by_key: HashMap<PoolKey, PoolId>,
    all: BTreeMap<PoolId, Pool>,
    next: u64,
}

impl Pools {
    /// The pool of this key, if there is one.
    pub(super) fn find(&self, key: &PoolKey) -> Option<PoolId> {
        self.by_key.get(key).copied()
    }

    /// A pool without members yet.
    pub(super) fn add(&mut self, key: PoolKey) -> PoolId {
        let id = PoolId(self.next);
        self.next += 1;
        self.by_key.insert(key.clone(), id);
        self.all.insert(id, Pool::new(key));
        id
    }

    /// Forgets a pool; its members, to be told.
    pub(super) fn remove(&mut self, id: PoolId) -> BTreeSet<usize> {
        let Some(pool) = self.all.remove(&id) else { return BTreeSet::new() };
        self.by_key.remove(&pool.key);
        pool.members
    }

    /// A pool that stands.
    pub(super) fn at(&self, id: PoolId) -> Option<&Pool> {
        self.all.get(&id)
    }

    /// A pool that stands, to change it.
    pub(super) fn at_mut(&mut self, id: PoolId) -> Option<&mut Pool> {
        self.all.get_mut(&id)
    }

    /// What makes each pool what it is.
    pub(super) fn keys(&self) -> impl Iterator<Item = (PoolId, &PoolKey)> {
        self.all.iter().map(|(id, pool)| (*id, &pool.key))
    }
}
