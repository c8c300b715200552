//! Summaries kept in a directory, so that a new process need not read all
//! rows of a feed to know their order and what they come to.
//!
//! One file per feed. It is a cache: it is made anew whenever it does not fit
//! what the feed's files say, or is damaged, and may be deleted at any time.
//! It holds, as this machine's 8-byte numbers: [`MAGIC`], a [`Token`], the
//! counts in [`Counts`], the lists of an [`Order`] in turn, and a hash of all
//! before.

use super::growth::{TOKEN_WORDS, Token};
use super::order::{Order, Run};
use super::summary::Summary;
use crate::error::{Error, Result, Status};
use crate::myisam::{BLOCK, TALLYING_WORDS, Tallying};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// What such a file begins with, the version of its format included.
const MAGIC: u64 = u64::from_be_bytes(*b"emonsum1");

/// Reading fewer slots than that is as quick as reading a kept summary.
pub(super) const WORTHWHILE: u64 = 16_384;

/// The numbers in front of the lists.
const COUNTS: usize = 7;
const WORD: usize = 8;
const HASH: usize = 16;

/// Others may not change the files here: they would change answers.
const FOR_OTHERS: u32 = 0o022;

/// The directory. Made if it is missing, in a directory that is there.
fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = match fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => match fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => fs::open(path, flags, Mode::empty()),
            Err(e) => Err(e),
        },
        opened => opened,
    };
    opened.map_err(|e| Error::io("open the directory for summaries", path, e.into()))
}

/// Fails if summaries cannot be kept in the directory at `path` safely.
pub(super) fn check(path: &Path) -> Result<()> {
    let folder = open(path)?;
    let stat = fs::fstat(&folder)
        .map_err(|e| Error::io("inspect the directory for summaries", path, e.into()))?;
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
    Ok(())
}

/// The name of the file for the feed at that path: its own name, for people,
/// and a hash of all of the path.
fn name(feed: &Path) -> Vec<u8> {
    let mut name = Vec::new();
    let stem = feed.file_stem().unwrap_or_default().as_bytes();
    name.extend_from_slice(&stem[..stem.len().min(100)]);
    let hash = xxh3_64(feed.as_os_str().as_bytes());
    name.extend_from_slice(format!("-{hash:016x}.summary").as_bytes());
    name
}

/// What is kept of the feed at that path, in the state of its files then;
/// `None` if nothing is, or nothing that can be trusted.
pub(super) fn load(directory: &Path, feed: &Path) -> Option<(Token, Order)> {
    check(directory).ok()?;
    let folder = open(directory).ok()?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file =
        File::from(fs::openat(&folder, name(feed), flags, Mode::empty()).ok()?);
    let stat = fs::fstat(&file).ok()?;
    let owner = stat.st_uid;
    let is_ours = owner == geteuid().as_raw() || owner == 0;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || !is_ours
        || stat.st_mode & FOR_OTHERS != 0
    {
        return None;
    }
    let mut bytes = Vec::new();
    let size = usize::try_from(stat.st_size).ok()?;
    bytes.try_reserve_exact(size).ok()?;
    Read::by_ref(&mut file).take(size as u64).read_to_end(&mut bytes).ok()?;
    decode(&bytes)
}

/// Keeps what was found out of a feed. That it could not be kept is no fault:
/// a full disk only makes the next process read more.
pub(super) fn save(directory: &Path, feed: &Path, token: &Token, order: &Order) {
    let Some(bytes) = encode(token, order) else { return };
    let Ok(folder) = open(directory) else { return };
    let name = name(feed);
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

/// `None` where memory is short.
fn encode(token: &Token, order: &Order) -> Option<Vec<u8>> {
    let Summary { firsts, runs, counts, sums, mins, maxs, tail } = &order.summary;
    let (has_span, (first, last)) = match order.span {
        Some(span) => (1, span),
        None => (0, (0, 0)),
    };
    let words = 1
        + TOKEN_WORDS
        + COUNTS
        + TALLYING_WORDS
        + 2 * order.runs.len()
        + 2 * firsts.len()
        + 4 * sums.len();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(words * WORD + HASH).ok()?;
    let mut put = |word: u64| bytes.extend_from_slice(&word.to_ne_bytes());
    put(MAGIC);
    token.0.iter().for_each(|&word| put(word));
    let counts_of = [
        order.runs.len() as u64,
        firsts.len() as u64,
        order.len,
        u64::from(order.in_file_order),
        has_span,
        first as u64,
        last as u64,
    ];
    counts_of.into_iter().for_each(&mut put);
    tail.words().into_iter().for_each(&mut put);
    order.runs.iter().for_each(|run| [run.rank, run.row].into_iter().for_each(&mut put));
    firsts.iter().for_each(|&first| put(first as u64));
    runs.iter().for_each(|&run| put(u64::from(run)));
    counts.iter().for_each(|&count| put(u64::from(count)));
    for list in [sums, mins, maxs] {
        list.iter().for_each(|number| put(number.to_bits()));
    }
    let hash = xxh3_128(&bytes);
    bytes.extend_from_slice(&hash.to_ne_bytes());
    Some(bytes)
}

/// Takes numbers from the front of a file.
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

    fn list<T>(&mut self, len: usize, from: impl Fn(u64) -> T) -> Option<Vec<T>> {
        let (list, rest) = self.0.split_at_checked(len.checked_mul(WORD)?)?;
        self.0 = rest;
        let mut out = Vec::new();
        out.try_reserve_exact(len).ok()?;
        let words = list.chunks_exact(WORD).map(|word| {
            from(u64::from_ne_bytes(word.try_into().expect("chunks of eight")))
        });
        out.extend(words);
        Some(out)
    }
}

/// `None` for anything that [`encode`] did not write.
fn decode(bytes: &[u8]) -> Option<(Token, Order)> {
    let (content, hash) = bytes.split_last_chunk::<HASH>()?;
    if xxh3_128(content) != u128::from_ne_bytes(*hash) {
        return None;
    }
    let mut words = Words(content);
    if words.next()? != MAGIC {
        return None;
    }
    let token = Token(words.array()?);
    let [run_count, block_count, len, in_file_order, has_span, first, last] =
        words.array::<COUNTS>()?;
    let tail = Tallying::from_words(words.array()?);
    let run_count = usize::try_from(run_count).ok()?;
    let block_count = usize::try_from(block_count).ok()?;
    let whole = usize::try_from(len / BLOCK as u64).ok()?;
    let numbers = words.list(run_count.checked_mul(2)?, |word| word)?;
    let runs = numbers.chunks_exact(2).map(|run| Run { rank: run[0], row: run[1] });
    let order = Order {
        runs: runs.collect(),
        len,
        in_file_order: in_file_order != 0,
        span: (has_span != 0).then_some((first as i64, last as i64)),
        summary: Summary {
            firsts: words.list(block_count, |word| word as i64)?,
            runs: words.list(block_count, |word| word as u32)?,
            counts: words.list(whole, |word| word as u32)?,
            sums: words.list(whole, f64::from_bits)?,
            mins: words.list(whole, f64::from_bits)?,
            maxs: words.list(whole, f64::from_bits)?,
            tail,
        },
    };
    (words.0.is_empty() && order.fits(token.slots())).then_some((token, order))
}
