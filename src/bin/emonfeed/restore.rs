//! `emonfeed restore`: puts copies back.

use crate::client::{self, Client};
use crate::console::{Console, FAILED, INCOMPLETE};
use crate::selection::Selection;
use crate::signals::Signals;
use crate::time;
use emonfeed::backup::{
    FeedName, Prepared, Restore, RestoreOptions, Restored, RunOptions, Statements,
    Target, kept_states, name_of_files,
};
use emonfeed::{Error, Status};
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Put copies back: into an empty folder, PHPTimeSeries, PHPFina or a database
///
/// COPIES is a destination of `emonfeed backup`; each block is checked against the
/// catalog there (emonfeed.sqlite), which is only read. Or COPIES is a folder of
/// feed_N.MYD files made by the old backup script. Anything at the end of such a
/// file that is not a row (a torn row, zeros or garbage, which MySQL would take
/// for rows) is cut off and counted.
///
/// TARGET is an empty folder, which is created if its parent exists, a directory
/// of PHPTimeSeries or PHPFina, or the directory of a database. Files get its
/// owner, and the mode of the feeds that are already there. All target files are
/// checked before the first is written, each feed is first written under another
/// name, and nothing is overwritten without --force.
///
/// A database server has to rebuild the index of each table. The statements for
/// that are printed, together with those that must come before. With --run, they
/// are executed, and the tables are then compared with the copies. A table whose
/// copy has no .frm (old script, PHPTimeSeries, MySQL 8) is first created by
/// CREATE TABLE. The client programs take the user and password from their option
/// files (~/.my.cnf, or --defaults-file).
///
/// The server must close a table before it is overwritten; otherwise it goes on
/// writing to files that are gone. With --force, --run takes care of that. Without
/// --run, the FLUSH statements are printed and nothing else is done, until
/// --flushed says that they were executed or that the server is stopped. In any
/// case, first stop everything that writes to the feeds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  Test a backup: read and check all of it, write nothing; then write it
    emonfeed restore -n /mnt/usb/emoncms /tmp/restored
    emonfeed restore /mnt/usb/emoncms /tmp/restored
  Restore into a database that has lost its feeds; pipe the statements to the client:
    sudo emonfeed restore /mnt/usb/emoncms /var/lib/mysql/emoncms | sudo mariadb
  The same, but let the command execute the statements and compare:
    sudo emonfeed restore --run --database emoncms /mnt/usb/emoncms /var/lib/mysql/emoncms
  One feed as it was before a wrong edit:
    emonfeed restore --list --only 7 /mnt/usb/emoncms
    sudo emonfeed restore --only 7 --generation 3 --force --run --database emoncms \\
      /mnt/usb/emoncms /var/lib/mysql/emoncms
  Overwrite by hand: flush, replace, repair
    sudo emonfeed restore --only 7 --force copies /var/lib/mysql/emoncms | sudo mariadb
    sudo emonfeed restore --only 7 --force --flushed copies /var/lib/mysql/emoncms | sudo mariadb
  Copies made by the old script: the first call creates the tables, the second fills them
    sudo emonfeed restore old /var/lib/mysql/emoncms | sudo mariadb
    sudo emonfeed restore --flushed old /var/lib/mysql/emoncms | sudo mariadb

Exit codes:
  0   all feeds are restored
  1   no feed is restored
  2   wrong usage
  3   some feeds are not restored, or a table differs from its copy
  11  a backup is writing to COPIES")]
pub struct Args {
    /// Directory of the copies
    #[arg(value_name = "COPIES")]
    copies: PathBuf,
    /// Directory to restore them to
    #[arg(value_name = "TARGET", required_unless_present = "list")]
    target: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// List the kept states of each feed, and do nothing else
    #[arg(long, conflicts_with_all = ["target", "generation", "force", "run", "dry_run"])]
    list: bool,
    /// Restore state N of one feed instead of the current state
    #[arg(long, value_name = "N")]
    generation: Option<i64>,
    /// Overwrite what is there
    #[arg(long)]
    force: bool,
    /// Accept damaged copies: take blocks as they are now, leave out rows that no
    /// table can have, and do without a catalog that cannot be read
    #[arg(long)]
    accept_damaged: bool,
    /// State that the FLUSH and CREATE TABLE statements were executed, or that the
    /// server is stopped
    #[arg(long, conflicts_with = "run")]
    flushed: bool,
    /// Execute the statements with the client program, and compare the tables with
    /// the copies
    #[arg(long)]
    run: bool,
    /// Name of the database whose directory TARGET is [default: from TARGET's name]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Option file for the client program, in place of its usual ones
    #[arg(long, value_name = "FILE", requires = "run")]
    defaults_file: Option<PathBuf>,
    /// Read and check everything, write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print JSON: one object per feed, each on a line, and a summary
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors and statements
    #[arg(short, long)]
    quiet: bool,
}

