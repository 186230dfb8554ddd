//! A plan's simulations: traffic and people, and what must come of them. Read and checked with the
//! plan; whoever can play a room runs them.

use super::{ClassId, Place};
use std::time::{Duration, SystemTime};

/// One `[[simulation]]`.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Traffic and people.
    pub given: Traffic,
    /// What must come of it.
    pub expect: Promise,
    /// Where it is written, for whoever reports that a promise is broken.
    pub place: Place,
}

/// Two simulations that differ in nothing but their place are the same.
impl PartialEq for Simulation {
    fn eq(&self, other: &Simulation) -> bool {
        self.given == other.given && self.expect == other.expect
    }
}

/// Who is there and what comes in.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// How many people hold these skills, written like `german:2`; in the order of the file.
    pub agents: Vec<(Vec<String>, u32)>,
    /// Calls that come in, before redials.
    pub calls_per_hour: f64,
    /// A conversation, on average.
    pub handling: Duration,
    /// After a conversation, before the next offer.
    pub wrap_up: Duration,
    /// Share of calls that turn out vital once somebody has spoken with them.
    pub vital: f64,
    /// Share of callers who press the first key of a menu, where there is one.
    pub declared: f64,
    /// Half the callers wait longer than this.
    pub patience: Duration,
    /// Share of those who abandon and call again.
    pub redial: f64,
    /// Share of each called number, which add up to one. Empty: every number alike.
    pub calls: Vec<(String, f64)>,
    /// When it begins, for calendars.
    pub at: Option<SystemTime>,
    /// How long calls come in.
    pub lasts: Duration,
    /// A major event is open.
    pub crisis: bool,
    /// The seed of chance.
    pub seed: u64,
}

/// What must come of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Promise {
    /// At most so many callers refused.
    pub refused: Option<u64>,
    /// At most so many distributions out of the order.
    pub order_broken: Option<u64>,
    /// At most this share leaves after 15 s or more.
    pub abandoned: Option<f64>,
    /// Each of these, in the order of the file.
    pub answered: Vec<Answered>,
}

/// So many percent of the answered calls had their answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Of calls that entered with this class; `None`: of all.
    pub class: Option<ClassId>,
    /// From 1 to 100.
    pub percent: u8,
    /// From the INVITE.
    pub within: Duration,
}
