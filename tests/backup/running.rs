//! Runs with a catalog: what they find, what they keep, what they let go.

use crate::table::{Dirs, STRIDE, Table, contents, dirs, fixture, names, row, rows};
use emonfeed::backup::{
    Backup, CATALOG_FILE, CopyReport, Done, Outcome, Recheck, RunOptions, Summary,
    plan::Reason,
};
use emonfeed::{Error, Status};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Rows of one block of hashes.
const BLOCK: u32 = 8192;

pub fn options() -> RunOptions {
    RunOptions { same_device: true, ..RunOptions::default() }
}

/// One run; what was done about each feed, by the file of its rows.
pub fn run_with(dirs: &Dirs, options: RunOptions) -> (Vec<(String, Done)>, Summary) {
    let mut run = Backup::open(&dirs.source, &dirs.copies, options).unwrap();
    let mut done = Vec::new();
    while let Some(report) = run.step(&mut |_, _| true).unwrap() {
        done.push((report.feed.file().to_owned(), report.done));
    }
    (done, run.close().unwrap())
}

/// One run over a source with one feed.
#[track_caller]
pub fn run_one(dirs: &Dirs, options: RunOptions) -> CopyReport {
    let (mut done, _) = run_with(dirs, options);
    assert_eq!(done.len(), 1);
    match done.remove(0) {
        (_, Done::Copied(report)) => report,
        (file, other) => panic!("{file}: {other:?}"),
    }
}

fn run(dirs: &Dirs) -> CopyReport {
    run_one(dirs, options())
}

fn refused(dirs: &Dirs, options: RunOptions) -> Error {
    match Backup::open(&dirs.source, &dirs.copies, options) {
        Ok(_) => panic!("not refused"),
        Err(error) => error,
    }
}

fn catalog(dirs: &Dirs) -> Connection {
    Connection::open(dirs.copies.join(CATALOG_FILE)).unwrap()
}

