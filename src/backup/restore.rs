//! Putting copies back: into an empty folder, a directory of PHPTimeSeries or
//! PHPFina, or that of a database.
//!
//! ```text
//! Restore ── which feeds; looks at all targets before the first is written
//!  ├─ rows ── reads a copy, checked against the catalog or row by row
//!  └─ sql ── the statements that make tables of what was put back
//! ```
//!
//! A feed is written whole under a name of its own, synced, and only then given
//! its name ([`Restore::prepare`], [`Prepared::publish`]); what a server has to
//! be told before and after is in [`Statements`].

mod rows;
mod sql;

use self::rows::{Cells, Rows, Vouched, demand_phptimeseries};
use self::sql::{create, indexes_of_sdi, quoted, usual_indexes};
use super::catalog::{Catalog, Ending, Entry, Generation, Kind};
use super::copy::no_directory;
use super::destination::LOCK_FILE;
use super::fina;
use super::folder::{Folder, same_file};
use super::generation::{content, dated_definitions};
use super::hash::{Hash, hash};
use super::held::{Partial, Place, dated, parse};
use super::options::{FeedName, RunOptions, demand_sensible};
use super::source::DefinitionFile;
use crate::error::{Error, Result, Status};
use crate::myisam::{Definition, Layout};
use rustix::fs::Stat;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

pub use self::rows::Tail;
pub use self::sql::name_of_files;

/// Which feeds are put back, and how.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// What the names of feed tables begin with; a number follows.
    pub prefix: String,
    /// If there are any, only feeds that one of them matches, as in
    /// [`RunOptions`].
    pub only: Vec<String>,
    /// Feeds that one of these matches are left out.
    pub exclude: Vec<String>,
    /// An earlier state, of one feed.
    pub generation: Option<i64>,
    /// Whether what is there may be overwritten.
    pub force: bool,
    /// Whether a copy is taken that is not what was written.
    pub accept_damaged: bool,
    /// The database whose directory the target is; if none, that is found out.
    pub database: Option<String>,
    /// Whether the caller has [`Statements::before`] executed.
    pub executes: bool,
    /// Whether no server has the tables open that are to be overwritten.
    pub flushed: bool,
    /// Read and check everything, write nothing.
    pub dry_run: bool,
}

impl Default for RestoreOptions {
    fn default() -> RestoreOptions {
        RestoreOptions {
            prefix: "feed_".into(),
            only: Vec::new(),
            exclude: Vec::new(),
            generation: None,
            force: false,
            accept_damaged: false,
            database: None,
            executes: false,
            flushed: false,
            dry_run: false,
        }
    }
}

/// What a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A folder: files as the copies are.
    Folder,
    /// The directory of a database of that name.
    Database(String),
    /// A directory of PHPTimeSeries.
    PhpTimeSeries,
    /// A directory of PHPFina.
    PhpFina,
}

/// What a server is told about one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// Before its files are exchanged.
    pub before: Vec<String>,
    /// After it.
    pub after: Vec<String>,
    /// Asks for the number of rows, which is to be [`Restored::live`].
    pub count: String,
    /// Asks for the checksum, which is to be one of [`Restored::checksums`].
    pub checksum: String,
}

/// What was put back of a feed.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The state that was taken; `None` without catalog.
    pub generation: Option<i64>,
    /// Rows written, deleted ones included.
    pub rows: u64,
    /// Rows that count.
    pub live: u64,
    /// Slots of deleted rows.
    pub deleted: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// What `CHECKSUM TABLE … EXTENDED` gives: without the bytes of columns
    /// that are NULL (MariaDB), and with them.
    pub checksums: (u32, u32),
    /// What was cut off.
    pub tail: Tail,
    /// Blocks that are not what the catalog has, and were taken all the same.
    pub damaged_blocks: u64,
    /// Rows that no table can have, left out.
    pub left_out: u64,
    /// Whether something was there, which is overwritten.
    pub replaced: bool,
    /// Whether an index was there without its table, which is removed.
    pub stale_index: bool,
    /// Whether its definition is put back, too.
    pub definition: bool,
    /// User and group that the files should have and could not be given.
    pub owner: Option<(u32, u32)>,
    /// What to tell the server.
    pub statements: Option<Statements>,
}

/// A state of a feed that can be put back.
#[derive(Clone, Debug)]
pub struct State {
    /// Its number.
    pub number: i64,
    /// When the run began that ended it, Unix seconds; `None` for the current
    /// one.
    pub ended: Option<i64>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// Why it ended.
    pub reason: String,
}

/// Copies to be put back.
pub struct Restore {
    from: Folder,
    /// `None` if it is not made yet.
    to: Option<Folder>,
    path: PathBuf,
    target: Target,
    catalog: Option<Catalog>,
    entries: HashMap<String, Entry>,
    /// Generations a run that was killed had begun to end.
    begun: HashMap<String, Vec<Generation>>,
    feeds: Vec<FeedName>,
    left_out: u64,
    options: RestoreOptions,
    rights: Option<Stat>,
    /// Whether the target is of a server that has no use for `.frm`.
    mysql_8: bool,
    _lock: Option<File>,
}

