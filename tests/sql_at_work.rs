//! Readers beside a server at work on a statement that takes long, or on one
//! after the other without a rest: an answer is right for some moment, or there
//! is none.

mod server;

use emonfeed::query::{self, Aggregate, Flags};
use emonfeed::{Access, Evidence, Feed, Options, Status};
use rustix::process::{Resource, Rlimit, setrlimit};
use server::{Server, settle};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

/// Rows of a table at first: one each 10 seconds, of the value 1.
const ROWS: u64 = 1000;

fn create(server: &mut Server, rows: u64, options: &str) {
    server.sql("DROP TABLE IF EXISTS feed_1");
    server.sql(&format!(
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM {options}"
    ));
    server.sql(&format!(
        "INSERT INTO feed_1 SELECT 1000 + 10 * seq, 1 FROM seq_0_to_{}",
        rows - 1
    ));
}

fn open(path: &Path) -> Feed {
    Feed::open(path).unwrap()
}

/// The sum of all values and their number; `None` while that cannot be told.
fn total(feed: &Feed) -> Option<(f64, f64)> {
    let one = |aggregate| {
        let series = query::windows(feed, 0, 0, 1 << 40, aggregate, Flags::NONE);
        series.map(|series| series.points[0].value)
    };
    match (one(Aggregate::Sum), one(Aggregate::Count)) {
        (Ok(sum), Ok(count)) => Some((sum, count)),
        (Err(e), _) | (_, Err(e)) => {
            assert_eq!(e.status(), Status::Changed, "{e}");
            None
        }
    }
}

/// Asks `feeds` for all that time that the statements take, and once more.
fn asked_beside(
    server: &mut Server,
    statements: &[String],
    feeds: &[Feed],
    mut each: impl FnMut(&Feed),
) {
    let mut writer = server.client();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let written = writer.ask(statements);
            done.store(true, Ordering::SeqCst);
            written.expect("the statements");
        });
        while !done.load(Ordering::SeqCst) {
            feeds.iter().for_each(&mut each);
        }
    });
    settle();
    feeds.iter().for_each(each);
}

/// Both in one answer each: the sum alone or the number alone may be of one
/// moment, and the other of the next.
fn sees_only(
    server: &mut Server,
    statement: &str,
    before: (f64, f64),
    after: (f64, f64),
) {
    let path = server.rows_file("feed_1");
    let feeds = [Access::Mmap, Access::Pread].map(|access| {
        Feed::open_with(&path, Options { access, ..Options::default() }).unwrap()
    });
    feeds.iter().for_each(|feed| assert_eq!(total(feed), Some(before)));
    let mut tally = BTreeMap::<String, u64>::new();
    let mut last = None;
    asked_beside(server, &[statement.to_owned()], &feeds, |feed| {
        last = total(feed);
        *tally.entry(format!("{last:?}")).or_default() += 1;
        if let Some((sum, count)) = last {
            assert!([before.0, after.0].contains(&sum), "{statement}: {sum}");
            assert!([before.1, after.1].contains(&count), "{statement}: {count}");
        }
    });
    println!("{statement}: {tally:?}");
    assert_eq!(last, Some(after), "{statement}: when all is done");
}

#[test]
fn a_row_in_the_place_of_a_deleted_one_is_not_seen_too_early() {
    let mut server = Server::start();
    for options in ["", "CHECKSUM=1"] {
        for (statement, rows, sum) in [
            (
                "INSERT INTO feed_1 VALUES (5000,100),(20000,100),(20010,100 + SLEEP(3))",
                3,
                300,
            ),
            (
                "INSERT INTO feed_1 SELECT 100000 + seq, 100 FROM seq_1_to_400000",
                400_000,
                40_000_000,
            ),
        ] {
            create(&mut server, ROWS, options);
            server.sql("DELETE FROM feed_1 WHERE time = 5000");
            settle();
            let before = ROWS as f64 - 1.0;
            let after = (before + f64::from(sum), before + f64::from(rows));
            sees_only(&mut server, statement, (before, before), after);
        }
    }
}

#[test]
fn a_statement_that_pauses_between_two_rows_is_not_seen_half_done() {
    let mut server = Server::start();
    create(&mut server, ROWS, "");
    settle();
    let rows = ROWS as f64;
    // Each row is written three seconds after the one before.
    let update = "UPDATE feed_1 SET data = 1001 + SLEEP(3) WHERE time IN (2000, 8000)";
    sees_only(&mut server, update, (rows, rows), (rows + 2000.0, rows));
}

