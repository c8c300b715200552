//! The head of a `.MYI` file: the server writes it at the end of every
//! statement that writes, which makes it the commit marker of the `.MYD`.
//!
//! All integers are big-endian. Layout: `storage/myisam/myisamdef.h`
//! (`MI_STATE_INFO`, `MI_BASE_INFO`) and `mi_open.c` of MariaDB.

use super::bytes::{u8_at, u16_be, u32_be, u64_be};
use crate::error::{Error, Result, Status};

/// No head is longer: its length is a 16-bit number.
pub const HEAD_MAX: usize = 0xffff;

/// The state header and everything before the first key's root.
const FIXED_STATE: usize = 124;
/// What the server calls the length of the state: that of a table without keys.
const STATE_INFO: usize = 176;
/// `MI_BASE_INFO` on disk.
const BASE_INFO: usize = 100;
const KEY_DEFINITION: usize = 12;
const KEY_SEGMENT: usize = 18;
const COLUMN_DEFINITION: usize = 7;

const OPTION_PACK_RECORD: u16 = 0x1;
const OPTION_COMPRESS_RECORD: u16 = 0x4;
const OPTION_CHECKSUM: u16 = 0x20;
const OPTION_NULL_FIELDS: u16 = 0x400;
const OPTION_TEMP_COMPRESS_RECORD: u16 = 0x4000;

const CHANGED: u8 = 1;
const CHANGED_CRASHED: u8 = 2;
const CHANGED_CRASHED_ON_REPAIR: u8 = 4;

/// Where a column lies and which bit says that it is NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Bytes in a row.
    pub len: u16,
    /// The bit of the flag byte, 0 for a column that cannot be NULL.
    pub null_bit: u8,
    /// Which flag byte the bit is in.
    pub null_pos: u16,
}

/// What the head of a `.MYI` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    options: u16,
    open_count: u16,
    changed: u8,
    /// Live rows.
    pub records: u64,
    /// Deleted rows whose slots wait for reuse.
    pub deleted: u64,
    /// Row slots, live and deleted.
    pub split: u64,
    /// Bytes of the `.MYI` that are in use.
    pub key_file_length: u64,
    /// Bytes of the `.MYD` that are committed.
    pub data_file_length: u64,
    /// Sum of the rows' CRC-32, kept if [`Header::has_checksum`].
    pub checksum: u32,
    /// The server process that wrote last.
    pub process: u32,
    /// Which of its open tables that was.
    pub unique: u32,
    /// The statements that wrote through that open table.
    pub update_count: u32,
    /// When the table was made or last emptied, Unix seconds.
    pub create_time: u64,
    /// Bytes per row, padding included.
    pub stride: u32,
    /// Bytes per row without padding.
    pub record_length: u32,
    /// The row's fields, the flag bytes left out.
    pub fields: Vec<Field>,
    /// How many flag bytes begin a row.
    pub flag_bytes: u16,
}

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(
        Status::Damaged,
        format!("the index header is damaged ({what}): CHECK TABLE, then REPAIR TABLE"),
    )
}

