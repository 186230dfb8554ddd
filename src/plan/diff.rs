//! `bandeau diff`: what another version of a plan changes, by name, and for which calls.

use engine::dialplan::{Changed, Diff, Difference};
use std::io::{self, Write};
use std::path::PathBuf;

/// `bandeau diff`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The plan as it is
    before: PathBuf,
    /// The plan as it would be
    after: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Compares both plans on `out`. True when they decide and hold every call alike.
///
/// # Errors
/// When a plan is wrong or cannot be read.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<bool> {
    let (before, after) = (super::read(&args.before)?, super::read(&args.after)?);
    let diff = before.diff(&after);
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&diff)?)?;
    } else {
        print(&diff, out)?;
    }
    Ok(diff.differences.is_empty() && diff.affected.is_empty())
}

fn print(diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    if diff.differences.is_empty() && diff.affected.is_empty() {
        return writeln!(out, "the two plans say the same");
    }
    for Difference { kind, name, change } in &diff.differences {
        match change {
            Changed::Removed => writeln!(out, "- {kind} {name}")?,
            Changed::Added(parts) => {
                writeln!(out, "+ {kind} {name}")?;
                for (part, says) in parts {
                    writeln!(out, "    {part}: {says}")?;
                }
            }
            Changed::Parts(parts) => {
                writeln!(out, "~ {kind} {name}")?;
                for (part, before, after) in parts {
                    let or_none =
                        |says: &str| if says.is_empty() { "nothing".to_owned() } else { says.to_owned() };
                    writeln!(out, "    {part}: {} -> {}", or_none(before), or_none(after))?;
                }
            }
        }
    }
    match diff.affected.as_slice() {
        [] => writeln!(out, "\nno call of a listed number is decided otherwise"),
        affected => {
            writeln!(out, "\ncalls that are decided otherwise:")?;
            for one in affected {
                let when = if one.when.is_empty() { "always".to_owned() } else { one.when.join("; ") };
                writeln!(out, "  {} ({when})", one.called)?;
                writeln!(out, "    before: {}\n    after:  {}", one.before, one.after)?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "dialplans/samu.toml";

    /// What `bandeau diff` says of the shipped plan and the same with one change.
    fn diff(from: &str, to: &str) -> (bool, String) {
        let text = std::fs::read_to_string(PLAN).expect("the shipped plan");
        assert!(text.contains(from), "{from} is in the plan");
        let name = format!("bandeau-diff-{}-{}.toml", std::process::id(), from.len() * 1000 + to.len());
        let path = std::env::temp_dir().join(name);
        // Only the plan's own examples may mind: they prove the plan as it is.
        let changed = text.replacen(from, to, 1);
        let changed = changed.split("\n[[example]]").next().unwrap_or_default();
        std::fs::write(&path, changed).expect("written");
        let args = Args { before: PLAN.into(), after: path.clone(), json: false };
        let mut out = Vec::new();
        let same = run(&args, &mut out).map_err(|error| format!("{error:#}"));
        let _ = std::fs::remove_file(path);
        (same.expect("compared"), String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn a_comment_and_an_order_of_words_are_no_difference() {
        let (same, said) = diff("# A SAMU centre", "# Some SAMU centre");
        assert!(same, "{said}");
        assert_eq!(said, "the two plans say the same\n");
    }

    #[test]
    fn a_class_that_moves_is_named_with_both_its_values() {
        let (same, said) = diff("unqualified = { target = \"20s\" }", "unqualified = { target = \"15s\" }");
        assert!(!same);
        assert!(said.contains("~ class unqualified\n    target: 20s -> 15s\n"), "{said}");
    }

    #[test]
    fn what_changes_for_whom_is_said() {
        let (same, said) = diff("\"15\"           = \"samu\"\n", "");
        assert!(!same);
        assert!(said.starts_with("- number 15\n"), "{said}");
        let (_, said) = diff("\"116117\"       = \"pdsa\"", "\"116117\"       = \"samu\"");
        assert!(said.contains("~ number 116117\n    service: pdsa -> samu\n"), "{said}");
        assert!(said.contains("  116117 ("), "{said}");
        assert!(said.contains("before: route on-call doctor, open"), "{said}");
        assert!(said.contains("after:  route default"), "{said}");
    }

    #[test]
    fn the_same_file_twice_says_the_same_also_in_json() {
        let args = Args { before: PLAN.into(), after: PLAN.into(), json: true };
        let mut out = Vec::new();
        assert!(run(&args, &mut out).expect("compared"));
        let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(json["differences"], serde_json::json!([]));
    }
}
