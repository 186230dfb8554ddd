//! Who is asked for an item: which audience it belongs to, and when more people are asked.
//!
//! | door | open |
//! |---|---|
//! | its owner | from the start; alone for as long as it says, if they can be rung |
//! | the queue's own skills | from the start |
//! | those the call brings (`add`) | from the start |
//! | each relaxation | after its time; behind the fence at once |
//! | queues it overflowed to | from then on |
//!
//! Doors are asked in this order. A matter for leads goes to them, and to nobody else before the
//! fence, as long as one of them is signed in: a live caller does not wait for a shift without leads to
//! end. What is for its owner only goes to nobody else.

use super::Floor;
use super::agent::Agent;
use super::arrival::{Duty, Others, WorkKind};
use super::audience::{Audience, AudienceId, Manner, Share, Stand, Whom};
use super::deadline::Due;
use super::offer::Phase;
use super::pool::{Membership, Order, PoolId, PoolKey, Who};
use super::rules::Asks;
use super::work::Item;
use crate::call::event::Intent;
use crate::dialplan::SkillNeed;
use crate::id::Serial;
use crate::time::Instant;
use std::collections::BTreeSet;

impl Floor {
    /// Finds an item's audience anew: it came, changed, or has waited long enough for more people.
    pub(super) fn address(&mut self, now: Instant, serial: Serial) {
        if let Some(item) = self.items.get_mut(&serial).filter(|item| item.wakes(now)) {
            (item.sleeps_until, item.offered) = (None, now);
        }
        self.end_alone(now, serial);
        let Some(item) = self.items.get(&serial) else { return };
        if matches!(item.others, Others::Leads(_)) {
            self.led.insert(serial);
        }
        let asleep = item.sleeps_until;
        let away = asleep.is_some() && item.kind == WorkKind::Live;
        let next = asleep.or_else(|| self.next_stage(now, item));
        let limit = self.limit(now, item);
        let manner = self.manner(item);
        let doors: Vec<PoolKey> = if asleep.is_some() { Vec::new() } else { self.doors(now, item, manner) };
        let terms = (item.queue, !item.rank.unfenced, self.share(item), item.barred.clone());
        let here = &mut self.lines[item.queue].away;
        if away {
            here.insert(serial)
        } else {
            here.remove(&serial)
        };
        self.unaddress(serial);
        let Some(item) = self.items.get_mut(&serial) else { return };
        item.limit = limit;
        self.deadlines.put(Due::Stage(serial), &mut item.stage_at, next);
        if asleep.is_some() {
            self.unenrol(serial);
        } else {
            let doors = doors.into_iter().map(|key| self.pool(key)).collect();
            let (home, fenced, share, barred) = terms;
            let (id, first) = self.audiences.join(Whom { home, doors, manner, fenced, share, barred });
            if first {
                self.open_doors(id);
            }
            if let Some(item) = self.items.get_mut(&serial) {
                item.audience = Some(id);
            }
        }
        self.restand(serial);
    }

    /// Nobody is asked for this item.
    pub(super) fn unaddress(&mut self, serial: Serial) {
        self.unstand(serial);
        let Some(id) = self.items.get_mut(&serial).and_then(|item| item.audience.take()) else { return };
        let Some(gone) = self.audiences.part(id) else { return };
        self.dirty.remove(&id);
        self.constrained.remove(&id);
        self.held_back.remove(&id);
        for pool in gone.whom.doors {
            let unused = self.pools.at_mut(pool).is_some_and(|pool| {
                pool.audiences.remove(&id);
                pool.audiences.is_empty() && !pool.kept
            });
            if unused {
                self.close_pool(pool);
            }
        }
    }

    fn open_doors(&mut self, id: AudienceId) {
        let Some(whom) = self.audiences.at(id).map(|audience| &audience.whom) else { return };
        if whom.share != Share::All {
            self.constrained.insert(id);
        }
        for door in whom.doors.clone() {
            if let Some(pool) = self.pools.at_mut(door) {
                pool.audiences.insert(id);
            }
        }
    }

