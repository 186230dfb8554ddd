//! Holds what the crates' walls cannot: the arrows between folders (docs/ARCHITECTURE.md), where a
//! clock may be read, how long a file may grow, and what `sip` and `engine` may depend on.
//!
//! Each rule is a function of a source text, so that it is also tried on a planted fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines of a file's own code, and of the whole with its tests. Beyond, design has stopped.
const CODE_LINES_MAX: usize = 500;
const FILE_LINES_MAX: usize = 800;

/// Who may know whom inside one crate. A target is a path from the crate's root; every path below it
/// is meant. What is not listed is an arrow that needs an ADR.
const ARROWS: &[(&str, &str, &[&str])] = &[
    // The product. `main` and `demo` put the parts together; nobody knows them, nobody knows `driver`.
    (
        "bandeau",
        "main",
        &["check", "config", "demo", "driver", "load", "plan", "records", "simulate", "user", "watch"],
    ),
    ("bandeau", "demo", &["config", "driver", "load", "store::users", "watch"]),
    ("bandeau", "user", &["config", "store::users"]),
    ("bandeau", "driver", &["config", "media", "store"]),
    ("bandeau", "config", &[]),
    ("bandeau", "check", &[]),
    ("bandeau", "plan", &["store::samples"]), // calls for its tests
    ("bandeau", "records", &["config", "store::Records"]),
    ("bandeau", "simulate", &[]),
    ("bandeau", "media", &[]),
    ("bandeau", "store", &[]),
    ("bandeau", "load", &["media"]), // codec tables and embedded sounds
    ("bandeau", "watch", &[]),
    // The engine: the centre and its verbs put call, dialplan, queue and live together.
    ("engine", "id", &[]),
    ("engine", "time", &[]),
    ("engine", "media", &["id"]),
    ("engine", "site", &["id", "time", "dialplan"]),
    ("engine", "io", &["id", "time", "media", "site", "call", "dialplan"]),
    (
        "engine",
        "call",
        &[
            "signs",
            "id",
            "time",
            "media",
            "site",
            "io",
            "negotiate",
            "dialplan::HoldMode",
            "dialplan::SkillNeed",
            "trunks::Way",
        ],
    ),
    ("engine", "dialplan", &["id", "time"]),
    ("engine", "queue", &["id", "time", "site", "dialplan", "call::event"]),
    ("engine", "live", &["id", "time", "site", "io", "dialplan", "call::event", "call::record"]),
    ("engine", "sim", &["id", "time", "site", "dialplan", "queue", "call::event"]),
    // One idea each, for the verbs to hold.
    ("engine", "alarm", &["id", "time"]),
    ("engine", "stock", &["media"]),
    ("engine", "trunks", &["time", "site", "call::event"]),
    ("engine", "negotiate", &["media", "site::Srtp"]),
    ("engine", "caller", &["site::Identity"]),
    ("engine", "signs", &["call::event"]),
    ("engine", "returning", &["id", "time", "dialplan", "call::event"]),
    ("engine", "screen", &["call", "site"]),
    // SIP: messages know no machine, a transaction no dialog, the endpoint owns them all.
    ("sip", "time", &[]),
    ("sip", "vocabulary", &[]),
    ("sip", "transport", &["time", "message"]), // framing reads Content-Length
    ("sip", "message", &["vocabulary", "header", "time"]),
    ("sip", "header", &["vocabulary", "message"]),
    ("sip", "sdp", &["message"]),
    ("sip", "auth", &["vocabulary", "message", "header", "time"]),
    ("sip", "chance", &[]),
    ("sip", "schedule", &["time"]),
    ("sip", "guesses", &["time", "chance", "schedule"]),
    (
        "sip",
        "registrar",
        &["vocabulary", "message", "header", "time", "transport", "auth", "chance", "schedule", "guesses"],
    ),
    ("sip", "transaction", &["vocabulary", "message", "header", "time", "transport", "chance", "schedule"]),
    (
        "sip",
        "dialog",
        &[
            "vocabulary",
            "message",
            "header",
            "time",
            "transport",
            "sdp",
            "chance",
            "schedule",
            "transaction::Key",
            "transaction::Pending",
        ],
    ),
];

