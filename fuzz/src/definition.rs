//! The parsers of `.frm`, `.sdi` and the head of `.MYI`, on bytes alone.

use super::place;
use emonfeed::myisam::{Header, Layout, MAX_STRIDE, parse_frm, parse_sdi};

/// The first byte tells which; the rest is the file. With the head of an index
/// comes a definition behind it, so that both make a layout.
pub fn run(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    match kind % 3 {
        0 => check(parse_frm(bytes)),
        1 => check(parse_sdi(bytes)),
        _ => {
            let Some(len) = Header::length(bytes) else { return };
            let (head, rest) = bytes.split_at(len.min(bytes.len()));
            let Ok(header) = Header::parse(head) else { return };
            let _ = header.check();
            let Ok(definition) = parse_frm(rest) else { return };
            if let Ok(layout) = Layout::new(&header, &definition) {
                use_layout(&layout);
            }
        }
    }
}

fn check(parsed: emonfeed::Result<emonfeed::myisam::Definition>) {
    let definition = match parsed {
        Ok(definition) => definition,
        Err(error) => {
            assert_ne!(error.status(), emonfeed::Status::Internal, "{error}");
            return;
        }
    };
    if let Ok(layout) = Layout::of_copy(&definition) {
        use_layout(&layout);
    }
    for stride in 0..64 {
        if let Ok(layout) = Layout::of_rows(&definition, stride) {
            assert_eq!(layout.stride(), stride);
            use_layout(&layout);
        }
    }
}

/// A layout that was made can be used on any row of its stride.
fn use_layout(layout: &Layout) {
    assert!((1..=MAX_STRIDE).contains(&layout.stride()), "{layout:?}");
    for byte in [0, 0xff, 0xf9, 0x55] {
        let row = vec![byte; layout.stride()];
        let _ =
            (layout.flag_is_valid(byte), layout.is_deleted(&row), layout.is_null(&row));
        let _ =
            (layout.row(&row), layout.checksum(&row, true), layout.checksum(&row, false));
        if layout.is_histogram() {
            layout.data2(&row);
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![[&[1], SDI.as_bytes()].concat()];
    for table in place::tables() {
        let [index, definition] =
            ["MYI", "frm"].map(|e| place::fixture(&format!("{table}/feed_1.{e}")));
        seeds.push([&[0], &definition[..]].concat());
        let head = Header::length(&index).expect("a head");
        seeds.push([&[2], &index[..head], &definition[..]].concat());
    }
    seeds
}

/// In the shape that MySQL 8 documents and publishes.
pub const SDI: &str = r#"{"mysqld_version_id":80039,"dd_object_type":"Table","dd_object":
{"name":"feed_1","options":"avg_row_length=0;pack_record=1;","engine":"MyISAM","hidden":1,
"columns":[{"name":"time","type":4,"is_nullable":true,"is_unsigned":true,"is_virtual":false,
"hidden":1,"ordinal_position":1,"column_type_utf8":"int unsigned"},{"name":"data","type":5,
"is_nullable":true,"is_unsigned":false,"is_virtual":false,"hidden":1,"ordinal_position":2,
"column_type_utf8":"float"}],"indexes":[]}}"#;
