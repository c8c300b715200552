//! Instructions that the hot paths take, as callgrind counts them in the release
//! build: a regression shows on any machine, however busy it is. The limits are
//! in `tests/instructions.txt`.

mod c;

use c::{Language, compiler, libraries, output, root, run, settle};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// More than the limit and so many percent is a regression.
const ABOVE: f64 = 10.0;
/// Less than the limit without so many percent: the limit says nothing any more.
const BELOW: f64 = 30.0;

const ROWS: u32 = 500_000;
const START: u32 = 1_672_531_200;
const SAMPLES: u32 = 1000;
const RENEW: &str = "RENEW=1 cargo test --test instructions";

/// Readings every 5 seconds, each 17th a second late, out for 20 minutes now and
/// then: watts with a digit behind the point.
fn write_feed(path: &Path) {
    let rows = (1..=ROWS).map(|n| {
        let time = START + 5 * n + u32::from(n % 17 == 0) + 1200 * (n / 60_000);
        let kettle = if n % 3000 < 40 { 24_000 } else { 0 };
        (time, (2300 + n * 7919 % 1000 + kettle) as f32 / 10.0)
    });
    c::write_feed(path, rows);
}

/// When the newest file in a folder was changed, the command's left out.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|entry| entry.file_name() != "bin");
    let times = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => newest(&entry.path()),
        false => entry.metadata().unwrap().modified().unwrap(),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The shared library of the release build, which has to be there, for the
/// tests' own is not optimised.
fn release_library() -> PathBuf {
    let target = libraries().join("../..").canonicalize().unwrap();
    let library = target.join("release/libemonfeed.so");
    let Ok(meta) = fs::metadata(&library) else {
        panic!("{} is missing: run make first", library.display());
    };
    assert!(
        meta.modified().unwrap() >= newest(&root().join("src")),
        "{} is older than the sources: run make first",
        library.display()
    );
    library
}

fn compile(folder: &Path) -> PathBuf {
    let library = release_library();
    for name in ["libemonfeed.so", "libemonfeed.so.0"] {
        symlink(&library, folder.join(name)).unwrap();
    }
    let program = folder.join("hot_paths");
    let mut rpath = OsString::from("-Wl,-rpath,");
    rpath.push(folder);
    let mut command = compiler(Language::C);
    command.arg("-I").arg(root().join("include"));
    command.arg(root().join("tests/c/hot_paths.c")).args(["-x", "none", "-o"]);
    output(command.arg(&program).arg("-L").arg(folder).arg("-lemonfeed").arg(rpath));
    program
}

/// What the program is asked for one path.
fn asked(feed: &Path, path: &str) -> Vec<OsString> {
    let interval = (5 * ROWS / SAMPLES).to_string();
    let kept = feed.with_file_name("kept").into_os_string();
    vec![path.into(), feed.into(), START.to_string().into(), interval.into(), kept]
}

/// Instructions per unit of one path.
fn count(program: &Path, feed: &Path, path: &str) -> f64 {
    let folder = program.parent().unwrap();
    let out = folder.join(format!("callgrind-{path}"));
    let mut file = OsString::from("--callgrind-out-file=");
    file.push(&out);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--toggle-collect=counted"]).arg(file);
    let run = run(command.arg(program).args(asked(feed, path)));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{path}: {said}");
    let units: f64 = String::from_utf8_lossy(&run.stdout).trim().parse().unwrap();
    let total = fs::read_to_string(&out).unwrap();
    let total = total.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.expect("callgrind's totals").trim().parse().unwrap();
    assert!(total > 0.0, "{path}: callgrind saw nothing of counted()");
    total / units
}

/// What the lines that are no comments say: name, limit and unit.
fn limits(text: &str) -> BTreeMap<String, (f64, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let limit = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let limit = words.next()?.parse().ok()?;
        Some((name, (limit, words.collect::<Vec<_>>().join(" "))))
    };
    lines
        .map(|line| limit(line).unwrap_or_else(|| panic!("{line}: name, limit, unit")))
        .collect()
}

#[test]
fn hot_paths_take_no_more_instructions_than_they_did() {
    let file = root().join("tests/instructions.txt");
    let text = fs::read_to_string(&file).unwrap();
    let limits = limits(&text);
    assert!(!limits.is_empty());

    let folder = c::temporary();
    let feed = folder.path().join("feed_1.MYD");
    write_feed(&feed);
    settle(folder.path());
    let program = compile(folder.path());
    // Its summary is kept by another process.
    output(Command::new(&program).args(asked(&feed, "kept-view")));
    assert_eq!(fs::read_dir(folder.path().join("kept")).unwrap().count(), 1);
    let counts: BTreeMap<&str, f64> = std::thread::scope(|scope| {
        let (program, feed) = (&program, &feed);
        let run = |name| (name, scope.spawn(move || count(program, feed, name)));
        let threads: Vec<_> = limits.keys().map(String::as_str).map(run).collect();
        threads.into_iter().map(|(name, thread)| (name, thread.join().unwrap())).collect()
    });

    if std::env::var_os("RENEW").is_some() {
        let comments =
            text.lines().filter(|line| line.starts_with('#') || line.is_empty());
        let mut renewed: String = comments.map(|line| format!("{line}\n")).collect();
        for (name, (_, unit)) in &limits {
            renewed += &format!("{name:<14} {:>9.2}  {unit}\n", counts[name.as_str()]);
        }
        fs::write(&file, renewed).unwrap();
        return;
    }
    // Another processor's instructions are others.
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let mut wrong = String::new();
    for (name, (limit, unit)) in &limits {
        let found = counts[name.as_str()];
        let percent = (found / limit - 1.0) * 100.0;
        let what = match percent {
            _ if percent > ABOVE => "more",
            _ if percent < -BELOW => "fewer",
            _ => continue,
        };
        wrong += &format!(
            "{name}: {found:.2} instructions {unit}, {:.0} % {what} than {limit}\n",
            percent.abs()
        );
    }
    assert!(
        wrong.is_empty(),
        "{wrong}If that is as it should be, renew the limits: {RENEW}"
    );
}
