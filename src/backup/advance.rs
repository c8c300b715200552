//! One look at one feed of a run: what its copy lacks, by what the catalog says
//! it holds, and writing that.
//!
//! New rows are written behind those the catalog vouches for, where they do not
//! count yet; rows that are to be overwritten are only gathered, since the
//! catalog must know first what they were. So nothing here changes what the
//! copy is: the run does that, for many feeds at a time.

use super::catalog::{CELL, Commit, Ending, Entry, Kind, Token};
use super::compare::differ_in_value_only;
use super::folder::Folder;
use super::generation::Exchange;
use super::glance::{Glance, Hashes, changed as changed_at};
use super::hash::{BLOCK, Hash, blocks_in, hash, rows_of, tail_of};
use super::held::{Partial, Place};
use super::naming::Naming;
use super::options::{FeedName, Recheck, RunOptions};
use super::plan::{Columns, Reason};
use super::report::{CopyReport, Outcome};
use super::source::{DefinitionFile, Input};
use crate::error::{Error, Result, Status};
use crate::feed::{changed, read_up_to};
use rustix::fs::Stat;
use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Blocks read and written at a time: about half a megabyte.
const STRETCH: u64 = 8;

/// Rows of a copy are committed at the latest after so many bytes.
const COMMIT: u64 = 64 << 20;

/// So many bytes may be overwritten in place; more make a new file.
const EDIT: u64 = 4 << 20;

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

/// What was found in rows that are held.
#[derive(Default)]
struct Found {
    /// Blocks of which the source has other rows than the catalog says.
    differing: Vec<u64>,
    /// Blocks of which the copy has other rows than the catalog says.
    rotten: Vec<u64>,
    /// Whether all blocks were compared.
    all: bool,
}

/// The last row of a copy, of which only the value is another now.
struct LastValue {
    before: Vec<u8>,
    after: Vec<u8>,
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