/// A destination that is looked at.
struct Copies {
    folder: Folder,
    catalog: Option<Catalog>,
    entries: HashMap<String, Entry>,
    lock: Option<File>,
    feeds: BTreeSet<FeedName>,
}

/// Where a feed's rows and its definition are.
struct Source {
    rows: Rows,
    /// Its length in bytes, without catalog.
    len: u64,
    generation: Option<i64>,
    /// What wrote it, if that is known.
    kind: Option<Kind>,
    definition: Option<DefinitionFile>,
}

/// What is at the target already.
struct There {
    /// Files of the feed that would be overwritten.
    names: Vec<OsString>,
    index: bool,
    /// Whether a server knows it.
    is_table: bool,
    /// Bytes of rows.
    bytes: u64,
    /// Whether it is a table without rows.
    is_empty: bool,
}

impl Copies {
    fn open(path: &Path, options: &RestoreOptions) -> Result<Copies> {
        let wanted = RunOptions {
            prefix: options.prefix.clone(),
            only: options.only.clone(),
            exclude: options.exclude.clone(),
            ..RunOptions::default()
        };
        demand_sensible(&wanted)?;
        let folder = Folder::open(path)?.ok_or_else(|| no_directory(path))?;
        let lock_name = OsStr::new(LOCK_FILE);
        let lock = folder.share_lock(lock_name)?.ok_or_else(|| {
            Error::new(Status::Locked, "a run is writing to these copies right now")
                .at(&folder.join(lock_name))
        })?;
        let catalog = match Catalog::open_read_only(&folder) {
            Err(error) if options.accept_damaged && error.status() == Status::Catalog => {
                None
            }
            opened => opened?,
        };
        let (entries, names) = match &catalog {
            Some(catalog) => {
                let entries = catalog.entries()?;
                let names = entries.keys().map(OsString::from).collect();
                (entries, names)
            }
            None => (HashMap::new(), folder.names()?),
        };
        let all: BTreeSet<FeedName> = names
            .iter()
            .filter_map(|name| FeedName::of_file(name.to_str()?, &options.prefix))
            .collect();
        if all.is_empty() {
            return Err(nothing_here(&folder, path, &options.prefix)?);
        }
        let feeds: BTreeSet<_> =
            all.into_iter().filter(|feed| feed.is_selected(&wanted)).collect();
        if feeds.is_empty() {
            let why = "there are feeds here, but none that was asked for";
            return Err(Error::new(Status::NotFound, why).at(path));
        }
        Ok(Copies { folder, catalog, entries, lock, feeds })
    }
}

/// The states that are kept of each feed, the current one last.
pub fn kept_states(
    copies: &Path,
    options: &RestoreOptions,
) -> Result<Vec<(FeedName, Vec<State>)>> {
    let copies_path = copies;
    let Copies { catalog, entries, feeds, .. } = Copies::open(copies, options)?;
    let Some(catalog) = catalog else {
        return Err(no_states().at(copies_path));
    };
    let mut all = Vec::new();
    for feed in feeds {
        let Some(entry) = entries.get(feed.file()) else { continue };
        let mut states = Vec::new();
        for one in catalog.generations(entry.id)? {
            states.push(State {
                number: one.number,
                ended: catalog.began(one.run)?,
                ending: Some(one.ending),
                rows: one.rows,
                bytes: one.rows * one.stride,
                reason: one.reason,
            });
        }
        states.push(State {
            number: entry.generation,
            ended: None,
            ending: None,
            rows: entry.rows,
            bytes: entry.len(),
            reason: String::new(),
        });
        all.push((feed, states));
    }
    Ok(all)
}

fn no_states() -> Error {
    Error::new(
        Status::Argument,
        "there is no catalog here (emonfeed.sqlite), so no earlier state is known",
    )
}

/// Says what a directory without copies is.
fn nothing_here(folder: &Folder, path: &Path, prefix: &str) -> Result<Error> {
    let mut with_copies = Vec::new();
    for name in folder.names()? {
        let below = path.join(&name);
        if name.as_bytes().starts_with(b".") || !below.is_dir() {
            continue;
        }
        if Folder::open(&below)?
            .is_some_and(|below| matches!(Catalog::is_in(&below), Ok(true)))
        {
            with_copies.push(below.display().to_string());
        }
    }
    with_copies.sort();
    let why = if with_copies.is_empty() {
        format!("there are no copies of feeds here ({prefix}<number>.MYD, <number>.dat)")
    } else {
        format!(
            "the copies of several sources are below this directory: name one of {}",
            with_copies.join(", ")
        )
    };
    Ok(Error::new(Status::NotFound, why).at(path))
}

