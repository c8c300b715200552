//! How the end of a copy compares with the source.

use super::copy::CopyOptions;
use super::held::Place;
use super::plan::{self, Tail};
use super::source::Input;
use crate::error::{Error, Result};
use crate::feed::{changed, read_up_to};
use crate::myisam::Layout;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// How much of a copy's end is compared before anything is appended, and how
/// much is appended before it is made sure to be on the disk: what a power cut
/// may have spoilt is always compared.
pub(super) const WINDOW: u64 = 256 << 10;

/// Compares the last whole rows of a copy with the source's.
pub(super) fn compare_tail(
    input: &Input,
    place: &Place,
    copy: &File,
    len: u64,
    options: &CopyOptions,
) -> Result<Tail> {
    let plan::Source { stride, rows } = input.facts();
    let held = len / stride;
    if held > rows {
        // That alone decides.
        return Ok(Tail::Equal);
    }
    let first = if options.whole { 0 } else { held.saturating_sub(WINDOW / stride) };
    let path = place.path();
    let examine = |first| match compare(input, copy, &path, first..held)? {
        Tail::Differs { offset } if is_zeros(input, copy, &path, offset..len)? => {
            Ok(Tail::Zeros { offset })
        }
        tail => Ok(tail),
    };
    let mut tail = examine(first)?;
    let mut first = first;
    if matches!(tail, Tail::Zeros { .. }) && first > 0 {
        // They may begin before.
        first = 0;
        tail = examine(first)?;
    }
    // A row that is written at this moment can be read half old, half new.
    if tail != Tail::Equal && examine(first)? != tail {
        return Err(changed().at(input.path()));
    }
    Ok(tail)
}

/// Whether of these bytes of the copy, which begin with a row unlike the
/// source's, all are zero from where they differ on. Not if that row may have
/// been edited in the source: if there is a time in it, and the source's.
fn is_zeros(input: &Input, copy: &File, path: &Path, bytes: Range<u64>) -> Result<bool> {
    let plan::Source { stride, .. } = input.facts();
    let row = bytes.start / stride;
    let (mut ours, mut theirs) = (vec![0; stride as usize], vec![0; stride as usize]);
    input.read(row, &mut theirs)?;
    let cannot = |e| Error::io("read", path, e);
    if read_up_to(copy, &mut ours, bytes.start).map_err(cannot)? < ours.len() {
        return Err(changed().at(path));
    }
    let is_last = bytes.end - bytes.start < 2 * stride;
    if is_last && input.layout().is_some_and(|layout| same_time(layout, &ours, &theirs)) {
        return Ok(false);
    }
    let same = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs);
    let mut at = bytes.start + same.count() as u64;
    let mut buffer = vec![0; WINDOW as usize];
    while at < bytes.end {
        let want = (bytes.end - at).min(WINDOW) as usize;
        let have = read_up_to(copy, &mut buffer[..want], at).map_err(cannot)?;
        if have < want {
            return Err(changed().at(path));
        }
        if buffer[..have].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        at += have as u64;
    }
    Ok(true)
}

/// Compares `rows` of the copy, up to its last, with the source's.
pub(super) fn compare(
    input: &Input,
    copy: &File,
    path: &Path,
    rows: Range<u64>,
) -> Result<Tail> {
    let stride = input.facts().stride;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (first, count) in blocks(&rows, WINDOW / stride) {
        let bytes = (count * stride) as usize;
        ours.resize(bytes, 0);
        theirs.resize(bytes, 0);
        input.read(first, &mut theirs)?;
        let have = read_up_to(copy, &mut ours, first * stride)
            .map_err(|e| Error::io("read", path, e).at_offset(first * stride))?;
        if have < bytes {
            return Err(changed().at(path));
        }
        if ours == theirs {
            continue;
        }
        let stride_bytes = stride as usize;
        let pairs =
            ours.chunks_exact(stride_bytes).zip(theirs.chunks_exact(stride_bytes));
        for (row, (ours, theirs)) in (first..).zip(pairs) {
            if ours == theirs {
                continue;
            }
            let is_last = row + 1 == rows.end;
            if is_last && differ_in_value_only(input.layout(), ours, theirs) {
                return Ok(Tail::LastValue);
            }
            return Ok(Tail::Differs { offset: row * stride });
        }
    }
    Ok(Tail::Equal)
}

/// Whether two rows are of the same time, and of the same `data2` if they have
/// one.
pub(super) fn differ_in_value_only(layout: Option<&Layout>, a: &[u8], b: &[u8]) -> bool {
    let Some(layout) = layout else { return true };
    same_time(layout, a, b)
        && (!layout.is_histogram()
            || layout.data2(a).to_bits() == layout.data2(b).to_bits())
}

/// Whether both are rows, and of the same time.
pub(super) fn same_time(layout: &Layout, a: &[u8], b: &[u8]) -> bool {
    let is_row = |row: &[u8]| layout.flag_is_valid(row[0]);
    match (layout.row(a), layout.row(b)) {
        (Some(row), Some(other)) => is_row(a) && is_row(b) && row.time == other.time,
        _ => false,
    }
}

/// Cuts `rows` into blocks: the first row of each, and how many there are.
pub(super) fn blocks(
    rows: &Range<u64>,
    per_block: u64,
) -> impl Iterator<Item = (u64, u64)> + use<> {
    let end = rows.end;
    let per_block = per_block.max(1);
    (rows.start..end)
        .step_by(usize::try_from(per_block).unwrap_or(usize::MAX))
        .map(move |first| (first, per_block.min(end - first)))
}
