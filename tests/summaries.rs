//! What is remembered of rows between queries, and kept between processes:
//! never an answer that reading all rows would not give, and no reading where
//! there is proof.

mod server;

use emonfeed::query::{self, Aggregate, Flags, Series};
use emonfeed::{Access, Evidence, Feed, Options, Status};
use server::{Client, Server, settle};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const ROWS: u64 = 40_000;

/// A table with so many rows that a summary of it is kept.
fn table(server: &mut Server, name: &str, options: &str) -> PathBuf {
    server.sql(&format!(
        "CREATE TABLE {name} (time INT UNSIGNED, data FLOAT, INDEX(time)) ENGINE=MyISAM {options}"
    ));
    server.sql(&format!(
        "INSERT INTO {name} SELECT 1000000 + 5 * seq, seq % 977 / 10 FROM seq_1_to_{ROWS}"
    ));
    server.rows_file(name)
}

fn open(path: &Path, options: Options) -> Feed {
    Feed::open_with(path, options).unwrap()
}

fn with(evidence: Evidence) -> Options {
    Options { evidence, access: Access::Pread, ..Options::default() }
}

/// Everything that a summary has a part in.
fn answers(feed: &Feed) -> Vec<Series> {
    let (start, end) = (999_000, 1_000_000 + 5 * ROWS as i64 + 50_000);
    let mut all = Vec::new();
    for aggregate in Aggregate::ALL {
        for interval in [331, 7_001, 500_000] {
            let flags = Flags::TRUE_TIME;
            let answer = query::windows(feed, start, end, interval, aggregate, flags);
            all.push(answer.unwrap_or_else(|e| panic!("{feed:?}: {e}")));
        }
    }
    all
}

fn bits(answers: &[Series]) -> Vec<(i64, u64)> {
    let points = answers.iter().flat_map(|series| &series.points);
    points.map(|point| (point.time, point.value.to_bits())).collect()
}

/// All of `feeds` answer what reading all rows anew does.
#[track_caller]
fn assert_right(path: &Path, feeds: &[Feed], when: &str) {
    let strict = bits(&answers(&open(path, with(Evidence::Nothing))));
    for feed in feeds {
        assert!(bits(&answers(feed)) == strict, "{when}: {feed:?} answers otherwise");
    }
}

/// Bytes this thread has read through system calls: a feed that is not mapped
/// shows there how much of it was read.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.unwrap().parse().unwrap()
}

/// How many bytes answering takes.
fn cost(feed: &Feed) -> u64 {
    let before = bytes_read();
    let (start, end) = (1_000_000, 1_000_000 + 5 * ROWS as i64);
    query::windows(feed, start, end, 20_000, Aggregate::Average, Flags::NONE).unwrap();
    bytes_read() - before
}

/// As the header has them: rows, statements, and who counted these.
fn counters(path: &Path) -> (u64, u32, u64) {
    let head = fs::read(path.with_extension("MYI")).unwrap();
    let u32_at = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_be_bytes(head[at..at + 8].try_into().unwrap());
    (u64_at(44), u32_at(120), u64_at(108))
}

