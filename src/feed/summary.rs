//! What is kept of a feed's rows, block by block, so that queries need not
//! read them again.
//!
//! The rows that count are cut, in order of `(time, row number)`, into blocks
//! of [`BLOCK`]. Of each is kept the time of its first row, where that lies,
//! and what the values come to. A look-up finds the block in memory and looks
//! only into that; an aggregate reads only the rows of blocks it has a part
//! of. All of it takes about a thirtieth of the rows' bytes.

use super::order::{out_of_memory, reserve};
use crate::error::Result;
use crate::myisam::{BLOCK, Block, Row, Tally, Tallying};
use std::ops::Range;
use std::path::Path;

/// Of all blocks. Grows at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// The time of the first row of each block; the last block may be short.
    pub(super) firsts: Vec<i64>,
    /// The index of the run which that row is in.
    pub(super) runs: Vec<u32>,
    /// What whole blocks come to.
    pub(super) counts: Vec<u32>,
    pub(super) sums: Vec<f64>,
    pub(super) mins: Vec<f64>,
    pub(super) maxs: Vec<f64>,
    /// The rows behind the last whole block.
    pub(super) tail: Tallying,
}

impl Summary {
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
        reserve(&mut self.firsts, path)?;
        reserve(&mut self.runs, path)?;
        self.firsts.push(first);
        self.runs.push(u32::try_from(run).map_err(|_| out_of_memory(path))?);
        Ok(())
    }

    fn keep(&mut self, tally: Tally, path: &Path) -> Result<()> {
        reserve(&mut self.counts, path)?;
        reserve(&mut self.sums, path)?;
        reserve(&mut self.mins, path)?;
        reserve(&mut self.maxs, path)?;
        self.counts.push(tally.count as u32);
        self.sums.push(tally.sum);
        self.mins.push(tally.min);
        self.maxs.push(tally.max);
        Ok(())
    }

    /// The blocks that lie whole in a range of ranks.
    pub(super) fn whole_within(ranks: &Range<u64>) -> Range<usize> {
        let block = BLOCK as u64;
        let first = ranks.start.div_ceil(block) as usize;
        first..((ranks.end / block) as usize).max(first)
    }

    /// The sum of the values in whole blocks, and how many there are.
    pub(super) fn total(&self, blocks: Range<usize>) -> (f64, u64) {
        let count =
            self.counts[blocks.clone()].iter().map(|&count| u64::from(count)).sum();
        let mut lanes = [0.0; LANES];
        in_lanes(&self.sums[blocks], |lane, sum| lanes[lane] += sum);
        let [a, b, c, d] = lanes;
        ((a + c) + (b + d), count)
    }

    /// The smallest value in whole blocks, NaN without any.
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

    /// The largest value in whole blocks, NaN without any.
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

    /// Whether a row of a whole block can have this value.
    pub(super) fn may_hold(&self, block: usize, value: f64) -> bool {
        self.mins[block] <= value && value <= self.maxs[block]
    }

    /// The last block whose first row is before `time`, looked for from the
    /// block `near` on; there must be one.
    pub(super) fn block_before(&self, time: i64, near: usize) -> usize {
        let firsts = &self.firsts[..];
        // The block is at `low` at least, before `high`.
        let (mut low, mut high) = (0, firsts.len());
        let mut step = 1;
        if firsts[near] < time {
            low = near;
            while low + step < high {
                if firsts[low + step] >= time {
                    high = low + step;
                    break;
                }
                low += step;
                step *= 2;
            }
        } else {
            high = near;
            while high > low + step {
                if firsts[high - step] < time {
                    low = high - step;
                    break;
                }
                high -= step;
                step *= 2;
            }
        }
        low + firsts[low..high].partition_point(|&first| first < time) - 1
    }

    /// How much memory it takes, in bytes.
    pub(super) fn footprint(&self) -> usize {
        self.firsts.capacity() * size_of::<i64>()
            + (self.runs.capacity() + self.counts.capacity()) * size_of::<u32>()
            + (self.sums.capacity() + self.mins.capacity() + self.maxs.capacity())
                * size_of::<f64>()
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
        for lane in 0..LANES {
            each(lane, chunk[lane]);
        }
    }
    for (lane, &number) in rest.iter().enumerate() {
        each(lane, number);
    }
}
