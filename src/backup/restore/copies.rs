//! What there is to be put back: the feeds of a destination, their states, and
//! where the rows and the definition of each are.

use super::rows::{Cells, Rows, Vouched};
use super::{Restore, RestoreOptions};
use crate::backup::catalog::{Catalog, Ending, Entry, Generation, Kind};
use crate::backup::copy::no_directory;
use crate::backup::destination::LOCK_FILE;
use crate::backup::fina;
use crate::backup::folder::Folder;
use crate::backup::generation::{content, dated_definitions};
use crate::backup::hash::{Hash, hash};
use crate::backup::held::{Place, dated};
use crate::backup::options::{FeedName, RunOptions, demand_sensible};
use crate::backup::source::DefinitionFile;
use crate::error::{Error, Result, Status};
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A state of a feed that can be put back.
#[derive(Clone, Debug)]
pub struct State {
    /// Its number.
    pub number: i64,
    /// When the run began that ended it, Unix seconds; `None` for the current
    /// one.
    pub ended: Option<i64>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// Why it ended.
    pub reason: String,
}

/// A destination that is looked at.
pub(super) struct Copies {
    pub(super) folder: Folder,
    pub(super) catalog: Option<Catalog>,
    pub(super) entries: HashMap<String, Entry>,
    pub(super) lock: Option<File>,
    pub(super) feeds: BTreeSet<FeedName>,
}

/// Where a feed's rows and its definition are.
pub(super) struct Source {
    pub(super) rows: Rows,
    /// Its length in bytes, without catalog.
    pub(super) len: u64,
    pub(super) generation: Option<i64>,
    /// What wrote it, if that is known.
    pub(super) kind: Option<Kind>,
    pub(super) definition: Option<DefinitionFile>,
}

impl Copies {
    pub(super) fn open(path: &Path, options: &RestoreOptions) -> Result<Copies> {
        let wanted = RunOptions {
            prefix: options.prefix.clone(),
            only: options.only.clone(),
            exclude: options.exclude.clone(),
            ..RunOptions::default()
        };
        demand_sensible(&wanted)?;
        let folder = Folder::open(path)?.ok_or_else(|| no_directory(path))?;
        let lock_name = OsStr::new(LOCK_FILE);
        let lock = folder.share_lock(lock_name)?.ok_or_else(|| {
            Error::new(Status::Locked, "a run is writing to these copies right now")
                .at(&folder.join(lock_name))
        })?;
        let catalog = match Catalog::open_read_only(&folder) {
            Err(error) if options.accept_damaged && error.status() == Status::Catalog => {
                None
            }
            opened => opened?,
        };
        let (entries, names) = match &catalog {
            Some(catalog) => {
                let entries = catalog.entries()?;
                let names = entries.keys().map(OsString::from).collect();
                (entries, names)
            }
            None => (HashMap::new(), folder.names()?),
        };
        let all: BTreeSet<FeedName> = names
            .iter()
            .filter_map(|name| FeedName::of_file(name.to_str()?, &options.prefix))
            .collect();
        if all.is_empty() {
            return Err(nothing_here(&folder, path, &options.prefix)?);
        }
        let feeds: BTreeSet<_> =
            all.into_iter().filter(|feed| feed.is_selected(&wanted)).collect();
        if feeds.is_empty() {
            let why = "there are feeds here, but none that was asked for";
            return Err(Error::new(Status::NotFound, why).at(path));
        }
        Ok(Copies { folder, catalog, entries, lock, feeds })
    }
}

/// The states that are kept of each feed, the current one last.
pub fn kept_states(
    copies: &Path,
    options: &RestoreOptions,
) -> Result<Vec<(FeedName, Vec<State>)>> {
    let copies_path = copies;
    let Copies { catalog, entries, feeds, .. } = Copies::open(copies, options)?;
    let Some(catalog) = catalog else {
        return Err(no_states().at(copies_path));
    };
    let mut all = Vec::new();
    for feed in feeds {
        let Some(entry) = entries.get(feed.file()) else { continue };
        let mut states = Vec::new();
        for one in catalog.generations(entry.id)? {
            states.push(State {
                number: one.number,
                ended: catalog.began(one.run)?,
                ending: Some(one.ending),
                rows: one.rows,
                bytes: one.rows * one.stride,
                reason: one.reason,
            });
        }
        states.push(State {
            number: entry.generation,
            ended: None,
            ending: None,
            rows: entry.rows,
            bytes: entry.len(),
            reason: String::new(),
        });
        all.push((feed, states));
    }
    Ok(all)
}

pub(super) fn no_states() -> Error {
    Error::new(
        Status::Argument,
        "there is no catalog here (emonfeed.sqlite), so no earlier state is known",
    )
}

/// Says what a directory without copies is.
fn nothing_here(folder: &Folder, path: &Path, prefix: &str) -> Result<Error> {
    let mut with_copies = Vec::new();
    for name in folder.names()? {
        let below = path.join(&name);
        if name.as_bytes().starts_with(b".") || !below.is_dir() {
            continue;
        }
        if Folder::open(&below)?
            .is_some_and(|below| matches!(Catalog::is_in(&below), Ok(true)))
        {
            with_copies.push(below.display().to_string());
        }
    }
    with_copies.sort();
    let why = if with_copies.is_empty() {
        format!("there are no copies of feeds here ({prefix}<number>.MYD, <number>.dat)")
    } else {
        format!(
            "the copies of several sources are below this directory: name one of {}",
            with_copies.join(", ")
        )
    };
    Ok(Error::new(Status::NotFound, why).at(path))
}

