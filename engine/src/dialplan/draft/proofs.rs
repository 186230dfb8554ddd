//! `[[example]]` and `[[simulation]]` as they are written.

use super::{At, OwnerDraft, Pair, Span, owner, pairs};
use crate::dialplan::error::Flaw;
use crate::dialplan::grammar::{EXAMPLE, EXPECT, GIVEN, PROMISE, REPEAT, SIMULATION, STATE, TRAFFIC};
use crate::dialplan::reader::{Entry, Table};
use std::time::Duration;

pub(in crate::dialplan) struct ExampleDraft {
    pub(in crate::dialplan) given: GivenDraft,
    pub(in crate::dialplan) expect: ExpectDraft,
}

pub(in crate::dialplan) struct GivenDraft {
    pub(in crate::dialplan) called: At<String>,
    pub(in crate::dialplan) urn: Option<At<String>>,
    pub(in crate::dialplan) from: Option<At<String>>,
    pub(in crate::dialplan) trunk: Option<At<String>>,
    pub(in crate::dialplan) withheld: bool,
    pub(in crate::dialplan) location: Option<At<String>>,
    pub(in crate::dialplan) moment: Option<At<String>>,
    pub(in crate::dialplan) headers: Vec<Pair>,
    pub(in crate::dialplan) repeat: Option<RepeatDraft>,
    pub(in crate::dialplan) crisis: bool,
    pub(in crate::dialplan) queues: Vec<(At<String>, StateDraft)>,
    pub(in crate::dialplan) centre: Option<StateDraft>,
}

pub(in crate::dialplan) struct RepeatDraft {
    pub(in crate::dialplan) outcome: At<String>,
    pub(in crate::dialplan) ago: At<Duration>,
    pub(in crate::dialplan) waited: Option<At<Duration>>,
}

pub(in crate::dialplan) struct StateDraft {
    pub(in crate::dialplan) waiting: Option<At<i64>>,
    pub(in crate::dialplan) longest_wait: Option<At<Duration>>,
    pub(in crate::dialplan) free: Option<At<i64>>,
    pub(in crate::dialplan) signed_in: Option<At<i64>>,
}

pub(in crate::dialplan) struct ExpectDraft {
    pub(in crate::dialplan) at: Span,
    pub(in crate::dialplan) service: Option<At<String>>,
    pub(in crate::dialplan) route: Option<At<String>>,
    pub(in crate::dialplan) queue: Option<At<String>>,
    pub(in crate::dialplan) class: Option<At<String>>,
    pub(in crate::dialplan) hold: Option<At<String>>,
    pub(in crate::dialplan) language: Option<At<String>>,
    pub(in crate::dialplan) owner: Option<At<OwnerDraft>>,
    pub(in crate::dialplan) leads: Option<At<Vec<String>>>,
    pub(in crate::dialplan) modifiers: Option<At<Vec<String>>>,
    pub(in crate::dialplan) tags: Option<At<Vec<String>>>,
    pub(in crate::dialplan) add: Option<At<Vec<String>>>,
    pub(in crate::dialplan) show: Option<At<Vec<String>>>,
    pub(in crate::dialplan) menu: Option<At<Vec<String>>>,
}

pub(in crate::dialplan) struct SimulationDraft {
    pub(in crate::dialplan) at: Span,
    pub(in crate::dialplan) agents: Vec<(At<String>, At<i64>)>,
    pub(in crate::dialplan) calls_per_hour: At<f64>,
    pub(in crate::dialplan) handling: At<Duration>,
    pub(in crate::dialplan) wrap_up: Option<At<Duration>>,
    pub(in crate::dialplan) vital: Option<At<f64>>,
    pub(in crate::dialplan) declared: Option<At<f64>>,
    pub(in crate::dialplan) patience: Option<At<Duration>>,
    pub(in crate::dialplan) redial: Option<At<f64>>,
    pub(in crate::dialplan) calls: Vec<(At<String>, At<f64>)>,
    pub(in crate::dialplan) moment: Option<At<String>>,
    pub(in crate::dialplan) hours: At<f64>,
    pub(in crate::dialplan) crisis: bool,
    pub(in crate::dialplan) seed: Option<At<i64>>,
    pub(in crate::dialplan) expect: PromiseDraft,
}

pub(in crate::dialplan) struct PromiseDraft {
    pub(in crate::dialplan) at: Span,
    pub(in crate::dialplan) refused: Option<At<i64>>,
    pub(in crate::dialplan) order_broken: Option<At<i64>>,
    pub(in crate::dialplan) abandoned: Option<At<f64>>,
    /// Class, percentile, duration.
    pub(in crate::dialplan) answered_within: Vec<(At<String>, At<String>, At<Duration>)>,
}

pub(super) fn example(entry: &Entry<'_>) -> Result<ExampleDraft, Flaw> {
    let table = Table::open(entry, "this example".into(), &EXAMPLE)?;
    Ok(ExampleDraft {
        given: given(&table.need("given", "`given = { called = \"15\" }`")?)?,
        expect: expect(&table.need("expect", "`expect = { route = \"default\" }`")?)?,
    })
}

