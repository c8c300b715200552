//! Conversions that are killed, or whose system calls fail, at every call that
//! changes something: nothing half-written has a feed's name, and the next one
//! begins as if nothing had been.

use crate::calls::{self, Call, failures, injected};
use crate::effort::effort;
use crate::naive::phpfina;
use crate::program::{emonfeed, run};
use crate::table::{Dirs, Table, contents, dirs_in_memory, names, rows};
use emonfeed::query::Aggregate;
use std::ffi::OsString;
use std::fs;

/// Two feeds, of several pieces of what is written at a time.
const ROWS: u32 = 20_000;

struct Scene {
    dirs: Dirs,
    engine: &'static str,
    /// What the target holds in the end.
    wanted: Vec<(String, Vec<u8>)>,
}

fn scene(engine: &'static str) -> Scene {
    let dirs = dirs_in_memory();
    let readings: Vec<_> =
        (0..ROWS).map(|i| (1_400_000_000 + 10 * i, i as f32 / 4.0)).collect();
    let mut wanted = Vec::new();
    for number in [3, 7] {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..ROWS));
        if engine == "phpfina" {
            let (data, meta) = phpfina(&readings, 10, Aggregate::Last);
            wanted.push((format!("{number}.dat"), data));
            wanted.push((format!("{number}.meta"), meta));
        } else {
            wanted.push((format!("feed_{number}.MYD"), rows(0..ROWS)));
        }
    }
    Scene { dirs, engine, wanted }
}

impl Scene {
    fn args(&self) -> Vec<OsString> {
        let words = ["convert", "-q", "--to", self.engine].map(OsString::from);
        let paths = [&self.dirs.source, &self.dirs.copies].map(OsString::from);
        words.into_iter().chain(paths).collect()
    }

    fn rewind(&self) {
        fs::remove_dir_all(&self.dirs.copies).unwrap();
        fs::create_dir(&self.dirs.copies).unwrap();
    }

    fn calls(&self) -> Vec<Call> {
        self.rewind();
        calls::changing(&self.args())
    }

    /// Whatever happened: what has a feed's name is whole, and the next run, of the
    /// feeds that are missing, makes everything right.
    fn expect_whole(&self, what: &str) {
        let copies = &self.dirs.copies;
        for (name, bytes) in &self.wanted {
            if let Ok(is) = fs::read(copies.join(name)) {
                assert!(is == *bytes, "{what}: {name} is half-written");
            }
        }
        let dat = |number| copies.join(format!("{number}.dat"));
        let meta = |number| copies.join(format!("{number}.meta"));
        let mut missing = Vec::new();
        for number in [3, 7] {
            assert!(
                meta(number).exists() || !dat(number).exists(),
                "{what}: {number}.dat has no .meta"
            );
            let rows = copies.join(format!("feed_{number}.MYD"));
            if !dat(number).exists() && !rows.exists() {
                missing.push(number.to_string());
            }
        }
        let only = missing.join(",");
        let mut args = self.args();
        if missing.is_empty() {
            // Nothing is overwritten, but what is left over goes.
            let again = run(emonfeed(args));
            assert_eq!(again.code(), 1, "{what}: {again:?}");
        } else {
            args.extend([OsString::from("--only"), OsString::from(&only)]);
            let again = run(emonfeed(args));
            assert_eq!(again.code(), 0, "{what}: {again:?}");
        }
        let mut wanted: Vec<_> = self.wanted.iter().map(|(name, _)| name).collect();
        wanted.sort();
        assert!(names(copies).iter().eq(wanted), "{what}: {:?}", names(copies));
        for (name, bytes) in &self.wanted {
            assert!(fs::read(copies.join(name)).unwrap() == *bytes, "{what}: {name}");
        }
    }
}

#[test]
fn killed_at_any_call_that_changes_something() {
    for engine in ["phptimeseries", "phpfina"] {
        let scene = scene(engine);
        let before = contents(&scene.dirs.source);
        let calls = scene.calls();
        for call in &calls {
            scene.rewind();
            let output = injected(&scene.args(), call, "signal=SIGKILL", &[]);
            let output = output.unwrap_or_else(|| panic!("{call} was not made again"));
            let what = format!("{engine}, killed at {call}");
            assert!(!output.status.success(), "{what}");
            scene.expect_whole(&what);
        }
        println!("{engine}: killed at {} calls", calls.len());
        assert!(calls.len() >= 12, "only {} runs were killed", calls.len());
        assert!(contents(&scene.dirs.source) == before, "the source is touched");
    }
}

