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

/// Outcome: the copy held every row already.
pub const EMONFEED_OUTCOME_UNCHANGED: i32 = 0;
/// Outcome: the copy was made.
pub const EMONFEED_OUTCOME_CREATED: i32 = 1;
/// Outcome: rows were appended, or torn rows at the end of the copy were cut
/// off.
pub const EMONFEED_OUTCOME_APPENDED: i32 = 2;
/// Outcome: rows that the copy held were overwritten (`emonfeed_copy()` does
/// that only to the value of the last one), and rows were appended if there
/// were any.
pub const EMONFEED_OUTCOME_PATCHED: i32 = 3;
/// Outcome: the source had shrunk or was another one than the copy; the copy
/// was made anew and the old one kept under a dated name.
pub const EMONFEED_OUTCOME_NEW_GENERATION: i32 = 4;
/// Outcome: the feed could not be copied; the copy, if there is one, is as it
/// was. `emonfeed_report_status()` and `emonfeed_report_message()` say why.
pub const EMONFEED_OUTCOME_FAILED: i32 = 5;
/// Outcome: the feed was left out, for it has more bytes than the option
/// `max-size` allows.
pub const EMONFEED_OUTCOME_SKIPPED: i32 = 6;
/// Outcome: the source does not have the feed any more; the copy stays.
pub const EMONFEED_OUTCOME_SOURCE_GONE: i32 = 7;
/// Outcome: the source does not have the feed any more, and the copy and what
/// was kept of it were removed, because of the option `delete`.
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

/// What was done about one feed. That of `emonfeed_copy()` is yours; free it
/// with `emonfeed_report_free()`. That of `emonfeed_backup_report()` belongs to
/// the backup, which frees it.
///
/// It never changes, so any number of threads may read it until it is freed.
/// If it does not tell of a copy (the outcome is `EMONFEED_OUTCOME_FAILED` or
/// a later one), its figures of rows and bytes are 0.
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

/// The number of the feed, as its table's name has it: `7` of `feed_7`. (It
/// may have more digits than fit into an integer.) Of NULL, and of a report of
/// `emonfeed_copy()`: an empty string. Never NULL.
///
/// The text belongs to the report and lives as long as it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_feed(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.feed.as_ptr())
    })
}

/// The name of the feed's table, such as `feed_7`; of a PHPFina feed its
/// number. Of NULL, and of a report of `emonfeed_copy()`: an empty string.
/// Never NULL.
///
/// The text belongs to the report and lives as long as it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_table(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.table.as_ptr())
    })
}

/// The name of the file of the feed's rows, which is that of the copy too:
/// `feed_7.MYD`, or `7.dat` of a PHPFina feed. Of NULL, and of a report of
/// `emonfeed_copy()`: an empty string. Never NULL.
///
/// The text belongs to the report and lives as long as it does.
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
/// `deleted`. Of NULL: an empty string. Never NULL.
///
/// The text belongs to the report and lives as long as it does.
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

/// Rows written behind those that the copy held. (Of `emonfeed_copy()`, a
/// rewritten last row is counted too.) 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_copied(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.rows_copied))
}

/// Rows in the copy now, deleted ones included. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_total(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.rows_total))
}

/// Bytes of these rows. 0 if `report` is NULL.
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

/// Bytes that were cut off the end of the copy: of a torn row, or the zeros a
/// power cut left in the place of rows. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_repaired(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.copied.bytes_repaired))
}

/// Bytes of rows that the copy held and that were overwritten, for the source
/// has others there: of readings that were edited, or of a copy that was
/// damaged. 0 if `report` is NULL, and of `emonfeed_copy()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_overwritten(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || {
        optional!(report).map_or(0, |report| report.copied.bytes_overwritten)
    })
}

/// The path the old copy was kept under; NULL if none was, or if `report` is
/// NULL.
///
/// The text belongs to the report and lives as long as it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_kept(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(ptr::null(), || {
        let kept = optional!(report).and_then(|report| report.kept.as_ref());
        kept.map_or(ptr::null(), |kept| kept.as_ptr())
    })
}

/// Whether the copy was there before the destination had a catalog, made by
/// another program perhaps: it was compared with the source as a whole and
/// taken over. `false` if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_adopted(report: *const emonfeed_report) -> bool {
    infallible(false, || optional!(report).is_some_and(|report| report.copied.adopted))
}

/// Whether the table's definition was copied, too. `false` if `report` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_definition_copied(
    report: *const emonfeed_report,
) -> bool {
    infallible(false, || {
        optional!(report).is_some_and(|report| report.copied.definition_copied)
    })
}

/// Whether nothing was written, because of `EMONFEED_COPY_DRY_RUN` or the
/// option `dry-run`: the report is of what would be done. `false` if `report`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_dry_run(report: *const emonfeed_report) -> bool {
    infallible(false, || optional!(report).is_some_and(|report| report.copied.dry_run))
}

/// How many seconds it took, without its share of what a run does for many
/// feeds at a time. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_seconds(report: *const emonfeed_report) -> f64 {
    infallible(0.0, || optional!(report).map_or(0.0, |report| report.took.as_secs_f64()))
}

/// What was done, or why it could not be, in one sentence of UTF-8 for people.
/// Of NULL: an empty string. Never
/// NULL.
///
/// The text belongs to the report and lives as long as it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_message(
    report: *const emonfeed_report,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        optional!(report).map_or(c"".as_ptr(), |report| report.message.as_ptr())
    })
}

/// Frees a report of `emonfeed_copy()`; one of `emonfeed_backup_report()` is not
/// yours to free. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_free(report: *mut emonfeed_report) {
    infallible((), || free!(report));
}
