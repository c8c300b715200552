//! Somebody else at work in the folders of a backup, who keeps exchanging files
//! for links, pipes and directories while it runs. What is outside must not
//! change, and nothing may hang or crash.

use crate::program::{self, Ended, emonfeed};
use crate::table::{Dirs, Table, dirs, names, row, rows};
use emonfeed::backup::{CATALOG_FILE, LOCK_FILE};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Decoy {
    Link,
    /// A second name.
    HardLink,
    Pipe,
    Directory,
    Socket,
}

const DECOYS: [Decoy; 5] =
    [Decoy::Link, Decoy::HardLink, Decoy::Pipe, Decoy::Directory, Decoy::Socket];

/// A file outside that nobody may touch.
struct Victim {
    path: PathBuf,
    bytes: Vec<u8>,
    rights: (u32, u32, u32),
}

impl Victim {
    fn new(path: PathBuf, bytes: Vec<u8>) -> Victim {
        fs::write(&path, &bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        let rights = Self::rights(&path);
        Victim { path, bytes, rights }
    }

    fn rights(path: &Path) -> (u32, u32, u32) {
        let meta = fs::symlink_metadata(path).unwrap();
        assert!(meta.is_file(), "{} is another thing now", path.display());
        (meta.mode(), meta.uid(), meta.gid())
    }

    #[track_caller]
    fn expect_untouched(&self, what: &str) {
        let now = fs::read(&self.path).unwrap();
        let (len, before) = (now.len(), self.bytes.len());
        assert!(now == self.bytes, "{what}: of {before} bytes outside there are {len}");
        assert_eq!(Self::rights(&self.path), self.rights, "{what}");
    }
}

/// Who exchanges a file for a decoy, and back.
struct Swapper<'a> {
    name: PathBuf,
    decoy: Decoy,
    victim: &'a Victim,
    /// Where what is exchanged waits meanwhile.
    aside: PathBuf,
    random: fastrand::Rng,
}

impl Swapper<'_> {
    fn make(&self) {
        match self.decoy {
            Decoy::Link => symlink(&self.victim.path, &self.aside).unwrap(),
            Decoy::HardLink => fs::hard_link(&self.victim.path, &self.aside).unwrap(),
            Decoy::Pipe => {
                let mode = Mode::from_raw_mode(0o600);
                mknodat(CWD, &self.aside, FileType::Fifo, mode, 0).unwrap();
            }
            Decoy::Directory => fs::create_dir(&self.aside).unwrap(),
            Decoy::Socket => drop(UnixListener::bind(&self.aside).unwrap()),
        }
    }

    /// A moment: from nothing to a millisecond, each power of two as likely.
    fn pause(&mut self) {
        let micros = 1 << self.random.u32(0..11);
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_micros(micros) {
            std::thread::yield_now();
        }
    }

    /// Exchanges the file until it is told to stop, and leaves it as it was.
    fn swap(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.make();
            let decoy = identity(&self.aside);
            let exchanged = rename(&self.aside, &self.name, RenameFlags::EXCHANGE);
            if !exchanged && !rename(&self.aside, &self.name, RenameFlags::NOREPLACE) {
                remove(&self.aside);
                continue;
            }
            self.pause();
            if identity(&self.name) != decoy {
                // A run removed it, or put something else there, which stays.
                if exchanged && !rename(&self.aside, &self.name, RenameFlags::NOREPLACE) {
                    remove(&self.aside);
                }
            } else if !exchanged {
                remove(&self.name);
            } else if !rename(&self.aside, &self.name, RenameFlags::EXCHANGE) {
                rename(&self.aside, &self.name, RenameFlags::NOREPLACE);
            }
            remove(&self.aside);
            self.pause();
        }
    }
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> bool {
    renameat_with(CWD, from, CWD, to, flags).is_ok()
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn remove(path: &Path) {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        // Nobody puts anything into it.
        fs::remove_dir(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
}

/// Says stop when it goes, in a panic, too.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Scene {
    dirs: Dirs,
    table: Table,
    rounds: u32,
}

impl Scene {
    fn new() -> Scene {
        let dirs = dirs();
        let table = Table::indexed(&dirs.source, "feed_1", &rows(0..500));
        Table::indexed(&dirs.source, "feed_2", &rows(0..50));
        let scene = Scene { dirs, table, rounds: 0 };
        assert_eq!(scene.backup().code(), 0);
        scene
    }

    fn backup(&self) -> Ended {
        program::run(emonfeed(program::backup(&self.dirs, &["--recheck", "all"])))
    }

    /// Something for the next run to do: a row more, an edit, a rewritten table, or
    /// another definition.
    fn change(&mut self) {
        self.rounds += 1;
        let round = self.rounds;
        match round % 4 {
            0 => self.table.append(&rows(10_000 + round..10_010 + round)),
            1 => self.table.update(7, &row(1_400_000_070, round as f32)),
            2 => self.table.write(&rows(round..500 + round)),
            _ => {
                let mut definition = fs::read(self.table.with("frm")).unwrap();
                let last = definition.len() - 1;
                definition[last] ^= 1;
                fs::write(self.table.with("frm"), definition).unwrap();
                self.table.count_a_write();
            }
        }
    }

    /// Runs while somebody exchanges `name` of `dir` for each decoy in turn.
    fn beside_a_swapper(&mut self, dir: &Path, name: &str, runs: usize) {
        let name = dir.join(name);
        let outside = self.dirs.root.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        // What passes for what it takes the place of, and what anything can be
        // written to.
        let same = fs::read(&name).unwrap_or_else(|_| rows(0..500));
        for (decoy, bytes) in DECOYS
            .into_iter()
            .map(|decoy| (decoy, same.clone()))
            .chain([(Decoy::Link, vec![]), (Decoy::HardLink, vec![])])
        {
            let victim = Victim::new(outside.join("victim"), bytes);
            let seed = u64::from(self.rounds);
            let what = format!("{decoy:?} at {}, seed {seed}", name.display());
            let mut swapper = Swapper {
                name: name.clone(),
                decoy,
                victim: &victim,
                aside: outside.join("aside"),
                random: fastrand::Rng::with_seed(seed),
            };
            let is_source = dir == self.dirs.source;
            // Others than runs open these, too.
            let is_looked_at = [CATALOG_FILE, LOCK_FILE]
                .iter()
                .any(|file| name.to_str().unwrap().contains(file));
            self.change();
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let _stop = StopAtEnd(&stop);
                scope.spawn(|| swapper.swap(&stop));
                for _ in 0..runs {
                    // What is written to the source is written by name.
                    if !is_source {
                        self.change();
                    }
                    let mut all = vec![self.backup()];
                    if is_looked_at {
                        all.extend(["verify", "status"].map(|name| self.look(name)));
                    }
                    for ended in all {
                        let code = ended.status.code();
                        let is_known =
                            code.is_some_and(|code| [0, 1, 3, 11].contains(&code));
                        assert!(is_known, "{what}: {ended:?}");
                    }
                }
            });
            victim.expect_untouched(&what);
            self.expect_mended(&what);
            victim.expect_untouched(&what);
            fs::remove_file(&victim.path).unwrap();
        }
    }

    fn look(&self, command: &str) -> Ended {
        program::run(emonfeed([command.as_ref(), self.dirs.copies.as_os_str()]))
    }

    /// Nobody exchanges anything any more: a run makes everything right, or says
    /// what is in its way, and does so when that is removed.
    fn expect_mended(&self, what: &str) {
        for _ in 0..8 {
            let ended = self.backup();
            let copies = ["feed_1.MYD", "feed_2.MYD", "feed_1.frm", "feed_2.frm"];
            if ended.code() == 0 {
                for name in copies {
                    let copy = fs::read(self.dirs.copies.join(name)).unwrap();
                    let same = copy == fs::read(self.dirs.source.join(name)).unwrap();
                    assert!(same, "{what}: {name} is another than the source's");
                }
                return;
            }
            let in_the_way = fs::read_dir(&self.dirs.copies)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| ended.err.contains(&format!("{}: ", path.display())));
            let path = in_the_way.unwrap_or_else(|| panic!("{what}: {ended:?}"));
            eprintln!("{what}: {}", ended.err);
            remove(&path);
        }
        panic!("{what}: it is never mended");
    }
}

