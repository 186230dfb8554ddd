//! A desk phone passes its caller on (REFER), blindly or after a word with whoever is to have them.
//!
//! | to | is |
//! |---|---|
//! | a colleague, somebody of the directory | asking them, and leaving the caller to them once they have answered |
//! | a queue | handing the caller over to its people |
//! | a call of the phone's second line (Replaces) | leaving the caller to whoever was asked there |
//! | nobody we know | refused, and the agent has the caller |
//!
//! The caller is never handed to a network: we stay in between and join the calls ourselves, so that
//! a call nobody takes comes back to the agent (docs/adr). An agent who hangs up before anybody has
//! answered has left the caller, not ended the call: a colleague is asked for ten seconds before
//! everyone is, and a caller whom nobody outside takes waits again.

use crate::alarm::Alarm;
use crate::call::event::{Actor, ConsultEnd, Event, Seat};
use crate::call::party::{Party, PartyRole};
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, CentreId, LegId, QueueId};
use crate::io::{Refusal, Whom};
use crate::signs::{Signs, protocol};
use crate::site::Phone;
use crate::stage::Wanted;
use sip::endpoint::{DialogId, Invite, Reason, Refer};
use sip::message::Uri;

impl Engine {
    /// A peer asks within its call that somebody else is called.
    pub(crate) fn referred(&mut self, dialog: DialogId, refer: &Refer) {
        let code = self.pass_on(dialog, refer).err().unwrap_or(100);
        self.endpoint.report(self.now, dialog, code);
    }

