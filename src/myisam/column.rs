//! The columns of a table as its definition file names them.

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
        match (self, unsigned) {
            (ColumnType::Tiny, false) => "TINYINT",
            (ColumnType::Tiny, true) => "TINYINT UNSIGNED",
            (ColumnType::Small, false) => "SMALLINT",
            (ColumnType::Small, true) => "SMALLINT UNSIGNED",
            (ColumnType::Medium, false) => "MEDIUMINT",
            (ColumnType::Medium, true) => "MEDIUMINT UNSIGNED",
            (ColumnType::Int, false) => "INT",
            (ColumnType::Int, true) => "INT UNSIGNED",
            (ColumnType::Big, false) => "BIGINT",
            (ColumnType::Big, true) => "BIGINT UNSIGNED",
            (ColumnType::Float, _) => "FLOAT",
            (ColumnType::Double, _) => "DOUBLE",
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
