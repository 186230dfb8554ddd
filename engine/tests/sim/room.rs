//! The room as its log tells it: who waits, who rings, who talks. It shares no line with the engine;
//! [`super::fold`] keeps it, [`super::judge`] says what it allows, the invariants are asked of it.

use engine::call::event::{Event, Intent, Occupation};
use engine::dialplan::{Dialplan, QueuePlan};
use engine::id::{AgentId, CallId, CentreId, OfferId, QueueId, WorkId};
use engine::site::{AgentSite, Phone};
use engine::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Fence, arrival + target, arrival, number: less is earlier.
pub type Key = (bool, Instant, Instant, WorkId);

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A caller on the line.
    Live,
    /// Somebody is to be called.
    Callback,
    /// Somebody is wanted in a conversation.
    Join,
}

#[derive(Clone, Debug)]
pub struct Waits {
    pub call: CallId,
    pub kind: Kind,
    pub queue: QueueId,
    pub class: String,
    pub key: Key,
    pub arrived: Instant,
    /// Since when it could be offered in this queue.
    pub offered: Instant,
    /// Another organisation's line, or a conversation: it may take what a queue reserves.
    pub partner: bool,
    /// The offers that reserve somebody for it.
    pub rings: Vec<OfferId>,
    /// Since when pages are invited to it, behind the fence.
    pub shown: Option<Instant>,
    /// Who did not take it, and until when they are left alone with it.
    pub tried: BTreeMap<usize, Instant>,
    /// Who is in the conversation already.
    pub barred: Vec<usize>,
    /// Who is asked first, and how long alone.
    pub owner: Option<(usize, Duration)>,
    /// Nobody is asked but the owner.
    pub theirs: bool,
    /// Somebody is asked out of the caller's hearing.
    pub asked: bool,
    /// Queues where it is offered beside its own.
    pub beyond: Vec<usize>,
    /// Until when nobody is asked.
    pub asleep: Option<Instant>,
}

/// Somebody has given the caller to another stage, and stays responsible.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    pub by: usize,
    /// When somebody has to talk with the caller again, and how often after that.
    pub recontact: Instant,
    pub every: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct Rings {
    pub agent: AgentId,
    pub work: WorkId,
    pub deadline: Instant,
    /// Somebody asked for it by a key: it is not taken back.
    pub willed: bool,
    /// The phone has said that it rings.
    pub heard: bool,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub skills: Vec<String>,
    pub page: bool,
    /// The page follows the feed.
    pub open: bool,
    pub wrap_up: Duration,
    pub intent: Intent,
    pub reachable: bool,
    pub told: Occupation,
    pub ear: Option<CallId>,
    pub ear_since: Instant,
    /// Time with calls in this shift.
    pub occupied: Duration,
    pub reserved: Option<OfferId>,
    pub invited: Option<OfferId>,
    /// Called upon: by an alert, or into a conversation.
    pub summoned: Option<OfferId>,
    pub rona: bool,
    /// Failures of the phone in a row, and rejections.
    pub failures: u32,
    pub rejections: u32,
    /// Until when they are left alone after an offer that failed.
    pub rests: Instant,
    /// When their phone or their wish changed last.
    pub changed: Instant,
    /// Since when nothing is heard; failed offers and pauses leave it alone.
    pub idle: Instant,
    pub wrap_until: Option<Instant>,
}

#[derive(Clone, Debug)]
pub struct Talks {
    pub arrived: Instant,
    pub caller: String,
    pub service: String,
    /// Its class stands behind the fence.
    pub fenced: bool,
    pub waits: Option<WorkId>,
    /// An earlier call of theirs was cut off in a talk: they stand at the head of their class.
    pub broken: bool,
    pub aside: Option<Instant>,
    /// Where it waits, or waited last.
    pub queue: QueueId,
    pub handed: Option<Handed>,
    /// Who had handed it to whoever talks.
    pub came_from: Option<usize>,
    /// Who is asked first when it waits next.
    pub back_to: Option<usize>,
    pub callback: Option<CallsBack>,
    pub asks: Option<Asks>,
    /// Somebody has answered it and was not lost since: held, handed over or taken from the list once
    /// more, what there is to do for its caller is done by it.
    pub helped: bool,
    /// Agents who are lost to it, and may be back in a moment.
    pub lost: BTreeSet<usize>,
}

