//! What a floor should decide, without an index, a mark or a memory of the last step: lists, scanned
//! whole.

use crate::call::event::{Intent, OfferEnd};
use crate::dialplan::{ClassId, Dialplan, OfferPlan, SkillNeed, Strategy};
use crate::queue::{Arrival, Duty, Fact, Floor, Others, WorkKind};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Fenced first, then due, then arrival, then number.
pub(super) type Key = (bool, Instant, Instant, u64);

pub(super) struct Caller {
    pub(super) key: Key,
    pub(super) queue: usize,
    pub(super) arrival: Arrival,
    pub(super) offered: Instant,
    pub(super) asleep: Option<Instant>,
    pub(super) alone: bool,
    /// Who did not take it, and until when they are left alone with it.
    pub(super) tried: BTreeMap<usize, Instant>,
    pub(super) rings: Vec<usize>,
    pub(super) beyond: Vec<usize>,
    pub(super) fired: BTreeSet<(usize, usize)>,
    /// When those invited, behind the fence, have had the time to press the key.
    pub(super) unclaimed: Option<Instant>,
}

impl Caller {
    pub(super) fn is_previewed(&self) -> bool {
        matches!(self.arrival.kind, WorkKind::Callback | WorkKind::Kept)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) work: u64,
    pub(super) lapse: Instant,
    pub(super) rang: bool,
    pub(super) taken: bool,
    pub(super) claimed: bool,
    /// By a pick of somebody who was told that a vital caller waits.
    over_vital: bool,
}

#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) skills: Vec<SkillNeed>,
    pub(super) duty: Duty,
    ready: bool,
    pub(super) signed_in: bool,
    pub(super) phone: bool,
    pub(super) page: bool,
    pub(super) ear: Option<u64>,
    ear_since: Instant,
    pub(super) occupied: Duration,
    pub(super) ring: Option<Ring>,
    wrap: Option<Instant>,
    rest: Option<Instant>,
    failures: u32,
    rejections: u32,
    pub(super) rona: bool,
    pub(super) idle: Instant,
    /// The item, and when it lapses.
    pub(super) invite: Option<(u64, Instant)>,
    /// The item, whether it is a join, and when it lapses.
    pub(super) summons: Option<(u64, bool, Instant)>,
}

