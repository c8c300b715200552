//! Copying feeds: on real files, with everything that can come between.

mod ahead;
mod clock;
mod command;
mod copying;
mod hostile;
mod interrupted;
mod keeping;
mod killed;
mod memory;
mod power;
mod program;
mod progress;
mod refusing;
mod running;
mod stopped;
mod table;
mod together;
