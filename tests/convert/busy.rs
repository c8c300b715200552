//! Feeds that are written to while they are converted.

use crate::naive::phptimeseries;
use crate::table::{Dirs, Table, dirs, names, row, rows};
use emonfeed::convert::{Convert, ConvertOptions, Engine, Plan};
use emonfeed::{Error, Status};
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

fn open(dirs: &Dirs, engine: Engine) -> Convert {
    Convert::open(&dirs.source, &dirs.copies, ConvertOptions::to(engine)).unwrap()
}

fn plan(convert: &Convert) -> Plan {
    convert.plan(&convert.feeds()[0], &mut |_| true).unwrap().unwrap()
}

fn edit(table: &Path, row: usize, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(table).unwrap();
    file.write_all_at(bytes, (row * 9) as u64).unwrap();
}

#[test]
fn readings_that_came_since_the_report_are_told_of_and_left_out() {
    for engine in [Engine::PhpTimeSeries, Engine::PhpFina] {
        let dirs = dirs();
        let table = Table::bare(&dirs.source, "feed_7", &rows(0..100));
        let convert = open(&dirs, engine);
        let plan = plan(&convert);
        // One in the last slot, too.
        table.append(&[row(1_400_000_995, 7.0), rows(100..103)].concat());
        let done = convert.carry_out(&convert.feeds()[0], &plan, &mut |_| true);
        let done = done.unwrap().unwrap();
        assert_eq!((done.compared, done.later), (100, 4));
        assert_eq!(done.plan, plan);
        if engine == Engine::PhpTimeSeries {
            let written = fs::read(dirs.copies.join("feed_7.MYD")).unwrap();
            assert!(written == rows(0..100));
        } else {
            let data = fs::read(dirs.copies.join("7.dat")).unwrap();
            assert_eq!(data.len(), 400);
            assert_eq!(data[396..], 24.75_f32.to_le_bytes());
        }
    }
}

#[test]
fn what_was_edited_since_the_report_is_reported_anew() {
    let dirs = dirs();
    let table = Table::bare(&dirs.source, "feed_7", &rows(0..100));
    let convert = open(&dirs, Engine::PhpTimeSeries);
    let first = plan(&convert);
    edit(&table.data, 50, &[0; 9]);
    let done = convert.carry_out(&convert.feeds()[0], &first, &mut |_| true);
    let done = done.unwrap().unwrap();
    assert_eq!((done.compared, done.plan.census.deleted), (99, 1));
    assert_ne!(done.plan, first);
    let written = fs::read(dirs.copies.join("feed_7.MYD")).unwrap();
    assert!(written == [rows(0..50), rows(51..100)].concat());
}

#[test]
fn what_would_lose_something_by_now_is_not_done() {
    let dirs = dirs();
    let table = Table::bare(&dirs.source, "feed_7", &rows(0..100));
    let convert = open(&dirs, Engine::PhpFina);
    let plan = plan(&convert);
    // It joins the one before.
    edit(&table.data, 50, &row(1_400_000_495, 3.0));
    let error = convert.carry_out(&convert.feeds()[0], &plan, &mut |_| true).unwrap_err();
    assert_eq!(error.status(), Status::Destination);
    assert!(error.to_string().contains("--allow-loss"), "{error}");
    assert_eq!(names(&dirs.copies), [""; 0]);
}

/// Converts while something happens when the rows have been read that are written,
/// and are about to be compared, up to so many `times`.
fn edited(
    dirs: &Dirs,
    engine: Engine,
    times: u32,
    happens: impl Fn(u32),
) -> Result<u64, Error> {
    let convert = open(dirs, engine);
    let plan = plan(&convert);
    // A look at the feed reads its rows once or twice, an attempt once, and the
    // comparison tells when it is done.
    let target = dirs.copies.clone();
    let done = Cell::new(0);
    let result = convert.carry_out(&convert.feeds()[0], &plan, &mut |_| {
        let is_writing = names(&target).iter().any(|name| {
            name.ends_with("converted.MYD") || name.ends_with("converted.dat")
        });
        if is_writing && done.get() < times {
            done.set(done.get() + 1);
            happens(done.get());
        }
        true
    });
    assert!(done.get() > 0);
    result.map(|done| done.unwrap().compared)
}