/// The first column of the answer to a question to the catalog.
fn ask(dirs: &Dirs, sql: &str) -> Vec<String> {
    let catalog = catalog(dirs);
    let mut question = catalog.prepare(sql).unwrap();
    let rows = question.query_map([], |row| {
        Ok(match row.get_ref(0).unwrap() {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            other => format!("{other:?}"),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn copy(dirs: &Dirs) -> Vec<u8> {
    fs::read(dirs.copies.join("feed_7.MYD")).unwrap()
}

/// A source of one table, backed up.
fn backed_up(count: u32) -> (Dirs, Table) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..count));
    assert_eq!(run(&dirs).outcome, Outcome::Created);
    settle(&table);
    (dirs, table)
}

/// Has the files look as if nothing was written to them for a while: a table
/// whose rows were written after its header is taken for one that is being
/// rewritten.
fn settle(table: &Table) {
    for extension in ["MYD", "MYI"] {
        set_time(&table.data.with_extension(extension), 1_500_000_000);
    }
}

fn set_time(path: &Path, seconds: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// An edit that the header tells nothing of: as many rows were appended as
/// statements were counted.
fn edit_in_secret(table: &Table, index: u32, value: f32) {
    let file = fs::OpenOptions::new().write(true).open(&table.data).unwrap();
    let row = row(1_400_000_000 + 10 * index, value);
    file.write_all_at(&row, u64::from(index) * STRIDE as u64).unwrap();
    settle(table);
}

#[test]
fn rows_are_created_appended_and_left_alone() {
    let (dirs, table) = backed_up(3 * BLOCK + 5);
    assert_eq!(run(&dirs).outcome, Outcome::Unchanged);
    // To, within, and over the border of a block of hashes.
    let mut count = 3 * BLOCK + 5;
    for more in [1, BLOCK - 6, 1, 7, 2 * BLOCK, BLOCK - 8] {
        count += more;
        table.write(&rows(0..count));
        let report = run(&dirs);
        assert_eq!(report.outcome, Outcome::Appended, "{report}");
        assert_eq!(report.rows_copied, u64::from(more));
        assert!(copy(&dirs) == table.bytes());
        settle(&table);
        assert_eq!(run(&dirs).outcome, Outcome::Unchanged);
    }
    let everything = RunOptions { recheck: Recheck::All, ..options() };
    assert_eq!(run_one(&dirs, everything).outcome, Outcome::Unchanged);
    assert_eq!(ask(&dirs, "SELECT rows FROM feed"), [count.to_string()]);
    assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM generation"), ["0"]);
    assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM run WHERE outcome = 'ok'"), ["15"]);
}

#[test]
fn the_last_row_is_always_compared_and_what_it_was_is_kept() {
    let (dirs, table) = backed_up(BLOCK + 40);
    let last = BLOCK + 39;
    for (round, value) in [5.0, 6.0, 7.0, 8.0].into_iter().enumerate() {
        table.update(last as usize, &row(1_400_000_000 + 10 * last, value));
        let report = run(&dirs);
        assert_eq!(report.outcome, Outcome::Patched, "{report}");
        assert!(copy(&dirs) == table.bytes());
        let kept = ask(&dirs, "SELECT kind FROM generation");
        assert_eq!(kept, vec!["last-row"; (round + 1).min(3)]);
    }
    // Also together with new rows.
    table.update(last as usize, &row(1_400_000_000 + 10 * last, 9.0));
    table.append(&rows(BLOCK + 40..BLOCK + 60));
    let report = run(&dirs);
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Patched, 20));
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn an_old_edit_that_leaves_no_trace_is_found_within_thirty_runs() {
    for index in [0, 17, BLOCK + 3, 5 * BLOCK - 1] {
        let (dirs, table) = backed_up(64 * BLOCK);
        edit_in_secret(&table, index, 123.0);
        let mut runs = 0;
        loop {
            runs += 1;
            let report = run(&dirs);
            if report.outcome == Outcome::Patched {
                assert!(report.edit.unwrap().contains("edited"));
                break;
            }
            assert_eq!(report.outcome, Outcome::Unchanged, "{report}");
            assert!(runs < 30, "not found in 30 runs");
        }
        assert!(copy(&dirs) == table.bytes());
        assert_eq!(ask(&dirs, "SELECT kind FROM generation"), ["edited"]);
        assert_eq!(ask(&dirs, "SELECT length(rows) FROM overwritten"), ["288"]);
    }
}

#[test]
fn a_feed_that_was_left_out_for_runs_makes_up_for_them() {
    let (dirs, table) = backed_up(64 * BLOCK);
    Table::indexed(&dirs.source, "feed_8", &rows(0..10));
    edit_in_secret(&table, 3, 123.0);
    for _ in 0..40 {
        let other = RunOptions { only: vec!["8".into()], ..options() };
        run_with(&dirs, other);
    }
    let (done, _) = run_with(&dirs, options());
    let Done::Copied(report) = &done[0].1 else { panic!("{done:?}") };
    assert_eq!(report.outcome, Outcome::Patched, "{report}");
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn everything_is_compared_now_if_asked_for_and_nothing_if_not() {
    let (dirs, table) = backed_up(64 * BLOCK);
    edit_in_secret(&table, 100, 123.0);
    for _ in 0..31 {
        let none = RunOptions { recheck: Recheck::None, ..options() };
        assert_eq!(run_one(&dirs, none).outcome, Outcome::Unchanged);
    }
    let all = RunOptions { recheck: Recheck::All, ..options() };
    let report = run_one(&dirs, all);
    assert_eq!(report.outcome, Outcome::Patched);
    assert_eq!(report.edit.as_deref(), Some("a row was edited, at byte 900"));
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn where_the_header_tells_of_an_edit_a_small_feed_is_compared_at_once() {
    let (dirs, table) = backed_up(6 * BLOCK);
    table.update(100, &row(1_400_001_000, 55.0));
    table.update(3 * BLOCK as usize, &row(1_400_245_760, 56.0));
    let report = run(&dirs);
    assert_eq!(report.outcome, Outcome::Patched, "{report}");
    assert_eq!(report.bytes_overwritten, 2 * 32 * STRIDE as u64);
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn a_slot_that_was_used_again_is_an_edit() {
    let (dirs, table) = backed_up(100);
    table.update(50, &row(1_400_009_990, 1.5));
    assert_eq!(run(&dirs).outcome, Outcome::Patched);
    assert!(copy(&dirs) == table.bytes());
    table.update(50, &[0, 255, 255, 255, 255, 255, 255, 0, 0]);
    assert_eq!(run(&dirs).outcome, Outcome::Patched);
    assert!(copy(&dirs) == table.bytes());
}

/// After something happened to the source: the old copy is kept as it was.
#[track_caller]
fn expect_new_generation(dirs: &Dirs, table: &Table, reason: Reason) {
    let before = copy(dirs);
    let report = run(dirs);
    assert_eq!(report.outcome, Outcome::NewGeneration, "{report}");
    assert_eq!(report.reason, Some(reason));
    assert!(copy(dirs) == table.bytes());
    assert!(fs::read(report.kept.unwrap()).unwrap() == before);
    assert_eq!(run(dirs).outcome, Outcome::Unchanged);
}

#[test]
fn cleared_trimmed_and_rebuilt_tables_begin_a_generation_and_the_last_are_kept() {
    let (dirs, table) = backed_up(200);
    let made = |time: u64| table.set_header(160, &time.to_be_bytes());
    let old = |dirs: &Dirs| {
        let mut old = names(&dirs.copies);
        old.retain(|name| name.starts_with("feed_7.MYD."));
        old.len()
    };
    table.write(&[]);
    expect_new_generation(&dirs, &table, Reason::Emptied { copy: 200 });
    table.write(&rows(0..300));
    assert_eq!(run(&dirs).outcome, Outcome::Appended);
    table.write(&rows(0..299));
    expect_new_generation(&dirs, &table, Reason::Shrank { copy: 300, source: 299 });
    // Truncated, and more rows again; deleted from, and as many.
    made(7);
    table.write(&rows(1000..1400));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 0 });
    assert_eq!(old(&dirs), 3);
    table.write(&rows(2000..2400));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 0 });
    assert_eq!(old(&dirs), 3, "the oldest went");
    // One changed row is enough if the table was made anew.
    made(8);
    table.update(7, &row(1_400_020_070, 9.0));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 63 });
    assert_eq!(ask(&dirs, "SELECT reason FROM generation WHERE state = 'kept'").len(), 3);
    // Rebuilt, with the same rows: nothing is lost, nothing to be kept.
    made(9);
    table.append(&rows(2400..2500));
    assert_eq!(run(&dirs).outcome, Outcome::Appended);
    let none = RunOptions { keep: 0, ..options() };
    table.write(&rows(0..5));
    assert_eq!(run_one(&dirs, none).kept, None);
    assert_eq!(old(&dirs), 0);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn cells_of_a_state_that_was_let_go_are_no_damage_of_an_older_one() {
    let (dirs, table) = backed_up(100);
    let last = |count: u32, value: f32| row(1_400_000_000 + 10 * count, value);
    table.update(50, &row(1_400_000_500, 5.0));
    run(&dirs);
    for count in 100..105 {
        table.append(&rows(count..count + 1));
        run(&dirs);
        table.update(count as usize, &last(count, 7.0));
        run(&dirs);
    }
    table.write(&rows(0..1));
    run(&dirs);
    let verify = std::process::Command::new(env!("CARGO_BIN_EXE_emonfeed"))
        .arg("verify")
        .arg(&dirs.copies)
        .output()
        .unwrap();
    assert_eq!(verify.status.code(), Some(0), "{verify:?}");
}

