//! Checks `[[simulation]]`: people some queue asks for, numbers of the plan, and a promise.

use super::queues::{count, skill};
use super::{Names, find, within};
use crate::dialplan::draft::At;
use crate::dialplan::draft::proofs::{PromiseDraft, SimulationDraft};
use crate::dialplan::error::{Flaw, Problem};
use crate::dialplan::eval::Modifier;
use crate::dialplan::examples::moment;
use crate::dialplan::grammar::ALL;
use crate::dialplan::{Answered, Place, Promise, QueuePlan, Simulation, Traffic};
use std::time::Duration;

/// How exactly shares must add up to one: they are written with a few digits.
const SHARES_OFF: f64 = 0.001;

impl Names<'_> {
    pub(super) fn simulation(
        &self,
        draft: &SimulationDraft,
        asked: &[String],
        place: Place,
    ) -> Result<Simulation, Flaw> {
        let agents = draft.agents.iter().map(|(skills, number)| agents(skills, number, asked));
        let share = |share: &Option<At<f64>>, key, usual| match share {
            None => Ok(usual),
            Some(share) => number(share, key, 0.0, 1.0, "a share lies between 0 and 1"),
        };
        let hours = number(&draft.hours, "hours", 0.01, 168.0, "simulate between 0.01 hours and a week")?;
        let at = match (&draft.moment, self.calendars.is_empty()) {
            (Some(text), _) => Some(moment(text)?),
            (None, true) => None,
            (None, false) => {
                let place = "this simulation of a plan with calendars".into();
                let sample = "`at = \"2026-11-29T10:00:00+01:00\"` to `given`";
                return Err(Flaw::new(draft.at, Problem::Missing { place, key: "at", sample }));
            }
        };
        let given = Traffic {
            agents: agents.collect::<Result<_, _>>()?,
            calls_per_hour: number(
                &draft.calls_per_hour,
                "calls_per_hour",
                0.1,
                100_000.0,
                "write between 0.1 and 100000 calls",
            )?,
            handling: within(&draft.handling, "handling", 1, 86_400, "a conversation lasts 1s to 24h")?,
            wrap_up: draft.wrap_up.as_ref().map_or(Duration::ZERO, |wrap_up| wrap_up.is),
            vital: share(&draft.vital, "vital", 0.03)?,
            declared: share(&draft.declared, "declared", 0.1)?,
            patience: match &draft.patience {
                None => Duration::from_secs(120),
                Some(patience) => within(patience, "patience", 1, 86_400, "callers wait 1s to 24h")?,
            },
            redial: share(&draft.redial, "redial", 0.6)?,
            calls: self.calls(&draft.calls)?,
            at,
            lasts: Duration::from_secs_f64(hours * 3600.0),
            crisis: draft.crisis,
            seed: match &draft.seed {
                None => 1,
                Some(seed) => at_least_zero(seed, "seed")?,
            },
        };
        Ok(Simulation { given, expect: self.promise(&draft.expect)?, place })
    }

    fn calls(&self, drafts: &[(At<String>, At<f64>)]) -> Result<Vec<(String, f64)>, Flaw> {
        let mut calls = Vec::new();
        for (called, share) in drafts {
            find("number", called, self.numbers.iter().map(String::as_str))?;
            let share = number(share, "calls", 0.0, 1.0, "a share lies between 0 and 1")?;
            calls.push((called.is.clone(), share));
        }
        let sum: f64 = calls.iter().map(|(_, share)| share).sum();
        match drafts.last() {
            Some((_, last)) if (sum - 1.0).abs() > SHARES_OFF => {
                let text = format!("{sum:.3} in all");
                let bounds = "the shares of all numbers add up to 1";
                Err(Flaw::new(last.at, Problem::OutOfBounds { key: "calls", text, bounds }))
            }
            _ => Ok(calls),
        }
    }

    fn promise(&self, draft: &PromiseDraft) -> Result<Promise, Flaw> {
        let mut answered = Vec::new();
        for (class, percent, within_) in &draft.answered_within {
            let class = if class.is == ALL { None } else { Some(self.class(class)?) };
            let digits = percent.is.strip_prefix('p').filter(|digits| !digits.starts_with(['+', '0']));
            let parsed = digits.and_then(|digits| digits.parse().ok()).filter(|p| (1..=100).contains(p));
            let percent = parsed.ok_or_else(|| {
                let wanted = "a percentile: `p90 = \"15s\"`";
                Flaw::new(percent.at, Problem::Window { text: percent.is.clone(), wanted })
            })?;
            answered.push(Answered { class, percent, within: within_.is });
        }
        let promise = Promise {
            refused: draft.refused.as_ref().map(|n| at_least_zero(n, "refused")).transpose()?,
            order_broken: draft
                .order_broken
                .as_ref()
                .map(|n| at_least_zero(n, "order_broken"))
                .transpose()?,
            abandoned: match &draft.abandoned {
                None => None,
                Some(share) => Some(number(share, "abandoned", 0.0, 1.0, "a share lies between 0 and 1")?),
            },
            answered,
        };
        if promise == Promise::default() {
            return Err(Flaw::new(draft.at, Problem::ExpectsNothing { sample: "`refused = 0`" }));
        }
        Ok(promise)
    }
}

/// People with these skills, each of which the plan asks for somewhere.
fn agents(skills: &At<String>, number: &At<i64>, asked: &[String]) -> Result<(Vec<String>, u32), Flaw> {
    let mut held = Vec::new();
    for part in skills.is.split('+') {
        let part = At { is: part.to_owned(), at: skills.at };
        let name = skill(&part)?.name;
        find("skill", &At { is: name, at: skills.at }, asked.iter().map(String::as_str))?;
        held.push(part.is);
    }
    Ok((held, count(number, "agents", 1, 1000, "write between 1 and 1000 people")?))
}

/// The name of every skill a plan asks for, each once.
pub(super) fn asked(queues: &[QueuePlan], modifiers: &[Modifier]) -> Vec<String> {
    let of_queues = queues
        .iter()
        .flat_map(|queue| queue.skills.iter().chain(queue.relax.iter().flat_map(|relax| &relax.add)));
    let added = modifiers.iter().flat_map(|modifier| &modifier.add);
    let languages = modifiers.iter().filter_map(|modifier| modifier.language.clone());
    let mut names: Vec<String> =
        of_queues.chain(added).map(|need| need.name.clone()).chain(languages).collect();
    names.sort();
    names.dedup();
    names
}

fn number(
    value: &At<f64>,
    key: &'static str,
    least: f64,
    most: f64,
    bounds: &'static str,
) -> Result<f64, Flaw> {
    if (least..=most).contains(&value.is) {
        return Ok(value.is);
    }
    Err(Flaw::new(value.at, Problem::OutOfBounds { key, text: value.is.to_string(), bounds }))
}

fn at_least_zero(value: &At<i64>, key: &'static str) -> Result<u64, Flaw> {
    u64::try_from(value.is).map_err(|_| {
        let bounds = "write a whole number from 0";
        Flaw::new(value.at, Problem::OutOfBounds { key, text: value.is.to_string(), bounds })
    })
}
