//! `emonfeed status`, and what monitoring reads.

#[allow(dead_code)] // Each test binary uses its own part of this.
#[path = "backup/table.rs"]
mod table;

use emonfeed::backup::{CATALOG_FILE, LOCK_FILE};
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use table::{Dirs, Table, dirs, row, rows};

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn emonfeed(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn status(dir: &Path, options: &[&str]) -> Ran {
    let fixed = ["status", dir.to_str().unwrap(), "--timezone", "UTC"];
    emonfeed(&[&fixed[..], options].concat())
}

fn backup(dirs: &Dirs, options: &[&str]) -> Ran {
    let paths = [dirs.source.to_str().unwrap(), dirs.copies.to_str().unwrap()];
    emonfeed(&[&["backup", "--same-device"], options, &paths].concat())
}

fn object(dir: &Path) -> Value {
    serde_json::from_str(&status(dir, &["--json"]).out).expect("one JSON object")
}

fn feeds(dir: &Path) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let object = object(dir);
    let feeds = object["destinations"][0]["feeds"].as_array().unwrap().clone();
    feeds.iter().map(|feed| (text(&feed["feed"]), text(&feed["health"]))).collect()
}

#[track_caller]
fn expect_feeds(dir: &Path, expected: &[(&str, &str)]) {
    let found = feeds(dir);
    let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, expected);
}

fn catalog(dirs: &Dirs) -> Connection {
    Connection::open(dirs.copies.join(CATALOG_FILE)).unwrap()
}

/// Has the run with that number have begun at a fixed time, as all before.
fn at(dirs: &Dirs, run: i64, started: i64) {
    let sql = "UPDATE run SET started = ?, seconds = 2.5 WHERE id = ?";
    assert_eq!(catalog(dirs).execute(sql, [started, run]).unwrap(), 1);
}

/// Feeds 1, 2 and 10; the first run copied all, the second failed with 2.
fn two_runs() -> Dirs {
    let dirs = dirs();
    for (feed, count) in [("feed_10", 30), ("feed_2", 20), ("feed_1", 10)] {
        Table::indexed(&dirs.source, feed, &rows(0..count));
    }
    assert_eq!(backup(&dirs, &["-q"]).code, 0);
    Table { data: dirs.source.join("feed_2.MYD") }.set_header(26, &[2]);
    let table = Table { data: dirs.source.join("feed_1.MYD") };
    table.update(9, &row(1_400_000_090, 7.0));
    assert_eq!(backup(&dirs, &["-q"]).code, 3);
    at(&dirs, 1, 1_700_000_000);
    at(&dirs, 2, 1_700_003_600);
    dirs
}

