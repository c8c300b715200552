//! The catalog of a destination: what each copy held when it was last known to
//! be on the disk. One SQLite file, because that survives a crash at any
//! moment and every administrator can open it.
//!
//! It is written after the rows are synced. Bytes of a copy that it does not
//! vouch for are not there; bytes it has vouched for are overwritten only after
//! it has taken in what they were (`overwritten`), so that whatever stops a
//! run, the state of before can be had again.

mod copies;
mod generations;
mod open;
mod runs;

pub use self::copies::Kind;
pub(super) use self::copies::{
    Commit, Entry, Token, forget_failure, put, put_failure, put_seen,
};
pub use self::generations::Ending;
pub(super) use self::generations::{CELL, Generation};
pub use self::runs::PastRun;
pub(super) use self::runs::RunEnd;
use super::folder::Folder;
use crate::error::{Error, Result, Status};
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};

/// The name of the catalog's file.
pub const CATALOG_FILE: &str = "emonfeed.sqlite";

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
