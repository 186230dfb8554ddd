//! The room as its log tells it: who waits, who rings, who talks. A fold of the events that shares no
//! line with the engine; the invariants are asked of it.

use engine::call::event::{AgentReason, Beside, Entry, Event, Intent, Occupation, OfferEnd, OfferKind, Past};
use engine::dialplan::Dialplan;
use engine::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use engine::site::{AgentSite, Phone};
use engine::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Fence, arrival + target, arrival, number: less is earlier.
pub type Key = (bool, Instant, Instant, WorkId);

#[derive(Clone, Debug)]
pub struct Waits {
    pub call: CallId,
    pub queue: QueueId,
    pub key: Key,
    pub arrived: Instant,
    /// The exclusive offer that holds it.
    pub held: Option<OfferId>,
    /// Who did not take it, and until when they are left alone with it.
    pub tried: BTreeMap<AgentId, Instant>,
}

#[derive(Clone, Copy, Debug)]
pub struct Rings {
    pub agent: AgentId,
    pub work: WorkId,
    pub deadline: Instant,
    /// Somebody asked for it by a key: it is not taken back.
    pub willed: bool,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub skills: Vec<String>,
    pub page: bool,
    pub intent: Intent,
    pub reachable: bool,
    pub told: Occupation,
    pub ear: Option<CallId>,
    pub reserved: Option<OfferId>,
    pub invited: Option<OfferId>,
    pub rona: bool,
    /// When an offer to them failed last; nothing since the last sign of life.
    pub failed: Option<Instant>,
    /// Since when nothing is heard; failed offers and pauses leave it alone.
    pub idle: Instant,
    pub wrap_until: Option<Instant>,
}

#[derive(Clone, Debug)]
pub struct Talks {
    pub arrived: Instant,
    pub caller: String,
    pub waits: Option<WorkId>,
    /// An earlier call of theirs was cut off in a talk: they stand at the head of their class.
    pub broken: bool,
    pub aside: Option<Instant>,
}

pub struct Room {
    pub plan: Arc<Dialplan>,
    pub waiting: BTreeMap<WorkId, Waits>,
    /// Whose every item was, the whole evening.
    pub works: BTreeMap<WorkId, CallId>,
    pub offers: BTreeMap<OfferId, Rings>,
    pub people: Vec<Person>,
    pub calls: BTreeMap<CallId, Talks>,
    /// The longest wait of a number's earlier calls.
    pub waits: BTreeMap<String, Duration>,
    pub alarms: BTreeMap<QueueId, bool>,
    /// Agents who have answered and are being bridged.
    pub taken: BTreeSet<usize>,
    pub entered: u64,
    pub left: u64,
}

impl Person {
    /// Somebody of the roster who has not come yet.
    pub fn of(site: &AgentSite) -> Person {
        Person {
            skills: site.skills.clone(),
            page: site.phone == Phone::Page,
            intent: Intent::SignedOut,
            reachable: false,
            told: Occupation::Free,
            ear: None,
            reserved: None,
            invited: None,
            rona: false,
            failed: None,
            idle: Instant::ZERO,
            wrap_until: None,
        }
    }
}

impl Room {
    pub fn new(plan: Arc<Dialplan>, people: Vec<Person>) -> Room {
        Room {
            plan,
            waiting: BTreeMap::new(),
            works: BTreeMap::new(),
            offers: BTreeMap::new(),
            people,
            calls: BTreeMap::new(),
            waits: BTreeMap::new(),
            alarms: BTreeMap::new(),
            taken: BTreeSet::new(),
            entered: 0,
            left: 0,
        }
    }

    pub fn person(&mut self, agent: AgentId) -> &mut Person {
        &mut self.people[agent.index as usize]
    }

    /// Whether the plan lets this agent have calls of this queue.
    pub fn serves(&self, agent: usize, queue: QueueId) -> bool {
        self.plan.queues.get(queue.index as usize).is_some_and(|it| it.takes(&self.people[agent].skills))
    }

    pub fn is_shared(&self, queue: QueueId) -> bool {
        let queue = self.plan.queues.get(queue.index as usize);
        queue.is_some_and(|it| matches!(it.offer, engine::dialplan::OfferPlan::Shared { .. }))
    }

    fn target(&self, class: &str) -> Duration {
        let found = self.plan.classes.iter().find(|it| it.name == class && !it.fence);
        found.map_or(Duration::ZERO, |class| class.target)
    }

