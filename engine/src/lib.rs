//! Who answers whom. Calls come in as SIP, wait as work, are offered, bridged, released, and end in
//! one record each; every step is an event of its centre's log.
//!
//! Nothing here opens, sleeps, reads a clock or throws dice: a [`io::Input`] goes in with its
//! [`time::Now`], [`io::Output`]s come out.

pub mod id;
pub mod time;

pub mod io;
pub mod media;
pub mod site;

mod engine;
pub use engine::Engine;

mod alarm;
mod aside;
mod assign;
mod caller;
mod carriers;
mod centre;
mod conference;
mod consult;
mod converse;
mod inbound;
mod loss;
mod negotiate;
mod outside;
mod page;
mod release;
mod returning;
mod screen;
mod stock;
mod supervise;
mod watch;

pub mod trunks;

pub mod call;
pub mod dialplan;
pub mod live;
pub mod queue;
pub mod sim;
