//! What the room shares: calls set aside, the last hour in minutes, and what a supervisor should
//! look at.

use super::{ALARMS_KEPT, Board, MINUTES_KEPT};
use crate::call::event::{Beside, Cause, Entry, Event, TrunkState};
use crate::id::{AgentId, CallId};
use crate::live::row::{AlarmRow, ConversationRow, HeldRow, Key, Millis, MinuteRow, Row, Stage};
use sip::time::Instant;

/// A minute in nanoseconds.
const MINUTE: u64 = 60_000_000_000;

impl Board {
    /// Calls set aside, taken back, and written about.
    pub(super) fn fold_held(&mut self, entry: &Entry) {
        match &entry.event {
            Event::HeldAside { call, agent, lost, recall, .. } => {
                if !lost {
                    self.hang_up(*call, Some(*agent));
                    self.call(*call, |row| row.stage = Stage::Held);
                }
                self.set_aside(*call, *agent, *lost, *recall, entry.at);
            }
            Event::RecallDue { call, .. } => self.change(Key::Held(*call), |row| {
                if let Row::Held(row) = row {
                    row.alarm = true;
                }
            }),
            Event::Resumed { call, agent, .. } => {
                self.conversation(*agent, *call, |row| row.lost = None);
                self.party_lost(*call, *agent, None);
                self.rows.set(Key::Held(*call), None);
            }
            Event::Noted { call, text, .. } => {
                self.call(*call, |row| row.note = Some(text.clone()));
                for agent in self.ears_of.get(call).cloned().unwrap_or_default() {
                    self.conversation(agent, *call, |row| row.note = Some(text.clone()));
                }
                self.change(Key::Held(*call), |row| {
                    if let Row::Held(row) = row {
                        row.note = Some(text.clone());
                    }
                });
            }
            _ => {} // the other folds'
        }
    }

    fn set_aside(&mut self, call: CallId, agent: AgentId, lost: bool, recall: Instant, at: Instant) {
        let Some(Row::Call(of)) = self.rows.row(&Key::Call(call)) else { return };
        let row = HeldRow {
            call: of.call.clone(),
            class: of.class.clone(),
            service: of.service.clone(),
            caller: of.caller.clone(),
            caller_name: of.caller_name.clone(),
            withheld: of.withheld,
            note: of.note.clone(),
            by: self.cast.agent_name(agent),
            lost,
            since: at.into(),
            recall: recall.into(),
            alarm: false,
        };
        self.rows.set(Key::Held(call), Some(Row::Held(row)));
    }

    /// Counts into the minute an entry belongs to. A minute in which nothing happened has no row.
    pub(super) fn fold_minute(&mut self, entry: &Entry, first_answer: bool) {
        let counts = matches!(
            entry.event,
            Event::Arrived { .. }
                | Event::Connected { .. }
                | Event::Ended { .. }
                | Event::Queued { .. }
                | Event::Withdrawn { .. }
        );
        if !counts {
            return;
        }
        let minute = entry.at.as_nanos() / MINUTE;
        let waiting = u64::try_from(self.queue_of.len()).unwrap_or(u64::MAX);
        let answered =
            matches!(&entry.event, Event::Ended { call, .. } if self.indicators.is_answered(*call));
        let slot = match self.minute {
            Some((current, slot)) if current == minute => slot,
            last => {
                let slot = last.map_or(0, |(_, slot)| (slot + 1) % MINUTES_KEPT);
                let from = Millis(minute.saturating_mul(MINUTE / 1_000_000));
                let row = MinuteRow { from, waiting, ..MinuteRow::default() };
                self.rows.set(Key::Minute(slot), Some(Row::Minute(row)));
                self.minute = Some((minute, slot));
                slot
            }
        };
        self.change(Key::Minute(slot), |row| {
            let Row::Minute(row) = row else { return };
            match &entry.event {
                Event::Arrived { .. } => row.arrived += 1,
                Event::Connected { .. } => row.answered += u64::from(first_answer),
                Event::Ended { cause: Cause::Abandon | Cause::ShortAbandon, .. } if !answered => {
                    row.abandoned += 1;
                }
                _ => {}
            }
            row.waiting = row.waiting.max(waiting);
        });
    }

    /// Keeps what a supervisor should look at.
    pub(super) fn fold_alarm(&mut self, entry: &Entry) {
        if let Event::Ended { call, cause: Cause::Refused, .. } = &entry.event {
            self.alarm("refused", call.to_string(), None, entry);
        }
        match &entry.event {
            Event::Alarm { queue, on } => {
                self.alarm("longest-wait", self.cast.queue_name(*queue), Some(*on), entry);
            }
            Event::TrunkChanged { trunk, state } => {
                self.alarm("trunk-down", trunk.clone(), Some(*state == TrunkState::Down), entry);
            }
            Event::Rona { agent, on } => {
                self.alarm("rona", self.cast.agent_name(*agent), Some(*on), entry);
            }
            Event::AgentLost { agent, .. } => {
                self.alarm("agent-lost", self.cast.agent_name(*agent), None, entry);
            }
            Event::NoMedia { call, seconds: 1, .. } => self.alarm("no-media", call.to_string(), None, entry),
            Event::Unenciphered { call, .. } => self.alarm("unenciphered", call.to_string(), None, entry),
            Event::OtherFamily { call, .. } => self.alarm("other-family", call.to_string(), None, entry),
            Event::RecallDue { call, .. } => self.alarm("recall", call.to_string(), Some(true), entry),
            Event::Queued { work, .. } if self.wanted.contains_key(work) => {}
            Event::Queued { call, .. }
            | Event::Ended { call, .. }
            | Event::Resumed { call, .. }
            | Event::ConsultEnded { call, .. } => {
                self.alarm("recall", call.to_string(), Some(false), entry);
                self.alarm("recontact", call.to_string(), Some(false), entry);
            }
            Event::Connected { call, .. } => {
                self.alarm("recontact", call.to_string(), Some(false), entry);
            }
            Event::Beside(Beside::RecontactDue { call, .. }) => {
                self.alarm("recontact", call.to_string(), Some(true), entry);
            }
            _ => {}
        }
    }

    /// An alarm begins, ends, or (`None`) has merely happened.
    fn alarm(&mut self, code: &str, of: String, on: Option<bool>, entry: &Entry) {
        let name = (code.to_owned(), of);
        if on == Some(false) {
            let Some(slot) = self.alarms.remove(&name) else { return };
            return self.change(Key::Alarm(slot), |row| {
                if let Row::Alarm(row) = row {
                    row.on = false;
                }
            });
        }
        let slot = self.next_alarm;
        self.next_alarm = (slot + 1) % ALARMS_KEPT;
        self.alarms.retain(|_, taken| *taken != slot);
        let row = AlarmRow {
            seq: entry.seq,
            at: entry.at.into(),
            code: name.0.clone(),
            of: name.1.clone(),
            on: on == Some(true),
        };
        if row.on {
            self.alarms.insert(name, slot);
        }
        self.rows.set(Key::Alarm(slot), Some(Row::Alarm(row)));
    }

    pub(super) fn conversation(
        &mut self,
        agent: AgentId,
        call: CallId,
        change: impl FnOnce(&mut ConversationRow),
    ) {
        self.change(Key::Conversation(agent, call), |row| {
            if let Row::Conversation(row) = row {
                change(row);
            }
        });
    }
}
