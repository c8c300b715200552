//! One error type for the whole crate: a stable [`Status`] for programs, and
//! a message for people that says what, where and what to do.

use std::fmt::{self, Write};
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, as a number that never changes its meaning.
///
/// The ranges: 1–9 the caller or this library, 10–19 the operating system,
/// 20–39 what the file is, 40–49 what is wrong with it, 50–59 what other
/// programs did to it meanwhile, 60–69 copying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// A fault of this library, caught before it reached the caller.
    Internal = 1,
    /// An argument makes no sense: an interval of 0, edges that do not ascend.
    Argument = 2,
    /// There is no such file.
    NotFound = 10,
    /// The operating system does not let this user read or write it.
    Permission = 11,
    /// The operating system failed to read or write.
    Io = 12,
    /// The path is a symbolic link, a directory, a pipe or a device.
    NotRegular = 13,
    /// Too little memory or address space for what was asked.
    Memory = 14,
    /// The table's columns are not those of a feed, or the path does not end in
    /// `.MYD`.
    NotAFeed = 20,
    /// A column's type is one this library does not read.
    UnknownColumn = 21,
    /// The table belongs to another storage engine (InnoDB, Aria).
    Engine = 22,
    /// The table was compressed by `myisampack`.
    Compressed = 23,
    /// The table has rows of variable length (`ROW_FORMAT=DYNAMIC`).
    Dynamic = 24,
    /// The `.MYI`, or the `.frm` or `.sdi` that names the columns, is missing;
    /// of a PHPFina feed, the `.meta`.
    MissingDefinition = 25,
    /// The query needs a histogram feed, with a column `data2`.
    NoHistogram = 26,
    /// The server marked the table as crashed: run `REPAIR TABLE` first.
    Crashed = 40,
    /// Rows lie between row boundaries after a server crash: run `REPAIR TABLE`
    /// first.
    PhaseShifted = 41,
    /// The files contradict themselves or each other.
    Damaged = 42,
    /// A row begins with flag bits that no row of this table can have.
    BadRow = 43,
    /// The file kept changing while it was read; trying again may succeed.
    Changed = 50,
    /// Another program holds the lock on the file.
    Locked = 51,
    /// The destination is no place for a copy, or holds something that a copy
    /// cannot continue from.
    Destination = 60,
    /// The catalog of a backup is damaged, or cannot be written.
    Catalog = 61,
}

impl Status {
    /// The number that C and PHP see.
    pub fn code(self) -> i32 {
        self as i32
    }
}

/// An error with its [`Status`] and a message.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    status: Status,
    path: Option<PathBuf>,
    offset: Option<u64>,
    message: String,
    #[source]
    source: Option<io::Error>,
}

/// The result of every function in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a path or offset.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Error { status, path: None, offset: None, message: message.into(), source: None }
    }

    /// Whether the cause is that this process, or all processes together, have
    /// too many files open.
    pub(crate) fn is_short_of_descriptors(&self) -> bool {
        let code = self.source.as_ref().and_then(io::Error::raw_os_error);
        matches!(code, Some(libc::EMFILE | libc::ENFILE))
    }

    /// What the operating system answered when `action` was tried on `path`.
    pub fn io(action: &str, path: &Path, source: io::Error) -> Self {
        if source.raw_os_error() == Some(libc::ELOOP) {
            return Error::new(
                Status::NotRegular,
                "this is a symbolic link, and none is followed here: give the path it leads to",
            )
            .at(path);
        }
        let status = match source.kind() {
            io::ErrorKind::NotFound => Status::NotFound,
            io::ErrorKind::PermissionDenied => Status::Permission,
            // What opening a socket gives.
            _ if source.raw_os_error() == Some(libc::ENXIO) => Status::NotRegular,
            _ if source.raw_os_error() == Some(libc::ENOMEM) => Status::Memory,
            _ => Status::Io,
        };
        Error {
            status,
            path: Some(path.to_owned()),
            offset: None,
            message: format!("cannot {action}"),
            source: Some(source),
        }
    }

    /// The same error, about the file at `path` (a path it already has stays).
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// The same error, about the byte at `offset` (an offset it already has
    /// stays).
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    /// What went wrong, for programs.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The file concerned.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The byte offset in that file.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            // A name may hold what moves the cursor of a terminal.
            for c in path.display().to_string().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    f.write_char(c)?;
                }
            }
            f.write_str(": ")?;
        }
        if let Some(offset) = self.offset {
            write!(f, "at byte {offset}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_the_path() {
        let path = Path::new("a\nb\u{1b}[31m/caf\u{e9}/feed_1.MYD");
        let error = Error::new(Status::BadRow, "a bad row").at(path).at_offset(9);
        assert_eq!(
            error.to_string(),
            "a\\nb\\u{1b}[31m/caf\u{e9}/feed_1.MYD: at byte 9: a bad row"
        );
    }
}