fn run(client: &mut Client, statements: &[&str]) {
    for statement in statements {
        client.sql(statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

#[test]
fn only_new_rows_are_read_where_there_is_proof() {
    let mut server = Server::start();
    let plain = table(&mut server, "feed_1", "");
    let checked = table(&mut server, "feed_2", "CHECKSUM=1");
    settle();
    let feeds = [
        (&plain, with(Evidence::Checksum), false),
        (&plain, with(Evidence::Counters), true),
        (&plain, with(Evidence::Nothing), false),
        (&checked, with(Evidence::Checksum), true),
        (&checked, with(Evidence::Counters), true),
        (&checked, with(Evidence::Nothing), false),
    ];
    let opened = feeds.map(|(path, options, spared)| (path, open(path, options), spared));
    for (path, feed, _) in &opened {
        assert!(cost(feed) > fs::metadata(path).unwrap().len(), "the first answer");
        assert!(cost(feed) < 100_000, "nothing was written");
    }
    for round in 0..3 {
        for name in ["feed_1", "feed_2"] {
            let time = 1_000_000 + 5 * ROWS + 5 * (round + 1);
            server.sql(&format!("INSERT INTO {name} VALUES ({time}, {round})"));
        }
        settle();
        for (path, feed, spared) in &opened {
            let size = fs::metadata(path).unwrap().len();
            let cost = cost(feed);
            if *spared {
                assert!(cost < 100_000, "{feed:?} read {cost} bytes for one new row");
            } else {
                assert!(cost > size, "{feed:?} read {cost} of {size} bytes");
            }
        }
        for (path, feed, _) in &opened {
            assert_right(path, std::slice::from_ref(feed), "a row was added");
        }
    }
}

/// The figures of as many single inserts, and an old row is another one.
#[test]
fn edits_that_look_like_appends() {
    let mut server = Server::start();
    for (name, options) in [("feed_1", ""), ("feed_2", "CHECKSUM=1")] {
        let path = table(&mut server, name, options);
        settle();
        let feeds = [Access::Mmap, Access::Pread]
            .map(|access| open(&path, Options { access, ..Options::default() }));
        assert_right(&path, &feeds, "new");

        let time = 1_000_000 + 5 * ROWS;
        let mut here = server.client();
        run(&mut here, &[&format!("INSERT INTO {name} VALUES ({}, 1)", time + 5)]);
        settle();
        assert_right(&path, &feeds, "one row");
        let before = counters(&path);
        run(
            &mut here,
            &[
                &format!(
                    "INSERT INTO {name} VALUES ({}, 1), ({}, 2)",
                    time + 10,
                    time + 15
                ),
                &format!("UPDATE {name} SET data = 5000 WHERE time = 1000500"),
            ],
        );
        let after = counters(&path);
        assert_eq!((before.0 + 2, before.1 + 2, before.2), after, "the hazard is there");
        settle();
        assert_right(&path, &feeds, "a bulk insert and an update");

        // The time of a row far inside, and a bulk insert.
        run(
            &mut here,
            &[
                &format!(
                    "INSERT INTO {name} VALUES ({}, 1), ({}, 2)",
                    time + 20,
                    time + 25
                ),
                &format!("UPDATE {name} SET time = time + 1000 WHERE time = 1001000"),
            ],
        );
        settle();
        assert_right(&path, &feeds, "a row moved");

        // Each connection counts its own statements, if both have the table
        // open at once.
        let mut other = server.client();
        run(&mut here, &[&format!("HANDLER {name} OPEN")]);
        run(&mut other, &[&format!("INSERT INTO {name} VALUES ({}, 3)", time + 30)]);
        settle();
        assert_right(&path, &feeds, "another connection");
        let before = counters(&path);
        run(
            &mut here,
            &[&format!("UPDATE {name} SET data = -4000 WHERE time = 1002000")],
        );
        run(&mut other, &[&format!("INSERT INTO {name} VALUES ({}, 3)", time + 35)]);
        let after = counters(&path);
        assert_eq!(before.0 + 1, after.0);
        settle();
        assert_right(&path, &feeds, "an update between two inserts");
        run(&mut here, &[&format!("HANDLER {name} CLOSE")]);
    }
}

/// The live checksum is a sum: it does not know where rows lie.
#[test]
fn rows_put_back_in_other_places() {
    let mut server = Server::start();
    let path = table(&mut server, "feed_1", "CHECKSUM=1");
    settle();
    let feed = open(&path, Options::default());
    let before = fs::read(&path).unwrap();
    assert_right(&path, std::slice::from_ref(&feed), "new");
    server.sql(
        "CREATE TABLE day SELECT * FROM feed_1 WHERE time BETWEEN 1010000 AND 1030000",
    );
    server.sql("DELETE FROM feed_1 WHERE time BETWEEN 1010000 AND 1030000");
    server.sql("INSERT INTO feed_1 SELECT * FROM day ORDER BY time");
    settle();
    let after = fs::read(&path).unwrap();
    assert_eq!(before.len(), after.len());
    assert_ne!(before, after, "the hazard is there");
    assert_right(&path, std::slice::from_ref(&feed), "put back");
}

/// Two connections write at random; what is remembered, kept, and found by
/// reading everything agree after each few statements.
#[test]
fn random_statements_of_two_connections() {
    let seed = std::env::var("EMONFEED_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("EMONFEED_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [("feed_1", ""), ("feed_2", "CHECKSUM=1")] {
        let path = table(&mut server, name, options);
        settle();
        let keep = Some(Arc::from(folder.path().join("kept")));
        let feeds = [
            open(&path, Options::default()),
            open(&path, with(Evidence::Checksum)),
            open(&path, Options { keep, ..Options::default() }),
        ];
        let mut clients = [server.client(), server.client()];
        let mut end = 1_000_000 + 5 * ROWS;
        for round in 0..15 {
            for _ in 0..random.usize(1..4) {
                let client = &mut clients[random.usize(..2)];
                let old = 1_000_000 + 5 * random.u64(1..ROWS);
                end += 5;
                let statement = match random.u32(..12) {
                    0 => format!(
                        "UPDATE {name} SET data = {} WHERE time = {old}",
                        random.i32(..)
                    ),
                    1 => format!("DELETE FROM {name} WHERE time = {old}"),
                    2 => format!("INSERT INTO {name} VALUES ({old}, 1.5)"),
                    3 => format!(
                        "INSERT INTO {name} VALUES ({end}, 1), ({}, NULL)",
                        end + 1
                    ),
                    4 => format!("INSERT INTO {name} VALUES (NULL, 1)"),
                    5 => format!("UPDATE {name} SET time = {old} + 2 WHERE time = {old}"),
                    _ => format!(
                        "INSERT INTO {name} VALUES ({end}, {})",
                        random.u32(..1000)
                    ),
                };
                run(client, &[&statement]);
            }
            if random.bool() {
                settle();
            }
            // Another one each round, as a new process would be.
            let newcomer = Options {
                keep: Some(Arc::from(folder.path().join(format!("kept/./{round}/..")))),
                ..Options::default()
            };
            fs::create_dir_all(folder.path().join(format!("kept/{round}"))).unwrap();
            fs::set_permissions(
                folder.path().join("kept"),
                Permissions::from_mode(0o700),
            )
            .unwrap();
            assert_right(&path, &feeds, &format!("round {round}"));
            assert_right(
                &path,
                &[open(&path, newcomer)],
                &format!("round {round}, kept"),
            );
        }
    }
}

/// A bare feed that nobody has written to for an hour.
fn quiet_feed(folder: &Path) -> PathBuf {
    let path = folder.join("feed_1.MYD");
    let mut random = fastrand::Rng::with_seed(1);
    let mut rows = Vec::new();
    for i in 0..ROWS as u32 {
        rows.push(if i % 1_001 == 1_000 { 0 } else { 0xf9 });
        let late = if i % 5_003 == 0 { 3_000 } else { 0 };
        rows.extend((1_000_000 + 5 * i - late.min(5 * i)).to_le_bytes());
        let value = if i % 307 == 0 { f32::NAN } else { random.f32() * 100.0 };
        rows.extend(value.to_le_bytes());
    }
    fs::write(&path, rows).unwrap();
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(an_hour_ago).unwrap();
    settle();
    path
}

fn keeping(folder: &Path) -> Options {
    Options { keep: Some(Arc::from(folder)), access: Access::Pread, ..Options::default() }
}

/// The one summary in a folder.
fn kept_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let file = files.next().expect("a summary is kept").unwrap().path();
    assert!(files.next().is_none(), "one summary");
    file
}

struct Kept {
    _folder: TempDir,
    feed: PathBuf,
    name: PathBuf,
    bytes: Vec<u8>,
    root: PathBuf,
}

/// A feed, and the summary that is kept of it.
fn kept() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let feed = quiet_feed(&root);
    answers(&open(&feed, keeping(&root.join("first"))));
    let file = kept_file(&root.join("first"));
    let bytes = fs::read(&file).unwrap();
    let name = PathBuf::from(file.file_name().unwrap());
    Kept { _folder: folder, feed, name, bytes, root }
}

impl Kept {
    /// A folder of that name with these bytes as the summary.
    fn folder(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let folder = self.root.join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let file = folder.join(&self.name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        folder
    }
}

#[test]
fn a_kept_summary_spares_the_next_process_the_reading() {
    let kept = kept();
    let size = fs::metadata(&kept.feed).unwrap().len();
    let folder = kept.folder("second", &kept.bytes);
    let feed = open(&kept.feed, keeping(&folder));
    let before = bytes_read();
    let samples = query::windows(
        &feed,
        1_000_000,
        1_190_000,
        10_000,
        Aggregate::First,
        Flags::NONE,
    );
    assert_eq!(samples.unwrap().points.len(), 20);
    let look_ups = bytes_read() - before;
    assert!(look_ups < size / 10, "{look_ups} of {size} bytes for 20 samples");
    assert_right(&kept.feed, &[feed], "kept");
    // It serves as it is: nothing was written again.
    assert!(fs::read(folder.join(&kept.name)).unwrap() == kept.bytes);
    // A thirtieth of the rows, and something for those out of place.
    assert!((kept.bytes.len() as u64) < size / 20, "{} bytes", kept.bytes.len());
}

#[test]
fn a_damaged_summary_is_made_anew() {
    let kept = kept();
    let len = kept.bytes.len();
    // Each word of the front, some of the lists, the hashes.
    let places = (0..400).step_by(5).chain((400..len).step_by(len / 60)).chain([len - 1]);
    for (number, place) in places.enumerate() {
        let mut bytes = kept.bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        let folder = kept.folder(&format!("flip{number}"), &bytes);
        assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "a flipped bit");
        if number % 20 == 0 {
            let again = open(&kept.feed, Options { no_follow: true, ..keeping(&folder) });
            assert_right(&kept.feed, &[again], "made anew");
        }
    }
    for cut in [0, 1, 7, 8, 300, 383, 384, 400, len / 2, len - 17, len - 1] {
        let folder = kept.folder(&format!("cut{cut}"), &kept.bytes[..cut]);
        assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "cut short");
    }
    let folder = kept.folder("longer", &[&kept.bytes[..], b"more"].concat());
    assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "longer");
}

