//! What was done about a feed.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

use super::boundary::infallible;
use super::error::{EMONFEED_STATUS_OK, code, emonfeed_status};
use crate::backup::{CopyReport, Done, FeedReport, Outcome};
use crate::error::{Error, Result, Status};

/// Outcome: the copy already held every row.
pub const EMONFEED_OUTCOME_UNCHANGED: i32 = 0;
/// Outcome: the copy was made.
pub const EMONFEED_OUTCOME_CREATED: i32 = 1;
/// Outcome: rows were appended, or torn rows at the end of the copy were cut
/// off.
pub const EMONFEED_OUTCOME_APPENDED: i32 = 2;
/// Outcome: rows that the copy held were overwritten (`emonfeed_copy()` does
/// that only to the value of the last one), and new rows, if any, were
/// appended.
pub const EMONFEED_OUTCOME_PATCHED: i32 = 3;
/// Outcome: the source had shrunk or was not the one the copy was made from.
/// The copy was made again from the start, and the old one kept under a dated
/// name.
pub const EMONFEED_OUTCOME_NEW_GENERATION: i32 = 4;
/// Outcome: the feed could not be copied; the copy, if there is one, is
/// unchanged. `emonfeed_report_status()` and `emonfeed_report_message()` say
/// why.
pub const EMONFEED_OUTCOME_FAILED: i32 = 5;
/// Outcome: the feed was left out because it has more bytes than the option
/// `max-size` allows.
pub const EMONFEED_OUTCOME_SKIPPED: i32 = 6;
/// Outcome: the source no longer has the feed; the copy stays.
pub const EMONFEED_OUTCOME_SOURCE_GONE: i32 = 7;
/// Outcome: the source no longer has the feed, and the copy and its kept old
/// states were removed because of the option `delete`.
pub const EMONFEED_OUTCOME_DELETED: i32 = 8;

// C's numbers are the crate's.
const _: () = {
    assert!(EMONFEED_OUTCOME_UNCHANGED == Outcome::Unchanged as i32);
    assert!(EMONFEED_OUTCOME_CREATED == Outcome::Created as i32);
    assert!(EMONFEED_OUTCOME_APPENDED == Outcome::Appended as i32);
    assert!(EMONFEED_OUTCOME_PATCHED == Outcome::Patched as i32);
    assert!(EMONFEED_OUTCOME_NEW_GENERATION == Outcome::NewGeneration as i32);
    assert!(Outcome::ALL.len() as i32 == EMONFEED_OUTCOME_FAILED);
};

/// What was done about one feed. The caller frees a report of `emonfeed_copy()`
/// with `emonfeed_report_free()`. A report of `emonfeed_backup_report()`
/// belongs to the backup, which frees it.
///
/// It never changes, so any number of threads may read it until it is freed. If
/// there was no copy (the outcome is `EMONFEED_OUTCOME_FAILED` or a later one),
/// its numbers of rows and bytes are 0.
///
/// Functions: `emonfeed_report_feed()`, `emonfeed_report_table()`,
/// `emonfeed_report_file()`, `emonfeed_report_outcome()`,
/// `emonfeed_report_outcome_name()`, `emonfeed_report_status()`,
/// `emonfeed_report_rows_copied()`, `emonfeed_report_rows_total()`,
/// `emonfeed_report_bytes_copied()`, `emonfeed_report_bytes_total()`,
/// `emonfeed_report_bytes_repaired()`, `emonfeed_report_bytes_overwritten()`,
/// `emonfeed_report_kept()`, `emonfeed_report_adopted()`,
/// `emonfeed_report_definition_copied()`, `emonfeed_report_dry_run()`,
/// `emonfeed_report_seconds()`, `emonfeed_report_message()`,
/// `emonfeed_report_free()`. Made by: `emonfeed_copy()`,
/// `emonfeed_backup_step()`.
pub struct emonfeed_report {
    feed: CString,
    table: CString,
    file: CString,
    outcome: i32,
    outcome_name: CString,
    status: emonfeed_status,
    /// Nothing but zeros if there was no copy.
    copied: CopyReport,
    kept: Option<CString>,
    message: CString,
    took: Duration,
}

impl emonfeed_report {
    /// The report of one copy alone, which knows nothing of feeds.
    pub(super) fn of_copy(copied: CopyReport, took: Duration) -> Result<emonfeed_report> {
        let kept = copied.kept.as_deref().map(Path::as_os_str);
        let kept = kept.map(|kept| c_text(kept.as_bytes())).transpose()?;
        Ok(emonfeed_report {
            feed: CString::default(),
            table: CString::default(),
            file: CString::default(),
            outcome: copied.outcome as i32,
            outcome_name: c_text(copied.outcome.name().as_bytes())?,
            status: EMONFEED_STATUS_OK,
            kept,
            message: c_text(copied.to_string().as_bytes())?,
            copied,
            took,
        })
    }

