//! What the destination holds of a feed: the copy, its definition, and the
//! names of what a copy leaves beside them.

use super::fina;
use super::folder::{Folder, Opened, same_file};
use super::plan::Columns;
use super::source::{DefinitionFile, Input, MAX_DEFINITION};
use crate::error::{Error, Result};
use crate::feed::read_up_to;
use crate::myisam::{Definition, Layout, parse_frm, parse_sdi};
use rustix::fs::Stat;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a copy is or will be.
pub(crate) struct Place<'f, 'n> {
    pub folder: &'f Folder,
    /// The name of the copy: `feed_7.MYD`.
    pub name: &'n OsStr,
}

impl Place<'_, '_> {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// `feed_7` of `feed_7.MYD`, with something behind it.
    pub(crate) fn sibling(&self, suffix: &OsStr) -> OsString {
        let mut name = Path::new(self.name).file_stem().unwrap_or_default().to_owned();
        name.push(suffix);
        name
    }

    /// Whether a server keeps tables here.
    pub(super) fn in_database(&self) -> Result<bool> {
        let index = self.sibling(OsStr::new(".MYI"));
        let is_there = |name: &OsStr| Ok::<_, Error>(self.folder.stat(name)?.is_some());
        Ok(is_there(&index)? || is_there(OsStr::new("db.opt"))?)
    }

    /// Whether the copy has other names. It has a dated one if an earlier run
    /// was killed before a new generation took its place: that is removed, for
    /// the old copy is still the current one.
    pub(super) fn has_other_names(&self, opened: &mut Opened) -> Result<bool> {
        if opened.stat.st_nlink == 1 {
            return Ok(false);
        }
        for name in self.folder.names()? {
            if is_dated(&name, self.name)
                && self
                    .folder
                    .stat(&name)?
                    .is_some_and(|stat| same_file(&stat, &opened.stat))
            {
                self.folder.remove(&name)?;
            }
        }
        opened.restat().map_err(|e| Error::io("inspect", &self.path(), e))?;
        Ok(opened.stat.st_nlink != 1)
    }

    /// How the copy's definition, if there is one, fits the source's.
    pub(super) fn columns(&self, input: &Input) -> Result<Columns> {
        let Some(held) = self.definition()? else { return Ok(Columns::Same) };
        if let Some(file) = input.definition.as_ref().filter(|_| self.is_fina()) {
            let same = fina::Meta::parse(&file.bytes) == fina::Meta::parse(&held.bytes);
            return Ok(if same { Columns::Same } else { Columns::Other });
        }
        let same = match (&input.definition, parse(&held)) {
            (Some(file), Ok(held)) => parse(file)? == held,
            // Nothing to go by: the rows are compared anyway, and the source's
            // definition takes its place.
            (Some(_), Err(_)) => true,
            // It stays beside the copy only if readers take the rows for what
            // they are.
            (None, held) => held
                .and_then(|held| Layout::of_copy(&held))
                .is_ok_and(|layout| Some(&layout) == input.layout()),
        };
        Ok(if same { Columns::Same } else { Columns::Other })
    }

    /// The definition that a reader of the copy would take.
    pub(super) fn definition(&self) -> Result<Option<DefinitionFile>> {
        for suffix in self.definition_suffixes()? {
            if let Some(bytes) = self.read_definition(&suffix)? {
                return Ok(Some(DefinitionFile { suffix, bytes }));
            }
        }
        Ok(None)
    }

    /// Bytes per row by the definition beside the copy, if that tells.
    pub(super) fn stride(&self) -> Result<Option<u64>> {
        if self.is_fina() {
            return Ok(Some(fina::STRIDE));
        }
        let layout = self
            .definition()?
            .and_then(|file| parse(&file).ok())
            .and_then(|definition| Layout::of_copy(&definition).ok());
        Ok(layout.map(|layout| layout.stride() as u64))
    }

    /// Whether the copy is one of PHPFina's files, whose definition says when
    /// its values were measured.
    fn is_fina(&self) -> bool {
        Path::new(self.name).extension() == Some(OsStr::new("dat"))
    }

    /// The suffixes of the definitions readers of the copy take: `.frm`, or those
    /// of the `.sdi` files.
    pub(crate) fn definition_suffixes(&self) -> Result<Vec<OsString>> {
        if self.is_fina() {
            let meta = OsString::from(".meta");
            let is_there = self.folder.stat(&self.sibling(&meta))?.is_some();
            return Ok(if is_there { vec![meta] } else { vec![] });
        }
        let frm = OsString::from(".frm");
        if self.folder.stat(&self.sibling(&frm))?.is_some() {
            return Ok(vec![frm]);
        }
        self.sdi_suffixes()
    }