impl Restore {
    /// Looks at the copies and at the target, which is made later if its parent
    /// exists. Fails if nothing can be put back at all.
    pub fn open(
        copies: &Path,
        target: &Path,
        options: RestoreOptions,
    ) -> Result<Restore> {
        let Copies { folder: from, catalog, entries, lock, feeds } =
            Copies::open(copies, &options)?;
        let to = Folder::open(target)?;
        match &to {
            Some(to) => demand_no_data_directory(to, target)?,
            None => demand_parent(target)?,
        }
        let kind = match &to {
            Some(to) => {
                if same_file(&from.identity()?, &to.identity()?) {
                    let why = "copies and target are the same directory";
                    return Err(Error::new(Status::Argument, why).at(target));
                }
                if Catalog::is_in(to)? {
                    let why = "this is a directory of copies (it has a catalog), which only \
                               `emonfeed backup` writes to";
                    return Err(Error::new(Status::Destination, why).at(target));
                }
                kind_of(to, target, &options)?
            }
            None => match &options.database {
                Some(_) => return Err(no_directory(target)),
                None => Target::Folder,
            },
        };
        let all = feeds.len() as u64;
        let feeds: Vec<FeedName> = feeds
            .into_iter()
            .filter(|feed| {
                let is_fina = feed.file().ends_with(".dat");
                match kind {
                    Target::Folder => true,
                    Target::Database(_) | Target::PhpTimeSeries => !is_fina,
                    Target::PhpFina => is_fina,
                }
            })
            .collect();
        if feeds.is_empty() {
            let what = match kind {
                Target::PhpFina => "a directory of PHPFina, and the copies are of others",
                Target::Database(_) => {
                    "the directory of a database, and the copies are PHPFina's"
                }
                _ => "a directory of PHPTimeSeries, and the copies are PHPFina's",
            };
            return Err(
                Error::new(Status::Argument, format!("this is {what}")).at(target)
            );
        }
        if options.generation.is_some() {
            if catalog.is_none() {
                return Err(no_states().at(copies));
            }
            if feeds.len() != 1 {
                return Err(Error::new(
                    Status::Argument,
                    format!(
                        "generations are counted for each feed by itself: with --generation, \
                         name one feed (--only), not {}",
                        feeds.len()
                    ),
                ));
            }
        }
        let mut begun: HashMap<String, Vec<Generation>> = HashMap::new();
        if let Some(catalog) = &catalog {
            for (name, generation) in catalog.pending()? {
                begun.entry(name).or_default().push(generation);
            }
        }
        let rights = to.as_ref().map(rights).transpose()?;
        let mysql_8 = to.as_ref().map_or(Ok(false), is_of_mysql_8)?;
        Ok(Restore {
            from,
            to,
            path: target.to_owned(),
            target: kind,
            catalog,
            entries,
            begun,
            left_out: all - feeds.len() as u64,
            feeds,
            options,
            rights,
            mysql_8,
            _lock: lock,
        })
    }

    /// The feeds, by number.
    pub fn feeds(&self) -> &[FeedName] {
        &self.feeds
    }

    /// Feeds of other kinds than the target's, which are left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What the target is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether there is a catalog that vouches for the copies.
    pub fn has_catalog(&self) -> bool {
        self.catalog.is_some()
    }

    /// Why feeds cannot be written where they belong. If there is any reason,
    /// nothing is to be written.
    pub fn conflicts(&self) -> Result<Vec<(FeedName, Error)>> {
        let mut conflicts = Vec::new();
        // What is overwritten makes room, once the new file is whole.
        let (mut more, mut largest) = (0_i64, 0);
        for feed in &self.feeds {
            match self.demand_free(feed) {
                Ok((bytes, old)) => {
                    more =
                        more.saturating_add_unsigned(bytes).saturating_sub_unsigned(old);
                    largest = bytes.max(largest);
                }
                Err(error) => conflicts.push((feed.clone(), error)),
            }
        }
        if let Some(to) = &self.to {
            let free = to.free_bytes()?;
            let needed = more.max(0).unsigned_abs().max(largest);
            if needed > free {
                return Err(Error::new(
                    Status::Io,
                    format!(
                        "the feeds take {needed} bytes, and only {free} are free here"
                    ),
                )
                .at(&self.path));
            }
        }
        Ok(conflicts)
    }

    /// Fails if a feed would overwrite what it may not; how many bytes of rows
    /// it takes, and how many are there.
    fn demand_free(&self, feed: &FeedName) -> Result<(u64, u64)> {
        let bytes = match self.entries.get(feed.file()) {
            Some(entry) => entry.len(),
            None => {
                let name = OsStr::new(feed.file());
                let stat = self.from.stat(name)?;
                stat.map_or(0, |stat| stat.st_size.unsigned_abs())
            }
        };
        let there = self.there(feed)?;
        let Some(first) = there.names.first() else { return Ok((bytes, 0)) };
        let is_made_for_it = there.is_empty && self.makes_table(&self.source(feed)?);
        if self.options.force || is_made_for_it {
            return Ok((bytes, there.bytes));
        }
        Err(Error::new(
            Status::Destination,
            "this is there already, and is overwritten only with --force",
        )
        .at(&self.path.join(first)))
    }

