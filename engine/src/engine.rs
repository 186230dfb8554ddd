//! The engine: one owner of every centre's calls, queues and log. Inputs in, outputs out.

use crate::io::{Input, Output};
use crate::site::Site;
use crate::time::{Instant, Now};
use std::collections::VecDeque;

/// Everything one process serves. No lock, no clock, no socket: the driver hands it what happened
/// and carries out what it answers.
pub struct Engine {
    site: Site,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// An engine at rest. `seed` feeds tags, branches and nonces; the driver takes it from the
    /// operating system, tests choose it.
    pub fn new(site: Site, seed: u64) -> Engine {
        let _ = seed;
        Engine { site, outputs: VecDeque::new() }
    }

    /// Takes one thing that happened. Cannot fail: what a peer gets wrong ends in an [`Output`].
    pub fn handle_input(&mut self, now: Now, input: Input<'_>) {
        let _ = (now, input);
    }

    /// What to do next, in order, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Due`] if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// True when nothing lives: no call, dialog, transaction, offer or reserved port.
    pub fn is_idle(&self) -> bool {
        true
    }

    /// Calls that are not over.
    pub fn live_calls(&self) -> usize {
        0
    }

    /// What it serves.
    pub fn site(&self) -> &Site {
        &self.site
    }
}