    fn pass_on(&mut self, dialog: DialogId, refer: &Refer) -> Result<(), u16> {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return Err(481) };
        let call = self.calls.get(&id).ok_or(481_u16)?;
        // Callers and those outside have nobody called by us.
        let party = call.party(leg).filter(|party| party.whose_phone().is_some()).ok_or(403_u16)?;
        let agent = party.whose_phone().ok_or(403_u16)?;
        if call.passing.is_some() {
            return Err(491); // it is on its way already
        }
        if refer.replaces_elsewhere {
            return Err(481); // whoever was asked past us cannot be joined by us
        }
        if let Some(other) = refer.replaces {
            return self.pass_to_asked(dialog, id, agent, other);
        }
        if party.agent().is_none() {
            return Err(403); // the second line has nobody of its own to pass on
        }
        let number = refer.number.as_deref().ok_or(404_u16)?;
        let whom = self.meant_by_number(agent.centre, number).ok_or(404_u16)?;
        if let Some(call) = self.calls.get_mut(&id) {
            (call.passing, call.referred_by) = (Some(dialog), refer.referred_by.clone());
        }
        let done = match whom {
            Whom::Queue(queue) => self.pass_to_queue(agent, id, queue),
            whom => self.consult(agent, id, &whom),
        };
        if let (Err(_), Some(call)) = (done, self.calls.get_mut(&id)) {
            call.passing = None;
        }
        done.map_err(code)
    }

    /// The caller waits for the people of a queue, and the phone is free.
    fn pass_to_queue(&mut self, agent: AgentId, id: CallId, queue: QueueId) -> Result<(), Refusal> {
        self.hand_over(
            agent,
            id,
            Wanted { queue, class: None, note: None, back_to: None },
            Actor::Agent(agent),
        )
    }

    /// An attended transfer: the phone names the call by which its agent asks somebody. Both lines
    /// may be named, and either may carry the REFER.
    fn pass_to_asked(
        &mut self,
        dialog: DialogId,
        id: CallId,
        agent: AgentId,
        other: DialogId,
    ) -> Result<(), u16> {
        let same = |line: &Line| {
            let Line::Party(of, leg) = *line else { return false };
            let party = self.calls.get(&of).and_then(|call| call.party(leg));
            of == id && other != dialog && party.and_then(Party::whose_phone) == Some(agent)
        };
        self.lines.get(&other).filter(|line| same(line)).ok_or(481_u16)?;
        let call = self.calls.get_mut(&id).ok_or(481_u16)?;
        let consult = call.consult.filter(|consult| consult.by == agent).ok_or(481_u16)?;
        call.passing = Some(dialog);
        if consult.answered {
            self.passed_on(id);
        }
        Ok(())
    }

    /// Whom a phone means by a number: somebody of the directory, a colleague by name or by the
    /// phone's own number, the people of a queue. Nobody else is called at a phone's wish: that would
    /// be a way to call anybody at the centre's cost.
    pub(crate) fn meant_by_number(&self, centre: CentreId, number: &str) -> Option<Whom> {
        let site = self.site.centre(centre)?;
        if let Some(found) = site.directory.iter().find(|it| it.name == number || it.number == number) {
            return Some(Whom::Outside(found.name.clone()));
        }
        let own = |phone: &Phone| match phone {
            Phone::Registered { user, .. } => user == number,
            Phone::Static { uri, .. } => Uri::read(uri.as_bytes()).user() == Some(number),
            Phone::Page => false,
        };
        let of = self.centre(centre)?;
        let is_theirs = |it: &crate::site::AgentSite| {
            it.name == number || own(&it.phone) || it.fallback.as_ref().is_some_and(own)
        };
        if let Some(index) = of.roster.iter().position(is_theirs) {
            return Some(Whom::Agent(AgentId { centre, index: u32::try_from(index).ok()? }));
        }
        let place = of.plan.queues.iter().position(|queue| queue.name == number)?;
        Some(Whom::Queue(QueueId { centre, index: u32::try_from(place).ok()? }))
    }

    /// Whoever was asked has come into the conversation: a phone that passes it on leaves.
    pub(crate) fn passed_on(&mut self, id: CallId) {
        let Some(dialog) = self.tell_passed(id) else { return };
        let Some(&Line::Party(_, leg)) = self.lines.get(&dialog) else { return };
        let agent = self.calls.get(&id).and_then(|call| call.party(leg)).and_then(Party::whose_phone);
        if let Some(agent) = agent {
            // Alone with the caller it would stay: whoever has answered is there.
            let _ = self.leave(agent, id);
        }
    }

    /// The phone is told that somebody has the caller, before it is hung up on.
    pub(crate) fn tell_passed(&mut self, id: CallId) -> Option<DialogId> {
        let dialog = self.calls.get_mut(&id).and_then(|call| call.passing.take())?;
        self.endpoint.report(self.now, dialog, 200);
        Some(dialog)
    }

    /// Whoever was asked has not answered: the phone has the caller again, and is told. An agent who
    /// has hung up meanwhile has not: the caller waits.
    pub(crate) fn not_passed_on(&mut self, id: CallId) {
        let alone = self.waits_for_outside(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(dialog) = call.passing.take() else { return };
        if alone {
            call.aside = None;
            self.alarms.clear(Alarm::Recall(id));
            self.wait_again(id);
        } else {
            self.endpoint.report(self.now, dialog, 480);
        }
    }

    /// A phone hangs up while its caller is on the way to somebody who has not answered yet: nobody
    /// has ended the call.
    pub(crate) fn hangs_up_passing(&mut self, id: CallId, leg: LegId) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let Some(dialog) = call.passing else { return false };
        let talk = call.connected().filter(|talk| talk.leg == leg);
        let asks = call.consult.filter(|consult| !consult.answered);
        let (Some(talk), Some(_), Some(whom)) = (talk, asks, call.asked.clone()) else { return false };
        let queue = call.served_in().to_owned();
        if let Some(call) = self.calls.get_mut(&id) {
            call.passing = None;
        }
        let agent = talk.agent;
        let left = match whom {
            Whom::Outside(_) => self.leave_to_outside(agent, id, dialog),
            Whom::Agent(other) => {
                self.stop_asking(id);
                self.end_consult(id, ConsultEnd::Over);
                self.leave_to_queue(agent, id, &queue, Some(other))
            }
            Whom::Queue(_) => {
                self.stop_asking(id);
                self.end_consult(id, ConsultEnd::Over);
                self.leave_to_queue(agent, id, &queue, None)
            }
        };
        if left.is_err() {
            for agent in self.clear_ours(id) {
                self.free_ear(id, agent);
            }
            self.wait_again(id);
        }
        true
    }

    /// The caller waits for a colleague for a while, and then for everyone of the queue.
    fn leave_to_queue(
        &mut self,
        agent: AgentId,
        id: CallId,
        queue: &str,
        back_to: Option<AgentId>,
    ) -> Result<(), Refusal> {
        let queue =
            self.centre(agent.centre).map(|centre| centre.queue_named(queue)).ok_or(Refusal::Unknown)?;
        self.hand_over(agent, id, Wanted { queue, class: None, note: None, back_to }, Actor::Agent(agent))
    }

    /// The caller is on the shared list for as long as whoever outside is asked rings on.
    fn leave_to_outside(&mut self, agent: AgentId, id: CallId, dialog: DialogId) -> Result<(), Refusal> {
        self.end_consult(id, ConsultEnd::Over);
        self.hold(agent, id)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.passing = Some(dialog);
        }
        Ok(())
    }

    /// True while a caller whose agent has hung up waits for whoever outside was asked.
    pub(crate) fn waits_for_outside(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.passing.is_some() && call.aside.is_some())
    }

    /// Somebody outside has answered whose asker has hung up: they have the caller.
    pub(crate) fn taken_outside(&mut self, id: CallId, leg: LegId, by: AgentId) {
        self.alarms.clear(Alarm::Recall(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        let to = match call.party(leg).map(|party| &party.role) {
            Some(PartyRole::Outside { name, .. }) => name.clone(),
            _ => return,
        };
        (call.aside, call.passing, call.handed) = (None, None, Some(by));
        self.seat(id, leg, Seat::Speaks, Actor::Agent(by));
        self.caller_in(id);
        self.log_call(id, Event::HandedOut { call: id, agent: by, to });
        self.offer_to_carrier(id);
    }

    /// Keeps and logs what the INVITE says beside who calls whom.
    pub(crate) fn read_signs(&mut self, id: CallId, invite: &Invite, dialled: &str) {
        let signs = Signs::of(&invite.headers, dialled);
        if signs.is_any() {
            self.log(id.centre, Event::Signed { call: id, signed: signs.said.clone() });
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.signs = signs;
        }
    }

    /// Why a peer has ended its call, or refused ours, in its own network's words.
    pub(crate) fn reasoned(&mut self, dialog: DialogId, reason: Option<Reason>) {
        let Some(reason) = reason else { return };
        let Some(&Line::Party(call, leg)) = self.lines.get(&dialog) else { return };
        let (protocol, cause) = (protocol(&reason.protocol).to_owned(), reason.cause);
        self.log(call.centre, Event::Reasoned { call, leg, protocol, cause });
    }
}

/// What a phone is told when its wish cannot be had.
pub(crate) fn code(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::Busy => 486,
        Refusal::Forbidden | Refusal::VitalWaits => 403,
        // Nobody there can be reached for now. Not 503: that says our process cannot serve (RFC 3261
        // §21.5.4), and a phone that hears it turns to another server.
        Refusal::Gone | Refusal::NoAudio | Refusal::SignedOut => 480,
        _ => 404,
    }
}
