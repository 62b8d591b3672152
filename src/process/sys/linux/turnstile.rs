//! A lock in memory that several processes see, which outlives whoever holds it.
//!
//! The system knows who holds it, and hands it on when that thread or its process dies. The next
//! holder is told, and puts right what was left half done.

#![expect(unsafe_code, reason = "calls the C library")]

use std::io;
use std::mem::MaybeUninit;

use super::Mapping;
use crate::sync::spin_loop;

/// How often somebody looks who finds the lock held, before it sleeps. It is held for some 100 ns.
const LOOKS: u32 = 100;

/// Where such a lock is: in the mapping, from an offset on.
#[derive(Clone, Copy, Debug)]
pub(in crate::process) struct Turnstile<'a> {
    place: *mut libc::pthread_mutex_t,
    _mapping: &'a Mapping,
}

/// The lock is held. Dropping this releases it, on the same thread.
#[derive(Debug)]
pub(in crate::process) struct Passage<'a> {
    turnstile: Turnstile<'a>,
    is_inherited: bool,
}

impl<'a> Turnstile<'a> {
    /// The lock at `offset`, which is aligned to words.
    pub(in crate::process) fn at(mapping: &'a Mapping, offset: usize) -> Self {
        let words = size_of::<libc::pthread_mutex_t>().div_ceil(size_of::<u64>());
        // That the last word is in the mapping says that the whole lock is.
        mapping.word(offset + (words - 1) * size_of::<u64>());
        Self { place: mapping.word(offset).as_ptr().cast(), _mapping: mapping }
    }

    /// Makes the lock, in memory that nobody else sees yet.
    pub(in crate::process) fn init(self) -> io::Result<()> {
        let mut kind = MaybeUninit::uninit();
        // SAFETY: there is room for it.
        check(unsafe { libc::pthread_mutexattr_init(kind.as_mut_ptr()) })?;
        // SAFETY: it has been made.
        check(unsafe {
            libc::pthread_mutexattr_setpshared(kind.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED)
        })?;
        // SAFETY: as above.
        check(unsafe {
            libc::pthread_mutexattr_setrobust(kind.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST)
        })?;
        // SAFETY: the place is mapped for as long as `self`, aligned, and nobody else's yet.
        check(unsafe { libc::pthread_mutex_init(self.place, kind.as_ptr()) })
    }

    /// Waits for the lock.
    pub(in crate::process) fn pass(self) -> io::Result<Passage<'a>> {
        let mut code = libc::EBUSY;
        for _ in 0..LOOKS {
            // SAFETY: the lock has been made, and is mapped for as long as `self`.
            code = unsafe { libc::pthread_mutex_trylock(self.place) };
            if code != libc::EBUSY {
                break;
            }
            spin_loop();
        }
        if code == libc::EBUSY {
            // SAFETY: as above.
            code = unsafe { libc::pthread_mutex_lock(self.place) };
        }
        match code {
            0 => Ok(Passage { turnstile: self, is_inherited: false }),
            libc::EOWNERDEAD => Ok(Passage { turnstile: self, is_inherited: true }),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }
}

impl Passage<'_> {
    /// Whether the last holder died.
    pub(in crate::process) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// Says that what the last holder left is in order.
    pub(in crate::process) fn settle(&mut self) -> io::Result<()> {
        // SAFETY: this thread holds the lock, whose last holder died.
        check(unsafe { libc::pthread_mutex_consistent(self.turnstile.place) })?;
        self.is_inherited = false;
        Ok(())
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        // SAFETY: this thread holds the lock: a passage stays where it was made.
        unsafe { libc::pthread_mutex_unlock(self.turnstile.place) };
    }
}

fn check(code: libc::c_int) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
