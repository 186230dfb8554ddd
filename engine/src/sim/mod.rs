//! A room played faster than life: callers with patience and redial, agents who react, wrap up and go
//! home, against the real [`crate::queue::Floor`] and the real plan.
//!
//! The same seed plays the same evening, on every machine, so that two plans or two rotas are
//! compared on the same callers. Every distribution is compared with a brute-force order ([`Judge`]).
//!
//! Deliberately absent: SIP and audio (tests play those with whole messages), and any clock.

mod setup;

mod chance;
mod traffic;

mod crew;
mod shift;

mod figures;
mod judge;

pub use chance::{Chance, Law};
pub use figures::{Curve, Outcome, Spread};
pub use judge::Judge;
pub use setup::{Crew, Second, Setup};
pub use shift::{play, watch};
pub use traffic::{ATTEMPTS_MAX, Burst, Caller, LineShare, Patience, Redial, Traffic};
