//! The live state of a centre: one fold of its log, and what each page may see of it.
//!
//! [`board::Board`] folds entries into rows, each under a key with the version it last changed at;
//! [`feed::Feed`] carries those rows to any number of pages: a snapshot first, then numbered deltas
//! in which the latest value of a key wins, so that a slow page costs nothing and a lost one resumes.
//!
//! Deliberately absent: a queue of deltas per page (a page that fell behind is told what differs),
//! sockets (`driver/agents`), and any figure that is not a fold of the log.

pub mod row;
pub mod versions;

pub mod board;
pub mod cast;
pub mod view;
pub mod wire;

pub mod feed;
pub mod indicators;
mod session;

pub mod follow;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod typescript;