#[test]
fn what_was_complete_longest_ago_comes_first() {
    let dirs = two_runs();
    let ran = status(&dirs.copies, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    let source = dirs.source.display();
    assert_eq!(lines[0], dirs.copies.display().to_string());
    assert_eq!(
        lines[1],
        format!(
            "  last run      2023-11-14T23:13:20+00:00, incomplete, 1 of 3 feeds failed; 2.5 s, 90 \
             bytes written, from {source}"
        )
    );
    assert_eq!(lines[2], "  last complete 2023-11-14T22:13:20+00:00");
    assert_eq!(lines[3], "  copies        3 feeds, 60 rows, 540 bytes");
    assert_eq!(
        lines[5],
        "feed  bytes  rows  last reading               complete                   state  kept  \
         health"
    );
    let failing = "   2    180    20  2014-05-13T16:56:30+00:00  2023-11-14T22:13:20+00:00      1     \
                   0  failing: ";
    assert!(lines[6].starts_with(failing), "{}", lines[6]);
    assert!(lines[6].contains("REPAIR"), "{}", lines[6]);
    assert_eq!(
        lines[7],
        "   1     90    10  2014-05-13T16:54:50+00:00  2023-11-14T23:13:20+00:00      2     1  ok"
    );
    assert!(lines[8].starts_with("  10    270    30  "), "{}", lines[8]);
    assert_eq!(lines.len(), 9);
    // The next run finds all well again.
    Table { data: dirs.source.join("feed_2.MYD") }.set_header(26, &[0]);
    assert_eq!(backup(&dirs, &["-q"]).code, 0);
    let ran = status(&dirs.copies, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains(", ok; "), "{}", ran.out);
    assert_eq!(status(&dirs.copies, &["-q"]).out, "");
}

#[test]
fn json_says_the_same() {
    let dirs = two_runs();
    let object = object(&dirs.copies);
    assert_eq!(object["exit_code"], 3);
    let there = &object["destinations"][0];
    let source = dirs.source.display().to_string();
    let message = &there["feeds"][0]["message"];
    assert!(message.as_str().unwrap().contains("REPAIR"));
    let feed = |feed: &str, rows: u32, last: u32| {
        json!({
            "feed": feed, "file": format!("feed_{feed}.MYD"), "kind": "mysql", "rows": rows,
            "bytes": rows * 9, "generation": 1, "kept": 0,
            "last_reading": 1_400_000_000 + 10 * last, "last_success": 1_700_003_600,
            "health": "ok", "message": null,
        })
    };
    let mut two = feed("2", 20, 19);
    two["last_success"] = 1_700_000_000.into();
    (two["health"], two["message"]) = ("failing".into(), message.clone());
    let mut one = feed("1", 10, 9);
    (one["generation"], one["kept"]) = (2.into(), 1.into());
    let expected = json!({
        "destination": dirs.copies.display().to_string(),
        "running_since": null,
        "last_run": {
            "started": 1_700_003_600, "seconds": 2.5, "outcome": "incomplete", "feeds": 3,
            "failed": 1, "bytes": 90, "source": source, "message": null,
        },
        "last_success": {
            "started": 1_700_000_000, "seconds": 2.5, "outcome": "ok", "feeds": 3, "failed": 0,
            "bytes": 540, "source": source, "message": null,
        },
        "rows": 60,
        "bytes": 540,
        "fine": false,
        "feeds": [two, one, feed("10", 30, 29)],
    });
    let mut there = there.clone();
    // An edit of the only block writes its cell.
    there["last_run"]["bytes"] = 90.into();
    assert_eq!(there, expected);
}

#[test]
fn health_says_why_a_copy_is_old() {
    let dirs = two_runs();
    expect_feeds(&dirs.copies, &[("2", "failing"), ("1", "ok"), ("10", "ok")]);
    // Left out, and gone; feed 3 was never copied.
    Table { data: dirs.source.join("feed_2.MYD") }.set_header(26, &[0]);
    for extension in ["MYD", "MYI", "frm"] {
        fs::remove_file(dirs.source.join("feed_10").with_extension(extension)).unwrap();
    }
    fs::write(dirs.source.join("feed_3.frm"), "").unwrap();
    fs::write(dirs.source.join("feed_3.ibd"), "").unwrap();
    assert_eq!(backup(&dirs, &["-q", "--exclude", "1"]).code, 3);
    at(&dirs, 3, 1_700_007_200);
    expect_feeds(
        &dirs.copies,
        &[("3", "failing"), ("1", "left-out"), ("10", "source-gone"), ("2", "ok")],
    );
    // The source is not there now, so nobody knows.
    fs::rename(&dirs.source, dirs.root.path().join("elsewhere")).unwrap();
    expect_feeds(
        &dirs.copies,
        &[("3", "failing"), ("1", "left-out"), ("10", "left-out"), ("2", "ok")],
    );
    // What is left out or gone is no failure.
    catalog(&dirs).execute("DELETE FROM failure", []).unwrap();
    catalog(&dirs).execute("UPDATE run SET outcome = 'ok'", []).unwrap();
    assert_eq!(status(&dirs.copies, &[]).code, 0);
    catalog(&dirs).execute("DELETE FROM seen WHERE feed = 1", []).unwrap();
    assert!(feeds(&dirs.copies).iter().any(|(_, health)| health == "incomplete"));
    assert_eq!(status(&dirs.copies, &[]).code, 3);
}

#[test]
fn the_last_run_counts() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_1", &rows(0..10));
    assert_eq!(backup(&dirs, &["-q"]).code, 0);
    at(&dirs, 1, 1_700_000_000);
    for (outcome, code) in [("ok", 0), ("incomplete", 3), ("stopped", 3), ("failed", 3)] {
        let sql = "UPDATE run SET outcome = ?, message = 'disk full'";
        catalog(&dirs).execute(sql, [outcome]).unwrap();
        let ran = status(&dirs.copies, &[]);
        assert_eq!(ran.code, code, "{outcome}");
        assert!(ran.out.contains(&format!(", {outcome}; 2.5 s")), "{}", ran.out);
        assert!(ran.out.contains("disk full"), "{}", ran.out);
    }
    // One that began and did not end.
    let sql = "INSERT INTO run (started, source) VALUES (1700003600, '/x')";
    catalog(&dirs).execute(sql, []).unwrap();
    catalog(&dirs).execute("UPDATE run SET outcome = 'ok' WHERE id = 1", []).unwrap();
    let ran = status(&dirs.copies, &[]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("killed: it did not come to its end"), "{}", ran.out);
    assert_eq!(object(&dirs.copies)["destinations"][0]["last_run"]["outcome"], "killed");
    // It is still at work: the one before counts.
    let lock = fs::File::open(dirs.copies.join(LOCK_FILE)).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let ran = status(&dirs.copies, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("a run, since 2023-11-14T23:13:20+00:00"), "{}", ran.out);
    assert!(ran.out.contains("last run      2023-11-14T22:13:20"), "{}", ran.out);
    // In the midst of a transaction, too.
    let busy = catalog(&dirs);
    busy.execute_batch("BEGIN IMMEDIATE; UPDATE feed SET rows = 0").unwrap();
    assert_eq!(object(&dirs.copies)["destinations"][0]["rows"], 10);
}

