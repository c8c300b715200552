//! `emonfeed export`: the feeds of a directory as a dataset for engines that use more
//! than one machine.

mod dataset;
mod format;
mod partition;
mod run;

use crate::console::{Console, FAILED, INCOMPLETE};
use crate::selection::Selection;
use crate::signals::Signals;
use dataset::Dataset;
use emonfeed::backup::{Destinations, FeedName, RunOptions, Whole};
use emonfeed::{Error, Result, Status};
use format::{Form, Format, Packing};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use partition::Years;
use run::{Exported, Run};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// Write feeds as a dataset for DuckDB, Spark, pandas and others
///
/// The dataset is a directory partitioned as in Hive: one file for each year (UTC) of
/// each feed, DEST/feed=7/year=2025/part-0.parquet, with the columns `time` and
/// `value` (and `data2` in histogram feeds), sorted by time. The value of a reading
/// without one is null.
///
/// Each run writes only the years in which rows were added, removed or edited; a feed
/// whose files are unchanged is not even read. A file gets its name, or replaces
/// the old one, only when it is complete. Years whose rows are all gone are removed.
///
/// The feeds are only read: from the directory of a database or of PHPTimeSeries,
/// while other programs use it, or from a backup, to which no other backup can write
/// meanwhile. If a feed is written to meanwhile, its pieces may be of different
/// moments; the next run finds what was missed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed export /mnt/usb/emoncms --to /data/emoncms
  Query the dataset with DuckDB:
    SELECT feed, avg(value) FROM read_parquet('/data/emoncms/*/*/*.parquet',
      hive_partitioning = true, union_by_name = true) WHERE year = 2025 GROUP BY feed
  Only some feeds, as text:
    emonfeed export /var/lib/mysql/emoncms --to csv --format csv --only 1-50
  See what the next run would do:
    emonfeed export -n -v /mnt/usb/emoncms --to /data/emoncms

Exit codes:
  0   the dataset is up to date
  1   nothing could be exported
  2   wrong usage
  3   some feeds could not be exported, or it was told to stop
  11  another run holds the lock on DEST, or a backup is at work on DIR")]
pub struct Args {
    /// Directory with the feeds (feed_1.MYD and so on)
    #[arg(value_name = "DIR")]
    source: PathBuf,
    /// Directory of the dataset, created if its parent exists
    #[arg(long, value_name = "DEST")]
    to: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// File format of the dataset
    #[arg(long, value_enum, default_value = "parquet")]
    format: Format,
    /// Compression of the files
    #[arg(long, value_enum, default_value = "zstd")]
    compression: Packing,
    /// Remove the partitions of feeds that are gone from the source
    #[arg(long)]
    delete: bool,
    /// Number of feeds to write at a time, each by a thread of its own [default: the
    /// number of processors, but at most 4]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Accept that the feeds of the dataset are now in another directory than before
    #[arg(long)]
    source_moved: bool,
    /// Only report what would be written
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Allow a destination that belongs to another user, who can then replace
    /// what is in it
    #[arg(long)]
    trust_owner: bool,
    /// Print JSON: one object per feed, each on a line, and a summary; no progress
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Also print a line for feeds that have not changed
    #[arg(short, long)]
    verbose: bool,
}

/// More would only wait for the disk.
const MAX_THREADS: usize = 64;

/// What all feeds came to.
#[derive(Default)]
struct Total {
    feeds: u64,
    failed: u64,
    gone: u64,
    left_out: u64,
    sum: Exported,
    stopped: bool,
}

impl Total {
    fn add(&mut self, one: &Exported) {
        self.feeds += 1;
        let sum = &mut self.sum;
        sum.rows += one.rows;
        sum.bytes += one.bytes;
        sum.written += one.written;
        sum.unchanged += one.unchanged;
        sum.removed += one.removed;
    }

    fn code(&self) -> u8 {
        match (self.stopped, self.failed) {
            (false, 0) => 0,
            (false, _) if self.feeds == 0 => FAILED,
            _ => INCOMPLETE,
        }
    }
}

pub fn run(args: Args) -> ExitCode {
    let bar = if args.quiet || args.json {
        ProgressBar::hidden()
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    };
    if let Ok(style) =
        ProgressStyle::with_template("{bar:25} {pos} of {len} feeds, {eta} left")
    {
        bar.set_style(style);
    }
    let mut console = Console::new(bar);
    let code = match export(&args, &mut console) {
        Ok(total) => total.code(),
        Err(error) => console.not_begun(&error, !args.quiet, args.json, Some(&args.to)),
    };
    console.finish(code)
}

