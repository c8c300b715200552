//! Series as CSV.

use super::decimal::{MAX_DECIMALS, push_fixed, push_integer, push_number, put_number};
use super::line::Lines;
use super::{LONGEST, PART, reserve};
use crate::error::{Error, Result, Status};
use crate::query::{Point, Series};

/// What a line looks like. The default is `time,value`: Unix seconds, all
/// digits, and nothing after the comma where there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Text between time and value.
    pub separator: String,
    /// The decimal point.
    pub point: String,
    /// Text written instead of a missing value.
    pub missing: String,
    /// Digits after the decimal point, at most [`MAX_DECIMALS`], rounded half
    /// away from zero; `None` for the shortest text that reads back as the same
    /// number.
    pub decimals: Option<u8>,
    /// How times are written.
    pub time: Time,
    /// The time zone's offsets, ascending: each holds from its time on, the
    /// first also before. If empty, times are UTC. [`Time::Unix`] needs none.
    pub offsets: Vec<Offset>,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Unix seconds.
    Unix,
    /// `31/01/2026 18:30:00`, as emoncms writes them for spreadsheets.
    Excel,
    /// `2026-01-31T18:30:00+01:00` (ISO 8601).
    Iso8601,
}

/// The offset of a time zone from UTC, from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// That moment, in Unix seconds.
    pub from: i64,
    /// Seconds east of UTC.
    pub seconds: i32,
}

impl Default for Format {
    fn default() -> Format {
        Format {
            separator: ",".to_owned(),
            point: ".".to_owned(),
            missing: String::new(),
            decimals: None,
            time: Time::Unix,
            offsets: Vec::new(),
        }
    }
}

impl Format {
    /// Whether lines can be written so. Errors: [`Status::Argument`].
    fn check(&self) -> Result<()> {
        let decimals = self.decimals.unwrap_or(0);
        if decimals > MAX_DECIMALS {
            return Err(Error::new(
                Status::Argument,
                format!("decimals must be at most {MAX_DECIMALS}"),
            ));
        }
        if let Some(i) = self.offsets.windows(2).position(|p| p[0].from >= p[1].from) {
            return Err(Error::new(
                Status::Argument,
                format!(
                    "offsets must ascend, but number {} (from {}) follows one from {}",
                    i + 1,
                    self.offsets[i + 1].from,
                    self.offsets[i].from
                ),
            ));
        }
        Ok(())
    }

    /// Whether times and values are written as they are.
    fn is_simple(&self) -> bool {
        self.time == Time::Unix && self.decimals.is_none() && self.point == "."
    }

    /// Seconds east of UTC at that time.
    fn offset(&self, time: i64) -> i32 {
        let behind = self.offsets.partition_point(|offset| offset.from <= time);
        self.offsets.get(behind.saturating_sub(1)).map_or(0, |offset| offset.seconds)
    }
}

/// Appends one line per point, ended by `\n`.
///
/// Fails with [`Status::Argument`] if the format is not valid, and with
/// [`Status::Memory`] if memory is short.
pub fn series(series: &Series, format: &Format, out: &mut Vec<u8>) -> Result<()> {
    points(&series.points, series.single, format, out)
}

/// Like [`series`], for a part of a series. `single` is as in [`Series`].
pub fn points(
    points: &[Point],
    single: bool,
    format: &Format,
    out: &mut Vec<u8>,
) -> Result<()> {
    format.check()?;
    let longest = LONGEST
        + usize::from(format.decimals.unwrap_or(0))
        + format.separator.len()
        + format.point.len()
        + format.missing.len()
        // Beyond the digits of a Unix time: `-` between a date's parts and
        // the offset.
        + 40;
    let separator = match format.separator.as_bytes() {
        [byte] if format.is_simple() => Some(*byte),
        _ => None,
    };
    let mut lines = Lines::new();
    for part in points.chunks(PART) {
        reserve(out, part.len() * longest)?;
        for point in part {
            if let (Some(separator), true) = (separator, point.value.is_finite()) {
                lines.time(point.time);
                lines.push(separator);
                put_number(&mut lines, point.value, single);
                lines.push(b'\n');
                if lines.is_full() {
                    lines.move_to(out);
                }
                continue;
            }
            lines.move_to(out);
            push_time(out, point.time, format);
            out.extend_from_slice(format.separator.as_bytes());
            if point.value.is_finite() {
                push_value(out, point.value, single, format)?;
            } else {
                out.extend_from_slice(format.missing.as_bytes());
            }
            out.push(b'\n');
        }
        lines.move_to(out);
    }
    Ok(())
}

