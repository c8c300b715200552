//! No good copy is ever lost: what was copied once is the beginning of the
//! copy, or kept under a dated name.

use crate::table::{Dirs, Table, contents, copy, dirs, fixture, names, row, rows};
use emonfeed::backup::{self, CopyOptions, Outcome, plan::Reason};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A source of 50 rows, copied.
fn copied() -> (Dirs, Table) {
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_7", &rows(0..50));
    copy(&table, &dirs.copies).unwrap();
    (dirs, table)
}

/// After something happened to the source: it is copied anew, and the copy of
/// before is kept.
#[track_caller]
fn expect_new_generation(dirs: &Dirs, table: &Table, reason: Reason) {
    let target = dirs.copies.join("feed_7.MYD");
    let before = fs::read(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
    let report = copy(table, &dirs.copies).unwrap();
    assert_eq!(report.outcome, Outcome::NewGeneration, "{report}");
    assert_eq!(report.reason, Some(reason));
    assert_eq!(fs::read(&target).unwrap(), table.bytes());
    let kept = report.kept.expect("the old copy is kept");
    assert_eq!(fs::read(&kept).unwrap(), before);
    let name = kept.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("feed_7.MYD.20")
            && name.len() >= "feed_7.MYD.20261123T040506Z".len()
    );
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(!names(&dirs.copies).iter().any(|name| name.contains("partial")));
    assert_eq!(copy(table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
}

#[test]
fn a_source_that_shrank() {
    let (dirs, table) = copied();
    table.write(&rows(0..49));
    expect_new_generation(&dirs, &table, Reason::Shrank { copy: 50, source: 49 });
}

#[test]
fn a_source_that_was_truncated() {
    let (dirs, table) = copied();
    table.write(&[]);
    expect_new_generation(&dirs, &table, Reason::Emptied { copy: 50 });
}

#[test]
fn a_source_that_was_truncated_and_grew_beyond_the_copy() {
    let (dirs, table) = copied();
    table.write(&rows(1000..1200));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 0 });
}

#[test]
fn a_source_of_the_same_length_with_other_rows() {
    let (dirs, table) = copied();
    table.update(48, &row(1_400_000_480, 99.0));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 432 });
    // The last row with another time, or deleted.
    table.update(49, &row(1_400_000_491, 12.25));
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 441 });
    table.update(49, &[0, 255, 255, 255, 255, 255, 255, 0, 0]);
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 441 });
}

#[test]
fn a_copy_that_was_damaged() {
    let (dirs, table) = copied();
    let target = dirs.copies.join("feed_7.MYD");
    let good = fs::read(&target).unwrap();
    let garbage = [&good[..40 * 9], &[0xf9; 90]].concat();
    fs::write(&target, &garbage).unwrap();
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 360 });
    // Zeros, but not to the end.
    let zeros = [&good[..40 * 9], &[0; 81], &good[49 * 9..]].concat();
    fs::write(&target, &zeros).unwrap();
    expect_new_generation(&dirs, &table, Reason::Rewritten { offset: 360 });
    let garbage = [&good[..], &[0xff; 18]].concat();
    fs::write(&target, &garbage).unwrap();
    expect_new_generation(&dirs, &table, Reason::Shrank { copy: 52, source: 50 });
    assert_eq!(names(&dirs.copies).len(), 5);
}

