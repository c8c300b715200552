//! Damaged files: an error or the right rows, never a crash, a hang or a huge
//! allocation.
//!
//! The recorded feeds are damaged one byte, one truncation, one random
//! stretch at a time. Some bytes of a `.frm` say what a column means (its
//! type, whether it is signed, its name): another value there is another
//! table, not a damaged one, and is only required to be read without harm.

mod effort;

use effort::effort;
use emonfeed::query::{self, Point};
use emonfeed::{Access, Feed, Options, Status};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A recorded feed and the rows it holds.
struct Recorded {
    name: String,
    myd: Vec<u8>,
    myi: Vec<u8>,
    frm: Vec<u8>,
    rows: Vec<Point>,
}

fn recorded() -> Vec<Recorded> {
    // An allocation that a damaged length asks for fails instead of passing
    // unnoticed.
    let limit = Some(1 << 30);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("a limit");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    for entry in fs::read_dir(fixtures).expect("the recorded feeds") {
        let dir = entry.expect("an entry").path();
        if !dir.join("rows.tsv").exists() {
            continue;
        }
        let read = |name: &str| fs::read(dir.join(name)).expect("a recorded file");
        let feed = Feed::open(dir.join("feed_1.MYD")).expect("a readable feed");
        found.push(Recorded {
            name: dir.file_name().expect("a name").to_string_lossy().into_owned(),
            myd: read("feed_1.MYD"),
            myi: read("feed_1.MYI"),
            frm: read("feed_1.frm"),
            rows: rows(&feed).expect("its rows"),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 20, "only {} recorded feeds", found.len());
    found
}

fn rows(feed: &Feed) -> emonfeed::Result<Vec<Point>> {
    Ok(query::rows(feed, i64::MIN, i64::MAX, 0)?.points)
}

/// A directory of its own for one damaged feed at a time.
struct Bench {
    dir: TempDir,
    path: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("feed_1.MYD");
        Bench { dir, path }
    }

    fn put(&self, extension: &str, bytes: &[u8]) {
        let path = self.path.with_extension(extension);
        fs::write(&path, bytes).expect("room");
        // An old file: one that was written just now might be in the middle of
        // a rebuild, which is waited out.
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    }

    fn put_all(&self, feed: &Recorded) {
        self.put("MYD", &feed.myd);
        self.put("MYI", &feed.myi);
        self.put("frm", &feed.frm);
    }

    fn read(&self, access: Access) -> emonfeed::Result<Vec<Point>> {
        let feed = Feed::open_with(&self.path, Options { access, ..Options::default() })?;
        query::meta(&feed)?;
        rows(&feed)
    }

    /// Reads, and demands the right rows or an error with a place.
    fn check(&self, feed: &Recorded, what: impl Fn() -> String) -> Option<Status> {
        match self.read(Access::Pread) {
            Ok(rows) => {
                assert!(same(&rows, &feed.rows), "{}: {}: wrong rows", feed.name, what());
                None
            }
            Err(error) => {
                assert_ne!(error.status(), Status::Internal, "{}: {}", feed.name, what());
                assert!(
                    error.path().is_some_and(|path| path.starts_with(self.dir.path())),
                    "{}: {}: no path in: {error}",
                    feed.name,
                    what()
                );
                Some(error.status())
            }
        }
    }
}

fn same(a: &[Point], b: &[Point]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.time == b.time && a.value.to_bits() == b.value.to_bits())
}

/// The values each byte is set to in turn.
fn others(byte: u8) -> impl Iterator<Item = u8> {
    [0, 0xff, byte ^ 1, byte ^ 0x10].into_iter().filter(move |other| *other != byte)
}

#[test]
fn every_byte_of_an_index_header() {
    let bench = Bench::new();
    let mut refused = 0;
    for feed in recorded() {
        bench.put_all(&feed);
        let length = usize::from(u16::from_be_bytes([feed.myi[6], feed.myi[7]]));
        for at in 0..length {
            for byte in others(feed.myi[at]) {
                let mut myi = feed.myi.clone();
                myi[at] = byte;
                bench.put("MYI", &myi);
                let status =
                    bench.check(&feed, || format!("byte {at} of the .MYI = {byte:#x}"));
                refused += usize::from(status.is_some());
            }
        }
    }
    assert!(refused > 1000, "only {refused} were refused");
}