fn exchange_in_the_destination(name: &str, runs: usize) {
    let mut scene = Scene::new();
    let copies = scene.dirs.copies.clone();
    scene.beside_a_swapper(&copies, name, runs);
}

#[test]
fn copies_are_exchanged() {
    exchange_in_the_destination("feed_1.MYD", 24);
}

#[test]
fn definitions_are_exchanged() {
    exchange_in_the_destination("feed_1.frm", 4);
}

#[test]
fn the_catalog_is_exchanged() {
    exchange_in_the_destination(CATALOG_FILE, 4);
}

#[test]
fn the_journal_of_the_catalog_is_exchanged() {
    exchange_in_the_destination(&format!("{CATALOG_FILE}-journal"), 4);
}

#[test]
fn the_lock_is_exchanged() {
    exchange_in_the_destination(LOCK_FILE, 4);
}

#[test]
fn files_being_written_are_exchanged() {
    exchange_in_the_destination(".feed_1.MYD.partial", 4);
    exchange_in_the_destination(".feed_1.frm.partial", 4);
}

#[test]
fn kept_generations_are_exchanged() {
    let mut scene = Scene::new();
    scene.table.write(&rows(1000..1500));
    assert_eq!(scene.backup().code(), 0);
    let names = names(&scene.dirs.copies);
    let kept = names.iter().find(|name| name.starts_with("feed_1.MYD.")).unwrap();
    let copies = scene.dirs.copies.clone();
    scene.beside_a_swapper(&copies, kept, 4);
}

#[test]
fn files_of_the_source_are_exchanged() {
    for name in ["feed_1.MYD", "feed_1.MYI", "feed_1.frm"] {
        let mut scene = Scene::new();
        let source = scene.dirs.source.clone();
        scene.beside_a_swapper(&source, name, 2);
    }
}

#[test]
fn a_run_stays_in_the_directory_that_it_began_in() {
    let dirs = dirs();
    for number in 1..=3 {
        Table::indexed(&dirs.source, &format!("feed_{number}"), &rows(0..60_000));
    }
    let run = program::start(emonfeed(program::backup(&dirs, &["--bwlimit", "500k"])));
    let begun = dirs.copies.join(".feed_2.MYD.partial");
    program::wait_until("the second feed is begun", || begun.exists());
    let [elsewhere, moved] =
        ["elsewhere", "moved"].map(|name| dirs.root.path().join(name));
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(&dirs.copies, &moved).unwrap();
    symlink(&elsewhere, &dirs.copies).unwrap();
    let ended = program::end(run);
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    fs::remove_file(&dirs.copies).unwrap();
    fs::rename(&moved, &dirs.copies).unwrap();
    program::expect_equal(&dirs);
}
