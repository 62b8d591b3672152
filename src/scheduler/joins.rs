//! The join halves of one seat: a stack whose oldest part others may steal.
//!
//! ```text
//!        published (in the deque)        private (plain memory)
//!   ┌────┬────┬────┬───────────────┬────┬────┬────┬────┐
//!   │ thieves take from here       │      push and pop here
//!   └────┴────┴────┴───────────────┴────┴────┴────┴────┘
//!   oldest, largest                              youngest
//! ```
//!
//! A push is private: no atomic, no fence. When thieves have left the deque short, the seat then
//! publishes the oldest private halves, the largest pieces of work. A recursion of millions of
//! joins so publishes few.
//!
//! # Invariant
//!
//! Pushes and pops nest, since each join pops what it pushed before it returns. So the youngest
//! half is always that of the innermost join, the deque holds the youngest of the published ones
//! that are not stolen, and a published half that is not in the deque was stolen.
//!
//! # Figures
//!
//! Over two cores, fib(36) without cut-off published 17, 969 and 120,000 of 15 M joins when 1, 3
//! and 7 were kept in the deque, at the same speed; 15 doubled the cost of a join.

#![expect(unsafe_code, reason = "a plain stack, and entries that are in two places")]

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::hint::assert_unchecked;

use crossbeam_deque::{Stealer, Worker};

use crate::job::Job;

/// What became of a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// Nobody took it: its owner has it to itself again.
    Back,
    /// A thief has it, or has given it back through its latch.
    Stolen,
}

/// The join halves of one seat.
pub(super) struct Joins {
    /// All of them, oldest first. Only the owner of the seat looks in here.
    stack: UnsafeCell<Vec<Job>>,
    /// How many of the oldest were published.
    published: Cell<usize>,
    deque: Worker<Job>,
    /// Since the record began, whether a half was stolen, and whether one was not, or was too young
    /// to be published at once.
    has_lost: Cell<bool>,
    has_kept: Cell<bool>,
}

impl Joins {
    pub(super) fn new() -> Self {
        Self {
            stack: UnsafeCell::new(Vec::new()),
            published: Cell::new(0),
            deque: Worker::new_lifo(),
            has_lost: Cell::new(false),
            has_kept: Cell::new(false),
        }
    }

    pub(super) fn stealer(&self) -> Stealer<Job> {
        self.deque.stealer()
    }

    /// Pushes a half, which stays private.
    pub(super) fn push(&self, job: Job) {
        // SAFETY: only the owner of the seat calls, and no reference to the stack outlives a call.
        unsafe { (*self.stack.get()).push(job) };
    }

    /// Whether the private stack need not grow for the next half.
    #[inline]
    pub(super) fn have_room(&self) -> bool {
        // SAFETY: as in `push`.
        let stack = unsafe { &*self.stack.get() };
        stack.len() < stack.capacity()
    }

    /// As [`push`](Self::push), without a call.
    ///
    /// # Safety
    ///
    /// - There [is room](Self::have_room).
    #[inline]
    pub(super) unsafe fn push_in_place(&self, job: Job) {
        // SAFETY: as in `push`.
        let stack = unsafe { &mut *self.stack.get() };
        // SAFETY: what the caller says.
        unsafe { assert_unchecked(stack.len() < stack.capacity()) };
        stack.push(job);
    }

    /// Whether thieves find fewer than `wanted`.
    #[inline]
    pub(super) fn are_short(&self, wanted: usize) -> bool {
        self.deque.len() < wanted
    }

    /// Publishes the oldest private ones until thieves find `wanted`. True: it published some.
    pub(super) fn publish(&self, wanted: usize) -> bool {
        // SAFETY: as in `push`.
        let stack = unsafe { &*self.stack.get() };
        let first = self.published.get();
        if stack.len() > first + 1 {
            self.has_kept.set(true);
        }
        for job in &stack[first..] {
            // SAFETY: it was private up to here.
            unsafe { job.publish() };
            // SAFETY: the entry in the stack serves to find the job, it is never used up.
            self.deque.push(unsafe { job.alias() });
            self.published.set(self.published.get() + 1);
            if self.deque.len() >= wanted {
                break;
            }
        }
        self.published.get() > first
    }

    /// Publishes everything, since the owner is about to block. True: there was something.
    pub(super) fn publish_all(&self) -> bool {
        self.publish(usize::MAX)
    }

    /// Pops the youngest half.
    ///
    /// # Safety
    ///
    /// - There is one.
    #[inline]
    pub(super) unsafe fn pop(&self) -> Popped {
        // SAFETY: as in `push`.
        let stack = unsafe { &mut *self.stack.get() };
        debug_assert!(!stack.is_empty(), "each join pops what it pushed");
        // SAFETY: the caller says that it is not empty. A job has nothing to drop.
        unsafe { stack.set_len(stack.len() - 1) };
        if stack.len() >= self.published.get() { Popped::Back } else { self.pop_published() }
    }

    #[cold]
    fn pop_published(&self) -> Popped {
        self.published.set(self.published.get() - 1);
        match self.deque.pop() {
            // By the invariant it is the one that was asked for.
            Some(_job) => {
                self.has_kept.set(true);
                Popped::Back
            }
            None => {
                self.has_lost.set(true);
                Popped::Stolen
            }
        }
    }

    /// Begins to record what becomes of the halves.
    pub(super) fn begin_record(&self) {
        self.has_lost.set(false);
        self.has_kept.set(false);
    }

    /// Whether halves were stolen since the record began, and as far as it shows, all of them.
    pub(super) fn has_lost_all(&self) -> bool {
        self.has_lost.get() && !self.has_kept.get()
    }
}

impl fmt::Debug for Joins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joins").field("published", &self.published.get()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::job::Half;

    /// Whether all is lost when two halves are published and so many of them stolen.
    fn is_all_lost(stolen: usize, wanted: usize) -> bool {
        let joins = Joins::new();
        let halves = [(); 2].map(|()| Half::new(|| (), 0));
        joins.begin_record();
        for half in &halves {
            // SAFETY: the halves are there until the end, and nobody runs the job.
            joins.push(unsafe { half.job() });
            if wanted == 1 {
                joins.publish(1);
            }
        }
        joins.publish(wanted);
        (0..stolen).for_each(|_| assert!(joins.stealer().steal().is_success()));
        // SAFETY: as many were pushed.
        halves.iter().for_each(|_| _ = unsafe { joins.pop() });
        joins.has_lost_all()
    }

    #[test]
    fn only_where_every_half_was_stolen_all_is_lost() {
        assert!(!is_all_lost(0, 1));
        assert!(!is_all_lost(1, 1));
        assert!(!is_all_lost(1, 2));
        // Two at once: the younger one was private for a while.
        assert!(!is_all_lost(2, 2));
    }

    #[test]
    fn a_half_that_was_stolen_as_soon_as_it_was_pushed_is_all_that_is_lost() {
        let joins = Joins::new();
        let half = Half::new(|| (), 0);
        joins.begin_record();
        for _ in 0..2 {
            // SAFETY: the half is there until the end, and nobody runs the job.
            joins.push(unsafe { half.job() });
            assert!(joins.publish(1));
            assert!(joins.stealer().steal().is_success());
            // SAFETY: it was pushed above.
            assert_eq!(unsafe { joins.pop() }, Popped::Stolen);
        }
        assert!(joins.has_lost_all());
        joins.begin_record();
        assert!(!joins.has_lost_all());
    }
}
