//! What a destination holds, by its catalog.

use super::catalog::{Catalog, Entry, Kind, PastRun};
use super::destination::LOCK_FILE;
use super::folder::Folder;
use super::options::{FeedName, RunOptions, demand_sensible, feed_of_source};
use crate::error::{Error, Result, Status};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// How a copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The last run found it complete.
    Ok,
    /// The last run that looked at it could not copy it; why.
    Failing(String),
    /// It has not been complete yet: no run came to its end.
    Incomplete,
    /// The source does not have it any more. The copy stays.
    SourceGone,
    /// The last run did not look at it: it was left out, or the source does not
    /// have it any more.
    LeftOut,
}

impl Health {
    /// One word, the same in tables and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Failing(_) => "failing",
            Health::Incomplete => "incomplete",
            Health::SourceGone => "source-gone",
            Health::LeftOut => "left-out",
        }
    }

    /// Whether something is to be done about it.
    pub fn is_fine(&self) -> bool {
        !matches!(self, Health::Failing(_) | Health::Incomplete)
    }
}

/// What the catalog says of one copy.
#[derive(Clone, Debug)]
pub struct FeedState {
    /// Which feed.
    pub feed: FeedName,
    /// What wrote it; `None` if it was never copied.
    pub kind: Option<Kind>,
    /// Rows that are on the disk.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Counts the states the copy has been in; 0 if it was never copied.
    pub generation: u64,
    /// How many of the old ones are kept.
    pub kept: u64,
    /// When its last reading was, Unix seconds.
    pub last_reading: Option<i64>,
    /// When the last run began that found it complete, Unix seconds.
    pub last_success: Option<i64>,
    /// How it is.
    pub health: Health,
}

/// What the catalog says of a destination.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    /// Where it is.
    pub path: PathBuf,
    /// When the run began that is at work, Unix seconds.
    pub running: Option<i64>,
    /// The last run, but for one that is at work. It has no outcome if it was
    /// killed.
    pub last_run: Option<PastRun>,
    /// The last run that copied everything it was asked for.
    pub last_success: Option<PastRun>,
    /// The copies, the one first that was complete longest ago.
    pub feeds: Vec<FeedState>,
}

impl Destination {
    /// Reads the catalog of a destination; `None` if there is none. Only the
    /// feeds that the options choose are told of.
    pub fn read(path: &Path, options: &RunOptions) -> Result<Option<Destination>> {
        demand_sensible(options)?;
        let folder = Folder::open(path)?.ok_or_else(|| no_destination(path))?;
        let Some(catalog) = Catalog::open_read_only(&folder)? else { return Ok(None) };
        catalog.hold_still()?;
        let (last, last_success) = catalog.last_runs()?;
        let mut running = None;
        let mut last_run = last.clone();
        if let Some(run) = last.filter(|run| run.seconds.is_none()) {
            // Only then is the lock looked at: a run that begins at this very
            // moment would find it taken.
            if folder.share_lock(OsStr::new(LOCK_FILE))?.is_none() {
                running = Some(run.started);
                last_run = catalog.last_ended_run(false)?.map(|(_, run)| run);
            }
        }
        let feeds = feeds(&catalog, options)?;
        Ok(Some(Destination {
            path: path.to_owned(),
            running,
            last_run,
            last_success,
            feeds,
        }))
    }

    /// Rows of all copies.
    pub fn rows(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.rows).sum()
    }

    /// Bytes of all copies.
    pub fn bytes(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.bytes).sum()
    }

    /// When the copy was complete that was so longest ago, of those whose
    /// source is not gone; Unix seconds, 0 if one never was. `None` if there
    /// are no copies.
    pub fn oldest_success(&self) -> Option<i64> {
        let there = self.feeds.iter().filter(|feed| feed.health != Health::SourceGone);
        there.map(|feed| feed.last_success.unwrap_or(0)).min()
    }

    /// Whether the last run copied everything, and no copy has a problem.
    pub fn is_fine(&self) -> bool {
        let outcome = self.last_run.as_ref().and_then(|run| run.outcome.as_deref());
        outcome == Some("ok") && self.feeds.iter().all(|feed| feed.health.is_fine())
    }
}

