//! `emonfeed verify`: whether the copies are what they should be.

use crate::console::{Console, FAILED, INCOMPLETE, printable};
use crate::selection::Selection;
use crate::signals::Signals;
use crate::time;
use emonfeed::backup::{Checked, Compared, Comparison, Reading, Verify, destinations};
use emonfeed::output::decimal::push_number;
use emonfeed::{Error, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Read all copies and check them against the catalog and the source
///
/// Every block of the copies, and of the files kept of old states, is read from
/// the disk and compared with its hash; so are the definitions. With --source,
/// every row of the copies is also compared with what the source has now, while
/// its server is at work: readings added since are counted, but are no fault;
/// readings edited since are reported as different. Nothing is written.
///
/// A line is printed for each feed that has a fault or something worth knowing,
/// and then a summary. To repair damaged copies, run `emonfeed backup --recheck
/// all`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed verify /mnt/usb/emoncms
  Are the copies what the database has now?
    emonfeed verify /mnt/usb/emoncms --source /var/lib/mysql/emoncms
  From cron: print only what is wrong:
    emonfeed verify -q /mnt/usb/emoncms
  Compare copies made by another program, which have no catalog:
    emonfeed verify /home/pi/backup --source /var/lib/mysql/emoncms

Rows are counted from 0. With --json: one object per feed, each on a line, and a
summary; times in Unix seconds.

Exit codes:
  0   all is well
  1   nothing could be checked, or it was told to stop
  2   wrong usage
  3   something is missing or different
  11  a backup is at work on DEST_DIR")]
pub struct Args {
    /// Destination of the backup, or a directory of such destinations, as a backup
    /// of several sources creates
    #[arg(value_name = "DEST_DIR")]
    destination: PathBuf,
    /// Also compare the copies with the feeds of this directory
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON: one object per feed, each on a line, and a summary
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but what is wrong
    #[arg(short, long)]
    quiet: bool,
    /// Time zone to show times in: an IANA name such as Europe/London [default:
    /// this machine's]
    #[arg(long, value_name = "ZONE", value_parser = time::zone)]
    timezone: Option<TimeZone>,
}

/// What was found in one destination or all.
#[derive(Default)]
struct Found {
    feeds: u64,
    rows: u64,
    bytes: u64,
    kept: u64,
    damaged: u64,
    differing: u64,
    missing: u64,
    failed: u64,
    source_gone: u64,
    unlisted: u64,
    only_source: u64,
    stopped: bool,
    catalog_damaged: bool,
}

impl Found {
    fn add(&mut self, checked: &Checked) {
        self.feeds += 1;
        self.rows += checked.rows;
        self.bytes += checked.bytes;
        self.kept += checked.kept;
        self.damaged += u64::from(!checked.damages.is_empty());
        match &checked.comparison {
            Some(Comparison::Rows(rows)) => {
                let differs = rows.differing > 0 || rows.only_copy > 0;
                self.differing += u64::from(differs);
                self.only_source += rows.only_source;
            }
            Some(Comparison::OtherColumns) => self.differing += 1,
            Some(Comparison::SourceGone) => self.source_gone += 1,
            Some(Comparison::NoCopy) => self.missing += 1,
            Some(Comparison::Failed(_)) => self.failed += 1,
            None => {}
        }
        let is_copy = !matches!(checked.comparison, Some(Comparison::NoCopy));
        self.unlisted += u64::from(is_copy && !checked.listed);
    }

    fn code(&self) -> u8 {
        let wrong = self.damaged + self.differing + self.missing + self.failed;
        match wrong {
            _ if self.catalog_damaged => INCOMPLETE,
            0 if self.stopped => FAILED,
            0 => 0,
            _ => INCOMPLETE,
        }
    }
}

pub fn run(args: Args) -> ExitCode {
    let mut printer = Printer::new(&args);
    let code = match chosen(&args) {
        Ok(chosen) => {
            let signals = Signals::watch();
            let mut code = 0;
            for destination in chosen {
                let one = one(&args, &destination, &signals, &mut printer);
                code = match (code, one) {
                    (a, b) if a == b => a,
                    (0, one) => one,
                    (code, 0) => code,
                    // One could not be checked, another is not well.
                    _ => INCOMPLETE,
                };
                if signals.stopped() {
                    break;
                }
            }
            code
        }
        Err(error) => printer.not_begun(&error, &args.destination),
    };
    printer.console.finish(code)
}

/// The destinations that are meant.
fn chosen(args: &Args) -> Result<Vec<PathBuf>, Error> {
    let found = destinations(&args.destination)?;
    match &found[..] {
        // Copies without catalog, or nothing.
        [] => Ok(vec![args.destination.clone()]),
        [_, ..] if args.source.is_none() => Ok(found),
        [first, ..] if *first == args.destination => Ok(vec![first.clone()]),
        _ => Err(Error::new(
            Status::Argument,
            "with --source, name the directory of that source's copies, one of those in here",
        )
        .at(&args.destination)),
    }
}

/// Looks through one destination; the exit code.
fn one(args: &Args, destination: &Path, signals: &Signals, printer: &mut Printer) -> u8 {
    let begun = Instant::now();
    let options = args.selection.options();
    let mut verify = match Verify::open(destination, args.source.as_deref(), &options) {
        Ok(verify) => verify,
        Err(error) => return printer.not_begun(&error, destination),
    };
    printer.begun(destination, &verify);
    let mut found = Found {
        catalog_damaged: !verify.catalog_damage().is_empty(),
        ..Found::default()
    };
    loop {
        let checked = verify.step(&mut |_, bytes| {
            printer.console.bar.inc(bytes);
            !signals.stopped()
        });
        let Some(checked) = checked else { break };
        found.add(&checked);
        printer.feed(&checked);
    }
    found.stopped = found.feeds < verify.feeds();
    printer.console.bar.finish_and_clear();
    printer.summary(&verify, &found, begun.elapsed().as_secs_f64());
    found.code()
}

/// Prints what is found.
struct Printer<'a> {
    args: &'a Args,
    zone: TimeZone,
    console: Console,
    width: usize,
    has_catalog: bool,
    destination: PathBuf,
}

