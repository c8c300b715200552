//! Runs of the backup, step by step.

use std::ffi::c_char;
use std::mem;
use std::process;
use std::ptr;
use std::time::Instant;

use super::boundary::{infallible, owned};
use super::error::{emonfeed_error, emonfeed_status};
use super::report::emonfeed_report;
use crate::backup::{Backup, Outcome, RunOptions, Summary};
use crate::error::{Error, Result, Status};

/// One run of the backup, which brings the copies of all feeds of a directory
/// up to date. The caller ends it with `emonfeed_backup_close()`.
///
/// The run goes step by step. Between two steps nothing is done and no thread
/// runs, so a program can show progress there, pause, or decide to stop. What a
/// step reports is on the disk and in the catalog. A program that crashes loses
/// at most the work that was not reported, and the next run does that again.
/// From opening to closing, the destination is locked against other runs
/// (except in a dry run, which takes no lock).
///
/// One thread at a time may use it, not necessarily the one that received it.
/// After `fork()` it belongs to the parent. In the child every function fails
/// or does nothing, and freeing the run changes nothing in the destination.
///
/// ```c
/// emonfeed_backup *backup = NULL;
/// emonfeed_error *error = NULL;
/// const char *options[] = {"exclude=12,30-39", "keep=5", NULL};
/// bool more = false;
/// emonfeed_status status = emonfeed_backup_open("/var/lib/mysql/emoncms", "/mnt/backup",
///                                               options, &backup, &error);
/// while (status == EMONFEED_STATUS_OK &&
///        (status = emonfeed_backup_step(backup, &more, &error)) == EMONFEED_STATUS_OK && more)
///     puts(emonfeed_report_message(emonfeed_backup_report(backup)));
/// emonfeed_status closed = emonfeed_backup_close(backup, NULL, status ? NULL : &error);
/// if (status || closed)
///     fprintf(stderr, "%s\n", emonfeed_error_message(error));
/// emonfeed_error_free(error);
/// ```
///
/// Functions: `emonfeed_backup_open()`, `emonfeed_backup_feeds()`,
/// `emonfeed_backup_step()`, `emonfeed_backup_report()`,
/// `emonfeed_backup_stop()`, `emonfeed_backup_close()`,
/// `emonfeed_backup_free()`.
pub struct emonfeed_backup {
    /// `None` after a panic in a step: nobody knows in what state it was left.
    run: Option<Backup>,
    /// Boxed: what C holds must not be touched by another use of this object.
    report: Option<Box<emonfeed_report>>,
    dry_run: bool,
    begun: Instant,
    process: u32,
}

impl emonfeed_backup {
    /// Whether this is the copy of a run that `fork()` made: the parent's files
    /// are open in it, and its database is.
    fn is_foreign(&self) -> bool {
        self.process != process::id()
    }

    fn demand_own(&self) -> Result<()> {
        if self.is_foreign() {
            let why = "this run belongs to the process that began it";
            return Err(Error::new(Status::Argument, why));
        }
        Ok(())
    }

    /// Takes the run, and drops the report of the step before.
    fn take(&mut self) -> Result<Backup> {
        self.demand_own()?;
        self.report = None;
        self.run.take().ok_or_else(|| {
            Error::new(Status::Internal, "a fault ended this run; begin another one")
        })
    }

    fn step(&mut self) -> Result<bool> {
        let mut run = self.take()?;
        let stepped = run.step(&mut |_, _| true);
        self.run = Some(run);
        let report =
            stepped?.map(|report| emonfeed_report::of_feed(report, self.dry_run));
        self.report = report.transpose()?.map(Box::new);
        Ok(self.report.is_some())
    }

    fn close(mut self) -> Result<emonfeed_summary> {
        let summary = self.take()?.close()?;
        Ok(emonfeed_summary::new(&summary, self.begun.elapsed().as_secs_f64()))
    }
}

impl Drop for emonfeed_backup {
    fn drop(&mut self) {
        if self.is_foreign() {
            mem::forget(self.run.take());
        }
    }
}