fn feeds(catalog: &Catalog, options: &RunOptions) -> Result<Vec<FeedState>> {
    let entries = catalog.entries()?;
    let successes = catalog.successes()?;
    let kept = catalog.kept()?;
    let mut failures = catalog.failures()?;
    let last = catalog.last_ended_run(true)?;
    let in_source = last.as_ref().and_then(|(_, run)| listing(&run.source, options));
    let last = last.map_or(0, |(number, _)| number);
    let chosen = |name: &str| {
        FeedName::of_file(name, &options.prefix).filter(|feed| feed.is_selected(options))
    };
    let health = |entry: &Entry, feed: &FeedName, failure: Option<String>| {
        if let Some(message) = failure {
            return Health::Failing(message);
        }
        match &in_source {
            _ if entry.seen >= last && entry.seen > 0 => Health::Ok,
            Some(names) if !names.contains(feed.file()) => Health::SourceGone,
            _ if entry.seen > 0 => Health::LeftOut,
            _ => Health::Incomplete,
        }
    };
    let mut feeds = Vec::new();
    for (name, entry) in &entries {
        let failure = failures.remove(name);
        let Some(feed) = chosen(name) else { continue };
        feeds.push(FeedState {
            kind: Some(entry.kind),
            rows: entry.rows,
            bytes: entry.len(),
            generation: entry.generation.unsigned_abs(),
            kept: kept.get(&entry.id).copied().unwrap_or(0),
            last_reading: entry.last_time,
            last_success: successes.get(&entry.id).copied(),
            health: health(entry, &feed, failure),
            feed,
        });
    }
    for (name, message) in failures {
        let Some(feed) = chosen(&name) else { continue };
        feeds.push(FeedState {
            feed,
            kind: None,
            rows: 0,
            bytes: 0,
            generation: 0,
            kept: 0,
            last_reading: None,
            last_success: None,
            health: Health::Failing(message),
        });
    }
    feeds.sort_by(|a, b| (a.last_success, &a.feed).cmp(&(b.last_success, &b.feed)));
    Ok(feeds)
}

/// The feeds that the source of the last run has now, if it can be looked into
/// from here and is not simply not mounted.
fn listing(source: &str, options: &RunOptions) -> Option<HashSet<String>> {
    let source = Path::new(source);
    // One that was named relative to somewhere else is another one here.
    let entries = std::fs::read_dir(Some(source).filter(|path| path.is_absolute())?);
    let feed = |entry: std::io::Result<std::fs::DirEntry>| {
        feed_of_source(Path::new(&entry.ok()?.file_name()), &options.prefix)
    };
    let names: HashSet<String> =
        entries.ok()?.filter_map(feed).map(|feed| feed.file().to_owned()).collect();
    Some(names).filter(|names| !names.is_empty())
}

/// The destinations that a directory is or holds: itself, if it has a catalog,
/// and the directories in it that have one, as a backup of several sources
/// makes them. None if there is no catalog at all.
pub fn destinations(path: &Path) -> Result<Vec<PathBuf>> {
    let folder = Folder::open(path)?.ok_or_else(|| no_destination(path))?;
    let mut found = Vec::new();
    if Catalog::is_in(&folder)? {
        found.push(path.to_owned());
    }
    let cannot = |e| Error::io("list", path, e);
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        // Links lead elsewhere.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below.push(path.join(entry.file_name()));
        }
    }
    below.sort();
    // What cannot be looked into is no destination of ours.
    let is_one = |path: &PathBuf| matches!(Folder::open(path), Ok(Some(inner)) if Catalog::is_in(&inner).unwrap_or(false));
    found.extend(below.into_iter().filter(is_one));
    Ok(found)
}

pub(super) fn no_destination(path: &Path) -> Error {
    Error::new(Status::NotFound, "no such directory").at(path)
}
