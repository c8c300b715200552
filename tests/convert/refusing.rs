//! What is refused, and what is said then.

use crate::program::{Ended, emonfeed, run};
use crate::table::{Dirs, Table, contents, dirs, fixture, names, row, rows};
use rustix::fs::{FlockOperation, flock};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn convert(source: &Path, target: &Path, options: &[&str]) -> Ended {
    let mut command = emonfeed(["convert", "--timezone", "UTC"]);
    command.args(options).args([source, target]);
    run(command)
}

fn refused(dirs: &Dirs, options: &[&str], code: i32, says: &str) {
    let before = contents(&dirs.copies);
    let ended = convert(&dirs.source, &dirs.copies, options);
    assert_eq!(ended.code(), code, "{ended:?}");
    assert!(ended.err.contains(says), "{ended:?}");
    assert!(contents(&dirs.copies) == before, "{ended:?}");
}

const FINA: [&str; 2] = ["--to", "phpfina"];
const ROWS: [&str; 2] = ["--to", "phptimeseries"];

#[test]
fn arguments_that_make_no_sense() {
    let dirs = dirs();
    Table::bare(&dirs.source, "feed_7", &rows(0..10));
    refused(&dirs, &[], 2, "--to");
    refused(&dirs, &["--to", "mysql"], 2, "phpfina");
    refused(&dirs, &["--to", "phpfina", "--interval", "0"], 2, "--interval");
    refused(&dirs, &["--to", "phptimeseries", "--interval", "10"], 2, "for PHPFina");
    refused(&dirs, &["--to", "phptimeseries", "--max"], 2, "for PHPFina");
    refused(&dirs, &["--to", "phpfina", "--max", "--min"], 2, "--min");
    refused(&dirs, &["--to", "phpfina", "--start", "9", "--end", "8"], 2, "before");
    refused(&dirs, &["--to", "phpfina", "--start", "yesterday"], 2, "Unix seconds");
    refused(&dirs, &["--to", "phpfina", "--only", "9-2"], 2, "9-2");
}

#[test]
fn places_that_are_none_of_ours() {
    let Dirs { root, source, copies } = &dirs();
    let is_refused = |source: &Path, target: &Path, code: i32, says: &str| {
        for options in [&FINA[..], &["--to", "phpfina", "-n"]] {
            let ended = convert(source, target, options);
            assert_eq!(ended.code(), code, "{ended:?}");
            assert!(ended.err.contains(says), "{says}: {ended:?}");
        }
    };
    is_refused(&root.path().join("none"), copies, 1, "cannot inspect");
    is_refused(source, copies, 1, "there is no feed here");
    fs::write(source.join("7.dat"), [0; 8]).unwrap();
    is_refused(source, copies, 1, "PHPFina's already");
    let table = Table::bare(source, "feed_7", &rows(0..10));
    is_refused(source, &root.path().join("none"), 1, "there is no such directory");
    is_refused(source, source, 2, "the same directory");
    is_refused(&table.data, &source.join("../source"), 2, "the same directory");
    let other = table.data.with_file_name("other.MYD");
    fs::copy(&table.data, &other).unwrap();
    is_refused(&other, copies, 1, "tells of no feed");
    let twin = Table::bare(source, "feed_007", &rows(0..10));
    is_refused(
        source,
        copies,
        2,
        "feed_007.MYD and feed_7.MYD would have the same files",
    );
    fs::remove_file(twin.data).unwrap();
    fs::write(copies.join("db.opt"), "").unwrap();
    is_refused(source, copies, 1, "database server");
    fs::remove_file(copies.join("db.opt")).unwrap();
    fs::write(copies.join("ibdata1"), "").unwrap();
    is_refused(source, copies, 1, "database server");
    fs::remove_file(copies.join("ibdata1")).unwrap();
    fs::write(copies.join("emonfeed.sqlite"), "x").unwrap();
    is_refused(source, copies, 1, "emonfeed backup");
}

