//! One run over a directory: every feed in it.
//!
//! What is written of many feeds is put on the disk together, and then taken
//! into the catalog in one transaction; only then is it reported.

use super::advance::{Advance, Advanced, Context, advance};
use super::ahead::{Ahead, Looked};
use super::batch::{Batch, Item, Ledger};
use super::catalog::{self, Catalog, Commit, Ending, Entry, Generation, RunEnd};
use super::copy::no_directory;
use super::destination::{demand_no_source, demand_place, lock, open_destination};
use super::folder::Folder;
use super::generation::{self, Exchange, dated_definitions, free_stamp};
use super::glance::Glance;
use super::hash::Hash;
use super::held::{Partial, Place, as_stamp, dated, stamp};
use super::options::{FeedName, RunOptions, demand_sensible, feed_of_source};
use super::pace::Pace;
use super::report::{CopyReport, Outcome};
use crate::error::{Error, Result, Status};
use crate::feed::Retry;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What became of one feed.
#[derive(Debug)]
pub struct FeedReport {
    /// Which feed.
    pub feed: FeedName,
    /// What was done.
    pub done: Done,
    /// How long it took, without its share of what is done for many at a time.
    pub took: Duration,
}

/// What was done about a feed.
#[derive(Debug)]
pub enum Done {
    /// Its copy is up to date; in a dry run, would be.
    Copied(CopyReport),
    /// It could not be copied. The copy is as it was.
    Failed(Error),
    /// It has more bytes of rows than are copied.
    Skipped {
        /// How many.
        bytes: u64,
    },
    /// The source does not have it any more. The copy stays.
    SourceGone,
    /// The same, and the copy was removed, or would be.
    Deleted {
        /// Whether nothing was done.
        dry_run: bool,
    },
}

impl Done {
    /// One word, the same in tables and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Done::Copied(report) => report.outcome.name(),
            Done::Failed(_) => "failed",
            Done::Skipped { .. } => "skipped",
            Done::SourceGone => "source-gone",
            Done::Deleted { .. } => "deleted",
        }
    }
}

impl fmt::Display for Done {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Done::Copied(report) => report.fmt(f),
            Done::Failed(error) => error.fmt(f),
            Done::Skipped { bytes } => write!(f, "skipped, it has {bytes} bytes"),
            Done::SourceGone => f.write_str("the source is gone, the copy stays"),
            Done::Deleted { dry_run: true } => {
                f.write_str("the source is gone, the copy would be removed")
            }
            Done::Deleted { dry_run: false } => {
                f.write_str("the source is gone, the copy was removed")
            }
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Feeds in the source that were asked for.
    pub feeds: u64,
    outcomes: [u64; Outcome::ALL.len()],
    /// Feeds that could not be copied.
    pub failed: u64,
    /// Feeds that were left out because they are too large.
    pub skipped: u64,
    /// Copies whose source is gone.
    pub source_gone: u64,
    /// Copies that were removed because their source is gone.
    pub deleted: u64,
    /// Rows written.
    pub rows_copied: u64,
    /// Bytes of rows written, overwritten ones included.
    pub bytes_copied: u64,
    /// Whether it was told to stop before it was done.
    pub stopped: bool,
    /// Why copies that were to be removed were not.
    pub not_deleted: Option<String>,
}

impl Summary {
    /// How many copies came out so.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Whether every feed that was asked for is copied.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && !self.stopped && self.not_deleted.is_none()
    }

    fn add(&mut self, done: &Done) {
        match done {
            Done::Copied(report) => {
                self.outcomes[report.outcome as usize] += 1;
                self.rows_copied += report.rows_copied;
                self.bytes_copied += report.bytes_copied + report.bytes_overwritten;
            }
            Done::Failed(_) => self.failed += 1,
            Done::Skipped { .. } => self.skipped += 1,
            Done::SourceGone => self.source_gone += 1,
            Done::Deleted { .. } => self.deleted += 1,
        }
    }
}

