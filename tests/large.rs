//! Feeds whose files are longer than 4 GiB (in `make test` shorter ones), and more of
//! them than a process of 32 bits has addresses for.

mod effort;

use effort::effort;
use emonfeed::backup::{Backup, RunOptions, Verify};
use emonfeed::query::{self, Aggregate, Flags, Mode};
use emonfeed::{Access, Feed, Options};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const STRIDE: u64 = 9;
/// Rows at each end of the file.
const ROWS: u64 = 1000;

fn row(time: u32, value: f32) -> [u8; 9] {
    let mut row = [249; 9];
    row[1..5].copy_from_slice(&time.to_le_bytes());
    row[5..].copy_from_slice(&value.to_le_bytes());
    row
}

/// A feed of which all slots but those at both ends are deleted rows: its file takes
/// no room.
fn sparse(path: &Path, slots: u64) {
    let file = File::create(path).unwrap();
    file.set_len(slots * STRIDE).unwrap();
    for (first, time) in [(0, 1_000_000), (slots - ROWS, 2_000_000)] {
        let rows: Vec<u8> =
            (0..ROWS as u32).flat_map(|i| row(time + i * 10, i as f32)).collect();
        file.write_all_at(&rows, first * STRIDE).unwrap();
    }
}

#[test]
fn rows_beyond_4_gib_are_read_and_copied() {
    let slots = effort(8 << 20, (4 << 30) + (64 << 20)) / STRIDE;
    let dirs = tempfile::tempdir().unwrap();
    let (source, copies) = (dirs.path().join("source"), dirs.path().join("copies"));
    for dir in [&source, &copies] {
        std::fs::create_dir(dir).unwrap();
    }
    let path = source.join("feed_1.MYD");
    sparse(&path, slots);
    let expect_rows = |path: &Path| {
        for access in [Access::Mmap, Access::Pread] {
            let options = Options { access, ..Options::default() };
            let feed = Feed::open_with(path, options).unwrap();
            let meta = query::meta(&feed).unwrap();
            assert_eq!((meta.slots, meta.npoints), (slots, 2 * ROWS));
            assert_eq!((meta.start_time, meta.end_time), (1_000_000, 2_009_990));
            let last = query::rows(&feed, 2_009_980, i64::MAX, 0).unwrap();
            let last: Vec<_> = last.points.iter().map(|p| (p.time, p.value)).collect();
            assert_eq!(last, [(2_009_980, 998.0), (2_009_990, 999.0)]);
            let sums = query::windows(
                &feed,
                1_000_000,
                2_000_000,
                1_000_000,
                Aggregate::Sum,
                Flags::NONE,
            );
            let sums: Vec<_> = sums.unwrap().points.iter().map(|p| p.value).collect();
            assert_eq!(sums, [499_500.0, 499_500.0]);
            let at = query::values_at(&feed, &[2_005_000], Mode::Exact, Flags::NONE);
            assert_eq!(at.unwrap().points[0].value, 500.0);
        }
    };
    expect_rows(&path);

    let backup = |rows_copied: u64| {
        let options = RunOptions { same_device: true, ..RunOptions::default() };
        let mut run = Backup::open(&source, &copies, options).unwrap();
        while run.step(&mut |_, _| true).unwrap().is_some() {}
        let summary = run.close().unwrap();
        assert!(summary.is_complete(), "{summary:?}");
        assert_eq!(summary.rows_copied, rows_copied);
    };
    backup(slots);
    // Behind all that is there.
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&row(2_020_000, 5.0), slots * STRIDE).unwrap();
    backup(1);
    let mut verify =
        Verify::open(&copies, Some(&source), &RunOptions::default()).unwrap();
    let mut checked = 0;
    while let Some(one) = verify.step(&mut |_, _| true) {
        assert!(one.damages.is_empty(), "{:?}", one.damages);
        assert_eq!(one.rows, slots + 1);
        checked += 1;
    }
    assert_eq!(checked, 1);
    let copy = Feed::open(copies.join("feed_1.MYD")).unwrap();
    let last = query::last(&copy).unwrap();
    assert_eq!((last.points[0].time, last.points[0].value), (2_020_000, 5.0));
}

/// Bytes of the files below `folder` that this process has mapped.
#[cfg(target_pointer_width = "32")]
fn mapped_below(folder: &Path) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut bytes = 0;
    for line in maps.lines().filter(|line| line.contains(folder.to_str().unwrap())) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        bytes += address(to) - address(from);
    }
    bytes
}

/// The program around the library needs addresses, too.
#[cfg(target_pointer_width = "32")]
#[test]
fn no_more_than_a_part_of_all_addresses_is_taken() {
    const FEEDS: u64 = 20;
    const BYTES: u64 = 40 << 20;
    const MOST: u64 = 512 << 20;
    let dir = tempfile::tempdir().unwrap();
    for n in 1..=FEEDS {
        let path = dir.path().join(format!("feed_{n}.MYD"));
        sparse(&path, BYTES / STRIDE);
        let feed = Feed::open(&path).unwrap();
        assert_eq!(query::meta(&feed).unwrap().npoints, 2 * ROWS);
        let mapped = mapped_below(dir.path());
        assert!(mapped <= MOST + BYTES, "{mapped} bytes are mapped");
    }
    assert!(mapped_below(dir.path()) >= MOST / 2, "they are read by mapping");
}
