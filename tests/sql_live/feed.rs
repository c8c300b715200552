//! What a feed holds after each statement, and the answers that are right then.

use emonfeed::Feed;
use emonfeed::query::{self, Aggregate, Flags, Mode, Series};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seconds between two rows.
pub const TICK: i64 = 10;

/// `data` and `data2` of each row by its time. All are whole numbers, so that
/// sums of them are the same in any order.
pub type Rows = BTreeMap<i64, (f64, f64)>;

/// What one statement does.
#[derive(Debug, Default)]
pub struct Change {
    pub sql: String,
    /// Rows that it takes away,
    pub gone: Vec<i64>,
    /// and after that, those that it writes.
    pub written: Vec<(i64, (f64, f64))>,
}

impl Change {
    pub fn apply(&self, rows: &mut Rows) {
        for time in &self.gone {
            rows.remove(time);
        }
        rows.extend(self.written.iter().copied());
    }
}

/// All statements of one connection on one feed, in their order. State `k` is
/// that after `k` of them.
#[derive(Default)]
pub struct Log {
    changes: RwLock<Vec<Change>>,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Log {
    /// Notes that a statement is about to be sent to the server.
    pub fn begin(&self, change: Change) {
        self.changes.write().unwrap().push(change);
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes that the server has done the first so many.
    pub fn end(&self, number: usize) {
        self.ended.store(number, Ordering::SeqCst);
    }

    /// How many have begun.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many have ended.
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// The statements of those numbers, for a message.
    fn text(&self, from: usize, to: usize) -> String {
        let changes = self.changes.read().unwrap();
        let line = |k: usize| format!("\n{:>8}: {:.300}", k + 1, changes[k].sql);
        (from.saturating_sub(3)..to.min(changes.len())).map(line).collect()
    }
}

/// A state of a feed that moves forward.
pub struct Past<'a> {
    log: &'a Log,
    number: usize,
    pub rows: Rows,
}

impl<'a> Past<'a> {
    pub fn new(log: &'a Log) -> Past<'a> {
        Past { log, number: 0, rows: Rows::new() }
    }

    pub fn go_to(&mut self, number: usize) {
        let changes = self.log.changes.read().unwrap();
        for change in &changes[self.number.min(number)..number] {
            change.apply(&mut self.rows);
        }
        self.number = self.number.max(number);
    }

    /// Which state from this one to number `last` fits, as the distance from this
    /// one. `differs` says how much a state differs, and in what.
    pub fn find(
        &self,
        last: usize,
        mut differs: impl FnMut(&Rows) -> Option<Difference>,
    ) -> Result<usize, String> {
        let mut rows = self.rows.clone();
        let changes = self.log.changes.read().unwrap();
        let mut nearest: Option<(usize, Difference)> = None;
        for k in self.number..=last {
            if k > self.number {
                changes[k - 1].apply(&mut rows);
            }
            let Some(difference) = differs(&rows) else { return Ok(k - self.number) };
            if nearest.as_ref().is_none_or(|(_, least)| difference.count < least.count) {
                nearest = Some((k, difference));
            }
        }
        drop(changes);
        let (k, Difference { count, text }) = nearest.expect("at least one state");
        Err(format!(
            "it is no state from {} to {last}. State {k} has {count} other points: {text}\n\
             The statements:{}",
            self.number,
            self.log.text(self.number, last)
        ))
    }
}

impl Past<'_> {
    /// Whether each of the rows was there as it is in some state from this one to
    /// number `last`, and none is missing that was in all; as the distance from
    /// this one to the last that has one of them.
    pub fn find_rows(
        &self,
        last: usize,
        question: Question,
        answer: &Answer,
    ) -> Result<usize, String> {
        let mut rows = self.rows.clone();
        let first = question.of(&rows);
        let mut strange = only_in(answer, &first);
        let mut always = first;
        let mut distance = 0;
        let changes = self.log.changes.read().unwrap();
        for (k, change) in changes[self.number..last].iter().enumerate() {
            change.apply(&mut rows);
            let right = question.of(&rows);
            let left = only_in(&strange, &right);
            if left.len() < strange.len() {
                distance = k + 1;
            }
            strange = left;
            always.retain(|(time, _)| rows.contains_key(&(*time as i64)));
        }
        let times: BTreeSet<i64> = answer.iter().map(|(time, _)| *time as i64).collect();
        always.retain(|(time, _)| !times.contains(&(*time as i64)));
        if strange.is_empty() && always.is_empty() {
            return Ok(distance);
        }
        drop(changes);
        let Difference { text, .. } = Difference::of(&always, &strange);
        Err(format!("{text}\nThe statements:{}", self.log.text(self.number, last)))
    }
}

/// In how many points an answer differs from the right one, and some of them.
pub struct Difference {
    count: usize,
    text: String,
}

impl Difference {
    pub fn of(missing: &[(f64, f64)], others: &[(f64, f64)]) -> Difference {
        let some =
            |points: &[(f64, f64)]| format!("{:?}", &points[..points.len().min(8)]);
        let text = format!("not {}, but {}", some(missing), some(others));
        Difference { count: missing.len() + others.len(), text }
    }
}

/// The points of `one` that are not in `other`.
pub fn only_in(one: &Answer, other: &Answer) -> Answer {
    let bits = |(a, b): &(f64, f64)| (a.to_bits(), b.to_bits());
    let others: BTreeSet<(u64, u64)> = other.iter().map(bits).collect();
    one.iter().filter(|point| !others.contains(&bits(point))).copied().collect()
}

/// How an answer differs from the right one, if it does.
pub fn difference(right: &Answer, answer: &Answer) -> Option<Difference> {
    let differs = || Difference::of(&only_in(right, answer), &only_in(answer, right));
    (!is_same(right, answer)).then(differs)
}

/// An answer: pairs of a time (or `data2`) and a value.
pub type Answer = Vec<(f64, f64)>;

fn is_same(one: &Answer, other: &Answer) -> bool {
    /// Of points between two rows, which may be computed in another order. Sums
    /// of whole numbers differ by much more if they differ.
    const TOLERANCE: f64 = 1e-12;
    let same = |a: f64, b: f64| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs()
    };
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
}

