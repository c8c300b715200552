//! Status numbers and owned errors.

use std::ffi::{CStr, CString, c_char};

use super::boundary::infallible;
use crate::error::{Error, Status};

/// How a call ended: 0, or one of the numbers `EMONFEED_STATUS_…`.
///
/// The numbers never change their meaning. Later versions may add some, so
/// treat one you do not know as a failure. 1 to 9 concern the caller or this
/// library, 10 to 19 the operating system, 20 to 39 what the file is, 40 to 49
/// what is wrong with it, 50 to 59 what other programs did to it meanwhile, 60
/// to 69 copying.
pub type emonfeed_status = i32;

/// It worked.
pub const EMONFEED_STATUS_OK: i32 = 0;
/// A fault of this library, caught before it reached the caller. Please
/// report it.
pub const EMONFEED_STATUS_INTERNAL: i32 = 1;
/// An argument makes no sense: NULL, an interval of 0, edges that do not
/// ascend, an unknown flag. A mistake in the calling program.
pub const EMONFEED_STATUS_ARGUMENT: i32 = 2;
/// There is no such file.
pub const EMONFEED_STATUS_NOT_FOUND: i32 = 10;
/// The operating system does not let this user read or write it.
pub const EMONFEED_STATUS_PERMISSION: i32 = 11;
/// The operating system failed to read or write.
pub const EMONFEED_STATUS_IO: i32 = 12;
/// The path is a symbolic link where none is allowed, a directory, a pipe or
/// a device.
pub const EMONFEED_STATUS_NOT_REGULAR: i32 = 13;
/// Too little memory or address space for what was asked.
pub const EMONFEED_STATUS_MEMORY: i32 = 14;
/// The table's columns are not those of a feed, or the path does not end in
/// `.MYD`.
pub const EMONFEED_STATUS_NOT_A_FEED: i32 = 20;
/// A column's type is one this library does not read.
pub const EMONFEED_STATUS_UNKNOWN_COLUMN: i32 = 21;
/// The table belongs to another storage engine (InnoDB, Aria).
pub const EMONFEED_STATUS_ENGINE: i32 = 22;
/// The table was compressed by `myisampack`.
pub const EMONFEED_STATUS_COMPRESSED: i32 = 23;
/// The table has rows of variable length (`ROW_FORMAT=DYNAMIC`).
pub const EMONFEED_STATUS_DYNAMIC: i32 = 24;
/// The `.MYI`, or the `.frm` or `.sdi` that names the columns, is missing; of a
/// PHPFina feed, the `.meta`.
pub const EMONFEED_STATUS_MISSING_DEFINITION: i32 = 25;
/// The query needs a histogram feed, with a column `data2`.
pub const EMONFEED_STATUS_NO_HISTOGRAM: i32 = 26;
/// The server marked the table as crashed: run `REPAIR TABLE` first.
pub const EMONFEED_STATUS_CRASHED: i32 = 40;
/// Rows lie between row boundaries after a server crash: run `REPAIR TABLE`
/// first.
pub const EMONFEED_STATUS_PHASE_SHIFTED: i32 = 41;
/// The files contradict themselves or each other.
pub const EMONFEED_STATUS_DAMAGED: i32 = 42;
/// A row begins with flag bits that no row of this table can have.
pub const EMONFEED_STATUS_BAD_ROW: i32 = 43;
/// The file kept changing while it was read; trying again may succeed.
pub const EMONFEED_STATUS_CHANGED: i32 = 50;
/// Another program holds the lock on the file.
pub const EMONFEED_STATUS_LOCKED: i32 = 51;
/// The destination is no place for a copy, or holds something that a copy
/// cannot continue from.
pub const EMONFEED_STATUS_DESTINATION: i32 = 60;
/// The catalog of a backup is damaged, or cannot be written.
pub const EMONFEED_STATUS_CATALOG: i32 = 61;

