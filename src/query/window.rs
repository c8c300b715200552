//! Windows of time, and one value for each.

use super::{Aggregate, Flags, Point, Series, room_for};
use crate::error::{Error, Result, Status};
use crate::feed::{Cursor, Feed, Snapshot};
use crate::myisam::Row;
use std::ops::Range;

/// The most windows in one call; more are an argument error.
pub const MAX_WINDOWS: u64 = 10_000_000;

/// Windows `[e, e + interval)` for `e` = `start`, `start + interval`, … while
/// `e <= end`: the last may begin exactly at `end`. All are in seconds.
///
/// If `end` is before `start`, the answer is empty. Errors:
/// [`Status::Argument`] for an interval below 1 or more than [`MAX_WINDOWS`]
/// windows, and those of [`Feed::read`].
pub fn windows(
    feed: &Feed,
    start: i64,
    end: i64,
    interval: i64,
    aggregate: Aggregate,
    flags: Flags,
) -> Result<Series> {
    if interval < 1 {
        return Err(Error::new(
            Status::Argument,
            format!("an interval must be at least 1 second, not {interval}"),
        ));
    }
    if end < start {
        return Ok(Series { points: Vec::new(), single: false });
    }
    let count = (end.abs_diff(start) / interval as u64).saturating_add(1);
    check_count(count)?;
    // The last edge may lie beyond the numbers; no row is there.
    let edge = |index: u64| {
        let ahead = index.checked_mul(interval as u64);
        ahead.and_then(|ahead| start.checked_add_unsigned(ahead)).unwrap_or(i64::MAX)
    };
    feed.read(|snapshot| Windows { aggregate, flags, end }.answer(snapshot, count, edge))
}

/// One window `[edges[i], edges[i + 1])` for each pair of neighbouring edges.
///
/// Errors: [`Status::Argument`] for edges that do not ascend or more than
/// [`MAX_WINDOWS`] windows, and those of [`Feed::read`].
pub fn windows_at(
    feed: &Feed,
    edges: &[i64],
    aggregate: Aggregate,
    flags: Flags,
) -> Result<Series> {
    if let Some(i) = edges.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(Error::new(
            Status::Argument,
            format!(
                "edges must ascend, but edge {} ({}) follows edge {i} ({})",
                i + 1,
                edges[i + 1],
                edges[i]
            ),
        ));
    }
    let count = edges.len().saturating_sub(1) as u64;
    check_count(count)?;
    let end = edges.last().copied().unwrap_or(0);
    let edge = |index: u64| edges[index as usize];
    feed.read(|snapshot| Windows { aggregate, flags, end }.answer(snapshot, count, edge))
}

fn check_count(count: u64) -> Result<()> {
    if count > MAX_WINDOWS {
        return Err(Error::new(
            Status::Argument,
            format!(
                "{count} windows are more than the {MAX_WINDOWS} of one call: ask for longer \
                 windows or a shorter range"
            ),
        ));
    }
    Ok(())
}

struct Windows {
    aggregate: Aggregate,
    flags: Flags,
    end: i64,
}

impl Windows {
    fn answer(
        &self,
        snapshot: &Snapshot,
        count: u64,
        edge: impl Fn(u64) -> i64,
    ) -> Result<Series> {
        let mut cursor = snapshot.cursor();
        let single = snapshot.layout().is_single() && self.aggregate.chooses_row();
        let mut points = room_for(count)?;
        if count == 0 {
            return Ok(Series { points, single });
        }
        let mut from = edge(0);
        let mut first = cursor.lower_bound(from)?;
        for index in 0..count {
            let to = edge(index + 1);
            let next = cursor.lower_bound(to)?;
            let chosen = if self.flags.has(Flags::CLIP_END) && to > self.end {
                let clipped = cursor.lower_bound(self.end.max(from))?;
                self.value(&mut cursor, first..clipped, None)?
            } else {
                let closed = self.flags.has(Flags::CLOSED_END)
                    && !(self.flags.has(Flags::CLIP_END) && to == self.end);
                self.value(&mut cursor, first..next, closed.then_some(to))?
            };
            let time = match chosen.time {
                Some(time)
                    if self.flags.has(Flags::TRUE_TIME) && !chosen.value.is_nan() =>
                {
                    time
                }
                _ => from,
            };
            if !(chosen.value.is_nan() && self.flags.has(Flags::SKIP_MISSING)) {
                points.push(Point { time, value: chosen.value });
            }
            (from, first) = (to, next);
        }
        Ok(Series { points, single })
    }