/// A question that one call answers.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    Rows { start: i64, end: i64 },
    Windows { start: i64, count: i64, interval: i64, aggregate: Aggregate },
    ValuesAt { start: i64, count: i64, step: i64, mode: Mode },
    Last,
    Npoints,
    FeedData { start: i64, end: i64, points: i64 },
    Histogram { start: i64, end: i64 },
    SumByTime { min: i64, max: i64 },
}

impl Question {
    /// Some question about `rows` and what may be around them by now.
    pub fn some(random: &mut fastrand::Rng, rows: &Rows, histogram: bool) -> Question {
        let first = rows.keys().next().copied().unwrap_or(0) - 20 * TICK;
        let last = rows.keys().next_back().copied().unwrap_or(0) + 200 * TICK;
        let start = random.i64(first..last);
        let end = random.i64(start..=last);
        match random.u32(..if histogram { 12 } else { 10 }) {
            0 => Question::Rows { start: 0, end: i64::from(u32::MAX) },
            1 => Question::Rows { start, end },
            2 | 3 => Question::Windows {
                start: first,
                count: 1,
                interval: 1 << 33,
                aggregate: Aggregate::ALL[random.usize(..7)],
            },
            4 | 5 => {
                let count = random.i64(1..60);
                let interval = ((last - first) / count).max(1);
                let aggregate = Aggregate::ALL[random.usize(..7)];
                Question::Windows { start: first, count, interval, aggregate }
            }
            6 => {
                let count = random.i64(1..60);
                let step = ((last - first) / count).max(1);
                let mode = Mode::ALL[random.usize(..4)];
                let start = first + random.i64(0..2 * TICK);
                Question::ValuesAt { start, count, step, mode }
            }
            7 => Question::Last,
            8 => Question::Npoints,
            // Over more than 50 hours it samples, over 5,000 s it averages.
            9 => {
                let end = first
                    + [4_000, 20_000, 200_000][random.usize(..3)]
                    + random.i64(0..900);
                Question::FeedData { start: first, end, points: random.i64(1..900) }
            }
            10 => Question::Histogram { start, end: last },
            _ => Question::SumByTime { min: 1, max: random.i64(1..5) },
        }
    }

