//! What is not copied, and what is not written to.

use crate::table::{Dirs, Table, contents, copy, dirs, fixture, refused, row, rows};
use emonfeed::Status;
use emonfeed::backup::{self, CopyOptions, Outcome};
use rustix::fs::{CWD, FileType, FlockOperation, Mode, flock, mknodat};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

/// A table of 50 rows, and a copy of its first 40.
fn copied() -> (Dirs, Table) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..40));
    copy(&table, &dirs.copies).unwrap();
    table.append(&rows(40..50));
    (dirs, table)
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// The copy fails with that status, and nothing in its directory changes.
#[track_caller]
fn unharmed(dirs: &Dirs, table: &Table, status: Status) -> String {
    let before = contents(&dirs.copies);
    let message = refused(table, &dirs.copies, status);
    assert_eq!(contents(&dirs.copies), before, "{message}");
    message
}

#[test]
fn a_row_that_cannot_be_is_refused_with_its_place() {
    let (dirs, table) = copied();
    let mut bad = row(1_400_000_450, 1.0);
    bad[0] = 0x51;
    table.update(45, &bad);
    let message = unharmed(&dirs, &table, Status::BadRow);
    assert!(message.contains("at byte 405") && message.contains("0x51"), "{message}");
    // Also when it would be copied anew.
    table.update(30, &row(1_400_000_300, 99.0));
    unharmed(&dirs, &table, Status::BadRow);
    // And with nothing there yet.
    fs::remove_file(dirs.copies.join("feed_7.MYD")).unwrap();
    unharmed(&dirs, &table, Status::BadRow);

    let bare = Table::bare(&dirs.source, "feed_8", &[rows(0..70), bad].concat());
    let message = unharmed(&dirs, &bare, Status::BadRow);
    assert!(message.contains("at byte 630"), "{message}");
}

#[test]
fn a_bad_row_far_behind_undoes_what_was_appended_before_it() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..40));
    copy(&table, &dirs.copies).unwrap();
    table.append(&rows(40..100_000));
    table.update(99_990, &[0x51; 9]);
    unharmed(&dirs, &table, Status::BadRow);
    // Neither is the value of the last row kept that was patched with it.
    table.update(39, &row(1_400_000_390, 1.0));
    unharmed(&dirs, &table, Status::BadRow);
}

#[test]
fn damaged_and_foreign_tables_are_refused_by_name() {
    let (dirs, table) = copied();
    let header = fs::read(table.with("MYI")).unwrap();
    let damage: &[(u64, &[u8], Status)] = &[
        (26, &[2], Status::Crashed),
        (4, &[0, 4], Status::Compressed),
        (4, &[0, 1], Status::Dynamic),
        (68, &455u64.to_be_bytes(), Status::PhaseShifted),
        (68, &900u64.to_be_bytes(), Status::Damaged),
        (0, &[0], Status::Damaged),
    ];
    for (offset, bytes, status) in damage {
        table.set_header(*offset, bytes);
        unharmed(&dirs, &table, *status);
        fs::write(table.with("MYI"), &header).unwrap();
    }
    for refused in ["varchar", "time_as_text"] {
        let dir = fixture("plain", "MYD").parent().unwrap().with_file_name("refused");
        let mut files = fs::read_dir(dir.join(refused)).unwrap();
        let data = files.find_map(|file| {
            let path = file.unwrap().path();
            (path.extension()? == "MYD").then_some(path)
        });
        let before = contents(&dirs.copies);
        assert!(copy(&Table { data: data.unwrap() }, &dirs.copies).is_err());
        assert_eq!(contents(&dirs.copies), before);
    }
    fs::remove_file(table.with("frm")).unwrap();
    unharmed(&dirs, &table, Status::MissingDefinition);
    fs::remove_file(table.with("MYI")).unwrap();
    fs::remove_file(&table.data).unwrap();
    unharmed(&dirs, &table, Status::NotFound);
    fs::write(table.with("ibd"), "").unwrap();
    unharmed(&dirs, &table, Status::Engine);
}

#[test]
fn sources_that_are_no_plain_files_are_refused() {
    for extension in ["MYD", "MYI", "frm"] {
        let (dirs, table) = copied();
        let path = table.with(extension);
        let elsewhere = dirs.source.join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let message = unharmed(&dirs, &table, Status::NotRegular);
        assert!(message.contains("symbolic link, and"), "{message}");
        fs::remove_file(&path).unwrap();
        // Opening a pipe would wait for a writer.
        pipe(&path);
        unharmed(&dirs, &table, Status::NotRegular);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        unharmed(&dirs, &table, Status::NotRegular);
    }
}

