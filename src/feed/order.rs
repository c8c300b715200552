//! The rows that count, in order of `(time, row number)`.
//!
//! Rows are appended in time order but for exceptions: slots of deleted rows
//! are reused, times are edited, readings come late. So the order is kept as
//! a list of runs: stretches of the file that are in order by themselves, and
//! strung together give the whole order. A feed without exceptions is one
//! run; each hole or row out of place costs one or two more.

use super::source::Bytes;
use crate::error::{Error, Result, Status};
use crate::myisam::{Layout, MAX_STRIDE};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::Path;

/// Bytes per block of a scan: fits the first cache beside what else is in use.
const BLOCK: usize = 16 << 10;

/// A stretch of rows that follow each other in the file and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Rank of its first row among all rows that count.
    pub rank: u64,
    /// Row number of its first row in the file.
    pub row: u64,
}

/// All rows that count, by rank.
#[derive(Debug, Default)]
pub(super) struct Order {
    runs: Vec<Run>,
    len: u64,
    in_file_order: bool,
    /// Times of the first and the last row, if there are rows.
    span: Option<(i64, i64)>,
}

impl Order {
    /// Reads all committed rows, checks each flag byte and finds the order.
    pub(super) fn find(
        mut bytes: Bytes,
        layout: &Layout,
        slots: u64,
        path: &Path,
    ) -> Result<Order> {
        let segments = segments(&bytes, layout, slots, path)?;
        let in_file_order = segments.windows(2).all(|pair| pair[0].last <= pair[1].first);
        let first = segments.iter().map(|segment| segment.first).min();
        let last = segments.iter().map(|segment| segment.last).max();
        let span = first.zip(last);
        let mut order = Order { in_file_order, span, ..Order::default() };
        if in_file_order {
            for segment in &segments {
                order.push(segment.rows.clone(), path)?;
            }
        } else {
            order.merge(segments, &mut bytes, layout, path)?;
        }
        order.runs.shrink_to_fit();
        Ok(order)
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

    /// Merges segments that overlap in time. From the segment whose next row
    /// is the earliest, all rows go that come before the next row of any
    /// other.
    fn merge(
        &mut self,
        mut segments: Vec<Segment>,
        bytes: &mut Bytes,
        layout: &Layout,
        path: &Path,
    ) -> Result<()> {
        let mut time = |row: u64| -> Result<i64> {
            let mut buffer = [0; MAX_STRIDE];
            let stride = layout.stride();
            bytes.probe(row * stride as u64, &mut buffer[..stride])?;
            layout
                .row(&buffer[..stride])
                .map(|row| row.time)
                .ok_or_else(|| super::table::changed().at(path))
        };
        // By their first rows; those begun wait in the heap for their next.
        segments.sort_unstable_by_key(|segment| (segment.first, segment.rows.start));
        let mut untouched = segments.into_iter().map(Segment::head).peekable();
        let mut begun: BinaryHeap<Reverse<Head>> = BinaryHeap::new();
        loop {
            let from_heap = match (begun.peek(), untouched.peek()) {
                (Some(Reverse(a)), Some(b)) => a < b,
                (a, _) => a.is_some(),
            };
            let next = if from_heap {
                begun.pop().map(|Reverse(head)| head)
            } else {
                untouched.next()
            };
            let Some(Head { row: start, end, .. }) = next else { return Ok(()) };
            let limit = match (begun.peek(), untouched.peek()) {
                (Some(Reverse(a)), Some(b)) => Some((*a).min(*b)),
                (Some(Reverse(a)), None) => Some(*a),
                (None, b) => b.copied(),
            };
            let Some(limit) = limit else {
                return self.push(start..end, path);
            };
            let mut before =
                |row: u64| Ok::<_, Error>((time(row)?, row) < (limit.time, limit.row));
            // Gallop, then bisect, for the first row that is not before.
            let (mut low, mut step) = (start, 1);
            let mut high = loop {
                let probe = low + step;
                if probe >= end {
                    break end;
                }
                if !before(probe)? {
                    break probe;
                }
                low = probe;
                step *= 2;
            };
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if before(middle)? {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            self.push(start..high, path)?;
            if high < end {
                begun.try_reserve(1).map_err(|_| out_of_memory(path))?;
                begun.push(Reverse(Head { time: time(high)?, row: high, end }));
            }
        }
    }

    /// How many rows count.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the order of the file is the order of time.
    pub(super) fn in_file_order(&self) -> bool {
        self.in_file_order
    }

    /// Times of the first and the last row.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// Index of the run that holds `rank`.
    pub(super) fn run_of(&self, rank: u64) -> usize {
        self.runs.partition_point(|run| run.rank <= rank) - 1
    }

    pub(super) fn run(&self, index: usize) -> Run {
        self.runs[index]
    }

    /// The rank behind the last row of a run.
    pub(super) fn run_end(&self, index: usize) -> u64 {
        self.runs.get(index + 1).map_or(self.len, |next| next.rank)
    }

    /// How much memory the runs take, in bytes.
    pub(super) fn footprint(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }
}

/// Rows that follow each other in the file, all of which count, in time order.
struct Segment {
    rows: Range<u64>,
    first: i64,
    last: i64,
}

impl Segment {
    fn head(self) -> Head {
        Head { time: self.first, row: self.rows.start, end: self.rows.end }
    }
}

/// What is left of a segment, by its next row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    time: i64,
    row: u64,
    /// The row behind its last.
    end: u64,
}

/// Room for one more, or an error: a feed in wild disorder needs more memory
/// than a host may have, which must not end it.
fn reserve<T>(list: &mut Vec<T>, path: &Path) -> Result<()> {
    list.try_reserve(1).map_err(|_| out_of_memory(path))
}

fn out_of_memory(path: &Path) -> Error {
    Error::new(
        Status::Memory,
        "not enough memory for the order of these rows, so many are out of place: ALTER TABLE … \
         ORDER BY time puts them in order",
    )
    .at(path)
}

/// Cuts the file into segments, as few as there can be.
fn segments(
    bytes: &Bytes,
    layout: &Layout,
    slots: u64,
    path: &Path,
) -> Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    // The segment being grown, if the previous row counted.
    let mut open = false;
    let mut no_memory = None;
    scan(bytes, layout, 0..slots, path, |first_row, chunk| {
        let mut last = segments.last().map_or(0, |segment| segment.last);
        let result = layout.for_each(chunk, |index, row| {
            let number = first_row + index as u64;
            match row {
                Some(row) if open && row.time >= last => last = row.time,
                Some(row) => {
                    if let Some(segment) = segments.last_mut().filter(|_| open) {
                        (segment.rows.end, segment.last) = (number, last);
                    }
                    let (first, rows) = (row.time, number..number);
                    match reserve(&mut segments, path) {
                        Ok(()) => segments.push(Segment { rows, first, last: first }),
                        Err(e) => no_memory = Some(e),
                    }
                    (open, last) = (true, first);
                }
                None => {
                    if let Some(segment) = segments.last_mut().filter(|_| open) {
                        (segment.rows.end, segment.last) = (number, last);
                    }
                    open = false;
                }
            }
        });
        let rows = (chunk.len() / layout.stride()) as u64;
        if let Some(segment) = segments.last_mut().filter(|_| open) {
            (segment.rows.end, segment.last) = (first_row + rows, last);
        }
        result
    })?;
    match no_memory {
        Some(error) => Err(error),
        None => Ok(segments),
    }
}

