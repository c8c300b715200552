//! What a run is told: which feeds, and how.

use super::copy::no_directory;
use super::folder::Folder;
use crate::error::{Error, Result, Status};
use crate::feed::Paths;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// Which feeds a run copies, and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// What the names of feed tables begin with; a number follows.
    pub prefix: String,
    /// If there are any, only feeds that one of them matches are copied: a
    /// feed's number, a range of numbers (`1-50`), or its table's name, with
    /// `*` and `?` as in a shell.
    pub only: Vec<String>,
    /// Feeds that one of these matches are left out.
    pub exclude: Vec<String>,
    /// Only find out what would be done.
    pub dry_run: bool,
    /// How much of what the copies hold is compared besides their ends.
    pub recheck: Recheck,
    /// How many old states are kept of each feed: so many files that were
    /// replaced, so many edits, and so many of its last row.
    pub keep: u64,
    /// Remove the copies of feeds that the source does not have any more.
    pub delete: bool,
    /// Remove none if it were more than so many.
    pub max_delete: u64,
    /// Bytes of rows to write per second at most.
    pub bytes_per_second: Option<u64>,
    /// Leave out feeds with more bytes of rows.
    pub max_size: Option<u64>,
    /// Whether the destination may be on the source's device.
    pub same_device: bool,
    /// Refuse a destination that is on the device of the root directory, or below
    /// a directory for which `/etc/fstab` names a disk, if that is not mounted.
    pub require_mount: bool,
    /// Whether the destination may belong to another user.
    pub trust_owner: bool,
    /// How many feeds are looked at at a time, each by a thread of its own. 1
    /// starts no thread, as suits a program that forks.
    pub threads: usize,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            prefix: "feed_".into(),
            only: Vec::new(),
            exclude: Vec::new(),
            dry_run: false,
            recheck: Recheck::Share(30),
            keep: 3,
            delete: false,
            max_delete: 10,
            bytes_per_second: None,
            max_size: None,
            same_device: false,
            require_mount: false,
            trust_owner: false,
            threads: 1,
        }
    }
}

/// How much of what the copies hold a run compares with the source, beyond what
/// it compares always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// Nothing.
    None,
    /// Another one of so many shares on each run.
    Share(u32),
    /// Everything.
    All,
}

impl std::str::FromStr for Recheck {
    type Err = String;

    fn from_str(text: &str) -> Result<Recheck, String> {
        let share = || text.strip_prefix("1/")?.parse::<u32>().ok().filter(|n| *n > 0);
        match text {
            "all" | "1/1" => Ok(Recheck::All),
            "none" => Ok(Recheck::None),
            _ => share().map(Recheck::Share).ok_or_else(|| {
                "this is `all`, `none`, or a share such as 1/30".to_owned()
            }),
        }
    }
}

/// `500k`, `2M`, `1.5G` or a plain number, to bytes.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'g' | 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let bytes = number.parse::<f64>().map_or(f64::NAN, |number| number * factor);
    if (1.0..=1e15).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err("this is a number of bytes, such as 800000, 500k or 1.5M".into())
    }
}

impl RunOptions {
    /// Turns on an option that is yes or no, by the name it has in the command.
    pub fn turn_on(&mut self, name: &str) -> Result<()> {
        const FLAGS: [&str; 5] =
            ["delete", "dry-run", "require-mount", "same-device", "trust-owner"];
        if FLAGS.contains(&name) {
            return self.set(name, "1");
        }
        // An unknown one is refused as such.
        self.clone().set(name, "").and_then(|()| {
            Err(Error::new(Status::Argument, format!("the option {name} needs a value")))
        })
    }

