//! A queue in numbers, and its alarm.

use super::deadline::Due;
use super::line::Line;
use super::{Floor, QueueId};
use crate::call::event::Event;
use crate::dialplan::{ClassId, State};
use crate::time::Instant;
use std::time::Duration;

/// One queue's figures since the start. At every step `entered + moved_in = answered + gone +
/// overflowed + transferred + withdrawn + moved_out + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Items in it: waiting, ringing somewhere, being bridged, or asleep until they are due.
    pub waiting: u64,
    /// The longest wait of a live caller among them, since the INVITE.
    pub longest_wait: Duration,
    /// Items that came in from outside, those that came back included.
    pub entered: u64,
    /// Items that came from another queue.
    pub moved_in: u64,
    /// Items that went to another queue.
    pub moved_out: u64,
    /// Items that left into a conversation.
    pub answered: u64,
    /// Items whose caller left.
    pub gone: u64,
    /// Items that were answered elsewhere.
    pub overflowed: u64,
    /// Items a person gave to somebody outside.
    pub transferred: u64,
    /// Items that are no longer wanted.
    pub withdrawn: u64,
    /// Items a person chose, whatever their place.
    pub picked: u64,
    /// Of those, before a confirmed-vital one the person could have taken.
    pub picked_over_vital: u64,
    /// Whether the longest wait is beyond the plan's alarm.
    pub alarm: bool,
}

impl Floor {
    /// A queue's figures at this instant.
    pub fn figures(&self, now: Instant, queue: QueueId) -> Option<Figures> {
        let line = self.lines.get(self.place_of(queue)?)?;
        let longest_wait = line.arrivals.first().map_or(Duration::ZERO, |(arrived, _)| now.since(*arrived));
        Some(Figures { waiting: line.items, longest_wait, ..line.counts })
    }

    /// Where whoever stands first in this class came from, waiting of earlier calls counted.
    ///
    /// Looks at everything that waits: asked for a caller whose call was broken, which is rare.
    pub fn head_of(&self, class: ClassId) -> Option<Instant> {
        let same = self.items.values().filter(|item| item.class == class);
        same.map(|item| item.rank.arrived).min()
    }

    /// How each queue stands, by its place in the plan, and the centre as a whole: what a plan's
    /// conditions ask. An agent of several queues counts in each, and once in the whole.
    pub fn stand(&self, now: Instant) -> (Vec<State>, State) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let queue = |line: &Line| State {
            waiting: count(line.arrivals.len()),
            longest_wait: line.arrivals.first().map_or(Duration::ZERO, |(arrived, _)| now.since(*arrived)),
            free: count(line.idle.len()),
            signed_in: count(line.present),
        };
        let queues: Vec<State> = self.lines.iter().map(queue).collect();
        let whole = State {
            waiting: queues.iter().map(|queue| queue.waiting).sum(),
            longest_wait: queues.iter().map(|queue| queue.longest_wait).max().unwrap_or_default(),
            free: count(self.idle),
            signed_in: count(self.occupied.len()),
        };
        (queues, whole)
    }

    /// The first of a queue changed, or its alarm came due: says what the longest wait means now.
    pub(super) fn watch(&mut self, now: Instant, place: usize) {
        let line = &mut self.lines[place];
        let due = line.arrivals.first().zip(line.rule.alarm).map(|((arrived, _), alarm)| *arrived + alarm);
        let on = due.is_some_and(|due| due <= now);
        self.deadlines.put(Due::Alarm(place), &mut line.alarm_at, due.filter(|due| *due > now));
        if line.counts.alarm != on {
            line.counts.alarm = on;
            let queue = self.queue_id(place);
            self.log(Event::Alarm { queue, on });
        }
    }
}
