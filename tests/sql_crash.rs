//! A server that is killed in the midst of its work, and starts again with each
//! of the values of `myisam_recover_options`: readers give the rows that SQL
//! has, or say what is to be done; what is doubtful never reaches a copy.

mod effort;
mod server;

use effort::effort;
use emonfeed::backup::{self, Backup, CopyOptions, Done, RunOptions};
use emonfeed::query::{self, Point, Series};
use emonfeed::{Access, Error, Feed, Options, Status};
use server::{Rows, Server, oracle};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// A server's settings.
#[derive(Clone, Copy, Debug)]
struct Setting {
    recover: &'static str,
    late_keys: bool,
    maps: bool,
    options: &'static str,
}

/// All that the manual lists, and what people put together of it.
const RECOVER: [&str; 10] = [
    // What is built in.
    "BACKUP,QUICK",
    "OFF",
    "QUICK",
    "DEFAULT",
    "BACKUP",
    "FORCE",
    "BACKUP_ALL",
    "BACKUP,FORCE",
    "FORCE,QUICK",
    "DEFAULT,BACKUP_ALL",
];

/// What is going on in a table when the server dies.
struct Doing {
    statement: &'static str,
    /// Rows that were there before: one each 10 seconds, with their numbers.
    rows: u32,
    /// Whether it is at work, going by the file of the rows.
    has_begun: fn(&Path, &[u8]) -> bool,
    /// Whether rows that were there are touched.
    rewrites: bool,
}

const FIRST: i64 = 1_400_000_000;

/// Table `feed_N` is that of the one with the number N - 1.
const DOINGS: [Doing; 6] = [
    // Until three of the server's buffers are written, 389,120 bytes: 5 more than
    // whole rows. (Two would be whole rows by chance.)
    Doing {
        statement: "INSERT INTO feed_1 SELECT 1500000000 + seq, IF(seq = 45000, SLEEP(600), 5) \
                    FROM seq_1_to_46000",
        rows: 2_000,
        has_begun: |path, _| fs::metadata(path).unwrap().len() > 400_000,
        rewrites: false,
    },
    Doing {
        statement: "UPDATE feed_2 SET data = IF(time = 1400010000, SLEEP(600), data + 0.5)",
        rows: 2_000,
        has_begun: is_rewritten,
        rewrites: true,
    },
    Doing {
        statement: "DELETE FROM feed_3 WHERE IF(time = 1400010000, SLEEP(600), 0) = 0",
        rows: 2_000,
        has_begun: is_rewritten,
        rewrites: true,
    },
    // One into the places of rows that were deleted, and behind the last.
    Doing {
        statement: "INSERT INTO feed_4 SELECT 1500000000 + seq, IF(seq = 30000, SLEEP(600), 5) \
                    FROM seq_1_to_32000",
        rows: 2_000,
        has_begun: has_grown,
        rewrites: true,
    },
    Doing {
        statement: "REPAIR TABLE feed_5",
        rows: 30_000,
        has_begun: |path, _| path.with_extension("TMD").exists(),
        rewrites: false,
    },
    Doing {
        statement: "ALTER TABLE feed_6 ORDER BY data DESC",
        rows: 30_000,
        has_begun: |path, _| {
            let names = fs::read_dir(path.parent().unwrap()).unwrap();
            let mut names = names.filter_map(|entry| entry.ok());
            names.any(|entry| entry.file_name().to_string_lossy().starts_with("#sql"))
        },
        rewrites: false,
    },
];

fn has_grown(path: &Path, before: &[u8]) -> bool {
    fs::metadata(path).unwrap().len() > before.len() as u64
}

fn is_rewritten(path: &Path, before: &[u8]) -> bool {
    fs::read(path).unwrap()[..before.len()] != *before
}

fn table(doing: usize) -> String {
    format!("feed_{}", doing + 1)
}

fn read(path: &Path, access: Access) -> emonfeed::Result<Series> {
    let feed = Feed::open_with(path, Options { access, ..Options::default() })?;
    query::rows(&feed, i64::MIN, i64::MAX, 0)
}

fn is_same(one: &Series, other: &Series) -> bool {
    let bits = |p: &Point| (p.time, p.value.to_bits());
    one.points.iter().map(bits).eq(other.points.iter().map(bits))
}