#[test]
fn a_table_with_other_columns_keeps_the_old_definition_too() {
    let (dirs, table) = backed_up(50);
    let before = copy(&dirs);
    for extension in ["MYD", "MYI", "frm"] {
        fs::copy(fixture("double", extension), table.with(extension)).unwrap();
    }
    settle(&table);
    let report = run(&dirs);
    assert_eq!(report.reason, Some(Reason::Columns), "{report}");
    assert!(copy(&dirs) == table.bytes());
    let kept = report.kept.unwrap();
    assert!(fs::read(&kept).unwrap() == before);
    let stamp = kept.extension().unwrap().to_str().unwrap();
    let definition = fs::read(dirs.copies.join(format!("feed_7.frm.{stamp}"))).unwrap();
    assert!(definition == fs::read(fixture("plain", "frm")).unwrap());
    assert!(
        fs::read(dirs.copies.join("feed_7.frm")).unwrap()
            == fs::read(fixture("double", "frm")).unwrap()
    );
}

#[test]
fn what_the_old_script_made_is_taken_over_and_mended() {
    let whole = rows(0..20_000);
    let torn = &whole[..100_003];
    let stale = rows(500..20_500);
    let edited = [&whole[..900], &row(1_400_001_000, 3.5), &whole[909..90_000]].concat();
    let zeros = [&whole[..90_000], &[0; 900]].concat();
    for (held, outcome, repaired) in [
        (&whole[..], Outcome::Unchanged, 0),
        (torn, Outcome::Appended, 4),
        (&stale, Outcome::NewGeneration, 0),
        (&edited, Outcome::Patched, 0),
        (&zeros, Outcome::Appended, 900),
        (&[], Outcome::Appended, 0),
    ] {
        let dirs = dirs();
        let table = Table::indexed(&dirs.source, "feed_7", &whole);
        fs::write(dirs.copies.join("feed_7.MYD"), held).unwrap();
        let dry = run_one(&dirs, RunOptions { dry_run: true, ..options() });
        assert_eq!((dry.outcome, dry.adopted), (outcome, true), "{dry}");
        assert!(copy(&dirs) == held);
        let report = run(&dirs);
        assert_eq!((report.outcome, report.adopted), (outcome, true), "{report}");
        assert_eq!(report.bytes_repaired, repaired, "{report}");
        assert!(report.to_string().contains("taken over"), "{report}");
        assert!(copy(&dirs) == table.bytes());
        match outcome {
            Outcome::NewGeneration => {
                assert!(fs::read(report.kept.unwrap()).unwrap() == held);
            }
            Outcome::Patched => {
                assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM overwritten"), ["1"]);
            }
            _ => {}
        }
        let again = run(&dirs);
        assert_eq!(
            (again.outcome, again.adopted),
            (Outcome::Unchanged, false),
            "{again}"
        );
    }
}

