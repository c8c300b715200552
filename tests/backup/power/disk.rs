//! A disk that loses power: what may be on it afterwards, given what a program
//! did to one directory and what it synced.
//!
//! The rules are those of file systems with a journal (ext4, xfs, btrfs) at
//! their worst. Changes of names last in their order, up to some point that is
//! not before the last sync of the directory. The length of a file lasts up to
//! some point, too, and each sector of its own: it holds what it held at some
//! moment since the last sync of the file, or zeros where the file was extended
//! and the sector was not written yet.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What one call of a program changed or synced.
#[derive(Debug)]
pub enum Op {
    Create {
        name: String,
        file: usize,
    },
    Link {
        file: usize,
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Unlink {
        name: String,
    },
    Write {
        file: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    Resize {
        file: usize,
        len: usize,
    },
    /// Of all that was done before the op of that number, when it was begun.
    Sync {
        what: Synced,
        begun: usize,
    },
    /// The same, which failed: the kernel lets go of what could not be written, and
    /// no later sync tells of that or makes up for it.
    SyncFailed {
        what: Synced,
        begun: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    File(usize),
    Names,
    Everything,
}

/// What happens to that which was not synced.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// Nothing is lost: the program was killed.
    Nothing,
    /// All of it is lost.
    Everything,
    /// Names and lengths last, what is in the files does not: zeros.
    Contents,
    /// Names last, the files are as long as they were: new ones are empty.
    Lengths,
    /// The files last, their names do not.
    Names,
    /// As `Contents`; and where a file was extended, the sector that it ended in
    /// was being written and is zeros, with what was in it before.
    Torn,
    /// All lasts but the write of that number.
    Without(usize),
    /// The write of that number lasts, and of the others what was synced.
    Only(usize),
    /// Some of everything, by this seed.
    Some(u64),
}

/// Files of a directory. One may have several names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    pub names: BTreeMap<String, usize>,
    pub files: Vec<Vec<u8>>,
}

impl Disk {
    pub fn read(dir: &Path) -> Disk {
        let mut disk = Disk::default();
        let mut known = HashMap::new();
        let mut entries: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(|entry| entry.file_name());
        for entry in entries {
            let inode = entry.metadata().unwrap().ino();
            let file = *known.entry(inode).or_insert_with(|| {
                disk.files.push(fs::read(entry.path()).unwrap());
                disk.files.len() - 1
            });
            disk.names.insert(entry.file_name().into_string().unwrap(), file);
        }
        disk
    }

    /// Makes an empty directory hold these files.
    pub fn write(&self, dir: &Path) {
        let mut written: HashMap<usize, &str> = HashMap::new();
        for (name, file) in &self.names {
            match written.get(file) {
                Some(other) => fs::hard_link(dir.join(other), dir.join(name)).unwrap(),
                None => fs::write(dir.join(name), &self.files[*file]).unwrap(),
            }
            written.insert(*file, name);
        }
    }

    /// The files by their names, whatever their numbers.
    pub fn by_name(&self) -> BTreeMap<&str, &[u8]> {
        let named = self.names.iter();
        named.map(|(name, file)| (name.as_str(), &self.files[*file][..])).collect()
    }

    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// What is there after the power went when all of `ops` were done.
    pub fn after_crash(&self, ops: &[Op], loss: Loss) -> Disk {
        let mut lasting = Lasting::new(ops, loss);
        let mut disk = self.clone();
        for (at, op) in ops.iter().enumerate() {
            disk.apply(op, at, &mut lasting);
        }
        // What has no name any more is gone.
        let mut named = vec![false; disk.files.len()];
        disk.names.values().for_each(|file| named[*file] = true);
        for (file, _) in disk.files.iter_mut().zip(named).filter(|(_, named)| !named) {
            file.clear();
        }
        disk
    }

