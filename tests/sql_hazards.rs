//! What a real server does to a feed's files while they are read, and tables
//! that are no feed, or not at the moment: a right answer or an error by name.

mod server;

use emonfeed::query::{self, Aggregate, Flags, Mode, Series};
use emonfeed::{Access, Error, Feed, Options, Status};
use rustix::process::{Pid, Signal, kill_process};
use server::oracle;
use server::{Rows, Server};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

const PLAIN: &str = "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time)) \
                     ENGINE=MyISAM";
const BOTH: [Access; 2] = [Access::Mmap, Access::Pread];

fn open(path: &Path, access: Access) -> emonfeed::Result<Feed> {
    Feed::open_with(path, Options { access, ..Options::default() })
}

fn all_rows(feed: &Feed) -> emonfeed::Result<Series> {
    query::rows(feed, i64::MIN, i64::MAX, 0)
}

/// The rows of `feed_1` as SQL has them.
fn sql_rows(server: &mut Server, histogram: bool) -> Rows {
    oracle::prepare(server.main_client());
    let questions =
        [oracle::snapshot("feed_1", histogram), oracle::rows(i64::MIN, i64::MAX, 0)];
    server.ask(&questions).expect("the rows").pop().expect("two answers")
}

/// Both ways of reading `feed_1`, opened now, and `kept` ones give the rows
/// that SQL gives.
#[track_caller]
fn assert_same_rows(server: &mut Server, kept: &[Feed], when: &str) {
    let expected = oracle::points(&sql_rows(server, false), 0);
    let fresh = BOTH.map(|access| {
        open(&server.rows_file("feed_1"), access)
            .unwrap_or_else(|e| panic!("{when}: {e}"))
    });
    for feed in kept.iter().chain(&fresh) {
        let series = all_rows(feed).unwrap_or_else(|error| panic!("{when}: {error}"));
        if let Some(difference) = oracle::difference(&series, &expected) {
            panic!("{when}: {feed:?}: {difference}");
        }
    }
}

/// Both ways of opening and asking `feed_1` fail with `status`.
#[track_caller]
fn assert_refused(server: &Server, status: Status, when: &str) -> Error {
    let path = server.rows_file("feed_1");
    let [error, _] = BOTH.map(|access| {
        let error = match open(&path, access).and_then(|feed| all_rows(&feed)) {
            Err(error) => error,
            Ok(series) => panic!("{when}: {} rows, not {status:?}", series.points.len()),
        };
        assert_eq!(error.status(), status, "{when}: {error}");
        error
    });
    error
}

#[track_caller]
fn assert_says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn tables_of_other_engines_are_refused_by_name() {
    let mut server = Server::start_with(&[
        "--innodb-data-file-path=ibdata1:4M:autoextend",
        "--innodb-log-file-size=4M",
        "--innodb-buffer-pool-size=8M",
        "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
        "--innodb-fast-shutdown=2",
    ]);
    for (engine, rows_in) in [("InnoDB", ".ibd"), ("Aria", ".MAD")] {
        server.sql(PLAIN);
        server.sql("INSERT INTO feed_1 VALUES (10,1),(20,NULL)");
        assert_same_rows(&mut server, &[], "before");
        let kept = open(&server.rows_file("feed_1"), Access::Mmap).expect("a feed");
        server.sql(&format!("ALTER TABLE feed_1 ENGINE={engine}"));
        let error = assert_refused(&server, Status::Engine, engine);
        assert_says(&error, &["feed_1.MYD", engine, rows_in, "ENGINE=MyISAM"]);
        let error = all_rows(&kept).expect_err("a feed kept open");
        assert_eq!(error.status(), Status::Engine, "{error}");
        server.sql("ALTER TABLE feed_1 ENGINE=MyISAM");
        assert_same_rows(&mut server, &[kept], "back again");
        server.sql("DROP TABLE feed_1");
    }
    for engine in ["MEMORY", "CSV", "BLACKHOLE"] {
        if server.sql(&format!(
            "SELECT 1 FROM information_schema.engines WHERE engine='{engine}'"
        )) == [[Some("1".to_string())]]
        {
            server.sql(&format!(
                "CREATE TABLE feed_1 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL) \
                 ENGINE={engine}"
            ));
            assert_refused(&server, Status::Engine, engine);
            server.sql("DROP TABLE feed_1");
        }
    }
    // A system table space: the rows of all InnoDB tables in one file.
    server.sql("SET GLOBAL innodb_file_per_table = 0");
    server.sql("CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT) ENGINE=InnoDB");
    assert_refused(&server, Status::Engine, "InnoDB without a file per table");
}

