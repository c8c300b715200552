//! The table that is copied: its committed rows, by `pread` only.

use super::plan;
use crate::error::{Error, Result, Status};
use crate::feed::{
    Access, Options, PATIENCE, Paths, Retry, State, Table, changed, held_too_long,
    lock_within, open_file, read_up_to,
};
use crate::myisam::{BadFlag, Layout};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::SystemTime;

/// A definition file is a few kilobytes; the reader refuses larger ones.
pub(super) const MAX_DEFINITION: u64 = 4 << 20;

const SOURCE_OPTIONS: Options = Options { access: Access::Pread, no_follow: true };

/// A table's `.frm` or `.sdi`.
pub(super) struct DefinitionFile {
    /// What follows the table's name: `.frm`, `_363.sdi`.
    pub suffix: OsString,
    pub bytes: Vec<u8>,
}

/// A table open for copying, and its state at that time.
pub(super) struct Input {
    table: Table,
    start: State,
    stride: u64,
    /// Says which flag bytes rows can begin with.
    layout: Layout,
    pub definition: Option<DefinitionFile>,
}

impl Input {
    pub(super) fn open(paths: &Paths) -> Result<Input> {
        let table = Table::open(paths, &SOURCE_OPTIONS)?;
        let start = locked(&table, || table.state())?;
        if start.is_being_rewritten(SystemTime::now()) {
            return Err(changed().at(table.path()));
        }
        let layout = match &start.layout {
            Some(layout) => layout.clone(),
            None => bare_layout(&table, start.slots)?,
        };
        let definition = read_definition(&table)?;
        Ok(Input { table, start, stride: layout.stride() as u64, layout, definition })
    }

    pub(super) fn facts(&self) -> plan::Source {
        plan::Source { stride: self.stride, rows: self.start.slots }
    }

    /// The path of the rows.
    pub(super) fn path(&self) -> &Path {
        self.table.path()
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Device and inode of the file of the rows.
    pub(super) fn stat(&self) -> Result<rustix::fs::Stat> {
        rustix::fs::fstat(self.table.data())
            .map_err(|e| Error::io("inspect", self.table.path(), e.into()))
    }

    /// Reads whole rows from `row` on, all of them committed.
    pub(super) fn read(&self, row: u64, into: &mut [u8]) -> Result<()> {
        read_at(&self.table, row * self.stride, into)
    }

    /// Checks the flag byte of every row of `rows`, the first of which is
    /// `first` in the file.
    pub(super) fn check(&self, first: u64, rows: &[u8]) -> Result<()> {
        self.layout.for_each(rows, |_, _| {}).map_err(|BadFlag { index, flag }| {
            let row = first + index as u64;
            Error::new(
                Status::BadRow,
                format!(
                    "row {row} begins with the byte {flag:#04x}, which no row of this table \
                     can have: nothing was copied; save the file as it is, then REPAIR TABLE"
                ),
            )
            .at(self.table.path())
            .at_offset(row * self.stride)
        })
    }

    /// Fails unless what was read so far is still what the table holds:
    /// nothing happened since it was opened, or rows were only appended.
    pub(super) fn demand_only_grown(&self) -> Result<()> {
        let gone = || Err(changed().at(self.table.path()));
        if !self.table.is_current()? {
            return gone();
        }
        let now = locked(&self.table, || self.table.state())?;
        let grown = match self.start.header() {
            Some(_) => now == self.start || self.start.only_grew(&now),
            // Without a header only the length tells: see `may_be_rewritten`.
            None => now.slots >= self.start.slots,
        };
        if grown { Ok(()) } else { gone() }
    }

    /// Fails unless the table still has its first `rows` rows, whatever they
    /// are now, and no statement is at work on them.
    pub(super) fn demand_rows(&self, rows: u64) -> Result<()> {
        let mut retry = Retry::new();
        loop {
            let now = locked(&self.table, || self.table.state())?;
            let made = |state: &State| state.header().map(|header| header.create_time);
            if !self.table.is_current()?
                || made(&now) != made(&self.start)
                || now.slots < rows
            {
                return Err(changed().at(self.table.path()));
            }
            if !now.is_being_rewritten(SystemTime::now()) {
                return Ok(());
            }
            if !retry.wait() {
                return Err(changed().at(self.table.path()));
            }
        }
    }

    /// Whether rows may have been rewritten since the table was opened without
    /// a trace: in a file without header that was written to.
    pub(super) fn may_be_rewritten(&self) -> Result<bool> {
        if self.start.header().is_some() {
            return Ok(false);
        }
        let now = locked(&self.table, || self.table.state())?;
        Ok(now != self.start || !now.is_settled(SystemTime::now()))
    }
}

/// Reads all of `into` from `offset` on.
fn read_at(table: &Table, offset: u64, into: &mut [u8]) -> Result<()> {
    locked(table, || {
        let have = read_up_to(table.data(), into, offset)
            .map_err(|e| Error::io("read", table.path(), e).at_offset(offset))?;
        if have < into.len() {
            return Err(changed().at(table.path()));
        }
        Ok(())
    })
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
/// writer. The lock is held for one read at a time, never for a whole copy.
fn locked<T>(table: &Table, read: impl FnOnce() -> Result<T>) -> Result<T> {
    if !table.is_locked_by_writers() {
        return read();
    }
    let failed = |e: Errno| Error::io("lock", table.path(), e.into());
    if !lock_within(table.data(), FlockOperation::NonBlockingLockShared, PATIENCE)
        .map_err(failed)?
    {
        return Err(held_too_long(table.path()));
    }
    let result = read();
    match rustix::fs::flock(table.data(), FlockOperation::Unlock) {
        Ok(()) => {}
        // There are no locks here: `lock_within` went without.
        Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(e) => return Err(failed(e)),
    }
    result
}

fn read_definition(table: &Table) -> Result<Option<DefinitionFile>> {
    let Some(path) = table.definition() else { return Ok(None) };
    let Some((file, meta)) = open_file(path, SOURCE_OPTIONS.no_follow)? else {
        return Err(changed().at(path));
    };
    if meta.len() > MAX_DEFINITION {
        return Err(changed().at(path));
    }
    let mut bytes = vec![0; meta.len() as usize];
    let have =
        read_up_to(&file, &mut bytes, 0).map_err(|e| Error::io("read", path, e))?;
    if have < bytes.len() {
        return Err(changed().at(path));
    }
    Ok(Some(DefinitionFile { suffix: suffix_of(path, table.path()), bytes }))
}

/// `.frm` of `feed_7.frm`, `_363.sdi` of `feed_7_363.sdi`.
fn suffix_of(definition: &Path, rows: &Path) -> OsString {
    let stem = rows.file_stem().unwrap_or_default().as_bytes();
    let name = definition.file_name().unwrap_or_default().as_bytes();
    OsString::from_vec(name.strip_prefix(stem).unwrap_or(name).to_vec())
}
