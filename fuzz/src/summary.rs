//! Kept summaries: damaged, they change no answer; forged, with hashes that
//! fit, they do no harm.

use super::input::Input;
use super::place;
use super::queries::{Answers, Questions, expect_named};
use emonfeed::query::Aggregate;
use emonfeed::{Feed, Options};
use std::ffi::OsString;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_128;

const BASE: i64 = 100_000;
/// Shorter feeds are read, not kept.
const ROWS: u32 = 20_000;
const HASH: usize = 16;

struct Kept {
    _dir: TempDir,
    rows: PathBuf,
    /// The summary's name, what is in it, and where its parts are.
    name: OsString,
    bytes: Vec<u8>,
    parts: Vec<Range<usize>>,
}

fn kept() -> Rc<Kept> {
    // Goes with the thread, and its files with it.
    thread_local!(static KEPT: Rc<Kept> = Rc::new(Kept::new()));
    KEPT.with(Rc::clone)
}

impl Kept {
    fn new() -> Kept {
        let dir = place::directory();
        let rows = dir.path().join("feed_1.MYD");
        let mut bytes = Vec::new();
        for i in 0..ROWS {
            // Out of order now and then, so that there are runs.
            let time = BASE as u32 + if i % 5000 == 77 { i / 2 } else { i * 3 };
            bytes.push(0xf9);
            bytes.extend(time.to_le_bytes());
            bytes.extend(((i % 100) as f32).to_le_bytes());
        }
        place::put(&rows, &bytes);
        let keep = place::directory();
        ask(&rows, keep.path(), &Questions::new(&mut Input(&[]), BASE)).expect("a feed");
        let entries =
            fs::read_dir(keep.path()).unwrap().map(|entry| entry.unwrap().path());
        let [summary] = &entries.collect::<Vec<_>>()[..] else { panic!("one summary") };
        let bytes = fs::read(summary).unwrap();
        let parts = parts(&bytes);
        assert_eq!(parts.last().map(|part| part.end + HASH), Some(bytes.len()));
        let name = summary.file_name().unwrap().to_owned();
        Kept { _dir: dir, rows, name, bytes, parts }
    }
}

/// The stretches that are followed by their hash.
fn parts(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut from, mut to) = (0, 0);
    while let Some(hash) = bytes.get(to..to + HASH) {
        if to > from && xxh3_128(&bytes[from..to]).to_ne_bytes() == hash {
            parts.push(from..to);
            (from, to) = (to + HASH, to + HASH);
        } else {
            to += 4;
        }
    }
    parts
}

fn ask(rows: &Path, keep: &Path, questions: &Questions) -> emonfeed::Result<Answers> {
    let options = Options { keep: Some(keep.into()), ..Options::default() };
    questions.ask(&Feed::open_with(rows, options)?)
}

/// Questions, whether hashes are made to fit, changes.
pub fn run(data: &[u8]) {
    let kept = kept();
    let mut input = Input(data);
    let questions = Questions::new(&mut input, BASE + 30_000);
    let forged = input.u8() % 2 == 1;
    let mut bytes = kept.bytes.clone();
    while !input.is_empty() {
        let at = usize::from(input.u16()) % (kept.bytes.len() + 1);
        match input.u8() % 4 {
            0 => bytes.truncate(at),
            1 => {
                let more = input.piece();
                bytes.splice(
                    at.min(bytes.len())..at.min(bytes.len()),
                    more.iter().copied(),
                );
            }
            _ => {
                let len = usize::from(input.u8() % 16);
                let new = input.take(len);
                if let Some(old) = bytes.get_mut(at..at + new.len()) {
                    old.copy_from_slice(new);
                }
            }
        }
    }
    if forged {
        for part in &kept.parts {
            if let Some(hash) = bytes.get(part.end..part.end + HASH) {
                let hash = hash.len();
                let fits = xxh3_128(&bytes[part.clone()]).to_ne_bytes();
                bytes[part.end..part.end + hash].copy_from_slice(&fits);
            }
        }
    }
    let keep = place::directory();
    let path = keep.path().join(&kept.name);
    place::put(&path, &bytes);
    let answers = ask(&kept.rows, keep.path(), &questions);
    if forged && bytes != kept.bytes {
        if let Err(error) = answers {
            expect_named(&error);
        }
        return;
    }
    let true_ones = questions.ask(&Feed::open(&kept.rows).expect("a feed"));
    answers
        .expect("what is damaged is not used")
        .expect_same(&true_ones.expect("answers"));
}

pub fn seeds() -> Vec<Vec<u8>> {
    let questions =
        [0, 0, 0xf0, 4, 0, 0, 3, 0, 60, 0, 2, 2, 0, 2, 0, 10, 0, 0, 90, 0, 3, 20];
    let with = |changes: &[u8]| [&questions[..], changes].concat();
    let mut seeds = vec![
        with(&[0]),
        with(&[0, 9, 0, 2, 1, 0xff]),
        with(&[0, 40, 0, 0]),
        with(&[1, 80, 0, 2, 8, 1, 0, 0, 0, 0, 0, 0, 0]),
        with(&[1, 120, 0, 2, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        with(&[1, 0, 1, 1, 4, 0, 1, 2, 3, 4]),
    ];
    seeds.extend(altered_tallies());
    seeds
}

/// A number in each list of what blocks come to is another one, which nothing but
/// the hash tells, and windows over several blocks are asked what needs it.
fn altered_tallies() -> Vec<Vec<u8>> {
    const COUNT: usize = 4;
    const VALUE: usize = 8;
    // Of which all bytes of a number are, whatever their order.
    const LARGE: u8 = 0x43;
    const SMALL: u8 = 0xc3;
    let tallies = kept().parts.last().expect("parts").clone();
    let blocks = tallies.len() / (COUNT + 3 * VALUE);
    let lists = [
        (Aggregate::Count, 0, COUNT, LARGE),
        (Aggregate::Sum, COUNT, VALUE, LARGE),
        (Aggregate::Min, COUNT + VALUE, VALUE, SMALL),
        (Aggregate::Max, COUNT + 2 * VALUE, VALUE, LARGE),
    ];
    let seed = |(aggregate, before, width, byte)| {
        let list = tallies.start + blocks * before;
        // Not in the middle, where two windows meet.
        let at = u16::try_from(list + blocks / 3 * width).expect("a short summary");
        let place = Aggregate::ALL.iter().position(|one| *one == aggregate);
        // From 30,000 seconds before the middle to 30,000 behind it, 6,000 each.
        let mut seed = vec![0, 0xd0, 0x8a, 0, 0x30, 0x75, 0x70, 0x17];
        seed.extend([place.expect("one of all") as u8, 0, 0, 0, 3, 20]);
        seed.push(0);
        seed.extend(at.to_le_bytes());
        seed.extend([2, width as u8]);
        seed.extend(vec![byte; width]);
        seed
    };
    lists.into_iter().map(seed).collect()
}
