//! C gets what Rust gets, to the bit: nothing is lost, rounded or mixed up on
//! the way through the C interface.

#[path = "c/abi.rs"]
mod abi;
mod c;

use abi::*;
use emonfeed::query::{self, Aggregate, Flags, Mode, Point, Series};
use emonfeed::{Access, Feed, Options, Result};
use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

/// An answer or a failure, as both sides can say it.
type Told<T> = std::result::Result<T, (i32, String)>;

fn of_rust<T>(answer: Result<T>) -> Told<T> {
    answer.map_err(|error| (error.status().code(), error.to_string()))
}

/// Makes a call and gives the handle it hands over.
fn of_c(call: impl FnOnce(Out, Out) -> i32) -> Told<Handle> {
    let (mut out, mut error) = (ptr::null_mut(), ptr::null_mut());
    match call(&raw mut out, &raw mut error) {
        0 => Ok(out),
        status => {
            // SAFETY: a call that failed handed over an error.
            let message = unsafe {
                let message = CStr::from_ptr(emonfeed_error_message(error)).to_owned();
                emonfeed_error_free(error);
                message
            };
            Err((status, message.into_string().unwrap()))
        }
    }
}

/// The points to the bit, whether they are float32, and the JSON of them.
type Seen = (Vec<(i64, u64)>, bool, String);

fn bits(points: &[Point]) -> Vec<(i64, u64)> {
    points.iter().map(|point| (point.time, point.value.to_bits())).collect()
}

fn rust_series(answer: Result<Series>) -> Told<Seen> {
    of_rust(answer).map(|series| {
        let mut json = Vec::new();
        emonfeed::output::json::series(&series, &mut json).unwrap();
        (bits(&series.points), series.single, String::from_utf8(json).unwrap())
    })
}

fn c_series(call: impl FnOnce(Out, Out) -> i32) -> Told<Seen> {
    of_c(call).map(|series| {
        // SAFETY: the series is valid until it is freed, and so is the text.
        unsafe {
            let points = match emonfeed_series_points(series) {
                none if none.is_null() => &[],
                some => std::slice::from_raw_parts(some, emonfeed_series_len(series)),
            };
            let text =
                of_c(|out, error| emonfeed_series_json(series, out, error)).unwrap();
            let json =
                CStr::from_ptr(emonfeed_text_data(text)).to_str().unwrap().to_owned();
            emonfeed_text_free(text);
            let seen = (bits(points), emonfeed_series_is_single(series), json);
            emonfeed_series_free(series);
            seen
        }
    })
}

/// Whole numbers by chance, the same in each run.
struct Chance(u64);

impl Chance {
    /// From `low` to `high`, both included.
    fn pick(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        low + ((self.0 >> 33) as i64).rem_euclid(high - low + 1)
    }

    fn picks(&mut self, n: i64, low: i64, high: i64) -> Vec<i64> {
        (0..n).map(|_| self.pick(low, high)).collect()
    }
}

/// Asks both sides of one feed the same things by chance, a few of them
/// nonsense.
fn compare(path: &Path, access: Access, low: i64, high: i64, chance: &mut Chance) {
    let feed = Feed::open_with(path, Options { access, ..Options::default() }).unwrap();
    let path = CString::new(path.to_str().unwrap()).unwrap();
    let flags = u32::from(access == Access::Pread);
    // SAFETY: the path ends with a NUL and the outputs are valid.
    let open =
        |out, error| unsafe { emonfeed_feed_open(path.as_ptr(), flags, out, error) };
    let handle = of_c(open).unwrap();
    for _ in 0..200 {
        let (start, end) = (chance.pick(low, high), chance.pick(low, high));
        let interval = chance.pick(0, 300);
        let number = chance.pick(0, 6) as usize;
        let bits = chance.pick(0, 15) as u32;
        let (aggregate, flags) =
            (Aggregate::ALL[number], Flags::from_bits(bits).unwrap());
        let number = number as i32;
        // SAFETY: the feed is valid until it is freed below, numbers live as
        // long as the call, outputs are valid; so for all calls here.
        unsafe {
            assert_eq!(
                c_series(|o, e| emonfeed_feed_windows(
                    handle, start, end, interval, number, bits, o, e
                )),
                rust_series(query::windows(
                    &feed, start, end, interval, aggregate, flags
                )),
                "windows {start} {end} {interval} {aggregate:?} {flags:?}"
            );
            let n = chance.pick(0, 20);
            let mut times = chance.picks(n, low, high);
            if chance.pick(0, 9) > 0 {
                times.sort_unstable();
                times.dedup();
            }
            let (at, n) = (times.as_ptr(), times.len());
            assert_eq!(
                c_series(|o, e| emonfeed_feed_windows_at(
                    handle, at, n, number, bits, o, e
                )),
                rust_series(query::windows_at(&feed, &times, aggregate, flags)),
                "windows at {times:?} {aggregate:?} {flags:?}"
            );
            let mode = chance.pick(0, 3) as usize;
            let flags = chance.pick(0, 15) as u32;
            assert_eq!(
                c_series(|o, e| emonfeed_feed_values_at(
                    handle,
                    at,
                    n,
                    mode as i32,
                    flags,
                    o,
                    e
                )),
                rust_series(query::values_at(
                    &feed,
                    &times,
                    Mode::ALL[mode],
                    Flags::from_bits(flags).unwrap()
                )),
                "values at {times:?} {:?} {flags}",
                Mode::ALL[mode]
            );
            let limit = chance.pick(0, 30) as u64;
            assert_eq!(
                c_series(|o, e| emonfeed_feed_rows(handle, start, end, limit, o, e)),
                rust_series(query::rows(&feed, start, end, limit)),
                "rows {start} {end} {limit}"
            );
            let from = query::Position { time: start, given: chance.pick(0, 2) as u64 };
            let mut position = Position { time: from.time, given: from.given };
            let piece = query::rows_from(&feed, from, end, limit);
            let behind = piece.as_ref().map_or(from, |&(_, behind)| behind);
            assert_eq!(
                c_series(|o, e| emonfeed_feed_rows_from(
                    handle,
                    &raw mut position,
                    end,
                    limit,
                    o,
                    e
                )),
                rust_series(piece.map(|(rows, _)| rows)),
                "rows from {from:?} {end} {limit}"
            );
            assert_eq!((position.time, position.given), (behind.time, behind.given));
            let (ms, dp) = ((start as f64 * 1e3, end as f64 * 1e3), chance.pick(-1, 50));
            assert_eq!(
                c_series(|o, e| emonfeed_feed_data(handle, ms.0, ms.1, dp, o, e)),
                rust_series(query::feed_data(&feed, ms.0, ms.1, dp)),
                "data {ms:?} {dp}"
            );
            let (min, max) =
                (chance.pick(-200, 400) as f64, chance.pick(-200, 400) as f64);
            assert_eq!(
                c_series(|o, e| emonfeed_feed_sum_by_time(handle, min, max, o, e)),
                rust_series(query::sum_by_time(&feed, min, max)),
                "sum by time {min} {max}"
            );
            let histogram =
                of_c(|o, e| emonfeed_feed_histogram(handle, start, end, o, e)).map(
                    |bars| {
                        let bins = match emonfeed_histogram_bins(bars) {
                            none if none.is_null() => &[],
                            some => std::slice::from_raw_parts(
                                some,
                                emonfeed_histogram_len(bars),
                            ),
                        };
                        let bits = |bin: &Bin| (bin.data2.to_bits(), bin.sum.to_bits());
                        let bins: Vec<_> = bins.iter().map(bits).collect();
                        emonfeed_histogram_free(bars);
                        bins
                    },
                );
            let expected =
                of_rust(query::histogram(&feed, start, end)).map(|histogram| {
                    let bins = histogram.bins.iter();
                    bins.map(|bin| (bin.data2.to_bits(), bin.sum.to_bits())).collect()
                });
            assert_eq!(histogram, expected, "histogram {start} {end}");
        }
    }
    // SAFETY: as above; the feed is freed once.
    unsafe {
        let last = c_series(|out, error| emonfeed_feed_last(handle, out, error));
        assert_eq!(last, rust_series(query::last(&feed)));
        emonfeed_feed_free(handle);
    }
}

