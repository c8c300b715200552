//! How much memory runs take: little, whatever sizes the files of a feed claim;
//! and what becomes of the copies where there is too little.

use crate::program::{self, Ended, expect_equal, within};
use crate::table::{Dirs, Table, dirs, fixture, names, row, rows};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// More than a run of small feeds takes, in KiB. Blocks of half a megabyte are
/// held at a time, and what is to be overwritten.
const MORE: u64 = 32 << 10;

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// A run that is limited by `prlimit`, with the most memory that it had, in KiB.
fn measured(dirs: &Dirs, limits: &[&str], options: &[&str]) -> (Ended, u64) {
    let log = dirs.root.path().join("memory");
    let log = log.to_str().unwrap();
    let mut starter = vec!["prlimit"];
    starter.extend(limits);
    starter.extend(["/usr/bin/time", "--quiet", "-f", "%M", "-o", log]);
    let ended = program::run(within(&starter, program::backup(dirs, options)));
    let most = fs::read_to_string(log).unwrap();
    (ended, most.trim().parse().unwrap_or_else(|_| panic!("{most}")))
}

/// What a run over a few small feeds takes.
fn usual() -> u64 {
    let dirs = dirs();
    for number in 1..=3 {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..20));
    }
    let (ended, most) = measured(&dirs, &["--core=0"], &[]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    most
}

/// Ends by itself with what the documentation says, having used little.
#[track_caller]
fn expect_modest((ended, most): &(Ended, u64), usual: u64, what: &str) {
    assert!([0, 1, 3].contains(&ended.code()), "{what}: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{what}: {ended:?}");
    assert!(*most < usual + MORE, "{what}: {most} KiB, usually {usual}: {ended:?}");
}

/// Puts something wrong into a file.
fn spoil(path: &Path, random: &mut fastrand::Rng) {
    let mut bytes = fs::read(path).unwrap();
    for _ in 0..random.usize(1..4) {
        // Most of what tells sizes is at the beginning.
        let end = if random.bool() { bytes.len().min(256) } else { bytes.len() };
        let at = random.usize(0..end);
        let len = [1, 2, 4, 8][random.usize(0..4)].min(bytes.len() - at);
        let kind = random.u8(0..4);
        for (i, byte) in bytes[at..at + len].iter_mut().enumerate() {
            *byte = match kind {
                0 => 0xff,
                1 => 0,
                // A huge number in either order of bytes, but not a negative one.
                2 => {
                    if i == 0 || i + 1 == len {
                        0x7f
                    } else {
                        0xff
                    }
                }
                _ => random.u8(..),
            };
        }
    }
    match random.u8(0..10) {
        0 => bytes.truncate(random.usize(0..bytes.len())),
        1 => bytes.extend(vec![0; random.usize(0..70_000)]),
        _ => {}
    }
    fs::write(path, bytes).unwrap();
}

/// Has files look as if they were not written just now: those might be whole in a
/// moment, which is waited for.
fn settle(table: &Table) {
    for extension in ["MYD", "MYI", "frm"] {
        let file = fs::OpenOptions::new().write(true).open(table.with(extension));
        let time = UNIX_EPOCH + Duration::from_secs(1_500_000_000);
        file.unwrap().set_modified(time).unwrap();
    }
}

#[test]
fn heads_and_definitions_that_claim_anything_take_little_memory() {
    const SEED: u64 = 2026;
    const SHAPES: [&str; 6] =
        ["plain", "double", "checksum", "reordered", "histogram", "bigint"];
    let mut random = fastrand::Rng::with_seed(SEED);
    let usual = usual();
    let (mut failed, mut copied) = (0, 0);
    for round in 0..5 {
        let dirs = dirs();
        let good = Table::indexed(&dirs.source, "feed_1", &rows(0..20));
        let spoiled: Vec<Table> = (2..42)
            .map(|number| dirs.source.join(format!("feed_{number}.MYD")))
            .map(|data| Table { data })
            .collect();
        for table in &spoiled {
            let shape = SHAPES[random.usize(0..SHAPES.len())];
            for extension in ["MYD", "MYI", "frm"] {
                fs::copy(fixture(shape, extension), table.with(extension)).unwrap();
            }
        }
        // Also beside a copy that is there already.
        for again in [false, true] {
            for table in &spoiled {
                spoil(&table.with(["MYI", "frm"][random.usize(0..2)]), &mut random);
                settle(table);
            }
            let what = format!("seed {SEED}, round {round}, again {again}");
            let ran = measured(&dirs, &["--core=0"], &["--recheck", "all", "--json"]);
            expect_modest(&ran, usual, &what);
            let last =
                ran.0.out.lines().last().unwrap_or_else(|| panic!("{what}: {ran:?}"));
            let summary: Value = serde_json::from_str(last).unwrap();
            assert!(summary["failed"].is_u64(), "{what}: {ran:?}");
            failed += summary["failed"].as_u64().unwrap();
            copied +=
                summary["feeds"].as_u64().unwrap() - summary["failed"].as_u64().unwrap();
            let copy = fs::read(dirs.copies.join("feed_1.MYD")).unwrap();
            assert!(copy == good.bytes(), "{what}");
        }
    }
    assert!(failed > 50 && copied > 50, "{failed} failed, {copied} were copied");
}