#[test]
fn destinations_that_are_no_plain_files_are_refused() {
    for name in ["feed_7.MYD", "feed_7.frm"] {
        let (dirs, table) = copied();
        fs::remove_file(table.with("MYI")).unwrap();
        let path = dirs.copies.join(name);
        let elsewhere = dirs.source.join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        let there = fs::read(&elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        unharmed(&dirs, &table, Status::NotRegular);
        assert_eq!(fs::read(&elsewhere).unwrap(), there);
        fs::remove_file(&path).unwrap();
        symlink(dirs.source.join("nothing"), &path).unwrap();
        unharmed(&dirs, &table, Status::NotRegular);
        assert!(!dirs.source.join("nothing").exists());
        fs::remove_file(&path).unwrap();
        pipe(&path);
        unharmed(&dirs, &table, Status::NotRegular);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        unharmed(&dirs, &table, Status::NotRegular);
    }
}

#[test]
fn a_link_planted_under_the_name_of_a_new_file_is_not_followed() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..40));
    let victim = dirs.source.join("victim");
    fs::write(&victim, "precious").unwrap();
    for name in [".feed_7.MYD.partial", ".feed_7.frm.partial"] {
        let planted = dirs.copies.join(name);
        symlink(&victim, &planted).unwrap();
        unharmed(&dirs, &table, Status::NotRegular);
        fs::remove_file(&planted).unwrap();
        fs::hard_link(&victim, &planted).unwrap();
        copy(&table, &dirs.copies).unwrap();
        assert!(!planted.exists());
        for made in ["feed_7.MYD", "feed_7.frm"] {
            fs::remove_file(dirs.copies.join(made)).unwrap();
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
}

#[test]
fn a_copy_with_other_names_is_refused() {
    let (dirs, table) = copied();
    let elsewhere = dirs.source.join("elsewhere");
    fs::hard_link(dirs.copies.join("feed_7.MYD"), &elsewhere).unwrap();
    unharmed(&dirs, &table, Status::Destination);
    fs::remove_file(elsewhere).unwrap();
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Appended);
}

#[test]
fn the_source_is_not_copied_onto_itself() {
    let (dirs, table) = copied();
    let before = contents(&dirs.source);
    for destination in [&dirs.source, &table.data] {
        let message = refused(&table, destination, Status::Destination);
        assert!(message.contains("same file"), "{message}");
    }
    assert_eq!(contents(&dirs.source), before);
    // By another name.
    let other = dirs.copies.join("feed_9.MYD");
    fs::hard_link(&table.data, &other).unwrap();
    let message = refused(&table, &other, Status::Destination);
    assert!(message.contains("same file"), "{message}");
}

#[test]
fn a_table_of_a_server_is_no_place_for_a_copy() {
    // Source and destination exchanged: the copy would replace the table.
    let (dirs, table) = copied();
    let copied = Table { data: dirs.copies.join("feed_7.MYD") };
    let before = contents(&dirs.source);
    let message = refused(&copied, &dirs.source, Status::Destination);
    assert!(message.contains("exchanged"), "{message}");
    assert_eq!(contents(&dirs.source), before);
    fs::remove_file(table.with("MYI")).unwrap();
    fs::remove_file(&table.data).unwrap();
    fs::write(dirs.source.join("db.opt"), "").unwrap();
    let message = refused(&copied, &dirs.source, Status::Destination);
    assert!(message.contains("exchanged"), "{message}");
    assert!(!table.data.exists());
}

#[test]
fn destinations_must_have_a_name_and_a_directory() {
    let (dirs, table) = copied();
    refused(&table, &dirs.copies.join("feed_7"), Status::Argument);
    refused(&table, &dirs.copies.join("feed_7.frm"), Status::Argument);
    refused(&table, &dirs.copies.join("none/feed_7.MYD"), Status::NotFound);
    let no_table = Table { data: dirs.source.join("feed_7.frm") };
    refused(&no_table, &dirs.copies, Status::NotAFeed);
    // In a dry run a directory to be is no fault.
    let dry = CopyOptions { dry_run: true, ..CopyOptions::default() };
    let target = dirs.copies.join("none/feed_7.MYD");
    let report = backup::copy(&table.data, &target, &dry, &mut |_| {}).unwrap();
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Created, 50));
}

#[test]
fn a_copy_being_written_by_another_is_left_alone() {
    let (dirs, table) = copied();
    let target = dirs.copies.join("feed_7.MYD");
    let other = fs::File::open(&target).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    unharmed(&dirs, &table, Status::Locked);
    // A reader is waited for.
    flock(&other, FlockOperation::LockShared).unwrap();
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(other);
    });
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Appended);
    reader.join().unwrap();

    // The same for a file that is being made.
    fs::remove_file(&target).unwrap();
    let partial = fs::File::create(dirs.copies.join(".feed_7.MYD.partial")).unwrap();
    flock(&partial, FlockOperation::LockExclusive).unwrap();
    unharmed(&dirs, &table, Status::Locked);
    drop(partial);
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Created);
    assert!(!dirs.copies.join(".feed_7.MYD.partial").exists());
}

#[test]
fn a_bare_file_is_read_when_its_writer_lets_go_of_it() {
    let dirs = dirs();
    let table = Table::bare(&dirs.source, "feed_7", &rows(0..40));
    let writer = fs::File::open(&table.data).unwrap();
    flock(&writer, FlockOperation::LockExclusive).unwrap();
    let torn = [rows(0..40), vec![0xf9, 1]].concat();
    fs::write(&table.data, torn).unwrap();
    let writing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        let data = std::path::PathBuf::from(format!("/proc/self/fd/{}", {
            use std::os::fd::AsRawFd;
            writer.as_raw_fd()
        }));
        fs::write(fs::read_link(data).unwrap(), rows(0..41)).unwrap();
        drop(writer);
    });
    assert_eq!(copy(&table, &dirs.copies).unwrap().rows_total, 41);
    writing.join().unwrap();
}
