//! A queue that any thread may push to and take from, first in first out.

use std::fmt;

use crossbeam_deque::{Injector, Steal};

use crate::sync::spin_loop;

/// A shared queue.
pub(crate) struct Queue<T>(Injector<T>);

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self(Injector::new())
    }

    pub(crate) fn push(&self, item: T) {
        self.0.push(item);
    }

    /// The oldest item.
    pub(crate) fn pop(&self) -> Option<T> {
        insist(|| self.0.steal())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn injector(&self) -> &Injector<T> {
        &self.0
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("len", &self.len()).finish()
    }
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
