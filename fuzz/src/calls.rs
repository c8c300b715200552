//! The C functions with any numbers: what they answer is what Rust answers,
//! and pointers that must not be NULL are refused.

#[path = "../../tests/c/abi.rs"]
mod abi;

use super::input::Input;
use super::place::Table;
use abi::*;
use emonfeed::query::{self, Aggregate, Flags, MAX_WINDOWS, Mode, Point, Series};
use emonfeed::{Error, Feed, Options, Status};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::rc::Rc;

const BASE: i64 = 3_000;
/// Longer answers take long and show nothing.
const LONG: u64 = 20_000;
const ARGUMENT: i32 = Status::Argument as i32;

struct Opened {
    table: Table,
    feed: Feed,
    handle: Handle,
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: it was handed over to this value, which goes.
        unsafe { emonfeed_feed_free(self.handle) };
    }
}

/// A feed out of order, with NULLs, NaN and the greatest times.
fn opened() -> Rc<Opened> {
    // Goes with the thread, and its files with it.
    thread_local!(static OPENED: Rc<Opened> = Rc::new(Opened::new()));
    OPENED.with(Rc::clone)
}

impl Opened {
    fn new() -> Opened {
        let mut bytes = Vec::new();
        for i in 0..500_u32 {
            let time = match i % 50 {
                7 => i,
                499 => u32::MAX,
                _ => i * 10,
            };
            bytes.push(if i % 31 == 30 { 0xfd } else { 0xf9 });
            bytes.extend(time.to_le_bytes());
            bytes.extend(
                if i % 29 == 28 { f32::NAN } else { i as f32 / 8.0 }.to_le_bytes(),
            );
        }
        let table = Table::new();
        table.put("MYD", &bytes);
        table.settle();
        let path = CString::new(table.rows.as_os_str().as_bytes()).unwrap();
        // SAFETY: the path ends with a NUL and the outputs are valid.
        let handle = unsafe {
            told(|out, error| emonfeed_feed_open(path.as_ptr(), 0, out, error))
        };
        let feed = Feed::open_with(&table.rows, Options::default()).unwrap();
        Opened { table, feed, handle: handle.expect("a feed") }
    }
}

/// Makes a call and gives the handle it hands over, or status and message.
///
/// # Safety
/// The call must be right to make.
unsafe fn told(call: impl FnOnce(Out, Out) -> i32) -> Result<Handle, (i32, String)> {
    let (mut out, mut error) = (ptr::null_mut(), ptr::null_mut());
    let status = call(&raw mut out, &raw mut error);
    if status == 0 {
        assert!(!out.is_null() && error.is_null());
        return Ok(out);
    }
    assert!(out.is_null() && !error.is_null());
    // SAFETY: a call that failed handed over an error.
    let message = unsafe {
        let message = CStr::from_ptr(emonfeed_error_message(error)).to_owned();
        emonfeed_error_free(error);
        message
    };
    Err((status, message.into_string().expect("UTF-8")))
}

fn of_rust(answer: Result<Series, Error>) -> Result<Vec<(i64, u64)>, (i32, String)> {
    let bits = |point: &Point| (point.time, point.value.to_bits());
    answer
        .map(|series| series.points.iter().map(bits).collect())
        .map_err(|error| (error.status() as i32, error.to_string()))
}

/// # Safety
/// The call must be right to make and hand over a series.
unsafe fn points(
    call: impl FnOnce(Out, Out) -> i32,
) -> Result<Vec<(i64, u64)>, (i32, String)> {
    // SAFETY: the caller's promise; the series is valid until it is freed.
    unsafe {
        let series = told(call)?;
        let (data, len) = (emonfeed_series_points(series), emonfeed_series_len(series));
        let points = if len == 0 { &[] } else { std::slice::from_raw_parts(data, len) };
        let points =
            points.iter().map(|point| (point.time, point.value.to_bits())).collect();
        let text =
            told(|out, error| emonfeed_series_json(series, out, error)).expect("JSON");
        assert!(!emonfeed_text_data(text).is_null());
        emonfeed_text_free(text);
        emonfeed_series_free(series);
        Ok(points)
    }
}

