//! Rows of what happens to calls beside talking: callbacks, callers between two stages, major events.

use super::Millis;
use crate::call::event::{Past, Private, Unreached, WhyCallback};
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
