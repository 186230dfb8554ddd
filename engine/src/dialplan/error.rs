//! What can be wrong with a plan, said so that its author knows what to do.

mod queues;
mod routes;

pub use queues::QueueFault;
pub use routes::RouteFault;

use super::draft::Span;
use std::fmt;

/// The first thing wrong with a plan, with its place. Prints like a compiler's error: the
/// sentence, file:line:column, the line itself, and what to do.
#[derive(Debug)]
pub struct PlanError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// A place in a plan's file.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file as it was named to the reader.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The whole line.
    source: String,
    /// How many characters are meant.
    width: usize,
}

impl std::error::Error for PlanError {}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlanError { place, problem } = self;
        writeln!(f, "error: {problem}")?;
        place.show(f)?;
        write!(f, "{} = help: {}", place.gutter(), problem.advice())
    }
}

/// Something an author should know, though the plan serves.
#[derive(Clone, Debug)]
pub enum Warning {
    /// Nobody of the roster could answer a queue.
    Unstaffed {
        /// Where the queue says who may.
        place: Place,
        /// Its name.
        queue: String,
    },
    /// Nobody of the roster is one of a route's leads.
    Unled {
        /// Where the route names them.
        place: Place,
        /// Its name.
        route: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, help) = match self {
            Warning::Unstaffed { place, queue } => {
                writeln!(
                    f,
                    "warning: nobody on the roster can answer queue `{queue}`, however long a call waits"
                )?;
                (place, "give somebody one of its skills, or add a skill of the roster to `relax`")
            }
            Warning::Unled { place, route } => {
                writeln!(
                    f,
                    "warning: nobody on the roster is a lead of route `{route}`: its calls wait for a pick"
                )?;
                (place, "give somebody one of these skills, or name skills of the roster")
            }
        };
        place.show(f)?;
        write!(f, "{} = help: {help}", place.gutter())
    }
}

/// A problem at bytes of the text, before the text is at hand to show them.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) at: Span,
    pub(super) problem: Box<Problem>,
}

impl Flaw {
    pub(super) fn new(at: Span, problem: impl Into<Problem>) -> Flaw {
        Flaw { at, problem: Box::new(problem.into()) }
    }

    /// Puts the flaw in its line.
    pub(super) fn placed(self, file: &str, text: &str) -> PlanError {
        PlanError { place: Place::of(self.at, file, text), problem: self.problem }
    }
}

impl Place {
    /// As wide as the line's number.
    fn gutter(&self) -> String {
        " ".repeat(self.line.to_string().len())
    }

    /// File, line and column, and the line itself with the place underlined.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, source, width } = self;
        let gutter = self.gutter();
        // Tabs stay tabs under the line, so that the carets stand where the eye looks.
        let indent: String =
            source.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "{gutter}--> {file}:{line}:{column}")?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{line} | {source}")?;
        writeln!(f, "{gutter} | {indent}{}", "^".repeat(*width))
    }

    pub(super) fn of(at: Span, file: &str, text: &str) -> Place {
        let start = floor_char(text, at.start);
        let before = &text[..start];
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let stop = floor_char(text, at.end.clamp(start, end));
        Place {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: text[begin..start].chars().count() + 1,
            source: text[begin..end].trim_end_matches('\r').to_owned(),
            width: text[start..stop].trim_end().chars().count().max(1),
        }
    }
}

