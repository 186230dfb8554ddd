//! The plans evenings are played on.

/// One pushed queue, everybody at it.
const EXCLUSIVE: &str = r#"{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }"#;
/// Pages are invited together.
const SHARED: &str = r#"{ mode = "shared", ring = [{ at = "0s", agents = "all" }] }"#;

pub const PLANS: [(&str, &str); 3] = [(EXCLUSIVE, EXCLUSIVE), (EXCLUSIVE, SHARED), (SHARED, EXCLUSIVE)];

/// Both queues and every way of holding a caller; `front` for `arm`, `back` for `room`.
pub fn text(plan: usize, version: u32) -> String {
    let (front, back) = PLANS[plan];
    TEXT.replace("FRONT", front).replace("BACK", back).replace("VERSION", &version.to_string())
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

[class]
vital       = { fence = true }
partner     = { target = "10s" }
unqualified = { target = "20s" }
routine     = { target = "60s" }

[queue.front]
skills = ["arm"]
offer  = FRONT
hold   = "answered"
announce = "welcome"
alarm  = "45s"

[queue.back]
skills = ["room"]
offer  = BACK
alarm  = "30s"

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
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }

[[modifier]]
name = "cut off while waiting"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;