    /// The suffixes of all `.sdi` files beside the copy.
    pub(super) fn sdi_suffixes(&self) -> Result<Vec<OsString>> {
        let stem = self.sibling(OsStr::new(""));
        let names = self.folder.sdi_names()?;
        Ok(names
            .iter()
            .filter_map(|name| {
                let suffix = name.as_bytes().strip_prefix(stem.as_bytes())?;
                let id = suffix.strip_prefix(b"_")?.strip_suffix(b".sdi")?;
                let is_id = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
                is_id.then(|| OsString::from_vec(suffix.to_vec()))
            })
            .collect())
    }

    /// The definitions beside the copy that would be taken for this table's,
    /// and are not: those of another name (the table's `.frm` before an upgrade
    /// to MySQL 8, an `.sdi` of another number); all, if the table has none any
    /// more and its rows are no longer what they say.
    pub(super) fn outdated_definitions(
        &self,
        input: &Input,
        columns: Columns,
    ) -> Result<Vec<OsString>> {
        let outdated = match (&input.definition, columns) {
            (Some(file), _) => {
                let mut held = self.definition_suffixes()?;
                held.retain(|suffix| *suffix != file.suffix);
                held
            }
            (None, Columns::Same) => Vec::new(),
            (None, Columns::Other) => {
                let mut held = self.sdi_suffixes()?;
                // Last: as long as it is there, readers do not look at others.
                let frm = OsString::from(".frm");
                if self.folder.stat(&self.sibling(&frm))?.is_some() {
                    held.push(frm);
                }
                held
            }
        };
        Ok(outdated.iter().map(|suffix| self.sibling(suffix)).collect())
    }

    /// The bytes of one definition of the copy.
    pub(super) fn read_definition(&self, suffix: &OsStr) -> Result<Option<Vec<u8>>> {
        let name = self.sibling(suffix);
        let Some(opened) = self.folder.open_file(&name, false)? else { return Ok(None) };
        let cannot = |e| Error::io("read", &self.folder.join(&name), e);
        let len = opened.file.metadata().map_err(cannot)?.len();
        let mut bytes = vec![0; len.min(MAX_DEFINITION) as usize];
        let have = read_up_to(&opened.file, &mut bytes, 0).map_err(cannot)?;
        bytes.truncate(have);
        Ok(Some(bytes))
    }
}

/// The definition that a `.frm` or `.sdi` holds.
pub(super) fn parse(file: &DefinitionFile) -> Result<Definition> {
    if file.suffix == ".frm" { parse_frm(&file.bytes) } else { parse_sdi(&file.bytes) }
}

/// A file being written under a name of its own; removed unless it was given its
/// real one, or is put aside to get it.
pub(crate) struct Partial<'a> {
    folder: &'a Folder,
    name: OsString,
    pub file: File,
    kept: bool,
}

impl<'a> Partial<'a> {
    /// The file that will be `name`, with all that is to be in it.
    pub(crate) fn with(
        folder: &'a Folder,
        name: &OsStr,
        bytes: &[u8],
    ) -> Result<Partial<'a>> {
        let partial = Self::filled(folder, name, bytes)?;
        partial.sync()?;
        if let Some(stat) = folder.stat(name)? {
            folder.adopt(&partial.file, &partial.name, &stat)?;
        }
        Ok(partial)
    }

    /// The file that will be `name`, with all that is to be in it, not synced
    /// yet.
    pub(crate) fn filled(
        folder: &'a Folder,
        name: &OsStr,
        bytes: &[u8],
    ) -> Result<Partial<'a>> {
        let partial = Self::create(folder, name)?;
        let written = partial.file.write_all_at(bytes, 0);
        written.map_err(|e| Error::io("write", &partial.path(), e))?;
        Ok(partial)
    }

    /// Puts it on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io("sync", &self.path(), e))
    }

    /// Gives it the owner and the rights of `rights` and puts it on the disk; the
    /// owner, if it could not have him.
    pub(crate) fn finish(&self, rights: &Stat) -> Result<Option<(u32, u32)>> {
        self.folder.adopt(&self.file, &self.name, rights)?;
        let now = rustix::fs::fstat(&self.file)
            .map_err(|e| Error::io("inspect", &self.path(), e.into()))?;
        self.sync()?;
        let wanted = (rights.st_uid, rights.st_gid);
        Ok(((now.st_uid, now.st_gid) != wanted).then_some(wanted))
    }

    /// Begins the file that will be `name`.
    pub(crate) fn create(folder: &'a Folder, name: &OsStr) -> Result<Partial<'a>> {
        Self::create_as(folder, Self::name_for(name))
    }

    /// Begins a file that is called so until it gets its name.
    pub(crate) fn create_as(folder: &'a Folder, name: OsString) -> Result<Partial<'a>> {
        let file = folder.create(&name)?;
        Ok(Partial { folder, name, file, kept: false })
    }

    /// Removes what a copy of `name` that was killed left.
    pub(crate) fn sweep(folder: &Folder, name: &OsStr) -> Result<()> {
        folder.remove_left(&Self::name_for(name))
    }

    fn name_for(name: &OsStr) -> OsString {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".partial");
        hidden
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Gives the file its name, in place of whatever has it now. What takes the
    /// place of something is on the disk before: after a power cut there may be
    /// the new name, and what was not synced behind it not.
    pub(crate) fn publish(mut self, name: &OsStr) -> Result<()> {
        if self.folder.stat(name)?.is_some() {
            self.sync()?;
        }
        self.folder.replace(&self.name, name)?;
        self.kept = true;
        Ok(())
    }

    /// Leaves it as it is: it gets its name later.
    pub(crate) fn put_aside(mut self) -> OsString {
        self.kept = true;
        self.name.clone()
    }

    /// Gives the file its name, which must be free; `false` if it is not.
    pub(crate) fn publish_new(&mut self, name: &OsStr) -> Result<bool> {
        self.kept = self.folder.rename(&self.name, name)?;
        Ok(self.kept)
    }
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // Should that fail, the next copy removes it.
            let _ = self.folder.remove(&self.name);
        }
    }
}