/// The nearest character boundary at or before `index`.
fn floor_char(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// What is wrong. Sentences are in the trade's words; [`Problem::advice`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// More than anyone reads in one sitting.
    #[error("this plan has {bytes} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Too many of something.
    #[error("too many {what}: {count}, at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// Not TOML.
    #[error("this is not TOML: {what}")]
    Syntax {
        /// The reader's words.
        what: String,
    },
    /// A key the grammar does not know.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table.
        place: String,
        /// What may stand there.
        known: Vec<String>,
    },
    /// A key that stands elsewhere, or whose meaning is written otherwise.
    #[error("`{key}` does not stand in {place}")]
    Elsewhere {
        /// The key.
        key: String,
        /// The table.
        place: String,
        /// Where what it means is written.
        instead: &'static str,
    },
    /// A plan that would turn a caller away.
    #[error("`{key}`: a dialplan cannot refuse a call")]
    CannotRefuse {
        /// The key.
        key: String,
    },
    /// A key is missing.
    #[error("{place} has no `{key}`")]
    Missing {
        /// The table.
        place: String,
        /// The key.
        key: &'static str,
        /// How it is written.
        sample: &'static str,
    },
    /// A value of another type.
    #[error("`{key}` must be {wanted}")]
    WrongType {
        /// The key.
        key: String,
        /// What is expected.
        wanted: &'static str,
    },
    /// A value that is not one of a list.
    #[error("`{key}` cannot be `{value}`")]
    NotOneOf {
        /// The key.
        key: &'static str,
        /// What is written.
        value: String,
        /// What may be.
        allowed: &'static [&'static str],
    },
    /// A duration without unit, or no duration.
    #[error("`{text}` is not a duration")]
    Duration {
        /// As written.
        text: String,
    },
    /// A duration outside its bounds.
    #[error("`{key}` cannot be {text}")]
    OutOfBounds {
        /// The key.
        key: &'static str,
        /// As written.
        text: String,
        /// What is possible, and why.
        bounds: &'static str,
    },
    /// A name boards and metrics could not show.
    #[error("`{name}` is not a name")]
    Name {
        /// As written.
        name: String,
    },
    /// A name nobody could read.
    #[error("this name is empty or longer than 100 letters")]
    Title,
    /// A key of `[numbers]` no trunk delivers.
    #[error("`{number}` is neither a number nor a service URN")]
    Number {
        /// As written.
        number: String,
    },
    /// A zone that is not in the database.
    #[error("no time zone is named `{name}`")]
    Zone {
        /// As written.
        name: String,
    },
    /// A window that cannot be read.
    #[error("`{text}` is not {wanted}")]
    Window {
        /// As written.
        text: String,
        /// What is expected.
        wanted: &'static str,
    },
    /// A window that one night a year does not exist.
    #[error("`{window}` does not exist on {date}: the clock jumps over it")]
    LostHour {
        /// As written.
        window: String,
        /// The day of the change.
        date: String,
    },
    /// A calendar that is never open.
    #[error("calendar `{name}` is never open")]
    NeverOpen {
        /// Its name.
        name: String,
    },
    /// Something is named that is not in the plan, or not on this site.
    #[error("no {kind} is named `{name}`")]
    Unknown {
        /// Of which kind.
        kind: &'static str,
        /// As written.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The same name twice.
    #[error("the {kind} `{name}` is written twice")]
    Twice {
        /// Of which kind.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A class with fence and target, or neither.
    #[error("class `{name}` needs either a fence or a target")]
    FenceOrTarget {
        /// Its name.
        name: String,
    },
    /// Nobody could be confirmed vital.
    #[error("no class stands behind the fence")]
    NoFence,
    /// Something of a queue.
    #[error(transparent)]
    Queue(#[from] QueueFault),
    /// Something of a route, a modifier or their conditions.
    #[error(transparent)]
    Route(#[from] RouteFault),
    /// An instant that cannot be read.
    #[error("`{text}` is not a moment")]
    Moment {
        /// As written.
        text: String,
    },
    /// An example or a simulation that holds whatever the plan says.
    #[error("`expect` is empty")]
    ExpectsNothing {
        /// How one is written.
        sample: &'static str,
    },
    /// An example that comes out differently.
    #[error("this example fails: {what} is {found}, not {wanted}")]
    Example {
        /// Which part of the decision.
        what: &'static str,
        /// What the plan decides.
        found: String,
        /// What the example wants.
        wanted: String,
        /// The decision in words.
        because: String,
    },
}

impl Problem {
    /// What the author does about it.
    pub fn advice(&self) -> String {
        match self {
            Problem::TooLarge { .. } => {
                "a plan must be read in one sitting: write one file per centre".into()
            }
            Problem::TooMany { what, .. } => format!("merge some {what}"),
            Problem::Syntax { what } if what.contains("duplicate") => {
                "write each key and each table once".into()
            }
            Problem::Syntax { .. } => {
                "texts stand in quotes, tables under a [header], one key per line".into()
            }
            Problem::UnknownKey { key, known, .. } => meant(key, known, "the keys here are"),
            Problem::Elsewhere { instead, .. } => (*instead).into(),
            Problem::CannotRefuse { .. } => {
                "everyone who reaches us reaches a human: send the call to a queue".into()
            }
            Problem::Missing { sample, .. } => format!("add {sample}"),
            Problem::WrongType { key, wanted } => format!("give `{key}` {wanted}"),
            Problem::NotOneOf { allowed, .. } => format!("write {}", listed(allowed.iter().copied(), "or")),
            Problem::Duration { .. } => {
                "write a whole number and its unit, a week at most: \"20s\", \"15m\" or \"2h\"".into()
            }
            Problem::OutOfBounds { bounds, .. } => (*bounds).into(),
            Problem::Name { .. } => {
                "use up to 64 letters a-z, digits, `-`, `_` and `.`: it is shown on boards and in metrics"
                    .into()
            }
            Problem::Title => "name it as the room would: \"night doctor line\"".into(),
            Problem::Number { .. } => {
                "write it as the trunk delivers it, without spaces: \"15\", \"+33388000015\" or \
                 \"urn:service:sos.ambulance\""
                    .into()
            }
            Problem::Zone { .. } => "write a zone of the IANA database: \"Europe/Paris\"".into(),
            Problem::Window { wanted, .. } => format!("write {wanted}"),
            Problem::LostHour { .. } => {
                "begin it earlier or end it later, outside the hour of the change".into()
            }
            Problem::NeverOpen { .. } => "add windows, days, holidays or open, or remove the calendar".into(),
            Problem::Unknown { kind, name, known } if known.is_empty() => {
                format!("add a {kind} named `{name}`; there is none")
            }
            Problem::Unknown { name, known, .. } => meant(name, known, "there is"),
            Problem::Twice { kind, .. } => format!("give each {kind} its own name and write it once"),
            Problem::FenceOrTarget { .. } => {
                "write `{ fence = true }` for confirmed vital, else `{ target = \"20s\" }`".into()
            }
            Problem::NoFence => {
                "add `vital = { fence = true }` to [class]: confirmed vital goes first".into()
            }
            Problem::Queue(fault) => fault.advice(),
            Problem::Route(fault) => fault.advice().into(),
            Problem::Moment { .. } => "write date, time and offset: \"2026-11-23T02:30:00+01:00\"".into(),
            Problem::ExpectsNothing { sample } => format!("say what must come of it: {sample}"),
            Problem::Example { because, .. } => format!("{because}; correct the plan or the example"),
        }
    }
}

/// Suggests the nearest name, or lists them all.
fn meant(written: &str, known: &[String], lead: &str) -> String {
    let nearest = known.iter().map(|name| (distance(written, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= 2 && 2 * steps < written.chars().count() => {
            format!("did you mean `{name}`?")
        }
        _ => format!("{lead} {}", listed(known.iter().map(String::as_str), "and")),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>, last: &str) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// Letters to change, add or take away (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
