//! One connection that writes to a feed, statement by statement, and knows what
//! each does.

use crate::feed::{Change, Log, Rows, TICK};
use crate::server::Client;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So many rows a feed has, by and large.
const FEW: usize = 400;

/// A kind of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    InsertOne,
    /// Up to ten rows: each is written by itself.
    InsertFew,
    /// Through a buffer.
    InsertMany,
    InsertSelect,
    InsertDelayed,
    /// One row that is there, and stays in its place.
    UpdateOne,
    UpdateMany,
    /// The latest row gets a later time.
    Move,
    /// Rows that are there.
    OdkuOne,
    OdkuMany,
    /// Rows that are there and new ones.
    OdkuMixed,
    Replace,
    DeleteOne,
    DeleteMany,
    Empty,
    /// Some rows are written, then one is there already.
    FailingInsert,
    FailingInsertSelect,
    FailingUpdate,
    /// Rows that are there already are left out.
    InsertIgnore,
    /// Statements under `LOCK TABLES … WRITE`: new rows,
    LockedInserts,
    /// or edits of rows.
    LockedEdits,
    LockedMixed,
    /// What changes nothing, but the files.
    Flush,
    Rebuild,
}

pub use Kind::*;

const FAILING: [Kind; 3] = [FailingInsert, FailingInsertSelect, FailingUpdate];

/// Single rows only.
pub const ONE_ROW: &[Kind] = &[InsertOne, InsertOne, InsertOne, UpdateOne, DeleteOne];

pub const INSERTS: &[Kind] = &[InsertOne, InsertOne, InsertFew, InsertMany, InsertSelect];

pub const EDITS: &[Kind] =
    &[InsertOne, UpdateOne, UpdateMany, Move, DeleteOne, DeleteMany, InsertFew];

/// For tables with `UNIQUE(time)`.
pub const UNIQUE: &[Kind] = &[
    OdkuOne,
    OdkuMany,
    Replace,
    FailingInsert,
    FailingInsertSelect,
    FailingUpdate,
    InsertIgnore,
    InsertOne,
];

pub const REBUILDS: &[Kind] = &[Flush, Rebuild, Empty];

/// What a feed is written to by, and how.
pub struct Writer {
    table: String,
    pub data2: bool,
    /// The kinds of statements, each as often as it is there.
    kinds: Vec<Kind>,
    /// Its rows are those at this many seconds after a tick.
    pub second: i64,
    /// Rows at the beginning, and about as many later.
    pub size: usize,
    random: fastrand::Rng,
    rows: Rows,
    /// How many rows there are when all that was sent is done.
    sent: usize,
    /// The number of the next new row.
    next: i64,
    /// The number of this statement, which all values that it writes are.
    number: usize,
}

/// Runs of rows of the latest kind that a query may want.
fn time_of(row: i64) -> i64 {
    1_400_000_000 + TICK * row
}

impl Writer {
    pub fn new(table: String, kinds: Vec<Kind>, seed: u64) -> Writer {
        Writer {
            table,
            data2: false,
            kinds,
            second: 0,
            size: FEW,
            random: fastrand::Rng::with_seed(seed),
            rows: Rows::new(),
            sent: 0,
            next: 0,
            number: 0,
        }
    }

    fn data2_of(&self, row: i64) -> f64 {
        if self.data2 { (row % 7) as f64 } else { 0.0 }
    }

