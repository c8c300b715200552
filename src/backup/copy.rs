//! One feed file: looking at both sides, and carrying out what
//! [`plan::decide`] decided.
//!
//! The copy is at every moment the beginning of the source, or the old copy
//! whole. Rows are appended in blocks, each on the disk before the next is
//! written; so whatever stops a copy, only bytes of its last block can be
//! wrong, and these are compared with the source before anything is appended
//! behind them.

use super::folder::{Folder, Opened, same_file};
use super::held::{Partial, Place, dated, keep, set_aside, stamp};
use super::plan::{self, Columns, Decision, Held, Reason, Tail};
use super::source::{DefinitionFile, Input};
use crate::error::{Error, Result, Status};
use crate::feed::{Paths, Retry, changed, may_pass, read_up_to};
use crate::myisam::Layout;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How much is appended before it is made sure to be on the disk, and how much
/// of a copy's end is compared before anything is appended. The first must not
/// be more than the second.
const WINDOW: u64 = 256 << 10;

/// How much a whole copy reads at a time.
const BLOCK: u64 = 1 << 20;

/// How to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Only find out what would be done.
    pub dry_run: bool,
    /// Compare all rows of the copy with the source, not only the last 256 KiB.
    pub whole: bool,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Outcome {
    /// It held every row already.
    Unchanged = 0,
    /// It was made.
    Created = 1,
    /// Rows were appended, or torn rows at its end cut off.
    Appended = 2,
    /// The value of its last row was brought up to date, and rows appended if
    /// there were any.
    Patched = 3,
    /// It was made anew, and the old one kept under a dated name.
    NewGeneration = 4,
}

/// What one copy did, or would do in a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// What became of the copy.
    pub outcome: Outcome,
    /// Why the old copy could not be carried on.
    pub reason: Option<Reason>,
    /// Rows written.
    pub rows_copied: u64,
    /// Rows in the copy now.
    pub rows_total: u64,
    /// Bytes of rows written.
    pub bytes_copied: u64,
    /// Bytes of the copy now.
    pub bytes_total: u64,
    /// Bytes that were cut off the end of the copy: of a torn row, or zeros in
    /// the place of rows.
    pub bytes_repaired: u64,
    /// Where the old copy was kept.
    pub kept: Option<PathBuf>,
    /// Whether the table's definition was copied, too.
    pub definition_copied: bool,
    /// Whether nothing was done.
    pub dry_run: bool,
}

impl Outcome {
    /// All of them, by their numbers.
    pub const ALL: [Outcome; 5] = [
        Outcome::Unchanged,
        Outcome::Created,
        Outcome::Appended,
        Outcome::Patched,
        Outcome::NewGeneration,
    ];

    /// One word, the same in tables and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Unchanged => "unchanged",
            Outcome::Created => "created",
            Outcome::Appended => "appended",
            Outcome::Patched => "patched",
            Outcome::NewGeneration => "new-generation",
        }
    }
}

impl CopyReport {
    /// What is worth saying besides the outcome and the figures.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.bytes_repaired > 0 {
            let was = if self.dry_run { "to be" } else { "were" };
            notes.push(format!(
                "{} bytes of torn rows {was} cut off",
                self.bytes_repaired
            ));
        }
        if let Some(reason) = &self.reason {
            notes.push(reason.to_string());
        }
        if let Some(name) = self.kept.as_deref().and_then(Path::file_name).map(Path::new)
        {
            notes.push(format!("the old copy is kept as {}", name.display()));
        }
        if self.definition_copied && self.outcome == Outcome::Unchanged {
            notes.push("its definition was copied".into());
        }
        notes
    }
}

