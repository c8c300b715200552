//! `emonfeed convert`, as a user runs it.

use crate::program::{Ended, emonfeed, run};
use crate::table::{Dirs, Table, contents, dirs, names, row, rows};
use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn convert(dirs: &Dirs, options: &[&str]) -> Ended {
    let mut command = emonfeed(["convert", "--timezone", "UTC"]);
    command.args(options).args([&dirs.source, &dirs.copies]);
    run(command)
}

/// What PHP reads in a file, by the layout of emoncms's engines.
fn read_by_php(path: &Path) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/convert/read.php");
    let output = Command::new("php").arg("-n").arg(script).arg(path).output();
    let output = output.expect("php runs (package php-cli)");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Out of order, with a deleted row, one without time, one without value.
fn untidy() -> Vec<u8> {
    let mut null_data = row(1_400_000_050, 0.0);
    null_data[0] = 0xfd;
    let mut null_time = row(0, 5.0);
    null_time[0] = 0xfb;
    let mut deleted = vec![0];
    deleted.extend([0xff; 8]);
    [
        row(1_400_000_003, 1.5),
        row(1_400_000_080, 8.25),
        row(1_400_000_011, -2.0),
        deleted,
        row(1_400_000_020, 1.0e10),
        row(1_400_000_030, 3.0),
        null_data,
        null_time,
        row(1_400_000_060, 6.0),
    ]
    .concat()
}

fn untidy_feed() -> Dirs {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &untidy());
    // One of the slots is that of a deleted row.
    for (offset, value) in [(28, 8_u64), (36, 1), (52, 27)] {
        table.set_header(offset, &value.to_be_bytes());
    }
    dirs
}

#[test]
fn emoncms_is_not_to_be_told_of_a_feed_that_goes_on() {
    let dirs = dirs();
    let table = Table::bare(&dirs.source, "feed_7", &rows(0..50_000));
    Table::bare(&dirs.source, "feed_8", &rows(0..10));
    let over = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&table.data).unwrap();
            // It ends also where the command does not.
            for next in 50_000..60_000 {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // As PHPTimeSeries does it.
                flock(&file, FlockOperation::LockExclusive).unwrap();
                file.write_all(&rows(next..next + 1)).unwrap();
                flock(&file, FlockOperation::Unlock).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let ended = convert(&dirs, &["--to", "phptimeseries"]);
        over.store(true, Ordering::Relaxed);
        ended
    });
    assert_eq!(ended.code(), 3, "{ended:?}");
    assert!(ended.err.contains("feed 7 goes on: "), "{ended:?}");
    assert!(ended.out.contains("2 feeds: 2 converted; "), "{}", ended.out);
    assert!(ended.out.contains("engine = 2 WHERE id IN (8);"), "{}", ended.out);
}

#[test]
fn to_phptimeseries() {
    let dirs = untidy_feed();
    let before = contents(&dirs.source);
    let ended = convert(&dirs, &["--to", "phptimeseries"]);
    assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "feed 7  7 readings, 2014-05-13T16:53:23+00:00 to 2014-05-13T16:54:40+00:00: 7 \
             rows, 63 bytes",
            "        left out: 1 deleted, 1 without time",
            "        sorted: 5 lie behind later ones",
            "        values: 1 missing (NaN)",
        ]
    );
    assert!(lines[4].starts_with("feed 7  converted          7 rows compared"));
    assert!(lines[5].starts_with("1 feed: 1 converted; 63 bytes in "));
    assert_eq!(lines[7], "  UPDATE feeds SET engine = 2 WHERE id IN (7);");
    assert_eq!(lines[9], "  redis-cli HSET feed:7 engine 2");
    assert_eq!(names(&dirs.copies), ["feed_7.MYD"]);
    assert_eq!(
        read_by_php(&dirs.copies.join("feed_7.MYD")),
        [
            "1400000003 1.5",
            "1400000011 -2",
            "1400000020 10000000000",
            "1400000030 3",
            "1400000050 -",
            "1400000060 6",
            "1400000080 8.25",
        ]
    );
    assert!(contents(&dirs.source) == before, "the source is touched");
}

