//! The numbers this library writes are the ones PHP writes: `json_encode` of
//! the real `php` is asked about thousands of values.

use emonfeed::output::decimal::{MAX_DECIMALS, push_number};
use emonfeed::output::{csv, decimal, json, to_decimal};
use emonfeed::query::{Point, Series};
use std::io::Write;
use std::process::{Command, Stdio};

/// What `json_encode` of the installed PHP makes of each value.
fn php_json(values: &[f64]) -> Vec<String> {
    let script = r#"while (($line = fgets(STDIN)) !== false) {
        echo json_encode(unpack("E", hex2bin(trim($line)))[1]), "\n";
    }"#;
    let input: Vec<String> =
        values.iter().map(|value| format!("{:016x}", value.to_bits())).collect();
    php(script, &input)
}

/// One line from the installed PHP for each line it gets.
fn php(script: &str, input: &[String]) -> Vec<String> {
    let mut php = Command::new("php")
        .args(["-d", "serialize_precision=-1", "-r", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs php: install the package php-cli (make setup)");
    let text = input.iter().map(|line| line.to_owned() + "\n").collect::<String>();
    let mut stdin = php.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = php.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), input.len());
    lines
}

fn text(value: f64, single: bool) -> String {
    let mut out = Vec::new();
    push_number(&mut out, value, single);
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn assert_as_php(values: &[f64], single: bool) {
    // What PHP is handed for a float32 is the double `decimal` gives.
    let handed: Vec<f64> =
        values.iter().map(|&v| if single { decimal(v) } else { v }).collect();
    for ((&value, &handed), php) in values.iter().zip(&handed).zip(php_json(&handed)) {
        let ours = text(value, single);
        assert_eq!(ours, php, "{value:e} ({:#018x}), single: {single}", value.to_bits());
        let back: f64 = ours.parse().unwrap();
        assert_eq!(
            back.to_bits(),
            handed.to_bits(),
            "{ours} reads back as the same number"
        );
    }
}

/// A small generator with a fixed seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// The neighbour of a number away from zero (1) or towards it (-1).
fn next(value: f64, step: i64) -> f64 {
    f64::from_bits(value.to_bits().wrapping_add_signed(step))
}

#[test]
fn doubles_as_json_encode_writes_them() {
    let mut values = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        3.0,
        0.1,
        0.5,
        1.5,
        100.0,
        1e15,
        1e16,
        1e17,
        1e18,
        1e25,
        123456789012345680.0,
        12345678901234567.0,
        99999999999999990.0,
        0.001,
        0.0001,
        0.00012,
        0.00001,
        0.000099,
        1e-7,
        1.25e-7,
        16777215.0,
        16777216.0,
        16777217.0,
        9007199254740991.0,
        9007199254740993.0,
        5e-324,
        f64::MAX,
        f64::MIN_POSITIVE,
        1.0 / 3.0,
        2.0 / 3.0,
        4.35,
        0.3,
        0.1 + 0.2,
    ];
    for power in -1074..=1023 {
        let value =
            2.0_f64.powi(power.max(-1022)) * 2.0_f64.powi(power.min(-1022) + 1022);
        values.extend([value, -value, value * 3.0, next(value, 1), next(value, -1)]);
    }
    values.extend((-323..=308).map(|power| format!("1e{power}").parse::<f64>().unwrap()));
    let mut random = Random(20_130_714);
    while values.len() < 40_000 {
        values.push(f64::from_bits(random.next()));
        // Averages and sums: doubles of everyday size.
        values
            .push((random.next() % 1_000_000) as f64 / (random.next() % 1000 + 1) as f64);
        values.push((random.next() % 100_000_000) as f64 / 1024.0);
    }
    values.retain(|value| value.is_finite());
    assert_as_php(&values, false);
}

#[test]
fn floats_as_json_encode_writes_their_shortest_decimal() {
    let mut values =
        vec![0.0, -0.0, 0.1, 230.52, 1e25, 3.4028235e38, 60.882812, 1e-45, 8589934592.0];
    for bits in (0..0x7f80_0000_u32).step_by(100_003) {
        values.push(f32::from_bits(bits));
    }
    for exponent in 0..255 {
        values.extend(
            [0, 1, 2, 0x7f_fffe, 0x7f_ffff].map(|m| f32::from_bits(exponent << 23 | m)),
        );
    }
    values.extend((0..4000).map(|n| n as f32 / 64.0));
    values.extend((0..4000).map(|n| (f64::from(n) / 100.0) as f32));
    let values: Vec<f64> =
        values.into_iter().flat_map(|v| [f64::from(v), -f64::from(v)]).collect();
    assert_as_php(&values, true);
}