#[test]
fn bytes_behind_what_is_committed_do_not_count() {
    let (dirs, table) = backed_up(50);
    for garbage in [&b"xyz"[..], &[0xff; 90], &rows(70..80)] {
        let held = [&copy(&dirs), garbage].concat();
        fs::write(dirs.copies.join("feed_7.MYD"), held).unwrap();
        let report = run(&dirs);
        assert_eq!(report.bytes_repaired, garbage.len() as u64, "{report}");
        assert!(copy(&dirs) == table.bytes());
    }
}

#[test]
fn a_copy_that_was_damaged_is_mended_from_the_source() {
    let (dirs, table) = backed_up(6 * BLOCK);
    let target = dirs.copies.join("feed_7.MYD");
    let damage = |offset: u64, bytes: &[u8]| {
        let file = fs::OpenOptions::new().write(true).open(&target).unwrap();
        file.write_all_at(bytes, offset).unwrap();
    };
    // A power cut spoils the end, of which the next append takes notice.
    let len = table.bytes().len() as u64;
    damage(len - 5000, &[0; 5000]);
    table.append(&rows(6 * BLOCK..6 * BLOCK + 10));
    let report = run(&dirs);
    assert_eq!(report.edit.as_deref(), Some("the copy was damaged"), "{report}");
    assert!(copy(&dirs) == table.bytes());
    settle(&table);
    // Bits rot anywhere: found by turns, or now.
    damage(70, b"x");
    let all = RunOptions { recheck: Recheck::All, ..options() };
    assert_eq!(run_one(&dirs, all).outcome, Outcome::Patched);
    assert!(copy(&dirs) == table.bytes());
    damage(BLOCK as u64 * 9 + 70, b"x");
    assert!((0..240).any(|_| run(&dirs).outcome == Outcome::Patched));
    assert!(copy(&dirs) == table.bytes());
    // Shorter, or gone.
    fs::OpenOptions::new().write(true).open(&target).unwrap().set_len(1000).unwrap();
    let report = run(&dirs);
    assert_eq!((report.outcome, report.adopted), (Outcome::Appended, true), "{report}");
    assert!(copy(&dirs) == table.bytes());
    fs::remove_file(&target).unwrap();
    assert_eq!(run(&dirs).outcome, Outcome::Created);
    assert!(copy(&dirs) == table.bytes());
    let verified = RunOptions { recheck: Recheck::All, ..options() };
    assert_eq!(run_one(&dirs, verified).outcome, Outcome::Unchanged);
    // Nothing worth keeping was given up.
    assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM generation"), ["0"]);
}

#[test]
fn a_damaged_copy_of_an_edited_source_is_kept() {
    let (dirs, table) = backed_up(50);
    let other = rows(300..350);
    fs::write(dirs.copies.join("feed_7.MYD"), &other).unwrap();
    table.update(3, &row(1_400_000_030, 99.0));
    let report = run(&dirs);
    assert_eq!(report.outcome, Outcome::NewGeneration, "{report}");
    assert!(fs::read(report.kept.unwrap()).unwrap() == other);
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn feeds_that_are_gone_stay_until_they_are_to_go() {
    let dirs = dirs();
    for number in 1..=5 {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..50 + number));
    }
    run_with(&dirs, options());
    let four = Table { data: dirs.source.join("feed_4.MYD") };
    four.write(&rows(0..5));
    run_with(&dirs, options());
    four.update(4, &row(1_400_000_040, 77.0));
    run_with(&dirs, options());
    for number in 2..=4 {
        for extension in ["MYD", "MYI", "frm"] {
            fs::remove_file(dirs.source.join(format!("feed_{number}.{extension}")))
                .unwrap();
        }
    }
    // An old copy that the catalog does not know of is one, too.
    fs::write(dirs.copies.join("feed_9.MYD"), rows(0..4)).unwrap();
    let held = contents(&dirs.copies);
    let (_, summary) = run_with(&dirs, options());
    assert_eq!((summary.source_gone, summary.deleted), (4, 0));
    let (_, summary) =
        run_with(&dirs, RunOptions { delete: true, max_delete: 3, ..options() });
    assert_eq!((summary.source_gone, summary.deleted), (4, 0));
    assert!(summary.not_deleted.as_ref().unwrap().contains("--max-delete"));
    assert!(!summary.is_complete());
    let dry = RunOptions { delete: true, dry_run: true, ..options() };
    assert_eq!(run_with(&dirs, dry).1.deleted, 4);
    assert_eq!(contents(&dirs.copies), held);
    let some = RunOptions { delete: true, only: vec!["1-3".into()], ..options() };
    assert_eq!(run_with(&dirs, some).1.deleted, 2);
    let (_, summary) = run_with(&dirs, RunOptions { delete: true, ..options() });
    assert_eq!((summary.source_gone, summary.deleted, summary.feeds), (0, 2, 2));
    assert_eq!(
        names(&dirs.copies),
        ["feed_1.MYD", "feed_1.frm", "feed_5.MYD", "feed_5.frm"]
    );
    assert_eq!(
        ask(&dirs, "SELECT name FROM feed ORDER BY name"),
        ["feed_1.MYD", "feed_5.MYD"]
    );
    for table in ["generation", "overwritten"] {
        assert_eq!(ask(&dirs, &format!("SELECT COUNT(*) FROM {table}")), ["0"]);
    }
    // What was overwritten is not left in the file either.
    let value = row(1_400_000_040, 1.0);
    let bytes = fs::read(dirs.copies.join(CATALOG_FILE)).unwrap();
    assert!(!bytes.windows(5).any(|window| *window == value[..5]));
}

