//! What is kept of a feed's rows, block by block, so that queries need not
//! read them again.
//!
//! The rows that count are cut, in order of `(time, row number)`, into blocks
//! of [`BLOCK`]. Of each is kept the time of its first row, where that lies,
//! and what the values come to. A look-up finds the block in memory and looks
//! only into that; an aggregate reads only the rows of blocks it has a part
//! of. All of it takes about a thirtieth of the rows' bytes, and more
//! if many are out of place.

use super::keep::Rest;
use super::order::{out_of_memory, reserve};
use crate::error::Result;
use crate::myisam::{BLOCK, Block, Row, Tally, Tallying};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Of all blocks. Grows at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// The time of the first row of all.
    pub(super) base: i64,
    /// The time of the first row of each block, in seconds after that; the
    /// last block may be short.
    pub(super) firsts: Vec<u32>,
    /// The index of the run which that row is in. Empty while that is the
    /// first run for all.
    pub(super) runs: Vec<u32>,
    /// What whole blocks come to.
    pub(super) tallies: Tallies,
    /// The rows behind the last whole block.
    pub(super) tail: Tallying,
}

/// What blocks come to: by the number of the block.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) counts: Vec<u32>,
    pub(super) sums: Vec<f64>,
    pub(super) mins: Vec<f64>,
    pub(super) maxs: Vec<f64>,
}

/// [`Lists`] of which the front may still be in a file: look-ups do without.
#[derive(Clone, Debug)]
pub(super) enum Tallies {
    Here(Lists),
    Kept {
        rest: Arc<Rest>,
        /// What came since.
        more: Lists,
        /// Both together, once somebody asked.
        all: OnceLock<Option<Lists>>,
    },
}

impl Default for Tallies {
    fn default() -> Tallies {
        Tallies::Here(Lists::default())
    }
}

impl Tallies {
    /// `None` if they could not be read from the file.
    pub(super) fn get(&self) -> Option<&Lists> {
        match self {
            Tallies::Here(lists) => Some(lists),
            Tallies::Kept { rest, more, all } => all
                .get_or_init(|| {
                    let mut lists = rest.read()?;
                    lists.append(more).then_some(lists)
                })
                .as_ref(),
        }
    }

    /// Those that can be added to.
    fn end(&mut self) -> &mut Lists {
        if let Tallies::Kept { all, .. } = self {
            if let Some(Some(lists)) = all.take() {
                *self = Tallies::Here(lists);
            }
        }
        match self {
            Tallies::Here(lists) | Tallies::Kept { more: lists, .. } => lists,
        }
    }

    fn footprint(&self) -> usize {
        match self {
            Tallies::Here(lists) => lists.footprint(),
            Tallies::Kept { more, all, .. } => {
                let all = all.get().and_then(Option::as_ref);
                more.footprint() + all.map_or(0, Lists::footprint)
            }
        }
    }
}

impl Summary {
    /// Of nothing yet, with room for so many rows and some more: growing bit by
    /// bit would take twice the memory.
    pub(super) fn with_room(rows: u64, path: &Path) -> Result<Summary> {
        const MORE: u64 = 16;
        let blocks = (rows + rows / MORE) / BLOCK as u64 + 1;
        let mut summary = Summary::default();
        let Lists { counts, sums, mins, maxs } = summary.tallies.end();
        let room = usize::try_from(blocks).is_ok_and(|blocks| {
            summary.firsts.try_reserve_exact(blocks).is_ok()
                && counts.try_reserve_exact(blocks).is_ok()
                && [sums, mins, maxs]
                    .into_iter()
                    .all(|list| list.try_reserve_exact(blocks).is_ok())
        });
        if room { Ok(summary) } else { Err(out_of_memory(path)) }
    }

    /// Rows to come until a block can be taken in at once.
    pub(super) fn until_whole(&self) -> usize {
        (BLOCK - self.tail.rows()) % BLOCK
    }

    /// Takes in the next row, which lies in that run.
    pub(super) fn push(&mut self, row: Row, run: usize, path: &Path) -> Result<()> {
        if self.tail.rows() == 0 {
            self.begin(row.time, run, path)?;
        }
        self.tail.push(row.value);
        if self.tail.rows() == BLOCK {
            let tally = std::mem::take(&mut self.tail).tally();
            self.keep(tally, path)?;
        }
        Ok(())
    }

    /// Takes in the next [`BLOCK`] rows, if [`Summary::until_whole`] is 0.
    pub(super) fn push_block(
        &mut self,
        block: &Block,
        run: usize,
        path: &Path,
    ) -> Result<()> {
        self.begin(block.first, run, path)?;
        self.keep(block.tally, path)
    }

    fn begin(&mut self, first: i64, run: usize, path: &Path) -> Result<()> {
        if self.firsts.is_empty() {
            self.base = first;
        }
        if run > 0 || !self.runs.is_empty() {
            let blocks = self.firsts.len();
            let missing = blocks + 1 - self.runs.len();
            self.runs.try_reserve(missing).map_err(|_| out_of_memory(path))?;
            self.runs.resize(blocks, 0);
            self.runs.push(u32::try_from(run).map_err(|_| out_of_memory(path))?);
        }
        reserve(&mut self.firsts, path)?;
        // Times are 32 bits wide in all feeds.
        self.firsts.push((first - self.base) as u32);
        Ok(())
    }