    /// As five numbers, for another process.
    pub fn numbers(self) -> [i64; 5] {
        match self {
            Question::Rows { start, end } => [0, start, end, 0, 0],
            Question::Windows { start, count, interval, aggregate } => {
                [1, start, count, interval, aggregate as i64]
            }
            Question::ValuesAt { start, count, step, mode } => {
                [2, start, count, step, mode as i64]
            }
            Question::Last => [3, 0, 0, 0, 0],
            Question::Npoints => [4, 0, 0, 0, 0],
            Question::FeedData { start, end, points } => [5, start, end, points, 0],
            Question::Histogram { start, end } => [6, start, end, 0, 0],
            Question::SumByTime { min, max } => [7, min, max, 0, 0],
        }
    }

    pub fn of_numbers([kind, a, b, c, d]: [i64; 5]) -> Question {
        match kind {
            0 => Question::Rows { start: a, end: b },
            1 => Question::Windows {
                start: a,
                count: b,
                interval: c,
                aggregate: Aggregate::ALL[d as usize],
            },
            2 => Question::ValuesAt {
                start: a,
                count: b,
                step: c,
                mode: Mode::ALL[d as usize],
            },
            3 => Question::Last,
            4 => Question::Npoints,
            5 => Question::FeedData { start: a, end: b, points: c },
            6 => Question::Histogram { start: a, end: b },
            _ => Question::SumByTime { min: a, max: b },
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Question::Rows { .. } => "rows",
            Question::Windows { .. } => "windows",
            Question::ValuesAt { .. } => "values at",
            Question::Last => "last",
            Question::Npoints => "npoints",
            Question::FeedData { .. } => "feed data",
            Question::Histogram { .. } => "histogram",
            Question::SumByTime { .. } => "sum by time",
        }
    }

    /// What emonfeed answers.
    pub fn ask(self, feed: &Feed) -> emonfeed::Result<Answer> {
        let points = |series: Series| -> Answer {
            series.points.iter().map(|p| (p.time as f64, p.value)).collect()
        };
        let none = Flags::NONE;
        match self {
            Question::Rows { start, end } => query::rows(feed, start, end, 0).map(points),
            Question::Windows { start, count, interval, aggregate } => {
                let end = start + (count - 1) * interval;
                query::windows(feed, start, end, interval, aggregate, none).map(points)
            }
            Question::ValuesAt { start, count, step, mode } => {
                let times: Vec<i64> = moments(start, count, step).collect();
                query::values_at(feed, &times, mode, none).map(points)
            }
            Question::Last => query::last(feed).map(points),
            Question::Npoints => {
                query::meta(feed).map(|meta| vec![(0.0, meta.npoints as f64)])
            }
            Question::FeedData { start, end, points: wanted } => {
                let ms = |time| (1000 * time) as f64;
                query::feed_data(feed, ms(start), ms(end), wanted).map(points)
            }
            Question::Histogram { start, end } => {
                let histogram = query::histogram(feed, start, end)?;
                Ok(histogram.bins.iter().map(|bin| (bin.data2, bin.sum)).collect())
            }
            Question::SumByTime { min, max } => {
                query::sum_by_time(feed, min as f64, max as f64).map(points)
            }
        }
    }

