//! What tools say of a plan: every clause in words, held or not, and every part of a plan that differs.

use engine::dialplan::{Changed, Dialplan, Earlier, Facts, Repeat, Room, State};
use std::time::Duration;

const EVERYTHING: &str = r##"
plan = "everything"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
"18" = "partner"
[calendar.night]
windows = ["20:00-08:00"]
days = ["sun"]
holidays = "fr"
open = ["2026-05-15"]
closed = ["2026-12-24 20:00-22:00"]
[class]
vital = { fence = true }
urgent = { target = "90s" }
usual = { target = "2m" }
[queue.front]
stage = "first"
skills = ["arm", "german:2"]
relax = [{ after = "15s", add = ["back"] }]
offer = { mode = "shared", ring = [{ at = "0s", agents = 2 }, { at = "4s", agents = "all" }], phone_ring = "9s" }
vital = { auto_answer = true }
reserve = 2
recall = "1h"
announce = ["welcome", "menu"]
alarm = "45s"
overflow = [{ when = ["opened", "length"], length = 9, to = "centre:other", mode = "additive" },
            { when = ["expected-wait", "waited"], expected_wait = "3m", after = "60s", to = "queue:list" },
            { when = ["nobody-signed-in"], to = "trunk:out", number = "112" },
            { when = ["nobody-reachable"], after = "30s", to = "trunk:out" }]
[queue.list]
skills = ["mr"]
offer = { mode = "pick", push = ["vital", "urgent"] }
hold = { mode = "early", answer_within = "20s" }
[queue.ring]
skills = ["mr"]
offer = { mode = "exclusive", strategy = "ring-3" }
[callback]
trunk = "out"
shown = "+33388000015"
retry = ["1m", "5m"]
broken = false
[[route]]
name = "all"
priority = 9
when = { service = ["samu", "partner"], called = "15", urn = "urn:service:sos", trunk = ["otn", "internal"], caller = ["+336*", "112"], withheld = true, location = "67*", calendar = "night", header = { Priority = "emergency*" }, crisis = true, queue = { name = "front", waiting_from = 3 }, centre = { free_below = 2 } }
then = { queue = "front", class = "usual", menu = { "1" = { class = "urgent", tag = "pressed" }, "#" = { tag = "hash" } }, tag = ["x", "y"], owner = true, alone = "20s", leads = ["chief", "german:2"], hold = "answered", announce = "notice", hold_sound = "music" }
[[route]]
name = "again"
priority = 8
when = { repeat = "answered", within = "30m", outside = "night", withheld = false, crisis = false }
then = { queue = "list", class = "usual" }
[[route]]
name = "default"
priority = 0
then = { queue = "ring", class = "usual" }
[[modifier]]
name = "up"
when = { service = "partner" }
then = { raise = 2, show = "text", tag = "t", add = ["back", "mr:2"], language = "german" }
[[modifier]]
name = "credit"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
[[modifier]]
name = "floor"
when = { trunk = "internal" }
then = { class = "vital" }
"##;

fn read(text: &str) -> Dialplan {
    Dialplan::parse("everything.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

const QUEUES: [State; 1] =
    [State { waiting: 3, longest_wait: Duration::from_secs(90), free: 1, signed_in: 4 }];

/// Sunday evening: everything the route `all` asks is so.
fn sunday(headers: &[(String, String)]) -> Facts<'_> {
    Facts {
        called: "15",
        urn: Some("urn:service:sos"),
        trunk: "internal",
        caller: Some("+33612345678"),
        withheld: true,
        utc: Dialplan::moment_of("2026-11-22T20:00:00+01:00").expect("a moment"),
        repeat: None,
        headers,
        location: Some("67482"),
        room: Room { crisis: true, queues: &QUEUES, whole: Some(QUEUES[0]) },
    }
}

/// Tuesday noon: nothing of it.
fn tuesday() -> Facts<'static> {
    Facts {
        called: "17",
        urn: None,
        trunk: "other",
        caller: None,
        withheld: false,
        utc: Dialplan::moment_of("2026-11-24T12:00:00+01:00").expect("a moment"),
        repeat: None,
        headers: &[],
        location: None,
        room: Room { crisis: false, queues: &[], whole: None },
    }
}

