//! The rows of a copy on their way back: checked against the catalog, or where
//! there is none, row by row.

use crate::backup::catalog::CELL;
use crate::backup::hash::{BLOCK, Hash, hash, rows_of};
use crate::error::{Error, Result, Status};
use crate::feed::read_up_to;
use crate::myisam::{Column, ColumnType, Definition, Layout};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

/// Rows that were overwritten, by cell.
pub(super) type Cells = BTreeMap<u64, Vec<u8>>;

/// What the catalog knows of a file.
pub(super) struct Vouched {
    pub hashes: Vec<Hash>,
    /// Rows that these hashes are of.
    pub rows: u64,
    /// What a run that was killed was about to overwrite.
    pub begun: Cells,
    /// What runs have overwritten since the state that is wanted.
    pub since: Cells,
}

/// The rows of a copy.
pub(super) struct Rows {
    pub file: File,
    pub path: PathBuf,
    pub stride: u64,
    /// How many are wanted.
    pub count: u64,
    pub vouched: Option<Vouched>,
}

/// What was cut off the end of a copy that no catalog vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Bytes of a row that is not all there.
    pub torn_bytes: u64,
    /// Rows of nothing but zeros.
    pub zero_rows: u64,
    /// Rows no table can have, or of nothing but ones.
    pub garbage_rows: u64,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub rows: u64,
    pub live: u64,
    pub deleted: u64,
    /// The sum `CHECKSUM TABLE … EXTENDED` gives, without and with the bytes of
    /// columns that are NULL.
    pub checksums: (u32, u32),
    pub damaged_blocks: u64,
    pub left_out: u64,
}

impl Rows {
    /// Reads all rows, a block at a time. With `accept_damaged`, blocks that
    /// are not as the catalog has them are taken as they are, and rows that no
    /// table can have are left out.
    pub(super) fn read(
        &self,
        layout: Option<&Layout>,
        accept_damaged: bool,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut buffer = Vec::new();
        let mut next = 0;
        while next < self.count {
            let (sound, ends) = self.block(next, &mut buffer, accept_damaged)?;
            tally.damaged_blocks += u64::from(!sound);
            if let Some(layout) = layout {
                self.demand_flags(layout, next, &mut buffer, accept_damaged, &mut tally)?;
                let (skip, all) = tally.checksums;
                tally.checksums = (
                    skip.wrapping_add(layout.checksum(&buffer, true)),
                    all.wrapping_add(layout.checksum(&buffer, false)),
                );
            } else {
                tally.live += buffer.len() as u64 / self.stride;
            }
            tally.rows += buffer.len() as u64 / self.stride;
            each(&buffer)?;
            if ends {
                break;
            }
            next += BLOCK;
        }
        Ok(tally)
    }

    /// Reads the block whose first row is `first`; whether it is sound, and
    /// whether the file ends in it though it should not.
    fn block(
        &self,
        first: u64,
        buffer: &mut Vec<u8>,
        accept_damaged: bool,
    ) -> Result<(bool, bool)> {
        let number = first / BLOCK;
        let of = self.vouched.as_ref().map_or(self.count, |vouched| vouched.rows);
        let range = rows_of(number, of);
        let offset = first * self.stride;
        buffer.resize(((range.end - range.start) * self.stride) as usize, 0);
        let have = read_up_to(&self.file, buffer, offset)
            .map_err(|e| Error::io("read", &self.path, e).at_offset(offset))?;
        let wanted = ((self.count - first).min(BLOCK) * self.stride) as usize;
        let is_short = have < buffer.len();
        let damaged = |what: &str| {
            Error::new(
                Status::Damaged,
                format!(
                    "the copy is damaged: {what}; an older state of it may still be whole (see \
                     --list), and --accept-damaged takes it as it is"
                ),
            )
            .at(&self.path)
            .at_offset(offset)
        };
        if is_short && !accept_damaged {
            let len = offset + have as u64;
            return Err(damaged(&format!("it ends at {len} bytes, before its last row")));
        }
        if is_short {
            buffer.truncate(have - have % self.stride as usize);
        }
        let mut sound = !is_short;
        if let Some(vouched) = &self.vouched {
            put_back(&vouched.begun, first, self.stride, buffer);
            sound &= vouched.hashes.get(number as usize) == Some(&hash(buffer));
            if !sound && !accept_damaged {
                return Err(damaged(
                    "these rows are not those that were written there, as the catalog's hash \
                     of them shows",
                ));
            }
            put_back(&vouched.since, first, self.stride, buffer);
        }
        buffer.truncate(wanted);
        Ok((sound, is_short))
    }

    fn demand_flags(
        &self,
        layout: &Layout,
        first: u64,
        buffer: &mut Vec<u8>,
        accept_damaged: bool,
        tally: &mut Tally,
    ) -> Result<()> {
        let stride = layout.stride();
        let mut bad = false;
        for (index, row) in buffer.chunks_exact(stride).enumerate() {
            let flag = row[0];
            if !layout.flag_is_valid(flag) {
                if !accept_damaged {
                    return Err(Error::new(
                        Status::BadRow,
                        format!(
                            "a row begins with the byte {flag:#04x}, which no row of this \
                             table can: the copy is damaged, or its rows are not {stride} \
                             bytes long; --accept-damaged leaves such rows out"
                        ),
                    )
                    .at(&self.path)
                    .at_offset((first + index as u64) * self.stride));
                }
                bad = true;
                tally.left_out += 1;
            } else if flag == 0 {
                tally.deleted += 1;
            } else {
                tally.live += 1;
            }
        }
        if bad {
            let rows = buffer.chunks_exact(stride);
            *buffer = rows
                .filter(|row| layout.flag_is_valid(row[0]))
                .flatten()
                .copied()
                .collect();
        }
        Ok(())
    }