#[test]
fn to_phpfina_and_from_there_nothing_again() {
    let dirs = untidy_feed();
    let ended = convert(&dirs, &["--to", "phpfina"]);
    assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "feed 7  7 readings, 2014-05-13T16:53:23+00:00 to 2014-05-13T16:54:40+00:00: 9 \
             values every 10 s, 52 bytes",
            "        interval found: 66.7 % of the gaps between readings are of about that",
            "        left out: 1 deleted, 1 without time",
            "        sorted: 5 lie behind later ones",
            "        values: 1 missing (NaN)",
            "        100.0 % of the readings are alone in their interval, 28.6 % move to its \
             beginning",
            "        2 of 9 intervals are empty (22.2 %)",
        ]
    );
    assert!(ended.out.contains("UPDATE feeds SET engine = 5 WHERE id IN (7);"));
    assert_eq!(
        read_by_php(&dirs.copies.join("7.dat")),
        [
            "1400000000 1.5",
            "1400000010 -2",
            "1400000020 10000000000",
            "1400000030 3",
            "1400000040 -",
            "1400000050 -",
            "1400000060 6",
            "1400000070 -",
            "1400000080 8.25",
        ]
    );
    // By way of PHPTimeSeries it is the same.
    let other = dirs.root.path().join("rows");
    let last = dirs.root.path().join("values");
    fs::create_dir(&other).unwrap();
    fs::create_dir(&last).unwrap();
    for (from, to, engine) in
        [(&dirs.source, &other, "phptimeseries"), (&other, &last, "phpfina")]
    {
        let mut command = emonfeed(["convert", "-q", "--to", engine]);
        command.args([from, to]);
        let ended = run(command);
        assert_eq!((ended.code(), ended.out.as_str()), (0, ""), "{ended:?}");
    }
    assert!(contents(&last) == contents(&dirs.copies));
    // What is PHPFina's stays.
    let mut command = emonfeed(["convert", "--to", "phpfina"]);
    command.args([&last, &other]);
    let ended = run(command);
    assert_eq!(ended.code(), 1);
    assert!(ended.err.contains("PHPFina's already"), "{ended:?}");
}

#[test]
fn the_shape_of_the_smallest_feeds() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_1", &[]);
    Table::bare(&dirs.source, "feed_2", &row(4_294_967_295, 1.0));
    let mut without_time = row(0, 5.0);
    without_time[0] = 0xfb;
    Table::indexed(&dirs.source, "feed_3", &without_time.repeat(3));
    Table::bare(&dirs.source, "feed_4", &row(0, 4.0));
    let ended = convert(&dirs, &["--to", "phptimeseries"]);
    assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    let ended = convert(&dirs, &["--to", "phpfina", "--interval", "60"]);
    assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
    for (number, rows, values) in [
        (1, vec![], vec![]),
        (2, vec!["4294967295 1"], vec!["4294967280 1"]),
        (3, vec![], vec![]),
        (4, vec!["0 4"], vec!["0 4"]),
    ] {
        let path = dirs.copies.join(format!("feed_{number}.MYD"));
        assert_eq!(read_by_php(&path), rows, "feed {number}");
        let path = dirs.copies.join(format!("{number}.dat"));
        assert_eq!(read_by_php(&path), values, "feed {number}");
        let meta = fs::read(path.with_extension("meta")).unwrap();
        assert_eq!((meta.len(), &meta[8..12]), (16, &60_u32.to_le_bytes()[..]));
        // emoncms takes the first reading of a feed that begins at 0 for its start.
        let start = u32::from_le_bytes(meta[12..].try_into().unwrap());
        assert_eq!(start, if number == 2 { 4_294_967_280 } else { 0 });
    }
    assert!(ended.out.contains("WHERE id IN (1, 2, 3, 4);"), "{ended:?}");
}