#[test]
fn a_destination_without_a_catalog_has_no_status() {
    let dirs = dirs();
    fs::write(dirs.copies.join("feed_1.MYD"), rows(0..4)).unwrap();
    let ran = status(&dirs.copies, &["--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no catalog here"), "{}", ran.err);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["status"], 10);
    assert_eq!(status(&dirs.copies.join("none"), &[]).code, 1);
    fs::write(dirs.copies.join(CATALOG_FILE), "not a database at all, but text").unwrap();
    let ran = status(&dirs.copies, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("the catalog is damaged"), "{}", ran.err);
}

/// What a run leaves that is killed while it commits: a journal that is to be
/// rolled back first, which takes the right to write.
#[test]
fn a_catalog_with_a_journal_to_roll_back_is_read() {
    let dirs = two_runs();
    let before = object(&dirs.copies);
    let elsewhere = dirs.root.path().join("killed");
    fs::create_dir(&elsewhere).unwrap();
    {
        let busy = catalog(&dirs);
        busy.execute_batch(
            "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN;
             UPDATE feed SET rows = 0; UPDATE run SET source = hex(zeroblob(100000));",
        )
        .unwrap();
        for name in [CATALOG_FILE.to_owned(), format!("{CATALOG_FILE}-journal")] {
            fs::copy(dirs.copies.join(&name), elsewhere.join(&name)).unwrap();
        }
    }
    let journal = elsewhere.join(format!("{CATALOG_FILE}-journal"));
    assert!(fs::metadata(&journal).unwrap().len() > 512);
    for name in ["feed_1.MYD", "feed_2.MYD", "feed_10.MYD", "feed_1.frm"] {
        fs::copy(dirs.copies.join(name), elsewhere.join(name)).unwrap();
    }
    let after = object(&elsewhere);
    assert_eq!(after["destinations"][0]["feeds"], before["destinations"][0]["feeds"]);
    assert!(journal.exists(), "to look at it changed the destination");
    let verified = emonfeed(&["verify", elsewhere.to_str().unwrap(), "--only", "1"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn the_metrics_are_what_prometheus_reads() {
    let dirs = two_runs();
    let file = dirs.root.path().join("emonfeed.prom");
    let arguments = ["-q", "--metrics", file.to_str().unwrap()];
    assert_eq!(status(&dirs.copies, &arguments).code, 3);
    let text = fs::read_to_string(&file).unwrap();
    let label = format!("{{destination=\"{}\"}}", dirs.copies.display());
    let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        "last_success_timestamp_seconds 1700000000",
        "last_run_timestamp_seconds 1700003600",
        "last_run_duration_seconds 2.5",
        "last_run_bytes 90",
        "last_run_failed_feeds 1",
        "last_run_success 0",
        "feeds 3",
        "bytes 540",
        "oldest_feed_success_timestamp_seconds 1700000000",
    ]
    .map(|line| {
        let (name, value) = line.split_once(' ').unwrap();
        format!("emonfeed_backup_{name}{label} {value}")
    });
    assert_eq!(values, expected);
    for line in &values {
        let name = line.split_once('{').unwrap().0;
        assert_eq!(text.matches(&format!("# HELP {name} ")).count(), 1);
        assert_eq!(text.matches(&format!("# TYPE {name} gauge\n")).count(), 1);
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(dirs.root.path()).unwrap().count(), 3, "nothing is left");
    let ran = status(&dirs.copies, &["--metrics", "/nowhere/at/all.prom"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("cannot write /nowhere/at/all.prom"), "{}", ran.err);
    let ran = status(&dirs.copies, &["--metrics", "x", "--only", "1"]);
    assert_eq!(ran.code, 2, "half of the feeds would be taken for all");
}

#[test]
fn a_backup_writes_metrics_even_if_it_fails() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..10));
    let file = dirs.root.path().join("emonfeed.prom");
    let metric = |name: &str| {
        let text = fs::read_to_string(&file).unwrap();
        let begin = format!("emonfeed_backup_{name}{{");
        let line = text.lines().find(|line| line.starts_with(&begin));
        line.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
    };
    let run = |options: &[&str]| {
        let metrics = ["-q", "--metrics", file.to_str().unwrap()];
        backup(&dirs, &[&metrics[..], options].concat()).code
    };
    assert_eq!(run(&[]), 0);
    assert_eq!(metric("last_run_success"), Some(1.0));
    assert_eq!(metric("last_run_bytes"), Some(90.0));
    let success = metric("last_success_timestamp_seconds").unwrap();
    assert!(success > 1_700_000_000.0);
    at(&dirs, 1, 1_700_000_000);
    table.set_header(26, &[2]);
    assert_eq!(run(&[]), 1);
    assert_eq!(metric("last_run_success"), Some(0.0));
    assert_eq!(metric("last_run_failed_feeds"), Some(1.0));
    assert_eq!(metric("last_success_timestamp_seconds"), Some(1_700_000_000.0));
    table.set_header(26, &[0]);
    assert_eq!(run(&[]), 0);
    assert_eq!(metric("last_run_success"), Some(1.0));
    // One that cannot begin leaves nothing in the catalog.
    assert_eq!(run(&["--only", "5"]), 1);
    assert_eq!(metric("last_run_success"), Some(0.0));
    assert!(metric("last_success_timestamp_seconds").unwrap() >= success);
    // Beside another one nothing is known to be wrong.
    let lock = fs::File::open(dirs.copies.join(LOCK_FILE)).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    assert_eq!(run(&[]), 11);
    assert_eq!(metric("last_run_success"), Some(1.0));
    drop(lock);
    // The disk is not mounted.
    fs::rename(&dirs.copies, dirs.root.path().join("away")).unwrap();
    fs::write(&dirs.copies, "").unwrap();
    assert_eq!(run(&[]), 1);
    assert_eq!(metric("last_run_success"), Some(0.0));
    assert_eq!(metric("last_success_timestamp_seconds"), Some(0.0));
}

#[test]
fn several_destinations_are_shown_together() {
    let dirs = two_runs();
    let both = dirs.root.path().join("both");
    fs::create_dir(&both).unwrap();
    fs::rename(&dirs.copies, both.join("a")).unwrap();
    let other = Dirs { copies: both.join("b"), ..dirs };
    assert_eq!(backup(&other, &["-q", "--only", "1"]).code, 0);
    let object = object(&both);
    let paths: Vec<_> = object["destinations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["destination"].as_str().unwrap().to_owned(), one["fine"].clone()))
        .collect();
    let path = |name: &str| both.join(name).display().to_string();
    assert_eq!(paths, [(path("a"), false.into()), (path("b"), true.into())]);
    assert_eq!(object["exit_code"], 3);
    let only = status(&both.join("a"), &["--json", "--only", "2-9"]).out;
    assert_eq!(only.matches("\"feed\":").count(), 1);
}
