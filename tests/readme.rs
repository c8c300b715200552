//! The code in the README does what the README says, all three ways alike.

#[path = "demo/readings.rs"]
mod readings;

use readings::{FEEDS, YEAR};
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "/var/lib/mysql/emoncms";

/// The first block of `language` under the heading of the one task.
fn block(language: &str) -> String {
    let readme = include_str!("../README.md");
    let (_, task) =
        readme.split_once("\n## One task, three ways\n").expect("the heading");
    let (_, code) = task.split_once(&format!("\n```{language}\n")).expect("a block");
    let (code, _) = code.split_once("\n```\n").expect("the end of the block");
    assert!(code.contains(FOLDER), "{code}");
    code.to_owned()
}

/// What `command` prints.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && err.is_empty(),
        "{command:?}: {}\n{out}{err}",
        output.status
    );
    out.into_owned()
}

/// The hours' averages, taken from the bytes of the file.
fn expected(rows: &[u8]) -> Vec<f64> {
    let rows: Vec<(u32, f64)> = rows
        .chunks_exact(9)
        .map(|row| {
            let value = f32::from_le_bytes(row[5..].try_into().unwrap());
            (u32::from_le_bytes(row[1..5].try_into().unwrap()), f64::from(value))
        })
        .collect();
    rows.chunk_by(|a, b| a.0 / 3600 == b.0 / 3600)
        .map(|hour| hour.iter().map(|row| row.1).sum::<f64>() / hour.len() as f64)
        .collect()
}

/// Checks that `text` has a line for each hour that ends in its average.
fn check(text: &str, expected: &[f64], tolerance: f64) {
    let values: Vec<f64> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next_back()?.parse().ok())
        .collect();
    assert_eq!(values.len(), expected.len(), "{text}");
    for (value, expected) in values.iter().zip(expected) {
        assert!(
            (value - expected).abs() <= tolerance,
            "{value} is not {expected} in\n{text}"
        );
    }
}

#[test]
fn the_three_ways_answer_what_the_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // 1 June, and an hour on both sides of it.
    let june = 1_748_736_000;
    let (day, around) = (june..june + 86_400, june - 3_600..june + 90_000);
    assert!(YEAR.start < around.start && around.end < YEAR.end);
    FEEDS[0].append_rows(path, &around).unwrap();
    let rows = std::fs::read(path.join("feed_1.MYD")).unwrap();
    let expected = expected(&rows[360 * 9..rows.len() - 360 * 9]);
    assert_eq!((expected.len(), day.len()), (24, 24 * 3_600));
    let code = |language| block(language).replace(FOLDER, path.to_str().unwrap());

    let extension =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/php-ext/modules/emonfeed.so");
    assert!(extension.exists(), "{}: build it with `make php`", extension.display());
    let php = output(
        Command::new("php")
            .args(["-n", "-d"])
            .arg(format!("extension={}", extension.display()))
            .args(["-r", &code("php")]),
    );
    check(&php, &expected, 1e-8);

    // Cargo makes the library beside the program of its test.
    let library = std::env::current_exe().unwrap().with_file_name("libemonfeed.a");
    std::fs::write(path.join("task.c"), code("c")).unwrap();
    output(
        Command::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "task.c"])
            .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include"))
            .args(["-o", "task"])
            .arg(library)
            .args(["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"])
            .current_dir(path),
    );
    check(&output(&mut Command::new(path.join("task"))), &expected, 5.1e-4);

    let command = Path::new(env!("CARGO_BIN_EXE_emonfeed")).parent().unwrap();
    let path = format!("{}:{}", command.display(), std::env::var("PATH").unwrap());
    let shell = output(Command::new("sh").args(["-ec", &code("sh")]).env("PATH", path));
    check(&shell, &expected, 5.1e-4);
}