#[test]
fn bare_feeds_in_and_out_of_order() {
    const SEED: u64 = 20_130_701;
    let mut chance = Chance(SEED);
    let folder = c::temporary();
    for sorted in [true, false] {
        let mut times = chance.picks(500, 1000, 9000);
        if sorted {
            times.sort_unstable();
        }
        let value = |chance: &mut Chance| match chance.pick(0, 9) {
            0 => f32::NAN,
            _ => chance.pick(-10_000, 10_000) as f32 / 7.0,
        };
        let rows: Vec<_> =
            times.iter().map(|time| (*time as u32, value(&mut chance))).collect();
        let path = folder.path().join(format!("feed_{}.MYD", u8::from(sorted)));
        c::write_feed(&path, rows);
        for access in [Access::Mmap, Access::Pread] {
            compare(&path, access, 900, 9100, &mut chance);
        }
    }
}

#[test]
fn tables_of_every_kind_of_value() {
    const SEED: u64 = 7;
    let mut chance = Chance(SEED);
    for shape in ["plain", "double", "bigint", "histogram", "histogram_double"] {
        let path = c::root().join("tests/fixtures").join(shape).join("feed_1.MYD");
        let (low, high) = (1_369_999_990, 1_370_000_310);
        compare(&path, Access::Mmap, low, high, &mut chance);
    }
}

/// Numbers that are none, have no end, or hardly differ from zero; two NaN with
/// something in them.
const ODD: [u32; 12] = [
    0x7fc0_0000,
    0xffc1_2345,
    0x7f80_0001,
    0x7f80_0000,
    0xff80_0000,
    0x0000_0001,
    0x807f_ffff,
    0x0080_0000,
    0x8000_0000,
    0x0000_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
];

#[test]
fn times_at_the_ends_of_their_range_and_odd_numbers() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    let clusters = [0, (1 << 31) - 12, u32::MAX - 23];
    let times = clusters.iter().flat_map(|first| *first..=first + 23);
    let rows: Vec<(u32, f32)> =
        times.zip(ODD.iter().cycle().map(|bits| f32::from_bits(*bits))).collect();
    c::write_feed(&path, rows.clone());
    let feed = Feed::open(&path).unwrap();
    // By the definition: no NaN is a value, all else is what it was, to the bit.
    let seen = query::rows(&feed, i64::MIN, i64::MAX, 0).unwrap();
    let seen = seen.points.iter().map(|point| match point.value.is_nan() {
        true => (point.time, None),
        false => (point.time, Some((point.value as f32).to_bits())),
    });
    let expected = rows.iter().map(|(time, value)| {
        (i64::from(*time), (!value.is_nan()).then_some(value.to_bits()))
    });
    assert!(seen.eq(expected));
    let mut chance = Chance(32);
    for first in clusters {
        let (low, high) = (i64::from(first) - 40, i64::from(first) + 60);
        for access in [Access::Mmap, Access::Pread] {
            compare(&path, access, low, high, &mut chance);
        }
    }
}
