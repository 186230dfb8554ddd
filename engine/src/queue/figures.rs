//! A queue in numbers.

use std::time::Duration;

/// One queue's figures since the start. `entered = answered + gone + moved_out + waiting` less what
/// was moved in, at every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Items in it: waiting, ringing somewhere, or being bridged.
    pub waiting: u64,
    /// The longest of them, since its INVITE.
    pub longest_wait: Duration,
    /// Items that came in from outside.
    pub entered: u64,
    /// Items that came from another queue.
    pub moved_in: u64,
    /// Items that went to another queue.
    pub moved_out: u64,
    /// Items that left into a conversation.
    pub answered: u64,
    /// Items whose caller left.
    pub gone: u64,
    /// Whether the longest wait is beyond the plan's alarm.
    pub alarm: bool,
}