/// What a run did. A plain value: nothing in it needs to be freed.
///
/// Functions: filled in by `emonfeed_backup_close()`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct emonfeed_summary {
    /// Feeds in the source that were asked for. Unless the run was stopped, the
    /// counts below add up to this, except for `source_gone` and `deleted`,
    /// which count feeds that the source no longer has.
    pub feeds: u64,
    /// Copies that already held every row.
    pub unchanged: u64,
    /// Copies that were made.
    pub created: u64,
    /// Copies that rows were appended to.
    pub appended: u64,
    /// Copies in which rows were overwritten.
    pub patched: u64,
    /// Copies that were made again from the start, the old one being kept.
    pub new_generation: u64,
    /// Feeds that could not be copied.
    pub failed: u64,
    /// Feeds that were left out because they are too large.
    pub skipped: u64,
    /// Copies whose source is gone, and that stayed.
    pub source_gone: u64,
    /// Copies that were removed because their source is gone.
    pub deleted: u64,
    /// Rows written.
    pub rows_copied: u64,
    /// Bytes of the rows written, overwritten ones included.
    pub bytes_copied: u64,
    /// How long the run was open, in seconds.
    pub seconds: f64,
    /// Whether the run was closed or stopped before all feeds were looked at.
    pub stopped: bool,
    /// Whether every feed that was asked for is copied: none failed, the run
    /// was not stopped, and everything due for removal was removed. Skipped
    /// feeds do not count against it.
    pub complete: bool,
    /// Why copies that were due for removal were not removed, in one sentence
    /// of UTF-8 for people; otherwise an empty string.
    pub not_deleted: [c_char; 256],
}

impl emonfeed_summary {
    fn new(summary: &Summary, seconds: f64) -> emonfeed_summary {
        emonfeed_summary {
            feeds: summary.feeds,
            unchanged: summary.count(Outcome::Unchanged),
            created: summary.count(Outcome::Created),
            appended: summary.count(Outcome::Appended),
            patched: summary.count(Outcome::Patched),
            new_generation: summary.count(Outcome::NewGeneration),
            failed: summary.failed,
            skipped: summary.skipped,
            source_gone: summary.source_gone,
            deleted: summary.deleted,
            rows_copied: summary.rows_copied,
            bytes_copied: summary.bytes_copied,
            seconds,
            stopped: summary.stopped,
            complete: summary.is_complete(),
            not_deleted: c_array(summary.not_deleted.as_deref().unwrap_or_default()),
        }
    }
}

/// As much of `text` as has room, whole characters, and NULs behind.
fn c_array<const N: usize>(text: &str) -> [c_char; N] {
    let mut end = text.len().min(N - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut array = [0; N];
    for (to, byte) in array.iter_mut().zip(text[..end].bytes()) {
        *to = byte as c_char;
    }
    array
}

fn options(texts: &[&str]) -> Result<RunOptions> {
    let mut options = RunOptions::default();
    for text in texts {
        match text.split_once('=') {
            Some((name, value)) => options.set(name, value)?,
            None => options.turn_on(text)?,
        }
    }
    Ok(options)
}

/// Begins a run that brings the copies of the feeds in the directory `source`
/// up to date in the directory `destination`.
///
/// `source` is the directory of a database of the server, such as
/// `/var/lib/mysql/emoncms`, or one of PHPTimeSeries or PHPFina. `destination`
/// is made if it does not exist. It holds a plain file of rows per feed, which
/// every function here can read (except the `.dat` of a PHPFina feed), and a
/// catalog of what is in these files. Relative paths count from the program's
/// working directory, which must stay the same as long as the run is open.
///
/// `options` is NULL, or an array of strings `name=value` that ends with NULL:
/// the options of the command `emonfeed backup`, listed here with their
/// defaults in parentheses. For an option that is on or off, the name alone is
/// the same as `name=1`.
///
/// - `prefix=TEXT`: what the names of feed tables begin with (`feed_`)
/// - `only=FEEDS`, `exclude=FEEDS`: only these feeds, or all but these.
///   `FEEDS` is one or several of `7`, `1-50`, `feed_7`, with `*` and `?` as in
///   a shell, separated by commas. If given repeatedly, they add up. A feed in
///   `exclude` is left out even if it is in `only`.
/// - `dry-run`: only find out what would be done; write nothing
/// - `recheck=1/30`, `all` or `none`: how much of the copies is compared with
///   the source besides their ends: another thirtieth on each run (the
///   default), everything, or nothing
/// - `keep=N`: how many old states of each feed are kept (3)
/// - `delete`: remove the copies of feeds that the source no longer has;
///   `max-delete=N`: remove none if there are more than N (10)
/// - `bwlimit=RATE`: the most bytes to write per second; `max-size=SIZE`: leave
///   out feeds with more bytes. Both are a number, or one with `k`, `M` or `G`
///   behind it, for a thousand, a million or a thousand millions
/// - `same-device`: allow a destination on the disk of the source;
///   `require-mount`: refuse one on the disk of the root directory, or below a
///   directory whose disk in `/etc/fstab` is not mounted; `trust-owner`: allow
///   one that belongs to another user
///
/// `*out` becomes a run, which the caller ends with `emonfeed_backup_close()`.
/// If the run cannot begin, the status is `EMONFEED_STATUS_LOCKED` if another
/// run is at work in this destination, `EMONFEED_STATUS_DESTINATION` if that is
/// no place for copies, `EMONFEED_STATUS_CATALOG` if its catalog cannot be
/// used, `EMONFEED_STATUS_NOT_FOUND` if there is no such directory or it has
/// none of the feeds asked for, or `EMONFEED_STATUS_ARGUMENT` for an unknown
/// option or a value that an option cannot have.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_open(
    source: *const c_char,
    destination: *const c_char,
    options: *const *const c_char,
    out: *mut *mut emonfeed_backup,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_backup_open, out, error, || {
        let source = path!(source);
        let destination = path!(destination);
        let options = self::options(&texts!(options))?;
        let (dry_run, begun) = (options.dry_run, Instant::now());
        let run = Some(Backup::open(source, destination, options)?);
        let process = process::id();
        Ok(owned(emonfeed_backup { run, report: None, dry_run, begun, process }))
    })
}

