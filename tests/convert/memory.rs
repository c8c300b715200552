//! How much memory a conversion takes: little, however many rows there are.

use crate::program::{run, within};
use crate::table::{dirs, row};
use std::fs;
use std::io::Write;

/// The most memory in KiB of converting so many rows.
fn measured(rows: u32, engine: &str) -> u64 {
    let dirs = dirs();
    let file = fs::File::create(dirs.source.join("feed_1.MYD")).unwrap();
    let mut file = std::io::BufWriter::new(file);
    for i in 0..rows {
        file.write_all(&row(1_300_000_000 + 10 * i, i as f32)).unwrap();
    }
    file.into_inner().unwrap();
    let log = dirs.root.path().join("memory");
    let starter = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", log.to_str().unwrap()];
    let (source, target) = (dirs.source.to_str().unwrap(), dirs.copies.to_str().unwrap());
    let ended = run(within(&starter, ["convert", source, target, "--to", engine]));
    assert_eq!(ended.code(), 0, "{ended:?}");
    fs::read_to_string(log).unwrap().trim().parse().unwrap()
}

#[test]
fn a_hundred_times_the_rows_take_little_more_memory() {
    // Nine bytes a row would be 18 MB more, and points of 16 bytes 32 MB.
    const MORE: u64 = 6 << 10;
    for engine in ["phptimeseries", "phpfina"] {
        let (few, many) = (measured(20_000, engine), measured(2_000_000, engine));
        println!("{engine}: {few} KiB of 20,000 rows, {many} KiB of 2,000,000");
        assert!(many < few + MORE, "{engine}: {few} KiB, {many} KiB");
    }
}
