//! Numbers and times as text.

pub mod csv;
pub mod decimal;
pub mod json;
mod line;

pub use decimal::{decimal, to_decimal};

use crate::error::{Error, Result, Status};

/// Points written between two looks at the room there is.
const PART: usize = 1024;
/// Bytes of the longest time and the longest value, such as
/// `-9223372036854775808` and `-2.2250738585072014e-308`.
const LONGEST: usize = 20 + 24;

/// Makes room for text, or fails: an answer may be longer than a web worker
/// can hold, which must not end it.
fn reserve(out: &mut Vec<u8>, bytes: usize) -> Result<()> {
    out.try_reserve(bytes).map_err(|_| {
        Error::new(
            Status::Memory,
            format!(
                "not enough memory for the text behind its first {} bytes",
                out.len()
            ),
        )
    })
}
