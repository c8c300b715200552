//! `emonfeed export`: what engines read in the dataset, what a run writes of it, and
//! that none of it is ever half there.

#[path = "../backup/calls.rs"]
mod calls;
mod dataset;
#[path = "../effort/mod.rs"]
mod effort;
mod engines;
mod examples;
mod interrupted;
mod live;
#[path = "../server/mod.rs"]
mod server;
