//! Dialogs (RFC 3261 §12): what two user agents have agreed on between an INVITE and a BYE.

mod snapshot;

pub use snapshot::DialogSnapshot;