impl Printer<'_> {
    fn new(args: &Args) -> Printer<'_> {
        // What reads JSON may write to the same terminal.
        let bar = if args.quiet || args.json {
            ProgressBar::hidden()
        } else {
            // Hides itself where there is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        let style = ProgressStyle::with_template(
            "{bar:25} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Printer {
            args,
            zone: args.timezone.clone().unwrap_or_else(TimeZone::system),
            console: Console::new(bar),
            width: 0,
            has_catalog: true,
            destination: PathBuf::new(),
        }
    }

    fn begun(&mut self, destination: &Path, verify: &Verify) {
        self.destination = destination.to_owned();
        self.width = verify.longest_number();
        self.has_catalog = verify.has_catalog();
        self.console.bar.reset();
        self.console.bar.set_length(verify.bytes());
        let say = !self.args.json;
        if say && destination != self.args.destination {
            self.remark(format!("{}:", printable(destination.display())));
        }
        if say && !self.has_catalog {
            self.remark(
                "there is no catalog here: the copies are compared with the source only",
            );
        }
        if say {
            for what in verify.catalog_damage() {
                self.out(format!(
                    "the catalog is damaged: {what}; move it away, and the next run looks at \
                     all copies anew"
                ));
            }
        }
    }

    fn feed(&mut self, checked: &Checked) {
        if self.args.json {
            return self.out(feed_json(checked, &self.destination));
        }
        let (feed, width) = (checked.feed.number(), self.width);
        let mut lines = Vec::new();
        for damage in &checked.damages {
            lines.push(format!("{}: {}", damage.file, damage.what));
        }
        let mut remarks = Vec::new();
        match &checked.comparison {
            Some(Comparison::Rows(rows)) => {
                self.describe(rows, &mut lines);
                if rows.only_source > 0 {
                    remarks.push(format!(
                        "the source has grown by {} since",
                        count(rows.only_source, "row")
                    ));
                }
            }
            Some(Comparison::OtherColumns) => {
                lines.push("the source has other columns than the copy".into());
            }
            Some(Comparison::NoCopy) => lines.push("there is no copy of it".into()),
            Some(Comparison::Failed(error)) => {
                lines.push(format!("it could not be compared: {error}"));
            }
            Some(Comparison::SourceGone) => {
                remarks.push("the source does not have it (any more)".into());
            }
            None => {}
        }
        if checked.surplus > 0 {
            remarks.push(format!(
                "{} behind the last row that counts",
                count(checked.surplus, "byte")
            ));
        }
        if checked.pending {
            remarks.push(
                "a run was cut short within it; the next one takes back what it began"
                    .into(),
            );
        }
        let is_copy = !matches!(checked.comparison, Some(Comparison::NoCopy));
        if self.has_catalog && is_copy && !checked.listed {
            remarks.push("the catalog does not know it".into());
        }
        for line in lines {
            self.out(format!("feed {feed:>width$}  {line}"));
        }
        for remark in remarks {
            self.remark(format!("feed {feed:>width$}  {remark}"));
        }
    }

    /// Says which rows differ.
    fn describe(&self, compared: &Compared, lines: &mut Vec<String>) {
        /// Ranges named in a line.
        const NAMED: usize = 3;
        let when = |time: Option<i64>| {
            time.map_or_else(|| "no time".to_owned(), |t| time::show(t, &self.zone))
        };
        if compared.only_copy > 0 {
            lines.push(format!(
                "the source has {} less than the copy",
                count(compared.only_copy, "row")
            ));
        }
        if compared.differing == 0 {
            return;
        }
        let mut line =
            format!("{} unlike the source's: ", count(compared.differing, "row"));
        for (i, range) in compared.ranges.iter().take(NAMED).enumerate() {
            let comma = if i > 0 { "; " } else { "" };
            let (first, last) = (range.rows.start, range.rows.end - 1);
            line.push_str(&if first == last {
                format!("{comma}{first} ({})", when(range.times.0))
            } else {
                format!(
                    "{comma}{first}-{last} ({} to {})",
                    when(range.times.0),
                    when(range.times.1)
                )
            });
        }
        if compared.ranges.len() > NAMED {
            line.push_str("; …");
        }
        match compared.written_since {
            Some(true) => {
                line.push_str("; the source was written to since it was copied")
            }
            Some(false) => {
                line.push_str("; the source was not written to since it was copied")
            }
            None => {}
        }
        lines.push(line);
        for row in &compared.written_out {
            let (copy, source) = (show(&row.copy), show(&row.source));
            // Bytes that mean nothing may differ, too.
            let (copy, source) = if copy == source {
                (hex(&row.copy.bytes), hex(&row.source.bytes))
            } else {
                (copy, source)
            };
            lines.push(format!(
                "  row {}, {}: {copy} → {source}",
                row.row,
                when(row.source.time.or(row.copy.time))
            ));
        }
    }

    fn summary(&mut self, verify: &Verify, found: &Found, seconds: f64) {
        if found.stopped {
            self.console.complain("stopped before the end");
        }
        if self.args.json {
            return self.out(json!({
                "type": "summary",
                "destination": self.destination.display().to_string(),
                "catalog": self.has_catalog,
                "catalog_damage": verify.catalog_damage(),
                "feeds": found.feeds,
                "rows": found.rows,
                "bytes": found.bytes,
                "kept": found.kept,
                "damaged": found.damaged,
                "differing": found.differing,
                "missing": found.missing,
                "failed": found.failed,
                "source_gone": found.source_gone,
                "unlisted": found.unlisted,
                "rows_only_in_source": found.only_source,
                "stopped": found.stopped,
                "seconds": seconds,
                "exit_code": found.code(),
            }));
        }
        let mut parts = Vec::new();
        for (number, what) in [
            (found.damaged, "damaged"),
            (found.differing, "unlike the source"),
            (found.missing, "without a copy"),
            (found.failed, "not compared"),
            (found.source_gone, "not in the source"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        let wrong = found.damaged + found.differing + found.missing + found.failed;
        if wrong == 0 {
            let sound = match found.stopped {
                true => "nothing wrong until then",
                false => "all as they should be",
            };
            parts.insert(0, sound.to_owned());
        }
        self.remark(format!(
            "{}: {}; {}, {} and {} read in {seconds:.2} s",
            count(found.feeds, "feed"),
            parts.join(", "),
            count(found.rows, "row"),
            count(found.kept, "old state"),
            count(found.bytes, "byte"),
        ));
    }

    fn not_begun(&mut self, error: &Error, destination: &Path) -> u8 {
        self.console.not_begun(error, true, self.args.json, Some(destination))
    }

    /// Prints what is no fault.
    fn remark(&mut self, line: impl Display) {
        if !self.args.quiet {
            self.out(line);
        }
    }

    fn out(&mut self, line: impl Display) {
        self.console.out(line);
    }
}

fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        return "no value".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let mut text = Vec::new();
    push_number(&mut text, value, false);
    String::from_utf8_lossy(&text).into_owned()
}