    /// Sets one option from text, by the name it has in the command
    /// (`max-size`), for C and PHP. `only` and `exclude` add to what was said
    /// before, and take several, with commas between. An option that is yes or
    /// no takes `1` and `0`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let wrong = |why: &str| {
            Error::new(
                Status::Argument,
                format!("the option {name} cannot be {value:?}: {why}"),
            )
        };
        let number = || {
            value.parse::<u64>().map_err(|_| wrong("this is a whole number, 0 or more"))
        };
        let bytes = || parse_bytes(value).map_err(|why| wrong(&why));
        let yes = || match value {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(wrong("this is 1 or 0")),
        };
        // Empty words are found out when all is said: they would match nothing.
        let list = || value.split(',').map(|one| one.trim().to_owned());
        match name {
            "prefix" => self.prefix = value.to_owned(),
            "only" => self.only.extend(list()),
            // To leave out nothing is fine.
            "exclude" if value.is_empty() => {}
            "exclude" => self.exclude.extend(list()),
            "dry-run" => self.dry_run = yes()?,
            "recheck" => {
                self.recheck = value.parse().map_err(|why: String| wrong(&why))?
            }
            "keep" => self.keep = number()?,
            "delete" => self.delete = yes()?,
            "max-delete" => self.max_delete = number()?,
            "bwlimit" => self.bytes_per_second = Some(bytes()?),
            "max-size" => self.max_size = Some(bytes()?),
            "same-device" => self.same_device = yes()?,
            "require-mount" => self.require_mount = yes()?,
            "trust-owner" => self.trust_owner = yes()?,
            _ => {
                return Err(Error::new(
                    Status::Argument,
                    format!("there is no option {name:?}"),
                ));
            }
        }
        Ok(())
    }
}

/// A feed: its number, and the name of the file of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedName {
    file: Arc<str>,
    /// Where in it the number is.
    number: (usize, usize),
}

impl FeedName {
    /// The feed whose rows are in a file of that name, if it is one:
    /// `feed_7.MYD`, `7.dat`.
    pub fn of_file(file: &str, prefix: &str) -> Option<FeedName> {
        let (stem, extension) = file.rsplit_once('.')?;
        match extension {
            "MYD" => Self::of_table(stem, prefix),
            "dat" => is_number(stem)
                .then(|| FeedName { file: file.into(), number: (0, stem.len()) }),
            _ => None,
        }
    }

    /// The feeds of which a directory has a file, whether it can be read or not, in
    /// the order of their numbers.
    pub fn in_directory(directory: &Path, options: &RunOptions) -> Result<Vec<FeedName>> {
        demand_sensible(options)?;
        let folder = Folder::open(directory)?.ok_or_else(|| no_directory(directory))?;
        let names = folder.names()?;
        let of_file = |name: &OsString| feed_of_source(Path::new(name), &options.prefix);
        let feeds: BTreeSet<_> = names.iter().filter_map(of_file).collect();
        Ok(feeds.into_iter().collect())
    }

    /// Its files in a directory.
    pub(super) fn paths(&self, source: &Path) -> Paths {
        let data = source.join(self.file());
        Paths { index: data.with_extension("MYI"), frm: data.with_extension("frm"), data }
    }

    /// Bytes of its rows in a directory; `None` if they are not there.
    pub(super) fn size(&self, source: &Path) -> Option<u64> {
        std::fs::metadata(source.join(self.file())).ok().map(|meta| meta.len())
    }

    /// The feed whose table has that name.
    pub(super) fn of_table(table: &str, prefix: &str) -> Option<FeedName> {
        is_number(table.strip_prefix(prefix)?).then(|| FeedName {
            file: format!("{table}.MYD").into(),
            number: (prefix.len(), table.len()),
        })
    }

    /// The feed's number, as the file's name has it.
    pub fn number(&self) -> &str {
        &self.file[self.number.0..self.number.1]
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.file[..self.number.1]
    }

    /// The name of the file of its rows, and of the copy: `feed_7.MYD`.
    pub fn file(&self) -> &str {
        &self.file
    }

    fn matches(&self, patterns: &[String]) -> bool {
        patterns.iter().any(|pattern| {
            let matches = |text: &str| matches(pattern.as_bytes(), text.as_bytes());
            matches(self.number()) || matches(self.table()) || self.is_within(pattern)
        })
    }

    /// Whether `range` is one of numbers (`1-50`) and holds this one.
    fn is_within(&self, range: &str) -> bool {
        let Some((from, to)) = range.split_once('-') else { return false };
        is_number(from)
            && is_number(to)
            && compare(from, self.number()).is_le()
            && compare(self.number(), to).is_le()
    }

    /// Whether it is one of those that were asked for.
    pub fn is_selected(&self, options: &RunOptions) -> bool {
        (options.only.is_empty() || self.matches(&options.only))
            && !self.matches(&options.exclude)
    }
}

/// By number, however many digits it has.
impl Ord for FeedName {
    fn cmp(&self, other: &FeedName) -> Ordering {
        compare(self.number(), other.number()).then_with(|| self.file.cmp(&other.file))
    }
}

