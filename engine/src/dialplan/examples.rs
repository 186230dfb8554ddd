//! The plan's own examples, run at load: a plan whose examples fail does not serve.

use super::check::conditions::earlier;
use super::draft::proofs::{ExampleDraft, GivenDraft, RepeatDraft, StateDraft};
use super::draft::{At, Draft, one_of};
use super::error::{Flaw, Problem};
use super::grammar::HOLDS;
use super::{Dialplan, Facts, HoldMode, OwnerPlan, Repeat, Room, Routed, SkillNeed, State};
use chrono::DateTime;
use std::time::{Duration, SystemTime};

/// A part of a decision, and what the example says of it.
type Asked<'e, T> = (&'static str, &'e Option<At<T>>);

impl Dialplan {
    /// Runs every example of the draft against the checked plan.
    pub(super) fn prove(&self, draft: &Draft) -> Result<(), Flaw> {
        draft.examples.iter().try_for_each(|example| self.prove_one(example))
    }

    fn prove_one(&self, example: &ExampleDraft) -> Result<(), Flaw> {
        let given = &example.given;
        let headers: Vec<(String, String)> =
            given.headers.iter().map(|(name, value)| (name.is.clone(), value.is.clone())).collect();
        let called = given.called.is.as_str();
        let urn = given.urn.as_ref().map(|urn| urn.is.as_str());
        let mut queues = vec![State::default(); self.queues.len()];
        for (name, draft) in &given.queues {
            let names = self.queues.iter().map(|queue| queue.name.as_str());
            let place = super::check::find("queue", name, names)?;
            queues[place] = state(draft);
        }
        let facts = Facts {
            called,
            // A Request-URI that is a URN is both.
            urn: urn.or(called.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("urn:")).then_some(called)),
            trunk: given.trunk.as_ref().map_or("", |trunk| trunk.is.as_str()),
            caller: given.from.as_ref().map(|from| from.is.as_str()),
            withheld: given.withheld,
            utc: self.moment(given)?,
            repeat: given.repeat.as_ref().map(repeat).transpose()?,
            headers: &headers,
            location: match &given.location {
                Some(place) => Some(place.is.as_str()),
                None => Facts::location_in(&headers),
            },
            room: Room {
                crisis: given.crisis,
                queues: &queues,
                whole: Some(given.centre.as_ref().map_or_else(State::default, state)),
            },
        };
        self.compare(example, &self.route(&facts))
    }

    fn compare(&self, example: &ExampleDraft, routed: &Routed<'_>) -> Result<(), Flaw> {
        let expect = &example.expect;
        if let Some(hold) = &expect.hold {
            one_of("hold", hold, HOLDS)?;
        }
        let queue = self.queues.get(routed.queue as usize).map_or("", |queue| queue.name.as_str());
        let class = self.class(routed.class).map_or("", |class| class.name.as_str());
        let hold = if routed.hold == HoldMode::Answered { "answered" } else { "early" };
        let applied = owned(&routed.modifiers);
        let because = format!(
            "route `{}` won, modifiers: {}, class `{class}` in queue `{queue}`",
            routed.route,
            listed(&applied)
        );
        let fails = |at, what, found: &str, wanted: &str| {
            let quoted = |text: &str| format!("`{text}`");
            let (found, wanted) = (quoted(found), quoted(wanted));
            Err(Flaw::new(at, Problem::Example { what, found, wanted, because: because.clone() }))
        };
        let texts: [(Asked<'_, String>, &str); 6] = [
            (("service", &expect.service), routed.service),
            (("route", &expect.route), routed.route),
            (("queue", &expect.queue), queue),
            (("class", &expect.class), class),
            (("hold", &expect.hold), hold),
            (("language", &expect.language), routed.language.unwrap_or("none")),
        ];
        let mut asked = expect.owner.is_some();
        for ((what, wanted), found) in texts {
            asked |= wanted.is_some();
            match wanted {
                Some(wanted) if wanted.is != found => return fails(wanted.at, what, found, &wanted.is),
                _ => {}
            }
        }
        let keys = routed.menu.iter().flat_map(|menu| menu.keys.iter().map(|(key, _)| key.to_string()));
        let lists: [(Asked<'_, Vec<String>>, Vec<String>); 6] = [
            (("the list of modifiers", &expect.modifiers), applied.clone()),
            (("the list of tags", &expect.tags), owned(&routed.tags)),
            (
                ("the list of skills added", &expect.add),
                routed.add.iter().map(SkillNeed::to_string).collect(),
            ),
            (("what is shown", &expect.show), owned(&routed.show)),
            (("the list of menu keys", &expect.menu), keys.collect()),
            (("the list of leads", &expect.leads), routed.leads.iter().map(SkillNeed::to_string).collect()),
        ];
        for ((what, wanted), found) in lists {
            asked |= wanted.is_some();
            match wanted {
                Some(wanted) if wanted.is != found => {
                    return fails(wanted.at, what, &listed(&found), &listed(&wanted.is));
                }
                _ => {}
            }
        }
        match &expect.owner {
            Some(owner) if owner.is.meant() != routed.owner.cloned() => {
                let words = |owner: Option<OwnerPlan>| owner.map_or("nobody".to_owned(), |it| it.to_string());
                fails(owner.at, "owner", &words(routed.owner.cloned()), &words(owner.is.meant()))
            }
            _ if asked => Ok(()),
            _ => Err(Flaw::new(expect.at, Problem::ExpectsNothing { sample: "`route = \"default\"`" })),
        }
    }

    /// When the example's call comes. Only a plan without calendars may leave it out.
    fn moment(&self, given: &GivenDraft) -> Result<SystemTime, Flaw> {
        match &given.moment {
            Some(text) => moment(text),
            None if self.calendars.is_empty() => Ok(SystemTime::UNIX_EPOCH),
            None => {
                let (place, sample) = ("this example of a plan with calendars".into(), MOMENT);
                Err(Flaw::new(given.called.at, Problem::Missing { place, key: "at", sample }))
            }
        }
    }
}

const MOMENT: &str = "`at = \"2026-11-23T02:30:00+01:00\"` to `given`";

/// A moment with its offset, as plans write it.
pub(super) fn moment(text: &At<String>) -> Result<SystemTime, Flaw> {
    Dialplan::moment_of(&text.is).ok_or_else(|| Flaw::new(text.at, Problem::Moment { text: text.is.clone() }))
}

impl Dialplan {
    /// Reads a moment as plans write it: `2026-11-23T02:30:00+01:00`. `None` before 1970 too.
    pub fn moment_of(text: &str) -> Option<SystemTime> {
        let seconds = DateTime::parse_from_rfc3339(text).ok()?.timestamp();
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn repeat(draft: &RepeatDraft) -> Result<Repeat, Flaw> {
    Ok(Repeat {
        outcome: earlier(&draft.outcome)?,
        ago: draft.ago.is,
        waited: draft.waited.as_ref().map_or(Duration::ZERO, |waited| waited.is),
    })
}

fn state(draft: &StateDraft) -> State {
    let number = |value: &Option<At<i64>>| {
        value.as_ref().map_or(0, |value| u32::try_from(value.is.max(0)).unwrap_or(u32::MAX))
    };
    State {
        waiting: number(&draft.waiting),
        longest_wait: draft.longest_wait.as_ref().map_or(Duration::ZERO, |wait| wait.is),
        free: number(&draft.free),
        signed_in: number(&draft.signed_in),
    }
}
