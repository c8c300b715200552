//! Runs that are killed, or whose system calls fail, at every call that changes
//! something: every partition is whole, and the next run makes all of them right.

use crate::calls::{self, Call};
use crate::dataset::{Dirs, days, partitions};
use crate::effort::effort;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NEW_YEAR: u32 = 1_704_067_200;

/// A dataset, and a source in which years were added, edited and removed since.
struct Scene {
    dirs: Dirs,
    before: PathBuf,
    old: BTreeMap<PathBuf, Vec<u8>>,
    new: BTreeMap<PathBuf, Vec<u8>>,
}

fn scene() -> Scene {
    let dirs = Dirs::new();
    dirs.write(1, &days(NEW_YEAR, 500));
    dirs.write(2, &days(NEW_YEAR, 800));
    dirs.export(&["-q"]);
    let before = dirs.root.path().join("before");
    copy_tree(&dirs.to, &before);
    let old = partitions(&dirs.to);
    let mut rows = days(NEW_YEAR, 800);
    // Another first value of the first year.
    rows[5..9].copy_from_slice(&7.0_f32.to_le_bytes());
    dirs.write(1, &rows);
    dirs.write(2, &days(NEW_YEAR, 20));
    dirs.write(3, &days(NEW_YEAR, 20));
    let new = dirs.fresh();
    Scene { dirs, before, old, new }
}

fn copy_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

impl Scene {
    fn rewind(&self) {
        fs::remove_dir_all(&self.dirs.to).unwrap();
        copy_tree(&self.before, &self.dirs.to);
    }

    fn args(&self) -> Vec<&std::ffi::OsStr> {
        self.dirs.args(&["-q", "--threads", "1"])
    }

    /// Whatever happened, each partition is one of before or one of after; and the
    /// next run makes all of them those of after.
    fn expect_whole(&self, what: &str) {
        let there = partitions(&self.dirs.to);
        for (path, bytes) in &there {
            let known = [self.old.get(path), self.new.get(path)];
            assert!(known.contains(&Some(bytes)), "{what}: {}", path.display());
        }
        for path in self.old.keys().filter(|path| self.new.contains_key(*path)) {
            assert!(there.contains_key(path), "{what}: {} is gone", path.display());
        }
        self.dirs.export(&["-q"]);
        assert!(partitions(&self.dirs.to) == self.new, "{what}: not right afterwards");
    }
}

#[test]
fn any_call_may_be_the_last_or_fail() {
    let scene = scene();
    scene.rewind();
    let calls: Vec<Call> = calls::changing(&scene.args());
    assert!(calls.len() > 60, "only {} calls", calls.len());
    for call in calls.iter().step_by(effort(3, 1)) {
        scene.rewind();
        let killed = calls::injected(&scene.args(), call, "signal=SIGKILL", &[]);
        killed.unwrap_or_else(|| panic!("{call} was not made again"));
        scene.expect_whole(&format!("killed at {call}"));
    }
    for (call, error) in calls::failures(&calls, 0).iter().step_by(effort(3, 1)) {
        scene.rewind();
        let what = format!("{error} at {call}");
        let failed = calls::injected(&scene.args(), call, &format!("error={error}"), &[]);
        let failed = failed.unwrap_or_else(|| panic!("{what}: it was not made again"));
        let code = failed.status.code();
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(matches!(code, Some(0 | 1 | 3)), "{what}: {code:?} {said}");
        // Where it says that all is well, it is.
        if code == Some(0) {
            assert!(partitions(&scene.dirs.to) == scene.new, "{what}: all is well?");
        } else {
            assert!(said.contains("emonfeed: "), "{what}: {said}");
        }
        scene.expect_whole(&what);
    }
}

