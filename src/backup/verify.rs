//! Reading a whole destination: whether the copies are what the catalog says,
//! and what the source has now.
//!
//! Nothing is written, so that it works where nothing can be. A run that was
//! cut short may have left an edit half written, which the next run takes back;
//! here it is taken back in memory.

use super::catalog::{CELL, Catalog, Ending, Entry, Generation, Kind};
use super::destination::LOCK_FILE;
use super::fina;
use super::folder::Folder;
use super::generation::dated_definitions;
use super::hash::{Hash, blocks_in, hash, rows_of, tail_of};
use super::held::{Place, dated};
use super::options::{FeedName, RunOptions, demand_sensible, feed_of_source};
use super::plan::Columns;
use super::source::Input;
use super::status::no_destination;
use crate::error::{Error, Result, Status};
use crate::feed::{Paths, Retry, changed, read_up_to};
use crate::myisam::Layout;
use crate::output::decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// So many ranges are named of each feed, and so many rows written out. All
/// are counted.
const RANGES: usize = 100;
const WRITTEN_OUT: usize = 5;

/// Something that is not as the catalog says.
#[derive(Debug)]
pub struct Damage {
    /// The file, by its name in the destination.
    pub file: String,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum What {
    /// It is not there.
    Missing,
    /// It has fewer rows than the catalog vouches for.
    Short {
        /// Whole rows that it has.
        rows: u64,
        /// Rows that it should have.
        of: u64,
    },
    /// Rows are not those that were copied.
    Rows {
        /// Blocks of rows that are so.
        blocks: u64,
        /// The rows of the first of them, neighbours taken together.
        rows: Vec<Range<u64>>,
    },
    /// The definition is not the one that was copied.
    Definition,
    /// It cannot be read, or the catalog cannot be asked about it.
    Unreadable(Error),
    /// What the catalog says of it makes no sense.
    Catalog(String),
}

impl What {
    /// One word, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            What::Missing => "missing",
            What::Short { .. } => "short",
            What::Rows { .. } => "rows",
            What::Definition => "definition",
            What::Unreadable(error) if error.status() == Status::Catalog => "catalog",
            What::Unreadable(_) => "unreadable",
            What::Catalog(_) => "catalog",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Missing => f.write_str("it is missing"),
            What::Short { rows, of } => {
                write!(f, "it has {rows} rows and should have {of}")
            }
            What::Rows { blocks, rows } => {
                f.write_str("rows are not those that were copied, somewhere in ")?;
                let mut named = 0;
                for (i, rows) in rows.iter().take(WRITTEN_OUT).enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{}-{}", rows.start, rows.end - 1)?;
                    named += blocks_in(rows.end) - rows.start / super::hash::BLOCK;
                }
                if named < *blocks {
                    write!(f, " and {} more blocks", blocks - named)?;
                }
                Ok(())
            }
            What::Definition => f.write_str("it is not the one that was copied"),
            What::Unreadable(error) => write!(f, "{error}"),
            What::Catalog(what) => write!(f, "the catalog is damaged: {what}"),
        }
    }
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it was, Unix seconds; `None` if the row does not count: it is
    /// deleted, or has no time.
    pub time: Option<i64>,
    /// The value; NaN if there is none.
    pub value: f64,
    /// The same of the column `data2` of a histogram.
    pub data2: Option<f64>,
    /// The row as it is.
    pub bytes: Vec<u8>,
}

/// A row that is not the same in the copy and in the source.
#[derive(Clone, Debug)]
pub struct Differing {
    /// Its number, from 0.
    pub row: u64,
    /// As the copy has it.
    pub copy: Reading,
    /// As the source has it.
    pub source: Reading,
}

/// Rows in a row that differ.
#[derive(Clone, Debug)]
pub struct RowRange {
    /// Their numbers, from 0.
    pub rows: Range<u64>,
    /// The times of the first and the last, of the source if it has one there.
    pub times: (Option<i64>, Option<i64>),
}

