//! A plan as it is written: every key with its place, nothing resolved. What is not in the grammar,
//! or is in it and not acted on, ends here.

pub(super) mod callback;
pub(super) mod proofs;
pub(super) mod queues;

use super::error::{Flaw, Problem};
use super::grammar::{
    CALENDAR, CENTRE_STATE, CLASS, HOLD, HOLDS, KEY, MODIFIER, MODIFIER_THEN, PLAN, QUEUE_STATE, ROUTE,
    ROUTE_THEN, WHEN,
};
use super::reader::{Entry, Table};
use super::{Dialplan, OwnerPlan};
use proofs::{ExampleDraft, SimulationDraft, example, simulation};
use queues::{QueueDraft, queue};
use std::ops::Range;
use std::time::Duration;
use toml::de::DeTable;

/// Bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Span {
        Span { start: range.start, end: range.end }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) is: T,
    pub(super) at: Span,
}

/// A key and a text.
pub(super) type Pair = (At<String>, At<String>);

/// A whole plan as written.
pub(super) struct Draft {
    pub(super) name: At<String>,
    pub(super) version: At<String>,
    pub(super) timezone: Option<At<String>>,
    pub(super) numbers: Vec<Pair>,
    pub(super) calendars: Vec<CalendarDraft>,
    pub(super) classes: Vec<ClassDraft>,
    pub(super) queues: Vec<QueueDraft>,
    pub(super) routes: Vec<RouteDraft>,
    pub(super) modifiers: Vec<ModifierDraft>,
    pub(super) examples: Vec<ExampleDraft>,
    pub(super) simulations: Vec<SimulationDraft>,
    pub(super) callback: Option<callback::CallbackDraft>,
}

pub(super) struct CalendarDraft {
    pub(super) name: At<String>,
    pub(super) windows: Vec<At<String>>,
    pub(super) days: Vec<At<String>>,
    pub(super) holidays: Option<At<String>>,
    pub(super) open: Vec<At<String>>,
    pub(super) closed: Vec<At<String>>,
}

pub(super) struct ClassDraft {
    pub(super) name: At<String>,
    pub(super) fence: Option<bool>,
    pub(super) target: Option<At<Duration>>,
}

pub(super) struct HoldDraft {
    pub(super) early: bool,
    pub(super) answer_within: Option<At<Duration>>,
}

pub(super) struct RouteDraft {
    pub(super) name: At<String>,
    pub(super) priority: At<i64>,
    pub(super) when: Option<WhenDraft>,
    pub(super) queue: At<String>,
    pub(super) class: At<String>,
    pub(super) hold: Option<HoldDraft>,
    pub(super) announce: Option<Vec<At<String>>>,
    pub(super) hold_sound: Option<At<String>>,
    pub(super) menu: Option<MenuDraft>,
    pub(super) tags: Vec<At<String>>,
    pub(super) owner: Option<At<OwnerDraft>>,
    pub(super) alone: Option<At<Duration>>,
    pub(super) leads: Vec<At<String>>,
}

/// Who is asked first.
pub(super) enum OwnerDraft {
    Nobody,
    File,
    Person(String),
}

impl OwnerDraft {
    pub(super) fn meant(&self) -> Option<OwnerPlan> {
        match self {
            OwnerDraft::Nobody => None,
            OwnerDraft::File => Some(OwnerPlan::File),
            OwnerDraft::Person(name) => Some(OwnerPlan::Person(name.clone())),
        }
    }
}

pub(super) struct MenuDraft {
    pub(super) at: Span,
    pub(super) keys: Vec<KeyDraft>,
}

pub(super) struct KeyDraft {
    pub(super) key: At<String>,
    pub(super) class: Option<At<String>>,
    pub(super) tag: Option<At<String>>,
}

pub(super) struct ModifierDraft {
    pub(super) name: At<String>,
    pub(super) when: WhenDraft,
    pub(super) class: Option<At<String>>,
    pub(super) raise: Option<At<i64>>,
    pub(super) inherit: Option<At<String>>,
    pub(super) show: Option<At<String>>,
    pub(super) tags: Vec<At<String>>,
    pub(super) add: Vec<At<String>>,
    pub(super) language: Option<At<String>>,
}

