//! Copies put back into databases of a real server.

mod server;

use emonfeed::backup::{Backup, RunOptions, Summary};
use server::Server;
use server::shapes::{Kind, SHAPES, Shape};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SEED: u64 = 0x0e57_0e5e_ed0f_feed;

/// xorshift64*: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn value(&mut self, kind: Kind, nullable: bool) -> String {
        if nullable && self.below(8) == 0 {
            return "NULL".into();
        }
        match kind {
            Kind::Float | Kind::Double => {
                format!("{}", self.below(2_000_000) as f64 / 7.0 - 100_000.0)
            }
            Kind::Whole(from, to) => {
                let span = (to - from) as u128;
                let part = u128::from(self.below(1001));
                (from + (span / 1000 * part).min(span) as i128).to_string()
            }
        }
    }
}

fn backup(source: &Path, copies: &Path) -> Summary {
    let options = RunOptions { same_device: true, ..RunOptions::default() };
    let mut run = Backup::open(source, copies, options).unwrap();
    while run.step(&mut |_, _| true).unwrap().is_some() {}
    let summary = run.close().unwrap();
    assert!(summary.is_complete(), "{summary:?}");
    summary
}

/// Runs `emonfeed restore`.
fn restore<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("restore")
        .args(args)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

fn option_file(server: &Server) -> PathBuf {
    let file = server.folder().join("my.cnf");
    let socket = server.folder().join("s");
    fs::write(&file, format!("[client]\nuser=root\nsocket={}\n", socket.display()))
        .unwrap();
    file
}

/// `emonfeed restore --run` into a server, with more arguments.
fn restore_and_run(server: &Server, copies: &Path, more: &[&str]) -> Output {
    let file = option_file(server);
    let mut args: Vec<&std::ffi::OsStr> = vec![
        "--run".as_ref(),
        "--database=emoncms".as_ref(),
        "--defaults-file".as_ref(),
        file.as_ref(),
        copies.as_ref(),
    ];
    let database = server.database();
    args.push(database.as_ref());
    args.extend(more.iter().map(|arg| std::ffi::OsStr::new(*arg)));
    restore(&args)
}

fn checksum(server: &mut Server, table: &str) -> String {
    let rows = server.sql(&format!("CHECKSUM TABLE {table} EXTENDED"));
    rows[0][1].clone().unwrap_or_else(|| panic!("no checksum of {table}"))
}

fn count(server: &mut Server, table: &str) -> u64 {
    let rows = server.sql(&format!("SELECT COUNT(*) FROM {table}"));
    rows[0][0].as_deref().unwrap().parse().unwrap()
}

fn assert_same(from: &mut Server, to: &mut Server, table: &str) {
    assert_eq!(checksum(to, table), checksum(from, table), "{table}");
    assert_eq!(count(to, table), count(from, table), "{table}");
    let check = to.sql(&format!("CHECK TABLE {table} EXTENDED"));
    assert_eq!(check.last().unwrap()[3].as_deref(), Some("OK"), "{table}");
}

fn insert(random: &mut Random, shape: &Shape, table: &str, rows: u64) -> String {
    let values: Vec<String> = (0..rows)
        .map(|_| {
            let time = Kind::Whole(0, 1_900_000_000);
            let mut row = vec![
                random.value(time, shape.time_nullable),
                random.value(shape.kind, shape.data_nullable),
            ];
            if let Some((kind, nullable)) = shape.data2 {
                row.push(random.value(kind, nullable));
            }
            format!("({})", row.join(","))
        })
        .collect();
    let columns = shape.columns();
    format!("INSERT IGNORE INTO {table} ({columns}) VALUES {}", values.join(","))
}

/// A server with a table of each shape, written to in all ways.
fn all_shapes() -> (Server, Vec<String>) {
    println!("seed {SEED:#x}");
    let mut server = Server::start();
    let mut random = Random(SEED);
    let mut tables = Vec::new();
    for (number, shape) in (1..).zip(SHAPES) {
        let table = format!("feed_{number}");
        server.sql(&shape.create(&table));
        for _ in 0..3 {
            server.sql(&insert(&mut random, shape, &table, 300));
            let from = random.below(1000) * 1_900_000;
            server.sql(&format!(
                "DELETE FROM {table} WHERE time BETWEEN {from} AND {from} + 100000000"
            ));
            server.sql(&format!("UPDATE {table} SET data = 3 WHERE time > 1800000000"));
        }
        tables.push(table);
    }
    server.sql("FLUSH TABLES");
    (server, tables)
}

