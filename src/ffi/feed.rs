//! Feeds and the questions they answer.

use std::ffi::{CStr, c_char};

use super::boundary::{infallible, owned};
use super::error::{emonfeed_error, emonfeed_status};
use super::histogram::emonfeed_histogram;
use super::series::emonfeed_series;
use crate::error::{Error, Result, Status};
use crate::feed::{Access, Evidence, Feed, Options};
use crate::myisam::ColumnType;
use crate::query::{self, Aggregate, Flags, Meta, Mode, Position, Series};

/// Open flag: read with `pread` rather than through a memory mapping, and
/// install no SIGBUS handler. For hosts that want no signal handler and for
/// network file systems; single look-ups are slower.
pub const EMONFEED_OPEN_PREAD: u32 = 1;
/// Open flag: refuse a path whose last part is a symbolic link
/// (`EMONFEED_STATUS_NOT_REGULAR`).
pub const EMONFEED_OPEN_NOFOLLOW: u32 = 2;
/// Open flag: read all rows again whenever the feed was written to. Without it,
/// rows of a table made with `CHECKSUM=1` are not read again if the table's
/// checksum and counters say that rows were only added. That misses rows that
/// were deleted and put back with the same contents in other places, and about
/// one in 8,000 edits that exchange or negate the values of two rows, if the
/// counters happen to fit. An edit of one value is noticed.
pub const EMONFEED_OPEN_STRICT: u32 = 4;
/// Open flag: believe the counters in the table's `.MYI` where they say that
/// rows were only added. A table without a checksum then need not be read again
/// after each new reading. The counters do not show every edit: not one made by
/// another connection, nor one in or beside a bulk insert. Use this only for
/// feeds that nobody edits, and not together with `EMONFEED_OPEN_STRICT`.
pub const EMONFEED_OPEN_TRUST_COUNTERS: u32 = 8;

/// Aggregate: the value of the earliest row of the window, NaN if that row
/// has none.
pub const EMONFEED_FIRST: i32 = 0;
/// Aggregate: the value of the latest row of the window, NaN if that row has
/// none.
pub const EMONFEED_LAST: i32 = 1;
/// Aggregate: the mean of the values, each row counting once.
pub const EMONFEED_AVERAGE: i32 = 2;
/// Aggregate: the smallest value.
pub const EMONFEED_MIN: i32 = 3;
/// Aggregate: the largest value.
pub const EMONFEED_MAX: i32 = 4;
/// Aggregate: the sum of the values, kept in double precision.
pub const EMONFEED_SUM: i32 = 5;
/// Aggregate: the number of rows that have a value; 0, not NaN, for an empty
/// window.
pub const EMONFEED_COUNT: i32 = 6;

/// Mode: the earliest row at or after the time asked for.
pub const EMONFEED_NEXT: i32 = 0;
/// Mode: the latest row at or before the time asked for.
pub const EMONFEED_PREVIOUS: i32 = 1;
/// Mode: the row at the time asked for, otherwise the straight line between its
/// two neighbours. No value outside the feed, or next to a row without a value.
pub const EMONFEED_LINEAR: i32 = 2;
/// Mode: only a row at exactly that second.
pub const EMONFEED_EXACT: i32 = 3;

/// Window flag: a row exactly at the end of a window may answer
/// `EMONFEED_FIRST` for it, as in emoncms's MySQL engine.
pub const EMONFEED_CLOSED_END: u32 = 1;
/// Flag for windows and for values at given moments: leave out those without a
/// value.
pub const EMONFEED_SKIP_MISSING: u32 = 2;
/// Flag for windows and for values at given moments: if the row that answers
/// has a value, give its time instead of the moment asked for or the start of
/// the window. Computed values have no time of their own.
pub const EMONFEED_TRUE_TIME: u32 = 4;
/// Window flag: leave out rows at or after the end of the whole query. This
/// cuts the last window short.
pub const EMONFEED_CLIP_END: u32 = 8;

