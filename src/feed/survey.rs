//! One pass over rows in file order: what is in order, and what it comes to.

use super::order::reserve;
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::myisam::{BLOCK, BadFlag, Block, Columns, Layout, Row};
use std::ops::Range;
use std::path::Path;

/// Rows that follow each other in the file, all of which count, in time order.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) rows: Range<u64>,
    pub(super) first: i64,
    pub(super) last: i64,
}

/// Cuts the file into segments, as few as there can be, and sums up their
/// rows for as long as the order of the file is that of time.
pub(super) struct Survey<'a> {
    layout: &'a Layout,
    path: &'a Path,
    segments: Vec<Segment>,
    /// Whether the last segment goes on: the slot before this one counted.
    open: bool,
    /// The number of runs before the first segment.
    runs_before: usize,
    /// `None` as soon as a segment begins before the one in front ended.
    summary: Option<Summary>,
    failure: Option<Error>,
    columns: Columns,
    /// Slots of deleted rows.
    dead: u64,
}

impl<'a> Survey<'a> {
    /// Of the rows from `from` on, where `summary` is that of all before, and
    /// `last` the last run, with its index.
    pub(super) fn behind(
        last: Option<(usize, Segment)>,
        summary: Summary,
        from: u64,
        layout: &'a Layout,
        path: &'a Path,
    ) -> Self {
        let (runs_before, last) = last.unzip();
        let open = last.as_ref().is_some_and(|segment| segment.rows.end == from);
        Survey {
            layout,
            path,
            segments: last.into_iter().collect(),
            open,
            runs_before: runs_before.unwrap_or(0),
            summary: Some(summary),
            failure: None,
            columns: Columns::default(),
            dead: 0,
        }
    }

    /// Takes in the next rows; the first is `row`.
    pub(super) fn take(&mut self, mut row: u64, mut rows: &[u8]) -> Result<(), BadFlag> {
        let stride = self.layout.stride();
        let mut done = 0;
        while !rows.is_empty() && self.failure.is_none() {
            // A block that is summed up must begin where one begins there.
            let until = self.summary.as_ref().map_or(0, Summary::until_whole);
            let piece = if until == 0 { BLOCK } else { until };
            let (now, later) = rows.split_at((piece * stride).min(rows.len()));
            let block = match until {
                0 => self.layout.block(now, &mut self.columns),
                _ => None,
            };
            match block {
                Some(block) => self.take_block(row, &block),
                None => {
                    let layout = self.layout;
                    layout
                        .for_each(now, |index, found| match found {
                            Some(found) => self.take_row(row + index as u64, found),
                            None => {
                                self.open = false;
                                self.dead +=
                                    u64::from(layout.is_deleted(&now[index * stride..]));
                            }
                        })
                        .map_err(|bad| BadFlag { index: done + bad.index, ..bad })?;
                }
            }
            row += (now.len() / stride) as u64;
            done += now.len() / stride;
            rows = later;
        }
        Ok(())
    }

    fn take_block(&mut self, row: u64, block: &Block) {
        if self.make_room(row, block.first) {
            let run = self.run();
            let path = self.path;
            if let Some(summary) = &mut self.summary {
                self.failure = summary.push_block(block, run, path).err();
            }
            self.grow(row + BLOCK as u64, block.last);
        }
    }

    fn take_row(&mut self, row: u64, found: Row) {
        if self.make_room(row, found.time) {
            let run = self.run();
            let path = self.path;
            if let Some(summary) = &mut self.summary {
                self.failure = summary.push(found, run, path).err();
            }
            self.grow(row + 1, found.time);
        }
    }

    /// Begins a segment, unless the last one goes on with this row.
    fn make_room(&mut self, row: u64, time: i64) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let last = self.segments.last().map(|segment| segment.last);
        if self.open && last.is_some_and(|last| last <= time) {
            return true;
        }
        if last.is_some_and(|last| time < last) {
            self.summary = None;
        }
        if let Err(error) = reserve(&mut self.segments, self.path) {
            self.failure = Some(error);
            return false;
        }
        self.segments.push(Segment { rows: row..row, first: time, last: time });
        self.open = true;
        true
    }

    /// The index of the run that the last segment is or will be. (All the
    /// segments in front are, as long as there is a summary.)
    fn run(&self) -> usize {
        self.runs_before + self.segments.len() - 1
    }

    fn grow(&mut self, end: u64, last: i64) {
        if let Some(segment) = self.segments.last_mut() {
            (segment.rows.end, segment.last) = (end, last);
        }
    }

    /// How many slots are those of deleted rows.
    pub(super) fn dead(&self) -> u64 {
        self.dead
    }

    /// The earliest and the latest time.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let first = self.segments.iter().map(|segment| segment.first).min();
        let last = self.segments.iter().map(|segment| segment.last).max();
        first.zip(last)
    }

    /// The segments, and the summary if they are in order as they are.
    pub(super) fn end(self) -> Result<(Vec<Segment>, Option<Summary>)> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok((self.segments, self.summary)),
        }
    }
}
