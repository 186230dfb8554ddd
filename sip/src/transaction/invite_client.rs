//! INVITE client transaction (RFC 3261 §17.1.1, with RFC 6026 §7.2 for what follows a 2xx).

use super::timer::Timer;
use super::{Act, Row};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Calling,
    /// A provisional response has come: the peer has it, patience is without limit.
    Proceeding,
    /// Refused; the ACK is sent again for every copy of the refusal.
    Completed,
    /// Answered; 2xx of other forks may still come (RFC 6026).
    Accepted,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 100-199.
    Provisional,
    /// 200-299.
    Success,
    /// 300-699.
    Failure,
    /// One of A, B, C, D, M.
    Fired(Timer),
    /// The transport could not deliver.
    TransportFailed,
}

/// What a new transaction does.
pub const OPENING: Row<State> =
    Row { next: State::Calling, acts: &[Act::Send, Act::Start(Timer::A), Act::Start(Timer::B)] };

/// One row of the machine; `None`: absorbed, nothing changes.
pub fn row(state: State, event: Event) -> Option<Row<State>> {
    use Event::{Failure, Fired, Provisional, Success, TransportFailed};
    use State::{Accepted, Calling, Completed, Proceeding, Terminated};
    Some(match (state, event) {
        // §17.1.1.2: retransmit at T1, 2*T1, 4*T1 ... until something comes, or 64*T1.
        (Calling, Fired(Timer::A)) => Row::new(Calling, &[Act::Resend, Act::Start(Timer::A)]),
        (Calling, Fired(Timer::B)) => Row::new(Terminated, &[Act::TimedOut]),
        // Its owner has let go, or its connection broke, and no final response has come since.
        (Calling | Proceeding, Fired(Timer::C)) => Row::new(Terminated, &[Act::TimedOut]),
        (Calling | Proceeding, Provisional) => {
            Row::new(Proceeding, &[Act::StopRetransmitting, Act::StopWaiting, Act::HandUp])
        }
        (Calling | Proceeding, Success) => {
            Row::new(Accepted, &[Act::StopRetransmitting, Act::Start(Timer::M), Act::HandUp])
        }
        (Calling | Proceeding, Failure) => {
            Row::new(Completed, &[Act::StopRetransmitting, Act::Ack, Act::Start(Timer::D), Act::HandUp])
        }
        // §17.1.1.2: the ACK was lost.
        (Completed, Failure) => Row::new(Completed, &[Act::Ack]),
        (Completed, Fired(Timer::D)) => Row::new(Terminated, &[]),
        // RFC 6026 §7.2: every 2xx is the dialog layer's, which acknowledges it.
        (Accepted, Success) => Row::new(Accepted, &[Act::HandUp]),
        (Accepted, Fired(Timer::M)) => Row::new(Terminated, &[]),
        (Calling, TransportFailed) => Row::new(Terminated, &[Act::Unreachable]),
        // §17.1.1.2, figure 5: the peer has it and rings; the answer comes over another connection.
        (Proceeding, TransportFailed) => Row::new(Proceeding, &[Act::Start(Timer::C)]),
        (Completed, TransportFailed) => Row::new(Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::walk;

    const TABLE: &str = "
        Calling    Provisional     > Proceeding StopRetransmitting StopWaiting HandUp
        Calling    Success         > Accepted StopRetransmitting Start(M) HandUp
        Calling    Failure         > Completed StopRetransmitting Ack Start(D) HandUp
        Calling    Fired(A)        > Calling Resend Start(A)
        Calling    Fired(B)        > Terminated TimedOut
        Calling    Fired(C)        > Terminated TimedOut
        Calling    Fired(D)        > absorbed
        Calling    Fired(M)        > absorbed
        Calling    TransportFailed > Terminated Unreachable
        Proceeding Provisional     > Proceeding StopRetransmitting StopWaiting HandUp
        Proceeding Success         > Accepted StopRetransmitting Start(M) HandUp
        Proceeding Failure         > Completed StopRetransmitting Ack Start(D) HandUp
        Proceeding Fired(A)        > absorbed
        Proceeding Fired(B)        > absorbed
        Proceeding Fired(C)        > Terminated TimedOut
        Proceeding Fired(D)        > absorbed
        Proceeding Fired(M)        > absorbed
        Proceeding TransportFailed > Proceeding Start(C)
        Completed  Provisional     > absorbed
        Completed  Success         > absorbed
        Completed  Failure         > Completed Ack
        Completed  Fired(A)        > absorbed
        Completed  Fired(B)        > absorbed
        Completed  Fired(C)        > absorbed
        Completed  Fired(D)        > Terminated
        Completed  Fired(M)        > absorbed
        Completed  TransportFailed > Terminated
        Accepted   Provisional     > absorbed
        Accepted   Success         > Accepted HandUp
        Accepted   Failure         > absorbed
        Accepted   Fired(A)        > absorbed
        Accepted   Fired(B)        > absorbed
        Accepted   Fired(C)        > absorbed
        Accepted   Fired(D)        > absorbed
        Accepted   Fired(M)        > Terminated
        Accepted   TransportFailed > absorbed
        Terminated Provisional     > absorbed
        Terminated Success         > absorbed
        Terminated Failure         > absorbed
        Terminated Fired(A)        > absorbed
        Terminated Fired(B)        > absorbed
        Terminated Fired(C)        > absorbed
        Terminated Fired(D)        > absorbed
        Terminated Fired(M)        > absorbed
        Terminated TransportFailed > absorbed
    ";

    #[test]
    fn every_state_answers_every_event_as_rfc_3261_17_1_1_and_6026_7_2_say() {
        use State::{Accepted, Calling, Completed, Proceeding, Terminated};
        let states = [Calling, Proceeding, Completed, Accepted, Terminated];
        let events = [
            Event::Provisional,
            Event::Success,
            Event::Failure,
            Event::Fired(Timer::A),
            Event::Fired(Timer::B),
            Event::Fired(Timer::C),
            Event::Fired(Timer::D),
            Event::Fired(Timer::M),
            Event::TransportFailed,
        ];
        walk(&states, &events, row, TABLE);
    }
}
