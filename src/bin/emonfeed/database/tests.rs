//! Dumps of a private server, and what becomes of them when things fail.

use super::*;
use crate::server::{Rows, Server};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// emoncms's tables, shortened, with what is hard to carry; two feeds; and what
/// is named almost like a feed.
const TABLES: &str = r"
    SET NAMES utf8mb4;
    CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, username VARCHAR(30), bio TEXT,
        password VARBINARY(64), image BLOB, UNIQUE (username)) ENGINE=MyISAM CHARSET=utf8mb4;
    INSERT INTO users VALUES (1, 'Zoë 🔌', 'a\'b\\c\nd\te\0f', 0x00FF5C27, 0x00010A0D1A5C2722FFFE),
        (2, 'NULL', NULL, NULL, NULL), (3, '', '-- Dump completed', '', '');
    CREATE TABLE feeds (id INT PRIMARY KEY, name TEXT, time INT UNSIGNED, value DOUBLE)
        ENGINE=InnoDB CHARSET=utf8mb3;
    INSERT INTO feeds VALUES (1, 'kWh', 4294967295, 1234567.8912345678), (2, 'W', NULL, -1e-300);
    CREATE TABLE input (id INT PRIMARY KEY, value FLOAT, b BIT(9)) ENGINE=MEMORY;
    INSERT INTO input VALUES (1, 0.1, 257), (2, 123456, NULL);
    CREATE TABLE dashboard (id INT PRIMARY KEY, content MEDIUMTEXT) ENGINE=MyISAM CHARSET=latin1;
    INSERT INTO dashboard SELECT seq, REPEAT(CHAR(seq), 70000) FROM seq_1_to_255;
    CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, UNIQUE (time)) ENGINE=MyISAM;
    CREATE TABLE feed_22 LIKE feed_1;
    INSERT INTO feed_1 VALUES (1, 1);
    CREATE TABLE feed_ (id INT);
    CREATE TABLE feed_1x (id INT);
    CREATE TABLE `Feed_3` (id INT);
    CREATE TABLE `NULL` (id INT);
    CREATE TABLE `-a ``b'c` (id INT);
    CREATE DEFINER = root@localhost VIEW names AS SELECT username FROM users;
    CREATE DEFINER = root@localhost TRIGGER t BEFORE INSERT ON users FOR EACH ROW SET NEW.bio = 'new';
";
const DUMPED: [&str; 9] = [
    "-a `b'c",
    "Feed_3",
    "NULL",
    "dashboard",
    "feed_",
    "feed_1x",
    "feeds",
    "input",
    "users",
];

struct Setting {
    server: Server,
    dir: TempDir,
}

impl Setting {
    fn new(sql: &str) -> Setting {
        let mut server = if sql.contains("InnoDB") {
            Server::start_with(&["--innodb-buffer-pool-size=8M"])
        } else {
            Server::start()
        };
        server.sql(sql);
        let setting = Setting { server, dir: tempfile::tempdir().unwrap() };
        fs::create_dir(setting.copies()).unwrap();
        setting.option_file(&setting.server.folder().join("s"), "");
        setting
    }

    fn copies(&self) -> PathBuf {
        self.dir.path().join("copies")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("my.cnf")
    }

    fn option_file(&self, socket: &Path, more: &str) {
        let text = format!("[client]\nuser=root\nsocket={}\n{more}", socket.display());
        fs::write(self.file(), text).unwrap();
    }

    /// The usual option file, with further options of the dump program.
    fn dump_options(&self, more: &str) {
        let more = format!("[mysqldump]\n{more}\n");
        self.option_file(&self.server.folder().join("s"), &more);
    }

    fn client(&self) -> Client {
        Client { defaults_file: Some(self.file()) }
    }

    fn what(&self) -> Dump {
        Dump {
            database: "emoncms".into(),
            defaults_file: Some(self.file()),
            prefix: "feed_".into(),
            keep: 7,
        }
    }

    fn dump(&self) -> Result<Dumped, String> {
        dump(&self.what(), &self.copies())
    }

