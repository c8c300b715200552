//! What a run writes, and what it leaves alone.

use crate::server::settle;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// 1 January 2024, 0:00 UTC.
const NEW_YEAR: u32 = 1_704_067_200;
const DAY: u32 = 86_400;

/// A row as PHPTimeSeries has it.
pub fn row(time: u32, value: f32) -> [u8; 9] {
    let mut row = [249; 9];
    row[1..5].copy_from_slice(&time.to_le_bytes());
    row[5..].copy_from_slice(&value.to_le_bytes());
    row
}

/// One row for each day.
pub fn days(from: u32, count: u32) -> Vec<u8> {
    (0..count).flat_map(|day| row(from + day * DAY, day as f32 / 8.0)).collect()
}

/// A directory of feeds and one for the dataset.
pub struct Dirs {
    pub root: tempfile::TempDir,
    pub source: PathBuf,
    pub to: PathBuf,
}

impl Dirs {
    pub fn new() -> Dirs {
        let root = tempfile::tempdir().unwrap();
        let (source, to) = (root.path().join("source"), root.path().join("to"));
        fs::create_dir(&source).unwrap();
        Dirs { root, source, to }
    }

    pub fn feed(&self, number: u32) -> PathBuf {
        self.source.join(format!("feed_{number}.MYD"))
    }

    /// Writes a feed, which nobody has touched for a while.
    pub fn write(&self, number: u32, rows: &[u8]) {
        fs::write(self.feed(number), rows).unwrap();
        settle();
    }

    pub fn edit(&self, number: u32, at: u64, row: &[u8]) {
        let file = OpenOptions::new().write(true).open(self.feed(number)).unwrap();
        file.write_all_at(row, at * 9).unwrap();
        settle();
    }

    pub fn args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a OsStr> {
        self.args_to(&self.to, more)
    }

    fn args_to<'a>(&'a self, to: &'a Path, more: &[&'a str]) -> Vec<&'a OsStr> {
        let [export, option] = ["export", "--to"].map(OsStr::new);
        let mut args = vec![export, self.source.as_os_str(), option, to.as_os_str()];
        args.extend(more.iter().map(|text| OsStr::new(*text)));
        args
    }

    /// Runs the command; what it printed.
    #[track_caller]
    pub fn export(&self, more: &[&str]) -> String {
        said(&run(&self.args(more)), 0).0
    }

    /// What a dataset of all that is in the source now is, made at once.
    pub fn fresh(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let to = tempfile::tempdir().unwrap();
        said(&run(&self.args_to(to.path(), &["-q"])), 0);
        partitions(to.path())
    }
}

pub fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What was printed and complained of by a run that ended with that code.
#[track_caller]
fn said(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    (out, err)
}

/// The files of a dataset that engines read, by their paths in it.
pub fn partitions(dataset: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(dataset).into_iter().map(|(path, (bytes, _))| (path, bytes)).collect()
}

fn files(dataset: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u64)> {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<PathBuf, (Vec<u8>, u64)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                walk(&path, root, files);
            } else if !name.starts_with('.') {
                let inode = fs::metadata(&path).unwrap().ino();
                let file = (fs::read(&path).unwrap(), inode);
                files.insert(path.strip_prefix(root).unwrap().to_owned(), file);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dataset, dataset, &mut found);
    found
}

/// The partitions that are other files than before, new or gone.
fn exchanged(
    before: &BTreeMap<PathBuf, (Vec<u8>, u64)>,
    now: &BTreeMap<PathBuf, (Vec<u8>, u64)>,
) -> Vec<String> {
    let all = before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>();
    all.into_iter()
        .filter(|path| before.get(*path) != now.get(*path))
        .map(|path| path.parent().unwrap().display().to_string())
        .collect()
}