#[test]
fn tables_that_are_not_there() {
    let mut server = Server::start();
    let error = assert_refused(&server, Status::NotFound, "never made");
    assert_says(&error, &["feed_1.MYD"]);
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 VALUES (10,1),(20,NULL)");
    let kept = BOTH.map(|access| open(&server.rows_file("feed_1"), access).unwrap());
    assert_same_rows(&mut server, &kept, "made");
    server.sql("RENAME TABLE feed_1 TO feed_2");
    assert_refused(&server, Status::NotFound, "renamed");
    for feed in &kept {
        let error = all_rows(feed).expect_err("renamed");
        assert_eq!(error.status(), Status::NotFound, "{error}");
    }
    server.sql("RENAME TABLE feed_2 TO feed_1");
    assert_same_rows(&mut server, &kept, "renamed back");
    server.sql("DROP TABLE feed_1");
    for feed in &kept {
        let error = all_rows(feed).expect_err("dropped");
        assert_eq!(error.status(), Status::NotFound, "{error}");
    }
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 VALUES (30,3)");
    assert_same_rows(&mut server, &kept, "made anew");

    // Lost files.
    server.sql("FLUSH TABLES");
    let frm = server.database().join("feed_1.frm");
    let bytes = fs::read(&frm).unwrap();
    fs::remove_file(&frm).unwrap();
    let error = assert_refused(&server, Status::MissingDefinition, "without .frm");
    assert_says(&error, &["feed_1.frm"]);
    fs::write(&frm, bytes).unwrap();
    fs::remove_file(server.database().join("feed_1.MYI")).unwrap();
    let error = assert_refused(&server, Status::MissingDefinition, "without .MYI");
    assert_says(&error, &["feed_1.MYI"]);
    server.sql("REPAIR TABLE feed_1 USE_FRM");
    assert_same_rows(&mut server, &kept, "repaired");
}

/// What the table may look like, and whether it is a feed.
const ODD_TABLES: &[(&str, Option<Status>)] = &[
    ("time INT(10) UNSIGNED ZEROFILL, data FLOAT(7,2) UNSIGNED ZEROFILL", None),
    ("Time INT UNSIGNED, DATA FLOAT", None),
    ("time INT UNSIGNED, data REAL", None),
    ("time INT UNSIGNED, data BOOLEAN", None),
    ("time INT UNSIGNED INVISIBLE, data FLOAT", None),
    ("time INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, data FLOAT", None),
    (
        "time INT UNSIGNED COMMENT 'seconds', \
         data FLOAT DEFAULT 5.5 COMMENT 'watts, perhaps' CHECK (data < 1e9)",
        None,
    ),
    (
        "time INT UNSIGNED DEFAULT 7, data FLOAT, INDEX a (time), INDEX b (time,data), \
         INDEX c (data), UNIQUE d (time,data), INDEX e (data,time) COMMENT 'last'",
        None,
    ),
    ("time INT UNSIGNED, data FLOAT, data2 FLOAT AS (data + 1) PERSISTENT", None),
    (
        "time INT UNSIGNED, data FLOAT, data2 FLOAT AS (data + 1) VIRTUAL",
        Some(Status::NotAFeed),
    ),
    ("time INT UNSIGNED, data YEAR", Some(Status::UnknownColumn)),
    ("time INT UNSIGNED, data DECIMAL(9,2)", Some(Status::UnknownColumn)),
    ("time INT UNSIGNED, data BIT(8)", Some(Status::UnknownColumn)),
    ("time INT UNSIGNED, data ENUM('1','2')", Some(Status::UnknownColumn)),
    ("time INT UNSIGNED, data CHAR(4)", Some(Status::UnknownColumn)),
    ("time INT UNSIGNED, data VARCHAR(4)", Some(Status::Dynamic)),
    ("time INT UNSIGNED, data TEXT", Some(Status::Dynamic)),
    ("time TIMESTAMP, data FLOAT", Some(Status::UnknownColumn)),
    ("time DOUBLE, data FLOAT", Some(Status::UnknownColumn)),
    ("time SMALLINT, data FLOAT", Some(Status::UnknownColumn)),
    ("time BIGINT, data FLOAT", Some(Status::UnknownColumn)),
    (
        "time INT UNSIGNED, data FLOAT, a INT, b INT, c INT, d INT, e INT, f INT, g INT",
        Some(Status::NotAFeed),
    ),
    ("time INT UNSIGNED, data FLOAT, UNIQUE (time) USING HASH", Some(Status::NotAFeed)),
    ("time INT UNSIGNED, data FLOAT, data3 FLOAT", Some(Status::NotAFeed)),
    ("time INT UNSIGNED, value FLOAT", Some(Status::NotAFeed)),
    ("data FLOAT", Some(Status::NotAFeed)),
];