#[test]
fn a_dry_run_reports_the_same_and_writes_nothing() {
    let dirs = untidy_feed();
    Table::bare(&dirs.source, "feed_8", &rows(0..10));
    Table::bare(&dirs.source, "feed_9", &[rows(0..10), row(1_400_000_091, 1.0)].concat());
    let dry = convert(&dirs, &["--to", "phpfina", "-n"]);
    assert_eq!(dry.code(), 3, "{dry:?}");
    assert!(dry.err.contains("feed 9 would not be converted: something would be lost"));
    assert!(dry.err.contains("--only 9 --allow-loss"), "{dry:?}");
    assert!(dry.out.contains("3 feeds: 2 could be converted (dry run), 1 refused; 108 "));
    assert_eq!(names(&dirs.copies), [""; 0]);
    let wet = convert(&dirs, &["--to", "phpfina"]);
    assert_eq!(wet.code(), 3, "{wet:?}");
    let report = |ended: &Ended| -> Vec<String> {
        let lines = ended.out.lines().filter(|line| !line.contains("converted"));
        lines.take_while(|line| line.starts_with(['f', ' '])).map(str::to_owned).collect()
    };
    let reported = report(&dry);
    assert!(reported.len() > 10 && report(&wet)[..reported.len()] == reported);
    assert_eq!(names(&dirs.copies), ["7.dat", "7.meta", "8.dat", "8.meta"]);
    assert!(wet.out.contains("3 feeds: 2 converted, 1 refused; 108 bytes"), "{wet:?}");
    // What was refused, in the way that was proposed.
    let rest = convert(&dirs, &["--to", "phpfina", "--only", "9", "--allow-loss"]);
    assert_eq!((rest.code(), rest.err.as_str()), (0, ""), "{rest:?}");
    assert!(rest.out.contains("(1 join others)"), "{rest:?}");
    let read = read_by_php(&dirs.copies.join("9.dat"));
    assert_eq!(read.last().unwrap(), "1400000090 1");
}

#[test]
fn what_becomes_of_the_readings_of_one_interval_is_chosen() {
    let readings = [(0, 4.0), (10, 1.0), (20, 7.0), (60, 2.0), (70, 3.0)];
    let bytes: Vec<u8> =
        readings.iter().flat_map(|&(t, v)| row(1_400_000_040 + t, v)).collect();
    for (option, values) in [
        ("--first", [4.0, 2.0]),
        ("--last", [7.0, 3.0]),
        ("--average", [4.0, 2.5]),
        ("--min", [1.0, 2.0]),
        ("--max", [7.0, 3.0]),
        ("--sum", [12.0, 5.0]),
    ] {
        let dirs = dirs();
        Table::bare(&dirs.source, "feed_7", &bytes);
        let options = ["--to", "phpfina", "--interval", "60", "--allow-loss", option];
        let ended = convert(&dirs, &options);
        assert_eq!((ended.code(), ended.err.as_str()), (0, ""), "{ended:?}");
        let wanted = values.map(f32::to_le_bytes).concat();
        assert_eq!(fs::read(dirs.copies.join("7.dat")).unwrap(), wanted, "{option}");
    }
}

#[test]
fn json_lines_say_the_same() {
    let dirs = untidy_feed();
    Table::bare(&dirs.source, "feed_9", &[rows(0..10), row(1_400_000_091, 1.0)].concat());
    let bad = Table::indexed(&dirs.source, "feed_10", &rows(0..3));
    bad.set_header(26, &[2]);
    let ended = convert(&dirs, &["--to", "phpfina", "--json"]);
    assert_eq!(ended.code(), 3, "{ended:?}");
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| (&line["type"], &line["feed"])).collect();
    let [plan, feed, summary] = ["plan", "feed", "summary"].map(Value::from);
    let [seven, nine, ten] = ["7", "9", "10"].map(Value::from);
    assert_eq!(
        kinds,
        [
            (&plan, &seven),
            (&plan, &nine),
            (&feed, &ten),
            (&feed, &seven),
            (&summary, &Value::Null)
        ]
    );
    for (key, value) in [
        ("slots", json!(9)),
        ("deleted", json!(1)),
        ("without_time", json!(1)),
        ("out_of_order", json!(5)),
        ("readings", json!(7)),
        ("without_value", json!(1)),
        ("interval", json!(10)),
        ("interval_found", json!({ "fitting": 4, "gaps": 6 })),
        ("moved", json!(2)),
        ("joined", json!(0)),
        ("empty", json!(2)),
        ("written", json!(9)),
        ("bytes", json!(52)),
        ("first", json!(1_400_000_003)),
        ("last", json!(1_400_000_080)),
        ("losses", json!([])),
        ("needs", Value::Null),
    ] {
        assert_eq!(lines[0][key], value, "{key}");
    }
    assert_eq!(lines[1]["needs"], "--allow-loss");
    assert_eq!(
        (&lines[2]["outcome"], &lines[2]["status"]),
        (&json!("failed"), &json!(40))
    );
    assert_eq!(lines[3]["files"], json!(["7.meta", "7.dat"]));
    assert_eq!(lines[3]["compared"], 9);
    for (key, value) in [
        ("feeds", json!(3)),
        ("converted", json!(1)),
        ("refused", json!(1)),
        ("failed", json!(1)),
        ("bytes", json!(52)),
        ("exit_code", json!(3)),
        ("sql", json!("UPDATE feeds SET engine = 5 WHERE id IN (7)")),
        ("redis", json!(["redis-cli HSET feed:7 engine 5"])),
    ] {
        assert_eq!(lines[4][key], value, "{key}");
    }
}

