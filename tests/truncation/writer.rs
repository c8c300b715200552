//! The program that truncates, refills, replaces and deletes two feeds.
//!
//! `feed_1.MYD` is a bare file, as PHPTimeSeries has it; `feed_2` a table,
//! handled as a server handles its own. Each row's value is the round that
//! wrote it, and a round is known by how many rows it has, so that an answer
//! shows whether all of it is of one moment. Readers in other languages repeat
//! [`rows_of`] and [`always_whole`].

use rustix::fs::{FlockOperation, flock};
use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

pub const BARE: &str = "feed_1.MYD";
pub const TABLE: &str = "feed_2.MYD";
/// The time of the first row; the others follow every [`STEP`] seconds.
pub const FIRST: u32 = 1_000_000;
pub const STEP: u32 = 10;
/// No round has more rows than this.
pub const MOST_ROWS: u32 = 62_000;

const ROW: usize = 9;
/// The file in which the writer counts its steps, so that a reader sees whether
/// it stood still during a call, as happens on a busy machine: what it left half
/// done is no passing state then, and may be named as what it looks like.
pub const STEPS: &str = "steps";
/// What a server writes at once of a bulk insert.
const PIECE: usize = 128 << 10;
/// The part of the index file that a server writes after each statement.
const HEADER: usize = 140;

/// How many rows that round writes: never as many as the one before.
pub fn rows_of(round: u64) -> u64 {
    2_000 + round * 7_919 % 60_000
}

/// Whether no moment has only a part of that round's rows. A table never has:
/// its header counts them when all are there. A bare file has not if it got its
/// name when it was complete, or was written under a lock, and if the next
/// round does not cut it in the middle.
pub fn always_whole(file: &str, round: u64) -> bool {
    file == TABLE || matches!(round % 7, 0 | 3)
}

pub struct Writer {
    folder: PathBuf,
    round: u32,
    /// How often a file became shorter under its readers.
    pub truncations: u32,
    steps: Cell<u64>,
    counter: File,
    /// Rows without values.
    rows: Vec<u8>,
    index: Vec<u8>,
    definition: Vec<u8>,
}

impl Writer {
    /// Writes the first round.
    pub fn new(folder: &Path) -> Writer {
        let recorded = |extension: &str| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            fs::read(root.join("tests/fixtures/plain/feed_1").with_extension(extension))
                .unwrap()
        };
        let writer = Writer {
            folder: folder.to_owned(),
            round: 1,
            truncations: 0,
            steps: Cell::new(0),
            counter: File::create(folder.join(STEPS)).unwrap(),
            rows: (0..MOST_ROWS)
                .flat_map(|i| {
                    let time = (FIRST + i * STEP).to_le_bytes();
                    [0xf9, time[0], time[1], time[2], time[3], 0, 0, 0, 0]
                })
                .collect(),
            index: recorded("MYI"),
            definition: recorded("frm"),
        };
        let bytes = writer.contents();
        writer.step();
        fs::write(writer.bare(), &bytes).unwrap();
        writer.create_table(&bytes);
        writer
    }

    /// One more round for both feeds.
    pub fn next(&mut self) {
        self.round += 1;
        self.step();
        let bytes = self.contents();
        self.rewrite_bare(&bytes);
        self.pause();
        self.step();
        self.rewrite_table(&bytes);
        self.step();
        self.pause();
    }

    /// For some time from nothing to 3 ms, mostly a short one, so that readers
    /// are in the midst of something when it goes on; at times for so long that
    /// slow ones come to an end.
    fn pause(&self) {
        let rest = if self.round % 8 == 0 { 50_000 } else { 0 };
        let short = u64::from(self.round * 61 % 31);
        sleep(Duration::from_micros(rest + short * short * 3));
    }

    fn step(&self) {
        self.steps.set(self.steps.get() + 1);
        self.counter.write_all_at(&self.steps.get().to_le_bytes(), 0).unwrap();
    }

    fn bare(&self) -> PathBuf {
        self.folder.join(BARE)
    }

    fn table(&self, extension: &str) -> PathBuf {
        self.folder.join(TABLE).with_extension(extension)
    }

    fn contents(&self) -> Vec<u8> {
        let rows = rows_of(self.round.into()) as usize;
        let mut bytes = self.rows[..rows * ROW].to_vec();
        let value = (self.round as f32).to_le_bytes();
        for row in bytes.chunks_exact_mut(ROW) {
            row[5..].copy_from_slice(&value);
        }
        bytes
    }

    fn rewrite_bare(&mut self, bytes: &[u8]) {
        let path = self.bare();
        let open = || OpenOptions::new().write(true).open(&path).unwrap();
        match self.round % 7 {
            // Replaced by another file.
            0 => {
                let new = self.folder.join("new");
                fs::write(&new, bytes).unwrap();
                fs::rename(&new, &path).unwrap();
            }
            // Deleted for a moment.
            1 => {
                fs::remove_file(&path).unwrap();
                fs::write(&path, bytes).unwrap();
            }
            // Cut between two rows, and then to nothing.
            2 => {
                let mut file = open();
                let rows = file.metadata().unwrap().len() / ROW as u64;
                file.set_len(rows / 2 * ROW as u64).unwrap();
                file.set_len(0).unwrap();
                file.write_all(bytes).unwrap();
                self.truncations += 2;
            }
            // Under the lock that PHPTimeSeries takes.
            3 => {
                let mut file = open();
                flock(&file, FlockOperation::LockExclusive).unwrap();
                file.set_len(0).unwrap();
                file.write_all(bytes).unwrap();
                self.truncations += 1;
            }
            _ => {
                let mut file = open();
                file.set_len(0).unwrap();
                file.write_all(bytes).unwrap();
                self.truncations += 1;
            }
        }
    }

    fn rewrite_table(&mut self, bytes: &[u8]) {
        if self.round % 7 == 1 {
            // DROP TABLE, CREATE TABLE.
            for extension in ["MYI", "MYD", "frm"] {
                fs::remove_file(self.table(extension)).unwrap();
            }
            self.create_table(bytes);
        } else {
            // TRUNCATE: both files are opened anew and emptied, the index first.
            let index = self.write_index();
            let data = File::create(self.table("MYD")).unwrap();
            self.fill(&index, data, bytes);
            self.truncations += 1;
        }
    }

    fn create_table(&self, bytes: &[u8]) {
        fs::write(self.table("frm"), &self.definition).unwrap();
        let index = self.write_index();
        self.fill(&index, File::create(self.table("MYD")).unwrap(), bytes);
    }

    /// The index file of no rows, in as many small writes as a server takes.
    fn write_index(&self) -> File {
        let mut file = File::create(self.table("MYI")).unwrap();
        let index = self.index_of(0);
        for piece in index.chunks(index.len().div_ceil(8)) {
            file.write_all(piece).unwrap();
        }
        file
    }

    /// A bulk insert, and what makes its rows count.
    fn fill(&self, index: &File, mut data: File, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            data.write_all(piece).unwrap();
        }
        index.write_all_at(&self.index_of(bytes.len())[..HEADER], 0).unwrap();
    }

    /// The recorded index file, with the figures of that many bytes.
    fn index_of(&self, bytes: usize) -> Vec<u8> {
        let rows = (bytes / ROW) as u64;
        let mut index = self.index.clone();
        for (offset, value) in [(28, rows), (36, 0), (44, rows), (68, bytes as u64)] {
            index[offset..offset + 8].copy_from_slice(&value.to_be_bytes());
        }
        // One statement so far, or none.
        let statements = u32::from(bytes > 0);
        index[120..124].copy_from_slice(&statements.to_be_bytes());
        index
    }
}
