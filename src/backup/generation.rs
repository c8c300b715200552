//! What a copy was before: ending a generation, taking that back, and finding
//! an old state again.
//!
//! A generation ends when rows that a copy holds are given up. If the copy
//! becomes another file, the old one is kept under a dated name, its definition
//! too. If rows are overwritten, the catalog keeps what they were; the state of
//! before is then the file that it led to, cut to its length, with these rows
//! put back, newest first.

use super::catalog::{CELL, Catalog, Ending, Entry, Generation};
use super::folder::Folder;
use super::hash::Hash;
use super::held::{Partial, Place, dated};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;

/// A file that is ready to become the copy, with the definition that goes with
/// it if the old one's is another.
pub(super) struct Exchange<'a> {
    pub rows: Partial<'a>,
    pub definition: Option<(OsString, Partial<'a>)>,
    /// Names of definitions that are no longer the table's.
    pub outdated: Vec<OsString>,
    /// Whether the table has other columns now.
    pub other_columns: bool,
}

/// A stamp none of whose names is taken.
pub(super) fn free_stamp(folder: &Folder, name: &OsStr, stamp: &str) -> Result<String> {
    let mut free = stamp.to_owned();
    let mut count = 0;
    while folder.stat(&dated(name, &free, 0))?.is_some() {
        count += 1;
        free = format!("{stamp}.{count}");
    }
    Ok(free)
}

/// Puts a new file in the place of the copy; the catalog knows already that the
/// old generation is about to end. At each moment there is a whole copy under
/// the copy's name, except where the table has other columns: rows beside a
/// definition that is not theirs would be read as other numbers.
pub(super) fn exchange(place: &Place, exchange: Exchange, stamp: &str) -> Result<()> {
    let Place { folder, name } = *place;
    let Exchange { rows, definition, outdated, other_columns } = exchange;
    for suffix in place.definition_suffixes()? {
        let definition = place.sibling(&suffix);
        if let Some(bytes) = place.read_definition(&suffix)? {
            let kept = dated(&definition, stamp, 0);
            // On the disk first: if this is taken back, it takes the place of the
            // definition, which is still good.
            Partial::with(folder, &kept, &bytes)?.publish(&kept)?;
        }
    }
    let kept = dated(name, stamp, 0);
    match folder.link(name, &kept)? {
        Some(true) if other_columns => folder.remove(name)?,
        Some(true) => {}
        // There are no hard links here.
        Some(false) | None => folder.replace(name, &kept)?,
    }
    folder.sync()?;
    let publish_definition = || match definition {
        Some((name, partial)) => partial.publish(&name),
        None => Ok(()),
    };
    if other_columns {
        publish_definition()?;
        folder.sync()?;
        rows.publish(name)?;
    } else {
        rows.publish(name)?;
        publish_definition()?;
    }
    outdated.iter().try_for_each(|name| folder.remove(name))?;
    folder.sync()
}

/// Takes back what was begun of the end of a generation, and forgets it.
pub(super) fn take_back(
    catalog: &mut Catalog,
    folder: &Folder,
    name: &str,
    generation: &Generation,
) -> Result<()> {
    let file = OsStr::new(name);
    match (&generation.stamp, generation.ending) {
        (Some(stamp), Ending::Replaced) => {
            let kept = dated(file, stamp, 0);
            if folder.stat(&kept)?.is_some() {
                folder.replace(&kept, file)?;
                // Two names of one file are not exchanged.
                folder.remove(&kept)?;
            }
            for (kept, definition) in dated_definitions(folder, file, stamp)? {
                folder.replace(&kept, &definition)?;
            }
            folder.sync()?;
        }
        _ => {
            let cells = catalog.overwritten(generation.feed, generation.number)?;
            if let Some(opened) = folder.open_file(file, true)? {
                let cannot = |e| Error::io("write", &folder.join(file), e);
                for (cell, rows) in &cells {
                    let offset = cell * CELL * generation.stride;
                    opened.file.write_all_at(rows, offset).map_err(cannot)?;
                }
                opened.file.sync_data().map_err(cannot)?;
            }
        }
    }
    catalog.forget_pending(generation.feed, generation.number)
}

