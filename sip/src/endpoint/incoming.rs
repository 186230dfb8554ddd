//! Requests as they come in: who may ask what (`edges.md`), and the INVITE that makes a dialog.

use super::refer::Replacement;
use super::refreshing::knows_update;
use super::strict::{self, Refusal};
use super::{Counter, DialogId, Endpoint, Event, Invite, Party, Reason};
use crate::dialog::refresh::{self, LEAST, Verdict};
use crate::dialog::reliable::Reliable;
use crate::dialog::{ALLOW, Dialog, Ringing, Usage};
use crate::header::name_addr::NameAddr;
use crate::message::{Builder, Message, Name, Repair, Repairs, Uri};
use crate::registrar::Answer;
use crate::time::{Instant, Now};
use crate::transaction::{Absorbed, Key, Pending, write_merge_key, write_server_key};
use crate::transport::{Flow, Peer};
use crate::vocabulary::Method;
use bytes::Bytes;

/// Option tags that must not be ignored, even for a trunk: without them there would be no audio
/// (RFC 3312).
const BREAKS_AUDIO: [&str; 1] = ["precondition"];

/// Headers the called side wants to see as they stand.
const OF_INTEREST: [&str; 17] = [
    "Diversion",
    "History-Info",
    "Priority",
    "Resource-Priority",
    "Call-Info",
    "Geolocation",
    "Geolocation-Routing",
    "Identity",
    "User-to-User",
    "Accept-Contact",
    "P-Access-Network-Info",
    "P-Called-Party-ID",
    "P-Charging-Vector",
    "User-Agent",
    "Subject",
    "Alert-Info",
    "Accept-Language",
];

/// How a session interval under 90 s is marked, which a trunk may ask for (`edges.md`).
const BRIEF: &str = "session_interval";

/// Extensions we understand in a Require.
pub(super) const UNDERSTOOD: [&str; 4] = ["100rel", "timer", "replaces", "norefersub"];

/// A request that is news, with all that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Heard<'a, 'm> {
    pub(super) flow: Flow,
    pub(super) peer: Peer,
    pub(super) message: &'a Message<'m>,
    pub(super) method: Method,
    pub(super) words: &'a str,
}

impl Endpoint {
    pub(super) fn receive_request(
        &mut self,
        now: Now,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        method: Method,
        repairs: Repairs,
    ) {
        let Ok(via) = message.via() else { return }; // inspected above
        let peer = self.known(flow, peer);
        // §18.2.2: a gateway that sends from a port nobody listens at says so by asking for no
        // `rport`. Only trunks are believed; a phone hears nothing but what goes back the same way.
        let flow = match peer {
            Peer::Trunk(_) if !flow.transport.is_reliable() && via.port != Some(0) => {
                Flow { remote: via.reply_to(flow.remote), ..flow }
            }
            _ => flow,
        };
        let mut words = std::mem::take(&mut self.words);
        write_server_key(&mut words, message, &via, method);
        if self.is_anothers(&words, flow, peer) {
            self.words = words;
            return self.count(Counter::StrangerRefused(0));
        }
        let absorbed = self.transactions.absorb(now.at, &words, flow, method == Method::Ack);
        // The branch of an INVITE names its dialog's ACK only when it was refused; an ACK that is
        // news belongs to a 2xx.
        if absorbed != Absorbed::Done {
            self.receive_news(now, flow, peer, message, method, &words, repairs);
        }
        self.words = words;
    }