    /// Whether the owner is still asked alone: as long as they can be asked at all.
    fn end_alone(&mut self, now: Instant, serial: Serial) {
        let Some(item) = self.items.get(&serial) else { return };
        let Some(owner) = item.owner.as_ref().filter(|_| item.alone) else { return };
        let (ix, manner) = (self.agent_at(owner.agent), self.manner(item));
        let there = ix.filter(|ix| self.agents[*ix].can_be_rung());
        let asked = there.and_then(|ix| self.level_in(ix, &self.key(item.queue, Who::Person(ix), manner)));
        let alone = item.rank.unfenced && asked.is_some() && item.offered + owner.alone > now;
        if let Some(item) = self.items.get_mut(&serial) {
            item.alone = alone;
        }
        if let Some(ix) = ix {
            let owned = &mut self.agents[ix].owned;
            if alone {
                owned.insert(serial)
            } else {
                owned.remove(&serial)
            };
        }
    }

    /// An owner can no longer be rung: whoever comes next is asked at once.
    pub(super) fn ask_others(&mut self, now: Instant, ix: usize) {
        while let Some(serial) = self.agents[ix].owned.pop_first() {
            self.address(now, serial);
        }
    }

    fn manner(&self, item: &Item) -> Manner {
        if item.kind == WorkKind::Join {
            return Manner::Join;
        }
        match &self.lines[item.queue].rule.asks {
            Asks::Ring(some) => Manner::Ring(*some),
            Asks::Invite(_) => Manner::Invite,
            Asks::List(push) if !item.rank.unfenced || push.contains(&item.class) => Manner::Ring(1),
            Asks::List(_) => Manner::List,
        }
    }

    fn share(&self, item: &Item) -> Share {
        match item.kind {
            _ if !item.rank.unfenced => Share::All,
            WorkKind::Join => Share::All,
            WorkKind::Callback | WorkKind::Kept => Share::NotTheLast,
            WorkKind::Live if item.partner || !self.rules.reserves => Share::All,
            WorkKind::Live => Share::BeyondReserve,
        }
    }

    /// Whom an item of this queue is for that is offered in this manner.
    fn key(&self, queue: usize, who: Who, manner: Manner) -> PoolKey {
        let rule = &self.lines[queue].rule;
        let whatever_duty = manner == Manner::Join;
        let (order, pages_apart) =
            if whatever_duty { (Order::Idle, true) } else { (rule.order, rule.pages_apart()) };
        PoolKey { queue, whatever_duty, who, order, pages_apart }
    }

    fn doors(&self, now: Instant, item: &Item, manner: Manner) -> Vec<PoolKey> {
        let rule = &self.lines[item.queue].rule;
        let fenced = !item.rank.unfenced;
        let key = |queue: usize, who: Who| PoolKey { queue, ..self.key(item.queue, who, manner) };
        let mut doors = Vec::with_capacity(2);
        let owner = item.owner.as_ref().and_then(|owner| self.agent_at(owner.agent));
        doors.extend(owner.map(|owner| key(item.queue, Who::Person(owner))));
        if item.alone {
            return doors;
        }
        match &item.others {
            Others::Everybody => {}
            Others::Nobody => return doors,
            Others::Leads(leads) => {
                doors.push(key(item.queue, Who::Needs(leads.clone())));
                if !fenced && (item.kind != WorkKind::Live || self.has_lead(leads)) {
                    return doors;
                }
            }
        }
        doors.push(key(item.queue, Who::Needs(rule.skills.clone())));
        if !item.add.is_empty() {
            doors.push(key(item.queue, Who::Needs(item.add.clone())));
        }
        let waited = now.since(item.arrived);
        let relaxed = rule.relax.iter().filter(|relax| fenced || relax.after <= waited);
        doors.extend(relaxed.map(|relax| key(item.queue, Who::Needs(relax.add.clone()))));
        let beyond = item.beyond.iter().filter_map(|queue| Some((*queue, self.lines.get(*queue)?)));
        doors.extend(beyond.map(|(queue, line)| key(queue, Who::Needs(line.rule.skills.clone()))));
        doors
    }

