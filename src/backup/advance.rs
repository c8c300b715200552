//! One look at one feed of a run: what its copy lacks, by what the catalog says
//! it holds, and writing that.
//!
//! New rows are written behind those the catalog vouches for, where they do not
//! count yet; rows that are to be overwritten are only gathered, since the
//! catalog must know first what they were. So nothing here changes what the
//! copy is: the run does that, for many feeds at a time.

mod anew;
mod definition;
mod differences;
mod writing;

use self::differences::Found;
use self::writing::Written;
use super::catalog::{Commit, Ending, Entry, Kind, Token};
use super::folder::Folder;
use super::generation::Exchange;
use super::glance::{Glance, Hashes, changed as changed_at};
use super::hash::{BLOCK, Hash, blocks_in, hash, rows_of, tail_of};
use super::held::Place;
use super::naming::Naming;
use super::options::{FeedName, RunOptions};
use super::plan::{Columns, Reason};
use super::report::{CopyReport, Outcome};
use super::source::{DefinitionFile, Input};
use crate::error::{Error, Result, Status};
use crate::feed::{changed, read_up_to};
use rustix::fs::Stat;
use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Rows of a copy are committed at the latest after so many bytes.
const COMMIT: u64 = 64 << 20;

/// If the header tells of writes that were no appends, a feed of so many bytes
/// is compared as a whole at once. Those are the daily feeds.
const SMALL: u64 = 4 << 20;

/// The identity of the source of a copy that was there before its catalog.
const UNKNOWN: (u64, u64) = (0, 0);

/// What holds for all feeds of a run.
pub(super) struct Context<'a, 'p> {
    pub source: &'p Path,
    /// The destination; `None` in a dry run where there is none.
    pub folder: Option<&'a Folder>,
    pub hashes: &'p Hashes<'p>,
    pub options: &'p RunOptions,
    pub glance: Glance<'p>,
    /// Told the bytes of each block written; answers whether to go on.
    pub progress: &'p mut dyn FnMut(u64) -> bool,
    /// Whether to leave a feed of which much is to be written.
    pub small_only: bool,
    /// Room for rows, the same for one feed after the other.
    pub buffer: &'p mut Vec<u8>,
}

/// What is left to do for a feed after it was looked at.
pub(super) struct Advance<'a> {
    pub advanced: Advanced,
    pub exchange: Option<Exchange<'a>>,
}

/// The same, if its copy is to stay the file that it is.
pub(super) struct Advanced {
    pub report: CopyReport,
    pub commit: Option<Commit>,
    pub edit: Option<Edit>,
    /// What gets its name when it is on the disk.
    pub names: Vec<Naming>,
    /// Whether the feed has more rows to copy: look again after the commit.
    pub more: bool,
}

/// Rows to overwrite.
pub(super) struct Edit {
    pub ending: Ending,
    pub reason: String,
    /// What is there now, of rows that count.
    pub cells: Vec<(u64, Vec<u8>)>,
    /// What is to be there, by offset.
    pub writes: Vec<(u64, Vec<u8>)>,
}

impl Edit {
    pub(super) fn bytes(&self) -> u64 {
        let size =
            |of: &[(u64, Vec<u8>)]| of.iter().map(|(_, b)| b.len() as u64).sum::<u64>();
        size(&self.cells) + size(&self.writes)
    }
}

/// What a copy holds that is to be carried on.
struct Held {
    stride: u64,
    rows: u64,
    hashes: Vec<Hash>,
    file: File,
    len: u64,
    /// Whether the catalog knows nothing of it.
    adopted: bool,
}

/// One feed being looked at.
struct Look<'a, 'p, 'b> {
    context: &'b mut Context<'a, 'p>,
    input: &'b Input,
    name: &'b OsStr,
    entry: Option<&'b Entry>,
    stride: u64,
    rows: u64,
    token: Option<Token>,
    definition: Option<Hash>,
    identity: (u64, u64),
    changed: i64,
}

/// Looks at a feed. `None` if it was left for there is much to write. Fails with
/// [`Status::Changed`] if the source moved.
pub(super) fn advance<'a>(
    context: &mut Context<'a, '_>,
    feed: &FeedName,
    entry: Option<&Entry>,
) -> Result<Option<Advance<'a>>> {
    let input = Input::open(&context.source.join(feed.file()))?;
    let stat = input.stat()?;
    let facts = input.facts();
    let definition = input.definition.as_ref();
    let mut look = Look {
        token: input.header().map(Token::of),
        definition: definition.map(|DefinitionFile { bytes, .. }| hash(bytes)),
        identity: (stat.st_dev, stat.st_ino),
        changed: changed_at(&stat),
        input: &input,
        name: OsStr::new(feed.file()),
        entry,
        stride: facts.stride,
        rows: facts.rows,
        context,
    };
    let Some(folder) = look.context.folder else {
        let report = look.report(Outcome::Created, 0..facts.rows);
        return Ok(Some(Advance::only(report)));
    };
    let there = folder.demand_own(look.name)?;
    if look.context.small_only && !look.is_small(there.as_ref()) {
        return Ok(None);
    }
    look.carry_on(folder, there)
}

