//! The files of emoncms's engines, as they are written.

use super::encode::Sink;
use crate::error::{Error, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes written at a time.
const PIECE: usize = 128 << 10;

/// Bytes of a row of PHPTimeSeries.
pub(super) const ROW: u64 = 9;

/// Bytes of a `.meta`.
pub(super) const META: u64 = 16;

/// What PHPTimeSeries begins each row with.
const FLAG: u8 = 0xf9;

/// Writes rows or values one behind the other.
pub(super) struct Writer<'f> {
    file: &'f File,
    path: &'f Path,
    buffer: Vec<u8>,
    written: u64,
}

impl<'f> Writer<'f> {
    pub(super) fn new(file: &'f File, path: &'f Path) -> Writer<'f> {
        Writer { file, path, buffer: Vec::with_capacity(PIECE), written: 0 }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() + bytes.len() > PIECE { self.flush() } else { Ok(()) }
    }

    /// Writes what is left.
    pub(super) fn flush(&mut self) -> Result<()> {
        let done = self.file.write_all_at(&self.buffer, self.written);
        done.map_err(|e| Error::io("write", self.path, e).at_offset(self.written))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Sink for Writer<'_> {
    fn row(&mut self, time: u32, value: f32) -> Result<()> {
        let mut row = [FLAG; 9];
        row[1..5].copy_from_slice(&time.to_le_bytes());
        row[5..].copy_from_slice(&value.to_le_bytes());
        self.put(&row)
    }

    fn value(&mut self, value: f32) -> Result<()> {
        self.put(&value.to_le_bytes())
    }

    fn gap(&mut self, slots: u64) -> Result<()> {
        (0..slots).try_for_each(|_| self.value(f32::NAN))
    }
}

/// The `.meta` of a feed of PHPFina. One without values begins at 0: the engine
/// takes its first reading for the start then.
pub(super) fn meta(interval: u32, start: u32) -> [u8; 16] {
    let mut meta = [0; 16];
    meta[8..12].copy_from_slice(&interval.to_le_bytes());
    meta[12..].copy_from_slice(&start.to_le_bytes());
    meta
}
