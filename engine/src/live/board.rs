//! The board: the fold of one centre's log into rows, and nothing else. The same log gives the same
//! board, here, after a restart, and in a report.

use super::cast::Cast;
use super::indicators::Indicators;
use super::row::{CallRow, DecisionRow, Key, OfferRow, Row, Stage, Totals, WaitingRow};
use super::versions::{GRAVES_MAX, Versions};
use crate::call::event::{Cause, Entry, Event, OfferEnd, Seat, Who};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use std::collections::{BTreeMap, BTreeSet};

/// Decisions kept on the board: what a person can read. More makes every snapshot longer.
pub const DECISIONS_KEPT: u16 = 40;

/// Minutes kept: an hour, as far back as a curve on a board is read.
pub const MINUTES_KEPT: u16 = 60;

/// Alarms kept on the board: what a person can read.
pub const ALARMS_KEPT: u16 = 20;

mod beside;
mod change;
mod parties;
mod room;

/// The state of one centre in one epoch, as rows with versions.
#[derive(Clone, Debug)]
pub struct Board {
    cast: Cast,
    epoch: u32,
    seq: Option<u64>,
    gaps: u64,
    rows: Versions,
    // Where the rows of something are, while it lives.
    queue_of: BTreeMap<WorkId, QueueId>,
    offers_of: BTreeMap<WorkId, BTreeSet<(AgentId, OfferId)>>,
    ears_of: BTreeMap<CallId, BTreeSet<AgentId>>,
    slots: BTreeMap<(AgentId, OfferId), u16>,
    next_slot: u16,
    /// The minute being counted, and its slot.
    minute: Option<(u64, u16)>,
    /// Alarms that stand, by what they are of.
    alarms: BTreeMap<(String, String), u16>,
    /// Items that want somebody beside an agent: nobody waits for them.
    wanted: BTreeMap<WorkId, CallId>,
    next_alarm: u16,
    major_of: beside::MajorOf,
    indicators: Indicators,
}

impl Board {
    /// A board on which nothing has happened yet.
    pub fn new(cast: Cast, epoch: u32) -> Board {
        Board::with_graves(cast, epoch, GRAVES_MAX)
    }

    /// The same, with another bound on what is kept about rows that are gone.
    pub fn with_graves(cast: Cast, epoch: u32, graves_max: usize) -> Board {
        let mut board = Board {
            cast,
            epoch,
            seq: None,
            gaps: 0,
            rows: Versions::new(graves_max),
            queue_of: BTreeMap::new(),
            offers_of: BTreeMap::new(),
            ears_of: BTreeMap::new(),
            slots: BTreeMap::new(),
            next_slot: 0,
            minute: None,
            alarms: BTreeMap::new(),
            wanted: BTreeMap::new(),
            next_alarm: 0,
            major_of: beside::MajorOf::new(),
            indicators: Indicators::default(),
        };
        board.rows.set(Key::Totals, Some(Row::Totals(Totals::default())));
        board.lay_out_queues();
        for index in 0..board.cast.agents.len() {
            let Ok(index) = u32::try_from(index) else { break };
            let agent = AgentId { centre: board.cast.centre, index };
            let row = board.blank_agent(agent);
            board.rows.set(Key::Agent(agent), Some(Row::Agent(row)));
        }
        board
    }

    /// Who and what the centre consists of.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The start the log was written in.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The rows and their versions.
    pub fn rows(&self) -> &Versions {
        &self.rows
    }

    /// Entries that did not follow the one before: a bug of ours, counted.
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Whether no call, item or offer is known beyond the rows of the board itself (I23).
    pub fn is_at_rest(&self) -> bool {
        self.queue_of.is_empty()
            && self.offers_of.is_empty()
            && self.ears_of.is_empty()
            && self.slots.is_empty()
            && self.major_of.is_empty()
            && self.indicators.is_at_rest()
            && self.wanted.is_empty()
    }

    /// Takes one entry of the log. An entry of another epoch starts the board afresh.
    pub fn fold(&mut self, entry: &Entry) {
        if entry.epoch != self.epoch {
            let (cast, gaps, graves_max) = (self.cast.clone(), self.gaps, self.rows.graves_max());
            *self = Board { gaps, ..Board::with_graves(cast, entry.epoch, graves_max) };
        }
        if self.seq.is_some_and(|seq| entry.seq != seq + 1) {
            self.gaps += 1;
        }
        self.seq = Some(entry.seq);
        let first_answer = self.indicators.is_first_answer(entry);
        self.fold_call(entry, first_answer);
        self.fold_work(entry);
        self.fold_offer(entry);
        self.fold_beside(entry);
        self.fold_minute(entry, first_answer);
        self.fold_figures(entry);
        self.fold_agent(entry);
        self.fold_alarm(entry);
    }

