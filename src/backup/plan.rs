//! What one copy needs: pure decisions from what was seen of both files.

use std::fmt;

/// What is known of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Bytes per row.
    pub stride: u64,
    /// Committed rows.
    pub rows: u64,
}

/// What is known of the place the copy is in or will be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Whether a server keeps tables there: there is a `.MYI` or a `db.opt`.
    pub in_database: bool,
    /// The copy, if there is one.
    pub copy: Option<Held>,
}

/// What is known of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Bytes, a torn row at the end included.
    pub len: u64,
    /// Whether it is the very file that is to be copied.
    pub is_source: bool,
    /// Whether it has other names (hard links), which could lead out of the
    /// directory: writing here would write there.
    pub has_other_names: bool,
    /// How its last rows compare with the source's at the same offsets.
    pub tail: Tail,
    /// How the columns its definition names compare with the source's.
    pub columns: Columns,
}

/// How the last rows of a copy compare with the source's rows at the same
/// offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Byte for byte the same, or there are no rows to compare.
    Equal,
    /// All the same but the value of the copy's very last row, whose time is
    /// the same: emoncms rewrites the last row of a daily feed all day long.
    LastValue,
    /// They differ, first in the row that begins at this offset.
    Differs {
        /// Where that row begins.
        offset: u64,
    },
    /// They are the same up to a row from which on, or from within which on,
    /// the copy is zeros to its end, and the source is not. A power cut leaves
    /// that of rows that were not on the disk yet.
    Zeros {
        /// Where that row begins.
        offset: u64,
    },
}

/// How the table definition beside the copy compares with the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// The same columns, as far as both have a definition.
    Same,
    /// Other columns, or rows of another length.
    Other,
}

/// What is to be done. [`super::copy()`] carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The copy holds every row of the source.
    Unchanged,
    /// There is no copy yet.
    Create {
        /// Rows to copy.
        rows: u64,
    },
    /// The copy holds the first rows of the source.
    Append {
        /// Bytes of torn rows to cut off first.
        torn: u64,
        /// Row to begin with, which is how many good rows the copy holds.
        from: u64,
        /// Rows to append; 0 if all there is to do is to cut off a torn one.
        rows: u64,
    },
    /// The same, but the copy's last row has another value now.
    Patch {
        /// Bytes of a torn row to cut off first.
        torn: u64,
        /// The row to rewrite: the last whole one of the copy.
        row: u64,
        /// Rows to append behind it.
        rows: u64,
    },
    /// The copy is not the beginning of the source: the source is copied
    /// whole, and the old copy kept under a dated name.
    NewGeneration {
        /// Why.
        reason: Reason,
        /// Rows to copy.
        rows: u64,
    },
    /// Nothing is written.
    Refuse {
        /// Why.
        because: Refusal,
    },
}

/// Why a place cannot take a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Source and copy are one file.
    SameFile,
    /// It belongs to a database server.
    Database,
    /// The copy has other names (hard links).
    OtherNames,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::SameFile => "source and destination are the same file",
            Refusal::Database => {
                "this is a table of a database server (there is a .MYI or a db.opt beside), not \
                 a copy: are source and destination exchanged?"
            }
            Refusal::OtherNames => {
                "this file has other names (hard links), so that writing to it could change \
                 another file: give the copy a file of its own"
            }
        })
    }
}

/// Why a copy cannot be carried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The source has no rows any more.
    Emptied {
        /// Rows in the copy.
        copy: u64,
    },
    /// The source has fewer rows than the copy.
    Shrank {
        /// Rows in the copy.
        copy: u64,
        /// Rows in the source.
        source: u64,
    },
    /// Rows that were copied before are others now.
    Rewritten {
        /// Where the first one of them begins.
        offset: u64,
    },
    /// The table has other columns than the copy.
    Columns,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Emptied { copy } => {
                write!(f, "the source was emptied, the copy had {copy} rows")
            }
            Reason::Shrank { copy, source } => {
                write!(f, "the source shrank to {source} rows, the copy had {copy}")
            }
            Reason::Rewritten { offset } => {
                write!(f, "rows copied before were changed, the first at byte {offset}")
            }
            Reason::Columns => f.write_str("the table has other columns now"),
        }
    }
}

