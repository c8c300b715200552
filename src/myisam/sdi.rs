//! `.sdi`, the table definition of MySQL 8: the dictionary object as JSON.
//!
//! Keys and numbers as `sql/dd/impl/types/column_impl.cc` and
//! `sql/dd/types/column.h` of MySQL write them. No MySQL 8 server was at hand
//! to check them against; the tests use the published shape.

use super::column::{Column, ColumnType, Definition};
use crate::error::{Error, Result, Status};
use serde_json::Value;

/// `Column::enum_hidden_type::HT_VISIBLE`.
const VISIBLE: u64 = 1;

fn damaged(what: &str) -> Error {
    Error::new(Status::Damaged, format!("the table definition is damaged ({what})"))
}

/// Reads the columns of a table out of its `.sdi`.
pub fn parse(bytes: &[u8]) -> Result<Definition> {
    let root: Value = serde_json::from_slice(bytes)
        .map_err(|e| damaged(&format!("no valid JSON: {e}")))?;
    let table = &root["dd_object"];
    if root["dd_object_type"] != "Table" {
        return Err(damaged("it describes no table"));
    }
    let engine = table["engine"].as_str().ok_or_else(|| damaged("no engine"))?;
    if !engine.eq_ignore_ascii_case("MyISAM") {
        return Err(Error::new(
            Status::Engine,
            format!(
                "the table belongs to the storage engine {engine}, whose files are not read \
                 here; ALTER TABLE … ENGINE=MyISAM makes it readable"
            ),
        ));
    }
    let listed = table["columns"].as_array().ok_or_else(|| damaged("no columns"))?;
    let mut columns = Vec::with_capacity(listed.len());
    for column in listed {
        if column["hidden"].as_u64().is_some_and(|hidden| hidden != VISIBLE) {
            continue;
        }
        let name =
            column["name"].as_str().ok_or_else(|| damaged("a column has no name"))?;
        let number =
            column["type"].as_u64().ok_or_else(|| damaged("a column has no type"))?;
        // `enum_column_types` counts from 1 where `.frm` counts from 0.
        let kind = u8::try_from(number.wrapping_sub(1))
            .ok()
            .and_then(ColumnType::from_field_type)
            .ok_or_else(|| {
                Error::new(
                    Status::UnknownColumn,
                    format!(
                        "column `{name}` has a type that no feed has (column type {number}); \
                         FLOAT, DOUBLE and the integers are read"
                    ),
                )
            })?;
        let flag = |key: &str| {
            column[key]
                .as_bool()
                .ok_or_else(|| damaged(&format!("a column without {key}")))
        };
        if flag("is_virtual")? {
            return Err(Error::new(
                Status::UnknownColumn,
                format!("column `{name}` is computed, which no column of a feed is"),
            ));
        }
        let position = column["ordinal_position"].as_u64().unwrap_or(0);
        columns.push((
            position,
            Column {
                name: name.to_owned(),
                kind,
                unsigned: flag("is_unsigned")?,
                nullable: flag("is_nullable")?,
            },
        ));
    }
    columns.sort_by_key(|(position, _)| *position);
    let options = table["options"].as_str().unwrap_or("");
    let option = |key: &str| {
        options.split(';').filter_map(|o| o.split_once('=')).find(|(k, _)| *k == key)
    };
    Ok(Definition {
        columns: columns.into_iter().map(|(_, column)| column).collect(),
        checksum: option("checksum").is_some_and(|(_, value)| value == "1"),
        max_rows: option("max_rows").and_then(|(_, v)| v.parse().ok()).unwrap_or(0),
    })
}