    /// What is right of `rows`.
    pub fn of(self, rows: &Rows) -> Answer {
        let point = |(&time, &(data, _)): (&i64, &(f64, f64))| (time as f64, data);
        match self {
            Question::Rows { start, end } => rows.range(start..=end).map(point).collect(),
            Question::Windows { start, count, interval, aggregate } => {
                moments(start, count, interval)
                    .map(|from| (from as f64, window(rows, from, interval, aggregate)))
                    .collect()
            }
            Question::ValuesAt { start, count, step, mode } => {
                moments(start, count, step)
                    .map(|time| (time as f64, value_at(rows, time, mode)))
                    .collect()
            }
            Question::Last => rows.iter().next_back().map(point).into_iter().collect(),
            Question::Npoints => vec![(0.0, rows.len() as f64)],
            Question::FeedData { start, end, points } => {
                feed_data(rows, start, end, points)
            }
            Question::Histogram { start, end } => {
                let mut bins = BTreeMap::<i64, f64>::new();
                for (data, data2) in rows.range(start..end).map(|(_, row)| *row) {
                    *bins.entry(data2 as i64).or_default() += data;
                }
                bins.into_iter().map(|(data2, sum)| (data2 as f64, sum)).collect()
            }
            Question::SumByTime { min, max } => rows
                .iter()
                .filter(|(_, (_, data2))| (min as f64..=max as f64).contains(data2))
                .map(point)
                .collect(),
        }
    }
}

fn moments(start: i64, count: i64, step: i64) -> impl Iterator<Item = i64> {
    (0..count).map(move |i| start + i * step)
}

fn window(rows: &Rows, from: i64, interval: i64, aggregate: Aggregate) -> f64 {
    let values: Vec<f64> =
        rows.range(from..from + interval).map(|(_, (data, _))| *data).collect();
    let sum: f64 = values.iter().sum();
    let of_some = |value: Option<f64>| value.unwrap_or(f64::NAN);
    match aggregate {
        Aggregate::First => of_some(values.first().copied()),
        Aggregate::Last => of_some(values.last().copied()),
        Aggregate::Count => values.len() as f64,
        _ if values.is_empty() => f64::NAN,
        Aggregate::Average => sum / values.len() as f64,
        Aggregate::Sum => sum,
        Aggregate::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregate::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn value_at(rows: &Rows, time: i64, mode: Mode) -> f64 {
    let row = |(&time, &(data, _)): (&i64, &(f64, f64))| (time, data);
    let before = rows.range(..=time).next_back().map(row);
    let after = rows.range(time..).next().map(row);
    match (mode, before, after) {
        (Mode::Next, _, Some((_, value))) => value,
        (Mode::Previous, Some((_, value)), _) => value,
        (Mode::Exact | Mode::Linear, Some((at, value)), _) if at == time => value,
        (Mode::Linear, Some((t0, v0)), Some((t1, v1))) => {
            v0 + (v1 - v0) * (time - t0) as f64 / (t1 - t0) as f64
        }
        _ => f64::NAN,
    }
}

fn feed_data(rows: &Rows, start: i64, end: i64, points: i64) -> Answer {
    let range = end - start;
    let in_ms = |(&time, &(data, _)): (&i64, &(f64, f64))| (1000.0 * time as f64, data);
    if range > 180_000 {
        let step = range as f64 / points as f64;
        let edge = |i: i64| start + (i as f64 * step).trunc() as i64;
        return (0..points)
            .filter_map(|i| rows.range(edge(i)..=edge(i + 1)).next().map(in_ms))
            .collect();
    }
    let inside: Vec<_> = rows.range(start..=end).collect();
    if range <= 5_000 {
        return inside.into_iter().rev().map(in_ms).collect();
    }
    let step = (range / points).max(1);
    let of_a_step = inside.chunk_by(|a, b| a.0 / step == b.0 / step);
    of_a_step
        .map(|group| {
            let sum: f64 = group.iter().map(|(_, (data, _))| data).sum();
            let time = group[0].0 / step * step;
            (1000.0 * time as f64, sum / group.len() as f64)
        })
        .collect()
}
