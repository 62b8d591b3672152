//! The queue of a scope: a ring for the tasks that its owner spawns, an injector for the others.
//!
//! Mostly the owner's thread spawns, and its pushes cost next to nothing. Tasks that claimed past
//! the queue, by their joiners, leave tombstones; see the scheduler's `queue`.

#![expect(unsafe_code, reason = "the owner's side of the ring is the owner's")]

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use super::ring::Ring;
use crate::job::Job;
use crate::scheduler::{Entry, Queue, are_many, sift, this_thread};
use crate::sync::Ordering;

/// So many tasks fit into the first buffer.
const FIRST: u64 = 64;

/// Every so many times what others spawned comes first, so that an owner who keeps spawning starves
/// nobody.
const OTHERS_FIRST: u32 = 16;

/// When a task was spawned: how many the owner had spawned by then, itself included, and, if it was
/// not the owner who spawned it, how many others had.
///
/// Whatever happens before something else has the lower one. The owner counts without an exchange so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    pub(super) own: u64,
    pub(super) others: u64,
}

/// A task in the queue.
pub(super) struct Queued {
    pub(super) order: Order,
    pub(super) job: Job,
}

/// The queue.
pub(super) struct TaskQueue {
    own: Ring,
    others: OnceLock<Queue<Queued>>,
    tombstones: AtomicUsize,
    owner: usize,
}

impl TaskQueue {
    /// A queue of this thread.
    pub(super) fn new() -> Self {
        Self {
            own: Ring::new(FIRST),
            others: OnceLock::new(),
            tombstones: AtomicUsize::new(0),
            owner: this_thread(),
        }
    }

    /// Whether this is the thread that made the queue.
    #[inline]
    pub(super) fn is_own(&self) -> bool {
        this_thread() == self.owner
    }

    /// Queues a task of the owner's, whose count is `own`.
    ///
    /// # Safety
    ///
    /// - This is the owner's thread.
    #[inline]
    pub(super) unsafe fn push_own(&self, job: Job, own: u64) {
        // SAFETY: the owner's thread is there as long as the scope, so no other has its number.
        unsafe { self.own.push(job, own) };
    }

    pub(super) fn push_other(&self, task: Queued) {
        self.others.get_or_init(Queue::new).push(task);
    }

    /// Queues a task once more.
    fn put_back(&self, task: Queued) {
        if self.is_own() && task.order.others == 0 {
            // SAFETY: just looked.
            unsafe { self.push_own(task.job, task.order.own) };
        } else {
            self.push_other(task);
        }
    }

    /// An old task, most likely the oldest. `turn` is another one at each call; `seen` is kept from
    /// call to call, see [`Ring::pop`].
    #[inline]
    pub(super) fn pop(&self, turn: u32, seen: &mut u64) -> Option<Queued> {
        if turn % OTHERS_FIRST == 0 {
            self.pop_others().or_else(|| self.pop_own(seen))
        } else {
            self.pop_own(seen).or_else(|| self.pop_others())
        }
    }

    #[inline]
    fn pop_own(&self, seen: &mut u64) -> Option<Queued> {
        let (job, own) = self.own.pop(seen)?;
        Some(Queued { order: Order { own, others: 0 }, job })
    }

    #[inline]
    fn pop_others(&self) -> Option<Queued> {
        self.others.get()?.pop()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.get().is_none_or(Queue::is_empty)
    }

    /// How many of the owner's tasks are queued.
    #[inline]
    pub(super) fn own_len(&self) -> usize {
        self.own.len()
    }

    fn len(&self) -> usize {
        self.own.len() + self.others.get().map_or(0, Queue::len)
    }

    /// A task in here has become a tombstone. True: tasks were taken out and put back meanwhile, so
    /// somebody may have found the queue empty who should not have.
    #[must_use]
    pub(super) fn bury(&self) -> bool {
        // ORDERING: Relaxed: an estimate that decides when to clean up, nothing more.
        let tombstones = self.tombstones.fetch_add(1, Ordering::Relaxed) + 1;
        if !are_many(tombstones, self.len()) {
            return false;
        }
        // ORDERING: Relaxed, as above: the one who resets it does the work.
        let reset =
            self.tombstones.compare_exchange(tombstones, 0, Ordering::Relaxed, Ordering::Relaxed);
        reset.is_ok() && self.clean_up()
    }

    fn clean_up(&self) -> bool {
        let own = sift(self.own.len(), || self.pop_own(&mut 0), |task| self.put_back(task));
        let others = self.others.get();
        let others = others.is_some_and(|it| sift(it.len(), || it.pop(), |task| it.push(task)));
        own || others
    }
}

impl Entry for Queued {
    fn is_spent(&self) -> bool {
        self.job.is_spent()
    }

    fn bury(self) {
        self.job.bury();
    }
}

impl fmt::Debug for TaskQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskQueue").field("len", &self.len()).finish_non_exhaustive()
    }
}
