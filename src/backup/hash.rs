//! Hashes of rows, by which a run tells whether they are still the same.
//!
//! XXH3 with 128 bits: it finds edits and bit rot at the speed of memory. It
//! keeps nobody out who can write to the destination.

use std::ops::Range;
use xxhash_rust::xxh3::xxh3_128;

/// Rows that share one hash. With nine bytes per row, 72 KiB.
pub(super) const BLOCK: u64 = 8192;

/// Rows at the end of a feed that have a hash of their own, which is compared
/// on every run.
pub(super) const TAIL: u64 = 512;

/// The hash of some rows.
pub(super) type Hash = [u8; 16];

pub(super) fn hash(rows: &[u8]) -> Hash {
    xxh3_128(rows).to_be_bytes()
}

/// How many blocks so many rows take.
pub(super) fn blocks_in(rows: u64) -> u64 {
    rows.div_ceil(BLOCK)
}

/// The rows of a block of a feed with so many rows.
pub(super) fn rows_of(block: u64, rows: u64) -> Range<u64> {
    (block * BLOCK).min(rows)..((block + 1) * BLOCK).min(rows)
}

/// The rows that [`TAIL`] speaks of.
pub(super) fn tail_of(rows: u64) -> Range<u64> {
    rows.saturating_sub(TAIL)..rows
}
