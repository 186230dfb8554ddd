//! Dialplans: which queue and class a call gets, decided by a checked file.

/// One centre's checked plan: the only type that can serve.
#[derive(Debug)]
pub struct Dialplan {}
