//! Feeds recorded from a real server: every row comes back as SQL gave it.
//! `tests/fixtures/README.md` says what lies where.

mod server;

use emonfeed::query::{self, Point};
use emonfeed::{Access, Feed, Options, Status};
use server::Server;
use server::shapes::{Kind, SHAPES, Shape};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What each folder in `refused` holds, and why it is no feed.
const REFUSED: &[(&str, &str, Status)] = &[
    (
        "dynamic",
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time)) \
         ENGINE=MyISAM ROW_FORMAT=DYNAMIC",
        Status::Dynamic,
    ),
    (
        "varchar",
        "CREATE TABLE feed_1 (time INT UNSIGNED, data VARCHAR(20)) ENGINE=MyISAM",
        Status::Dynamic,
    ),
    (
        "decimal",
        "CREATE TABLE feed_1 (time INT UNSIGNED, data DECIMAL(10,2)) ENGINE=MyISAM",
        Status::UnknownColumn,
    ),
    (
        "bit",
        "CREATE TABLE feed_1 (time INT UNSIGNED, data BIT(3)) ENGINE=MyISAM",
        Status::UnknownColumn,
    ),
    (
        "time_as_text",
        "CREATE TABLE feed_1 (time CHAR(10), data FLOAT) ENGINE=MyISAM",
        Status::UnknownColumn,
    ),
    (
        "other_names",
        "CREATE TABLE feed_1 (moment INT UNSIGNED, reading FLOAT) ENGINE=MyISAM",
        Status::NotAFeed,
    ),
    (
        "extra_column",
        "CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, note INT) ENGINE=MyISAM",
        Status::NotAFeed,
    ),
];

#[test]
fn rows_are_those_the_server_gave() {
    for shape in SHAPES {
        let folder = folder().join(shape.name);
        let text =
            fs::read_to_string(folder.join("rows.tsv")).expect("the expected rows");
        let expected: Vec<(i64, Option<f64>)> = text
            .lines()
            .map(|line| {
                let mut cells = line.split('\t');
                let time = cells.next().unwrap().parse().unwrap();
                let value = cells.next().unwrap();
                (time, (value != "NULL").then(|| value.parse().unwrap()))
            })
            .collect();
        for access in [Access::Mmap, Access::Pread] {
            let options = Options { access, ..Options::default() };
            let feed = Feed::open_with(folder.join("feed_1.MYD"), options).unwrap();
            let series = query::rows(&feed, i64::MIN, i64::MAX, 0)
                .unwrap_or_else(|error| panic!("{}: {error}", shape.name));
            assert_eq!(
                series.points.iter().map(pair).collect::<Vec<_>>(),
                expected,
                "{}, {access:?}",
                shape.name
            );
            let meta = query::meta(&feed).unwrap();
            assert_eq!(meta.stride, shape.stride, "{}", shape.name);
            assert_eq!(meta.value_type, shape.value_type, "{}", shape.name);
            assert_eq!(meta.histogram, shape.data2.is_some(), "{}", shape.name);
            assert!(meta.indexed, "{}", shape.name);
        }
    }
}

#[test]
fn what_is_no_feed_is_refused_by_name() {
    for &(name, _, status) in REFUSED {
        let path = folder().join("refused").join(name).join("feed_1.MYD");
        let error = Feed::open(&path)
            .and_then(|feed| query::rows(&feed, 0, i64::MAX, 0))
            .expect_err(name);
        assert_eq!(error.status(), status, "{name}: {error}");
        assert_eq!(error.path().and_then(Path::parent), path.parent(), "{name}: {error}");
    }
}

fn pair(point: &Point) -> (i64, Option<f64>) {
    (point.time, (!point.value.is_nan()).then_some(point.value))
}

