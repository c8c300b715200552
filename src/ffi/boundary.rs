//! The one way into the library from C.
//!
//! The body of every export is one call, of `fallible!` or of `infallible`
//! (`tests/exports.rs` enforces it). They keep three promises: no panic
//! reaches the caller, outputs are written on success only, and an error is
//! written on failure only.
//!
//! A panic that is caught here has already been reported on stderr by Rust's
//! panic hook, which says where it happened. The hook is left as it is: it
//! belongs to the whole process, and a library has no business replacing it.
//! Nothing else in this library writes to stderr.

use std::any::Any;
use std::ffi::{CStr, OsStr, c_char};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::error::{EMONFEED_STATUS_OK, emonfeed_error, emonfeed_status};
use crate::error::{Error, Result, Status};

/// The body of an export that can fail: `fallible!(name, out, error, || …)`.
///
/// The closure's answer is written to `*out`. It is not entered if `out` is
/// NULL; or, with `out may be NULL` at the end, its answer is dropped then.
macro_rules! fallible {
    ($function:ident, $out:ident, $error:ident, $body:expr, out may be NULL) => {{
        let mut unwanted = std::mem::MaybeUninit::uninit();
        let out = if $out.is_null() { unwanted.as_mut_ptr() } else { $out };
        fallible!($function, out, $error, $body)
    }};
    ($function:ident, $out:ident, $error:ident, $body:expr) => {{
        let body = $body;
        // SAFETY: the header demands of every caller that `out` and `error`
        // are NULL or may be written.
        unsafe {
            $crate::ffi::boundary::fallible(stringify!($function), $out, $error, body)
        }
    }};
}

/// The object behind a pointer that must not be NULL; otherwise the enclosing
/// closure returns an error that names the parameter.
macro_rules! required {
    ($object:ident) => {{
        // SAFETY: the header demands of every caller that an object's pointer
        // is NULL or came from this library and was not freed.
        unsafe { $crate::ffi::boundary::required($object, stringify!($object)) }?
    }};
}

/// The same for a value the call may change.
macro_rules! required_mut {
    ($value:ident) => {{
        // SAFETY: the header demands of every caller that such a pointer is
        // NULL or may be read and written, and that nobody else uses what is
        // there during the call.
        unsafe { $crate::ffi::boundary::required_mut($value, stringify!($value)) }?
    }};
}

/// The object behind a pointer, or `None` if it is NULL.
macro_rules! optional {
    ($object:ident) => {{
        // SAFETY: as for `required!`.
        unsafe { $object.as_ref() }
    }};
}

/// The object behind a pointer, to be changed, or `None` if it is NULL.
macro_rules! optional_mut {
    ($object:ident) => {{
        // SAFETY: as for `required!`, and the header demands that nobody else
        // uses the object during such a call.
        unsafe { $object.as_mut() }
    }};
}

/// The `n` values at a pointer, which may be NULL if there are none.
macro_rules! list {
    ($pointer:ident, $n:ident) => {{
        // SAFETY: the header demands of every caller that `n` values can be
        // read there and do not change during the call.
        unsafe { $crate::ffi::boundary::list($pointer, $n, stringify!($pointer)) }?
    }};
}

/// The UTF-8 text in a NUL-terminated string, or `None` if that is NULL.
macro_rules! text {
    ($pointer:ident) => {{
        // SAFETY: as for `path!`.
        unsafe { $crate::ffi::boundary::text($pointer, stringify!($pointer)) }?
    }};
}

/// The UTF-8 texts in an array of NUL-terminated strings that ends with NULL;
/// none if the array is NULL.
macro_rules! texts {
    ($pointer:ident) => {{
        // SAFETY: the header demands of every caller that such an array ends
        // with NULL; otherwise as for `path!`.
        unsafe { $crate::ffi::boundary::texts($pointer, stringify!($pointer)) }?
    }};
}

