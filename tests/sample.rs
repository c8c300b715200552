//! The demo's sample writer makes the bytes that a MariaDB server makes.

#[path = "demo/readings.rs"]
mod readings;
mod server;

use readings::{FEEDS, NEXT_HOUR, YEAR};
use server::Server;

#[test]
fn written_rows_are_the_servers_byte_for_byte() {
    let mut server = Server::start();
    let written = tempfile::tempdir().unwrap();
    for feed in &FEEDS {
        let table = format!("feed_{}", feed.id);
        server.sql(&format!(
            "CREATE TABLE {table} (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, \
             UNIQUE (time)) ENGINE=MyISAM"
        ));
        let mut rows = 0;
        for span in [YEAR, NEXT_HOUR] {
            rows += feed.append_rows(written.path(), &span).unwrap();
            feed.write_text(&server.database(), &span).unwrap();
            server.sql(&format!("LOAD DATA INFILE '{table}.txt' INTO TABLE {table}"));
        }
        let count = server.sql(&format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(count, [[Some(rows.to_string())]]);

        let ours = std::fs::read(written.path().join(format!("{table}.MYD"))).unwrap();
        let theirs = std::fs::read(server.rows_file(&table)).unwrap();
        assert_eq!(ours.len() as u64, rows * 9);
        let difference = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        assert_eq!((difference, ours.len()), (None, theirs.len()), "{table}");
    }
}

#[test]
fn the_year_has_a_reading_every_ten_seconds() {
    let written = tempfile::tempdir().unwrap();
    let rows: Vec<u64> = FEEDS
        .iter()
        .map(|feed| feed.append_rows(written.path(), &YEAR).unwrap())
        .collect();
    assert_eq!(rows, [3_153_600, 525_600, 105_120]);
}
