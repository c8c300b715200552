//! `emonfeed restore` where no server is needed: what is checked, what is
//! refused, and that nothing half written is left.

use emonfeed::backup::{Backup, LOCK_FILE, Recheck, RunOptions};
use rusqlite::{Connection, params};
use rustix::fs::{FlockOperation, flock};
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use xxhash_rust::xxh3::xxh3_128;

/// More than two blocks of 8192.
const MANY: u32 = 20_000;

/// A row with a value, both columns nullable.
fn row(time: u32, value: f32) -> Vec<u8> {
    flagged(0xf9, time, value)
}

fn flagged(flag: u8, time: u32, value: f32) -> Vec<u8> {
    let mut row = vec![flag];
    row.extend(time.to_le_bytes());
    row.extend(value.to_le_bytes());
    row
}

fn rows(range: std::ops::Range<u32>) -> Vec<u8> {
    range.flat_map(|i| row(1_400_000_000 + 10 * i, i as f32 / 4.0)).collect()
}

struct Dirs {
    root: tempfile::TempDir,
    source: PathBuf,
    copies: PathBuf,
    target: PathBuf,
}

/// Feeds 1 and 2 of PHPTimeSeries and their copies.
fn dirs() -> Dirs {
    let root = tempfile::tempdir().unwrap();
    let dir = |name: &str| {
        let path = root.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    };
    let (source, copies) = (dir("source"), dir("copies"));
    let target = root.path().join("target");
    fs::write(source.join("feed_1.MYD"), rows(0..MANY)).unwrap();
    fs::write(source.join("feed_2.MYD"), rows(0..100)).unwrap();
    let dirs = Dirs { root, source, copies, target };
    dirs.backup();
    dirs
}

impl Dirs {
    fn backup(&self) {
        let options = RunOptions {
            same_device: true,
            recheck: Recheck::All,
            ..RunOptions::default()
        };
        let mut run = Backup::open(&self.source, &self.copies, options).unwrap();
        while run.step(&mut |_, _| true).unwrap().is_some() {}
        assert!(run.close().unwrap().is_complete());
    }

    fn restore(&self, more: &[&str]) -> Output {
        restore(&self.copies, &self.target, more)
    }

    fn copy(&self, feed: u32) -> PathBuf {
        self.copies.join(format!("feed_{feed}.MYD"))
    }

    fn restored(&self, feed: u32) -> Vec<u8> {
        fs::read(self.target.join(format!("feed_{feed}.MYD"))).unwrap()
    }

    fn catalog(&self) -> Connection {
        Connection::open(self.copies.join("emonfeed.sqlite")).unwrap()
    }
}

fn restore(copies: &Path, target: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("restore")
        .args(more)
        .arg(copies)
        .arg(target)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(all).unwrap()
}

#[track_caller]
fn assert_says(output: &Output, what: &[&str]) {
    let said = said(output);
    for what in what {
        assert!(said.contains(what), "no {what:?} in {said}");
    }
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn flip(file: &Path, offset: u64) {
    let opened = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    opened.read_exact_at(&mut byte, offset).unwrap();
    opened.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
}

fn fixture(shape: &str, extension: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("tests/fixtures/{shape}/feed_1.{extension}"))
}

#[test]
fn copies_come_back_as_they_are() {
    let dirs = dirs();
    // What a run that was cut short wrote is no part of them.
    let longer = [fs::read(dirs.copy(1)).unwrap(), vec![0xf9; 12345]].concat();
    fs::write(dirs.copy(1), longer).unwrap();
    let output = dirs.restore(&[]);
    assert_code(&output, 0);
    assert_eq!(names(&dirs.target), ["feed_1.MYD", "feed_2.MYD"]);
    assert!(dirs.restored(1) == rows(0..MANY) && dirs.restored(2) == rows(0..100));
    assert_eq!(fs::metadata(&dirs.target).unwrap().mode() & 0o777, 0o700);
    let output = dirs.restore(&["--force", "--json", "--only", "2"]);
    assert_code(&output, 0);
    let lines: Vec<serde_json::Value> =
        said(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["rows_live"], 100);
    assert_eq!(lines[0]["replaced"], true);
    assert_eq!(lines[1]["restored"], 1);
}

#[test]
fn a_dry_run_reads_all_and_writes_nothing() {
    let dirs = dirs();
    assert_code(&dirs.restore(&["-n"]), 0);
    assert!(!dirs.target.exists());
    flip(&dirs.copy(1), 100_000);
    let output = dirs.restore(&["-n"]);
    assert_code(&output, 3);
    assert_says(&output, &["feed 1 is not restored", "feed 2  sound"]);
    assert!(!dirs.target.exists());
}