impl Args {
    fn options(&self) -> RestoreOptions {
        let RunOptions { prefix, only, exclude, .. } = self.selection.options();
        RestoreOptions {
            prefix,
            only,
            exclude,
            generation: self.generation,
            force: self.force,
            accept_damaged: self.accept_damaged,
            database: self.database.clone(),
            executes: self.run,
            flushed: self.flushed,
            dry_run: self.dry_run,
        }
    }
}

pub fn run(args: Args) -> ExitCode {
    let mut printer = Printer {
        args: &args,
        sql: false,
        width: 0,
        console: Console::new(ProgressBar::hidden()),
    };
    let code = match &args.target {
        Some(target) if !args.list => restore(&args, target, &mut printer),
        _ => list(&args, &mut printer),
    };
    // A client that reads statements has not seen enough when it goes away.
    printer.console.needs_reader = printer.sql;
    printer.console.finish(code)
}

fn list(args: &Args, printer: &mut Printer) -> u8 {
    let feeds = match kept_states(&args.copies, &args.options()) {
        Ok(feeds) => feeds,
        Err(error) => return printer.not_begun(&error),
    };
    let zone = TimeZone::system();
    for (feed, states) in feeds {
        for state in states {
            let ending = state.ending.map_or("current", |ending| ending.name());
            if args.json {
                printer.out(json!({
                    "type": "state",
                    "feed": feed.number(),
                    "generation": state.number,
                    "ended": state.ended,
                    "ending": ending,
                    "rows": state.rows,
                    "bytes": state.bytes,
                    "reason": state.reason,
                }));
                continue;
            }
            let ended = state.ended.map(|at| time::show(at, &zone)).unwrap_or_default();
            let line = format!(
                "feed {}  generation {:>4}  {ended:<25}  {ending:<9}  {:>9} rows  {:>11} bytes  {}",
                feed.number(),
                state.number,
                state.rows,
                state.bytes,
                state.reason
            );
            printer.out(line.trim_end());
        }
    }
    0
}

fn restore(args: &Args, target: &Path, printer: &mut Printer) -> u8 {
    let begun = Instant::now();
    let mut restore = match Restore::open(&args.copies, target, args.options()) {
        Ok(restore) => restore,
        Err(error) => return printer.not_begun(&error),
    };
    let database = match restore.target() {
        Target::Database(name) => Some(name.clone()),
        _ => None,
    };
    let server = match (&database, args.run && !args.dry_run) {
        (None, _) if args.run => {
            return printer.not_begun(&Error::new(
                Status::Argument,
                "--run is for the directory of a database, and TARGET looks like none: name it \
                 with --database",
            ));
        }
        (Some(database), true) => {
            let client = Client { defaults_file: args.defaults_file.clone() };
            let server = Server { client, database: database.clone() };
            if let Err(why) = server.demand_serves(target) {
                return printer.not_begun(&Error::new(Status::Argument, why));
            }
            Some(server)
        }
        _ => None,
    };
    printer.sql = database.is_some() && !args.run;
    let numbers = restore.feeds().iter().map(|feed| feed.number().len());
    printer.width = numbers.max().unwrap_or(0);
    match restore.conflicts() {
        Ok(conflicts) if conflicts.is_empty() => {}
        Ok(conflicts) => {
            for (feed, error) in &conflicts {
                printer.failed(feed, error);
            }
            printer.console.complain("nothing is written");
            return printer.summary(&Counts::none(conflicts.len() as u64), begun);
        }
        Err(error) => return printer.not_begun(&error),
    }
    if !args.dry_run {
        match restore.to_be_done_first() {
            Ok(first) if first.is_empty() => {}
            Ok(first) => return printer.first(&first),
            Err(error) => return printer.not_begun(&error),
        }
    }
    if let Err(error) = restore.make_target() {
        return printer.not_begun(&error);
    }
    if restore.left_out() > 0 {
        let left_out = restore.left_out();
        printer.note(format_args!(
            "{left_out} feeds of other kinds than TARGET's are left out"
        ));
    }
    if !restore.has_catalog() {
        printer.note(
            "there is no catalog to go by: rows are checked one by one, not by hashes",
        );
    }
    let counts = feeds(&restore, server.as_ref(), printer);
    printer.summary(&counts, begun)
}

