//! A short look at a table that has most likely not been written to: of
//! thousands, most are so on each run.

use super::catalog::{Entry, Token};
use super::folder::Folder;
use super::hash::{blocks_in, hash, tail_of};
use super::options::{FeedName, Recheck};
use crate::feed::{read_header_once, read_up_to};
use rustix::fs::Stat;
use std::ffi::OsStr;

/// What a short look at any feed of a run needs.
#[derive(Clone, Copy)]
pub(super) struct Glance<'p> {
    pub from: &'p Folder,
    pub to: Option<&'p Folder>,
    pub recheck: Recheck,
    pub run: i64,
    /// Whether the run before was cut short, so that even what is committed is
    /// looked at.
    pub suspicious: bool,
}

impl Glance<'_> {
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

    /// Whether neither source nor copy was written to since the catalog took in
    /// what they hold, and nothing of it is due to be compared again. The header
    /// of the index proves that of the source; its last rows are compared in any
    /// case. `false` wherever there is any doubt: a closer look says more.
    pub(super) fn is_as_before(&self, feed: &FeedName, entry: &Entry) -> bool {
        let (Some(token), Some(to)) = (entry.token, self.to) else { return false };
        if self.suspicious
            || self.recheck == Recheck::All
            || (0..blocks_in(entry.rows)).any(|block| self.is_due(entry, block))
        {
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
            && self.has_same_end(name, entry)
            && to.demand_own(name).is_ok_and(|copy| copy.is_some_and(is_whole))
    }

    /// Whether the source's rows are the file they were, and the last of them
    /// the same.
    fn has_same_end(&self, name: &OsStr, entry: &Entry) -> bool {
        let Some(data) = self.from.glimpse(name) else { return false };
        let tail = tail_of(entry.rows);
        let mut rows = vec![0; ((tail.end - tail.start) * entry.stride) as usize];
        let offset = tail.start * entry.stride;
        rustix::fs::fstat(&data).is_ok_and(|stat| {
            (stat.st_dev, stat.st_ino) == entry.identity
                && read_up_to(&data, &mut rows, offset)
                    .is_ok_and(|have| have == rows.len())
                && hash(&rows)[..] == entry.tail[..]
        })
    }

    /// The same of many feeds, by several threads.
    pub(super) fn are_as_before(
        &self,
        feeds: &[(&FeedName, Option<&Entry>)],
        threads: usize,
    ) -> Vec<bool> {
        let look = |part: &[(&FeedName, Option<&Entry>)]| -> Vec<bool> {
            part.iter()
                .map(|(feed, entry)| {
                    entry.is_some_and(|entry| self.is_as_before(feed, entry))
                })
                .collect()
        };
        let each = feeds.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let mut parts = feeds.chunks(each);
            let first = parts.next();
            let others: Vec<_> =
                parts.map(|part| (part.len(), scope.spawn(move || look(part)))).collect();
            let mut all = first.map_or_else(Vec::new, look);
            for (len, other) in others {
                // A thread that failed has seen nothing.
                all.extend(other.join().unwrap_or_else(|_| vec![false; len]));
            }
            all
        })
    }
}