// C's numbers are the crate's.
const _: () = {
    assert!(EMONFEED_FIRST == Aggregate::First as i32);
    assert!(EMONFEED_LAST == Aggregate::Last as i32);
    assert!(EMONFEED_AVERAGE == Aggregate::Average as i32);
    assert!(EMONFEED_MIN == Aggregate::Min as i32);
    assert!(EMONFEED_MAX == Aggregate::Max as i32);
    assert!(EMONFEED_SUM == Aggregate::Sum as i32);
    assert!(EMONFEED_COUNT == Aggregate::Count as i32);
    assert!(EMONFEED_NEXT == Mode::Next as i32);
    assert!(EMONFEED_PREVIOUS == Mode::Previous as i32);
    assert!(EMONFEED_LINEAR == Mode::Linear as i32);
    assert!(EMONFEED_EXACT == Mode::Exact as i32);
};

/// An open feed, for queries. The caller frees it with `emonfeed_feed_free()`.
///
/// Each call looks at the files again, so it sees the rows written since the
/// last call and survives a table that is rebuilt. It answers from one
/// consistent view of the files. Any call can therefore fail as
/// `emonfeed_feed_open()` can. Between calls nothing is locked. The process
/// keeps the mappings of the feeds used last for its next call, whichever
/// handle that call uses.
///
/// A call may wait up to about a second for a table that is being rebuilt
/// (`EMONFEED_STATUS_CHANGED` if that was not enough), and up to five seconds
/// for a program that holds the lock on a bare file (`EMONFEED_STATUS_LOCKED`).
///
/// Any number of threads may use one feed at the same time. After `fork()` both
/// processes may go on using it, whatever other threads were doing at that
/// moment. Only `emonfeed_feed_free()` must not run while another call uses the
/// feed.
///
/// Functions: `emonfeed_feed_open()`, `emonfeed_feed_open_cached()`,
/// `emonfeed_feed_meta()`, `emonfeed_feed_last()`, `emonfeed_feed_windows()`,
/// `emonfeed_feed_windows_at()`, `emonfeed_feed_values_at()`,
/// `emonfeed_feed_rows()`, `emonfeed_feed_rows_from()`,
/// `emonfeed_feed_histogram()`, `emonfeed_feed_sum_by_time()`, `emonfeed_feed_data()`,
/// `emonfeed_feed_arrow()`, `emonfeed_feed_free()`.
pub struct emonfeed_feed(pub(super) Feed);

const _: () = {
    const fn usable_from_many_threads<T: Send + Sync>() {}
    usable_from_many_threads::<emonfeed_feed>();
};

/// What is known about a feed as a whole. A plain value: nothing in it needs to
/// be freed.
///
/// Functions: filled in by `emonfeed_feed_meta()`.
#[repr(C)]
pub struct emonfeed_meta {
    /// Rows that count: not deleted, committed by the server, with a time.
    pub npoints: u64,
    /// Time of the earliest row, in Unix seconds; 0 without rows.
    pub start_time: i64,
    /// Time of the latest row, in Unix seconds; 0 without rows.
    pub end_time: i64,
    /// Typical seconds between readings (the median); 0 with fewer than two
    /// rows.
    pub interval: i64,
    /// Committed bytes of the file that holds the rows.
    pub bytes: u64,
    /// Size in bytes of the index, the `.MYI`: that of its file, or what its
    /// header says if that is more; 0 without an index.
    pub index_bytes: u64,
    /// Places for rows in `bytes`, deleted rows included.
    pub slots: u64,
    /// Bytes per place.
    pub stride: u32,
    /// Whether the rows lie in the file in order of time. If not, answers are
    /// the same but take longer.
    pub sorted: bool,
    /// Whether a `.MYI` vouches for the rows; false for a bare `.MYD`, such as
    /// those of PHPTimeSeries and of backups.
    pub indexed: bool,
    /// Whether the table keeps a checksum (`CHECKSUM=1`).
    pub checksum: bool,
    /// Whether there is a column `data2`, that is, whether
    /// `emonfeed_feed_histogram()` and `emonfeed_feed_sum_by_time()` work.
    pub histogram: bool,
    /// SQL type of the column `data`: `FLOAT`, `DOUBLE`, `INT UNSIGNED`, …
    /// Static text: do not free it.
    pub value_type: *const c_char,
}

impl emonfeed_meta {
    fn new(meta: &Meta) -> emonfeed_meta {
        emonfeed_meta {
            npoints: meta.npoints,
            start_time: meta.start_time,
            end_time: meta.end_time,
            interval: meta.interval,
            bytes: meta.bytes,
            index_bytes: meta.index_bytes,
            slots: meta.slots,
            stride: meta.stride,
            sorted: meta.sorted,
            indexed: meta.indexed,
            checksum: meta.checksum,
            histogram: meta.histogram,
            value_type: static_text(meta.value_type).as_ptr(),
        }
    }
}