/// What both ways of reading give, which is the same.
fn both(path: &Path, when: &str) -> emonfeed::Result<Series> {
    // Beside each other: they may both wait for a second.
    let answers = thread::scope(|scope| {
        [Access::Mmap, Access::Pread]
            .map(|access| scope.spawn(move || read(path, access)))
            .map(|reader| reader.join().expect("an answer"))
    });
    match answers {
        [Ok(one), Ok(other)] => {
            assert!(is_same(&one, &other), "{when}: mapped and not are different");
            Ok(one)
        }
        [Err(one), Err(other)] => {
            assert_eq!(one.status(), other.status(), "{when}: {one}; {other}");
            Err(one)
        }
        other => panic!("{when}: only one way fails: {other:?}"),
    }
}

/// The same of all tables, beside each other.
fn all(paths: &[PathBuf], when: &str) -> Vec<emonfeed::Result<Series>> {
    thread::scope(|scope| {
        let readers: Vec<_> =
            paths.iter().map(|path| scope.spawn(move || both(path, when))).collect();
        readers.into_iter().map(|reader| reader.join().expect("an answer")).collect()
    })
}

#[track_caller]
fn assert_says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

/// An error for a table that needs somebody to look after it says so, and the
/// file that it is about.
#[track_caller]
fn assert_helps(error: &Error, table: &str, when: &str) {
    assert_says(error, &[&format!("{table}.MY")]);
    match error.status() {
        Status::Changed => assert_says(error, &["ask again when its writer is done"]),
        Status::PhaseShifted => {
            // Where rows begin not to be rows, and what to do.
            assert_says(error, &["REPAIR TABLE", "save a copy", "are no multiple of"]);
        }
        Status::Crashed | Status::BadRow | Status::Damaged => {
            assert_says(error, &["REPAIR TABLE"]);
        }
        // Killed between two of the names that a rebuild gives.
        Status::NotFound | Status::MissingDefinition => {
            let missing =
                ["MYD", "MYI", "frm"].map(|extension| format!("{table}.{extension}"));
            assert!(
                missing.iter().any(|name| error.to_string().contains(name)),
                "{error}"
            );
        }
        other => panic!("{when}: {other:?}: {error}"),
    }
}

/// The rows that SQL has, or why it has none.
fn sql_rows(server: &mut Server, table: &str) -> Result<Rows, String> {
    oracle::prepare(server.main_client());
    let questions = [oracle::snapshot(table, false), oracle::rows(i64::MIN, i64::MAX, 0)];
    server.ask(&questions).map(|mut answers| answers.pop().expect("two answers"))
}

/// Has the file look as if it had been written to so long ago: what a server that
/// died a minute ago left half done is what there is.
fn age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

const AN_HOUR: u64 = 3600;

/// Whether all files of a table have their names.
fn is_complete(path: &Path) -> bool {
    ["MYD", "MYI", "frm"].iter().all(|extension| path.with_extension(extension).exists())
}

/// The copies of all tables, with a catalog and without.
struct Copies {
    folder: tempfile::TempDir,
    source: PathBuf,
    tally: BTreeMap<String, u32>,
}

impl Copies {
    fn new(source: PathBuf) -> Copies {
        let folder = tempfile::tempdir().unwrap();
        for d in 0..DOINGS.len() {
            fs::create_dir_all(folder.path().join("alone").join(table(d))).unwrap();
        }
        Copies { folder, source, tally: BTreeMap::new() }
    }