    /// Whether somebody is signed in, and has a phone, who meets one of these. A lead on a break keeps
    /// what is theirs; one whose page is closed can be asked for nothing.
    fn has_lead(&self, leads: &[SkillNeed]) -> bool {
        let skilled = leads.iter().filter_map(|need| self.skilled.get(&need.name)).flatten();
        skilled.into_iter().any(|ix| {
            let agent = &self.agents[*ix];
            agent.intent != Intent::SignedOut && agent.has_phone() && agent.level_for(leads).is_some()
        })
    }

    /// How many pages are invited at this instant.
    fn limit(&self, now: Instant, item: &Item) -> usize {
        let rule = &self.lines[item.queue].rule;
        if item.rank.unfenced { rule.invites_after(now.since(item.offered)) } else { usize::MAX }
    }

    /// When more people are asked, if nothing else happens.
    fn next_stage(&self, now: Instant, item: &Item) -> Option<Instant> {
        let rule = &self.lines[item.queue].rule;
        let alone = item.owner.as_ref().filter(|_| item.alone).map(|owner| item.offered + owner.alone);
        let relaxed = rule.relax.iter().map(|relax| item.arrived + relax.after);
        let widened = match &rule.asks {
            Asks::Invite(widen) => &widen[..],
            _ => &[],
        };
        let widened = widened.iter().map(|stage| item.offered + stage.at);
        let joins = (item.kind == WorkKind::Join).then(|| item.offered + Floor::JOIN_ALERTS_AFTER);
        let before_the_fence = relaxed.chain(widened).filter(|_| item.rank.unfenced);
        before_the_fence.chain(alone).chain(joins).filter(|at| *at > now).min()
    }

    /// The pools the plan's queues ask again and again: they stay while nothing waits for them.
    pub(super) fn open_pools(&mut self) {
        for queue in 0..self.lines.len() {
            let rule = &self.lines[queue].rule;
            let (order, pages_apart) = (rule.order, rule.pages_apart());
            let relaxed = rule.relax.iter().map(|relax| relax.add.clone());
            let needs: Vec<Vec<SkillNeed>> = std::iter::once(rule.skills.clone()).chain(relaxed).collect();
            for needs in needs {
                let (whatever_duty, who) = (false, Who::Needs(needs));
                let id = self.pool(PoolKey { queue, whatever_duty, who, order, pages_apart });
                if let Some(pool) = self.pools.at_mut(id) {
                    pool.kept = true;
                }
            }
        }
    }

    /// The pool of this key, with whoever is in it. One that is not kept costs its members when the
    /// first item asks for it: few, and only for what a call brings along.
    fn pool(&mut self, key: PoolKey) -> PoolId {
        if let Some(known) = self.pools.find(&key) {
            return known;
        }
        let candidates = match &key.who {
            Who::Person(ix) => BTreeSet::from([*ix]),
            Who::Needs(needs) => self.who_might(key.queue, needs),
        };
        let pool = self.pools.add(key.clone());
        for ix in candidates {
            if let Some(level) = self.level_in(ix, &key) {
                self.enlist(ix, Membership { pool, level });
            }
        }
        pool
    }

    /// Everyone who could be in a pool of these needs.
    fn who_might(&self, queue: usize, needs: &[SkillNeed]) -> BTreeSet<usize> {
        let skilled = needs.iter().filter_map(|need| self.skilled.get(&need.name)).flatten();
        let posted = self.posted.iter().filter(|ix| match &self.agents[**ix].duty {
            Duty::Only(queues) => queues.iter().any(|id| id.index as usize == queue),
            _ => false,
        });
        skilled.chain(posted).copied().collect()
    }