fn plain(server: &mut Server, table: &str, rows: u64) {
    server.sql(&format!(
        "CREATE TABLE {table} (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM"
    ));
    if rows > 0 {
        server.sql(&format!(
            "INSERT INTO {table} SELECT seq, seq / 7 FROM seq_1_to_{rows}"
        ));
    }
    server.sql("FLUSH TABLES");
}

fn copies() -> TempDir {
    let copies = tempfile::tempdir().unwrap();
    fs::set_permissions(copies.path(), fs::Permissions::from_mode(0o700)).unwrap();
    copies
}

#[test]
fn every_shape_comes_back_the_same() {
    let (mut from, tables) = all_shapes();
    let copies = copies();
    backup(&from.database(), copies.path());
    let mut to = Server::start();
    let output = restore_and_run(&to, copies.path(), &[]);
    assert_code(&output, 0);
    for table in &tables {
        assert_same(&mut from, &mut to, table);
    }
    // Nothing but whole tables is left there.
    for entry in fs::read_dir(to.database()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains("partial"), "{name}");
    }
}

#[test]
fn the_printed_statements_bring_every_shape_back() {
    let (mut from, tables) = all_shapes();
    let copies = copies();
    backup(&from.database(), copies.path());
    let mut to = Server::start();
    let output = restore(&[copies.path(), &to.database()]);
    assert_code(&output, 0);
    let script = text(&output.stdout);
    for line in script.lines().filter(|line| !line.starts_with("--")) {
        let (statement, expected) = line.split_once("; -- ").unwrap_or((line, ""));
        let answer = to.sql(statement.trim_end_matches(';'));
        if !expected.is_empty() {
            let answer = answer[0].last().unwrap().as_deref().unwrap();
            assert_eq!(answer, expected.split(',').next().unwrap(), "{line}");
        }
    }
    for table in &tables {
        assert_same(&mut from, &mut to, table);
    }
}

#[test]
fn an_earlier_state_comes_back() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 30_000);
    let copies = copies();
    backup(&from.database(), copies.path());
    let mut states = vec![(checksum(&mut from, "feed_1"), 30_000)];
    for sql in [
        "UPDATE feed_1 SET data = -1 WHERE time IN (5, 9000, 29000)",
        "INSERT INTO feed_1 SELECT seq, 1 FROM seq_40000_to_41000",
        "UPDATE feed_1 SET data = -2 WHERE time IN (5, 6, 17000)",
        "TRUNCATE feed_1",
        "INSERT INTO feed_1 SELECT seq, 2 FROM seq_50000_to_50100",
        "UPDATE feed_1 SET data = 3 WHERE time = 50001",
    ] {
        from.sql(sql);
        from.sql("FLUSH TABLES");
        let options = RunOptions {
            same_device: true,
            recheck: emonfeed::backup::Recheck::All,
            keep: 9,
            ..RunOptions::default()
        };
        let mut run = Backup::open(&from.database(), copies.path(), options).unwrap();
        while run.step(&mut |_, _| true).unwrap().is_some() {}
        assert!(run.close().unwrap().is_complete());
        if !sql.starts_with("INSERT") {
            states.push((String::new(), 0));
        }
        let rows = count(&mut from, "feed_1");
        *states.last_mut().unwrap() = (checksum(&mut from, "feed_1"), rows);
    }
    // Rows were appended to the state before an edit, so that is what it was.
    let list = restore(&["--list", "--json", copies.path().to_str().unwrap()]);
    assert_code(&list, 0);
    let listed: Vec<serde_json::Value> = text(&list.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let rows: Vec<u64> =
        listed.iter().map(|state| state["rows"].as_u64().unwrap()).collect();
    println!("{}", text(&list.stdout));
    assert_eq!(listed.len(), states.len());
    assert_eq!(rows, states.iter().map(|(_, rows)| *rows).collect::<Vec<_>>());
    assert_eq!(listed.last().unwrap()["ending"], "current");
    for (state, (sum, rows)) in listed.iter().zip(&states) {
        let number = state["generation"].to_string();
        let mut to = Server::start();
        let output = restore_and_run(&to, copies.path(), &["--generation", &number]);
        assert_code(&output, 0);
        assert_eq!(&checksum(&mut to, "feed_1"), sum, "generation {number}");
        assert_eq!(count(&mut to, "feed_1"), *rows);
    }
    let output =
        restore(&["--generation", "77", copies.path().to_str().unwrap(), "/tmp"]);
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn an_index_of_other_rows_does_not_survive() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 5000);
    let copies = copies();
    backup(&from.database(), copies.path());
    let mut to = Server::start();
    // As a half restored table, or one whose .MYD was lost, leaves it.
    plain(&mut to, "feed_1", 100);
    for extension in ["MYD", "frm"] {
        fs::remove_file(to.rows_file("feed_1").with_extension(extension)).unwrap();
    }
    let stale = fs::read(to.rows_file("feed_1").with_extension("MYI")).unwrap();
    let output = restore(&[copies.path(), &to.database()]);
    assert_code(&output, 0);
    assert!(text(&output.stdout).contains("an index without its table removed"));
    // It would have the server write over row 100.
    assert!(!to.rows_file("feed_1").with_extension("MYI").exists(), "{}", stale.len());
    for table in ["FLUSH TABLES feed_1", "REPAIR TABLE feed_1 USE_FRM"] {
        to.sql(table);
    }
    assert_same(&mut from, &mut to, "feed_1");
    to.sql("INSERT INTO feed_1 VALUES (9999, 1)");
    assert_eq!(count(&mut to, "feed_1"), 5001);
}

