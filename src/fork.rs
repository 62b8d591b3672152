//! Whether this process is still the one that started the threads.
//!
//! A child of `fork()` has a copy of every queue and of one thread. Nothing of an old pool can be
//! trusted there: a lock may be held by a thread that does not exist. The system calls a hook in
//! the child, which moves [`generation`] on; a pool remembers the one it was built in. So it costs
//! one load to know, and no system call.
//!
//! ```text
//!   one who forks                     one who has a NoFork
//!   ─────────────                     ────────────────────
//!   before: a fork is under way       begin: wait until none is under way, count
//!   wait until the count is 0         …
//!   after: it is over                 drop: count no longer
//! ```
//!
//! Two locks that are not ours would be held in the child for ever after a fork at the wrong
//! moment: the standard library's where a thread starts (it notes the place of the stack, to explain
//! an overflow), without which no thread can start, and that of the deques' collector of garbage
//! while it is made. A [`NoFork`] keeps forks out of these moments, for a while at most: hooks of
//! others run at a fork, too, and might wait for what this thread holds.

#![expect(unsafe_code, reason = "registers a hook with the C library")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static FORKS: AtomicUsize = AtomicUsize::new(0);
static HOOK: AtomicBool = AtomicBool::new(false);
/// How many [`NoFork`]s there are, and how many forks are under way.
static TRAFFIC: AtomicUsize = AtomicUsize::new(0);

const NO_FORK: usize = 1;
const FORK: usize = 1 << (usize::BITS / 2);

/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many times the processes that led to this one were forked since the hook was set.
#[inline]
pub(crate) fn generation() -> usize {
    // ORDERING: Relaxed, since the hook runs on the only thread of the child before any other code.
    FORKS.load(Ordering::Relaxed)
}

/// While it is there no fork begins, unless that takes too long.
#[derive(Debug)]
pub(crate) struct NoFork(());

impl NoFork {
    pub(crate) fn begin() -> Self {
        let next = |traffic| (traffic < FORK).then_some(traffic + NO_FORK);
        // ORDERING: Relaxed: one word decides who comes first; what follows is for the other process.
        if wait(|| TRAFFIC.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()) {
            return Self(());
        }
        // ORDERING: Relaxed, as above.
        TRAFFIC.fetch_add(NO_FORK, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for NoFork {
    fn drop(&mut self) {
        // ORDERING: Release: the lock was opened before this. Pairs with the load in `before_fork`.
        // In a child, where the count began anew, there may be nothing to take off.
        let next = |traffic: usize| (traffic % FORK > 0).then(|| traffic - NO_FORK);
        let _ = TRAFFIC.fetch_update(Ordering::Release, Ordering::Relaxed, next);
    }
}

/// Waits until `is_over`, but not for ever. Says whether it came to be.
fn wait(is_over: impl Fn() -> bool) -> bool {
    if is_over() {
        return true;
    }
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        thread::yield_now();
        if is_over() {
            return true;
        }
    }
    false
}

/// Sets the hooks, once in a process.
pub(crate) fn watch() {
    // ORDERING: Relaxed: nothing is published by it. Nobody waits for whoever sets the hooks, who may
    // be missing in a fork.
    if !HOOK.swap(true, Ordering::Relaxed) {
        set_hooks();
    }
}

#[cfg(unix)]
fn set_hooks() {
    // SAFETY: this is the declaration of POSIX.
    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> i32;
    }
    extern "C" fn before_fork() {
        // ORDERING: Relaxed, as in `begin`.
        TRAFFIC.fetch_add(FORK, Ordering::Relaxed);
        // ORDERING: Acquire pairs with the drop of a `NoFork`.
        wait(|| TRAFFIC.load(Ordering::Acquire) % FORK == 0);
    }
    extern "C" fn in_parent() {
        // ORDERING: Relaxed, as in `begin`.
        TRAFFIC.fetch_sub(FORK, Ordering::Relaxed);
    }
    extern "C" fn in_child() {
        // ORDERING: Relaxed: this is the only thread.
        TRAFFIC.store(0, Ordering::Relaxed);
        // ORDERING: as in `generation`.
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the hooks use atomics, the clock and `sched_yield`, which is allowed anywhere. Running
    // out of memory (the only error) leaves forks unseen.
    unsafe { pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
}

#[cfg(not(unix))]
fn set_hooks() {}