/// Outcome, effects and clauses of each route and modifier.
fn said(facts: &Facts<'_>) -> String {
    let explanation = read(EVERYTHING).explain(facts);
    let verdicts = explanation.routes.iter().chain(&explanation.modifiers);
    let lines = verdicts.flat_map(|verdict| {
        let head = format!("{}: {:?} {}", verdict.name, verdict.outcome, verdict.does.join("; "));
        let why =
            verdict.why.iter().map(|it| format!("  {} {}", if it.holds { "yes" } else { "no" }, it.words));
        std::iter::once(head.trim_end().to_owned()).chain(why).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Tuesday noon, and something of it is near.
fn near(headers: &[(String, String)], called: &'static str, repeat: (Earlier, u64)) -> String {
    const FEW: [State; 1] = [State { waiting: 2, ..QUEUES[0] }];
    let repeat =
        Repeat { outcome: repeat.0, ago: Duration::from_secs(repeat.1), waited: Duration::from_secs(7) };
    let facts = Facts {
        called,
        urn: Some("urn:service:sos.fire"),
        caller: Some("+33712345678"),
        location: Some("68"),
        headers,
        room: Room { crisis: false, queues: &FEW, whole: Some(State { free: 2, ..QUEUES[0] }) },
        repeat: Some(repeat),
        ..tuesday()
    };
    said(&facts)
}

/// What the first plan lacks, part by part.
fn added(from: &Dialplan, to: &Dialplan) -> String {
    let lines = from.diff(to).differences.into_iter().flat_map(|it| {
        let head = format!("{} {}", it.kind, it.name);
        match it.change {
            Changed::Removed => vec![format!("- {head}")],
            Changed::Added(parts) => {
                let parts = parts.into_iter().map(|(part, says)| format!("    {part}: {says}"));
                std::iter::once(format!("+ {head}")).chain(parts).collect()
            }
            Changed::Parts(parts) => {
                let parts = parts.into_iter().map(|(part, was, is)| format!("    {part}: {was} -> {is}"));
                std::iter::once(format!("~ {head}")).chain(parts).collect()
            }
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const LITTLE: &str = r##"
plan = "little"
version = "1"
[numbers]
[class]
vital = { fence = true }
urgent = { target = "80s" }
[queue.list]
skills = "mr"
offer = { mode = "exclusive", strategy = "linear" }
[[route]]
name = "only"
priority = 0
then = { queue = "list", class = "vital" }
"##;

/// Compares with `words.txt`; with `BANDEAU_BLESS` set, writes it for a person to read.
#[test]
fn every_clause_and_every_part_of_a_plan_has_its_words() {
    let emergency = [("priority".to_owned(), "emergency-call".to_owned())];
    let normal = [("Priority".to_owned(), "normal".to_owned())];
    let parts = [
        ("everything holds", said(&sunday(&emergency))),
        ("nothing is known", said(&tuesday())),
        ("near, on a partner's line", near(&normal, "18", (Earlier::Answered, 60))),
        ("near, called back", near(&normal, "15", (Earlier::Answered, 60))),
        ("near, too late", near(&normal, "15", (Earlier::Abandoned, 7200))),
        ("near, cut off", near(&normal, "15", (Earlier::Abandoned, 600))),
        ("from a little plan", added(&read(LITTLE), &read(EVERYTHING))),
        ("and back", added(&read(EVERYTHING), &read(LITTLE))),
    ];
    let found: String = parts.iter().map(|(title, text)| format!("== {title}\n{text}\n")).collect();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/words.txt");
    if std::env::var_os("BANDEAU_BLESS").is_some() {
        std::fs::write(golden, &found).expect("written");
    }
    let wanted = std::fs::read_to_string(golden).unwrap_or_default();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len(), "words.txt has lines of its own");
}

#[test]
fn a_partner_is_known_by_its_service() {
    let plan = read(EVERYTHING);
    let partner = |called| plan.route(&Facts { called, ..tuesday() }).partner;
    assert!(partner("18") && !partner("15") && !partner("17"));
}
