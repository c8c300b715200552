//! Readers and backups beside a server that writes without a rest: each answer
//! and each copy is what SQL would have said at some moment between the start
//! and the end of the call.
//!
//! Statements are numbered, and their writers know what each does. The numbers
//! of the last one that had ended before a call, and of the last one that had
//! begun when it was over, say between which states its answer must be.

mod backups;
#[path = "../effort/mod.rs"]
mod effort;
mod feed;
mod reader;
#[path = "../server/mod.rs"]
mod server;
mod writer;

use effort::effort;
use emonfeed::{Access, Evidence};
use feed::{Log, Past, Question, difference};
use reader::{By, How, No, Reader};
use server::{Client, Server, settle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use writer::*;

const SEED: u64 = 0x5eed_0f11_fe5e_12e1;

#[test]
#[ignore = "the process that is asked questions by the other tests"]
fn answers() {
    reader::answer_questions();
}

/// What a table looks like.
const PLAIN: &str = "time INT UNSIGNED, data FLOAT, INDEX(time)";
const BARE: &str = "time INT UNSIGNED, data FLOAT";
const UNIQUE_TIMES: &str = "time INT UNSIGNED, data FLOAT, UNIQUE(time)";
const HISTOGRAM: &str = "time INT UNSIGNED, data FLOAT, data2 FLOAT, INDEX(time)";

/// A feed and those who write to it.
struct Live {
    columns: &'static str,
    options: &'static str,
    kinds: Vec<Kind>,
    writers: i64,
    size: usize,
    /// Whether an answer is of one moment as a whole. Where not, each of its rows
    /// is of some moment.
    is_whole: bool,
}

impl Live {
    fn new(columns: &'static str, kinds: &[&[Kind]]) -> Live {
        let kinds = kinds.concat();
        Live { columns, options: "", kinds, writers: 1, size: 400, is_whole: true }
    }
}

/// How a reader fared.
#[derive(Default)]
struct Fared {
    right: u64,
    /// Of these, by a state that was not there when the call began.
    newer: u64,
    changed: u64,
    kinds: BTreeMap<&'static str, u64>,
}

/// Asks one question after the other until `over`, and once more when nobody
/// writes.
fn ask_on(
    path: &Path,
    how: &How,
    feed: &Live,
    logs: &[Log],
    seed: u64,
    over: &AtomicBool,
) -> Fared {
    let histogram = feed.columns.contains("data2");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut pasts: Vec<Past> = logs.iter().map(Past::new).collect();
    let mut fared = Fared::default();
    let mut reader = None;
    loop {
        let last = over.load(Ordering::SeqCst);
        for (past, log) in pasts.iter_mut().zip(logs) {
            past.go_to(log.ended());
        }
        let reader = reader.get_or_insert_with(|| Reader::new(path, how));
        let question = loop {
            let some = Question::some(&mut random, &pasts[0].rows, histogram);
            // Only rows tell which writer they are from, and of which moment.
            let tells = (logs.len() == 1 && feed.is_whole)
                || matches!(some, Question::Rows { .. });
            if let Some(question) = reader.fitted(some).filter(|_| tells) {
                break question;
            }
        };
        let answer = reader.ask(question);
        let ends: Vec<usize> = logs.iter().map(Log::begun).collect();
        match answer {
            Ok(answer) => {
                let mut distance = 0;
                for (w, (past, end)) in pasts.iter().zip(ends).enumerate() {
                    let is_its = |(time, _): &&(f64, f64)| {
                        logs.len() == 1 || *time as i64 % feed::TICK == w as i64
                    };
                    let its: feed::Answer =
                        answer.iter().filter(is_its).copied().collect();
                    let found = match feed.is_whole {
                        true => {
                            past.find(end, |rows| difference(&question.of(rows), &its))
                        }
                        false => past.find_rows(end, question, &its),
                    };
                    distance += found
                        .unwrap_or_else(|wrong| panic!("{how:?}: {question:?}: {wrong}"));
                }
                fared.right += 1;
                fared.newer += u64::from(distance > 0);
                *fared.kinds.entry(question.name()).or_default() += 1;
            }
            Err(No::Changed) => {
                assert!(!last, "{how:?}: {question:?}: changed, though nobody writes");
                fared.changed += 1;
            }
            Err(No::Other(error)) => panic!("{how:?}: {question:?}: {error}"),
        }
        if last {
            return fared;
        }
    }
}

/// Readers as different as there are.
fn readers() -> Vec<How> {
    vec![
        How::new(By::Thread, Access::Mmap),
        How { evidence: Evidence::Nothing, ..How::new(By::Process, Access::Pread) },
        How::new(By::Command, Access::Mmap),
    ]
}

fn duration() -> Duration {
    effort(Duration::from_millis(600), Duration::from_secs(30))
}

/// A server with feeds that are written to.
struct Site {
    name: &'static str,
    server: Server,
    feeds: Vec<Live>,
    /// Of each feed, the statements of each of its writers.
    logs: Vec<Vec<Log>>,
}

/// What is done beside the writers, until the flag is up, which is after their
/// last statement, and once more; and what there is to say of it.
type Job = Box<dyn FnOnce(&Site, &AtomicBool) -> String + Send>;

impl Site {
    fn new(name: &'static str, globals: &[&str], feeds: Vec<Live>) -> Site {
        println!("{name}: seed {SEED:#x}");
        let mut server = Server::start();
        for global in globals {
            server.sql(&format!("SET GLOBAL {global}"));
        }
        let logs = feeds
            .iter()
            .map(|feed| (0..feed.writers).map(|_| Log::default()).collect())
            .collect();
        Site { name, server, feeds, logs }
    }

    fn table(feed: usize) -> String {
        format!("feed_{}", feed + 1)
    }

    fn rows_file(&self, feed: usize) -> PathBuf {
        self.server.rows_file(&Site::table(feed))
    }

    /// Has all writers write for a while, and `jobs` done beside them.
    fn write_beside(&mut self, jobs: Vec<Job>) {
        let mut writers = Vec::new();
        for (f, feed) in self.feeds.iter().enumerate() {
            let (Live { columns, options, .. }, table) = (feed, Site::table(f));
            let create =
                format!("CREATE TABLE {table} ({columns}) ENGINE=MyISAM {options}");
            self.server.sql(&create);
            for (second, log) in (0..).zip(&self.logs[f]) {
                let seed = SEED + writers.len() as u64;
                let mut writer = Writer::new(table.clone(), feed.kinds.clone(), seed);
                writer.data2 = columns.contains("data2");
                writer.second = second;
                writer.size = feed.size;
                let change = writer.fill();
                self.server.sql(&change.sql);
                log.begin(change);
                log.end(1);
                writers.push((writer, log, self.server.client()));
            }
        }
        let (over, all_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let site = &*self;
        let name = site.name;
        thread::scope(|scope| {
            let work = |(writer, log, client): &mut (Writer, &Log, Client)| {
                let tally = writer.work(client, log, &over);
                writer.compare(client, "the last statement");
                tally
            };
            let writing: Vec<_> = writers
                .iter_mut()
                .map(|writer| scope.spawn(move || work(writer)))
                .collect();
            let doing: Vec<_> = jobs
                .into_iter()
                .map(|job| scope.spawn(|| job(site, &all_over)))
                .collect();
            // A failure ends it at once.
            let begun = Instant::now();
            while begun.elapsed() < duration()
                && !writing.iter().any(|thread| thread.is_finished())
                && !doing.iter().any(|thread| thread.is_finished())
            {
                thread::sleep(Duration::from_millis(20));
            }
            over.store(true, Ordering::SeqCst);
            let tallies: Vec<_> = writing.into_iter().map(|w| w.join()).collect();
            settle();
            all_over.store(true, Ordering::SeqCst);
            let said: Vec<_> = doing.into_iter().map(|job| job.join()).collect();
            let mut tally = BTreeMap::<Kind, u64>::new();
            for one in tallies {
                let one = one.unwrap_or_else(|_| panic!("{name}: a writer failed"));
                one.into_iter()
                    .for_each(|(kind, n)| *tally.entry(kind).or_default() += n);
            }
            println!("{name}: statements {tally:?}");
            for line in said {
                println!(
                    "{name}: {}",
                    line.unwrap_or_else(|_| panic!("{name}: see above"))
                );
            }
        });
    }
}

/// A reader of a feed.
fn reads(feed: usize, how: &How, seed: u64) -> Job {
    let how = how.clone();
    Box::new(move |site: &Site, over: &AtomicBool| {
        let (live, logs) = (&site.feeds[feed], &site.logs[feed]);
        let fared = ask_on(&site.rows_file(feed), &how, live, logs, seed, over);
        let How { by, access, evidence, .. } = how;
        let Fared { right, newer, changed, kinds } = fared;
        // Three connections that edit, or edits of a long table, may leave it no
        // rest; when they are done there is an answer, at the latest.
        let rests = live.writers == 1 && live.size < 1000;
        assert!(
            right > changed || !rests,
            "{how:?}: {right} answers, {changed} times none"
        );
        format!(
            "feed {feed} by {by:?}, {access:?}, {evidence:?}: {right} right, {newer} of them \
             newer, {changed} changed; {kinds:?}"
        )
    })
}

/// Asks the server itself for all rows, which new ones may be appended beside.
fn selects(feed: usize) -> Job {
    Box::new(move |site: &Site, over: &AtomicBool| {
        let mut client = site.server.client();
        let mut times = 0;
        while !over.load(Ordering::SeqCst) {
            let sql =
                format!("SELECT SUM(data) FROM {} WHERE data > 0", Site::table(feed));
            client.sql(&sql).expect("a sum");
            times += 1;
        }
        format!("feed {feed} asked by SQL {times} times")
    })
}

/// Has feeds written to and read, and checks each answer.
fn live(name: &'static str, globals: &[&str], feeds: Vec<Live>, readers: &[How]) {
    let mut site = Site::new(name, globals, feeds);
    let mut jobs: Vec<Job> = (0..site.feeds.len())
        .flat_map(|feed| readers.iter().map(move |how| (feed, how)))
        .zip(SEED..)
        .map(|((feed, how), seed)| reads(feed, how, seed))
        .collect();
    if globals.iter().any(|global| global.starts_with("concurrent_insert")) {
        jobs.push(selects(0));
    }
    site.write_beside(jobs);
}

#[test]
fn beside_statements_of_all_kinds() {
    let feeds = vec![Live::new(PLAIN, &[INSERTS, EDITS])];
    live("plain", &[], feeds, &readers());
}

#[test]
fn beside_statements_that_fail_midway() {
    let feeds = vec![Live::new(UNIQUE_TIMES, &[INSERTS, UNIQUE, EDITS])];
    live("failing", &[], feeds, &readers());
}

/// Nothing tells that a statement rewrites rows that also appends others, which
/// are behind the committed ones until its end.
#[test]
fn beside_statements_that_append_rows_and_rewrite_others() {
    let odku = Live::new(UNIQUE_TIMES, &[INSERTS, &[OdkuMixed, OdkuMixed, DeleteOne]]);
    let locked = Live::new(PLAIN, &[INSERTS, &[LockedMixed, LockedMixed, DeleteOne]]);
    let feeds =
        vec![Live { is_whole: false, ..odku }, Live { is_whole: false, ..locked }];
    live("appending and rewriting", &[], feeds, &readers());
}

#[test]
fn beside_locked_tables() {
    let kinds: &[&[Kind]] = &[INSERTS, &[LockedInserts, LockedEdits, DeleteOne]];
    live("locked", &[], vec![Live::new(PLAIN, kinds)], &readers());
}

#[test]
fn beside_rebuilds() {
    let feeds = vec![Live::new(PLAIN, &[INSERTS, EDITS, REBUILDS])];
    live("rebuilds", &[], feeds, &readers());
}

/// A server that maps its tables writes without a trace in file times: nothing
/// tells of a statement that is at work on many rows.
#[test]
fn beside_a_server_that_maps_tables() {
    // It maps what is there when it opens a table.
    let rows = Live::new(UNIQUE_TIMES, &[INSERTS, EDITS, &[Flush]]);
    let feeds = vec![
        Live::new(PLAIN, &[ONE_ROW, INSERTS, &[Flush]]),
        Live { is_whole: false, ..rows },
    ];
    live("mapping", &["myisam_use_mmap=1"], feeds, &readers());
}

#[test]
fn beside_late_keys() {
    let late = Live::new(UNIQUE_TIMES, &[INSERTS, EDITS, UNIQUE]);
    let feeds = vec![
        Live::new(PLAIN, &[INSERTS, EDITS]),
        Live { options: "DELAY_KEY_WRITE=1", ..late },
    ];
    live("late keys", &["delay_key_write=ALL"], feeds, &readers()[..2]);
}

fn concurrent_inserts(how: &'static str) {
    let feeds = vec![Live::new(PLAIN, &[INSERTS, &[UpdateOne, DeleteOne]])];
    live(how, &[&format!("concurrent_insert={how}")], feeds, &readers()[..2]);
}

#[test]
fn beside_inserts_that_are_never_concurrent() {
    concurrent_inserts("NEVER");
}

#[test]
fn beside_inserts_that_are_concurrent_where_no_rows_are_deleted() {
    concurrent_inserts("AUTO");
}

#[test]
fn beside_inserts_that_are_always_concurrent() {
    concurrent_inserts("ALWAYS");
}

#[test]
fn beside_delayed_inserts() {
    live("delayed", &[], vec![Live::new(PLAIN, &[&[InsertDelayed]])], &readers());
}

/// A feed that is long enough for a summary to be kept, and readers that go by
/// the same one.
fn kept_summaries(name: &'static str, feed: Live, readers: &[(How, Evidence)]) {
    let folder = tempfile::tempdir().unwrap();
    let keep = Some(folder.path().join("kept"));
    let with = |(how, evidence): &(How, Evidence)| How {
        keep: keep.clone(),
        evidence: *evidence,
        ..how.clone()
    };
    let readers: Vec<_> = readers.iter().map(with).collect();
    live(name, &[], vec![Live { size: 17_000, ..feed }], &readers);
}

#[test]
fn with_checksums_and_kept_summaries() {
    let feed = Live::new(BARE, &[ONE_ROW, INSERTS, EDITS]);
    let evidence = [Evidence::Checksum, Evidence::Nothing, Evidence::Checksum];
    let readers: Vec<_> = readers().into_iter().zip(evidence).collect();
    kept_summaries("checksums", Live { options: "CHECKSUM=1", ..feed }, &readers);
}

#[test]
fn with_counters_and_kept_summaries() {
    let readers: Vec<_> = readers().into_iter().zip([Evidence::Counters; 2]).collect();
    kept_summaries("counters", Live::new(PLAIN, &[INSERTS]), &readers);
}

#[test]
fn several_feeds_at_once() {
    let feeds = vec![
        Live::new(HISTOGRAM, &[INSERTS, EDITS]),
        Live::new(BARE, &[INSERTS, EDITS]),
        Live { options: "CHECKSUM=1", ..Live::new(HISTOGRAM, &[INSERTS, EDITS]) },
    ];
    live("several feeds", &[], feeds, &readers()[..2]);
}

#[test]
fn several_writers_at_once() {
    let feeds = vec![Live { writers: 3, ..Live::new(PLAIN, &[INSERTS, EDITS]) }];
    live("several writers", &[], feeds, &readers());
}