impl Header {
    /// How long the head is, told by its first bytes; `None` if these are too
    /// few or no MyISAM head, which happens for a moment while a server
    /// truncates or rebuilds the table.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        if !bytes.starts_with(&[0xfe, 0xfe, 7, 1]) {
            return None;
        }
        u16_be(bytes, 6).map(usize::from)
    }

    /// Reads the head of a `.MYI`. Says nothing yet about whether the rows
    /// can be read: that is [`Header::check`].
    pub fn parse(bytes: &[u8]) -> Result<Header> {
        let length = Self::length(bytes).ok_or_else(|| {
            Error::new(
                Status::Damaged,
                "this is no MyISAM index file (it does not begin with FE FE 07 01)",
            )
        })?;
        let bytes = bytes.get(..length).ok_or_else(|| {
            damaged(format_args!("{} bytes of a head of {length}", bytes.len()))
        })?;
        Self::fields_of(bytes).ok_or_else(|| damaged("its lengths do not add up"))?
    }

    fn fields_of(head: &[u8]) -> Option<Result<Header>> {
        let base = usize::from(u16_be(head, 12)?);
        let keys = usize::from(u8_at(head, 18)?);
        let uniques = u8_at(head, 19)?;
        let key_blocks = usize::from(u8_at(head, 21)?);
        let state_length = usize::from(u16_be(head, 8)?);
        let base_length = usize::from(u16_be(head, 10)?);
        let key_parts = usize::from(u16_be(head, 14)?);
        if uniques != 0 {
            return Some(Err(Error::new(
                Status::NotAFeed,
                "the table is not a feed: it has a unique constraint by hash",
            )));
        }
        // The state before the base: roots of the keys, free blocks, then 20
        // bytes on keys and version, four times of 8 bytes, the statistics.
        let after_roots = FIXED_STATE + 8 * keys + 8 * key_blocks;
        let create_time_at = after_roots + 20;
        let state_end = create_time_at + 32 + 4 * key_parts;
        if base_length != BASE_INFO || state_length != STATE_INFO || state_end != base {
            return Some(Err(damaged(format_args!(
                "state of {state_length} and base of {base_length} bytes at {base} with \
                 {keys} keys of {key_parts} parts"
            ))));
        }

        let mut at = base + BASE_INFO;
        for _ in 0..keys {
            let segments = usize::from(u8_at(head, at)?);
            at += KEY_DEFINITION + segments * KEY_SEGMENT;
        }
        let count = u32_be(head, base + 64)?;
        if count as usize != head.len().checked_sub(at)? / COLUMN_DEFINITION
            || (head.len() - at) % COLUMN_DEFINITION != 0
        {
            return Some(Err(damaged(format_args!(
                "{count} columns in {} bytes",
                head.len() - at
            ))));
        }
        let mut fields = Vec::with_capacity(count as usize);
        for i in 0..count as usize {
            let at = at + i * COLUMN_DEFINITION;
            fields.push(Field {
                len: u16_be(head, at + 2)?,
                null_bit: u8_at(head, at + 4)?,
                null_pos: u16_be(head, at + 5)?,
            });
        }
        if fields.is_empty() {
            return Some(Err(damaged("no columns")));
        }
        // The flag bytes are listed as a column of their own, in front.
        let flag_bytes = fields.remove(0).len;

        Some(Ok(Header {
            options: u16_be(head, 4)?,
            open_count: u16_be(head, 24)?,
            changed: u8_at(head, 26)?,
            records: u64_be(head, 28)?,
            deleted: u64_be(head, 36)?,
            split: u64_be(head, 44)?,
            key_file_length: u64_be(head, 60)?,
            data_file_length: u64_be(head, 68)?,
            // An 8-byte field of which the server uses the low 32 bits.
            checksum: u32_be(head, 104)?,
            process: u32_be(head, 108)?,
            unique: u32_be(head, 112)?,
            update_count: u32_be(head, 120)?,
            create_time: u64_be(head, create_time_at)?,
            record_length: u32_be(head, base + 44)?,
            stride: u32_be(head, base + 48)?,
            fields,
            flag_bytes,
        }))
    }

    /// Whether the table keeps a live checksum (`CHECKSUM=1`).
    pub fn has_checksum(&self) -> bool {
        self.options & OPTION_CHECKSUM != 0
    }

    /// Whether the live checksum leaves out the bytes of NULL columns.
    pub fn checksum_skips_nulls(&self) -> bool {
        self.options & OPTION_NULL_FIELDS != 0
    }

    /// Whether a server has the table open and has written to it, or had when
    /// the file was copied or it died.
    pub fn is_open(&self) -> bool {
        self.open_count > 0
    }

    /// Whether the first statement that writes since the table was opened has
    /// begun and none has ended: it marks the table so before its first row,
    /// and every end leaves more bits there (`_mi_mark_file_changed`).
    pub fn is_marked(&self) -> bool {
        self.open_count > 0 && self.changed == CHANGED
    }

    /// Committed row slots; call [`Header::check`] first.
    pub fn slots(&self) -> u64 {
        self.data_file_length / u64::from(self.stride.max(1))
    }

    /// Refuses tables whose rows are not plain fixed rows at whole multiples
    /// of the stride.
    pub fn check(&self) -> Result<()> {
        let refuse = |status, message: String| Err(Error::new(status, message));
        if self.options & (OPTION_COMPRESS_RECORD | OPTION_TEMP_COMPRESS_RECORD) != 0 {
            return refuse(
                Status::Compressed,
                "the table is compressed (myisampack); `myisamchk --unpack` undoes that"
                    .into(),
            );
        }
        if self.options & OPTION_PACK_RECORD != 0 {
            return refuse(
                Status::Dynamic,
                "the table has rows of variable length; ALTER TABLE … ROW_FORMAT=FIXED \
                 makes it readable"
                    .into(),
            );
        }
        if self.changed & (CHANGED_CRASHED | CHANGED_CRASHED_ON_REPAIR) != 0 {
            return refuse(
                Status::Crashed,
                "the server marked the table as crashed: REPAIR TABLE first".into(),
            );
        }
        let width: u64 = u64::from(self.flag_bytes)
            + self.fields.iter().map(|f| u64::from(f.len)).sum::<u64>();
        if self.flag_bytes == 0
            || width != u64::from(self.record_length)
            || self.stride < self.record_length
            || self.stride > self.record_length.saturating_add(16)
        {
            return Err(damaged(format_args!(
                "columns of {width} bytes, records of {}, rows of {}",
                self.record_length, self.stride
            )));
        }
        let stride = u64::from(self.stride);
        if self.data_file_length % stride != 0 {
            return refuse(
                Status::PhaseShifted,
                format!(
                    "rows were appended between row boundaries after a server crash \
                     ({} committed bytes are no multiple of {stride}): save a copy, then \
                     REPAIR TABLE",
                    self.data_file_length
                ),
            );
        }
        if self.records.checked_add(self.deleted) != Some(self.split)
            || self.split != self.data_file_length / stride
        {
            return Err(damaged(format_args!(
                "{} live and {} deleted rows, {} slots, {} bytes of {stride} each",
                self.records, self.deleted, self.split, self.data_file_length
            )));
        }
        Ok(())
    }
}
