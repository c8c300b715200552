//! The four primitives over a feed, and the 2013 call built from them.
use crate::error::Result;
use crate::feed::Feed;

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
    /// The straight line between its neighbours.
    Linear = 2,
    /// Only a row at that very second.
    Exact = 3,
}

/// Variations of a window query; combine with [`Flags::with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// No variation.
    pub const NONE: Flags = Flags(0);
    /// A row exactly at the end of a window may answer FIRST for it.
    pub const CLOSED_END: Flags = Flags(1);
    /// Leave out windows without a value.
    pub const SKIP_MISSING: Flags = Flags(2);
    /// Give the chosen row's own time in place of the window's start.
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

/// A time in Unix seconds and a value; NaN where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Point {
    /// Unix seconds (milliseconds in the answer of [`feed_data`]).
    pub time: i64,
    /// The value; NaN means "no value".
    pub value: f64,
}

/// The answer of a query: points in the order the query promises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The points.
    pub points: Vec<Point>,
    /// Whether the values are float32 row values widened to double, so that
    /// text should show the shortest decimal of the float32.
    pub single: bool,
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Bin {
    /// The value of the column `data2` the bar stands for.
    pub data2: f64,
    /// The sum of the column `data`; NaN if no row had a value.
    pub sum: f64,
}

/// What is known of a feed as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// Rows that count: live, committed, with a time.
    pub npoints: u64,
    /// Time of the earliest row, Unix seconds; 0 without rows.
    pub start_time: i64,
    /// Time of the latest row, Unix seconds; 0 without rows.
    pub end_time: i64,
    /// Typical seconds between readings (the median); 0 with fewer than two.
    pub interval: i64,
    /// Committed bytes of the rows' file.
    pub bytes: u64,
    /// Bytes per row.
    pub stride: u32,
    /// Row slots in the committed part, deleted ones included.
    pub slots: u64,
    /// Whether the file order is the time order.
    pub sorted: bool,
    /// Whether a `.MYI` vouches for the rows (false: a bare file).
    pub indexed: bool,
    /// Whether the table keeps a live checksum (`CHECKSUM=1`).
    pub checksum: bool,
    /// Whether there is a column `data2`.
    pub histogram: bool,
    /// SQL type of the column `data`: `FLOAT`, `DOUBLE`, `INT UNSIGNED`, …
    pub value_type: &'static str,
}

/// What is known of the feed as a whole.
pub fn meta(_feed: &Feed) -> Result<Meta> {
    todo!()
}
/// The latest row (the last in file order among equals), or none.
pub fn last(_feed: &Feed) -> Result<Option<Series>> {
    todo!()
}
/// Windows `[e, e+interval)` from `start` while `e <= end`.
pub fn windows(_feed: &Feed, _start: i64, _end: i64, _interval: i64, _aggregate: Aggregate, _flags: Flags) -> Result<Series> {
    todo!()
}
/// One window between each pair of neighbouring edges.
pub fn windows_at(_feed: &Feed, _edges: &[i64], _aggregate: Aggregate, _flags: Flags) -> Result<Series> {
    todo!()
}
/// One point per asked time (that time is the point's time).
pub fn values_at(_feed: &Feed, _times: &[i64], _mode: Mode) -> Result<Series> {
    todo!()
}
/// All rows in `[start, end]`, ascending; `limit` 0 means all.
pub fn rows(_feed: &Feed, _start: i64, _end: i64, _limit: u64) -> Result<Series> {
    todo!()
}
/// Sum of `data` over `[start, end)` by `data2`, ascending.
pub fn histogram(_feed: &Feed, _start: i64, _end: i64) -> Result<Vec<Bin>> {
    todo!()
}
/// Sum of `data` by time over rows with `min <= data2 <= max`.
pub fn sum_by_time(_feed: &Feed, _min: f64, _max: f64) -> Result<Series> {
    todo!()
}
/// The call of July 2013: milliseconds in, milliseconds out. `end_ms` 0 means now.
pub fn feed_data(_feed: &Feed, _start_ms: f64, _end_ms: f64, _dp: i64) -> Result<Series> {
    todo!()
}