/// One run over the feeds of a directory.
pub struct Backup {
    source: PathBuf,
    from: Folder,
    to: Option<Folder>,
    catalog: Option<Catalog>,
    options: RunOptions,
    run: i64,
    /// The last run that was cut short; 0 if none was.
    cut_short: i64,
    entries: HashMap<String, Entry>,
    /// Names of feeds that failed before.
    failing: HashMap<String, String>,
    listed: BTreeSet<FeedName>,
    /// Whether there was a copy of any of these when the run began.
    is_known_source: bool,
    next: VecDeque<FeedName>,
    /// Feeds that were looked at together with others.
    looked: VecDeque<(FeedName, Looked, Duration)>,
    /// Whether the source was looked through again for feeds that came or went.
    listed_again: bool,
    gone: VecDeque<FeedName>,
    batch: Batch,
    ready: VecDeque<FeedReport>,
    summary: Summary,
    pace: Option<Pace>,
    begun: Instant,
    /// Why nothing more can be committed, until that is told.
    broken: Option<Error>,
    /// The same, once it is told.
    over: Option<String>,
    _lock: Option<File>,
}

impl Backup {
    /// Begins a run that brings the copies of all feeds of `source` in
    /// `destination` up to date. Fails if nothing can be begun:
    /// [`Status::Locked`] means that another run is at work,
    /// [`Status::Destination`] that the destination is no place for copies,
    /// [`Status::Catalog`] that its catalog cannot be used.
    pub fn open(
        source: &Path,
        destination: &Path,
        options: RunOptions,
    ) -> Result<Backup> {
        let begun = Instant::now();
        demand_sensible(&options)?;
        let from = Folder::open(source)?.ok_or_else(|| no_directory(source))?;
        let listed = feeds_of_source(&from, &options)?;
        if listed.is_empty() {
            return Err(no_feeds(&from, source, &options)?);
        }
        demand_place(&from, destination, &options)?;
        let to = open_destination(destination, options.dry_run)?;
        if let Some(to) = &to {
            demand_no_source(&from, to, destination, &options)?;
            to.demand_private(options.trust_owner)?;
        }
        let mut backup = Backup {
            source: source.to_owned(),
            from,
            to,
            catalog: None,
            run: 0,
            cut_short: 0,
            entries: HashMap::new(),
            failing: HashMap::new(),
            next: listed.iter().cloned().collect(),
            summary: Summary { feeds: listed.len() as u64, ..Summary::default() },
            is_known_source: false,
            listed,
            looked: VecDeque::new(),
            listed_again: false,
            gone: VecDeque::new(),
            batch: Batch::new(),
            ready: VecDeque::new(),
            pace: options.bytes_per_second.map(Pace::new),
            options,
            begun,
            broken: None,
            over: None,
            _lock: None,
        };
        backup.open_catalog()?;
        Ok(backup)
    }

    fn open_catalog(&mut self) -> Result<()> {
        let Some(to) = &self.to else { return Ok(()) };
        if self.options.dry_run {
            self.catalog = Catalog::open_read_only(to)?;
        } else {
            self._lock = Some(lock(to)?);
            let mut catalog = Catalog::open(to)?;
            let started = SystemTime::now().duration_since(UNIX_EPOCH);
            let started = started.map_or(0, |since| since.as_secs() as i64);
            let source = std::path::absolute(&self.source);
            let source = source.as_deref().unwrap_or(&self.source);
            self.run = catalog.begin_run(started, source)?;
            self.cut_short = catalog.last_cut_short(self.run)?;
            for (name, generation) in catalog.pending()? {
                generation::take_back(&mut catalog, to, &name, &generation)?;
            }
            if let Err(error) = generation::remove_retired(&mut catalog, to) {
                self.summary.not_deleted = Some(error.to_string());
            }
            sweep(to)?;
            // Where it is not likely that a commit follows soon.
            if self.options.threads < 2 || self.pace.is_some() {
                catalog.commit_beginning()?;
            }
            self.catalog = Some(catalog);
        }
        if let Some(catalog) = &self.catalog {
            self.entries = catalog.entries()?;
            self.failing = catalog.failures()?;
            self.is_known_source =
                self.listed.iter().any(|feed| self.entries.contains_key(feed.file()));
        }
        Ok(())
    }

