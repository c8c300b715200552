//! Asking a feed everything, and comparing with the naive answers.

use super::input::Input;
use super::naive::{self, Bar, Row};
use emonfeed::query::{self, Aggregate, Flags, Mode, Point, Position, Series};
use emonfeed::{Access, Feed, Options, Result, Status};
use std::path::Path;

/// What is asked, within what the naive answers can do.
#[derive(Debug)]
pub struct Questions {
    start: i64,
    end: i64,
    interval: i64,
    aggregate: Aggregate,
    mode: Mode,
    flags: Flags,
    times: Vec<i64>,
    limit: u64,
    points: i64,
}

impl Questions {
    /// About times near `base`.
    pub fn new(input: &mut Input, base: i64) -> Questions {
        const MOST: i64 = 200;
        let time = |input: &mut Input| input.near(base).clamp(-1 << 40, 1 << 40);
        let (start, end) = (time(input), time(input));
        let span = end.saturating_sub(start).max(0);
        Questions {
            start,
            end,
            interval: i64::from(input.u16()).max(span / MOST).max(1),
            aggregate: Aggregate::ALL[usize::from(input.u8()) % Aggregate::ALL.len()],
            mode: Mode::ALL[usize::from(input.u8()) % Mode::ALL.len()],
            flags: Flags::from_bits(u32::from(input.u8() % 16)).expect("known flags"),
            times: (0..input.u8() % 32).map(|_| time(input)).collect(),
            limit: (input.u8() % 8).into(),
            points: i64::from(input.u8()) - 1,
        }
    }

    /// Those that values at times know.
    fn value_flags(&self) -> Flags {
        let known = [Flags::SKIP_MISSING, Flags::TRUE_TIME].into_iter();
        known.filter(|flag| self.flags.has(*flag)).fold(Flags::NONE, Flags::with)
    }

    fn edges(&self) -> Vec<i64> {
        let mut edges = self.times.clone();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    fn milliseconds(&self) -> (f64, f64) {
        // An end of 0 means now.
        let end = if self.end == 0 { 1 } else { self.end };
        (self.start as f64 * 1e3, end as f64 * 1e3)
    }

    /// Everything this is about, as each query answers.
    pub fn ask(&self, feed: &Feed) -> Result<Answers> {
        let Questions { start, end, aggregate, flags, .. } = *self;
        let (start_ms, end_ms) = self.milliseconds();
        let ranked = match query::histogram(feed, start, end) {
            Ok(histogram) => Some((
                histogram
                    .bins
                    .iter()
                    .map(|bin| Point { time: 0, value: bin.data2 })
                    .collect(),
                histogram
                    .bins
                    .iter()
                    .map(|bin| Point { time: 0, value: bin.sum })
                    .collect(),
                query::sum_by_time(feed, start as f64, end as f64)?.points,
            )),
            Err(error) if error.status() == Status::NoHistogram => None,
            Err(error) => return Err(error),
        };
        Ok(Answers {
            all: query::rows(feed, i64::MIN, i64::MAX, 0)?,
            rows: query::rows(feed, start, end, self.limit)?.points,
            pieces: self.pieces(feed)?,
            last: query::last(feed)?.points,
            windows: query::windows(feed, start, end, self.interval, aggregate, flags)?
                .points,
            windows_at: query::windows_at(feed, &self.edges(), aggregate, flags)?.points,
            values_at: query::values_at(
                feed,
                &self.times,
                self.mode,
                self.value_flags(),
            )?
            .points,
            data: query::feed_data(feed, start_ms, end_ms, self.points)?.points,
            meta: query::meta(feed)?,
            ranked,
        })
    }

    /// All rows in the range, a few at a time.
    fn pieces(&self, feed: &Feed) -> Result<Vec<Point>> {
        let limit = 1 + 50 * self.limit;
        let mut pieces = Vec::new();
        let mut from = Position::at(self.start);
        loop {
            let (piece, behind) = query::rows_from(feed, from, self.end, limit)?;
            pieces.extend(&piece.points);
            // Many short pieces take long and show nothing.
            if (piece.points.len() as u64) < limit || pieces.len() > 200 {
                return Ok(pieces);
            }
            from = behind;
        }
    }
}

pub struct Answers {
    pub all: Series,
    rows: Vec<Point>,
    pieces: Vec<Point>,
    last: Vec<Point>,
    windows: Vec<Point>,
    windows_at: Vec<Point>,
    values_at: Vec<Point>,
    data: Vec<Point>,
    pub meta: query::Meta,
    ranked: Option<(Vec<Point>, Vec<Point>, Vec<Point>)>,
}

impl Answers {
    /// Panics if another way to ask found other answers.
    pub fn expect_same(&self, other: &Answers) {
        let (mut ours, mut theirs) = (self.lists(), other.lists());
        ours.push(&self.all.points);
        theirs.push(&other.all.points);
        for (number, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            let bits = |points: &[Point]| -> Vec<_> {
                points.iter().map(|p| (p.time, p.value.to_bits())).collect()
            };
            assert_eq!(bits(ours), bits(theirs), "answer {number}");
        }
        assert_eq!(self.all.single, other.all.single);
        assert_eq!(self.meta, other.meta);
    }

