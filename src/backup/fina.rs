//! The files of emoncms's PHPFina engine: `7.dat` holds nothing but float32
//! values, little-endian, one per interval; `7.meta` says the interval and
//! when the first was (four u32: two that today's engine leaves 0, the
//! interval in seconds, the start in Unix seconds).
//!
//! A value may be written again at any time, and gaps are padded with NaN.

use super::folder::same_file;
use crate::error::{Error, Result, Status};
use crate::feed::{changed, open_file, read_up_to};
use rustix::fs::Stat;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes per value.
pub(crate) const STRIDE: u64 = 4;
const META: usize = 16;

/// What the `.meta` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Seconds between two values.
    pub interval: u32,
    /// Unix seconds of the first.
    pub start: u32,
}

impl Meta {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Meta> {
        let u32_at =
            |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Meta { interval: u32_at(8)?, start: u32_at(12)? })
    }

    /// When the value of that number was, Unix seconds.
    pub(crate) fn time(self, row: u64) -> i64 {
        let ago = row.saturating_mul(self.interval.into());
        i64::try_from(ago.saturating_add(self.start.into())).unwrap_or(i64::MAX)
    }
}

/// A feed of PHPFina, held open.
pub(crate) struct Fina {
    path: PathBuf,
    file: File,
    start: Stat,
    /// The bytes of its `.meta`.
    pub meta: Vec<u8>,
}

impl Fina {
    pub(crate) fn open(path: &Path) -> Result<Fina> {
        let meta_path = path.with_extension("meta");
        let (file, _) = open_file(path, true)?.ok_or_else(|| {
            Error::io("open", path, std::io::ErrorKind::NotFound.into())
        })?;
        let (meta_file, _) = open_file(&meta_path, true)?.ok_or_else(|| {
            Error::new(
                Status::MissingDefinition,
                "no such file, so nothing says when the values of the .dat were measured",
            )
            .at(&meta_path)
        })?;
        let mut meta = vec![0; META + 1];
        let have = read_up_to(&meta_file, &mut meta, 0)
            .map_err(|e| Error::io("read", &meta_path, e))?;
        meta.truncate(have);
        let interval = Meta::parse(&meta).map_or(0, |meta| meta.interval);
        if have != META || interval == 0 {
            return Err(Error::new(
                Status::Damaged,
                format!(
                    "a .meta has {META} bytes and an interval above 0; this one has {have} \
                     bytes and an interval of {interval}"
                ),
            )
            .at(&meta_path));
        }
        let mut fina =
            Fina { path: path.to_owned(), start: stat(&file, path)?, file, meta };
        // A value that is being written is no value yet.
        fina.start.st_size -= fina.start.st_size % STRIDE as i64;
        Ok(fina)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.start.st_size.unsigned_abs() / STRIDE
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Fails unless the path still leads here and there are `rows` values.
    pub(crate) fn demand_rows(&self, rows: u64) -> Result<()> {
        let there = std::fs::symlink_metadata(&self.path);
        let there = there.map_err(|e| Error::io("inspect", &self.path, e))?;
        use std::os::unix::fs::MetadataExt;
        let is_current =
            (there.dev(), there.ino()) == (self.start.st_dev, self.start.st_ino);
        if is_current && there.size() / STRIDE >= rows {
            Ok(())
        } else {
            Err(changed().at(&self.path))
        }
    }

    /// Whether values may have been written since it was opened.
    pub(crate) fn may_be_rewritten(&self) -> Result<bool> {
        /// Two of the kernel's slowest ticks, which file times are taken from.
        const TICKS: Duration = Duration::from_millis(20);
        let now = stat(&self.file, &self.path)?;
        let at = Duration::new(now.st_ctime.unsigned_abs(), now.st_ctime_nsec as u32);
        let age = SystemTime::now().duration_since(UNIX_EPOCH + at);
        let same = same_file(&now, &self.start)
            && (now.st_ctime, now.st_ctime_nsec)
                == (self.start.st_ctime, self.start.st_ctime_nsec);
        Ok(!same || age.is_ok_and(|age| age < TICKS))
    }
}

fn stat(file: &File, path: &Path) -> Result<Stat> {
    rustix::fs::fstat(file).map_err(|e| Error::io("inspect", path, e.into()))
}
