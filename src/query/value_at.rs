//! The value at given moments.

use super::{Mode, Point, Series, room_for};
use crate::error::Result;
use crate::feed::{Cursor, Feed};

/// One point for each of `times` (Unix seconds, in any order, ascending is
/// fastest), bearing that time.
///
/// [`Mode::Linear`] answers a row's own value at the very second of a row;
/// between two rows the straight line, no value if either has none; nothing
/// outside the feed. Among rows of one second the first in the file counts as
/// "at or after", the last as "at or before".
///
/// Errors: those of [`Feed::read`].
pub fn values_at(feed: &Feed, times: &[i64], mode: Mode) -> Result<Series> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let mut points = room_for(times.len() as u64)?;
        for &time in times {
            let value = match mode {
                Mode::Next => next(&mut cursor, time)?,
                Mode::Previous => previous(&mut cursor, time)?,
                Mode::Linear => linear(&mut cursor, time)?,
                Mode::Exact => exact(&mut cursor, time)?,
            };
            points.push(Point { time, value });
        }
        Ok(Series { points, single: snapshot.layout().is_single() })
    })
}

fn next(cursor: &mut Cursor, time: i64) -> Result<f64> {
    let rank = cursor.lower_bound(time)?;
    if rank == cursor.len() { Ok(f64::NAN) } else { Ok(cursor.row(rank)?.value) }
}

/// Rank behind the last row at or before `time`.
fn upper_bound(cursor: &mut Cursor, time: i64) -> Result<u64> {
    match time.checked_add(1) {
        Some(after) => cursor.lower_bound(after),
        None => Ok(cursor.len()),
    }
}

fn previous(cursor: &mut Cursor, time: i64) -> Result<f64> {
    match upper_bound(cursor, time)? {
        0 => Ok(f64::NAN),
        rank => Ok(cursor.row(rank - 1)?.value),
    }
}

fn exact(cursor: &mut Cursor, time: i64) -> Result<f64> {
    let rank = cursor.lower_bound(time)?;
    if rank == cursor.len() {
        return Ok(f64::NAN);
    }
    let row = cursor.row(rank)?;
    Ok(if row.time == time { row.value } else { f64::NAN })
}

fn linear(cursor: &mut Cursor, time: i64) -> Result<f64> {
    let rank = upper_bound(cursor, time)?;
    if rank == 0 {
        return Ok(f64::NAN);
    }
    let before = cursor.row(rank - 1)?;
    if before.time == time {
        return Ok(before.value);
    }
    if rank == cursor.len() {
        return Ok(f64::NAN);
    }
    let after = cursor.row(rank)?;
    let share = (time - before.time) as f64 / (after.time - before.time) as f64;
    Ok(before.value + (after.value - before.value) * share)
}
