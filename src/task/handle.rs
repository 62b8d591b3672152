//! What `spawn` returns.

#![expect(unsafe_code, reason = "gives tickets back")]

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::claim::{Patience, await_ticket};
use super::id::TaskId;
use super::ticket::Ticket;
use crate::error::{JoinTimeoutError, TaskError, TryJoinError};
use crate::scheduler::{Scheduler, Seat, Tally, block_on, enter, within};

/// Holds a claim on the result of a task.
///
/// It can be waited for ([`join`](Self::join)), awaited in any async runtime, asked, and cancelled.
/// Dropping it detaches the task, which runs all the same; if it panics then, the panic goes to
/// [`on_panic`](crate::PoolBuilder::on_panic).
///
/// # Examples
///
/// ```
/// let total = manyhands::spawn(|| (1..=100).sum::<u32>());
/// assert_eq!(total.join()?, 5050);
/// # Ok::<(), manyhands::TaskError>(())
/// ```
#[must_use = "dropping the handle detaches the task: nobody sees its result"]
pub struct TaskHandle<T> {
    ticket: Ticket<'static, T>,
    scheduler: Arc<Scheduler>,
    id: TaskId,
}

impl<T> TaskHandle<T> {
    pub(crate) fn new(ticket: Ticket<'static, T>, scheduler: Arc<Scheduler>) -> Self {
        Self { ticket, scheduler, id: TaskId::fresh() }
    }

    /// Names the task.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Says whether the task has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ticket.is_done()
    }

    /// Lets the task go its own way, as dropping the handle does.
    pub fn detach(self) {}

    /// Asks that the task be not run. True: it never will be, and its closure is dropped, here and
    /// now. False: it has begun (and goes on to its end), has ended, or was cancelled before.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(1).unwrap();
    /// let handle = pool.spawn(|| 1);
    /// match handle.cancel() {
    ///     true => assert!(matches!(handle.join(), Err(manyhands::TaskError::Cancelled))),
    ///     false => assert_eq!(handle.join().unwrap(), 1),
    /// }
    /// ```
    pub fn cancel(&self) -> bool {
        let is_cancelled = self.ticket.cancel();
        if is_cancelled {
            self.scheduler.bury();
        }
        is_cancelled
    }

    /// Waits for the result. If nobody has begun the task, it runs here and now, unless the pool is
    /// [`workers_only`](crate::PoolBuilder::workers_only).
    ///
    /// A task that joins itself, or a ring of tasks that join each other, waits for ever.
    ///
    /// # Errors
    ///
    /// [`TaskError`] says why there is no result: the task panicked, was cancelled, came too late
    /// for its pool, or was lost by a fork.
    ///
    /// # Blocking
    ///
    /// Until the task has ended. On a worker, a spare thread takes its place meanwhile. Tasks that
    /// run inside each other's joins nest; once they use 256 KiB of stack, a joiner rather waits for
    /// others to begin the task, and runs it only if nobody does; from 1 MiB on, on a
    /// thread started for it.
    pub fn join(mut self) -> Result<T, TaskError> {
        if self.wait() { self.ticket.take() } else { Err(TaskError::Lost) }
    }

    /// Waits for the end, as [`join`](Self::join) does. False: it never comes.
    pub(super) fn wait(&self) -> bool {
        if self.is_finished() {
            return true;
        }
        if self.scheduler.is_lost() {
            return false;
        }
        let may_claim = self.scheduler.joiners_may_claim();
        let patience = if may_claim { Patience::Claim } else { Patience::Wait };
        await_ticket(&self.ticket, patience, || self.run_here());
        true
    }

    /// Runs the task on this thread, if nobody has claimed it.
    pub(super) fn run_here(&self) -> bool {
        if let Some(has_run) = self.scheduler.with_seat(|seat| self.run_next_of(seat?)) {
            return has_run;
        }
        let has_run = self.scheduler.with_seat(|seat| {
            let run = || self.scheduler.while_claimed(seat, || self.ticket.run());
            match seat {
                Some(seat) => seat.run_as(self.ticket.address(), || within(seat, run)),
                None => enter(&self.scheduler, None, run),
            }
        });
        if has_run {
            self.scheduler.count(Tally::Claim);
            self.scheduler.bury();
        }
        has_run
    }

    /// Runs the task here if it is the one that `seat` would come to next: tasks are mostly joined in
    /// the order in which they were spawned, and then it costs no exchange with others. Says whether
    /// it ran. `None`: it is another one.
    fn run_next_of(&self, seat: &Seat) -> Option<bool> {
        let entry = self.scheduler.take_next(seat, self.ticket.address())?;
        // SAFETY: the entry has the address of the task; whoever joins has the handle to itself.
        let run = || within(seat, || unsafe { self.ticket.run_with(entry) });
        let has_run = seat.run_as(self.ticket.address(), run);
        if has_run {
            self.scheduler.count(Tally::Claim);
        }
        Some(has_run)
    }

    /// Waits for the result, but not longer than `timeout`. It never runs the task here.
    ///
    /// # Errors
    ///
    /// [`JoinTimeoutError::TimedOut`] gives the handle back, [`JoinTimeoutError::Failed`] says why
    /// there never will be a result.
    ///
    /// # Blocking
    ///
    /// Up to `timeout`; `Duration::MAX` is for ever.
    pub fn join_timeout(mut self, timeout: Duration) -> Result<T, JoinTimeoutError<Self>> {
        if !self.is_finished() {
            if self.scheduler.is_lost() {
                return Err(JoinTimeoutError::Failed(TaskError::Lost));
            }
            let deadline = Instant::now().checked_add(timeout);
            if !block_on(self.ticket.latch(), deadline, || self.ticket.has_started()) {
                return Err(JoinTimeoutError::TimedOut(self));
            }
        }
        self.ticket.take().map_err(JoinTimeoutError::Failed)
    }

    /// Takes the result if it is there. It never runs the task.
    ///
    /// # Errors
    ///
    /// [`TryJoinError::NotFinished`] gives the handle back, [`TryJoinError::Failed`] says why there
    /// never will be a result.
    pub fn try_join(mut self) -> Result<T, TryJoinError<Self>> {
        if self.is_finished() {
            return self.ticket.take().map_err(TryJoinError::Failed);
        }
        if self.scheduler.is_lost() {
            return Err(TryJoinError::Failed(TaskError::Lost));
        }
        Err(TryJoinError::NotFinished(self))
    }

    /// Makes a handle whose drop cancels the task instead of detaching it.
    #[must_use = "dropping it cancels the task"]
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop(Some(self))
    }

    pub(super) fn ticket(&self) -> &Ticket<'static, T> {
        &self.ticket
    }

    pub(super) fn is_claimable(&self) -> bool {
        self.scheduler.joiners_may_claim() && !self.ticket.has_started() && !self.is_lost()
    }

    pub(super) fn is_lost(&self) -> bool {
        !self.is_finished() && self.scheduler.is_lost()
    }
}

