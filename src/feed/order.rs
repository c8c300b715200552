//! The rows that count, in order of `(time, row number)`.
//!
//! Rows are appended in time order but for exceptions: slots of deleted rows
//! are reused, times are edited, readings come late. So the order is kept as
//! a list of runs: stretches of the file that are in order by themselves, and
//! strung together give the whole order. A feed without exceptions is one
//! run; each hole or row out of place costs one or two more.

use super::merge;
use super::scan::scan;
use super::source::Bytes;
use super::summary::Summary;
use super::survey::{Segment, Survey};
use super::table::changed;
use crate::error::{Error, Result, Status};
use crate::myisam::{BLOCK, Columns, Layout, MAX_STRIDE};
use std::ops::Range;
use std::path::Path;

/// A stretch of rows that follow each other in the file and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Rank of its first row among all rows that count.
    pub rank: u64,
    /// Row number of its first row in the file.
    pub row: u64,
}

/// All rows that count, by rank, and what is kept of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    pub(super) runs: Vec<Run>,
    pub(super) len: u64,
    pub(super) in_file_order: bool,
    /// Times of the first and the last row, if there are rows.
    pub(super) span: Option<(i64, i64)>,
    pub(super) summary: Summary,
}

impl Order {
    /// Reads all committed rows, checks each flag byte and finds the order.
    /// Gives also how many slots are those of deleted rows. `each` is called
    /// with the rows.
    pub(super) fn find(
        mut bytes: Bytes,
        layout: &Layout,
        slots: u64,
        path: &Path,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(Order, u64)> {
        let summary = Summary::with_room(slots, path)?;
        let mut survey = Survey::behind(None, summary, 0, layout, path);
        scan(&bytes, layout, 0..slots, path, |first, rows| {
            each(rows);
            survey.take(first, rows)
        })?;
        let dead = survey.dead();
        let mut order = Order { span: survey.span(), ..Order::default() };
        let (segments, summary) = survey.end()?;
        if let Some(summary) = summary {
            order.in_file_order = true;
            order.summary = summary;
            order.append(&segments, path)?;
        } else {
            bytes.look_again();
            merge::segments(segments, &mut bytes, layout, path, |rows| {
                order.push(rows, path)
            })?;
            order.summarise(&bytes, layout, path)?;
            // The times of two readings, which must be the same.
            if order.span.is_none_or(|(first, _)| first != order.summary.base) {
                return Err(changed().at(path));
            }
        }
        order.runs.shrink_to_fit();
        Ok((order, dead))
    }

    /// The order when the slots `new` have been added behind the others,
    /// which stayed as they were. `each` is called with the new rows. `None`
    /// if they do not follow in time.
    pub(super) fn extended(
        mut self,
        bytes: &Bytes,
        layout: &Layout,
        new: Range<u64>,
        path: &Path,
        mut each: impl FnMut(&[u8]),
    ) -> Result<Option<Order>> {
        if new.is_empty() {
            return Ok(Some(self));
        }
        let summary = std::mem::take(&mut self.summary);
        let run = self.runs.len().checked_sub(1);
        let last = run.zip(self.span).map(|(run, (_, last))| {
            let Run { rank, row } = self.runs[run];
            (run, Segment { rows: row..row + (self.len - rank), first: last, last })
        });
        let mut survey = Survey::behind(last, summary, new.start, layout, path);
        scan(bytes, layout, new, path, |first, rows| {
            each(rows);
            survey.take(first, rows)
        })?;
        let last_time = survey.span().map(|(_, last)| last);
        let (segments, summary) = survey.end()?;
        let Some(summary) = summary else { return Ok(None) };
        self.summary = summary;
        self.span = match (self.span, last_time) {
            (Some((first, _)), Some(last)) => Some((first, last)),
            (None, Some(last)) => segments.first().map(|segment| (segment.first, last)),
            (span, None) => span,
        };
        if let Some(Run { rank, .. }) = self.runs.pop() {
            // It comes again as the first of the segments.
            self.len = rank;
        } else {
            self.in_file_order = true;
        }
        self.append(&segments, path)?;
        Ok(Some(self))
    }

    /// Appends segments that follow in time.
    fn append(&mut self, segments: &[Segment], path: &Path) -> Result<()> {
        segments.iter().try_for_each(|segment| self.push(segment.rows.clone(), path))
    }

    fn push(&mut self, rows: Range<u64>, path: &Path) -> Result<()> {
        let is_next = self
            .runs
            .last()
            // Rows that follow each other again are one run.
            .is_some_and(|last| last.row + (self.len - last.rank) == rows.start);
        if !is_next {
            reserve(&mut self.runs, path)?;
            self.runs.push(Run { rank: self.len, row: rows.start });
        }
        self.len += rows.end - rows.start;
        Ok(())
    }

    /// Reads the rows once more, in their order.
    fn summarise(&mut self, bytes: &Bytes, layout: &Layout, path: &Path) -> Result<()> {
        let stride = layout.stride();
        let mut summary = Summary::with_room(self.len, path)?;
        let mut columns = Columns::default();
        let mut buffer = [0; BLOCK * MAX_STRIDE];
        for (index, run) in self.runs.iter().enumerate() {
            let mut row = run.row;
            let end = run.row + (self.run_end(index) - run.rank);
            while row < end {
                let until = summary.until_whole();
                let count = if until == 0 { BLOCK } else { until };
                let count = (end - row).min(count as u64);
                let rows = &mut buffer[..count as usize * stride];
                bytes.read(row * stride as u64, rows)?;
                let block = match until {
                    0 => layout.block(rows, &mut columns),
                    _ => None,
                };
                match block {
                    Some(block) => summary.push_block(&block, index, path)?,
                    None => {
                        for row in rows.chunks_exact(stride) {
                            // It counted when the order was found.
                            let row = layout.row(row);
                            let row = row.ok_or_else(|| changed().at(path))?;
                            summary.push(row, index, path)?;
                        }
                    }
                }
                row += count;
            }
        }
        self.summary = summary;
        Ok(())
    }

    /// Whether it is one that rows in so many slots can have: nothing in it
    /// leads elsewhere.
    pub(super) fn fits(&self, slots: u64) -> bool {
        let Summary { firsts, runs: block_runs, tail, base, .. } = &self.summary;
        let blocks = self.len.div_ceil(BLOCK as u64);
        // Runs that follow each other in the file would be one.
        let ascends = |pair: &[Run]| {
            let (Run { rank, row }, next) = (pair[0], pair[1]);
            let rows = next.rank.checked_sub(rank).filter(|&rows| rows > 0);
            rows.and_then(|rows| row.checked_add(rows)).is_some_and(|end| end != next.row)
        };
        let run_fits = |index: usize| {
            let Run { rank, row } = self.runs[index];
            let rows = self.run_end(index).checked_sub(rank);
            rows.and_then(|rows| row.checked_add(rows)).is_some_and(|end| end <= slots)
        };
        let begins_in = |block: usize| {
            let (run, rank) = (self.summary.run(block), Summary::first_rank(block));
            self.runs.get(run).is_some_and(|run| run.rank <= rank)
                && rank < self.run_end(run)
        };
        let spans = match self.span {
            Some((first, last)) => {
                // Times are 32 bits wide.
                if first < i64::from(i32::MIN) || last > i64::from(u32::MAX) {
                    return false;
                }
                let ends = |block| self.summary.first(block).is_some_and(|t| t <= last);
                *base == first && firsts.first() == Some(&0) && ends(firsts.len() - 1)
            }
            None => self.len == 0,
        };
        self.len <= slots
            && blocks == firsts.len() as u64
            && tail.rows() as u64 == self.len % BLOCK as u64
            && (block_runs.is_empty() || block_runs.len() == firsts.len())
            && self.runs.is_empty() == (self.len == 0)
            && self.runs.first().is_none_or(|run| run.rank == 0)
            && self.runs.windows(2).all(ascends)
            && (0..self.runs.len()).all(run_fits)
            && (0..firsts.len()).all(begins_in)
            && firsts.windows(2).all(|pair| pair[0] <= pair[1])
            && spans
    }

    /// Index of the run that holds `rank`.
    pub(super) fn run_of(&self, rank: u64) -> usize {
        // Between the runs in which its block begins and the next does.
        let starts = &self.summary.runs;
        let block = (rank / BLOCK as u64) as usize;
        let from = self.summary.run(block);
        let to = starts.get(block + 1).map_or(self.runs.len(), |&run| run as usize + 1);
        from + self.runs[from..to].partition_point(|run| run.rank <= rank) - 1
    }

    pub(super) fn run(&self, index: usize) -> Run {
        self.runs[index]
    }

    /// The rank behind the last row of a run.
    pub(super) fn run_end(&self, index: usize) -> u64 {
        self.runs.get(index + 1).map_or(self.len, |next| next.rank)
    }

    /// How many rows lie in the file behind one of a later time.
    pub(super) fn late(&self) -> u64 {
        let mut late = 0;
        // Where the first of all rows of later runs lies.
        let mut first = u64::MAX;
        for (index, run) in self.runs.iter().enumerate().rev() {
            if first < run.row {
                late += self.run_end(index) - run.rank;
            }
            first = first.min(run.row);
        }
        late
    }

    /// How much memory it takes, in bytes.
    pub(super) fn footprint(&self) -> usize {
        self.runs.capacity() * size_of::<Run>() + self.summary.footprint()
    }
}

/// Room for one more, or an error: a feed in wild disorder needs more memory
/// than a host may have, which must not end it.
pub(super) fn reserve<T>(list: &mut Vec<T>, path: &Path) -> Result<()> {
    list.try_reserve(1).map_err(|_| out_of_memory(path))
}

pub(super) fn out_of_memory(path: &Path) -> Error {
    Error::new(
        Status::Memory,
        "not enough memory for the order of these rows, so many are out of place: ALTER TABLE … \
         ORDER BY time puts them in order",
    )
    .at(path)
}
