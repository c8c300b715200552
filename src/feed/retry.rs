//! Waiting out a state of files that does not last.

use super::files::Paths;
use super::table::{changed, may_pass};
use crate::error::{Error, Status};
use std::time::{Duration, Instant};

/// As long as a server takes to rename the files of a table, with room.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_micros(200);
const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// So many attempts are made however long each takes.
const AT_LEAST: u32 = 4;

/// Ever longer waits, for a second in all.
pub(crate) struct Retry {
    begun: Instant,
    next: Duration,
    attempts: u32,
    /// What was met last, and how often in a row before that.
    met: Option<(Status, String)>,
    before: u32,
    /// Whether it was of those that may pass, and something else came before.
    passing: bool,
}

impl Retry {
    pub(crate) fn new() -> Retry {
        Retry {
            begun: Instant::now(),
            next: FIRST_WAIT,
            attempts: 0,
            met: None,
            before: 0,
            passing: false,
        }
    }

    /// Waits and says whether to try again.
    pub(crate) fn wait(&mut self) -> bool {
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
        let met = (error.status(), error.to_string());
        if self.met.as_ref() == Some(&met) {
            self.before += 1;
        } else {
            (self.met, self.before) = (Some(met), 0);
        }
        let may_pass = may_pass(error, paths, self.before);
        self.passing = may_pass && self.before < self.attempts;
        may_pass && self.wait()
    }

    /// The error to give up with when `error` is not waited out. One that may
    /// pass, and was not met all the time, is no state of the files that could
    /// be named: all that is known is that they changed meanwhile.
    pub(crate) fn given_up(&self, error: Error, paths: &Paths) -> Error {
        if self.passing { changed().at(&paths.data) } else { error }
    }

    /// How many waits there were.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given up with, after a second in which these errors were met.
    fn given_up(met: &[Status]) -> Status {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed_1.MYD");
        std::fs::write(&path, "").unwrap();
        let paths = Paths::new(&path).unwrap();
        let mut retry = Retry::new();
        let (last, earlier) = met.split_last().unwrap();
        for &status in earlier {
            assert!(retry.waits_out(&Error::new(status, "met"), &paths));
        }
        retry.begun -= PATIENCE * 2;
        let error = Error::new(*last, "met");
        assert!(!retry.waits_out(&error, &paths));
        retry.given_up(error, &paths).status()
    }

    #[test]
    fn an_error_is_believed_if_it_was_met_all_the_time() {
        use Status::{Changed, Damaged, MissingDefinition, Permission};
        assert_eq!(given_up(&[Damaged; 4]), Damaged);
        assert_eq!(given_up(&[Changed, Damaged, Damaged, Damaged, Damaged]), Changed);
        assert_eq!(given_up(&[Changed, Changed, Changed, Damaged]), Changed);
        assert_eq!(given_up(&[Damaged, Damaged, Damaged, MissingDefinition]), Changed);
        assert_eq!(given_up(&[Changed; 9]), Changed);
        // Nothing that passes by itself.
        assert_eq!(given_up(&[Changed, Permission]), Permission);
    }

    #[test]
    fn a_crash_is_believed_if_it_was_met_some_times_in_a_row() {
        use Status::{Changed, Crashed};
        assert_eq!(given_up(&[Crashed; 4]), Crashed);
        // Not because of how long something else was waited for.
        let met = [Changed, Changed, Changed, Changed, Changed, Crashed];
        assert_eq!(given_up(&met), Changed);
    }
}
