//! The C programs in `tests/c/`: as C and as C++, with the shared and the
//! static library, plainly, under valgrind and with sanitizers.

mod c;
mod effort;

use c::{
    Language, Link, compile, copy_table, is_emulated, output, run, settle, valgrind,
    write_feed,
};
use effort::effort;
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A year of emoncms in a zone with summer time, said without a time zone
/// database.
const ZONE: &str = "GMT0BST,M3.5.0/1,M10.5.0";
/// 1 January 2013, 0:00 UTC.
const NEW_YEAR: u32 = 1_356_998_400;

/// One of the programs, built in one of the ways.
struct Program {
    path: PathBuf,
    /// Whether its faults show by themselves, or need valgrind to be seen.
    is_sanitized: bool,
}

impl Program {
    fn plainly(&self) -> Command {
        Command::new(&self.path)
    }

    /// Faults and leaks are failures: valgrind sees them, or what was built in does.
    fn checked(&self) -> Command {
        if self.is_sanitized || is_emulated() {
            self.plainly()
        } else {
            valgrind(&self.path)
        }
    }
}

/// `name` as C and as C++, with the shared and with the static library, in a long
/// run each with each; and with sanitizers.
fn builds(folder: &Path, name: &str) -> Vec<Program> {
    let pairs = [
        (Link::Shared, Language::C),
        (Link::Static, Language::Cpp),
        (Link::Shared, Language::Cpp),
        (Link::Static, Language::C),
    ];
    let mut programs: Vec<_> = pairs
        .into_iter()
        .take(effort(2, pairs.len()))
        .map(|(link, language)| compile(folder, name, language, link, &[]))
        .map(|path| Program { path, is_sanitized: false })
        .collect();
    if !is_emulated() {
        programs.extend(
            [Link::Shared, Link::Static].map(|link| sanitized(folder, name, link)),
        );
    }
    programs
}

/// A program with AddressSanitizer and UBSan.
fn sanitized(folder: &Path, name: &str, link: Link) -> Program {
    let folder = folder.join("sanitized");
    fs::create_dir_all(&folder).unwrap();
    let options = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let path = compile(&folder, name, Language::C, link, &options);
    let symbols = output(Command::new("nm").arg(&path));
    assert!(symbols.contains("__asan_init"), "built without AddressSanitizer");
    assert!(symbols.contains("__ubsan_handle"), "built without UBSan");
    Program { path, is_sanitized: true }
}

/// What a program writes that must succeed.
fn said(mut command: Command, arguments: &[&OsStr]) -> String {
    // Without the folders that cargo lets its tests search.
    output(command.args(arguments).env("TZ", ZONE).env_remove("LD_LIBRARY_PATH"))
}

/// Checks what each build of `name` writes, given these arguments, plainly
/// and with all faults seen.
fn all_ways(name: &str, runs: &[(&[&OsStr], &str)]) {
    let folder = c::temporary();
    for program in builds(folder.path(), name) {
        for (arguments, expected) in runs {
            assert_eq!(said(program.plainly(), arguments), *expected);
            assert_eq!(said(program.checked(), arguments), *expected);
        }
    }
}