const ODD_OPTIONS: &[(&str, Option<Status>)] = &[
    ("COMMENT='a feed of someone''s house' CHARSET=utf8mb4", None),
    ("AVG_ROW_LENGTH=50 MIN_ROWS=10 MAX_ROWS=100000000000", None),
    ("PACK_KEYS=1 KEY_BLOCK_SIZE=4096 CHECKSUM=1 DELAY_KEY_WRITE=1", None),
    ("ROW_FORMAT=FIXED", None),
    ("ROW_FORMAT=DYNAMIC", Some(Status::Dynamic)),
    ("PARTITION BY HASH(time) PARTITIONS 2", Some(Status::Engine)),
];

#[test]
fn odd_tables_are_right_or_refused() {
    let mut server = Server::start();
    let tables = ODD_TABLES.iter().map(|&(columns, status)| {
        (format!("CREATE TABLE feed_1 ({columns}) ENGINE=MyISAM"), status)
    });
    let options = ODD_OPTIONS
        .iter()
        .map(|&(options, status)| (format!("{PLAIN} {options}"), status));
    for (create, status) in tables.chain(options) {
        server.sql(&create);
        if create.contains("time")
            && create.contains("data")
            && !create.contains("TIMESTAMP")
        {
            let rows: Vec<String> =
                (1..40).map(|i| format!("({},{})", 3 * i, i % 3)).collect();
            let rows = rows.join(",");
            server.sql(&format!(
                "INSERT INTO feed_1 (time,data) VALUES {rows};
                 DELETE FROM feed_1 WHERE time IN (9,30);
                 INSERT INTO feed_1 (time,data) VALUES (200,NULL)"
            ));
        }
        match status {
            None => assert_same_rows(&mut server, &[], &create),
            Some(status) => {
                assert_refused(&server, status, &create);
            }
        }
        server.sql("DROP TABLE feed_1");
    }
}

#[test]
fn a_feed_kept_open_follows_changes_of_shape() {
    let mut server = Server::start();
    server.sql(PLAIN);
    let kept = BOTH.map(|access| open(&server.rows_file("feed_1"), access).unwrap());
    server.sql("INSERT INTO feed_1 SELECT 1000 + 10 * seq, seq MOD 50 FROM seq_1_to_500");
    for (change, histogram) in [
        ("MODIFY data DOUBLE", false),
        ("MODIFY data INT", false),
        ("MODIFY time INT UNSIGNED NOT NULL", false),
        ("MODIFY data TINYINT NOT NULL", false),
        ("CHECKSUM=1", false),
        ("ADD COLUMN data2 FLOAT DEFAULT 7", true),
        ("MODIFY data BIGINT UNSIGNED FIRST", true),
        ("MODIFY data2 SMALLINT NOT NULL FIRST", true),
        ("CHECKSUM=0, MODIFY data FLOAT NULL AFTER time", true),
        ("DROP COLUMN data2", false),
        ("DROP INDEX time", false),
        ("MODIFY time INT SIGNED", false),
        ("ADD INDEX (data), ADD INDEX (time)", false),
    ] {
        server.sql(&format!("ALTER TABLE feed_1 {change}"));
        assert_same_rows(&mut server, &kept, change);
        server.sql(
            "DELETE FROM feed_1 ORDER BY data LIMIT 3;
             INSERT IGNORE INTO feed_1 (time,data) VALUES (500,3);
             UPDATE feed_1 SET time = time + 1 WHERE data = 20",
        );
        assert_same_rows(&mut server, &kept, change);
        for feed in &kept {
            let bins = query::histogram(feed, 0, i64::MAX);
            match bins {
                Ok(_) => assert!(histogram, "{change}"),
                Err(error) => {
                    assert!(!histogram, "{change}: {error}");
                    assert_eq!(error.status(), Status::NoHistogram, "{error}");
                }
            }
        }
    }
}

