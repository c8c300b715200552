//! A file that is truncated, refilled, replaced and deleted while it is read
//! through a mapping: no signal kills the process, and every answer is that of
//! one moment.
//!
//! The reading is done in a child process (this same test binary), so that a
//! SIGBUS shows as what it is.

use emonfeed::query::{self, Aggregate, Flags};
use emonfeed::{Access, Feed, Options, Status};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

const READER_OF: &str = "EMONFEED_TEST_READER_OF";
const READER_BY: &str = "EMONFEED_TEST_READER_BY";
const ROUNDS: u32 = 600;

/// A whole feed whose values all say which round wrote it.
fn contents(round: u32) -> Vec<u8> {
    let rows = 2000 + (round * 7919) % 60_000;
    let mut bytes = Vec::with_capacity(rows as usize * 9);
    for i in 0..rows {
        bytes.push(0xf9);
        bytes.extend((1_000_000 + i * 10).to_le_bytes());
        bytes.extend((round as f32).to_le_bytes());
    }
    bytes
}

/// What the child does: asks in a loop until the file `stop` appears.
#[test]
fn reader() {
    let Ok(path) = std::env::var(READER_OF) else { return };
    let access = match std::env::var(READER_BY).as_deref() {
        Ok("pread") => Access::Pread,
        _ => Access::Mmap,
    };
    let path = Path::new(&path);
    let stop = path.with_file_name("stop");
    let (mut answers, mut errors) = (0, 0);
    while !stop.exists() {
        let feed = Feed::open_with(path, Options { access, ..Options::default() });
        let series = feed.and_then(|feed| {
            query::windows(
                &feed,
                1_000_000,
                1_620_000,
                600,
                Aggregate::Max,
                Flags::SKIP_MISSING,
            )
        });
        match series {
            Ok(series) => {
                answers += 1;
                let first = series.points.first().map(|point| point.value);
                for point in &series.points {
                    assert_eq!(
                        Some(point.value),
                        first,
                        "rows of two moments in one answer"
                    );
                }
            }
            Err(error) => {
                errors += 1;
                assert!(
                    matches!(
                        error.status(),
                        Status::Changed | Status::NotFound | Status::MissingDefinition
                    ),
                    "{error}"
                );
            }
        }
    }
    println!("{answers} answers, {errors} errors");
    assert!(answers > 0);
}

fn torment(access: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed_1.MYD");
    fs::write(&path, contents(0)).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reader", "--nocapture"])
        .env(READER_OF, &path)
        .env(READER_BY, access)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for round in 1..=ROUNDS {
        let bytes = contents(round);
        match round % 5 {
            // Replaced: a new inode.
            0 => {
                let new = dir.path().join("new");
                fs::write(&new, &bytes).unwrap();
                fs::rename(&new, &path).unwrap();
            }
            // Deleted for a moment.
            1 => {
                fs::remove_file(&path).unwrap();
                fs::write(&path, &bytes).unwrap();
            }
            // Truncated and refilled, as TRUNCATE and a bulk insert do.
            _ => {
                let mut file = OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(0).unwrap();
                file.write_all(&bytes).unwrap();
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round % 4)));
    }
    fs::write(dir.path().join("stop"), "").unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), None, "the reader was killed");
    assert!(status.success(), "the reader found a wrong answer");
}

#[test]
fn a_mapped_file_may_be_truncated() {
    torment("mmap");
}

#[test]
fn a_read_file_may_be_truncated() {
    torment("pread");
}
