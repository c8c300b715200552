//! Backups beside the writers: each copy is the feed at one moment of the run,
//! nothing that was ever copied is lost, and what is there at the end goes back
//! into the server.

use crate::feed::{Difference, Past, Question, only_in};
use crate::writer::*;
use crate::{HISTOGRAM, Live, PLAIN, Site, UNIQUE_TIMES};
use emonfeed::backup::{Backup, Done, RestoreOptions, RunOptions, Summary, kept_states};
use emonfeed::{Feed, Status};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many old states are kept that none has to go.
const KEEP: u64 = 1_000_000;

/// One run, in this process. The feeds that were not copied.
fn run_here(source: &Path, copies: &Path) -> (BTreeSet<String>, Summary) {
    let options = RunOptions { same_device: true, keep: KEEP, ..RunOptions::default() };
    let mut run = Backup::open(source, copies, options).expect("a run");
    let mut failed = BTreeSet::new();
    while let Some(report) = run.step(&mut |_, _| true).expect("a report") {
        match report.done {
            Done::Copied(_) => {}
            Done::Failed(error) if error.status() == Status::Changed => {
                failed.insert(report.feed.table().to_owned());
            }
            other => panic!("{}: {other}", report.feed.table()),
        }
    }
    (failed, run.close().expect("the end of a run"))
}

/// One run, by the command. Whether all feeds were copied.
fn run_command(source: &Path, copies: &Path) -> bool {
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["backup", "--same-device", "--keep", &KEEP.to_string()])
        .args([source, copies])
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => true,
        Some(3) => {
            assert!(said.contains("changed while it was read"), "{said}");
            false
        }
        code => panic!("{code:?}: {said}"),
    }
}

const ALL: Question = Question::Rows { start: 0, end: u32::MAX as i64 };

/// Backs up until `over`, and once more, and checks what is there then.
fn backs_up(site: &Site, copies: &Path, over: &AtomicBool) -> String {
    let source = site.server.database();
    let count = site.feeds.len();
    let mut pasts: Vec<Past> = site.logs.iter().map(|logs| Past::new(&logs[0])).collect();
    // All that the copy of each feed ever was.
    let mut copied: Vec<Vec<Vec<u8>>> = vec![vec![vec![]]; count];
    let (mut runs, mut right, mut changed) = (0_u64, 0_u64, 0_u64);
    loop {
        let last = over.load(Ordering::SeqCst);
        for (past, logs) in pasts.iter_mut().zip(&site.logs) {
            past.go_to(logs[0].ended());
        }
        runs += 1;
        // Nothing tells for sure which feeds the command failed to copy.
        let (failed, complete) = if runs % 4 == 0 {
            (None, run_command(&source, copies))
        } else {
            let (failed, summary) = run_here(&source, copies);
            (Some(failed), summary.is_complete())
        };
        assert!(complete || !last, "not complete, though nobody writes: {failed:?}");
        let ends: Vec<usize> = site.logs.iter().map(|logs| logs[0].begun()).collect();
        for f in 0..count {
            let table = Site::table(f);
            let copy = copies.join(format!("{table}.MYD"));
            let bytes = fs::read(&copy).unwrap_or_default();
            let is_as_before = copied[f].last() == Some(&bytes);
            let has_failed = match &failed {
                Some(failed) => failed.contains(&table),
                None => !complete && is_as_before,
            };
            if has_failed {
                assert!(is_as_before, "run {runs}: {table} failed, but is another now");
                changed += 1;
                continue;
            }
            let answer = ALL.ask(&Feed::open(&copy).expect("a copy")).expect("its rows");
            let first = &pasts[f].rows;
            let found = pasts[f].find(ends[f], |rows| {
                // Rows behind those that were counted when the feed was opened
                // may be left for the next run.
                let right = ALL.of(rows);
                let mut missing = only_in(&right, &answer);
                missing.retain(|(time, _)| first.contains_key(&(*time as i64)));
                let others = only_in(&answer, &right);
                let fits = missing.is_empty() && others.is_empty();
                (!fits).then(|| Difference::of(&missing, &others))
            });
            if let Err(wrong) = found {
                panic!("run {runs}: the copy of {table}: {wrong}");
            }
            right += 1;
            if !is_as_before {
                copied[f].push(bytes);
            }
        }
        if last {
            break;
        }
    }
    let states = nothing_is_lost(copies, &copied);
    for f in 0..count {
        let copy = copies.join(format!("{}.MYD", Site::table(f)));
        let same = fs::read(&copy).unwrap() == fs::read(site.rows_file(f)).unwrap();
        assert!(same, "{}: not the bytes that the table has", copy.display());
    }
    let verify = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("verify")
        .arg(copies)
        .arg("--source")
        .arg(&source)
        .output()
        .expect("the command runs");
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    assert!(right > changed, "{right} copies, {changed} times none");
    format!("{runs} runs, {right} right copies, {changed} changed, {states} states kept")
}

