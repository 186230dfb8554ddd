//! Transactions (RFC 3261 §17, RFC 6026): one request, its responses, and the patience between.
//!
//! Each of the four machines is a table of rows in a file of its own: a state and an event give
//! the next state and what to do. [`Transactions`] owns all that are alive, runs their timers and
//! sends what they say. It knows nothing of dialogs: whoever opens a client transaction leaves an
//! owner with it and gets that back with every response.

pub mod client;
pub mod invite_client;
pub mod invite_server;
mod key;
mod large;
mod layer;
mod pending;
pub mod server;
mod timer;
mod wire;

pub use key::{Key, write_client_key, write_merge_key, write_server_key};
pub use layer::{Absorbed, Loss, Report, Transactions};
pub use pending::Pending;
pub use timer::{Timer, Timers};

/// One step of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<S> {
    /// The state after it.
    pub next: S,
    /// What is done, in order.
    pub acts: &'static [Act],
}

impl<S> Row<S> {
    const fn new(next: S, acts: &'static [Act]) -> Self {
        Row { next, acts }
    }
}

/// What a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Send the message this event brought, and keep it.
    Send,
    /// Send the kept message again.
    Resend,
    /// Acknowledge the failure (RFC 3261 §17.1.1.3).
    Ack,
    /// Give the message to the transaction's owner.
    HandUp,
    /// Tell the owner that nobody answers.
    TimedOut,
    /// Tell the owner that the transport failed.
    Unreachable,
    /// Arm a timer; A, E and G only over an unreliable transport.
    Start(Timer),
    /// Arm a retransmission at T2 at once.
    StartSlow(Timer),
    /// Disarm A, E or G.
    StopRetransmitting,
    /// Disarm B.
    StopWaiting,
}

/// Walks a table: every state with every event, against the rows as written down. A missing row,
/// here or there, fails.
#[cfg(test)]
fn walk<S, E>(states: &[S], events: &[E], row: impl Fn(S, E) -> Option<Row<S>>, expected: &str)
where
    S: Copy + std::fmt::Debug,
    E: Copy + std::fmt::Debug,
{
    let mut written = expected.lines().map(str::trim).filter(|line| !line.is_empty());
    for &state in states {
        for &event in events {
            let outcome = match row(state, event) {
                None => "absorbed".to_owned(),
                Some(row) => {
                    row.acts.iter().fold(format!("{:?}", row.next), |line, act| format!("{line} {act:?}"))
                }
            };
            let line = written.next().unwrap_or("no row");
            let squeezed = line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(squeezed, format!("{state:?} {event:?} > {outcome}"));
        }
    }
    assert_eq!(written.next(), None, "a row for a state or an event that does not exist");
}
