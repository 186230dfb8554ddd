//! `bandeau simulate`: plays a plan before the night it matters, on a model of traffic, with the real
//! order and offers; and holds a plan to what it promises of itself.
//!
//! Figures go to the terminal, as JSON, or as one page that needs nothing else.

mod setting;

mod figures;
mod promise;

mod page;
mod words;

#[cfg(test)]
mod tests;

pub use setting::{Args, Lang};

use engine::dialplan::Dialplan;
use engine::sim::{Outcome, play};
use figures::{Figures, Report, Variant};
use std::io::{self, Write};
use std::sync::Arc;

/// What a shell sees when a plan is wrong, cannot be read, or breaks a promise.
const WRONG: u8 = 2;

/// Plays the plan. Gives the exit code: 0, or 2.
///
/// # Errors
/// When `out` or `err`, or the page, cannot be written.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let name = args.plan.display().to_string();
    let text = match std::fs::read_to_string(&args.plan) {
        Ok(text) => text,
        Err(why) => {
            writeln!(err, "error: cannot read dialplan `{name}`: {why}\n = help: correct the path")?;
            return Ok(WRONG);
        }
    };
    let read = || Dialplan::parse(&name, &text);
    let plan = match read() {
        Ok(plan) => Arc::new(plan),
        Err(wrong) => {
            writeln!(err, "{wrong}")?;
            return Ok(WRONG);
        }
    };
    let setting = match setting::of(args, &plan) {
        Ok(setting) => setting,
        Err(why) => {
            writeln!(err, "error: {why}")?;
            return Ok(WRONG);
        }
    };
    let promises = promise::keep(&plan, args);
    let (mut evening, mut without) = (None, None);
    let mut variants = Vec::new();
    if !args.promises_only {
        evening = Some(evenings(&setting, &plan, args));
        if setting.has_changes() {
            without = Some(Figures::of(&evenings(&setting.without_changes(), &plan, args), &plan));
        }
        for (key, change) in setting::VARIANTS {
            let Ok(mut plan) = read() else { break };
            change(&mut plan);
            let plan = Arc::new(plan);
            let figures = Figures::of(&evenings(&setting, &plan, args), &plan);
            variants.push(Variant { key, figures });
        }
    }
    let report = Report {
        plan: plan.name.clone(),
        version: plan.version.clone(),
        evenings: args.evenings,
        from: setting.from,
        hours: args.hours,
        calls_per_hour: setting.traffic.per_hour,
        agents: setting.rota(),
        figures: evening.as_ref().map(|evening| Figures::of(evening, &plan)),
        without_changes: without,
        variants,
        promises,
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        figures::table(&report, words::of(args.lang), out)?;
    }
    if let (Some(path), Some(evening)) = (&args.html, &evening) {
        std::fs::write(path, page::page(&report, evening, words::of(args.lang)))?;
    }
    let kept = report.promises.iter().all(|verdict| verdict.broken.is_empty());
    for broken in report.promises.iter().flat_map(|verdict| &verdict.broken) {
        writeln!(err, "error: {broken}")?;
    }
    Ok(if kept { 0 } else { WRONG })
}

/// So many evenings of the same setting, as one; each has callers of its own.
fn evenings(setting: &setting::Setting, plan: &Arc<Dialplan>, args: &Args) -> Outcome {
    let mut outcome = play(&setting.setup(plan, args.seed));
    for nth in 1..u64::from(args.evenings) {
        outcome.add_all(&play(&setting.setup(plan, args.seed.wrapping_add(nth))));
    }
    outcome
}
