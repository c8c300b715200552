//! `emonfeed info`: what is known of a feed as a whole.

use crate::console::printable;
use crate::failure::Failure;
use crate::source::Source;
use crate::time;
use emonfeed::output::decimal::push_number;
use emonfeed::output::to_decimal;
use emonfeed::query::{self, Meta, Point};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// Show what a feed holds: rows, first and last reading, interval, layout
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed info /var/lib/mysql/emoncms/feed_7.MYD
  emonfeed info feed_7 --json

With --json: one object, with times in Unix seconds, plain numbers, and null for
missing values.")]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// A feed's first and last reading.
struct Ends {
    first: Option<Point>,
    last: Option<Point>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let feed = args.source.open()?;
    let meta = query::meta(&feed)?;
    let mut first = query::rows(&feed, meta.start_time, meta.start_time, 1)?;
    let mut last = query::last(&feed)?;
    for series in [&mut first, &mut last] {
        to_decimal(series);
    }
    let ends = Ends { first: first.points.pop(), last: last.points.pop() };
    let text = if args.json {
        format!("{:#}\n", object(feed.path(), &meta, &ends))
    } else {
        table(feed.path(), &meta, &ends, &args.source.zone())
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn object(path: &Path, meta: &Meta, ends: &Ends) -> Value {
    let time = |point: &Option<Point>| point.map(|point| point.time);
    let value = |point: &Option<Point>| point.map_or(Value::Null, |p| number(p.value));
    json!({
        "path": path.display().to_string(),
        "npoints": meta.npoints,
        "start_time": time(&ends.first),
        "start_value": value(&ends.first),
        "end_time": time(&ends.last),
        "end_value": value(&ends.last),
        "interval": (meta.npoints > 1).then_some(meta.interval),
        "bytes": meta.bytes,
        "index_bytes": meta.index_bytes,
        "stride": meta.stride,
        "slots": meta.slots,
        "unused": meta.slots - meta.npoints,
        "sorted": meta.sorted,
        "indexed": meta.indexed,
        "checksum": meta.checksum,
        "histogram": meta.histogram,
        "value_type": meta.value_type,
    })
}

/// A number as JSON shows it elsewhere too: `3`, not `3.0`; none as `null`.
fn number(value: f64) -> Value {
    let mut text = Vec::new();
    push_number(&mut text, value, false);
    serde_json::from_slice(&text).unwrap_or(Value::Null)
}

/// What the index takes, and how much of the table that is. emonfeed reads
/// without it: docs/indexes.md says what it is for.
fn index(meta: &Meta) -> String {
    if meta.index_bytes == 0 {
        return "none".to_owned();
    }
    let share = 100.0 * meta.index_bytes as f64 / (meta.bytes + meta.index_bytes) as f64;
    format!("{} bytes ({share:.0} % of both files)", meta.index_bytes)
}

fn table(path: &Path, meta: &Meta, ends: &Ends, zone: &TimeZone) -> String {
    let reading = |point: &Option<Point>| match point {
        None => "none".to_owned(),
        Some(point) => {
            let value = if point.value.is_nan() {
                "no value".to_owned()
            } else {
                number(point.value).to_string()
            };
            format!("{value} at {} ({})", time::show(point.time, zone), point.time)
        }
    };
    let yes = |set, yes: &str, no: &str| if set { yes } else { no }.to_owned();
    let lines = [
        ("rows", meta.npoints.to_string()),
        ("first", reading(&ends.first)),
        ("last", reading(&ends.last)),
        (
            "interval",
            match meta.npoints {
                0 | 1 => "unknown".to_owned(),
                _ => format!("{} s (median)", meta.interval),
            },
        ),
        (
            "order",
            yes(meta.sorted, "by time", "not by time (read correctly, but slower)"),
        ),
        ("values", meta.value_type.to_owned()),
        ("histogram", yes(meta.histogram, "yes, with a column data2", "no")),
        (
            "table",
            yes(meta.indexed, "MyISAM, with its .MYI", "a bare file, without .MYI")
                + if meta.checksum { ", keeps a checksum" } else { "" },
        ),
        ("size", format!("{} bytes ({} per row)", meta.bytes, meta.stride)),
        ("index", index(meta)),
        (
            "unused",
            match meta.slots - meta.npoints {
                0 => "none".to_owned(),
                unused => format!("{unused} row slots (deleted, or without a time)"),
            },
        ),
    ];
    let mut text = format!("{}\n", printable(path.display()));
    for (name, value) in lines {
        text.push_str(&format!("  {name:<10} {value}\n"));
    }
    text
}
