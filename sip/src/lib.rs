//! SIP as values: text in, text out, state machines between; no socket, no thread, no clock.
//!
//! Three verbs drive everything that lives ([`endpoint::Endpoint`] and the machines it owns):
//! hand it what happened, poll what it wants done, ask when to come back. Time and chance are
//! arguments ([`time::Now`], a seed), so a whole carrier's evening replays in a unit test.

pub mod auth;
pub mod chance;
pub mod dialog;
pub mod endpoint;
pub mod guesses;
pub mod header;
pub mod message;
pub mod registrar;
pub mod schedule;
pub mod sdp;
pub mod time;
pub mod transaction;
pub mod transport;
pub mod vocabulary;
