//! Numbers as people and PHP read them.
//!
//! A reading of 0.1 is stored as the float32 nearest to it, which widened to
//! double is 0.100000001490116…. Nobody wrote those digits, so text and PHP
//! arrays get the *shortest decimal that reads back as the same float32*: 0.1.
//! [`decimal`] finds the double nearest to that decimal.
//!
//! The text itself is what PHP's `json_encode` writes (with its default
//! `serialize_precision = -1`): `3`, not `3.0`; plain digits from 0.0001 to
//! below 1e17, otherwise `1.0e-5` and `1.5e+25`.

use super::line::Line;
use super::reserve;
use crate::error::{Error, Result, Status};
use crate::query::Series;
use std::io::Write;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The most decimals that numbers are written with. Powers of ten up to this
/// are exact.
pub const MAX_DECIMALS: u8 = 22;

/// The double nearest to the shortest decimal of the float32 in `value`.
///
/// A `value` that is not a float32 widened to double comes back unchanged, as
/// do NaN and the infinities.
pub fn decimal(value: f64) -> f64 {
    let single = value as f32;
    if f64::from(single) != value || !value.is_finite() {
        return value;
    }
    // Every integer below 2^24 has its own float32: no shorter decimal can
    // stand for it. Most counters and state feeds end here, zero included.
    if is_small_integer(value.abs()) {
        return value;
    }
    if let Some((units, places)) = few_places(single.abs()) {
        return (units as f64 / EXACT_POWERS[places]).copysign(value);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(single);
    let shortest = Shortest::of_single(text, single);
    // A float32 has at most 9 digits, so the integer is exact in a double, and
    // one multiplication or division by an exact power rounds correctly.
    let integer = shortest.integer as f64;
    let magnitude = match shortest.exponent {
        exponent @ 0..=22 => integer * EXACT_POWERS[exponent as usize],
        exponent @ -22..=-1 => integer / EXACT_POWERS[exponent.unsigned_abs() as usize],
        _ => return text.parse().unwrap_or(value),
    };
    magnitude.copysign(value)
}

/// Makes each float32 of `series` the double nearest to its shortest decimal.
///
/// Afterwards the values are doubles like any other (`single` is false), and
/// print the same digits as before.
pub fn to_decimal(series: &mut Series) {
    if series.single {
        for point in &mut series.points {
            point.value = decimal(point.value);
        }
        series.single = false;
    }
}

/// Whether a number above zero is an integer that is its own shortest decimal,
/// float32 or double.
#[inline(always)]
fn is_small_integer(value: f64) -> bool {
    value < 16_777_216.0 && (value as i64) as f64 == value
}

/// A float32 above zero as a number of tenths, hundredths or thousandths, if
/// that is its shortest decimal, as it is of nearly all readings.
///
/// The fewest places are the fewest digits. All numbers here are exact: 24
/// bits times a thousand are 34, and so is the distance from the nearest
/// multiple, which must be less than half the gap to the next float32.
#[inline]
fn few_places(single: f32) -> Option<(u64, usize)> {
    let bits = single.to_bits();
    // The gap below a power of two is half the one above.
    let is_power = bits & 0x7f_ffff == 0;
    if !(0.001..16_777_216.0).contains(&single) || is_power {
        return None;
    }
    let half_gap = f64::from(f32::from_bits(bits & 0x7f80_0000)) / f64::from(1_u32 << 24);
    for (places, unit) in [(1, 1e1), (2, 1e2), (3, 1e3)] {
        let scaled = f64::from(single) * unit;
        // Half a unit goes up, away from zero, as in Rust's own formatting.
        let units = (scaled + 0.5) as i64;
        let distance = (units as f64 - scaled).abs();
        if distance < half_gap * unit {
            return Some((units as u64, places));
        }
    }
    None
}

/// Appends `value` as `json_encode` writes a double (a negative zero is `-0`).
/// NaN and the infinities, which JSON does not have, become `null`.
///
/// With `single`, `value` is a float32 widened to double, and its shortest
/// float32 digits are written.
pub fn push_number(out: &mut Vec<u8>, value: f64, single: bool) {
    let mut line = <Line>::new();
    put_number(&mut line, value, single);
    out.extend_from_slice(line.text());
}

/// The same for a line.
#[inline]
pub(super) fn put_number<const ROOM: usize>(
    line: &mut Line<ROOM>,
    value: f64,
    single: bool,
) {
    if !value.is_finite() {
        line.put(b"null");
        return;
    }
    if value.is_sign_negative() {
        line.push(b'-');
    }
    let value = value.abs();
    if is_small_integer(value) {
        line.integer(value as i64);
        return;
    }
    let narrow = value as f32;
    if single && f64::from(narrow) == value {
        if let Some((units, places)) = few_places(narrow) {
            line.fixed(units, places);
            return;
        }
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(narrow);
        if is_plain(text, narrow) {
            line.put(text.as_bytes());
        } else {
            Shortest::of_single(text, narrow).put(line);
        }
        return;
    }
    let mut buffer = zmij::Buffer::new();
    Shortest::parse(buffer.format_finite(value)).put(line);
}

/// Whether `text`, which `zmij` wrote for a number above zero, is already what
/// PHP would write: digits, a point and digits, and no other as short as near.
fn is_plain(text: &str, single: f32) -> bool {
    // Readings of everyday size; from 2^24 on, float32 have no decimals.
    if !(0.001..16_777_216.0).contains(&single) {
        return false;
    }
    match text.bytes().position(|byte| byte == b'.') {
        Some(point) => binary_places(single) != (text.len() - point) as i32,
        None => false,
    }
}

/// How many digits the number has behind the point in binary.
fn binary_places(single: f32) -> i32 {
    let bits = single.to_bits();
    let exponent = (bits >> 23 & 0xff) as i32 - 127;
    let mantissa = bits & 0x7f_ffff | 0x80_0000;
    23 - exponent - mantissa.trailing_zeros() as i32
}

/// Appends `value`, which must be finite, with exactly `decimals` decimals, as
/// PHP's `number_format` does: it rounds the decimals of the value's shortest
/// text half away from zero (0.285 becomes 0.29, although the double is a
/// little less), and leaves out the sign if only zeros remain. If that takes
/// more than a double's 15 digits, the digits are those of the double itself.
///
/// `single` is as in [`push_number`]. `decimals` is at most [`MAX_DECIMALS`].
/// Fails if memory is short for one of the longest numbers.
pub fn push_fixed(
    out: &mut Vec<u8>,
    value: f64,
    single: bool,
    decimals: u8,
) -> Result<()> {
    let magnitude = value.abs();
    let unit = EXACT_POWERS[usize::from(decimals.min(MAX_DECIMALS))];
    if magnitude * unit >= 1e15 {
        let number = if single { decimal(value) } else { value };
        let decimals = usize::from(decimals);
        reserve(out, 320 + decimals)?;
        return write!(out, "{number:.decimals$}").map_err(|error| {
            Error::new(Status::Internal, format!("a number cannot be written: {error}"))
        });
    }
    let mut buffer = zmij::Buffer::new();
    let narrow = magnitude as f32;
    let shortest = if is_small_integer(magnitude) {
        Shortest { integer: magnitude as u64, exponent: 0 }
    } else if single && f64::from(narrow) == magnitude {
        Shortest::of_single(buffer.format_finite(narrow), narrow)
    } else {
        Shortest::parse(buffer.format_finite(magnitude))
    };
    let rounded = shortest.rounded(decimals);
    if value.is_sign_negative() && rounded.integer != 0 {
        out.push(b'-');
    }
    rounded.push_fixed(out, decimals);
    Ok(())
}

/// Appends an integer in decimal.
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    let mut line = <Line>::new();
    line.integer(value);
    out.extend_from_slice(line.text());
}

