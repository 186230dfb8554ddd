//! `bandeau load`: plays a carrier and desk phones against a target, with real audio, and says
//! what each side heard. For demos, for the tests, and for an operator who proves a new
//! installation before the night it matters.
//!
//! Everything is bounded (calls, rate, phones, seconds), and nothing leaves this machine unless the
//! address is given twice. Deliberately absent: anything another machine of the trade measures
//! better (SIPp's scenarios, torture, floods).

pub mod plan;
pub mod report;

mod callers;
mod phones;

mod audio;
mod register;
mod station;
pub mod tone;

use callers::Callers;
use phones::Phone;
use plan::{Args, Audio, LoadError, Plan};
use report::{CallerTally, PhoneTally, Report};
use sip::time::Now;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;
use tone::Voices;

/// Where the time comes from: the driver's clock, handed in by the command that calls us.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The command's body: plays, prints the summary, and ends non-zero when a call failed.
///
/// # Errors
/// The arguments are out of bounds, or a port is taken.
pub async fn run(args: Args, clock: Clock) -> anyhow::Result<ExitCode> {
    let json = args.json;
    let report = play(Plan::check(args)?, clock).await?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays a checked plan to its end; used in this process by `bandeau demo`. Every phone
/// listens before the first call. Dropping the future stops every caller and phone without a BYE.
///
/// # Errors
/// A port is taken.
pub async fn play(plan: Plan, clock: Clock) -> Result<Report, LoadError> {
    let plan = Arc::new(plan);
    let limit = clock().at + plan.limit;
    let voices = match plan.audio {
        Audio::Tone => Voices::tones(),
        Audio::Speech => Voices::spoken(),
    };
    let (tell, over) = watch::channel(false);
    let mut phones = tokio::task::JoinSet::new();
    for nth in 0..plan.phones {
        let phone = Phone::open(Arc::clone(&plan), nth, Arc::clone(&clock), voices.clone()).await?;
        phones.spawn(phone.play(limit, over.clone()));
    }
    let mut callers = CallerTally::default();
    if plan.count > 0 {
        callers = Callers::open(&plan, clock, voices).await?.play(limit).await?;
        let _ = tell.send(true); // no phone listens when none was asked for
    }
    let mut tally = PhoneTally::default();
    while let Some(played) = phones.join_next().await {
        // A task of ours ends early only by a panic, which is a bug to be seen.
        tally.add(played.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?);
    }
    Ok(Report::of(callers, tally))
}
