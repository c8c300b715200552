//! The shapes a feed's table can have.

/// What the values of a column are drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Float,
    Double,
    /// Whole numbers from the first to the second.
    Whole(i128, i128),
}

/// A table that is a feed.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Name of its folder below `tests/fixtures`.
    pub name: &'static str,
    /// What stands between the parentheses of CREATE TABLE.
    pub columns: &'static str,
    /// What stands behind them.
    pub options: &'static str,
    /// Bytes per row, as MySQL chooses them.
    pub stride: u32,
    /// SQL type of the column `data`.
    pub value_type: &'static str,
    pub kind: Kind,
    pub time_nullable: bool,
    pub data_nullable: bool,
    /// Whether two rows can have the same time.
    pub unique: bool,
    pub signed_time: bool,
    /// The column `data2`, and whether it can be NULL.
    pub data2: Option<(Kind, bool)>,
}

impl Shape {
    /// The statement that makes the table.
    pub fn create(&self, table: &str) -> String {
        format!("CREATE TABLE {table} ({}) ENGINE=MyISAM {}", self.columns, self.options)
    }

    /// The names of the value columns.
    pub fn columns(&self) -> &'static str {
        if self.data2.is_some() { "time,data,data2" } else { "time,data" }
    }
}

const PLAIN: Shape = Shape {
    name: "plain",
    columns: "time INT UNSIGNED, data FLOAT, INDEX(time)",
    options: "",
    stride: 9,
    value_type: "FLOAT",
    kind: Kind::Float,
    time_nullable: true,
    data_nullable: true,
    unique: false,
    signed_time: false,
    data2: None,
};

const fn whole(
    name: &'static str,
    columns: &'static str,
    stride: u32,
    value_type: &'static str,
    range: (i128, i128),
) -> Shape {
    let kind = Kind::Whole(range.0, range.1);
    Shape { name, columns, stride, value_type, kind, ..PLAIN }
}

