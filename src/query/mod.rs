//! The queries over a feed.
//!
//! Every function answers from the rows as they are at one moment during the
//! call ([`Feed::read`](crate::feed::Feed::read)), sorted by
//! `(time, row number)`. A row counts if it is live, committed and has a
//! time; a row whose value is NULL or NaN counts, but has no value.

mod census;
mod columns;
mod feed_data;
mod histogram;
mod meta;
mod rows;
mod value_at;
mod window;

pub use census::{Census, census};
pub use columns::{Columns, columns_from};
pub use feed_data::feed_data;
pub use histogram::{Histogram, histogram, sum_by_time};
pub use meta::{Meta, last, meta};
pub use rows::{Position, rows, rows_from};
pub use value_at::values_at;
pub use window::{MAX_WINDOWS, windows, windows_at};

use crate::error::{Error, Result, Status};
use crate::feed::Answer;

/// How the rows of a window become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Aggregate {
    /// The value of the earliest row.
    First = 0,
    /// The value of the latest row.
    Last = 1,
    /// The mean of the rows that have a value.
    Average = 2,
    /// The smallest value.
    Min = 3,
    /// The largest value.
    Max = 4,
    /// The sum of the values.
    Sum = 5,
    /// The number of rows that have a value.
    Count = 6,
}

/// Which row answers for a moment in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Mode {
    /// The earliest row at or after it.
    Next = 0,
    /// The latest row at or before it.
    Previous = 1,
    /// The straight line between the neighbouring rows.
    Linear = 2,
    /// Only a row at exactly that second.
    Exact = 3,
}

/// Variations of a window query; combine with [`Flags::with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Aggregate {
    /// All of them, in the order of their numbers.
    pub const ALL: [Aggregate; 7] = {
        use Aggregate::*;
        [First, Last, Average, Min, Max, Sum, Count]
    };

    /// From the number C and PHP pass.
    pub fn from_number(number: i32) -> Option<Aggregate> {
        Aggregate::ALL.into_iter().find(|a| *a as i32 == number)
    }

    /// Whether its value is that of one row, not computed from several.
    pub fn chooses_row(self) -> bool {
        matches!(
            self,
            Aggregate::First | Aggregate::Last | Aggregate::Min | Aggregate::Max
        )
    }
}

impl Mode {
    /// All of them, in the order of their numbers.
    pub const ALL: [Mode; 4] = [Mode::Next, Mode::Previous, Mode::Linear, Mode::Exact];

    /// From the number C and PHP pass.
    pub fn from_number(number: i32) -> Option<Mode> {
        Mode::ALL.into_iter().find(|m| *m as i32 == number)
    }
}

impl Flags {
    /// No variation.
    pub const NONE: Flags = Flags(0);
    /// A row exactly at the end of a window may answer FIRST for it.
    pub const CLOSED_END: Flags = Flags(1);
    /// Leave out windows and moments without a value.
    pub const SKIP_MISSING: Flags = Flags(2);
    /// Give the chosen row's own time instead of the start of the window or the
    /// moment asked for.
    pub const TRUE_TIME: Flags = Flags(4);
    /// Leave out rows at or after the end of the whole query.
    pub const CLIP_END: Flags = Flags(8);

    /// From the bits C and PHP pass; `None` if there is an unknown bit.
    pub fn from_bits(bits: u32) -> Option<Flags> {
        (bits & !15 == 0).then_some(Flags(bits))
    }
    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
    /// Whether all of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A time in Unix seconds and a value; NaN if there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Point {
    /// Unix seconds (milliseconds in the answer of [`feed_data`]).
    pub time: i64,
    /// The value; NaN means "no value".
    pub value: f64,
}

/// The answer of a query: points in the order that the query promises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The points.
    pub points: Vec<Point>,
    /// Whether the values are float32 values of rows, widened to double, so
    /// that text should show the shortest decimal of the float32.
    pub single: bool,
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Bin {
    /// The value of the column `data2` that the bar stands for.
    pub data2: f64,
    /// The sum of the column `data` over the bar's rows; NaN if none of them
    /// has a value.
    pub sum: f64,
}

impl Point {
    /// A point without a value.
    pub fn missing(time: i64) -> Point {
        Point { time, value: f64::NAN }
    }
}

/// Room for `count` points, or an error where memory is short: a caller may ask
/// for more than a web worker can hold.
pub(crate) fn room_for<T>(count: u64) -> Result<Vec<T>> {
    let mut points = Vec::new();
    let reserved =
        usize::try_from(count).is_ok_and(|n| points.try_reserve_exact(n).is_ok());
    if !reserved {
        return Err(Error::new(
            Status::Memory,
            format!("not enough memory for {count} points: ask for a shorter range"),
        ));
    }
    Ok(points)
}

/// Appends a point where it is not known before how many there will be.
fn push(points: &mut Vec<Point>, point: Point) -> Result<()> {
    if points.try_reserve(1).is_err() {
        return Err(Error::new(
            Status::Memory,
            format!("not enough memory for more than {} points", points.len()),
        ));
    }
    points.push(point);
    Ok(())
}

impl Answer for Series {
    fn same(&self, other: &Series) -> bool {
        let bits = |point: &Point| (point.time, point.value.to_bits());
        self.single == other.single
            && self.points.iter().map(bits).eq(other.points.iter().map(bits))
    }
}
