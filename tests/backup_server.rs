//! Copies of the tables of a real server: while it writes, after random
//! statements, and brought back into a database.

mod effort;
mod server;

use effort::effort;
use emonfeed::Status;
use emonfeed::backup::{
    self, Backup, CopyOptions, CopyReport, Done, Outcome, Recheck, RunOptions,
};
use server::Server;
use server::shapes::Shape;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SEED: u64 = 0x00b5_c0a5_7e11_ed5e;

fn copy(source: &Path, copies: &Path) -> emonfeed::Result<CopyReport> {
    let whole = CopyOptions { whole: true, ..CopyOptions::default() };
    backup::copy(source, copies, &whole, &mut |_| {})
}

/// A run with a catalog over the database of a table that is all there is in it.
fn back_up(source: &Path, copies: &Path) -> emonfeed::Result<CopyReport> {
    let options = RunOptions { same_device: true, ..RunOptions::default() };
    let mut run = Backup::open(source.parent().unwrap(), copies, options)?;
    let done = run.step(&mut |_, _| true)?.expect("a report").done;
    assert!(run.step(&mut |_, _| true)?.is_none());
    run.close()?;
    match done {
        Done::Copied(report) => Ok(report),
        Done::Failed(error) => Err(error),
        other => panic!("{other}"),
    }
}

fn copy_of(source: &Path, copies: &Path) -> PathBuf {
    copies.join(source.file_name().unwrap())
}

/// xorshift64*: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Some statement that writes to the table `feed_7`.
fn statement(random: &mut Random, shape: &Shape) -> String {
    statement_on("feed_7", random, shape)
}

fn statement_on(table: &str, random: &mut Random, shape: &Shape) -> String {
    let row = |random: &mut Random| {
        let time = random.below(1000);
        let data = random.below(100);
        match shape.data2 {
            Some(_) => format!("({time},{data},{})", random.below(9)),
            None => format!("({time},{data})"),
        }
    };
    let insert = |rows: Vec<String>| {
        format!(
            "INSERT IGNORE INTO {table} ({}) VALUES {}",
            shape.columns(),
            rows.join(",")
        )
    };
    let time = random.below(1000);
    match random.below(20) {
        0..8 => insert(vec![row(random)]),
        8..11 => insert((0..5 + random.below(60)).map(|_| row(random)).collect()),
        11..13 => format!("UPDATE {table} SET data = {} WHERE time = {time}", time % 100),
        13 => format!(
            "UPDATE IGNORE {table} SET time = time + 7 WHERE time > {time} LIMIT 3"
        ),
        14..16 => {
            format!("DELETE FROM {table} WHERE time BETWEEN {time} AND {time} + 20")
        }
        16 => format!("OPTIMIZE TABLE {table}"),
        17 => format!("ALTER TABLE {table} ORDER BY time"),
        18 => format!("TRUNCATE {table}"),
        _ => format!("FLUSH TABLES {table}"),
    }
}

#[test]
fn after_any_statement_the_copy_is_the_table_and_nothing_copied_is_lost() {
    println!("seed {SEED:#x}");
    let mut server = Server::start();
    let mut random = Random(SEED);
    let mut outcomes = [0; Outcome::ALL.len()];
    for shape in server::shapes::SHAPES {
        let copies = tempfile::tempdir().unwrap();
        let catalogued = tempfile::tempdir().unwrap();
        let source = server.rows_file("feed_7");
        let target = copy_of(&source, copies.path());
        server.sql("DROP TABLE IF EXISTS feed_7");
        server.sql(&shape.create("feed_7"));
        for _ in 0..effort(20, 200) {
            let sql = statement(&mut random, shape);
            server.sql(&sql);
            let before = fs::read(&target).ok();
            let report = copy(&source, copies.path())
                .unwrap_or_else(|e| panic!("{}: after {sql:.200}: {e}", shape.name));
            outcomes[report.outcome as usize] += 1;
            // Nobody writes now, so that the file is the committed rows.
            let now = fs::read(&target).unwrap();
            assert!(now == fs::read(&source).unwrap(), "{}: {sql:.200}", shape.name);
            let frm = fs::read(target.with_extension("frm")).unwrap();
            assert!(frm == fs::read(source.with_extension("frm")).unwrap());
            let held = copy_of(&source, catalogued.path());
            back_up(&source, catalogued.path())
                .unwrap_or_else(|e| panic!("{}: after {sql:.200}: {e}", shape.name));
            let same = fs::read(&held).unwrap() == now;
            assert!(same, "{}: with a catalog, after {sql:.200}", shape.name);
            assert!(fs::read(held.with_extension("frm")).unwrap() == frm);
            let Some(before) = before else { continue };
            match &report.kept {
                Some(kept) => assert!(fs::read(kept).unwrap() == before),
                None if report.outcome == Outcome::Patched => {
                    let but_last = before.len() - shape.stride as usize;
                    assert!(now.starts_with(&before[..but_last]));
                }
                None => assert!(now.starts_with(&before)),
            }
        }
    }
    println!("{outcomes:?}");
    for outcome in [Outcome::Unchanged, Outcome::Appended, Outcome::NewGeneration] {
        assert!(outcomes[outcome as usize] > 20, "{outcomes:?}");
    }
}

