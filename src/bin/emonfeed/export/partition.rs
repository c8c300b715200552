//! A feed's rows by years, and what tells whether they changed.

use super::format::Shape;
use emonfeed::query::{Columns, Position, columns_from};
use emonfeed::{Error, Feed, Result, Status};
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use xxhash_rust::xxh3::Xxh3;

/// Rows read at a time.
const PIECE: u64 = 1 << 16;

/// Changed with every change of how rows are written, so that what an earlier version
/// wrote is written anew.
const REVISION: u8 = 1;

/// Years that rows can be of, 1901 to 2106, from the first second of a signed column
/// to the last of an unsigned one: where each begins, in Unix seconds.
pub struct Years(Vec<i64>);

impl Years {
    const FIRST: i16 = 1901;
    const LAST: i16 = 2106;

    pub fn new() -> Years {
        let begin = |year| {
            let midnight = date(year, 1, 1).to_zoned(TimeZone::UTC);
            midnight.map_or(i64::MAX, |zoned| zoned.timestamp().as_second())
        };
        Years((Self::FIRST..=Self::LAST + 1).map(begin).collect())
    }

    /// Of which year a time is.
    fn of(&self, time: i64) -> i16 {
        let behind = self.0.partition_point(|begin| *begin <= time);
        Self::FIRST + behind.saturating_sub(1) as i16
    }

    /// The first and the last second of a year.
    fn span(&self, year: i16) -> RangeInclusive<i64> {
        let index = usize::try_from(year - Self::FIRST).unwrap_or(0);
        self.0[index]..=self.0[index + 1] - 1
    }
}

/// The rows of one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    pub hash: u128,
}

/// Takes in rows, to be compared with what they were.
struct Hasher {
    rows: u64,
    hash: Xxh3,
    bytes: Vec<u8>,
}

impl Hasher {
    fn new(shape: Shape) -> Hasher {
        let mut hash = Xxh3::new();
        // Others are written otherwise.
        hash.update(&[REVISION, u8::from(shape.single), shape.data2.map_or(2, u8::from)]);
        Hasher { rows: 0, hash, bytes: Vec::new() }
    }

    fn take(&mut self, columns: &Columns, range: std::ops::Range<usize>) {
        self.rows += range.len() as u64;
        self.bytes.clear();
        for i in range {
            self.bytes.extend_from_slice(&columns.times[i].to_le_bytes());
            self.bytes.extend_from_slice(&columns.values[i].to_bits().to_le_bytes());
            if let Some(data2) = &columns.data2 {
                self.bytes.extend_from_slice(&data2[i].to_bits().to_le_bytes());
            }
        }
        self.hash.update(&self.bytes);
    }

    fn digest(&self) -> Digest {
        Digest { rows: self.rows, hash: self.hash.digest128() }
    }
}

/// What kinds of columns there are.
pub fn shape(feed: &Feed) -> Result<Shape> {
    // No row has such a time.
    let (none, _) = columns_from(feed, Position::at(i64::MIN), i64::MIN, 1)?;
    Ok(Shape::of(&none))
}

/// The digests of all years that have rows; `None` if it was told to stop.
pub fn digests(
    feed: &Feed,
    years: &Years,
    shape: Shape,
    stop: &dyn Fn() -> bool,
) -> Result<Option<BTreeMap<i16, Digest>>> {
    let mut position = Position::at(i64::MIN);
    let mut digests = BTreeMap::new();
    let mut current: Option<(i16, Hasher)> = None;
    loop {
        if stop() {
            return Ok(None);
        }
        let (columns, behind) = columns_from(feed, position, i64::MAX, PIECE)?;
        demand(feed, &columns, shape)?;
        let mut from = 0;
        while from < columns.len() {
            let year = years.of(columns.times[from]);
            let last = *years.span(year).end();
            let to = from + columns.times[from..].partition_point(|time| *time <= last);
            if current.as_ref().is_some_and(|(of, _)| *of != year) {
                digests.extend(current.take().map(|(year, h)| (year, h.digest())));
            }
            let (_, hasher) = current.get_or_insert_with(|| (year, Hasher::new(shape)));
            hasher.take(&columns, from..to);
            from = to;
        }
        position = behind;
        if (columns.len() as u64) < PIECE {
            break;
        }
    }
    digests.extend(current.map(|(year, hasher)| (year, hasher.digest())));
    Ok(Some(digests))
}

/// Fails if the columns became others since the feed was looked at.
fn demand(feed: &Feed, columns: &Columns, shape: Shape) -> Result<()> {
    if Shape::of(columns) == shape {
        return Ok(());
    }
    let what = "the table's columns became others meanwhile; begin again";
    Err(Error::new(Status::Changed, what).at(feed.path()))
}

/// Gives the rows of one year piece by piece; what they were. `None` if `take` told
/// to stop.
pub fn read_year<E: From<Error>>(
    feed: &Feed,
    years: &Years,
    year: i16,
    shape: Shape,
    mut take: impl FnMut(&Columns) -> std::result::Result<bool, E>,
) -> std::result::Result<Option<Digest>, E> {
    let (begin, end) = years.span(year).into_inner();
    let mut position = Position::at(begin);
    let mut hasher = Hasher::new(shape);
    loop {
        let (columns, behind) = columns_from(feed, position, end, PIECE)?;
        demand(feed, &columns, shape)?;
        hasher.take(&columns, 0..columns.len());
        if !take(&columns)? {
            return Ok(None);
        }
        position = behind;
        if (columns.len() as u64) < PIECE {
            return Ok(Some(hasher.digest()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_belongs_to_its_year() {
        let years = Years::new();
        for (time, year) in [
            (i64::from(i32::MIN), 1901),
            (-1, 1969),
            (0, 1970),
            (31_535_999, 1970),
            (31_536_000, 1971),
            (1_735_689_599, 2024),
            (1_735_689_600, 2025),
            (i64::from(u32::MAX), 2106),
        ] {
            assert_eq!(years.of(time), year, "{time}");
            assert!(years.span(year).contains(&time), "{time}");
        }
        assert_eq!(years.span(1970), 0..=31_535_999);
    }
}