#[test]
fn rows_in_another_directory_are_read_unless_links_are_refused() {
    let mut server = Server::start();
    let elsewhere = server.folder().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    server.sql(&format!("{PLAIN} DATA DIRECTORY='{}'", elsewhere.display()));
    server.sql("INSERT INTO feed_1 VALUES (10,1),(20,2)");
    let path = server.rows_file("feed_1");
    assert!(path.is_symlink(), "the server keeps the rows elsewhere");
    assert_same_rows(&mut server, &[], "through the link");
    for access in BOTH {
        let options = Options { access, no_follow: true, ..Options::default() };
        let error = Feed::open_with(&path, options)
            .and_then(|feed| all_rows(&feed))
            .expect_err("a link");
        assert_eq!(error.status(), Status::NotRegular, "{error}");
    }
}

#[test]
fn crashed_tables_are_refused_until_repaired() {
    let mut server = Server::start();
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 SELECT 1000 + 10 * seq, seq FROM seq_1_to_100");
    server.sql("FLUSH TABLES");
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    assert_same_rows(&mut server, &kept, "whole");
    server.sql("FLUSH TABLES");

    // The last rows are lost, and CHECK TABLE finds out.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(9 * 90 + 4).unwrap();
    drop(file);
    let answer = format!("{:?}", server.sql("CHECK TABLE feed_1"));
    assert!(answer.contains("Corrupt"), "{answer}");
    server.sql("FLUSH TABLES");
    let error = assert_refused(&server, Status::Crashed, "marked by CHECK TABLE");
    assert_says(&error, &["feed_1.MYI", "REPAIR TABLE"]);
    for feed in &kept {
        let error = all_rows(feed).expect_err("crashed");
        assert_eq!(error.status(), Status::Crashed, "{error}");
    }
    server.sql("REPAIR TABLE feed_1");
    assert_same_rows(&mut server, &kept, "repaired");

    // Each of the two marks by itself.
    server.sql("FLUSH TABLES");
    let index = path.with_extension("MYI");
    let whole = fs::read(&index).unwrap();
    for mark in [2, 4] {
        let mut bytes = whole.clone();
        bytes[26] |= mark;
        fs::write(&index, &bytes).unwrap();
        assert_refused(&server, Status::Crashed, "marked by hand");
    }
    fs::write(&index, &whole).unwrap();
    assert_same_rows(&mut server, &kept, "unmarked");
}

/// `myisampack` is in a package that would start a service, so its marks are
/// made by hand: options 2 and 4 in the index, FE FE 08 before the rows.
#[test]
fn compressed_tables_are_refused() {
    let mut server = Server::start();
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 SELECT 1000 + 10 * seq, seq FROM seq_1_to_100");
    server.sql("FLUSH TABLES");
    let path = server.rows_file("feed_1");
    let index = path.with_extension("MYI");
    let mut bytes = fs::read(&index).unwrap();
    bytes[5] |= 4 | 2;
    fs::write(&index, &bytes).unwrap();
    let mut rows = fs::read(&path).unwrap();
    rows.splice(0..0, [0xfe, 0xfe, 0x08, 0x01, 0, 0, 0]);
    fs::write(&path, &rows).unwrap();
    let error = assert_refused(&server, Status::Compressed, "packed");
    assert_says(&error, &["myisampack"]);
}

#[test]
fn rows_of_a_running_statement_stay_unseen() {
    let mut server = Server::start();
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 VALUES (10,1),(20,NULL),(30,3)");
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    let mut writer = server.client();
    let done = AtomicBool::new(false);
    let mut torn = 0;
    let mut compared = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            let inserted = writer.sql(
                "INSERT INTO feed_1
                 SELECT 1000 + seq, seq MOD 100 + IF(seq MOD 10000, 0, SLEEP(0.3))
                 FROM seq_1_to_70000",
            );
            done.store(true, Ordering::SeqCst);
            inserted.expect("the slow statement");
        });
        let mut count = || -> u64 {
            server.sql("SELECT COUNT(*) FROM feed_1")[0][0]
                .as_ref()
                .unwrap()
                .parse()
                .unwrap()
        };
        while !done.load(Ordering::SeqCst) {
            if fs::metadata(&path).unwrap().len() % 9 != 0 {
                torn += 1;
            }
            for feed in &kept {
                let before = count();
                let meta = query::meta(feed).unwrap();
                let last = query::last(feed).unwrap().points[0];
                if before == count() {
                    compared += 1;
                    assert_eq!(meta.npoints, before, "{feed:?}");
                    let expected = if before == 3 { 30 } else { 71000 };
                    assert_eq!((meta.end_time, last.time), (expected, expected));
                }
            }
        }
    });
    assert!(torn > 0, "the file was never seen with part of a row at its end");
    assert!(compared > 0, "no answer was compared");
    println!("{torn} torn sizes, {compared} answers compared");
    assert_same_rows(&mut server, &kept, "when it is done");
}