fn given(entry: &Entry<'_>) -> Result<GivenDraft, Flaw> {
    let given = Table::open(entry, "`given`".into(), &GIVEN)?;
    Ok(GivenDraft {
        called: given.need("called", "`called = \"15\"`")?.text()?,
        urn: given.read("urn", Entry::text)?,
        from: given.read("from", Entry::text)?,
        trunk: given.read("trunk", Entry::text)?,
        withheld: given.read("withheld", Entry::flag)?.unwrap_or(false),
        location: given.read("location", Entry::text)?,
        moment: given.read("at", Entry::text)?,
        headers: given.read("header", pairs)?.unwrap_or_default(),
        repeat: given.read("repeat", repeat)?,
        crisis: given.read("crisis", Entry::flag)?.unwrap_or(false),
        queues: given.read("queue", |entry| named(entry, state))?.unwrap_or_default(),
        centre: given.read("centre", state)?,
    })
}

fn expect(entry: &Entry<'_>) -> Result<ExpectDraft, Flaw> {
    let expect = Table::open(entry, "`expect`".into(), &EXPECT)?;
    let list = |entry: &Entry<'_>| {
        let items = entry.items("a list of texts, empty for none")?;
        let texts: Result<Vec<String>, Flaw> = items.iter().map(|item| Ok(item.text()?.is)).collect();
        Ok(At { is: texts?, at: entry.at() })
    };
    Ok(ExpectDraft {
        at: entry.at(),
        service: expect.read("service", Entry::text)?,
        route: expect.read("route", Entry::text)?,
        queue: expect.read("queue", Entry::text)?,
        class: expect.read("class", Entry::text)?,
        hold: expect.read("hold", Entry::text)?,
        language: expect.read("language", Entry::text)?,
        owner: expect.read("owner", owner)?,
        leads: expect.read("leads", list)?,
        modifiers: expect.read("modifiers", list)?,
        tags: expect.read("tags", list)?,
        add: expect.read("add", list)?,
        show: expect.read("show", list)?,
        menu: expect.read("menu", list)?,
    })
}

fn repeat(entry: &Entry<'_>) -> Result<RepeatDraft, Flaw> {
    let table = Table::open(entry, "`repeat`".into(), &REPEAT)?;
    Ok(RepeatDraft {
        outcome: table.need("outcome", "`outcome = \"answered\"` or `outcome = \"abandoned\"`")?.text()?,
        ago: table.need("ago", "`ago = \"5m\"`")?.duration()?,
        waited: table.read("waited", Entry::duration)?,
    })
}

fn state(entry: &Entry<'_>) -> Result<StateDraft, Flaw> {
    let table = Table::open(entry, format!("`{}`", entry.key.is), &STATE)?;
    Ok(StateDraft {
        waiting: table.read("waiting", Entry::integer)?,
        longest_wait: table.read("longest_wait", Entry::duration)?,
        free: table.read("free", Entry::integer)?,
        signed_in: table.read("signed_in", Entry::integer)?,
    })
}

/// A table whose keys are names, each with its value.
fn named<'t, T>(
    entry: &Entry<'t>,
    read: impl Fn(&Entry<'t>) -> Result<T, Flaw>,
) -> Result<Vec<(At<String>, T)>, Flaw> {
    let entries = Table::free(entry, format!("`{}`", entry.key.is))?.entries();
    entries.iter().map(|entry| Ok((entry.key.clone(), read(entry)?))).collect()
}

pub(super) fn simulation(entry: &Entry<'_>) -> Result<SimulationDraft, Flaw> {
    let table = Table::open(entry, "this simulation".into(), &SIMULATION)?;
    let sample = "`given = { agents = { arm = 15 }, calls_per_hour = 187, handling = \"150s\", hours = 2 }`";
    let given = Table::open(&table.need("given", sample)?, "`given`".into(), &TRAFFIC)?;
    Ok(SimulationDraft {
        at: given.at,
        agents: named(&given.need("agents", "`agents = { arm = 15 }`")?, Entry::integer)?,
        calls_per_hour: given.need("calls_per_hour", "`calls_per_hour = 187`")?.number()?,
        handling: given.need("handling", "`handling = \"150s\"`")?.duration()?,
        wrap_up: given.read("wrap_up", Entry::duration)?,
        vital: given.read("vital", Entry::number)?,
        declared: given.read("declared", Entry::number)?,
        patience: given.read("patience", Entry::duration)?,
        redial: given.read("redial", Entry::number)?,
        calls: given.read("calls", |entry| named(entry, Entry::number))?.unwrap_or_default(),
        moment: given.read("at", Entry::text)?,
        hours: given.need("hours", "`hours = 2`")?.number()?,
        crisis: given.read("crisis", Entry::flag)?.unwrap_or(false),
        seed: given.read("seed", Entry::integer)?,
        expect: promise(&table.need("expect", "`expect = { refused = 0, order_broken = 0 }`")?)?,
    })
}

fn promise(entry: &Entry<'_>) -> Result<PromiseDraft, Flaw> {
    let table = Table::open(entry, "`expect`".into(), &PROMISE)?;
    let within =
        table.read("answered_within", |entry| named(entry, |class| named(class, Entry::duration)))?;
    let within = within.unwrap_or_default().into_iter().flat_map(|(class, list)| {
        list.into_iter().map(move |(percent, within)| (class.clone(), percent, within))
    });
    Ok(PromiseDraft {
        at: entry.at(),
        refused: table.read("refused", Entry::integer)?,
        order_broken: table.read("order_broken", Entry::integer)?,
        abandoned: table.read("abandoned", Entry::number)?,
        answered_within: within.collect(),
    })
}