    /// How many feeds there are to look at.
    pub fn feeds(&self) -> u64 {
        self.summary.feeds
    }

    /// Digits the longest of their numbers has.
    pub fn longest_number(&self) -> usize {
        self.listed.iter().map(|feed| feed.number().len()).max().unwrap_or(0)
    }

    /// Goes on until there is a feed to report of; `None` when all is done. What
    /// is reported is on the disk and in the catalog. `progress` is told the
    /// bytes of each block written; if it answers `false`, the run stops there,
    /// with all that was copied committed. Fails if nothing more can be
    /// committed; [`Backup::close`] is still to be called.
    pub fn step(
        &mut self,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) -> Result<Option<FeedReport>> {
        loop {
            if let Some(report) = self.ready.pop_front() {
                self.summary.add(&report.done);
                return Ok(Some(report));
            }
            if let Some(error) = self.broken.take() {
                self.over = Some(error.to_string());
                self.next.clear();
                for (_, looked, _) in std::mem::take(&mut self.looked) {
                    if let (Looked::Advanced(advanced), Some(to)) = (looked, &self.to) {
                        advanced.names.iter().for_each(|naming| naming.give_up(to));
                    }
                }
                self.gone.clear();
                self.listed_again = true;
                return Err(error);
            }
            if let Some((feed, looked, took)) = self.looked.pop_front() {
                self.take(feed, looked, took, progress);
                if self.batch.is_due() {
                    self.flush();
                }
                continue;
            }
            if !self.summary.stopped {
                if !self.next.is_empty() {
                    self.look_ahead(progress);
                    continue;
                }
                if !self.listed_again {
                    self.listed_again = true;
                    if let Err(error) = self.list_again() {
                        self.broken = Some(error);
                    }
                    continue;
                }
                if let Some(feed) = self.gone.pop_front() {
                    self.let_go(feed);
                    continue;
                }
            }
            if self.batch.items.is_empty() {
                // What was only seen is committed with the end of the run.
                return Ok(None);
            }
            self.flush();
        }
    }

    /// Stops before the next feed.
    pub fn stop(&mut self) {
        self.summary.stopped = true;
    }

    /// Ends the run: commits what is left, and writes down how it went.
    pub fn close(mut self) -> Result<Summary> {
        if !self.next.is_empty() || !self.looked.is_empty() || !self.listed_again {
            self.summary.stopped = true;
        }
        for (feed, looked, took) in std::mem::take(&mut self.looked) {
            self.take(feed, looked, took, &mut |_, _| false);
        }
        self.flush();
        for report in std::mem::take(&mut self.ready) {
            self.summary.add(&report.done);
        }
        let broken = self.broken.take();
        if let Some(catalog) = self.catalog.as_mut().filter(|_| !self.options.dry_run) {
            let summary = &self.summary;
            let message =
                broken.as_ref().map(Error::to_string).or_else(|| self.over.clone());
            let outcome = match message {
                Some(_) => "failed",
                None if summary.stopped => "stopped",
                None if !summary.is_complete() => "incomplete",
                None => "ok",
            };
            let seen = std::mem::take(&mut self.batch.seen);
            catalog.end_run(
                self.run,
                &seen,
                &RunEnd {
                    seconds: self.begun.elapsed().as_secs_f64(),
                    outcome,
                    feeds: summary.feeds,
                    failed: summary.failed,
                    rows: summary.rows_copied,
                    bytes: summary.bytes_copied,
                    message: message.or_else(|| summary.not_deleted.clone()),
                },
            )?;
        }
        broken.map_or(Ok(self.summary), Err)
    }

