//! What is wrong with a configuration, said so that somebody can mend it.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error(
        "error: cannot read `{path}`: {why}\n  = help: give the path of a configuration file; `docs/operating.md` describes one"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A place in the file is wrong.
    #[error("{0}")]
    Place(Place),
    /// A dialplan the file names is wrong.
    #[error("{0}")]
    Plan(Box<engine::dialplan::PlanError>),
}

impl Fault {
    /// Where, without a word of what stands there: a plan's examples name numbers, and a technical
    /// log must not.
    pub fn place(&self) -> String {
        match self {
            Fault::Read { path, .. } => path.display().to_string(),
            Fault::Place(Place { path, line, column, .. }) => format!("{}:{line}:{column}", path.display()),
            Fault::Plan(error) => {
                let place = &error.place;
                format!("{}:{}:{}", place.file, place.line, place.column)
            }
        }
    }

    pub(super) fn read(path: &Path, source: &io::Error) -> Fault {
        Fault::Read { path: path.to_owned(), why: source.to_string() }
    }
}

/// A line of the file, what is wrong with it, and what to do.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
    width: usize,
    text: String,
    what: String,
    todo: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.line.to_string().len();
        writeln!(f, "error: {}", self.what)?;
        writeln!(f, "{:gutter$}--> {}:{}:{}", "", self.path.display(), self.line, self.column)?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{} | {}", self.line, self.text)?;
        writeln!(f, "{:gutter$} | {}{}", "", " ".repeat(self.column - 1), "^".repeat(self.width.max(1)))?;
        write!(f, "{:gutter$} = help: {}", "", self.todo)
    }
}

/// The file being checked.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// Something wrong at these bytes of the file.
    pub(super) fn at(&self, span: Range<usize>, what: &str, todo: &str) -> Fault {
        let start = span.start.min(self.text.len());
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let text = self.text[line_start..].lines().next().unwrap_or("");
        let end = span.end.clamp(start, line_start + text.len());
        Fault::Place(Place {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            width: self.text.get(start..end).map_or(1, |s| s.chars().count()),
            text: text.to_owned(),
            what: what.to_owned(),
            todo: todo.to_owned(),
        })
    }

    /// Something missing from the whole file.
    pub(super) fn whole(&self, what: &str, todo: &str) -> Fault {
        self.at(0..0, what, todo)
    }

    /// What the TOML reader refuses: syntax, an unknown key, a value of another kind.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> Fault {
        let span = error.span().unwrap_or(0..0);
        let message = error.message();
        let todo = if message.starts_with("unknown field") {
            "remove or correct the key; every key is described in `docs/operating.md`"
        } else if message.starts_with("missing field") {
            "add the key; every key is described in `docs/operating.md`"
        } else {
            "correct the line; every key is described in `docs/operating.md`"
        };
        self.at(span, message, todo)
    }
}