    /// Does what lasts of an op.
    pub fn apply(&mut self, op: &Op, at: usize, lasting: &mut Lasting) {
        match op {
            Op::Create { name, file } => {
                self.files.resize(self.files.len().max(file + 1), Vec::new());
                if lasting.name(at) {
                    self.names.insert(name.clone(), *file);
                }
            }
            Op::Link { file, name } if lasting.name(at) => {
                self.names.insert(name.clone(), *file);
            }
            Op::Rename { from, to } if lasting.name(at) => {
                let file = self.names[from];
                // Two names of one file are left alone.
                if self.names.get(to) != Some(&file) {
                    self.names.remove(from);
                    self.names.insert(to.clone(), file);
                }
            }
            Op::Unlink { name } if lasting.name(at) => {
                self.names.remove(name);
            }
            Op::Resize { file, len } if lasting.length(*file, at) => {
                self.files[*file].resize(*len, 0);
            }
            Op::Write { file, offset, bytes } => {
                let contents = &mut self.files[*file];
                let sector = offset / lasting.sector * lasting.sector;
                if *offset == contents.len() && lasting.tears(*file, at) {
                    contents[sector..].fill(0);
                }
                if offset + bytes.len() > contents.len() && lasting.length(*file, at) {
                    contents.resize(offset + bytes.len(), 0);
                }
                let end = contents.len().min(offset + bytes.len());
                let mut from = *offset;
                while from < end {
                    let sector = from / lasting.sector;
                    let to = end.min((sector + 1) * lasting.sector);
                    if lasting.content(*file, sector, at) {
                        contents[from..to]
                            .copy_from_slice(&bytes[from - offset..to - offset]);
                    }
                    from = to;
                }
            }
            _ => {}
        }
    }
}

/// The writes of which nobody made sure that they are on the disk.
pub fn unsynced(ops: &[Op]) -> Vec<usize> {
    let lasting = Lasting::new(ops, Loss::Everything);
    let is_write = |at: &usize| match &ops[*at] {
        Op::Write { file, .. } => *at >= lasting.synced(*file),
        _ => false,
    };
    (0..ops.len()).filter(is_write).collect()
}

/// Up to which op everything lasts.
pub struct Lasting {
    loss: Loss,
    ops: usize,
    random: fastrand::Rng,
    /// Bytes that a disk writes at a time.
    sector: usize,
    /// How many of eight things that were not synced last.
    share: u8,
    names: usize,
    files: HashMap<usize, usize>,
    everything: usize,
    lengths: HashMap<usize, usize>,
    sectors: HashMap<(usize, usize), usize>,
    dropped: Vec<Dropped>,
    /// When each sector was written last.
    written: HashMap<(usize, usize), usize>,
}

/// What the kernel let go of when a sync failed.
struct Dropped {
    /// When that was.
    at: usize,
    begun: usize,
    /// `None` for all files.
    file: Option<usize>,
    /// Up to where each file was synced before.
    files: HashMap<usize, usize>,
    everything: usize,
}

impl Dropped {
    fn has(&self, file: usize, at: usize) -> bool {
        let synced = self.files.get(&file).copied().unwrap_or(0).max(self.everything);
        self.file.is_none_or(|one| one == file) && (synced..self.begun).contains(&at)
    }
}

impl Lasting {
    pub fn new(ops: &[Op], loss: Loss) -> Lasting {
        let seed = if let Loss::Some(seed) = loss { seed } else { 0 };
        let mut random = fastrand::Rng::with_seed(seed);
        let mut synced = Lasting {
            loss,
            ops: ops.len(),
            sector: if random.bool() { 512 } else { 4096 },
            share: random.u8(1..8),
            random,
            names: 0,
            files: HashMap::new(),
            everything: 0,
            lengths: HashMap::new(),
            sectors: HashMap::new(),
            dropped: Vec::new(),
            written: HashMap::new(),
        };
        for (at, op) in ops.iter().enumerate() {
            if let Op::Write { file, offset, bytes } = op {
                let end = offset + bytes.len().max(1) - 1;
                for sector in offset / synced.sector..=end / synced.sector {
                    synced.written.insert((*file, sector), at);
                }
            }
            if let Op::SyncFailed { what, begun } = op {
                let file = match what {
                    Synced::File(file) => Some(*file),
                    Synced::Everything => None,
                    // Names are in a journal, which lasts or stops the file system.
                    Synced::Names => continue,
                };
                let (files, everything) = (synced.files.clone(), synced.everything);
                let dropped = Dropped { at, begun: *begun, file, files, everything };
                synced.dropped.push(dropped);
            }
            let Op::Sync { what, begun } = op else { continue };
            let upto = match what {
                Synced::File(file) => synced.files.entry(*file).or_default(),
                Synced::Names => &mut synced.names,
                Synced::Everything => &mut synced.everything,
            };
            *upto = (*upto).max(*begun);
        }
        synced.names = synced.names.max(synced.everything);
        synced.names = match loss {
            Loss::Everything | Loss::Names | Loss::Only(_) => synced.names,
            Loss::Some(_) => synced.some(synced.names),
            _ => synced.ops,
        };
        synced
    }

    /// A moment since the last sync.
    fn some(&mut self, synced: usize) -> usize {
        match self.random.u8(0..8) {
            0 => self.random.usize(synced..=self.ops),
            dice if dice < self.share => self.ops,
            _ => synced,
        }
    }

    fn synced(&self, file: usize) -> usize {
        self.files.get(&file).map_or(self.everything, |upto| self.everything.max(*upto))
    }

    fn name(&self, at: usize) -> bool {
        at < self.names
    }

    fn length(&mut self, file: usize, at: usize) -> bool {
        let synced = self.synced(file);
        let upto = match (self.loss, self.lengths.get(&file)) {
            (_, Some(upto)) => *upto,
            (Loss::Everything | Loss::Lengths, _) => synced,
            (Loss::Some(_), None) => self.some(synced),
            (Loss::Only(only), _) => return at < synced || at == only,
            _ => self.ops,
        };
        self.lengths.insert(file, upto);
        at < upto
    }

    fn tears(&self, file: usize, at: usize) -> bool {
        matches!(self.loss, Loss::Torn) && at >= self.synced(file)
    }

    /// Whether that was let go of, and the sector not written again later, with what
    /// the kernel still had of it.
    fn is_dropped(&self, file: usize, sector: usize, at: usize) -> bool {
        let last = self.written.get(&(file, sector)).copied().unwrap_or(0);
        self.dropped.iter().any(|dropped| dropped.has(file, at) && last < dropped.at)
    }

    fn content(&mut self, file: usize, sector: usize, at: usize) -> bool {
        if self.is_dropped(file, sector, at) {
            return false;
        }
        let synced = self.synced(file);
        let upto = match (self.loss, self.sectors.get(&(file, sector))) {
            (_, Some(upto)) => *upto,
            (Loss::Everything | Loss::Lengths | Loss::Contents | Loss::Torn, _) => synced,
            (Loss::Some(_), None) => self.some(synced),
            (Loss::Without(without), _) => return at < synced || at != without,
            (Loss::Only(only), _) => return at < synced || at == only,
            _ => self.ops,
        };
        self.sectors.insert((file, sector), upto);
        at < upto
    }
}