    /// The life of a call, and what is counted about it.
    fn fold_call(&mut self, entry: &Entry, first_answer: bool) {
        match &entry.event {
            Event::Arrived { call, .. } => self.arrive(*call, entry),
            Event::Routed { call, route, .. } => self.call(*call, |row| row.route = Some(route.clone())),
            Event::Connected { call, agent, waited, .. } => {
                self.call(*call, |row| row.stage = Stage::Talking);
                self.totals(|totals| totals.answered += u64::from(first_answer));
                self.attend(*call, &Who::Agent(*agent), Seat::Speaks, true, *waited, entry.at);
                self.rows.set(Key::Held(*call), None);
            }
            Event::Signed { .. }
            | Event::Joined { .. }
            | Event::Wanted { .. }
            | Event::Left { .. }
            | Event::Led { .. }
            | Event::Consulting { .. }
            | Event::ConsultEnded { .. }
            | Event::HandedOut { .. } => self.fold_parties(entry),
            Event::AgentLost { call, agent, .. } => {
                // The agent may come back; a caller who waits once more is told by `Queued`.
                self.conversation(*agent, *call, |row| row.lost = Some(entry.at.into()));
                self.party_lost(*call, *agent, Some(entry.at.into()));
                self.totals(|totals| totals.agents_lost += 1);
            }
            Event::NoMedia { .. } => self.totals(|totals| totals.no_media += 1),
            Event::Released { call, .. } => {
                self.hang_up(*call, None);
                self.call(*call, |row| row.stage = Stage::Released);
            }
            Event::Ended { call, cause, .. } => self.end(*call, *cause),
            Event::HeldAside { .. }
            | Event::RecallDue { .. }
            | Event::Resumed { .. }
            | Event::Noted { .. } => self.fold_held(entry),
            Event::TrunkChanged { trunk, state } => self.trunk(trunk, |row| row.state = Some(*state)),
            Event::PlanChanged { version, queues, classes } => {
                self.totals(|totals| totals.plan = Some(version.clone()));
                self.cast.classes.clone_from(classes);
                self.rename_queues(queues);
            }
            _ => {} // the other folds'
        }
    }