#[test]
fn a_summary_of_other_rows_is_not_used() {
    let kept = kept();
    // The same length, and every value another one.
    let mut rows = fs::read(&kept.feed).unwrap();
    rows.chunks_exact_mut(9).for_each(|row| row[7] ^= 0x40);
    fs::write(&kept.feed, &rows).unwrap();
    settle();
    let folder = kept.folder("second", &kept.bytes);
    assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "edited");

    // The rows of before in another file of that name.
    rows.chunks_exact_mut(9).for_each(|row| row[7] ^= 0x40);
    let new = kept.root.join("new");
    fs::write(&new, &rows[..rows.len() / 2]).unwrap();
    fs::rename(&new, &kept.feed).unwrap();
    settle();
    let folder = kept.folder("third", &kept.bytes);
    assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "another file");
}

/// Who asks for more must not be given what was found with less.
#[test]
fn a_summary_serves_only_who_asks_for_the_same_evidence() {
    let kept = kept();
    let size = fs::metadata(&kept.feed).unwrap().len();
    let folder = kept.folder("shared", &kept.bytes);
    for evidence in [Evidence::Nothing, Evidence::Counters, Evidence::Checksum] {
        let feed = open(&kept.feed, Options { evidence, ..keeping(&folder) });
        let read = cost(&feed);
        let spared = evidence == Evidence::Checksum;
        assert_eq!(read < size, spared, "{evidence:?} read {read} of {size} bytes");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
}

/// Counters that are trusted can be wrong: then answers are, but they come.
#[test]
fn rows_that_are_not_where_they_were_are_not_looked_for_for_ever() {
    let mut server = Server::start();
    let path = table(&mut server, "feed_1", "");
    settle();
    let feeds = [Access::Mmap, Access::Pread]
        .map(|access| open(&path, Options { access, ..with(Evidence::Counters) }));
    feeds.iter().for_each(|feed| drop(answers(feed)));
    // The first row of a block goes back in time, unnoticed.
    let (time, last) = (1_000_000 + 5 * (300 * 128 + 1), 1_000_000 + 5 * ROWS);
    run(
        server.main_client(),
        &[
            &format!("INSERT INTO feed_1 VALUES ({}, 1), ({}, 2)", last + 5, last + 10),
            &format!("UPDATE feed_1 SET time = {} WHERE time = {time}", time - 4),
        ],
    );
    settle();
    for feed in &feeds {
        // Averages of 2 seconds, by way of the rows they begin with.
        let (from, to) = ((time - 9_000) as f64 * 1000.0, (time + 1_000) as f64 * 1000.0);
        let points = query::feed_data(feed, from, to, 5_000).map(|series| series.points);
        assert!(points.is_ok_and(|points| (1_900..2_100).contains(&points.len())));
    }
}

#[test]
fn nobody_else_may_have_a_hand_in_summaries() {
    let kept = kept();
    for mode in [0o770, 0o707, 0o777, 0o1777] {
        let folder = kept.folder(&format!("mode{mode:o}"), &kept.bytes);
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        let error = Feed::open_with(&kept.feed, keeping(&folder)).unwrap_err();
        assert_eq!(error.status(), Status::Permission, "{error}");
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
    let file = kept.root.join("file");
    fs::write(&file, b"").unwrap();
    let error = Feed::open_with(&kept.feed, keeping(&file)).unwrap_err();
    assert!(error.to_string().contains("directory for summaries"), "{error}");

    // A link, or a file that others can write to, is as good as nothing.
    let size = fs::metadata(&kept.feed).unwrap().len();
    let folder = kept.folder("linked", &kept.bytes);
    let elsewhere = kept.root.join("elsewhere");
    fs::rename(folder.join(&kept.name), &elsewhere).unwrap();
    symlink(&elsewhere, folder.join(&kept.name)).unwrap();
    assert!(cost(&open(&kept.feed, keeping(&folder))) > size);
    let folder = kept.folder("open", &kept.bytes);
    let mode = Permissions::from_mode(0o666);
    fs::set_permissions(folder.join(&kept.name), mode).unwrap();
    assert!(cost(&open(&kept.feed, keeping(&folder))) > size);
    // As it was: used.
    let folder = kept.folder("mine", &kept.bytes);
    assert!(cost(&open(&kept.feed, keeping(&folder))) < size / 2);
}

#[test]
fn a_full_or_read_only_folder_only_costs_time() {
    let kept = kept();
    let folder = kept.folder("second", b"");
    // What a process that was killed in the middle left behind.
    let left = folder.join(format!("{}.new", kept.name.display()));
    fs::write(&left, b"half").unwrap();
    assert_right(&kept.feed, &[open(&kept.feed, keeping(&folder))], "somebody is at it");
    assert_eq!(fs::read(&left).unwrap(), b"half");
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&left).unwrap().set_modified(long_ago).unwrap();
    let again = Options { no_follow: true, ..keeping(&folder) };
    assert_right(&kept.feed, &[open(&kept.feed, again)], "left behind");
    assert!(!left.exists());

    let full = Path::new("/dev/full");
    assert!(full.exists());
    let error = Feed::open_with(&kept.feed, keeping(full)).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
}