#[test]
fn a_table_that_is_there_needs_force_and_is_closed_first() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 3000);
    plain(&mut from, "feed_2", 10);
    let copies = copies();
    backup(&from.database(), copies.path());
    let mut to = Server::start();
    plain(&mut to, "feed_1", 50);
    // The server has it open.
    to.sql("SELECT COUNT(*) FROM feed_1");
    let held = fs::read(to.rows_file("feed_1")).unwrap();
    for more in [&[][..], &["--run", "--database=emoncms"]] {
        let file = option_file(&to);
        let mut args = vec![copies.path().to_str().unwrap().to_owned()];
        args.push(to.database().to_str().unwrap().to_owned());
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        if !more.is_empty() {
            args.push(format!("--defaults-file={}", file.display()));
        }
        let output = restore(&args);
        assert_code(&output, 1);
        assert!(text(&output.stderr).contains("--force"), "{}", text(&output.stderr));
        // The other feed is not written either.
        assert!(!to.rows_file("feed_2").exists());
        assert_eq!(fs::read(to.rows_file("feed_1")).unwrap(), held);
    }
    let to_path = to.database();
    let by_hand = |more: &str| {
        let mut args = vec![copies.path().as_os_str(), to_path.as_os_str()];
        args.push("--force".as_ref());
        if !more.is_empty() {
            args.push(more.as_ref());
        }
        restore(&args)
    };
    let output = by_hand("");
    assert_code(&output, 1);
    assert_eq!(text(&output.stdout), "FLUSH TABLES `emoncms`.`feed_1`;\n");
    assert_eq!(fs::read(to.rows_file("feed_1")).unwrap(), held);
    assert!(!to.rows_file("feed_2").exists());
    to.sql("FLUSH TABLES feed_1");
    let output = by_hand("--flushed");
    assert_code(&output, 0);
    for line in text(&output.stdout).lines().filter(|line| !line.starts_with("--")) {
        to.sql(line.split(';').next().unwrap());
    }
    for table in ["feed_1", "feed_2"] {
        assert_same(&mut from, &mut to, table);
    }
    // The same by itself, while the server has them open.
    to.sql("DELETE FROM feed_1 WHERE time > 5");
    assert_code(&restore_and_run(&to, copies.path(), &["--force"]), 0);
    for table in ["feed_1", "feed_2"] {
        assert_same(&mut from, &mut to, table);
    }
}

