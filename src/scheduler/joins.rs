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
//! A push is private: no atomic, no fence. When thieves have left the deque short, the push
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
}

impl Joins {
    pub(super) fn new() -> Self {
        Self {
            stack: UnsafeCell::new(Vec::new()),
            published: Cell::new(0),
            deque: Worker::new_lifo(),
        }
    }

    pub(super) fn stealer(&self) -> Stealer<Job> {
        self.deque.stealer()
    }

    /// Pushes a half, and keeps `wanted` in the deque if there are as many. True: it published
    /// some.
    #[inline]
    pub(super) fn push(&self, job: Job, wanted: usize) -> bool {
        // SAFETY: only the owner of the seat calls, and no reference to the stack outlives a call.
        unsafe { (*self.stack.get()).push(job) };
        wanted > 0 && self.deque.len() < wanted && self.publish(wanted)
    }

    #[cold]
    fn publish(&self, wanted: usize) -> bool {
        // SAFETY: as in `push`.
        let stack = unsafe { &*self.stack.get() };
        let first = self.published.get();
        for job in &stack[first..] {
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
    #[inline]
    pub(super) fn pop(&self) -> Popped {
        // SAFETY: as in `push`.
        let stack = unsafe { &mut *self.stack.get() };
        let _job = stack.pop().expect("each join pops what it pushed");
        if stack.len() >= self.published.get() { Popped::Back } else { self.pop_published() }
    }

    #[cold]
    fn pop_published(&self) -> Popped {
        self.published.set(self.published.get() - 1);
        match self.deque.pop() {
            // By the invariant it is the one that was asked for.
            Some(_job) => Popped::Back,
            None => Popped::Stolen,
        }
    }
}

impl fmt::Debug for Joins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joins").field("published", &self.published.get()).finish_non_exhaustive()
    }
}
