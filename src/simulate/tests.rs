//! The command as a shell sees it.

use super::{Args, run};
use clap::Parser;
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Shell {
    #[command(flatten)]
    args: Args,
}

/// The shipped plan.
fn samu() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dialplans/samu.toml")
}

/// Exit code, what is printed, and what is complained about.
fn shell(plan: &Path, more: &[&str]) -> (u8, String, String) {
    let plan = plan.display().to_string();
    let words = ["simulate", plan.as_str(), "--evenings", "2"].into_iter().chain(more.iter().copied());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&Shell::parse_from(words).args, &mut out, &mut err).expect("memory can be written");
    (code, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
}

#[test]
fn figures_come_as_json_and_the_order_is_never_broken() {
    let (code, out, err) = shell(&samu(), &["--json", "--agents", "arm=10"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let figures = &report["figures"];
    assert!(figures["calls"].as_u64() > Some(500) && figures["judged"].as_u64() > Some(500), "{figures}");
    assert_eq!((figures["order_broken"].as_u64(), figures["refused"].as_u64()), (Some(0), Some(0)));
    assert!(report["variants"].as_array().is_some_and(|variants| variants.len() == 5));
}

#[test]
fn the_same_seed_is_the_same_evening_and_another_is_not() {
    let of = |seed| shell(&samu(), &["--json", "--seed", seed]).1;
    assert_eq!(of("3"), of("3"));
    assert_ne!(of("3"), of("9"));
}

#[test]
fn one_agent_fewer_from_twenty_hours_is_compared_with_everybody_staying() {
    let (code, out, _) = shell(&samu(), &["--json", "--agents", "arm=8,20:00=4"]);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let p90 = |of: &str| report[of]["all"]["p90"].as_f64().expect("seconds");
    assert_eq!(code, 0);
    assert!(p90("figures") > p90("without_changes"), "{out}");
    let (code, _, err) = shell(&samu(), &["--agents", "arm"]);
    assert!(code == 2 && err.contains("write it like arm=10,20:00=9"), "{err}");
}

#[test]
fn the_page_needs_nothing_else_in_either_language() {
    let path = std::env::temp_dir().join(format!("bandeau-simulate-{}.html", std::process::id()));
    let file = path.display().to_string();
    for (lang, word) in [("fr", "Occupation"), ("en", "Occupancy")] {
        let (code, _, err) = shell(&samu(), &["--lang", lang, "--html", &file]);
        let page = std::fs::read_to_string(&path).expect("it was written");
        assert_eq!(code, 0, "{err}");
        assert!(page.contains(word) && page.contains(&format!("lang=\"{lang}\"")) && page.contains("<svg"));
        for foreign in ["<script", "http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"), "a curve is drawn of numbers");
    }
    std::fs::remove_file(&path).expect("it is there");
}

#[test]
fn a_promise_that_is_not_kept_fails_with_its_line() {
    let text = std::fs::read_to_string(samu()).expect("the shipped plan");
    let kept = text.split("[[simulation]]").next().expect("the rest");
    let line = kept.lines().count() + 3;
    let promise = |within: &str| {
        format!(
            "{kept}\n[[simulation]]\ngiven = {{ agents = {{ arm = 12 }}, calls_per_hour = 60, handling = \"120s\", \
             hours = 1, seed = 4, \
             at = \"2026-11-23T10:00:00+01:00\" }}\nexpect = {{ refused = 0, order_broken = 0, answered_within = \
             {{ all = {{ p90 = \"{within}\" }} }} }}\n"
        )
    };
    let path = std::env::temp_dir().join(format!("bandeau-promise-{}.toml", std::process::id()));
    for (within, code) in [("30s", 0), ("1s", 2)] {
        std::fs::write(&path, promise(within)).expect("a file");
        let (got, _, err) = shell(&path, &["--promises-only"]);
        assert_eq!(got, code, "{within}: {err}");
        let says =
            err.contains("error: 90 % of all should be answered within") && err.contains(&format!(":{line}"));
        assert_eq!(says, code == 2, "line {line}: {err}");
    }
    std::fs::remove_file(&path).expect("it is there");
}