/// How a copy compares with the source.
#[derive(Debug, Default)]
pub struct Compared {
    /// Rows that both have.
    pub rows: u64,
    /// How many of them differ.
    pub differing: u64,
    /// Which; no more than the first hundred ranges.
    pub ranges: Vec<RowRange>,
    /// The first few of them.
    pub written_out: Vec<Differing>,
    /// Rows that only the source has: it has grown since.
    pub only_source: u64,
    /// Rows that only the copy has.
    pub only_copy: u64,
    /// Whether the source was written to since the copy was brought up to date;
    /// `None` if nothing tells.
    pub written_since: Option<bool>,
}

/// What came of looking at the source.
#[derive(Debug)]
pub enum Comparison {
    /// Rows were compared.
    Rows(Compared),
    /// The table has other columns than the copy.
    OtherColumns,
    /// The source does not have the feed (any more). No fault of the copy.
    SourceGone,
    /// There is no copy of the feed.
    NoCopy,
    /// The source could not be read.
    Failed(Error),
}

/// What was found of one feed.
#[derive(Debug)]
pub struct Checked {
    /// Which feed.
    pub feed: FeedName,
    /// What wrote it, if the catalog knows of it.
    pub kind: Option<Kind>,
    /// Whether the catalog knows of it.
    pub listed: bool,
    /// Rows of the copy.
    pub rows: u64,
    /// Bytes behind them that do not count.
    pub surplus: u64,
    /// Old states that are kept of it.
    pub kept: u64,
    /// Bytes of rows read, old states included.
    pub bytes: u64,
    /// Whether a run was cut short within it; the next takes that back.
    pub pending: bool,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// How it compares with the source, if there is one to compare with.
    pub comparison: Option<Comparison>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_fine(&self) -> bool {
        let agrees = match &self.comparison {
            None | Some(Comparison::SourceGone) => true,
            Some(Comparison::Rows(rows)) => rows.differing == 0 && rows.only_copy == 0,
            Some(_) => false,
        };
        self.damages.is_empty() && agrees
    }
}

/// Looks through a destination, feed by feed.
pub struct Verify {
    folder: Folder,
    catalog: Option<Catalog>,
    catalog_damage: Vec<String>,
    entries: HashMap<String, Entry>,
    pending: HashMap<i64, Generation>,
    source: Option<PathBuf>,
    in_source: BTreeSet<FeedName>,
    next: VecDeque<FeedName>,
    feeds: u64,
    bytes: u64,
    /// Keeps runs away.
    _lock: Option<File>,
}

impl Verify {
    /// Begins to look through a destination, with the source if one is given.
    /// `prefix`, `only` and `exclude` of the options say which feeds. Fails
    /// with [`Status::Locked`] if a run is at work.
    pub fn open(
        destination: &Path,
        source: Option<&Path>,
        options: &RunOptions,
    ) -> Result<Verify> {
        demand_sensible(options)?;
        let folder =
            Folder::open(destination)?.ok_or_else(|| no_destination(destination))?;
        let lock_file = OsStr::new(LOCK_FILE);
        let lock = folder.share_lock(lock_file)?.ok_or_else(|| {
            Error::new(Status::Locked, "a run is at work on this destination")
                .at(&folder.join(lock_file))
        })?;
        let catalog = Catalog::open_read_only(&folder)?;
        let mut feeds = BTreeSet::new();
        let of_file = |name: &str| FeedName::of_file(name, &options.prefix);
        let names = folder.names()?;
        feeds.extend(names.iter().filter_map(|name| of_file(name.to_str()?)));
        drop(names);
        if catalog.is_none() && source.is_none() {
            let why = if feeds.is_empty() {
                "there are no copies here"
            } else {
                "there is no catalog here, so nothing tells what the copies should be: a \
                 run of `emonfeed backup` makes one, and --source compares them without"
            };
            return Err(Error::new(Status::NotFound, why).at(destination));
        }
        let mut entries = HashMap::new();
        let mut pending = HashMap::new();
        let mut catalog_damage = Vec::new();
        if let Some(catalog) = &catalog {
            catalog_damage = catalog.quick_check()?;
            entries = catalog.entries()?;
            for (_, generation) in catalog.pending()? {
                pending.insert(generation.feed, generation);
            }
        }
        feeds.extend(entries.keys().filter_map(|name| of_file(name)));
        let mut in_source = BTreeSet::new();
        if let Some(source) = source {
            let from = Folder::open(source)?.ok_or_else(|| no_destination(source))?;
            let names = from.names()?;
            in_source.extend(
                names
                    .iter()
                    .filter_map(|name| feed_of_source(Path::new(name), &options.prefix)),
            );
            feeds.extend(in_source.iter().cloned());
        }
        let next: VecDeque<_> =
            feeds.into_iter().filter(|feed| feed.is_selected(options)).collect();
        if next.is_empty() && !entries.is_empty() {
            let why = "there are copies here, but none that was asked for";
            return Err(Error::new(Status::NotFound, why).at(destination));
        }
        let bytes =
            next.iter().filter_map(|feed| entries.get(feed.file())).map(Entry::len).sum();
        Ok(Verify {
            folder,
            catalog,
            catalog_damage,
            entries,
            pending,
            source: source.map(Path::to_owned),
            in_source,
            feeds: next.len() as u64,
            next,
            bytes,
            _lock: lock,
        })
    }