fn export(args: &Args, console: &mut Console) -> Result<Total> {
    let begun = Instant::now();
    // Their libraries write numbers as the processor has them.
    if cfg!(target_endian = "big") && args.format != Format::Csv {
        return Err(Error::new(
            Status::Argument,
            "Parquet and Arrow cannot be written on this processor, which is big-endian: \
             --format csv, or export a backup on another machine",
        ));
    }
    let options = RunOptions {
        // It is no backup.
        same_device: true,
        trust_owner: args.trust_owner,
        dry_run: args.dry_run,
        ..args.selection.options()
    };
    let mut total = Total::default();
    let (feeds, all) = feeds(&args.source, &options, &mut total)?;
    let form = Form { format: args.format, packing: args.compression };
    let dataset = Dataset::new(&args.to, form, &args.source, &options.prefix)?;
    let replaces = args.source_moved;
    // Before a lock is left where it does not belong; and when nobody else is at it.
    dataset.check(replaces)?;
    let _lock = Destinations::open([args.source.as_path()], &args.to, &options)?;
    dataset.check(replaces)?;
    if !args.dry_run {
        dataset.describe()?;
    }
    let run = Run {
        dataset: &dataset,
        form,
        years: Years::new(),
        dry_run: args.dry_run,
        copies: Whole::in_directory(&args.source)?,
    };
    console.bar.set_length(feeds.len() as u64);
    let signals = Signals::watch();
    let mut report = Report { args, console, total };
    each(&feeds, args.threads, &signals, &run, &args.source, |feed, outcome| {
        report.feed(feed, outcome);
    });
    report.total.stopped = signals.stopped();
    if !report.total.stopped {
        report.all_gone(&dataset, &all, &options)?;
    }
    report.console.bar.finish_and_clear();
    report.summary(begun.elapsed().as_secs_f64());
    Ok(report.total)
}

/// The feeds that were asked for, and all there are.
fn feeds(
    source: &Path,
    options: &RunOptions,
    total: &mut Total,
) -> Result<(Vec<FeedName>, BTreeSet<String>)> {
    let found = FeedName::in_directory(source, options)?;
    let is_table = |feed: &&FeedName| feed.file().ends_with(".MYD");
    let all = found.iter().filter(is_table);
    let all = all.map(|feed| feed.number().to_owned()).collect();
    let selected = found.into_iter().filter(|feed| feed.is_selected(options));
    let (tables, others): (Vec<_>, Vec<_>) = selected.partition(|feed| is_table(&feed));
    total.left_out = others.len() as u64;
    if tables.is_empty() {
        let why = match others.len() {
            0 => "there are no feeds here, or none that was asked for",
            _ => "there are only feeds of PHPFina here, of which nothing is exported",
        };
        return Err(Error::new(Status::NotFound, why).at(source));
    }
    Ok((tables, all))
}

/// Exports feeds, several at a time, and reports each, in their order.
fn each(
    feeds: &[FeedName],
    threads: Option<NonZeroUsize>,
    signals: &Signals,
    run: &Run,
    source: &Path,
    mut report: impl FnMut(&FeedName, Result<Exported>),
) {
    let threads = threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
        |n| n.get().min(MAX_THREADS),
    );
    let stop = || signals.stopped();
    let one = |feed: &FeedName| run.feed(source, feed, &stop).transpose();
    if threads == 1 {
        for feed in feeds.iter().take_while(|_| !stop()) {
            if let Some(outcome) = one(feed) {
                report(feed, outcome);
            }
        }
        return;
    }
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(feeds.len()) {
            let (send, next, one, stop) = (send.clone(), &next, &one, &stop);
            scope.spawn(move || {
                while !stop() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(feed) = feeds.get(index) else { break };
                    if send.send((index, one(feed))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let (mut done, mut reported) = (BTreeMap::new(), 0);
        for (index, outcome) in receive {
            done.insert(index, outcome);
            while let Some(outcome) = done.remove(&reported) {
                if let Some(outcome) = outcome {
                    report(&feeds[reported], outcome);
                }
                reported += 1;
            }
        }
    });
}

/// Says what was done.
struct Report<'a> {
    args: &'a Args,
    console: &'a mut Console,
    total: Total,
}