/// So many windows are asked for, if that is so many that they are not made.
fn is_long(start: i64, end: i64, interval: i64) -> bool {
    let span = u64::try_from(i128::from(end) - i128::from(start)).unwrap_or(0);
    interval > 0 && (LONG..=MAX_WINDOWS).contains(&(span / interval.unsigned_abs()))
}

/// Calls, one after the other.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    for _ in 0..16 {
        if input.is_empty() {
            return;
        }
        // SAFETY: every pointer below is one the header allows.
        unsafe { call(&mut input) };
    }
}

/// # Safety
/// Only what is right is done here.
unsafe fn call(input: &mut Input) {
    let opened = opened();
    let Opened { table, feed, handle } = &*opened;
    let handle = *handle;
    let null: Handle = ptr::null_mut();
    let (start, end) = (input.near(BASE), input.near(BASE));
    let number = i32::from(input.u8() as i8);
    let bits = if input.u8() % 2 == 0 { u32::from(input.u8() % 16) } else { input.u32() };
    let aggregate = Aggregate::from_number(number);
    let flags = Flags::from_bits(bits);
    // SAFETY: the handle is valid, or NULL where that is refused; so are the
    // outputs; lists are as long as is said, or NULL.
    unsafe {
        match input.u8() % 10 {
            0 => {
                let interval = input.near(60);
                if is_long(start, end, interval) {
                    return;
                }
                let got = points(|out, error| {
                    emonfeed_feed_windows(
                        handle, start, end, interval, number, bits, out, error,
                    )
                });
                match (aggregate, flags) {
                    (Some(a), Some(f)) => {
                        let want = query::windows(feed, start, end, interval, a, f);
                        assert_eq!(
                            got,
                            of_rust(want),
                            "{start} {end} {interval} {a:?} {f:?}"
                        );
                    }
                    _ => assert_eq!(got.unwrap_err().0, ARGUMENT),
                }
            }
            1 => {
                let mut edges: Vec<_> =
                    (0..input.u8() % 40).map(|_| input.near(BASE)).collect();
                if input.u8() % 4 != 0 {
                    edges.sort_unstable();
                    edges.dedup();
                }
                let got = points(|out, error| {
                    let (at, n) = (edges.as_ptr(), edges.len());
                    emonfeed_feed_windows_at(handle, at, n, number, bits, out, error)
                });
                match (aggregate, flags) {
                    (Some(a), Some(f)) => {
                        let want = query::windows_at(feed, &edges, a, f);
                        assert_eq!(got, of_rust(want), "{edges:?} {a:?} {f:?}");
                    }
                    _ => assert_eq!(got.unwrap_err().0, ARGUMENT),
                }
            }
            2 => {
                let times: Vec<_> =
                    (0..input.u8() % 40).map(|_| input.near(BASE)).collect();
                let got = points(|out, error| {
                    let (at, n) = (times.as_ptr(), times.len());
                    emonfeed_feed_values_at(handle, at, n, number, bits, out, error)
                });
                match (Mode::from_number(number), flags) {
                    (Some(m), Some(f)) => {
                        let want = query::values_at(feed, &times, m, f);
                        assert_eq!(got, of_rust(want), "{times:?} {m:?} {f:?}");
                    }
                    _ => assert_eq!(got.unwrap_err().0, ARGUMENT),
                }
            }
            3 => {
                let limit =
                    if input.u8() % 2 == 0 { input.u8().into() } else { input.u64() };
                let got = points(|out, error| {
                    emonfeed_feed_rows(handle, start, end, limit, out, error)
                });
                assert_eq!(got, of_rust(query::rows(feed, start, end, limit)));
            }
            4 => {
                let limit = input.u8().into();
                let from = query::Position { time: start, given: input.near(0) as u64 };
                let mut position = Position { time: from.time, given: from.given };
                let got = points(|out, error| {
                    emonfeed_feed_rows_from(
                        handle,
                        &raw mut position,
                        end,
                        limit,
                        out,
                        error,
                    )
                });
                let want = query::rows_from(feed, from, end, limit);
                let behind = want.as_ref().map_or(from, |(_, behind)| *behind);
                assert_eq!(got, of_rust(want.map(|(rows, _)| rows)));
                assert_eq!((position.time, position.given), (behind.time, behind.given));
            }
            5 => {
                let (start, end) = (input.f64(BASE * 1000), input.f64(BASE * 1000));
                let dp = input.near(100);
                // An end of 0 means now.
                let long = (LONG..=MAX_WINDOWS).contains(&(dp.max(0) as u64));
                if long || end == 0.0 {
                    return;
                }
                let got = points(|out, error| {
                    emonfeed_feed_data(handle, start, end, dp, out, error)
                });
                assert_eq!(
                    got,
                    of_rust(query::feed_data(feed, start, end, dp)),
                    "{start} {end} {dp}"
                );
            }
            6 => {
                let (min, max) = (input.f64(0), input.f64(0));
                let got = points(|out, error| {
                    emonfeed_feed_sum_by_time(handle, min, max, out, error)
                });
                assert_eq!(got, of_rust(query::sum_by_time(feed, min, max)));
            }
            7 => {
                // No list, or one that no memory can hold.
                let n = input.u64() as usize;
                let nothing = points(|out, error| {
                    emonfeed_feed_windows_at(handle, ptr::null(), n, 2, 0, out, error)
                });
                assert_eq!(nothing.err().map(|e| e.0), (n != 0).then_some(ARGUMENT));
                let one = [BASE];
                let n = n | 1 << (usize::BITS - 4);
                let much = points(|out, error| {
                    emonfeed_feed_values_at(handle, one.as_ptr(), n, 0, 0, out, error)
                });
                assert_eq!(much.unwrap_err().0, ARGUMENT);
            }
            8 => {
                // A feed by any name, in a directory that holds one.
                let mut name = input.piece().to_vec();
                name.retain(|&byte| byte != 0 && byte != b'/');
                let mut path =
                    table.rows.parent().unwrap().as_os_str().as_bytes().to_vec();
                path.push(b'/');
                path.extend(name);
                let path = CString::new(path).expect("no NUL");
                match told(|out, error| {
                    emonfeed_feed_open(path.as_ptr(), bits, out, error)
                }) {
                    Ok(feed) => emonfeed_feed_free(feed),
                    Err((status, message)) => {
                        assert_ne!(status, Status::Internal as i32, "{message}");
                        assert!(!message.contains(['\n', '\0']), "{message:?}");
                    }
                }
            }
            _ => {
                let refused = points(|out, error| emonfeed_feed_last(null, out, error));
                assert_eq!(refused.unwrap_err().0, ARGUMENT);
                let status = emonfeed_feed_rows(
                    handle,
                    start,
                    end,
                    1,
                    ptr::null_mut(),
                    ptr::null_mut(),
                );
                assert_eq!(status, ARGUMENT);
                emonfeed_feed_free(null);
                emonfeed_series_free(null);
                emonfeed_error_free(null);
                emonfeed_text_free(null);
                assert_eq!(emonfeed_series_len(null), 0);
                assert!(emonfeed_series_points(null).is_null());
            }
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    // Both ends near the base, an aggregate, known flags, the function.
    let begin = |function: u8| vec![0, 0x9c, 0xff, 0, 0xe8, 0x03, 2, 0, 2, function];
    let with = |function: u8, more: &[u8]| [&begin(function)[..], more].concat();
    let times = [6, 0, 0, 0, 0, 10, 0, 0, 20, 0, 4, 0, 1, 0, 0, 5, 3, 6, 200, 1];
    vec![
        with(0, &[0, 0, 0]),
        with(0, &[7, 1, 0, 0, 0, 0, 0, 0, 0]),
        with(1, &times),
        with(2, &times),
        with(3, &[0, 9]),
        with(4, &[5, 0, 2, 0]),
        with(5, &[2, 0, 0, 0, 2, 0, 0xff, 0, 0, 0, 0]),
        with(6, &[2, 0, 0, 0, 2, 0, 10, 0]),
        with(7, &[0xff; 8]),
        with(8, &[10, 0, b'f', b'e', b'e', b'd', b'_', b'1', b'.', b'M', b'Y', b'D']),
        with(9, &[]),
        [begin(3), vec![1, 0, 0, 0, 0, 0, 0, 0, 0], begin(9), begin(2), vec![0]].concat(),
    ]
}
