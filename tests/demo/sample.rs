//! Makes the demo's readings.

mod readings;

use readings::{FEEDS, Feed, NEXT_HOUR, YEAR};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: sample rows|text year|hour DIR

Writes a year of readings, or the hour that follows it, to DIR: as rows at the
end of feed_N.MYD, or as text for LOAD DATA in feed_N.txt.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (write, span, dir) = match words[..] {
        ["rows", span, dir] => {
            (Feed::append_rows as fn(&Feed, &Path, &_) -> _, span, dir)
        }
        ["text", span, dir] => (Feed::write_text as _, span, dir),
        _ => return usage(),
    };
    let span = match span {
        "year" => YEAR,
        "hour" => NEXT_HOUR,
        _ => return usage(),
    };
    for feed in &FEEDS {
        match write(feed, Path::new(dir), &span) {
            Ok(rows) => println!("feed_{} {rows}", feed.id),
            Err(error) => {
                eprintln!("sample: feed_{} in {dir}: {error}", feed.id);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