#[test]
fn only_years_in_which_rows_changed_are_written() {
    let dirs = Dirs::new();
    // 2024, 2025 and the first days of 2026.
    dirs.write(1, &days(NEW_YEAR, 2 * 366));
    dirs.write(2, &days(NEW_YEAR, 10));
    let said = dirs.export(&[]);
    assert!(said.contains("feed 1: 732 rows, 3 years written ("), "{said}");
    assert!(said.contains("2 feeds: 742 rows, 4 years written ("), "{said}");
    let mut before = files(&dirs.to);
    assert_eq!(partitions(&dirs.to), dirs.fresh());

    let mut expect = |what: &str, years: &[&str]| {
        dirs.export(&["-q"]);
        let now = files(&dirs.to);
        assert_eq!(exchanged(&before, &now), years, "{what}");
        assert_eq!(partitions(&dirs.to), dirs.fresh(), "{what}");
        before = now;
    };
    expect("nothing happened", &[]);
    let mut rows = days(NEW_YEAR, 2 * 366);
    rows.extend(row(NEW_YEAR + 732 * DAY, 7.0));
    dirs.write(1, &rows);
    expect("a row came", &["feed=1/year=2026"]);
    dirs.edit(1, 400, &row(NEW_YEAR + 400 * DAY, -1.0));
    expect("a row was edited", &["feed=1/year=2025"]);
    dirs.edit(1, 10, &[0; 9]);
    expect("a row was deleted", &["feed=1/year=2024"]);
    dirs.edit(1, 10, &row(NEW_YEAR + 500 * DAY + 1, 3.0));
    expect("its slot was used for a later time", &["feed=1/year=2025"]);
    dirs.write(1, &fs::read(dirs.feed(1)).unwrap());
    expect("the file is another with the same rows", &[]);
    dirs.write(1, &days(NEW_YEAR, 20));
    expect(
        "the feed was cleared",
        &["feed=1/year=2024", "feed=1/year=2025", "feed=1/year=2026"],
    );
    dirs.write(1, &[]);
    expect("the feed is empty", &["feed=1/year=2024"]);
    assert!(!dirs.to.join("feed=1/year=2024").exists());
}

#[test]
fn partitions_that_are_not_as_they_were_written_are_written_again() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 500));
    dirs.export(&[]);
    let good = partitions(&dirs.to);
    let part = |year| dirs.to.join(format!("feed=1/year={year}/part-0.parquet"));
    let known = dirs.to.join("feed=1/.emonfeed.json");

    fs::remove_file(part(2024)).unwrap();
    dirs.export(&[]);
    assert_eq!(partitions(&dirs.to), good, "one was removed");
    fs::write(part(2025), "half").unwrap();
    dirs.export(&[]);
    assert_eq!(partitions(&dirs.to), good, "one was cut");
    fs::remove_file(part(2025)).unwrap();
    symlink("/etc/passwd", part(2025)).unwrap();
    dirs.export(&[]);
    assert_eq!(partitions(&dirs.to), good, "one is a link");
    for text in ["", "{", "{}", "[1]", r#"{"version":1,"years":{"2024":{}}}"#] {
        fs::write(&known, text).unwrap();
        let said = dirs.export(&[]);
        assert!(said.contains("2 years written"), "{text}: {said}");
        assert_eq!(partitions(&dirs.to), good, "{text}");
    }
    // What a run left that was killed.
    fs::write(dirs.to.join("feed=1/year=2025/.partial"), "half").unwrap();
    fs::write(dirs.to.join("feed=1/.partial"), "half").unwrap();
    fs::write(dirs.to.join(".partial"), "half").unwrap();
    dirs.edit(1, 499, &row(NEW_YEAR + 499 * DAY, 9.0));
    dirs.export(&[]);
    assert_eq!(partitions(&dirs.to), dirs.fresh());
    assert!(!dirs.to.join("feed=1/year=2025/.partial").exists());
}