#[test]
fn every_byte_of_a_definition() {
    let bench = Bench::new();
    // The definitions differ in little; a few shapes show what there is.
    let shapes =
        ["plain", "not_null", "histogram_mixed", "checksum_tinyint", "two_indexes"];
    for feed in recorded().into_iter().filter(|feed| shapes.contains(&&*feed.name)) {
        bench.put_all(&feed);
        let meaning = bytes_with_meaning(&feed.frm);
        for at in 0..feed.frm.len() {
            for byte in others(feed.frm[at]) {
                let mut frm = feed.frm.clone();
                frm[at] = byte;
                bench.put("frm", &frm);
                if meaning.contains(&at) {
                    let _ = bench.read(Access::Pread);
                } else {
                    bench.check(&feed, || format!("byte {at} of the .frm = {byte:#x}"));
                }
            }
        }
    }
}

/// Where a `.frm` says what columns mean: the lists of columns and names.
fn bytes_with_meaning(frm: &[u8]) -> Vec<usize> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([frm[at], frm[at + 1]]));
    let at = 64 + u16_at(4);
    let form =
        u32::from_le_bytes([frm[at], frm[at + 1], frm[at + 2], frm[at + 3]]) as usize;
    let columns = form + 288 + u16_at(form + 260);
    let names_end = columns + 17 * u16_at(form + 258) + u16_at(form + 268);
    (columns..names_end).collect()
}

#[test]
fn every_truncation() {
    let bench = Bench::new();
    for feed in recorded() {
        bench.put_all(&feed);
        for length in 0..feed.myi.len().min(500) {
            bench.put("MYI", &feed.myi[..length]);
            bench.check(&feed, || format!(".MYI cut to {length}"));
        }
        bench.put("MYI", &feed.myi);
        for length in 0..feed.frm.len() {
            bench.put("frm", &feed.frm[..length]);
            bench.check(&feed, || format!(".frm cut to {length}"));
        }
        bench.put("frm", &feed.frm);
        for length in 0..feed.myd.len() {
            bench.put("MYD", &feed.myd[..length]);
            let status = bench.check(&feed, || format!(".MYD cut to {length}"));
            assert_eq!(status, Some(Status::Damaged), "{}: {length}", feed.name);
        }
    }
}

#[test]
fn every_byte_of_the_rows() {
    let bench = Bench::new();
    for feed in recorded() {
        bench.put_all(&feed);
        for at in 0..feed.myd.len() {
            let mut myd = feed.myd.clone();
            myd[at] ^= 0xff;
            bench.put("MYD", &myd);
            // Other bytes in a time or a value are another reading; that a
            // flag cannot be is noticed.
            for access in [Access::Mmap, Access::Pread] {
                match bench.read(access) {
                    Ok(rows) => assert!(rows.len() <= feed.rows.len() + 1),
                    Err(error) => {
                        assert_eq!(
                            error.status(),
                            Status::BadRow,
                            "{}: {error}",
                            feed.name
                        );
                        assert_eq!(error.offset(), Some(at as u64), "{}", feed.name);
                    }
                }
            }
        }
    }
}

#[test]
fn random_bytes() {
    let bench = Bench::new();
    let feeds = recorded();
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    println!("seed {seed:#x}");
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut refused = 0;
    for _ in 0..effort(2000, 40_000) {
        let feed = &feeds[next() as usize % feeds.len()];
        bench.put_all(feed);
        let (extension, bytes) = match next() % 3 {
            0 => ("MYI", &feed.myi),
            1 => ("frm", &feed.frm),
            _ => ("MYD", &feed.myd),
        };
        let mut bytes = bytes.clone();
        if next() % 8 == 0 {
            // Nothing but noise behind what tells the kind of file.
            bytes[4..].fill_with(|| next() as u8);
        } else {
            for _ in 0..=next() % 12 {
                let at = next() as usize % bytes.len();
                bytes[at] = next() as u8;
            }
        }
        bench.put(extension, &bytes);
        let access = if next() % 2 == 0 { Access::Mmap } else { Access::Pread };
        if let Err(error) = bench.read(access) {
            assert_ne!(error.status(), Status::Internal, "{}: {error}", feed.name);
            refused += 1;
        }
    }
    assert!(refused > 250, "only {refused} were refused");
}

#[test]
fn random_bare_files() {
    let bench = Bench::new();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    println!("seed {seed:#x}");
    for length in 0..2000_usize {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed as u8
            })
            .collect();
        bench.put("MYD", &bytes);
        match bench.read(if length % 2 == 0 { Access::Mmap } else { Access::Pread }) {
            Ok(rows) => assert!(rows.len() <= length / 9),
            Err(error) => assert!(
                matches!(error.status(), Status::BadRow | Status::MissingDefinition),
                "{error}"
            ),
        }
    }
}
