//! Histogram feeds: each row has a time, an amount, and what the amount belongs
//! to.

use super::{Bin, Point, Series, push};
use crate::error::{Error, Result, Status};
use crate::feed::{Answer, Feed, Snapshot};
use std::collections::BTreeMap;

/// The bars of a histogram feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Ascending by `data2`.
    pub bins: Vec<Bin>,
    /// Whether `data2` is a float32 column, so that text should show the
    /// shortest decimals of its values.
    pub single: bool,
}

impl Answer for Histogram {
    fn same(&self, other: &Histogram) -> bool {
        let bits = |bin: &Bin| (bin.data2.to_bits(), bin.sum.to_bits());
        self.bins.iter().map(bits).eq(other.bins.iter().map(bits))
    }
}

/// Sums of `data` over the rows with `start <= time < end`, one for each value
/// of `data2`, ascending. Rows without `data2` belong to no bar; a bar whose
/// rows have no value has no sum.
///
/// Errors: [`Status::NoHistogram`] for a feed without `data2`, and those of
/// [`Feed::read`].
pub fn histogram(feed: &Feed, start: i64, end: i64) -> Result<Histogram> {
    feed.read(|snapshot| {
        require_data2(snapshot, feed)?;
        let mut cursor = snapshot.cursor();
        let first = cursor.lower_bound(start)?;
        let next = cursor.lower_bound(end)?.max(first);
        let mut sums = BTreeMap::<Key, Sum>::new();
        cursor.for_each_with_data2(first..next, |row, data2| {
            if !data2.is_nan() {
                sums.entry(Key::of(data2)).or_default().add(row.value);
            }
        })?;
        let bins = sums
            .into_iter()
            .map(|(key, sum)| Bin { data2: key.value(), sum: sum.value() })
            .collect();
        Ok(Histogram { bins, single: snapshot.layout().is_data2_single() })
    })
}

/// Sums of `data` over the rows with `min <= data2 <= max`, one for each time,
/// ascending.
///
/// Errors: those of [`histogram`], and [`Status::Argument`] for a bound that is
/// NaN.
pub fn sum_by_time(feed: &Feed, min: f64, max: f64) -> Result<Series> {
    if min.is_nan() || max.is_nan() {
        return Err(Error::new(Status::Argument, "min and max must be numbers"));
    }
    feed.read(|snapshot| {
        require_data2(snapshot, feed)?;
        let mut cursor = snapshot.cursor();
        let mut points: Vec<Point> = Vec::new();
        let mut sum = Sum::default();
        let mut full = None;
        let all = 0..cursor.len();
        cursor.for_each_with_data2(all, |row, data2| {
            if !(min <= data2 && data2 <= max) || full.is_some() {
                return;
            }
            match points.last_mut() {
                Some(point) if point.time == row.time => {
                    sum.add(row.value);
                    point.value = sum.value();
                }
                _ => {
                    sum = Sum::default();
                    sum.add(row.value);
                    let point = Point { time: row.time, value: sum.value() };
                    full = push(&mut points, point).err();
                }
            }
        })?;
        full.map_or(Ok(()), Err)?;
        Ok(Series { points, single: false })
    })
}

fn require_data2(snapshot: &Snapshot, feed: &Feed) -> Result<()> {
    if snapshot.layout().is_histogram() {
        return Ok(());
    }
    Err(Error::new(
        Status::NoHistogram,
        "the feed has no column `data2`: only histogram feeds can answer this",
    )
    .at(feed.path()))
}

/// A sum that is missing until there is a value.
#[derive(Default)]
struct Sum {
    total: f64,
    any: bool,
}

impl Sum {
    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.total += value;
            self.any = true;
        }
    }

    fn value(&self) -> f64 {
        if self.any { self.total } else { f64::NAN }
    }
}

/// A double that is not NaN, by size; both zeros are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(i64);

impl Key {
    fn of(value: f64) -> Key {
        // Adding 0 makes -0 a +0.
        let bits = (value + 0.0).to_bits() as i64;
        // Negative numbers order backwards by their bits.
        Key(if bits < 0 { bits ^ i64::MAX } else { bits })
    }

    fn value(self) -> f64 {
        let bits = if self.0 < 0 { self.0 ^ i64::MAX } else { self.0 };
        f64::from_bits(bits as u64)
    }
}
