//! Feeds that are committed together: what was written of them is put on the disk
//! at once, and then taken into the catalog in one transaction.

use super::advance::Edit;
use super::catalog::{self, Catalog, Commit, Entry, Generation};
use super::folder::Folder;
use super::naming::Naming;
use super::options::FeedName;
use super::run::Done;
use crate::error::{Error, Result, Status};
use rusqlite::Connection;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

/// Feeds that are looked at and not committed yet.
pub(super) struct Batch {
    pub items: Vec<Item>,
    /// Feeds that were found complete without anything to write.
    pub seen: Vec<i64>,
    bytes: u64,
    edits: u64,
    since: Instant,
}

/// What was done about one of them, and is still to be done.
pub(super) struct Item {
    pub feed: FeedName,
    pub done: Done,
    pub took: Duration,
    pub commit: Option<Commit>,
    pub edit: Option<Edit>,
    pub names: Vec<Naming>,
}

impl Item {
    pub(super) fn new(feed: FeedName, done: Done, took: Duration) -> Item {
        Item { feed, done, took, commit: None, edit: None, names: Vec::new() }
    }
}

impl Batch {
    pub(super) fn new() -> Batch {
        Batch { items: vec![], seen: vec![], bytes: 0, edits: 0, since: Instant::now() }
    }

    /// Whether it is time to commit: what a crash undoes stays small, and
    /// reports do not wait for long.
    pub(super) fn is_due(&self) -> bool {
        const BYTES: u64 = 128 << 20;
        const EDITS: u64 = 4 << 20;
        const ITEMS: usize = 10_000;
        const AGE: Duration = Duration::from_secs(2);
        self.bytes >= BYTES
            || self.edits >= EDITS
            || self.items.len() >= ITEMS
            || !self.items.is_empty() && self.since.elapsed() >= AGE
    }

    pub(super) fn push(&mut self, item: Item) {
        if self.items.is_empty() {
            self.since = Instant::now();
        }
        if let Done::Copied(report) = &item.done {
            self.bytes += report.bytes_copied;
        }
        self.edits += item.edit.as_ref().map_or(0, Edit::bytes);
        self.items.push(item);
    }

    /// Takes out what was committed, or is given up.
    pub(super) fn settle(&mut self) -> Vec<Item> {
        (self.bytes, self.edits) = (0, 0);
        std::mem::take(&mut self.items)
    }

    /// Says of all that was copied that it does not count.
    pub(super) fn fail(&mut self, error: &Error, to: Option<&Folder>) {
        for item in &mut self.items {
            if matches!(item.done, Done::Copied(_)) {
                let why = format!("it was copied, but not made to last: {error}");
                item.done = Done::Failed(Error::new(error.status(), why));
            }
            if let Some(to) = to {
                item.names.iter().for_each(|naming| naming.give_up(to));
            }
            item.names.clear();
        }
        self.seen.clear();
    }

