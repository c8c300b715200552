//! Series as JSON, in the shape emoncms's graphs take.

use super::decimal::{push_integer, push_number};
use crate::query::{Point, Series};

/// Appends `[[time,value],[time,null],…]`.
///
/// Numbers are written as PHP's `json_encode` would after
/// [`to_decimal`](super::to_decimal); a point without value, and a value JSON
/// cannot hold (an infinity), is `null`.
pub fn series(series: &Series, out: &mut Vec<u8>) {
    out.push(b'[');
    points(&series.points, series.single, out);
    out.push(b']');
}

/// Appends `[time,value],[time,null],…` without the brackets around all, for
/// answers that are written piece by piece. `single` as in [`Series`].
pub fn points(points: &[Point], single: bool, out: &mut Vec<u8>) {
    // Ten digits of time, seven of value, four signs: most answers fit.
    out.reserve(points.len() * 21 + 1);
    for (i, point) in points.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'[');
        push_integer(out, point.time);
        out.push(b',');
        push_number(out, point.value, single);
        out.push(b']');
    }
}