/// Copies to a copy that is `held` now, which must be carried on; says how many
/// bytes were cut off.
fn copied_onto_zeros(dirs: &Dirs, table: &Table, held: &[u8]) -> u64 {
    let target = dirs.copies.join("feed_7.MYD");
    fs::write(&target, held).unwrap();
    let dry = CopyOptions { dry_run: true, ..CopyOptions::default() };
    let dry = backup::copy(&table.data, &target, &dry, &mut |_| {}).unwrap();
    let report = copy(table, &dirs.copies).unwrap();
    assert_eq!(report.outcome, Outcome::Appended, "{report}");
    assert_eq!(report.bytes_repaired, dry.bytes_repaired);
    assert_eq!(report.bytes_copied, dry.bytes_copied);
    assert_eq!(report.kept, None);
    assert!(fs::read(&target).unwrap() == table.bytes());
    assert_eq!(copy(table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
    report.bytes_repaired
}

/// The first bytes of `rows`, and zeros up to a length.
fn zeroed(rows: &[u8], good: usize, len: usize) -> Vec<u8> {
    [&rows[..good], &vec![0; len - good]].concat()
}

#[test]
fn zeros_that_a_power_cut_left_at_the_end_of_a_copy_are_torn_rows() {
    let (dirs, table) = copied();
    let rows = table.bytes();
    // (bytes that are good, length of the copy, bytes cut off)
    for (good, len, cut) in [
        (360, 450, 90), // whole rows
        (441, 450, 9),  // one
        (0, 450, 450),  // all
        (363, 450, 90), // from the middle of a time on
        (366, 450, 90), // from the middle of a value on
        (360, 405, 45), // of a copy that lacks rows
        (360, 409, 49), // and has a torn one
        (441, 443, 2),  // of which the torn one is all
        (445, 450, 9),  // a part of the last row's time
    ] {
        let held = zeroed(&rows, good, len);
        assert_eq!(copied_onto_zeros(&dirs, &table, &held), cut, "{good} of {len}");
    }
    // In the value of the last row they are a value like another.
    fs::write(dirs.copies.join("feed_7.MYD"), zeroed(&rows, 446, 450)).unwrap();
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Patched);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn zeros_that_reach_further_back_than_a_look_at_the_end() {
    let dirs = dirs();
    for make in [Table::indexed, Table::bare] {
        let table = make(&dirs.source, "feed_7", &rows(0..100_000));
        let held = zeroed(&table.bytes(), 90_000, 900_000);
        assert_eq!(copied_onto_zeros(&dirs, &table, &held), 810_000);
        for extension in ["MYI", "frm"] {
            let _ = fs::remove_file(table.with(extension));
        }
    }
}

#[test]
fn zeros_of_the_source_stay() {
    let (dirs, table) = copied();
    // A deleted row whose value was 0, the next deleted one being the first.
    table.update(48, &[0; 9]);
    table.update(49, &[0; 9]);
    let rows = table.bytes();
    fs::write(dirs.copies.join("feed_7.MYD"), &rows).unwrap();
    assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::Unchanged);
    // What comes behind them is appended, what was lost before them again.
    table.append(&row(1_400_000_500, 1.0));
    assert_eq!(copied_onto_zeros(&dirs, &table, &rows), 0);
    let held = zeroed(&table.bytes(), 450, 459);
    assert_eq!(copied_onto_zeros(&dirs, &table, &held), 9);
    let held = zeroed(&table.bytes(), 420, 450);
    assert_eq!(copied_onto_zeros(&dirs, &table, &held), 36);
    assert_eq!(names(&dirs.copies), ["feed_7.MYD", "feed_7.frm"]);
}

#[test]
fn a_zero_that_was_edited_is_kept() {
    // The last row of a histogram, of the value 0 in the class 0, got another
    // class: no value of a daily feed that grew.
    let dirs = dirs();
    let read = |kind| fs::read(fixture("histogram", kind)).unwrap();
    let mut held = read("MYD");
    let last = held.len() - 13;
    held.truncate(last);
    held.extend(read("MYD")[last..last + 5].iter().chain(&[0; 8]));
    let target = dirs.copies.join("feed_7.MYD");
    fs::write(&target, &held).unwrap();
    let table = Table { data: fixture("histogram", "MYD") };
    let report = copy(&table, &target).unwrap();
    let offset = last as u64;
    assert_eq!(report.reason, Some(Reason::Rewritten { offset }), "{report}");
    assert!(fs::read(report.kept.unwrap()).unwrap() == held);
}

#[test]
fn a_table_with_other_columns_keeps_the_old_definition_too() {
    let (dirs, table) = copied();
    let old_frm = fs::read(table.with("frm")).unwrap();
    // The same bytes of rows, but the value is an integer now.
    for extension in ["MYI", "frm"] {
        fs::copy(fixture("int", extension), table.with(extension)).unwrap();
    }
    table.write(&rows(0..50));
    expect_new_generation(&dirs, &table, Reason::Columns);
    let held = contents(&dirs.copies);
    let frm =
        held.iter().find(|(name, _)| name.to_str().unwrap().starts_with("feed_7.frm."));
    assert_eq!(frm.expect("the old definition is kept").1, &old_frm);
    let new = &held[std::ffi::OsStr::new("feed_7.frm")];
    assert_eq!(new, &fs::read(table.with("frm")).unwrap());
}

/// A feed moved from the server to PHPTimeSeries: bare rows under the name of
/// the table whose copy there is.
struct Moved {
    dirs: Dirs,
    bare: Table,
    /// What the copy of the table was: its rows and its definition.
    old: [Vec<u8>; 2],
}

fn moved(shape: &str, rows: &[u8]) -> Moved {
    let dirs = dirs();
    let table = Table { data: fixture(shape, "MYD") };
    let target = dirs.copies.join("feed_7.MYD");
    assert_eq!(copy(&table, &target).unwrap().outcome, Outcome::Created);
    let old = ["MYD", "frm"].map(|kind| fs::read(target.with_extension(kind)).unwrap());
    let bare = Table::bare(&dirs.source, "feed_7", rows);
    Moved { dirs, bare, old }
}

impl Moved {
    /// Readers find the source's rows in the copy, and the next runs nothing
    /// to do; then one row is appended.
    #[track_caller]
    fn expect_copied(&self) {
        let target = self.dirs.copies.join("feed_7.MYD");
        for round in 0..2 {
            assert!(fs::read(&target).unwrap() == self.bare.bytes());
            let points = |path: &std::path::Path| {
                let feed = emonfeed::Feed::open(path).unwrap();
                emonfeed::query::rows(&feed, i64::MIN, i64::MAX, 0).unwrap().points
            };
            let expected = points(&self.bare.data);
            assert_eq!(expected.len(), self.bare.bytes().len() / 9);
            assert_eq!(format!("{:?}", points(&target)), format!("{expected:?}"));
            for _ in 0..2 {
                let report = copy(&self.bare, &self.dirs.copies).unwrap();
                assert_eq!(report.outcome, Outcome::Unchanged, "{report}");
            }
            if round == 0 {
                let flag = self.bare.bytes()[0];
                let mut next = row(1_500_000_000, 20.5);
                next[0] = flag;
                self.bare.append(&next);
                let report = copy(&self.bare, &self.dirs.copies).unwrap();
                assert_eq!(report.outcome, Outcome::Appended, "{report}");
            }
        }
    }

    /// The files kept of the table's copy, by the names in the copies' folder.
    fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let held = contents(&self.dirs.copies).into_iter();
        held.map(|(name, bytes)| (name.into_string().unwrap(), bytes))
            .filter(|(name, _)| name.contains(".20"))
            .collect()
    }
}

