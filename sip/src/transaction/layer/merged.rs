//! One INVITE by two ways (RFC 3261 §8.2.2.2), and whether the first is known to be heard on.

use super::Transactions;
use crate::transaction::Key;

impl<O> Transactions<O> {
    /// The same request under another branch.
    pub fn merged_with(&self, merge: &str) -> Option<&Key> {
        self.merges.get(merge)
    }

    /// The sender of the INVITE with this key has heard us.
    pub fn note_heard(&mut self, key: &str) {
        if let Some(server) = self.servers.get_mut(key) {
            server.is_heard = true;
        }
    }

    /// Whether the sender of the INVITE with this key is known to have heard us.
    pub fn is_heard(&self, key: &str) -> bool {
        self.servers.get(key).is_some_and(|server| server.is_heard)
    }
}
