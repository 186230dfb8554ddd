//! Several in one conversation: who comes in beside whom, who may leave, and who ends it.
//!
//! | an agent .. | while another agent stays | as the last one |
//! |---|---|---|
//! | leaves | out, the others go on | only if somebody outside stays with the caller |
//! | releases, or hangs up a phone | out, the others go on | the call is over |
//! | is lost | out after 5 s, the others go on | the clock of [`crate::loss`] |

use crate::alarm::Alarm;
use crate::call::event::{Actor, Event, Loss, Seat};
use crate::call::party::{Party, PartyRole};
use crate::call::{Call, Talk};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, OfferId, Serial};
use crate::io::Refusal;
use crate::media::{MediaCommand, Program, Voice};
use crate::release::CLEARED;

impl Engine {
    /// A leg that is up comes into the conversation, or takes part in it in another way.
    pub(crate) fn seat(&mut self, id: CallId, leg: LegId, seat: Seat, by: Actor) {
        let bridge = self.bridge_of(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agents = call.talk.map(|talk| talk.leg);
        let Some(party) = call.party_mut(leg) else { return };
        let before = std::mem::replace(&mut party.seat, seat);
        let who = party.who();
        let voice = match (seat, agents) {
            (Seat::Whispers, Some(agents)) => Voice::Only(agents),
            (Seat::Speaks, _) => Voice::Everyone,
            _ => Voice::Nobody,
        };
        if voice != Voice::Everyone || matches!(before, Seat::Listens | Seat::Whispers) {
            self.media(MediaCommand::Voice { leg, voice });
        }
        self.media(MediaCommand::Join { bridge, leg });
        self.alarms.clear(Alarm::RingsUntil(leg));
        self.log_call(id, Event::Joined { call: id, leg, who, seat, by });
        self.mark(id);
        self.watch(leg);
        self.keep_watch(id);
    }

    /// The one place where everybody of a call hears each other.
    pub(crate) fn bridge_of(&mut self, id: CallId) -> crate::id::BridgeId {
        let known = self.calls.get(&id).and_then(|call| call.bridge);
        let bridge = known.unwrap_or_else(|| self.next_bridge(id));
        if let Some(call) = self.calls.get_mut(&id) {
            call.bridge = Some(bridge);
        }
        bridge
    }

    /// Somebody is out of a conversation that goes on without them.
    pub(crate) fn part(&mut self, id: CallId, leg: LegId, by: Actor, loss: Option<Loss>) {
        let agent = self.calls.get(&id).and_then(|call| call.party(leg)).and_then(Party::agent);
        self.part_quietly(id, leg, by, loss);
        if let Some(agent) = agent {
            self.free_ear(id, agent);
        }
    }

    /// The same, of one whose ear the floor empties by itself.
    pub(crate) fn part_quietly(&mut self, id: CallId, leg: LegId, by: Actor, loss: Option<Loss>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(party) = call.remove(leg) else { return };
        self.drop_leg(&party.leg, Some(CLEARED));
        self.mark(id);
        if party.seat != Seat::Out {
            self.log_call(id, Event::Left { call: id, leg, who: party.who(), by, loss });
        }
        self.lead_on(id, leg);
        self.consult_lost(id, &party);
        self.second_line_gone_with(id, &party);
        self.keep_watch(id);
        self.alone_again(id);
    }

    /// A caller who waits with somebody outside, and whom that one has left, hears the hold sound.
    fn alone_again(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let others =
            call.seated().count() > 1 || !call.seated().any(|it| matches!(it.role, PartyRole::Caller));
        if call.work.is_some() && call.talk.is_none() && !others {
            self.caller_out(id, Call::hold_program(&call.hold_sound));
        }
    }

    /// Whoever answered for the call is out of it: the next agent does.
    fn lead_on(&mut self, id: CallId, left: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk.filter(|talk| talk.leg == left) else { return };
        let speaking = |party: &&Party| party.is_agent_speaking();
        let next = call.other_agent(left).or_else(|| call.seated().find(speaking));
        let Some((agent, leg, offer)) = next.and_then(as_talker) else { return };
        call.talk = Some(Talk { agent, leg, offer, ..talk });
        self.log_call(id, Event::Led { call: id, agent });
        self.whisper_to(id, leg);
    }

    /// Whoever whispers is heard by this leg: the one of the agent who answers for the call.
    pub(crate) fn whisper_to(&mut self, id: CallId, leg: LegId) {
        let whispers = |party: &&Party| party.seat == Seat::Whispers;
        let seated = self.calls.get(&id).into_iter().flat_map(Call::seated);
        for whisperer in seated.filter(whispers).map(|party| party.leg.id).collect::<Vec<_>>() {
            self.media(MediaCommand::Voice { leg: whisperer, voice: Voice::Only(leg) });
        }
    }

    /// The agent leaves; whoever else is in the conversation stays with the caller.
    pub(crate) fn leave(&mut self, agent: AgentId, id: CallId) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let leg = call.leg_of_agent(agent).ok_or(Refusal::Unknown)?;
        let speaks = call.party(leg).is_some_and(Party::is_agent_speaking);
        if !speaks || call.other_agent(leg).is_some() {
            self.part(id, leg, Actor::Agent(agent), None);
            return Ok(());
        }
        // With somebody outside who has not been heard for so long, the caller would be alone.
        if call.outside().is_none_or(|party| party.leg.is_silent_for_good()) {
            return Err(Refusal::Alone);
        }
        self.hand_out(id, leg, agent);
        Ok(())
    }