pub(super) struct WhenDraft {
    pub(super) at: Span,
    pub(super) service: Vec<At<String>>,
    pub(super) called: Vec<At<String>>,
    pub(super) urn: Vec<At<String>>,
    pub(super) trunk: Vec<At<String>>,
    pub(super) caller: Vec<At<String>>,
    pub(super) withheld: Option<bool>,
    pub(super) calendar: Option<At<String>>,
    pub(super) outside: Option<At<String>>,
    pub(super) header: Vec<Pair>,
    pub(super) repeat: Option<(At<String>, At<Duration>)>,
    pub(super) location: Vec<At<String>>,
    pub(super) crisis: Option<bool>,
    pub(super) queue: Option<(At<String>, ThresholdDraft)>,
    pub(super) centre: Option<ThresholdDraft>,
}

/// How a queue, or the centre, must stand.
pub(super) struct ThresholdDraft {
    pub(super) at: Span,
    pub(super) waiting_from: Option<At<i64>>,
    pub(super) longest_wait_from: Option<At<Duration>>,
    pub(super) free_below: Option<At<i64>>,
    pub(super) signed_in_below: Option<At<i64>>,
}

const NAME_SAMPLE: &str = "`name = \"night doctor line\"`";
const WHEN_SAMPLE: &str = "`when = { service = \"pdsa\" }`";

impl Draft {
    pub(super) fn read(keys: &DeTable<'_>) -> Result<Draft, Flaw> {
        let plan = Table::root(keys, &PLAN)?;
        Ok(Draft {
            name: plan.need("plan", "`plan = \"samu-67\"` on top")?.text()?,
            version: plan.need("version", "`version = \"2026-11-23.1\"` on top")?.text()?,
            timezone: plan.read("timezone", Entry::text)?,
            numbers: pairs(&plan.need("numbers", "a table [numbers] with what the trunk delivers")?)?,
            calendars: named(&plan, "calendar", calendar)?,
            classes: class_list(&plan.need("class", "a table [class]")?)?,
            queues: {
                plan.need("queue", "a table [queue.front]")?;
                named(&plan, "queue", queue)?
            },
            routes: listed(&plan, "route", route)?,
            modifiers: listed(&plan, "modifier", modifier)?,
            examples: listed(&plan, "example", example)?,
            simulations: listed(&plan, "simulation", simulation)?,
            callback: plan.read("callback", callback::callback)?,
        })
    }
}

impl Draft {
    /// Every sound the plan asks for, where it is first named; a queue that names none, where the
    /// queue stands.
    pub(super) fn sounds(&self) -> Vec<At<String>> {
        let silent = |queue: &QueueDraft| At { is: Dialplan::HOLD_SOUND.to_owned(), at: queue.name.at };
        let queues = self.queues.iter().flat_map(|queue| {
            let hold = queue.hold_sound.clone().unwrap_or_else(|| silent(queue));
            queue.announce.iter().cloned().chain([hold])
        });
        let routes = self
            .routes
            .iter()
            .flat_map(|route| route.announce.iter().flatten().cloned().chain(route.hold_sound.clone()));
        let mut sounds: Vec<At<String>> = Vec::new();
        for sound in queues.chain(routes) {
            if !sounds.iter().any(|known| known.is == sound.is) {
                sounds.push(sound);
            }
        }
        sounds
    }
}

/// Tables under one name: `[calendar.x]`, `[queue.x]`.
fn named<'t, T>(
    plan: &Table<'t>,
    key: &str,
    read: impl Fn(&Entry<'t>) -> Result<T, Flaw>,
) -> Result<Vec<T>, Flaw> {
    let Some(entry) = plan.entry(key) else { return Ok(Vec::new()) };
    Table::free(&entry, format!("[{key}]"))?.entries().iter().map(read).collect()
}

/// A list of tables: `[[route]]`.
fn listed<'t, T>(
    plan: &Table<'t>,
    key: &str,
    read: impl Fn(&Entry<'t>) -> Result<T, Flaw>,
) -> Result<Vec<T>, Flaw> {
    let Some(entry) = plan.entry(key) else { return Ok(Vec::new()) };
    entry.items("a list of tables, each under its [[header]]")?.iter().map(read).collect()
}

