//! One feed's part of a run.

use super::dataset::{Dataset, Known, Partition};
use super::format::{Form, Shape, Writer};
use super::partition::{Digest, Years, digests, read_year};
use emonfeed::{Error, Feed, Result, Status};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

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
        path: &Path,
        number: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Exported>> {
        // Rows that were read may be gone when the next are.
        const ATTEMPTS: u32 = 4;
        let feed = Feed::open(path)?;
        let mut attempts = 1;
        loop {
            match self.attempt(&feed, number, stop) {
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
        let before = feed.fingerprint()?;
        let mut known = self.dataset.known(number)?;
        if before.is_some() && before == known.source {
            return Ok(Exported {
                rows: rows(&known),
                unchanged: known.years.len() as u64,
                ..Exported::default()
            });
        }
        let (shape, now) = digests(feed, &self.years)?;
        if stop() {
            return Err(End::Stopped);
        }
        let mut exported = self.compare(&known, &now);
        if !self.dry_run {
            self.carry_out(feed, number, &mut known, shape, &now, &mut exported, stop)?;
            // What was read is what the files held, if they were the same all along.
            known.source = before.filter(|_| feed.fingerprint().ok() == Some(before));
            self.dataset.save(number, &known)?;
            exported.rows = rows(&known);
        }
        Ok(exported)
    }

    /// What there is to do.
    fn compare(&self, known: &Known, now: &BTreeMap<i16, Digest>) -> Exported {
        let is_known = |(year, digest): (&i16, &Digest)| has(known, *year, *digest);
        let unchanged = now.iter().filter(|one| is_known(*one)).count() as u64;
        Exported {
            rows: now.values().map(|digest| digest.rows).sum(),
            written: now.len() as u64 - unchanged,
            bytes: 0,
            unchanged,
            removed: known.years.keys().filter(|year| !now.contains_key(year)).count()
                as u64,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn carry_out(
        &self,
        feed: &Feed,
        number: &str,
        known: &mut Known,
        shape: Shape,
        now: &BTreeMap<i16, Digest>,
        exported: &mut Exported,
        stop: &dyn Fn() -> bool,
    ) -> std::result::Result<(), End> {
        let gone: Vec<i16> =
            known.years.keys().filter(|year| !now.contains_key(year)).copied().collect();
        let stale: Vec<i16> = now
            .iter()
            .filter(|(year, digest)| !has(known, **year, **digest))
            .map(|(year, _)| *year)
            .collect();
        if gone.is_empty() && stale.is_empty() {
            return Ok(());
        }
        // Whatever happens from here on, nothing is said of a partition that is not so.
        known.source = None;
        known.years.retain(|year, _| !gone.contains(year) && !stale.contains(year));
        self.dataset.save(number, known)?;
        for year in stale {
            match self.write(feed, number, year, shape, stop) {
                Ok(partition) => {
                    exported.bytes += partition.bytes;
                    known.years.insert(year, partition);
                }
                Err(end) => {
                    self.dataset.give_up(number, year);
                    self.dataset.save(number, known)?;
                    return Err(end);
                }
            }
        }
        for year in gone {
            self.dataset.remove_year(number, year)?;
        }
        Ok(())
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

fn has(known: &Known, year: i16, digest: Digest) -> bool {
    known.years.get(&year).is_some_and(|partition| partition.digest == digest)
}

fn rows(known: &Known) -> u64 {
    known.years.values().map(|partition| partition.digest.rows).sum()
}
