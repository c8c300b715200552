//! Writes that take less than they were given, each of them; and after one that
//! did, a disk that is full.

use crate::effort::effort;
use crate::killed::{Scene, scene};
use crate::program::{self, Ended};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles what makes the writes of a process short.
fn short_writes(dir: &Path) -> PathBuf {
    let library = dir.join("short_writes.so");
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backup/short_writes.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&library, &source])
        .status()
        .expect("cc runs (package gcc)");
    assert!(status.success());
    library
}

fn run(scene: &Scene, library: &Path, which: usize) -> Ended {
    let mut command = program::emonfeed(scene.args("1"));
    command.env("LD_PRELOAD", library).env("EMONFEED_SHORT_WRITES", which.to_string());
    program::run(command)
}

#[test]
fn every_write_is_short() {
    let scene = scene();
    let library = short_writes(scene.dirs.root.path());
    scene.rewind();
    let ended = run(&scene, &library, 0);
    assert_eq!((ended.code(), &*ended.err), (0, ""));
    program::expect_equal(&scene.dirs);
    scene.expect_whole("every write is short");
}

#[test]
fn a_write_is_short_and_then_the_disk_is_full() {
    let scene = scene();
    let library = short_writes(scene.dirs.root.path());
    let writes = scene.calls().iter().filter(|call| call.name == "pwrite64").count();
    assert!(writes > 50, "only {writes} writes");
    for number in (1..=writes).step_by(effort(3, 1)) {
        scene.rewind();
        let ended = run(&scene, &library, number);
        let what = format!("full after write {number}: {ended:?}");
        // The last may be only of how the run went.
        assert!(matches!(ended.code(), 1 | 3), "{what}");
        assert!(ended.err.contains("full") || ended.err.contains("No space"), "{what}");
        scene.expect_whole(&what);
    }
}