    /// The report of a feed in a run.
    pub(super) fn of_feed(report: FeedReport, dry_run: bool) -> Result<emonfeed_report> {
        let FeedReport { feed, done, took } = report;
        let outcome_name = c_text(done.name().as_bytes())?;
        // A damaged table can name a column with a NUL in it.
        let text = done.to_string().replace('\0', "\u{fffd}");
        let none = CopyReport { dry_run, ..CopyReport::default() };
        let without_copy = |outcome| -> Result<emonfeed_report> {
            let message = c_text(text.as_bytes())?;
            let report = emonfeed_report::of_copy(none, took)?;
            Ok(emonfeed_report { outcome, message, ..report })
        };
        let mut report = match done {
            Done::Copied(copied) => emonfeed_report::of_copy(copied, took)?,
            Done::Failed(error) => emonfeed_report {
                status: code(error.status()),
                ..without_copy(EMONFEED_OUTCOME_FAILED)?
            },
            Done::Skipped { .. } => without_copy(EMONFEED_OUTCOME_SKIPPED)?,
            Done::SourceGone => without_copy(EMONFEED_OUTCOME_SOURCE_GONE)?,
            Done::Deleted { .. } => without_copy(EMONFEED_OUTCOME_DELETED)?,
        };
        report.outcome_name = outcome_name;
        report.feed = c_text(feed.number().as_bytes())?;
        report.table = c_text(feed.table().as_bytes())?;
        report.file = c_text(feed.file().as_bytes())?;
        Ok(report)
    }
}

/// No path and no other text here has a NUL in it.
fn c_text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes)
        .map_err(|_| Error::new(Status::Internal, "a text with a NUL in it"))
}

/// The number of the feed as in its table's name: `7` of `feed_7`. (It may have
/// more digits than fit into an integer.) An empty string for a report of
/// `emonfeed_copy()`, or if `report` is NULL; never NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_feed(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.feed.as_ptr())
    })
}

/// The name of the feed's table, such as `feed_7`; for a PHPFina feed its
/// number. An empty string for a report of `emonfeed_copy()`, or if `report` is
/// NULL; never NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_table(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.table.as_ptr())
    })
}

/// The name of the file of the feed's rows, and also of its copy: `feed_7.MYD`,
/// or `7.dat` for a PHPFina feed. An empty string for a report of
/// `emonfeed_copy()`, or if `report` is NULL; never NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_file(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.file.as_ptr())
    })
}

/// What became of the copy: one of `EMONFEED_OUTCOME_…`. -1 if `report` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_outcome(report: *const emonfeed_report) -> i32 {
    infallible(-1, || optional!(report).map_or(-1, |report| report.outcome))
}

/// What became of the copy, in one word: `unchanged`, `created`, `appended`,
/// `patched`, `new-generation`, `failed`, `skipped`, `source-gone` or
/// `deleted`. An empty string if `report` is NULL; never NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_outcome_name(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.outcome_name.as_ptr())
    })
}

/// Why the feed could not be copied: one of `EMONFEED_STATUS_…`.
/// `EMONFEED_STATUS_OK` if the outcome is not `EMONFEED_OUTCOME_FAILED`, or if
/// `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_status(
    report: *const emonfeed_report,
) -> emonfeed_status {
    infallible(EMONFEED_STATUS_OK, || {
        optional!(report).map_or(EMONFEED_STATUS_OK, |report| report.status)
    })
}

/// Number of rows written after those that the copy held. (`emonfeed_copy()`
/// also counts a rewritten last row.) 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_copied(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.rows_copied))
}

/// Number of rows in the copy now, deleted ones included. 0 if `report` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_total(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.rows_total))
}

/// Bytes of the rows that `emonfeed_report_rows_copied()` counts. 0 if `report`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_copied(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.bytes_copied))
}

/// Bytes of the copy now. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_total(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.bytes_total))
}

/// Bytes cut off the end of the copy: a torn row, or zeros that a power cut
/// left in the place of rows. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_repaired(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.bytes_repaired))
}

/// Bytes of rows in the copy that were overwritten because the source has
/// others there: readings were edited, or the copy was damaged. 0 for a report
/// of `emonfeed_copy()`, or if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_overwritten(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || {
        optional!(report).map_or(0, |report| report.copied.bytes_overwritten)
    })
}

/// The path under which the old copy was kept. NULL if none was, or if `report`
/// is NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_kept(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(ptr::null(), || {
        let kept = optional!(report).and_then(|report| report.kept.as_ref());
        kept.map_or(ptr::null(), |kept| kept.as_ptr())
    })
}

/// Whether the copy existed before the destination had a catalog (perhaps made
/// by another program): all of it was compared with the source, and it was
/// taken over. `false` if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_adopted(report: *const emonfeed_report) -> bool {
    infallible(false, || optional!(report).is_some_and(|report| report.copied.adopted))
}

/// Whether the table's definition was copied too. `false` if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_definition_copied(
    report: *const emonfeed_report,
) -> bool {
    infallible(false, || {
        optional!(report).is_some_and(|report| report.copied.definition_copied)
    })
}

/// Whether nothing was written, because of `EMONFEED_COPY_DRY_RUN` or the
/// option `dry-run`. The report then says what would be done. `false` if
/// `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_dry_run(report: *const emonfeed_report) -> bool {
    infallible(false, || optional!(report).is_some_and(|report| report.copied.dry_run))
}

/// How many seconds the feed took, without its share of the work that a run
/// does for many feeds at a time. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_seconds(report: *const emonfeed_report) -> f64 {
    infallible(0.0, || optional!(report).map_or(0.0, |report| report.took.as_secs_f64()))
}

/// What was done, or why nothing could be done, in one sentence of UTF-8 for
/// people. An empty string if `report` is NULL; never NULL.
///
/// Do not free it: it belongs to the report and is valid as long as the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_message(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.message.as_ptr())
    })
}

/// Frees a report of `emonfeed_copy()`. Do not free one of
/// `emonfeed_backup_report()`. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_free(report: *mut emonfeed_report) {
    infallible((), || free!(report));
}