    fn keep(&mut self, tally: Tally, path: &Path) -> Result<()> {
        let Lists { counts, sums, mins, maxs } = self.tallies.end();
        reserve(counts, path)?;
        reserve(sums, path)?;
        reserve(mins, path)?;
        reserve(maxs, path)?;
        counts.push(tally.count as u32);
        sums.push(tally.sum);
        mins.push(tally.min);
        maxs.push(tally.max);
        Ok(())
    }

    /// The time of the first row of a block, if there are so many.
    #[inline]
    pub(super) fn first(&self, block: usize) -> Option<i64> {
        self.firsts.get(block).map(|&first| self.base + i64::from(first))
    }

    /// The index of the run which that row is in.
    pub(super) fn run(&self, block: usize) -> usize {
        self.runs.get(block).map_or(0, |&run| run as usize)
    }

    /// Rank of the first row of a block: of 64 bits on every processor, as a summary
    /// that fits into 4 GB of addresses tells of more rows than 32 bits count.
    pub(super) fn first_rank(block: usize) -> u64 {
        block as u64 * BLOCK as u64
    }

    /// The blocks that lie whole in a range of ranks.
    pub(super) fn whole_within(ranks: &Range<u64>) -> Range<usize> {
        let block = BLOCK as u64;
        let (first, behind) = (ranks.start.div_ceil(block), ranks.end / block);
        if first < behind { first as usize..behind as usize } else { 0..0 }
    }

    /// The last block whose first row is before `time`, looked for from the
    /// block `near` on; there must be one.
    pub(super) fn block_before(&self, time: i64, near: usize) -> usize {
        let firsts = &self.firsts[..];
        let time = (time - self.base) as u64;
        let before = |first: u32| u64::from(first) < time;
        // The block is at `low` at least, before `high`.
        let (mut low, mut high) = (0, firsts.len());
        let mut step = 1;
        if before(firsts[near]) {
            low = near;
            while low + step < high {
                if !before(firsts[low + step]) {
                    high = low + step;
                    break;
                }
                low += step;
                step *= 2;
            }
        } else {
            high = near;
            while high > low + step {
                if before(firsts[high - step]) {
                    low = high - step;
                    break;
                }
                high -= step;
                step *= 2;
            }
        }
        low + firsts[low..high].partition_point(|&first| before(first)) - 1
    }

    /// How much memory it takes, in bytes.
    pub(super) fn footprint(&self) -> usize {
        (self.firsts.capacity() + self.runs.capacity()) * size_of::<u32>()
            + self.tallies.footprint()
    }
}

impl Lists {
    /// Takes in what comes behind; `false` where memory is short.
    fn append(&mut self, more: &Lists) -> bool {
        let Lists { counts, sums, mins, maxs } = more;
        if self.counts.try_reserve(counts.len()).is_err() {
            return false;
        }
        self.counts.extend(counts);
        let mut added = true;
        for (list, more) in
            [(&mut self.sums, sums), (&mut self.mins, mins), (&mut self.maxs, maxs)]
        {
            added &= list.try_reserve(more.len()).is_ok();
            if added {
                list.extend(more);
            }
        }
        added
    }

    fn footprint(&self) -> usize {
        self.counts.capacity() * size_of::<u32>()
            + (self.sums.capacity() + self.mins.capacity() + self.maxs.capacity())
                * size_of::<f64>()
    }

    /// The sum of the values in these blocks, and how many there are.
    pub(super) fn total(&self, blocks: Range<usize>) -> (f64, u64) {
        let count =
            self.counts[blocks.clone()].iter().map(|&count| u64::from(count)).sum();
        let mut lanes = [0.0; LANES];
        in_lanes(&self.sums[blocks], |lane, sum| lanes[lane] += sum);
        let [a, b, c, d] = lanes;
        ((a + c) + (b + d), count)
    }

    /// The smallest value in these blocks, NaN without any.
    pub(super) fn smallest(&self, blocks: Range<usize>) -> f64 {
        let mut lanes = [f64::INFINITY; LANES];
        let mins = &self.mins[blocks];
        in_lanes(mins, |lane, min| {
            lanes[lane] = if min < lanes[lane] { min } else { lanes[lane] };
        });
        let least = lanes.into_iter().fold(f64::INFINITY, f64::min);
        // Nothing is larger than infinity: it may not be there.
        if least == f64::INFINITY && mins.iter().all(|min| min.is_nan()) {
            return f64::NAN;
        }
        least
    }

    /// The largest value in these blocks, NaN without any.
    pub(super) fn largest(&self, blocks: Range<usize>) -> f64 {
        let mut lanes = [f64::NEG_INFINITY; LANES];
        let maxs = &self.maxs[blocks];
        in_lanes(maxs, |lane, max| {
            lanes[lane] = if max > lanes[lane] { max } else { lanes[lane] };
        });
        let most = lanes.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY && maxs.iter().all(|max| max.is_nan()) {
            return f64::NAN;
        }
        most
    }

    /// Whether a row of that block can have this value.
    pub(super) fn may_hold(&self, block: usize, value: f64) -> bool {
        self.mins[block] <= value && value <= self.maxs[block]
    }
}

/// A processor works on so many numbers side by side, where each only waits
/// for the one so many places before.
const LANES: usize = 4;

/// Calls `each` with the lane and the number of all in turn.
#[inline(always)]
fn in_lanes(numbers: &[f64], mut each: impl FnMut(usize, f64)) {
    let chunks = numbers.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &number) in chunk.iter().enumerate() {
            each(lane, number);
        }
    }
    for (lane, &number) in rest.iter().enumerate() {
        each(lane, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_wider_than_addresses() {
        assert_eq!(Summary::first_rank(1 << 25), 1 << 32);
    }
}