#[test]
fn php_time_series_and_php_fina_are_backed_up() {
    let dirs = dirs();
    let bare = Table::bare(&dirs.source, "feed_7", &rows(0..100));
    let dat = dirs.source.join("12.dat");
    let values = |count: u32| -> Vec<u8> {
        (0..count).flat_map(|i| (i as f32 / 8.0).to_le_bytes()).collect()
    };
    let meta = |interval: u32, start: u32| -> Vec<u8> {
        [0, 0, interval, start].iter().flat_map(|n| n.to_le_bytes()).collect()
    };
    fs::write(&dat, values(1000)).unwrap();
    fs::write(dirs.source.join("12.meta"), meta(10, 1_400_000_000)).unwrap();
    let done = |options: RunOptions| -> Vec<String> {
        let (done, _) = run_with(&dirs, options);
        done.iter().map(|(file, done)| format!("{file} {}", done.name())).collect()
    };
    let both = |what: &str| {
        assert!(fs::read(dirs.copies.join("12.dat")).unwrap() == fs::read(&dat).unwrap());
        assert!(
            fs::read(dirs.copies.join("feed_7.MYD")).unwrap() == bare.bytes(),
            "{what}"
        );
    };
    assert_eq!(done(options()), ["feed_7.MYD created", "12.dat created"]);
    both("created");
    assert_eq!(names(&dirs.copies), ["12.dat", "12.meta", "feed_7.MYD"]);
    assert_eq!(done(options()), ["feed_7.MYD unchanged", "12.dat unchanged"]);
    // Half a value is none.
    fs::write(&dat, [values(1500), vec![1, 2]].concat()).unwrap();
    fs::write(&bare.data, [rows(0..120), vec![0xf9]].concat()).unwrap();
    assert_eq!(done(options()), ["feed_7.MYD appended", "12.dat appended"]);
    fs::write(&dat, values(1500)).unwrap();
    fs::write(&bare.data, rows(0..120)).unwrap();
    both("appended");
    let mut edited = values(1500);
    edited[400..404].copy_from_slice(&7.5_f32.to_le_bytes());
    fs::write(&dat, &edited).unwrap();
    assert_eq!(
        done(RunOptions { recheck: Recheck::All, ..options() }),
        ["feed_7.MYD unchanged", "12.dat patched"]
    );
    both("edited");
    // Values that begin elsewhere are others, all of them.
    fs::write(dirs.source.join("12.meta"), meta(10, 1_400_000_010)).unwrap();
    assert_eq!(done(options()), ["feed_7.MYD unchanged", "12.dat new-generation"]);
    fs::write(dirs.source.join("12.meta"), "short").unwrap();
    assert_eq!(done(options()), ["feed_7.MYD unchanged", "12.dat failed"]);
    assert_eq!(
        ask(&dirs, "SELECT kind FROM feed ORDER BY name"),
        ["phpfina", "phptimeseries"]
    );
    let last = ask(&dirs, "SELECT last_time FROM feed ORDER BY name");
    assert_eq!(last, [(1_400_000_010 + 14_990).to_string(), "1400001190".to_owned()]);
}

