//! Checks `[queue.X]`: bounds, relaxations that add, stages that reach everyone, overflow that ends at
//! people.

use super::{Names, find, hold, label, within};
use crate::dialplan::draft::queues::{OfferDraft, OverflowDraft, QueueDraft, RelaxDraft, StageDraft};
use crate::dialplan::draft::{At, Draft, Span, not_one_of, one_of};
use crate::dialplan::error::{Flaw, Problem, QueueFault};
use crate::dialplan::grammar::{CAUSES, OVERFLOWS};
use crate::dialplan::{
    ClassId, Destination, Dialplan, HoldMode, OfferPlan, OverflowCause, OverflowRule, Place, QueuePlan,
    Relax, SkillNeed, Strategy, VitalPlan, Widen,
};
use std::time::Duration;

/// How long a phone rings when the plan does not say: about two ring cadences.
const RING: Duration = Duration::from_secs(6);

/// Agents kept free at most. More than a room has; beyond, the queue would serve nobody else.
const RESERVE_MAX: i64 = 100;

/// Agents rung at once, or invited by a stage, at most: as many as the largest room seats.
const AGENTS_MAX: i64 = 1000;

impl Names<'_> {
    pub(super) fn queue(&self, draft: &QueueDraft) -> Result<QueuePlan, Flaw> {
        let skills: Vec<SkillNeed> = draft.skills.iter().map(skill).collect::<Result<_, _>>()?;
        let day = |value: &Option<At<Duration>>, key, bounds| {
            value.as_ref().map(|value| within(value, key, 1, 86_400, bounds)).transpose()
        };
        Ok(QueuePlan {
            name: label(&draft.name)?,
            stage: draft.stage.as_ref().map(label).transpose()?,
            relax: relax(&skills, &draft.relax)?,
            skills,
            offer: self.offer(&draft.offer)?,
            vital: VitalPlan {
                alert_busy: draft.vital.alert_busy.unwrap_or(VitalPlan::default().alert_busy),
                auto_answer: draft.vital.auto_answer.unwrap_or(VitalPlan::default().auto_answer),
            },
            reserve: match &draft.reserve {
                None => 0,
                Some(reserve) => count(reserve, "reserve", 0, RESERVE_MAX, "keep between 0 and 100 agents")?,
            },
            overflow: draft.overflow.iter().map(|rule| self.overflow(rule)).collect::<Result<_, _>>()?,
            recall: day(&draft.recall, "recall", "a held call is recalled after 1s to 24h")?,
            hold: draft.hold.as_ref().map_or(Ok(HoldMode::Answered), hold)?,
            announce: draft.announce.iter().map(label).collect::<Result<_, _>>()?,
            hold_sound: match &draft.hold_sound {
                Some(sound) => label(sound)?,
                None => Dialplan::HOLD_SOUND.to_owned(),
            },
            alarm: day(&draft.alarm, "alarm", "an alarm lies between 1s and 24h")?,
        })
    }

    fn offer(&self, draft: &OfferDraft) -> Result<OfferPlan, Flaw> {
        let rings = |ring: &Option<At<Duration>>| match ring {
            None => Ok(RING),
            Some(ring) => within(ring, "ring", 1, 120, "a phone rings between 1s and 120s (2m)"),
        };
        Ok(match draft {
            OfferDraft::Exclusive { strategy: named, ring } => OfferPlan::Exclusive {
                strategy: named.as_ref().map_or(Ok(Strategy::LongestIdle), strategy)?,
                ring: rings(ring)?,
            },
            OfferDraft::Shared { stages, phone_ring } => {
                OfferPlan::Shared { widen: widen(stages)?, phone_ring: rings(phone_ring)? }
            }
            OfferDraft::Pick { at, push, ring } => {
                let fenced = (0u16..).zip(&self.classes).filter(|(_, class)| class.fence);
                let fenced: Vec<(ClassId, &str)> =
                    fenced.map(|(place, class)| (ClassId(place), class.name.as_str())).collect();
                let push: Vec<ClassId> = match push {
                    None => fenced.iter().map(|(class, _)| *class).collect(),
                    Some(push) => push.iter().map(|class| self.class(class)).collect::<Result<_, _>>()?,
                };
                if let Some((_, name)) = fenced.iter().find(|(class, _)| !push.contains(class)) {
                    return Err(Flaw::new(*at, QueueFault::VitalNotPushed { class: (*name).to_owned() }));
                }
                OfferPlan::Pick { push, ring: rings(ring)? }
            }
        })
    }

    fn overflow(&self, draft: &OverflowDraft) -> Result<OverflowRule, Flaw> {
        let mut when = Vec::new();
        for cause in &draft.when {
            when.push(causes(draft, cause)?);
        }
        let alone = |key, beside, at| Err(Flaw::new(at, QueueFault::Alone { key, beside }));
        match (&draft.length, &draft.expected_wait) {
            (Some(length), _) if !draft.when.iter().any(|cause| cause.is == "length") => {
                return alone("length", "`when = [\"length\"]`", length.at);
            }
            (_, Some(wait)) if !draft.when.iter().any(|cause| cause.is == "expected-wait") => {
                return alone("expected_wait", "`when = [\"expected-wait\"]`", wait.at);
            }
            _ => {}
        }
        if let Some(mode) = &draft.mode {
            one_of("mode", mode, OVERFLOWS)?;
        }
        Ok(OverflowRule {
            when,
            after: match &draft.after {
                None => Duration::ZERO,
                Some(after) => within(after, "after", 0, 3600, "an overflow opens within an hour")?,
            },
            to: self.destination(draft)?,
            additive: draft.mode.as_ref().is_some_and(|mode| mode.is == "additive"),
        })
    }

    fn destination(&self, draft: &OverflowDraft) -> Result<Destination, Flaw> {
        let to = &draft.to;
        let named = |name: &str| At { is: name.to_owned(), at: to.at };
        if let (Some(number), false) = (&draft.number, to.is.starts_with("trunk:")) {
            return Err(Flaw::new(
                number.at,
                QueueFault::Alone { key: "number", beside: "`to = \"trunk:NAME\"`" },
            ));
        }
        match to.is.split_once(':') {
            Some(("queue", name)) => {
                let place = find("queue", &named(name), self.queues.iter().map(String::as_str))?;
                Ok(Destination::Queue(u32::try_from(place).unwrap_or(u32::MAX)))
            }
            Some(("centre", name)) => {
                let centre = label(&named(name))?;
                if let Some(centres) = self.around.centres {
                    find("centre", &named(name), centres.iter().map(String::as_str))?;
                }
                if self.around.centre.unwrap_or(&self.plan) == centre {
                    return Err(Flaw::new(to.at, QueueFault::OwnCentre { centre }));
                }
                Ok(Destination::Centre(centre))
            }
            Some(("trunk", name)) => {
                let trunk = label(&named(name))?;
                if let Some(trunks) = self.around.trunks {
                    find("trunk", &named(name), trunks.iter().map(String::as_str))?;
                }
                let number = draft.number.as_ref().map(outside).transpose()?;
                Ok(Destination::Trunk { trunk, number })
            }
            _ => Err(Flaw::new(to.at, QueueFault::Destination { text: to.is.clone() })),
        }
    }
}

