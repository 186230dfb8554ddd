//! Figures of an outcome, as people compare them: a row of answer times for each class, and counts.

use super::promise::Verdict;
use super::words::Words;
use engine::dialplan::Dialplan;
use engine::sim::{Outcome, Spread};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// Everything one run of the command says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) plan: String,
    pub(super) version: String,
    pub(super) evenings: u32,
    /// Minutes after midnight.
    pub(super) from: u32,
    pub(super) hours: f64,
    pub(super) calls_per_hour: f64,
    pub(super) agents: Vec<String>,
    pub(super) figures: Option<Figures>,
    /// The same evenings with everybody staying.
    pub(super) without_changes: Option<Figures>,
    pub(super) variants: Vec<Variant>,
    pub(super) promises: Vec<Verdict>,
}

/// The plan with one thing changed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Variant {
    /// Names its words.
    pub(super) key: &'static str,
    pub(super) figures: Figures,
}

/// Counts and answer times.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) redials: u64,
    pub(super) answered: u64,
    pub(super) short_abandons: u64,
    pub(super) abandons: u64,
    pub(super) vital_lost: u64,
    pub(super) refused: u64,
    /// Distributions and claims compared with the order, and those out of it.
    pub(super) judged: u64,
    pub(super) order_broken: u64,
    pub(super) picked: u64,
    pub(super) alerts: u64,
    pub(super) occupancy: f64,
    pub(super) all: Row,
    /// Behind the fence on arrival.
    pub(super) confirmed: Row,
    /// Found to be vital after the answer.
    pub(super) later_vital: Row,
    /// By class on arrival.
    pub(super) classes: Vec<(String, Row)>,
    /// From the hand-over to the doctor.
    pub(super) second: Row,
}

/// Answer times of some calls, in seconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) answered: u64,
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) longest: f64,
    pub(super) within_15: f64,
    pub(super) within_60: f64,
}

impl Row {
    fn of(spread: &Spread) -> Row {
        let at = |share: f64| spread.quantile(share).as_secs_f64();
        Row {
            answered: spread.count(),
            mean: spread.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            longest: spread.longest().as_secs_f64(),
            within_15: spread.within(Duration::from_secs(15)),
            within_60: spread.within(Duration::from_secs(60)),
        }
    }
}

impl Figures {
    pub(super) fn of(outcome: &Outcome, plan: &Dialplan) -> Figures {
        let classes = plan.classes.iter().zip(&outcome.by_class);
        let met = classes.filter(|(_, (_, spread))| spread.count() > 0);
        Figures {
            calls: outcome.calls,
            redials: outcome.redials,
            answered: outcome.answered,
            short_abandons: outcome.short_abandons,
            abandons: outcome.abandons,
            vital_lost: outcome.vital_lost,
            refused: outcome.refused,
            judged: outcome.judged,
            order_broken: outcome.order_broken,
            picked: outcome.picked,
            alerts: outcome.alerts,
            occupancy: outcome.occupancy(),
            all: Row::of(&outcome.all),
            confirmed: Row::of(&outcome.confirmed),
            later_vital: Row::of(&outcome.later_vital),
            classes: met.map(|(class, (_, spread))| (class.name.clone(), Row::of(spread))).collect(),
            second: Row::of(&outcome.second),
        }
    }

    /// Every row with its name, those people ask for first.
    pub(super) fn rows<'f>(&'f self, words: &Words) -> Vec<(String, &'f Row)> {
        let mut rows = vec![
            (words.all.to_owned(), &self.all),
            (words.confirmed.to_owned(), &self.confirmed),
            (words.later_vital.to_owned(), &self.later_vital),
        ];
        rows.extend(self.classes.iter().map(|(name, row)| (name.clone(), row)));
        if self.second.answered > 0 {
            rows.push((words.second.to_owned(), &self.second));
        }
        rows
    }
}

/// The report for a terminal.
pub(super) fn table(report: &Report, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    for verdict in &report.promises {
        let word = if verdict.broken.is_empty() { "ok" } else { words.broken };
        writeln!(out, "{word} {}: {}", verdict.place, verdict.summary)?;
    }
    let Some(figures) = &report.figures else { return Ok(()) };
    writeln!(out, "{} {} — {}", report.plan, report.version, words.setting(report))?;
    writeln!(out, "{}\n", words.counts(figures))?;
    writeln!(
        out,
        "{:<28} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7}",
        words.seconds, words.answered, words.mean, "p50", "p90", "p95", "p99", words.longest, "<= 15 s"
    )?;
    for (name, row) in figures.rows(words) {
        line(out, &name, row)?;
    }
    if let Some(without) = &report.without_changes {
        writeln!(out, "\n{}", words.without_changes)?;
        for (name, row) in without.rows(words).into_iter().take(3) {
            line(out, &name, row)?;
        }
    }
    if !report.variants.is_empty() {
        writeln!(
            out,
            "\n{:<44} {:>10} {:>10} {:>10} {:>8}",
            words.variants, "p50", "p99", words.later, "<= 15 s"
        )?;
    }
    for variant in &report.variants {
        let (vital, later) = (&variant.figures.confirmed, &variant.figures.later_vital);
        let name = words.variant(variant.key);
        let share = 100.0 * variant.figures.all.within_15;
        writeln!(
            out,
            "{name:<44} {:>10.1} {:>10.1} {:>10.1} {share:>6.1} %",
            vital.p50, vital.p99, later.p99
        )?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, name: &str, row: &Row) -> io::Result<()> {
    let share = 100.0 * row.within_15;
    writeln!(
        out,
        "{name:<28} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {share:>5.1} %",
        row.answered, row.mean, row.p50, row.p90, row.p95, row.p99, row.longest
    )
}