/// Makes a file as long as it may be, with nothing behind what it has.
fn stretch(path: &Path, len: u64) {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
    file.unwrap().set_len(len).unwrap();
}

#[test]
fn files_of_terabytes_fail_or_are_copied_in_little_memory() {
    let usual = usual();
    // No disk is filled for that.
    let small = ["--core=0", "--fsize=16777216"];
    type Make = fn(&Dirs);
    let cases: [(&str, i32, Make); 9] = [
        ("rows, as the head says", 3, |dirs| {
            let table = Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            let len = TIB / 9 * 9;
            stretch(&table.data, len);
            table.commit(len);
        }),
        ("rows that the head claims", 3, |dirs| {
            let table = Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            table.commit((1 << 62) / 9 * 9);
        }),
        ("rows without a head", 3, |dirs| {
            Table::bare(&dirs.source, "feed_2", &rows(0..20));
            stretch(&dirs.source.join("feed_2.MYD"), TIB);
        }),
        ("an index", 0, |dirs| {
            let table = Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            stretch(&table.with("MYI"), TIB);
        }),
        ("a definition", 3, |dirs| {
            let table = Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            stretch(&table.with("frm"), TIB);
        }),
        ("a definition of MySQL 8", 3, |dirs| {
            let table = Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            fs::remove_file(table.with("frm")).unwrap();
            stretch(&dirs.source.join("feed_2_363.sdi"), TIB);
        }),
        ("a definition beside the copy", 0, |dirs| {
            Table::indexed(&dirs.source, "feed_2", &rows(0..20));
            stretch(&dirs.copies.join("feed_2.frm"), TIB);
            fs::write(dirs.copies.join("feed_2.MYD"), rows(0..10)).unwrap();
        }),
        ("values of PHPFina", 3, |dirs| {
            let meta = [0, 0, 10, 1_400_000_000_u32].map(u32::to_le_bytes).concat();
            fs::write(dirs.source.join("2.meta"), meta).unwrap();
            stretch(&dirs.source.join("2.dat"), TIB);
        }),
        ("the description of PHPFina's values", 3, |dirs| {
            stretch(&dirs.source.join("2.dat"), 400);
            stretch(&dirs.source.join("2.meta"), TIB);
        }),
    ];
    for (what, code, make) in cases {
        let dirs = dirs();
        let good = Table::indexed(&dirs.source, "feed_1", &rows(0..20));
        make(&dirs);
        let ran = measured(&dirs, &small, &[]);
        expect_modest(&ran, usual, what);
        assert_eq!(ran.0.code(), code, "{what}: {ran:?}");
        let failed = ran.0.err.starts_with("emonfeed: feed 2 is not copied: ");
        assert_eq!(failed, code == 3, "{what}: {ran:?}");
        let copy = fs::read(dirs.copies.join("feed_1.MYD")).unwrap();
        assert!(copy == good.bytes(), "{what}");
        let left = names(&dirs.copies);
        assert!(!left.iter().any(|name| name.ends_with(".partial")), "{what}: {left:?}");
    }
}

#[test]
fn a_large_feed_takes_no_more_memory_than_a_small_one() {
    let usual = usual();
    let dirs = dirs();
    let meta = |start: u32| [0, 0, 10, start].map(u32::to_le_bytes).concat();
    let (data, describing) = (dirs.source.join("2.dat"), dirs.source.join("2.meta"));
    fs::write(&describing, meta(1_400_000_000)).unwrap();
    stretch(&data, GIB / 16);
    expect_modest(&measured(&dirs, &["--core=0"], &[]), usual, "created");
    stretch(&data, GIB / 8);
    expect_modest(&measured(&dirs, &["--core=0"], &[]), usual, "appended");
    // Edited throughout, and then of another time.
    let file = fs::OpenOptions::new().write(true).open(&data).unwrap();
    for megabyte in 0..GIB / (8 << 20) {
        file.write_all_at(&1.5_f32.to_le_bytes(), megabyte << 20).unwrap();
    }
    let all = ["--recheck", "all"];
    expect_modest(&measured(&dirs, &["--core=0"], &all), usual, "edited");
    fs::write(&describing, meta(1_500_000_000)).unwrap();
    let ran = measured(&dirs, &["--core=0"], &[]);
    expect_modest(&ran, usual, "made anew");
    assert!(ran.0.out.contains("new-generation"), "{ran:?}");
    expect_equal(&dirs);
}