#[test]
fn year_prints_the_average_of_each_local_day() {
    let folder = c::temporary();
    let feed = folder.path().join("feed_1.MYD");
    // A reading every 10 minutes for more than the year, except in May, when
    // the meter was off.
    let seconds = |date: u32| NEW_YEAR + date * 86400;
    let off = seconds(120) - 3600..seconds(151) - 3600;
    let times = (NEW_YEAR - 86400..NEW_YEAR + 370 * 86400).step_by(600);
    let value = |time: u32| (time / 600 % 1000) as f32;
    let rows = times.filter(|time| !off.contains(time)).map(|time| (time, value(time)));
    let rows: Vec<_> = rows.collect();
    write_feed(&feed, rows.iter().copied());

    let mut expected = String::new();
    let (mut day, mut midnight) = (0, NEW_YEAR);
    for (month, days) in
        [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
    {
        for date in 1..=days {
            // British Summer Time: 31 March to 27 October.
            let hours = match (month, date) {
                (2, 31) => 23,
                (9, 27) => 25,
                _ => 24,
            };
            let next = midnight + hours * 3600;
            let values: Vec<f64> = rows
                .iter()
                .filter(|(time, _)| (midnight..next).contains(time))
                .map(|(_, value)| f64::from(*value))
                .collect();
            let average = match values.len() {
                0 => "-".to_owned(),
                n => format!("{:.2}", values.iter().sum::<f64>() / n as f64),
            };
            expected += &format!("2013-{:02}-{date:02} {average}\n", month + 1);
            (day, midnight) = (day + 1, next);
        }
    }
    assert_eq!(day, 365);
    assert_eq!(expected.matches(" -\n").count(), 31);
    all_ways("year", &[(&[feed.as_os_str(), OsStr::new("2013")], &expected)]);
}

#[test]
fn graph_prints_what_the_browser_got_in_2013() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    write_feed(&path, (0..40_000).map(|i| (NEW_YEAR + i * 10, (i % 97) as f32)));
    assert_eq!(NEW_YEAR, 1_356_998_400);
    let ask = |end, points| {
        [
            path.as_os_str(),
            OsStr::new("1356998400000"),
            OsStr::new(end),
            OsStr::new(points),
        ]
    };
    all_ways(
        "graph",
        &[
            // Seconds: every row, newest first.
            (
                &ask("1356998420000", "800"),
                "[[1356998420000,2],[1356998410000,1],[1356998400000,0]]\n",
            ),
            // Hours: averages over 3000 s, which do not begin with the hour.
            (
                &ask("1357004400000", "2"),
                "[[1356996000000,29.5],[1356999000000,48.48],\
                 [1357002000000,48.933609958506224]]\n",
            ),
            // Days: the first row of each part.
            (&ask("1357198400000", "2"), "[[1356998400000,0],[1357098400000,9]]\n"),
        ],
    );
}

#[test]
fn copy_copies_and_says_how_much() {
    let folder = c::temporary();
    for program in builds(folder.path(), "copy") {
        let feeds = c::temporary();
        let source = feeds.path().join("feed_1.MYD");
        let copies = feeds.path().join("copies");
        fs::create_dir(&copies).unwrap();
        let arguments = [source.as_os_str(), copies.as_os_str()];
        let rows = |n: u16| (0..n).map(|i| (1000 + u32::from(i), f32::from(i)));

        write_feed(&source, rows(5));
        let first = said(program.plainly(), &arguments);
        assert!(first.ends_with("\n5 rows copied, 5 in the copy\n"), "{first}");
        write_feed(&source, rows(7));
        let second = said(program.checked(), &arguments);
        assert!(second.ends_with("\n2 rows copied, 7 in the copy\n"), "{second}");
        assert_eq!(
            fs::read(copies.join("feed_1.MYD")).unwrap(),
            fs::read(&source).unwrap()
        );
        write_feed(&source, rows(3));
        let third = said(program.plainly(), &arguments);
        assert!(third.contains("\n3 rows copied, 3 in the copy\n"), "{third}");
        assert!(third.contains("\nthe copy before it is now /"), "{third}");
    }
}

#[test]
fn backup_takes_a_directory_feed_by_feed() {
    let folder = c::temporary();
    for program in builds(folder.path(), "backup") {
        let feeds = c::temporary();
        let (source, copies) = (feeds.path().join("feeds"), feeds.path().join("copies"));
        fs::create_dir(&source).unwrap();
        let feed = |id: u32, rows: u16| {
            let rows = (0..rows).map(|i| (1000 + u32::from(i), f32::from(i)));
            write_feed(&source.join(format!("feed_{id}.MYD")), rows);
        };
        let same = OsStr::new("same-device");
        let arguments = [source.as_os_str(), copies.as_os_str(), same];
        let lines = |command: Command, arguments: &[&OsStr]| -> Vec<String> {
            let text = said(command, arguments);
            let message = |line: &str| line.split("; ").next().unwrap_or("").to_owned();
            text.lines().map(message).collect()
        };

        for (id, rows) in [(1, 5), (2, 3), (10, 1)] {
            feed(id, rows);
        }
        assert_eq!(
            lines(program.plainly(), &arguments),
            [
                "[1/3] feed_1.MYD: created with 5 rows, 45 bytes",
                "[2/3] feed_2.MYD: created with 3 rows, 27 bytes",
                "[3/3] feed_10.MYD: created with 1 row, 9 bytes",
                "9 rows copied",
            ]
        );
        // Grown, cleared, gone, new.
        for (id, rows) in [(1, 7), (2, 2), (3, 0)] {
            feed(id, rows);
        }
        fs::remove_file(source.join("feed_10.MYD")).unwrap();
        let mut second = lines(program.checked(), &arguments);
        second.sort();
        assert_eq!(
            second,
            [
                "4 rows copied",
                "[1/3] feed_1.MYD: extended by 2 rows, 18 bytes",
                "[2/3] feed_2.MYD: made anew with 2 rows, 18 bytes",
                "[3/3] feed_3.MYD: created with 0 rows, 0 bytes",
                "[4/3] feed_10.MYD: the source is gone, the copy stays",
            ]
        );
        for id in [1, 2, 3] {
            let name = format!("feed_{id}.MYD");
            let [theirs, ours] = [&source, &copies].map(|folder| folder.join(&name));
            assert_eq!(fs::read(ours).unwrap(), fs::read(theirs).unwrap());
        }
        assert_eq!(
            lines(program.checked(), &[&arguments[..], &[OsStr::new("only=1")]].concat()),
            ["[1/1] feed_1.MYD: unchanged, 7 rows", "0 rows copied"]
        );
        let delete = OsStr::new("delete");
        let deleted = lines(program.checked(), &[&arguments[..], &[delete]].concat());
        assert!(
            deleted.contains(
                &"[4/3] feed_10.MYD: the source is gone, the copy was removed".to_owned()
            ),
            "{deleted:?}"
        );
        assert!(!copies.join("feed_10.MYD").exists());
    }
}

