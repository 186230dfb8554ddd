//! Checks `[callback]`: a trunk that exists, times a person can live with.

use super::{Names, find, label, within};
use crate::dialplan::CallbackPlan;
use crate::dialplan::draft::callback::CallbackDraft;
use crate::dialplan::error::{Flaw, Problem};
use std::time::Duration;

/// How long a person's phone rings when the plan does not say: most voice boxes answer before.
const RING: Duration = Duration::from_secs(45);

/// When the plan does not say: a busy line is free again soon, who is out may be back later.
const RETRY: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(900)];

/// Attempts at most. More is a nuisance to whoever does not want to answer.
const RETRIES_MAX: usize = 10;

/// How long a callback is kept when the plan does not say.
const KEEP: Duration = Duration::from_secs(4 * 3_600);

impl Names<'_> {
    pub(super) fn callback(&self, draft: &CallbackDraft) -> Result<CallbackPlan, Flaw> {
        if let Some(trunks) = self.around.trunks {
            find("trunk", &draft.trunk, trunks.iter().map(String::as_str))?;
        }
        if let Some(shown) = &draft.shown {
            let digits = shown.is.strip_prefix('+').unwrap_or(&shown.is);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Flaw::new(shown.at, Problem::Number { number: shown.is.clone() }));
            }
        }
        let retry = match &draft.retry {
            None => RETRY.to_vec(),
            Some(retry) => {
                if let Some(extra) = retry.get(RETRIES_MAX) {
                    let (key, text) = ("retry", format!("{} durations", retry.len()));
                    let bounds = "call somebody again at most ten times";
                    return Err(Flaw::new(extra.at, Problem::OutOfBounds { key, text, bounds }));
                }
                let bounds = "the next attempt follows after 10s to 24h";
                let each = retry.iter().map(|after| within(after, "retry", 10, 86_400, bounds));
                each.collect::<Result<_, _>>()?
            }
        };
        let ring = |ring| within(ring, "ring", 5, 80, "a person's phone rings between 5s and 80s");
        let keep = |keep| within(keep, "keep", 60, 604_800, "a callback is kept for 1m to 7 days (168h)");
        Ok(CallbackPlan {
            trunk: label(&draft.trunk)?,
            shown: draft.shown.as_ref().map(|shown| shown.is.clone()),
            ring: draft.ring.as_ref().map_or(Ok(RING), ring)?,
            retry,
            keep: draft.keep.as_ref().map_or(Ok(KEEP), keep)?,
            abandoned: draft.abandoned.unwrap_or(true),
            broken: draft.broken.unwrap_or(true),
        })
    }
}
