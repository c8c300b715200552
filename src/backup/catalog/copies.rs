//! What the catalog says of each copy.

use super::generations::{forget, retire};
use super::{Catalog, damaged};
use crate::backup::hash::{Hash, blocks_in};
use crate::error::Result;
use crate::myisam::Header;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;

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
pub(in crate::backup) struct Token {
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
    pub(in crate::backup) fn of(header: &Header) -> Token {
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
pub(in crate::backup) struct Entry {
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
    pub(in crate::backup) fn len(&self) -> u64 {
        self.rows * self.stride
    }
}

/// What becomes the catalog's of a feed.
#[derive(Debug)]
pub(in crate::backup) struct Commit {
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

impl Catalog {
    /// All feeds, by the names of their copies.
    pub(in crate::backup) fn entries(&self) -> Result<HashMap<String, Entry>> {
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
    pub(in crate::backup) fn successes(&self) -> Result<HashMap<i64, i64>> {
        self.on(|db| {
            let mut all = db.prepare(
                "SELECT feed, started FROM seen JOIN run ON run.id = seen.run",
            )?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// What went wrong with feeds when they were last looked at.
    pub(in crate::backup) fn failures(&self) -> Result<HashMap<String, String>> {
        self.on(|db| {
            let mut all = db.prepare("SELECT name, message FROM failure")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
    }

    /// The hashes of the blocks of a file that a copy is or was.
    pub(in crate::backup) fn hashes(
        &self,
        feed: i64,
        file: i64,
        rows: u64,
    ) -> Result<Vec<Hash>> {
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

    /// Forgets a feed.
    pub(in crate::backup) fn forget_feed(&mut self, name: &str) -> Result<()> {
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

/// Notes that a feed could not be copied.
pub(in crate::backup) fn put_failure(
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
pub(in crate::backup) fn put_seen(
    db: &Connection,
    feed: i64,
    run: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO seen VALUES (?, ?)")?
        .execute([feed, run])
        .map(drop)
}

pub(in crate::backup) fn forget_failure(
    db: &Connection,
    name: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM failure WHERE name = ?")?.execute([name]).map(drop)
}

/// Takes in what a copy holds now. `before` is what the catalog said; answers
/// what it says.
pub(in crate::backup) fn put(
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
pub(super) fn forget_file(
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

/// Whether a catalog has the columns for [`Token::counted_by`], which came late.
pub(super) fn tells_who_counted(db: &Connection) -> rusqlite::Result<bool> {
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
