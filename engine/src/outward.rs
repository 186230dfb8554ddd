//! A leg of ours that rings outside, over a trunk: the person of a callback, or whoever answers for
//! us when a queue overflows.

use crate::call::Purpose;
use crate::call::course::Way as Away;
use crate::call::event::Private;
use crate::call::leg::{Leg, LegState, LocalSdp};
use crate::call::party::PartyRole;
use crate::engine::{Engine, Line};
use crate::id::{CallId, LegId};
use crate::io::Counter;
use crate::media::{Codec, MediaCommand, Stream};
use crate::site::Identity;
use crate::trunks::{Fault, Way, fault};
use crate::{screen, signs};
use sip::endpoint::{DialogId, Outgoing, Party};
use sip::message::Uri;
use sip::transport::Flow;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// The URI's characters of a number: digits, and what people write between and before them.
fn is_of_a_number(sign: char) -> bool {
    sign.is_ascii_digit() || matches!(sign, '+' | '*' | '#')
}

/// What silence is, as a response (RFC 3261 §8.1.3.1).
const SILENCE: u16 = 408;

impl Engine {
    /// Rings a number outside by the first of these ways, for this call. `None`: no way, no port, or
    /// no number.
    pub(crate) fn dial_out(
        &mut self,
        id: CallId,
        leg: LegId,
        ways: &VecDeque<Way>,
        number: &str,
        shown: Option<&str>,
    ) -> Option<Leg> {
        let way = ways.front()?.clone();
        let number = way.moved.as_ref().map_or(number, |moved| &moved.0);
        let number: String = number.chars().filter(|sign| is_of_a_number(*sign)).collect();
        if number.is_empty() {
            return None;
        }
        let near = self.calls.get(&id)?.parties().iter().find_map(|party| party.leg.port);
        let Some(port) = self.stock.take(near.map(|port| port.thread)) else {
            self.count(Counter::PortsExhausted);
            return None;
        };
        let mut local = LocalSdp::new(leg.serial.0);
        local.cipher(way.srtp, self.keys.draw());
        let stream = local.offer(port.told_to(way.flow.remote.ip()), Codec::Pcma);
        let uri = format!("sip:{}@{};user=phone", number.replace('#', "%23"), way.host);
        let trusted = self.identity_of(Some(way.trunk)) == Identity::Asserted;
        let (flow, credentials) = (way.flow, way.account);
        let call = self.calls.get(&id)?;
        let screen::Shown { from, mut headers } =
            screen::abroad(&self.site, shown, call.record.withheld, trusted);
        headers.extend(match call.purpose {
            Purpose::Callback => signs::called_back(),
            Purpose::Help | Purpose::Test => call.signs.onward(&screen::ours(&self.site, call)),
        });
        let (to, sdp) = (format!("<{uri}>"), local.body.clone());
        self.media(MediaCommand::Open { leg, port, stream });
        self.legs.insert(leg, id);
        let outgoing = Outgoing { flow, uri, from, to, headers, sdp, credentials };
        let dialog = self.endpoint.invite(self.now, outgoing);
        self.lines.insert(dialog, Line::Party(id, leg));
        Some(Leg::ringing(leg, vec![dialog], port, stream, local))
    }
    /// Not a word for four seconds to an INVITE of ours: a call that has another way goes that way, long
    /// before the silence is over (32 s) and before nobody waits any more (30 s). The silent one is let
    /// go: an answer that comes late is acknowledged and hung up.
    pub(crate) fn unheard(&mut self, dialog: DialogId) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let outlet = call.course.outlets.iter().find(|outlet| outlet.way == Away::Outside(leg));
        // The first of them is the silent one.
        let has_another = |ways: &VecDeque<Way>| ways.len() > 1;
        if self.is_rung_back(id, leg) {
            if has_another(&call.course.ways) {
                self.dial_person_on(id, SILENCE);
            }
        } else if outlet.is_some_and(|outlet| has_another(&outlet.left)) {
            self.outlet_gone(id, leg, Some(SILENCE));
        } else if let Some(PartyRole::Outside { ways, .. }) = call.party(leg).map(|party| &party.role)
            && has_another(ways)
        {
            self.outside_failed(id, leg, SILENCE);
        }
    }

    /// The ways that are left after the first has failed so; `None`: another would fail as well, or
    /// there is none.
    pub(crate) fn ways_left(&mut self, mut ways: VecDeque<Way>, code: u16) -> Option<VecDeque<Way>> {
        let failed = ways.pop_front()?;
        match fault(code) {
            Fault::Person => return None,
            Fault::Address => self.trunks.failed(self.now.at, &failed),
            // Once at each carrier, and where it has sent the call itself.
            Fault::Carrier => {
                let is_sent_there = |way: &Way| way.moved.is_some() && failed.moved.is_none();
                ways.retain(|way| way.trunk != failed.trunk || is_sent_there(way));
            }
        }
        Some(ways).filter(|ways| !ways.is_empty())
    }

    /// A carrier sends a call of ours elsewhere (3xx). When that is another of its own addresses, or another
    /// number there, it is the next way, once; anybody else's is for the carrier to reach.
    pub(crate) fn sent_elsewhere(&mut self, dialog: DialogId, moved: Option<Party>) {
        let (Some(&Line::Party(id, leg)), Some(moved)) = (self.lines.get(&dialog), moved) else { return };
        let way = self.ways_of(id, leg).and_then(|ways| ways.front().cloned());
        let Some(way) = way.filter(|way| way.moved.is_none()) else { return };
        let uri = Uri::read(moved.uri.as_bytes());
        let (Uri::Sip { host, .. }, Some(number)) = (uri, moved.number) else { return };
        if number.is_empty() || !number.chars().all(is_of_a_number) {
            return;
        }
        let peers = self.site.trunks.get(usize::from(way.trunk)).map(|trunk| trunk.peers.as_slice());
        let knows = |at: &SocketAddr| {
            let known = peers.unwrap_or_default().iter().any(|peer| peer.ip() == at.ip());
            known || self.trunks.has_target(way.trunk, *at)
        };
        let remote = match uri.address().filter(knows) {
            Some(remote) => remote,
            None if host.eq_ignore_ascii_case(&way.host) => way.flow.remote,
            None => return,
        };
        let flow = Flow { remote, ..way.flow };
        let next = Way { flow, moved: Some(Private(number)), ..way };
        if let Some(ways) = self.ways_of(id, leg) {
            ways.insert(1, next);
        }
    }

    /// The ways to whoever this leg rings outside, the present one first.
    fn ways_of(&mut self, id: CallId, leg: LegId) -> Option<&mut VecDeque<Way>> {
        if self.is_rung_back(id, leg) {
            return self.calls.get_mut(&id).map(|call| &mut call.course.ways);
        }
        let call = self.calls.get_mut(&id)?;
        if call.party(leg).is_some_and(|party| matches!(party.role, PartyRole::Outlet)) {
            let outlets = call.course.outlets.iter_mut();
            return outlets
                .map(|outlet| (outlet.way, &mut outlet.left))
                .find_map(|(way, left)| (way == Away::Outside(leg)).then_some(left));
        }
        match &mut call.party_mut(leg)?.role {
            PartyRole::Outside { ways, .. } => Some(ways),
            _ => None,
        }
    }

    /// Rings the person's phone by the first of these ways; whether it can be.
    pub(crate) fn dial_person(
        &mut self,
        id: CallId,
        leg: LegId,
        ways: VecDeque<Way>,
        shown: Option<&str>,
    ) -> bool {
        let Some(number) = self.calls.get(&id).map(|call| call.record.caller.0.clone()) else { return false };
        let Some(made) = self.dial_out(id, leg, &ways, &number, shown) else { return false };
        if let Some(call) = self.calls.get_mut(&id) {
            *call.caller_mut() = made;
            call.course.ways = ways;
        }
        self.mark(id);
        true
    }

    /// The carrier failed at one of its addresses, not the person: the same attempt goes on over the
    /// next, within the time it has.
    pub(crate) fn dial_person_on(&mut self, id: CallId, code: u16) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let ways = std::mem::take(&mut call.course.ways);
        let Some(ways) = self.ways_left(ways, code) else { return false };
        let Some(fresh) = self.centre_mut(id.centre).map(|centre| centre.leg_id()) else { return false };
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let old = std::mem::replace(call.caller_mut(), not_dialled(fresh));
        self.drop_leg(&old, None);
        let plan = self.centre(id.centre).and_then(|centre| centre.plan.callback.as_ref());
        let shown = plan.and_then(|plan| plan.shown.clone());
        self.dial_person(id, fresh, ways, shown.as_deref())
    }
}

/// The leg of somebody whose phone has not been rung yet: no sockets, no signalling.
pub(crate) fn not_dialled(id: LegId) -> Leg {
    let stream = Stream { send: false, receive: false, ..Stream::of(Codec::Pcma) };
    let (dialogs, state, local) = (Vec::new(), LegState::NotDialled, LocalSdp::new(id.serial.0));
    Leg {
        id,
        dialogs,
        state,
        port: None,
        stream,
        local,
        silent: 0,
        asked: false,
        unanswered: 0,
        heard: false,
    }
}
