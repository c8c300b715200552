//! `emonfeed verify`: every kind of damage is found, and the right rows of a
//! source that is not what the copy is.

mod server;
#[allow(dead_code)] // Each test binary uses its own part of this.
#[path = "backup/table.rs"]
mod table;

use emonfeed::backup::{Backup, CATALOG_FILE, LOCK_FILE, RunOptions};
use rusqlite::{Connection, params};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use server::Server;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use table::{Dirs, STRIDE, Table, dirs, fixture, row, rows};
use xxhash_rust::xxh3::xxh3_128;

const BLOCK: u32 = 8192;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).expect("a line is JSON");
        self.out.lines().map(parse).collect()
    }
}

fn verify(dir: &Path, options: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("verify")
        .arg(dir)
        .args(["--timezone", "UTC"])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Compares with the source, too.
fn compare(dirs: &Dirs, options: &[&str]) -> Ran {
    let source = ["--source", dirs.source.to_str().unwrap()];
    verify(&dirs.copies, &[&source[..], options].concat())
}

fn backup(source: &Path, copies: &Path) {
    let options = RunOptions { same_device: true, ..RunOptions::default() };
    let mut backup = Backup::open(source, copies, options).unwrap();
    while backup.step(&mut |_, _| true).unwrap().is_some() {}
    assert!(backup.close().unwrap().is_complete());
}

fn run(dirs: &Dirs) {
    backup(&dirs.source, &dirs.copies);
}

/// A table of some blocks whose copy was replaced once and edited once, and a
/// feed of PHPFina.
fn backed_up() -> (Dirs, Table) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..2 * BLOCK));
    fs::write(dirs.source.join("8.meta"), meta()).unwrap();
    fs::write(dirs.source.join("8.dat"), values(0..1000)).unwrap();
    run(&dirs);
    table.write(&rows(50_000..50_000 + 3 * BLOCK + 7));
    run(&dirs);
    let last = 3 * BLOCK as usize + 6;
    table.update(last, &row(1_400_000_000 + 10 * (50_000 + last as u32), 1.5));
    run(&dirs);
    (dirs, table)
}

fn meta() -> Vec<u8> {
    [0_u32, 0, 10, 1_400_000_000].into_iter().flat_map(u32::to_le_bytes).collect()
}

fn values(range: std::ops::Range<u16>) -> Vec<u8> {
    range.flat_map(|i| f32::from(i).to_le_bytes()).collect()
}

/// Changes one byte of a file.
fn flip(path: &Path, offset: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], offset).unwrap();
}

fn dated(dirs: &Dirs, extension: &str) -> PathBuf {
    let begin = format!("feed_7.{extension}.2");
    let all = fs::read_dir(&dirs.copies).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    all.into_iter().find(|path| name(path).starts_with(&begin)).expect("one is kept")
}

fn catalog(dirs: &Dirs) -> Connection {
    Connection::open(dirs.copies.join(CATALOG_FILE)).unwrap()
}

/// Every file with its bytes and when it was written.
fn state(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let meta = entry.metadata().unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            (entry.path(), (bytes, meta.mtime(), meta.ctime()))
        })
        .collect()
}