/// Folders that put the others of their crate together: they may know every one of them.
const ROOTS: &[(&str, &[&str])] = &[
    (
        "engine",
        &[
            "lib",
            "engine",
            "centre",
            "inbound",
            "carriers",
            "page",
            "assign",
            "beside",
            "converse",
            "aside",
            "loss",
            "release",
            "transfer",
            "second_line",
            "refer",
            "replace",
            "conference",
            "consult",
            "outside",
            "watch",
            "callback",
            "course",
            "major",
            "menu",
            "outward",
            "overflow",
            "restart",
            "stage",
            "supervise",
        ],
    ),
    ("sip", &["lib", "endpoint"]),
    ("bandeau", &["lib"]),
];

/// Paths of another crate that a folder may not name, and why.
const FOREIGN: &[(&str, &str, &str, &str)] = &[
    ("engine", "queue", "sip::", "a queue knows no SIP"),
    ("engine", "dialplan", "sip::", "a plan knows facts, not messages"),
    ("engine", "live", "sip::", "a board knows events, not messages"),
    ("bandeau", "watch", "engine::engine", "the terminal board reads the feed as any client does"),
    ("bandeau", "watch", "sip::", "the terminal board reads the feed as any client does"),
];

/// Files that may read a clock. The packet threads have no driver but their own: their system calls
/// are in one file, and the wheel is handed the time.
const CLOCKS: &[&str] = &["src/driver/", "src/media/sys.rs"];

/// Crates that bring a runtime, a socket, a thread pool, a file or a clock.
const WORLDLY: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "async-io",
    "async-executor",
    "smol",
    "polling",
    "socket2",
    "hyper",
    "axum",
    "reqwest",
    "rayon",
    "crossbeam-channel",
    "threadpool",
    "libc",
    "nix",
    "rustix",
    "windows-sys",
    "memmap2",
    "tempfile",
    "rusqlite",
    "notify",
    "rand",
    "fastrand",
    "getrandom",
    "iana-time-zone",
    "time",
    "quanta",
    "coarsetime",
    "tracing",
    "parking_lot",
    "dashmap",
];

/// Edges of the lock file that are known and harmless, each with its reason.
const EXCUSED: &[(&str, &str)] = &[
    // rsip makes Call-IDs with it in a function we do not call: ours come from the seeded generator.
    ("rsip", "uuid"),
    // The digests ask the processor what it can do; on Linux/x86 not even libc is linked for it.
    ("cpufeatures", "libc"),
    // A macro that runs in the compiler, and only with a feature nobody asks for.
    ("phf", "phf_macros"),
    // For benches: the lock file does not tell dev-dependencies apart, the library links none of it.
    ("engine", "criterion"),
    // For a test that prints the wire as TypeScript: the same.
    ("engine", "ts-rs"),
];

/// One broken rule.
#[derive(Debug, PartialEq)]
struct Finding {
    place: String,
    rule: String,
}

