//! The feed that is copied: its committed rows, by `pread` only.

use super::fina::{self, Fina};
use super::plan;
use crate::error::{Error, Result, Status};
use crate::feed::{
    Access, Evidence, Options, PATIENCE, Paths, Retry, State, Table, changed,
    held_too_long, lock_within, read_up_to,
};
use crate::myisam::{BadFlag, Header, Layout};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::SystemTime;

/// A definition file is a few kilobytes; the reader refuses larger ones.
pub(super) const MAX_DEFINITION: u64 = 4 << 20;

const SOURCE_OPTIONS: Options = Options {
    access: Access::Pread,
    no_follow: true,
    evidence: Evidence::Nothing,
    keep: None,
};

/// A table's `.frm` or `.sdi`.
pub(super) struct DefinitionFile {
    /// What follows the table's name: `.frm`, `_363.sdi`.
    pub suffix: OsString,
    pub bytes: Vec<u8>,
}

/// A feed open for copying, and its state at that time.
pub(super) struct Input {
    rows: Rows,
    stride: u64,
    pub definition: Option<DefinitionFile>,
}

enum Rows {
    /// A table of a server, or the file of PHPTimeSeries. The layout says which
    /// flag bytes rows can begin with.
    Table { table: Box<Table>, start: Box<State>, layout: Layout },
    /// Values at a fixed interval.
    Fina(Fina),
}

impl Input {
    /// Opens the feed whose rows are in `data`, a `.MYD` or a `.dat`.
    pub(super) fn open(data: &Path) -> Result<Input> {
        if data.extension().is_some_and(|extension| extension == "dat") {
            let fina = Fina::open(data)?;
            let definition = Some(DefinitionFile {
                suffix: OsString::from(".meta"),
                bytes: fina.meta.clone(),
            });
            return Ok(Input {
                rows: Rows::Fina(fina),
                stride: fina::STRIDE,
                definition,
            });
        }
        let table = Box::new(Table::open(&Paths::new(data)?, &SOURCE_OPTIONS)?);
        let start = Box::new(locked(&table, || table.state())?);
        if start.is_being_rewritten(SystemTime::now()) {
            return Err(changed().at(table.path()));
        }
        let layout = match &start.layout {
            Some(layout) => layout.clone(),
            None => bare_layout(&table, start.slots)?,
        };
        let definition = table.definition().map(|file| DefinitionFile {
            suffix: suffix_of(&file.path, table.path()),
            bytes: file.bytes.clone(),
        });
        let stride = layout.stride() as u64;
        Ok(Input { rows: Rows::Table { table, start, layout }, stride, definition })
    }

    pub(super) fn facts(&self) -> plan::Source {
        let rows = match &self.rows {
            Rows::Table { start, .. } => start.slots,
            Rows::Fina(fina) => fina.rows(),
        };
        plan::Source { stride: self.stride, rows }
    }

    /// The path of the rows.
    pub(super) fn path(&self) -> &Path {
        match &self.rows {
            Rows::Table { table, .. } => table.path(),
            Rows::Fina(fina) => fina.path(),
        }
    }

    /// How rows are read; `None` where they are nothing but values.
    pub(super) fn layout(&self) -> Option<&Layout> {
        match &self.rows {
            Rows::Table { layout, .. } => Some(layout),
            Rows::Fina(_) => None,
        }
    }

    /// The head of the index when the feed was opened; `None` without one.
    pub(super) fn header(&self) -> Option<&Header> {
        match &self.rows {
            Rows::Table { start, .. } => start.header(),
            Rows::Fina(_) => None,
        }
    }

    fn file(&self) -> &File {
        match &self.rows {
            Rows::Table { table, .. } => table.data(),
            Rows::Fina(fina) => fina.file(),
        }
    }

    /// Device and inode of the file of the rows.
    pub(super) fn stat(&self) -> Result<rustix::fs::Stat> {
        rustix::fs::fstat(self.file())
            .map_err(|e| Error::io("inspect", self.path(), e.into()))
    }

    /// Reads whole rows from `row` on, all of them committed.
    pub(super) fn read(&self, row: u64, into: &mut [u8]) -> Result<()> {
        let offset = row * self.stride;
        match &self.rows {
            Rows::Table { table, .. } => read_at(table, offset, into),
            Rows::Fina(fina) => locked_file(fina.file(), fina.path(), || {
                read_all(fina.file(), fina.path(), offset, into)
            }),
        }
    }

    /// Checks the flag byte of every row of `rows`, the first of which is
    /// `first` in the file.
    pub(super) fn check(&self, first: u64, rows: &[u8]) -> Result<()> {
        let Some(layout) = self.layout() else { return Ok(()) };
        layout.for_each(rows, |_, _| {}).map_err(|BadFlag { index, flag }| {
            let row = first + index as u64;
            Error::new(
                Status::BadRow,
                format!(
                    "row {row} begins with the byte {flag:#04x}, which no row of this table \
                     can have: nothing was copied; save the file as it is, then REPAIR TABLE"
                ),
            )
            .at(self.path())
            .at_offset(row * self.stride)
        })
    }

