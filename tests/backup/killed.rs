//! Runs that are killed, or whose system calls fail, at every call that changes
//! something: whatever was there before is there after, and the next run
//! carries on.

use crate::calls::{self, Call};
use crate::effort::effort;
use crate::program;
use crate::running::{options, run_with};
use crate::table::{Dirs, Table, copy_all, dirs, dirs_in_memory, row, rows};
use emonfeed::backup::{CATALOG_FILE, Done, Recheck, RunOptions};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows over the border of a block of hashes.
const MANY: u32 = 9000;

/// A destination that is up to date, and a source where since then something
/// happened of every kind.
pub struct Scene {
    pub dirs: Dirs,
    /// The destination as it is before each run.
    before: tempfile::TempDir,
    /// The rows of each feed then.
    old: BTreeMap<String, Vec<u8>>,
    /// How often that was.
    checked: AtomicUsize,
}

/// In memory, where syncs cost nothing and a kill loses nothing either; on the disk
/// in a long run.
pub fn scene() -> Scene {
    let dirs = effort(dirs_in_memory as fn() -> Dirs, dirs)();
    let table = |number: u32, rows: &[u8]| {
        Table::indexed(&dirs.source, &format!("feed_{number}"), rows)
    };
    let grown = table(1, &rows(0..MANY));
    let last_edited = table(2, &rows(0..20));
    let edited = table(3, &rows(0..MANY));
    let cleared = table(4, &rows(0..30));
    let rebuilt = table(5, &rows(0..MANY));
    let old = |dirs: &Dirs| {
        let copy = |number: u32| {
            let name = format!("feed_{number}.MYD");
            (name.clone(), fs::read(dirs.copies.join(name)).unwrap())
        };
        (1..=5).map(copy).collect()
    };
    let (done, _) = run_with(&dirs, options());
    assert_eq!(done.len(), 5);
    grown.append(&rows(MANY..MANY + 500));
    last_edited.update(19, &row(1_400_000_190, 77.0));
    edited.update(8000, &row(1_400_080_000, 78.0));
    edited.update(20, &row(1_400_000_200, 79.0));
    edited.append(&rows(MANY..MANY + 3));
    cleared.write(&rows(100..105));
    rebuilt.set_header(160, &9u64.to_be_bytes());
    rebuilt.write(&rows(50..MANY));
    table(6, &rows(0..MANY));
    let old = old(&dirs);
    let before = tempfile::tempdir().unwrap();
    copy_all(&dirs.copies, before.path());
    Scene { dirs, before, old, checked: AtomicUsize::new(0) }
}

impl Scene {
    pub fn before(&self) -> &Path {
        self.before.path()
    }

    pub fn rewind(&self) {
        self.rewind_to(self.before.path());
    }

    pub fn rewind_to(&self, before: &Path) {
        fs::remove_dir_all(&self.dirs.copies).unwrap();
        fs::create_dir(&self.dirs.copies).unwrap();
        copy_all(before, &self.dirs.copies);
    }

    pub fn args<'a>(&'a self, threads: &'a str) -> Vec<&'a OsStr> {
        program::backup(&self.dirs, &["-q", "--threads", threads])
    }

    /// The calls of a run that change something.
    pub fn calls(&self) -> Vec<Call> {
        self.rewind();
        calls::changing(&self.args("1"))
    }

    /// A run in which something happens at a call; `None` if it made none as late.
    pub fn run(&self, threads: &str, call: &Call, happens: &str) -> Option<Output> {
        calls::injected(&self.args(threads), call, happens, &[])
    }

    /// Kills a run at such a call, and expects everything to be whole then; `false`
    /// if there is none as late.
    fn is_killed_and_whole(&self, threads: &str, call: &Call) -> bool {
        self.rewind();
        let Some(output) = self.run(threads, call, "signal=SIGKILL") else {
            return false;
        };
        let what = format!("killed at {call}");
        assert!(!output.status.success(), "{what}");
        self.expect_whole(&what);
        true
    }