    /// Looks at the next feeds.
    fn look_ahead(&mut self, progress: &mut dyn FnMut(&FeedName, u64) -> bool) {
        /// So many at a time, if there are several threads.
        const MANY: usize = 4096;
        let count = if self.options.threads > 1 { MANY } else { 1 };
        let feeds: Vec<_> = self.next.iter().take(count).cloned().collect();
        let (from, to, options) = (&self.from, self.to.as_ref(), &self.options);
        let glance = Glance::new(from, to, options, self.run, self.cut_short);
        let hashes = hashes_of(self.catalog.as_mut());
        let mut goes_on = true;
        let looked = Ahead {
            source: &self.source,
            glance,
            options,
            entries: &self.entries,
            failing: &self.failing,
            hashes: &hashes,
            writes: self.pace.is_none(),
        }
        .look(&feeds, &mut |feed, bytes| {
            goes_on &= progress(feed, bytes);
            goes_on
        });
        self.summary.stopped |= !goes_on;
        drop(hashes);
        self.note_beginning();
        self.next.drain(..looked.len());
        let looked = feeds.into_iter().zip(looked);
        self.looked.extend(looked.map(|(feed, (looked, took))| (feed, looked, took)));
    }

    /// Notes that the run has begun, unless that is sure to be written soon together
    /// with other things.
    fn note_beginning(&mut self) {
        const SOON: Duration = Duration::from_millis(500);
        let Some(catalog) = self.catalog.as_mut().filter(|one| one.is_beginning()) else {
            return;
        };
        if self.begun.elapsed() > SOON {
            if let Err(error) = catalog.commit_beginning() {
                self.broken.get_or_insert(error);
            }
        }
    }

    /// Does the rest for a feed that was looked at together with others. Of a run
    /// that was stopped, that is what is written already.
    fn take(
        &mut self,
        feed: FeedName,
        looked: Looked,
        took: Duration,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) {
        match (looked, self.entries.get(feed.file())) {
            (Looked::Advanced(advanced), _) => {
                self.go_on(feed, Some(*advanced), took, progress);
            }
            _ if self.summary.stopped => {}
            (Looked::AsBefore, Some(entry)) => {
                let report = CopyReport {
                    rows_total: entry.rows,
                    bytes_total: entry.len(),
                    dry_run: self.options.dry_run,
                    ..CopyReport::default()
                };
                self.wait(Item::new(feed, Done::Copied(report), took));
            }
            (Looked::Failed(error), _) => {
                self.wait(Item::new(feed, Done::Failed(error), took));
            }
            _ => match (self.options.max_size, feed.size(&self.source)) {
                (Some(limit), Some(bytes)) if bytes > limit => {
                    self.wait(Item::new(feed, Done::Skipped { bytes }, took));
                }
                _ => self.go_on(feed, None, took, progress),
            },
        }
    }

    /// Looks at a feed until all is copied, `advanced` being the first of that, if
    /// it is done already.
    fn go_on(
        &mut self,
        feed: FeedName,
        mut advanced: Option<Advanced>,
        took: Duration,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) {
        let begun = Instant::now();
        let mut so_far: Option<CopyReport> = None;
        loop {
            let step = match advanced.take() {
                Some(advanced) => Ok(advanced),
                None => self.advance(&feed, progress),
            };
            let took = took + begun.elapsed();
            match step {
                Ok(Advanced { mut report, commit, edit, names, more }) => {
                    if let Some(earlier) = so_far.take() {
                        report = joined(earlier, report);
                    }
                    let goes_on = more && !self.summary.stopped;
                    so_far = goes_on.then(|| report.clone());
                    let place = self.batch.items.len();
                    let done = Done::Copied(report);
                    let feed = feed.clone();
                    self.wait(Item { feed, done, took, commit, edit, names });
                    if !goes_on {
                        return;
                    }
                    self.commit();
                    let is_failed = |item: &Item| matches!(item.done, Done::Failed(_));
                    if self.broken.is_some()
                        || self.batch.items.get(place).is_some_and(is_failed)
                    {
                        self.settle();
                        return;
                    }
                    // The last report of this feed says it all.
                    self.batch.items.truncate(place);
                    self.settle();
                }
                Err(error) => {
                    let done = match so_far {
                        _ if !self.summary.stopped => Done::Failed(error),
                        // Of what is not finished only that is said which was done.
                        Some(report) if report.outcome != Outcome::Unchanged => {
                            Done::Copied(report)
                        }
                        _ => return,
                    };
                    self.batch.push(Item::new(feed, done, took));
                    return;
                }
            }
        }
    }

