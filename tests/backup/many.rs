//! More feeds than a site will ever have, with few descriptors and little memory.

use crate::effort::effort;
use crate::program::{Ended, backup, within};
use crate::table::{Dirs, Table, dirs_in_memory, rows};
use std::ffi::OsStr;
use std::fs;
use std::process::Command;

/// What one feed may take, in bytes: its entry, its name, what was done about it.
const EACH: u64 = 3 << 10;

/// The command with 64 descriptors; the most memory that it had, in KiB.
fn limited(dirs: &Dirs, args: &[&OsStr]) -> (Ended, u64) {
    let log = dirs.root.path().join("memory");
    let starter = [
        "prlimit",
        "--core=0",
        "--nofile=64",
        "/usr/bin/time",
        "--quiet",
        "-f",
        "%M",
        "-o",
        log.to_str().unwrap(),
    ];
    // It may take long, and say more than a pipe holds.
    let mut command: Command = within(&starter, args);
    let output = command.output().expect("prlimit runs (package util-linux)");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    let most = fs::read_to_string(log).unwrap();
    let ended = Ended { status: output.status, out, err };
    let most = most.trim().parse().unwrap_or_else(|_| panic!("{most}: {ended:?}"));
    (ended, most)
}

#[test]
fn very_many_feeds_take_few_descriptors_and_little_memory() {
    let feeds = effort(2000, 100_000);
    let dirs = dirs_in_memory();
    let first = Table::indexed(&dirs.source, "feed_1", &rows(0..20));
    let fill = |number: u64| {
        for extension in ["MYD", "MYI", "frm"] {
            let name = format!("feed_{number}.{extension}");
            fs::copy(first.with(extension), dirs.source.join(name)).unwrap();
        }
    };
    (2..=3).for_each(fill);
    let (ended, usual) = limited(&dirs, &backup(&dirs, &[]));
    assert_eq!(ended.code(), 0, "{ended:?}");
    (4..=feeds).for_each(fill);
    let copies = dirs.copies.as_os_str();
    let restored = dirs.root.path().join("restored");
    let [verify, status, list, restore, json] =
        ["verify", "status", "--list", "restore", "--json"].map(OsStr::new);
    let runs: [(&str, Vec<&OsStr>); 7] = [
        ("created", backup(&dirs, &[])),
        ("unchanged", backup(&dirs, &[])),
        ("compared", backup(&dirs, &["--recheck", "all"])),
        ("verify", vec![verify, copies]),
        ("status", vec![status, json, copies]),
        ("list", vec![restore, list, copies]),
        ("restore", vec![restore, copies, restored.as_os_str()]),
    ];
    for (what, args) in runs {
        let (ended, most) = limited(&dirs, &args);
        assert_eq!(ended.code(), 0, "{what}: {ended:.1000?}");
        let more = most.saturating_sub(usual) << 10;
        println!("{what}: {feeds} feeds, {usual} KiB and {more} bytes more");
        assert!(
            more < (8 << 20) + EACH * feeds,
            "{what}: {more} bytes for {feeds} feeds"
        );
        if matches!(what, "verify" | "created" | "restore") {
            let counted = format!("{feeds} feeds:");
            let counts = format!("{} created", feeds - 3);
            assert!(
                ended.out.contains(&counted) || ended.out.contains(&counts),
                "{what}"
            );
        }
    }
    for number in [1, 2, feeds / 2, feeds] {
        let name = format!("feed_{number}.MYD");
        let rows = first.bytes();
        assert!(fs::read(dirs.copies.join(&name)).unwrap() == rows, "{name}");
        assert!(fs::read(restored.join(&name)).unwrap() == rows, "{name}");
    }
}
