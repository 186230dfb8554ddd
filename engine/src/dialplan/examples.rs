//! The plan's own examples, run at load: a plan whose examples fail does not serve.

use super::draft::{At, Draft, ExampleDraft, RepeatDraft, one_of};
use super::error::{Flaw, Problem};
use super::{Dialplan, Earlier, Facts, HoldMode, Repeat, Routed};
use chrono::DateTime;
use std::time::{Duration, SystemTime};

impl Dialplan {
    /// Runs every example of the draft against the checked plan.
    pub(super) fn prove(&self, draft: &Draft) -> Result<(), Flaw> {
        draft.examples.iter().try_for_each(|example| self.prove_one(example))
    }

    fn prove_one(&self, example: &ExampleDraft) -> Result<(), Flaw> {
        let headers: Vec<(String, String)> =
            example.headers.iter().map(|(name, value)| (name.is.clone(), value.is.clone())).collect();
        let called = example.called.is.as_str();
        let urn = example.urn.as_ref().map(|urn| urn.is.as_str());
        let facts = Facts {
            called,
            // A Request-URI that is a URN is both.
            urn: urn.or(called.starts_with("urn:").then_some(called)),
            trunk: example.trunk.as_ref().map_or("", |trunk| trunk.is.as_str()),
            caller: example.from.as_ref().map(|from| from.is.as_str()),
            withheld: example.withheld,
            utc: self.moment(example)?,
            repeat: example.repeat.as_ref().map(repeat).transpose()?,
            headers: &headers,
        };
        self.compare(example, &self.route(&facts))
    }

    fn compare(&self, example: &ExampleDraft, routed: &Routed<'_>) -> Result<(), Flaw> {
        let expect = &example.expect;
        if let Some(hold) = &expect.hold {
            one_of("hold", hold, &["answered", "early"])?;
        }
        let name = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let queue = self.queues.get(routed.queue as usize).map_or("", |queue| queue.name.as_str());
        let class = self.class(routed.class).map_or("", |class| class.name.as_str());
        let hold = if routed.hold == HoldMode::Answered { "answered" } else { "early" };
        let applied: Vec<String> = routed.modifiers.iter().map(|name| (*name).to_owned()).collect();
        let because = format!(
            "route `{}` won, modifiers: {}, class `{class}` in queue `{queue}`",
            routed.route,
            name(&applied)
        );
        let fails = |at, what, found: &str, wanted: &str| {
            let quoted = |text: &str| format!("`{text}`");
            let (found, wanted) = (quoted(found), quoted(wanted));
            Err(Flaw::new(at, Problem::Example { what, found, wanted, because: because.clone() }))
        };
        let texts: [(&'static str, &Option<At<String>>, &str); 5] = [
            ("service", &expect.service, routed.service),
            ("route", &expect.route, routed.route),
            ("queue", &expect.queue, queue),
            ("class", &expect.class, class),
            ("hold", &expect.hold, hold),
        ];
        for (what, wanted, found) in texts {
            match wanted {
                Some(wanted) if wanted.is != found => return fails(wanted.at, what, found, &wanted.is),
                _ => {}
            }
        }
        match &expect.modifiers {
            Some(wanted) if wanted.is != applied => {
                fails(wanted.at, "the list of modifiers", &name(&applied), &name(&wanted.is))
            }
            _ => Ok(()),
        }
    }

    /// When the example's call comes. Only a plan without calendars may leave it out.
    fn moment(&self, example: &ExampleDraft) -> Result<SystemTime, Flaw> {
        let Some(text) = &example.moment else {
            if self.calendars.is_empty() {
                return Ok(SystemTime::UNIX_EPOCH);
            }
            let (place, sample) = ("this example of a plan with calendars".into(), MOMENT);
            return Err(Flaw::new(example.called.at, Problem::Missing { place, key: "at", sample }));
        };
        let moment = DateTime::parse_from_rfc3339(&text.is).ok().and_then(|moment| {
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(moment.timestamp()).ok()?))
        });
        moment.ok_or_else(|| Flaw::new(text.at, Problem::Moment { text: text.is.clone() }))
    }
}

const MOMENT: &str = "`at = \"2026-11-23T02:30:00+01:00\"` to `given`";

fn repeat(draft: &RepeatDraft) -> Result<Repeat, Flaw> {
    Ok(Repeat {
        outcome: earlier(&draft.outcome)?,
        ago: draft.ago.is,
        waited: draft.waited.as_ref().map_or(Duration::ZERO, |waited| waited.is),
    })
}

/// How an earlier call ended, as plans write it.
pub(super) fn earlier(text: &At<String>) -> Result<Earlier, Flaw> {
    one_of("repeat", text, &["answered", "abandoned"])?;
    Ok(if text.is == "answered" { Earlier::Answered } else { Earlier::Abandoned })
}
