//! Everything that awaits, reads clocks and opens sockets.
pub mod feed;
pub mod http;
