//! Who is in a conversation, in which way, and who is being asked.

use super::Board;
use crate::call::event::{Entry, Event, Seat, Who, Whom};
use crate::id::{AgentId, CallId, WorkId};
use crate::live::row::{CallRow, ConsultRow, ConversationRow, Key, Millis, PartyRow, Row, Stage};
use sip::time::Instant;
use std::time::Duration;

impl Board {
    /// What the line says of its caller; parties who come, go, and take part in another way.
    pub(super) fn fold_parties(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Signed { call, signed } => {
                self.call(*call, |row| row.signed = Some(Box::new(signed.clone())));
            }
            Event::Joined { call, who, seat, .. } => {
                self.consulted(*call, |consult| consult.answered = true);
                let known = |row: &PartyRow| row.who == self.name_of(who);
                let leads =
                    self.of_call(*call).is_some_and(|it| it.parties.iter().any(|p| known(p) && p.leads));
                self.attend(*call, who, *seat, leads, Duration::ZERO, entry.at);
            }
            Event::Wanted { call, work, .. } => {
                self.wanted.insert(*work, *call);
                self.call(*call, |row| row.calling = true);
                self.tell_ears(*call);
            }
            Event::Left { call, who: Who::Agent(agent), .. } => self.hang_up(*call, Some(*agent)),
            Event::Left { call, who, .. } => self.forget_party(*call, who),
            Event::Led { call, agent } => {
                let name = self.cast.agent_name(*agent);
                self.parties(*call, |parties| {
                    for party in parties {
                        party.leads = party.role.is_some() && party.who == name;
                    }
                });
            }
            Event::Consulting { call, agent, whom, deadline } => {
                let whom = match whom {
                    Whom::Agent(agent) => self.cast.agent_name(*agent),
                    Whom::Queue(queue) => self.cast.queue_name(*queue),
                    Whom::Outside(name) => name.clone(),
                };
                let row = ConsultRow {
                    by: self.cast.agent_name(*agent),
                    whom,
                    since: entry.at.into(),
                    deadline: (*deadline).into(),
                    answered: false,
                };
                self.call(*call, |of| of.consult = Some(row));
                self.tell_ears(*call);
            }
            Event::ConsultEnded { call, .. } => {
                self.call(*call, |of| of.consult = None);
                self.tell_ears(*call);
            }
            Event::HandedOut { call, .. } => {
                self.hang_up(*call, None);
                self.call(*call, |of| of.stage = Stage::Outside);
                // Its agent may have hung up before somebody there answered.
                self.rows.set(Key::Held(*call), None);
            }
            _ => {} // the other folds'
        }
    }

    /// Somebody takes part from here on, or in another way.
    pub(super) fn attend(
        &mut self,
        call: CallId,
        who: &Who,
        seat: Seat,
        leads: bool,
        waited: Duration,
        at: Instant,
    ) {
        let role = match who {
            Who::Agent(agent) => self.cast.site(*agent).map(|site| site.role),
            Who::Caller | Who::Outside(_) => None,
        };
        let row = PartyRow { who: self.name_of(who), role, seat, leads, since: at.into(), lost: None };
        self.parties(call, |parties| {
            match parties.iter_mut().find(|party| party.who == row.who && party.role == row.role) {
                Some(party) => party.seat = seat,
                None => parties.push(row),
            }
        });
        let Who::Agent(agent) = who else { return };
        self.ears_of.entry(call).or_default().insert(*agent);
        self.name_ears(call);
        let Some(of) = self.of_call(call) else { return };
        let row = ConversationRow {
            call: of.call.clone(),
            class: of.class.clone(),
            service: of.service.clone(),
            caller: of.caller.clone(),
            caller_name: of.caller_name.clone(),
            withheld: of.withheld,
            signed: of.signed.clone(),
            since: at.into(),
            waited: waited.into(),
            note: of.note.clone(),
            lost: None,
            parties: of.parties.clone(),
            consult: of.consult.clone(),
            calling: of.calling,
        };
        let key = Key::Conversation(*agent, call);
        if self.rows.row(&key).is_none() {
            self.rows.set(key, Some(Row::Conversation(row)));
        }
    }

    /// Somebody has come, or nobody is wanted any more.
    pub(super) fn want_no_more(&mut self, work: WorkId) {
        let Some(call) = self.wanted.remove(&work) else { return };
        let calling = self.wanted.values().any(|other| *other == call);
        self.call(call, |row| row.calling = calling);
        self.tell_ears(call);
    }

    /// Somebody is out of it.
    pub(super) fn forget_party(&mut self, call: CallId, who: &Who) {
        let (name, outside) = (self.name_of(who), matches!(who, Who::Outside(_)));
        self.parties(call, |parties| {
            parties.retain(|party| party.who != name || party.role.is_none() != outside);
        });
    }

    /// Somebody is not heard, or heard again.
    pub(super) fn party_lost(&mut self, call: CallId, agent: AgentId, lost: Option<Millis>) {
        let name = self.cast.agent_name(agent);
        self.parties(call, |parties| {
            if let Some(party) = parties.iter_mut().find(|it| it.role.is_some() && it.who == name) {
                party.lost = lost;
            }
        });
    }

    fn parties(&mut self, call: CallId, change: impl FnOnce(&mut Vec<PartyRow>)) {
        self.call(call, |row| change(&mut row.parties));
        self.tell_ears(call);
    }

    fn consulted(&mut self, call: CallId, change: impl FnOnce(&mut ConsultRow)) {
        self.call(call, |row| {
            if let Some(consult) = &mut row.consult {
                change(consult);
            }
        });
        self.tell_ears(call);
    }

    /// What is known of a call's parties, into the row of each agent who is one.
    fn tell_ears(&mut self, call: CallId) {
        let Some(of) = self.of_call(call) else { return };
        let (parties, consult, calling) = (of.parties.clone(), of.consult.clone(), of.calling);
        for agent in self.ears_of.get(&call).cloned().unwrap_or_default() {
            self.conversation(agent, call, |row| {
                (row.parties, row.consult) = (parties.clone(), consult.clone());
                row.calling = calling;
            });
        }
    }

    fn of_call(&self, call: CallId) -> Option<&CallRow> {
        match self.rows.row(&Key::Call(call)) {
            Some(Row::Call(row)) => Some(row),
            _ => None,
        }
    }

    fn name_of(&self, who: &Who) -> String {
        match who {
            Who::Agent(agent) => self.cast.agent_name(*agent),
            Who::Caller | Who::Outside(_) => who.to_string(),
        }
    }
}
