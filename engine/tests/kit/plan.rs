//! The plan of the tests: one pushed queue, every way of holding a caller, vital and partner lines.

pub const TEXT: &str = r#"
plan     = "test"
version  = "1"
timezone = "Europe/Paris"

[numbers]
"15" = "samu"
"3115" = "early"
"18" = "partner-fire"
"1599" = "red"
"urn:service:sos.ecall.automatic" = "samu"

[class]
vital       = { fence = true }
partner     = { target = "10s" }
unqualified = { target = "20s" }
routine     = { target = "60s" }

[queue.front]
skills = ["arm"]
offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
hold   = "answered"
announce = "welcome"

[queue.back]
skills = ["arm"]
offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }

[[route]]
name = "early"
priority = 500
when = { service = "early" }
then = { queue = "front", class = "unqualified", hold = { mode = "early", answer_within = "30s" } }

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
name = "automatic eCall"
when = { urn = "urn:service:sos.ecall.automatic" }
then = { class = "vital" }

[[modifier]]
name = "cut off while waiting"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;

/// A room with a menu, two stages, callbacks and partners: two agents' front desk, and doctors.
pub const STAGED: &str = r#"
plan     = "staged"
version  = "1"
timezone = "Europe/Paris"

[numbers]
"15" = "samu"
"18" = "partner-fire"
"3900" = "crew"
"1599" = "red"

[callback]
trunk = "trunk-1"
shown = "+33388000015"
ring  = "30s"
retry = ["60s", "120s"]
keep  = "1h"

[class]
vital       = { fence = true }
declared    = { target = "5s" }
partner     = { target = "10s" }
unqualified = { target = "20s" }
p1          = { target = "120s" }
p2          = { target = "900s" }
p3          = { target = "3600s" }

[queue.front]
stage  = "front"
skills = ["arm"]
offer  = { mode = "exclusive", ring = "6s" }

[queue.regulation]
stage  = "regulation"
skills = ["mr-amu"]
offer  = { mode = "exclusive", ring = "6s" }
recall = "120s"

[queue.crisis]
skills = ["crisis"]
offer  = { mode = "exclusive", ring = "6s" }

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
name = "crews"
priority = 200
when = { service = "crew" }
then = { queue = "front", class = "unqualified", owner = true, tag = "crew" }

[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified", announce = "welcome", menu = { "1" = { class = "declared" }, "2" = { tag = "flood" } } }

[[modifier]]
name = "called back after being answered"
when = { repeat = "answered", within = "30m" }
then = { raise = 1, show = "earlier call" }

[[modifier]]
name = "cut off while waiting"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;
