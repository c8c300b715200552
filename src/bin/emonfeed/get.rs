//! `emonfeed get`: readings of a feed, thinned out, aggregated or as they are.

use crate::calendar::{self, Unit};
use crate::failure::Failure;
use crate::plot::{self, Plot};
use crate::source::Source;
use crate::table;
use crate::time::When;
use emonfeed::output::{csv, json};
use emonfeed::query::{self, Aggregate, Flags, Mode, Point, Series};
use emonfeed::{Error, Feed, Status};
use jiff::tz::TimeZone;
use std::io::{StdoutLock, Write};

/// Print readings of a feed: one per window of time, or every row
#[derive(clap::Args)]
#[command(after_help = "\
T is Unix seconds, a date (2026-01-31, meaning its first second), a date and
time (2026-01-31T12:00, with an offset if you like: 2026-01-31T12:00+01:00),
`now`, or `today` for the last midnight.

Examples:
  The whole feed in about 50 averages, and a plot of them:
    emonfeed get feed_7.MYD --points 50 --average --plot
  January by hours, the highest reading of each, for a spreadsheet:
    emonfeed get feed_7.MYD --start 2026-01-01 --end 2026-01-31T23:00 \\
      --interval 3600 --max --format csv
  A meter's reading at the start of each month in London:
    emonfeed get feed_7.MYD --monthly --timezone Europe/London
  Every row since midnight, as JSON for another program:
    emonfeed get feed_7.MYD --start today --rows --format json
  What a graph of emoncms shows for a MySQL feed:
    emonfeed get feed_7.MYD --start 1767225600 --end 1767312000 --interval 900 --mysql")]
pub struct Args {
    /// Where to begin [default: the first row]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    start: Option<When>,
    /// Where to end; the last window may begin exactly there [default: the last row]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    end: Option<When>,
    /// Print at most N rows
    #[arg(
        long,
        value_name = "N",
        requires = "rows",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    limit: Option<u64>,
    /// Follow emoncms's MySQL engine: a row exactly at the end of an empty
    /// window answers for it, --average leaves out rows from the end on, and
    /// days, weeks, months and years are interpolated at their first second
    #[arg(long, conflicts_with = "rows")]
    mysql: bool,
    /// Leave out windows and rows without a value
    #[arg(long)]
    skip_missing: bool,
    /// Print the chosen row's own time instead of its window's start (with
    /// --first, --last, --min, --max)
    #[arg(long, conflicts_with = "rows")]
    true_time: bool,
    /// How to print: table rounds averages and sums to 9 digits, json and csv
    /// give all digits and times in Unix seconds
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
    /// Draw a plot below the table
    #[arg(long)]
    plot: bool,
    #[command(flatten)]
    source: Source,
    // Last, because a flattened group's heading holds for all that follow.
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    aggregates: Aggregates,
}

/// Which moments are asked for.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Which moments (one of these)")]
struct Shape {
    /// Windows of N seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    interval: Option<i64>,
    /// About N windows: their length is the whole time divided by N, rounded up
    /// to seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    points: Option<i64>,
    /// Days, from the day of --start on
    #[arg(long)]
    daily: bool,
    /// Weeks, from the Monday on or after the day of --start
    #[arg(long)]
    weekly: bool,
    /// Months, from the first of that of --start
    #[arg(long)]
    monthly: bool,
    /// Years, from 1 January of that of --start
    #[arg(long)]
    annual: bool,
    /// Every row, with its own time
    #[arg(long)]
    rows: bool,
}

impl Shape {
    fn unit(&self) -> Option<Unit> {
        [
            (self.daily, Unit::Day),
            (self.weekly, Unit::Week),
            (self.monthly, Unit::Month),
            (self.annual, Unit::Year),
        ]
        .into_iter()
        .find_map(|(asked, unit)| asked.then_some(unit))
    }
}

/// What becomes of the rows of a window.
#[derive(clap::Args)]
#[group(multiple = false, conflicts_with = "rows")]
#[command(next_help_heading = "What becomes of the rows of a window (one of these)")]
struct Aggregates {
    /// The value of the earliest row of each window (this is the default)
    #[arg(long)]
    first: bool,
    /// The value of the latest row
    #[arg(long)]
    last: bool,
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
    /// The number of values
    #[arg(long)]
    count: bool,
}

