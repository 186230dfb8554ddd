//! The match: which waiting item goes to which free agent. One match over all queues of the centre
//! ends every fact.
//!
//! Between two facts no waiting item has an agent it could ring at. A fact marks the audiences it
//! touched, and only they can hold such a pair; among them the most urgent item is matched first,
//! then the next, until none is left. An item that nobody may take for the moment holds up nobody
//! behind it. Then come those who may be asked beside: more phones, pages, busy consoles.
//!
//! An invitation reserves nobody, and still the order holds between shared queues and those that ring:
//! of the more urgent items an agent is invited to, each keeps one page, and only the others may ring
//! for less.

use super::Floor;
use super::agent::Invited;
use super::audience::{Audience, AudienceId, Manner, Share, Whom};
use super::pool::{Pool, Ringing, Turn};
use super::work::{Item, Rank};
use crate::call::event::{AgentReason, Because, ItemReason, OfferEnd, OfferKind};
use crate::time::Instant;
use std::collections::BTreeSet;

/// An item and the agent who takes it.
struct Pair {
    rank: Rank,
    agent: usize,
    /// The agent is at a page of a shared queue and rings for something lower: invited, not rung.
    invited: bool,
}

/// An item that agents at a page are called upon for.
struct Call {
    id: AudienceId,
    rank: Rank,
    kind: OfferKind,
    /// Busy agents as well.
    busy: bool,
}

/// A question to the pools: who takes this item at this instant.
#[derive(Clone, Copy)]
struct Ask<'f> {
    floor: &'f Floor,
    whom: &'f Whom,
    item: &'f Item,
    now: Instant,
}

impl Floor {
    /// Offers everything that can be offered at this instant.
    pub(super) fn distribute(&mut self, now: Instant) {
        let mut looked = BTreeSet::new();
        // Before the match: who is wanted beside a vital conversation is given nothing lower.
        self.call_upon_all(now, &self.dirty.clone(), |call| call.kind == OfferKind::Join);
        while let Some(pair) = self.most_urgent_pair(now, &mut looked) {
            // Behind the fence the agent may still ring for somebody else, and one who was rung beside
            // others is needed here: that offer is taken back.
            if let Some((offer, _)) = self.agents[pair.agent].reserved {
                self.fail(now, offer, OfferEnd::Rescinded, true);
            }
            if pair.invited {
                self.invite(now, pair.agent, pair.rank);
                continue;
            }
            let because = self.because(pair.rank, pair.agent, AgentReason::LongestIdle);
            // Where only agents in doubt were rung for it, a sound one takes their place.
            let weak = self.items.get(&pair.rank.serial).map_or_else(Vec::new, |item| item.rings.clone());
            for offer in weak {
                self.fail(now, offer, OfferEnd::Rescinded, true);
            }
            self.reserve(now, pair.rank.serial, pair.agent, because);
        }
        while let Some(pair) = self.most_hungry_pair(now, &mut looked) {
            if pair.invited {
                self.invite(now, pair.agent, pair.rank);
            } else {
                let because = self.because(pair.rank, pair.agent, AgentReason::LongestIdle);
                self.reserve(now, pair.rank.serial, pair.agent, because);
            }
            looked.append(&mut self.dirty);
        }
        // One for each vital item nobody knows of comes before more for any; and once more have been
        // called upon, one may be spared by another item.
        self.alert_for_each(now, &mut looked);
        self.call_upon_all(now, &looked, |_| true);
        looked.append(&mut self.dirty);
        self.alert_for_each(now, &mut looked);
        // What was shown to agents reseats them, which changes nothing the match looks at.
        self.dirty.clear();
    }

    /// The most urgent item of the marked audiences that somebody can take. Audiences without one are
    /// unmarked into `looked`.
    fn most_urgent_pair(&mut self, now: Instant, looked: &mut BTreeSet<AudienceId>) -> Option<Pair> {
        let mut best: Option<Pair> = None;
        if self.dirty.iter().any(|id| self.manner_of(*id) == Some(Manner::Invite)) {
            self.dirty.append(&mut self.held_back);
        }
        let marked: Vec<AudienceId> = self.dirty.iter().copied().collect();
        for id in marked {
            match self.first_pair(now, id) {
                Some(pair) if best.as_ref().is_none_or(|best| pair.rank < best.rank) => best = Some(pair),
                Some(_) => {}
                None => {
                    self.dirty.remove(&id);
                    looked.insert(id);
                    if self.leaves_somebody_free(id) {
                        self.held_back.insert(id);
                    }
                }
            }
        }
        best
    }