/// The shortest decimal of a number above zero: `integer` × 10^`exponent`,
/// where `integer` has no zeros at its end.
struct Shortest {
    integer: u64,
    exponent: i32,
}

impl Shortest {
    /// Takes apart what `zmij` writes: `123.0`, `0.00015`, `1.5e-7`. A sign is
    /// passed over.
    fn parse(text: &str) -> Shortest {
        let (mantissa, exponent) = match text.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let mut shortest = Shortest { integer: 0, exponent };
        let mut places = 0;
        for byte in mantissa.bytes() {
            if byte == b'.' {
                places = 1;
            } else if byte.is_ascii_digit() {
                // At most 17 digits and the zero of `1000.0`: they fit.
                shortest.integer = shortest.integer * 10 + u64::from(byte - b'0');
                shortest.exponent -= places;
            }
        }
        while shortest.integer != 0 && shortest.integer % 10 == 0 {
            shortest.integer /= 10;
            shortest.exponent += 1;
        }
        shortest
    }

    /// The same for a float32, whose text `zmij` wrote.
    fn of_single(text: &str, single: f32) -> Shortest {
        let mut shortest = Shortest::parse(text);
        // Two decimals can be equally short and equally near: 60.8828125 lies
        // right between 60.882812 and 60.882813. That happens where the
        // number has one more binary place than the decimal has places. Like
        // Rust's own formatting, take the one further from zero.
        if let places @ 1..=13 = -shortest.exponent {
            if binary_places(single) == places + 1 {
                let scaled = f64::from(single.abs()) * f64::from(2_u32 << places);
                shortest.integer = (scaled as u64 * 5_u64.pow(places as u32)).div_ceil(2);
            }
        }
        shortest
    }

    /// The number with at most so many decimals, half away from zero.
    fn rounded(self, decimals: u8) -> Shortest {
        let dropped = -self.exponent - i32::from(decimals);
        if dropped <= 0 {
            return self;
        }
        let exponent = -i32::from(decimals);
        // An integer has at most 17 digits: what drops all of them and one
        // more leaves nothing.
        let integer = match 10_u64.checked_pow(dropped as u32) {
            Some(unit) => {
                self.integer / unit + u64::from(self.integer % unit >= unit / 2)
            }
            None => 0,
        };
        Shortest { integer, exponent }
    }

