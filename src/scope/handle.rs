//! What a scope's `spawn` returns.

#![expect(unsafe_code, reason = "gives tickets back")]

use std::fmt;

use super::queue::Order;
use super::tasks::Tasks;
use crate::error::{TaskError, TryJoinError};
use crate::task::{Patience, Ticket, await_ticket};

/// Holds a claim on the result of a scope's task. It cannot leave the scope:
///
/// ```compile_fail
/// let handle = manyhands::scope(|s| s.spawn(|| 1));
/// ```
pub struct ScopedHandle<'scope, T> {
    pub(super) ticket: Ticket<'scope, T>,
    pub(super) order: Order,
    pub(super) tasks: &'scope Tasks,
}

impl<T> ScopedHandle<'_, T> {
    /// Waits for the result. If nobody has begun the task, it runs here and now.
    ///
    /// # Errors
    ///
    /// [`TaskError::Panicked`] with the task's panic. The scope does not panic with it then.
    ///
    /// # Blocking
    ///
    /// Until the task has ended. On a worker, a spare thread takes its place meanwhile.
    pub fn join(mut self) -> Result<T, TaskError> {
        if !self.ticket.is_done() {
            await_ticket(&self.ticket, Patience::Claim, || self.tasks.run_here(&self.ticket));
        }
        self.ticket.take()
    }

    /// Takes the result if it is there. It never runs the task.
    ///
    /// # Errors
    ///
    /// [`TryJoinError::NotFinished`] gives the handle back, [`TryJoinError::Failed`] has the task's
    /// panic.
    pub fn try_join(mut self) -> Result<T, TryJoinError<Self>> {
        if self.ticket.is_done() {
            self.ticket.take().map_err(TryJoinError::Failed)
        } else {
            Err(TryJoinError::NotFinished(self))
        }
    }

    /// Says whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ticket.is_done()
    }
}

impl<T> Drop for ScopedHandle<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the handle is going away, nobody uses the ticket after this.
        if let Some(payload) = unsafe { self.ticket.release() } {
            self.tasks.note_panic(self.order, payload);
        }
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHandle").field("is_finished", &self.is_finished()).finish()
    }
}
