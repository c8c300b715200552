//! Putting copies back: into an empty folder, a directory of PHPTimeSeries or
//! PHPFina, or that of a database.
//!
//! ```text
//! Restore ── which feeds; looks at all targets before the first is written
//!  ├─ copies ── where the wanted state of a feed is
//!  ├─ target ── what the place is that it is put to, and what is there
//!  ├─ rows ── reads a copy, checked against the catalog or row by row
//!  ├─ sql ── the statements that make tables of what was put back
//!  └─ prepared ── a feed that is written and has not got its name yet
//! ```
//!
//! A feed is written whole under a name of its own, synced, and only then given
//! its name ([`Restore::prepare`], [`Prepared::publish`]); what a server has to
//! be told before and after is in [`Statements`].

mod copies;
mod prepared;
mod rows;
mod sql;
mod target;

use self::copies::{Copies, Source, no_states};
use self::rows::demand_phptimeseries;
use self::sql::{create, indexes_of_sdi, quoted, usual_indexes};
use self::target::{
    There, demand_no_data_directory, demand_parent, is_of_mysql_8, kind_of,
};
use super::catalog::{Catalog, Entry, Generation, Kind};
use super::copy::no_directory;
use super::folder::{Folder, same_file};
use super::held::{Partial, Place, parse};
use super::options::FeedName;
use crate::error::{Error, Result, Status};
use crate::myisam::{Definition, Layout};
use rustix::fs::Stat;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use self::copies::{State, kept_states};
pub use self::prepared::Prepared;
pub use self::rows::Tail;
pub use self::sql::name_of_files;
pub use self::target::Target;
#[cfg(feature = "cli")]
pub(crate) use self::target::has_servers_files;
pub(crate) use self::target::rights;

/// Which feeds are put back, and how.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// What the names of feed tables begin with; a number follows.
    pub prefix: String,
    /// If there are any, only feeds that one of them matches, as in
    /// [`RunOptions`](super::RunOptions).
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

    /// Whether a feed's table is made by a statement: its copy has no `.frm`
    /// that the server could take.
    fn makes_table(&self, source: &Source) -> bool {
        let has_frm =
            source.definition.as_ref().is_some_and(|file| file.suffix == ".frm");
        matches!(self.target, Target::Database(_)) && (self.mysql_8 || !has_frm)
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
}
