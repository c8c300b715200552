//! Owned text.

use std::ffi::c_char;
use std::ptr;

use super::boundary::infallible;
use crate::error::{Error, Result, Status};

/// A piece of UTF-8 text: JSON or CSV. The caller frees it with
/// `emonfeed_text_free()`.
///
/// It never changes, so any number of threads may read it until it is freed.
///
/// Functions: `emonfeed_text_data()`, `emonfeed_text_len()`,
/// `emonfeed_text_free()`. Made by: `emonfeed_series_json()`,
/// `emonfeed_series_csv()`.
pub struct emonfeed_text {
    /// The text and one NUL.
    bytes: Vec<u8>,
}

impl emonfeed_text {
    pub(super) fn new(mut bytes: Vec<u8>) -> Result<emonfeed_text> {
        bytes.try_reserve_exact(1).map_err(|_| {
            Error::new(
                Status::Memory,
                format!("too little memory for {} bytes of text", bytes.len()),
            )
        })?;
        bytes.push(0);
        Ok(emonfeed_text { bytes })
    }
}

/// The text, with a NUL after its last byte. NULL if `text` is NULL.
///
/// Do not free it: it belongs to `text` and is valid as long as `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_text_data(text: *const emonfeed_text) -> *const c_char {
    infallible(ptr::null(), || {
        optional!(text).map_or(ptr::null(), |text| text.bytes.as_ptr().cast())
    })
}

/// Number of bytes in the text, without the NUL. 0 if `text` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_text_len(text: *const emonfeed_text) -> usize {
    infallible(0, || optional!(text).map_or(0, |text| text.bytes.len() - 1))
}

/// Frees a text. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_text_free(text: *mut emonfeed_text) {
    infallible((), || free!(text));
}
