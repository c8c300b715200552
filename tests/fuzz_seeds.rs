//! What the fuzz targets in `fuzz/` are given without a nightly compiler: their
//! seeds, the inputs that fuzzing kept, and mutations of both. `make soak`
//! fuzzes.

mod effort;
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use effort::effort;
use fuzz::{TARGETS, Target};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What a run of fuzzing kept, because it reached new code or broke something.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target.name);
    let files = fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs one input; where it breaks something, says which input that was.
fn run(target: &Target, input: &[u8]) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("{}: broken by {input:?}", target.name);
        std::panic::resume_unwind(payload);
    }
}

/// One of the changes that libFuzzer makes as well.
fn mutate(random: &mut fastrand::Rng, input: &mut Vec<u8>, all: &[Vec<u8>]) {
    let at = random.usize(..=input.len());
    match random.u8(..6) {
        0 => input.truncate(at),
        1 => input.insert(at, random.u8(..)),
        2 => {
            let other = random.choice(all).expect("inputs");
            let from = random.usize(..=other.len());
            input.truncate(at);
            input.extend(&other[from..]);
        }
        3 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        4 if at + 4 <= input.len() => {
            let number =
                *random.choice(&[0, 1, 255, 1 << 16, i32::MAX as u32, u32::MAX]).unwrap();
            input[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        _ if at < input.len() => input[at] = random.u8(..),
        _ => input.push(random.u8(..)),
    }
}

fn replay(name: &str, usual: u32) {
    const SEED: u64 = 20_130_701;
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let kept = kept(target);

    assert!(!kept.is_empty(), "nothing is kept of {name}");
    let inputs = [(target.seeds)(), kept].concat();
    for input in &inputs {
        run(target, input);
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    // Miri is hundreds of times slower.
    let mutations = if cfg!(miri) { 100 } else { effort(usual, 20 * usual) };
    for _ in 0..mutations {
        let mut input = random.choice(&inputs).expect("inputs").clone();
        for _ in 0..=random.u8(..4) {
            mutate(&mut random, &mut input, &inputs);
        }
        run(target, &input);
    }
}

macro_rules! replays {
    ($($name:ident: $mutations:expr,)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), $mutations);
        })*

        #[test]
        fn every_target_is_replayed() {
            let replayed = [$(stringify!($name)),*];
            let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(targets, replayed);
        }
    };
}

replays! {
    definition: 4_000,
    rows: 200,
    table: 200,
    summary: 30,
    catalog: 20,
    calls: 2_000,
}

/// Where `cargo fuzz` begins.
#[test]
#[ignore = "writes fuzz/corpus anew, for fuzz/run.sh"]
fn corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for target in TARGETS {
        let dir = fuzz.join("corpus").join(target.name);
        fs::create_dir_all(&dir).unwrap();
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(dir.join(format!("seed-{number:03}")), seed).unwrap();
        }
    }
}