/// Rows as a table with both columns NOT NULL has them.
fn not_null(rows: &[u8]) -> Vec<u8> {
    let flagged = |(i, &byte): (usize, &u8)| if i % 9 == 0 { 0xff } else { byte };
    rows.iter().enumerate().map(flagged).collect()
}

#[test]
fn a_table_that_became_a_bare_file_leaves_no_definition_beside_its_rows() {
    let bare = rows(0..249);
    for (shape, rows) in [
        ("int", &bare),
        ("double", &bare),
        ("not_null", &bare),
        ("histogram", &bare),
        ("int", &not_null(&bare)),
        ("plain", &not_null(&bare)),
    ] {
        let moved = moved(shape, rows);
        let report = copy(&moved.bare, &moved.dirs.copies).unwrap();
        assert_eq!(report.outcome, Outcome::NewGeneration, "{shape}: {report}");
        assert_eq!(report.reason, Some(Reason::Columns));
        moved.expect_copied();
        // Rows and definition are kept under one stamp.
        let [(data, data_bytes), (frm, frm_bytes)] = &moved.kept()[..] else {
            panic!("{shape}: {:?}", names(&moved.dirs.copies));
        };
        assert_eq!(data.replace("MYD", "frm"), *frm);
        assert!([data_bytes, frm_bytes] == [&moved.old[0], &moved.old[1]]);
    }
}

#[test]
fn a_definition_that_says_the_same_as_a_bare_file_stays() {
    for (shape, rows) in [("plain", rows(0..249)), ("not_null", not_null(&rows(0..249)))]
    {
        let moved = moved(shape, &rows);
        let report = copy(&moved.bare, &moved.dirs.copies).unwrap();
        assert!(matches!(report.reason, Some(Reason::Rewritten { .. })), "{report}");
        moved.expect_copied();
        assert_eq!(names(&moved.dirs.copies).len(), 3);
        let frm = fs::read(moved.dirs.copies.join("feed_7.frm")).unwrap();
        assert!(frm == moved.old[1]);
    }
}