#[test]
fn numbers_json_does_not_know_are_null() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(text(value, false), "null");
        assert_eq!(text(value, true), "null");
    }
}

fn example(single: bool) -> Series {
    let point = |time, value| Point { time, value };
    Series {
        points: vec![
            point(1_700_000_000, f64::from(0.1_f32)),
            point(-60, f64::NAN),
            point(0, -3.0),
            point(4_294_967_295, f64::from(f32::INFINITY)),
        ],
        single,
    }
}

#[test]
fn series_as_json() {
    let json = |series: &Series| {
        let mut out = Vec::new();
        json::series(series, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let singles = "[[1700000000,0.1],[-60,null],[0,-3],[4294967295,null]]";
    assert_eq!(json(&example(true)), singles);
    assert_eq!(
        json(&example(false)),
        "[[1700000000,0.10000000149011612],[-60,null],[0,-3],[4294967295,null]]"
    );
    assert_eq!(json(&Series::default()), "[]");
    let mut converted = example(true);
    to_decimal(&mut converted);
    assert!(!converted.single);
    assert_eq!(converted.points[0].value, 0.1);
    assert_eq!(json(&converted), singles, "the same text after the conversion");
    // A double that happens to be a float32 keeps its digits.
    let mut doubles = example(false);
    to_decimal(&mut doubles);
    assert_eq!(doubles.points[0].value, f64::from(0.1_f32));
    serde_json::from_str::<Vec<(i64, Option<f64>)>>(&json(&converted)).unwrap();
}

#[test]
fn series_as_csv() {
    let mut out = Vec::new();
    csv::series(&example(true), &csv::Format::default(), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "1700000000,0.1\n-60,\n0,-3\n4294967295,\n"
    );
}

/// The lines of one series.
fn lines(points: Vec<Point>, single: bool, format: &csv::Format) -> Vec<String> {
    let mut out = Vec::new();
    csv::series(&Series { points, single }, format, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn decimals_as_number_format_rounds_them() {
    let mut random = Random(20_130_715);
    let mut values: Vec<(f64, bool)> = Vec::new();
    for bits in (0..0x7f80_0000_u32).step_by(200_003) {
        values.push((f64::from(f32::from_bits(bits)), true));
    }
    // Readings of few decimals, where rounding meets ties.
    for thousandths in 0..20_000 {
        values.push((f64::from((f64::from(thousandths) / 1000.0) as f32), true));
        values.push((f64::from(thousandths) / 1000.0, false));
    }
    for _ in 0..20_000 {
        // Of at most 15 digits: PHP before 8.4 rounds to so many first.
        let digits = random.next() % 10_u64.pow((random.next() % 15) as u32 + 1);
        let text = format!("{digits}e{}", (random.next() % 40) as i64 - 30);
        values.push((text.parse().unwrap(), false));
    }
    values.extend([(1e300, false), (f64::MAX, false), (1e15, false), (1e-300, false)]);
    // Beyond 15 digits, PHP 8.4 adds to the last one: 456484760000000 gets the decimal 1.
    let errs = php(
        "fgets(STDIN); echo number_format(456484760000000.0, 1, '.', '');",
        &[String::new()],
    );
    let errs = errs == ["456484760000000.1"];
    for decimals in [0, 1, 2, 3, 6] {
        let signed = |i: usize, value: f64| if i % 3 == 0 { -value } else { value };
        let handed: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(i, &(value, single))| {
                let value = signed(i, if single { decimal(value) } else { value });
                format!("{:016x}", value.to_bits())
            })
            .collect();
        let script = format!(
            r#"while (($line = fgets(STDIN)) !== false) {{
                $value = unpack("E", hex2bin(trim($line)))[1];
                echo "0;", number_format($value, {decimals}, ",", ""), "\n";
            }}"#
        );
        let format = csv::Format {
            separator: ";".to_owned(),
            point: ",".to_owned(),
            decimals: Some(decimals as u8),
            ..csv::Format::default()
        };
        for (i, php) in php(&script, &handed).into_iter().enumerate() {
            let (value, single) = values[i];
            let point = Point { time: 0, value: signed(i, value) };
            let number = if single { decimal(value) } else { value };
            let is_beyond_15_digits = value * 10_f64.powi(decimals) >= 1e15;
            let php = if errs && is_beyond_15_digits {
                // Those of the double itself, as PHP had it before.
                format!("0;{:.*}", decimals as usize, signed(i, number)).replace('.', ",")
            } else {
                php
            };
            assert_eq!(
                lines(vec![point], single, &format),
                [php],
                "{value:e} with {decimals} decimals, single: {single}"
            );
        }
    }
}

#[test]
fn local_times_as_phps_calendar_writes_them() {
    // Each day that a row can have, at another second of it, and times far
    // outside of that.
    let mut times: Vec<i64> = (0..=u32::MAX.into()).step_by(86_400 - 17).collect();
    times.extend([-1, -62_000_000_000, 253_402_300_799, 253_402_300_800, 1 << 40]);
    times.extend([951_782_399, 951_782_400, 951_868_800, 4_107_542_400]);
    times.sort_unstable();
    for zone in ["UTC", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"] {
        let transitions = format!(
            r#"foreach ((new DateTimeZone("{zone}"))->getTransitions(-100000000000, 1 << 41) as $t) {{
                echo $t["ts"], " ", $t["offset"], "\n";
            }}"#
        );
        let output = Command::new("php").args(["-r", &transitions]).output().unwrap();
        let offsets: Vec<csv::Offset> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                let (from, seconds) = line.split_once(' ').unwrap();
                csv::Offset {
                    from: from.parse().unwrap(),
                    seconds: seconds.parse().unwrap(),
                }
            })
            .collect();
        assert!(!offsets.is_empty());
        // What PHP knows of the zone ends there (2037 or so); it goes on by
        // a rule then, which a caller asks it for.
        let known = offsets.last().unwrap().from.max(i64::from(u32::MAX) / 2);
        let times: Vec<i64> =
            times.iter().copied().filter(|&t| zone == "UTC" || t <= known).collect();
        assert!(times.len() > 20_000);
        let input: Vec<String> = times.iter().map(i64::to_string).collect();
        let script = format!(
            r#"$date = new DateTime("now", new DateTimeZone("{zone}"));
            while (($line = fgets(STDIN)) !== false) {{
                $date->setTimestamp((int) $line);
                echo $date->format("d/m/Y H:i:s"), " ", $date->format("c"), "\n";
            }}"#
        );
        let points: Vec<Point> =
            times.iter().map(|&time| Point { time, value: 0.0 }).collect();
        let [excel, iso] = [csv::Time::Excel, csv::Time::Iso8601].map(|time| {
            let format =
                csv::Format { time, offsets: offsets.clone(), ..csv::Format::default() };
            lines(points.clone(), false, &format)
        });
        for (i, php) in php(&script, &input).into_iter().enumerate() {
            let ours = format!(
                "{} {}",
                excel[i].trim_end_matches(",0"),
                iso[i].trim_end_matches(",0")
            );
            assert_eq!(ours, php, "{} in {zone}", times[i]);
        }
    }
}

