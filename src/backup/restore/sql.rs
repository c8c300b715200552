//! The statements that make a table of rows that were put back.

use crate::error::{Error, Result, Status};
use crate::myisam::{Column, ColumnType, Definition};
use serde_json::Value;
use std::fmt::Write;

/// The name of a database or table whose files have the name `file`: MySQL
/// writes `emon-cms` as `emon@002dcms`. `None` if that cannot be told.
pub fn name_of_files(file: &str) -> Option<String> {
    let mut name = String::new();
    let mut parts = file.split('@');
    name.push_str(parts.next()?);
    for part in parts {
        let (code, rest) = part.split_at_checked(4)?;
        name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        name.push_str(rest);
    }
    Some(name)
}

/// A name as statements have it.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `CREATE TABLE` of a table whose rows have this definition.
pub(super) fn create(table: &str, definition: &Definition, indexes: &[String]) -> String {
    let mut sql = format!("CREATE TABLE {table} (");
    for column in &definition.columns {
        // Writing to a string cannot fail.
        let _ = write!(sql, "{}, ", column_sql(column));
    }
    sql.push_str(&indexes.join(", "));
    if indexes.is_empty() {
        sql.truncate(sql.len() - 2);
    }
    sql.push_str(") ENGINE=MyISAM");
    if definition.checksum {
        sql.push_str(" CHECKSUM=1");
    }
    if definition.max_rows > 0 {
        let _ = write!(sql, " MAX_ROWS={}", definition.max_rows);
    }
    sql
}

fn column_sql(column: &Column) -> String {
    let kind = column.kind.sql_name(column.unsigned);
    let is_real = matches!(column.kind, ColumnType::Float | ColumnType::Double);
    let unsigned = if is_real && column.unsigned { " UNSIGNED" } else { "" };
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{} {kind}{unsigned}{null}", quoted(&column.name))
}

/// The index that emoncms gives its feeds: no row is refused for it.
pub(super) fn usual_indexes() -> Vec<String> {
    vec!["INDEX (`time`)".to_owned()]
}

/// The indexes that an `.sdi` tells of.
pub(super) fn indexes_of_sdi(sdi: &[u8]) -> Result<Vec<String>> {
    let odd = || {
        Error::new(Status::Damaged, "the indexes in the table definition make no sense")
    };
    let root: Value = serde_json::from_slice(sdi).map_err(|_| odd())?;
    let table = &root["dd_object"];
    let Some(indexes) = table["indexes"].as_array() else { return Ok(usual_indexes()) };
    let is_hidden = |value: &&Value| value["hidden"].as_bool() == Some(true);
    indexes
        .iter()
        .filter(|index| !is_hidden(index))
        .map(|index| {
            let elements = index["elements"].as_array().ok_or_else(odd)?;
            let columns: Option<Vec<String>> = elements
                .iter()
                .filter(|element| !is_hidden(element))
                .map(|element| {
                    let column = usize::try_from(element["column_opx"].as_u64()?).ok()?;
                    let name = table["columns"].get(column)?["name"].as_str()?;
                    // `Index_element::enum_index_element_order`.
                    const DESCENDING: u64 = 3;
                    let descends = element["order"].as_u64() == Some(DESCENDING);
                    let order = if descends { " DESC" } else { "" };
                    Some(format!("{}{order}", quoted(name)))
                })
                .collect();
            let columns =
                columns.filter(|columns| !columns.is_empty()).ok_or_else(odd)?;
            let columns = columns.join(", ");
            // `Index::enum_index_type`.
            match index["type"].as_u64() {
                Some(1) => Ok(format!("PRIMARY KEY ({columns})")),
                Some(2) => Ok(format!("UNIQUE ({columns})")),
                Some(3) => Ok(format!("INDEX ({columns})")),
                _ => Err(odd()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_files_are_decoded() {
        let name = |file: &str| name_of_files(file);
        assert_eq!(name("emoncms").as_deref(), Some("emoncms"));
        assert_eq!(name("emon@002dcms").as_deref(), Some("emon-cms"));
        assert_eq!(name("a@0040b@00e4").as_deref(), Some("a@bä"));
        for odd in ["a@", "a@0", "a@00g0", "a@d800", "a@é00"] {
            assert_eq!(name(odd), None, "{odd}");
        }
    }

    #[test]
    fn tables_are_made_as_their_definitions_say() {
        let column = |name: &str, kind, unsigned, nullable| Column {
            name: name.to_owned(),
            kind,
            unsigned,
            nullable,
        };
        let mut definition = Definition {
            columns: vec![
                column("time", ColumnType::Int, true, false),
                column("da`ta", ColumnType::Float, true, true),
            ],
            checksum: false,
            max_rows: 0,
        };
        assert_eq!(
            create("`t`", &definition, &usual_indexes()),
            "CREATE TABLE `t` (`time` INT UNSIGNED NOT NULL, `da``ta` FLOAT UNSIGNED, \
             INDEX (`time`)) ENGINE=MyISAM"
        );
        (definition.checksum, definition.max_rows) = (true, 7);
        assert_eq!(
            create("`t`", &definition, &[]),
            "CREATE TABLE `t` (`time` INT UNSIGNED NOT NULL, `da``ta` FLOAT UNSIGNED) \
             ENGINE=MyISAM CHECKSUM=1 MAX_ROWS=7"
        );
    }

    #[test]
    fn indexes_are_read_from_the_dictionary() {
        let sdi = |indexes: Value| {
            let columns = json!([{"name": "time"}, {"name": "data"}]);
            json!({ "dd_object": { "columns": columns, "indexes": indexes } }).to_string()
        };
        let element = |column: u64, order: u64, hidden: bool| json!({ "column_opx": column, "order": order, "hidden": hidden, "length": 4 });
        let of = |indexes: Value| indexes_of_sdi(sdi(indexes).as_bytes());
        assert_eq!(
            of(json!([
                { "type": 2, "hidden": false, "elements": [element(0, 2, false)] },
                { "type": 3, "hidden": false,
                    "elements": [element(1, 3, false), element(0, 2, false)] },
                { "type": 1, "hidden": true, "elements": [element(0, 2, false)] },
            ]))
            .unwrap(),
            ["UNIQUE (`time`)", "INDEX (`data` DESC, `time`)"]
        );
        assert_eq!(of(json!([])).unwrap(), [""; 0]);
        assert_eq!(of(Value::Null).unwrap(), usual_indexes());
        for odd in [
            json!([{ "type": 3, "elements": [] }]),
            json!([{ "type": 4, "elements": [element(0, 2, false)] }]),
            json!([{ "type": 3, "elements": [element(2, 2, false)] }]),
            json!([{ "type": 3 }]),
        ] {
            assert!(of(odd.clone()).is_err(), "{odd}");
        }
    }
}
