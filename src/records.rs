//! `bandeau records`: takes records out of the store, for figures and for `bandeau replay`.

use crate::config::Config;
use crate::store::Records;
use anyhow::{Context, bail};
use engine::dialplan::Dialplan;
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

/// `bandeau records`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The configuration whose `state_dir` holds the records
    #[arg(long, global = true, default_value = "bandeau.toml")]
    config: PathBuf,
    #[command(subcommand)]
    wish: Wish,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Wish {
    /// Print records of ended calls in the order of arrival, one JSON object a line. They hold callers'
    /// numbers: keep what you print as you keep the records
    Export {
        /// Calls that came at this moment or later: 2026-11-23T00:00:00+01:00
        #[arg(long)]
        since: Option<String>,
        /// Calls that came before this moment
        #[arg(long)]
        until: Option<String>,
    },
}

/// Does what is wished, on `out`.
///
/// # Errors
/// What is wrong, in words for the operator.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = Config::load(&args.config).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let Wish::Export { since, until } = &args.wish;
    let (since, until) = (moment(since.as_deref())?, moment(until.as_deref())?);
    let path = config.records();
    let records = Records::read(&path).with_context(|| {
        format!("no call has ended yet where `{}` keeps its records", args.config.display())
    })?;
    records.export(since, until, |line| writeln!(out, "{line}").context("cannot print the records"))
}

fn moment(text: Option<&str>) -> anyhow::Result<Option<SystemTime>> {
    match text.map(|text| (text, Dialplan::moment_of(text))) {
        None => Ok(None),
        Some((_, Some(moment))) => Ok(Some(moment)),
        Some((text, None)) => {
            bail!("`{text}` is no moment: write date, time and offset, `2026-11-23T00:00:00+01:00`")
        }
    }
}
