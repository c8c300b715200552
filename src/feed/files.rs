//! The files of one table: where they are, and opening them.

use super::sdi;
use crate::error::{Error, Result, Status};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The paths of a table's files, by the path of its rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paths {
    /// The rows: `feed_7.MYD`.
    pub data: PathBuf,
    /// The index, with the header: `feed_7.MYI`.
    pub index: PathBuf,
    /// The definition of MariaDB: `feed_7.frm`.
    pub frm: PathBuf,
}

impl Paths {
    /// The files beside `data`, which must end in `.MYD`.
    pub fn new(data: &Path) -> Result<Paths> {
        if data.extension().is_none_or(|e| e != "MYD") || data.file_stem().is_none() {
            return Err(Error::new(
                Status::NotAFeed,
                "a feed is named by the file of its rows, which ends in .MYD",
            )
            .at(data));
        }
        Ok(Paths {
            data: data.to_owned(),
            index: data.with_extension("MYI"),
            frm: data.with_extension("frm"),
        })
    }

    fn dir(&self) -> &Path {
        match self.data.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        }
    }

    /// The definition of MySQL 8, `feed_7_363.sdi`, if there is one.
    pub fn find_sdi(&self) -> Result<Option<PathBuf>> {
        let Some(stem) = self.data.file_stem().and_then(|stem| stem.to_str()) else {
            return Ok(None);
        };
        let name = sdi::of_table(self.dir(), stem)?;
        Ok(name.map(|name| self.dir().join(name)))
    }

    /// Whether the directory is a database of a MariaDB server: each has a
    /// `db.opt`, which no copy and no PHPTimeSeries directory has.
    pub fn in_database(&self) -> bool {
        self.dir().join("db.opt").exists()
    }

    /// Whether a server may be rebuilding the table at this moment although its
    /// rows are not there: another of its files is, or the directory holds
    /// tables under the names that ALTER TABLE gives them while it swaps the
    /// old and the new one. For a moment nothing has the table's own name then.
    pub fn may_come_back(&self) -> bool {
        const ALTER_IN_PROGRESS: &str = "#sql-";
        self.index.exists()
            || self.frm.exists()
            || fs::read_dir(self.dir()).is_ok_and(|entries| {
                entries.flatten().any(|entry| {
                    entry.file_name().to_string_lossy().starts_with(ALTER_IN_PROGRESS)
                })
            })
            // Its end may have come between the two looks.
            || self.data.exists()
    }

    /// Whether one of the files, or the directory, was written within the last
    /// seconds.
    pub fn recently_touched(&self) -> bool {
        const RECENT: Duration = Duration::from_secs(3);
        [&self.data, &self.index, &self.frm].into_iter().map(PathBuf::as_path).any(
            |path| {
                let modified = match fs::metadata(path) {
                    Err(_) => fs::metadata(self.dir()).and_then(|dir| dir.modified()),
                    Ok(meta) => meta.modified(),
                };
                // A time in the future is no old one.
                modified.is_ok_and(|time| {
                    time.elapsed().is_ok_and(|age| age < RECENT)
                        || time.elapsed().is_err()
                })
            },
        )
    }

    /// Why there may be no `.MYD`.
    pub fn explain_missing(&self) -> Error {
        let engine = [("ibd", "InnoDB"), ("MAD", "Aria"), ("MAI", "Aria")]
            .into_iter()
            .find(|(extension, _)| self.data.with_extension(extension).exists());
        let error = match engine {
            Some((extension, name)) => Error::new(
                Status::Engine,
                format!(
                    "no such file, because the table belongs to the storage engine {name} (its \
                     rows are in the .{extension} beside); ALTER TABLE … ENGINE=MyISAM makes it \
                     readable"
                ),
            ),
            None if self.index.exists() => Error::new(
                Status::NotFound,
                "no such file, though its .MYI is there: restore it, then REPAIR TABLE",
            ),
            None if self.frm.exists() => Error::new(
                Status::Engine,
                "no such file, though the .frm beside defines the table: it is a view, a \
                 partitioned or merged table, or of a storage engine that keeps its rows \
                 elsewhere (InnoDB without file-per-table, MEMORY)",
            ),
            None => {
                Error::io("open", &self.data, io::Error::from_raw_os_error(libc::ENOENT))
            }
        };
        error.at(&self.data)
    }
}

/// Opens a file for reading that must be a regular one. `None` if there is none.
pub fn open(path: &Path, no_follow: bool) -> Result<Option<(File, Metadata)>> {
    // NONBLOCK: opening a pipe must not wait for its writer.
    let follow = if no_follow { libc::O_NOFOLLOW } else { 0 };
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | follow)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            // A link to a disk that is not mounted is not the same as no file:
            // the header that says which rows are committed may be there.
            return match fs::symlink_metadata(path) {
                Ok(_) => Err(Error::new(
                    Status::NotFound,
                    "this is a symbolic link to a file that is not there",
                )
                .at(path)),
                Err(_) => Ok(None),
            };
        }
        Err(e) => return Err(Error::io("open", path, e)),
    };
    let meta = file.metadata().map_err(|e| Error::io("inspect", path, e))?;
    if !meta.is_file() {
        let kind = meta.file_type();
        let name = match () {
            () if kind.is_dir() => "a directory",
            () if kind.is_fifo() => "a pipe",
            () if kind.is_socket() => "a socket",
            () => "a device",
        };
        return Err(Error::new(
            Status::NotRegular,
            format!("this is {name}, not a file"),
        )
        .at(path));
    }
    Ok(Some((file, meta)))
}

/// Which file a path led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of an open file or a path's `stat`.
    pub fn of(meta: &Metadata) -> Identity {
        Identity { device: meta.dev(), inode: meta.ino() }
    }

    /// Device and inode.
    pub(super) fn numbers(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Of what a path leads to now; `None` if to nothing.
    pub fn at(path: &Path) -> Result<Option<Identity>> {
        match fs::metadata(path) {
            Ok(meta) => Ok(Some(Identity::of(&meta))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("inspect", path, e)),
        }
    }
}
