//! The state of a task, in one word: whether it has started, and who has a share.

use crate::sync::{AtomicUsize, Ordering};

const STARTED: usize = 1;
/// The share of the queue's entry.
pub(super) const ENTRY: usize = 2;
/// The share of the handle.
pub(super) const HANDLE: usize = 4;

/// The packed word: started, and who has a share.
#[derive(Debug)]
pub(super) struct State(AtomicUsize);

impl State {
    /// A task in a queue, with a handle.
    pub(super) fn queued() -> Self {
        Self(AtomicUsize::new(ENTRY | HANDLE))
    }

    /// A task that has a handle only, and that nobody can claim.
    pub(super) fn refused() -> Self {
        Self(AtomicUsize::new(STARTED | HANDLE))
    }

    /// Wins the right to run the task, once.
    pub(super) fn claim(&self) -> bool {
        // ORDERING: Acquire keeps what the claimer does to the stage after the claim; the closure
        // itself came with the queue's entry, or with the handle. Release: whoever finds a tombstone
        // sees that its task was accounted for before, see the scheduler's `while_claimed`.
        self.0.fetch_or(STARTED, Ordering::AcqRel) & STARTED == 0
    }

    pub(super) fn has_started(&self) -> bool {
        // ORDERING: Relaxed: a look that decides nothing but whether to try.
        self.0.load(Ordering::Relaxed) & STARTED != 0
    }

    /// Whether somebody may wait for the result.
    pub(super) fn has_handle(&self) -> bool {
        // ORDERING: Relaxed: a handle that goes away meanwhile needs no signal.
        self.0.load(Ordering::Relaxed) & HANDLE != 0
    }

    /// Gives up one share. True: it was the last one.
    #[must_use]
    pub(super) fn release(&self, share: usize) -> bool {
        // ORDERING: Release hands on what this share's owner did to whoever frees the task;
        // Acquire makes the one who frees it see that.
        self.0.fetch_and(!share, Ordering::AcqRel) & (ENTRY | HANDLE) == share
    }
}
