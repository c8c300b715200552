//! Which copies of a destination are whole as they lie there, for those who read
//! them as files.

use super::catalog::Catalog;
use super::copy::no_directory;
use super::destination::LOCK_FILE;
use super::folder::Folder;
use super::options::FeedName;
use crate::error::{Error, Result, Status};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

/// What the catalog of a destination vouches for, while no run writes there.
pub struct Whole {
    folder: Folder,
    bytes: HashMap<String, u64>,
    cut_short: HashSet<String>,
    _lock: Option<File>,
}

impl Whole {
    /// `None` if the directory is no destination.
    pub fn in_directory(directory: &Path) -> Result<Option<Whole>> {
        let folder = Folder::open(directory)?.ok_or_else(|| no_directory(directory))?;
        Whole::open(&folder)
    }

    pub(crate) fn open(folder: &Folder) -> Result<Option<Whole>> {
        if !Catalog::is_in(folder)? {
            return Ok(None);
        }
        let lock_name = OsStr::new(LOCK_FILE);
        let lock = folder.share_lock(lock_name)?.ok_or_else(|| {
            Error::new(Status::Locked, "a run is writing to these copies right now")
                .at(&folder.join(lock_name))
        })?;
        let Some(catalog) = Catalog::open_read_only(folder)? else { return Ok(None) };
        let entries = catalog.entries()?;
        let bytes = entries.iter().map(|(name, entry)| (name.clone(), entry.len()));
        let pending = catalog.pending()?;
        Ok(Some(Whole {
            folder: folder.try_clone()?,
            bytes: bytes.collect(),
            cut_short: pending.into_iter().map(|(name, _)| name).collect(),
            _lock: lock,
        }))
    }

    /// Fails unless the file of a copy is what the catalog vouches for, no more
    /// and no less.
    pub fn demand(&self, feed: &FeedName) -> Result<()> {
        let name = OsStr::new(feed.file());
        let has = self.folder.stat(name)?.map_or(0, |stat| stat.st_size.unsigned_abs());
        let is_whole = self.bytes.get(feed.file()) == Some(&has)
            && !self.cut_short.contains(feed.file());
        if is_whole {
            return Ok(());
        }
        Err(Error::new(
            Status::Damaged,
            "the catalog does not vouch for this copy as it is: the run that wrote it was cut \
             short. Run `emonfeed backup` again first",
        )
        .at(&self.folder.join(name)))
    }
}
