//! The reader in Rust: what the other languages do, by the library itself.

use crate::writer::{BARE, FIRST, MOST_ROWS, STEP, STEPS, TABLE, always_whole, rows_of};
use emonfeed::query::{self, Aggregate, Flags};
use emonfeed::{Access, Error, Feed, Options, Status};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub const FOLDER: &str = "EMONFEED_TEST_TRUNCATED_FOLDER";
pub const BY: &str = "EMONFEED_TEST_TRUNCATED_BY";

/// Rows in a window.
const WINDOW: u64 = 60;

/// So many rows, all of that round.
fn judge(file: &str, round: f64, rows: u64) -> &'static str {
    if rows == 0 {
        return "empty";
    }
    assert!(round >= 1.0 && round.fract() == 0.0, "{round}: no round wrote that");
    let whole = rows_of(round as u64);
    assert!(rows <= whole, "round {round} never had {rows} rows");
    assert!(
        rows == whole || !always_whole(file, round as u64),
        "{rows} of {whole} rows of round {round} were never there alone"
    );
    if rows == whole { "whole" } else { "part" }
}

fn ask(file: &str, path: &Path, access: Access, i: u64) -> Result<&'static str, Error> {
    let feed = Feed::open_with(path, Options { access, ..Options::default() })?;
    let first = i64::from(FIRST);
    let step = i64::from(STEP);
    Ok(match i % 4 {
        0 => {
            let sums = query::windows(
                &feed,
                first,
                first + i64::from(MOST_ROWS) * step,
                WINDOW as i64 * step,
                Aggregate::Sum,
                Flags::SKIP_MISSING,
            )?;
            let sums: Vec<f64> = sums.points.iter().map(|point| point.value).collect();
            match &sums[..] {
                [] => "empty",
                [_] => {
                    assert_ne!(file, TABLE, "less than a round of a table");
                    "part"
                }
                [full @ .., last] => {
                    let round = full[0] / WINDOW as f64;
                    assert!(full.iter().all(|&sum| sum == full[0]), "two moments");
                    let rest = last / round;
                    assert!(rest.fract() == 0.0 && (1.0..=60.0).contains(&rest));
                    judge(file, round, full.len() as u64 * WINDOW + rest as u64)
                }
            }
        }
        1 => {
            let rows = query::rows(&feed, 0, i64::MAX, 0)?.points;
            for (i, row) in rows.iter().enumerate() {
                assert_eq!(row.time, first + i as i64 * step, "a row is missing");
                assert_eq!(row.value, rows[0].value, "rows of two moments");
            }
            judge(file, rows.first().map_or(0.0, |row| row.value), rows.len() as u64)
        }
        2 => match query::last(&feed)?.points.first() {
            None => "empty",
            Some(row) => judge(file, row.value, ((row.time - first) / step) as u64 + 1),
        },
        _ => {
            let meta = query::meta(&feed)?;
            if meta.npoints == 0 {
                "empty"
            } else {
                let rows = meta.npoints as i64;
                assert_eq!(meta.start_time, first);
                assert_eq!(meta.end_time, first + (rows - 1) * step);
                "figures"
            }
        }
    })
}

/// How many steps the writer has done.
fn steps(folder: &Path) -> u64 {
    u64::from_le_bytes(std::fs::read(folder.join(STEPS)).unwrap().try_into().unwrap())
}

/// What the child process does; nothing where this is the test itself.
#[test]
fn reads() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let access = match std::env::var(BY).as_deref() {
        Ok("pread") => Access::Pread,
        _ => Access::Mmap,
    };
    let folder = Path::new(&folder);
    let stop = folder.join("stop");
    let mut right =
        OpenOptions::new().create(true).append(true).open(folder.join("right")).unwrap();
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    for i in 0.. {
        if stop.exists() {
            break;
        }
        let file = [BARE, TABLE][i as usize % 2];
        let before = steps(folder);
        let kind = match ask(file, &folder.join(file), access, i / 2) {
            Ok(kind) => {
                right.write_all(b".").unwrap();
                kind.to_owned()
            }
            Err(error) => {
                let passing = matches!(
                    error.status(),
                    Status::Changed | Status::NotFound | Status::MissingDefinition
                );
                let standing = matches!(error.status(), Status::Damaged | Status::Engine);
                let stood = steps(folder) <= before + 1;
                assert!(passing || standing && stood, "{error}");
                format!("status_{}", error.status().code())
            }
        };
        *tally.entry(kind).or_default() += 1;
    }
    for (kind, count) in tally {
        println!("{kind} {count}");
    }
}
