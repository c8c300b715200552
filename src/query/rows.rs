//! The rows themselves.

use super::{Point, Series, room_for};
use crate::error::{Error, Result, Status};
use crate::feed::{Answer, Cursor, Feed, Snapshot};
use std::ops::Range;

/// All rows with `start <= time <= end` (Unix seconds), ascending, with their
/// own times; rows of one second are in file order. At most `limit` of them; 0
/// means all.
///
/// Errors: those of [`Feed::read`].
pub fn rows(feed: &Feed, start: i64, end: i64, limit: u64) -> Result<Series> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let ranks = ranks(&mut cursor, start, end)?;
        read(snapshot, &mut cursor, limited(ranks, limit))
    })
}

/// How far reading rows in pieces has come: all rows before `time` were given,
/// and `given` of those at `time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Unix seconds.
    pub time: i64,
    /// Number of rows at `time` that were given.
    pub given: u64,
}

impl Position {
    /// Before all rows at or after `time`.
    pub fn at(time: i64) -> Position {
        Position { time, given: 0 }
    }

    /// Behind rows of these times, which were read from here.
    pub(super) fn behind(
        self,
        mut times: impl DoubleEndedIterator<Item = i64>,
    ) -> Position {
        let Some(last) = times.next_back() else { return self };
        let same = 1 + times.rev().take_while(|time| *time == last).count() as u64;
        let before = if last == self.time { self.given } else { 0 };
        Position { time: last, given: before + same }
    }
}

/// The next rows of [`rows`], at most `limit` of them (0 means all), and the
/// position after them. If fewer than `limit` come, there are no more. Reading
/// a feed of any size in this way takes little memory.
///
/// Each piece is read from the rows as they are at that moment, so it includes
/// rows appended meanwhile. Errors: [`Status::Changed`] if rows at `from` that
/// were given no longer exist, and those of [`Feed::read`].
pub fn rows_from(
    feed: &Feed,
    from: Position,
    end: i64,
    limit: u64,
) -> Result<(Series, Position)> {
    let series = piece(feed, from, end, limit, read)?;
    let behind = from.behind(series.points.iter().map(|row| row.time));
    Ok((series, behind))
}

/// What `read` makes of the next rows, of which these are the ranks.
pub(super) fn piece<T: Answer>(
    feed: &Feed,
    from: Position,
    end: i64,
    limit: u64,
    read: impl Fn(&Snapshot, &mut Cursor, Range<u64>) -> Result<T>,
) -> Result<T> {
    let piece = feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let given = ranks(&mut cursor, from.time, from.time)?;
        if given.end - given.start < from.given {
            return Ok(None);
        }
        let mut ranks = ranks(&mut cursor, from.time, end)?;
        ranks.start = (ranks.start + from.given).min(ranks.end);
        read(snapshot, &mut cursor, limited(ranks, limit)).map(Some)
    })?;
    piece.ok_or_else(|| {
        Error::new(
            Status::Changed,
            "rows read before were changed or deleted meanwhile; begin again",
        )
        .at(feed.path())
    })
}

/// The first `limit` of them; 0 means all.
fn limited(ranks: Range<u64>, limit: u64) -> Range<u64> {
    match limit {
        0 => ranks,
        limit => ranks.start..ranks.end.min(ranks.start.saturating_add(limit)),
    }
}

fn read(snapshot: &Snapshot, cursor: &mut Cursor, ranks: Range<u64>) -> Result<Series> {
    let mut points = room_for(ranks.end - ranks.start)?;
    cursor.for_each(ranks, |row| {
        points.push(Point { time: row.time, value: row.value });
    })?;
    Ok(Series { points, single: snapshot.layout().is_single() })
}

/// Ranks of the rows with `start <= time <= end`.
pub(super) fn ranks(cursor: &mut Cursor, start: i64, end: i64) -> Result<Range<u64>> {
    let first = cursor.lower_bound(start)?;
    let behind = match end.checked_add(1) {
        Some(after) => cursor.lower_bound(after)?,
        None => cursor.len(),
    };
    Ok(first..behind.max(first))
}
