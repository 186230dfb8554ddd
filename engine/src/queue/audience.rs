//! What waits for the same people on the same terms, in order.
//!
//! Whether somebody can be asked for an item depends on its audience alone, but for the few agents
//! who did not take it a moment ago. So when nobody can be found for the first of an audience, nobody
//! is looked for on behalf of the others, and an audience nobody is free for holds up no other.

use super::pool::PoolId;
use super::work::Rank;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An audience of this floor; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AudienceId(u64);

/// Who may be asked, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whom {
    /// The place of the queue it waits in.
    pub(super) home: usize,
    /// Pools in the order in which they are asked.
    pub(super) doors: Vec<PoolId>,
    /// How they are asked.
    pub(super) manner: Manner,
    /// Behind the fence.
    pub(super) fenced: bool,
    /// How many free agents must be left.
    pub(super) share: Share,
    /// Who is never asked, in order.
    pub(super) barred: Vec<usize>,
}

/// How agents are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Manner {
    /// So many are rung at once, each reserved.
    Ring(u32),
    /// Pages are invited together, phones are rung one by one.
    Invite,
    /// Nobody is asked: they choose from the list.
    List,
    /// As `Invite`, into a conversation.
    Join,
}

/// How many free agents of a queue an item must leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Share {
    /// None: it may take the last.
    All,
    /// Those the plan keeps for confirmed vital and partners' lines.
    BeyondReserve,
    /// Those, and one at least: callers come before callbacks.
    NotTheLast,
}

/// Where an item stands in its audience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stand {
    /// Nobody is rung for it.
    pub(super) waiting: bool,
    /// It is rung at agents only whose phone or presence is in doubt.
    pub(super) weak: bool,
    /// Somebody is rung for it, and nobody has taken it.
    pub(super) ringing: bool,
    /// More agents could be rung or invited for it than are.
    pub(super) hungry: bool,
    /// Busy agents are to know of it, and none does.
    pub(super) unheard: bool,
}

/// An audience: items stand in it for as long as nobody has taken them.
#[derive(Debug)]
pub(super) struct Audience {
    pub(super) whom: Whom,
    /// Items of this audience, in whatever state.
    users: usize,
    pub(super) waiting: BTreeSet<Rank>,
    pub(super) weak: BTreeSet<Rank>,
    pub(super) ringing: BTreeSet<Rank>,
    pub(super) hungry: BTreeSet<Rank>,
    pub(super) unheard: BTreeSet<Rank>,
}

impl Audience {
    /// Moves an item's place.
    pub(super) fn restand(&mut self, rank: Rank, from: Stand, to: Stand) {
        let sets = [
            (&mut self.waiting, from.waiting, to.waiting),
            (&mut self.weak, from.weak, to.weak),
            (&mut self.ringing, from.ringing, to.ringing),
            (&mut self.hungry, from.hungry, to.hungry),
            (&mut self.unheard, from.unheard, to.unheard),
        ];
        for (set, was, is) in sets {
            match (was, is) {
                (false, true) => {
                    set.insert(rank);
                }
                (true, false) => {
                    set.remove(&rank);
                }
                _ => {}
            }
        }
    }

    /// The most urgent item nobody sound is rung for.
    pub(super) fn first_without_anybody(&self) -> Option<Rank> {
        self.waiting.first().into_iter().chain(self.weak.first()).min().copied()
    }

    /// The most urgent item nobody has taken, rung or not.
    pub(super) fn first_untaken(&self) -> Option<Rank> {
        self.waiting.first().into_iter().chain(self.ringing.first()).min().copied()
    }

    /// Items nobody sound is rung for, in order.
    pub(super) fn without_anybody(&self) -> impl Iterator<Item = Rank> {
        in_order(&self.waiting, &self.weak)
    }

    /// Items nobody has taken, rung or not, in order.
    pub(super) fn untaken(&self) -> impl Iterator<Item = Rank> {
        in_order(&self.waiting, &self.ringing)
    }
}

fn in_order(one: &BTreeSet<Rank>, other: &BTreeSet<Rank>) -> impl Iterator<Item = Rank> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if second < first => other.next().copied(),
        (Some(_), _) => one.next().copied(),
        (None, _) => other.next().copied(),
    })
}

/// Every audience that has an item.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    by_whom: HashMap<Whom, AudienceId>,
    all: BTreeMap<AudienceId, Audience>,
    next: u64,
}

impl Audiences {
    /// One more item for this audience; `true` when it is its first.
    pub(super) fn join(&mut self, whom: Whom) -> (AudienceId, bool) {
        if let Some(id) = self.by_whom.get(&whom).copied() {
            if let Some(audience) = self.all.get_mut(&id) {
                audience.users += 1;
            }
            return (id, false);
        }
        let id = AudienceId(self.next);
        self.next += 1;
        self.by_whom.insert(whom.clone(), id);
        let (waiting, weak) = (BTreeSet::new(), BTreeSet::new());
        let (ringing, hungry, unheard) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        self.all.insert(id, Audience { whom, users: 1, waiting, weak, ringing, hungry, unheard });
        (id, true)
    }

    /// One item less; the audience when it was the last.
    pub(super) fn part(&mut self, id: AudienceId) -> Option<Audience> {
        let audience = self.all.get_mut(&id)?;
        audience.users -= 1;
        if audience.users > 0 {
            return None;
        }
        let gone = self.all.remove(&id)?;
        self.by_whom.remove(&gone.whom);
        Some(gone)
    }

    /// An audience that has an item.
    pub(super) fn at(&self, id: AudienceId) -> Option<&Audience> {
        self.all.get(&id)
    }

    /// An audience that has an item, to change it.
    pub(super) fn at_mut(&mut self, id: AudienceId) -> Option<&mut Audience> {
        self.all.get_mut(&id)
    }

    /// True when nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Audiences, Manner, Share, Whom};

    fn whom(home: usize) -> Whom {
        let (doors, manner, share) = (Vec::new(), Manner::List, Share::All);
        Whom { home, doors, manner, fenced: false, share, barred: Vec::new() }
    }

    #[test]
    fn i23_an_audience_lasts_from_its_first_item_to_its_last() {
        let mut audiences = Audiences::default();
        assert!(audiences.is_empty());
        let (front, first) = audiences.join(whom(0));
        assert!(first);
        assert_eq!(audiences.join(whom(0)), (front, false), "the same people, on the same terms");
        let (doctors, first) = audiences.join(whom(1));
        assert!(first && doctors != front);
        assert!(audiences.part(front).is_none(), "one item is left");
        assert!(audiences.part(front).is_some());
        assert!(!audiences.is_empty() && audiences.at(front).is_none());
        assert!(audiences.part(doctors).is_some());
        assert!(audiences.is_empty());
        assert_ne!(audiences.join(whom(0)).0, front, "an id is never given twice");
    }
}