#[test]
fn beside_writing_connections_copies_are_beginnings_of_the_table() {
    let mut server = Server::start();
    server.sql(
        "CREATE TABLE feed_7 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM",
    );
    let source = server.rows_file("feed_7");
    let copies = tempfile::tempdir().unwrap();
    let target = copy_of(&source, copies.path());
    let stop = AtomicBool::new(false);
    let mut kept_copies = Vec::new();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let mut client = server.client();
            let stop = &stop;
            scope.spawn(move || {
                let mut next = writer * 1_000_000;
                while !stop.load(Ordering::Relaxed) {
                    // By turns one row, and so many that they are written in
                    // pieces which are no whole rows.
                    let count = if next % 5 == 0 { 20_000 } else { 1 };
                    let sql = format!(
                        "INSERT INTO feed_7 SELECT seq, seq / 7 FROM seq_{next}_to_{}",
                        next + count - 1
                    );
                    client.sql(&sql).unwrap();
                    next += count;
                }
            });
        }
        // Not before both are at work.
        while fs::metadata(&source).unwrap().len() < 400_000 {
            std::thread::yield_now();
        }
        for _ in 0..40 {
            let report = copy(&source, copies.path()).unwrap();
            assert_ne!(report.outcome, Outcome::NewGeneration, "{report}");
            kept_copies.push(fs::read(&target).unwrap());
        }
        stop.store(true, Ordering::Relaxed);
    });
    copy(&source, copies.path()).unwrap();
    let table = fs::read(&source).unwrap();
    assert!(fs::read(&target).unwrap() == table);
    for held in &kept_copies {
        assert!(table.starts_with(held) && held.len() % 9 == 0);
    }
    let longest = kept_copies.iter().map(Vec::len).max();
    assert!(longest > Some(100_000), "{longest:?}");
}

#[test]
fn a_copy_can_be_brought_back_into_a_database() {
    let mut server = Server::start();
    for (table, options) in [("feed_1", ""), ("feed_2", "CHECKSUM=1")] {
        server.sql(&format!(
            "CREATE TABLE {table} (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM {options}"
        ));
        server
            .sql(&format!("INSERT INTO {table} SELECT seq, seq / 7 FROM seq_1_to_5000"));
        server.sql(&format!("DELETE FROM {table} WHERE time BETWEEN 100 AND 120"));
    }
    let copies = tempfile::tempdir().unwrap();
    let run = |server: &Server| {
        let options = RunOptions { same_device: true, ..RunOptions::default() };
        let mut run = Backup::open(&server.database(), copies.path(), options).unwrap();
        while run.step(&mut |_, _| true).unwrap().is_some() {}
        run.close().unwrap()
    };
    assert_eq!(run(&server).count(Outcome::Created), 2);
    server.sql("UPDATE feed_1 SET data = 1 WHERE time = 5000");
    server.sql("INSERT INTO feed_2 VALUES (5001, 3), (5002, NULL)");
    let summary = run(&server);
    // One was edited; new rows of the other went into holes a deletion left.
    assert_eq!(summary.count(Outcome::Patched), 2);
    // As the manual says to restore.
    server.sql("CREATE DATABASE restored");
    let restored = server.database().with_file_name("restored");
    for entry in fs::read_dir(copies.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "MYD" || e == "frm") {
            fs::copy(&path, restored.join(path.file_name().unwrap())).unwrap();
        }
    }
    for table in ["feed_1", "feed_2"] {
        server.sql(&format!("REPAIR TABLE restored.{table} USE_FRM"));
        let checksum = |server: &mut Server, database: &str| {
            let rows = server.sql(&format!("CHECKSUM TABLE {database}.{table} EXTENDED"));
            rows[0][1].clone().expect("a checksum")
        };
        let original = checksum(&mut server, "emoncms");
        assert_eq!(checksum(&mut server, "restored"), original, "{table}");
        let check = server.sql(&format!("CHECK TABLE restored.{table} EXTENDED"));
        assert_eq!(check.last().unwrap()[3].as_deref(), Some("OK"));
    }
}

