//! Why a call goes where it goes: the same clauses and the same steps as [`Dialplan::route`], with a
//! word on each.

use super::condition::{Case, Condition, seconds};
use super::eval::{Change, Modifier, Route};
use super::{Dialplan, Facts, HoldMode, Routed, SkillNeed};
use serde::Serialize;

/// Every route and modifier of a plan, and what each has to say about one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The plan's name.
    pub plan: String,
    /// The plan's version.
    pub version: String,
    /// The moment on the wall of the centre.
    pub wall: String,
    /// The service of the call.
    pub service: String,
    /// From the highest priority down; the default is the last.
    pub routes: Vec<Verdict>,
    /// In the order of the file.
    pub modifiers: Vec<Verdict>,
    /// What comes of it.
    pub decision: Decided,
}

/// What one route or modifier has to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// A route's.
    pub priority: Option<i64>,
    /// Whether it counts.
    pub outcome: Outcome,
    /// Each clause of its condition; none for a default.
    pub why: Vec<Reason>,
    /// What it does, or did; empty when it does not apply.
    pub does: Vec<String>,
}

/// Whether a route or a modifier counts for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The route wins.
    Wins,
    /// The route is true, and one of a higher priority wins.
    Beaten,
    /// The modifier applies.
    Applies,
    /// A clause does not hold.
    Untrue,
}

/// One clause of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Whether it holds.
    pub holds: bool,
    /// What it asks and what it found.
    pub words: String,
}

/// The decision, in names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decided {
    /// The route that wins.
    pub route: String,
    /// Where the call waits.
    pub queue: String,
    /// How urgent it is after the modifiers.
    pub class: String,
    /// `answered` or `early`.
    pub hold: &'static str,
    /// Sounds played once.
    pub announce: Vec<String>,
    /// The sound repeated then.
    pub hold_sound: String,
    /// Modifiers that applied.
    pub modifiers: Vec<String>,
    /// Seconds of an earlier wait that count.
    pub credit: u64,
    /// Keys the caller may press.
    pub menu: Vec<String>,
    /// Tags on the call.
    pub tags: Vec<String>,
    /// Skills that may answer as well.
    pub add: Vec<String>,
    /// The preferred language.
    pub language: Option<String>,
    /// What is shown beside the call.
    pub show: Vec<String>,
    /// Who is asked first: `the owner of the caller's file`, or an agent's name.
    pub owner: Option<String>,
    /// For how many seconds alone, where somebody is asked first.
    pub alone: Option<u64>,
    /// Skills nobody is asked without, before the fence.
    pub leads: Vec<String>,
}

impl Dialplan {
    /// Decides one call and says of each route and modifier why, or why not.
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let case = self.case(facts);
        let winner = self.routes.iter().find(|route| route.when.holds(&case)).unwrap_or(&self.default);
        let routes = self.routes.iter().chain([&self.default]);
        let routes = routes.map(|route| self.of_route(route, winner, &case)).collect();
        let mut routed = self.begin(winner, &case);
        let modifiers = self.modifiers.iter();
        let modifiers = modifiers.map(|modifier| self.of_modifier(modifier, &case, &mut routed)).collect();
        Explanation {
            plan: self.name.clone(),
            version: self.version.clone(),
            wall: format!("{} ({})", case.local, self.zone),
            service: routed.service.to_owned(),
            routes,
            modifiers,
            decision: self.decided(&routed),
        }
    }

    fn of_route(&self, route: &Route, winner: &Route, case: &Case<'_>) -> Verdict {
        let outcome = match route.when.holds(case) {
            _ if std::ptr::eq(route, winner) => Outcome::Wins,
            true => Outcome::Beaten,
            false => Outcome::Untrue,
        };
        let mut does = Vec::new();
        if outcome == Outcome::Wins {
            let begun = self.begin(route, case);
            does.push(format!(
                "queue {}, class {}",
                self.queue_name(begun.queue).to_owned(),
                self.class_name(&begun)
            ));
        }
        let (name, priority) = (route.name.clone(), Some(route.priority));
        Verdict { name, priority, outcome, why: self.reasons(&route.when, case), does }
    }

    fn of_modifier<'p>(
        &'p self,
        modifier: &'p Modifier,
        case: &Case<'_>,
        routed: &mut Routed<'p>,
    ) -> Verdict {
        let why = self.reasons(&modifier.when, case);
        let (name, priority) = (modifier.name.clone(), None);
        if !modifier.when.holds(case) {
            return Verdict { name, priority, outcome: Outcome::Untrue, why, does: Vec::new() };
        }
        let before = self.class_name(routed);
        self.apply(modifier, case, routed);
        let after = self.class_name(routed);
        let mut does = Vec::new();
        match modifier.change {
            Change::Nothing => {}
            _ if before != after => does.push(format!("raises {before} to {after}")),
            Change::AtLeast(_) => does.push(format!("leaves {before}, which stands as high already")),
            Change::Up(_) => does.push(format!("leaves {before}, the highest short of the fence")),
        }
        if modifier.inherit {
            does.push(format!("counts the {} waited before", seconds(routed.credit)));
        }
        does.extend(modifier.show.iter().map(|text| format!("shows \"{text}\"")));
        does.extend(modifier.tags.iter().map(|tag| format!("tags {tag}")));
        does.extend(modifier.add.iter().map(|need| format!("adds agents with {need}")));
        does.extend(modifier.language.iter().map(|language| format!("prefers agents with {language}")));
        Verdict { name, priority, outcome: Outcome::Applies, why, does }
    }

    fn reasons(&self, when: &Condition, case: &Case<'_>) -> Vec<Reason> {
        let reason = |clause: &super::condition::Clause| Reason {
            holds: clause.holds(case),
            words: clause.words(self, case),
        };
        when.0.iter().map(reason).collect()
    }

    fn decided(&self, routed: &Routed<'_>) -> Decided {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Decided {
            route: routed.route.to_owned(),
            queue: self.queue_name(routed.queue).to_owned(),
            class: self.class_name(routed),
            hold: if routed.hold == HoldMode::Answered { "answered" } else { "early" },
            announce: routed.announce.to_vec(),
            hold_sound: routed.hold_sound.to_owned(),
            modifiers: owned(&routed.modifiers),
            credit: routed.credit.as_secs(),
            menu: routed
                .menu
                .iter()
                .flat_map(|menu| menu.keys.iter().map(|(key, _)| key.to_string()))
                .collect(),
            tags: owned(&routed.tags),
            add: routed.add.iter().map(SkillNeed::to_string).collect(),
            language: routed.language.map(str::to_owned),
            show: owned(&routed.show),
            owner: routed.owner.map(ToString::to_string),
            alone: routed.owner.map(|_| routed.alone.as_secs()),
            leads: routed.leads.iter().map(SkillNeed::to_string).collect(),
        }
    }

    fn class_name(&self, routed: &Routed<'_>) -> String {
        self.class(routed.class).map(|class| class.name.clone()).unwrap_or_default()
    }
}