    /// Whether there is a catalog to go by.
    pub fn has_catalog(&self) -> bool {
        self.catalog.is_some()
    }

    /// What SQLite finds wrong with the catalog's file.
    pub fn catalog_damage(&self) -> &[String] {
        &self.catalog_damage
    }

    /// How many feeds there are to look at.
    pub fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Digits the longest of their numbers has.
    pub fn longest_number(&self) -> usize {
        self.next.iter().map(|feed| feed.number().len()).max().unwrap_or(0)
    }

    /// Bytes of rows of the current copies, by the catalog.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Looks at the next feed; `None` if that was all. `progress` is told the
    /// bytes of each block read; if it answers `false`, this ends at once, with
    /// `None`.
    pub fn step(
        &mut self,
        progress: &mut dyn FnMut(&FeedName, u64) -> bool,
    ) -> Option<Checked> {
        let feed = self.next.pop_front()?;
        let mut going = true;
        let mut look = Look {
            verify: self,
            place: Place { folder: &self.folder, name: OsStr::new(feed.file()) },
            checked: Checked {
                kind: None,
                listed: false,
                rows: 0,
                surplus: 0,
                kept: 0,
                bytes: 0,
                pending: false,
                damages: Vec::new(),
                comparison: None,
                feed: feed.clone(),
            },
            progress: &mut |bytes| {
                going = going && progress(&feed, bytes);
                going
            },
        };
        look.feed();
        let checked = look.checked;
        going.then_some(checked)
    }
}

/// A look at one feed.
struct Look<'a> {
    verify: &'a Verify,
    place: Place<'a, 'a>,
    checked: Checked,
    progress: &'a mut dyn FnMut(u64) -> bool,
}

/// A file of rows.
struct Held {
    file: File,
    path: PathBuf,
    stride: u64,
    rows: u64,
    /// Rows to be read in the place of what the file has.
    cells: BTreeMap<u64, Vec<u8>>,
}

impl Held {
    /// Rows of the file, of which there must be as many.
    fn read(&self, rows: &Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        into.resize(((rows.end - rows.start) * self.stride) as usize, 0);
        let offset = rows.start * self.stride;
        let have = read_up_to(&self.file, into, offset)
            .map_err(|e| Error::io("read", &self.path, e).at_offset(offset))?;
        if have < into.len() {
            return Err(changed().at(&self.path));
        }
        let cells = self.cells.range(rows.start / CELL..rows.end.div_ceil(CELL));
        for (cell, bytes) in cells {
            let count = bytes.len() as u64 / self.stride;
            let from = (cell * CELL).max(rows.start);
            let to = (cell * CELL + count).min(rows.end);
            if from < to {
                let at = |row: u64, first: u64| ((row - first) * self.stride) as usize;
                into[at(from, rows.start)..at(to, rows.start)]
                    .copy_from_slice(&bytes[at(from, cell * CELL)..at(to, cell * CELL)]);
            }
        }
        Ok(())
    }
}

