//! A session that stands: what is under way on it, and what must wait (RFC 3261 §14, §15).

use super::refresh::{Refresh, Verdict};
use super::{Credentials, Dialog};
use crate::schedule::Alarm;
use crate::transaction::{Key, Pending};
use crate::vocabulary::Method;
use bytes::Bytes;

/// An answered INVITE, until the last BYE is answered.
#[derive(Clone)]
pub struct Session {
    /// What was agreed on.
    pub dialog: Dialog,
    /// Our INVITE made it: decides how long we wait after a 491 (§14.1).
    pub is_caller: bool,
    /// For challenges within the dialog.
    pub credentials: Option<Credentials>,
    /// A 2xx of ours whose ACK has not come.
    pub unacknowledged: Option<Unacknowledged>,
    /// A re-INVITE or UPDATE of the peer that waits for our answer.
    pub theirs: Option<Theirs>,
    /// A re-INVITE of ours that waits for its answer.
    pub ours: Option<Ours>,
    /// An offer of ours that waits until it may be sent; a later one replaces it.
    pub wanted: Option<Bytes>,
    /// Wakes after a 491, or when the peer wants to be asked again.
    pub glare: Option<Alarm>,
    /// How often the peer has put the offer of ours off that waits.
    pub put_off: u8,
    /// An OPTIONS of ours is under way.
    pub probing: bool,
    /// A request of ours met a connection that was gone, and is tried over another.
    pub tries_again: bool,
    /// The description of ours that is in force: what a refresh repeats.
    pub spoken: Bytes,
    /// The session timer.
    pub refresh: Option<Refresh>,
    /// The peer understands UPDATE (RFC 3311).
    pub updates: bool,
    /// CSeq of the REFER whose sender waits for our NOTIFYs (RFC 3515 §2.4.6).
    pub referred: Option<u32>,
    /// A REFER whose sender wants no NOTIFY, and which its owner has not decided upon: the answer is all
    /// its sender hears (RFC 4488).
    pub undecided: Option<Pending>,
    /// A REFER of ours is not decided yet.
    pub refers: bool,
    /// A reliable provisional response answered before its PRACK came (RFC 3262 §3).
    pub unpracked: Option<Unpracked>,
    /// How far it is ended.
    pub ending: Ending,
    /// The Reason of its BYE.
    pub reason: Option<String>,
}

/// A reliable provisional response whose PRACK the answer did not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpracked {
    /// Its RSeq.
    pub rseq: u32,
    /// CSeq of the INVITE.
    pub cseq: u32,
    /// It carried the offer: its PRACK may bring the answer, even behind the ACK.
    pub awaits_answer: bool,
}

/// A 2xx that is repeated until its ACK comes (§13.3.1.4).
#[derive(Clone)]
pub struct Unacknowledged {
    /// CSeq of the INVITE.
    pub cseq: u32,
    /// What it answered.
    pub pending: Pending,
    /// The 2xx.
    pub bytes: Bytes,
    /// How often it has been sent.
    pub sent: u32,
    /// Wakes to repeat it.
    pub repeat: Alarm,
    /// Wakes at 64*T1.
    pub deadline: Alarm,
    /// The one that made the dialog; otherwise of a re-INVITE.
    pub is_first: bool,
    /// The 2xx carried the offer: the ACK brings the answer.
    pub awaits_answer: bool,
}

/// The peer wants to change the session.
#[derive(Clone)]
pub struct Theirs {
    /// What our response repeats.
    pub pending: Pending,
    /// INVITE, UPDATE or PRACK.
    pub method: Method,
    /// Its number.
    pub cseq: u32,
    /// It carried no offer: ours goes into the 2xx.
    pub wants_offer: bool,
    /// The session timer it asks for.
    pub timer: Verdict,
}

/// We want to change the session.
#[derive(Clone)]
pub struct Ours {
    /// The client transaction.
    pub key: Key,
    /// Our offer.
    pub sdp: Bytes,
    /// Credentials have been sent once.
    pub tried_credentials: bool,
    /// Wakes at 64*T1, to CANCEL a re-INVITE that gets nowhere, and as long after that to give it up.
    pub deadline: Alarm,
    /// The CANCEL has gone out.
    pub cancelled: bool,
}

/// How far a session is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nobody wants to.
    No,
    /// The BYE waits for the ACK of our 2xx (§15: not before). Its Reason.
    AfterAck(Option<String>),
    /// The BYE is on its way.
    ByeSent,
    /// The peer's BYE has overtaken the ACK of our 2xx, or was sent before that came: it is repeated still,
    /// or the peer's INVITE would never end.
    Left,
}

impl Session {
    /// A session on `dialog` with nothing under way.
    pub fn new(dialog: Dialog, is_caller: bool, credentials: Option<Credentials>) -> Self {
        Session {
            dialog,
            is_caller,
            credentials,
            unacknowledged: None,
            theirs: None,
            ours: None,
            wanted: None,
            glare: None,
            put_off: 0,
            probing: false,
            tries_again: false,
            spoken: Bytes::new(),
            refresh: None,
            updates: false,
            referred: None,
            undecided: None,
            refers: false,
            unpracked: None,
            ending: Ending::No,
            reason: None,
        }
    }

    /// It is ended: nothing about it is told any more.
    pub fn is_over(&self) -> bool {
        self.ending != Ending::No
    }

    /// Whether an offer of ours may go out (§14.1: one INVITE at a time, RFC 3264 §4: one offer
    /// at a time).
    pub fn may_reoffer(&self) -> bool {
        self.unacknowledged.is_none()
            && self.theirs.is_none()
            && self.ours.is_none()
            && self.glare.is_none()
            && !self.is_over()
    }
}