#[test]
fn a_damaged_block_is_refused() {
    for offset in [5, 8192 * 9 + 3, u64::from(MANY) * 9 - 1] {
        let dirs = dirs();
        flip(&dirs.copy(1), offset);
        let output = dirs.restore(&[]);
        assert_code(&output, 3);
        let block = offset / (8192 * 9) * 8192 * 9;
        assert_says(
            &output,
            &["copies/feed_1.MYD", &block.to_string(), "catalog's hash"],
        );
        assert_eq!(names(&dirs.target), ["feed_2.MYD"]);
        let output = dirs.restore(&["--only=1", "--accept-damaged"]);
        assert_code(&output, 0);
        assert_says(&output, &["1 DAMAGED blocks"]);
        assert!(dirs.restored(1) == fs::read(dirs.copy(1)).unwrap());
    }
}

#[test]
fn a_copy_that_is_too_short_or_gone_is_refused() {
    let dirs = dirs();
    let whole = fs::read(dirs.copy(1)).unwrap();
    fs::write(dirs.copy(1), &whole[..100_003]).unwrap();
    let output = dirs.restore(&["--only=1"]);
    assert_code(&output, 1);
    assert_says(&output, &["ends at 100003 bytes"]);
    assert_eq!(names(&dirs.target), [""; 0]);
    assert_code(&dirs.restore(&["--only=1", "--accept-damaged"]), 0);
    assert!(dirs.restored(1) == whole[..100_003 / 9 * 9]);
    fs::remove_file(dirs.copy(2)).unwrap();
    let output = dirs.restore(&["--only=2"]);
    assert_code(&output, 1);
    assert_says(&output, &["is gone"]);
}

#[test]
fn a_damaged_definition_is_refused() {
    let dirs = dirs();
    for extension in ["MYD", "MYI", "frm"] {
        let into = dirs.source.join("feed_3").with_extension(extension);
        fs::copy(fixture("plain", extension), into).unwrap();
    }
    dirs.backup();
    assert_code(&dirs.restore(&["-n", "--only=3"]), 0);
    flip(&dirs.copies.join("feed_3.frm"), 60);
    let output = dirs.restore(&["--only=3"]);
    assert_code(&output, 1);
    assert_says(&output, &["definition is not the one"]);
    fs::remove_file(dirs.copies.join("feed_3.frm")).unwrap();
    let output = dirs.restore(&["--only=3"]);
    assert_code(&output, 1);
    assert_says(&output, &["definition is gone"]);
    assert_eq!(names(&dirs.target), [""; 0]);
}

#[test]
fn an_earlier_state_is_checked_where_it_was_not_overwritten() {
    let dirs = dirs();
    let mut edited = rows(0..MANY);
    edited[9 * 10_000 + 5] ^= 1;
    fs::write(dirs.source.join("feed_1.MYD"), &edited).unwrap();
    dirs.backup();
    let first = ["--only=1", "--generation=1"];
    assert_code(&dirs.restore(&first), 0);
    assert!(dirs.restored(1) == rows(0..MANY));
    assert_code(&dirs.restore(&["--only=1", "--force"]), 0);
    assert!(dirs.restored(1) == edited);
    fs::remove_dir_all(&dirs.target).unwrap();
    // In the block that was overwritten in part, and in another.
    for offset in [9 * 16_000, 9] {
        flip(&dirs.copy(1), offset);
        assert_code(&dirs.restore(&first), 1);
        flip(&dirs.copy(1), offset);
    }
    assert_eq!(names(&dirs.target), [""; 0]);
    let output = dirs.restore(&["--only=1", "--generation=7"]);
    assert_code(&output, 1);
    assert_says(&output, &["generation 7", "current one is 2", "earlier ones are 1"]);
    assert_code(&dirs.restore(&["--generation=1"]), 2);
    let list = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["restore", "--list", "--only=1"])
        .arg(&dirs.copies)
        .output()
        .unwrap();
    assert_code(&list, 0);
    assert_eq!(said(&list).lines().count(), 2);
    assert_says(&list, &["edited", "current", "20000 rows"]);
}

