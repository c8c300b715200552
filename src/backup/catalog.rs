//! The catalog of a destination: what each copy held when it was last known to
//! be on the disk. One SQLite file, because that survives a crash at any
//! moment and every administrator can open it.
//!
//! It is written after the rows are synced. Bytes of a copy that it does not
//! vouch for are not there; bytes it has vouched for are overwritten only after
//! it has taken in what they were (`overwritten`), so that whatever stops a
//! run, the state of before can be had again.

use super::folder::{Folder, same_file};
use super::hash::{Hash, blocks_in, hash};
use super::vfs;
use crate::error::{Error, Result, Status};
use crate::myisam::Header;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};
use rustix::fs::Stat;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the catalog's file.
pub const CATALOG_FILE: &str = "emonfeed.sqlite";

/// "emfc", so that `file` and others can tell what it is.
const APPLICATION: i64 = 0x656d_6663;
const VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,       -- Unix seconds
    seconds REAL,                   -- NULL while it runs, or if it was killed
    outcome TEXT,                   -- ok, incomplete, stopped, failed
    feeds INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0,    -- rows written
    bytes INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL,
    message TEXT
);
CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,      -- the copy: feed_7.MYD
    kind TEXT NOT NULL,             -- mysql, phptimeseries, phpfina
    stride INTEGER NOT NULL,        -- bytes per row
    rows INTEGER NOT NULL,          -- rows that are on the disk
    file INTEGER NOT NULL,          -- counts the files the copy has been
    generation INTEGER NOT NULL,    -- counts the states it has been in
    tail BLOB NOT NULL,             -- hash of its last rows
    definition BLOB,                -- hash of its .frm, .sdi or .meta
    last_time INTEGER,              -- of its last reading, Unix seconds
    -- What the head of the source's .MYI said; NULL where it does not count.
    update_count INTEGER, records INTEGER, deleted INTEGER, create_time INTEGER,
    checksum INTEGER,
    device INTEGER, inode INTEGER,  -- of the source's rows
    changed INTEGER,                -- when their file was, by its ctime, in ns: a hint only
    process INTEGER, opened INTEGER -- which open table of which server update_count is of
);
-- The last run that found the copy complete: all of its rows are its source's.
CREATE TABLE seen (feed INTEGER PRIMARY KEY, run INTEGER NOT NULL);
CREATE TABLE failure (name TEXT PRIMARY KEY, run INTEGER NOT NULL, message TEXT NOT NULL)
    WITHOUT ROWID;
-- XXH3-128 of each 8192 rows, 64 to a chunk.
CREATE TABLE hashes (
    feed INTEGER NOT NULL, file INTEGER NOT NULL, chunk INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (feed, file, chunk)
) WITHOUT ROWID;
-- What a copy was before.
CREATE TABLE generation (
    feed INTEGER NOT NULL, number INTEGER NOT NULL,
    kind TEXT NOT NULL,             -- replaced: a file of its own; edited, last-row: overwritten rows
    run INTEGER NOT NULL,           -- which ended it
    file INTEGER NOT NULL,
    stride INTEGER NOT NULL, rows INTEGER NOT NULL,
    stamp TEXT,                     -- what follows the names of its files, of replaced ones
    reason TEXT NOT NULL,
    definition BLOB,                -- hash of the .frm, .sdi or .meta it had
    state TEXT NOT NULL,            -- pending: its end is being written; kept; retired
    PRIMARY KEY (feed, number)
) WITHOUT ROWID;
-- Rows as they were before a generation ended, 32 to a cell.
CREATE TABLE overwritten (
    feed INTEGER NOT NULL, generation INTEGER NOT NULL, cell INTEGER NOT NULL,
    rows BLOB NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (feed, generation, cell)
) WITHOUT ROWID;
CREATE VIEW status AS
    SELECT name, kind, rows * stride AS bytes, rows, generation,
        datetime(last_time, 'unixepoch') AS last_reading,
        (SELECT datetime(started, 'unixepoch') FROM seen JOIN run ON run.id = seen.run
            WHERE seen.feed = feed.id) AS last_success,
        (SELECT message FROM failure WHERE failure.name = feed.name) AS failure
    FROM feed;
";

/// Rows of an [`Overwritten`] cell.
pub(super) const CELL: u64 = 32;
const CHUNK: u64 = 64;
const HASH: usize = size_of::<Hash>();

/// What wrote a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table of MySQL or MariaDB.
    Mysql,
    /// A file of emoncms's PHPTimeSeries.
    PhpTimeSeries,
    /// The files of emoncms's PHPFina.
    PhpFina,
}

impl Kind {
    /// The word for it in the catalog and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Mysql => "mysql",
            Kind::PhpTimeSeries => "phptimeseries",
            Kind::PhpFina => "phpfina",
        }
    }

    fn of(name: &str) -> Kind {
        match name {
            "phptimeseries" => Kind::PhpTimeSeries,
            "phpfina" => Kind::PhpFina,
            _ => Kind::Mysql,
        }
    }
}

