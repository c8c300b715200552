//! Places where a backup cannot write, may not, or had better not.

use crate::program::{self, Ended, emonfeed};
use crate::table::{self, Dirs, Table, contents, dirs_in_memory, rows};
use emonfeed::backup::{CATALOG_FILE, LOCK_FILE};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// The user "nobody", who owns nothing.
const NOBODY: u32 = 65534;

/// Two feeds that were backed up and have grown since.
fn grown(dirs: Dirs) -> Dirs {
    let tables = [1, 2].map(|number| {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..50))
    });
    assert_eq!(backup(&dirs).code(), 0);
    tables.iter().for_each(|table| table.append(&rows(50..60)));
    dirs
}

fn backup(dirs: &Dirs) -> Ended {
    program::run(emonfeed(program::backup(dirs, &[])))
}

/// One message, which names a place in the copies and says why.
#[track_caller]
fn expect_said(ended: &Ended, place: &Path, why: &str) {
    assert!([1, 3].contains(&ended.code()), "{ended:?}");
    let place = place.to_str().unwrap();
    let is_it = |line: &str| line.contains(place) && line.contains(why);
    assert!(ended.err.lines().any(is_it), "no {why:?} of {place} in {ended:?}");
}

#[test]
fn a_disk_that_is_read_only_can_be_looked_at() {
    const DISK: &str = r#"
        program=$1 source=$2 copies=$3 kept=$4 target=$5
        mount -t tmpfs -o size=16m,mode=700 none "$copies" && cp "$kept"/* "$copies" &&
        mount -o remount,ro "$copies" || exit 99
        "$program" backup --same-device "$source" "$copies"; echo "backup $?"
        "$program" verify -q "$copies" >&2; echo "verify $?"
        "$program" status "$copies" >/dev/null; echo "status $?"
        "$program" restore -q "$copies" "$target" >&2; echo "restore $?"
        for file in "$kept"/*; do cmp "$file" "$copies/${file##*/}" || exit 98; done
        mount -o remount,rw "$copies" || exit 99
        "$program" backup --same-device -q "$source" "$copies"; echo "backup $?"
        "$program" verify -q "$copies" --source "$source" >&2; echo "verify $?""#;
    let dirs = grown(table::dirs());
    let [kept, target] = ["kept", "target"].map(|name| dirs.root.path().join(name));
    fs::create_dir(&kept).unwrap();
    crate::table::copy_all(&dirs.copies, &kept);
    let output = Command::new("unshare")
        .args(["--mount", "bash", "-c", DISK, "bash", env!("CARGO_BIN_EXE_emonfeed")])
        .args([&dirs.source, &dirs.copies, &kept, &target])
        .output()
        .expect("unshare runs (package util-linux)");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{wrong}");
    let all = ["backup 1", "verify 0", "status 0", "restore 0", "backup 0", "verify 0"];
    assert_eq!(said.lines().collect::<Vec<_>>(), all, "{wrong}");
    let copies = dirs.copies.to_str().unwrap();
    assert!(wrong.contains(copies) && wrong.contains("Read-only"), "{wrong}");
    // The rows of before, which are all that the copies have.
    assert!(fs::read(target.join("feed_1.MYD")).unwrap() == rows(0..50));
}

