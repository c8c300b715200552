//! Carrying out what [`decide`](super::plan::decide) decided.
//!
//! The copy is at every moment the beginning of the source, or the old copy
//! whole. Rows are appended in blocks, each on the disk before the next is
//! written; so whatever stops a copy, only bytes of its last block can be
//! wrong, and these are compared with the source before anything is appended
//! behind them.

use super::compare::{WINDOW, blocks, compare};
use super::folder::Opened;
use super::held::{Partial, Place, dated, keep, set_aside, stamp};
use super::plan::{Columns, Decision, Tail};
use super::report::CopyReport;
use super::source::{DefinitionFile, Input};
use crate::error::{Error, Result, Status};
use crate::feed::changed;
use std::ffi::OsString;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

/// How much a whole copy reads at a time.
const BLOCK: u64 = 1 << 20;

/// A decision being carried out.
pub(super) struct Job<'a> {
    pub input: &'a Input,
    pub place: &'a Place<'a, 'a>,
    /// What the definition beside the copy was found to say.
    pub columns: Columns,
    pub progress: &'a mut dyn FnMut(u64),
}

impl<'a> Job<'a> {
    pub(super) fn carry_out(
        &mut self,
        decision: Decision,
        opened: Option<&Opened>,
        report: &mut CopyReport,
    ) -> Result<()> {
        Partial::sweep(self.place.folder, self.place.name)?;
        match (decision, opened) {
            (Decision::Unchanged, _) => {
                self.input.demand_only_grown()?;
                report.definition_copied = self.copy_definition()?;
            }
            (Decision::Create { rows }, _) => {
                let mut partial = self.copy_whole(rows)?;
                report.definition_copied = self.copy_definition()?;
                if !partial.publish_new(self.place.name)? {
                    // Another copy was quicker: see what it left to do.
                    return Err(changed().at(&self.place.path()));
                }
                self.place.folder.sync()?;
            }
            (Decision::Append { torn, from: 0, rows }, Some(opened)) => {
                // No row is there that the definition could be wrong of.
                report.definition_copied = self.copy_definition()?;
                self.extend(opened, torn, 0, 0..rows)?;
            }
            (Decision::Append { torn, from, rows }, Some(opened)) => {
                self.extend(opened, torn, from, from..from + rows)?;
                report.definition_copied = self.copy_definition()?;
            }
            (Decision::Patch { torn, row, rows }, Some(opened)) => {
                self.extend(opened, torn, row + 1, row..row + 1 + rows)?;
                report.definition_copied = self.copy_definition()?;
            }
            (Decision::NewGeneration { rows, .. }, Some(opened)) => {
                let partial = self.copy_whole(rows)?;
                self.place.folder.adopt(&partial.file, partial.name(), &opened.stat)?;
                self.exchange(partial, opened, report)?;
            }
            (decision, _) => {
                return Err(Error::new(
                    Status::Internal,
                    format!("{decision:?} cannot be carried out here"),
                ));
            }
        }
        Ok(())
    }

