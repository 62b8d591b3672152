//! The end of a pool, for those who want it before its last handle is dropped.

use std::time::{Duration, Instant};

use super::Pool;
use crate::error::StillRunning;

impl Pool {
    /// Refuses new tasks from outside, finishes those that are queued and what they spawn, and
    /// joins the threads.
    ///
    /// `spawn` returns a handle that says [`ShutDown`](crate::TaskError::ShutDown) from then on;
    /// sweeps, `join` and `scope` still complete, on their caller. The global pool finishes what is
    /// queued, and stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::{Pool, TaskError};
    ///
    /// let pool = Pool::new(2)?;
    /// let early = pool.spawn(|| 1);
    /// pool.shutdown();
    /// assert_eq!(early.join().unwrap(), 1);
    /// assert!(matches!(pool.spawn(|| 2).join(), Err(TaskError::ShutDown)));
    /// assert_eq!(pool.map([1, 2], |x| x + 1), [2, 3]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Blocking
    ///
    /// Until all threads have ended. Inside code that the pool runs, it returns at once, and the
    /// threads end when they can.
    pub fn shutdown(&self) {
        // Without a deadline it does not fail.
        let _ = self.end(None);
    }

    /// As [`shutdown`](Self::shutdown), but waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`StillRunning`] says how many threads have not ended. They do when their tasks are done;
    /// dropping the pool does not wait for them either.
    ///
    /// # Blocking
    ///
    /// Up to `timeout`; `Duration::MAX` is for ever.
    pub fn shutdown_timeout(&self, timeout: Duration) -> Result<(), StillRunning> {
        let begin = Instant::now();
        self.end(begin.checked_add(timeout)).map_err(|threads| {
            self.scheduler.abandon();
            StillRunning { threads, waited: begin.elapsed() }
        })
    }

    fn end(&self, deadline: Option<Instant>) -> Result<(), usize> {
        if self.is_global() {
            return self.scheduler.drain(deadline);
        }
        self.scheduler.close();
        self.scheduler.wait_for_end(deadline)
    }

    /// Refuses new tasks and cancels the detached ones that nobody has begun; returns how many. It
    /// does not wait for those that run: [`shutdown`](Self::shutdown) does.
    ///
    /// The global pool cancels, but goes on to take new tasks.
    pub fn shutdown_now(&self) -> usize {
        if !self.is_global() {
            self.scheduler.close();
        }
        self.scheduler.cancel_queued()
    }
}
