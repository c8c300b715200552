//! Survives the truncation of a mapped file.
//!
//! Touching a page of a mapping that its file no longer reaches raises
//! SIGBUS, which kills the process. The handler here looks the address up
//! among the mappings published by this module; if it is one of them, it notes
//! that in the mapping's slot, puts a page of zeros there, and the read goes
//! on. Zeros read as deleted rows, and the query that touched them fails
//! afterwards with "changed while reading". Any other fault goes to the
//! handler that was there before. The pattern is that of libwayland's
//! `wl_shm_buffer_begin_access`.

mod slots;

use super::process;
use slots::Slot;
pub(super) use slots::Slots;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: AtomicU8 = AtomicU8::new(NOT_YET);
const NOT_YET: u8 = 0;
const BEGUN: u8 = 1;
const DONE: u8 = 2;
static PREVIOUS: Previous = Previous(UnsafeCell::new(MaybeUninit::uninit()));

struct Previous(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: written once, by whoever begins to install, before the handler that reads it is
// installed; only read afterwards.
unsafe impl Sync for Previous {}

/// A published range of addresses; withdrawn when dropped, which must happen
/// before the range is unmapped.
#[derive(Debug)]
pub(super) struct Guard {
    slot: &'static Slot,
}

impl Guard {
    /// Publishes `range`. `None` if there is no free slot or no handler could
    /// be installed.
    pub(super) fn publish(range: Range<usize>) -> Option<Guard> {
        if !install() || !armed() {
            return None;
        }
        process::current().slots.publish(range).map(|slot| Guard { slot })
    }

    /// Whether a page of the range had to be replaced.
    pub(super) fn faulted(&self) -> bool {
        self.slot.faulted()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.slot.withdraw();
    }
}

/// Whether a SIGBUS in this thread would reach the handler here: the host may
/// have put its own in front, or blocked the signal.
pub(super) fn armed() -> bool {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    let mut blocked = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: with a null new action and mask both calls only write the
    // current ones to the places given, which are valid for that.
    unsafe {
        libc::sigaction(libc::SIGBUS, ptr::null(), current.as_mut_ptr()) == 0
            && current.assume_init_ref().sa_sigaction == handler_address()
            && libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), blocked.as_mut_ptr())
                == 0
            && libc::sigismember(blocked.as_ptr(), libc::SIGBUS) == 0
    }
}

fn handler_address() -> libc::sighandler_t {
    on_sigbus as extern "C" fn(_, _, _) as *const () as libc::sighandler_t
}

/// Installs the handler, once in the life of the process; whether that is done, and
/// with it what the handler reads is seen by this thread. In a child that was forked
/// while another thread did that, it may never get done.
fn install() -> bool {
    if INSTALLED.load(Ordering::Acquire) == DONE {
        return true;
    }
    if INSTALLED
        .compare_exchange(NOT_YET, BEGUN, Ordering::AcqRel, Ordering::Acquire)
        .is_err()
    {
        const PATIENCE: u32 = 1000;
        for _ in 0..PATIENCE {
            if INSTALLED.load(Ordering::Acquire) == DONE {
                return true;
            }
            std::thread::yield_now();
        }
        return false;
    }
    // SAFETY: sysconf has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    PAGE_SIZE.store(usize::try_from(page).unwrap_or(4096), Ordering::Relaxed);
    // SAFETY: a sigaction of all zeros is a valid value of that C struct.
    let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ours.sa_sigaction = handler_address();
    // NODEFER: a foreign fault inside the chained handler must not hang.
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `ours` is initialised; PREVIOUS is written here only, by one
    // thread, and before the handler that reads it is in place.
    unsafe {
        libc::sigemptyset(&mut ours.sa_mask);
        if libc::sigaction(libc::SIGBUS, ptr::null(), (*PREVIOUS.0.get()).as_mut_ptr())
            == 0
        {
            libc::sigaction(libc::SIGBUS, &ours, ptr::null_mut());
        }
    }
    INSTALLED.store(DONE, Ordering::Release);
    true
}

extern "C" fn on_sigbus(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler; that
    // of a fault, which is what a positive code tells, has an address.
    let (sent, address) = unsafe {
        let sent = (*info).si_code <= 0;
        (sent, if sent { 0 } else { (*info).si_addr() as usize })
    };
    if sent || !replace_page(address) {
        chain(signal, info, context, sent);
    }
}

/// Puts a page of zeros under `address` if it is published. Does only what a
/// signal handler may: atomics and one system call.
fn replace_page(address: usize) -> bool {
    let Some(slot) = process::all().find_map(|process| process.slots.find(address))
    else {
        return false;
    };
    slot.note_fault();
    let page_size = PAGE_SIZE.load(Ordering::Relaxed);
    let page = address & !(page_size - 1);
    // SAFETY: errno is this thread's; it is put back as it was. The page
    // belongs to a mapping of this library: a range is published for as
    // long as it is mapped, and this thread is in the middle of reading
    // it, so MAP_FIXED replaces nothing of anybody else's. mmap is a
    // plain system call.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let mapped = libc::mmap(
            page as *mut libc::c_void,
            page_size,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        );
        *errno = saved;
        mapped != libc::MAP_FAILED
    }
}

/// Hands a foreign fault, or a signal that somebody `sent`, to the handler that
/// was there first.
fn chain(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
    sent: bool,
) {
    // SAFETY: written before this handler was installed, never afterwards.
    let previous = unsafe { (*PREVIOUS.0.get()).assume_init_ref() };
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // The default action: the fault happens again and ends the
            // process, as it would have without this library. A signal that
            // was sent does not happen again by itself.
            // SAFETY: a zeroed sigaction means SIG_DFL and is valid; raise
            // may be called in a handler.
            unsafe {
                let default: libc::sigaction = MaybeUninit::zeroed().assume_init();
                libc::sigaction(signal, &default, ptr::null_mut());
                if sent {
                    libc::raise(signal);
                }
            }
        }
        address if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            type Handler =
                extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: with SA_SIGINFO the address is that of a function of
            // this type.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(address) };
            handler(signal, info, context);
        }
        address => {
            // SAFETY: without SA_SIGINFO the address is that of a function of
            // this type.
            let handler = unsafe {
                std::mem::transmute::<usize, extern "C" fn(libc::c_int)>(address)
            };
            handler(signal);
        }
    }
}