impl Advance<'_> {
    fn only(report: CopyReport) -> Self {
        let names = Vec::new();
        let advanced = Advanced { report, commit: None, edit: None, names, more: false };
        Advance { advanced, exchange: None }
    }
}

impl<'a> Look<'a, '_, '_> {
    /// Whether little is to be written, as far as can be seen at once. All that a
    /// copy holds which the catalog does not know is read.
    fn is_small(&self, there: Option<&Stat>) -> bool {
        let held = match (self.entry, there) {
            (Some(entry), Some(there)) if there.st_size.unsigned_abs() >= entry.len() => {
                entry.rows
            }
            (_, Some(_)) => return false,
            (_, None) => 0,
        };
        self.rows.saturating_sub(held) * self.stride <= SMALL
    }

    fn read(&self, rows: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; ((rows.end - rows.start) * self.stride) as usize];
        self.input.read(rows.start, &mut bytes)?;
        Ok(bytes)
    }

    fn report(&self, outcome: Outcome, copied: Range<u64>) -> CopyReport {
        let rows = copied.end - copied.start;
        CopyReport {
            outcome,
            rows_copied: rows,
            rows_total: self.rows,
            bytes_copied: rows * self.stride,
            bytes_total: self.rows * self.stride,
            dry_run: self.context.options.dry_run,
            ..CopyReport::default()
        }
    }

    /// How many rows are written, at the most, before they are committed.
    fn rows_of_a_commit(&self) -> u64 {
        (COMMIT / self.stride).max(BLOCK)
    }

    fn is_dry(&self) -> bool {
        self.context.options.dry_run
    }

    fn carry_on(
        &mut self,
        folder: &'a Folder,
        there: Option<Stat>,
    ) -> Result<Option<Advance<'a>>> {
        let place = Place { folder, name: self.name };
        let Some(held) = self.held(&place, there)? else {
            return self.create(&place).map(Some);
        };
        let columns = match self.entry {
            Some(entry)
                if entry.stride == self.stride
                    && self.definition == entry.definition
                    && !self.is_definition_gone()? =>
            {
                Columns::Same
            }
            _ => place.columns(self.input)?,
        };
        if held.adopted && self.entry.is_some() && !self.is_dry() {
            // Less is there than the catalog says: that first.
            return self.enter(&place, &held).map(Some);
        }
        let columns = if held.stride == self.stride { columns } else { Columns::Other };
        if columns == Columns::Other && held.rows > 0 {
            return self.replace(&place, &held, columns, Reason::Columns);
        }
        if held.rows > self.rows {
            let reason = match self.rows {
                0 => Reason::Emptied { copy: held.rows },
                source => Reason::Shrank { copy: held.rows, source },
            };
            return self.replace(&place, &held, columns, reason);
        }
        let mut found = self.compare(&place, &held)?;
        let mut edit = match self.edit_of(&place, &held, &found)? {
            Ok(edit) => edit,
            Err(reason) => return self.replace(&place, &held, columns, reason),
        };
        if edit.is_some() && self.must_enter(&held) {
            return self.enter(&place, &held).map(Some);
        }
        let from = held.rows;
        let to = self.rows.min(from + self.rows_of_a_commit());
        let mut written = Written::default();
        if self.is_dry() {
            written.to = self.rows;
            if self.token.is_some_and(|token| token.checksum.is_some()) {
                self.sum_up(from, &mut written)?;
            }
        } else {
            if held.len != from * self.stride {
                cut_off(&held, &place)?;
            }
            let end = held.hashes.last().copied();
            let end = end.filter(|_| self.meets_end_later(&held));
            written = self.append(&place, &held, from..to, end)?;
        }
        match self.reconsider(&place, &held, &mut found, &mut written, from..to)? {
            Some(Ok(other)) => edit = other,
            Some(Err(reason)) => return self.replace(&place, &held, columns, reason),
            None => {}
        }
        if !self.is_dry() && (edit.is_some() || from != to || held.adopted) {
            self.demand_settled(&held, &found, &mut written, from)?;
        }
        let cut = held.len - from * self.stride;
        self.conclude(&place, held, edit, found, written, cut).map(Some)
    }

    /// What the copy holds that can be carried on; `None` if there is none.
    fn held(&self, place: &Place, there: Option<Stat>) -> Result<Option<Held>> {
        if there.is_none() {
            return Ok(None);
        }
        let opened = place.folder.open_regular(place.name, !self.is_dry())?;
        let Some(opened) = opened else { return Ok(None) };
        let len = opened.stat.st_size.unsigned_abs();
        if (opened.stat.st_dev, opened.stat.st_ino) == self.identity {
            return Err(Error::new(
                Status::Destination,
                super::plan::Refusal::SameFile.to_string(),
            )
            .at(&place.path()));
        }
        if let Some(entry) = self.entry.filter(|entry| len >= entry.len()) {
            return Ok(Some(Held {
                stride: entry.stride,
                rows: entry.rows,
                hashes: (self.context.hashes)(entry)?,
                file: opened.file,
                len,
                adopted: false,
            }));
        }
        self.adopt(place, opened.file, len).map(Some)
    }

    /// Takes a copy that the catalog does not know as what it is: whole rows,
    /// without the zeros that a power cut leaves at the end.
    fn adopt(&self, place: &Place, file: File, len: u64) -> Result<Held> {
        let stride = place.stride()?.unwrap_or(self.stride);
        let mut rows = len / stride;
        let mut hashes = Vec::new();
        let mut buffer = Vec::new();
        // Rows of a block that are not zeros to its end, and zeros behind.
        let mut good = 0;
        for block in 0..blocks_in(rows) {
            let of = rows_of(block, rows);
            read_copy(place, &file, stride, &of, &mut buffer)?;
            hashes.push(hash(&buffer));
            let written =
                buffer.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
            if written > 0 {
                good = of.start + (written as u64).div_ceil(stride);
            }
        }
        if good < rows {
            rows = good;
            hashes.truncate(blocks_in(rows) as usize);
            if let (Some(last), Some(block)) =
                (hashes.last_mut(), blocks_in(rows).checked_sub(1))
            {
                read_copy(place, &file, stride, &rows_of(block, rows), &mut buffer)?;
                *last = hash(&buffer);
            }
        }
        Ok(Held { stride, rows, hashes, file, len, adopted: true })
    }

    /// Whether the catalog has to know first what the copy holds, before any of
    /// that is given up.
    fn must_enter(&self, held: &Held) -> bool {
        held.adopted && !self.is_dry()
    }

    /// Enters a copy that was there into the catalog, as it is.
    fn enter(&self, place: &Place, held: &Held) -> Result<Advance<'a>> {
        let mut report = self.report(Outcome::Unchanged, 0..0);
        report.adopted = true;
        let mut tail = Vec::new();
        read_copy(place, &held.file, held.stride, &tail_of(held.rows), &mut tail)?;
        let commit = Commit {
            name: self.name.to_string_lossy().into_owned(),
            kind: self.kind(),
            stride: held.stride,
            rows: held.rows,
            tail: hash(&tail),
            definition: place.definition()?.map(|file| hash(&file.bytes)),
            last_time: None,
            token: None,
            identity: UNKNOWN,
            changed: 0,
            hashes: (0..).zip(held.hashes.iter().copied()).collect(),
            replaces: false,
            loses: self.entry.is_some(),
            ends_generation: false,
            complete: false,
        };
        let (commit, names) = (Some(commit), Vec::new());
        let advanced = Advanced { report, commit, edit: None, names, more: true };
        Ok(Advance { advanced, exchange: None })
    }

    fn conclude(
        &self,
        place: &Place<'a, '_>,
        held: Held,
        edit: Option<Edit>,
        found: Found,
        mut written: Written,
        cut: u64,
    ) -> Result<Advance<'a>> {
        let from = held.rows;
        let to = if self.is_dry() { self.rows } else { written.to };
        let outcome = match &edit {
            Some(_) => Outcome::Patched,
            None if to > from || cut > 0 => Outcome::Appended,
            None => Outcome::Unchanged,
        };
        let mut report = self.report(outcome, from..to);
        report.rows_total = to;
        report.bytes_total = to * self.stride;
        report.adopted = held.adopted;
        report.bytes_repaired = cut;
        if let Some(edit) = &edit {
            let bytes: u64 = edit.writes.iter().map(|(_, rows)| rows.len() as u64).sum();
            report.bytes_overwritten = bytes;
            report.edit = Some(edit.reason.clone());
        }
        if self.is_dry() {
            return Ok(Advance::only(report));
        }
        // Blocks that are to be overwritten have other hashes then: of what will
        // be in the copy, which must be what the source has.
        let mut after = Vec::new();
        for block in found.differing.iter().chain(&found.rotten) {
            let rows = rows_of(*block, to);
            read_copy(place, &held.file, self.stride, &rows, &mut after)?;
            let begin = rows.start * self.stride;
            let within =
                |offset: &u64| (begin..begin + after.len() as u64).contains(offset);
            let writes = edit.iter().flat_map(|edit| &edit.writes);
            let writes: Vec<_> = writes.filter(|(offset, _)| within(offset)).collect();
            for (offset, bytes) in writes {
                let at = (offset - begin) as usize;
                after[at..at + bytes.len()].copy_from_slice(bytes);
            }
            let hashed = (*block, hash(&after));
            if self.read(rows)? != after {
                return Err(changed().at(self.input.path()));
            }
            match written.hashes.binary_search_by_key(block, |(block, _)| *block) {
                Ok(at) => written.hashes[at] = hashed,
                Err(at) => written.hashes.insert(at, hashed),
            }
        }
        if held.adopted {
            let known = (0..).zip(held.hashes.iter().copied());
            for (block, hashed) in known {
                if let Err(at) = written.hashes.binary_search_by_key(&block, |(b, _)| *b)
                {
                    written.hashes.insert(at, (block, hashed));
                }
            }
        }
        if edit.is_some() {
            self.input.demand_only_grown()?;
        }
        let is_known = self.entry.is_some_and(|entry| {
            entry.token == self.token
                && entry.rows == to
                && entry.identity == self.identity
                && entry.changed == self.changed
                && self.definition == entry.definition
        });
        let whole = self.commit(&written, false)?;
        let names = self.new_definition(place, &mut report)?;
        let commit = match outcome {
            Outcome::Unchanged if is_known && !held.adopted && names.is_empty() => None,
            _ => Some(whole),
        };
        let more = to < self.rows && !written.stopped;
        Ok(Advance {
            advanced: Advanced { report, commit, edit, names, more },
            exchange: None,
        })
    }

    /// What the catalog is to say once what was written is on the disk.
    fn commit(&self, written: &Written, replaces: bool) -> Result<Commit> {
        let anew = replaces || written.anew;
        let tail = tail_of(written.to);
        let rows = self.read(tail.clone())?;
        let complete = written.to == self.rows;
        let token = self.token.filter(|_| !written.mended).map(|token| Token {
            checksum: match self.entry.filter(|_| !anew).map(|entry| entry.token) {
                _ if complete => token.checksum,
                // The sum of the rows so far, from which the rest is proved.
                None => token.checksum.map(|_| written.sum),
                Some(before) => before
                    .and_then(|before| before.checksum)
                    .map(|before| before.wrapping_add(written.sum)),
            },
            ..token
        });
        Ok(Commit {
            name: self.name.to_string_lossy().into_owned(),
            kind: self.kind(),
            stride: self.stride,
            rows: written.to,
            tail: hash(&rows),
            definition: self.definition,
            last_time: self.input.last_time(tail.start, &rows),
            token,
            identity: self.identity,
            changed: self.changed,
            hashes: written.hashes.clone(),
            replaces,
            loses: false,
            ends_generation: replaces,
            complete,
        })
    }

    fn kind(&self) -> Kind {
        match self.input.layout() {
            None => Kind::PhpFina,
            Some(_) if self.token.is_some() => Kind::Mysql,
            Some(_) => Kind::PhpTimeSeries,
        }
    }
}

/// The error for a run that was told to stop within a feed that cannot be left
/// half done.
pub(super) fn stopped() -> Error {
    Error::new(Status::Changed, "stopped before this feed was copied")
}

/// Leaves a copy only what is known to be good of it.
fn cut_off(held: &Held, place: &Place) -> Result<()> {
    held.file
        .set_len(held.rows * held.stride)
        .map_err(|e| Error::io("cut off the end of", &place.path(), e))
}

fn read_copy(
    place: &Place,
    file: &File,
    stride: u64,
    rows: &Range<u64>,
    into: &mut Vec<u8>,
) -> Result<()> {
    into.resize(((rows.end - rows.start) * stride) as usize, 0);
    let offset = rows.start * stride;
    let have = read_up_to(file, into, offset)
        .map_err(|e| Error::io("read", &place.path(), e).at_offset(offset))?;
    if have < into.len() {
        return Err(changed().at(&place.path()));
    }
    Ok(())
}