impl Draft {
    /// Where queues overflow to another centre, and to which.
    pub(super) fn hops(&self, place: &dyn Fn(Span) -> Place) -> Vec<(Place, String)> {
        let rules = self.queues.iter().flat_map(|queue| &queue.overflow);
        let hops = rules
            .filter_map(|rule| Some((place(rule.to.at), rule.to.is.strip_prefix("centre:")?.to_owned())));
        hops.collect()
    }
}

/// Every chain of overflows from queue to queue ends.
pub(super) fn ends(draft: &Draft, queues: &[QueuePlan]) -> Result<(), Flaw> {
    let next = |from: usize| {
        queues[from].overflow.iter().zip(&draft.queues[from].overflow).filter_map(|(rule, draft)| match rule
            .to
        {
            Destination::Queue(to) => Some((usize::try_from(to).ok()?, draft.to.at)),
            _ => None,
        })
    };
    for first in 0..queues.len() {
        // Every queue is visited once.
        let mut seen = vec![false; queues.len()];
        let mut open = vec![vec![first]];
        while let Some(path) = open.pop() {
            let Some(last) = path.last() else { continue };
            for (to, at) in next(*last) {
                if to == first {
                    let names = path.iter().chain([&first]).map(|place| queues[*place].name.as_str());
                    let chain = names.collect::<Vec<_>>().join(" -> ");
                    return Err(Flaw::new(at, QueueFault::Circle { chain }));
                }
                if !std::mem::replace(&mut seen[to], true) {
                    open.push(path.iter().copied().chain([to]).collect());
                }
            }
        }
    }
    Ok(())
}

/// A number dialled over a trunk.
fn outside(number: &At<String>) -> Result<String, Flaw> {
    let digits = number.is.strip_prefix('+').unwrap_or(&number.is);
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Flaw::new(number.at, Problem::Number { number: number.is.clone() }));
    }
    Ok(number.is.clone())
}