    /// Whether the copy's definition, which the catalog knows of, is not there.
    fn is_definition_gone(&self) -> Result<bool> {
        let (Some(folder), Some(file)) = (self.context.folder, &self.input.definition)
        else {
            return Ok(false);
        };
        let name = Place { folder, name: self.name }.sibling(&file.suffix);
        let Some(there) = folder.stat(&name)? else { return Ok(true) };
        folder.demand_regular(&name, &there)?;
        Ok(false)
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
        let to = self.rows.min(from + (COMMIT / self.stride).max(BLOCK));
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

    /// Compares what is held with the source: its end in any case, and more if
    /// there is reason to.
    fn compare(&self, place: &Place, held: &Held) -> Result<Found> {
        let blocks = blocks_in(held.rows);
        let entry = self.entry.filter(|_| !held.adopted);
        let (Some(last), Some(entry)) = (blocks.checked_sub(1), entry) else {
            return self.compare_all(held);
        };
        let rotten = self.damaged(place, held, entry)?;
        if self.calls_for_all(entry) {
            return Ok(Found { rotten, ..self.compare_all(held)? });
        }
        // What is written behind the last block is read together with it.
        let later = self.meets_end_later(held);
        // The end may reach over the border of two blocks.
        let first = tail_of(held.rows).start / BLOCK;
        let due = |block: &u64| match *block == last {
            true => !later || self.context.glance.is_due(entry, *block),
            false => *block >= first || self.context.glance.is_due(entry, *block),
        };
        let differing = self.differing(held, &mut (0..blocks).filter(due))?;
        let only_last = differing == [last] && self.last_value(place, held)?.is_some();
        if !differing.is_empty() && !only_last {
            // Where one old row was edited, others were.
            return Ok(Found { rotten, ..self.compare_all(held)? });
        }
        let all = blocks == 1 && !later && !only_last;
        Ok(Found { differing, rotten, all })
    }

    /// The blocks of the copy that are not what they were: of those that are due,
    /// and of all if there is a sign. The end of the copy is what a power cut
    /// spoils: it is looked at before anything is written behind it.
    fn damaged(&self, place: &Place, held: &Held, entry: &Entry) -> Result<Vec<u64>> {
        let glance = &self.context.glance;
        let mut all = glance.recheck == Recheck::All || glance.is_suspicious(entry);
        if !all && (self.rows > held.rows || self.token != entry.token) {
            let mut end = Vec::new();
            read_copy(place, &held.file, self.stride, &tail_of(held.rows), &mut end)?;
            all = hash(&end) != entry.tail;
        }
        let due = |block: &u64| all || glance.is_copy_due(entry, *block);
        self.rotten(place, held, &mut (0..blocks_in(held.rows)).filter(due))
    }

    /// What has to be overwritten, or why the copy is made anew, if that is
    /// another thing by what was read of the rows to be appended: that those in
    /// front of them are others, or that the live checksum does not prove the rest.
    #[allow(clippy::type_complexity)] // That of `edit_of`, if there is one.
    fn reconsider(
        &mut self,
        place: &Place,
        held: &Held,
        found: &mut Found,
        written: &mut Written,
        rows: Range<u64>,
    ) -> Result<Option<Result<Option<Edit>, Reason>>> {
        let Some(last) = blocks_in(held.rows).checked_sub(1) else { return Ok(None) };
        let mut edit = None;
        if written.is_behind_others {
            if found.all && !found.differing.contains(&last) {
                // It changed between two readings.
                return Err(changed().at(self.input.path()));
            }
            if !found.all {
                if self.last_value(place, held)?.is_none() {
                    self.widen(held, found)?;
                } else if !found.differing.contains(&last) {
                    found.differing.push(last);
                }
                edit = Some(self.edit_of(place, held, found)?);
                if matches!(edit, Some(Err(_))) {
                    return Ok(edit);
                }
            }
            *written = self.append(place, held, rows, None)?;
        }
        if !found.all {
            let value = match found.differing.contains(&last) {
                true => self.last_value(place, held)?,
                false => None,
            };
            if !self.is_proved(written, value.as_ref()) {
                self.widen(held, found)?;
                edit = Some(self.edit_of(place, held, found)?);
            }
        }
        Ok(edit)
    }

    /// Old rows were edited: all are compared.
    fn widen(&self, held: &Held, found: &mut Found) -> Result<()> {
        let rotten = std::mem::take(&mut found.rotten);
        *found = Found { rotten, ..self.compare_all(held)? };
        Ok(())
    }

    /// Whether the last rows held share a block with rows to be appended, so that
    /// they are compared when those are read.
    fn meets_end_later(&self, held: &Held) -> bool {
        self.rows > held.rows && held.rows % BLOCK != 0 && !self.is_dry()
    }

    /// Whether everything is to be compared at once.
    fn calls_for_all(&self, entry: &Entry) -> bool {
        if self.context.options.recheck == Recheck::All || self.identity != entry.identity
        {
            return true;
        }
        let (Some(before), Some(now)) = (entry.token, self.token) else { return false };
        if before.create_time != now.create_time {
            return true;
        }
        let rows = (self.rows - entry.rows) as u32;
        let writes = now.update_count.wrapping_sub(before.update_count);
        // The server may count anew when it opens the table again, and each of
        // its open tables counts by itself.
        let hides = rows == 0 && writes == 0 && self.changed != entry.changed;
        let is_odd = writes > rows
            || now.counted_by != before.counted_by
            || now.deleted != before.deleted
            || hides;
        is_odd && now.checksum.is_none() && entry.len() <= SMALL
    }

    fn compare_all(&self, held: &Held) -> Result<Found> {
        let blocks = blocks_in(held.rows);
        let differing = self.differing(held, &mut (0..blocks))?;
        Ok(Found { differing, rotten: Vec::new(), all: true })
    }

    /// The blocks of which the source has other rows than the hashes say.
    fn differing(
        &self,
        held: &Held,
        blocks: &mut dyn Iterator<Item = u64>,
    ) -> Result<Vec<u64>> {
        let mut buffer = Vec::new();
        let mut differing = Vec::new();
        for block in blocks {
            let rows = rows_of(block, held.rows);
            buffer.resize(((rows.end - rows.start) * self.stride) as usize, 0);
            self.input.read(rows.start, &mut buffer)?;
            if hash(&buffer) != held.hashes[block as usize] {
                differing.push(block);
            }
        }
        Ok(differing)
    }

    /// The blocks of which the copy has other rows than the hashes say.
    fn rotten(
        &self,
        place: &Place,
        held: &Held,
        blocks: &mut dyn Iterator<Item = u64>,
    ) -> Result<Vec<u64>> {
        let mut buffer = Vec::new();
        let mut rotten = Vec::new();
        for block in blocks {
            let rows = rows_of(block, held.rows);
            read_copy(place, &held.file, self.stride, &rows, &mut buffer)?;
            if hash(&buffer) != held.hashes[block as usize] {
                rotten.push(block);
            }
        }
        Ok(rotten)
    }

    /// The last row as it was and as it is, if its value is all that differs in
    /// the last block.
    fn last_value(&self, place: &Place, held: &Held) -> Result<Option<LastValue>> {
        let Some(last) = blocks_in(held.rows).checked_sub(1) else { return Ok(None) };
        let rows = rows_of(last, held.rows);
        let theirs = self.read(rows.clone())?;
        let mut ours = Vec::new();
        read_copy(place, &held.file, self.stride, &rows, &mut ours)?;
        let but_last = ours.len() - self.stride as usize;
        let (before, after) = (&ours[but_last..], &theirs[but_last..]);
        let is_all = ours[..but_last] == theirs[..but_last]
            && hash(&ours) == held.hashes[last as usize]
            && differ_in_value_only(self.input.layout(), before, after);
        Ok(is_all.then(|| LastValue { before: before.to_vec(), after: after.to_vec() }))
    }

    /// What has to be overwritten in the copy, if anything; or why it is better
    /// made anew.
    fn edit_of(
        &self,
        place: &Place,
        held: &Held,
        found: &Found,
    ) -> Result<Result<Option<Edit>, Reason>> {
        let mut edit = Edit {
            ending: Ending::Edited,
            reason: String::new(),
            cells: Vec::new(),
            writes: Vec::new(),
        };
        let (mut edited, mut first, mut bytes) = (0, None, 0);
        let mut blocks: Vec<u64> =
            found.differing.iter().chain(&found.rotten).copied().collect();
        blocks.sort_unstable();
        blocks.dedup();
        let stride = self.stride as usize;
        let mut ours = Vec::new();
        let mut last_only = true;
        for block in blocks {
            let rows = rows_of(block, held.rows);
            let theirs = self.read(rows.clone())?;
            self.input.check(rows.start, &theirs)?;
            read_copy(place, &held.file, self.stride, &rows, &mut ours)?;
            if hash(&ours) != held.hashes[block as usize] {
                if hash(&theirs) != held.hashes[block as usize] {
                    // Nobody knows whose fault that is.
                    return Ok(Err(Reason::Rewritten {
                        offset: rows.start * self.stride,
                    }));
                }
                // The source still has what was copied: the copy was damaged.
                bytes += theirs.len() as u64;
                edit.writes.push((rows.start * self.stride, theirs));
                last_only = false;
                continue;
            }
            let cell_bytes = CELL as usize * stride;
            let cells = ours.chunks(cell_bytes).zip(theirs.chunks(cell_bytes));
            for (cell, (ours, theirs)) in (rows.start / CELL..).zip(cells) {
                if ours == theirs {
                    continue;
                }
                let pairs = ours.chunks_exact(stride).zip(theirs.chunks_exact(stride));
                for (row, (ours, theirs)) in (cell * CELL..).zip(pairs) {
                    if ours != theirs {
                        edited += 1;
                        first.get_or_insert(row);
                        last_only &= row + 1 == held.rows
                            && differ_in_value_only(self.input.layout(), ours, theirs);
                    }
                }
                bytes += theirs.len() as u64;
                edit.writes.push((cell * CELL * self.stride, theirs.to_vec()));
                edit.cells.push((cell, ours.to_vec()));
            }
            if bytes > EDIT {
                break;
            }
        }
        if edit.writes.is_empty() {
            return Ok(Ok(None));
        }
        let offset = first.unwrap_or(0) * self.stride;
        let was_made_anew = match (self.entry.filter(|_| !held.adopted), self.token) {
            (Some(entry), _) if entry.identity == UNKNOWN => false,
            (Some(entry), Some(now)) => {
                self.identity != entry.identity
                    || entry
                        .token
                        .is_some_and(|token| token.create_time != now.create_time)
            }
            (Some(entry), None) => self.identity != entry.identity,
            (None, _) => false,
        };
        const FEW: u64 = 8;
        let is_another = edited > 0 && was_made_anew
            || edited > 1 && edited == held.rows
            || edited > FEW.max(held.rows / 4)
            || bytes > EDIT;
        if is_another {
            return Ok(Err(Reason::Rewritten { offset }));
        }
        if last_only {
            edit.ending = Ending::LastRow;
        }
        edit.reason = match edited {
            0 => "the copy was damaged".to_owned(),
            1 => format!("a row was edited, at byte {offset}"),
            _ => format!("{edited} rows were edited, the first at byte {offset}"),
        };
        Ok(Ok(Some(edit)))
    }

    /// Writes `rows` of the source to the same place of the copy, which holds
    /// those before; nothing if those in their block do not have the hash `end`.
    /// The first block of hashes may begin before `rows`.
    fn append(
        &mut self,
        place: &Place,
        held: &Held,
        rows: Range<u64>,
        end: Option<Hash>,
    ) -> Result<Written> {
        let mut written = Written { to: rows.start, end, ..Written::default() };
        let result = self.transfer(&held.file, &place.path(), rows.clone(), &mut written);
        if result.is_err() {
            // They do not count, but there is no use in them.
            let _ = held.file.set_len(rows.start * self.stride);
        }
        result.map(|()| written)
    }

    fn transfer(
        &mut self,
        file: &File,
        path: &Path,
        rows: Range<u64>,
        written: &mut Written,
    ) -> Result<()> {
        let mut buffer = std::mem::take(self.context.buffer);
        let result = self.transfer_through(&mut buffer, file, path, rows, written);
        *self.context.buffer = buffer;
        result
    }

    fn transfer_through(
        &mut self,
        buffer: &mut Vec<u8>,
        file: &File,
        path: &Path,
        rows: Range<u64>,
        written: &mut Written,
    ) -> Result<()> {
        let stride = self.stride as usize;
        let mut from = rows.start;
        while from < rows.end {
            // Hashes are of whole blocks: the first may have rows in front.
            let first = from / BLOCK * BLOCK;
            let to = rows.end.min(first + STRETCH * BLOCK);
            buffer.resize((to - first) as usize * stride, 0);
            self.input.read(first, buffer)?;
            let (before, new) = buffer.split_at((from - first) as usize * stride);
            if !before.is_empty() {
                let in_block = new.len().min(BLOCK as usize * stride - before.len());
                written.begin = Some((from, hash(&new[..in_block])));
                written.before = hash(before);
                written.is_behind_others =
                    written.end.is_some_and(|end| end != written.before);
                if written.is_behind_others {
                    break;
                }
            }
            self.input.check(from, new)?;
            let offset = from * self.stride;
            file.write_all_at(new, offset)
                .map_err(|e| Error::io("write", path, e).at_offset(offset))?;
            written.sum = written.sum.wrapping_add(self.sum(new));
            let blocks = buffer.chunks(BLOCK as usize * stride).map(hash);
            written.hashes.extend((first / BLOCK..).zip(blocks));
            (from, written.to) = (to, to);
            if !(self.context.progress)(new.len() as u64) {
                written.stopped = true;
                break;
            }
        }
        Ok(())
    }

    /// Whether the rows held are as they were, but for the value of the last one
    /// if that was found to be another, as far as the live checksum tells, if the
    /// table keeps one.
    fn is_proved(&self, written: &Written, last: Option<&LastValue>) -> bool {
        let Some(now) = self.token.and_then(|token| token.checksum) else { return true };
        if written.to != self.rows {
            return true;
        }
        // Nothing to reckon from proves nothing.
        let before = self.entry.and_then(|entry| entry.token?.checksum);
        let last = last
            .map_or(0, |last| self.sum(&last.after).wrapping_sub(self.sum(&last.before)));
        before.is_some_and(|before| {
            before.wrapping_add(written.sum).wrapping_add(last) == now
        })
    }

    /// The live checksum of some rows.
    fn sum(&self, rows: &[u8]) -> u32 {
        match (self.input.header(), self.input.layout()) {
            (Some(header), Some(layout)) if header.has_checksum() => {
                layout.checksum(rows, header.checksum_skips_nulls())
            }
            _ => 0,
        }
    }

    /// Makes sure that what was read is what the source held at one moment: it
    /// only grew meanwhile, and what was read last is read once more, for a row
    /// may have been half written. If rows written now were edited meanwhile,
    /// they are brought up to date.
    fn demand_settled(
        &self,
        held: &Held,
        found: &Found,
        written: &mut Written,
        from: u64,
    ) -> Result<()> {
        let only_grown = self.input.demand_only_grown();
        let rewritten = self.input.may_be_rewritten()?;
        if only_grown.is_ok() && !rewritten {
            self.demand_same_again(written)?;
            if found.differing.is_empty() && found.rotten.is_empty() {
                return Ok(());
            }
            return self.input.demand_only_grown();
        }
        if let Err(error) = only_grown {
            if !found.differing.is_empty() {
                return Err(error);
            }
            written.mended = true;
        }
        self.mend(&held.file, written, from)?;
        self.demand_end_again(held, found)
    }

    /// Fails unless the last rows that are held are still the source's: those that
    /// do not share a block with rows written behind them.
    fn demand_end_again(&self, held: &Held, found: &Found) -> Result<()> {
        let end = tail_of(held.rows).start / BLOCK..held.rows / BLOCK;
        let mut same = end.filter(|block| !found.differing.contains(block));
        match self.differing(held, &mut same)?.is_empty() {
            true => Ok(()),
            false => Err(changed().at(self.input.path())),
        }
    }

    /// Brings rows up to date that were edited while they were copied: on a
    /// slow disk a feed may be edited more often than it can be read. What two
    /// readings find equal, the second begun when the first was over, was there
    /// as a whole in between.
    fn mend(&self, file: &File, written: &mut Written, from: u64) -> Result<()> {
        const ROUNDS: u32 = 16;
        for _ in 0..ROUNDS {
            self.input.demand_rows(written.to)?;
            let mut same = true;
            for (block, hashed) in &mut written.hashes {
                let rows = rows_of(*block, written.to);
                let bytes = self.read(rows.clone())?;
                let now = hash(&bytes);
                if now == *hashed {
                    continue;
                }
                same = false;
                written.mended = true;
                self.input.check(rows.start, &bytes)?;
                let begin = rows.start.max(from);
                let new = &bytes[((begin - rows.start) * self.stride) as usize..];
                if rows.start < from
                    && hash(&bytes[..bytes.len() - new.len()]) != written.before
                {
                    // Rows that are held: that is an edit, to be kept.
                    return Err(changed().at(self.input.path()));
                }
                file.write_all_at(new, begin * self.stride)
                    .map_err(|e| Error::io("write", self.input.path(), e))?;
                *hashed = now;
            }
            if same {
                return self.input.demand_rows(written.to);
            }
        }
        Err(changed().at(self.input.path()))
    }

    /// What appending would find of the rows behind those held, for a dry run.
    fn sum_up(&self, from: u64, written: &mut Written) -> Result<()> {
        let mut first = from;
        while first < self.rows {
            let to = self.rows.min(first + STRETCH * BLOCK);
            written.sum = written.sum.wrapping_add(self.sum(&self.read(first..to)?));
            first = to;
        }
        Ok(())
    }

    fn create(&mut self, place: &Place<'a, '_>) -> Result<Advance<'a>> {
        let to = self.rows.min((COMMIT / self.stride).max(BLOCK));
        if self.is_dry() {
            return Ok(Advance::only(self.report(Outcome::Created, 0..self.rows)));
        }
        Partial::sweep(place.folder, place.name)?;
        let partial = Partial::create(place.folder, place.name)?;
        let written = self.copy_to(&partial, 0..to)?;
        let mut report = self.report(Outcome::Created, 0..written.to);
        let commit = self.commit(&written, false)?;
        let mut names = self.new_definition(place, &mut report)?;
        let name = place.name.to_owned();
        names.push(Naming::New { partial: partial.put_aside(), name });
        let commit = Commit { loses: self.entry.is_some(), ..commit };
        let more = written.to < self.rows && !written.stopped;
        let commit = Some(commit);
        let advanced = Advanced { report, commit, edit: None, names, more };
        Ok(Advance { advanced, exchange: None })
    }

