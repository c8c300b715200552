//! What a dataset is whose feed is written to meanwhile.

use crate::dataset::{partitions, run};
use crate::server::Server;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;

/// Some hours before 2025.
const START: u32 = 1_735_650_000;
const STEP: u32 = 60;
/// Rows that are there before the first run. Two years are exported then: partitions
/// are written one after the other, and a new year after the others.
const BEFORE: u32 = 1000;
const RUNS: u32 = 25;
/// As many more rows than that come during each run.
const MORE: u32 = 2000;
/// A run that was refused as often as this is no answer.
const REFUSED: u32 = 5;

/// Ends the writer also where an assertion fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Exports the feeds of `source`; whether all of them were.
fn export(source: &Path, to: &Path) -> bool {
    let words = ["export", "--format", "csv", "--compression", "none", "--quiet", "--to"];
    let mut args: Vec<&OsStr> = words.map(OsStr::new).into();
    args.extend([to.as_os_str(), source.as_os_str()]);
    let output = run(&args);
    let complaint = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => true,
        Some(3) if complaint.contains("changed while it was read") => false,
        _ => panic!("{complaint}"),
    }
}

/// How many rows a dataset has, which are the first ones of the feed.
fn rows(to: &Path) -> u32 {
    let mut count = 0;
    for (path, bytes) in partitions(to) {
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("time,value"), "{}", path.display());
        for line in lines {
            assert_eq!(line, format!("{},{count}", START + count * STEP));
            count += 1;
        }
    }
    count
}

#[test]
fn beside_a_writer_each_run_has_the_rows_of_a_moment() {
    let mut server = Server::start();
    server.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, \
         UNIQUE (time)) ENGINE=MyISAM",
    );
    let source = server.database();
    let to = tempfile::tempdir().unwrap();
    // So many rows there are behind each statement that was begun; and are there.
    let moments = Mutex::new(BTreeSet::from([0]));
    let written = AtomicU32::new(0);
    let (runs, over) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let mut client = server.client();
        let (moments, written, runs, over) = (&moments, &written, &runs, &over);
        let writer = scope.spawn(move || {
            let mut count = 0;
            while !over.load(SeqCst) {
                if count > BEFORE + MORE * (1 + runs.load(SeqCst)) {
                    thread::yield_now();
                    continue;
                }
                // Single rows as they come, and many at once.
                let more = if count % 7 == 3 { 100 } else { 1 };
                let values: Vec<String> = (count..count + more)
                    .map(|row| format!("({}, {row})", START + row * STEP))
                    .collect();
                count += more;
                moments.lock().unwrap().insert(count);
                client
                    .sql(&format!("INSERT INTO feed_1 VALUES {}", values.join(",")))
                    .unwrap();
                written.store(count, SeqCst);
            }
        });
        let _over = Over(over);
        while written.load(SeqCst) < BEFORE {
            assert!(!writer.is_finished(), "the writer failed");
            thread::yield_now();
        }
        let mut refused = 0;
        while runs.load(SeqCst) < RUNS && refused < REFUSED * RUNS {
            let before = written.load(SeqCst);
            if !export(&source, to.path()) {
                refused += 1;
                continue;
            }
            runs.fetch_add(1, SeqCst);
            let found = rows(to.path());
            let is_moment = moments.lock().unwrap().contains(&found);
            assert!(found >= before && is_moment, "{before} {found}");
        }
        assert_eq!(runs.load(SeqCst), RUNS, "the others were refused");
    });
    assert!(export(&source, to.path()));
    assert_eq!(rows(to.path()), written.into_inner());
    assert_eq!(partitions(to.path()).len(), 2);
}