#[test]
fn a_run_can_be_stopped_in_the_middle_of_a_feed_and_keeps_what_it_copied() {
    let count = 40 * BLOCK;
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..count));
    let mut run = Backup::open(&dirs.source, &dirs.copies, options()).unwrap();
    let mut blocks = 0;
    let report = run
        .step(&mut |_, _| {
            blocks += 1;
            blocks < 3
        })
        .unwrap()
        .unwrap();
    assert!(run.step(&mut |_, _| true).unwrap().is_none());
    let Done::Copied(report) = report.done else { panic!("{report:?}") };
    let so_far = 24 * BLOCK;
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Created, so_far.into()));
    let summary = run.close().unwrap();
    assert!(summary.stopped && !summary.is_complete());
    assert!(copy(&dirs) == table.bytes()[..so_far as usize * STRIDE]);
    assert_eq!(ask(&dirs, "SELECT outcome FROM run"), ["stopped"]);
    assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM seen"), ["0"]);
    let report = run_one(&dirs, options());
    assert_eq!(report.rows_copied, u64::from(count - so_far));
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn a_large_feed_is_committed_piece_by_piece_and_reported_once() {
    let count = (150 << 20) / STRIDE as u32;
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..count));
    let report = run(&dirs);
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Created, count.into()));
    assert!(copy(&dirs) == table.bytes());
    table.set_header(160, &7u64.to_be_bytes());
    table.update(5, &row(1_400_000_050, 1.0));
    let report = run(&dirs);
    assert_eq!(
        (report.outcome, report.rows_copied),
        (Outcome::NewGeneration, count.into())
    );
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn destinations_that_others_can_change_are_refused() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    for mode in [0o777, 0o1777, 0o770, 0o702] {
        fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(mode)).unwrap();
        let error = refused(&dirs, options());
        assert_eq!(error.status(), Status::Destination, "{error}");
        assert!(error.to_string().contains("others can write"), "{error}");
    }
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(names(&dirs.copies), [""; 0]);
    let same = refused(&dirs, RunOptions::default());
    assert!(same.to_string().contains("--same-device"), "{same}");
    run(&dirs);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&dirs.copies, Some(12345), None).unwrap();
        let error = refused(&dirs, options());
        assert!(error.to_string().contains("--trust-owner"), "{error}");
        run_one(&dirs, RunOptions { trust_owner: true, ..options() });
    }
}

#[test]
fn an_unmounted_disk_is_noticed_before_anything_is_made() {
    let mut dirs = dirs();
    Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    dirs.copies = dirs.copies.join("emoncms");
    let root = fs::metadata("/").unwrap();
    let here = fs::metadata(&dirs.source).unwrap();
    use std::os::unix::fs::MetadataExt;
    let mounted = root.dev() != here.dev();
    let strict = RunOptions { require_mount: true, ..options() };
    if mounted {
        Backup::open(&dirs.source, &dirs.copies, strict).unwrap();
    } else {
        let error = refused(&dirs, strict);
        assert!(error.to_string().contains("--require-mount"), "{error}");
        assert!(!dirs.copies.exists());
    }
}

#[test]
fn files_of_the_destination_that_are_links_are_not_followed() {
    for name in [CATALOG_FILE, "emonfeed.sqlite-journal", "feed_7.MYD", ".emonfeed.lock"]
    {
        let dirs = dirs();
        Table::indexed(&dirs.source, "feed_7", &rows(0..10));
        let elsewhere = dirs.root.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        let planted = dirs.copies.join(name);
        for plant in ["symlink", "hard link", "dangling"] {
            match plant {
                "symlink" => symlink(&elsewhere, &planted).unwrap(),
                "hard link" => fs::hard_link(&elsewhere, &planted).unwrap(),
                _ => symlink(dirs.root.path().join("made"), &planted).unwrap(),
            }
            let ended =
                Backup::open(&dirs.source, &dirs.copies, options()).map(|mut run| {
                    let step = run.step(&mut |_, _| true);
                    let done = step.map(|report| report.map(|report| report.done));
                    run.close().unwrap();
                    done
                });
            let is_lock = name == ".emonfeed.lock" && plant == "hard link";
            match ended {
                Err(_) | Ok(Ok(Some(Done::Failed(_)))) => {}
                // A lock is never written to.
                Ok(Ok(Some(Done::Copied(_)))) if is_lock => {}
                other => panic!("{plant} at {name}: {other:?}"),
            }
            assert_eq!(fs::read(&elsewhere).unwrap(), b"precious", "{plant} at {name}");
            assert!(!dirs.root.path().join("made").exists(), "{plant} at {name}");
            fs::remove_file(&planted).unwrap();
        }
    }
}

#[test]
fn a_catalog_that_is_none_is_not_touched() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    let path = dirs.copies.join(CATALOG_FILE);
    let other = b"this is not a database, but it is somebody's".repeat(100);
    fs::write(&path, &other).unwrap();
    let error = refused(&dirs, options());
    assert_eq!(error.status(), Status::Catalog, "{error}");
    assert_eq!(fs::read(&path).unwrap(), other);
    fs::remove_file(&path).unwrap();
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)").unwrap();
    drop(foreign);
    let error = refused(&dirs, options());
    assert!(error.to_string().contains("not a catalog"), "{error}");
    fs::remove_file(&path).unwrap();
    run(&dirs);
    catalog(&dirs).execute_batch("PRAGMA user_version = 99").unwrap();
    let error = refused(&dirs, options());
    assert!(error.to_string().contains("version 99"), "{error}");
}

#[test]
fn a_single_copy_keeps_out_of_a_directory_with_a_catalog() {
    let (dirs, table) = backed_up(10);
    let error = crate::table::copy(&table, &dirs.copies).unwrap_err();
    assert_eq!(error.status(), Status::Destination, "{error}");
    assert!(error.to_string().contains("emonfeed backup"), "{error}");
}