impl Aggregates {
    fn chosen(&self) -> Option<Aggregate> {
        [
            (self.first, Aggregate::First),
            (self.last, Aggregate::Last),
            (self.average, Aggregate::Average),
            (self.min, Aggregate::Min),
            (self.max, Aggregate::Max),
            (self.sum, Aggregate::Sum),
            (self.count, Aggregate::Count),
        ]
        .into_iter()
        .find_map(|(asked, aggregate)| asked.then_some(aggregate))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Columns for people, with local times
    Table,
    /// [[time,value],…], a missing value is null
    Json,
    /// Lines of time,value; nothing after the comma where there is no value
    Csv,
}

/// Rows read at a time when every row is printed.
const PIECE: u64 = 262_144;
/// Points turned into text at a time.
const TEXT_PIECE: usize = 65_536;

pub fn run(args: Args) -> Result<(), Failure> {
    if args.plot && args.format != Format::Table {
        return Err(Failure::Usage("--plot goes with --format table".to_owned()));
    }
    let feed = args.source.open()?;
    let zone = args.source.zone();
    let Some((start, end)) = range(&args, &feed, &zone)? else {
        let mut sink = Sink::new(args.format, &zone, false, None)?;
        return sink.finish();
    };
    let width = plot::terminal_width();
    let plot = |start, end, reach| args.plot.then(|| Plot::new(start, end, reach, width));
    if args.shape.rows {
        let reach = if args.plot { 5 * query::meta(&feed)?.interval.max(1) } else { 0 };
        let mut sink = Sink::new(args.format, &zone, false, plot(start, end, reach))?;
        list(&feed, start, end, args.limit, args.skip_missing, &mut sink)?;
        return sink.finish();
    }
    let aggregate = args.aggregates.chosen();
    let mut flags = Flags::NONE;
    for (set, flag) in
        [(args.skip_missing, Flags::SKIP_MISSING), (args.true_time, Flags::TRUE_TIME)]
    {
        if set {
            flags = flags.with(flag);
        }
    }
    // Further than to the next window's point there is a gap; with their own
    // times, the points of neighbouring windows may lie two lengths apart.
    let reach =
        |length: i64| if args.true_time { length * 2 } else { length + length / 2 };
    let computed = aggregate.is_some_and(|aggregate| !aggregate.chooses_row());
    if let Some(unit) = args.shape.unit() {
        let edges = calendar::edges(unit, start, end, &zone)
            .map_err(|error| Failure::Usage(format!("no such dates: {error}")))?;
        let interpolated = args.mysql && aggregate.is_none();
        if interpolated && args.true_time {
            return Err(Failure::Usage(
                "--true-time: values interpolated between rows have no time of their own"
                    .to_owned(),
            ));
        }
        let series = if interpolated {
            interpolate(&feed, edges.split_last().map_or(&[], |(_, edges)| edges), flags)?
        } else {
            query::windows_at(
                &feed,
                &edges,
                aggregate.unwrap_or(Aggregate::First),
                flags,
            )?
        };
        let longest =
            edges.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        let first = edges.first().copied().unwrap_or(start);
        let plot = plot(first, end.max(first), reach(longest));
        let mut sink = Sink::new(args.format, &zone, computed || interpolated, plot)?;
        sink.write(&series)?;
        return sink.finish();
    }
    let interval = match (args.shape.interval, args.shape.points) {
        (Some(interval), _) => interval,
        (None, Some(points)) => {
            // The last row, where that is the end, is to be in the last window.
            let behind = i64::from(args.end.is_none());
            length(end.saturating_sub(start) + behind, points)
        }
        // Clap lets no other shape through.
        (None, None) => return Err(Failure::Usage("which windows?".to_owned())),
    };
    let aggregate = aggregate.unwrap_or(Aggregate::First);
    if args.mysql {
        flags = flags.with(match aggregate {
            Aggregate::First => Flags::CLOSED_END,
            Aggregate::Average => Flags::CLIP_END,
            _ => {
                return Err(Failure::Usage(
                    "--mysql: emoncms's MySQL engine knows only --first and --average"
                        .to_owned(),
                ));
            }
        });
    }
    let series = query::windows(&feed, start, end, interval, aggregate, flags)?;
    let plot = plot(start, end, reach(interval));
    let mut sink = Sink::new(args.format, &zone, computed, plot)?;
    sink.write(&series)?;
    sink.finish()
}

/// Seconds of each of about `points` windows over `range` seconds.
fn length(range: i64, points: i64) -> i64 {
    let rest = range % points;
    (range / points + i64::from(rest > 0)).max(1)
}

/// Start and end of the query; none where the feed would have to tell but has
/// no rows.
fn range(
    args: &Args,
    feed: &Feed,
    zone: &TimeZone,
) -> Result<Option<(i64, i64)>, Failure> {
    let resolve = |when: Option<When>| {
        when.map(|when| when.resolve(zone)).transpose().map_err(Failure::Usage)
    };
    let (start, end) = (resolve(args.start)?, resolve(args.end)?);
    if let (Some(start), Some(end)) = (start, end) {
        return Ok(Some((start, end)));
    }
    let meta = query::meta(feed)?;
    Ok((meta.npoints > 0)
        .then(|| (start.unwrap_or(meta.start_time), end.unwrap_or(meta.end_time))))
}

/// The value at each edge on the line between its neighbours, as emoncms's
/// MySQL engine has it: none at the first row or before, at the last or after.
fn interpolate(feed: &Feed, edges: &[i64], flags: Flags) -> Result<Series, Failure> {
    let meta = query::meta(feed)?;
    let mut series = query::values_at(feed, edges, Mode::Linear)?;
    for point in &mut series.points {
        if point.time <= meta.start_time || meta.end_time <= point.time {
            point.value = f64::NAN;
        }
    }
    if flags.has(Flags::SKIP_MISSING) {
        series.points.retain(|point| !point.value.is_nan());
    }
    Ok(series)
}

/// Prints every row from `start` to `end`, reading piece by piece, so that a
/// feed of any size takes little memory.
fn list(
    feed: &Feed,
    start: i64,
    end: i64,
    limit: Option<u64>,
    skip_missing: bool,
    sink: &mut Sink,
) -> Result<(), Failure> {
    let mut from = start;
    let mut left = limit.unwrap_or(u64::MAX);
    // Printed rows of the second `from`: each piece begins with them again.
    let mut printed: Vec<Point> = Vec::new();
    loop {
        let ask = PIECE.min(left) + printed.len() as u64;
        let mut piece = query::rows(feed, from, end, ask)?;
        let is_last = (piece.points.len() as u64) < ask;
        let bits = |point: &Point| (point.time, point.value.to_bits());
        let again = piece.points.iter().take(printed.len()).map(bits);
        if !again.eq(printed.iter().map(bits)) {
            return Err(Failure::Feed(
                Error::new(
                    Status::Changed,
                    "rows already printed were changed or deleted meanwhile; ask again",
                )
                .at(feed.path()),
            ));
        }
        if let Some(&Point { time, .. }) = piece.points.last() {
            let same = piece.points.iter().rev().take_while(|point| point.time == time);
            let mut same: Vec<Point> = same.copied().collect();
            same.reverse();
            piece.points.drain(..printed.len());
            (from, printed) = (time, same);
        }
        if skip_missing {
            piece.points.retain(|point| !point.value.is_nan());
        }
        left -= piece.points.len() as u64;
        sink.write(&piece)?;
        if is_last || left == 0 {
            return Ok(());
        }
    }
}

/// Where points go: standard output, as text of one format, and the plot.
struct Sink<'a> {
    out: StdoutLock<'static>,
    text: Vec<u8>,
    format: Format,
    zone: &'a TimeZone,
    /// Whether values are computed from several rows.
    computed: bool,
    plot: Option<Plot>,
    is_empty: bool,
}