#[test]
fn times_as_far_away_as_numbers_go() {
    for time in [i64::MIN, i64::MAX] {
        for seconds in [-86_400, 86_400] {
            let format = csv::Format {
                time: csv::Time::Iso8601,
                offsets: vec![csv::Offset { from: 0, seconds }],
                ..csv::Format::default()
            };
            let line = &lines(vec![Point { time, value: 1.0 }], false, &format)[0];
            assert!(line.contains("2922770"), "{line}");
        }
    }
}

#[test]
fn a_format_that_is_none_is_an_argument_error() {
    let offset = |from| csv::Offset { from, seconds: 0 };
    let plain = csv::Format::default;
    for format in [
        csv::Format { decimals: Some(MAX_DECIMALS + 1), ..plain() },
        csv::Format { offsets: vec![offset(5), offset(5)], ..plain() },
        csv::Format { offsets: vec![offset(5), offset(4)], ..plain() },
    ] {
        let mut out = Vec::new();
        let error = csv::series(&example(true), &format, &mut out).unwrap_err();
        assert_eq!(error.status(), emonfeed::Status::Argument);
        assert!(out.is_empty());
    }
    let format = csv::Format {
        missing: "none".to_owned(),
        decimals: Some(MAX_DECIMALS),
        ..plain()
    };
    assert_eq!(
        lines(example(true).points, true, &format)[..2],
        ["1700000000,0.1000000000000000055511", "-60,none"]
    );
}
