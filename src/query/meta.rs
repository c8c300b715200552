//! What is known about a feed as a whole.

use super::{Point, Series};
use crate::error::Result;
use crate::feed::{Answer, Cursor, Feed};

/// What is known about a feed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Rows that count: live, committed, with a time.
    pub npoints: u64,
    /// Time of the earliest row, in Unix seconds; 0 without rows.
    pub start_time: i64,
    /// Time of the latest row, in Unix seconds; 0 without rows.
    pub end_time: i64,
    /// Typical seconds between readings (the median of up to 1,000 pairs of
    /// neighbours, spread evenly); 0 with fewer than two rows.
    pub interval: i64,
    /// Committed bytes of the file that holds the rows.
    pub bytes: u64,
    /// Size in bytes of the index, the `.MYI`: that of its file, or what its
    /// header says if that is more; 0 without an index.
    pub index_bytes: u64,
    /// Bytes per row.
    pub stride: u32,
    /// Row slots in the committed part, deleted rows included.
    pub slots: u64,
    /// Whether the rows lie in the file in order of time.
    pub sorted: bool,
    /// Whether a `.MYI` vouches for the rows.
    pub indexed: bool,
    /// Whether the table keeps a live checksum (`CHECKSUM=1`).
    pub checksum: bool,
    /// Whether there is a column `data2`.
    pub histogram: bool,
    /// SQL type of the column `data`: `FLOAT`, `DOUBLE`, `INT UNSIGNED`, …
    pub value_type: &'static str,
}

impl Answer for Meta {
    fn same(&self, other: &Meta) -> bool {
        self == other
    }
}

/// What is known about the feed as a whole. Errors: those of [`Feed::read`].
pub fn meta(feed: &Feed) -> Result<Meta> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let (start_time, end_time) = cursor.span().unwrap_or((0, 0));
        let layout = snapshot.layout();
        let slots = snapshot.state().slots;
        let header = snapshot.state().header();
        Ok(Meta {
            npoints: cursor.len(),
            start_time,
            end_time,
            interval: typical_interval(&mut cursor)?,
            bytes: slots * layout.stride() as u64,
            index_bytes: snapshot.state().index_bytes(),
            stride: layout.stride() as u32,
            slots,
            sorted: snapshot.is_in_file_order(),
            indexed: header.is_some(),
            checksum: header.is_some_and(|header| header.has_checksum()),
            histogram: layout.is_histogram(),
            value_type: layout.value_type(),
        })
    })
}

fn typical_interval(cursor: &mut Cursor) -> Result<i64> {
    const PAIRS: u64 = 1000;
    let gaps = cursor.len().saturating_sub(1);
    if gaps == 0 {
        return Ok(0);
    }
    let pairs = gaps.min(PAIRS);
    let mut differences = Vec::with_capacity(pairs as usize);
    for i in 0..pairs {
        let rank = (u128::from(i) * u128::from(gaps) / u128::from(pairs)) as u64;
        differences.push(cursor.row(rank + 1)?.time - cursor.row(rank)?.time);
    }
    let middle = differences.len() / 2;
    Ok(*differences.select_nth_unstable(middle).1)
}

/// The latest row, or if several rows have that second, the last of them in the
/// file: a series of one point, or of none for a feed without rows.
///
/// Errors: those of [`Feed::read`].
pub fn last(feed: &Feed) -> Result<Series> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let mut points = Vec::new();
        if cursor.len() > 0 {
            let row = cursor.row(cursor.len() - 1)?;
            points.push(Point { time: row.time, value: row.value });
        }
        Ok(Series { points, single: snapshot.layout().is_single() })
    })
}
