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
mod beside;
mod callback;
mod caller;
mod carriers;
mod centre;
mod conference;
mod consult;
mod converse;
mod course;
mod inbound;
mod loss;
mod major;
mod menu;
mod negotiate;
mod outside;
mod outward;
mod overflow;
mod page;
mod refer;
mod release;
mod replace;
mod restart;
mod returning;
mod screen;
mod second_line;
mod stage;
mod stock;
mod supervise;
mod transfer;
mod watch;

pub mod signs;
pub mod trunks;

pub mod call;
pub mod dialplan;
pub mod live;
pub mod queue;
pub mod sim;
