//! Converting feeds to the files of emoncms's other engines: on real files, with
//! everything that can come between.

mod busy;
#[allow(dead_code)]
#[path = "../backup/calls.rs"]
mod calls;
mod command;
#[path = "../effort/mod.rs"]
mod effort;
mod full;
mod killed;
mod memory;
mod naive;
#[allow(dead_code)]
#[path = "../backup/program.rs"]
mod program;
mod random;
mod refusing;
#[allow(dead_code)]
#[path = "../backup/table.rs"]
mod table;
