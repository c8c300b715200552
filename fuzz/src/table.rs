//! The files of a table: index, definition, rows, each as the fuzzer has it.

use super::input::{Input, piece};
use super::naive::Row;
use super::place::{self, Table};
use super::queries::{Questions, ask_both};
use super::{definition, queries};
use emonfeed::query::Point;

/// Recorded tables have their rows about there.
const BASE: i64 = 1_370_000_000;

/// Questions, a byte that tells which files there are, the files.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let questions = Questions::new(&mut input, BASE);
    let files = input.u8();
    let table = Table::new();
    for (bit, extension) in [(1, "MYI"), (2, "frm"), (4, "sdi")] {
        let bytes = input.piece();
        match extension {
            _ if files & bit == 0 => {}
            "sdi" => table.put_sdi(bytes),
            extension => table.put(extension, bytes),
        }
    }
    table.put("MYD", input.0);
    table.settle();
    let Some(answers) = ask_both(&table.rows, &questions) else {
        return copied(&table);
    };
    // What is asked in other ways fits the rows that there are.
    let row = |point: &Point| Row { time: point.time, value: point.value };
    let rows: Vec<Row> = answers.all.points.iter().map(row).collect();
    assert!(rows.is_sorted_by_key(|row| row.time));
    assert!(rows.len() <= input.0.len());
    answers.expect(&rows, &questions, false);
    copied(&table);
}

/// A copy is made of it or not; if it is, it holds the same rows.
fn copied(table: &Table) {
    let copies = place::directory();
    let options = emonfeed::backup::CopyOptions::default();
    match emonfeed::backup::copy(&table.rows, copies.path(), &options, &mut |_| ()) {
        Err(error) => queries::expect_named(&error),
        Ok(report) => {
            let name = table.rows.file_name().expect("a name");
            let copy = std::fs::read(copies.path().join(name)).expect("the copy");
            let rows = std::fs::read(&table.rows).expect("the rows");
            assert!(rows.starts_with(&copy), "{report:?}");
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    // Both ends some minutes from the base, windows of ten seconds.
    let questions = [0, 0, 0xff, 0, 0, 2, 10, 0, 2, 2, 0, 2, 0, 10, 0, 0, 90, 0, 3, 20];
    let mut seeds = Vec::new();
    for name in place::tables() {
        let [index, frm, rows] = ["MYI", "frm", "MYD"]
            .map(|extension| place::fixture(&format!("{name}/feed_1.{extension}")));
        for files in [3, 2] {
            let files = [&[files], &piece(&index)[..], &piece(&frm), &piece(&[]), &rows];
            seeds.push([&questions[..], &files.concat()].concat());
        }
    }
    let [index, rows] = ["MYI", "MYD"]
        .map(|extension| place::fixture(&format!("plain/feed_1.{extension}")));
    let sdi = piece(definition::SDI.as_bytes());
    let files = [&[5], &piece(&index)[..], &piece(&[]), &sdi, &rows];
    seeds.push([&questions[..], &files.concat()].concat());
    seeds
}