#[test]
#[ignore = "rewrites tests/fixtures with the bytes of the installed server"]
fn record() {
    let mut server = Server::start();
    for shape in SHAPES {
        server.sql("DROP TABLE IF EXISTS feed_1");
        server.sql(&shape.create("feed_1"));
        for statement in history(shape) {
            server.sql(&statement);
        }
        let rows = server.sql(
            "SET @row := 0;
             CREATE OR REPLACE TEMPORARY TABLE numbered ENGINE=MEMORY
                 SELECT @row := @row + 1 AS n, feed_1.* FROM feed_1 USE INDEX ();
             FLUSH TABLES",
        );
        assert!(rows.is_empty());
        let data2 = if shape.data2.is_some() { ", CAST(data2 AS DOUBLE)" } else { "" };
        let rows = server.sql(&format!(
            "SELECT time, CAST(data AS DOUBLE){data2} FROM numbered
             WHERE time IS NOT NULL ORDER BY time, n"
        ));
        let text: String = rows
            .iter()
            .map(|row| {
                let cells: Vec<&str> =
                    row.iter().map(|c| c.as_deref().unwrap_or("NULL")).collect();
                cells.join("\t") + "\n"
            })
            .collect();
        let target = folder().join(shape.name);
        keep(&server, &target);
        fs::write(target.join("rows.tsv"), text).unwrap();
    }
    for (name, create, _) in REFUSED {
        server.sql("DROP TABLE IF EXISTS feed_1");
        server.sql(create);
        let extra = if *name == "extra_column" { ",3" } else { "" };
        server.sql(&format!(
            "INSERT INTO feed_1 VALUES (10,1{extra}),(20,2{extra}),(30,NULL{extra});
             FLUSH TABLES"
        ));
        keep(&server, &folder().join("refused").join(name));
    }
}

fn keep(server: &Server, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for extension in ["MYD", "MYI", "frm"] {
        let name = format!("feed_1.{extension}");
        // Not fs::copy, which would bring the server's narrow mode along.
        let bytes = fs::read(server.database().join(&name)).unwrap();
        fs::write(target.join(&name), bytes).unwrap();
    }
}

/// A life short enough to read and long enough to leave deleted rows, reused
/// slots, an edited time, a late row, equal times and rows without value.
fn history(shape: &Shape) -> Vec<String> {
    let values = match shape.kind {
        Kind::Float => {
            ["0.1", "16777215", "-1.5e-45", "3.4028234663852886e38", "0", "-7.25"]
        }
        Kind::Double => ["0.1", "1e308", "-5e-324", "9007199254740993", "0", "-7.25"],
        Kind::Whole(..) => ["0", "1", "2", "3", "17", "100"],
    };
    let (least, most) = match shape.kind {
        Kind::Whole(least, most) => (least.to_string(), most.to_string()),
        _ => ("-2.5".into(), "1e-3".into()),
    };
    let row = |time: &str, value: &str, bin: &str| match shape.data2 {
        Some(_) => format!("({time},{value},{bin})"),
        None => format!("({time},{value})"),
    };
    let insert = |rows: &[String]| {
        format!("INSERT INTO feed_1 ({}) VALUES {}", shape.columns(), rows.join(","))
    };
    let mut rows: Vec<String> = (0..24)
        .map(|i| {
            let time = (1_370_000_000 + 10 * i).to_string();
            row(&time, values[i % 6], ["100", "200", "300"][i % 3])
        })
        .collect();
    rows.push(row("1370000240", &least, "100"));
    rows.push(row("1370000250", &most, "-100"));
    let mut statements = vec![insert(&rows)];
    if shape.data_nullable {
        statements.push(insert(&[row("1370000260", "NULL", "100")]));
        statements.push("UPDATE feed_1 SET data = NULL WHERE time = 1370000030".into());
    }
    if shape.time_nullable {
        statements.push(insert(&[row("NULL", values[1], "100")]));
    }
    if let Some((_, true)) = shape.data2 {
        statements.push(insert(&[row("1370000270", values[5], "NULL")]));
    }
    // The last one deleted is the first to be used again.
    for time in [1370000050_u32, 1370000110, 1370000120, 1370000200] {
        statements.push(format!("DELETE FROM feed_1 WHERE time = {time}"));
    }
    statements.push(insert(&[row("1370000300", values[4], "200")]));
    statements.push(insert(&[row("1370000115", values[0], "200")]));
    statements.push("UPDATE feed_1 SET time = 1370000077 WHERE time = 1370000100".into());
    statements
        .push(insert(&[row("4294967295", values[2], "300"), row("0", values[3], "300")]));
    if shape.signed_time {
        let last = statements.pop().unwrap().replace("4294967295", "2147483647");
        statements.push(last);
    }
    if !shape.unique {
        statements.push(insert(&[row("1370000300", values[5], "200")]));
        statements.push(insert(&[row("1370000150", values[1], "200")]));
    }
    statements.push("DELETE FROM feed_1 WHERE time = 1370000300 LIMIT 1".into());
    statements
}
