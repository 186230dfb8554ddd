//! Time as an argument; the same values as in `sip`, so that one input carries one clock reading.

pub use sip::time::{Instant, Now};