    /// What an entry changes. The invariants have looked at it before.
    pub fn fold(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Arrived { call, caller, .. } => {
                let talks =
                    Talks { arrived: at, caller: caller.0.clone(), waits: None, broken: false, aside: None };
                self.calls.insert(*call, talks);
            }
            Event::Queued { work, call, queue, class, fenced, arrived, due, .. } => {
                let came = *due - if *fenced { Duration::ZERO } else { self.target(class) };
                let key = (!*fenced, *due, came, *work);
                let (held, tried) = (None, BTreeMap::new());
                let waits = Waits { call: *call, queue: *queue, key, arrived: *arrived, held, tried };
                self.waiting.insert(*work, waits);
                self.works.insert(*work, *call);
                self.entered += 1;
                self.frees(*call, at);
                if let Some(it) = self.calls.get_mut(call) {
                    (it.waits, it.aside) = (Some(*work), None);
                }
            }
            Event::Qualified { work: Some(work), fenced, due, .. } => {
                if let Some(waits) = self.waiting.get_mut(work) {
                    waits.key = (!*fenced, *due, waits.key.2, *work);
                }
            }
            Event::Moved { work, queue, .. } => {
                if let Some(waits) = self.waiting.get_mut(work) {
                    waits.queue = *queue;
                }
            }
            Event::Connected { call, work, agent, waited, .. } => {
                self.leaves(*work);
                self.waited(*call, *waited);
                let person = self.person(*agent);
                (person.ear, person.failed) = (Some(*call), None);
            }
            Event::Withdrawn { work, call, waited } => {
                self.leaves(*work);
                self.waited(*call, *waited);
            }
            Event::Released { call, .. } => self.frees(*call, at),
            Event::HeldAside { call, lost, recall, .. } => {
                if !lost {
                    self.frees(*call, at);
                }
                if let Some(it) = self.calls.get_mut(call) {
                    it.aside = Some(*recall);
                }
            }
            Event::RecallDue { call, .. } | Event::Resumed { call, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.aside = None;
                }
            }
            Event::Ended { call, .. } => {
                self.frees(*call, at);
                self.calls.remove(call);
            }
            Event::Beside(Beside::Repeated { call, past: Past::Broken, .. }) => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.broken = true;
                }
            }
            Event::Alarm { queue, on } => drop(self.alarms.insert(*queue, *on)),
            _ => self.fold_agent(at, &entry.event),
        }
    }

    fn fold_agent(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Offered { offer, work, agent, kind, deadline, because, .. } => {
                let willed = matches!(because.agent, AgentReason::Claimed | AgentReason::Picked);
                let rings = Rings { agent: *agent, work: *work, deadline: *deadline, willed };
                self.offers.insert(*offer, rings);
                match kind {
                    OfferKind::Exclusive => {
                        self.person(*agent).reserved = Some(*offer);
                        if let Some(waits) = self.waiting.get_mut(work) {
                            waits.held = Some(*offer);
                        }
                    }
                    _ => self.person(*agent).invited = Some(*offer),
                }
            }
            Event::OfferEnded { offer, agent, work, end } => {
                self.offers.remove(offer);
                let person = self.person(*agent);
                person.reserved.take_if(|it| it == offer);
                person.invited.take_if(|it| it == offer);
                let failed = matches!(
                    end,
                    OfferEnd::TimedOut
                        | OfferEnd::Unreachable
                        | OfferEnd::PhoneBusy
                        | OfferEnd::LostBeforeBridge
                        | OfferEnd::Rejected
                );
                if failed {
                    person.failed = Some(at);
                }
                if let Some(waits) = self.waiting.get_mut(work).filter(|it| it.held == Some(*offer)) {
                    waits.held = None;
                    if failed {
                        waits.tried.insert(*agent, at);
                    }
                }
            }
            Event::IntentChanged { agent, intent, .. } => {
                let person = self.person(*agent);
                if person.intent == Intent::SignedOut && *intent != Intent::SignedOut {
                    person.idle = at;
                }
                person.intent = intent.clone();
                person.failed = None;
            }
            Event::SignedIn { agent, .. } => {
                let person = self.person(*agent);
                if person.intent == Intent::SignedOut {
                    (person.idle, person.intent) = (at, Intent::Paused(String::new()));
                }
            }
            Event::ReachabilityChanged { agent, reachable, .. } => self.person(*agent).reachable = *reachable,
            Event::Rona { agent, on } => self.person(*agent).rona = *on,
            Event::OccupationChanged { agent, occupation, until, .. } => {
                let person = self.person(*agent);
                if person.told == Occupation::WrapUp {
                    person.idle = at;
                }
                (person.told, person.wrap_until) = (*occupation, *until);
            }
            Event::SkillsChanged { agent, skills, .. } => self.person(*agent).skills.clone_from(skills),
            _ => {}
        }
    }

    fn leaves(&mut self, work: WorkId) {
        if let Some(waits) = self.waiting.remove(&work) {
            self.left += 1;
            if let Some(it) = self.calls.get_mut(&waits.call) {
                it.waits = None;
            }
        }
    }

    /// Somebody of this number has really waited so long.
    fn waited(&mut self, call: CallId, waited: Duration) {
        if let Some(caller) = self.calls.get(&call).map(|it| it.caller.clone()) {
            let longest = self.waits.entry(caller).or_default();
            *longest = (*longest).max(waited);
        }
    }

    /// The call is out of whoever's ear.
    fn frees(&mut self, call: CallId, at: Instant) {
        for person in &mut self.people {
            if person.ear.take_if(|it| *it == call).is_some() {
                person.idle = at;
            }
        }
    }

    /// The call an event is about.
    pub fn call_of(&self, event: &Event) -> Option<CallId> {
        let text = serde_json::to_value(event).ok()?;
        match text.get("call").filter(|_| text.get("type") != Some(&"occupation_changed".into())) {
            Some(call) => serde_json::from_value(call.clone()).ok(),
            None => match event {
                Event::OfferEnded { work, .. } | Event::Moved { work, .. } => self.works.get(work).copied(),
                _ => None,
            },
        }
    }
}
