//! What the catalog tells of runs.

use super::{Catalog, put_seen};
use crate::error::Result;
use rusqlite::{OptionalExtension, Row, params};
use std::path::Path;

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(in crate::backup) struct RunEnd {
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

impl Catalog {
    /// Notes that a run begins; its number. [`Catalog::commit_beginning`] makes that
    /// last, and so does what is written first.
    pub(in crate::backup) fn begin_run(
        &mut self,
        started: i64,
        source: &Path,
    ) -> Result<i64> {
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
    pub(in crate::backup) fn commit_beginning(&mut self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.carry_out(|_| Ok(Ok(())))
    }

    /// Whether that is still to be done.
    pub(in crate::backup) fn is_beginning(&self) -> bool {
        self.is_beginning
    }

    /// The last run before `run` that was cut short, or could not commit what it had
    /// done; 0 if none was.
    pub(in crate::backup) fn last_cut_short(&self, run: i64) -> Result<i64> {
        self.on(|db| {
            let last = "SELECT COALESCE(MAX(id), 0) FROM run
                 WHERE id < ? AND (seconds IS NULL OR outcome = 'failed')";
            db.query_row(last, [run], |row| row.get(0))
        })
    }

    /// Notes how a run ended, and which feeds it found complete without
    /// anything to write.
    pub(in crate::backup) fn end_run(
        &mut self,
        run: i64,
        seen: &[i64],
        end: &RunEnd,
    ) -> Result<()> {
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
    pub(in crate::backup) fn last_runs(
        &self,
    ) -> Result<(Option<PastRun>, Option<PastRun>)> {
        let one = |condition| Ok(self.last_run_where(condition)?.map(|(_, run)| run));
        Ok((one("TRUE")?, one("outcome = 'ok'")?))
    }

    /// The last run that ended, with its number; `complete` if it has to be one
    /// that looked at every feed.
    pub(in crate::backup) fn last_ended_run(
        &self,
        complete: bool,
    ) -> Result<Option<(i64, PastRun)>> {
        self.last_run_where(if complete {
            "seconds IS NOT NULL AND outcome IN ('ok', 'incomplete')"
        } else {
            "seconds IS NOT NULL AND outcome IS NOT NULL"
        })
    }

    fn last_run_where(&self, condition: &str) -> Result<Option<(i64, PastRun)>> {
        let sql = format!(
            "SELECT id, started, seconds, outcome, feeds, failed, bytes, source, message
             FROM run WHERE {condition} ORDER BY id DESC LIMIT 1"
        );
        let run = |row: &Row| {
            let run = PastRun {
                started: row.get(1)?,
                seconds: row.get(2)?,
                outcome: row.get(3)?,
                feeds: row.get(4)?,
                failed: row.get(5)?,
                bytes: row.get(6)?,
                source: row.get(7)?,
                message: row.get(8)?,
            };
            Ok((row.get(0)?, run))
        };
        self.on(|db| db.query_row(&sql, [], run).optional())
    }

    /// When a run began, Unix seconds.
    pub(in crate::backup) fn began(&self, run: i64) -> Result<Option<i64>> {
        self.on(|db| {
            let sql = "SELECT started FROM run WHERE id = ?";
            db.query_row(sql, [run], |row| row.get(0)).optional()
        })
    }
}