#[test]
fn failures_are_in_the_catalog_until_they_are_over() {
    let (dirs, table) = backed_up(10);
    table.set_header(26, &[2]);
    let (done, summary) = run_with(&dirs, options());
    assert!(matches!(done[0].1, Done::Failed(_)) && summary.failed == 1);
    let told = ask(&dirs, "SELECT failure FROM status");
    assert!(told[0].contains("REPAIR"), "{told:?}");
    assert_eq!(ask(&dirs, "SELECT outcome FROM run WHERE id = 2"), ["incomplete"]);
    table.set_header(26, &[0]);
    run(&dirs);
    assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM failure"), ["0"]);
}

#[test]
fn times_of_files_decide_nothing() {
    let (dirs, table) = backed_up(2 * BLOCK);
    for seconds in [0, 4_102_444_800] {
        table.update(5, &row(1_400_000_050, seconds as f32 + 1.0));
        for path in [&table.data, &table.with("MYI"), &table.with("frm")] {
            set_time(path, seconds);
        }
        for name in names(&dirs.copies) {
            set_time(&dirs.copies.join(name), seconds + 1000);
        }
        assert_eq!(run(&dirs).outcome, Outcome::Patched);
        assert!(copy(&dirs) == table.bytes());
        table.append(&rows(2 * BLOCK..2 * BLOCK + 3));
        table.write(&[table.bytes(), vec![]].concat());
        set_time(&table.data, seconds);
        assert_ne!(run(&dirs).outcome, Outcome::Unchanged);
        assert!(copy(&dirs) == table.bytes());
        table.write(&rows(0..2 * BLOCK));
        set_time(&table.data, seconds);
        run(&dirs);
        assert!(copy(&dirs) == table.bytes());
    }
    assert!(SystemTime::now() > UNIX_EPOCH);
}

/// Has the last run look as if it had been cut short.
fn cut_short(dirs: &Dirs) {
    let sql = "UPDATE run SET seconds = NULL WHERE id = (SELECT MAX(id) FROM run)";
    catalog(dirs).execute_batch(sql).unwrap();
}

