//! Finding a feed's files and giving a consistent view of their rows.
//!
//! ```text
//! Feed ── cache ──> Table (files, state) ──> View (mapping, layout, order)
//!   └── read(query) ──> Snapshot ── Cursor ──> rows
//! ```

mod cache;
mod cursor;
mod files;
mod growth;
mod guard;
mod keep;
mod lock;
mod map;
mod merge;
mod order;
mod process;
mod retry;
mod scan;
mod sdi;
mod snapshot;
mod source;
mod state;
mod steady;
mod summary;
mod survey;
mod table;

pub(crate) use cursor::Cursor;
pub(crate) use files::open as open_file;
pub use files::{Identity, Paths};
pub use growth::Evidence;
pub(crate) use lock::{PATIENCE, held_too_long, lock_within};
pub(crate) use retry::Retry;
pub use snapshot::Snapshot;
pub use state::State;
pub use table::Table;
pub(crate) use table::{changed, may_pass, read_header_once, read_up_to};

use crate::error::{Result, Status};
use cache::Entry;
use lock::SharedLock;
use process::Call;
use snapshot::{Verdict, View};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// How the rows are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// A mapping guarded against truncation by a SIGBUS handler.
    #[default]
    Mmap,
    /// `pread`: no signal handler, suits network file systems.
    Pread,
}

/// How to open a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Options {
    /// How the rows are read.
    pub access: Access,
    /// Refuse a symbolic link in the last part of the path.
    pub no_follow: bool,
    /// What it takes to believe that a table which was written to has only
    /// grown.
    pub evidence: Evidence,
    /// A directory for summaries, so that new processes need not make them
    /// again. It is made if it is missing; nobody else may be able to write to
    /// it.
    pub keep: Option<Arc<Path>>,
}

/// A feed, by path. A cache for the whole process, not this object, keeps the
/// files used last open and mapped. Each query checks whether the paths still
/// lead to them.
#[derive(Clone, Debug)]
pub struct Feed {
    paths: Paths,
    options: Options,
}

/// Answers that can be compared, for queries that are asked twice.
pub trait Answer {
    /// Whether the two are the same to the bit.
    fn same(&self, other: &Self) -> bool;
}

