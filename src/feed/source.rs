//! Where rows are read from: a mapping or the file itself.

use super::map::Mapping;
use super::table::{changed, read_up_to};
use crate::error::{Error, Result};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// How much one `pread` brings for a look-up: one page, for the next probes
/// tend to fall near.
const PROBE: usize = 4096;

/// The bytes of the rows' file.
#[derive(Debug)]
pub(super) enum Source {
    Mapped(Arc<Mapping>),
    File,
}

/// Reads from a [`Source`] and remembers the page a look-up fell into.
pub(super) struct Bytes<'a> {
    source: &'a Source,
    file: &'a File,
    path: &'a Path,
    /// Bytes that are committed.
    len: u64,
    page: Vec<u8>,
    page_at: u64,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(
        source: &'a Source,
        file: &'a File,
        path: &'a Path,
        len: u64,
    ) -> Self {
        Bytes { source, file, path, len, page: Vec::new(), page_at: 0 }
    }

    /// Copies `into.len()` bytes from `offset` on, all of them committed.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        debug_assert!(offset + into.len() as u64 <= self.len);
        match self.source {
            Source::Mapped(mapping) => mapping.copy(offset, into),
            Source::File => {
                let have = read_up_to(self.file, into, offset)
                    .map_err(|e| Error::io("read", self.path, e).at_offset(offset))?;
                if have < into.len() {
                    return Err(changed().at(self.path));
                }
            }
        }
        Ok(())
    }

    /// The bytes of one row, for a look-up.
    #[inline]
    pub(super) fn probe(&mut self, offset: u64, into: &mut [u8]) -> Result<()> {
        match self.source {
            Source::Mapped(mapping) => {
                mapping.copy(offset, into);
                Ok(())
            }
            Source::File => self.probe_page(offset, into),
        }
    }

    /// `N` bytes, if they are mapped.
    #[inline(always)]
    pub(super) fn mapped<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        match self.source {
            Source::Mapped(mapping) => Some(mapping.array(offset)),
            Source::File => None,
        }
    }

    fn probe_page(&mut self, offset: u64, into: &mut [u8]) -> Result<()> {
        let end = offset + into.len() as u64;
        if offset < self.page_at || end > self.page_at + self.page.len() as u64 {
            let at = offset.saturating_sub((PROBE / 2) as u64);
            let want = (self.len - at).min(PROBE as u64) as usize;
            let mut page = std::mem::take(&mut self.page);
            page.resize(want, 0);
            self.read(at, &mut page)?;
            (self.page, self.page_at) = (page, at);
        }
        let from = (offset - self.page_at) as usize;
        into.copy_from_slice(&self.page[from..from + into.len()]);
        Ok(())
    }

    /// Asks for read-ahead over a stretch that will be scanned.
    pub(super) fn will_need(&self, offset: u64, len: u64) {
        if let Source::Mapped(mapping) = self.source {
            mapping.will_need(offset, len);
        }
    }

    /// Has a stretch mapped that is scanned now.
    pub(super) fn populate(&self, offset: u64, len: u64) {
        if let Source::Mapped(mapping) = self.source {
            mapping.populate(offset, len);
        }
    }
}
