//! Whether this process is still the one that started the threads.
//!
//! A child of `fork()` has a copy of every queue and of one thread. Nothing of an old pool can be
//! trusted there: a lock may be held by a thread that does not exist. The system calls a hook in
//! the child, which moves [`generation`] on; a pool remembers the one it was built in. So it costs
//! one load to know, and no system call.

#![expect(unsafe_code, reason = "registers a hook with the C library")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static FORKS: AtomicUsize = AtomicUsize::new(0);
static HOOK: AtomicBool = AtomicBool::new(false);

/// How many times the processes that led to this one were forked since the hook was set.
#[inline]
pub(crate) fn generation() -> usize {
    // ORDERING: Relaxed, since the hook runs on the only thread of the child before any other code.
    FORKS.load(Ordering::Relaxed)
}

/// Sets the hook, once in a process.
pub(crate) fn watch() {
    // ORDERING: Relaxed: nothing is published by it. Nobody waits for whoever sets the hook, who may
    // be missing in a fork.
    if !HOOK.swap(true, Ordering::Relaxed) {
        set_hook();
    }
}

#[cfg(unix)]
fn set_hook() {
    // SAFETY: this is the declaration of POSIX.
    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> i32;
    }
    extern "C" fn in_child() {
        // ORDERING: as in `generation`.
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the hook only adds to an atomic, which a signal
    // handler may do, too. Running out of memory (the only error) leaves forks unseen.
    unsafe { pthread_atfork(None, None, Some(in_child)) };
}

#[cfg(not(unix))]
fn set_hook() {}
