//! The mappings that the signal handler knows, published without a lock.
//!
//! A handler may run at any moment, beside threads that publish and withdraw, so
//! that each slot is a sequence lock: what is read of it counts if its version was
//! even and the same before and after.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

/// How many mappings can be guarded at once; further ones are read by `pread`.
const SLOTS: usize = if cfg!(miri) { 2 } else { 256 };

/// The start of no range.
const FREE: usize = 0;

#[derive(Debug)]
pub(in crate::feed) struct Slot {
    /// Odd while the range is being changed.
    version: AtomicUsize,
    /// [`FREE`], or the address of the first byte.
    start: AtomicUsize,
    end: AtomicUsize,
    faulted: AtomicBool,
}

impl Slot {
    /// Notes that a page of the range is about to be replaced. Before, not
    /// afterwards: another thread may read the new page at once, and must find the
    /// note when it is done.
    pub(super) fn note_fault(&self) {
        self.faulted.store(true, Ordering::Relaxed);
        // The page is put in place by a system call, which orders memory by itself;
        // the compiler has to be told.
        fence(Ordering::Release);
    }

    /// Whether a page of the range had to be replaced before it was read last.
    pub(super) fn faulted(&self) -> bool {
        // Loads of bytes come first: without this they might come later, and find
        // a page that was replaced after the look at the note.
        fence(Ordering::Acquire);
        self.faulted.load(Ordering::Relaxed)
    }

    /// Takes the range if the slot is free.
    fn take(&self, range: Range<usize>) -> bool {
        let version = self.version.load(Ordering::Acquire);
        // Acquire: whoever had it before has withdrawn it.
        let is_free = self.start.load(Ordering::Acquire) == FREE;
        if version % 2 != 0 || !is_free {
            return false;
        }
        let next = version.wrapping_add(1);
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.version.compare_exchange(version, next, success, failure).is_err() {
            return false;
        }
        // Who sees anything of the new range sees that the version is another.
        fence(Ordering::Release);
        self.faulted.store(false, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.start.store(range.start, Ordering::Relaxed);
        self.version.store(next.wrapping_add(1), Ordering::Release);
        true
    }

    /// Frees the slot. Who looks just then may still find the range.
    pub(super) fn withdraw(&self) {
        self.start.store(FREE, Ordering::Release);
    }

    fn holds(&self, address: usize) -> bool {
        let version = self.version.load(Ordering::Acquire);
        let start = self.start.load(Ordering::Relaxed);
        let end = self.end.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let is_whole =
            version % 2 == 0 && self.version.load(Ordering::Relaxed) == version;
        is_whole && start != FREE && (start..end).contains(&address)
    }
}

/// The mappings published by a process.
pub(in crate::feed) struct Slots([Slot; SLOTS]);

impl Slots {
    pub(in crate::feed) const fn new() -> Slots {
        Slots(
            [const {
                Slot {
                    version: AtomicUsize::new(0),
                    start: AtomicUsize::new(FREE),
                    end: AtomicUsize::new(0),
                    faulted: AtomicBool::new(false),
                }
            }; SLOTS],
        )
    }

    /// Publishes `range` in a free slot, if there is one.
    pub(super) fn publish(&self, range: Range<usize>) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.take(range.clone()))
    }

    /// The slot in whose range `address` lies. Does only what a signal handler may.
    pub(super) fn find(&self, address: usize) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.holds(address))
    }
}

/// These fail under Miri, which plays all orders of memory that the language
/// allows, if one of the orderings above is weakened (`make soak`). On a
/// processor they cost nothing and show little.
#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU8;
    use std::thread;

    #[test]
    fn no_address_is_found_in_the_start_of_one_range_and_the_end_of_another() {
        const LOW: Range<usize> = 10..20;
        const HIGH: Range<usize> = 100..200;
        const BETWEEN: usize = 50;
        const ROUNDS: usize = 20;
        let slots = Slots::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    for range in [LOW, HIGH] {
                        slots.publish(range).unwrap().withdraw();
                    }
                }
            });
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    assert!(slots.find(BETWEEN).is_none());
                }
            });
        });
    }

    #[test]
    fn a_range_is_found_by_whoever_knows_that_it_was_published() {
        let slots = Slots::new();
        let is_out = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                slots.publish(30..40).unwrap().withdraw();
                slots.publish(10..20).unwrap();
                is_out.store(true, Ordering::Release);
            });
            while !is_out.load(Ordering::Acquire) {
                thread::yield_now();
            }
            assert!(slots.find(15).is_some());
            assert!(slots.find(20).is_none());
            assert!(slots.find(35).is_none());
        });
    }

    #[test]
    fn who_reads_a_replaced_page_finds_that_noted() {
        const ROW: u8 = 255;
        let slots = Slots::new();
        let slot = slots.publish(10..20).unwrap();
        let page = AtomicU8::new(ROW);
        thread::scope(|scope| {
            scope.spawn(|| {
                slot.note_fault();
                page.store(0, Ordering::Relaxed);
            });
            while page.load(Ordering::Relaxed) == ROW {
                thread::yield_now();
            }
            assert!(slot.faulted());
        });
    }

    #[test]
    fn a_slot_that_is_used_again_has_no_fault() {
        let slots = Slots::new();
        let publish = || {
            for _ in 0..2 {
                if let Some(slot) = slots.publish(10..20) {
                    assert!(!slot.faulted());
                    slot.note_fault();
                    slot.withdraw();
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(publish);
            scope.spawn(publish);
            scope.spawn(publish);
        });
    }
}
