//! Tables kept open between queries, so that a long-lived worker pays for
//! page faults and order checks once. Bounded; every use looks at the files
//! again.

use super::Options;
use super::files::Paths;
use super::process;
use super::snapshot::View;
use super::table::{Table, changed};
use crate::error::Result;
use rustix::fs::{Advice, fadvise};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Tables held open at most, with two or three descriptors each: a page of emoncms
/// that lists feeds asks for all of a user's in turn, and a feed that had to
/// make room is read anew. 32-bit processes have no addresses for so many.
const MAX_TABLES: usize = if cfg!(target_pointer_width = "64") { 192 } else { 64 };
/// Memory for the orders of rows at most, in bytes; the one in use excepted.
const MAX_FOOTPRINT: usize = 256 << 20;
/// Addresses for mappings at most, the one in use excepted: a process of 32 bits has
/// 2 to 4 GiB of them, and the program around this library needs most of those.
const MAX_MAPPED: u64 =
    if cfg!(target_pointer_width = "64") { 1 << 47 } else { 512 << 20 };

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    paths: Paths,
    options: Options,
}

/// A table and what was last found out about its rows.
pub(super) struct Entry {
    pub(super) table: Arc<Table>,
    view: Mutex<Option<Arc<View>>>,
    /// What was known of rows without reading them did not fit them.
    mistrusts: AtomicBool,
}

impl Entry {
    /// What is remembered of the rows, if a glance at the files tells that it
    /// is still true. Not for files that are read under a lock.
    pub(super) fn known_view(&self) -> Option<Arc<View>> {
        let state = self.table.glance().ok()??;
        let view = lock(&self.view).clone().filter(|view| view.holds(&state))?;
        (!state.is_being_rewritten(SystemTime::now())).then_some(view)
    }

    /// What is true of the rows now: as remembered, or read anew. Of threads
    /// that ask together, one reads.
    pub(super) fn view(&self, options: &Options) -> Result<Arc<View>> {
        let mut kept = lock(&self.view);
        let state = self.table.state()?;
        if state.is_being_rewritten(SystemTime::now()) {
            return Err(changed().at(self.table.path()));
        }
        if let Some(view) = kept.as_ref().filter(|view| view.holds(&state)) {
            return Ok(view.clone());
        }
        let trusts = !self.mistrusts.load(Ordering::Relaxed);
        let view = View::build(&self.table, state, options, kept.take(), trusts)?;
        if view.was_read() {
            self.mistrusts.store(false, Ordering::Relaxed);
        }
        let view = Arc::new(view);
        *kept = Some(view.clone());
        drop(kept);
        cache().shrink();
        Ok(view)
    }

    /// Forgets `view` if some of it was known without reading the rows, and
    /// reads all of them next time. Whether it was.
    pub(super) fn forget(&self, view: &Arc<View>) -> bool {
        if view.was_read() {
            return false;
        }
        let mut kept = lock(&self.view);
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, view)) {
            *kept = None;
        }
        self.mistrusts.store(true, Ordering::Relaxed);
        true
    }

    /// Memory held for it, and addresses, in bytes.
    fn footprint(&self) -> (usize, u64) {
        // An entry whose view is being built this moment is in use.
        let Ok(kept) = self.view.try_lock() else { return (0, 0) };
        kept.as_ref().map_or((0, 0), |view| (view.footprint(), view.mapped()))
    }

    /// Whether the rows' file has no name any more: only this process keeps
    /// its blocks from being freed.
    fn is_deleted(&self) -> bool {
        self.table.data().metadata().is_ok_and(|meta| meta.nlink() == 0)
    }
}

pub(super) struct Cache {
    tables: BTreeMap<Key, (Arc<Entry>, u64)>,
    clock: u64,
}

fn cache() -> MutexGuard<'static, Cache> {
    lock(&process::current().cache)
}

/// What is behind a lock is whole between statements, so that a panic
/// elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The table at `paths` as it was when last used.
pub(super) fn kept(paths: &Paths, options: &Options) -> Option<Arc<Entry>> {
    let key = Key { paths: paths.clone(), options: options.clone() };
    let mut cache = cache();
    cache.clock += 1;
    let clock = cache.clock;
    cache.tables.get_mut(&key).map(|(entry, used)| {
        *used = clock;
        entry.clone()
    })
}

/// The table at `paths`, as it is now.
pub(super) fn table(paths: &Paths, options: &Options) -> Result<Arc<Entry>> {
    let key = Key { paths: paths.clone(), options: options.clone() };
    if let Some(entry) = kept(paths, options) {
        if entry.table.is_current()? {
            return Ok(entry);
        }
        cache().tables.remove(&key);
    }
    let table = loop {
        match Table::open(paths, options) {
            Ok(table) => break Arc::new(table),
            // Those held open for later are in the way of one that is wanted.
            Err(e) if e.is_short_of_descriptors() && cache().drop_oldest() => {}
            Err(e) => return Err(e),
        }
    };
    // While a server exchanges the files, some may be of one table and some of
    // another.
    if !table.is_current()? {
        return Err(changed().at(table.path()));
    }
    // Look-ups jump about; scans ask for read-ahead themselves. A hint.
    let _ = fadvise(table.data(), 0, None, Advice::Random);
    let entry = Arc::new(Entry {
        table,
        view: Mutex::default(),
        mistrusts: AtomicBool::new(false),
    });
    let mut cache = cache();
    cache.tables.retain(|_, (entry, _)| !entry.is_deleted());
    let clock = cache.clock;
    cache.tables.insert(key, (entry.clone(), clock));
    cache.shrink();
    Ok(entry)
}

impl Cache {
    pub(super) const fn new() -> Cache {
        Cache { tables: BTreeMap::new(), clock: 0 }
    }

    fn shrink(&mut self) {
        while self.tables.len() > MAX_TABLES
            || (self.tables.len() > 1 && self.is_too_large())
        {
            if !self.drop_oldest() {
                break;
            }
        }
    }

    fn is_too_large(&self) -> bool {
        let all = self.tables.values().map(|(entry, _)| entry.footprint());
        let (memory, mapped) =
            all.fold((0, 0), |(m, a), (memory, mapped)| (m + memory, a + mapped));
        memory > MAX_FOOTPRINT || mapped > MAX_MAPPED
    }

    /// Drops the table that was used longest ago, if there is one.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.tables.iter().min_by_key(|(_, (_, used))| *used);
        let oldest = oldest.map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.tables.remove(&key).is_some())
    }
}