/// The command as "nobody", who can run a copy of it.
fn as_nobody(dirs: &Dirs, args: &[&OsStr]) -> Ended {
    let program = dirs.root.path().join("emonfeed");
    if !program.exists() {
        // Not by this process, whose children could hold it open for writing.
        let command = env!("CARGO_BIN_EXE_emonfeed").as_ref();
        let copied = Command::new("cp").args([command, program.as_os_str()]).status();
        assert!(copied.unwrap().success());
        fs::set_permissions(dirs.root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let id = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    command.arg(program).args(args).stdin(std::process::Stdio::null());
    program::run(command)
}

#[test]
fn another_user_may_not_write_and_changes_nothing() {
    let dirs = grown(table::dirs());
    let before = contents(&dirs.copies);
    let ended = as_nobody(&dirs, &program::backup(&dirs, &[]));
    expect_said(&ended, &dirs.copies, "Permission denied");
    assert!(contents(&dirs.copies) == before);
    // A directory that everybody may write to, as /tmp.
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o1777)).unwrap();
    let ended = as_nobody(&dirs, &program::backup(&dirs, &[]));
    expect_said(&ended, &dirs.copies, "");
    assert!(contents(&dirs.copies) == before);
    let ended = backup(&dirs);
    expect_said(&ended, &dirs.copies, "others can write to this directory");
    assert!(contents(&dirs.copies) == before);
    fs::set_permissions(&dirs.copies, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(backup(&dirs).code(), 0);
    program::expect_equal(&dirs);
}

#[test]
fn files_of_another_user_stay_their_owners_or_stop_their_feed() {
    let dirs = grown(table::dirs());
    // Root may; the new rows are another user's file as before.
    let copy = dirs.copies.join("feed_1.MYD");
    chown(&copy, Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(backup(&dirs).code(), 0);
    program::expect_equal(&dirs);
    assert_eq!(fs::metadata(&copy).unwrap().uid(), NOBODY);
    // A user to whom one copy does not belong: that feed fails, no other.
    let dirs = grown(table::dirs());
    for entry in fs::read_dir(&dirs.copies).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    chown(&dirs.copies, Some(NOBODY), Some(NOBODY)).unwrap();
    let copy = dirs.copies.join("feed_1.MYD");
    chown(&copy, Some(0), Some(0)).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = as_nobody(&dirs, &program::backup(&dirs, &[]));
    assert_eq!(ended.code(), 3, "{ended:?}");
    expect_said(&ended, &copy, "Permission denied");
    assert!(fs::read(&copy).unwrap() == rows(0..50));
    assert!(fs::read(dirs.copies.join("feed_2.MYD")).unwrap() == rows(0..60));
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(as_nobody(&dirs, &program::backup(&dirs, &[])).code(), 0);
    program::expect_equal(&dirs);
}

#[test]
fn devices_are_neither_opened_nor_removed() {
    // One that takes everything, one that would answer with zeros for ever, and one
    // that has no driver: had it been opened, that would be what is said.
    let devices = [(1, 3), (1, 5), (300, 1)];
    let names = [
        "feed_1.MYD",
        "feed_1.frm",
        ".feed_1.MYD.partial",
        ".feed_1.frm.partial",
        CATALOG_FILE,
        "emonfeed.sqlite-journal",
        LOCK_FILE,
    ];
    for (kind, (major, minor)) in devices.into_iter().enumerate() {
        for (at, name) in names.into_iter().enumerate() {
            let dirs = grown(dirs_in_memory());
            let place = dirs.copies.join(name);
            let aside = dirs.root.path().join("aside");
            let was_there = fs::rename(&place, &aside).is_ok();
            let is_block = (kind + at) % 2 == 1;
            let of =
                if is_block { FileType::BlockDevice } else { FileType::CharacterDevice };
            let mode = Mode::from_raw_mode(0o666);
            mknodat(CWD, &place, of, mode, makedev(major, minor)).unwrap();
            let ended = backup(&dirs);
            let what = format!("{name}: {ended:?}");
            let there = fs::symlink_metadata(&place).map(|meta| meta.file_type());
            let is_device =
                there.is_ok_and(|kind| kind.is_char_device() || kind.is_block_device());
            let is_partial = name.ends_with(".partial");
            if is_partial && ended.code() == 0 {
                // What has such a name is a run's own, whatever it is.
                assert!(!is_device, "{what}");
            } else {
                expect_said(&ended, &place, "this is a device, not a file");
                assert!(is_device, "{what}");
                fs::remove_file(&place).unwrap();
                if was_there {
                    fs::rename(&aside, &place).unwrap();
                }
            }
            let ended = backup(&dirs);
            assert_eq!(ended.code(), 0, "{what}: {ended:?}");
            program::expect_equal(&dirs);
        }
    }
}

/// Paths as they are when somebody is out for trouble.
fn odd_names() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "two\nlines",
        "\"quoted\" 'twice' `so`",
        "  spaces  ",
        "-rf",
        "--help",
        "back\\slash",
        "tab\tand\rreturn",
        "\u{1b}[31mred",
        "percent %s %n {} {{",
        "semicolon; $(touch x) & #",
        "question?name=x&mode=ro#hash",
        "ümläut \u{202e}right to left",
    ]
    .map(OsString::from)
    .into();
    names.push(OsString::from_vec(b"no \xff\xfe UTF-8 \xc3".to_vec()));
    names.push(OsString::from("long".repeat(60)));
    names
}

