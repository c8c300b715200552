//! What engines say of the dataset, and of the Arrow C stream, is what SQL says.

use crate::effort::effort;
use crate::server::shapes::{Kind, SHAPES};
use crate::server::{Cell, Rows, Server, settle};
use fastrand::Rng;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Engine and format.
const FILES: [(&str, &str); 4] = [
    ("duckdb", "parquet"),
    ("duckdb", "csv"),
    ("pyarrow", "parquet"),
    ("pyarrow", "arrow"),
];
const SPARK: (&str, &str) = ("spark", "parquet");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What tests/export/read.py prints, by lines.
pub fn read(arguments: &[&str]) -> Rows {
    let python = root().join("target/python/bin/python");
    let output = Command::new(&python)
        .arg(root().join("tests/export/read.py"))
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{}: {e} (make setup)", python.display()));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let cell = |cell: &str| (cell != "NULL").then(|| cell.to_owned());
    text.lines().map(|line| line.split('\t').map(cell).collect()).collect()
}

fn number(cell: &Cell) -> Option<f64> {
    cell.as_ref().map(|text| text.parse().unwrap_or_else(|_| panic!("{text}")))
}

/// Sums are made in another order.
#[track_caller]
fn expect_same(what: &str, got: &Rows, expected: &Rows, is_text: bool) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        // Text has the shortest digits of a float32, which are read as those of a
        // double.
        let rows = number(&expected[2]).unwrap_or(0.0);
        let margin = |at: usize| match is_text {
            true if at == 5 => 1e5 * f64::from(f32::EPSILON),
            true => rows * 1e5 * f64::from(f32::EPSILON),
            false => 0.0,
        };
        let same = got.len() == expected.len()
            && got.iter().zip(expected).enumerate().all(|(at, cells)| {
                match (number(cells.0), number(cells.1)) {
                    (Some(got), Some(expected)) if at >= 4 => {
                        (got - expected).abs()
                            <= (expected.abs().max(1e6) * 1e-12).max(margin(at))
                    }
                    (got, expected) => got == expected,
                }
            });
        assert!(same, "{what}: {got:?}, but SQL says {expected:?}");
    }
}

struct Feeds {
    server: Server,
    random: Rng,
}

impl Feeds {
    /// One table of each shape.
    fn new() -> Feeds {
        let mut server = Server::start();
        for (at, shape) in SHAPES.iter().enumerate() {
            server.sql(&shape.create(&format!("feed_{}", at + 1)));
        }
        let mut feeds = Feeds { server, random: Rng::with_seed(20_260_101) };
        for (at, shape) in SHAPES.iter().enumerate() {
            // The days around three New Years, and the end of time.
            for around in [31_536_000, 1_704_067_200, 1_735_689_600] {
                feeds.insert(at, around - 90_000, 180_000, 60);
            }
            match shape.signed_time {
                true => feeds.insert(at, -100_000, 200_000, 40),
                false => feeds.insert(at, i64::from(u32::MAX) - 200_000, 200_000, 20),
            }
        }
        feeds
    }

    fn insert(&mut self, at: usize, from: i64, span: i64, count: usize) {
        let shape = &SHAPES[at];
        let mut rows = Vec::new();
        for _ in 0..count {
            let time = from + self.random.i64(0..span);
            let mut row =
                format!("({time},{}", self.value(shape.kind, shape.data_nullable));
            if let Some((kind, nullable)) = shape.data2 {
                row.push_str(&format!(",{}", self.value(kind, nullable)));
            }
            rows.push(row + ")");
        }
        let sql = format!(
            "INSERT IGNORE INTO feed_{} ({}) VALUES {}",
            at + 1,
            shape.columns(),
            rows.join(",")
        );
        self.server.sql(&sql);
    }

    fn value(&mut self, kind: Kind, nullable: bool) -> String {
        if nullable && self.random.u8(0..8) == 0 {
            return "NULL".into();
        }
        match kind {
            Kind::Float | Kind::Double => (self.random.f64() * 2e5 - 1e5).to_string(),
            // Sums of larger ones are not exact in SQL's way of adding either.
            Kind::Whole(from, to) => {
                let (from, to) = (from.max(-(1 << 40)), to.min(1 << 40));
                (from + (self.random.f64() * (to - from) as f64) as i128).to_string()
            }
        }
    }

    /// Statements of all kinds, in all years.
    fn change(&mut self) {
        for (at, shape) in SHAPES.iter().enumerate() {
            let table = format!("feed_{}", at + 1);
            let (a, b) = (self.random.u32(0..400), self.random.u32(0..400));
            self.server.sql(&format!(
                "DELETE FROM {table} WHERE time % 400 = {a};
                 UPDATE {table} SET data = 1 WHERE time % 400 = {b};"
            ));
            self.insert(at, 1_735_689_600, 86_400, 5);
            if shape.time_nullable {
                let sql = format!("INSERT INTO {table} (time, data) VALUES (NULL, 5)");
                self.server.sql(&sql);
            }
        }
    }

    fn sql(&mut self) -> Rows {
        let mut rows = Rows::new();
        for (at, shape) in SHAPES.iter().enumerate() {
            let data2 = shape.data2.map_or("NULL", |_| "SUM(data2 + 0e0)");
            rows.extend(self.server.sql(&format!(
                "SELECT {0}, FLOOR(time / 86400) AS day, COUNT(*), COUNT(data),
                    SUM(data + 0e0), AVG(data + 0e0), {data2}
                 FROM feed_{0} WHERE time IS NOT NULL GROUP BY day ORDER BY day",
                at + 1
            )));
        }
        settle();
        rows
    }

    fn files(&self) -> Vec<PathBuf> {
        (1..=SHAPES.len())
            .map(|number| self.server.rows_file(&format!("feed_{number}")))
            .collect()
    }
}

#[test]
fn engines_say_what_sql_says() {
    let mut feeds = Feeds::new();
    let datasets = tempfile::tempdir().unwrap();
    for round in 0..3 {
        if round > 0 {
            feeds.change();
        }
        let expected = feeds.sql();
        assert!(expected.len() > SHAPES.len() * 6, "{}", expected.len());
        let mut engines = FILES.to_vec();
        // Which takes minutes.
        engines.extend(effort(None, Some(SPARK)).filter(|_| round == 2));
        for (engine, format) in engines {
            let to = datasets.path().join(format);
            let exported = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
                .args(["export", "-q", "--format", format, "--to"])
                .args([&to, &feeds.server.database()])
                .output()
                .unwrap();
            assert!(exported.status.success(), "{exported:?}");
            let got = read(&[engine, format, to.to_str().unwrap()]);
            let what = format!("{engine} of {format}, round {round}");
            expect_same(&what, &got, &expected, format == "csv");
        }
    }
}

#[test]
fn the_arrow_stream_says_what_sql_says() {
    // Cargo puts it beside the tests.
    let test = std::env::current_exe().unwrap();
    let library = test.with_file_name("libemonfeed.so");
    let mut feeds = Feeds::new();
    feeds.change();
    let expected = feeds.sql();
    let files = feeds.files();
    for engine in ["stream-pyarrow", "stream-duckdb"] {
        let mut arguments = vec![engine, library.to_str().unwrap()];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        expect_same(engine, &read(&arguments), &expected, false);
    }
}
