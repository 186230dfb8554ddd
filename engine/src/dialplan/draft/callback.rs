//! `[callback]` as it is written.

use super::{At, Entry, Flaw, Table};
use crate::dialplan::grammar::CALLBACK;
use std::time::Duration;

pub(in crate::dialplan) struct CallbackDraft {
    pub(in crate::dialplan) trunk: At<String>,
    pub(in crate::dialplan) shown: Option<At<String>>,
    pub(in crate::dialplan) ring: Option<At<Duration>>,
    pub(in crate::dialplan) retry: Option<Vec<At<Duration>>>,
    pub(in crate::dialplan) keep: Option<At<Duration>>,
    pub(in crate::dialplan) abandoned: Option<bool>,
    pub(in crate::dialplan) broken: Option<bool>,
}

pub(super) fn callback(entry: &Entry<'_>) -> Result<CallbackDraft, Flaw> {
    let table = Table::open(entry, "[callback]".into(), &CALLBACK)?;
    let retry = |entry: &Entry<'_>| {
        let items = entry.items("a list of durations, such as [\"5m\", \"15m\"]")?;
        items.iter().map(Entry::duration).collect::<Result<Vec<_>, _>>()
    };
    Ok(CallbackDraft {
        trunk: table.need("trunk", "`trunk = \"operator\"`: over which callers are called back")?.text()?,
        shown: table.read("shown", Entry::text)?,
        ring: table.read("ring", Entry::duration)?,
        retry: table.read("retry", retry)?,
        keep: table.read("keep", Entry::duration)?,
        abandoned: table.read("abandoned", Entry::flag)?,
        broken: table.read("broken", Entry::flag)?,
    })
}
