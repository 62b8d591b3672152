//! What a process does to itself to be a worker.

#![expect(unsafe_code, reason = "ends the process and sets what happens to a signal")]

use std::fs;
use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags};
use rustix::process::setrlimit;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal};

use super::Socket;

/// Sets the limit of memory, if there is one, and makes this process the first to go when the system
/// has none left.
pub(in crate::process) fn become_worker(memory_limit: Option<u64>) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // SAFETY: to ignore a signal asks nothing of the caller.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // A system may forbid it; the worker works all the same.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    if let Some(bytes) = memory_limit {
        let maximum = getrlimit(Resource::As).maximum;
        let bytes = maximum.map_or(bytes, |maximum| maximum.min(bytes));
        setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum })?;
    }
    Ok(())
}

/// Waits until the other end of `socket` is gone, and ends this process at once.
pub(in crate::process) fn watch_parent(socket: &Socket) -> ! {
    loop {
        let mut files = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::RDHUP)];
        if rustix::event::poll(&mut files, None).is_ok() && !files[0].revents().is_empty() {
            leave(0);
        }
    }
}

/// Ends this process at once; nothing is flushed and no destructor runs.
pub(in crate::process) fn leave(code: i32) -> ! {
    // SAFETY: nothing is asked of the caller.
    unsafe { libc::_exit(code) }
}