    /// Looks at a feed, until it stands still for that, and makes a new
    /// generation of its copy if that is needed.
    fn advance(
        &mut self,
        feed: &FeedName,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) -> Result<Advanced> {
        let stop = Cell::new(false);
        let mut pace = self.pace.take();
        let mut written = |bytes: u64| {
            let mut goes_on = progress(feed, bytes);
            if let Some(pace) = &mut pace {
                pace.take(bytes);
                while goes_on && pace.rest() {
                    goes_on = progress(feed, 0);
                }
            }
            if !goes_on {
                stop.set(true);
            }
            goes_on
        };
        let paths = feed.paths(&self.source);
        let (from, to, options) = (&self.from, self.to.as_ref(), &self.options);
        let glance = Glance::new(from, to, options, self.run, self.cut_short);
        let hashes = hashes_of(self.catalog.as_mut());
        let entry = self.entries.get(feed.file());
        let (mut retry, mut buffer) = (Retry::new(), Vec::new());
        let looked = loop {
            let mut context = Context {
                source: &self.source,
                folder: to,
                hashes: &hashes,
                options,
                glance,
                progress: &mut written,
                small_only: false,
                buffer: &mut buffer,
            };
            match advance(&mut context, feed, entry) {
                Err(e) if !stop.get() && retry.waits_out(&e, &paths) => {}
                other => break other,
            }
        };
        self.pace = pace;
        if stop.get() {
            self.summary.stopped = true;
        }
        drop(hashes);
        let fault = |what: &str| Error::new(Status::Internal, what);
        let Advance { mut advanced, exchange } =
            looked?.ok_or_else(|| fault("a feed was left"))?;
        let (Some(exchange), Some(commit)) = (exchange, advanced.commit.as_ref()) else {
            return Ok(advanced);
        };
        let (Some(to), Some(catalog), Some(entry)) =
            (&self.to, &mut self.catalog, self.entries.get(feed.file()))
        else {
            return Err(fault("a new generation of an unknown copy"));
        };
        let report = &mut advanced.report;
        let replacing =
            Replacing { to, entry, feed, run: self.run, keep: self.options.keep };
        match replacing.replace(catalog, exchange, commit, report) {
            Ok(entry) => {
                self.entries.insert(feed.file().to_owned(), entry);
                if let Err(error) = generation::remove_retired(catalog, to) {
                    self.summary.not_deleted = Some(error.to_string());
                }
                let kept = report.kept.as_deref().and_then(Path::file_name);
                if kept.map_or(Ok(None), |name| to.stat(name))?.is_none() {
                    report.kept = None;
                }
                advanced.commit = None;
                Ok(advanced)
            }
            Err(Unreplaced::AsBefore(error)) => Err(error),
            Err(Unreplaced::Unsure(error)) => {
                let told = Error::new(error.status(), error.to_string());
                self.broken = Some(error);
                Err(told)
            }
        }
    }

    /// Puts a feed to those that wait for their commit.
    fn wait(&mut self, item: Item) {
        let name = item.feed.file();
        if let (Done::Copied(_), None, Some(entry)) =
            (&item.done, &item.commit, self.entries.get(name))
        {
            self.batch.seen.push(entry.id);
        }
        let is_failing =
            matches!(item.done, Done::Failed(_)) || self.failing.contains_key(name);
        if self.batch.items.is_empty() && item.commit.is_none() && !is_failing {
            let Item { feed, done, took, .. } = item;
            self.ready.push_back(FeedReport { feed, done, took });
        } else {
            self.batch.push(item);
        }
    }