    /// How well an agent fits a pool; `None`: not at all.
    pub(super) fn level_in(&self, ix: usize, key: &PoolKey) -> Option<u8> {
        let agent = &self.agents[ix];
        let is_own = || self.lines.get(key.queue).map(|line| Who::Needs(line.rule.skills.clone()));
        let met = |needs: &[SkillNeed]| agent.level_for(needs);
        let fits = |who: &Who| match who {
            Who::Person(owner) => (*owner == ix).then_some(1),
            Who::Needs(needs) => met(needs),
        };
        let on_duty = match (&agent.duty, &key.who) {
            (Duty::Only(queues), _) if !queues.iter().any(|id| self.place_of(*id) == Some(key.queue)) => None,
            // Sent there by a person: the queue's own, whatever the skills.
            (Duty::Only(_), who) if is_own().as_ref() == Some(who) => match who {
                Who::Needs(needs) => Some(met(needs).unwrap_or(1)),
                Who::Person(_) => None,
            },
            (Duty::Except(queues), _) if queues.iter().any(|id| self.place_of(*id) == Some(key.queue)) => {
                None
            }
            (_, who) => fits(who),
        };
        on_duty.or_else(|| fits(&key.who).filter(|_| key.whatever_duty))
    }

    fn enlist(&mut self, ix: usize, membership: Membership) {
        let agent = &mut self.agents[ix];
        agent.pools.push(membership);
        if let Some(pool) = self.pools.at_mut(membership.pool) {
            pool.members.insert(ix);
            pool.sit(ix, membership.level, &agent.tongues, agent.seat, true);
        }
    }

    /// Nobody waits for this pool any more.
    fn close_pool(&mut self, id: PoolId) {
        for ix in self.pools.remove(id) {
            self.agents[ix].pools.retain(|membership| membership.pool != id);
        }
    }

    /// An agent's skills or duty changed: out of every pool, and into those that fit.
    pub(super) fn enlist_anew(&mut self, ix: usize) {
        let agent = &mut self.agents[ix];
        let seat = agent.seat;
        for Membership { pool, level } in std::mem::take(&mut agent.pools) {
            if let Some(pool) = self.pools.at_mut(pool) {
                pool.sit(ix, level, &agent.tongues, seat, false);
                pool.members.remove(&ix);
            }
        }
        agent.tongues = agent.tongues_of(&self.languages);
        let keys: Vec<(PoolId, PoolKey)> = self.pools.keys().map(|(id, key)| (id, key.clone())).collect();
        for (pool, key) in keys {
            if let Some(level) = self.level_in(ix, &key) {
                self.enlist(ix, Membership { pool, level });
                self.mark_pool(pool);
            }
        }
    }

    /// A language is asked for that nobody asked for before: its speakers are known by it from here on.
    /// Plans name few, so this happens few times.
    pub(super) fn learn(&mut self, language: &str) {
        if !self.languages.insert(language.to_owned()) {
            return;
        }
        for ix in self.skilled.get(language).cloned().unwrap_or_default() {
            self.enlist_anew(ix);
        }
    }

    /// Puts an item where it belongs in its audience.
    pub(super) fn restand(&mut self, serial: Serial) {
        let Some(item) = self.items.get(&serial) else { return };
        let Some(id) = item.audience else { return };
        let proper = self.proper_stand(item);
        let Some(item) = self.items.get_mut(&serial) else { return };
        let was = std::mem::replace(&mut item.stand, proper);
        if was != proper {
            if let Some(audience) = self.audiences.at_mut(id) {
                audience.restand(item.rank, was, proper);
            }
            self.dirty.insert(id);
        }
        // While somebody sound is rung for it, or has it, it goes nowhere else.
        if self.may_overflow(serial) {
            self.enrol(serial)
        } else {
            self.unenrol(serial)
        }
        self.reseat_summoned(serial);
    }