/// Copies as the old script made them: no definition, and ends that are no rows.
#[test]
fn copies_of_the_old_script_come_back_without_their_tails() {
    let mut from = Server::start();
    let shapes = [
        "time INT UNSIGNED, data FLOAT",
        "time INT UNSIGNED NOT NULL, data FLOAT NOT NULL",
        "time INT UNSIGNED NOT NULL, data FLOAT",
    ];
    let tails: [(&str, Vec<u8>); 6] = [
        ("none", vec![]),
        ("torn", vec![0xf9, 1, 2, 3, 4]),
        ("zeros", vec![0; 909]),
        ("garbage", vec![0xff; 903]),
        ("both", [vec![0xff; 90], vec![0; 94]].concat()),
        ("other", vec![0x37; 31]),
    ];
    let old = copies();
    let mut number = 0;
    for columns in shapes {
        for (_, tail) in &tails {
            number += 1;
            from.sql(&format!(
                "CREATE TABLE feed_{number} ({columns}, INDEX(time)) ENGINE=MyISAM"
            ));
            from.sql(&format!(
                "INSERT INTO feed_{number} SELECT seq + {number}, seq / 7 FROM seq_1_to_9000"
            ));
            from.sql(&format!("DELETE FROM feed_{number} WHERE time BETWEEN 50 AND 60"));
            from.sql("FLUSH TABLES");
            let mut rows = fs::read(from.rows_file(&format!("feed_{number}"))).unwrap();
            rows.extend_from_slice(tail);
            fs::write(old.path().join(format!("feed_{number}.MYD")), rows).unwrap();
        }
    }
    let mut to = Server::start();
    let output = restore_and_run(&to, old.path(), &[]);
    assert_code(&output, 0);
    let said = text(&output.stdout);
    for note in [
        "bytes of a torn row",
        "101 rows of zeros",
        "100 rows of garbage",
        "no catalog to go by",
    ] {
        assert!(said.contains(note) || text(&output.stderr).contains(note), "{said}");
    }
    for number in 1..=number {
        let table = format!("feed_{number}");
        assert_same(&mut from, &mut to, &table);
        let values = |server: &mut Server| {
            let sql = format!(
                "SELECT COUNT(time), COUNT(data), SUM(time), SUM(data) FROM {table}"
            );
            server.sql(&sql)
        };
        assert_eq!(values(&mut to), values(&mut from), "{table}");
    }

    // By hand: the tables are made first, and filled by the second call.
    let mut to = Server::start();
    let output = restore(&[old.path(), &to.database()]);
    assert_code(&output, 1);
    assert!(!to.rows_file("feed_1").exists());
    for line in text(&output.stdout).lines() {
        to.sql(line.trim_end_matches(';'));
    }
    let database = to.database();
    let output =
        restore(&[old.path().as_os_str(), database.as_os_str(), "--flushed".as_ref()]);
    assert_code(&output, 0);
    for line in text(&output.stdout).lines().filter(|line| !line.starts_with("--")) {
        to.sql(line.split(';').next().unwrap());
    }
    for number in 1..=number {
        assert_same(&mut from, &mut to, &format!("feed_{number}"));
    }
}

#[test]
fn a_definition_of_mysql_8_becomes_a_table() {
    let mut from = Server::start();
    from.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED NOT NULL, data DOUBLE, UNIQUE(time))
         ENGINE=MyISAM",
    );
    from.sql(
        "INSERT INTO feed_1 SELECT seq, IF(seq % 9, seq / 7, NULL) FROM seq_1_to_9000",
    );
    from.sql("FLUSH TABLES");
    let column = |name: &str, kind: u8, nullable: bool, unsigned: bool, position: u8| {
        serde_json::json!({
            "name": name, "type": kind, "is_nullable": nullable, "is_unsigned": unsigned,
            "is_virtual": false, "hidden": 1, "ordinal_position": position,
        })
    };
    let sdi = serde_json::json!({
        "dd_object_type": "Table",
        "dd_object": {
            "name": "feed_1", "options": "", "engine": "MyISAM",
            "columns": [column("time", 4, false, true, 1), column("data", 6, true, false, 2)],
            "indexes": [{ "name": "time", "hidden": false, "type": 2, "elements": [
                { "ordinal_position": 1, "length": 4, "order": 2, "hidden": false,
                  "column_opx": 0 }] }],
        },
    });
    let copies = copies();
    fs::copy(from.rows_file("feed_1"), copies.path().join("feed_1.MYD")).unwrap();
    fs::write(copies.path().join("feed_1_363.sdi"), sdi.to_string()).unwrap();
    let mut to = Server::start();
    assert_code(&restore_and_run(&to, copies.path(), &[]), 0);
    assert_same(&mut from, &mut to, "feed_1");
    let shown = |server: &mut Server| server.sql("SHOW CREATE TABLE feed_1");
    assert_eq!(shown(&mut to), shown(&mut from));

    // A table of other columns whose rows look the same is not filled.
    let mut other = Server::start();
    other.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED NOT NULL, data BIGINT) ENGINE=MyISAM",
    );
    let output = restore_and_run(&other, copies.path(), &[]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("other columns"));
    assert_eq!(count(&mut other, "feed_1"), 0);
}