    fn catalogued(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn files(&self, table: &str) -> [PathBuf; 2] {
        let alone = self.folder.path().join("alone").join(table);
        [alone, self.catalogued()].map(|copies| copies.join(format!("{table}.MYD")))
    }

    /// Copies all tables. Those that are refused keep their copies as they
    /// were. Whether it copied each.
    fn update(&mut self, when: &str) -> Vec<[Result<(), Error>; 2]> {
        let held = |copies: &Copies| -> Vec<[Option<Vec<u8>>; 2]> {
            let of = |d| copies.files(&table(d)).map(|file| fs::read(file).ok());
            (0..DOINGS.len()).map(of).collect()
        };
        let before = held(self);
        let mut run = BTreeMap::new();
        let options = RunOptions { same_device: true, ..RunOptions::default() };
        let mut steps =
            Backup::open(&self.source, &self.catalogued(), options).expect("a run");
        while let Some(report) = steps.step(&mut |_, _| true).expect("a report") {
            let done = match report.done {
                Done::Copied(_) => Ok(()),
                Done::Failed(error) => Err(error),
                Done::SourceGone => {
                    let path = self.source.join(report.feed.file());
                    Err(Feed::open(path).map(drop).expect_err("rows without a file"))
                }
                other => panic!("{when}: {other}"),
            };
            run.insert(report.feed.table().to_owned(), done);
        }
        steps.close().expect("the end of a run");
        let whole = CopyOptions { whole: true, ..CopyOptions::default() };
        let alone = thread::scope(|scope| {
            let copying: Vec<_> = (0..DOINGS.len())
                .map(|d| {
                    let source = self.source.join(format!("{}.MYD", table(d)));
                    // Each has a lock on the folder it copies to.
                    let to = self.folder.path().join("alone").join(table(d));
                    let whole = &whole;
                    scope.spawn(move || backup::copy(&source, &to, whole, &mut |_| {}))
                })
                .collect();
            copying
                .into_iter()
                .map(|copy| copy.join().expect("a result"))
                .collect::<Vec<_>>()
        });
        let results: Vec<[Result<(), Error>; 2]> = (0..)
            .zip(alone)
            .map(|(d, alone)| {
                let done = run.remove(&table(d)).expect("a report of each table");
                [alone.map(drop), done]
            })
            .collect();
        for ((d, results), before) in (0..).zip(&results).zip(&before) {
            for ((result, file), before) in
                results.iter().zip(self.files(&table(d))).zip(before)
            {
                let name = match result {
                    Ok(()) => "copied".into(),
                    Err(error) => {
                        assert_helps(error, &table(d), when);
                        let same = fs::read(&file).ok() == *before;
                        assert!(same, "{when}: {error}, but {} changed", file.display());
                        format!("{:?}", error.status())
                    }
                };
                *self.tally.entry(name).or_default() += 1;
            }
        }
        results
    }
}

/// Kills a server, and looks at all tables from then on until they are repaired.
fn killed_and_started_again(setting: Setting) -> BTreeMap<String, u32> {
    let recover = format!("--myisam-recover-options={}", setting.recover);
    let late =
        format!("--delay-key-write={}", if setting.late_keys { "ALL" } else { "ON" });
    let maps = format!("--myisam-use-mmap={}", u8::from(setting.maps));
    let mut server = Server::start_with(&["--skip-innodb", &recover, &late, &maps]);
    println!("{setting:?}");
    let mut before = Vec::new();
    for (d, doing) in DOINGS.iter().enumerate() {
        let name = table(d);
        server.sql(&format!(
            "CREATE TABLE {name} (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM {};
             INSERT INTO {name} SELECT {FIRST} + 10 * seq, seq FROM seq_1_to_{}",
            setting.options, doing.rows
        ));
    }
    server.sql(&format!(
        "DELETE FROM feed_4 WHERE time BETWEEN {FIRST} + 500 AND {FIRST} + 900"
    ));
    server::settle();
    let mut copies = Copies::new(server.database());
    let copied = copies.update("before");
    assert!(copied.iter().flatten().all(Result::is_ok), "{copied:?}");
    for d in 0..DOINGS.len() {
        let path = server.rows_file(&table(d));
        let rows = both(&path, "before").expect("rows");
        before.push((path.clone(), fs::read(&path).unwrap(), rows));
    }
    let mut tally = BTreeMap::<String, u32>::new();
    let mut met = 0;
    thread::scope(|scope| {
        // The last two first wait for the others, which wait for long.
        for range in [0..4, 4..6] {
            for doing in &DOINGS[range.clone()] {
                let mut client = server.client();
                scope.spawn(move || {
                    let result = client.sql(doing.statement);
                    assert!(result.is_err() || doing.rows > 2_000, "{result:?}");
                });
            }
            let begun = Instant::now();
            for d in range {
                let (path, bytes, _) = &before[d];
                // A rebuild may be over before it is met.
                let may_be_over =
                    || d > 3 && begun.elapsed() > Duration::from_millis(300);
                while !(DOINGS[d].has_begun)(path, bytes) && !may_be_over() {
                    assert!(
                        begun.elapsed() < Duration::from_secs(60),
                        "{d} does not begin"
                    );
                    thread::sleep(Duration::from_micros(200));
                }
                met += u32::from(d > 3 && (DOINGS[d].has_begun)(path, bytes));
            }
        }
        server.crash();
    });
    tally.insert("rebuilds met".into(), met);

    let paths: Vec<PathBuf> = before.iter().map(|(path, ..)| path.clone()).collect();
    let mut look = |copies: &mut Copies, when: &str, is_recent: bool| {
        let when = format!("{setting:?}, {when}");
        // On a busy machine a minute is soon over.
        let refresh = || {
            for (d, path) in paths.iter().enumerate() {
                let shows = DOINGS[d].rewrites && !(setting.maps && d < 3);
                if is_recent && shows {
                    age(path, 0);
                }
            }
        };
        refresh();
        let copied = copies.update(&when);
        refresh();
        let got = all(&paths, &when);
        for (d, (result, got)) in copied.into_iter().zip(got).enumerate() {
            let (_, bytes, rows) = &before[d];
            let name = table(d);
            let said = match &got {
                Ok(_) => "rows".into(),
                Err(error) => {
                    assert_helps(error, &name, &when);
                    format!("{:?}", error.status())
                }
            };
            *tally.entry(format!("{name} down {said}")).or_default() += 1;
            if !is_complete(&paths[d]) {
                assert!(d > 3 && got.is_err(), "{when}: {name} has lost a file");
            } else if DOINGS[d].rewrites {
                // Whole rows, of before or after. With a server that maps its
                // files, nothing tells that it was at work.
                let tells = is_recent && !(setting.maps && d < 3);
                assert!(got.is_err() || !tells, "{when}: {name} is half done");
                let points = got.map(|series| series.points).unwrap_or_default();
                let old: BTreeSet<i64> = rows.points.iter().map(|p| p.time).collect();
                for Point { time, value } in points {
                    let number = (time - FIRST) as f64 / 10.0;
                    let right = (old.contains(&time)
                        && [number, number + 0.5].contains(&value))
                        || (d == 3 && time > 1_500_000_000 && value == 5.0);
                    assert!(right, "{when}: {name} has {value} at {time}");
                }
            } else {
                assert!(
                    got.unwrap_or_else(|e| panic!("{when}: {name}: {e}")).points
                        == rows.points,
                    "{when}"
                );
                for (result, file) in result.into_iter().zip(copies.files(&name)) {
                    result.unwrap_or_else(|e| panic!("{when}: {name}: {e}"));
                    // The order of a rebuild that was over is another one.
                    assert!(
                        d == 5 || fs::read(file).unwrap() == *bytes,
                        "{when}: {name}"
                    );
                }
            }
        }
    };
    look(&mut copies, "while it is down", true);
    // After a minute, what is left is what there is.
    paths.iter().filter(|path| path.exists()).for_each(|path| age(path, AN_HOUR));
    look(&mut copies, "down for long", false);
    // As an administrator would: the new rows are there, without their name.
    let unnamed = paths[4].with_extension("TMD");
    if !paths[4].exists() && unnamed.exists() {
        fs::rename(unnamed, &paths[4]).unwrap();
    }
    server.restart();
    look(&mut copies, "before it has looked at the tables", false);

    let written = "INSERT INTO {} VALUES (1600000000, 7), (1600000010, NULL)";
    for when in ["looked at", "written to"] {
        for d in 0..DOINGS.len() {
            let name = table(d);
            match when {
                // Opening it is what has it recovered; its errors are the server's.
                "looked at" => {
                    drop(server.try_sql(&format!("SELECT COUNT(*) FROM {name}")))
                }
                _ => drop(server.try_sql(&written.replace("{}", &name))),
            }
            server.sql(&format!("FLUSH TABLES {name}"));
        }
        let when = format!("{setting:?}, when it has {when} them");
        let copied = copies.update(&when);
        for (d, copied) in copied.into_iter().enumerate() {
            let (name, path) = (table(d), &paths[d]);
            let expected = sql_rows(&mut server, &name);
            server.sql(&format!("FLUSH TABLES {name}"));
            let mut got = both(path, &when);
            let mut said = String::new();
            if got.as_ref().is_err_and(|error| error.status() == Status::Changed) {
                said = "Changed, then ".into();
                age(path, AN_HOUR);
                got = both(path, &when);
            }
            match (&got, &expected) {
                (Ok(series), Ok(rows)) => {
                    let difference = oracle::difference(series, &oracle::points(rows, 0));
                    assert!(difference.is_none(), "{when}: {name}: {difference:?}");
                    said += "as SQL";
                }
                (Ok(_), Err(refused)) => panic!("{when}: {name}: SQL says {refused}"),
                (Err(error), answer) => {
                    assert_helps(error, &name, &when);
                    said += &format!("{:?}", error.status());
                    said += if answer.is_ok() {
                        ", of which SQL gives rows"
                    } else {
                        ", and SQL refuses"
                    };
                    // Nothing of that reached a copy: see `update`.
                    assert!(copied.iter().all(Result::is_err), "{when}: {name}: {error}");
                }
            }
            *tally.entry(format!("{name} up {said}")).or_default() += 1;
        }
    }

    for d in 0..DOINGS.len() {
        let answer = server.sql(&format!("REPAIR TABLE {}", table(d)));
        assert_eq!(answer.last().unwrap()[3].as_deref(), Some("OK"), "{answer:?}");
    }
    server::settle();
    let when = format!("{setting:?}, repaired");
    for (d, copied) in copies.update(&when).into_iter().enumerate() {
        let (name, (path, first, _)) = (table(d), &before[d]);
        copied.into_iter().for_each(|copied| copied.expect("a copy of a repaired table"));
        let expected = sql_rows(&mut server, &name).expect("the rows");
        let got = both(path, &when).unwrap_or_else(|e| panic!("{when}: {name}: {e}"));
        let difference = oracle::difference(&got, &oracle::points(&expected, 0));
        assert!(difference.is_none(), "{when}: {name}: {difference:?}");
        for file in copies.files(&name) {
            assert!(
                fs::read(&file).unwrap() == fs::read(path).unwrap(),
                "{when}: {name}"
            );
            // What was copied before the crash is there, or kept.
            let beside = fs::read_dir(file.parent().unwrap()).unwrap();
            let mut beside = beside.map(|entry| entry.unwrap().path());
            let kept = beside.any(|other| {
                let is_its = other
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with(&format!("{name}.MYD"));
                is_its && fs::read(other).unwrap().starts_with(first)
            });
            assert!(
                kept || is_kept_as_edit(&copies.catalogued(), &name, first),
                "{when}: {name}"
            );
        }
    }
    tally.extend(copies.tally.into_iter().map(|(name, n)| (format!("copies {name}"), n)));
    println!("{tally:?}");
    tally
}

/// Whether some state that the catalog keeps begins with these bytes.
fn is_kept_as_edit(copies: &Path, table: &str, bytes: &[u8]) -> bool {
    let all = backup::kept_states(copies, &backup::RestoreOptions::default()).unwrap();
    let (_, states) = all.iter().find(|(feed, _)| feed.table() == table).unwrap();
    states.iter().any(|state| {
        let target = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
            .args(["restore", "--quiet", "--only", table])
            .args(["--generation", &state.number.to_string()])
            .args([copies, target.path()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let restored = fs::read(target.path().join(format!("{table}.MYD"))).unwrap();
        restored.starts_with(bytes)
    })
}

fn all_with(options: &'static str, turn: usize) {
    let mut settings = Vec::new();
    let recovers = &RECOVER[..effort(7, RECOVER.len())];
    for (i, recover) in recovers.iter().enumerate() {
        // By turns in a short test.
        for n in effort(vec![(i / 2 + turn) % 4], vec![0, 1, 2, 3]) {
            let (late_keys, maps) = (n % 2 == 1, n >= 2);
            settings.push(Setting { recover, late_keys, maps, options });
        }
    }
    let settings: Vec<Setting> =
        settings.into_iter().skip(turn).step_by(effort(2, 1)).collect();
    let mut tally = BTreeMap::<String, u32>::new();
    // They wait most of the time.
    for together in settings.chunks(5) {
        thread::scope(|scope| {
            let running: Vec<_> = together
                .iter()
                .map(|setting| scope.spawn(move || killed_and_started_again(*setting)))
                .collect();
            for (setting, one) in together.iter().zip(running) {
                let one = one.join().unwrap_or_else(|_| panic!("see above: {setting:?}"));
                one.into_iter()
                    .for_each(|(name, n)| *tally.entry(name).or_default() += n);
            }
        });
    }
    println!("in all: {tally:?}");
    // The quick recoveries are among them: what they make of it has to be met.
    if options.is_empty() {
        assert!(tally.contains_key("copies PhaseShifted"), "{tally:?}");
    }
}

#[test]
fn a_server_is_killed_at_work() {
    all_with("", 0);
}

#[test]
fn a_server_is_killed_at_work_on_tables_with_checksums() {
    all_with("CHECKSUM=1", effort(1, 0));
}
