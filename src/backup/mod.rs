//! Copying feed files as they grow.
//!
//! ```text
//! run ── one run over a directory; commits many feeds at a time
//!  ├─ destination ── where copies may go; pace ── how fast
//!  ├─ ahead ── the next feeds, by several threads
//!  │   ├─ glance ── whether anything can have changed at all
//!  │   └─ advance ── what one copy lacks, by the catalog, and writing that
//!  ├─ batch ── committing what was done about many feeds at a time
//!  ├─ catalog ── what each copy holds for sure; hash ── how that is told
//!  │   └─ vfs ── how SQLite opens the catalog's files
//!  ├─ naming ── files that get their names when they are on the disk
//!  ├─ generation ── what copies were before
//!  └─ options ── which feeds, and how
//! verify, status, restore ── what a destination holds, and putting it back
//! whole ── which copies may be read without their catalog
//! copy ── one copy without a catalog: looks at both sides, has done what is decided
//!  ├─ compare ── how the end of the copy compares with the source
//!  ├─ plan ── decides, knowing nothing of files
//!  └─ job ── carries one decision out
//! source (fina) ── committed rows of a feed, and whether they still hold
//! held, folder ── the copy, its definition, the directory they are in
//! report ── what was done
//! ```

mod advance;
mod ahead;
mod batch;
mod catalog;
mod compare;
mod copy;
mod destination;
mod fina;
mod folder;
mod generation;
mod glance;
mod hash;
mod held;
mod job;
mod naming;
mod options;
mod pace;
pub mod plan;
mod report;
mod restore;
mod run;
mod source;
mod status;
mod verify;
mod vfs;
#[cfg(feature = "cli")]
mod whole;

pub use catalog::{CATALOG_FILE, Ending, Kind, PastRun};
pub use copy::{CopyOptions, copy};
pub use destination::{Destinations, LOCK_FILE};
pub use options::{FeedName, Recheck, RunOptions, parse_bytes};
pub use report::{CopyReport, Outcome};
pub use restore::{
    Prepared, Restore, RestoreOptions, Restored, State, Statements, Tail, Target,
    kept_states, name_of_files,
};
pub use run::{Backup, Done, FeedReport, Summary};
pub use status::{Destination, FeedState, Health, destinations};
pub use verify::{
    Checked, Compared, Comparison, Damage, Differing, Reading, RowRange, Verify, What,
};

#[cfg(feature = "cli")]
pub use whole::Whole;

#[cfg(feature = "cli")]
pub(crate) use self::{
    catalog::Catalog,
    copy::no_directory,
    fina::{Fina, Meta as FinaMeta, STRIDE as FINA_STRIDE},
    folder::{Folder, same_file},
    held::{Partial, Place},
    options::{demand_sensible, feed_of_source},
    restore::{has_servers_files, rights},
};
