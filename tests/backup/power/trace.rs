//! Records what a program does to the files of one directory, by strace.

use super::disk::{Disk, Lasting, Loss, Op, Synced};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Calls that change or sync something. What is done by others than those that
/// `Recorder::call` knows is refused there, so that nothing is overlooked.
const CALLS: &str = "trace=open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,\
    truncate,ftruncate,fallocate,copy_file_range,sendfile,splice,mmap,\
    rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,\
    mkdir,mkdirat,rmdir,fsync,fdatasync,sync_file_range,syncfs,sync,fstatfs";

/// Runs a program, which must not fail of itself, and lists what it does to the files of
/// `dir`. `more` are options of strace.
pub fn record(dir: &Path, more: &[&str], program: &[&str]) -> Vec<Op> {
    let before = Disk::read(dir);
    let log = tempfile::NamedTempFile::new().unwrap();
    // All strings in hexadecimal, so that none has a comma or a bracket.
    let output = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-xx",
            "-y",
            "-s",
            "16000000",
            "-e",
            "signal=none",
            "-e",
            CALLS,
        ])
        .args(more)
        .arg("-o")
        .arg(log.path())
        .args(program)
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    let log = fs::read_to_string(log.path()).unwrap();
    let failed = log.contains("sync") && log.contains("= -1 EIO");
    assert!(output.status.success() || failed, "{output:?}");
    let recorder = Recorder::new(fs::canonicalize(dir).unwrap(), before, &log);
    let is_same = recorder.disk.by_name() == Disk::read(dir).by_name();
    assert!(is_same, "the recording is not what happened");
    recorder.ops
}

struct Recorder {
    dir: PathBuf,
    /// What is there now.
    disk: Disk,
    ops: Vec<Op>,
    /// Files that were unlinked, which somebody may have open.
    unlinked: HashMap<String, usize>,
}

/// An argument of a call: `3</a/path>` or `"name"`.
fn decoded(hex: &str) -> Option<PathBuf> {
    let bytes = bytes(hex)?;
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let mut parts = hex.split("\\x");
    if parts.next() != Some("") {
        return hex.is_empty().then(Vec::new);
    }
    parts.map(|two| u8::from_str_radix(two, 16).ok()).collect()
}

fn path_of_fd(arg: &str) -> Option<PathBuf> {
    decoded(arg.split_once('<')?.1.split_once('>')?.0)
}

fn string(arg: &str) -> Option<&str> {
    arg.strip_prefix('"')?.strip_suffix('"')
}

impl Recorder {
    fn new(dir: PathBuf, disk: Disk, log: &str) -> Recorder {
        let mut recorder =
            Recorder { dir, disk, ops: Vec::new(), unlinked: HashMap::new() };
        let mut begun = HashMap::new();
        for line in log.lines() {
            let (thread, line) = line.split_once(char::is_whitespace).unwrap();
            let line = line.trim_start();
            if line.starts_with(['+', '-']) {
                continue;
            }
            // A call that another thread's came between is on two lines.
            if let Some(first) = line.strip_suffix("<unfinished ...>") {
                begun.insert(thread, (first.trim_end().to_owned(), recorder.ops.len()));
            } else if let Some(rest) = line.strip_prefix("<... ") {
                let (first, at) = begun.remove(thread).expect("a call was begun");
                let (_, rest) = rest.split_once(" resumed>").expect("a call goes on");
                recorder.line(&format!("{first}{rest}"), at);
            } else {
                recorder.line(line, recorder.ops.len());
            }
        }
        recorder
    }

    fn line(&mut self, line: &str, begun: usize) {
        let (call, rest) = line.split_once('(').expect("a call");
        let (args, result) = rest.rsplit_once(" = ").expect("a result");
        let args = args.trim_end().strip_suffix(')').expect("arguments");
        let args: Vec<_> = args.split(", ").collect();
        if !result.starts_with(['-', '?']) {
            self.call(call, &args, result, begun);
        } else if result.ends_with("(INJECTED)") && call.contains("sync") {
            self.call(call, &args, result, begun);
            if let Some(Op::Sync { what, begun }) = self.ops.pop() {
                self.ops.push(Op::SyncFailed { what, begun });
            }
        }
    }

