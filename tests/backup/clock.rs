//! Clocks that are wrong and jump: of a Raspberry Pi, which has none of its own
//! while it is off. Nothing but names and figures may come from them.

use crate::program::{self, Ended, expect_equal, within};
use crate::table::{Dirs, STRIDE, Table, dirs, row, rows};
use emonfeed::backup::CATALOG_FILE;
use rusqlite::Connection;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock as `faketime` takes it, its Unix seconds as a run notes them, and how
/// files are named then.
type Clock = (&'static str, i64, &'static str);

/// Each is further back or forth than the one before; the first comes again, to
/// the second.
const CLOCKS: [Clock; 7] = [
    ("2026-11-23 04:05:06", 1_795_406_706, "20261123T040506Z"),
    ("1970-01-01 00:00:10", 10, "19700101T000010Z"),
    ("2100-03-01 00:00:00", 4_107_542_400, "21000301T000000Z"),
    ("2026-11-23 04:05:06", 1_795_406_706, "20261123T040506Z"),
    ("2026-11-23 04:05:05", 1_795_406_705, "20261123T040505Z"),
    ("2026-11-23 04:05:06", 1_795_406_706, "20261123T040506Z"),
    // Before time began there is nothing to call it.
    ("1969-07-20 20:17:40", 0, "19700101T000000Z"),
];

/// The command, while the clock stands at `clock` for it; with `more`, each look
/// at the clock moves it.
fn at<S: AsRef<OsStr>>(
    clock: &str,
    more: &str,
    args: impl IntoIterator<Item = S>,
) -> Ended {
    let clock = format!("@{clock}{more}");
    // What measures how long something takes does not jump.
    let mut command = within(&["faketime", "--exclude-monotonic", "-f", &clock], args);
    // Times of files are what they are.
    command.env("TZ", "UTC").env("NO_FAKE_STAT", "1");
    program::run(command)
}

fn set_times(table: &Table, seconds: u64) {
    for extension in ["MYD", "MYI", "frm"] {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        set_time(&table.with(extension), time);
    }
}

fn set_time(path: &Path, time: SystemTime) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// A row that is edited without a trace but in its bytes.
fn edit_in_secret(table: &Table, index: u32, value: f32) {
    let before = fs::metadata(&table.data).unwrap().modified().unwrap();
    let file = fs::OpenOptions::new().write(true).open(&table.data).unwrap();
    let row = row(1_400_000_000 + 10 * index, value);
    file.write_all_at(&row, u64::from(index) * STRIDE as u64).unwrap();
    set_time(&table.data, before);
}

#[test]
fn whatever_the_clock_says_everything_is_found() {
    let dirs = dirs();
    let table = |number: u32, rows: &[u8]| {
        Table::indexed(&dirs.source, &format!("feed_{number}"), rows)
    };
    let (grown, edited) = (table(1, &rows(0..100)), table(2, &rows(0..9000)));
    let (last, bare) = (table(3, &rows(0..50)), dirs.source.join("feed_4.MYD"));
    fs::write(&bare, rows(0..100)).unwrap();
    let mut rounds = 0;
    for (clock, seconds, _) in CLOCKS.into_iter().chain(CLOCKS) {
        for times in [None, Some(0), Some(4_102_444_800)] {
            let number = 100 + rounds;
            grown.append(&rows(number..number + 1));
            edited.update(rounds as usize, &row(1_400_000_000 + 10 * rounds, -1.0));
            last.update(49, &row(1_400_000_490, rounds as f32));
            fs::write(&bare, [rows(0..number), row(1_500_000_000, 1.0)].concat())
                .unwrap();
            if let Some(seconds) = times {
                for table in [&grown, &edited, &last] {
                    set_times(table, seconds);
                }
                set_time(&bare, UNIX_EPOCH + Duration::from_secs(seconds));
            }
            let ran = at(clock, "", program::backup(&dirs, &["--json"]));
            let what = format!("{clock}, files of {times:?}: {ran:?}");
            assert_eq!((ran.code(), ran.err.as_str()), (0, ""), "{what}");
            let lines = ran.out.lines().map(|line| serde_json::from_str(line).unwrap());
            let lines: Vec<Value> = lines.collect();
            for line in &lines[..4] {
                assert_ne!(line["outcome"], "unchanged", "{what}");
            }
            for table in [&grown, &edited, &last]
                .map(|table| &table.data)
                .into_iter()
                .chain([&bare])
            {
                let copy =
                    fs::read(dirs.copies.join(table.file_name().unwrap())).unwrap();
                assert!(copy == fs::read(table).unwrap(), "{what}");
            }
            let took = lines[4]["seconds"].as_f64().unwrap();
            assert!((0.0..60.0).contains(&took), "{what}");
            rounds += 1;
        }
        expect_status(&dirs, clock, seconds);
    }
    expect_equal(&dirs);
}

