//! What calls from Rust need of `include/emonfeed.h`; `c_programs.rs` checks the
//! header itself.
#![allow(dead_code)] // Each user needs a part of it.

use emonfeed::query::Point;
use std::ffi::{c_char, c_void};

#[repr(C)]
pub struct Bin {
    pub data2: f64,
    pub sum: f64,
}

#[repr(C)]
pub struct Position {
    pub time: i64,
    pub given: u64,
}

pub type Handle = *mut c_void;
pub type Out = *mut Handle;

unsafe extern "C" {
    pub fn emonfeed_feed_open(p: *const c_char, flags: u32, o: Out, e: Out) -> i32;
    pub fn emonfeed_feed_free(feed: Handle);
    pub fn emonfeed_feed_last(feed: Handle, o: Out, e: Out) -> i32;
    pub fn emonfeed_feed_windows(
        feed: Handle,
        start: i64,
        end: i64,
        interval: i64,
        aggregate: i32,
        flags: u32,
        o: Out,
        e: Out,
    ) -> i32;
    pub fn emonfeed_feed_windows_at(
        feed: Handle,
        edges: *const i64,
        n: usize,
        aggregate: i32,
        flags: u32,
        o: Out,
        e: Out,
    ) -> i32;
    pub fn emonfeed_feed_values_at(
        feed: Handle,
        times: *const i64,
        n: usize,
        mode: i32,
        flags: u32,
        o: Out,
        e: Out,
    ) -> i32;
    pub fn emonfeed_feed_rows(f: Handle, s: i64, e: i64, l: u64, o: Out, r: Out) -> i32;
    pub fn emonfeed_feed_rows_from(
        f: Handle,
        p: *mut Position,
        e: i64,
        l: u64,
        o: Out,
        r: Out,
    ) -> i32;
    pub fn emonfeed_feed_histogram(f: Handle, s: i64, e: i64, o: Out, r: Out) -> i32;
    pub fn emonfeed_feed_sum_by_time(f: Handle, m: f64, n: f64, o: Out, r: Out) -> i32;
    pub fn emonfeed_feed_data(f: Handle, s: f64, e: f64, d: i64, o: Out, r: Out) -> i32;
    pub fn emonfeed_series_len(series: Handle) -> usize;
    pub fn emonfeed_series_points(series: Handle) -> *const Point;
    pub fn emonfeed_series_is_single(series: Handle) -> bool;
    pub fn emonfeed_series_json(series: Handle, o: Out, e: Out) -> i32;
    pub fn emonfeed_series_free(series: Handle);
    pub fn emonfeed_histogram_len(histogram: Handle) -> usize;
    pub fn emonfeed_histogram_bins(histogram: Handle) -> *const Bin;
    pub fn emonfeed_histogram_free(histogram: Handle);
    pub fn emonfeed_text_data(text: Handle) -> *const c_char;
    pub fn emonfeed_text_free(text: Handle);
    pub fn emonfeed_error_message(error: Handle) -> *const c_char;
    pub fn emonfeed_error_free(error: Handle);
}
