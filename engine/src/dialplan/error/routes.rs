//! What can be wrong with a route, a modifier, a menu, or what they ask of a call.

/// What is wrong with a route, a modifier, a menu or a condition.
#[derive(Debug, thiserror::Error)]
pub enum RouteFault {
    /// The same priority twice.
    #[error("priority {priority} belongs to route `{other}` already")]
    SamePriority {
        /// The priority.
        priority: i64,
        /// Whose it is.
        other: String,
    },
    /// No route without condition.
    #[error("this plan has no default route")]
    NoDefault,
    /// A second route without condition.
    #[error("route `{name}` has no condition, and `{other}` is the default already")]
    SecondDefault {
        /// This one.
        name: String,
        /// The default.
        other: String,
    },
    /// A route that a higher one always beats.
    #[error("route `{name}` can never win: `{by}` of priority {priority} is true whenever it is")]
    NeverWins {
        /// This one.
        name: String,
        /// The one that wins.
        by: String,
        /// Its priority.
        priority: i64,
    },
    /// A route that one of two higher ones always beats.
    #[error("route `{name}` can never win: `{one}` or `{two}` is true whenever it is")]
    NeverWinsAgainst {
        /// This one.
        name: String,
        /// One that wins.
        one: String,
        /// One that wins when the other does not.
        two: String,
    },
    /// A condition that contradicts itself.
    #[error("this condition is never true: {why}")]
    NeverTrue {
        /// Why.
        why: String,
    },
    /// A condition with nothing in it.
    #[error("this condition is empty")]
    EmptyCondition,
    /// A state with nothing in it.
    #[error("this state asks for nothing")]
    EmptyThreshold,
    /// A modifier that does nothing, or two things.
    #[error("modifier `{name}` {fault}")]
    Modifier {
        /// Its name.
        name: String,
        /// What it does wrong.
        fault: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// A modifier whose class is not above any route's.
    #[error("modifier `{name}` can never raise: no route gives a class below `{class}`")]
    NeverRaises {
        /// Its name.
        name: String,
        /// Its class.
        class: String,
    },
    /// A time for an owner there is not.
    #[error("route `{name}` asks nobody first, and says for how long")]
    AloneWithoutOwner {
        /// Its name.
        name: String,
    },
    /// Leads for what everybody is asked for.
    #[error("route `{name}` has leads, and its class stands behind the fence: everybody is asked for it")]
    LeadsBehindFence {
        /// Its name.
        name: String,
    },
    /// A key no telephone has.
    #[error("`{key}` is no key of a telephone")]
    MenuKey {
        /// As written.
        key: String,
    },
    /// A menu, or a key of it, that does nothing, or nothing that can be done.
    #[error("{what} {fault}")]
    Menu {
        /// The menu, or the key.
        what: String,
        /// What is wrong with it.
        fault: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
}

impl RouteFault {
    pub(super) fn advice(&self) -> &'static str {
        match self {
            RouteFault::SamePriority { .. } => {
                "give each route its own priority: of all that are true, the highest wins"
            }
            RouteFault::NoDefault => {
                "add a [[route]] with the lowest priority and no `when`: it takes what is left"
            }
            RouteFault::SecondDefault { .. } => "add a `when`, or remove the route",
            RouteFault::NeverWins { .. } | RouteFault::NeverWinsAgainst { .. } => {
                "give it a higher priority, or narrow the other route"
            }
            RouteFault::NeverTrue { .. } => "correct the condition, or remove it",
            RouteFault::EmptyCondition => "say when it applies; only the default route has no `when` at all",
            RouteFault::EmptyThreshold => "say how it stands: `waiting_from = 10`",
            RouteFault::Modifier { instead, .. } | RouteFault::Menu { instead, .. } => instead,
            RouteFault::NeverRaises { .. } => "a modifier may only raise: name a more urgent class",
            RouteFault::AloneWithoutOwner { .. } => {
                "add `owner = true`, or the name of an agent, or remove `alone`"
            }
            RouteFault::LeadsBehindFence { .. } => {
                "remove `leads`, or give it a class before the fence: somebody qualifies it when they answer"
            }
            RouteFault::MenuKey { .. } => "write one of 0 to 9, `*` or `#`",
        }
    }
}
