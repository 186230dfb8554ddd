//! `[queue.X]` as it is written.

use super::{At, HoldDraft, Span, hold, not_one_of, texts};
use crate::dialplan::error::{Flaw, Problem};
use crate::dialplan::grammar::{ALL, MODES, OFFER, OVERFLOW, QUEUE, RELAX, STAGE, VITAL};
use crate::dialplan::reader::{Entry, Table};
use std::time::Duration;
use toml::de::DeValue;

pub(in crate::dialplan) struct QueueDraft {
    pub(in crate::dialplan) name: At<String>,
    pub(in crate::dialplan) stage: Option<At<String>>,
    pub(in crate::dialplan) skills: Vec<At<String>>,
    pub(in crate::dialplan) relax: Vec<RelaxDraft>,
    pub(in crate::dialplan) offer: OfferDraft,
    pub(in crate::dialplan) vital: VitalDraft,
    pub(in crate::dialplan) reserve: Option<At<i64>>,
    pub(in crate::dialplan) overflow: Vec<OverflowDraft>,
    pub(in crate::dialplan) recall: Option<At<Duration>>,
    pub(in crate::dialplan) hold: Option<HoldDraft>,
    pub(in crate::dialplan) announce: Vec<At<String>>,
    pub(in crate::dialplan) hold_sound: Option<At<String>>,
    pub(in crate::dialplan) alarm: Option<At<Duration>>,
}

pub(in crate::dialplan) struct RelaxDraft {
    pub(in crate::dialplan) after: At<Duration>,
    pub(in crate::dialplan) add: Vec<At<String>>,
}

#[derive(Default)]
pub(in crate::dialplan) struct VitalDraft {
    pub(in crate::dialplan) alert_busy: Option<bool>,
    pub(in crate::dialplan) auto_answer: Option<bool>,
}

pub(in crate::dialplan) enum OfferDraft {
    Exclusive { strategy: Option<At<String>>, ring: Option<At<Duration>> },
    Shared { stages: Vec<StageDraft>, phone_ring: Option<At<Duration>> },
    Pick { at: Span, push: Option<Vec<At<String>>>, ring: Option<At<Duration>> },
}

pub(in crate::dialplan) struct StageDraft {
    pub(in crate::dialplan) at: At<Duration>,
    /// `None`: all.
    pub(in crate::dialplan) agents: At<Option<i64>>,
}

pub(in crate::dialplan) struct OverflowDraft {
    pub(in crate::dialplan) at: Span,
    pub(in crate::dialplan) when: Vec<At<String>>,
    pub(in crate::dialplan) after: Option<At<Duration>>,
    pub(in crate::dialplan) length: Option<At<i64>>,
    pub(in crate::dialplan) expected_wait: Option<At<Duration>>,
    pub(in crate::dialplan) to: At<String>,
    pub(in crate::dialplan) number: Option<At<String>>,
    pub(in crate::dialplan) mode: Option<At<String>>,
}

pub(super) fn queue(entry: &Entry<'_>) -> Result<QueueDraft, Flaw> {
    const RELAXED: &str = "a list: `[{ after = \"15s\", add = [\"coordinator\"] }]`";
    const OVERFLOWING: &str = "a list: `[{ when = [\"opened\"], to = \"queue:back\" }]`";
    let table = Table::open(entry, format!("queue `{}`", entry.key.is), &QUEUE)?;
    Ok(QueueDraft {
        name: entry.key.clone(),
        stage: table.read("stage", Entry::text)?,
        skills: table.need("skills", "`skills = [\"arm\"]`: who may answer")?.texts()?,
        relax: list(&table, "relax", RELAXED, relax)?,
        offer: offer(&table.need(
            "offer",
            "`offer = { mode = \"exclusive\", strategy = \"longest-idle\", ring = \"6s\" }`",
        )?)?,
        vital: table.read("vital", vital)?.unwrap_or_default(),
        reserve: table.read("reserve", Entry::integer)?,
        overflow: list(&table, "overflow", OVERFLOWING, overflow)?,
        recall: table.read("recall", Entry::duration)?,
        hold: table.read("hold", hold)?,
        announce: texts(&table, "announce")?,
        hold_sound: table.read("hold_sound", Entry::text)?,
        alarm: table.read("alarm", Entry::duration)?,
    })
}