/// What a row says, without its time.
fn show(reading: &Reading) -> String {
    let Some(time) = reading.time else { return "no reading".to_owned() };
    let mut text = format!("{time} {}", number(reading.value));
    if let Some(data2) = reading.data2 {
        text.push(' ');
        text.push_str(&number(data2));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn feed_json(checked: &Checked, destination: &Path) -> Value {
    let damages: Vec<Value> = checked
        .damages
        .iter()
        .map(|damage| {
            json!({
                "file": damage.file,
                "what": damage.what.name(),
                "message": damage.what.to_string(),
            })
        })
        .collect();
    let mut object = json!({
        "type": "feed",
        "destination": destination.display().to_string(),
        "feed": checked.feed.number(),
        "file": checked.feed.file(),
        "kind": checked.kind.map(|kind| kind.name()),
        "fine": checked.is_fine(),
        "listed": checked.listed,
        "rows": checked.rows,
        "surplus_bytes": checked.surplus,
        "kept": checked.kept,
        "bytes": checked.bytes,
        "pending": checked.pending,
        "damage": damages,
    });
    if let Some(comparison) = &checked.comparison {
        object["source"] = match comparison {
            Comparison::Rows(rows) => compared_json(rows),
            Comparison::OtherColumns => json!({ "outcome": "other-columns" }),
            Comparison::SourceGone => json!({ "outcome": "source-gone" }),
            Comparison::NoCopy => json!({ "outcome": "no-copy" }),
            Comparison::Failed(error) => json!({
                "outcome": "failed",
                "status": error.status().code(),
                "message": error.to_string(),
            }),
        };
    }
    object
}

fn compared_json(compared: &Compared) -> Value {
    let value = |value: f64| {
        let mut text = Vec::new();
        push_number(&mut text, value, false);
        serde_json::from_slice(&text).unwrap_or(Value::Null)
    };
    let reading = |reading: &Reading| {
        let mut object = json!({
            "time": reading.time,
            "value": value(reading.value),
            "bytes": hex(&reading.bytes),
        });
        if let Some(data2) = reading.data2 {
            object["data2"] = value(data2);
        }
        object
    };
    let ranges = compared.ranges.iter().map(|range| {
        json!({
            "first": range.rows.start,
            "last": range.rows.end - 1,
            "first_time": range.times.0,
            "last_time": range.times.1,
        })
    });
    let rows = compared.written_out.iter().map(|one| {
        json!({
            "row": one.row,
            "copy": reading(&one.copy),
            "source": reading(&one.source),
        })
    });
    let same = compared.differing == 0 && compared.only_copy == 0;
    json!({
        "outcome": if same { "same" } else { "different" },
        "rows_compared": compared.rows,
        "rows_differing": compared.differing,
        "rows_only_in_source": compared.only_source,
        "rows_only_in_copy": compared.only_copy,
        "written_since": compared.written_since,
        "ranges": ranges.collect::<Vec<_>>(),
        "differing": rows.collect::<Vec<_>>(),
    })
}