    /// The statements that have to be executed before anything is written, and
    /// nobody has said that they were.
    pub fn to_be_done_first(&self) -> Result<Vec<String>> {
        if !matches!(self.target, Target::Database(_)) || self.options.executes {
            return Ok(Vec::new());
        }
        let mut statements = Vec::new();
        for feed in &self.feeds {
            let there = self.there(feed)?;
            let source = self.source(feed)?;
            let makes = self.makes_table(&source) && !there.is_table;
            if makes || !there.names.is_empty() && !self.options.flushed {
                let (definition, _) = self.definition(feed, &source)?;
                statements.extend(self.before(
                    feed,
                    &there,
                    definition.as_ref(),
                    &source,
                )?);
            }
        }
        Ok(statements)
    }

    /// What is at the place of a feed; fails if it is no file.
    fn there(&self, feed: &FeedName) -> Result<There> {
        let mut there = There {
            names: vec![],
            index: false,
            is_table: false,
            bytes: 0,
            is_empty: false,
        };
        let Some(to) = &self.to else { return Ok(there) };
        let place = Place { folder: to, name: OsStr::new(feed.file()) };
        let mut names = vec![place.name.to_owned()];
        if feed.file().ends_with(".dat") {
            names.push(place.sibling(OsStr::new(".meta")));
        } else {
            names.push(place.sibling(OsStr::new(".frm")));
            names
                .extend(place.sdi_suffixes()?.iter().map(|suffix| place.sibling(suffix)));
        }
        for (number, name) in names.into_iter().enumerate() {
            if let Some(stat) = to.stat(&name)? {
                to.demand_regular(&name, &stat)?;
                if number == 0 {
                    there.bytes = stat.st_size.unsigned_abs();
                }
                there.names.push(name);
            }
        }
        for engine in [".ibd", ".MAD", ".MAI"] {
            let name = place.sibling(OsStr::new(engine));
            if to.stat(&name)?.is_some() {
                let why = "there is a table of this name of another storage engine: drop it first";
                return Err(Error::new(Status::Engine, why).at(&to.join(&name)));
            }
        }
        let index = place.sibling(OsStr::new(".MYI"));
        if let Some(stat) = to.stat(&index)? {
            to.demand_regular(&index, &stat)?;
            there.index = true;
        }
        let has_definition = there.names.iter().any(|name| name != place.name);
        there.is_table = there.index && has_definition;
        there.is_empty = there.is_table && there.bytes == 0;
        Ok(there)
    }

    /// Whether a feed's table is made by a statement: its copy has no `.frm`
    /// that the server could take.
    fn makes_table(&self, source: &Source) -> bool {
        let has_frm =
            source.definition.as_ref().is_some_and(|file| file.suffix == ".frm");
        matches!(self.target, Target::Database(_)) && (self.mysql_8 || !has_frm)
    }

    /// Where the state of a feed is that is wanted.
    fn source(&self, feed: &FeedName) -> Result<Source> {
        let name = OsStr::new(feed.file());
        let (Some(catalog), Some(entry)) = (&self.catalog, self.entries.get(feed.file()))
        else {
            return self.bare_source(name);
        };
        let number = self.options.generation;
        let Some(mut found) = content(catalog, feed.file(), entry, number)? else {
            let kept: Vec<_> = catalog
                .generations(entry.id)?
                .iter()
                .map(|generation| generation.number.to_string())
                .collect();
            return Err(Error::new(
                Status::NotFound,
                format!(
                    "generation {} of this feed is not kept; the current one is {}{}",
                    number.unwrap_or(0),
                    entry.generation,
                    if kept.is_empty() {
                        ", and there is no other".to_owned()
                    } else {
                        format!(", and earlier ones are {}", kept.join(", "))
                    }
                ),
            )
            .at(&self.from.join(name)));
        };
        let mut begun = Cells::new();
        let of_feed = self.begun.get(feed.file()).map_or(&[][..], Vec::as_slice);
        for generation in of_feed.iter().filter(|_| found.number == entry.file) {
            match &generation.stamp {
                Some(stamp) => {
                    let kept = dated(name, stamp, 0);
                    if self.from.stat(&kept)?.is_some() {
                        (found.file, found.stamp) = (kept, Some(stamp.clone()));
                        found.definition = generation.definition;
                    }
                }
                None => {
                    begun.extend(catalog.overwritten(entry.id, generation.number)?);
                }
            }
        }
        let file_rows = if found.number == entry.file {
            entry.rows
        } else {
            let replaced = |one: &&Generation| {
                one.file == found.number && one.ending == Ending::Replaced
            };
            let generations = catalog.generations(entry.id)?;
            generations.iter().find(replaced).map_or(found.rows, |one| one.rows)
        };
        let definition = match found.definition {
            Some(hash) => {
                self.catalogued_definition(name, hash, found.stamp.as_deref())?
            }
            None => None,
        };
        let opened = self.from.open_file(&found.file, false)?;
        let path = self.from.join(&found.file);
        let opened = opened.ok_or_else(|| {
            Error::new(Status::NotFound, "the catalog tells of this copy, and it is gone")
                .at(&path)
        })?;
        let hashes = match catalog.hashes(entry.id, found.number, file_rows) {
            Err(_) if self.options.accept_damaged => Vec::new(),
            hashes => hashes?,
        };
        Ok(Source {
            rows: Rows {
                file: opened.file,
                path,
                stride: found.stride,
                count: found.rows.min(file_rows),
                vouched: Some(Vouched {
                    hashes,
                    rows: file_rows,
                    begun,
                    since: found.cells,
                }),
            },
            len: 0,
            generation: Some(number.unwrap_or(entry.generation)),
            kind: Some(entry.kind),
            definition,
        })
    }

