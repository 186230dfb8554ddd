//! The plans evenings are played on: how each queue asks its agents, and the rules beside that. Every
//! rule is a part of its own, so that the smallest evening that fails has no rule it does not need.

use engine::dialplan::Dialplan;
use engine::sim::Chance;
use std::sync::Arc;

/// How a queue asks its agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    LongestIdle,
    LeastOccupied,
    Linear,
    /// Two phones at once.
    RingTwo,
    /// Every page is invited.
    Shared,
    /// One page, then two, then all.
    Widening,
    /// They choose from the list.
    Pick,
}

impl Asks {
    fn text(self) -> &'static str {
        match self {
            Asks::LongestIdle => r#"{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }"#,
            Asks::LeastOccupied => r#"{ mode = "exclusive", strategy = "least-occupied", ring = "6s" }"#,
            Asks::Linear => r#"{ mode = "exclusive", strategy = "linear", ring = "6s" }"#,
            Asks::RingTwo => r#"{ mode = "exclusive", strategy = "ring-2", ring = "6s" }"#,
            Asks::Shared => r#"{ mode = "shared", ring = [{ at = "0s", agents = "all" }] }"#,
            Asks::Widening => {
                r#"{ mode = "shared", ring = [{ at = "0s", agents = 1 }, { at = "2s", agents = 2 }, { at = "4s", agents = "all" }] }"#
            }
            Asks::Pick => r#"{ mode = "pick", push = ["vital"], ring = "6s" }"#,
        }
    }
}

/// A rule of the plan beside how queues ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The front keeps one free agent for the fence and for partners.
    Reserve,
    /// Each queue asks the other's people after a while.
    Relax,
}

pub const RULES: [Rule; 2] = [Rule::Reserve, Rule::Relax];

/// A plan as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanScript {
    pub front: Asks,
    pub back: Asks,
    pub rules: Vec<Rule>,
}

impl PlanScript {
    pub fn of(chance: &mut Chance) -> PlanScript {
        use Asks::{LeastOccupied, Linear, LongestIdle, Pick, RingTwo, Shared, Widening};
        let front = [LongestIdle, LongestIdle, LeastOccupied, Linear, RingTwo, Shared, Shared, Widening];
        let back = [LongestIdle, Shared, Widening, RingTwo, Pick, Pick];
        PlanScript {
            front: front[chance.roll(front.len())],
            back: back[chance.roll(back.len())],
            rules: RULES.into_iter().filter(|_| chance.happens(0.4)).collect(),
        }
    }

    pub fn has(&self, rule: Rule) -> bool {
        self.rules.contains(&rule)
    }

    /// The same plan without a rule.
    pub fn without(&self, rule: Option<Rule>) -> PlanScript {
        let rules = self.rules.iter().copied().filter(|it| Some(*it) != rule).collect();
        PlanScript { rules, ..self.clone() }
    }

    /// The same plan with other ways of asking.
    pub fn as_if(&self, these: &[Asks], were: Asks) -> PlanScript {
        let instead = |asks: Asks| if these.contains(&asks) { were } else { asks };
        PlanScript { front: instead(self.front), back: instead(self.back), ..self.clone() }
    }

    /// Both queues and every way of holding a caller; `front` for `arm`, `back` for `room`.
    pub fn text(&self, version: u32) -> String {
        let line = |rule: Rule, text: &str| if self.has(rule) { format!("{text}\n") } else { String::new() };
        let front = line(Rule::Reserve, "reserve = 1")
            + &line(
                Rule::Relax,
                r#"relax = [{ after = "8s", add = ["room:2"] }, { after = "20s", add = ["room"] }]"#,
            );
        let back = line(Rule::Relax, r#"relax = [{ after = "10s", add = ["arm"] }]"#);
        TEXT.replace("FRONT_ASKS", self.front.text())
            .replace("BACK_ASKS", self.back.text())
            .replace("FRONT_RULES", &front)
            .replace("BACK_RULES", &back)
            .replace("VERSION", &version.to_string())
    }

    pub fn read(&self, version: u32) -> Arc<Dialplan> {
        let read = Dialplan::parse("evening.toml", &self.text(version));
        Arc::new(read.unwrap_or_else(|error| panic!("{error}")))
    }
}

const TEXT: &str = r#"
plan     = "evening"
version  = "VERSION"
timezone = "Europe/Paris"

[numbers]
"15" = "samu"
"3115" = "early"
"18" = "partner-fire"
"1599" = "red"
"116117" = "pdsa"

[class]
vital       = { fence = true }
partner     = { target = "10s" }
unqualified = { target = "20s" }
routine     = { target = "60s" }

[queue.front]
skills = ["arm"]
offer  = FRONT_ASKS
hold   = "answered"
announce = "welcome"
alarm  = "45s"
FRONT_RULES
[queue.back]
skills = ["room"]
offer  = BACK_ASKS
alarm  = "30s"
BACK_RULES
[[route]]
name = "early"
priority = 500
when = { service = "early" }
then = { queue = "back", class = "routine", hold = { mode = "early", answer_within = "30s" } }

[[route]]
name = "fire brigade"
priority = 400
when = { service = "partner-fire" }
then = { queue = "front", class = "partner" }

[[route]]
name = "red line"
priority = 300
when = { service = "red" }
then = { queue = "front", class = "vital" }

[[route]]
name = "on-call doctor"
priority = 200
when = { service = "pdsa" }
then = { queue = "back", class = "unqualified" }

[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }

[[modifier]]
name = "cut off while waiting"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;
