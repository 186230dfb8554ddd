//! Other makers' SIP against the real binary. One smoke of each peer runs with every test; the rest is
//! for `make test-all`. With BANDEAU_WRITE set, what passed is written to `docs/interop.md`.

#[path = "../common/mod.rs"]
mod common;

mod ear;
mod kamailio;
mod outgoing;
mod phones;
mod sipp;
mod table;
