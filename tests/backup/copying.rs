//! What is copied, and how much of it.

use crate::table::{
    Dirs, STRIDE, Table, contents, copy, dirs, fixture, names, row, rows,
};
use emonfeed::backup::{self, CopyOptions, Outcome, plan::Reason};
use emonfeed::{Feed, query};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A source, its directories, and the path of its copy.
fn indexed(count: u32) -> (Dirs, Table, PathBuf) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..count));
    let target = dirs.copies.join("feed_7.MYD");
    (dirs, table, target)
}

#[test]
fn a_copy_is_the_rows_and_the_definition_and_nobody_else_reads_it() {
    let (dirs, table, target) = indexed(1000);
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!(report.outcome, Outcome::Created);
    assert_eq!((report.rows_copied, report.rows_total), (1000, 1000));
    assert_eq!((report.bytes_copied, report.bytes_total), (9000, 9000));
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    let frm = fs::read(dirs.copies.join("feed_7.frm")).unwrap();
    assert_eq!(frm, fs::read(table.with("frm")).unwrap());
    for name in ["feed_7.MYD", "feed_7.frm"] {
        let mode = fs::metadata(dirs.copies.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // It is a feed of its own.
    let feed = Feed::open(&target).unwrap();
    assert_eq!(query::meta(&feed).unwrap().npoints, 1000);
}

#[test]
fn every_recorded_shape_is_copied_and_reads_as_before() {
    let shapes =
        fs::read_dir(fixture("plain", "MYD").parent().unwrap().parent().unwrap());
    let mut copied = 0;
    for shape in shapes.unwrap() {
        let shape = shape.unwrap();
        let source = shape.path().join("feed_1.MYD");
        if !source.exists() {
            continue;
        }
        let dirs = dirs();
        let table = Table { data: source };
        let report = copy(&table, &dirs.copies).unwrap();
        assert_eq!(
            report.bytes_total,
            report.rows_total * (table.bytes().len() as u64 / report.rows_total)
        );
        let target = dirs.copies.join("feed_1.MYD");
        assert_eq!(fs::read(&target).unwrap(), table.bytes());
        let answer = |path| {
            let feed = Feed::open(path)?;
            query::rows(&feed, i64::MIN, i64::MAX, 0)
        };
        match answer(&target) {
            Ok(series) => assert_eq!(
                format!("{:?}", series.points),
                format!("{:?}", answer(&table.data).unwrap().points)
            ),
            // Such rows need the .MYI to be read, which a copy has not.
            Err(error) => assert_eq!(error.status(), emonfeed::Status::MissingDefinition),
        }
        assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
        copied += 1;
    }
    assert!(copied >= 20, "{copied} shapes");
}

#[test]
fn only_new_rows_are_appended_to_the_same_file() {
    let (dirs, table, target) = indexed(1000);
    copy(&table, &dirs.copies).unwrap();
    let inode = fs::metadata(&target).unwrap().ino();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();

    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
    assert_eq!((report.rows_copied, report.rows_total), (0, 1000));

    table.append(&rows(1000..1007));
    let mut written = 0;
    let report =
        backup::copy(&table.data, &target, &CopyOptions::default(), &mut |bytes| {
            written += bytes;
        });
    let report = report.unwrap();
    assert_eq!(report.outcome, Outcome::Appended);
    assert_eq!((report.rows_copied, report.bytes_copied, written), (7, 63, 63));
    assert_eq!(report.rows_total, 1007);
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    let meta = fs::metadata(&target).unwrap();
    assert_eq!((meta.ino(), meta.mode() & 0o777), (inode, 0o640));
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn links_to_directories_are_followed() {
    let (dirs, table, target) = indexed(100);
    let link = |to: &Path, name: &str| {
        let link = dirs.root.path().join(name);
        symlink(to, &link).unwrap();
        link
    };
    let from = Table { data: link(&dirs.source, "from").join("feed_7.MYD") };
    let to = link(&dirs.copies, "to");
    assert_eq!(copy(&from, &to).unwrap().outcome, Outcome::Created);
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    table.append(&rows(100..110));
    let report = copy(&from, &to.join("feed_7.MYD")).unwrap();
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Appended, 10));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    // Also one that is named as a copy would be.
    let named = link(&dirs.copies, "feed_9.MYD");
    assert_eq!(copy(&from, &named).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn what_is_not_committed_is_not_copied() {
    let (dirs, table, target) = indexed(100);
    let mut longer = rows(0..150);
    longer.extend([0xf9, 1, 2]);
    fs::write(&table.data, &longer).unwrap();
    assert_eq!(copy(&table, &dirs.copies).unwrap().rows_total, 100);
    assert_eq!(fs::read(&target).unwrap(), rows(0..100));
    table.commit(150 * STRIDE as u64);
    assert_eq!(copy(&table, &dirs.copies).unwrap().rows_copied, 50);
    assert_eq!(fs::read(&target).unwrap(), rows(0..150));
}

#[test]
fn of_a_bare_file_whole_rows_are_copied() {
    let dirs = dirs();
    let mut torn = rows(0..30);
    torn.extend([0xf9, 1, 2]);
    let table = Table::bare(&dirs.source, "feed_7", &torn);
    assert_eq!(copy(&table, &dirs.copies).unwrap().rows_total, 30);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD"]);
    assert_eq!(fs::read(dirs.copies.join("feed_7.MYD")).unwrap(), rows(0..30));
}

#[test]
fn large_feeds_are_copied_in_blocks() {
    let (dirs, table, target) = indexed(300_000);
    let copying = |blocks: &mut u64| {
        let mut count = |_| *blocks += 1;
        backup::copy(&table.data, &target, &CopyOptions::default(), &mut count).unwrap()
    };
    let mut blocks = 0;
    assert_eq!(copying(&mut blocks).outcome, Outcome::Created);
    assert_eq!(blocks, 3);
    table.append(&rows(300_000..420_000));
    let mut blocks = 0;
    assert_eq!(copying(&mut blocks).rows_copied, 120_000);
    assert_eq!(blocks, 5);
    assert_eq!(fs::read(&target).unwrap(), rows(0..420_000));
    drop(dirs);
}

#[test]
fn a_copy_by_the_old_script_is_carried_on() {
    let (dirs, table, target) = indexed(100);
    fs::write(&target, rows(0..60)).unwrap();
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Appended, 40));
    assert!(report.definition_copied);
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn an_empty_table_is_copied_and_carried_on() {
    let (dirs, table, target) = indexed(0);
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Created);
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
    table.append(&rows(0..3));
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Appended);
    assert_eq!(fs::read(&target).unwrap(), rows(0..3));
}

