//! Processes that are copies of this one: what they do can be killed anywhere, and needs none of
//! what is tested here to start.

#![expect(unsafe_code, reason = "calls the C library")]

use std::sync::{Mutex, MutexGuard};

/// Whoever forks holds it, and whoever would notice that a fork has copies of its files.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A child, killed and waited for at the latest when it is dropped.
pub(crate) struct Fork(libc::pid_t);

/// Runs `f` in a process of its own, which then ends without a goodbye.
pub(crate) fn fork(f: impl FnOnce()) -> Fork {
    // SAFETY: the child runs nothing that another thread of the parent may have locked, but the
    // allocator, which the C library looks after.
    match unsafe { libc::fork() } {
        0 => {
            let is_fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_ok();
            // SAFETY: it takes a number.
            unsafe { libc::_exit(if is_fine { 0 } else { 1 }) }
        }
        pid => {
            assert!(pid > 0);
            Fork(pid)
        }
    }
}

impl Fork {
    /// Ends it at once, wherever it is.
    pub(crate) fn kill(&self) {
        // SAFETY: the child has not been waited for, so the number is its own.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
    }

    /// Waits; says whether it ended well.
    pub(crate) fn join(mut self) -> bool {
        self.wait()
    }

    fn wait(&mut self) -> bool {
        let mut status = 0;
        // SAFETY: as above; afterwards the number is forgotten.
        let pid = unsafe { libc::waitpid(self.0, &mut status, 0) };
        assert_eq!(pid, self.0);
        self.0 = 0;
        status == 0
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        if self.0 > 0 {
            self.kill();
            self.wait();
        }
    }
}
