//! Waiting out a state of files that does not last.

use super::files::Paths;
use super::table::may_pass;
use crate::error::Error;
use std::time::{Duration, Instant};

/// As long as a server takes to rename the files of a table, with room.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_micros(200);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// Ever longer waits, for a second in all.
pub(crate) struct Retry {
    begun: Instant,
    next: Duration,
    attempts: u32,
}

impl Retry {
    pub(crate) fn new() -> Retry {
        Retry { begun: Instant::now(), next: FIRST_WAIT, attempts: 0 }
    }

    /// Waits and says whether to try again. At least a few attempts are made
    /// however long each takes.
    pub(crate) fn wait(&mut self) -> bool {
        const AT_LEAST: u32 = 4;
        self.attempts += 1;
        if self.attempts >= AT_LEAST && self.begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(self.next);
        self.next = (self.next * 2).min(LONGEST_WAIT);
        true
    }

    /// Waits if `error`, met with the table at `paths`, is one that may pass,
    /// and says whether to try again.
    pub(crate) fn waits_out(&mut self, error: &Error, paths: &Paths) -> bool {
        may_pass(error, paths, self.attempts) && self.wait()
    }

    /// How many waits there were.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }
}