#[test]
fn a_dry_run_says_what_there_is_to_do_and_writes_nothing() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 400));
    let said = dirs.export(&["-n"]);
    assert!(said.contains("feed 1: 400 rows, 2 years to be written"), "{said}");
    assert!(!dirs.to.exists());
    dirs.export(&[]);
    let before = files(&dirs.to);
    dirs.write(1, &days(NEW_YEAR, 20));
    let said = dirs.export(&["-n"]);
    assert!(
        said.contains("feed 1: 20 rows, 1 year to be written, 1 year to be removed"),
        "{said}"
    );
    assert_eq!(files(&dirs.to), before);
}

#[test]
fn feeds_that_are_gone_stay_until_their_removal_is_asked_for() {
    let dirs = Dirs::new();
    for feed in [1, 2, 30] {
        dirs.write(feed, &days(NEW_YEAR, 400));
    }
    dirs.export(&[]);
    let before = partitions(&dirs.to);
    fs::remove_file(dirs.feed(2)).unwrap();
    fs::remove_file(dirs.feed(30)).unwrap();
    let said = dirs.export(&[]);
    assert!(said.contains("feed 2: the source is gone, its partitions stay"), "{said}");
    assert_eq!(partitions(&dirs.to), before);
    // Of those that are not asked for nothing is said, or done.
    let said = dirs.export(&["--delete", "--only", "1-9"]);
    assert!(said.contains("feed 2: the source is gone, its partitions were removed"));
    assert!(!said.contains("feed 30"), "{said}");
    assert!(!dirs.to.join("feed=2").exists());
    assert!(dirs.to.join("feed=30").exists());
}

#[test]
fn a_feed_that_cannot_be_read_keeps_none_of_the_others() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 10));
    dirs.write(2, &[5; 27]);
    dirs.write(3, &days(NEW_YEAR, 10));
    fs::write(dirs.source.join("8.dat"), [0; 8]).unwrap();
    let (out, err) = said(&run(&dirs.args(&[])), 3);
    assert!(
        out.contains("2 feeds: 20 rows, 2 years written (")
            && out.contains("; 1 could not be exported; 1 of PHPFina left out"),
        "{out}"
    );
    assert!(err.contains("feed 2: ") && err.contains("feed_2.MYD"), "{err}");
    assert!(!dirs.to.join("feed=2").exists());
    // What there was of it before stays.
    dirs.write(2, &days(NEW_YEAR, 4));
    dirs.export(&[]);
    let before = partitions(&dirs.to);
    dirs.write(2, &[5; 27]);
    said(&run(&dirs.args(&[])), 3);
    assert_eq!(partitions(&dirs.to), before);
    said(&run(&dirs.args(&["--only", "2"])), 1);
    let (_, err) = said(&run(&dirs.args(&["--only", "8"])), 1);
    assert!(err.contains("only feeds of PHPFina"), "{err}");
    let (_, err) = said(&run(&dirs.args(&["--only", "77"])), 1);
    assert!(err.contains("none that was asked for"), "{err}");
}

#[test]
fn directories_of_something_else_are_refused() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 10));
    let refused = |to: &Path, more: &[&str], why: &str| {
        let (_, err) = said(&run(&dirs.args_to(to, more)), 1);
        assert!(err.contains(why), "{err}");
    };
    let other = dirs.root.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("letters.txt"), "dear").unwrap();
    refused(&other, &[], "is not empty");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    refused(&dirs.source, &[], "in the directory of the feeds");
    refused(&dirs.source.join("below"), &[], "in the directory of the feeds");
    assert_eq!(fs::read_dir(&dirs.source).unwrap().count(), 1);
    dirs.export(&[]);
    refused(&dirs.to, &["--format", "csv"], "is another one");
    refused(&dirs.to, &["--compression", "none"], "is another one");
    fs::copy(dirs.feed(1), dirs.source.join("other_1.MYD")).unwrap();
    refused(&dirs.to, &["--prefix", "other_"], "is another one");
    refused(&dirs.root.path().join("no/parent"), &[], "no/parent");
    let (_, err) = said(&run(&dirs.args(&["--format", "xml"])), 2);
    assert!(err.contains("parquet, arrow, csv"), "{err}");
    // Others could exchange what is in it.
    let open = dirs.root.path().join("open");
    fs::create_dir(&open).unwrap();
    Command::new("chmod").arg("777").arg(&open).status().unwrap();
    refused(&open, &[], "open");
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
}