impl<'a> Sink<'a> {
    fn new(
        format: Format,
        zone: &'a TimeZone,
        computed: bool,
        plot: Option<Plot>,
    ) -> Result<Sink<'a>, Failure> {
        let mut text = Vec::new();
        match format {
            Format::Table => table::header(&mut text),
            Format::Json => text.push(b'['),
            Format::Csv => {}
        }
        let out = std::io::stdout().lock();
        Ok(Sink { out, text, format, zone, computed, plot, is_empty: true })
    }

    fn write(&mut self, series: &Series) -> Result<(), Failure> {
        if let Some(plot) = &mut self.plot {
            plot.add(series);
        }
        for points in series.points.chunks(TEXT_PIECE) {
            match self.format {
                Format::Table => {
                    for &point in points {
                        table::point(
                            &mut self.text,
                            point,
                            series.single,
                            self.computed,
                            self.zone,
                        );
                    }
                }
                Format::Json => {
                    if !self.is_empty {
                        self.text.push(b',');
                    }
                    json::points(points, series.single, &mut self.text);
                }
                Format::Csv => csv::points(points, series.single, &mut self.text),
            }
            self.is_empty = false;
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match (self.format, &self.plot) {
            (Format::Json, _) => self.text.extend_from_slice(b"]\n"),
            (Format::Table, Some(plot)) => {
                self.text.push(b'\n');
                self.text.extend_from_slice(plot.draw(self.zone).as_bytes());
            }
            _ => {}
        }
        self.out.write_all(&self.text)?;
        self.out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn about_as_many_windows_as_asked() {
        assert_eq!(length(86_400, 24), 3600);
        assert_eq!(length(86_399, 24), 3600);
        assert_eq!(length(86_401, 24), 3601);
        assert_eq!(length(0, 24), 1);
        assert_eq!(length(10, 24), 1);
        assert_eq!(length(-10, 24), 1);
    }
}