#[test]
fn an_earlier_state_has_the_definition_it_had_or_none() {
    let dirs = dirs();
    // A table of whole numbers now, with rows of the same length.
    for extension in ["MYD", "MYI", "frm"] {
        let to = dirs.source.join("feed_1").with_extension(extension);
        fs::copy(fixture("int", extension), to).unwrap();
    }
    dirs.backup();
    // And rows of PHPTimeSeries again.
    for extension in ["MYI", "frm"] {
        fs::remove_file(dirs.source.join("feed_1").with_extension(extension)).unwrap();
    }
    fs::write(dirs.source.join("feed_1.MYD"), rows(7..30)).unwrap();
    dirs.backup();
    let of = |generation: &str| {
        let target = dirs.root.path().join(generation);
        let output =
            restore(&dirs.copies, &target, &["--only", "1", "--generation", generation]);
        assert_code(&output, 0);
        let names = names(&target);
        let files = names.into_iter().map(|name| {
            let bytes = fs::read(target.join(&name)).unwrap();
            (name, bytes)
        });
        files.collect::<Vec<_>>()
    };
    let file = |extension: &str, bytes| (format!("feed_1.{extension}"), bytes);
    let recorded = |extension: &str| fs::read(fixture("int", extension)).unwrap();
    assert!(of("1") == [file("MYD", rows(0..MANY))]);
    assert!(of("2") == [file("MYD", recorded("MYD")), file("frm", recorded("frm"))]);
    assert!(of("3") == [file("MYD", rows(7..30))]);
    // What is kept beside the old rows must be what was written there.
    let kept =
        names(&dirs.copies).into_iter().find(|name| name.starts_with("feed_1.frm."));
    flip(&dirs.copies.join(kept.unwrap()), 40);
    let target = dirs.root.path().join("damaged");
    let output = restore(&dirs.copies, &target, &["--only", "1", "--generation", "2"]);
    assert_code(&output, 1);
    assert_says(&output, &["its definition is not the one that was written there"]);
}

#[test]
fn a_copy_that_was_there_before_its_catalog_keeps_its_definition() {
    let dirs = dirs();
    for extension in ["MYD", "MYI", "frm"] {
        let to = dirs.source.join("feed_1").with_extension(extension);
        fs::copy(fixture("int", extension), to).unwrap();
    }
    dirs.backup();
    let recorded = |extension: &str| fs::read(fixture("int", extension)).unwrap();
    assert!(fs::read(dirs.copy(1)).unwrap() == recorded("MYD"));
    fs::remove_file(dirs.copies.join("emonfeed.sqlite")).unwrap();
    // Meanwhile the feed has become another.
    for extension in ["MYI", "frm"] {
        fs::remove_file(dirs.source.join("feed_1").with_extension(extension)).unwrap();
    }
    fs::write(dirs.source.join("feed_1.MYD"), rows(7..30)).unwrap();
    dirs.backup();
    let output = dirs.restore(&["--only", "1", "--generation", "1"]);
    assert_code(&output, 0);
    assert_eq!(names(&dirs.target), ["feed_1.MYD", "feed_1.frm"]);
    assert!(dirs.restored(1) == recorded("MYD"));
    assert!(fs::read(dirs.target.join("feed_1.frm")).unwrap() == recorded("frm"));
}

#[test]
fn what_a_killed_run_began_is_not_taken() {
    let dirs = dirs();
    // It was about to overwrite the rows of a cell, and had.
    let db = dirs.catalog();
    let pending =
        "INSERT INTO generation SELECT id, generation, ?, 1, file, stride, rows, ?,
            '', definition, 'pending' FROM feed WHERE name = ?";
    db.execute(pending, params!["edited", None::<String>, "feed_1.MYD"]).unwrap();
    let cell = 300;
    let range = cell * 32 * 9..(cell + 1) * 32 * 9;
    let kept = &rows(0..MANY)[range.clone()];
    db.execute(
        "INSERT INTO overwritten SELECT id, generation, ?, ?, ? FROM feed
         WHERE name = 'feed_1.MYD'",
        params![cell as i64, kept, xxh3_128(kept).to_be_bytes()],
    )
    .unwrap();
    let file = fs::OpenOptions::new().write(true).open(dirs.copy(1)).unwrap();
    file.write_all_at(&[0x55; 200], range.start as u64).unwrap();
    // It was about to put another file in the place of the copy, and had.
    let stamp = "20261125T040506Z";
    db.execute(pending, params!["replaced", stamp, "feed_2.MYD"]).unwrap();
    fs::rename(dirs.copy(2), dirs.copies.join(format!("feed_2.MYD.{stamp}"))).unwrap();
    fs::write(dirs.copy(2), rows(500..900)).unwrap();
    let before = names(&dirs.copies);
    assert_code(&dirs.restore(&[]), 0);
    assert!(dirs.restored(1) == rows(0..MANY));
    assert!(dirs.restored(2) == rows(0..100));
    assert_eq!(names(&dirs.copies), before);
}

