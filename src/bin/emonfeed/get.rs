//! `emonfeed get`: readings of a feed, thinned out, aggregated or as they are.

use crate::calendar::{self, Unit};
use crate::failure::Failure;
use crate::plot::{self, Plot};
use crate::source::Source;
use crate::table::{self, Digits};
use crate::time::When;
use emonfeed::Feed;
use emonfeed::output::{csv, json};
use emonfeed::query::{self, Aggregate, Flags, MAX_WINDOWS, Mode, Position, Series};
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
  The highest reading of each hour in January, for a spreadsheet:
    emonfeed get feed_7.MYD --start 2026-01-01 --end 2026-01-31T23:00 \\
      --interval 3600 --max --format csv
  A meter's reading at the start of each month in London:
    emonfeed get feed_7.MYD --monthly --timezone Europe/London
  What the tariff was at each hour since midnight, however long ago it changed:
    emonfeed get feed_8.MYD --start today --end now --interval 3600 --previous
  Every row since midnight, as JSON for another program:
    emonfeed get feed_7.MYD --start today --rows --format json
  What a graph of emoncms shows for a MySQL feed:
    emonfeed get feed_7.MYD --start 1767225600 --end 1767312000 --interval 900 --mysql")]
pub struct Args {
    /// Start at T [default: the first row]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    start: Option<When>,
    /// End at T; the last window may begin exactly there [default: the last row]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    end: Option<When>,
    /// Print at most N rows (with --rows)
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    limit: Option<u64>,
    /// Follow emoncms's MySQL engine: an empty window takes the value of a row
    /// exactly at its end, --average leaves out rows at --end or later, and days,
    /// weeks, months and years are interpolated at their first second, unless
    /// another value is chosen
    #[arg(long, conflicts_with = "rows")]
    mysql: bool,
    /// Leave out windows and rows without a value
    #[arg(long)]
    skip_missing: bool,
    /// Print the chosen row's own time instead of its window's start (with
    /// --first, --last, --min, --max, --previous)
    #[arg(long, conflicts_with = "rows")]
    true_time: bool,
    /// Output format: table rounds averages, sums and interpolated values to
    /// their significant digits, json and csv print all digits
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

impl Args {
    /// The variations asked for, without those of the MySQL engine.
    fn flags(&self) -> Flags {
        let skip = if self.skip_missing { Flags::SKIP_MISSING } else { Flags::NONE };
        let time = if self.true_time { Flags::TRUE_TIME } else { Flags::NONE };
        skip.with(time)
    }
}

/// Which moments are asked for.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Windows or rows (one of these)")]
struct Shape {
    /// Windows of N seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    interval: Option<i64>,
    /// About N windows, each as long as the whole range divided by N, rounded up
    /// to whole seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    points: Option<i64>,
    /// Days, from the day of --start
    #[arg(long)]
    daily: bool,
    /// Weeks, from the Monday on or after the day of --start
    #[arg(long)]
    weekly: bool,
    /// Months, from the first day of --start's month
    #[arg(long)]
    monthly: bool,
    /// Years, from 1 January of --start's year
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
#[command(next_help_heading = "Value of each window (one of these)")]
struct Aggregates {
    /// The value of the earliest row of the window (the default)
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
    /// The value of the latest row at or before the window's start, however
    /// old: for states and tariffs, which hold until they change
    #[arg(long, conflicts_with = "mysql")]
    previous: bool,
}

/// What answers for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// The rows in it.
    Rows(Aggregate),
    /// The moment it begins.
    Start(Mode),
}

impl Ask {
    /// Whether its value is computed from several rows.
    fn computes(self) -> bool {
        match self {
            Ask::Rows(aggregate) => !aggregate.chooses_row(),
            Ask::Start(mode) => mode == Mode::Linear,
        }
    }
}

impl Aggregates {
    fn chosen(&self) -> Option<Ask> {
        if self.previous {
            return Some(Ask::Start(Mode::Previous));
        }
        self.of_rows().map(Ask::Rows)
    }

