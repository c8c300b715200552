//! Disks that are too small: it is said before anything is written, or where it
//! stops, and nothing is left there.

use crate::table::{Dirs, Table, dirs, row, rows};
use std::process::Command;

/// In a mount namespace of its own: a conversion to a disk with the options `$1`, and
/// what is there then.
const DISK: &str = r#"
    mount -t tmpfs -o "mode=755,$1" none "$3" || exit 99
    test -z "$6" || touch "$3/$6"
    "$4" convert -q --to "$5" "$2" "$3"
    echo "code $?"
    ls -A "$3""#;

/// The exit code, what is there then, and what was said.
fn on_a_disk(
    dirs: &Dirs,
    disk: &str,
    engine: &str,
    other: &str,
) -> (String, Vec<String>, String) {
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", DISK, "sh", disk])
        .args([&dirs.source, &dirs.copies])
        .args([env!("CARGO_BIN_EXE_emonfeed"), engine, other])
        .output()
        .expect("unshare runs (package util-linux)");
    let said = String::from_utf8(output.stdout).unwrap();
    let wrong = String::from_utf8(output.stderr).unwrap();
    let mut lines = said.lines().map(str::to_owned);
    let code = lines.next().unwrap_or_else(|| panic!("{wrong}"));
    (code, lines.collect(), wrong)
}

#[test]
fn what_does_not_fit_is_not_begun() {
    let dirs = dirs();
    for number in 1..=3 {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..2000));
    }
    let (mut codes, mut foreseen) = (Vec::new(), 0);
    for engine in ["phptimeseries", "phpfina"] {
        for kib in (8..120).step_by(8) {
            let disk = format!("size={kib}k");
            let (code, there, wrong) = on_a_disk(&dirs, &disk, engine, "");
            match code.as_str() {
                "code 0" => {
                    let files = if engine == "phpfina" { 6 } else { 3 };
                    assert_eq!(there.len(), files, "{there:?}");
                }
                "code 1" => {
                    assert_eq!(there, [""; 0], "something is left");
                    let is_foreseen = wrong.contains("bytes, and only");
                    assert!(is_foreseen || wrong.contains("No space left"), "{wrong}");
                    foreseen += u32::from(is_foreseen);
                }
                // A file takes whole pages.
                "code 3" => {
                    assert!(wrong.contains("No space left"), "{wrong}");
                    assert!(!there.iter().any(|name| name.starts_with('.')), "{there:?}");
                }
                other => panic!("{other}: {wrong}"),
            }
            codes.push(code);
        }
    }
    assert!(foreseen > 5, "{foreseen} of {codes:?}");
    for code in ["code 0", "code 1"] {
        assert!(codes.iter().any(|found| found == code), "{codes:?}");
    }
}

#[test]
fn what_a_disk_has_no_room_for_all_the_same_leaves_nothing() {
    // Room for the bytes is there, but not for the number of files.
    let dirs = dirs();
    Table::bare(&dirs.source, "feed_1", &[row(0, 1.0), row(10, 2.0)].concat());
    let disk = "size=1m,nr_inodes=3";
    let (code, there, wrong) = on_a_disk(&dirs, disk, "phpfina", "other");
    assert_eq!(code, "code 1", "{wrong}");
    assert_eq!(there, ["other"]);
    assert!(wrong.contains("No space left"), "{wrong}");
}

#[test]
fn what_does_not_fit_into_the_largest_file_leaves_nothing() {
    let dirs = dirs();
    Table::indexed(&dirs.source, "feed_1", &rows(0..20_000));
    for engine in ["phptimeseries", "phpfina"] {
        let output = Command::new("prlimit")
            .args(["--fsize=50000", env!("CARGO_BIN_EXE_emonfeed"), "convert", "-q"])
            .args(["--to", engine])
            .args([&dirs.source, &dirs.copies])
            .output()
            .expect("prlimit runs (package util-linux)");
        let wrong = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{wrong}");
        assert!(wrong.contains("File too large"), "{wrong}");
        assert_eq!(std::fs::read_dir(&dirs.copies).unwrap().count(), 0);
    }
}
