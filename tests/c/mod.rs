//! Compiling and running the C programs beside this file, for the tests.
#![allow(dead_code)] // Each test uses a part of it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The Debian package each tool comes in.
const PACKAGES: &[(&str, &str)] = &[
    ("ar", "binutils"),
    ("c++", "g++"),
    ("cc", "gcc"),
    ("make", "make"),
    ("nm", "binutils"),
    ("pkg-config", "pkgconf"),
    ("readelf", "binutils"),
    ("valgrind", "valgrind"),
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A temporary folder that is gone after the test.
pub fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Where cargo put `libemonfeed.so` and `.a`: beside the test itself.
pub fn libraries() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.parent().expect("a test lies in a folder").to_owned()
}

/// Runs a tool; that it is missing is a failure which names its package.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        let name = command.get_program().to_string_lossy().into_owned();
        let package = PACKAGES.iter().find(|(tool, _)| *tool == name);
        match (error.kind(), package) {
            (ErrorKind::NotFound, Some((_, package))) => {
                panic!("{name} is missing: install the Debian package {package}")
            }
            _ => panic!("{name}: {error}"),
        }
    })
}

/// Runs a tool that must succeed and gives what it wrote to stdout.
pub fn output(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{} failed: {}\n{}{}",
        line(command),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The compiler that cargo uses.
pub fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// What a program linked with the static library needs besides.
pub fn native_libraries() -> &'static [String] {
    static LIBRARIES: OnceLock<Vec<String>> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let scratch = temporary();
        let source = scratch.path().join("empty.rs");
        fs::write(&source, "").unwrap();
        let list = scratch.path().join("list");
        let mut print = OsString::from("native-static-libs=");
        print.push(&list);
        output(
            rustc()
                .args(["--target", target(), "--crate-type", "staticlib", "--print"])
                .arg(print)
                .arg("-o")
                .arg(scratch.path().join("empty.a"))
                .arg(source),
        );
        let list = fs::read_to_string(list).unwrap();
        list.split_whitespace().map(str::to_owned).collect()
    })
}

/// The names of the functions in `include/emonfeed.h`.
pub fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/emonfeed.h")).unwrap();
    functions(&without_comments(&header)).into_iter().map(str::to_owned).collect()
}

/// The names of the functions declared in `code`.
pub fn functions(code: &str) -> BTreeSet<&str> {
    let before = code.match_indices('(').map(|(at, _)| &code[..at]);
    let names = before.filter_map(|code| code.rsplit([' ', '*', '\n']).next());
    names.filter(|name| name.starts_with("emonfeed_")).collect()
}

pub fn without_comments(code: &str) -> String {
    let pieces = code.split("/*");
    pieces.map(|piece| piece.split_once("*/").map_or(piece, |(_, code)| code)).collect()
}

/// All names a shared library shows to other programs.
pub fn shown_by(library: &Path) -> BTreeSet<String> {
    let list = output(
        Command::new("nm")
            .args(["--dynamic", "--defined-only", "--format=posix"])
            .arg(library),
    );
    let names = list.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C,
    Cpp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Shared,
    Static,
}

/// The compiler, set to be as strict as can be.
pub fn compiler(language: Language) -> Command {
    let tool = cc::Build::new()
        .cpp(language == Language::Cpp)
        .host(host())
        .target(target())
        .opt_level(1)
        .warnings(true) // false would switch them all off
        .cargo_metadata(false)
        .get_compiler();
    let mut command = tool.to_command();
    command.args(["-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    match language {
        Language::C => command.args(["-std=c11", "-Wstrict-prototypes", "-x", "c"]),
        Language::Cpp => command.args(["-std=c++17", "-x", "c++"]),
    };
    command
}

fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let version = output(rustc().arg("-vV"));
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        host.expect("rustc says its host").to_owned()
    })
}

/// What the library was built for, as it says to cargo who builds for another
/// processor.
fn target() -> &'static str {
    static TARGET: OnceLock<String> = OnceLock::new();
    TARGET.get_or_init(|| {
        std::env::var("CARGO_BUILD_TARGET").unwrap_or_else(|_| host().to_owned())
    })
}

/// Whether programs are of another processor, and run under QEMU: valgrind and
/// sanitizers know nothing of those.
pub fn is_emulated() -> bool {
    target() != host()
}

/// Compiles `tests/c/NAME.c` into `folder` and gives the program's path.
pub fn compile(
    folder: &Path,
    name: &str,
    language: Language,
    link: Link,
    options: &[&str],
) -> PathBuf {
    let program = folder.join(format!("{name}-{language:?}-{link:?}"));
    let mut command = compiler(language);
    command
        .args(options)
        .arg("-I")
        .arg(root().join("include"))
        .arg(root().join(format!("tests/c/{name}.c")))
        .args(["-x", "none", "-pthread", "-o"])
        .arg(&program);
    match link {
        Link::Shared => {
            // The file cargo makes, under the names a program looks for.
            let file = libraries().join("libemonfeed.so");
            for name in ["libemonfeed.so", "libemonfeed.so.0"] {
                let link = folder.join(name);
                if !link.exists() {
                    symlink(&file, link).unwrap();
                }
            }
            let mut rpath = OsString::from("-Wl,-rpath,");
            rpath.push(folder);
            command.arg("-L").arg(folder).arg("-lemonfeed").arg(rpath);
        }
        Link::Static => {
            command.arg(libraries().join("libemonfeed.a")).args(native_libraries());
        }
    }
    output(&mut command);
    program
}

/// `program` to be run under valgrind, with any fault or leak a failure.
pub fn valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .args(["--errors-for-leak-kinds=definite,indirect"])
        .arg(program);
    command
}

/// The bytes of one bare row.
pub fn row(time: u32, value: f32) -> [u8; 9] {
    let mut row = [249; 9];
    row[1..5].copy_from_slice(&time.to_le_bytes());
    row[5..].copy_from_slice(&value.to_le_bytes());
    row
}

/// Writes a feed of bare rows, as PHPTimeSeries has them.
pub fn write_feed(path: &Path, rows: impl IntoIterator<Item = (u32, f32)>) {
    let bytes: Vec<u8> =
        rows.into_iter().flat_map(|(time, value)| row(time, value)).collect();
    fs::write(path, bytes).unwrap();
    settle(path);
}

/// Makes a file or folder an hour old: with files touched just now, what is
/// wrong with them is first waited out.
pub fn settle(path: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::open(path).unwrap().set_modified(hour_ago).unwrap();
}

/// A copy of the recorded table `tests/fixtures/NAME` in `folder`, each file's
/// bytes changed by `change`, which is given the extension.
pub fn copy_table(name: &str, folder: &Path, change: impl Fn(&OsStr, &mut Vec<u8>)) {
    fs::create_dir(folder).unwrap();
    let from = root().join("tests/fixtures").join(name);
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().expect("each file has an extension");
        let mut bytes = fs::read(&path).unwrap();
        change(extension, &mut bytes);
        let copy = folder.join(path.file_name().unwrap());
        fs::write(&copy, bytes).unwrap();
        settle(&copy);
    }
    settle(folder);
}