/// What `emonfeed status` says is of the last run, and of no other time.
fn expect_status(dirs: &Dirs, clock: &str, seconds: i64) {
    let args = |option: &'static str| {
        [
            "status".as_ref(),
            dirs.copies.as_os_str(),
            "--timezone=UTC".as_ref(),
            option.as_ref(),
        ]
    };
    let status = at(clock, "", args("--json"));
    assert_eq!(status.code(), 0, "{clock}: {status:?}");
    let object: Value = serde_json::from_str(&status.out).unwrap();
    let found = &object["destinations"][0];
    for run in ["last_run", "last_success"] {
        assert_eq!(found[run]["started"], seconds, "{clock}: {found:#}");
        assert_eq!(found[run]["outcome"], "ok", "{clock}");
        let took = found[run]["seconds"].as_f64().unwrap();
        assert!((0.0..60.0).contains(&took), "{clock}: {took}");
    }
    assert_eq!(found["running_since"], Value::Null, "{clock}");
    for feed in found["feeds"].as_array().unwrap() {
        assert_eq!(feed["health"], "ok", "{clock}: {feed:#}");
        assert_eq!(feed["last_success"], seconds, "{clock}: {feed:#}");
    }
    let status = at(clock, "", args("--prefix=feed_"));
    let day = if seconds == 0 { "1970-01-01" } else { &clock[..10] };
    assert!(status.out.contains(&format!("last run      {day}T")), "{}", status.out);
}

#[test]
fn edits_without_a_trace_are_found_by_turns_of_runs_not_by_time() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..600_000));
    assert_eq!(at(CLOCKS[0].0, "", program::backup(&dirs, &[])).code(), 0);
    set_times(&table, 1_500_000_000);
    edit_in_secret(&table, 70_000, 77.0);
    let found = (0..30).any(|round| {
        let (clock, _, _) = CLOCKS[round % CLOCKS.len()];
        let ran = at(clock, "", program::backup(&dirs, &[]));
        assert_eq!(ran.code(), 0, "{ran:?}");
        ran.out.contains("patched")
    });
    assert!(found);
    expect_equal(&dirs);
}

#[test]
fn the_generations_that_are_kept_are_those_of_the_last_runs() {
    const KEPT: usize = 3;
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..10));
    let backup = |clock| {
        let ran = at(clock, "", program::backup(&dirs, &["--keep", "3"]));
        assert_eq!(ran.code(), 0, "{ran:?}");
    };
    backup(CLOCKS[0].0);
    // What each copy held, and under what name it has to be found.
    let mut given_up = Vec::new();
    for (round, (clock, _, stamp)) in (1..).zip(CLOCKS.into_iter().chain(CLOCKS)) {
        given_up.push((stamp, table.bytes()));
        table.write(&rows(1000 * round..1000 * round + 10));
        backup(clock);
        let catalog = Connection::open(dirs.copies.join(CATALOG_FILE)).unwrap();
        let mut kept = catalog
            .prepare("SELECT stamp FROM generation WHERE state = 'kept' ORDER BY number")
            .unwrap();
        let kept = kept.query_map([], |row| row.get(0)).unwrap();
        let kept: Vec<String> = kept.map(Result::unwrap).collect();
        let expected = &given_up[given_up.len().saturating_sub(KEPT)..];
        assert_eq!(kept.len(), expected.len(), "{clock}: {kept:?}");
        for (stamp, (begins, rows)) in kept.iter().zip(expected) {
            // A name that is taken gets a number.
            assert!(stamp.starts_with(begins), "{clock}: {kept:?}");
            let path = dirs.copies.join(format!("feed_1.MYD.{stamp}"));
            assert!(fs::read(path).unwrap() == *rows, "{clock}: {stamp}");
        }
        let names = crate::table::names(&dirs.copies);
        let files = names.iter().filter(|name| name.starts_with("feed_1.MYD.")).count();
        assert_eq!(files, kept.len(), "{clock}: {names:?}");
    }
    expect_equal(&dirs);
}

#[test]
fn the_clock_may_jump_within_a_run() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..10_000));
    let bare = Table::bare(&dirs.source, "feed_2", &rows(0..10_000));
    // A day back, and a day forth, each time that it is looked at.
    for (round, more) in (1..).zip([" i-86400", " i86400", " i-86400", " i86400"]) {
        table.append(&rows(10_000 * round..10_000 * round + 100));
        table.update(5, &row(1_400_000_050, round as f32));
        fs::write(&bare.data, rows(0..10_000 + round)).unwrap();
        let ran = at(CLOCKS[0].0, more, program::backup(&dirs, &[]));
        assert_eq!((ran.code(), ran.err.as_str()), (0, ""), "{more}: {ran:?}");
        table.write(&rows(round..round + 10_000));
        let ran = at(CLOCKS[0].0, more, program::backup(&dirs, &[]));
        assert_eq!((ran.code(), ran.err.as_str()), (0, ""), "{more}: {ran:?}");
        expect_equal(&dirs);
    }
}
