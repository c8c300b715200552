//! Copying feeds: on real files, with everything that can come between.

mod ahead;
mod calls;
mod clock;
mod command;
mod copying;
#[path = "../effort/mod.rs"]
mod effort;
mod full;
mod hostile;
mod interrupted;
mod keeping;
mod killed;
mod many;
mod memory;
mod places;
mod power;
mod program;
mod progress;
mod refusing;
mod restoring;
mod running;
mod short;
mod stopped;
mod table;
mod together;
mod twice;
mod values;
