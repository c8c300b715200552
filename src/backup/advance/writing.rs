//! Writing rows, and making sure that they are what the source held at one moment.

use super::differences::{Found, LastValue};
use super::{Held, Look};
use crate::backup::hash::{BLOCK, Hash, hash, rows_of, tail_of};
use crate::backup::held::{Partial, Place};
use crate::error::{Error, Result};
use crate::feed::changed;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Blocks read and written at a time: about half a megabyte.
const STRETCH: u64 = 8;

/// What was written of a feed.
#[derive(Default)]
pub(super) struct Written {
    /// Rows the file holds now.
    pub(super) to: u64,
    pub(super) hashes: Vec<(u64, Hash)>,
    /// The live checksum of the rows written.
    pub(super) sum: u32,
    /// The hash of the rows in front of the first one written, in its block.
    pub(super) before: Hash,
    /// What that is to be.
    pub(super) end: Option<Hash>,
    /// That first row, and the hash of those written into its block, if there are
    /// others in front of it.
    pub(super) begin: Option<(u64, Hash)>,
    /// Whether it was not, so that nothing was written.
    pub(super) is_behind_others: bool,
    pub(super) stopped: bool,
    /// Whether they are all that the file holds.
    pub(super) anew: bool,
    /// Whether rows were edited meanwhile, so that the figures of the header do
    /// not go with them.
    pub(super) mended: bool,
}

impl Look<'_, '_, '_> {
    /// Writes `rows` of the source to the same place of the copy, which holds
    /// those before; nothing if those in their block do not have the hash `end`.
    /// The first block of hashes may begin before `rows`.
    pub(super) fn append(
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

    /// Writes rows to a file that is not the copy yet.
    pub(super) fn copy_to(
        &mut self,
        partial: &Partial,
        rows: Range<u64>,
    ) -> Result<Written> {
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

    pub(super) fn transfer(
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

    pub(super) fn transfer_through(
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
    pub(super) fn is_proved(&self, written: &Written, last: Option<&LastValue>) -> bool {
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
    pub(super) fn sum(&self, rows: &[u8]) -> u32 {
        match (self.input.header(), self.input.layout()) {
            (Some(header), Some(layout)) if header.has_checksum() => {
                layout.checksum(rows, header.checksum_skips_nulls())
            }
            _ => 0,
        }
    }

    /// What appending would find of the rows behind those held, for a dry run.
    pub(super) fn sum_up(&self, from: u64, written: &mut Written) -> Result<()> {
        let mut first = from;
        while first < self.rows {
            let to = self.rows.min(first + STRETCH * BLOCK);
            written.sum = written.sum.wrapping_add(self.sum(&self.read(first..to)?));
            first = to;
        }
        Ok(())
    }

    /// Makes sure that what was read is what the source held at one moment: it
    /// only grew meanwhile, and what was read last is read once more, for a row
    /// may have been half written. If rows written now were edited meanwhile,
    /// they are brought up to date.
    pub(super) fn demand_settled(
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
    pub(super) fn demand_end_again(&self, held: &Held, found: &Found) -> Result<()> {
        let end = tail_of(held.rows).start / BLOCK..held.rows / BLOCK;
        let mut same = end.filter(|block| !found.differing.contains(block));
        match self.differing(held, &mut same)?.is_empty() {
            true => Ok(()),
            false => Err(changed().at(self.input.path())),
        }
    }

    /// Fails unless the last rows that were written are still the source's, those of
    /// a few blocks.
    pub(super) fn demand_same_again(&self, written: &Written) -> Result<()> {
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

    /// Brings rows up to date that were edited while they were copied: on a
    /// slow disk a feed may be edited more often than it can be read. What two
    /// readings find equal, the second begun when the first was over, was there
    /// as a whole in between.
    pub(super) fn mend(
        &self,
        file: &File,
        written: &mut Written,
        from: u64,
    ) -> Result<()> {
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
}
