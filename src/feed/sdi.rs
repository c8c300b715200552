//! Finding the definition files of MySQL 8, whose names hold a number that only
//! a look at the whole directory tells.
//!
//! The last directory looked at is remembered: a backup asks for thousands of
//! feeds of one directory, and looking anew for each would take minutes.

use super::process::{self, Call};
use super::state::Stamp;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::SystemTime;

/// A directory and its `.sdi` files by the names of their tables.
pub(super) struct Listing {
    dir: PathBuf,
    stamp: Stamp,
    names: BTreeMap<String, String>,
}

/// The name of the `.sdi` of a table; `None` if it has none.
pub(super) fn of_table(dir: &Path, table: &str) -> Result<Option<String>> {
    let cannot = |e| Error::io("list", dir, e);
    let stamp = Stamp::of(&fs::metadata(dir).map_err(cannot)?);
    let _call = Call::begin();
    let mut last =
        process::current().listing.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(listing) = last.as_ref() {
        if listing.dir == dir && listing.stamp == stamp {
            return Ok(listing.names.get(table).cloned());
        }
    }
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name();
        if let Some((table, name)) = name.to_str().and_then(split) {
            names.insert(table.to_owned(), name.to_owned());
        }
    }
    let found = names.get(table).cloned();
    // Only a directory that was left alone for a while shows every change by
    // its times.
    *last = stamp.is_settled(SystemTime::now()).then(|| Listing {
        dir: dir.to_owned(),
        stamp,
        names,
    });
    Ok(found)
}

/// The table and the name of a file `<table>_<number>.sdi`.
fn split(name: &str) -> Option<(&str, &str)> {
    let (table, number) = name.strip_suffix(".sdi")?.rsplit_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((table, name))
}