#[test]
fn any_call_that_changes_something_may_fail() {
    for engine in ["phptimeseries", "phpfina"] {
        let scene = scene(engine);
        let failures = failures(&scene.calls(), effort(1, usize::MAX));
        for (call, error) in &failures {
            scene.rewind();
            let output = injected(&scene.args(), call, &format!("error={error}"), &[]);
            let output = output.unwrap_or_else(|| panic!("{call} was not made again"));
            let what = format!("{engine}, {error} at {call}: {output:?}");
            assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{what}");
            if output.status.code() != Some(0) {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("is not converted: "), "{what}");
            }
            scene.expect_whole(&what);
        }
        println!("{engine}: {} calls failed", failures.len());
        assert!(failures.len() >= 24, "only {} calls failed", failures.len());
    }
}

#[test]
fn told_to_stop_it_ends_at_the_next_piece() {
    for engine in ["phptimeseries", "phpfina"] {
        let scene = scene(engine);
        // The first write of the second feed.
        let calls = scene.calls();
        let writes = calls.iter().filter(|call| call.name == "pwrite64").count();
        let nth = writes / 2 + 1;
        scene.rewind();
        let output = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e"])
            .arg(format!("inject=pwrite64:signal=SIGINT:when={nth}"))
            .arg(env!("CARGO_BIN_EXE_emonfeed"))
            .args(scene.args())
            .output()
            .expect("strace runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("stopped before the end"), "{said}");
        assert!(!names(&scene.dirs.copies).iter().any(|name| name.starts_with('.')));
        scene.expect_whole("told to stop");
    }
}

/// What a run did to files and names, in the order of the calls: `fsync feed_3.MYD`.
fn traced(scene: &Scene) -> Vec<String> {
    scene.rewind();
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = std::process::Command::new("strace")
        .args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,renameat2,pwrite64", "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .args(scene.args())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let target = scene.dirs.copies.to_str().unwrap();
    let call = |line: &str| {
        let (_, line) = line.split_once(char::is_whitespace).unwrap();
        let (name, arguments) = line.trim_start().split_once('(').unwrap();
        if name == "renameat2" {
            assert!(line.contains("RENAME_NOREPLACE"), "{line}");
            return format!("rename {}", arguments.split('"').nth(3).unwrap());
        }
        let (_, path) = arguments.split_once('<').unwrap();
        let (path, _) = path.split_once('>').unwrap();
        let file = path.strip_prefix(target).unwrap_or_else(|| panic!("{line}"));
        let file = file.trim_start_matches(['/', '.']).replace(".converted", "");
        format!(
            "{} {file}",
            name.replace("fdatasync", "fsync").replace("pwrite64", "write")
        )
    };
    let log = fs::read_to_string(log.path()).unwrap();
    let mut calls: Vec<String> = log.lines().map(call).collect();
    calls.dedup();
    calls
}

#[test]
fn what_gets_a_name_is_on_the_disk_and_so_are_names_before_others() {
    let of_feed = |number: u32| {
        let file = format!("feed_{number}.MYD");
        ["write ", "fsync ", "rename "].map(|call| format!("{call}{file}"))
    };
    let mut wanted = Vec::new();
    for number in [3, 7] {
        wanted.extend(of_feed(number));
        wanted.push("fsync ".to_owned());
    }
    assert_eq!(traced(&scene("phptimeseries")), wanted);
    let mut wanted = Vec::new();
    for number in [3, 7] {
        for file in ["meta", "dat"] {
            wanted.push(format!("write {number}.{file}"));
            wanted.push(format!("fsync {number}.{file}"));
        }
        for file in ["meta", "dat"] {
            wanted.push(format!("rename {number}.{file}"));
            wanted.push("fsync ".to_owned());
        }
    }
    assert_eq!(traced(&scene("phpfina")), wanted);
}

#[test]
fn what_a_disk_did_not_take_is_found_by_reading_it_again() {
    // The kernel says that it wrote, and did not: in each attempt the first of two
    // writes, so that there is a hole in a file of the right length.
    for (engine, option, count, which, len) in [
        ("phptimeseries", "--last", 20_000, "1+2", 131_067),
        ("phpfina", "--last", 40_000, "2+3", 131_072),
        ("phpfina", "--average", 40_000, "2+3", 131_072),
    ] {
        let dirs = dirs_in_memory();
        Table::indexed(&dirs.source, "feed_7", &rows(0..count));
        let scene = Scene { dirs, engine, wanted: Vec::new() };
        let happens = format!("retval={len}:when={which}");
        let log = tempfile::NamedTempFile::new().unwrap();
        let output = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(log.path())
            .args(["-e", "trace=pwrite64", "-e", &format!("inject=pwrite64:{happens}")])
            .arg(env!("CARGO_BIN_EXE_emonfeed"))
            .args(scene.args())
            .arg(option)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(fs::read_to_string(log.path()).unwrap().contains("(INJECTED)"));
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("is not what the feed holds"), "{said}");
        assert_eq!(names(&scene.dirs.copies), [""; 0]);
    }
}