/// Puts all feeds back, one after the other.
fn feeds(restore: &Restore, server: Option<&Server>, printer: &mut Printer) -> Counts {
    let signals = Signals::watch();
    let mut counts = Counts::none(0);
    for feed in restore.feeds() {
        if signals.stopped() {
            counts.stopped = true;
            break;
        }
        let begun = Instant::now();
        match restore.prepare(feed, &mut |_| !signals.stopped()) {
            Ok(Some(prepared)) => match put(prepared, server) {
                Ok((restored, difference)) => {
                    counts.restored += 1;
                    counts.rows += restored.rows;
                    counts.bytes += restored.bytes;
                    counts.different += u64::from(difference.is_some());
                    printer.restored(
                        feed,
                        &restored,
                        difference.as_deref(),
                        begun.elapsed(),
                    );
                }
                Err(Broken { error, ends }) => {
                    counts.failed += 1;
                    printer.failed(feed, &error);
                    if ends {
                        counts.stopped = true;
                        break;
                    }
                }
            },
            Ok(None) => {
                counts.stopped = true;
                break;
            }
            Err(error) => {
                counts.failed += 1;
                printer.failed(feed, &error);
            }
        }
    }
    counts
}

/// Why a feed is not put back.
struct Broken {
    error: Error,
    /// Whether the others would not be, either.
    ends: bool,
}

/// Gives a feed its names, the server told before and after; what differs
/// then.
fn put(
    prepared: Prepared,
    server: Option<&Server>,
) -> Result<(Restored, Option<String>), Broken> {
    let here = |error| Broken { error, ends: false };
    let (Some(server), Some(statements)) =
        (server, prepared.restored().statements.clone())
    else {
        return Ok((prepared.publish().map_err(here)?, None));
    };
    if !statements.before.is_empty() {
        server.ask(&statements.before.join("; ")).map_err(|why| Broken {
            error: Error::new(Status::Io, format!("nothing is changed: {why}")),
            ends: true,
        })?;
    }
    let restored = prepared.publish().map_err(here)?;
    match server.repair(&statements, &restored) {
        Ok(()) => Ok((restored, None)),
        Err(difference) => Ok((restored, Some(difference))),
    }
}

/// The server whose files are written.
struct Server {
    client: Client,
    database: String,
}

impl Server {
    fn ask(&self, sql: &str) -> Result<Vec<client::Row>, String> {
        client::query(&self.client, &self.database, sql)
    }

