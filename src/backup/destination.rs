//! Where copies may go: the checks a directory has to pass before anything is
//! written to it, and its lock.

use super::catalog::Catalog;
use super::copy::no_directory;
use super::folder::{Folder, same_file};
use super::options::{RunOptions, feed_of_source};
use crate::error::{Error, Result, Status};
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// The file in the destination whose lock a run holds.
pub const LOCK_FILE: &str = ".emonfeed.lock";

/// A directory in which several runs have their destinations. Nobody else's
/// runs do meanwhile.
pub struct Destinations {
    _lock: Option<File>,
}

impl Destinations {
    /// Makes the directory if it is not there, checks it as one run does its
    /// destination, and locks it.
    pub fn open<'a>(
        sources: impl IntoIterator<Item = &'a Path>,
        path: &Path,
        options: &RunOptions,
    ) -> Result<Destinations> {
        for source in sources {
            let from = Folder::open(source)?.ok_or_else(|| no_directory(source))?;
            demand_place(&from, path, options)?;
        }
        let folder = open_destination(path, options.dry_run)?;
        if let Some(folder) = &folder {
            folder.demand_private(options.trust_owner)?;
        }
        let folder = folder.filter(|_| !options.dry_run);
        Ok(Destinations { _lock: folder.as_ref().map(lock).transpose()? })
    }
}

/// Refuses places that a backup does not belong in: the source's own disk, and
/// the folder of a disk that is not mounted.
pub(super) fn demand_place(
    from: &Folder,
    destination: &Path,
    options: &RunOptions,
) -> Result<()> {
    // What it is in, if it is not made yet.
    let mut there = destination;
    let device = loop {
        let path = if there.as_os_str().is_empty() { Path::new(".") } else { there };
        match std::fs::metadata(path) {
            Ok(meta) => break meta.dev(),
            Err(e) if e.kind() == ErrorKind::NotFound => match there.parent() {
                Some(parent) => there = parent,
                None => return Err(Error::io("inspect", destination, e)),
            },
            Err(e) => return Err(Error::io("inspect", path, e)),
        }
    };
    let refuse = |why: &str| Err(Error::new(Status::Destination, why).at(destination));
    if options.require_mount {
        let root =
            std::fs::metadata("/").map_err(|e| Error::io("inspect", "/".as_ref(), e))?;
        // A machine may have none of these files.
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (fstab, mounts) = (read("/etc/fstab"), read("/proc/self/mountinfo"));
        let path = std::path::absolute(destination).unwrap_or_default();
        if let Some(point) = unmounted(&fstab, &mounts, &path) {
            return refuse(&format!(
                "/etc/fstab names a disk for {point}, which is not mounted (--require-mount)"
            ));
        }
        if root.dev() == device {
            return refuse(
                "this is on the disk of the root directory, so the disk that should be mounted \
                 here is not (--require-mount)",
            );
        }
    }
    if !options.same_device && from.identity()?.st_dev == device {
        return refuse(
            "this is on the same disk as the source, which a backup should survive; if it is \
             meant so, say --same-device",
        );
    }
    Ok(())
}

/// A directory above `path` for which `/etc/fstab` names a disk, and that has
/// none mounted by what `/proc/self/mountinfo` says.
fn unmounted(fstab: &str, mounts: &str, path: &Path) -> Option<String> {
    // Both files write a space as \040.
    let decoded = |point: &str| point.replace("\\040", " ");
    fstab
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|point| *point != "/" && point.starts_with('/'))
        .map(|point| point.trim_end_matches('/'))
        .filter(|point| path.starts_with(decoded(point)))
        .find(|point| !mounts.lines().any(|line| line.split(' ').nth(4) == Some(*point)))
        .map(decoded)
}

/// Refuses the source itself and a server's folder. Each copy would be refused,
/// too; but a lock file left in a database makes its DROP DATABASE fail.
pub(super) fn demand_no_source(
    from: &Folder,
    to: &Folder,
    destination: &Path,
    options: &RunOptions,
) -> Result<()> {
    if same_file(&from.identity()?, &to.identity()?) {
        return Err(Error::new(
            Status::Argument,
            "source and destination are the same directory",
        )
        .at(destination));
    }
    let is_index = |name: &OsString| {
        let name = Path::new(name);
        name.extension() == Some(OsStr::new("MYI"))
            && feed_of_source(name, &options.prefix).is_some()
    };
    if Catalog::is_in(to)? {
        return Ok(());
    }
    if to.stat(OsStr::new("db.opt"))?.is_some() || to.names()?.iter().any(is_index) {
        return Err(Error::new(
            Status::Destination,
            "this is the directory of a database server (there is a db.opt, or a feed's \
             .MYI), no place for copies: are source and destination exchanged?",
        )
        .at(destination));
    }
    Ok(())
}

/// Opens the destination, which is made if its parent exists, and not in a dry
/// run.
pub(super) fn open_destination(path: &Path, dry_run: bool) -> Result<Option<Folder>> {
    if let Some(folder) = Folder::open(path)? {
        return Ok(Some(folder));
    }
    if dry_run {
        return Ok(None);
    }
    // The readings of a household are nobody else's business.
    const OWNER_ONLY: u32 = 0o700;
    match DirBuilder::new().mode(OWNER_ONLY).create(path) {
        Ok(()) => {}
        // Another first run made it at this moment.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(Error::io("make the directory", path, e)),
    }
    Folder::open(path)
}

pub(super) fn lock(folder: &Folder) -> Result<File> {
    let name = OsStr::from_bytes(LOCK_FILE.as_bytes());
    folder.lock_file(name)?.ok_or_else(|| {
        Error::new(
            Status::Locked,
            "another run, or `emonfeed verify`, holds the lock on this destination",
        )
        .at(&folder.join(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_fstab_that_is_not_mounted_is_noticed() {
        let fstab = "# disks\n/dev/sda1 / ext4 defaults 0 1\n\
                     UUID=1 /mnt/usb  vfat nofail 0 0\n/dev/sdc1 /mnt/my\\040disk/ ext4 x 0 2\n\
                     /dev/sdb2 none swap sw 0 0\n#/dev/sdd1 /old ext4 x 0 0\n";
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      30 22 8:17 / /mnt/usb rw - vfat /dev/sdb1 rw\n";
        let of = |path: &str| unmounted(fstab, mounts, Path::new(path));
        assert_eq!(of("/mnt/my disk/feeds").as_deref(), Some("/mnt/my disk"));
        for mounted in ["/mnt/usb/feeds", "/mnt/usb", "/home/pi", "/old/x", "/mnt/usbx"] {
            assert_eq!(of(mounted), None, "{mounted}");
        }
        let nothing = unmounted(fstab, "", Path::new("/mnt/usb/feeds"));
        assert_eq!(nothing.as_deref(), Some("/mnt/usb"));
    }
}
