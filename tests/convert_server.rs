//! Tables of a real server, of every shape and after statements of every kind,
//! converted: the files hold what SQL answers.

mod server;

use emonfeed::convert::{Convert, ConvertOptions, Converted, Engine};
use emonfeed::query::Aggregate;
use fastrand::Rng;
use server::oracle;
use server::shapes::{Kind, SHAPES, Shape};
use server::{Client, Server, settle};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const TABLE: &str = "feed_1";
const BASE: i64 = 1_400_000_007;

fn value(shape: &Shape, rng: &mut Rng) -> String {
    if shape.data_nullable && rng.u8(0..10) == 0 {
        return "NULL".into();
    }
    match shape.kind {
        Kind::Float => format!("{:.3}", rng.f64() * 4000.0 - 200.0),
        Kind::Double if rng.u8(0..20) == 0 => "-1e150".into(),
        Kind::Double => format!("{:e}", rng.f64() * 4000.0 - 200.0),
        Kind::Whole(least, most) => rng.i128(least..=most).to_string(),
    }
}

fn time(shape: &Shape, rng: &mut Rng) -> String {
    match rng.u8(0..30) {
        0 if shape.time_nullable => "NULL".into(),
        1 if shape.signed_time => rng.i32(-5..0).to_string(),
        _ => (BASE + 7 * rng.i64(0..400)).to_string(),
    }
}

/// A statement of one of the kinds that emoncms and its users make.
fn statement(shape: &Shape, rng: &mut Rng) -> String {
    let rows = |rng: &mut Rng, count: usize| {
        let row = |rng: &mut Rng| format!("({},{})", time(shape, rng), value(shape, rng));
        (0..count).map(|_| row(rng)).collect::<Vec<_>>().join(",")
    };
    let from = BASE + 7 * rng.i64(0..400);
    let between = format!("time BETWEEN {from} AND {}", from + rng.i64(0..100));
    match rng.u8(0..10) {
        0..=3 => {
            let count = rng.usize(1..40);
            format!(
                "INSERT INTO {TABLE} (time,data) VALUES {} ON DUPLICATE KEY UPDATE \
                 data = VALUES(data)",
                rows(rng, count)
            )
        }
        4 | 5 => {
            format!("INSERT IGNORE INTO {TABLE} (time,data) VALUES {}", rows(rng, 1))
        }
        6 => format!("DELETE FROM {TABLE} WHERE {between}"),
        7 => format!("UPDATE {TABLE} SET data = {} WHERE {between}", value(shape, rng)),
        8 => format!(
            "UPDATE IGNORE {TABLE} SET time = {} WHERE time = {from}",
            time(shape, rng)
        ),
        _ => format!("REPLACE INTO {TABLE} (time,data) VALUES {}", rows(rng, 2)),
    }
}

fn convert(database: &Path, options: ConvertOptions) -> (tempfile::TempDir, Converted) {
    let target = tempfile::tempdir().unwrap();
    let convert = Convert::open(database, target.path(), options).unwrap();
    let feed = &convert.feeds()[0];
    let plan = convert.plan(feed, &mut |_| true).unwrap().unwrap();
    let converted = convert.carry_out(feed, &plan, &mut |_| true).unwrap().unwrap();
    (target, converted)
}

fn lossy(engine: Engine) -> ConvertOptions {
    ConvertOptions { allow_loss: true, allow_sparse: true, ..ConvertOptions::to(engine) }
}

fn number(cell: &Option<String>) -> f64 {
    cell.as_ref().map_or(f64::NAN, |text| text.parse().unwrap())
}

/// The float32 that becomes of a value.
fn single(value: f64) -> f32 {
    let single = value as f32;
    if single.is_nan() || single.is_infinite() { f32::NAN } else { single }
}

/// Rows from 1970 on as SQL has them, by time and place in the file.
fn rows(client: &mut Client, until: i64) -> Vec<(u32, f64)> {
    let rows = client
        .sql(&format!(
            "SELECT t, v FROM snapshot WHERE t BETWEEN 0 AND {until} ORDER BY k"
        ))
        .unwrap();
    rows.iter()
        .map(|row| (row[0].as_ref().unwrap().parse().unwrap(), number(&row[1])))
        .collect()
}

