//! The system calls of a process: which of them change something, and processes
//! of which one such call is the last, or fails.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

/// Calls that change no file, whatever their arguments.
const HARMLESS: &str = "access arch_prctl brk clock_nanosleep clone clone3 close dup dup2 \
    eventfd2 execve exit exit_group faccessat faccessat2 fadvise64 fcntl flock fstat fstatfs \
    futex getcwd getdents64 getegid geteuid getgid getpid getppid getrandom gettid getuid \
    lseek lstat madvise mprotect mremap munmap newfstatat pipe2 poll ppoll pread64 preadv \
    prlimit64 read readahead readlink readlinkat readv restart_syscall rseq rt_sigaction \
    rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list \
    set_tid_address sigaltstack socketpair stat statfs statx sysinfo umask uname wait4";

/// Calls that change one, or make sure that it is changed.
const CHANGES: &str = "chmod chown copy_file_range fallocate fchmod fchmodat fchmodat2 fchown \
    fchownat fdatasync fsetxattr fsync ftruncate futimesat ioctl_ficlone lchown link linkat \
    lsetxattr mkdir mkdirat mknod mknodat msync pwrite64 pwritev pwritev2 rename renameat \
    renameat2 rmdir sendfile setxattr splice symlink symlinkat sync sync_file_range syncfs \
    truncate unlink unlinkat utime utimensat utimes writev";

/// One call of a process that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    /// Of which of the calls of that name, from 1 on.
    pub nth: usize,
    /// Whether it has to do with the files of a feed.
    pub of_feed: bool,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.nth)
    }
}

/// Whether a call, as strace writes it, changes something. One of a kind that is
/// known neither for that nor for the contrary is a failure: nothing is overlooked
/// that comes to be used one day.
fn changes(name: &str, line: &str) -> bool {
    let is_in = |list: &str| list.split_whitespace().any(|one| one == name);
    let is_one_of = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match name {
        "open" | "openat" | "openat2" => is_one_of(&["O_CREAT", "O_TRUNC", "O_TMPFILE"]),
        // What is said to the terminal, and between threads.
        "write" => !is_one_of(&["(1<", "(2<", "<pipe:", "<anon_inode:", "<socket:"]),
        "ioctl" => !is_one_of(&["TCGETS", "TIOCGWINSZ"]),
        "mmap" => line.contains("PROT_WRITE") && line.contains("MAP_SHARED"),
        _ if is_in(HARMLESS) => false,
        _ if is_in(CHANGES) => true,
        _ => panic!("does this change something? {line}"),
    }
}

/// Runs the command without a filter, and lists the calls that change something.
/// It must make all of them in one thread, so that they can be counted.
pub fn changing<S: AsRef<OsStr>>(args: &[S]) -> Vec<Call> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("strace")
        .args(["-f", "-qq", "-y", "-e", "signal=none", "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    assert!(output.status.success(), "{output:?}");
    let log = fs::read_to_string(log.path()).unwrap();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let (mut calls, mut writer) = (Vec::new(), None);
    for line in log.lines() {
        let (thread, line) = line.split_once(char::is_whitespace).unwrap();
        let line = line.trim_start();
        if line.starts_with(['+', '-', '<']) {
            continue;
        }
        let (name, _) = line.split_once('(').unwrap_or_else(|| panic!("{line}"));
        let is_first = writer.is_none_or(|writer| writer == thread);
        if changes(name, line) {
            assert!(is_first, "a second thread: {line}");
            writer = Some(thread);
        }
        // The first thread is the one that does all.
        if Some(thread) == log.split_whitespace().next() {
            let count = counts.entry(name).or_default();
            *count += 1;
            if changes(name, line) {
                let of_feed = line.contains("feed_");
                calls.push(Call { name: name.to_owned(), nth: *count, of_feed });
            }
        }
    }
    calls
}

/// Runs the command; at a call of that name and number of any of its threads
/// something `happens`, as strace has it: `signal=SIGKILL`, `error=EIO`. `None` if
/// none of them made as many.
pub fn injected<S: AsRef<OsStr>>(
    args: &[S],
    call: &Call,
    happens: &str,
    more: &[&str],
) -> Option<Output> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let Call { name, nth, .. } = call;
    let mut strace = Command::new("strace");
    if happens.starts_with("error=") {
        // Nothing but that call is stopped at; strace sends no signal then.
        strace.arg("--seccomp-bpf");
    }
    let output = strace
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(log.path())
        .args(["-e", &format!("trace={name}")])
        .args(["-e", &format!("inject={name}:{happens}:when={nth}")])
        .args(more)
        .arg(env!("CARGO_BIN_EXE_emonfeed"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    let log = fs::read_to_string(log.path()).unwrap();
    let happened = log.contains("(INJECTED)") || output.status.signal() == Some(9);
    happened.then_some(output)
}

/// What may go wrong with a call, other than that it is the last.
pub fn errors(name: &str) -> &'static [&'static str] {
    match name {
        "fchown" | "fchmod" => &["EIO", "EPERM"],
        "unlink" | "unlinkat" => &["EIO", "EROFS"],
        "linkat" | "renameat" | "renameat2" => &["EIO", "ENOSPC", "EDQUOT", "EPERM"],
        _ => &["EIO", "ENOSPC", "EDQUOT"],
    }
}

/// The same, of all of them: each with the first of its errors, and for some of
/// them another.
pub fn failures(calls: &[Call], others: usize) -> Vec<(Call, &'static str)> {
    let mut failures = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let errors = errors(&call.name);
        failures.push((call.clone(), errors[0]));
        for more in 0..others.min(errors.len() - 1) {
            failures.push((call.clone(), errors[1 + (at + more) % (errors.len() - 1)]));
        }
    }
    failures
}
