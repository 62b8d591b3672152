//! Detached tasks.

use super::Pool;
use crate::scheduler::enter;
use crate::task::{Refusal, TaskHandle, new_task, refused_task};
use crate::unwind::discard;

impl Pool {
    /// Starts `f` as a task of its own, and returns the handle to its result.
    ///
    /// Tasks start in the order in which they were spawned, roughly. From inside the pool they wait
    /// on the worker that spawned them until somebody is free. Without any thread (a
    /// [serial](Self::serial) pool, or refused ones, or in a fork) the task runs before `spawn`
    /// returns, so it must not wait for what the caller does next. On a
    /// pool that is shut down it never runs, and its handle says so.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let answer = pool.spawn(|| 6 * 7);
    /// assert_eq!(answer.join().unwrap(), 42);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    pub fn spawn<F, T>(&self, f: F) -> TaskHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let scheduler = &self.scheduler;
        if !scheduler.is_lost() && !scheduler.accepts_tasks() {
            discard(f);
            return TaskHandle::new(refused_task(Refusal::ShutDown), scheduler.clone());
        }
        let (job, ticket) = new_task(f);
        if scheduler.is_alone() {
            // The handle is still here, so no panic is orphaned.
            let _ = enter(scheduler, None, || job.run(0));
        } else {
            scheduler.push_task(job);
        }
        TaskHandle::new(ticket, scheduler.clone())
    }
}

/// Starts `f` as a task of the [current](Pool::current) pool; see [`Pool::spawn`].
///
/// # Examples
///
/// ```
/// let handle = manyhands::spawn(|| 6 * 7);
/// assert_eq!(handle.join()?, 42);
/// # Ok::<(), manyhands::TaskError>(())
/// ```
pub fn spawn<F, T>(f: F) -> TaskHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Pool::current().spawn(f)
}
