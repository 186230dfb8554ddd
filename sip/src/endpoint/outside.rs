//! Requests of ours outside any dialog: OPTIONS, that asks whether a peer lives, and REGISTER, that
//! tells a carrier where we are. One request, at most three tries with credentials, one answer.

use super::proving::Round;
use super::{Endpoint, Event, Purpose};
use crate::dialog::{Credentials, Local, Request};
use crate::header::name_addr::NameAddr;
use crate::header::routing::Contact;
use crate::message::Message;
use crate::time::{Instant, Now};
use crate::transaction::Key;
use crate::transport::Flow;
use std::fmt;
use std::net::SocketAddr;

/// Tries of one errand: without credentials, with them, and once more for a nonce gone stale.
const TRIES_MAX: u32 = 3;

/// Contacts read of a 3xx: as many as a carrier has addresses. More would only be the same again.
const MOVED_MAX: usize = 8;

/// One errand; given by the endpoint, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrandId(pub u64);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether the peer lives and what it can do.
    Options,
    /// To be reached at our Contact for so many seconds.
    Register {
        /// Seconds; 0 ends it.
        expires: u32,
    },
}

impl Ask {
    fn method(self) -> &'static str {
        match self {
            Ask::Options => "OPTIONS",
            Ask::Register { .. } => "REGISTER",
        }
    }
}

/// A request outside any dialog.
#[derive(Clone)]
pub struct Errand {
    /// What.
    pub ask: Ask,
    /// Over which path.
    pub flow: Flow,
    /// The Request-URI.
    pub uri: String,
    /// From, without tag; a REGISTER's To is the same (RFC 3261 §10.2).
    pub from: String,
    /// To.
    pub to: String,
    /// The user part of the Contact of a REGISTER.
    pub user: Option<String>,
    /// The same for every REGISTER of one registration (§10.2); empty for one of its own.
    pub call_id: String,
    /// The CSeq of the last request under that Call-ID.
    pub cseq: u32,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").field("ask", &self.ask).field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// How an errand ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrandEnd {
    /// The final response; 408 after silence, 503 without a connection.
    pub code: u16,
    /// Whether the peer said so itself.
    pub heard: bool,
    /// The last CSeq used.
    pub cseq: u32,
    /// Seconds the registration holds, as a 2xx says.
    pub expires: Option<u32>,
    /// Seconds the peer wants at least (423).
    pub min_expires: Option<u32>,
    /// Seconds the peer wants to be left alone (Retry-After).
    pub retry_after: Option<u32>,
    /// The addresses a 3xx sends us on to. Names are for the resolver.
    pub moved: Vec<SocketAddr>,
}

/// An errand under way.
#[derive(Clone)]
pub(super) struct Running {
    errand: Errand,
    tag: String,
    tries: u32,
}

/// Where we are reached, as a REGISTER says it.
fn contact_of(local: &Local, errand: &Errand) -> String {
    let contact = local.contact(errand.flow);
    match &errand.user {
        Some(user) => contact.replacen("<sip:", &format!("<sip:{user}@"), 1),
        None => contact.to_owned(),
    }
}

/// Seconds a 2xx grants to the binding with our Contact (RFC 3261 §10.2.4). An account may have others;
/// where none is quite like ours, the shortest counts, so that ours is renewed in time.
fn granted(message: &Message<'_>, ours: &str) -> Option<u32> {
    let named = |address: &NameAddr<'_>| (address.uri.user().map(str::to_owned), address.uri.address());
    let ours = NameAddr::read(ours.as_bytes()).map(|address| named(&address));
    let mut bindings = message.contacts().filter_map(|contact| match contact {
        Contact::At(address) => Some((Some(named(&address)) == ours, contact.expires())),
        Contact::All => None,
    });
    let mut shortest = None;
    bindings
        .find_map(|(is_ours, seconds)| {
            shortest = [shortest, seconds].into_iter().flatten().min();
            is_ours.then_some(seconds)
        })
        .unwrap_or(shortest)
}