    /// The definition of a state that the catalog knows, by its hash.
    fn catalogued_definition(
        &self,
        name: &OsStr,
        hashed: Hash,
        stamp: Option<&str>,
    ) -> Result<Option<DefinitionFile>> {
        let place = Place { folder: &self.from, name };
        let stem = place.sibling(OsStr::new("")).len();
        let suffix =
            |name: &OsStr| OsStr::from_bytes(&name.as_bytes()[stem..]).to_owned();
        let mut there = match stamp {
            Some(stamp) => dated_definitions(&self.from, name, stamp)?,
            None => Vec::new(),
        };
        // It may have been the same one.
        let own = place.definition_suffixes()?;
        there.extend(own.iter().map(|own| (place.sibling(own), place.sibling(own))));
        let mut last = None;
        for (kept, definition) in there {
            if let Some(bytes) = place.read_definition(&suffix(&kept))? {
                let is_it = hash(&bytes) == hashed;
                let file = DefinitionFile { suffix: suffix(&definition), bytes };
                if is_it {
                    return Ok(Some(file));
                }
                last.get_or_insert(file);
            }
        }
        let what = match &last {
            Some(_) => "its definition is not the one that was written there",
            None => "its definition is gone",
        };
        if self.options.accept_damaged {
            return Ok(last);
        }
        Err(Error::new(
            Status::Damaged,
            format!("the copy is damaged: {what}; --accept-damaged takes what is there"),
        )
        .at(&self.from.join(name)))
    }

    /// A feed in a folder without catalog.
    fn bare_source(&self, name: &OsStr) -> Result<Source> {
        let place = Place { folder: &self.from, name };
        let gone = || Error::new(Status::NotFound, "it is gone").at(&place.path());
        let opened = self.from.open_file(name, false)?.ok_or_else(gone)?;
        let mut definition = None;
        for suffix in place.definition_suffixes()? {
            if let Some(bytes) = place.read_definition(&suffix)? {
                definition = Some(DefinitionFile { suffix, bytes });
                break;
            }
        }
        let is_fina = Path::new(name).extension() == Some(OsStr::new("dat"));
        if is_fina && definition.is_none() {
            return Err(Error::new(
                Status::MissingDefinition,
                "there is no .meta beside it, so nothing says when its values were measured",
            )
            .at(&place.path()));
        }
        Ok(Source {
            rows: Rows {
                file: opened.file,
                path: place.path(),
                stride: if is_fina { fina::STRIDE } else { 9 },
                count: 0,
                vouched: None,
            },
            len: opened.stat.st_size.unsigned_abs(),
            generation: None,
            kind: None,
            definition,
        })
    }

    /// The definition of a feed's rows, as the copy or the table that was made
    /// for it has it, or as its rows are; and how they lie. None for PHPFina.
    fn definition(
        &self,
        feed: &FeedName,
        source: &Source,
    ) -> Result<(Option<Definition>, Option<Layout>)> {
        if feed.file().ends_with(".dat") {
            return Ok((None, None));
        }
        let stride = source.rows.stride as usize;
        let is_vouched = source.rows.vouched.is_some();
        let layout = |definition: &Definition| {
            if is_vouched {
                Layout::of_rows(definition, stride)
            } else {
                Layout::of_copy(definition)
            }
        };
        let at = |error: Error| error.at(&source.rows.path);
        let len = if is_vouched { source.rows.count * 9 } else { source.len };
        let (guess, is_sure) = source.rows.guess(len)?;
        let guessed = Layout::of_copy(&guess)?;
        // With other columns, values would be taken for NULL, or the other way.
        let fits = |layout: &Layout| {
            is_vouched
                || !is_sure
                || layout.stride() != 9
                || layout.nullable_columns() == guessed.nullable_columns()
        };
        let other = |whose: &str| {
            Error::new(
                Status::Damaged,
                format!(
                    "its rows are of a table {} of whose columns may be NULL, which {whose} \
                     is not",
                    guessed.nullable_columns()
                ),
            )
            .at(&source.rows.path)
        };
        if let Some(file) = &source.definition {
            let definition = parse(file).map_err(at)?;
            let layout = layout(&definition).map_err(at)?;
            if !fits(&layout) {
                return Err(other("the definition beside it"));
            }
            return Ok((Some(definition), Some(layout)));
        }
        if let Some(definition) = self.table_there(feed)? {
            if let Ok(layout) = layout(&definition) {
                if !fits(&layout) {
                    return Err(other("the table that is there"));
                }
                return Ok((Some(definition), Some(layout)));
            }
        }
        if stride != 9 {
            return Err(Error::new(
                Status::MissingDefinition,
                format!(
                    "nothing beside this copy says what its rows of {stride} bytes mean; \
                     CREATE TABLE it first as it was"
                ),
            )
            .at(&source.rows.path));
        }
        Ok((Some(guess), Some(guessed)))
    }