#[test]
fn no_arrow_goes_where_the_layout_has_none() {
    let findings: Vec<_> = sources().iter().flat_map(|(path, text)| arrows(path, text)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn only_the_driver_reads_a_clock() {
    let findings: Vec<_> = sources().iter().flat_map(|(path, text)| clocks(path, text)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn i18_the_core_has_no_lock_thread_or_await() {
    let findings: Vec<_> = sources().iter().flat_map(|(path, text)| sharing(path, text)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(sharing("engine/src/engine.rs", "use std::sync::Mutex;").len(), 1);
    assert_eq!(sharing("sip/src/endpoint/mod.rs", "async fn send() { wire.send().await }").len(), 1);
    assert_eq!(sharing("src/driver/office.rs", "use std::sync::Mutex;"), [], "only the core is alone");
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let findings: Vec<_> = sources().iter().filter_map(|(path, text)| length(path, text)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn sip_and_engine_depend_on_nothing_worldly() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ["sip", "engine"] {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        assert_eq!(worldly(&lock, name, &manifest), Vec::<String>::new(), "what `{name}` reaches");
    }
}

#[test]
fn a_planted_arrow_is_found() {
    let planted = "use crate::driver::clock::Clock;\n";
    assert_eq!(arrows("src/media/plane.rs", planted).len(), 1);
    let grouped = "use crate::{\n    media::rtp, driver::{clock, udp},\n};\n";
    assert_eq!(arrows("src/media/plane.rs", grouped).len(), 2);
    assert_eq!(arrows("src/media/plane.rs", "fn f() { super::super::store::open() }").len(), 1);
    assert_eq!(arrows("engine/src/queue/policy.rs", "use crate::call::record::Record;").len(), 1);
    assert_eq!(arrows("engine/src/queue/policy.rs", "fn f(m: sip::message::Message<'_>) {}").len(), 1);
    assert_eq!(arrows("engine/src/queue/mod.rs", "use crate::live::Board;").len(), 1);
    assert_eq!(arrows("sip/src/transaction/key.rs", "use crate::dialog::Dialog;").len(), 1);
    assert_eq!(arrows("sip/src/dialog/mod.rs", "use engine::id::CallId;").len(), 1);
    assert_eq!(
        arrows("src/hub/mod.rs", "use crate::media::rtp;").len(),
        1,
        "a folder without a row has no arrows"
    );
}

#[test]
fn what_is_allowed_or_only_spoken_of_is_no_finding() {
    assert_eq!(
        arrows("engine/src/queue/policy.rs", "use crate::{call::event::Actor, id::{AgentId, WorkId}};"),
        []
    );
    assert_eq!(arrows("src/media/plane.rs", "/// As [`crate::driver::clock`] says.\n// crate::driver\n"), []);
    assert_eq!(arrows("src/media/plane.rs", "use super::rtp::Header;\nuse crate::media::g711;\n"), []);
    assert_eq!(arrows("src/media/plane.rs", "#[cfg(test)]\nmod tests { use crate::driver::clock; }"), []);
    assert_eq!(arrows("engine/src/centre.rs", "use crate::{queue::Floor, live::Board};"), []);
}

#[test]
fn a_planted_clock_a_planted_length_and_a_planted_crate_are_found() {
    assert_eq!(clocks("engine/src/queue/mod.rs", "let t = std::time::Instant::now();").len(), 1);
    assert_eq!(clocks("src/watch/mod.rs", "let t = SystemTime::now();").len(), 1);
    assert_eq!(clocks("src/driver/clock.rs", "let t = SystemTime::now();"), []);
    assert!(length("src/config.rs", &"let x = 1;\n".repeat(CODE_LINES_MAX + 1)).is_some());
    assert!(length("src/config.rs", &"let x = 1;\n".repeat(CODE_LINES_MAX)).is_none());
    let manifest = "[dependencies]\na = \"1\"\nrsip = \"1\"\n[dev-dependencies]\ntokio = \"1\"\n";
    let lock = "[[package]]\nname = \"sip\"\nversion = \"0\"\ndependencies = [\"a\", \"rsip\", \"tokio\"]\n\
        [[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"mio 1.0.0\"]\n\
        [[package]]\nname = \"mio\"\nversion = \"1.0.0\"\n\
        [[package]]\nname = \"rsip\"\nversion = \"1\"\ndependencies = [\"uuid\"]\n\
        [[package]]\nname = \"uuid\"\nversion = \"1\"\ndependencies = [\"getrandom\"]\n\
        [[package]]\nname = \"getrandom\"\nversion = \"1\"\n";
    assert_eq!(worldly(lock, "sip", manifest), ["sip > a > mio"]);
}

/// Arrows of one file that the tables do not allow.
fn arrows(path: &str, text: &str) -> Vec<Finding> {
    let Some((krate, area, depth)) = address(path) else { return Vec::new() };
    let code = code(text);
    let finding = |rule: String| Finding { place: path.to_owned(), rule };
    let mut found = Vec::new();
    let free = ROOTS.iter().any(|(name, areas)| *name == krate && areas.contains(&area));
    if !free {
        let allowed = ARROWS.iter().find(|row| row.0 == krate && row.1 == area).map_or(&[][..], |row| row.2);
        for known in paths_from_root(&code, depth) {
            let first = known.split("::").next().unwrap_or_default();
            let below = |allowed: &&str| known == **allowed || known.starts_with(&format!("{allowed}::"));
            let module = first.starts_with(|c: char| c.is_ascii_lowercase());
            if module && first != area && !allowed.iter().any(below) {
                found.push(finding(format!("`{area}` may not know `{known}` of its own crate")));
            }
        }
    }
    let upward: &[&str] = match krate {
        "sip" => &["engine::", "bandeau::"],
        "engine" => &["bandeau::"],
        _ => &[],
    };
    for name in upward.iter().filter(|name| !occurrences(&code, name).is_empty()) {
        found.push(finding(format!("`{krate}` may not know `{name}`")));
    }
    for (_, _, name, why) in FOREIGN.iter().filter(|row| row.0 == krate && row.1 == area) {
        // The engine's time is sip's: one input carries one clock reading.
        if occurrences(&code, name).iter().any(|at| !code[*at..].starts_with("sip::time")) {
            found.push(finding(format!("`{area}` may not name `{name}`: {why}")));
        }
    }
    found
}

/// Clock readings in a file that may have none.
fn clocks(path: &str, text: &str) -> Vec<Finding> {
    if CLOCKS.iter().any(|allowed| path.starts_with(allowed)) {
        return Vec::new();
    }
    let code = code(text);
    ["Instant::now(", "SystemTime::now(", "Utc::now(", "Local::now(", "clock_gettime("]
        .iter()
        .filter(|reading| code.contains(**reading))
        .map(|reading| Finding { place: path.to_owned(), rule: format!("reads a clock: `{reading}..)`") })
        .collect()
}

/// Ways of sharing and waiting in a file of the core, which has one owner.
fn sharing(path: &str, text: &str) -> Vec<Finding> {
    if !path.starts_with("sip/src/") && !path.starts_with("engine/src/") {
        return Vec::new();
    }
    let code = code(text);
    let words = [
        "Mutex",
        "RwLock",
        "Condvar",
        "Atomic",
        "thread::",
        "mpsc",
        "async fn",
        "async {",
        "async move",
        "static mut",
    ];
    words
        .iter()
        .filter(|word| code.contains(**word))
        .map(|word| Finding { place: path.to_owned(), rule: format!("the core shares nothing: `{word}`") })
        .collect()
}

/// Whether a file has outgrown its reader.
fn length(path: &str, text: &str) -> Option<Finding> {
    let whole = text.lines().count();
    let tests = path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let own =
        if tests { 0 } else { text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count() };
    let rule = if own > CODE_LINES_MAX {
        format!("{own} lines of code, at most {CODE_LINES_MAX}: split by meaning")
    } else if whole > FILE_LINES_MAX {
        format!("{whole} lines, at most {FILE_LINES_MAX}: move tests to a file of their own")
    } else {
        return None;
    };
    Some(Finding { place: path.to_owned(), rule })
}

/// Worldly crates that `from` reaches in a lock file, each with its path.
fn worldly(lock: &str, from: &str, manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("Cargo.lock lists packages") {
        let listed = package.get("dependencies").and_then(|list| list.as_array()).into_iter().flatten();
        let listed = listed.filter_map(|need| need.as_str().map(str::to_owned)).collect();
        let text = |key| package.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        needs.insert(format!("{} {}", text("name"), text("version")), listed);
    }
    // `name` where there is one version of it, else `name version`: two of a name are two crates.
    let name_of = |need: &str| need.split(' ').next().unwrap_or_default().to_owned();
    let is_it = |key: &str, need: &str| key == need || name_of(key) == need;
    let find = |need: &str| needs.iter().find(|(key, _)| is_it(key, need));
    assert!(find(from).is_some(), "no package `{from}` in the lock file");
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut todo = vec![(from.to_owned(), from.to_owned())];
    while let Some((package, path)) = todo.pop() {
        for need in find(&package).into_iter().flat_map(|(_, needs)| needs) {
            let (name, needed) = (name_of(&package), name_of(need));
            // The lock file lists what only tests and benches need among the rest; the manifest does not.
            let is_for_tests = package == from && manifest["dependencies"].get(&needed).is_none();
            let excused = EXCUSED.contains(&(name.as_str(), needed.as_str()));
            if is_for_tests || excused || !seen.insert(need.clone()) {
                continue;
            }
            let path = format!("{path} > {needed}");
            if WORLDLY.contains(&needed.as_str()) {
                found.push(path.clone());
            }
            todo.push((need.clone(), path));
        }
    }
    found
}

/// Crate, folder (or file) below the crate's root, and how deep the module lies; `None` for a file
/// that is no module of ours.
fn address(path: &str) -> Option<(&'static str, &str, usize)> {
    let (krate, inside) = [("sip", "sip/src/"), ("engine", "engine/src/"), ("bandeau", "src/")]
        .into_iter()
        .find_map(|(krate, root)| Some((krate, path.strip_prefix(root)?)))?;
    let module = inside.strip_suffix(".rs")?;
    let module = module.strip_suffix("/mod").unwrap_or(module);
    if module.split('/').any(|part| part == "tests") {
        return None; // tests put things together as they need
    }
    let depth = module.split('/').count();
    Some((krate, module.split('/').next().unwrap_or(module), depth))
}

/// A file's own code: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every path from the crate's root that the code names, by `crate::` or by enough `super::`.
fn paths_from_root(code: &str, depth: usize) -> Vec<String> {
    let supers = "super::".repeat(depth);
    let mut found = Vec::new();
    for root in ["crate::", supers.as_str()] {
        for at in occurrences(code, root) {
            expand(&code[at + root.len()..], "", &mut found);
        }
    }
    found
}

/// Where `name` starts a path in the code (not in the middle of another name).
fn occurrences(code: &str, name: &str) -> Vec<usize> {
    code.match_indices(name)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = code[..*at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
        .collect()
}

/// Reads one path or `use` tree and adds its leaves; answers with what follows it.
fn expand<'a>(text: &'a str, above: &str, found: &mut Vec<String>) -> &'a str {
    let mut text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        text = group;
        loop {
            text = text.trim_start().trim_start_matches(',').trim_start();
            if text.is_empty() {
                return text;
            }
            if let Some(rest) = text.strip_prefix('}') {
                return rest;
            }
            let rest = expand(text, above, found);
            if rest.len() == text.len() {
                return rest; // not a use tree after all
            }
            text = rest;
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let path = if above.is_empty() { text[..end].to_owned() } else { format!("{above}::{}", &text[..end]) };
    match text[end..].strip_prefix("::") {
        Some(rest) if end > 0 => expand(rest, &path, found),
        _ => {
            found.push(path);
            let rest = &text[end..];
            // `name as other` and `*` belong to this leaf.
            rest.find([',', '}', ';']).filter(|_| !above.is_empty() || end > 0).map_or(rest, |at| &rest[at..])
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the three crates, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for top in ["src", "sip/src", "engine/src"] {
        gather(&root().join(top), &mut found);
    }
    assert!(found.len() > 10, "the sources have moved");
    found
}

fn gather(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}