#[test]
fn what_is_there_is_not_overwritten_whatever_it_is() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    let elsewhere = dirs.root.path().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    for (options, name) in
        [(FINA, "7.dat"), (FINA, "7.meta"), (ROWS, "feed_7.MYD"), (ROWS, "feed_7.frm")]
    {
        let path = dirs.copies.join(name);
        fs::write(&path, "").unwrap();
        refused(&dirs, &options, 1, "nothing is overwritten");
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        refused(&dirs, &options, 1, "nothing is overwritten");
        fs::remove_file(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        refused(&dirs, &options, 1, "nothing is overwritten");
        fs::remove_file(&path).unwrap();
    }
    // Where the file is while it has no name.
    for (options, name) in [
        (FINA, ".7.converted.dat"),
        (FINA, ".7.converted.meta"),
        (ROWS, ".feed_7.converted.MYD"),
    ] {
        let path = dirs.copies.join(name);
        symlink(&elsewhere, &path).unwrap();
        refused(&dirs, &options, 1, "a symbolic link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused(&dirs, &options, 1, "a directory");
        fs::remove_dir(&path).unwrap();
    }
    assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");
}

#[test]
fn feeds_that_cannot_be_read_or_held() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_1", &rows(0..10));
    let bad = Table::indexed(&dirs.source, "feed_2", &rows(0..10));
    bad.set_header(26, &[2]);
    fs::write(dirs.source.join("feed_3.ibd"), "").unwrap();
    fs::write(dirs.source.join("feed_3.frm"), "").unwrap();
    for extension in ["MYD", "MYI", "frm"] {
        let name = format!("feed_4.{extension}");
        fs::copy(fixture("histogram", extension), dirs.source.join(name)).unwrap();
    }
    symlink(dirs.source.join("feed_1.MYD"), dirs.source.join("feed_5.MYD")).unwrap();
    let ended = convert(&dirs.source, &dirs.copies, &FINA);
    assert_eq!(ended.code(), 3, "{ended:?}");
    for says in [
        "feed 2 is not converted: ",
        "REPAIR TABLE",
        "feed 3 is not converted: ",
        "InnoDB",
        "feed 4 is not converted: ",
        "histogram",
        "feed 5 is not converted: ",
        "symbolic link",
    ] {
        assert!(ended.err.contains(says), "{says}: {ended:?}");
    }
    assert_eq!(names(&dirs.copies), ["1.dat", "1.meta"]);
    assert!(ended.out.contains("5 feeds: 1 converted, 4 failed"), "{ended:?}");
    // None.
    let options = ["--to", "phpfina", "--exclude", "1"];
    assert_eq!(convert(&dirs.source, &dirs.copies, &options).code(), 1);
}

