//! One run over a directory: every feed table in it, one after the other.

use super::copy::{CopyOptions, copy_as, no_directory};
use super::folder::{Folder, same_file};
use super::report::{CopyReport, Outcome};
use crate::error::{Error, Result, Status};
use crate::feed::{Paths, Retry};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The file in the destination whose lock a run holds.
pub const LOCK_FILE: &str = ".emonfeed.lock";

/// Which feeds a run copies, and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// What the names of feed tables begin with; a number follows.
    pub prefix: String,
    /// If there are any, only feeds that one of them matches are copied: a
    /// feed's number or its table's name, with `*` and `?` as in a shell.
    pub only: Vec<String>,
    /// Feeds that one of these matches are left out.
    pub exclude: Vec<String>,
    /// How each feed is copied.
    pub copy: CopyOptions,
    /// Bytes of rows to write per second at most.
    pub bytes_per_second: Option<u64>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            prefix: "feed_".into(),
            only: Vec::new(),
            exclude: Vec::new(),
            copy: CopyOptions::default(),
            bytes_per_second: None,
        }
    }
}

/// A feed table: its number, and the name before `.MYD`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedName {
    // In this order, so that names sort by number, however many digits it has.
    digits: usize,
    significant: String,
    number: String,
    table: String,
}

impl FeedName {
    fn of_table(table: &str, prefix: &str) -> Option<FeedName> {
        let number = table.strip_prefix(prefix)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = number.trim_start_matches('0');
        Some(FeedName {
            digits: significant.len(),
            significant: significant.to_owned(),
            number: number.to_owned(),
            table: table.to_owned(),
        })
    }

    /// The feed's number, as the table's name has it.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    fn file(&self) -> String {
        format!("{}.MYD", self.table)
    }

    fn matches(&self, patterns: &[String]) -> bool {
        patterns.iter().any(|pattern| {
            let matches = |text: &str| matches(pattern.as_bytes(), text.as_bytes());
            matches(&self.number) || matches(&self.table)
        })
    }

    fn is_selected(&self, options: &RunOptions) -> bool {
        (options.only.is_empty() || self.matches(&options.only))
            && !self.matches(&options.exclude)
    }
}

/// Whether `pattern`, in which `*` stands for any text and `?` for any
/// character, is all of `text`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on from if what follows the last `*` does not match.
    let mut back: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                back = Some((p, t));
                p += 1;
            }
            (Some(b'?'), Some(_)) => (p, t) = (p + 1, t + 1),
            (Some(a), Some(b)) if a == b => (p, t) = (p + 1, t + 1),
            (None, None) => return true,
            _ => match back {
                Some((star, from)) if from < text.len() => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// What a run tells while it works.
#[derive(Debug)]
pub enum Event<'a> {
    /// There are so many feeds to look at.
    Begun {
        /// How many.
        feeds: usize,
        /// Digits the longest of their numbers has.
        longest_number: usize,
    },
    /// So many more bytes of a feed were written.
    Written {
        /// Which feed.
        feed: &'a FeedName,
        /// How many bytes.
        bytes: u64,
    },
    /// A feed is done with.
    Done {
        /// Which feed.
        feed: &'a FeedName,
        /// What was done, or why it was not.
        result: &'a Result<CopyReport>,
        /// How long it took.
        took: Duration,
    },
    /// There is a copy of a feed that the source does not have any more. It
    /// stays.
    SourceGone {
        /// Which feed.
        feed: &'a FeedName,
    },
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Feeds in the source that were asked for.
    pub feeds: u64,
    outcomes: [u64; Outcome::ALL.len()],
    /// Feeds that could not be copied.
    pub failed: u64,
    /// Copies whose source is gone.
    pub source_gone: u64,
    /// Rows written.
    pub rows_copied: u64,
    /// Bytes of rows written.
    pub bytes_copied: u64,
}

impl Summary {
    /// How many copies came out so.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    fn add(&mut self, result: &Result<CopyReport>) {
        match result {
            Ok(report) => {
                self.outcomes[report.outcome as usize] += 1;
                self.rows_copied += report.rows_copied;
                self.bytes_copied += report.bytes_copied;
            }
            Err(_) => self.failed += 1,
        }
    }
}

