//! The rows themselves.

use super::{Point, Series, room_for};
use crate::error::Result;
use crate::feed::{Cursor, Feed};
use std::ops::Range;

/// All rows with `start <= time <= end` (Unix seconds), ascending, those of
/// one second in file order, with their own times. At most `limit` of them;
/// 0 means all.
///
/// Errors: those of [`Feed::read`].
pub fn rows(feed: &Feed, start: i64, end: i64, limit: u64) -> Result<Series> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let mut ranks = ranks(&mut cursor, start, end)?;
        if limit > 0 {
            ranks.end = ranks.end.min(ranks.start.saturating_add(limit));
        }
        let mut points = room_for(ranks.end - ranks.start)?;
        cursor.for_each(ranks, |row| {
            points.push(Point { time: row.time, value: row.value });
        })?;
        Ok(Series { points, single: snapshot.layout().is_single() })
    })
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
