//! What a plan promises of itself (`[[simulation]]`), played and compared.

use super::setting::{self, Args};
use engine::dialplan::{Dialplan, Simulation};
use engine::sim::{Crew, Law, LineShare, Outcome, Patience, Setup, Traffic, play};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A promise and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    /// File and line.
    pub(super) place: String,
    pub(super) summary: String,
    /// A sentence for each expectation that is not met.
    pub(super) broken: Vec<String>,
}

/// Plays every simulation of the plan.
pub(super) fn keep(plan: &Arc<Dialplan>, args: &Args) -> Vec<Verdict> {
    plan.simulations().iter().map(|simulation| verdict(plan, simulation, args)).collect()
}

fn verdict(plan: &Arc<Dialplan>, simulation: &Simulation, args: &Args) -> Verdict {
    let outcome = play(&setup(plan, simulation, args));
    let place = format!("{}:{}", simulation.place.file, simulation.place.line);
    let (calls, answered) = (outcome.calls, outcome.answered);
    let p90 = outcome.all.quantile(0.9).as_secs_f64();
    let summary = format!("calls {calls}, answered {answered}, p90 {p90:.1} s");
    Verdict { broken: broken(plan, simulation, &outcome, &place), place, summary }
}

fn broken(plan: &Dialplan, simulation: &Simulation, outcome: &Outcome, place: &str) -> Vec<String> {
    let (expect, mut broken) = (&simulation.expect, Vec::new());
    let help = format!("\n --> {place}\n = help: change the plan, the people of `given`, or the expectation");
    if expect.refused.is_some_and(|most| outcome.refused > most) {
        broken.push(format!("{} callers were refused{help}", outcome.refused));
    }
    if expect.order_broken.is_some_and(|most| outcome.order_broken > most) {
        broken.push(format!("the order was broken {} times{help}", outcome.order_broken));
    }
    let left = outcome.abandons as f64 / (outcome.calls.max(1)) as f64;
    if expect.abandoned.is_some_and(|most| left > most) {
        broken.push(format!("{:.1} % left after 15 s or more{help}", 100.0 * left));
    }
    for promise in &expect.answered {
        let named = promise.class.and_then(|class| outcome.by_class.get(usize::from(class.0)));
        let spread = named.map_or(&outcome.all, |(_, spread)| spread);
        let name = promise.class.and_then(|class| plan.class(class)).map_or("all", |class| &class.name);
        let wanted = f64::from(promise.percent) / 100.0;
        let met = spread.within(promise.within);
        if met < wanted {
            let took = spread.quantile(wanted).as_secs_f64();
            let limit = promise.within.as_secs_f64();
            broken.push(format!(
                "{} % of {name} should be answered within {limit} s, it took {took:.1} s ({:.1} % were){help}",
                promise.percent,
                100.0 * met
            ));
        }
    }
    broken
}

/// The evening a simulation describes.
fn setup(plan: &Arc<Dialplan>, simulation: &Simulation, args: &Args) -> Setup {
    let given = &simulation.given;
    let crew = |(skills, count): &(Vec<String>, u32)| Crew {
        skills: skills.clone(),
        count: *count,
        later: Vec::new(),
        pages: !args.desks,
        reaction: Law::LogNormal { mean: Duration::from_secs_f64(args.reaction), cv: 0.5 },
        absent: 0.01,
        wrap_up: given.wrap_up,
    };
    let crews: Vec<Crew> = given.agents.iter().map(crew).collect();
    let mut lines = setting::lines(plan);
    if !given.calls.is_empty() {
        let line = |(called, share): &(String, f64)| LineShare {
            called: called.clone(),
            share: *share,
            muted: false,
        };
        lines = given.calls.iter().map(line).collect();
    }
    let mut traffic = Traffic::samu(given.calls_per_hour, lines);
    traffic.handling = Law::LogNormal { mean: given.handling, cv: 0.8 };
    (traffic.vital, traffic.declared) = (given.vital, given.declared);
    traffic.redial.share = given.redial;
    let then = Some(Law::Weibull { median: given.patience, shape: 1.5 });
    traffic.patience = Patience { then, ..traffic.patience };
    Setup {
        plan: Arc::clone(plan),
        traffic,
        second: setting::second(plan, &crews, args.to_doctor),
        crews,
        from: given.at.unwrap_or(SystemTime::UNIX_EPOCH + setting::SUNDAY),
        lasts: given.lasts,
        warm_up: Duration::ZERO,
        slice: None,
        crisis: given.crisis,
        seed: given.seed,
    }
}
