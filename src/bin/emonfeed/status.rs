//! `emonfeed status`: what a destination holds, and how old it is.

use crate::console::{FAILED, INCOMPLETE, USAGE, printable};
use crate::selection::Selection;
use crate::{failure, metrics, time};
use emonfeed::backup::{Destination, FeedState, Health, PastRun, destinations};
use emonfeed::{Error, Status};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what the copies hold, when each was last complete, and what fails
///
/// Everything is read from the catalog of the destination, so this is quick, and
/// works while a backup is at work and on a disk mounted read-only. To check that
/// the copies are what the catalog says, use `emonfeed verify`.
///
/// The feed whose copy was last complete longest ago is listed first. The health
/// of a feed is ok; failing, with the reason; incomplete, if no run has copied it
/// completely yet; gone, if the source no longer has it; or left out, if the last
/// run did not look at it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed status /mnt/usb/emoncms
  List the failing feeds, for a program:
    emonfeed status --json /mnt/usb/emoncms |
      jq '.destinations[].feeds[] | select(.health == \"failing\")'
  Write the file for Prometheus's node exporter, as `emonfeed backup --metrics` does:
    emonfeed status --metrics /var/lib/node_exporter/emonfeed.prom /mnt/usb/emoncms

With --json: one object, with times in Unix seconds and null for missing values.

Exit codes:
  0   the last run copied everything, and no feed fails
  1   nothing could be found out, or the file of --metrics could not be written
  2   wrong usage
  3   the last run did not copy everything (it failed, left something out, was
      stopped or killed), a feed fails or was never complete, or there was no
      run yet

Copies whose source is gone, or that the last run was not asked for, are no
failure.")]
pub struct Args {
    /// Destination of the backup, or a directory of such destinations, as a backup
    /// of several sources creates
    #[arg(value_name = "DEST_DIR")]
    destination: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Print nothing: only set the exit code, and write the file of --metrics
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Also write a text file for Prometheus
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "exclude"])]
    metrics: Option<PathBuf>,
    /// Time zone to show times in: an IANA name such as Europe/London [default:
    /// this machine's]
    #[arg(long, value_name = "ZONE", value_parser = time::zone)]
    timezone: Option<TimeZone>,
}

pub fn run(args: Args) -> ExitCode {
    let found = match read(&args) {
        Ok(found) => found,
        Err(error) => return failed(&args, &error),
    };
    let mut code = if found.iter().all(Destination::is_fine) { 0 } else { INCOMPLETE };
    if let Some(file) = &args.metrics {
        if let Err(error) = metrics::write(file, &found) {
            say(format_args!("cannot write {}: {error}", file.display()));
            code = FAILED;
        }
    }
    let text = if args.json {
        let destinations: Vec<Value> = found.iter().map(object).collect();
        format!("{:#}\n", json!({ "destinations": destinations, "exit_code": code }))
    } else if args.quiet {
        String::new()
    } else {
        let zone = args.timezone.clone().unwrap_or_else(TimeZone::system);
        let tables: Vec<String> = found.iter().map(|one| table(one, &zone)).collect();
        tables.join("\n")
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => {}
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            say(format_args!("cannot write the results: {error}"));
            code = code.max(FAILED);
        }
    }
    ExitCode::from(code)
}

fn read(args: &Args) -> Result<Vec<Destination>, Error> {
    let options = args.selection.options();
    let mut found = Vec::new();
    for path in destinations(&args.destination)? {
        found.extend(Destination::read(&path, &options)?);
    }
    if found.is_empty() {
        let why =
            "there is no catalog here: nothing was copied here by `emonfeed backup`";
        return Err(Error::new(Status::NotFound, why).at(&args.destination));
    }
    Ok(found)
}

fn failed(args: &Args, error: &Error) -> ExitCode {
    say(error);
    if error.status() == Status::Permission {
        if let Some(hint) = failure::hint(error) {
            // Where there is nobody to tell, the exit code has to do.
            let _ = writeln!(io::stderr().lock(), "hint: {hint}");
        }
    }
    let code = if error.status() == Status::Argument { USAGE } else { FAILED };
    if args.json {
        let object = json!({
            "status": error.status().code(),
            "message": error.to_string(),
            "exit_code": code,
        });
        let _ = writeln!(io::stdout().lock(), "{object:#}");
    }
    ExitCode::from(code)
}

fn say(message: impl std::fmt::Display) {
    // Where there is nobody to tell, the exit code has to do.
    let _ = writeln!(io::stderr().lock(), "emonfeed: {message}");
}

/// What became of a run, in one word.
fn outcome(run: &PastRun) -> &str {
    match (&run.outcome, run.seconds) {
        (Some(outcome), _) => outcome,
        (None, Some(_)) => "failed",
        (None, None) => "killed",
    }
}