#[test]
fn a_catalog_that_was_being_written_is_read() {
    let dirs = dirs();
    // The files as a power cut in the middle of a transaction leaves them.
    let db = dirs.catalog();
    db.execute_batch(
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
         UPDATE feed SET rows = 1;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO run (started, source) SELECT i, hex(randomblob(400)) FROM n;",
    )
    .unwrap();
    let crashed = dirs.root.path().join("crashed");
    fs::create_dir(&crashed).unwrap();
    for name in names(&dirs.copies) {
        fs::copy(dirs.copies.join(&name), crashed.join(&name)).unwrap();
    }
    assert!(names(&crashed).contains(&"emonfeed.sqlite-journal".to_owned()));
    let before: Vec<_> =
        names(&crashed).iter().map(|n| fs::read(crashed.join(n)).unwrap()).collect();
    let output = restore(&crashed, &dirs.target, &[]);
    assert_code(&output, 0);
    assert!(dirs.restored(1) == rows(0..MANY) && dirs.restored(2) == rows(0..100));
    // The copies are only read.
    let after: Vec<_> =
        names(&crashed).iter().map(|n| fs::read(crashed.join(n)).unwrap()).collect();
    assert!(before == after);
}

#[test]
fn a_damaged_catalog_is_done_without_on_demand() {
    let dirs = dirs();
    let catalog = dirs.copies.join("emonfeed.sqlite");
    let mut bytes = fs::read(&catalog).unwrap();
    bytes[100..4000].fill(0xee);
    fs::write(&catalog, bytes).unwrap();
    assert_code(&dirs.restore(&[]), 1);
    assert!(!dirs.target.exists());
    let output = dirs.restore(&["--accept-damaged"]);
    assert_code(&output, 0);
    assert_says(&output, &["no catalog to go by"]);
    assert!(dirs.restored(1) == rows(0..MANY) && dirs.restored(2) == rows(0..100));
}

#[test]
fn a_run_at_work_is_waited_for_by_nobody() {
    let dirs = dirs();
    let lock = fs::File::open(dirs.copies.join(LOCK_FILE)).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_code(&dirs.restore(&[]), 11);
    assert!(!dirs.target.exists());
    flock(&lock, FlockOperation::Unlock).unwrap();
    // Other readers are no hindrance.
    flock(&lock, FlockOperation::NonBlockingLockShared).unwrap();
    assert_code(&dirs.restore(&[]), 0);
}

#[test]
fn nothing_is_overwritten_or_written_if_something_is_there() {
    let dirs = dirs();
    fs::create_dir(&dirs.target).unwrap();
    fs::write(dirs.target.join("feed_2.MYD"), "mine").unwrap();
    let output = dirs.restore(&[]);
    assert_code(&output, 1);
    assert_says(&output, &["target/feed_2.MYD", "--force", "nothing is written"]);
    // Not feed 1 either, though nothing is in its way.
    assert_eq!(names(&dirs.target), ["feed_2.MYD"]);
    assert_eq!(dirs.restored(2), b"mine");
    assert_code(&dirs.restore(&["--force"]), 0);
    assert!(dirs.restored(2) == rows(0..100));
    // A definition in the way counts as well.
    for extension in ["MYD", "MYI", "frm"] {
        let into = dirs.source.join("feed_3").with_extension(extension);
        fs::copy(fixture("plain", extension), into).unwrap();
    }
    dirs.backup();
    fs::write(dirs.target.join("feed_3.frm"), "mine").unwrap();
    assert_code(&dirs.restore(&["--only=3"]), 1);
    assert_eq!(fs::read(dirs.target.join("feed_3.frm")).unwrap(), b"mine");
    // It would be read as that of the rows which replace others.
    fs::write(dirs.target.join("feed_2.frm"), "mine").unwrap();
    assert_code(&dirs.restore(&["--only=2", "--force"]), 0);
    assert!(!dirs.target.join("feed_2.frm").exists());
    // A table of another storage engine stays in any case.
    fs::write(dirs.target.join("feed_1.ibd"), "mine").unwrap();
    let output = dirs.restore(&["--only=1", "--force"]);
    assert_code(&output, 1);
    assert_says(&output, &["another storage engine"]);
}