    fn columns(&self) -> &'static str {
        if self.data2 { "(time,data,data2)" } else { "(time,data)" }
    }

    /// New rows, for a list of values.
    fn new_rows(&mut self, count: usize) -> Vec<(i64, (f64, f64))> {
        (0..count)
            .map(|_| {
                let row = self.next;
                self.next += 1;
                let value = (self.number as f64, self.data2_of(row));
                (time_of(row) + self.second, value)
            })
            .collect()
    }

    fn values(&self, rows: &[(i64, (f64, f64))]) -> String {
        let value = |&(time, (data, data2)): &(i64, (f64, f64))| match self.data2 {
            true => format!("({time},{data},{data2})"),
            false => format!("({time},{data})"),
        };
        rows.iter().map(value).collect::<Vec<_>>().join(",")
    }

    fn insert(&self, rows: &[(i64, (f64, f64))]) -> String {
        format!(
            "INSERT INTO {} {} VALUES {}",
            self.table,
            self.columns(),
            self.values(rows)
        )
    }

    /// So many of the rows that are there, one after the other.
    fn some_rows(&mut self, count: usize) -> Vec<i64> {
        let count = count.min(self.rows.len());
        let from = self.random.usize(..=self.rows.len() - count);
        self.rows.keys().skip(from).take(count).copied().collect()
    }

    fn rewritten(&self, times: &[i64]) -> Vec<(i64, (f64, f64))> {
        let value = self.number as f64;
        times.iter().map(|time| (*time, (value, self.rows[time].1))).collect()
    }

    /// The first statement, which fills the table.
    pub fn fill(&mut self) -> Change {
        self.number += 1;
        let change = self.statement(InsertSelect);
        change.apply(&mut self.rows);
        change
    }

    /// The next statement.
    pub fn next(&mut self) -> (Kind, Change) {
        self.number += 1;
        let mut kind = self.kinds[self.random.usize(..self.kinds.len())];
        if self.rows.len() < self.size / 2 {
            kind = InsertSelect;
        } else if self.rows.len() > self.size * 2 && self.kinds.contains(&DeleteMany) {
            kind = DeleteMany;
        } else if self.rows.len() > self.size * 20 {
            kind = Empty;
        }
        let change = self.statement(kind);
        change.apply(&mut self.rows);
        (kind, change)
    }

    fn statement(&mut self, kind: Kind) -> Change {
        let table = self.table.clone();
        let n = self.number;
        let change = |sql: String, gone: Vec<i64>, written| Change { sql, gone, written };
        match kind {
            InsertOne => {
                let rows = self.new_rows(1);
                change(self.insert(&rows), vec![], rows)
            }
            InsertFew | InsertMany => {
                let few = kind == InsertFew;
                let count = self.random.usize(if few { 2..11 } else { 11..300 });
                let rows = self.new_rows(count);
                change(self.insert(&rows), vec![], rows)
            }
            InsertSelect => {
                let count = self.size;
                let first = self.next;
                let rows = self.new_rows(count);
                let (base, second) = (time_of(0), self.second);
                let data2 = if self.data2 { ", seq % 7" } else { "" };
                let sql = format!(
                    "INSERT INTO {table} {} SELECT {base} + {TICK} * seq + {second}, \
                     {n}{data2} FROM seq_{first}_to_{}",
                    self.columns(),
                    first + count as i64 - 1
                );
                change(sql, vec![], rows)
            }
            InsertDelayed => {
                let rows = self.new_rows(1);
                let sql = self.insert(&rows).replacen("INSERT", "INSERT DELAYED", 1);
                change(sql, vec![], rows)
            }
            UpdateOne | UpdateMany => {
                let most = self.size / 2;
                let count =
                    if kind == UpdateOne { 1 } else { self.random.usize(2..most) };
                let times = self.some_rows(count);
                change(self.update(&times), vec![], self.rewritten(&times))
            }
            Move => {
                let last = *self.rows.keys().next_back().expect("a row");
                let (to, _) = self.new_rows(1)[0];
                let sql =
                    format!("UPDATE {table} SET time={to}, data={n} WHERE time={last}");
                let data2 = self.rows[&last].1;
                change(sql, vec![last], vec![(to, (n as f64, data2))])
            }
            OdkuOne | OdkuMany | OdkuMixed => {
                let count = if kind == OdkuOne { 1 } else { self.random.usize(2..200) };
                let times = self.some_rows(count);
                let mut rows = self.rewritten(&times);
                if kind == OdkuMixed {
                    let count = self.random.usize(1..200);
                    let new = self.new_rows(count);
                    rows.extend(new);
                }
                let sql = format!(
                    "{} ON DUPLICATE KEY UPDATE data=VALUES(data)",
                    self.insert(&rows)
                );
                change(sql, vec![], rows)
            }
            Replace => {
                let times = self.some_rows(1);
                let rows = self.rewritten(&times);
                change(self.insert(&rows).replacen("INSERT", "REPLACE", 1), vec![], rows)
            }
            DeleteOne | DeleteMany => {
                let most = self.rows.len().saturating_sub(self.size / 2).max(2);
                let count =
                    if kind == DeleteOne { 1 } else { self.random.usize(1..most) };
                // The oldest, as of a feed that is kept short.
                let times: Vec<i64> = self.rows.keys().take(count).copied().collect();
                let (first, last) = (times[0], times[times.len() - 1]);
                let sql = format!(
                    "DELETE FROM {table} WHERE time BETWEEN {first} AND {last} \
                     AND time % {TICK} = {}",
                    self.second
                );
                change(sql, times, vec![])
            }
            Empty => {
                let how = ["TRUNCATE TABLE", "DELETE FROM"][self.random.usize(..2)];
                let times = self.rows.keys().copied().collect();
                change(format!("{how} {table}"), times, vec![])
            }
            FailingInsert => {
                let there = self.some_rows(1);
                let (before, after) =
                    (self.random.usize(0..60), self.random.usize(0..40));
                let written = self.new_rows(before);
                let mut rows = written.clone();
                rows.extend(self.rewritten(&there));
                let next = self.next;
                rows.extend(self.new_rows(after));
                // Those behind the failure were never there.
                self.next = next;
                change(self.insert(&rows), vec![], written)
            }
            FailingInsertSelect => {
                let count = self.random.i64(1..400);
                let (base, second) = (time_of(0), self.second);
                let data2 = if self.data2 { ", seq % 7" } else { "" };
                let (first, there) = (self.next, self.some_rows(1)[0]);
                let written = self.new_rows(count as usize);
                let sql = format!(
                    "INSERT INTO {table} {} SELECT IF(seq < {}, {base} + {TICK} * seq + \
                     {second}, {there}), {n}{data2} FROM seq_{first}_to_{}",
                    self.columns(),
                    first + count,
                    first + count + 50
                );
                change(sql, vec![], written)
            }
            FailingUpdate => {
                // The first of them get a new value; then one wants the time of
                // another row.
                let times = self.some_rows(60);
                let at = self.random.usize(..times.len());
                let other = if at == 0 { times[times.len() - 1] } else { times[0] };
                if times.len() < 2 {
                    return change(
                        format!("SELECT 1 FROM {table} LIMIT 1"),
                        vec![],
                        vec![],
                    );
                }
                let sql = format!(
                    "UPDATE {table} SET data={n}, time=IF(time={}, {other}, time) \
                     WHERE time BETWEEN {} AND {} ORDER BY time",
                    times[at],
                    times[0],
                    times[times.len() - 1]
                );
                change(sql, vec![], self.rewritten(&times[..at]))
            }
            InsertIgnore => {
                let there = self.some_rows(5);
                let new = self.new_rows(20);
                let mut rows = self.rewritten(&there);
                rows.extend(&new);
                self.random.shuffle(&mut rows);
                let sql = self.insert(&rows).replacen("INSERT", "INSERT IGNORE", 1);
                change(sql, vec![], new)
            }
            LockedInserts | LockedEdits | LockedMixed => {
                let mut sql = vec![format!("LOCK TABLES {table} WRITE")];
                let mut all = Change::default();
                let mut rows = self.rows.clone();
                let kinds: &[Kind] = match kind {
                    LockedInserts => &[InsertOne, InsertFew, InsertMany],
                    LockedEdits => &[UpdateOne, UpdateMany, DeleteOne],
                    _ => &[InsertOne, UpdateOne, UpdateMany, InsertFew, DeleteOne],
                };
                for _ in 0..self.random.usize(2..8) {
                    let kind = kinds[self.random.usize(..kinds.len())];
                    let part = self.statement(kind);
                    part.apply(&mut self.rows);
                    all.written.retain(|(time, _)| !part.gone.contains(time));
                    all.gone.extend(part.gone);
                    all.written.extend(part.written);
                    sql.push(part.sql);
                }
                std::mem::swap(&mut self.rows, &mut rows);
                sql.push("UNLOCK TABLES".into());
                all.sql = sql.join("; ");
                all
            }
            Flush => change(format!("FLUSH TABLES {table}"), vec![], vec![]),
            Rebuild => {
                let how = self.random.usize(..4);
                let sql = [
                    format!("OPTIMIZE TABLE {table}"),
                    format!("ALTER TABLE {table} FORCE"),
                    format!("REPAIR TABLE {table}"),
                    format!("ALTER TABLE {table} ORDER BY time"),
                ];
                change(sql[how].clone(), vec![], vec![])
            }
        }
    }

    fn update(&self, times: &[i64]) -> String {
        format!(
            "UPDATE {} SET data={} WHERE time BETWEEN {} AND {} AND time % {TICK} = {}",
            self.table,
            self.number,
            times[0],
            times[times.len() - 1],
            self.second
        )
    }

    /// Writes until `over`, and once in a while compares what SQL has with what
    /// this says that it has. How many statements there were of each kind.
    pub fn work(
        &mut self,
        client: &mut Client,
        log: &Log,
        over: &AtomicBool,
    ) -> BTreeMap<Kind, u64> {
        const BETWEEN: usize = 500;
        let mut compared = 0;
        let mut tally = BTreeMap::new();
        while !over.load(Ordering::SeqCst) {
            // By turns one statement, and several without a pause.
            let mut left = if self.random.bool() { 1 } else { self.random.usize(1..30) };
            let mut batch = Vec::new();
            let mut fails = false;
            while left > 0 && !fails {
                left -= 1;
                let (kind, change) = self.next();
                if !change.gone.is_empty() && self.is_delayed() {
                    self.wait_for_delayed(client, log);
                }
                // The client tells of one error only.
                fails = FAILING.contains(&kind);
                if self.is_delayed() || fails {
                    left = 0;
                }
                batch.push(change.sql.clone());
                log.begin(change);
                self.sent = self.rows.len();
                *tally.entry(kind).or_default() += 1;
            }
            match client.ask(&batch) {
                Err(error) if fails => {
                    assert!(error.contains("ERROR 1062"), "{error}\nin: {batch:.2000?}");
                }
                Err(error) => panic!("{error}\nin: {batch:.2000?}"),
                Ok(_) => assert!(!fails, "not refused: {batch:.2000?}"),
            }
            if !self.is_delayed() {
                log.end(self.number);
            } else if self.number % 16 == 0 {
                self.note_delayed(client, log);
            }
            // Most feeds rest most of the time; some never do.
            let pause = [0, 0, 0, 1, 5, 40, 80][self.random.usize(..7)];
            std::thread::sleep(Duration::from_millis(pause));
            if self.number >= compared + BETWEEN && !self.is_delayed() {
                compared = self.number;
                self.compare(client, batch.last().map_or("", |sql| sql));
            }
        }
        if self.is_delayed() {
            self.wait_for_delayed(client, log);
        }
        tally
    }

    fn is_delayed(&self) -> bool {
        self.kinds.contains(&InsertDelayed)
    }

    /// Asks the server how many of the rows it was given are there by now; each
    /// was a statement.
    fn note_delayed(&self, client: &mut Client, log: &Log) -> usize {
        let answer = client.sql(&format!("SELECT COUNT(*) FROM {}", self.table));
        let count = answer.expect("a number")[0][0].as_deref().expect("a number").parse();
        let waiting = log.begun() - log.ended();
        let missing = self.sent - count.unwrap_or(0_usize);
        log.end(log.begun() - missing.min(waiting));
        missing
    }

    fn wait_for_delayed(&self, client: &mut Client, log: &Log) {
        while self.note_delayed(client, log) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Compares what SQL has with what this says that it has.
    pub fn compare(&self, client: &mut Client, after: &str) {
        let data2 = if self.data2 { "CAST(data2 AS DOUBLE)" } else { "0" };
        let question = format!(
            "SELECT time, CAST(data AS DOUBLE), {data2} FROM {} WHERE time % {TICK} = {}",
            self.table, self.second
        );
        let rows = client.sql(&question).expect("the rows");
        let number = |cell: &Option<String>| -> f64 {
            cell.as_deref().and_then(|text| text.parse().ok()).expect("a number")
        };
        let count = rows.len();
        let rows: Rows = rows
            .iter()
            .map(|row| (number(&row[0]) as i64, (number(&row[1]), number(&row[2]))))
            .collect();
        assert_eq!(rows.len(), count, "no time is there twice");
        let first = rows.iter().zip(&self.rows).find(|(sql, model)| sql != model);
        assert!(
            rows == self.rows,
            "SQL has {count} rows, this model {}: {first:?} after {after:.2000}",
            self.rows.len()
        );
    }
}
