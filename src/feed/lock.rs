//! The lock PHPTimeSeries writes under.

use super::Options;
use super::files::{self, Identity};
use crate::error::{Error, Result, Status};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// PHPTimeSeries holds its lock for one write, rarely for an export.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A shared lock; released when dropped.
pub(super) struct SharedLock {
    // The lock belongs to this opening of the file: sharing the one of the
    // cache between threads, the first to finish would unlock for all.
    file: File,
}

impl Drop for SharedLock {
    fn drop(&mut self) {
        // Closing does not: a process forked meanwhile has it open as well.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl SharedLock {
    /// Locks the file at `path`, which must still be the one of `identity`
    /// (`None` if it is not).
    pub(super) fn take(
        path: &Path,
        identity: Identity,
        options: &Options,
    ) -> Result<Option<SharedLock>> {
        let Some((file, meta)) = files::open(path, options.no_follow)? else {
            return Ok(None);
        };
        if Identity::of(&meta) != identity {
            return Ok(None);
        }
        match lock_within(&file, FlockOperation::NonBlockingLockShared, PATIENCE) {
            Ok(true) => Ok(Some(SharedLock { file })),
            Ok(false) => Err(held_too_long(path)),
            Err(e) => Err(Error::io("lock", path, e.into())),
        }
    }
}

/// The error for a lock that somebody else held for all of [`PATIENCE`].
pub(crate) fn held_too_long(path: &Path) -> Error {
    Error::new(
        Status::Locked,
        format!(
            "another program has held the lock on this file for {} seconds; `lslocks` shows which",
            PATIENCE.as_secs()
        ),
    )
    .at(path)
}

/// Takes a lock; `false` if somebody else held one for all of `patience`.
/// File systems without locks go without.
pub(crate) fn lock_within(
    file: impl AsFd,
    operation: FlockOperation,
    patience: Duration,
) -> Result<bool, Errno> {
    const WAIT: Duration = Duration::from_millis(1);
    let begun = Instant::now();
    loop {
        match flock(&file, operation) {
            Ok(()) | Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {
                return Ok(true);
            }
            Err(Errno::WOULDBLOCK) if begun.elapsed() >= patience => return Ok(false),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(WAIT),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
}
