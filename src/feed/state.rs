//! What a table's files say at one moment, and what two moments say of each
//! other.

use super::files::Identity;
use crate::error::{Error, Result, Status};
use crate::myisam::{Header, Layout};
use std::cmp::Ordering;
use std::fs::Metadata;
use std::hash::Hash;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{self, fence};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::Xxh3;

/// Seconds and nanoseconds since 1970.
type FileTime = (i64, i64);

/// How long after `time` another write may get the same time: file times are
/// taken from the kernel's ticks, of which these are two of the slowest. Some
/// file systems keep whole seconds, or even ones.
fn ticks((_, nanos): FileTime) -> Duration {
    if nanos == 0 { Duration::from_secs(2) } else { Duration::from_millis(20) }
}

/// No statement waits for so long between two of the rows it writes.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Whether a statement is at work on rows that were committed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    None,
    /// One may have begun within the tick in which the last one ended: that
    /// shows when the tick has passed, after this time.
    Unclear(Duration),
    /// To all appearance.
    Going,
}

/// Keeps what was read before a look at the files, and after it, where it belongs.
///
/// A look is by system calls, rows are read from a mapping. The server writes rows
/// before the header that counts them, each under the kernel's lock of the file, so
/// that every processor sees them in this order if it reads them in this order:
/// header, rows, header. Of a processor with weak memory order no one promises that
/// a system call keeps loads from before it apart from those after it.
pub(super) fn order_reads() {
    fence(atomic::Ordering::Acquire);
}

/// When a file was last written, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    id: Identity,
    size: u64,
    modified: FileTime,
    changed: FileTime,
}

/// The numbers of a [`Stamp`]; device and inode come first.
pub(super) const STAMP_WORDS: usize = 7;

impl Stamp {
    pub(super) fn words(&self) -> [u64; STAMP_WORDS] {
        let (device, inode) = self.id.numbers();
        let time = |part: i64| part as u64;
        let (modified, changed) = (self.modified, self.changed);
        [
            device,
            inode,
            self.size,
            time(modified.0),
            time(modified.1),
            time(changed.0),
            time(changed.1),
        ]
    }

    pub(super) fn of(meta: &Metadata) -> Stamp {
        Stamp {
            id: Identity::of(meta),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether the file was last written or changed long enough before `now`
    /// for its times to show every later change.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        age(self.changed, now).is_some_and(|age| age > ticks(self.changed))
    }
}

/// How long before `now` a file time was; `None` if it is after it.
fn age((seconds, nanos): FileTime, now: SystemTime) -> Option<Duration> {
    let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
    now.duration_since(UNIX_EPOCH + since).ok()
}

/// What a table's files say at one moment: while two states are equal and
/// [`State::is_settled`], the committed rows are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    data: Stamp,
    /// The head of the `.MYI` and when that was written.
    index: Option<(Header, Stamp)>,
    /// Row slots that are committed.
    pub slots: u64,
    /// How the rows are read; `None` for a bare file, whose rows tell.
    pub layout: Option<Layout>,
}

impl State {
    pub(super) fn new(
        data: Stamp,
        index: Option<(Header, Stamp)>,
        layout: Option<Layout>,
    ) -> Result<State> {
        let slots = match &index {
            Some((header, _)) if header.data_file_length > data.size => {
                return Err(Error::new(
                    Status::Damaged,
                    format!(
                        "the index vouches for {} bytes of rows but the file has {}: rows were \
                         lost; save a copy, then REPAIR TABLE",
                        header.data_file_length, data.size
                    ),
                ));
            }
            Some((header, _)) => header.slots(),
            None => {
                data.size / layout.as_ref().map_or(9, |layout| layout.stride() as u64)
            }
        };
        order_reads();
        Ok(State { data, index, slots, layout })
    }

    /// The head of the `.MYI`; `None` without one.
    pub fn header(&self) -> Option<&Header> {
        self.index.as_ref().map(|(header, _)| header)
    }

    pub(super) fn data_stamp(&self) -> &Stamp {
        &self.data
    }

    pub(super) fn index_stamp(&self) -> Option<&(Header, Stamp)> {
        self.index.as_ref()
    }

    /// Whether nothing was written to the rows for so long before `now`.
    pub(super) fn is_at_rest_for(&self, time: Duration, now: SystemTime) -> bool {
        age(self.data.modified, now).is_some_and(|age| age > time)
    }

    /// Bytes of the `.MYI`; 0 without one. With `DELAY_KEY_WRITE` its file is
    /// shorter than its header says, as long as the table is open; after a
    /// crash it may be longer. What is more is what the disk has to hold.
    pub fn index_bytes(&self) -> u64 {
        self.index
            .as_ref()
            .map_or(0, |(header, stamp)| stamp.size.max(header.key_file_length))
    }

