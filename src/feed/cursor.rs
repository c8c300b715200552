//! Finding rows by time and reading them by rank.

use super::order::{Order, Run};
use super::scan::scan;
use super::source::Bytes;
use super::summary::{Lists, Summary};
use super::table::changed;
use crate::error::Result;
use crate::myisam::{
    BLOCK, BadFlag, Layout, MAX_STRIDE, PLAIN, Row, Tally, Tallying, Totalling,
};
use std::ops::Range;
use std::path::Path;

/// A row at most so many places from where it was guessed to be is found by
/// looking at those between.
const NEAR: u64 = 6;

/// Reads the rows of one snapshot. Remembers where it was: queries ask for
/// ascending times.
pub(crate) struct Cursor<'a> {
    bytes: Bytes<'a>,
    layout: &'a Layout,
    order: &'a Order,
    path: &'a Path,
    /// The run of the last row read, with the rank behind it.
    run: Run,
    run_end: u64,
    /// The last time looked up, and the rank it led to.
    asked: i64,
    found: u64,
    /// Rows per second between the last two look-ups.
    pace: f64,
    /// Whether going on at that pace would have led near the last place.
    is_regular: bool,
    /// Room for the rows of a block.
    buffer: [u8; BLOCK * MAX_STRIDE],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(
        bytes: Bytes<'a>,
        layout: &'a Layout,
        order: &'a Order,
        path: &'a Path,
    ) -> Self {
        let (asked, pace) = match order.span {
            Some((first, last)) if last > first => {
                (first, order.len as f64 / last.abs_diff(first) as f64)
            }
            span => (span.map_or(0, |(first, _)| first), 0.0),
        };
        let run = Run { rank: 0, row: 0 };
        let buffer = [0; BLOCK * MAX_STRIDE];
        Cursor {
            bytes,
            layout,
            order,
            path,
            run,
            run_end: 0,
            asked,
            found: 0,
            pace,
            is_regular: false,
            buffer,
        }
    }

    /// How many rows count.
    pub(crate) fn len(&self) -> u64 {
        self.order.len
    }

    /// Times of the first and the last row.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.order.span
    }

    /// Where the row of that rank begins in the file.
    fn offset(&mut self, rank: u64) -> u64 {
        if !self.in_run(rank) {
            let index = self.order.run_of(rank);
            self.run = self.order.run(index);
            self.run_end = self.order.run_end(index);
        }
        (self.run.row + (rank - self.run.rank)) * self.layout.stride() as u64
    }

    /// Whether the row lies in the run of the last one.
    #[inline(always)]
    fn in_run(&self, rank: u64) -> bool {
        self.run.rank <= rank && rank < self.run_end
    }

    /// The row of that rank.
    #[inline(always)]
    pub(crate) fn row(&mut self, rank: u64) -> Result<Row> {
        match self.near_row(rank) {
            Some(row) => Ok(row),
            None => self.any_row(rank),
        }
    }

    /// A plain row of the run of the last one in a mapping: nearly every row
    /// that is asked for.
    #[inline(always)]
    fn near_row(&self, rank: u64) -> Option<Row> {
        if !self.in_run(rank) || !self.layout.is_plain() {
            return None;
        }
        let row = self.run.row + (rank - self.run.rank);
        let bytes = self.bytes.mapped::<PLAIN>(row * self.layout.stride() as u64)?;
        self.layout.row(&bytes)
    }

    #[cold]
    fn any_row(&mut self, rank: u64) -> Result<Row> {
        let offset = self.offset(rank);
        let mut buffer = [0; MAX_STRIDE];
        let bytes = &mut buffer[..self.layout.stride()];
        self.bytes.probe(offset, bytes)?;
        // It counted when the order was found.
        self.layout.row(bytes).ok_or_else(|| changed().at(self.path))
    }

    /// Rank of the first row at or after `time`, the number of rows if there
    /// is none.
    pub(crate) fn lower_bound(&mut self, time: i64) -> Result<u64> {
        let Some(span @ (first, last)) = self.order.span else { return Ok(0) };
        if time <= first {
            return Ok(0);
        }
        if time > last {
            return Ok(self.len());
        }
        let seconds = (time - self.asked) as f64;
        let ahead = (seconds * self.pace + 0.5) as i64;
        let guess = self.found.saturating_add_signed(ahead).min(self.len() - 1);
        let near = if self.is_regular { self.near_bound(time, guess) } else { None };
        let rank = match near {
            Some(rank) => rank,
            None => self.far_bound(time, guess, span)?,
        };
        self.is_regular = rank.abs_diff(guess) < NEAR;
        if seconds != 0.0 {
            self.pace = (rank as i64 - self.found as i64) as f64 / seconds;
        }
        (self.asked, self.found) = (time, rank);
        Ok(rank)
    }

    /// The same, if it is near this rank and all is mapped.
    #[inline]
    fn near_bound(&self, time: i64, guess: u64) -> Option<u64> {
        let mut rank = guess;
        if self.near_row(rank)?.time < time {
            for _ in 0..NEAR {
                rank += 1;
                if self.near_row(rank)?.time >= time {
                    return Some(rank);
                }
            }
        } else {
            for _ in 0..NEAR {
                let before = rank.checked_sub(1)?;
                if self.near_row(before)?.time < time {
                    return Some(rank);
                }
                rank = before;
            }
        }
        None
    }

    /// The same wherever it is, looked for from the block of this rank on.
    fn far_bound(
        &mut self,
        time: i64,
        guess: u64,
        (first, last): (i64, i64),
    ) -> Result<u64> {
        let summary = &self.order.summary;
        let block = summary.block_before(time, (guess / BLOCK as u64) as usize);
        let low = Summary::first_rank(block);
        let low_time = summary.first(block).unwrap_or(first);
        let (high, high_time) = match summary.first(block + 1) {
            Some(next) => (low + BLOCK as u64, next),
            None => (self.len() - 1, last),
        };

        // Feeds tick regularly, so the rate within the block leads near the
        // place, mostly to it.
        let mut within = Bracket { time, low, high };
        let share = (time - low_time) as f64 / (high_time - low_time) as f64;
        let distance = ((high - low) as i64 as f64 * share) as i64;
        let mut from = low + distance.max(1) as u64;
        if high - low > 1 {
            from = from.min(high - 1);
            within.narrow(from, self.row(from)?.time);
        }
        // Widen from there by doubling, then halve.
        let mut step = 1;
        while within.high - within.low > step {
            if within.low == from {
                from += step;
            } else if within.high == from {
                from -= step;
            } else {
                break;
            }
            within.narrow(from, self.row(from)?.time);
            step *= 2;
        }
        while within.high - within.low > 1 {
            let middle = within.low + (within.high - within.low) / 2;
            within.narrow(middle, self.row(middle)?.time);
        }
        Ok(within.high)
    }

    /// The sum of the values of the rows in `ranks`, and how many there are.
    /// Like [`Cursor::smallest`] and [`Cursor::largest`], reads only rows that
    /// do not make a whole block.
    pub(crate) fn total(&mut self, ranks: Range<u64>) -> Result<(f64, u64)> {
        let [before, behind] = around_blocks(&ranks);
        let mut totalling = Totalling::default();
        self.read(before, |layout, rows| totalling.extend(layout, rows))?;
        let (first, first_count) = std::mem::take(&mut totalling).total();
        self.read(behind, |layout, rows| totalling.extend(layout, rows))?;
        let (last, last_count) = totalling.total();
        let whole = Summary::whole_within(&ranks);
        let (sum, count) =
            if whole.is_empty() { (0.0, 0) } else { self.lists()?.total(whole) };
        Ok((first + sum + last, first_count + count + last_count))
    }

    /// The smallest of the values, NaN without any. Which zero is open.
    pub(crate) fn smallest(&mut self, ranks: Range<u64>) -> Result<f64> {
        let around = self.tally_around_blocks(&ranks)?;
        // Of a number and NaN, the number.
        let whole = Summary::whole_within(&ranks);
        if whole.is_empty() {
            return Ok(around.min);
        }
        Ok(around.min.min(self.lists()?.smallest(whole)))
    }

    /// The largest of the values, NaN without any. Which zero is open.
    pub(crate) fn largest(&mut self, ranks: Range<u64>) -> Result<f64> {
        let around = self.tally_around_blocks(&ranks)?;
        let whole = Summary::whole_within(&ranks);
        if whole.is_empty() {
            return Ok(around.max);
        }
        Ok(around.max.max(self.lists()?.largest(whole)))
    }

    /// What whole blocks come to. A kept summary that fails here fails the
    /// query: the next attempt reads the rows.
    fn lists(&self) -> Result<&'a Lists> {
        let lists = self.order.summary.tallies.get();
        lists.ok_or_else(|| changed().at(self.path))
    }

    fn tally_around_blocks(&mut self, ranks: &Range<u64>) -> Result<Tally> {
        let mut tallying = Tallying::default();
        for ranks in around_blocks(ranks) {
            self.read(ranks, |layout, rows| tallying.extend(layout, rows))?;
        }
        Ok(tallying.tally())
    }

    /// Calls `take` with the rows in `ranks`, which says whether all of them
    /// count.
    #[inline]
    fn read(
        &mut self,
        mut ranks: Range<u64>,
        mut take: impl FnMut(&Layout, &[u8]) -> Result<bool, BadFlag>,
    ) -> Result<()> {
        let stride = self.layout.stride();
        while ranks.start < ranks.end {
            let offset = self.offset(ranks.start);
            let end = self.run_end.min(ranks.end);
            let count = (BLOCK as u64).min(end - ranks.start);
            let piece = &mut self.buffer[..count as usize * stride];
            self.bytes.read(offset, piece)?;
            // All of them counted when the order was found.
            if take(self.layout, piece) != Ok(true) {
                return Err(changed().at(self.path));
            }
            ranks.start += count;
        }
        Ok(())
    }

    /// The first row in `ranks` with exactly this value, which is
    /// the smallest or largest there.
    pub(crate) fn find(&mut self, mut ranks: Range<u64>, value: f64) -> Result<Row> {
        while ranks.start < ranks.end {
            let block = (ranks.start / BLOCK as u64) as usize;
            let end = Summary::first_rank(block + 1);
            let is_whole = ranks.start % BLOCK as u64 == 0 && end <= ranks.end;
            if !is_whole || self.lists()?.may_hold(block, value) {
                for rank in ranks.start..end.min(ranks.end) {
                    let row = self.row(rank)?;
                    if row.value == value {
                        return Ok(row);
                    }
                }
            }
            ranks.start = end;
        }
        Err(changed().at(self.path))
    }

    /// Calls `each` with every row whose rank is in `ranks`, in order.
    #[inline]
    pub(crate) fn for_each(
        &mut self,
        ranks: Range<u64>,
        mut each: impl FnMut(Row),
    ) -> Result<()> {
        let layout = self.layout;
        let mut vanished = false;
        self.scan(ranks, |chunk| {
            layout.for_each(chunk, |_, row| match row {
                Some(row) => each(row),
                None => vanished = true,
            })
        })?;
        // All of them counted when the order was found.
        if vanished { Err(changed().at(self.path)) } else { Ok(()) }
    }

    /// The same with `data2` of each row.
    pub(crate) fn for_each_with_data2(
        &mut self,
        ranks: Range<u64>,
        mut each: impl FnMut(Row, f64),
    ) -> Result<()> {
        let layout = self.layout;
        let mut vanished = false;
        self.scan(ranks, |chunk| {
            let mut rows = chunk.chunks_exact(layout.stride());
            layout.for_each(chunk, |_, row| {
                let data2 = rows.next().map_or(f64::NAN, |bytes| layout.data2(bytes));
                match row {
                    Some(row) => each(row, data2),
                    None => vanished = true,
                }
            })
        })?;
        if vanished { Err(changed().at(self.path)) } else { Ok(()) }
    }

    fn scan(
        &mut self,
        ranks: Range<u64>,
        mut each: impl FnMut(&[u8]) -> Result<(), BadFlag>,
    ) -> Result<()> {
        let mut rank = ranks.start;
        while rank < ranks.end {
            let row = self.offset(rank) / self.layout.stride() as u64;
            let count = self.run_end.min(ranks.end) - rank;
            scan(&self.bytes, self.layout, row..row + count, self.path, |_, chunk| {
                each(chunk)
            })?;
            rank += count;
        }
        Ok(())
    }
}

/// What of `ranks` lies before its first whole block, and behind its last.
fn around_blocks(ranks: &Range<u64>) -> [Range<u64>; 2] {
    let whole = Summary::whole_within(ranks);
    if whole.is_empty() {
        return [ranks.clone(), ranks.end..ranks.end];
    }
    let [from, to] = [whole.start, whole.end].map(Summary::first_rank);
    [ranks.start..from, to..ranks.end]
}

/// Where the first row at or after `time` is: behind `low`, at `high` at the
/// latest.
struct Bracket {
    time: i64,
    low: u64,
    high: u64,
}

impl Bracket {
    /// Takes in what the time of one row in the bracket is.
    #[inline]
    fn narrow(&mut self, rank: u64, at: i64) {
        if at < self.time {
            self.low = rank;
        } else {
            self.high = rank;
        }
    }
}