#[test]
fn rows_shifted_by_a_crash_never_reach_the_copy() {
    let mut server =
        Server::start_with(&["--skip-innodb", "--myisam-recover-options=BACKUP,QUICK"]);
    server.sql(
        "CREATE TABLE feed_7 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM",
    );
    server.sql("INSERT INTO feed_7 VALUES (1, 1), (2, 2)");
    let source = server.rows_file("feed_7");
    let copies = tempfile::tempdir().unwrap();
    let catalogued = tempfile::tempdir().unwrap();
    // Without a catalog, and with one.
    let both = || {
        [
            (copy_of(&source, copies.path()), copy(&source, copies.path())),
            (copy_of(&source, catalogued.path()), back_up(&source, catalogued.path())),
        ]
    };
    both().into_iter().for_each(|(_, report)| drop(report.unwrap()));
    let good = fs::read(copy_of(&source, copies.path())).unwrap();
    assert_eq!(good.len(), 18);

    let mut client = server.client();
    let bulk = std::thread::spawn(move || {
        client
            .sql(
                "INSERT INTO feed_7 SELECT 1000 + seq, IF(seq = 25000, SLEEP(600), 5)
                 FROM seq_1_to_60000",
            )
            .expect_err("the server dies meanwhile");
    });
    let begun = Instant::now();
    while fs::metadata(&source).unwrap().len() <= 18 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no rows are written");
        std::thread::sleep(Duration::from_millis(5));
    }
    // What is not committed is not there, however much of it there is.
    let unchanged = |(_, report): (_, emonfeed::Result<CopyReport>)| {
        assert_eq!(report.unwrap().outcome, Outcome::Unchanged);
    };
    both().into_iter().for_each(unchanged);
    server.crash();
    bulk.join().unwrap();
    both().into_iter().for_each(unchanged);

    // The quick recovery believes the file's length, in the middle of a row.
    server.restart();
    server.sql("SELECT COUNT(*) FROM feed_7");
    server.sql("FLUSH TABLES");
    for _ in 0..2 {
        for (held, report) in both() {
            let error = report.unwrap_err();
            assert_eq!(error.status(), Status::PhaseShifted, "{error}");
            assert!(error.to_string().contains("REPAIR"), "{error}");
            assert_eq!(fs::read(held).unwrap(), good);
        }
        server.sql("INSERT INTO feed_7 VALUES (100000, 5), (100010, 6)");
    }
    // Repaired, it is what there is, and the copy follows.
    server.sql("REPAIR TABLE feed_7");
    for (held, report) in both() {
        let report = report.unwrap();
        assert!(report.rows_total > 2, "{report}");
        let held = fs::read(held).unwrap();
        assert_eq!(held, fs::read(&source).unwrap());
        match report.kept {
            Some(kept) => assert_eq!(fs::read(kept).unwrap(), good),
            None => assert!(held.starts_with(&good)),
        }
    }
}

