//! The rules of the floor, one test each; the number in a name is the invariant's.

mod trial;

mod agents;
mod asking;
mod cost;
mod forecast;
mod later;
mod model;
mod offers;
mod order;
mod people;
mod plans;
mod reference;
mod refusals;
mod shared;
mod verdict;
