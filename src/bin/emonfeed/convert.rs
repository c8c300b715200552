//! `emonfeed convert`: writes feeds as emoncms's file engines keep them.

use crate::console::{Console, FAILED, INCOMPLETE};
use crate::selection::Selection;
use crate::signals::Signals;
use crate::time::{self, When};
use emonfeed::backup::{FeedName, RunOptions};
use emonfeed::convert::{
    Convert, ConvertOptions, Converted, Engine, Figures, Objection, Plan,
};
use emonfeed::query::Aggregate;
use emonfeed::{Error, Status};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Display;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Convert feeds of MySQL to PHPTimeSeries, and feeds of either to PHPFina
///
/// SOURCE is one feed_N.MYD or a directory of them: that of a database or of
/// PHPTimeSeries, or a destination of `emonfeed backup`. It is only read. The files
/// are written to TARGET_DIR, the datadir of the engine, and get its owner:
/// feed_N.MYD, or N.dat and N.meta. Existing files are never overwritten.
///
/// First, all readings of all feeds are read, and a report says what becomes of
/// them. For PHPTimeSeries, rows are sorted, and deleted rows and rows whose time is
/// NULL are left out; of several rows of one second, the last in the file counts.
/// PHPFina has one value for each interval, and intervals begin at multiples of
/// their length: a reading moves to the beginning of its interval, and of several
/// readings in one interval the last counts, as in emoncms, unless you choose
/// otherwise. Intervals without readings, and readings without value, become NaN.
/// A feed that would lose something (readings that share an interval, different
/// values of one second, digits or values that float32 cannot hold, readings from
/// before 1970) is not converted without --allow-loss.
///
/// Then each feed is written under another name, read again, and every row or
/// interval is compared with the source; only then does it get its name. If the
/// command is killed, no half-written file has the name of a feed, and the next run
/// removes what is left over.
///
/// Stop everything that writes to the feeds before you switch emoncms over: readings
/// that come in meanwhile are not converted; you are told how many there are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  See what would become of all MySQL feeds, at which intervals:
    sudo emonfeed convert /var/lib/mysql/emoncms /var/opt/emoncms/phpfina --to phpfina -n
  Convert them; those that would lose readings are left out and named:
    sudo emonfeed convert /var/lib/mysql/emoncms /var/opt/emoncms/phpfina --to phpfina
  Convert two of those at another interval, and accept the loss:
    sudo emonfeed convert /var/lib/mysql/emoncms /var/opt/emoncms/phpfina --to phpfina \\
      --only 7,12 --interval 60 --average --allow-loss
  Keep every reading at its own time:
    sudo emonfeed convert /var/lib/mysql/emoncms /var/opt/emoncms/phptimeseries \\
      --to phptimeseries
  Leave out a reading that a wrong clock put into 1970:
    sudo emonfeed convert /var/lib/mysql/emoncms/feed_7.MYD /var/opt/emoncms/phpfina \\
      --to phpfina --start 2012-01-01

Exit codes:
  0   all feeds are converted, or could be (dry run)
  1   no feed is converted, or could be
  2   wrong usage
  3   some feeds are not converted, readings came in meanwhile, or it was told
      to stop
  11  another conversion is writing to TARGET_DIR")]