    /// Dumps, which must fail and leave the directory as it was.
    #[track_caller]
    fn fails(&self) -> String {
        let held = "database-20200101T000000Z.sql.zst";
        fs::write(self.copies().join(held), "held").unwrap();
        let message = dump(&Dump { keep: 1, ..self.what() }, &self.copies()).unwrap_err();
        assert_eq!(names(&self.copies()), [held]);
        assert_eq!(fs::read(self.copies().join(held)).unwrap(), b"held");
        message
    }

    /// What a dump says.
    fn text(&self, dumped: &Dumped) -> String {
        let file = fs::File::open(self.copies().join(&dumped.name)).unwrap();
        String::from_utf8(zstd::decode_all(file).unwrap()).unwrap()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// As long as a statement about them may be.
fn big_table(server: &mut Server, megabytes: u32) {
    server.sql(&format!(
        "CREATE TABLE graph (id INT PRIMARY KEY, data BLOB) ENGINE=MyISAM;
         INSERT INTO graph SELECT seq, RANDOM_BYTES(1024) FROM seq_1_to_{}",
        megabytes * 1024
    ));
}

#[test]
fn a_dump_brings_every_table_back_but_those_of_feeds() {
    let mut setting = Setting::new(TABLES);
    let dumped = setting.dump().unwrap();
    // And the view.
    assert_eq!(dumped.tables, DUMPED.len() + 1);
    assert_eq!(dumped.removed, [""; 0]);
    assert_eq!(names(&setting.copies()), [dumped.name.as_str()]);
    assert!(is_dump(dumped.name.as_bytes()), "{}", dumped.name);
    let file = fs::metadata(setting.copies().join(&dumped.name)).unwrap();
    assert_eq!((file.len(), file.mode() & 0o777), (dumped.bytes, 0o600));

    let dump = setting.text(&dumped);
    assert!(!dump.contains("`feed_1`") && !dump.contains("`feed_22`"));
    setting.server.sql("CREATE DATABASE other");
    client::query(&setting.client(), "other", &dump).unwrap();
    let tables = setting.server.sql(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'other' AND \
         TABLE_TYPE = 'BASE TABLE' ORDER BY CAST(TABLE_NAME AS BINARY)",
    );
    let null = || "NULL".to_owned();
    let tables: Vec<_> =
        tables.into_iter().flatten().map(|name| name.unwrap_or_else(null)).collect();
    assert_eq!(tables, DUMPED);
    for table in DUMPED {
        let table = table.replace('`', "``");
        let mut of = |database: &str| -> Rows {
            let checksum = format!("CHECKSUM TABLE {database}.`{table}`");
            let checksum = setting.server.sql(&checksum)[0][1].clone();
            let definition = format!("SHOW CREATE TABLE {database}.`{table}`");
            vec![vec![checksum], setting.server.sql(&definition).swap_remove(0)]
        };
        assert_eq!(of("other"), of("emoncms"), "{table}");
    }
    setting.server.sql("INSERT INTO other.users (username) VALUES ('x')");
    let bio = setting.server.sql(
        "SELECT bio FROM other.users JOIN other.names USING (username) WHERE username = 'x'",
    );
    assert_eq!(bio, [[Some("new".to_owned())]]);
}

#[test]
fn names_that_look_like_options_are_names() {
    let mut setting = Setting::new("CREATE DATABASE `--help`");
    setting.server.sql("CREATE TABLE `--help`.`--version` (id INT)");
    let what = Dump { database: "--help".into(), ..setting.what() };
    let dumped = dump(&what, &setting.copies()).unwrap();
    assert!(setting.text(&dumped).contains("CREATE TABLE `--version`"));
}

#[test]
fn a_table_of_another_prefix_is_no_feed() {
    let setting = Setting::new("CREATE TABLE feed_1 (id INT); CREATE TABLE f5 (id INT)");
    let what = Dump { prefix: "f".into(), ..setting.what() };
    let dumped = dump(&what, &setting.copies()).unwrap();
    let dump = setting.text(&dumped);
    assert!(dump.contains("CREATE TABLE `feed_1`") && !dump.contains("`f5`"));
}

#[test]
fn nothing_to_dump_is_a_failure_and_no_dump_of_everything() {
    let setting = Setting::new("CREATE TABLE feed_1 (id INT)");
    let message = setting.fails();
    assert!(message.contains("no tables besides those of feeds"), "{message}");
    let what = Dump { database: "emoncm".into(), ..setting.what() };
    let message = dump(&what, &setting.copies()).unwrap_err();
    assert!(
        message.starts_with("the database emoncm is not dumped: mariadb failed")
            && message.contains("Unknown database 'emoncm'"),
        "{message}"
    );
}

#[test]
fn a_server_that_is_not_there_leaves_all_as_it_was() {
    let setting = Setting::new(TABLES);
    setting.option_file(&setting.dir.path().join("nobody"), "");
    let message = setting.fails();
    assert!(message.contains("Can't connect to local server"), "{message}");
    let what =
        Dump { defaults_file: Some("/nonexistent/my.cnf".into()), ..setting.what() };
    let message = dump(&what, &setting.copies()).unwrap_err();
    assert!(message.contains("/nonexistent/my.cnf"), "{message}");
    let message = dump(&setting.what(), Path::new("/nonexistent")).unwrap_err();
    assert!(message.contains("cannot open the directory /nonexistent"), "{message}");
}

#[test]
fn a_server_killed_in_the_middle_leaves_all_as_it_was() {
    let mut setting = Setting::new(TABLES);
    big_table(&mut setting.server, 64);
    let copies = setting.copies();
    let held = "database-20200101T000000Z.sql.zst";
    fs::write(copies.join(held), "held").unwrap();
    let what = Dump { keep: 1, ..setting.what() };
    let dumping = std::thread::spawn({
        let copies = copies.clone();
        move || dump(&what, &copies)
    });
    let begun = Instant::now();
    let is_written = || {
        fs::read_dir(&copies).unwrap().any(|entry| {
            let entry = entry.unwrap();
            is_partial(entry.file_name().as_encoded_bytes())
                && entry.metadata().is_ok_and(|meta| meta.len() > 1 << 20)
        })
    };
    while !is_written() {
        assert!(begun.elapsed() < Duration::from_secs(60) && !dumping.is_finished());
        std::thread::sleep(Duration::from_millis(1));
    }
    setting.server.crash();
    let message = dumping.join().unwrap().unwrap_err();
    assert!(message.contains("mariadb-dump failed"), "{message}");
    assert!(message.contains("Lost connection"), "{message}");
    assert_eq!(names(&copies), [held]);
    assert_eq!(fs::read(copies.join(held)).unwrap(), b"held");
    setting.server.restart();
    setting.server.sql("DROP TABLE graph");
    let dumped = setting.dump().unwrap();
    assert_eq!(names(&copies), [held, dumped.name.as_str()]);
}

#[test]
fn a_dump_whose_program_complains_is_none() {
    // It goes on to the end, for it was told to.
    let mut setting = Setting::new(TABLES);
    setting.server.sql("ALTER TABLE users RENAME u");
    setting.dump_options("force");
    let message = setting.fails();
    assert!(message.contains("names"), "{message}");
}

#[test]
fn a_dump_without_its_end_is_none() {
    let setting = Setting::new(TABLES);
    setting.dump_options(&format!(
        "result-file={}",
        setting.dir.path().join("elsewhere").display()
    ));
    let message = setting.fails();
    assert!(message.contains("has no end"), "{message}");
}

#[test]
fn option_files_of_their_users_take_nothing_away() {
    let setting = Setting::new(TABLES);
    let usual = setting.text(&setting.dump().unwrap());
    let socket = setting.server.folder().join("s");
    setting.option_file(
        &socket,
        "[mysql]\nsafe-updates\nselect_limit=2\ntable\nhtml\nxml\nraw\nvertical\n\
         [mysqldump]\nno-data\nno-create-info\ncompact\nskip-opt\nskip-comments\n\
         skip-triggers\nlock-all-tables\nsingle-transaction\nskip-quick\n\
         default-character-set=latin1\n",
    );
    let dumped = setting.dump().unwrap();
    let text = setting.text(&dumped);
    let undated = |text: &str| text.rsplit_once(" on ").unwrap().0.to_owned();
    assert!(undated(&text) == undated(&usual));
}

/// Pairs of tables that are counted up one after the other, with something
/// long to dump between them.
fn torn(engines: [&str; 2]) -> bool {
    let [a, b] = engines;
    let mut setting = Setting::new(&format!(
        "CREATE TABLE aaa (n INT) ENGINE={a}; INSERT INTO aaa VALUES (0);
         CREATE TABLE zzz (n INT) ENGINE={b}; INSERT INTO zzz VALUES (0);"
    ));
    big_table(&mut setting.server, 4);
    setting.server.sql(&format!("ALTER TABLE graph ENGINE={a}"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut writer = setting.server.client();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                writer.sql("UPDATE aaa SET n = n + 1; UPDATE zzz SET n = n + 1").unwrap();
            }
        });
        std::thread::sleep(Duration::from_millis(50));
        let dumped = setting.dump();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let dump = setting.text(&dumped.unwrap());
        let count = |table: &str| -> i64 {
            let insert = format!("INSERT INTO `{table}` VALUES\n(");
            let rows = &dump[dump.find(&insert).unwrap() + insert.len()..];
            rows.split(')').next().unwrap().parse().unwrap()
        };
        let (first, second) = (count("aaa"), count("zzz"));
        assert!(second > 10, "the writer did not write");
        !(0..=1).contains(&(first - second))
    })
}

