//! The rules a phone of ours is held to (`edges.md`). A trunk is not: what can be understood of a
//! carrier's request is done.

use super::Endpoint;
use super::incoming::UNDERSTOOD;
use crate::dialog::text;
use crate::message::{Message, Name};
use crate::time::Instant;
use crate::transaction::Pending;
use crate::vocabulary::Method;

/// What we read of a body that describes a session.
const SESSIONS: &str = "application/sdp";

/// Keys somebody has pressed: all an INFO tells us.
const KEYS: &str = "application/dtmf-relay, application/dtmf";

/// A rule that is broken: the answer, and the header that says what we would have taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) header: (&'static str, String),
}

impl Endpoint {
    /// Refuses a request within a dialog that breaks a rule; true when it did. Whoever hangs up has
    /// hung up, whatever else the BYE says.
    pub(super) fn refuse_within(&mut self, now: Instant, message: &Message<'_>, pending: &Pending) -> bool {
        let refusal = match message.method() {
            Some(Method::Bye | Method::Ack | Method::Cancel) => None,
            Some(Method::Info) => lacking(message).or_else(|| unread_info(message)),
            Some(Method::Invite | Method::Update | Method::Prack) => {
                lacking(message).or_else(|| unread_session(message))
            }
            _ => lacking(message),
        };
        let Some(Refusal { code, header: (name, value) }) = refusal else { return false };
        self.reply(now, pending, code, &[(name, &value)]);
        true
    }
}

/// The extensions a request requires that we lack (RFC 3261 §8.2.2.3).
pub(super) fn lacking(message: &Message<'_>) -> Option<Refusal> {
    lacking_beside(message, &[])
}

/// The same where more is understood than in a call.
pub(super) fn lacking_beside(message: &Message<'_>, more: &[&str]) -> Option<Refusal> {
    let known = |tag: &&str| UNDERSTOOD.iter().chain(more).any(|known| known.eq_ignore_ascii_case(tag));
    let tags: Vec<&str> = message.require().filter(|tag| !known(tag)).collect();
    let header = ("Unsupported", tags.join(", "));
    (!tags.is_empty()).then_some(Refusal { code: 420, header })
}

/// A body of an INVITE or what follows it in which no description can be found (§8.2.3).
pub(super) fn unread_session(message: &Message<'_>) -> Option<Refusal> {
    if message.sdp().is_some() {
        return squeezed(message);
    }
    unread(message, SESSIONS)
}

/// RFC 6086 §4.2.2: no Info Package is ours; what is older than packages may tell keys.
fn unread_info(message: &Message<'_>) -> Option<Refusal> {
    if message.named("Info-Package").next().is_some() {
        return Some(Refusal { code: 469, header: ("Recv-Info", String::new()) });
    }
    unread(message, KEYS)
}

fn unread(message: &Message<'_>, read: &str) -> Option<Refusal> {
    let may_be_left = message.header(Name::ContentDisposition).is_some_and(|value| {
        let value = text(value).to_ascii_lowercase();
        value.split(';').skip(1).any(|param| param.replace(' ', "") == "handling=optional") // §20.11
    });
    if message.body().is_empty() || may_be_left {
        return None;
    }
    if let Some(squeezed) = squeezed(message) {
        return Some(squeezed);
    }
    let declared = text(message.header(Name::ContentType)?);
    let kind = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Of many parts the one we want is taken, and the others are somebody else's.
    let is_read = kind.starts_with("multipart/") || read.split(", ").any(|known| known == kind);
    (!is_read).then(|| Refusal { code: 415, header: ("Accept", read.to_owned()) })
}

/// A body that would have to be unpacked (§20.12).
fn squeezed(message: &Message<'_>) -> Option<Refusal> {
    let mut codings = message.named("Content-Encoding").chain(message.named("e"));
    let is_squeezed = codings.any(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"identity"));
    let header = ("Accept-Encoding", "identity".to_owned());
    (is_squeezed && !message.body().is_empty()).then_some(Refusal { code: 415, header })
}