    /// The definition of the table that is at the target.
    fn table_there(&self, feed: &FeedName) -> Result<Option<Definition>> {
        let (Target::Database(_), Some(to)) = (&self.target, &self.to) else {
            return Ok(None);
        };
        let place = Place { folder: to, name: OsStr::new(feed.file()) };
        for suffix in place.definition_suffixes()? {
            if let Some(bytes) = place.read_definition(&suffix)? {
                return parse(&DefinitionFile { suffix, bytes }).map(Some);
            }
        }
        Ok(None)
    }

    fn table(&self, feed: &FeedName) -> String {
        let table = name_of_files(feed.table()).unwrap_or_else(|| feed.table().into());
        match &self.target {
            Target::Database(database) => {
                format!("{}.{}", quoted(database), quoted(&table))
            }
            _ => quoted(&table),
        }
    }

    /// What is to be executed before a feed's files are exchanged.
    fn before(
        &self,
        feed: &FeedName,
        there: &There,
        definition: Option<&Definition>,
        source: &Source,
    ) -> Result<Vec<String>> {
        let table = self.table(feed);
        let flush = format!("FLUSH TABLES {table}");
        let mut statements = Vec::new();
        if self.makes_table(source) && !there.is_table {
            if let Some(definition) = definition {
                let indexes = match &source.definition {
                    Some(file) if file.suffix != ".frm" => indexes_of_sdi(&file.bytes)?,
                    _ => usual_indexes(),
                };
                statements.push(create(&table, definition, &indexes));
                statements.push(flush);
            }
        } else if !there.names.is_empty() {
            statements.push(flush);
        }
        Ok(statements)
    }

    /// Reads and checks a copy, and writes it whole under a name of its own.
    /// `progress` is told the bytes of each block; if it answers `false`, this
    /// stops, leaves nothing and answers `None`.
    pub fn prepare(
        &self,
        feed: &FeedName,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Prepared<'_>>> {
        let mut source = self.source(feed)?;
        let (definition, layout) = self.definition(feed, &source)?;
        let mut tail = Tail::default();
        if source.rows.vouched.is_none() {
            if let Some(layout) = &layout {
                source.rows.stride = layout.stride() as u64;
            }
            tail = source.rows.cut_tail(layout.as_ref(), source.len)?;
        }
        let there = self.there(feed)?;
        let makes_table = self.makes_table(&source);
        if makes_table && there.is_table {
            self.demand_fits(feed, source.rows.stride as usize, layout.as_ref())?;
        }
        let before = self.before(feed, &there, definition.as_ref(), &source)?;

        let name = OsString::from(feed.file());
        let to = self.to.as_ref().filter(|_| !self.options.dry_run);
        let partial = to.map(|to| Partial::create(to, &name)).transpose()?;
        let (mut stopped, mut written, mut last_time) = (false, 0, 0);
        let stride = source.rows.stride;
        // What it wrote itself, it can read.
        let for_phptimeseries = self.target == Target::PhpTimeSeries
            && source.kind != Some(Kind::PhpTimeSeries);
        if for_phptimeseries && stride != 9 {
            return Err(Error::new(
                Status::Argument,
                format!(
                    "PHPTimeSeries cannot hold this feed as it is: its rows have {stride} bytes, \
                     not 9; it is restored into a database, or converted by \
                     `emonfeed convert`"
                ),
            )
            .at(&source.rows.path));
        }
        let read =
            source.rows.read(layout.as_ref(), self.options.accept_damaged, &mut |rows| {
                if for_phptimeseries {
                    demand_phptimeseries(rows, written / stride, &mut last_time)?;
                }
                if let Some(partial) = &partial {
                    let done = partial.file.write_all_at(rows, written);
                    done.map_err(|e| Error::io("write", &partial.path(), e))?;
                }
                written += rows.len() as u64;
                if !progress(rows.len() as u64) {
                    stopped = true;
                    return Err(Error::new(Status::Changed, "stopped"));
                }
                Ok(())
            });
        if stopped {
            return Ok(None);
        }
        let tally = read.map_err(|error| error.at(&source.rows.path))?;
        let mut owner = None;
        if let Some(partial) = &partial {
            owner = self.finish(partial)?;
        }
        // Rows without definition stay so: only a database needs one.
        let places_definition = match (&self.target, &source.definition) {
            (Target::PhpTimeSeries, _) => None,
            (Target::Database(_), _) if makes_table => None,
            (_, definition) => definition.as_ref(),
        };
        let mut beside = None;
        if let (Some(file), Some(to)) = (places_definition, to) {
            let place = Place { folder: to, name: &name };
            let name = place.sibling(&file.suffix);
            let partial = Partial::filled(to, &name, &file.bytes)?;
            self.finish(&partial)?;
            beside = Some((name, partial));
        }
        // A reader would take one that stays for the definition of these rows.
        let mut outdated = there.names.clone();
        outdated.retain(|there| {
            *there != name && beside.as_ref().is_none_or(|(name, _)| there != name)
        });
        if matches!(self.target, Target::Database(_)) {
            outdated.clear();
        }
        let table = self.table(feed);
        let repair = if makes_table { "" } else { " USE_FRM" };
        let statements = matches!(self.target, Target::Database(_)).then(|| Statements {
            before,
            after: vec![
                format!("FLUSH TABLES {table}"),
                format!("REPAIR TABLE {table}{repair}"),
                format!("CHECK TABLE {table} EXTENDED"),
            ],
            count: format!("SELECT COUNT(*) FROM {table}"),
            checksum: format!("CHECKSUM TABLE {table} EXTENDED"),
        });
        let restored = Restored {
            generation: source.generation,
            rows: tally.rows,
            live: tally.live,
            deleted: tally.deleted,
            bytes: tally.rows * stride,
            checksums: tally.checksums,
            tail,
            damaged_blocks: tally.damaged_blocks,
            left_out: tally.left_out,
            replaced: !there.names.is_empty() && !there.is_empty,
            stale_index: there.names.is_empty() && there.index,
            definition: places_definition.is_some(),
            owner,
            statements,
        };
        Ok(Some(Prepared {
            to,
            name,
            rows: partial,
            definition: beside,
            outdated,
            // A table that is repaired by its own index keeps that.
            removes_index: !makes_table,
            replaces: self.options.force || makes_table,
            restored,
        }))
    }

