//! A backup's destination in which anything was written over: every command
//! ends, the source stays as it is, and after a run that compares everything a
//! copy that is said to be made is one.

use super::input::Input;
use super::place;
use emonfeed::Status;
use emonfeed::backup::{
    Backup, CATALOG_FILE, Destination, Done, Recheck, RestoreOptions, RunOptions, Verify,
    kept_states,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use tempfile::TempDir;

type Files = BTreeMap<String, Vec<u8>>;

struct Scene {
    source: TempDir,
    source_files: Files,
    /// The destination after two runs, between which the source changed.
    copies: Files,
}

fn scene() -> Rc<Scene> {
    // Goes with the thread, and its files with it.
    thread_local!(static SCENE: Rc<Scene> = Rc::new(Scene::new()));
    SCENE.with(Rc::clone)
}

impl Scene {
    fn new() -> Scene {
        let source = place::directory();
        let path = |name: &str| source.path().join(name);
        for (number, table) in [(1, "plain"), (2, "histogram"), (3, "two_indexes")] {
            for extension in ["MYD", "MYI", "frm"] {
                let bytes = place::fixture(&format!("{table}/feed_1.{extension}"));
                place::put(&path(&format!("feed_{number}.{extension}")), &bytes);
            }
        }
        let row = |i: u32, value: f32| {
            [&[0xf9][..], &(i * 10).to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let bare =
            |n: u32, value: f32| (0..n).flat_map(|i| row(i, value)).collect::<Vec<_>>();
        place::put(&path("feed_4.MYD"), &bare(300, 1.0));
        place::put(&path("feed_5.MYD"), &bare(200, 2.0));
        let copies = place::directory();
        back_up(source.path(), copies.path(), Recheck::All).expect("a run");
        place::put(&path("feed_4.MYD"), &[bare(300, 1.0), row(301, 5.0)].concat());
        // Made anew: the old rows are kept.
        place::put(&path("feed_5.MYD"), &bare(150, 3.0));
        back_up(source.path(), copies.path(), Recheck::All).expect("a second run");
        let [source_files, copies] = [source.path(), copies.path()].map(files);
        assert!(
            copies.keys().any(|name| name.starts_with("feed_5.MYD.")),
            "{:?}",
            copies.keys()
        );
        Scene { source, source_files, copies }
    }
}

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

fn options(recheck: Recheck) -> RunOptions {
    RunOptions { same_device: true, recheck, ..RunOptions::default() }
}

/// What was done, by the file of the rows.
fn back_up(
    source: &Path,
    copies: &Path,
    recheck: Recheck,
) -> emonfeed::Result<Vec<(String, Done)>> {
    let mut run = Backup::open(source, copies, options(recheck))?;
    let mut done = Vec::new();
    while let Some(report) = run.step(&mut |_, _| true)? {
        done.push((report.feed.file().to_owned(), report.done));
    }
    run.close()?;
    Ok(done)
}

/// Changes to files, each told by its number.
pub fn run(data: &[u8]) {
    let scene = scene();
    let mut copies = scene.copies.clone();
    let mut input = Input(data);
    while !input.is_empty() {
        // Most of all the catalog: its number is that of every second one.
        let number = input.u8();
        let name = match number % 2 {
            0 => CATALOG_FILE,
            _ => copies.keys().nth(usize::from(number / 2) % copies.len()).unwrap(),
        }
        .to_owned();
        let bytes = copies.get_mut(&name).expect("a file of it");
        let at = input.u16() as usize % (bytes.len() + 1);
        match input.u8() % 8 {
            0 => bytes.truncate(at),
            1 => {
                copies.remove(&name);
                if copies.is_empty() {
                    break;
                }
            }
            kind => {
                let len = usize::from(input.u8() % 32);
                let new = input.take(len);
                // Small numbers are where counts and lengths are.
                let new: Vec<u8> = if kind == 2 {
                    new.iter().map(|b| b % 4).collect()
                } else {
                    new.to_vec()
                };
                if let Some(old) = bytes.get_mut(at..at + new.len()) {
                    old.copy_from_slice(&new);
                }
            }
        }
        if !copies.contains_key(CATALOG_FILE) {
            break;
        }
    }
    let dir = place::directory();
    for (name, bytes) in &copies {
        fs::write(dir.path().join(name), bytes).expect("room in memory");
    }
    commands(scene.source.path(), dir.path());
    expect_named(back_up(scene.source.path(), dir.path(), Recheck::Share(30)).map(drop));
    if let Ok(done) = back_up(scene.source.path(), dir.path(), Recheck::All) {
        for (file, done) in done {
            if let Done::Copied(report) = done {
                let copy = fs::read(dir.path().join(&file)).expect("the copy");
                assert!(copy == scene.source_files[&file], "{file}: {report:?}");
            }
        }
    }
    commands(scene.source.path(), dir.path());
    assert!(files(scene.source.path()) == scene.source_files, "the source was changed");
}

/// What only looks.
fn commands(source: &Path, copies: &Path) {
    let before = files(copies);
    expect_named(Destination::read(copies, &options(Recheck::None)).map(drop));
    for source in [None, Some(source)] {
        match Verify::open(copies, source, &options(Recheck::None)) {
            Err(error) => expect_named(Err(error)),
            Ok(mut verify) => while verify.step(&mut |_, _| true).is_some() {},
        }
    }
    expect_named(kept_states(copies, &RestoreOptions::default()).map(drop));
    // SQLite makes and removes its own files beside the catalog.
    let rows =
        |files: Files| files.into_iter().filter(|(name, _)| name.starts_with("feed_"));
    assert!(rows(before).eq(rows(files(copies))), "looking changed the copies");
}

fn expect_named(result: emonfeed::Result<()>) {
    if let Err(error) = result {
        assert_ne!(error.status(), Status::Internal, "{error}");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0, 0, 0, 3, 4, 1, 2, 3, 4],
        vec![0, 0, 16, 2, 8, 1, 1, 1, 1, 1, 1, 1, 1],
        vec![0, 24, 0, 3, 4, 0xff, 0xff, 0xff, 0xff, 0, 100, 32, 3, 2, 9, 9],
        vec![0, 0, 48, 0],
        vec![3, 9, 0, 3, 2, 7, 7],
        vec![5, 0, 0, 1, 9, 0, 0, 0],
    ]
}