    /// Commits what waits, and has it reported.
    fn flush(&mut self) {
        self.commit();
        self.settle();
    }

    /// Has what waited reported.
    fn settle(&mut self) {
        for Item { feed, done, took, .. } in self.batch.settle() {
            self.ready.push_back(FeedReport { feed, done, took });
        }
    }

    /// Puts what waits on the disk and takes it into the catalog. If that
    /// fails, none of it counts, and the run is over.
    fn commit(&mut self) {
        if self.options.dry_run {
            return;
        }
        let committed = match (&self.broken, &self.over) {
            (None, None) => match (&self.to, &mut self.catalog) {
                (Some(to), Some(catalog)) => self.batch.commit(Ledger {
                    to,
                    catalog,
                    entries: &mut self.entries,
                    failing: &mut self.failing,
                    run: self.run,
                    keep: self.options.keep,
                    threads: self.options.threads,
                }),
                _ => Ok(()),
            },
            (Some(why), _) => Err(Error::new(why.status(), why.to_string())),
            (None, Some(why)) => Err(Error::new(Status::Catalog, why.clone())),
        };
        if let (Ok(()), Some(to), Some(catalog)) =
            (&committed, &self.to, &mut self.catalog)
        {
            if let Err(error) = generation::remove_retired(catalog, to) {
                self.summary.not_deleted = Some(error.to_string());
            }
        }
        if let Err(error) = committed {
            self.batch.fail(&error, self.to.as_ref());
            if self.over.is_none() {
                self.broken.get_or_insert(error);
            }
        }
    }

    /// A table that is being altered has other names for a moment: what was not
    /// in the list may be in the source all the same. What is in neither list is
    /// gone.
    fn list_again(&mut self) -> Result<()> {
        let is_new = |feed: &FeedName| !self.listed.contains(feed);
        let mut came = feeds_in(&self.from, &self.options, is_new)?;
        let held = self.held(is_new)?;
        let mut retry = Retry::new();
        while !held.is_subset(&came) && is_altering(&self.from)? && retry.wait() {
            came = feeds_in(&self.from, &self.options, is_new)?;
        }
        if !held.is_subset(&came) {
            // The end of an ALTER may have come between the two looks.
            came.append(&mut feeds_in(&self.from, &self.options, is_new)?);
        }
        let gone: VecDeque<_> = held.difference(&came).cloned().collect();
        self.summary.feeds += came.len() as u64;
        self.next.extend(came);
        if self.options.delete && !gone.is_empty() && !self.is_known_source {
            self.summary.not_deleted = Some(
                "none of the copies here is of a feed of this source, so none is removed: is \
                 this the right source?"
                    .to_owned(),
            );
        } else if self.options.delete && gone.len() as u64 > self.options.max_delete {
            self.summary.not_deleted = Some(format!(
                "{} copies have no source any more, and no more than {} are removed at a \
                 time: is this the right source? If so, raise --max-delete",
                gone.len(),
                self.options.max_delete
            ));
        }
        self.gone = gone;
        Ok(())
    }

    /// The feeds that were asked for, have a copy, and are `wanted`.
    fn held(&self, wanted: impl Fn(&FeedName) -> bool) -> Result<BTreeSet<FeedName>> {
        let mut held = BTreeSet::new();
        let mut add = |name: &str| {
            let feed = FeedName::of_file(name, &self.options.prefix);
            held.extend(
                feed.filter(|feed| feed.is_selected(&self.options) && wanted(feed)),
            );
        };
        self.entries.keys().for_each(|name| add(name));
        if let Some(to) = &self.to {
            to.each_name(|name| {
                if let Some(name) = name.to_str() {
                    add(name);
                }
            })?;
        }
        Ok(held)
    }