pub struct Args {
    /// One feed_N.MYD, or a directory of them
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Directory for the files: the datadir of the engine in emoncms's settings
    #[arg(value_name = "TARGET_DIR")]
    target: PathBuf,
    /// Engine to convert to
    #[arg(long, value_name = "ENGINE")]
    to: To,
    /// Seconds between two values of PHPFina [default: the interval of most readings]
    #[arg(long, value_name = "N")]
    interval: Option<NonZeroU32>,
    /// Leave out readings before T: Unix seconds, a date, or a date and time
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    start: Option<When>,
    /// Leave out readings after T
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    end: Option<When>,
    /// Time zone of times without an offset: an IANA name such as Europe/London
    /// [default: this machine's]
    #[arg(long, value_name = "ZONE", value_parser = time::zone)]
    timezone: Option<TimeZone>,
    #[command(flatten)]
    selection: Selection,
    /// Also convert feeds that lose something, as reported
    #[arg(long)]
    allow_loss: bool,
    /// Also write PHPFina files that are nearly empty
    #[arg(long)]
    allow_sparse: bool,
    /// Only report what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print JSON, one object per line: plans, then feeds, then a summary; no
    /// progress
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Also report counts that are 0
    #[arg(short, long)]
    verbose: bool,
    // Last, because a flattened group's heading holds for all that follow.
    #[command(flatten)]
    aggregates: Aggregates,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// Every reading at its own time: feed_N.MYD
    #[value(name = "phptimeseries")]
    PhpTimeSeries,
    /// A value for each interval: N.dat and N.meta
    #[value(name = "phpfina")]
    PhpFina,
}

/// What becomes of the readings of one interval.
#[derive(clap::Args)]
#[group(multiple = false)]
#[command(
    next_help_heading = "Value of an interval with several readings (one of these)"
)]
struct Aggregates {
    /// The value of the latest (the default)
    #[arg(long)]
    last: bool,
    /// The value of the earliest
    #[arg(long)]
    first: bool,
    /// The mean
    #[arg(long)]
    average: bool,
    /// The smallest value
    #[arg(long)]
    min: bool,
    /// The largest value
    #[arg(long)]
    max: bool,
    /// The sum
    #[arg(long)]
    sum: bool,
}

impl Aggregates {
    fn chosen(&self) -> Aggregate {
        [
            (self.first, Aggregate::First),
            (self.average, Aggregate::Average),
            (self.min, Aggregate::Min),
            (self.max, Aggregate::Max),
            (self.sum, Aggregate::Sum),
        ]
        .into_iter()
        .find_map(|(asked, aggregate)| asked.then_some(aggregate))
        .unwrap_or(Aggregate::Last)
    }
}

impl Args {
    fn options(&self, zone: &TimeZone) -> Result<ConvertOptions, String> {
        let RunOptions { prefix, only, exclude, .. } = self.selection.options();
        let engine = match self.to {
            To::PhpTimeSeries => Engine::PhpTimeSeries,
            To::PhpFina => Engine::PhpFina,
        };
        let resolve =
            |when: Option<When>| when.map(|when| when.resolve(zone)).transpose();
        Ok(ConvertOptions {
            prefix,
            only,
            exclude,
            interval: self.interval.map(NonZeroU32::get),
            aggregate: self.aggregates.chosen(),
            start: resolve(self.start)?,
            end: resolve(self.end)?,
            allow_loss: self.allow_loss,
            allow_sparse: self.allow_sparse,
            dry_run: self.dry_run,
            ..ConvertOptions::to(engine)
        })
    }
}

pub fn run(args: Args) -> ExitCode {
    let zone = args.timezone.clone().unwrap_or_else(TimeZone::system);
    let mut printer = Printer::new(&args, zone);
    let code = convert(&args, &mut printer);
    printer.console.finish(code)
}