    /// Writes rows to a file that is not the copy yet.
    fn copy_to(&mut self, partial: &Partial, rows: Range<u64>) -> Result<Written> {
        let mut written = Written { anew: true, ..Written::default() };
        let path = partial.path();
        self.transfer(&partial.file, &path, rows, &mut written)?;
        let only_grown = self.input.demand_only_grown();
        let counted = self.token.and_then(|token| token.checksum);
        let is_odd =
            written.to == self.rows && counted.is_some_and(|sum| sum != written.sum);
        if only_grown.is_err() || self.input.may_be_rewritten()? || is_odd {
            written.mended = only_grown.is_err() || is_odd;
            self.mend(&partial.file, &mut written, 0)?;
        } else {
            self.demand_same_again(&written)?;
        }
        Ok(written)
    }

    /// Fails unless the last rows that were written are still the source's, those of
    /// a few blocks.
    fn demand_same_again(&self, written: &Written) -> Result<()> {
        const LAST: usize = 4;
        let from = written.hashes.len().saturating_sub(LAST);
        for (block, hashed) in &written.hashes[from..] {
            let mut rows = rows_of(*block, written.to);
            let mut hashed = *hashed;
            if let Some((begin, new)) = written.begin {
                if rows.contains(&begin) {
                    (rows.start, hashed) = (begin, new);
                }
            }
            if hash(&self.read(rows)?) != hashed {
                return Err(changed().at(self.input.path()));
            }
        }
        Ok(())
    }