/// The addresses a message's Contacts name.
fn places(message: &Message<'_>) -> Vec<SocketAddr> {
    let contacts = message.contacts().filter_map(|contact| match contact {
        Contact::At(address) => address.uri.address(),
        Contact::All => None,
    });
    contacts.take(MOVED_MAX).collect()
}

impl Endpoint {
    /// Runs an errand; [`Event::ErrandDone`] is its end.
    pub fn run(&mut self, now: Now, mut errand: Errand) -> ErrandId {
        self.last_errand += 1;
        let id = ErrandId(self.last_errand);
        if errand.call_id.is_empty() {
            errand.call_id = self.local.call_id();
        }
        let tag = self.local.tag();
        self.errands.insert(id, Running { errand, tag, tries: 0 });
        self.send_errand(now.at, id, None);
        id
    }

    /// Forgets an errand: its answer is not waited for any more.
    pub fn drop_errand(&mut self, id: ErrandId) {
        self.errands.remove(&id);
    }

    /// A Call-ID nobody else has, for a registration that is kept.
    pub fn fresh_call_id(&mut self) -> String {
        self.local.call_id()
    }

    fn send_errand(&mut self, now: Instant, id: ErrandId, proof: Option<(&str, &str)>) {
        let branch = self.local.branch();
        let Some(running) = self.errands.get_mut(&id) else { return };
        running.tries += 1;
        running.errand.cseq += 1;
        let (errand, tag) = (&running.errand, &running.tag);
        let contact = contact_of(&self.local, errand);
        let expires;
        let mut headers = vec![("Contact", contact.as_str())];
        match errand.ask {
            Ask::Options => headers.push(("Accept", "application/sdp")),
            Ask::Register { expires: seconds } => {
                expires = seconds.to_string();
                headers.push(("Expires", &expires));
            }
        }
        headers.extend(proof);
        let bytes = self.local.write(&Request {
            method: errand.ask.method(),
            uri: &errand.uri,
            flow: errand.flow,
            branch: &branch,
            routes: &[],
            from: &format!("{};tag={tag}", errand.from),
            to: &errand.to,
            call_id: &errand.call_id,
            cseq: errand.cseq,
            headers: &headers,
            body: None,
        });
        self.transactions.open_other_client(now, Key::new(&branch), errand.flow, bytes, Purpose::Errand(id));
    }

    /// Answers a challenge; false when the refusal stands.
    pub(super) fn prove_errand(&mut self, now: Instant, id: ErrandId, round: &Round<'_>) -> bool {
        let Some(running) = self.errands.get(&id) else { return false };
        let refused = running.tries > 1 && !round.challenge.stale;
        let Some(credentials) = &running.errand.credentials else { return false };
        if refused || running.tries >= TRIES_MAX {
            return false;
        }
        let value = round.proof(credentials, running.errand.ask.method(), &running.errand.uri);
        self.send_errand(now, id, Some((round.header, &value)));
        true
    }

    /// A final answer, or its absence (`message` is `None`).
    pub(super) fn end_errand(&mut self, id: ErrandId, code: u16, message: Option<&Message<'_>>) {
        let Some(running) = self.errands.remove(&id) else { return };
        let granted = message.and_then(|message| {
            granted(message, &contact_of(&self.local, &running.errand)).or_else(|| message.expires())
        });
        let asked = match running.errand.ask {
            Ask::Register { expires } if (200..300).contains(&code) => Some(expires),
            _ => None,
        };
        let end = ErrandEnd {
            code,
            heard: message.is_some(),
            cseq: running.errand.cseq,
            expires: asked.map(|asked| granted.unwrap_or(asked)),
            min_expires: message.and_then(Message::min_expires),
            retry_after: message.and_then(Message::retry_after),
            moved: message.filter(|_| (300..400).contains(&code)).map(places).unwrap_or_default(),
        };
        self.events.push_back(Event::ErrandDone { errand: id, end });
    }
}
