//! Where it is put: what the place is, and what is there already.

use super::sql::name_of_files;
use super::{Restore, RestoreOptions};
use crate::backup::copy::no_directory;
use crate::backup::folder::Folder;
use crate::backup::held::{Partial, Place, parse};
use crate::backup::options::FeedName;
use crate::backup::source::DefinitionFile;
use crate::error::{Error, Result, Status};
use crate::myisam::{Definition, Layout};
use rustix::fs::Stat;
use std::ffi::{OsStr, OsString};
use std::fs::DirBuilder;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;

/// What a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A folder: files as the copies are.
    Folder,
    /// The directory of a database of that name.
    Database(String),
    /// A directory of PHPTimeSeries.
    PhpTimeSeries,
    /// A directory of PHPFina.
    PhpFina,
}

/// What is at the target already.
pub(super) struct There {
    /// Files of the feed that would be overwritten.
    pub(super) names: Vec<OsString>,
    pub(super) index: bool,
    /// Whether a server knows it.
    pub(super) is_table: bool,
    /// Bytes of rows.
    pub(super) bytes: u64,
    /// Whether it is a table without rows.
    pub(super) is_empty: bool,
}

impl Restore {
    /// What is at the place of a feed; fails if it is no file.
    pub(super) fn there(&self, feed: &FeedName) -> Result<There> {
        let mut there = There {
            names: vec![],
            index: false,
            is_table: false,
            bytes: 0,
            is_empty: false,
        };
        let Some(to) = &self.to else { return Ok(there) };
        let place = Place { folder: to, name: OsStr::new(feed.file()) };
        let mut names = vec![place.name.to_owned()];
        if feed.file().ends_with(".dat") {
            names.push(place.sibling(OsStr::new(".meta")));
        } else {
            names.push(place.sibling(OsStr::new(".frm")));
            names
                .extend(place.sdi_suffixes()?.iter().map(|suffix| place.sibling(suffix)));
        }
        for (number, name) in names.into_iter().enumerate() {
            if let Some(stat) = to.stat(&name)? {
                to.demand_regular(&name, &stat)?;
                if number == 0 {
                    there.bytes = stat.st_size.unsigned_abs();
                }
                there.names.push(name);
            }
        }
        for engine in [".ibd", ".MAD", ".MAI"] {
            let name = place.sibling(OsStr::new(engine));
            if to.stat(&name)?.is_some() {
                let why = "there is a table of this name of another storage engine: drop it first";
                return Err(Error::new(Status::Engine, why).at(&to.join(&name)));
            }
        }
        let index = place.sibling(OsStr::new(".MYI"));
        if let Some(stat) = to.stat(&index)? {
            to.demand_regular(&index, &stat)?;
            there.index = true;
        }
        let has_definition = there.names.iter().any(|name| name != place.name);
        there.is_table = there.index && has_definition;
        there.is_empty = there.is_table && there.bytes == 0;
        Ok(there)
    }

    /// The definition of the table that is at the target.
    pub(super) fn table_there(&self, feed: &FeedName) -> Result<Option<Definition>> {
        let (Target::Database(_), Some(to)) = (&self.target, &self.to) else {
            return Ok(None);
        };
        let place = Place { folder: to, name: OsStr::new(feed.file()) };
        for suffix in place.definition_suffixes()? {
            if let Some(bytes) = place.read_definition(&suffix)? {
                return parse(&DefinitionFile { suffix, bytes }).map(Some);
            }
        }
        Ok(None)
    }

    /// Fails unless the table that is there has the columns of the rows.
    pub(super) fn demand_fits(
        &self,
        feed: &FeedName,
        stride: usize,
        layout: Option<&Layout>,
    ) -> Result<()> {
        let there = self.table_there(feed)?;
        let fits = there.is_some_and(|there| {
            Layout::of_rows(&there, stride).ok().as_ref() == layout
                && Layout::of_copy(&there).map_or(true, |there| there.stride() == stride)
        });
        if fits {
            return Ok(());
        }
        Err(Error::new(
            Status::Destination,
            "the table that is there has other columns than the copy: drop it first",
        )
        .at(&self.path.join(feed.file())))
    }

    /// Gives a file the owner and the rights that files have there, and puts it
    /// on the disk; the owner, if it could not have him.
    pub(super) fn finish(&self, partial: &Partial) -> Result<Option<(u32, u32)>> {
        match &self.rights {
            Some(rights) => partial.finish(rights),
            None => partial.sync().map(|()| None),
        }
    }

    /// Makes the target if it is not there.
    pub fn make_target(&mut self) -> Result<()> {
        if self.to.is_some() || self.options.dry_run {
            return Ok(());
        }
        // The readings of a household are nobody else's business.
        const OWNER_ONLY: u32 = 0o700;
        DirBuilder::new()
            .mode(OWNER_ONLY)
            .create(&self.path)
            .map_err(|e| Error::io("make the directory", &self.path, e))?;
        let to = Folder::open(&self.path)?.ok_or_else(|| no_directory(&self.path))?;
        self.rights = Some(rights(&to)?);
        self.to = Some(to);
        Ok(())
    }
}

