//! One feed's part of a run.

use super::dataset::{Dataset, Known, Partition};
use super::format::{Form, Shape, Writer};
use super::partition::{Digest, Years, digests, read_year, shape};
use emonfeed::backup::{FeedName, Whole};
use emonfeed::{Error, Feed, Result, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// What was done about a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows in all partitions now.
    pub rows: u64,
    /// Partitions that were written anew, and the bytes of their files.
    pub written: u64,
    pub bytes: u64,
    pub unchanged: u64,
    /// Partitions whose rows are gone.
    pub removed: u64,
}

/// What a run is about.
pub struct Run<'a> {
    pub dataset: &'a Dataset,
    pub form: Form,
    pub years: Years,
    pub dry_run: bool,
    /// Which copies are whole, if the feeds are those of a backup.
    pub copies: Option<Whole>,
}

/// Why a feed's part ended early.
enum End {
    Stopped,
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Failed(error)
    }
}

impl Run<'_> {
    /// Brings a feed's partitions up to date; `None` if it was told to stop.
    pub fn feed(
        &self,
        source: &Path,
        name: &FeedName,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Exported>> {
        // Rows that were read may be gone when the next are.
        const ATTEMPTS: u32 = 4;
        if name.number().len() > 1 && name.number().starts_with('0') {
            // Engines take the names of directories for numbers.
            let why = "a feed's number must not begin with 0: engines would take it for \
                       another feed's";
            return Err(Error::new(Status::Argument, why).at(&source.join(name.file())));
        }
        self.copies.as_ref().map_or(Ok(()), |copies| copies.demand(name))?;
        let feed = Feed::open(source.join(name.file()))?;
        let mut attempts = 1;
        loop {
            match self.attempt(&feed, name.number(), stop) {
                Ok(exported) => return Ok(Some(exported)),
                Err(End::Stopped) => return Ok(None),
                Err(End::Failed(e))
                    if e.status() == Status::Changed && attempts < ATTEMPTS =>
                {
                    attempts += 1;
                }
                Err(End::Failed(e)) => return Err(e),
            }
        }
    }

    fn attempt(
        &self,
        feed: &Feed,
        number: &str,
        stop: &dyn Fn() -> bool,
    ) -> std::result::Result<Exported, End> {
        let before = self.fingerprint(feed)?;
        let mut known = self.dataset.known(number)?;
        if before.is_some() && before == known.source {
            return Ok(Exported {
                rows: rows(&known),
                unchanged: known.years.len() as u64,
                ..Exported::default()
            });
        }
        let shape = shape(feed)?;
        let now = digests(feed, &self.years, shape, stop)?.ok_or(End::Stopped)?;
        let work = Work::new(&known, &self.dataset.years(number)?, &now);
        let mut exported = Exported {
            rows: now.values().map(|digest| digest.rows).sum(),
            written: work.stale.len() as u64,
            bytes: 0,
            unchanged: (now.len() - work.stale.len()) as u64,
            removed: work.gone.len() as u64,
        };
        if !self.dry_run {
            exported.bytes =
                self.carry_out(feed, number, &mut known, shape, &work, stop)?;
            // What was read is what the files held, if they were the same all along.
            known.source = before.filter(|_| self.fingerprint(feed).ok() == Some(before));
            self.dataset.save(number, &known)?;
            exported.rows = rows(&known);
        }
        Ok(exported)
    }

    /// What tells that a feed is the same as when a run of this version read it.
    fn fingerprint(&self, feed: &Feed) -> Result<Option<u128>> {
        let of_version = |files: u128| {
            let version = env!("CARGO_PKG_VERSION").as_bytes();
            xxh3_128(&[&files.to_le_bytes()[..], version].concat())
        };
        Ok(feed.fingerprint()?.map(of_version))
    }

    /// Writes and removes partitions; the bytes written.
    fn carry_out(
        &self,
        feed: &Feed,
        number: &str,
        known: &mut Known,
        shape: Shape,
        work: &Work,
        stop: &dyn Fn() -> bool,
    ) -> std::result::Result<u64, End> {
        let Work { stale, gone } = work;
        if gone.is_empty() && stale.is_empty() {
            return Ok(0);
        }
        // Whatever happens from here on, nothing is said of a partition that is not so.
        known.source = None;
        known.years.retain(|year, _| !gone.contains(year) && !stale.contains(year));
        self.dataset.save(number, known)?;
        let mut bytes = 0;
        for &year in stale {
            match self.write(feed, number, year, shape, stop) {
                Ok(partition) => {
                    bytes += partition.bytes;
                    known.years.insert(year, partition);
                }
                Err(end) => {
                    self.dataset.give_up(number, year);
                    // What was written stays so; if that cannot be said, it is written
                    // again.
                    let _ = self
                        .dataset
                        .sync(number)
                        .and_then(|()| self.dataset.save(number, known));
                    return Err(end);
                }
            }
        }
        self.dataset.sync(number)?;
        if !gone.is_empty() {
            // So that a failure to remove one does not have the others written again.
            self.dataset.save(number, known)?;
            for &year in gone {
                self.dataset.remove_year(number, year)?;
            }
            self.dataset.sync(number)?;
        }
        Ok(bytes)
    }

    fn write(
        &self,
        feed: &Feed,
        number: &str,
        year: i16,
        shape: Shape,
        stop: &dyn Fn() -> bool,
    ) -> std::result::Result<Partition, End> {
        let failed = |e: io::Error| {
            let folder = format!("feed={number}/year={year}");
            End::Failed(Error::io("write", Path::new(&folder), e))
        };
        let file = self.dataset.begin(number, year)?;
        let mut writer = Writer::new(file, self.form, shape).map_err(failed)?;
        let digest = read_year(feed, &self.years, year, shape, |columns| {
            writer.write(columns).map_err(failed)?;
            Ok::<bool, End>(!stop())
        })?;
        let digest = digest.ok_or(End::Stopped)?;
        let file = writer.finish().map_err(failed)?;
        let bytes = self.dataset.put(number, year, &file)?;
        Ok(Partition { digest, bytes })
    }
}

/// The years of which there is something to do.
struct Work {
    /// Those whose partitions are to be written.
    stale: Vec<i16>,
    /// Those that have no rows any more.
    gone: Vec<i16>,
}

impl Work {
    fn new(known: &Known, there: &BTreeSet<i16>, now: &BTreeMap<i16, Digest>) -> Work {
        let is_stale = |(year, digest): &(&i16, &Digest)| {
            known.years.get(year).is_none_or(|partition| partition.digest != **digest)
        };
        Work {
            stale: now.iter().filter(is_stale).map(|(year, _)| *year).collect(),
            gone: there.iter().filter(|year| !now.contains_key(year)).copied().collect(),
        }
    }
}

fn rows(known: &Known) -> u64 {
    known.years.values().map(|partition| partition.digest.rows).sum()
}