impl Person {
    /// Somebody with a phone, who has not come yet.
    pub(super) fn with(skills: Vec<SkillNeed>) -> Person {
        Person { skills, phone: true, ..Person::default() }
    }
    pub(super) fn can_be_rung(&self) -> bool {
        self.ready && self.phone
    }
    pub(super) fn is_free(&self) -> bool {
        let occupied = self.ear.is_some() || self.ring.is_some() || self.wrap.is_some();
        self.can_be_rung() && self.rest.is_none() && !occupied
    }
    pub(super) fn is_sound(&self) -> bool {
        !self.rona && self.failures == 0
    }
    pub(super) fn is_busy_at_page(&self) -> bool {
        let busy = self.ear.is_some() || (self.ring.is_none() && self.wrap.is_some());
        busy && self.can_be_rung() && self.page
    }
    fn shows_life(&mut self) {
        (self.rest, self.failures, self.rona) = (None, 0, false);
    }
    pub(super) fn level(&self, needs: &[SkillNeed]) -> Option<u8> {
        let met = self.skills.iter().filter(|held| needs.iter().any(|need| held.covers(need)));
        met.map(|held| held.level).max()
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Manner {
    Ring(usize),
    Invite,
    List,
    Join,
}

pub(super) enum Door {
    Owner(usize),
    Needs(usize, Vec<SkillNeed>),
}

pub(super) struct Model {
    pub(super) plan: Arc<Dialplan>,
    pub(super) callers: BTreeMap<u64, Caller>,
    pub(super) people: Vec<Person>,
    pub(super) opened: BTreeSet<usize>,
    pub(super) since: BTreeMap<(usize, usize), Instant>,
    wrap_up: Duration,
    pub(super) now: Instant,
}

impl Model {
    pub(super) fn new(plan: Arc<Dialplan>, people: Vec<Person>, wrap_up: Duration) -> Model {
        let (callers, opened, since) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Model { plan, callers, people, opened, since, wrap_up, now: Instant::ZERO }
    }

    fn key(&self, class: ClassId, arrived: Instant, work: u64) -> Key {
        let class = &self.plan.classes[usize::from(class.0)];
        (!class.fence, arrived + class.target, arrived, work)
    }

    /// What a fact says; `of` is whom its offer is to, `shared` what it is.
    pub(super) fn tell(&mut self, now: Instant, fact: &Fact, of: usize, shared: bool) {
        self.now = now;
        self.tell_of_work(now, fact);
        self.tell_of_agent(now, fact);
        self.tell_of_offer(now, fact, of);
        self.tell_of_person(now, fact, shared);
        self.tidy(now);
    }

    fn tell_of_work(&mut self, now: Instant, fact: &Fact) {
        match fact {
            Fact::Enter(arrival) => {
                let work = arrival.work.serial.0;
                self.callers.insert(
                    work,
                    Caller {
                        key: self.key(arrival.class, arrival.arrived - arrival.credit, work),
                        queue: arrival.queue.index as usize,
                        arrival: (**arrival).clone(),
                        offered: now,
                        asleep: arrival.not_before,
                        alone: arrival.owner.is_some(),
                        tried: BTreeMap::new(),
                        rings: Vec::new(),
                        beyond: Vec::new(),
                        fired: BTreeSet::new(),
                        unclaimed: None,
                    },
                );
            }
            Fact::Gone { work } | Fact::Leave { work, .. } => {
                self.release(work.serial.0);
                self.callers.remove(&work.serial.0);
            }
            Fact::Keep { work, kind } => {
                self.release(work.serial.0);
                self.callers.get_mut(&work.serial.0).expect("waits").arrival.kind = *kind;
            }
            Fact::Class { work, class } => {
                let work = work.serial.0;
                let was = self.callers[&work].key;
                let key = self.key(*class, was.2, work);
                let caller = self.callers.get_mut(&work).expect("waits");
                (caller.key, caller.arrival.class) = (key, *class);
                if self.plan.class(*class).is_some_and(|class| class.fence)
                    && caller.arrival.kind == WorkKind::Live
                {
                    caller.asleep = None;
                }
                if key.0 != was.0 {
                    self.unshow(work);
                }
            }
            Fact::MoveTo { work, queue, .. } => {
                self.release(work.serial.0);
                let caller = self.callers.get_mut(&work.serial.0).expect("waits");
                (caller.queue, caller.offered, caller.unclaimed) = (queue.index as usize, now, None);
                caller.alone = false;
                if caller.arrival.kind == WorkKind::Live {
                    caller.asleep = None;
                }
                caller.beyond.clear();
                caller.fired.clear();
                if caller.arrival.kind != WorkKind::Join {
                    caller.arrival.others = Others::Everybody;
                }
            }
            Fact::Overflow { queue, opened } => {
                let place = queue.index as usize;
                if *opened {
                    self.opened.insert(place)
                } else {
                    self.opened.remove(&place)
                };
            }
            _ => {}
        }
    }

    fn tell_of_agent(&mut self, now: Instant, fact: &Fact) {
        match fact {
            Fact::Intent { agent, intent, .. } => {
                let ix = agent.index as usize;
                let least =
                    self.people.iter().filter(|person| person.signed_in).map(|person| person.occupied);
                let least = least.min().unwrap_or_default();
                let person = &mut self.people[ix];
                person.shows_life();
                person.rejections = 0;
                let comes = !person.signed_in && *intent != Intent::SignedOut;
                person.signed_in = *intent != Intent::SignedOut;
                person.ready = *intent == Intent::Ready;
                let wrapped_up = person.ready && person.wrap.take().is_some();
                if comes || wrapped_up {
                    person.idle = now;
                }
                if comes {
                    person.occupied = least;
                }
                if !person.ready && person.ring.is_some_and(|ring| !ring.taken) {
                    self.fail(now, ix, &OfferEnd::Rejected, true);
                }
            }
            Fact::Reachable { agent, reachable, .. } => {
                let ix = agent.index as usize;
                self.people[ix].phone = *reachable;
                let ring = self.people[ix].ring.filter(|ring| !ring.taken);
                if *reachable {
                    self.people[ix].shows_life();
                    if ring.is_some_and(|ring| !ring.rang && !ring.claimed) {
                        self.unring(ix);
                    }
                } else if ring.is_some() {
                    self.fail(now, ix, &OfferEnd::Unreachable, true);
                }
            }
            Fact::Page { agent, open } => self.people[agent.index as usize].page = *open,
            Fact::Assign { agent, duty } => {
                let ix = agent.index as usize;
                let person = &mut self.people[ix];
                (person.duty, person.invite, person.summons) = (duty.clone(), None, None);
                if let Some(ring) = self.people[ix].ring.filter(|ring| !ring.taken) {
                    let caller = &self.callers[&ring.work];
                    if !ring.claimed && caller.asleep.is_none() && !self.is_asked(ix, caller) {
                        self.unring(ix);
                    }
                }
            }
            Fact::EarFree { agent, .. } | Fact::Aside { agent, .. } => {
                let over = matches!(fact, Fact::EarFree { .. });
                let person = &mut self.people[agent.index as usize];
                let wraps = over && person.signed_in && self.wrap_up > Duration::ZERO;
                let wrap_up = if wraps { self.wrap_up } else { Duration::ZERO };
                person.occupied += now.since(person.ear_since) + wrap_up;
                (person.ear, person.idle) = (None, now);
                if wraps {
                    person.wrap = Some(now + self.wrap_up);
                }
            }
            _ => {}
        }
    }

    fn tell_of_offer(&mut self, now: Instant, fact: &Fact, of: usize) {
        match fact {
            Fact::Alerting { .. } => {
                let person = &mut self.people[of];
                let ring = person.ring.as_mut().expect("rings");
                if !ring.rang && !ring.taken {
                    ring.rang = true;
                    person.failures = 0;
                }
            }
            Fact::Taken { .. } => {
                let ring = self.people[of].ring.expect("rings");
                let within = if self.callers[&ring.work].is_previewed() {
                    Floor::DIAL_WITHIN
                } else {
                    Floor::BRIDGE_WITHIN
                };
                if !ring.taken {
                    self.release_others(ring.work, of);
                    let person = &mut self.people[of];
                    person.ring = Some(Ring { taken: true, lapse: now + within, ..ring });
                    person.shows_life();
                }
            }
            Fact::Connected { .. } => {
                let work = self.people[of].ring.expect("rings").work;
                self.release(work);
                let person = &mut self.people[of];
                (person.ear, person.ear_since, person.rejections) = (Some(work), now, 0);
                person.shows_life();
                self.callers.remove(&work);
            }
            Fact::Attempted { again, .. } => {
                let work = self.people[of].ring.expect("rings").work;
                self.people[of].idle = now;
                self.unring(of);
                match again {
                    Some(again) => {
                        self.callers.get_mut(&work).expect("waits").asleep = Some(now + *again);
                    }
                    None => {
                        self.release(work);
                        self.callers.remove(&work);
                    }
                }
            }
            Fact::Failed { end, .. } => self.fail(now, of, end, false),
            Fact::Reject { .. } => self.fail(now, of, &OfferEnd::Rejected, true),
            _ => {}
        }
    }

    fn tell_of_person(&mut self, now: Instant, fact: &Fact, shared: bool) {
        let ringing = |model: &Model, ix: usize| {
            model.people[ix].ring.filter(|ring| !ring.taken && !ring.claimed).map(|ring| ring.work)
        };
        match fact {
            Fact::Claim { agent, .. } => {
                let ix = agent.index as usize;
                if !shared {
                    let (work, join, _) = self.people[ix].summons.expect("called upon");
                    let person = &mut self.people[ix];
                    if person.ear.take().is_some() {
                        person.occupied += now.since(person.ear_since);
                    }
                    let calls = |caller: &Caller| {
                        !caller.key.0 && matches!(self.manner(caller), Manner::Ring(_) | Manner::Invite)
                    };
                    let vital =
                        self.there(ix, |caller| calls(caller) && !self.is_held(caller)).filter(|_| !join);
                    self.bind(now, ix, vital.unwrap_or(work));
                } else {
                    let work = self.there(ix, |caller| self.manner(caller) == Manner::Invite);
                    self.bind(now, ix, work.expect("invited to something"));
                }
            }
            Fact::Answer { agent } => {
                let ix = agent.index as usize;
                let there = self.there(ix, |caller| match self.manner(caller) {
                    Manner::Invite => true,
                    Manner::Ring(_) | Manner::List => !self.is_held(caller),
                    Manner::Join => false,
                });
                if ringing(self, ix).is_some() {
                    self.unring(ix);
                }
                self.bind(now, ix, there.expect("something is there"));
            }
            Fact::Pick { agent, work, .. } => self.pick(now, agent.index as usize, work.serial.0),
            Fact::PickUp { agent, .. } => {
                let ix = agent.index as usize;
                let own = ringing(self, ix);
                let elsewhere = self.there(ix, |caller| {
                    !caller.rings.is_empty()
                        && Some(caller.key.3) != own
                        && self.manner(caller) != Manner::Join
                });
                self.pick(now, ix, elsewhere.expect("rings at a colleague"));
            }
            _ => {}
        }
    }

    fn pick(&mut self, now: Instant, ix: usize, work: u64) {
        let vital = |caller: &Caller| !caller.key.0 && self.manner(caller) != Manner::Join;
        let waits = self.there(ix, |caller| vital(caller) && !self.is_held(caller)).is_some();
        let over_vital = waits && self.callers[&work].key.0;
        if self.people[ix].ring.is_some() {
            self.unring(ix);
        }
        self.bind(now, ix, work);
        self.people[ix].ring.as_mut().expect("rings").over_vital = over_vital;
    }

    /// The most urgent of what this agent could be given, that nobody has taken.
    fn there(&self, ix: usize, fits: impl Fn(&Caller) -> bool) -> Option<u64> {
        let there = self.callers.values().filter(|caller| {
            caller.asleep.is_none() && !self.is_bound(caller) && self.is_asked(ix, caller) && fits(caller)
        });
        there.map(|caller| caller.key).min().map(|key| key.3)
    }

    fn bind(&mut self, now: Instant, ix: usize, work: u64) {
        let person = &mut self.people[ix];
        (person.invite, person.summons, person.wrap) = (None, None, None);
        person.shows_life();
        self.release(work);
        self.ring(now, ix, work, true);
    }

    pub(super) fn ring(&mut self, now: Instant, ix: usize, work: u64, claimed: bool) {
        let caller = self.callers.get_mut(&work).expect("waits");
        caller.rings.push(ix);
        let lapse = now + self.plan.queues[caller.queue].offer.ring();
        let (rang, taken, over_vital) = (false, false, false);
        self.people[ix].ring = Some(Ring { work, lapse, rang, taken, claimed, over_vital });
    }

    pub(super) fn unring(&mut self, ix: usize) {
        let ring = self.people[ix].ring.take().expect("rings");
        self.callers.get_mut(&ring.work).expect("waits").rings.retain(|agent| *agent != ix);
    }

    /// Nobody is shown this item any more.
    fn unshow(&mut self, work: u64) {
        for person in &mut self.people {
            person.invite.take_if(|(named, _)| *named == work);
            person.summons.take_if(|(named, ..)| *named == work);
        }
    }

    fn release_others(&mut self, work: u64, but: usize) {
        for ix in self.callers[&work].rings.clone() {
            if ix != but {
                self.unring(ix);
            }
        }
        self.unshow(work);
    }

    /// Nobody rings for this caller any more, and nobody is to blame.
    fn release(&mut self, work: u64) {
        self.release_others(work, usize::MAX);
    }

    fn fail(&mut self, now: Instant, ix: usize, end: &OfferEnd, by_person: bool) {
        let ring = self.people[ix].ring.expect("rings");
        self.unring(ix);
        let person = &mut self.people[ix];
        let mut until = now;
        let heard = ring.rang || ring.taken;
        match end {
            OfferEnd::Rejected if by_person || heard => {
                person.shows_life();
                until = now + Floor::RETRY;
                person.rejections += 1;
                if person.rejections > 1 {
                    person.rest = Some(until);
                }
            }
            OfferEnd::TimedOut if heard => (person.rona, person.rest) = (true, Some(now + Floor::RETRY)),
            _ => {
                person.failures += 1;
                person.rest = Some(now + SECOND * [1, 2, 4, 8][person.failures.min(4) as usize - 1]);
                if *end == OfferEnd::Rejected {
                    until = now + Floor::RETRY;
                }
            }
        }
        self.callers.get_mut(&ring.work).expect("waits").tried.insert(ix, until);
    }

    /// What time alone does.
    pub(super) fn pass(&mut self, now: Instant) {
        self.now = now;
        for ix in 0..self.people.len() {
            let person = &mut self.people[ix];
            person.rest.take_if(|until| *until <= now);
            if let Some(until) = person.wrap.take_if(|until| *until <= now) {
                person.idle = until;
            }
            person.invite.take_if(|(_, lapse)| *lapse <= now);
            person.summons.take_if(|(.., lapse)| *lapse <= now);
            if let Some(ring) = person.ring.filter(|ring| ring.lapse <= now) {
                let end = if ring.taken { OfferEnd::LostBeforeBridge } else { OfferEnd::TimedOut };
                self.fail(now, ix, &end, true);
            }
        }
        self.tidy(now);
    }

    /// Ends what cannot stand.
    pub(super) fn tidy(&mut self, now: Instant) {
        for work in self.callers.keys().copied().collect::<Vec<_>>() {
            let caller = self.callers.get_mut(&work).expect("waits");
            if caller.asleep.is_some_and(|until| until <= now) {
                (caller.asleep, caller.offered) = (None, now);
            }
            let caller = &self.callers[&work];
            if let Some(owner) = &caller.arrival.owner {
                let ix = owner.agent.index as usize;
                let asked = self.fit(ix, &Door::Owner(ix), caller).is_some();
                let there = self.people[ix].can_be_rung() && asked;
                let alone = caller.key.0 && there && caller.offered + owner.alone > now;
                let stays = caller.alone && (alone || caller.asleep.is_some());
                self.callers.get_mut(&work).expect("waits").alone = stays;
            }
        }
        for person in &mut self.people {
            let (free, busy) = (person.is_free() && person.page, person.is_busy_at_page());
            person.invite.take_if(|_| !free);
            person.summons.take_if(|(_, join, _)| !(busy || free && *join));
        }
    }

    /// Whether what rings at an agent, or is dialled by one, could be taken back.
    pub(super) fn could_do_without(&self, ring: Ring) -> bool {
        let dials = ring.taken && !ring.over_vital && self.callers[&ring.work].is_previewed();
        dials || !(ring.taken || ring.claimed)
    }

    pub(super) fn is_bound(&self, caller: &Caller) -> bool {
        let mut rings = caller.rings.iter().filter_map(|ix| self.people[*ix].ring);
        rings.any(|ring| ring.taken || ring.claimed)
    }

    /// Somebody sound is rung for it.
    pub(super) fn is_held(&self, caller: &Caller) -> bool {
        caller.rings.iter().any(|ix| self.people[*ix].is_sound())
    }

    pub(super) fn manner(&self, caller: &Caller) -> Manner {
        match &self.plan.queues[caller.queue].offer {
            _ if caller.arrival.kind == WorkKind::Join => Manner::Join,
            OfferPlan::Exclusive { strategy: Strategy::RingSome(some), .. } => Manner::Ring(*some as usize),
            OfferPlan::Exclusive { .. } => Manner::Ring(1),
            OfferPlan::Shared { .. } => Manner::Invite,
            OfferPlan::Pick { push, .. } if !caller.key.0 || push.contains(&caller.arrival.class) => {
                Manner::Ring(1)
            }
            OfferPlan::Pick { .. } => Manner::List,
        }
    }

    pub(super) fn pages_apart(&self, caller: &Caller) -> bool {
        let shared = matches!(self.plan.queues[caller.queue].offer, OfferPlan::Shared { .. });
        shared || caller.arrival.kind == WorkKind::Join
    }

    pub(super) fn doors(&self, caller: &Caller) -> Vec<Door> {
        let queue = &self.plan.queues[caller.queue];
        let mut doors = Vec::new();
        if let Some(owner) = &caller.arrival.owner {
            doors.push(Door::Owner(owner.agent.index as usize));
            if caller.alone {
                return doors;
            }
        }
        match &caller.arrival.others {
            Others::Everybody => {}
            Others::Nobody => return doors,
            Others::Leads(leads) => {
                doors.push(Door::Needs(caller.queue, leads.clone()));
                let lead =
                    |person: &Person| person.signed_in && person.phone && person.level(leads).is_some();
                if caller.key.0 && (caller.arrival.kind != WorkKind::Live || self.people.iter().any(lead)) {
                    return doors;
                }
            }
        }
        doors.push(Door::Needs(caller.queue, queue.skills.clone()));
        if !caller.arrival.add.is_empty() {
            doors.push(Door::Needs(caller.queue, caller.arrival.add.clone()));
        }
        let waited = self.now.since(caller.arrival.arrived);
        for relax in queue.relax.iter().filter(|relax| !caller.key.0 || relax.after <= waited) {
            doors.push(Door::Needs(caller.queue, relax.add.clone()));
        }
        for beyond in &caller.beyond {
            doors.push(Door::Needs(*beyond, self.plan.queues[*beyond].skills.clone()));
        }
        doors
    }

    /// How well an agent fits a door; `None`: not at all.
    pub(super) fn level(&self, ix: usize, door: &Door, home: usize) -> Option<u8> {
        let person = &self.people[ix];
        let (queue, own) = match door {
            Door::Owner(_) => (home, false),
            Door::Needs(queue, needs) => (*queue, *needs == self.plan.queues[*queue].skills),
        };
        let met = self.met(ix, door);
        let listed = |list: &[crate::id::QueueId]| list.iter().any(|id| id.index as usize == queue);
        match &person.duty {
            Duty::BySkill => met,
            Duty::Only(list) if !listed(list) => None,
            Duty::Only(_) if own => Some(met.unwrap_or(1)),
            Duty::Except(list) if listed(list) => None,
            Duty::Only(_) | Duty::Except(_) => met,
        }
    }

    fn met(&self, ix: usize, door: &Door) -> Option<u8> {
        match door {
            Door::Owner(owner) => (*owner == ix).then_some(1),
            Door::Needs(_, needs) => self.people[ix].level(needs),
        }
    }

    /// How well an agent fits a door of this caller's. Who comes beside a colleague is kept from nothing.
    pub(super) fn fit(&self, ix: usize, door: &Door, caller: &Caller) -> Option<u8> {
        let beside = || self.met(ix, door).filter(|_| self.manner(caller) == Manner::Join);
        self.level(ix, door, caller.queue).or_else(beside)
    }

    pub(super) fn may(&self, ix: usize, caller: &Caller) -> bool {
        let listed = |list: &[crate::id::QueueId]| list.iter().any(|id| id.index as usize == caller.queue);
        let barred = caller.arrival.barred.iter().any(|agent| agent.index as usize == ix);
        !barred
            && match &self.people[ix].duty {
                _ if self.manner(caller) == Manner::Join => true,
                Duty::BySkill => true,
                Duty::Only(list) => listed(list),
                Duty::Except(list) => !listed(list),
            }
    }

    pub(super) fn is_asked(&self, ix: usize, caller: &Caller) -> bool {
        let doors = self.doors(caller);
        self.may(ix, caller) && doors.iter().any(|door| self.fit(ix, door, caller).is_some())
    }
}