impl Report<'_> {
    fn feed(&mut self, feed: &FeedName, outcome: Result<Exported>) {
        self.console.bar.inc(1);
        match outcome {
            Ok(exported) => {
                self.total.add(&exported);
                let is_news = exported.written + exported.removed > 0;
                if self.args.json {
                    self.console.out(object("feed", Some(feed.number()), &exported));
                } else if self.args.verbose || is_news && !self.args.quiet {
                    let line =
                        format!("feed {}: {}", feed.number(), self.says(&exported));
                    self.console.out(line);
                }
            }
            Err(error) => self.failed(feed.number(), &error),
        }
    }

    fn failed(&mut self, number: &str, error: &Error) {
        self.total.failed += 1;
        if self.args.json {
            self.console.out(json!({
                "type": "feed",
                "feed": number,
                "status": error.status().code(),
                "message": error.to_string(),
            }));
        }
        self.console.complain(format_args!("feed {number}: {error}"));
    }

    fn says(&self, exported: &Exported) -> String {
        let Exported { rows, written, bytes, unchanged, removed } = exported;
        let to = if self.args.dry_run { "to be " } else { "" };
        let mut text = format!("{rows} rows");
        if *written > 0 {
            text.push_str(&format!(", {} {to}written", years(*written)));
        }
        if *bytes > 0 {
            text.push_str(&format!(" ({bytes} bytes)"));
        }
        if *unchanged > 0 {
            text.push_str(&format!(", {} unchanged", years(*unchanged)));
        }
        if *removed > 0 {
            text.push_str(&format!(", {} {to}removed", years(*removed)));
        }
        text
    }

    /// Feeds of the dataset that the source does not have.
    fn all_gone(
        &mut self,
        dataset: &Dataset,
        all: &BTreeSet<String>,
        options: &RunOptions,
    ) -> Result<()> {
        for number in dataset.feeds()? {
            let table = format!("{}{number}.MYD", self.args.selection.prefix());
            let is_asked_for = FeedName::of_file(&table, self.args.selection.prefix())
                .is_some_and(|feed| feed.is_selected(options));
            if all.contains(&number) || !is_asked_for {
                continue;
            }
            self.total.gone += 1;
            let what = match (self.args.delete, self.args.dry_run) {
                (true, false) => {
                    if let Err(error) = dataset.remove_feed(&number) {
                        self.failed(&number, &error);
                        continue;
                    }
                    "the source is gone, its partitions were removed"
                }
                (true, true) => "the source is gone, its partitions would be removed",
                (false, _) => "the source is gone, its partitions stay (see --delete)",
            };
            if self.args.json {
                self.console.out(json!({
                    "type": "gone",
                    "feed": number,
                    "removed": self.args.delete && !self.args.dry_run,
                }));
            } else if !self.args.quiet {
                self.console.out(format!("feed {number}: {what}"));
            }
        }
        Ok(())
    }

    fn summary(&mut self, seconds: f64) {
        let total = &self.total;
        if self.args.json {
            let mut summary = object("summary", None, &total.sum);
            summary["feeds"] = total.feeds.into();
            summary["failed"] = total.failed.into();
            summary["gone"] = total.gone.into();
            summary["left_out"] = total.left_out.into();
            summary["stopped"] = total.stopped.into();
            summary["dry_run"] = self.args.dry_run.into();
            summary["seconds"] = seconds.into();
            summary["exit_code"] = total.code().into();
            self.console.out(summary);
            return;
        }
        if self.args.quiet {
            return;
        }
        let s = if total.feeds == 1 { "" } else { "s" };
        let says = self.says(&total.sum);
        let mut text = format!("{} feed{s}: {says} in {seconds:.2} s", total.feeds);
        if total.failed > 0 {
            text.push_str(&format!("; {} could not be exported", total.failed));
        }
        if total.stopped {
            text.push_str("; told to stop: the next run carries on");
        }
        if total.left_out > 0 {
            text.push_str(&format!("; {} of PHPFina left out", total.left_out));
        }
        self.console.out(text);
    }
}

fn object(kind: &str, feed: Option<&str>, exported: &Exported) -> Value {
    let mut object = json!({
        "type": kind,
        "rows": exported.rows,
        "written": exported.written,
        "bytes": exported.bytes,
        "unchanged": exported.unchanged,
        "removed": exported.removed,
    });
    if let Some(feed) = feed {
        object["feed"] = feed.into();
        object["status"] = 0.into();
    }
    object
}

fn years(count: u64) -> String {
    format!("{count} {}", if count == 1 { "year" } else { "years" })
}