/// Number of feeds to look at. It can grow in the last steps, if feeds were
/// added meanwhile. 0 if `backup` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_feeds(backup: *const emonfeed_backup) -> u64 {
    infallible(0, || {
        let run = optional!(backup).and_then(|backup| backup.run.as_ref());
        run.map_or(0, Backup::feeds)
    })
}

/// Works until there is a feed to report.
///
/// `*out` becomes `true` if there is one. `emonfeed_backup_report()` then
/// returns its report, and what that says is on the disk and in the catalog.
/// `*out` becomes `false` when everything is done; then only
/// `emonfeed_backup_close()` is left. Feeds are reported in the order of their
/// numbers, except that some may have to wait for others: many are put on the
/// disk together, about every two seconds, and one step may do the work for all
/// of them.
///
/// A feed that cannot be copied does not make the step fail: its report has
/// `EMONFEED_OUTCOME_FAILED`, and the other feeds follow. The step fails if
/// nothing more can be written, for example because the disk is full
/// (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`). Then everything reported
/// so far holds, nothing else will be copied, and the run must still be closed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_step(
    backup: *mut emonfeed_backup,
    out: *mut bool,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_backup_step, out, error, || required_mut!(backup).step())
}

/// The report of the last step. NULL before the first step, when everything is
/// done, after a step that failed, or if `backup` is NULL.
///
/// Do not free it: it belongs to the backup and is valid until its next step or
/// its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_report(
    backup: *const emonfeed_backup,
) -> *const emonfeed_report {
    infallible(ptr::null(), || {
        let report = optional!(backup).and_then(|backup| backup.report.as_deref());
        report.map_or(ptr::null(), ptr::from_ref)
    })
}

/// Stops looking at further feeds. The steps that follow report the feeds that
/// were already looked at. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_stop(backup: *mut emonfeed_backup) {
    infallible((), || {
        let backup = optional_mut!(backup).filter(|backup| !backup.is_foreign());
        if let Some(run) = backup.and_then(|backup| backup.run.as_mut()) {
            run.stop();
        }
    });
}

/// Ends the run and frees it, at any time: commits what was copied, reported or
/// not, records how the run went, and unlocks the destination. NULL is fine and
/// gives a summary of zeros.
///
/// `*out` becomes the summary; here `out` may be NULL if nobody wants it. The
/// backup is freed even if the call fails. The call fails if not everything
/// could be written (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`); then
/// what was not reported may not be copied, and the next run will copy it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_close(
    backup: *mut emonfeed_backup,
    out: *mut emonfeed_summary,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(
        emonfeed_backup_close,
        out,
        error,
        || match taken!(backup) {
            Some(backup) => backup.close(),
            None => Ok(emonfeed_summary::new(&Summary::default(), 0.0)),
        },
        out may be NULL
    )
}

/// Frees a run without closing it, as if the program had crashed. What was
/// reported holds, what was not reported is lost, and if anything was written
/// for good, the next run is told that this one was cut short. It cannot fail
/// and waits for nothing. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_backup_free(backup: *mut emonfeed_backup) {
    infallible((), || free!(backup));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, cut) in [("", ""), ("abc", "abc"), ("abcd", "abc"), ("abä", "ab")] {
            let array: [c_char; 4] = c_array(text);
            // SAFETY: its last byte, at the latest, is a NUL.
            let array = unsafe { CStr::from_ptr(array.as_ptr()) };
            assert_eq!(array.to_str(), Ok(cut));
        }
    }

    #[test]
    fn a_name_alone_says_yes() {
        let options = options(&["dry-run", "only=1-5,x=y", "delete=0"]).unwrap();
        assert_eq!((options.dry_run, options.delete), (true, false));
        assert_eq!(options.only, ["1-5", "x=y"]);
        for bad in ["", "=1", "dry_run", "keep=", "keep=x", "prefixes=1"] {
            assert!(super::options(&[bad]).is_err(), "{bad}");
        }
    }
}