/// What lasts through a power cut, at each call of a run: a partition gets its name
/// when its bytes are on the disk, and what is known of it is said when its name is,
/// and is not said any more before the partition is touched.
#[test]
fn nothing_is_said_of_a_partition_that_a_power_cut_may_take() {
    let scene = scene();
    scene.rewind();
    let log = scene.dirs.root.path().join("calls");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-y", "-e", "signal=none", "-o"])
        .arg(&log)
        .args(["-e", "trace=write,fsync,syncfs,mkdir,rename,unlink,rmdir"])
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .args(scene.args())
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(&log).unwrap();
    let (mut written, mut named, mut folders) = (vec![], vec![], vec![]);
    let (mut put, mut said) = (0, 0);
    for line in log.lines().filter(|line| line.contains("/to")) {
        let call = line.split_once(char::is_whitespace).unwrap().1.trim_start();
        let (name, rest) = call.split_once('(').unwrap();
        assert!(
            rest.ends_with(" = 0") || name == "write" || rest.contains("E"),
            "{line}"
        );
        let path = rest.split(['<', '>', '"']).nth(1).unwrap();
        let folder = path.rsplit_once('/').unwrap().0;
        let is_known = rest.contains("/.emonfeed.json\"");
        match name {
            "write" if !written.contains(&path) => written.push(path),
            "fsync" => {
                written.retain(|file| *file != path);
                folders.retain(|one| *one != path);
            }
            "syncfs" => (named.clear(), folders.clear()).0,
            "rename" => {
                assert!(!written.contains(&path), "not on the disk yet: {line}");
                if is_known {
                    assert!(named.is_empty(), "{named:?} may not last: {line}");
                    said += 1;
                    folders.push(folder);
                } else if rest.contains("/part-0") {
                    let known = folder.rsplit_once('/').unwrap().0;
                    assert!(!folders.contains(&known), "what was said may last: {line}");
                    put += 1;
                    named.push(path);
                }
            }
            "unlink" if rest.contains("/part-0") && rest.ends_with(" = 0") => {
                let known = folder.rsplit_once('/').unwrap().0;
                assert!(!folders.contains(&known), "what was said may last: {line}");
                named.push(path);
            }
            _ => {}
        }
    }
    assert!(written.is_empty() && named.is_empty(), "{written:?} {named:?}");
    // Of feed 1 two years are others and one is new, of feed 2 one is another and two
    // are gone, of feed 3 one is new.
    assert_eq!((put, said), (5, 7), "{log}");
}

/// A disk of `$1` KiB with the dataset of before; a run, and one on a larger disk.
const DISK: &str = r#"
    mount -t tmpfs -o "size=${1}k,mode=700" none "$5" || exit 99
    cp -a "$3"/. "$5" 2>/dev/null || exit 98
    "$2" export -q "$4" --to "$5"
    echo "run $?"
    mount -o remount,size=16m "$5" || exit 99
    "$2" export -q "$4" --to "$5"
    echo "run $?"
    mkdir "$6" && cp -a "$5"/. "$6""#;

#[test]
fn a_disk_may_be_full() {
    let scene = scene();
    let (mut full, mut kib, mut enough) = (0, 20, false);
    while !enough {
        assert!(kib < 4096, "it never has enough");
        scene.rewind();
        let after = scene.dirs.root.path().join(format!("after-{kib}"));
        let output = Command::new("unshare")
            .args(["--mount", "bash", "-c", DISK, "bash", &kib.to_string()])
            .arg(env!("CARGO_BIN_EXE_emonfeed"))
            .args([&scene.before, &scene.dirs.source, &scene.dirs.to, &after])
            .stdin(Stdio::null())
            .output()
            .expect("unshare runs (package util-linux)");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        kib += 8;
        match output.status.code() {
            Some(98) => continue,
            Some(0) => {}
            code => panic!("{kib} KiB: {code:?} {said}{wrong}"),
        }
        match said.as_str() {
            "run 0\nrun 0\n" => enough = true,
            "run 1\nrun 0\n" | "run 3\nrun 0\n" => {
                full += 1;
                assert!(wrong.contains("No space left on device"), "{wrong}");
            }
            _ => panic!("{kib} KiB: {said}{wrong}"),
        }
        assert!(partitions(&after) == scene.new, "{kib} KiB");
    }
    assert!(full > 0, "the disk was never full");
}

/// The files of before and after have the same length here, and after the kill the
/// source is again what it was before: what is known must not be believed.
#[test]
fn a_source_may_go_back_after_a_run_was_killed() {
    let dirs = Dirs::new();
    let text = ["--format", "csv", "--compression", "none", "-q", "--threads", "1"];
    let old = days(NEW_YEAR, 3);
    let mut new = old.clone();
    // Another digit of the second value, 0.125.
    new[14..18].copy_from_slice(&0.625_f32.to_le_bytes());
    dirs.write(1, &old);
    dirs.export(&text);
    let before = dirs.root.path().join("before");
    copy_tree(&dirs.to, &before);
    let expected = partitions(&dirs.to);
    dirs.write(1, &new);
    let calls = calls::changing(&dirs.args(&text));
    for call in &calls {
        fs::remove_dir_all(&dirs.to).unwrap();
        copy_tree(&before, &dirs.to);
        dirs.write(1, &new);
        let killed = calls::injected(&dirs.args(&text), call, "signal=SIGKILL", &[]);
        assert!(killed.is_some(), "{call} was not made again");
        dirs.write(1, &old);
        dirs.export(&text);
        assert!(partitions(&dirs.to) == expected, "killed at {call}");
    }
}
