//! One SIP endpoint: transactions, dialogs and the registrar behind three verbs.
//!
//! What ends here and is never seen above: retransmissions, 100 Trying, ACKs and their absence,
//! CANCEL and everything it can cross, forks that answer late, glare, OPTIONS, REGISTER. What is
//! told: [`Event`]s of a dialog, in order, until it is over.
//!
//! Absent: no resolver (peers are addresses, from configuration, registration or Contact), no
//! proxying.

mod commands;
mod event;
mod incoming;
mod mending;
mod outside;
mod paths;
mod proving;
mod provisional;
mod refer;
mod refreshing;
mod responses;
mod speakers;
mod strangers;
mod strict;
mod within;

pub use crate::dialog::{Credentials, Outgoing};
pub use crate::registrar::{Account, Registration};
pub use event::{Config, Counter, DialogId, Event, Invite, Party, Reason};
pub use outside::{Ask, Errand, ErrandEnd, ErrandId};
pub use refer::Refer;

use crate::chance::Keying;
use crate::dialog::{DialogSnapshot, Local, Usage};
use crate::message::{MESSAGE_MAX, Message, Repair, Repairs, StartLine};
use crate::registrar::Registrar;
use crate::schedule::Schedule;
use crate::time::{Instant, Now};
use crate::transaction::{Key, Loss, Pending, Report, Transactions};
use crate::transport::{Flow, FramingError, Peer, Transmit, Transport};
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

/// Everything SIP of one process. Owns transactions, dialogs and registrations; knows no call. A value
/// like any other: a copy goes on by itself, which is how every order of events is tried in a test.
#[derive(Clone)]
pub struct Endpoint {
    config: Config,
    local: Local,
    transactions: Transactions<Purpose>,
    usages: HashMap<DialogId, Usage, Keying>,
    /// Our tags: how a request within a dialog finds it.
    tags: HashMap<Box<str>, DialogId, Keying>,
    schedule: Schedule<(DialogId, Wake)>,
    registrar: Registrar,
    events: VecDeque<Event>,
    last_dialog: u64,
    errands: HashMap<ErrandId, outside::Running, Keying>,
    last_errand: u64,
    strangers: strangers::Allowance,
    challenges: strangers::Allowance,
    /// Connections over which somebody has spoken who is no stranger.
    met: HashSet<u64, Keying>,
    /// Whether a Call-ID was taken that is no text, which is given back as it came.
    keeps_bytes: bool,
    /// Where keys are written before they are looked up.
    words: String,
}

/// What a request of ours was for; its responses come back with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The INVITE that makes a dialog.
    Invite(DialogId),
    /// A re-INVITE.
    Reoffer(DialogId),
    /// An UPDATE that refreshes it.
    Refresh(DialogId),
    /// A REFER within it.
    Refer(DialogId),
    /// The BYE that ends it.
    Bye(DialogId),
    /// An OPTIONS within it.
    Probe(DialogId),
    /// A request outside any dialog.
    Errand(ErrandId),
    /// The CANCEL of an INVITE that makes no dialog any more.
    Cancel(DialogId),
    /// A PRACK within it.
    Prack(DialogId),
    /// The BYE of a fork that answered when another one had.
    Parting(DialogId),
    /// A NOTIFY, or the CANCEL of a re-INVITE: whatever comes back, it is done.
    Nothing,
}

/// Why a dialog is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// Repeat the provisional response, so that proxies keep the call.
    RepeatProvisional,
    /// Repeat a reliable provisional response.
    RepeatReliable,
    /// Its PRACK has not come in 64*T1.
    NoPrack,
    /// The answer has waited long enough for a PRACK.
    AnswerWaited,
    /// Refresh the session.
    Refresh,
    /// Nobody has refreshed the session.
    Expired,
    /// Repeat the 2xx.
    RepeatSuccess,
    /// The ACK has not come in 64*T1.
    NoAck,
    /// Nothing has been heard of an INVITE.
    Unheard,
    /// A cancelled INVITE got no final response in 64*T1.
    GiveUp,
    /// A re-INVITE got no final response in 64*T1.
    ReofferUnanswered,
    /// The time after a 491 is over.
    AfterGlare,
}

impl Endpoint {
    /// An endpoint at rest. `seed` makes its tags, branches and nonces: unpredictable in service,
    /// the same again in a replay.
    pub fn new(config: Config, seed: u64) -> Self {
        let mut local = Local::new(config.product.clone(), config.contact, seed);
        let keying = Keying::new(local.draw());
        Endpoint {
            transactions: Transactions::new(config.timers, local.draw()),
            registrar: Registrar::new(&config.realm, config.accounts.clone(), local.draw()),
            local,
            usages: HashMap::with_hasher(keying),
            tags: HashMap::with_hasher(keying),
            schedule: Schedule::default(),
            events: VecDeque::new(),
            last_dialog: 0,
            errands: HashMap::with_hasher(keying),
            last_errand: 0,
            strangers: strangers::Allowance::for_strangers(keying),
            challenges: strangers::Allowance::for_challenges(keying),
            met: HashSet::with_hasher(keying),
            keeps_bytes: false,
            words: String::new(),
            config,
        }
    }

