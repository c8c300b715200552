//! Copying feed files as they grow.
//!
//! ```text
//! run ── one directory, feed by feed
//!  └─ copy ── looks at source and copy, has done what is decided
//!      ├─ compare ── how the end of the copy compares with the source
//!      ├─ plan ── decides, knowing nothing of files
//!      ├─ job ── carries one decision out, report ── what that did
//!      ├─ source ── committed rows of the table, and whether they still hold
//!      └─ held, folder ── the copy, its definition, the directory they are in
//! ```

mod compare;
mod copy;
mod folder;
mod held;
mod job;
pub mod plan;
mod report;
pub mod run;
mod source;

pub use copy::{CopyOptions, copy};
pub use report::{CopyReport, Outcome};
pub use run::{Event, FeedName, RunOptions, Summary, run};