    /// Puts all of it on the disk and takes it into the catalog; or none of it, if
    /// this fails. A feed whose files cannot be given their names fails alone.
    pub(super) fn commit(&mut self, ledger: Ledger) -> Result<()> {
        let Ledger { to, catalog, entries, failing, run, keep, threads } = ledger;
        if self.items.is_empty() {
            return Ok(());
        }
        self.overwrite(to, catalog, entries, run)?;
        let items = &self.items;
        let put = |db: &Connection, item: &Item| -> rusqlite::Result<Option<Entry>> {
            let name = item.feed.file();
            match &item.done {
                Done::Failed(error) => {
                    catalog::put_failure(db, name, run, &error.to_string())?;
                }
                _ if failing.contains_key(name) => catalog::forget_failure(db, name)?,
                _ => {}
            }
            let Some(commit) = &item.commit else { return Ok(None) };
            catalog::put(db, commit, entries.get(name), run, keep).map(Some)
        };
        let seen = &self.seen;
        let mut unnamed = Vec::new();
        let changed = thread::scope(|scope| {
            let sync = || sync(to, items);
            // Beside the work for the catalog, if there may be threads.
            let begun = (threads > 1)
                .then(|| thread::Builder::new().spawn_scoped(scope, sync).ok())
                .flatten();
            catalog.write_unless(|db| {
                let mut changed = Vec::new();
                for item in items.iter().filter(|item| item.names.is_empty()) {
                    changed
                        .extend(put(db, item)?.map(|entry| (item.feed.clone(), entry)));
                }
                for feed in seen {
                    catalog::put_seen(db, *feed, run)?;
                }
                let synced = match begun {
                    Some(thread) => thread.join().unwrap_or_else(|_| {
                        Err(Error::new(Status::Internal, "a fault ended a sync"))
                    }),
                    None => sync(),
                };
                if let Err(error) = synced {
                    return Ok(Err(error));
                }
                for (at, item) in items.iter().enumerate() {
                    if item.names.is_empty() {
                        continue;
                    }
                    match item.names.iter().try_for_each(|naming| naming.carry_out(to)) {
                        Ok(()) => {
                            let entry = put(db, item)?;
                            changed.extend(entry.map(|entry| (item.feed.clone(), entry)));
                        }
                        Err(error) => {
                            let name = item.feed.file();
                            catalog::put_failure(db, name, run, &error.to_string())?;
                            unnamed.push((at, error));
                        }
                    }
                }
                if items.iter().any(|item| !item.names.is_empty()) {
                    if let Err(error) = to.sync() {
                        return Ok(Err(error));
                    }
                }
                Ok(Ok(changed))
            })
        })?;
        for (at, error) in unnamed {
            let item = &mut self.items[at];
            item.names.iter().for_each(|naming| naming.give_up(to));
            item.done = Done::Failed(error);
        }
        for (feed, entry) in changed {
            entries.insert(feed.file().to_owned(), entry);
        }
        for item in &self.items {
            if !matches!(item.done, Done::Failed(_)) {
                failing.remove(item.feed.file());
            }
        }
        self.seen.clear();
        for item in &mut self.items {
            (item.commit, item.edit) = (None, None);
            item.names.clear();
        }
        Ok(())
    }

    /// Overwrites rows; the catalog takes in first what they were.
    fn overwrite(
        &mut self,
        to: &Folder,
        catalog: &mut Catalog,
        entries: &HashMap<String, Entry>,
        run: i64,
    ) -> Result<()> {
        // A copy that is mended gives up nothing.
        let gives_up = |edit: &&Edit| !edit.cells.is_empty();
        if self.items.iter().all(|item| item.edit.is_none()) {
            return Ok(());
        }
        catalog.write(|db| {
            for item in &self.items {
                let edit = item.edit.as_ref().filter(gives_up);
                let (Some(edit), Some(entry)) = (edit, entries.get(item.feed.file()))
                else {
                    continue;
                };
                Catalog::begin_generation(db, &ended(edit, entry, run), &edit.cells)?;
            }
            Ok(())
        })?;
        for item in &mut self.items {
            if let Some(edit) = &item.edit {
                overwrite(to, &item.feed, edit)?;
                if let Some(commit) = &mut item.commit {
                    commit.ends_generation = gives_up(&edit);
                }
            }
        }
        Ok(())
    }
}

/// What a commit changes.
pub(super) struct Ledger<'a> {
    pub to: &'a Folder,
    pub catalog: &'a mut Catalog,
    pub entries: &'a mut HashMap<String, Entry>,
    /// Names of feeds that failed before.
    pub failing: &'a mut HashMap<String, String>,
    pub run: i64,
    pub keep: u64,
    pub threads: usize,
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
        definition: entry.definition,
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
    let mut written = items.iter().filter(|item| item.commit.is_some()).peekable();
    if written.peek().is_none() {
        return Ok(());
    }
    if to.syncs_whole() {
        return to.sync_whole();
    }
    for item in written {
        to.sync_file(OsStr::new(item.feed.file()))?;
        for partial in item.names.iter().filter_map(Naming::partial) {
            to.sync_file(partial)?;
        }
    }
    to.sync()
}
