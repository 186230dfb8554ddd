//! Two parties hear each other: the bridge, what either changes about its audio, and the watch over
//! whether both are still there.

use crate::alarm::Alarm;
use crate::call::event::{Actor, Event, Loss, Seat};
use crate::call::leg::{GONE, LegState};
use crate::call::party::{Party, PartyRole};
use crate::call::{Call, Purpose, Talk};
use crate::dialplan::HoldMode;
use crate::engine::{Engine, Line};
use crate::id::{CallId, LegId};
use crate::io::Counter;
use crate::media::{MediaCommand, MediaEvent, Program, Stream};
use crate::negotiate::{self, Offer};
use crate::queue::Fact;
use sip::endpoint::DialogId;
use std::time::Duration;

/// How often a peer that is heard is asked within its dialog whether it is still there: RTP says so
/// fifty times a second, this only finds a dialog the peer has forgotten.
const PROBE_HEARD: Duration = Duration::from_secs(300);

/// How often a peer that is not heard is asked.
const PROBE_SILENT: Duration = Duration::from_secs(20);

/// Silence after which a peer is asked (`edges.md`: alarm at 5 s).
pub(crate) const DOUBTFUL: u16 = 5;

impl Engine {
    /// Both legs into one conversation; an early-media caller is answered. The caller stays in the
    /// queue until all of it is confirmed (I3).
    pub(crate) fn bridge(&mut self, id: CallId, talk: Talk) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.party(talk.leg).is_none() {
            return; // the floor took the offer back in the same step: something more urgent waits
        }
        if call.course.is_unreached() {
            return self.dial_back(id, talk);
        }
        self.close_menu(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.talk = Some(talk);
        if let Some(party) = call.party_mut(talk.leg) {
            party.seat = Seat::Speaks;
        }
        self.caller_in(id);
        self.media(MediaCommand::Join { bridge: talk.bridge, leg: talk.leg });
        self.answer_caller(id);
        self.watch(talk.leg);
        self.end_fallback(id, talk.leg);
        self.connect(id);
    }

    /// The caller leaves the queue into the conversation once both ends stand: the phone's 2xx has
    /// its ACK, and the caller is confirmed, or has been answered long before (I10).
    pub(crate) fn connect(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let stands = matches!(call.caller().state, LegState::Up | LegState::Lost)
            || (call.hold == HoldMode::Answered && call.caller().is_anchored());
        let (true, Some(work)) = (stands, call.work) else { return };
        let Some(talk) = call.talk.as_mut().filter(|talk| !talk.connected) else { return };
        talk.connected = true;
        let talk = *talk;
        let waited = self.now.at.since(call.record.arrived_at);
        // An agent of another centre than the one it waits in is connected by that centre's own item.
        let at = talk.offer.centre;
        let work = if at == work.centre { Some(work) } else { self.answered_abroad(id, at) };
        if let Some(call) = self.calls.get_mut(&id) {
            (call.work, call.course.broken) = (None, false);
        }
        let Some(work) = work else { return };
        self.log(
            at,
            Event::Connected {
                call: id,
                work,
                agent: talk.agent,
                leg: talk.leg,
                bridge: talk.bridge,
                waited,
            },
        );
        self.tell_floor(at, Fact::Connected { offer: talk.offer });
        self.forget_work(work);
        self.end_handover(id);
        self.drop_outlets(id);
        self.close_callbacks_to(id);
        self.call_regulator(id);
    }