/// Calls `each` with blocks of the rows in `range`, with the row number of
/// the first, in file order.
pub(super) fn scan(
    bytes: &Bytes,
    layout: &Layout,
    range: Range<u64>,
    path: &Path,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), crate::myisam::BadFlag>,
) -> Result<()> {
    let stride = layout.stride();
    let per_block = (BLOCK / stride) as u64;
    let mut buffer = [0; BLOCK];
    // Read-ahead is asked for in steps, so that a long scan does not push
    // everything else out of the cache at once.
    const AHEAD: u64 = 4 << 20;
    let mut asked = range.start * stride as u64;
    let mut row = range.start;
    while row < range.end {
        let count = per_block.min(range.end - row);
        let offset = row * stride as u64;
        let end = range.end * stride as u64;
        if offset + AHEAD / 2 >= asked && asked < end && end - offset > BLOCK as u64 {
            bytes.will_need(asked, AHEAD.min(end - asked));
            asked += AHEAD;
        }
        let block = &mut buffer[..count as usize * stride];
        bytes.read(offset, block)?;
        each(row, block)
            .map_err(|bad| bad_row(layout, row + bad.index as u64, bad.flag, path))?;
        row += count;
    }
    Ok(())
}

fn bad_row(layout: &Layout, row: u64, flag: u8, path: &Path) -> Error {
    Error::new(
        Status::BadRow,
        format!(
            "row {row} begins with the byte {flag:#04x}, which no row of this table can have: \
             the rows are damaged or lie between row boundaries; save a copy, then REPAIR TABLE"
        ),
    )
    .at(path)
    .at_offset(row * layout.stride() as u64)
}