#[test]
fn a_torn_row_at_the_end_of_the_copy_is_cut_off() {
    let (dirs, table, target) = indexed(100);
    for (held, torn, outcome, copied) in [
        (100, 5, Outcome::Appended, 0),
        (60, 8, Outcome::Appended, 40),
        (0, 4, Outcome::Appended, 100),
    ] {
        let mut bytes = rows(0..held);
        bytes.extend(&[0xee; 8][..torn]);
        fs::write(&target, bytes).unwrap();
        let report = copy(&table, &dirs.copies).unwrap();
        assert_eq!((report.outcome, report.rows_copied), (outcome, copied));
        assert_eq!(report.bytes_repaired, torn as u64);
        assert_eq!(report.kept, None);
        assert_eq!(fs::read(&target).unwrap(), table.bytes());
    }
    let leftovers = names(&dirs.copies);
    assert_eq!(leftovers, ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn the_last_row_of_a_daily_feed_is_patched() {
    let (dirs, table, target) = indexed(100);
    copy(&table, &dirs.copies).unwrap();
    let inode = fs::metadata(&target).unwrap().ino();
    let last = 1_400_000_000 + 990;

    table.update(99, &row(last, 12.5));
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Patched, 1));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());

    // Again, and then a new day begins.
    table.update(99, &row(last, 13.5));
    table.append(&rows(100..102));
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!((report.outcome, report.rows_copied), (Outcome::Patched, 3));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());

    // To NULL and back.
    for flag in [0xfd, 0xf9] {
        let mut null = row(1_400_000_000 + 1010, 0.0);
        null[0] = flag;
        table.update(101, &null);
        assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Patched);
        assert_eq!(fs::read(&target).unwrap(), table.bytes());
    }
    assert_eq!(fs::metadata(&target).unwrap().ino(), inode);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn an_old_reading_that_was_edited_is_found_at_the_end_or_by_a_full_comparison() {
    let (dirs, table, target) = indexed(100_000);
    copy(&table, &dirs.copies).unwrap();
    let full = CopyOptions { whole: true, ..CopyOptions::default() };
    let compare_all = || backup::copy(&table.data, &target, &full, &mut |_| {}).unwrap();

    // Within the last 256 KiB.
    table.update(80_000, &row(1_400_800_000, 1e6));
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!(report.reason, Some(Reason::Rewritten { offset: 720_000 }));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());

    // Before them.
    table.update(10, &row(1_400_000_100, 1e6));
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
    let report = compare_all();
    assert_eq!(report.reason, Some(Reason::Rewritten { offset: 90 }));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    assert_eq!(compare_all().outcome, Outcome::Unchanged);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let (dirs, table, target) = indexed(100);
    let mut torn = rows(0..60);
    torn.push(1);
    let mut older = rows(0..100);
    older.extend(rows(500..510));
    let patched = [rows(0..99), row(1_400_000_990, 3.0)].concat();
    for held in [None, Some(torn), Some(older), Some(patched), Some(rows(0..100))] {
        match &held {
            None => {}
            Some(held) => fs::write(&target, held).unwrap(),
        }
        let before = contents(&dirs.copies);
        let dry = CopyOptions { dry_run: true, ..CopyOptions::default() };
        let dry =
            backup::copy(&table.data, &dirs.copies, &dry, &mut |_| panic!()).unwrap();
        assert_eq!(contents(&dirs.copies), before);
        let wet = copy(&table, &dirs.copies).unwrap();
        assert_eq!(dry.outcome, wet.outcome);
        assert_eq!(
            (dry.rows_copied, dry.rows_total, dry.bytes_repaired, dry.reason),
            (wet.rows_copied, wet.rows_total, wet.bytes_repaired, wet.reason)
        );
        for entry in names(&dirs.copies) {
            fs::remove_file(dirs.copies.join(entry)).unwrap();
        }
    }
}

