//! Sixteen threads at the C interface, on one feed and on their own, while the
//! file grows, is emptied and replaced. `make soak` runs this under
//! ThreadSanitizer as well.

#[path = "c/abi.rs"]
mod abi;
mod effort;

use abi::*;
use effort::effort;
use emonfeed::Status;
use rustix::fs::{FlockOperation, flock};
use std::ffi::{CString, c_char};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const THREADS: u64 = 16;
const START: u32 = 1_000_000;
const STRICT: u32 = 4;
const PREAD: u32 = 1;
const MAX: i32 = 4;

fn row(index: u32, value: f32) -> [u8; 9] {
    let [t0, t1, t2, t3] = (START + index * 10).to_le_bytes();
    let [v0, v1, v2, v3] = value.to_le_bytes();
    [0xf9, t0, t1, t2, t3, v0, v1, v2, v3]
}

/// All rows of a round have its number as their value.
fn rows(round: u32) -> Vec<u8> {
    (0..2_000 + round * 131 % 700).flat_map(|i| row(i, round as f32)).collect()
}

/// A feed of the library, which any thread may use.
struct Opened(Handle);

// SAFETY: the header allows any number of threads to use a feed.
unsafe impl Send for Opened {}
// SAFETY: as above.
unsafe impl Sync for Opened {}

impl Opened {
    fn new(path: &Path, flags: u32) -> Result<Opened, i32> {
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        let mut feed = ptr::null_mut();
        // SAFETY: the path ends with a NUL and the output is valid.
        let status = unsafe {
            let path: *const c_char = path.as_ptr();
            emonfeed_feed_open(path, flags, &raw mut feed, ptr::null_mut())
        };
        if status == 0 { Ok(Opened(feed)) } else { Err(status) }
    }

    /// The greatest values of a hundred windows.
    fn ask(&self) -> Result<Vec<f64>, i32> {
        let mut series = ptr::null_mut();
        let start = i64::from(START);
        // SAFETY: the feed is valid as long as this; the series until it is
        // freed, once.
        unsafe {
            let status = emonfeed_feed_windows(
                self.0,
                start,
                start + 19_999,
                200,
                MAX,
                0,
                &raw mut series,
                ptr::null_mut(),
            );
            if status != 0 {
                return Err(status);
            }
            let len = emonfeed_series_len(series);
            let points = std::slice::from_raw_parts(emonfeed_series_points(series), len);
            let values = points.iter().map(|point| point.value).collect();
            emonfeed_series_free(series);
            Ok(values)
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { emonfeed_feed_free(self.0) }
    }
}

/// An answer of one moment: all of one round, or no rows yet.
fn check(answer: Result<Vec<f64>, i32>) -> bool {
    match answer {
        Ok(values) => {
            assert_eq!(values.len(), 100);
            let first = values[0];
            let same = |value: &f64| *value == first || value.is_nan() && first.is_nan();
            assert!(values.iter().all(same), "rows of two moments: {values:?}");
            !first.is_nan()
        }
        Err(status) => {
            let passing = [Status::Changed, Status::NotFound, Status::Locked];
            assert!(passing.iter().any(|known| *known as i32 == status), "{status}");
            false
        }
    }
}

#[test]
fn many_threads_get_answers_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed_1.MYD");
    fs::write(&path, rows(0)).unwrap();
    let shared = Opened::new(&path, 0).expect("a feed");
    let over = AtomicBool::new(false);
    let right = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (path, shared, over, right) = (&path, &shared, &over, &right);
            scope.spawn(move || {
                // Some by a mapping, some without, some that believe less.
                let flags = [0, PREAD, STRICT, PREAD | STRICT][number as usize % 4];
                let mut count = 0;
                while !over.load(Ordering::Relaxed) {
                    count += u64::from(check(shared.ask()));
                    let own = Opened::new(path, flags);
                    count += u64::from(check(own.and_then(|own| own.ask())));
                    // Locks are not fair: the writer needs a moment without.
                    std::thread::sleep(Duration::from_millis(4));
                }
                right.fetch_add(count, Ordering::Relaxed);
            });
        }
        for round in 1..effort(30, 600) {
            change(&path, round);
            std::thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
    });
    let right = right.into_inner();
    println!("{right} right answers");
    assert!(right > THREADS, "{right} right answers");
    assert!(check(shared.ask()));
}

/// Half of the rows are others, the file seems to rest, and its writer has the lock.
#[test]
fn a_writer_that_pauses_under_its_lock_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed_1.MYD");
    fs::write(&path, rows(1)).unwrap();
    let rest = || {
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(hour_ago).unwrap();
    };
    rest();
    let feed = Opened::new(&path, 0).expect("a feed");
    assert_eq!(feed.ask().map(|values| values[0]), Ok(1.0));
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();
    let new: Vec<u8> = (0..2_131).flat_map(|i| row(i, 2.0)).collect();
    file.write_all_at(&new[..9 * 1000], 0).unwrap();
    rest();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| feed.ask());
        // Time enough for an answer that does not wait.
        std::thread::sleep(Duration::from_millis(300));
        file.write_all_at(&new[9 * 1000..], 9 * 1000).unwrap();
        flock(&file, FlockOperation::Unlock).unwrap();
        let answer = reader.join().unwrap();
        assert!(check(answer.clone()), "no answer");
        assert_eq!(answer.map(|values| values[0]), Ok(2.0));
    });
}

fn change(path: &Path, round: u32) {
    let bytes = rows(round);
    match round % 3 {
        0 => {
            let new = path.with_extension("new");
            fs::write(&new, bytes).unwrap();
            fs::rename(new, path).unwrap();
        }
        1 => {
            // As PHPTimeSeries writes: under the lock.
            let mut file = OpenOptions::new().write(true).open(path).unwrap();
            flock(&file, FlockOperation::LockExclusive).unwrap();
            file.set_len(0).unwrap();
            file.write_all(&bytes).unwrap();
        }
        _ => {
            let file = File::options().append(true).open(path).unwrap();
            flock(&file, FlockOperation::LockExclusive).unwrap();
            let count = file.metadata().unwrap().len() / 9;
            let last = round as f32 - 1.0;
            let more = (0..50).flat_map(|i| row(count as u32 + i, last));
            (&file).write_all(&more.collect::<Vec<u8>>()).unwrap();
        }
    }
}
