//! Days, weeks, months and years of a time zone as edges of windows.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// A piece of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
    /// From 1 January to 1 January.
    Year,
}

impl Unit {
    fn span(self) -> Span {
        match self {
            Unit::Day => 1.day(),
            Unit::Week => 1.week(),
            Unit::Month => 1.month(),
            Unit::Year => 1.year(),
        }
    }

    /// Where the first window begins, for a query that starts on `day`.
    fn first(self, day: Date) -> Result<Date, jiff::Error> {
        match self {
            Unit::Day => Ok(day),
            // The Monday on or after the day, as emoncms has it.
            Unit::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_add(((7 - since_monday) % 7).days())
            }
            Unit::Month => Ok(day.first_of_month()),
            Unit::Year => Ok(day.first_of_year()),
        }
    }
}

/// Edges at local midnight, ascending, in Unix seconds: from the one that
/// belongs to `start` while they are not beyond `end`, and the one after
/// that, which closes the last window. Empty if the first is beyond `end`.
///
/// Where the clocks skip midnight the day begins when they go on; a day they
/// skip altogether (Samoa's 30 December 2011) has no edge.
pub fn edges(
    unit: Unit,
    start: i64,
    end: i64,
    zone: &TimeZone,
) -> Result<Vec<i64>, jiff::Error> {
    let day = Timestamp::from_second(start)?.to_zoned(zone.clone()).date();
    let mut date = unit.first(day)?;
    let mut edges = Vec::new();
    loop {
        let edge = date.to_zoned(zone.clone())?.timestamp().as_second();
        if edges.is_empty() && edge > end {
            return Ok(edges);
        }
        if edges.last().is_none_or(|&last| last < edge) {
            edges.push(edge);
        }
        if edge > end {
            return Ok(edges);
        }
        date = date.checked_add(unit.span())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::zone;
    use std::io::Write;
    use std::process::{Command, Stdio};

    const UNITS: [(Unit, &str); 4] = [
        (Unit::Day, "day"),
        (Unit::Week, "week"),
        (Unit::Month, "month"),
        (Unit::Year, "year"),
    ];

    /// Zones with plain rules, half hours, midnight gaps, folds over midnight,
    /// quarter hours, and one that skipped a day.
    const ZONES: [&str; 12] = [
        "UTC",
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "America/Havana",
        "Asia/Beirut",
        "Pacific/Chatham",
        "Pacific/Apia",
        "Africa/Casablanca",
    ];

    /// The edges PHP's DateTime gives: each one the midnight of its own date.
    const SCRIPT: &str = r#"
    while (($line = fgets(STDIN)) !== false) {
        [$unit, $start, $end, $zone] = explode(" ", trim($line));
        $first = (new DateTimeImmutable("@$start"))->setTimezone(new DateTimeZone($zone));
        if ($unit == "week") $first = $first->modify("this monday");
        if ($unit == "month") $first = $first->modify("first day of this month");
        if ($unit == "year") $first = $first->setDate((int) $first->format("Y"), 1, 1);
        // Dates are counted in UTC, where each day has a midnight.
        $day = new DateTimeImmutable($first->format("Y-m-d"), new DateTimeZone("UTC"));
        $edges = [];
        for (; ; $day = $day->modify("+1 $unit")) {
            $midnight = $day->format("Y-m-d 00:00:00");
            $edge = (new DateTimeImmutable($midnight, new DateTimeZone($zone)))->getTimestamp();
            if (!$edges && $edge > $end) break;
            if (!$edges || end($edges) < $edge) $edges[] = $edge;
            if ($edge > $end) break;
        }
        echo implode(" ", $edges), "\n";
    }"#;

    #[test]
    fn as_php_has_them() {
        // xorshift64 with a fixed seed.
        let mut state = 20_130_714_u64;
        let mut random = |below: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as i64
        };
        let mut cases = Vec::new();
        for name in ZONES {
            for (unit, word) in UNITS {
                for _ in 0..40 {
                    // From 1990 to 2035: rules of the past and of the future.
                    let start = 631_152_000 + random(45 * 366 * 86_400);
                    let days = match unit {
                        Unit::Day => 400,
                        Unit::Week => 800,
                        Unit::Month | Unit::Year => 4000,
                    };
                    cases.push((unit, word, start, start + random(days * 86_400), name));
                }
            }
            // On an edge itself, and a second before and after.
            let midnight =
                edges(Unit::Day, 1_769_817_600, 1_769_817_600, &zone(name).unwrap())
                    .unwrap()[0];
            for (unit, word) in UNITS {
                for shift in [-1, 0, 1] {
                    cases.push((
                        unit,
                        word,
                        midnight + shift,
                        midnight + 30 * 86_400 + shift,
                        name,
                    ));
                    cases.push((unit, word, midnight + shift, midnight + shift, name));
                    cases.push((unit, word, midnight + shift, midnight - 86_400, name));
                }
            }
        }
        let mut php = Command::new("php")
            .args(["-r", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs php: install the package php-cli (make setup)");
        let input: String = cases
            .iter()
            .map(|(_, word, start, end, name)| format!("{word} {start} {end} {name}\n"))
            .collect();
        let mut stdin = php.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = php.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.lines().count(), cases.len());
        for (line, (unit, _, start, end, name)) in output.lines().zip(&cases) {
            let php: Vec<i64> =
                line.split_whitespace().map(|edge| edge.parse().unwrap()).collect();
            let ours = edges(*unit, *start, *end, &zone(name).unwrap()).unwrap();
            assert_eq!(ours, php, "{unit:?} from {start} to {end} in {name}");
            assert!(ours.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn days_of_23_and_25_hours() {
        let london = zone("Europe/London").unwrap();
        let lengths = |start, end| -> Vec<i64> {
            let edges = edges(Unit::Day, start, end, &london).unwrap();
            edges.windows(2).map(|pair| (pair[1] - pair[0]) / 3600).collect()
        };
        assert_eq!(lengths(1_774_656_000, 1_774_915_200 - 3601), [24, 23, 24]);
        assert_eq!(lengths(1_792_796_400, 1_793_059_199), [24, 25, 24]);
    }

    #[test]
    fn the_calendar_ends() {
        let last = 253_402_207_200;
        assert!(edges(Unit::Year, last, last, &TimeZone::UTC).is_err());
        assert!(edges(Unit::Day, i64::MAX, i64::MAX, &TimeZone::UTC).is_err());
    }
}
