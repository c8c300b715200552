//! A dump of the database's other tables: users, inputs, dashboards, and what
//! the feeds are called. Made by the database's own dump program, compressed,
//! and put beside the copies of the feeds.

use crate::client::{self, Client, keep_last};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use zstd::stream::write::Encoder;

/// How much is read at a time.
const BLOCK: usize = 64 * 1024;
/// More than the dump's last line.
const TAIL: usize = 256;

/// What to dump.
#[derive(Clone, Debug)]
pub struct Dump {
    pub database: String,
    /// The client's option file; without it, it reads its usual ones.
    pub defaults_file: Option<PathBuf>,
    /// What the names of feed tables begin with.
    pub prefix: String,
    /// How many dumps to keep, the new one among them, which always stays.
    pub keep: usize,
}

/// What was dumped.
#[derive(Debug)]
pub struct Dumped {
    /// The file's name in the destination.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    pub tables: usize,
    /// The names of older dumps that had to go.
    pub removed: Vec<String>,
}

/// Dumps all tables but those of feeds into the directory `destination`.
///
/// The dumps before it stay until the new one is complete and on the disk. Only
/// the holder of the destination's lock may call this.
///
/// Views and triggers are in the dump; routines and events are not: emoncms has
/// none, and reading them takes rights that its user may lack. The dump program
/// writes six digits of a FLOAT.
pub fn dump(dump: &Dump, destination: &Path) -> Result<Dumped, String> {
    let client = Client { defaults_file: dump.defaults_file.clone() };
    let made = Folder::open(destination).and_then(|folder| {
        folder.sweep()?;
        let tables = Tables::find(&client, dump)?;
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let name = format!("database-{now}.sql.zst");
        let partial = Partial::create(&folder, &name)?;
        write(&client, dump, &tables, &partial)?;
        let bytes = partial.publish()?;
        Ok((folder, Dumped { name, bytes, tables: tables.names.len(), removed: vec![] }))
    });
    let (folder, mut dumped) =
        made.map_err(|e| format!("the database {} is not dumped: {e}", dump.database))?;
    dumped.removed = folder.retire(&dumped.name, dump.keep).map_err(|e| {
        let name = &dumped.name;
        format!("the database is dumped to {name}, but an older dump did not go: {e}")
    })?;
    Ok(dumped)
}

/// The tables to dump.
struct Tables {
    names: Vec<String>,
    /// Whether a transaction sees all of them as they were at one moment.
    transactional: bool,
}

impl Tables {
    fn find(client: &Client, dump: &Dump) -> Result<Tables, String> {
        let database = &dump.database;
        // Names alone: for its engine the server would open each of thousands
        // of feed tables.
        let found = client::query(
            client,
            database,
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
        )?;
        let names: Vec<_> = found
            .into_iter()
            .flatten()
            // No name is NULL, but one may read like that.
            .map(|name| name.unwrap_or_else(|| "NULL".into()))
            .filter(|name| !is_feed(name, &dump.prefix))
            .collect();
        if names.is_empty() {
            // Without names the dump program would dump everything.
            return Err(format!(
                "there are no tables besides those of feeds ({}1 and so on): is {database} \
                 emoncms's database, and may this user SELECT from its tables?",
                dump.prefix
            ));
        }
        let list: Vec<_> = names.iter().map(|name| literal(name)).collect();
        let others = client::query(
            client,
            database,
            &format!(
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                 AND TABLE_TYPE <> 'VIEW' AND NOT ENGINE <=> 'InnoDB' AND TABLE_NAME IN ({})",
                list.join(",")
            ),
        )?;
        let transactional = others == [[Some("0".to_owned())]];
        Ok(Tables { names, transactional })
    }
}

/// Whether this is the name of a feed's table.
fn is_feed(table: &str, prefix: &str) -> bool {
    table.strip_prefix(prefix).is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// A text in SQL, whatever the server thinks of backslashes.
fn literal(text: &str) -> String {
    let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    format!("_utf8mb4 0x{hex}")
}

/// Streams the dump into the file.
fn write(
    client: &Client,
    dump: &Dump,
    tables: &Tables,
    partial: &Partial<'_>,
) -> Result<(), String> {
    const OPTIONS: &[&str] = &[
        // These are the usual ones: an option file may have taken them back, or
        // left out rows, definitions or the line that marks the end.
        "--opt",
        "--skip-compact",
        "--comments",
        "--triggers",
        "--skip-no-data",
        "--skip-no-create-info",
        "--skip-lock-all-tables",
        "--default-character-set=utf8mb4",
        // BLOBs hold bytes that are no text.
        "--hex-blob",
        // Asking for them takes the right PROCESS.
        "--no-tablespaces",
    ];
    // A transaction holds up nobody, but sees only InnoDB's tables at one moment.
    // emoncms's are MyISAM, or mixed after a while: those are locked together,
    // which is for a fraction of a second.
    let at_one_moment: &[&str] = if tables.transactional {
        &["--single-transaction"]
    } else {
        &["--skip-single-transaction", "--lock-tables"]
    };
    let mut running =
        client.start(["mariadb-dump", "mysqldump"], |program, command| {
            command.args(OPTIONS).args(at_one_moment);
            if program == "mysqldump" {
                // MySQL 8's asks older servers for statistics they lack, and writes
                // a line that only administrators may restore.
                command
                    .args(["--loose-column-statistics=0", "--loose-set-gtid-purged=OFF"]);
            }
            // The feeds' names, to be ignored, would be too many for a command line.
            command.arg("--").arg(&dump.database).args(&tables.names);
        })?;
    running.stdin = None;

    let cannot_write = |e| format!("cannot write {}: {e}", partial.path());
    let mut encoder = Encoder::new(&partial.file, zstd::DEFAULT_COMPRESSION_LEVEL)
        .and_then(|mut encoder| encoder.include_checksum(true).map(|()| encoder))
        .map_err(cannot_write)?;
    let mut block = vec![0; BLOCK];
    let mut tail = Vec::new();
    loop {
        let read = match running.stdout.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(running.cannot_read(&e)),
        };
        encoder.write_all(&block[..read]).map_err(cannot_write)?;
        keep_last(&mut tail, &block[..read], TAIL);
    }
    let program = running.program;
    running.finish()?;
    let last = tail.trim_ascii_end().rsplit(|&byte| byte == b'\n').next();
    if !last.is_some_and(|line| line.starts_with(b"-- Dump completed")) {
        return Err(format!(
            "what {program} wrote has no end; do its option files send it elsewhere?"
        ));
    }
    encoder.finish().map_err(cannot_write)?;
    Ok(())
}

