//! The rules of the floor, one test each; the number in a name is the invariant's.

mod trial;

mod agents;
mod model;
mod offers;
mod order;
mod plans;
mod reference;
mod shared;
mod verdict;