fn causes(draft: &OverflowDraft, cause: &At<String>) -> Result<OverflowCause, Flaw> {
    let missing = |key, sample| {
        let place = "this `overflow`".into();
        Flaw::new(draft.at, Problem::Missing { place, key, sample })
    };
    Ok(match cause.is.as_str() {
        "opened" => OverflowCause::Opened,
        "nobody-signed-in" => OverflowCause::NobodySignedIn,
        "nobody-reachable" => OverflowCause::NobodyReachable,
        "waited" => {
            let after = draft.after.as_ref().filter(|after| after.is > Duration::ZERO);
            after.ok_or_else(|| missing("after", "`after = \"60s\"`: how long a call must have waited"))?;
            OverflowCause::Waited
        }
        "length" => {
            let sample = "`length = 20`: how many calls must wait";
            let length = draft.length.as_ref().ok_or_else(|| missing("length", sample))?;
            OverflowCause::Length(count(length, "length", 1, 10_000, "write between 1 and 10000 calls")?)
        }
        "expected-wait" => {
            let sample = "`expected_wait = \"3m\"`: the wait a call coming in has to expect";
            let wait = draft.expected_wait.as_ref().ok_or_else(|| missing("expected_wait", sample))?;
            let bounds = "an expected wait lies between 1s and 1h";
            OverflowCause::ExpectedWait(within(wait, "expected_wait", 1, 3600, bounds)?)
        }
        _ => {
            return Err(not_one_of("when", cause, CAUSES));
        }
    })
}

/// Each relaxation comes later than the one before and adds somebody.
fn relax(skills: &[SkillNeed], drafts: &[RelaxDraft]) -> Result<Vec<Relax>, Flaw> {
    let mut known = skills.to_vec();
    let mut read: Vec<Relax> = Vec::new();
    for draft in drafts {
        let after = within(&draft.after, "after", 1, 3600, "a queue widens within 1s to 1h")?;
        if read.last().is_some_and(|before| before.after >= after) {
            return Err(Flaw::new(draft.after.at, QueueFault::NotLater { key: "after" }));
        }
        let mut add = Vec::new();
        for text in &draft.add {
            let need = skill(text)?;
            if known.iter().any(|before| need.covers(before)) {
                return Err(Flaw::new(text.at, QueueFault::AddsNobody { skill: text.is.clone() }));
            }
            known.push(need.clone());
            add.push(need);
        }
        read.push(Relax { after, add });
    }
    Ok(read)
}

/// The stages of a shared offer: from the first moment, each wider, and in the end everyone.
fn widen(stages: &[StageDraft]) -> Result<Vec<Widen>, Flaw> {
    let mut read: Vec<Widen> = Vec::new();
    for stage in stages {
        let at = within(&stage.at, "at", 0, 60, "everyone is invited within a minute")?;
        let agents = match stage.agents.is {
            None => None,
            Some(number) => {
                let number = At { is: number, at: stage.agents.at };
                Some(count(&number, "agents", 1, AGENTS_MAX, "invite between 1 and 1000 agents, or \"all\"")?)
            }
        };
        match read.last() {
            None if at > Duration::ZERO => return Err(Flaw::new(stage.at.at, QueueFault::FirstStage)),
            Some(before) if before.at >= at => {
                return Err(Flaw::new(stage.at.at, QueueFault::NotLater { key: "at" }));
            }
            Some(Widen { agents: Some(fewer), .. }) if agents.is_none_or(|more| more > *fewer) => {}
            Some(_) => return Err(Flaw::new(stage.agents.at, QueueFault::NotWider)),
            None => {}
        }
        read.push(Widen { at, agents });
    }
    match (read.last(), stages.last()) {
        (None, _) => Ok(vec![Widen { at: Duration::ZERO, agents: None }]),
        (Some(Widen { agents: Some(_), .. }), Some(last)) => {
            Err(Flaw::new(last.agents.at, QueueFault::NotEveryone))
        }
        _ => Ok(read),
    }
}

/// `ring-3`: so many at once.
fn strategy(text: &At<String>) -> Result<Strategy, Flaw> {
    match text.is.as_str() {
        "longest-idle" => Ok(Strategy::LongestIdle),
        "least-occupied" => Ok(Strategy::LeastOccupied),
        "linear" => Ok(Strategy::Linear),
        other => {
            let some = other.strip_prefix("ring-").filter(|digits| !digits.starts_with(['+', '0']));
            let some = some.and_then(|digits| digits.parse().ok()).filter(|some| (2..=20).contains(some));
            some.map(Strategy::RingSome).ok_or_else(|| {
                not_one_of("strategy", text, &["longest-idle", "least-occupied", "linear", "ring-2"])
            })
        }
    }
}

pub(super) fn skill(text: &At<String>) -> Result<SkillNeed, Flaw> {
    let need = SkillNeed::parse(&text.is)
        .ok_or_else(|| Flaw::new(text.at, QueueFault::Skill { text: text.is.clone() }))?;
    label(&At { is: need.name.clone(), at: text.at })?;
    Ok(need)
}

/// A whole number within its bounds.
pub(super) fn count(
    value: &At<i64>,
    key: &'static str,
    least: i64,
    most: i64,
    bounds: &'static str,
) -> Result<u32, Flaw> {
    let number = u32::try_from(value.is).ok().filter(|_| (least..=most).contains(&value.is));
    number
        .ok_or_else(|| Flaw::new(value.at, Problem::OutOfBounds { key, text: value.is.to_string(), bounds }))
}
