//! Summaries kept in a directory, so that a new process need not read all
//! rows of a feed to know their order and what they come to.
//!
//! One file per feed. It is a cache: it is made anew whenever it does not fit
//! what the feed's files say, or is damaged, and may be deleted at any time.
//! It has two parts, each ended by a hash, all numbers as this machine has
//! them. The first is what look-ups need: [`MAGIC`], a [`Token`], some counts,
//! the order, the times of blocks. The second is what the blocks come to, and
//! is read when that is asked for.

use super::growth::{Evidence, TOKEN_WORDS, Token};
use super::order::{Order, Run};
use super::summary::{Lists, Summary, Tallies};
use crate::error::{Error, Result, Status};
use crate::myisam::{BLOCK, TALLYING_WORDS, Tallying};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// What such a file begins with, the version of its format included.
const MAGIC: u64 = u64::from_be_bytes(*b"emonsum1");

/// Reading fewer slots than that is as quick as reading a kept summary.
pub(super) const WORTHWHILE: u64 = 16_384;

/// The numbers in front of the lists.
const COUNTS: usize = 8;
const WORD: usize = 8;
const HALF: usize = 4;
const HASH: usize = 16;
/// Bytes of the counts, the sums, the smallest and the largest of a block.
const LISTED: usize = HALF + 3 * WORD;

/// Others may not change the files here: they would change answers.
const FOR_OTHERS: u32 = 0o022;

/// Fails if summaries cannot be kept in the directory at `path` safely. It is
/// made if it is missing, in a directory that is there.
pub(super) fn check(path: &Path) -> Result<()> {
    open(path).map(drop)
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = match fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => match fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => fs::open(path, flags, Mode::empty()),
            Err(e) => Err(e),
        },
        opened => opened,
    };
    let failed = |e: Errno| Error::io("open the directory for summaries", path, e.into());
    let folder = opened.map_err(failed)?;
    let stat = fs::fstat(&folder).map_err(failed)?;
    let owner = stat.st_uid;
    if (owner != geteuid().as_raw() && owner != 0) || stat.st_mode & FOR_OTHERS != 0 {
        return Err(Error::new(
            Status::Permission,
            "others may write to this directory, and with it change answers: summaries are \
             kept only in one that belongs to this user or root and is writable by nobody \
             else (chmod 700)",
        )
        .at(path));
    }
    Ok(folder)
}

/// The name of the file for the feed at that path: its own name, for people,
/// and a hash of all of the path and of the evidence, as who asks for more
/// must not be given what was found with less.
fn name(feed: &Path, evidence: Evidence) -> Vec<u8> {
    let mut name = Vec::new();
    let stem = feed.file_stem().unwrap_or_default().as_bytes();
    name.extend_from_slice(&stem[..stem.len().min(100)]);
    let hash = xxh3_64(&[feed.as_os_str().as_bytes(), &[0, evidence as u8]].concat());
    name.extend_from_slice(format!("-{hash:016x}.summary").as_bytes());
    name
}

/// What is kept of the feed at that path, in the state of its files then;
/// `None` if nothing is, or nothing that can be trusted.
pub(super) fn load(
    directory: &Path,
    feed: &Path,
    evidence: Evidence,
) -> Option<(Token, Order)> {
    let folder = open(directory).ok()?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = fs::openat(&folder, name(feed, evidence), flags, Mode::empty());
    let file = File::from(opened.ok()?);
    let stat = fs::fstat(&file).ok()?;
    let owner = stat.st_uid;
    let is_ours = owner == geteuid().as_raw() || owner == 0;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || !is_ours
        || stat.st_mode & FOR_OTHERS != 0
    {
        return None;
    }
    let front = read_at(&file, 0, FRONT + HASH)?;
    let front = checked(&front)?;
    let mut words = Words(front);
    if words.next()? != MAGIC {
        return None;
    }
    let token = Token(words.array()?);
    let [run_count, blocks, block_runs, len, in_file_order, has_span, first, last] =
        words.array::<COUNTS>()?;
    let tail = Tallying::from_words(words.array()?);
    let count = |number: u64| usize::try_from(number).ok();
    let (run_count, blocks, block_runs) =
        (count(run_count)?, count(blocks)?, count(block_runs)?);
    let lists = run_count
        .checked_mul(2 * WORD)?
        .checked_add(blocks.checked_add(block_runs)?.checked_mul(HALF)?)?;
    let body = read_at(&file, FRONT + HASH, lists.checked_add(HASH)?)?;
    let mut words = Words(checked(&body)?);
    let numbers = words.list(run_count.checked_mul(2)?, u64::from_ne_bytes)?;
    let runs = numbers.chunks_exact(2).map(|run| Run { rank: run[0], row: run[1] });
    let runs = runs.collect();
    let firsts = words.list(blocks, u32::from_ne_bytes)?;
    let block_runs = words.list(block_runs, u32::from_ne_bytes)?;
    let rest = Rest {
        file,
        from: FRONT + HASH + lists + HASH,
        blocks: count(len / BLOCK as u64)?,
    };
    let tallies = Tallies::Kept {
        rest: Arc::new(rest),
        more: Lists::default(),
        all: OnceLock::new(),
    };
    let order = Order {
        runs,
        len,
        in_file_order: in_file_order != 0,
        span: (has_span != 0).then_some((first as i64, last as i64)),
        summary: Summary { base: first as i64, firsts, runs: block_runs, tallies, tail },
    };
    order.fits(token.slots()).then_some((token, order))
}

/// Bytes before the lists of the first part.
const FRONT: usize = WORD * (1 + TOKEN_WORDS + COUNTS + TALLYING_WORDS);

