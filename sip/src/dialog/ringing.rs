//! An INVITE of the peer that rings here (RFC 3261 §13.3.1).

use super::refresh::Verdict;
use super::reliable::Reliable;
use super::{Credentials, Dialog, Theirs};
use crate::schedule::Alarm;
use crate::transaction::Pending;
use bytes::Bytes;

/// Not answered yet: its dialog is early.
#[derive(Clone)]
pub struct Ringing {
    /// The dialog it will be.
    pub dialog: Dialog,
    /// What our responses repeat.
    pub pending: Pending,
    /// CSeq of the INVITE.
    pub cseq: u32,
    /// The latest provisional response, said again every minute so that proxies on the way do not
    /// give the caller up (§13.3.1.1).
    pub said: Option<(u16, Option<Bytes>)>,
    /// Wakes for that.
    pub repeat: Option<Alarm>,
    /// The caller acknowledges provisional responses (RFC 3262).
    pub reliable: Option<Box<Reliable>>,
    /// The INVITE carried no offer: ours goes into the first reliable response or the 2xx, the
    /// answer comes with its PRACK or ACK.
    pub awaits_answer: bool,
    /// Our offer has been answered by a PRACK: nothing more is described in the 2xx.
    pub described: bool,
    /// An UPDATE or a PRACK of the caller with an offer that waits for our answer.
    pub theirs: Option<Theirs>,
    /// The session timer the INVITE asks for.
    pub timer: Verdict,
    /// What the peer is answered when it challenges what we ask.
    pub credentials: Option<Credentials>,
    /// The caller understands UPDATE.
    pub updates: bool,
    /// The INVITE came from a trunk: nothing of it is refused for its form, and a refusal is counted.
    pub from_trunk: bool,
}

impl Ringing {
    /// An offer of the caller's is accepted: an answer that waits describes what is in force from here on.
    pub fn accept(&mut self, sdp: &[u8]) -> Option<Theirs> {
        let theirs = self.theirs.take()?;
        if let Some(held) = self.reliable.as_mut().and_then(|reliable| reliable.held.as_mut()) {
            held.sdp = Bytes::copy_from_slice(sdp);
        }
        Some(theirs)
    }
}