#[test]
fn a_definition_without_the_rows_it_was_of_is_set_aside() {
    // The copy was removed, or is empty; or a run was killed after the new
    // rows took their place and before the definition was set aside.
    for held in [None, Some(vec![]), Some(rows(0..249)), Some(rows(0..100))] {
        let moved = moved("int", &rows(0..249));
        let target = moved.dirs.copies.join("feed_7.MYD");
        fs::remove_file(&target).unwrap();
        if let Some(held) = &held {
            fs::write(&target, held).unwrap();
        }
        copy(&moved.bare, &moved.dirs.copies).unwrap();
        moved.expect_copied();
        let kept = moved.kept();
        let frm = kept.iter().find(|(name, _)| name.starts_with("feed_7.frm."));
        assert!(frm.expect("the definition is kept").1 == moved.old[1]);
        let data = kept.iter().find(|(name, _)| name.starts_with("feed_7.MYD."));
        let held = held.filter(|held| !held.is_empty());
        assert_eq!(data.map(|(_, bytes)| bytes), held.as_ref());
    }
}

#[test]
fn every_definition_is_set_aside_even_one_that_cannot_be_read() {
    let moved = moved("int", &rows(0..249));
    for name in ["feed_7_12.sdi", "feed_7_345.sdi"] {
        fs::write(moved.dirs.copies.join(name), "damaged").unwrap();
    }
    copy(&moved.bare, &moved.dirs.copies).unwrap();
    moved.expect_copied();
    assert_eq!(moved.kept().len(), 4);
    fs::write(moved.dirs.copies.join("feed_7.frm"), "damaged").unwrap();
    assert_eq!(
        copy(&moved.bare, &moved.dirs.copies).unwrap().reason,
        Some(Reason::Columns)
    );
    assert_eq!(moved.kept().len(), 6);
    assert_eq!(
        copy(&moved.bare, &moved.dirs.copies).unwrap().outcome,
        Outcome::Unchanged
    );
}

#[test]
fn a_dated_name_that_is_taken_is_not_used() {
    let (dirs, table) = copied();
    let mut expected = vec![table.bytes()];
    for round in 0..4 {
        table.write(&rows(1000 + 100 * round..1050 + 100 * round));
        assert_eq!(copy(&table, &dirs.copies).unwrap().outcome, Outcome::NewGeneration);
        expected.push(table.bytes());
    }
    let mut held: Vec<_> = contents(&dirs.copies)
        .into_iter()
        .filter(|(name, _)| name.to_str().unwrap().starts_with("feed_7.MYD"))
        .map(|(_, bytes)| bytes)
        .collect();
    held.sort();
    expected.sort();
    assert_eq!(held, expected);
}