/// A table of texts.
fn pairs(entry: &Entry<'_>) -> Result<Vec<Pair>, Flaw> {
    let table = Table::free(entry, format!("`{}`", entry.key.is))?;
    table.entries().into_iter().map(|pair| Ok((pair.key.clone(), pair.text()?))).collect()
}

fn texts(table: &Table<'_>, key: &str) -> Result<Vec<At<String>>, Flaw> {
    Ok(table.read(key, Entry::texts)?.unwrap_or_default())
}

fn calendar(entry: &Entry<'_>) -> Result<CalendarDraft, Flaw> {
    let table = Table::open(entry, format!("calendar `{}`", entry.key.is), &CALENDAR)?;
    Ok(CalendarDraft {
        name: entry.key.clone(),
        windows: texts(&table, "windows")?,
        days: texts(&table, "days")?,
        holidays: table.read("holidays", Entry::text)?,
        open: texts(&table, "open")?,
        closed: texts(&table, "closed")?,
    })
}

fn class_list(entry: &Entry<'_>) -> Result<Vec<ClassDraft>, Flaw> {
    let classes = Table::free(entry, "[class]".into())?.entries();
    let read = |entry: &Entry<'_>| {
        let table = Table::open(entry, format!("class `{}`", entry.key.is), &CLASS)?;
        Ok(ClassDraft {
            name: entry.key.clone(),
            fence: table.read("fence", Entry::flag)?,
            target: table.read("target", Entry::duration)?,
        })
    };
    classes.iter().map(read).collect()
}

fn hold(entry: &Entry<'_>) -> Result<HoldDraft, Flaw> {
    let (mode, answer_within) = match entry.value.get_ref() {
        toml::de::DeValue::Table(_) => {
            let table = Table::open(entry, "`hold`".into(), &HOLD)?;
            let mode = table.need("mode", "`mode = \"answered\"` or `mode = \"early\"`")?.text()?;
            (mode, table.read("answer_within", Entry::duration)?)
        }
        _ => (entry.text()?, None),
    };
    one_of("hold", &mode, HOLDS)?;
    let early = mode.is == "early";
    if let (false, Some(misplaced)) = (early, &answer_within) {
        let bounds = "remove it: an answered call has its 200 at once";
        let text = format!("{}s", misplaced.is.as_secs());
        return Err(Flaw::new(misplaced.at, Problem::OutOfBounds { key: "answer_within", text, bounds }));
    }
    Ok(HoldDraft { early, answer_within })
}

fn route(entry: &Entry<'_>) -> Result<RouteDraft, Flaw> {
    let table = Table::open(entry, "this route".into(), &ROUTE)?;
    let name = table.need("name", NAME_SAMPLE)?.text()?;
    let then = table.need("then", "`then = { queue = \"front\", class = \"unqualified\" }`")?;
    let then = Table::open(&then, format!("`then` of route `{}`", name.is), &ROUTE_THEN)?;
    Ok(RouteDraft {
        priority: table.need("priority", "`priority = 100`: the highest true route wins")?.integer()?,
        when: table.read("when", when)?,
        queue: then.need("queue", "`queue = \"front\"`")?.text()?,
        class: then.need("class", "`class = \"unqualified\"`")?.text()?,
        hold: then.read("hold", hold)?,
        announce: then.read("announce", Entry::texts)?,
        hold_sound: then.read("hold_sound", Entry::text)?,
        menu: then.read("menu", menu)?,
        tags: texts(&then, "tag")?,
        owner: then.read("owner", owner)?,
        alone: then.read("alone", Entry::duration)?,
        leads: texts(&then, "leads")?,
        name,
    })
}

pub(super) fn owner(entry: &Entry<'_>) -> Result<At<OwnerDraft>, Flaw> {
    let is = match entry.value.get_ref() {
        toml::de::DeValue::String(name) => OwnerDraft::Person(name.to_string()),
        toml::de::DeValue::Boolean(true) => OwnerDraft::File,
        toml::de::DeValue::Boolean(false) => OwnerDraft::Nobody,
        _ => return Err(entry.wrong("true, or the name of an agent in quotes")),
    };
    Ok(At { is, at: entry.at() })
}