fn convert(args: &Args, printer: &mut Printer) -> u8 {
    let begun = Instant::now();
    let options = args.options(&printer.zone);
    let options = options.map_err(|why| Error::new(Status::Argument, why));
    let opened =
        options.and_then(|options| Convert::open(&args.source, &args.target, options));
    let convert = match opened {
        Ok(convert) => convert,
        Err(error) => {
            // What a hint could say is about sources.
            let of_source = error.path().is_some_and(|path| path == args.source);
            return printer.console.not_begun(&error, of_source, args.json, None);
        }
    };
    let signals = Signals::watch();
    let mut counts = Counts::default();
    if convert.left_out() > 0 {
        printer.note(format_args!(
            "{} feeds in the source are PHPFina's already, and left out",
            convert.left_out()
        ));
    }
    let plans = plan(&convert, printer, &signals, &mut counts);
    let bytes = plans.iter().map(|(_, plan)| plan.bytes()).sum();
    if args.dry_run {
        counts.bytes = bytes;
    } else if !counts.stopped && !plans.is_empty() {
        if let Err(error) = convert.demand_room(bytes) {
            printer.console.bar.finish_and_clear();
            printer.console.complain(&error);
            printer.console.complain("nothing is written");
            return printer.console.failed(&error, args.json, None);
        }
        carry_out(&convert, &plans, printer, &signals, &mut counts);
    }
    printer.console.bar.finish_and_clear();
    printer.summary(&convert, &plans, &counts, begun.elapsed())
}

/// Reports what becomes of every feed. What may be carried out.
fn plan<'c>(
    convert: &'c Convert,
    printer: &mut Printer,
    signals: &Signals,
    counts: &mut Counts,
) -> Vec<(&'c FeedName, Plan)> {
    let args = printer.args;
    let mut plans = Vec::new();
    printer.begin(convert, convert.feeds().len(), "looked at");
    for feed in convert.feeds() {
        counts.feeds += 1;
        let planned = convert.plan(feed, &mut |rows| {
            printer.read(feed, rows);
            !signals.stopped()
        });
        match planned {
            Ok(Some(plan)) => {
                let objection = plan.objection(args.allow_loss, args.allow_sparse);
                printer.plan(feed, &plan, objection.as_ref());
                match objection {
                    None => plans.push((feed, plan)),
                    Some(objection) => {
                        counts.refused.push((feed.number().to_owned(), objection));
                    }
                }
            }
            Ok(None) => {
                counts.stopped = true;
                break;
            }
            Err(error) => {
                counts.failed += 1;
                printer.failed(feed, &error);
            }
        }
        printer.console.bar.inc(1);
    }
    plans
}

fn carry_out(
    convert: &Convert,
    plans: &[(&FeedName, Plan)],
    printer: &mut Printer,
    signals: &Signals,
    counts: &mut Counts,
) {
    printer.begin(convert, plans.len(), "converted");
    for (feed, plan) in plans {
        let begun = Instant::now();
        let done = convert.carry_out(feed, plan, &mut |rows| {
            printer.read(feed, rows);
            !signals.stopped()
        });
        match done {
            Ok(Some(converted)) => {
                counts.converted += 1;
                if converted.later == 0 {
                    counts.whole.push(feed.number().to_owned());
                }
                counts.bytes += converted.plan.bytes();
                let has_changed = converted.plan != *plan;
                printer.converted(
                    convert,
                    feed,
                    &converted,
                    has_changed,
                    begun.elapsed(),
                );
            }
            Ok(None) => {
                counts.stopped = true;
                break;
            }
            Err(error) => {
                counts.failed += 1;
                printer.failed(feed, &error);
            }
        }
        printer.console.bar.inc(1);
    }
}

/// What came of it.
#[derive(Default)]
struct Counts {
    feeds: u64,
    converted: u64,
    /// The numbers of those to which no readings came meanwhile.
    whole: Vec<String>,
    failed: u64,
    /// Feeds that are not converted without being allowed to.
    refused: Vec<(String, Objection)>,
    bytes: u64,
    stopped: bool,
}

impl Counts {
    /// The exit code if so many feeds are, or could be, converted.
    fn code(&self, done: u64) -> u8 {
        let behind = self.converted - self.whole.len() as u64;
        let missing = self.failed + self.refused.len() as u64 + behind;
        match done {
            _ if missing == 0 && !self.stopped => 0,
            0 => FAILED,
            _ => INCOMPLETE,
        }
    }
}

/// Prints what happens.
struct Printer<'a> {
    args: &'a Args,
    zone: TimeZone,
    console: Console,
    /// Columns the longest feed number takes.
    width: usize,
    /// Rows read of all feeds, each as often as it was.
    rows: u64,
}

