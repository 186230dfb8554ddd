//! `bandeau check`: reads dialplans as the engine would and says `ok`, or what to do.

use engine::dialplan::Dialplan;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a shell sees when a plan is wrong, or cannot be read.
const WRONG: u8 = 2;

/// Where plans lie when none is named.
const FOLDER: &str = "dialplans";

/// Checks each file, or every plan of `dialplans/` when none is named: one line on `out` for a
/// good plan, one error on `err` for a wrong one. Gives the exit code: 0, or 2.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub fn check(files: &[PathBuf], out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let found;
    let files = if files.is_empty() {
        match plans_of(Path::new(FOLDER)) {
            Ok(plans) if !plans.is_empty() => found = plans,
            Ok(_) => {
                writeln!(err, "error: no plan in `{FOLDER}/`\n = help: name the files to check")?;
                return Ok(WRONG);
            }
            Err(why) => {
                writeln!(err, "error: cannot read `{FOLDER}/`: {why}\n = help: name the files to check")?;
                return Ok(WRONG);
            }
        }
        &found[..]
    } else {
        files
    };
    let mut code = 0;
    for file in files {
        if !check_one(file, out, err)? {
            code = WRONG;
        }
    }
    Ok(code)
}

fn check_one(file: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let name = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) => {
            writeln!(err, "error: cannot read dialplan `{name}`: {why}\n = help: {}", advice(why.kind()))?;
            return Ok(false);
        }
    };
    let plan = Dialplan::parse(&name, &text);
    match &plan {
        Ok(plan) => writeln!(out, "ok {name}: {}", plan.summary())?,
        Err(wrong) => writeln!(err, "{wrong}")?,
    }
    Ok(plan.is_ok())
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "correct the path, or write the plan",
        io::ErrorKind::PermissionDenied => "let this user read the file",
        io::ErrorKind::InvalidData => "save the file as UTF-8",
        _ => "check the path and the disk",
    }
}

fn plans_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut plans = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            plans.push(path);
        }
    }
    plans.sort();
    Ok(plans)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code, standard output and standard error of one run.
    fn run(files: &[&str]) -> (u8, String, String) {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = check(&files, &mut out, &mut err).expect("a Vec takes everything");
        let text = |bytes| String::from_utf8(bytes).expect("what we print is UTF-8");
        (code, text(out), text(err))
    }

    #[test]
    fn a_good_plan_is_ok_with_its_extent() {
        let (code, out, err) = run(&["dialplans/samu.toml"]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(
            out,
            "ok dialplans/samu.toml: samu-67 2026-11-23.1: \
             12 numbers, 2 queues, 9 classes, 5 routes, 5 modifiers, 18 examples, 1 simulation\n"
        );
    }

    #[test]
    fn without_files_every_shipped_plan_is_checked() {
        let (code, out, err) = run(&[]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.lines().any(|line| line.starts_with("ok dialplans/samu.toml: ")), "{out}");
    }

    #[test]
    fn a_wrong_plan_is_code_two_and_one_error_and_the_others_are_still_checked() {
        let (code, out, err) = run(&["engine/tests/plans/queue-unknown.toml", "dialplans/samu.toml"]);
        assert_eq!(code, 2);
        assert_eq!(out.lines().count(), 1);
        assert!(err.starts_with("error: no queue is named `frnt`\n"), "{err}");
        assert!(err.contains("engine/tests/plans/queue-unknown.toml:26:18"), "{err}");
    }

    #[test]
    fn a_missing_file_says_what_to_do() {
        let (code, out, err) = run(&["dialplans/nobody.toml"]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.starts_with("error: cannot read dialplan `dialplans/nobody.toml`: "), "{err}");
        assert!(err.ends_with(" = help: correct the path, or write the plan\n"), "{err}");
    }
}