    fn lists(&self) -> Vec<&[Point]> {
        let mut lists: Vec<&[Point]> = vec![
            &self.rows,
            &self.pieces,
            &self.last,
            &self.windows,
            &self.windows_at,
            &self.values_at,
            &self.data,
        ];
        if let Some((keys, sums, by_time)) = &self.ranked {
            lists.extend([&keys[..], sums, by_time]);
        }
        lists
    }

    /// Panics where an answer is not that of the definitions for these rows.
    /// Sums of any numbers depend on their order: they are compared only if
    /// they are `exact`.
    pub fn expect(&self, rows: &[Row], questions: &Questions, exact: bool) {
        const ROUNDED: f64 = 1e-12;
        let &Questions { start, end, interval, aggregate, mode, flags, limit, .. } =
            questions;
        let expect = |what: &str, got: &[Point], want: &[Point], tolerance: f64| {
            if let Some(difference) = naive::difference(got, want, tolerance) {
                panic!("{what}: {difference} ({questions:?})");
            }
        };
        expect(
            "all",
            &self.all.points,
            &naive::rows_between(rows, i64::MIN, i64::MAX, 0),
            0.0,
        );
        expect("rows", &self.rows, &naive::rows_between(rows, start, end, limit), 0.0);
        let between = naive::rows_between(rows, start, end, 0);
        assert!(self.pieces.len() <= between.len());
        expect("pieces", &self.pieces, &between[..self.pieces.len()], 0.0);
        expect("last", &self.last, &naive::last(rows), 0.0);
        let values =
            naive::values_at(rows, &questions.times, mode, questions.value_flags());
        expect("values", &self.values_at, &values, ROUNDED);
        if exact || aggregate.chooses_row() || aggregate == Aggregate::Count {
            let windows = naive::windows(rows, (start, end), interval, aggregate, flags);
            expect("windows", &self.windows, &windows, ROUNDED);
            let windows = naive::windows_at(rows, &questions.edges(), aggregate, flags);
            expect("windows at", &self.windows_at, &windows, ROUNDED);
        }
        if exact {
            let (start, end) = questions.milliseconds();
            let (data, tolerance) = naive::feed_data(rows, start, end, questions.points);
            expect("data", &self.data, &data, tolerance);
        }
        assert_eq!(self.meta.npoints, rows.len() as u64);
        assert_eq!(self.meta.start_time, rows.first().map_or(0, |row| row.time));
        assert_eq!(self.meta.end_time, rows.last().map_or(0, |row| row.time));
    }

    /// The same for the answers that only histogram feeds have.
    pub fn expect_bars(&self, bars: &[Bar], questions: &Questions) {
        let (keys, sums, by_time) = self.ranked.as_ref().expect("a histogram");
        let bins = naive::histogram(bars, questions.start, questions.end);
        let want: Vec<_> =
            bins.iter().map(|bin| (bin.data2.to_bits(), bin.sum)).collect();
        let got: Vec<_> =
            keys.iter().zip(sums).map(|(k, s)| (k.value.to_bits(), s.value)).collect();
        assert_eq!(format!("{got:?}"), format!("{want:?}"), "histogram ({questions:?})");
        let want = naive::sum_by_time(bars, questions.start as f64, questions.end as f64);
        let difference = naive::difference(by_time, &want, 0.0);
        assert!(difference.is_none(), "sum by time: {difference:?} ({questions:?})");
    }
}

/// The same asked of a mapping and of a file.
pub fn ask_both(path: &Path, questions: &Questions) -> Option<Answers> {
    let ask = |access| {
        let feed = Feed::open_with(path, Options { access, ..Options::default() })?;
        questions.ask(&feed)
    };
    match (ask(Access::Mmap), ask(Access::Pread)) {
        (Ok(mapped), Ok(read)) => {
            mapped.expect_same(&read);
            Some(mapped)
        }
        (Err(mapped), Err(read)) => {
            assert_eq!(mapped.to_string(), read.to_string());
            expect_named(&mapped);
            None
        }
        (Ok(_), Err(error)) => panic!("read by a mapping, but not without: {error}"),
        (Err(error), Ok(_)) => panic!("read, but not by a mapping: {error}"),
    }
}

/// No damage is a fault of the library's own, and none is a change that never
/// happened.
pub fn expect_named(error: &emonfeed::Error) {
    let status = error.status();
    assert!(
        ![Status::Internal, Status::Changed].contains(&status),
        "{status:?}: {error}"
    );
}
