//! What is kept for the whole process, and what becomes of that in a child
//! that `fork()` made.
//!
//! Such a child has one thread, and the memory as it was. If another thread was
//! in a call, its locks stay locked and what it was about to finish stays
//! half done. The child must then not touch any of it: it begins anew. If no
//! thread was in a call, it goes on with all that was kept.

use super::cache::Cache;
use super::guard::Slots;
use super::sdi::Listing;
use once_cell::race::OnceBox;
use rustix::process::getpid;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Each child that had to begin anew appends one; the last counts.
pub(super) struct Process {
    /// The number of the process it belongs to, and how many calls it is in, in
    /// the lower half. 0 at first.
    users: AtomicU64,
    pub(super) cache: Mutex<Cache>,
    /// The last directory that was looked at for `.sdi` files.
    pub(super) listing: Mutex<Option<Listing>>,
    pub(super) slots: Slots,
    next: OnceBox<Process>,
}

static FIRST: Process = Process::new();

const CALLS: u64 = u32::MAX as u64;

impl Process {
    const fn new() -> Process {
        Process {
            users: AtomicU64::new(0),
            cache: Mutex::new(Cache::new()),
            listing: Mutex::new(None),
            slots: Slots::new(),
            next: OnceBox::new(),
        }
    }

    /// Whether a call by process `id` may begin here, where none of another
    /// process's is unfinished.
    fn admits(&self, id: u64) -> bool {
        let mut users = self.users.load(Ordering::Acquire);
        loop {
            if users >> 32 != id && users & CALLS != 0 {
                return false;
            }
            let more = id << 32 | ((users & CALLS) + 1);
            match self.users.compare_exchange_weak(
                users,
                more,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => users = now,
            }
        }
    }
}

/// All of them. Does only what a signal handler may.
pub(super) fn all() -> impl Iterator<Item = &'static Process> {
    std::iter::successors(Some(&FIRST), |process| process.next.get())
}

/// The one that counts. Within a [`Call`] that stays the same.
pub(super) fn current() -> &'static Process {
    all().last().unwrap_or(&FIRST)
}

/// Held by whoever uses what is kept.
pub(super) struct Call(&'static Process);

impl Call {
    pub(super) fn begin() -> Call {
        let id = u64::from(getpid().as_raw_nonzero().get().unsigned_abs());
        loop {
            let process = current();
            if process.admits(id) {
                return Call(process);
            }
            process.next.get_or_init(|| Box::new(Process::new()));
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::AcqRel);
    }
}