/// What the source said when a copy was brought up to date. If it says the same
/// now, nothing was written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub update_count: u32,
    /// The server process, and which of its open tables, whose statements that
    /// counts: each counts its own. `None` in catalogs of before.
    pub counted_by: Option<(u32, u32)>,
    pub records: u64,
    pub deleted: u64,
    pub create_time: u64,
    /// The live checksum, if the table keeps one.
    pub checksum: Option<u32>,
}

impl Token {
    pub(super) fn of(header: &Header) -> Token {
        Token {
            update_count: header.update_count,
            counted_by: Some((header.process, header.unique)),
            records: header.records,
            deleted: header.deleted,
            create_time: header.create_time,
            checksum: header.has_checksum().then_some(header.checksum),
        }
    }
}

/// What the catalog says of a feed.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub id: i64,
    pub kind: Kind,
    pub stride: u64,
    pub rows: u64,
    pub file: i64,
    pub generation: i64,
    pub tail: Hash,
    pub definition: Option<Hash>,
    pub last_time: Option<i64>,
    pub token: Option<Token>,
    /// Device and inode of the source's rows.
    pub identity: (u64, u64),
    /// When their file was written or changed, by its times. That it is another
    /// time is a reason to look, that it is the same is none not to.
    pub changed: i64,
    /// The last run that found it complete.
    pub seen: i64,
}

impl Entry {
    /// Bytes of the copy.
    pub(super) fn len(&self) -> u64 {
        self.rows * self.stride
    }
}

/// What becomes the catalog's of a feed.
#[derive(Debug)]
pub(super) struct Commit {
    pub name: String,
    pub kind: Kind,
    pub stride: u64,
    pub rows: u64,
    pub tail: Hash,
    pub definition: Option<Hash>,
    pub last_time: Option<i64>,
    pub token: Option<Token>,
    pub identity: (u64, u64),
    pub changed: i64,
    /// Blocks that are new or were written anew.
    pub hashes: Vec<(u64, Hash)>,
    /// Whether the copy is another file now.
    pub replaces: bool,
    /// Whether it is so because the old one was lost, with the states that led to
    /// it.
    pub loses: bool,
    /// Whether the generation that [`Catalog::begin_generation`] began to end
    /// has ended.
    pub ends_generation: bool,
    /// Whether it is all of the source: the rest follows otherwise.
    pub complete: bool,
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The copy became another file; the old one is kept.
    Replaced,
    /// Rows were overwritten.
    Edited,
    /// The value of the last row was overwritten.
    LastRow,
}

impl Ending {
    /// The word for it in the catalog and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Replaced => "replaced",
            Ending::Edited => "edited",
            Ending::LastRow => "last-row",
        }
    }

    fn of(name: &str) -> Ending {
        match name {
            "edited" => Ending::Edited,
            "last-row" => Ending::LastRow,
            _ => Ending::Replaced,
        }
    }
}

/// A state a copy was in before.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub feed: i64,
    pub number: i64,
    pub ending: Ending,
    pub run: i64,
    pub file: i64,
    pub stride: u64,
    pub rows: u64,
    pub stamp: Option<String>,
    pub reason: String,
    pub definition: Option<Hash>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(super) struct RunEnd {
    pub seconds: f64,
    pub outcome: &'static str,
    pub feeds: u64,
    pub failed: u64,
    pub rows: u64,
    pub bytes: u64,
    pub message: Option<String>,
}

/// A run that the catalog tells of.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Unix seconds.
    pub started: i64,
    /// How long it took; `None` if it did not end, or has not yet.
    pub seconds: Option<f64>,
    /// `ok`, `incomplete`, `stopped` or `failed`.
    pub outcome: Option<String>,
    /// Feeds in the source.
    pub feeds: u64,
    /// Feeds that could not be copied.
    pub failed: u64,
    /// Bytes of rows written.
    pub bytes: u64,
    /// What the source was.
    pub source: String,
    /// What went wrong.
    pub message: Option<String>,
}

/// An open catalog.
pub(crate) struct Catalog {
    connection: Connection,
    path: PathBuf,
    /// Whether it is that of a run, which nobody else writes to.
    writes: bool,
    /// Whether a run has begun, and that is not on the disk.
    is_beginning: bool,
    /// When the run began that writes it, and its source.
    begun: Option<(i64, String)>,
    /// The directory that the connection's path leads through.
    _folder: Option<Folder>,
}

impl Catalog {
    /// Opens the catalog of a destination to be written; makes it if there is
    /// none.
    pub(super) fn open(folder: &Folder) -> Result<Catalog> {
        let name = OsStr::new(CATALOG_FILE);
        if folder.stat(name)?.is_none() {
            drop(folder.create(name)?);
        }
        let mut catalog = Self::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        catalog.begin()?;
        catalog.writes = true;
        // Else readers are locked out as long as a large commit waits for a sync.
        catalog.on(|db| db.execute_batch("PRAGMA cache_spill = OFF"))?;
        Ok(catalog)
    }

