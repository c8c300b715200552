//! Numbers and times as text.

pub mod csv;
pub mod decimal;
pub mod json;

pub use decimal::{decimal, to_decimal};
