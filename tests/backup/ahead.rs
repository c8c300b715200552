//! Runs of several threads: they do what one thread does.

use crate::running::{options, run_with};
use crate::table::{Dirs, STRIDE, Table, contents, dirs, row, rows};
use emonfeed::backup::{Backup, Done, FeedReport, RunOptions};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Rows over the border of a block of hashes.
const MANY: u32 = 8300;

/// More than is looked at together with other feeds: 4 MiB.
const LARGE: u32 = 600_000;

fn threads(threads: usize) -> RunOptions {
    RunOptions { threads, ..options() }
}

/// Small whole numbers, each run the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as u32 % limit
    }
}

/// What was done, in words, but for what depends on the time.
fn told((file, done): &(String, Done)) -> String {
    match done {
        Done::Copied(report) => {
            let mut report = report.clone();
            report.kept = None;
            format!("{file}: {report:?}")
        }
        other => format!("{file}: {other:?}"),
    }
}

/// Something that happens to a feed between two runs.
fn happens(table: &Table, numbers: &mut Numbers) {
    let count = (table.bytes().len() / STRIDE) as u32;
    let other = |i: u32, numbers: &mut Numbers| {
        row(1_400_000_000 + 10 * i, numbers.below(1000) as f32)
    };
    match numbers.below(8) {
        0..=3 => table.append(&rows(count..count + 1 + numbers.below(700))),
        4 if count > 0 => table.update(count as usize - 1, &other(count - 1, numbers)),
        5 if count > 0 => {
            let i = numbers.below(count);
            table.update(i as usize, &other(i, numbers));
        }
        6 => table.write(&rows(numbers.below(5)..5 + numbers.below(MANY))),
        _ => {}
    }
}

fn expect_equal(source: &Path, copies: &Path, done: &[(String, Done)]) {
    for (file, done) in done {
        if !matches!(done, Done::Failed(_)) {
            let same = fs::read(copies.join(file)).unwrap()
                == fs::read(source.join(file)).unwrap();
            assert!(same, "{file}: {done:?}");
        }
    }
}

#[test]
fn several_threads_do_what_one_does() {
    let Dirs { root, source, copies } = dirs();
    let others = root.path().join("others");
    let mut numbers = Numbers(20261125);
    let mut tables: Vec<_> = (1..=40)
        .map(|n| {
            let name = format!("feed_{n}");
            let rows = rows(0..numbers.below(MANY + 500));
            match n % 5 {
                0 => Table::bare(&source, &name, &rows),
                _ => Table::indexed(&source, &name, &rows),
            }
        })
        .collect();
    let by_one =
        Dirs { root: tempfile::tempdir().unwrap(), source: source.clone(), copies };
    let by_four = Dirs { root, source, copies: others };
    // No file to read, whoever waits for it.
    fs::remove_file(tables[6].with("frm")).unwrap();
    symlink("feed_1.frm", tables[6].with("frm")).unwrap();
    for round in 0..8 {
        let (one, first) = run_with(&by_one, threads(1));
        let (four, second) = run_with(&by_four, threads(4));
        let [one, four_told] =
            [&one, &four].map(|done| done.iter().map(told).collect::<Vec<_>>());
        assert_eq!(one, four_told, "round {round}");
        assert_eq!(first, second, "round {round}");
        assert_eq!(first.failed, 1);
        expect_equal(&by_four.source, &by_four.copies, &four);
        let copies = [&by_one, &by_four].map(|dirs| {
            let mut files = contents(&dirs.copies);
            files.retain(|name, _| name.to_str().unwrap().ends_with(".MYD"));
            files
        });
        assert!(copies[0] == copies[1], "round {round}");
        for table in &mut tables {
            happens(table, &mut numbers);
        }
    }
}

/// A source of so many feeds of so many rows, and nothing copied.
fn with_feeds(feeds: u32, count: u32) -> Dirs {
    let dirs = dirs();
    for n in 1..=feeds {
        Table::indexed(&dirs.source, &format!("feed_{n}"), &rows(0..count));
    }
    dirs
}

/// One run of four threads that is told to stop once so many bytes are written;
/// what it reported.
fn stopped_after(dirs: &Dirs, bytes: u64) -> Vec<FeedReport> {
    let mut written = 0;
    let mut run = Backup::open(&dirs.source, &dirs.copies, threads(4)).unwrap();
    let mut reports = Vec::new();
    while let Some(report) = run
        .step(&mut |_, block| {
            written += block;
            written < bytes
        })
        .unwrap()
    {
        reports.push(report);
    }
    assert!(run.close().unwrap().stopped);
    reports
}

#[test]
fn a_run_of_several_threads_stops_where_it_is_told_to_and_loses_nothing() {
    let mut dirs = dirs();
    for n in 1..=40 {
        Table::indexed(&dirs.source, &format!("feed_{n}"), &rows(0..1000 + n));
    }
    // It is looked at by itself, after those in front of it.
    Table::indexed(&dirs.source, "feed_20", &rows(0..LARGE));
    let row = STRIDE as u64;
    let root = dirs.copies.clone();
    for bytes in
        [1, 5000 * row, 15_000 * row, 60_000 * row, (LARGE + 20_000) as u64 * row]
    {
        dirs.copies = root.join(bytes.to_string());
        let reports = stopped_after(&dirs, bytes);
        let total: u64 = reports
            .iter()
            .map(|report| match &report.done {
                Done::Copied(report) => report.bytes_copied,
                other => panic!("{other:?}"),
            })
            .sum();
        assert!(total > 0 || bytes == 1, "{bytes}: {reports:?}");
        // Each of the threads ends what it is at.
        for report in &reports {
            let Done::Copied(done) = &report.done else { unreachable!() };
            let copy = fs::read(dirs.copies.join(report.feed.file())).unwrap();
            let source = fs::read(dirs.source.join(report.feed.file())).unwrap();
            assert!(copy.len() as u64 >= done.bytes_copied);
            assert!(source.starts_with(&copy));
        }
        let (done, summary) = run_with(&dirs, threads(4));
        assert!(summary.is_complete());
        expect_equal(&dirs.source, &dirs.copies, &done);
    }
}

#[test]
fn where_threads_take_all_descriptors_one_does_without_them() {
    let dirs = with_feeds(60, 50);
    let output = Command::new("prlimit")
        .arg("--nofile=17")
        .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device"])
        .args(["--threads", "4"])
        .args([&dirs.source, &dirs.copies])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_run_that_is_dropped_between_two_steps_is_carried_on() {
    let dirs = with_feeds(30, 500);
    let mut run = Backup::open(&dirs.source, &dirs.copies, threads(4)).unwrap();
    run.step(&mut |_, _| true).unwrap();
    drop(run);
    let (done, summary) = run_with(&dirs, threads(4));
    assert!(summary.is_complete());
    assert_eq!(done.len(), 30);
    expect_equal(&dirs.source, &dirs.copies, &done);
}

#[test]
fn what_was_looked_at_is_committed_when_a_run_is_closed_early() {
    let dirs = with_feeds(30, 500);
    let mut run = Backup::open(&dirs.source, &dirs.copies, threads(4)).unwrap();
    run.step(&mut |_, _| true).unwrap();
    let first = run.close().unwrap();
    let (done, second) = run_with(&dirs, threads(4));
    assert_eq!(first.bytes_copied + second.bytes_copied, 30 * 500 * STRIDE as u64);
    expect_equal(&dirs.source, &dirs.copies, &done);
}