    /// The agent's side of a conversation, or of one being made, has gone: the caller waits again and
    /// hears so at once.
    pub(crate) fn hold_again(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talk) = call.talk.take_if(|talk| talk.leg == leg) else { return };
        let program = if talk.connected { Program::Comfort } else { Call::hold_program(&call.hold_sound) };
        self.caller_out(id, program);
    }

    /// An agreement comes into force.
    pub(crate) fn agree(&mut self, id: CallId, leg: LegId, stream: Stream) {
        let Some(found) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) else { return };
        let stream = found.local.with_our_half(stream);
        let held = !stream.send;
        let changed = found.stream.send != stream.send;
        found.stream = stream;
        self.mark(id);
        self.media(MediaCommand::Update { leg, stream });
        if changed {
            self.log_call(id, Event::Held { call: id, leg, held });
        }
        self.tell_amiss(id, leg);
    }

    /// Plain audio where the site wants keys, and audio wanted at an address of a family we have none of:
    /// taken, since nobody's help waits for either, and told once of each leg, so that somebody looks at
    /// who does it.
    pub(crate) fn tell_amiss(&mut self, id: CallId, leg: LegId) {
        let Some(found) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg)) else { return };
        let short = found.local.falls_short(&found.stream);
        let apart = found.port.is_some_and(|port| found.local.falls_apart(&found.stream, port));
        if short {
            self.log_call(id, Event::Unenciphered { call: id, leg });
        }
        if apart {
            self.log_call(id, Event::OtherFamily { call: id, leg });
        }
    }

    /// The answer to an offer of ours, where one came.
    pub(crate) fn take_answer(&mut self, id: CallId, leg: LegId, sdp: Option<&[u8]>) {
        if let Some(agreed) = sdp.and_then(negotiate::read_answer) {
            self.agree(id, leg, agreed);
        }
    }

    /// A peer changes its audio (re-INVITE, UPDATE): answered for that leg alone, the other one is
    /// not touched.
    pub(crate) fn reoffered(&mut self, dialog: DialogId, sdp: Option<&[u8]>) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else {
            return self.endpoint.end(self.now, dialog, None);
        };
        let is_ours = self.is_phone_of_ours(id, leg);
        let found = self.calls.get_mut(&id).and_then(|call| call.leg_mut(leg));
        let port = found.as_ref().and_then(|leg| leg.port);
        // A leg on a page has no dialog, so no offer is about it; unanswered, one would stand in the way
        // of every later one.
        let Some((found, port)) = found.zip(port) else {
            return self.endpoint.decline(self.now, dialog, 488);
        };
        // Before anything was said there is no re-offer: the last word is never needed.
        let before = port.advertised.ip();
        let agreed = match negotiate::read_offer(sdp) {
            // What stands goes on (RFC 3261 §14.2), and the phone knows that it cannot move so.
            Offer::Made(sdp) if is_ours && !negotiate::is_served(&sdp, port) => None,
            Offer::Made(sdp) => {
                let ours = found.local.ours_for(Some(&sdp), port, before);
                found.local.answer(&sdp, ours).map(Some)
            }
            Offer::Wanted => {
                let ours = found.local.ours_for(None, port, before);
                found.local.offer_again(ours, &found.stream);
                Some(None)
            }
            Offer::Unusable => None,
        };
        // Nothing of ours in it (a fax, say): what is in force stays so (RFC 3261 §14.2).
        let Some(agreed) = agreed else { return self.endpoint.decline(self.now, dialog, 488) };
        self.endpoint.accept(self.now, dialog, &found.local.body);
        self.mark(id);
        if let Some(stream) = agreed {
            self.agree(id, leg, stream);
        }
    }

    /// Whether a leg's peer is a phone of ours, and no carrier.
    fn is_phone_of_ours(&self, id: CallId, leg: LegId) -> bool {
        let role = self.calls.get(&id).and_then(|call| call.party(leg)).map(|party| &party.role);
        match role {
            Some(PartyRole::Caller) => self.of_phones.contains_key(&id),
            Some(PartyRole::Outlet | PartyRole::Outside { .. }) | None => false,
            Some(_) => true,
        }
    }

    /// The answer to an offer we made within a dialog.
    pub(crate) fn renegotiated(&mut self, dialog: DialogId, sdp: Option<&[u8]>) {
        if let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) {
            self.take_answer(id, leg, sdp);
        }
    }

    /// An ACK to a 2xx of ours: the caller's first, or that of a later offer.
    pub(crate) fn confirmed(&mut self, dialog: DialogId, sdp: Option<&[u8]>) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return };
        let first = self
            .calls
            .get(&id)
            .is_some_and(|call| call.caller().id == leg && call.caller().state == LegState::Answered);
        if first { self.caller_confirmed(id, sdp) } else { self.take_answer(id, leg, sdp) }
    }

    /// Sets the next question to a leg's peer whether it is still there.
    pub(crate) fn watch(&mut self, leg: LegId) {
        let Some(found) = self.leg(leg).filter(|leg| !leg.is_on_page()) else { return };
        let in_doubt = found.silent >= DOUBTFUL || (found.state == LegState::Lost && !found.stream.receive);
        let every = if in_doubt { PROBE_SILENT } else { PROBE_HEARD };
        self.alarms.set(Alarm::Probe(leg), self.now.at + every);
    }

    /// Asks a leg's peer whether it is still there (OPTIONS in its dialog).
    pub(crate) fn probe(&mut self, leg: LegId) {
        let stands = |state| matches!(state, LegState::Up | LegState::Lost);
        let Some(found) = self.leg(leg).filter(|it| stands(it.state)) else { return };
        if let Some(dialog) = found.dialog() {
            self.endpoint.probe(self.now, dialog);
            self.watch(leg);
        }
    }

    fn leg(&self, leg: LegId) -> Option<&crate::call::leg::Leg> {
        self.calls.get(self.legs.get(&leg)?)?.leg(leg)
    }

    /// What the media plane reports.
    pub(crate) fn heard_from_media(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Ports(ports) => {
                self.stock.put(ports);
                self.ring_those_without_port();
            }
            MediaEvent::Heard { leg } => self.heard(leg),
            MediaEvent::Silent { leg, seconds } => self.silent(leg, seconds),
            MediaEvent::Refused { .. } => {
                self.count(Counter::Never("the media plane refused a command"));
            }
            // Figures of closed legs are the plane's own metrics.
            MediaEvent::Digit { leg, digit } => self.key_heard(leg, digit),
            MediaEvent::Announced { .. } | MediaEvent::Closed { .. } => {}
            MediaEvent::PageAnswered { page, answer } => self.page_answered(page, answer),
            MediaEvent::PageUp { page } => self.page_up(page),
            MediaEvent::PageDown { page, .. } => self.page_down(page),
        }
    }

    fn heard(&mut self, leg: LegId) {
        let Some(&id) = self.legs.get(&leg) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let in_talk = is_in_talk(call, leg);
        let Some(found) = call.leg_mut(leg) else { return };
        found.unanswered = 0;
        let doubted = std::mem::take(&mut found.silent) >= DOUBTFUL;
        found.heard = true;
        if doubted && found.state == LegState::Up {
            self.watch(leg);
        }
        if in_talk {
            self.log_call(id, Event::Heard { call: id, leg });
            self.back(id, leg);
        }
    }

    /// No packet from a leg's peer. Alone it ends no caller; it is told, and the peer is asked.
    fn silent(&mut self, leg: LegId, seconds: u16) {
        let Some(&id) = self.legs.get(&leg) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let in_talk = is_in_talk(call, leg);
        // While its agent asks somebody by the phone's second line, the first is on hold.
        let on_hold = call.party(leg).and_then(Party::agent).is_some_and(|agent| call.asks_by_phone(agent));
        let Some(found) = call.leg_mut(leg) else { return };
        found.silent = seconds;
        let (state, expected) = (found.state, found.stream.receive && !on_hold);
        // A page that has not been heard yet may still be opening its microphone.
        let page_gone = found.is_on_page() && (found.heard || seconds >= DOUBTFUL);
        // A peer that told us it would send nothing is not missing anything.
        if in_talk && expected {
            self.log_call(id, Event::NoMedia { call: id, leg, seconds });
            self.ask_for_audio(id, leg);
        }
        if seconds >= DOUBTFUL {
            self.probe(leg);
        }
        if page_gone && in_talk {
            return self.leg_lost(id, leg, Loss::NoAudio);
        }
        let over_trunk = self.is_caller(id, leg) || self.is_outside(id, leg);
        let bears_silence = self.is_caller(id, leg) || self.has_partner(id, leg);
        match (bears_silence, seconds >= GONE) {
            (_, true) if over_trunk && state == LegState::Lost => {
                self.silent_for_good(id, leg, Loss::NoAudio);
            }
            (false, true) if in_talk && expected => self.leg_lost(id, leg, Loss::NoAudio),
            _ => {}
        }
    }

    /// Nothing comes where something should: the peer is told again where we listen, and asked where it
    /// does (a re-INVITE of the description in force), for a border on the way that has lost one or the
    /// other. A page makes a fresh connection (ADR 10); one that has been heard before is lost instead,
    /// and makes it by itself. Once for each leg: a second one would find what the first has found.
    fn ask_for_audio(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agent = call.party(leg).and_then(Party::agent);
        let Some(found) = call.leg_mut(leg).filter(|it| it.state == LegState::Up && !it.asked) else {
            return;
        };
        if let Some(dialog) = found.dialog() {
            found.asked = true;
            self.endpoint.reoffer(self.now, dialog, &found.local.body);
        } else if let Some(agent) = agent.filter(|_| found.is_on_page() && !found.heard) {
            found.asked = true;
            self.ask_page_for_audio(agent);
        }
    }

    /// A test call has heard itself long enough.
    pub(crate) fn end_test(&mut self, id: CallId) {
        if self.calls.get(&id).is_some_and(|call| call.purpose == Purpose::Test) {
            self.finish_test(id, Actor::System);
        }
    }
}

fn is_in_talk(call: &Call, leg: LegId) -> bool {
    let talks = call.connected().is_some() || call.handed.is_some() || call.course.away.is_some();
    talks && call.party(leg).is_some_and(|party| party.seat != Seat::Out)
}
