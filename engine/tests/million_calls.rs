//! I23 at length: a room played for very many calls is as small at the end as at the beginning, and
//! empty when the last caller has gone. Bytes are counted at the allocator, so that the machine's
//! own habits do not matter.

use engine::dialplan::Dialplan;
use engine::sim::{Crew, Law, LineShare, Outcome, Setup, Traffic, play};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// Counts what is allocated and not given back, and the most it ever was.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator unchanged; the counters touch no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PLAN: &str = include_str!("../../dialplans/samu.toml");

/// A busy room without end: so many calls, and the most bytes its run has held at once.
fn room(calls: f64, seed: u64) -> (Outcome, usize) {
    let line = |called: &str, share| LineShare { called: called.to_owned(), share, muted: false };
    let lines = vec![line("15", 0.7), line("116117", 0.15), line("+33388000018", 0.15)];
    let per_hour = 200.0;
    let crew = Crew {
        skills: vec!["arm".to_owned()],
        count: 14,
        later: Vec::new(),
        pages: true,
        reaction: Law::LogNormal { mean: Duration::from_secs(3), cv: 0.5 },
        absent: 0.02,
        wrap_up: Duration::from_secs(20),
    };
    let setup = Setup {
        plan: Arc::new(Dialplan::parse("samu.toml", PLAN).expect("the shipped plan is right")),
        traffic: Traffic::samu(per_hour, lines),
        crews: vec![crew],
        second: None,
        from: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_302_000),
        lasts: Duration::from_secs_f64(calls / per_hour * 3600.0),
        warm_up: Duration::ZERO,
        slice: None,
        crisis: false,
        seed,
    };
    let before = LIVE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let outcome = play(&setup);
    (outcome, MOST.load(Ordering::Relaxed) - before)
}

/// `SIM_CALLS` asks for another length: `make sim-million`.
#[test]
fn i23_ten_times_as_many_calls_need_no_more_memory_and_leave_nothing() {
    let asked = std::env::var("SIM_CALLS").ok().and_then(|calls| calls.parse().ok());
    let calls: f64 = asked.unwrap_or(20_000.0);
    let (short, least) = room(calls / 10.0, 1);
    let (long, most) = room(calls, 1);
    println!(
        "{} calls: at most {least} bytes; {} calls: at most {most} bytes; at most {} in the room at once",
        short.calls, long.calls, long.most
    );
    assert!(long.calls as f64 > calls, "redials come on top: {}", long.calls);
    for outcome in [&short, &long] {
        assert!(outcome.rested, "every map is empty at rest");
        assert_eq!((outcome.refused, outcome.order_broken), (0, 0));
        let left = outcome.calls - outcome.answered - outcome.short_abandons - outcome.abandons;
        assert_eq!(left, 0, "who came was answered or gave up");
    }
    // Figures grow with the longest wait, up to a bound; an id forgotten anywhere takes eight bytes a call.
    let grown = most.saturating_sub(least) as f64 / long.calls as f64;
    assert!(grown < 4.0, "{grown:.1} bytes a call: {most} bytes after {least}");
}
