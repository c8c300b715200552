//! Points as a table for people.

use crate::time;
use emonfeed::output::decimal::push_number;
use emonfeed::query::Point;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// How many digits of computed values mean something: what is behind them is
/// the arithmetic's, not the sensor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// Values come from rows as they are.
    All,
    /// Computed from float32, which hold 7 digits.
    OfSingle,
    /// Computed from doubles or integers: 15 digits.
    OfDouble,
}

/// Appends the column titles.
pub fn header(out: &mut Vec<u8>) {
    line(out, "time", "unix", "value");
}

/// Appends one point.
pub fn point(
    out: &mut Vec<u8>,
    point: Point,
    single: bool,
    digits: Digits,
    zone: &TimeZone,
) {
    let mut value = Vec::new();
    if point.value.is_nan() {
        value.push(b'-');
    } else if point.value.is_infinite() {
        value.extend_from_slice(if point.value > 0.0 { b"inf" } else { b"-inf" });
    } else {
        push_number(&mut value, digits.keep(point.value, single), single);
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

impl Digits {
    /// The value with no more than these digits; those before the decimal
    /// point stay in any case, and so do values that are a row's own in a
    /// series of float32 (`single`).
    pub fn keep(self, value: f64, single: bool) -> f64 {
        let digits = match self {
            Digits::All => return value,
            _ if single && f64::from(value as f32) == value => return value,
            Digits::OfSingle => 7,
            Digits::OfDouble => 15,
        };
        if value == 0.0 {
            return value;
        }
        let before_point = value.abs().log10().floor() as i32 + 1;
        let places = usize::try_from(digits - before_point).unwrap_or(0);
        // Through text, the only way that rounds decimals exactly.
        format!("{value:.places$}").parse().unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64, single: bool, digits: Digits) -> String {
        let mut out = Vec::new();
        let point = Point { time: 1_769_817_600, value };
        super::point(&mut out, point, single, digits, &TimeZone::UTC);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line() {
        assert_eq!(
            shown(f64::from(0.1_f32), true, Digits::All),
            "2026-01-31T00:00:00+00:00  1769817600             0.1\n"
        );
        assert!(shown(f64::NAN, true, Digits::OfSingle).ends_with(" -\n"));
        assert!(shown(f64::NEG_INFINITY, true, Digits::OfDouble).ends_with(" -inf\n"));
    }

    #[test]
    fn only_computed_values_are_rounded() {
        let third = 21.0 + 1.0 / 3.0;
        assert!(shown(third, false, Digits::OfSingle).ends_with(" 21.33333\n"));
        assert!(shown(third, false, Digits::OfDouble).ends_with(" 21.3333333333333\n"));
        assert!(shown(third, false, Digits::All).ends_with(" 21.333333333333332\n"));
        // A row's own value between interpolated ones.
        let row = f64::from(330.12_f32);
        assert!(shown(row, true, Digits::OfSingle).ends_with(" 330.12\n"));
        for (value, kept) in [
            (0.0, 0.0),
            (12_345_678_901.25, 12_345_678_901.0),
            (-0.000_012_345_678_9, -0.000_012_345_68),
            (9.999_999_99, 10.0),
            (f64::MAX, f64::MAX),
        ] {
            assert_eq!(Digits::OfSingle.keep(value, false), kept);
        }
        assert_eq!(Digits::OfDouble.keep(0.1 + 0.2, false), 0.3);
        let tiny = f64::from_bits(1);
        assert_eq!(Digits::OfSingle.keep(tiny, false), tiny);
    }
}
