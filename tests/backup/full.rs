//! A small disk, from one that does not hold the catalog up to one that holds all:
//! whatever it holds, it says what is missing, loses nothing, and is complete when it
//! has been made larger.

use crate::effort::effort;
use crate::killed::{Scene, scene};
use std::path::Path;
use std::process::Command;

/// In a mount namespace of its own: a disk of `$1` KiB with the copies of before, a
/// run on it, what verify says then, and after the disk has been made larger a run
/// and a verify again. Prints the codes, and copies what is there to `$6`.
const DISK: &str = r#"
    shopt -s nullglob
    size=$1 program=$2 before=$3 copies=$4 source=$5 after=$6
    mount -t tmpfs -o "size=${size}k,mode=700" none "$copies" || exit 99
    for file in "$before"/*; do
        cp "$file" "$copies" 2>/dev/null || exit 98
    done
    "$program" backup --same-device -q "$source" "$copies"
    echo "run $?"
    "$program" verify -q "$copies" >&2
    echo "verify $?"
    mount -o remount,size=16m "$copies" || exit 99
    "$program" backup --same-device -q "$source" "$copies" >&2
    echo "run $?"
    "$program" verify -q "$copies" --source "$source" >&2
    echo "verify $?"
    cp "$copies"/* "$after""#;

/// What a shell in a mount namespace of its own says; its code, what it printed, and
/// what went wrong.
fn on_a_disk(scene: &Scene, kib: usize, before: &Path) -> (i32, String, String) {
    let after = scene.dirs.root.path().join("after");
    std::fs::create_dir_all(&after).unwrap();
    let size = kib.to_string();
    let output = Command::new("unshare")
        .args(["--mount", "bash", "-c", DISK, "bash", &size])
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .args([before, &scene.dirs.copies, &scene.dirs.source, &after])
        .output()
        .expect("unshare runs (package util-linux)");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

fn steps(scene: &Scene, before: &Path, step: usize) {
    let (mut too_small, mut enough, mut in_a_row) = (0, 0, 0);
    let mut kib = 4;
    while in_a_row < 3 {
        assert!(kib < 16 << 10, "it never has enough");
        let (code, said, wrong) = on_a_disk(scene, kib, before);
        let what = format!("{kib} KiB: {code}: {said}{wrong}");
        kib += step;
        // It does not even hold what was there before.
        if code == 98 {
            continue;
        }
        assert_eq!(code, 0, "{what}");
        let said: Vec<_> = said.lines().collect();
        if said[0] == "run 0" {
            in_a_row += 1;
            enough += 1;
        } else {
            in_a_row = 0;
            too_small += 1;
            assert!(matches!(said[0], "run 1" | "run 3"), "{what}");
            // Which file, and why.
            let copies = scene.dirs.copies.to_str().unwrap();
            let first = wrong.lines().next().unwrap_or_default();
            assert!(first.starts_with("emonfeed: ") && first.contains(copies), "{what}");
            assert!(first.contains("full") || first.contains("No space"), "{what}");
        }
        // A catalog that is not there yet is nothing to verify.
        let has_copies = std::fs::read_dir(before).unwrap().next().is_some();
        assert!(said[1] == "verify 0" || !has_copies, "{what}");
        assert_eq!(said[2..], ["run 0", "verify 0"], "{what}");
        scene.rewind_to(&scene.dirs.root.path().join("after"));
        if has_copies {
            scene.expect_whole(&what);
        }
        std::fs::remove_dir_all(scene.dirs.root.path().join("after")).unwrap();
    }
    println!("{too_small} disks were too small, {enough} large enough");
    assert!(too_small > 3, "only {too_small} disks were too small");
}

#[test]
fn a_disk_may_be_full_at_any_size() {
    let scene = scene();
    let step = effort(24, 4);
    let before = scene.before();
    steps(&scene, before, step);
    let nothing = tempfile::tempdir().unwrap();
    steps(&scene, nothing.path(), step);
}