    /// Whatever happened: what the catalog vouches for is there, and the next
    /// run makes everything right and has kept what was given up.
    pub fn expect_whole(&self, what: &str) {
        let Dirs { source, copies, .. } = &self.dirs;
        let catalog = Connection::open(copies.join(CATALOG_FILE)).unwrap();
        let sound: String =
            catalog.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok", "{what}");
        drop(catalog);
        let (done, summary) = run_with(&self.dirs, options());
        assert!(summary.is_complete(), "{what}: {done:?}");
        let everything = RunOptions { recheck: Recheck::All, ..options() };
        let (done, _) = run_with(&self.dirs, everything);
        for (file, done) in &done {
            assert!(
                matches!(done, Done::Copied(report) if report.outcome.name() == "unchanged"),
                "{what}: {file}: {done:?}"
            );
            let same = fs::read(copies.join(file)).unwrap()
                == fs::read(source.join(file)).unwrap();
            assert!(same, "{what}: {file}");
        }
        let kept = |number: u32| {
            let prefix = format!("feed_{number}.MYD.2");
            let names = fs::read_dir(copies).unwrap().map(|e| e.unwrap().file_name());
            let mut names = names.filter_map(|name| name.into_string().ok());
            let name =
                names.find(|name| name.starts_with(&prefix)).unwrap_or_else(|| {
                    panic!("{what}: the old rows of feed {number} are not kept")
                });
            assert!(
                names.all(|name| !name.starts_with(&prefix)),
                "{what}: it is kept once"
            );
            fs::read(copies.join(name)).unwrap()
        };
        for number in [4, 5] {
            let old = &self.old[&format!("feed_{number}.MYD")];
            assert!(kept(number) == *old, "{what}: feed {number}");
        }
        // What was overwritten, put back.
        let catalog = Connection::open(copies.join(CATALOG_FILE)).unwrap();
        for number in [2, 3] {
            let name = format!("feed_{number}.MYD");
            let mut rows = fs::read(copies.join(&name)).unwrap();
            let mut cells = catalog
                .prepare(
                    "SELECT cell, overwritten.rows FROM overwritten
                     JOIN feed ON feed.id = overwritten.feed WHERE name = ?",
                )
                .unwrap();
            let cells = cells.query_map([&name], |row| {
                Ok((row.get::<_, usize>(0)?, row.get::<_, Vec<u8>>(1)?))
            });
            for (cell, old) in cells.unwrap().map(Result::unwrap) {
                rows[cell * 32 * 9..][..old.len()].copy_from_slice(&old);
            }
            rows.truncate(self.old[&name].len());
            assert!(rows == self.old[&name], "{what}: feed {number}");
        }
        // And as a restore gives it, and as `emonfeed verify` sees it, which takes as
        // long as all the rest.
        if self.checked.fetch_add(1, Ordering::Relaxed) % effort(4, 1) == 0 {
            crate::power::expect_restorable(copies, source, &self.old, what);
        }
        let names = fs::read_dir(copies).unwrap().map(|e| e.unwrap().file_name());
        for name in names {
            let name = name.into_string().unwrap();
            assert!(!name.ends_with(".partial"), "{what}: {name} is left");
        }
    }
}

#[test]
fn killed_at_any_call_that_changes_something() {
    let scene = scene();
    let calls = scene.calls();
    for call in &calls {
        assert!(scene.is_killed_and_whole("1", call), "{call} was not made again");
    }
    assert!(calls.len() > 80, "only {} runs were killed", calls.len());
    println!("{} runs were killed", calls.len());
}

