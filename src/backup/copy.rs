//! One feed file: looking at both sides, and having done what
//! [`plan::decide`] decides.

use super::catalog::Catalog;
use super::compare::compare_tail;
use super::folder::{Folder, Opened, same_file};
use super::held::Place;
use super::job::Job;
use super::plan::{self, Columns, Decision, Held, Tail};
use super::report::{CopyReport, report};
use super::source::Input;
use crate::error::{Error, Result, Status};
use crate::feed::{Paths, Retry};
use std::ffi::OsStr;
use std::path::Path;

/// How to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Only find out what would be done.
    pub dry_run: bool,
    /// Compare all rows of the copy with the source, not only the last 256 KiB.
    pub whole: bool,
}

/// Brings the copy of one feed up to date. `source` is the file of its rows
/// (`…/feed_7.MYD`); `destination` a file to be or an existing directory.
/// Only whole committed rows are copied. `progress` is told the bytes of each
/// block written.
pub fn copy(
    source: &Path,
    destination: &Path,
    options: &CopyOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport> {
    let paths = Paths::new(source)?;
    let (directory, name) = if destination.is_dir() {
        (Some(destination), source.file_name())
    } else {
        (destination.parent(), destination.file_name())
    };
    let name =
        name.filter(|&name| Path::new(name).extension() == Some(OsStr::new("MYD")));
    let name = name.ok_or_else(|| {
        Error::new(
            Status::Argument,
            "a copy goes to an existing directory or to a file whose name ends in .MYD",
        )
        .at(destination)
    })?;
    let directory = directory.unwrap_or(Path::new(""));
    let folder = Folder::open(directory)?;
    if folder.is_none() && !options.dry_run {
        return Err(no_directory(directory));
    }
    if let Some(folder) = folder.as_ref().filter(|_| !options.dry_run) {
        if Catalog::is_in(folder)? {
            return Err(Error::new(
                Status::Destination,
                "`emonfeed backup` keeps this directory, by a catalog that would no longer be \
                 right: copy with it, or to another directory",
            )
            .at(directory));
        }
    }
    let mut retry = Retry::new();
    loop {
        match attempt(&paths, folder.as_ref(), name, options, progress) {
            Err(e) if retry.waits_out(&e, &paths) => {}
            other => return other,
        }
    }
}

fn attempt(
    paths: &Paths,
    folder: Option<&Folder>,
    name: &OsStr,
    options: &CopyOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport> {
    let input = Input::open(&paths.data)?;
    let Some(folder) = folder else {
        let decision = plan::decide(input.facts(), &plan::Destination::default());
        return Ok(report(&decision, &input, true));
    };
    let place = Place { folder, name };
    let (facts, opened) = look(&input, &place, options)?;
    let decision = plan::decide(input.facts(), &facts);
    if let Decision::Refuse { because } = decision {
        return Err(
            Error::new(Status::Destination, because.to_string()).at(&place.path())
        );
    }
    let mut report = report(&decision, &input, options.dry_run);
    if !options.dry_run {
        let columns = match &facts.copy {
            Some(copy) => copy.columns,
            // A definition can be there alone.
            None => place.columns(&input)?,
        };
        let mut job = Job { input: &input, place: &place, columns, progress };
        job.carry_out(decision, opened.as_ref(), &mut report)?;
    }
    Ok(report)
}

/// The error for a directory that is not there.
pub(crate) fn no_directory(path: &Path) -> Error {
    Error::new(Status::NotFound, "there is no such directory").at(path)
}

/// What the destination holds. A copy that may be written is locked.
fn look(
    input: &Input,
    place: &Place,
    options: &CopyOptions,
) -> Result<(plan::Destination, Option<Opened>)> {
    let in_database = place.in_database()?;
    let write = !options.dry_run && !in_database;
    let mut opened = match place.folder.stat(place.name)? {
        Some(stat) => {
            place.folder.demand_regular(place.name, &stat)?;
            // A run that was killed may have left it a dated name besides.
            place.folder.open_linked(place.name, write)?
        }
        None => None,
    };
    let copy = match &mut opened {
        None => None,
        Some(opened) if same_file(&opened.stat, &input.stat()?) => Some(Held {
            len: 0,
            is_source: true,
            has_other_names: false,
            columns: Columns::Same,
            tail: Tail::Equal,
        }),
        Some(opened) => {
            let mut has_other_names = false;
            if write {
                place.folder.lock(&opened.file, place.name)?;
                place.folder.demand_current(&opened.file, place.name)?;
                has_other_names = place.has_other_names(opened)?;
            }
            let len = opened.file.metadata();
            let len = len.map_err(|e| Error::io("inspect", &place.path(), e))?.len();
            Some(Held {
                len,
                is_source: false,
                has_other_names,
                columns: place.columns(input)?,
                tail: compare_tail(input, place, &opened.file, len, options)?,
            })
        }
    };
    Ok((plan::Destination { in_database, copy }, opened))
}