#[test]
fn arrow_gives_rows_batch_by_batch() {
    let folder = c::temporary();
    for program in builds(folder.path(), "arrow") {
        for command in [program.plainly(), program.checked()] {
            let path = folder.path().join("feed_1.MYD");
            let values = [1.5, f32::NAN, 3.0, 4.0, f32::NAN];
            write_feed(&path, (0..).map(|i| 1000 + i * 10).zip(values));
            let numbers = ["1000", "1030", "3"].map(OsStr::new);
            let arguments = [&[path.as_os_str()][..], &numbers].concat();
            assert_eq!(
                said(command, &arguments),
                "+s: time tss:UTC value f?\n \
                 1000=1.5 1010=null 1020=3 (1 null)\n \
                 1030=4 (0 null)\n\
                 2 batches, last error: none\n\
                 feed must not be NULL\n\
                 out must not be NULL\n\
                 cleared: 1, said so\n"
            );
        }
    }
}

/// Not under valgrind, nor with sanitizers: they need memory themselves.
#[test]
fn a_batch_for_which_memory_is_short_is_an_error() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    let value = |i| if i % 3 == 0 { f32::NAN } else { i as f32 };
    write_feed(&path, (0..600_000).map(|i| (1000 + i * 10, value(i))));
    let program = compile(folder.path(), "scarce", Language::C, Link::Shared, &[]);
    assert_eq!(
        said(Command::new(program), &[path.as_os_str()]),
        "enough, too little many times, 0 otherwise\n"
    );
}

#[test]
fn threads_get_the_answers_one_thread_gets() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    write_feed(&path, (0..600).map(|i| (1000 + i * 10, i as f32)));
    let expected = "16 threads, 10 rounds, 200 points, 0 wrong\n";
    all_ways("threads", &[(&[path.as_os_str()], expected)]);
}

/// Only as C: C++ has its atomics elsewhere. Without AddressSanitizer, whose own
/// allocator may be locked for ever in a child of a process with threads.
#[test]
fn parents_and_children_go_on_after_a_fork() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    write_feed(&path, (0..20_000).map(|i| (1000 + i * 10, 1.0)));
    let forks = effort(60, 3000);
    let program = compile(folder.path(), "fork", Language::C, Link::Shared, &[]);
    let arguments = [OsStr::new(&forks.to_string()).to_owned(), path.into_os_string()];
    assert_eq!(
        said(Command::new(&program), &[&arguments[0], &arguments[1]]),
        format!(
            "alone: 0 wrong\nbeside threads: {forks} forks, 0 wrong, 0 hung, 0 wrong in the \
             parent\n20 idle children: writers get the lock\n"
        )
    );
}

#[test]
fn a_program_keeps_its_own_sigbus_handler() {
    let folder = c::temporary();
    let path = folder.path().join("feed_1.MYD");
    write_feed(&path, (0..600).map(|i| (1000 + i * 10, i as f32)));
    let scratch = folder.path().join("scratch");
    all_ways(
        "sigbus",
        &[(
            &[path.as_os_str(), scratch.as_os_str()],
            "600 rows\nthe library installed its handler\n\
             1 fault reached the program\n600 rows\n600 rows\n",
        )],
    );
}

