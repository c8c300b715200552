//! The columns of a table as its definition file names them.

use std::ffi::CStr;

/// The SQL types a feed's columns can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `TINYINT`, 1 byte.
    Tiny,
    /// `SMALLINT`, 2 bytes.
    Small,
    /// `MEDIUMINT`, 3 bytes.
    Medium,
    /// `INT`, 4 bytes.
    Int,
    /// `BIGINT`, 8 bytes.
    Big,
    /// `FLOAT`, IEEE single precision.
    Float,
    /// `DOUBLE`, IEEE double precision.
    Double,
}

impl ColumnType {
    /// From `enum_field_types`, the numbers of `.frm` and of the protocol.
    pub(super) fn from_field_type(number: u8) -> Option<ColumnType> {
        Some(match number {
            1 => ColumnType::Tiny,
            2 => ColumnType::Small,
            3 => ColumnType::Int,
            4 => ColumnType::Float,
            5 => ColumnType::Double,
            8 => ColumnType::Big,
            9 => ColumnType::Medium,
            _ => return None,
        })
    }

    /// Bytes in a row.
    pub fn width(self) -> usize {
        match self {
            ColumnType::Tiny => 1,
            ColumnType::Small => 2,
            ColumnType::Medium => 3,
            ColumnType::Int | ColumnType::Float => 4,
            ColumnType::Big | ColumnType::Double => 8,
        }
    }

    /// The name SQL gives it.
    pub fn sql_name(self, unsigned: bool) -> &'static str {
        self.c_name(unsigned).to_str().unwrap_or_default()
    }

    /// The names of all of them, as C has text.
    pub fn c_names() -> impl Iterator<Item = &'static CStr> {
        use ColumnType::*;
        let all = [Tiny, Small, Medium, Int, Big, Float, Double].into_iter();
        all.flat_map(|kind| [false, true].map(|unsigned| kind.c_name(unsigned)))
    }

    fn c_name(self, unsigned: bool) -> &'static CStr {
        match (self, unsigned) {
            (ColumnType::Tiny, false) => c"TINYINT",
            (ColumnType::Tiny, true) => c"TINYINT UNSIGNED",
            (ColumnType::Small, false) => c"SMALLINT",
            (ColumnType::Small, true) => c"SMALLINT UNSIGNED",
            (ColumnType::Medium, false) => c"MEDIUMINT",
            (ColumnType::Medium, true) => c"MEDIUMINT UNSIGNED",
            (ColumnType::Int, false) => c"INT",
            (ColumnType::Int, true) => c"INT UNSIGNED",
            (ColumnType::Big, false) => c"BIGINT",
            (ColumnType::Big, true) => c"BIGINT UNSIGNED",
            (ColumnType::Float, _) => c"FLOAT",
            (ColumnType::Double, _) => c"DOUBLE",
        }
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it is `UNSIGNED`.
    pub unsigned: bool,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// What a `.frm` or `.sdi` says of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The columns in the order of their bytes in a row.
    pub columns: Vec<Column>,
    /// Whether the table was made with `CHECKSUM=1`.
    pub checksum: bool,
    /// `MAX_ROWS`, 0 if not given: it decides how long a row pointer is.
    pub max_rows: u64,
}
