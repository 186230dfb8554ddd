//! The reference: the rules of the room as `product.md` has them, by looking at everybody and
//! everything. Who is asked for an item, through which door, who is free, what must be left.

use super::room::{Kind, Person, Room, Waits};
use engine::call::event::{Intent, Occupation};
use engine::dialplan::{OfferPlan, SkillNeed, Strategy};
use engine::time::Instant;
use std::cmp::Reverse;

/// How an item reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// So many are rung at once.
    Ring(usize),
    /// Pages are invited, desk phones rung.
    Invite,
    /// They choose.
    List,
    /// As an invitation, into a conversation.
    Join,
}

/// Before whom somebody is asked: door, level, strategy, roster.
pub type Turn = (usize, Reverse<u8>, u128, usize);

impl Waits {
    pub fn is_awake(&self, now: Instant) -> bool {
        self.asleep.is_none_or(|until| until <= now)
    }
}

impl Person {
    /// How well they meet one of these needs.
    fn level(&self, needs: &[SkillNeed]) -> Option<u8> {
        let held = self.skills.iter().filter_map(|text| SkillNeed::parse(text));
        held.filter(|held| needs.iter().any(|need| held.covers(need))).map(|held| held.level).max()
    }
}

impl Room {
    pub fn manner(&self, waits: &Waits) -> Manner {
        let pushed = |push: &[engine::dialplan::ClassId]| {
            self.plan.class_named(&waits.class).is_some_and(|class| push.contains(&class))
        };
        match &self.queue(waits.queue).offer {
            _ if waits.kind == Kind::Join => Manner::Join,
            OfferPlan::Exclusive { strategy: Strategy::RingSome(some), .. } => Manner::Ring(*some as usize),
            OfferPlan::Shared { .. } => Manner::Invite,
            OfferPlan::Pick { push, .. } if waits.key.0 && !pushed(push) => Manner::List,
            OfferPlan::Exclusive { .. } | OfferPlan::Pick { .. } => Manner::Ring(1),
        }
    }

    /// Through which door an agent is asked for an item, and how well they fit; `None`: not at all.
    pub fn door(&self, ix: usize, waits: &Waits, now: Instant) -> Option<(usize, u8)> {
        self.door_if(ix, waits, now, self.may_ask_one(waits, now))
    }

    fn door_if(&self, ix: usize, waits: &Waits, now: Instant, alone: bool) -> Option<(usize, u8)> {
        if waits.barred.contains(&ix) || !waits.is_awake(now) {
            return None;
        }
        let owns = waits.owner.is_some_and(|(owner, _)| owner == ix);
        if owns || alone {
            return owns.then_some((0, 1));
        }
        if waits.theirs {
            return None;
        }
        let queue = self.queue(waits.queue);
        let waited = now.since(waits.arrived);
        let relaxed = queue.relax.iter().filter(|it| !waits.key.0 || it.after <= waited);
        let beyond = waits.beyond.iter().map(|place| &self.plan.queues[*place].skills);
        let doors = std::iter::once(&queue.skills).chain(relaxed.map(|it| &it.add)).chain(beyond);
        let fits = |(place, needs)| self.people[ix].level(needs).map(|level| (1 + place, level));
        doors.map(|needs| &needs[..]).enumerate().find_map(fits)
    }

    /// Before the fence the owner may be asked alone for a while, who could be rung.
    fn may_ask_one(&self, waits: &Waits, now: Instant) -> bool {
        waits.owner.is_some_and(|(owner, alone)| {
            waits.key.0 && now < waits.offered + alone && self.people[owner].intent == Intent::Ready
        })
    }

    /// Surely asked, whatever the owner's phone does.
    pub fn is_asked(&self, ix: usize, waits: &Waits, now: Instant) -> bool {
        self.door(ix, waits, now).is_some()
    }

    /// Not surely left in peace.
    pub fn may_be_asked(&self, ix: usize, waits: &Waits, now: Instant) -> bool {
        // Whether a callback's owner was away before it rested, its place does not say.
        let known = |owner: usize| self.people[owner].changed < waits.offered && waits.kind == Kind::Live;
        let there = |owner: usize| self.people[owner].reachable && known(owner);
        let alone = self.may_ask_one(waits, now) && waits.owner.is_some_and(|(owner, _)| there(owner));
        self.door_if(ix, waits, now, alone).is_some()
    }

    /// Before whom this agent is asked for this item.
    pub fn turn(&self, ix: usize, waits: &Waits, now: Instant) -> Option<Turn> {
        let (door, level) = self.door(ix, waits, now)?;
        let person = &self.people[ix];
        let by = match self.queue(waits.queue).offer {
            _ if waits.kind == Kind::Join => u128::from(person.idle.as_nanos()),
            OfferPlan::Exclusive { strategy: Strategy::LeastOccupied, .. } => person.occupied.as_nanos(),
            OfferPlan::Exclusive { strategy: Strategy::Linear, .. } => 0,
            _ => u128::from(person.idle.as_nanos()),
        };
        Some((door, Reverse(level), by, ix))
    }

    /// Somebody has taken it: by a key, or with a phone that is lifted.
    pub fn is_bound(&self, waits: &Waits) -> bool {
        let mut rings = waits.rings.iter().filter_map(|offer| self.offers.get(offer));
        rings.any(|it| it.willed || self.taken.contains(&(it.agent.index as usize)))
    }

