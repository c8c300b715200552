//! How SQLite opens files: by paths, which whoever owns a directory can lead
//! elsewhere while a run is at work. SQLite lets some of its system calls be
//! exchanged; these are as careful as [`super::folder`] is. They hold for all that
//! is linked with this SQLite, which the libraries built here do not export.

use rusqlite::ffi::{self, sqlite3_syscall_ptr, sqlite3_vfs};
use rustix::fs::{AtFlags, CWD, FileType, fstat, statat};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::{Once, OnceLock};

/// Like `stat` of C, whatever that says of a file here.
type StatCall = unsafe extern "C" fn(*const c_char, *mut c_void) -> c_int;

type OpenCall = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
/// As which SQLite has them all.
type Call = unsafe extern "C" fn();

/// SQLite's own.
static STAT: OnceLock<StatCall> = OnceLock::new();
static LSTAT: OnceLock<StatCall> = OnceLock::new();

/// Has SQLite, the one that is part of this program, open files with care.
pub(super) fn be_careful() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: NULL asks for the default one, which stays.
        let vfs = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: it is one, or NULL.
        let Some(calls) = (unsafe { vfs.as_ref() }) else { return };
        let (Some(stat), Some(lstat)) =
            (stat_call(calls, vfs, c"stat"), stat_call(calls, vfs, c"lstat"))
        else {
            return;
        };
        let (_, _) = (STAT.set(stat), LSTAT.set(lstat));
        let set = |name: &CStr, call: sqlite3_syscall_ptr| {
            if let Some(set) = calls.xSetSystemCall {
                // SAFETY: it is called as the system calls of these names are.
                unsafe { set(vfs, name.as_ptr(), call) };
            }
        };
        let open_call: OpenCall = open;
        // SAFETY: SQLite casts it back to what it is before it calls it.
        set(c"open", Some(unsafe { transmute::<OpenCall, Call>(open_call) }));
        let lstat_call: StatCall = lstat_but_descriptors;
        // SAFETY: the same.
        set(c"lstat", Some(unsafe { transmute::<StatCall, Call>(lstat_call) }));
    });
}

fn stat_call(
    calls: &sqlite3_vfs,
    vfs: *mut sqlite3_vfs,
    name: &CStr,
) -> Option<StatCall> {
    let get = calls.xGetSystemCall?;
    // SAFETY: it is the function's own table, and a string.
    let call = unsafe { get(vfs, name.as_ptr()) }?;
    // SAFETY: the calls of these two names are such functions.
    Some(unsafe { transmute::<Call, StatCall>(call) })
}

/// SQLite asks this to find out where links lead, and puts that in the place of
/// the path. One through a descriptor is to stay as it is: it leads to a
/// directory whatever becomes of the directory's name.
unsafe extern "C" fn lstat_but_descriptors(
    path: *const c_char,
    into: *mut c_void,
) -> c_int {
    // SAFETY: SQLite calls it with a string.
    let name = unsafe { CStr::from_ptr(path) }.to_bytes();
    let is_ours = match name.strip_prefix(b"/proc/self") {
        Some(rest) => {
            let descriptor = rest.strip_prefix(b"/fd/").unwrap_or_default();
            rest.is_empty()
                || !descriptor.is_empty() && descriptor.iter().all(u8::is_ascii_digit)
        }
        None => false,
    };
    let call = if is_ours { &STAT } else { &LSTAT };
    match call.get() {
        // SAFETY: as SQLite would have called it.
        Some(call) => unsafe { call(path, into) },
        None => -1,
    }
}

/// Opens a file, without waiting for whoever is at the other end of a pipe. What
/// may be written to has to be a file without other names.
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    let careful = flags | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: SQLite calls it with a string.
    let fd = unsafe { libc::open(path, careful, mode as libc::c_uint) };
    if fd < 0 {
        return fd;
    }
    // SAFETY: it was opened just now, and nobody else knows of it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the same string.
    let name = unsafe { CStr::from_ptr(path) };
    let writes = flags & libc::O_ACCMODE != libc::O_RDONLY;
    if is_harmless(fd.as_fd(), name, writes) {
        return fd.into_raw_fd();
    }
    drop(fd);
    // SAFETY: each thread has its own.
    unsafe { *libc::__errno_location() = libc::ELOOP };
    -1
}

fn is_harmless(fd: BorrowedFd, name: &CStr, writes: bool) -> bool {
    let Ok(opened) = fstat(fd) else { return false };
    match FileType::from_raw_mode(opened.st_mode) {
        // Of what is only read, too: SQLite gives an empty file another mode. One that
        // was removed meanwhile is nobody's any more.
        FileType::RegularFile if opened.st_nlink != 0 => {
            // One look tells both: while the file has this name, it has no other.
            statat(CWD, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|now| {
                super::folder::same_file(&now, &opened) && now.st_nlink == 1
            })
        }
        FileType::RegularFile => true,
        // A directory, to sync it; random numbers.
        FileType::Directory | FileType::CharacterDevice => !writes,
        _ => false,
    }
}