    /// A listener of ours that peers of its transport and family are told; without one of its kind,
    /// they are told [`Config::contact`].
    pub fn listens(&mut self, transport: Transport, sent_by: SocketAddr) {
        self.local.listens(transport, sent_by);
    }

    /// Takes one whole message of a peer. Cannot fail: what is wrong with it ends in a response,
    /// or in a counter.
    pub fn handle_message(&mut self, now: Now, flow: Flow, peer: Peer, bytes: &[u8]) {
        // Keep-alives (RFC 5626 §4.4.1) are no messages.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        match Message::scan(bytes) {
            Ok(message) => self.receive(now, flow, peer, &message, None),
            Err(error) if !self.receive_mended(now, flow, peer, bytes) => {
                self.count(Counter::ParseError(error.label()));
            }
            Err(_) => {}
        }
        self.take_reports(now.at);
    }

    /// Takes the head of a message behind which a stream cannot be cut: its connection is to be closed once
    /// what this says is written. A trunk is told why; its refused INVITE counts as any other.
    pub fn handle_unframed(&mut self, flow: Flow, peer: Peer, head: &[u8], error: FramingError) {
        self.count(Counter::ParseError(error.label()));
        if !matches!(peer, Peer::Trunk(_)) {
            return;
        }
        let head = &head[..head.len().min(MESSAGE_MAX)];
        let mended = mending::mend(head, flow);
        let head = mended.as_ref().map_or(head, |mended| mended.bytes.as_slice());
        let code = match error {
            FramingError::TooLong => 513,
            FramingError::ContentLength => 400,
        };
        if let Ok(message) = Message::scan(head) {
            self.tell_unreadable(flow, peer, &message, code);
        }
    }

    /// `mended`: what had to be put right before it could be read.
    fn receive(&mut self, now: Now, flow: Flow, peer: Peer, message: &Message<'_>, mended: Option<Repairs>) {
        let inspected = message.inspect();
        let is_odd = || inspected.is_err() || mending::has_odd_body(message);
        if mended.is_none()
            && matches!(peer, Peer::Trunk(_))
            && is_odd()
            && self.receive_mended(now, flow, peer, message.bytes())
        {
            return;
        }
        let repairs = match (inspected, message.start) {
            (Ok(repairs), _) => repairs.join(mended.unwrap_or_default()),
            (Err(error), StartLine::Request { .. }) => {
                return self.refuse_unreadable(now.at, flow, peer, message, error.label());
            }
            (Err(error), StartLine::Response { .. }) => {
                return self.count(Counter::ParseError(error.label()));
            }
        };
        match message.start {
            StartLine::Request { method, .. } => {
                self.receive_request(now, flow, peer, message, method, repairs);
            }
            StartLine::Response { code, .. } => self.receive_response(now.at, flow, peer, message, code),
        }
    }

    /// Takes what a trunk has sent as it should have been, where it can be put right.
    fn receive_mended(&mut self, now: Now, flow: Flow, peer: Peer, bytes: &[u8]) -> bool {
        let mended = matches!(peer, Peer::Trunk(_)).then(|| mending::mend(bytes, flow)).flatten();
        let Some(mended) = mended else { return false };
        let Ok(message) = Message::scan(&mended.bytes) else { return false };
        self.keeps_bytes |= mended.repairs.has(Repair::Latin1);
        self.receive(now, flow, peer, &message, Some(mended.repairs));
        true
    }

    /// Does what is due at `now`.
    pub fn handle_due(&mut self, now: Now) {
        self.transactions.handle_due(now.at);
        while let Some((dialog, wake)) = self.schedule.pop_due(now.at) {
            self.wake(now.at, dialog, wake);
        }
        self.registrar.handle_due(now.at);
        self.take_registrations();
        self.take_reports(now.at);
    }

    /// What happened, in order, until `None`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What to send, in order, until `None`.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.transactions.poll_transmit()?;
        let as_it_came = self.keeps_bytes.then(|| mending::as_it_came(&transmit.bytes)).flatten();
        Some(match as_it_came {
            Some(bytes) => Transmit { bytes: bytes.into(), ..transmit },
            None => transmit,
        })
    }

    /// When to come back if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.transactions.poll_timeout(), self.schedule.next(), self.registrar.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Where `user` is reached, latest registration first.
    pub fn contacts(&self, user: &str) -> Vec<Registration> {
        self.registrar.contacts(user)
    }

    /// The user who registered over this path: whose phone a call from there is.
    pub fn registered_at(&self, flow: Flow) -> Option<&str> {
        self.registrar.user_at(flow)
    }

    /// The dialog as the journal keeps it; `None` for an INVITE of ours that has no answer yet.
    pub fn snapshot(&self, dialog: DialogId) -> Option<DialogSnapshot> {
        match self.usages.get(&dialog)? {
            Usage::Ringing(ringing) => {
                let pending = Some(ringing.pending.text());
                Some(DialogSnapshot { pending, ..ringing.dialog.snapshot() })
            }
            Usage::Standing(session) => {
                let pending = session.unacknowledged.as_ref().map(|waiting| waiting.pending.text());
                Some(DialogSnapshot { pending, ..session.dialog.snapshot() })
            }
            Usage::Calling(_) => None,
        }
    }

    /// Whether no dialog is left, neither made nor being made, and nothing that names one.
    pub fn has_no_dialog(&self) -> bool {
        self.usages.is_empty() && self.tags.is_empty()
    }

    /// Whether everything is empty: no transaction, dialog, timer or registration is left, and
    /// nothing waits to be polled.
    pub fn is_idle(&self) -> bool {
        self.transactions.is_idle()
            && self.usages.is_empty()
            && self.tags.is_empty()
            && self.errands.is_empty()
            && self.schedule.is_empty()
            && self.registrar.is_empty()
            && self.events.is_empty()
    }

    fn count(&mut self, counter: Counter) {
        self.events.push_back(Event::Counted(counter));
    }

    fn take_reports(&mut self, now: Instant) {
        while let Some(report) = self.transactions.poll() {
            match report {
                Report::Retransmitted => self.count(Counter::Retransmission),
                Report::Lost { owner, loss } => {
                    let (code, heard) = match loss {
                        Loss::TimedOut => (408, None),
                        Loss::Unreachable => (responses::UNREACHABLE, None),
                    };
                    self.request_failed(now, owner, code, heard, None);
                }
            }
        }
    }

    fn take_registrations(&mut self) {
        while let Some((user, reachable)) = self.registrar.poll() {
            self.events.push_back(Event::Registered { user, reachable });
        }
        self.take_moves();
    }

    fn new_dialog_id(&mut self) -> DialogId {
        self.last_dialog += 1;
        DialogId(self.last_dialog)
    }

    fn new_branch(&mut self) -> (String, Key) {
        let branch = self.local.branch();
        let key = Key::new(&branch);
        (branch, key)
    }

    /// Answers through the request's transaction.
    fn reply(&mut self, now: Instant, pending: &Pending, code: u16, headers: &[(&str, &str)]) -> Bytes {
        let product = self.local.product().to_owned();
        let mut all = vec![("Server", product.as_str())];
        all.extend_from_slice(headers);
        let bytes = pending.response(code, &all, None);
        self.transactions.respond(now, &pending.key, pending.flow, code, bytes.clone());
        bytes
    }

    /// Forgets a dialog and everything armed for it.
    fn forget(&mut self, now: Instant, dialog: DialogId) {
        let Some(usage) = self.usages.remove(&dialog) else { return };
        let local_tag = match usage {
            Usage::Ringing(mut ringing) => {
                self.schedule.clear(&mut ringing.repeat);
                self.leave_reliable(ringing.reliable.take());
                if let Some(theirs) = ringing.theirs.take() {
                    self.reply(now, &theirs.pending, 487, &[]);
                }
                std::mem::take(&mut ringing.dialog.local_tag)
            }
            Usage::Calling(mut set) => {
                self.schedule.clear(&mut set.give_up);
                self.schedule.clear(&mut set.unheard);
                self.leave_forks(now, std::mem::take(&mut set.early));
                std::mem::take(&mut set.local_tag)
            }
            Usage::Standing(mut session) => {
                self.schedule.clear(&mut session.glare);
                if let Some(undecided) = session.undecided.take() {
                    self.reply(now, &undecided, 487, &[]);
                }
                if let Some(mut refresh) = session.refresh.take() {
                    self.schedule.clear(&mut refresh.due);
                    self.schedule.clear(&mut refresh.expiry);
                }
                if let Some(waiting) = session.unacknowledged.take() {
                    self.schedule.cancel(waiting.repeat);
                    self.schedule.cancel(waiting.deadline);
                }
                if let Some(ours) = session.ours.take() {
                    self.schedule.cancel(ours.deadline);
                    self.transactions.let_go(now, ours.key.as_str());
                }
                std::mem::take(&mut session.dialog.local_tag)
            }
        };
        self.tags.remove(local_tag.as_str());
    }
}
