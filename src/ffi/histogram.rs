//! Bars of a histogram feed.

use std::mem::{self, offset_of};
use std::ptr;

use super::boundary::infallible;
use crate::output;
use crate::query::{Bin, Histogram};

/// One bar of a histogram.
#[repr(C)]
pub struct emonfeed_bin {
    /// The value of the column `data2` that the bar stands for.
    pub data2: f64,
    /// The sum of the column `data` over the bar's rows. NaN if none of them
    /// has a value.
    pub sum: f64,
}

// C reads the query's own bars in place.
const _: () = {
    assert!(size_of::<emonfeed_bin>() == size_of::<Bin>());
    assert!(align_of::<emonfeed_bin>() == align_of::<Bin>());
    assert!(offset_of!(emonfeed_bin, data2) == offset_of!(Bin, data2));
    assert!(offset_of!(emonfeed_bin, sum) == offset_of!(Bin, sum));
};

/// The answer of `emonfeed_feed_histogram()`: bars, ascending in `data2`. The
/// caller frees it with `emonfeed_histogram_free()`.
///
/// It is a copy: it does not change when the feed does, and it stays valid
/// after the feed is freed. Any number of threads may read it at the same time;
/// while `emonfeed_histogram_to_decimal()` or `emonfeed_histogram_free()` runs,
/// no other thread may use it.
///
/// Functions: `emonfeed_histogram_len()`, `emonfeed_histogram_bins()`,
/// `emonfeed_histogram_to_decimal()`, `emonfeed_histogram_free()`. Made by:
/// `emonfeed_feed_histogram()`.
pub struct emonfeed_histogram(pub(super) Histogram);

/// Number of bars. 0 if `histogram` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_histogram_len(
    histogram: *const emonfeed_histogram,
) -> usize {
    infallible(0, || optional!(histogram).map_or(0, |histogram| histogram.0.bins.len()))
}

/// The bars, an array of `emonfeed_histogram_len()` elements. NULL if there are
/// none or `histogram` is NULL.
///
/// Do not free it: it belongs to the histogram and is valid as long as the
/// histogram.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_histogram_bins(
    histogram: *const emonfeed_histogram,
) -> *const emonfeed_bin {
    infallible(ptr::null(), || match optional!(histogram) {
        Some(histogram) if !histogram.0.bins.is_empty() => {
            histogram.0.bins.as_ptr().cast()
        }
        _ => ptr::null(),
    })
}

/// If `data2` is a column of float32 values, changes each `data2` in place to
/// the double nearest to its shortest decimal, as
/// `emonfeed_series_to_decimal()` does with values. Sums stay as they are. Does
/// nothing if `histogram` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_histogram_to_decimal(
    histogram: *mut emonfeed_histogram,
) {
    infallible((), || {
        if let Some(histogram) = optional_mut!(histogram) {
            if mem::take(&mut histogram.0.single) {
                for bin in &mut histogram.0.bins {
                    bin.data2 = output::decimal(bin.data2);
                }
            }
        }
    });
}

/// Frees a histogram, and with it the bars it lent. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_histogram_free(histogram: *mut emonfeed_histogram) {
    infallible((), || free!(histogram));
}
