//! Rows as columns, for engines that want them in this form.

use super::rows::piece;
use super::{Position, room_for};
use crate::error::Result;
use crate::feed::{Answer, Feed};

/// Rows, sorted by time; rows of one second are in file order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Unix seconds.
    pub times: Vec<i64>,
    /// The values; NaN where a row has none.
    pub values: Vec<f64>,
    /// Whether the values are float32 widened to double.
    pub single: bool,
    /// In a histogram feed, the column `data2`: what each value belongs to; NaN
    /// where that is NULL.
    pub data2: Option<Vec<f64>>,
    /// Whether `data2` holds float32 values widened to double.
    pub data2_single: bool,
}

impl Columns {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

impl Answer for Columns {
    fn same(&self, other: &Columns) -> bool {
        let bits = |values: &Vec<f64>, theirs: &Vec<f64>| {
            values.iter().map(|v| v.to_bits()).eq(theirs.iter().map(|v| v.to_bits()))
        };
        self.times == other.times
            && bits(&self.values, &other.values)
            && match (&self.data2, &other.data2) {
                (Some(ours), Some(theirs)) => bits(ours, theirs),
                (None, None) => true,
                _ => false,
            }
            && (self.single, self.data2_single) == (other.single, other.data2_single)
    }
}

/// The next rows from `from` on with `time <= end` (Unix seconds), at most
/// `limit` of them (0 means all), and the position after them. Works like
/// [`rows_from`](super::rows_from), with the same errors.
pub fn columns_from(
    feed: &Feed,
    from: Position,
    end: i64,
    limit: u64,
) -> Result<(Columns, Position)> {
    let columns = piece(feed, from, end, limit, |snapshot, cursor, ranks| {
        let count = ranks.end - ranks.start;
        let (mut times, mut values) = (room_for(count)?, room_for(count)?);
        let layout = snapshot.layout();
        let data2 = if layout.is_histogram() {
            let mut data2 = room_for(count)?;
            cursor.for_each_with_data2(ranks, |row, bin| {
                times.push(row.time);
                values.push(row.value);
                data2.push(bin);
            })?;
            Some(data2)
        } else {
            cursor.for_each(ranks, |row| {
                times.push(row.time);
                values.push(row.value);
            })?;
            None
        };
        Ok(Columns {
            times,
            values,
            single: layout.is_single(),
            data2,
            data2_single: layout.is_data2_single(),
        })
    })?;
    let behind = from.behind(columns.times.iter().copied());
    Ok((columns, behind))
}
