//! Random statements on a real server, over every shape of table: after each
//! one every query must answer what SQL answers.
//!
//! `EMONFEED_SQL_SEED` repeats a run, `EMONFEED_SQL_STATEMENTS` (over all shapes
//! together) makes it longer or shorter.

mod effort;
mod server;

use effort::effort;
use emonfeed::query::{self, Aggregate, Flags, Mode, Series};
use emonfeed::{Access, Feed, Options};
use fastrand::Rng;
use server::oracle::{self, Expected};
use server::shapes::{Kind, SHAPES, Shape};
use server::{Rows, Server};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const DEFAULT_SEED: u64 = 20130701;
const TABLE: &str = "feed_1";
/// A table is cut back when it grows beyond this, to keep the pace.
const MANY_ROWS: u64 = 2500;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => {
            text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number"))
        }
        Err(_) => default,
    }
}

#[test]
fn floats() {
    // As most servers run.
    run(&[], |shape| shape.kind == Kind::Float && shape.data2.is_none());
}

#[test]
fn doubles_and_histograms_with_late_keys() {
    run(&["--delay-key-write=ALL"], |shape| {
        shape.kind == Kind::Double || shape.data2.is_some()
    });
}

#[test]
fn integers_with_mapped_writes() {
    // The server then writes rows through a mapping of its own.
    run(&["--myisam-use-mmap=1"], |shape| {
        matches!(shape.kind, Kind::Whole(..)) && shape.data2.is_none()
    });
}

/// Runs each shape's share of the statements on one server.
fn run(options: &[&str], wanted: impl Fn(&Shape) -> bool) {
    let seed = setting("EMONFEED_SQL_SEED", DEFAULT_SEED);
    let statements = setting("EMONFEED_SQL_STATEMENTS", effort(500, 20_000));
    let each = statements.div_ceil(SHAPES.len() as u64);
    println!("EMONFEED_SQL_SEED={seed} EMONFEED_SQL_STATEMENTS={statements}");
    let mut options = options.to_vec();
    options.push("--skip-innodb");
    let mut server = Server::start_with(&options);
    let mut kinds = BTreeMap::<_, u32>::new();
    for (number, shape) in SHAPES.iter().enumerate().filter(|(_, shape)| wanted(shape)) {
        // Each shape has its own luck: leaving one out changes no other.
        let mut life =
            Life::new(&mut server, shape, seed.wrapping_add(number as u64) << 8);
        life.check();
        for _ in 0..each {
            life.step();
            life.check();
        }
        println!(
            "{}: {each} statements, {} answers compared, {} rows at the end",
            shape.name, life.answers, life.rows
        );
        for (kind, count) in life.kinds {
            *kinds.entry(kind).or_default() += count;
        }
    }
    println!("{kinds:?}");
}

/// Where the times of a table lie.
#[derive(Clone, Copy, Debug)]
struct Domain {
    base: i64,
    step: i64,
    slots: i64,
}

impl Domain {
    fn draw(rng: &mut Rng, shape: &Shape) -> Domain {
        let (base, step, slots) = match rng.u32(0..7) {
            0 => (1_370_000_000, 1, 300),
            1 | 2 => (1_370_000_000, 10, 150),
            3 => (1_369_999_997, 60, 400),
            4 => (1_300_000_000, 3600, 500),
            5 if shape.signed_time => (-600, 5, 200),
            5 => (0, 5, 200),
            // The last second there is.
            _ if shape.signed_time => (i64::from(i32::MAX) - 7 * 250, 7, 251),
            _ => (i64::from(u32::MAX) - 7 * 250, 7, 251),
        };
        Domain { base, step, slots }
    }
}

/// The life of one table.
struct Life<'a> {
    server: &'a mut Server,
    shape: &'a Shape,
    rng: Rng,
    domain: Domain,
    /// Where readings in order have got to.
    clock: i64,
    kept: Vec<(Access, Feed)>,
    statements: Vec<String>,
    kinds: BTreeMap<&'static str, u32>,
    answers: u64,
    rows: u64,
}

