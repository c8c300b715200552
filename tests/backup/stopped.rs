//! Runs that are told to stop: by Ctrl-C, and by the system's end.

use crate::program::{self, Ended, emonfeed, expect_equal};
use crate::table::{Dirs, Table, dirs, names, rows};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Child;

/// Rows of the feed in the middle of which a run is stopped: some blocks of what
/// is written at a time, each of which takes more than a second.
const MANY: u32 = 400_000;
const SLOW: [&str; 2] = ["--bwlimit", "500k"];

/// What is to be done about that feed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Create,
    Append,
    Replace,
}

/// Feeds 1 to 4, of which the third is large.
fn scene(work: Work) -> Dirs {
    let dirs = dirs();
    let table = |number: u32, count| {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..count))
    };
    let small = [1, 2, 4].map(|number| table(number, 20));
    if work != Work::Create {
        let large = table(3, 100_000);
        assert_eq!(program::run(emonfeed(program::backup(&dirs, &[]))).code(), 0);
        small.iter().for_each(|table| table.append(&rows(20..25)));
        match work {
            Work::Append => large.append(&rows(100_000..MANY)),
            _ => large.write(&rows(1000..MANY)),
        }
    } else {
        table(3, MANY);
    }
    dirs
}

fn copy(dirs: &Dirs, number: u32) -> Option<Vec<u8>> {
    fs::read(dirs.copies.join(format!("feed_{number}.MYD"))).ok()
}

fn source(dirs: &Dirs, number: u32) -> Vec<u8> {
    fs::read(dirs.source.join(format!("feed_{number}.MYD"))).unwrap()
}

/// A slow run that has written some of the third feed, and waits.
fn half_way(dirs: &Dirs, work: Work) -> Child {
    let written = match work {
        Work::Append => dirs.copies.join("feed_3.MYD"),
        Work::Create | Work::Replace => dirs.copies.join(".feed_3.MYD.partial"),
    };
    let len = || fs::metadata(&written).map_or(0, |meta| meta.len());
    let before = len();
    let child = program::start(emonfeed(program::backup(dirs, &SLOW)));
    program::wait_until("the third feed is begun", || len() > before);
    child
}

fn tell(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_run_that_is_told_to_stop_keeps_what_it_copied_and_says_so() {
    for (signal, work) in [
        (Signal::INT, Work::Create),
        (Signal::TERM, Work::Create),
        (Signal::INT, Work::Append),
        (Signal::TERM, Work::Replace),
    ] {
        let dirs = scene(work);
        let old = [3, 4].map(|number| copy(&dirs, number));
        let child = half_way(&dirs, work);
        tell(&child, signal);
        let Ended { status, out, err } = program::end(child);
        let what = format!("{signal:?} at {work:?}: {out}{err}");
        assert_eq!(status.code(), Some(3), "{what}");
        let stopped =
            "emonfeed: stopped before the end; what was copied until then stays";
        assert_eq!(err.trim_end(), stopped, "{what}");

        // What came before is there, what comes after is as it was.
        for number in [1, 2] {
            assert!(copy(&dirs, number) == Some(source(&dirs, number)), "{what}");
            assert!(out.contains(&format!("feed {number} ")), "{what}");
        }
        assert!(copy(&dirs, 4) == old[1], "{what}");
        let (now, all) = (copy(&dirs, 3).unwrap(), source(&dirs, 3));
        let before = old[0].as_ref().map_or(0, Vec::len);
        if work == Work::Replace {
            assert!(Some(now) == old[0], "{what}");
        } else {
            assert!(before < now.len() && now.len() < all.len(), "{what}");
            assert!(all.starts_with(&now), "{what}");
        }
        let left = names(&dirs.copies);
        assert!(!left.iter().any(|name| name.ends_with(".partial")), "{left:?}");
        let [verify, status] = ["verify", "status"]
            .map(|name| program::run(emonfeed([name.as_ref(), dirs.copies.as_os_str()])));
        assert_eq!(verify.code(), 0, "{what}{verify:?}");
        assert!(status.code() == 3 && status.out.contains("stopped"), "{status:?}");

        assert_eq!(program::run(emonfeed(program::backup(&dirs, &[]))).code(), 0);
        expect_equal(&dirs);
        let kept =
            names(&dirs.copies).iter().filter(|name| name.contains("MYD.")).count();
        assert_eq!(kept, usize::from(work == Work::Replace), "{what}");
    }
}

#[test]
fn the_second_signal_ends_a_run_at_once_and_the_next_one_mends_it() {
    for work in [Work::Create, Work::Append, Work::Replace] {
        let dirs = scene(work);
        let child = half_way(&dirs, work);
        // Both are there before it can take notice of either.
        tell(&child, Signal::STOP);
        tell(&child, Signal::INT);
        tell(&child, Signal::TERM);
        tell(&child, Signal::CONT);
        let ended = program::end(child);
        let signal = ended.signal().expect("the second signal ends it");
        assert!([Signal::INT.as_raw(), Signal::TERM.as_raw()].contains(&signal));

        let verify = program::run(emonfeed(["verify".as_ref(), dirs.copies.as_os_str()]));
        assert_eq!(verify.code(), 0, "{work:?}: {verify:?}");
        assert_eq!(program::run(emonfeed(program::backup(&dirs, &[]))).code(), 0);
        expect_equal(&dirs);
    }
}

#[test]
fn of_several_sources_none_is_begun_after_the_signal() {
    let dirs = scene(Work::Create);
    let second = dirs.root.path().join("phptimeseries");
    fs::create_dir(&second).unwrap();
    Table::bare(&second, "feed_5", &rows(0..10));
    let args = || {
        let mut args = program::backup(&dirs, &SLOW);
        args.insert(args.len() - 1, second.as_os_str());
        args
    };
    let own = dirs.copies.join("source");
    let child = program::start(emonfeed(args()));
    program::wait_until("the third feed is begun", || {
        fs::metadata(own.join(".feed_3.MYD.partial")).is_ok_and(|meta| meta.len() > 0)
    });
    tell(&child, Signal::TERM);
    let ended = program::end(child);
    assert_eq!(ended.code(), 3, "{ended:?}");
    assert_eq!(names(&dirs.copies), ["source"]);
    let held = names(&own);
    assert!(!held.iter().any(|name| name.contains("feed_4")), "{held:?}");
}
