//! `emonfeed backup`: brings the copies of all feeds of one or more directories
//! up to date.

use crate::console::{Console, FAILED, INCOMPLETE, LOCKED};
use crate::database::{self, Dump, Dumped};
use crate::metrics;
use crate::selection::Selection;
use crate::signals::Signals;
use clap::builder::NonEmptyStringValueParser;
use emonfeed::backup::{
    Backup, CopyReport, Destination, Destinations, Done, FeedName, FeedReport, Outcome,
    PastRun, Recheck, RunOptions, Summary, parse_bytes,
};
use emonfeed::{Error, Status};
use indicatif::{
    HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};
use serde_json::{Value, json};
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Back up what is new in every feed of a directory
///
/// The copies are plain feed_N.MYD files of whole rows, with their definition
/// (.frm or .sdi); feeds of PHPFina are copied as N.dat and N.meta. A catalog
/// beside them (emonfeed.sqlite) records what each copy is known to hold. New
/// rows are appended. Edited rows are found and overwritten; their old contents
/// are kept, as are the copies of feeds that were cleared or rebuilt (see
/// --keep). If a run is killed, the next one carries on from there.
///
/// With several sources, each gets a directory in DEST_DIR, named after it.
///
/// One line is printed for each feed. Feeds that cannot be copied are reported
/// on standard error, and the others are still copied. Ctrl-C ends a run after
/// the current block; what was copied by then stays.
#[derive(clap::Args)]
#[command(
    override_usage = "emonfeed backup [OPTIONS] <SOURCE_DIR>... <DEST_DIR>",
    after_help = "\
Examples:
  Back up the feeds of a MySQL or MariaDB database:
    emonfeed backup /var/lib/mysql/emoncms /mnt/usb/emoncms
  All feeds of an emoncms with three engines, each kind in its own directory:
    emonfeed backup /var/lib/mysql/emoncms /var/opt/emoncms/phptimeseries \\
      /var/opt/emoncms/phpfina /mnt/usb/backup
  See what the next run would do:
    emonfeed backup -n -v /var/lib/mysql/emoncms /mnt/usb/emoncms
  From cron: print only errors, write at most 2 MB per second, and write nothing
  if the disk is not mounted:
    emonfeed backup -q --bwlimit 2M --require-mount /var/lib/mysql/emoncms /mnt/usb/emoncms
  Also dump the other tables (users, inputs, dashboards, the feeds' names), with
  the user and password from an option file of mariadb:
    emonfeed backup --database-dump emoncms --defaults-file /etc/emonfeed.cnf \\
      /var/lib/mysql/emoncms /mnt/usb/emoncms
  Report the outcome to monitoring:
    emonfeed backup --metrics /var/lib/node_exporter/emonfeed.prom \\
      /var/lib/mysql/emoncms /mnt/usb/emoncms
  Only some feeds, with output for a program:
    emonfeed backup --json --only 7,12,100-199 /var/lib/mysql/emoncms copies

Exit codes:
  0   all feeds are copied
  1   no feed could be copied, the run ended early, or the file of --metrics
      could not be written
  2   wrong usage
  3   some feeds could not be copied, the dump failed, --max-delete prevented
      the removal of copies, or the run was told to stop
  11  another run holds the lock on DEST_DIR"
)]
pub struct Args {
    /// One or more source directories, with the feeds (feed_1.MYD and so on); last,
    /// the destination for the copies, which is created if its parent exists
    #[arg(value_name = "DIR", num_args = 2.., required = true)]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Leave out feeds whose rows take more than SIZE bytes (500k, 100M)
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    max_size: Option<u64>,
    /// Also dump all tables of this database except those of feeds, with
    /// mariadb-dump, to database-TIME.sql.zst in DEST_DIR
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    database_dump: Option<String>,
    /// Option file with the user and password for mariadb-dump, below [client]
    /// [default: ~/.my.cnf and its other usual files]
    #[arg(long, value_name = "FILE", requires = "database_dump")]
    defaults_file: Option<PathBuf>,
    /// Number of dumps to keep
    #[arg(long, value_name = "K", default_value = "7", requires = "database_dump")]
    database_keep: NonZeroUsize,
    /// Only report what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// How much of the copies to compare with the source, besides their ends,
    /// which are always compared: 1/N for another N-th on each run, `all`, or
    /// `none`. Edits in tables with CHECKSUM=1 are found without this
    #[arg(long, value_name = "SHARE", default_value = "1/30")]
    recheck: Recheck,
    /// Number of old states to keep of each feed: N replaced files, N edits, and N
    /// values of its last row
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: u64,
    /// Remove the copies of feeds that are gone from the source, with everything
    /// kept of them
    #[arg(long)]
    delete: bool,
    /// With --delete, remove none if more than N are gone
    #[arg(long, value_name = "N", default_value_t = 10, requires = "delete")]
    max_delete: u64,
    /// Write at most RATE bytes per second (500k, 2M)
    #[arg(long, value_name = "RATE", value_parser = parse_bytes)]
    bwlimit: Option<u64>,
    /// Allow a destination on the same disk as the source
    #[arg(long)]
    same_device: bool,
    /// Refuse a destination whose disk is not mounted: one on the disk of the
    /// root directory, or below a directory for which /etc/fstab names a disk that
    /// is not mounted
    #[arg(long)]
    require_mount: bool,
    /// Allow a destination that belongs to another user, who can then replace
    /// what is in it
    #[arg(long)]
    trust_owner: bool,
    /// Number of feeds to process at a time, each by a thread of its own
    /// [default: the number of processors, but at most 4]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Write a text file for Prometheus's node exporter at the end of the run,
    /// even if the run failed
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    metrics: Option<PathBuf>,
    /// Print JSON: one object per feed, each on a line, and a summary; no progress
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Also print how many rows and bytes each copy holds
    #[arg(short, long)]
    verbose: bool,
    /// When to show progress on standard error: auto, if it is a terminal, or never
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "WHEN")]
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Progress {
    Auto,
    Never,
}

