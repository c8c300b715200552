//! Where rows are read from: a mapping or the file itself.

use super::map::Mapping;
use super::table::{changed, read_up_to};
use crate::error::{Error, Result};
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

/// How much one `pread` brings for a look-up, as the next probes tend to fall
/// near. A page holds whole ones of these.
const PROBE: u64 = 512;

/// Of one request to read ahead, the kernel takes so much and forgets the rest, unless
/// the disk prefers more at a time.
const AHEAD: u64 = 128 << 10;

/// So many look-ups are noted at once.
const NOTED: u32 = 1024;

/// A stretch of the file that was read for look-ups.
#[derive(Default)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
}

impl Piece {
    #[inline]
    fn holds(&self, offset: u64, end: u64) -> bool {
        self.at <= offset && end <= self.at + self.bytes.len() as u64
    }
}

/// The bytes of the rows' file.
#[derive(Debug)]
pub(super) enum Source {
    Mapped(Arc<Mapping>),
    File,
}

impl Source {
    /// Whether all that was read of it was there.
    pub(super) fn is_intact(&self) -> bool {
        !matches!(self, Source::Mapped(mapping) if mapping.faulted())
    }
}

/// Reads from a [`Source`] and remembers where look-ups fell.
pub(super) struct Bytes<'a> {
    source: &'a Source,
    file: &'a File,
    path: &'a Path,
    /// Bytes that are committed.
    len: u64,
    /// The mapping, if look-ups use it.
    mapped: Option<&'a Mapping>,
    /// The last pieces read for look-ups, the last one first: queries look at
    /// both ends of a window before they go on to the next.
    pieces: [Piece; 3],
    /// How many were read and not noted yet.
    lookups: u32,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(
        source: &'a Source,
        file: &'a File,
        path: &'a Path,
        len: u64,
    ) -> Self {
        let (mapped, pieces) = (None, Default::default());
        let mut bytes = Bytes { source, file, path, len, mapped, pieces, lookups: 0 };
        bytes.look_again();
        bytes
    }

    /// Looks whether look-ups should use the mapping by now.
    pub(super) fn look_again(&mut self) {
        self.mapped = match self.source {
            Source::Mapped(mapping) if !mapping.is_fresh() => Some(&**mapping),
            _ => None,
        };
    }

    /// Copies `into.len()` bytes from `offset` on, all of them committed.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        debug_assert!(offset + into.len() as u64 <= self.len);
        match self.source {
            Source::Mapped(mapping) => {
                mapping.copy(offset, into);
                Ok(())
            }
            Source::File => self.read_file(offset, into),
        }
    }

    fn read_file(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        let have = read_up_to(self.file, into, offset)
            .map_err(|e| Error::io("read", self.path, e).at_offset(offset))?;
        if have < into.len() { Err(changed().at(self.path)) } else { Ok(()) }
    }

    /// The bytes of one row, for a look-up.
    pub(super) fn probe(&mut self, offset: u64, into: &mut [u8]) -> Result<()> {
        match self.mapped {
            Some(mapping) => {
                mapping.copy(offset, into);
                Ok(())
            }
            None => self.probe_piece(offset, into),
        }
    }

    /// `N` bytes, if they are mapped.
    #[inline(always)]
    pub(super) fn mapped<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        self.mapped.map(|mapping| mapping.array(offset))
    }

    /// Tells the mapping how many look-ups it was spared.
    fn note_lookups(&mut self) {
        if let (Source::Mapped(mapping), 1..) = (self.source, self.lookups) {
            mapping.spare(self.lookups);
        }
        self.lookups = 0;
    }

    fn probe_piece(&mut self, offset: u64, into: &mut [u8]) -> Result<()> {
        let end = offset + into.len() as u64;
        let held = self.pieces.iter().position(|piece| piece.holds(offset, end));
        if held.is_none() {
            // Of a row on a border, both.
            let at = offset / PROBE * PROBE;
            let behind = (end.div_ceil(PROBE) * PROBE).min(self.len);
            self.pieces.rotate_right(1);
            let mut bytes = std::mem::take(&mut self.pieces[0].bytes);
            bytes.resize((behind - at) as usize, 0);
            self.read_file(at, &mut bytes)?;
            self.pieces[0] = Piece { at, bytes };
            self.lookups += 1;
            if self.lookups == NOTED {
                self.note_lookups();
                self.look_again();
            }
        }
        let Piece { at, bytes } = &self.pieces[held.unwrap_or(0)];
        let from = (offset - at) as usize;
        into.copy_from_slice(&bytes[from..from + into.len()]);
        Ok(())
    }

    /// Asks for read-ahead over a stretch that will be scanned.
    pub(super) fn will_need(&self, offset: u64, len: u64) {
        let end = offset + len;
        for from in (offset..end).step_by(AHEAD as usize) {
            let len = AHEAD.min(end - from);
            match self.source {
                Source::Mapped(mapping) => mapping.will_need(from, len),
                // A hint: when it fails, the scan is slower, no more.
                Source::File => {
                    let _ =
                        fadvise(self.file, from, NonZeroU64::new(len), Advice::WillNeed);
                }
            }
        }
    }

    /// Has a stretch mapped that is scanned now.
    pub(super) fn populate(&self, offset: u64, len: u64) {
        if let Source::Mapped(mapping) = self.source {
            mapping.populate(offset, len);
        }
    }
}

impl Drop for Bytes<'_> {
    fn drop(&mut self) {
        self.note_lookups();
    }
}