#[test]
fn a_dataset_is_that_of_one_directory() {
    let (dirs, other) = (Dirs::new(), Dirs::new());
    dirs.write(1, &days(NEW_YEAR, 10));
    other.write(2, &days(NEW_YEAR, 10));
    dirs.export(&[]);
    let before = partitions(&dirs.to);
    let refused = run(&other.args_to(&dirs.to, &["--delete"]));
    let (_, err) = said(&refused, 1);
    assert!(err.contains("--source-moved"), "{err}");
    assert_eq!(partitions(&dirs.to), before);
    // It was moved, or is mounted elsewhere.
    let moved = dirs.root.path().join("moved");
    fs::rename(&dirs.source, &moved).unwrap();
    let [export, option] = ["export", "--to"].map(OsStr::new);
    let mut args = vec![export, moved.as_os_str(), option, dirs.to.as_os_str()];
    said(&run(&args), 1);
    args.push(OsStr::new("--source-moved"));
    said(&run(&args), 0);
    args.pop();
    said(&run(&args), 0);
    assert_eq!(partitions(&dirs.to), before);
}

#[test]
fn feeds_that_have_no_rows_to_read_are_named_and_not_gone() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 10));
    dirs.write(7, &days(NEW_YEAR, 10));
    dirs.export(&[]);
    let before = partitions(&dirs.to);
    // Another engine's now.
    fs::remove_file(dirs.feed(7)).unwrap();
    fs::write(dirs.source.join("feed_7.ibd"), "").unwrap();
    let (out, err) = said(&run(&dirs.args(&["--delete"])), 3);
    assert!(err.contains("feed 7: ") && !out.contains("gone"), "{out}{err}");
    assert_eq!(partitions(&dirs.to), before);
    fs::remove_file(dirs.source.join("feed_7.ibd")).unwrap();
    fs::write(dirs.source.join("7.dat"), [0; 8]).unwrap();
    let said_of = dirs.export(&[]);
    assert!(said_of.contains("feed 7: the source is gone"), "{said_of}");
    dirs.write(1, &days(NEW_YEAR, 10));
    fs::rename(dirs.feed(1), dirs.source.join("feed_01.MYD")).unwrap();
    let (_, err) = said(&run(&dirs.args(&[])), 1);
    assert!(err.contains("begin with 0"), "{err}");
}

#[test]
fn what_stands_in_the_way_of_a_removal_is_named_and_stops_nothing() {
    let dirs = Dirs::new();
    for feed in [1, 2, 3] {
        dirs.write(feed, &days(NEW_YEAR, 10));
    }
    dirs.export(&[]);
    // What a run left that was killed, and what another program put there.
    fs::write(dirs.to.join("feed=2/.partial"), "half").unwrap();
    fs::write(dirs.to.join("feed=3/year=2024/_SUCCESS"), "").unwrap();
    fs::remove_file(dirs.feed(2)).unwrap();
    fs::remove_file(dirs.feed(3)).unwrap();
    let (out, err) = said(&run(&dirs.args(&["--delete"])), 3);
    assert!(out.contains("feed 2: the source is gone, its partitions were removed"));
    assert!(err.contains("feed 3: ") && err.contains("year=2024"), "{err}");
    assert!(!dirs.to.join("feed=2").exists());
}