    /// Copies the whole feed to a new file, which is to become the copy.
    fn replace(
        &mut self,
        place: &Place<'a, '_>,
        held: &Held,
        columns: Columns,
        reason: Reason,
    ) -> Result<Option<Advance<'a>>> {
        if self.context.small_only {
            return Ok(None);
        }
        let mut report = self.report(Outcome::NewGeneration, 0..self.rows);
        report.reason = Some(reason);
        report.adopted = held.adopted;
        if self.is_dry() {
            return Ok(Some(Advance::only(report)));
        }
        if self.must_enter(held) {
            return self.enter(place, held).map(Some);
        }
        // Rows that were appended before it turned out that there is no use in it.
        cut_off(held, place)?;
        Partial::sweep(place.folder, place.name)?;
        let partial = Partial::create(place.folder, place.name)?;
        let written = self.copy_to(&partial, 0..self.rows)?;
        if written.stopped {
            return Err(stopped());
        }
        let there = rustix::fs::fstat(&held.file)
            .map_err(|e| Error::io("inspect", &place.path(), e.into()))?;
        place.folder.adopt(&partial.file, partial.name(), &there)?;
        let definition = self.prepare_definition(place)?;
        report.definition_copied = definition.is_some();
        let outdated = place.outdated_definitions(self.input, columns)?;
        let commit = self.commit(&written, true)?;
        let exchange = Exchange {
            rows: partial,
            definition,
            outdated,
            other_columns: columns == Columns::Other,
        };
        let commit = Some(commit);
        let names = Vec::new();
        let advanced = Advanced { report, commit, edit: None, names, more: false };
        Ok(Some(Advance { advanced, exchange: Some(exchange) }))
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

