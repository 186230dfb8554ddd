//! Rows of what the room shares: calls set aside, the last hour in minutes, alarms.

use super::Millis;
use crate::call::event::{Private, Seat};
use crate::site::Role;
use serde::{Deserialize, Serialize};

/// A call on the list the room shares: anybody may pick it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HeldRow {
    /// The call.
    pub call: String,
    /// Its class, when it has one.
    pub class: Option<String>,
    /// The service that was dialled.
    pub service: String,
    /// Number to call back, as far as the viewer may see it.
    pub caller: Private,
    /// Name shown by the network, for those who may see it.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// The latest note, for those who may see it.
    pub note: Option<Private>,
    /// Whose it was, by name.
    pub by: String,
    /// That agent's page is lost; without it the agent has put it there.
    pub lost: bool,
    /// Since when it is on the list.
    pub since: Millis,
    /// When somebody has to look at it again.
    pub recall: Millis,
    /// That moment has passed.
    pub alarm: bool,
}

/// Somebody who takes part in a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PartyRow {
    /// The name: of the roster, or of the directory.
    pub who: String,
    /// The role of the shift; `None`: somebody outside.
    pub role: Option<Role>,
    /// How they take part.
    pub seat: Seat,
    /// They answer for the call.
    pub leads: bool,
    /// Since when.
    pub since: Millis,
    /// Since when they are not heard.
    pub lost: Option<Millis>,
}

/// Somebody is being asked, and the caller is on hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConsultRow {
    /// Who asks, by name.
    pub by: String,
    /// Who is asked: the name of a person, a queue or a contact.
    pub whom: String,
    /// Since when the caller is on hold.
    pub since: Millis,
    /// By when somebody has answered, or the agent has the caller again.
    pub deadline: Millis,
    /// They talk with each other.
    pub answered: bool,
}

/// What happened in one minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MinuteRow {
    /// When it began.
    pub from: Millis,
    /// Calls that reached us in it.
    pub arrived: u64,
    /// Calls an agent has answered, each counted once.
    pub answered: u64,
    /// Callers who hung up while waiting.
    pub abandoned: u64,
    /// The most that waited at once.
    pub waiting: u64,
}

/// Something a supervisor should look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlarmRow {
    /// Its place in the log: the order of alarms.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// What: `longest-wait`, `agent-lost`, `no-media`, `recall`, `recontact`, `rona`, `trunk-down`,
    /// `refused`, `unenciphered`, `other-family`.
    pub code: String,
    /// Of which queue, agent or call, by name.
    pub of: String,
    /// It still stands; of what merely happened, never.
    pub on: bool,
}