impl<T: Answer> Answer for Option<T> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => one.same(other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Feed {
    /// Opens the feed whose rows are in `path` (`…/feed_7.MYD`). Fails if its
    /// files cannot be read as a feed now.
    pub fn open(path: impl AsRef<Path>) -> Result<Feed> {
        Feed::open_with(path, Options::default())
    }

    /// Like [`Feed::open`], with options.
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Feed> {
        let paths = Paths::new(path.as_ref())?;
        options.keep.as_deref().map_or(Ok(()), keep::check)?;
        let _call = Call::begin();
        let mut retry = Retry::new();
        while let Err(e) = cache::table(&paths, &options) {
            if !retry.waits_out(&e, &paths) {
                return Err(retry.given_up(e, &paths));
            }
        }
        Ok(Feed { paths, options })
    }

    /// The path it was opened with.
    pub fn path(&self) -> &Path {
        &self.paths.data
    }

    /// What the files say now, as one number: while the number is the same, so
    /// are the rows. `None` if the files were written to so recently that
    /// another write might not show. Compare it only with a fingerprint from
    /// the same build of this library; another build may give another one for
    /// the same files.
    pub fn fingerprint(&self) -> Result<Option<u128>> {
        let _call = Call::begin();
        let mut retry = Retry::new();
        loop {
            let now = SystemTime::now();
            match cache::table(&self.paths, &self.options).and_then(|e| e.table.state()) {
                Ok(state) => return Ok(state.is_settled(now).then(|| state.digest())),
                Err(error) if retry.waits_out(&error, &self.paths) => {}
                Err(error) => return Err(retry.given_up(error, &self.paths)),
            }
        }
    }

    /// Asks `query` of the rows as they are now. If the rows change while it
    /// reads, asks it again. The answer returned was right for some moment
    /// during this call.
    pub fn read<T: Answer>(
        &self,
        mut query: impl FnMut(&Snapshot) -> Result<T>,
    ) -> Result<T> {
        let _call = Call::begin();
        let mut retry = Retry::new();
        // An answer from rows that a write in progress may have touched.
        let mut doubtful: Option<T> = None;
        loop {
            let error = match self.attempt(&mut query) {
                Ok((answer, Verdict::Same)) => return Ok(answer),
                Ok((answer, Verdict::Unsettled)) => {
                    // Read twice until equal.
                    if doubtful.replace(answer).is_some_and(|earlier| {
                        doubtful.as_ref().is_some_and(|now| now.same(&earlier))
                    }) {
                        return doubtful.ok_or_else(table::changed);
                    }
                    continue;
                }
                Ok((_, Verdict::Changed)) => table::changed().at(self.path()),
                Err(e) => e,
            };
            doubtful = None;
            if error.status() == Status::Changed {
                if let Some(answer) = self.ask_if_busy(&retry, &mut query) {
                    return Ok(answer);
                }
            }
            if !retry.waits_out(&error, &self.paths) {
                return Err(retry.given_up(error, &self.paths));
            }
        }
    }

    fn attempt<T>(
        &self,
        query: &mut impl FnMut(&Snapshot) -> Result<T>,
    ) -> Result<(T, Verdict)> {
        // Nearly always nothing was written since the last query.
        if let Some(entry) = cache::kept(&self.paths, &self.options) {
            if let Some(view) = entry.known_view() {
                return ask(query, &entry, view, false);
            }
        }
        let entry = cache::table(&self.paths, &self.options)?;
        let table = &entry.table;
        let lock = if table.is_locked_by_writers() {
            let lock = SharedLock::take(table.path(), table.identity(), &self.options)?;
            Some(lock.ok_or_else(|| table::changed().at(table.path()))?)
        } else {
            None
        };
        let view = entry.view(&self.options)?;
        ask(query, &entry, view, lock.is_some())
    }

    /// Asks `query` of a table that its server never stops writing to, as it
    /// seems after some attempts; `None` if that fails, whatever for.
    fn ask_if_busy<T>(
        &self,
        retry: &Retry,
        query: &mut impl FnMut(&Snapshot) -> Result<T>,
    ) -> Option<T> {
        // All waits before take 25 ms, longer than a tick, in which one write
        // cannot be told from two.
        const BUSY: u32 = 7;
        if retry.attempts() < BUSY {
            return None;
        }
        let table = Table::open(&self.paths, &self.options).map(Arc::new).ok()?;
        let answer = steady::ask(query, &table, &self.options).ok()??;
        table.is_current().is_ok_and(|current| current).then_some(answer)
    }
}

/// Asks `query` once, and looks whether the rows changed meanwhile.
fn ask<T>(
    query: &mut impl FnMut(&Snapshot) -> Result<T>,
    entry: &Entry,
    view: Arc<View>,
    locked: bool,
) -> Result<(T, Verdict)> {
    let table = &entry.table;
    let snapshot = Snapshot::new(table.clone(), view.clone());
    let answer = query(&snapshot);
    let verdict = match snapshot.verdict()? {
        // Nobody who keeps to the lock can be in the middle of a write.
        Verdict::Unsettled if locked => Verdict::Same,
        verdict => verdict,
    };
    let error = match (answer, verdict) {
        (Ok(answer), verdict) => return Ok((answer, verdict)),
        // What was wrong may be the change's doing.
        (Err(_), Verdict::Changed) => table::changed().at(table.path()),
        (Err(error), Verdict::Same | Verdict::Unsettled) => error,
    };
    // Or that of what was known of the rows without reading them.
    let of_rows = matches!(error.status(), Status::Changed | Status::BadRow);
    if of_rows && entry.forget(&view) {
        Err(table::changed().at(table.path()))
    } else {
        Err(error)
    }
}
