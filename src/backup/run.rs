//! One run over a directory: every feed in it, one after the other.
//!
//! What is written of many feeds is put on the disk together, and then taken
//! into the catalog in one transaction; only then is it reported.

use super::advance::{Advance, Context, Edit, advance};
use super::catalog::{self, Catalog, Commit, Ending, Entry, Generation, RunEnd};
use super::copy::no_directory;
use super::folder::{Folder, same_file};
use super::generation::{self, Exchange, dated_definitions, free_stamp};
use super::glance::{Glance, Known};
use super::hash::Hash;
use super::held::{Partial, Place, as_stamp, dated, stamp};
use super::options::{FeedName, RunOptions, demand_sensible, feed_of_source};
use super::report::{CopyReport, Outcome};
use crate::error::{Error, Result, Status};
use crate::feed::{Paths, Retry};
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The file in the destination whose lock a run holds.
pub const LOCK_FILE: &str = ".emonfeed.lock";

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
    /// The next of these, with whether they are as the catalog says.
    glanced: VecDeque<(FeedName, bool)>,
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

/// Feeds that are looked at and not committed yet.
struct Batch {
    items: Vec<Item>,
    /// Feeds that were found complete without anything to write.
    seen: Vec<i64>,
    bytes: u64,
    edits: u64,
    since: Instant,
}

struct Item {
    feed: FeedName,
    done: Done,
    took: Duration,
    commit: Option<Commit>,
    edit: Option<Edit>,
}

impl Batch {
    fn new() -> Batch {
        Batch { items: vec![], seen: vec![], bytes: 0, edits: 0, since: Instant::now() }
    }