#[test]
fn under_a_write_lock_the_header_decides() {
    let mut server = Server::start();
    server.sql(PLAIN);
    server.sql("INSERT INTO feed_1 VALUES (10,1),(20,2)");
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    let mut other = server.client();
    other.sql("LOCK TABLES feed_1 WRITE").unwrap();
    other.sql("INSERT INTO feed_1 VALUES (30,3)").unwrap();
    other.sql("INSERT INTO feed_1 VALUES (40,4)").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 4 * 9, "the rows are in the file");
    for feed in &kept {
        let rows = all_rows(feed).unwrap();
        assert_eq!(rows.points.len(), 2, "the lock holds them back");
    }
    other.sql("UNLOCK TABLES").unwrap();
    assert_same_rows(&mut server, &kept, "unlocked");
}

#[test]
fn rows_of_several_writers_arrive_in_order() {
    const EACH: i64 = 1500;
    let mut server = Server::start();
    server.sql(PLAIN);
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    let mut writers = [server.client(), server.client(), server.client()];
    let number = writers.len() as i64;
    let running = AtomicUsize::new(writers.len());
    let mut compared = 0;
    thread::scope(|scope| {
        for (w, writer) in (0..).zip(&mut writers) {
            let running = &running;
            scope.spawn(move || {
                let statements: Vec<String> = (0..EACH)
                    .map(|i| {
                        let time = FIRST_TIME + i * number + w;
                        format!("INSERT INTO feed_1 VALUES ({time},{})", i % 500)
                    })
                    .collect();
                let inserted = writer.ask(&statements);
                running.fetch_sub(1, Ordering::SeqCst);
                inserted.expect("the rows");
            });
        }
        let mut before = [0; 2];
        while running.load(Ordering::SeqCst) > 0 {
            for (feed, before) in kept.iter().zip(&mut before) {
                let rows =
                    all_rows(feed).unwrap_or_else(|error| panic!("{error}")).points;
                // Of each writer the first so many, none of them changed.
                let mut next = vec![0; number as usize];
                for row in &rows {
                    let (i, w) = (
                        (row.time - FIRST_TIME) / number,
                        (row.time - FIRST_TIME) % number,
                    );
                    assert_eq!(i, next[w as usize], "writer {w}: a row is missing");
                    assert_eq!(row.value, (i % 500) as f64);
                    next[w as usize] += 1;
                }
                assert!(rows.len() >= *before, "{} rows after {before}", rows.len());
                *before = rows.len();
                compared += 1;
            }
        }
    });
    println!("{compared} answers compared");
    assert_same_rows(&mut server, &kept, "when all are done");
}

#[test]
fn an_edited_row_is_never_seen_half_old_half_new() {
    let mut server = Server::start();
    server.sql(PLAIN);
    server.sql(&format!(
        "INSERT INTO feed_1 SELECT {FIRST_TIME} + seq, 1 FROM seq_0_to_999"
    ));
    // Row 455 lies across the border of two pages: 455 × 9 = 4095.
    let (old, new) = ((FIRST_TIME + 455, 1.0), (0x0102_0304, 16777215.0));
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    let mut writer = server.client();
    let done = AtomicBool::new(false);
    let mut tally = BTreeMap::<String, u64>::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let edit = |(from, _): (i64, f64), (time, value): (i64, f64)| {
                format!("UPDATE feed_1 SET time={time},data={value} WHERE time={from}")
            };
            let statements: Vec<String> =
                (0..2000).flat_map(|_| [edit(old, new), edit(new, old)]).collect();
            let edited = writer.ask(&statements);
            done.store(true, Ordering::SeqCst);
            edited.expect("the edits");
        });
        while !done.load(Ordering::SeqCst) {
            for feed in &kept {
                let rows = match all_rows(feed) {
                    Ok(series) => series.points,
                    Err(error) => {
                        assert_eq!(error.status(), Status::Changed, "{error}");
                        *tally.entry("Changed".into()).or_default() += 1;
                        continue;
                    }
                };
                assert_eq!(rows.len(), 1000);
                let others = rows
                    .iter()
                    .filter(|p| p.time != FIRST_TIME + 455 && p.time >= FIRST_TIME);
                assert_eq!(others.count(), 999);
                let edited = if rows[0].time < FIRST_TIME { rows[0] } else { rows[455] };
                let edited = (edited.time, edited.value);
                assert!(edited == old || edited == new, "{feed:?}: {edited:?}");
                *tally.entry(format!("{edited:?}")).or_default() += 1;
            }
        }
    });
    println!("{tally:?}");
    assert_same_rows(&mut server, &kept, "when all is done");
}

