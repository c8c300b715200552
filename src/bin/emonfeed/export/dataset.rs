//! The folder of a dataset: `feed=7/year=2025/part-0.parquet`, what is known of each
//! partition, and exchanging partitions so that none is ever half there.
//!
//! What is known lies beside the partitions, in files whose names begin with a dot:
//! engines pass over those.

use super::format::Form;
use super::partition::Digest;
use emonfeed::{Error, Result, Status};
use rustix::fs::syncfs;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the dataset is, in its folder.
const DESCRIPTION: &str = ".emonfeed-export.json";
/// What is known of a feed's partitions, in the feed's folder.
const KNOWN: &str = ".emonfeed.json";
/// Files that are being written.
const PARTIAL: &str = ".partial";
/// What a reader of the two files has to understand.
const VERSION: u64 = 1;

/// A dataset that a run writes to.
pub struct Dataset {
    folder: PathBuf,
    form: Form,
    description: Value,
}

/// What is known of a feed's partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The feed's files as they were when they had these rows, if that is sure.
    pub source: Option<u128>,
    pub years: BTreeMap<i16, Partition>,
}

/// One partition: the rows in it, and how long its file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    pub digest: Digest,
    pub bytes: u64,
}

impl Dataset {
    /// The dataset of a directory's feeds in this folder, which need not be there yet.
    pub fn new(
        folder: &Path,
        form: Form,
        source: &Path,
        prefix: &str,
    ) -> Result<Dataset> {
        let there = |path: &Path| match path.canonicalize() {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some).map_err(|e| Error::io("inspect", path, e)),
        };
        let source = there(source)?.unwrap_or_else(|| source.to_owned());
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let place = match there(folder)? {
            None => there(parent.unwrap_or(Path::new(".")))?,
            found => found,
        };
        if place.is_some_and(|place| place.starts_with(&source)) {
            let why = "this is in the directory of the feeds, where a database server may \
                       stumble over it: give the dataset a directory elsewhere";
            return Err(Error::new(Status::Destination, why).at(folder));
        }
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map(|value| value.get_name().to_owned())
        };
        use clap::ValueEnum;
        let description = json!({
            "dataset": "emonfeed",
            "version": VERSION,
            "format": name(form.format.to_possible_value()),
            "compression": name(form.packing.to_possible_value()),
            "prefix": prefix,
            "source": source.to_string_lossy(),
        });
        Ok(Dataset { folder: folder.to_owned(), form, description })
    }

    /// Whether it may be written: a folder that holds another one, or anything else, is
    /// refused; the feeds may be in another directory than before where that is said.
    pub fn check(&self, source_moved: bool) -> Result<()> {
        let refuse =
            |why: String| Err(Error::new(Status::Destination, why).at(&self.folder));
        let ours = &self.description;
        match read(&self.folder.join(DESCRIPTION))? {
            Some(there) if there == *ours => Ok(()),
            Some(mut there) => {
                let source = there["source"].clone();
                there["source"] = ours["source"].clone();
                if there != *ours {
                    there["source"] = source;
                    return refuse(format!(
                        "the dataset in this directory is another one ({there}); write this \
                         one ({ours}) to a directory of its own"
                    ));
                }
                if !source_moved {
                    return refuse(format!(
                        "the dataset in this directory is that of the feeds in {source}, not in \
                         {}: if these are the same feeds, say --source-moved; others go to a \
                         directory of their own",
                        ours["source"]
                    ));
                }
                Ok(())
            }
            None if holds_something(&self.folder)? => refuse(
                "this directory is not empty, and no dataset of `emonfeed export`: give the \
                 dataset a directory of its own"
                    .to_owned(),
            ),
            None => Ok(()),
        }
    }

    /// Says in the folder what it is.
    pub fn describe(&self) -> Result<()> {
        if read(&self.folder.join(DESCRIPTION))?.as_ref() == Some(&self.description) {
            return Ok(());
        }
        self.write_text(&self.folder, DESCRIPTION, &self.description)
    }

    fn of_feed(&self, number: &str) -> PathBuf {
        self.folder.join(format!("feed={number}"))
    }

    fn of_year(&self, number: &str, year: i16) -> PathBuf {
        self.of_feed(number).join(format!("year={year}"))
    }

    /// Numbers of the feeds that have partitions.
    pub fn feeds(&self) -> Result<Vec<String>> {
        let number = |name: &String| Some(name.strip_prefix("feed=")?.to_owned());
        Ok(names(&self.folder)?.iter().filter_map(number).collect())
    }

    /// Years of which a feed has partitions, or something that may be one.
    pub fn years(&self, number: &str) -> Result<BTreeSet<i16>> {
        let year = |name: &str| name.strip_prefix("year=")?.parse().ok();
        Ok(names(&self.of_feed(number))?.iter().filter_map(|name| year(name)).collect())
    }

    /// What is known of a feed: nothing of partitions whose files are not as they
    /// were written.
    pub fn known(&self, number: &str) -> Result<Known> {
        let Some(value) = read(&self.of_feed(number).join(KNOWN))? else {
            return Ok(Known::default());
        };
        let mut known = Known::parse(&value).unwrap_or_default();
        let all = known.years.len();
        known.years.retain(|year, partition| {
            let file = self.of_year(number, *year).join(self.form.file_name());
            fs::symlink_metadata(file)
                .is_ok_and(|meta| meta.is_file() && meta.len() == partition.bytes)
        });
        if known.years.len() < all {
            known.source = None;
        }
        Ok(known)
    }

    pub fn save(&self, number: &str, known: &Known) -> Result<()> {
        self.write_text(&self.of_feed(number), KNOWN, &known.value())
    }

    /// A new file for a partition. It gets its name by [`Self::put`].
    pub fn begin(&self, number: &str, year: i16) -> Result<File> {
        let folder = self.of_year(number, year);
        make_folders(&folder)?;
        create(&folder.join(PARTIAL))
    }

    /// Puts the file begun in the partition's place; how long it is. The place is on
    /// the disk after [`Self::sync`].
    pub fn put(&self, number: &str, year: i16, file: &File) -> Result<u64> {
        let folder = self.of_year(number, year);
        let (partial, name) = (folder.join(PARTIAL), folder.join(self.form.file_name()));
        let length = file
            .sync_all()
            .and_then(|()| file.metadata())
            .map_err(|e| Error::io("write", &partial, e))?
            .len();
        fs::rename(&partial, &name).map_err(|e| Error::io("put in place", &name, e))?;
        Ok(length)
    }

    /// Makes the names of a feed's partitions last, of which there may be many, each
    /// in a folder of its own: so by one call for all.
    pub fn sync(&self, number: &str) -> Result<()> {
        let folder = self.of_feed(number);
        File::open(&folder)
            .and_then(|folder| Ok(syncfs(folder)?))
            .map_err(|e| Error::io("sync the file system of", &folder, e))
    }

    /// Removes what was begun of a partition, and its folder if nothing else is in it.
    pub fn give_up(&self, number: &str, year: i16) {
        let folder = self.of_year(number, year);
        // The next run does so as well.
        let _ = fs::remove_file(folder.join(PARTIAL));
        let _ = fs::remove_dir(folder);
    }

    /// Removes a partition, for good after [`Self::sync`].
    pub fn remove_year(&self, number: &str, year: i16) -> Result<()> {
        let folder = self.of_year(number, year);
        let _ = fs::remove_file(folder.join(PARTIAL));
        remove(&folder.join(self.form.file_name()), fs::remove_file)?;
        remove(&folder, fs::remove_dir)
    }

    /// Removes all partitions of a feed.
    pub fn remove_feed(&self, number: &str) -> Result<()> {
        let folder = self.of_feed(number);
        for year in self.years(number)? {
            self.remove_year(number, year)?;
        }
        remove(&folder.join(PARTIAL), fs::remove_file)?;
        remove(&folder.join(KNOWN), fs::remove_file)?;
        remove(&folder, fs::remove_dir)
    }

    /// Writes a small file in the place of another.
    fn write_text(&self, folder: &Path, name: &str, value: &Value) -> Result<()> {
        make_folders(folder)?;
        let (partial, name) = (folder.join(PARTIAL), folder.join(name));
        let mut file = create(&partial)?;
        let text = format!("{value}\n");
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| Error::io("write", &partial, e))?;
        fs::rename(&partial, &name).map_err(|e| Error::io("put in place", &name, e))?;
        sync(folder)
    }
}

