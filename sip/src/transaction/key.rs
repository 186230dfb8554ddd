//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3).

use crate::header::via::{MAGIC, Via};
use crate::message::{Message, Name};
use crate::vocabulary::Method;
use std::borrow::Borrow;
use std::fmt::{self, Write};
use std::sync::Arc;

/// The name of one transaction. Cheap to copy: the map, the timers and the dialog hold the same.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// A key of these words.
    pub fn new(words: &str) -> Self {
        Key(words.into())
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

// A key of an old-fashioned peer holds its Call-ID: not for the logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Writes the key a request has at the server into `words` (§17.2.3): its branch, who sent it,
/// and INVITE or another method. An ACK finds the INVITE it belongs to. A branch without the
/// cookie, or with nothing behind it (RFC 4475 §3.2.1), is no name (RFC 2543): then Call-ID, From tag, CSeq and the Via itself are.
pub fn write_server_key(words: &mut String, request: &Message<'_>, via: &Via<'_>, method: Method) {
    words.clear();
    let method = if method == Method::Ack { Method::Invite } else { method };
    let token = match request.start {
        crate::message::StartLine::Request { token, .. } if method == Method::Other => token,
        _ => method.token(),
    };
    let port = via.port.unwrap_or(5060);
    let host = via.host;
    // Writing into a String cannot fail.
    let _ = write!(words, "{token} {host}:{port} ");
    match via.branch() {
        Some(branch) if branch.len() > MAGIC.len() && branch.starts_with(MAGIC) => words.push_str(branch),
        branch => {
            write_identity(words, request);
            words.push(' ');
            words.push_str(branch.unwrap_or_default());
        }
    }
}

/// Writes what a request is recognised by when it comes again by another way (§8.2.2.2): its
/// Call-ID, From tag and CSeq.
pub fn write_merge_key(words: &mut String, request: &Message<'_>) {
    words.clear();
    write_identity(words, request);
}

fn write_identity(words: &mut String, request: &Message<'_>) {
    let call_id = request.header(Name::CallId).unwrap_or_default();
    words.push_str(&String::from_utf8_lossy(call_id));
    let number = request.cseq().map_or(0, |cseq| cseq.number);
    let tag = request.from_tag().unwrap_or_default();
    let _ = write!(words, " {tag} {number}");
}

/// Writes the key of one of our own requests into `words` (§17.1.3): the branch is ours and
/// unique, only a CANCEL shares it with its INVITE.
pub fn write_client_key(words: &mut String, branch: &str, method: Method) {
    words.clear();
    words.push_str(branch);
    if method == Method::Cancel {
        words.push_str(" CANCEL");
    }
}