    /// Fails unless the table that is there has the columns of the rows.
    fn demand_fits(
        &self,
        feed: &FeedName,
        stride: usize,
        layout: Option<&Layout>,
    ) -> Result<()> {
        let there = self.table_there(feed)?;
        let fits = there.is_some_and(|there| {
            Layout::of_rows(&there, stride).ok().as_ref() == layout
                && Layout::of_copy(&there).map_or(true, |there| there.stride() == stride)
        });
        if fits {
            return Ok(());
        }
        Err(Error::new(
            Status::Destination,
            "the table that is there has other columns than the copy: drop it first",
        )
        .at(&self.path.join(feed.file())))
    }

    /// Gives a file the owner and the rights that files have there, and puts it
    /// on the disk; the owner, if it could not have him.
    fn finish(&self, partial: &Partial) -> Result<Option<(u32, u32)>> {
        match &self.rights {
            Some(rights) => partial.finish(rights),
            None => partial.sync().map(|()| None),
        }
    }

    /// Makes the target if it is not there.
    pub fn make_target(&mut self) -> Result<()> {
        if self.to.is_some() || self.options.dry_run {
            return Ok(());
        }
        // The readings of a household are nobody else's business.
        const OWNER_ONLY: u32 = 0o700;
        DirBuilder::new()
            .mode(OWNER_ONLY)
            .create(&self.path)
            .map_err(|e| Error::io("make the directory", &self.path, e))?;
        let to = Folder::open(&self.path)?.ok_or_else(|| no_directory(&self.path))?;
        self.rights = Some(rights(&to)?);
        self.to = Some(to);
        Ok(())
    }
}

/// A feed that is written whole, under names of its own; they are removed
/// unless it is published.
pub struct Prepared<'r> {
    to: Option<&'r Folder>,
    name: OsString,
    rows: Option<Partial<'r>>,
    definition: Option<(OsString, Partial<'r>)>,
    outdated: Vec<OsString>,
    removes_index: bool,
    replaces: bool,
    restored: Restored,
}

impl Prepared<'_> {
    /// What will have been put back.
    pub fn restored(&self) -> &Restored {
        &self.restored
    }

    /// Gives the files their names. [`Statements::before`] must have been
    /// executed.
    pub fn publish(self) -> Result<Restored> {
        let (Some(to), Some(rows)) = (self.to, self.rows) else {
            return Ok(self.restored);
        };
        if self.removes_index {
            // An index of other rows would have the server overwrite these.
            let place = Place { folder: to, name: &self.name };
            to.remove(&place.sibling(OsStr::new(".MYI")))?;
        }
        for name in &self.outdated {
            to.remove(name)?;
        }
        let publish = |name: &OsStr, mut partial: Partial| {
            if self.replaces {
                return partial.publish(name);
            }
            if partial.publish_new(name)? {
                return Ok(());
            }
            let why = "somebody put this there meanwhile";
            Err(Error::new(Status::Changed, why).at(&to.join(name)))
        };
        match self.definition {
            // Rows alone would be taken for a feed of PHPTimeSeries, should this be
            // cut short; a definition alone for nothing.
            Some((name, definition)) if !self.replaces => {
                publish(&name, definition)?;
                if let Err(error) = publish(&self.name, rows) {
                    let _ = to.remove(&name);
                    return Err(error);
                }
            }
            definition => {
                publish(&self.name, rows)?;
                if let Some((name, definition)) = definition {
                    publish(&name, definition)?;
                }
            }
        }
        to.sync()?;
        Ok(self.restored)
    }
}

