//! Points as a table for people.

use crate::time;
use emonfeed::output::decimal::push_number;
use emonfeed::query::Point;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// Significant digits of computed values in a table.
const DIGITS: usize = 9;

/// Appends the column titles.
pub fn header(out: &mut Vec<u8>) {
    line(out, "time", "unix", "value");
}

/// Appends one point.
pub fn point(
    out: &mut Vec<u8>,
    point: Point,
    single: bool,
    computed: bool,
    zone: &TimeZone,
) {
    let mut value = Vec::new();
    if point.value.is_nan() {
        value.push(b'-');
    } else if point.value.is_infinite() {
        value.extend_from_slice(if point.value > 0.0 { b"inf" } else { b"-inf" });
    } else {
        let shown = if computed { rounded(point.value, single) } else { point.value };
        push_number(&mut value, shown, single);
    }
    let value = String::from_utf8_lossy(&value);
    line(out, &time::show(point.time, zone), &point.time.to_string(), &value);
}

fn line(out: &mut Vec<u8>, time: &str, unix: &str, value: &str) {
    let mut text = String::with_capacity(64);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{time:<25}  {unix:>10}  {value:>14}");
    out.extend_from_slice(text.as_bytes());
}

/// A computed value to the digits a float32 can have: those behind are the
/// arithmetic's, not the sensor's. Whole numbers, such as counts, stay, and
/// so do values that are a row's own in a feed of float32 (`single`).
pub fn rounded(value: f64, single: bool) -> f64 {
    let is_whole = value.trunc() == value && value.abs() < 1e15;
    let is_row = single && f64::from(value as f32) == value;
    if is_whole || is_row {
        return value;
    }
    // Through text, the only way that rounds decimals exactly.
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64, single: bool, computed: bool) -> String {
        let mut out = Vec::new();
        point(
            &mut out,
            Point { time: 1_769_817_600, value },
            single,
            computed,
            &TimeZone::UTC,
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line() {
        assert_eq!(
            shown(f64::from(0.1_f32), true, false),
            "2026-01-31T00:00:00+00:00  1769817600             0.1\n"
        );
        assert!(shown(f64::NAN, true, false).ends_with(" -\n"));
        assert!(shown(f64::NEG_INFINITY, true, false).ends_with(" -inf\n"));
    }

    #[test]
    fn only_computed_values_are_rounded() {
        assert!(shown(21.0 + 1.0 / 3.0, false, true).ends_with(" 21.3333333\n"));
        assert!(shown(21.0 + 1.0 / 3.0, false, false).ends_with(" 21.333333333333332\n"));
        assert!(shown(f64::from(330.9_f32), true, true).ends_with(" 330.9\n"));
        assert_eq!(rounded(12_345_678_901.0, false), 12_345_678_901.0);
        assert_eq!(rounded(0.1 + 0.2, false), 0.3);
        assert_eq!(rounded(f64::MAX, false), 1.79769313e308);
    }
}
