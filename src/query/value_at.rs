//! The value at given moments.

use super::{Flags, Mode, Point, Series, room_for};
use crate::error::{Error, Result, Status};
use crate::feed::{Cursor, Feed};
use crate::myisam::Row;

/// One point for each of `times` (Unix seconds in any order; ascending is
/// fastest), with that time.
///
/// At exactly the second of a row, [`Mode::Linear`] answers the row's own
/// value. Between two rows it answers the straight line, or no value if either
/// row has none; outside the feed, no value. Among rows of one second, the
/// first in the file counts as "at or after", the last as "at or before".
///
/// With [`Flags::TRUE_TIME`] a point has the time of the row that answers, if
/// that row has a value. With [`Flags::SKIP_MISSING`] points without a value
/// are left out.
///
/// Errors: [`Status::Argument`] for other flags, and those of [`Feed::read`].
pub fn values_at(feed: &Feed, times: &[i64], mode: Mode, flags: Flags) -> Result<Series> {
    if !Flags::SKIP_MISSING.with(Flags::TRUE_TIME).has(flags) {
        return Err(Error::new(
            Status::Argument,
            "values at given times know no other flags than SKIP_MISSING and TRUE_TIME",
        ));
    }
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let mut points = room_for(times.len() as u64)?;
        for &time in times {
            let answer = match mode {
                Mode::Next => next(&mut cursor, time)?,
                Mode::Previous => previous(&mut cursor, time)?,
                Mode::Linear => linear(&mut cursor, time)?,
                Mode::Exact => next(&mut cursor, time)?.filter(|row| row.time == time),
            };
            let answer = answer.filter(|row| !row.value.is_nan());
            match answer {
                Some(row) if flags.has(Flags::TRUE_TIME) => {
                    points.push(Point { time: row.time, value: row.value });
                }
                Some(row) => points.push(Point { time, value: row.value }),
                None if flags.has(Flags::SKIP_MISSING) => {}
                None => points.push(Point::missing(time)),
            }
        }
        Ok(Series { points, single: snapshot.layout().is_single() })
    })
}

fn next(cursor: &mut Cursor, time: i64) -> Result<Option<Row>> {
    let rank = cursor.lower_bound(time)?;
    if rank == cursor.len() { Ok(None) } else { cursor.row(rank).map(Some) }
}

/// Rank behind the last row at or before `time`.
fn upper_bound(cursor: &mut Cursor, time: i64) -> Result<u64> {
    match time.checked_add(1) {
        Some(after) => cursor.lower_bound(after),
        None => Ok(cursor.len()),
    }
}

fn previous(cursor: &mut Cursor, time: i64) -> Result<Option<Row>> {
    match upper_bound(cursor, time)? {
        0 => Ok(None),
        rank => cursor.row(rank - 1).map(Some),
    }
}

fn linear(cursor: &mut Cursor, time: i64) -> Result<Option<Row>> {
    let rank = upper_bound(cursor, time)?;
    if rank == 0 {
        return Ok(None);
    }
    let before = cursor.row(rank - 1)?;
    if before.time == time {
        return Ok(Some(before));
    }
    if rank == cursor.len() {
        return Ok(None);
    }
    let after = cursor.row(rank)?;
    let share = (time - before.time) as f64 / (after.time - before.time) as f64;
    let value = before.value + (after.value - before.value) * share;
    Ok(Some(Row { time, value }))
}
