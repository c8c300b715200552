//! Files that are truncated, refilled, replaced and deleted while they are
//! read: no process dies, and every answer is that of one moment, or an error
//! that says what happened.
//!
//! The readers are processes of their own: this same test binary, a program in
//! C, PHP, and the workers of a PHP-FPM; each through mappings and by `pread`.
//! strace stands between and notes each SIGBUS.

#[path = "../c/mod.rs"]
mod c;
#[path = "../effort/mod.rs"]
mod effort;
mod reader;
mod writer;

use effort::effort;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;
use writer::Writer;

/// What the mapping readers have to run into at least: enough to see that it is
/// no accident when they live through it.
const FAULTS: usize = 10;

/// What reads.
enum Reader {
    /// This test binary again.
    Rust,
    C,
    PhpCli,
    PhpFpm,
}

/// How it reads.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Mmap,
    Pread,
    /// Through mappings, in a host with a SIGBUS handler and faults of its own.
    MmapInHost,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            By::Mmap => "mmap",
            By::Pread => "pread",
            By::MmapInHost => "host",
        }
    }
}

/// Before a command: it ends when the test does, even if that is killed.
const ENDS_WITH_TEST: [&str; 3] = ["setpriv", "--pdeathsig", "TERM"];

/// strace that notes signals, and no system calls, in a file.
fn traced(log: &Path) -> Vec<OsString> {
    let strace = "strace -I2 -f --seccomp-bpf -e trace=none -e signal=SIGBUS -o";
    let words = ENDS_WITH_TEST.iter().copied().chain(strace.split(' '));
    words.map(OsString::from).chain([log.into()]).collect()
}

fn command(words: Vec<OsString>) -> Command {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// PHP with the extension and no other setting of this machine.
fn php(folder: &Path, by: By, script: &str) -> Vec<OsString> {
    let extension = c::root().join("target/php-ext/modules/emonfeed.so");
    assert!(extension.exists(), "{}: build it with `make php`", extension.display());
    let built_in = c::output(Command::new("php").args(["-n", "-m"]));
    let mut settings = vec![
        "error_reporting = -1".to_owned(),
        "display_errors = stderr".to_owned(),
        format!("extension = \"{}\"", extension.display()),
        format!("emonfeed.mmap = {}", u8::from(by == By::Mmap)),
    ];
    if !built_in.lines().any(|line| line == "posix") {
        settings.push("extension = posix".to_owned());
    }
    fs::write(folder.join("php.ini"), settings.join("\n")).unwrap();
    let script = c::root().join("tests/truncation").join(script);
    ["php".into(), script.into(), folder.into()].into()
}

/// Starts a reader of the feeds in `folder`.
fn start(reader: &Reader, by: By, folder: &Path, log: &Path) -> Child {
    let traced = traced(log);
    let mut command = match reader {
        Reader::Rust => {
            let program = std::env::current_exe().unwrap();
            let arguments = ["--exact", "reader::reads", "--nocapture"];
            let arguments = arguments.map(OsString::from);
            command([traced, vec![program.into()], arguments.into()].concat())
        }
        Reader::C => {
            let c = c::compile(folder, "truncated", c::Language::C, c::Link::Shared, &[]);
            command([traced, vec![c.into(), folder.into(), by.word().into()]].concat())
        }
        Reader::PhpCli => command([traced, php(folder, by, "reader.php")].concat()),
        // The tracer goes to where the workers are.
        Reader::PhpFpm => command([php(folder, by, "fpm.php"), traced].concat()),
    };
    command
        .env(reader::FOLDER, folder)
        .env(reader::BY, by.word())
        .env("PHPRC", folder)
        .env("PHP_INI_SCAN_DIR", "")
        .env("EMONFEED_TEST_FOLDER", folder)
        .env_remove("LD_LIBRARY_PATH")
        .stdin(Stdio::null())
        .stdout(fs::File::create(folder.join("out")).unwrap());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

struct Torment {
    folder: tempfile::TempDir,
    log: PathBuf,
    child: Child,
}

impl Torment {
    fn right(&self) -> u64 {
        fs::metadata(self.folder.path().join("right")).map_or(0, |file| file.len())
    }

    fn faults(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("--- SIGBUS {")).count()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("out")).unwrap()
    }

    /// What the reader came to, if it ended before it was told to.
    fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            self.assert_well(status);
            panic!("the reader ended by itself: {}", self.said());
        }
    }

    fn assert_well(&self, status: ExitStatus) {
        assert_eq!(status.signal(), None, "the reader was killed: {}", self.said());
        assert!(status.success(), "{status}: {}", self.said());
    }
}

fn torment(reader: Reader, by: By) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut writer = Writer::new(path);
    let log = path.join("signals");
    let child = start(&reader, by, path, &log);
    let mut torment = Torment { log, child, folder };
    while torment.right() == 0 {
        torment.assert_alive();
        sleep(Duration::from_millis(5));
    }

    let wanted = effort(200, 10_000);
    // How often a fault and an answer come is the scheduler's choice.
    let enough = |torment: &Torment| {
        (by == By::Pread || torment.faults() >= FAULTS)
            && torment.right() >= u64::from(wanted) / 4
    };
    while writer.truncations < wanted || !enough(&torment) {
        for _ in 0..20 {
            writer.next();
        }
        torment.assert_alive();
        assert!(
            writer.truncations < 30 * wanted,
            "no more than {} right answers and {} faults",
            torment.right(),
            torment.faults()
        );
    }
    fs::write(torment.folder.path().join("stop"), "").unwrap();
    let status = torment.child.wait().unwrap();
    torment.assert_well(status);

    let faults = torment.faults();
    let said = torment.said();
    let tally: BTreeMap<&str, u64> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(kind, count)| Some((kind, count.parse().ok()?)))
        .collect();
    println!(
        "{} {} truncations, {faults} faults, {tally:?}",
        std::thread::current().name().unwrap_or("?"),
        writer.truncations
    );
    let count = |kind: &str| tally.get(kind).copied().unwrap_or(0);
    for kind in ["whole", "figures"] {
        assert!(count(kind) > 0, "no answer was {kind}: {tally:?}");
    }
    let log = fs::read_to_string(&torment.log).unwrap();
    assert!(!log.contains("killed by"), "{log}");
    match by {
        By::Mmap => {}
        By::Pread => assert_eq!(faults, 0, "it read through a mapping"),
        By::MmapInHost => {
            let foreign = count("foreign");
            assert!(foreign > 100, "{foreign} faults of the host");
            assert!(
                faults as u64 >= foreign + FAULTS as u64,
                "the library had none of {faults} faults"
            );
        }
    }
}

#[test]
fn rust_reads_mapped_files() {
    torment(Reader::Rust, By::Mmap);
}

#[test]
fn rust_reads_by_pread() {
    torment(Reader::Rust, By::Pread);
}

#[test]
fn c_reads_mapped_files() {
    torment(Reader::C, By::Mmap);
}

#[test]
fn c_reads_by_pread() {
    torment(Reader::C, By::Pread);
}

#[test]
fn a_host_with_faults_of_its_own_reads_mapped_files() {
    torment(Reader::C, By::MmapInHost);
}

#[test]
fn php_reads_mapped_files() {
    torment(Reader::PhpCli, By::Mmap);
}

#[test]
fn php_reads_by_pread() {
    torment(Reader::PhpCli, By::Pread);
}

#[test]
fn fpm_reads_mapped_files() {
    torment(Reader::PhpFpm, By::Mmap);
}

#[test]
fn fpm_reads_by_pread() {
    torment(Reader::PhpFpm, By::Pread);
}