#[test]
fn links_and_pipes_in_the_target_are_refused() {
    let dirs = dirs();
    let victim = dirs.root.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    for name in ["feed_1.MYD", ".feed_1.MYD.partial"] {
        fs::create_dir(&dirs.target).unwrap();
        symlink(&victim, dirs.target.join(name)).unwrap();
        let output = dirs.restore(&["--force", "--only=1"]);
        assert_code(&output, 1);
        assert_says(&output, &["symbolic link"]);
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(names(&dirs.target), [name]);
        fs::remove_file(dirs.target.join(name)).unwrap();
        let made = Command::new("mkfifo").arg(dirs.target.join(name)).status().unwrap();
        assert!(made.success());
        let output = dirs.restore(&["--force", "--only=1"]);
        assert_code(&output, 1);
        assert_says(&output, &["a pipe"]);
        fs::remove_dir_all(&dirs.target).unwrap();
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    let dirs = dirs();
    // As a quota does, or a disk that others fill at the same time.
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 100; exec \"$@\"", "limited"])
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("restore")
        .args([&dirs.copies, &dirs.target])
        .output()
        .unwrap();
    assert_code(&output, 3);
    assert_says(&output, &["feed 1 is not restored", "feed_1.MYD.partial"]);
    assert_eq!(names(&dirs.target), ["feed_2.MYD"]);
    assert!(dirs.restored(2) == rows(0..100));
}

#[test]
fn places_that_are_none_are_named() {
    let dirs = dirs();
    let at = |copies: &Path, target: &Path, code: i32, what: &[&str]| {
        let output = restore(copies, target, &[]);
        assert_code(&output, code);
        assert_says(&output, what);
    };
    let (copies, target) = (&dirs.copies, &dirs.target);
    at(dirs.root.path(), target, 1, &["several sources", "/copies"]);
    at(&dirs.root.path().join("none"), target, 1, &["none"]);
    at(copies, copies, 2, &["the same directory"]);
    at(copies, &target.join("below/it"), 1, &["target/below"]);
    let other = dirs.root.path().join("other");
    fs::create_dir(&other).unwrap();
    at(&other, target, 1, &["no copies of feeds"]);
    fs::copy(copies.join("emonfeed.sqlite"), other.join("emonfeed.sqlite")).unwrap();
    at(copies, &other, 1, &["a directory of copies"]);
    let data = dirs.root.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("aria_log_control"), "").unwrap();
    at(copies, &data, 2, &["whole data directory"]);
    at(copies, &data.join("emoncms"), 1, &["CREATE DATABASE"]);
    assert_eq!(names(&data), ["aria_log_control"]);
    assert_code(&dirs.restore(&["--only=77"]), 1);
    assert!(!target.exists());
    assert_eq!(names(&other), ["emonfeed.sqlite"]);
}

#[test]
fn phptimeseries_gets_only_what_it_can_read() {
    let root = tempfile::tempdir().unwrap();
    let old = root.path().join("old");
    fs::create_dir(&old).unwrap();
    let cases: [(&str, Vec<u8>); 5] = [
        ("", rows(0..100)),
        ("0xff", (0..100).flat_map(|i| flagged(0xff, 1000 + i, 1.5)).collect()),
        ("0xfd", [rows(0..50), flagged(0xfd, 2_000_000_000, 0.0), rows(60..99)].concat()),
        ("earlier", [rows(50..60), rows(0..50)].concat()),
        ("deleted", {
            let deleted = vec![0, 255, 255, 255, 255, 255, 255, 0, 1];
            [rows(0..50), deleted, rows(60..70)].concat()
        }),
    ];
    for (number, (_, bytes)) in cases.iter().enumerate() {
        fs::write(old.join(format!("feed_{number}.MYD")), bytes).unwrap();
    }
    let target = root.path().join("phptimeseries");
    fs::create_dir(&target).unwrap();
    let output = restore(&old, &target, &[]);
    assert_code(&output, 3);
    assert_eq!(names(&target), ["feed_0.MYD"]);
    for (number, (why, _)) in cases.iter().enumerate().skip(1) {
        let said = said(&output);
        let line = said.lines().find(|l| l.contains(&format!("feed {number} is not")));
        assert!(line.is_some_and(|line| line.contains(why)), "{why}: {said}");
    }
    // Into a folder, all of them.
    let folder = root.path().join("folder");
    assert_code(&restore(&old, &folder, &[]), 0);
    for (number, (_, bytes)) in cases.iter().enumerate() {
        assert!(fs::read(folder.join(format!("feed_{number}.MYD"))).unwrap() == *bytes);
    }
}