    /// Finds the last row of a file that no catalog vouches for, and what is
    /// behind it.
    pub(super) fn cut_tail(&mut self, layout: Option<&Layout>, len: u64) -> Result<Tail> {
        /// More that is neither rows nor zeros nor ones is no end that a crash
        /// leaves: it may be rows of other columns.
        const ODD: u64 = 4096;
        self.count = len / self.stride;
        let mut tail = Tail { torn_bytes: len % self.stride, ..Tail::default() };
        let Some(layout) = layout else { return Ok(tail) };
        let all = self.count;
        let mut odd = 0;
        let mut block = Vec::new();
        'rows: while self.count > 0 {
            let first = (self.count - 1) / BLOCK * BLOCK;
            block.resize(((self.count - first) * self.stride) as usize, 0);
            let have = read_up_to(&self.file, &mut block, first * self.stride)
                .map_err(|e| Error::io("read", &self.path, e))?;
            block.truncate(have);
            if block.len() < self.stride as usize {
                break;
            }
            for row in block.chunks_exact(self.stride as usize).rev() {
                if row.iter().all(|&b| b == 0) {
                    tail.zero_rows += 1;
                } else if row.iter().all(|&b| b == 0xff) {
                    tail.garbage_rows += 1;
                } else if is_odd(layout, row) {
                    tail.garbage_rows += 1;
                    odd += 1;
                } else {
                    break 'rows;
                }
                self.count -= 1;
            }
        }
        if odd > 0 && (self.count == 0 || odd * self.stride > ODD) {
            return Err(Error::new(
                Status::BadRow,
                format!(
                    "the last {odd} of {all} rows are none of a table with these columns: the \
                     definition is of others, or the copy is damaged"
                ),
            )
            .at(&self.path)
            .at_offset(self.count * self.stride));
        }
        Ok(tail)
    }

    /// What the columns of a file's rows are that has no definition: nine bytes,
    /// and which of them may be NULL shows by the flag bytes that most have. And
    /// whether that is sure.
    pub(super) fn guess(&self, len: u64) -> Result<(Definition, bool)> {
        const ROWS: u64 = 65_536;
        let mut rows = vec![0; ((len / 9).min(ROWS) * 9) as usize];
        let have = read_up_to(&self.file, &mut rows, 0)
            .map_err(|e| Error::io("read", &self.path, e))?;
        let (mut both, mut one, mut none) = (0_u64, 0_u64, 0_u64);
        for row in rows[..have].chunks_exact(9) {
            match row[0] {
                0xf9 | 0xfb => both += 1,
                // A value that is NULL is 0 there.
                0xfd if row[5..] != [0; 4] => one += 1,
                // Not the garbage that some disks leave.
                0xff if row[1..] != [0; 8] && row[1..] != [0xff; 8] => none += 1,
                _ => {}
            }
        }
        let is_sure = both.max(one).max(none) * 2 > have as u64 / 9;
        let (time_nullable, data_nullable) = match (both, one, none) {
            (both, one, none) if both >= one && both >= none => (true, true),
            (_, 1.., _) => (false, true),
            _ => (false, false),
        };
        let column = |name: &str, kind, unsigned, nullable| Column {
            name: name.to_owned(),
            kind,
            unsigned,
            nullable,
        };
        let definition = Definition {
            columns: vec![
                column("time", ColumnType::Int, true, time_nullable),
                column("data", ColumnType::Float, false, data_nullable),
            ],
            checksum: false,
            max_rows: 0,
        };
        Ok((definition, is_sure))
    }
}

/// Puts cells in the place of what is in a block.
fn put_back(cells: &Cells, first: u64, stride: u64, block: &mut [u8]) {
    let from = first / CELL;
    for (cell, rows) in cells.range(from..from + BLOCK / CELL) {
        let at = ((cell * CELL - first) * stride) as usize;
        let len = rows.len().min(block.len().saturating_sub(at));
        if len > 0 {
            block[at..at + len].copy_from_slice(&rows[..len]);
        }
    }
}

/// Whether this is no row, or one of NULLs that has values, as no server leaves
/// it.
fn is_odd(layout: &Layout, row: &[u8]) -> bool {
    !layout.flag_is_valid(row[0])
        || row[0] == 0xff && layout.is_null(row) && row[1..].iter().any(|&b| b != 0)
}

/// Refuses rows that PHPTimeSeries cannot read, or would read as others.
pub(super) fn demand_phptimeseries(
    rows: &[u8],
    first: u64,
    last_time: &mut u32,
) -> Result<()> {
    let refuse = |index: usize, why: &str| {
        let row = first + index as u64;
        Err(Error::new(
            Status::Argument,
            format!(
                "PHPTimeSeries cannot hold this feed as it is: row {row} {why}; it is \
                 restored into a database, or converted by `emonfeed convert`"
            ),
        ))
    };
    for (index, row) in rows.chunks_exact(9).enumerate() {
        match row[0] {
            0xf9 => {}
            0 => return refuse(index, "is a deleted one"),
            flag => {
                return refuse(
                    index,
                    &format!(
                        "has the flags {flag:#04x}, not the 0xf9 that its rows have"
                    ),
                );
            }
        }
        let time = u32::from_le_bytes([row[1], row[2], row[3], row[4]]);
        if time < *last_time {
            return refuse(index, "is earlier than the one before it");
        }
        *last_time = time;
    }
    Ok(())
}
