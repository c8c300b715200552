//! The states that copies were in before, and how they can be had again.

use super::Catalog;
use super::copies::forget_file;
use crate::backup::hash::{Hash, hash};
use crate::error::{Error, Result, Status};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// Rows of an [`Overwritten`] cell.
pub(in crate::backup) const CELL: u64 = 32;

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
pub(in crate::backup) struct Generation {
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

impl Catalog {
    /// How many old states are kept of each feed that has any.
    pub(in crate::backup) fn kept(&self) -> Result<HashMap<i64, u64>> {
        self.on(|db| {
            let mut all = db.prepare(
                "SELECT feed, COUNT(*) FROM generation WHERE state = 'kept' GROUP BY feed",
            )?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// Takes in that a generation is about to end, and what is about to be
    /// overwritten.
    pub(in crate::backup) fn begin_generation(
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
    pub(in crate::backup) fn pending(&self) -> Result<Vec<(String, Generation)>> {
        self.generations_where("state = 'pending'", [])
    }

    /// Generations whose files are to go.
    pub(in crate::backup) fn retired(&self) -> Result<Vec<(String, Generation)>> {
        self.generations_where("state = 'retired'", [])
    }

    /// The generations that are kept of a feed, oldest first.
    pub(in crate::backup) fn generations(&self, feed: i64) -> Result<Vec<Generation>> {
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
    pub(in crate::backup) fn overwritten(
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
    pub(in crate::backup) fn forget_pending(
        &mut self,
        feed: i64,
        number: i64,
    ) -> Result<()> {
        self.write(|db| forget(db, feed, number))
    }

    /// Forgets the generations whose files have gone.
    pub(in crate::backup) fn forget_retired(&mut self) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM generation WHERE state = 'retired'", []).map(drop)
        })
    }
}

pub(super) fn forget(db: &Connection, feed: i64, number: i64) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM overwritten WHERE feed = ? AND generation = ?",
        [feed, number],
    )?;
    db.execute("DELETE FROM generation WHERE feed = ? AND number = ?", [feed, number])
        .map(drop)
}

/// Lets go of all but the last `keep` generations of each ending.
pub(super) fn retire(db: &Connection, feed: i64, keep: u64) -> rusqlite::Result<()> {
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