impl Look<'_> {
    fn damage(&mut self, file: &OsStr, what: What) {
        let file = file.to_string_lossy().into_owned();
        self.checked.damages.push(Damage { file, what });
    }

    fn feed(&mut self) {
        let verify = self.verify;
        let name = self.place.name;
        let entry = verify.entries.get(self.checked.feed.file());
        let held = match (entry, &verify.catalog) {
            (Some(entry), Some(catalog)) => self.listed(entry, catalog),
            _ => self.unlisted().unwrap_or_else(|error| {
                self.damage(name, What::Unreadable(error));
                None
            }),
        };
        let Some(source) = &verify.source else { return };
        let comparison = match held {
            // What there was to say of the copy is said.
            None if !self.checked.damages.is_empty() => return,
            None => Comparison::NoCopy,
            Some(_) if !verify.in_source.contains(&self.checked.feed) => {
                Comparison::SourceGone
            }
            Some(held) => {
                let data = source.join(name);
                let compared = self.compare(&data, &held, entry);
                compared.unwrap_or_else(Comparison::Failed)
            }
        };
        self.checked.comparison = Some(comparison);
    }

    /// Checks a copy that the catalog knows, and what is kept of it; the copy,
    /// if it can be compared with the source.
    fn listed(&mut self, entry: &Entry, catalog: &Catalog) -> Option<Held> {
        let name = self.place.name;
        let folder = self.place.folder;
        (self.checked.kind, self.checked.listed) = (Some(entry.kind), true);
        self.checked.rows = entry.rows;
        let pending = self.verify.pending.get(&entry.id);
        self.checked.pending = pending.is_some();
        // Where the state is that the catalog speaks of.
        let mut file = name.to_owned();
        let mut cells = BTreeMap::new();
        let mut stamp = None;
        match pending.map(|pending| (pending.ending, &pending.stamp, pending.number)) {
            Some((Ending::Replaced, Some(dated_by), _)) => {
                let kept = dated(name, dated_by, 0);
                if folder.stat(&kept).is_ok_and(|stat| stat.is_some()) {
                    file = kept;
                }
                stamp = Some(dated_by);
            }
            Some((_, _, number)) => match catalog.overwritten(entry.id, number) {
                Ok(all) => cells.extend(all),
                Err(error) => self.damage(name, What::Unreadable(error)),
            },
            None => {}
        }
        let hashes = catalog.hashes(entry.id, entry.file, entry.rows);
        let tail = Some(&entry.tail[..]);
        let held = self.rows(&file, entry.stride, entry.rows, cells, hashes, tail, true);
        if let Err(error) = self.definition(entry.kind, entry.definition.as_ref(), stamp)
        {
            self.damage(name, What::Unreadable(error));
        }
        match catalog.generations(entry.id) {
            Ok(generations) => {
                self.checked.kept = generations.len() as u64;
                for generation in generations {
                    self.generation(entry, catalog, &generation);
                }
            }
            Err(error) => self.damage(name, What::Unreadable(error)),
        }
        held
    }

    /// Checks the rows of a file by their hashes; the file, if all that should
    /// be there is there.
    #[allow(clippy::too_many_arguments)] // Two callers, in this file.
    fn rows(
        &mut self,
        name: &OsStr,
        stride: u64,
        rows: u64,
        cells: BTreeMap<u64, Vec<u8>>,
        hashes: Result<Vec<Hash>>,
        tail: Option<&[u8]>,
        is_current: bool,
    ) -> Option<Held> {
        let folder = self.place.folder;
        let opened = match folder.open_file(name, false) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                self.damage(name, What::Missing);
                return None;
            }
            Err(error) => {
                self.damage(name, What::Unreadable(error));
                return None;
            }
        };
        // What is on the disk is asked for, not what is still in memory from
        // when it was written.
        let _ = rustix::fs::fadvise(&opened.file, 0, None, rustix::fs::Advice::DontNeed);
        let _ =
            rustix::fs::fadvise(&opened.file, 0, None, rustix::fs::Advice::Sequential);
        let len = opened.stat.st_size.unsigned_abs();
        let have = (len / stride.max(1)).min(rows);
        if have < rows {
            self.damage(name, What::Short { rows: have, of: rows });
        } else if is_current {
            self.checked.surplus = len - rows * stride;
        }
        let path = folder.join(name);
        let held = Held { file: opened.file, path, stride, rows: have, cells };
        let hashes = match hashes {
            Ok(hashes) => hashes,
            Err(error) => {
                self.damage(name, What::Unreadable(error));
                return Some(held);
            }
        };
        let mut differing: Vec<Range<u64>> = Vec::new();
        let mut count = 0;
        let mut buffer = Vec::new();
        for (block, expected) in (0..).zip(&hashes) {
            let of = rows_of(block, rows);
            if of.end > have {
                break;
            }
            if let Err(error) = held.read(&of, &mut buffer) {
                self.damage(name, What::Unreadable(error));
                return None;
            }
            self.checked.bytes += buffer.len() as u64;
            if hash(&buffer) != *expected {
                count += 1;
                let is_full = differing.len() == RANGES;
                match differing.last_mut() {
                    Some(last) if last.end == of.start => last.end = of.end,
                    _ if !is_full => differing.push(of),
                    _ => {}
                }
            }
            if !(self.progress)(buffer.len() as u64) {
                return None;
            }
        }
        if count > 0 {
            self.damage(name, What::Rows { blocks: count, rows: differing });
        } else if let Some(tail) = tail.filter(|_| have == rows) {
            match held.read(&tail_of(rows), &mut buffer) {
                Ok(()) if hash(&buffer)[..] == *tail => {}
                Ok(()) => {
                    let what = "the hash of its last rows is not that of its blocks";
                    self.damage(name, What::Catalog(what.into()));
                }
                Err(error) => self.damage(name, What::Unreadable(error)),
            }
        }
        Some(held)
    }

    /// Checks a definition: the copy's own, or that of a state before.
    fn definition(
        &mut self,
        kind: Kind,
        expected: Option<&Hash>,
        stamp: Option<&String>,
    ) -> Result<()> {
        let Some(expected) = expected else { return Ok(()) };
        let place = Place { folder: self.place.folder, name: self.place.name };
        let mut found = Vec::new();
        if let Some(stamp) = stamp {
            for (kept, _) in dated_definitions(place.folder, place.name, stamp)? {
                found.push((read_whole(place.folder, &kept)?, kept));
            }
        }
        if found.is_empty() {
            for suffix in place.definition_suffixes()? {
                found.push((place.read_definition(&suffix)?, place.sibling(&suffix)));
            }
        }
        let is_it = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().is_some_and(|bytes| hash(bytes)[..] == expected[..])
        };
        if found.iter().any(|(bytes, _)| is_it(bytes)) {
            return Ok(());
        }
        match found.into_iter().next() {
            Some((_, name)) => self.damage(&name, What::Definition),
            None => {
                let suffix = match kind {
                    Kind::PhpFina => ".meta",
                    _ => ".frm",
                };
                let name = place.sibling(OsStr::new(suffix));
                self.damage(&name, What::Missing);
            }
        }
        Ok(())
    }

    /// Checks an old state: its file, if it has one of its own, or the rows
    /// that the catalog keeps of it.
    fn generation(&mut self, entry: &Entry, catalog: &Catalog, one: &Generation) {
        let name = self.place.name;
        let Some(stamp) = &one.stamp else {
            let sound = |(cell, bytes): &(u64, Vec<u8>)| {
                let rows = bytes.len() as u64 / one.stride.max(1);
                bytes.len() as u64 == rows * one.stride
                    && (1..=CELL).contains(&rows)
                    // It may have been a later state's, and end behind this one's rows.
                    && cell * CELL < one.rows
            };
            let what = match catalog.overwritten(entry.id, one.number) {
                Ok(cells) if cells.iter().all(sound) => return,
                Ok(_) => What::Catalog(format!(
                    "rows kept of its state {} are no rows",
                    one.number
                )),
                Err(error) => What::Unreadable(error),
            };
            return self.damage(name, what);
        };
        let file = dated(name, stamp, 0);
        let hashes = catalog.hashes(entry.id, one.file, one.rows);
        self.rows(&file, one.stride, one.rows, BTreeMap::new(), hashes, None, false);
        let definition =
            self.definition(entry.kind, one.definition.as_ref(), Some(stamp));
        if let Err(error) = definition {
            self.damage(name, What::Unreadable(error));
        }
    }

    /// A copy that the catalog does not know.
    fn unlisted(&mut self) -> Result<Option<Held>> {
        let Some(opened) = self.place.folder.open_file(self.place.name, false)? else {
            return Ok(None);
        };
        let is_dat = Path::new(self.place.name).extension() == Some(OsStr::new("dat"));
        let default =
            if is_dat { fina::STRIDE } else { Layout::bare(true).stride() as u64 };
        let stride = self.place.stride()?.unwrap_or(default);
        let len = opened.stat.st_size.unsigned_abs();
        let rows = len / stride;
        (self.checked.rows, self.checked.surplus) = (rows, len % stride);
        let path = self.place.path();
        Ok(Some(Held { file: opened.file, path, stride, rows, cells: BTreeMap::new() }))
    }

    /// Compares a copy with the source, each block with what the source had at
    /// some moment of this look. What differs is read again until the source
    /// stands still for it.
    fn compare(
        &mut self,
        data: &Path,
        held: &Held,
        entry: Option<&Entry>,
    ) -> Result<Comparison> {
        let paths = Paths::new(&data.with_extension("MYD"))?;
        let mut retry = Retry::new();
        let mut rest: Option<Suspects> = None;
        loop {
            let input = match Input::open(data) {
                Err(e) if retry.waits_out(&e, &paths) => continue,
                input => input?,
            };
            let facts = input.facts();
            if facts.stride != held.stride
                || self.place.columns(&input)? == Columns::Other
            {
                return Ok(Comparison::OtherColumns);
            }
            let common = held.rows.min(facts.rows);
            if rest.as_ref().is_some_and(|rest| rest.common != common) {
                rest = None;
            }
            let round = match self.round(&input, held, common, rest.as_ref()) {
                Err(e) if retry.waits_out(&e, &paths) => {
                    rest = None;
                    continue;
                }
                round => round?,
            };
            let Some((mut compared, suspects)) = round else {
                // Told to stop; nobody asks for the answer.
                return Ok(Comparison::Rows(Compared::default()));
            };
            compared.only_source = facts.rows - common;
            compared.only_copy = held.rows - common;
            compared.written_since = entry.and_then(|entry| {
                let before = entry.token?;
                let now = super::catalog::Token::of(input.header()?);
                Some(
                    before.update_count != now.update_count
                        || before.counted_by.is_some_and(|by| now.counted_by != Some(by))
                        || before.create_time != now.create_time,
                )
            });
            let agrees = suspects.blocks.is_empty() && compared.only_copy == 0;
            let stands_still = agrees
                || input.demand_only_grown().is_ok() && !input.may_be_rewritten()?
                || rest.as_ref() == Some(&suspects) && input.demand_rows(common).is_ok();
            if stands_still {
                return Ok(Comparison::Rows(compared));
            }
            rest = input.demand_rows(common).is_ok().then_some(suspects);
            if !retry.wait() {
                return Err(changed().at(input.path()));
            }
        }
    }

    /// Compares all blocks, or those that differed in the round before. `None`
    /// if it is told to stop.
    fn round(
        &mut self,
        input: &Input,
        held: &Held,
        common: u64,
        only: Option<&Suspects>,
    ) -> Result<Option<(Compared, Suspects)>> {
        let mut compared = Compared { rows: common, ..Compared::default() };
        let mut suspects = Suspects { common, blocks: Vec::new() };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let all = 0..blocks_in(common);
        let blocks: Box<dyn Iterator<Item = u64>> = match only {
            Some(only) => Box::new(only.blocks.iter().map(|(block, _)| *block)),
            None => Box::new(all),
        };
        for block in blocks {
            let rows = rows_of(block, common);
            held.read(&rows, &mut ours)?;
            theirs.resize(ours.len(), 0);
            input.read(rows.start, &mut theirs)?;
            if ours != theirs {
                suspects.blocks.push((block, hash(&theirs)));
                compared.describe(input, held.stride, rows.start, &ours, &theirs);
            }
            // The bytes were told of when they were compared with the catalog.
            if !(self.progress)(0) {
                return Ok(None);
            }
        }
        Ok(Some((compared, suspects)))
    }
}

