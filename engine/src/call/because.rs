//! Why a decision fell as it did: read by the log, the boards and the tests.

use serde::{Deserialize, Serialize};

/// Why this item went to this agent: read by the log, the board and the tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Because {
    /// Why this item among those waiting: `fence`, `deadline` or `arrival`.
    pub item: ItemReason,
    /// How many items the agent could have had.
    pub waiting: u32,
    /// Why this agent among those free.
    pub agent: AgentReason,
    /// How many agents could have had it.
    pub free: u32,
    /// The step that allowed it.
    pub after: Trigger,
}

/// Why an item is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ItemReason {
    /// Confirmed vital.
    Fence,
    /// The earliest arrival plus target.
    Deadline,
    /// The only one.
    Only,
}

/// Why an agent is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum AgentReason {
    /// Idle longest among the eligible.
    LongestIdle,
    /// The only one eligible.
    Only,
    /// Took it by a claim, or by the one key.
    Claimed,
    /// Chose it, whatever its place.
    Picked,
    /// Everyone free at a page is invited.
    Invited,
}

/// What made an offer possible at this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Work entered a queue, or came back to it.
    Work,
    /// An agent became eligible.
    Agent,
    /// A class, queue or plan changed.
    Change,
    /// An offer failed.
    Retry,
}
