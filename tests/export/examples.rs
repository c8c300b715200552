//! The code in docs/scale.md does what it is shown for.

use crate::dataset::{Dirs, row};
use crate::effort::effort;
use crate::engines::read;
use crate::server::Rows;

/// 31 December 2024, 12:00 UTC.
const NOON: u32 = 1_735_646_400;
const HOUR: u32 = 3600;

/// The first block of `language` behind `heading`, for the dataset at `place`.
fn block(heading: &str, language: &str, place: &str) -> String {
    let text = include_str!("../../docs/scale.md");
    let (_, text) = text.split_once(heading).expect(heading);
    let (_, code) = text.split_once(&format!("\n```{language}\n")).expect(language);
    let (code, _) = code.split_once("\n```\n").expect("the end of the block");
    assert!(code.contains("/data/emoncms"), "{code}");
    code.replace("/data/emoncms", place)
}

fn texts(rows: Rows) -> Vec<Vec<String>> {
    let text = |cell: Option<String>| cell.expect("no NULL");
    rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

#[test]
fn the_code_in_the_document_answers() {
    let dirs = Dirs::new();
    // Each hour for two days, twelve of them in 2024; of feed 501 nothing is asked.
    for feed in [1, 7, 501] {
        let row = |hour: u32| row(NOON + hour * HOUR, (feed * 100 + hour) as f32);
        dirs.write(feed, &(0..48).flat_map(row).collect::<Vec<u8>>());
    }
    dirs.export(&["-q"]);
    let place = dirs.to.to_str().unwrap();

    let days = texts(read(&["example", "sql", &block("**DuckDB**", "sql", place)]));
    let day = |feed: u32, from: u32, to: u32| {
        let day = if from == 12 { "2025-01-01" } else { "2025-01-02" };
        let average = f64::from(feed * 100 + from) + f64::from(to - from) / 2.0;
        let largest = f64::from(feed * 100 + to);
        let time = format!("{day} 00:00:00+00:00");
        [feed.to_string(), time, format!("{average:?}"), format!("{largest:?}")]
    };
    let expected = [1, 7].map(|feed| [day(feed, 12, 35), day(feed, 36, 47)]);
    assert_eq!(days, expected.concat());

    let code = block("**pandas, Polars, R**", "python", place);
    let rows = texts(read(&["example", "python", &code]));
    assert_eq!(rows.len(), 36);
    assert_eq!(rows[0], ["2025-01-01 00:00:00+00:00", "712.0", "2025"]);

    if effort(false, true) {
        let code = block("**Spark**", "python", place);
        let averages = texts(read(&["example", "spark", &code]));
        let average = |feed: u32| [feed.to_string(), format!("{}.5", feed * 100 + 29)];
        assert_eq!(averages, [1, 7, 501].map(average));
    }
}
