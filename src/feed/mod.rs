//! Finding a feed's files and giving a consistent view of them.
use crate::error::Result;
use std::path::{Path, PathBuf};

/// How the rows are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// A mapping guarded against truncation by a SIGBUS handler.
    #[default]
    Mmap,
    /// `pread`: no signal handler, suits network file systems.
    Pread,
}

/// How to open a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// How the rows are read.
    pub access: Access,
    /// Refuse a symbolic link in the last part of the path.
    pub no_follow: bool,
}

/// A feed, by path. Nothing is held open by it; files are found anew, and
/// mappings taken from a process-wide cache, on each query.
#[derive(Debug)]
pub struct Feed {
    path: PathBuf,
    #[allow(dead_code)]
    options: Options,
}

impl Feed {
    /// Opens the feed whose rows are in `path` (`…/feed_7.MYD`).
    pub fn open(path: impl AsRef<Path>) -> Result<Feed> {
        Feed::open_with(path, Options::default())
    }
    /// The same with options.
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Feed> {
        Ok(Feed { path: path.as_ref().to_owned(), options })
    }
    /// The path it was opened with.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