/// `text` as C has it, once for all. Not under a lock, which a child forked at
/// that moment would find locked for ever.
fn static_text(text: &'static str) -> &'static CStr {
    ColumnType::c_names().find(|name| name.to_bytes() == text.as_bytes()).unwrap_or(c"")
}

/// Opens the feed whose rows are in the file `path`.
///
/// `path` is the `.MYD`, such as `/var/lib/mysql/emoncms/feed_7.MYD`, as the
/// operating system takes it: any bytes, ended by a NUL, not necessarily UTF-8.
/// If a `.MYI` lies beside it, that says which rows are committed, and the
/// `.frm` or `.sdi` says what the columns are. Otherwise the file is read as
/// the bare nine-byte rows of PHPTimeSeries. `flags` is 0 or `EMONFEED_OPEN_…`
/// flags combined with `|`.
///
/// `*out` becomes a feed, which the caller frees with `emonfeed_feed_free()`.
/// The call fails if the file is missing, may not be read, or is not a feed
/// that this library can read: any status from `EMONFEED_STATUS_NOT_FOUND` to
/// `EMONFEED_STATUS_CHANGED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_open(
    path: *const c_char,
    flags: u32,
    out: *mut *mut emonfeed_feed,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_open, out, error, || {
        let path = path!(path);
        let options = options(flags)?;
        Ok(owned(emonfeed_feed(Feed::open_with(path, options)?)))
    })
}

/// Like `emonfeed_feed_open()`, but also keeps what it learns about the feed's
/// rows in a file in the directory `cache_dir`, so that the next process need
/// not read all rows again. On a memory card that saves seconds.
///
/// This helps feeds that have not been written to since, tables with
/// `CHECKSUM=1`, and other tables with `EMONFEED_OPEN_TRUST_COUNTERS`. If a
/// feed was written to and nothing proves how, all its rows are read. The file
/// takes about a thirtieth of the rows' bytes. A file that does not fit the
/// feed or is damaged is made again, and any file may be deleted at any time.
/// Feeds below 16,384 rows have no file; they are simply read.
///
/// `cache_dir` is made if it is missing. It must belong to this user or root
/// and be writable by nobody else, because its contents decide answers;
/// otherwise the call fails with `EMONFEED_STATUS_PERMISSION`. If `cache_dir`
/// is NULL, this is `emonfeed_feed_open()`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_open_cached(
    path: *const c_char,
    flags: u32,
    cache_dir: *const c_char,
    out: *mut *mut emonfeed_feed,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_open_cached, out, error, || {
        let path = path!(path);
        let keep = if cache_dir.is_null() { None } else { Some(path!(cache_dir).into()) };
        let options = Options { keep, ..options(flags)? };
        Ok(owned(emonfeed_feed(Feed::open_with(path, options)?)))
    })
}

/// Frees a feed. Series, histograms and errors that came from it stay valid.
/// NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_free(feed: *mut emonfeed_feed) {
    infallible((), || free!(feed));
}

/// What is known about the feed as a whole. Fills in `*out`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_meta(
    feed: *const emonfeed_feed,
    out: *mut emonfeed_meta,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_meta, out, error, || {
        let feed = required!(feed);
        Ok(emonfeed_meta::new(&query::meta(&feed.0)?))
    })
}

/// The latest row, the last one in the file if several have that time.
///
/// `*out` becomes a series of one point, or of none if the feed has no rows,
/// which the caller frees with `emonfeed_series_free()`. The point's value is
/// NaN if the row has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_last(
    feed: *const emonfeed_feed,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_last, out, error, || {
        let feed = required!(feed);
        series(query::last(&feed.0))
    })
}

