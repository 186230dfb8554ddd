//! Warnings and errors of one kind are written so many times in a while, and then counted: whoever
//! makes us complain a thousand times a second fills no disk, and hides no other line.
//!
//! A kind is a place in the source. What is told of a call's life is not limited: there are as many
//! lines as calls.

use super::clock::Clock;
use engine::time::Instant;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// How long lines of a kind are counted together.
const WHILE: Duration = Duration::from_secs(10);

/// Lines of a kind in it. A room of phones that is lost at once is told in full; more says nothing a
/// count does not.
const LINES: u32 = 20;

/// The process's lines, as its log is one.
static KINDS: Mutex<Kinds> = Mutex::new(Kinds(BTreeMap::new()));
static CLOCK: OnceLock<Clock> = OnceLock::new();

fn now() -> Instant {
    CLOCK.get_or_init(|| Clock::start(Instant::ZERO)).now().at
}

/// Lets a line through while there are few of its kind.
pub(super) struct Sparing;

impl<S: Subscriber> Filter<S> for Sparing {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let kind = event.metadata();
        *kind.level() > Level::WARN
            || KINDS.lock().unwrap_or_else(PoisonError::into_inner).admits(now(), kind)
    }
}

/// Tells what was left out, once for each kind whose while is over. To be called every second or so.
pub(super) fn tell() {
    let over = KINDS.lock().unwrap_or_else(PoisonError::into_inner).over(now());
    for (kind, lines) in over {
        tracing::warn!(kind, lines, "lines were left out: there were too many of this kind");
    }
}

/// Each kind's while, by where its description lies: there are as many as places in the source.
struct Kinds(BTreeMap<usize, Kind>);

struct Kind {
    name: &'static str,
    since: Instant,
    lines: u32,
}

impl Kinds {
    fn admits(&mut self, now: Instant, kind: &'static Metadata<'static>) -> bool {
        let fresh = || Kind { name: kind.name(), since: now, lines: 0 };
        let kind = self.0.entry(std::ptr::from_ref(kind) as usize).or_insert_with(fresh);
        kind.lines = kind.lines.saturating_add(1);
        kind.lines <= LINES
    }

    /// The kinds whose while is over and of which lines were left out, and how many.
    fn over(&mut self, now: Instant) -> Vec<(&'static str, u32)> {
        let mut over = Vec::new();
        self.0.retain(|_, kind| {
            let stands = now.since(kind.since) < WHILE;
            if !stands && kind.lines > LINES {
                over.push((kind.name, kind.lines - LINES));
            }
            stands
        });
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tracing_subscriber::prelude::*;

    /// What was written, line by line.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_flood_of_warnings_is_twenty_lines_and_a_count_and_hides_no_other() {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || to.clone()).with_ansi(false);
        let log = tracing_subscriber::registry().with(lines.with_filter(Sparing));
        tracing::subscriber::with_default(log, || {
            for _ in 0..1_000 {
                tracing::warn!("somebody shouts");
                tracing::info!("a call's life");
            }
            tracing::error!("a disk is full");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let times = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!((times("shouts"), times("life"), times("disk")), (20, 1_000, 1));
        let later = now() + WHILE;
        let over = KINDS.lock().unwrap().over(later);
        assert!(over.iter().any(|(kind, left)| kind.contains("sparing.rs") && *left == 980), "{over:?}");
        assert_eq!(KINDS.lock().unwrap().over(later), [], "once");
    }
}