/// The path in a NUL-terminated string, which must not be NULL.
macro_rules! path {
    ($pointer:ident) => {{
        // SAFETY: the header demands of every caller that a string is NULL or
        // NUL-terminated and does not change during the call.
        unsafe { $crate::ffi::boundary::path($pointer, stringify!($pointer)) }?
    }};
}

/// Takes an object back, or `None` if its pointer is NULL.
macro_rules! taken {
    ($object:ident) => {{
        // SAFETY: as for `free!`.
        unsafe { $crate::ffi::boundary::taken($object) }
    }};
}

/// Frees an object; NULL is fine.
macro_rules! free {
    ($object:ident) => {{
        // SAFETY: the header demands of every caller that an object's pointer
        // is NULL or came from this library, was not freed, and is in use by
        // nobody else.
        unsafe { $crate::ffi::boundary::free($object) }
    }};
}

/// Runs the body of an export that can fail; use the macro of this name.
///
/// # Safety
/// `out` and `error` must be NULL or valid for writing.
pub(super) unsafe fn fallible<T>(
    function: &str,
    out: *mut T,
    error: *mut *mut emonfeed_error,
    body: impl FnOnce() -> Result<T>,
) -> emonfeed_status {
    let outcome = if out.is_null() {
        Err(emonfeed_error::from(null("out")))
    } else {
        match catch_unwind(AssertUnwindSafe(|| body().map_err(emonfeed_error::from))) {
            Ok(outcome) => outcome,
            Err(payload) => Err(panicked(function, payload)),
        }
    };
    match outcome {
        Ok(value) => {
            // SAFETY: not NULL, and so valid for writing.
            unsafe { out.write(value) };
            EMONFEED_STATUS_OK
        }
        Err(failure) => {
            let status = failure.status();
            if !error.is_null() {
                // SAFETY: not NULL, and so valid for writing.
                unsafe { error.write(owned(failure)) };
            }
            status
        }
    }
}

/// Runs the body of an export that cannot fail; a panic gives `fallback`.
pub(super) fn infallible<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        discard(payload);
        fallback
    })
}

/// Hands an object over to C, to come back through [`free`].
pub(super) fn owned<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// # Safety
/// `object` must be NULL or come from [`owned`], and be used by nobody else.
pub(super) unsafe fn taken<T>(object: *mut T) -> Option<Box<T>> {
    // SAFETY: it came from `Box::into_raw` and nobody else uses it.
    (!object.is_null()).then(|| unsafe { Box::from_raw(object) })
}

/// # Safety
/// As for [`taken`].
pub(super) unsafe fn free<T>(object: *mut T) {
    // SAFETY: the caller's promise.
    drop(unsafe { taken(object) });
}

/// # Safety
/// `object` must be NULL or point to a `T` that outlives `'a` unchanged.
pub(super) unsafe fn required<'a, T>(object: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { object.as_ref() }.ok_or_else(|| null(name))
}

/// # Safety
/// `value` must be NULL or point to a `T` that is used by nobody else for the
/// time of `'a`.
pub(super) unsafe fn required_mut<'a, T>(value: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { value.as_mut() }.ok_or_else(|| null(name))
}

/// # Safety
/// If `n` is not 0 and `pointer` is neither NULL nor misaligned, `n` values
/// there must be readable and outlive `'a` unchanged.
pub(super) unsafe fn list<'a, T: Copy>(
    pointer: *const T,
    n: usize,
    name: &str,
) -> Result<&'a [T]> {
    if n == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    let refuse = |what: &str| Err(Error::new(Status::Argument, format!("{name}{what}")));
    if !pointer.is_aligned() {
        return refuse(" is not aligned as its type must be");
    }
    if n > isize::MAX as usize / size_of::<T>() {
        return refuse(&format!(": {n} values do not fit into memory"));
    }
    // SAFETY: checked above, and the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(pointer, n) })
}

