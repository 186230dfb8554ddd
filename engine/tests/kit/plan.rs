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