    /// Appends a rounded number below 1e17 with so many decimals.
    fn push_fixed(&self, out: &mut Vec<u8>, decimals: u8) {
        let mut line = <Line>::new();
        line.integer(self.integer as i64);
        let digits = line.text();
        let zeros = |out: &mut Vec<u8>, n: usize| out.resize(out.len() + n, b'0');
        let fraction = self.exponent.min(0).unsigned_abs() as usize;
        let whole = digits.len().saturating_sub(fraction);
        match whole {
            0 => out.push(b'0'),
            _ => out.extend_from_slice(&digits[..whole]),
        }
        zeros(out, self.exponent.max(0) as usize);
        if decimals > 0 {
            out.push(b'.');
            zeros(out, fraction - (digits.len() - whole));
            out.extend_from_slice(&digits[whole..]);
            zeros(out, usize::from(decimals) - fraction);
        }
    }

    /// Puts the number in PHP's shape.
    fn put<const ROOM: usize>(&self, line: &mut Line<ROOM>) {
        let mut number = <Line>::new();
        number.integer(self.integer as i64);
        let digits = number.text();
        // The number is 0.DIGITS × 10^point.
        match digits.len() as i32 + self.exponent {
            // 0.0001
            point @ -3..=0 => {
                line.put(b"0.");
                line.zeros(point.unsigned_abs() as usize);
                line.put(digits);
            }
            // 123000 or 123.4
            point @ 1..=17 => {
                let (whole, fraction) = digits.split_at(digits.len().min(point as usize));
                line.put(whole);
                if fraction.is_empty() {
                    line.zeros(point as usize - whole.len());
                } else {
                    line.push(b'.');
                    line.put(fraction);
                }
            }
            // 1.0e-5 or 1.25e+25
            point => {
                let (first, rest) = digits.split_at(1);
                line.put(first);
                line.push(b'.');
                line.put(if rest.is_empty() { b"0" } else { rest });
                line.put(if point > 0 { b"e+" } else { b"e-" });
                line.integer(i64::from((point - 1).abs()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(single: f32) -> f64 {
        format!("{single}").parse().unwrap()
    }

    #[track_caller]
    fn check(single: f32) {
        let got = decimal(f64::from(single));
        let want = expected(single);
        let mut text = Vec::new();
        push_number(&mut text, f64::from(single), true);
        let mut as_double = Vec::new();
        push_number(&mut as_double, want, false);
        assert_eq!(text, as_double, "{single:e}");
        assert!(
            got.to_bits() == want.to_bits(),
            "{single:e} ({:#010x}): {got:e} instead of {want:e}",
            single.to_bits()
        );
    }

    /// Bits of a float32 from its parts, both signs tested.
    fn check_bits(bits: u32) {
        check(f32::from_bits(bits));
        check(f32::from_bits(bits | 1 << 31));
    }

    #[test]
    fn known_readings() {
        for (stored, shown) in
            [(0.1_f32, 0.1), (230.52, 230.52), (1e-7, 1e-7), (3.4028235e38, 3.4028235e38)]
        {
            assert_eq!(decimal(f64::from(stored)), shown);
        }
        assert_eq!(decimal(16_777_215.0), 16_777_215.0);
        assert!(decimal(f64::NAN).is_nan());
        assert_eq!(decimal(f64::INFINITY), f64::INFINITY);
        assert_eq!(decimal(-0.0).to_bits(), (-0.0_f64).to_bits());
        // Not a float32: left alone.
        assert_eq!(decimal(0.1), 0.1);
        assert_eq!(decimal(1e300), 1e300);
    }

    #[test]
    fn every_exponent_with_mantissas_at_its_ends() {
        for exponent in 0..255_u32 {
            for near in 0..300 {
                check_bits(exponent << 23 | near);
                check_bits(exponent << 23 | (0x7f_ffff - near));
                check_bits(exponent << 23 | (0x40_0000 - 150 + near));
            }
        }
    }

    #[test]
    fn a_walk_through_all_float32() {
        // An odd stride meets every residue of the low bits; the release
        // build affords ten million.
        let stride = if cfg!(debug_assertions) { 4093 } else { 211 };
        for bits in (0..0x7f80_0000_u32).step_by(stride) {
            check_bits(bits);
        }
    }

    #[test]
    fn readings_with_few_decimals() {
        for hundredths in -30_000..30_000_i32 {
            check((f64::from(hundredths) / 100.0) as f32);
        }
    }

    #[test]
    fn integers() {
        for (value, text) in [
            (0, "0"),
            (-7, "-7"),
            (i64::MAX, "9223372036854775807"),
            (i64::MIN, "-9223372036854775808"),
        ] {
            let mut out = Vec::new();
            push_integer(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
