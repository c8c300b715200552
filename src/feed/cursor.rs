//! Finding rows by time and reading them by rank.

use super::order::{self, Order, Run};
use super::source::Bytes;
use super::table::changed;
use crate::error::Result;
use crate::myisam::{BadFlag, Layout, MAX_STRIDE, Row};
use std::ops::Range;
use std::path::Path;

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
    /// Rank and time of the last row found by time.
    hint: Option<(u64, i64)>,
    /// Rows per second lately.
    rate: f64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(
        bytes: Bytes<'a>,
        layout: &'a Layout,
        order: &'a Order,
        path: &'a Path,
    ) -> Self {
        let rate = match order.span() {
            Some((first, last)) if last > first => {
                order.len() as f64 / last.abs_diff(first) as f64
            }
            _ => 1.0,
        };
        let run = Run { rank: 0, row: 0 };
        Cursor { bytes, layout, order, path, run, run_end: 0, hint: None, rate }
    }

    /// How many rows count.
    pub(crate) fn len(&self) -> u64 {
        self.order.len()
    }

    /// Times of the first and the last row.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.order.span()
    }

    #[inline]
    fn offset(&mut self, rank: u64) -> u64 {
        if rank < self.run.rank || rank >= self.run_end {
            let index = self.order.run_of(rank);
            self.run = self.order.run(index);
            self.run_end = self.order.run_end(index);
        }
        (self.run.row + (rank - self.run.rank)) * self.layout.stride() as u64
    }

    /// The row of that rank.
    #[inline]
    pub(crate) fn row(&mut self, rank: u64) -> Result<Row> {
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
        let Some((first, last)) = self.order.span() else { return Ok(0) };
        if time <= first {
            return Ok(0);
        }
        if time > last {
            return Ok(self.len());
        }
        let mut within = Bracket { time, low: 0, high: self.len() - 1, high_time: last };
        if let Some((rank, at)) = self.hint {
            within.narrow(rank, at);
        }

        // Feeds tick regularly, so the lately seen rate leads near the place.
        // A few guesses, each from the row the last one led to.
        let (mut from, mut from_time) = self.hint.unwrap_or((0, first));
        for _ in 0..3 {
            let Bracket { low, high, .. } = within;
            if high - low <= 1 {
                break;
            }
            let distance = (time - from_time) as f64 * self.rate;
            let guess =
                (from as f64 + distance.ceil()).clamp(low as f64, high as f64) as u64;
            from = guess.clamp(low + 1, high - 1);
            from_time = self.row(from)?.time;
            within.narrow(from, from_time);
            if distance.abs() < 4.0 {
                break;
            }
        }
        // The place is now close to `from` if the feed is regular there:
        // widen from it by doubling.
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
        let Bracket { high, high_time, .. } = within;
        if let Some((rank, at)) = self.hint {
            let rows = high.abs_diff(rank);
            let seconds = high_time.abs_diff(at);
            if rows > 0 && seconds > 0 {
                self.rate = rows as f64 / seconds as f64;
            }
        }
        self.hint = Some((high, high_time));
        Ok(high)
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
            order::scan(
                &self.bytes,
                self.layout,
                row..row + count,
                self.path,
                |_, chunk| each(chunk),
            )?;
            rank += count;
        }
        Ok(())
    }
}

/// Where the first row at or after `time` is: behind `low`, at `high` at the
/// latest.
struct Bracket {
    time: i64,
    low: u64,
    high: u64,
    /// The time of the row at `high`.
    high_time: i64,
}

impl Bracket {
    /// Takes in what the time of one row in the bracket is.
    #[inline]
    fn narrow(&mut self, rank: u64, at: i64) {
        if at < self.time {
            self.low = rank;
        } else {
            (self.high, self.high_time) = (rank, at);
        }
    }
}
