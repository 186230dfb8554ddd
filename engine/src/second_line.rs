//! A desk phone has two lines: its agent puts the caller on hold with one and asks somebody by the
//! other. To us that is one conversation: the second line is its agent's ear while it lasts.
//!
//! A phone without a caller in its agent's ear calls nobody but services: calls among desks are a
//! telephone system's business.

use crate::call::Call;
use crate::call::event::Seat;
use crate::call::leg::{Leg, LegState};
use crate::call::party::{Party, PartyRole};
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId};
use crate::inbound::first_words;
use crate::io::Whom;
use crate::media::MediaCommand;
use crate::negotiate;
use crate::transfer::code;
use sip::endpoint::{DialogId, Invite};

impl Engine {
    /// An agent's phone calls somebody of ours, or of the directory.
    pub(crate) fn ask_by_second_line(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        whom: &Whom,
    ) {
        match self.open_second_line(dialog, invite, agent, whom) {
            Ok(()) => self.endpoint.ring(self.now, dialog, 180, None),
            Err(code) => self.endpoint.refuse(self.now, dialog, code, None),
        }
    }

    fn open_second_line(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        whom: &Whom,
    ) -> Result<(), u16> {
        let ear = self.centre(agent.centre).and_then(|centre| centre.floor.agent(agent)?.call);
        let id = ear.ok_or(403_u16)?;
        let call = self.calls.get(&id).ok_or(403_u16)?;
        let first = call.leg_of_agent(agent).ok_or(403_u16)?;
        let others = call.other_agent(first).is_some() || call.outside().is_some();
        if others || call.second_line(agent).is_some() {
            return Err(486);
        }
        let leg = self.prepare_line(dialog, invite, agent)?;
        if let Err(refusal) = self.consult(agent, id, whom) {
            self.stock.put(leg.port);
            return Err(code(refusal));
        }
        self.open_line(dialog, id, PartyRole::SecondLine { agent }, leg);
        Ok(())
    }

    /// What a phone that calls us is to be answered with; nothing is open yet.
    pub(crate) fn prepare_line(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
    ) -> Result<Leg, u16> {
        let offer = negotiate::read_offer(invite.sdp.as_deref());
        let id = self.centre_mut(agent.centre).map(|centre| centre.leg_id()).ok_or(404_u16)?;
        let port = self.stock.take(None).ok_or(480_u16)?;
        let Some((local, stream)) =
            first_words(id, port, (invite, &offer), (self.site.phones_srtp, self.keys.draw()))
        else {
            self.stock.put([port]);
            return Err(488);
        };
        Ok(Leg::ringing(id, vec![dialog], port, stream, local))
    }

    /// The line of a phone that calls us becomes a party of a call.
    pub(crate) fn open_line(&mut self, dialog: DialogId, id: CallId, role: PartyRole, leg: Leg) {
        self.lines.insert(dialog, Line::Party(id, leg.id));
        self.legs.insert(leg.id, id);
        if let Some(port) = leg.port {
            self.media(MediaCommand::Open { leg: leg.id, port, stream: leg.stream });
        }
        let line = leg.id;
        if let Some(call) = self.calls.get_mut(&id) {
            call.add(Party::new(role, leg));
        }
        self.mark(id);
        self.tell_amiss(id, line);
    }

    /// Whoever is asked has answered: the second line hears them, the first rests.
    pub(crate) fn second_line_answers(&mut self, id: CallId) {
        let bridge = self.bridge_of(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(agent) = call.consult.map(|consult| consult.by) else { return };
        let Some(second) = call.second_line(agent).map(|party| party.leg.id) else { return };
        let first = call.leg_of_agent(agent);
        let Some(party) = call.party_mut(second) else { return };
        (party.seat, party.leg.state) = (Seat::Speaks, LegState::Up);
        if let Some(dialog) = party.leg.dialog() {
            self.endpoint.answer(self.now, dialog, &party.leg.local.body);
        }
        self.media(MediaCommand::Join { bridge, leg: second });
        if let Some(first) = first {
            self.media(MediaCommand::Leave { leg: first });
        }
        self.mark(id);
        self.watch(second);
    }

    /// The phone hangs its second line up: its agent asks nobody any more, unless the caller is on the
    /// way to whoever was asked.
    pub(crate) fn second_line_hung_up(&mut self, id: CallId, agent: AgentId) {
        let Some(call) = self.calls.get(&id) else { return };
        let asks = call.consult.is_some_and(|consult| consult.by == agent) && call.passing.is_none();
        if asks {
            // It is their own consultation, so this cannot be refused.
            let _ = self.dismiss(agent, id);
        }
        self.second_line_over(id, agent);
    }

    /// Nobody is asked by the second line any more: the first is its agent's ear again.
    pub(crate) fn second_line_over(&mut self, id: CallId, agent: AgentId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(second) = call.second_line(agent).map(|party| party.leg.id) else { return };
        let Some(party) = call.remove(second) else { return };
        self.drop_leg(&party.leg, None);
        self.mark(id);
        let first = self.calls.get(&id).and_then(|call| call.leg_of_agent(agent));
        if let Some(leg) = first.filter(|_| party.seat == Seat::Speaks) {
            let bridge = self.bridge_of(id);
            self.media(MediaCommand::Join { bridge, leg });
        }
    }

    /// An agent is out of a call, and with them their phone's second line.
    pub(crate) fn second_line_gone_with(&mut self, id: CallId, left: &Party) {
        if let Some(agent) = left.agent() {
            self.second_line_over(id, agent);
        }
    }
}

impl Call {
    /// Whether this agent hears the conversation by the second line of the phone.
    pub(crate) fn asks_by_phone(&self, agent: AgentId) -> bool {
        self.second_line(agent).is_some_and(|party| party.seat == Seat::Speaks)
    }
}
