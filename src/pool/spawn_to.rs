//! Tasks whose results go into a channel.

use super::Pool;
use crate::channel::{SendError, Sender};
use crate::error::{Panic, TaskError};
use crate::task::TaskId;
use crate::unwind::{catch, discard};

/// What comes out of the channel for each task.
type Delivered<T> = (TaskId, Result<T, TaskError>);

impl Pool {
    /// Starts `f` as a task whose result goes into a channel, and returns its name there.
    ///
    /// So one receiver gets the results of many tasks as they end, with a panic as an error in its
    /// place. A bounded channel that is full holds the task up until there is room, while another
    /// thread takes its worker's place. What a task returns when no receiver is left is dropped; a
    /// panic goes to [`on_panic`](crate::PoolBuilder::on_panic) then.
    ///
    /// In a pool without threads the task runs before `spawn_to` returns, and waits for room in a
    /// full channel on the caller; use an unbounded one there. Nor may a pool be dropped or shut down
    /// before its results have been received, if there is not room for all of them.
    ///
    /// A task that never runs, since its pool is shut down, says so if there is room for it in the
    /// channel: neither `spawn_to` nor [`shutdown_now`](Self::shutdown_now) waits for that.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let (sender, results) = manyhands::channel::unbounded();
    /// for n in 0..10 {
    ///     pool.spawn_to(&sender, move || 100 / n);
    /// }
    /// drop(sender);
    /// let (good, bad): (Vec<_>, Vec<_>) = results.iter().partition(|(_, result)| result.is_ok());
    /// assert_eq!((good.len(), bad.len()), (9, 1));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    pub fn spawn_to<F, T>(&self, sender: &Sender<Delivered<T>>, f: F) -> TaskId
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let id = TaskId::fresh();
        let scheduler = &self.scheduler;
        let mut notice = Notice { sender: sender.clone(), id, reason: Some(TaskError::Cancelled) };
        if !scheduler.is_lost() && !scheduler.accepts_tasks() {
            notice.reason = Some(TaskError::ShutDown);
            discard(f);
            return id;
        }
        self.spawn(move || {
            let result = catch(f);
            notice.send(result.map_err(|payload| TaskError::Panicked(Panic::new(payload))));
        })
        .detach();
        id
    }
}

/// Delivers what comes of a task, also if it never runs.
struct Notice<T> {
    sender: Sender<Delivered<T>>,
    id: TaskId,
    /// Why the task has not run, until it has.
    reason: Option<TaskError>,
}

impl<T> Notice<T> {
    fn send(mut self, result: Result<T, TaskError>) {
        self.reason = None;
        match self.sender.send((self.id, result)) {
            // Nobody will see it there: it is the panic of a detached task.
            Err(SendError((_, Err(TaskError::Panicked(panic))))) => panic.resume(),
            Err(SendError(message)) => drop(message),
            Ok(()) => {}
        }
    }
}

impl<T> Drop for Notice<T> {
    fn drop(&mut self) {
        if let Some(reason) = self.reason.take() {
            // Without room, or a receiver, it is not said.
            let _ = self.sender.try_send((self.id, Err(reason)));
        }
    }
}