fn push_value(
    out: &mut Vec<u8>,
    value: f64,
    single: bool,
    format: &Format,
) -> Result<()> {
    let begin = out.len();
    match format.decimals {
        Some(decimals) => push_fixed(out, value, single, decimals)?,
        None => push_number(out, value, single),
    }
    if format.point != "." {
        let end = out.len();
        if let Some(at) = (begin..end).find(|&at| out[at] == b'.') {
            out.splice(at..=at, format.point.bytes());
        }
    }
    Ok(())
}

fn push_time(out: &mut Vec<u8>, time: i64, format: &Format) {
    if format.time == Time::Unix {
        push_integer(out, time);
        return;
    }
    let offset = format.offset(time);
    let (date, clock) = local(time, offset);
    if format.time == Time::Excel {
        push_padded(out, date.day, 2);
        out.push(b'/');
        push_padded(out, date.month, 2);
        out.push(b'/');
        push_year(out, date.year);
        out.push(b' ');
        push_clock(out, clock);
        return;
    }
    push_year(out, date.year);
    out.push(b'-');
    push_padded(out, date.month, 2);
    out.push(b'-');
    push_padded(out, date.day, 2);
    out.push(b'T');
    push_clock(out, clock);
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = offset.unsigned_abs() / 60;
    push_padded(out, minutes / 60, 2);
    out.push(b':');
    push_padded(out, minutes % 60, 2);
}

fn push_year(out: &mut Vec<u8>, year: i64) {
    if year < 0 {
        out.push(b'-');
    }
    push_padded(out, year.unsigned_abs(), 4);
}

/// Hours, minutes and seconds of a second of the day.
fn push_clock(out: &mut Vec<u8>, second: u32) {
    push_padded(out, second / 3600, 2);
    out.push(b':');
    push_padded(out, second / 60 % 60, 2);
    out.push(b':');
    push_padded(out, second % 60, 2);
}

/// Appends a number with zeros before it, to at least `width` digits.
fn push_padded(out: &mut Vec<u8>, number: impl Into<u64>, width: u32) {
    let number = number.into();
    for place in (1..width).rev() {
        if number < 10_u64.pow(place) {
            out.push(b'0');
        }
    }
    push_integer(out, number as i64);
}

struct Date {
    year: i64,
    month: u32,
    day: u32,
}

const DAY: i64 = 86_400;

/// Date and second of the day where clocks are `offset` seconds ahead of UTC.
fn local(time: i64, offset: i32) -> (Date, u32) {
    // Added to the second of the day, so that no time is too far away.
    let second = time.rem_euclid(DAY) + i64::from(offset);
    let days = time.div_euclid(DAY) + second.div_euclid(DAY);
    (date(days), second.rem_euclid(DAY) as u32)
}

/// The date of the Gregorian calendar so many days after 1 January 1970.
fn date(days: i64) -> Date {
    // Counted from 1 March of the year 0: leap days come last in these years,
    // and months have lengths that repeat every five.
    let days = days + 719_468;
    const ERA: i64 = 146_097;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524
        - day_of_era / 146_096)
        / 365;
    let day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month =
        if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Date { year, month: month as u32, day: day as u32 }
}
