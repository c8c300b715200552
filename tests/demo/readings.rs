//! A made-up house: the readings of the demo, and how they lie in a feed file.
//!
//! Every reading is a whole number over a power of ten, so that the decimal
//! text a database server reads and the float32 written here are one number.

// Each program that includes this uses its own part of it.
#![allow(dead_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;
/// 1 January 2025, 00:00 UTC.
const START: u32 = 1_735_689_600;

/// The year the demo begins with.
pub const YEAR: Range<u32> = START..START + 365 * DAY;
/// The hour of readings that arrives later.
pub const NEXT_HOUR: Range<u32> = YEAR.end..YEAR.end + HOUR;

/// One made-up feed.
pub struct Feed {
    /// The number in `feed_N`.
    pub id: u32,
    /// Seconds between readings.
    interval: u32,
    /// Digits of a reading after the decimal point.
    decimals: u32,
    /// The reading at a time, in units of its last digit.
    reading: fn(u32) -> i64,
}

/// Power in W every 10 s, outside temperature in °C every minute, and the
/// meter in kWh every five minutes.
pub const FEEDS: [Feed; 3] = [
    Feed { id: 1, interval: 10, decimals: 1, reading: power },
    Feed { id: 2, interval: 60, decimals: 1, reading: temperature },
    Feed { id: 3, interval: 300, decimals: 2, reading: meter },
];

impl Feed {
    fn readings(&self, span: &Range<u32>) -> impl Iterator<Item = (u32, i64)> {
        let reading = self.reading;
        span.clone()
            .step_by(self.interval as usize)
            .map(move |time| (time, reading(time)))
    }

    /// Appends the readings of `span` to `feed_N.MYD` in `dir`, in the row
    /// layout of a MySQL table whose two columns are NOT NULL: the flag byte
    /// FF (a live row), the time, the value. Answers how many rows.
    pub fn append_rows(&self, dir: &Path, span: &Range<u32>) -> io::Result<u64> {
        let path = dir.join(format!("feed_{}.MYD", self.id));
        let mut out = BufWriter::with_capacity(
            1 << 16,
            OpenOptions::new().create(true).append(true).open(path)?,
        );
        let scale = f64::from(10_u32.pow(self.decimals));
        let mut rows = 0;
        for (time, units) in self.readings(span) {
            let mut row = [0xff; 9];
            row[1..5].copy_from_slice(&time.to_le_bytes());
            row[5..].copy_from_slice(&((units as f64 / scale) as f32).to_le_bytes());
            out.write_all(&row)?;
            rows += 1;
        }
        out.flush()?;
        Ok(rows)
    }

    /// Writes the readings of `span` to `feed_N.txt` in `dir` as LOAD DATA
    /// reads them: time, tab, value. Answers how many rows.
    pub fn write_text(&self, dir: &Path, span: &Range<u32>) -> io::Result<u64> {
        let path = dir.join(format!("feed_{}.txt", self.id));
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
        let scale = 10_u64.pow(self.decimals);
        let mut rows = 0;
        for (time, units) in self.readings(span) {
            let sign = if units < 0 { "-" } else { "" };
            let (whole, part) =
                (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
            writeln!(
                out,
                "{time}\t{sign}{whole}.{part:0width$}",
                width = self.decimals as usize
            )?;
            rows += 1;
        }
        out.flush()?;
        Ok(rows)
    }
}

/// The same scattered number for the same `n`, always.
fn scatter(n: u32) -> u32 {
    let mut h = n.wrapping_mul(0x9e37_79b1);
    h ^= h >> 15;
    h = h.wrapping_mul(0x85eb_ca77);
    h ^ (h >> 13)
}

/// A hump of height `peak` between two times, 0 outside.
fn hump(at: u32, from: u32, to: u32, peak: i64) -> i64 {
    if !(from..to).contains(&at) {
        return 0;
    }
    let (up, down, width) =
        (i64::from(at - from), i64::from(to - at), i64::from(to - from));
    peak * 4 * up * down / (width * width)
}

/// Tenths of a watt: standby, a fridge, breakfast, the evening, a kettle.
fn power(time: u32) -> i64 {
    let clock = time % DAY;
    let fridge = if time / 900 % 3 == 0 { 850 } else { 0 };
    let kettle_on = (7 * HOUR..22 * HOUR).contains(&clock)
        && scatter(time / 300) % 24 == 0
        && time % 300 < 150;
    1_200
        + fridge
        + hump(clock, 6 * HOUR + 1_800, 9 * HOUR, 6_000)
        + hump(clock, 17 * HOUR, 22 * HOUR + 1_800, 9_000)
        + if kettle_on { 21_000 } else { 0 }
        + i64::from(scatter(time) % 100)
}

/// Tenths of a degree: cold in January and before dawn, frost included.
fn temperature(time: u32) -> i64 {
    let day_of_year = (time - START + 350 * DAY) % (365 * DAY);
    let clock = (time + 19 * HOUR) % DAY;
    hump(day_of_year, 0, 365 * DAY, 190) + hump(clock, 0, DAY, 80) - 50
        + i64::from(scatter(time / 60) % 7)
}

/// Hundredths of a kWh: a meter that stood at 4,000 kWh and gains 8.5 a day.
fn meter(time: u32) -> i64 {
    400_000 + i64::from(time - START) * 850 / i64::from(DAY)
}
