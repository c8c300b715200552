//! Where in a row the time and the values lie, and what its flag byte means.
//!
//! A row is a flag byte, the columns in order of declaration, little-endian
//! and unaligned, and padding up to the stride. Of the flag byte, bit 0 says
//! "live", then comes one bit per nullable column (1 = NULL), and the bits
//! left over are 1. A deleted row has 0 there and a row number behind it.
//! (`storage/myisam/mi_statrec.c`; `Field::null_bit` in `sql/field.h`.)

use super::column::{Column, ColumnType, Definition};
use super::header::Header;
use crate::error::{Error, Result, Status};
use std::ops::Range;

/// No feed has longer rows: a flag byte, three columns of 8 bytes, a
/// checksum pad. Anything longer was refused.
pub const MAX_STRIDE: usize = 32;

/// Bytes a plain row begins with: flag, u32 time, f32 value.
pub const PLAIN: usize = 9;

const DELETED: u8 = 0;
const LIVE: u8 = 1;

/// The flag byte PHPTimeSeries writes, and MySQL where both columns may be NULL.
const BARE_BOTH_NULLABLE: u8 = 0xf9;
const BARE_TIME_NULL: u8 = 0xfb;
const BARE_NOT_NULL: u8 = 0xff;

/// One column within a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Cell {
    offset: usize,
    kind: ColumnType,
    unsigned: bool,
    null_bit: u8,
}

/// What is needed to read a table's rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    stride: usize,
    /// Bits that are 1 in every live row.
    fixed_bits: u8,
    time: Cell,
    data: Cell,
    data2: Option<Cell>,
    /// Whether rows begin with the nine bytes flag, u32 time, f32 value: the
    /// case worth code of its own.
    plain: bool,
}

/// A live row that has a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Unix seconds.
    pub time: i64,
    /// The value; NaN if there is none.
    pub value: f64,
}

/// A flag byte that no row of the table can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFlag {
    /// Index of the row within the chunk.
    pub index: usize,
    /// The byte.
    pub flag: u8,
}

impl Layout {
    /// Joins the two descriptions a table has of itself.
    pub fn new(header: &Header, definition: &Definition) -> Result<Layout> {
        // Names first: what is no feed need not fit anything else said here.
        definition.columns.iter().try_for_each(|column| slot_of(column).map(drop))?;
        if header.fields.len() < definition.columns.len() {
            return Err(not_a_feed(format_args!(
                "it has a computed column, whose values are not in its rows"
            )));
        }
        if header.fields.len() != definition.columns.len() || header.flag_bytes != 1 {
            return Err(disagree(format_args!(
                "{} columns in the index file and {} in the definition",
                header.fields.len(),
                definition.columns.len()
            )));
        }
        let mut null_bits = 0;
        for (field, column) in header.fields.iter().zip(&definition.columns) {
            let bit_fits = if column.nullable {
                field.null_pos == 0
                    && field.null_bit.is_power_of_two()
                    && field.null_bit != LIVE
                    && null_bits & field.null_bit == 0
            } else {
                field.null_bit == 0
            };
            if usize::from(field.len) != column.kind.width() || !bit_fits {
                return Err(disagree(format_args!("column `{}`", column.name)));
            }
            null_bits |= field.null_bit;
        }
        let bits = header.fields.iter().map(|field| field.null_bit);
        Self::from_columns(&definition.columns, bits, header.stride as usize)
    }

    /// The layout of a copy, which has its definition but no index file
    /// beside it.
    pub fn of_copy(definition: &Definition) -> Result<Layout> {
        let record = 1 + definition.columns.iter().map(|c| c.kind.width()).sum::<usize>();
        // A deleted row holds a flag and a pointer, of 6 bytes unless
        // MAX_ROWS made it shorter (mi_create.c).
        const FLAG_AND_POINTER: usize = 7;
        if record < FLAG_AND_POINTER && definition.max_rows != 0 {
            return Err(Error::new(
                Status::MissingDefinition,
                "rows this short with MAX_ROWS cannot be told apart without the .MYI",
            ));
        }
        let stride = record.max(FLAG_AND_POINTER) + usize::from(definition.checksum);
        Self::of_rows(definition, stride)
    }

    /// The same where it is known how many bytes a row has.
    pub fn of_rows(definition: &Definition, stride: usize) -> Result<Layout> {
        let mut next = LIVE;
        let bits = definition.columns.iter().map(move |column| {
            if column.nullable {
                next = next.wrapping_shl(1);
                next
            } else {
                0
            }
        });
        Self::from_columns(&definition.columns, bits, stride)
    }

