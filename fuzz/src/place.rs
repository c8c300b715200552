//! Files in memory, for one input at a time.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A directory in memory, that goes with the value.
pub fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("emonfeed-fuzz-")
        .tempdir_in("/dev/shm")
        .expect("a directory in memory")
}

/// The files of one table under a name that was never used before, so that
/// nothing the process remembers is of another input.
pub struct Table {
    _dir: TempDir,
    pub rows: PathBuf,
}

impl Table {
    pub fn new() -> Table {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let dir = directory();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let rows = dir.path().join(format!("feed_{number}.MYD"));
        Table { _dir: dir, rows }
    }

    pub fn put(&self, extension: &str, bytes: &[u8]) {
        put(&self.rows.with_extension(extension), bytes);
    }

    /// The definition of MySQL 8, whose name holds a number.
    pub fn put_sdi(&self, bytes: &[u8]) {
        let stem = self.rows.file_stem().and_then(|stem| stem.to_str());
        let name = format!("{}_363.sdi", stem.unwrap_or_default());
        put(&self.rows.with_file_name(name), bytes);
    }

    /// Lets all of it look an hour old: what was written this moment may be in
    /// the midst of a change, which is waited out.
    pub fn settle(&self) {
        let dir = self.rows.parent().expect("it is in a directory");
        age(&File::open(dir).expect("its directory"));
    }
}

pub fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("room in memory");
    age(&File::options().write(true).mode(0o600).open(path).expect("the file"));
}

fn age(file: &File) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    file.set_modified(hour_ago).expect("a time");
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders in it that hold a table.
pub fn tables() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "refused/"] {
        for entry in fs::read_dir(fixtures().join(folder)).expect("the recorded tables") {
            let name = entry.expect("an entry").file_name();
            let name = format!("{folder}{}", name.to_string_lossy());
            if fixtures().join(&name).join("feed_1.MYD").exists() {
                names.push(name);
            }
        }
    }
    names.sort();
    names
}

fn fixtures() -> PathBuf {
    // This file is built into two packages, one beside the fixtures' folder.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if here.join("tests").exists() { here } else { here.parent().unwrap() };
    root.join("tests/fixtures")
}
