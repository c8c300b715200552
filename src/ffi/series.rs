//! Points over time.

use std::mem::offset_of;
use std::ptr;

use super::boundary::{infallible, owned};
use super::csv::{self, emonfeed_csv};
use super::error::{emonfeed_error, emonfeed_status};
use super::text::emonfeed_text;
use crate::output;
use crate::query::{Point, Series};

/// A time and a value.
#[repr(C)]
pub struct emonfeed_point {
    /// Whole Unix seconds; in answers of `emonfeed_feed_data()` milliseconds.
    pub time: i64,
    /// The value, in whatever unit the feed records. NaN if there is none.
    pub value: f64,
}

// C reads the query's own points in place.
const _: () = {
    assert!(size_of::<emonfeed_point>() == size_of::<Point>());
    assert!(align_of::<emonfeed_point>() == align_of::<Point>());
    assert!(offset_of!(emonfeed_point, time) == offset_of!(Point, time));
    assert!(offset_of!(emonfeed_point, value) == offset_of!(Point, value));
};

/// The answer of a query: points, in the order that the query promises. The
/// caller frees it with `emonfeed_series_free()`.
///
/// It is a copy: it does not change when the feed does, and it stays valid
/// after the feed is freed. Any number of threads may read it at the same time;
/// while `emonfeed_series_to_decimal()` or `emonfeed_series_free()` runs, no
/// other thread may use it.
///
/// Functions: `emonfeed_series_len()`, `emonfeed_series_points()`,
/// `emonfeed_series_is_single()`, `emonfeed_series_to_decimal()`,
/// `emonfeed_series_json()`, `emonfeed_series_csv()`,
/// `emonfeed_series_free()`. Made by: `emonfeed_feed_last()`,
/// `emonfeed_feed_windows()`, `emonfeed_feed_windows_at()`,
/// `emonfeed_feed_values_at()`, `emonfeed_feed_rows()`,
/// `emonfeed_feed_rows_from()`, `emonfeed_feed_sum_by_time()`,
/// `emonfeed_feed_data()`.
pub struct emonfeed_series(pub(super) Series);

/// Number of points. 0 if `series` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_len(series: *const emonfeed_series) -> usize {
    infallible(0, || optional!(series).map_or(0, |series| series.0.points.len()))
}

/// The points, an array of `emonfeed_series_len()` elements. NULL if there are
/// none or `series` is NULL.
///
/// Do not free it: it belongs to the series and is valid as long as the series.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_points(
    series: *const emonfeed_series,
) -> *const emonfeed_point {
    infallible(ptr::null(), || match optional!(series) {
        Some(series) if !series.0.points.is_empty() => series.0.points.as_ptr().cast(),
        _ => ptr::null(),
    })
}

/// Whether the values are rows' float32 values, widened to double: a reading
/// of 0.1 is then 0.10000000149011612. False for values that were computed,
/// for columns of other types, and if `series` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_is_single(
    series: *const emonfeed_series,
) -> bool {
    infallible(false, || optional!(series).is_some_and(|series| series.0.single))
}

/// Changes each float32 value of the series, in place, to the double nearest
/// to the shortest decimal that reads back as that float32: 0.1 instead of
/// 0.10000000149011612. For programs that print values or pass them on as
/// text.
///
/// Afterwards `emonfeed_series_is_single()` is false. Does nothing if it was
/// false already, or if `series` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_to_decimal(series: *mut emonfeed_series) {
    infallible((), || {
        if let Some(series) = optional_mut!(series) {
            output::to_decimal(&mut series.0);
        }
    });
}

/// The series as JSON: `[[time,value],…]`, in one line without spaces. A
/// missing or infinite value is `null`; a series without points is `[]`.
///
/// Numbers are written as PHP's `json_encode` does: `3` rather than `3.0`,
/// `0.1` rather than `0.10000000149011612` for a float32 (whether or not
/// `emonfeed_series_to_decimal()` was called before).
///
/// `*out` becomes a text, which the caller frees with `emonfeed_text_free()`.
/// Fails with `EMONFEED_STATUS_ARGUMENT` if `series` or `out` is NULL, and with
/// `EMONFEED_STATUS_MEMORY` if the text does not fit into memory.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_json(
    series: *const emonfeed_series,
    out: *mut *mut emonfeed_text,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_series_json, out, error, || {
        let series = required!(series);
        let mut json = Vec::new();
        output::json::series(&series.0, &mut json)?;
        Ok(owned(emonfeed_text::new(json)?))
    })
}

/// The series as CSV: one line per point, with its time and its value, ended by
/// `\n`.
///
/// `csv` says how lines look. NULL means `time,value` with Unix seconds, all
/// digits, and nothing after the comma where there is no value. Values are
/// written as in JSON, float32 values with their own digits; an infinite value
/// counts as missing.
///
/// `*out` becomes a text, which the caller frees with `emonfeed_text_free()`.
/// Fails with `EMONFEED_STATUS_ARGUMENT` if `series` or `out` is NULL or `csv`
/// breaks the rules of its type, and with `EMONFEED_STATUS_MEMORY` if the text
/// does not fit into memory.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_csv(
    series: *const emonfeed_series,
    csv: *const emonfeed_csv,
    out: *mut *mut emonfeed_text,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_series_csv, out, error, || {
        let series = required!(series);
        let format = optional!(csv).map(csv::format).transpose()?.unwrap_or_default();
        let mut text = Vec::new();
        output::csv::series(&series.0, &format, &mut text)?;
        Ok(owned(emonfeed_text::new(text)?))
    })
}

/// Frees a series, and with it the points it lent. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_series_free(series: *mut emonfeed_series) {
    infallible((), || free!(series));
}