    #[allow(clippy::too_many_arguments)] // one step of `receive_request`, split for length
    fn receive_news(
        &mut self,
        now: Now,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        method: Method,
        words: &str,
        repairs: Repairs,
    ) {
        let tag = message.to_tag();
        let dialog = tag.and_then(|tag| self.dialog_of(message, tag));
        if let Some(dialog) = dialog.filter(|dialog| !self.may_speak(*dialog, flow, peer)) {
            if self.is_of_a_carrier(dialog) {
                self.count(Counter::UnknownHost(flow.remote.ip()));
            }
            let heard = Heard { flow, peer, message, method, words };
            return self.refuse_stranger(now.at, heard, repairs);
        }
        self.meet(flow, peer);
        if let Some(dialog) = dialog {
            self.note_heard(dialog);
            self.hear_over(dialog, flow, message);
        }
        for repair in repairs.iter() {
            self.count(Counter::Repaired(repair.label()));
        }
        match (method, dialog) {
            (Method::Ack, Some(dialog)) => self.receive_ack(now.at, dialog, message),
            (Method::Ack, None) => {}
            (Method::Cancel, _) => {
                self.receive_cancel(now.at, Heard { flow, peer, message, method, words }, repairs);
            }
            (_, Some(dialog)) => {
                self.receive_within(now.at, dialog, Heard { flow, peer, message, method, words });
            }
            (Method::Register, None) if peer != Peer::Stranger || repairs.is_empty() => {
                self.receive_register(now.at, flow, peer, message, words);
            }
            (_, None) if peer == Peer::Stranger => {
                self.refuse_stranger(now.at, Heard { flow, peer, message, method, words }, repairs);
            }
            (_, None) if must_be_refused(peer, repairs) => {
                let code = if repairs.has(Repair::Version) { 505 } else { 400 };
                self.settle(now.at, flow, peer, message, words, code, &[]);
            }
            (_, None) if tag.is_some() => self.settle(now.at, flow, peer, message, words, 481, &[]),
            (Method::Invite, None) => self.receive_invite(now.at, flow, peer, message, words, repairs),
            (Method::Options, None) => self.settle(now.at, flow, peer, message, words, 200, &[]),
            (Method::Bye | Method::Info | Method::Update | Method::Prack, None) => {
                self.settle(now.at, flow, peer, message, words, 481, &[]);
            }
            (Method::Other, None) => self.settle(now.at, flow, peer, message, words, 501, &[]),
            // Nobody has us make calls that are none of theirs (RFC 3515 §5.2).
            (Method::Refer, None) => self.settle(now.at, flow, peer, message, words, 403, &[]),
            (Method::Notify, None) => self.settle(now.at, flow, peer, message, words, 481, &[]),
            (_, None) => self.settle(now.at, flow, peer, message, words, 405, &[]),
        }
    }

    /// The dialog with our tag, when its Call-ID and the peer's tag are right, too (§12.2.2).
    fn dialog_of(&self, message: &Message<'_>, tag: &str) -> Option<DialogId> {
        let id = *self.tags.get(tag)?;
        let call_id = message.call_id().ok()?;
        let remote = message.from_tag().unwrap_or_default();
        let same = match self.usages.get(&id)? {
            Usage::Ringing(ringing) => {
                ringing.dialog.call_id == call_id && ringing.dialog.remote_tag == remote
            }
            Usage::Standing(session) => {
                session.dialog.call_id == call_id && session.dialog.remote_tag == remote
            }
            // Any fork may speak before one has answered.
            Usage::Calling(set) => set.call_id == call_id,
        };
        same.then_some(id)
    }

    /// Opens the request's transaction and keeps what its responses repeat.
    pub(super) fn take_request(
        &mut self,
        flow: Flow,
        message: &Message<'_>,
        words: &str,
        tag: &str,
    ) -> Pending {
        let key = Key::new(words);
        match message.method() {
            Some(Method::Invite) => self.transactions.open_invite_server(key.clone(), flow, tag, None),
            _ => self.transactions.open_other_server(key.clone(), flow),
        }
        Pending::of(message, key, flow, tag)
    }

    /// Answers a request that makes nothing (2xx to OPTIONS among them).
    #[allow(clippy::too_many_arguments)]
    fn settle(
        &mut self,
        now: Instant,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        words: &str,
        code: u16,
        headers: &[(&str, &str)],
    ) {
        if message.method() == Some(Method::Invite) {
            self.count_refusal(peer, code);
        }
        let tag = self.local.tag();
        let pending = self.take_request(flow, message, words, &tag);
        let mut all = headers.to_vec();
        if matches!(code, 200 | 405 | 501) {
            all.push(("Allow", ALLOW));
        }
        if code == 200 {
            all.push(("Accept", "application/sdp"));
        }
        self.reply(now, &pending, code, &all);
    }