/// Whether this is the name of a dump.
fn is_dump(name: &[u8]) -> bool {
    let stamp = |name: &[u8]| {
        name.len() == 16
            && name.iter().enumerate().all(|(i, byte)| match i {
                8 => *byte == b'T',
                15 => *byte == b'Z',
                _ => byte.is_ascii_digit(),
            })
    };
    name.strip_prefix(b"database-")
        .and_then(|rest| rest.strip_suffix(b".sql.zst"))
        .is_some_and(stamp)
}

/// Whether this is the name of a dump being written.
fn is_partial(name: &[u8]) -> bool {
    name.strip_prefix(b".")
        .and_then(|rest| rest.strip_suffix(b".partial"))
        .is_some_and(is_dump)
}

/// The directory the dumps are in. Everything goes through its descriptor and
/// follows no symbolic link.
struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    fn open(path: &Path) -> Result<Folder, String> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = fs::open(path, flags, Mode::empty())
            .map_err(|e| format!("cannot open the directory {}: {e}", path.display()))?;
        Ok(Folder { fd, path: path.to_owned() })
    }

    fn cannot(&self, action: &str, name: &str, errno: Errno) -> String {
        format!("cannot {action} {}: {errno}", self.path.join(name).display())
    }

    /// The regular files whose names are `wanted`.
    fn files(&self, wanted: fn(&[u8]) -> bool) -> Result<Vec<String>, String> {
        let cannot = |e| self.cannot("list", "", e);
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(self.fd.as_fd()).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            if !wanted(entry.file_name().to_bytes()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            match fs::statat(&self.fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => {
                    names.push(name);
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(e) => return Err(self.cannot("inspect", &name, e)),
            }
        }
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        match fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(self.cannot("remove", name, e)),
        }
    }

    /// Removes what a run that was killed left.
    fn sweep(&self) -> Result<(), String> {
        self.files(is_partial)?.iter().try_for_each(|name| self.remove(name))
    }

    /// Removes all dumps but `newest` and the latest before it, `keep` in all.
    fn retire(&self, newest: &str, keep: usize) -> Result<Vec<String>, String> {
        let mut old = self.files(is_dump)?;
        // By name: a clock that was wrong must not cost the new one.
        old.retain(|name| name != newest);
        old.sort_unstable();
        old.truncate((old.len() + 1).saturating_sub(keep.max(1)));
        old.iter().try_for_each(|name| self.remove(name))?;
        Ok(old)
    }

    /// Makes names last: after it, a power cut does not undo them.
    fn sync(&self) -> Result<(), String> {
        match fs::fsync(&self.fd) {
            // Some file systems have nothing to sync in a directory.
            Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            Err(e) => Err(self.cannot("sync", "", e)),
        }
    }
}

/// A dump being written; removed unless it was published.
struct Partial<'a> {
    folder: &'a Folder,
    /// The name of the dump.
    name: &'a str,
    file: File,
    published: bool,
}

impl<'a> Partial<'a> {
    fn create(folder: &'a Folder, name: &'a str) -> Result<Partial<'a>, String> {
        // Password hashes are in it: nobody else may read it, at no time.
        let flags = OFlags::CREATE
            | OFlags::EXCL
            | OFlags::WRONLY
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        let hidden = Self::hidden(name);
        let fd = fs::openat(&folder.fd, &hidden, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|e| folder.cannot("create", &hidden, e))?;
        Ok(Partial { folder, name, file: fd.into(), published: false })
    }

    fn hidden(name: &str) -> String {
        format!(".{name}.partial")
    }

    fn path(&self) -> String {
        self.folder.path.join(Self::hidden(self.name)).display().to_string()
    }

    /// Gives the file its name, once its bytes are on the disk, and tells its
    /// length.
    fn publish(mut self) -> Result<u64, String> {
        let cannot = |e| self.folder.cannot("sync", &Self::hidden(self.name), e);
        fs::fsync(&self.file).map_err(cannot)?;
        let bytes = fs::fstat(&self.file).map_err(cannot)?.st_size as u64;
        fs::renameat(
            &self.folder.fd,
            Self::hidden(self.name),
            &self.folder.fd,
            self.name,
        )
        .map_err(|e| self.folder.cannot("rename to", self.name, e))?;
        self.published = true;
        self.folder.sync()?;
        Ok(bytes)
    }
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        if !self.published {
            // The failure that led here is what is reported.
            let _ = self.folder.remove(&Self::hidden(self.name));
        }
    }
}

#[cfg(test)]
mod tests;
