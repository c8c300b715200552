//! Copies of single feeds.

use std::ffi::c_char;
use std::time::Instant;

use super::boundary::owned;
use super::error::{emonfeed_error, emonfeed_status};
use super::report::emonfeed_report;
use crate::backup::{self, CopyOptions};
use crate::error::{Error, Result, Status};

/// Copy flag: only find out what would be done; write nothing.
pub const EMONFEED_COPY_DRY_RUN: u32 = 1;
/// Copy flag: compare every row of the copy with the source, not only the last
/// 256 KiB. This finds old readings that were edited.
pub const EMONFEED_COPY_FULL: u32 = 2;

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
/// `source` is the file of the feed's rows, such as
/// `/var/lib/mysql/emoncms/feed_7.MYD`. `destination` is the path of the copy,
/// whose name ends in `.MYD`, or an existing directory, where the copy gets the
/// source's name. Neither file may be a symbolic link, a pipe or a device, nor
/// may the files beside it that belong to it. Links to directories are
/// followed, both on the way to the files and as `destination`. `flags` is 0 or
/// `EMONFEED_COPY_…` flags combined with `|`.
///
/// Only whole rows that the server has committed are copied, and each is
/// checked. What the copy holds is not copied again: its last rows are compared
/// with the source, torn rows at its end are cut off, and new rows are
/// appended. The new rows are on the disk when this returns. If a source shrank
/// or was rewritten, it is copied again from the start, and the old copy is
/// kept beside it under a dated name. The table's definition (`.frm` or `.sdi`)
/// is copied too, the index (`.MYI`) never.
///
/// `*out` becomes a report, which the caller frees with
/// `emonfeed_report_free()`. If the copy fails, what was there before is still
/// there. The status is `EMONFEED_STATUS_DESTINATION` if the destination is no
/// place for a copy, `EMONFEED_STATUS_LOCKED` if another copy is writing it,
/// `EMONFEED_STATUS_CHANGED` if the source was rewritten during every attempt,
/// `EMONFEED_STATUS_IO` for a full disk, otherwise whatever is wrong with the
/// source, as `emonfeed_feed_open()` reports it.
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
        let begun = Instant::now();
        let report = backup::copy(source, destination, &options(flags)?, &mut |_| {})?;
        Ok(owned(emonfeed_report::of_copy(report, begun.elapsed())?))
    })
}