    fn of_rows(&self) -> Option<Aggregate> {
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
    /// [[time,value],…], with null for a missing value
    Json,
    /// Lines of time,value, with nothing after the comma for a missing value
    Csv,
}

/// Rows read, and points turned into text, at a time: few enough that both stay
/// in the processor's caches.
const PIECE: usize = 8192;

pub fn run(args: Args) -> Result<(), Failure> {
    if args.plot && args.format != Format::Table {
        return Err(Failure::Usage("--plot goes with --format table".to_owned()));
    }
    let computes = args.aggregates.chosen().is_some_and(Ask::computes);
    if args.true_time && computes {
        return Err(Failure::Usage(
            "--true-time: averages, sums and counts have no time of their own".to_owned(),
        ));
    }
    if args.limit.is_some() && !args.shape.rows {
        return Err(Failure::Usage("--limit goes with --rows".to_owned()));
    }
    let feed = args.source.open()?;
    let zone = args.source.zone();
    let Some((start, end)) = range(&args, &feed, &zone)? else {
        return Sink::new(args.format, &zone, Digits::All, None)?.finish();
    };
    let plot = |start, reach, digits| {
        let width = plot::terminal_width();
        args.plot.then(|| Plot::new(start, end, reach, digits, width))
    };
    if args.shape.rows {
        let reach = match args.plot {
            true => query::meta(&feed)?.interval.max(1).saturating_mul(5),
            false => 0,
        };
        let plot = plot(start, reach, Digits::All);
        let mut sink = Sink::new(args.format, &zone, Digits::All, plot)?;
        list(&feed, start, end, args.limit, args.skip_missing, &mut sink)?;
        return sink.finish();
    }
    let answer = match args.shape.unit() {
        Some(unit) => calendar_windows(&args, &feed, unit, start, end, &zone)?,
        None => equal_windows(&args, &feed, start, end)?,
    };
    let digits = match answer.computed && args.format == Format::Table {
        false => Digits::All,
        true if query::meta(&feed)?.value_type == "FLOAT" => Digits::OfSingle,
        true => Digits::OfDouble,
    };
    // Further than to the next window's point there is a gap; with their own
    // times, the points of neighbouring windows may lie two lengths apart.
    let reach = match args.true_time {
        true => answer.length.saturating_mul(2),
        false => answer.length.saturating_add(answer.length / 2),
    };
    let plot = plot(answer.start.min(end), reach, digits);
    let mut sink = Sink::new(args.format, &zone, digits, plot)?;
    sink.write(&answer.series)?;
    sink.finish()
}

/// The answer of a query over windows.
struct Answer {
    series: Series,
    /// Where the first window begins.
    start: i64,
    /// Seconds of the longest window.
    length: i64,
    /// Whether values are computed from several rows.
    computed: bool,
}

fn equal_windows(
    args: &Args,
    feed: &Feed,
    start: i64,
    end: i64,
) -> Result<Answer, Failure> {
    let length = match (args.shape.interval, args.shape.points) {
        (Some(interval), _) => interval,
        (None, Some(points)) => {
            // The last row, where that is the end, is to be in the last window.
            let behind = i64::from(args.end.is_none());
            length(end - start + behind, points)
        }
        // Clap lets no other shape through.
        (None, None) => return Err(Failure::Usage("which windows?".to_owned())),
    };
    let ask = args.aggregates.chosen().unwrap_or(Ask::Rows(Aggregate::First));
    let series = match ask {
        Ask::Rows(aggregate) => {
            let flags = args.flags().with(mysql_rules(args.mysql, aggregate)?);
            query::windows(feed, start, end, length, aggregate, flags)?
        }
        Ask::Start(mode) => {
            query::values_at(feed, &starts(start, end, length)?, mode, args.flags())?
        }
    };
    Ok(Answer { series, start, length, computed: ask.computes() })
}

/// What emoncms's MySQL engine does differently with windows of equal length.
fn mysql_rules(mysql: bool, aggregate: Aggregate) -> Result<Flags, Failure> {
    match (mysql, aggregate) {
        (false, _) => Ok(Flags::NONE),
        (true, Aggregate::First) => Ok(Flags::CLOSED_END),
        (true, Aggregate::Average) => Ok(Flags::CLIP_END),
        (true, _) => Err(Failure::Usage(
            "--mysql: emoncms's MySQL engine knows only --first and --average".to_owned(),
        )),
    }
}

/// Where the windows of equal length begin.
fn starts(start: i64, end: i64, length: i64) -> Result<Vec<i64>, Failure> {
    let count = (end.abs_diff(start) / length.unsigned_abs()).saturating_add(1);
    if count > MAX_WINDOWS {
        return Err(Failure::Usage(format!(
            "{count} windows are more than {MAX_WINDOWS}: ask for longer ones or a shorter range"
        )));
    }
    let next = |&time: &i64| time.checked_add(length);
    let starts = std::iter::successors(Some(start), next);
    Ok(starts.take_while(|&time| time <= end).collect())
}

fn calendar_windows(
    args: &Args,
    feed: &Feed,
    unit: Unit,
    start: i64,
    end: i64,
    zone: &TimeZone,
) -> Result<Answer, Failure> {
    let edges = calendar::edges(unit, start, end, zone)
        .map_err(|error| Failure::Usage(format!("no such dates: {error}")))?;
    let by_default = match args.mysql {
        true => Ask::Start(Mode::Linear),
        false => Ask::Rows(Aggregate::First),
    };
    let ask = args.aggregates.chosen().unwrap_or(by_default);
    let starts = edges.split_last().map_or(&[][..], |(_, starts)| starts);
    let series = match ask {
        Ask::Rows(aggregate) => query::windows_at(feed, &edges, aggregate, args.flags())?,
        Ask::Start(Mode::Linear) if args.true_time => {
            return Err(Failure::Usage(
                "--true-time: values interpolated between rows have no time of their own"
                    .to_owned(),
            ));
        }
        Ask::Start(Mode::Linear) => interpolate(feed, starts, args.skip_missing)?,
        Ask::Start(mode) => query::values_at(feed, starts, mode, args.flags())?,
    };
    let lengths = edges.windows(2).map(|pair| pair[1] - pair[0]);
    Ok(Answer {
        series,
        start: edges.first().copied().unwrap_or(start),
        length: lengths.max().unwrap_or_default(),
        computed: ask.computes(),
    })
}

/// Seconds of each of about `points` windows over `range` seconds.
fn length(range: i64, points: i64) -> i64 {
    let rest = range % points;
    (range / points + i64::from(rest > 0)).max(1)
}

/// Start and end of the query; none where there is nothing between them: the
/// end is before the start, or a feed without rows would have to tell.
fn range(
    args: &Args,
    feed: &Feed,
    zone: &TimeZone,
) -> Result<Option<(i64, i64)>, Failure> {
    let resolve = |when: Option<When>| {
        when.map(|when| when.resolve(zone)).transpose().map_err(Failure::Usage)
    };
    let range = match (resolve(args.start)?, resolve(args.end)?) {
        (Some(start), Some(end)) => (start, end),
        (start, end) => {
            let meta = query::meta(feed)?;
            if meta.npoints == 0 {
                return Ok(None);
            }
            (start.unwrap_or(meta.start_time), end.unwrap_or(meta.end_time))
        }
    };
    Ok((range.0 <= range.1).then_some(range))
}

/// The value at each window's start on the line between its neighbours, as
/// emoncms's MySQL engine has it: none at the first row or before, at the last
/// or after.
fn interpolate(
    feed: &Feed,
    starts: &[i64],
    skip_missing: bool,
) -> Result<Series, Failure> {
    let meta = query::meta(feed)?;
    let mut series = query::values_at(feed, starts, Mode::Linear, Flags::NONE)?;
    for point in &mut series.points {
        if point.time <= meta.start_time || meta.end_time <= point.time {
            point.value = f64::NAN;
        }
    }
    Ok(without_missing(series, skip_missing))
}

fn without_missing(mut series: Series, skip_missing: bool) -> Series {
    if skip_missing {
        series.points.retain(|point| !point.value.is_nan());
    }
    series
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
    let mut from = Position::at(start);
    let mut left = limit.unwrap_or(u64::MAX);
    loop {
        let ask = left.min(PIECE as u64);
        let (piece, behind) = query::rows_from(feed, from, end, ask)?;
        let is_last = (piece.points.len() as u64) < ask;
        let piece = without_missing(piece, skip_missing);
        left -= piece.points.len() as u64;
        sink.write(&piece)?;
        if is_last || left == 0 {
            return Ok(());
        }
        from = behind;
    }
}

/// Where points go: standard output, as text of one format, and the plot.
struct Sink<'a> {
    out: StdoutLock<'static>,
    text: Vec<u8>,
    format: Format,
    csv: csv::Format,
    zone: &'a TimeZone,
    digits: Digits,
    plot: Option<Plot>,
    is_empty: bool,
}

impl<'a> Sink<'a> {
    fn new(
        format: Format,
        zone: &'a TimeZone,
        digits: Digits,
        plot: Option<Plot>,
    ) -> Result<Sink<'a>, Failure> {
        let mut text = Vec::new();
        match format {
            Format::Table => table::header(&mut text),
            Format::Json => text.push(b'['),
            Format::Csv => {}
        }
        let out = std::io::stdout().lock();
        let csv = csv::Format::default();
        Ok(Sink { out, text, format, csv, zone, digits, plot, is_empty: true })
    }

    fn write(&mut self, series: &Series) -> Result<(), Failure> {
        if let Some(plot) = &mut self.plot {
            plot.add(series);
        }
        for points in series.points.chunks(PIECE) {
            match self.format {
                Format::Table => {
                    for &point in points {
                        table::point(
                            &mut self.text,
                            point,
                            series.single,
                            self.digits,
                            self.zone,
                        );
                    }
                }
                Format::Json => {
                    if !self.is_empty {
                        self.text.push(b',');
                    }
                    json::points(points, series.single, &mut self.text)?;
                }
                Format::Csv => {
                    csv::points(points, series.single, &self.csv, &mut self.text)?;
                }
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
    }
}
