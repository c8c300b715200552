//! Series as JSON, in the shape that emoncms's graphs take.

use super::decimal::put_number;
use super::line::Lines;
use super::{LONGEST, PART, reserve};
use crate::error::Result;
use crate::query::{Point, Series};

/// Appends `[[time,value],[time,null],…]`.
///
/// Numbers are written as PHP's `json_encode` would after
/// [`to_decimal`](super::to_decimal). A missing value, or one that JSON cannot
/// hold (an infinity), is `null`. Fails if memory is short.
pub fn series(series: &Series, out: &mut Vec<u8>) -> Result<()> {
    reserve(out, 2)?;
    out.push(b'[');
    points(&series.points, series.single, out)?;
    out.push(b']');
    Ok(())
}

/// Appends `[time,value],[time,null],…` without the outer brackets, for answers
/// that are written piece by piece. `single` is as in [`Series`].
pub fn points(points: &[Point], single: bool, out: &mut Vec<u8>) -> Result<()> {
    let mut lines = Lines::new();
    for (i, part) in points.chunks(PART).enumerate() {
        // The brackets and commas, and the one that closes the series.
        reserve(out, part.len() * (LONGEST + 4) + 1)?;
        for (j, point) in part.iter().enumerate() {
            if i + j > 0 {
                lines.push(b',');
            }
            lines.push(b'[');
            lines.time(point.time);
            lines.push(b',');
            put_number(&mut lines, point.value, single);
            lines.push(b']');
            if lines.is_full() {
                lines.move_to(out);
            }
        }
        lines.move_to(out);
    }
    Ok(())
}