impl Args {
    fn options(&self) -> RunOptions {
        RunOptions {
            dry_run: self.dry_run,
            recheck: self.recheck,
            keep: self.keep,
            delete: self.delete,
            max_delete: self.max_delete,
            bytes_per_second: self.bwlimit,
            max_size: self.max_size,
            same_device: self.same_device,
            require_mount: self.require_mount,
            trust_owner: self.trust_owner,
            threads: self.threads.map_or_else(threads, NonZeroUsize::get),
            ..self.selection.options()
        }
    }
}

/// How many feeds are looked at at a time.
fn threads() -> usize {
    // More would wait for the kernel's locks on the two directories.
    const MOST: usize = 4;
    std::thread::available_parallelism().map_or(1, |n| n.get().min(MOST))
}

pub fn run(args: Args) -> ExitCode {
    let begun = SystemTime::now();
    let mut printer = Printer::new(&args);
    let mut code = match args.dirs.as_slice() {
        [source, destination] => {
            let signals = Signals::watch();
            one(&args, source, destination, &signals, &mut printer, true)
        }
        _ => several(&args, &mut printer),
    };
    if let Some(file) = &args.metrics {
        if let Err(error) = write_metrics(file, &args, begun, code, &printer.codes) {
            printer
                .console
                .complain(format_args!("cannot write {}: {error}", file.display()));
            code = code.max(FAILED);
        }
    }
    printer.console.finish(code)
}

/// Writes for monitoring how it went: the exit codes of each run, and of all.
fn write_metrics(
    file: &Path,
    args: &Args,
    begun: SystemTime,
    code: u8,
    codes: &[u8],
) -> std::io::Result<()> {
    let pairs = match args.dirs.as_slice() {
        [source, destination] => vec![(&**source, destination.clone())],
        // What makes no sense was refused, and tells nothing of backups.
        dirs => match pairs(dirs) {
            Ok((pairs, _)) => pairs,
            Err(_) => return Ok(()),
        },
    };
    let all = RunOptions {
        prefix: args.selection.prefix().to_owned(),
        ..RunOptions::default()
    };
    let begun = begun.duration_since(UNIX_EPOCH);
    let begun = begun.map_or(0, |since| since.as_secs() as i64);
    // What failed may belong to all of them: the dump, the directory they are in.
    let fails_together = codes.iter().all(|code| *code == 0);
    let state = |(i, (source, path)): (usize, &(&Path, PathBuf))| {
        let own = codes.get(i).copied().filter(|_| !fails_together);
        let read = Destination::read(path, &all);
        let mut state = read.ok().flatten().unwrap_or_default();
        state.path = path.clone();
        // If another run is at work, the catalog tells of that one.
        if !matches!(own.unwrap_or(code), 0 | LOCKED) {
            let run = state.last_run.take().filter(|run| run.started >= begun);
            // A run that could not begin has left nothing in the catalog.
            let mut run = run.unwrap_or_else(|| PastRun {
                started: begun,
                seconds: None,
                outcome: None,
                feeds: 0,
                failed: 0,
                bytes: 0,
                source: source.display().to_string(),
                message: None,
            });
            run.outcome = run.outcome.filter(|outcome| outcome != "ok");
            state.last_run = Some(run);
        }
        state
    };
    let states: Vec<Destination> = pairs.iter().enumerate().map(state).collect();
    metrics::write(file, &states)
}