    /// Who waits where.
    fn fold_work(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Queued { work, .. } if self.wanted.contains_key(work) => {}
            Event::Queued { work, queue, again, .. } => {
                if let Event::Queued { call, .. } = &entry.event {
                    self.hang_up(*call, None);
                    self.rows.set(Key::Held(*call), None);
                }
                self.enqueue(*work, *queue, entry);
                self.queue(*queue, |row| row.entered += u64::from(!*again));
            }
            Event::Qualified { call, work, class, fenced, due, .. } => {
                self.call(*call, |row| row.class = Some(class.clone()));
                for agent in self.ears_of.get(call).cloned().unwrap_or_default() {
                    self.change(Key::Conversation(agent, *call), |row| {
                        if let Row::Conversation(row) = row {
                            row.class = Some(class.clone());
                        }
                    });
                }
                self.change(Key::Held(*call), |row| {
                    if let Row::Held(row) = row {
                        row.class = Some(class.clone());
                    }
                });
                let Some(work) = work else { return };
                self.waiting(*work, |row| {
                    row.class.clone_from(class);
                    (row.fenced, row.due) = (*fenced, (*due).into());
                });
                for (agent, offer) in self.offers_of.get(work).cloned().unwrap_or_default() {
                    self.offer(agent, offer, |row| row.class.clone_from(class));
                }
            }
            Event::Moved { work, queue, .. } => {
                let Some(Row::Waiting(mut row)) = self.leave(*work) else { return };
                row.queue = self.cast.queue_name(*queue);
                let name = row.queue.clone();
                if let Ok(call) = row.call.parse() {
                    self.call(call, |row| row.queue = Some(name));
                }
                self.queue_of.insert(*work, *queue);
                self.rows.set(Key::Waiting(*queue, *work), Some(Row::Waiting(row)));
            }
            Event::Connected { work, .. } => {
                if let Some(queue) = self.queue_of.get(work).copied() {
                    self.queue(queue, |row| row.answered += 1);
                }
                self.leave(*work);
            }
            Event::Withdrawn { work, .. } => {
                self.want_no_more(*work);
                if let Some(queue) = self.queue_of.get(work).copied() {
                    self.queue(queue, |row| row.withdrawn += 1);
                }
                self.leave(*work);
            }
            Event::Alarm { queue, on } => self.queue(*queue, |row| row.alarm = *on),
            _ => {} // the other folds'
        }
    }

    /// Who is asked to answer whom.
    fn fold_offer(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Offered { offer, work, agent, .. } => {
                self.offers_of.entry(*work).or_default().insert((*agent, *offer));
                self.note_decision(entry);
                self.note_offer(entry);
                self.name_offered(*work);
            }
            Event::Alerting { offer, agent } => self.offer(*agent, *offer, |row| row.alerting = true),
            Event::OfferEnded { offer, agent, work, end } => {
                self.rows.set(Key::Offer(*agent, *offer), None);
                if let Some(offers) = self.offers_of.get_mut(work) {
                    offers.remove(&(*agent, *offer));
                    if offers.is_empty() {
                        self.offers_of.remove(work);
                    }
                }
                self.name_offered(*work);
                self.close_decision(*agent, *offer, end);
            }
            _ => {} // the other folds'
        }
    }

    /// What agents want and do.
    fn fold_agent(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::SignedIn { agent, position } => {
                self.agent(*agent, at, |row| row.position.clone_from(position))
            }
            Event::IntentChanged { agent, intent, .. } => {
                self.agent(*agent, at, |row| row.intent.clone_from(intent))
            }
            Event::ReachabilityChanged { agent, reachable, why } => {
                self.agent(*agent, at, |row| (row.reachable, row.reach) = (*reachable, why.clone()));
            }
            Event::OccupationChanged { agent, occupation, call, until } => self.agent(*agent, at, |row| {
                row.occupation = *occupation;
                row.call = call.map(|call| call.to_string());
                row.until = until.map(Into::into);
            }),
            Event::Rona { agent, on } => self.agent(*agent, at, |row| row.rona = *on),
            Event::SkillsChanged { agent, skills, .. } => {
                self.agent(*agent, at, |row| row.skills.clone_from(skills));
            }
            Event::PageChanged { agent, open, up, fit } => {
                self.agent(*agent, at, |row| (row.page, row.audio, row.fit) = (*open, *up, *fit));
            }
            _ => {} // the other folds'
        }
    }

    fn arrive(&mut self, id: CallId, entry: &Entry) {
        let Event::Arrived { trunk, called, service, caller, caller_name, withheld, .. } = &entry.event
        else {
            return;
        };
        let row = CallRow {
            trunk: trunk.clone(),
            called: called.clone(),
            service: service.clone(),
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            withheld: *withheld,
            arrived: entry.at.into(),
            ..CallRow::blank(id)
        };
        self.rows.set(Key::Call(id), Some(Row::Call(row)));
        self.trunk(trunk, |row| (row.arrived, row.live) = (row.arrived + 1, row.live + 1));
        self.totals(|totals| (totals.arrived, totals.live) = (totals.arrived + 1, totals.live + 1));
    }

    fn end(&mut self, id: CallId, cause: Cause) {
        self.hang_up(id, None);
        self.rows.set(Key::Held(id), None);
        let Some(Row::Call(row)) = self.rows.row(&Key::Call(id)) else { return };
        let (trunk, counts) = (row.trunk.clone(), row.callback.is_none());
        let answered = self.indicators.is_answered(id);
        self.rows.set(Key::Call(id), None);
        if !counts {
            return;
        }
        self.trunk(&trunk, |row| row.live = row.live.saturating_sub(1));
        self.totals(|totals| {
            totals.live = totals.live.saturating_sub(1);
            *match cause {
                Cause::Released => &mut totals.released,
                // Given up after a talk that was lost: answered, and over.
                Cause::ShortAbandon | Cause::Abandon if answered => &mut totals.released,
                Cause::ShortAbandon => &mut totals.short_abandons,
                Cause::Abandon => &mut totals.abandons,
                Cause::Network => &mut totals.network,
                Cause::Refused => &mut totals.refused,
                Cause::Test => &mut totals.tests,
                // A callback, which was never counted as a call.
                Cause::Unreached => return,
            } += 1;
        });
    }

    /// One agent, or every agent, no longer has the call in the ear.
    fn hang_up(&mut self, call: CallId, only: Option<AgentId>) {
        let Some(ears) = self.ears_of.get(&call).cloned() else { return };
        for agent in ears.into_iter().filter(|agent| only.is_none_or(|only| only == *agent)) {
            self.rows.set(Key::Conversation(agent, call), None);
            if let Some(ears) = self.ears_of.get_mut(&call) {
                ears.remove(&agent);
            }
            self.forget_party(call, &Who::Agent(agent));
        }
        self.ears_of.retain(|id, ears| *id != call || !ears.is_empty());
        self.name_ears(call);
    }

    fn enqueue(&mut self, id: WorkId, queue: QueueId, entry: &Entry) {
        let Event::Queued { call, class, fenced, arrived, due, again, .. } = &entry.event else { return };
        self.leave(id); // an item has one place, whatever the log says
        let name = self.cast.queue_name(queue);
        self.call(*call, |row| {
            (row.stage, row.queue, row.class) = (Stage::Waiting, Some(name.clone()), Some(class.clone()));
        });
        let of = match self.rows.row(&Key::Call(*call)) {
            Some(Row::Call(row)) => Some(row.clone()),
            _ => None, // work without a live call
        };
        let row = WaitingRow {
            work: id.to_string(),
            call: call.to_string(),
            queue: name,
            class: class.clone(),
            fenced: *fenced,
            arrived: (*arrived).into(),
            due: (*due).into(),
            again: *again,
            service: of.as_ref().map(|row| row.service.clone()).unwrap_or_default(),
            trunk: of.as_ref().map(|row| row.trunk.clone()).unwrap_or_default(),
            caller: of.as_ref().map(|row| row.caller.clone()).unwrap_or_default(),
            caller_name: of.as_ref().and_then(|row| row.caller_name.clone()),
            withheld: of.as_ref().is_some_and(|row| row.withheld),
            offered: Vec::new(),
        };
        self.queue_of.insert(id, queue);
        self.rows.set(Key::Waiting(queue, id), Some(Row::Waiting(row)));
    }

    /// The item leaves its queue; its row as it was.
    fn leave(&mut self, work: WorkId) -> Option<Row> {
        let key = Key::Waiting(self.queue_of.remove(&work)?, work);
        let row = self.rows.row(&key).cloned();
        self.rows.set(key, None);
        row
    }

    fn note_offer(&mut self, entry: &Entry) {
        let Event::Offered { offer, work, call, agent, kind, deadline, waited, because, auto_answer, .. } =
            &entry.event
        else {
            return;
        };
        let Some(Row::Call(of)) = self.rows.row(&Key::Call(*call)) else { return };
        let row = OfferRow {
            offer: offer.to_string(),
            kind: *kind,
            work: work.to_string(),
            call: call.to_string(),
            class: of.class.clone().unwrap_or_default(),
            service: of.service.clone(),
            caller: of.caller.clone(),
            caller_name: of.caller_name.clone(),
            withheld: of.withheld,
            signed: of.signed.clone(),
            deadline: (*deadline).into(),
            waited: (*waited).into(),
            because: because.clone(),
            alerting: false,
            auto_answer: *auto_answer,
        };
        self.rows.set(Key::Offer(*agent, *offer), Some(Row::Offer(row)));
    }

    fn note_decision(&mut self, entry: &Entry) {
        let Event::Offered { offer, work, call, agent, kind, waited, because, .. } = &entry.event else {
            return;
        };
        let (queue, class) = match self.rows.row(&Key::Call(*call)) {
            Some(Row::Call(row)) => (row.queue.clone(), row.class.clone()),
            _ => (None, None),
        };
        let row = DecisionRow {
            seq: entry.seq,
            at: entry.at.into(),
            offer: offer.to_string(),
            work: work.to_string(),
            call: call.to_string(),
            agent: self.cast.agent_name(*agent),
            queue: queue.unwrap_or_default(),
            class: class.unwrap_or_default(),
            kind: *kind,
            waited: (*waited).into(),
            because: because.clone(),
            end: None,
        };
        let slot = self.next_slot;
        self.next_slot = (slot + 1) % DECISIONS_KEPT;
        self.slots.retain(|_, taken| *taken != slot);
        self.slots.insert((*agent, *offer), slot);
        self.rows.set(Key::Decision(slot), Some(Row::Decision(row)));
    }

    fn close_decision(&mut self, agent: AgentId, offer: OfferId, end: &OfferEnd) {
        let Some(slot) = self.slots.remove(&(agent, offer)) else { return };
        self.change(Key::Decision(slot), |row| {
            if let Row::Decision(row) = row {
                row.end = Some(end.clone());
            }
        });
    }

    /// Writes to whom an item is being offered into its row.
    fn name_offered(&mut self, work: WorkId) {
        let offers = self.offers_of.get(&work).into_iter().flatten();
        let names = offers.map(|(agent, _)| self.cast.agent_name(*agent)).collect::<Vec<_>>();
        self.waiting(work, |row| row.offered = names);
    }

    /// Writes who talks into the call's row.
    fn name_ears(&mut self, call: CallId) {
        let ears = self.ears_of.get(&call).into_iter().flatten();
        let names = ears.map(|agent| self.cast.agent_name(*agent)).collect::<Vec<_>>();
        self.call(call, |row| row.with = names);
    }
}
