//! Feeds whose files a test writes itself.

use emonfeed::backup::{self, CopyOptions, CopyReport};
use emonfeed::{Result, Status};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of a row of the tables made here.
pub const STRIDE: usize = 9;

/// The file of a recorded feed.
pub fn fixture(shape: &str, extension: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("tests/fixtures/{shape}/feed_1.{extension}"))
}

/// A row with a value, both columns nullable.
pub fn row(time: u32, value: f32) -> Vec<u8> {
    let mut row = vec![0xf9];
    row.extend(time.to_le_bytes());
    row.extend(value.to_le_bytes());
    row
}

/// Rows every ten seconds.
pub fn rows(range: std::ops::Range<u32>) -> Vec<u8> {
    range.flat_map(|i| row(1_400_000_000 + 10 * i, i as f32 / 4.0)).collect()
}

/// A source directory and one for copies.
pub struct Dirs {
    pub root: tempfile::TempDir,
    pub source: PathBuf,
    pub copies: PathBuf,
}

pub fn dirs() -> Dirs {
    dirs_in(tempfile::tempdir().unwrap())
}

/// The same in memory, where syncs cost nothing.
pub fn dirs_in_memory() -> Dirs {
    dirs_in(memory())
}

pub fn memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
        .unwrap()
}

fn dirs_in(root: tempfile::TempDir) -> Dirs {
    let dir = |name: &str| {
        let path = root.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (source, copies) = (dir("source"), dir("copies"));
    Dirs { root, source, copies }
}

/// A table in a directory.
#[derive(Clone)]
pub struct Table {
    pub data: PathBuf,
}

impl Table {
    /// A server's table: the index and the definition are recorded ones, with
    /// the figures that matter changed.
    pub fn indexed(dir: &Path, name: &str, rows: &[u8]) -> Table {
        let table = Table { data: dir.join(name).with_extension("MYD") };
        for extension in ["MYI", "frm"] {
            fs::copy(fixture("plain", extension), table.with(extension)).unwrap();
        }
        table.write(rows);
        table
    }

    /// Rows and nothing else.
    pub fn bare(dir: &Path, name: &str, rows: &[u8]) -> Table {
        let table = Table { data: dir.join(name).with_extension("MYD") };
        fs::write(&table.data, rows).unwrap();
        table
    }

    pub fn with(&self, extension: &str) -> PathBuf {
        self.data.with_extension(extension)
    }

    /// Replaces the rows, as a statement that wrote as many times as there are
    /// new rows would.
    pub fn write(&self, rows: &[u8]) {
        fs::write(&self.data, rows).unwrap();
        self.commit(rows.len() as u64);
    }

    /// Appends rows, and says so in the header.
    pub fn append(&self, rows: &[u8]) {
        let mut all = fs::read(&self.data).unwrap();
        all.extend(rows);
        self.write(&all);
    }

    /// Changes one row in place, as UPDATE does.
    pub fn update(&self, index: usize, row: &[u8]) {
        let file = fs::OpenOptions::new().write(true).open(&self.data).unwrap();
        file.write_all_at(row, (index * STRIDE) as u64).unwrap();
        self.count_a_write();
    }

    /// Writes into the header that `bytes` are committed.
    pub fn commit(&self, bytes: u64) {
        let rows = bytes / STRIDE as u64;
        let before = self.header(44, 8);
        for (offset, value) in [(28, rows), (36, 0), (44, rows), (68, bytes)] {
            self.set_header(offset, &value.to_be_bytes());
        }
        let writes = self.header(120, 4) + rows.saturating_sub(before).max(1);
        self.set_header(120, &(writes as u32).to_be_bytes());
    }

    /// What a statement does to the header that writes, but no new row.
    pub fn count_a_write(&self) {
        let writes = self.header(120, 4) as u32 + 1;
        self.set_header(120, &writes.to_be_bytes());
    }

    pub fn set_header(&self, offset: u64, bytes: &[u8]) {
        let index = self.with("MYI");
        let Ok(file) = fs::OpenOptions::new().write(true).open(index) else { return };
        file.write_all_at(bytes, offset).unwrap();
    }

    fn header(&self, offset: usize, len: usize) -> u64 {
        let Ok(index) = fs::read(self.with("MYI")) else { return 0 };
        index[offset..offset + len]
            .iter()
            .fold(0, |all, &byte| all << 8 | u64::from(byte))
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.data).unwrap()
    }
}

/// Copies with no option.
pub fn copy(source: &Table, destination: &Path) -> Result<CopyReport> {
    backup::copy(&source.data, destination, &CopyOptions::default(), &mut |_| {})
}

/// Copies, which must be refused with that status.
#[track_caller]
pub fn refused(source: &Table, destination: &Path, status: Status) -> String {
    match copy(source, destination) {
        Ok(report) => panic!("not refused: {report}"),
        Err(error) => {
            assert_eq!(error.status(), status, "{error}");
            error.to_string()
        }
    }
}

/// All files of a directory but those that belong to a run, with what is in
/// them.
pub fn contents(dir: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| {
            ![backup::LOCK_FILE, backup::CATALOG_FILE]
                .map(OsString::from)
                .contains(&entry.file_name())
        })
        .map(|entry| {
            let meta = entry.metadata().unwrap();
            let bytes =
                if meta.is_file() { fs::read(entry.path()).unwrap() } else { vec![] };
            (entry.file_name(), bytes)
        })
        .collect()
}

/// The names of the same files.
pub fn names(dir: &Path) -> Vec<String> {
    contents(dir).into_keys().map(|name| name.into_string().unwrap()).collect()
}

pub fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