    /// Copies all rows to a file that is not the copy yet.
    fn copy_whole(&mut self, rows: u64) -> Result<Partial<'a>> {
        let partial = Partial::create(self.place.folder, self.place.name)?;
        let path = partial.path();
        self.transfer(0..rows, &partial.file, &path, BLOCK, false)?;
        if self.input.demand_only_grown().is_err() || self.input.may_be_rewritten()? {
            self.mend(0..rows, &partial.file, &path)?;
        } else {
            self.demand_equal(&partial.file, &path, 0..rows)?;
        }
        partial.file.sync_all().map_err(|e| Error::io("sync", &path, e))?;
        Ok(partial)
    }

    /// Brings a copy up to date with rows that were edited while it was made:
    /// on a slow disk a feed may be edited more often than it can be read. What
    /// two readings find equal, the second begun when the first was over, was
    /// there as a whole in between.
    fn mend(&self, rows: Range<u64>, file: &File, path: &Path) -> Result<()> {
        const ROUNDS: u32 = 16;
        for _ in 0..ROUNDS {
            self.input.demand_rows(rows.end)?;
            if self.rewrite_differing(rows.clone(), file, path)? == 0 {
                return self.input.demand_rows(rows.end);
            }
        }
        Err(changed().at(self.input.path()))
    }

    /// Writes the blocks anew that differ from the source's; says how many.
    fn rewrite_differing(
        &self,
        rows: Range<u64>,
        file: &File,
        path: &Path,
    ) -> Result<u64> {
        let stride = self.input.facts().stride;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut rewritten = 0;
        for (first, count) in blocks(&rows, WINDOW / stride) {
            let (offset, bytes) = (first * stride, (count * stride) as usize);
            ours.resize(bytes, 0);
            theirs.resize(bytes, 0);
            self.input.read(first, &mut theirs)?;
            file.read_exact_at(&mut ours, offset)
                .map_err(|e| Error::io("read", path, e).at_offset(offset))?;
            if ours != theirs {
                self.input.check(first, &theirs)?;
                file.write_all_at(&theirs, offset)
                    .map_err(|e| Error::io("write", path, e).at_offset(offset))?;
                rewritten += 1;
            }
        }
        Ok(rewritten)
    }

    /// Puts a new file in the place of the copy and keeps the old one. At each
    /// moment there is a whole copy of one or the other under the copy's name,
    /// except where the table has other columns now: rows beside a definition
    /// that is not theirs would be read as other numbers. There the old rows
    /// have only their dated name until all of the new is in place.
    fn exchange(
        &mut self,
        partial: Partial,
        opened: &Opened,
        report: &mut CopyReport,
    ) -> Result<()> {
        let Place { folder, name } = *self.place;
        folder.demand_current(&opened.file, name)?;
        let stamp = stamp(SystemTime::now());
        let definition = self.prepare_definition(Some(&stamp))?;
        let outdated = self.place.outdated_definitions(self.input, self.columns)?;
        let mut kept = keep(folder, name, &stamp)?;
        if self.columns == Columns::Other {
            let definitions = || {
                folder.sync()?;
                kept.take_away(folder, name)?;
                folder.sync()?;
                self.publish_definition(definition)
            };
            match definitions() {
                Ok(copied) => report.definition_copied = copied,
                Err(error) => return Err(undone(error, kept.undo(folder, name))),
            }
            let rows = || {
                self.set_definitions_aside(&outdated, &stamp)?;
                folder.sync()?;
                partial.publish(name)
            };
            if let Err(error) = rows() {
                return Err(Error::new(
                    error.status(),
                    format!(
                        "{error}; the old copy is kept as {}",
                        Path::new(&kept.name).display()
                    ),
                ));
            }
        } else {
            let exchange = || folder.sync().and_then(|()| partial.publish(name));
            if let Err(error) = exchange() {
                return Err(undone(error, kept.undo(folder, name)));
            }
            match self.publish_definition(definition) {
                Ok(copied) => report.definition_copied = copied,
                Err(error) => {
                    return Err(undone(error, folder.replace(&kept.name, name)));
                }
            }
            self.set_definitions_aside(&outdated, &stamp)?;
        }
        report.kept = Some(folder.join(&kept.name));
        folder.sync()
    }

    /// Writes `rows` to the end of the copy, of which `whole` rows are good;
    /// if `rows` begins before that, it rewrites the last one. If anything
    /// fails, the copy is as it was, but for torn rows.
    fn extend(
        &mut self,
        opened: &Opened,
        torn: u64,
        whole: u64,
        rows: Range<u64>,
    ) -> Result<()> {
        let path = self.place.path();
        let stride = self.input.facts().stride;
        let good = whole * stride;
        let cannot = |action| {
            let path = path.clone();
            move |e| Error::io(action, &path, e)
        };
        let mut rewritten = vec![0; (good - (rows.start * stride).min(good)) as usize];
        let rewritten_at = good - rewritten.len() as u64;
        let file = &opened.file;
        file.read_exact_at(&mut rewritten, rewritten_at).map_err(cannot("read"))?;
        if torn > 0 {
            file.set_len(good)
                .and_then(|()| file.sync_data())
                .map_err(cannot("cut torn rows off"))?;
        }
        let mut extend = || {
            self.transfer(rows.clone(), file, &path, WINDOW, true)?;
            self.demand_equal(file, &path, rows.clone())
        };
        if let Err(error) = extend() {
            let undo = || {
                file.set_len(good)?;
                file.write_all_at(&rewritten, rewritten_at)?;
                file.sync_data()
            };
            return Err(undone(error, undo().map_err(cannot("undo the copying to"))));
        }
        Ok(())
    }

    /// Copies rows to the same offsets of `file`, each block checked. With
    /// `sync` each is read from a source that only grew, and on the disk before
    /// the next is written.
    fn transfer(
        &mut self,
        rows: Range<u64>,
        file: &File,
        path: &Path,
        block: u64,
        sync: bool,
    ) -> Result<()> {
        let stride = self.input.facts().stride;
        let mut buffer = Vec::new();
        for (first, count) in blocks(&rows, block / stride) {
            buffer.resize((count * stride) as usize, 0);
            self.input.read(first, &mut buffer)?;
            self.input.check(first, &buffer)?;
            if sync {
                // What is written here is the copy already.
                self.input.demand_only_grown()?;
            }
            file.write_all_at(&buffer, first * stride)
                .map_err(|e| Error::io("write", path, e).at_offset(first * stride))?;
            if sync {
                file.sync_data().map_err(|e| Error::io("sync", path, e))?;
            }
            (self.progress)(buffer.len() as u64);
        }
        Ok(())
    }

    /// Fails unless what was written as `rows` is what the source has, and the
    /// source only grew.
    fn demand_equal(&self, file: &File, path: &Path, rows: Range<u64>) -> Result<()> {
        // What is equal in two readings, one begun when the other was over,
        // was there as a whole in between. Where nothing was written, a look
        // at the last rows is enough, and meant for the row that was half
        // written when it was read.
        let first = if self.input.may_be_rewritten()? {
            rows.start
        } else {
            let last = WINDOW / self.input.facts().stride;
            rows.start.max(rows.end.saturating_sub(last))
        };
        match compare(self.input, file, path, first..rows.end)? {
            Tail::Equal => self.input.demand_only_grown(),
            _ => Err(changed().at(self.input.path())),
        }
    }

    /// Copies the table's definition if the copy's is another; says whether.
    fn copy_definition(&self) -> Result<bool> {
        let copied = self.publish_definition(self.prepare_definition(None)?)?;
        if copied {
            self.place.folder.sync()?;
        }
        let outdated = self.place.outdated_definitions(self.input, self.columns)?;
        if !outdated.is_empty() {
            self.set_definitions_aside(&outdated, &stamp(SystemTime::now()))?;
            self.place.folder.sync()?;
        }
        Ok(copied)
    }

    /// Writes the table's definition to a file of its own, if the copy's is
    /// another. With a stamp the old one is kept under a dated name, as it
    /// goes with the old rows.
    fn prepare_definition(
        &self,
        stamp_of_kept: Option<&str>,
    ) -> Result<Option<Partial<'a>>> {
        let Some(DefinitionFile { suffix, bytes }) = &self.input.definition else {
            return Ok(None);
        };
        let Place { folder, .. } = *self.place;
        let name = self.place.sibling(suffix);
        Partial::sweep(folder, &name)?;
        let held = self.place.read_definition(suffix)?;
        if held.as_ref() == Some(bytes) {
            return Ok(None);
        }
        if let (Some(held), Some(stamp)) = (held, stamp_of_kept) {
            // Written again, not renamed: without a definition the old rows
            // could pass for the table's if this is cut short.
            let mut kept = Partial::with(folder, &name, &held)?;
            let mut count = 0;
            while !kept.publish_new(&dated(&name, stamp, count))? {
                count += 1;
            }
        }
        Partial::with(folder, &name, bytes).map(Some)
    }

    /// Gives a new definition its name; says whether there was one.
    fn publish_definition(&self, prepared: Option<Partial>) -> Result<bool> {
        match (prepared, &self.input.definition) {
            (Some(partial), Some(DefinitionFile { suffix, .. })) => {
                partial.publish(&self.place.sibling(suffix)).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn set_definitions_aside(&self, names: &[OsString], stamp: &str) -> Result<()> {
        names.iter().try_for_each(|name| set_aside(self.place.folder, name, stamp))
    }
}

/// An error after which things were put back as they were, or not.
fn undone(error: Error, undo: Result<()>) -> Error {
    match undo {
        Ok(()) => error,
        Err(undo) => Error::new(
            Status::Destination,
            format!("{error}; and then it could not be undone: {undo}"),
        ),
    }
}