#[test]
fn a_feed_that_does_not_tick_needs_an_interval() {
    let dirs = dirs();
    let lonely = [row(1_400_000_003, 1.0)].concat();
    let wild: Vec<u8> =
        (0..20_u32).flat_map(|i| row(1_400_000_000 + (1 << i), 1.0)).collect();
    for (bytes, says) in
        [(Vec::new(), "too few"), (lonely.clone(), "too few"), (wild, "no regular")]
    {
        Table::bare(&dirs.source, "feed_7", &bytes);
        refused(&dirs, &FINA, 1, says);
        refused(&dirs, &FINA, 1, "--interval");
    }
    Table::bare(&dirs.source, "feed_7", &lonely);
    let ended =
        convert(&dirs.source, &dirs.copies, &["--to", "phpfina", "--interval", "10"]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(fs::read(dirs.copies.join("7.dat")).unwrap(), 1.0_f32.to_le_bytes());
}

#[test]
fn losses_have_to_be_allowed() {
    let dirs = dirs();
    let lossy = |more: &[u8], options: &[&str], says: &str| {
        for name in names(&dirs.copies) {
            fs::remove_file(dirs.copies.join(name)).unwrap();
        }
        let bytes = [&rows(0..10), more].concat();
        Table::bare(&dirs.source, "feed_7", &bytes);
        refused(&dirs, options, 1, says);
        let allowed = [options, &["--allow-loss"]].concat();
        let ended = convert(&dirs.source, &dirs.copies, &allowed);
        assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    };
    let joins = row(1_400_000_091, 1.0);
    lossy(&joins, &FINA, "share an interval with others (1)");
    lossy(&[], &["--to", "phpfina", "--interval", "30"], "others (6)");
    lossy(&[], &["--to", "phpfina", "--interval", "50", "--average"], "others (8)");
    lossy(&row(1_400_000_090, 1.0), &ROWS, "different values (1)");
    lossy(&row(1_400_000_090, 1.0), &FINA, "different values (1)");
    // Nothing is lost where a row is there twice, or has a second of its own.
    for (options, more) in [
        (ROWS, joins),
        (ROWS, row(1_400_000_090, 2.25)),
        (FINA, row(1_400_000_090, 2.25)),
    ] {
        for name in names(&dirs.copies) {
            fs::remove_file(dirs.copies.join(name)).unwrap();
        }
        Table::bare(&dirs.source, "feed_7", &[rows(0..10), more].concat());
        let ended = convert(&dirs.source, &dirs.copies, &options);
        assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    }
}

#[test]
fn a_reading_at_a_wrong_time_does_not_fill_the_disk() {
    let dirs = dirs();
    let bytes = [row(0, 1.0), rows(0..100)].concat();
    Table::bare(&dirs.source, "feed_7", &bytes);
    refused(&dirs, &FINA, 1, "560000416 bytes");
    let between = "none between 0 and 1400000000, 1 before and 100 behind: if these are at a wrong \
                   time, leave them out by --start or --end. --allow-sparse";
    refused(&dirs, &FINA, 1, between);
    let options = ["--to", "phpfina", "--start", "2012-01-01"];
    let ended = convert(&dirs.source, &dirs.copies, &options);
    assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    assert!(ended.out.contains("left out: 1 outside --start and --end"), "{ended:?}");
    assert_eq!(fs::metadata(dirs.copies.join("7.dat")).unwrap().len(), 400);
    // At a longer interval it is a file like others.
    fs::remove_file(dirs.copies.join("7.dat")).unwrap();
    fs::remove_file(dirs.copies.join("7.meta")).unwrap();
    let sparse = ["--to", "phpfina", "--interval", "600", "--allow-loss"];
    refused(&dirs, &sparse, 1, "--allow-sparse");
    let allowed = [&sparse[..], &["--allow-sparse"]].concat();
    assert_eq!(convert(&dirs.source, &dirs.copies, &allowed).code(), 0);
    let length = fs::metadata(dirs.copies.join("7.dat")).unwrap().len();
    assert_eq!(length, (1_400_000_990 / 600 + 1) * 4);
}

#[test]
fn two_do_not_meet() {
    let dirs = dirs();
    Table::bare(&dirs.source, "feed_7", &rows(0..10));
    let lock = fs::File::open(&dirs.copies).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    refused(&dirs, &FINA, 11, "another conversion");
    assert_eq!(convert(&dirs.source, &dirs.copies, &["-n", "--to", "phpfina"]).code(), 0);
    drop(lock);
    assert_eq!(convert(&dirs.source, &dirs.copies, &FINA).code(), 0);
}

#[test]
fn copies_that_no_catalog_vouches_for_are_not_converted() {
    let dirs = dirs();
    let copies = dirs.root.path().join("backup");
    Table::indexed(&dirs.source, "feed_7", &rows(0..100));
    let mut backup = emonfeed(["backup", "--same-device", "-q"]);
    backup.args([&dirs.source, &copies]);
    assert_eq!(run(backup).code(), 0);
    let copy = copies.join("feed_7.MYD");
    // What a run that was killed wrote behind what it committed.
    let torn = [rows(0..102), vec![0xf9, 1, 2]].concat();
    fs::write(&copy, torn).unwrap();
    let ended = convert(&copies, &dirs.copies, &ROWS);
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert!(ended.err.contains("does not vouch"), "{ended:?}");
    assert_eq!(names(&dirs.copies), [""; 0]);
    fs::write(&copy, rows(0..100)).unwrap();
    assert_eq!(convert(&copies, &dirs.copies, &ROWS).code(), 0);
    assert!(fs::read(dirs.copies.join("feed_7.MYD")).unwrap() == rows(0..100));
    // While a run is at work there.
    fs::remove_file(dirs.copies.join("feed_7.MYD")).unwrap();
    let lock = fs::File::open(copies.join(".emonfeed.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    assert_eq!(convert(&copies, &dirs.copies, &ROWS).code(), 11);
}

#[test]
fn folders_that_may_not_be_read_or_written() {
    // Root may do anything unless these capabilities are taken away.
    let as_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let without: &[&str] = match as_root {
        true => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        false => &["env"],
    };
    for (locked, mode, hinted) in
        [("source", 0o000, true), ("copies", 0o000, false), ("copies", 0o500, false)]
    {
        let dirs = dirs();
        Table::bare(&dirs.source, "feed_7", &rows(0..10));
        let dir = dirs.root.path().join(locked);
        let set_mode = |mode| {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        };
        set_mode(mode);
        let output = Command::new(without[0])
            .args(&without[1..])
            .args([env!("CARGO_BIN_EXE_emonfeed"), "convert", "--to", "phpfina"])
            .args([&dirs.source, &dirs.copies])
            .output()
            .expect("setpriv runs (package util-linux)");
        set_mode(0o700);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("Permission denied"), "{message}");
        assert_eq!(message.contains("try sudo"), hinted, "{message}");
        assert_eq!(names(&dirs.copies), [""; 0]);
    }
}