    pub(super) fn count_refusal(&mut self, peer: Peer, code: u16) {
        match peer {
            Peer::Trunk(_) => self.count(Counter::TrunkRefused(code)),
            Peer::Phone | Peer::Stranger => self.count(Counter::StrangerRefused(code)),
        }
    }

    fn receive_register(&mut self, now: Instant, flow: Flow, peer: Peer, message: &Message<'_>, words: &str) {
        // §10.3 step 2: before anything is proved, and at a stranger's small rate.
        let answer = match strict::lacking_beside(message, &["outbound"]) {
            Some(Refusal { code, header: (_, tags) }) => {
                Answer { code, headers: vec![(Name::Unsupported, tags)], proved: false }
            }
            None => self.registrar.receive(now, flow, message),
        };
        let headers: Vec<(Name, &str)> =
            answer.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if answer.proved {
            self.meet(flow, Peer::Phone);
            let tag = self.local.tag();
            let pending = self.take_request(flow, message, words, &tag);
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            self.reply(now, &pending, answer.code, &headers);
            self.take_registrations();
        // A phone that is registered renews, however many strangers want to be asked.
        } else if peer != Peer::Stranger
            || self.challenges.take(now, flow.remote.ip(), self.registrar.is_a_home(flow.remote.ip()))
        {
            self.answer_once(flow, message, words, answer.code, &headers);
        } else {
            self.count(Counter::StrangerRefused(0));
        }
    }

    /// One response without a transaction; its tag is the same for every copy (§8.2.7).
    pub(super) fn answer_once(
        &mut self,
        flow: Flow,
        message: &Message<'_>,
        words: &str,
        code: u16,
        headers: &[(Name, &str)],
    ) {
        let tag = self.local.stateless_tag(words);
        let mut response = Builder::response_to(message, code, Some(&tag), flow.remote);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        self.transactions.send(flow, response.finish().into());
    }