/// A run for each of several sources; the exit code.
fn several(args: &Args, printer: &mut Printer) -> u8 {
    let opened = pairs(&args.dirs).and_then(|(pairs, destination)| {
        let sources = pairs.iter().map(|(source, _)| *source);
        let held = Destinations::open(sources, destination, &args.options())?;
        Ok((pairs, destination, held))
    });
    let (pairs, destination, _held) = match opened {
        Ok(opened) => opened,
        Err(error) => return printer.not_begun(&error, Path::new("")),
    };
    let signals = Signals::watch();
    let mut codes = Vec::new();
    for (source, own) in &pairs {
        if !signals.stopped() {
            codes.push(one(args, source, own, &signals, printer, false));
        }
    }
    if !signals.stopped() && !printer.database(destination) {
        codes.push(INCOMPLETE);
    }
    match codes.as_slice() {
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        _ => INCOMPLETE,
    }
}

type Pairs<'a> = Vec<(&'a Path, PathBuf)>;

/// Each source with its destination, and what these are in. Feeds of several
/// have the same names, so that each source needs a directory of its own.
fn pairs(dirs: &[PathBuf]) -> Result<(Pairs<'_>, &Path), Error> {
    let usage = |message: String| Err(Error::new(Status::Argument, message));
    let Some((destination, sources)) = dirs.split_last() else {
        return usage("name a source and a destination".to_owned());
    };
    let mut pairs = Pairs::new();
    for source in sources {
        let Some(name) = source.file_name() else {
            return usage(format!(
                "{}: with several sources, each must end in a name",
                source.display()
            ));
        };
        let own = destination.join(name);
        if pairs.iter().any(|(_, other)| *other == own) {
            return usage(format!(
                "two sources are called {}: back them up one at a time, to directories of \
                 their own",
                Path::new(name).display()
            ));
        }
        pairs.push((source, own));
    }
    Ok((pairs, destination))
}

/// One run, with the dump if there is to be one; its exit code.
fn one(
    args: &Args,
    source: &Path,
    destination: &Path,
    signals: &Signals,
    printer: &mut Printer,
    dumps: bool,
) -> u8 {
    let code = run_one(args, source, destination, signals, printer, dumps);
    printer.codes.push(code);
    code
}

fn run_one(
    args: &Args,
    source: &Path,
    destination: &Path,
    signals: &Signals,
    printer: &mut Printer,
    dumps: bool,
) -> u8 {
    let begun = Instant::now();
    let mut backup = match Backup::open(source, destination, args.options()) {
        Ok(backup) => backup,
        Err(error) => return printer.not_begun(&error, source),
    };
    printer.begun(&backup);
    let mut broken = None;
    loop {
        if signals.stopped() {
            backup.stop();
        }
        let step = backup.step(&mut |feed, bytes| {
            printer.written(feed, bytes);
            !signals.stopped()
        });
        match step {
            Ok(Some(report)) => printer.report(&report),
            Ok(None) => break,
            Err(error) => {
                broken = Some(error);
                // What was copied before is still to be reported.
                while let Ok(Some(report)) = backup.step(&mut |_, _| false) {
                    printer.report(&report);
                }
                break;
            }
        }
    }
    printer.console.bar.finish_and_clear();
    // After the feeds, so that each of them is named in it or newer than it,
    // and under the lock of the run.
    let dumps = dumps && broken.is_none() && !signals.stopped();
    let dumped = !dumps || printer.database(destination);
    let summary = backup.close();
    match (broken, summary) {
        (None, Ok(summary)) => printer.summary(&summary, dumped, begun.elapsed()),
        (Some(error), _) | (None, Err(error)) => {
            printer.console.complain(format_args!("the run ended early: {error}"));
            printer.console.failed(&error, args.json, None);
            FAILED
        }
    }
}

