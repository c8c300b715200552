//! A look at the next feeds of a run by several threads: of thousands, most have
//! not changed, and most of the others have a few rows more. What takes longer,
//! or has to wait for a writer, is left for a look of its own.

use super::advance::{Advance, Advanced, Context, advance};
use super::catalog::Entry;
use super::glance::{Glance, Hashes};
use super::options::{FeedName, RunOptions};
use crate::error::Error;
use crate::feed::may_pass;
use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// No further feed is looked at after so many bytes written or gathered.
const BYTES: u64 = 64 << 20;
const EDITS: u64 = 4 << 20;
/// Nor after so long: what was done waits for its commit.
const AGE: Duration = Duration::from_secs(1);

/// What became of a feed.
pub(super) enum Looked {
    /// Neither source nor copy was written to.
    AsBefore,
    /// It was looked at, and what its copy lacks is written.
    Advanced(Box<Advanced>),
    /// It cannot be copied.
    Failed(Error),
    /// It is to be looked at by itself.
    Left,
}

/// What holds for all feeds of a run.
pub(super) struct Ahead<'p> {
    pub source: &'p Path,
    pub glance: Glance<'p>,
    pub options: &'p RunOptions,
    pub entries: &'p HashMap<String, Entry>,
    /// Feeds that failed before: what was done of them is to be looked at.
    pub failing: &'p HashMap<String, String>,
    pub hashes: &'p Hashes<'p>,
    /// Whether anything but short looks is to be done.
    pub writes: bool,
}

/// What the threads have done together.
struct Shared {
    begun: Instant,
    next: AtomicUsize,
    bytes: AtomicU64,
    edits: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    /// The next feed to look at. What one thread was given before another is in
    /// front of that other's: together they take the first of all.
    fn take(&self, feeds: &[FeedName]) -> Option<usize> {
        let is_over = self.stop.load(Relaxed)
            || self.bytes.load(Relaxed) >= BYTES
            || self.edits.load(Relaxed) >= EDITS
            || self.begun.elapsed() >= AGE;
        if is_over {
            return None;
        }
        let at = self.next.fetch_add(1, Relaxed);
        (at < feeds.len()).then_some(at)
    }
}

impl Ahead<'_> {
    /// What became of the first of `feeds`. `progress` is told
    /// the bytes of each block written; if it answers `false`, that is all.
    pub(super) fn look(
        &self,
        feeds: &[FeedName],
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) -> Vec<(Looked, Duration)> {
        let shared = Shared {
            begun: Instant::now(),
            next: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            edits: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        };
        let others = self.options.threads.min(feeds.len()).saturating_sub(1);
        let (told, heard) = mpsc::channel::<(usize, u64)>();
        let mut found: Vec<Option<(Looked, Duration)>> = Vec::new();
        let mut put = |at: usize, looked| {
            found.resize_with(found.len().max(at + 1), || None);
            found[at] = Some(looked);
        };
        thread::scope(|scope| {
            let shared = &shared;
            let threads: Vec<_> = (0..others)
                .map_while(|_| {
                    let told = told.clone();
                    let work = move || {
                        let (mut mine, mut buffer) = (Vec::new(), Vec::new());
                        while let Some(at) = shared.take(feeds) {
                            let looked = self.look_at(
                                shared,
                                &feeds[at],
                                &mut buffer,
                                &mut |bytes| {
                                    // Nobody listens any more if that thread panicked.
                                    let _ = told.send((at, bytes));
                                    !shared.stop.load(Relaxed)
                                },
                            );
                            mine.push((at, looked));
                        }
                        mine
                    };
                    // If the system gives no more of them, this thread does it all.
                    thread::Builder::new().spawn_scoped(scope, work).ok()
                })
                .collect();
            drop(told);
            let mut tell = |at: usize, bytes| {
                if !progress(&feeds[at], bytes) {
                    shared.stop.store(true, Relaxed);
                }
                !shared.stop.load(Relaxed)
            };
            let mut buffer = Vec::new();
            while let Some(at) = shared.take(feeds) {
                let progress = &mut |bytes| tell(at, bytes);
                let looked = self.look_at(shared, &feeds[at], &mut buffer, progress);
                put(at, looked);
                for (at, bytes) in heard.try_iter() {
                    tell(at, bytes);
                }
            }
            for (at, bytes) in heard {
                tell(at, bytes);
            }
            for thread in threads {
                // One that panicked has done nothing.
                for (at, looked) in thread.join().unwrap_or_default() {
                    put(at, looked);
                }
            }
        });
        let taken = shared.next.into_inner().min(feeds.len());
        found.resize_with(taken, || None);
        found
            .into_iter()
            .map(|looked| looked.unwrap_or((Looked::Left, Duration::ZERO)))
            .collect()
    }

    fn look_at(
        &self,
        shared: &Shared,
        feed: &FeedName,
        buffer: &mut Vec<u8>,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> (Looked, Duration) {
        let begun = Instant::now();
        let looked = self.try_look_at(feed, buffer, progress);
        if let Looked::Advanced(advanced) = &looked {
            let bytes = advanced.report.bytes_copied;
            let edits = advanced.edit.as_ref().map_or(0, |edit| edit.bytes());
            shared.bytes.fetch_add(bytes, Relaxed);
            shared.edits.fetch_add(edits, Relaxed);
        }
        (looked, begun.elapsed())
    }

    fn try_look_at(
        &self,
        feed: &FeedName,
        buffer: &mut Vec<u8>,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Looked {
        let entry = self.entries.get(feed.file());
        if self.options.max_size.is_some_and(|limit| feed.size(self.source) > Some(limit))
        {
            return Looked::Left;
        }
        let is_as_before =
            |entry: &Entry| self.glance.is_as_before(feed, entry, self.hashes);
        if !self.failing.contains_key(feed.file()) && entry.is_some_and(is_as_before) {
            return Looked::AsBefore;
        }
        if !self.writes {
            return Looked::Left;
        }
        let mut context = Context {
            source: self.source,
            folder: self.glance.to,
            hashes: self.hashes,
            options: self.options,
            glance: self.glance,
            progress,
            small_only: true,
            buffer,
        };
        match advance(&mut context, feed, entry) {
            Ok(Some(Advance { advanced, exchange: None })) => {
                Looked::Advanced(Box::new(advanced))
            }
            Err(error)
                if !is_shortage(&error)
                    && !may_pass(&error, &feed.paths(self.source), 0) =>
            {
                Looked::Failed(error)
            }
            _ => Looked::Left,
        }
    }
}

/// Whether several threads together have taken what one may have.
fn is_shortage(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.and_then(io::Error::raw_os_error).is_some_and(|number| {
        [libc::EMFILE, libc::ENFILE, libc::ENOMEM].contains(&number)
    })
}
