//! One INVITE of ours and every dialog its forks may make (RFC 3261 §13.2.2, §9.1).

use super::{Dialog, Theirs};
use crate::schedule::Alarm;
use crate::transaction::Key;
use crate::transport::Flow;
use bytes::Bytes;
use std::fmt;

/// What we answer digest challenges with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name of the account at the peer.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// An INVITE to be sent.
#[derive(Clone)]
pub struct Outgoing {
    /// Over which path: the registered flow of a phone, or our socket and the peer's address.
    pub flow: Flow,
    /// The Request-URI.
    pub uri: String,
    /// `"Display" <sip:user@host>`, without tag.
    pub from: String,
    /// The same for the called party.
    pub to: String,
    /// Further headers, as they are to stand in the request.
    pub headers: Vec<(String, String)>,
    /// Our offer.
    pub sdp: Vec<u8>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
}

/// An outgoing INVITE without a 2xx so far.
#[derive(Clone)]
pub struct DialogSet {
    /// Where it stands.
    pub phase: Phase,
    /// Its client transaction.
    pub key: Key,
    /// What was asked for, to ask again with credentials.
    pub outgoing: Outgoing,
    /// One Call-ID for all forks.
    pub call_id: String,
    /// One tag of ours for all forks.
    pub local_tag: String,
    /// The INVITE's number.
    pub cseq: u32,
    /// How often it has been asked.
    pub tries: u32,
    /// Credentials have been sent once; a second challenge refuses them.
    pub tried_credentials: bool,
    /// Requests stay on the path of the INVITE: the peer registered over it.
    pub stays_on_flow: bool,
    /// The Reason of the CANCEL.
    pub reason: Option<String>,
    /// Wakes when a cancelled INVITE never got its final response.
    pub give_up: Option<Alarm>,
    /// Wakes when nothing has been heard of it for a while.
    pub unheard: Option<Alarm>,
    /// A CANCEL met a connection that was gone, and has been sent over another.
    pub tries_again: bool,
    /// Forks that have spoken reliably.
    pub early: Vec<Early>,
    /// What forks, by their tags, have described last: in force when their 2xx describes nothing
    /// (RFC 6337 §2.1). As many as [`FORKS_MAX`].
    pub described: Vec<(String, Bytes)>,
    /// The session interval we ask for, and the shortest the peer's side has asked for (RFC 4028 §7.3).
    pub session: (u32, Option<u32>),
}

/// Forks of one INVITE whose provisional responses are acknowledged. Somebody's desk phone, headset
/// and voice mail are three; a fork beyond is heard and not acknowledged.
pub const FORKS_MAX: usize = 8;

/// One fork that has sent a reliable provisional response (RFC 3262 §4).
#[derive(Clone)]
pub struct Early {
    /// Its early dialog.
    pub dialog: Dialog,
    /// The number of its last one: the next is one more.
    pub rseq: u32,
    /// It has answered our offer reliably: the exchange the INVITE opened is complete.
    pub agreed: bool,
    /// An UPDATE of this fork with an offer that waits for our answer.
    pub theirs: Option<Theirs>,
    /// That offer.
    pub offer: Option<Bytes>,
    /// An UPDATE of this fork has replaced what it answered first.
    pub renewed: bool,
}

/// Where an outgoing INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing heard.
    Calling,
    /// The peer has it.
    Proceeding,
    /// Unwanted before anything was heard: the CANCEL waits for a provisional response.
    Holding,
    /// The CANCEL is on its way.
    Cancelling,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// 100-199.
    Provisional,
    /// The first 2xx.
    Success,
    /// Every fork refused, or nobody answered.
    Failure,
    /// Our side does not want it any more.
    Unwanted,
    /// 64*T1 after the CANCEL without a final response.
    GaveUp,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Go on in this phase; nothing to send.
    Stay(Phase),
    /// Tell how far it is.
    Tell,
    /// Send the CANCEL.
    Cancel,
    /// Acknowledge: the session stands.
    Stand,
    /// Acknowledge and hang up: nobody wants this answer any more.
    AckAndBye,
    /// It is over; tell.
    Fail,
    /// It is over, as our side wished.
    Vanish,
}