#[test]
fn a_definition_that_becomes_huge_is_not_read_as_a_whole() {
    let usual = usual();
    let dirs = dirs();
    let table = Table::indexed(&dirs.source, "feed_1", &rows(0..20));
    let often = ["--recheck", "1/2"];
    assert_eq!(measured(&dirs, &["--core=0"], &often).0.code(), 0);
    stretch(&table.with("frm"), GIB / 4);
    // Its turn comes in one of them.
    let codes = [(); 2].map(|()| {
        let ran = measured(&dirs, &["--core=0"], &often);
        expect_modest(&ran, usual, "a definition");
        ran.0.code()
    });
    assert!(codes == [0, 1] || codes == [1, 0], "{codes:?}");
}

/// Something to do for a run, of every kind, and what a run found to do that could
/// not get memory.
struct Scene {
    dirs: Dirs,
    tables: Vec<Table>,
    rounds: u32,
}

impl Scene {
    fn new() -> Scene {
        let dirs = dirs();
        let table = |number, count| {
            Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..count))
        };
        let tables = vec![table(1, 100), table(2, 20_000), table(3, 9000)];
        let scene = Scene { dirs, tables, rounds: 0 };
        assert_eq!(scene.run(&[]).code(), 0);
        scene
    }

    fn run(&self, starter: &[&str]) -> Ended {
        program::run(within(starter, program::backup(&self.dirs, &[])))
    }

    /// A run that is short of memory, and all that has to hold then; whether it
    /// did what there was to do.
    #[track_caller]
    fn short_of_memory(&mut self, starter: &[&str]) -> bool {
        self.rounds += 1;
        let round = self.rounds;
        self.tables[0].append(&rows(1000 * round..1000 * round + 50));
        self.tables[1].update(9000, &row(1_400_090_000, round as f32));
        self.tables[2].write(&rows(round..round + 9000));
        let what = format!("{starter:?}, round {round}");
        let ended = self.run(starter);
        let done = ended.status.success();
        let equal = || {
            self.tables.iter().all(|table| {
                let copy = self.dirs.copies.join(table.data.file_name().unwrap());
                fs::read(copy).unwrap() == table.bytes()
            })
        };
        if done {
            assert!(equal(), "{what}: {ended:?}");
        } else {
            // Whatever is committed is there.
            let args = ["verify".as_ref(), self.dirs.copies.as_os_str()];
            let verify = program::run(within(&[] as &[&OsStr], args));
            assert_eq!(verify.code(), 0, "{what}: {ended:?}, {verify:?}");
        }
        let next = self.run(&[]);
        assert_eq!(next.code(), 0, "{what}: {ended:?}, {next:?}");
        assert!(equal(), "{what}: {ended:?}");
        done
    }
}

#[test]
fn a_run_with_too_little_memory_spoils_nothing() {
    const STEP: u64 = 256 << 10;
    let mut scene = Scene::new();
    let (mut failed, mut in_a_row, mut limit) = (0, 0, 10 << 20);
    while in_a_row < 8 {
        let address_space = format!("--as={limit}");
        let enough = scene.short_of_memory(&["prlimit", "--core=0", &address_space]);
        in_a_row = if enough { in_a_row + 1 } else { 0 };
        failed += usize::from(!enough);
        limit += STEP;
        assert!(limit < 256 << 20, "it never has enough");
    }
    assert!(failed > 10, "only {failed} runs had too little");
    expect_equal(&scene.dirs);
}

#[test]
fn any_allocation_may_fail() {
    let mut scene = Scene::new();
    let log = scene.dirs.root.path().join("strace");
    let log = log.to_str().unwrap().to_owned();
    let mut failed = 0;
    for call in ["brk", "mmap", "mremap"] {
        for n in 1.. {
            let inject = format!("inject={call}:error=ENOMEM:when={n}");
            let trace = format!("trace={call}");
            let starter =
                ["strace", "-f", "-qq", "-o", &log, "-e", &trace, "-e", &inject];
            let done = scene.short_of_memory(&starter);
            if !fs::read_to_string(&log).unwrap().contains("(INJECTED)") {
                assert!(done);
                break;
            }
            failed += 1;
        }
    }
    assert!(failed > 20, "only {failed} allocations failed");
    expect_equal(&scene.dirs);
}

#[test]
fn where_no_thread_can_be_started_a_run_does_without() {
    let mut scene = Scene::new();
    let inject = "inject=clone,clone3:error=EAGAIN";
    let starter = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject];
    assert!(scene.short_of_memory(&starter));
}
