//! Which callbacks are open, and to whom they go.

use crate::id::CallId;
use std::collections::{BTreeSet, HashMap};

/// Callbacks that have not reached anybody yet, by the number they go to.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    open: BTreeSet<CallId>,
    of: HashMap<String, BTreeSet<CallId>>,
}

impl Callbacks {
    pub(crate) fn add(&mut self, number: &str, id: CallId) {
        self.open.insert(id);
        self.of.entry(number.to_owned()).or_default().insert(id);
    }

    pub(super) fn remove(&mut self, number: &str, id: CallId) {
        self.open.remove(&id);
        if let Some(same) = self.of.get_mut(number) {
            same.remove(&id);
            if same.is_empty() {
                self.of.remove(number);
            }
        }
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
