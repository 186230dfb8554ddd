//! Which callbacks are open, and to whom they go.

use crate::id::CallId;
use std::collections::{BTreeSet, HashMap};

/// Callbacks that have not reached anybody yet, by the number they go to.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    open: BTreeSet<CallId>,
    of: HashMap<String, BTreeSet<CallId>>,
    /// Calls that live, by the number of the one person who is on the line by them.
    on_line: HashMap<String, BTreeSet<CallId>>,
}

impl Callbacks {
    pub(crate) fn add(&mut self, number: &str, id: CallId) {
        self.open.insert(id);
        self.of.entry(number.to_owned()).or_default().insert(id);
    }

    pub(super) fn remove(&mut self, number: &str, id: CallId) {
        self.open.remove(&id);
        forget(&mut self.of, number, id);
    }

    /// The person of this number is on the line by this call.
    pub(crate) fn comes(&mut self, number: &str, id: CallId) {
        self.on_line.entry(number.to_owned()).or_default().insert(id);
    }

    /// That call is over.
    pub(super) fn goes(&mut self, number: &str, id: CallId) {
        forget(&mut self.on_line, number, id);
    }

    /// Calls by which the person of this number is on the line.
    pub(super) fn lines_of(&self, number: &str) -> Vec<CallId> {
        self.on_line.get(number).map(|lines| lines.iter().copied().collect()).unwrap_or_default()
    }

    /// Nobody is on the line, and nobody is to be called.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.open.is_empty() && self.of.is_empty() && self.on_line.is_empty()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Those that go to this number.
    pub(super) fn to(&self, number: &str) -> Vec<CallId> {
        self.of.get(number).map(|same| same.iter().copied().collect()).unwrap_or_default()
    }

    /// Every one, in the order they began.
    pub(super) fn all(&self) -> impl Iterator<Item = &CallId> {
        self.open.iter()
    }
}

fn forget(calls: &mut HashMap<String, BTreeSet<CallId>>, number: &str, id: CallId) {
    if let Some(same) = calls.get_mut(number) {
        same.remove(&id);
        if same.is_empty() {
            calls.remove(number);
        }
    }
}
