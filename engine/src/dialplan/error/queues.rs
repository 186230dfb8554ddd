//! What can be wrong with a queue of a plan.

/// What is wrong with a queue: who may serve it, how it offers, how it widens and overflows.
#[derive(Debug, thiserror::Error)]
pub enum QueueFault {
    /// A skill with a level nobody can hold, or without a name.
    #[error("`{text}` is not a skill")]
    Skill {
        /// As written.
        text: String,
    },
    /// A queue that is picked from and does not push its most urgent calls.
    #[error("class `{class}` is not pushed")]
    VitalNotPushed {
        /// Behind the fence.
        class: String,
    },
    /// A key that says more of something that is not there.
    #[error("`{key}` stands alone")]
    Alone {
        /// The key.
        key: &'static str,
        /// What it belongs to, as it is written.
        beside: &'static str,
    },
    /// An overflow to nowhere.
    #[error("`{text}` is no place to overflow to")]
    Destination {
        /// As written.
        text: String,
    },
    /// An overflow that comes back.
    #[error("this overflow comes back: {chain}")]
    Circle {
        /// The queues, from the first to itself.
        chain: String,
    },
    /// An overflow to the centre it is in.
    #[error("centre `{centre}` is the plan's own")]
    OwnCentre {
        /// Its name.
        centre: String,
    },
    /// An overflow to a centre where nobody can answer.
    #[error("nobody of centre `{centre}` can answer its queue `{queue}`, where calls from here would wait")]
    NobodyThere {
        /// The centre.
        centre: String,
        /// Where they would wait there.
        queue: String,
        /// The centre that queue goes on to by itself.
        onward: Option<String>,
    },
    /// A step in time that does not come after the one before it.
    #[error("this `{key}` is not later than the one before it")]
    NotLater {
        /// The key.
        key: &'static str,
    },
    /// A relaxation that adds nobody.
    #[error("`{skill}` adds nobody")]
    AddsNobody {
        /// As written.
        skill: String,
    },
    /// A shared offer that begins with a pause.
    #[error("the first stage of a shared offer is at 0s")]
    FirstStage,
    /// A stage that invites no more agents than the one before it.
    #[error("this stage invites no more agents than the one before it")]
    NotWider,
    /// A shared offer that never reaches everyone.
    #[error("this offer never invites everyone")]
    NotEveryone,
}

impl QueueFault {
    pub(super) fn advice(&self) -> String {
        match self {
            QueueFault::Skill { .. } => {
                "write its name, and its level from 1 to 9 where one is needed: \"arm\", \"german:2\"".into()
            }
            QueueFault::VitalNotPushed { class } => {
                format!("add `{class}` to `push`: confirmed vital waits for nobody's pick")
            }
            QueueFault::Alone { key, beside } => format!("write {beside}, or remove `{key}`"),
            QueueFault::Destination { .. } => {
                "write \"queue:NAME\", \"centre:NAME\" or \"trunk:NAME\": a call ends at people".into()
            }
            QueueFault::Circle { .. } => {
                "let the chain end: in a queue that overflows no further, at another centre or on a trunk"
                    .into()
            }
            QueueFault::OwnCentre { .. } => {
                "name another centre, or a queue of this plan: `to = \"queue:NAME\"`".into()
            }
            QueueFault::NobodyThere { centre, onward: Some(onward), .. } => format!(
                "a call goes over one centre only: `{centre}` does not pass it on to `{onward}`; name \
                 \"centre:{onward}\" here, or give somebody of `{centre}` a skill of that queue"
            ),
            QueueFault::NobodyThere { centre, .. } => {
                format!("give somebody of `{centre}` a skill of that queue, or name another centre")
            }
            QueueFault::NotLater { .. } => "write them in order of time, each once".into(),
            QueueFault::AddsNobody { .. } => {
                "remove it: whoever has it may be offered the call already; to add people, name another \
                 skill or a lower level"
                    .into()
            }
            QueueFault::FirstStage => {
                "begin with `{ at = \"0s\", agents = 2 }`: a ready agent is never kept".into()
            }
            QueueFault::NotWider => {
                "give each stage more agents than the one before, and the last \"all\"".into()
            }
            QueueFault::NotEveryone => {
                "end with `{ at = \"4s\", agents = \"all\" }`: nobody waits beside an agent who is not asked"
                    .into()
            }
        }
    }
}
