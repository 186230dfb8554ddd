//! What waits to be written to one peer: counted in bytes, because a burst of a reading peer's is a
//! thousand short answers at once, and one that reads nothing is known by a write that stalls.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// Bytes that may wait for a trunk: what one step of the core answers to a carrier that fails over, some
/// eight thousand messages. Beyond it the connection is closed.
const TRUNK_MAX: usize = 8 << 20;

/// The same for everybody else.
const OTHERS_MAX: usize = 512 << 10;

/// Where the core puts what is to be written.
#[derive(Debug)]
pub(in crate::driver) struct Outbox {
    queue: mpsc::UnboundedSender<Bytes>,
    level: Arc<Level>,
}

/// How much waits, and how much may.
#[derive(Debug)]
struct Level {
    bytes: AtomicUsize,
    most: AtomicUsize,
}

/// Where a connection takes it from.
pub(super) struct Outgoing {
    queue: mpsc::UnboundedReceiver<Bytes>,
    level: Arc<Level>,
}

/// An empty one.
pub(super) fn outbox(is_trunk: bool) -> (Outbox, Outgoing) {
    let (sender, queue) = mpsc::unbounded_channel();
    let most = if is_trunk { TRUNK_MAX } else { OTHERS_MAX };
    let level = Arc::new(Level { bytes: AtomicUsize::new(0), most: AtomicUsize::new(most) });
    (Outbox { queue: sender, level: Arc::clone(&level) }, Outgoing { queue, level })
}

impl Outbox {
    /// Puts one message behind the others; false when there is no room, or nobody takes them any more.
    pub(super) fn put(&self, message: Bytes) -> bool {
        let length = message.len();
        let before = self.level.bytes.fetch_add(length, Ordering::Relaxed);
        before + length <= self.level.most.load(Ordering::Relaxed) && self.queue.send(message).is_ok()
    }
}

impl Outgoing {
    /// The next message; `None` once the core has let go and all is taken.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let message = self.queue.recv().await?;
        self.level.bytes.fetch_sub(message.len(), Ordering::Relaxed);
        Some(message)
    }

    /// Its peer turns out to be a trunk.
    pub(super) fn is_a_trunks(&self) {
        self.level.most.store(TRUNK_MAX, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_holds_bytes_and_has_room_again_once_they_are_taken() {
        let (outbox, mut outgoing) = outbox(false);
        let half = Bytes::from(vec![0; OTHERS_MAX / 2]);
        assert!(outbox.put(half.clone()) && outbox.put(half.clone()));
        assert_eq!(outgoing.next().await.map(|message| message.len()), Some(half.len()));
        assert!(outbox.put(half.clone()));
        assert!(!outbox.put(half.clone()), "full");
        outgoing.is_a_trunks();
        assert!(outbox.put(half), "a carrier's is larger");
        drop(outgoing);
        assert!(!outbox.put(Bytes::new()), "nobody takes it");
    }
}
