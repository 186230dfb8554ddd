//! An INVITE of the peer that rings here (RFC 3261 §13.3.1).

use super::Dialog;
use crate::schedule::Alarm;
use crate::transaction::Pending;
use bytes::Bytes;

/// Not answered yet: its dialog is early.
pub struct Ringing {
    /// The dialog it will be.
    pub dialog: Dialog,
    /// What our responses repeat.
    pub pending: Pending,
    /// The latest provisional response with its code, repeated every minute so that proxies on
    /// the way do not give the caller up (§13.3.1.1).
    pub said: Option<(u16, Bytes)>,
    /// Wakes for that.
    pub repeat: Option<Alarm>,
    /// The INVITE carried no offer: ours goes into the 2xx, the answer comes with the ACK.
    pub awaits_answer: bool,
    /// The INVITE came from a trunk: its refusal is counted.
    pub from_trunk: bool,
}
