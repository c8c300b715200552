//! `get_feed_data` as emoncms's feed model of July 2013 answered it.

use super::{MAX_WINDOWS, Point, Series, push, room_for, rows};
use crate::error::{Error, Result, Status};
use crate::feed::{Cursor, Feed};
use std::time::{SystemTime, UNIX_EPOCH};

/// Ranges longer than this, in seconds, are sampled.
const SAMPLED: f64 = 180_000.0;
/// Ranges longer than this are averaged, shorter ones given row by row.
const AVERAGED: f64 = 5_000.0;

/// About `dp` points between `start_ms` and `end_ms` (Unix milliseconds; an end
/// of 0 means now), with times in milliseconds. By the length of that range:
///
/// * over more than 50 hours, the first row of each of `dp` equal steps, both
///   ends included;
/// * over more than 5,000 seconds, averages of whole steps, ascending;
/// * otherwise, or if `dp` is not positive, all rows, **newest first**.
///
/// Rows without a value are left out, so every point has one.
///
/// Errors: [`Status::Argument`] for times that are not finite numbers or for
/// more than [`MAX_WINDOWS`] points, and those of [`Feed::read`].
pub fn feed_data(feed: &Feed, start_ms: f64, end_ms: f64, dp: i64) -> Result<Series> {
    if !start_ms.is_finite() || !end_ms.is_finite() {
        return Err(Error::new(Status::Argument, "start and end must be numbers"));
    }
    if dp > 0 && dp as u64 > MAX_WINDOWS {
        return Err(Error::new(
            Status::Argument,
            format!("{dp} points are more than the {MAX_WINDOWS} of one call"),
        ));
    }
    let start = start_ms / 1000.0;
    let end = if end_ms == 0.0 { now() } else { end_ms / 1000.0 };
    let range = end - start;
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let float = snapshot.layout().is_single();
        if range > SAMPLED && dp > 0 {
            let points = sampled(&mut cursor, start, range, dp)?;
            return Ok(Series { points, single: float });
        }
        // Times are whole seconds: those between the two are what counts.
        let (first, last) = (whole(start.ceil()), whole(end.floor()));
        if range > AVERAGED && dp > 0 {
            let step = whole((range / dp as f64).trunc()).max(1);
            let points = averaged(&mut cursor, first, last, step)?;
            return Ok(Series { points, single: false });
        }
        let ranks = rows::ranks(&mut cursor, first, last)?;
        let mut points = room_for(ranks.end - ranks.start)?;
        cursor.for_each(ranks, |row| {
            if !row.value.is_nan() {
                points.push(in_ms(row.time, row.value));
            }
        })?;
        points.reverse();
        Ok(Series { points, single: float })
    })
}

/// Seconds as a number rows can be compared with; the cast keeps to the range.
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

fn in_ms(time: i64, value: f64) -> Point {
    Point { time: time.saturating_mul(1000), value }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs() as f64)
}

fn sampled(cursor: &mut Cursor, start: f64, range: f64, dp: i64) -> Result<Vec<Point>> {
    let step = range / dp as f64;
    let mut points = Vec::new();
    let mut from = whole(start.trunc());
    for i in 1..=dp {
        let to = whole((start + (i as f64 * step).trunc()).trunc());
        let rank = cursor.lower_bound(from)?;
        if rank == cursor.len() {
            break;
        }
        let row = cursor.row(rank)?;
        // The end is included: a row on a bound answers for both sides.
        if row.time <= to && !row.value.is_nan() {
            push(&mut points, in_ms(row.time, row.value))?;
        }
        from = to;
    }
    Ok(points)
}

fn averaged(cursor: &mut Cursor, first: i64, last: i64, step: i64) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    let behind = rows::ranks(cursor, first, last)?.end;
    let mut rank = cursor.lower_bound(first)?;
    while rank < behind {
        // Groups are aligned to multiples of the step, not to the start.
        let group = cursor.row(rank)?.time.div_euclid(step);
        // Rows that are edited meanwhile must not lead back.
        let next = cursor.lower_bound((group + 1).saturating_mul(step))?;
        let next = next.clamp(rank + 1, behind);
        let (sum, count) = cursor.total(rank..next)?;
        if count > 0 {
            push(&mut points, in_ms(group * step, sum / count as f64))?;
        }
        rank = next;
    }
    Ok(points)
}