/// Writes how long a run will take. As long as no feed is done, nobody knows.
fn write_time_left(state: &ProgressState, bar: &mut dyn std::fmt::Write) {
    if state.pos() > 0 {
        // Writing to a string cannot fail.
        let _ = write!(bar, ", {:#} left", HumanDuration(state.eta()));
    }
}

/// Prints what happens.
struct Printer<'a> {
    args: &'a Args,
    console: Console,
    /// Columns the longest feed number takes.
    width: usize,
    /// Bytes written so far.
    bytes: u64,
    begun: Instant,
    /// The exit codes of the runs that are over.
    codes: Vec<u8>,
}

impl Printer<'_> {
    fn new(args: &Args) -> Printer<'_> {
        // What reads JSON may write to the same terminal.
        let bar = if args.progress == Progress::Never || args.quiet || args.json {
            ProgressBar::hidden()
        } else {
            // Hides itself where there is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        let style =
            ProgressStyle::with_template("{bar:25} {pos} of {len} feeds{left}{msg}");
        if let Ok(style) = style {
            bar.set_style(style.with_key("left", write_time_left));
        }
        Printer {
            args,
            console: Console::new(bar),
            width: 0,
            bytes: 0,
            begun: Instant::now(),
            codes: Vec::new(),
        }
    }

    fn begun(&mut self, backup: &Backup) {
        self.width = backup.longest_number();
        self.console.bar.reset();
        self.console.bar.set_length(backup.feeds());
        (self.bytes, self.begun) = (0, Instant::now());
    }

    fn written(&mut self, feed: &FeedName, bytes: u64) {
        self.bytes += bytes;
        if self.console.bar.is_hidden() {
            return;
        }
        let megabytes = self.bytes as f64 / 1e6;
        let rate = megabytes / self.begun.elapsed().as_secs_f64().max(1e-3);
        let feed = feed.number();
        self.console
            .bar
            .set_message(format!(", {megabytes:.1} MB at {rate:.1} MB/s, feed {feed}"));
    }

    fn report(&mut self, report: &FeedReport) {
        let feed = report.feed.number();
        if self.args.json {
            self.out(feed_json(report));
        }
        match &report.done {
            Done::Failed(error) => {
                self.console.complain(format_args!("feed {feed} is not copied: {error}"));
            }
            _ if self.args.json || self.args.quiet => {}
            Done::Copied(copied) => self.out(self.line(feed, copied, report.took)),
            other => {
                let width = self.width;
                self.out(format!("feed {feed:>width$}  {other}"));
            }
        }
        self.console.bar.inc(1);
    }

    fn line(&self, feed: &str, report: &CopyReport, took: Duration) -> String {
        let width = self.width;
        let mut line = format!("feed {feed:>width$}  {:<14}", report.outcome.name());
        if report.rows_copied > 0 {
            let (rows, bytes) = (report.rows_copied, report.bytes_copied);
            line.push_str(&format!("  {rows:>9} rows  {bytes:>11} bytes"));
            if !report.dry_run {
                let rate = bytes as f64 / 1e3 / took.as_secs_f64().max(1e-6);
                line.push_str(&format!("  {rate:>8.0} kB/s"));
            }
        }
        let held =
            format!("{} rows, {} bytes in all", report.rows_total, report.bytes_total);
        let held = self.args.verbose.then_some(held);
        for (i, note) in held.into_iter().chain(report.notes()).enumerate() {
            line.push_str(if i == 0 { "  " } else { "; " });
            line.push_str(&note);
        }
        line.trim_end().to_owned()
    }

    /// Dumps the database if that was asked for; `false` if it failed.
    fn database(&mut self, destination: &Path) -> bool {
        let Some(database) = self.args.database_dump.clone() else { return true };
        if self.args.dry_run {
            return true;
        }
        let dump = Dump {
            database,
            defaults_file: self.args.defaults_file.clone(),
            prefix: self.args.selection.prefix().to_owned(),
            keep: self.args.database_keep.get(),
        };
        let begun = Instant::now();
        let result = database::dump(&dump, destination);
        if let Err(message) = &result {
            self.console.complain(message);
        }
        let name = &dump.database;
        if self.args.json {
            self.out(dump_json(name, result.as_ref(), begun.elapsed()));
        } else if let (Ok(dumped), false) = (&result, self.args.quiet) {
            let Dumped { name: file, bytes, tables, removed } = dumped;
            let mut line =
                format!("database {name}  {tables} tables dumped  {bytes} bytes  {file}");
            for old in removed {
                line.push_str(&format!("; {old} removed"));
            }
            self.out(line);
        }
        result.is_ok()
    }

    fn summary(&mut self, summary: &Summary, dumped: bool, took: Duration) -> u8 {
        let code = match summary.failed {
            _ if summary.is_complete() && dumped => 0,
            failed if failed == summary.feeds => FAILED,
            _ => INCOMPLETE,
        };
        if let Some(why) = &summary.not_deleted {
            self.console.complain(why);
        }
        if summary.stopped {
            self.console
                .complain("stopped before the end; what was copied until then stays");
        }
        let counts = Outcome::ALL.map(|outcome| (outcome.name(), summary.count(outcome)));
        let more = [
            ("failed", summary.failed),
            ("skipped", summary.skipped),
            ("source-gone", summary.source_gone),
            ("deleted", summary.deleted),
        ];
        let counts = counts.into_iter().chain(more);
        if self.args.json {
            let mut object = json!({
                "type": "summary",
                "dry_run": self.args.dry_run,
                "feeds": summary.feeds,
                "rows_copied": summary.rows_copied,
                "bytes_copied": summary.bytes_copied,
                "stopped": summary.stopped,
                "seconds": took.as_secs_f64(),
                "exit_code": code,
            });
            for (name, count) in counts {
                object[name] = count.into();
            }
            self.out(object);
        } else if !self.args.quiet {
            let counts: Vec<_> = counts
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| format!("{count} {name}"))
                .collect();
            let (rows, bytes) = (summary.rows_copied, summary.bytes_copied);
            let s = if summary.feeds == 1 { "" } else { "s" };
            let done = if self.args.dry_run { "to copy (dry run)" } else { "copied" };
            self.out(format!(
                "{} feed{s}: {}; {rows} rows, {bytes} bytes {done} in {:.2} s",
                summary.feeds,
                counts.join(", "),
                took.as_secs_f64()
            ));
        }
        code
    }

    fn not_begun(&mut self, error: &Error, source: &Path) -> u8 {
        // What a hint could say of other failures is in the help.
        let of_source = error.path().is_some_and(|path| path.starts_with(source));
        self.console.not_begun(error, of_source, self.args.json, None)
    }

    fn out(&mut self, line: impl Display) {
        self.console.out(line);
    }
}

