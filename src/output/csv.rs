//! Series as CSV.

use super::decimal::{push_integer, push_number};
use crate::query::Series;

/// Appends one line `time,value` per point, times as they are in the series
/// (Unix seconds). Where there is no value, nothing follows the comma.
pub fn series(series: &Series, out: &mut Vec<u8>) {
    out.reserve(series.points.len() * 19);
    for point in &series.points {
        push_integer(out, point.time);
        out.push(b',');
        if point.value.is_finite() {
            push_number(out, point.value, series.single);
        }
        out.push(b'\n');
    }
}