    /// The time of the last reading in `rows`, the first of which is `first` in
    /// the file; `None` if there is none.
    pub(super) fn last_time(&self, first: u64, rows: &[u8]) -> Option<i64> {
        let count = rows.len() as u64 / self.stride;
        match &self.rows {
            Rows::Table { layout, .. } => rows
                .rchunks_exact(layout.stride())
                .find_map(|row| layout.row(row).map(|row| row.time)),
            Rows::Fina(fina) => {
                let meta = fina::Meta::parse(&fina.meta)?;
                count.checked_sub(1).map(|last| meta.time(first + last))
            }
        }
    }

    /// Fails unless what was read so far is still what the feed holds, to all
    /// appearance: nothing happened since it was opened, or rows were only
    /// appended. Only [`Input::may_be_rewritten`] is sure of that.
    pub(super) fn demand_only_grown(&self) -> Result<()> {
        let gone = || Err(changed().at(self.path()));
        let (table, start) = match &self.rows {
            Rows::Table { table, start, .. } => (table, start),
            Rows::Fina(fina) => return fina.demand_rows(fina.rows()),
        };
        if !table.is_current()? {
            return gone();
        }
        let now = locked(table, || table.state())?;
        let grown = match start.header() {
            Some(_) => now == **start || start.only_grew(&now),
            // Without a header only the length tells.
            None => now.slots >= start.slots,
        };
        if grown { Ok(()) } else { gone() }
    }

    /// Fails unless the feed still has its first `rows` rows, whatever they
    /// are now, and no statement is at work on them.
    pub(super) fn demand_rows(&self, rows: u64) -> Result<()> {
        let (table, start) = match &self.rows {
            Rows::Table { table, start, .. } => (table, start),
            Rows::Fina(fina) => return fina.demand_rows(rows),
        };
        let mut retry = Retry::new();
        loop {
            let now = locked(table, || table.state())?;
            let made = |state: &State| state.header().map(|header| header.create_time);
            if !table.is_current()? || made(&now) != made(start) || now.slots < rows {
                return Err(changed().at(table.path()));
            }
            if !now.is_being_rewritten(SystemTime::now()) {
                return Ok(());
            }
            if !retry.wait() {
                return Err(changed().at(table.path()));
            }
        }
    }

    /// Whether rows may have been rewritten since the feed was opened without
    /// a trace: where anything was written at all. The counters in a header do not
    /// tell: a table that is emptied and filled with a few more rows counts two
    /// statements and more new rows than that.
    pub(super) fn may_be_rewritten(&self) -> Result<bool> {
        let (table, start) = match &self.rows {
            Rows::Table { table, start, .. } => (table, start),
            Rows::Fina(fina) => return fina.may_be_rewritten(),
        };
        let now = locked(table, || table.state())?;
        let tells = start.header().is_some() || now.is_settled(SystemTime::now());
        Ok(now != **start || !tells)
    }
}

/// Reads all of `into` from `offset` on.
fn read_at(table: &Table, offset: u64, into: &mut [u8]) -> Result<()> {
    locked(table, || read_all(table.data(), table.path(), offset, into))
}

fn read_all(file: &File, path: &Path, offset: u64, into: &mut [u8]) -> Result<()> {
    let have = read_up_to(file, into, offset)
        .map_err(|e| Error::io("read", path, e).at_offset(offset))?;
    if have < into.len() {
        return Err(changed().at(path));
    }
    Ok(())
}

/// In a bare file the first row that tells decides whether columns are
/// nullable. Where none does, any flag of the two layouts may be copied: a
/// copy need not know what it means.
fn bare_layout(table: &Table, slots: u64) -> Result<Layout> {
    const ROWS: u64 = 64;
    let nullable = Layout::bare(true);
    let mut rows = vec![0; slots.min(ROWS) as usize * nullable.stride()];
    read_at(table, 0, &mut rows)?;
    let hint = rows.chunks_exact(nullable.stride()).find_map(Layout::bare_hint);
    Ok(Layout::bare(hint.unwrap_or(true)))
}

/// Runs `read` under the lock PHPTimeSeries writes under, if it may be the
/// writer.
fn locked<T>(table: &Table, read: impl FnOnce() -> Result<T>) -> Result<T> {
    if table.is_locked_by_writers() {
        locked_file(table.data(), table.path(), read)
    } else {
        read()
    }
}

/// Runs `read` under a shared lock, which is held for one read at a time, never
/// for a whole copy.
fn locked_file<T>(
    file: &File,
    path: &Path,
    read: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let failed = |e: Errno| Error::io("lock", path, e.into());
    if !lock_within(file, FlockOperation::NonBlockingLockShared, PATIENCE)
        .map_err(failed)?
    {
        return Err(held_too_long(path));
    }
    let result = read();
    match rustix::fs::flock(file, FlockOperation::Unlock) {
        Ok(()) => {}
        // There are no locks here: `lock_within` went without.
        Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(e) => return Err(failed(e)),
    }
    result
}

/// `.frm` of `feed_7.frm`, `_363.sdi` of `feed_7_363.sdi`.
fn suffix_of(definition: &Path, rows: &Path) -> OsString {
    let stem = rows.file_stem().unwrap_or_default().as_bytes();
    let name = definition.file_name().unwrap_or_default().as_bytes();
    OsString::from_vec(name.strip_prefix(stem).unwrap_or(name).to_vec())
}