    /// Reports of a feed that the source does not have any more, and removes
    /// its copy if that was asked for.
    fn let_go(&mut self, feed: FeedName) {
        let begun = Instant::now();
        let deletes = self.options.delete && self.summary.not_deleted.is_none();
        let done = match deletes {
            false => Done::SourceGone,
            true if self.options.dry_run => Done::Deleted { dry_run: true },
            true => match self.remove(&feed) {
                Ok(()) => Done::Deleted { dry_run: false },
                Err(error) => Done::Failed(error),
            },
        };
        if matches!(done, Done::Deleted { .. }) {
            self.entries.remove(feed.file());
            self.failing.remove(feed.file());
        }
        let took = begun.elapsed();
        self.batch.push(Item::new(feed, done, took));
    }

    /// Removes all there is of a feed: that it goes is what its owner wants.
    fn remove(&mut self, feed: &FeedName) -> Result<()> {
        let (Some(to), Some(catalog)) = (&self.to, &mut self.catalog) else {
            return Ok(());
        };
        let name = OsStr::new(feed.file());
        for file in to.names()? {
            let Some(rest) = file.as_bytes().strip_prefix(name.as_bytes()) else {
                continue;
            };
            let Some(stamp) = rest.strip_prefix(b".") else { continue };
            let Some(stamp) = as_stamp(stamp) else { continue };
            for (kept, _) in dated_definitions(to, name, stamp)? {
                to.remove(&kept)?;
            }
            to.remove(&file)?;
        }
        let place = Place { folder: to, name };
        let mut suffixes = place.sdi_suffixes()?;
        suffixes.extend([".frm", ".meta"].map(OsString::from));
        for suffix in suffixes {
            let definition = place.sibling(&suffix);
            Partial::sweep(to, &definition)?;
            to.remove(&definition)?;
        }
        Partial::sweep(to, name)?;
        to.remove(name)?;
        to.sync()?;
        catalog.forget_feed(feed.file())
    }
}

/// A copy that is to become another file.
struct Replacing<'a> {
    to: &'a Folder,
    entry: &'a Entry,
    feed: &'a FeedName,
    run: i64,
    keep: u64,
}

/// Why a copy did not become another file.
enum Unreplaced {
    /// It is as it was.
    AsBefore(Error),
    /// It cannot be told whether the catalog knows of it: the next run looks.
    Unsure(Error),
}

impl Replacing<'_> {
    fn replace(
        &self,
        catalog: &mut Catalog,
        exchange: Exchange,
        commit: &Commit,
        report: &mut CopyReport,
    ) -> Result<Entry, Unreplaced> {
        let Replacing { to, entry, feed, run, keep } = *self;
        let name = OsStr::new(feed.file());
        let as_before = Unreplaced::AsBefore;
        let stamp = free_stamp(to, name, &stamp(SystemTime::now())).map_err(as_before)?;
        let generation = Generation {
            feed: entry.id,
            number: entry.generation,
            ending: Ending::Replaced,
            run,
            file: entry.file,
            stride: entry.stride,
            rows: entry.rows,
            stamp: Some(stamp.clone()),
            reason: report.reason.map(|reason| reason.to_string()).unwrap_or_default(),
            definition: entry.definition,
        };
        exchange.rows.sync().map_err(as_before)?;
        if let Some((_, definition)) = &exchange.definition {
            definition.sync().map_err(as_before)?;
        }
        catalog
            .write(|db| Catalog::begin_generation(db, &generation, &[]))
            .map_err(Unreplaced::Unsure)?;
        if let Err(error) =
            generation::exchange(&Place { folder: to, name }, exchange, &stamp)
        {
            return Err(
                match generation::take_back(catalog, to, feed.file(), &generation) {
                    Ok(()) => Unreplaced::AsBefore(error),
                    Err(undo) => Unreplaced::Unsure(Error::new(
                        error.status(),
                        format!("{error}; the next run takes it back, for now {undo}"),
                    )),
                },
            );
        }
        report.kept = Some(to.join(&dated(name, &stamp, 0)));
        catalog
            .write(|db| catalog::put(db, commit, Some(entry), run, keep))
            .map_err(Unreplaced::Unsure)
    }
}