/// Blocks that differed, each with the hash of what the source had.
#[derive(PartialEq)]
struct Suspects {
    common: u64,
    blocks: Vec<(u64, Hash)>,
}

impl Compared {
    /// Takes in how the rows of a block differ, the first of which is `first`.
    fn describe(
        &mut self,
        input: &Input,
        stride: u64,
        first: u64,
        ours: &[u8],
        theirs: &[u8],
    ) {
        let stride = stride as usize;
        let pairs = ours.chunks_exact(stride).zip(theirs.chunks_exact(stride));
        for (row, (ours, theirs)) in (first..).zip(pairs) {
            if ours == theirs {
                continue;
            }
            self.differing += 1;
            let copy = reading(input, row, ours);
            let source = reading(input, row, theirs);
            let time = source.time.or(copy.time);
            let is_full = self.ranges.len() == RANGES;
            match self.ranges.last_mut() {
                Some(last) if last.rows.end == row => {
                    (last.rows.end, last.times.1) = (row + 1, time);
                }
                _ if !is_full => {
                    let rows = row..row + 1;
                    self.ranges.push(RowRange { rows, times: (time, time) });
                }
                _ => {}
            }
            if self.written_out.len() < WRITTEN_OUT {
                self.written_out.push(Differing { row, copy, source });
            }
        }
    }
}

