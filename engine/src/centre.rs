//! One centre: its plan, its floor, its log, and the ids it gives.

use crate::call::event::{Entry, Event};
use crate::callback::Callbacks;
use crate::dialplan::Dialplan;
use crate::id::{AgentId, BridgeId, CallId, CentreId, LegId, MajorId, PageId, QueueId, Serial, WorkId};
use crate::major::Majors;
use crate::queue::Floor;
use crate::returning::Returning;
use crate::site::{AgentSite, CentreSite};
use crate::supervise::Answers;
use crate::time::Now;
use std::collections::HashMap;
use std::sync::Arc;

/// A centre at work.
pub(crate) struct Centre {
    /// Which.
    pub(crate) id: CentreId,
    /// The plan that serves new calls.
    pub(crate) plan: Arc<Dialplan>,
    /// Trunks whose calls it takes; empty: every one.
    pub(crate) trunks: Vec<u16>,
    /// Its people.
    pub(crate) roster: Vec<AgentSite>,
    /// Who waits, who may answer.
    pub(crate) floor: Floor,
    /// Whose call an item is, while the call lives.
    pub(crate) works: HashMap<WorkId, CallId>,
    /// Who called a short while ago.
    pub(crate) returning: Returning,
    /// Who is to be called.
    pub(crate) callbacks: Callbacks,
    /// Major events that are not over.
    pub(crate) majors: Majors,
    /// Commands already answered.
    pub(crate) answers: Answers,
    epoch: u32,
    last_seq: u64,
    next: Serial,
}

impl Centre {
    pub(crate) fn new(id: CentreId, epoch: u32, site: &CentreSite) -> Centre {
        Centre {
            id,
            plan: Arc::clone(&site.plan),
            trunks: site.trunks.clone(),
            roster: site.agents.clone(),
            floor: Floor::new(id, epoch, Arc::clone(&site.plan), &site.agents, site.wrap_up),
            works: HashMap::new(),
            returning: Returning::default(),
            callbacks: Callbacks::default(),
            majors: Majors::default(),
            answers: Answers::default(),
            epoch,
            last_seq: 0,
            next: Serial::first_of(epoch),
        }
    }

    /// Whether calls of this trunk may be this centre's.
    pub(crate) fn takes(&self, trunk: Option<u16>) -> bool {
        self.trunks.is_empty() || trunk.is_none_or(|index| self.trunks.contains(&index))
    }

    /// The log's next line. The sequence has no gap: a number is given here and nowhere else (I25).
    pub(crate) fn entry(&mut self, now: Now, event: Event) -> Entry {
        self.last_seq += 1;
        Entry { centre: self.id, epoch: self.epoch, seq: self.last_seq, at: now.at, utc: now.utc, event }
    }

    /// The log's last line so far; zero before the first.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// A queue of the plan that serves, by its name; its first when the plan no longer has it: a
    /// caller is never lost to a rename.
    pub(crate) fn queue_named(&self, name: &str) -> QueueId {
        QueueId { centre: self.id, index: self.plan.queue_named(name).unwrap_or(0) }
    }

    /// Somebody of the roster.
    pub(crate) fn agent(&self, agent: AgentId) -> Option<&AgentSite> {
        self.roster.get(usize::try_from(agent.index).ok()?).filter(|_| agent.centre == self.id)
    }

    pub(crate) fn call_id(&mut self) -> CallId {
        CallId { centre: self.id, serial: self.next.take() }
    }

    pub(crate) fn leg_id(&mut self) -> LegId {
        LegId { centre: self.id, serial: self.next.take() }
    }

    pub(crate) fn work_id(&mut self) -> WorkId {
        WorkId { centre: self.id, serial: self.next.take() }
    }

    pub(crate) fn page_id(&mut self) -> PageId {
        PageId { centre: self.id, serial: self.next.take() }
    }

    pub(crate) fn major_id(&mut self) -> MajorId {
        MajorId { centre: self.id, serial: self.next.take() }
    }

    pub(crate) fn bridge_id(&mut self) -> BridgeId {
        BridgeId { centre: self.id, serial: self.next.take() }
    }

    /// The call an event belongs to; `None` for an agent's, a queue's or the plan's own.
    pub(crate) fn call_of(&self, event: &Event) -> Option<CallId> {
        match event {
            Event::Arrived { call, .. }
            | Event::Routed { call, .. }
            | Event::Anchored { call, .. }
            | Event::Queued { call, .. }
            | Event::Qualified { call, .. }
            | Event::Offered { call, .. }
            | Event::Connected { call, .. }
            | Event::Heard { call, .. }
            | Event::NoMedia { call, .. }
            | Event::Unenciphered { call, .. }
            | Event::OtherFamily { call, .. }
            | Event::AgentLost { call, .. }
            | Event::Signed { call, .. }
            | Event::Reasoned { call, .. }
            | Event::Held { call, .. }
            | Event::HeldAside { call, .. }
            | Event::RecallDue { call, .. }
            | Event::Resumed { call, .. }
            | Event::Joined { call, .. }
            | Event::Left { call, .. }
            | Event::Wanted { call, .. }
            | Event::Led { call, .. }
            | Event::Consulting { call, .. }
            | Event::ConsultEnded { call, .. }
            | Event::HandedOut { call, .. }
            | Event::Noted { call, .. }
            | Event::Released { call, .. }
            | Event::Withdrawn { call, .. }
            | Event::Ended { call, .. } => Some(*call),
            Event::OfferEnded { work, .. } | Event::Moved { work, .. } => self.works.get(work).copied(),
            Event::Beside(beside) => beside.call(),
            _ => None,
        }
    }
}
