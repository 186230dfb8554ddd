//! What differs between two plans, by name and not by line, and which calls it changes.

use super::condition::{Clause, Condition, seconds};
use super::eval::{Change, Modifier, Route};
use super::{
    CallbackPlan, Destination, Dialplan, Earlier, Facts, HoldMode, OfferPlan, OverflowCause, OverflowRule,
    QueuePlan, Repeat, Room, SkillNeed, Strategy,
};
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// Two plans side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Names of one plan that the other lacks or says otherwise, in the order of a plan's tables.
    pub differences: Vec<Difference>,
    /// Kinds of calls that are decided otherwise.
    pub affected: Vec<Affected>,
}

/// One named thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `number`, `calendar`, `class`, `queue`, `route`, `modifier` or `callback`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What is different.
    pub change: Changed,
}

/// How one named thing differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// Only the second plan has it; what it says.
    Added(Vec<(&'static str, String)>),
    /// Only the first plan has it.
    Removed,
    /// Each part that differs: its name, before, after. Empty for what one plan does not say.
    Parts(Vec<(&'static str, String, String)>),
}

/// One kind of call that is decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// What is called; the last kind stands for numbers no plan lists.
    pub called: String,
    /// When, and as which call of the same person; empty: always.
    pub when: Vec<String>,
    /// What becomes of it in the first plan.
    pub before: String,
    /// And in the second.
    pub after: String,
}

/// A named thing and what it says, part by part.
type Portrait = (&'static str, String, Vec<(&'static str, String)>);

/// Moments that stand for the others, on the wall of Paris.
const MOMENTS: [(&str, u64); 4] = [
    ("by day", 1_795_518_000),              // Tuesday 2026-11-24, noon
    ("at night", 1_795_557_600),            // the same day at 23:00
    ("on a Sunday", 1_795_950_000),         // 2026-11-29, noon
    ("on a public holiday", 1_778_752_800), // Ascension, Thursday 2026-05-14, noon
];

/// A number that no plan lists: exact match finds no letters.
const UNLISTED: &str = "any other number";

impl Dialplan {
    /// What differs from this plan to `other`.
    pub fn diff(&self, other: &Dialplan) -> Diff {
        let (before, after) = (self.portraits(), other.portraits());
        let mut differences = Vec::new();
        let kinds = ["number", "calendar", "class", "queue", "route", "modifier", "callback"];
        for kind in kinds {
            for (_, name, parts) in before.iter().filter(|portrait| portrait.0 == kind) {
                let change = match find(&after, kind, name) {
                    None => Changed::Removed,
                    Some(now) if now == parts => continue,
                    Some(now) => Changed::Parts(changed(parts, now)),
                };
                differences.push(Difference { kind, name: name.clone(), change });
            }
            for (_, name, parts) in after.iter().filter(|portrait| portrait.0 == kind) {
                if find(&before, kind, name).is_none() {
                    let change = Changed::Added(parts.clone());
                    differences.push(Difference { kind, name: name.clone(), change });
                }
            }
        }
        Diff { differences, affected: self.affected(other) }
    }

    /// Decides one call of each kind by both plans.
    fn affected(&self, other: &Dialplan) -> Vec<Affected> {
        let mut numbers: Vec<&str> = self.numbers().chain(other.numbers()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.push(UNLISTED);
        let repeat = |outcome, ago| {
            Some(Repeat { outcome, ago: Duration::from_secs(ago), waited: Duration::from_secs(60) })
        };
        let calls = [
            ("a first call", None),
            ("called back 5m after an answer", repeat(Earlier::Answered, 300)),
            ("called back 1m after an abandon", repeat(Earlier::Abandoned, 60)),
        ];
        let mut affected: Vec<Affected> = Vec::new();
        for called in numbers {
            let mut kinds = 0;
            let first = affected.len();
            for (moment, utc) in MOMENTS {
                for (call, repeat) in calls {
                    kinds += 1;
                    let facts = of_kind(called, utc, repeat);
                    let (before, after) = (self.outcome(&facts), other.outcome(&facts));
                    if before == after {
                        continue;
                    }
                    let when = format!("{moment}, {call}");
                    let same = |known: &&mut Affected| known.before == before && known.after == after;
                    match affected[first..].iter_mut().find(same) {
                        Some(known) => known.when.push(when),
                        None => {
                            let called = called.to_owned();
                            affected.push(Affected { called, when: vec![when], before, after });
                        }
                    }
                }
            }
            for one in &mut affected[first..] {
                if one.when.len() == kinds {
                    one.when.clear();
                }
            }
        }
        affected
    }

    /// What becomes of a call, in one line.
    fn outcome(&self, facts: &Facts<'_>) -> String {
        let decision = self.explain(facts).decision;
        let mut words =
            format!("route {}, queue {}, class {}", decision.route, decision.queue, decision.class);
        let lists = [("menu", &decision.menu), ("tags", &decision.tags), ("adds", &decision.add)];
        for (what, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            words += &format!(", {what} {}", list.join(" "));
        }
        if decision.hold == "early" {
            words += ", early media";
        }
        if decision.credit > 0 {
            words += ", the earlier wait counts";
        }
        words
    }

    fn portraits(&self) -> Vec<Portrait> {
        let mut numbers: Vec<&str> = self.numbers().collect();
        numbers.sort_unstable();
        let service = |number: &str| vec![("service", self.service(number).unwrap_or("").to_owned())];
        let mut all: Vec<Portrait> =
            numbers.into_iter().map(|number| ("number", number.to_owned(), service(number))).collect();
        all.extend(
            self.calendars
                .iter()
                .map(|calendar| ("calendar", calendar.name.clone(), vec![("hours", calendar.words())])),
        );
        all.extend(self.classes.iter().map(|class| {
            let urgency = if class.fence { "fence".to_owned() } else { seconds(class.target) };
            ("class", class.name.clone(), vec![("target", urgency)])
        }));
        all.extend(self.queues.iter().map(|queue| ("queue", queue.name.clone(), self.of_queue(queue))));
        let routes = self.routes.iter().chain([&self.default]);
        all.extend(routes.map(|route| ("route", route.name.clone(), self.about_route(route))));
        all.extend(
            self.modifiers
                .iter()
                .map(|modifier| ("modifier", modifier.name.clone(), self.about_modifier(modifier))),
        );
        all.extend(
            self.callback.iter().map(|plan| ("callback", "of the centre".to_owned(), about_callback(plan))),
        );
        all
    }

    fn of_queue(&self, queue: &QueuePlan) -> Vec<(&'static str, String)> {
        let relax = queue.relax.iter().map(|relax| format!("{} {}", seconds(relax.after), needs(&relax.add)));
        let flags = [("alert busy", queue.vital.alert_busy), ("auto-answer", queue.vital.auto_answer)];
        let vital = flags.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned());
        said(vec![
            ("stage", queue.stage.clone().unwrap_or_default()),
            ("skills", needs(&queue.skills)),
            ("relax", joined(relax)),
            ("offer", self.of_offer(&queue.offer)),
            ("vital", joined(vital)),
            ("reserve", if queue.reserve == 0 { String::new() } else { queue.reserve.to_string() }),
            ("overflow", joined(queue.overflow.iter().map(|rule| self.of_overflow(rule)))),
            ("recall", queue.recall.map(seconds).unwrap_or_default()),
            ("hold", of_hold(queue.hold)),
            ("announce", queue.announce.join(", ")),
            ("hold_sound", queue.hold_sound.clone()),
            ("alarm", queue.alarm.map(seconds).unwrap_or_default()),
        ])
    }

    fn of_offer(&self, offer: &OfferPlan) -> String {
        match offer {
            OfferPlan::Exclusive { strategy, ring } => {
                let strategy = match strategy {
                    Strategy::LongestIdle => "longest-idle".to_owned(),
                    Strategy::LeastOccupied => "least-occupied".to_owned(),
                    Strategy::Linear => "linear".to_owned(),
                    Strategy::RingSome(some) => format!("ring-{some}"),
                };
                format!("exclusive, {strategy}, ring {}", seconds(*ring))
            }
            OfferPlan::Shared { widen, phone_ring } => {
                let stages = widen.iter().map(|stage| {
                    let agents = stage.agents.map_or("all".to_owned(), |agents| agents.to_string());
                    format!("{agents} at {}", seconds(stage.at))
                });
                format!("shared, {}, phones ring {}", joined(stages), seconds(*phone_ring))
            }
            OfferPlan::Pick { push, ring } => {
                let push = push.iter().filter_map(|class| self.class(*class)).map(|class| class.name.clone());
                format!("pick, push {}, ring {}", joined(push), seconds(*ring))
            }
        }
    }

    fn of_overflow(&self, rule: &OverflowRule) -> String {
        let causes = rule.when.iter().map(|cause| match cause {
            OverflowCause::Opened => "opened".to_owned(),
            OverflowCause::NobodySignedIn => "nobody-signed-in".to_owned(),
            OverflowCause::NobodyReachable => "nobody-reachable".to_owned(),
            OverflowCause::Waited => "waited".to_owned(),
            OverflowCause::Length(length) => format!("length {length}"),
            OverflowCause::ExpectedWait(wait) => format!("expected-wait {}", seconds(*wait)),
        });
        let to = match &rule.to {
            Destination::Queue(place) => {
                format!("queue:{}", self.queues.get(*place as usize).map_or("", |queue| &queue.name))
            }
            Destination::Centre(centre) => format!("centre:{centre}"),
            Destination::Trunk { trunk, number: None } => format!("trunk:{trunk}"),
            Destination::Trunk { trunk, number: Some(number) } => format!("trunk:{trunk} {number}"),
        };
        let mode = if rule.additive { ", additive" } else { "" };
        let causes = causes.collect::<Vec<_>>().join(" or ");
        format!("{causes} after {} to {to}{mode}", seconds(rule.after))
    }

    fn about_route(&self, route: &Route) -> Vec<(&'static str, String)> {
        let keys = route.menu.iter().flat_map(|menu| &menu.keys).map(|(key, does)| {
            let class = does.class.and_then(|class| self.class(class)).map(|class| class.name.clone());
            let does: Vec<String> = class.into_iter().chain(does.tag.clone()).collect();
            format!("{key} {}", does.join(" "))
        });
        said(vec![
            ("priority", route.priority.to_string()),
            ("when", self.asks(&route.when)),
            (
                "queue",
                self.queues.get(route.queue as usize).map(|queue| queue.name.clone()).unwrap_or_default(),
            ),
            ("class", self.class(route.class).map(|class| class.name.clone()).unwrap_or_default()),
            ("hold", route.hold.map(of_hold).unwrap_or_default()),
            ("announce", route.announce.clone().unwrap_or_default().join(", ")),
            ("hold_sound", route.hold_sound.clone().unwrap_or_default()),
            ("menu", joined(keys)),
            ("tag", route.tags.join(", ")),
            ("owner", route.owner.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("alone", if route.owner.is_some() { seconds(route.alone) } else { String::new() }),
            ("leads", needs(&route.leads)),
        ])
    }

    fn about_modifier(&self, modifier: &Modifier) -> Vec<(&'static str, String)> {
        let change = match modifier.change {
            Change::Nothing => String::new(),
            Change::AtLeast(class) => self.class(class).map(|class| class.name.clone()).unwrap_or_default(),
            Change::Up(steps) => format!("{steps} up"),
        };
        said(vec![
            ("when", self.asks(&modifier.when)),
            ("class", change),
            ("inherit", if modifier.inherit { "waited".to_owned() } else { String::new() }),
            ("show", modifier.show.clone().unwrap_or_default()),
            ("tag", modifier.tags.join(", ")),
            ("add", needs(&modifier.add)),
            ("language", modifier.language.clone().unwrap_or_default()),
        ])
    }

    /// What a condition asks, whoever calls.
    fn asks(&self, when: &Condition) -> String {
        when.0.iter().map(|clause: &Clause| clause.asks(self)).collect::<Vec<_>>().join(" and ")
    }
}

/// One call of a kind, in a centre where nothing else happens.
fn of_kind(called: &str, utc: u64, repeat: Option<Repeat>) -> Facts<'_> {
    Facts {
        called,
        urn: called.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("urn:")).then_some(called),
        trunk: "",
        caller: Some("+33600000000"),
        withheld: false,
        utc: SystemTime::UNIX_EPOCH + Duration::from_secs(utc),
        repeat,
        headers: &[],
        location: None,
        room: Room::default(),
    }
}