    /// Fails if the server keeps the database elsewhere: the statements would
    /// go to other tables.
    fn demand_serves(&self, target: &Path) -> Result<(), String> {
        let answer = self.ask("SELECT @@datadir")?;
        let datadir = answer.first().and_then(|row| row.first()?.as_deref());
        let datadir = Path::new(datadir.unwrap_or_default());
        let identity =
            |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
        // A server in a container has paths of its own, or it is hidden from us.
        let Ok(entries) = fs::read_dir(datadir) else { return Ok(()) };
        let is_it = entries.flatten().map(|entry| entry.path()).any(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.and_then(name_of_files).as_deref() == Some(&self.database)
                && identity(&path) == identity(target)
        });
        if is_it {
            return Ok(());
        }
        Err(format!(
            "the server keeps its files in {}, and TARGET is not the directory of the database \
             {} there",
            datadir.display(),
            self.database
        ))
    }

    /// Has the index made, and compares; what is wrong.
    fn repair(&self, statements: &Statements, restored: &Restored) -> Result<(), String> {
        let mut sql = statements.after.join("; ");
        sql.push_str(&format!("; {}; {}", statements.count, statements.checksum));
        let answer = self.ask(&sql)?;
        let mut wrong = Vec::new();
        let (mut count, mut checksum) = (None, None);
        for row in &answer {
            let cell = |index: usize| row.get(index).and_then(Option::as_deref);
            match row.len() {
                1 => count = cell(0).and_then(|text| text.parse::<u64>().ok()),
                2 => checksum = cell(1).and_then(|text| text.parse::<u32>().ok()),
                4 => {
                    let (kind, text) = (cell(2).unwrap_or(""), cell(3).unwrap_or(""));
                    // All rows are new to a table that begins without any.
                    let is_fine = text == "OK"
                        || text.starts_with("Number of rows changed from ")
                        || matches!(kind, "info" | "note");
                    if !is_fine || text.starts_with("Duplicate key") {
                        wrong.push(format!("{kind}: {text}"));
                    }
                }
                _ => {}
            }
        }
        if count != Some(restored.live) {
            let has =
                count.map_or("cannot be counted".to_owned(), |n| format!("has {n} rows"));
            wrong.insert(0, format!("it {has}, the copy {}", restored.live));
        }
        let (skipping, all) = restored.checksums;
        if checksum.is_none_or(|sum| sum != skipping && sum != all) {
            let is = checksum.map_or("unknown".to_owned(), |sum| sum.to_string());
            wrong.push(format!("its checksum is {is}, the copy's {skipping}"));
        }
        // Thousands of rows may each have something said of them.
        const MOST: usize = 5;
        let more = wrong.len().saturating_sub(MOST);
        wrong.truncate(MOST);
        if more > 0 {
            wrong.push(format!("{more} more messages of the server"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// What came of it.
struct Counts {
    restored: u64,
    failed: u64,
    different: u64,
    rows: u64,
    bytes: u64,
    stopped: bool,
}

impl Counts {
    fn none(failed: u64) -> Counts {
        Counts { restored: 0, failed, different: 0, rows: 0, bytes: 0, stopped: false }
    }

    fn code(&self) -> u8 {
        match self {
            Counts { failed: 0, different: 0, stopped: false, .. } => 0,
            Counts { restored: 0, .. } => FAILED,
            _ => INCOMPLETE,
        }
    }
}

/// Prints what happens.
struct Printer<'a> {
    args: &'a Args,
    /// Whether what is printed is to be executed by a client.
    sql: bool,
    width: usize,
    console: Console,
}

impl Printer<'_> {
    fn restored(
        &mut self,
        feed: &FeedName,
        restored: &Restored,
        difference: Option<&str>,
        took: Duration,
    ) {
        let number = feed.number();
        if self.args.json {
            self.out(feed_json(feed, restored, difference, took));
        } else if !self.args.quiet {
            let width = self.width;
            let done = if self.args.dry_run { "sound" } else { "restored" };
            let mut line = format!(
                "feed {number:>width$}  {done}  {:>9} rows  {:>11} bytes",
                restored.rows, restored.bytes
            );
            for (i, note) in notes(restored, self.args.dry_run).iter().enumerate() {
                line.push_str(if i == 0 { "  " } else { "; " });
                line.push_str(note);
            }
            self.line(line);
        }
        if self.sql && !self.args.json {
            if let Some(statements) = &restored.statements {
                self.statements(statements, restored);
            }
        }
        if let Some((user, group)) = restored.owner {
            let target = self.args.target.as_deref().unwrap_or(Path::new(""));
            let path = target.join(feed.file());
            let stem = path.with_extension("*");
            self.console.complain(format_args!(
                "feed {number}: only root can give its files their owner: sudo chown \
                 {user}:{group} {}",
                stem.display()
            ));
        }
        if let Some(difference) = difference {
            self.console.complain(format_args!(
                "feed {number} is not in the database as it is in the copy: {difference}"
            ));
        }
    }

    fn statements(&mut self, statements: &Statements, restored: &Restored) {
        if self.args.dry_run {
            for statement in &statements.before {
                self.out(format_args!("{statement};"));
            }
        }
        for statement in &statements.after {
            self.out(format_args!("{statement};"));
        }
        self.out(format_args!("{}; -- {}", statements.count, restored.live));
        let (skipping, all) = restored.checksums;
        let or =
            if skipping == all { String::new() } else { format!(", of MySQL {all}") };
        self.out(format_args!("{}; -- {skipping}{or}", statements.checksum));
    }

    /// Statements that have to come first.
    fn first(&mut self, statements: &[String]) -> u8 {
        if self.args.json {
            self.out(json!({
                "type": "summary", "restored": 0, "first": statements, "exit_code": FAILED,
            }));
        } else {
            for statement in statements {
                self.out(format_args!("{statement};"));
            }
        }
        self.console.complain(
            "nothing is written yet: the server has to make or close tables first. Have it \
             execute these statements and call this again with --flushed, or let --run do both",
        );
        FAILED
    }

    fn failed(&mut self, feed: &FeedName, error: &Error) {
        let number = feed.number();
        if self.args.json {
            self.out(json!({
                "type": "feed",
                "feed": number,
                "file": feed.file(),
                "outcome": "failed",
                "status": error.status().code(),
                "message": error.to_string(),
            }));
        }
        self.console.complain(format_args!("feed {number} is not restored: {error}"));
    }

    fn summary(&mut self, counts: &Counts, begun: Instant) -> u8 {
        let code = counts.code();
        if counts.stopped {
            self.console
                .complain("stopped before the end; what was restored until then stays");
        }
        let Counts { restored, failed, different, rows, bytes, .. } = *counts;
        let seconds = begun.elapsed().as_secs_f64();
        if self.args.json {
            self.out(json!({
                "type": "summary",
                "dry_run": self.args.dry_run,
                "restored": restored,
                "failed": failed,
                "different": different,
                "rows": rows,
                "bytes": bytes,
                "stopped": counts.stopped,
                "seconds": seconds,
                "exit_code": code,
            }));
        } else if !self.args.quiet {
            let feeds = restored + failed;
            let s = if feeds == 1 { "" } else { "s" };
            let done = if self.args.dry_run { "sound (dry run)" } else { "restored" };
            let mut line = format!("{feeds} feed{s}: {restored} {done}");
            if failed > 0 {
                line.push_str(&format!(", {failed} failed"));
            }
            if different > 0 {
                line.push_str(&format!(", {different} not as the copies"));
            }
            self.line(format!("{line}; {rows} rows, {bytes} bytes in {seconds:.2} s"));
        }
        code
    }

    fn not_begun(&mut self, error: &Error) -> u8 {
        self.console.not_begun(error, true, self.args.json, None)
    }

    /// A line for people. Where statements are printed it is a comment.
    fn line(&mut self, line: impl Display) {
        if self.sql { self.out(format_args!("-- {line}")) } else { self.out(line) }
    }

    fn note(&self, note: impl Display) {
        if !self.args.quiet {
            self.console.say(format_args!("note: {note}"));
        }
    }

    fn out(&mut self, line: impl Display) {
        self.console.out(line);
    }
}

/// What is worth a word.
fn notes(restored: &Restored, dry_run: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let mut counted = |count: u64, what: &str| {
        if count > 0 {
            notes.push(format!("{count} {what}"));
        }
    };
    counted(restored.deleted, "of the rows are deleted ones");
    counted(restored.tail.torn_bytes, "bytes of a torn row cut off");
    counted(restored.tail.zero_rows, "rows of zeros cut off the end");
    counted(restored.tail.garbage_rows, "rows of garbage cut off the end");
    counted(restored.damaged_blocks, "DAMAGED blocks taken as they are");
    counted(restored.left_out, "DAMAGED rows left out");
    let would = if dry_run { "would be " } else { "" };
    if restored.replaced {
        notes.push(format!("what was there {would}overwritten"));
    }
    if restored.stale_index {
        notes.push(format!("an index without its table {would}removed"));
    }
    notes
}

fn feed_json(
    feed: &FeedName,
    restored: &Restored,
    difference: Option<&str>,
    took: Duration,
) -> Value {
    let tail = restored.tail;
    let statements = restored.statements.as_ref().map(|statements| {
        json!({
            "before": statements.before,
            "after": statements.after,
            "count": statements.count,
            "checksum": statements.checksum,
        })
    });
    json!({
        "type": "feed",
        "feed": feed.number(),
        "file": feed.file(),
        "outcome": if difference.is_some() { "different" } else { "restored" },
        "generation": restored.generation,
        "rows": restored.rows,
        "rows_live": restored.live,
        "rows_deleted": restored.deleted,
        "bytes": restored.bytes,
        "checksum": restored.checksums.0,
        "checksum_mysql": restored.checksums.1,
        "torn_bytes": tail.torn_bytes,
        "zero_rows": tail.zero_rows,
        "garbage_rows": tail.garbage_rows,
        "damaged_blocks": restored.damaged_blocks,
        "damaged_rows": restored.left_out,
        "replaced": restored.replaced,
        "definition": restored.definition,
        "owner_set": restored.owner.is_none(),
        "statements": statements,
        "message": difference,
        "seconds": took.as_secs_f64(),
    })
}