/// # Safety
/// As for [`path`].
pub(super) unsafe fn text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str();
    text.map(Some)
        .map_err(|_| Error::new(Status::Argument, format!("{name} is not valid UTF-8")))
}

/// # Safety
/// `pointer` must be NULL or an array that ends with NULL, of strings as for
/// [`path`].
pub(super) unsafe fn texts<'a>(
    mut pointer: *const *const c_char,
    name: &str,
) -> Result<Vec<&'a str>> {
    let mut texts = Vec::new();
    if pointer.is_null() {
        return Ok(texts);
    }
    if !pointer.is_aligned() {
        let message = format!("{name} is not aligned as its type must be");
        return Err(Error::new(Status::Argument, message));
    }
    // SAFETY: the caller's promise; what ends the array is not passed over.
    while let Some(one) = unsafe { text(*pointer, name) }? {
        texts.push(one);
        // SAFETY: as above.
        pointer = unsafe { pointer.add(1) };
    }
    Ok(texts)
}

/// # Safety
/// `pointer` must be NULL or a NUL-terminated string that outlives `'a`
/// unchanged.
pub(super) unsafe fn path<'a>(pointer: *const c_char, name: &str) -> Result<&'a Path> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    if bytes.is_empty() {
        return Err(Error::new(Status::Argument, format!("{name} is an empty string")));
    }
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

fn null(name: &str) -> Error {
    Error::new(Status::Argument, format!("{name} must not be NULL"))
}

/// The error for a panic in `function`.
fn panicked(function: &str, payload: Box<dyn Any + Send>) -> emonfeed_error {
    let described = catch_unwind(AssertUnwindSafe(|| {
        let what = if let Some(text) = payload.downcast_ref::<&str>() {
            text
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.as_str()
        } else {
            "a panic without a message"
        };
        emonfeed_error::from(Error::new(
            Status::Internal,
            format!("fault in {function}: {what}; please report it"),
        ))
    }));
    discard(payload);
    described.unwrap_or_else(|payload| {
        discard(payload);
        emonfeed_error::undescribed()
    })
}

