//! The model's match: the least of every agent's claim to be chosen, and what is shown to the others.

use super::model::{Caller, Door, Key, Manner, Model, Person};
use crate::dialplan::{Destination, OfferPlan, OverflowCause, Strategy};
use crate::queue::{Floor, WorkKind};
use crate::time::Instant;
use std::cmp::Reverse;
use std::time::Duration;

/// Level, strategy, roster.
type Turn = (Reverse<u8>, u128, usize);

/// How an agent would be chosen, least first: the kind of chance, then what decides within it.
type Claim = (u8, Option<Instant>, usize, Marks, Turn, usize);

/// Speaks no language asked for; whose phone is in doubt or beside a vital item; what rings there.
type Marks = (bool, bool, Reverse<Key>);

const NOTHING: Marks = (false, false, Reverse((true, Instant::ZERO, Instant::ZERO, 0)));
const FIRST: Turn = (Reverse(0), 0, 0);

impl Model {
    /// Offers, invites, calls upon and overflows until nothing more follows.
    pub(super) fn decide(&mut self, now: Instant) {
        loop {
            self.distribute(now);
            if !self.overflow(now) {
                return;
            }
        }
    }

    fn distribute(&mut self, now: Instant) {
        self.call_upon(now, true);
        while let Some((work, ix, invited)) = self.pair() {
            if self.people[ix].ring.is_some() {
                self.unring(ix);
            }
            if invited {
                self.invite(now, ix, work);
            } else {
                for weak in self.callers[&work].rings.clone() {
                    self.unring(weak);
                }
                self.ring(now, ix, work, false);
            }
            self.tidy(now);
        }
        while let Some((work, ix, invited)) = self.hungry() {
            if invited {
                self.invite(now, ix, work);
            } else {
                self.ring(now, ix, work, false);
            }
            self.tidy(now);
        }
        self.alert_for_each(now);
        self.call_upon(now, false);
        self.alert_for_each(now);
    }

    fn invite(&mut self, now: Instant, ix: usize, work: u64) {
        self.people[ix].invite = Some((work, now + Floor::INVITATION));
        let caller = self.callers.get_mut(&work).expect("waits");
        let ring = self.plan.queues[caller.queue].offer.ring();
        if !caller.key.0 {
            caller.unclaimed.get_or_insert(now + ring);
        }
    }

    fn open(&self) -> impl Iterator<Item = &Caller> {
        self.callers.values().filter(|caller| caller.asleep.is_none() && !self.is_bound(caller))
    }

    /// The most urgent caller somebody can take, and who.
    fn pair(&self) -> Option<(u64, usize, bool)> {
        let pairs = self.open().filter_map(|caller| {
            let manner = self.manner(caller);
            let pushed = manner != Manner::List && !self.is_held(caller);
            let rung = if pushed { self.taker(caller) } else { None };
            let invites = !caller.key.0 && manner == Manner::Invite;
            let shown = || if invites { self.page_for(caller).map(|ix| (ix, true)) } else { None };
            Some((caller.key, rung.or_else(shown)?))
        });
        pairs.min().map(|((.., work), (ix, invited))| (work, ix, invited))
    }

    fn taker(&self, caller: &Caller) -> Option<(usize, bool)> {
        let claims = (0..self.people.len()).flat_map(|ix| self.claims(ix, caller));
        claims.min().map(|(chance, .., ix)| (ix, chance == 6))
    }

    fn turn(&self, ix: usize, level: u8, caller: &Caller) -> Turn {
        let by = match self.plan.queues[caller.queue].offer {
            OfferPlan::Exclusive { strategy: Strategy::LeastOccupied, .. }
                if caller.arrival.kind != WorkKind::Join =>
            {
                self.people[ix].occupied.as_nanos()
            }
            OfferPlan::Exclusive { strategy: Strategy::Linear, .. }
                if caller.arrival.kind != WorkKind::Join =>
            {
                0
            }
            _ => u128::from(self.people[ix].idle.as_nanos()),
        };
        (Reverse(level), by, ix)
    }

