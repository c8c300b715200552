//! A read-only mapping of a file that others may truncate at any moment.
//!
//! No `&[u8]` is ever made of it: bytes are copied out, each once, by raw
//! unaligned reads, so that what is decoded cannot change underfoot.

use super::guard::{self, Guard};
use memmap2::{Advice, MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Mappings are longer than their file by this much, so that a growing feed
/// is not mapped anew at each reading.
const SLACK: usize = 1 << 20;
/// Where addresses are scarce (the cache bounds them, too), larger files are read by
/// `pread`.
const MAX_LEN: u64 = if cfg!(target_pointer_width = "64") { 1 << 46 } else { 256 << 20 };

/// So many look-ups read the file before they use the mapping: as many as a
/// page shows a few times over.
const FRESH: u32 = 4096;

#[derive(Debug)]
pub(super) struct Mapping {
    // Before `raw`: fields are dropped in this order, and the range must not
    // be published any more when it is unmapped.
    guard: Guard,
    raw: MmapRaw,
    /// The end of what was populated last.
    populated: AtomicU64,
    /// Look-ups that were spared the mapping.
    spared: AtomicU32,
}

impl Mapping {
    /// Maps the first `len` bytes of `file` and some room for growth. `None`
    /// where it should rather be read by `pread`.
    pub(super) fn new(file: &File, len: u64) -> io::Result<Option<Mapping>> {
        if len == 0 || len > MAX_LEN {
            return Ok(None);
        }
        let len = len as usize + SLACK;
        let raw = match MmapOptions::new().len(len).map_raw_read_only(file) {
            Ok(raw) => raw,
            // A file system without mappings, or no address space left.
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENODEV | libc::ENOMEM)) => {
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        let start = raw.as_ptr() as usize;
        let Some(guard) = Guard::publish(start..start + len) else {
            return Ok(None);
        };
        // Look-ups jump about; scans ask for read-ahead themselves.
        raw.advise(Advice::Random)?;
        Ok(Some(Mapping {
            guard,
            raw,
            populated: AtomicU64::new(0),
            spared: AtomicU32::new(0),
        }))
    }

    /// Bytes that may be read as far as the mapping is concerned.
    pub(super) fn len(&self) -> u64 {
        self.raw.len() as u64
    }

    /// Whether bytes were read that the file no longer had; they read as 0.
    pub(super) fn faulted(&self) -> bool {
        self.guard.faulted()
    }

    /// Whether reading is safe in this thread now.
    pub(super) fn is_safe() -> bool {
        guard::armed()
    }

    /// Whether look-ups should rather read the file, as none has touched these
    /// pages yet: the first touch of a page costs more than reading it, which
    /// a process that asks one question never gets back.
    pub(super) fn is_fresh(&self) -> bool {
        self.populated.load(Ordering::Relaxed) == 0
            && self.spared.load(Ordering::Relaxed) < FRESH
    }

    /// Notes so many look-ups that read the file.
    pub(super) fn spare(&self, lookups: u32) {
        self.spared.fetch_add(lookups, Ordering::Relaxed);
    }

    /// Asks the kernel to read `len` bytes from `offset` on ahead of use.
    pub(super) fn will_need(&self, offset: u64, len: u64) {
        self.advise(Advice::WillNeed, offset, len);
    }

    /// Has the kernel put so many bytes into the mapping at once, which is
    /// quicker than page by page as they are touched.
    pub(super) fn populate(&self, offset: u64, len: u64) {
        let end = offset + len;
        // Once is enough: whoever reads it again finds it there.
        if self.populated.fetch_max(end, Ordering::Relaxed) < end {
            self.advise(Advice::PopulateRead, offset, len);
        }
    }

    fn advise(&self, advice: Advice, offset: u64, len: u64) {
        let end = offset.saturating_add(len).min(self.len());
        if offset < end {
            // A hint: when it fails, the scan is slower, no more. Kernels
            // before 5.14 do not know how to populate.
            let _ =
                self.raw.advise_range(advice, offset as usize, (end - offset) as usize);
        }
    }

    /// The `N` bytes from `offset` on. Panics outside the mapping.
    #[inline(always)]
    pub(super) fn array<const N: usize>(&self, offset: u64) -> [u8; N] {
        let end = offset.checked_add(N as u64);
        assert!(end.is_some_and(|end| end <= self.len()), "read beyond a mapping");
        // SAFETY: as in `copy`; an array of bytes needs no alignment and any
        // bytes are one.
        unsafe { self.raw.as_ptr().add(offset as usize).cast::<[u8; N]>().read() }
    }

    /// Copies `into.len()` bytes from `offset` on. Panics outside the mapping.
    #[inline]
    pub(super) fn copy(&self, offset: u64, into: &mut [u8]) {
        let end = offset.checked_add(into.len() as u64);
        assert!(end.is_some_and(|end| end <= self.len()), "read beyond a mapping");
        // SAFETY: the assertion keeps the source inside the mapping, which
        // lives as long as `self`; a page the file no longer has is replaced
        // by the guard's handler, published since `new`. The destination is
        // a slice of its own. Another process may write the source
        // meanwhile: any mixture of old and new bytes is a valid result.
        unsafe {
            ptr::copy_nonoverlapping(
                self.raw.as_ptr().add(offset as usize),
                into.as_mut_ptr(),
                into.len(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Each page on its own, and reads across two of them.
    #[test]
    #[cfg_attr(miri, ignore = "Miri maps no files")]
    fn what_is_cut_off_reads_as_zeros_and_is_noted() {
        const LEN: usize = 1 << 18;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[249; LEN]).unwrap();
        let mapping = Mapping::new(&file, LEN as u64).unwrap().unwrap();
        assert_eq!(mapping.array::<9>(LEN as u64 - 9), [249; 9]);
        assert!(!mapping.faulted());

        file.set_len(LEN as u64 / 2).unwrap();
        assert_eq!(mapping.array::<9>(7), [249; 9]);
        assert!(!mapping.faulted());
        assert_eq!(mapping.array::<9>(LEN as u64 - 9), [0; 9]);
        assert!(mapping.faulted());
        let mut all = vec![1; LEN];
        mapping.copy(0, &mut all);
        assert!(all[..LEN / 2].iter().all(|&byte| byte == 249));
        assert!(all[LEN / 2..].iter().all(|&byte| byte == 0));

        // The next mapping that takes the slot knows nothing of it.
        drop(mapping);
        let mapping = Mapping::new(&file, LEN as u64 / 2).unwrap().unwrap();
        assert_eq!(mapping.array::<9>(0), [249; 9]);
        assert!(!mapping.faulted());
        file.set_len(0).unwrap();
        mapping.copy(3, &mut all[..LEN / 2]);
        assert!(all[..LEN / 2].iter().all(|&byte| byte == 0) && mapping.faulted());
    }
}
