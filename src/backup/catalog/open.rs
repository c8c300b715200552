//! Opening a catalog: making one, and looking at one that is not to be written.

use super::copies::tells_who_counted;
use super::{CATALOG_FILE, Catalog, error};
use crate::backup::folder::{Folder, same_file};
use crate::backup::vfs;
use crate::error::{Error, Result, Status};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::Stat;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

impl Catalog {
    /// Opens the catalog of a destination to be written; makes it if there is
    /// none.
    pub(in crate::backup) fn open(folder: &Folder) -> Result<Catalog> {
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
    pub(in crate::backup) fn open_read_only(folder: &Folder) -> Result<Option<Catalog>> {
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