    /// Every way in which this agent could be chosen for this caller.
    fn claims(&self, ix: usize, caller: &Caller) -> Vec<Claim> {
        let person = &self.people[ix];
        let fenced = !caller.key.0;
        let (apart, callback) = (self.pages_apart(caller) && person.page, self.is_callback(caller));
        let spared = caller.tried.get(&ix).is_some_and(|until| *until > self.now);
        if spared || !self.may(ix, caller) || self.is_kept(ix, caller) {
            return Vec::new();
        }
        let doors = self.doors(caller);
        let places = doors.iter().enumerate();
        let mut claims = Vec::new();
        for (place, level) in places.filter_map(|(place, door)| Some((place, self.fit(ix, door, caller)?))) {
            let turn = self.turn(ix, level, caller);
            if person.is_free() && !apart {
                let tried = caller.tried.get(&ix).copied();
                let promised = self.is_promised(ix);
                let chance = match (person.is_sound(), person.rona) {
                    (true, _) if promised => fenced.then_some(3),
                    (true, _) => self.leaves_enough(ix, caller).then(|| 1 + u8::from(tried.is_some())),
                    _ if promised || caller.rings.iter().any(|_| true) => None,
                    (false, rona) => Some(if rona { 8 } else { 7 }),
                };
                // Among those who did not answer: whom this caller has not rung for longest.
                let waits = tried.filter(|_| chance.is_some_and(|chance| chance >= 7));
                let spoken = self.speaks(ix, caller).filter(|_| chance.is_some_and(|chance| chance <= 2));
                let turn = spoken.map_or(turn, |level| (Reverse(level), turn.1, ix));
                let door = if waits.is_some() { 0 } else { place };
                let marks = (spoken.is_none(), NOTHING.1, NOTHING.2);
                claims.extend(chance.map(|chance| (chance, waits, door, marks, turn, ix)));
            }
            claims.extend(self.ringing_claim(ix, caller, apart));
        }
        claims.retain(|(chance, ..)| !callback || *chance <= 2);
        claims
    }

    /// An agent who rings for something that could do without.
    fn ringing_claim(&self, ix: usize, caller: &Caller, apart: bool) -> Option<Claim> {
        let (person, fenced) = (&self.people[ix], !caller.key.0);
        let ring = person.ring.filter(|ring| person.can_be_rung() && ring.work != caller.key.3)?;
        let ring = Some(ring).filter(|ring| self.could_do_without(*ring))?;
        let other = &self.callers[&ring.work];
        let spare = other.rings.first() != Some(&ix);
        let (lower, sound) = (other.key.0, person.is_sound());
        let chance = match (apart, spare) {
            (true, _) => (fenced && lower && sound && self.wants_page(caller)).then_some(6),
            (false, true) => (fenced || lower).then_some(4),
            (false, false) if !(fenced && lower) => None,
            (false, false) if sound => Some(5),
            (false, false) => caller.rings.is_empty().then_some(9),
        };
        let mark = if chance == Some(4) { !lower } else { !sound };
        chance.map(|chance| (chance, None, 0, (false, mark, Reverse(other.key)), FIRST, ix))
    }

    /// A vital caller of a shared queue, whom no page is free for.
    fn wants_page(&self, caller: &Caller) -> bool {
        let invited = self.people.iter().any(|person| person.invite.is_some_and(|it| it.0 == caller.key.3));
        let doors = self.doors(caller);
        let pages = self.people.iter().enumerate().any(|(ix, person)| {
            let inside = doors.iter().any(|door| self.fit(ix, door, caller).is_some());
            inside && person.is_free() && person.page
        });
        self.manner(caller) == Manner::Invite && !invited && !pages
    }

    fn is_callback(&self, caller: &Caller) -> bool {
        caller.is_previewed() && caller.key.0
    }

    /// Whether the shared queues need this page: each of their items that stands before this caller is
    /// left a free page, and there are not enough others.
    fn is_kept(&self, ix: usize, caller: &Caller) -> bool {
        if !self.people[ix].page || matches!(self.manner(caller), Manner::Invite | Manner::Join) {
            return false;
        }
        let could = |who: usize, other: &Caller| self.is_asked(who, other) && self.leaves_enough(who, other);
        let waits = |other: &&Caller| self.manner(other) == Manner::Invite && !self.is_held(other);
        let before: Vec<&Caller> =
            self.open().filter(waits).filter(|other| other.key < caller.key && could(ix, other)).collect();
        let pages = (0..self.people.len()).filter(|page| {
            let person = &self.people[*page];
            let there = *page != ix && person.is_free() && person.page && person.is_sound();
            there && before.iter().any(|other| could(*page, other))
        });
        pages.count() < before.len()
    }

    fn is_promised(&self, ix: usize) -> bool {
        let person = &self.people[ix];
        let vital = |(work, _): (u64, Instant)| !self.callers[&work].key.0;
        let called = person.summons.map(|(work, _, lapse)| (work, lapse));
        person.invite.is_some_and(vital) || called.is_some_and(vital)
    }

    fn speaks(&self, ix: usize, caller: &Caller) -> Option<u8> {
        let language = caller.arrival.language.as_ref()?;
        let held = self.people[ix].skills.iter().find(|held| held.name == *language);
        held.map(|held| held.level)
    }