/// One value for each of the windows `[start, start + interval)`,
/// `[start + interval, start + 2 * interval)`, … that begin at or before `end`,
/// as for a graph.
///
/// `start` and `end` are Unix seconds, `interval` is in seconds. `aggregate` is
/// one of `EMONFEED_FIRST` to `EMONFEED_COUNT` and says how the rows of a
/// window become one value. Rows without a value are left out, except that
/// `EMONFEED_FIRST` and `EMONFEED_LAST` may choose one. `flags` is 0 or
/// `EMONFEED_CLOSED_END`, `EMONFEED_SKIP_MISSING`, `EMONFEED_TRUE_TIME` and
/// `EMONFEED_CLIP_END` combined with `|`.
///
/// `*out` becomes a series of one point per window (fewer with
/// `EMONFEED_SKIP_MISSING`), ascending, which the caller frees with
/// `emonfeed_series_free()`. A point's time is the start of its window, or with
/// `EMONFEED_TRUE_TIME` that of the row that answers; its value is NaN if the
/// window has none. If `end` is before `start` there are no points. An interval
/// below 1, or more than 10 million windows, gives `EMONFEED_STATUS_ARGUMENT`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_windows(
    feed: *const emonfeed_feed,
    start: i64,
    end: i64,
    interval: i64,
    aggregate: i32,
    flags: u32,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_windows, out, error, || {
        let feed = required!(feed);
        let (aggregate, flags) = (self::aggregate(aggregate)?, window_flags(flags)?);
        series(query::windows(&feed.0, start, end, interval, aggregate, flags))
    })
}

/// Like `emonfeed_feed_windows()`, for windows of any length, such as calendar
/// days: `[edges[0], edges[1])`, `[edges[1], edges[2])`, …
///
/// `edges` holds `n` Unix seconds, each greater than the one before; it may be
/// NULL if `n` is 0. `aggregate` and `flags` are those of
/// `emonfeed_feed_windows()`.
///
/// `*out` becomes a series of `n - 1` points (none if `n` is 0; fewer with
/// `EMONFEED_SKIP_MISSING`), which the caller frees with
/// `emonfeed_series_free()`. Edges that do not ascend, or more than 10 million
/// windows, give `EMONFEED_STATUS_ARGUMENT`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_windows_at(
    feed: *const emonfeed_feed,
    edges: *const i64,
    n: usize,
    aggregate: i32,
    flags: u32,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_windows_at, out, error, || {
        let feed = required!(feed);
        let edges = list!(edges, n);
        let (aggregate, flags) = (self::aggregate(aggregate)?, window_flags(flags)?);
        series(query::windows_at(&feed.0, edges, aggregate, flags))
    })
}

/// The value at each of `n` moments.
///
/// `times` holds `n` Unix seconds in any order; it may be NULL if `n` is 0.
/// `mode` is one of `EMONFEED_NEXT`, `EMONFEED_PREVIOUS`, `EMONFEED_LINEAR` and
/// `EMONFEED_EXACT` and says which row answers. `flags` is 0 or
/// `EMONFEED_SKIP_MISSING` and `EMONFEED_TRUE_TIME` combined with `|`.
///
/// `*out` becomes a series of `n` points (fewer with `EMONFEED_SKIP_MISSING`)
/// in the order of `times`, which the caller frees with
/// `emonfeed_series_free()`. A point's time is the one asked for, or with
/// `EMONFEED_TRUE_TIME` that of the row that answers. Its value is NaN if there
/// is no such row or the row has no value.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_values_at(
    feed: *const emonfeed_feed,
    times: *const i64,
    n: usize,
    mode: i32,
    flags: u32,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_values_at, out, error, || {
        let feed = required!(feed);
        let times = list!(times, n);
        let (mode, flags) = (self::mode(mode)?, window_flags(flags)?);
        series(query::values_at(&feed.0, times, mode, flags))
    })
}

/// All rows with `start <= time <= end`, as they were recorded.
///
/// `start` and `end` are Unix seconds. `limit` is the greatest number of rows
/// to give; 0 means all.
///
/// `*out` becomes a series of one point per row, ascending in time (rows with
/// the same time in file order), which the caller frees with
/// `emonfeed_series_free()`. A value is NaN if the row has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_rows(
    feed: *const emonfeed_feed,
    start: i64,
    end: i64,
    limit: u64,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_rows, out, error, || {
        let feed = required!(feed);
        series(query::rows(&feed.0, start, end, limit))
    })
}