/// The feeds `check.c` expects.
fn write_check_feeds(folder: &Path) {
    let rows = || {
        (0_u8..100).map(|i| {
            let value = if i == 50 { f32::NAN } else { f32::from(i) / 10.0 };
            (1000 + u32::from(i) * 10, value)
        })
    };
    write_feed(&folder.join("feed_1.MYD"), rows());
    symlink("feed_1.MYD", folder.join("link.MYD")).unwrap();
    // Not UTF-8.
    let cafe = folder.join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&cafe).unwrap();
    write_feed(&cafe.join("feed_1.MYD"), rows());

    let sub = |name: &str, rows: Vec<(u32, f32)>| {
        fs::create_dir(folder.join(name)).unwrap();
        write_feed(&folder.join(name).join("feed_1.MYD"), rows);
    };
    let more = |last: f32| {
        let more = (0..10).map(move |i| (2000 + i * 10, if i == 9 { last } else { 0.5 }));
        rows().chain(more).collect()
    };
    sub("longer", more(1.0));
    sub("edited", more(2.0));
    sub("other", (0..5).map(|i| (5000 + i, -1.0)).collect());

    let secret = folder.join("secret.MYD");
    write_feed(&secret, rows());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    fs::create_dir(folder.join("folder.MYD")).unwrap();
    let pipe = CString::new(folder.join("pipe.MYD").as_os_str().as_bytes()).unwrap();
    // SAFETY: the string is valid and ends with a NUL.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);

    // Histogram rows are 13 bytes, data2 the last four.
    copy_table("histogram", &folder.join("histogram"), |extension, bytes| {
        if extension == "MYD" {
            for row in bytes.chunks_exact_mut(13) {
                if row[9..] == 300_f32.to_le_bytes() {
                    row[9..].copy_from_slice(&0.1_f32.to_le_bytes());
                }
            }
        }
    });

    for name in ["other_names", "decimal", "dynamic"] {
        copy_table(&format!("refused/{name}"), &folder.join(name), |_, _| ());
    }
    // One byte of a good table changed, or more.
    let index = |name: &str, change: fn(&mut Vec<u8>)| {
        copy_table("plain", &folder.join(name), |extension, bytes| {
            if extension == "MYI" {
                change(bytes);
            }
        });
    };
    index("compressed", |bytes| bytes[5] |= 4);
    index("crashed", |bytes| bytes[26] |= 2);
    index("shifted", |bytes| bytes[75] -= 4);
    index("damaged", |bytes| bytes.truncate(100));
    index("undefined", |_| ());
    fs::remove_file(folder.join("undefined/feed_1.frm")).unwrap();
    settle(&folder.join("undefined"));
    index("aria", |_| ());
    for extension in ["MYD", "MYI"] {
        let old = folder.join("aria/feed_1").with_extension(extension);
        fs::rename(&old, old.with_extension(extension.replace("MY", "MA"))).unwrap();
    }
    settle(&folder.join("aria"));

    let bad = folder.join("bad_row");
    fs::create_dir(&bad).unwrap();
    let mut bytes: Vec<u8> =
        rows().flat_map(|(time, value)| c::row(time, value)).collect();
    bytes[18] = 7;
    fs::write(bad.join("feed_1.MYD"), bytes).unwrap();
    settle(&bad.join("feed_1.MYD"));
    settle(folder);
}

#[test]
fn every_promise_of_the_header_is_kept() {
    let folder = c::temporary();
    write_check_feeds(folder.path());
    all_ways("check", &[(&[folder.path().as_os_str()], "all promises kept\n")]);
}

#[test]
fn a_status_nobody_looks_at_does_not_compile() {
    let folder = c::temporary();
    let source = folder.path().join("careless.c");
    let call = "emonfeed_feed_meta(0, 0, 0)";
    for (body, compiles) in
        [(format!("return {call};"), true), (format!("{call};"), false)]
    {
        fs::write(
            &source,
            format!("#include <emonfeed.h>\nint main(void) {{ {body} return 0; }}\n"),
        )
        .unwrap();
        for language in [Language::C, Language::Cpp] {
            let mut command = c::compiler(language);
            command.arg("-I").arg(c::root().join("include"));
            command.arg(&source).args(["-c", "-o", "/dev/null"]);
            let output = run(&mut command);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), compiles, "{language:?}: {said}");
            assert_eq!(said.contains("unused-result"), !compiles, "{said}");
        }
    }
}