    /// What gives the copy the table's definition if it has another.
    fn new_definition(
        &self,
        place: &Place<'a, '_>,
        report: &mut CopyReport,
    ) -> Result<Vec<Naming>> {
        let glance = &self.context.glance;
        let known = self.entry.filter(|entry| {
            // Else the copy's is read, too.
            self.definition == entry.definition
                && glance.recheck != Recheck::All
                && !glance.is_suspicious(entry)
                && !glance.is_copy_due(entry, 0)
        });
        if known.is_some() && !self.is_definition_gone()? {
            return Ok(Vec::new());
        }
        let outdated = place.outdated_definitions(self.input, Columns::Same)?;
        let prepared = self.prepare_definition(place)?;
        report.definition_copied = prepared.is_some();
        let replace = prepared.map(|(name, partial)| Naming::Replace {
            partial: partial.put_aside(),
            name,
        });
        Ok(replace.into_iter().chain(outdated.into_iter().map(Naming::Remove)).collect())
    }

    fn prepare_definition(
        &self,
        place: &Place<'a, '_>,
    ) -> Result<Option<(std::ffi::OsString, Partial<'a>)>> {
        let Some(DefinitionFile { suffix, bytes }) = &self.input.definition else {
            return Ok(None);
        };
        let name = place.sibling(suffix);
        if place.read_definition(suffix)?.as_ref() == Some(bytes) {
            return Ok(None);
        }
        Partial::sweep(place.folder, &name)?;
        let partial = Partial::filled(place.folder, &name, bytes)?;
        if let Some(there) = place.folder.stat(&name)? {
            place.folder.adopt(&partial.file, partial.name(), &there)?;
        }
        Ok(Some((name, partial)))
    }
}

/// What was written of a feed.
#[derive(Default)]
struct Written {
    /// Rows the file holds now.
    to: u64,
    hashes: Vec<(u64, Hash)>,
    /// The live checksum of the rows written.
    sum: u32,
    /// The hash of the rows in front of the first one written, in its block.
    before: Hash,
    /// What that is to be.
    end: Option<Hash>,
    /// That first row, and the hash of those written into its block, if there are
    /// others in front of it.
    begin: Option<(u64, Hash)>,
    /// Whether it was not, so that nothing was written.
    is_behind_others: bool,
    stopped: bool,
    /// Whether they are all that the file holds.
    anew: bool,
    /// Whether rows were edited meanwhile, so that the figures of the header do
    /// not go with them.
    mended: bool,
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
