//! Reads emoncms feed files (`feed_N.MYD`) at memory speed and backs them up.
//!
//! Data flows one way through the rooms of this crate: [`myisam`] turns bytes
//! into rows, [`feed`] finds the files and gives a consistent
//! [`feed::Snapshot`] of them, [`query`] answers questions over a snapshot,
//! [`output`] writes answers as text, [`backup`] copies rows as they are
//! appended, and `convert` writes feeds in the formats of emoncms's file
//! engines. `docs/architecture.md` in the repository has a diagram.

#[cfg(panic = "abort")]
compile_error!(
    "emonfeed must be built with panic=\"unwind\": a panic that aborts would \
     take the host program (a PHP worker, say) with it"
);

pub mod backup;
#[cfg(feature = "cli")]
pub mod convert;
pub mod error;
pub mod feed;
mod ffi;
pub mod myisam;
pub mod output;
pub mod query;

pub use error::{Error, Result, Status};
pub use feed::{Access, Evidence, Feed, Options};