    /// It rings at somebody nothing is held against.
    pub fn is_held(&self, waits: &Waits) -> bool {
        let mut rings = waits.rings.iter().filter_map(|offer| self.offers.get(offer));
        self.is_bound(waits) || rings.any(|it| self.people[it.agent.index as usize].is_sound())
    }

    /// At a page, where this item is shown and does not ring.
    pub fn is_apart(&self, ix: usize, waits: &Waits) -> bool {
        self.people[ix].open && matches!(self.manner(waits), Manner::Invite | Manner::Join)
    }

    /// Asked for something behind the fence, or called upon for it: given nothing lower meanwhile.
    pub fn is_promised(&self, ix: usize) -> bool {
        let person = &self.people[ix];
        [person.summoned, person.invited].into_iter().any(|it| self.offered(it).is_some_and(|it| !it.key.0))
    }

    /// Left alone with this item for the moment.
    pub fn is_spared(&self, ix: usize, waits: &Waits, now: Instant) -> bool {
        waits.tried.get(&ix).is_some_and(|until| *until > now)
    }

    /// Nothing in the ear, nothing ringing, nothing to write up, and not resting after a failure.
    pub fn is_free(&self, ix: usize, now: Instant) -> bool {
        let person = &self.people[ix];
        let still = (person.reserved, person.ear, person.told) == (None, None, Occupation::Free);
        person.is_staff() && still && person.rests <= now
    }

    /// The least and the most who are free in a queue and nothing is held against: a step may have
    /// changed what the log says of them at its end.
    fn free_in(&self, place: usize, now: Instant) -> (usize, usize) {
        let own = |ix: &usize| self.people[*ix].level(&self.plan.queues[place].skills).is_some();
        let may = |ix: &usize| {
            let person = &self.people[*ix];
            person.intent == Intent::Ready && !person.rona && (person.reserved, person.ear) == (None, None)
        };
        let own: Vec<usize> = (0..self.people.len()).filter(own).collect();
        let surely = own.iter().filter(|ix| self.is_free(**ix, now)).count();
        (surely, own.iter().filter(|ix| may(ix)).count())
    }

    /// What a queue keeps free for the fence and for partners, and never its last agent.
    fn kept(&self, place: usize) -> usize {
        let queue = &self.plan.queues[place];
        let own = self.people.iter().filter(|person| person.level(&queue.skills).is_some());
        (queue.reserve as usize).min(own.filter(|it| it.is_staff()).count().saturating_sub(1))
    }

    /// Whether an item may not take the last free agents of a queue.
    fn leaves_some(&self, waits: &Waits) -> bool {
        waits.key.0 && waits.kind != Kind::Join && !waits.partner
    }

    /// Whether enough are surely left in every queue of this agent's when this item takes them.
    pub fn leaves_enough(&self, ix: usize, waits: &Waits, now: Instant) -> bool {
        let least = usize::from(waits.kind == Kind::Callback);
        let own = |place: &usize| self.people[ix].level(&self.plan.queues[*place].skills).is_some();
        let mut places = (0..self.plan.queues.len()).filter(own);
        !self.leaves_some(waits)
            || places.all(|place| self.free_in(place, now).0 > self.kept(place).max(least))
    }

    /// The queue whose reserve, or last free agent for a callback, an item has spent that was just given to this agent.
    pub fn overspent(&self, ix: usize, waits: &Waits, now: Instant) -> Option<usize> {
        let least = usize::from(waits.kind == Kind::Callback);
        let own = |place: &usize| self.people[ix].level(&self.plan.queues[*place].skills).is_some();
        let mut places = (0..self.plan.queues.len()).filter(own).filter(|_| self.leaves_some(waits));
        places.find(|place| self.free_in(*place, now).1 < self.kept(*place).max(least))
    }

    /// Whether the shared queues need this page: each of their items that stands before this one is
    /// left a free page, and there are not enough others. `surely`: whoever may be free counts, and
    /// no item that may be held does.
    pub fn is_kept(&self, ix: usize, mine: &Waits, now: Instant, surely: bool) -> bool {
        if !self.people[ix].open || matches!(self.manner(mine), Manner::Invite | Manner::Join) {
            return false;
        }
        let could =
            |who: usize, other: &Waits| self.is_asked(who, other, now) && self.leaves_enough(who, other, now);
        let may = |who: usize, other: &Waits| surely && self.is_asked(who, other, now);
        let waits = |it: &&Waits| self.manner(it) == Manner::Invite && it.key < mine.key;
        let held = |it: &Waits| if surely { !it.rings.is_empty() } else { self.is_held(it) };
        let before: Vec<&Waits> =
            self.waiting.values().filter(waits).filter(|it| !held(it) && could(ix, it)).collect();
        let pages = (0..self.people.len()).filter(|other| {
            let person = &self.people[*other];
            let still = person.open && (person.reserved, person.ear) == (None, None);
            let free = if surely { still } else { person.open && self.is_free(*other, now) };
            *other != ix && free && before.iter().any(|it| may(*other, it) || could(*other, it))
        });
        pages.count() < before.len()
    }
}