/// Asks while these statements, each of which rewrites all rows of a table of
/// so many, are at work: the answers are those before or after one of them.
fn never_half_done(rows: i64, statements: &[String]) -> BTreeMap<String, u64> {
    let mut server = Server::start();
    server.sql(PLAIN);
    let last = rows - 1;
    server.sql(&format!(
        "INSERT INTO feed_1 SELECT {FIRST_TIME} + seq, 1 FROM seq_0_to_{last}"
    ));
    let path = server.rows_file("feed_1");
    let kept = BOTH.map(|access| open(&path, access).unwrap());
    let mut writer = server.client();
    let done = AtomicBool::new(false);
    let mut tally = BTreeMap::<String, u64>::new();
    let end = FIRST_TIME + 2 * rows;
    thread::scope(|scope| {
        scope.spawn(|| {
            let edited = writer.ask(statements);
            done.store(true, Ordering::SeqCst);
            edited.expect("the edits");
        });
        let mut ask = |feed: &Feed, aggregate, interval| match query::windows(
            feed,
            FIRST_TIME,
            end - 1,
            interval,
            aggregate,
            Flags::NONE,
        ) {
            Ok(series) => {
                let values: Vec<f64> = series.points.iter().map(|p| p.value).collect();
                *tally.entry(format!("{values:?}")).or_default() += 1;
                Some(values)
            }
            Err(error) => {
                assert_eq!(error.status(), Status::Changed, "{error}");
                *tally.entry("Changed".into()).or_default() += 1;
                None
            }
        };
        while !done.load(Ordering::SeqCst) {
            for feed in &kept {
                let n = rows as f64;
                if let Some(counts) = ask(feed, Aggregate::Count, rows) {
                    assert!(counts == [n, 0.0] || counts == [0.0, n], "{counts:?}");
                }
                if let Some(average) = ask(feed, Aggregate::Average, 2 * rows) {
                    assert!([1.0, 3.0, 5.0].contains(&average[0]), "{average:?}");
                }
            }
        }
    });
    println!("{tally:?}");
    assert_same_rows(&mut server, &kept, "when all is done");
    tally
}

#[test]
fn a_statement_at_work_on_many_rows_is_never_seen_half_done() {
    never_half_done(
        200_000,
        &[
            "UPDATE feed_1 SET time = time + 200000".into(),
            "UPDATE feed_1 SET data = 3".into(),
            "UPDATE feed_1 SET data = 5, time = time - 200000".into(),
        ],
    );
}

#[test]
fn a_slow_statement_is_never_seen_half_done() {
    // Longer between two rows than it takes to read all of them twice, and all
    // in all longer than a reader waits.
    let tally = never_half_done(
        150,
        &[
            "UPDATE feed_1 SET data = 3, time = time + 150 + SLEEP(0.02)".into(),
            "UPDATE feed_1 SET data = 5 + SLEEP(0.01)".into(),
        ],
    );
    assert!(tally.contains_key("Changed"), "no statement was met at work");
}

// Readers beside a server that empties, fills and rebuilds the table.

const ROUNDS: u64 = 200;
const FIRST_TIME: i64 = 1_370_000_000;

/// In round `g` all rows have the value `g`, and there are this many.
fn rows_in(round: u64) -> i64 {
    20_000 + 3_000 * (round % 5) as i64
}

/// What each round does, after which the table is as [`rows_in`] says.
fn round(g: u64) -> Vec<String> {
    let rows = rows_in(g);
    let empty = ["TRUNCATE TABLE feed_1", "DELETE FROM feed_1"][(g % 2) as usize];
    let rebuild = [
        "OPTIMIZE TABLE feed_1",
        "ALTER TABLE feed_1 FORCE",
        "REPAIR TABLE feed_1",
        "ALTER TABLE feed_1 ORDER BY time",
        "FLUSH TABLES feed_1",
    ][(g % 5) as usize];
    vec![
        empty.into(),
        format!(
            "INSERT INTO feed_1 SELECT {FIRST_TIME} + seq, {g} FROM seq_0_to_{}",
            rows - 1
        ),
        rebuild.into(),
        // Something to do for OPTIMIZE; the row comes back in its old place.
        format!("DELETE FROM feed_1 WHERE time = {FIRST_TIME}"),
        format!("INSERT INTO feed_1 VALUES ({FIRST_TIME},{g})"),
    ]
}