/// How far reading rows in pieces has come: all rows before `time` were given,
/// and `given` of the rows at `time`. To begin, set `time` to the first second
/// wanted and `given` to 0. A plain value: nothing in it needs to be freed.
///
/// Functions: read and advanced by `emonfeed_feed_rows_from()`.
#[repr(C)]
pub struct emonfeed_position {
    /// Unix seconds.
    pub time: i64,
    /// Number of rows at `time` that were given.
    pub given: u64,
}

/// The next rows from `*position` on with `time <= end`, in the order of
/// `emonfeed_feed_rows()`. Reading a feed of any size in this way takes little
/// memory.
///
/// `end` is in Unix seconds. `limit` is the greatest number of rows to give; 0
/// means all. If fewer than `limit` come, there are no more.
///
/// `*out` becomes a series, which the caller frees with
/// `emonfeed_series_free()`; `*position` moves behind its last row. On failure
/// both stay as they are. Rows appended between calls are included. If rows
/// that were given no longer exist, because the feed was cleared meanwhile, the
/// call fails with `EMONFEED_STATUS_CHANGED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_rows_from(
    feed: *const emonfeed_feed,
    position: *mut emonfeed_position,
    end: i64,
    limit: u64,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_rows_from, out, error, || {
        let feed = required!(feed);
        let position = required_mut!(position);
        let from = Position { time: position.time, given: position.given };
        let (rows, behind) = query::rows_from(&feed.0, from, end, limit)?;
        let rows = series(Ok(rows))?;
        *position = emonfeed_position { time: behind.time, given: behind.given };
        Ok(rows)
    })
}

/// For histogram feeds (columns `time`, `data`, `data2`): the sum of `data`
/// over the rows with `start <= time < end`, for each value of `data2`.
///
/// `start` and `end` are Unix seconds.
///
/// `*out` becomes a histogram, ascending in `data2`, which the caller frees
/// with `emonfeed_histogram_free()`. Rows without `data2` belong to no bar. A
/// feed without the column `data2` gives `EMONFEED_STATUS_NO_HISTOGRAM`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_histogram(
    feed: *const emonfeed_feed,
    start: i64,
    end: i64,
    out: *mut *mut emonfeed_histogram,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_histogram, out, error, || {
        let feed = required!(feed);
        Ok(owned(emonfeed_histogram(query::histogram(&feed.0, start, end)?)))
    })
}

/// For histogram feeds: the sum of `data` over the rows with
/// `min <= data2 <= max`, for each time.
///
/// `*out` becomes a series, ascending in time, which the caller frees with
/// `emonfeed_series_free()`. A sum is NaN if none of its rows has a value. A
/// feed without `data2` gives `EMONFEED_STATUS_NO_HISTOGRAM`, a bound that is
/// NaN gives `EMONFEED_STATUS_ARGUMENT`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_sum_by_time(
    feed: *const emonfeed_feed,
    min: f64,
    max: f64,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_sum_by_time, out, error, || {
        let feed = required!(feed);
        series(query::sum_by_time(&feed.0, min, max))
    })
}

/// `get_feed_data` of July 2013, the call that emoncms's graphs were drawn
/// from.
///
/// `start_ms` and `end_ms` are Unix milliseconds; an `end_ms` of 0 means now.
/// `dp` is the number of points wanted. The answer depends on the seconds
/// between start and end, here `range`:
///
/// - beyond 180000 s: the first row of each of `dp` equal parts;
/// - beyond 5000 s: averages over `range / dp` seconds (whole seconds, at least
///   1), aligned to the epoch;
/// - otherwise, or if `dp` is 0 or less: all rows, **newest first**.
///
/// Points without a value are left out. A start or end that is not finite, or a
/// `dp` above 10 million, gives `EMONFEED_STATUS_ARGUMENT`.
///
/// `*out` becomes a series whose times are **milliseconds**, which the caller
/// frees with `emonfeed_series_free()`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_data(
    feed: *const emonfeed_feed,
    start_ms: f64,
    end_ms: f64,
    dp: i64,
    out: *mut *mut emonfeed_series,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_data, out, error, || {
        let feed = required!(feed);
        series(query::feed_data(&feed.0, start_ms, end_ms, dp))
    })
}

/// The answer of a query, for C.
fn series(answer: Result<Series>) -> Result<*mut emonfeed_series> {
    Ok(owned(emonfeed_series(answer?)))
}

