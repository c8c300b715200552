//! Copies of feeds and the reports of them.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::boundary::{infallible, owned};
use super::error::{emonfeed_error, emonfeed_status};
use crate::backup::{self, CopyOptions, CopyReport, Outcome};
use crate::error::{Error, Result, Status};

/// Copy flag: only find out what would be done; write nothing.
pub const EMONFEED_COPY_DRY_RUN: u32 = 1;
/// Copy flag: compare every row of the copy with the source, not only the last
/// 256 KiB, and so find old readings that were edited.
pub const EMONFEED_COPY_FULL: u32 = 2;

/// Outcome: the copy held every row already.
pub const EMONFEED_OUTCOME_UNCHANGED: i32 = 0;
/// Outcome: the copy was made.
pub const EMONFEED_OUTCOME_CREATED: i32 = 1;
/// Outcome: rows were appended, or torn rows at the end of the copy were cut
/// off.
pub const EMONFEED_OUTCOME_APPENDED: i32 = 2;
/// Outcome: the value of the copy's last row was brought up to date, and rows
/// were appended if there were any.
pub const EMONFEED_OUTCOME_PATCHED: i32 = 3;
/// Outcome: the source had shrunk or was another one than the copy; the copy
/// was made anew and the old one kept under a dated name.
pub const EMONFEED_OUTCOME_NEW_GENERATION: i32 = 4;

// C's numbers are the crate's.
const _: () = {
    assert!(EMONFEED_OUTCOME_UNCHANGED == Outcome::Unchanged as i32);
    assert!(EMONFEED_OUTCOME_CREATED == Outcome::Created as i32);
    assert!(EMONFEED_OUTCOME_APPENDED == Outcome::Appended as i32);
    assert!(EMONFEED_OUTCOME_PATCHED == Outcome::Patched as i32);
    assert!(EMONFEED_OUTCOME_NEW_GENERATION == Outcome::NewGeneration as i32);
};

/// What one copy did. Yours; free it with `emonfeed_report_free()`.
///
/// It never changes, so any number of threads may read it until it is freed.
///
/// Functions: `emonfeed_report_outcome()`, `emonfeed_report_outcome_name()`,
/// `emonfeed_report_rows_copied()`, `emonfeed_report_rows_total()`,
/// `emonfeed_report_bytes_copied()`, `emonfeed_report_bytes_total()`,
/// `emonfeed_report_bytes_repaired()`, `emonfeed_report_kept()`,
/// `emonfeed_report_definition_copied()`, `emonfeed_report_dry_run()`,
/// `emonfeed_report_message()`, `emonfeed_report_free()`. Made by:
/// `emonfeed_copy()`.
pub struct emonfeed_report {
    report: CopyReport,
    outcome_name: CString,
    kept: Option<CString>,
    message: CString,
}

impl emonfeed_report {
    fn new(report: CopyReport) -> Result<emonfeed_report> {
        let outcome_name = c_text(report.outcome.name().as_bytes())?;
        let kept = report.kept.as_deref().map(Path::as_os_str);
        let kept = kept.map(|kept| c_text(kept.as_bytes())).transpose()?;
        let message = c_text(report.to_string().as_bytes())?;
        Ok(emonfeed_report { report, outcome_name, kept, message })
    }
}

/// No path and no message has a NUL in it.
fn c_text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes)
        .map_err(|_| Error::new(Status::Internal, "a text with a NUL in it"))
}

fn options(flags: u32) -> Result<CopyOptions> {
    let known = EMONFEED_COPY_DRY_RUN | EMONFEED_COPY_FULL;
    if flags & !known != 0 {
        return Err(Error::new(
            Status::Argument,
            format!("flags: {flags:#x} has bits that are no EMONFEED_COPY_… flag"),
        ));
    }
    Ok(CopyOptions {
        dry_run: flags & EMONFEED_COPY_DRY_RUN != 0,
        whole: flags & EMONFEED_COPY_FULL != 0,
    })
}

/// Brings the copy of one feed up to date.
///
/// `source` is the file of its rows, such as
/// `/var/lib/mysql/emoncms/feed_7.MYD`. `destination` is a file to be, whose
/// name ends in `.MYD`, or an existing directory, where the copy gets the
/// source's name. Neither file may be a symbolic link, a pipe or a device, nor
/// may those beside it that belong to it; links to directories are followed,
/// on the way to the files and as `destination`. `flags` is 0 or
/// `EMONFEED_COPY_…` flags combined with `|`.
///
/// Only whole rows that the server has committed are copied, each checked.
/// What the copy holds is not copied again: its last rows are compared with
/// the source, torn rows at its end are cut off, new rows are appended and on
/// the disk when this returns. If a source shrank or was rewritten, it is
/// copied anew, and the old copy kept under a dated name beside. The table's
/// definition (`.frm` or `.sdi`) is copied along, the index (`.MYI`) never.
///
/// `*out` becomes a report that is yours. If the copy fails, what was there
/// before is there still: `EMONFEED_STATUS_DESTINATION` if the destination is
/// no place for a copy, `EMONFEED_STATUS_LOCKED` if another copy is writing
/// it, `EMONFEED_STATUS_CHANGED` if the source was rewritten meanwhile each
/// time it was tried, `EMONFEED_STATUS_IO` for a full disk, otherwise whatever
/// is wrong with the source, as `emonfeed_feed_open()` says it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_copy(
    source: *const c_char,
    destination: *const c_char,
    flags: u32,
    out: *mut *mut emonfeed_report,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_copy, out, error, || {
        let source = path!(source);
        let destination = path!(destination);
        let report = backup::copy(source, destination, &options(flags)?, &mut |_| {})?;
        Ok(owned(emonfeed_report::new(report)?))
    })
}

/// What became of the copy: one of `EMONFEED_OUTCOME_…`. -1 if `report` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_outcome(report: *const emonfeed_report) -> i32 {
    infallible(-1, || optional!(report).map_or(-1, |report| report.report.outcome as i32))
}

/// What became of the copy, in one word: `unchanged`, `created`, `appended`,
/// `patched` or `new-generation`. Of NULL: an empty string. Never NULL.
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

/// Rows written, a rewritten last row included. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_copied(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.report.rows_copied))
}

/// Rows in the copy now, deleted ones included. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_rows_total(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.report.rows_total))
}

/// Bytes of the rows written. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_copied(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.report.bytes_copied))
}

/// Bytes of the copy now. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_total(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.report.bytes_total))
}

/// Bytes that were cut off the end of the copy: of a torn row, or the zeros a
/// power cut left in the place of rows. 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_bytes_repaired(
    report: *const emonfeed_report,
) -> u64 {
    infallible(0, || optional!(report).map_or(0, |report| report.report.bytes_repaired))
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

/// Whether the table's definition was copied, too. `false` if `report` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_definition_copied(
    report: *const emonfeed_report,
) -> bool {
    infallible(false, || {
        optional!(report).is_some_and(|report| report.report.definition_copied)
    })
}

/// Whether nothing was written, because of `EMONFEED_COPY_DRY_RUN`. `false` if
/// `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_dry_run(report: *const emonfeed_report) -> bool {
    infallible(false, || optional!(report).is_some_and(|report| report.report.dry_run))
}

/// What was done, in one sentence for people. Of NULL: an empty string. Never
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

/// Frees a report. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_report_free(report: *mut emonfeed_report) {
    infallible((), || free!(report));
}