fn find<'p>(all: &'p [Portrait], kind: &str, name: &str) -> Option<&'p Vec<(&'static str, String)>> {
    all.iter().find(|portrait| portrait.0 == kind && portrait.1 == name).map(|portrait| &portrait.2)
}

/// Each part that differs, with what both say.
fn changed(
    before: &[(&'static str, String)],
    after: &[(&'static str, String)],
) -> Vec<(&'static str, String, String)> {
    let of = |all: &[(&'static str, String)], part: &str| {
        all.iter().find(|(name, _)| *name == part).map(|(_, says)| says.clone()).unwrap_or_default()
    };
    let mut names: Vec<&'static str> = before.iter().chain(after).map(|(name, _)| *name).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let parts = names.into_iter().map(|name| (name, of(before, name), of(after, name)));
    parts.filter(|(_, before, after)| before != after).collect()
}

fn about_callback(plan: &CallbackPlan) -> Vec<(&'static str, String)> {
    let whom = [("abandoned", plan.abandoned), ("broken", plan.broken)];
    let whom = whom.iter().filter(|(_, on)| *on).map(|(whom, _)| (*whom).to_owned());
    said(vec![
        ("trunk", plan.trunk.clone()),
        ("shown", plan.shown.clone().unwrap_or_default()),
        ("ring", seconds(plan.ring)),
        ("retry", joined(plan.retry.iter().map(|after| seconds(*after)))),
        ("keep", seconds(plan.keep)),
        ("whom", joined(whom)),
    ])
}

/// Parts that say something.
fn said(parts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    parts.into_iter().filter(|(_, says)| !says.is_empty()).collect()
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn needs(needs: &[SkillNeed]) -> String {
    joined(needs.iter().map(SkillNeed::to_string))
}

fn of_hold(hold: HoldMode) -> String {
    match hold {
        HoldMode::Answered => "answered".to_owned(),
        HoldMode::Early { answer_within } => format!("early, answered within {}", seconds(answer_within)),
    }
}