    /// The agent ends the conversation: for everyone when no other agent is in it, else for
    /// oneself alone.
    pub(crate) fn release_by(
        &mut self,
        agent: AgentId,
        id: CallId,
        by: Actor,
        disposition: Option<String>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        call.connected().ok_or(Refusal::Unknown)?;
        let leg = call.leg_of_agent(agent).ok_or(Refusal::Unknown)?;
        let speaks = call.party(leg).is_some_and(Party::is_agent_speaking);
        // One who is lost may be back in a moment: the caller is not hung up on meanwhile.
        let others = call.seated().any(|party| party.leg.id != leg && party.is_agent_speaking());
        if !speaks || others {
            self.part(id, leg, by, None);
        } else {
            self.release(id, by, disposition);
        }
        Ok(())
    }

    /// The caller hears a program instead of the conversation, unless somebody outside is in it.
    pub(crate) fn caller_out(&mut self, id: CallId, program: Program) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.outside().is_some() {
            return;
        }
        let caller = call.caller().id;
        if let Some(party) = call.party_mut(caller) {
            party.seat = Seat::Out;
        }
        self.mark(id);
        self.media(MediaCommand::Leave { leg: caller });
        self.media(MediaCommand::Play { leg: caller, program });
    }

    /// The caller is in the conversation.
    pub(crate) fn caller_in(&mut self, id: CallId) {
        let bridge = self.bridge_of(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let caller = call.caller().id;
        if let Some(party) = call.party_mut(caller) {
            party.seat = Seat::Speaks;
        }
        self.mark(id);
        self.media(MediaCommand::Join { bridge, leg: caller });
    }
}

/// An agent of a conversation as the one who answers for it; a supervisor was rung for no offer.
fn as_talker(party: &Party) -> Option<(AgentId, LegId, OfferId)> {
    let agent = party.agent()?;
    let none = OfferId { centre: agent.centre, serial: Serial(0) };
    Some((agent, party.leg.id, party.offer().unwrap_or(none)))
}

impl Call {
    /// Agents of ours who are in the conversation, in any way.
    pub(crate) fn ears(&self) -> Vec<AgentId> {
        let ours = self.parties().iter().filter(|party| !matches!(party.role, PartyRole::Fallback { .. }));
        ours.filter_map(Party::agent).collect()
    }
}