    /// Takes an item out of its audience's sets.
    pub(super) fn unstand(&mut self, serial: Serial) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        let was = std::mem::take(&mut item.stand);
        if let Some(audience) = item.audience.and_then(|id| self.audiences.at_mut(id)) {
            audience.restand(item.rank, was, Stand::default());
            if audience.whom.manner == Manner::Invite {
                // Whoever was kept for it may be given something else.
                self.dirty.append(&mut self.held_back);
            }
        }
    }

    fn proper_stand(&self, item: &Item) -> Stand {
        let whom = item.audience.and_then(|id| self.audiences.at(id)).map(|audience| &audience.whom);
        let Some(whom) = whom.filter(|_| !self.is_bound(item)) else { return Stand::default() };
        let sound = self.is_rung_soundly(item);
        Stand {
            waiting: item.rings.is_empty(),
            weak: !item.rings.is_empty() && !sound,
            ringing: !item.rings.is_empty(),
            unheard: self.alerts(whom) && !sound && item.is_shown_to_nobody() && item.summoned.is_empty(),
            hungry: match whom.manner {
                Manner::Ring(some) => sound && item.rings.len() < usize::try_from(some).unwrap_or(usize::MAX),
                Manner::Invite => item.invited.len() < item.limit,
                Manner::List | Manner::Join => false,
            },
        }
    }

    /// Whether somebody is rung for it against whom nothing is known.
    pub(super) fn is_rung_soundly(&self, item: &Item) -> bool {
        let mut rung = item.rings.iter().filter_map(|offer| self.offers.get(&offer.serial));
        rung.any(|offer| self.agents[offer.agent].is_sound())
    }

    /// Whether busy agents are alerted for what waits for this audience and has nobody.
    pub(super) fn alerts(&self, whom: &Whom) -> bool {
        let alerts = || self.lines.get(whom.home).is_some_and(|line| line.rule.vital.alert_busy);
        whom.fenced && matches!(whom.manner, Manner::Ring(_) | Manner::Invite) && alerts()
    }

    /// Whether somebody has taken it: a person's will, or a phone that was answered.
    pub(super) fn is_bound(&self, item: &Item) -> bool {
        let mut rung = item.rings.iter().filter_map(|offer| self.offers.get(&offer.serial));
        rung.any(|offer| offer.claimed || offer.phase == Phase::Taken)
    }

    /// Audiences an agent is in, each at least once.
    pub(super) fn audiences_of(&self, ix: usize) -> impl Iterator<Item = &Audience> {
        let pools = self.agents[ix].pools.iter().filter_map(|membership| self.pools.at(membership.pool));
        let all = pools.flat_map(|pool| &pool.audiences).filter_map(|id| self.audiences.at(*id));
        all.filter(move |audience| self.may_be_given(ix, &audience.whom))
    }

    /// Whether an agent is one of those who are asked for this audience's items.
    pub(super) fn is_asked(&self, ix: usize, id: AudienceId) -> bool {
        let Some(whom) = self.audiences.at(id).map(|audience| &audience.whom) else { return false };
        let mut doors = whom.doors.iter().filter_map(|door| self.pools.at(*door));
        doors.any(|pool| pool.members.contains(&ix)) && self.may_be_given(ix, whom)
    }

    /// Whether a person may be given what waits for this audience at all.
    pub(super) fn may_be_given(&self, ix: usize, whom: &Whom) -> bool {
        let spared = match &self.agents[ix].duty {
            Duty::Except(queues) => queues.iter().any(|id| self.place_of(*id) == Some(whom.home)),
            Duty::Only(queues) => !queues.iter().any(|id| self.place_of(*id) == Some(whom.home)),
            Duty::BySkill => false,
        };
        (whom.manner == Manner::Join || !spared) && whom.barred.binary_search(&ix).is_err()
    }

    /// Whoever waits for this pool is looked at before the step ends.
    pub(super) fn mark_pool(&mut self, pool: PoolId) {
        if let Some(pool) = self.pools.at(pool) {
            self.dirty.extend(&pool.audiences);
        }
    }
}

impl Agent {
    /// Wants calls and has a phone, whatever they do.
    pub(super) fn can_be_rung(&self) -> bool {
        self.intent == Intent::Ready && self.has_phone()
    }
}