#[test]
fn killed_while_several_threads_are_at_work() {
    let scene = scene();
    let mut points = 0;
    for name in ["pwrite64", "renameat2", "syncfs", "ftruncate"] {
        for nth in 1.. {
            let call = Call { name: name.into(), nth, of_feed: false };
            if !scene.is_killed_and_whole("3", &call) {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 20, "only {points} runs were killed");
}

#[test]
fn any_call_that_changes_something_may_fail() {
    let scene = scene();
    let failures = calls::failures(&scene.calls(), effort(0, usize::MAX));
    for (call, error) in &failures {
        scene.rewind();
        let output = scene.run("1", call, &format!("error={error}"));
        let output = output.unwrap_or_else(|| panic!("{call} was not made again"));
        let what = format!("{error} at {call}: {output:?}");
        // Not every failure matters, but none may kill it.
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{what}");
        if output.status.success() {
            assert!(output.stderr.is_empty(), "{what}");
        }
        scene.expect_whole(&what);
    }
    assert!(failures.len() > 80, "only {} calls failed", failures.len());
    println!("{} calls failed", failures.len());
}

#[test]
fn a_source_that_cannot_be_read_stops_its_feed_and_no_other() {
    let scene = scene();
    let mut failed = 0;
    for n in 1..400 {
        scene.rewind();
        let log = scene.dirs.root.path().join("strace");
        let source = scene.dirs.source.join("feed_3.MYD");
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(&log)
            .arg("-P")
            .arg(&source)
            .args(["-e", "trace=pread64", "-e"])
            .arg(format!("inject=pread64:error=EIO:when={n}"))
            .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device"])
            .args([&scene.dirs.source, &scene.dirs.copies])
            .output()
            .expect("strace runs");
        if !fs::read_to_string(&log).unwrap().contains("(INJECTED)") {
            break;
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(3) {
            failed += 1;
            assert!(said.contains("feed_3.MYD: at byte "), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        } else {
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
        for number in [1, 6] {
            let name = format!("feed_{number}.MYD");
            let same = fs::read(scene.dirs.copies.join(&name)).unwrap()
                == fs::read(scene.dirs.source.join(&name)).unwrap();
            assert!(same, "feed {number}");
        }
        scene.expect_whole(&format!("read {n} failed"));
    }
    assert!(failed > 3, "{failed}");
}

#[test]
fn a_definition_with_its_name_and_without_its_commit_is_looked_at_again() {
    let verify = |dirs: &Dirs| {
        let program = env!("CARGO_BIN_EXE_emonfeed");
        Command::new(program).arg("verify").arg("-q").arg(&dirs.copies).status().unwrap()
    };
    for happens in ["signal=SIGKILL", "error=EIO"] {
        for n in 1..4 {
            let dirs = dirs();
            // Feeds whose blocks are not compared in the next runs.
            for number in 1..=25 {
                Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..100));
            }
            run_with(&dirs, options());
            let definition = dirs.source.join("feed_25.frm");
            let mut bytes = fs::read(&definition).unwrap();
            bytes.push(0);
            fs::write(&definition, bytes).unwrap();
            let status = Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null"])
                .args(["-e", &format!("inject=unlink:{happens}:when={n}")])
                .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device", "-q"])
                .args(["--recheck", "all"])
                .args([&dirs.source, &dirs.copies])
                .stderr(Stdio::null())
                .status()
                .expect("strace runs");
            let (_, summary) = run_with(&dirs, options());
            assert!(summary.is_complete());
            assert!(verify(&dirs).success(), "{happens} at {n}: {status:?}");
        }
    }
}

#[test]
fn a_large_feed_that_cannot_be_named_fails_once() {
    let dirs = dirs();
    // More than is committed in one piece: 64 MiB.
    Table::indexed(&dirs.source, "feed_1", &row(1_400_000_000, 1.0).repeat(7_600_000));
    let output = Command::new("timeout")
        .args(["60", "strace", "-f", "-qq", "-o", "/dev/null"])
        .args(["-e", "inject=renameat,renameat2:error=EPERM"])
        .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device"])
        .args([&dirs.source, &dirs.copies])
        .output()
        .expect("strace runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("feed_1.frm: cannot rename to"), "{said}");
    let left: Vec<_> = fs::read_dir(&dirs.copies)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("feed_1"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let (_, summary) = run_with(&dirs, options());
    assert!(summary.is_complete());
}

/// What a run of one feed writes and syncs, in order: `rows`, `catalog`, `sync`
/// of the file system, `catalog sync`.
fn order_of_writes(dirs: &Dirs) -> Vec<&'static str> {
    let log = dirs.root.path().join("strace");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-y", "-o"])
        .arg(&log)
        .args(["-e", "trace=pwrite64,fsync,fdatasync,syncfs"])
        .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device", "-q"])
        .args(["--threads", "1"])
        .args([&dirs.source, &dirs.copies])
        .status()
        .expect("strace runs");
    assert!(status.success());
    let log = fs::read_to_string(log).unwrap();
    let kind = |line: &str| {
        let is = |call: &str, file: &str| line.contains(call) && line.contains(file);
        match () {
            () if is("syncfs(", "") => Some("sync"),
            () if is("pwrite64(", "feed_1.MYD>") => Some("rows"),
            () if is("pwrite64(", "emonfeed.sqlite>") => Some("catalog"),
            () if is("sync(", "emonfeed.sqlite>") => Some("catalog sync"),
            () => None,
        }
    };
    let mut order: Vec<_> = log.lines().filter_map(kind).collect();
    order.dedup();
    // The beginning of the run is noted first.
    assert_eq!(order[..2], ["catalog", "catalog sync"]);
    order.split_off(2)
}

#[test]
fn rows_are_on_the_disk_before_the_catalog_vouches_for_them() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..MANY));
    run_with(&dirs, options());
    table.append(&rows(MANY..MANY + 100));
    let committed = ["rows", "sync", "catalog", "catalog sync"];
    assert_eq!(order_of_writes(&dirs)[..4], committed);
    // What is overwritten is in the catalog before.
    table.update(3, &row(1_400_000_030, 5.0));
    let order = order_of_writes(&dirs);
    assert_eq!(order[..2], ["catalog", "catalog sync"], "{order:?}");
    assert_eq!(order[2..6], committed, "{order:?}");
}