/// Tables that are rebuilt, swapped and emptied all the time: files of two of
/// them are never mixed, and a run that cannot get hold of one says so.
#[test]
fn beside_a_loop_of_rebuilds_no_copy_is_a_mixture() {
    let mut server = Server::start();
    server.sql(
        "CREATE TABLE feed_7 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM",
    );
    let source = server.rows_file("feed_7");
    let copies = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut copied = 0;
    std::thread::scope(|scope| {
        let mut client = server.client();
        let stop = &stop;
        scope.spawn(move || {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                // All rows of a round have its number as their value.
                let columns = ["data FLOAT", "data DOUBLE"][round % 2];
                for sql in [
                    "TRUNCATE feed_7".to_owned(),
                    format!("INSERT INTO feed_7 SELECT seq, {round} FROM seq_1_to_3000"),
                    "OPTIMIZE TABLE feed_7".to_owned(),
                    format!("ALTER TABLE feed_7 MODIFY {columns}, ORDER BY time DESC"),
                    "REPAIR TABLE feed_7".to_owned(),
                ] {
                    client.sql(&sql).unwrap();
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        for _ in 0..60 {
            match back_up(&source, copies.path()) {
                Ok(_) => copied += 1,
                Err(error) => {
                    assert_eq!(error.status(), Status::Changed, "{error}");
                }
            }
            let held = copy_of(&source, copies.path());
            if held.exists() {
                let feed = emonfeed::Feed::open(&held).unwrap();
                let rows =
                    emonfeed::query::rows(&feed, 0, i64::from(u32::MAX), 0).unwrap();
                let values: std::collections::BTreeSet<u64> =
                    rows.points.iter().map(|point| point.value.to_bits()).collect();
                assert!(values.len() <= 1, "rows of {} rounds", values.len());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(copied > 5, "only {copied} runs got hold of the table");
    back_up(&source, copies.path()).unwrap();
    let held = fs::read(copy_of(&source, copies.path())).unwrap();
    assert!(held == fs::read(&source).unwrap());
}

/// As many updates as there were rows beyond statements: the counters in the
/// header look as if rows had only been appended.
#[test]
fn a_live_checksum_tells_of_an_edit_that_the_counters_hide() {
    let mut server = Server::start();
    let copies = tempfile::tempdir().unwrap();
    let run = |server: &Server| {
        let options = RunOptions {
            same_device: true,
            recheck: Recheck::None,
            ..RunOptions::default()
        };
        let mut run = Backup::open(&server.database(), copies.path(), options).unwrap();
        let mut outcomes = Vec::new();
        while let Some(report) = run.step(&mut |_, _| true).unwrap() {
            match report.done {
                Done::Copied(report) => outcomes.push(report.outcome),
                other => panic!("{other}"),
            }
        }
        run.close().unwrap();
        outcomes
    };
    for (table, option) in [("feed_1", "CHECKSUM=1"), ("feed_2", "")] {
        // More than is compared as a whole at once when the counters tell.
        server.sql(&format!(
            "CREATE TABLE {table} (time INT UNSIGNED, data FLOAT) ENGINE=MyISAM {option};
             INSERT INTO {table} SELECT seq, IF(seq % 1000 = 0, NULL, seq / 7)
             FROM seq_1_to_600000"
        ));
    }
    assert_eq!(run(&server), [Outcome::Created; 2]);
    for round in 0..5 {
        for table in ["feed_1", "feed_2"] {
            let first = 600_001 + 10 * round;
            server.sql(&format!(
                "INSERT INTO {table} SELECT seq, NULL FROM seq_{first}_to_{}",
                first + 9
            ));
            if round == 1 {
                for time in 1..=9 {
                    server.sql(&format!(
                        "UPDATE {table} SET data = -5 WHERE time = {time} * 1000"
                    ));
                }
            }
            // The last row copied before is an edit that is seen, and hides none.
            if round == 2 {
                for time in 1..=8 {
                    server.sql(&format!(
                        "UPDATE {table} SET data = -6 WHERE time = {time} * 1000"
                    ));
                }
                server.sql(&format!("UPDATE {table} SET data = 3 WHERE time = 600020"));
            }
            if round == 3 {
                server.sql(&format!("UPDATE {table} SET data = 4 WHERE time = 600030"));
            }
        }
        let expected = match round {
            1 => [Outcome::Patched, Outcome::Appended],
            2 | 3 => [Outcome::Patched; 2],
            _ => [Outcome::Appended; 2],
        };
        assert_eq!(run(&server), expected, "round {round}");
        let same = |table: &str| {
            let source = server.rows_file(table);
            fs::read(copy_of(&source, copies.path())).unwrap()
                == fs::read(&source).unwrap()
        };
        assert_eq!((same("feed_1"), same("feed_2")), (true, round == 0));
    }
}

/// The server counts the writes to a table anew when it opens it again.
#[test]
fn an_edit_after_the_table_was_opened_again_is_found() {
    let mut server = Server::start();
    let copies = tempfile::tempdir().unwrap();
    server.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM;
         INSERT INTO feed_1 SELECT seq, seq FROM seq_1_to_2000",
    );
    for row in 1..=4 {
        server.sql("FLUSH TABLES");
        server.sql(&format!("UPDATE feed_1 SET data = -1 WHERE time = {row} * 100"));
        let options = RunOptions {
            same_device: true,
            recheck: Recheck::None,
            ..RunOptions::default()
        };
        let mut run = Backup::open(&server.database(), copies.path(), options).unwrap();
        while run.step(&mut |_, _| true).unwrap().is_some() {}
        run.close().unwrap();
        let source = server.rows_file("feed_1");
        let copy = fs::read(copy_of(&source, copies.path())).unwrap();
        assert!(copy == fs::read(&source).unwrap(), "row {row}");
    }
}

/// One run over all there is, which compares no more than it has reason to.
/// `during` is called at each block that is written.
fn run_during(
    server: &Server,
    copies: &Path,
    during: &mut dyn FnMut(u32),
) -> Vec<CopyReport> {
    let options =
        RunOptions { same_device: true, recheck: Recheck::None, ..RunOptions::default() };
    let mut run = Backup::open(&server.database(), copies, options).unwrap();
    let (mut reports, mut blocks) = (Vec::new(), 0);
    let mut progress = |_: &backup::FeedName, _| {
        blocks += 1;
        during(blocks);
        true
    };
    while let Some(report) = run.step(&mut progress).unwrap() {
        match report.done {
            Done::Copied(report) => reports.push(report),
            other => panic!("{other}"),
        }
    }
    run.close().unwrap();
    reports
}

/// A table that is emptied and filled with a few more rows while it is copied:
/// two statements and more new rows than that, as if it had only grown.
#[test]
fn a_table_refilled_while_it_is_copied_is_no_mixture() {
    // Three stretches that are read at a time.
    const ROWS: u32 = 150_000;
    let mut server = Server::start();
    // The rows at the end of what was copied are found to be others, or are the
    // same again.
    for same_end in [false, true] {
        for held in [0, 8192 * 18, ROWS] {
            let copies = tempfile::tempdir().unwrap();
            let source = refillable(&mut server, held);
            if held > 0 {
                run_during(&server, copies.path(), &mut |_| {});
            }
            let to = fill(&mut server, held, ROWS);
            let mut client = server.client();
            let changed = if same_end { held + 1000 } else { to };
            let reports = run_during(&server, copies.path(), &mut |blocks| {
                if blocks == 1 {
                    refill(&mut client, changed, to + 50);
                }
            });
            let what = format!("{held} held, same end {same_end}: {reports:?}");
            expect_beginning(&source, copies.path(), to, &what);
        }
    }
}

/// A table with some rows, all of them 1.
fn refillable(server: &mut Server, rows: u32) -> PathBuf {
    server.sql(
        "DROP TABLE IF EXISTS feed_1;
         CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT) ENGINE=MyISAM",
    );
    if rows > 0 {
        fill(server, 0, rows);
    }
    server.rows_file("feed_1")
}

/// Appends rows of 1; how many there are then.
fn fill(server: &mut Server, held: u32, rows: u32) -> u32 {
    let (from, to) = (held + 1, held + rows);
    server.sql(&format!("INSERT INTO feed_1 SELECT seq, 1 FROM seq_{from}_to_{to}"));
    to
}

/// Empties the table and fills it again, up to `changed` with 2.
fn refill(client: &mut server::Client, changed: u32, rows: u32) {
    client.sql("DELETE FROM feed_1").unwrap();
    let values = format!("SELECT seq, IF(seq > {changed}, 1, 2) FROM seq_1_to_{rows}");
    client.sql(&format!("INSERT INTO feed_1 {values}")).unwrap();
}

/// Fails unless the copy is the beginning of the table, of at least `rows`.
#[track_caller]
fn expect_beginning(source: &Path, copies: &Path, rows: u32, what: &str) {
    let copy = fs::read(copy_of(source, copies)).unwrap();
    assert!(copy.len() >= rows as usize * 9, "{what}");
    let table = fs::read(source).unwrap();
    assert!(table.starts_with(&copy), "{what}: the copy is a mixture");
}

/// The same, of a single feed without a catalog.
#[test]
fn a_table_refilled_while_it_alone_is_copied_is_no_mixture() {
    const ROWS: u32 = 150_000;
    let mut server = Server::start();
    for held in [0, 100_000] {
        let copies = tempfile::tempdir().unwrap();
        let source = refillable(&mut server, held);
        if held > 0 {
            copy(&source, copies.path()).unwrap();
        }
        let to = fill(&mut server, held, ROWS);
        let mut client = server.client();
        let whole = CopyOptions { whole: true, ..CopyOptions::default() };
        let mut blocks = 0;
        let report = backup::copy(&source, copies.path(), &whole, &mut |_| {
            blocks += 1;
            if blocks == 1 {
                refill(&mut client, to, to + 50);
            }
        });
        let what = format!("{held} held: {report:?}");
        expect_beginning(&source, copies.path(), to, &what);
    }
}

/// Each open table of a server counts its own statements: the same number more
/// may be another's.
#[test]
fn an_edit_by_another_connection_that_the_counters_hide_is_found() {
    let mut server = Server::start();
    let copies = tempfile::tempdir().unwrap();
    // More than one block of hashes, and less than is compared only by turns.
    server.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM;
         INSERT INTO feed_1 SELECT seq, seq FROM seq_1_to_20000",
    );
    run_during(&server, copies.path(), &mut |_| {});
    let header = |server: &Server| {
        let head = fs::read(server.rows_file("feed_1").with_extension("MYI")).unwrap();
        [108, 112, 120].map(|at| u32::from_be_bytes(head[at..at + 4].try_into().unwrap()))
    };
    let [process, opened, before] = header(&server);
    // The table that was open is another connection's now.
    let mut other = server.client();
    other.sql("HANDLER feed_1 OPEN").unwrap();
    for _ in 0..before {
        server.sql("UPDATE feed_1 SET data = data - 1 WHERE time = 100");
    }
    server.sql("INSERT INTO feed_1 VALUES (20001, 1)");
    // One statement more, and one row.
    let [process_now, opened_now, after] = header(&server);
    assert_eq!((process_now, after), (process, before + 1));
    assert_ne!(opened_now, opened);
    let source = server.rows_file("feed_1");
    let copy = || fs::read(copy_of(&source, copies.path())).unwrap();
    assert_eq!(
        run_during(&server, copies.path(), &mut |_| {})[0].outcome,
        Outcome::Patched
    );
    assert!(copy() == fs::read(&source).unwrap());
}

/// The command, with what it printed in case it fails.
#[track_caller]
fn emonfeed(arguments: &[&dyn AsRef<std::ffi::OsStr>]) {
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(arguments.iter().map(|argument| argument.as_ref()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What SQL says of each table: rows and checksum.
fn sums(
    server: &mut Server,
    tables: &[(String, &Shape)],
) -> Vec<(String, String, String)> {
    tables
        .iter()
        .map(|(table, _)| {
            let count = server.sql(&format!("SELECT COUNT(*) FROM {table}"));
            let sum = server.sql(&format!("CHECKSUM TABLE {table} EXTENDED"));
            let cell = |rows: &server::Rows, at: usize| rows[0][at].clone().unwrap();
            (table.clone(), cell(&count, 0), cell(&sum, 1))
        })
        .collect()
}

/// A hundred feeds of every shape are written to all the time; runs are killed
/// at random moments; the server and all of its files are lost; and a second
/// server gets every committed row back.
#[test]
fn what_was_backed_up_by_killed_runs_beside_writers_comes_back_whole() {
    const FEEDS: usize = 100;
    const KILLED: u32 = 40;
    let mut server = Server::start();
    let mut random = Random(SEED ^ u64::from(std::process::id()));
    println!("seed {:#x}", random.0);
    let tables: Vec<(String, &Shape)> = (0..FEEDS)
        .map(|number| {
            let shapes = server::shapes::SHAPES;
            (format!("feed_{}", number + 1), &shapes[number % shapes.len()])
        })
        .collect();
    for (table, shape) in &tables {
        server.sql(&shape.create(table));
        for _ in 0..3 {
            let sql = statement_on(table, &mut random, shape);
            server.sql(&sql);
        }
    }
    // More rows than a block of hashes has, and never emptied.
    server.sql(
        "CREATE TABLE feed_1000 (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM;
         INSERT INTO feed_1000 SELECT seq, seq / 7 FROM seq_1_to_100000",
    );
    let copies = tempfile::tempdir().unwrap();
    let backup = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emonfeed"));
        command.args(["backup", "--same-device", "-q"]);
        command.arg(server.database()).arg(copies.path());
        command
    };
    let stop = AtomicBool::new(false);
    let mut unfinished = 0;
    std::thread::scope(|scope| {
        for writer in 1..=2_u64 {
            let mut client = server.client();
            let (stop, tables) = (&stop, &tables);
            let mut random = Random(random.0 ^ (writer << 32));
            scope.spawn(move || {
                let mut next = 200_000 * writer;
                while !stop.load(Ordering::Relaxed) {
                    let (table, shape) = &tables[random.below(FEEDS as u64) as usize];
                    let sql = statement_on(table, &mut random, shape);
                    match client.sql(&sql) {
                        // Two at once on one table: the server lets one go.
                        Err(error) if error.contains("Deadlock") => {}
                        other => drop(other.unwrap()),
                    }
                    let sql = match random.below(4) {
                        0 => format!(
                            "UPDATE feed_1000 SET data = {next} WHERE time = 4711"
                        ),
                        _ => format!("INSERT INTO feed_1000 VALUES ({next}, {next})"),
                    };
                    client.sql(&sql).unwrap();
                    next += 1;
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for _ in 0..KILLED {
            let mut run = backup().spawn().unwrap();
            std::thread::sleep(Duration::from_millis(5 + random.below(400)));
            // It may have finished.
            run.kill().unwrap();
            unfinished += u32::from(!run.wait().unwrap().success());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(unfinished > KILLED / 4, "only {unfinished} of {KILLED} were killed");
    // Each open table of a server counts its own statements, so that with two
    // writers the header may tell of appends where a row was edited. A run
    // finds that when it comes to the row's block; this one comes to all.
    let status = backup().args(["--recheck", "all"]).status().unwrap();
    assert!(status.success(), "{status}");
    let mut tables = tables;
    tables.push(("feed_1000".into(), tables[0].1));
    let before = sums(&mut server, &tables);
    emonfeed(&[&"verify", &copies.path(), &"--source", &server.database()]);
    server.crash();
    drop(server);

    let mut second = Server::start();
    let options = copies.path().join("my.cnf");
    fs::write(
        &options,
        format!("[client]\nuser=root\nsocket={}/s\n", second.folder().display()),
    )
    .unwrap();
    emonfeed(&[
        &"restore",
        &copies.path(),
        &second.database(),
        &"--run",
        &"--database",
        &"emoncms",
        &"--defaults-file",
        &options,
    ]);
    assert_eq!(sums(&mut second, &tables), before);
    for (table, _) in &tables {
        let check = second.sql(&format!("CHECK TABLE {table} EXTENDED"));
        assert_eq!(check.last().unwrap()[3].as_deref(), Some("OK"), "{table}");
    }
}
