//! The product: everything that touches the world, around the engine.

pub mod config;
pub mod driver;
pub mod media;
pub mod store;

pub mod check;
pub mod demo;
pub mod load;
pub mod plan;
pub mod records;
pub mod simulate;
pub mod user;
pub mod watch;
