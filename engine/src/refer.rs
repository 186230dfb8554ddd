//! A carrier is asked to join two of its own lines (REFER with Replaces, RFC 5589): the caller, and
//! whoever outside has taken them over. Only where the site wants that of this carrier.
//!
//! We have joined the two ourselves before it is asked, and stay between them until it has done so:
//! one that refuses, fails or says nothing costs nobody anything.

use crate::call::event::{Actor, Cause, Event};
use crate::call::party::{Party, PartyRole};
use crate::engine::{Engine, Line};
use crate::id::CallId;
use crate::screen;
use crate::site::Transfer;
use sip::endpoint::DialogId;

/// Status codes of a call that stands.
const SUCCESS: std::ops::Range<u16> = 200..300;

impl Engine {
    /// Nobody of ours is left with a caller who talks with somebody outside.
    pub(crate) fn offer_to_carrier(&mut self, id: CallId) {
        let Some((caller, uri, outside, ours)) = self.both_lines(id) else { return };
        self.endpoint.refer(self.now, caller, &uri, &ours, Some(outside));
    }

    /// The caller's dialog, the address outside and its dialog, and how we are called: when both
    /// belong to one carrier that is to join them.
    fn both_lines(&self, id: CallId) -> Option<(DialogId, String, DialogId, String)> {
        let call = self.calls.get(&id).filter(|call| call.handed.is_some())?;
        let party = call.outside().filter(|_| call.seated().count() == 2)?;
        let PartyRole::Outside { name, ways, by } = &party.role else { return None };
        let way = ways.front()?;
        let trunk = self.site.trunks.get(usize::from(way.trunk))?;
        if trunk.reach.transfer != Transfer::Refer || call.record.trunk != trunk.name {
            return None;
        }
        let number = self.site.centre(by.centre)?.directory.iter().find(|it| it.name == *name)?;
        let uri = format!("sip:{}@{};user=phone", number.number, way.host);
        Some((call.caller().dialog()?, uri, party.leg.dialog()?, screen::ours(&self.site, call)))
    }

    /// How the carrier's own call goes. When it stands, ours are over; it may have ended them already.
    pub(crate) fn carrier_joins(&mut self, dialog: DialogId, code: u16) {
        let Some(&Line::Party(id, _)) = self.lines.get(&dialog) else { return };
        let Some(call) = self.calls.get(&id).filter(|call| call.handed.is_some()) else { return };
        let by = match call.outside().map(|party: &Party| &party.role) {
            Some(PartyRole::Outside { name, .. }) if SUCCESS.contains(&code) => Actor::Outside(name.clone()),
            _ => return,
        };
        self.log_call(id, Event::Released { call: id, by: by.clone(), disposition: None });
        self.close(id, by, Cause::Released);
    }
}
