//! Series as CSV.

use super::decimal::{push_integer, push_number};
use super::{LONGEST, PART, reserve};
use crate::error::Result;
use crate::query::{Point, Series};

/// Appends one line `time,value` per point, times as they are in the series
/// (Unix seconds). Where there is no value, nothing follows the comma.
/// Fails where memory is short.
pub fn series(series: &Series, out: &mut Vec<u8>) -> Result<()> {
    points(&series.points, series.single, out)
}

/// The same for a part of a series. `single` as in [`Series`].
pub fn points(points: &[Point], single: bool, out: &mut Vec<u8>) -> Result<()> {
    for part in points.chunks(PART) {
        reserve(out, part.len() * (LONGEST + 2))?;
        for point in part {
            push_integer(out, point.time);
            out.push(b',');
            if point.value.is_finite() {
                push_number(out, point.value, single);
            }
            out.push(b'\n');
        }
    }
    Ok(())
}