    /// Opens the catalog of a destination to look at it; `None` if there is
    /// none.
    pub(super) fn open_read_only(folder: &Folder) -> Result<Option<Catalog>> {
        if !Self::is_in(folder)? {
            return Ok(None);
        }
        let open = || -> Result<Catalog> {
            let catalog = Self::connect(folder, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            catalog.demand_known()?;
            Ok(catalog)
        };
        match open() {
            Err(e) if e.status() == Status::Catalog => match Self::rolled_back(folder)? {
                Some(catalog) => Ok(Some(catalog)),
                // A run that began meanwhile may have rolled it back.
                None => open().map(Some),
            },
            opened => opened.map(Some),
        }
    }

    /// A run that was killed while it committed leaves a journal, and SQLite
    /// reads nothing before it has rolled that back, which takes the right to
    /// write. So that is done with a copy. `None` if there is no journal, or
    /// another one now.
    fn rolled_back(folder: &Folder) -> Result<Option<Catalog>> {
        let journal = format!("{CATALOG_FILE}-journal");
        let stat = || folder.stat(OsStr::new(&journal));
        let Some(before) = stat()?.filter(|stat| stat.st_size > 0) else {
            return Ok(None);
        };
        let dir = private_dir()?;
        // The catalog first: each page that is overwritten was put into the
        // journal before.
        let copied = [CATALOG_FILE, &journal].iter().try_for_each(|name| {
            let cannot = |e| Error::io("copy to", &dir.join(name), e);
            let Some(opened) = folder.open_file(OsStr::new(name), false)? else {
                return Ok(());
            };
            let mut copy = std::fs::File::create_new(dir.join(name)).map_err(cannot)?;
            std::io::copy(&mut &opened.file, &mut copy).map(drop).map_err(cannot)
        });
        let opened = copied.and_then(|()| {
            let is_same = |now: Stat| {
                same_file(&before, &now)
                    && (before.st_mtime, before.st_mtime_nsec)
                        == (now.st_mtime, now.st_mtime_nsec)
            };
            if !stat()?.is_some_and(is_same) {
                return Ok(None);
            }
            let path = folder.join(OsStr::new(CATALOG_FILE));
            let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
            let catalog = Self::connect_to(&dir.join(CATALOG_FILE), path, access)?;
            // SQLite lets go of what it read, and looks for a journal again before
            // it reads on. By that path there may be another copy's by then.
            catalog.on(|db| db.execute_batch("PRAGMA locking_mode = EXCLUSIVE"))?;
            catalog.demand_known()?;
            catalog.on(|db| db.execute_batch("PRAGMA query_only = ON"))?;
            Ok(Some(catalog))
        });
        // SQLite has it open; nobody else needs to find it.
        let _ = std::fs::remove_dir_all(&dir);
        opened
    }

    /// Whether a directory has a catalog.
    pub(crate) fn is_in(folder: &Folder) -> Result<bool> {
        let stat = folder.stat(OsStr::new(CATALOG_FILE))?;
        // An empty one was being made when that was cut short.
        Ok(stat.is_some_and(|stat| stat.st_size > 0))
    }

    fn connect(folder: &Folder, access: OpenFlags) -> Result<Catalog> {
        let name = OsStr::new(CATALOG_FILE);
        let path = folder.join(name);
        for suffix in ["", "-journal"] {
            folder.demand_own(OsStr::new(&format!("{CATALOG_FILE}{suffix}")))?;
        }
        // SQLite opens by path: by one that leads through a descriptor, which has to
        // stay as long as the catalog is open.
        let held = folder.try_clone()?;
        let mut access = access;
        if held.is_reached_by_descriptor() {
            // There is no other link in it, so one there is the file itself.
            access |= OpenFlags::SQLITE_OPEN_NOFOLLOW;
        }
        let through = held.through_descriptor().join(name);
        let catalog = Self::connect_to(&through, path, access)?;
        Ok(Catalog { _folder: Some(held), ..catalog })
    }

    fn connect_to(through: &Path, path: PathBuf, access: OpenFlags) -> Result<Catalog> {
        vfs::be_careful();
        let connection = Connection::open_with_flags(
            through,
            access | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|e| error(&path, &e))?;
        let catalog = Catalog {
            connection,
            path,
            writes: false,
            is_beginning: false,
            begun: None,
            _folder: None,
        };
        catalog.on(|db| {
            db.busy_timeout(Duration::from_secs(10))?;
            // `EXTRA`: the removal of the journal is on the disk, too.
            // `secure_delete`: readings that are deleted are overwritten.
            db.execute_batch(
                "PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;
                 PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4000;",
            )
        })?;
        Ok(catalog)
    }

    fn begin(&mut self) -> Result<()> {
        let schema: i64 =
            self.on(|db| db.query_row("PRAGMA schema_version", [], |row| row.get(0)))?;
        if schema == 0 {
            self.write(|db| {
                db.execute_batch(SCHEMA)?;
                db.pragma_update(None, "application_id", APPLICATION)?;
                db.pragma_update(None, "user_version", VERSION)
            })?;
        }
        self.demand_known()?;
        if !self.on(tells_who_counted)? {
            self.write(|db| {
                db.execute_batch(
                    "ALTER TABLE feed ADD COLUMN process INTEGER;
                     ALTER TABLE feed ADD COLUMN opened INTEGER",
                )
            })?;
        }
        Ok(())
    }

    fn demand_known(&self) -> Result<()> {
        let pragma = |name: &str| {
            self.on(|db| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)))
        };
        let (application, version): (i64, i64) =
            (pragma("application_id")?, pragma("user_version")?);
        if (application, version) == (APPLICATION, VERSION) {
            return Ok(());
        }
        let why = if application == APPLICATION {
            format!(
                "it is of version {version}, and this emonfeed knows version {VERSION}"
            )
        } else {
            "it is not a catalog of emonfeed".to_owned()
        };
        Err(Error::new(Status::Catalog, format!("this cannot be the catalog: {why}"))
            .at(&self.path))
    }

    fn on<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        ask(&self.connection).map_err(|e| error(&self.path, &e))
    }

    /// Does all of `write` or nothing, on the disk when this returns.
    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.write_unless(|db| write(db).map(Ok))
    }

    /// The same. Nothing is written either if there is another error in the end.
    pub(super) fn write_unless<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<Result<T>>,
    ) -> Result<T> {
        self.commit_beginning()?;
        self.carry_out(write)
    }

    /// Writes in the transaction that is open, or in one of its own.
    fn carry_out<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<Result<T>>,
    ) -> Result<T> {
        let db = &self.connection;
        let all = || {
            if db.is_autocommit() {
                // At once: who has read cannot wait for another to write.
                db.execute_batch("BEGIN IMMEDIATE")?;
            }
            let answer = write(db);
            let ended = match answer {
                Ok(Ok(_)) => db.execute_batch("COMMIT"),
                _ => Ok(()),
            };
            // SQLite undoes some by itself.
            if !db.is_autocommit() {
                db.execute_batch("ROLLBACK")?;
            }
            ended?;
            answer
        };
        self.is_beginning = false;
        all().map_err(|e| error(&self.path, &e))?
    }

    /// Notes that a run begins; its number. [`Catalog::commit_beginning`] makes that
    /// last, and so does what is written first.
    pub(super) fn begin_run(&mut self, started: i64, source: &Path) -> Result<i64> {
        let source = source.to_string_lossy();
        let run = self.on(|db| {
            db.execute_batch("BEGIN IMMEDIATE")?;
            db.execute(
                "INSERT INTO run (started, source) VALUES (?, ?)",
                params![started, source],
            )?;
            Ok(db.last_insert_rowid())
        })?;
        self.is_beginning = true;
        self.begun = Some((started, source.into_owned()));
        Ok(run)
    }

    /// Puts on the disk that a run has begun, and ends what was read together.
    pub(super) fn commit_beginning(&mut self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.carry_out(|_| Ok(Ok(())))
    }

    /// Whether that is still to be done.
    pub(super) fn is_beginning(&self) -> bool {
        self.is_beginning
    }

    /// The last run before `run` that was cut short, or could not commit what it had
    /// done; 0 if none was.
    pub(super) fn last_cut_short(&self, run: i64) -> Result<i64> {
        self.on(|db| {
            let last = "SELECT COALESCE(MAX(id), 0) FROM run
                 WHERE id < ? AND (seconds IS NULL OR outcome = 'failed')";
            db.query_row(last, [run], |row| row.get(0))
        })
    }

    /// Notes how a run ended, and which feeds it found complete without
    /// anything to write.
    pub(super) fn end_run(&mut self, run: i64, seen: &[i64], end: &RunEnd) -> Result<()> {
        /// More are not kept, so that the catalog stays small.
        const RUNS: i64 = 10_000;
        let (started, source) = self.begun.clone().unzip();
        // Of a run that wrote nothing else its beginning is written with its end.
        if !self.is_beginning {
            self.commit_beginning()?;
        }
        self.carry_out(|db| {
            for feed in seen {
                put_seen(db, *feed, run)?;
            }
            // A commit that failed has undone its beginning, too.
            db.execute(
                "INSERT OR REPLACE INTO run
                    (id, started, source, seconds, outcome, feeds, failed, rows, bytes, message)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    run,
                    started,
                    source,
                    end.seconds,
                    end.outcome,
                    end.feeds,
                    end.failed,
                    end.rows,
                    end.bytes,
                    end.message,
                ],
            )?;
            db.execute(
                "DELETE FROM run WHERE id < ? AND id NOT IN (SELECT run FROM seen)
                    AND id NOT IN (SELECT run FROM generation)",
                [run - RUNS],
            )
            .map(|_| Ok(()))
        })
    }

    /// The last run, and the last that copied everything.
    pub(super) fn last_runs(&self) -> Result<(Option<PastRun>, Option<PastRun>)> {
        let one = |condition: &str| {
            let sql = format!(
                "SELECT started, seconds, outcome, feeds, failed, bytes, source, message
                 FROM run WHERE {condition} ORDER BY id DESC LIMIT 1"
            );
            self.on(|db| {
                db.query_row(&sql, [], |row| {
                    Ok(PastRun {
                        started: row.get(0)?,
                        seconds: row.get(1)?,
                        outcome: row.get(2)?,
                        feeds: row.get(3)?,
                        failed: row.get(4)?,
                        bytes: row.get(5)?,
                        source: row.get(6)?,
                        message: row.get(7)?,
                    })
                })
                .optional()
            })
        };
        Ok((one("TRUE")?, one("outcome = 'ok'")?))
    }

    /// The last run that ended, with its number; `complete` if it has to be one
    /// that looked at every feed.
    pub(super) fn last_ended_run(
        &self,
        complete: bool,
    ) -> Result<Option<(i64, PastRun)>> {
        let outcomes = if complete { "IN ('ok', 'incomplete')" } else { "IS NOT NULL" };
        let sql = format!(
            "SELECT started, seconds, outcome, feeds, failed, bytes, source, message, id
             FROM run WHERE seconds IS NOT NULL AND outcome {outcomes}
             ORDER BY id DESC LIMIT 1"
        );
        self.on(|db| {
            let run = |row: &Row| {
                let run = PastRun {
                    started: row.get(0)?,
                    seconds: row.get(1)?,
                    outcome: row.get(2)?,
                    feeds: row.get(3)?,
                    failed: row.get(4)?,
                    bytes: row.get(5)?,
                    source: row.get(6)?,
                    message: row.get(7)?,
                };
                Ok((row.get(8)?, run))
            };
            db.query_row(&sql, [], run).optional()
        })
    }

    /// How many old states are kept of each feed that has any.
    pub(super) fn kept(&self) -> Result<HashMap<i64, u64>> {
        self.on(|db| {
            let mut all = db.prepare(
                "SELECT feed, COUNT(*) FROM generation WHERE state = 'kept' GROUP BY feed",
            )?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// Has all that is read from now on be of one moment, whatever a run
    /// commits meanwhile; that waits for the catalog to be closed.
    pub(super) fn hold_still(&self) -> Result<()> {
        self.on(|db| db.execute_batch("BEGIN"))
    }

    /// What SQLite finds wrong with the file; nothing if it is sound.
    pub(super) fn quick_check(&self) -> Result<Vec<String>> {
        let found: rusqlite::Result<Vec<String>> = (|| {
            let mut check = self.connection.prepare("PRAGMA quick_check(10)")?;
            let rows = check.query_map([], |row| row.get(0))?;
            rows.collect()
        })();
        match found {
            Ok(mut found) => {
                found.retain(|one| one != "ok");
                Ok(found)
            }
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(vec![e.to_string()])
            }
            Err(e) => Err(error(&self.path, &e)),
        }
    }

    /// All feeds, by the names of their copies.
    pub(super) fn entries(&self) -> Result<HashMap<String, Entry>> {
        self.on(|db| {
            let who =
                if tells_who_counted(db)? { "process, opened" } else { "NULL, NULL" };
            let mut all = db.prepare(&format!(
                "SELECT name, id, kind, stride, rows, file, generation, tail, definition,
                    last_time, update_count, records, deleted, create_time, checksum,
                    device, inode, changed, COALESCE(seen.run, 0), {who}
                 FROM feed LEFT JOIN seen ON seen.feed = feed.id",
            ))?;
            let entries = all.query_map([], entry)?;
            entries.collect()
        })
    }

    /// When each run in which a feed was seen complete began, by feed.
    pub(super) fn successes(&self) -> Result<HashMap<i64, i64>> {
        self.on(|db| {
            let mut all = db.prepare(
                "SELECT feed, started FROM seen JOIN run ON run.id = seen.run",
            )?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// When a run began, Unix seconds.
    pub(super) fn began(&self, run: i64) -> Result<Option<i64>> {
        self.on(|db| {
            let sql = "SELECT started FROM run WHERE id = ?";
            db.query_row(sql, [run], |row| row.get(0)).optional()
        })
    }

    /// What went wrong with feeds when they were last looked at.
    pub(super) fn failures(&self) -> Result<HashMap<String, String>> {
        self.on(|db| {
            let mut all = db.prepare("SELECT name, message FROM failure")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// The hashes of the blocks of a file that a copy is or was.
    pub(super) fn hashes(&self, feed: i64, file: i64, rows: u64) -> Result<Vec<Hash>> {
        let count = blocks_in(rows);
        let bytes = self.on(|db| {
            // One look at the file for all feeds until the next write. Not where
            // another may be writing, who would have to wait.
            if self.writes && db.is_autocommit() {
                db.execute_batch("BEGIN")?;
            }
            let mut chunks = db.prepare_cached(
                "SELECT hashes FROM hashes WHERE feed = ? AND file = ? ORDER BY chunk",
            )?;
            let mut bytes: Vec<u8> = Vec::new();
            let mut found = chunks.query(params![feed, file])?;
            while let Some(row) = found.next()? {
                bytes.extend_from_slice(row.get_ref(0)?.as_blob()?);
            }
            Ok(bytes)
        })?;
        let mut hashes: Vec<Hash> = Vec::with_capacity(bytes.len() / HASH);
        for hash in bytes.chunks_exact(HASH) {
            hashes.extend(Hash::try_from(hash));
        }
        if (hashes.len() as u64) < count {
            return Err(damaged(&self.path, "hashes of rows are missing"));
        }
        hashes.truncate(count as usize);
        Ok(hashes)
    }

    /// Takes in that a generation is about to end, and what is about to be
    /// overwritten.
    pub(super) fn begin_generation(
        db: &Connection,
        generation: &Generation,
        cells: &[(u64, Vec<u8>)],
    ) -> rusqlite::Result<()> {
        let Generation { feed, number, ending, run, file, stride, rows, .. } = generation;
        let Generation { stamp, reason, definition, .. } = generation;
        let ending = ending.name();
        db.execute(
            "INSERT INTO generation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
            params![
                feed, number, ending, run, file, stride, rows, stamp, reason, definition
            ],
        )?;
        let mut insert =
            db.prepare_cached("INSERT INTO overwritten VALUES (?, ?, ?, ?, ?)")?;
        for (cell, rows) in cells {
            insert.execute(params![feed, number, cell, rows, hash(rows)])?;
        }
        Ok(())
    }

    /// Generations that were about to end when a run was cut short, with the
    /// names of their copies.
    pub(super) fn pending(&self) -> Result<Vec<(String, Generation)>> {
        self.generations_where("state = 'pending'", [])
    }

    /// Generations whose files are to go.
    pub(super) fn retired(&self) -> Result<Vec<(String, Generation)>> {
        self.generations_where("state = 'retired'", [])
    }

    /// The generations that are kept of a feed, oldest first.
    pub(super) fn generations(&self, feed: i64) -> Result<Vec<Generation>> {
        let found = self.generations_where("feed = ? AND state = 'kept'", [feed])?;
        Ok(found.into_iter().map(|(_, generation)| generation).collect())
    }

    fn generations_where<P: rusqlite::Params>(
        &self,
        condition: &str,
        params: P,
    ) -> Result<Vec<(String, Generation)>> {
        let sql = format!(
            "SELECT name, generation.feed, number, generation.kind, run, generation.file,
                generation.stride, generation.rows, stamp, reason,
                generation.definition
             FROM generation JOIN feed ON feed.id = generation.feed
             WHERE {condition} ORDER BY generation.feed, number"
        );
        self.on(|db| {
            let mut found = db.prepare_cached(&sql)?;
            let rows = found.query_map(params, |row| {
                Ok((
                    row.get(0)?,
                    Generation {
                        feed: row.get(1)?,
                        number: row.get(2)?,
                        ending: Ending::of(row.get_ref(3)?.as_str()?),
                        run: row.get(4)?,
                        file: row.get(5)?,
                        stride: row.get(6)?,
                        rows: row.get(7)?,
                        stamp: row.get(8)?,
                        reason: row.get(9)?,
                        definition: row.get(10)?,
                    },
                ))
            })?;
            rows.collect()
        })
    }

    /// The rows that were overwritten when a generation ended.
    pub(super) fn overwritten(
        &self,
        feed: i64,
        generation: i64,
    ) -> Result<Vec<(u64, Vec<u8>)>> {
        let cells: Vec<(u64, Vec<u8>, Hash)> = self.on(|db| {
            let mut cells = db.prepare_cached(
                "SELECT cell, rows, hash FROM overwritten
                 WHERE feed = ? AND generation = ?",
            )?;
            let rows = cells.query_map([feed, generation], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.collect()
        })?;
        if cells.iter().any(|(_, rows, hashed)| hash(rows) != *hashed) {
            let why = format!(
                "rows kept of generation {generation} are not what was written there, so that \
                 it cannot be put together; if a run needs them, move the catalog away, and the \
                 next one looks at all copies anew"
            );
            return Err(Error::new(Status::Damaged, why).at(&self.path));
        }
        Ok(cells.into_iter().map(|(cell, rows, _)| (cell, rows)).collect())
    }

    /// Forgets a generation that was about to end and did not.
    pub(super) fn forget_pending(&mut self, feed: i64, number: i64) -> Result<()> {
        self.write(|db| forget(db, feed, number))
    }

    /// Forgets the generations whose files have gone.
    pub(super) fn forget_retired(&mut self) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM generation WHERE state = 'retired'", []).map(drop)
        })
    }

    /// Forgets a feed.
    pub(super) fn forget_feed(&mut self, name: &str) -> Result<()> {
        self.write(|db| {
            let id: Option<i64> = db
                .query_row("SELECT id FROM feed WHERE name = ?", [name], |row| row.get(0))
                .optional()?;
            if let Some(id) = id {
                for table in ["hashes", "overwritten", "generation", "seen"] {
                    db.execute(&format!("DELETE FROM {table} WHERE feed = ?"), [id])?;
                }
                db.execute("DELETE FROM feed WHERE id = ?", [id])?;
            }
            db.execute("DELETE FROM failure WHERE name = ?", [name]).map(drop)
        })
    }
}

/// A new directory for files that pass, which nobody else can look into.
fn private_dir() -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let parent = std::env::temp_dir();
    let mut count = 0;
    loop {
        let dir = parent.join(format!("emonfeed-{}-{count}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => count += 1,
            Err(e) => return Err(Error::io("make the directory", &dir, e)),
        }
    }
}

fn forget(db: &Connection, feed: i64, number: i64) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM overwritten WHERE feed = ? AND generation = ?",
        [feed, number],
    )?;
    db.execute("DELETE FROM generation WHERE feed = ? AND number = ?", [feed, number])
        .map(drop)
}

/// Notes that a feed could not be copied.
pub(super) fn put_failure(
    db: &Connection,
    name: &str,
    run: i64,
    message: &str,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO failure VALUES (?, ?, ?)",
        params![name, run, message],
    )
    .map(drop)
}

/// Notes that a copy was found complete.
pub(super) fn put_seen(db: &Connection, feed: i64, run: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO seen VALUES (?, ?)")?
        .execute([feed, run])
        .map(drop)
}

pub(super) fn forget_failure(db: &Connection, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM failure WHERE name = ?")?.execute([name]).map(drop)
}

/// Takes in what a copy holds now. `before` is what the catalog said; answers
/// what it says.
pub(super) fn put(
    db: &Connection,
    commit: &Commit,
    before: Option<&Entry>,
    run: i64,
    keep: u64,
) -> rusqlite::Result<Entry> {
    let (file, generation) = match before {
        None => (1, 1),
        Some(entry) => (
            entry.file + i64::from(commit.replaces || commit.loses),
            entry.generation + i64::from(commit.ends_generation),
        ),
    };
    let token = commit.token;
    let id: i64 = db
        .prepare_cached(
            "INSERT INTO feed VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                ?13, ?14, ?15, ?16, ?17, ?18, ?19)
             ON CONFLICT (name) DO UPDATE SET kind = ?2, stride = ?3, rows = ?4, file = ?5,
                generation = ?6, tail = ?7, definition = ?8, last_time = ?9,
                update_count = ?10, records = ?11, deleted = ?12, create_time = ?13,
                checksum = ?14, device = ?15, inode = ?16,
                changed = ?17, process = ?18, opened = ?19
             RETURNING id",
        )?
        .query_row(
            params![
                commit.name,
                commit.kind.name(),
                commit.stride,
                commit.rows,
                file,
                generation,
                commit.tail,
                commit.definition,
                commit.last_time,
                token.map(|token| token.update_count),
                token.map(|token| token.records as i64),
                token.map(|token| token.deleted as i64),
                token.map(|token| token.create_time as i64),
                token.and_then(|token| token.checksum),
                commit.identity.0 as i64,
                commit.identity.1 as i64,
                commit.changed,
                token.and_then(|token| token.counted_by).map(|(process, _)| process),
                token.and_then(|token| token.counted_by).map(|(_, opened)| opened),
            ],
            |row| row.get(0),
        )?;
    if let (true, Some(before)) = (commit.loses, before) {
        forget_file(db, id, before.file, None)?;
    }
    put_hashes(db, id, file, commit)?;
    if let (true, Some(before)) = (commit.ends_generation, before) {
        db.execute(
            "UPDATE generation SET state = 'kept' WHERE feed = ? AND number = ?",
            [id, before.generation],
        )?;
        retire(db, id, keep)?;
    }
    if commit.complete {
        put_seen(db, id, run)?;
    }
    Ok(Entry {
        id,
        kind: commit.kind,
        stride: commit.stride,
        rows: commit.rows,
        file,
        generation,
        tail: commit.tail,
        definition: commit.definition,
        last_time: commit.last_time,
        token,
        identity: commit.identity,
        changed: commit.changed,
        seen: if commit.complete { run } else { before.map_or(0, |entry| entry.seen) },
    })
}

fn put_hashes(
    db: &Connection,
    feed: i64,
    file: i64,
    commit: &Commit,
) -> rusqlite::Result<()> {
    let blocks = blocks_in(commit.rows);
    let mut select = db.prepare_cached(
        "SELECT hashes FROM hashes WHERE feed = ? AND file = ? AND chunk = ?",
    )?;
    let mut replace =
        db.prepare_cached("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)")?;
    for part in commit.hashes.chunk_by(|(a, _), (b, _)| a / CHUNK == b / CHUNK) {
        let chunk = part[0].0 / CHUNK;
        let mut bytes: Vec<u8> = select
            .query_row(params![feed, file, chunk], |row| row.get(0))
            .optional()?
            .unwrap_or_default();
        bytes.resize((blocks - chunk * CHUNK).min(CHUNK) as usize * HASH, 0);
        for (block, hash) in part {
            let at = (block % CHUNK) as usize * HASH;
            bytes[at..at + HASH].copy_from_slice(hash);
        }
        replace.execute(params![feed, file, chunk, bytes])?;
    }
    Ok(())
}

/// Forgets the hashes of a file, and the states that led to it but for one.
fn forget_file(
    db: &Connection,
    feed: i64,
    file: i64,
    but: Option<i64>,
) -> rusqlite::Result<()> {
    let mut states = db.prepare_cached(
        "SELECT number FROM generation WHERE feed = ? AND file = ? AND number IS NOT ?",
    )?;
    let states = states.query_map(params![feed, file, but], |row| row.get(0))?;
    for state in states.collect::<rusqlite::Result<Vec<i64>>>()? {
        forget(db, feed, state)?;
    }
    db.execute("DELETE FROM hashes WHERE feed = ? AND file = ?", [feed, file]).map(drop)
}

/// Lets go of all but the last `keep` generations of each ending.
fn retire(db: &Connection, feed: i64, keep: u64) -> rusqlite::Result<()> {
    let beyond = |ending: Ending| {
        let mut list = db.prepare_cached(
            "SELECT number, file FROM generation
             WHERE feed = ? AND kind = ? AND state = 'kept' ORDER BY number DESC",
        )?;
        let all = list.query_map(params![feed, ending.name()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let all: rusqlite::Result<Vec<_>> = all.collect();
        let skip = usize::try_from(keep).unwrap_or(usize::MAX);
        Ok::<_, rusqlite::Error>(all?.into_iter().skip(skip).collect::<Vec<_>>())
    };
    for (number, file) in beyond(Ending::Replaced)? {
        // What was overwritten in that file before goes with it.
        forget_file(db, feed, file, Some(number))?;
        db.execute(
            "UPDATE generation SET state = 'retired' WHERE feed = ? AND number = ?",
            [feed, number],
        )?;
    }
    for ending in [Ending::Edited, Ending::LastRow] {
        for (number, file) in beyond(ending)? {
            // An older state that is kept needs what this one had unless it had
            // something else there itself.
            let older: Option<i64> = db.query_row(
                "SELECT MAX(number) FROM generation
                 WHERE feed = ? AND file = ? AND number < ? AND state = 'kept'",
                params![feed, file, number],
                |row| row.get(0),
            )?;
            if let Some(older) = older {
                db.execute(
                    // Of what it holds: later rows are none of its.
                    "UPDATE OR IGNORE overwritten SET generation = ?1
                     WHERE feed = ?2 AND generation = ?3 AND cell * 32 <
                        (SELECT rows FROM generation WHERE feed = ?2 AND number = ?1)",
                    [older, feed, number],
                )?;
            }
            forget(db, feed, number)?;
        }
    }
    Ok(())
}

/// Whether a catalog has the columns for [`Token::counted_by`], which came late.
fn tells_who_counted(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT COUNT(*) > 0 FROM pragma_table_info('feed') WHERE name = 'opened'",
        [],
        |row| row.get(0),
    )
}

fn entry(row: &Row) -> rusqlite::Result<(String, Entry)> {
    let (process, opened): (Option<u32>, Option<u32>) = (row.get(19)?, row.get(20)?);
    let token = match row.get(10)? {
        Some(update_count) => Some(Token {
            update_count,
            counted_by: process.zip(opened),
            records: row.get::<_, i64>(11)? as u64,
            deleted: row.get::<_, i64>(12)? as u64,
            create_time: row.get::<_, i64>(13)? as u64,
            checksum: row.get(14)?,
        }),
        None => None,
    };
    let entry = Entry {
        id: row.get(1)?,
        kind: Kind::of(row.get_ref(2)?.as_str()?),
        stride: row.get(3)?,
        rows: row.get(4)?,
        file: row.get(5)?,
        generation: row.get(6)?,
        tail: row.get(7)?,
        definition: row.get(8)?,
        last_time: row.get(9)?,
        token,
        identity: (row.get::<_, i64>(15)? as u64, row.get::<_, i64>(16)? as u64),
        changed: row.get::<_, Option<i64>>(17)?.unwrap_or_default(),
        seen: row.get(18)?,
    };
    Ok((row.get(0)?, entry))
}

fn error(path: &Path, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            damaged(path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::new(
            Status::Locked,
            "another program has had the catalog open for writing for 10 seconds",
        )
        .at(path),
        _ => Error::new(Status::Catalog, format!("cannot use the catalog: {error}"))
            .at(path),
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(
        Status::Catalog,
        format!(
            "the catalog is damaged ({what}): move it away, and the next run looks at all \
             copies anew; generations that were kept stay as files, without what was \
             overwritten in them"
        ),
    )
    .at(path)
}