impl<T> UnwindSafe for TaskHandle<T> {}
impl<T> RefUnwindSafe for TaskHandle<T> {}

/// Waits without blocking. It never runs the task: a worker does.
impl<T> Future for TaskHandle<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            return Poll::Ready(self.ticket.take());
        }
        if self.scheduler.is_lost() {
            return Poll::Ready(Err(TaskError::Lost));
        }
        if self.ticket.latch().register(context.waker().clone()) {
            return Poll::Pending;
        }
        Poll::Ready(self.ticket.take())
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        // SAFETY: the handle is going away, nobody uses the ticket after this.
        if let Some(payload) = unsafe { self.ticket.release() } {
            self.scheduler.report(payload);
        }
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("id", &self.id)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// Holds a claim on the result of a task that is cancelled when nobody wants it any more.
///
/// Dropping it [cancels](TaskHandle::cancel) the task; one that runs goes on to its end.
#[must_use = "dropping it cancels the task"]
pub struct CancelOnDrop<T>(Option<TaskHandle<T>>);

impl<T> CancelOnDrop<T> {
    fn handle(&mut self) -> TaskHandle<T> {
        self.0.take().expect("the handle is there until this is used up")
    }

    /// Waits for the result, as [`TaskHandle::join`] does.
    ///
    /// # Errors
    ///
    /// As for [`TaskHandle::join`].
    ///
    /// # Blocking
    ///
    /// As for [`TaskHandle::join`].
    pub fn join(mut self) -> Result<T, TaskError> {
        self.handle().join()
    }

    /// Lets the task go its own way after all.
    pub fn detach(mut self) {
        self.handle().detach();
    }

    /// Says whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_some_and(TaskHandle::is_finished)
    }
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.0.as_mut().expect("the handle is there until this is used up");
        Pin::new(handle).poll(context)
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.cancel();
        }
    }
}

impl<T> fmt::Debug for CancelOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.0).finish()
    }
}
