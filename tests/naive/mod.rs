//! What queries answer according to their definitions, computed from rows in
//! memory, written for clarity. Rows are live, have a time, and are sorted by
//! `(time, row number)`; a value that is NULL is NaN.

use emonfeed::query::{Aggregate, Bin, Flags, Mode, Point};

/// A row that counts.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub time: i64,
    pub value: f64,
}

impl Row {
    fn point(&self) -> Point {
        Point { time: self.time, value: self.value }
    }
}

/// Where two answers differ, if they do.
pub fn difference(got: &[Point], want: &[Point], tolerance: f64) -> Option<String> {
    if got.len() != want.len() {
        return Some(format!(
            "{} points, not {}: {got:?}, not {want:?}",
            got.len(),
            want.len()
        ));
    }
    let mut pairs = got.iter().zip(want);
    let differs = pairs.position(|(g, w)| {
        let close = (g.value - w.value).abs() <= tolerance * w.value.abs()
            || g.value == w.value
            || (g.value.is_nan() && w.value.is_nan());
        g.time != w.time || !close
    });
    differs.map(|at| format!("point {at} is {:?}, not {:?}", got[at], want[at]))
}

/// What a window holds .
fn window(
    rows: &[Row],
    from: i64,
    to: i64,
    end: i64,
    aggregate: Aggregate,
    flags: Flags,
) -> Option<Point> {
    let clipped = |row: &&Row| !flags.has(Flags::CLIP_END) || row.time < end;
    let inside: Vec<Row> = rows
        .iter()
        .filter(|row| from <= row.time && row.time < to)
        .filter(clipped)
        .copied()
        .collect();
    let valued: Vec<Row> =
        inside.iter().filter(|row| !row.value.is_nan()).copied().collect();
    let sum: f64 = valued.iter().map(|row| row.value).sum();
    let with_edge: Vec<Row> = rows
        .iter()
        .filter(|row| {
            from <= row.time
                && (row.time < to || flags.has(Flags::CLOSED_END) && row.time == to)
        })
        .filter(clipped)
        .copied()
        .collect();
    let none = Row { time: from, value: f64::NAN };
    let extreme = |better: fn(f64, f64) -> bool| {
        let mut best = none;
        for row in &valued {
            if best.value.is_nan() || better(row.value, best.value) {
                best = *row;
            }
        }
        best
    };
    let computed = |value| Row { time: from, value };
    let row = match aggregate {
        Aggregate::First => with_edge.first().copied().unwrap_or(none),
        Aggregate::Last => inside.last().copied().unwrap_or(none),
        Aggregate::Average if valued.is_empty() => none,
        Aggregate::Average => computed(sum / valued.len() as f64),
        Aggregate::Sum if valued.is_empty() => none,
        Aggregate::Sum => computed(sum),
        Aggregate::Count => computed(valued.len() as f64),
        Aggregate::Min => extreme(|a, b| a < b),
        Aggregate::Max => extreme(|a, b| a > b),
    };
    if row.value.is_nan() {
        return (!flags.has(Flags::SKIP_MISSING)).then(|| Point::missing(from));
    }
    let time = if flags.has(Flags::TRUE_TIME) { row.time } else { from };
    Some(Point { time, value: row.value })
}

pub fn windows(
    rows: &[Row],
    (start, end): (i64, i64),
    interval: i64,
    aggregate: Aggregate,
    flags: Flags,
) -> Vec<Point> {
    let mut points = Vec::new();
    let mut from = start;
    while from <= end {
        points.extend(window(rows, from, from + interval, end, aggregate, flags));
        from += interval;
    }
    points
}

pub fn windows_at(
    rows: &[Row],
    edges: &[i64],
    aggregate: Aggregate,
    flags: Flags,
) -> Vec<Point> {
    let end = edges.last().copied().unwrap_or(0);
    let pairs = edges.windows(2);
    pairs
        .filter_map(|pair| window(rows, pair[0], pair[1], end, aggregate, flags))
        .collect()
}

