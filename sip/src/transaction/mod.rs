//! Transactions (RFC 3261 §17, RFC 6026): one request, its responses, and the patience between.

mod timer;

pub use timer::{Timer, Timers};