#[test]
fn all_tables_are_of_one_moment() {
    for engines in [["MyISAM", "MyISAM"], ["InnoDB", "MyISAM"], ["InnoDB", "InnoDB"]] {
        assert!(!torn(engines), "{engines:?}");
    }
}

#[test]
fn writers_to_transactional_tables_are_not_held_up() {
    let mut setting = Setting::new("CREATE TABLE users (n INT) ENGINE=InnoDB");
    let what = setting.what();
    let transactional = || Tables::find(&setting.client(), &what).unwrap().transactional;
    assert!(transactional());
    let _ = setting.server.sql(
        "CREATE TABLE feed_1 (n INT) ENGINE=MyISAM; CREATE VIEW v AS SELECT n FROM users",
    );
    assert!(Tables::find(&setting.client(), &what).unwrap().transactional);
    setting.server.sql("CREATE TABLE feeds (n INT) ENGINE=MyISAM");
    assert!(!Tables::find(&setting.client(), &what).unwrap().transactional);
}

#[test]
fn the_last_dumps_are_kept_and_what_only_looks_like_one() {
    let setting = Setting::new("CREATE TABLE users (n INT)");
    let others = [
        "database-20200101T000000Z.sql",
        "database-20200101T000000Z.sql.zst.old",
        "database-20200101T00000Z.sql.zst",
        "database-2020010aT000000Z.sql.zst",
        "database-20200101 000000Z.sql.zst",
        "mydatabase-20200101T000000Z.sql.zst",
        "feed_7.MYD",
    ];
    let dated = |year: u32| format!("database-{year}0101T000000Z.sql.zst");
    let copies = setting.copies();
    for name in others {
        fs::write(copies.join(name), "").unwrap();
    }
    // A directory, and a link to something, of a dump's name.
    fs::create_dir(copies.join(dated(2001))).unwrap();
    symlink(setting.file(), copies.join(dated(2002))).unwrap();
    for year in [2010, 2011, 2012, 2013, 9999] {
        fs::write(copies.join(dated(year)), "").unwrap();
    }
    let kept = |dumped: &Dumped, years: &[u32]| {
        let mut names: Vec<_> = others.map(String::from).to_vec();
        names.extend([2001, 2002].map(dated));
        names.extend(years.iter().map(|&year| dated(year)));
        names.push(dumped.name.clone());
        names.sort();
        names
    };
    let run = |keep| dump(&Dump { keep, ..setting.what() }, &copies).unwrap();
    let first = run(4);
    assert_eq!(first.removed, [2010, 2011].map(dated));
    assert_eq!(names(&copies), kept(&first, &[2012, 2013, 9999]));
    fs::remove_file(copies.join(&first.name)).unwrap();
    let second = run(4);
    assert_eq!(second.removed, [""; 0]);
    // The new one stays, whatever the clocks said.
    for keep in [1, 0] {
        fs::remove_file(
            copies.join(
                names(&copies)
                    .iter()
                    .find(|name| {
                        is_dump(name.as_bytes())
                            && name.as_str() > dated(2020).as_str()
                            && **name != dated(9999)
                    })
                    .unwrap(),
            ),
        )
        .unwrap();
        let third = run(keep);
        assert_eq!(names(&copies), kept(&third, &[]));
    }
}

