//! `emonfeed backup`, as a user runs it.

use crate::table::{Dirs, STRIDE, Table, contents, dirs, names, rows};
use emonfeed::backup::{Backup, FeedReport, RunOptions, Summary};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(dirs: &Dirs, options: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["backup", "--same-device"])
        .args(options)
        .args([&dirs.source, &dirs.copies])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn json(ran: &Ran) -> Vec<Value> {
    ran.out
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

/// Feeds 1, 2, 10 and a table that is no feed.
fn feeds() -> Dirs {
    let dirs = dirs();
    for (feed, count) in [("feed_10", 30), ("feed_2", 20), ("feed_1", 10)] {
        Table::indexed(&dirs.source, feed, &rows(0..count));
    }
    Table::indexed(&dirs.source, "users", &rows(0..5));
    dirs
}

#[test]
fn one_line_per_feed_in_numeric_order_and_a_summary() {
    let dirs = feeds();
    fs::remove_dir(&dirs.copies).unwrap();
    let ran = run(&dirs, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.out);
    for (line, (feed, count)) in lines.iter().zip([(" 1", 10), (" 2", 20), ("10", 30)]) {
        assert!(line.starts_with(&format!("feed {feed}  created ")), "{line}");
        assert!(line.contains(&format!(" {count} rows ")), "{line}");
        assert!(line.contains(&format!(" {} bytes ", count * STRIDE)), "{line}");
        assert!(line.ends_with(" kB/s"), "{line}");
    }
    assert!(lines[3].starts_with("3 feeds: 3 created; 60 rows, 540 bytes copied in "));
    let mode = fs::metadata(&dirs.copies).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(names(&dirs.copies).len(), 6);

    let ran = run(&dirs, &[]);
    assert_eq!(ran.out.lines().nth(1), Some("feed  2  unchanged"));
    let ran = run(&dirs, &["--quiet"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let ran = run(&dirs, &["-v"]);
    assert!(ran.out.contains("20 rows, 180 bytes in all"), "{}", ran.out);
}

#[test]
fn a_feed_that_fails_does_not_stop_the_others() {
    let dirs = feeds();
    let bad = Table { data: dirs.source.join("feed_2.MYD") };
    bad.set_header(26, &[2]);
    fs::write(dirs.source.join("feed_3.frm"), "").unwrap();
    fs::write(dirs.source.join("feed_3.ibd"), "").unwrap();
    symlink(dirs.source.join("feed_1.MYD"), dirs.source.join("feed_4.MYD")).unwrap();
    let ran = run(&dirs, &[]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("feed 2 is not copied") && ran.err.contains("REPAIR"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("feed 3 is not copied") && ran.err.contains("InnoDB"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("feed 4 is not copied") && ran.err.contains("symbolic"),
        "{}",
        ran.err
    );
    let mut held = names(&dirs.copies);
    held.retain(|name| name.ends_with(".MYD"));
    assert_eq!(held, ["feed_1.MYD", "feed_10.MYD"]);
    assert!(
        ran.out.ends_with(" s\n") && ran.out.contains("2 created, 3 failed"),
        "{}",
        ran.out
    );

    // Nothing to say but the failures, for cron.
    let ran = run(&dirs, &["-q"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (3, "", 3));
    // If all fail, the run failed.
    assert_eq!(run(&dirs, &["--only", "[234]"]).code, 1);
    assert_eq!(run(&dirs, &["--only", "2", "--only", "3"]).code, 1);
}

#[test]
fn json_lines_say_the_same() {
    let dirs = feeds();
    run(&dirs, &["--only", "1", "--only", "2"]);
    Table { data: dirs.source.join("feed_1.MYD") }.write(&rows(5..9));
    let torn = [rows(0..20), vec![1, 2, 3]].concat();
    fs::write(dirs.copies.join("feed_2.MYD"), torn).unwrap();
    fs::write(dirs.copies.join("feed_99.MYD"), rows(0..4)).unwrap();
    let bad = Table { data: dirs.source.join("feed_10.MYD") };
    bad.update(3, &[0x51; STRIDE]);

    let ran = run(&dirs, &["--json"]);
    assert_eq!(ran.code, 3);
    let lines = json(&ran);
    assert_eq!(lines.len(), 5, "{}", ran.out);
    let figures = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or("").to_owned();
        (text("type"), text("feed"), text("outcome"))
    };
    let expected = [
        ("feed", "1", "new-generation"),
        ("feed", "2", "appended"),
        ("feed", "10", "failed"),
        ("feed", "99", "source-gone"),
        ("summary", "", ""),
    ];
    for (line, (kind, feed, outcome)) in lines.iter().zip(expected) {
        assert_eq!(figures(line), (kind.into(), feed.into(), outcome.into()));
    }
    assert_eq!(lines[0]["rows_copied"], 4);
    let kept = lines[0]["kept"].as_str().unwrap();
    assert_eq!(fs::read(kept).unwrap(), rows(0..10));
    assert_eq!(lines[1]["bytes_repaired"], 3);
    assert_eq!(lines[2]["status"], 43);
    let message = lines[2]["message"].as_str().unwrap();
    assert!(message.contains("at byte 27"), "{message}");
    let summary = &lines[4];
    for (key, value) in [
        ("feeds", 3),
        ("new-generation", 1),
        ("appended", 1),
        ("failed", 1),
        ("source-gone", 1),
        ("created", 0),
        ("rows_copied", 4),
        ("bytes_copied", 36),
        ("exit_code", 3),
    ] {
        assert_eq!(summary[key], value, "{key}");
    }
    // A copy without its source stays.
    assert_eq!(fs::read(dirs.copies.join("feed_99.MYD")).unwrap(), rows(0..4));
}

#[test]
fn a_dry_run_writes_nothing_not_even_the_directory() {
    let dirs = feeds();
    fs::remove_dir(&dirs.copies).unwrap();
    let ran = run(&dirs, &["--dry-run"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.contains("3 created; 60 rows, 540 bytes to copy (dry run)"),
        "{}",
        ran.out
    );
    assert!(!dirs.copies.exists());
    fs::create_dir(&dirs.copies).unwrap();
    run(&dirs, &["-n"]);
    assert_eq!(fs::read_dir(&dirs.copies).unwrap().count(), 0);
}

#[test]
fn feeds_are_chosen_by_number_name_and_prefix() {
    let dirs = feeds();
    Table::bare(&dirs.source, "timeseries_5", &rows(0..5));
    let copied = |options: &[&str]| {
        let ran = run(&dirs, options);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let mut held = names(&dirs.copies);
        held.retain(|name| name.ends_with(".MYD"));
        for name in contents(&dirs.copies).keys() {
            fs::remove_file(dirs.copies.join(name)).unwrap();
        }
        held.join(" ")
    };
    assert_eq!(copied(&["--only", "1*"]), "feed_1.MYD feed_10.MYD");
    assert_eq!(copied(&["--only", "feed_2", "--only", "10"]), "feed_10.MYD feed_2.MYD");
    assert_eq!(copied(&["--exclude", "1?"]), "feed_1.MYD feed_2.MYD");
    assert_eq!(copied(&["--only", "1*", "--exclude", "10"]), "feed_1.MYD");
    assert_eq!(copied(&["--prefix", "timeseries_"]), "timeseries_5.MYD");
    assert_eq!(copied(&["--only", "2-10", "--exclude", "3-9"]), "feed_10.MYD feed_2.MYD");
    assert_eq!(copied(&["--only", "1,2"]), "feed_1.MYD feed_2.MYD");
    assert_eq!(copied(&["--max-size", "180"]), "feed_1.MYD feed_2.MYD");
    for (options, says) in [
        (["--only", "3"], "none that was asked for"),
        (["--prefix", "f"], "there is no feed here"),
    ] {
        let ran = run(&dirs, &options);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(says), "{}", ran.err);
    }
    assert_eq!(run(&dirs, &["--only", "9-2"]).code, 2);
}

#[test]
fn two_runs_do_not_meet() {
    let dirs = feeds();
    run(&dirs, &[]);
    let lock = fs::File::open(dirs.copies.join(".emonfeed.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let before = contents(&dirs.copies);
    let ran = run(&dirs, &["--json"]);
    assert_eq!(ran.code, 11);
    assert!(ran.err.contains("another run"), "{}", ran.err);
    assert_eq!(json(&ran)[0]["exit_code"], 11);
    assert_eq!(contents(&dirs.copies), before);
    assert_eq!(run(&dirs, &["-n"]).code, 0);
    drop(lock);
    assert_eq!(run(&dirs, &[]).code, 0);
}

#[test]
fn the_lock_file_is_no_way_out_of_the_directory() {
    let dirs = feeds();
    let elsewhere = dirs.source.join("elsewhere");
    symlink(&elsewhere, dirs.copies.join(".emonfeed.lock")).unwrap();
    let ran = run(&dirs, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("symbolic link"), "{}", ran.err);
    assert!(!elsewhere.exists());
    assert_eq!(names(&dirs.copies), [""; 0]);
}

#[test]
fn a_run_that_cannot_begin_says_why() {
    let dirs = feeds();
    let with = |source: &str, copies: &str| {
        let root = dirs.root.path();
        let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
            .args(["backup", "--same-device"])
            .args([root.join(source), root.join(copies)])
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (source, copies, code, says) in [
        ("none", "copies", 1, "no such directory"),
        ("copies", "source", 1, "there is no feed here"),
        ("source/feed_1.MYD", "copies", 1, "ot a directory"),
        ("source", "none/copies", 1, "cannot make the directory"),
        ("source", "source", 2, "same directory"),
        ("source", "copies/../source", 2, "same directory"),
    ] {
        let (got, message) = with(source, copies);
        assert_eq!(got, code, "{message}");
        assert!(message.contains(says), "{message}");
    }
    assert!(!dirs.root.path().join("none").exists());
    for options in
        [&["--bwlimit", "fast"][..], &["-q", "-v"], &["-q", "--json"], &["--nonsense"]]
    {
        assert_eq!(run(&dirs, options).code, 2);
    }
}

#[test]
fn what_to_do_about_a_source_that_may_not_be_read_is_hinted_at() {
    // Root may read anything unless these capabilities are taken away.
    let as_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let without: &[&str] = match as_root {
        true => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        false => &["env"],
    };
    for (locked, hinted) in [("source", true), ("copies", false)] {
        let dirs = feeds();
        let dir = dirs.root.path().join(locked);
        let set_mode = |mode| {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        };
        set_mode(0o000);
        let output = Command::new(without[0])
            .args(&without[1..])
            .args([env!("CARGO_BIN_EXE_emonfeed"), "backup", "--same-device"])
            .args([&dirs.source, &dirs.copies])
            .output()
            .expect("setpriv runs (package util-linux)");
        set_mode(0o700);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("Permission denied"), "{message}");
        let hint = message.lines().nth(1);
        assert_eq!(
            hint.is_some_and(|hint| hint.contains("try sudo")),
            hinted,
            "{message}"
        );
    }
}

#[test]
fn source_and_destination_exchanged_harm_nothing() {
    let dirs = feeds();
    run(&dirs, &[]);
    let Dirs { root, source, copies } = dirs;
    let mut exchanged = Dirs { root, source: copies, copies: source };
    let before = contents(&exchanged.copies);
    let files = || fs::read_dir(&exchanged.copies).unwrap().count();
    let count = files();
    for options in [&["--json"][..], &["--json", "-n"], &["--json", "--only", "1"]] {
        let ran = run(&exchanged, options);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("exchanged"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "the run is refused, not each feed");
        assert_eq!(json(&ran)[0]["status"], 60);
        assert_eq!(contents(&exchanged.copies), before);
        // DROP DATABASE fails if there is a file that is not the server's.
        assert_eq!(files(), count, "nothing is made, no lock file either");
    }
    // A database without tables.
    let empty = exchanged.root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("db.opt"), "").unwrap();
    exchanged.copies = empty;
    let ran = run(&exchanged, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("exchanged"), "{}", ran.err);
    assert_eq!(fs::read_dir(&exchanged.copies).unwrap().count(), 1);
}

#[test]
fn results_that_cannot_be_printed_do_not_stop_the_copying() {
    let dirs = feeds();
    let with_stdout = |stdout: &str| {
        let script = format!("exec \"$0\" backup --same-device \"$1\" \"$2\" {stdout}");
        let output = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_emonfeed")])
            .args([&dirs.source, &dirs.copies])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = with_stdout("> /dev/full");
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot write the results"), "{message}");
    assert_eq!(names(&dirs.copies).len(), 6);
    // A reader that went away is no failure.
    let (code, message) = with_stdout("> >(exec true)");
    assert_eq!((code, message.as_str()), (Some(0), ""));
    assert_eq!(with_stdout("2>&- 1>&-").0, Some(0));
}

#[test]
fn the_rate_is_limited() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_1", &rows(0..20_000));
    Table::indexed(&dirs.source, "feed_2", &rows(0..20_000));
    let begun = Instant::now();
    assert_eq!(run(&dirs, &["--bwlimit", "1M"]).code, 0);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(350), "{took:?}");
}

#[test]
fn the_help_has_examples_and_exit_codes() {
    let dirs = dirs();
    let ran = run(&dirs, &["--help"]);
    assert_eq!(ran.code, 0);
    for text in
        ["Examples:", "emonfeed backup", "--bwlimit", "--dry-run", "\n  11  another run"]
    {
        assert!(ran.out.contains(text), "{text}");
    }
}

/// Runs while the table has the names that ALTER TABLE gives it meanwhile, and
/// gets its own back a moment later.
fn run_beside_an_alter(with_another: bool) -> (Summary, Vec<String>) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..100));
    if with_another {
        Table::indexed(&dirs.source, "feed_8", &rows(0..50));
    }
    fs::write(dirs.copies.join("feed_7.MYD"), rows(0..90)).unwrap();
    let extensions = ["MYD", "MYI", "frm"];
    let away = |extension: &str| dirs.source.join(format!("#sql-alter-1-2.{extension}"));
    for extension in extensions {
        fs::rename(table.data.with_extension(extension), away(extension)).unwrap();
    }
    let mut told = Vec::new();
    let summary = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            for extension in extensions {
                fs::rename(away(extension), table.data.with_extension(extension))
                    .unwrap();
            }
        });
        let options = RunOptions { same_device: true, ..RunOptions::default() };
        let mut run = Backup::open(&dirs.source, &dirs.copies, options).unwrap();
        while let Some(FeedReport { feed, done, .. }) =
            run.step(&mut |_, _| true).unwrap()
        {
            told.push(format!("{} {}", feed.number(), done.name()));
        }
        run.close()
    });
    (summary.unwrap(), told)
}

#[test]
fn a_feed_that_is_altered_while_the_list_is_made_is_copied() {
    let (summary, told) = run_beside_an_alter(false);
    assert_eq!(told, ["7 appended"]);
    assert_eq!((summary.feeds, summary.source_gone), (1, 0));
    let (summary, told) = run_beside_an_alter(true);
    assert_eq!(told, ["8 created", "7 appended"]);
    assert_eq!((summary.feeds, summary.source_gone), (2, 0));
}