    fn manner_of(&self, id: AudienceId) -> Option<Manner> {
        self.audiences.at(id).map(|audience| audience.whom.manner)
    }

    /// Whether one more could be rung for an audience, and somebody is free for it.
    fn leaves_somebody_free(&self, id: AudienceId) -> bool {
        let Some(audience) = self.audiences.at(id) else { return false };
        let wants = audience.first_without_anybody().is_some() || !audience.hungry.is_empty();
        let mut doors = audience.whom.doors.iter().filter_map(|door| self.pools.at(*door));
        matches!(audience.whom.manner, Manner::Ring(_)) && wants && doors.any(Pool::has_anybody)
    }

    /// The most urgent item of one audience that somebody can take.
    fn first_pair(&self, now: Instant, id: AudienceId) -> Option<Pair> {
        let audience = self.audiences.at(id)?;
        let whom = &audience.whom;
        if whom.manner == Manner::List {
            return None;
        }
        let doors = || whom.doors.iter().filter_map(|door| self.pools.at(*door));
        let sound = if doors().any(Pool::has_sound) {
            self.first_of(now, whom, audience.without_anybody(), |ask| ask.sound())
        } else {
            None
        };
        let unsound = if doors().any(Pool::has_unsound) {
            self.first_of(now, whom, audience.waiting.iter().copied(), |ask| ask.unsound())
        } else {
            None
        };
        // Behind the fence a page is invited before anybody there is given something lower.
        let invited = if whom.fenced && whom.manner == Manner::Invite {
            self.first_hungry(now, audience)
        } else {
            None
        };
        [sound, unsound, invited].into_iter().flatten().min_by_key(|pair| (pair.rank, pair.invited))
    }