    /// The layout of a file with nothing beside it: PHPTimeSeries, or a copy
    /// by the old backup script. Its rows tell whether columns are `nullable`:
    /// see [`Layout::bare_hint`].
    pub fn bare(nullable: bool) -> Layout {
        let cell = |offset, kind, unsigned, null_bit| Cell {
            offset,
            kind,
            unsigned,
            null_bit: if nullable { null_bit } else { 0 },
        };
        Layout {
            stride: 9,
            fixed_bits: if nullable { BARE_BOTH_NULLABLE } else { BARE_NOT_NULL },
            time: cell(1, ColumnType::Int, true, 2),
            data: cell(5, ColumnType::Float, false, 4),
            data2: None,
            plain: true,
        }
    }

    /// What a nine-byte row tells about the layout of a bare file: whether
    /// columns are nullable, or `None` if it leaves that open.
    pub fn bare_hint(row: &[u8]) -> Option<bool> {
        match row.first()? {
            &BARE_BOTH_NULLABLE | &BARE_TIME_NULL => Some(true),
            // All NULL in one layout; in the other a reading of 0 at time 0.
            &BARE_NOT_NULL if row[1..].iter().any(|&b| b != 0) => Some(false),
            _ => None,
        }
    }

    fn from_columns(
        columns: &[Column],
        null_bits: impl Iterator<Item = u8>,
        stride: usize,
    ) -> Result<Layout> {
        let mut cells: [Option<Cell>; 3] = [None; 3];
        let mut offset = 1;
        let mut free_bits = !LIVE;
        for (column, null_bit) in columns.iter().zip(null_bits) {
            let slot = slot_of(column)?;
            let cell =
                Cell { offset, kind: column.kind, unsigned: column.unsigned, null_bit };
            if cells[slot].replace(cell).is_some() {
                return Err(not_a_feed(format_args!(
                    "it has two columns `{}`",
                    column.name
                )));
            }
            offset += column.kind.width();
            free_bits &= !null_bit;
        }
        let [Some(time), Some(data), data2] = cells else {
            return Err(not_a_feed(format_args!("a column `time` or `data` is missing")));
        };
        // Wider times would be no moments, and overflow what is computed of them.
        if time.kind != ColumnType::Int {
            return Err(Error::new(
                Status::UnknownColumn,
                format!(
                    "column `time` is {}; INT UNSIGNED and INT are read",
                    time.kind.sql_name(time.unsigned)
                ),
            ));
        }
        if stride < offset || stride > MAX_STRIDE {
            return Err(disagree(format_args!(
                "rows of {stride} bytes for columns of {offset}"
            )));
        }
        let plain = (time.offset, time.kind, time.unsigned) == (1, ColumnType::Int, true)
            && (data.offset, data.kind) == (5, ColumnType::Float);
        Ok(Layout { stride, fixed_bits: free_bits | LIVE, time, data, data2, plain })
    }

    /// Bytes per row.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Bytes per row without padding.
    pub(super) fn record_length(&self) -> usize {
        self.cells().map(|cell| cell.offset + cell.kind.width()).max().unwrap_or(1)
    }

    /// The bits of the flag byte that say that a column is NULL.
    pub(super) fn null_bits(&self) -> u8 {
        self.cells().fold(0, |bits, cell| bits | cell.null_bit)
    }

    /// Calls `each` with the NULL bit and the place of every column, in the
    /// order of their bytes.
    pub(super) fn each_column(&self, mut each: impl FnMut(u8, Range<usize>)) {
        let mut from = 1;
        for _ in self.cells() {
            if let Some(cell) = self.cells().find(|cell| cell.offset == from) {
                from += cell.kind.width();
                each(cell.null_bit, cell.offset..from);
            }
        }
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        [Some(&self.time), Some(&self.data), self.data2.as_ref()].into_iter().flatten()
    }

    /// Whether there is a column `data2`.
    pub fn is_histogram(&self) -> bool {
        self.data2.is_some()
    }

    /// Whether the values of `data` are float32.
    pub fn is_single(&self) -> bool {
        self.data.kind == ColumnType::Float
    }

    /// Whether the values of `data2` are float32.
    pub fn is_data2_single(&self) -> bool {
        self.data2.is_some_and(|cell| cell.kind == ColumnType::Float)
    }

