//! Rows of what happens to calls beside talking: callbacks, callers between two stages, major events.

use super::Millis;
use crate::call::event::{Past, Private, Unreached, WhyCallback};
use crate::live::indicators::Figures;
use serde::{Deserialize, Serialize};

/// Somebody to be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallbackRow {
    /// Its id, as a call's.
    pub call: String,
    /// The call it comes from.
    pub of: Option<String>,
    /// Why.
    pub why: WhyCallback,
    /// Its class.
    pub class: Option<String>,
    /// Where its class stands in the plan's list: the first are the most urgent.
    pub priority: u16,
    /// The queue it waits in, by name.
    pub queue: Option<String>,
    /// The service that was dialled.
    pub service: String,
    /// The number to call, as far as the viewer may see it.
    pub caller: Private,
    /// The name the network showed, for those who may see it.
    pub caller_name: Option<Private>,
    /// The latest note, for those who may see it.
    pub note: Option<Private>,
    /// Where its wait is counted from.
    pub since: Millis,
    /// Offered to nobody before this: its time, or the next attempt.
    pub until: Option<Millis>,
    /// Whose file it is, by name.
    pub owner: Option<String>,
    /// Attempts that reached nobody.
    pub tried: u32,
    /// How the last one failed.
    pub last: Option<Unreached>,
    /// Who has accepted it and hears the person's phone ring, by name.
    pub dialling: Option<String>,
}

/// A caller who was handed over and waits for the next stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HandOverRow {
    /// The call.
    pub call: String,
    /// Its class.
    pub class: String,
    /// Where its class stands in the plan's list: the first are the most urgent.
    pub priority: u16,
    /// The queue it waits in, by name.
    pub queue: String,
    /// The service that was dialled.
    pub service: String,
    /// Number to call back, as far as the viewer may see it.
    pub caller: Private,
    /// The name the network shows, for those who may see it.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// The latest note, for those who may see it.
    pub note: Option<Private>,
    /// Who is responsible until somebody answers, by name.
    pub by: String,
    /// Back to the stage it came from.
    pub back: bool,
    /// Since when it waits there.
    pub since: Millis,
    /// When somebody must talk with the caller again.
    pub recontact: Millis,
    /// That moment has passed.
    pub alarm: bool,
}

/// A major event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MajorRow {
    /// Its id.
    pub event: String,
    /// Its name.
    pub name: String,
    /// Calls with one of these tags belong to it.
    pub tags: Vec<String>,
    /// Calls to one of these numbers belong to it.
    pub numbers: Vec<String>,
    /// Where its calls wait, by name.
    pub queue: Option<String>,
    /// Who serves it, by name.
    pub team: Vec<String>,
    /// Who is kept for everything else, by name.
    pub rest: Vec<String>,
    /// Since when.
    pub since: Millis,
    /// When it was over; the last few are kept.
    pub until: Option<Millis>,
    /// Calls of it.
    pub calls: u64,
    /// Those that are alive.
    pub live: u64,
    /// Those somebody has answered.
    pub answered: u64,
    /// Those whose callers hung up before.
    pub abandoned: u64,
}

/// An earlier call of the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EarlierRow {
    /// Which.
    pub call: String,
    /// How it ended.
    pub past: Past,
    /// How long before this one.
    pub ago: Millis,
    /// The class it had.
    pub class: String,
    /// Who talked with the caller last, by name.
    pub agent: Option<String>,
}

/// The figures of all calls, or of one service's, since the epoch began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FiguresRow {
    /// The service; `None`: all calls.
    pub service: Option<String>,
    /// Calls that reached us, tests left out.
    pub attempts: u64,
    /// Of these, callers who had not called in the ten minutes before.
    pub callers: u64,
    /// Answered by a human here.
    pub answered: u64,
    /// Answered by a human elsewhere.
    pub overflowed: u64,
    /// Hung up before 15 s.
    pub short: u64,
    /// Hung up at 15 s or later.
    pub abandoned: u64,
    /// Of these, callers answered later, or reached by a callback.
    pub recovered: u64,
    /// Broken by a network before anybody answered.
    pub broken: u64,
    /// Answered within 15, 20, 30 and 60 s of the INVITE.
    pub within: [u64; 4],
    /// Callbacks that began, and those that reached the person.
    pub callbacks: u64,
    /// See `callbacks`.
    pub reached: u64,
    /// Mean time from the entry to the first stage's answer.
    pub t1: Option<Millis>,
    /// Mean time from the hand-over to the second stage's answer.
    pub t2: Option<Millis>,
}

impl FiguresRow {
    /// As the log adds up to.
    pub(in crate::live) fn of(service: Option<String>, figures: &Figures) -> FiguresRow {
        FiguresRow {
            service,
            attempts: figures.attempts,
            callers: figures.callers,
            answered: figures.answered,
            overflowed: figures.overflowed,
            short: figures.short,
            abandoned: figures.abandoned,
            recovered: figures.recovered,
            broken: figures.broken,
            within: figures.within,
            callbacks: figures.callbacks,
            reached: figures.reached,
            t1: figures.t1.mean().map(Into::into),
            t2: figures.t2.mean().map(Into::into),
        }
    }
}
