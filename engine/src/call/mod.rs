//! A call: its parties and legs, its qualification history, and the list of its events.

pub mod event;
pub mod leg;
pub mod record;
pub mod snapshot;