/// An agent asks somebody, and the caller is on hold meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Asks {
    pub by: usize,
    /// By when somebody has answered.
    pub deadline: Instant,
    pub answered: bool,
}

/// Somebody is wanted in a conversation.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Who is in it already.
    pub there: Vec<usize>,
    /// Nobody but this one.
    pub whom: Option<usize>,
    /// The agent asks, out of the caller's hearing or not.
    pub asked: bool,
}

/// Somebody is to be called.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallsBack {
    /// Until when nobody is asked.
    pub rests: Option<Instant>,
    /// Somebody has accepted it, and the person's phone rings.
    pub dialling: bool,
    pub reached: bool,
}

impl CallsBack {
    /// It waits for somebody who has not been reached.
    pub fn is_open(&self) -> bool {
        !self.reached
    }
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
    /// Queues whose ways out somebody has opened, and since when the causes of each way have stood.
    pub opened: BTreeSet<usize>,
    pub since: BTreeMap<(usize, usize), Instant>,
    /// Items by which somebody is wanted in a conversation.
    pub wanted: BTreeMap<WorkId, Wanted>,
    /// Calls somebody is to be called because of.
    pub called_back: BTreeSet<CallId>,
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
            open: false,
            wrap_up: site.wrap_up.unwrap_or_default(),
            intent: Intent::SignedOut,
            reachable: false,
            told: Occupation::Free,
            ear: None,
            ear_since: Instant::ZERO,
            occupied: Duration::ZERO,
            reserved: None,
            invited: None,
            summoned: None,
            rona: false,
            failures: 0,
            rejections: 0,
            rests: Instant::ZERO,
            changed: Instant::ZERO,
            idle: Instant::ZERO,
            wrap_until: None,
        }
    }

    pub fn is_sound(&self) -> bool {
        !self.rona && self.failures == 0
    }

    /// Ready, sound, and there, whatever they do.
    pub fn is_staff(&self) -> bool {
        self.intent == Intent::Ready && self.reachable && self.is_sound()
    }
}

impl Talks {
    pub fn new(arrived: Instant, caller: String, service: String) -> Talks {
        Talks {
            arrived,
            caller,
            service,
            fenced: false,
            waits: None,
            broken: false,
            aside: None,
            queue: QueueId { centre: CentreId(0), index: 0 },
            handed: None,
            came_from: None,
            back_to: None,
            callback: None,
            asks: None,
            helped: false,
            lost: BTreeSet::new(),
        }
    }
}

/// Where a caller of this queue may be sent.
pub fn other_queue(queue: QueueId) -> u32 {
    u32::from(queue.index != 1)
}

pub fn agent_id(ix: usize) -> AgentId {
    AgentId { centre: CentreId(0), index: u32::try_from(ix).expect("few agents") }
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
            opened: BTreeSet::new(),
            since: BTreeMap::new(),
            wanted: BTreeMap::new(),
            called_back: BTreeSet::new(),
            taken: BTreeSet::new(),
            entered: 0,
            left: 0,
        }
    }

    pub fn person(&mut self, agent: AgentId) -> &mut Person {
        &mut self.people[agent.index as usize]
    }

    /// Says by a key that they are there: the log says so only when the step is over.
    pub fn shows_life(&mut self, ix: usize, at: Instant) {
        let person = &mut self.people[ix];
        (person.failures, person.rejections, person.rests) = (0, 0, at);
    }

    pub fn queue(&self, queue: QueueId) -> &QueuePlan {
        &self.plan.queues[queue.index as usize]
    }

    /// Who has this call in the ear.
    pub fn ears(&self, call: CallId) -> Vec<usize> {
        (0..self.people.len()).filter(|ix| self.people[*ix].ear == Some(call)).collect()
    }

    /// The item an offer is for.
    pub fn offered(&self, offer: Option<OfferId>) -> Option<&Waits> {
        self.waiting.get(&self.offers.get(&offer?)?.work)
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