pub fn values_at(rows: &[Row], times: &[i64], mode: Mode, flags: Flags) -> Vec<Point> {
    let at = |&time: &i64| {
        let before = rows.iter().rfind(|row| row.time <= time);
        let from = rows.iter().find(|row| row.time >= time);
        let after = rows.iter().find(|row| row.time > time);
        let own = |row: &Row| (row.time, row.value);
        let answer = match mode {
            Mode::Next => from.map(own),
            Mode::Previous => before.map(own),
            Mode::Exact => from.filter(|row| row.time == time).map(own),
            Mode::Linear => match (before, after) {
                (Some(a), _) if a.time == time => Some(own(a)),
                (Some(a), Some(b)) => {
                    let part = (time - a.time) as f64 / (b.time - a.time) as f64;
                    Some((time, a.value + (b.value - a.value) * part))
                }
                _ => None,
            },
        };
        match answer {
            Some((own, value)) if flags.has(Flags::TRUE_TIME) && !value.is_nan() => {
                Point { time: own, value }
            }
            answer => Point { time, value: answer.map_or(f64::NAN, |(_, value)| value) },
        }
    };
    let skip = flags.has(Flags::SKIP_MISSING);
    times.iter().map(at).filter(|point| !(skip && point.value.is_nan())).collect()
}

/// All of them if `limit` is 0.
pub fn rows_between(rows: &[Row], start: i64, end: i64, limit: u64) -> Vec<Point> {
    let inside = rows.iter().filter(|row| start <= row.time && row.time <= end);
    let mut points: Vec<_> = inside.map(Row::point).collect();
    if limit > 0 {
        points.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    points
}

pub fn last(rows: &[Row]) -> Vec<Point> {
    rows.last().map(Row::point).into_iter().collect()
}

/// The answer of the model of 2013, and how exact it is.
pub fn feed_data(rows: &[Row], start_ms: f64, end_ms: f64, dp: i64) -> (Vec<Point>, f64) {
    let (start, end) = (start_ms / 1000.0, end_ms / 1000.0);
    let range = end - start;
    let mut points = Vec::new();
    if range > 180_000.0 && dp > 0 {
        let td = range / dp as f64;
        let mut t = start as i64;
        for i in 0..dp {
            let tb = (start + ((i + 1) as f64 * td).trunc()) as i64;
            let first = rows.iter().find(|row| t <= row.time && row.time <= tb);
            if let Some(row) = first.filter(|row| !row.value.is_nan()) {
                points.push(Point { time: row.time * 1000, value: row.value });
            }
            t = tb;
        }
        return (points, 0.0);
    }
    let inside = rows.iter().filter(|row| {
        start <= row.time as f64 && row.time as f64 <= end && !row.value.is_nan()
    });
    let inside: Vec<&Row> = inside.collect();
    if range > 5_000.0 && dp > 0 {
        let td = ((range / dp as f64) as i64).max(1);
        for group in inside.chunk_by(|a, b| a.time / td == b.time / td) {
            let sum: f64 = group.iter().map(|row| row.value).sum();
            let time = group[0].time / td * td * 1000;
            points.push(Point { time, value: sum / group.len() as f64 });
        }
        return (points, 1e-12);
    }
    let newest_first = inside.iter().rev();
    points.extend(
        newest_first.map(|row| Point { time: row.time * 1000, value: row.value }),
    );
    (points, 0.0)
}

/// A live row of a histogram feed.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    pub time: i64,
    pub data: Option<f32>,
    pub data2: Option<f32>,
}

/// NaN if none has a value.
fn sum(bars: &[&Bar]) -> f64 {
    let values: Vec<_> = bars.iter().filter_map(|bar| bar.data.map(f64::from)).collect();
    if values.is_empty() { f64::NAN } else { values.iter().sum() }
}

pub fn histogram(bars: &[Bar], start: i64, end: i64) -> Vec<Bin> {
    let inside = bars.iter().filter(|bar| start <= bar.time && bar.time < end);
    let inside: Vec<&Bar> = inside.collect();
    let mut keys: Vec<f32> = inside.iter().filter_map(|bar| bar.data2).collect();
    keys.sort_by(f32::total_cmp);
    keys.dedup();
    let bin = |&key: &f32| {
        let same = inside.iter().filter(|bar| bar.data2 == Some(key));
        let same: Vec<&Bar> = same.copied().collect();
        Bin { data2: f64::from(key), sum: sum(&same) }
    };
    keys.iter().map(bin).collect()
}

pub fn sum_by_time(bars: &[Bar], min: f64, max: f64) -> Vec<Point> {
    let chosen = bars.iter().filter(|bar| {
        bar.data2.is_some_and(|d| min <= f64::from(d) && f64::from(d) <= max)
    });
    let chosen: Vec<&Bar> = chosen.collect();
    let groups = chosen.chunk_by(|a, b| a.time == b.time);
    groups.map(|bars| Point { time: bars[0].time, value: sum(bars) }).collect()
}
