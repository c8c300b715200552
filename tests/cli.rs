//! The command, from the outside: what it prints, where, and how it ends.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A row as it is written: a value that is no number is NaN in the file.
type Row = (u32, f32);

struct Feed {
    dir: TempDir,
}

impl Feed {
    /// A bare file of these rows, in this order.
    fn new(rows: &[Row]) -> Feed {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = Vec::with_capacity(rows.len() * 9);
        for (time, value) in rows {
            bytes.push(249);
            bytes.extend_from_slice(&time.to_le_bytes());
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        fs::write(dir.path().join("feed_7.MYD"), bytes).unwrap();
        Feed { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("feed_7.MYD")
    }

    /// What `emonfeed get` prints when all is well.
    #[track_caller]
    fn get(&self, args: &[&str]) -> String {
        let path = self.path();
        let mut all = vec!["get", path.to_str().unwrap()];
        all.extend(args);
        printed(&all)
    }

    /// The points of a JSON answer.
    #[track_caller]
    fn points(&self, args: &[&str]) -> Vec<(i64, Option<f64>)> {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        serde_json::from_str::<Vec<(i64, Option<f64>)>>(&self.get(&all)).unwrap()
    }
}

fn emonfeed() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emonfeed"));
    command.env("TZ", "UTC").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    emonfeed().args(args).output().unwrap()
}

#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {stderr}");
    assert_eq!(stderr, "", "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a failing call says on standard error.
#[track_caller]
fn failure(args: &[&str], code: i32) -> String {
    let output = run(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{args:?}");
    stderr
}

/// 1 January 2026, 00:00 UTC.
const NEW_YEAR: u32 = 1_767_225_600;
const DAY: i64 = 86_400;

/// Readings every ten minutes or so, some without a value, with silences.
fn readings() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut time = NEW_YEAR;
    for n in 0..2000_u32 {
        let value = if n % 17 == 3 { f32::NAN } else { ((n * 37) % 1000) as f32 / 10.0 };
        rows.push((time, value));
        time += 540 + (n * n) % 130;
        if n % 400 == 399 {
            time += 30_000;
        }
    }
    rows
}

/// The answer of one window by the words of the manual; `None` is null.
fn naive(rows: &[Row], from: i64, to: i64, aggregate: &str) -> Option<f64> {
    let inside: Vec<f64> = rows
        .iter()
        .filter(|row| (from..to).contains(&i64::from(row.0)))
        .map(|row| f64::from(row.1))
        .collect();
    let values: Vec<f64> = inside.iter().copied().filter(|v| !v.is_nan()).collect();
    let sum: f64 = values.iter().sum();
    match aggregate {
        "--first" => inside.first().copied().filter(|v| !v.is_nan()),
        "--last" => inside.last().copied().filter(|v| !v.is_nan()),
        "--count" => Some(values.len() as f64),
        _ if values.is_empty() => None,
        "--average" => Some(sum / values.len() as f64),
        "--sum" => Some(sum),
        "--min" => values.iter().copied().reduce(f64::min),
        "--max" => values.iter().copied().reduce(f64::max),
        _ => panic!("{aggregate}"),
    }
}

/// Row values come as their shortest decimals, so compare as float32.
#[track_caller]
fn assert_near(got: Option<f64>, want: Option<f64>, what: &str) {
    let near = match (got, want) {
        (Some(got), Some(want)) => (got - want).abs() <= 1e-6 * want.abs().max(1.0),
        (got, want) => got == want,
    };
    assert!(near, "{what}: {got:?} instead of {want:?}");
}

const AGGREGATES: [&str; 7] =
    ["--first", "--last", "--average", "--min", "--max", "--sum", "--count"];

#[test]
fn what_a_state_still_was_at_each_moment() {
    // A tariff that changes now and then; unknown for a while.
    let (t, nan) = (NEW_YEAR, f32::NAN);
    let rows =
        [(t, 0.1), (t + 7000, 0.3), (t + 7200, 0.2), (t + 9000, nan), (t + 90_000, 0.5)];
    let feed = Feed::new(&rows);
    let end = (NEW_YEAR + 90_000).to_string();
    let previous = ["--interval", "3600", "--previous", "--format", "csv"];
    let from = (NEW_YEAR - 3600).to_string();
    let args = [&["--start", &from, "--end", &end][..], &previous].concat();
    let mut want = format!("{from},\n{t},0.1\n{},0.1\n{},0.2\n", t + 3600, t + 7200);
    for hour in 3..=25 {
        want += &format!("{},{}\n", t + hour * 3600, if hour < 25 { "" } else { "0.5" });
    }
    assert_eq!(feed.get(&args), want);
    let skipping = feed.get(&[&args[..], &["--skip-missing"]].concat());
    let have = want.lines().filter(|line| !line.ends_with(','));
    assert_eq!(skipping.lines().collect::<Vec<_>>(), have.collect::<Vec<_>>());

    let since = feed.get(&[&args[..], &["--true-time"]].concat());
    let since: Vec<&str> = since.lines().collect();
    assert_eq!(since[2..4], [format!("{t},0.1"), format!("{},0.2", t + 7200)]);

    let monthly = ["--monthly", "--timezone", "UTC", "--start", "2026-01-01"];
    let both = ["--end", "2026-03-01", "--previous", "--format", "csv"];
    let months = feed.get(&[&monthly[..], &both].concat());
    let february = NEW_YEAR + 31 * 86_400;
    let march = february + 28 * 86_400;
    assert_eq!(months, format!("{NEW_YEAR},0.1\n{february},0.5\n{march},0.5\n"));

    for (more, says) in [
        (&["--average"][..], "cannot be used with"),
        (&["--mysql"], "cannot be used with"),
        (
            &["--start", "0", "--end", "4000000000", "--interval", "1"],
            "more than 10000000",
        ),
    ] {
        let path = feed.path();
        let all = [&["get", path.to_str().unwrap(), "--previous"][..], more].concat();
        let all = match more.contains(&"--interval") {
            true => all,
            false => [&all[..], &["--interval", "60"]].concat(),
        };
        let output = emonfeed().args(&all).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn windows_of_an_interval() {
    let rows = readings();
    let feed = Feed::new(&rows);
    let (start, end) = (i64::from(NEW_YEAR) - 7200, i64::from(NEW_YEAR) + 15 * DAY);
    for aggregate in AGGREGATES {
        let (from, to) = (start.to_string(), end.to_string());
        let args = ["--start", &from, "--end", &to, "--interval", "5000", aggregate];
        let points = feed.points(&args);
        assert_eq!(points.len() as i64, (end - start) / 5000 + 1);
        for (i, (time, value)) in points.into_iter().enumerate() {
            assert_eq!(time, start + i as i64 * 5000);
            let want = naive(&rows, time, time + 5000, aggregate);
            assert_near(value, want, &format!("{aggregate} at {time}"));
        }
        let pread = feed.points(&[&args[..], &["--pread"]].concat());
        assert_eq!(pread, feed.points(&args), "the same by pread");
    }
    let first = ["--start", "2026-01-01", "--end", "2026-01-02", "--interval", "3600"];
    assert_eq!(
        feed.points(&first),
        feed.points(&[&first[..], &["--first"]].concat()),
        "the first value is the default"
    );
}

#[test]
fn calendars_keep_to_the_clocks() {
    // Hourly counts over the days the clocks change in London.
    let start = 1_774_656_000 - 3600; // 27 March 2026, 23:00
    let rows: Vec<Row> = (0..24 * 250).map(|n| (start + n * 3600, 1.0)).collect();
    let feed = Feed::new(&rows);
    let days = feed.points(&[
        "--start",
        "2026-03-28",
        "--end",
        "2026-03-30",
        "--daily",
        "--count",
        "--timezone",
        "Europe/London",
    ]);
    assert_eq!(
        days,
        [
            (1_774_656_000, Some(24.0)),
            (1_774_742_400, Some(23.0)),
            (1_774_825_200, Some(24.0))
        ]
    );
    let autumn = feed.points(&[
        "--start",
        "2026-10-24T12:00",
        "--end",
        "2026-10-26",
        "--daily",
        "--count",
        "--timezone",
        "Europe/London",
    ]);
    let hours: Vec<_> = autumn.iter().map(|day| day.1.unwrap()).collect();
    assert_eq!(hours, [24.0, 25.0, 24.0]);
    // Sunday: the week begins the day after. Months and years begin before.
    let args = ["--start", "2026-06-14T12:00", "--end", "2026-07-13T12:00", "--count"];
    let of = |unit| feed.points(&[&args[..], &[unit]].concat());
    let weeks: Vec<_> = of("--weekly").iter().map(|week| week.0).collect();
    let monday = 1_781_481_600; // 15 June 2026
    assert_eq!(weeks, (0..5).map(|week| monday + week * 7 * DAY).collect::<Vec<_>>());
    assert_eq!(
        of("--monthly"),
        [(1_780_272_000, Some(720.0)), (1_782_864_000, Some(744.0))]
    );
    assert_eq!(of("--annual"), [(i64::from(NEW_YEAR), Some(6000.0))]);
    // The Monday after lies beyond the end: nothing.
    let none = ["--start", "2026-06-14", "--end", "2026-06-14T12:00", "--weekly"];
    assert_eq!(feed.points(&none), []);
    // The machine's own zone, where none is named.
    let path = feed.path();
    let output = emonfeed()
        .env("TZ", "Asia/Kathmandu")
        .args(["get", path.to_str().unwrap(), "--start", "2026-04-01"])
        .args(["--end", "2026-04-01", "--daily", "--format", "csv"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1774980900,1\n");
}

#[test]
fn the_rules_of_the_mysql_engine() {
    let t = |n: u32| NEW_YEAR + n;
    // Nothing in [0, 10) but a row at 10.
    let rows = [(t(10), 1.5), (t(12), 2.5), (t(30), 4.0), (t(35), 6.0)];
    let feed = Feed::new(&rows);
    let (start, end) = (t(0).to_string(), t(30).to_string());
    let args = ["--start", &start, "--end", &end, "--interval", "10"];
    let values = |more: &[&str]| -> Vec<Option<f64>> {
        feed.points(&[&args[..], more].concat()).iter().map(|point| point.1).collect()
    };
    assert_eq!(values(&[]), [None, Some(1.5), None, Some(4.0)]);
    assert_eq!(values(&["--mysql"]), [Some(1.5), Some(1.5), Some(4.0), Some(4.0)]);
    assert_eq!(
        feed.points(&[&args[..], &["--mysql", "--true-time"]].concat())[0],
        (i64::from(t(10)), Some(1.5))
    );
    // Averages leave out what is at or after the end.
    assert_eq!(values(&["--average"]), [None, Some(2.0), None, Some(5.0)]);
    assert_eq!(values(&["--average", "--mysql"]), [None, Some(2.0), None, None]);
    let refused = failure(
        &[&["get", feed.path().to_str().unwrap()], &args[..], &["--mysql", "--max"]]
            .concat(),
        2,
    );
    assert!(refused.contains("--first and --average"), "{refused}");
}

#[test]
fn calendars_of_the_mysql_engine_interpolate() {
    let day = |n: i64| i64::from(NEW_YEAR) + n * DAY;
    let rows = [
        (day(0) as u32, 0.0),
        (day(1) as u32 - 3600, 10.0),
        (day(1) as u32 + 3600, 20.0),
        (day(2) as u32, 30.0),
        (day(3) as u32 - 100, f32::NAN),
        (day(4) as u32 + 100, 50.0),
        (day(5) as u32, 60.0),
    ];
    let feed = Feed::new(&rows);
    let args = ["--start", "2026-01-01", "--end", "2026-01-07", "--daily"];
    let mysql = [&args[..], &["--mysql"]].concat();
    assert_eq!(
        feed.points(&mysql),
        [
            (day(0), None), // the first row itself
            (day(1), Some(15.0)),
            (day(2), Some(30.0)),
            (day(3), None), // a neighbour without a value
            (day(4), None),
            (day(5), None), // the last row itself
            (day(6), None),
        ]
    );
    let skipped = feed.points(&[&mysql[..], &["--skip-missing"]].concat());
    assert_eq!(skipped, [(day(1), Some(15.0)), (day(2), Some(30.0))]);
    // With an aggregate there is nothing to interpolate.
    assert_eq!(feed.points(&[&mysql[..], &["--max"]].concat())[0], (day(0), Some(10.0)));
    let first = feed.points(&args);
    assert_eq!(first[0], (day(0), Some(0.0)));
    assert_eq!(first[1], (day(1), Some(20.0)));
    assert_eq!(first[5], (day(5), Some(60.0)));
}

#[test]
fn missing_values_and_true_times() {
    let rows = [(NEW_YEAR + 5, 0.1), (NEW_YEAR + 25, f32::NAN), (NEW_YEAR + 31, -0.25)];
    let feed = Feed::new(&rows);
    let (start, end) = (NEW_YEAR.to_string(), (NEW_YEAR + 30).to_string());
    let args = ["--start", &start, "--end", &end, "--interval", "10", "--format", "csv"];
    assert_eq!(
        feed.get(&args),
        "1767225600,0.1\n1767225610,\n1767225620,\n1767225630,-0.25\n"
    );
    assert_eq!(
        feed.get(&[&args[..], &["--skip-missing", "--true-time"]].concat()),
        "1767225605,0.1\n1767225631,-0.25\n"
    );
    assert_eq!(
        feed.get(&["--rows", "--format", "json"]),
        "[[1767225605,0.1],[1767225625,null],[1767225631,-0.25]]\n"
    );
    assert_eq!(
        feed.get(&["--rows", "--format", "csv", "--skip-missing"]),
        "1767225605,0.1\n1767225631,-0.25\n"
    );
    assert_eq!(
        feed.get(&["--rows", "--format", "csv", "--skip-missing", "--limit", "2"]),
        "1767225605,0.1\n1767225631,-0.25\n",
        "rows left out do not count"
    );
}

#[test]
fn the_whole_feed_by_default() {
    let feed = Feed::new(&readings());
    let all = feed.points(&["--points", "40", "--count"]);
    assert_eq!(all[0].0, i64::from(NEW_YEAR));
    assert!((36..=40).contains(&all.len()), "{} windows", all.len());
    let counted: f64 = all.iter().map(|point| point.1.unwrap()).sum();
    let values = readings().iter().filter(|row| !row.1.is_nan()).count();
    assert_eq!(counted, values as f64, "each value is in one window");
    let day = ["--start", "2026-01-01", "--end", "2026-01-02", "--points", "24"];
    let day = feed.points(&day);
    assert_eq!(day.len(), 25);
    assert!(day.windows(2).all(|pair| pair[1].0 - pair[0].0 == 3600));
}

#[test]
fn rows_in_order_of_time_whatever_their_order_in_the_file() {
    let mut rows: Vec<Row> =
        (0..50_000_u32).map(|n| (NEW_YEAR + n * 7919 % 50_000, n as f32)).collect();
    let feed = Feed::new(&rows);
    rows.sort_by_key(|row| row.0);
    let csv: String =
        rows.iter().map(|(time, value)| format!("{time},{value}\n")).collect();
    assert_eq!(feed.get(&["--rows", "--format", "csv"]), csv);
}

#[test]
fn more_rows_than_are_read_at_a_time() {
    // The pieces end in the middle of a crowd of rows of one second.
    let mut rows: Vec<Row> = (0..200_000).map(|n| (NEW_YEAR + n / 3, n as f32)).collect();
    let crowd = NEW_YEAR + 80_000;
    rows.extend((0..400_000).map(|n| (crowd, n as f32 / 4.0)));
    rows.extend((0..100_000).map(|n| (crowd + 1 + n, 0.5)));
    let feed = Feed::new(&rows);
    let csv: String =
        rows.iter().map(|(time, value)| format!("{time},{value}\n")).collect();
    assert!(feed.get(&["--rows", "--format", "csv"]) == csv, "all rows, each once");
    let limited = feed.get(&["--rows", "--format", "csv", "--limit", "300001"]);
    assert!(csv.starts_with(&limited));
    assert_eq!(limited.lines().count(), 300_001);
    let json = feed.get(&["--rows", "--format", "json"]);
    let json: Vec<(u32, f32)> = serde_json::from_str(&json).unwrap();
    assert!(json == rows, "one array from many pieces");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let rows: Vec<Row> = (0..500_000).map(|n| (NEW_YEAR + n, 1.0)).collect();
    let feed = Feed::new(&rows);
    for format in ["csv", "json", "table"] {
        let mut child = emonfeed()
            .args(["get", feed.path().to_str().unwrap(), "--rows", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut some = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let feed = Feed::new(&readings());
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for command in
        [&["info"][..], &["get", "--rows"], &["get", "--daily", "--format", "json"]]
    {
        let output = emonfeed()
            .args(command)
            .arg(feed.path())
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("emonfeed: cannot write the results"), "{stderr}");
    }
}

#[test]
fn a_table_and_a_plot() {
    let rows: Vec<Row> =
        (0..96).map(|n| (NEW_YEAR + n * 900, 20.0 + (n / 4) as f32 * 0.1)).collect();
    let feed = Feed::new(&rows);
    let text = feed.get(&[
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-01T23:00",
        "--interval",
        "7200",
        "--average",
        "--timezone",
        "Asia/Kathmandu",
        "--plot",
    ]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "time                             unix           value");
    // Midnight in Kathmandu is before the first row.
    assert_eq!(lines[1], "2026-01-01T00:00:00+05:45  1767204900               -");
    assert_eq!(lines[4], "2026-01-01T06:00:00+05:45  1767226500          20.075");
    assert_eq!(lines.len(), 1 + 12 + 1 + 10, "{text}");
    assert_eq!(lines[13], "");
    assert!(lines[14].contains(" ┤"), "{text}");
    assert!(text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{text}");
    assert!(lines[23].trim().starts_with("2026-01-01 00:00 "), "{text}");
    assert!(lines[23].ends_with(" 2026-01-01 23:00"), "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    // Rows themselves are not rounded, and are plotted as they stream by.
    let text = feed.get(&["--rows", "--plot"]);
    assert_eq!(
        text.lines().nth(1).unwrap(),
        "2026-01-01T00:00:00+00:00  1767225600              20"
    );
    assert!(text.contains("        22.3 ┤"), "{text}");
}

#[test]
fn what_is_known_of_a_feed() {
    let feed = Feed::new(&readings());
    let path = feed.path();
    let path = path.to_str().unwrap();
    let text = printed(&["info", path, "--timezone", "Europe/Paris"]);
    for line in [
        "rows       2000",
        "first      0 at 2026-01-01T01:00:00+01:00 (1767225600)",
        "order      by time",
        "values     FLOAT",
        "table      a bare file, without .MYI",
        "size       18000 bytes (9 per row)",
        "index      none",
        "unused     none",
    ] {
        assert!(text.contains(&format!("\n  {line}\n")), "{line} is not in:\n{text}");
    }
    let json: Value = serde_json::from_str(&printed(&["info", path, "--json"])).unwrap();
    let last = readings().pop().unwrap();
    for (key, value) in [
        ("npoints", Value::from(2000)),
        ("start_time", NEW_YEAR.into()),
        ("start_value", 0.into()),
        ("end_time", last.0.into()),
        ("end_value", 96.3.into()),
        ("bytes", 18_000.into()),
        ("index_bytes", 0.into()),
        ("stride", 9.into()),
        ("slots", 2000.into()),
        ("unused", 0.into()),
        ("sorted", true.into()),
        ("indexed", false.into()),
        ("value_type", "FLOAT".into()),
        ("path", path.into()),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
}

#[test]
fn a_table_of_the_server_with_deleted_rows() {
    let feed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plain/feed_1.MYD");
    let feed = feed.to_str().unwrap();
    let json: Value = serde_json::from_str(&printed(&["info", feed, "--json"])).unwrap();
    assert_eq!(json["indexed"], true);
    let unused = json["slots"].as_u64().unwrap() - json["npoints"].as_u64().unwrap();
    assert_eq!(json["unused"], unused);
    assert!(unused > 0, "the fixture has deleted rows");
    let text = printed(&["info", feed]);
    assert!(text.contains(&format!("{unused} row slots")), "{text}");
    assert!(text.contains("MyISAM, with its .MYI"), "{text}");
    let rows = printed(&["get", feed, "--rows", "--format", "csv"]);
    assert_eq!(rows.lines().count() as u64, json["npoints"].as_u64().unwrap());
}

#[test]
fn what_an_index_takes() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plain");
    let dir = tempfile::tempdir().unwrap();
    for name in ["feed_1.MYD", "feed_1.MYI", "feed_1.frm"] {
        fs::copy(fixture.join(name), dir.path().join(name)).unwrap();
    }
    let path = dir.path().join("feed_1.MYD");
    let path = path.to_str().unwrap();
    let index = dir.path().join("feed_1.MYI");
    let whole = fs::read(&index).unwrap();
    let in_use = u64::from_be_bytes(whole[60..68].try_into().unwrap());
    assert_eq!(in_use, whole.len() as u64);
    let rows = fs::metadata(path).unwrap().len();

    let check = |bytes: u64, when: &str| {
        let share = (100 * bytes + (rows + bytes) / 2) / (rows + bytes);
        let text = printed(&["info", path]);
        let line = format!("\n  index      {bytes} bytes ({share} % of both files)\n");
        assert!(text.contains(&line), "{when}: {line} is not in:\n{text}");
        let json: Value =
            serde_json::from_str(&printed(&["info", path, "--json"])).unwrap();
        assert_eq!(json["index_bytes"], bytes, "{when}");
    };
    check(in_use, "at rest");
    // As after a crash: pages that no header counts.
    fs::write(&index, [&whole[..], &[0; 5120]].concat()).unwrap();
    check(in_use + 5120, "a file that is longer than its header says");
    // As with DELAY_KEY_WRITE: the header counts pages still in memory.
    let mut late = whole[..1024].to_vec();
    late[60..68].copy_from_slice(&(in_use + 2048).to_be_bytes());
    fs::write(&index, late).unwrap();
    check(in_use + 2048, "a file that is shorter than its header says");
}

#[test]
fn a_feed_without_rows() {
    let feed = Feed::new(&[]);
    let path = feed.path();
    let path = path.to_str().unwrap();
    assert!(printed(&["info", path]).contains("\n  first      none\n"));
    let json: Value = serde_json::from_str(&printed(&["info", path, "--json"])).unwrap();
    assert_eq!(json["npoints"], 0);
    assert_eq!(json["start_time"], Value::Null);
    assert_eq!(json["end_value"], Value::Null);
    for shape in
        [&["--rows"][..], &["--daily"], &["--daily", "--mysql"], &["--points", "10"]]
    {
        assert_eq!(feed.points(shape), [], "{shape:?}");
    }
    let asked = ["--start", "2026-01-01", "--end", "2026-01-02", "--daily", "--mysql"];
    assert_eq!(feed.points(&asked), [(1_767_225_600, None), (1_767_312_000, None)]);
    let table = feed.get(&["--points", "10", "--plot"]);
    assert_eq!(table.lines().count(), 1, "{table}");
}

#[test]
fn an_end_before_the_start_is_an_empty_answer() {
    let feed = Feed::new(&readings());
    let args = ["--start", "2026-01-03", "--end", "2026-01-02"];
    for shape in
        [&["--rows"][..], &["--daily"], &["--monthly", "--count"], &["--points", "9"]]
    {
        assert_eq!(feed.points(&[&args[..], shape].concat()), [], "{shape:?}");
    }
}

#[test]
fn a_feed_may_be_named_without_its_extension() {
    let feed = Feed::new(&[(NEW_YEAR, 1.0)]);
    for name in ["feed_7", "feed_7.MYD", "feed_7.frm", "feed_7.MYI"] {
        let path = feed.dir.path().join(name);
        let text = printed(&["get", path.to_str().unwrap(), "--rows", "--format", "csv"]);
        assert_eq!(text, "1767225600,1\n", "{name}");
    }
    let folder = failure(&["info", feed.dir.path().to_str().unwrap()], 1);
    assert!(folder.contains(".MYD"), "{folder}");
}

#[test]
fn failures_are_told_on_standard_error() {
    let message = failure(&["info", "/no/such/feed_7.MYD"], 1);
    assert!(message.starts_with("emonfeed: /no/such/feed_7.MYD: "), "{message}");
    assert!(message.contains("\nhint: "), "{message}");

    // Nobody listens: still the same end.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut unheard = emonfeed();
    let status = unheard.args(["info", "/no/such/feed_7.MYD"]).stderr(full).status();
    assert_eq!(status.unwrap().code(), Some(1));

    let feed = Feed::new(&[(NEW_YEAR, 1.0), (NEW_YEAR + 1, 1.0)]);
    let path = feed.path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[9] = 0x42;
    fs::write(&path, bytes).unwrap();
    let old = fs::File::options().append(true).open(&path).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    let message = failure(&["get", path.to_str().unwrap(), "--rows"], 1);
    assert!(message.contains("0x42"), "{message}");
}

#[test]
fn wrong_usage_is_told_apart() {
    let feed = Feed::new(&readings());
    let path = feed.path();
    let path = path.to_str().unwrap();
    let usage = |args: &[&str]| failure(&[&["get", path], args].concat(), 2);
    for (args, word) in [
        (&[][..], "--interval"),
        (&["--interval", "10", "--daily"], "cannot be used with"),
        (&["--interval", "0"], "--interval"),
        (&["--points", "-3"], "--points"),
        (&["--interval", "10", "--min", "--max"], "cannot be used with"),
        (&["--rows", "--average"], "cannot be used with"),
        (&["--rows", "--mysql"], "cannot be used with"),
        (&["--rows", "--true-time"], "cannot be used with"),
        (&["--interval", "60", "--average", "--true-time"], "no time of their own"),
        (&["--daily", "--sum", "--true-time"], "no time of their own"),
        (&["--points", "9", "--count", "--true-time"], "no time of their own"),
        (&["--rows", "--limit", "0"], "--limit"),
        (&["--daily", "--limit", "5"], "--rows"),
        (&["--daily", "--mysql", "--true-time"], "--true-time"),
        (&["--rows", "--plot", "--format", "csv"], "--plot"),
        (&["--rows", "--format", "xml"], "table"),
        (&["--rows", "--start", "soon"], "2026-01-31"),
        (&["--rows", "--end", "1767225600000"], "milliseconds"),
        (&["--daily", "--timezone", "Mars/Olympus"], "Europe/London"),
        (&["--interval", "1", "--end", "4294967295"], "windows are more"),
        (&["--annual", "--start", "9999-06-01", "--end", "9999-06-02"], "no such dates"),
    ] {
        let message = usage(args);
        assert!(message.contains(word), "{args:?}: {message}");
    }
    failure(&[], 2);
    failure(&["frobnicate"], 2);
}

#[test]
fn times_before_1970_are_allowed() {
    let feed = Feed::new(&[(5, 1.0)]);
    let args = ["--start", "-10", "--end", "10", "--interval", "10", "--format", "csv"];
    assert_eq!(feed.get(&args), "-10,\n0,1\n10,\n");
    let ages = ["--start", "0", "--interval", "9223372036854775807", "--plot"];
    assert!(
        feed.get(&ages)
            .contains("1970-01-01T00:00:00+00:00           0               1\n")
    );
    let table = feed.get(&["--start", "-10", "--end", "-10", "--interval", "10"]);
    assert!(table.contains("1969-12-31T23:59:50+00:00         -10               -\n"));
}

/// What a copy holds and which runs copy what is tested elsewhere.
#[test]
fn a_backup_and_the_next_one() {
    let rows = readings();
    let feed = Feed::new(&rows);
    let copies = tempfile::tempdir().unwrap();
    let (from, to) = (feed.dir.path(), copies.path().join("emoncms"));
    let args = [
        "backup",
        "--same-device",
        from.to_str().unwrap(),
        to.to_str().unwrap(),
        "--json",
    ];
    let summary = || -> Value {
        let text = printed(&args);
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    assert_eq!(summary()["rows_copied"], 2000);
    assert_eq!(summary()["rows_copied"], 0);
    let mut bytes = fs::read(feed.path()).unwrap();
    bytes.extend_from_within(..18);
    fs::write(feed.path(), &bytes).unwrap();
    assert_eq!(summary()["rows_copied"], 2);
    assert_eq!(fs::read(to.join("feed_7.MYD")).unwrap(), bytes);
    // The copy is a feed like any other.
    let copy = to.join("feed_7.MYD");
    let all = ["--rows", "--format", "csv"];
    let of_copy = printed(&[&["get", copy.to_str().unwrap()], &all[..]].concat());
    assert_eq!(of_copy, feed.get(&all));
    let none = failure(&["backup", "/no/such/folder", to.to_str().unwrap()], 1);
    assert!(none.starts_with("emonfeed: /no/such/folder: "), "{none}");
}

/// The page itself is tested in explore/test, and as installed in tests/deb.
#[test]
fn the_page_is_looked_for_where_the_command_was_installed() {
    let prefix = tempfile::tempdir().unwrap();
    let [bin, page] =
        ["bin", "share/emonfeed/explore"].map(|folder| prefix.path().join(folder));
    fs::create_dir_all(&bin).unwrap();
    let command = bin.join("emonfeed");
    // By another process: a child of another test could hold it open for writing.
    let copied = Command::new("cp")
        .args([env!("CARGO_BIN_EXE_emonfeed").as_ref(), command.as_os_str()])
        .status();
    assert!(copied.unwrap().success());
    let explore = |args: &[&str]| {
        let output = Command::new(&command).arg("explore").args(args).output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), out, err)
    };
    let (code, out, err) = explore(&["feeds"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let place = page.display();
    assert!(err.starts_with(&format!("emonfeed: the page is not in {place}: ")), "{err}");

    fs::create_dir_all(&page).unwrap();
    fs::write(page.join("serve.sh"), "printf '<%s>' \"$@\"; exit 7\n").unwrap();
    let path = command.display();
    assert_eq!(
        explore(&["feeds"]),
        (
            Some(7),
            format!("<><emonfeed><{path}><feeds><><8080><127.0.0.1>"),
            String::new()
        )
    );
    let all = ["--host", "0.0.0.0", "--port=9", "--backup", "a copy", "--", "-feeds"];
    assert_eq!(
        explore(&all).1,
        format!("<><emonfeed><{path}><-feeds><a copy><9><0.0.0.0>")
    );
    for wrong in ["0", "65536", "x"] {
        assert_eq!(explore(&["feeds", "--port", wrong]).0, Some(2), "{wrong}");
    }
}

#[test]
fn help_shows_examples() {
    for command in ["info", "get", "backup", "explore"] {
        let help = printed(&[command, "--help"]);
        assert!(help.contains("Examples:\n"), "{help}");
        assert!(help.contains(&format!("emonfeed {command} ")), "{help}");
    }
    let help = printed(&["--help"]);
    assert!(help.contains("Examples:\n") && help.contains("Exit codes:"), "{help}");
    assert_eq!(
        printed(&["--version"]),
        concat!("emonfeed ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

/// The examples of `emonfeed get --help` run as they are printed.
#[test]
fn the_examples_work() {
    let feed = Feed::new(&readings());
    let help = printed(&["get", "--help"]).replace("\\\n", " ");
    let examples: Vec<Vec<&str>> = help
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("emonfeed get feed_7.MYD "))
        .map(|line| line.split_whitespace().skip(1).collect())
        .collect();
    assert!(examples.len() >= 5, "{help}");
    for example in examples {
        let output =
            emonfeed().current_dir(feed.dir.path()).args(&example).output().unwrap();
        assert!(output.status.success(), "{example:?}: {output:?}");
        assert!(!output.stdout.is_empty(), "{example:?}");
    }
}