/// Of one second the last.
fn last_of_each(mut rows: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    rows.reverse();
    rows.dedup_by_key(|row| row.0);
    rows.reverse();
    rows
}

fn expect_rows(written: &[u8], wanted: &[(u32, f64)]) {
    let wanted: Vec<u8> = wanted
        .iter()
        .flat_map(|(time, value)| {
            let row = [&[0xf9], &time.to_le_bytes()[..], &single(*value).to_le_bytes()];
            row.concat()
        })
        .collect();
    assert!(written == wanted);
}

/// How many values float32 cuts, and how many it does not hold at all.
fn losses(rows: &[(u32, f64)], is_big: bool) -> (u64, u64) {
    let values = || rows.iter().map(|row| row.1).filter(|value| !value.is_nan());
    let is_too_large = |value: &f64| value.abs() > f64::from(f32::MAX);
    // A double does not tell whether a BIGINT was cut already.
    let is_cut = |value: &f64| {
        f64::from(*value as f32) != *value || is_big && value.abs() >= 2_f64.powi(53)
    };
    let cut = values().filter(|value| !is_too_large(value) && is_cut(value));
    (cut.count() as u64, values().filter(is_too_large).count() as u64)
}

fn values(written: &[u8]) -> Vec<f32> {
    let values = written.chunks_exact(4);
    values.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn files_hold_what_sql_answers_for_tables_of_every_shape() {
    const INTERVAL: u32 = 60;
    const AGGREGATES: [(Aggregate, &str); 4] = [
        (Aggregate::Min, "MIN(v)"),
        (Aggregate::Max, "MAX(v)"),
        (Aggregate::Average, "AVG(v)"),
        (Aggregate::Sum, "SUM(v)"),
    ];
    let mut rng = Rng::with_seed(20130701);
    let mut server = Server::start();
    let mut client = server.client();
    oracle::prepare(&mut client);
    let (mut shapes, mut compared) = (0, 0);
    for shape in SHAPES.iter().filter(|shape| shape.data2.is_none()) {
        for _ in 0..3 {
            server.sql(&format!("DROP TABLE IF EXISTS {TABLE}"));
            server.sql(&shape.create(TABLE));
            for _ in 0..rng.usize(1..60) {
                server.sql(&statement(shape, &mut rng));
            }
            settle();
            client.sql(&oracle::snapshot(TABLE, false)).unwrap();
            let all = rows(&mut client, i64::MAX);

            let (target, done) =
                convert(&server.database(), lossy(Engine::PhpTimeSeries));
            let kept = last_of_each(all.clone());
            expect_rows(&fs::read(target.path().join("feed_1.MYD")).unwrap(), &kept);
            let figures = done.plan.figures;
            let is_big = shape.value_type.starts_with("BIGINT");
            let lost = (figures.narrowed, figures.too_large);
            assert_eq!(lost, losses(&kept, is_big), "{}", shape.name);
            compared += done.compared;
            let census = done.plan.census;
            let counts = server.sql(&format!(
                "SELECT COUNT(*), SUM(time IS NULL), SUM(time < 0),
                        (SELECT data_free DIV avg_row_length FROM information_schema.tables
                         WHERE table_schema = 'emoncms' AND table_name = '{TABLE}')
                 FROM {TABLE}"
            ));
            let counts: Vec<u64> =
                counts[0].iter().map(|cell| number(cell) as u64).collect();
            assert_eq!(census.slots - census.deleted, counts[0], "{}", shape.name);
            assert_eq!(census.without_time, counts[1], "{}", shape.name);
            assert_eq!(done.plan.before_1970(), counts[2], "{}", shape.name);
            if counts[0] > 0 {
                assert_eq!(census.deleted, counts[3], "{}", shape.name);
            }

            // The last of each interval.
            let interval = Some(INTERVAL);
            let options = ConvertOptions { interval, ..lossy(Engine::PhpFina) };
            let (target, _) = convert(&server.database(), options);
            let written = values(&fs::read(target.path().join("1.dat")).unwrap());
            let slot = |time: u32| u64::from(time / INTERVAL);
            let first = all.first().map_or(0, |row| slot(row.0));
            let last = all.last().map_or(0, |row| slot(row.0) + 1);
            assert_eq!(written.len() as u64, last - first, "{}", shape.name);
            for (index, is) in written.iter().enumerate() {
                let of = all.iter().rfind(|row| slot(row.0) == first + index as u64);
                let wanted = of.map_or(f32::NAN, |row| single(row.1));
                assert_eq!(is.to_bits(), wanted.to_bits(), "{}", shape.name);
            }
            compared += written.len() as u64;

            for (aggregate, sql) in AGGREGATES {
                let options =
                    ConvertOptions { interval, aggregate, ..lossy(Engine::PhpFina) };
                let (target, _) = convert(&server.database(), options);
                let written = values(&fs::read(target.path().join("1.dat")).unwrap());
                let groups = client
                    .sql(&format!(
                        "SELECT t DIV {INTERVAL}, {sql}, SUM(ABS(v)) FROM snapshot
                         WHERE t >= 0 GROUP BY 1 ORDER BY 1"
                    ))
                    .unwrap();
                let mut groups = groups.iter().peekable();
                for (index, &is) in (first..).zip(&written) {
                    let group = groups.next_if(|group| number(&group[0]) as u64 == index);
                    let wanted = group.map_or(f64::NAN, |group| number(&group[1]));
                    let scale = group.map_or(0.0, |group| number(&group[2]));
                    if single(wanted).is_nan() {
                        assert!(is.is_nan(), "{}: {sql}: {is}", shape.name);
                        continue;
                    }
                    let slack = scale * 1e-12 + f64::from(f32::EPSILON) * wanted.abs();
                    let differs = (f64::from(is) - wanted).abs() > slack;
                    assert!(!differs, "{}: {sql}: {is}, not {wanted}", shape.name);
                }
                assert!(groups.next().is_none());
                compared += written.len() as u64;
            }
        }
        shapes += 1;
    }
    println!("{shapes} shapes, {compared} rows and values compared");
    assert!(shapes > 20 && compared > 20_000, "{shapes}, {compared}");
}

#[test]
fn what_a_table_of_that_moment_holds_is_converted_while_it_is_written_to() {
    let mut server = Server::start();
    server.sql("CREATE TABLE feed_1 (time INT UNSIGNED, data FLOAT, INDEX(time))");
    server
        .sql("INSERT INTO feed_1 SELECT 1400000000 + 10 * seq, seq FROM seq_0_to_20000");
    let database = server.database();
    let (stop, mut writer) = (AtomicBool::new(false), server.client());
    let mut done = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 20_001.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let time = 1_400_000_000 + 10 * i;
                writer.sql(&format!("INSERT INTO feed_1 VALUES ({time}, {i})")).unwrap();
            }
        });
        // The thread ends, too, if something is wrong here.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _stop = Stop(&stop);
        for engine in [Engine::PhpTimeSeries, Engine::PhpFina].repeat(5) {
            done.push((engine, convert(&database, ConvertOptions::to(engine))));
        }
    });
    settle();
    let mut client = server.client();
    oracle::prepare(&mut client);
    client.sql(&oracle::snapshot(TABLE, false)).unwrap();
    let mut later = 0;
    for (engine, (target, converted)) in &done {
        let (_, until) = converted.plan.census.span.unwrap();
        let wanted = rows(&mut client, until);
        later += converted.later;
        if *engine == Engine::PhpTimeSeries {
            expect_rows(&fs::read(target.path().join("feed_1.MYD")).unwrap(), &wanted);
        } else {
            let written = values(&fs::read(target.path().join("1.dat")).unwrap());
            assert!(written.iter().copied().eq(wanted.iter().map(|row| single(row.1))));
        }
    }
    // Or the writer wrote nothing.
    assert!(later > 0);
}