impl<'a> Printer<'a> {
    fn new(args: &'a Args, zone: TimeZone) -> Printer<'a> {
        let bar = if args.quiet || args.json {
            ProgressBar::hidden()
        } else {
            // Hides itself where there is no terminal.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        };
        Printer { args, zone, console: Console::new(bar), width: 0, rows: 0 }
    }

    fn begin(&mut self, convert: &Convert, feeds: usize, what: &str) {
        let numbers = convert.feeds().iter().map(|feed| feed.number().len());
        self.width = numbers.max().unwrap_or(0);
        let template = format!("{{bar:25}} {{pos}} of {{len}} feeds {what}{{msg}}");
        self.console.bar.set_length(feeds as u64);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.console.bar.set_style(style);
        }
        self.console.bar.set_message("");
        self.console.bar.reset();
        self.rows = 0;
    }

    fn read(&mut self, feed: &FeedName, rows: u64) {
        self.rows += rows;
        if !self.console.bar.is_hidden() {
            let (millions, feed) = (self.rows as f64 / 1e6, feed.number());
            self.console
                .bar
                .set_message(format!(", feed {feed}, {millions:.1} million rows read"));
        }
    }

    fn plan(&mut self, feed: &FeedName, plan: &Plan, objection: Option<&Objection>) {
        let number = feed.number();
        if self.args.json {
            self.out(plan_json(feed, plan, objection));
        } else if !self.args.quiet {
            let width = self.width;
            self.out(format_args!("feed {number:>width$}  {}", self.headline(plan)));
            for note in notes(plan, self.args.verbose) {
                self.out(format_args!("{:1$}{note}", "", width + 7));
            }
        }
        if let Some(objection) = objection {
            let would = if self.args.dry_run { "would not be" } else { "is not" };
            self.console
                .complain(format_args!("feed {number} {would} converted: {objection}"));
        }
    }

    /// What is written of which readings.
    fn headline(&self, plan: &Plan) -> String {
        let Figures { readings, written, .. } = plan.figures;
        let times = match plan.census.span {
            Some((first, last)) => format!(
                ", {} to {}",
                time::show(first, &self.zone),
                time::show(last, &self.zone)
            ),
            None => String::new(),
        };
        let bytes = plan.bytes();
        match plan.interval() {
            Some(interval) => format!(
                "{readings} readings{times}: {written} values every {interval} s, {bytes} bytes"
            ),
            None => format!("{readings} readings{times}: {written} rows, {bytes} bytes"),
        }
    }

    fn converted(
        &mut self,
        convert: &Convert,
        feed: &FeedName,
        converted: &Converted,
        has_changed: bool,
        took: Duration,
    ) {
        let number = feed.number();
        let (bytes, compared) = (converted.plan.bytes(), converted.compared);
        if self.args.json {
            self.out(json!({
                "type": "feed",
                "feed": number,
                "outcome": "converted",
                "files": convert.files(feed),
                "bytes": bytes,
                "compared": compared,
                "changed": has_changed,
                "later": converted.later,
                "owner_set": converted.owner.is_none(),
                "plan": has_changed.then(|| plan_json(feed, &converted.plan, None)),
                "seconds": took.as_secs_f64(),
            }));
        } else if !self.args.quiet {
            if has_changed {
                // What was reported does not hold any more.
                self.out(format_args!("feed {number} was written to since; now it is"));
                self.plan(feed, &converted.plan, None);
            }
            let width = self.width;
            let what = match converted.plan.interval() {
                Some(_) => "values",
                None => "rows",
            };
            let rate = bytes as f64 / 1e6 / took.as_secs_f64().max(1e-6);
            self.out(format_args!(
                "feed {number:>width$}  converted  {compared:>9} {what} compared  {bytes:>11} bytes  \
                 {rate:>6.1} MB/s"
            ));
        }
        if converted.later > 0 {
            self.console.complain(format_args!(
                "feed {number} goes on: {} readings came in meanwhile, and are not converted; \
                 stop what writes to it, remove its new files, and convert it again",
                converted.later
            ));
        }
        if let Some((user, group)) = converted.owner {
            let paths: Vec<_> = convert
                .files(feed)
                .iter()
                .map(|file| self.args.target.join(file).display().to_string())
                .collect();
            self.console.complain(format_args!(
                "feed {number}: only root can give its files their owner: sudo chown \
                 {user}:{group} {}",
                paths.join(" ")
            ));
        }
    }

    fn failed(&mut self, feed: &FeedName, error: &Error) {
        let number = feed.number();
        if self.args.json {
            self.out(json!({
                "type": "feed",
                "feed": number,
                "outcome": "failed",
                "status": error.status().code(),
                "message": error.to_string(),
            }));
        }
        self.console.complain(format_args!("feed {number} is not converted: {error}"));
    }

    fn summary(
        &mut self,
        convert: &Convert,
        plans: &[(&FeedName, Plan)],
        counts: &Counts,
        took: Duration,
    ) -> u8 {
        let dry_run = self.args.dry_run;
        let done = if dry_run { plans.len() as u64 } else { counts.converted };
        let code = counts.code(done);
        if counts.stopped {
            self.console
                .complain("stopped before the end; what was converted until then stays");
        }
        let engine = match self.args.to {
            To::PhpTimeSeries => Engine::PhpTimeSeries,
            To::PhpFina => Engine::PhpFina,
        };
        let switch = Switch::of(engine, &counts.whole);
        if self.args.json {
            self.out(json!({
                "type": "summary",
                "dry_run": dry_run,
                "feeds": counts.feeds,
                "converted": counts.converted,
                "refused": counts.refused.len(),
                "failed": counts.failed,
                "bytes": counts.bytes,
                "stopped": counts.stopped,
                "sql": switch.as_ref().map(|switch| &switch.sql),
                "redis": switch.as_ref().map(|switch| &switch.redis),
                "seconds": took.as_secs_f64(),
                "exit_code": code,
            }));
            return code;
        }
        if self.args.quiet {
            return code;
        }
        let feeds = convert.feeds().len();
        let s = if feeds == 1 { "" } else { "s" };
        let what = if dry_run { "could be converted (dry run)" } else { "converted" };
        let mut line = format!("{feeds} feed{s}: {done} {what}");
        for (count, what) in
            [(counts.refused.len() as u64, "refused"), (counts.failed, "failed")]
        {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        let bytes = counts.bytes;
        self.out(format_args!("{line}; {bytes} bytes in {:.2} s", took.as_secs_f64()));
        if let Some(switch) = switch {
            self.out(format_args!(
                "To have emoncms use these files ({} is {}), when nothing writes to the feeds:",
                engine.number(),
                engine.name()
            ));
            self.out(format_args!("  {};", switch.sql));
            self.out("And if it uses Redis:");
            for command in switch.redis {
                self.out(format_args!("  {command}"));
            }
        }
        for option in ["--allow-loss", "--allow-sparse"] {
            let refused: Vec<_> = counts
                .refused
                .iter()
                .filter(|(_, objection)| objection.option() == option)
                .map(|(number, _)| number.as_str())
                .collect();
            if !refused.is_empty() {
                self.note(format_args!(
                    "to convert those that were refused: --only {} {option}",
                    refused.join(",")
                ));
            }
        }
        code
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

/// What has emoncms use the files.
struct Switch {
    sql: String,
    redis: Vec<String>,
}

impl Switch {
    fn of(engine: Engine, feeds: &[String]) -> Option<Switch> {
        // As emoncms has them: without zeros in front.
        let number = |feed: &String| match feed.trim_start_matches('0') {
            "" => "0".to_owned(),
            number => number.to_owned(),
        };
        let feeds: Vec<String> = feeds.iter().map(number).collect();
        let engine = engine.number();
        let all = feeds.join(", ");
        (!feeds.is_empty()).then(|| Switch {
            sql: format!("UPDATE feeds SET engine = {engine} WHERE id IN ({all})"),
            redis: feeds
                .iter()
                .map(|feed| format!("redis-cli HSET feed:{feed} engine {engine}"))
                .collect(),
        })
    }
}

/// What is worth a word about what becomes of readings.
fn notes(plan: &Plan, verbose: bool) -> Vec<String> {
    let Figures { readings, filled, .. } = plan.figures;
    let mut notes = Vec::new();
    let percent = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
    if let Some(found) = plan.detected {
        notes.push(format!(
            "interval found: {:.1} % of the gaps between readings are of about that",
            found.percent()
        ));
    }
    let mut list = |title: &str, parts: Vec<(u64, &str)>| {
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0 || verbose)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if !parts.is_empty() {
            notes.push(format!("{title}: {}", parts.join(", ")));
        }
    };
    let (census, figures) = (&plan.census, &plan.figures);
    list(
        "left out",
        vec![
            (census.deleted, "deleted"),
            (census.without_time, "without time"),
            (census.torn_bytes, "bytes of a torn row"),
            (plan.before_1970(), "from before 1970"),
            (plan.outside(), "outside --start and --end"),
        ],
    );
    list("sorted", vec![(census.late, "lie behind later ones")]);
    list(
        "in the second of another",
        vec![
            (figures.duplicates, "with the same value"),
            (figures.conflicting, "with a different value"),
        ],
    );
    list(
        "values",
        vec![
            (figures.without_value, "missing (NaN)"),
            (figures.narrowed, "cut to the digits of float32"),
            (figures.too_large, "too large for float32 (NaN)"),
        ],
    );
    if plan.interval().is_some() && readings > 0 {
        let joined = match figures.joined {
            0 => String::new(),
            joined => format!(" ({joined} join others)"),
        };
        notes.push(format!(
            "{:.1} % of the readings are alone in their interval{joined}, {:.1} % move to its \
             beginning",
            percent(figures.alone, readings),
            percent(figures.moved, readings)
        ));
        notes.push(format!(
            "{} of {} intervals are empty ({:.1} %)",
            plan.empty_slots(),
            figures.written,
            percent(plan.empty_slots(), filled + plan.empty_slots())
        ));
    }
    notes
}

fn plan_json(feed: &FeedName, plan: &Plan, objection: Option<&Objection>) -> Value {
    let (census, figures) = (&plan.census, &plan.figures);
    json!({
        "type": "plan",
        "feed": feed.number(),
        "file": feed.file(),
        "engine": plan.engine().name(),
        "value_type": plan.value_type,
        "interval": plan.interval(),
        "interval_found": plan.detected.map(|found| json!({
            "fitting": found.fitting,
            "gaps": found.gaps,
        })),
        "slots": census.slots,
        "deleted": census.deleted,
        "without_time": census.without_time,
        "torn_bytes": census.torn_bytes,
        "out_of_order": census.late,
        "before_1970": plan.before_1970(),
        "outside": plan.outside(),
        "first": census.span.map(|(first, _)| first),
        "last": census.span.map(|(_, last)| last),
        "readings": figures.readings,
        "without_value": figures.without_value,
        "duplicates": figures.duplicates,
        "conflicting": figures.conflicting,
        "narrowed": figures.narrowed,
        "too_large": figures.too_large,
        "joined": figures.joined,
        "moved": figures.moved,
        "alone": figures.alone,
        "filled": figures.filled,
        "empty": plan.empty_slots(),
        "written": figures.written,
        "bytes": plan.bytes(),
        "losses": plan.losses().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "message": objection.map(ToString::to_string),
        "needs": objection.map(Objection::option),
    })
}
