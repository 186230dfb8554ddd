//! Provisional responses that must arrive (RFC 3262), as their sender sees them.
//!
//! One is under way at a time. A caller never pays for a PRACK that does not come: the responses go on
//! without it, and so does the answer.

use crate::schedule::Alarm;
use bytes::Bytes;

/// What is said reliably on one INVITE, and what waits behind it.
#[derive(Clone, Debug)]
pub struct Reliable {
    /// The number of the last one; the first is drawn, each later one is one more (§3).
    pub rseq: u32,
    /// The one whose PRACK has not come.
    pub waiting: Option<Waiting>,
    /// The one to send next; a later one replaces it.
    pub queued: Option<(u16, Option<Bytes>)>,
    /// The 2xx that waits for the PRACK of a description (§3).
    pub held: Option<Held>,
    /// A description of ours has been acknowledged: the exchange the INVITE opened is complete.
    pub agreed: bool,
}

/// A reliable response on its way.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// How often it has been sent.
    pub sent: u32,
    /// The response.
    pub bytes: Bytes,
    /// Its code.
    pub code: u16,
    /// It carries a description.
    pub described: bool,
    /// Wakes to repeat it.
    pub repeat: Alarm,
    /// Wakes at 64*T1.
    pub deadline: Alarm,
}

/// An answer that waits.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its description.
    pub sdp: Bytes,
    /// Wakes when it has waited long enough.
    pub until: Alarm,
}

/// What happens to reliable responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// We want to say something provisional.
    Say,
    /// We want to answer.
    Answer,
    /// The PRACK of what is under way.
    Prack,
    /// A PRACK of anything else.
    Stray,
    /// 64*T1 without a PRACK.
    GaveUp,
    /// The answer has waited long enough.
    WaitedEnough,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Send it.
    Send,
    /// Keep it until the PRACK.
    Hold,
    /// Send the 2xx.
    Answer,
    /// 200 to the PRACK, then what waits.
    Confirm,
    /// 481 to the PRACK.
    Unknown,
    /// Stop repeating, then what waits.
    GoOn,
    /// Nothing.
    Nothing,
}

/// Where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is under way.
    Clear,
    /// One without a description is under way.
    Bare,
    /// One with a description is under way.
    Described,
}

impl Reliable {
    /// Nothing said yet; `rseq` is drawn, below 2^31.
    pub fn new(rseq: u32) -> Reliable {
        Reliable { rseq, waiting: None, queued: None, held: None, agreed: false }
    }

    /// Where they stand.
    pub fn state(&self) -> State {
        match &self.waiting {
            None => State::Clear,
            Some(waiting) if waiting.described => State::Described,
            Some(_) => State::Bare,
        }
    }
}

impl State {
    /// One row of the table.
    pub fn row(self, fact: Fact) -> Move {
        use State::{Bare, Clear, Described};
        match (self, fact) {
            (Clear, Fact::Say) => Move::Send,
            // §3: not before the one before it is acknowledged.
            (Bare | Described, Fact::Say) => Move::Hold,
            // §3: a 2xx need not wait for anything but a description.
            (Clear | Bare, Fact::Answer) => Move::Answer,
            (Described, Fact::Answer) => Move::Hold,
            (Bare | Described, Fact::Prack) => Move::Confirm,
            (Clear, Fact::Prack) | (_, Fact::Stray) => Move::Unknown,
            // §3 would refuse the INVITE with a 5xx: whoever calls here is not refused for that.
            (Bare | Described, Fact::GaveUp) => Move::GoOn,
            // Clear: the PRACK has come with an offer that nobody has answered.
            (Clear | Described, Fact::WaitedEnough) => Move::Answer,
            (Clear, Fact::GaveUp) | (Bare, Fact::WaitedEnough) => Move::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_answers_every_fact_as_rfc_3262_3_says() {
        let facts = [Fact::Say, Fact::Answer, Fact::Prack, Fact::Stray, Fact::GaveUp, Fact::WaitedEnough];
        let table = [
            (
                State::Clear,
                [Move::Send, Move::Answer, Move::Unknown, Move::Unknown, Move::Nothing, Move::Answer],
            ),
            (
                State::Bare,
                [Move::Hold, Move::Answer, Move::Confirm, Move::Unknown, Move::GoOn, Move::Nothing],
            ),
            (
                State::Described,
                [Move::Hold, Move::Hold, Move::Confirm, Move::Unknown, Move::GoOn, Move::Answer],
            ),
        ];
        for (state, moves) in table {
            for (fact, expected) in facts.into_iter().zip(moves) {
                assert_eq!(state.row(fact), expected, "{state:?} + {fact:?}");
            }
        }
    }
}