fn modifier(entry: &Entry<'_>) -> Result<ModifierDraft, Flaw> {
    let table = Table::open(entry, "this modifier".into(), &MODIFIER)?;
    let name = table.need("name", NAME_SAMPLE)?.text()?;
    let then = table.need("then", "`then = { class = \"vital\" }`")?;
    let then = Table::open(&then, format!("`then` of modifier `{}`", name.is), &MODIFIER_THEN)?;
    Ok(ModifierDraft {
        when: when(&table.need("when", WHEN_SAMPLE)?)?,
        class: then.read("class", Entry::text)?,
        raise: then.read("raise", Entry::integer)?,
        inherit: then.read("inherit", Entry::text)?,
        show: then.read("show", Entry::text)?,
        tags: texts(&then, "tag")?,
        add: texts(&then, "add")?,
        language: then.read("language", Entry::text)?,
        name,
    })
}

fn menu(entry: &Entry<'_>) -> Result<MenuDraft, Flaw> {
    let keys = Table::free(entry, "`menu`".into())?.entries();
    let read = |entry: &Entry<'_>| {
        let table = Table::open(entry, format!("key `{}` of the menu", entry.key.is), &KEY)?;
        Ok(KeyDraft {
            key: entry.key.clone(),
            class: table.read("class", Entry::text)?,
            tag: table.read("tag", Entry::text)?,
        })
    };
    Ok(MenuDraft { at: entry.at(), keys: keys.iter().map(read).collect::<Result<_, _>>()? })
}

fn when(entry: &Entry<'_>) -> Result<WhenDraft, Flaw> {
    let table = Table::open(entry, "`when`".into(), &WHEN)?;
    let repeat = table.read("repeat", Entry::text)?;
    let repeat = match (repeat, table.entry("within")) {
        (Some(outcome), _) => {
            let within = table.need("within", "`within = \"30m\"` beside `repeat`")?.duration()?;
            Some((outcome, within))
        }
        (None, Some(_)) => {
            table.need("repeat", "`repeat = \"answered\"` or `repeat = \"abandoned\"` beside `within`")?;
            None
        }
        (None, None) => None,
    };
    Ok(WhenDraft {
        at: table.at,
        service: texts(&table, "service")?,
        called: texts(&table, "called")?,
        urn: texts(&table, "urn")?,
        trunk: texts(&table, "trunk")?,
        caller: texts(&table, "caller")?,
        withheld: table.read("withheld", Entry::flag)?,
        calendar: table.read("calendar", Entry::text)?,
        outside: table.read("outside", Entry::text)?,
        header: table.read("header", pairs)?.unwrap_or_default(),
        repeat,
        location: texts(&table, "location")?,
        crisis: table.read("crisis", Entry::flag)?,
        queue: table.read("queue", |entry| {
            let table = Table::open(entry, "`queue`".into(), &QUEUE_STATE)?;
            Ok((table.need("name", "`name = \"front\"`")?.text()?, threshold(&table)?))
        })?,
        centre: table
            .read("centre", |entry| threshold(&Table::open(entry, "`centre`".into(), &CENTRE_STATE)?))?,
    })
}

fn threshold(table: &Table<'_>) -> Result<ThresholdDraft, Flaw> {
    Ok(ThresholdDraft {
        at: table.at,
        waiting_from: table.read("waiting_from", Entry::integer)?,
        longest_wait_from: table.read("longest_wait_from", Entry::duration)?,
        free_below: table.read("free_below", Entry::integer)?,
        signed_in_below: table.read("signed_in_below", Entry::integer)?,
    })
}

pub(super) fn one_of(
    key: &'static str,
    value: &At<String>,
    allowed: &'static [&'static str],
) -> Result<(), Flaw> {
    if allowed.contains(&value.is.as_str()) { Ok(()) } else { Err(not_one_of(key, value, allowed)) }
}

pub(super) fn not_one_of(key: &'static str, value: &At<String>, allowed: &'static [&'static str]) -> Flaw {
    Flaw::new(value.at, Problem::NotOneOf { key, value: value.is.clone(), allowed })
}