    /// The SQL type of `data`.
    pub fn value_type(&self) -> &'static str {
        self.data.kind.sql_name(self.data.unsigned)
    }

    /// Whether rows begin with the nine bytes flag, u32 time, f32 value.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// The flag byte of a live row without NULLs.
    pub(super) fn full_flag(&self) -> u8 {
        self.fixed_bits
    }

    /// Whether a row may begin with this byte: a live row's fixed bits are all
    /// 1, a deleted row's byte is 0.
    pub fn flag_is_valid(&self, flag: u8) -> bool {
        flag == DELETED || flag & self.fixed_bits == self.fixed_bits
    }

    /// Whether a slot is that of a deleted row.
    pub fn is_deleted(&self, slot: &[u8]) -> bool {
        slot[0] & LIVE == 0
    }

    /// How many columns may be NULL.
    pub fn nullable_columns(&self) -> usize {
        self.cells().filter(|cell| cell.null_bit != 0).count()
    }

    /// Whether every column of a live row is NULL.
    pub fn is_null(&self, row: &[u8]) -> bool {
        self.cells().all(|cell| row[0] & cell.null_bit != 0)
    }

    /// The row in `bytes`, which must be one stride long; `None` if it is
    /// deleted or has no time.
    #[inline(always)]
    pub fn row(&self, bytes: &[u8]) -> Option<Row> {
        let flag = bytes[0];
        if flag & LIVE == 0 || flag & self.time.null_bit != 0 {
            return None;
        }
        if self.plain {
            let bytes = bytes.first_chunk().expect("a row is one stride long");
            return Some(self.plain_row(bytes));
        }
        Some(Row { time: self.time.integer(bytes), value: self.data.number(bytes) })
    }

    #[inline(always)]
    fn plain_row(&self, &[flag, t0, t1, t2, t3, v0, v1, v2, v3]: &[u8; PLAIN]) -> Row {
        let value = f32::from_le_bytes([v0, v1, v2, v3]);
        Row {
            time: i64::from(u32::from_le_bytes([t0, t1, t2, t3])),
            value: if flag & self.data.null_bit == 0 {
                f64::from(value)
            } else {
                f64::NAN
            },
        }
    }

    /// The value of `data2` in a live row; NaN if there is none.
    pub fn data2(&self, bytes: &[u8]) -> f64 {
        self.data2.map_or(f64::NAN, |cell| cell.number(bytes))
    }

    /// Calls `each` with the index and the row of every slot of `chunk`
    /// (whole rows), `None` for slots that do not count. Stops at a flag byte
    /// that cannot be.
    #[inline(always)]
    pub fn for_each(
        &self,
        chunk: &[u8],
        mut each: impl FnMut(usize, Option<Row>),
    ) -> Result<(), BadFlag> {
        if self.plain && self.stride == PLAIN {
            for (index, bytes) in chunk.chunks_exact(PLAIN).enumerate() {
                let bytes: &[u8; PLAIN] = bytes.try_into().expect("chunks of nine");
                let flag = bytes[0];
                if flag & self.fixed_bits != self.fixed_bits && flag != DELETED {
                    return Err(BadFlag { index, flag });
                }
                let counts = flag != DELETED && flag & self.time.null_bit == 0;
                each(index, counts.then(|| self.plain_row(bytes)));
            }
            return Ok(());
        }
        for (index, bytes) in chunk.chunks_exact(self.stride).enumerate() {
            if !self.flag_is_valid(bytes[0]) {
                return Err(BadFlag { index, flag: bytes[0] });
            }
            each(index, self.row(bytes));
        }
        Ok(())
    }
}

impl Cell {
    fn integer(&self, row: &[u8]) -> i64 {
        let mut wide = [0; 8];
        let width = self.kind.width();
        wide[..width].copy_from_slice(&row[self.offset..self.offset + width]);
        let unsigned = i64::from_le_bytes(wide);
        if self.unsigned || width == 8 {
            return unsigned;
        }
        let shift = 64 - 8 * width as u32;
        unsigned << shift >> shift
    }

    /// NaN for NULL. A BIGINT beyond 2^53 becomes the nearest double.
    fn number(&self, row: &[u8]) -> f64 {
        if row[0] & self.null_bit != 0 {
            return f64::NAN;
        }
        let bytes = &row[self.offset..self.offset + self.kind.width()];
        match (self.kind, bytes) {
            (ColumnType::Float, &[a, b, c, d]) => {
                f64::from(f32::from_le_bytes([a, b, c, d]))
            }
            (ColumnType::Double, &[a, b, c, d, e, f, g, h]) => {
                f64::from_le_bytes([a, b, c, d, e, f, g, h])
            }
            (ColumnType::Big, _) if self.unsigned => self.integer(row) as u64 as f64,
            _ => self.integer(row) as f64,
        }
    }
}

/// Which of the columns of a feed this is.
fn slot_of(column: &Column) -> Result<usize> {
    ["time", "data", "data2"]
        .iter()
        .position(|name| column.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| not_a_feed(format_args!("it has a column `{}`", column.name)))
}

fn disagree(what: std::fmt::Arguments) -> Error {
    Error::new(
        Status::Damaged,
        format!("the table's definition and its index file disagree: {what}"),
    )
}

fn not_a_feed(why: std::fmt::Arguments) -> Error {
    Error::new(
        Status::NotAFeed,
        format!(
            "the table is not a feed: {why} (a feed has `time`, `data`, and maybe `data2`)"
        ),
    )
}
