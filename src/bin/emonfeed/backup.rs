//! `emonfeed backup`: brings the copies of all feeds of a directory up to
//! date.

use crate::failure;
use emonfeed::backup::{
    self, CopyOptions, CopyReport, Event, Outcome, RunOptions, Summary,
};
use emonfeed::{Error, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const INCOMPLETE: u8 = 3;
const USAGE: u8 = 2;
const LOCKED: u8 = 11;

/// Copy what is new in every feed of a directory
///
/// Copies hold whole rows only and are plain feed_N.MYD files with their
/// definition (.frm or .sdi). What a copy holds is not copied again: new rows
/// are appended after the end of the copy was compared with the source. If a
/// source shrank or was rewritten, it is copied anew and the old copy kept
/// under a dated name. Copies of feeds that are gone stay.
///
/// One line is printed for each feed. Feeds that cannot be copied are reported
/// on standard error, and the others copied all the same.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  Back up the feeds of a MySQL or MariaDB database:
    emonfeed backup /var/lib/mysql/emoncms /mnt/usb/emoncms
  See what the next run would do:
    emonfeed backup -n -v /var/lib/mysql/emoncms /mnt/usb/emoncms
  From cron: say something only if something is wrong, and write at most
  2 MB per second:
    emonfeed backup -q --bwlimit 2M /var/opt/emoncms/phptimeseries /mnt/usb/php
  Two feeds only, for a program:
    emonfeed backup --json --only 7 --only 12 /var/lib/mysql/emoncms copies

Exit codes: 0 all feeds are copied, 1 none could be, 2 wrong usage, 3 some
could not be copied, 11 another run holds the lock on DEST_DIR.")]
pub struct Args {
    /// Where the feeds are: the directory of feed_1.MYD and so on
    source_dir: PathBuf,
    /// Where the copies are kept; made if its parent exists
    dest_dir: PathBuf,
    /// What the names of feed tables begin with; a number follows
    #[arg(long, value_name = "TEXT", default_value = "feed_")]
    prefix: String,
    /// Copy only this feed, by number or table name, with * and ?; repeatable
    #[arg(long, value_name = "FEED")]
    only: Vec<String>,
    /// Leave out this feed, by number or table name, with * and ?; repeatable
    #[arg(long, value_name = "FEED")]
    exclude: Vec<String>,
    /// Only say what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Compare every row of the copies with the source, not only the last
    /// 256 KiB, and so find old readings that were edited
    #[arg(long)]
    full: bool,
    /// Write at most so many bytes per second (500k, 2M)
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    bwlimit: Option<u64>,
    /// Print JSON: one object per line and feed, and a summary
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Print how many rows and bytes each copy holds
    #[arg(short, long)]
    verbose: bool,
    /// Whether to show progress on standard error, if that is a terminal
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "WHEN")]
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Progress {
    Auto,
    Never,
}

pub fn run(args: Args) -> ExitCode {
    let options = RunOptions {
        prefix: args.prefix.clone(),
        only: args.only.clone(),
        exclude: args.exclude.clone(),
        copy: CopyOptions { dry_run: args.dry_run, whole: args.full },
        bytes_per_second: args.bwlimit,
    };
    let mut printer = Printer::new(&args);
    let begun = Instant::now();
    let result = backup::run(&args.source_dir, &args.dest_dir, &options, &mut |event| {
        printer.event(event);
    });
    printer.bar.finish_and_clear();
    let code = match result {
        Ok(summary) => printer.summary(&summary, begun.elapsed()),
        Err(error) => printer.not_begun(&error),
    };
    printer.finish(code)
}

/// `500k`, `2M`, `1.5G` or plain bytes, to bytes.
fn parse_rate(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'g' | 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let bytes = number.parse::<f64>().map_or(f64::NAN, |number| number * factor);
    if (1.0..=1e15).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err("a rate is a number of bytes per second, such as 800000, 500k or 1.5M".into())
    }
}

/// Prints what happens.
struct Printer<'a> {
    args: &'a Args,
    bar: ProgressBar,
    /// Columns the longest feed number takes.
    width: usize,
    /// Bytes written of the feed at hand.
    bytes: u64,
    /// The first failure to print a result.
    broken: Option<io::Error>,
}