/// Looks hashes up for several threads.
fn hashes_of(catalog: Option<&mut Catalog>) -> impl Fn(&Entry) -> Result<Vec<Hash>> {
    let catalog = catalog.map(Mutex::new);
    move |entry| {
        let none = || Error::new(Status::Internal, "an entry of no catalog");
        let catalog = catalog.as_ref().ok_or_else(none)?;
        let catalog = catalog.lock().unwrap_or_else(PoisonError::into_inner);
        catalog.hashes(entry.id, entry.file, entry.rows)
    }
}

/// Two reports of one feed that was copied in pieces.
fn joined(earlier: CopyReport, later: CopyReport) -> CopyReport {
    let outcome = match (earlier.outcome, later.outcome) {
        (Outcome::Unchanged, later) => later,
        (earlier, Outcome::Unchanged | Outcome::Appended) => earlier,
        (_, later) => later,
    };
    CopyReport {
        outcome,
        rows_copied: earlier.rows_copied + later.rows_copied,
        bytes_copied: earlier.bytes_copied + later.bytes_copied,
        bytes_repaired: earlier.bytes_repaired + later.bytes_repaired,
        bytes_overwritten: earlier.bytes_overwritten + later.bytes_overwritten,
        definition_copied: earlier.definition_copied || later.definition_copied,
        adopted: earlier.adopted || later.adopted,
        reason: later.reason.or(earlier.reason),
        edit: later.edit.or(earlier.edit),
        kept: later.kept.or(earlier.kept),
        ..later
    }
}

/// Removes what runs that were cut short left half written.
fn sweep(to: &Folder) -> Result<()> {
    for name in to.names()? {
        let bytes = name.as_bytes();
        if bytes.starts_with(b".") && bytes.ends_with(b".partial") {
            to.remove_left(&name)?;
        }
    }
    Ok(())
}

/// The feeds of the source. If there is none, that may be because the only one
/// is being altered.
fn feeds_of_source(from: &Folder, options: &RunOptions) -> Result<BTreeSet<FeedName>> {
    let mut retry = Retry::new();
    loop {
        let feeds = feeds_in(from, options, |_| true)?;
        if !feeds.is_empty() {
            return Ok(feeds);
        }
        if !is_altering(from)? || !retry.wait() {
            // Its end may have come between the two looks.
            return feeds_in(from, options, |_| true);
        }
    }
}

/// Whether a server is altering a table, which has other names meanwhile.
fn is_altering(from: &Folder) -> Result<bool> {
    Ok(from.names()?.iter().any(|name| name.as_bytes().starts_with(b"#sql-")))
}

/// The feeds of a directory that were asked for and are `wanted`.
fn feeds_in(
    folder: &Folder,
    options: &RunOptions,
    wanted: impl Fn(&FeedName) -> bool,
) -> Result<BTreeSet<FeedName>> {
    let mut feeds = BTreeSet::new();
    folder.each_name(|name| {
        let feed = feed_of_source(Path::new(name), &options.prefix);
        feeds.extend(feed.filter(|feed| feed.is_selected(options) && wanted(feed)));
    })?;
    Ok(feeds)
}

fn no_feeds(from: &Folder, source: &Path, options: &RunOptions) -> Result<Error> {
    let any = RunOptions { prefix: options.prefix.clone(), ..RunOptions::default() };
    let why = if feeds_in(from, &any, |_| true)?.is_empty() {
        format!(
            "there is no feed here to copy (tables named {}<number>, or <number>.dat)",
            options.prefix
        )
    } else {
        "there are feeds here, but none that was asked for".to_owned()
    };
    Ok(Error::new(Status::NotFound, why).at(source))
}