/// Every shape.
pub const SHAPES: &[Shape] = &[
    PLAIN,
    Shape {
        name: "not_null",
        columns: "time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, INDEX(time)",
        time_nullable: false,
        data_nullable: false,
        ..PLAIN
    },
    Shape {
        name: "data_null",
        columns: "time INT UNSIGNED NOT NULL, data FLOAT, INDEX(time)",
        time_nullable: false,
        ..PLAIN
    },
    Shape {
        name: "time_null",
        columns: "time INT UNSIGNED, data FLOAT NOT NULL, INDEX(time)",
        data_nullable: false,
        ..PLAIN
    },
    Shape {
        name: "double",
        columns: "time INT UNSIGNED, data DOUBLE, INDEX(time)",
        stride: 13,
        value_type: "DOUBLE",
        kind: Kind::Double,
        ..PLAIN
    },
    Shape {
        name: "double_not_null",
        columns: "time INT UNSIGNED NOT NULL, data DOUBLE NOT NULL, INDEX(time)",
        stride: 13,
        value_type: "DOUBLE",
        kind: Kind::Double,
        time_nullable: false,
        data_nullable: false,
        ..PLAIN
    },
    whole(
        "tinyint",
        "time INT UNSIGNED, data TINYINT, INDEX(time)",
        7,
        "TINYINT",
        (-128, 127),
    ),
    whole(
        "tinyint_unsigned",
        "time INT UNSIGNED, data TINYINT UNSIGNED, INDEX(time)",
        7,
        "TINYINT UNSIGNED",
        (0, 255),
    ),
    whole(
        "smallint",
        "time INT UNSIGNED, data SMALLINT, INDEX(time)",
        7,
        "SMALLINT",
        (-32768, 32767),
    ),
    whole(
        "smallint_unsigned",
        "time INT UNSIGNED, data SMALLINT UNSIGNED, INDEX(time)",
        7,
        "SMALLINT UNSIGNED",
        (0, 65535),
    ),
    whole(
        "mediumint",
        "time INT UNSIGNED, data MEDIUMINT, INDEX(time)",
        8,
        "MEDIUMINT",
        (-8388608, 8388607),
    ),
    whole(
        "mediumint_unsigned",
        "time INT UNSIGNED, data MEDIUMINT UNSIGNED, INDEX(time)",
        8,
        "MEDIUMINT UNSIGNED",
        (0, 16777215),
    ),
    whole(
        "int",
        "time INT UNSIGNED, data INT, INDEX(time)",
        9,
        "INT",
        (-2147483648, 2147483647),
    ),
    whole(
        "int_unsigned",
        "time INT UNSIGNED, data INT UNSIGNED, INDEX(time)",
        9,
        "INT UNSIGNED",
        (0, 4294967295),
    ),
    whole(
        "bigint",
        "time INT UNSIGNED, data BIGINT, INDEX(time)",
        13,
        "BIGINT",
        (i64::MIN as i128, i64::MAX as i128),
    ),
    whole(
        "bigint_unsigned",
        "time INT UNSIGNED, data BIGINT UNSIGNED, INDEX(time)",
        13,
        "BIGINT UNSIGNED",
        (0, u64::MAX as i128),
    ),
    Shape {
        name: "histogram",
        columns: "time INT UNSIGNED, data FLOAT, data2 FLOAT, INDEX(time)",
        stride: 13,
        data2: Some((Kind::Float, true)),
        ..PLAIN
    },
    Shape {
        name: "histogram_not_null",
        columns: "time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, \
                  data2 FLOAT NOT NULL, INDEX(time)",
        stride: 13,
        time_nullable: false,
        data_nullable: false,
        data2: Some((Kind::Float, false)),
        ..PLAIN
    },
    Shape {
        name: "histogram_double",
        columns: "time INT UNSIGNED NOT NULL, data DOUBLE, data2 DOUBLE, INDEX(time)",
        stride: 21,
        value_type: "DOUBLE",
        kind: Kind::Double,
        time_nullable: false,
        data2: Some((Kind::Double, true)),
        ..PLAIN
    },
    Shape {
        name: "histogram_mixed",
        columns: "data2 SMALLINT, time INT UNSIGNED NOT NULL, data DOUBLE, INDEX(time)",
        stride: 15,
        value_type: "DOUBLE",
        kind: Kind::Double,
        time_nullable: false,
        data2: Some((Kind::Whole(-32768, 32767), true)),
        ..PLAIN
    },
    Shape { name: "checksum", options: "CHECKSUM=1", stride: 10, ..PLAIN },
    Shape {
        name: "checksum_not_null",
        columns: "time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, INDEX(time)",
        options: "CHECKSUM=1",
        stride: 10,
        time_nullable: false,
        data_nullable: false,
        ..PLAIN
    },
    Shape {
        name: "checksum_histogram",
        columns: "time INT UNSIGNED, data FLOAT, data2 FLOAT, INDEX(time)",
        options: "CHECKSUM=1",
        stride: 14,
        data2: Some((Kind::Float, true)),
        ..PLAIN
    },
    Shape {
        name: "checksum_tinyint",
        columns: "time INT UNSIGNED, data TINYINT, INDEX(time)",
        options: "CHECKSUM=1",
        stride: 8,
        value_type: "TINYINT",
        kind: Kind::Whole(-128, 127),
        ..PLAIN
    },
    Shape {
        name: "time_signed",
        columns: "time INT, data FLOAT, INDEX(time)",
        signed_time: true,
        ..PLAIN
    },
    Shape { name: "no_index", columns: "time INT UNSIGNED, data FLOAT", ..PLAIN },
    Shape {
        name: "unique",
        columns: "time INT UNSIGNED, data FLOAT, UNIQUE(time)",
        unique: true,
        ..PLAIN
    },
    Shape {
        name: "primary_key",
        columns: "time INT UNSIGNED NOT NULL PRIMARY KEY, data FLOAT",
        time_nullable: false,
        unique: true,
        ..PLAIN
    },
    Shape {
        name: "two_indexes",
        columns: "time INT UNSIGNED, data FLOAT, INDEX(time), INDEX(data,time)",
        ..PLAIN
    },
    Shape { name: "max_rows", options: "MAX_ROWS=1000", ..PLAIN },
    Shape {
        name: "max_rows_tinyint",
        columns: "time INT UNSIGNED NOT NULL, data TINYINT NOT NULL",
        options: "MAX_ROWS=1000",
        stride: 6,
        value_type: "TINYINT",
        kind: Kind::Whole(-128, 127),
        time_nullable: false,
        data_nullable: false,
        ..PLAIN
    },
    Shape {
        name: "reordered",
        columns: "data FLOAT, time INT UNSIGNED, INDEX(time)",
        ..PLAIN
    },
    Shape { name: "late_keys", options: "DELAY_KEY_WRITE=1", ..PLAIN },
];
