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

/// What became of a try to claim a task by its entry.
#[must_use = "a claim is to be made use of"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Somebody was faster.
    Lost,
    /// It is the caller's to run; others have a share.
    Won,
    /// The caller has the task to itself: nobody wants its result any more.
    Sole,
}

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
    #[inline]
    pub(super) fn claim(&self) -> bool {
        // ORDERING: Acquire keeps what the claimer does to the stage after the claim; the closure
        // itself came with the queue's entry, or with the handle. Release: whoever finds a tombstone
        // sees that its task was accounted for before, see the scheduler's `while_claimed`.
        self.0.fetch_or(STARTED, Ordering::AcqRel) & STARTED == 0
    }

    /// As [`claim`](Self::claim), for whoever has the entry's share.
    #[inline]
    pub(super) fn claim_by_entry(&self) -> Claim {
        // ORDERING: Acquire pairs with the `release` of the handle: what was done by it is over. With
        // the entry's share alone there is nobody else to claim the task, nor to see a mark.
        if self.0.load(Ordering::Acquire) == ENTRY {
            return Claim::Sole;
        }
        if self.claim() { Claim::Won } else { Claim::Lost }
    }

    /// As [`claim`](Self::claim), for whoever has both shares, and gives up that of the entry by it.
    /// Where nobody else can look, and so it must be, no exchange is needed.
    #[inline]
    pub(super) fn claim_with_entry(&self) -> bool {
        // ORDERING: Relaxed: nobody else looks.
        let is_queued = self.0.load(Ordering::Relaxed) == ENTRY | HANDLE;
        if is_queued {
            // ORDERING: Relaxed, as above.
            self.0.store(STARTED | HANDLE, Ordering::Relaxed);
        }
        is_queued
    }

    pub(super) fn has_started(&self) -> bool {
        // ORDERING: Relaxed: a look that decides nothing but whether to try.
        self.0.load(Ordering::Relaxed) & STARTED != 0
    }

    /// Whether somebody may wait for the result.
    #[inline]
    pub(super) fn has_handle(&self) -> bool {
        // ORDERING: Relaxed: a handle that goes away meanwhile needs no signal.
        self.0.load(Ordering::Relaxed) & HANDLE != 0
    }

    /// Gives up one share, which is there. True: it was the last one.
    #[inline]
    #[must_use]
    pub(super) fn release(&self, share: usize) -> bool {
        // ORDERING: Acquire pairs with the `release` of the other share: alone with the task, nobody
        // can get another one, and no exchange is needed to see that.
        if self.0.load(Ordering::Acquire) & (ENTRY | HANDLE) == share {
            return true;
        }
        // ORDERING: Release hands on what this share's owner did to whoever frees the task;
        // Acquire makes the one who frees it see that.
        self.0.fetch_sub(share, Ordering::AcqRel) & (ENTRY | HANDLE) == share
    }
}
