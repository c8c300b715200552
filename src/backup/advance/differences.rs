//! What of the rows that a copy holds is not what the source has, or not what was
//! written there, and whether that is overwritten or the copy is made anew.

use super::writing::Written;
use super::{Edit, Held, Look, SMALL, UNKNOWN, read_copy};
use crate::backup::catalog::{CELL, Ending, Entry};
use crate::backup::compare::differ_in_value_only;
use crate::backup::hash::{BLOCK, blocks_in, hash, rows_of, tail_of};
use crate::backup::held::Place;
use crate::backup::options::Recheck;
use crate::backup::plan::Reason;
use crate::error::Result;
use crate::feed::changed;
use std::ops::Range;

/// So many bytes may be overwritten in place; more make a new file.
const EDIT: u64 = 4 << 20;

/// What was found in rows that are held.
#[derive(Default)]
pub(super) struct Found {
    /// Blocks of which the source has other rows than the catalog says.
    pub(super) differing: Vec<u64>,
    /// Blocks of which the copy has other rows than the catalog says.
    pub(super) rotten: Vec<u64>,
    /// Whether all blocks were compared.
    pub(super) all: bool,
}

/// The last row of a copy, of which only the value is another now.
pub(super) struct LastValue {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Look<'_, '_, '_> {
    /// Compares what is held with the source: its end in any case, and more if
    /// there is reason to.
    pub(super) fn compare(&self, place: &Place, held: &Held) -> Result<Found> {
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
    pub(super) fn damaged(
        &self,
        place: &Place,
        held: &Held,
        entry: &Entry,
    ) -> Result<Vec<u64>> {
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
    pub(super) fn reconsider(
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
    pub(super) fn widen(&self, held: &Held, found: &mut Found) -> Result<()> {
        let rotten = std::mem::take(&mut found.rotten);
        *found = Found { rotten, ..self.compare_all(held)? };
        Ok(())
    }

    /// Whether the last rows held share a block with rows to be appended, so that
    /// they are compared when those are read.
    pub(super) fn meets_end_later(&self, held: &Held) -> bool {
        self.rows > held.rows && held.rows % BLOCK != 0 && !self.is_dry()
    }

    /// Whether everything is to be compared at once.
    pub(super) fn calls_for_all(&self, entry: &Entry) -> bool {
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

    pub(super) fn compare_all(&self, held: &Held) -> Result<Found> {
        let blocks = blocks_in(held.rows);
        let differing = self.differing(held, &mut (0..blocks))?;
        Ok(Found { differing, rotten: Vec::new(), all: true })
    }

    /// The blocks of which the source has other rows than the hashes say.
    pub(super) fn differing(
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
    pub(super) fn rotten(
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
    pub(super) fn last_value(
        &self,
        place: &Place,
        held: &Held,
    ) -> Result<Option<LastValue>> {
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
    pub(super) fn edit_of(
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
}