/// Brings back every state that is kept: each copy there ever was is one, or
/// the beginning of one. How many are kept.
fn nothing_is_lost(copies: &Path, copied: &[Vec<Vec<u8>>]) -> usize {
    let all = kept_states(copies, &RestoreOptions::default()).expect("a catalog");
    let mut count = 0;
    for (f, copied) in copied.iter().enumerate() {
        let table = Site::table(f);
        let (_, states) =
            all.iter().find(|(feed, _)| feed.table() == table).expect("the feed");
        count += states.len();
        let states: Vec<Vec<u8>> = states
            .iter()
            .map(|state| restored(copies, &table, Some(state.number)))
            .collect();
        for (number, copy) in copied.iter().enumerate() {
            let kept = states.iter().any(|state| state.starts_with(copy));
            assert!(kept, "{table}: copy {number}, of {} bytes, is lost", copy.len());
        }
    }
    count
}

/// What a state is when it is brought back.
fn restored(copies: &Path, table: &str, generation: Option<i64>) -> Vec<u8> {
    let target = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_emonfeed"));
    command.args(["restore", "--quiet", "--only", table]);
    if let Some(number) = generation {
        command.args(["--generation", &number.to_string()]);
    }
    let output = command.arg(copies).arg(target.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(target.path().join(format!("{table}.MYD"))).unwrap()
}

/// Puts all copies into a new database of the same server, which finds nothing
/// wrong with them.
fn brings_back(site: &mut Site, copies: &Path) {
    site.server.sql("CREATE DATABASE restored");
    let target = site.server.database().with_file_name("restored");
    let output = Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .args(["restore", "--quiet"])
        .args([copies, &target])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What the server has to be told.
    site.server.sql(&String::from_utf8_lossy(&output.stdout));
    for f in 0..site.feeds.len() {
        let table = Site::table(f);
        let check = site.server.sql(&format!("CHECK TABLE restored.{table} EXTENDED"));
        assert_eq!(check.last().unwrap()[3].as_deref(), Some("OK"), "{check:?}");
        let checksum = |site: &mut Site, database: &str| {
            let sql = format!("CHECKSUM TABLE {database}.{table} EXTENDED");
            site.server.sql(&sql)[0][1].clone().expect("a checksum")
        };
        let original = checksum(site, "emoncms");
        assert_eq!(checksum(site, "restored"), original, "{table}");
    }
}

fn backups(name: &'static str, globals: &[&str], feeds: Vec<Live>) {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    let mut site = Site::new(name, globals, feeds);
    let to = copies.clone();
    site.write_beside(vec![Box::new(move |site, over| backs_up(site, &to, over))]);
    brings_back(&mut site, &copies);
}

#[test]
fn beside_all_writers_copies_are_of_one_moment() {
    backups(
        "backups",
        &[],
        vec![
            Live::new(PLAIN, &[INSERTS, EDITS]),
            Live::new(UNIQUE_TIMES, &[INSERTS, UNIQUE, EDITS, REBUILDS]),
            Live { options: "CHECKSUM=1", ..Live::new(HISTOGRAM, &[INSERTS, EDITS]) },
        ],
    );
}
