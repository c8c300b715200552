//! Which version this is.

use std::ffi::c_char;
use std::ptr;

use super::boundary::infallible;

/// Version of this header, first part. Compare with `emonfeed_version()`, the
/// version of the library that the program runs with.
pub const EMONFEED_VERSION_MAJOR: i32 = 0;
/// Version of this header, second part.
pub const EMONFEED_VERSION_MINOR: i32 = 1;
/// Version of this header, third part.
pub const EMONFEED_VERSION_PATCH: i32 = 0;

/// Whether a constant is what `Cargo.toml` says.
const fn is(constant: i32, cargo: &str) -> bool {
    matches!(i32::from_str_radix(cargo, 10), Ok(number) if number == constant)
}

const _: () = {
    assert!(is(EMONFEED_VERSION_MAJOR, env!("CARGO_PKG_VERSION_MAJOR")));
    assert!(is(EMONFEED_VERSION_MINOR, env!("CARGO_PKG_VERSION_MINOR")));
    assert!(is(EMONFEED_VERSION_PATCH, env!("CARGO_PKG_VERSION_PATCH")));
};

/// The version of the library, such as `"0.1.0"`. Static text: do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn emonfeed_version() -> *const c_char {
    infallible(ptr::null(), || concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast())
}
