//! The product: everything that touches the world, around the engine.

pub mod driver;
pub mod media;

pub mod load;
pub mod watch;
