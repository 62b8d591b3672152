//! Ends a [`poll`](super::poll) of another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

/// Rung by any thread; stays rung until it is cleared.
#[derive(Debug)]
pub(in crate::process) struct Bell(OwnedFd);

impl Bell {
    pub(in crate::process) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(in crate::process) fn ring(&self) {
        // It fails when it is rung already, 2^64 times.
        let _ = write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(in crate::process) fn clear(&self) {
        // It fails when it is not rung.
        let _ = read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