    /// The first of these items for which somebody is found.
    fn first_of(
        &self,
        now: Instant,
        whom: &Whom,
        ranks: impl Iterator<Item = Rank>,
        find: impl Fn(Ask<'_>) -> Option<Found>,
    ) -> Option<Pair> {
        for rank in ranks {
            self.look();
            let Some(item) = self.items.get(&rank.serial) else { continue };
            if let Some(found) = find(Ask { floor: self, whom, item, now }) {
                return Some(Pair { rank, agent: found.agent, invited: found.invited });
            }
            // When nobody is left alone with it and nobody takes it, those behind it find nobody either.
            item.next_retry(now)?;
        }
        None
    }

    /// The most urgent item that could be shown to one more than it is, and to whom.
    fn most_hungry_pair(&mut self, now: Instant, looked: &mut BTreeSet<AudienceId>) -> Option<Pair> {
        let pairs = looked.iter().filter_map(|id| self.first_hungry(now, self.audiences.at(*id)?));
        pairs.min_by_key(|pair| pair.rank)
    }

    fn first_hungry(&self, now: Instant, audience: &Audience) -> Option<Pair> {
        let whom = &audience.whom;
        let doors = || whom.doors.iter().filter_map(|door| self.pools.at(*door));
        match whom.manner {
            Manner::Invite => {
                let rank = *audience.hungry.first()?;
                let item = self.items.get(&rank.serial)?;
                let ask = Ask { floor: self, whom, item, now };
                let agent = doors().find_map(|pool| ask.uninvited(pool))?;
                Some(Pair { rank, agent, invited: true })
            }
            Manner::Ring(_) if doors().any(|pool| !pool.free.is_empty()) => {
                // Each has let go of others: that nobody is left for one says nothing of the next. They ring,
                // so there are no more of them than agents.
                audience.hungry.iter().find_map(|rank| {
                    self.look();
                    let item = self.items.get(&rank.serial)?;
                    let ask = Ask { floor: self, whom, item, now };
                    let found = ask.free(|agent| !item.was_tried(agent))?;
                    Some(Pair { rank: *rank, agent: found.agent, invited: found.invited })
                })
            }
            _ => None,
        }
    }

    /// What agents are called upon for of an audience, because nobody is asked otherwise: its first item,
    /// and of conversations the first that busy agents may be called into.
    fn calls_for(&self, now: Instant, id: AudienceId) -> Vec<Call> {
        let Some(audience) = self.audiences.at(id) else { return Vec::new() };
        let whom = &audience.whom;
        match whom.manner {
            Manner::Join => {
                let due = |rank: &Rank| {
                    let since = self.items.get(&rank.serial).map(|item| item.offered);
                    since.is_some_and(|since| since + Floor::JOIN_ALERTS_AFTER <= now)
                };
                let call = |rank, busy| Call { id, rank, kind: OfferKind::Join, busy };
                let first = audience.first_untaken().map(|rank| call(rank, due(&rank)));
                let waited = audience.untaken().find(due).map(|rank| call(rank, true));
                first.into_iter().chain(waited).collect()
            }
            Manner::Ring(_) | Manner::Invite if self.alerts(whom) => {
                let uninvited =
                    |rank: &Rank| self.items.get(&rank.serial).is_some_and(Item::is_shown_to_nobody);
                let first = audience.without_anybody().find(uninvited);
                first.map(|rank| Call { id, rank, kind: OfferKind::Alert, busy: true }).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Alerts one busy agent for each vital item that none knows of, the most urgent first: one who
    /// is called upon for nothing, or else one whose item has others or is a colleague's question.
    fn alert_for_each(&mut self, now: Instant, of: &mut BTreeSet<AudienceId>) {
        while let Some((rank, ix)) = self.most_urgent_unheard(of) {
            self.unsummon(ix, OfferEnd::Rescinded);
            self.summon(now, ix, rank, OfferKind::Alert);
            of.append(&mut self.dirty);
        }
    }

    fn most_urgent_unheard(&self, of: &BTreeSet<AudienceId>) -> Option<(Rank, usize)> {
        let unheard = of.iter().filter_map(|id| {
            let audience = self.audiences.at(*id)?;
            let rank = *audience.unheard.first()?;
            Some((rank, self.to_be_alerted(&audience.whom)?))
        });
        unheard.min()
    }

    /// Whoever is busy and hears of one more item: the first of the roster who is called upon for
    /// nothing, or of those who are with others, for the least urgent.
    fn to_be_alerted(&self, whom: &Whom) -> Option<usize> {
        let doors = || whom.doors.iter().filter_map(|door| self.pools.at(*door));
        let may = |ix: &usize| {
            self.look();
            self.may_be_given(*ix, whom)
        };
        let idle = |pool: &Pool| pool.callable.range((true, 0)..).map(|(_, ix)| *ix).find(may);
        let beside = |pool: &Pool| pool.recallable.iter().find(|(_, ix)| may(ix)).copied();
        let first = doors().filter_map(idle).min();
        first.or_else(|| doors().filter_map(beside).min().map(|(_, ix)| ix))
    }

    /// Calls upon agents for what these audiences have, the most urgent item first.
    fn call_upon_all(&mut self, now: Instant, of: &BTreeSet<AudienceId>, which: impl Fn(&Call) -> bool) {
        let mut calls: Vec<Call> = of.iter().flat_map(|id| self.calls_for(now, *id)).filter(which).collect();
        calls.sort_unstable_by_key(|call| call.rank);
        for call in calls {
            self.call_upon(now, &call);
        }
    }

    /// Calls upon whoever is at a page and is not called upon yet.
    fn call_upon(&mut self, now: Instant, call: &Call) {
        let Some(whom) = self.audiences.at(call.id).map(|audience| &audience.whom) else { return };
        let doors = whom.doors.iter().filter_map(|door| self.pools.at(*door));
        let asked = doors.flat_map(|pool| &pool.callable).filter(|(busy, ix)| {
            let fits = if *busy { call.busy } else { call.kind == OfferKind::Join };
            fits && self.may_be_given(*ix, whom)
        });
        let asked: BTreeSet<usize> = asked.map(|(_, ix)| *ix).collect();
        for ix in asked {
            self.summon(now, ix, call.rank, call.kind);
        }
    }

    /// Why this item goes to this agent, seen before it goes.
    pub(super) fn because(&self, rank: Rank, ix: usize, reason: AgentReason) -> Because {
        let could_have = self.audiences_of(ix).map(|audience| audience.waiting.len());
        let waiting: usize = could_have.sum();
        let home = self.items.get(&rank.serial).and_then(|item| self.lines.get(item.queue));
        let free = home.map_or(1, |line| line.idle.len());
        Because {
            item: match (rank.unfenced, waiting) {
                (false, _) => ItemReason::Fence,
                (true, 0 | 1) => ItemReason::Only,
                (true, _) => ItemReason::Deadline,
            },
            waiting: u32::try_from(waiting.max(1)).unwrap_or(u32::MAX),
            agent: if reason == AgentReason::LongestIdle && free <= 1 { AgentReason::Only } else { reason },
            free: u32::try_from(free.max(1)).unwrap_or(u32::MAX),
            after: self.after,
        }
    }
}

/// Somebody who takes an item.
struct Found {
    agent: usize,
    invited: bool,
}

/// Who takes this item. Within a step of this list the doors in their order, within a door whoever
/// speaks the language, the better level, the queue's strategy, the roster's order.
///
/// 1. sound agents it has not rung at yet, then those it has, once they may be asked again;
/// 2. behind the fence, sound agents who are invited to another item behind it;
/// 3. sound agents rung beside others for an item that is no more urgent by the fence;
/// 4. behind the fence, a sound agent whose phone rings for the least urgent item before the fence;
/// 5. agents whose phone failed last time, then agents in RONA, in turn: the next sound agent who is
///    free takes their place;
/// 6. behind the fence, any agent whose phone rings for an item before the fence.
///
/// A callback goes to a sound free agent and to nobody else.
impl<'f> Ask<'f> {
    fn doors(self) -> impl Iterator<Item = &'f Pool> + Clone {
        self.whom.doors.iter().filter_map(move |door| self.floor.pools.at(*door))
    }

    fn sound(self) -> Option<Found> {
        let fresh = || self.free(|agent| !self.item.was_tried(agent));
        let again = || self.free(|agent| !self.item.is_spared(agent, self.now));
        let found = fresh().or_else(again);
        if found.is_some() || self.whom.share == Share::NotTheLast {
            return found;
        }
        let fenced = self.whom.fenced;
        let asked = |ix: &usize| !self.item.is_spared(*ix, self.now) && self.may_ring(*ix);
        let mut promised =
            self.doors().filter(|_| fenced).flat_map(|pool| &pool.promised).map(|turn| turn.agent);
        let promised = promised.find(asked);
        let spare = || self.least(|pool| &pool.spare, |beside_vital| fenced || !beside_vital);
        let lower = || self.least(|pool| &pool.ringing, |unsound| fenced && !unsound);
        let agent = promised.or_else(spare).or_else(lower);
        agent.map(|agent| Found { agent, invited: false }).or_else(|| self.page_to_take_back())
    }

    /// At a page of a shared queue, ringing for something lower, when no page is free for an item
    /// behind the fence.
    fn page_to_take_back(self) -> Option<Found> {
        let wants = self.whom.fenced && self.whom.manner == Manner::Invite && self.item.invited.is_empty();
        if !wants || self.doors().any(|pool| !pool.pages.is_empty()) {
            return None;
        }
        let agent = self.least(|pool| &pool.ringing_pages, |unsound| !unsound)?;
        Some(Found { agent, invited: true })
    }

    fn unsound(self) -> Option<Found> {
        if self.whom.share == Share::NotTheLast {
            return None;
        }
        let fenced = self.whom.fenced;
        let ringing = || self.least(|pool| &pool.ringing, |_| fenced);
        let agent = self.in_turn(|pool| &pool.doubtful).or_else(|| self.in_turn(|pool| &pool.rona));
        agent.or_else(ringing).map(|agent| Found { agent, invited: false })
    }

    /// The first free sound agent this is true of.
    fn free(self, asked: impl Fn(usize) -> bool + Copy) -> Option<Found> {
        let fits = move |turn: &&Turn| asked(turn.agent) && self.may_ring(turn.agent);
        let language = self.item.language.as_deref();
        let first = |pool: &'f Pool| {
            let speaker = language.and_then(|language| pool.speakers(language).find(fits));
            speaker.or_else(|| pool.free.iter().find(fits))
        };
        self.doors().find_map(first).map(|turn| Found { agent: turn.agent, invited: false })
    }

    /// The agent who rings for the least urgent item, of those whose mark fits.
    fn least(self, set: impl Fn(&'f Pool) -> &'f Ringing, fits: impl Fn(bool) -> bool) -> Option<usize> {
        let may = |(_, rank, agent): &&(bool, std::cmp::Reverse<Rank>, usize)| {
            self.floor.look();
            let other = rank.0.serial != self.item.rank.serial;
            let asked = !self.item.is_spared(*agent, self.now) && self.floor.may_be_given(*agent, self.whom);
            other && asked && !self.is_kept(*agent)
        };
        let least = |pool| set(pool).iter().take_while(|(mark, ..)| fits(*mark)).find(may);
        self.doors().filter_map(least).min().map(|(.., agent)| *agent)
    }

    /// Of agents who did not answer before, the one this item has not rung at for longest: two empty
    /// chairs must not keep it from the third, where somebody may be back.
    fn in_turn(self, set: impl Fn(&'f Pool) -> &'f BTreeSet<Turn> + Copy) -> Option<usize> {
        let may = |turn: &&Turn| {
            self.floor.look();
            let asked = self.floor.may_be_given(turn.agent, self.whom) && !self.is_kept(turn.agent);
            asked && !self.item.is_spared(turn.agent, self.now)
        };
        let all = || self.doors().flat_map(set).filter(may);
        let fresh = all().find(|turn| !self.item.was_tried(turn.agent));
        let next = fresh.or_else(|| all().min_by_key(|turn| (self.item.tried_at(turn.agent), **turn)));
        next.map(|turn| turn.agent)
    }

    /// An agent at a page who could be invited: to anything so far, or to something lower.
    fn uninvited(self, pool: &Pool) -> Option<usize> {
        let gives_way = |invited: &Invited| match invited {
            Invited::No => true,
            Invited::Lower => self.whom.fenced,
            Invited::Vital => false,
        };
        let pages = pool.pages.iter().take_while(|(invited, _)| gives_way(invited));
        pages.map(|(_, turn)| turn.agent).find(|agent| self.may(*agent))
    }

    /// Whether a free agent may be asked: not barred, and enough others are left.
    fn may(self, ix: usize) -> bool {
        self.floor.look();
        self.floor.may_be_given(ix, self.whom) && self.floor.leaves_enough(ix, self.whom.share)
    }

    /// Whether a free agent may be rung.
    fn may_ring(self, ix: usize) -> bool {
        self.may(ix) && !self.is_kept(ix)
    }

    /// Whether an agent at a page is kept for shared queues: of the items there that stand before this
    /// one and that the agent could have, each is left a free page, and there are not enough others.
    fn is_kept(self, ix: usize) -> bool {
        let rings = matches!(self.whom.manner, Manner::Ring(_) | Manner::List);
        if !rings || !self.floor.agents[ix].page {
            return false;
        }
        let before = |rank: &Rank| *rank < self.item.rank;
        let ahead = |audience: &&Audience| {
            let whom = &audience.whom;
            let first = audience.first_without_anybody();
            whom.manner == Manner::Invite
                && first.as_ref().is_some_and(before)
                && self.floor.leaves_enough(ix, whom.share)
        };
        let shared = || self.floor.audiences_of(ix).filter(ahead);
        let (mut items, mut others) = (BTreeSet::new(), BTreeSet::from([ix]));
        let mut pages = shared().flat_map(|audience| self.pages_for(audience));
        shared()
            .flat_map(|audience| audience.without_anybody().take_while(before))
            .filter(|rank| items.insert(rank.serial))
            .any(|_| !pages.any(|page| others.insert(page)))
    }

    /// Sound agents at a free page who could have what waits for this audience.
    fn pages_for(self, audience: &'f Audience) -> impl Iterator<Item = usize> {
        let doors = audience.whom.doors.iter().filter_map(move |door| self.floor.pools.at(*door));
        doors.flat_map(|pool| &pool.pages).map(|(_, turn)| turn.agent).filter(move |page| {
            self.floor.look();
            let whom = &audience.whom;
            let given = self.floor.may_be_given(*page, whom) && self.floor.leaves_enough(*page, whom.share);
            given && self.floor.agents[*page].is_sound()
        })
    }
}

impl Floor {
    /// Counts what a decision has looked at: items and agents.
    fn look(&self) {
        self.looked.set(self.looked.get() + 1);
    }

    /// Whether as many free agents are left in every queue of this agent's as it must keep.
    fn leaves_enough(&self, ix: usize, share: Share) -> bool {
        let least = match share {
            Share::All => return true,
            Share::BeyondReserve => 0,
            Share::NotTheLast => 1,
        };
        let mut lines = self.agents[ix].lines.iter().map(|place| &self.lines[*place]);
        lines.all(|line| !line.idle.contains(&ix) || line.idle.len() > line.kept().max(least))
    }
}