/// Brings the copies of all feeds of `source` in `destination` up to date. A
/// feed that fails does not stop the others. Fails itself only if nothing
/// could be begun: [`Status::Locked`] means that another run is at work,
/// [`Status::Destination`] that the destination is a server's.
pub fn run(
    source: &Path,
    destination: &Path,
    options: &RunOptions,
    events: &mut dyn FnMut(Event<'_>),
) -> Result<Summary> {
    let from = Folder::open(source)?.ok_or_else(|| no_directory(source))?;
    let feeds = feeds_of_source(&from, options)?;
    if feeds.is_empty() {
        return Err(Error::new(
            Status::NotFound,
            format!(
                "there is no feed here to copy (tables named {}<number>)",
                options.prefix
            ),
        )
        .at(source));
    }
    let mut summary = Summary { feeds: feeds.len() as u64, ..Summary::default() };
    let to = open_destination(destination, options.copy.dry_run)?;
    if let Some(to) = &to {
        if same_file(&from.identity()?, &to.identity()?) {
            return Err(Error::new(
                Status::Argument,
                "source and destination are the same directory",
            )
            .at(destination));
        }
        // Each copy would be refused, too; but a lock file left in a database
        // makes its DROP DATABASE fail.
        if is_database(to, options)? {
            return Err(Error::new(
                Status::Destination,
                "this is the directory of a database server (there is a db.opt, or a feed's \
                 .MYI), no place for copies: are source and destination exchanged?",
            )
            .at(destination));
        }
    }
    let _lock = match &to {
        Some(to) if !options.copy.dry_run => Some(lock(to)?),
        _ => None,
    };
    let longest_number = feeds.iter().map(|feed| feed.number.len()).max().unwrap_or(0);
    events(Event::Begun { feeds: feeds.len(), longest_number });
    let mut pace = options.bytes_per_second.map(Pace::new);
    let mut copy = |feed: &FeedName, events: &mut dyn FnMut(Event<'_>)| {
        let begun = Instant::now();
        let mut progress = |bytes| {
            events(Event::Written { feed, bytes });
            if let Some(pace) = &mut pace {
                pace.wait(bytes);
            }
        };
        let file = feed.file();
        let result = Paths::new(&source.join(&file)).and_then(|paths| {
            copy_as(&paths, to.as_ref(), file.as_ref(), &options.copy, &mut progress)
        });
        (result, begun.elapsed())
    };
    for feed in &feeds {
        let (result, took) = copy(feed, events);
        summary.add(&result);
        events(Event::Done { feed, result: &result, took });
    }
    // A table that is being altered has other names for a moment: what was not
    // in the list may be in the source all the same.
    let mut others = feeds_in(&from, SOURCE_FILES, options)?;
    if let Some(to) = &to {
        others.append(&mut feeds_in(to, COPY_FILES, options)?);
    }
    for feed in others.difference(&feeds) {
        let (result, took) = copy(feed, events);
        if result.as_ref().is_err_and(|e| e.status() == Status::NotFound) {
            summary.source_gone += 1;
            events(Event::SourceGone { feed });
        } else {
            summary.feeds += 1;
            summary.add(&result);
            events(Event::Done { feed, result: &result, took });
        }
    }
    Ok(summary)
}

/// The files that tell of a table. Not only the `.MYD`: a feed of another
/// storage engine cannot be copied, and that must be said, not passed over.
const SOURCE_FILES: &[&str] = &["MYD", "MYI", "frm", "ibd", "MAD", "MAI"];
const COPY_FILES: &[&str] = &["MYD"];

/// The feeds of the source. If there is none, that may be because the only one
/// is being altered.
fn feeds_of_source(from: &Folder, options: &RunOptions) -> Result<BTreeSet<FeedName>> {
    let is_altering = |from: &Folder| {
        Ok(from.names()?.iter().any(|name| name.as_bytes().starts_with(b"#sql-")))
    };
    let mut retry = Retry::new();
    loop {
        let feeds = feeds_in(from, SOURCE_FILES, options)?;
        if !feeds.is_empty() {
            return Ok(feeds);
        }
        if !is_altering(from)? || !retry.wait() {
            // Its end may have come between the two looks.
            return feeds_in(from, SOURCE_FILES, options);
        }
    }
}

/// Whether a server keeps a database, or feeds of any number, in a directory.
fn is_database(folder: &Folder, options: &RunOptions) -> Result<bool> {
    let any = RunOptions { prefix: options.prefix.clone(), ..RunOptions::default() };
    Ok(folder.stat(OsStr::new("db.opt"))?.is_some()
        || !feeds_in(folder, &["MYI"], &any)?.is_empty())
}

fn feeds_in(
    folder: &Folder,
    extensions: &[&str],
    options: &RunOptions,
) -> Result<BTreeSet<FeedName>> {
    let name_of = |file: OsString| {
        let file = Path::new(&file);
        let extension = file.extension()?.to_str()?;
        let table = file.file_stem()?.to_str()?;
        extensions.contains(&extension).then_some(())?;
        FeedName::of_table(table, &options.prefix)
    };
    let names = folder.names()?.into_iter().filter_map(name_of);
    Ok(names.filter(|feed| feed.is_selected(options)).collect())
}

/// Opens the destination, which is made if its parent exists, and not in a dry
/// run.
fn open_destination(path: &Path, dry_run: bool) -> Result<Option<Folder>> {
    if let Some(folder) = Folder::open(path)? {
        return Ok(Some(folder));
    }
    if dry_run {
        return Ok(None);
    }
    // The readings of a household are nobody else's business.
    const OWNER_ONLY: u32 = 0o700;
    DirBuilder::new()
        .mode(OWNER_ONLY)
        .create(path)
        .map_err(|e| Error::io("make the directory", path, e))?;
    Folder::open(path)
}

fn lock(folder: &Folder) -> Result<File> {
    let name = OsStr::from_bytes(LOCK_FILE.as_bytes());
    folder.lock_file(name)?.ok_or_else(|| {
        Error::new(Status::Locked, "another run holds the lock on this destination")
            .at(&folder.join(name))
    })
}

/// Keeps to a number of bytes per second.
struct Pace {
    bytes_per_second: u64,
    begun: Instant,
    bytes: u64,
}

impl Pace {
    fn new(bytes_per_second: u64) -> Pace {
        Pace {
            bytes_per_second: bytes_per_second.max(1),
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// Waits until so many more bytes are due.
    fn wait(&mut self, bytes: u64) {
        /// Time not used is not saved up for longer than this.
        const BURST: Duration = Duration::from_secs(1);
        let due = |bytes: u64| {
            Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
        };
        let elapsed = self.begun.elapsed();
        if elapsed > due(self.bytes) + BURST {
            self.begun = Instant::now();
            self.bytes = 0;
        }
        self.bytes += bytes;
        let ahead = due(self.bytes).saturating_sub(self.begun.elapsed());
        std::thread::sleep(ahead);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> Option<FeedName> {
        FeedName::of_table(table, "feed_")
    }

    #[test]
    fn feeds_are_tables_named_by_number_in_numeric_order() {
        for other in
            ["feed_", "feed_7a", "feed_7 ", "xfeed_7", "feed_-1", "feed_7.MYD", ""]
        {
            assert_eq!(name(other), None, "{other}");
        }
        let tables = ["feed_10", "feed_9", "feed_100", "feed_09", "feed_0", "feed_1"];
        let sorted: BTreeSet<_> = tables.into_iter().filter_map(name).collect();
        let sorted: Vec<_> = sorted.iter().map(FeedName::number).collect();
        assert_eq!(sorted, ["0", "1", "09", "9", "10", "100"]);
        // Longer than any integer type.
        assert!(name("feed_99999999999999999999999999999999999999999999").is_some());
    }

    #[test]
    fn patterns_match_the_number_or_the_table() {
        let feed = name("feed_127").unwrap();
        for pattern in
            ["127", "feed_127", "1*", "*7", "?2?", "feed_*", "*", "**7", "1*2*7"]
        {
            assert!(feed.matches(&[pattern.to_owned()]), "{pattern}");
        }
        for pattern in
            ["12", "27", "1?", "*8", "", "????", "feed_12", "1*2*8", "FEED_127"]
        {
            assert!(!feed.matches(&[pattern.to_owned()]), "{pattern}");
        }
    }

    #[test]
    fn exclude_wins_over_only() {
        let strings =
            |patterns: &[&str]| patterns.iter().map(|&p| p.to_owned()).collect();
        let selected = |only: &[&str], exclude: &[&str]| {
            let options = RunOptions {
                only: strings(only),
                exclude: strings(exclude),
                ..RunOptions::default()
            };
            name("feed_7").unwrap().is_selected(&options)
        };
        assert!(selected(&[], &[]));
        assert!(selected(&["8", "7"], &["70"]));
        assert!(!selected(&["8"], &[]));
        assert!(!selected(&["7"], &["*"]));
    }

    #[test]
    fn the_pace_is_kept() {
        let begun = Instant::now();
        let mut pace = Pace::new(1_000_000);
        for _ in 0..10 {
            pace.wait(10_000);
        }
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(100), "{took:?}");
    }
}
