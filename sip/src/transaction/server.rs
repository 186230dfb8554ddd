//! Non-INVITE server transaction (RFC 3261 §17.2.2).

use super::timer::Timer;
use super::{Act, Row};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Received, nothing said.
    Trying,
    /// A provisional response has gone out.
    Proceeding,
    /// Answered; copies of the request get the same answer.
    Completed,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request again.
    Request,
    /// We say 100-199.
    Provisional,
    /// We say 200-699.
    Final,
    /// Only J.
    Fired(Timer),
    /// The transport could not deliver.
    TransportFailed,
}

/// One row of the machine; `None`: absorbed, nothing changes. A transport failure changes nothing:
/// the request comes again, or it does not.
pub fn row(state: State, event: Event) -> Option<Row<State>> {
    use Event::{Final, Fired, Provisional, Request};
    use State::{Completed, Proceeding, Terminated, Trying};
    Some(match (state, event) {
        (Trying | Proceeding, Provisional) => Row::new(Proceeding, &[Act::Send]),
        (Trying | Proceeding, Final) => Row::new(Completed, &[Act::Send, Act::Start(Timer::J)]),
        (Proceeding, Request) => Row::new(Proceeding, &[Act::Resend]),
        (Completed, Request) => Row::new(Completed, &[Act::Resend]),
        (Completed, Fired(Timer::J)) => Row::new(Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::walk;

    #[test]
    fn every_state_answers_every_event_as_rfc_3261_17_2_2_says() {
        use State::{Completed, Proceeding, Terminated, Trying};
        let states = [Trying, Proceeding, Completed, Terminated];
        let events = [
            Event::Request,
            Event::Provisional,
            Event::Final,
            Event::Fired(Timer::J),
            Event::TransportFailed,
        ];
        walk(
            &states,
            &events,
            row,
            "
            Trying     Request         > absorbed
            Trying     Provisional     > Proceeding Send
            Trying     Final           > Completed Send Start(J)
            Trying     Fired(J)        > absorbed
            Trying     TransportFailed > absorbed
            Proceeding Request         > Proceeding Resend
            Proceeding Provisional     > Proceeding Send
            Proceeding Final           > Completed Send Start(J)
            Proceeding Fired(J)        > absorbed
            Proceeding TransportFailed > absorbed
            Completed  Request         > Completed Resend
            Completed  Provisional     > absorbed
            Completed  Final           > absorbed
            Completed  Fired(J)        > Terminated
            Completed  TransportFailed > absorbed
            Terminated Request         > absorbed
            Terminated Provisional     > absorbed
            Terminated Final           > absorbed
            Terminated Fired(J)        > absorbed
            Terminated TransportFailed > absorbed
            ",
        );
    }
}