fn demand_parent(target: &Path) -> Result<()> {
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = Folder::open(parent)?.ok_or_else(|| no_directory(parent))?;
    if !has_servers_files(&folder)? {
        return Ok(());
    }
    let why = "there is no such database yet: CREATE DATABASE makes its directory";
    Err(Error::new(Status::NotFound, why).at(target))
}

fn demand_no_data_directory(folder: &Folder, path: &Path) -> Result<()> {
    if !has_servers_files(folder)? {
        return Ok(());
    }
    let why = "this is a server's whole data directory: name a database's in it";
    Err(Error::new(Status::Argument, why).at(path))
}

/// Files that a server has beside the directories of its databases.
const SERVERS_FILES: [&str; 3] = ["ibdata1", "aria_log_control", "mysql.ibd"];

pub(crate) fn has_servers_files(folder: &Folder) -> Result<bool> {
    for name in SERVERS_FILES {
        if folder.stat(OsStr::new(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a server of MySQL 8 keeps tables here, which has no use for `.frm`.
fn is_of_mysql_8(folder: &Folder) -> Result<bool> {
    if folder.stat(OsStr::new("db.opt"))?.is_some() {
        return Ok(false);
    }
    if folder.names()?.iter().any(|name| name.as_bytes().ends_with(b".frm")) {
        return Ok(false);
    }
    Ok(!folder.sdi_names()?.is_empty()
        || folder.through_descriptor().join("../mysql.ibd").exists())
}

fn kind_of(to: &Folder, path: &Path, options: &RestoreOptions) -> Result<Target> {
    let names = to.names()?;
    let ends = |suffix: &str| {
        names.iter().any(|name| name.as_bytes().ends_with(suffix.as_bytes()))
    };
    let real = std::fs::canonicalize(to.through_descriptor())
        .or_else(|_| std::fs::canonicalize(path))
        .map_err(|e| Error::io("inspect", path, e))?;
    let own_name = real.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = |name: &str| real.with_file_name(name).exists();
    let is_database = names.iter().any(|name| name == "db.opt")
        || ends(".MYI")
        || ends(".sdi")
        || SERVERS_FILES.iter().any(|name| beside(name));
    if let Some(database) = &options.database {
        return Ok(Target::Database(database.clone()));
    }
    if is_database {
        return name_of_files(own_name).filter(|name| !name.is_empty()).map_or_else(
            || {
                let why =
                    "this directory's name tells of no database: name it with --database";
                Err(Error::new(Status::Argument, why).at(path))
            },
            |name| Ok(Target::Database(name)),
        );
    }
    let is_feed = |suffix: &str| {
        names.iter().any(|name| {
            let feed = name.to_str().and_then(|n| FeedName::of_file(n, &options.prefix));
            feed.is_some_and(|feed| feed.file().ends_with(suffix))
        })
    };
    let is_called = |name: &str| own_name.eq_ignore_ascii_case(name);
    // Its rows begin with F9. Others without definition are copies of tables.
    let has_its_rows = || {
        names.iter().any(|name| {
            let is_myd = name.as_bytes().ends_with(b".MYD");
            let opened =
                if is_myd { to.open_file(name, false).ok().flatten() } else { None };
            let mut flag = [0];
            opened.is_some_and(|opened| {
                opened.file.read_exact_at(&mut flag, 0).is_ok() && flag == [0xf9]
            })
        })
    };
    Ok(if is_called("phpfina") || is_feed(".dat") && !is_feed(".MYD") {
        Target::PhpFina
    } else if is_called("phptimeseries")
        || is_feed(".MYD") && !ends(".frm") && has_its_rows()
    {
        Target::PhpTimeSeries
    } else {
        Target::Folder
    })
}

/// The owner and the mode that files in a directory get: its owner; the mode of
/// one that is there already.
pub(crate) fn rights(to: &Folder) -> Result<Stat> {
    let mut rights = to.identity()?;
    let names = to.names()?;
    let is_database = names.iter().any(|name| name == "db.opt");
    let mut mode = if is_database { 0o660 } else { rights.st_mode & 0o666 };
    for name in &names {
        let extension = Path::new(name).extension().and_then(OsStr::to_str);
        if !matches!(extension, Some("MYD" | "dat")) {
            continue;
        }
        if let Some(stat) = to.stat(name)? {
            if to.demand_regular(name, &stat).is_ok() {
                mode = stat.st_mode & 0o666;
                break;
            }
        }
    }
    rights.st_mode = mode;
    Ok(rights)
}
