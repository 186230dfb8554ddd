//! What happens to calls beside talking, as rows.

use super::Board;
use crate::call::event::{Beside, Cause, Entry, Event};
use crate::id::{CallId, MajorId};
use crate::live::row::{
    CallRow, CallbackRow, EarlierRow, FiguresRow, HandOverRow, Key, MajorRow, Row, Stage,
};

/// Major events kept on the board after their end: a night has one, a bad year a handful.
const MAJORS_KEPT: usize = 8;

impl Board {
    /// Keys, tags, stages, hand-overs, callbacks, overflow and major events.
    pub(super) fn fold_beside(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Beside(beside) => {
                self.fold_course(beside, entry);
                self.fold_callback(beside, entry);
                self.fold_major(beside, entry);
            }
            Event::Queued { call, class, .. } => {
                let (queue, class) = (self.queue_of_call(*call), class.clone());
                let priority = self.priority(&class);
                self.callback(*call, |row| {
                    (row.queue, row.class, row.priority) = (queue, Some(class), priority);
                });
            }
            Event::Qualified { call, class, .. } => {
                let priority = self.priority(class);
                self.callback(*call, |row| {
                    (row.class, row.priority) = (Some(class.clone()), priority);
                });
                self.handover(*call, |row| {
                    (row.class, row.priority) = (class.clone(), priority);
                });
            }
            Event::Noted { call, text, .. } => {
                self.callback(*call, |row| row.note = Some(text.clone()));
                self.handover(*call, |row| row.note = Some(text.clone()));
            }
            Event::Connected { call, .. } => {
                self.rows.set(Key::HandOver(*call), None);
                self.count_major(*call, |row| row.answered += 1);
            }
            Event::Ended { call, cause, .. } => {
                self.rows.set(Key::HandOver(*call), None);
                self.rows.set(Key::Callback(*call), None);
                let abandoned = matches!(cause, Cause::Abandon | Cause::ShortAbandon);
                self.count_major(*call, |row| {
                    row.live = row.live.saturating_sub(1);
                    row.abandoned += u64::from(abandoned);
                });
                self.major_of.remove(call);
            }
            _ => {} // the other folds'
        }
    }

    /// What the trade publishes: a row of all calls, and one of each service.
    pub(super) fn fold_figures(&mut self, entry: &Entry) {
        let Some(service) = self.indicators.fold(entry) else { return };
        let all = FiguresRow::of(None, self.indicators.all());
        self.rows.set(Key::Figures(None), Some(Row::Figures(all)));
        let found = self.indicators.services().find(|(name, _)| *name == service);
        if let Some((_, figures)) = found {
            let row = FiguresRow::of(Some(service.clone()), figures);
            self.rows.set(Key::Figures(Some(service)), Some(Row::Figures(row)));
        }
    }

    fn fold_course(&mut self, beside: &Beside, entry: &Entry) {
        match beside {
            Beside::Tagged { call, tag, .. } => self.call(*call, |row| row.tags.push(tag.clone())),
            Beside::Repeated { call, earlier, past, ago, class, agent } => {
                let row = EarlierRow {
                    call: earlier.to_string(),
                    past: *past,
                    ago: (*ago).into(),
                    class: class.clone(),
                    agent: agent.map(|agent| self.cast.agent_name(agent)),
                };
                self.call(*call, |it| it.earlier = Some(Box::new(row)));
            }
            Beside::HandedOver { call, by, queue, class, back, recontact } => {
                self.hang_up(*call, None);
                let Some(Row::Call(of)) = self.rows.row(&Key::Call(*call)) else { return };
                let row = HandOverRow {
                    call: of.call.clone(),
                    class: class.clone(),
                    priority: self.priority(class),
                    queue: self.cast.queue_name(*queue),
                    service: of.service.clone(),
                    caller: of.caller.clone(),
                    caller_name: of.caller_name.clone(),
                    withheld: of.withheld,
                    note: of.note.clone(),
                    by: self.cast.agent_name(*by),
                    back: *back,
                    since: entry.at.into(),
                    recontact: (*recontact).into(),
                    alarm: false,
                };
                self.rows.set(Key::HandOver(*call), Some(Row::HandOver(row)));
            }
            Beside::RecontactDue { call, .. } => self.handover(*call, |row| row.alarm = true),
            Beside::TakenBack { call, .. } => {
                self.rows.set(Key::HandOver(*call), None);
            }
            Beside::Overflowing { call, to, .. } => self.call(*call, |row| row.away.push(to.clone())),
            Beside::OverflowFailed { call, to, .. } => {
                self.call(*call, |row| row.away.retain(|it| it != to));
            }
            Beside::Overflowed { call, to, .. } => self.call(*call, |row| row.away = vec![to.clone()]),
            Beside::OverflowSet { queue, open, .. } => self.queue(*queue, |row| row.overflow = *open),
            Beside::Guest { call, service, caller, caller_name, withheld } => {
                let row = CallRow {
                    service: service.clone(),
                    caller: caller.clone(),
                    caller_name: caller_name.clone(),
                    withheld: *withheld,
                    arrived: entry.at.into(),
                    ..CallRow::blank(*call)
                };
                self.rows.set(Key::Call(*call), Some(Row::Call(row)));
            }
            Beside::GuestGone { call } => {
                self.hang_up(*call, None);
                for key in [Key::Held(*call), Key::HandOver(*call), Key::Call(*call)] {
                    self.rows.set(key, None);
                }
            }
            _ => {} // the other folds'
        }
    }

    fn fold_callback(&mut self, beside: &Beside, entry: &Entry) {
        match beside {
            Beside::CallbackOpened { .. } => self.open_callback(beside, entry),
            Beside::CallbackKept { call, tried } => self.callback(*call, |row| row.tried = *tried),
            Beside::CallbackRests { call, until } => {
                self.callback(*call, |row| row.until = Some((*until).into()));
            }
            Beside::Dialled { call, agent, .. } => {
                let name = self.cast.agent_name(*agent);
                self.callback(*call, |row| (row.dialling, row.until) = (Some(name), None));
            }
            Beside::NotReached { call, how, .. } => self.callback(*call, |row| {
                (row.dialling, row.last) = (None, Some(*how));
                row.tried += 1;
            }),
            Beside::Reached { call, .. } | Beside::CallbackClosed { call, .. } => {
                self.rows.set(Key::Callback(*call), None);
            }
            _ => {} // the other folds'
        }
    }

    fn open_callback(&mut self, beside: &Beside, entry: &Entry) {
        let Beside::CallbackOpened {
            call,
            of,
            why,
            trunk,
            called,
            service,
            caller,
            caller_name,
            since,
            owner,
            ..
        } = beside
        else {
            return;
        };
        let row = CallRow {
            trunk: trunk.clone(),
            called: called.clone(),
            service: service.clone(),
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            arrived: entry.at.into(),
            callback: Some(*why),
            ..CallRow::blank(*call)
        };
        self.rows.set(Key::Call(*call), Some(Row::Call(row)));
        let row = CallbackRow {
            call: call.to_string(),
            of: of.map(|of| of.to_string()),
            why: *why,
            class: None,
            priority: u16::MAX,
            queue: None,
            service: service.clone(),
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            note: None,
            since: (*since).into(),
            until: None,
            owner: owner.map(|owner| self.cast.agent_name(owner)),
            tried: 0,
            last: None,
            dialling: None,
        };
        self.rows.set(Key::Callback(*call), Some(Row::Callback(row)));
    }

    fn fold_major(&mut self, beside: &Beside, entry: &Entry) {
        match beside {
            Beside::MajorOpened { event, name, tags, numbers, queue, team, rest, .. } => {
                let names = |agents: &[crate::id::AgentId]| {
                    agents.iter().map(|agent| self.cast.agent_name(*agent)).collect::<Vec<_>>()
                };
                let row = MajorRow {
                    event: event.to_string(),
                    name: name.clone(),
                    tags: tags.clone(),
                    numbers: numbers.clone(),
                    queue: queue.map(|queue| self.cast.queue_name(queue)),
                    team: names(team),
                    rest: names(rest),
                    since: entry.at.into(),
                    until: None,
                    calls: 0,
                    live: 0,
                    answered: 0,
                    abandoned: 0,
                };
                self.rows.set(Key::Major(*event), Some(Row::Major(row)));
            }
            Beside::MajorKept { event, counts } => self.change(Key::Major(*event), |row| {
                if let Row::Major(row) = row {
                    row.since = counts.since.into();
                    (row.calls, row.answered) = (counts.calls, counts.answered);
                    row.abandoned = counts.abandoned;
                }
            }),
            Beside::MajorCall { event, call, .. } => {
                let talks = self.ears_of.contains_key(call);
                self.major_of.insert(*call, *event);
                let name = match self.rows.row(&Key::Major(*event)) {
                    Some(Row::Major(row)) => Some(row.name.clone()),
                    _ => None,
                };
                self.call(*call, |row| row.major = name);
                self.count_major(*call, |row| {
                    (row.calls, row.live) = (row.calls + 1, row.live + 1);
                    row.answered += u64::from(talks);
                });
            }
            Beside::MajorClosed { event, .. } => {
                self.change(Key::Major(*event), |row| {
                    if let Row::Major(row) = row {
                        row.until = Some(entry.at.into());
                    }
                });
                self.forget_majors();
            }
            _ => {} // the other folds'
        }
    }

    fn forget_majors(&mut self) {
        let over = self.rows.all().filter_map(|(key, row)| match (key, row) {
            (Key::Major(event), Row::Major(row)) => Some((row.until?, *event)),
            _ => None,
        });
        let mut over = over.collect::<Vec<_>>();
        over.sort();
        let extra = over.len().saturating_sub(MAJORS_KEPT);
        for (_, event) in over.into_iter().take(extra) {
            self.rows.set(Key::Major(event), None);
        }
    }

    fn count_major(&mut self, call: CallId, change: impl FnOnce(&mut MajorRow)) {
        let Some(event) = self.major_of.get(&call).copied() else { return };
        self.change(Key::Major(event), |row| {
            if let Row::Major(row) = row {
                change(row);
            }
        });
    }

    /// Where a class stands in the plan's list.
    fn priority(&self, class: &str) -> u16 {
        let place = self.cast.classes.iter().position(|name| name == class);
        place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX)
    }

    fn queue_of_call(&self, call: CallId) -> Option<String> {
        match self.rows.row(&Key::Call(call)) {
            Some(Row::Call(row)) => row.queue.clone(),
            _ => None,
        }
    }

    fn callback(&mut self, call: CallId, change: impl FnOnce(&mut CallbackRow)) {
        self.change(Key::Callback(call), |row| {
            if let Row::Callback(row) = row {
                change(row);
            }
        });
    }

    fn handover(&mut self, call: CallId, change: impl FnOnce(&mut HandOverRow)) {
        self.change(Key::HandOver(call), |row| {
            if let Row::HandOver(row) = row {
                change(row);
            }
        });
    }
}

impl CallRow {
    /// A call of which nothing is known yet but its id.
    pub(super) fn blank(call: CallId) -> CallRow {
        CallRow {
            call: call.to_string(),
            trunk: String::new(),
            called: String::new(),
            service: String::new(),
            caller: Default::default(),
            caller_name: None,
            withheld: false,
            signed: None,
            arrived: Default::default(),
            route: None,
            stage: Stage::Arriving,
            queue: None,
            class: None,
            with: Vec::new(),
            note: None,
            parties: Vec::new(),
            consult: None,
            calling: false,
            tags: Vec::new(),
            earlier: None,
            away: Vec::new(),
            callback: None,
            major: None,
        }
    }
}

/// Which major event each live call belongs to.
pub(super) type MajorOf = std::collections::BTreeMap<CallId, MajorId>;
