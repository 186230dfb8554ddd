//! Every key of the file, from a table: what is right, what is wrong, and what is said of it.

use super::{RIGHT, Site};
use std::collections::BTreeSet;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/keys.toml");
const GUIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md"));

struct Key {
    of: String,
    from: String,
    good: String,
    bad: String,
    says: String,
}

/// The table, and its head.
fn table() -> (String, Vec<Key>) {
    let text = std::fs::read_to_string(TABLE).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let keys = table["key"].as_array().unwrap().iter().map(|key| {
        let word = |name: &str| key[name].as_str().unwrap_or_else(|| panic!("{name}: {key}")).to_owned();
        Key { of: word("of"), from: word("from"), good: word("good"), bad: word("bad"), says: word("says") }
    });
    let keys = keys.collect();
    (text.split("\n\n[[key]]").next().unwrap_or_default().to_owned(), keys)
}

#[test]
fn every_key_has_a_good_example_and_a_bad_one_with_what_is_said_of_it() {
    let (head, mut keys) = table();
    let mut wrong = Vec::new();
    for key in &mut keys {
        let site = Site::new("keys");
        assert!(RIGHT.contains(&key.from), "{}: not in the right configuration: {}", key.of, key.from);
        if let Err(fault) = site.load(&RIGHT.replacen(&key.from, &key.good, 1)) {
            panic!("{}: {fault}", key.of);
        }
        let Err(fault) = site.load(&RIGHT.replacen(&key.from, &key.bad, 1)) else {
            panic!("{} is wrong, and was taken: {}", key.of, key.bad);
        };
        let said = fault.to_string().replace(&format!("{}/", site.0.display()), "") + "\n";
        if said != key.says {
            wrong.push(format!("{}\n{said}", key.of));
            key.says = said;
        }
    }
    if std::env::var_os("BANDEAU_WRITE").is_some() {
        return std::fs::write(TABLE, written(&head, &keys)).unwrap();
    }
    assert!(wrong.is_empty(), "other words than the table's:\n{}", wrong.join("\n"));
}

fn written(head: &str, keys: &[Key]) -> String {
    let rows = keys.iter().map(|Key { of, from, good, bad, says }| {
        format!(
            "\n\n[[key]]\nof = '{of}'\nfrom = '''\n{from}'''\ngood = '''\n{good}'''\nbad = '''\n{bad}'''\nsays = '''\n{says}'''"
        )
    });
    head.to_owned() + &rows.collect::<String>() + "\n"
}

/// `| `[sip] certificate`, `key`, `ca` | ..` of the guide: three keys.
fn of_guide() -> BTreeSet<String> {
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `[")?.split(" | ").next());
    let mut keys = BTreeSet::new();
    for row in rows {
        let mut words = row.trim_end_matches('`').split("`, `");
        let first = format!("[{}", words.next().unwrap_or_default());
        let section = first.split(' ').next().unwrap_or_default().to_owned();
        keys.extend(words.map(|key| format!("{section} {key}")));
        keys.insert(first);
    }
    keys
}

#[test]
fn every_key_the_guide_describes_has_its_examples_and_no_other_is_taken() {
    let (_, keys) = table();
    let keys: BTreeSet<String> = keys.into_iter().map(|key| key.of).collect();
    assert_eq!(keys, of_guide());
    // What the reader takes, in its own words.
    for (section, place, whole) in [
        ("[node]", "[node]\n", 3),
        ("[sip]", "[sip]\n", 13),
        ("[media]", "[media]\n", 6),
        ("[http]", "[http]\n", 4),
        ("[[trunk]]", "[[trunk]]\n", 13),
        ("[[access]]", "[[access]]\n", 5),
        ("[[centre.agent]]", "[[centre.agent]]\n", 8),
    ] {
        let site = Site::new("unknown");
        let text = RIGHT.replacen(place, &format!("{place}nothing = 1\n"), 1);
        let said = site.load(&text).expect_err("no such key").to_string();
        let taken =
            said.lines().next().unwrap_or_default().split("expected one of ").nth(1).unwrap_or_default();
        let taken: Vec<String> =
            taken.split(", ").map(|key| format!("{section} {}", key.trim_matches('`'))).collect();
        assert_eq!(taken.len(), whole, "{section}: {said}");
        for key in taken {
            assert!(keys.contains(&key), "{key} has no row in docs/operating.md and no examples");
        }
    }
}
