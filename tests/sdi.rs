//! The definitions of MySQL 8. No server of that kind is among Debian's
//! packages: the shape of the JSON is that which MySQL documents and publishes.

use emonfeed::query::{self, Point};
use emonfeed::{Feed, Status};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// One entry of `dd_object.columns`. Types: 4 INT, 5 FLOAT, 6 DOUBLE.
fn column(name: &str, kind: u64, nullable: bool, unsigned: bool, position: u64) -> Value {
    json!({
        "name": name, "type": kind, "is_nullable": nullable, "is_zerofill": false,
        "is_unsigned": unsigned, "is_auto_increment": false, "is_virtual": false, "hidden": 1,
        "ordinal_position": position, "char_length": 10, "numeric_precision": 10,
        "numeric_scale": 0, "default_value_null": true, "options": "interval_count=0;",
        "column_type_utf8": "int unsigned", "elements": [], "collation_id": 8,
    })
}

fn table(columns: &[Value], engine: &str, options: &str) -> Value {
    json!({
        "mysqld_version_id": 80039, "dd_version": 80023, "sdi_version": 80019,
        "dd_object_type": "Table",
        "dd_object": {
            "name": "feed_1", "mysql_version_id": 80039, "hidden": 1, "options": options,
            "columns": columns, "schema_ref": "emoncms", "engine": engine, "indexes": [],
        },
    })
}

fn nullable() -> Vec<Value> {
    vec![column("time", 4, true, true, 1), column("data", 5, true, false, 2)]
}

struct Files {
    dir: TempDir,
    path: PathBuf,
}

/// A recorded table with an `.sdi` in place of its `.frm`, with or without its
/// `.MYI`.
fn files(recorded: &str, sdi: &Value, index: bool) -> Files {
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(recorded);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed_1.MYD");
    fs::copy(from.join("feed_1.MYD"), &path).unwrap();
    if index {
        fs::copy(from.join("feed_1.MYI"), path.with_extension("MYI")).unwrap();
    }
    fs::write(dir.path().join("feed_1_363.sdi"), sdi.to_string()).unwrap();
    Files { dir, path }
}

fn rows(path: &Path) -> emonfeed::Result<Vec<Point>> {
    Ok(query::rows(&Feed::open(path)?, i64::MIN, i64::MAX, 0)?.points)
}

fn text(points: &[Point]) -> String {
    format!("{points:?}")
}

fn expected(recorded: &str) -> String {
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(recorded);
    text(&rows(&from.join("feed_1.MYD")).unwrap())
}

#[test]
fn a_table_is_read_by_its_sdi() {
    let double =
        vec![column("time", 4, true, true, 1), column("data", 6, true, false, 2)];
    let int = vec![column("time", 4, true, true, 1), column("data", 4, true, false, 2)];
    for (recorded, columns) in [("plain", nullable()), ("double", double), ("int", int)] {
        let sdi =
            table(&columns, "MyISAM", "avg_row_length=0;keys_disabled=0;pack_record=1;");
        for index in [true, false] {
            let files = files(recorded, &sdi, index);
            assert_eq!(
                text(&rows(&files.path).unwrap()),
                expected(recorded),
                "{recorded}"
            );
        }
    }
}

#[test]
fn a_copy_with_checksum_has_wider_rows() {
    let sdi = table(&nullable(), "MyISAM", "checksum=1;keys_disabled=0;");
    let files = files("checksum", &sdi, false);
    assert_eq!(text(&rows(&files.path).unwrap()), expected("checksum"));
}

#[test]
fn hidden_columns_are_passed_over_and_the_order_is_by_position() {
    let mut hidden = column("DB_ROW_ID", 10, false, false, 3);
    hidden["hidden"] = json!(2);
    let mut columns = nullable();
    columns.reverse();
    columns.push(hidden);
    let files = files("plain", &table(&columns, "MyISAM", ""), true);
    assert_eq!(text(&rows(&files.path).unwrap()), expected("plain"));
}

