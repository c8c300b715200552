//! The directory copies are kept in. Everything goes through its descriptor
//! and follows no symbolic link, since a backup may run as root in a
//! directory that others can write to.

use super::plan::Refusal;
use crate::error::{Error, Result, Status};
use crate::feed::lock_within;
use rustix::fs::{
    self, AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat,
};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// For the lock of a run: a program that forks just now has it for a moment in
/// its child, too.
const PATIENCE: Duration = Duration::from_millis(200);

const SDI: &[u8] = b".sdi";

/// An open directory.
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    /// Names of the definitions of MySQL 8, once they were asked for: a run
    /// asks for each of thousands of feeds.
    sdi_names: Mutex<Option<Arc<[OsString]>>>,
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A file in a [`Folder`], opened.
pub(crate) struct Opened {
    pub file: File,
    pub stat: Stat,
}

impl Opened {
    /// Looks at the file again.
    pub(crate) fn restat(&mut self) -> io::Result<()> {
        self.stat = fs::fstat(&self.file)?;
        Ok(())
    }
}

impl Folder {
    /// Opens the directory at `path`; `None` if there is nothing.
    pub(crate) fn open(path: &Path) -> Result<Option<Folder>> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        match fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Folder {
                fd,
                path: path.to_owned(),
                sdi_names: Mutex::default(),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Error::io("open the directory", path, e.into())),
        }
    }

    /// Which directory it is.
    pub(crate) fn identity(&self) -> Result<Stat> {
        fs::fstat(&self.fd).map_err(|e| Error::io("inspect", &self.path, e.into()))
    }

    /// The same directory, opened once more.
    pub(crate) fn try_clone(&self) -> Result<Folder> {
        let fd = self.fd.try_clone();
        let fd = fd.map_err(|e| Error::io("open the directory", &self.path, e))?;
        Ok(Folder { fd, path: self.path.clone(), sdi_names: Mutex::default() })
    }

    /// A path to this very directory, whatever has its name now.
    pub(crate) fn through_descriptor(&self) -> PathBuf {
        if self.is_reached_by_descriptor() {
            self.descriptor_path()
        } else {
            self.path.clone()
        }
    }

    /// Whether there is such a path: a system without `/proc` has none.
    pub(crate) fn is_reached_by_descriptor(&self) -> bool {
        self.descriptor_path().exists()
    }

    fn descriptor_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.fd.as_raw_fd()))
    }

    /// Refuses a directory that other users can write to: they could put links
    /// and pipes in the place of copies. With `trust_owner` it may be another
    /// user's.
    pub(crate) fn demand_private(&self, trust_owner: bool) -> Result<()> {
        let stat = self.identity()?;
        let refuse =
            |why: String| Err(Error::new(Status::Destination, why).at(&self.path));
        if stat.st_mode & 0o022 != 0 {
            return refuse(format!(
                "others can write to this directory (its mode is {:04o}), so that what is in it \
                 cannot be trusted: chmod go-w, or take another one",
                stat.st_mode & 0o7777
            ));
        }
        if stat.st_uid != 0 && stat.st_uid != geteuid().as_raw() && !trust_owner {
            return refuse(format!(
                "this directory belongs to another user (number {}), who can exchange what is \
                 in it: chown it, run as that user, or say --trust-owner",
                stat.st_uid
            ));
        }
        Ok(())
    }

    /// Refuses a file that is no regular one or has other names (hard links).
    /// None there is fine.
    pub(crate) fn demand_own(&self, name: &OsStr) -> Result<Option<Stat>> {
        let Some(stat) = self.stat(name)? else { return Ok(None) };
        self.demand_regular(name, &stat)?;
        if stat.st_nlink != 1 {
            return Err(Error::new(Status::Destination, Refusal::OtherNames.to_string())
                .at(&self.join(name)));
        }
        Ok(Some(stat))
    }

    /// The path of the file `name`, for messages.
    pub(crate) fn join(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    fn error(&self, action: &str, name: &OsStr, errno: Errno) -> Error {
        Error::io(action, &self.join(name), errno.into())
    }

    /// What is at `name` itself, were it a symbolic link.
    pub(crate) fn stat(&self, name: &OsStr) -> Result<Option<Stat>> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(self.error("inspect", name, e)),
        }
    }

    /// Opens a regular file, which has no other names if it may be written to;
    /// `None` if there is none.
    pub(crate) fn open_file(&self, name: &OsStr, write: bool) -> Result<Option<Opened>> {
        // Before opening: opening a device can do things.
        let Some(stat) = self.stat(name)? else { return Ok(None) };
        self.demand_regular(name, &stat)?;
        self.open_regular(name, write)
    }

    /// The same of what was just seen to be a regular file.
    pub(crate) fn open_regular(
        &self,
        name: &OsStr,
        write: bool,
    ) -> Result<Option<Opened>> {
        let opened = self.open_linked(name, write)?;
        if let Some(opened) = opened.as_ref().filter(|_| write) {
            // One look tells both: while the file has this name, it has no other.
            let now = self.demand_own(name)?;
            if !now.is_some_and(|now| same_file(&now, &opened.stat)) {
                return Err(replaced().at(&self.join(name)));
            }
        }
        Ok(opened)
    }

    /// The same of a file that may have other names.
    pub(crate) fn open_linked(
        &self,
        name: &OsStr,
        write: bool,
    ) -> Result<Option<Opened>> {
        let access = if write { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = access
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let fd = match fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(self.error("open", name, e)),
        };
        self.opened(fd, name).map(Some)
    }

    /// What was opened: refused unless it is a regular file, which may have been
    /// exchanged since it was looked at.
    fn opened(&self, fd: OwnedFd, name: &OsStr) -> Result<Opened> {
        let stat = fs::fstat(&fd).map_err(|e| self.error("inspect", name, e))?;
        self.demand_regular(name, &stat)?;
        Ok(Opened { file: fd.into(), stat })
    }

    /// Opens a file to read a few places of it, whatever it is; `None` if that is not
    /// to be had. Opening a device could do things, so this is for folders of feeds.
    pub(crate) fn glimpse(&self, name: &OsStr) -> Option<File> {
        let flags = OFlags::RDONLY
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let file = fs::openat(&self.fd, name, flags, Mode::empty()).ok()?;
        // A hint: what lies behind is not read.
        let _ = fs::fadvise(&file, 0, None, fs::Advice::Random);
        Some(file.into())
    }

    /// Refuses what is no regular file.
    pub(crate) fn demand_regular(&self, name: &OsStr, stat: &Stat) -> Result<()> {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => return Ok(()),
            FileType::Symlink => "a symbolic link",
            FileType::Directory => "a directory",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            _ => "a device",
        };
        Err(Error::new(Status::NotRegular, format!("this is {kind}, not a file"))
            .at(&self.join(name)))
    }

    /// Makes a new file nobody else can read and locks it.
    pub(crate) fn create(&self, name: &OsStr) -> Result<File> {
        let flags = OFlags::CREATE
            | OFlags::EXCL
            | OFlags::RDWR
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        self.remove_left(name)?;
        let fd = fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|e| self.error("create", name, e))?;
        let file = File::from(fd);
        self.lock(&file, name)?;
        self.demand_current(&file, name)?;
        Ok(file)
    }

    /// Removes a file, if it is there, that a copy made and nobody holds the
    /// lock on: that copy was killed.
    pub(crate) fn remove_left(&self, name: &OsStr) -> Result<()> {
        if let Some(left) = self.open_file(name, false)? {
            self.lock(&left.file, name)?;
            self.remove(name)?;
        }
        Ok(())
    }

    /// Locks a file against another copy. A reader holds its lock for a
    /// moment only; whoever holds one longer is another copy. File systems
    /// without locks go without.
    pub(crate) fn lock(&self, file: &File, name: &OsStr) -> Result<()> {
        const LONG: Duration = Duration::from_secs(1);
        if lock_within(file, FlockOperation::NonBlockingLockExclusive, LONG)
            .map_err(|e| self.error("lock", name, e))?
        {
            return Ok(());
        }
        Err(Error::new(Status::Locked, "another program is writing this file")
            .at(&self.join(name)))
    }

    /// Whether `name` is still the file opened from it.
    pub(crate) fn demand_current(&self, file: &File, name: &OsStr) -> Result<()> {
        let opened = fs::fstat(file).map_err(|e| self.error("inspect", name, e))?;
        match self.stat(name)? {
            Some(now) if same_file(&now, &opened) => Ok(()),
            _ => Err(replaced().at(&self.join(name))),
        }
    }

    /// Gives a file the access rights, and if we may the owner, of another.
    pub(crate) fn adopt(&self, file: &File, name: &OsStr, from: &Stat) -> Result<()> {
        let now = fs::fstat(file).map_err(|e| self.error("inspect", name, e))?;
        if (now.st_uid, now.st_gid) != (from.st_uid, from.st_gid) {
            let owner = fs::Uid::from_raw(from.st_uid);
            let group = fs::Gid::from_raw(from.st_gid);
            match fs::fchown(file, Some(owner), Some(group)) {
                // Only root may give files away, and some file systems have
                // no owners; then the file is ours, which harms nobody.
                Ok(()) | Err(Errno::PERM) => {}
                Err(e) => return Err(self.error("set the owner of", name, e)),
            }
        }
        let mode = Mode::from_raw_mode(from.st_mode & 0o777);
        match fs::fchmod(file, mode) {
            Ok(()) | Err(Errno::PERM | Errno::OPNOTSUPP) => Ok(()),
            Err(e) => Err(self.error("set the access rights of", name, e)),
        }
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<()> {
        self.forget_names(name);
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(self.error("remove", name, e)),
        }
    }

    /// Renames a file over whatever has the new name.
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> Result<()> {
        self.forget_names(from);
        self.forget_names(to);
        fs::renameat(&self.fd, from, &self.fd, to)
            .map_err(|e| self.error("rename to", to, e))
    }

    /// Renames a file to a name that is free; `false` if it is taken.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> Result<bool> {
        self.forget_names(from);
        self.forget_names(to);
        match fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            // Not every file system can do that in one step.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if self.stat(to)?.is_some() {
                    return Ok(false);
                }
                self.replace(from, to).map(|()| true)
            }
            Err(e) => Err(self.error("rename to", to, e)),
        }
    }

    /// Gives a file a second name that is free. `None` if it is taken,
    /// `Some(false)` if the file system has no hard links.
    pub(crate) fn link(&self, from: &OsStr, to: &OsStr) -> Result<Option<bool>> {
        match fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty()) {
            Ok(()) => Ok(Some(true)),
            Err(Errno::EXIST) => Ok(None),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => {
                Ok(Some(false))
            }
            Err(e) => Err(self.error("keep the old copy as", to, e)),
        }
    }

    /// Bytes that this user can still write.
    pub(crate) fn free_bytes(&self) -> Result<u64> {
        let stat = fs::fstatvfs(&self.fd)
            .map_err(|e| Error::io("inspect the file system of", &self.path, e.into()))?;
        let free = if geteuid().is_root() { stat.f_bfree } else { stat.f_bavail };
        Ok(free.saturating_mul(stat.f_frsize))
    }

    /// Makes names last: after it, a power cut does not undo them.
    pub(crate) fn sync(&self) -> Result<()> {
        match fs::fsync(&self.fd) {
            // Some file systems have nothing to sync in a directory.
            Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            Err(e) => Err(Error::io("sync the directory", &self.path, e.into())),
        }
    }

    /// Whether [`Folder::sync_whole`] puts all that was written on the disk. It
    /// does on file systems of a disk of this machine; others, which a program
    /// or another machine keeps, may take no notice.
    pub(crate) fn syncs_whole(&self) -> bool {
        const LOCAL: [u32; 11] = [
            0xef53,      // ext2, ext3, ext4
            0x5846_5342, // xfs
            0x9123_683e, // btrfs
            0xf2f5_2010, // f2fs
            0x4d44,      // vfat
            0x2011_bab0, // exfat
            0x0102_1994, // tmpfs
            0x2fc1_2fc1, // zfs
            0x794c_7630, // overlay
            0xca45_1a4e, // bcachefs
            0x3153_464a, // jfs
        ];
        // A number of 32 bits, of another type on each kind of host.
        tells_of_failed_writes()
            && fs::fstatfs(&self.fd)
                .is_ok_and(|stat| LOCAL.contains(&(stat.f_type as u32)))
    }

    /// Puts all that was written to the file system on the disk. Fails if
    /// anything of it could not be, since this directory was opened.
    pub(crate) fn sync_whole(&self) -> Result<()> {
        fs::syncfs(&self.fd)
            .map_err(|e| Error::io("sync the file system of", &self.path, e.into()))
    }

    /// Puts one file on the disk.
    pub(crate) fn sync_file(&self, name: &OsStr) -> Result<()> {
        match self.open_file(name, true)? {
            Some(opened) => {
                fs::fdatasync(&opened.file).map_err(|e| self.error("sync", name, e))
            }
            None => Ok(()),
        }
    }

    /// The names in the directory.
    pub(crate) fn names(&self) -> Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// Calls `each` with every name in the directory, of which there may be
    /// more than memory should hold.
    pub(crate) fn each_name(&self, mut each: impl FnMut(&OsStr)) -> Result<()> {
        let cannot = |e: Errno| Error::io("list", &self.path, e.into());
        for entry in fs::Dir::read_from(self.fd.as_fd()).map_err(cannot)? {
            each(OsStr::from_bytes(entry.map_err(cannot)?.file_name().to_bytes()));
        }
        Ok(())
    }

    /// The names of all definitions of MySQL 8 (`feed_7_363.sdi`).
    pub(crate) fn sdi_names(&self) -> Result<Arc<[OsString]>> {
        let mut known = self.sdi_names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = &*known {
            return Ok(names.clone());
        }
        let is_sdi = |name: &OsString| name.as_bytes().ends_with(SDI);
        let names: Arc<[OsString]> = self.names()?.into_iter().filter(is_sdi).collect();
        *known = Some(names.clone());
        Ok(names)
    }

    fn forget_names(&self, changed: &OsStr) {
        if changed.as_bytes().ends_with(SDI) {
            *self.sdi_names.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Makes the file `name` if it is not there and locks it; `None` if
    /// another program has the lock.
    pub(crate) fn lock_file(&self, name: &OsStr) -> Result<Option<File>> {
        let flags = OFlags::CREATE
            | OFlags::RDWR
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        if let Some(stat) = self.stat(name)? {
            self.demand_regular(name, &stat)?;
        }
        let fd = fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|e| self.error("open", name, e))?;
        let Opened { file, .. } = self.opened(fd, name)?;
        let locked =
            lock_within(&file, FlockOperation::NonBlockingLockExclusive, PATIENCE)
                .map_err(|e| self.error("lock", name, e))?;
        Ok(locked.then_some(file))
    }

    /// Takes the lock on the file `name`, together with others that only look;
    /// `None` if a program holds it that writes. Where there is no such file
    /// there is nothing to lock.
    pub(crate) fn share_lock(&self, name: &OsStr) -> Result<Option<Option<File>>> {
        let Some(opened) = self.open_file(name, false)? else { return Ok(Some(None)) };
        let operation = FlockOperation::NonBlockingLockShared;
        let locked = lock_within(&opened.file, operation, PATIENCE)
            .map_err(|e| self.error("lock", name, e))?;
        Ok(locked.then_some(Some(opened.file)))
    }
}

/// Whether the sync of a file system fails if something could not be written, as
/// it does since Linux 5.8.
fn tells_of_failed_writes() -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map_while(|n| n.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(8))
}

fn replaced() -> Error {
    Error::new(Status::Changed, "another program replaced this file")
}

/// Whether two `stat`s are of one file.
pub(crate) fn same_file(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As where a file is exchanged after the look before opening.
    #[test]
    fn what_is_opened_and_is_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("directory")).unwrap();
        fs::mknodat(fs::CWD, dir.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        std::os::unix::fs::symlink("pipe", dir.path().join("link")).unwrap();
        let refused = |dir: &Path, name: &str| {
            let folder = Folder::open(dir).unwrap().expect("a directory");
            let opened = folder.open_linked(OsStr::new(name), false);
            opened.err().unwrap_or_else(|| panic!("{name} was opened")).status()
        };
        for name in ["directory", "pipe", "link"] {
            assert_eq!(refused(dir.path(), name), Status::NotRegular, "{name}");
        }
        assert_eq!(refused("/dev".as_ref(), "null"), Status::NotRegular);
    }
}
