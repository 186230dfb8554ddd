//! One page: where it stands in each topic, and the little that may wait for its socket.

use super::board::Board;
use super::row::{Key, Row};
use super::view::{Topic, Viewer};
use super::wire::{Change, Reason, Seen, ServerMessage};
use bytes::Bytes;
use std::collections::VecDeque;

/// Frames handed to the socket and not yet written. More hides a slow page from us, fewer lets a
/// fast one idle.
pub(super) const IN_FLIGHT_MAX: usize = 4;
/// Messages that may wait behind those: offers, outcomes, pings. State never waits here, it is
/// made when there is room. Real pages stay under ten.
pub(super) const WAITING_MAX: usize = 128;
/// Bytes of the same. An offer is half a kilobyte.
pub(super) const WAITING_BYTES_MAX: usize = 256 * 1024;

/// What a page is owed of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    /// An answer to where it says it stands.
    Answer { epoch: u32, v: u64 },
    /// Everything.
    Snapshot(Reason),
    /// What changed: the page stands at `sent`; nothing it may see changed up to `looked`.
    Deltas { sent: u64, looked: u64 },
}

/// A topic a page follows.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) topic: Topic,
    pub(super) name: String,
    pub(super) owed: Owed,
    /// Where the page must stand when it answers the latest ping: frames keep their order.
    pub(super) at_ping: u64,
}

impl Subscription {
    /// What to tell the page so that it stands where the board does; `None`: it already does.
    pub(super) fn next(&mut self, viewer: &Viewer, board: &Board) -> Option<ServerMessage> {
        let (rows, epoch, topic) = (board.rows(), board.epoch(), self.name.clone());
        let v = rows.v();
        // Where the page stands decides the kind of answer, each case one row.
        self.owed = match self.owed {
            Owed::Answer { epoch: held, .. } if held != epoch => Owed::Snapshot(Reason::Epoch),
            Owed::Answer { v: held, .. } if held > v => Owed::Snapshot(Reason::Ahead),
            Owed::Answer { v: held, .. } if held < rows.floor() => Owed::Snapshot(Reason::Behind),
            Owed::Deltas { looked, .. } if looked < rows.floor() => Owed::Snapshot(Reason::Behind),
            owed => owed,
        };
        let (pv, answers) = match self.owed {
            Owed::Snapshot(reason) => {
                self.owed = Owed::Deltas { sent: v, looked: v };
                let shown = rows.all().filter(|(key, _)| self.topic.holds(key));
                let changes = shown.map(|(key, row)| Change {
                    key: key.to_string(),
                    row: Some(viewer.cut(key, row, board)),
                });
                return Some(ServerMessage::Snapshot { topic, epoch, v, reason, changes: changes.collect() });
            }
            Owed::Answer { v, .. } => (v, true),
            Owed::Deltas { sent, looked } if looked < v => {
                if !rows.since(looked).any(|(key, _)| self.topic.holds(key)) {
                    self.owed = Owed::Deltas { sent, looked: v };
                    return None;
                }
                (sent, false)
            }
            Owed::Deltas { .. } => return None,
        };
        self.owed = Owed::Deltas { sent: v, looked: v };
        let changes = changes(self.topic, pv, viewer, board);
        Some(match (answers, changes.is_empty()) {
            (true, true) => ServerMessage::UpToDate { topic, epoch, v },
            (true, false) => ServerMessage::Replay { topic, epoch, pv, v, changes },
            (false, _) => ServerMessage::Delta { topic, epoch, pv, v, changes },
        })
    }

    /// Whether the page is owed an answer it waits for, not just the next board.
    pub(super) fn is_awaited(&self) -> bool {
        self.topic.is_urgent() || !matches!(self.owed, Owed::Deltas { .. })
    }
}

fn changes(topic: Topic, after: u64, viewer: &Viewer, board: &Board) -> Vec<Change> {
    let shown = board.rows().since(after).filter(|(key, _)| topic.holds(key));
    let cut = |key: &Key, row: Option<&Row>| row.map(|row| viewer.cut(key, row, board));
    shown.map(|(key, row)| Change { key: key.to_string(), row: cut(key, row) }).collect()
}

/// One connected page.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) viewer: Viewer,
    pub(super) greeted: bool,
    pub(super) subscriptions: Vec<Subscription>,
    /// The tab's own id, if it has said one.
    pub(super) tab: Option<String>,
    /// It is among its agent's pages.
    pub(super) counted: bool,
    /// The number of the latest ping.
    pub(super) pinged: u64,
    /// Pings without a pong.
    pub(super) unanswered: u8,
    /// Commands without an outcome.
    pub(super) pending: usize,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    in_flight: usize,
}

impl Session {
    pub(super) fn new(viewer: Viewer) -> Session {
        Session {
            viewer,
            greeted: false,
            subscriptions: Vec::new(),
            tab: None,
            counted: false,
            pinged: 0,
            unanswered: 0,
            pending: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: 0,
        }
    }

    /// Whether a state frame may be made: nothing waits, and the socket takes it.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.in_flight < IN_FLIGHT_MAX
    }

    /// Lets a message wait for the socket. False: the buffer ran over, everything that waited is
    /// dropped, and every topic is owed from the start.
    pub(super) fn push(&mut self, frame: Bytes) -> bool {
        self.waiting_bytes += frame.len();
        self.waiting.push_back(frame);
        // One frame alone may be longer than the buffer (a snapshot): it goes straight on.
        let over = self.waiting.len() > WAITING_MAX
            || self.waiting.len() > 1 && self.waiting_bytes > WAITING_BYTES_MAX;
        if over {
            self.waiting.clear();
            self.waiting_bytes = 0;
            for subscription in &mut self.subscriptions {
                subscription.owed = Owed::Snapshot(Reason::Overflow);
            }
        }
        !over
    }

    /// The next frame for the socket, while it has room.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        if self.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let frame = self.waiting.pop_front()?;
        self.waiting_bytes -= frame.len(); // `push` added the same length
        self.in_flight += 1;
        Some(frame)
    }

    /// A ping follows: its pong must not stand behind what has been sent before it.
    pub(super) fn ping(&mut self, n: u64) {
        self.pinged = n;
        self.unanswered += 1;
        for one in &mut self.subscriptions {
            one.at_ping = if let Owed::Deltas { sent, .. } = one.owed { sent } else { 0 };
        }
    }

    /// The page answers a ping; how many topics it turns out to have missed something of.
    pub(super) fn pong(&mut self, n: u64, seen: &[Seen]) -> u64 {
        self.unanswered = 0;
        let mut missed = 0;
        for Seen { topic, v } in seen.iter().filter(|_| n == self.pinged) {
            let Some(one) = self.subscriptions.iter_mut().find(|one| one.name == *topic) else { continue };
            if *v < one.at_ping {
                one.owed = Owed::Snapshot(Reason::Asked);
                missed += 1;
            }
        }
        missed
    }

    /// The socket has written one frame.
    pub(super) fn written(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}