fn options(flags: u32) -> Result<Options> {
    let known = EMONFEED_OPEN_PREAD
        | EMONFEED_OPEN_NOFOLLOW
        | EMONFEED_OPEN_STRICT
        | EMONFEED_OPEN_TRUST_COUNTERS;
    if flags & !known != 0 {
        let known = "EMONFEED_OPEN_PREAD (1), EMONFEED_OPEN_NOFOLLOW (2), \
                     EMONFEED_OPEN_STRICT (4), EMONFEED_OPEN_TRUST_COUNTERS (8) and their sums";
        return Err(unknown("flags", flags, known));
    }
    let has = |flag| flags & flag != 0;
    let evidence = match (has(EMONFEED_OPEN_STRICT), has(EMONFEED_OPEN_TRUST_COUNTERS)) {
        (false, false) => Evidence::Checksum,
        (true, false) => Evidence::Nothing,
        (false, true) => Evidence::Counters,
        (true, true) => {
            return Err(Error::new(
                Status::Argument,
                "EMONFEED_OPEN_STRICT and EMONFEED_OPEN_TRUST_COUNTERS exclude each other",
            ));
        }
    };
    Ok(Options {
        access: if has(EMONFEED_OPEN_PREAD) { Access::Pread } else { Access::Mmap },
        no_follow: has(EMONFEED_OPEN_NOFOLLOW),
        evidence,
        keep: None,
    })
}

fn window_flags(bits: u32) -> Result<Flags> {
    let mut flags = Flags::NONE;
    let mut rest = bits;
    for (bit, flag) in [
        (EMONFEED_CLOSED_END, Flags::CLOSED_END),
        (EMONFEED_SKIP_MISSING, Flags::SKIP_MISSING),
        (EMONFEED_TRUE_TIME, Flags::TRUE_TIME),
        (EMONFEED_CLIP_END, Flags::CLIP_END),
    ] {
        if bits & bit != 0 {
            flags = flags.with(flag);
            rest &= !bit;
        }
    }
    if rest != 0 {
        let known = "EMONFEED_CLOSED_END (1), EMONFEED_SKIP_MISSING (2), \
                     EMONFEED_TRUE_TIME (4), EMONFEED_CLIP_END (8) and their sums";
        return Err(unknown("flags", bits, known));
    }
    Ok(flags)
}

fn aggregate(number: i32) -> Result<Aggregate> {
    Aggregate::from_number(number).ok_or_else(|| {
        unknown("aggregate", number, "EMONFEED_FIRST (0) to EMONFEED_COUNT (6)")
    })
}

fn mode(number: i32) -> Result<Mode> {
    Mode::from_number(number)
        .ok_or_else(|| unknown("mode", number, "EMONFEED_NEXT (0) to EMONFEED_EXACT (3)"))
}

fn unknown(name: &str, number: impl std::fmt::Display, known: &str) -> Error {
    Error::new(Status::Argument, format!("{name} is {number}; known are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_flags_are_those_of_the_crate() {
        for bits in 0..16 {
            assert_eq!(window_flags(bits).ok(), Flags::from_bits(bits));
        }
        for bits in [16, 17, 1 << 31] {
            assert_eq!(window_flags(bits).unwrap_err().status(), Status::Argument);
        }
    }

    #[test]
    fn open_flags_are_options() {
        assert_eq!(options(0).unwrap(), Options::default());
        let both = options(EMONFEED_OPEN_PREAD | EMONFEED_OPEN_NOFOLLOW).unwrap();
        let expected =
            Options { access: Access::Pread, no_follow: true, ..Options::default() };
        assert_eq!(both, expected);
        let evidence = |flags| options(flags).unwrap().evidence;
        assert_eq!(evidence(EMONFEED_OPEN_STRICT), Evidence::Nothing);
        assert_eq!(evidence(EMONFEED_OPEN_TRUST_COUNTERS), Evidence::Counters);
        for flags in [EMONFEED_OPEN_STRICT | EMONFEED_OPEN_TRUST_COUNTERS, 16, 1 << 31] {
            assert_eq!(options(flags).unwrap_err().status(), Status::Argument);
        }
    }

    #[test]
    fn a_static_text_is_made_once() {
        let text = static_text("INT UNSIGNED");
        assert_eq!(text, c"INT UNSIGNED");
        assert!(std::ptr::eq(text, static_text("INT UNSIGNED")));
    }
}