    /// Whether enough free agents are left in every queue of this agent's.
    fn leaves_enough(&self, ix: usize, caller: &Caller) -> bool {
        let reserves = self.plan.queues.iter().any(|queue| queue.reserve > 0);
        let ordinary = caller.arrival.kind == WorkKind::Live && !caller.arrival.partner && reserves;
        let callback = self.is_callback(caller);
        if !caller.key.0 || !(ordinary || callback) {
            return true;
        }
        (0..self.plan.queues.len()).all(|place| {
            let queue = &self.plan.queues[place];
            let door = Door::Needs(place, queue.skills.clone());
            let own: Vec<usize> =
                (0..self.people.len()).filter(|other| self.level(*other, &door, place).is_some()).collect();
            let staff = own.iter().filter(|other| {
                let person = &self.people[**other];
                person.can_be_rung() && person.is_sound()
            });
            let kept = (queue.reserve as usize).min(staff.count().saturating_sub(1));
            let idle = |other: usize| self.people[other].is_free() && self.people[other].is_sound();
            let left = own.iter().filter(|other| idle(**other)).count();
            !own.contains(&ix) || !idle(ix) || left > kept.max(usize::from(callback))
        })
    }

    /// The most urgent caller who could be shown to one more, and to whom.
    fn hungry(&self) -> Option<(u64, usize, bool)> {
        let pairs = self.open().filter_map(|caller| {
            let (ix, invited) = match self.manner(caller) {
                Manner::Invite => (self.page_for(caller)?, true),
                Manner::Ring(some) => {
                    let held = self.is_held(caller) && caller.rings.len() < some;
                    let claims = (0..self.people.len()).flat_map(|ix| self.claims(ix, caller));
                    let fresh = claims.filter(|(chance, ..)| held && *chance == 1).min();
                    (fresh?.5, false)
                }
                Manner::List | Manner::Join => return None,
            };
            Some((caller.key, ix, invited))
        });
        pairs.min().map(|((.., work), ix, invited)| (work, ix, invited))
    }

    fn page_for(&self, caller: &Caller) -> Option<usize> {
        let OfferPlan::Shared { widen, .. } = &self.plan.queues[caller.queue].offer else { return None };
        let offered = self.now.since(caller.offered);
        let stage = widen.iter().rfind(|stage| stage.at <= offered).and_then(|stage| stage.agents);
        let limit = stage.filter(|_| caller.key.0).map_or(usize::MAX, |agents| agents as usize);
        let named = self.people.iter().filter(|person| person.invite.is_some_and(|it| it.0 == caller.key.3));
        if named.count() >= limit {
            return None;
        }
        let doors = self.doors(caller);
        let candidates = (0..self.people.len()).flat_map(|ix| {
            let person = &self.people[ix];
            let grade = match person.invite {
                None => Some(0),
                Some((work, _)) => (!caller.key.0 && self.callers[&work].key.0).then_some(1),
            };
            let fits =
                person.is_free() && person.page && self.may(ix, caller) && self.leaves_enough(ix, caller);
            let grade = grade.filter(|_| fits);
            let inside = doors.iter().enumerate().filter_map(move |(place, door)| {
                Some((place, grade?, self.turn(ix, self.fit(ix, door, caller)?, caller)))
            });
            inside.collect::<Vec<_>>()
        });
        candidates.min().map(|(.., turn)| turn.2)
    }

    /// Alerts one busy agent for each vital caller nobody knows of.
    fn alert_for_each(&mut self, now: Instant) {
        while let Some((_, work, ix)) = self.unheard() {
            self.people[ix].summons = Some((work, false, now + Floor::INVITATION));
        }
    }

    fn unheard(&self) -> Option<(Key, u64, usize)> {
        let called = |work: u64| self.people.iter().any(|it| it.summons.is_some_and(|it| it.0 == work));
        let unheard = self.open().filter(|caller| self.alerts(caller) && !called(caller.key.3));
        let pairs = unheard.filter_map(|caller| {
            let busy = |ix: &usize| self.people[*ix].is_busy_at_page() && self.is_asked(*ix, caller);
            let mut idle =
                (0..self.people.len()).filter(busy).filter(|ix| self.people[*ix].summons.is_none());
            let beside = || {
                let all = (0..self.people.len()).filter(busy);
                all.filter_map(|ix| Some((Reverse(self.called_beside(ix)?), ix))).min().map(|(_, ix)| ix)
            };
            Some((caller.key, caller.key.3, idle.next().or_else(beside)?))
        });
        pairs.min()
    }

