//! Series as JSON, in the shape emoncms's graphs take.

use super::decimal::{push_integer, push_number};
use crate::query::Series;

/// Appends `[[time,value],[time,null],…]`.
///
/// Numbers are written as PHP's `json_encode` would after
/// [`to_decimal`](super::to_decimal); a point without value, and a value JSON
/// cannot hold (an infinity), is `null`.
pub fn series(series: &Series, out: &mut Vec<u8>) {
    // Ten digits of time, seven of value, four signs: most answers fit.
    out.reserve(series.points.len() * 21 + 2);
    out.push(b'[');
    for (i, point) in series.points.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.push(b'[');
        push_integer(out, point.time);
        out.push(b',');
        push_number(out, point.value, series.single);
        out.push(b']');
    }
    out.push(b']');
}
