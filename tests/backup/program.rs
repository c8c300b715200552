//! `emonfeed` as a process of its own, which may be slow, but not for ever.

use crate::table::Dirs;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes as long, even on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(20);

const MOMENT: Duration = Duration::from_millis(1);

/// What a process that came to its end left.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The exit code; the process must not have been killed.
    #[track_caller]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("it was killed: {self:?}"))
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

pub fn emonfeed<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    within(&[] as &[&str], args)
}

/// The command, started by another one that changes what it finds: `faketime`,
/// `prlimit`.
pub fn within<P: AsRef<OsStr>, S: AsRef<OsStr>>(
    starter: &[P],
    args: impl IntoIterator<Item = S>,
) -> Command {
    let program = OsStr::new(env!("CARGO_BIN_EXE_emonfeed"));
    let mut line = starter.iter().map(AsRef::as_ref).chain([program]);
    let mut command = Command::new(line.next().unwrap_or(program));
    command.args(line).args(args).stdin(Stdio::null());
    command
}

/// The arguments of a backup with some options.
pub fn backup<'a>(dirs: &'a Dirs, options: &[&'a str]) -> Vec<&'a OsStr> {
    let mut args: Vec<&OsStr> = ["backup", "--same-device"].map(OsStr::new).to_vec();
    args.extend(options.iter().map(|option| OsStr::new(*option)));
    args.extend([dirs.source.as_os_str(), dirs.copies.as_os_str()]);
    args
}

/// The arguments that check all copies, and compare them with the source.
pub fn verify(dirs: &Dirs) -> Vec<&OsStr> {
    let [verify, source] = ["verify", "--source"].map(OsStr::new);
    vec![verify, dirs.copies.as_os_str(), source, dirs.source.as_os_str()]
}

pub fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// Waits for the end of a process. What hangs is ended, and a failure.
#[track_caller]
pub fn end(mut child: Child) -> Ended {
    let begun = Instant::now();
    let (mut out, mut err) = (String::new(), String::new());
    // What the command says of a few feeds fits into a pipe.
    let hangs = loop {
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            break true;
        }
        std::thread::sleep(MOMENT);
    };
    let status = child.wait().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert!(!hangs, "it hung: {status:?}\n{out}{err}");
    Ended { status, out, err }
}

#[track_caller]
pub fn run(command: Command) -> Ended {
    end(start(command))
}

/// Waits for something that a process is about to do.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(MOMENT);
    }
}

/// Fails unless the copies are sound and hold all that the source has.
#[track_caller]
pub fn expect_equal(dirs: &Dirs) {
    let checked = run(emonfeed(verify(dirs)));
    assert_eq!(checked.code(), 0, "{}{}", checked.out, checked.err);
    let data = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "MYD" || extension == "dat")
    };
    for entry in std::fs::read_dir(&dirs.source).unwrap() {
        let path = entry.unwrap().path();
        if data(&path) {
            let copy = dirs.copies.join(path.file_name().unwrap());
            let same = std::fs::read(&copy).unwrap() == std::fs::read(&path).unwrap();
            assert!(same, "{} is not what the source has", copy.display());
        }
    }
    let left = crate::table::names(&dirs.copies);
    assert!(!left.iter().any(|name| name.ends_with(".partial")), "{left:?}");
}