impl<'a> Life<'a> {
    fn new(server: &'a mut Server, shape: &'a Shape, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let domain = Domain::draw(&mut rng, shape);
        oracle::prepare(server.main_client());
        server.sql(&format!("DROP TABLE IF EXISTS {TABLE}"));
        server.sql(&shape.create(TABLE));
        let path = server.rows_file(TABLE);
        let kept =
            [Access::Mmap, Access::Pread].map(|access| (access, open(&path, access)));
        Life {
            server,
            shape,
            rng,
            domain,
            clock: 0,
            kept: kept.into(),
            statements: vec![shape.create(TABLE)],
            kinds: BTreeMap::new(),
            answers: 0,
            rows: 0,
        }
    }

    // Statements

    fn time(&mut self) -> i64 {
        self.domain.base + self.domain.step * self.rng.i64(0..self.domain.slots)
    }

    /// The next reading's time, as a meter gives them.
    fn next_time(&mut self) -> i64 {
        self.clock = (self.clock + 1) % self.domain.slots;
        self.domain.base + self.domain.step * self.clock
    }

    fn value_of(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Float => match self.rng.u32(0..20) {
                0 => "0".into(),
                1 => "16777217".into(),
                2 => self
                    .rng
                    .choice(["-3.4028234663852886e38", "1e38"])
                    .unwrap()
                    .to_string(),
                3 => "1.401298464324817e-45".into(),
                4 => "-0.1".into(),
                5..=9 => self.rng.i32(-5..500).to_string(),
                _ => format!("{:.3}", self.rng.f64() * 4000.0 - 200.0),
            },
            Kind::Double => match self.rng.u32(0..20) {
                0 => "0".into(),
                1 => "9007199254740993".into(),
                2 => "-1e150".into(),
                3 => "5e-324".into(),
                4 => "0.1".into(),
                5..=9 => self.rng.i32(-5..500).to_string(),
                _ => format!("{:e}", self.rng.f64() * 4000.0 - 200.0),
            },
            Kind::Whole(least, most) => match self.rng.u32(0..8) {
                0 => least,
                1 => most,
                2..=4 => self.rng.i128(least..=most),
                _ => self.rng.i128(0..=most.min(100)),
            }
            .to_string(),
        }
    }

    fn value(&mut self) -> String {
        if self.shape.data_nullable && self.rng.u32(0..12) == 0 {
            "NULL".into()
        } else {
            self.value_of(self.shape.kind)
        }
    }

    fn bin(&mut self) -> String {
        match self.shape.data2 {
            Some((_, true)) if self.rng.u32(0..8) == 0 => "NULL".into(),
            Some((Kind::Whole(..), _)) => self.rng.i32(-2..8).to_string(),
            _ => format!("{}", f64::from(self.rng.i32(-2..8)) * 50.5),
        }
    }

    fn row(&mut self, time: i64) -> String {
        let time = if self.shape.time_nullable && self.rng.u32(0..25) == 0 {
            "NULL".into()
        } else {
            time.to_string()
        };
        let value = self.value();
        match self.shape.data2 {
            Some(_) => format!("({time},{value},{})", self.bin()),
            None => format!("({time},{value})"),
        }
    }

    fn insert(&mut self, count: usize) -> String {
        let in_order = self.rng.u32(0..3) > 0;
        let rows: Vec<String> = (0..count)
            .map(|_| {
                let time = if in_order { self.next_time() } else { self.time() };
                self.row(time)
            })
            .collect();
        format!(
            "INSERT INTO {TABLE} ({}) VALUES {}",
            self.shape.columns(),
            rows.join(",")
        )
    }

    /// Two times, the first not the later, most often close together.
    fn span(&mut self) -> (i64, i64) {
        let from = self.time();
        let slots = if self.rng.u32(0..4) == 0 { self.domain.slots } else { 12 };
        (from, from + self.domain.step * self.rng.i64(0..slots))
    }

    fn statement(&mut self) -> (&'static str, String) {
        let t = TABLE;
        let columns = self.shape.columns();
        let data2 = if self.shape.data2.is_some() { ",data2" } else { "" };
        let (from, to) = self.span();
        let between = format!("time BETWEEN {from} AND {to}");
        if self.rows > MANY_ROWS && self.rng.u32(0..3) == 0 {
            return match self.rng.u32(0..3) {
                0 => ("truncate", format!("TRUNCATE TABLE {t}")),
                1 => ("delete all", format!("DELETE FROM {t}")),
                _ => (
                    "delete most",
                    format!("DELETE FROM {t} ORDER BY data LIMIT {}", self.rows - 100),
                ),
            };
        }
        match self.rng.u32(0..100) {
            0..=19 => ("insert", self.insert(1)),
            20..=27 => {
                let count = self.rng.usize(2..=10);
                ("insert few", self.insert(count))
            }
            28..=33 => {
                let count = self.rng.usize(11..60);
                ("insert some", self.insert(count))
            }
            34 => {
                let count = self.rng.usize(1000..5000);
                let verb = self.insert(count);
                // A unique index would refuse all but the first few.
                ("insert thousands", verb.replacen("INSERT", "INSERT IGNORE", 1))
            }
            35..=39 => {
                let count = self.rng.usize(1..20);
                let rows = self.insert(count);
                (
                    "on duplicate key",
                    format!("{rows} ON DUPLICATE KEY UPDATE data = VALUES(data)"),
                )
            }
            40..=41 => ("replace", self.insert(3).replacen("INSERT", "REPLACE", 1)),
            42..=44 => {
                let shift = self.domain.step * self.rng.i64(0..5);
                let room = self.domain.base + self.domain.step * (self.domain.slots - 6);
                (
                    "insert select",
                    format!(
                        "INSERT IGNORE INTO {t} ({columns})
                         SELECT time+{shift},data{data2} FROM {t}
                         WHERE {between} AND time < {room}"
                    ),
                )
            }
            45 => {
                let Domain { base, step, slots } = self.domain;
                let bin = if self.shape.data2.is_some() { ",seq MOD 5" } else { "" };
                let last = self.rng.i64(0..slots);
                (
                    "insert select",
                    format!(
                        "INSERT IGNORE INTO {t} ({columns})
                         SELECT {base}+{step}*CAST(seq AS SIGNED),seq MOD 100{bin} FROM seq_0_to_{last}"
                    ),
                )
            }
            46 => {
                let few = self.insert(4);
                let one = self.insert(1);
                (
                    "under a lock",
                    format!(
                        "LOCK TABLES {t} WRITE; {few}; DELETE FROM {t} WHERE time={from};
                         {one}; UNLOCK TABLES"
                    ),
                )
            }
            47..=54 => {
                let value = self.value();
                ("update value", format!("UPDATE {t} SET data={value} WHERE {between}"))
            }
            55..=58 => {
                let new = self.time();
                (
                    "update time",
                    format!("UPDATE {t} SET time={new} WHERE time>={from} LIMIT 1"),
                )
            }
            59..=60 => {
                let room = self.domain.base + self.domain.step * (self.domain.slots - 6);
                let shift = self.domain.step * self.rng.i64(1..5);
                (
                    "update times",
                    format!(
                        "UPDATE {t} SET time=time+{shift} WHERE {between} AND time<{room}"
                    ),
                )
            }
            61 if self.shape.time_nullable => (
                "update time",
                format!("UPDATE {t} SET time=NULL WHERE time>={from} LIMIT 1"),
            ),
            61..=63 => {
                let bin = self.bin();
                let set = if self.shape.data2.is_some() {
                    format!("data2={bin}")
                } else if self.shape.data_nullable {
                    "data=NULL".into()
                } else {
                    "data=0".into()
                };
                ("update others", format!("UPDATE {t} SET {set} WHERE {between}"))
            }
            64..=73 => {
                let order = if self.rng.bool() { "" } else { "ORDER BY time DESC " };
                (
                    "delete one",
                    format!("DELETE FROM {t} WHERE time>={from} {order}LIMIT 1"),
                )
            }
            74..=77 => ("delete range", format!("DELETE FROM {t} WHERE {between}")),
            78 => ("delete all", format!("DELETE FROM {t}")),
            79 => ("truncate", format!("TRUNCATE TABLE {t}")),
            80..=82 => ("optimize", format!("OPTIMIZE TABLE {t}")),
            83..=84 => {
                let how = self.rng.choice(["", " QUICK", " EXTENDED"]).unwrap();
                ("repair", format!("REPAIR TABLE {t}{how}"))
            }
            85..=86 => ("alter force", format!("ALTER TABLE {t} FORCE")),
            87..=88 => ("alter order", format!("ALTER TABLE {t} ORDER BY time")),
            89 => ("alter index", format!("ALTER TABLE {t} ADD INDEX extra (data)")),
            90 => ("alter index", format!("ALTER TABLE {t} DROP INDEX IF EXISTS extra")),
            91..=92 => {
                let on = self.rng.u32(0..2);
                ("alter checksum", format!("ALTER TABLE {t} CHECKSUM={on}"))
            }
            93 => {
                let on = self.rng.u32(0..2);
                ("alter late keys", format!("ALTER TABLE {t} DELAY_KEY_WRITE={on}"))
            }
            94 => {
                let rows = self.rng.choice(["100", "1000", "1000000000", "0"]).unwrap();
                ("alter max rows", format!("ALTER TABLE {t} MAX_ROWS={rows}"))
            }
            95 => {
                let create = self.shape.create(t);
                let rows = self.insert(15);
                ("drop and create", format!("DROP TABLE {t}; {create}; {rows}"))
            }
            96 => {
                let verb = self.rng.choice(["CHECK", "ANALYZE"]).unwrap();
                ("check", format!("{verb} TABLE {t}"))
            }
            97 => (
                "load data",
                format!(
                    "SELECT {columns} FROM {t} WHERE {between} INTO OUTFILE '{t}.txt';
                     DELETE FROM {t} WHERE {between};
                     LOAD DATA INFILE '{t}.txt' INTO TABLE {t} ({columns})"
                ),
            ),
            _ => ("flush", format!("FLUSH TABLES {t}")),
        }
    }

    fn step(&mut self) {
        let (kind, mut sql) = self.statement();
        if kind == "alter index" && sql.contains("ADD INDEX") {
            sql = sql.replacen("ADD INDEX", "ADD INDEX IF NOT EXISTS", 1);
        }
        let outfile = self.server.database().join(format!("{TABLE}.txt"));
        if outfile.exists() {
            std::fs::remove_file(&outfile).expect("the server's file can be removed");
        }
        *self.kinds.entry(kind).or_default() += 1;
        if matches!(kind, "truncate" | "delete all" | "delete most") {
            // What is left of the table, if anything, and what comes may then
            // lie far apart.
            self.domain = Domain::draw(&mut self.rng, self.shape);
        }
        self.statements.push(sql);
        let sql = self.statements.last().expect("just pushed");
        match self.server.try_sql(sql) {
            // Rows before the refused one stay: MyISAM has no rollback.
            Err(error) if self.shape.unique && error.starts_with("ERROR 1062 ") => {}
            Err(error) => panic!("{error}\n{}", self.story()),
            Ok(answer) => {
                let text = format!("{answer:?}").to_lowercase();
                assert!(!text.contains("\"error\""), "{text}\n{}", self.story());
            }
        }
    }

    /// What led here, for the report of a failure.
    fn story(&self) -> String {
        let mut story = format!(
            "shape {}, {:?}, statement {}; the last ones:\n",
            self.shape.name,
            self.domain,
            self.statements.len() - 1
        );
        let skip = self.statements.len().saturating_sub(12);
        for statement in &self.statements[skip..] {
            let _ = writeln!(story, "  {statement:.600};");
        }
        story
    }

    // Questions

    /// A time to ask for: one of the table's, or beside it, or far away.
    fn asked_time(&mut self) -> i64 {
        match self.rng.u32(0..24) {
            0 => -1 - self.rng.i64(0..1000),
            1 => i64::from(u32::MAX) + self.rng.i64(-2..1000),
            2 => 0,
            3 => self.domain.base - self.rng.i64(0..100_000),
            4..=7 => self.time() + self.rng.i64(-5..5),
            _ => self.time(),
        }
    }

    fn check(&mut self) {
        if self.rng.u32(0..8) == 0 {
            // What was found out about rows is kept for the next query only
            // when they have been left alone for a while.
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        let path = self.server.rows_file(TABLE);
        let fresh =
            [Access::Mmap, Access::Pread].map(|access| (access, open(&path, access)));

        // Draw the questions.
        let (a, b) = (self.asked_time(), self.asked_time());
        let (start, end) =
            if self.rng.u32(0..10) > 0 { (a.min(b), a.max(b)) } else { (a, b) };
        let limit = if self.rng.bool() { 0 } else { self.rng.u64(1..20) };
        // Not too many windows: their number sets the pace of it all.
        let least = ((end - start) / 12).max(1);
        let interval = match self.rng.u32(0..4) {
            0 => least,
            1 => least + self.rng.i64(0..3 * least),
            2 => (least / self.domain.step + 1) * self.domain.step,
            _ => least.max(self.domain.step * self.rng.i64(1..30)),
        };
        let mut edges: Vec<i64> =
            (0..self.rng.usize(0..14)).map(|_| self.asked_time()).collect();
        edges.sort_unstable();
        edges.dedup();
        let last_edge = edges.last().copied().unwrap_or(0);
        let times: Vec<i64> =
            (0..self.rng.usize(0..16)).map(|_| self.asked_time()).collect();
        let (from, to) = self.span();
        let mut bounds = [self.bin(), self.bin()].map(|bin| {
            bin.parse::<f64>().unwrap_or(-1e9) + f64::from(self.rng.i32(-1..2))
        });
        bounds.sort_by(f64::total_cmp);
        let [min, max] = bounds;
        let (start_ms, end_ms, dp) = self.call_of_2013();
        // Each combination of aggregate and flags goes to one of the four
        // feeds by chance, and over a run to each of them.
        let mut picks: Vec<usize> =
            (0..2 * 7 * 16).map(|_| self.rng.usize(0..4)).collect();

        // Ask the server, all in one go.
        let histogram = self.shape.data2.is_some();
        let questions = [
            oracle::snapshot(TABLE, histogram),
            oracle::rows(start, end, limit),
            oracle::rows(i64::MIN, i64::MAX, 0),
            oracle::last(),
            oracle::meta(TABLE),
            oracle::windows(&oracle::regular(start, end, interval), end),
            oracle::windows(&oracle::listed(&edges), last_edge),
            oracle::values_at(&times),
            oracle::feed_data(TABLE, start_ms, end_ms, dp),
            oracle::histogram(from, to),
            oracle::sum_by_time(min, max),
        ];
        let answers = match self.server.ask(&questions) {
            Ok(answers) => answers,
            Err(error) => panic!("{error}\n{questions:#?}\n{}", self.story()),
        };
        let [_, rows, all, last, meta, windows, windows_at, values, call, bins, sums] =
            answers.try_into().expect("an answer each");
        let windows = oracle::parts::<2>(&windows);
        let windows_at = oracle::parts::<2>(&windows_at);
        let values = oracle::parts::<1>(&values);

        // Compare.
        let feeds: Vec<(String, &Feed)> = (self.kept.iter().map(|f| ("kept", f)))
            .chain(fresh.iter().map(|f| ("fresh", f)))
            .map(|(age, (access, feed))| (format!("{age}, {access:?}"), feed))
            .collect();
        let mut compared = 0;
        let mut verdict = |what: String, feed: &str, difference: Option<String>| {
            compared += 1;
            if let Some(difference) = difference {
                panic!("{what} ({feed}): {difference}\n{}", self.story());
            }
        };
        for (name, feed) in &feeds {
            let series = |got: emonfeed::Result<Series>, rows: &Rows| {
                compare(got, &oracle::points(rows, 0))
            };
            verdict(
                format!("rows({start}, {end}, {limit})"),
                name,
                series(query::rows(feed, start, end, limit), &rows),
            );
            verdict(
                "all rows".into(),
                name,
                series(query::rows(feed, i64::MIN, i64::MAX, 0), &all),
            );
            verdict("last".into(), name, series(query::last(feed), &last));
            verdict("meta".into(), name, meta_difference(feed, self.shape, &meta[0]));
            for mode in Mode::ALL {
                verdict(
                    format!("values_at({times:?}, {mode:?})"),
                    name,
                    compare(
                        query::values_at(feed, &times, mode, Flags::NONE),
                        values.get(&[mode as i32]).map_or(&[], Vec::as_slice),
                    ),
                );
            }
            verdict(
                format!("feed_data({start_ms}, {end_ms}, {dp})"),
                name,
                series(query::feed_data(feed, start_ms as f64, end_ms as f64, dp), &call),
            );
            if histogram {
                verdict(
                    format!("histogram({from}, {to})"),
                    name,
                    match query::histogram(feed, from, to) {
                        Ok(got) => oracle::bins_difference(&got.bins, &bins),
                        Err(error) => Some(error.to_string()),
                    },
                );
                verdict(
                    format!("sum_by_time({min}, {max})"),
                    name,
                    series(query::sum_by_time(feed, min, max), &sums),
                );
            }
        }
        for aggregate in Aggregate::ALL {
            for (bits, flags) in oracle::all_flags().enumerate() {
                let key = [aggregate as i32, bits as i32];
                let (name, feed) = &feeds[picks.pop().expect("enough picks")];
                verdict(
                    format!(
                        "windows({start}, {end}, {interval}, {aggregate:?}, {})",
                        names(flags)
                    ),
                    name,
                    compare(
                        query::windows(feed, start, end, interval, aggregate, flags),
                        windows.get(&key).map_or(&[], Vec::as_slice),
                    ),
                );
                let (name, feed) = &feeds[picks.pop().expect("enough picks")];
                verdict(
                    format!("windows_at({edges:?}, {aggregate:?}, {})", names(flags)),
                    name,
                    compare(
                        query::windows_at(feed, &edges, aggregate, flags),
                        windows_at.get(&key).map_or(&[], Vec::as_slice),
                    ),
                );
            }
        }
        self.answers += compared;
        self.rows = all.len() as u64;
    }

    /// Arguments that reach each of the three ways the call of 2013 answers.
    fn call_of_2013(&mut self) -> (i64, i64, i64) {
        let start = self.time() - self.rng.i64(0..50);
        let range = match self.rng.u32(0..4) {
            0 => self.rng.i64(0..5000),
            1 => self.rng.i64(4990..180_010),
            2 => self.rng.i64(179_990..400_000),
            _ => self.domain.step * self.domain.slots,
        };
        let odd = if self.rng.u32(0..3) == 0 { self.rng.i64(0..1000) } else { 0 };
        let start_ms = start * 1000 + odd;
        let dp = *self.rng.choice(&[0, 1, 2, 7, 24, 40, -3]).expect("a choice");
        // "Now" moves, but no row is near it when all are asked for.
        let now_is_safe = self.domain.base < 1_500_000_000;
        if dp <= 0 && now_is_safe && self.rng.bool() {
            (start_ms, 0, dp)
        } else {
            // An end of 0 would be now.
            (start_ms, (start_ms + range * 1000).max(1), dp)
        }
    }
}

