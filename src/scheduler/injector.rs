//! Detached tasks that come from outside, first in first out.
//!
//! A task that was claimed by its joiner leaves a tombstone in the queue. Whoever claims says so,
//! and when most entries may be tombstones the claimer goes once through the queue: so the queue is
//! at most about twice as long as there are live tasks, at constant cost a claim.

use std::sync::atomic::AtomicUsize;

use crossbeam_deque::Worker;

use super::queue::{Queue, insist};
use crate::job::Job;
use crate::sync::Ordering;

/// Fewer tombstones than this are left alone.
pub(super) const TOMBSTONES: usize = 64;

#[derive(Debug)]
pub(super) struct Injector {
    queue: Queue<Job>,
    tombstones: AtomicUsize,
}

impl Injector {
    pub(super) fn new() -> Self {
        Self { queue: Queue::new(), tombstones: AtomicUsize::new(0) }
    }

    pub(super) fn push(&self, job: Job) {
        self.queue.push(job);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn pop(&self) -> Option<Job> {
        self.queue.pop()
    }

    /// The oldest job; some that follow it move over to `own`.
    pub(super) fn pop_batch(&self, own: &Worker<Job>) -> Option<Job> {
        insist(|| self.queue.injector().steal_batch_and_pop(own))
    }

    /// One entry more has become a tombstone.
    pub(super) fn bury(&self) {
        // ORDERING: Relaxed: an estimate that decides when to clean up, nothing more.
        let tombstones = self.tombstones.fetch_add(1, Ordering::Relaxed) + 1;
        if tombstones < TOMBSTONES || tombstones < self.len() / 2 {
            return;
        }
        // ORDERING: Relaxed, as above: the one who resets it does the work.
        if self
            .tombstones
            .compare_exchange(tombstones, 0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
        {
            sift(self.len(), || self.pop(), |job| self.push(job));
        }
    }
}

/// Goes through `count` entries of a queue: tombstones are used up, the others queue up again.
pub(super) fn sift(count: usize, mut pop: impl FnMut() -> Option<Job>, push: impl Fn(Job)) {
    for _ in 0..count {
        let Some(job) = pop() else { return };
        if job.is_spent() {
            // It was called off, so this returns at once.
            job.cancel();
        } else {
            push(job);
        }
    }
}