/// Decides what to do.
pub fn decide(source: Source, destination: &Destination) -> Decision {
    let Source { stride, rows } = source;
    let refuse = |because| Decision::Refuse { because };
    if destination.copy.is_some_and(|copy| copy.is_source) {
        return refuse(Refusal::SameFile);
    }
    if destination.in_database {
        return refuse(Refusal::Database);
    }
    let Some(copy) = destination.copy else {
        return Decision::Create { rows };
    };
    if copy.has_other_names {
        return refuse(Refusal::OtherNames);
    }
    let (from, torn) = (copy.len / stride, copy.len % stride);
    let new_generation = |reason| Decision::NewGeneration { reason, rows };
    if copy.columns == Columns::Other && copy.len > 0 {
        return new_generation(Reason::Columns);
    }
    if from > rows {
        return new_generation(match rows {
            0 => Reason::Emptied { copy: from },
            _ => Reason::Shrank { copy: from, source: rows },
        });
    }
    match copy.tail {
        Tail::Differs { offset } => new_generation(Reason::Rewritten { offset }),
        Tail::Zeros { offset } => {
            let from = offset / stride;
            Decision::Append { torn: copy.len - offset, from, rows: rows - from }
        }
        Tail::LastValue => Decision::Patch { torn, row: from - 1, rows: rows - from },
        Tail::Equal if rows == from && torn == 0 => Decision::Unchanged,
        Tail::Equal => Decision::Append { torn, from, rows: rows - from },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held {
        len: 45,
        is_source: false,
        has_other_names: false,
        tail: Tail::Equal,
        columns: Columns::Same,
    };

    /// What is decided for a source of so many rows of nine bytes.
    fn given(rows: u64, copy: Held) -> Decision {
        let destination = Destination { in_database: false, copy: Some(copy) };
        decide(Source { stride: 9, rows }, &destination)
    }

    fn held(len: u64, tail: Tail) -> Held {
        Held { len, tail, ..HELD }
    }

    #[test]
    fn no_copy_is_created_even_of_an_empty_source() {
        for rows in [0, 5] {
            let source = Source { stride: 9, rows };
            assert_eq!(
                decide(source, &Destination::default()),
                Decision::Create { rows }
            );
        }
    }

    #[test]
    fn equal_rows_are_left_alone() {
        assert_eq!(given(5, held(45, Tail::Equal)), Decision::Unchanged);
        assert_eq!(given(0, held(0, Tail::Equal)), Decision::Unchanged);
    }

    #[test]
    fn new_rows_are_appended_behind_the_whole_rows() {
        let append = |from, rows| Decision::Append { torn: 0, from, rows };
        assert_eq!(given(8, held(45, Tail::Equal)), append(5, 3));
        assert_eq!(given(8, held(0, Tail::Equal)), append(0, 8));
    }

    #[test]
    fn a_torn_row_is_cut_off_only_if_the_rows_before_it_are_equal() {
        let append = |from, rows| Decision::Append { torn: 4, from, rows };
        assert_eq!(given(5, held(49, Tail::Equal)), append(5, 0));
        assert_eq!(given(6, held(49, Tail::Equal)), append(5, 1));
        assert_eq!(given(6, held(4, Tail::Equal)), append(0, 6));
        let reason = Reason::Rewritten { offset: 36 };
        let anew = Decision::NewGeneration { reason, rows: 6 };
        assert_eq!(given(6, held(49, Tail::Differs { offset: 36 })), anew);
    }

    #[test]
    fn zeros_at_the_end_are_cut_off_and_their_rows_appended_again() {
        let zeros = Tail::Zeros { offset: 27 };
        let append = |torn, rows| Decision::Append { torn, from: 3, rows };
        assert_eq!(given(5, held(45, zeros)), append(18, 2));
        assert_eq!(given(8, held(49, zeros)), append(22, 5));
        let shrank = Reason::Shrank { copy: 5, source: 4 };
        let anew = Decision::NewGeneration { reason: shrank, rows: 4 };
        assert_eq!(given(4, held(45, zeros)), anew);
    }

    #[test]
    fn a_new_value_in_the_last_row_is_a_patch() {
        let patch = |torn, rows| Decision::Patch { torn, row: 4, rows };
        assert_eq!(given(5, held(45, Tail::LastValue)), patch(0, 0));
        assert_eq!(given(7, held(47, Tail::LastValue)), patch(2, 2));
    }

    #[test]
    fn fewer_rows_never_shorten_the_copy() {
        // Whatever the comparison of the rows said.
        for tail in [Tail::Equal, Tail::LastValue, Tail::Differs { offset: 0 }] {
            let reason = Reason::Shrank { copy: 5, source: 4 };
            let shrank = Decision::NewGeneration { reason, rows: 4 };
            assert_eq!(given(4, held(45, tail)), shrank);
            let reason = Reason::Emptied { copy: 5 };
            let emptied = Decision::NewGeneration { reason, rows: 0 };
            assert_eq!(given(0, held(45, tail)), emptied);
        }
    }

    #[test]
    fn other_columns_begin_a_new_generation_unless_the_copy_is_empty() {
        let other = Held { columns: Columns::Other, ..HELD };
        let anew = Decision::NewGeneration { reason: Reason::Columns, rows: 5 };
        assert_eq!(given(5, other), anew);
        let append = Decision::Append { torn: 0, from: 0, rows: 5 };
        assert_eq!(given(5, Held { len: 0, ..other }), append);
    }

    #[test]
    fn what_is_no_copy_is_refused_whatever_its_rows() {
        let refuse = |because| Decision::Refuse { because };
        for rows in [0, 5, 9] {
            let source = Source { stride: 9, rows };
            let same = Held { is_source: true, has_other_names: true, ..HELD };
            for in_database in [true, false] {
                let destination = Destination { in_database, copy: Some(same) };
                assert_eq!(decide(source, &destination), refuse(Refusal::SameFile));
            }
            for copy in [None, Some(HELD)] {
                let destination = Destination { in_database: true, copy };
                assert_eq!(decide(source, &destination), refuse(Refusal::Database));
            }
            let linked = Held { has_other_names: true, ..HELD };
            assert_eq!(given(rows, linked), refuse(Refusal::OtherNames));
        }
    }
}