impl Restore {
    /// Where the state of a feed is that is wanted.
    pub(super) fn source(&self, feed: &FeedName) -> Result<Source> {
        let name = OsStr::new(feed.file());
        let (Some(catalog), Some(entry)) = (&self.catalog, self.entries.get(feed.file()))
        else {
            return self.bare_source(name);
        };
        let number = self.options.generation;
        let Some(mut found) = content(catalog, feed.file(), entry, number)? else {
            let kept: Vec<_> = catalog
                .generations(entry.id)?
                .iter()
                .map(|generation| generation.number.to_string())
                .collect();
            return Err(Error::new(
                Status::NotFound,
                format!(
                    "generation {} of this feed is not kept; the current one is {}{}",
                    number.unwrap_or(0),
                    entry.generation,
                    if kept.is_empty() {
                        ", and there is no other".to_owned()
                    } else {
                        format!(", and earlier ones are {}", kept.join(", "))
                    }
                ),
            )
            .at(&self.from.join(name)));
        };
        let mut begun = Cells::new();
        let of_feed = self.begun.get(feed.file()).map_or(&[][..], Vec::as_slice);
        for generation in of_feed.iter().filter(|_| found.number == entry.file) {
            match &generation.stamp {
                Some(stamp) => {
                    let kept = dated(name, stamp, 0);
                    if self.from.stat(&kept)?.is_some() {
                        (found.file, found.stamp) = (kept, Some(stamp.clone()));
                        found.definition = generation.definition;
                    }
                }
                None => {
                    begun.extend(catalog.overwritten(entry.id, generation.number)?);
                }
            }
        }
        let file_rows = if found.number == entry.file {
            entry.rows
        } else {
            let replaced = |one: &&Generation| {
                one.file == found.number && one.ending == Ending::Replaced
            };
            let generations = catalog.generations(entry.id)?;
            generations.iter().find(replaced).map_or(found.rows, |one| one.rows)
        };
        let definition = match found.definition {
            Some(hash) => {
                self.catalogued_definition(name, hash, found.stamp.as_deref())?
            }
            None => None,
        };
        let opened = self.from.open_file(&found.file, false)?;
        let path = self.from.join(&found.file);
        let opened = opened.ok_or_else(|| {
            Error::new(Status::NotFound, "the catalog tells of this copy, and it is gone")
                .at(&path)
        })?;
        let hashes = match catalog.hashes(entry.id, found.number, file_rows) {
            Err(_) if self.options.accept_damaged => Vec::new(),
            hashes => hashes?,
        };
        Ok(Source {
            rows: Rows {
                file: opened.file,
                path,
                stride: found.stride,
                count: found.rows.min(file_rows),
                vouched: Some(Vouched {
                    hashes,
                    rows: file_rows,
                    begun,
                    since: found.cells,
                }),
            },
            len: 0,
            generation: Some(number.unwrap_or(entry.generation)),
            kind: Some(entry.kind),
            definition,
        })
    }

    /// The definition of a state that the catalog knows, by its hash.
    fn catalogued_definition(
        &self,
        name: &OsStr,
        hashed: Hash,
        stamp: Option<&str>,
    ) -> Result<Option<DefinitionFile>> {
        let place = Place { folder: &self.from, name };
        let stem = place.sibling(OsStr::new("")).len();
        let suffix =
            |name: &OsStr| OsStr::from_bytes(&name.as_bytes()[stem..]).to_owned();
        let mut there = match stamp {
            Some(stamp) => dated_definitions(&self.from, name, stamp)?,
            None => Vec::new(),
        };
        // It may have been the same one.
        let own = place.definition_suffixes()?;
        there.extend(own.iter().map(|own| (place.sibling(own), place.sibling(own))));
        let mut last = None;
        for (kept, definition) in there {
            if let Some(bytes) = place.read_definition(&suffix(&kept))? {
                let is_it = hash(&bytes) == hashed;
                let file = DefinitionFile { suffix: suffix(&definition), bytes };
                if is_it {
                    return Ok(Some(file));
                }
                last.get_or_insert(file);
            }
        }
        let what = match &last {
            Some(_) => "its definition is not the one that was written there",
            None => "its definition is gone",
        };
        if self.options.accept_damaged {
            return Ok(last);
        }
        Err(Error::new(
            Status::Damaged,
            format!("the copy is damaged: {what}; --accept-damaged takes what is there"),
        )
        .at(&self.from.join(name)))
    }

    /// A feed in a folder without catalog.
    fn bare_source(&self, name: &OsStr) -> Result<Source> {
        let place = Place { folder: &self.from, name };
        let gone = || Error::new(Status::NotFound, "it is gone").at(&place.path());
        let opened = self.from.open_file(name, false)?.ok_or_else(gone)?;
        let mut definition = None;
        for suffix in place.definition_suffixes()? {
            if let Some(bytes) = place.read_definition(&suffix)? {
                definition = Some(DefinitionFile { suffix, bytes });
                break;
            }
        }
        let is_fina = Path::new(name).extension() == Some(OsStr::new("dat"));
        if is_fina && definition.is_none() {
            return Err(Error::new(
                Status::MissingDefinition,
                "there is no .meta beside it, so nothing says when its values were measured",
            )
            .at(&place.path()));
        }
        Ok(Source {
            rows: Rows {
                file: opened.file,
                path: place.path(),
                stride: if is_fina { fina::STRIDE } else { 9 },
                count: 0,
                vouched: None,
            },
            len: opened.stat.st_size.unsigned_abs(),
            generation: None,
            kind: None,
            definition,
        })
    }
}