    /// CANCEL (§9.2): answered by itself, and the INVITE it names gets its 487.
    fn receive_cancel(&mut self, now: Instant, heard: Heard<'_, '_>, repairs: Repairs) {
        let Heard { flow, peer, message, words, .. } = heard;
        let Ok(via) = message.via() else { return };
        let mut invite_key = String::new();
        write_server_key(&mut invite_key, message, &via, Method::Invite);
        if self.is_anothers(&invite_key, flow, peer) {
            return self.refuse_stranger(now, heard, repairs);
        }
        let Some(tag) = self.transactions.tag_of(&invite_key).map(str::to_owned) else {
            if peer != Peer::Stranger {
                self.settle(now, flow, peer, message, words, 481, &[]);
            }
            return;
        };
        self.transactions.comes_over(&invite_key, flow);
        let proceeding = self.transactions.is_proceeding(&invite_key);
        let pending = self.take_request(flow, message, words, &tag);
        self.reply(now, &pending, 200, &[]);
        let Some(&dialog) = self.tags.get(tag.as_str()).filter(|_| proceeding) else { return };
        let reason = reason_of(message);
        match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => {
                let pending = ringing.pending.clone();
                self.reply(now, &pending, 487, &[]);
                self.forget(now, dialog);
                self.events.push_back(Event::Cancelled { dialog, reason });
            }
            Some(Usage::Standing(session)) => {
                if let Some(theirs) = session.theirs.take() {
                    self.reply(now, &theirs.pending, 487, &[]);
                    self.reoffer_wanted(now, dialog);
                }
            }
            _ => {}
        }
    }

    /// Whether an INVITE has come by another way before, and stands (§8.2.2.2). A carrier that hears no
    /// answer tries another way, within half a second perhaps: until it is known to have heard one, each
    /// of its ways is a call. Of a fork's the proxy cancels one when the other is answered: a caller who
    /// waits twice for that long is a nuisance, one refused is lost.
    fn is_merged(&self, merge: &str, from_trunk: bool) -> bool {
        let Some(first) = self.transactions.merged_with(merge) else { return false };
        let dialog = self.transactions.tag_of(first.as_str()).and_then(|tag| self.tags.get(tag));
        let stands = match dialog.and_then(|dialog| self.usages.get(dialog)) {
            Some(Usage::Ringing(_)) => true,
            Some(Usage::Standing(session)) => !session.is_over(),
            _ => false,
        };
        stands && (!from_trunk || self.transactions.is_heard(first.as_str()))
    }

    /// Whoever names our tag has heard an answer to its INVITE: ACK and PRACK foremost.
    fn note_heard(&mut self, dialog: DialogId) {
        let invite = match self.usages.get(&dialog) {
            Some(Usage::Ringing(ringing)) => Some(&ringing.pending),
            Some(Usage::Standing(session)) => session.unacknowledged.as_ref().map(|waiting| &waiting.pending),
            _ => None,
        };
        if let Some(invite) = invite {
            self.transactions.note_heard(invite.key.as_str());
        }
    }

    fn receive_invite(
        &mut self,
        now: Instant,
        flow: Flow,
        peer: Peer,
        message: &Message<'_>,
        words: &str,
        repairs: Repairs,
    ) {
        let from_trunk = matches!(peer, Peer::Trunk(_));
        let mut merge = String::new();
        write_merge_key(&mut merge, message);
        let understood = |tag: &&str| UNDERSTOOD.iter().any(|known| known.eq_ignore_ascii_case(tag));
        let unread = if from_trunk { None } else { strict::unread_session(message) };
        let lacking: Vec<&str> = message.require().filter(|tag| !understood(tag)).collect();
        let breaking = |tag: &&&str| !from_trunk || BREAKS_AUDIO.iter().any(|b| b.eq_ignore_ascii_case(tag));
        let unsupported: Vec<&str> = lacking.iter().filter(breaking).copied().collect();
        let looped =
            message.vias().any(|via| via.branch().is_some_and(|branch| self.local.is_own_branch(branch)));
        let merged = self.is_merged(&merge, from_trunk);
        let scheme = message.request_uri();
        if looped || merged {
            return self.settle(now, flow, peer, message, words, 482, &[]);
        }
        if !from_trunk && !matches!(scheme, Some(Uri::Sip { .. } | Uri::Tel { .. } | Uri::Urn(_))) {
            return self.settle(now, flow, peer, message, words, 416, &[]);
        }
        if !unsupported.is_empty() {
            let tags = unsupported.join(", ");
            return self.settle(now, flow, peer, message, words, 420, &[("Unsupported", &tags)]);
        }
        if let Some(Refusal { code, header: (name, value) }) = unread {
            return self.settle(now, flow, peer, message, words, code, &[(name, &value)]);
        }
        // A carrier's call is a call whatever it says it replaces.
        let replaces = match message.replaces().map(|wanted| self.replacement(&wanted)) {
            Some(Replacement::Of(id)) => Some(id),
            Some(Replacement::Refused(code)) if !from_trunk => {
                return self.settle(now, flow, peer, message, words, code, &[]);
            }
            Some(Replacement::Refused(_)) | None => None,
        };
        let timer = refresh::answer_to(message, from_trunk);
        if timer == Verdict::TooBrief {
            return self.settle(now, flow, peer, message, words, 422, &[("Min-SE", &LEAST.to_string())]);
        }

        let tag = self.local.tag();
        let key = Key::new(words);
        self.transactions.open_invite_server(key.clone(), flow, &tag, Some(Key::new(&merge)));
        let pending = Pending::of(message, key, flow, &tag);
        // At once: the caller's side stops repeating, and no proxy moves on to another centre.
        self.reply(now, &pending, 100, &[]);
        let dialog = self.new_dialog_id();
        self.tags.insert(tag.as_str().into(), dialog);
        let mut early = Dialog::of_invite(message, flow, tag);
        early.stays_on_flow = self.registrar.user_at(flow).is_some();
        let ringing = Ringing {
            dialog: early,
            pending,
            cseq: message.cseq().map_or(0, |cseq| cseq.number),
            said: None,
            repeat: None,
            reliable: acknowledges(message).then(|| Box::new(Reliable::new(self.local.draw() as u32 >> 2))),
            awaits_answer: message.sdp().is_none(),
            described: false,
            theirs: None,
            timer,
            credentials: None,
            updates: knows_update(message),
            from_trunk,
        };
        self.usages.insert(dialog, Usage::Ringing(Box::new(ringing)));
        let mut invite = Box::new(read_invite(peer, flow, message, &lacking, repairs));
        invite.replaces = replaces;
        if message.session_expires().is_some_and(|asked| asked.seconds < LEAST) {
            invite.repairs.push(BRIEF);
            self.count(Counter::Repaired(BRIEF));
        }
        self.events.push_back(Event::Invited { dialog, invite });
    }
}