    /// Bytes behind the last whole row of a file without index: of a row that is
    /// being written, or was not written to its end.
    pub fn torn_bytes(&self) -> u64 {
        let stride = self.layout.as_ref().map_or(9, |layout| layout.stride() as u64);
        if self.index.is_some() { 0 } else { self.data.size - self.slots * stride }
    }

    /// Whether the rows were last written long enough before `now` for file
    /// times to show every later write.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        self.data.is_settled(now)
    }

    /// All of it as one number, for programs that run again: see
    /// [`Feed::fingerprint`](super::Feed::fingerprint).
    pub(super) fn digest(&self) -> u128 {
        let mut hash = Xxh3::new();
        self.hash(&mut hash);
        hash.digest128()
    }

    /// Whether a statement is rewriting committed rows at this moment: rows
    /// were written after the header was, which the end of every statement
    /// writes, and none are being appended. Until that end a reader sees some
    /// rows as they were and some as they will be.
    ///
    /// A table's first statement writes to the header before its first row,
    /// which shows in the header. Within one tick it cannot be told which was
    /// written last, so that is waited out. A file whose times were set by
    /// hand, or whose server died in the statement, is at rest: nothing is
    /// written to it for a while. That may be short where the header says that
    /// no server has the table open.
    pub fn is_being_rewritten(&self, now: SystemTime) -> bool {
        self.work(now) != Work::None
    }

    pub(super) fn work(&self, now: SystemTime) -> Work {
        const AT_REST: Duration = Duration::from_secs(2);
        let Some((header, index)) = &self.index else { return Work::None };
        let pause = if header.is_open() { LONGEST_PAUSE } else { AT_REST };
        let tick = ticks(self.data.modified);
        let (work, until) = match self.data.modified.cmp(&index.modified) {
            _ if header.is_marked() => (Work::Going, pause),
            Ordering::Less => return Work::None,
            Ordering::Equal => (Work::Unclear(tick), tick),
            Ordering::Greater => (Work::Going, pause),
        };
        let is_recent = age(self.data.modified, now).is_some_and(|age| age < until);
        if is_recent && self.data.size == header.data_file_length {
            work
        } else {
            Work::None
        }
    }

    /// Whether the slots of `self` may all be there still, `later`.
    pub(super) fn may_precede(&self, later: &State) -> bool {
        let (Some(a), Some(b)) = (self.header(), later.header()) else { return false };
        self.data.id == later.data.id
            && (a.create_time, a.stride) == (b.create_time, b.stride)
            && self.slots <= later.slots
    }

    /// Whether, to all appearance, rows were only appended between `self` and
    /// `later`: by statements that ended (each counted, and as many rows or
    /// more), or by one that goes on. The counters cannot tell a bulk insert
    /// that went with as many updates from single inserts.
    pub fn only_grew(&self, later: &State) -> bool {
        let (Some(a), Some(b)) = (self.header(), later.header()) else { return false };
        if self.data.id != later.data.id
            || a.create_time != b.create_time
            || a.stride != b.stride
            || a.deleted != b.deleted
        {
            return false;
        }
        let statements = b.update_count.wrapping_sub(a.update_count);
        match b.split.checked_sub(a.split) {
            Some(0) => statements == 0 && self.data.size < later.data.size,
            Some(rows) => (1..=rows).contains(&u64::from(statements)),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread;

    /// Statement after statement: a row is overwritten, then its header written.
    /// Fails under Miri without [`order_reads`] (`make soak`).
    #[test]
    fn a_header_that_is_the_same_before_and_after_vouches_for_the_rows_between() {
        const STATEMENTS: u32 = 20;
        let (header, row) = (AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for statement in 1..STATEMENTS {
                    // As the kernel's locks do it, both ways.
                    fence(atomic::Ordering::AcqRel);
                    row.store(statement, Relaxed);
                    fence(atomic::Ordering::AcqRel);
                    header.store(statement, Relaxed);
                }
            });
            for _ in 0..STATEMENTS {
                let before = header.load(Relaxed);
                order_reads();
                let read = row.load(Relaxed);
                order_reads();
                let after = header.load(Relaxed);
                // A statement that has not ended shows by the file's times.
                assert!(before <= read && read <= after + 1, "{before} {read} {after}");
            }
        });
    }

    #[test]
    fn times_of_whole_seconds_settle_late() {
        let stamp = |changed| {
            let meta = std::fs::metadata(".").unwrap();
            Stamp { changed, ..Stamp::of(&meta) }
        };
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        // Such a time is that of all writes in a second, or in two.
        assert!(!stamp((100, 0)).is_settled(at(101_900)));
        assert!(stamp((100, 0)).is_settled(at(102_100)));
        assert!(!stamp((100, 4_000_000)).is_settled(at(100_010)));
        assert!(stamp((100, 4_000_000)).is_settled(at(100_030)));
    }
}
