//! Runs that are killed, or whose disk is full, after one that was killed: what
//! that one had begun is taken back by one that does not come to its end either.

use crate::calls::{self, Call};
use crate::effort::effort;
use crate::killed::{Scene, scene};
use crate::table::{copy_all, memory};
use emonfeed::backup::CATALOG_FILE;
use rusqlite::Connection;

/// Calls at the beginning of a run, when it takes back what was begun before.
const EARLY: usize = 64;

/// Whether a run was in the midst of overwriting or replacing copies.
fn is_pending(scene: &Scene) -> bool {
    let catalog = Connection::open(scene.dirs.copies.join(CATALOG_FILE)).unwrap();
    let sql = "SELECT COUNT(*) > 0 FROM generation WHERE state = 'pending'";
    catalog.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Kills a run at a call, and has the next ones fail at some of theirs; how many, and
/// how many of them while they took something back.
fn fails_again(scene: &Scene, call: &Call, random: &mut fastrand::Rng) -> (usize, usize) {
    scene.rewind();
    scene.run("1", call, "signal=SIGKILL").expect("it is killed");
    let then = memory();
    copy_all(&scene.dirs.copies, then.path());
    let is_pending = is_pending(scene);
    scene.rewind_to(then.path());
    // This run carries on: what it has to do, the others have.
    let mut early = calls::changing(&scene.args("1"));
    let mut late = early.split_off(EARLY.min(early.len()));
    let (mut next, mut early): (Vec<_>, Vec<_>) =
        early.into_iter().partition(|call| is_pending && call.of_feed);
    for of in [&mut early, &mut late] {
        random.shuffle(of);
        of.truncate(effort(1, 12));
        next.append(of);
    }
    for (at, again) in next.iter().enumerate() {
        let errors = calls::errors(&again.name);
        // Killed where it takes something back; then by turns.
        let is_killed = at % 2 == 0 || is_pending && again.of_feed;
        let error = match is_killed {
            true => "signal=SIGKILL".to_owned(),
            false => format!("error={}", errors[at / 2 % errors.len()]),
        };
        scene.rewind_to(then.path());
        let what = format!("killed at {call}, then {error} at {again}");
        let output = scene.run("1", again, &error);
        let output = output.unwrap_or_else(|| panic!("{what}: it was not made again"));
        if !is_killed {
            assert!(
                matches!(output.status.code(), Some(0 | 1 | 3)),
                "{what}: {output:?}"
            );
        }
        scene.expect_whole(&what);
    }
    (next.len(), next.iter().filter(|call| is_pending && call.of_feed).count())
}

#[test]
fn the_run_after_a_killed_one_does_not_come_to_its_end_either() {
    let seed = effort(2026, u64::from(std::process::id()));
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = scene();
    let calls = scene.calls();
    let every = effort(32, 1);
    let (mut pairs, mut taken_back) = (0, 0);
    for call in calls.iter().skip(random.usize(0..every)).step_by(every) {
        let (all, of_those) = fails_again(&scene, call, &mut random);
        pairs += all;
        taken_back += of_those;
    }
    assert!(taken_back >= 10, "only {taken_back} of {pairs} pairs took something back");
    println!(
        "{pairs} pairs of failures, {taken_back} of them where a run took something back"
    );
}