#[test]
fn the_definition_of_mysql_8_is_copied_under_its_name() {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..10));
    let column = |position: u32, name: &str, kind: u32, unsigned: bool| {
        json!({
            "name": name,
            "type": kind,
            "is_nullable": true,
            "is_unsigned": unsigned,
            "is_virtual": false,
            "hidden": 1,
            "ordinal_position": position,
        })
    };
    let sdi = json!({
        "dd_object_type": "Table",
        "dd_object": {
            "name": "feed_7",
            "engine": "MyISAM",
            "options": "pack_record=0;",
            "columns": [column(1, "time", 4, true), column(2, "data", 5, false)],
        },
    });
    let sdi = sdi.to_string();
    // Upgraded from a server with .frm files, and then altered.
    copy(&table, &dirs.copies).unwrap();
    fs::remove_file(table.with("frm")).unwrap();
    fs::write(dirs.source.join("feed_7_363.sdi"), &sdi).unwrap();
    table.append(&rows(10..12));
    let report = copy(&table, &dirs.copies).unwrap();
    assert_eq!((report.outcome, report.definition_copied), (Outcome::Appended, true));
    let held = names(&dirs.copies);
    assert_eq!(&held[..1], ["feed_7.MYD"]);
    assert!(held[1].starts_with("feed_7.frm."), "{held:?}");
    assert_eq!(&held[2..], ["feed_7_363.sdi"]);

    fs::remove_file(dirs.source.join("feed_7_363.sdi")).unwrap();
    fs::write(dirs.source.join("feed_7_370.sdi"), &sdi).unwrap();
    // Another feed's.
    fs::write(dirs.copies.join("feed_7_x.sdi"), &sdi).unwrap();
    copy(&table, &dirs.copies).unwrap();
    let mut held = names(&dirs.copies);
    held.retain(|name| name.ends_with(".sdi"));
    assert_eq!(held, ["feed_7_370.sdi", "feed_7_x.sdi"]);
    assert_eq!(
        query::meta(&Feed::open(dirs.copies.join("feed_7.MYD")).unwrap())
            .unwrap()
            .npoints,
        12
    );
}