fn open(path: &Path, access: Access) -> Feed {
    Feed::open_with(path, Options { access, ..Options::default() })
        .unwrap_or_else(|error| panic!("{error}"))
}

fn compare(got: emonfeed::Result<Series>, expected: &[Expected]) -> Option<String> {
    match got {
        Ok(series) => oracle::difference(&series, expected),
        Err(error) => Some(error.to_string()),
    }
}

/// Compares what is known of the feed as a whole with [`oracle::meta`]'s row.
fn meta_difference(feed: &Feed, shape: &Shape, row: &[Option<String>]) -> Option<String> {
    let meta = match query::meta(feed) {
        Ok(meta) => meta,
        Err(error) => return Some(error.to_string()),
    };
    let sql: Vec<i64> =
        row.iter().map(|cell| cell.as_deref().unwrap().parse().unwrap()).collect();
    let [npoints, start, end, sorted, bytes, free, records] = sql[..] else {
        panic!("{row:?}");
    };
    let stride = u64::from(meta.stride);
    let deleted = free as u64 / stride;
    let got = (
        (meta.npoints, meta.start_time, meta.end_time, meta.sorted),
        (meta.bytes, meta.slots, meta.slots * stride, deleted * stride),
        (meta.histogram, meta.indexed, meta.value_type),
    );
    let expected = (
        (npoints as u64, start, end, sorted == 1),
        (bytes as u64, records as u64 + deleted, bytes as u64, free as u64),
        (shape.data2.is_some(), true, shape.value_type),
    );
    (got != expected).then(|| format!("emonfeed says {got:?}, SQL says {expected:?}"))
}

fn names(flags: Flags) -> String {
    let all = [
        (Flags::CLOSED_END, "CLOSED_END"),
        (Flags::SKIP_MISSING, "SKIP_MISSING"),
        (Flags::TRUE_TIME, "TRUE_TIME"),
        (Flags::CLIP_END, "CLIP_END"),
    ];
    let names: Vec<&str> =
        all.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| *name).collect();
    format!("[{}]", names.join(" "))
}