/// Whether `points` are all rows of one round at a time when the first row was
/// there or was not, or no row.
fn is_some_moment(series: &Series) -> Result<(), String> {
    let Some(first) = series.points.first() else { return Ok(()) };
    let round = first.value as u64;
    if first.value != round as f64 || round > ROUNDS {
        return Err(format!("a value of {}", first.value));
    }
    let missing = first.time - FIRST_TIME;
    let count = series.points.len() as i64;
    if !(0..=1).contains(&missing) || count != rows_in(round) - missing {
        return Err(format!("{count} rows from {} in round {round}", first.time));
    }
    for (i, point) in (0..).zip(&series.points) {
        if (point.time, point.value) != (first.time + i, first.value) {
            return Err(format!("row {i} of round {round} is {point:?}"));
        }
    }
    Ok(())
}

/// The same for averages of windows of 100 seconds.
fn is_some_average(series: &Series) -> Result<(), String> {
    let values: Vec<f64> =
        series.points.iter().map(|p| p.value).filter(|v| !v.is_nan()).collect();
    let Some(&first) = values.first() else { return Ok(()) };
    let expected = (rows_in(first as u64) / 100) as usize;
    if values.iter().any(|&value| value != first) || values.len() != expected {
        return Err(format!("{} windows of {first} and others", values.len()));
    }
    Ok(())
}

#[test]
#[ignore = "the reading half of readers_survive_a_table_rebuilt_beside_them"]
fn reader() {
    let path = PathBuf::from(std::env::var_os("EMONFEED_TEST_PATH").expect("a path"));
    let access = match std::env::var("EMONFEED_TEST_ACCESS").as_deref() {
        Ok("mmap") => Access::Mmap,
        _ => Access::Pread,
    };
    let kept = open(&path, access).expect("the feed before the rounds begin");
    let mut tally = BTreeMap::<String, u64>::new();
    until_told(|| {
        let fresh = open(&path, access);
        let feeds = [Ok(&kept), fresh.as_ref()];
        for feed in feeds {
            let end = FIRST_TIME + 40_000;
            let rows = feed.map(all_rows);
            let windows = feed.map(|feed| {
                query::windows(
                    feed,
                    FIRST_TIME,
                    end,
                    100,
                    Aggregate::Average,
                    Flags::NONE,
                )
            });
            let value = feed.map(|feed| {
                query::values_at(feed, &[FIRST_TIME + 77], Mode::Exact, Flags::NONE)
            });
            for (answer, check) in [
                (rows, is_some_moment as fn(&Series) -> Result<(), String>),
                (windows, is_some_average),
                (value, |_| Ok(())),
            ] {
                let name = match answer {
                    Ok(Ok(series)) => {
                        if let Err(wrong) = check(&series) {
                            panic!("{access:?}: {wrong}");
                        }
                        if series.points.is_empty() { "empty" } else { "right" }.into()
                    }
                    Ok(Err(error)) => error_name(&error),
                    Err(error) => error_name(error),
                };
                *tally.entry(name).or_default() += 1;
            }
        }
    });
    println!("tally {access:?} {tally:?}");
    // Other errors would send the user after a fault that is not there.
    tally.retain(|name, _| !["right", "empty", "Changed"].contains(&name.as_str()));
    assert!(tally.is_empty(), "{access:?}: {tally:?}");
}

/// Tells the parent that it is ready, and asks until that closes its end, and
/// once more when all is done, so that something is found right.
fn until_told(mut ask: impl FnMut()) {
    println!("ready");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            over.store(true, Ordering::SeqCst);
        });
        loop {
            let last = over.load(Ordering::SeqCst);
            ask();
            if last {
                break;
            }
        }
    });
}

fn error_name(error: &Error) -> String {
    match error.status() {
        Status::Changed => "Changed".into(),
        _ => error.to_string(),
    }
}

/// The reading half of a test.
struct Child(std::process::Child);