    /// Whether it is time to commit: what a crash undoes stays small, and
    /// reports do not wait for long.
    fn is_due(&self) -> bool {
        const BYTES: u64 = 128 << 20;
        const EDITS: u64 = 4 << 20;
        const ITEMS: usize = 10_000;
        const AGE: Duration = Duration::from_secs(2);
        self.bytes >= BYTES
            || self.edits >= EDITS
            || self.items.len() >= ITEMS
            || !self.items.is_empty() && self.since.elapsed() >= AGE
    }
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
            glanced: VecDeque::new(),
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
            if self.cut_short > 0 {
                sweep(to)?;
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
                self.glanced.clear();
                self.gone.clear();
                self.listed_again = true;
                return Err(error);
            }
            if !self.summary.stopped {
                if let Some((feed, is_as_before)) = self.next_feed() {
                    self.look_at(feed, is_as_before, progress);
                    if self.batch.is_due() {
                        self.flush();
                    }
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
        if !self.next.is_empty() || !self.glanced.is_empty() || !self.listed_again {
            self.summary.stopped = true;
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

    /// The next feed, and whether it is as the catalog says.
    fn next_feed(&mut self) -> Option<(FeedName, bool)> {
        /// So many are looked at by several threads at a time.
        const MANY: usize = 1024;
        if self.glanced.is_empty() {
            let count = if self.options.threads > 1 { MANY } else { 1 };
            let feeds: Vec<_> = self.next.drain(..count.min(self.next.len())).collect();
            let known: Vec<_> = feeds.iter().map(|feed| self.known(feed)).collect();
            let are = self.glance().are_as_before(&known, self.options.threads);
            self.glanced = feeds.into_iter().zip(are).collect();
        }
        self.glanced.pop_front()
    }

    /// What is known of a feed. Hashes that cannot be read are those of a closer
    /// look to complain of.
    fn known<'a>(&'a self, feed: &'a FeedName) -> Known<'a> {
        let entry = self.entries.get(feed.file());
        let hashes_of = |entry: &Entry| -> Option<Vec<(u64, Hash)>> {
            let due = self.glance().due(entry);
            if due.is_empty() {
                return Some(Vec::new());
            }
            let hashes = self.catalog.as_ref()?.hashes(entry.id, entry.file, entry.rows);
            let hashes = hashes.ok()?;
            Some(due.into_iter().map(|block| (block, hashes[block as usize])).collect())
        };
        match entry.map(hashes_of) {
            Some(Some(due)) => Known { feed, entry, due },
            Some(None) | None => Known { feed, entry: None, due: Vec::new() },
        }
    }

    fn glance(&self) -> Glance<'_> {
        Glance {
            from: &self.from,
            to: self.to.as_ref(),
            recheck: self.options.recheck,
            run: self.run,
            cut_short: self.cut_short,
        }
    }

    fn look_at(
        &mut self,
        feed: FeedName,
        is_as_before: bool,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) {
        let begun = Instant::now();
        if let Some(limit) = self.options.max_size {
            let bytes =
                std::fs::metadata(self.source.join(feed.file())).map(|meta| meta.len());
            if let Some(bytes) = bytes.ok().filter(|bytes| *bytes > limit) {
                self.wait(feed, Done::Skipped { bytes }, begun, None, None);
                return;
            }
        }
        if let Some(entry) = self.entries.get(feed.file()).filter(|_| is_as_before) {
            let report = CopyReport {
                rows_total: entry.rows,
                bytes_total: entry.len(),
                dry_run: self.options.dry_run,
                ..CopyReport::default()
            };
            self.wait(feed, Done::Copied(report), begun, None, None);
            return;
        }
        let mut so_far: Option<CopyReport> = None;
        loop {
            let step = self.advance(&feed, progress);
            match step {
                Ok((mut report, commit, edit, more)) => {
                    if let Some(earlier) = so_far.take() {
                        report = joined(earlier, report);
                    }
                    if !more || self.summary.stopped {
                        self.wait(feed, Done::Copied(report), begun, commit, edit);
                        return;
                    }
                    so_far = Some(report.clone());
                    let place = self.batch.items.len();
                    let feed = feed.clone();
                    self.wait(feed, Done::Copied(report), begun, commit, edit);
                    self.commit();
                    if self.broken.is_some() {
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
                    let took = begun.elapsed();
                    self.batch.items.push(Item {
                        feed,
                        done,
                        took,
                        commit: None,
                        edit: None,
                    });
                    return;
                }
            }
        }
    }

    /// Looks at a feed, until it stands still for that, and makes a new
    /// generation of its copy if that is needed.
    #[allow(clippy::type_complexity)] // Taken apart at once by its one caller.
    fn advance(
        &mut self,
        feed: &FeedName,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) -> Result<(CopyReport, Option<Commit>, Option<Edit>, bool)> {
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
        let paths = || Paths::new(&self.source.join(feed.file()).with_extension("MYD"));
        let mut retry = Retry::new();
        let looked = loop {
            let mut context = Context {
                source: &self.source,
                glance: self.glance(),
                folder: self.to.as_ref(),
                catalog: self.catalog.as_ref(),
                options: &self.options,
                progress: &mut written,
            };
            match advance(&mut context, feed, self.entries.get(feed.file())) {
                Err(e)
                    if !stop.get()
                        && paths().is_ok_and(|paths| retry.waits_out(&e, &paths)) => {}
                other => break other,
            }
        };
        self.pace = pace;
        if stop.get() {
            self.summary.stopped = true;
        }
        let Advance { mut report, commit, edit, exchange, more } = looked?;
        let (Some(exchange), Some(commit)) = (exchange, commit.as_ref()) else {
            return Ok((report, commit, edit, more));
        };
        let (Some(to), Some(catalog), Some(entry)) =
            (&self.to, &mut self.catalog, self.entries.get(feed.file()))
        else {
            return Err(Error::new(
                Status::Internal,
                "a new generation of an unknown copy",
            ));
        };
        let replacing =
            Replacing { to, entry, feed, run: self.run, keep: self.options.keep };
        match replacing.replace(catalog, exchange, commit, &mut report) {
            Ok(entry) => {
                self.entries.insert(feed.file().to_owned(), entry);
                if let Err(error) = generation::remove_retired(catalog, to) {
                    self.summary.not_deleted = Some(error.to_string());
                }
                let kept = report.kept.as_deref().and_then(Path::file_name);
                if kept.map_or(Ok(None), |name| to.stat(name))?.is_none() {
                    report.kept = None;
                }
                Ok((report, None, None, more))
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
    fn wait(
        &mut self,
        feed: FeedName,
        done: Done,
        begun: Instant,
        commit: Option<Commit>,
        edit: Option<Edit>,
    ) {
        if let (Done::Copied(_), None, Some(entry)) =
            (&done, &commit, self.entries.get(feed.file()))
        {
            self.batch.seen.push(entry.id);
        }
        let took = begun.elapsed();
        let is_failing =
            matches!(done, Done::Failed(_)) || self.failing.contains_key(feed.file());
        if self.batch.items.is_empty() {
            if commit.is_none() && !is_failing {
                self.ready.push_back(FeedReport { feed, done, took });
                return;
            }
            self.batch.since = begun;
        }
        if let Done::Copied(report) = &done {
            self.batch.bytes += report.bytes_copied;
        }
        self.batch.edits += edit.as_ref().map_or(0, Edit::bytes);
        self.batch.items.push(Item { feed, done, took, commit, edit });
    }

    /// Commits what waits, and has it reported.
    fn flush(&mut self) {
        self.commit();
        self.settle();
    }

    /// Has what waited reported.
    fn settle(&mut self) {
        for Item { feed, done, took, .. } in std::mem::take(&mut self.batch.items) {
            self.ready.push_back(FeedReport { feed, done, took });
        }
        (self.batch.bytes, self.batch.edits) = (0, 0);
    }

    /// Puts what waits on the disk and takes it into the catalog. If that
    /// fails, none of it counts, and the run is over.
    fn commit(&mut self) {
        if self.options.dry_run {
            return;
        }
        let committed = match (&self.broken, &self.over) {
            (None, None) => self.try_commit(),
            (Some(why), _) => Err(Error::new(why.status(), why.to_string())),
            (None, Some(why)) => Err(Error::new(Status::Catalog, why.clone())),
        };
        if let Err(error) = committed {
            for item in &mut self.batch.items {
                if matches!(item.done, Done::Copied(_)) {
                    let why = format!("it was copied, but not made to last: {error}");
                    item.done = Done::Failed(Error::new(error.status(), why));
                }
            }
            self.batch.seen.clear();
            if self.over.is_none() {
                self.broken.get_or_insert(error);
            }
        }
    }

    fn try_commit(&mut self) -> Result<()> {
        let (Some(to), Some(catalog)) = (&self.to, &mut self.catalog) else {
            return Ok(());
        };
        let batch = &mut self.batch;
        if batch.items.is_empty() {
            return Ok(());
        }
        let run = self.run;
        let entries = &mut self.entries;
        // A copy that is mended gives up nothing.
        let gives_up = |edit: &&Edit| !edit.cells.is_empty();
        if batch.items.iter().any(|item| item.edit.is_some()) {
            catalog.write(|db| {
                for item in &batch.items {
                    let edit = item.edit.as_ref().filter(gives_up);
                    let (Some(edit), Some(entry)) = (edit, entries.get(item.feed.file()))
                    else {
                        continue;
                    };
                    Catalog::begin_generation(db, &ended(edit, entry, run), &edit.cells)?;
                }
                Ok(())
            })?;
            for item in &mut batch.items {
                if let Some(edit) = &item.edit {
                    overwrite(to, &item.feed, edit)?;
                    if let Some(commit) = &mut item.commit {
                        commit.ends_generation = gives_up(&edit);
                    }
                }
            }
        }
        if batch.items.iter().any(|item| item.commit.is_some()) {
            sync(to, &batch.items)?;
        }
        let failing = &mut self.failing;
        let keep = self.options.keep;
        let seen = &batch.seen;
        let items = &batch.items;
        let changed = catalog.write(|db| {
            let mut changed = Vec::new();
            for item in items {
                let name = item.feed.file();
                if let Some(commit) = &item.commit {
                    let entry = catalog::put(db, commit, entries.get(name), run, keep)?;
                    changed.push((name.to_owned(), entry));
                }
                match &item.done {
                    Done::Failed(error) => {
                        catalog::put_failure(db, name, run, &error.to_string())?;
                    }
                    _ if failing.contains_key(name) => catalog::forget_failure(db, name)?,
                    _ => {}
                }
            }
            for feed in seen {
                catalog::put_seen(db, *feed, run)?;
            }
            Ok(changed)
        })?;
        entries.extend(changed);
        for item in items {
            if !matches!(item.done, Done::Failed(_)) {
                failing.remove(item.feed.file());
            }
        }
        batch.seen.clear();
        for item in &mut batch.items {
            (item.commit, item.edit) = (None, None);
        }
        Ok(())
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
        self.batch.items.push(Item { feed, done, took, commit: None, edit: None });
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

/// A directory in which several runs have their destinations. Nobody else's
/// runs do meanwhile.
pub struct Destinations {
    _lock: Option<File>,
}

impl Destinations {
    /// Makes the directory if it is not there, checks it as one run does its
    /// destination, and locks it.
    pub fn open<'a>(
        sources: impl IntoIterator<Item = &'a Path>,
        path: &Path,
        options: &RunOptions,
    ) -> Result<Destinations> {
        for source in sources {
            let from = Folder::open(source)?.ok_or_else(|| no_directory(source))?;
            demand_place(&from, path, options)?;
        }
        let folder = open_destination(path, options.dry_run)?;
        if let Some(folder) = &folder {
            folder.demand_private(options.trust_owner)?;
        }
        let folder = folder.filter(|_| !options.dry_run);
        Ok(Destinations { _lock: folder.as_ref().map(lock).transpose()? })
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

/// The generation that an edit ends.
fn ended(edit: &Edit, entry: &Entry, run: i64) -> Generation {
    Generation {
        feed: entry.id,
        number: entry.generation,
        ending: edit.ending,
        run,
        file: entry.file,
        stride: entry.stride,
        rows: entry.rows,
        stamp: None,
        reason: edit.reason.clone(),
    }
}

fn overwrite(to: &Folder, feed: &FeedName, edit: &Edit) -> Result<()> {
    let name = OsStr::new(feed.file());
    let gone = || Error::new(Status::Changed, "somebody removed it").at(&to.join(name));
    let opened = to.open_file(name, true)?.ok_or_else(gone)?;
    for (offset, rows) in &edit.writes {
        opened
            .file
            .write_all_at(rows, *offset)
            .map_err(|e| Error::io("write", &to.join(name), e).at_offset(*offset))?;
    }
    Ok(())
}

/// Puts what was written on the disk.
fn sync(to: &Folder, items: &[Item]) -> Result<()> {
    if to.syncs_whole() {
        return to.sync_whole();
    }
    for item in items.iter().filter(|item| item.commit.is_some()) {
        let place = Place { folder: to, name: OsStr::new(item.feed.file()) };
        to.sync_file(place.name)?;
        for suffix in place.definition_suffixes()? {
            to.sync_file(&place.sibling(&suffix))?;
        }
    }
    to.sync()
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

/// Refuses places that a backup does not belong in: the source's own disk, and
/// the folder of a disk that is not mounted.
fn demand_place(from: &Folder, destination: &Path, options: &RunOptions) -> Result<()> {
    // What it is in, if it is not made yet.
    let mut there = destination;
    let device = loop {
        let path = if there.as_os_str().is_empty() { Path::new(".") } else { there };
        match std::fs::metadata(path) {
            Ok(meta) => break meta.dev(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => match there.parent() {
                Some(parent) => there = parent,
                None => return Err(Error::io("inspect", destination, e)),
            },
            Err(e) => return Err(Error::io("inspect", path, e)),
        }
    };
    let refuse = |why: &str| Err(Error::new(Status::Destination, why).at(destination));
    if options.require_mount {
        let root =
            std::fs::metadata("/").map_err(|e| Error::io("inspect", "/".as_ref(), e))?;
        // A machine may have none of these files.
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (fstab, mounts) = (read("/etc/fstab"), read("/proc/self/mountinfo"));
        let path = std::path::absolute(destination).unwrap_or_default();
        if let Some(point) = unmounted(&fstab, &mounts, &path) {
            return refuse(&format!(
                "/etc/fstab names a disk for {point}, which is not mounted (--require-mount)"
            ));
        }
        if root.dev() == device {
            return refuse(
                "this is on the disk of the root directory, so the disk that should be mounted \
                 here is not (--require-mount)",
            );
        }
    }
    if !options.same_device && from.identity()?.st_dev == device {
        return refuse(
            "this is on the same disk as the source, which a backup should survive; if it is \
             meant so, say --same-device",
        );
    }
    Ok(())
}

/// A directory above `path` for which `/etc/fstab` names a disk, and that has
/// none mounted by what `/proc/self/mountinfo` says.
fn unmounted(fstab: &str, mounts: &str, path: &Path) -> Option<String> {
    // Both files write a space as \040.
    let decoded = |point: &str| point.replace("\\040", " ");
    fstab
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|point| *point != "/" && point.starts_with('/'))
        .map(|point| point.trim_end_matches('/'))
        .filter(|point| path.starts_with(decoded(point)))
        .find(|point| !mounts.lines().any(|line| line.split(' ').nth(4) == Some(*point)))
        .map(decoded)
}

/// Refuses the source itself and a server's folder. Each copy would be refused,
/// too; but a lock file left in a database makes its DROP DATABASE fail.
fn demand_no_source(
    from: &Folder,
    to: &Folder,
    destination: &Path,
    options: &RunOptions,
) -> Result<()> {
    if same_file(&from.identity()?, &to.identity()?) {
        return Err(Error::new(
            Status::Argument,
            "source and destination are the same directory",
        )
        .at(destination));
    }
    let is_index = |name: &OsString| {
        let name = Path::new(name);
        name.extension() == Some(OsStr::new("MYI"))
            && feed_of_source(name, &options.prefix).is_some()
    };
    if Catalog::is_in(to)? {
        return Ok(());
    }
    if to.stat(OsStr::new("db.opt"))?.is_some() || to.names()?.iter().any(is_index) {
        return Err(Error::new(
            Status::Destination,
            "this is the directory of a database server (there is a db.opt, or a feed's \
             .MYI), no place for copies: are source and destination exchanged?",
        )
        .at(destination));
    }
    Ok(())
}

/// Opens the destination, which is made if its parent exists, and not in a dry
/// run.
fn open_destination(path: &Path, dry_run: bool) -> Result<Option<Folder>> {
    if let Some(folder) = Folder::open(path)? {
        return Ok(Some(folder));
    }
    if dry_run {
        return Ok(None);
    }
    // The readings of a household are nobody else's business.
    const OWNER_ONLY: u32 = 0o700;
    DirBuilder::new()
        .mode(OWNER_ONLY)
        .create(path)
        .map_err(|e| Error::io("make the directory", path, e))?;
    Folder::open(path)
}

fn lock(folder: &Folder) -> Result<File> {
    let name = OsStr::from_bytes(LOCK_FILE.as_bytes());
    folder.lock_file(name)?.ok_or_else(|| {
        Error::new(
            Status::Locked,
            "another run, or `emonfeed verify`, holds the lock on this destination",
        )
        .at(&folder.join(name))
    })
}

/// Keeps to a number of bytes per second.
struct Pace {
    bytes_per_second: u64,
    begun: Instant,
    bytes: u64,
}

impl Pace {
    fn new(bytes_per_second: u64) -> Pace {
        Pace {
            bytes_per_second: bytes_per_second.max(1),
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// The time after which so many bytes are due.
    fn due(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
    }

    /// Counts bytes that were written.
    fn take(&mut self, bytes: u64) {
        /// Time not used is not saved up for longer than this.
        const BURST: Duration = Duration::from_secs(1);
        if self.begun.elapsed() > self.due(self.bytes) + BURST {
            self.begun = Instant::now();
            self.bytes = 0;
        }
        self.bytes += bytes;
    }

    /// Waits a moment; whether there is more to wait.
    fn rest(&self) -> bool {
        const MOMENT: Duration = Duration::from_millis(100);
        let ahead = self.due(self.bytes).saturating_sub(self.begun.elapsed());
        std::thread::sleep(ahead.min(MOMENT));
        ahead > MOMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_fstab_that_is_not_mounted_is_noticed() {
        let fstab = "# disks\n/dev/sda1 / ext4 defaults 0 1\n\
                     UUID=1 /mnt/usb  vfat nofail 0 0\n/dev/sdc1 /mnt/my\\040disk/ ext4 x 0 2\n\
                     /dev/sdb2 none swap sw 0 0\n#/dev/sdd1 /old ext4 x 0 0\n";
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      30 22 8:17 / /mnt/usb rw - vfat /dev/sdb1 rw\n";
        let of = |path: &str| unmounted(fstab, mounts, Path::new(path));
        assert_eq!(of("/mnt/my disk/feeds").as_deref(), Some("/mnt/my disk"));
        for mounted in ["/mnt/usb/feeds", "/mnt/usb", "/home/pi", "/old/x", "/mnt/usbx"] {
            assert_eq!(of(mounted), None, "{mounted}");
        }
        let nothing = unmounted(fstab, "", Path::new("/mnt/usb/feeds"));
        assert_eq!(nothing.as_deref(), Some("/mnt/usb"));
    }

    #[test]
    fn the_pace_is_kept() {
        let begun = Instant::now();
        let mut pace = Pace::new(1_000_000);
        for _ in 0..10 {
            pace.take(10_000);
            while pace.rest() {}
        }
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(100), "{took:?}");
    }
}
