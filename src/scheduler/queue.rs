//! A queue that any thread may push to and take from, first in first out.
//!
//! An entry whose work was claimed past the queue, by a joiner or a canceller, is a tombstone.
//! Whoever makes one says so, and when most entries may be tombstones it goes once through the
//! queue: so a queue is at most about twice as long as it has live entries, at constant cost a
//! tombstone.

use std::fmt;
use std::sync::atomic::AtomicUsize;

use crossbeam_deque::{Injector, Steal, Worker};

use crate::fork::NoFork;
use crate::job::Job;
use crate::sync::{Ordering, spin_loop};

/// Fewer tombstones than this are left alone.
const FEW: usize = 64;

/// What may lie in a queue.
pub(crate) trait Entry {
    /// Whether there is nothing left to do.
    fn is_spent(&self) -> bool;

    /// Does away with a tombstone.
    fn bury(self);
}

impl Entry for Job {
    fn is_spent(&self) -> bool {
        Self::is_spent(self)
    }

    fn bury(self) {
        // There is nothing left to cancel: this gives up the entry's share.
        self.cancel();
    }
}

/// A shared queue.
pub(crate) struct Queue<T> {
    entries: Injector<T>,
    tombstones: AtomicUsize,
}

impl<T: Entry> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Injector::new(), tombstones: AtomicUsize::new(0) }
    }

    pub(crate) fn push(&self, entry: T) {
        self.entries.push(entry);
    }

    /// The oldest entry.
    pub(crate) fn pop(&self) -> Option<T> {
        insist(|| self.entries.steal())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// An entry, most likely of this queue, has become a tombstone. True: entries were taken out and
    /// put back meanwhile, so somebody may have found the queue empty who should not have.
    #[must_use]
    pub(crate) fn bury(&self) -> bool {
        // ORDERING: Relaxed: an estimate that decides when to clean up, nothing more.
        let tombstones = self.tombstones.fetch_add(1, Ordering::Relaxed) + 1;
        if !are_many(tombstones, self.len()) {
            return false;
        }
        // ORDERING: Relaxed, as above: the one who resets it does the work.
        let reset =
            self.tombstones.compare_exchange(tombstones, 0, Ordering::Relaxed, Ordering::Relaxed);
        reset.is_ok() && sift(self.len(), || self.pop(), |entry| self.push(entry))
    }
}

impl Queue<Job> {
    /// Moves some of the oldest jobs over to `own`. False: there are none.
    pub(super) fn move_batch(&self, own: &Worker<Job>) -> bool {
        !self.is_empty() && insist(|| self.entries.steal_batch(own)).is_some()
    }

    /// The oldest job; some that follow it move over to `own`.
    pub(super) fn pop_batch(&self, own: &Worker<Job>) -> Option<Job> {
        insist(|| self.entries.steal_batch_and_pop(own))
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("len", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Whether so many tombstones are worth going through a queue of that length.
pub(crate) fn are_many(tombstones: usize, length: usize) -> bool {
    tombstones >= FEW.max(length / 2)
}

/// Goes through `count` entries of a queue: tombstones are buried, the others queue up again. True:
/// there were others.
pub(crate) fn sift<T: Entry>(
    count: usize,
    mut pop: impl FnMut() -> Option<T>,
    push: impl Fn(T),
) -> bool {
    let mut has_moved = false;
    for entry in (0..count).map_while(|_| pop()) {
        if entry.is_spent() {
            entry.bury();
        } else {
            push(entry);
            has_moved = true;
        }
    }
    has_moved
}

/// Tries until the answer is not "somebody was faster, try again".
pub(super) fn insist<T>(mut steal: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(item) => return Some(item),
            Steal::Empty => return None,
            Steal::Retry => spin_loop(),
        }
    }
}

/// Has the collector of the deques' garbage made, which all deques of the process share, and which
/// the first thief would make otherwise, perhaps amid a fork.
pub(super) fn prepare() {
    let _no_fork = NoFork::begin();
    let none: Steal<()> = Worker::new_lifo().stealer().steal();
    debug_assert!(none.is_empty());
}
