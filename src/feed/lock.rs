//! The lock PHPTimeSeries writes under.

use super::Options;
use super::files::{self, Identity};
use crate::error::{Error, Result, Status};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// PHPTimeSeries holds its lock for one write, rarely for an export.
const PATIENCE: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_millis(1);

/// A shared lock; released when dropped.
pub(super) struct SharedLock {
    // The lock belongs to this opening of the file: sharing the one of the
    // cache between threads, the first to finish would unlock for all.
    _file: File,
}

impl SharedLock {
    /// Locks the file at `path`, which must still be the one of `identity`
    /// (`None` if it is not). File systems without locks are read without.
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
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockShared) {
                Ok(()) | Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {
                    return Ok(Some(SharedLock { _file: file }));
                }
                Err(Errno::WOULDBLOCK) if begun.elapsed() > PATIENCE => {
                    return Err(Error::new(
                        Status::Locked,
                        format!(
                            "another program has held the lock on this file for {} seconds; \
                             `lslocks` shows which",
                            PATIENCE.as_secs()
                        ),
                    )
                    .at(path));
                }
                Err(Errno::WOULDBLOCK) => std::thread::sleep(WAIT),
                Err(Errno::INTR) => {}
                Err(e) => return Err(Error::io("lock", path, e.into())),
            }
        }
    }
}