impl fmt::Display for CopyReport {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry_run && self.outcome != Outcome::Unchanged {
            f.write_str("would be ")?;
        }
        let (rows, bytes) = (self.rows_copied, self.bytes_copied);
        let s = if rows == 1 { "" } else { "s" };
        match self.outcome {
            Outcome::Unchanged => write!(f, "unchanged, {} rows", self.rows_total)?,
            Outcome::Created => write!(f, "created with {rows} row{s}, {bytes} bytes")?,
            Outcome::Appended if rows == 0 => f.write_str("repaired")?,
            Outcome::Appended => write!(f, "extended by {rows} row{s}, {bytes} bytes")?,
            Outcome::Patched => {
                f.write_str("brought up to date in its last row")?;
                if rows > 1 {
                    write!(f, " and extended by {} more", rows - 1)?;
                }
            }
            Outcome::NewGeneration => {
                write!(f, "made anew with {rows} row{s}, {bytes} bytes")?
            }
        }
        for note in self.notes() {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}

/// Brings the copy of one feed up to date. `source` is the file of its rows
/// (`…/feed_7.MYD`); `destination` a file to be or an existing directory.
/// Only whole committed rows are copied. `progress` is told the bytes of each
/// block written.
pub fn copy(
    source: &Path,
    destination: &Path,
    options: &CopyOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport> {
    let paths = Paths::new(source)?;
    let (directory, name) = if destination.is_dir() {
        (Some(destination), source.file_name())
    } else {
        (destination.parent(), destination.file_name())
    };
    let name =
        name.filter(|&name| Path::new(name).extension() == Some(OsStr::new("MYD")));
    let name = name.ok_or_else(|| {
        Error::new(
            Status::Argument,
            "a copy goes to an existing directory or to a file whose name ends in .MYD",
        )
        .at(destination)
    })?;
    let directory = directory.unwrap_or(Path::new(""));
    let folder = Folder::open(directory)?;
    if folder.is_none() && !options.dry_run {
        return Err(no_directory(directory));
    }
    copy_as(&paths, folder.as_ref(), name, options, progress)
}

/// The same to the file `name` in a directory, which may not exist in a dry
/// run.
pub(super) fn copy_as(
    paths: &Paths,
    folder: Option<&Folder>,
    name: &OsStr,
    options: &CopyOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport> {
    let mut retry = Retry::new();
    loop {
        match attempt(paths, folder, name, options, progress) {
            Err(e) if may_pass(&e, paths, retry.attempts()) && retry.wait() => {}
            other => return other,
        }
    }
}

fn attempt(
    paths: &Paths,
    folder: Option<&Folder>,
    name: &OsStr,
    options: &CopyOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport> {
    let input = Input::open(paths)?;
    let Some(folder) = folder else {
        let decision = plan::decide(input.facts(), &plan::Destination::default());
        return Ok(report(&decision, &input, true));
    };
    let place = Place { folder, name };
    let (facts, opened) = look(&input, &place, options)?;
    let decision = plan::decide(input.facts(), &facts);
    if let Decision::Refuse { because } = decision {
        return Err(
            Error::new(Status::Destination, because.to_string()).at(&place.path())
        );
    }
    let mut report = report(&decision, &input, options.dry_run);
    if !options.dry_run {
        let columns = match &facts.copy {
            Some(copy) => copy.columns,
            // A definition can be there alone.
            None => place.columns(&input)?,
        };
        let mut job = Job { input: &input, place: &place, columns, progress };
        job.carry_out(decision, opened.as_ref(), &mut report)?;
    }
    Ok(report)
}

/// The error for a directory that is not there.
pub(super) fn no_directory(path: &Path) -> Error {
    Error::new(Status::NotFound, "there is no such directory").at(path)
}

/// What the destination holds. A copy that may be written is locked.
fn look(
    input: &Input,
    place: &Place,
    options: &CopyOptions,
) -> Result<(plan::Destination, Option<Opened>)> {
    let in_database = place.in_database()?;
    let write = !options.dry_run && !in_database;
    let mut opened = place.folder.open_file(place.name, write)?;
    let copy = match &mut opened {
        None => None,
        Some(opened) if same_file(&opened.stat, &input.stat()?) => Some(Held {
            len: 0,
            is_source: true,
            has_other_names: false,
            columns: Columns::Same,
            tail: Tail::Equal,
        }),
        Some(opened) => {
            let mut has_other_names = false;
            if write {
                place.folder.lock(&opened.file, place.name)?;
                place.folder.demand_current(&opened.file, place.name)?;
                has_other_names = place.has_other_names(opened)?;
            }
            let len = opened.file.metadata();
            let len = len.map_err(|e| Error::io("inspect", &place.path(), e))?.len();
            Some(Held {
                len,
                is_source: false,
                has_other_names,
                columns: place.columns(input)?,
                tail: compare_tail(input, place, &opened.file, len, options)?,
            })
        }
    };
    Ok((plan::Destination { in_database, copy }, opened))
}

/// Compares the last whole rows of a copy with the source's.
fn compare_tail(
    input: &Input,
    place: &Place,
    copy: &File,
    len: u64,
    options: &CopyOptions,
) -> Result<Tail> {
    let plan::Source { stride, rows } = input.facts();
    let held = len / stride;
    if held > rows {
        // That alone decides.
        return Ok(Tail::Equal);
    }
    let first = if options.whole { 0 } else { held.saturating_sub(WINDOW / stride) };
    let path = place.path();
    let examine = |first| match compare(input, copy, &path, first..held)? {
        Tail::Differs { offset } if is_zeros(input, copy, &path, offset..len)? => {
            Ok(Tail::Zeros { offset })
        }
        tail => Ok(tail),
    };
    let mut tail = examine(first)?;
    let mut first = first;
    if matches!(tail, Tail::Zeros { .. }) && first > 0 {
        // They may begin before.
        first = 0;
        tail = examine(first)?;
    }
    // A row that is written at this moment can be read half old, half new.
    if tail != Tail::Equal && examine(first)? != tail {
        return Err(changed().at(input.path()));
    }
    Ok(tail)
}

/// Whether of these bytes of the copy, which begin with a row unlike the
/// source's, all are zero from where they differ on. Not if that row may have
/// been edited in the source: if there is a time in it, and the source's.
fn is_zeros(input: &Input, copy: &File, path: &Path, bytes: Range<u64>) -> Result<bool> {
    let plan::Source { stride, .. } = input.facts();
    let row = bytes.start / stride;
    let (mut ours, mut theirs) = (vec![0; stride as usize], vec![0; stride as usize]);
    input.read(row, &mut theirs)?;
    let cannot = |e| Error::io("read", path, e);
    if read_up_to(copy, &mut ours, bytes.start).map_err(cannot)? < ours.len() {
        return Err(changed().at(path));
    }
    let is_last = bytes.end - bytes.start < 2 * stride;
    if is_last && same_time(input.layout(), &ours, &theirs) {
        return Ok(false);
    }
    let same = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs);
    let mut at = bytes.start + same.count() as u64;
    let mut buffer = vec![0; WINDOW as usize];
    while at < bytes.end {
        let want = (bytes.end - at).min(WINDOW) as usize;
        let have = read_up_to(copy, &mut buffer[..want], at).map_err(cannot)?;
        if have < want {
            return Err(changed().at(path));
        }
        if buffer[..have].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        at += have as u64;
    }
    Ok(true)
}

/// Compares `rows` of the copy, up to its last, with the source's.
fn compare(input: &Input, copy: &File, path: &Path, rows: Range<u64>) -> Result<Tail> {
    let stride = input.facts().stride;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (first, count) in blocks(&rows, WINDOW / stride) {
        let bytes = (count * stride) as usize;
        ours.resize(bytes, 0);
        theirs.resize(bytes, 0);
        input.read(first, &mut theirs)?;
        let have = read_up_to(copy, &mut ours, first * stride)
            .map_err(|e| Error::io("read", path, e).at_offset(first * stride))?;
        if have < bytes {
            return Err(changed().at(path));
        }
        if ours == theirs {
            continue;
        }
        let stride_bytes = stride as usize;
        let pairs =
            ours.chunks_exact(stride_bytes).zip(theirs.chunks_exact(stride_bytes));
        for (row, (ours, theirs)) in (first..).zip(pairs) {
            if ours == theirs {
                continue;
            }
            let is_last = row + 1 == rows.end;
            if is_last && differ_in_value_only(input.layout(), ours, theirs) {
                return Ok(Tail::LastValue);
            }
            return Ok(Tail::Differs { offset: row * stride });
        }
    }
    Ok(Tail::Equal)
}

/// Whether two rows are of the same time, and of the same `data2` if they have
/// one.
fn differ_in_value_only(layout: &Layout, a: &[u8], b: &[u8]) -> bool {
    same_time(layout, a, b)
        && (!layout.is_histogram()
            || layout.data2(a).to_bits() == layout.data2(b).to_bits())
}

/// Whether both are rows, and of the same time.
fn same_time(layout: &Layout, a: &[u8], b: &[u8]) -> bool {
    let is_row = |row: &[u8]| layout.flag_is_valid(row[0]);
    match (layout.row(a), layout.row(b)) {
        (Some(row), Some(other)) => is_row(a) && is_row(b) && row.time == other.time,
        _ => false,
    }
}

/// Cuts `rows` into blocks: the first row of each, and how many there are.
fn blocks(rows: &Range<u64>, per_block: u64) -> impl Iterator<Item = (u64, u64)> + use<> {
    let end = rows.end;
    let per_block = per_block.max(1);
    (rows.start..end)
        .step_by(usize::try_from(per_block).unwrap_or(usize::MAX))
        .map(move |first| (first, per_block.min(end - first)))
}

/// The report of a decision, as if it had been carried out.
fn report(decision: &Decision, input: &Input, dry_run: bool) -> CopyReport {
    let plan::Source { stride, rows: total } = input.facts();
    let (outcome, reason, rows_copied, torn) = match *decision {
        Decision::Unchanged | Decision::Refuse { .. } => (Outcome::Unchanged, None, 0, 0),
        Decision::Create { rows } => (Outcome::Created, None, rows, 0),
        Decision::Append { torn, rows, .. } => (Outcome::Appended, None, rows, torn),
        Decision::Patch { torn, rows, .. } => (Outcome::Patched, None, rows + 1, torn),
        Decision::NewGeneration { reason, rows } => {
            (Outcome::NewGeneration, Some(reason), rows, 0)
        }
    };
    CopyReport {
        outcome,
        reason,
        rows_copied,
        rows_total: total,
        bytes_copied: rows_copied * stride,
        bytes_total: total * stride,
        bytes_repaired: torn,
        kept: None,
        definition_copied: false,
        dry_run,
    }
}

/// A decision being carried out.
struct Job<'a> {
    input: &'a Input,
    place: &'a Place<'a>,
    /// What the definition beside the copy was found to say.
    columns: Columns,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Job<'a> {
    fn carry_out(
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
        let outdated = self.outdated_definitions()?;
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
        // was there as a whole in between. Where a header tells of writes, a
        // look at the last rows is enough, and meant for the row that was
        // half written when it was read.
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
        let outdated = self.outdated_definitions()?;
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

    /// The definitions beside the copy that would be taken for this table's,
    /// and are not: those of another name (the table's `.frm` before an upgrade
    /// to MySQL 8, an `.sdi` of another number); all, if the table has none any
    /// more and its rows are no longer what they say.
    fn outdated_definitions(&self) -> Result<Vec<OsString>> {
        let place = self.place;
        let outdated = match (&self.input.definition, self.columns) {
            (Some(file), _) => {
                let mut held = place.definition_suffixes()?;
                held.retain(|suffix| *suffix != file.suffix);
                held
            }
            (None, Columns::Same) => Vec::new(),
            (None, Columns::Other) => {
                let mut held = place.sdi_suffixes()?;
                // Last: as long as it is there, readers do not look at others.
                let frm = OsString::from(".frm");
                if place.folder.stat(&place.sibling(&frm))?.is_some() {
                    held.push(frm);
                }
                held
            }
        };
        Ok(outdated.iter().map(|suffix| place.sibling(suffix)).collect())
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
