//! Rows changed in place: each is looked up, changed, and set again when that made a difference.

use super::Board;
use crate::call::event::{Intent, Occupation};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::live::row::{AgentRow, CallRow, Key, OfferRow, QueueRow, Row, Totals, TrunkRow, WaitingRow};
use sip::time::Instant;

impl Board {
    pub(super) fn lay_out_queues(&mut self) {
        self.rename_queues(&self.cast.queues.clone());
    }

    /// The plan was replaced: a queue keeps its figures by its name, one that is no more has no row.
    pub(super) fn rename_queues(&mut self, queues: &[String]) {
        let centre = self.cast.centre;
        let key = |place: u32| Key::Queue(QueueId { centre, index: place });
        let mut before = Vec::new();
        for (place, _) in (0u32..).zip(&self.cast.queues) {
            if let Some(Row::Queue(row)) = self.rows.row(&key(place)) {
                before.push(row.clone());
            }
            if place as usize >= queues.len() {
                self.rows.set(key(place), None);
            }
        }
        for (place, name) in (0u32..).zip(queues) {
            let row = match before.iter().find(|row| row.queue == *name) {
                Some(row) => QueueRow { place, ..row.clone() },
                None => QueueRow {
                    queue: name.clone(),
                    place,
                    entered: 0,
                    answered: 0,
                    withdrawn: 0,
                    alarm: false,
                    overflow: false,
                },
            };
            self.rows.set(key(place), Some(Row::Queue(row)));
        }
        self.cast.queues = queues.to_vec();
    }

    pub(super) fn blank_agent(&self, agent: AgentId) -> AgentRow {
        let site = self.cast.site(agent);
        let mut row = AgentRow {
            agent: self.cast.agent_name(agent),
            position: site.map(|site| site.position.clone()).unwrap_or_default(),
            role: site.map_or(crate::site::Role::Agent, |site| site.role),
            intent: Intent::SignedOut,
            reachable: false,
            reach: String::new(),
            occupation: Occupation::Free,
            call: None,
            rona: false,
            since: Default::default(),
            until: None,
            skills: site.map(|site| site.skills.clone()).unwrap_or_default(),
            by_page: site.is_some_and(|site| site.phone == crate::site::Phone::Page),
            page: false,
            audio: false,
            fit: false,
            why_not: None,
            why: Vec::new(),
        };
        row.why = row.reasons();
        row.why_not = row.why.first().copied();
        row
    }

    pub(super) fn change(&mut self, key: Key, change: impl FnOnce(&mut Row)) {
        let Some(mut row) = self.rows.row(&key).cloned() else { return };
        change(&mut row);
        self.rows.set(key, Some(row));
    }

    pub(super) fn agent(&mut self, agent: AgentId, at: Instant, change: impl FnOnce(&mut AgentRow)) {
        let mut row = match self.rows.row(&Key::Agent(agent)) {
            Some(Row::Agent(row)) => row.clone(),
            _ => self.blank_agent(agent),
        };
        let was = row.clone();
        change(&mut row);
        row.why = row.reasons();
        row.why_not = row.why.first().copied();
        if row != was {
            row.since = at.into();
        }
        self.rows.set(Key::Agent(agent), Some(Row::Agent(row)));
    }

    pub(super) fn call(&mut self, call: CallId, change: impl FnOnce(&mut CallRow)) {
        self.change(Key::Call(call), |row| {
            if let Row::Call(row) = row {
                change(row);
            }
        });
    }

    pub(super) fn waiting(&mut self, work: WorkId, change: impl FnOnce(&mut WaitingRow)) {
        let Some(queue) = self.queue_of.get(&work).copied() else { return };
        self.change(Key::Waiting(queue, work), |row| {
            if let Row::Waiting(row) = row {
                change(row);
            }
        });
    }

    pub(super) fn offer(&mut self, agent: AgentId, offer: OfferId, change: impl FnOnce(&mut OfferRow)) {
        self.change(Key::Offer(agent, offer), |row| {
            if let Row::Offer(row) = row {
                change(row);
            }
        });
    }

    pub(super) fn queue(&mut self, queue: QueueId, change: impl FnOnce(&mut QueueRow)) {
        self.change(Key::Queue(queue), |row| {
            if let Row::Queue(row) = row {
                change(row);
            }
        });
    }

    pub(super) fn trunk(&mut self, name: &str, change: impl FnOnce(&mut TrunkRow)) {
        let key = Key::Trunk(name.to_owned());
        let mut row = match self.rows.row(&key) {
            Some(Row::Trunk(row)) => row.clone(),
            _ => TrunkRow { trunk: name.to_owned(), ..TrunkRow::default() },
        };
        change(&mut row);
        self.rows.set(key, Some(Row::Trunk(row)));
    }

    pub(super) fn totals(&mut self, change: impl FnOnce(&mut Totals)) {
        self.change(Key::Totals, |row| {
            if let Row::Totals(row) = row {
                change(row);
            }
        });
    }
}
