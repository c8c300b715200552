//! Runs on one destination at the same time, and checks of it meanwhile.

use crate::program::{self, Ended, emonfeed, expect_equal};
use crate::table::{Dirs, Table, dirs, names, row, rows};
use std::fs;

const DONE: i32 = 0;
const LOCKED: i32 = 11;

fn growing(dirs: &Dirs) -> [Table; 3] {
    [1, 2, 3].map(|number| {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..number * 100))
    })
}

/// What two processes left that were started at the same moment.
fn at_once(lines: [Vec<&std::ffi::OsStr>; 2]) -> [Ended; 2] {
    lines.map(|args| program::start(emonfeed(args))).map(program::end)
}

/// Each of two runs has done all, or left it to the other one.
#[track_caller]
fn expect_one_at_least(ended: &[Ended; 2]) {
    let codes = ended.each_ref().map(Ended::code);
    assert!(codes.iter().all(|code| [DONE, LOCKED].contains(code)), "{ended:?}");
    assert!(codes.contains(&DONE), "{ended:?}");
    for ended in ended {
        let says = ended.err.contains("another run");
        assert_eq!(says, ended.code() == LOCKED, "{ended:?}");
    }
}

#[test]
fn of_two_runs_at_once_each_does_all_or_nothing() {
    let dirs = dirs();
    let tables = growing(&dirs);
    let args = || program::backup(&dirs, &[]);
    for round in 1..=50 {
        for table in &tables {
            table.append(&rows(1000 * round..1000 * round + 300));
            table.update(7, &row(1_400_000_070, round as f32));
        }
        if round % 10 == 0 {
            tables[2].write(&rows(round..round + 20));
        }
        expect_one_at_least(&at_once([args(), args()]));
        for table in &tables {
            let copy =
                fs::read(dirs.copies.join(table.data.file_name().unwrap())).unwrap();
            assert!(copy == table.bytes(), "round {round}");
        }
    }
    expect_equal(&dirs);
    let kept = names(&dirs.copies).iter().filter(|name| name.contains(".MYD.")).count();
    assert_eq!(kept, 3);
}

#[test]
fn one_of_two_runs_waits_for_none_that_takes_long() {
    let dirs = dirs();
    growing(&dirs);
    Table::indexed(&dirs.source, "feed_4", &rows(0..200_000));
    let slow = program::start(emonfeed(program::backup(&dirs, &["--bwlimit", "1M"])));
    let begun = dirs.copies.join(".feed_4.MYD.partial");
    program::wait_until("the last feed is begun", || begun.exists());
    let other = program::run(emonfeed(program::backup(&dirs, &[])));
    assert_eq!(other.code(), LOCKED, "{other:?}");
    assert!(begun.exists(), "the first run is at work still");
    let verify = program::run(emonfeed(program::verify(&dirs)));
    assert_eq!(verify.code(), LOCKED, "{verify:?}");
    assert_eq!(program::end(slow).code(), DONE);
    expect_equal(&dirs);
}

#[test]
fn two_first_runs_at_once_make_one_destination() {
    for _ in 0..20 {
        let dirs = dirs();
        growing(&dirs);
        fs::remove_dir(&dirs.copies).unwrap();
        let args = || program::backup(&dirs, &[]);
        expect_one_at_least(&at_once([args(), args()]));
        expect_equal(&dirs);
    }
}

#[test]
fn a_check_beside_a_run_sees_a_whole_or_waits_for_another_time() {
    let dirs = dirs();
    let tables = growing(&dirs);
    assert_eq!(program::run(emonfeed(program::backup(&dirs, &[]))).code(), DONE);
    for round in 1..=50 {
        for table in &tables {
            table.append(&rows(1000 * round..1000 * round + 300));
            table.update(7, &row(1_400_000_070, round as f32));
        }
        let verify = vec!["verify".as_ref(), dirs.copies.as_os_str()];
        let [backup, verify] = at_once([program::backup(&dirs, &[]), verify]);
        assert!([DONE, LOCKED].contains(&backup.code()), "{backup:?}");
        assert!([DONE, LOCKED].contains(&verify.code()), "{verify:?}");
        let status = emonfeed(["status".as_ref(), dirs.copies.as_os_str()]);
        assert_eq!(program::run(status).code(), 0);
    }
    assert_eq!(program::run(emonfeed(program::backup(&dirs, &[]))).code(), DONE);
    expect_equal(&dirs);
}
