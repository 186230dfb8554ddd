//! The board as text: one block a frame, one line a fact, for scripts and logs of CI.

use super::picture::{Line, Picture, clock, time_of_day};
use super::words::Words;
use std::fmt::Write;

/// One frame.
pub(super) fn print(picture: &Picture, words: &Words) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_frame(&mut out, picture, words);
    out
}

fn write_frame(out: &mut String, picture: &Picture, words: &Words) -> std::fmt::Result {
    writeln!(out, "== {} {}{}", picture.centre, time_of_day(picture.utc), line(&picture.line, words))?;
    writeln!(out, "{}", counters(picture, words))?;
    for queue in &picture.queues {
        let classes = queue.classes.iter().map(|class| {
            let fence = if class.fenced { "!" } else { "" };
            format!("{fence}{} {} ({})", class.class, class.waiting, clock(class.longest))
        });
        let (name, waiting) = (&queue.row.queue, queue.waiting);
        write!(out, "{} {name}: {} {waiting}", words.queue, words.waiting)?;
        if let Some(longest) = queue.longest {
            write!(out, ", {} {}", words.longest, clock(longest))?;
            write!(out, ", {}", classes.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(out, "{}", if queue.row.alarm { format!(" {}", words.alarm) } else { String::new() })?;
    }
    for row in &picture.waiting {
        let fence = if row.fenced { "!" } else { "" };
        let waited = clock(picture.ago(row.arrived));
        let (class, caller, service) = (&row.class, &row.caller.0, &row.service);
        write!(out, "  {} {fence}{class} {waited} {caller} {service} {}", words.waiting, row.work)?;
        match row.offered.join(" ") {
            names if names.is_empty() => writeln!(out)?,
            names => writeln!(out, " {} {names}", words.rings_at)?,
        }
    }
    for row in &picture.agents {
        let (state, since) = (words.agent_state(row), clock(picture.ago(row.since)));
        let call = row.call.as_ref().map(|call| format!(" {} {call}", words.call)).unwrap_or_default();
        writeln!(out, "{} {}: {state}, {} {since}{call}", words.agent, row.agent, words.since)?;
    }
    for row in picture.decisions.iter().take(5) {
        let (end, because) = (Words::offer_end(row.end.as_ref()), words.because(&row.because));
        let waited = clock(row.waited);
        writeln!(out, "  {} -> {} {} {waited} {end}: {because}", row.work, row.agent, row.class)?;
    }
    Ok(())
}

/// The centre's counters and its trunks, on one line.
pub(super) fn counters(picture: &Picture, words: &Words) -> String {
    let totals = &picture.totals;
    let abandoned = totals.abandons + totals.short_abandons;
    let mut text = format!(
        "{} {} · {} {} · {} {} · {} {abandoned} · {} {}",
        words.calls,
        totals.arrived,
        words.live,
        totals.live,
        words.answered,
        totals.answered,
        words.abandoned,
        words.lost,
        totals.agents_lost,
    );
    let trunks =
        picture.trunks.iter().map(|trunk| format!("{} {}/{}", trunk.trunk, trunk.live, trunk.arrived));
    let trunks = trunks.collect::<Vec<_>>().join(", ");
    if !trunks.is_empty() {
        text.push_str(&format!(" · {}: {trunks}", words.trunks));
    }
    text
}

/// How the line does, when there is something to say about it.
pub(super) fn line(line: &Line, words: &Words) -> String {
    match line {
        Line::Up => String::new(),
        Line::Connecting => format!(" {}", words.connecting),
        Line::Down(why) => format!(" {} ({why})", words.broken),
    }
}