impl Child {
    /// Runs that test of this file until it says that it is ready.
    fn start(test: &str, path: &Path, variables: &[(&str, &str)]) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env("EMONFEED_TEST_PATH", path)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test binary runs");
        let mut seen = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        while !seen.contains("ready\n") {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{test} ended: {seen}");
            seen.push(char::from(byte[0]));
        }
        Child(child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("a running child");
    }

    /// Lets it end, and gives what it found, which must all be right.
    fn tally(mut self) -> String {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {text}\n{errors}", output.status);
        text.lines().find(|line| line.contains("tally")).expect("a tally").into()
    }
}

#[test]
fn readers_survive_a_table_rebuilt_beside_them() {
    let mut server = Server::start();
    server.sql(PLAIN);
    for statement in round(0) {
        server.sql(&statement);
    }
    let path = server.rows_file("feed_1");
    // In processes of their own: what fails there may be a signal.
    let readers = ["mmap", "pread"]
        .map(|access| Child::start("reader", &path, &[("EMONFEED_TEST_ACCESS", access)]));
    for g in 1..=ROUNDS {
        for statement in round(g) {
            server.sql(&statement);
        }
    }
    for reader in readers {
        let tally = reader.tally();
        assert!(tally.contains("\"right\""), "{tally}");
        println!("{tally}");
    }
    assert_same_rows(&mut server, &[], "afterwards");
}

/// Rounds of the test below. By the table's counters, each only adds a few
/// rows to the one before.
const REFILLS: u64 = 400;

fn rows_refilled(round: u64) -> i64 {
    10_000 + 3 * round as i64
}

#[test]
#[ignore = "the reading half of a_table_refilled_is_never_seen_with_some_of_its_rows"]
fn refill_reader() {
    let path = PathBuf::from(std::env::var_os("EMONFEED_TEST_PATH").expect("a path"));
    let kept = BOTH.map(|access| open(&path, access).expect("an empty feed"));
    let mut tally = BTreeMap::<String, u64>::new();
    until_told(|| {
        for feed in &kept {
            let name = match all_rows(feed) {
                Ok(series) if series.points.is_empty() => "empty".into(),
                Ok(Series { points, .. }) => {
                    let round = points[0].value;
                    assert!(points.iter().all(|p| p.value == round), "mixed rounds");
                    assert_eq!(points.len() as i64, rows_refilled(round as u64));
                    "right".into()
                }
                Err(error) => error_name(&error),
            };
            *tally.entry(name).or_default() += 1;
        }
    });
    println!("tally {tally:?}");
    let known = ["empty", "right", "Changed"];
    assert!(tally.keys().all(|name| known.contains(&name.as_str())), "{tally:?}");
}

#[test]
fn a_table_refilled_is_never_seen_with_some_of_its_rows() {
    let mut server = Server::start();
    server.sql(PLAIN);
    let reader = Child::start("refill_reader", &server.rows_file("feed_1"), &[]);
    for round in 1..=REFILLS {
        // In the midst of a query, as likely as not.
        reader.signal(Signal::STOP);
        server.sql("DELETE FROM feed_1");
        let last = rows_refilled(round) - 1;
        server.sql(&format!(
            "INSERT INTO feed_1 SELECT {FIRST_TIME} + seq, {round} FROM seq_0_to_{last}"
        ));
        reader.signal(Signal::CONT);
        thread::sleep(Duration::from_micros(300 * (round % 8)));
    }
    let tally = reader.tally();
    assert!(tally.contains("\"right\""), "{tally}");
    println!("{tally}");
    assert_same_rows(&mut server, &[], "afterwards");
}

#[test]
#[ignore = "the half of a_server_dies_with_its_test that is killed"]
fn only_starts_a_server() {
    let mut server = Server::start();
    server.sql(PLAIN);
    println!("folder {}", server.folder().display());
    thread::sleep(Duration::from_secs(120));
}

#[test]
fn a_server_dies_with_its_test() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "only_starts_a_server", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test binary runs");
    let mut seen = String::new();
    let stdout = child.stdout.as_mut().expect("a pipe");
    let folder = loop {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "it ended: {seen}");
        seen.push(char::from(byte[0]));
        if byte[0] == b'\n' {
            if let Some((_, folder)) = seen.trim_end().split_once("folder ") {
                break PathBuf::from(folder);
            }
        }
    };
    let pid = fs::read_to_string(folder.join("pid")).expect("the server's number");
    let process = Path::new("/proc").join(pid.trim());
    assert!(process.exists() && folder.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the server and its folder are gone", || {
        !process.exists() && !folder.exists()
    });
}