pub(super) fn demand_parent(target: &Path) -> Result<()> {
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = Folder::open(parent)?.ok_or_else(|| no_directory(parent))?;
    if !has_servers_files(&folder)? {
        return Ok(());
    }
    let why = "there is no such database yet: CREATE DATABASE makes its directory";
    Err(Error::new(Status::NotFound, why).at(target))
}

pub(super) fn demand_no_data_directory(folder: &Folder, path: &Path) -> Result<()> {
    if !has_servers_files(folder)? {
        return Ok(());
    }
    let why = "this is a server's whole data directory: name a database's in it";
    Err(Error::new(Status::Argument, why).at(path))
}

/// Files that a server has beside the directories of its databases.
const SERVERS_FILES: [&str; 3] = ["ibdata1", "aria_log_control", "mysql.ibd"];

pub(crate) fn has_servers_files(folder: &Folder) -> Result<bool> {
    for name in SERVERS_FILES {
        if folder.stat(OsStr::new(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a server of MySQL 8 keeps tables here, which has no use for `.frm`.
pub(super) fn is_of_mysql_8(folder: &Folder) -> Result<bool> {
    if folder.stat(OsStr::new("db.opt"))?.is_some() {
        return Ok(false);
    }
    if folder.names()?.iter().any(|name| name.as_bytes().ends_with(b".frm")) {
        return Ok(false);
    }
    Ok(!folder.sdi_names()?.is_empty()
        || folder.through_descriptor().join("../mysql.ibd").exists())
}

pub(super) fn kind_of(
    to: &Folder,
    path: &Path,
    options: &RestoreOptions,
) -> Result<Target> {
    let names = to.names()?;
    let ends = |suffix: &str| {
        names.iter().any(|name| name.as_bytes().ends_with(suffix.as_bytes()))
    };
    let real = std::fs::canonicalize(to.through_descriptor())
        .or_else(|_| std::fs::canonicalize(path))
        .map_err(|e| Error::io("inspect", path, e))?;
    let own_name = real.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = |name: &str| real.with_file_name(name).exists();
    let is_database = names.iter().any(|name| name == "db.opt")
        || ends(".MYI")
        || ends(".sdi")
        || SERVERS_FILES.iter().any(|name| beside(name));
    if let Some(database) = &options.database {
        return Ok(Target::Database(database.clone()));
    }
    if is_database {
        return name_of_files(own_name).filter(|name| !name.is_empty()).map_or_else(
            || {
                let why =
                    "this directory's name tells of no database: name it with --database";
                Err(Error::new(Status::Argument, why).at(path))
            },
            |name| Ok(Target::Database(name)),
        );
    }
    let is_feed = |suffix: &str| {
        names.iter().any(|name| {
            let feed = name.to_str().and_then(|n| FeedName::of_file(n, &options.prefix));
            feed.is_some_and(|feed| feed.file().ends_with(suffix))
        })
    };
    let is_called = |name: &str| own_name.eq_ignore_ascii_case(name);
    // Its rows begin with F9. Others without definition are copies of tables.
    let has_its_rows = || {
        names.iter().any(|name| {
            let is_myd = name.as_bytes().ends_with(b".MYD");
            let opened =
                if is_myd { to.open_file(name, false).ok().flatten() } else { None };
            let mut flag = [0];
            opened.is_some_and(|opened| {
                opened.file.read_exact_at(&mut flag, 0).is_ok() && flag == [0xf9]
            })
        })
    };
    Ok(if is_called("phpfina") || is_feed(".dat") && !is_feed(".MYD") {
        Target::PhpFina
    } else if is_called("phptimeseries")
        || is_feed(".MYD") && !ends(".frm") && has_its_rows()
    {
        Target::PhpTimeSeries
    } else {
        Target::Folder
    })
}

/// The owner and the mode that files in a directory get: its owner; the mode of
/// one that is there already.
pub(crate) fn rights(to: &Folder) -> Result<Stat> {
    let mut rights = to.identity()?;
    let names = to.names()?;
    let is_database = names.iter().any(|name| name == "db.opt");
    let mut mode = if is_database { 0o660 } else { rights.st_mode & 0o666 };
    for name in &names {
        let extension = Path::new(name).extension().and_then(OsStr::to_str);
        if !matches!(extension, Some("MYD" | "dat")) {
            continue;
        }
        if let Some(stat) = to.stat(name)? {
            if to.demand_regular(name, &stat).is_ok() {
                mode = stat.st_mode & 0o666;
                break;
            }
        }
    }
    rights.st_mode = mode;
    Ok(rights)
}
