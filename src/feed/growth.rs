//! What two states of a table's files tell of the rows that both have.
//!
//! Whatever is known of a feed's rows was found by reading all of them. When
//! the table has been written to since, that still holds of the old rows if
//! they were only added to. The file alone does not tell: an `UPDATE` leaves
//! no more trace than a time of modification, and an `INSERT` leaves the same.

use super::state::{STAMP_WORDS, State};
use crate::myisam::Layout;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// What it takes to believe that rows read earlier are still the same after a
/// table was written to. Where that is not there, all rows are read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Nothing is enough.
    Nothing,
    /// The live checksum of a table made with `CHECKSUM=1`, if it went on by
    /// just what the new rows add, together with what [`Evidence::Counters`]
    /// asks for.
    ///
    /// The checksum is a sum, which does not know in which slot a row lies,
    /// of CRC-32, which are weak against equal changes of several rows. So this
    /// misses rows that are deleted and put back with the same contents in
    /// other slots, and about one in 8,000 edits that exchange the values of
    /// two rows or negate two, if the counters happen to fit: after a `FLUSH`
    /// or a bulk insert, under `LOCK TABLES`, or by another connection. An edit
    /// of one value is noticed.
    #[default]
    Checksum,
    /// The counters in the head of the `.MYI`: as many statements as new rows,
    /// or one for all, by the same open table of the same server, and no more
    /// deleted slots than before.
    ///
    /// They do not tell of an edit that a bulk insert makes up for or that is
    /// part of one (`ON DUPLICATE KEY UPDATE`), nor, as each open table counts
    /// its own statements, and anew after a `FLUSH`, of one by another
    /// connection: only for feeds whose rows are never edited.
    Counters,
}

/// Numbers that say which rows were there: while they are the same, and were
/// settled, so are the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token(pub(super) [u64; TOKEN_WORDS]);

pub(super) const TOKEN_WORDS: usize = COUNTERS + 11;
const DATA: usize = 0;
const INDEX: usize = STAMP_WORDS;
const COUNTERS: usize = 2 * STAMP_WORDS;
const LAYOUT: usize = COUNTERS;
const SLOTS: usize = COUNTERS + 1;
const RECORDS: usize = COUNTERS + 2;
const DELETED: usize = COUNTERS + 3;
const CREATE_TIME: usize = COUNTERS + 4;
const PROCESS: usize = COUNTERS + 5;
const UNIQUE: usize = COUNTERS + 6;
const UPDATE_COUNT: usize = COUNTERS + 7;
const CHECKSUM: usize = COUNTERS + 8;
const HAS_CHECKSUM: usize = COUNTERS + 9;
const SKIPS_NULLS: usize = COUNTERS + 10;

/// Rows were added, it seems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Growth {
    /// The new slots.
    pub(super) slots: Range<u64>,
    /// What proves that the others are the same.
    pub(super) proof: Proof,
}

/// What proves that rows are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing need be looked at any more.
    Given,
    /// The checksums of all rows, old and new, must add up to this.
    Checksum {
        sum: u32,
        /// Whether they leave out the bytes of NULL columns.
        skip_nulls: bool,
    },
}

impl Token {
    pub(super) fn of(state: &State, layout: &Layout) -> Token {
        let mut words = [0; TOKEN_WORDS];
        words[DATA..INDEX].copy_from_slice(&state.data_stamp().words());
        // The text names every part of a layout.
        words[LAYOUT] = xxh3_64(format!("{layout:?}").as_bytes());
        words[SLOTS] = state.slots;
        if let Some((header, index)) = state.index_stamp() {
            words[INDEX..COUNTERS].copy_from_slice(&index.words());
            words[RECORDS] = header.records;
            words[DELETED] = header.deleted;
            words[CREATE_TIME] = header.create_time;
            words[PROCESS] = u64::from(header.process);
            words[UNIQUE] = u64::from(header.unique);
            words[UPDATE_COUNT] = u64::from(header.update_count);
            words[CHECKSUM] = u64::from(header.checksum);
            words[HAS_CHECKSUM] = u64::from(header.has_checksum());
            words[SKIPS_NULLS] = u64::from(header.checksum_skips_nulls());
        }
        Token(words)
    }

    /// The checksum of all rows that the server vouches for, if it does.
    pub(super) fn checksum(&self) -> Option<u32> {
        (self.0[HAS_CHECKSUM] != 0).then_some(self.0[CHECKSUM] as u32)
    }

    /// Row slots that were committed.
    pub(super) fn slots(&self) -> u64 {
        self.0[SLOTS]
    }

    /// Whether the rows were added to between this moment and a `later` one,
    /// as far as that can be told before reading the new ones.
    pub(super) fn growth(&self, later: &Token, evidence: Evidence) -> Option<Growth> {
        let slots = self.slots()..later.slots();
        if self == later {
            return Some(Growth { slots, proof: Proof::Given });
        }
        let same = |word: usize| self.0[word] == later.0[word];
        let one_table = [LAYOUT, CREATE_TIME, DELETED, HAS_CHECKSUM, SKIPS_NULLS];
        // Device and inode of both files.
        let one_file = [DATA, DATA + 1, INDEX, INDEX + 1];
        let has_index = later.0[INDEX + 1] != 0;
        if !has_index || !one_table.into_iter().chain(one_file).all(same) {
            return None;
        }
        let grown = |word: usize| later.0[word].checked_sub(self.0[word]);
        let rows = grown(SLOTS)?;
        if grown(RECORDS) != Some(rows) {
            return None;
        }
        let statements =
            (later.0[UPDATE_COUNT] as u32).wrapping_sub(self.0[UPDATE_COUNT] as u32);
        let by_one_writer = same(PROCESS) && same(UNIQUE);
        if evidence == Evidence::Nothing || !by_one_writer {
            return None;
        }
        let only_index = same(CHECKSUM) && statements == 0 && rows == 0;
        if only_index && self.0[DATA..INDEX] == later.0[DATA..INDEX] {
            // Something was noted in the index; the rows were not touched.
            return Some(Growth { slots, proof: Proof::Given });
        }
        let by_inserts = rows > 0 && (u64::from(statements) == rows || statements == 1);
        if !by_inserts {
            return None;
        }
        let proof = match evidence {
            Evidence::Nothing => return None,
            Evidence::Checksum | Evidence::Counters if later.0[HAS_CHECKSUM] != 0 => {
                Proof::Checksum {
                    sum: later.0[CHECKSUM] as u32,
                    skip_nulls: later.0[SKIPS_NULLS] != 0,
                }
            }
            Evidence::Checksum => return None,
            Evidence::Counters => Proof::Given,
        };
        Some(Growth { slots, proof })
    }

    /// Whether a later state may be proved to have grown from this one.
    pub(super) fn can_grow(&self, evidence: Evidence) -> bool {
        match evidence {
            Evidence::Nothing => false,
            Evidence::Checksum => self.0[HAS_CHECKSUM] != 0,
            Evidence::Counters => self.0[INDEX + 1] != 0,
        }
    }
}