/// Says for each [`Status`] which C constant it is. A status without one does
/// not compile, nor does one whose numbers differ.
macro_rules! codes {
    ($($status:ident => $code:ident,)*) => {
        pub(super) const fn code(status: Status) -> emonfeed_status {
            match status {
                $(Status::$status => $code,)*
            }
        }
        const _: () = {
            $(assert!($code == Status::$status as i32);)*
        };
    };
}

codes! {
    Internal => EMONFEED_STATUS_INTERNAL,
    Argument => EMONFEED_STATUS_ARGUMENT,
    NotFound => EMONFEED_STATUS_NOT_FOUND,
    Permission => EMONFEED_STATUS_PERMISSION,
    Io => EMONFEED_STATUS_IO,
    NotRegular => EMONFEED_STATUS_NOT_REGULAR,
    Memory => EMONFEED_STATUS_MEMORY,
    NotAFeed => EMONFEED_STATUS_NOT_A_FEED,
    UnknownColumn => EMONFEED_STATUS_UNKNOWN_COLUMN,
    Engine => EMONFEED_STATUS_ENGINE,
    Compressed => EMONFEED_STATUS_COMPRESSED,
    Dynamic => EMONFEED_STATUS_DYNAMIC,
    MissingDefinition => EMONFEED_STATUS_MISSING_DEFINITION,
    NoHistogram => EMONFEED_STATUS_NO_HISTOGRAM,
    Crashed => EMONFEED_STATUS_CRASHED,
    PhaseShifted => EMONFEED_STATUS_PHASE_SHIFTED,
    Damaged => EMONFEED_STATUS_DAMAGED,
    BadRow => EMONFEED_STATUS_BAD_ROW,
    Changed => EMONFEED_STATUS_CHANGED,
    Locked => EMONFEED_STATUS_LOCKED,
    Destination => EMONFEED_STATUS_DESTINATION,
    Catalog => EMONFEED_STATUS_CATALOG,
}

/// Why a call failed: a status, and a message for people. The caller frees it
/// with `emonfeed_error_free()`.
///
/// One thread at a time may use it, not necessarily the one that received it.
///
/// Functions: `emonfeed_error_status()`, `emonfeed_error_message()`,
/// `emonfeed_error_free()`.
pub struct emonfeed_error {
    status: emonfeed_status,
    /// `None` if even describing the fault failed.
    message: Option<CString>,
}

impl emonfeed_error {
    /// A fault of which nothing can be said.
    pub(super) fn undescribed() -> emonfeed_error {
        emonfeed_error { status: EMONFEED_STATUS_INTERNAL, message: None }
    }

    pub(super) fn status(&self) -> emonfeed_status {
        self.status
    }
}

impl From<Error> for emonfeed_error {
    fn from(error: Error) -> emonfeed_error {
        // A damaged table can name a column with a NUL in it.
        let message = error.to_string().replace('\0', "\u{fffd}");
        emonfeed_error {
            status: code(error.status()),
            message: CString::new(message).ok(),
        }
    }
}

/// The status of an error, the same that the failed call returned.
/// `EMONFEED_STATUS_OK` if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_error_status(
    error: *const emonfeed_error,
) -> emonfeed_status {
    infallible(EMONFEED_STATUS_INTERNAL, || {
        optional!(error).map_or(EMONFEED_STATUS_OK, emonfeed_error::status)
    })
}

/// What went wrong, where, and what to do: one line of UTF-8 that names the
/// file and, where it helps, the byte offset in it. (Bytes of a path that are
/// not UTF-8 are shown as U+FFFD.) An empty string if `error` is NULL; never
/// NULL.
///
/// Do not free it: it belongs to the error and is valid as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_error_message(
    error: *const emonfeed_error,
) -> *const c_char {
    infallible(c"".as_ptr(), || {
        let message: &CStr = match optional!(error) {
            None => c"",
            Some(error) => error.message.as_deref().unwrap_or(c"a fault in emonfeed"),
        };
        message.as_ptr()
    })
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_error_free(error: *mut emonfeed_error) {
    infallible((), || free!(error));
}
