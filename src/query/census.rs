//! How many rows of each kind a feed has.

use super::rows::ranks;
use crate::error::Result;
use crate::feed::{Answer, Feed};

/// How many rows of each kind a feed has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Committed row slots.
    pub slots: u64,
    /// Slots of deleted rows.
    pub deleted: u64,
    /// Rows whose time is NULL.
    pub without_time: u64,
    /// Bytes after the last whole row of a file without an index.
    pub torn_bytes: u64,
    /// Rows that come in the file after a row with a later time.
    pub late: u64,
    /// Rows with a time before the range asked about.
    pub before: u64,
    /// Rows in the range.
    pub within: u64,
    /// Rows with a time after the range.
    pub behind: u64,
    /// Times of the first and the last row in the range.
    pub span: Option<(i64, i64)>,
}

impl Answer for Census {
    fn same(&self, other: &Census) -> bool {
        self == other
    }
}

/// How many rows of each kind there are. Rows with a time are counted by
/// whether they lie in the range `start <= time <= end` (Unix seconds).
///
/// Errors: those of [`Feed::read`].
pub fn census(feed: &Feed, start: i64, end: i64) -> Result<Census> {
    feed.read(|snapshot| {
        let mut cursor = snapshot.cursor();
        let ranks = ranks(&mut cursor, start, end)?;
        let span = match ranks.is_empty() {
            true => None,
            false => {
                Some((cursor.row(ranks.start)?.time, cursor.row(ranks.end - 1)?.time))
            }
        };
        let (deleted, without_time) = snapshot.left_out()?;
        Ok(Census {
            slots: snapshot.state().slots,
            deleted,
            without_time,
            torn_bytes: snapshot.state().torn_bytes(),
            late: snapshot.late(),
            before: ranks.start,
            within: ranks.end - ranks.start,
            behind: cursor.len() - ranks.end,
            span,
        })
    })
}