#[test]
fn phpfina_comes_back_with_its_meta() {
    let dirs = dirs();
    let values: Vec<u8> = (0..5000).flat_map(|i| (i as f32).to_le_bytes()).collect();
    fs::write(dirs.source.join("7.dat"), &values).unwrap();
    let meta: Vec<u8> =
        [0, 0, 10, 1_400_000_000_u32].iter().flat_map(|n| n.to_le_bytes()).collect();
    fs::write(dirs.source.join("7.meta"), &meta).unwrap();
    dirs.backup();
    let target = dirs.root.path().join("phpfina");
    fs::create_dir(&target).unwrap();
    let output = restore(&dirs.copies, &target, &[]);
    assert_code(&output, 0);
    assert_says(&output, &["2 feeds of other kinds"]);
    assert_eq!(names(&target), ["7.dat", "7.meta"]);
    assert!(fs::read(target.join("7.dat")).unwrap() == values);
    assert!(fs::read(target.join("7.meta")).unwrap() == meta);
    assert_code(&restore(&dirs.copies, &target, &[]), 1);
    flip(&dirs.copies.join("7.dat"), 44);
    assert_code(&restore(&dirs.copies, &target, &["--force"]), 1);
    assert!(fs::read(target.join("7.dat")).unwrap() == values);
}

#[test]
fn rows_that_no_table_has_are_refused_or_left_out() {
    let root = tempfile::tempdir().unwrap();
    let (old, target) = (root.path().join("old"), root.path().join("target"));
    fs::create_dir(&old).unwrap();
    let bad = [rows(0..50), flagged(0x41, 1, 1.0), rows(60..99)].concat();
    fs::write(old.join("feed_1.MYD"), &bad).unwrap();
    let output = restore(&old, &target, &[]);
    assert_code(&output, 1);
    assert_says(&output, &["0x41", "old/feed_1.MYD", "450"]);
    assert_eq!(names(&target), [""; 0]);
    let output = restore(&old, &target, &["--accept-damaged"]);
    assert_code(&output, 0);
    assert_says(&output, &["1 DAMAGED rows left out"]);
    let held = fs::read(target.join("feed_1.MYD")).unwrap();
    assert!(held == [rows(0..50), rows(60..99)].concat());
}

#[test]
fn values_are_not_taken_for_null_by_a_definition_of_other_columns() {
    let root = tempfile::tempdir().unwrap();
    let (old, target) = (root.path().join("old"), root.path().join("target"));
    fs::create_dir(&old).unwrap();
    // FD says "NULL" in a table where both may be, and "value" where one may.
    let rows: Vec<u8> = (1..100).flat_map(|i| flagged(0xfd, i, i as f32)).collect();
    fs::write(old.join("feed_1.MYD"), &rows).unwrap();
    fs::copy(fixture("plain", "frm"), old.join("feed_1.frm")).unwrap();
    let output = restore(&old, &target, &[]);
    assert_code(&output, 1);
    assert_says(&output, &["1 of whose columns may be NULL"]);
    fs::copy(fixture("data_null", "frm"), old.join("feed_1.frm")).unwrap();
    assert_code(&restore(&old, &target, &[]), 0);
}

#[test]
fn rows_none_of_which_fit_are_not_cut_off_as_garbage() {
    let root = tempfile::tempdir().unwrap();
    let (old, target) = (root.path().join("old"), root.path().join("target"));
    fs::create_dir(&old).unwrap();
    // Of a table without NULL; in one with, each would be a row of NULLs.
    let rows: Vec<u8> = (1..100)
        .flat_map(|i| [flagged(0xff, i, 1.5), vec![i as u8; 4]].concat())
        .collect();
    fs::write(old.join("feed_1.MYD"), &rows).unwrap();
    fs::copy(fixture("double", "frm"), old.join("feed_1.frm")).unwrap();
    let output = restore(&old, &target, &[]);
    assert_code(&output, 1);
    assert_says(&output, &["the last 99 of 99 rows", "definition is of others"]);
    assert_eq!(names(&target), [""; 0]);
    fs::copy(fixture("double_not_null", "frm"), old.join("feed_1.frm")).unwrap();
    assert_code(&restore(&old, &target, &[]), 0);
}