    /// The value of the window of these ranks. A row at `closed_end`, behind
    /// them, may answer FIRST.
    fn value(
        &self,
        cursor: &mut Cursor,
        ranks: Range<u64>,
        closed_end: Option<i64>,
    ) -> Result<Chosen> {
        Ok(match self.aggregate {
            Aggregate::First => {
                let inside = !ranks.is_empty();
                if !inside && (closed_end.is_none() || ranks.start == cursor.len()) {
                    return Ok(Chosen::NONE);
                }
                let row = cursor.row(ranks.start)?;
                if inside || Some(row.time) == closed_end {
                    Chosen::of(row)
                } else {
                    Chosen::NONE
                }
            }
            Aggregate::Last if ranks.is_empty() => Chosen::NONE,
            Aggregate::Last => Chosen::of(cursor.row(ranks.end - 1)?),
            Aggregate::Average => {
                let (sum, count) = cursor.total(ranks)?;
                Chosen::computed(if count > 0 { sum / count as f64 } else { f64::NAN })
            }
            Aggregate::Sum => {
                let (sum, count) = cursor.total(ranks)?;
                Chosen::computed(if count > 0 { sum } else { f64::NAN })
            }
            Aggregate::Count => Chosen::computed(cursor.total(ranks)?.1 as f64),
            Aggregate::Min => {
                let value = cursor.smallest(ranks.clone())?;
                self.extreme(cursor, ranks, value)?
            }
            Aggregate::Max => {
                let value = cursor.largest(ranks.clone())?;
                self.extreme(cursor, ranks, value)?
            }
        })
    }

    /// The smallest or largest `value` of these rows, as the earliest row has
    /// it.
    fn extreme(
        &self,
        cursor: &mut Cursor,
        ranks: Range<u64>,
        value: f64,
    ) -> Result<Chosen> {
        if value.is_nan() {
            return Ok(Chosen::NONE);
        }
        // The value alone does not tell a zero's sign, nor a row's time.
        if value == 0.0 || self.flags.has(Flags::TRUE_TIME) {
            return Ok(Chosen::of(cursor.find(ranks, value)?));
        }
        Ok(Chosen::computed(value))
    }
}

/// What a window answers: a value, and a time if it is a row's.
struct Chosen {
    time: Option<i64>,
    value: f64,
}

impl Chosen {
    const NONE: Chosen = Chosen { time: None, value: f64::NAN };

    fn of(row: Row) -> Chosen {
        Chosen { time: Some(row.time), value: row.value }
    }

    fn computed(value: f64) -> Chosen {
        Chosen { time: None, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_range_is_too_many_windows_and_not_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed_1.MYD");
        std::fs::write(&path, b"").unwrap();
        let feed = Feed::open(&path).unwrap();
        let error = windows(&feed, i64::MIN, i64::MAX, 1, Aggregate::First, Flags::NONE)
            .expect_err("2^64 windows");
        assert_eq!(error.status(), Status::Argument);
    }

    #[test]
    fn edges_reach_from_one_end_of_time_to_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed_1.MYD");
        std::fs::write(&path, b"\xf9\x05\0\0\0\0\0\x80\x3f").unwrap();
        let feed = Feed::open(&path).unwrap();
        let windows = |start, interval| {
            let found =
                windows(&feed, start, i64::MAX, interval, Aggregate::Count, Flags::NONE);
            found.unwrap().points.iter().map(|p| (p.time, p.value)).collect::<Vec<_>>()
        };
        let half = 1 << 62;
        assert_eq!(
            windows(i64::MIN + 1, half),
            [(i64::MIN + 1, 0.0), (1 - half, 0.0), (1, 1.0), (half + 1, 0.0)]
        );
        assert_eq!(
            windows(i64::MIN, i64::MAX),
            [(i64::MIN, 0.0), (-1, 1.0), (i64::MAX - 1, 0.0)]
        );
    }
}
