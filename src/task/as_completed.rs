//! Waiting for many tasks.

use std::fmt;
use std::mem::take;
use std::sync::Arc;
use std::task::{Wake, Waker};

use super::claim::run_nested;
use super::handle::TaskHandle;
use crate::channel::{Receiver, Sender, unbounded};
use crate::error::TaskError;
use crate::fork;
use crate::unwind::Discarded;

/// Waits for all tasks, and returns their results in order.
///
/// # Errors
///
/// The error of the earliest task that has one. All others have ended by then, too; what they
/// returned is dropped, and panics of theirs go to [`on_panic`](crate::PoolBuilder::on_panic).
///
/// # Blocking
///
/// Until all have ended. Tasks that nobody has begun run here, as with [`TaskHandle::join`].
///
/// # Examples
///
/// ```
/// let handles = [1, 2, 3].map(|n| manyhands::spawn(move || n * n));
/// assert_eq!(manyhands::join_all(handles)?, [1, 4, 9]);
/// # Ok::<(), manyhands::TaskError>(())
/// ```
pub fn join_all<T>(handles: impl IntoIterator<Item = TaskHandle<T>>) -> Result<Vec<T>, TaskError> {
    let mut handles = Vec::from_iter(handles).into_iter();
    let mut results = Discarded(Vec::with_capacity(handles.len()));
    let failed = handles.by_ref().find_map(|handle| match handle.join() {
        Ok(value) => {
            results.0.push(value);
            None
        }
        Err(error) => Some(error),
    });
    for handle in handles {
        // What it has is nobody's: dropping the handle sees to it.
        handle.wait();
    }
    failed.map_or_else(|| Ok(take(&mut results.0)), Err)
}

/// Iterates over the results of tasks in the order in which they end, each with its index.
///
/// The tasks that have not been taken when the iterator is dropped are detached.
///
/// # Examples
///
/// ```
/// let handles = (0..4_u64).map(|n| manyhands::spawn(move || n * 10));
/// let mut total = 0;
/// for (index, result) in manyhands::as_completed(handles) {
///     assert_eq!(result?, index as u64 * 10);
///     total += 1;
/// }
/// assert_eq!(total, 4);
/// # Ok::<(), manyhands::TaskError>(())
/// ```
pub fn as_completed<T>(handles: impl IntoIterator<Item = TaskHandle<T>>) -> AsCompleted<T> {
    let (sender, ended) = unbounded();
    let handles: Vec<_> = handles.into_iter().map(Some).collect();
    for (index, handle) in handles.iter().enumerate() {
        let notice = Arc::new(Notice { index, sender: sender.clone() });
        let ticket = handle.as_ref().map(TaskHandle::ticket);
        if ticket.is_some_and(|ticket| !ticket.latch().register(Waker::from(Arc::clone(&notice)))) {
            notice.wake();
        }
    }
    AsCompleted {
        left: handles.len(),
        has_lost: handles.iter().flatten().any(TaskHandle::is_lost),
        handles,
        ended,
        unclaimed: 0,
        generation: fork::generation(),
    }
}

/// Says over the channel that its task has ended.
struct Notice {
    index: usize,
    sender: Sender<usize>,
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        // Nobody listens if the iterator is gone.
        let _ = self.sender.send(self.index);
    }
}

/// Yields `(index, result)` of each task as it ends; see [`as_completed`].
#[must_use = "dropping it detaches the tasks"]
pub struct AsCompleted<T> {
    handles: Vec<Option<TaskHandle<T>>>,
    left: usize,
    ended: Receiver<usize>,
    /// All tasks before this one have been begun by somebody.
    unclaimed: usize,
    /// The process that this was made in, and whether there were tasks of an earlier one.
    generation: usize,
    has_lost: bool,
}

impl<T> AsCompleted<T> {
    /// The index of a task that has ended.
    fn next_index(&mut self) -> usize {
        loop {
            if let Ok(index) = self.ended.try_recv() {
                return index;
            }
            if self.has_lost || self.generation != fork::generation() {
                if let Some(index) = self.lost_index() {
                    return index;
                }
            }
            if let Some(index) = self.index_after_a_task() {
                return index;
            }
        }
    }

    /// Begins the earliest task that nobody has begun; where there is none, or this stack is deep in
    /// other tasks, it waits for one to end.
    fn index_after_a_task(&mut self) -> Option<usize> {
        let is_claimable =
            |handle: &Option<TaskHandle<T>>| handle.as_ref().is_some_and(TaskHandle::is_claimable);
        while self.handles.get(self.unclaimed).is_some_and(|handle| !is_claimable(handle)) {
            self.unclaimed += 1;
        }
        let Some(Some(handle)) = self.handles.get(self.unclaimed) else {
            let index = self.ended.recv();
            return Some(index.expect("a task that has not ended keeps its sender"));
        };
        let mut index = None;
        let wait = |grace| {
            index = self.ended.recv_timeout(grace).ok();
            index.is_some()
        };
        run_nested(|| handle.run_here(), wait);
        index
    }

    /// In a fork: a task that will never end, or one that ended when nobody could say so any more.
    fn lost_index(&self) -> Option<usize> {
        let is_over = |handle: &TaskHandle<T>| handle.is_lost() || handle.is_finished();
        self.handles.iter().position(|handle| handle.as_ref().is_some_and(is_over))
    }
}

/// # Blocking
///
/// `next` waits until one more task has ended. It runs tasks that nobody has begun.
impl<T> Iterator for AsCompleted<T> {
    type Item = (usize, Result<T, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let index = self.next_index();
        self.left -= 1;
        let handle = self.handles[index].take().expect("a task ends once");
        Some((index, handle.join()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}