#[test]
fn what_was_read_in_the_midst_of_a_statement_proves_nothing() {
    const MANY: u64 = 20_000;
    let mut server = Server::start();
    create(&mut server, MANY, "CHECKSUM=1");
    let path = server.rows_file("feed_1");
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let options = Options { keep: Some(Arc::from(&*kept)), ..Options::default() };
    let long_lived = open(&path);
    let mut writer = server.client();
    let mut run = |statement: &str| writer.sql(statement).map(drop).unwrap();

    run("LOCK TABLES feed_1 WRITE");
    run("UPDATE feed_1 SET data = 1000001 WHERE time = 2000");
    // Until the table is unlocked, its header is that of the rows before. The
    // file looks as if nothing had been written to it for long.
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(an_hour_ago).unwrap();
    settle();
    for feed in [&long_lived, &Feed::open_with(&path, options.clone()).unwrap()] {
        assert_eq!(
            total(feed),
            Some((MANY as f64 + 1e6, MANY as f64)),
            "the hazard is there"
        );
    }
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 0, "a summary of no moment is kept");
    run("UPDATE feed_1 SET data = 1 WHERE time = 2000");
    run(&format!("INSERT INTO feed_1 VALUES ({}, 1)", 1000 + 10 * MANY));
    run("UNLOCK TABLES");
    settle();
    let rows = MANY as f64 + 1.0;
    for feed in [&long_lived, &Feed::open_with(&path, options).unwrap()] {
        assert_eq!(total(feed), Some((rows, rows)), "{feed:?}");
    }
}

#[test]
fn rows_that_are_changed_and_changed_back_all_the_time_are_seen_one_way() {
    const MANY: u64 = 50_000;
    let mut server = Server::start();
    create(&mut server, MANY, "");
    let last = 1000 + 10 * (MANY - 1);
    server.sql("UPDATE feed_1 SET data = 6 WHERE time = 1000");
    server.sql(&format!("UPDATE feed_1 SET data = -4 WHERE time = {last}"));
    let flip = format!("UPDATE feed_1 SET data = 2 - data WHERE time IN (1000, {last})");
    let path = server.rows_file("feed_1");
    let feeds = [open(&path)];
    let mut tally = BTreeMap::<String, u64>::new();
    asked_beside(&mut server, &vec![flip; 20_000], &feeds, |feed| {
        let sum = total(feed).map(|(sum, _)| sum);
        *tally.entry(format!("{sum:?}")).or_default() += 1;
        assert!(sum.is_none_or(|sum| sum == MANY as f64), "{sum:?}");
    });
    println!("{tally:?}");
}

#[test]
fn a_table_with_a_row_every_few_milliseconds_is_read() {
    const MANY: u64 = 100_000;
    let mut server = Server::start();
    for (options, evidence) in [
        ("", Evidence::Checksum),
        ("CHECKSUM=1", Evidence::Checksum),
        ("", Evidence::Nothing),
    ] {
        create(&mut server, MANY, options);
        let path = server.rows_file("feed_1");
        let feed =
            Feed::open_with(&path, Options { evidence, ..Options::default() }).unwrap();
        let statements: Vec<String> = (0..400)
            .flat_map(|n| {
                let time = 1000 + 10 * (MANY + n);
                [
                    format!("INSERT INTO feed_1 VALUES ({time}, 1)"),
                    "DO SLEEP(0.005)".into(),
                ]
            })
            .collect();
        let mut tally = BTreeMap::<&str, u64>::new();
        let mut before = MANY as f64;
        asked_beside(&mut server, &statements, std::slice::from_ref(&feed), |feed| {
            let answer = query::windows(feed, 0, 0, 1 << 40, Aggregate::Sum, Flags::NONE);
            let name = match answer {
                Ok(series) => {
                    let sum = series.points[0].value;
                    assert!(
                        (before..=MANY as f64 + 400.0).contains(&sum),
                        "{sum} after {before}"
                    );
                    before = sum;
                    "right"
                }
                Err(e) => {
                    assert_eq!(e.status(), Status::Changed, "{e}");
                    "changed"
                }
            };
            *tally.entry(name).or_default() += 1;
        });
        println!("{options} {evidence:?}: {tally:?}");
        assert_eq!(before, MANY as f64 + 400.0);
        assert!(tally["right"] > 3, "{options} {evidence:?}: {tally:?}");
    }
}

#[test]
#[ignore = "the half of feeds_make_room_for_each_other that has few descriptors"]
fn has_few_descriptors() {
    let folder = std::env::var_os("EMONFEED_TEST_PATH").expect("a path");
    let few = Some(40);
    setrlimit(Resource::Nofile, Rlimit { current: few, maximum: few }).unwrap();
    for round in 0..2 {
        for number in 0..100 {
            let feed = open(&Path::new(&folder).join(format!("feed_{number}.MYD")));
            assert_eq!(total(&feed), Some((f64::from(number), 1.0)), "round {round}");
        }
    }
}

#[test]
fn feeds_make_room_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..100_u16 {
        let mut row = vec![0xf9, 1, 0, 0, 0];
        row.extend(f32::from(number).to_le_bytes());
        fs::write(folder.path().join(format!("feed_{number}.MYD")), row).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "has_few_descriptors", "--ignored", "--nocapture"])
        .env("EMONFEED_TEST_PATH", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