fn damage(dirs: &Dirs, offset: u64, bytes: &[u8]) {
    let target = dirs.copies.join("feed_7.MYD");
    let file = fs::OpenOptions::new().write(true).open(target).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

#[test]
fn the_copy_is_looked_at_however_much_of_the_source_is() {
    // The counters call for a look at all of the source.
    let (dirs, table) = backed_up(4000);
    damage(&dirs, 35_900, &[0; 100]);
    for _ in 0..40 {
        table.count_a_write();
    }
    table.append(&rows(4000..4001));
    run(&dirs);
    assert!(copy(&dirs) == table.bytes());
    // After a run that was cut short all of the copy is suspicious, until it was
    // looked at.
    damage(&dirs, 900, &[0; 100]);
    cut_short(&dirs);
    Table::indexed(&dirs.source, "feed_8", &rows(0..10));
    run_with(&dirs, RunOptions { only: vec!["8".into()], ..options() });
    assert!(copy(&dirs) != table.bytes());
    run_with(&dirs, options());
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn a_damaged_block_that_the_source_has_no_more_is_kept() {
    let (dirs, table) = backed_up(80 * BLOCK);
    edit_in_secret(&table, 40 * BLOCK, 99.0);
    damage(&dirs, 40 * u64::from(BLOCK) * 9 + 900, b"damage");
    let before = copy(&dirs);
    cut_short(&dirs);
    let report = run_one(&dirs, RunOptions { recheck: Recheck::None, ..options() });
    assert_eq!(report.outcome, Outcome::NewGeneration, "{report}");
    assert!(fs::read(report.kept.unwrap()).unwrap() == before);
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn states_that_led_to_a_copy_go_with_it() {
    for shortened in [false, true] {
        let (dirs, table) = backed_up(50);
        table.update(3, &row(1_400_000_030, 99.0));
        run(&dirs);
        assert_eq!(ask(&dirs, "SELECT COUNT(*) FROM overwritten"), ["1"]);
        let target = dirs.copies.join("feed_7.MYD");
        if shortened {
            fs::write(&target, &table.bytes()[..90]).unwrap();
        } else {
            fs::remove_file(&target).unwrap();
        }
        table.append(&rows(50..60));
        run(&dirs);
        assert!(copy(&dirs) == table.bytes());
        for table in ["overwritten", "generation"] {
            assert_eq!(ask(&dirs, &format!("SELECT COUNT(*) FROM {table}")), ["0"]);
        }
        assert_eq!(run(&dirs).outcome, Outcome::Unchanged);
    }
}

#[test]
fn another_source_deletes_nothing() {
    let (mut dirs, _) = backed_up(50);
    let other = dirs.root.path().join("other");
    fs::create_dir(&other).unwrap();
    Table::indexed(&other, "feed_99", &rows(0..10));
    let held = contents(&dirs.copies);
    dirs.source = other;
    let (_, summary) = run_with(&dirs, RunOptions { delete: true, ..options() });
    assert_eq!((summary.deleted, summary.source_gone), (0, 1));
    assert!(summary.not_deleted.unwrap().contains("right source"));
    let now = contents(&dirs.copies);
    assert!(held.iter().all(|(name, bytes)| now.get(name) == Some(bytes)));
}

#[test]
fn a_new_generation_that_is_told_to_stop_stops_and_leaves_the_old_one() {
    let (dirs, table) = backed_up(10);
    table.write(&rows(50..40 * BLOCK));
    for adopted in [false, true] {
        if adopted {
            fs::remove_file(dirs.copies.join(CATALOG_FILE)).unwrap();
        }
        let before = copy(&dirs);
        let mut run = Backup::open(&dirs.source, &dirs.copies, options()).unwrap();
        let mut blocks = 0;
        let mut progress = |_: &_, _| {
            blocks += 1;
            blocks < 2
        };
        assert!(run.step(&mut progress).unwrap().is_none());
        assert!(run.close().unwrap().stopped);
        assert_eq!(blocks, 2, "it was not tried again");
        assert!(copy(&dirs) == before);
        // The first run of all saw it complete.
        let seen = if adopted { "0" } else { "1" };
        assert_eq!(ask(&dirs, "SELECT COALESCE(SUM(run), 0) FROM seen"), [seen]);
    }
    run(&dirs);
    assert!(copy(&dirs) == table.bytes());
}

#[test]
fn rows_deleted_and_filled_again_leave_the_old_copy_as_it_was() {
    // No new table, and more rows than before: only the rows tell.
    let (dirs, table) = backed_up(30);
    table.write(&rows(500..40 * BLOCK));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 0 });
}

#[test]
fn the_end_is_compared_over_the_border_of_two_blocks() {
    for (count, index) in [(64 * BLOCK + 1, 64 * BLOCK - 2), (BLOCK + 1, BLOCK - 300)] {
        for grown in [0, 5] {
            let (dirs, table) = backed_up(count);
            edit_in_secret(&table, index, 99.0);
            if grown > 0 {
                table.append(&rows(count..count + grown));
            }
            assert_eq!(run(&dirs).outcome, Outcome::Patched);
            assert!(copy(&dirs) == table.bytes());
        }
    }
}

#[test]
fn a_damaged_definition_is_mended() {
    let (dirs, table) = backed_up(50);
    let definition = dirs.copies.join("feed_7.frm");
    let good = fs::read(&definition).unwrap();
    for damaged in [&b"no definition"[..], &good[..900]] {
        fs::write(&definition, damaged).unwrap();
        run_one(&dirs, RunOptions { recheck: Recheck::All, ..options() });
        assert!(fs::read(&definition).unwrap() == good);
    }
    // A statement can change the definition alone: found by turns, at the latest.
    let mut commented = fs::read(table.with("frm")).unwrap();
    let last = commented.len() - 1;
    commented[last] ^= 1;
    fs::write(table.with("frm"), &commented).unwrap();
    settle(&table);
    assert!((0..30).any(|_| {
        run(&dirs);
        fs::read(&definition).unwrap() == commented
    }));
}

#[test]
fn figures_of_a_head_may_be_as_large_as_they_like() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    Table::indexed(&dirs.source, "feed_8", &rows(0..10));
    // When the table was made, which only has to be another one.
    for made in [u64::MAX, 1 << 63, i64::MAX as u64] {
        table.set_header(160, &made.to_be_bytes());
        table.append(&rows(10..11));
        let (done, summary) = run_with(&dirs, options());
        assert!(summary.is_complete(), "{done:?}");
        assert!(copy(&dirs) == table.bytes());
        let (done, _) = run_with(&dirs, options());
        assert!(done.iter().all(|(_, done)| done.name() == "unchanged"), "{done:?}");
    }
}

#[test]
fn a_catalog_that_does_not_tell_who_counted_is_used_and_learns_it() {
    let (dirs, table) = backed_up(2 * BLOCK);
    catalog(&dirs)
        .execute_batch(
            "ALTER TABLE feed DROP COLUMN process; ALTER TABLE feed DROP COLUMN opened",
        )
        .unwrap();
    // Looking at it changes nothing.
    for command in ["verify", "status"] {
        let args = [command.as_ref(), dirs.copies.as_os_str()];
        let looked = crate::program::run(crate::program::emonfeed(args));
        assert_eq!(looked.code(), 0, "{looked:?}");
    }
    assert_eq!(run(&dirs).outcome, Outcome::Unchanged);
    table.append(&rows(2 * BLOCK..2 * BLOCK + 1));
    assert_eq!(run(&dirs).outcome, Outcome::Appended);
    assert_eq!(ask(&dirs, "SELECT process IS NOT NULL FROM feed"), ["1"]);
}
