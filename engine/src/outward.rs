//! A leg of ours that rings outside, over a trunk: the person of a callback, or whoever answers for
//! us when a queue overflows.

use crate::call::Purpose;
use crate::call::leg::{Leg, LegState, LocalSdp};
use crate::engine::{Engine, Line};
use crate::id::{CallId, LegId};
use crate::io::Counter;
use crate::media::{Codec, MediaCommand};
use crate::{screen, signs};
use sip::endpoint::Outgoing;

/// The URI's characters of a number: digits, and what people write between and before them.
fn is_of_a_number(sign: char) -> bool {
    sign.is_ascii_digit() || matches!(sign, '+' | '*' | '#')
}

impl Engine {
    /// Rings a number over a trunk, by the `nth` of its ways, for this call. `None`: no such trunk or
    /// way, no port, or no number.
    pub(crate) fn dial_trunk(
        &mut self,
        id: CallId,
        leg: LegId,
        trunk: &str,
        number: &str,
        shown: Option<&str>,
        nth: usize,
    ) -> Option<Leg> {
        let way = self.ways_out(id.centre, Some(trunk)).into_iter().nth(nth)?;
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
        let stream = local.offer(port.advertised, Codec::Pcma);
        let uri = format!("sip:{}@{};user=phone", number.replace('#', "%23"), way.host);
        let from = format!("<sip:{}@{}>", shown.unwrap_or("anonymous"), self.site.contact);
        let (flow, credentials) = (way.flow, way.account);
        let call = self.calls.get(&id)?;
        let headers = match call.purpose {
            Purpose::Callback => signs::called_back(),
            Purpose::Help | Purpose::Test => call.signs.onward(&screen::ours(&self.site, call)),
        };
        let (to, sdp) = (format!("<{uri}>"), local.body.clone());
        self.media(MediaCommand::Open { leg, port, stream });
        self.legs.insert(leg, id);
        let outgoing = Outgoing { flow, uri, from, to, headers, sdp, credentials };
        let dialog = self.endpoint.invite(self.now, outgoing);
        self.lines.insert(dialog, Line::Party(id, leg));
        let (dialogs, state) = (vec![dialog], LegState::Ringing);
        Some(Leg { id: leg, dialogs, state, port: Some(port), stream, local, silent: 0, heard: false })
    }
}
