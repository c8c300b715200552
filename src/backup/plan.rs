//! What one copy needs: pure decisions from what was seen of both files.

use crate::error::Error;
use std::fmt;

/// What is known of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Bytes per row.
    pub stride: u64,
    /// Committed rows.
    pub rows: u64,
}

/// What is known of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Bytes, a torn row at the end included.
    pub len: u64,
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
}

/// How the table definition beside the copy compares with the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// The same columns, as far as both have a definition.
    Same,
    /// Other columns, or rows of another length.
    Other,
}

/// What is to be done. [`super::copy`] carries it out.
#[derive(Debug)]
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
        /// Bytes of a torn row to cut off first.
        torn: u64,
        /// Row to begin with, which is how many whole rows the copy holds.
        from: u64,
        /// Rows to append; 0 if all there is to do is to cut off a torn row.
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
    Refuse(Error),
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

/// Decides what to do, given the source (or why it cannot be copied) and the
/// copy, if there is one.
pub fn decide(source: Result<Source, Error>, copy: Option<Held>) -> Decision {
    let Source { stride, rows } = match source {
        Ok(source) => source,
        Err(error) => return Decision::Refuse(error),
    };
    let Some(copy) = copy else {
        return Decision::Create { rows };
    };
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
        Tail::LastValue => Decision::Patch { torn, row: from - 1, rows: rows - from },
        Tail::Equal if rows == from && torn == 0 => Decision::Unchanged,
        Tail::Equal => Decision::Append { torn, from, rows: rows - from },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn source(rows: u64) -> Result<Source, Error> {
        Ok(Source { stride: 9, rows })
    }

    fn held(len: u64, tail: Tail) -> Option<Held> {
        Some(Held { len, tail, columns: Columns::Same })
    }

    #[track_caller]
    fn expect(decision: Decision, expected: &str) {
        assert_eq!(format!("{decision:?}"), expected);
    }

    #[test]
    fn no_copy_is_created_even_of_an_empty_source() {
        expect(decide(source(5), None), "Create { rows: 5 }");
        expect(decide(source(0), None), "Create { rows: 0 }");
    }

    #[test]
    fn equal_rows_are_left_alone() {
        expect(decide(source(5), held(45, Tail::Equal)), "Unchanged");
        expect(decide(source(0), held(0, Tail::Equal)), "Unchanged");
    }

    #[test]
    fn new_rows_are_appended_behind_the_whole_rows() {
        let appended = decide(source(8), held(45, Tail::Equal));
        expect(appended, "Append { torn: 0, from: 5, rows: 3 }");
        let onto_nothing = decide(source(8), held(0, Tail::Equal));
        expect(onto_nothing, "Append { torn: 0, from: 0, rows: 8 }");
    }

    #[test]
    fn a_torn_row_is_cut_off_only_if_the_rows_before_it_are_equal() {
        expect(decide(source(5), held(49, Tail::Equal)), "Append { torn: 4, from: 5, rows: 0 }");
        expect(decide(source(6), held(49, Tail::Equal)), "Append { torn: 4, from: 5, rows: 1 }");
        expect(decide(source(6), held(4, Tail::Equal)), "Append { torn: 4, from: 0, rows: 6 }");
        let differs = decide(source(6), held(49, Tail::Differs { offset: 36 }));
        expect(differs, "NewGeneration { reason: Rewritten { offset: 36 }, rows: 6 }");
    }

    #[test]
    fn a_new_value_in_the_last_row_is_a_patch() {
        let alone = decide(source(5), held(45, Tail::LastValue));
        expect(alone, "Patch { torn: 0, row: 4, rows: 0 }");
        let more = decide(source(7), held(47, Tail::LastValue));
        expect(more, "Patch { torn: 2, row: 4, rows: 2 }");
    }

    #[test]
    fn fewer_rows_never_shorten_the_copy() {
        // Whatever the comparison of the rows said.
        for tail in [Tail::Equal, Tail::LastValue, Tail::Differs { offset: 0 }] {
            let shrank = decide(source(4), held(45, tail));
            expect(shrank, "NewGeneration { reason: Shrank { copy: 5, source: 4 }, rows: 4 }");
            let emptied = decide(source(0), held(45, tail));
            expect(emptied, "NewGeneration { reason: Emptied { copy: 5 }, rows: 0 }");
        }
    }

    #[test]
    fn other_columns_begin_a_new_generation_unless_the_copy_is_empty() {
        let other = |len| Some(Held { len, tail: Tail::Equal, columns: Columns::Other });
        expect(decide(source(5), other(45)), "NewGeneration { reason: Columns, rows: 5 }");
        expect(decide(source(5), other(0)), "Append { torn: 0, from: 0, rows: 5 }");
    }

    #[test]
    fn a_source_that_cannot_be_read_is_refused_whatever_the_copy() {
        for copy in [None, held(45, Tail::Equal), held(45, Tail::Differs { offset: 0 })] {
            let error = Error::new(Status::Crashed, "repair it");
            match decide(Err(error), copy) {
                Decision::Refuse(error) => assert_eq!(error.status(), Status::Crashed),
                other => panic!("{other:?}"),
            }
        }
    }
}