/// Whether the caller acknowledges provisional responses (RFC 3262 §3).
fn acknowledges(message: &Message<'_>) -> bool {
    message.require().chain(message.supported()).any(|tag| tag.eq_ignore_ascii_case("100rel"))
}

/// A trunk's message is treated as repaired; a phone's is, too, unless it contradicts itself.
fn must_be_refused(peer: Peer, repairs: Repairs) -> bool {
    match peer {
        Peer::Trunk(_) => false,
        Peer::Phone => repairs.has(Repair::Version) || repairs.has(Repair::CSeqMethod),
        Peer::Stranger => !repairs.is_empty(),
    }
}

fn read_invite(peer: Peer, flow: Flow, message: &Message<'_>, requires: &[&str], repairs: Repairs) -> Invite {
    let trusted = matches!(peer, Peer::Trunk(_));
    let uri = match message.start {
        crate::message::StartLine::Request { uri, .. } => uri.to_owned(),
        crate::message::StartLine::Response { .. } => String::new(),
    };
    let privacy = message.headers(Name::Privacy).flat_map(|value| {
        value
            .split(|byte| matches!(byte, b';' | b','))
            .map(|word| crate::dialog::text(word).trim().to_lowercase())
    });
    let headers = message.all().filter_map(|(name, value)| {
        let listed = OF_INTEREST.iter().find(|listed| listed.as_bytes().eq_ignore_ascii_case(name))?;
        Some(((*listed).to_owned(), crate::dialog::text(value)))
    });
    Invite {
        peer,
        flow,
        uri,
        from: message.from().map(|from| Party::of(&from)).unwrap_or_default(),
        to: message.to().map(|to| Party::of(&to)).unwrap_or_default(),
        identities: message.identities().filter(|_| trusted).map(|party| Party::of(&party)).collect(),
        privacy: privacy.filter(|word| !word.is_empty()).collect(),
        call_id: message.call_id().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        sdp: sdp_of(message),
        replaces: None,
        requires: requires.iter().map(|tag| (*tag).to_owned()).collect(),
        repairs: repairs.iter().map(Repair::label).collect(),
    }
}

impl Party {
    pub(super) fn of(address: &NameAddr<'_>) -> Self {
        let display = address.display.to_str();
        let display = display.trim();
        Party {
            display: (!display.is_empty()).then(|| display.to_owned()),
            uri: crate::dialog::text(address.raw_uri),
            number: address.uri.number(),
        }
    }
}

/// The SDP of a message, alone or as a part of a multipart body.
pub(super) fn sdp_of(message: &Message<'_>) -> Option<Bytes> {
    message.sdp().filter(|sdp| !sdp.is_empty()).map(Bytes::copy_from_slice)
}

/// The Reason header, owned.
pub(super) fn reason_of(message: &Message<'_>) -> Option<Reason> {
    // The telephone network's own cause says more than SIP's translation of it.
    let of_network = message.reasons().find(|reason| reason.protocol.eq_ignore_ascii_case("Q.850"));
    of_network.or(message.reason()).map(|reason| Reason {
        protocol: reason.protocol.to_owned(),
        cause: reason.cause,
        text: reason.text.map(|text| text.to_str().into_owned()),
    })
}
