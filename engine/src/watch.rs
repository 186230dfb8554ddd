//! A supervisor in somebody's conversation: listens, whispers to the agent, speaks with everyone,
//! or takes the call over. The agent is shown it, and the log holds it.

use crate::alarm::Alarm;
use crate::call::event::{Actor, Seat};
use crate::call::party::{Party, PartyRole};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId};
use crate::io::Refusal;
use crate::negotiate;
use crate::queue::Fact;
use crate::site::{Phone, Role};
use std::time::Duration;

/// For so long a supervisor's phone rings after the wish.
const RINGS: Duration = Duration::from_secs(20);

/// Why a supervisor's phone is hung up on that answers plainly where keys are required.
const IN_CLEAR: &str = "SIP;cause=488;text=\"audio must be enciphered\"";

impl Engine {
    /// A supervisor comes into a conversation, or takes part in it in another way.
    pub(crate) fn watch_call(
        &mut self,
        agent: AgentId,
        id: CallId,
        seat: Seat,
        by: Actor,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        call.connected().filter(|_| !call.lost).ok_or(Refusal::Gone)?;
        let mine = call.parties().iter().find(|party| party.agent() == Some(agent));
        if let Some(party) = mine {
            let supervises = matches!(party.role, PartyRole::Supervisor { .. });
            let (leg, there) = (party.leg.id, party.seat != Seat::Out);
            if !supervises || seat == Seat::Out {
                return Err(Refusal::Invalid);
            }
            if !there {
                return Err(Refusal::Busy); // it rings
            }
            if seat != Seat::Speaks && party.seat == Seat::Speaks && call.other_agent(leg).is_none() {
                return Err(Refusal::Alone); // the caller would hear nobody
            }
            self.seat(id, leg, seat, by);
            return Ok(());
        }
        if call.is_full() {
            return Err(Refusal::Busy);
        }
        let site =
            self.centre(agent.centre).and_then(|centre| centre.agent(agent)).ok_or(Refusal::Unknown)?;
        if !matches!(site.role, Role::Supervisor | Role::Administrator) || seat == Seat::Out {
            return Err(Refusal::Forbidden);
        }
        let (phone, fact) = (site.phone.clone(), Fact::Beside { agent, call: id });
        if call.served_at() != agent.centre {
            return Err(Refusal::Unknown); // those who serve it have a supervisor of their own
        }
        self.centre(agent.centre).ok_or(Refusal::Unknown)?.floor.allows(&fact)?;
        let role = PartyRole::Supervisor { agent, wish: seat };
        if phone == Phone::Page {
            let leg = self.leg_on_page(id, agent, role).ok_or(Refusal::NoAudio)?;
            self.tell_floor(agent.centre, fact);
            self.seat(id, leg, seat, by);
            return Ok(());
        }
        let places = self.places_of(Some(&phone));
        if !self.invite_phone(id, places, role, false) {
            return Err(Refusal::NoAudio);
        }
        self.tell_floor(agent.centre, fact);
        if let Some(leg) = self.supervisors_leg(id, agent) {
            self.alarms.set(Alarm::RingsUntil(leg), self.now.at + RINGS);
        }
        Ok(())
    }

    fn supervisors_leg(&self, id: CallId, agent: AgentId) -> Option<LegId> {
        let call = self.calls.get(&id)?;
        let mine = |party: &&Party| match party.role {
            PartyRole::Supervisor { agent: whose, .. } => whose == agent,
            _ => false,
        };
        call.parties().iter().find(mine).map(|party| party.leg.id)
    }

    /// A supervisor's phone is lifted.
    pub(crate) fn supervisor_answered(&mut self, id: CallId, leg: LegId, agent: AgentId, sdp: Option<&[u8]>) {
        let Some(call) = self.calls.get(&id) else { return };
        let wish = match call.party(leg).map(|party| &party.role) {
            Some(PartyRole::Supervisor { wish, .. }) => *wish,
            _ => return,
        };
        let agreed = sdp.and_then(negotiate::read_answer).filter(|_| call.connected().is_some());
        let Some(agreed) = agreed else { return self.part(id, leg, Actor::System, None) };
        self.agree(id, leg, agreed);
        if self.misses_keys(id, leg) {
            return self.end_in_clear(id, leg);
        }
        self.seat(id, leg, wish, Actor::Agent(agent));
    }

    /// Nobody's help hangs on who listens: what is to be enciphered is not told to a plain phone.
    fn end_in_clear(&mut self, id: CallId, leg: LegId) {
        let dialog =
            self.calls.get(&id).and_then(|call| call.party(leg)).and_then(|party| party.leg.dialog());
        if let Some(dialog) = dialog.filter(|dialog| self.lines.remove(dialog).is_some()) {
            self.endpoint.end(self.now, dialog, Some(IN_CLEAR));
        }
        self.part(id, leg, Actor::System, None);
    }

    fn misses_keys(&self, id: CallId, leg: LegId) -> bool {
        let party = self.calls.get(&id).and_then(|call| call.party(leg));
        party.is_some_and(|party| party.leg.local.wants_keys() && !party.leg.stream.is_enciphered())
    }

    /// A supervisor answers for the call from here on, and its agents are out of it.
    pub(crate) fn take_over(&mut self, agent: AgentId, id: CallId, by: Actor) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        call.connected().filter(|_| !call.lost).ok_or(Refusal::Gone)?;
        let leg = self.supervisors_leg(id, agent).ok_or(Refusal::Unknown)?;
        let party = call.party(leg).filter(|party| party.seat != Seat::Out).ok_or(Refusal::Busy)?;
        let speaks = party.seat == Seat::Speaks;
        let others: Vec<LegId> = call
            .seated()
            .filter(|party| party.agent().is_some_and(|it| it != agent))
            .map(|party| party.leg.id)
            .collect();
        if !speaks {
            self.seat(id, leg, Seat::Speaks, by.clone());
        }
        for other in others {
            self.part(id, other, by.clone(), None);
        }
        Ok(())
    }
}