impl Known {
    fn value(&self) -> Value {
        let years: serde_json::Map<String, Value> = self
            .years
            .iter()
            .map(|(year, Partition { digest, bytes })| {
                let value = json!({
                    "rows": digest.rows,
                    "hash": format!("{:032x}", digest.hash),
                    "bytes": bytes,
                });
                (year.to_string(), value)
            })
            .collect();
        let source = self.source.map(|source| format!("{source:032x}"));
        json!({ "version": VERSION, "source": source, "years": years })
    }

    fn parse(value: &Value) -> Option<Known> {
        let number = |value: &Value| u128::from_str_radix(value.as_str()?, 16).ok();
        if value["version"] != VERSION {
            return None;
        }
        let partition = |(year, value): (&String, &Value)| {
            let digest =
                Digest { rows: value["rows"].as_u64()?, hash: number(&value["hash"])? };
            let bytes = value["bytes"].as_u64()?;
            Some((year.parse().ok()?, Partition { digest, bytes }))
        };
        let years: Option<_> =
            value["years"].as_object()?.iter().map(partition).collect();
        Some(Known { source: number(&value["source"]), years: years? })
    }
}

/// A small file of JSON; `None` if there is none, or it is none.
fn read(path: &Path) -> Result<Option<Value>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

/// Whether there is anything in a folder that a dataset does not begin with.
fn holds_something(folder: &Path) -> Result<bool> {
    let harmless = [emonfeed::backup::LOCK_FILE, PARTIAL, "lost+found"];
    Ok(!names(folder)?.iter().all(|name| harmless.contains(&name.as_str())))
}

/// What there is in a folder, by names; nothing if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |e| Error::io("list", folder, e);
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect::<io::Result<_>>().map_err(failed)
}

/// A new file, in the place of one that an earlier run left.
fn create(path: &Path) -> Result<File> {
    remove(path, fs::remove_file)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        // Nobody else may write, whatever the umask says.
        .mode(0o644)
        .open(path)
        .map_err(|e| Error::io("create", path, e))
}

/// Makes a folder and those above it.
fn make_folders(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => match folder.parent() {
            Some(parent) => {
                make_folders(parent)?;
                make_folders(folder)
            }
            None => Err(Error::io("create", folder, e)),
        },
        Err(e) => Err(Error::io("create", folder, e)),
    }
}

fn remove(path: &Path, how: fn(PathBuf) -> io::Result<()>) -> Result<()> {
    match how(path.to_owned()) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| Error::io("write", folder, e))
}