    /// The name of a file in the directory.
    fn name(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(&self.dir).ok()?.to_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// That of a directory and a name in it.
    fn at(&self, dir: &str, name: &str) -> Option<String> {
        let name = decoded(string(name)?)?;
        self.name(&path_of_fd(dir)?.join(name))
    }

    /// That of a path. One through a descriptor is SQLite's, which knows of no
    /// other directory: that it is so shows in the end.
    fn of_path(&self, path: &str) -> Option<String> {
        let path = decoded(string(path)?)?;
        match path.strip_prefix("/proc/self/fd") {
            Ok(rest) => {
                let name = rest.components().nth(1)?.as_os_str().to_str()?;
                assert!(self.disk.names.contains_key(name), "what is {name}?");
                Some(name.to_owned())
            }
            Err(_) => self.name(&path),
        }
    }

    /// The file that a descriptor is of.
    fn file(&self, arg: &str) -> Option<usize> {
        let name = self.name(&path_of_fd(arg)?)?;
        let file = match arg.ends_with("(deleted)") {
            true => self.unlinked.get(&name),
            false => self.disk.names.get(&name),
        };
        Some(*file.unwrap_or_else(|| panic!("what is {name}?")))
    }

    fn call(&mut self, call: &str, args: &[&str], result: &str, begun: usize) {
        let number = |arg: &str| arg.parse::<usize>().unwrap();
        match call {
            "open" | "openat" | "creat" => {
                let flags = args[if call == "openat" { 2 } else { 1 }];
                let Some(name) = path_of_fd(result).and_then(|path| self.name(&path))
                else {
                    return;
                };
                if let Some(file) = self.disk.names.get(&name).copied() {
                    if flags.contains("O_TRUNC") {
                        self.add(Op::Resize { file, len: 0 });
                    }
                } else if flags.contains("O_CREAT") {
                    self.add(Op::Create { name, file: self.disk.files.len() });
                } else {
                    panic!("{name} was opened, which is not there");
                }
            }
            // Only traced so that it can be made to fail.
            "fstatfs" => {}
            "write" if self.file(args[0]).is_none() => {}
            "pwrite64" => {
                let Some(file) = self.file(args[0]) else { return };
                let mut bytes = bytes(string(args[1]).expect("all bytes")).unwrap();
                bytes.truncate(number(result));
                self.add(Op::Write { file, offset: number(args[3]), bytes });
            }
            "ftruncate" => {
                let Some(file) = self.file(args[0]) else { return };
                self.add(Op::Resize { file, len: number(args[1]) });
            }
            "renameat" | "renameat2" => {
                let from = self.at(args[0], args[1]);
                let to = self.at(args[2], args[3]);
                let (Some(from), Some(to)) = (from, to) else { return };
                self.add(Op::Rename { from, to });
            }
            "linkat" => {
                let (Some(from), Some(name)) =
                    (self.at(args[0], args[1]), self.at(args[2], args[3]))
                else {
                    return;
                };
                self.add(Op::Link { file: self.disk.names[&from], name });
            }
            "unlink" => {
                let Some(name) = self.of_path(args[0]) else { return };
                self.add(Op::Unlink { name });
            }
            "unlinkat" => {
                let Some(name) = self.at(args[0], args[1]) else { return };
                self.add(Op::Unlink { name });
            }
            "fsync" | "fdatasync" => {
                let Some(path) = path_of_fd(args[0]) else { return };
                if path == self.dir {
                    self.add(Op::Sync { what: Synced::Names, begun });
                } else if let Some(file) = self.file(args[0]) {
                    self.add(Op::Sync { what: Synced::File(file), begun });
                }
            }
            "syncfs" => {
                assert_eq!(path_of_fd(args[0]).as_ref(), Some(&self.dir));
                self.add(Op::Sync { what: Synced::Everything, begun });
            }
            "mmap" => {
                let writes =
                    args[2].contains("PROT_WRITE") && args[3].contains("MAP_SHARED");
                assert!(!writes || self.file(args[4]).is_none(), "a file is mapped");
            }
            _ => {
                let dir = self.dir.as_os_str().to_str().unwrap();
                let dir: String =
                    dir.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
                let touches = args.iter().any(|arg| arg.contains(&dir));
                assert!(!touches, "{call} is not modelled");
            }
        }
    }

    fn add(&mut self, op: Op) {
        if let Op::Unlink { name } | Op::Rename { to: name, .. } = &op {
            if let Some(file) = self.disk.names.get(name) {
                self.unlinked.insert(name.clone(), *file);
            }
        }
        self.disk.apply(
            &op,
            0,
            &mut Lasting::new(std::slice::from_ref(&op), Loss::Nothing),
        );
        self.ops.push(op);
    }
}

#[test]
fn a_sync_covers_what_was_done_when_it_was_begun() {
    let hex = |text: &str| -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    };
    let (dir, file, bytes) = (hex("/d"), hex("/d/a"), hex("ab"));
    let log = format!(
        "1 openat(3<{dir}>, \"{}\", O_RDWR|O_CREAT, 0600) = 4<{file}>\n\
         2 pwrite64(4<{file}>, \"{bytes}\", 2, 0 <unfinished ...>\n\
         1 fdatasync(4<{file}> <unfinished ...>\n\
         2 <... pwrite64 resumed>) = 2\n\
         1 <... fdatasync resumed>) = 0\n\
         2 +++ exited with 0 +++\n",
        hex("a")
    );
    let recorder = Recorder::new("/d".into(), Disk::default(), &log);
    let lost = Disk::default().after_crash(&recorder.ops, Loss::Everything);
    assert!(lost.names.is_empty());
    let zeros = Disk::default().after_crash(&recorder.ops, Loss::Contents);
    assert_eq!(zeros.by_name()["a"], [0, 0]);
    assert_eq!(recorder.disk.by_name()["a"], b"ab");
}
