//! The product: everything that touches the world, around the engine.
pub mod load;

pub mod media;
