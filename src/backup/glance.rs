//! A short look at a table that has most likely not been written to: of
//! thousands, most are so on each run.

use super::catalog::{Entry, Token};
use super::folder::Folder;
use super::hash::{Hash, blocks_in, hash, rows_of, tail_of};
use super::options::{FeedName, Recheck, RunOptions};
use super::source::MAX_DEFINITION;
use crate::error::Result;
use crate::feed::{read_header_once, read_up_to};
use rustix::fs::Stat;
use std::ffi::OsStr;
use std::io::Read;
use std::ops::Range;

/// Gives the hashes of all blocks of a copy.
pub(super) type Hashes<'p> = dyn Fn(&Entry) -> Result<Vec<Hash>> + Sync + 'p;

/// What a short look at any feed of a run needs.
#[derive(Clone, Copy)]
pub(super) struct Glance<'p> {
    pub from: &'p Folder,
    pub to: Option<&'p Folder>,
    pub recheck: Recheck,
    pub run: i64,
    /// The last run that was cut short; 0 if none was.
    pub cut_short: i64,
}

impl<'p> Glance<'p> {
    pub(super) fn new(
        from: &'p Folder,
        to: Option<&'p Folder>,
        options: &RunOptions,
        run: i64,
        cut_short: i64,
    ) -> Glance<'p> {
        Glance { from, to, recheck: options.recheck, run, cut_short }
    }

    /// Whether this run is the one to compare a block that nothing else calls
    /// to compare. A feed that was left out of runs makes up for them.
    pub(super) fn is_due(&self, entry: &Entry, block: u64) -> bool {
        let Recheck::Share(shares) = self.recheck else { return false };
        let shares = i64::from(shares);
        let slot = (entry.id + block as i64).rem_euclid(shares);
        let missed = self.run - entry.seen;
        // How long ago its turn was.
        (self.run - slot).rem_euclid(shares) < missed
    }

    /// Whether this run is the one to read that block of the copy, too: one in
    /// eight times, for a copy is rarely in memory, and what rots, rots slowly.
    pub(super) fn is_copy_due(&self, entry: &Entry, block: u64) -> bool {
        const TIMES: i64 = 8;
        let Recheck::Share(shares) = self.recheck else { return false };
        let turn = self.run / i64::from(shares) + entry.id + block as i64;
        self.is_due(entry, block) && turn.rem_euclid(TIMES) == 0
    }

    /// Whether a run was cut short since the feed was last seen complete, so that
    /// even what is committed is looked at.
    pub(super) fn is_suspicious(&self, entry: &Entry) -> bool {
        self.cut_short > 0 && entry.seen <= self.cut_short
    }

    /// The blocks that are due of a feed.
    fn due(&self, entry: &Entry) -> Vec<u64> {
        let blocks = 0..blocks_in(entry.rows);
        blocks.filter(|block| self.is_due(entry, *block)).collect()
    }

    /// Whether neither source nor copy was written to since the catalog took in
    /// what they hold. The header of the index proves that of the source; its
    /// last rows are compared in any case, and the blocks that are due. `false`
    /// wherever there is any doubt: a closer look says more.
    pub(super) fn is_as_before(
        &self,
        feed: &FeedName,
        entry: &Entry,
        hashes: &Hashes,
    ) -> bool {
        let (Some(token), Some(to)) = (entry.token, self.to) else { return false };
        if self.is_suspicious(entry) || self.recheck == Recheck::All {
            return false;
        }
        let due = self.due(entry);
        if due.iter().any(|block| self.is_copy_due(entry, *block)) {
            return false;
        }
        let index = format!("{}.MYI", feed.table());
        let Some(index) = self.from.glimpse(OsStr::new(&index)) else { return false };
        // Half written, it would not be what it was.
        let is_same = read_header_once(&index).is_ok_and(|header| {
            header.check().is_ok()
                && Token::of(&header) == token
                && header.data_file_length == entry.len()
                && u64::from(header.stride) == entry.stride
        });
        let name = OsStr::new(feed.file());
        let is_whole = |copy: Stat| copy.st_size.unsigned_abs() == entry.len();
        is_same
            && self.has_same_rows(name, entry, &due, hashes)
            && (due.is_empty() || self.has_same_definition(feed, entry))
            && to.demand_own(name).is_ok_and(|copy| copy.is_some_and(is_whole))
    }

    /// Whether the source's definition is what it was. A statement can change that
    /// alone.
    fn has_same_definition(&self, feed: &FeedName, entry: &Entry) -> bool {
        let name = format!("{}.frm", feed.table());
        let Some(file) = self.from.glimpse(OsStr::new(&name)) else { return false };
        let mut bytes = Vec::new();
        // One that is larger is another one, whatever is in it.
        let mut start = file.take(MAX_DEFINITION + 1);
        start.read_to_end(&mut bytes).is_ok() && Some(hash(&bytes)) == entry.definition
    }

    /// Whether the source's rows are the file they were, and those that are
    /// compared the same.
    fn has_same_rows(
        &self,
        name: &OsStr,
        entry: &Entry,
        due: &[u64],
        hashes: &Hashes,
    ) -> bool {
        let Some(data) = self.from.glimpse(name) else { return false };
        let is_file = rustix::fs::fstat(&data).is_ok_and(|stat| is_file_of(&stat, entry));
        let mut buffer = Vec::new();
        let mut are = |rows: Range<u64>, hashed: &[u8]| {
            buffer.resize(((rows.end - rows.start) * entry.stride) as usize, 0);
            read_up_to(&data, &mut buffer, rows.start * entry.stride)
                .is_ok_and(|have| have == buffer.len() && hash(&buffer)[..] == *hashed)
        };
        if !is_file || !are(tail_of(entry.rows), &entry.tail) {
            return false;
        }
        if due.is_empty() {
            return true;
        }
        // If they cannot be had, a closer look will complain of that.
        let Ok(hashes) = hashes(entry) else { return false };
        due.iter().all(|&block| are(rows_of(block, entry.rows), &hashes[block as usize]))
    }
}

/// Whether it is the file of the rows that it was, to all appearance not written
/// to since.
fn is_file_of(stat: &Stat, entry: &Entry) -> bool {
    (stat.st_dev, stat.st_ino) == entry.identity && changed(stat) == entry.changed
}

/// When a file was changed, in nanoseconds.
pub(super) fn changed(stat: &Stat) -> i64 {
    const NANOS: i128 = 1_000_000_000;
    // The types of the two are others on other hosts.
    (i128::from(stat.st_ctime) * NANOS + i128::from(stat.st_ctime_nsec)) as i64
}
