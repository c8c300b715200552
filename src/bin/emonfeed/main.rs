//! The `emonfeed` command.

fn main() {}