fn feed_json(report: &FeedReport) -> Value {
    let mut object = json!({
        "type": "feed",
        "feed": report.feed.number(),
        "file": report.feed.file(),
        "outcome": report.done.name(),
        "seconds": report.took.as_secs_f64(),
    });
    let more = match &report.done {
        Done::Copied(copied) => json!({
            "dry_run": copied.dry_run,
            "rows_copied": copied.rows_copied,
            "rows_total": copied.rows_total,
            "bytes_copied": copied.bytes_copied,
            "bytes_total": copied.bytes_total,
            "bytes_repaired": copied.bytes_repaired,
            "bytes_overwritten": copied.bytes_overwritten,
            "definition_copied": copied.definition_copied,
            "adopted": copied.adopted,
            "kept": copied.kept.as_ref().map(|path| path.display().to_string()),
            "message": copied.to_string(),
        }),
        Done::Failed(error) => json!({
            "status": error.status().code(),
            "message": error.to_string(),
        }),
        Done::Skipped { bytes } => json!({ "bytes": bytes }),
        Done::SourceGone | Done::Deleted { .. } => json!({}),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

fn dump_json(database: &str, result: Result<&Dumped, &String>, took: Duration) -> Value {
    let mut object = json!({
        "type": "database",
        "database": database,
        "outcome": if result.is_ok() { "dumped" } else { "failed" },
        "seconds": took.as_secs_f64(),
    });
    match result {
        Ok(dumped) => {
            object["file"] = dumped.name.as_str().into();
            object["bytes"] = dumped.bytes.into();
            object["tables"] = dumped.tables.into();
            object["removed"] = dumped.removed.clone().into();
        }
        Err(message) => object["message"] = message.as_str().into(),
    }
    object
}