/// Drops what a panic carried, which may itself panic.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(another);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;
    use std::ptr;

    use super::super::error::{
        EMONFEED_STATUS_ARGUMENT, EMONFEED_STATUS_INTERNAL, EMONFEED_STATUS_NOT_FOUND,
        emonfeed_error_free, emonfeed_error_message, emonfeed_error_status,
    };

    /// An export like the others, except that it does what it is told.
    unsafe extern "C" fn emonfeed_test(
        what: i32,
        out: *mut i32,
        error: *mut *mut emonfeed_error,
    ) -> emonfeed_status {
        fallible!(emonfeed_test, out, error, || match what {
            0 => Ok(7),
            1 => Err(Error::new(Status::NotFound, "a\0b")),
            2 => panic!("told to"),
            3 => panic!("told to by {what}"),
            4 => panic_any(what),
            _ => panic_any(Bomb),
        })
    }

    /// A payload whose end is another panic.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }

    /// Status, output and message of one call from outside.
    fn call(what: i32) -> (emonfeed_status, i32, Option<String>) {
        let function: unsafe extern "C" fn(
            i32,
            *mut i32,
            *mut *mut emonfeed_error,
        ) -> emonfeed_status = emonfeed_test;
        let mut out = -1;
        let mut error = ptr::null_mut();
        // SAFETY: both outputs are valid; the error is freed once.
        unsafe {
            let status = function(what, &raw mut out, &raw mut error);
            assert_eq!(function(what, &raw mut out, ptr::null_mut()), status);
            if error.is_null() {
                return (status, out, None);
            }
            assert_eq!(emonfeed_error_status(error), status);
            let message = CStr::from_ptr(emonfeed_error_message(error));
            let message = message.to_str().unwrap().to_owned();
            emonfeed_error_free(error);
            (status, out, Some(message))
        }
    }

    #[test]
    fn success_writes_the_output_only() {
        assert_eq!(call(0), (EMONFEED_STATUS_OK, 7, None));
    }

    #[test]
    fn failure_writes_the_error_only() {
        let (status, out, message) = call(1);
        assert_eq!((status, out), (EMONFEED_STATUS_NOT_FOUND, -1));
        assert_eq!(message.as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn a_panic_becomes_an_error_that_names_the_function() {
        for (what, says) in [
            (2, "told to"),
            (3, "told to by 3"),
            (4, "a panic without a message"),
            (5, "a panic without a message"),
        ] {
            let (status, out, message) = call(what);
            assert_eq!((status, out), (EMONFEED_STATUS_INTERNAL, -1));
            assert_eq!(
                message.unwrap(),
                format!("fault in emonfeed_test: {says}; please report it")
            );
        }
    }

    #[test]
    fn a_panic_in_a_getter_gives_the_fallback() {
        assert_eq!(infallible(3, || 4), 4);
        assert_eq!(infallible(3, || panic!("told to")), 3);
        assert_eq!(infallible(3, || panic_any(Bomb)), 3);
    }

    #[test]
    fn an_output_that_is_null_is_refused_before_the_body_runs() {
        let mut error = ptr::null_mut();
        // SAFETY: NULL is allowed; the error is freed once.
        unsafe {
            let status = emonfeed_test(2, ptr::null_mut(), &raw mut error);
            assert_eq!(status, EMONFEED_STATUS_ARGUMENT);
            let message = CStr::from_ptr(emonfeed_error_message(error));
            assert_eq!(message, c"out must not be NULL");
            emonfeed_error_free(error);
        }
    }

    #[test]
    fn an_output_that_may_be_null_is_not_missed() {
        let mut out = -1;
        for (out, writes) in [(&raw mut out, true), (ptr::null_mut(), false)] {
            let mut entered = false;
            let error = ptr::null_mut();
            let status = fallible!(
                emonfeed_test,
                out,
                error,
                || {
                    entered = true;
                    Ok(7)
                },
                out may be NULL
            );
            assert_eq!((status, entered), (EMONFEED_STATUS_OK, true));
            // SAFETY: not NULL, and so the variable above.
            assert_eq!(unsafe { out.as_ref() }, writes.then_some(&7));
        }
    }

    #[test]
    fn texts_end_with_null() {
        let some = [c"a=1".as_ptr(), c"".as_ptr(), ptr::null(), c"b".as_ptr()];
        let bad = [c"a".as_ptr(), c"\xff".as_ptr(), ptr::null()];
        // SAFETY: what is not NULL ends with NULL.
        unsafe {
            assert_eq!(texts(some.as_ptr(), "options").unwrap(), ["a=1", ""]);
            assert!(texts(ptr::null(), "options").unwrap().is_empty());
            for (pointer, says) in [
                (bad.as_ptr(), "options is not valid UTF-8"),
                (some.as_ptr().byte_add(1), "options is not aligned"),
            ] {
                let error = texts(pointer, "options").unwrap_err();
                assert_eq!(error.status(), Status::Argument);
                assert!(error.to_string().contains(says), "{error}");
            }
        }
    }

    #[test]
    fn lists_are_checked_before_they_are_read() {
        let some = [1_i64, 2, 3];
        let pointer = some.as_ptr();
        // SAFETY: what is not readable is refused.
        unsafe {
            assert_eq!(list(pointer, 3, "edges").unwrap(), some);
            assert!(list(ptr::null::<i64>(), 0, "edges").unwrap().is_empty());
            for (pointer, n, says) in [
                (ptr::null(), 1, "edges must not be NULL"),
                (pointer.byte_add(1), 1, "edges is not aligned"),
                (pointer, usize::MAX, "do not fit"),
            ] {
                let error = list(pointer, n, "edges").unwrap_err();
                assert_eq!(error.status(), Status::Argument);
                assert!(error.to_string().contains(says), "{error}");
            }
        }
    }
}