/// Pieces, row groups and years end where they like.
#[test]
fn a_long_feed_is_written_as_it_was_read() {
    let dirs = Dirs::new();
    let count = 1_200_000;
    // Ten seconds apart, over two New Years.
    let from = 1_735_689_600 - count / 3 * 10 * 2;
    let rows: Vec<u8> =
        (0..count).flat_map(|i| row(from + i * 10, (i % 1000) as f32 / 4.0)).collect();
    dirs.write(1, &rows);
    dirs.export(&[]);
    let (to, file) = (dirs.to.to_str().unwrap(), dirs.root.path().join("rows"));
    crate::engines::read(&["rows", to, file.to_str().unwrap()]);
    assert!(fs::read(&file).unwrap() == rows);
    let facts = crate::engines::read(&["facts", to]);
    assert!(facts.len() >= 2, "{facts:?}");
    for file in facts {
        let file: Vec<String> = file.into_iter().map(Option::unwrap).collect();
        assert_eq!(file[1..], ["ZSTD", "sorted by time", "statistics"], "{file:?}");
    }
}

#[test]
fn what_is_printed_for_programs_is_json() {
    let dirs = Dirs::new();
    dirs.write(7, &days(NEW_YEAR, 400));
    dirs.write(8, &[5; 27]);
    let (out, _) = said(&run(&dirs.args(&["--json"])), 3);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["feed"], "7");
    assert_eq!(lines[0]["rows"], 400);
    assert_eq!(lines[0]["written"], 2);
    assert_ne!(lines[1]["status"], 0);
    assert!(lines[1]["message"].as_str().unwrap().contains("feed_8.MYD"));
    assert_eq!(lines[2]["type"], "summary");
    assert_eq!(lines[2]["failed"], 1);
    assert_eq!(lines[2]["exit_code"], 3);
}

#[test]
fn odd_values_and_times_are_text_and_numbers() {
    let dirs = Dirs::new();
    let mut rows = Vec::new();
    for (time, value) in [
        (0, f32::MIN_POSITIVE / 8.0),
        (1, f32::INFINITY),
        (2, f32::NEG_INFINITY),
        (3, f32::NAN),
        (4, -0.0),
        (u32::MAX, 0.1),
    ] {
        rows.extend(row(time, value));
    }
    dirs.write(1, &rows);
    dirs.export(&["--format", "csv", "--compression", "none"]);
    let text = |year: u32| {
        let file = dirs.to.join(format!("feed=1/year={year}/part-0.csv"));
        fs::read_to_string(file).unwrap()
    };
    let first = text(1970);
    let mut lines = first.lines();
    assert_eq!(lines.next(), Some("time,value"));
    let number = lines.next().unwrap().strip_prefix("0,").unwrap();
    assert_eq!(number.parse::<f32>().unwrap(), f32::MIN_POSITIVE / 8.0);
    assert_eq!(lines.collect::<Vec<_>>(), ["1,inf", "2,-inf", "3,", "4,-0"]);
    assert_eq!(text(2106), "time,value\n4294967295,0.1\n");
}

#[test]
fn of_a_backup_only_what_its_catalog_vouches_for_is_exported() {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 10));
    dirs.write(2, &days(NEW_YEAR, 10));
    let copies = dirs.root.path().join("copies");
    let backup = run(&[
        OsStr::new("backup"),
        OsStr::new("--same-device"),
        dirs.source.as_os_str(),
        copies.as_os_str(),
    ]);
    said(&backup, 0);
    // As a run that was killed leaves it.
    let mut copy =
        OpenOptions::new().append(true).open(copies.join("feed_2.MYD")).unwrap();
    std::io::Write::write_all(&mut copy, &row(NEW_YEAR + 20 * DAY, 1.0)).unwrap();
    let [export, option] = ["export", "--to"].map(OsStr::new);
    let args = [export, copies.as_os_str(), option, dirs.to.as_os_str()];
    let (out, err) = said(&run(&args), 3);
    assert!(out.contains("feed 1: 10 rows"), "{out}");
    assert!(err.contains("feed 2: ") && err.contains("does not vouch"), "{err}");
    // And while one is at work.
    let lock = fs::File::open(copies.join(emonfeed::backup::LOCK_FILE)).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (_, err) = said(&run(&args), 11);
    assert!(err.contains("right now"), "{err}");
}