#[test]
fn directories_may_have_any_name() {
    for name in odd_names() {
        let dirs = dirs_in_memory();
        let [source, copies, target] = ["source", "copies", "target"]
            .map(|which| dirs.root.path().join(which).join(&name));
        for dir in [&source, &copies, &target] {
            fs::create_dir_all(dir).unwrap();
        }
        // Relative, as they are typed.
        let run = |args: &[&str], places: &[&Path]| {
            let mut command = emonfeed(args);
            command.current_dir(dirs.root.path()).args(places);
            program::run(command)
        };
        let table = Table::indexed(&source, "feed_1", &rows(0..50));
        let backup = |options: &[&str]| {
            let args = [&["backup", "--same-device"], options].concat();
            run(&args, &[&source, &copies])
        };
        let what = format!("{name:?}");
        assert_eq!(backup(&[]).code(), 0, "{what}");
        table.append(&rows(50..60));
        let said = backup(&["--json"]);
        assert_eq!(said.code(), 0, "{what}: {said:?}");
        for line in said.out.lines() {
            let _: serde_json::Value = serde_json::from_str(line)
                .unwrap_or_else(|e| panic!("{what}: {e} in {line:?}"));
        }
        assert!(fs::read(copies.join("feed_1.MYD")).unwrap() == table.bytes(), "{what}");
        let status = run(&["status", "--json"], &[&copies]);
        assert_eq!(status.code(), 0, "{what}: {status:?}");
        let _: serde_json::Value = serde_json::from_str(&status.out)
            .unwrap_or_else(|e| panic!("{what}: {e} in {:?}", status.out));
        for (args, places) in [
            (&["status"] as &[&str], vec![&*copies]),
            (&["verify"], vec![&*copies]),
            (&["restore", "--list"], vec![&*copies]),
            (&["restore"], vec![&*copies, &*target]),
            (&["info"], vec![&*source.join("feed_1.MYD")]),
        ] {
            let ended = run(args, &places);
            assert_eq!(ended.code(), 0, "{what}: {args:?}: {ended:?}");
            let is_control = |c: char| c.is_control() && c != '\n';
            assert!(!ended.out.contains(is_control), "{what}: {args:?}: {ended:?}");
            // Nor a name on two lines.
            assert!(!ended.out.contains("two\nlines"), "{what}: {args:?}: {ended:?}");
        }
        assert!(fs::read(target.join("feed_1.MYD")).unwrap() == table.bytes(), "{what}");
        // What goes wrong is one line each, whatever the names are.
        fs::write(&table.data, rows(0..60)).unwrap();
        table.set_header(26, &[2]);
        let ended = backup(&[]);
        assert_eq!(ended.code(), 1, "{what}: {ended:?}");
        let mut lines = ended.err.lines();
        assert!(
            lines.all(|line| line.starts_with("emonfeed: ")),
            "{what}: {:?}",
            ended.err
        );
        let is_control = |c: char| c.is_control() && c != '\n';
        assert!(!ended.err.contains(is_control), "{what}: {:?}", ended.err);
    }
}