/// A file kept under a dated name.
pub(super) struct Kept {
    pub name: OsString,
    /// Whether it still has its own name, too.
    pub linked: bool,
}

/// Keeps the file `name` under a dated name.
pub(super) fn keep(folder: &Folder, name: &OsStr, stamp: &str) -> Result<Kept> {
    let mut count = 0;
    loop {
        let dated = dated(name, stamp, count);
        match folder.link(name, &dated)? {
            Some(true) => return Ok(Kept { name: dated, linked: true }),
            Some(false) if folder.rename(name, &dated)? => {
                return Ok(Kept { name: dated, linked: false });
            }
            Some(false) | None => count += 1,
        }
    }
}

/// Gives the file `name` a dated name instead of its own.
pub(super) fn set_aside(folder: &Folder, name: &OsStr, stamp: &str) -> Result<()> {
    let mut count = 0;
    while !folder.rename(name, &dated(name, stamp, count))? {
        count += 1;
    }
    Ok(())
}

/// A dated name; with a `count` above 0, another for the same second.
pub(super) fn dated(name: &OsStr, stamp: &str, count: u32) -> OsString {
    let mut dated = name.to_owned();
    dated.push(".");
    dated.push(stamp);
    if count > 0 {
        dated.push(format!(".{count}"));
    }
    dated
}

impl Kept {
    /// Leaves it nothing but the dated name.
    pub(super) fn take_away(&mut self, folder: &Folder, name: &OsStr) -> Result<()> {
        if self.linked {
            folder.remove(name)?;
            self.linked = false;
        }
        Ok(())
    }

    /// Undoes it.
    pub(super) fn undo(&self, folder: &Folder, name: &OsStr) -> Result<()> {
        if self.linked {
            folder.remove(&self.name)
        } else {
            folder.replace(&self.name, name)
        }
    }
}

/// The moment as a dated name has it: `20261123T040506Z`.
pub(super) fn stamp(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days counted from 1 March of year 0, when each leap day ends its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Whether `name` is what [`keep`] names an old `of`.
fn is_dated(name: &OsStr, of: &OsStr) -> bool {
    let rest = name.as_bytes().strip_prefix(of.as_bytes());
    rest.and_then(|rest| rest.strip_prefix(b".")).and_then(as_stamp).is_some()
}

/// The text of what [`dated`] puts behind a name and a dot.
pub(super) fn as_stamp(bytes: &[u8]) -> Option<&str> {
    let (stamp, count) = bytes.split_at(bytes.len().min(16));
    let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let is_stamp = stamp.len() == 16
        && digits(&stamp[..8])
        && stamp[8] == b'T'
        && digits(&stamp[9..15])
        && stamp[15] == b'Z'
        && (count.is_empty() || count.strip_prefix(b".").is_some_and(digits));
    std::str::from_utf8(bytes).ok().filter(|_| is_stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn stamps_are_utc_calendar_times() {
        // As `date -u -d @… +%Y%m%dT%H%M%SZ` prints them.
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_795_406_706, "20261123T040506Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn only_dated_names_of_the_same_file_are_recognised() {
        let is = |name: &str| is_dated(OsStr::new(name), OsStr::new("feed_7.MYD"));
        assert!(is("feed_7.MYD.20261123T040506Z"));
        assert!(is("feed_7.MYD.20261123T040506Z.12"));
        for other in [
            "feed_7.MYD",
            "feed_7.MYD.",
            "feed_7.MYD.20261123T040506",
            "feed_7.MYD.20261123T040506Z.",
            "feed_7.MYD.20261123T040506Z.x",
            "feed_7.MYD.2026-123T040506Z",
            "feed_70.MYD.20261123T040506Z",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
