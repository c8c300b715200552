//! Reading rows in file order, a buffer at a time.

use super::source::Bytes;
use crate::error::{Error, Result, Status};
use crate::myisam::{BLOCK, BadFlag, Layout};
use std::ops::Range;
use std::path::Path;

/// Bytes per piece: fits the first cache beside what else is in use.
const BUFFER: usize = 16 << 10;

/// Calls `each` with blocks of the rows in `range`, with the row number of
/// the first, in file order.
pub(super) fn scan(
    bytes: &Bytes,
    layout: &Layout,
    range: Range<u64>,
    path: &Path,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), BadFlag>,
) -> Result<()> {
    let stride = layout.stride();
    let per_block = (BUFFER / stride / BLOCK * BLOCK) as u64;
    let mut buffer = [0; BUFFER];
    // Read-ahead is asked for in steps, so that a long scan does not push
    // everything else out of the cache at once.
    const AHEAD: u64 = 4 << 20;
    const AT_ONCE: u64 = 1 << 20;
    let mut asked = range.start * stride as u64;
    let mut populated = asked;
    let mut row = range.start;
    while row < range.end {
        let count = per_block.min(range.end - row);
        let offset = row * stride as u64;
        let end = range.end * stride as u64;
        if offset + AHEAD / 2 >= asked && asked < end && end - offset > BUFFER as u64 {
            bytes.will_need(asked, AHEAD.min(end - asked));
            asked += AHEAD;
        }
        if offset >= populated && end - offset > BUFFER as u64 {
            bytes.populate(offset, AT_ONCE.min(end - offset));
            populated = offset + AT_ONCE;
        }
        let block = &mut buffer[..count as usize * stride];
        bytes.read(offset, block)?;
        each(row, block)
            .map_err(|bad| bad_row(layout, row + bad.index as u64, bad.flag, path))?;
        row += count;
    }
    Ok(())
}

pub(super) fn bad_row(layout: &Layout, row: u64, flag: u8, path: &Path) -> Error {
    Error::new(
        Status::BadRow,
        format!(
            "row {row} begins with the byte {flag:#04x}, which no row of this table can have: \
             the rows are damaged or lie between row boundaries; save a copy, then REPAIR TABLE"
        ),
    )
    .at(path)
    .at_offset(row * layout.stride() as u64)
}
