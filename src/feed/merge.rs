//! Putting segments that overlap in time in order.

use super::order::out_of_memory;
use super::source::Bytes;
use super::survey::Segment;
use super::table::changed;
use crate::error::{Error, Result};
use crate::myisam::{Layout, MAX_STRIDE};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::Path;

/// Merges segments that overlap in time, and calls `push` with stretches of
/// rows in their order. From the segment whose next row is the earliest, all
/// rows go that come before the next row of any other.
pub(super) fn segments(
    mut segments: Vec<Segment>,
    bytes: &mut Bytes,
    layout: &Layout,
    path: &Path,
    mut push: impl FnMut(Range<u64>) -> Result<()>,
) -> Result<()> {
    let mut time = |row: u64| -> Result<i64> {
        let mut buffer = [0; MAX_STRIDE];
        let stride = layout.stride();
        bytes.probe(row * stride as u64, &mut buffer[..stride])?;
        layout
            .row(&buffer[..stride])
            .map(|row| row.time)
            .ok_or_else(|| changed().at(path))
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
            return push(start..end);
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
        push(start..high)?;
        if high < end {
            begun.try_reserve(1).map_err(|_| out_of_memory(path))?;
            begun.push(Reverse(Head { time: time(high)?, row: high, end }));
        }
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

impl Segment {
    fn head(self) -> Head {
        Head { time: self.first, row: self.rows.start, end: self.rows.end }
    }
}
