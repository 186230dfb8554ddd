//! `docs/interop.md`, written by the tests themselves: a row for each scenario that ran.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

const HEAD: &str = "# Other makers' SIP\n\
    Written by `BANDEAU_WRITE=1 cargo test --test interop -- --include-ignored` (in `make test-all`), one row for each\n\
    scenario that ran. Nothing here is written by hand.\n\n\
    | peer | version | scenario | result |\n|---|---|---|---|\n";

static ROWS: Mutex<()> = Mutex::new(());

/// What names the scenarios: a row of one that is named nowhere any more goes with it.
const SCENARIOS: [&str; 4] = [
    include_str!("kamailio.rs"),
    include_str!("outgoing.rs"),
    include_str!("phones.rs"),
    include_str!("sipp.rs"),
];

/// One scenario; its row is written when it ends, one way or the other.
pub(crate) struct Row {
    peer: &'static str,
    version: String,
    scenario: &'static str,
}

/// Begins a scenario with a peer that says its version when run with `ask`.
pub(crate) fn row(peer: &'static str, (command, ask): (&str, &str), scenario: &'static str) -> Row {
    let output = Command::new(command).arg(ask).env("TERM", "dumb").output();
    let output = output.unwrap_or_else(|error| panic!("{command} is installed by scripts/setup.sh: {error}"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let is_version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    let words = said.split([' ', '\n', ',', '(', ')', '-']);
    let version = words.map(|word| word.trim_start_matches('v')).find(is_version).unwrap_or("?").to_owned();
    Row { peer, version, scenario }
}

impl Drop for Row {
    fn drop(&mut self) {
        if std::env::var_os("BANDEAU_WRITE").is_none() {
            return;
        }
        let _one = ROWS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/interop.md");
        let before = std::fs::read_to_string(path).unwrap_or_default();
        let mut rows: BTreeMap<(String, String), String> = BTreeMap::new();
        for line in before.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| peer")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            if let [peer, _, scenario, _] = cells[..]
                && SCENARIOS.iter().any(|source| source.contains(&format!("\"{scenario}\"")))
            {
                rows.insert((peer.to_owned(), scenario.to_owned()), line.to_owned());
            }
        }
        let Row { peer, version, scenario } = self;
        let result = if std::thread::panicking() { "**failed**" } else { "passed" };
        let line = format!("| {peer} | {version} | {scenario} | {result} |");
        rows.insert(((*peer).to_owned(), (*scenario).to_owned()), line);
        let body: Vec<String> = rows.into_values().collect();
        let _ = std::fs::write(path, format!("{HEAD}{}\n", body.join("\n")));
    }
}