#[test]
fn a_link_planted_where_the_dump_is_written_is_not_followed() {
    let setting = Setting::new("CREATE TABLE users (n INT)");
    let victim = setting.dir.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let missing = setting.dir.path().join("missing");
    let now = jiff::Timestamp::now();
    for (target, begin) in [(&victim, 0), (&missing, 3)] {
        while jiff::Timestamp::now().as_second() < now.as_second() + begin {
            std::thread::sleep(Duration::from_millis(10));
        }
        let links: Vec<_> = (begin..begin + 3)
            .map(|second| {
                let at = jiff::Timestamp::from_second(now.as_second() + second).unwrap();
                let name = at.strftime(".database-%Y%m%dT%H%M%SZ.sql.zst.partial");
                setting.copies().join(name.to_string())
            })
            .collect();
        for link in &links {
            symlink(target, link).unwrap();
        }
        let message = setting.dump().unwrap_err();
        assert!(message.contains("File exists"), "{message}");
        for link in &links {
            fs::remove_file(link).unwrap();
        }
    }
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert!(!missing.exists());
}

#[test]
fn what_a_killed_run_left_goes() {
    let setting = Setting::new("CREATE TABLE users (n INT)");
    let left = ".database-20200101T000000Z.sql.zst.partial";
    fs::write(setting.copies().join(left), "half").unwrap();
    let other = ".feed_7.MYD.partial";
    fs::write(setting.copies().join(other), "").unwrap();
    let dumped = setting.dump().unwrap();
    assert_eq!(names(&setting.copies()), [other, dumped.name.as_str()]);
}