#[test]
fn what_is_no_feed_is_refused_by_name() {
    let mut computed = column("data2", 5, true, false, 3);
    computed["is_virtual"] = json!(true);
    let with = |extra: Value| [nullable(), vec![extra]].concat();
    let unknown = column("data2", 16, true, false, 3);
    let other = column("note", 4, true, false, 3);
    for (sdi, status) in [
        (table(&nullable(), "InnoDB", ""), Status::Engine),
        (table(&with(computed), "MyISAM", ""), Status::UnknownColumn),
        (table(&with(unknown), "MyISAM", ""), Status::UnknownColumn),
        (table(&with(other), "MyISAM", ""), Status::NotAFeed),
        (json!({"dd_object_type": "Tablespace"}), Status::Damaged),
        (json!([1, 2, 3]), Status::Damaged),
        (json!(null), Status::Damaged),
    ] {
        let files = files("plain", &sdi, true);
        let error = rows(&files.path).expect_err("no feed");
        assert_eq!(error.status(), status, "{error}");
        assert_eq!(
            error.path(),
            Some(&*files.dir.path().join("feed_1_363.sdi")),
            "{error}"
        );
    }
}

#[test]
fn damaged_definitions_are_errors_or_read_right() {
    let good = table(&nullable(), "MyISAM", "keys_disabled=0;");
    let text_of_good = good.to_string();
    let files = files("plain", &good, true);
    let sdi = files.dir.path().join("feed_1_363.sdi");
    let expected = expected("plain");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for name in ["feed_1.MYD", "feed_1.MYI"] {
        let file =
            fs::File::options().write(true).open(files.dir.path().join(name)).unwrap();
        file.set_modified(old).unwrap();
    }
    let mut refused = 0;
    let mut check = |bytes: &[u8]| {
        fs::write(&sdi, bytes).unwrap();
        match emonfeed::myisam::parse_sdi(bytes) {
            Ok(definition) => {
                // A letter of a key that matters not, or a table of its own.
                if definition.columns.len() == 2 && rows(&files.path).is_ok() {
                    assert!(definition.columns.iter().any(|c| c.name == "time"));
                }
            }
            Err(error) => {
                assert_ne!(error.status(), Status::Internal);
                refused += 1;
            }
        }
    };
    for length in (0..text_of_good.len()).step_by(7) {
        check(&text_of_good.as_bytes()[..length]);
    }
    for at in 0..text_of_good.len() {
        let mut bytes = text_of_good.clone().into_bytes();
        bytes[at] ^= 1;
        check(&bytes);
    }
    assert!(refused > 300, "{refused}");
    fs::write(&sdi, text_of_good).unwrap();
    assert_eq!(text(&rows(&files.path).unwrap()), expected);
}

#[test]
fn a_directory_that_changes_is_looked_at_anew() {
    let sdi = table(&nullable(), "MyISAM", "");
    let first = files("plain", &sdi, true);
    assert_eq!(text(&rows(&first.path).unwrap()), expected("plain"));
    // A second table appears beside, then the first's definition gets another
    // number, as ALTER TABLE gives it.
    let second = first.dir.path().join("feed_22.MYD");
    fs::copy(&first.path, &second).unwrap();
    fs::copy(first.path.with_extension("MYI"), second.with_extension("MYI")).unwrap();
    fs::write(first.dir.path().join("feed_22_400.sdi"), sdi.to_string()).unwrap();
    assert_eq!(text(&rows(&second).unwrap()), expected("plain"));
    let old = first.dir.path().join("feed_1_363.sdi");
    fs::rename(&old, first.dir.path().join("feed_1_364.sdi")).unwrap();
    assert_eq!(text(&rows(&first.path).unwrap()), expected("plain"));
    fs::remove_file(first.dir.path().join("feed_1_364.sdi")).unwrap();
    let error = rows(&first.path).expect_err("no definition");
    assert_eq!(error.status(), Status::MissingDefinition, "{error}");
}