impl Printer<'_> {
    fn new(args: &Args) -> Printer<'_> {
        let bar = if args.progress == Progress::Never || args.quiet {
            ProgressBar::hidden()
        } else {
            // Hides itself where there is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} feeds {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Printer { args, bar, width: 0, bytes: 0, broken: None }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Begun { feeds, longest_number } => {
                self.width = longest_number;
                self.bar.set_length(feeds as u64);
            }
            Event::Written { feed, bytes } => {
                self.bytes += bytes;
                let megabytes = self.bytes as f64 / 1e6;
                self.bar
                    .set_message(format!("feed {}: {megabytes:.1} MB", feed.number()));
            }
            Event::Done { feed, result, took } => {
                self.bytes = 0;
                match result {
                    Ok(report) if self.args.json => {
                        self.out(report_json(feed.number(), report, took));
                    }
                    Ok(report) if !self.args.quiet => {
                        self.out(self.line(feed.number(), report, took));
                    }
                    Ok(_) => {}
                    Err(error) => self.failed(feed.number(), error),
                }
                self.bar.inc(1);
            }
            Event::SourceGone { feed } if self.args.json => {
                self.out(json!({
                    "type": "feed",
                    "feed": feed.number(),
                    "outcome": "source-gone",
                }));
            }
            Event::SourceGone { feed } if !self.args.quiet => {
                self.out(format!(
                    "feed {:>width$}  the source is gone, the copy stays",
                    feed.number(),
                    width = self.width
                ));
            }
            Event::SourceGone { .. } => {}
        }
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

    fn failed(&mut self, feed: &str, error: &Error) {
        self.complain(format_args!("feed {feed} is not copied: {error}"));
        if self.args.json {
            self.out(json!({
                "type": "feed",
                "feed": feed,
                "outcome": "failed",
                "status": error.status().code(),
                "message": error.to_string(),
            }));
        }
    }

    fn summary(&mut self, summary: &Summary, took: Duration) -> u8 {
        let code = match summary.failed {
            0 => 0,
            failed if failed == summary.feeds => 1,
            _ => INCOMPLETE,
        };
        let counts = Outcome::ALL.map(|outcome| (outcome.name(), summary.count(outcome)));
        let more = [("failed", summary.failed), ("source-gone", summary.source_gone)];
        let counts = counts.into_iter().chain(more);
        if self.args.json {
            let mut object = json!({
                "type": "summary",
                "dry_run": self.args.dry_run,
                "feeds": summary.feeds,
                "rows_copied": summary.rows_copied,
                "bytes_copied": summary.bytes_copied,
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

    fn not_begun(&mut self, error: &Error) -> u8 {
        self.complain(format_args!("{error}"));
        // What a hint could say of other failures is in the help.
        let of_source = |path: &Path| path.starts_with(&self.args.source_dir);
        if error.status() == Status::Permission && error.path().is_some_and(of_source) {
            if let Some(hint) = failure::hint(error) {
                self.say(format_args!("hint: {hint}"));
            }
        }
        let code = match error.status() {
            Status::Locked => LOCKED,
            Status::Argument => USAGE,
            _ => 1,
        };
        if self.args.json {
            self.out(json!({
                "type": "summary",
                "status": error.status().code(),
                "message": error.to_string(),
                "exit_code": code,
            }));
        }
        code
    }

    fn out(&mut self, line: impl Display) {
        let written = self.bar.suspend(|| writeln!(io::stdout().lock(), "{line}"));
        if let Err(error) = written {
            // The copying goes on.
            self.broken.get_or_insert(error);
        }
    }

    fn complain(&self, message: impl Display) {
        self.say(format_args!("emonfeed: {message}"));
    }

    fn say(&self, line: impl Display) {
        self.bar.suspend(|| {
            // Where there is nobody to tell, the exit code has to do.
            let _ = writeln!(io::stderr().lock(), "{line}");
        });
    }

    fn finish(self, code: u8) -> ExitCode {
        match &self.broken {
            // The reader has seen enough.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Some(error) => {
                self.complain(format_args!("cannot write the results: {error}"));
                return ExitCode::from(code.max(1));
            }
            None => {}
        }
        ExitCode::from(code)
    }
}

fn report_json(feed: &str, report: &CopyReport, took: Duration) -> Value {
    json!({
        "type": "feed",
        "feed": feed,
        "outcome": report.outcome.name(),
        "dry_run": report.dry_run,
        "rows_copied": report.rows_copied,
        "rows_total": report.rows_total,
        "bytes_copied": report.bytes_copied,
        "bytes_total": report.bytes_total,
        "bytes_repaired": report.bytes_repaired,
        "definition_copied": report.definition_copied,
        "kept": report.kept.as_ref().map(|path| path.display().to_string()),
        "seconds": took.as_secs_f64(),
        "message": report.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units_of_a_thousand() {
        assert_eq!(parse_rate("800000"), Ok(800_000));
        assert_eq!(parse_rate("500k"), Ok(500_000));
        assert_eq!(parse_rate("1.5M"), Ok(1_500_000));
        assert_eq!(parse_rate("2G"), Ok(2_000_000_000));
        for bad in ["", "k", "-1", "0", "0.5", "2MB", "1e99", "nan", "inf", "é"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }
}