/// The second part of a kept summary.
#[derive(Debug)]
pub(super) struct Rest {
    file: File,
    from: usize,
    blocks: usize,
}

impl Rest {
    /// `None` if it is damaged.
    pub(super) fn read(&self) -> Option<Lists> {
        let len = self.blocks.checked_mul(LISTED)?.checked_add(HASH)?;
        let bytes = read_at(&self.file, self.from, len)?;
        let mut words = Words(checked(&bytes)?);
        Some(Lists {
            counts: words.list(self.blocks, u32::from_ne_bytes)?,
            sums: words.list(self.blocks, f64::from_ne_bytes)?,
            mins: words.list(self.blocks, f64::from_ne_bytes)?,
            maxs: words.list(self.blocks, f64::from_ne_bytes)?,
        })
    }
}

fn read_at(file: &File, from: usize, len: usize) -> Option<Vec<u8>> {
    // Never more memory than there are bytes, whatever the file says.
    let size = file.metadata().ok()?.len();
    if size < u64::try_from(from.checked_add(len)?).ok()? {
        return None;
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).ok()?;
    bytes.resize(len, 0);
    file.read_exact_at(&mut bytes, from as u64).ok()?;
    Some(bytes)
}

/// What is before the hash, if that is its hash.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (content, hash) = bytes.split_last_chunk::<HASH>()?;
    (xxh3_128(content) == u128::from_ne_bytes(*hash)).then_some(content)
}

/// Keeps what was found out of a feed. That it could not be kept is no fault:
/// a full disk only makes the next process read more.
pub(super) fn save(
    directory: &Path,
    feed: &Path,
    evidence: Evidence,
    token: &Token,
    order: &Order,
) {
    let Some(bytes) = encode(token, order) else { return };
    let Ok(folder) = open(directory) else { return };
    let name = name(feed, evidence);
    let temporary = [&name[..], b".new"].concat();
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::EXCL
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = match fs::openat(&folder, &temporary[..], flags, mode) {
        Ok(file) => file,
        Err(Errno::EXIST) => {
            // Somebody is at it, or was killed at it.
            if is_left_behind(&folder, &temporary) {
                let _ = fs::unlinkat(&folder, &temporary[..], AtFlags::empty());
            }
            return;
        }
        Err(_) => return,
    };
    let written = File::from(file).write_all(&bytes).is_ok()
        && fs::renameat_with(
            &folder,
            &temporary[..],
            &folder,
            &name[..],
            RenameFlags::empty(),
        )
        .is_ok();
    if !written {
        let _ = fs::unlinkat(&folder, &temporary[..], AtFlags::empty());
    }
}

fn is_left_behind(folder: &OwnedFd, name: &[u8]) -> bool {
    const AT_IT: Duration = Duration::from_secs(60);
    let Ok(stat) = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
        return false;
    };
    let written = UNIX_EPOCH + Duration::from_secs(stat.st_mtime.max(0) as u64);
    SystemTime::now().duration_since(written).is_ok_and(|age| age > AT_IT)
}

/// `None` where memory is short, or there is nothing to keep.
fn encode(token: &Token, order: &Order) -> Option<Vec<u8>> {
    let Summary { firsts, runs: block_runs, tallies, tail, .. } = &order.summary;
    let Lists { counts, sums, mins, maxs } = tallies.get()?;
    let (has_span, (first, last)) = match order.span {
        Some(span) => (1, span),
        None => (0, (0, 0)),
    };
    let len = FRONT
        + 2 * WORD * order.runs.len()
        + HALF * (firsts.len() + block_runs.len())
        + LISTED * counts.len()
        + 3 * HASH;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).ok()?;
    let mut words = vec![MAGIC];
    words.extend(token.0);
    words.extend([
        order.runs.len() as u64,
        firsts.len() as u64,
        block_runs.len() as u64,
        order.len,
        u64::from(order.in_file_order),
        has_span,
        first as u64,
        last as u64,
    ]);
    words.extend(tail.words());
    words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    seal(&mut bytes, 0);

    let body = bytes.len();
    for Run { rank, row } in &order.runs {
        bytes.extend(rank.to_ne_bytes());
        bytes.extend(row.to_ne_bytes());
    }
    firsts.iter().chain(block_runs).for_each(|half| bytes.extend(half.to_ne_bytes()));
    seal(&mut bytes, body);

    let rest = bytes.len();
    counts.iter().for_each(|count| bytes.extend(count.to_ne_bytes()));
    for list in [sums, mins, maxs] {
        list.iter().for_each(|number| bytes.extend(number.to_ne_bytes()));
    }
    seal(&mut bytes, rest);
    Some(bytes)
}

/// Appends the hash of all from `from` on.
fn seal(bytes: &mut Vec<u8>, from: usize) {
    let hash = xxh3_128(&bytes[from..]);
    bytes.extend(hash.to_ne_bytes());
}

/// Takes numbers from the front of a part.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk::<WORD>()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*word))
    }

    fn array<const N: usize>(&mut self) -> Option<[u64; N]> {
        let mut words = [0; N];
        for word in &mut words {
            *word = self.next()?;
        }
        Some(words)
    }

    fn list<T, const N: usize>(
        &mut self,
        len: usize,
        from: impl Fn([u8; N]) -> T,
    ) -> Option<Vec<T>> {
        let (list, rest) = self.0.split_at_checked(len.checked_mul(N)?)?;
        self.0 = rest;
        let mut out = Vec::new();
        out.try_reserve_exact(len).ok()?;
        let numbers = list.chunks_exact(N);
        out.extend(numbers.map(|bytes| from(bytes.try_into().expect("chunks of N"))));
        Some(out)
    }
}