#[test]
fn feeds_are_chosen_and_named_as_emoncms_names_them() {
    let dirs = dirs();
    for name in ["timeseries_07", "timeseries_8", "feed_9", "users"] {
        Table::bare(&dirs.source, name, &rows(0..10));
    }
    let ended = convert(&dirs, &["--to", "phptimeseries", "--prefix", "timeseries_"]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_8.MYD"]);
    assert!(ended.out.contains("WHERE id IN (7, 8);"), "{ended:?}");
    // One file.
    let mut command = emonfeed(["convert", "-q", "--to", "phpfina"]);
    command.arg(dirs.source.join("feed_9.MYD")).arg(&dirs.copies);
    assert_eq!(run(command).code(), 0);
    assert_eq!(names(&dirs.copies), ["9.dat", "9.meta", "feed_7.MYD", "feed_8.MYD"]);
    // And one in the directory at hand.
    let mut command = emonfeed(["convert", "-q", "--to", "phptimeseries", "feed_9.MYD"]);
    command.arg(&dirs.copies).current_dir(&dirs.source);
    assert_eq!(run(command).code(), 0);
    assert!(dirs.copies.join("feed_9.MYD").exists());
    let none = convert(&dirs, &["--to", "phpfina", "--only", "3"]);
    assert!(none.code() == 1 && none.err.contains("none that was asked for"));
}

#[test]
fn files_are_the_owners_of_the_directory() {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let dirs = dirs();
    Table::bare(&dirs.source, "feed_7", &rows(0..10));
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o750)).unwrap();
    let owner = |path: &str| {
        let meta = fs::metadata(dirs.copies.join(path)).unwrap();
        (meta.uid(), meta.gid(), meta.permissions().mode() & 0o7777)
    };
    if is_root {
        chown(&dirs.copies, Some(33), Some(34)).unwrap();
    }
    let (user, group, _) = owner(".");
    assert_eq!(convert(&dirs, &["--to", "phpfina"]).code(), 0);
    for file in ["7.dat", "7.meta"] {
        assert_eq!(owner(file), (user, group, 0o640), "{file}");
    }
    // Files that are there already say which mode they have.
    let there = dirs.copies.join("7.dat");
    fs::set_permissions(there, fs::Permissions::from_mode(0o664)).unwrap();
    assert_eq!(convert(&dirs, &["--to", "phptimeseries"]).code(), 0);
    assert_eq!(owner("feed_7.MYD"), (user, group, 0o664));
    if is_root {
        // As another user, who may write there, too.
        fs::remove_file(dirs.copies.join("feed_7.MYD")).unwrap();
        for dir in [dirs.root.path(), &dirs.copies, &dirs.source] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args([env!("CARGO_BIN_EXE_emonfeed"), "convert", "--to", "phptimeseries"])
            .args([&dirs.source, &dirs.copies])
            .output()
            .expect("setpriv runs (package util-linux)");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("sudo chown 33:34 "), "{said}");
    }
}

#[test]
fn what_a_torn_row_leaves_is_counted() {
    let dirs = dirs();
    Table::bare(&dirs.source, "feed_7", &[rows(0..10), vec![0xf9, 1, 2]].concat());
    let ended = convert(&dirs, &["--to", "phptimeseries"]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.out.contains("left out: 3 bytes of a torn row"), "{ended:?}");
    assert!(fs::read(dirs.copies.join("feed_7.MYD")).unwrap() == rows(0..10));
}

#[test]
fn results_that_cannot_be_printed_do_not_stop_it() {
    let dirs = untidy_feed();
    let script = "exec \"$0\" convert --to phpfina \"$1\" \"$2\" > /dev/full";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_emonfeed")])
        .args([&dirs.source, &dirs.copies])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot write the results"), "{said}");
    assert_eq!(names(&dirs.copies), ["7.dat", "7.meta"]);
}

#[test]
fn the_help_has_examples_and_exit_codes() {
    let ended = run(emonfeed(["convert", "--help"]));
    assert_eq!(ended.code(), 0);
    for text in
        ["Examples:", "emonfeed convert", "--allow-loss", "\n  11  another conversion"]
    {
        assert!(ended.out.contains(text), "{text}");
    }
}