fn object(destination: &Destination) -> Value {
    let run = |run: &Option<PastRun>| {
        run.as_ref().map(|run| {
            json!({
                "started": run.started,
                "seconds": run.seconds,
                "outcome": outcome(run),
                "feeds": run.feeds,
                "failed": run.failed,
                "bytes": run.bytes,
                "source": run.source,
                "message": run.message,
            })
        })
    };
    let feed = |feed: &FeedState| {
        let message = match &feed.health {
            Health::Failing(message) => Some(message),
            _ => None,
        };
        json!({
            "feed": feed.feed.number(),
            "file": feed.feed.file(),
            "kind": feed.kind.map(|kind| kind.name()),
            "rows": feed.rows,
            "bytes": feed.bytes,
            "generation": feed.generation,
            "kept": feed.kept,
            "last_reading": feed.last_reading,
            "last_success": feed.last_success,
            "health": feed.health.name(),
            "message": message,
        })
    };
    json!({
        "destination": destination.path.display().to_string(),
        "running_since": destination.running,
        "last_run": run(&destination.last_run),
        "last_success": run(&destination.last_success),
        "rows": destination.rows(),
        "bytes": destination.bytes(),
        "fine": destination.is_fine(),
        "feeds": destination.feeds.iter().map(feed).collect::<Vec<_>>(),
    })
}

fn table(destination: &Destination, zone: &TimeZone) -> String {
    let when = |seconds: i64| time::show(seconds, zone);
    let mut text = format!("{}\n", printable(destination.path.display()));
    let mut head = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<13} {value}");
    };
    if let Some(since) = destination.running {
        head("at work", format!("a run, since {}", when(since)));
    }
    head(
        "last run",
        match &destination.last_run {
            Some(run) => described(run, zone),
            None => "none".to_owned(),
        },
    );
    if let Some(message) = destination.last_run.as_ref().and_then(|r| r.message.as_ref())
    {
        head("", message.clone());
    }
    head(
        "last complete",
        match &destination.last_success {
            Some(run) => when(run.started),
            None => "none".to_owned(),
        },
    );
    let (feeds, bytes) = (destination.feeds.len(), destination.bytes());
    let s = if feeds == 1 { "" } else { "s" };
    head(
        "copies",
        format!("{feeds} feed{s}, {} rows, {bytes} bytes", destination.rows()),
    );
    if feeds > 0 {
        text.push('\n');
        text.push_str(&columns(&destination.feeds, zone));
    }
    text
}

fn described(run: &PastRun, zone: &TimeZone) -> String {
    let began = time::show(run.started, zone);
    let Some(seconds) = run.seconds else {
        return format!(
            "{began}, killed: it did not come to its end; from {}",
            printable(&run.source)
        );
    };
    let failed = match run.failed {
        0 => String::new(),
        failed => format!(", {failed} of {} feeds failed", run.feeds),
    };
    format!(
        "{began}, {}{failed}; {seconds:.1} s, {} bytes written, from {}",
        outcome(run),
        run.bytes,
        printable(&run.source)
    )
}

fn columns(feeds: &[FeedState], zone: &TimeZone) -> String {
    const TITLES: [&str; 8] =
        ["feed", "bytes", "rows", "last reading", "complete", "state", "kept", "health"];
    let when =
        |time: Option<i64>| time.map_or_else(|| "-".to_owned(), |t| time::show(t, zone));
    let line = |feed: &FeedState| {
        let health = match &feed.health {
            Health::Failing(message) => format!("failing: {message}"),
            Health::SourceGone => "gone: not in the source any more".to_owned(),
            Health::LeftOut => "left out of the last run".to_owned(),
            health => health.name().to_owned(),
        };
        [
            feed.feed.number().to_owned(),
            feed.bytes.to_string(),
            feed.rows.to_string(),
            when(feed.last_reading),
            when(feed.last_success),
            feed.generation.to_string(),
            feed.kept.to_string(),
            health,
        ]
    };
    let mut widths = TITLES.map(str::len);
    let lines: Vec<[String; 8]> = feeds.iter().map(line).collect();
    for cells in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.len());
        }
    }
    let mut text = String::new();
    let titles = TITLES.map(str::to_owned);
    for cells in std::iter::once(&titles).chain(&lines) {
        let [feed, bytes, rows, reading, success, state, kept, health] = cells;
        let [a, b, c, d, e, f, g, _] = widths;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{feed:>a$}  {bytes:>b$}  {rows:>c$}  {reading:<d$}  {success:<e$}  {state:>f$}  \
             {kept:>g$}  {health}"
        );
    }
    text
}