#[test]
fn sound_copies_are_found_sound_and_nothing_is_written() {
    let (dirs, _) = backed_up();
    let before = state(&dirs.copies);
    let ran = verify(&dirs.copies, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        ran.out
            .starts_with("2 feeds: all as they should be; 25583 rows, 2 old states and "),
        "{}",
        ran.out
    );
    // All of the copies, and of the file that is kept.
    let bytes = (3 * u64::from(BLOCK) + 7 + 2 * u64::from(BLOCK)) * STRIDE as u64 + 4000;
    assert!(ran.out.contains(&format!(" and {bytes} bytes read in ")), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1);
    let ran = verify(&dirs.copies, &["-q"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let ran = compare(&dirs, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(state(&dirs.copies) == before);

    let lines = verify(&dirs.copies, &["--json"]).json();
    assert_eq!(lines.len(), 3);
    let feed = &lines[0];
    for (key, value) in [
        ("type", "feed".into()),
        ("feed", "7".into()),
        ("file", "feed_7.MYD".into()),
        ("kind", "mysql".into()),
        ("fine", true.into()),
        ("listed", true.into()),
        ("rows", (3 * BLOCK + 7).into()),
        ("kept", 2.into()),
        ("damage", Value::Array(vec![])),
    ] {
        assert_eq!(feed[key], value, "{key}");
    }
    assert!(feed.get("source").is_none());
    assert_eq!(lines[2]["bytes"], bytes);
    assert_eq!(lines[2]["exit_code"], 0);
}

/// After some damage: what is said, by file and word.
#[track_caller]
fn expect_damage(dirs: &Dirs, file: &str, what: &str, says: &str) {
    let ran = verify(&dirs.copies, &["--json"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    let lines = ran.json();
    let summary = lines.last().unwrap();
    assert_eq!((&summary["damaged"], &summary["exit_code"]), (&1.into(), &3.into()));
    let damages: Vec<&Value> =
        lines.iter().filter_map(|line| line["damage"].as_array()).flatten().collect();
    assert_eq!(damages.len(), 1, "{}", ran.out);
    assert_eq!(damages[0]["what"], what, "{}", ran.out);
    let named = damages[0]["file"].as_str().unwrap();
    assert!(named.starts_with(file), "{named}");
    let message = damages[0]["message"].as_str().unwrap();
    assert!(message.contains(says), "{message}");
    // People are told the same, even if they want to hear of nothing else.
    let ran = verify(&dirs.copies, &["-q"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains(named) && ran.out.contains(says), "{}", ran.out);
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""));
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let blocks = u64::from(BLOCK);
    let row = |row: u64, byte: u64| row * STRIDE as u64 + byte;
    // The flag, the time, the value; the first and the last row.
    for (offset, says) in [
        (row(0, 0), "somewhere in 0-8191"),
        (row(blocks, 3), "somewhere in 8192-16383"),
        (row(blocks - 1, 7), "somewhere in 0-8191"),
        (row(3 * blocks + 6, 8), "somewhere in 24576-24582"),
    ] {
        let (dirs, _) = backed_up();
        flip(&dirs.copies.join("feed_7.MYD"), offset);
        expect_damage(&dirs, "feed_7.MYD", "rows", says);
    }
    let (dirs, _) = backed_up();
    flip(&dirs.copies.join("8.dat"), 17);
    expect_damage(&dirs, "8.dat", "rows", "somewhere in 0-999");

    let (dirs, _) = backed_up();
    for block in [0, 1, 3] {
        flip(&dirs.copies.join("feed_7.MYD"), row(block * blocks, 0));
    }
    expect_damage(&dirs, "feed_7.MYD", "rows", "in 0-16383, 24576-24582");
}

#[test]
fn a_changed_byte_of_a_wide_row_is_found() {
    let dirs = dirs();
    for extension in ["MYD", "MYI", "frm"] {
        let copy = dirs.source.join("feed_7").with_extension(extension);
        fs::copy(fixture("histogram", extension), copy).unwrap();
    }
    run(&dirs);
    assert_eq!(verify(&dirs.copies, &[]).code, 0);
    flip(&dirs.copies.join("feed_7.MYD"), 13 + 12);
    expect_damage(&dirs, "feed_7.MYD", "rows", "somewhere in 0-");
}

#[test]
fn damaged_definitions_and_old_states_are_found() {
    let (dirs, _) = backed_up();
    flip(&dirs.copies.join("feed_7.frm"), 300);
    expect_damage(&dirs, "feed_7.frm", "definition", "not the one that was copied");

    let (dirs, _) = backed_up();
    flip(&dirs.copies.join("8.meta"), 8);
    expect_damage(&dirs, "8.meta", "definition", "not the one that was copied");

    let (dirs, _) = backed_up();
    fs::remove_file(dirs.copies.join("feed_7.frm")).unwrap();
    expect_damage(&dirs, "feed_7.frm", "missing", "it is missing");

    let (dirs, _) = backed_up();
    flip(&dated(&dirs, "MYD"), 9 * 8192);
    expect_damage(&dirs, "feed_7.MYD.2", "rows", "somewhere in 8192-16383");

    let (dirs, _) = backed_up();
    fs::remove_file(dated(&dirs, "MYD")).unwrap();
    expect_damage(&dirs, "feed_7.MYD.2", "missing", "it is missing");

    let (dirs, _) = backed_up();
    flip(&dated(&dirs, "frm"), 0);
    expect_damage(&dirs, "feed_7.frm.2", "definition", "not the one that was copied");
}

#[test]
fn copies_that_lack_rows_or_are_gone_are_found() {
    let (dirs, _) = backed_up();
    let copy = dirs.copies.join("feed_7.MYD");
    let file = fs::OpenOptions::new().write(true).open(&copy).unwrap();
    file.set_len(20_000 * 9 + 4).unwrap();
    expect_damage(&dirs, "feed_7.MYD", "short", "has 20000 rows and should have 24583");
    fs::remove_file(&copy).unwrap();
    expect_damage(&dirs, "feed_7.MYD", "missing", "it is missing");
    fs::create_dir(&copy).unwrap();
    expect_damage(&dirs, "feed_7.MYD", "unreadable", "a directory");
    fs::remove_dir(&copy).unwrap();
    std::os::unix::fs::symlink(dated(&dirs, "MYD"), &copy).unwrap();
    expect_damage(&dirs, "feed_7.MYD", "unreadable", "a symbolic link");
}

#[test]
fn bytes_behind_the_last_row_are_said_and_no_fault() {
    let (dirs, _) = backed_up();
    let copy = dirs.copies.join("feed_7.MYD");
    let mut bytes = fs::read(&copy).unwrap();
    bytes.extend([0xf9; 20]);
    fs::write(&copy, bytes).unwrap();
    let ran = verify(&dirs.copies, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.starts_with("feed 7  20 bytes behind the last row that counts\n"),
        "{}",
        ran.out
    );
    assert_eq!(verify(&dirs.copies, &["-q"]).out, "");
}

#[test]
fn a_catalog_that_says_something_else_is_found() {
    for (sql, what, says) in [
        (
            "UPDATE hashes SET hashes = CAST(zeroblob(16) || substr(hashes, 17) AS BLOB) WHERE file = 2",
            "rows",
            "somewhere in 0-8191",
        ),
        (
            "UPDATE hashes SET hashes = substr(hashes, 1, 32) WHERE file = 2",
            "catalog",
            "hashes of rows are missing",
        ),
        ("DELETE FROM hashes WHERE file = 2", "catalog", "hashes of rows are missing"),
        ("UPDATE feed SET tail = zeroblob(16) WHERE id = 1", "catalog", "last rows"),
        (
            "UPDATE feed SET rows = rows - 1 WHERE name = 'feed_7.MYD'",
            "rows",
            "24576-24581",
        ),
        ("UPDATE feed SET rows = rows + 1 WHERE id = 1", "short", "should have 24584"),
        ("UPDATE overwritten SET cell = 4000000", "catalog", "are no rows"),
        ("UPDATE overwritten SET rows = x'00'", "unreadable", "not what was written"),
    ] {
        let (dirs, _) = backed_up();
        assert!(catalog(&dirs).execute(sql, []).unwrap() > 0, "{sql}");
        expect_damage(&dirs, "feed_7.MYD", what, says);
    }
}

#[test]
fn a_catalog_that_is_damaged_is_no_riddle() {
    let (dirs, _) = backed_up();
    let path = dirs.copies.join(CATALOG_FILE);
    let sound = fs::read(&path).unwrap();
    // Its first bytes: no database at all.
    flip(&path, 3);
    let ran = verify(&dirs.copies, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("the catalog is damaged") && ran.err.contains("move it away"),
        "{}",
        ran.err
    );
    // A page of it.
    let mut pages = 0;
    for page in 1..sound.len() / 4096 {
        let mut bytes = sound.clone();
        bytes[page * 4096..page * 4096 + 64].fill(0xee);
        fs::write(&path, bytes).unwrap();
        let ran = verify(&dirs.copies, &[]);
        assert_ne!(ran.code, 0, "page {page}");
        assert!(
            format!("{}{}", ran.out, ran.err).contains("damaged"),
            "page {page}: {}{}",
            ran.out,
            ran.err
        );
        pages += u32::from(ran.code == 3);
    }
    assert!(pages > 0, "nothing was checked in spite of a damaged page");
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert!(matches!(verify(&dirs.copies, &[]).code, 1 | 3));
    fs::write(&path, "").unwrap();
    let ran = verify(&dirs.copies, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no catalog"), "{}", ran.err);
}

#[test]
fn what_a_run_left_that_was_cut_short_is_seen_as_it_was() {
    let (dirs, _) = backed_up();
    let copy = dirs.copies.join("feed_7.MYD");
    let before = fs::read(&copy).unwrap();
    // An edit was about to be made: the catalog has what was there.
    let cell = 32 * 9;
    let kept = before[10 * cell..11 * cell].to_vec();
    let db = catalog(&dirs);
    db.execute(
        "INSERT INTO generation SELECT 1, generation, 'edited', 3, file, stride, rows, NULL, '',
            definition, 'pending' FROM feed WHERE id = 1",
        [],
    )
    .unwrap();
    db.execute(
        "INSERT INTO overwritten SELECT 1, generation, 10, ?, ? FROM feed WHERE id = 1",
        params![kept, xxh3_128(&kept).to_be_bytes()],
    )
    .unwrap();
    flip(&copy, 10 * cell as u64 + 100);
    let ran = compare(&dirs, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("a run was cut short within it"), "{}", ran.out);
    // Elsewhere it is damage all the same.
    flip(&copy, 20 * cell as u64);
    expect_damage(&dirs, "feed_7.MYD", "rows", "somewhere in 0-8191");
}

#[test]
fn rows_that_differ_from_the_source_are_named() {
    let (dirs, table) = backed_up();
    let at = |index: u32| 1_400_000_000 + 10 * (50_000 + index);
    table.update(5, &row(at(5), 99.25));
    for index in 8000..8400 {
        let row = row(at(index), index as f32);
        let file = fs::OpenOptions::new().write(true).open(&table.data).unwrap();
        file.write_all_at(&row, u64::from(index) * 9).unwrap();
    }
    table.update(20_000, &[0, 255, 255, 255, 255, 255, 255, 1, 2]);
    table.append(&rows(200_000..200_003));
    let ran = compare(&dirs, &[]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(
        lines[0],
        "feed 7  402 rows unlike the source's: 5 (2014-05-19T11:47:30+00:00); 8000-8399 \
         (2014-05-20T10:00:00+00:00 to 2014-05-20T11:06:30+00:00); 20000 \
         (2014-05-21T19:20:00+00:00); the source was written to since it was copied"
    );
    assert_eq!(
        lines[1],
        "feed 7    row 5, 2014-05-19T11:47:30+00:00: 1400500050 12501.25 → 1400500050 99.25"
    );
    // Five are written out.
    assert_eq!(lines[6], "feed 7  the source has grown by 3 rows since");
    assert!(lines[7].starts_with("2 feeds: 1 unlike the source; "), "{}", lines[7]);

    let all = compare(&dirs, &["--json", "--only", "7"]).json();
    let source = &all[0]["source"];
    for (key, value) in [
        ("outcome", Value::from("different")),
        ("rows_compared", (3 * BLOCK + 7).into()),
        ("rows_differing", 402.into()),
        ("rows_only_in_source", 3.into()),
        ("rows_only_in_copy", 0.into()),
        ("written_since", true.into()),
    ] {
        assert_eq!(source[key], value, "{key}");
    }
    let range = &source["ranges"][1];
    let expected = serde_json::json!({
        "first": 8000, "last": 8399, "first_time": at(8000), "last_time": at(8399),
    });
    assert_eq!(*range, expected);
    assert_eq!(source["ranges"][2]["first_time"], at(20_000));
    let five = serde_json::json!({
        "row": 5,
        "copy": { "time": at(5), "value": 12501.25, "bytes": hex(&row(at(5), 12501.25)) },
        "source": { "time": at(5), "value": 99.25, "bytes": hex(&row(at(5), 99.25)) },
    });
    assert_eq!(source["differing"][0], five);
    // The copies are as they were written.
    assert_eq!(all[0]["damage"], Value::Array(vec![]));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn damage_and_edits_are_told_apart() {
    let (dirs, table) = backed_up();
    flip(&dirs.copies.join("feed_7.MYD"), 9 * 100 + 8);
    let ran = compare(&dirs, &["--only", "7"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("feed_7.MYD: rows are not those"), "{}", ran.out);
    assert!(
        ran.out.contains("1 row unlike the source's: 100 (")
            && ran.out.contains("the source was not written to since it was copied"),
        "{}",
        ran.out
    );
    // Of a feed that shrank, the copy has more.
    let (dirs, _) = (dirs, table.write(&rows(50_000..50_100)));
    let source = &compare(&dirs, &["--json", "--only", "7"]).json()[0]["source"];
    assert_eq!(source["rows_only_in_copy"], 3 * BLOCK + 7 - 100);
    assert_eq!(source["outcome"], "different");
}

#[test]
fn values_of_phpfina_have_times() {
    let (dirs, _) = backed_up();
    let mut edited = values(0..1003);
    edited[4 * 30..4 * 31].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(dirs.source.join("8.dat"), edited).unwrap();
    let ran = compare(&dirs, &["--only", "8"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.out.contains(
            "row 30, 2014-05-13T16:58:20+00:00: 1400000300 30 → 1400000300 no value"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("grown by 3 rows"), "{}", ran.out);
    // Another interval: these are other readings.
    fs::write(dirs.source.join("8.dat"), values(0..1000)).unwrap();
    let mut other = meta();
    other[8] = 20;
    fs::write(dirs.source.join("8.meta"), other).unwrap();
    let ran = compare(&dirs, &["--only", "8"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("other columns"), "{}", ran.out);
}

#[test]
fn feeds_that_one_side_lacks_are_named() {
    let (dirs, table) = backed_up();
    Table::indexed(&dirs.source, "feed_12", &rows(0..5));
    for extension in ["MYD", "MYI", "frm"] {
        fs::remove_file(table.with(extension)).unwrap();
    }
    fs::write(dirs.copies.join("feed_99.MYD"), rows(0..4)).unwrap();
    let ran = compare(&dirs, &[]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    for line in [
        "feed  7  the source does not have it (any more)\n",
        "feed 12  there is no copy of it\n",
        "feed 99  the catalog does not know it\n",
    ] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    // What only the copies have is no fault.
    assert_eq!(compare(&dirs, &["--exclude", "12"]).code, 0);
    let summary = compare(&dirs, &["--json"]).json().pop().unwrap();
    for (key, value) in
        [("missing", 1), ("source_gone", 2), ("unlisted", 1), ("feeds", 4)]
    {
        assert_eq!(summary[key], value, "{key}");
    }
}

#[test]
fn copies_without_a_catalog_are_compared() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..100));
    let held = [&rows(0..90)[..], &[0xf9, 1, 2]].concat();
    fs::write(dirs.copies.join("feed_7.MYD"), held).unwrap();
    let ran = verify(&dirs.copies, &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("no catalog") && ran.err.contains("--source"),
        "{}",
        ran.err
    );
    let ran = compare(&dirs, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for says in [
        "there is no catalog here",
        "feed 7  the source has grown by 10 rows since",
        "feed 7  3 bytes behind the last row that counts",
    ] {
        assert!(ran.out.contains(says), "{}", ran.out);
    }
    table.update(50, &row(1_400_000_500, 7.0));
    let ran = compare(&dirs, &["-q"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.out.starts_with("feed 7  1 row unlike the source's: 50 ("),
        "{}",
        ran.out
    );
    // Not even copies.
    let ran = verify(&dirs.root.path().join("source/none"), &[]);
    assert!(ran.code == 1 && ran.err.contains("no such directory"), "{}", ran.err);
    let empty = dirs.root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let ran = verify(&empty, &[]);
    assert!(ran.code == 1 && ran.err.contains("no copies here"), "{}", ran.err);
}

#[test]
fn a_run_at_work_is_not_looked_at() {
    let (dirs, _) = backed_up();
    let lock = fs::File::open(dirs.copies.join(LOCK_FILE)).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let ran = verify(&dirs.copies, &["--json"]);
    assert_eq!(ran.code, 11);
    assert!(ran.err.contains("a run is at work"), "{}", ran.err);
    assert_eq!(ran.json()[0]["exit_code"], 11);
    // Two looks do not disturb each other.
    flock(&lock, FlockOperation::LockShared).unwrap();
    assert_eq!(verify(&dirs.copies, &[]).code, 0);
}

#[test]
fn all_destinations_of_a_directory_are_looked_at() {
    let (dirs, _) = backed_up();
    let both = dirs.root.path().join("both");
    fs::create_dir(&both).unwrap();
    for name in ["one", "two"] {
        backup(&dirs.source, &both.join(name));
    }
    let ran = verify(&both, &[]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.out.matches("2 feeds: all as they should be").count(), 2);
    assert!(ran.out.contains("both/two:\n"), "{}", ran.out);
    flip(&both.join("two/8.dat"), 0);
    assert_eq!(verify(&both, &[]).code, 3);
    let source = dirs.source.to_str().unwrap();
    let ran = verify(&both, &["--source", source]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("name the directory"), "{}", ran.err);
    assert_eq!(verify(&both.join("one"), &["--source", source]).code, 0);
}

/// Whether the directory, mounted read-only, can be looked at: without
/// privileges there is no mount, then its files and itself are only made
/// read-only and root's powers taken away.
#[test]
fn a_read_only_destination_is_looked_at() {
    let (dirs, _) = backed_up();
    let entries = fs::read_dir(&dirs.copies).unwrap().map(|entry| entry.unwrap().path());
    for path in entries {
        fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o555)).unwrap();
    let as_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let without: &[&str] = match as_root {
        true => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        false => &["env"],
    };
    for command in ["verify", "status"] {
        let output = Command::new(without[0])
            .args(&without[1..])
            .args([env!("CARGO_BIN_EXE_emonfeed"), command])
            .arg(&dirs.copies)
            .output()
            .expect("setpriv runs (package util-linux)");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{command}: {message}");
    }
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn which_feeds_are_asked_for_is_kept_to() {
    let (dirs, _) = backed_up();
    flip(&dirs.copies.join("feed_7.MYD"), 0);
    assert_eq!(verify(&dirs.copies, &["--exclude", "7"]).code, 0);
    assert_eq!(verify(&dirs.copies, &["--only", "1-7"]).code, 3);
    let ran = verify(&dirs.copies, &["--only", "9"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("none that was asked for"), "{}", ran.err);
    assert_eq!(verify(&dirs.copies, &["--only", "9-7"]).code, 2);
}

/// Ends what goes on beside the test.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn beside_a_server_at_work_only_what_was_edited_differs() {
    let mut server = Server::start();
    server.sql(
        "CREATE TABLE feed_7 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM",
    );
    server.sql("INSERT INTO feed_7 SELECT 1000 + 10 * seq, seq FROM seq_1_to_60000");
    let copies = tempfile::tempdir().unwrap();
    let source = server.database();
    backup(&source, copies.path());
    let arguments = ["--source", source.to_str().unwrap(), "--json"];
    let compared = || {
        let ran = verify(copies.path(), &arguments);
        (ran.code, ran.json().remove(0)["source"].clone())
    };
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also if something is not as it should be.
        let _stop = Stop(done);
        let mut client = server.client();
        scope.spawn(move || {
            // New readings all the time, and the last one edited.
            let mut time = 700_000;
            while !done.load(Ordering::Relaxed) {
                client.sql(&format!("INSERT INTO feed_7 VALUES ({time}, 1)")).unwrap();
                client
                    .sql(&format!("UPDATE feed_7 SET data = 2 WHERE time = {time}"))
                    .unwrap();
                time += 10;
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        for _ in 0..10 {
            let (code, source) = compared();
            assert_eq!((code, &source["outcome"]), (0, &"same".into()), "{source}");
            assert_eq!(source["rows_compared"], 60_000);
        }
        // Three rows in two places.
        server.sql("UPDATE feed_7 SET data = 0.5 WHERE time IN (1010, 401000, 401010)");
        for _ in 0..10 {
            let (code, source) = compared();
            assert_eq!((code, &source["rows_differing"]), (3, &3.into()), "{source}");
            let ranges: Vec<_> = source["ranges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|range| (range["first"].as_u64(), range["last"].as_u64()))
                .collect();
            assert_eq!(ranges, [(Some(0), Some(0)), (Some(39_999), Some(40_000))]);
            assert_eq!(source["differing"][0]["source"]["value"], 0.5);
        }
    });
    backup(&source, copies.path());
    assert_eq!(compared().0, 0);
    server.sql("TRUNCATE feed_7");
    let (code, source) = compared();
    assert_eq!((code, &source["rows_compared"]), (3, &0.into()), "{source}");
}

#[test]
fn told_to_stop_it_says_what_it_saw_until_then() {
    let dirs = dirs();
    let table = Table::bare(&dirs.source, "feed_1", &[]);
    let file = fs::OpenOptions::new().write(true).open(&table.data).unwrap();
    let part = rows(0..100_000);
    for at in 0..400 {
        file.write_all_at(&part, at * part.len() as u64).unwrap();
    }
    // Or a child would have it open before it is another program.
    drop(file);
    run(&dirs);
    let mut child = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["verify", "--json"])
        .arg(&dirs.copies)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has the file open: signals are watched by then.
    let fds = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let is_open = || {
        let links = fs::read_dir(&fds).into_iter().flatten().flatten();
        links
            .filter_map(|fd| fs::read_link(fd.path()).ok())
            .any(|to| to.ends_with("feed_1.MYD"))
    };
    while !is_open() {
        assert!(child.try_wait().unwrap().is_none(), "it was done too soon");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("one line");
    assert_eq!((&summary["stopped"], &summary["feeds"]), (&true.into(), &0.into()));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("stopped before the end"), "{message}");
}