/// A list of tables inside a table.
fn list<'t, T>(
    table: &Table<'t>,
    key: &str,
    wanted: &'static str,
    read: impl Fn(&Entry<'t>) -> Result<T, Flaw>,
) -> Result<Vec<T>, Flaw> {
    match table.entry(key) {
        None => Ok(Vec::new()),
        Some(entry) => entry.items(wanted)?.iter().map(read).collect(),
    }
}

fn relax(entry: &Entry<'_>) -> Result<RelaxDraft, Flaw> {
    let table = Table::open(entry, "`relax`".into(), &RELAX)?;
    Ok(RelaxDraft {
        after: table.need("after", "`after = \"15s\"`")?.duration()?,
        add: table.need("add", "`add = [\"coordinator\"]`: the skills of who is added")?.texts()?,
    })
}

fn vital(entry: &Entry<'_>) -> Result<VitalDraft, Flaw> {
    let table = Table::open(entry, "`vital`".into(), &VITAL)?;
    Ok(VitalDraft {
        alert_busy: table.read("alert_busy", Entry::flag)?,
        auto_answer: table.read("auto_answer", Entry::flag)?,
    })
}

fn overflow(entry: &Entry<'_>) -> Result<OverflowDraft, Flaw> {
    let table = Table::open(entry, "`overflow`".into(), &OVERFLOW)?;
    Ok(OverflowDraft {
        at: table.at,
        when: table.need("when", "`when = [\"opened\"]`: what opens it")?.texts()?,
        after: table.read("after", Entry::duration)?,
        length: table.read("length", Entry::integer)?,
        expected_wait: table.read("expected_wait", Entry::duration)?,
        to: table
            .need("to", "`to = \"queue:back\"`, `\"centre:samu-68\"` or `\"trunk:fallback\"`")?
            .text()?,
        number: table.read("number", Entry::text)?,
        mode: table.read("mode", Entry::text)?,
    })
}

fn offer(entry: &Entry<'_>) -> Result<OfferDraft, Flaw> {
    let table = Table::open(entry, "`offer`".into(), &OFFER)?;
    let mode = table.need("mode", "`mode = \"exclusive\"`, `\"shared\"` or `\"pick\"`")?.text()?;
    // Which keys belong to which mode.
    let only = |known: &[&str], place: &str| match table
        .entries()
        .into_iter()
        .find(|entry| !known.contains(&entry.key.is.as_str()))
    {
        None => Ok(()),
        Some(entry) => {
            let known = known.iter().map(|key| (*key).to_owned()).collect();
            let problem = Problem::UnknownKey { key: entry.key.is, place: place.into(), known };
            Err(Flaw::new(entry.key.at, problem))
        }
    };
    match mode.is.as_str() {
        "exclusive" => {
            only(&["mode", "strategy", "ring"], "an exclusive `offer`")?;
            Ok(OfferDraft::Exclusive {
                strategy: table.read("strategy", Entry::text)?,
                ring: table.read("ring", Entry::duration)?,
            })
        }
        "shared" => {
            const STAGES: &str = "a list of stages: `[{ at = \"0s\", agents = \"all\" }]`";
            only(&["mode", "ring", "phone_ring"], "a shared `offer`")?;
            Ok(OfferDraft::Shared {
                stages: list(&table, "ring", STAGES, stage)?,
                phone_ring: table.read("phone_ring", Entry::duration)?,
            })
        }
        "pick" => {
            only(&["mode", "push", "ring"], "a pick `offer`")?;
            let push = table.read("push", Entry::texts)?;
            Ok(OfferDraft::Pick {
                at: table.entry("push").map_or(mode.at, |entry| entry.at()),
                push,
                ring: table.read("ring", Entry::duration)?,
            })
        }
        _ => Err(not_one_of("mode", &mode, MODES)),
    }
}

fn stage(entry: &Entry<'_>) -> Result<StageDraft, Flaw> {
    let stage = Table::open(entry, "a stage of `ring`".into(), &STAGE)?;
    let at = stage.need("at", "`at = \"0s\"`")?.duration()?;
    let agents = stage.need("agents", "`agents = 2`, or `agents = \"all\"`")?;
    let agents = match agents.value.get_ref() {
        DeValue::Integer(_) => {
            let number = agents.integer()?;
            At { is: Some(number.is), at: number.at }
        }
        DeValue::String(all) if all == ALL => At { is: None, at: agents.at() },
        _ => return Err(agents.wrong("a whole number, or \"all\"")),
    };
    Ok(StageDraft { at, agents })
}
