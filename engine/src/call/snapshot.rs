//! A live call as the journal keeps it: everything a restart needs, versioned.

/// A call's whole state.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSnapshot {}
