//! `.frm`, the table definition of MariaDB and of MySQL up to 5.7.
//!
//! Integers are little-endian. Layout: `sql/table.cc`
//! (`TABLE_SHARE::init_from_binary_frm_image`) of MariaDB, decoded from files
//! of ten table shapes.

use super::bytes::{u8_at, u16_le, u24_le, u32_le};
use super::column::{Column, ColumnType, Definition};
use crate::error::{Error, Result, Status};

const ENGINE_MYISAM: u8 = 9;
const ENGINE_ARIA: u8 = 42;
const ENGINE_INNODB: u8 = 12;

const OPTION_CHECKSUM: u16 = 0x20;

const ENTRY: usize = 17;
const FLAG_SIGNED: u16 = 1;
const FLAG_NULLABLE: u16 = 0x8000;

fn damaged(what: &str) -> Error {
    Error::new(
        Status::Damaged,
        format!(
            "the table definition is damaged ({what}): restore it from a backup, and keep a \
             copy of the .MYD, which DROP TABLE would delete"
        ),
    )
}

/// Reads the columns of a table out of its `.frm`.
pub fn parse(bytes: &[u8]) -> Result<Definition> {
    if !bytes.starts_with(&[0xfe, 0x01]) {
        return Err(damaged("it does not begin with FE 01"));
    }
    match u8_at(bytes, 3) {
        Some(ENGINE_MYISAM) => {}
        Some(ENGINE_ARIA) => return Err(engine("Aria")),
        Some(ENGINE_INNODB) => return Err(engine("InnoDB")),
        other => return Err(engine(&format!("number {}", other.unwrap_or(0)))),
    }
    columns(bytes).ok_or_else(|| damaged("it is cut short"))?
}

fn engine(name: &str) -> Error {
    Error::new(
        Status::Engine,
        format!(
            "the table belongs to the storage engine {name}, whose files are not read here; \
             ALTER TABLE … ENGINE=MyISAM makes it readable"
        ),
    )
}

fn columns(bytes: &[u8]) -> Option<Result<Definition>> {
    let max_rows = u32_le(bytes, 18)?;
    let options = u16_le(bytes, 30)?;
    let form_at = 64 + usize::from(u16_le(bytes, 4)?);
    let form = u32_le(bytes, form_at)? as usize;
    let count = usize::from(u16_le(bytes, form.checked_add(258)?)?);
    let screens = usize::from(u16_le(bytes, form + 260)?);
    let names_len = usize::from(u16_le(bytes, form + 268)?);
    let entries_at = form + 288 + screens;
    let names_at = entries_at + count * ENTRY;
    let names = bytes.get(names_at..names_at.checked_add(names_len)?)?;
    // FF, then each name followed by FF, then 00.
    let mut names = names.split(|&b| b == 0xff).filter(|name| !name.is_empty());

    let mut columns = Vec::with_capacity(count);
    for i in 0..count {
        let at = entries_at + i * ENTRY;
        let offset = u24_le(bytes, at + 5)?.checked_sub(1)?;
        let flags = u16_le(bytes, at + 8)?;
        let kind = u8_at(bytes, at + 13)?;
        let name = String::from_utf8_lossy(names.next()?).into_owned();
        let Some(kind) = ColumnType::from_field_type(kind) else {
            return Some(Err(Error::new(
                Status::UnknownColumn,
                format!(
                    "column `{name}` has a type that no feed has (field type {kind}); \
                     FLOAT, DOUBLE and the integers are read"
                ),
            )));
        };
        columns.push((
            offset,
            Column {
                name,
                kind,
                unsigned: flags & FLAG_SIGNED == 0,
                nullable: flags & FLAG_NULLABLE != 0,
            },
        ));
    }
    // The list is in the order of creation, the offsets in that of the bytes.
    columns.sort_by_key(|(offset, _)| *offset);
    // One flag byte is in front of what may be a feed; other tables, which may
    // have more of them, are refused by the names of their columns.
    const MOST: usize = 7;
    let mut next = 1;
    for (offset, column) in columns.iter().filter(|_| count <= MOST) {
        if *offset != next {
            return Some(Err(damaged("columns overlap or leave gaps")));
        }
        next += column.kind.width() as u32;
    }
    Some(Ok(Definition {
        columns: columns.into_iter().map(|(_, column)| column).collect(),
        checksum: options & OPTION_CHECKSUM != 0,
        max_rows: u64::from(max_rows),
    }))
}