    /// What a person is called upon for that has somebody else too, or is a colleague's question.
    fn called_beside(&self, ix: usize) -> Option<Key> {
        let (work, join, _) = self.people[ix].summons?;
        let caller = &self.callers[&work];
        let called = self.people.iter().filter(|it| it.summons.is_some_and(|it| it.0 == work)).count();
        let (beside, asks) = (!join && !self.is_alone(caller), join && caller.key.0);
        (called > 1 || beside || asks).then_some(caller.key)
    }

    /// Nobody sound is rung for this caller, and no page invited that could still be expected to claim.
    fn is_alone(&self, caller: &Caller) -> bool {
        let invited = |person: &Person| person.invite.is_some_and(|it| it.0 == caller.key.3);
        let unclaimed = caller.unclaimed.is_some_and(|at| at <= self.now);
        (unclaimed || !self.people.iter().any(invited)) && !self.is_held(caller)
    }

    /// Busy agents are to know of this caller.
    fn alerts(&self, caller: &Caller) -> bool {
        let pushed = matches!(self.manner(caller), Manner::Ring(_) | Manner::Invite);
        let alerts = self.plan.queues[caller.queue].vital.alert_busy && !caller.key.0;
        pushed && alerts && self.is_alone(caller)
    }

    /// Calls upon agents at pages, for the most urgent first.
    fn call_upon(&mut self, now: Instant, only_joins: bool) {
        let mut calls: Vec<(Key, bool, bool)> = Vec::new();
        for caller in self.open() {
            match self.manner(caller) {
                Manner::Join => {
                    calls.push((caller.key, true, caller.offered + Floor::JOIN_ALERTS_AFTER <= now));
                }
                _ if self.alerts(caller) => calls.push((caller.key, false, true)),
                _ => {}
            }
        }
        calls.sort_unstable();
        calls.retain(|(_, join, _)| *join || !only_joins);
        for (key, join, busy) in calls {
            for ix in 0..self.people.len() {
                let person = &self.people[ix];
                let free = join && person.is_free() && person.page;
                let there = free || (busy && person.is_busy_at_page());
                if there && person.summons.is_none() && self.is_asked(ix, &self.callers[&key.3]) {
                    self.people[ix].summons = Some((key.3, join, now + Floor::INVITATION));
                }
            }
        }
    }

    /// Lets go elsewhere whom a rule lets; whether anybody went.
    fn overflow(&mut self, now: Instant) -> bool {
        let mut went = false;
        for place in 0..self.plan.queues.len() {
            for rule in 0..self.plan.queues[place].overflow.len() {
                let terms = self.plan.queues[place].overflow[rule].clone();
                if terms.when.iter().any(|cause| self.stands(place, cause)) {
                    self.since.entry((place, rule)).or_insert(now);
                } else {
                    self.since.remove(&(place, rule));
                }
                let opened = self.since.get(&(place, rule)).is_some_and(|since| *since + terms.after <= now);
                let waits = terms.when.contains(&OverflowCause::Waited);
                let may: Vec<u64> = self
                    .open()
                    .filter(|caller| caller.arrival.kind != WorkKind::Join)
                    .filter(|caller| caller.queue == place || caller.beyond.contains(&place))
                    .filter(|caller| !self.is_held(caller) && !caller.fired.contains(&(place, rule)))
                    .filter(|caller| opened || (waits && caller.arrival.arrived + terms.after <= now))
                    .map(|caller| caller.key.3)
                    .collect();
                for work in may {
                    let Destination::Queue(to) = terms.to else { continue };
                    let caller = self.callers.get_mut(&work).expect("waits");
                    caller.fired.insert((place, rule));
                    if caller.queue != to as usize && !caller.beyond.contains(&(to as usize)) {
                        caller.beyond.push(to as usize);
                        went = true;
                    }
                }
            }
        }
        went
    }

    fn stands(&self, place: usize, cause: &OverflowCause) -> bool {
        let queue = &self.plan.queues[place];
        let mut doors = vec![Door::Needs(place, queue.skills.clone())];
        doors.extend(queue.relax.iter().map(|relax| Door::Needs(place, relax.add.clone())));
        let asked = |ix: &usize| doors.iter().any(|door| self.level(*ix, door, place).is_some());
        let mut asked = (0..self.people.len()).filter(asked).map(|ix| &self.people[ix]);
        match cause {
            OverflowCause::Opened => self.opened.contains(&place),
            OverflowCause::NobodySignedIn => !asked.any(|person| person.signed_in),
            OverflowCause::NobodyReachable => !asked.any(|person| person.can_be_rung() && person.is_sound()),
            OverflowCause::Waited | OverflowCause::ExpectedWait(Duration::ZERO) => false,
            OverflowCause::Length(length) => {
                let here = self.callers.values().filter(|caller| caller.queue == place);
                here.count() >= *length as usize
            }
            OverflowCause::ExpectedWait(_) => false,
        }
    }
}
