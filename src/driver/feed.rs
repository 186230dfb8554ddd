//! The task that owns the live feeds: one `Feed` per centre, between the core and the pages.

use engine::call::event::Entry;
use engine::id::CentreId;
use engine::io::Outcome;
use engine::time::Now;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What the core loop tells the feed; sending never waits.
#[derive(Debug)]
pub enum FeedInput {
    /// One more entry of a centre's log (`Output::Logged`).
    Logged(Entry),
    /// What became of a command (`Output::Outcome`).
    Outcome(Outcome),
    /// The centre's plan was replaced: its queues by name, in plan order.
    Queues(CentreId, Vec<String>),
}

/// Reads both clocks: the same origin as the core's.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

pub use engine::live::board::Cast;

/// Where pages and requests reach the feed task. Cheap to clone.
#[derive(Clone)]
pub struct Feeds {
    #[expect(dead_code, reason = "read by the connections")]
    inbox: mpsc::Sender<()>,
}

/// Starts the feed task; it ends when the returned sender is dropped.
/// `commands` is the core loop's inbox for wishes of pages; `registry` gets the feed's own figures.
pub fn start(
    casts: Vec<Cast>,
    epoch: u32,
    clock: Clock,
    commands: mpsc::UnboundedSender<engine::io::Input<'static>>,
    registry: &prometheus::Registry,
) -> (mpsc::UnboundedSender<FeedInput>, Feeds) {
    let (input, mut inputs) = mpsc::unbounded_channel();
    let (inbox, _pages) = mpsc::channel(1);
    let _ = (casts, epoch, clock, commands, registry);
    tokio::spawn(async move { while inputs.recv().await.is_some() {} });
    (input, Feeds { inbox })
}
