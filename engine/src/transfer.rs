//! A desk phone passes its caller on (REFER): the same as asking somebody outside and leaving the caller
//! to them once they have answered. Whoever asked by the phone's own key hears from us how it goes.
//!
//! The caller is never handed to a network: we stay in between and join the two calls ourselves, so that
//! a call nobody takes comes back to the agent (docs/adr).

use crate::call::event::Event;
use crate::call::party::Party;
use crate::engine::{Engine, Line};
use crate::id::CallId;
use crate::io::{Refusal, Whom};
use crate::signs::Signs;
use sip::endpoint::{DialogId, Invite, Reason, Refer};

impl Engine {
    /// A peer asks within its call that somebody else is called.
    pub(crate) fn referred(&mut self, dialog: DialogId, refer: &Refer) {
        if let Err(code) = self.pass_on(dialog, refer) {
            self.endpoint.report(self.now, dialog, code);
        }
    }

    fn pass_on(&mut self, dialog: DialogId, refer: &Refer) -> Result<(), u16> {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return Err(481) };
        let call = self.calls.get(&id).ok_or(481_u16)?;
        // Callers and those outside have nobody called by us.
        let agent = call.party(leg).and_then(Party::agent).ok_or(403_u16)?;
        if refer.replaces.is_some() || refer.replaces_elsewhere {
            return Err(501); // phones of ours make no calls of their own that could be joined
        }
        let number = refer.number.as_deref().ok_or(404_u16)?;
        let directory = self.site.centre(id.centre).map(|centre| centre.directory.as_slice());
        let meant = |name: &str, its: &str| name == number || its == number;
        let found = directory.unwrap_or_default().iter().find(|it| meant(&it.name, &it.number));
        let whom = Whom::Outside(found.ok_or(404_u16)?.name.clone());
        self.consult(agent, id, &whom).map_err(|refusal| match refusal {
            Refusal::Busy => 486_u16,
            Refusal::Forbidden => 403,
            Refusal::Gone => 503,
            _ => 404,
        })?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.passing = Some(dialog);
        }
        Ok(())
    }

    /// Somebody outside has come into the conversation: a phone that passes it on leaves.
    pub(crate) fn passed_on(&mut self, id: CallId) {
        let Some(dialog) = self.calls.get_mut(&id).and_then(|call| call.passing.take()) else { return };
        self.endpoint.report(self.now, dialog, 200);
        let Some(&Line::Party(_, leg)) = self.lines.get(&dialog) else { return };
        let agent = self.calls.get(&id).and_then(|call| call.party(leg)).and_then(Party::agent);
        if let Some(agent) = agent {
            // Alone with the caller it would stay: whoever has answered is there.
            let _ = self.leave(agent, id);
        }
    }

    /// Nobody outside has answered: the phone has the caller again, and is told.
    pub(crate) fn not_passed_on(&mut self, id: CallId) {
        if let Some(dialog) = self.calls.get_mut(&id).and_then(|call| call.passing.take()) {
            self.endpoint.report(self.now, dialog, 480);
        }
    }

    /// Keeps and logs what the INVITE says beside who calls whom.
    pub(crate) fn read_signs(&mut self, id: CallId, invite: &Invite) {
        let signs = Signs::of(invite);
        if signs.is_any() {
            let Signs { attested, passed_by, priority, .. } = signs.clone();
            self.log(id.centre, Event::Signed { call: id, attested, passed_by, priority });
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.signs = signs;
        }
    }

    /// Why a peer has ended its call, or refused ours, in its own network's words.
    pub(crate) fn reasoned(&mut self, dialog: DialogId, reason: Option<Reason>) {
        let Some(reason) = reason else { return };
        let Some(&Line::Party(call, leg)) = self.lines.get(&dialog) else { return };
        let Reason { protocol, cause, .. } = reason;
        self.log(call.centre, Event::Reasoned { call, leg, protocol, cause });
    }
}