/// Removes the files of generations that are no longer kept.
pub(super) fn remove_retired(catalog: &mut Catalog, folder: &Folder) -> Result<()> {
    let retired = catalog.retired()?;
    for (name, generation) in &retired {
        let Some(stamp) = &generation.stamp else { continue };
        let name = OsStr::new(name);
        folder.remove(&dated(name, stamp, 0))?;
        for (kept, _) in dated_definitions(folder, name, stamp)? {
            folder.remove(&kept)?;
        }
    }
    if retired.is_empty() { Ok(()) } else { catalog.forget_retired() }
}

/// The kept definitions of a generation, each with the name it had.
pub(super) fn dated_definitions(
    folder: &Folder,
    name: &OsStr,
    stamp: &str,
) -> Result<Vec<(OsString, OsString)>> {
    let place = Place { folder, name };
    for suffix in [".frm", ".meta"] {
        let definition = place.sibling(OsStr::new(suffix));
        let kept = dated(&definition, stamp, 0);
        if folder.stat(&kept)?.is_some() {
            return Ok(vec![(kept, definition)]);
        }
    }
    // The name of an `.sdi` is not to be guessed.
    let stem = place.sibling(OsStr::new(""));
    let names = folder.names()?;
    Ok(names
        .into_iter()
        .filter_map(|kept| {
            let definition = kept.as_bytes().strip_suffix(stamp.as_bytes())?;
            let definition = definition.strip_suffix(b".")?;
            let suffix = definition.strip_prefix(stem.as_bytes())?;
            let is_sdi = suffix.starts_with(b"_") && suffix.ends_with(b".sdi");
            let definition = OsString::from_vec(definition.to_vec());
            is_sdi.then_some((kept, definition))
        })
        .collect())
}

/// Where the rows of a state are.
pub(super) struct Content {
    /// The file they are in.
    pub file: OsString,
    pub stride: u64,
    pub rows: u64,
    /// What is at their place in the file was written later.
    pub cells: BTreeMap<u64, Vec<u8>>,
    /// Follows the names of the definition that goes with it, if it is not the
    /// copy's own.
    pub stamp: Option<String>,
    /// The hash of that definition; `None` if there was none.
    pub definition: Option<Hash>,
    /// The number of the file in the catalog, for its hashes.
    pub number: i64,
}

/// Finds a state again: the current one, or that of a generation. `None` if
/// that is not kept.
pub(super) fn content(
    catalog: &Catalog,
    name: &str,
    entry: &Entry,
    number: Option<i64>,
) -> Result<Option<Content>> {
    let mut content = Content {
        file: name.into(),
        stride: entry.stride,
        rows: entry.rows,
        cells: BTreeMap::new(),
        stamp: None,
        definition: entry.definition,
        number: entry.file,
    };
    let Some(number) = number.filter(|number| *number != entry.generation) else {
        return Ok(Some(content));
    };
    let generations = catalog.generations(entry.id)?;
    let Some(wanted) = generations.iter().find(|one| one.number == number) else {
        return Ok(None);
    };
    let later = generations
        .iter()
        .rev()
        .filter(|one| one.number >= number && one.file == wanted.file);
    for generation in later {
        match &generation.stamp {
            Some(stamp) => {
                content.file = dated(OsStr::new(name), stamp, 0);
                content.stamp = Some(stamp.clone());
                content.definition = generation.definition;
            }
            None => {
                let cells = catalog.overwritten(entry.id, generation.number)?;
                content.cells.extend(cells);
            }
        }
    }
    (content.stride, content.rows) = (wanted.stride, wanted.rows);
    content.number = wanted.file;
    Ok(Some(content))
}