#[test]
fn an_edit_between_writing_and_comparing_is_found_and_the_feed_begun_again() {
    for engine in [Engine::PhpTimeSeries, Engine::PhpFina] {
        let dirs = dirs();
        let table = Table::bare(&dirs.source, "feed_7", &rows(0..100));
        let edit = |_| edit(&table.data, 20, &row(1_400_000_200, 99.0));
        assert_eq!(edited(&dirs, engine, 1, edit).unwrap(), 100);
        if engine == Engine::PhpTimeSeries {
            let readings: Vec<_> = (0..100)
                .map(|i| {
                    let value = if i == 20 { 99.0 } else { i as f32 / 4.0 };
                    (1_400_000_000 + 10 * i, value)
                })
                .collect();
            let written = fs::read(dirs.copies.join("feed_7.MYD")).unwrap();
            assert!(written == phptimeseries(&readings));
        } else {
            let data = fs::read(dirs.copies.join("7.dat")).unwrap();
            assert_eq!(data[80..84], 99.0_f32.to_le_bytes());
        }
    }
}

#[test]
fn a_feed_that_never_rests_is_given_up_and_leaves_nothing() {
    for engine in [Engine::PhpTimeSeries, Engine::PhpFina] {
        let dirs = dirs();
        let table = Table::bare(&dirs.source, "feed_7", &rows(0..100));
        let edit = |n: u32| edit(&table.data, 20, &row(1_400_000_200, n as f32 + 0.1));
        let error = edited(&dirs, engine, u32::MAX, edit).unwrap_err();
        assert_eq!(error.status(), Status::Changed, "{error}");
        assert!(error.to_string().contains("stop what writes to it"), "{error}");
        assert_eq!(names(&dirs.copies), [""; 0]);
    }
}

#[test]
fn what_is_there_by_now_is_not_overwritten() {
    for (engine, name) in [
        (Engine::PhpTimeSeries, "feed_7.MYD"),
        (Engine::PhpFina, "7.meta"),
        (Engine::PhpFina, "7.dat"),
    ] {
        let dirs = dirs();
        Table::bare(&dirs.source, "feed_7", &rows(0..100));
        let convert = open(&dirs, engine);
        let plan = plan(&convert);
        fs::write(dirs.copies.join(name), "another's").unwrap();
        let error =
            convert.carry_out(&convert.feeds()[0], &plan, &mut |_| true).unwrap_err();
        assert_eq!(error.status(), Status::Destination, "{error}");
        assert_eq!(names(&dirs.copies), [name]);
        assert_eq!(fs::read(dirs.copies.join(name)).unwrap(), b"another's");
    }
}

#[test]
fn told_to_stop_it_leaves_nothing() {
    for engine in [Engine::PhpTimeSeries, Engine::PhpFina] {
        let dirs = dirs();
        Table::bare(&dirs.source, "feed_7", &rows(0..100));
        let convert = open(&dirs, engine);
        let feed = &convert.feeds()[0];
        assert!(convert.plan(feed, &mut |_| false).unwrap().is_none());
        let plan = plan(&convert);
        for calls in 1..10 {
            let mut left = calls;
            let done = convert.carry_out(feed, &plan, &mut |_| {
                left -= 1;
                left > 0
            });
            if done.unwrap().is_some() {
                assert!(calls > 1);
                break;
            }
            assert_eq!(names(&dirs.copies), [""; 0], "stopped at {calls}");
        }
        assert_ne!(names(&dirs.copies), [""; 0]);
    }
}