impl DialogSet {
    /// Our side still wants it.
    pub fn is_wanted(&self) -> bool {
        matches!(self.phase, Phase::Calling | Phase::Proceeding)
    }

    /// Notes what a fork says of its audio.
    pub fn describe(&mut self, tag: &str, sdp: Bytes) {
        let has_room = self.described.len() < FORKS_MAX;
        match self.described.iter_mut().find(|(of, _)| of == tag) {
            Some((_, before)) => *before = sdp,
            None if has_room => self.described.push((tag.to_owned(), sdp)),
            None => {}
        }
    }

    /// The UPDATE of a fork that waits for our answer, which is given: what both say is in force.
    pub fn accept_update(&mut self, answer: &[u8]) -> Option<Theirs> {
        let early = self.early.iter_mut().find(|early| early.theirs.is_some())?;
        let (theirs, tag) = (early.theirs.take(), early.dialog.remote_tag.clone());
        self.outgoing.sdp = answer.to_vec();
        if let Some(offer) = early.offer.take() {
            early.renewed = true;
            self.describe(&tag, offer);
        }
        theirs
    }

    /// What is in force with a fork that answers. Its 2xx may repeat the answer it gave first, which an
    /// UPDATE since has replaced (RFC 3261 §13.2.1: what a later response describes is ignored).
    pub fn in_force(&self, tag: &str, answer: Option<Bytes>) -> Option<Bytes> {
        let renewed = self.early.iter().any(|early| early.renewed && early.dialog.remote_tag == tag);
        let told = || self.described.iter().find(|(of, _)| of == tag).map(|(_, sdp)| sdp.clone());
        // A border may answer under another tag than it rang with: whoever answers is not hung up on for
        // that, while there is a description to send to.
        let any = || self.described.last().map(|(_, sdp)| sdp.clone());
        answer.filter(|_| !renewed).or_else(told).or_else(any)
    }
}

impl Phase {
    /// One row of the table.
    pub fn row(self, fact: Fact) -> Move {
        use Phase::{Calling, Cancelling, Holding, Proceeding};
        match (self, fact) {
            (Calling | Proceeding, Fact::Provisional) => Move::Tell,
            (Calling | Proceeding, Fact::Success) => Move::Stand,
            (Calling | Proceeding, Fact::Failure) => Move::Fail,
            // §9.1: a CANCEL must not overtake its INVITE.
            (Calling, Fact::Unwanted) => Move::Stay(Holding),
            (Holding, Fact::Provisional) | (Proceeding, Fact::Unwanted) => Move::Cancel,
            // I5: the answer that crossed our CANCEL is taken and given back at once.
            (Holding | Cancelling, Fact::Success) => Move::AckAndBye,
            (Holding | Cancelling, Fact::Failure) | (Cancelling, Fact::GaveUp) => Move::Vanish,
            (phase, Fact::GaveUp) => Move::Stay(phase),
            (Holding | Cancelling, Fact::Unwanted) => Move::Stay(self),
            (Cancelling, Fact::Provisional) => Move::Stay(Cancelling),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i5_every_interleaving_of_cancel_and_final_response_has_its_row() {
        use Phase::{Calling, Cancelling, Holding, Proceeding};
        let facts = [Fact::Provisional, Fact::Success, Fact::Failure, Fact::Unwanted, Fact::GaveUp];
        let table = [
            (Calling, [Move::Tell, Move::Stand, Move::Fail, Move::Stay(Holding), Move::Stay(Calling)]),
            (Proceeding, [Move::Tell, Move::Stand, Move::Fail, Move::Cancel, Move::Stay(Proceeding)]),
            (
                Holding,
                [Move::Cancel, Move::AckAndBye, Move::Vanish, Move::Stay(Holding), Move::Stay(Holding)],
            ),
            (
                Cancelling,
                [Move::Stay(Cancelling), Move::AckAndBye, Move::Vanish, Move::Stay(Cancelling), Move::Vanish],
            ),
        ];
        for (phase, moves) in table {
            for (fact, expected) in facts.into_iter().zip(moves) {
                assert_eq!(phase.row(fact), expected, "{phase:?} + {fact:?}");
            }
        }
    }
}
