//! How CSV looks.

use std::ffi::c_char;

use crate::error::{Error, Result, Status};
use crate::output::csv::{Format, Offset, Time};

/// Times as Unix seconds.
pub const EMONFEED_TIME_UNIX: i32 = 0;
/// Times as `31/01/2026 18:30:00`, as emoncms writes them for spreadsheets.
pub const EMONFEED_TIME_EXCEL: i32 = 1;
/// Times as `2026-01-31T18:30:00+01:00` (ISO 8601).
pub const EMONFEED_TIME_ISO8601: i32 = 2;

/// The offset of a time zone from UTC, from some moment on.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct emonfeed_offset {
    /// That moment, in Unix seconds.
    pub from: i64,
    /// Seconds east of UTC.
    pub seconds: i32,
}

/// How lines of CSV look. A plain value. What it points to stays the caller's
/// and is needed only during the call.
///
/// Functions: taken by `emonfeed_series_csv()`.
#[repr(C)]
pub struct emonfeed_csv {
    /// Text between time and value; NULL for `,`.
    pub separator: *const c_char,
    /// The decimal point; NULL for `.`.
    pub point: *const c_char,
    /// Text written instead of a missing value; NULL for nothing.
    pub missing: *const c_char,
    /// Digits after the decimal point, up to 22, rounded half away from zero.
    /// Negative for the shortest text that reads back as the same number.
    pub decimals: i32,
    /// One of `EMONFEED_TIME_UNIX`, `EMONFEED_TIME_EXCEL` and
    /// `EMONFEED_TIME_ISO8601`.
    pub time: i32,
    /// The time zone's offsets, ascending in `from`. Each holds from its `from`
    /// on, the first also before. NULL for UTC. `EMONFEED_TIME_UNIX` needs
    /// none.
    pub offsets: *const emonfeed_offset,
    /// Number of `offsets`.
    pub n_offsets: usize,
}

/// The crate's format for C's.
pub(super) fn format(csv: &emonfeed_csv) -> Result<Format> {
    let plain = Format::default();
    let emonfeed_csv { separator, point, missing, offsets, n_offsets, .. } = *csv;
    Ok(Format {
        separator: text!(separator).map_or(plain.separator, str::to_owned),
        point: text!(point).map_or(plain.point, str::to_owned),
        missing: text!(missing).map_or(plain.missing, str::to_owned),
        decimals: match csv.decimals {
            ..=-1 => None,
            decimals => Some(u8::try_from(decimals).unwrap_or(u8::MAX)),
        },
        time: match csv.time {
            EMONFEED_TIME_UNIX => Time::Unix,
            EMONFEED_TIME_EXCEL => Time::Excel,
            EMONFEED_TIME_ISO8601 => Time::Iso8601,
            time => {
                return Err(Error::new(
                    Status::Argument,
                    format!(
                        "time is {time}; known are EMONFEED_TIME_UNIX (0) to \
                         EMONFEED_TIME_ISO8601 (2)"
                    ),
                ));
            }
        },
        offsets: list!(offsets, n_offsets)
            .iter()
            .map(|offset| Offset { from: offset.from, seconds: offset.seconds })
            .collect(),
    })
}
