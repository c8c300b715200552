//! A restore that is killed, or whose calls fail, at every call that changes
//! something: whatever has its name is whole, the copies are untouched, and the next
//! one makes everything right. What only looks makes no such call.

use crate::calls;
use crate::effort::effort;
use crate::program;
use crate::table::{Dirs, Table, contents, dirs_in_memory, rows};
use emonfeed::backup::CATALOG_FILE;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

type Files = BTreeMap<OsString, Vec<u8>>;

struct Scene {
    dirs: Dirs,
    target: PathBuf,
    /// What was in the target before, and what is to be in it.
    old: Files,
    new: Files,
    /// The copies and their catalog.
    copies: Files,
    options: Vec<&'static str>,
}

fn copies_of(dirs: &Dirs) -> Files {
    let mut copies = contents(&dirs.copies);
    let catalog = fs::read(dirs.copies.join(CATALOG_FILE)).unwrap();
    copies.insert(CATALOG_FILE.into(), catalog);
    copies
}

impl Scene {
    /// Two tables, brought back over others or into nothing.
    fn new(over_others: bool) -> Scene {
        let dirs = dirs_in_memory();
        for (feed, count) in [("feed_1", 9000), ("feed_2", 20)] {
            Table::indexed(&dirs.source, feed, &rows(0..count));
        }
        let run = program::run(program::emonfeed(program::backup(&dirs, &[])));
        assert_eq!(run.code(), 0, "{run:?}");
        let mut new = contents(&dirs.source);
        let mut old = Files::new();
        if over_others {
            old = new.clone();
            for (name, bytes) in &mut old {
                if name.to_str().unwrap().ends_with("MYD") {
                    *bytes = rows(7..500);
                }
            }
        }
        // A server has to make the indexes anew.
        new.retain(|name, _| !name.to_str().unwrap().ends_with("MYI"));
        let target = dirs.root.path().join("target");
        let copies = copies_of(&dirs);
        let options = match over_others {
            true => vec!["--force", "--flushed"],
            false => vec![],
        };
        Scene { dirs, target, old, new, copies, options }
    }

    fn rewind(&self) {
        if self.target.exists() {
            fs::remove_dir_all(&self.target).unwrap();
        }
        fs::create_dir(&self.target).unwrap();
        for (name, bytes) in &self.old {
            fs::write(self.target.join(name), bytes).unwrap();
        }
    }

    fn args(&self, more: &[&'static str]) -> Vec<&OsStr> {
        let options = ["restore"].iter().chain(&self.options).chain(more);
        let options = options.map(|option| OsStr::new(*option));
        options.chain([self.dirs.copies.as_os_str(), self.target.as_os_str()]).collect()
    }

    /// Whatever happened.
    #[track_caller]
    fn expect_whole(&self, what: &str) {
        assert!(copies_of(&self.dirs) == self.copies, "{what}: the copies are others");
        let there = contents(&self.target);
        for (name, bytes) in &there {
            let is_partial = Path::new(name).extension() == Some(OsStr::new("partial"));
            let is = |files: &Files| files.get(name) == Some(bytes);
            assert!(is_partial || is(&self.old) || is(&self.new), "{what}: {name:?}");
        }
        for name in self.old.keys() {
            // Beside rows that are new, the old index would be believed.
            let is_index = Path::new(name).extension() == Some(OsStr::new("MYI"));
            let data = Path::new(name).with_extension("MYD").into_os_string();
            let is_new = there.get(&data) == self.new.get(&data);
            match is_index {
                true => assert!(
                    !is_new || !there.contains_key(name),
                    "{what}: {name:?} is beside new rows"
                ),
                false => assert!(there.contains_key(name), "{what}: {name:?} is gone"),
            }
        }
        let forced: &[_] =
            if self.options.is_empty() { &["--force", "--flushed"] } else { &[] };
        let next = program::run(program::emonfeed(self.args(forced)));
        assert_eq!(next.code(), 0, "{what}: {next:?}");
        assert!(contents(&self.target) == self.new, "{what}: {next:?}");
    }
}

#[test]
fn a_restore_may_be_killed_or_fail_at_any_call_that_changes_something() {
    let (mut killed, mut failed) = (0, 0);
    for over_others in [false, true] {
        let scene = Scene::new(over_others);
        scene.rewind();
        let calls = calls::changing(&scene.args(&[]));
        scene.expect_whole("nothing happened");
        for call in &calls {
            scene.rewind();
            let output = calls::injected(&scene.args(&[]), call, "signal=SIGKILL", &[]);
            output.unwrap_or_else(|| panic!("{call} was not made again"));
            scene.expect_whole(&format!("over others {over_others}, killed at {call}"));
            killed += 1;
        }
        for (call, error) in calls::failures(&calls, effort(0, usize::MAX)) {
            scene.rewind();
            let error = format!("error={error}");
            let output = calls::injected(&scene.args(&[]), &call, &error, &[]);
            let output = output.unwrap_or_else(|| panic!("{call} was not made again"));
            let what =
                format!("over others {over_others}, {error} at {call}: {output:?}");
            assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{what}");
            assert_eq!(output.status.success(), output.stderr.is_empty(), "{what}");
            scene.expect_whole(&what);
            failed += 1;
        }
    }
    println!("{killed} were killed, {failed} failed");
    assert!(killed > 30 && failed > 30, "{killed} were killed, {failed} failed");
}

#[test]
fn what_only_looks_makes_no_call_that_changes_something() {
    let scene = Scene::new(false);
    let (copies, source) = (scene.dirs.copies.as_os_str(), scene.dirs.source.as_os_str());
    let looks: [&[&OsStr]; 5] = [
        &["verify".as_ref(), copies],
        &["verify".as_ref(), copies, "--source".as_ref(), source],
        &["status".as_ref(), copies],
        &["restore".as_ref(), "--list".as_ref(), copies],
        &["restore".as_ref(), "--dry-run".as_ref(), copies, scene.target.as_os_str()],
    ];
    for args in looks {
        assert_eq!(calls::changing(args), [], "{args:?}");
    }
}
