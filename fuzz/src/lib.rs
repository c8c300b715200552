//! What is fuzzed. The `run` of each module takes any bytes and panics where a
//! promise is broken: a crash, a wrong answer, an answer that two ways of
//! asking do not agree about. Its `seeds` are where mutation begins.
//!
//! `fuzz_targets` hand them libFuzzer's inputs; `tests/fuzz_seeds.rs` hands
//! them the seeds, what was found before, and mutations of both, without a
//! nightly compiler.

pub mod calls;
pub mod catalog;
pub mod definition;
pub mod input;
#[path = "../../tests/naive/mod.rs"]
pub mod naive;
pub mod place;
pub mod queries;
pub mod rows;
pub mod summary;
pub mod table;

/// One of the programs in `fuzz_targets`.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident),*) => {
        &[$(Target { name: stringify!($name), run: $name::run, seeds: $name::seeds }),*]
    };
}

pub const TARGETS: &[Target] = targets!(definition, rows, table, summary, catalog, calls);