/// Not a test, but what the next ones run in a process of its own.
#[test]
fn helper() {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let (Some(file), Some(copies)) = (of("DUMP_OPTION_FILE"), of("DUMP_COPIES")) {
        let what = Dump {
            database: "emoncms".into(),
            defaults_file: Some(file),
            prefix: "feed_".into(),
            keep: 1,
        };
        println!("{:?}", dump(&what, &copies));
    }
}

/// Dumps in a shell of its own.
fn in_shell(setting: &Setting, around: &[&str], script: &str) -> Output {
    let program = std::env::current_exe().unwrap();
    Command::new(around[0])
        .args(&around[1..])
        .args(["bash", "-c", script])
        .arg(program)
        .args(["--exact", "--nocapture", "database::tests::helper"])
        .env("DUMP_OPTION_FILE", setting.file())
        .env("DUMP_COPIES", setting.copies())
        .stdin(Stdio::null())
        .output()
        .expect("a shell runs")
}

#[test]
fn a_full_disk_leaves_all_as_it_was() {
    let mut setting = Setting::new(TABLES);
    big_table(&mut setting.server, 4);
    let held = "database-20200101T000000Z.sql.zst";
    fs::write(setting.copies().join(held), "held").unwrap();

    // A limit on the length of files.
    let limited = "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"";
    let output = in_shell(&setting, &["env"], limited);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Err(") && said.contains("File too large"), "{output:?}");
    assert_eq!(names(&setting.copies()), [held]);

    // A disk of 1 MiB, in a mount namespace of its own.
    let disk = r#"
        mount -t tmpfs -o size=1M none "$DUMP_COPIES" &&
        echo held >"$DUMP_COPIES/database-20200101T000000Z.sql.zst" &&
        "$0" "$@" && ls -A "$DUMP_COPIES" | tr '\n' ' ' && cat "$DUMP_COPIES"/*"#;
    let as_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let around: &[&str] = if as_root {
        &["unshare", "--mount"]
    } else {
        &["unshare", "--mount", "--map-root-user"]
    };
    let output = in_shell(&setting, around, disk);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.starts_with("unshare:") || stderr.starts_with("mount:") {
        eprintln!("NOT TESTED, for want of a disk to fill: {stderr}");
        return;
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Err(") && said.contains("No space left"), "{output:?}");
    assert!(said.ends_with(&format!("{held} held\n")), "{said}");

    let output = in_shell(&setting, &["env"], "exec \"$0\" \"$@\"");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("Ok(") && said.contains(held), "{output:?}");
}
