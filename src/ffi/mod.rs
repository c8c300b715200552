//! The C interface: one file per C noun, and `boundary` for what they share.
//!
//! Nothing here decides anything. An export checks its pointers, turns C's
//! numbers into the crate's types, calls one function of the crate and hands
//! over its answer. The comments are the documentation for C: cbindgen copies
//! them into `include/emonfeed.h`, whose introduction (in `cbindgen.toml`)
//! states the rules all functions share.

// Types carry the names C knows them by.
#![allow(non_camel_case_types)]
// Constants are there for the header; older compilers miss a use in Rust.
#![allow(dead_code)]

#[macro_use]
mod boundary;

// The header has their constants and functions in this order, which blank
// lines keep from being sorted.
mod version;

mod error;

mod feed;

mod csv;

mod series;

mod histogram;

mod arrow;

mod text;

mod copy;

mod backup;

mod report;