#[test]
fn what_the_server_drops_is_told() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 100);
    from.sql("INSERT INTO feed_1 VALUES (7, 7), (8, 8)");
    from.sql("FLUSH TABLES");
    let old = copies();
    fs::copy(from.rows_file("feed_1"), old.path().join("feed_1.MYD")).unwrap();
    let mut to = Server::start();
    to.sql(
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, UNIQUE(time)) ENGINE=MyISAM",
    );
    let output = restore_and_run(&to, old.path(), &[]);
    assert_code(&output, 3);
    let said = text(&output.stderr);
    assert!(said.contains("has 100 rows, the copy 102"), "{said}");
    assert!(said.contains("Duplicate key"), "{said}");
}

#[test]
fn a_table_with_other_columns_is_no_place_for_rows() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 100);
    let old = copies();
    fs::copy(from.rows_file("feed_1"), old.path().join("feed_1.MYD")).unwrap();
    for columns in [
        "time INT UNSIGNED NOT NULL, data FLOAT NOT NULL",
        "time INT UNSIGNED, data DOUBLE",
    ] {
        let mut to = Server::start();
        to.sql(&format!("CREATE TABLE feed_1 ({columns}) ENGINE=MyISAM"));
        let output = restore_and_run(&to, old.path(), &[]);
        assert_code(&output, 1);
        assert_eq!(fs::metadata(to.rows_file("feed_1")).unwrap().len(), 0);
    }
}

#[test]
fn statements_go_to_the_server_of_the_directory_only() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 100);
    let copies = copies();
    backup(&from.database(), copies.path());
    let (to, mut other) = (Server::start(), Server::start());
    plain(&mut other, "feed_1", 5);
    let file = option_file(&other);
    let output = restore(&[
        "--run".as_ref(),
        "--defaults-file".as_ref(),
        file.as_os_str(),
        copies.path().as_os_str(),
        to.database().as_os_str(),
    ]);
    assert_code(&output, 2);
    assert!(text(&output.stderr).contains("not the directory of the database"));
    assert!(!to.rows_file("feed_1").exists());
    // Nor if there is none.
    let output = restore(&[
        "--run".as_ref(),
        "--defaults-file=/nonexistent".as_ref(),
        copies.path().as_os_str(),
        to.database().as_os_str(),
    ]);
    assert_code(&output, 2);
    assert!(!to.rows_file("feed_1").exists());
}

#[test]
fn owner_and_mode_are_those_of_the_directory() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 100);
    plain(&mut from, "feed_2", 100);
    let copies = copies();
    backup(&from.database(), copies.path());
    let to = Server::start();
    let path = to.rows_file("feed_1");
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        std::os::unix::fs::chown(to.database(), Some(4711), Some(4712)).unwrap();
    }
    assert_code(&restore(&["--only=1".as_ref(), copies.path(), &to.database()]), 0);
    for file in [path.clone(), path.with_extension("frm")] {
        let there = fs::metadata(&file).unwrap();
        assert_eq!(there.mode() & 0o7777, 0o660, "{}", file.display());
        if is_root {
            assert_eq!((there.uid(), there.gid()), (4711, 4712));
        }
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_code(&restore(&["--only=2".as_ref(), copies.path(), &to.database()]), 0);
    let there = fs::metadata(to.rows_file("feed_2")).unwrap();
    assert_eq!(there.mode() & 0o7777, 0o640);
}

#[test]
fn links_in_a_database_are_not_followed() {
    let mut from = Server::start();
    plain(&mut from, "feed_1", 100);
    let copies = copies();
    backup(&from.database(), copies.path());
    let elsewhere = copies.path().join("victim");
    fs::write(&elsewhere, "precious").unwrap();
    for name in ["feed_1.MYD", "feed_1.frm", "feed_1.MYI", ".feed_1.MYD.partial"] {
        let to = Server::start();
        symlink(&elsewhere, to.database().join(name)).unwrap();
        let output = restore(&[
            copies.path().as_os_str(),
            to.database().as_os_str(),
            "--force".as_ref(),
            "--flushed".as_ref(),
        ]);
        assert_code(&output, 1);
        assert!(text(&output.stderr).contains("symbolic link"), "{name}");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"precious", "{name}");
        assert!(to.database().join(name).is_symlink(), "{name}");
    }
}