/// What happens between two copies.
#[derive(Clone, Debug)]
enum Happens {
    Append(u8),
    UpdateLast(i16),
    Update(u8, i16),
    UpdateTime(u8, u16),
    Delete(u8),
    Truncate,
    Rebuild(u8, u16),
    TearCopy(u8),
    ZeroCopy(u8),
    TearSource(u8),
    LoseCopy,
    Grow,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => any::<u8>().prop_map(Happens::Append),
        3 => any::<i16>().prop_map(Happens::UpdateLast),
        1 => (any::<u8>(), any::<i16>()).prop_map(|(at, value)| Happens::Update(at, value)),
        1 => (any::<u8>(), any::<u16>()).prop_map(|(at, time)| Happens::UpdateTime(at, time)),
        1 => any::<u8>().prop_map(Happens::Delete),
        1 => Just(Happens::Truncate),
        1 => (any::<u8>(), any::<u16>()).prop_map(|(rows, from)| Happens::Rebuild(rows, from)),
        2 => any::<u8>().prop_map(Happens::TearCopy),
        2 => any::<u8>().prop_map(Happens::ZeroCopy),
        1 => any::<u8>().prop_map(Happens::TearSource),
        1 => Just(Happens::LoseCopy),
        1 => Just(Happens::Grow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens to both sides, afterwards the copy is the source, and
    /// what the copy was before is its beginning (but for the value of its
    /// last row) or kept.
    #[test]
    fn whatever_happens_the_copy_is_the_source_and_nothing_is_lost(
        indexed in any::<bool>(),
        steps in proptest::collection::vec(happens(), 1..24),
    ) {
        let dirs = dirs();
        let make = if indexed { Table::indexed } else { Table::bare };
        let table = make(&dirs.source, "feed_7", &rows(0..5));
        let target = dirs.copies.join("feed_7.MYD");
        let mut committed = rows(0..5);
        let mut next = 5;
        for step in steps {
            let slots = committed.len() / 9;
            let slot = |at: u8| usize::from(at) % slots.max(1) * 9;
            let mut torn = 0;
            match step {
                Happens::Append(count) => {
                    let count = u32::from(count % 40);
                    committed.extend(rows(next..next + count));
                    next += count;
                }
                Happens::UpdateLast(value) if slots > 0 => {
                    let at = committed.len() - 4;
                    committed[at..].copy_from_slice(&f32::from(value).to_le_bytes());
                }
                Happens::Update(at, value) if slots > 0 => {
                    let at = slot(at) + 5;
                    committed[at..at + 4].copy_from_slice(&f32::from(value).to_le_bytes());
                }
                Happens::UpdateTime(at, time) if slots > 0 => {
                    let at = slot(at) + 1;
                    committed[at..at + 2].copy_from_slice(&time.to_le_bytes());
                }
                Happens::Delete(at) if slots > 0 => {
                    let at = slot(at);
                    committed[at..at + 7].copy_from_slice(&[0, 255, 255, 255, 255, 255, 255]);
                }
                Happens::Truncate => committed.clear(),
                Happens::Rebuild(count, from) => {
                    let from = u32::from(from);
                    committed = rows(from..from + u32::from(count));
                }
                Happens::TearCopy(bytes) if target.exists() => {
                    let len = fs::metadata(&target).unwrap().len();
                    let file = fs::OpenOptions::new().write(true).open(&target).unwrap();
                    file.set_len(len.saturating_sub(bytes.into())).unwrap();
                }
                Happens::ZeroCopy(bytes) if target.exists() => {
                    let held = fs::read(&target).unwrap();
                    let good = held.len().saturating_sub(bytes.into());
                    fs::write(&target, zeroed(&held, good, held.len())).unwrap();
                }
                Happens::TearSource(bytes) => torn = usize::from(bytes % 9),
                Happens::LoseCopy => {
                    let _ = fs::remove_file(&target);
                }
                Happens::Grow => {
                    committed.extend(rows(next..next + 30_000));
                    next += 30_000;
                }
                _ => {}
            }
            fs::write(&table.data, &committed).unwrap();
            table.commit(committed.len() as u64);
            if torn > 0 {
                fs::write(&table.data, [&committed[..], &[0xf9; 9][..torn]].concat()).unwrap();
            }

            let before = fs::read(&target).ok();
            let whole = emonfeed::backup::CopyOptions { whole: true, ..Default::default() };
            let report =
                emonfeed::backup::copy(&table.data, &dirs.copies, &whole, &mut |_| {}).unwrap();
            let after = fs::read(&target).unwrap();
            prop_assert!(after == committed, "{report} after {step:?}");
            let Some(mut before) = before else {
                prop_assert_eq!(report.outcome, Outcome::Created);
                continue;
            };
            match &report.kept {
                Some(kept) => prop_assert!(fs::read(kept).unwrap() == before),
                None => {
                    // What was cut off was a torn row, or zeros.
                    let cut = before.split_off(before.len() - report.bytes_repaired as usize);
                    let lost = cut.iter().zip(&after[before.len()..]);
                    let lost = lost.skip_while(|(ours, theirs)| ours == theirs);
                    prop_assert!(cut.len() < 9 || lost.clone().all(|(&byte, _)| byte == 0));
                    let but_value = before.len().saturating_sub(4);
                    prop_assert!(
                        after.starts_with(&before)
                            || (report.outcome == Outcome::Patched
                                && after.starts_with(&before[..but_value])
                                && after.len() >= before.len()),
                        "{report} after {step:?}"
                    );
                }
            }
        }
    }
}
