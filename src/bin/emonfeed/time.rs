//! Times as people write them and as tables show them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::str::FromStr;

/// A moment as given on the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Unix seconds.
    Seconds(i64),
    /// The moment the command runs.
    Now,
    /// The first second of the day the command runs, in a zone to be named.
    Today,
    /// A date, or date and time, of a time zone yet to be named.
    Local(DateTime),
}

/// The last Unix second of the years this command knows: dates end in 9999.
const LAST: i64 = 253_402_207_200;
/// The first: the year 1.
const FIRST: i64 = -62_135_596_800;

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        match text {
            "now" => return Ok(When::Now),
            "today" => return Ok(When::Today),
            _ => {}
        }
        let when = if let Ok(seconds) = text.parse::<i64>() {
            When::Seconds(seconds)
        } else if let Ok(zoned) = text.parse::<Zoned>() {
            When::Seconds(zoned.timestamp().as_second())
        } else if let Ok(timestamp) = text.parse::<Timestamp>() {
            When::Seconds(timestamp.as_second())
        } else if let Ok(local) = text.parse::<DateTime>() {
            When::Local(local)
        } else {
            return Err("give Unix seconds, a date (2026-01-31), a date and time \
                 (2026-01-31T12:00, also with an offset: 2026-01-31T12:00+01:00), `now` or `today`"
                .to_owned());
        };
        match when {
            When::Seconds(seconds) if !(FIRST..=LAST).contains(&seconds) => Err(format!(
                "{seconds} is no Unix time of the years 1 to 9999; are these milliseconds? \
                 Divide them by 1000"
            )),
            when => Ok(when),
        }
    }
}

impl When {
    /// The moment in Unix seconds, dates taken in `zone`. A time the clocks
    /// skip is moved forward; of a time they show twice the first is meant.
    pub fn resolve(self, zone: &TimeZone) -> Result<i64, String> {
        match self {
            When::Seconds(seconds) => Ok(seconds),
            When::Now => Ok(Timestamp::now().as_second()),
            When::Today => {
                let today = Timestamp::now().to_zoned(zone.clone()).date();
                When::Local(today.at(0, 0, 0, 0)).resolve(zone)
            }
            When::Local(local) => {
                let zoned = local
                    .to_zoned(zone.clone())
                    .map_err(|error| format!("cannot place {local} in time: {error}"))?;
                Ok(zoned.timestamp().as_second())
            }
        }
    }
}

/// The time zone of that name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        "no such time zone; give a name such as Europe/London or UTC".to_owned()
    })
}

/// A moment as its zone's clocks show it, with their offset from UTC. Years
/// beyond those of dates give the bare number.
pub fn show(seconds: i64, zone: &TimeZone) -> String {
    match Timestamp::from_second(seconds) {
        Ok(timestamp) => {
            timestamp.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        }
        Err(_) => seconds.to_string(),
    }
}

/// The same without offset and seconds, for the axis of a plot.
pub fn show_short(seconds: i64, zone: &TimeZone) -> String {
    match Timestamp::from_second(seconds) {
        Ok(timestamp) => {
            timestamp.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
        }
        Err(_) => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str, name: &str) -> i64 {
        text.parse::<When>().unwrap().resolve(&zone(name).unwrap()).unwrap()
    }

    #[test]
    fn unix_seconds() {
        assert_eq!(seconds("0", "UTC"), 0);
        assert_eq!(seconds("-86400", "Europe/London"), -86_400);
        assert_eq!(seconds("4294967295", "Europe/London"), 4_294_967_295);
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(seconds("2026-01-31", "UTC"), 1_769_817_600);
        assert_eq!(seconds("2026-01-31", "Asia/Kathmandu"), 1_769_817_600 - 20_700);
        assert_eq!(seconds("2026-01-31T12:00", "UTC"), 1_769_817_600 + 43_200);
        assert_eq!(seconds("2026-01-31 12:00:05", "UTC"), 1_769_817_600 + 43_205);
        // An offset or zone in the text wins over the time zone.
        for text in [
            "2026-01-31T12:00+01:00",
            "2026-01-31T11:00Z",
            "2026-01-31T12:00[Europe/Paris]",
        ] {
            assert_eq!(seconds(text, "Asia/Kathmandu"), 1_769_817_600 + 39_600, "{text}");
        }
    }

    #[test]
    fn times_the_clocks_skip_or_repeat() {
        // 29 March 2026: 01:00 to 02:00 does not exist in London.
        assert_eq!(seconds("2026-03-29T01:30", "Europe/London"), 1_774_747_800);
        // 25 October 2026: 01:30 is there twice; the first, at +01:00.
        assert_eq!(seconds("2026-10-25T01:30", "Europe/London"), 1_792_888_200);
    }

    #[test]
    fn now_and_today() {
        let before = Timestamp::now().as_second();
        let now = seconds("now", "Asia/Kathmandu");
        let today = seconds("today", "Asia/Kathmandu");
        assert!((before..before + 60).contains(&now));
        assert!(today <= now + 60 && now < today + 86_400);
        assert_eq!((today + 20_700) % 86_400, 0);
    }

    #[test]
    fn what_is_no_time() {
        for text in ["", "yesterday", "2026-13-01", "12:00", "1.5", "2026-01-31T25:00"] {
            let error = text.parse::<When>().unwrap_err();
            assert!(error.contains("Unix seconds"), "{text}: {error}");
        }
        let error = "1769817600000".parse::<When>().unwrap_err();
        assert!(error.contains("milliseconds"), "{error}");
        assert!(zone("Mars/Olympus").is_err());
    }

    #[test]
    fn shown_in_local_time() {
        let london = zone("Europe/London").unwrap();
        assert_eq!(show(1_782_864_000, &london), "2026-07-01T01:00:00+01:00");
        assert_eq!(show_short(1_782_864_000, &london), "2026-07-01 01:00");
        assert_eq!(show(0, &TimeZone::UTC), "1970-01-01T00:00:00+00:00");
        assert_eq!(show(i64::MAX, &london), i64::MAX.to_string());
    }
}
