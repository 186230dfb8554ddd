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
    /// Who waits too long at the front is offered in the back as well.
    Waited,
    /// The same, of whoever waits while there are too many.
    Length,
    /// The back's callers are offered at the side while nobody there can be reached.
    Unreachable,
    /// The same, while somebody has opened it.
    Opened,
    /// When the back is too long, who waits there goes to the side.
    Moves,
    /// Who is gone without help is called back.
    Callbacks,
    /// Who waits at the front may press a key.
    Menu,
}

pub const RULES: [Rule; 9] = [
    Rule::Reserve,
    Rule::Relax,
    Rule::Waited,
    Rule::Length,
    Rule::Unreachable,
    Rule::Opened,
    Rule::Moves,
    Rule::Callbacks,
    Rule::Menu,
];

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

    /// Every queue and every way of holding a caller; `front` for `arm`, `back` for `room`, and `side`
    /// for whoever goes on from there.
    pub fn text(&self, version: u32) -> String {
        let line = |rule: Rule, text: &str| if self.has(rule) { format!("{text}\n") } else { String::new() };
        let front = line(Rule::Reserve, "reserve = 1")
            + &line(
                Rule::Relax,
                r#"relax = [{ after = "8s", add = ["room:2"] }, { after = "20s", add = ["room"] }]"#,
            );
        let back = line(Rule::Relax, r#"relax = [{ after = "10s", add = ["arm"] }]"#);
        let front = front + &self.ways_out(&[(Rule::Waited, WAITED), (Rule::Length, LENGTH)]);
        let back = back
            + &self.ways_out(&[
                (Rule::Unreachable, UNREACHABLE),
                (Rule::Opened, OPENED),
                (Rule::Moves, MOVES),
            ]);
        TEXT.replace("FRONT_ASKS", self.front.text())
            .replace("BACK_ASKS", self.back.text())
            .replace("FRONT_RULES", &front)
            .replace("BACK_RULES", &back)
            .replace("CALLBACKS", if self.has(Rule::Callbacks) { CALLBACKS } else { "" })
            .replace("MENU", if self.has(Rule::Menu) { MENU } else { "" })
            .replace("VERSION", &version.to_string())
    }

    fn ways_out(&self, rules: &[(Rule, &str)]) -> String {
        let here: Vec<&str> =
            rules.iter().filter(|(rule, _)| self.has(*rule)).map(|(_, text)| *text).collect();
        if here.is_empty() { String::new() } else { format!("overflow = [{}]\n", here.join(", ")) }
    }

    pub fn read(&self, version: u32) -> Arc<Dialplan> {
        self.read_as(version, |text| text)
    }

    pub fn read_as(&self, version: u32, spoilt: impl Fn(String) -> String) -> Arc<Dialplan> {
        let read = Dialplan::parse("evening.toml", &spoilt(self.text(version)));
        Arc::new(read.unwrap_or_else(|error| panic!("{error}")))
    }
}

const CALLBACKS: &str = r#"[callback]
trunk = "out"
shown = "+33388000015"
ring  = "20s"
retry = ["30s", "60s"]
keep  = "10m"
"#;
const MENU: &str = r#", menu = { "1" = { class = "declared" }, "2" = { tag = "flood" } }"#;
const WAITED: &str = r#"{ when = ["waited"], after = "12s", to = "queue:back", mode = "additive" }"#;
const LENGTH: &str = r#"{ when = ["length"], length = 3, to = "queue:back", mode = "additive" }"#;
const UNREACHABLE: &str =
    r#"{ when = ["nobody-reachable"], after = "2s", to = "queue:side", mode = "additive" }"#;
const OPENED: &str = r#"{ when = ["opened"], to = "queue:side", mode = "additive" }"#;
const MOVES: &str = r#"{ when = ["length"], length = 2, to = "queue:side", mode = "move" }"#;

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

CALLBACKS
[class]
vital       = { fence = true }
declared    = { target = "5s" }
partner     = { target = "10s" }
unqualified = { target = "20s" }
routine     = { target = "60s" }

[queue.front]
skills = ["arm"]
offer  = FRONT_ASKS
hold   = "answered"
announce = "welcome"
alarm  = "45s"
recall = "20s"
FRONT_RULES
[queue.back]
stage  = "regulation"
skills = ["room"]
offer  = BACK_ASKS
alarm  = "30s"
recall = "20s"
BACK_RULES
[queue.side]
skills = ["chief"]
offer  = { mode = "exclusive", ring = "6s" }

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
then = { queue = "front", class = "unqualified"MENU }

[[modifier]]
name = "cut off while waiting"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;
