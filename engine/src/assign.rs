//! The floor has decided: an agent's phone rings for a caller, and answers, or does not.

use crate::call::Talk;
use crate::call::event::{Actor, AgentReason, OfferEnd, OfferKind};
use crate::call::leg::{Leg, LegState, LocalSdp};
use crate::call::party::{Party, PartyRole};
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, LegId, OfferId, WorkId};
use crate::io::Counter;
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::queue::{Decision, Fact};
use crate::screen;
use crate::site::Phone;
use sip::endpoint::{DialogId, Outgoing};
use sip::transport::{Flow, Transport};

/// The Reason of a CANCEL to a phone whose call somebody else has answered (RFC 3326), so that it
/// shows no missed call.
pub(crate) const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Engine {
    /// Rings one agent's phone: at its address, or at every place it has registered from.
    pub(crate) fn ring(&mut self, decision: &Decision) {
        let (offer, agent) = (decision.offer, decision.agent);
        let Some(call) = self.calls.get(&decision.call) else {
            return self.not_reached(agent, offer, OfferEnd::CallerGone);
        };
        let elsewhere = call.fallback().filter(|party| party.agent() == Some(agent));
        if let Some(leg) = elsewhere.map(|party| &party.leg).filter(|leg| leg.state == LegState::Up) {
            let leg = leg.id;
            return self.bridge_fallback(decision.call, leg, agent, offer);
        }
        let phone = self.phone_of(agent);
        if phone == Some(&Phone::Page) {
            // An offer is shown by the page, which is told by the log; a person's will is done at once.
            if matches!(decision.because.agent, AgentReason::Claimed | AgentReason::Picked) {
                self.take_on_page(offer);
            }
            return;
        }
        let places = self.places_of(phone);
        let role = PartyRole::Agent { agent, offer };
        if !self.invite_phone(decision.call, places, role, decision.auto_answer) {
            self.not_reached(agent, offer, OfferEnd::Unreachable);
        }
    }

    /// An INVITE to every place of a phone, for this call; `by_itself`: it is to answer without a hand.
    /// False: there is none, or no port.
    pub(crate) fn invite_phone(
        &mut self,
        about: CallId,
        places: Vec<(Flow, String)>,
        role: PartyRole,
        by_itself: bool,
    ) -> bool {
        let Some((first_place, _)) = places.first().cloned() else { return false };
        let near = self.calls.get(&about).and_then(|call| call.caller().port).map(|port| port.thread);
        let Some(port) = self.stock.take(near) else {
            self.count(Counter::PortsExhausted);
            if let PartyRole::Agent { agent, .. } = role {
                self.short.insert(agent);
            }
            return false;
        };
        let Some(id) = self.centre_mut(about.centre).map(|centre| centre.leg_id()) else { return false };
        let Some(call) = self.calls.get(&about) else { return false };
        let first = call.caller().stream.codec;
        let mut unsaid = LocalSdp::new(id.serial.0);
        unsaid.cipher(self.site.phones_srtp, self.keys.draw());
        // One leg, offered at each of the agent's places at an address of that place's family.
        let words = |flow: &Flow| {
            let mut local = unsaid.clone();
            let stream = local.offer(port.told_to(flow.remote.ip()), first);
            (local, stream)
        };
        let (local, stream) = words(&first_place);
        let mut shown = screen::shown(&self.site, call);
        if by_itself {
            shown.headers.extend(screen::answers_by_itself(&self.site));
        }
        self.media(MediaCommand::Open { leg: id, port, stream });
        self.legs.insert(id, about);
        let mut dialogs = Vec::with_capacity(places.len());
        for (flow, uri) in places {
            let dialog = self.endpoint.invite(
                self.now,
                Outgoing {
                    flow,
                    to: format!("<{uri}>"),
                    uri,
                    from: shown.from.clone(),
                    headers: shown.headers.clone(),
                    sdp: words(&flow).0.body,
                    credentials: None,
                },
            );
            self.lines.insert(dialog, Line::Party(about, id));
            dialogs.push(dialog);
        }
        let leg = Leg::ringing(id, dialogs, port, stream, local);
        if let Some(call) = self.calls.get_mut(&about) {
            call.add(Party::new(role, leg));
        }
        self.mark(about);
        true
    }

    /// Ports are free again: agents who rest because there was none for them need not.
    pub(crate) fn ring_those_without_port(&mut self) {
        for agent in std::mem::take(&mut self.short) {
            // One who let a phone ring out has still shown no life.
            let view = self.centre(agent.centre).and_then(|centre| centre.floor.agent(agent));
            if view.is_some_and(|view| !view.rona) && !self.places_of(self.phone_of(agent)).is_empty() {
                let why = "port".to_owned();
                self.tell_floor(agent.centre, Fact::Reachable { agent, reachable: true, why });
            }
        }
    }

    /// What an agent hears and speaks with.
    fn phone_of(&self, agent: AgentId) -> Option<&Phone> {
        self.centre(agent.centre).and_then(|centre| centre.agent(agent)).map(|it| &it.phone)
    }

    /// Where a phone is: path and Request-URI of each place.
    pub(crate) fn places_of(&self, phone: Option<&Phone>) -> Vec<(Flow, String)> {
        match phone {
            Some(Phone::Static { uri, address }) => {
                let local = self.site.local(Transport::Udp, *address);
                let flow = Flow { transport: Transport::Udp, local, remote: *address, connection: 0 };
                vec![(flow, uri.clone())]
            }
            Some(Phone::Registered { user, .. }) => {
                let contacts = self.endpoint.contacts(user).into_iter();
                contacts.map(|contact| (contact.flow, contact.uri)).collect()
            }
            Some(Phone::Page) | None => Vec::new(),
        }
    }

    /// Tells the floor that an offer came to nothing. What follows is done by whoever follows the
    /// floor's steps at this moment, or at the end of the step: never from within, which would
    /// recurse as deep as there are phones that cannot be rung.
    pub(crate) fn not_reached(&mut self, agent: AgentId, offer: OfferId, end: OfferEnd) {
        let now = self.now.at;
        if let Some(centre) = self.centre_mut(agent.centre) {
            centre.floor.handle(now, Fact::Failed { offer, end });
        }
    }

    /// The phone says that it rings.
    pub(crate) fn alerting(&mut self, dialog: DialogId) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(offer) = call.party(leg).and_then(Party::offer) else { return };
        let Some(leg) = call.leg_mut(leg).filter(|leg| leg.state == LegState::Ringing) else { return };
        leg.state = LegState::Early;
        self.mark(id);
        self.tell_floor(offer.centre, Fact::Alerting { offer });
    }

    /// A phone answers; its ACK is sent. Whoever answers second, or too late, is let go at once (I2).
    pub(crate) fn agent_answered(&mut self, dialog: DialogId, sdp: Option<&[u8]>) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else {
            return self.endpoint.end(self.now, dialog, Some(ELSEWHERE));
        };
        if self.is_rung_back(id, leg) {
            return self.person_answered(id, dialog, sdp);
        }
        if self.is_outlet(id, leg) {
            self.keep_only(id, leg, dialog);
            return self.outlet_answered(id, leg, sdp);
        }
        let stands = |engine: &Engine, offer: OfferId| {
            engine.centre(offer.centre).is_some_and(|centre| centre.floor.offer(offer).is_some())
        };
        let party = self.calls.get(&id).and_then(|call| call.party(leg));
        let role = party.map(|party| party.role.clone());
        if !matches!(role, Some(PartyRole::Agent { .. })) {
            self.keep_only(id, leg, dialog);
        }
        let (agent, offer) = match role {
            Some(PartyRole::Agent { agent, offer }) => (agent, offer),
            Some(PartyRole::Fallback { agent }) => return self.fallback_answered(id, leg, agent, sdp),
            Some(PartyRole::Supervisor { agent, .. }) => {
                return self.supervisor_answered(id, leg, agent, sdp);
            }
            Some(PartyRole::Outside { by, .. }) => return self.outside_answered(id, leg, by, sdp),
            Some(PartyRole::Caller | PartyRole::Outlet | PartyRole::SecondLine { .. }) | None => return,
        };
        let standing = self.centre(offer.centre).and_then(|centre| centre.floor.offer(offer));
        let joins = standing.filter(|standing| standing.kind == OfferKind::Join).map(|it| it.work);
        let taken = joins.is_none() && self.calls.get(&id).is_some_and(|call| call.talk.is_some());
        if taken || !stands(self, offer) {
            self.let_go(id, leg, Some(ELSEWHERE));
            // An agent of another centre may have been faster: this one's floor does not know.
            return self.tell_floor(offer.centre, Fact::Failed { offer, end: OfferEnd::AnsweredElsewhere });
        }
        self.keep_only(id, leg, dialog);
        match sdp.and_then(negotiate::read_answer) {
            Some(agreed) => self.agree(id, leg, agreed),
            None => {
                // Answered, but with nothing we could speak: no better than a phone gone dead.
                self.let_go(id, leg, Some("Q.850;cause=88"));
                let end = OfferEnd::LostBeforeBridge;
                return self.tell_floor(offer.centre, Fact::Failed { offer, end });
            }
        }
        if let Some(work) = joins {
            return self.come_beside(id, leg, agent, offer, work);
        }
        let now = self.now.at;
        let present = self.centre(offer.centre).is_some_and(|centre| centre.floor.is_present(now, agent));
        if standing.is_some_and(|standing| standing.by_itself) && !present {
            // The phone has answered, and nobody yet. The offer goes on: whoever lets it lapse has let a
            // phone ring out.
            self.tell_floor(offer.centre, Fact::Alerting { offer });
            self.media(MediaCommand::Listen { leg, on: true });
            return self.media(MediaCommand::Play { leg, program: Program::RingBack });
        }
        self.take_at_phone(id, leg, agent, offer);
    }

    fn take_at_phone(&mut self, id: CallId, leg: LegId, agent: AgentId, offer: OfferId) {
        self.tell_floor(offer.centre, Fact::Taken { offer });
        let bridge = self.bridge_of(id);
        self.bridge(id, Talk { agent, leg, offer, bridge, connected: false });
    }

    /// A key at a phone that has answered by itself: somebody is there and has the caller. Whether the
    /// key was for that.
    pub(crate) fn shows_presence(&mut self, id: CallId, leg: LegId) -> bool {
        let agent = self.calls.get(&id).and_then(|call| call.party(leg)).and_then(Party::agent);
        let lifted = |agent| self.lifted_for(agent).is_some_and(|(_, lifted, _)| lifted == leg);
        let Some(agent) = agent.filter(|agent| lifted(*agent)) else { return false };
        self.is_there(agent);
        true
    }

    /// A person has touched something of theirs. A phone of theirs that has answered by itself waits
    /// for just that.
    pub(crate) fn is_there(&mut self, agent: AgentId) {
        self.tell_floor(agent.centre, Fact::Present { agent });
        if let Some((id, leg, offer)) = self.lifted_for(agent) {
            self.media(MediaCommand::Listen { leg, on: false });
            self.take_at_phone(id, leg, agent, offer);
        }
    }

    /// The phone of this agent's that has answered by itself and waits for a sign of its person.
    fn lifted_for(&self, agent: AgentId) -> Option<(CallId, LegId, OfferId)> {
        let floor = &self.centre(agent.centre)?.floor;
        let offer = floor.agent(agent)?.offer?;
        let standing = floor.offer(offer).filter(|standing| standing.by_itself)?;
        let call = self.calls.get(&standing.call).filter(|call| call.talk.is_none())?;
        let leg = call.leg_of(offer)?;
        let answered = call.party(leg).is_some_and(|party| party.leg.state == LegState::Up);
        answered.then_some((standing.call, leg, offer))
    }

    /// One place of a phone has answered: the others stop ringing.
    fn keep_only(&mut self, id: CallId, leg: LegId, answered: DialogId) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) else { return };
        leg.state = LegState::Up;
        let dialogs = std::mem::replace(&mut leg.dialogs, vec![answered]);
        for other in dialogs.into_iter().filter(|other| *other != answered) {
            self.lines.remove(&other);
            self.endpoint.end(self.now, other, Some(ELSEWHERE));
        }
    }

    /// Ends an agent's leg and takes it out of its call.
    pub(crate) fn let_go(&mut self, id: CallId, leg: LegId, reason: Option<&str>) {
        let party = self.calls.get_mut(&id).and_then(|call| call.remove(leg));
        if let Some(party) = party {
            self.drop_leg(&party.leg, reason);
            self.mark(id);
            self.second_line_gone_with(id, &party);
        }
    }

    /// The floor takes an offer back: too long, answered elsewhere, caller gone, rejected on a page.
    pub(crate) fn stop_ringing(&mut self, offer: OfferId, work: WorkId, end: &OfferEnd) {
        let Some(id) = self.centre(work.centre).and_then(|centre| centre.works.get(&work)).copied() else {
            return;
        };
        let Some(leg) = self.calls.get(&id).and_then(|call| call.leg_of(offer)) else { return };
        if self.stops_dialling(id, offer) {
            return;
        }
        let reason = (*end == OfferEnd::AnsweredElsewhere).then_some(ELSEWHERE);
        self.let_go(id, leg, reason);
        self.hold_again(id, leg);
    }

    /// A phone's INVITE failed. With the last of its places the offer has failed, and the caller
    /// keeps the place.
    pub(crate) fn ringing_failed(&mut self, dialog: DialogId, code: u16) {
        let Some(Line::Party(id, leg)) = self.lines.remove(&dialog) else { return };
        if self.is_rung_back(id, leg) {
            return self.person_failed(id, code);
        }
        if self.is_outlet(id, leg) {
            return self.outlet_gone(id, leg, Some(code));
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let offer = call.party(leg).and_then(Party::offer);
        let outside = call.party(leg).is_some_and(|it| matches!(it.role, PartyRole::Outside { .. }));
        let fallback = call.party(leg).is_some_and(|it| matches!(it.role, PartyRole::Fallback { .. }));
        let Some(found) = call.leg_mut(leg) else { return };
        found.dialogs.retain(|other| *other != dialog);
        let last = found.dialogs.is_empty();
        self.mark(id);
        if last {
            if outside {
                return self.outside_failed(id, leg, code);
            }
            if fallback {
                // The lost agent is in the call all the same: the clock goes on without that phone.
                return self.let_go(id, leg, None);
            }
            self.part(id, leg, Actor::System, None);
            if let Some(offer) = offer {
                self.tell_floor(offer.centre, Fact::Failed { offer, end: refusal(code) });
            }
        }
    }

    /// A phone registered for the first time, or its last contact is gone.
    pub(crate) fn registered(&mut self, user: &str, reachable: bool) {
        let why = if reachable { "registered" } else { "not-registered" };
        let found = self.centres.iter().find_map(|centre| {
            let index = centre.roster.iter().position(
                |agent| matches!(&agent.phone, Phone::Registered { user: theirs, .. } if theirs == user),
            )?;
            Some(AgentId { centre: centre.id, index: u32::try_from(index).ok()? })
        });
        if let Some(agent) = found {
            self.tell_floor(agent.centre, Fact::Reachable { agent, reachable, why: why.to_owned() });
        }
    }

    pub(crate) fn next_bridge(&mut self, id: CallId) -> crate::id::BridgeId {
        match self.centre_mut(id.centre) {
            Some(centre) => centre.bridge_id(),
            // A call's centre is in the list: ids are made by it. Serial zero is never given.
            None => crate::id::BridgeId { centre: id.centre, serial: crate::id::Serial(0) },
        }
    }
}

/// What a phone's final response to its INVITE means (RFC 3261 §21).
fn refusal(code: u16) -> OfferEnd {
    match code {
        486 | 600 => OfferEnd::PhoneBusy,
        603 | 607 | 608 => OfferEnd::Rejected,
        487 => OfferEnd::TimedOut,
        _ => OfferEnd::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::{OfferEnd, refusal};

    #[test]
    fn a_phones_final_response_says_who_could_not_be_had_and_why() {
        let means = |codes: &[u16]| codes.iter().map(|code| refusal(*code)).collect::<Vec<_>>();
        assert_eq!(means(&[486, 600]), [OfferEnd::PhoneBusy, OfferEnd::PhoneBusy], "the line is taken");
        assert!(means(&[603, 607, 608]).iter().all(|end| *end == OfferEnd::Rejected), "somebody said no");
        assert_eq!(refusal(487), OfferEnd::TimedOut, "it rang, and was given up");
        assert!(means(&[404, 408, 480, 503]).iter().all(|end| *end == OfferEnd::Unreachable));
    }
}
