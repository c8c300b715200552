//! Rows of any time and any bits as their value, on their way out as text and
//! through a backup and back.

use crate::program::{self, emonfeed};
use crate::table::{Table, dirs_in_memory};
use std::fs;

const TIMES: [u32; 7] =
    [0, 1, i32::MAX as u32 - 1, i32::MAX as u32, 1 << 31, u32::MAX - 1, u32::MAX];

/// NaN with something in them, infinities, subnormals, both zeros, the largest.
const VALUES: [u32; 10] = [
    0x7fc0_0000,
    0xffc1_2345,
    0x7f80_0001,
    0x7f80_0000,
    0xff80_0000,
    0x0000_0001,
    0x807f_ffff,
    0x8000_0000,
    0x0000_0000,
    0xff7f_ffff,
];

fn odd_rows() -> Vec<u8> {
    let one = |time: u32, value: u32| {
        [&[0xf9][..], &time.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let pairs =
        TIMES.iter().flat_map(|time| VALUES.iter().map(move |value| (*time, *value)));
    pairs.flat_map(|(time, value)| one(time, value)).collect()
}

#[test]
fn odd_rows_are_copied_and_brought_back_to_the_bit() {
    let dirs = dirs_in_memory();
    Table::indexed(&dirs.source, "feed_1", &odd_rows());
    Table::bare(&dirs.source, "feed_2", &odd_rows());
    let backup = || program::run(emonfeed(program::backup(&dirs, &["--recheck", "all"])));
    assert_eq!(backup().code(), 0);
    program::expect_equal(&dirs);
    let again = backup();
    assert!(again.out.contains("2 unchanged"), "{again:?}");
    let target = dirs.root.path().join("target");
    let args = ["restore".as_ref(), dirs.copies.as_os_str(), target.as_os_str()];
    let restored = program::run(emonfeed(args));
    assert_eq!(restored.code(), 0, "{restored:?}");
    for feed in ["feed_1.MYD", "feed_2.MYD"] {
        assert!(fs::read(target.join(feed)).unwrap() == odd_rows(), "{feed}");
    }
}

#[test]
fn odd_rows_are_text_that_parses() {
    let dirs = dirs_in_memory();
    Table::bare(&dirs.source, "feed_1", &odd_rows());
    let path = dirs.source.join("feed_1.MYD");
    let kinds: [&[&str]; 8] = [
        &["--rows"],
        &["--interval", "1000000", "--first"],
        &["--interval", "1000000", "--last"],
        &["--interval", "1000000", "--average"],
        &["--interval", "1000000", "--min"],
        &["--interval", "1000000", "--max"],
        &["--interval", "1000000", "--sum"],
        &["--interval", "1000000", "--count"],
    ];
    for kind in kinds {
        for format in ["json", "csv", "table"] {
            let mut args = vec!["get", path.to_str().unwrap()];
            args.extend(["--start", "0", "--end", "4294967295", "--format", format]);
            args.extend(kind);
            let output = emonfeed(&args).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let what = format!("{args:?}: {:.300}", said);
            assert!(output.status.success() && output.stderr.is_empty(), "{what}");
            match format {
                "json" => {
                    // Neither NaN nor an infinity is JSON.
                    let points: Vec<(u64, Option<f64>)> = serde_json::from_str(&said)
                        .unwrap_or_else(|e| panic!("{e}: {what}"));
                    let last = points.last().unwrap().0;
                    assert!(last > u64::from(u32::MAX) - 1_000_000, "{what}");
                    if kind == ["--rows"] {
                        assert_eq!(points.len(), TIMES.len() * VALUES.len(), "{what}");
                    }
                }
                "csv" => {
                    assert!(said.lines().count() > TIMES.len(), "{what}");
                    for line in said.lines().skip(1) {
                        let cells: Vec<_> = line.split(',').collect();
                        assert_eq!(cells.len(), 2, "{what}: {line}");
                        let value = cells[1];
                        assert!(
                            value.is_empty() || value.parse::<f64>().is_ok(),
                            "{line}"
                        );
                    }
                }
                _ => assert!(said.lines().count() > TIMES.len(), "{what}"),
            }
        }
    }
}
