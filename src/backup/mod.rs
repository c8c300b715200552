//! Copying feed files as they grow.
//!
//! ```text
//! run ── one directory, feed by feed
//!  └─ copy ── looks at source and copy, carries out one decision
//!      ├─ plan ── decides, knowing nothing of files
//!      ├─ source ── committed rows of the table, and whether they still hold
//!      └─ held, folder ── the copy, its definition, the directory they are in
//! ```

pub mod copy;
mod folder;
mod held;
pub mod plan;
pub mod run;
mod source;

pub use copy::{CopyOptions, CopyReport, Outcome, copy};
pub use run::{Event, FeedName, RunOptions, Summary, run};
