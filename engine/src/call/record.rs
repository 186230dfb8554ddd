//! The one record a call ends in: a fold of its events.

/// A call's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {}
