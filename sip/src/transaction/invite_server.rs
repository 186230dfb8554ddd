//! INVITE server transaction (RFC 3261 §17.2.1, with RFC 6026 §7.1 for what follows a 2xx).

use super::timer::Timer;
use super::{Act, Row};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not answered finally; the latest provisional response is repeated for every copy.
    Proceeding,
    /// Refused; waits for the ACK.
    Completed,
    /// The refusal is acknowledged; copies of the ACK are absorbed.
    Confirmed,
    /// A 2xx has gone out; its retransmission and its ACK are the dialog's (RFC 6026).
    Accepted,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The INVITE again.
    Invite,
    /// An ACK with this transaction's branch.
    Ack,
    /// We say 100-199.
    Provisional,
    /// We say 200-299.
    Success,
    /// We say 300-699.
    Failure,
    /// One of G, H, I, L.
    Fired(Timer),
    /// The transport could not deliver.
    TransportFailed,
}

/// One row of the machine; `None`: absorbed, nothing changes.
///
/// A transport failure changes nothing: the caller's INVITE stands, and a response finds a new
/// connection (§18.2.2) or is asked for again.
pub fn row(state: State, event: Event) -> Option<Row<State>> {
    use Event::{Ack, Failure, Fired, Invite, Provisional, Success};
    use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
    Some(match (state, event) {
        (Proceeding, Invite) => Row::new(Proceeding, &[Act::Resend]),
        (Proceeding, Provisional) => Row::new(Proceeding, &[Act::Send]),
        (Proceeding, Success) => Row::new(Accepted, &[Act::Send, Act::Start(Timer::L)]),
        (Proceeding, Failure) => {
            Row::new(Completed, &[Act::Send, Act::Start(Timer::G), Act::Start(Timer::H)])
        }
        (Completed, Invite) => Row::new(Completed, &[Act::Resend]),
        (Completed, Fired(Timer::G)) => Row::new(Completed, &[Act::Resend, Act::Start(Timer::G)]),
        // §17.2.1 tells the user of a missing ACK; a refused caller has nothing left to undo.
        (Completed, Fired(Timer::H)) => Row::new(Terminated, &[]),
        (Completed, Ack) => Row::new(Confirmed, &[Act::StopRetransmitting, Act::Start(Timer::I)]),
        (Confirmed, Fired(Timer::I)) => Row::new(Terminated, &[]),
        // RFC 6026 §7.1: the dialog repeats its 2xx through the transaction, copies of the INVITE
        // are absorbed, and an ACK that wrongly bears our branch is the dialog's all the same.
        (Accepted, Success) => Row::new(Accepted, &[Act::Send]),
        (Accepted, Ack) => Row::new(Accepted, &[Act::HandUp]),
        (Accepted, Fired(Timer::L)) => Row::new(Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::walk;

    const TABLE: &str = "
        Proceeding Invite          > Proceeding Resend
        Proceeding Ack             > absorbed
        Proceeding Provisional     > Proceeding Send
        Proceeding Success         > Accepted Send Start(L)
        Proceeding Failure         > Completed Send Start(G) Start(H)
        Proceeding Fired(G)        > absorbed
        Proceeding Fired(H)        > absorbed
        Proceeding Fired(I)        > absorbed
        Proceeding Fired(L)        > absorbed
        Proceeding TransportFailed > absorbed
        Completed  Invite          > Completed Resend
        Completed  Ack             > Confirmed StopRetransmitting Start(I)
        Completed  Provisional     > absorbed
        Completed  Success         > absorbed
        Completed  Failure         > absorbed
        Completed  Fired(G)        > Completed Resend Start(G)
        Completed  Fired(H)        > Terminated
        Completed  Fired(I)        > absorbed
        Completed  Fired(L)        > absorbed
        Completed  TransportFailed > absorbed
        Confirmed  Invite          > absorbed
        Confirmed  Ack             > absorbed
        Confirmed  Provisional     > absorbed
        Confirmed  Success         > absorbed
        Confirmed  Failure         > absorbed
        Confirmed  Fired(G)        > absorbed
        Confirmed  Fired(H)        > absorbed
        Confirmed  Fired(I)        > Terminated
        Confirmed  Fired(L)        > absorbed
        Confirmed  TransportFailed > absorbed
        Accepted   Invite          > absorbed
        Accepted   Ack             > Accepted HandUp
        Accepted   Provisional     > absorbed
        Accepted   Success         > Accepted Send
        Accepted   Failure         > absorbed
        Accepted   Fired(G)        > absorbed
        Accepted   Fired(H)        > absorbed
        Accepted   Fired(I)        > absorbed
        Accepted   Fired(L)        > Terminated
        Accepted   TransportFailed > absorbed
        Terminated Invite          > absorbed
        Terminated Ack             > absorbed
        Terminated Provisional     > absorbed
        Terminated Success         > absorbed
        Terminated Failure         > absorbed
        Terminated Fired(G)        > absorbed
        Terminated Fired(H)        > absorbed
        Terminated Fired(I)        > absorbed
        Terminated Fired(L)        > absorbed
        Terminated TransportFailed > absorbed
    ";

    #[test]
    fn every_state_answers_every_event_as_rfc_3261_17_2_1_and_6026_7_1_say() {
        use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
        let states = [Proceeding, Completed, Confirmed, Accepted, Terminated];
        let events = [
            Event::Invite,
            Event::Ack,
            Event::Provisional,
            Event::Success,
            Event::Failure,
            Event::Fired(Timer::G),
            Event::Fired(Timer::H),
            Event::Fired(Timer::I),
            Event::Fired(Timer::L),
            Event::TransportFailed,
        ];
        walk(&states, &events, row, TABLE);
    }
}
