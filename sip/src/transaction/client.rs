//! Non-INVITE client transaction (RFC 3261 §17.1.2).

use super::timer::Timer;
use super::{Act, Row};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Trying,
    /// A provisional response has come.
    Proceeding,
    /// The final response has come; copies of it are absorbed.
    Completed,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 100-199.
    Provisional,
    /// 200-699.
    Final,
    /// One of E, F, K.
    Fired(Timer),
    /// The transport could not deliver.
    TransportFailed,
}

/// What a new transaction does.
pub const OPENING: Row<State> =
    Row { next: State::Trying, acts: &[Act::Send, Act::Start(Timer::E), Act::Start(Timer::F)] };

/// One row of the machine; `None`: absorbed, nothing changes.
pub fn row(state: State, event: Event) -> Option<Row<State>> {
    use Event::{Final, Fired, Provisional, TransportFailed};
    use State::{Completed, Proceeding, Terminated, Trying};
    Some(match (state, event) {
        (Trying, Fired(Timer::E)) => Row::new(Trying, &[Act::Resend, Act::Start(Timer::E)]),
        // §17.1.2.2: in Proceeding the interval is T2 from the first time on.
        (Proceeding, Fired(Timer::E)) => Row::new(Proceeding, &[Act::Resend, Act::StartSlow(Timer::E)]),
        (Trying | Proceeding, Fired(Timer::F)) => Row::new(Terminated, &[Act::TimedOut]),
        (Trying | Proceeding, Provisional) => Row::new(Proceeding, &[Act::HandUp]),
        (Trying | Proceeding, Final) => {
            Row::new(Completed, &[Act::StopRetransmitting, Act::Start(Timer::K), Act::HandUp])
        }
        (Completed, Fired(Timer::K)) => Row::new(Terminated, &[]),
        (Trying | Proceeding, TransportFailed) => Row::new(Terminated, &[Act::Unreachable]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::walk;

    #[test]
    fn every_state_answers_every_event_as_rfc_3261_17_1_2_says() {
        use State::{Completed, Proceeding, Terminated, Trying};
        let states = [Trying, Proceeding, Completed, Terminated];
        let events = [
            Event::Provisional,
            Event::Final,
            Event::Fired(Timer::E),
            Event::Fired(Timer::F),
            Event::Fired(Timer::K),
            Event::TransportFailed,
        ];
        walk(
            &states,
            &events,
            row,
            "
            Trying     Provisional     > Proceeding HandUp
            Trying     Final           > Completed StopRetransmitting Start(K) HandUp
            Trying     Fired(E)        > Trying Resend Start(E)
            Trying     Fired(F)        > Terminated TimedOut
            Trying     Fired(K)        > absorbed
            Trying     TransportFailed > Terminated Unreachable
            Proceeding Provisional     > Proceeding HandUp
            Proceeding Final           > Completed StopRetransmitting Start(K) HandUp
            Proceeding Fired(E)        > Proceeding Resend StartSlow(E)
            Proceeding Fired(F)        > Terminated TimedOut
            Proceeding Fired(K)        > absorbed
            Proceeding TransportFailed > Terminated Unreachable
            Completed  Provisional     > absorbed
            Completed  Final           > absorbed
            Completed  Fired(E)        > absorbed
            Completed  Fired(F)        > absorbed
            Completed  Fired(K)        > Terminated
            Completed  TransportFailed > absorbed
            Terminated Provisional     > absorbed
            Terminated Final           > absorbed
            Terminated Fired(E)        > absorbed
            Terminated Fired(F)        > absorbed
            Terminated Fired(K)        > absorbed
            Terminated TransportFailed > absorbed
            ",
        );
    }
}