fn reading(input: &Input, row: u64, bytes: &[u8]) -> Reading {
    let nothing =
        Reading { time: None, value: f64::NAN, data2: None, bytes: bytes.into() };
    if let Some(layout) = input.layout() {
        let is_row = layout.flag_is_valid(bytes[0]);
        return match layout.row(bytes).filter(|_| is_row) {
            Some(one) => Reading {
                time: Some(one.time),
                value: if layout.is_single() { decimal(one.value) } else { one.value },
                data2: layout.is_histogram().then(|| match layout.data2(bytes) {
                    data2 if layout.is_data2_single() => decimal(data2),
                    data2 => data2,
                }),
                ..nothing
            },
            None => nothing,
        };
    }
    let meta = input.definition.as_ref().and_then(|file| fina::Meta::parse(&file.bytes));
    match (meta, <[u8; 4]>::try_from(bytes)) {
        (Some(meta), Ok(value)) => Reading {
            time: Some(meta.time(row)),
            value: decimal(f32::from_le_bytes(value).into()),
            ..nothing
        },
        _ => nothing,
    }
}

/// The bytes of a small file.
fn read_whole(folder: &Folder, name: &OsString) -> Result<Option<Vec<u8>>> {
    let Some(opened) = folder.open_file(name, false)? else { return Ok(None) };
    let len = opened.stat.st_size.unsigned_abs().min(super::source::MAX_DEFINITION);
    let mut bytes = vec![0; len as usize];
    let have = read_up_to(&opened.file, &mut bytes, 0)
        .map_err(|e| Error::io("read", &folder.join(name), e))?;
    bytes.truncate(have);
    Ok(Some(bytes))
}
