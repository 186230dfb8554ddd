//! A desk phone takes the place of another one in a call (INVITE with Replaces, RFC 3891): how phones
//! pick up what rings at a colleague. One that knows no call by name dials `*8` for the most urgent of
//! those that ring at colleagues of its agent's queues.
//!
//! | the call it names | by | is |
//! |---|---|---|
//! | rings at somebody's phone for a waiting caller | whoever may pick that caller | a pick |
//! | its own conversation | its agent | the same conversation at another phone |
//! | somebody else's conversation | a supervisor | taking it over |
//! | anything else | anybody | 403 |
//!
//! Who may, and in which order, is the same as at a page. A phone cannot be asked whether it means
//! it: while a confirmed vital call rings at nobody and its agent could take it, another is not picked.

use crate::assign::ELSEWHERE;
use crate::call::Talk;
use crate::call::event::{Actor, Event, OfferKind, Seat};
use crate::call::leg::{Leg, LegState};
use crate::call::party::PartyRole;
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, LegId, OfferId, WorkId};
use crate::io::Refusal;
use crate::media::MediaCommand;
use crate::queue::Fact;
use crate::site::Role;
use crate::transfer::code;
use sip::endpoint::{DialogId, Invite};

impl Engine {
    /// A phone of ours asks for the place of the one whose call this is.
    pub(crate) fn take_the_place_of(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: Option<AgentId>,
        replaced: DialogId,
    ) {
        let done = agent.ok_or(403).and_then(|agent| self.replace(dialog, invite, agent, replaced));
        if let Err(code) = done {
            self.endpoint.refuse(self.now, dialog, code, None);
        }
    }

    fn replace(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        replaced: DialogId,
    ) -> Result<(), u16> {
        let Some(&Line::Party(id, leg)) = self.lines.get(&replaced) else { return Err(481) };
        let party = self.calls.get(&id).and_then(|call| call.party(leg)).ok_or(481_u16)?;
        let PartyRole::Agent { agent: whose, offer } = party.role else { return Err(403) };
        match party.seat {
            Seat::Out => self.pick_by_phone(dialog, invite, agent, (id, offer)),
            _ if whose == agent => self.move_to_phone(dialog, invite, agent, (id, leg, offer)),
            _ => self.take_over_by_phone(dialog, invite, agent, id),
        }
    }

    /// What rings at a colleague is this agent's: the floor gives it to them as to any picker.
    fn pick_by_phone(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        (id, offer): (CallId, OfferId),
    ) -> Result<(), u16> {
        let floor = &self.centre(offer.centre).filter(|_| offer.centre == agent.centre).ok_or(403_u16)?.floor;
        let standing = floor.offer(offer).ok_or(481_u16)?;
        if standing.kind == OfferKind::Join {
            return Err(403); // somebody is asked by name, or beside a colleague
        }
        self.pick_lifted(dialog, invite, agent, (id, standing.work))
    }

    /// The most urgent call that rings at a colleague, without naming it.
    pub(crate) fn pick_up_by_phone(&mut self, dialog: DialogId, invite: &Invite, agent: AgentId) {
        let centre = self.centre(agent.centre);
        let rings = centre.and_then(|centre| {
            let work = centre.floor.rings_in_the_group_of(agent)?;
            let call = centre.works.get(&work).copied()?;
            // A guest's own centre has its own lines: it is taken at a page.
            Some((call, work)).filter(|(call, _)| call.centre == agent.centre)
        });
        let done = rings.ok_or(404).and_then(|rings| self.pick_lifted(dialog, invite, agent, rings));
        if let Err(code) = done {
            self.endpoint.refuse(self.now, dialog, code, None);
        }
    }

    fn pick_lifted(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        (id, work): (CallId, WorkId),
    ) -> Result<(), u16> {
        let fact = Fact::Pick { agent, work, lifted: true, confirmed: false };
        let floor = &self.centre(agent.centre).ok_or(403_u16)?.floor;
        floor.allows(&fact).map_err(code)?;
        if self.calls.get(&id).is_none_or(|call| call.fallback().is_some() || call.talk.is_some()) {
            return Err(486); // a phone is lifted already
        }
        let leg = self.lift(dialog, invite, agent, (id, PartyRole::Fallback { agent }))?;
        if !self.take_elsewhere(id, agent.centre, fact) {
            self.let_go(id, leg, Some(ELSEWHERE));
        }
        Ok(())
    }

    /// An agent goes on with the same conversation at another phone.
    fn move_to_phone(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        (id, from, offer): (CallId, LegId, OfferId),
    ) -> Result<(), u16> {
        self.calls.get(&id).and_then(|call| call.connected()).ok_or(481_u16)?;
        let leg = self.lift(dialog, invite, agent, (id, PartyRole::Agent { agent, offer }))?;
        let bridge = self.bridge_of(id);
        let Some(call) = self.calls.get_mut(&id) else { return Err(481) };
        let seat = call.party(from).map_or(Seat::Speaks, |party| party.seat);
        if let Some(party) = call.party_mut(leg) {
            party.seat = seat;
        }
        call.talk = call.talk.map(|talk| if talk.leg == from { Talk { leg, ..talk } } else { talk });
        self.let_go(id, from, Some(ELSEWHERE));
        self.media(MediaCommand::Join { bridge, leg });
        self.watch(leg);
        self.log_call(id, Event::Resumed { call: id, agent, leg });
        self.heard_instead(id, leg);
        Ok(())
    }

    /// A supervisor answers for somebody's conversation from here on.
    fn take_over_by_phone(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        id: CallId,
    ) -> Result<(), u16> {
        let role = self.centre(agent.centre).and_then(|centre| centre.agent(agent)).map(|it| it.role);
        if !matches!(role, Some(Role::Supervisor | Role::Administrator)) {
            return Err(403);
        }
        let call = self.calls.get(&id).ok_or(481_u16)?;
        if agent.centre != call.served_at() {
            return Err(403);
        }
        call.connected().filter(|_| !call.lost).ok_or(481_u16)?;
        if call.parties().iter().any(|party| party.agent() == Some(agent)) {
            return Err(486); // in it already, or being rung for it
        }
        let fact = Fact::Beside { agent, call: id };
        let floor = &self.centre(agent.centre).ok_or(404_u16)?.floor;
        floor.allows(&fact).map_err(code)?;
        let role = PartyRole::Supervisor { agent, wish: Seat::Speaks };
        let leg = self.lift(dialog, invite, agent, (id, role))?;
        self.tell_floor(agent.centre, fact);
        self.seat(id, leg, Seat::Speaks, Actor::Agent(agent));
        self.take_over(agent, id, Actor::Agent(agent)).map_err(|_: Refusal| 500)
    }

    /// A phone that calls us is answered, and a party of this call.
    fn lift(
        &mut self,
        dialog: DialogId,
        invite: &Invite,
        agent: AgentId,
        (id, role): (CallId, PartyRole),
    ) -> Result<LegId, u16> {
        let made = self.prepare_line(dialog, invite, agent)?;
        let (leg, body) = (made.id, made.local.body.clone());
        self.open_line(dialog, id, role, Leg { state: LegState::Up, ..made });
        self.endpoint.answer(self.now, dialog, &body);
        Ok(leg)
    }
}
