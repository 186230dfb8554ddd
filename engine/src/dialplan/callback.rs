//! Whom a centre calls back, over which trunk, and how often.

use std::time::Duration;

/// The `[callback]` of a plan. Without one nobody is called back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackPlan {
    /// Over which trunk.
    pub trunk: String,
    /// The number the person sees; `None`: none is shown.
    pub shown: Option<String>,
    /// How long the person's phone rings.
    pub ring: Duration,
    /// How long after each attempt the next one follows; after the last, the callback is over.
    pub retry: Vec<Duration>,
    /// How long it is kept when nobody comes to it.
    pub keep: Duration,
    /// Callers who hung up while waiting, after 15 s or more, are called back.
    pub abandoned: bool,
    /// Callers whose call a network broke are called back.
    pub broken: bool,
}
