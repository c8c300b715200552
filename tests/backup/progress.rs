//! The progress bar, on a terminal and elsewhere.

use crate::program::{self, Ended};
use crate::table::{Dirs, Table, dirs, rows};
use std::fs;
use std::process::{Command, Stdio};

/// Feeds of 360 kB each.
fn feeds(count: u32) -> Dirs {
    let dirs = dirs();
    for number in 1..=count {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..40_000));
    }
    dirs
}

/// A run whose standard output and standard error are a terminal, but for
/// what `redirected` says; what comes to the terminal.
fn on_a_terminal(dirs: &Dirs, options: &[&str], redirected: &str) -> Ended {
    let args = program::backup(dirs, options);
    let words = args.iter().map(|word| format!("'{}'", word.to_str().unwrap()));
    let words: Vec<_> = words.collect();
    let line = format!(
        "stty rows 24 cols 120; '{}' {} {redirected}",
        env!("CARGO_BIN_EXE_emonfeed"),
        words.join(" ")
    );
    let mut script = Command::new("script");
    script.args(["-qefc", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
    program::run(script)
}

/// The states of the bar that a terminal was sent.
fn bars(sent: &str) -> Vec<&str> {
    sent.split(['\r', '\n']).filter(|line| line.contains(['█', '░'])).collect()
}

/// The number in front of a word.
#[track_caller]
fn figure(line: &str, word: &str) -> f64 {
    let (before, _) = line.split_once(word).unwrap_or_else(|| panic!("{word}: {line}"));
    let number = before.rsplit(' ').next().unwrap();
    number.parse().unwrap_or_else(|_| panic!("{word}: {line}"))
}

#[test]
fn a_terminal_is_shown_how_far_it_is_how_fast_and_how_long_it_takes() {
    // Three quarters of a second for each of them, and what is done is told every
    // two seconds.
    let dirs = feeds(6);
    let shown = on_a_terminal(&dirs, &["--bwlimit", "500k"], "");
    assert_eq!(shown.code(), 0, "{shown:?}");
    let bars = bars(&shown.out);
    let copying = bars.iter().filter(|line| line.contains(" MB/s, feed "));
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        copying.partition(|line| line.contains(" left, "));
    assert!(!known.is_empty() && !unknown.is_empty(), "{bars:#?}");
    for line in known.iter().chain(&unknown) {
        let megabytes = figure(line, " MB at ");
        assert!((0.1..=2.2).contains(&megabytes), "{line}");
        assert!(figure(line, " MB/s, feed ") > 0.0, "{line}");
    }
    // The first time it says how long it takes it has done some and not all.
    let line = known[0];
    let done = figure(line, " of 6 feeds, ");
    assert!((1.0..6.0).contains(&done), "{line}");
    assert!(figure(line, "s left, ") >= 1.0, "{line}");
    // It says nothing of that before.
    assert!(unknown.iter().all(|line| figure(line, " of 6 feeds, ") == 0.0), "{bars:#?}");
    // At the end there are the lines of the feeds.
    let end = shown.out.rsplit('\r').nth(1).unwrap();
    assert!(end.contains("6 feeds: 6 created"), "{:?}", shown.out);
}

#[test]
fn the_bar_does_not_come_between_the_results() {
    let dirs = feeds(3);
    let results = dirs.root.path().join("results");
    let shown = on_a_terminal(&dirs, &[], &format!("> '{}'", results.display()));
    assert_eq!(shown.code(), 0, "{shown:?}");
    assert!(!bars(&shown.out).is_empty(), "{shown:?}");
    let results = fs::read_to_string(results).unwrap();
    assert!(!results.contains(['\r', '\x1b']), "{results:?}");
    assert_eq!(results.lines().count(), 4, "{results}");
}

#[test]
fn no_bar_where_nobody_looks_at_one() {
    for (options, redirected, lines) in [
        (&["--quiet"][..], "", 0),
        (&["--json"], "", 4),
        (&["--json"], "> /dev/null", 0),
        (&["--progress", "never"], "", 4),
        (&[], "2> /dev/null", 4),
        (&[], "2>&1 | cat", 4),
        (&[], "2>&1 > /dev/null | cat", 0),
        (&["--quiet"], "2>&1 | cat", 0),
        (&["--json"], "2>&1 | cat", 4),
    ] {
        let dirs = feeds(3);
        let shown = on_a_terminal(&dirs, options, redirected);
        let what = format!("{options:?} {redirected}: {:?}", shown.out);
        assert_eq!(shown.code(), 0, "{what}");
        assert_eq!(bars(&shown.out), [""; 0], "{what}");
        assert!(!shown.out.contains('\x1b'), "{what}");
        assert_eq!(shown.out.lines().count(), lines, "{what}");
    }
}