impl PartialOrd for FeedName {
    fn partial_cmp(&self, other: &FeedName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Compares numbers that are too long for any integer type.
fn compare(a: &str, b: &str) -> Ordering {
    let significant =
        |number: &'_ str| number.len() - number.trim_start_matches('0').len();
    let (a, b) = (&a[significant(a)..], &b[significant(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
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

/// Checks what `only` and `exclude` say: a range that runs backwards, or empty
/// words, would silently match nothing.
pub(crate) fn demand_sensible(options: &RunOptions) -> Result<()> {
    let is_odd = |pattern: &&String| {
        pattern.is_empty()
            || pattern.split_once('-').is_some_and(|(from, to)| {
                is_number(from) && is_number(to) && compare(from, to).is_gt()
            })
    };
    match options.only.iter().chain(&options.exclude).find(is_odd) {
        Some(odd) => Err(Error::new(
            Status::Argument,
            format!(
                "no feed can be meant by {odd:?}: give numbers, or ranges such as 1-50"
            ),
        )),
        None => Ok(()),
    }
}

/// Whether a directory's file is one that tells of a feed: not only its rows,
/// for a feed of another storage engine cannot be copied, and that must be
/// said, not passed over.
pub(crate) fn feed_of_source(file: &Path, prefix: &str) -> Option<FeedName> {
    let extension = file.extension()?.to_str()?;
    let stem = file.file_stem()?.to_str()?;
    match extension {
        "MYD" | "MYI" | "frm" | "ibd" | "MAD" | "MAI" => FeedName::of_table(stem, prefix),
        "dat" => FeedName::of_file(file.to_str()?, prefix),
        _ => None,
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
    fn files_are_feeds_by_their_names() {
        let number = |file: &str| {
            FeedName::of_file(file, "feed_").map(|feed| feed.number().to_owned())
        };
        assert_eq!(number("feed_7.MYD").as_deref(), Some("7"));
        assert_eq!(number("12.dat").as_deref(), Some("12"));
        for other in
            ["feed_7.dat", "7.MYD", "7.meta", "feed_7.MYD.20261123T040506Z", ".dat"]
        {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn patterns_match_the_number_or_the_table() {
        let feed = name("feed_127").unwrap();
        for pattern in [
            "127",
            "feed_127",
            "1*",
            "*7",
            "?2?",
            "feed_*",
            "*",
            "**7",
            "1*2*7",
            "127-127",
            "9-1000",
            "0-127",
            "127-99999999999999999999999999",
        ] {
            assert!(feed.matches(&[pattern.to_owned()]), "{pattern}");
        }
        for pattern in [
            "12", "27", "1?", "*8", "", "????", "feed_12", "1*2*8", "FEED_127",
            "128-200", "1-126", "-127", "127-", "200-100",
        ] {
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
    fn options_are_set_from_text() {
        let mut options = RunOptions::default();
        for (name, value) in [
            ("prefix", "f_"),
            ("only", "1, 5-9"),
            ("only", "12"),
            ("keep", "0"),
            ("recheck", "all"),
            ("bwlimit", "1.5M"),
            ("same-device", "1"),
        ] {
            options.set(name, value).unwrap();
        }
        assert_eq!(options.only, ["1", "5-9", "12"]);
        assert_eq!((options.keep, options.recheck), (0, Recheck::All));
        assert_eq!(options.bytes_per_second, Some(1_500_000));
        assert!(options.same_device);
        options.turn_on("delete").unwrap();
        assert!(options.delete);
        for name in ["only", "keep", "prefix", "kep"] {
            let error = RunOptions::default().turn_on(name).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        RunOptions::default().set("exclude", "").unwrap();
        for empty in ["", ",", "1,,2"] {
            let mut options = RunOptions::default();
            options.set("only", empty).unwrap();
            assert!(demand_sensible(&options).is_err(), "{empty}");
        }
        for (name, value) in
            [("keep", "-1"), ("recheck", "1/0"), ("delete", "yes"), ("kep", "3")]
        {
            let error = options.set(name, value).unwrap_err();
            assert_eq!(error.status(), Status::Argument);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn sizes_have_units_of_a_thousand() {
        assert_eq!(parse_bytes("800000"), Ok(800_000));
        assert_eq!(parse_bytes("500k"), Ok(500_000));
        assert_eq!(parse_bytes("1.5M"), Ok(1_500_000));
        assert_eq!(parse_bytes("2G"), Ok(2_000_000_000));
        for bad in ["", "k", "-1", "0", "0.5", "2MB", "1e99", "nan", "inf", "é"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
